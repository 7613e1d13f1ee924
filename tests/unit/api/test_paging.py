# Copyright: (c) 2026, the cloudn.compute authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Long lists while objects come and go: what is read, in how many requests, over how many connections."""

from __future__ import annotations

import itertools
import math
import random
import threading
import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from ansible_collections.cloudn.compute.plugins.module_utils.api import (
    ApiError,
    Client,
    CloudnError,
    UnknownOutcome,
    paging,
)
from cloudn_emulator import Emulator
from hypothesis import given, settings
from hypothesis import strategies as st

Change = Callable[[list[int]], None]


class Service:
    """A list of numbers that is given in pages, the order in each as it comes; after some of its answers it changes."""

    def __init__(self, count: int, changes: dict[int, list[Change]] | None = None) -> None:
        self.objects = list(range(count))
        self.stayed = set(self.objects)
        self.changes = changes or {}
        self.asked: list[paging.Page] = []
        self.at_once = self.most_at_once = 0
        self.lock = threading.Condition()
        self.crowd = 0  # so many requests must come together before any but the first is answered
        self.chance = random.Random(1)

    def fetch(self, page: paging.Page, limit: Any = None) -> list[dict[str, Any]]:
        with self.lock:
            self.at_once += 1
            self.most_at_once = max(self.most_at_once, self.at_once)
            start = (page.number - 1) * page.size
            answer = [{"id": number} for number in self.objects[start : start + page.size]]
            self.asked.append(page)
            for change in self.changes.get(len(self.asked), []):
                change(self.objects)
                self.stayed &= set(self.objects)
            self.lock.notify_all()
            if page.number > 1:
                self.lock.wait_for(lambda: self.most_at_once >= self.crowd, timeout=20)
        self.chance.shuffle(answer)
        with self.lock:
            self.at_once -= 1
        return answer

    def read(self, first: int = 20, seconds: float = 0) -> list[int]:
        """Return the objects that are read. Each page seems to take this long."""
        pages = paging.read("listThings", self.fetch, first, lambda: seconds * len(self.asked))
        return [item["id"] for page in pages for item in page]


