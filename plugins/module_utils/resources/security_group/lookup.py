# Copyright: (c) 2026, the cloudn.compute authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Security groups: checks the options, and finds the group and those that its rules name."""

from __future__ import annotations

from ...api import Client, Record, UsageError
from ...reconcile import Found, Report, Resource, Task
from .. import generation
from ..lookup import check_text
from . import rules
from . import view as security_group
from .named import settled
from .plan import kind, plan, to_result
from .rules import DIRECTIONS, Rule


def check_options(options: Record) -> None:
    """Raise ``UsageError`` for options that are wrong whatever the service holds."""
    check_text(options)
    if not options["name"].strip():
        raise UsageError("name: must not be empty")
    for direction in DIRECTIONS:
        rules.given(options.get(direction) or [], direction, [])


def find(task: Task) -> Found:
    """Return the group, with its tags if the options give tags."""
    options = task.options
    record = security_group.find(task.client, (task.failed and task.failed.id) or options["name"])
    if record and options.get("tags") is not None:
        security_group.show_tags(task.client, [record])
    return {options["name"]: record}


def lookup(task: Task, found: Found) -> Record:
    """Return the options. Groups that rules name have the service's names, see ``rule_sources``."""
    options, record = task.options, found[task.options["name"]]
    _check_generation(task, record)
    named = [entry for direction in DIRECTIONS for entry in options.get(direction) or [] if entry.get("groups")]
    if not named:
        return options
    from . import rule_sources  # here, as few runs need it, and Ansible compiles each import in each run

    client = task.client
    return settled(client, lambda: rule_sources.resolve(options, record, lambda: security_group.search(client)))


def _check_generation(task: Task, record: Record | None) -> None:
    """Raise ``UsageError`` for new rules with IPv6 if the service has none. It is asked only if there are such rules."""
    for direction in DIRECTIONS:
        entries = task.options.get(direction) or []
        with_ipv6 = [rule for rule in rules.given(entries, direction, []) if rules.is_ipv6(rule.cidr)]
        new = rules.compare(with_ipv6, rules.listed(record or {}, direction))[2] if with_ipv6 else []
        if new:
            wanted = {_path_of(new, entries, direction): "IPv6 in rules"}
            generation.check(task.client, wanted, task.deadline, "leave out this network")


def _path_of(new: list[Rule], entries: list[Record], direction: str) -> str:
    """Return the path and the text of the first network in the options that one of the new rules has."""
    networks = {rules.network(rule.cidr) for rule in new}
    return next(
        f"{direction}[{number}].cidrs[{place}]: {cidr!r}"
        for number, entry in enumerate(entries)
        for place, cidr in enumerate(entry.get("cidrs") or [])
        if rules.network(str(cidr)) in networks
    )


RESOURCE = Resource(check_options, find, lookup, plan, to_result, kind=kind)


def ensure(client: Client, options: Record, check: bool = False) -> Report:
    """Bring one security group to the state in ``options`` (the module's)."""
    if options["state"] != "absent":
        return RESOURCE.ensure(client, options, check)
    from . import absence  # here, as few runs need it, and Ansible compiles each import in each run

    check_options(options)
    return absence.ensure(client, options, check)
