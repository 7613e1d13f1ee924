# Copyright: (c) 2026, the cloudn.compute authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The emulator's templates and ISOs, beyond what the recordings show."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import Any
from xml.etree import ElementTree

import pytest
from cloudn_emulator.models import new_id
from waiting import soon

Emulate = Callable[..., Any]
Refused = Callable[[int], Any]
ADDRESS = "https://images.example.com/x.vhd"


def create(api: Any, volume: str, **params: Any) -> dict[str, Any]:
    wanted = {"name": "image", "displaytext": "an image", "ostypeid": api.vars["ostype"], "volumeid": volume}
    return api.job("createTemplate", **{**wanted, **params})["template"]


def register(api: Any, **params: Any) -> dict[str, Any]:
    wanted = {"name": "reg", "displaytext": "x", "format": "VHD", "hypervisor": "Simulator", "url": ADDRESS}
    wanted |= {"ostypeid": api.vars["ostype"], "zoneid": api.vars["zone"]}
    return api("registerTemplate", **{**wanted, **params})["template"][0]


def ready(api: Any, **params: Any) -> str:
    """Register a template and wait for it; returns its id."""
    id = register(api, **params)["id"]
    return soon(lambda: by_id(api, id)["isready"] and id)


def by_id(api: Any, id: str) -> dict[str, Any]:
    return api("listTemplates", templatefilter="self", id=id)["template"][0]


def ids(api: Any, templatefilter: str = "self", **params: Any) -> list[str]:
    found = api("listTemplates", templatefilter=templatefilter, **params).get("template", [])
    return [template["id"] for template in found]


def stopped_disk(api: Any, name: str = "one", **params: Any) -> str:
    """Deploy a machine and stop it; returns the id of its root disk."""
    machine = api.running(name, **params)["id"]
    api.job("stopVirtualMachine", id=machine)
    return api("listVolumes", virtualmachineid=machine, type="ROOT")["volume"][0]["id"]


def data_disk(api: Any) -> str:
    """A data disk that was attached to a stopped machine; returns its id."""
    machine = api("listVolumes", id=stopped_disk(api))["volume"][0]["virtualmachineid"]
    wanted = {"zoneid": api.vars["zone"], "diskofferingid": api.vars["disk"], "name": "data"}
    disk = api.job("createVolume", **wanted)["volume"]["id"]
    api.job("attachVolume", id=disk, virtualmachineid=machine)
    return disk


# Templates of disks


def test_a_template_can_be_used(api: Any) -> None:
    made = create(api, stopped_disk(api), passwordenabled="true")
    machine = api.running("two", templateid=made["id"])
    assert machine["templatename"] == "image" and machine["password"]


def test_a_template_is_made_of_one_source(api: Any, refused: Refused) -> None:
    disk = stopped_disk(api)
    taken = api.job("createSnapshot", volumeid=disk)["snapshot"]["id"]
    wanted = {"name": "x", "displaytext": "x", "ostypeid": api.vars["ostype"]}
    for params in ({"volumeid": disk, "snapshotid": taken}, {}, {"snapshotid": "-1"}, {"volumeid": "-1"}):
        with refused(431):
            api("createTemplate", **wanted, **params)
    api.emulator.store.snapshots[taken].state = "BackingUp"
    with refused(431):
        api("createTemplate", **wanted, snapshotid=taken)


def test_a_disk_must_be_of_a_machine_that_has_stopped(api: Any, refused: Refused) -> None:
    disk = data_disk(api)
    assert create(api, disk)["size"] == 5 * 1024**3
    api.job("detachVolume", id=disk)
    with refused(530):
        create(api, disk)
    api("deleteVolume", id=disk)
    with refused(431):
        create(api, disk)
    running = api.running("two")["id"]
    with refused(530):
        create(api, api("listVolumes", virtualmachineid=running)["volume"][0]["id"])


def test_a_machine_that_never_started_has_nothing_to_copy(api: Any, refused: Refused) -> None:
    machine = api.wait(api.deployment("one", startvm="false")["jobid"])["virtualmachine"]["id"]
    with refused(530):
        create(api, api("listVolumes", virtualmachineid=machine)["volume"][0]["id"])
    assert ids(api) == []


