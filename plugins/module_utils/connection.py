# Copyright: (c) 2026, the cloudn.compute authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""From connection options, of a module or of the inventory, to a client."""

from __future__ import annotations

import typing as t

from .api import Client, UsageError

DEFAULT_URL = "https://comp-api.jp-e1.cloudn-service.com/client/api"


def connect(options: t.Mapping[str, t.Any]) -> Client:
    """Return a client for connection options, of a module or of the inventory.

    Raises ``UsageError`` for options that are missing or make no sense.
    """
    for option in ("api_key", "api_secret"):
        if not options.get(option):
            raise UsageError(
                f"{option}: is missing; set the option, or the environment variable CLOUDN_{option.upper()}"
            )
    if not str(options["api_url"]).startswith(("http://", "https://")):
        raise UsageError(f"api_url: {options['api_url']!r} is no http or https address")
    for option, least in (("api_timeout", 0.1), ("api_retries", 0), ("signature_expires", 0)):
        if options[option] < least:
            raise UsageError(f"{option}: must be at least {least:g}, not {options[option]:g}")
    if bool(options.get("account")) != bool(options.get("domain_id")):
        raise UsageError("account, domain_id: either needs the other")
    verify: bool | str = options["validate_certs"]
    if verify and options.get("ca_path"):
        verify = str(options["ca_path"])
    return Client(
        options["api_url"],
        options["api_key"],
        options["api_secret"],
        timeout=options["api_timeout"],
        retries=options["api_retries"],
        verify=verify,
        response_format=options["response_format"],
        signature_expires=options["signature_expires"],
        account=options.get("account"),
        domain_id=options.get("domain_id"),
    )