@pytest.fixture
def small_pages(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(paging, "LARGEST", 40)


def pages_from(first: int, share: int = 1) -> Iterator[paging.Page]:
    page = paging.Page(1, first)
    while True:
        yield page
        page = paging.following(page, share)


def number_of_pages(first: int, count: int, seconds: float) -> int:
    """The number of the first page that is not full, in a list of so many, whose first page takes so long."""
    pages = pages_from(first, paging.SLOW_SHARE if seconds else 1)
    return next(number for number, page in enumerate(pages, 1) if page.number * page.size > count)


@pytest.mark.parametrize("share", [1, paging.SLOW_SHARE])
@pytest.mark.parametrize("first", [20, 50, 500])
def test_each_page_joins_the_one_before(first: int, share: int) -> None:
    end = 0
    for number, page in enumerate(itertools.islice(pages_from(first, share), 200)):
        start = (page.number - 1) * page.size
        assert start <= max(0, end - paging.OVERLAP)
        assert start + page.size > end
        assert page.size <= paging.LARGEST
        # what is read twice is little, once pages are long
        assert number < 10 * share or start + page.size - end > 0.75 * paging.LARGEST
        end = start + page.size


@pytest.mark.parametrize("overlap", [1, 3, 4])
@pytest.mark.parametrize("largest", [2, 4, 5, 8, 20])
def test_pages_go_on_whatever_their_sizes(monkeypatch: pytest.MonkeyPatch, largest: int, overlap: int) -> None:
    """Reading passes a place where pages of every size begin, such as 60 for pages of up to 4."""
    monkeypatch.setattr(paging, "LARGEST", largest)
    monkeypatch.setattr(paging, "OVERLAP", overlap)
    for first, share in itertools.product(range(1, largest + 1), (1, 2)):
        end = 0
        for page in itertools.islice(pages_from(first, share), 300):
            assert 1 <= page.size <= largest
            assert (page.number - 1) * page.size <= end < page.number * page.size
            end = page.number * page.size
        service = Service(130)
        assert sorted(service.read(first)) == list(range(130))


def test_nothing_is_left_out_where_pages_share_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    """Pages of 4 can't share anything at 60. Nothing is left out, whatever vanishes before the next page is read."""
    monkeypatch.setattr(paging, "LARGEST", 4)
    monkeypatch.setattr(paging, "OVERLAP", 1)
    for number in range(1, 60):
        service = Service(100, {number: [lambda objects: objects.__delitem__(slice(0, 3))]})
        assert service.stayed <= set(service.read(4))


def test_a_list_without_an_end_ends_with_the_time_for_the_task(small_pages: None) -> None:
    service = Service(100)
    deadline = paging.Deadline(100, lambda: 5 * len(service.asked))

    def fetch(page: paging.Page, limit: Any) -> list[dict[str, Any]]:
        service.objects += range(len(service.objects), len(service.objects) + 40)
        return service.fetch(page)

    with pytest.raises(
        CloudnError, match="listThings: the list could not be read to its end within the time"
    ) as caught:
        list(paging.read("listThings", fetch, 20, lambda: 5 * len(service.asked), deadline))
    assert 20 <= len(service.asked) <= 20 + paging.MOST
    assert caught.value.command == "listThings"


def test_a_look_after_the_time_for_the_task_reads_more_than_a_page(small_pages: None) -> None:
    service = Service(100)
    over = paging.Deadline(0, lambda: 0.0)
    pages = paging.read("listThings", service.fetch, 20, lambda: 0.1 * len(service.asked), over)
    assert sorted(item["id"] for page in pages for item in page) == list(range(100))


@pytest.mark.parametrize("seconds", [0, 1])
@pytest.mark.parametrize("count", [0, 1, 19, 20, 21, 36, 37, 500])
def test_a_list_that_stands_still_takes_as_few_pages_as_possible(small_pages: None, count: int, seconds: float) -> None:
    service = Service(count)
    assert sorted(service.read(seconds=seconds)) == list(range(count))
    needed = number_of_pages(20, count, seconds)
    in_vain = 0 if count < 20 else (paging.MOST if seconds else paging.FEWEST) - 1
    assert needed <= len(service.asked) <= needed + in_vain


@pytest.mark.parametrize(("count", "most"), [(10_000, 28), (50_000, 112)])
def test_very_long_lists_take_few_requests(count: int, most: int) -> None:
    """A request for every 450 objects, and those read ahead in vain. For 10,000: pages of 500, and eight more."""
    service = Service(count)
    assert len(service.read(first=50)) == count
    assert len(service.asked) <= most
    service = Service(count)
    service.read(first=50, seconds=1)
    needed = number_of_pages(50, count, 1)
    assert needed <= count / 450 + 6
    assert len(service.asked) <= needed + paging.MOST - 1
    assert service.most_at_once <= paging.MOST


def test_pages_come_in_order(small_pages: None) -> None:
    service = Service(400)
    service.crowd = paging.MOST
    pages = list(paging.read("listThings", service.fetch, 20, itertools.count().__next__))
    firsts = [min(item["id"] for item in page) for page in pages if page]
    assert firsts == sorted(firsts)
    assert sum(map(len, pages)) == 400
    assert service.most_at_once == paging.MOST


CHANGES = st.lists(
    st.tuples(st.integers(1, 12), st.sampled_from(["vanish", "appear"]), st.floats(0, 1), st.integers(1, 15)),
    max_size=4,
)


def change(kind: str, where: float, count: int, numbers: itertools.count[int]) -> Change:
    def do(objects: list[int]) -> None:
        at = int(where * len(objects))
        if kind == "vanish":
            del objects[at : at + count]
        else:
            objects[at:at] = list(itertools.islice(numbers, count))

    return do


@settings(deadline=None, max_examples=100)
@given(st.integers(0, 250), CHANGES, st.sampled_from([0, 0.06, 1]))
def test_an_object_that_is_there_all_the_time_is_read_once(
    count: int, changes: list[tuple[int, str, float, int]], seconds: float
) -> None:
    """Objects may come and go anywhere between pages, and pages may be read in any order."""
    numbers = itertools.count(1000)
    service = Service(count)
    for after, kind, where, how_many in changes:
        service.changes.setdefault(after, []).append(change(kind, where, how_many, numbers))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(paging, "LARGEST", 40)
        found = service.read(seconds=seconds)
    assert len(found) == len(set(found))
    assert service.stayed <= set(found)


def test_a_list_that_never_stands_still_is_an_error(small_pages: None) -> None:
    service = Service(2000, {number: [lambda objects: objects.__delitem__(slice(0, 10))] for number in range(1, 100)})
    with pytest.raises(CloudnError, match="listThings: objects come and go faster than the list can be read"):
        service.read()
    assert len(service.asked) < 40


@pytest.mark.parametrize("honours_size", [True, False])
def test_a_service_that_does_not_page_is_recognised(honours_size: bool) -> None:
    things = [{"id": number} for number in range(600)]
    asked = []

    def fetch(page: paging.Page, limit: Any) -> list[dict[str, int]]:
        asked.append(page)
        return things[: page.size] if honours_size else things

    pages = paging.read("listThings", fetch, 20, lambda: 0)
    if honours_size:
        with pytest.raises(CloudnError, match="listThings: the service does not give this list page by page"):
            list(pages)
        assert len(asked) < 20
    else:
        assert list(pages) == [things]
        assert len(asked) == 1


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ({"id": "1", "zoneid": "a"}, {"id": "1", "zoneid": "b"}, False),  # a template, once for each zone
        ({"id": "1", "zoneid": "a", "state": "Running"}, {"id": "1", "zoneid": "a", "state": "Stopped"}, True),
        ({"jobid": "1"}, {"jobid": "2"}, False),
        ({"key": "a", "resourceid": "1"}, {"resourceid": "1", "key": "a"}, True),
        ({"key": "a", "resourceid": "1"}, {"key": "a", "resourceid": "2"}, False),
    ],
)
def test_objects_differ_by_their_id_and_zone(one: dict[str, str], other: dict[str, str], same: bool) -> None:
    assert (paging.identity(one) == paging.identity(other)) is same


