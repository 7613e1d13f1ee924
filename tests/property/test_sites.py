# Copyright: (c) 2026, the cloudn.compute authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""From any site to any other, while jobs end in any order and requests fail: the site is as declared, or the result says what is not.

Others' objects stay as they are, check mode tells what is done, and the next run changes nothing. ``make test`` looks at a sample of the
cases, ``FAULTS=all`` at all of them. ``SITES_SEED`` draws other ones.
"""

from __future__ import annotations

import functools
import os
import re
import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from ansible_collections.cloudn.compute.plugins.module_utils import connection
from ansible_collections.cloudn.compute.plugins.module_utils.api import Client
from ansible_collections.cloudn.compute.plugins.module_utils.reconcile import duplicates
from asked import changes_sent_to
from cloudn_emulator import Emulator
from cloudn_emulator.jobs import Jobs
from random_sites import (
    ALIEN,
    GONE,
    OTHER,
    OTHERS,
    SITE,
    TAG,
    Chance,
    Key,
    differences,
    everything,
    expected,
    foreign,
    items,
    own,
    without_gone,
)
from samples import NEW
from specs import good
from waiting import soon

Result = dict[str, Any]
ALL = os.environ.get("FAULTS") == "all"
SEED = os.environ.get("SITES_SEED", "1")
CASES = 1000 if ALL else 100
FEW = 10  # cases of one test: fewer tests start sooner
MOST_RUNS = 5  # until a site is whole after something went wrong
JOB_SECONDS = (0.0, 0.002, 0.02, 0.06)
KINDS = ("key_pairs", "security_groups", "vms", "volumes")
_UNDONE = re.compile(r"(\S+): (start|stop)\b")  # what an error leaves to the user
MODULES = {"security_groups": "cloudn_security_group", "vms": "cloudn_vm", "volumes": "cloudn_volume"}


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing waits for other runs, and pauses before retries are short."""
    monkeypatch.setattr(duplicates, "GAP", 0.0)
    monkeypatch.setattr(duplicates, "PATIENCE", 0.1)
    short = functools.partial(Client, sleep=lambda seconds: time.sleep(seconds / 50))
    monkeypatch.setattr(connection, "Client", short)


class Case:
    """One case: an emulator with a site as it was, and with what others have."""

    def __init__(self, chance: Chance, run: Callable[..., Result], emulator: Any) -> None:
        self.chance, self.draw = chance, chance.random
        self._run = run
        self.emulator = emulator
        self.store = emulator.store
        self.do("cloudn_security_group", name=ALIEN, ingress=[{"ports": "22", "cidrs": ["0.0.0.0/0"]}])
        self.do("cloudn_security_group", name=OTHERS, tags={TAG: OTHER})
        self.site = chance.site()
        if self.draw.random() < 0.8:
            self.do("cloudn_site", **self.site)
            self._drift()
        self._add_foreign()
        self.site = chance.site()
        self.options = {
            **self.site,
            **({"prune": True} if self.draw.random() < 0.6 else {}),
            **({"delete_volumes": True} if self.draw.random() < 0.4 else {}),
        }
        self.before = everything(self.store)
        emulator.clear()

    def do(self, module: str, **options: Any) -> Result:
        """Run a task, which must end well."""
        return good(self._run(module, **options))

    def run(self, **more: Any) -> Result:
        """Run the site's task."""
        return self._run("cloudn_site", _diff=True, wait_timeout=20, **self.options, **more)

    def changes(self) -> list[str]:
        """Return the commands that changed something since the last look. A group that is held is asked for each time."""
        changes = [
            request["command"]
            for request in self.emulator.requests
            if not (request["command"] == "deleteSecurityGroup" and request["status"] == 536)
        ]
        sent = changes_sent_to(self.emulator)
        self.emulator.clear()
        return [command for command in sent if command in changes]

    def _drift(self) -> None:
        """Somebody has changed the site by hand."""
        draw = self.draw
        for group in self.site.get("security_groups", []):
            if draw.random() < 0.2:
                rule = {"ports": "9", "cidrs": ["192.0.2.9/32"]}
                self.do("cloudn_security_group", name=group["name"], ingress=[rule], purge_rules=draw.random() < 0.5)
        for vm in self.site.get("vms", []):
            if draw.random() < 0.2:
                self.do("cloudn_vm", name=vm["name"], state=draw.choice(("started", "stopped")))
        for volume in self.site.get("volumes", []):
            if volume.get("state") == "detached":
                continue  # it may not be there
            if draw.random() < 0.2:
                self.do("cloudn_volume", name=volume["name"], state="detached")
            if draw.random() < 0.2:
                self.do("cloudn_volume", name=volume["name"], tags={"by": "hand"}, purge_tags=False)

    def _add_foreign(self) -> None:
        """Others have objects: like the site's own, of another site, and such that use the site's."""
        draw, there = self.draw, own(everything(self.store))
        names = {kind: [name for own_kind, name in there if own_kind == kind] for kind in KINDS}
        self.do("cloudn_vm", name="o1", tags={TAG: OTHER}, **NEW)
        for name in names["volumes"]:
            if draw.random() < 0.4:
                self._volume_of(name)
        if names["vms"] and draw.random() < 0.4:
            self.do("cloudn_vm", name="o2", display_name=draw.choice(names["vms"]), **NEW)
        if names["security_groups"] and draw.random() < 0.3:
            self.do("cloudn_vm", name="o3", security_groups=[draw.choice(names["security_groups"])], **NEW)
        if names["security_groups"] and draw.random() < 0.3:
            rule = {"ports": "1", "groups": [{"name": draw.choice(names["security_groups"])}]}
            self.do("cloudn_security_group", name=ALIEN, ingress=[rule], purge_rules=False)
        if names["vms"] and draw.random() < 0.3:
            vm = draw.choice(names["vms"])
            self.do("cloudn_volume", name="theirs", disk_offering="Small", state="attached", vm=vm)

    def _volume_of(self, name: str) -> None:
        """Make a volume of a name that the site has: in the other zone, or renamed in the store, as no module makes it."""
        if self.draw.random() < 0.5:
            self.do("cloudn_volume", name=name, zone="jp-e1b", disk_offering="Small")
            return
        made = self.do("cloudn_volume", name="another", zone=NEW["zone"], disk_offering="Small", tags={"a": "b"})
        self.store.volumes[made["volume"]["id"]].name = name

    def settle(self) -> None:
        """Wait until all jobs have ended."""
        soon(lambda: all(job.status or job.hangs for job in list(self.store.jobs.values())))


