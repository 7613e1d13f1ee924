# Copyright: (c) 2026, the cloudn.compute authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""From any state to any other: check mode tells what is done, it is reached, and then nothing changes any more."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from typing import Any

import pytest
from ansible_collections.cloudn.compute.plugins.module_utils.api import is_read
from hypothesis import given
from hypothesis import strategies as st

Result = dict[str, Any]
Run = Callable[..., Result]
NUMBERS = itertools.count()
NEW = {"zone": "jp-e1a", "template": "CentOS 6.2 64bit"}


def some(**options: st.SearchStrategy[Any]) -> st.SearchStrategy[Result]:
    """Any of these options, each given or not."""
    return st.fixed_dictionaries({}, optional=options)


TAGS = st.dictionaries(st.sampled_from(["role", "env", "鍵"]), st.sampled_from(["a", "b", True, 7, "日本"]), max_size=3)
MACHINE = some(
    state=st.sampled_from(["present", "started", "stopped"]),
    display_name=st.sampled_from(["Web", "ウェブ", "{{ web }}"]),
    group=st.sampled_from(["front", "back"]),
    tags=TAGS,
    purge_tags=st.booleans(),
    allow_restart=st.booleans(),
    os_type=st.sampled_from(["142", "CentOS 6.0 (64-bit)"]),
)
PLAN = st.sampled_from(["v1", "v2", "v4"])
RULE = st.one_of(
    st.fixed_dictionaries(
        {
            "protocol": st.sampled_from(["tcp", "udp"]),
            "ports": st.sampled_from(["22", "80", "8000-8100"]),
            "cidrs": st.lists(
                st.sampled_from(["0.0.0.0/0", "192.0.2.0/24", "198.51.100.7"]), min_size=1, max_size=3, unique=True
            ),
        }
    ),
    st.fixed_dictionaries({"protocol": st.just("icmp"), "cidrs": st.just(["0.0.0.0/0"])}),
    st.fixed_dictionaries({"ports": st.just("22"), "groups": st.just([{"name": "default"}])}),
)
GROUP = some(
    ingress=st.lists(RULE, max_size=4), egress=st.lists(RULE, max_size=2), purge_rules=st.booleans(), tags=TAGS
)
VOLUME = some(tags=TAGS, purge_tags=st.booleans(), force=st.booleans())
PLACE = st.sampled_from(
    [
        {"state": "present"},
        {"state": "detached"},
        {"state": "absent"},
        {"state": "attached", "vm": "one"},
        {"state": "attached", "vm": "two"},
        {"state": "attached", "vm": "two", "device_id": 5},
    ]
)


@pytest.fixture
def converges(run_module: Run, emulator: Any) -> Callable[..., None]:
    """Return a function that tells, does, and does again what a task asks for; also with its lists turned around."""
    emulator.jobs.seconds = 0.005

    def changed() -> list[str]:
        commands = [request["command"] for request in emulator.requests if not is_read(request["command"])]
        emulator.clear()
        return commands

    def play(module: str, **options: Any) -> None:
        changed()
        told = run_module(module, _check=True, _diff=True, **options)
        assert changed() == []
        done = run_module(module, _diff=True, **options)
        if told.get("failed"):
            assert done.get("msg") == told["msg"]
            assert changed() == []
            return
        assert not done.get("failed"), done["msg"]
        assert (done["actions"], done["diff"]) == (told["actions"], told["diff"])
        assert done["changed"] is told["changed"] is bool(changed())
        for again in (options, turned(options)):
            last = run_module(module, _diff=True, **again)
            assert not last.get("failed"), last["msg"]
            assert last["changed"] is False
            assert last["diff"]["before"] == last["diff"]["after"]
            assert changed() == []

    return play


def turned(value: Any) -> Any:
    """The same with every list and dictionary in the opposite order."""
    if isinstance(value, dict):
        return {key: turned(value[key]) for key in reversed(value)}
    return [turned(item) for item in reversed(value)] if isinstance(value, list) else value


@given(first=MACHINE, plan=PLAN, second=MACHINE, other=st.none() | PLAN, then=st.none() | st.just("absent"))
def test_machines(
    converges: Callable[..., None], first: Result, plan: str, second: Result, other: str | None, then: str | None
) -> None:
    name = f"vm{next(NUMBERS)}"
    converges("cloudn_vm", name=name, service_offering=plan, **NEW, **first)
    converges("cloudn_vm", name=name, **second, **({"service_offering": other} if other else {}))
    if then:
        converges("cloudn_vm", name=name, state=then)


@given(names=st.lists(st.integers(0, 4), min_size=1, max_size=4, unique=True), tags=TAGS, state=MACHINE)
def test_several_machines(converges: Callable[..., None], names: list[int], tags: Result, state: Result) -> None:
    start = next(NUMBERS)
    half = [f"vm{start}-{number}" for number in names[::2]]
    converges("cloudn_vm", name=half, service_offering="v1", tags=tags, **NEW)
    converges("cloudn_vm", name=[f"vm{start}-{number}" for number in names], service_offering="v1", **NEW, **state)


@given(first=GROUP, second=GROUP)
def test_security_groups(converges: Callable[..., None], first: Result, second: Result) -> None:
    name = f"group{next(NUMBERS)}"
    converges("cloudn_security_group", name=name, **first)
    converges("cloudn_security_group", name=name, **second)


@given(places=st.lists(PLACE, min_size=1, max_size=3), options=VOLUME)
def test_volumes(run_module: Run, converges: Callable[..., None], places: list[Result], options: Result) -> None:
    if not run_module("cloudn_vm_info")["vms"]:
        run_module("cloudn_vm", name=["one", "two"], service_offering="v1", **NEW)
    name = f"volume{next(NUMBERS)}"
    for place in places:
        converges("cloudn_volume", name=name, zone="jp-e1a", disk_offering="Small", **{**options, **place})
    run_module("cloudn_volume", name=name, state="absent", force=True)
