# Copyright: (c) 2026, the cloudn.compute authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Two machines of one name that were made at one moment: which one is destroyed, and what the results say."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from ansible_collections.cloudn.compute.plugins.module_utils.api import CloudnError, is_read
from ansible_collections.cloudn.compute.plugins.module_utils.reconcile import duplicates
from controllers import Controller, at_once
from samples import NEW
from sites import RunAs
from waiting import soon

Result = dict[str, Any]
OTHER_TEMPLATE = "Ubuntu 10.04 64bit"


@pytest.fixture
def emulator(run_module_as: RunAs) -> Iterator[Any]:
    """An emulator with a gap between its look for a name and the new row."""
    with run_module_as(race_ms=150, job_seconds=0.1) as (_run, running):
        yield running


@pytest.fixture
def all_at_once(before_sending: Callable[..., None]) -> Callable[..., list[Result]]:
    """Return a function that runs controllers, each for one machine. All send their command at one moment."""

    def run(*controllers: Controller) -> list[Result]:
        barrier = threading.Barrier(len(controllers))
        met = threading.local()

        def meet() -> None:
            if not getattr(met, "before", False):
                met.before = True
                barrier.wait(10)

        before_sending("deployVirtualMachine", meet)
        return at_once([controller.run for controller in controllers])

    return run


@pytest.fixture(params=["own first", "other first"])
def stays_first(request: pytest.FixtureRequest) -> bool:
    """The run's own machine comes before the other one, or after it."""
    return request.param == "own first"


def machines(emulator: Any, name: str = "web1") -> dict[str, str]:
    """Return the states of the machines of a name, by their ids."""
    return {vm.id: vm.state for vm in emulator.store.vms.values() if vm.name == name}


def alive(emulator: Any, name: str = "web1") -> list[str]:
    return [id for id, state in machines(emulator, name).items() if state != "Destroyed"]


def order(monkeypatch: pytest.MonkeyPatch, stranger: list[str], own_first: bool) -> None:
    """Let the machine of a stranger come after all others, or before them."""
    monkeypatch.setattr(duplicates, "rank", lambda row: ((row["id"] in stranger) == own_first, row["id"]))


class Stranger(Controller):
    """Makes a machine and does not look for duplicates, as `wait: false`, a console or another tool."""

    def __init__(self, emulator: Any, **options: Any) -> None:
        super().__init__("cloudn_vm", {"name": ["web1"], **NEW, "wait": False, **options}, emulator)
        self.made: list[str] = []

    def run(self) -> Result:
        done = super().run()
        self.made += [one["id"] for one in done["all"]]
        return done


def ours(emulator: Any, **options: Any) -> Controller:
    return Controller("cloudn_vm", {"name": ["web1"], **NEW, **options}, emulator)


def sent(emulator: Any, command: str) -> list[Result]:
    return [request["params"] for request in emulator.requests if request["command"] == command]


def test_a_machine_that_somebody_else_made_stays(
    emulator: Any, monkeypatch: pytest.MonkeyPatch, stays_first: bool, all_at_once: Any
) -> None:
    """The stranger's machine stays whichever comes first: a run that does not look can't give way."""
    monkeypatch.setattr(duplicates, "LEAST", 0.5)
    stranger = Stranger(emulator)
    order(monkeypatch, stranger.made, stays_first)
    done, _theirs = all_at_once(ours(emulator, tags={"role": "web"}), stranger)
    assert done["errors"] == []
    assert alive(emulator) == stranger.made == [done["one"]["id"]]
    ((destroyed, _state),) = [pair for pair in machines(emulator).items() if pair[1] == "Destroyed"]
    assert [params["id"] for params in sent(emulator, "destroyVirtualMachine")] == [destroyed]
    assert done["actions"][-1] == f"web1: destroy {destroyed} again, as another run made {stranger.made[0]}"
    assert done["one"]["tags"] == {"role": "web"}
    again = ours(emulator, tags={"role": "web"}).run()
    assert (again["errors"], again["changed"], again["one"]["id"]) == ([], False, stranger.made[0])


