# Copyright: (c) 2026, the cloudn.compute authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Checks the addresses of a service, and shows addresses without the secrets in them. Knows no Ansible and no network."""

from __future__ import annotations

import ipaddress
import re
import typing as t
import urllib.parse

_EXAMPLES = {"api_url": "https://HOST/client/api", "ec2_url": "https://HOST/awsapi"}
_HIDDEN = "***"
_AT = re.compile("@|%40")
_AFTER_PATH = re.compile("[?#]")
_HOST = re.compile(r"[\w.-]+\Z")
_PORT = re.compile(r":([^\]:]*)\Z")


def problem(option: str, url: t.Any) -> str | None:
    """Return what is wrong with the address in an option, ``None`` where it is right. No secret of it is shown."""
    shown = without_secrets(str(url))
    fault = _fault(str(url))
    return f"{option}: {fault.format(repr(shown))}. Write it like {_EXAMPLES[option]}" if fault else None


def without_secrets(url: str) -> str:
    """Return an address without user, password and all that is after its path."""
    user, rest = _split_user(url)
    start = user.find("//") + 2 if "//" in user else 0
    hidden = f"{user[:start]}{_HIDDEN}@" if user else ""
    after = _AFTER_PATH.search(rest)
    return hidden + (rest[: after.end()] + _HIDDEN if after and rest[after.end() :] else rest)


def secrets(url: t.Any) -> t.Iterator[str]:
    """Yield the parts of an address that nobody may see. They are long enough to be hidden in other texts."""
    if isinstance(url, str):
        user, rest = _split_user(url)
        after = _AFTER_PATH.search(rest)
        for part in (user.rpartition("//")[2], rest[after.start() :] if after else ""):
            if len(part) > 1:
                yield part


def _split_user(url: str) -> tuple[str, str]:
    """Split an address after its user and password. They may hold any character, so they end at the last at sign."""
    marks = [match.end() for match in _AT.finditer(url)]
    after = _AFTER_PATH.search(url)
    if after and marks and not _AT.search(url[: after.start()]) and _has_good_port(url[: after.start()]):
        return "", url
    end = max(marks, default=0)
    return url[:end], url[end:]


def _has_good_port(url: str) -> bool:
    """Tell whether an address has no port or a port that is a number from 1 to 65535."""
    port = _PORT.search(url.partition("//")[2].partition("/")[0])
    return not port or (port[1].isascii() and port[1].isdigit() and 0 < int(port[1][:6]) < 65536)


def _fault(url: str) -> str | None:
    """Return a sentence on the first fault of an address, in which ``{}`` stands for the address. ``None``: it has none."""
    no_address = "{} is no http or https address"
    if any(not letter.isprintable() or letter.isspace() for letter in url):
        return "{} holds a blank or a control character; leave it out"
    if _split_user(url)[0]:
        return (
            "must hold no user and no password, but it is {}: requests are signed with api_key and api_secret instead"
        )
    try:
        address = urllib.parse.urlsplit(url)
        host = address.hostname or ""
    except ValueError:
        return no_address
    if address.scheme not in ("http", "https"):
        return no_address
    if address.netloc.count(":") > 1 and "[" not in address.netloc:
        return f"{no_address}: it has several colons before the path; put an IPv6 address in brackets"
    if not host:
        return f"{no_address}: it has no host"
    if not _has_good_port(url):
        return f"{no_address}: its port must be a number from 1 to 65535"
    if not _is_host(host):
        return f"{no_address}: its host can't be the name of one"
    if "\\" in address.path:
        return "{} is no address of an API: it has a backslash in its path; write / in its place"
    if _AFTER_PATH.search(url):
        return "{} is no address of an API: leave out all after its path"
    return None if address.path.strip("/") else "{} is no address of an API: it has no path"


def _is_host(host: str) -> bool:
    """Tell whether a text may be a host's name or its address."""
    if ":" in host:
        try:
            return bool(ipaddress.ip_address(host.partition("%")[0]))
        except ValueError:
            return False
    try:
        return bool(_HOST.match(host) and host.encode("idna"))
    except UnicodeError:
        return False
