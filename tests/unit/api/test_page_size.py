# Copyright: (c) 2026, the cloudn.compute authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Services whose operator has set a smaller page: each list is whole, and the client tries only once how large a page may be."""

from __future__ import annotations

import random
import threading
from typing import Any

import pytest
from ansible_collections.cloudn.compute.plugins.module_utils.api import ApiError, Client, paging
from ansible_collections.cloudn.compute.plugins.module_utils.api.client import listing
from ansible_collections.cloudn.compute.plugins.module_utils.raw import native_command
from ansible_collections.cloudn.compute.plugins.module_utils.resources import key_pair
from ansible_collections.cloudn.compute.plugins.module_utils.resources.vm import listing as vm_listing
from ansible_collections.cloudn.compute.plugins.module_utils.resources.vm.lost import LOST_KEY
from cloudn_emulator import Emulator

COMMANDS = ["listVirtualMachines", "listVolumes", "listTemplates", "listThings"]


class Service(Client):
    """A client whose service has so many of each thing, in pages of at most so many. ``gone`` is an unknown id."""

    def __init__(self, count: int, most: int, code: int = 431, counts_all: bool = True) -> None:
        super().__init__("http://127.0.0.1:9", "key", "secret")
        self.things = [{"id": str(number), "name": f"n{number}"} for number in range(count)]
        self.most = most
        self.refusal = code
        self.counts_all = counts_all
        self.asked: list[int | None] = []
        self.chance = random.Random(1)
        self.lock = threading.Lock()

    def call(self, command: str, params: Any = None, deadline: Any = None) -> dict[str, Any]:
        size = params.get("pagesize")
        self.asked.append(size)
        if params.get("id") == "gone":
            raise ApiError(f"{command}: gone", command, 431, 431)
        if (size or 0) > self.most:
            raise ApiError(f"{command}: page size {size}", command, self.refusal, self.refusal)
        size = size or self.most
        start = (params.get("page", 1) - 1) * size
        things = self.things
        if command not in paging.SOUND and (self.counts_all or command == "listTemplates"):
            with self.lock:
                things = self.chance.sample(things, len(things))
        shown = things[start : start + size]
        count = len(things) if self.counts_all else len(shown)
        return {**({"count": count} if count else {}), **({"thing": shown} if shown else {})}

    def ids(self, command: str, **how: Any) -> list[int]:
        return sorted(int(item["id"]) for item in self.list(command, **how))


@pytest.mark.parametrize("counts_all", [True, False])
@pytest.mark.parametrize("code", [431, 433])
@pytest.mark.parametrize("most", [1, 3, 40, 100, 250, 499])
@pytest.mark.parametrize("command", COMMANDS)
def test_lists_are_whole_whatever_the_largest_page(command: str, most: int, code: int, counts_all: bool) -> None:
    count = 600 if most >= 40 else 9
    service = Service(count, most, code, counts_all)
    assert service.ids(command) == list(range(count))
    assert service.asked.count(None) == (code == 431)
    assert service.page_size.largest <= most
    # Later lists begin with the size that is known.
    for other in COMMANDS:
        begun = len(service.asked)
        assert service.ids(other) == list(range(count))
        assert all(size <= most for size in service.asked[begun:] if size is not None)
        assert None not in service.asked[begun:]


def test_a_list_without_a_page_tells_the_size() -> None:
    service = Service(600, 120)
    service.ids("listVirtualMachines")
    assert service.asked[:3] == [500, None, 120]
    service = Service(100, 120)
    service.ids("listVirtualMachines")
    assert service.asked == [500, None, 250, 125, 62, service.asked[-1]]
    service = Service(100, 120, 433)
    service.ids("listVirtualMachines")
    assert service.asked[:4] == [500, 250, 125, 62]


