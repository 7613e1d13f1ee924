# Copyright: (c) 2026, the cloudn.compute authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Lists of machines of which the service can't show some: none is left out, and few requests find them."""

from __future__ import annotations

import math
import random
import threading
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from ansible_collections.cloudn.compute.plugins.module_utils.api import (
    ApiError,
    CloudnError,
    Deadline,
    UnknownOutcome,
    paging,
)
from ansible_collections.cloudn.compute.plugins.module_utils.resources.vm import listing as vm_list
from ansible_collections.cloudn.compute.plugins.module_utils.resources.vm import lost as vm_lost
from hypothesis import event, given, settings
from hypothesis import strategies as st

Record = dict[str, Any]
Change = Callable[["Service"], None]


class Service:
    """Stands for a client and the service behind it: machines with numbers for ids, some of which it can't show in full.

    ``moody`` are the numbers of requests that fail though nothing is wrong; ``changes`` come before the request of a number.
    """

    def __init__(self, count: int, broken: Any = (), moody: Any = (), changes: Any = ()) -> None:
        self.ids = [f"{number:06}" for number in range(count)]
        self.stayed = set(self.ids)
        self.broken = {f"{number:06}" for number in broken}
        self.moody = set(moody)
        self.changes: dict[int, list[Change]] = {}
        for number, change in changes:
            self.changes.setdefault(number, []).append(change)
        self.requests: list[tuple[paging.Page, Record]] = []
        self.warnings: list[str] = []
        self.lock = threading.Lock()
        self.chance = random.Random(1)
        self.min_fails = False

    def clock(self) -> float:
        return 0.0

    def warn(self, text: str) -> None:
        self.warnings.append(text)

    def laid(self, _command: str, _query: Record, read: Iterator[list[Record]]) -> Iterator[list[Record]]:
        return read  # nothing is planned

    def page(self, command: str, query: Record, page: paging.Page, limit: Deadline) -> list[Record]:
        with self.lock:
            self.requests.append((page, query))
            for change in self.changes.get(len(self.requests), []):
                change(self)
            self.stayed &= set(self.ids)
            known = [id for id in self.ids if query.get("id") in (None, id)]
            if query.get("id") and not known:
                raise ApiError(f"{command}: no such id (error 431)", command, 431, 431)
            shown = known[(page.number - 1) * page.size : page.number * page.size]
            failing = self.min_fails if "details" in query else self.broken.intersection(shown)
            if failing or len(self.requests) in self.moody:
                raise ApiError(f"{command}: internal (error 530)", command, 530, 530)
            self.chance.shuffle(shown)
            return [{"id": id, "name": f"vm{id}", **({} if "details" in query else {"keypair": "k"})} for id in shown]

    def read(self, first: int) -> dict[str, Record]:
        listed = [machine for page in vm_list.pages(self, {"zoneid": "z"}, first) for machine in page]
        found = {machine["id"]: machine for machine in listed}
        assert len(found) == len(listed), "some are listed twice"
        return found


def lost(found: dict[str, Record]) -> set[str]:
    """Return the ids of those that are marked, and make sure that all others are shown in full."""
    assert all(vm_lost.LOST_KEY in machine or "keypair" in machine for machine in found.values())
    return {id for id, machine in found.items() if vm_lost.LOST_KEY in machine}


def bound(count: int) -> float:
    return 2 * math.log2(count) + 2


@pytest.mark.parametrize("first", [50, 500])
@pytest.mark.parametrize("count", [1, 2, 3, 5, 8, 10, 33, 50, 64, 100, 200, 256, 400, 500, 501, 600, 1100])
def test_a_broken_machine_is_found_wherever_it_is(count: int, first: int) -> None:
    """The search costs no more than the bound beyond the plain listing. At one place it costs less."""
    whole = Service(count)
    whole.read(first)
    places = range(count) if count <= 200 else random.Random(count).sample(range(count), 60)
    most = 0
    for place in places:
        service = Service(count, [place])
        found = service.read(first)
        assert set(found) == set(service.ids)
        assert lost(found) == service.broken
        assert len(service.warnings) == 1
        assert f"vm{place:06} ({place:06})" in service.warnings[0]
        assert all(query["zoneid"] == "z" for _page, query in service.requests)
        most = max(most, len(service.requests) - len(whole.requests))
    assert most <= bound(count)


