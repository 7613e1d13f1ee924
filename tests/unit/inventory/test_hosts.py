# Copyright: (c) 2026, the cloudn.compute authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Machines become hosts, without Ansible: names, addresses, groups, for any values."""

from __future__ import annotations

import re
from typing import Any

import pytest
from ansible_collections.cloudn.compute.plugins.module_utils.inventory.hosts import (
    Wanted,
    build,
    check_word,
    default_groups,
    safe_group,
)
from ansible_collections.cloudn.compute.plugins.module_utils.resources.vm import view as vm
from hypothesis import given
from hypothesis import strategies as st


def machine(id: str, created: str = "2026-11-23T10:00:00+0000", address: str | None = "10.1.1.9", **fields: Any) -> Any:
    """Return a machine as ``vm.to_result`` shows it."""
    nics = [{"id": "n", "networkid": "net-1", "ipaddress": address, "isdefault": True}] if address else []
    return vm.to_result({"id": id, "name": f"vm-{id}", "created": created, "nic": nics, **fields})


def names(machines: list[Any], *hostnames: str, **more: Any) -> list[str]:
    return [host.name for host in build(machines, Wanted(hostnames=hostnames), **more)[0]]


def tagged(**tags: str) -> list[dict[str, str]]:
    return [{"key": key, "value": value} for key, value in tags.items()]


@pytest.mark.parametrize(
    ("hostnames", "name"),
    [
        (["name"], "vm-1"),
        (["display_name", "name"], "Shown"),
        (["default_ip"], "10.1.1.9"),
        (["id"], "1"),
        (["tag:fqdn"], "a.example"),
        (["tag:FQDN "], "a.example"),
        (["tag:none", "tag:empty", "tag:fqdn"], "a.example"),
        (["tag:none"], "1"),
    ],
)
def test_the_first_name_that_a_machine_has_is_taken(hostnames: list[str], name: str) -> None:
    assert names([machine("1", displayname="Shown", tags=tagged(fqdn="a.example", empty=""))], *hostnames) == [name]


@pytest.mark.parametrize(
    "bad",
    ["all", "ungrouped", "localhost", "127.0.0.1", "::1", "a\nb", "a\x1b[1mb", " ", ".", "..", "../group_vars/x"]
    + ["{{ x }}", "{% x %}", "{# x", "-oProxyCommand=x", "state_Running", "given"],
)  # fmt: skip
def test_names_that_ansible_would_misread_are_replaced_with_a_warning(bad: str) -> None:
    made = machine("1", displayname=bad, state="Running")
    found, warnings = build([made], Wanted(hostnames=("display_name", "name")), taken={"given"})
    assert [host.name for host in found] == ["vm-1"]
    assert found[0].variables["cloudn_display_name"] == bad
    assert len(warnings) == 1
    assert repr(bad) in warnings[0]


@pytest.mark.parametrize(
    "good", ["web[1:3]", "no", "007", "null", "ウェブ", "a: b", 'it\'s "x"', "a, b", "!x", "x" * 300]
)
def test_names_that_are_only_strange_are_taken(good: str) -> None:
    assert names([machine("1", displayname=good)], "display_name") == [good]


def test_the_later_of_two_machines_of_one_name_gets_another_name() -> None:
    late, early, same_time = machine("2", "2026-11-23T11:00:00+0000"), machine("9"), machine("8")
    for each in (late, early, same_time):
        each["name"] = "web"
    found, warnings = build([late, early, same_time], Wanted())
    assert [(host.name, host.variables["cloudn_id"]) for host in found] == [
        ("web", "8"),
        ("web_9", "9"),
        ("web_2", "2"),
    ]
    assert len(warnings) == 2
    # a machine that is called what another would be given for that does not hide it
    sly = machine("1")
    sly["name"] = "web_9"
    assert names([sly, same_time, early], "name") == ["web_9", "web", "web_9_9"]
    assert names([early], "name", elsewhere={"web"}) == ["web_9"]


