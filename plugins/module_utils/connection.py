# Copyright: (c) 2026, the cloudn.compute authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""From connection options, of a module or of the inventory, to a client."""

from __future__ import annotations

import typing as t

from .api import Client, UsageError

if t.TYPE_CHECKING:
    from .api.ec2 import Ec2Client

DEFAULT_URL = "https://comp-api.jp-e1.cloudn-service.com/client/api"
DEFAULT_EC2_URL = "https://comp-apia.jp-e1.cloudn-service.com/awsapi"


def connect(options: t.Mapping[str, t.Any]) -> Client:
    """Return a client for connection options, of a module or of the inventory. It has one of the EC2-compatible API as
    its ``ec2``, if it is known where that is.

    Raises ``UsageError`` for options that are missing or make no sense.
    """
    for option in ("api_key", "api_secret"):
        if not options.get(option):
            raise UsageError(
                f"{option}: is missing; set the option, or the environment variable CLOUDN_{option.upper()}"
            )
    if not str(options["api_url"]).startswith(("http://", "https://")):
        raise UsageError(f"api_url: {options['api_url']!r} is no http or https address")
    ec2_url = _ec2_url(options)
    if ec2_url and (not ec2_url.startswith(("http://", "https://")) or "?" in ec2_url or "#" in ec2_url):
        raise UsageError(f"ec2_url: {ec2_url!r} is no http or https address of an API")
    for option, least in (("api_timeout", 0.1), ("api_retries", 0), ("signature_expires", 0)):
        if options[option] < least:
            raise UsageError(f"{option}: must be at least {least:g}, not {options[option]:g}")
    if bool(options.get("account")) != bool(options.get("domain_id")):
        raise UsageError("account, domain_id: either needs the other")
    verify: bool | str = options["validate_certs"]
    if verify and options.get("ca_path"):
        verify = str(options["ca_path"])
    credentials = (options["api_key"], options["api_secret"])
    common = {
        "timeout": options["api_timeout"],
        "retries": options["api_retries"],
        "verify": verify,
        "signature_expires": options["signature_expires"],
    }

    def make_ec2() -> Ec2Client:
        from .api.ec2 import Ec2Client  # few need it

        wait_timeout = options.get("wait_timeout", 600)
        return Ec2Client(
            str(ec2_url), *credentials, **common, version=options["ec2_version"], wait_timeout=wait_timeout
        )

    return Client(
        options["api_url"],
        *credentials,
        **common,
        response_format=options["response_format"],
        account=options.get("account"),
        domain_id=options.get("domain_id"),
        make_ec2=make_ec2 if ec2_url else None,
    )


def _ec2_url(options: t.Mapping[str, t.Any]) -> str | None:
    """Return where the EC2-compatible API is: the service's own belongs to the service's own native API alone, so that no
    other service's key is sent there.
    """
    return options.get("ec2_url") or (DEFAULT_EC2_URL if options["api_url"] == DEFAULT_URL else None)
