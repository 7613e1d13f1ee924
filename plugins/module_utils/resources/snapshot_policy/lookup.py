# Copyright: (c) 2026, the cloudn.compute authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Snapshot policies: checks the options, and finds the policies of a volume."""

from __future__ import annotations

from ...api import Record, UsageError
from ...reconcile import Found, Resource, Task
from .. import zone
from ..lookup import check_text
from ..volume import view as volume
from . import time_zone
from . import view as snapshot_policy
from .plan import describe, plan, to_result
from .view import checked_day, checked_time, interval_of


def check_options(options: Record) -> None:
    """Raise ``UsageError`` for options that are wrong whatever the service holds."""
    desired(options)


def desired(options: Record) -> Record:
    """Return the desired attributes of the policy, in the form of the results.

    Raises ``UsageError`` for options that are wrong whatever the service holds.
    """
    check_text(options)
    interval, wanted = options["interval"], {}
    if not (options.get("volume") or options.get("vm")):
        raise UsageError("volume or vm: one of them is needed. vm alone stands for its root disk")
    if options.get("time") is not None:
        wanted["time"] = checked_time(interval, options["time"])
    if options.get("day") is not None:
        wanted["day"] = checked_day(interval, options["day"])
    if options.get("timezone") is not None:
        wanted["timezone"] = time_zone.checked(options["timezone"], "timezone")
    if options.get("keep") is None:
        return wanted
    if options["keep"] < 1:
        raise UsageError(f"keep: must be at least 1, not {options['keep']}")
    return {**wanted, "keep": options["keep"]}


def find(task: Task) -> Found:
    """Return the volume, under ``volume``, and its policies of the interval, under ``policies``."""
    options = task.options
    disk = task.first["volume"] if task.failed else _volume(task)
    listed = [] if disk is None else snapshot_policy.of_volume(task.client, disk)
    policies = [one for one in listed if interval_of(one) == options["interval"]]
    label = (disk or {}).get("name") or options.get("volume") or options["vm"]
    return {str(label): {"volume": disk, "policies": policies}}


def lookup(task: Task, found: Found) -> Record:
    """Return the volume, and under ``wanted`` the desired attributes of the policy."""
    ((_name, there),) = found.items()
    return {"volume": there["volume"], "wanted": desired(task.options)}


def _volume(task: Task) -> Record | None:
    """Return the volume. ``None``: there is none, and it shall have no policy."""
    client, options = task.client, task.options
    if options["state"] == "present":
        return volume.chosen(client, options)
    disk = volume.chosen_or_none(client, options, task.warnings)
    if disk is None and options.get("zone"):
        zone.find(client, options["zone"])  # an unknown zone is an error, not a zone without the volume
    return disk


RESOURCE = Resource(check_options, find, lookup, plan, to_result, describe)
