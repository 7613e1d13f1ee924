# Copyright: (c) 2026, the cloudn.compute authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""cloudn_template: every state, every option, every refusal, against the emulator."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

import pytest
from ansible_collections.cloudn.compute.plugins.module_utils.api import Client, is_read
from asked import sent_to
from cloudn_emulator.commands import template as emulated
from cloudn_emulator.ec2.bridge import Action
from cloudn_emulator.ec2.refusals import Failed, Refused
from cloudn_emulator.ec2.request import GIVEN_UP
from cloudn_emulator.exchange import Reply
from samples import NEW, UNKNOWN, tags_of

Result = dict[str, Any]
Run = Callable[..., Result]
MODULE = "cloudn_template"
CENTOS = "CentOS 5.6 (64-bit)"
DOWNLOAD = {
    "zone": "jp-e1a",
    "url": "https://images.example.com/web.vhd",
    "format": "VHD",
    "hypervisor": "XenServer",
    "os_type": CENTOS,
}
STOP, TAKE, START = "stopVirtualMachine", "createTemplate", "startVirtualMachine"


def add_accounts(emulator: Any) -> None:
    """Three accounts more, which may be given templates. They are in the domain of the account that gives them."""
    for name in ("mate", "other", "third"):
        emulator.store.add_account(
            replace(emulator.store.account, name=name, id=name, user_id=name, number=9, api_key="")
        )


@pytest.fixture
def web1(run_module: Run, emulator: Any) -> Result:
    """A running machine."""
    made = run_module("cloudn_vm", name="web1", **NEW)["vm"]
    emulator.clear()
    return made


@pytest.fixture
def make(run_module: Run, emulator: Any, web1: Result) -> Run:
    """Return a function that makes a template of a stopped machine and forgets the requests that took."""

    def play(name: str = "web", **options: Any) -> Result:
        run_module("cloudn_vm", name="web1", state="stopped")
        result = run_module(MODULE, name=name, vm="web1", **options)
        assert not result.get("failed"), result
        emulator.clear()
        return result["template"]

    return play


def listed(client: Client, name: str = "web") -> list[Result]:
    return [one for one in client.list("listTemplates", {"templatefilter": "self"}) if one["name"] == name]


def state(client: Client, name: str = "web1") -> str:
    (found,) = client.list("listVirtualMachines", {"name": name})
    return found["state"]


# What it is made from


def test_a_template_is_made_of_a_stopped_machine(beats: Run, run_module: Run, web1: Result, client: Client) -> None:
    run_module("cloudn_vm", name="web1", state="stopped")
    done = beats(MODULE, [TAKE], name="web", vm="web1", display_text="Web server", password_enabled=True, public=True)
    (template,) = listed(client)
    assert (template["displaytext"], template["passwordenabled"], template["ispublic"]) == ("Web server", True, True)
    assert template["ostypeid"] == web1["os_type_id"]
    shown = done["template"]
    assert (shown["id"], shown["ready"], shown["zones"], shown["state"]) == (
        template["id"],
        True,
        ["jp-e1a"],
        "present",
    )
    assert state(client) == "Stopped"


def test_a_running_machine_is_stopped_only_with_allow_restart(
    beats: Run, refused: Callable[..., str], web1: Result, client: Client
) -> None:
    said = refused(MODULE, name="web", vm="web1")
    assert said.startswith("web1 is running; stop it, set allow_restart: true, or make the template from a snapshot")
    done = beats(MODULE, [STOP, TAKE, START], name="web", vm="web1", allow_restart=True)
    assert done["actions"][0] == "web1: stop"
    assert done["actions"][1].startswith("web: create from the disk ROOT-")
    assert done["actions"][2] == "web1: start"
    assert state(client) == "Running"
    assert len(listed(client)) == 1


def test_force_is_passed_on(run_module: Run, web1: Result, emulator: Any) -> None:
    run_module(MODULE, name="web", vm="web1", allow_restart=True, force_stop=True)
    assert [r["params"].get("forced") for r in emulator.requests if r["command"] == STOP] == ["true"]


def test_the_machine_is_started_again_also_when_taking_fails(
    run_module: Run, web1: Result, client: Client, emulator: Any, sent: Callable[[], list[str]]
) -> None:
    emulator.store.account.denied = frozenset([TAKE])
    failed = run_module(MODULE, name="web", vm="web1", allow_restart=True)
    assert (failed["command"], failed["error_code"]) == (TAKE, 432)
    assert sent() == [STOP, TAKE, START]
    assert state(client) == "Running"


def test_the_machine_is_started_again_also_when_the_job_fails(
    run_module: Run, web1: Result, client: Client, monkeypatch: pytest.MonkeyPatch, sent: Callable[[], list[str]]
) -> None:
    def broken(_content: str) -> str:
        raise RuntimeError("no checksum")

    monkeypatch.setattr(emulated, "checksum", broken)
    failed = run_module(MODULE, name="web", vm="web1", allow_restart=True)
    assert "createTemplate: job" in failed["msg"] and "error 530" in failed["msg"]
    assert sent() == [STOP, TAKE, START]
    assert state(client) == "Running"


def test_a_machine_that_cannot_be_stopped_is_not_started(
    run_module: Run, web1: Result, emulator: Any, sent: Callable[[], list[str]]
) -> None:
    emulator.store.account.denied = frozenset([STOP])
    failed = run_module(MODULE, name="web", vm="web1", allow_restart=True)
    assert failed["changed"] is False
    assert sent() == [STOP]


