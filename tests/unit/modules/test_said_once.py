# Copyright: (c) 2026, the cloudn.compute authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""One cause, several machines: a plan's error or warning is said once, with all names, before anything is changed."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from ansible_collections.cloudn.compute.plugins.module_utils.api import CloudnError, Missing, UsageError
from ansible_collections.cloudn.compute.plugins.module_utils.reconcile.together import one_error
from samples import NEW, UNKNOWN

Run = Callable[..., dict[str, Any]]
Refused = Callable[..., str]
NAMES = ["f1", "f2", "f3"]


@pytest.fixture
def three(run_module: Run, emulator: Any) -> list[str]:
    """Make three machines; return their ids."""
    run_module("cloudn_security_group", name="web")
    run_module("cloudn_key_pair", name="k1")
    done = run_module("cloudn_vm", name=NAMES, **NEW)
    emulator.clear()
    return [one["id"] for one in done["vms"]]


def set_state(emulator: Any, names: list[str], state: str) -> None:
    for machine in emulator.store.vms.values():
        if machine.name in names:
            machine.state = state


def test_a_state_that_nothing_leads_on_from(three: list[str], refused: Refused, emulator: Any) -> None:
    set_state(emulator, NAMES, "Error")
    told = refused("cloudn_vm", name=NAMES, **NEW)
    assert told.startswith(
        "each of f1, f2, f3 is in state Error. It can only be destroyed (state: absent). Its name stays"
    )
    assert told.count("state Error") == 1


def test_different_causes_are_each_said(three: list[str], refused: Refused, emulator: Any) -> None:
    set_state(emulator, ["f1", "f3"], "Error")
    told = refused("cloudn_vm", name=NAMES, service_offering="v2")
    assert told.startswith("each of f1, f3 is in state Error. It can only be destroyed")
    assert ". service_offering: f2 is running, and must be stopped for 'v2'" in told


def test_an_offering_that_needs_a_stop(three: list[str], refused: Refused) -> None:
    told = refused("cloudn_vm", name=NAMES, service_offering="v2")
    assert told == (
        "service_offering: each of f1, f2, f3 is running, and must be stopped for 'v2'. Set allow_restart: true, or stop it first"
    )


def test_states_that_do_not_end(three: list[str], run_module: Run, emulator: Any) -> None:
    set_state(emulator, ["f1", "f2"], "Starting")
    set_state(emulator, ["f3"], "Stopping")
    told = run_module("cloudn_vm", name=NAMES, state="stopped", wait_timeout=0)["msg"]
    assert told.startswith("f1 is still Starting, f2 is still Starting, f3 is still Stopping after 0 s (wait_timeout)")


def test_high_availability(three: list[str], refused: Refused) -> None:
    told = refused("cloudn_vm", name=NAMES, ha=True)
    assert told.startswith("ha: each of f1, f2, f3 has the service offering 'v1', which offers no high availability")


@pytest.mark.parametrize("drift", [{"template": "another"}, {"security_groups": "web"}, {"key_pair": "k1"}], ids=str)
def test_drift(
    three: list[str], refused: Refused, run_module: Run, emulator: Any, generation: str, drift: dict[str, str]
) -> None:
    if "template" in drift:
        run_module("cloudn_vm", name="seed", **NEW)
        assert run_module("cloudn_template", name="another", vm="seed", allow_restart=True)["changed"]
    told = refused("cloudn_vm", name=NAMES, **drift)
    assert told.startswith("f1, f2, f3: ")
    assert told.count("f1") == told.count("f3") == told.count(next(iter(drift))) == 1
    warned = run_module("cloudn_vm", name=NAMES, on_immutable_drift="warn", **drift)
    assert not warned.get("failed"), warned
    (warning,) = warned["warnings"]
    assert warning.startswith("f1, f2, f3: ")


def test_a_way_out_has_the_ids_of_all(run_module_as: Any) -> None:
    with run_module_as(account="admin", expunge_seconds=1000) as (run, _emulator):
        ids = [one["id"] for one in run("cloudn_vm", name=NAMES, **NEW)["vms"]]
        run("cloudn_vm", name=NAMES, state="absent")
        told = run("cloudn_vm", name=NAMES, **NEW)["msg"]
        assert told.startswith(f"each of f1, f2, f3 is Destroyed (id {', '.join(ids)}). Set recover: true")


def test_names_that_can_be_none(refused: Refused) -> None:
    told = refused("cloudn_vm", name=["web_1", "good", "db_1"], **NEW)
    assert told.startswith("name[0], name[2]: 'web_1', 'db_1' can't be host names: use up to 63 ASCII letters")
    assert told.endswith("; did you mean 'web-1', 'db-1'?")
    other = UNKNOWN.replace(UNKNOWN[0], "f" if UNKNOWN[0] != "f" else "e", 1)
    told = refused("cloudn_vm", name=[UNKNOWN, other], **NEW)
    assert told == f"name[0], name[1]: there are no VMs with the ids {UNKNOWN}, {other}"


def test_what_is_missing_for_several(refused: Refused) -> None:
    assert refused("cloudn_vm", name=["a", "b"]).endswith(
        "needed to create a, b, which do not exist. Give them, or correct the names"
    )
    assert refused("cloudn_vm", name=["a"]).endswith(
        "needed to create a, which does not exist. Give them, or correct the name"
    )


def test_at_most_five_causes_are_said() -> None:
    errors: list[tuple[str, str | None, UsageError]] = [
        (f"f{number}", None, UsageError(f"f{number}: cause {number % 7}")) for number in range(9)
    ]
    told = one_error(errors).message
    assert told == (
        "f0, f7: cause 0. f1, f8: cause 1. f2: cause 2. f3: cause 3. f4: cause 4. And 2 more have other errors"
    )


def test_the_class_of_the_errors_stays() -> None:
    missing: list[tuple[str, str | None, UsageError]] = [(name, None, Missing(f"{name}: no")) for name in "ab"]
    assert isinstance(one_error(missing), Missing)
    mixed: CloudnError = one_error([*missing, ("c", None, UsageError("c is wrong"))])
    assert isinstance(mixed, UsageError)
    assert not isinstance(mixed, Missing)


def test_a_name_within_a_word_is_not_taken_for_the_machine() -> None:
    errors: list[tuple[str, str | None, UsageError]] = [
        (name, None, UsageError(f"{name} is in state Error. A web-server in the way")) for name in ("web", "in2")
    ]
    assert one_error(errors).message == "each of web, in2 is in state Error. A web-server in the way"
