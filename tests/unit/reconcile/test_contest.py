# Copyright: (c) 2026, the cloudn.compute authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which of several objects of one name stays: all runs decide alike, by the records alone."""

from __future__ import annotations

import itertools
from typing import Any

import pytest
from ansible_collections.cloudn.compute.plugins.module_utils.api import CloudnError
from ansible_collections.cloudn.compute.plugins.module_utils.reconcile.duplicates import (
    ALONE,
    GAP,
    GIVE_WAY,
    LEAST,
    MOST,
    NONE,
    PATIENCE,
    TAKE,
    WAIT,
    Contest,
    Kind,
    alike_in,
)

Record = dict[str, Any]
USABLE = {"Starting": None, "Running": True, "Error": False}
KIND = Kind(
    field="virtualmachine",
    listing="listVirtualMachines",
    create="deployVirtualMachine",
    delete="destroyVirtualMachine",
    usable=lambda record: USABLE[record["state"]],
    alike=alike_in("template"),
)
LONG = MOST + 1


def row(id: str, second: int = 0, state: str = "Running", template: str = "t") -> Record:
    return {"id": id, "created": f"2026-11-23T14:59:{second:02}+0000", "state": state, "template": template}


def contest(own: str | None, kept: str | None = None) -> Contest:
    return Contest(KIND, own, kept or own, began=0.0)


def test_a_run_that_finds_no_other_object_is_alone() -> None:
    assert contest("a").decide([row("a")], 0.0) == (ALONE, {})


@pytest.mark.parametrize(
    ("one", "other"), [(row("z", 1), row("a", 2)), (row("a", 1), row("b", 1))], ids=["by date", "by id in one second"]
)
def test_the_later_of_two_runs_that_see_both_objects_gives_way(one: Record, other: Record) -> None:
    rows = [other, one]
    assert contest(other["id"]).decide(rows, 0.0) == (GIVE_WAY, one)
    first = contest(one["id"])
    assert first.decide(rows, 0.0).action == WAIT
    assert first.decide([one], 1.0).action == ALONE


def test_the_id_decides_between_groups_which_have_no_date() -> None:
    kind = KIND._replace(usable=lambda _record: True, alike=alike_in())
    assert Contest(kind, "b", "b", 0.0).decide([{"id": "a"}, {"id": "b"}], 0.0) == (GIVE_WAY, {"id": "a"})


def test_the_first_object_is_deleted_where_the_other_one_stays() -> None:
    """The other run had looked before the first one was listed, or nobody waits for the other one."""
    first, rows = contest("a"), [row("a", 1), row("b", 2)]
    assert first.decide(rows, 0.0).action == WAIT
    assert first.decide(rows, LEAST - 0.1).action == WAIT
    assert first.decide(rows, LONG) == (GIVE_WAY, row("b", 2))
    assert first.yields_late


def test_a_run_waits_longer_for_the_other_run_after_a_long_job() -> None:
    """A run looks at its jobs after a tenth of their time, so after a long job it sees duplicates late."""
    rows = [row("a", 1), row("b", 2)]
    for took, answer in ((0.0, GIVE_WAY), (20.0, WAIT)):
        first = contest("a")
        first.decide(rows, took)
        assert first.decide(rows, took + LEAST + 2).action == answer
        assert first.decide(rows, took + MOST).action == GIVE_WAY


def test_no_run_deletes_while_the_other_object_is_being_made() -> None:
    first, later = contest("a"), contest("b")
    rows = [row("a", 1, "Starting"), row("b", 2, "Starting")]
    for now in (0.0, 100.0, 500.0):
        assert first.decide([row("a", 1), rows[1]], now).action == WAIT
        assert later.decide([rows[0], row("b", 2)], now).action == WAIT
    rows = [row("a", 1), row("b", 2)]
    assert first.decide(rows, 501.0).action == WAIT
    assert first.decide(rows, 501.0 + LONG).action == GIVE_WAY
    assert later.decide(rows, 501.0).action == GIVE_WAY