def test_a_machine_stays_stopped_while_its_template_may_still_be_taken(run_module_as: Callable[..., Any]) -> None:
    """The template may still be made, so the machine stays stopped. The error says so."""
    with run_module_as(job_seconds=0.1) as (run, emulator):
        run("cloudn_vm", name="web1", **NEW)
        run("cloudn_vm", name="web1", state="stopped")
        vm = next(iter(emulator.store.vms.values()))
        vm.state = "Running"
        real = emulator.jobs.take

        async def slow(share: float) -> None:
            if any(job.command.endswith("CreateTemplateCmd") for job in emulator.store.jobs.values()):
                share = 1000
            await real(share)

        emulator.jobs.take = slow
        failed = run(MODULE, name="web", vm="web1", allow_restart=True, wait_timeout=1)
        assert failed["job_id"] in failed["msg"]
        assert failed["msg"].endswith(
            "These steps were not done any more. Do them yourself when that has ended: web1: start"
        )
        assert vm.state == "Stopped"


def test_a_template_is_made_of_a_volume(
    beats: Run, run_module: Run, refused: Callable[..., str], web1: Result, emulator: Any
) -> None:
    run_module("cloudn_volume", name="data", state="attached", vm="web1", disk_offering="Small")
    assert "web1 is running" in refused(MODULE, name="web", volume="data", os_type=CENTOS)
    beats(MODULE, [STOP, TAKE, START], name="web", volume="data", allow_restart=True, os_type=CENTOS)
    run_module("cloudn_vm", name="web1", state="stopped")
    done = beats(MODULE, [TAKE], name="web2", volume="data", os_type=emulator.vars["ostype"])
    assert done["template"]["os_type"] == CENTOS
    run_module("cloudn_volume", name="fresh", disk_offering="Small", zone="jp-e1a")
    assert "holds no data yet; attach it first" in refused(MODULE, name="x", volume="fresh", os_type=CENTOS)


@pytest.mark.generation("3", reason="CloudStack 4 makes a template of a detached data disk")
def test_a_detached_volume_is_refused_with_a_way_out(
    run_module: Run, refused: Callable[..., str], web1: Result, beats: Run
) -> None:
    """The service refuses the volume, and the error says what works."""
    run_module("cloudn_volume", name="data", state="attached", vm="web1", disk_offering="Small")
    run_module("cloudn_volume", name="data", state="detached")
    assert "os_type: is needed to create web" in refused(MODULE, name="web", volume="data")
    failed = run_module(MODULE, name="web", volume="data", os_type=CENTOS)
    assert (failed["command"], failed["error_code"], failed["changed"]) == (TAKE, 530, False)
    assert "CloudStack 3 makes no template of a detached data disk. Take a snapshot of data" in failed["msg"]
    taken = run_module("cloudn_snapshot", volume="data")["snapshot"]
    beats(MODULE, [TAKE], name="web", snapshot=taken["id"], os_type=CENTOS)


def test_a_machine_that_was_never_started_is_refused(run_module: Run, refused: Callable[..., str]) -> None:
    run_module("cloudn_vm", name="web1", state="stopped", **NEW)
    assert "holds no data yet; start web1 once" in refused(MODULE, name="web", vm="web1")


def test_a_name_that_is_too_long_for_the_service_is_refused(
    refused: Callable[..., str], web1: Result, beats: Run
) -> None:
    """Otherwise the error would come after the stop. Downloaded templates may have longer names."""
    said = refused(MODULE, name="x" * 33, vm="web1", allow_restart=True)
    assert said == f"name: {'x' * 20!r}... has 33 characters; a template of a disk or a snapshot can have 32"
    beats(MODULE, ["registerTemplate"], name="x" * 33, **DOWNLOAD)


def test_a_template_is_made_of_a_snapshot(beats: Run, run_module: Run, web1: Result, client: Client) -> None:
    taken = run_module("cloudn_snapshot", vm="web1")["snapshot"]
    beats(MODULE, [TAKE], name="web", snapshot=taken["id"], os_type=CENTOS)
    assert state(client) == "Running"
    assert listed(client)[0]["zonename"] == "jp-e1a"


def test_a_snapshot_without_its_volume_needs_a_zone(
    beats: Run, run_module: Run, web1: Result, refused: Callable[..., str], emulator: Any
) -> None:
    """Without the volume, the zone of the snapshot is not known. A snapshot must be finished."""
    run_module("cloudn_volume", name="data", state="attached", vm="web1", disk_offering="Small")
    taken = run_module("cloudn_snapshot", volume="data")["snapshot"]
    run_module("cloudn_volume", name="data", state="absent", force=True)
    options = {"name": "web", "snapshot": taken["name"], "os_type": CENTOS}
    assert "zone: is needed, as there are 2" in refused(MODULE, **options)
    emulator.store.snapshots[taken["id"]].state = "BackingUp"
    assert f"{taken['name']!r} is BackingUp; it can be used when it is BackedUp" in refused(MODULE, **options)
    emulator.store.snapshots[taken["id"]].state = "BackedUp"
    beats(MODULE, [TAKE], **options, zone="jp-e1a")


