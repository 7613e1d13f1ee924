# Copyright: (c) 2026, the cloudn.compute authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""From any state to any other: check mode tells what is done, it is reached, and then nothing changes any more.

What is reached is read from the service itself, and compared with what the options mean, said here once more in another way.
"""

from __future__ import annotations

import ipaddress
import itertools
import re
from collections.abc import Callable
from typing import Any

import pytest
from ansible_collections.cloudn.compute.plugins.module_utils.api import Client
from asked import changes_sent_to
from hypothesis import given
from hypothesis import strategies as st

Result = dict[str, Any]
Run = Callable[..., Result]
NUMBERS = itertools.count()
NEW = {"zone": "jp-e1a", "template": "CentOS 6.2 64bit"}


def some(**options: st.SearchStrategy[Any]) -> st.SearchStrategy[Result]:
    """Any of these options, each given or not."""
    return st.fixed_dictionaries({}, optional=options)


TAG = st.tuples(st.sampled_from(["role", "Role", "env", "鍵"]), st.sampled_from(["a", "b", True, 7, "日本"]))
TAGS = st.lists(TAG, max_size=3, unique_by=lambda tag: tag[0].lower()).map(dict)
MACHINE = some(
    state=st.sampled_from(["present", "started", "stopped"]),
    display_name=st.sampled_from(["Web", "ウェブ", "{{ web }}"]),
    group=st.sampled_from(["front", "FRONT ", "back"]),
    tags=TAGS,
    purge_tags=st.booleans(),
    allow_restart=st.booleans(),
    os_type=st.sampled_from(["CentOS 5.6 (64-bit)", "CentOS 6.0 (64-bit)"]),
    security_groups=st.sampled_from([["default"], ["default", "web"]]),
    on_immutable_drift=st.sampled_from(["fail", "warn", "ignore"]),
)
PLAN = st.sampled_from(["v1", "v2", "v4"])
RULE = st.one_of(
    st.fixed_dictionaries(
        {
            "protocol": st.sampled_from(["tcp", "udp"]),
            "ports": st.sampled_from(["22", "80", "8000-8100"]),
            "cidrs": st.lists(
                st.sampled_from(["0.0.0.0/0", "192.0.2.0/24", "192.0.2.9/24", "198.51.100.7"]),
                min_size=1,
                max_size=3,
                unique=True,
            ),
        }
    ),
    st.fixed_dictionaries({"protocol": st.just("icmp"), "cidrs": st.just(["0.0.0.0/0"])}),
    st.fixed_dictionaries(
        {"ports": st.just("22"), "groups": st.sampled_from([[{"name": "default"}], [{"name": "DEFAULT "}]])}
    ),
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
def converges(run_module: Run, emulator: Any) -> Callable[..., bool]:
    """Return a function that tells, does, and does again what a task asks for; also with its lists turned around.

    It returns whether that can be done at all; where not, check mode must have said so, and nothing is changed.
    """
    emulator.settings.job_seconds = 0.005

    def changed() -> list[str]:
        commands = changes_sent_to(emulator)
        emulator.clear()
        return commands

    def play(module: str, **options: Any) -> bool:
        changed()
        told = run_module(module, _check=True, _diff=True, **options)
        other = run_module(module, _check=True, _diff=True, **turned(options))
        assert changed() == []
        assert (words(told.get("actions")), told.get("diff")) == (words(other.get("actions")), other.get("diff"))
        done = run_module(module, _diff=True, **options)
        if told.get("failed"):
            assert done.get("msg") == told["msg"]
            assert other.get("failed")
            assert changed() == []
            return False
        assert not done.get("failed"), done["msg"]
        assert (done["actions"], done["diff"]) == (told["actions"], told["diff"])
        assert done["changed"] is told["changed"] is bool(changed())
        for again in (options, turned(options)):
            last = run_module(module, _diff=True, **again)
            assert not last.get("failed"), last["msg"]
            assert last["changed"] is False
            assert last["diff"]["before"] == last["diff"]["after"]
            assert changed() == []
        return True

    return play


def turned(value: Any) -> Any:
    """Return the same with every list and dictionary in the opposite order."""
    if isinstance(value, dict):
        return {key: turned(value[key]) for key in reversed(value)}
    return [turned(item) for item in reversed(value)] if isinstance(value, list) else value


def words(actions: list[str] | None) -> list[list[str]]:
    """Return actions without their order."""
    return sorted(sorted(re.findall(r"[^\s,]+", action)) for action in actions or [])


# What the service has


def system(client: Client, os_type: str) -> str:
    """Return the name of an OS type."""
    (found,) = client.list("listOsTypes", {"id": os_type})
    return str(found["description"])


def machine(client: Client, name: str) -> Result:
    """Return a machine in the words of the options, empty where there is none."""
    found = [vm for vm in client.list("listVirtualMachines") if vm["name"] == name]
    return {
        key: value
        for vm in found
        for key, value in {
            "state": vm["state"],
            "display_name": vm["displayname"],
            "group": one_name(vm.get("group")),
            "service_offering": vm["serviceofferingname"],
            "os_type": system(client, vm["guestosid"]),
            "security_groups": {group["name"] for group in vm["securitygroup"]},
            "tags": tags(vm),
        }.items()
    }


def one_name(group: str | None) -> str | None:
    """A group's name in small letters, which is the same for all that are one group to the service."""
    return group.rstrip(" ").lower() if group else None