@pytest.fixture
def jobs_of_any_length(monkeypatch: pytest.MonkeyPatch) -> Callable[[Chance], None]:
    """Return a function that lets each step of a job take a time that is drawn, so that jobs end in any order."""
    return lambda chance: monkeypatch.setattr(
        Jobs, "seconds", property(lambda _jobs: chance.random.choice(JOB_SECONDS))
    )


@pytest.mark.parametrize("first", range(0, CASES, FEW))
def test_a_site_is_as_declared_or_the_result_says_what_is_not(
    first: int, runner_of: Callable[..., Any], jobs_of_any_length: Callable[[Chance], None]
) -> None:
    wrong = []
    for number in range(first, first + FEW):
        chance = Chance(f"{SEED} {number}")
        jobs_of_any_length(Chance(f"jobs {SEED} {number}"))
        with Emulator(generation="34"[number % 2], group_lock_seconds=0.01) as emulator:
            case = Case(chance, runner_of(emulator), emulator)
            wrong += [f"case {number}: {problem}" for problem in problems(case, with_faults=number % 3 == 0)]
    assert wrong == []


def problems(case: Case, with_faults: bool) -> Iterator[str]:
    """Run the site of a case; yield what is not as it should be."""
    planned = case.run(_check=True)
    if changes := case.changes():
        yield f"check mode sends {changes}"
    if planned.get("failed"):
        yield f"check mode fails: {planned['msg']}"
        return
    wanted = without_gone(expected(own(case.before), case.site), going(case))
    if with_faults:
        yield from disturbed(case, wanted)
    else:
        done = case.run()
        yield from told(planned, done)
        if not done.get("failed") and done["changed"] != bool(case.changes()):
            yield f"it says changed: {done['changed']}"
    yield from _as_declared(case, wanted)
    yield from _pruned(case, wanted)
    case.changes()
    again = case.run()
    if again.get("failed") or again["changed"] or again["actions"]:
        yield f"the next run: {again.get('msg')}, {again.get('actions')}"
    if changes := case.changes():
        yield f"the next run sends {changes}"
    if foreign(everything(case.store)) != foreign(case.before):
        yield f"others' objects: {foreign(everything(case.store))}, not {foreign(case.before)}"


def going(case: Case) -> set[str]:
    """Return the names of the machines that go."""
    if not case.options.get("prune"):
        return set()
    declared = {key for key, _item in items(case.site)}
    return {name for kind, name in own(case.before) if kind == "vms" and (kind, name) not in declared}


def told(planned: Result, done: Result) -> Iterator[str]:
    """Yield where a run did something else than check mode told."""
    if done.get("failed"):
        yield f"it fails: {done['msg']}"
        return
    for name in ("actions", "changed", "diff"):
        if planned[name] != done[name]:
            yield f"check mode tells another {name}: {planned[name]}, not {done[name]}"
    if [(one["kind"], one["name"]) for one in planned["left"]] != [(one["kind"], one["name"]) for one in done["left"]]:
        yield f"check mode tells that {planned['left']} are left, not {done['left']}"