@pytest.mark.parametrize(("dialect", "spelled"), [("cloudstack", "registerTemplate"), ("cloudn", "uploadTemplate")])
def test_a_template_is_downloaded(run_module_as: Callable[..., Any], dialect: str, spelled: str) -> None:
    with run_module_as(job_seconds=0.15, dialect=dialect) as (run, emulator):
        options = {**DOWNLOAD, "checksum": "0" * 32, "bits": 64, "requires_hvm": True, "extractable": True}
        told = run(MODULE, name="web", _check=True, **options)
        assert told["actions"] == ["web: download in jp-e1a from https://images.example.com/web.vhd"]
        done = run(MODULE, name="web", **options)
        assert done["actions"] == told["actions"]
        assert (done["template"]["ready"], done["template"]["status"]) == (True, "Download Complete")
        (asked,) = [r["params"] for r in emulator.requests if r["command"] == spelled and r["status"] == 200]
        assert (asked["bits"], asked["requireshvm"], asked["checksum"]) == ("64", "true", "0" * 32)
        again = run(MODULE, name="web", **options)
        assert again["changed"] is False and len(emulator.store.templates) == 5


def test_a_hypervisor_that_no_host_runs_is_refused(
    refused: Callable[..., str], run_module: Run, emulator: Any, run_module_as: Callable[..., Any]
) -> None:
    """The service lists such a template by its id alone, so each run would register another one."""
    said = refused(MODULE, name="web", **{**DOWNLOAD, "hypervisor": "KVM"})
    assert said == "hypervisor: no host in jp-e1a runs KVM; use one of Simulator, XenServer"
    assert run_module(MODULE, name="web", **{**DOWNLOAD, "hypervisor": "xenserver"})["changed"]
    emulator.clear()
    assert run_module(MODULE, name="web", **DOWNLOAD)["changed"] is False
    assert sent_to(emulator) == ["listTemplates"]
    with run_module_as(denied=["listHypervisors"]) as (run, _emulator):
        assert run(MODULE, name="web", **DOWNLOAD)["changed"]


def test_a_download_that_fails_is_reported(run_module: Run, beats: Run) -> None:
    missing = {**DOWNLOAD, "url": "http://user:hunter2@images.example.com/missing/web.vhd"}
    for changed in (True, False):
        failed = run_module(MODULE, name="web", **missing)
        assert (
            "web: its download in jp-e1a failed: HTTP Server returned 404 (expected 200 OK) (template" in failed["msg"]
        )
        assert failed["changed"] is changed
        assert "hunter2" not in str({key: failed[key] for key in failed if key != "invocation"})
    beats(MODULE, ["deleteTemplate"], name="web", state="absent")


def test_a_template_that_is_being_downloaded_is_waited_for(run_module_as: Callable[..., Any]) -> None:
    with run_module_as(job_seconds=0.3) as (run, emulator):
        assert run(MODULE, name="web", wait=False, **DOWNLOAD)["template"]["ready"] is False
        emulator.clear()
        done = run(MODULE, name="web", **DOWNLOAD)
        assert done["changed"] is False and done["template"]["ready"] is True
        assert all(is_read(request["command"]) for request in emulator.requests)


# Zones


def test_a_template_is_copied_to_all_zones_at_once(run_module_as: Callable[..., Any]) -> None:
    """All copies begin at once. The task waits until each can be used, after its job. One may fail alone."""
    zones = ["a", "b", "c", "d"]
    with run_module_as(job_seconds=0.15, zones=zones) as (run, emulator):
        run("cloudn_vm", name="web1", **{**NEW, "zone": "a"})
        options = {"name": "web", "vm": "web1", "allow_restart": True, "zones": [zones[3], *zones[:3]]}
        told = run(MODULE, _check=True, **options)
        emulator.faults([{"kind": "job_fails", "command": "copyTemplate", "nth": 2}])
        failed = run(MODULE, **options)
        assert failed["actions"] == told["actions"]
        assert told["actions"][-3:] == [f"web: copy from a to {zone}" for zone in "dbc"]
        assert "copyTemplate: job" in failed["msg"] and failed["template"]["zones"] != zones
        asked = sent_to(emulator)
        assert asked[asked.index("copyTemplate") :][:3] == ["copyTemplate"] * 3
        (template,) = [one for one in emulator.store.templates.values() if one.name == "web"]
        assert len(template.zone_ids) == 3
        emulator.clear()
        done = run(MODULE, **options)
        assert done["template"]["zones"] == zones and len(done["actions"]) == 1
        assert len(template.zone_ids) == 4 and template.unready == {}
        emulator.clear()
        assert run(MODULE, **options)["changed"] is False
        assert sent_to(emulator) == ["listTemplates"]


def test_an_existing_template_is_copied_and_deleted_in_one_zone(beats: Run, make: Run, client: Client) -> None:
    made = make()
    done = beats(MODULE, ["copyTemplate"], name="web", zones=["jp-e1a", "jp-e1b"])
    assert done["diff"]["before"]["web"]["zones"] == ["jp-e1a"]
    assert {one["zonename"] for one in listed(client)} == {"jp-e1a", "jp-e1b"}
    done = beats(MODULE, ["deleteTemplate"], name="web", zone="jp-e1a", state="absent")
    assert done["actions"] == ["web: delete in jp-e1a"]
    assert (done["template"]["state"], done["template"]["zones"]) == ("present", ["jp-e1b"])
    assert [one["zonename"] for one in listed(client)] == ["jp-e1b"]
    beats(MODULE, ["copyTemplate"], id=made["id"], zones=["jp-e1a"])
    beats(MODULE, ["deleteTemplate"], name="web", state="absent")
    assert listed(client) == []