def tags(record: Result) -> dict[str, str]:
    return {tag["key"]: tag["value"] for tag in record.get("tags", [])}


def rules(client: Client, name: str) -> Result:
    """Return a group's rules and tags, empty where there is none."""
    found = client.list("listSecurityGroups", {"securitygroupname": name})
    return {
        key: value
        for group in found
        for key, value in {
            "ingress": {rule_there(rule) for rule in group.get("ingressrule", [])},
            "egress": {rule_there(rule) for rule in group.get("egressrule", [])},
            # The listing itself does not show those of a group without rules.
            "tags": tags(
                {"tags": client.list("listTags", {"resourcetype": "SecurityGroup", "resourceid": group["id"]})}
            ),
        }.items()
    }


def rule_there(rule: Result) -> tuple[Any, ...]:
    ends = ("icmptype", "icmpcode") if rule["protocol"] == "icmp" else ("startport", "endport")
    return (rule["protocol"], *(rule[end] for end in ends), rule.get("cidr") or rule["securitygroupname"])


def rules_asked(given: list[Result]) -> set[tuple[Any, ...]]:
    """Return the rules that options ask for, each with one source."""
    meant = set()
    for rule in given:
        first, _hyphen, last = rule.get("ports", "-1").rpartition("-") if "ports" in rule else ("-1", "", "-1")
        ends = (int(first or last), int(last))
        for source in (*rule.get("cidrs", []), *(group["name"] for group in rule.get("groups", []))):
            # The service keeps what is new in normal form, and names of groups in the letters in which they were made.
            peer = "default" if source == "DEFAULT " else source
            peer = peer if peer == "default" else str(ipaddress.ip_network(peer, strict=False))
            meant.add((rule.get("protocol", "tcp"), *ends, peer))
    return meant


def volume(client: Client, name: str) -> Result:
    found = [one for one in client.list("listVolumes") if one["name"] == name]
    return {
        key: value
        for one in found
        for key, value in {"vm": one.get("vmname"), "device_id": one.get("deviceid"), "tags": tags(one)}.items()
    }


def tagged(before: Result, options: Result) -> dict[str, str]:
    """Return the tags that an object has after a task."""
    if "tags" not in options:
        return before.get("tags", {})
    spelled = {key.lower(): key for key in before.get("tags", {})}  # a key that is there keeps its spelling
    given = {
        spelled.get(key.lower(), key): str(value).lower() if value is True else str(value)
        for key, value in options["tags"].items()
    }
    return given if options.get("purge_tags", True) else {**before.get("tags", {}), **given}


