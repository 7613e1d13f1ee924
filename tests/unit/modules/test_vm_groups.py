# Copyright: (c) 2026, the cloudn.compute authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Groups of machines: names are compared as the service does. A name that it has garbled is left alone."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from ansible_collections.cloudn.compute.plugins.module_utils.api import Client
from samples import NEW

Result = dict[str, Any]
Run = Callable[..., Result]
MOJIBAKE = "東京".encode().decode("latin-1")  # UTF-8 that was read as another encoding


@pytest.fixture
def grouped(run_module: Run, emulator: Any) -> Callable[..., None]:
    """Return a function that makes machines in a group, which the service then lists by another name."""

    def make(group: str, listed_as: str = "", names: tuple[str, ...] = ("web1",)) -> None:
        done = run_module("cloudn_vm", name=list(names), group=group, **NEW)
        assert not done.get("failed"), done
        if listed_as:
            (kept,) = emulator.store.instance_groups.values()
            kept.name = listed_as

    return make


@pytest.mark.parametrize(
    ("group", "other"),
    [("front", "Front"), ("front", "FRONT  "), ("café", "cafe"), ("cafe", "Café"), ("東京", "東京 ")],
)
def test_a_name_that_the_service_takes_for_the_same_is_no_change(
    beats: Run, grouped: Callable[..., None], client: Client, group: str, other: str
) -> None:
    grouped(group)
    done = beats("cloudn_vm", [], name="web1", group=other)
    assert done["vm"]["group"] == group
    assert done["diff"]["before"] == done["diff"]["after"]
    # the service has no second group either
    client.call("updateVirtualMachine", {"id": done["vm"]["id"], "group": other})
    assert [one["name"] for one in client.list("listInstanceGroups")] == [group]


@pytest.mark.parametrize("other", ["back", "東京", "front1", " front"])
def test_a_name_that_the_service_takes_for_another_is_a_change(
    beats: Run, grouped: Callable[..., None], other: str
) -> None:
    grouped("front")
    assert beats("cloudn_vm", ["updateVirtualMachine"], name="web1", group=other)["vm"]["group"] == other


def test_a_new_machine_goes_into_the_group_that_there_is(beats: Run, grouped: Callable[..., None]) -> None:
    grouped("front")
    done = beats("cloudn_vm", ["deployVirtualMachine"], name="web2", group="Front", **NEW)
    assert done["vm"]["group"] == "front"


@pytest.mark.parametrize(
    ("group", "listed_as"),
    [
        ("東京", MOJIBAKE),
        ("東京", "??"),
        ("東京", "\ufffd\ufffd"),
        ("donnees-é", "donnees-Ã©"),
        ("web東京1", f"web{MOJIBAKE}1"),
        ("web…", "webâ€¦"),
    ],
)
@pytest.mark.generation("3", reason="CloudStack 4 garbles no names")
def test_a_garbled_name_is_reported_once_and_left_alone(
    run_module: Run, sent: Callable[[], list[str]], grouped: Callable[..., None], group: str, listed_as: str
) -> None:
    """The real server garbles names of groups beyond ASCII. The emulator does not, so the test garbles them."""
    grouped(group, listed_as, ("web1", "web2"))
    sent()
    for check in (True, False):
        done = run_module("cloudn_vm", name=["web1", "web2"], group=group, _check=check)
        assert done["changed"] is False and sent() == []
        (warning,) = done["warnings"]
        assert repr(group) in warning and repr(listed_as) in warning and "left alone" in warning
        assert done["diff"]["before"] == done["diff"]["after"]


@pytest.mark.parametrize(
    ("group", "listed_as"),
    [("東京", "大阪"), ("été", "données"), ("web東京1", "web東京2"), ("東京", "front"), ("é", "what?")],
)
def test_another_name_that_looks_garbled_is_a_change(
    beats: Run, grouped: Callable[..., None], group: str, listed_as: str
) -> None:
    grouped(listed_as)
    assert beats("cloudn_vm", ["updateVirtualMachine"], name="web1", group=group)["vm"]["group"] == group


@pytest.mark.parametrize(("given", "found"), [("FRONT", ["web1"]), ("front ", ["web1"]), ("fron", [])])
def test_the_info_module_compares_alike(
    run_module: Run, grouped: Callable[..., None], given: str, found: list[str]
) -> None:
    grouped("front")
    assert [vm["name"] for vm in run_module("cloudn_vm_info", group=given)["vms"]] == found