def test_the_name_and_details_of_a_new_template_are_checked_and_kept(
    api: Any, emulate: Emulate, refused: Refused
) -> None:
    disk = stopped_disk(api)
    with refused(431):
        create(api, disk, name="x" * 33)
    with refused(531):
        create(api, disk, templatetag="web")
    made = create(api, disk, name="x" * 32, details__a="b", isfeatured="true")
    assert (made["details"], made["isfeatured"]) == ({"a": "b"}, False)
    xml = api.session.get(
        api.emulator.url, params=api.signed("listTemplates", templatefilter="self", response="xml"), timeout=30
    )
    assert ElementTree.fromstring(xml.content).findtext("template/details") == "{a=b}"
    admin = emulate(job_seconds=0.02, account="admin")
    made = create(admin, stopped_disk(admin), templatetag="web", isfeatured="true")
    assert (made["templatetag"], made["isfeatured"]) == ("web", True)


def test_a_template_can_be_extracted_as_the_one_behind_its_disk_can(api: Any, refused: Refused) -> None:
    root = create(api, stopped_disk(api, "root"))
    assert (root["isextractable"], root["sourcetemplateid"]) == (True, api.vars["template"])
    data = create(api, data_disk(api))
    assert data["isextractable"] is False and "sourcetemplateid" not in data
    with refused(431):
        api.job("extractTemplate", id=data["id"], zoneid=api.vars["zone"], mode="HTTP_DOWNLOAD")


@pytest.mark.parametrize("order", ["first", "last"])
def test_two_templates_of_one_name_at_one_moment_appear_in_either_order(emulate: Emulate, order: str) -> None:
    api = emulate(race_ms=200, race_order=order)
    with ThreadPoolExecutor() as pool:
        begun = []
        for text in ("first", "second"):
            begun.append(pool.submit(register, type(api)(api.emulator), displaytext=text))
            time.sleep(0.05)
        assert ids(api) == []
        assert [answer.result()["displaytext"] for answer in begun] == ["first", "second"]
    texts = [one.text for one in api.emulator.store.templates.values() if one.name == "reg"]
    assert texts == (["first", "second"] if order == "first" else ["second", "first"])


# Listings


def test_each_filter_shows_its_templates(api: Any) -> None:
    templates, zone = api.emulator.store.templates, api.vars["zone"]
    known = templates[api.vars["template"]]
    made = {
        "own": replace(known, owner="flatuser", public=False, launch=[]),
        "own public": replace(known, owner="flatuser", featured=False, launch=[]),
        "own shared": replace(known, owner="flatuser", public=False, launch=["system"]),
        "own unready": replace(known, owner="flatuser", public=False, unready={zone: "0% Downloaded"}, launch=[]),
        "other": replace(known, public=False, launch=[]),
        "shared": replace(known, public=False, launch=["flatuser"]),
        "shared unready": replace(known, public=False, launch=["flatuser"], unready={zone: ""}),
        "community": replace(known, featured=False, launch=[]),
        "featured": replace(known, launch=[]),
        "featured unready": replace(known, unready={zone: ""}, launch=[]),
        "ISO": replace(known, owner="flatuser", format="ISO", launch=[]),
        "of KVM": replace(known, owner="flatuser", hypervisor="KVM", launch=[]),
    }
    templates.clear()
    for name, template in made.items():
        templates[name] = replace(template, id=name, name=name, zone_ids=[zone])
    own = {"own", "own public", "own shared"}
    shown = {word: set(ids(api, word)) for word in ("self", "selfexecutable", "sharedexecutable")}
    assert shown == {
        "self": own | {"own unready"},
        "selfexecutable": own,
        "sharedexecutable": {"own shared", "shared"},
    }
    assert set(ids(api, "executable")) == own | {"own unready", "community", "featured", "featured unready"}
    assert set(ids(api, "community")) == {"own public", "community"}
    assert set(ids(api, "featured")) == {"featured"}
    assert set(ids(api, "featured", hypervisor="KVM")) == set(ids(api, "featured", hypervisor="XenServer")) == set()
    assert set(ids(api, "featured", hypervisor="no-such")) == {"featured"}
    assert ids(api, "self", domainid="1") == ids(api, "executable", domainid="1") == []
    assert ids(api, "featured", domainid="1") == ["featured"]
    assert set(ids(api, "self", account="FLATUSER", domainid="1")) == own | {"own unready"}