@pytest.mark.parametrize("broken", [[0], [9_999], [5_000, 5_001], [49, 93, 499, 500], range(1_000, 1_010)])
def test_some_broken_machines_among_ten_thousand_are_found_in_few_requests(broken: Any) -> None:
    whole = Service(10_000)
    whole.read(50)
    service = Service(10_000, broken)
    found = service.read(50)
    assert set(found) == set(service.ids)
    assert lost(found) == service.broken
    assert len(service.requests) - len(whole.requests) <= bound(10_000) * len(broken)


@pytest.mark.parametrize("count", [7, 60, 300])
def test_a_list_of_broken_machines_alone_is_read(count: int) -> None:
    service = Service(count, range(count))
    assert lost(service.read(50)) == set(service.ids)
    assert len(service.warnings) == count


@pytest.mark.parametrize("moody", [[1], [2], [3], [1, 4], [1, 2], [5, 9]])
def test_a_failure_that_passes_is_no_lost_key_pair(moody: list[int]) -> None:
    """A machine that fails only once is not left out and not marked: it is asked for once more."""
    service = Service(120, moody=moody)
    found = service.read(50)
    assert set(found) == set(service.ids)
    assert lost(found) == set()
    assert service.warnings == []


def test_a_failure_of_another_kind_is_reported() -> None:
    service = Service(120, [70])
    service.min_fails = True
    with pytest.raises(UnknownOutcome, match="even without key pairs") as told:
        service.read(50)
    assert told.value.code == 530
    assert len(service.requests) <= 2 + paging.MOST + 2


def vanish(first: int, count: int) -> Change:
    def change(service: Service) -> None:
        del service.ids[first : first + count]

    return change


def appear(count: int) -> Change:
    """The list is cut by age, so new machines come at its end."""

    def change(service: Service) -> None:
        service.ids += [f"new{len(service.ids) + number:04}" for number in range(count)]

    return change


CHANGES = st.lists(
    st.tuples(
        st.integers(1, 40),
        st.one_of(st.builds(vanish, st.integers(0, 300), st.integers(1, 12)), st.builds(appear, st.integers(1, 60))),
    ),
    max_size=5,
)


@settings(deadline=None, max_examples=150)
@given(
    count=st.integers(0, 300),
    broken=st.sets(st.integers(0, 300), max_size=6),
    changes=CHANGES,
    moody=st.sets(st.integers(1, 60), max_size=1),
    first=st.sampled_from([20, 50, 500]),
)
def test_no_machine_that_stays_is_left_out(
    count: int, broken: set[int], changes: Any, moody: set[int], first: int
) -> None:
    service = Service(count, broken, moody, changes)
    try:
        found = service.read(first)
    except CloudnError as error:
        told = str(error)
        event("the list changes too fast" if "come and go faster" in told else "a failure of another kind")
        if "come and go faster" not in told and not moody:
            raise
        return
    assert service.stayed <= set(found)
    assert lost({id: found[id] for id in service.stayed}) == service.broken & service.stayed
    marked = {id for id, machine in found.items() if vm_lost.LOST_KEY in machine}
    assert all(any(id in text for text in service.warnings) for id in marked)
    assert len(service.warnings) <= len(service.broken)


def test_a_machine_that_breaks_meanwhile_is_found_too() -> None:
    service = Service(400, [100], changes=[(12, lambda service: service.broken.add("000300"))])
    assert lost(service.read(50)) == {"000100", "000300"}
