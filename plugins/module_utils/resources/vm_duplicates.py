# Copyright: (c) 2026, the cloudn.compute authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Duplicates of virtual machines: what ``settle`` has to know to leave one machine of a host name in a zone."""

from __future__ import annotations

import os.path
import typing as t

from ..api import Client, Deadline, Record, jobs
from ..duplicates import Kind
from ..plan import Step, Track
from ..settle import Resource, await_one
from . import duration, vm
from .vm_plan import RUNNING, STOPPED

# Seconds by which the jobs of one run may have begun before or after another one of it.
_ONE_RUN = 60.0


def resource(client: Client, zone_id: str, again: t.Callable[[Track], Track | None]) -> Resource:
    """Return what ``settle`` has to know of machines that are new in a zone; ``again(track)`` plans one anew."""

    def listed(tracks: t.Collection[Track]) -> list[Record]:
        names = [track.name for track in tracks]
        return vm.search(client, {"keyword": os.path.commonprefix(names) or None})

    def same(track: Track, record: Record) -> bool:
        here = (record.get("name"), record.get("zoneid")) == (track.name, zone_id)
        return here and record.get("state") not in vm.GONE

    def find(vm_id: str) -> Record | None:
        return next((row for row in vm.search(client, {"id": vm_id}) if row.get("state") not in vm.GONE), None)

    return Resource(
        KIND,
        listed,
        same,
        find,
        lambda rows: vm.with_starts(client, rows),
        lambda rows: _is_busy(client, rows),
        _removal,
        again,
    )


def settled(client: Client, names: t.Sequence[str], zone: str | None, deadline: Deadline) -> dict[str, Record | None]:
    """Find machines as ``vm.settled`` does; of a name that runs gave to several at one moment, wait until one is left."""
    return await_one(client, lambda: vm.settled(client, names, zone, deadline, check=False), KIND, deadline)


def _usable(record: Record) -> bool | None:
    state = record.get("state")
    return None if state in vm.PASSING else state in (RUNNING, STOPPED)


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
    ages = [duration.age(client, row) for row in rows]
    query = {"startdate": jobs.ago(client, max(ages) + _ONE_RUN), "keyword": "DeployVM"}
    pending = [job for job in jobs.listing(client, query) if job.get("jobstatus") == jobs.PENDING]
    return any(abs(duration.age(client, job) - age) <= _ONE_RUN for job in pending for age in ages)


def _removal(track: Track, record: Record, other: str) -> list[list[Step]]:
    text = f"{track.name}: destroy {record['id']} again, as another run made {other}"
    return [[Step(text, "destroyVirtualMachine", {"id": record["id"]}, expect=vm.GONE)]]


KIND = Kind("deployVirtualMachine", _usable, _alike)
