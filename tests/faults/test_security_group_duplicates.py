# Copyright: (c) 2026, the cloudn.compute authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Two security groups of one name: which one is deleted, what the results say, and what a task does that finds both."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from ansible_collections.cloudn.compute.plugins.module_utils.api import UsageError
from ansible_collections.cloudn.compute.plugins.module_utils.reconcile import duplicates
from asked import sent_to
from controllers import Controller
from samples import NEW

Result = dict[str, Any]
OWNER = "flatuser"
RULES = [{"ports": "80", "cidrs": ["0.0.0.0/0"]}]


def add(emulator: Any, name: str = "web", description: str | None = None) -> str:
    """Make a group without a look at others, as a run at the same moment does; return its id."""
    return str(emulator.store.add_security_group(name, OWNER, description).id)


def ours(emulator: Any, **options: Any) -> Controller:
    return Controller("cloudn_security_group", {"name": "web", **options}, emulator)


def groups(emulator: Any) -> list[str]:
    return [one.id for one in emulator.store.security_groups.values() if one.name == "web"]


def deleted(emulator: Any) -> list[str]:
    return [request["params"]["id"] for request in emulator.requests if request["command"] == "deleteSecurityGroup"]


@pytest.fixture
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """No other run is there that deletes one of two groups."""
    monkeypatch.setattr(duplicates, "PATIENCE", 0.1)
    monkeypatch.setattr(duplicates, "LEAST", 0.1)
    monkeypatch.setattr(duplicates, "GAP", 0.1)


@pytest.fixture
def somebody_makes(emulator: Any, before_sending: Callable[..., None]) -> Callable[..., list[str]]:
    """Return a function that lets somebody make a group as soon as a run has made its own; the list gets the id."""

    def prepare(description: str | None = None) -> list[str]:
        theirs: list[str] = []

        def add_theirs() -> None:
            if not theirs and any(request["command"] == "createSecurityGroup" for request in emulator.requests):
                theirs.append(add(emulator, description=description))

        before_sending("listSecurityGroups", add_theirs)
        return theirs

    return prepare


@pytest.mark.parametrize("own_first", [True, False])
def test_a_group_that_somebody_else_made_stays(
    quick: None,
    emulator: Any,
    monkeypatch: pytest.MonkeyPatch,
    somebody_makes: Callable[..., list[str]],
    own_first: bool,
) -> None:
    """A run deletes no group but its own. Rules and tags go to the group that is left."""
    theirs = somebody_makes()
    monkeypatch.setattr(duplicates, "rank", lambda row: ((row["id"] in theirs) == own_first, row["id"]))
    done = ours(emulator, ingress=RULES, tags={"role": "web"}).run()
    assert not done["errors"]
    assert groups(emulator) == theirs == [done["one"]["id"]]
    assert [rule["ports"] for rule in done["one"]["ingress"]] == ["80"]
    assert done["one"]["tags"] == {"role": "web"}
    assert f"delete {deleted(emulator)[0]} again" in " ".join(done["actions"])
    assert not ours(emulator, ingress=RULES, tags={"role": "web"}).run()["changed"]


def test_a_group_that_is_not_alike_is_an_error_that_names_both(
    quick: None, emulator: Any, somebody_makes: Callable[..., list[str]]
) -> None:
    somebody_makes("of others")
    done = ours(emulator, ingress=RULES).run()
    assert all(id in done["errors"][0] for id in groups(emulator))
    assert len(groups(emulator)) == 2
    assert not deleted(emulator)


@pytest.mark.parametrize(
    ("module", "options"),
    [
        ("cloudn_security_group", {"name": "web"}),
        ("cloudn_security_group", {"name": "web", "state": "absent"}),
        ("cloudn_security_group", {"name": "db", "ingress": [{"ports": "80", "groups": [{"name": "web"}]}]}),
        ("cloudn_vm", {"name": ["web1"], "security_groups": ["web"], **NEW}),
    ],
)
def test_two_old_groups_of_one_name_are_an_error_that_names_both(
    quick: None, emulator: Any, module: str, options: Result
) -> None:
    ids = [add(emulator), add(emulator)]
    with pytest.raises(UsageError) as told:
        Controller(module, options, emulator).run()
    assert all(id in str(told.value) for id in ids)
    assert {request["command"].startswith("list") for request in emulator.requests} == {True}


def test_a_group_is_named_by_its_id_where_two_have_its_name(emulator: Any) -> None:
    ids = [add(emulator), add(emulator)]
    done = Controller("cloudn_security_group", {"name": ids[1], "state": "absent"}, emulator).run()
    assert not done["errors"]
    assert groups(emulator) == ids[:1]


def test_a_group_that_was_made_costs_one_list_more(emulator: Any) -> None:
    ours(emulator, ingress=RULES).run()
    commands = sent_to(emulator)
    assert commands.count("listSecurityGroups") == 2
    emulator.clear()
    ours(emulator, ingress=RULES).run()
    assert sent_to(emulator) == ["listSecurityGroups"]


def test_without_wait_no_run_looks_for_duplicates(emulator: Any) -> None:
    ours(emulator, ingress=RULES, wait=False).run()
    assert sent_to(emulator).count("listSecurityGroups") == 1


def test_changes_of_another_run_are_not_reported_as_done(emulator: Any, before_sending: Callable[..., None]) -> None:
    others: list[Result] = []
    before_sending("createSecurityGroup", lambda: others.append(ours(emulator).run()))
    done = ours(emulator).run()
    assert not done["errors"]
    assert done["one"]["id"] == others[0]["one"]["id"]
    assert (done["changed"], done["actions"]) == (False, [])
    assert done["diff"]["before"] == done["diff"]["after"]
    assert others[0]["actions"] == ["web: create"]