def test_an_administrator_sees_all(emulate: Emulate) -> None:
    api = emulate(account="admin", neighbour=True)
    foreign = api.vars["foreigntmpl"]
    assert foreign in ids(api, "all") and foreign not in ids(api, "executable")
    (shown,) = api("listTemplates", templatefilter="self", id=foreign)["template"]
    assert shown["status"] == "Download Complete"


def test_names_and_keywords_find_templates(api: Any) -> None:
    one, two = ready(api, name="web é"), ready(api, name='a"b')
    assert ids(api, name="WEB") == ids(api, keyword="web e") == [one]
    # The keyword counts where both are given.
    assert ids(api, name="web", keyword="a") == [two]
    assert ids(api, name='"') == ids(api, keyword='a"b') == []


def test_with_an_id_only_the_zone_is_looked_at(api: Any, refused: Refused) -> None:
    centos = api.vars["template"]
    wanted = {"id": centos, "name": "no-such", "hypervisor": "KVM", "page": "7", "pagesize": "1", "tags__key": "a"}
    assert ids(api, "community", **wanted, tags__value="b") == [centos] * 2
    assert ids(api, "self", id=centos, zoneid=api.vars["zone"]) == [centos]
    for params in ({"id": "-1"}, {"id": centos, "templatefilter": "all"}, {"id": api("listIsos")["iso"][0]["id"]}):
        with refused(431):
            api("listTemplates", **{"templatefilter": "self", **params})


def many(emulate: Emulate) -> Any:
    """An emulator with ten templates of the account's own."""
    api = emulate(zones=["one"])
    templates = api.emulator.store.templates
    own = replace(templates[api.vars["template"]], owner="flatuser", public=False)
    templates |= {f"t{number}": replace(own, id=f"t{number}") for number in range(10)}
    return api


def test_pages_overlap_and_miss_in_the_same_way_each_time(emulate: Emulate) -> None:
    def pages() -> list[str]:
        api = many(emulate)
        return [id for page in range(1, 11) for id in ids(api, page=page, pagesize=1)]

    seen = pages()
    assert len(seen) == 10 and max(Counter(seen).values()) > 1
    assert pages() == seen


def test_the_order_changes_but_for_the_sort_key(emulate: Emulate) -> None:
    api = many(emulate)
    listings = [ids(api) for _call in range(4)]
    assert len({tuple(listing) for listing in listings}) > 1
    assert len({frozenset(listing) for listing in listings}) == 1
    api("updateTemplate", id="t3", sortkey="-1")
    api("updateTemplate", id="t5", sortkey="1")
    assert {(listing[0], listing[-1]) for listing in (ids(api) for _call in range(4))} == {("t3", "t5")}


# Downloads


def test_a_registered_template_is_ready_later(emulate: Emulate) -> None:
    api = emulate(job_seconds=0.3)
    answer = register(api, hypervisor="xenserver", checksum="0" * 32)
    assert (answer["isready"], answer["status"], answer["checksum"]) == (False, "0% Downloaded", "0" * 32)

    def listed() -> dict[str, Any]:
        return api("listTemplates", templatefilter="self", name="reg")["template"][0]

    assert listed()["status"] == "0% Downloaded" and "size" not in listed()
    done = soon(lambda: listed()["isready"] and listed())
    assert (done["status"], done["hypervisor"], done["isextractable"]) == ("Download Complete", "XenServer", False)
    assert done["size"] > 0


