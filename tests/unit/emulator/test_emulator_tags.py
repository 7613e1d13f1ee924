# Copyright: (c) 2026, the cloudn.compute authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Tags in the emulator."""

from __future__ import annotations

import pytest

USER_VM = {"resourcetype": "UserVm"}


def tags(api, vm):
    return {tag["key"]: tag["value"] for tag in api.vm(vm)["tags"]}


def test_tags_are_made_all_or_none(api, refused):
    vm = api.running("one")["id"]
    api.job("createTags", resourceids=vm, **USER_VM, tags__key="role", tags__value="web")
    both = {"tags[0].key": "env", "tags[0].value": "prod", "tags[1].key": "Role", "tags[1].value": "db"}
    with refused(530):
        api.job("createTags", resourceids=vm, **USER_VM, **both)
    assert tags(api, vm) == {"role": "web"}


def test_tags_go_on_several_objects_and_kinds(api):
    vms = [api.running(name)["id"] for name in ("one", "two")]
    api.job("createTags", resourceids=",".join(vms), resourcetype="uservm", tags__key="k", tags__value="値 & \n{{ x }}")
    assert [tags(api, vm) for vm in vms] == [{"k": "値 & \n{{ x }}"}] * 2
    disk = api("listVolumes", virtualmachineid=vms[0])["volume"][0]["id"]
    api.job("createTags", resourceids=disk, resourcetype="Volume", tags__key="k", tags__value="disk")
    assert api("listVolumes", tags__key="k", tags__value="disk")["volume"][0]["id"] == disk
    assert api("listTags", resourcetype="Volume")["count"] == 1
    assert {tag["resourceid"] for tag in api("listTags", key="k")["tag"]} == {*vms, disk}


@pytest.mark.parametrize(
    "params",
    [
        {"resourcetype": "Nothing"},
        {"resourceids": "no-such"},
        {"resourceids": "-1"},
        {"resourcetype": "Volume"},
        {"tags__value": ""},
    ],
)
def test_bad_tags_fail_in_the_job(api, refused, params):
    vm = api.running("one")["id"]
    with refused(431):
        api.job("createTags", **{"resourceids": vm, **USER_VM, "tags__key": "k", "tags__value": "v", **params})
    assert "tag" not in api("listTags")


def test_tags_are_deleted_by_key_and_value_or_all_at_once(api, refused):
    vm = api.running("one")["id"]

    def delete(**params):
        api.job("deleteTags", resourceids=vm, **USER_VM, **params)

    for key in ("a", "b", "c", "d"):
        api.job("createTags", resourceids=vm, **USER_VM, tags__key=key, tags__value="v")
    delete(tags__key="a")
    delete(tags__key="b", tags__value="v")
    with refused(431):
        delete(tags__key="c", tags__value="other")
    assert set(tags(api, vm)) == {"c", "d"}
    delete()
    assert tags(api, vm) == {}
    with refused(431):
        delete()


def test_several_tags_in_a_filter_find_what_has_one_of_them(api):
    for name, key in (("one", "a"), ("two", "b"), ("three", "c")):
        vm = api.running(name)["id"]
        api.job("createTags", resourceids=vm, **USER_VM, tags__key=key, tags__value="v")
    wanted = {"tags[0].key": "a", "tags[0].value": "v", "tags[1].key": "b", "tags[1].value": "v"}
    assert api.names(**wanted) == {"one", "two"}
    assert api.names(**wanted, name="one") == {"one"}


def test_the_last_of_two_tags_with_one_key_counts(api):
    vm = api.running("one")["id"]
    both = {"tags[0].key": "k", "tags[0].value": "1", "tags[1].key": "k", "tags[1].value": "2"}
    api.job("createTags", resourceids=vm, **USER_VM, **both)
    assert tags(api, vm) == {"k": "2"}


def test_an_object_that_is_named_twice_gets_no_tag(api, refused):
    vm = api.running("one")["id"]
    with refused(530):
        api.job("createTags", resourceids=f"{vm},{vm}", **USER_VM, tags__key="k", tags__value="v")
    assert tags(api, vm) == {}
    api.job("createTags", resourceids=vm, **USER_VM, tags__key="k", tags__value="v")
    api.job("deleteTags", resourceids=f"{vm},{vm}", **USER_VM)
    assert tags(api, vm) == {}


def test_tags_need_an_object(api, refused):
    with refused(530):
        api.job("createTags", resourceids="", **USER_VM, tags__key="k", tags__value="v")
    with refused(530):
        api.job("deleteTags", resourceids="", **USER_VM)


