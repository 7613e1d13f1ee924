# Copyright: (c) 2026, the cloudn.compute authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Lists of the emulator's virtual machines: filters, details, and key pairs that are gone."""

from __future__ import annotations

import base64

import pytest


def test_machines_are_found_by_filters(api):
    first = api.running("web1", displayname="表の顔", group="front")
    api.running("web10", group="back")
    api.job("stopVirtualMachine", id=api.running("db1", serviceofferingid=api.vars["medium"])["id"])
    assert api.names(name="WEB1") == {"web1", "web10"}
    assert api.names(keyword="の顔") == {"web1"}
    assert api.names(keyword="stopped") == {"db1"}
    assert api.names(keyword="stop") == set()
    assert api.names(state="RUNNING", name="web") == {"web1", "web10"}
    assert api.names(state="Run") == set()
    assert api.names(groupid=first["groupid"]) == {"web1"}
    assert api.names(networkid=first["nic"][0]["networkid"], name="1") == {"web1", "web10", "db1"}
    assert api.names(templateid="11") == set()
    assert api.names(listall="true", isrecursive="true", account="flatuser", domainid=1) == {"web1", "web10", "db1"}


def test_unknown_things_in_filters_are_refused(api, refused):
    for name in ("id", "zoneid", "templateid", "groupid", "networkid", "domainid", "hostid", "storageid"):
        with refused(431):
            api.vms(**{name: "no-such"})
    with refused(531):
        api.vms(account="admin")


@pytest.mark.parametrize(
    ("words", "there", "missing"),
    [
        ("min", {"zonename", "guestosid", "tags"}, {"nic", "group", "templateid", "serviceofferingid"}),
        ("group", {"group", "groupid"}, {"nic", "templateid"}),
        ("tmpl,servoff", {"templatename", "passwordenabled", "cpunumber", "memory"}, {"nic", "group", "rootdeviceid"}),
        ("volume", {"rootdeviceid", "rootdevicetype"}, {"securitygroup"}),
        ("secgrp,all", {"nic", "group", "templateid", "rootdevicetype"}, set()),
    ],
)
def test_details_choose_which_fields_are_shown(api, words, there, missing):
    vm = api.vm(api.running("one", group="g")["id"], details=words)
    assert there <= vm.keys()
    assert not missing & vm.keys()


def test_details_word_nics_has_the_network_name_but_no_hardware_address(api):
    (nic,) = api.vm(api.running("one")["id"], details="nics")["nic"]
    assert nic["networkname"]
    assert "macaddress" not in nic


def test_percent_and_underscore_in_a_filter_are_wildcards(api):
    for name in ("web-1", "webs1", "web--1", "db1"):
        api.deploy(name, startvm="false")
    assert api.names(name="WEB_1") == {"web-1", "webs1"}
    assert api.names(keyword="web%1") == {"web-1", "webs1", "web--1"}
    assert api.names(name="b.1") == set()


def test_somebody_elses_private_template_is_refused(api, refused):
    template = api.emulator.store.templates[api.vars["template"]]
    template.public = False
    with refused(531):
        api.deploy("one")
    assert template.id not in [one["id"] for one in api("listTemplates", templatefilter="executable")["template"]]
    with refused(531):
        api("listTemplates", templatefilter="executable", id=template.id)
    template.launch.append("flatuser")
    assert api.running("one")["state"] == "Running"
    assert api("listTemplates", templatefilter="sharedexecutable")["count"] == 2


# --- filters that the real server takes otherwise than one would think


def test_the_id_of_no_object_finds_no_machine_or_those_without(api):
    api.running("grouped", group="g")
    api.running("alone")
    for name in ("id", "zoneid", "templateid", "networkid", "isoid"):
        assert api.names(**{name: -1}) == set()
    assert api.names(groupid=-1) == {"alone"}
    assert api.names(projectid=-1) == {"alone", "grouped"}


def test_only_administrators_filter_by_host_pod_and_storage(emulate):
    api = emulate(job_seconds=0.02)
    api.running("one")
    hosts = list(api.emulator.store.hosts)
    for name, value in (("hostid", hosts[-1]), ("hostid", -1), ("podid", -1), ("storageid", -1)):
        assert api.names(**{name: value}) == {"one"}
    admin = emulate(job_seconds=0.02, account="admin")
    host = admin.running("one")["hostid"]
    assert admin.names(hostid=host) == {"one"}
    assert admin.names(hostid=next(other for other in hosts if other != host)) == set()
    assert admin.names(podid=-1) == admin.names(storageid=-1) == set()


