# Copyright: (c) 2026, the cloudn.compute authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Objects whose names are not unique: two runs at once, others of one name, lists that lag, lost answers."""

from __future__ import annotations

import itertools
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import pytest
from ansible_collections.cloudn.compute.plugins.module_utils.reconcile import duplicates
from asked import changes_sent_to
from cases import sample
from controllers import ENSURE, Controller, at_once
from preparing import Task, filled, prepared
from samples import KEY, NEW, ZONE
from scenarios import DATA, DOWNLOAD, GROUP, MACHINE, SNAPSHOT, STOPPED
from sites import Result


@dataclass(frozen=True)
class Kind:
    """A task that makes an object whose name is not unique, and the command that does."""

    name: str
    module: str
    options: dict[str, Any]
    command: str
    before: tuple[Task, ...] = ()

    @property
    def plural(self) -> str:
        return self.module.removeprefix("cloudn_") + "s"


KINDS = (
    Kind("volume", "cloudn_volume", dict(DATA[1]), "createVolume"),
    Kind(
        "volume-of-snapshot",
        "cloudn_volume",
        {"name": "data", **ZONE, "snapshot": "{snapshot}"},
        "createVolume",
        (MACHINE, SNAPSHOT),
    ),
    Kind(
        "volume-uploaded",
        "cloudn_volume",
        {"name": "data", **ZONE, "url": "https://images.example.com/data.vhd", "format": "VHD"},
        "uploadVolume",
    ),
    Kind("snapshot", "cloudn_snapshot", {"vm": "web1", "max_age": "1h"}, "createSnapshot", (MACHINE,)),
    Kind("template-of-vm", "cloudn_template", {"name": "image", "vm": "web1"}, "createTemplate", (MACHINE, STOPPED)),
    Kind(
        "template-of-snapshot",
        "cloudn_template",
        {"name": "image", "snapshot": "{snapshot}", "os_type": "CentOS 5.6 (64-bit)"},
        "createTemplate",
        (MACHINE, SNAPSHOT),
    ),
    Kind("template-downloaded", "cloudn_template", {"name": "image", **ZONE, **DOWNLOAD}, "registerTemplate"),
)
HIDDEN = [kind for kind in KINDS if kind.command in ("createTemplate", "uploadVolume")]
WITH_JOB = [kind for kind in KINDS if kind.command != "registerTemplate"]


def each(name: str, number: int, *others: Iterable[Any], kinds: Sequence[Kind] = KINDS) -> pytest.MarkDecorator:
    """Return the parameters of a test: all combinations of kinds and values, or a sample of so many."""
    names = ", ".join(["kind", *name.split()])
    found = sample(f"duplicates {names}", list(itertools.product(kinds, *others)), number)
    ids = ["-".join([kind.name, *map(str, more)]) for kind, *more in found]
    return pytest.mark.parametrize(names, found if others else [kind for (kind,) in found], ids=ids)


class Site:
    """An emulator with what a kind needs, and controllers."""

    def __init__(self, run: Callable[..., Result], emulator: Any, kind: Kind) -> None:
        self.emulator = emulator
        self.kind = kind
        self._known = prepared(run, kind.before)
        self._before = {one.id for one in self._objects()}
        emulator.clear()

    def controller(self) -> Controller:
        return Controller(self.kind.module, filled(self.kind.options, self._known), self.emulator)

    def _objects(self) -> list[Any]:
        store = self.emulator.store
        return [
            *(volume for volume in store.volumes.values() if volume.kind == "DATADISK" and volume.state != "Destroy"),
            *(snapshot for snapshot in store.snapshots.values() if snapshot.state != "Destroyed"),
            *(one for one in store.templates.values() if one.owner == store.account.name and one.zone_ids),
        ]

    def made(self) -> list[str]:
        """Return the ids of the objects that were not there before."""
        return [one.id for one in self._objects() if one.id not in self._before]

    def changes(self) -> list[str]:
        return changes_sent_to(self.emulator)