def test_unlike_machines_of_one_name_are_an_error_that_names_both(
    emulator: Any, stays_first: bool, all_at_once: Any
) -> None:
    runs = [ours(emulator), ours(emulator, template=OTHER_TEMPLATE, allow_restart=True)]
    results = all_at_once(*(runs if stays_first else runs[::-1]))
    both = alive(emulator)
    assert len(both) == 2
    for done in results:
        (error,) = done["errors"]
        assert all(id in error for id in both)
        assert "which is not alike: delete one of the two by its id (state: absent), and run the task again" in error
    assert sent(emulator, "destroyVirtualMachine") == []
    later = ours(emulator, name=[both[0]], state="absent").run()
    assert later["errors"] == []
    assert alive(emulator) == both[1:]


def test_a_machine_in_error_is_reported_by_both_runs(emulator: Any, all_at_once: Any) -> None:
    emulator.faults([{"kind": "job_fails", "command": "deployVirtualMachine", "nth": 1}])
    results = all_at_once(ours(emulator), ours(emulator))
    both = alive(emulator)
    assert sorted(machines(emulator).values()) == ["Error", "Running"]
    for done in results:
        assert all(id in done["errors"][0] for id in both)
    assert sent(emulator, "destroyVirtualMachine") == []


def test_a_lost_answer_to_the_destruction_leaves_one_machine(
    emulator: Any, monkeypatch: pytest.MonkeyPatch, all_at_once: Any
) -> None:
    emulator.faults([{"kind": "reset_after", "command": "destroyVirtualMachine", "nth": 1}])
    stranger = Stranger(emulator)
    order(monkeypatch, stranger.made, own_first=False)
    done, _theirs = all_at_once(ours(emulator), stranger)
    assert done["errors"] == []
    assert alive(emulator) == stranger.made == [done["one"]["id"]]


def test_a_refused_destruction_is_reported_with_both_ids(
    emulator: Any, monkeypatch: pytest.MonkeyPatch, all_at_once: Any
) -> None:
    emulator.faults([{"kind": "job_fails", "command": "destroyVirtualMachine"}])
    stranger = Stranger(emulator)
    order(monkeypatch, stranger.made, own_first=False)
    done, _theirs = all_at_once(ours(emulator), stranger)
    (error,) = done["errors"]
    assert error.startswith("destroyVirtualMachine: ")
    assert all(id in error for id in alive(emulator))