def test_a_disturbance_makes_the_first_run_wait_again() -> None:
    first, rows = contest("a"), [row("a", 1), row("b", 2)]
    first.decide(rows, 0.0)
    first.disturb(LONG)
    assert first.decide(rows, LONG + 1).action == WAIT
    assert first.decide(rows, 2 * LONG).action == GIVE_WAY


def test_only_the_first_of_three_runs_waits() -> None:
    rows = [row("a", 1), row("b", 1), row("c", 1)]
    assert [contest(own).decide(rows, 0.0).action for own in "abc"] == [WAIT, GIVE_WAY, GIVE_WAY]
    assert {contest(own).decide(rows, 0.0).other["id"] for own in "bc"} == {"a"}


@pytest.mark.parametrize(
    ("other", "reason"),
    [(row("b", template="u"), "which is not alike"), (row("b", state="Error"), "which can't be used: it is Error")],
)
def test_an_object_that_cannot_stay_instead_is_an_error_in_both_runs(other: Record, reason: str) -> None:
    with pytest.raises(CloudnError, match=f"this run made a, .* b, {reason}: delete one of the two by its id"):
        contest("a").decide([row("a"), other], 0.0)


def test_unlike_objects_are_an_error_for_either_run() -> None:
    rows = [row("a", template="t"), row("b", template="u")]
    for own, other in itertools.permutations("ab"):
        with pytest.raises(CloudnError, match=f"this run made {own}, .* {other}, which is not alike"):
            contest(own).decide(rows, 0.0)


def test_a_run_that_gave_way_waits_until_one_object_is_left_and_takes_it() -> None:
    one = contest("c")
    rows = [row("a", 1), row("b", 1), row("c", 1)]
    assert one.decide(rows, 0.0).other["id"] == "a"
    one.move("a")
    assert one.decide(rows, 1.0).action == WAIT
    assert one.decide(rows[:1], 2.0).action == WAIT
    assert one.decide(rows[:1], 2.0 + GAP).action == ALONE
    assert one.decide(rows[1:2], 4.0) == (TAKE, rows[1])
    assert one.decide([], 5.0).action == NONE


def test_a_run_that_gave_way_sees_that_the_other_object_stays_for_a_while() -> None:
    """Its run may have given way at the same moment."""
    one = contest("b")
    one.decide([row("a", 1), row("b", 2)], 0.0)
    one.move("a")
    assert one.decide([row("a")], 0.1).action == WAIT
    assert one.decide([row("a", state="Starting")], 2.0).action == WAIT
    assert one.decide([row("a")], 2.1).action == WAIT
    assert one.decide([], 2.2).action == NONE


def test_a_deleted_object_that_is_still_listed_does_not_count() -> None:
    one = contest("b")
    one.move("a")
    one.decide([row("a"), row("b")], 0.0)
    assert one.decide([row("a"), row("b")], GAP).action == ALONE


def test_several_objects_that_nobody_deletes_are_an_error_that_names_all() -> None:
    one, rows = contest(None, "a"), [row("a"), row("b")]
    assert one.decide(rows, 0.0).action == WAIT
    with pytest.raises(CloudnError, match=r"\(a, b\), and nobody has deleted any .* Delete all but one by their ids"):
        one.decide(rows, PATIENCE)


def test_an_object_of_this_run_that_is_not_listed_yet_is_waited_for() -> None:
    one = contest("a")
    assert one.decide([row("b")], 0.0).action == WAIT
    assert one.decide([row("b", 2), row("a", 1)], 0.5).action == WAIT


def test_an_object_of_this_run_that_somebody_deleted_is_replaced_by_the_other_one() -> None:
    one = contest("a")
    one.decide([row("b")], 0.0)
    assert one.decide([row("b")], 10.0) == (TAKE, row("b"))
    alone = contest("a")
    alone.decide([], 0.0)
    assert alone.decide([], 10.0).action == ALONE