@pytest.mark.parametrize(
    ("word", "address"),
    [
        ("default_ip", "10.1.1.9"),
        ("name", "vm-1"),
        ("id", "1"),
        ("tag:host", "db.example"),
        ("tag:six", "2001:db8::1"),
        ("none", None),
        ("tag:absent", None),
        ("tag:option", None),
        ("tag:space", None),
        ("tag:lines", None),
        ("tag:template", None),
    ],
)
def test_the_address_is_taken_from_the_chosen_place_if_it_is_one(word: str, address: str | None) -> None:
    hostile = {"option": "-oProxyCommand=x", "space": "a b", "lines": "a\nb", "template": "{{x}}"}
    made = machine("1", tags=tagged(host="db.example", six="2001:db8::1", **hostile))
    found, warnings = build([made], Wanted(connect_with=word))
    assert found[0].address == address
    assert len(warnings) == (word.removeprefix("tag:") in hostile)


def test_without_nic_there_is_no_address() -> None:
    found, warnings = build([machine("1", address=None)], Wanted(hostnames=("default_ip", "name")))
    assert (found[0].name, found[0].address, warnings) == ("vm-1", None, [])


def test_a_host_is_in_the_default_groups() -> None:
    made = machine(
        "1",
        zonename="jp-e1a",
        state="Running",
        templatename="CentOS 6.2",
        serviceofferingname="v1",
        group="front end",
        securitygroup=[{"id": "5", "name": "web"}, {"id": "6", "name": "a-b"}],
        tags=tagged(role="web", empty=""),
    )
    assert default_groups(made) == [
        "zone_jp_e1a",
        "group_front_end",
        "template_CentOS_6_2",
        "service_offering_v1",
        "state_Running",
        "network_net_1",
        "security_group_web",
        "security_group_a_b",
        "tag_empty",
        "tag_role_web",
    ]
    assert build([made], Wanted(default_groups=False))[0][0].groups == []
    assert default_groups(machine("1", address=None)) == []


@pytest.mark.parametrize(
    ("name", "safe"),
    [("a-b c", "a_b_c"), ("1a", "_a"), ("", "_"), ("ウェブ", "ウェブ"), ("{{x}}", "__x__"), ([1, 2], "_1__2_")],
)
def test_names_of_groups_are_made_safe(name: Any, safe: str) -> None:
    assert safe_group(name) == safe


@pytest.mark.parametrize("word", ["fqdn", "", "tag:", "none", "Name"])
def test_unknown_words_are_refused(word: str) -> None:
    assert (
        check_word(word, "hostnames", ("name", "id"))
        == f"hostnames: {word!r} is not known; give one of name, id, or tag:KEY"
    )


TEXTS = st.text(max_size=12) | st.sampled_from(["web", "all", "state_Running", "tag_a_b", "1", "2", "web_1", "web_2"])


@given(
    st.lists(st.tuples(TEXTS, TEXTS, st.dictionaries(TEXTS.filter(bool), TEXTS, max_size=2)), max_size=6),
    st.lists(st.sampled_from(["name", "display_name", "tag:web", "default_ip"]), max_size=3),
    st.sets(TEXTS, max_size=3),
)
def test_every_machine_is_one_host_whatever_it_is_called(
    given_machines: list[Any], hostnames: list[str], taken: set[str]
) -> None:
    machines = [
        machine(str(index), displayname=shown, state="Running", tags=tagged(**tags)) | {"name": name}
        for index, (name, shown, tags) in enumerate(given_machines)
    ]
    found, _warnings = build(machines, Wanted(hostnames=hostnames), taken)
    groups = {group for host in found for group in host.groups}
    assert {host.variables["cloudn_id"] for host in found} == {each["id"] for each in machines}
    assert len({host.name for host in found}) == len(machines)
    assert not {host.name for host in found} & (groups | taken)
    assert all(re.fullmatch(r"[^\W\d]\w*", group) for group in groups)
    for host in found:
        original = machines[int(host.variables["cloudn_id"])]
        assert host.variables == {f"cloudn_{key}": value for key, value in original.items()}
