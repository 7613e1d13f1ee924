# Copyright: (c) 2026, the cloudn.compute authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Makes a client from the connection options of a module or of the inventory."""

from __future__ import annotations

import ipaddress
import re
import typing as t
import urllib.parse

from . import addresses
from .api import Client, UsageError

if t.TYPE_CHECKING:
    from .api.ec2 import Ec2Client
    from .api.session import Sessions

_CREDENTIALS = re.compile(r"//([^/\s]*:[^\s]*)@")
DEFAULT_URL = "https://comp-api.jp-e1.cloudn-service.com/client/api"
DEFAULT_EC2_URL = "https://comp-apia.jp-e1.cloudn-service.com/awsapi"
_BOUNDS = {"api_timeout": (0.1, 86400), "api_retries": (0, 10_000), "signature_expires": (0, 31_536_000)}


def connect(options: t.Mapping[str, t.Any], sessions: Sessions | None = None) -> Client:
    """Return a client for the connection options of a module or of the inventory.

    Its ``ec2`` is a client of the EC2-compatible API, if the address of that is known. ``sessions`` are those of an earlier
    client of the same account, to go on with. Raises ``UsageError`` for options that are missing or make no sense.
    """
    ec2_url = _ec2_url(options)
    _check(options, ec2_url)
    verify: bool | str = options["validate_certs"]
    if verify and options.get("ca_path"):
        verify = str(options["ca_path"])
    keys = (options["api_key"], options["api_secret"])
    common = {
        "timeout": options["api_timeout"],
        "retries": options["api_retries"],
        "verify": verify,
        "signature_expires": options["signature_expires"],
        "sessions": sessions,
    }

    def make_ec2() -> Ec2Client:
        from .api.ec2 import Ec2Client  # few need it

        wait_timeout = options.get("wait_timeout", 600)
        return Ec2Client(str(ec2_url), *keys, **common, version=options["ec2_version"], wait_timeout=wait_timeout)

    return Client(
        options["api_url"],
        *keys,
        **common,
        response_format=options["response_format"],
        account=options.get("account"),
        domain_id=options.get("domain_id"),
        make_ec2=make_ec2 if ec2_url else None,
    )


def _ec2_url(options: t.Mapping[str, t.Any]) -> str | None:
    """Return the address of the EC2-compatible API.

    Its default belongs only to the default of the native API, so that no other service's key is sent there.
    """
    return options.get("ec2_url") or (DEFAULT_EC2_URL if options["api_url"] == DEFAULT_URL else None)


def _check(options: t.Mapping[str, t.Any], ec2_url: str | None) -> None:
    """Raise ``UsageError`` for options that are missing or make no sense."""
    for option in ("api_key", "api_secret"):
        if not options.get(option):
            raise UsageError(
                f"{option}: is missing; set the option, or the environment variable CLOUDN_{option.upper()}, or name a profile "
                "that has it (profile)"
            )
    for option, url in (("api_url", options["api_url"]), ("ec2_url", ec2_url)):
        problem = addresses.problem(option, url) if url is not None else None
        if problem:
            raise UsageError(problem)
    for option, (least, most) in _BOUNDS.items():
        value = options[option]
        if not least <= value <= most:  # also where it is no number (nan)
            bound = f"most {most}" if value > most else f"least {least:g}"
            raise UsageError(f"{option}: must be at {bound}, not {value:g}")
    if bool(options.get("account")) != bool(options.get("domain_id")):
        raise UsageError("account, domain_id: set both or neither")


def warnings(options: t.Mapping[str, t.Any]) -> list[str]:
    """Return a warning for each option that lets others read or change requests and answers."""
    texts = []
    if not options["validate_certs"]:
        rest = (
            " (ca_path is not used with it)"
            if options.get("ca_path")
            else ", and give the service's authority with ca_path"
        )
        texts.append(
            "validate_certs: the service's certificate is not verified, so anybody between here and the service can pose as the service, and "
            f"read passwords and user data; leave it out{rest}"
        )
    for option in ("api_url", "ec2_url"):
        address = urllib.parse.urlsplit(options.get(option) or "")
        if address.scheme == "http" and not _is_this_machine(str(address.hostname)):
            texts.append(
                f"{option}: http is not encrypted, so anybody between here and the service can read passwords and user data, and change "
                "requests and answers; use https"
            )
    return texts


def credentials(value: t.Any) -> t.Iterator[str]:
    """Yield each ``user:password`` of an address in options, at any depth. Ansible must not show them.

    Of the service's own addresses it yields whatever is not the address itself.
    """
    if isinstance(value, str):
        yield from _CREDENTIALS.findall(value)
    elif isinstance(value, list):
        for item in value:
            yield from credentials(item)
    elif isinstance(value, dict):
        yield from credentials(list(value.values()))
        for option in ("api_url", "ec2_url"):
            yield from addresses.secrets(value.get(option))


def _is_this_machine(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