def test_a_template_is_of_no_use_until_its_download_has_ended(emulate: Emulate, refused: Refused) -> None:
    api = emulate(job_seconds=0.02, download_seconds=0.6)
    id = register(api, isextractable="true")["id"]
    with refused(530):
        api.deploy("one", templateid=id)
    with refused(530):
        api.job("deleteTemplate", id=id)
    with refused(431):
        api.job("extractTemplate", id=id, zoneid=api.vars["zone"], mode="HTTP_DOWNLOAD")
    assert ids(api, "selfexecutable") == []
    assert ids(api, "self") == ids(api, "executable", name="reg") == [id]
    soon(lambda: ids(api, "selfexecutable") == [id])
    assert api.running("one", templateid=id)["templateid"] == id
    api.job("extractTemplate", id=id, zoneid=api.vars["zone"], mode="HTTP_DOWNLOAD")
    api.job("deleteTemplate", id=id)
    assert is_gone(api, id)


def is_gone(api: Any, id: str) -> bool:
    return ids(api) == ids(api, id=id) == []


def test_a_template_whose_download_failed_can_only_be_deleted(api: Any, refused: Refused) -> None:
    id = register(api, url="http://images.example.com/missing/x.vhd")["id"]
    soon(lambda: "404" in by_id(api, id)["status"])
    with refused(530):
        api.deploy("one", templateid=id)
    api.job("deleteTemplate", id=id)
    assert is_gone(api, id)


def test_a_copy_can_be_used_after_its_job(emulate: Emulate, refused: Refused) -> None:
    api = emulate(job_seconds=0.02, download_seconds=0.4)
    made = create(api, stopped_disk(api))
    here, there = list(api.emulator.store.zones)
    wanted = {"id": made["id"], "sourcezoneid": here, "destzoneid": there}
    api.job("copyTemplate", **wanted)

    def listed(ready: bool) -> set[str]:
        found = api("listTemplates", templatefilter="self", id=made["id"]).get("template", [])
        return {one["zoneid"] for one in found if one["isready"] is ready}

    assert listed(ready=False) == {there}
    with refused(530):
        api.job("deleteTemplate", id=made["id"])
    soon(lambda: listed(ready=True) == {here, there})
    for wrong in ({"destzoneid": here}, {"sourcezoneid": "-1"}):
        with refused(431):
            api.job("copyTemplate", **{**wanted, **wrong})
    # A copy that is there already is no error.
    api.job("copyTemplate", **wanted)
    api.job("deleteTemplate", id=made["id"], zoneid=here)
    assert listed(ready=True) == {there}
    api.job("deleteTemplate", id=made["id"], zoneid=here)
    assert listed(ready=True) == {there}
    with refused(431):
        api.job("copyTemplate", id=made["id"], sourcezoneid=here, destzoneid=list(api.emulator.store.zones)[0])


@pytest.mark.parametrize(
    ("url", "kind"),
    [
        ("https://images.example.com/X.VHD.gz", "vhd"),
        ("HTTP://192.0.2.1:80/x.qcow2", "Qcow2"),
        ("http://10.1.1.1/x.img", "RAW"),
        ("https://images.example.com:443/x.ova", "OVA"),
        ("http://images.example.com/anything-vhd", "ISO"),
        ("http://images.example.com/x.raw", "BAREMETAL"),
    ],
)
def test_good_addresses_are_accepted(api: Any, url: str, kind: str) -> None:
    assert register(api, url=url, format=kind)["format"] == kind.upper()


@pytest.mark.parametrize(
    ("url", "kind"),
    [
        ("file:///x.vhd", "VHD"),
        (ADDRESS, ""),
        (ADDRESS, "VMDK"),
        (ADDRESS, "RAW"),
        (ADDRESS + "?token=x", "VHD"),
        ("https://images.example.com/x.iso", "ISO"),
        ("x.vhd", "VHD"),
        ("ftp://images.example.com/x.vhd", "VHD"),
        ("http://images.example.com:8080/x.vhd", "VHD"),
        ("http://images.example.com:port/x.vhd", "VHD"),
        ("http:///x.vhd", "VHD"),
        ("http://images/x.vhd", "VHD"),
        ("http://images.invalid/x.vhd", "VHD"),
        ("http://images..com/x.vhd", "VHD"),
        ("http://1.2.3/x.vhd", "VHD"),
        ("http://localhost/x.vhd", "VHD"),
        ("http://127.0.0.1/x.vhd", "VHD"),
        ("http://0.0.0.0/x.vhd", "VHD"),
        ("http://169.254.1.1/x.vhd", "VHD"),
        ("http://224.0.0.1/x.vhd", "VHD"),
        ("http://[2001:db8::1]/x.vhd", "VHD"),
    ],
)
def test_bad_addresses_are_refused(api: Any, refused: Refused, url: str, kind: str) -> None:
    with refused(431):
        register(api, url=url, format=kind)
    assert ids(api) == []


