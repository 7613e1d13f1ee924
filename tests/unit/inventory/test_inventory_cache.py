# Copyright: (c) 2026, the cloudn.compute authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Entries of the inventory's cache that another version or somebody else has written: noticed, and made anew."""

from __future__ import annotations

import copy
import hashlib
import json
import pathlib
from collections.abc import Callable
from typing import Any

import pytest
from ansible.plugins.inventory import get_cache_plugin
from ansible_collections.cloudn.compute.plugins.module_utils.resources.vm import view
from ansible_collections.cloudn.compute.plugins.plugin_utils import inventory_cache
from ansible_collections.cloudn.compute.plugins.plugin_utils.inventory_cache import (
    FIELDS,
    NIC_FIELDS,
    VERSION,
    make_entry,
    read_entry,
)
from samples import NEW

Read = Callable[..., Any]
# A digest of the fields of each version. If the fields change, add a row and raise VERSION.
VERSIONS = {1: "20152ee8e74f"}


@pytest.fixture
def site(run_module: Callable[..., Any], emulator: Any) -> None:
    run_module("cloudn_security_group", name="web")
    run_module("cloudn_vm", name="web1", tags={"role": "web"}, group="front", security_groups=["web"], **NEW)
    run_module("cloudn_vm", name="db1", **NEW)
    emulator.clear()


@pytest.fixture
def cached(tmp_path: pathlib.Path) -> dict[str, Any]:
    return {"cache": True, "cache_plugin": "ansible.builtin.jsonfile", "cache_connection": str(tmp_path / "cache")}


def test_the_version_stands_for_the_fields() -> None:
    digest = hashlib.sha256(json.dumps([sorted(FIELDS), sorted(NIC_FIELDS)]).encode()).hexdigest()[:12]
    assert VERSIONS[VERSION] == digest
    assert max(VERSIONS) == VERSION


def test_the_fields_are_those_of_a_machine() -> None:
    shown = view.to_result({"id": "1", "nic": [{}]})
    assert (shown.keys(), shown["nics"][0].keys()) == (FIELDS, NIC_FIELDS)


ENTRIES = {
    "before versions": lambda entry: {"asked": entry["asked"], "machines": entry["machines"]},
    "next version": lambda entry: {**entry, "version": VERSION + 1},
    "version as text": lambda entry: {**entry, "version": str(VERSION)},
    "no version": lambda entry: {**entry, "version": None},
    "version as list": lambda entry: {**entry, "version": [VERSION]},
    "without machines": lambda entry: {"version": entry["version"], "asked": entry["asked"]},
    "without request": lambda entry: {"version": entry["version"], "machines": entry["machines"]},
    "odd request": lambda entry: {**entry, "asked": {}},
    "machines as dictionary": lambda entry: {**entry, "machines": {"web1": entry["machines"][0]}},
    "machines as text": lambda entry: {**entry, "machines": "web1"},
    "no machine": lambda entry: {**entry, "machines": [None]},
    "an id for a machine": lambda entry: {**entry, "machines": [entry["machines"][0]["id"]]},
    "a machine twice": lambda entry: {**entry, "machines": entry["machines"][:1] * 2},
    "an empty machine": lambda entry: {**entry, "machines": [*entry["machines"], {}]},
    "one field less": lambda entry: {**entry, "machines": [without(entry["machines"][0], "default_ip")]},
    "one field more": lambda entry: {**entry, "machines": [{**entry["machines"][0], "new": None}]},
    "none": lambda _entry: None,
    "a list": lambda entry: [entry],
    "a text": lambda _entry: "machines",
    "a number": lambda _entry: 1,
    "nothing in it": lambda _entry: {},
}
CONTENTS = {
    "empty": b"",
    "cut": b'{"version": 1, "asked": ',
    "no JSON": b"<html>",
    "bytes": bytes(range(256)),
    "deep": b"[" * 100_000,
    "an empty object": b"{}",
    "another object": b'{"a": 1}',
}


def opened(folder: pathlib.Path) -> Any:
    """Return the cache in a folder, as Ansible opens it for an inventory."""
    return get_cache_plugin("ansible.builtin.jsonfile", _uri=str(folder), _prefix="ansible_inventory_")


