# Copyright: (c) 2026, the cloudn.compute authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Keys of tags are compared as the service does: case, accents and blanks at the end do not count. Values are exact."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from ansible_collections.cloudn.compute.plugins.module_utils.api import Client
from samples import NEW

Result = dict[str, Any]
Run = Callable[..., Result]
MACHINE = {"name": "web1", **NEW}
VOLUME = {"name": "data", "zone": "jp-e1a", "disk_offering": "Small"}
KINDS = [
    pytest.param("cloudn_vm", MACHINE, id="vm"),
    pytest.param("cloudn_volume", VOLUME, id="volume"),
    pytest.param("cloudn_security_group", {"name": "front"}, id="security group"),
]
STORED = {"role": "web", "Café": "yes"}
SPELLINGS = [{"Role": "web", "cafe": "yes"}, {"ROLE  ": "web", "CAFÉ ": "yes"}]


@pytest.fixture
def stored(client: Client) -> Callable[[], dict[str, str]]:
    """Return a function that reads all tags that the account has."""
    return lambda: {tag["key"]: tag["value"] for tag in client.list("listTags")}


@pytest.mark.parametrize(("module", "options"), KINDS)
def test_a_key_in_another_spelling_is_the_one_that_is_there(
    run_module: Run, beats: Run, stored: Callable[[], dict[str, str]], module: str, options: Result
) -> None:
    assert not run_module(module, **options, tags=STORED).get("failed")
    for spelling in SPELLINGS:
        same = beats(module, [], **options, tags=spelling)
        assert same["diff"]["after"][options["name"]]["tags"] == STORED
    beats(module, ["createTags", "deleteTags"], **options, tags={"ROLE": "db"}, purge_tags=False)
    assert stored() == {**STORED, "role": "db"}
    beats(module, ["deleteTags"], **options, tags={"rôle": "db"})
    assert stored() == {"role": "db"}


def test_values_are_compared_exactly(run_module: Run, beats: Run, stored: Callable[[], dict[str, str]]) -> None:
    run_module("cloudn_vm", **MACHINE, tags={"role": "web"})
    beats("cloudn_vm", ["createTags", "deleteTags"], **MACHINE, tags={"Role": "Web"})
    assert stored() == {"role": "Web"}


@pytest.mark.parametrize(("module", "options"), KINDS)
@pytest.mark.parametrize("given", [{"Role": "a", "role": "b"}, {"café": "a", "Cafe ": "a"}, {"İ": 1, "i": 1}])
def test_two_spellings_of_one_key_are_refused(
    refused: Callable[..., str], emulator: Any, module: str, options: Result, given: Result
) -> None:
    emulator.clear()
    said = refused(module, **options, tags=given)
    one, other = (repr(key) for key in given)
    assert said.startswith(f"tags: {one} and {other} are one key to the service")
    assert emulator.requests == []


def test_lists_find_by_a_key_in_any_spelling(run_module: Run) -> None:
    run_module("cloudn_vm", **MACHINE, tags=STORED)
    run_module("cloudn_volume", **VOLUME, tags=STORED)
    run_module("cloudn_security_group", name="front", tags=STORED)
    for module, plural in [
        ("cloudn_vm_info", "vms"),
        ("cloudn_volume_info", "volumes"),
        ("cloudn_security_group_info", "security_groups"),
    ]:
        for spelling in SPELLINGS:
            assert len(run_module(module, tags=spelling)[plural]) == 1
        assert run_module(module, tags={"Role": "Web"})[plural] == []