def test_the_zone_tells_templates_of_one_name_apart(
    beats: Run, make: Run, run_module: Run, refused: Callable[..., str]
) -> None:
    make()
    beats(MODULE, ["registerTemplate"], name="web", **{**DOWNLOAD, "zone": "jp-e1b"})
    said = refused(MODULE, name="web", state="absent")
    assert said.startswith("name: 2 templates are named 'web'; choose one by its id: ")
    assert "jp-e1a" in said and "jp-e1b" in said
    beats(MODULE, ["deleteTemplate"], name="web", zone="jp-e1b", state="absent")


# What can be changed


def test_a_template_can_be_changed_later(beats: Run, make: Run, client: Client, emulator: Any) -> None:
    make()
    done = beats(
        MODULE,
        ["updateTemplate", "updateTemplatePermissions"],
        name="web",
        display_text="New text",
        os_type=CENTOS,
        password_enabled=True,
        public=True,
        featured=True,
        extractable=True,  # on CloudStack 3 it is already
    )
    (template,) = listed(client)
    fields = ("displaytext", "ostypename", "passwordenabled", "ispublic", "isfeatured", "isextractable", "isready")
    assert [template[field] for field in fields] == ["New text", CENTOS, True, True, True, True, True]
    shown = done["template"]
    assert (shown["display_text"], shown["os_type"], shown["ready"]) == ("New text", CENTOS, True)
    assert (shown["public"], shown["featured"]) == (True, True)
    beats(MODULE, [], name="web", os_type=emulator.vars["ostype"])


def test_a_template_is_renamed_by_its_id(beats: Run, make: Run, client: Client) -> None:
    made = make()
    done = beats(MODULE, ["updateTemplate"], id=made["id"], name="web2")
    assert done["actions"] == ["web2: set name=web2"]
    assert done["template"]["name"] == listed(client, "web2")[0]["name"]
    beats(MODULE, [], id=made["id"], name=made["id"])


def test_a_new_template_is_public_and_featured_by_its_owner(beats: Run, web1: Result, client: Client) -> None:
    """The service does not feature a new template, so a second command does."""
    for name, options in (("web", {"vm": "web1", "allow_restart": True}), ("web2", DOWNLOAD)):
        made = [STOP, TAKE, START] if "vm" in options else ["registerTemplate"]
        beats(MODULE, [*made, "updateTemplatePermissions"], name=name, public=True, featured=True, **options)
        (template,) = listed(client, name)
        assert (template["ispublic"], template["isfeatured"]) == (True, True)


# Extractable is what an administrator says, or what it was made from


@pytest.mark.parametrize(
    ("source", "extractable"),
    [
        ({"vm": "web1", "allow_restart": True}, True),
        ({"volume": "data", "allow_restart": True, "os_type": CENTOS}, False),
        ({"snapshot": "{root}", "os_type": CENTOS}, True),
        ({"snapshot": "{data}", "os_type": CENTOS}, False),
        (DOWNLOAD, False),
    ],
)
@pytest.mark.generation(
    "3", reason="on CloudStack 4 every account may change it, and what is made of a disk is not extractable"
)
def test_the_source_of_a_new_template_says_whether_it_is_extractable(
    run_module: Run, refused: Callable[..., str], web1: Result, source: Result, extractable: bool
) -> None:
    """Another value is refused before a machine is stopped. A download may be either."""
    run_module("cloudn_volume", name="data", state="attached", vm="web1", disk_offering="Small")
    taken = {"root": run_module("cloudn_snapshot", vm="web1"), "data": run_module("cloudn_snapshot", volume="data")}
    ids = {kind: done["snapshot"]["id"] for kind, done in taken.items()}
    source = {option: str(value).format(**ids) if option == "snapshot" else value for option, value in source.items()}
    if source != DOWNLOAD:
        said = refused(MODULE, name="web", extractable=not extractable, **source)
        word = "" if extractable else "not "
        assert said.startswith(f"extractable: web will be {word}extractable; only an administrator can change that")
        assert ("take a snapshot, create a volume from it, and extract that volume" in said) is not extractable
    else:
        assert run_module(MODULE, name="web2", extractable=True, **source)["template"]["extractable"] is True
    done = run_module(MODULE, name="web", extractable=extractable, **source)
    assert done["template"]["extractable"] is extractable
    assert run_module(MODULE, name="web", extractable=extractable)["changed"] is False


@pytest.mark.generation(
    "3", reason="on CloudStack 4 every account may change it, and what is made of a disk is not extractable"
)
def test_extractable_is_changed_by_administrators_only(
    make: Run, refused: Callable[..., str], run_module_as: Callable[..., Any]
) -> None:
    make()
    said = refused(MODULE, name="web", extractable=False, display_text="new")
    assert said == "extractable: web is extractable; only an administrator can change that: leave it out."
    with run_module_as(account="admin") as (run, emulator):
        run(MODULE, name="web", **DOWNLOAD)
        done = run(MODULE, name="web", extractable=True)
        assert (done["changed"], done["template"]["extractable"]) == (True, True)
        emulator.clear()
        assert run(MODULE, name="web", extractable=True)["changed"] is False
        assert sent_to(emulator) == ["listTemplates"]
        run(MODULE, name="web", extractable=False)
        assert run(MODULE, name="web", state="extracted")["template"]["extraction"]["url"]


