# Copyright: (c) 2026, the cloudn.compute authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Instance groups of the emulator: made by a command or by a machine, renamed, deleted."""

from __future__ import annotations

import time

import pytest


def make(api, name, **params):
    return api("createInstanceGroup", name=name, **params)["instancegroup"]


def names(api, **params):
    return [group["name"] for group in api("listInstanceGroups", **params).get("instancegroup", [])]


def test_a_group_is_made_once(api, refused):
    group = make(api, "Café")
    assert group.keys() == {"id", "name", "created", "account", "domainid", "domain"}
    for same in ("Café", "cafe", "CAFE "):
        with refused(431):
            make(api, same)
    make(api, "")
    with refused(431):
        make(api, "")
    assert api("listInstanceGroups", id=group["id"])["instancegroup"] == [group]


@pytest.mark.parametrize(
    ("params", "code"),
    [
        ({"account": "flatuser"}, 431),
        ({"domainid": 1}, 431),
        ({"account": "admin", "domainid": 1}, 531),
        ({"account": "nobody", "domainid": 1}, 531),
    ],
)
def test_groups_are_made_for_the_account_itself(api, refused, params, code):
    with refused(code):
        make(api, "one", **params)
    assert names(api) == []
    make(api, "one", account="flatuser", domainid=1)


def test_groups_are_listed_and_found_by_filters(api, refused):
    for name in ("web1", "db", "Web2"):
        make(api, name)
    assert names(api) == ["web1", "db", "Web2"]
    assert names(api, name="WEB") == names(api, keyword="eb") == ["web1", "Web2"]
    assert names(api, name="w_b%2") == ["Web2"]
    assert names(api, id=-1) == names(api, name="no-such") == []
    assert names(api, page=2, pagesize=2) == ["Web2"]
    with refused(531):
        names(api, account="admin", domainid=1)


def test_a_machine_makes_its_group_and_joins_one_that_is_there(api):
    group = make(api, "Prod")
    first, second = api.running("one", group="prod"), api.running("two", group="test")
    assert (first["groupid"], first["group"]) == (group["id"], "Prod")
    assert names(api) == ["Prod", "test"]
    assert api.names(groupid=group["id"]) == {"one"}
    api("updateInstanceGroup", id=second["groupid"], name="stage")
    assert api.vm(second["id"])["group"] == "stage"


def test_a_group_gets_a_name_that_no_group_has(api, refused):
    one, two = make(api, "one"), make(api, "two")
    assert api("updateInstanceGroup", id=one["id"], name="three")["instancegroup"] == {**one, "name": "three"}
    for params in ({}, {"name": "three"}):
        assert api("updateInstanceGroup", id=one["id"], **params)["instancegroup"]["name"] == "three"
    for taken in ("two", "TWO", "Three"):  # its own name in other letters too: the real server's
        with refused(431):
            api("updateInstanceGroup", id=one["id"], name=taken)
    assert names(api) == ["three", "two"]
    api("deleteInstanceGroup", id=two["id"])
    api("updateInstanceGroup", id=one["id"], name="two")
    assert names(api) == ["two"]


def test_deleting_takes_machines_out(api, refused):
    vm = api.running("one", group="prod")
    assert api("deleteInstanceGroup", id=vm["groupid"]) == {"success": "true"}
    assert not {"group", "groupid"} & api.vm(vm["id"]).keys()
    assert names(api) == names(api, id=vm["groupid"]) == []  # its id is still known
    for command in ("deleteInstanceGroup", "updateInstanceGroup"):
        with refused(431):
            api(command, id=vm["groupid"])
        with refused(431):
            api(command, id=-1)
    again = api("updateVirtualMachine", id=vm["id"], group="prod")["virtualmachine"]
    assert again["groupid"] != vm["groupid"]


def test_a_deleted_group_is_forgotten_in_the_end(emulate, refused):
    api = emulate(expunge_seconds=0.1)
    group = make(api, "one")["id"]
    api("deleteInstanceGroup", id=group)
    time.sleep(0.15)
    with refused(431):
        names(api, id=group)
    assert group not in api.emulator.store.instance_groups


def test_the_groups_of_others_are_out_of_reach(emulate, refused):
    api = emulate(neighbour=True)
    foreign = api.emulator.store.instance_group("theirs", "neighbour").id
    make(api, "Theirs")
    assert names(api) == ["Theirs"]
    assert names(api, id=foreign) == []
    for command, params in (("deleteInstanceGroup", {}), ("updateInstanceGroup", {"name": "mine"})):
        with refused(531):
            api(command, id=foreign, **params)