def _as_declared(case: Case, wanted: dict[Key, Result]) -> Iterator[str]:
    found = everything(case.store)
    yield from (f"{key} {text}" for key, text in differences(wanted, own(found)))
    names = [(one["kind"], one["name"]) for one in found if one["kind"] == "key_pairs" or one["tags"].get(TAG) == SITE]
    yield from (f"{key} is there twice" for key in {*names} if names.count(key) > 1)


def _pruned(case: Case, wanted: dict[Key, Result]) -> Iterator[str]:
    """Yield what has gone or stayed against the options. The disks that stay are where they were, or free."""
    before, now = own(case.before), own(everything(case.store))
    for key, one in before.items():
        if key in wanted:
            continue
        prunes = case.options.get("prune") and key[0] != "key_pairs"
        if key[0] == "volumes":
            prunes = prunes and case.options.get("delete_volumes")
        if key[0] == "security_groups":
            prunes = prunes and not held(case, one["id"])
        if prunes and key in now:
            yield f"{key} is still there"
        if not prunes and key not in now:
            yield f"{key} is gone"
        if not case.options.get("prune") and now.get(key) != one:
            yield f"{key} has changed: {now.get(key)}, not {one}"


def held(case: Case, group: str) -> bool:
    """Tell whether something holds a group: a machine, also a destroyed one, or a rule of another group."""
    machines = [vm for vm in case.store.vms.values() if group in vm.security_group_ids and vm.state != "Expunging"]
    rules = [
        rule
        for other in case.store.security_groups.values()
        for rule in other.rules.values()
        if rule.source_id == group and other.id != group
    ]
    return bool(machines or rules)


# With faults


def disturbed(case: Case, wanted: dict[Key, Result]) -> Iterator[str]:
    """Run the site while something goes wrong, and again without until it is whole."""
    rules = case.chance.faults()
    case.emulator.faults(rules)
    done = case.run()
    case.emulator.faults([])
    case.settle()
    yield from (f"with {rules}: {problem}" for problem in said(case, done, wanted))
    for _run in range(MOST_RUNS):
        if not done.get("failed"):
            return
        _as_told(case, done)
        done = case.run(adopt=True)
    if done.get("failed"):
        yield f"with {rules}: the runs after it failed: {done['msg']}"


def said(case: Case, done: Result, wanted: dict[Key, Result]) -> Iterator[str]:
    """Yield where a result does not say what is so: of each object, that it is as declared, or why it is not."""
    if "vms" not in done:
        if not done.get("failed"):
            yield "it neither fails nor shows its objects"
        if changes := case.changes():
            yield f"it fails without its objects, and has sent {changes}: {done['msg']}"
        return
    shown = {(kind, one["name"]): one for kind in KINDS for one in done[kind]}
    yield from (f"the result does not show {key}" for key in wanted if key not in shown)
    wrong = dict(differences(wanted, own(everything(case.store))))
    was, now = own(case.before), own(everything(case.store))
    was, now = without_gone(was, going(case)), without_gone(now, going(case))  # machines that go leave their disks
    for key, one in shown.items():
        if one["outcome"] in ("done", "unchanged") and key in wrong:
            yield f"{key} is {one['outcome']}, and {wrong[key]}"
        if one["outcome"] in ("failed", "not tried") and len(one.get("error", "")) < 20:
            yield f"{key} is {one['outcome']}, and its error says {one.get('error')!r}"
        if one["outcome"] in ("unchanged", "not tried") and now.get(key) != was.get(key):
            yield f"{key} is {one['outcome']}, and {now.get(key)} was {was.get(key)}"
    if bool(done.get("failed")) != any(one["outcome"] in ("failed", "not tried") for one in shown.values()):
        yield f"failed: {done.get('failed')}, {[(key, one['outcome']) for key, one in shown.items()]}"


def _as_told(case: Case, done: Result) -> None:
    """Do what an error leaves to the user: start or stop a machine, remove one whose deployment failed."""
    errors = {one["error"] for kind in KINDS for one in done.get(kind, []) if "error" in one} or {done["msg"]}
    asked = [error.partition("Do them yourself when that has ended: ")[2] for error in errors]
    left = {todo for text in asked for todo in _UNDONE.findall(text)}
    for name, goal in sorted(left):
        case.do("cloudn_vm", name=name, state={"start": "started", "stop": "stopped"}[goal])
    for name in {vm.name for vm in case.store.vms.values() if vm.state == "Error"}:
        case.do("cloudn_vm", name=name, state="absent")
    expunge_failed(case)


def expunge_failed(case: Case) -> None:
    """Let the service forget machines that could not be deployed, so that their names are free."""
    for vm in list(case.store.vms.values()):
        if vm.state in GONE and not vm.host_id:
            case.store.expunge_due(case.store.now() + case.store.settings.expunge_seconds + 1)
            return