@pytest.mark.generation(
    "3", reason="on CloudStack 4 every account may change it, and what is made of a disk is not extractable"
)
def test_an_account_that_may_not_ask_what_it_is_learns_it_from_the_refusal(
    make: Run, run_module: Run, emulator: Any
) -> None:
    make()
    emulator.store.account.denied = frozenset(["listAccounts"])
    (template,) = [one for one in emulator.store.templates.values() if one.name == "web"]
    template.extractable = False
    failed = run_module(MODULE, name="web", extractable=True)
    assert (failed["command"], failed["error_code"], failed["changed"]) == ("updateTemplatePermissions", 431, False)
    assert (
        "If only an administrator can change extractable, leave it out. A template is extractable if" in failed["msg"]
    )
    failed = run_module(MODULE, name="web", state="extracted")
    assert (failed["command"], failed["error_code"]) == ("extractTemplate", 431)
    assert "create a volume from it, and extract that volume (cloudn_volume" in failed["msg"]


def test_launch_permissions_are_a_set(beats: Run, make: Run, client: Client, emulator: Any) -> None:
    add_accounts(emulator)
    made = make(accounts=["mate", "other"])
    assert made["accounts"] == ["mate", "other"]
    beats(MODULE, [], name="web", accounts=["other", "mate", "flatuser"])
    done = beats(MODULE, ["updateTemplatePermissions"] * 2, name="web", accounts=["mate", "third"])
    assert done["actions"] == ["web: may be launched by third", "web: may no more be launched by other"]
    answer = client.call("listTemplatePermissions", {"id": made["id"]})
    assert answer["templatepermission"]["account"] == ["mate", "third", "flatuser"]
    beats(MODULE, [], name="web", accounts=["mate", "third"], response_format="xml")
    beats(MODULE, ["updateTemplatePermissions"], name="web", accounts=[])


def test_without_the_command_for_permissions_the_rest_works(make: Run, run_module: Run, emulator: Any) -> None:
    emulator.store.account.denied = frozenset(["updateTemplatePermissions", "listTemplatePermissions"])
    make()
    assert run_module(MODULE, name="web", display_text="new")["changed"]
    failed = run_module(MODULE, name="web", accounts=["admin"], ec2_url=None)
    assert "does not grant it to this account: set ec2_url, if" in failed["msg"]
    assert "or leave out accounts; everything else works without it" in failed["msg"]
    assert failed["command"] == "listTemplatePermissions"


@pytest.mark.generation(
    "4", reason="CloudStack 3 lets administrators change it, and takes it from what a template is made of"
)
@pytest.mark.parametrize(
    "source",
    [
        {"vm": "web1", "allow_restart": True},
        {"volume": "data", "allow_restart": True, "os_type": CENTOS},
        {"snapshot": "{snapshot}", "os_type": CENTOS},
        DOWNLOAD,
    ],
)
@pytest.mark.parametrize("administrators_are_known", [True, False])
def test_every_account_may_say_whether_a_template_is_extractable(
    beats: Run, run_module: Run, web1: Result, emulator: Any, source: Result, administrators_are_known: bool
) -> None:
    run_module("cloudn_volume", name="data", state="attached", vm="web1", disk_offering="Small")
    taken = run_module("cloudn_snapshot", volume="data")["snapshot"]["id"]
    source = {**source, "snapshot": taken} if "snapshot" in source else source
    emulator.store.account.denied = frozenset([] if administrators_are_known else ["listAccounts"])
    around = ([STOP], [START]) if "allow_restart" in source else ([], [])
    made = ["registerTemplate"] if "url" in source else [*around[0], TAKE, *around[1], "updateTemplatePermissions"]
    assert beats(MODULE, made, name="web", extractable=True, **source)["template"]["extractable"] is True
    beats(MODULE, ["updateTemplatePermissions"], name="web", extractable=False)
    assert beats(MODULE, ["updateTemplatePermissions"], name="web", extractable=True)["template"]["extractable"] is True


# Launch permissions by the other API, where the native one has no command for them


@pytest.fixture
def shared(run_module_as: Callable[..., Any]) -> Callable[..., Any]:
    """Return a context manager with a template `web` at a service of this dialect that lacks these commands."""

    @contextlib.contextmanager
    def start(*denied: str, dialect: str = "cloudn") -> Iterator[tuple[Run, Any, Any]]:
        with run_module_as(dialect=dialect, denied=denied) as (run, emulator):
            add_accounts(emulator)
            run("cloudn_vm", name="web1", **NEW)
            run("cloudn_vm", name="web1", state="stopped")
            run(MODULE, name="web", vm="web1")
            emulator.clear()
            (template,) = [one for one in emulator.store.templates.values() if one.name == "web"]
            yield run, emulator, template

    return start


def asked(emulator: Any) -> list[str]:
    """What was asked for, with what was refused of it in brackets; forgets it."""
    told = [r["command"] if r["status"] == 200 else f"({r['command']})" for r in emulator.requests]
    emulator.clear()
    return told


