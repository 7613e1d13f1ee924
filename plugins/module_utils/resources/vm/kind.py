# Copyright: (c) 2026, the cloudn.compute authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Duplicates of virtual machines: how one of several with a host name in a zone is chosen to stay."""

from __future__ import annotations

import typing as t

from ...api import Client, Record, jobs
from ...reconcile.duplicates import Kind
from ..names import folded
from . import view as vm
from .view import RUNNING, STOPPED

# The jobs of one run begin within so many seconds.
_ONE_RUN = 60.0


def _is_usable(record: Record) -> bool | None:
    state = record.get("state")
    return None if state in vm.TRANSITIONAL else state in (RUNNING, STOPPED)


def _made_of(record: Record) -> tuple[t.Any, ...]:
    """Return the fields of a machine that the service can't change later, or only while the machine is stopped."""
    groups = sorted(str(group.get("id")) for group in record.get("securitygroup") or [])
    pairs = [folded(name) for name in vm.key_pairs_of(record)]
    return record.get("templateid"), record.get("serviceofferingid"), pairs, groups


def _is_busy(client: Client, rows: list[Record]) -> bool:
    """Tell whether the run that made one of the machines may still wait for its other machines.

    A run looks for duplicates once all its jobs have ended. Jobs that began at about the same time may belong to it.
    """
    ages = [jobs.age(client, row) for row in rows]
    query = {"startdate": jobs.ago(client, max(ages) + _ONE_RUN), "keyword": "DeployVM"}
    pending = [job for job in jobs.listing(client, query) if job.get("jobstatus") == jobs.PENDING]
    return any(abs(jobs.age(client, job) - age) <= _ONE_RUN for job in pending for age in ages)


KIND = Kind(
    field="virtualmachine",
    listing="listVirtualMachines",
    create="deployVirtualMachine",
    delete="destroyVirtualMachine",
    usable=_is_usable,
    alike=lambda one, other: _made_of(one) == _made_of(other),
    unique=True,
    search=vm.search,
    refine=vm.with_starts,
    is_busy=_is_busy,
    verb="destroy",
    expect=vm.GONE,
    remade=False,
)
