# Copyright: (c) 2026, the cloudn.compute authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Duplicates of virtual machines: what decides which one stays of a host name in a zone."""

from __future__ import annotations

import typing as t

from ...api import Client, Record, jobs
from ...reconcile.duplicates import Kind
from . import view as vm
from .view import RUNNING, STOPPED

# Seconds by which the jobs of one run may have begun before or after another one of it.
_ONE_RUN = 60.0


def _is_usable(record: Record) -> bool | None:
    state = record.get("state")
    return None if state in vm.TRANSITIONAL else state in (RUNNING, STOPPED)


def _alike(one: Record, other: Record) -> bool:
    return _made_of(one) == _made_of(other)


def _made_of(record: Record) -> tuple[t.Any, ...]:
    """Return of a machine what the service can't change later, or only while it is stopped."""
    groups = sorted(str(group.get("id")) for group in record.get("securitygroup") or [])
    return record.get("templateid"), record.get("serviceofferingid"), record.get("keypair"), groups


def _is_busy(client: Client, rows: list[Record]) -> bool:
    """Tell whether a run that made one of the machines may still wait for others of its own.

    It looks for duplicates when all its jobs have ended, so jobs that began at about the same time may be its.
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
    alike=_alike,
    unique=True,
    search=vm.search,
    refine=vm.with_starts,
    is_busy=_is_busy,
    verb="destroy",
    expect=vm.GONE,
    remade=False,
)