def machine_asked(before: Result, options: Result, name: str, generation: str) -> Result:
    """Return the machine that a task leads to, from the machine as it was before, or from none."""
    if options.get("state") == "absent":
        return {}
    new = {
        "state": "Running",
        "display_name": name,
        "group": None,
        "os_type": "CentOS 6.0 (64-bit)",
        "security_groups": {"default"},
        "tags": {},
    }
    after = {**new, **before}
    for option in ("display_name", "group", "service_offering"):
        after[option] = options.get(option, after.get(option))
    after["group"] = one_name(after["group"])
    if "os_type" in options:
        after["os_type"] = options["os_type"]
    # on CloudStack 3 those of one that is there can't be changed
    if "security_groups" in options and (not before or generation == "4"):
        after["security_groups"] = set(options["security_groups"])
    after["tags"] = tagged(before, options)
    after["state"] = {"started": "Running", "stopped": "Stopped"}.get(options.get("state", ""), after["state"])
    return after


# The properties


@given(first=MACHINE, second=MACHINE, plans=st.tuples(PLAN, st.none() | PLAN), then=st.none() | st.just("absent"))
def test_a_machine_converges_from_any_state_to_any_other(
    converges: Callable[..., bool],
    run_module: Run,
    client: Client,
    generation: str,
    first: Result,
    second: Result,
    plans: tuple[str, str | None],
    then: str | None,
) -> None:
    run_module("cloudn_security_group", name="web")
    name, before = f"vm{next(NUMBERS)}", {}
    plan, other = plans
    for options in (
        {"service_offering": plan, **NEW, **first},
        {**second, **({"service_offering": other} if other else {})},
        *([{"state": then}] if then else []),
    ):
        expected = before
        if converges("cloudn_vm", name=name, **options):
            expected = machine_asked(before, options, name, generation)
        before = machine(client, name)
        assert before == expected


@given(names=st.lists(st.integers(0, 4), min_size=1, max_size=4, unique=True), tags=TAGS, state=MACHINE)
def test_several_machines_converge_together(
    converges: Callable[..., bool],
    run_module: Run,
    client: Client,
    generation: str,
    names: list[int],
    tags: Result,
    state: Result,
) -> None:
    run_module("cloudn_security_group", name="web")
    start = next(NUMBERS)
    all_of_them = [f"vm{start}-{number}" for number in names]
    before: dict[str, Result] = {name: {} for name in all_of_them}
    for some_of_them, options in ((all_of_them[::2], {"tags": tags}), (all_of_them, state)):
        options = {"service_offering": "v1", **NEW, **options}
        done = converges("cloudn_vm", name=some_of_them, **options)
        for name in all_of_them:
            expected = before[name]
            if done and name in some_of_them:
                expected = machine_asked(before[name], options, name, generation)
            before[name] = machine(client, name)
            assert before[name] == expected


@given(first=GROUP, second=GROUP)
def test_a_security_group_converges_from_any_state_to_any_other(
    converges: Callable[..., bool], client: Client, first: Result, second: Result
) -> None:
    name, before = f"group{next(NUMBERS)}", {}
    for options in (first, second):
        expected = before
        if converges("cloudn_security_group", name=name, **options):
            expected = {"tags": tagged(before, options)}
            for direction in ("ingress", "egress"):
                kept = (
                    before.get(direction, set())
                    if direction not in options or not options.get("purge_rules", True)
                    else set()
                )
                expected[direction] = kept | rules_asked(options.get(direction, []))
        before = rules(client, name)
        assert before == expected


@given(places=st.lists(PLACE, min_size=1, max_size=3), options=VOLUME)
def test_a_volume_converges_from_any_state_to_any_other(
    run_module: Run, converges: Callable[..., bool], client: Client, places: list[Result], options: Result
) -> None:
    if not run_module("cloudn_vm_info")["vms"]:
        run_module("cloudn_vm", name=["one", "two"], service_offering="v1", **NEW)
    name, before = f"volume{next(NUMBERS)}", {}
    for place in places:
        asked = {**options, **place}
        done = converges("cloudn_volume", name=name, zone="jp-e1a", disk_offering="Small", **asked)
        after = volume(client, name)
        if not done:
            assert after == before
        elif place["state"] == "absent" or (place["state"] == "detached" and not before):
            assert after == {}  # one that does not exist is not made to be detached
        else:
            where = {"present": before.get("vm"), "detached": None, "attached": place.get("vm")}[place["state"]]
            assert (after["vm"], after["tags"]) == (where, tagged(before, asked))
            assert after["device_id"] == place.get("device_id", after["device_id"])
        before = after
    run_module("cloudn_volume", name=name, state="absent", force=True)