@pytest.fixture
def site(run_module_as: Any) -> Iterator[Callable[[Kind], Site]]:
    """Return a function that prepares a site."""
    with run_module_as(job_seconds=0.1, dialect="cloudstack") as (run, emulator):
        yield lambda kind: Site(run, emulator, kind)


# --- two runs of the same task


@each("number", 5, [2, 3])
def test_runs_at_once_make_one_object(
    site: Any, before_sending: Any, monkeypatch: pytest.MonkeyPatch, kind: Kind, number: int
) -> None:
    """All runs have looked and found nothing when the first one sends its command. Only a later look can help."""
    monkeypatch.setattr(duplicates, "LEAST", 2)
    here = site(kind)
    barrier = threading.Barrier(number)
    first_time = threading.local()

    def meet() -> None:
        if not getattr(first_time, "over", False):
            first_time.over = True
            barrier.wait(10)

    before_sending(kind.command, meet)
    results = at_once([here.controller().run for _number in range(number)])
    assert [result["errors"] for result in results] == [[]] * number
    (stays,) = here.made()
    assert {result["one"]["id"] for result in results} == {stays}
    again = here.controller().run()
    assert (again["changed"], again["one"]["id"]) == (False, stays)


@each("", 4)
def test_a_run_deletes_its_object_where_another_run_made_one_in_between(
    site: Any, before_sending: Any, monkeypatch: pytest.MonkeyPatch, kind: Kind
) -> None:
    """Another run makes the object after this one has looked. This run deletes its own object again, and no other."""
    monkeypatch.setattr(duplicates, "LEAST", 0.3)
    here = site(kind)
    other: list[Result] = []

    def overtake() -> None:
        if not other:
            other.append(here.controller().run())

    before_sending(kind.command, overtake)
    done = here.controller().run()
    assert done["errors"] == other[0]["errors"] == []
    assert here.made() == [other[0]["one"]["id"]] == [done["one"]["id"]]
    deleted = [r["params"]["id"] for r in here.emulator.requests if r["command"].startswith("delete")]
    assert len(deleted) == 1 and deleted != here.made()
    assert done["actions"][-1].endswith(f"delete {deleted[0]} again, as another run made {here.made()[0]}")
    again = here.controller().run()
    assert (again["changed"], again["one"]["id"]) == (False, done["one"]["id"])


@each("", 2, kinds=HIDDEN)
def test_an_object_that_is_being_made_unseen_is_waited_for(site: Any, kind: Kind) -> None:
    """A run was killed. The object of its command is listed only when the job has ended."""
    here = site(kind)
    here.emulator.settings.job_seconds = 0.6
    if kind.command == "uploadVolume":  # its job is short; it is there when that has begun
        here.emulator.faults([{"kind": "job_hangs", "seconds": 0.4, "command": "uploadVolume", "nth": 1}])
    first = here.controller()
    killed = {**first.options, "wait": False}
    begun = ENSURE[kind.module](first.client, killed)
    assert begun.result()["jobs"] and here.made() == []
    done = here.controller().run()
    assert done["errors"] == [] and done["changed"] is False
    assert here.made() == [done["one"]["id"]]
    assert here.changes().count(kind.command) == 1


@each("", 2, kinds=HIDDEN)
def test_an_object_that_is_being_made_for_ever_is_an_error_that_names_the_job(
    site: Any, run_module_as: Any, kind: Kind
) -> None:
    here = site(kind)
    here.emulator.faults([{"kind": "job_hangs", "command": kind.command}])
    first = here.controller()
    (job,) = ENSURE[kind.module](first.client, {**first.options, "wait": False}).result()["jobs"]
    second = here.controller()
    second.options["wait_timeout"] = 1
    with pytest.raises(Exception, match=f"{kind.command}: job {job}, which began before .*nothing was changed"):
        second.run()
    assert here.changes().count(kind.command) == 1
    here.emulator.release_jobs()
    assert here.controller().run()["errors"] == []
    assert len(here.made()) == 1


