# Copyright: (c) 2026, the cloudn.compute authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Long lists in no order: each object is read once and none is left out, on whichever page it is."""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from ansible_collections.cloudn.compute.plugins.module_utils.api import Client, CloudnError, Deadline, paging, unordered
from hypothesis import given, settings
from hypothesis import strategies as st

Change = Callable[[list[int]], None]


class Service:
    """Numbers that are given in pages, each in an order of its own; after some of its answers the list changes."""

    def __init__(self, count: int, changes: dict[int, Change] | None = None, always_alike: bool = False) -> None:
        self.objects = list(range(count))
        self.stayed = set(self.objects)
        self.changes = changes or {}
        self.always_alike = always_alike
        self.asked: list[paging.Page] = []

    def fetch(self, page: paging.Page, limit: Any = None) -> list[dict[str, Any]]:
        self.asked.append(page)
        seed = str(page) if self.always_alike else len(self.asked)
        order = random.Random(seed).sample(self.objects, len(self.objects))
        if len(self.asked) in self.changes:
            self.changes[len(self.asked)](self.objects)
            self.stayed &= set(self.objects)
        start = (page.number - 1) * page.size
        return [{"id": number} for number in order[start : start + page.size]]

    def read(self, deadline: Deadline | None = None) -> list[int]:
        pages = unordered.read("listThings", self.fetch, lambda: 0.0, deadline)
        return [item["id"] for page in pages for item in page]


@pytest.fixture(autouse=True)
def small_pages(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(paging, "LARGEST", 40)


@pytest.mark.parametrize("always_alike", [False, True])
@pytest.mark.parametrize("count", [0, 1, 39, 40, 41, 79, 80, 81, 300])
def test_all_objects_are_read_once(count: int, always_alike: bool) -> None:
    """The same page may also give the same objects each time."""
    service = Service(count, always_alike=always_alike)
    assert sorted(service.read()) == service.objects
    if count < 40:
        assert service.asked == [paging.Page(1, 40)]


@pytest.mark.parametrize("kind", ["come", "go"])
@settings(deadline=None, max_examples=60)
@given(st.integers(30, 120), st.dictionaries(st.integers(1, 12), st.integers(0, 1000), max_size=4))
def test_an_object_that_is_there_all_the_time_is_read(kind: str, count: int, changes: dict[int, int]) -> None:
    def change(where: int) -> Change:
        if kind == "come":
            return lambda objects: objects.append(1000 + len(objects))
        return lambda objects: objects.pop(where % len(objects)) and None

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(paging, "LARGEST", 40)
        service = Service(count, {after: change(where) for after, where in changes.items()})
        found = service.read()
    assert len(found) == len(set(found))
    assert service.stayed <= set(found)


def test_a_list_that_never_stands_still_is_an_error() -> None:
    service = Service(100, {number: lambda objects: objects.append(len(objects)) for number in range(1, 1000)})
    with pytest.raises(CloudnError, match="listThings: the service changes the order of this list all the time"):
        service.read()


def test_reading_ends_with_the_time_for_the_task() -> None:
    class Late(Deadline):
        def remaining(self) -> float:
            return 0.0

    clock = iter(range(0, 1000, 2))
    service = Service(100)
    with pytest.raises(CloudnError, match="could not be read to its end within the time for the task"):
        list(unordered.read("listThings", service.fetch, lambda: float(next(clock)), Late(1)))
    assert 0 < len(service.asked) < 5


def test_all_templates_of_a_server_are_read_though_pages_miss_some(emulator: Any) -> None:
    """The pages of the emulator overlap and miss some objects, as those of the real server do."""
    client = Client(emulator.url, emulator.api_key, emulator.api_secret)
    store = emulator.store
    like = next(iter(store.templates.values()))
    for number in range(150):
        store.templates[f"t{number}"] = replace(like, id=f"t{number}", name=f"t{number}", zone_ids=[like.zone_ids[0]])
    query = {"templatefilter": "executable"}
    first = client.call("listTemplates", {**query, "page": 1, "pagesize": 100})["template"]
    second = client.call("listTemplates", {**query, "page": 2, "pagesize": 100})["template"]
    assert len({one["id"] for one in first + second}) < 150
    found = [(one["id"], one["zoneid"]) for one in client.list("listTemplates", query)]
    assert len(found) == len(set(found))
    assert {f"t{number}" for number in range(150)} <= {template for template, _zone in found}