def test_other_parameters_of_a_registered_template_are_checked(api: Any, emulate: Emulate, refused: Refused) -> None:
    for code, params in (
        (531, {"templatetag": "x"}),
        (431, {"account": "flatuser"}),
        (531, {"account": "admin", "domainid": "1"}),
        (431, {"zoneid": "-1"}),
        (530, {"ostypeid": "-1"}),
        (530, {"hypervisor": "BareMetal"}),
    ):
        with refused(code):
            register(api, **params)
    assert api.emulator.store.templates.keys() >= set(ids(api, "executable"))
    made = register(api, isfeatured="true", ispublic="true", isextractable="true", details__a="b")
    assert [made[f"is{name}"] for name in ("featured", "public", "extractable")] == [False, True, True]
    assert made["details"] == {"a": "b"}
    admin = emulate(account="admin")
    assert register(admin, zoneid="-1", isfeatured="true")["isfeatured"] is True
    assert len(ids(admin, name="reg")) == 2


def test_templates_keep_to_the_limit_of_the_account(emulate: Emulate, refused: Refused) -> None:
    api = emulate(job_seconds=0.02, limits={"template": 1})
    disk, made = stopped_disk(api), ready(api)
    with refused(534):
        register(api)
    with refused(534):
        create(api, disk)
    api.job("deleteTemplate", id=made)
    create(api, disk)


@pytest.mark.parametrize(
    ("hypervisor", "kept", "listed"),
    [("SIMULATOR", "Simulator", True), ("kvm", "KVM", False), ("", "None", False), ("no-such", "None", False)],
)
def test_a_template_of_a_hypervisor_that_no_host_has_is_in_no_listing(
    api: Any, hypervisor: str, kept: str, listed: bool
) -> None:
    made = register(api, hypervisor=hypervisor)
    assert made["hypervisor"] == by_id(api, made["id"])["hypervisor"] == kept
    assert ids(api) == ([made["id"]] if listed else [])


# Changing, extracting


def test_an_update_changes_all_or_nothing(api: Any, refused: Refused) -> None:
    id = ready(api)
    for params in ({"format": "no-such"}, {"format": ""}, {"ostypeid": "-1"}, {"sortkey": "x"}):
        with refused(431):
            api("updateTemplate", id=id, name="other", **params)
    assert by_id(api, id)["name"] == "reg"
    changed = api("updateTemplate", id=id, name="", displaytext="", format="qcow2", passwordenabled="TRUE")
    assert [changed["template"][name] for name in ("name", "displaytext", "format")] == ["", "", "QCOW2"]
    assert by_id(api, id)["passwordenabled"] is True


def test_a_deleted_template_is_known_to_no_command(api: Any, refused: Refused) -> None:
    id = ready(api)
    api.job("deleteTemplate", id=id)
    zones = {"sourcezoneid": api.vars["zone"], "destzoneid": list(api.emulator.store.zones)[1]}
    for command, params in (("updateTemplate", {}), ("updateTemplatePermissions", {}), ("listTemplatePermissions", {})):
        with refused(431):
            api(command, id=id, **params)
    for command, params in (
        ("deleteTemplate", {}),
        ("copyTemplate", zones),
        ("extractTemplate", {"mode": "HTTP_DOWNLOAD", "zoneid": api.vars["zone"]}),
    ):
        with refused(431):
            api.job(command, id=id, **params)