@pytest.mark.generation("3", reason="CloudStack 4 has no EC2-compatible API")
def test_launch_permissions_are_a_set_also_where_only_ec2_can_change_them(shared: Callable[..., Any]) -> None:
    """What is there can be read, so it is as ever; with a machine's template the rest is done natively."""
    with shared("updateTemplatePermissions") as (run, emulator, template):
        told = run(MODULE, name="web", accounts=["admin", "other"], _check=True)
        assert asked(emulator) == ["listTemplates", "listTemplatePermissions"]
        done = run(MODULE, name="web", accounts=["admin", "other"])
        assert done["actions"] == told["actions"] == ["web: may be launched by admin, other"]
        assert (done["changed"], done["diff"], done["warnings"]) == (True, told["diff"], [])
        assert template.launch == ["admin", "other"]
        granted = ["listTemplates", "listTemplatePermissions", "(updateTemplatePermissions)", "ModifyImageAttribute"]
        assert asked(emulator) == granted
        again = run(MODULE, name="web", accounts=["other", "admin"])
        assert again["changed"] is False and asked(emulator) == granted[:2]
        done = run(MODULE, name="web", accounts=["third"])
        assert done["actions"] == ["web: may be launched by third", "web: may no more be launched by admin, other"]
        assert template.launch == ["third"]
        run(MODULE, name="web", accounts=[])
        assert template.launch == []


@pytest.mark.generation("3", reason="CloudStack 4 has no EC2-compatible API")
def test_a_new_template_is_known_to_be_shared_with_nobody(shared: Callable[..., Any]) -> None:
    with shared("updateTemplatePermissions", "listTemplatePermissions") as (run, emulator, _template):
        done = run(MODULE, name="new", vm="web1", accounts=["admin"])
        assert done["actions"][1:] == ["new: may be launched by admin"]
        assert (done["template"]["accounts"], done["warnings"]) == (["admin"], [])
        (template,) = [one for one in emulator.store.templates.values() if one.name == "new"]
        assert template.launch == ["admin"]
        done = run(MODULE, name="private", vm="web1", accounts=[])
        assert (done["template"]["accounts"], len(done["actions"])) == ([], 1)


@pytest.mark.generation("3", reason="CloudStack 4 has no EC2-compatible API")
def test_launch_permissions_that_cannot_be_read_are_given_each_time(shared: Callable[..., Any]) -> None:
    with shared("updateTemplatePermissions", "listTemplatePermissions") as (run, emulator, template):
        template.launch = ["third"]
        reads = ["listTemplates", "(listTemplatePermissions)", "(DescribeImageAttribute)"]
        told = run(MODULE, name="web", accounts=["other", "admin"], _check=True)
        assert asked(emulator) == reads
        for _each in range(2):
            done = run(MODULE, name="web", accounts=["other", "admin"])
            assert done["changed"] is True
            assert done["actions"] == told["actions"] == ["web: may be launched by admin, other"]
            assert done["warnings"] == ["web: admin, other may launch it; the service does not say who else may"]
            assert (done["diff"], done["diff"]["before"]["web"]["accounts"]) == (told["diff"], None)
            assert asked(emulator) == [*reads, "(updateTemplatePermissions)", "ModifyImageAttribute"]
            assert template.launch == ["third", "admin", "other"], "nobody loses it"
        for check in (True, False):
            failed = run(MODULE, name="web", accounts=[], _check=check)
            assert failed["msg"].startswith(
                "accounts: the list is empty, but the service does not say who has the right"
            )
            assert asked(emulator) == reads


@pytest.mark.parametrize(
    ("items", "known"),
    [
        ("<item><userId>admin</userId></item><item><userId>flatuser</userId></item>", True),
        ("<item><group>all</group></item>", False),
    ],
)
@pytest.mark.generation("3", reason="CloudStack 4 has no EC2-compatible API")
def test_the_answer_of_later_bridges_is_read(shared: Callable[..., Any], items: str, known: bool) -> None:
    """They have an action to read it by, which names the owner too, and of a public template only that it is."""
    body = (
        f"<DescribeImageAttributeResponse><launchPermission>{items}</launchPermission></DescribeImageAttributeResponse>"
    )

    async def describe(_call: Any) -> Result:
        raise Refused(Reply(200, body.encode(), "text/xml"))

    with shared("updateTemplatePermissions", "listTemplatePermissions") as (run, emulator, _template):
        actions = emulator._service.apis[1].actions
        actions["describeimageattribute"] = Action("DescribeImageAttribute", describe, False)
        done = run(MODULE, name="web", accounts=["admin"])
        assert (done["changed"], bool(done["warnings"])) == (not known, not known)
        assert ("ModifyImageAttribute" in asked(emulator)) is not known


@pytest.mark.generation("3", reason="CloudStack 4 has no EC2-compatible API")
def test_where_neither_half_can_change_them_the_error_says_so(shared: Callable[..., Any]) -> None:
    """The measured bridge changes nothing but the description."""
    with shared("updateTemplatePermissions", dialect="cloudstack") as (run, emulator, template):
        failed = run(MODULE, name="web", accounts=["admin"])
        assert failed["msg"] == (
            "ModifyImageAttribute: Missing Description parameter (HTTP 530). The account lacks updateTemplatePermissions, "
            "so this action was sent; if it can't work either, leave out accounts"
        )
        assert (failed["changed"], failed["command"], template.launch) == (False, "ModifyImageAttribute", [])
        failed = run(MODULE, name="web", accounts=["admin"], ec2_url=None)
        assert failed["command"] == "updateTemplatePermissions"
        assert "does not grant it to this account: set ec2_url, if" in failed["msg"]


