# Copyright: (c) 2026, the cloudn.compute authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The key pairs of a machine, as CloudStack 3.0 (keypair) and CloudStack 4 (keypairs) show them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from ansible_collections.cloudn.compute.plugins.module_utils.api.decode import decode
from ansible_collections.cloudn.compute.plugins.module_utils.resources.vm import key_pair
from ansible_collections.cloudn.compute.plugins.module_utils.resources.vm import view as vm
from asked import sent_to
from samples import KEY, NEW, OTHER_KEY

PRINTS = [{"name": name, "fingerprint": fingerprint} for name, fingerprint in (("a", "01"), ("b", "02"), ("c", "02"))]


@pytest.mark.parametrize(
    ("record", "names"),
    [
        ({}, []),
        ({"keypair": "ops"}, ["ops"]),
        ({"keypair": "one,still one"}, ["one,still one"]),
        ({"keypairs": "k1,k2"}, ["k1", "k2"]),
        ({"keypairs": ""}, []),
        ({"keypairs": "true"}, ["true"]),
    ],
)
def test_both_generations_show_the_same_fields(record: dict[str, Any], names: list[str]) -> None:
    shown = vm.to_result(record)
    assert shown["key_pairs"] == names
    assert shown["key_pair"] == (names[0] if names else None)


@pytest.mark.parametrize(
    ("record", "wanted", "difference"),
    [
        ({"keypairs": "a,b"}, "b", None),
        ({"keypairs": "a,b"}, "B ", None),
        ({"keypairs": "b"}, "c", None),  # another name of the same key
        ({"keypairs": "a"}, "b", "key_pair is 'a', not 'b'"),
        ({"keypair": "a"}, "b", "key_pair is 'a', not 'b'"),
        ({"keypairs": ""}, "b", "key_pair is none, not 'b'"),
        ({}, "b", "key_pair is none, not 'b'"),
    ],
)
def test_another_pair_than_the_one_asked_for_is_drift(record: dict[str, Any], wanted: str, difference: str) -> None:
    assert key_pair.compare("web1", record, wanted, PRINTS, []) == difference


def test_a_pair_may_have_the_name_of_another_type() -> None:
    body = b"<r><virtualmachine><keypairs>true</keypairs></virtualmachine><virtualmachine><keypairs>1</keypairs></virtualmachine></r>"
    _root, content = decode(body, "listVirtualMachines", 200)
    assert [machine["keypairs"] for machine in content["virtualmachine"]] == ["true", "1"]


Run = Callable[..., dict[str, Any]]
Refused = Callable[..., str]


@pytest.fixture
def pairs(run_module: Run) -> None:
    for name, key in (("deploy", KEY), ("other", OTHER_KEY)):
        run_module("cloudn_key_pair", name=name, public_key=key)


@pytest.mark.parametrize("wanted", ["deploy", "no-such-pair"])
@pytest.mark.generation("3", reason="CloudStack 4 puts a pair into the machine")
def test_a_machine_without_a_pair_is_not_like_one_with_it(
    pairs: None, vm_id: str, refused: Refused, run_module: Run, emulator: Any, wanted: str
) -> None:
    told = refused("cloudn_vm", name="web1", key_pair=wanted)
    assert told.startswith(f"web1: key_pair is none, not {wanted!r}. The service can't change that")
    emulator.clear()
    warned = run_module("cloudn_vm", name="web1", key_pair=wanted, on_immutable_drift="warn")
    assert (warned["changed"], len(warned["warnings"])) == (False, 1)
    assert f"web1: key_pair is none, not {wanted!r}" in warned["warnings"][0]
    ignored = run_module("cloudn_vm", name="web1", key_pair=wanted, on_immutable_drift="ignore")
    assert (ignored["changed"], ignored["warnings"]) == (False, [])
    assert sent_to(emulator) == ["listVirtualMachines"] * 2


@pytest.mark.parametrize("spelling", ["DEPLOY", "Déploy", "deploy  "])
def test_a_machine_has_its_pair_in_any_spelling(
    pairs: None, run_module: Run, beats: Run, emulator: Any, spelling: str
) -> None:
    beats("cloudn_vm", ["deployVirtualMachine"], name="web1", key_pair=spelling, **NEW)
    emulator.clear()
    for again in ("deploy", "Deploy", spelling):
        done = run_module("cloudn_vm", name="web1", key_pair=again)
        assert (done["changed"], done["warnings"]) == (False, [])
    assert sent_to(emulator) == ["listVirtualMachines"] * 3


@pytest.mark.generation("3", reason="CloudStack 4 puts another pair into the machine")
def test_many_machines_are_each_compared(pairs: None, run_module: Run, refused: Refused) -> None:
    run_module("cloudn_vm", name="web1", key_pair="deploy", **NEW)
    run_module("cloudn_vm", name="web2", **NEW)
    assert refused("cloudn_vm", name=["web1", "web2"], key_pair="DEPLOY").startswith("web2: key_pair is none")