def test_the_parameters_of_an_extraction_are_checked(api: Any, refused: Refused) -> None:
    made, zones = create(api, stopped_disk(api))["id"], list(api.emulator.store.zones)
    wanted = {"id": made, "zoneid": zones[0], "mode": "HTTP_DOWNLOAD"}
    for params in (
        {"mode": ""},
        {"zoneid": "-1"},
        {"zoneid": zones[1]},
        {"mode": "FTP_UPLOAD"},
        {"mode": "FTP_UPLOAD", "url": "http://ftp.example.com/x"},
        {"mode": "FTP_UPLOAD", "url": "ftp://127.0.0.1/x"},
    ):
        with refused(431):
            api.job("extractTemplate", **{**wanted, **params})
    with refused(431):
        api.job("extractTemplate", id=made, mode="HTTP_DOWNLOAD")
    done = api.job("extractTemplate", **{**wanted, "mode": "http_download"})["template"]
    assert done["state"] == "DOWNLOAD_URL_CREATED" and done["url"].endswith(".qcow2")
    sent = api.job("extractTemplate", **{**wanted, "mode": "ftp_upload", "url": "ftp://ftp.example.com/x"})
    assert (sent["template"]["state"], sent["template"]["url"]) == ("UPLOADED", "ftp://ftp.example.com/x")


# Whose it is


def test_the_templates_of_somebody_else_are_refused(api: Any, refused: Refused) -> None:
    centos, zone = api.vars["template"], api.vars["zone"]
    for command, params in (("deleteTemplate", {}), ("extractTemplate", {"mode": "HTTP_DOWNLOAD", "zoneid": zone})):
        with refused(531):
            api.job(command, id=centos, **params)
    for command in ("updateTemplate", "updateTemplatePermissions"):
        with refused(531):
            api(command, id=centos)
    # Everybody is told who may launch a public one.
    assert api("listTemplatePermissions", id=centos)["templatepermission"] == {"id": centos, "ispublic": True}
    api.emulator.store.templates[centos].extractable = False
    with refused(431):
        api.job("extractTemplate", id=centos, mode="HTTP_DOWNLOAD", zoneid=zone)


def test_who_may_launch_a_private_one_may_change_it_but_not_see_it(api: Any, refused: Refused) -> None:
    template = api.emulator.store.templates[api.vars["template"]]
    template.public = False
    with refused(531):
        api("updateTemplate", id=template.id, name="taken")
    template.launch.append("flatuser")
    api("updateTemplate", id=template.id, name="taken")
    assert template.name == "taken"
    assert api("listTemplatePermissions", id=template.id)["templatepermission"]["account"] == ["flatuser", "admin"]
    with refused(531):
        api.job("deleteTemplate", id=template.id)
    with refused(531):
        ids(api, "sharedexecutable", id=template.id)
    assert set(ids(api, "sharedexecutable")) == {template.id}


def test_permissions_are_added_removed_and_reset(api: Any, refused: Refused) -> None:
    made = ready(api)

    def names() -> list[str]:
        return api("listTemplatePermissions", id=made)["templatepermission"].get("account", [])

    def change(**params: str) -> None:
        api("updateTemplatePermissions", id=made, **params)

    assert names() == ["flatuser"]
    change(op="Add", accounts="ADMIN,flatuser,admin ")
    assert names() == ["admin", "flatuser"]
    change(op="remove", accounts="admin,nobody")
    assert names() == ["flatuser"]
    change(op="add", accounts="admin", ispublic="true", isfeatured="true")
    assert names() == ["admin"] and ids(api, "featured", name="reg") == [made]
    change(op="reset")
    assert names() == ["flatuser"] and ids(api, "featured", name="reg") == []
    change(op="")
    change(op="give")
    for params in (
        {"op": "give", "accounts": "admin"},
        {"op": "", "accounts": ""},
        {"accounts": "admin"},
        {"op": "add", "accounts": "admin,nobody"},
        {"op": "add", "accounts": " admin"},
        {"op": "add", "projectids": "-1"},
        {"isextractable": "true", "ispublic": "true"},
    ):
        with refused(431):
            change(**params)
    assert names() == ["flatuser"] and by_id(api, made)["ispublic"] is False