@pytest.mark.parametrize(("kind", "done_by"), [("reset_before", 2), ("reset_after", 1)])
@pytest.mark.parametrize("readable", [True, False])
@pytest.mark.generation("3", reason="CloudStack 4 has no EC2-compatible API")
def test_a_lost_answer_of_ec2_is_found_out_where_it_can_be(
    shared: Callable[..., Any], kind: str, done_by: int, readable: bool
) -> None:
    """If permissions can be read, missing ones are sent again. If not, the error says so."""
    denied = ["updateTemplatePermissions"] + ([] if readable else ["listTemplatePermissions"])
    with shared(*denied) as (run, emulator, template):
        emulator.faults([{"kind": kind, "command": "ModifyImageAttribute", "nth": 1}])
        done = run(MODULE, name="web", accounts=["admin"])
        sent = sent_to(emulator).count("ModifyImageAttribute")
        if readable:
            assert sent == done_by
            assert not done.get("failed") and done["changed"] and template.launch == ["admin"]
        else:
            assert sent == 1
            assert "ModifyImageAttribute: the connection broke" in done["msg"]
            assert done["msg"].endswith("run the task again, which sets the same once more")
            assert template.launch == (["admin"] if kind == "reset_after" else [])


@pytest.mark.parametrize("late", [True, False])
@pytest.mark.generation("3", reason="CloudStack 4 has no EC2-compatible API")
def test_a_job_that_the_ec2_half_waits_for_no_longer_is_looked_up(shared: Callable[..., Any], late: bool) -> None:
    """The change may be done. The task looks, and does what is missing."""
    with shared("updateTemplatePermissions") as (run, emulator, template):
        actions = emulator._service.apis[1].actions
        whole = actions["modifyimageattribute"]

        async def give_up(call: Any) -> Result:
            if late:
                await whole.handler(call)
            actions["modifyimageattribute"] = whole
            raise Failed(GIVEN_UP)

        actions["modifyimageattribute"] = Action("ModifyImageAttribute", give_up, False)
        done = run(MODULE, name="web", accounts=["admin"])
        assert (done.get("failed"), done["changed"], template.launch) == (None, True, ["admin"])
        assert asked(emulator).count("ModifyImageAttribute") == (0 if late else 1)


def test_tags_are_set_changed_and_deleted(beats: Run, make: Run, client: Client) -> None:
    make(tags={"a": "b"})
    assert tags_of(listed(client)[0]) == {"a": "b"}
    beats(MODULE, ["createTags", "deleteTags"], name="web", tags={"c": "d"})
    beats(MODULE, ["createTags"], name="web", tags={"e": "f"}, purge_tags=False)
    assert beats(MODULE, [], name="web", tags={"c": "d", "e": "f"})["template"]["tags"] == {"c": "d", "e": "f"}


# Extracting and deleting


def test_a_template_is_extracted_each_time(
    run_module: Run, make: Run, generation: str, sent: Callable[[], list[str]], refused: Callable[..., str]
) -> None:
    make(extractable=True)
    sent()
    told = run_module(MODULE, name="web", state="extracted", _check=True)
    assert sent() == []
    done = run_module(MODULE, name="web", state="extracted")
    assert done["actions"] == told["actions"] == ["web: make an address to download it from"]
    assert done["template"]["extraction"]["url"].endswith({"3": ".qcow2", "4": ".raw"}[generation])
    assert sent() == ["extractTemplate"]
    assert "zone: web is not in 'jp-e1b'; it is in jp-e1a" in refused(
        MODULE, id=done["template"]["id"], state="extracted", zone="jp-e1b"
    )
    ftp = {"extract_mode": "ftp_upload", "extract_url": "ftp://user:hunter2@ftp.example.com/x"}
    sent_up = run_module(MODULE, name="web", state="extracted", **ftp)
    assert sent_up["template"]["extraction"]["url"] == "ftp://ftp.example.com/x"
    assert "hunter2" not in str(sent_up)
    run_module(MODULE, name="web2", **DOWNLOAD)
    said = refused(MODULE, name="web2", state="extracted")
    way_out = {
        "3": ", and only an administrator can change that. A template is extractable if",
        "4": ". Set extractable: true with state: present, then extract it",
    }
    assert said.startswith(f"web2 is not extractable{way_out[generation]}")


def test_absent_of_a_missing_template_is_no_change(beats: Run) -> None:
    done = beats(MODULE, [], name="web", state="absent")
    assert done["template"]["state"] == "absent"
    beats(MODULE, [], id=UNKNOWN, state="absent")


def test_a_template_of_somebody_else_is_refused(refused: Callable[..., str], emulator: Any, run_module: Run) -> None:
    """A lookup by id also shows public templates of others."""
    for options in ({"id": emulator.vars["template"]}, {"name": emulator.vars["template"]}):
        said = refused(MODULE, state="absent", **options)
        assert said.startswith(
            f"{next(iter(options))}: {emulator.vars['template']} belongs to admin (CentOS 6.2 64bit)"
        )
        assert refused(MODULE, display_text="mine", **options) == said
    # A name is one of the account's own.
    assert run_module(MODULE, name="CentOS 6.2 64bit", state="absent")["changed"] is False


def test_a_private_template_of_somebody_else_is_refused(run_module_as: Callable[..., Any]) -> None:
    with run_module_as(neighbour=True) as (run, emulator):
        failed = run(MODULE, id=emulator.vars["foreigntmpl"], state="absent")
        assert failed["msg"].startswith(
            f"id: {emulator.vars['foreigntmpl']} belongs to another account; only its owner"
        )


