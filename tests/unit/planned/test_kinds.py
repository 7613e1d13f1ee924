# Copyright: (c) 2026, the cloudn.compute authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Planned objects are found by the service's filters, and changes of what exists follow what the service shows."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.cloudn.compute.plugins.module_utils.api import planned_ids
from ansible_collections.cloudn.compute.plugins.module_utils.planned import kinds
from ansible_collections.cloudn.compute.plugins.module_utils.planned.world import World

MACHINE = {
    "id": "planned-virtual-machine-1",
    "name": "web1",
    "displayname": "Front",
    "state": "Running",
    "zoneid": "z",
    "tags": [{"key": "role", "value": "web"}],
}


@pytest.mark.parametrize(
    ("command", "record", "query", "found"),
    [
        (kinds.VM, MACHINE, {}, True),
        (kinds.VM, MACHINE, {"page": 1, "pagesize": 500, "details": "min", "account": "a", "domainid": "d"}, True),
        (kinds.VM, MACHINE, {"id": "planned-virtual-machine-1"}, True),
        (kinds.VM, MACHINE, {"id": "planned-virtual-machine-2"}, False),
        (kinds.VM, MACHINE, {"name": "WEB"}, True),
        (kinds.VM, MACHINE, {"name": "front"}, False),
        (kinds.VM, MACHINE, {"keyword": "ron"}, True),
        (kinds.VM, MACHINE, {"keyword": None, "zoneid": "z"}, True),
        (kinds.VM, MACHINE, {"zoneid": "other"}, False),
        (kinds.VM, MACHINE, {"state": "running"}, True),
        (kinds.VM, MACHINE, {"state": "Stopped"}, False),
        (kinds.VM, MACHINE, {"tags": {"Role": "web"}}, True),
        (kinds.VM, MACHINE, {"tags": {"role": "db"}}, False),
        (kinds.VM, MACHINE, {"hypervisor": "KVM"}, False),
        (kinds.VOLUME, {"type": "ROOT", "virtualmachineid": "1"}, {"type": "ROOT", "virtualmachineid": "1"}, True),
        (kinds.VOLUME, {"type": "ROOT"}, {"virtualmachineid": "1"}, False),
        (kinds.SNAPSHOT, {"volumeid": "1"}, {"volumeid": "1"}, True),
        (kinds.GROUP, {"name": "café"}, {"securitygroupname": "CAFE "}, True),
        (kinds.GROUP, {"name": "web1"}, {"securitygroupname": "web"}, False),
        (kinds.PAIR, {"name": "mine", "fingerprint": "aa"}, {"name": "Mine", "fingerprint": "aa"}, True),
        (kinds.PAIR, {"name": "mine", "fingerprint": "aa"}, {"fingerprint": "bb"}, False),
        (kinds.TEMPLATE, {"name": "t", "zoneid": "z"}, {"templatefilter": "self", "zoneid": "z"}, True),
        (kinds.TEMPLATE, {"name": "t"}, {"templatefilter": "executable"}, True),
        (kinds.TEMPLATE, {"name": "t"}, {"templatefilter": "featured"}, False),
        (kinds.TEMPLATE, {"name": "t", "isfeatured": True}, {"templatefilter": "featured"}, True),
        (kinds.TEMPLATE, {"name": "t"}, {"templatefilter": "community"}, False),
        (kinds.TEMPLATE, {"id": "1"}, {"templatefilter": "featured", "id": "1"}, True),
        (kinds.AFFINITY, {"name": "a", "type": "host affinity"}, {"type": "host anti-affinity"}, False),
        (kinds.TAG, {"resourceid": "1", "resourcetype": "SecurityGroup"}, {"resourcetype": "securitygroup"}, True),
    ],
)
def test_filters(command: str, record: dict[str, Any], query: dict[str, Any], found: bool) -> None:
    assert kinds.is_found(command, record, query) is found


@pytest.mark.parametrize(
    ("text", "parsed"),
    [
        ("planned-snapshot-1", ("snapshot", 1)),
        ("planned-virtual-machine-12", ("virtual-machine", 12)),
        ("planned-snapshot-0", None),
        ("planned-snapshot-01", None),
        ("planned-snapshot-1\n", None),
        ("planned-snapshot-１", None),
        ("planned-zone-1", None),
        ("my-planned-snapshot-1", None),
        ("planned-web-1", None),
        (1, None),
        (None, None),
    ],
)
def test_ids(text: Any, parsed: Any) -> None:
    assert planned_ids.parse(text) == parsed
    assert all(planned_ids.parse(planned_ids.make(kind, 7)) == (kind, 7) for kind in planned_ids.KINDS)


def seen(*rows: dict[str, Any]) -> World:
    return World({}, {kinds.VM: {row["id"]: row for row in rows}})


def test_a_change_holds_as_long_as_the_service_shows_what_it_began_from() -> None:
    world = seen({"id": "1", "state": "Starting", "displayname": "a"})
    world.change(kinds.VM, "1", state="Stopped", displayname="b")
    for there, shown in (
        ({"state": "Running", "displayname": "a"}, {"state": "Stopped", "displayname": "b"}),  # it has started
        ({"state": "Starting", "displayname": "a"}, {"state": "Stopped", "displayname": "b"}),
        ({"state": "Running", "displayname": "c"}, {"state": "Stopped", "displayname": "c"}),
        ({"state": "Error", "displayname": "a"}, {"state": "Error", "displayname": "b"}),
    ):
        assert world.lay(kinds.VM, {}, [{"id": "1", **there}]) == [{"id": "1", **shown}]


def test_items_of_lists_come_and_go_one_by_one() -> None:
    world = seen({"id": "1"})
    world.drop(kinds.VM, "1", "tags", ["A"])
    world.add(kinds.VM, "1", "tags", [{"key": "a", "value": "new"}, {"key": "b", "value": "1"}])
    world.drop(kinds.VM, "1", "tags", ["b"])
    (shown,) = world.lay(
        kinds.VM, {}, [{"id": "1", "tags": [{"key": "a", "value": "old"}, {"key": "c", "value": "2"}]}]
    )
    assert shown["tags"] == [{"key": "c", "value": "2"}, {"key": "a", "value": "new"}]


def test_a_removed_object_is_gone_until_it_is_taken_back() -> None:
    world = seen({"id": "1"})
    world.remove(kinds.VM, {"id": "1"})
    assert world.lay(kinds.VM, {}, [{"id": "1"}, {"id": "2"}]) == [{"id": "2"}]
    world.restore(kinds.VM, {"id": "1"})
    assert world.lay(kinds.VM, {}, [{"id": "1"}]) == [{"id": "1"}]