UNIQUE = (
    Kind(
        "machine", "cloudn_vm", {"name": ["web1"], "tags": {"a": "b"}, "group": "front", **NEW}, "deployVirtualMachine"
    ),
    Kind("group", "cloudn_security_group", dict(GROUP[1]), "createSecurityGroup"),
    Kind("key", "cloudn_key_pair", {"name": "mine", "public_key": KEY}, "registerSSHKeyPair"),
)


@pytest.mark.parametrize("kind", UNIQUE, ids=[kind.name for kind in UNIQUE])
@pytest.mark.parametrize("done", ["made", "all"])
def test_a_task_goes_on_with_an_object_that_another_run_made_meanwhile(
    site: Any, before_sending: Any, kind: Kind, done: str
) -> None:
    """The service refuses a command since another run did it. The task still does the rest: rules and tags."""
    here = site(kind)
    other: list[str] = []

    def overtake() -> None:
        if not other:
            rival = here.controller()
            if done == "made":
                rival.options.update(tags=None, ingress=None)
            other.extend(rival.run()["errors"] or ["none"])

    before_sending(kind.command, overtake)
    result = here.controller().run()
    assert other == ["none"]
    assert result["errors"] == []
    assert len(result["diff"]["after"]) == 1
    again = here.controller().run()
    assert (again["errors"], again["changed"]) == ([], False)


# --- answers that are lost, and lists that lag


@each("lost lag", 7, ["reset_after", "late", "slow", "cut"], [0, 0.4])
def test_after_a_lost_answer_the_object_is_found(site: Any, kind: Kind, lost: str, lag: float) -> None:
    """The command is done, without an answer and unlisted for a while, or after the task has looked for it."""
    here = site(kind)
    rule: dict[str, Any] = {"kind": lost, "command": kind.command, "nth": 1}
    if lost in ("late", "slow"):
        rule["seconds"] = 1.4
    here.emulator.faults([rule, *([{"kind": "lag", "seconds": lag, "command": "list*"}] if lag else [])])
    time.sleep(lag)  # so that what is there before is listed
    done = here.controller().run()
    assert done["errors"] == []
    assert here.made() == [done["one"]["id"]]
    assert set(here.changes()) <= {kind.command}
    here.emulator.faults([])
    assert here.controller().run()["changed"] is False


@each("", 2)
def test_a_command_that_was_not_done_is_sent_again(site: Any, kind: Kind) -> None:
    """The task waits as long as an answer may take (here a second) and finds nothing."""
    here = site(kind)
    here.emulator.faults([{"kind": "reset_before", "command": kind.command, "nth": 1}])
    done = here.controller().run()
    assert done["errors"] == []
    assert here.made() == [done["one"]["id"]]


@each("", 3)
def test_an_object_that_is_made_very_late_is_deleted_again(
    site: Any, before_sending: Any, monkeypatch: pytest.MonkeyPatch, kind: Kind
) -> None:
    """The first command is done while it is being sent again. The task sees both objects when the second is there."""
    monkeypatch.setattr(duplicates, "LEAST", 0.3)
    here = site(kind)
    here.emulator.faults([{"kind": "reset_before", "command": kind.command, "nth": 1}])
    sent: list[str] = []

    def do_the_first() -> None:
        sent.append(kind.command)
        if len(sent) == 2:
            late = here.controller()
            late.options["wait"] = False
            ENSURE[kind.module](late.client, late.options)

    before_sending(kind.command, do_the_first)
    done = here.controller().run()
    assert done["errors"] == []
    assert here.made() == [done["one"]["id"]]


@each("", 3, kinds=WITH_JOB)
def test_an_object_that_is_not_listed_yet_is_not_made_again(site: Any, generation: str, kind: Kind) -> None:
    """A run was killed and lists lag. The next run learns of the object from the jobs.

    CloudStack 4 lists pending jobs only. There the object may be made again, and one of the two is deleted.
    """
    here = site(kind)
    here.emulator.faults([{"kind": "lag", "seconds": 1, "command": f"list{kind.plural.capitalize()}"}])
    time.sleep(1)
    first = here.controller()
    ENSURE[kind.module](first.client, {**first.options, "wait": False})
    done = here.controller().run()
    assert done["errors"] == []
    assert here.made() == [done["one"]["id"]]
    assert here.changes().count(kind.command) == 1 or generation == "4"