def test_a_template_of_ones_own_is_known_where_its_status_is_not_shown(
    make: Run, run_module: Run, emulator: Any
) -> None:
    made = make()
    for template in emulator.store.templates.values():
        template.unready = dict.fromkeys(template.zone_ids) if template.id == made["id"] else template.unready
    assert run_module(MODULE, id=made["id"], state="absent")["changed"] is True


def test_two_templates_of_one_name_are_refused(
    make: Run, client: Client, emulator: Any, refused: Callable[..., str], beats: Run
) -> None:
    one = make()
    volume = client.list("listVolumes")[0]["id"]
    params = {"name": "web", "displaytext": "x", "ostypeid": emulator.vars["ostype"], "volumeid": volume}
    other = client.call(TAKE, params)
    client.wait(other["jobid"])
    said = refused(MODULE, name="web", display_text="y")
    assert one["id"] in said and other["id"] in said
    beats(MODULE, ["updateTemplate"], id=other["id"], display_text="y")


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (
            {"name": "web"},
            "vm, volume, snapshot or url: one of them is needed to create web. This account has no template of this name",
        ),
        ({"name": "web", "vm": "nope"}, "vm: there is no VM 'nope'"),
        ({"name": "web", "volume": "nope"}, "volume: there is no volume 'nope'; cloudn_volume_info"),
        ({"name": "web", "snapshot": "nope"}, "snapshot: there is no snapshot 'nope'; cloudn_snapshot_info"),
        ({"name": "web", "vm": "a", "volume": "b"}, "parameters are mutually exclusive"),
        ({"name": "web", "url": "https://x/y.vhd"}, "format, hypervisor, os_type: needed to create web from url"),
        ({"name": "web", **DOWNLOAD, "zone": None}, "zone: is needed, as there are 2 to choose from"),
        ({"name": "web", **DOWNLOAD, "os_type": "BeOS"}, "os_type: there is no 'BeOS'"),
        ({"name": "web", **DOWNLOAD, "zones": ["nope"]}, "zones: there is no 'nope'. There are: jp-e1a, jp-e1b"),
        ({"name": "web", **DOWNLOAD, "zones": []}, "zones: the list is empty"),
        ({"name": "web", "state": "absent", "zones": ["jp-e1a"]}, "zones: state: absent copies nothing"),
        ({"name": "web", "checksum": "x"}, "missing parameter(s) required by 'checksum': url"),
        ({"name": "web", **DOWNLOAD, "url": "web.vhd"}, "url: 'web.vhd' is no http or https address"),
        ({"name": "web", **DOWNLOAD, "url": "https://x:8443/y.vhd"}, "url: 'https://x:8443/y.vhd' has another port"),
        ({"name": "web", **DOWNLOAD, "url": "https://x:port/y.vhd"}, "url: 'https://x:port/y.vhd' has another port"),
        (
            {"name": "web", **DOWNLOAD, "accounts": ["admin", ""]},
            "accounts[1]: is empty; give a value, or remove this item of the list",
        ),
        ({"name": "web", **DOWNLOAD, "accounts": ["a,b"]}, "accounts: 'a,b' is no name of an account"),
        ({"name": "web", "state": "absent", "zone": "tokyo"}, "zone: there is no 'tokyo'. There are: jp-e1a, jp-e1b"),
        ({"name": "", **DOWNLOAD}, "name: is empty; give a value"),
        ({"name": "web", "display_text": " ", **DOWNLOAD}, "display_text: must not be empty"),
        ({"id": UNKNOWN}, f"id: this account has no template {UNKNOWN}"),
        ({"name": UNKNOWN, **DOWNLOAD}, f"name: this account has no template {UNKNOWN}"),
        ({"name": "web", "state": "extracted"}, "there is no template 'web' to extract"),
        ({}, "one of the following is required: name, id"),
    ],
)
def test_bad_options_are_refused(refused: Callable[..., str], options: Result, said: str) -> None:
    assert said in refused(MODULE, **{name: value for name, value in options.items() if value is not None})


def test_another_format_is_drift(run_module: Run, refused: Callable[..., str]) -> None:
    run_module(MODULE, name="web", **DOWNLOAD)
    other = {**DOWNLOAD, "format": "OVA", "hypervisor": "VMware"}
    assert refused(MODULE, name="web", **other).startswith(
        "web: format is 'VHD', not 'OVA'; hypervisor is 'XenServer', not 'VMware'. The service can't change that"
    )
    done = run_module(MODULE, name="web", on_immutable_drift="warn", **other)
    assert "format is 'VHD'" in done["warnings"][0]


def test_a_task_without_a_change_costs_one_or_two_requests(make: Run, run_module: Run, emulator: Any) -> None:
    add_accounts(emulator)
    make(tags={"a": "b"}, accounts=["mate"])
    run_module(MODULE, name="web", vm="web1", zones=["jp-e1a"], tags={"a": "b"}, public=False)
    assert sent_to(emulator) == ["listTemplates"]
    emulator.clear()
    run_module(MODULE, name="web", accounts=["mate"])
    assert sent_to(emulator) == ["listTemplates", "listTemplatePermissions"]


@pytest.mark.parametrize("response_format", ["json", "xml"])
def test_both_formats_show_the_same(run_module: Run, response_format: str) -> None:
    done = run_module(MODULE, name="web", response_format=response_format, **DOWNLOAD)
    assert done["template"]["ready"] is True
    assert run_module(MODULE, name="web", response_format=response_format)["template"] == done["template"]
