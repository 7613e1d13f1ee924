# Copyright: (c) 2026, the cloudn.compute authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Long lists are whole on both generations, however the service cuts them into pages and whatever comes and goes."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from ansible_collections.cloudn.compute.plugins.module_utils.api import Client, paging
from cloudn_emulator import Emulator
from cloudn_emulator.models import Tag, Volume
from hypothesis import given
from hypothesis import strategies as st

QUERIES = {"listTemplates": {"templatefilter": "executable"}}
CHANGES = st.lists(
    st.fixed_dictionaries({"change": st.sampled_from(["appear", "vanish"]), "nth": st.integers(1, 8)}), max_size=3
)


@pytest.fixture(scope="module", params=["3", "4"])
def generation(request: pytest.FixtureRequest) -> Any:
    return request.param


@given(
    count=st.integers(0, 60),
    a_second=st.sampled_from([1, 9, 200]),
    size=st.sampled_from([7, 15, 500]),
    largest=st.sampled_from([20, 500]),
    changes=CHANGES,
)
def test_no_list_is_silently_short_and_nothing_is_told_twice(
    generation: str, count: int, a_second: int, size: int, largest: int, changes: list[dict[str, Any]]
) -> None:
    """``size`` is the server's largest page, ``largest`` the one that the client asks for first."""
    faults = [{"kind": "page", "times": 1, **change} for change in changes]
    with (
        pytest.MonkeyPatch.context() as patch,
        Emulator(generation=generation, vms=count, server={"default.page.size": str(size)}) as emulator,
    ):
        patch.setattr(paging, "LARGEST", largest)
        store = emulator.store
        _add(store, count, a_second)
        client = Client(emulator.url, emulator.api_key, emulator.api_secret)
        for command, table in (
            ("listVirtualMachines", "vms"),
            ("listVolumes", "volumes"),
            ("listTemplates", "templates"),
            ("listTags", "tags"),
            ("listSecurityGroups", "security_groups"),
            ("listOsTypes", "os_types"),
        ):
            before = _ids(store, table)
            if (table, generation) != ("templates", "3"):  # it can't tell if one comes as another goes
                emulator.faults(faults)
            found = client.list(command, QUERIES.get(command))
            emulator.faults([])
            assert before & _ids(store, table) <= {item.get("id", item.get("value")) for item in found}
            # a template is listed once for each of its zones, and tags have no ids
            told = [tuple(item.get(field) for field in ("id", "zoneid", "resourceid", "key")) for item in found]
            assert len(told) == len(set(told))


def _add(store: Any, count: int, a_second: int) -> None:
    """Add volumes, so many of each second, and templates and tags."""
    zone = next(iter(store.zones))
    like = next(iter(store.templates.values()))
    for number in range(count):
        created = 1e9 + number // a_second
        volume = Volume(1000 + number, f"v{number}", store.account.name, f"d{number}", zone, "DATADISK", 1, created)
        store.volumes[volume.id] = volume
        store.templates[f"t{number}"] = replace(like, id=f"t{number}", name=f"t{number}", zone_ids=list(like.zone_ids))
        store.tags[("Volume", volume.id)] = {"k": Tag("k", f"of {number}")}


def _ids(store: Any, table: str) -> set[str]:
    """The ids that a listing must have, of tags their values. Tags go with their objects."""
    if table == "tags":
        tagged = [tags["k"].value for (_kind, id), tags in store.tags.items() if "k" in tags and id in store.volumes]
        return set(tagged)
    objects = getattr(store, table)
    if table == "volumes":
        return {id for id in objects if id.startswith("v")}
    if table == "templates":
        return {id for id in objects if id.startswith("t")}
    if table == "vms":
        return {vm.id for vm in objects.values() if vm.state == "Running"}
    return {id for id, one in objects.items() if table != "security_groups" or one.owner == store.account.name}