def test_only_duplicates_are_deleted_or_taken_over(emulator: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    names = [f"web{number}" for number in range(1, 11)]
    stranger = Stranger(emulator, name=names[3:5])
    order(monkeypatch, stranger.made, own_first=False)
    done, _theirs = at_once([ours(emulator, name=names).run, stranger.run])
    assert done["errors"] == []
    assert len(sent(emulator, "deployVirtualMachine")) == 12
    assert len(sent(emulator, "destroyVirtualMachine")) == 2
    assert {one["id"] for one in done["all"] if one["name"] in names[3:5]} == set(stranger.made)
    assert all(len(alive(emulator, name)) == 1 for name in names)


def test_where_both_runs_give_way_both_name_the_machines(
    emulator: Any, monkeypatch: pytest.MonkeyPatch, all_at_once: Any
) -> None:
    """By chance each run has waited as long as the other. Both machines are destroyed, and the errors name both."""
    monkeypatch.setattr(duplicates, "LEAST", 0.0)
    monkeypatch.setattr(duplicates, "SHARE", 0.0)
    results = all_at_once(ours(emulator), ours(emulator))
    left = alive(emulator)
    if left:
        assert len(left) == 1
        return
    for done in results:
        assert all(id in done["errors"][0] for id in machines(emulator))
        assert "all of them have been deleted again" in done["errors"][0]
        assert "use another name until then" in done["errors"][0]


def test_the_password_of_a_deleted_duplicate_is_not_shown_for_the_other_machine(
    emulator: Any, monkeypatch: pytest.MonkeyPatch, all_at_once: Any
) -> None:
    for template in emulator.store.templates.values():
        template.password = True
    stranger = Stranger(emulator)
    order(monkeypatch, stranger.made, own_first=False)
    done, _theirs = all_at_once(ours(emulator), stranger)
    assert done["one"]["id"] == stranger.made[0]
    assert "password" not in done["one"]


def test_two_old_machines_of_one_name_are_an_error_that_names_both(
    emulator: Any, monkeypatch: pytest.MonkeyPatch, all_at_once: Any
) -> None:
    """The machines are of runs that did not look, or were killed. No run chooses one."""
    monkeypatch.setattr(duplicates, "PATIENCE", 0.3)
    strangers = [Stranger(emulator), Stranger(emulator)]
    all_at_once(*strangers)
    both = alive(emulator)
    assert len(both) == 2
    for state in ("present", "absent"):
        with pytest.raises(CloudnError, match="2 VMs have the host name 'web1'") as raised:
            ours(emulator, state=state).run()
        assert all(id in raised.value.message for id in both)
    assert sent(emulator, "destroyVirtualMachine") == []


def test_a_run_that_begins_meanwhile_waits_until_one_machine_is_left(
    emulator: Any, before_sending: Callable[..., None]
) -> None:
    """The run finds two machines, of runs that are about to leave one."""
    emulator.settings.job_seconds = 0.5
    barrier = threading.Barrier(2)
    before_sending("deployVirtualMachine", lambda: barrier.wait(10))
    there = threading.Event()

    def later() -> Result:
        there.wait(10)
        return ours(emulator).run()

    def watch() -> Result:
        soon(lambda: len(alive(emulator)) == 2)
        there.set()
        return {}

    results = at_once([ours(emulator).run, ours(emulator).run, later, watch])[:3]
    assert [done["errors"] for done in results] == [[], [], []]
    (stays,) = alive(emulator)
    assert {done["one"]["id"] for done in results} == {stays}
    assert results[2]["changed"] is False


@pytest.mark.parametrize("kind", ["close", "garbage"])
def test_a_failed_look_for_duplicates_is_reported(emulator: Any, kind: str) -> None:
    emulator.faults([{"kind": kind, "command": "listVirtualMachines", "nth": list(range(2, 30))}])
    done = Controller("cloudn_vm", {"name": ["web1"], **NEW}, emulator, retries=1).run()
    (error,) = done["errors"]
    assert error.startswith("listVirtualMachines: ")
    assert (
        "it is not known whether another run made an object of the same name at the same time: run the task again"
        in error
    )
    emulator.faults([])
    again = ours(emulator).run()
    assert (again["errors"], again["changed"]) == ([], False)


def test_without_wait_no_run_looks_for_duplicates(emulator: Any) -> None:
    Stranger(emulator).run()
    commands = [request["command"] for request in emulator.requests if is_read(request["command"])]
    assert commands.count("listVirtualMachines") == 1


def test_a_run_that_is_refused_takes_the_machine_that_is_left(
    emulator: Any, before_sending: Callable[..., None]
) -> None:
    """Two other runs took the name at one moment, after this run had looked."""
    rivals = [ours(emulator), ours(emulator)]
    barrier = threading.Barrier(2)
    others: list[threading.Thread] = []
    results: list[Result] = []

    def overtake() -> None:
        if threading.current_thread() in others:
            barrier.wait(10)
        elif not others:
            others.extend(threading.Thread(target=lambda rival=rival: results.append(rival.run())) for rival in rivals)
            for other in others:
                other.start()
            soon(lambda: len(alive(emulator)) == 2)

    emulator.settings.job_seconds = 0.4
    before_sending("deployVirtualMachine", overtake)
    results.append(ours(emulator).run())
    for other in others:
        other.join(20)
    assert [done["errors"] for done in results] == [[], [], []]
    (stays,) = alive(emulator)
    assert {done["one"]["id"] for done in results} == {stays}
    assert len(machines(emulator)) == 2
