# Copyright: (c) 2026, the cloudn.compute authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Hypervisors: which ones the hosts of a zone run."""

from __future__ import annotations

from ...api import Client, NotGranted, Record, UsageError
from ...wrong_values import did_you_mean


def check(client: Client, wanted: str, zone: Record) -> None:
    """Raise ``UsageError`` unless a host of the zone runs the hypervisor of a template that is to be registered.

    The service takes such a template, but lists it only by its id. So the next run would not find it, and would register
    another one. An account that may not list hypervisors goes without this check. Source: measured on CloudStack 3.0.5.
    """
    try:
        found = client.list("listHypervisors", {"zoneid": zone["id"]})
    except NotGranted:
        return
    names = [str(one.get("name")) for one in found]
    if names and wanted.lower() not in [name.lower() for name in names]:
        near = did_you_mean(wanted, names)
        raise UsageError(
            f"hypervisor: no host in {zone.get('name')} runs {wanted}; use one of {', '.join(names)}{near}"
        )