def entry_in(folder: pathlib.Path) -> tuple[str, Any]:
    """Return the key and the value of the only entry of a cache."""
    cache = opened(folder)
    cache.load_whole_cache()
    entries = list(cache.items())
    assert len(entries) == 1
    return entries[0]


def without(record: dict[str, Any], name: str) -> dict[str, Any]:
    return {key: value for key, value in record.items() if key != name}


@pytest.mark.parametrize("kind", [*ENTRIES, *CONTENTS])
def test_an_entry_that_cannot_be_used_is_made_anew(
    site: None, read: Read, emulator: Any, cached: Any, tmp_path: pathlib.Path, kind: str
) -> None:
    first = read(**cached)
    (kept,) = (tmp_path / "cache").iterdir()
    key, before = entry_in(kept.parent)
    if kind in ENTRIES:
        cache = opened(kept.parent)
        cache[key] = ENTRIES[kind](before)
        cache.set_cache()
    else:
        kept.write_bytes(CONTENTS[kind])
    emulator.clear()
    inventory = read(**cached)
    assert inventory.code == 0, inventory.said
    assert (inventory.hosts, inventory.groups) == (first.hosts, first.groups)
    assert len(emulator.requests) == 1
    assert "the entry in the cache can't be used (it " in inventory.said
    assert "cloudn.yml: the entry" in inventory.said
    again = read(**cached)
    assert (again.hosts, again.said, len(emulator.requests)) == (first.hosts, "", 1)
    assert entry_in(kept.parent) == (key, before)


def test_a_cache_that_cannot_be_read_is_made_anew(
    site: None, read: Read, emulator: Any, cached: Any, tmp_path: Any
) -> None:
    """A folder has the name of the file."""
    read(**cached)
    (kept,) = (tmp_path / "cache").iterdir()
    kept.unlink()
    kept.mkdir()
    inventory = read(**cached)
    assert (inventory.code, inventory.hosts.keys()) == (0, {"web1", "db1"})
    assert "cache" in inventory.said  # Ansible or the plugin says it


@pytest.mark.parametrize("response_format", ["json", "xml"])
def test_what_is_written_can_be_read(site: None, read: Read, emulator: Any, cached: Any, response_format: str) -> None:
    options = {**cached, "response_format": response_format, "states": []}
    first, again = read(**options), read(**options)
    assert (again.hosts.keys(), again.said) == ({"web1", "db1"}, "")
    assert (again.hosts, len(emulator.requests)) == (first.hosts, 1)


@pytest.fixture
def machines(site: None, client: Any) -> list[dict[str, Any]]:
    return view.inventory(client, [], [], {})


def test_entries_of_other_requests_are_not_damaged(machines: list[dict[str, Any]]) -> None:
    entry = make_entry("one", machines)
    assert read_entry(entry, "one") == (machines, None)
    assert read_entry(entry, "other") == (None, None)


def test_a_machine_with_a_value_of_a_wrong_type_is_noticed(machines: list[dict[str, Any]]) -> None:
    """Each field, also of the NICs, with each type that it can't have."""
    odd = [{"a": "b"}, ["a", {}], [["a"]], {"a": ["b"]}]
    for name in sorted(FIELDS):
        texts = [1, 1.5, True] if name in inventory_cache._TEXTS else []
        for value in [*odd, *texts, *([None] if name in ("id", "nics", "tags", "security_groups") else [])]:
            if name == "tags" and value == {"a": "b"}:
                continue
            entry = make_entry("one", [{**machines[0], name: value}, machines[1]])
            assert read_entry(entry, "one") == (None, "it is damaged"), (name, value)
        entry = make_entry("one", [machines[1], without(machines[0], name)])
        assert read_entry(entry, "one") == (None, "it is damaged"), name
    for name in sorted(NIC_FIELDS):
        for value in ({}, ["a"]):
            entry = copy.deepcopy(make_entry("one", machines))
            entry["machines"][0]["nics"][0][name] = value
            assert read_entry(entry, "one") == (None, "it is damaged"), name
        entry = copy.deepcopy(make_entry("one", machines))
        del entry["machines"][1]["nics"][0][name]
        assert read_entry(entry, "one") == (None, "it is damaged"), name
