# Copyright: (c) 2026, the cloudn.compute authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Long lists whose order may change from page to page, and whose answers count all objects: whole, or an error."""

from __future__ import annotations

import random
import threading
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from ansible_collections.cloudn.compute.plugins.module_utils.api import Client, CloudnError, counted, paging, unordered
from hypothesis import given, settings
from hypothesis import strategies as st

Change = tuple[int, int]  # so many come and go at the same moment
Order = Callable[[list[int], random.Random], list[int]]


def by_chance(objects: list[int], chance: random.Random) -> list[int]:
    return chance.sample(objects, len(objects))


def newest_first_by_tens(objects: list[int], chance: random.Random) -> list[int]:
    """As CloudStack 4 lists volumes: those of one second in any order."""
    return sorted(by_chance(objects, chance), key=lambda number: -(number // 10))


def newest_first(objects: list[int], chance: random.Random) -> list[int]:
    return sorted(objects, reverse=True)


ORDERS = [by_chance, newest_first_by_tens, newest_first]


class Service:
    """Numbers in pages, each page in an order of its own; after some of its answers the list changes."""

    def __init__(self, count: int, order: Order = by_chance, changes: dict[int, Change] | None = None) -> None:
        self.objects = list(range(count))
        self.stayed = set(self.objects)
        self.order = order
        self.changes = changes or {}
        self.asked: list[paging.Page] = []
        self.chance = random.Random(1)
        self.lock = threading.Lock()
        self.largest = 1000
        self.counts: Callable[[list[int], list[int]], int | None] = lambda shown, all: len(all)

    def fetch(self, page: paging.Page, limit: Any = None) -> paging.Objects:
        """Return a page. Several threads ask, and each answer is of one moment, as a database gives it."""
        with self.lock:
            return self._fetch(page)

    def _fetch(self, page: paging.Page) -> paging.Objects:
        self.asked.append(page)
        size = min(page.size, self.largest)
        start = (page.number - 1) * size
        shown = self.order(self.objects, self.chance)[start : start + size]
        answer = paging.Objects({"id": number} for number in shown)
        answer.total = self.counts(shown, self.objects)
        come, go = self.changes.get(len(self.asked), (0, 0))
        for _gone in range(min(go, len(self.objects))):
            self.objects.pop(self.chance.randrange(len(self.objects)))
        self.objects += range(1000 * len(self.asked), 1000 * len(self.asked) + come)
        self.stayed &= set(self.objects)
        return answer

    def read(self, command: str = "listThings", first: int = 40) -> list[int]:
        if command in unordered.COMMANDS:
            pages: Iterator[Any] = unordered.read(command, self.fetch, lambda: 0.0, None)
        else:
            read = paging.read if command in paging.SOUND else counted.read
            pages = read(command, self.fetch, first, lambda: 0.0, None)
        return [item["id"] for page in pages for item in page]


@pytest.fixture(autouse=True)
def small_pages(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(paging, "LARGEST", 40)


@pytest.mark.parametrize("command", ["listThings", "listTemplates"])
@pytest.mark.parametrize("order", ORDERS)
@pytest.mark.parametrize("count", [0, 1, 39, 40, 41, 79, 80, 81, 300])
def test_all_objects_are_read_once(command: str, order: Order, count: int) -> None:
    service = Service(count, order)
    assert sorted(service.read(command)) == service.objects
    if count < 40:
        assert service.asked == [paging.Page(1, 40)]
    assert len(service.asked) <= (count // 40 + 2) * 20


@pytest.mark.parametrize("command", ["listThings", "listTemplates"])
@pytest.mark.parametrize("order", ORDERS)
@settings(deadline=None, max_examples=60)
@given(
    st.integers(0, 130),
    st.dictionaries(st.integers(1, 14), st.tuples(st.integers(0, 3), st.integers(0, 3)), max_size=5),
)
def test_an_object_that_is_there_all_the_time_is_read(
    command: str, order: Order, count: int, changes: dict[int, Change]
) -> None:
    """Others come and go, also as many at the same moment, so that the count does not show it."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(paging, "LARGEST", 40)
        service = Service(count, order, changes)
        found = service.read(command)
    assert len(found) == len(set(found))
    assert service.stayed <= set(found)


@settings(deadline=None, max_examples=60)
@given(
    st.integers(0, 250),
    st.dictionaries(st.integers(1, 12), st.tuples(st.integers(0, 3), st.integers(0, 3)), max_size=4),
)
def test_a_list_in_order_is_read_where_the_count_is_that_of_the_page(count: int, changes: dict[int, Change]) -> None:
    """As on CloudStack 3: it is not read again, and objects that come and go are no harm."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(paging, "LARGEST", 40)
        service = Service(count, newest_first, changes)
        service.counts = lambda shown, all: len(shown)
        found = service.read()
    assert len(found) == len(set(found))
    assert service.stayed <= set(found)
    assert len(service.asked) <= max(1, count // 20 + 14)


def test_a_list_in_order_takes_no_more_requests_on_cloudstack_3() -> None:
    asked = []
    for number in (0, 39, 40, 41, 300):
        counting, plain = Service(number, newest_first), Service(number, newest_first)
        counting.counts = lambda shown, all: len(shown)
        list(paging.read("listThings", plain.fetch, 40, lambda: 0.0))
        counting.read()
        asked.append((set(counting.asked), set(plain.asked)))
    assert all(counting == plain for counting, plain in asked)


@pytest.mark.parametrize("command", ["listThings", "listTemplates"])
def test_the_first_page_is_not_read_again(command: str) -> None:
    """A list of three pages that stands still: read twice, as one reading proves nothing about its order."""
    service = Service(100, newest_first)
    service.read(command)
    assert service.asked.count(paging.Page(1, 40)) == 1
    assert len(service.asked) == 6


@pytest.mark.parametrize("command", ["listThings", "listTemplates", "listVirtualMachines"])
@pytest.mark.parametrize(("count", "more"), [(3, 1), (40, 1), (100, 1), (100, 1000), (100, 10**9)])
def test_a_list_with_less_than_its_count_is_an_error(command: str, count: int, more: int) -> None:
    service = Service(count, newest_first)
    service.counts = lambda shown, all: len(all) + more
    with pytest.raises(CloudnError, match=f"^{command}: {count} of {count + more} objects .* (id|name)"):
        service.read(command)
    assert len(service.asked) < 200  # pages past the end are asked for at once


def test_a_list_that_never_stands_still_is_an_error() -> None:
    service = Service(100, changes=dict.fromkeys(range(1, 1000), (1, 1)))
    with pytest.raises(CloudnError, match="^listThings: (objects come and go faster|.* of 100 objects)"):
        service.read()
    assert len(service.asked) < 200


@pytest.mark.parametrize("command", ["listThings", "listTemplates"])
@pytest.mark.parametrize("zones", [2, 3])
def test_a_count_of_something_else_hides_nothing(command: str, zones: int) -> None:
    """The service may list an object several times, and count it once."""
    service = Service(120)
    service.counts = lambda shown, all: len(all) // zones if len(all) // zones > len(shown) or len(shown) < 40 else 41
    assert sorted(service.read(command)) == service.objects


@pytest.mark.parametrize("largest", [1, 7, 39])
@pytest.mark.parametrize("command", ["listThings", "listTemplates", "listVirtualMachines"])
def test_a_service_may_cut_pages_to_a_size_of_its_own(command: str, largest: int) -> None:
    """Its pages are not full, but their count shows that there is more."""
    service = Service(90, newest_first)
    service.largest = largest
    assert sorted(service.read(command)) == service.objects


def test_an_empty_page_has_a_count_without_a_list() -> None:
    assert paging.objects({"count": 7}) == []
    assert paging.objects({"count": 7}).total == 7
    assert paging.objects({}).total is None
    assert paging.objects({"count": 1, "thing": [{"id": "1"}]}) == [{"id": "1"}]


class Answers(Client):
    """A client whose service has so many of each thing, and gives them in an order that changes, or in their own."""

    def __init__(self, count: int, order: Order) -> None:
        super().__init__("http://127.0.0.1:9", "key", "secret")
        self.service = Service(count, order)

    def call(self, command: str, params: Any = None, deadline: Any = None) -> dict[str, Any]:
        found = self.service.fetch(paging.Page(params["page"], params["pagesize"]))
        return {"count": found.total, **({"thing": list(found)} if found else {})}


@pytest.mark.parametrize("command", ["listVolumes", "listTags", "listTemplates", "listSnapshots", "listWhatever"])
def test_lists_that_are_not_known_to_be_in_order_are_read_whole(command: str) -> None:
    client = Answers(130, by_chance)
    assert sorted(item["id"] for item in client.list(command)) == list(range(130))


@pytest.mark.parametrize("command", sorted(paging.SOUND))
def test_lists_in_order_are_read_once(command: str) -> None:
    client = Answers(130, newest_first)
    assert sorted(item["id"] for item in client.list(command)) == list(range(130))
    assert len(client.service.asked) <= 4 + paging.FEWEST