# With a server


def test_a_slow_long_list_takes_few_requests_and_connections(monkeypatch: pytest.MonkeyPatch) -> None:
    """The service sees few requests and at most eight connections. A slower service gets more pages at once.

    Smaller pages are for a service that is slow for each object. A busy machine does not count as one here.
    """
    monkeypatch.setattr(paging, "SLOW_SECONDS", math.inf)
    with Emulator(vms=1300, list_ms_per_object=1) as emulator:
        client = Client(emulator.url, emulator.api_key, emulator.api_secret)
        found = client.list("listVirtualMachines", first=50)
        assert {vm["id"] for vm in found} == emulator.store.vms.keys()
        assert len(found) == 1300
        assert len(emulator.requests) <= math.ceil(1300 / paging.LARGEST) + 8
        connections = {request["connection"] for request in emulator.requests}
        assert 2 < len(connections) <= 8


@pytest.mark.parametrize(
    "fault", [{"kind": "status"}, {"kind": "cut"}, {"kind": "unauthorized"}], ids=lambda x: x["kind"]
)
@pytest.mark.parametrize("nth", [1, 2, 3])
def test_an_error_in_any_page_is_the_error_of_the_list(fault: dict[str, str], nth: int) -> None:
    lasting = {**fault, "nth": list(range(nth, 50))}  # a single refusal of credentials is overcome
    with Emulator(vms=200, faults=[lasting]) as emulator:
        client = Client(emulator.url, emulator.api_key, emulator.api_secret, retries=0)
        with pytest.raises((UnknownOutcome, ApiError), match="listVirtualMachines: "):
            client.list("listVirtualMachines", first=50)
        emulator.faults([{**fault, "nth": nth}])
        client = Client(emulator.url, emulator.api_key, emulator.api_secret, sleep=lambda _seconds: None)
        if fault["kind"] != "unauthorized" or nth > 1:
            assert len(client.list("listVirtualMachines", first=50)) == 200


def test_after_an_error_nothing_is_tried_again() -> None:
    """Pages that are still being read do not hold up the error of another page. No thread outlives the list."""
    stopped: list[bool] = []

    class Trouble(Client):
        """Lists fifty things; of the pages after them, the first is refused, the others are tried again and again."""

        def call(self, command: str, params: Any = None, deadline: Any = None) -> dict[str, Any]:
            if params["page"] == 1:
                return {"thing": [{"id": number} for number in range(50)]}
            if params["pagesize"] < 50:
                time.sleep(0.05)
                raise ApiError("refused")
            tries = 0
            while deadline.remaining() and tries < 6000:
                time.sleep(0.01)
                tries += 1
            stopped.append(not deadline.remaining())
            raise UnknownOutcome("no answer")

    before = set(threading.enumerate())  # those of earlier tests may end meanwhile
    with pytest.raises(ApiError, match="refused"):
        Trouble("http://127.0.0.1:9", "key", "secret").list("listThings", first=50)
    assert not set(threading.enumerate()) - before
    assert stopped == [True] * (paging.FEWEST - 1)


def test_a_list_that_is_not_wanted_any_more_is_not_read_on() -> None:
    with Emulator(vms=5000) as emulator:
        client = Client(emulator.url, emulator.api_key, emulator.api_secret)
        pages = client.pages("listVirtualMachines", first=50)
        next(pages)
        next(pages)
        pages.close()
        begun = len(emulator.requests)
        assert begun <= 2 + paging.MOST
        assert len(client.list("listVirtualMachines", first=50)) == 5000
        assert len(emulator.requests) - begun > 2 + paging.MOST


@pytest.mark.parametrize("change", ["appear", "vanish"])
@pytest.mark.parametrize("overlap", [1, 4])
def test_no_machine_is_left_out_while_others_come_and_go(
    monkeypatch: pytest.MonkeyPatch, change: str, overlap: int
) -> None:
    monkeypatch.setattr(paging, "OVERLAP", overlap)
    with Emulator(vms=300, faults=[{"kind": "page", "change": change, "times": 4}]) as emulator:
        before = {vm.id for vm in emulator.store.vms.values()}
        client = Client(emulator.url, emulator.api_key, emulator.api_secret)
        found = [vm["id"] for vm in client.list("listVirtualMachines", first=50)]
        stayed = before & {vm.id for vm in emulator.store.vms.values() if vm.state != "Destroyed"}
        # Two pages share some, so the same machine may be about to vanish with either.
        assert len(stayed) == 300 if change == "appear" else 296 <= len(stayed) < 300
        assert stayed <= set(found)
        assert len(found) == len(set(found))