def test_keys_may_be_empty_or_left_out(api, refused):
    vm = api.running("one")["id"]
    make = {"resourceids": vm, **USER_VM, "tags__value": "v"}
    api.job("createTags", tags__key="", **make)
    with refused(530):
        api.job("createTags", tags__key="", **make)
    api.job("createTags", **make)
    api.job("createTags", **make)  # two that have none do not clash
    assert api.vm(vm)["tags"] == [{"key": "", "value": "v"}, {"value": "v"}, {"value": "v"}]
    with refused(530):
        api.job("deleteTags", resourceids=vm, **USER_VM, tags__key="")
    api.job("deleteTags", resourceids=vm, **USER_VM)
    assert api.vm(vm)["tags"] == []


def test_keys_and_values_are_cut_to_255_characters(api, refused):
    vm = api.running("one")["id"]
    api.job("createTags", resourceids=vm, **USER_VM, tags__key="k" * 300, tags__value="v" * 300)
    assert tags(api, vm) == {"k" * 255: "v" * 255}
    with refused(530):
        api.job("createTags", resourceids=vm, **USER_VM, tags__key="k" * 256, tags__value="v")


def test_tags_are_deleted_by_javas_comparison(api, refused):
    vm = api.running("one")["id"]
    api.job("createTags", resourceids=vm, **USER_VM, tags__key="café", tags__value="Web")
    for wrong in ({"tags__key": "cafe"}, {"tags__key": "café "}, {"tags__key": "café", "tags__value": "web "}):
        with refused(431):
            api.job("deleteTags", resourceids=vm, **USER_VM, **wrong)
    api.job("deleteTags", resourceids=vm, **USER_VM, tags__key="CAFÉ", tags__value="WEB")
    assert tags(api, vm) == {}


def test_tags_are_found_by_filters(api):
    vm = api.running("one")["id"]
    api.job("createTags", resourceids=vm, **USER_VM, tags__key="Role", tags__value="Web", customer="me")
    found = api("listTags")["tag"]
    assert found[0]["customer"] == "me"
    for filters in (
        {"key": "role "},
        {"value": "WEB"},
        {"resourceid": vm.upper()},
        {"customer": "ME"},
        {"keyword": "x"},
    ):
        assert api("listTags", **filters)["tag"] == found
    for filters in ({"key": "rol"}, {"value": "%"}, {"resourceid": "x"}, {"customer": ""}, {"resourcetype": "Volume"}):
        assert api("listTags", **filters) == {}


def test_tags_stay_until_the_machine_is_expunged(api, refused):
    vm = api.running("one")["id"]
    disk = api.job("createVolume", name="d", zoneid=api.vars["zone"], diskofferingid=api.vars["disk"])["volume"]["id"]
    for kind, id in (("UserVm", vm), ("Volume", disk)):
        api.job("createTags", resourceids=id, resourcetype=kind, tags__key="k", tags__value="v")
    api.job("destroyVirtualMachine", id=vm)
    api("deleteVolume", id=disk)
    assert [tag["resourceid"] for tag in api("listTags")["tag"]] == [vm]  # until it is expunged
    api.job("createTags", resourceids=vm, resourcetype="UserVm", tags__key="l", tags__value="v")
    with refused(431):
        api.job("createTags", resourceids=disk, resourcetype="Volume", tags__key="l", tags__value="v")


def test_objects_of_other_accounts_take_no_tags(emulate, refused):
    api = emulate(neighbour=True, job_seconds=0.02)
    vm = api.vars["foreignvm"]
    with refused(531):
        api.job("createTags", resourceids=vm, **USER_VM, tags__key="k", tags__value="v")
    with refused(431):  # it has none
        api.job("deleteTags", resourceids=vm, **USER_VM)
    with refused(531):
        api.job("createTags", resourceids=api.vars["template"], resourcetype="Template", tags__key="k", tags__value="v")
    network = api("listVirtualMachines", id=api.running("one")["id"])["virtualmachine"][0]["nic"][0]["networkid"]
    with refused(531):
        api.job("createTags", resourceids=network, resourcetype="Network", tags__key="k", tags__value="v")
    with refused(431):
        api.job("createTags", resourceids=vm, resourcetype="Vpc", tags__key="k", tags__value="v")


@pytest.mark.parametrize("kind", ["VirtualMachines", "Volumes", "Snapshots", "Templates", "SecurityGroups"])
def test_a_filter_by_tags_needs_values_and_finds_nothing_without_keys(api, refused, kind):
    params = {"templatefilter": "self"} if kind == "Templates" else {}
    with refused(431):
        api(f"list{kind}", tags__key="role", **params)
    api.deploy("web1")
    assert api(f"list{kind}", tags__value="web", **params) == {}