def test_an_administrator_who_names_a_zone_sees_destroyed_machines_only_by_their_state(emulate):
    api = emulate(job_seconds=0.02, account="admin")
    vm = api.running("one")["id"]
    api.job("destroyVirtualMachine", id=vm)
    assert api.names() == {"one"}
    assert api.names(zoneid=api.vars["zone"]) == set()
    assert api.names(zoneid=api.vars["zone"], state="Destroyed") == {"one"}


def test_hypervisors_that_are_none_are_refused(api, refused):
    api.running("one")
    assert api.names(hypervisor="SIMULATOR") == {"one"}
    assert api.names(hypervisor="xenserver") == api.names(hypervisor="Any") == set()
    for unknown in ("no-such", "", "None"):
        with refused(431):
            api.vms(hypervisor=unknown)


def test_a_tag_needs_a_value_in_a_filter(api, refused):
    vm = api.running("one")["id"]
    api.job("createTags", resourceids=vm, resourcetype="UserVm", tags__key="role", tags__value="web")
    assert api.names(tags__key="ROLE", tags__value="Web") == {"one"}
    assert api.names(tags__key="role", tags__value="") == set()
    for command in ("listVirtualMachines", "listVolumes", "listSnapshots"):
        with refused(431):
            api(command, tags__key="role")


def test_a_state_is_compared_as_the_database_does(api):
    api.running("one")
    assert api.names(state="RUNNING ") == api.names(keyword="running ") == {"one"}
    assert api.names(state="") == set()


def test_a_domain_alone_leaks_other_accounts_machines(emulate, refused):
    api = emulate(neighbour=True)
    assert api.vms() == []
    assert api.names(domainid=1) == {api.vars["foreignvmname"]}
    with refused(531):
        api.vms(domainid=1, account=api.vars["foreignaccount"])


# --- key pairs


def other_key(api, name):
    """Register another public key; returns it."""
    key = "ssh-rsa " + base64.b64encode(f"key of {name}".encode()).decode()
    api("registerSSHKeyPair", name=name, publickey=key)
    return key


@pytest.fixture
def keyed(api):
    """The id of a VM with the key pair `mine`, and its public key."""
    key = other_key(api, "mine")
    return api.running("one", keypair="MINE")["id"], key


def test_a_vm_shows_the_first_pair_with_its_public_key(api, keyed):
    vm, key = keyed
    assert api.vm(vm)["keypair"] == "mine"
    api("registerSSHKeyPair", name="another", publickey=key)
    assert api.running("two", keypair="another")["keypair"] == "mine"
    api("deleteSSHKeyPair", name="mine")
    assert api.vm(vm)["keypair"] == "another"


def test_a_vm_whose_pair_is_gone_breaks_each_listing_that_would_show_it(api, refused, keyed):
    vm, key = keyed
    api.running("two")
    api("deleteSSHKeyPair", name="mine")
    for params in ({}, {"id": vm}, {"name": "one"}, {"details": "all"}, {"details": "min,all"}, {"details": ""}):
        with refused(530):
            api.vms(**params)
    for word in ("min", "nics", "servoff", "group", "secgrp", "tmpl", "volume", "iso", "stats", "nics,secgrp"):
        assert api.names(details=word) == {"one", "two"}
    assert api.names(name="two") == api.names(page=1, pagesize=1, name="two") == {"two"}


def test_jobs_of_a_vm_whose_pair_is_gone_fail_although_they_are_done(api, refused, keyed):
    vm, key = keyed
    api("deleteSSHKeyPair", name="mine")
    for command, state in (("stopVirtualMachine", "Stopped"), ("startVirtualMachine", "Running")):
        with refused(530):
            api.job(command, id=vm)
        assert api.vm(vm, details="min")["state"] == state
    with refused(530):
        api("updateVirtualMachine", id=vm, displayname="renamed")
    assert api.vm(vm, details="min")["displayname"] == "renamed"
    with refused(530):
        api.job("destroyVirtualMachine", id=vm)
    assert api.vms() == []  # so that the account is listed again


def test_only_a_pair_with_the_same_public_key_heals(api, refused, keyed):
    vm, key = keyed
    api("deleteSSHKeyPair", name="mine")
    other_key(api, "mine again")
    api("deleteSSHKeyPair", name="mine again")
    api("createSSHKeyPair", name="mine")
    with refused(530):
        api.vms()
    api("registerSSHKeyPair", name="healing", publickey=f"{key} a comment")
    assert api.vm(vm)["keypair"] == "healing"


def test_an_empty_name_is_no_key_pair(api):
    assert "keypair" not in api.running("one", keypair="")
