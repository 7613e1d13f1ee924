# Copyright: (c) 2026, the cloudn.compute authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Who may ask: a web page may not, whatever its name leads to. Programs send no origin and may.

The key and the secret are well known. So a page in a browser on this machine could sign requests. A page can give its own
name an address of this machine (DNS rebinding). The browser still says which name it asked for, and which page asks.
"""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Collection, Iterator

from aiohttp import web

FORBIDDEN = 403
_HOST = re.compile(r"(\[[^\s\[\]/?#@\\]+\]|[^\s\[\]:/?#@\\]+)(?::[0-9]*)?")
_NAME = re.compile(r"\w[\w.-]*")
_TARGET = re.compile(r"\w[\w+.-]*://([^/?#]*)")
_ORIGIN = re.compile(r"https?://(.*)", re.IGNORECASE)
_FROM_PAGES = "cross-site"


class Guard:
    """Knows the names of hosts that a request may be for, and those that a page may come from.

    These are all names and addresses of the local machine's loopback, the unspecified address, the address that the connection came to, and
    `allowed`: the host to listen on, and hosts that the user allows.
    """

    def __init__(self, allowed: Collection[str]) -> None:
        self.allowed = {_plain(host) for host in allowed}

    def allow(self, host: str) -> None:
        """Allow one more host."""
        self.allowed.add(_plain(host))

    def refusal(self, request: web.Request) -> str | None:
        """Why a request is refused, or None. A browser always sends a host, so a request without one is a program's."""
        for host in _hosts(request):
            if not self._takes(host, request):
                return f"the host {host!a} is not allowed"
        origins = request.headers.getall("Origin", [])
        for origin in origins:
            match = _ORIGIN.fullmatch(origin)
            if match is None or not self._takes(match[1], request):
                return f"pages of {origin!a} are not allowed"
        if origins:
            return None
        if _opens_page(request):
            return None
        if request.headers.get("Sec-Fetch-Site", "").strip().lower() == _FROM_PAGES:
            return "pages of other sites are not allowed"
        for page in request.headers.getall("Referer", []):
            match = _TARGET.match(page)
            if match is None or not self._takes(match[1], request):
                return f"pages such as {page!a} are not allowed"
        return None

    def _takes(self, host: str, request: web.Request) -> bool:
        """Whether a host, with or without a port, is one of those."""
        match = _HOST.fullmatch(host)
        if match is None:
            return False
        name = _plain(match[1])
        address = _address(name)
        if address is None:
            return name == "localhost" or name.endswith(".localhost") or name in self.allowed
        # A browser takes an unspecified address (0.0.0.0) for this machine. It is no name, so it leads nowhere else.
        return address.is_loopback or address.is_unspecified or name in self.allowed or address == _local(request)


def is_host(text: str) -> bool:
    """Whether a text is the name or the address of a host, without a port."""
    return _address(text) is not None or _NAME.fullmatch(text) is not None


def _opens_page(request: web.Request) -> bool:
    """Whether a browser opens the emulator's own page, be it by a link on a page of another site.

    The page itself holds no data, and it may not be in a frame. What it asks for then comes from itself.
    """
    sent = tuple(request.headers.get(f"Sec-Fetch-{what}", "").strip().lower() for what in ("Mode", "Dest"))
    return request.method == "GET" and request.path == "/" and sent == ("navigate", "document")


def _hosts(request: web.Request) -> Iterator[str]:
    yield from request.headers.getall("Host", [])
    target = _TARGET.match(request.raw_path)  # an address that is sent as to a proxy
    if target:
        yield target[1]


def _plain(host: str) -> str:
    """A host in one spelling: small letters, without brackets and the dot of the root."""
    name = host.strip("[]").partition("%")[0].lower()
    address = _address(name)
    return str(address) if address else name.removesuffix(".")


def _address(name: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
    try:
        address = ipaddress.ip_address(name)
    except ValueError:
        return None
    return getattr(address, "ipv4_mapped", None) or address


def _local(request: web.Request) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
    """The address of this machine that a connection came to."""
    name = request.transport and request.transport.get_extra_info("sockname")
    return _address(str(name[0]).partition("%")[0]) if name else None
