# Copyright: (c) 2026, the cloudn.compute authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The key pairs of a machine, as CloudStack 3.0 (keypair) and CloudStack 4 (keypairs) show them."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.cloudn.compute.plugins.module_utils.api.decode import decode
from ansible_collections.cloudn.compute.plugins.module_utils.resources.vm import key_pair
from ansible_collections.cloudn.compute.plugins.module_utils.resources.vm import view as vm

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
        ({}, "b", None),  # not shown
    ],
)
def test_another_pair_than_the_one_asked_for_is_drift(record: dict[str, Any], wanted: str, difference: str) -> None:
    assert key_pair.compare("web1", record, wanted, PRINTS, []) == difference


def test_a_pair_may_have_the_name_of_another_type() -> None:
    body = b"<r><virtualmachine><keypairs>true</keypairs></virtualmachine><virtualmachine><keypairs>1</keypairs></virtualmachine></r>"
    _root, content = decode(body, "listVirtualMachines", 200)
    assert [machine["keypairs"] for machine in content["virtualmachine"]] == ["true", "1"]