@pytest.mark.parametrize("code", [431, 433])
def test_a_small_first_page_is_read_on(code: int) -> None:
    """As the inventory reads: its first page is allowed, and later ones are too large."""
    service = Service(600, 60, code)
    assert service.ids("listVirtualMachines", first=50) == list(range(600))
    service = Service(600, 60, code)
    pages = vm_listing.pages(service, {}, 50)
    assert sorted(int(item["id"]) for page in pages for item in page) == list(range(600))
    assert service.ids("listVirtualMachines", first=50) == list(range(600))
    service = Service(600, 30, code)
    assert service.ids("listVirtualMachines", first=50) == list(range(600))


@pytest.mark.parametrize("command", COMMANDS)
def test_an_ordinary_service_gets_no_request_more(command: str) -> None:
    service = Service(200, 500)
    service.ids(command)
    assert service.asked == [500]


def test_a_refused_parameter_is_told_as_it_is() -> None:
    service = Service(10, 500)
    with pytest.raises(ApiError, match="gone"):
        service.list("listVirtualMachines", {"id": "gone"})
    assert service.asked == [500, None]
    assert listing(service, "listVolumes", {"id": "gone"}, "id") == []
    assert service.page_size.largest == 500


def test_a_refused_parameter_is_no_request_more_once_the_size_is_known() -> None:
    service = Service(10, 500)
    service.ids("listVolumes")
    assert listing(service, "listVolumes", {"id": "gone"}, "id") == []
    assert service.asked == [500, 500]


def test_an_unknown_id_is_not_taken_for_a_large_page() -> None:
    """The object of a known id is found, also with the first list of a client, where a page is refused with the same code."""
    service = Service(3, 2)
    assert listing(service, "listVolumes", {"id": "1"}, "id")
    service = Service(3, 2)
    assert listing(service, "listVolumes", {"id": "gone"}, "id") == []
    assert service.ids("listVolumes") == [0, 1, 2]


def test_where_no_size_is_taken_the_first_refusal_is_told() -> None:
    for code in (431, 433):
        service = Service(10, 0, code)
        service.most = 0
        with pytest.raises(ApiError, match="page size 500") as caught:
            service.list("listVirtualMachines")
        assert caught.value.code == code
        assert len(service.asked) < 12
        assert service.page_size.largest == 500


def test_lists_that_show_only_a_first_page_know_the_size() -> None:
    service = Service(600, 100)
    answer = native_command._all_pages(service, "listVirtualMachines", {})
    assert answer["count"] == len(answer["thing"]) == 600
    service = Service(20, 100)
    assert [pair["name"] for pair in key_pair._found(service, "n7")] == ["n7"]


@pytest.mark.parametrize("first", [50, 500])
def test_machines_that_the_service_fails_to_list_are_found_in_small_pages(first: int) -> None:
    """CloudStack 3 fails over a machine whose key pair is gone. The others are listed in full."""
    with Emulator(vms=150, server={"default.page.size": "20"}) as emulator:
        for vm in list(emulator.store.vms.values())[10:150:60]:
            vm.public_key = "ssh-rsa gone"
        client = Client(emulator.url, emulator.api_key, emulator.api_secret, retries=0)
        found = [item for page in vm_listing.pages(client, {}, first) for item in page]
        assert sorted(item["id"] for item in found) == sorted(emulator.store.vms)
        assert sum(LOST_KEY in item for item in found) == len(client.warnings) == 3


@pytest.mark.parametrize("code", [401, 429, 532])
def test_a_size_is_not_judged_by_another_refusal(code: int) -> None:
    """Else a list that is refused for its size would seem to find nothing."""
    service = Service(10, 5)
    refused = ApiError("refused", "listVolumes", code, code)
    call = service.call

    def answer(command: str, params: Any = None, deadline: Any = None) -> dict[str, Any]:
        if "pagesize" not in params:
            raise refused
        return call(command, params, deadline)

    service.call = answer  # type: ignore[method-assign]
    with pytest.raises(ApiError) as caught:
        listing(service, "listVolumes", {"id": "1"}, "id")
    assert caught.value is refused
