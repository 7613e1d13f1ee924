# Copyright: (c) 2026, the cloudn.compute authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Pages of lists as CloudStack 4 cuts them, and the setting of the server for their size."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from ansible_collections.cloudn.compute.plugins.module_utils.api import ApiError, Client
from cloudn_emulator import Emulator
from cloudn_emulator.models import Tag, Volume


def client_of(emulator: Emulator) -> Client:
    return Client(emulator.url, emulator.api_key, emulator.api_secret)


def add_volumes(emulator: Emulator, count: int, a_second: int = 9) -> set[str]:
    """Add volumes, so many of each second."""
    store = emulator.store
    zone = next(iter(store.zones))
    for number in range(count):
        one = Volume(
            serial=1000 + number,
            kind="DATADISK",
            id=f"v{number}",
            name=f"d{number}",
            zone_id=zone,
            size=1,
            owner=store.account.name,
            created=1e9 + number // a_second,
        )
        store.volumes[one.id] = one
    return {f"v{number}" for number in range(count)}


def add_tags(emulator: Emulator, count: int) -> None:
    vm = next(iter(emulator.store.vms))
    tags = {f"k{number}": Tag(f"k{number}", str(number)) for number in range(count)}
    emulator.store.tags[("UserVm", vm)] = tags


def add_templates(emulator: Emulator, count: int) -> None:
    templates = emulator.store.templates
    like = next(iter(templates.values()))
    for number in range(count):
        templates[f"t{number}"] = replace(like, id=f"t{number}", name=f"t{number}", zone_ids=list(like.zone_ids))


def pages(client: Client, command: str, size: int, count: int, **query: Any) -> list[dict[str, Any]]:
    answers = [
        client.call(command, {**query, "page": number, "pagesize": size}) for number in range(1, -(-count // size) + 1)
    ]
    return [next(value for value in answer.values() if isinstance(value, list)) for answer in answers]


@pytest.mark.parametrize(("size", "fewest", "most"), [(100, 560, 591), (37, 520, 580), (7, 400, 550)])
def test_pages_of_volumes_overlap_and_miss_some(size: int, fewest: int, most: int) -> None:
    """As measured: 592 volumes, nine a second, gave 585 distinct ones in pages of 100, 576 of 37 and 543 of 7."""
    with Emulator(generation="4") as emulator:
        add_volumes(emulator, 592)
        found = pages(client_of(emulator), "listVolumes", size, 592)
        ids = [one["id"] for page in found for one in page]
        assert len(ids) == 592
        assert fewest < len(set(ids)) < most
        seconds = [one["created"] for page in found for one in page]
        assert seconds == sorted(seconds, reverse=True)
    with Emulator() as emulator:
        add_volumes(emulator, 592)
        ids = [one["id"] for page in pages(client_of(emulator), "listVolumes", size, 592) for one in page]
        assert len(set(ids)) == 592


def test_pages_of_tags_and_templates_overlap_and_miss_more() -> None:
    with Emulator(generation="4", vms=1) as emulator:
        add_tags(emulator, 60)
        keys = [tag["key"] for page in pages(client_of(emulator), "listTags", 20, 60) for tag in page]
        assert len(keys) == 60
        assert len(set(keys)) < 50
        add_templates(emulator, 60)
        found = pages(client_of(emulator), "listTemplates", 20, 60, templatefilter="executable")
        assert len({(one["id"], one["zoneid"]) for page in found for one in page}) < 55


@pytest.mark.parametrize("command", ["listVirtualMachines", "listOsTypes", "listEvents"])
def test_other_pages_join(command: str) -> None:
    with Emulator(generation="4", vms=60) as emulator:
        client = client_of(emulator)
        count = client.call(command)["count"]
        ids = [one["id"] for page in pages(client, command, 7, count) for one in page]
        assert len(set(ids)) == len(ids) == count


@pytest.mark.parametrize("generation", ["3", "4"])
def test_the_server_says_how_large_a_page_may_be(generation: str) -> None:
    with Emulator(generation=generation, vms=30, server={"default.page.size": "20"}) as emulator:
        client = client_of(emulator)
        with pytest.raises(ApiError, match="allowed page size value: 20") as caught:
            client.call("listVirtualMachines", {"page": 1, "pagesize": 21})
        assert caught.value.code == 431
        assert len(client.call("listVirtualMachines", {"page": 1, "pagesize": 20})["virtualmachine"]) == 20
        answer = client.call("listVirtualMachines")
        assert len(answer["virtualmachine"]) == 20
        assert answer["count"] == (20 if generation == "3" else 30)


@pytest.mark.parametrize("generation", ["3", "4"])
@pytest.mark.parametrize("size", ["7", "20", "500"])
def test_the_client_reads_all_lists_whatever_a_page_may_have(generation: str, size: str) -> None:
    with Emulator(generation=generation, vms=61, server={"default.page.size": size}) as emulator:
        volumes = add_volumes(emulator, 92)
        add_tags(emulator, 60)
        add_templates(emulator, 60)
        client = client_of(emulator)
        ids = [one["id"] for one in client.list("listVirtualMachines", first=50)]
        assert sorted(ids) == sorted(emulator.store.vms)
        ids = [one["id"] for one in client.list("listVolumes")]
        assert len(ids) == len(set(ids))
        assert volumes <= set(ids)
        templates = [
            (one["id"], one["zoneid"]) for one in client.list("listTemplates", {"templatefilter": "executable"})
        ]
        assert len(templates) == len(set(templates))
        assert {
            (f"t{number}", zone) for number in range(60) for zone in emulator.store.templates["t0"].zone_ids
        } <= set(templates)
        keys = [tag["key"] for tag in client.list("listTags", {"resourcetype": "UserVm"}) if tag["key"][0] == "k"]
        assert sorted(keys) == sorted(f"k{number}" for number in range(60))
        assert len(client.list("listOsTypes")) == len(emulator.store.os_types)


def test_more_volumes_than_a_page_are_read_whole() -> None:
    """Also while volumes come and go; none is told twice."""
    for change in ("appear", "vanish"):
        with Emulator(generation="4", faults=[{"kind": "page", "change": change, "times": 3}]) as emulator:
            before = add_volumes(emulator, 722)
            ids = [one["id"] for one in client_of(emulator).list("listVolumes")]
            assert len(ids) == len(set(ids))
            assert before & emulator.store.volumes.keys() <= set(ids)
            assert len(emulator.requests) < 60


def test_the_count_of_a_list_that_lags_is_that_of_its_past() -> None:
    lag = {"kind": "lag", "command": "list*", "seconds": 60}
    with Emulator(generation="4", vms=30, faults=[lag]) as emulator:
        client = client_of(emulator)
        assert client.call("listVirtualMachines", {"page": 2, "pagesize": 20})["count"] == 30
        newest = list(emulator.store.vms.values())[-1]
        emulator.store.add_vm(replace(newest, id="young", name="young", created=emulator.store.now()))
        answer = client.call("listVirtualMachines", {"page": 1, "pagesize": 500})
        assert answer["count"] == len(answer["virtualmachine"]) == 30
        assert len(client.list("listVirtualMachines")) == 30