@pytest.mark.parametrize(("code", "params"), [(530, {"op": "remove"}), (431, {"op": "add", "accounts": "nobody"})])
def test_attributes_stay_changed_where_the_accounts_are_wrong(
    api: Any, refused: Refused, code: int, params: dict[str, str]
) -> None:
    made = ready(api)
    with refused(code):
        api("updateTemplatePermissions", id=made, ispublic="true", **params)
    assert by_id(api, made)["ispublic"] is True


def test_administrators_see_the_domain_and_may_mark_for_extraction(emulate: Emulate) -> None:
    api = emulate(account="admin")
    made = ready(api)
    api("updateTemplatePermissions", id=made, isextractable="true")
    assert by_id(api, made)["isextractable"] is True
    assert api("listTemplatePermissions", id=made)["templatepermission"]["domainid"] == "1"


# ISOs


def iso_names(api: Any, **params: Any) -> list[str]:
    return [iso["name"] for iso in api("listIsos", **params).get("iso", [])]


def test_the_iso_that_comes_with_the_hosts_is_listed(api: Any, refused: Refused) -> None:
    tools = ["xs-tools.iso"]
    assert iso_names(api) == iso_names(api, isofilter="executable") == iso_names(api, isofilter="featured") == tools
    assert iso_names(api, isofilter="community") == iso_names(api, isofilter="self") == []
    assert iso_names(api, bootable="false") == iso_names(api, name="tools") == tools
    assert iso_names(api, bootable="true") == iso_names(api, name="TOOLS") == []
    assert iso_names(api, zoneid=api.vars["zone"], hypervisor="KVM", name="no-such", keyword="xs") == tools
    assert iso_names(api, page=2, pagesize=1) == []
    id = api("listIsos")["iso"][0]["id"]
    assert iso_names(api, id=id, isofilter="self") == tools
    for params in ({"isofilter": "all"}, {"isofilter": ""}, {"id": "-1"}, {"id": api.vars["template"]}):
        with refused(431):
            api("listIsos", **params)
    with refused(431):
        api.deploy("one", templateid=id)
    with refused(531):
        api("updateTemplate", id=id, name="mine")


def test_a_template_that_is_registered_as_an_iso_is_one(emulate: Emulate, refused: Refused) -> None:
    api = emulate(job_seconds=0.02, download_seconds=0.2)
    made = register(api, format="iso", name="mine")["id"]
    assert iso_names(api, name="mine") == iso_names(api, isofilter="executable", name="mine") == []
    (shown,) = api("listIsos", isofilter="self")["iso"]
    assert (shown["isready"], shown["status"], shown["bootable"]) == (False, "0% Downloaded", True)
    soon(lambda: iso_names(api, name="MINE") == ["mine"])
    (shown,) = api("listIsos", id=made)["iso"]
    assert shown["status"] == "Successfully Installed"
    assert not shown.keys() & {"format", "hypervisor", "templatetype", "passwordenabled"}
    assert ids(api) == []
    with refused(431):
        ids(api, id=made)
    with refused(431):
        api("updateTemplatePermissions", id=made, ispublic="true")
    for command, params in (
        ("deleteTemplate", {}),
        ("extractTemplate", {"mode": "HTTP_DOWNLOAD", "zoneid": api.vars["zone"]}),
    ):
        with refused(431):
            api.job(command, id=made, **params)


def test_isos_of_somebody_else_are_listed_where_they_are_public(api: Any, refused: Refused) -> None:
    templates = api.emulator.store.templates
    foreign = replace(templates[api.vars["template"]], id=new_id(), name="theirs", format="ISO", public=False)
    templates[foreign.id] = foreign
    assert iso_names(api, isofilter="featured") == ["xs-tools.iso"]
    with refused(531):
        iso_names(api, id=foreign.id)
    foreign.public = True
    assert sorted(iso_names(api, isofilter="featured")) == ["theirs", "theirs", "xs-tools.iso"]