# --- somebody else's, of the same name


@each("lost", 6, ["", "reset_before", "reset_after"])
def test_an_equal_object_of_somebody_else_stays(
    site: Any, before_sending: Any, monkeypatch: pytest.MonkeyPatch, kind: Kind, lost: str
) -> None:
    """Who makes it is no run of this task, and takes nothing back. Nothing of it is ever deleted.

    Only where the answer was lost too, so that it can't be told which of two equal ones is whose, both stay; that is said.
    """
    monkeypatch.setattr(duplicates, "LEAST", 0.3)
    here = site(kind)
    theirs: list[str] = []

    def intrude() -> None:
        if not theirs:
            stranger = here.controller()
            stranger.options["wait"] = False
            ENSURE[kind.module](stranger.client, stranger.options)
            ids = here.made() or [next(reversed(here.emulator.store.templates))]
            theirs.extend(ids)

    before_sending(kind.command, intrude)
    here.emulator.faults([{"kind": lost, "command": kind.command, "nth": 2}] if lost else [])
    done = here.controller().run()
    assert done["errors"] == []
    if kind.command == "uploadVolume":
        theirs[:] = [next(one.id for one in here.emulator.store.volumes.values())]
    assert set(theirs) <= set(here.made())
    if lost == "reset_after":
        assert len(here.made()) == 2
        assert "2 objects may be what it made" in done["warnings"][0]
    else:
        assert here.made() == theirs == [done["one"]["id"]]


def test_a_volume_that_somebody_took_is_not_deleted(
    site: Any, run_module_as: Any, before_sending: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Somebody attaches the duplicate before the run deletes it. The service refuses to delete it, and both stay."""
    monkeypatch.setattr(duplicates, "LEAST", 0.1)
    kind = Kind("volume", "cloudn_volume", dict(DATA[1]), "createVolume", (MACHINE,))
    here = site(kind)
    other: list[Result] = []

    def overtake() -> None:
        if not other:
            other.append(here.controller().run())

    def attach() -> None:
        mine = here.emulator.store.volumes[next(id for id in here.made() if id != other[0]["one"]["id"])]
        mine.vm_id, mine.device = next(iter(here.emulator.store.vms)), 1

    before_sending("createVolume", overtake)
    before_sending("deleteVolume", attach)
    done = here.controller().run()
    assert len(here.made()) == 2
    assert "deleteVolume" in done["errors"][0]


def test_two_runs_that_both_give_way_make_one_object(
    site: Any, before_sending: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each waits for the other, and each then deletes its own object. The run that looks last makes another one."""
    monkeypatch.setattr(duplicates, "LEAST", 0.1)
    here = site(KINDS[0])
    other: list[str] = []

    def overtake() -> None:
        if not other:
            rival = here.controller()
            rival.options["wait"] = False
            other.append(rival.run()["one"]["id"])

    def give_way_too() -> None:
        here.emulator.store.volumes[other[0]].state = "Destroy"

    before_sending("createVolume", overtake)
    before_sending("deleteVolume", give_way_too)
    done = here.controller().run()
    assert done["errors"] == []
    assert here.made() == [done["one"]["id"]]
    assert here.changes().count("createVolume") == 3


def test_two_unlike_objects_of_one_name_both_stay_and_are_an_error(site: Any, before_sending: Any) -> None:
    kind = KINDS[0]
    here = site(kind)
    other: list[str] = []

    def intrude() -> None:
        if not other:
            rival = here.controller()
            rival.options["disk_offering"] = "Medium"
            other.append(rival.run()["one"]["id"])

    before_sending("createVolume", intrude)
    done = here.controller().run()
    assert len(here.made()) == 2
    assert f"{other[0]}, which is not alike: delete one of the two by its id" in done["errors"][0]
    assert "deleteVolume" not in here.changes()
