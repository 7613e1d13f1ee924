# Copyright: (c) 2026, the cloudn.compute authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Security groups: find what there is, look up what rules name, plan, apply, report."""

from __future__ import annotations

from ..api import Client, Deadline, Record, UsageError
from ..converge import converge
from ..plan import Track
from ..report import Report
from . import rules
from .lookup import check_text
from .rules import DIRECTIONS
from .security_group import find, search, show_tags
from .security_group_lookup import settled
from .security_group_plan import PARALLEL, plan, show


def ensure(client: Client, options: Record, check: bool = False) -> Report:
    """Bring one security group to the state that is asked for in ``options`` (the module's).

    Returns what was done, or with ``check`` what would be done. Raises ``UsageError`` for what can't be done, before
    anything is changed.
    """
    check_text(options)
    if not options["name"].strip():
        raise UsageError("name: must not be empty")
    for direction in DIRECTIONS:  # what is wrong in itself is told before the service is asked
        rules.given(options.get(direction) or [], direction, [])
    deadline = Deadline(options["wait_timeout"], client.clock)
    if options["state"] == "absent":
        from . import security_group_absence  # here, as few runs need it: what is imported is compiled anew each time

        return security_group_absence.ensure(client, options, deadline, check)
    warnings: list[str] = []
    record = _found(client, options["name"], options, check)
    track = plan(record, _with_sources(client, options, record), warnings)
    if not check:
        _apply(client, track, options, deadline)
    return Report([track], show, check, warnings)


def _apply(client: Client, track: Track, options: Record, deadline: Deadline) -> None:
    """Send what is to be done. A new group gets its rules and tags when it is the only one of its name."""

    def again(track: Track) -> Track:
        return _again(client, track, options)

    began = client.clock()
    is_new = track.found is None and options["wait"]
    stages = track.stages
    if is_new:
        track.stages = first = stages[:1]
    converge(client, [track], deadline, again, PARALLEL, options["wait"])
    if not is_new:
        return
    # Here, as few runs make groups: what is imported is compiled anew each time.
    from ..settle import settle
    from . import security_group_duplicates

    settle(client, [track], security_group_duplicates.resource(client, again), began, deadline)
    if track.stages is first and not track.error:
        track.stages = stages
        converge(client, [track], deadline, again, PARALLEL, options["wait"])


def _found(client: Client, wanted: str, options: Record, check: bool = False) -> Record | None:
    """Return the group, with its tags where they are to be changed or kept as given."""
    record = find(client, wanted) if check else settled(client, lambda: find(client, wanted))
    if record and options.get("tags") is not None:
        show_tags(client, [record])
    return record


def _again(client: Client, track: Track, options: Record) -> Track:
    record = _found(client, track.id or options["name"], options)
    return plan(record, {**_with_sources(client, options, record), "on_immutable_drift": "ignore"}, [])


def _with_sources(client: Client, options: Record, record: Record | None) -> Record:
    """Return the options with the groups that rules name as the service calls them, see ``rule_sources``."""
    named = [entry for direction in DIRECTIONS for entry in options.get(direction) or [] if entry.get("groups")]
    if not named:
        return options
    from . import rule_sources  # here, as few runs need it: what is imported is compiled anew each time

    return settled(client, lambda: rule_sources.resolve(options, record, lambda: search(client)))
