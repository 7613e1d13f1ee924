# Copyright: (c) 2026, the cloudn.compute authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The pure build of hosts: names, addresses, variables, groups."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.cloudn.compute.plugins.module_utils.resources import vm
from ansible_collections.cloudn.compute.plugins.module_utils.resources.hosts import (
    CONNECT_WITH,
    HOSTNAMES,
    Wanted,
    build,
    check_word,
    default_groups,
)
from hypothesis import given
from hypothesis import strategies as st


def machine(number: int = 1, **fields: Any) -> dict[str, Any]:
    nic = {"ipaddress": f"10.0.0.{number}", "isdefault": True, "networkid": "net"}
    raw = {"id": f"id{number}", "name": f"web{number}", "created": f"2026-01-01T00:00:0{number}+0000", "nic": [nic]}
    tags = [{"key": key, "value": value} for key, value in fields.pop("tags", {}).items()]
    return vm.shape({**raw, "tags": tags, **fields})


@pytest.mark.parametrize(
    ("words", "name"),
    [
        (["name"], "web1"),
        (["display_name", "name"], "web1"),
        (["tag:fqdn", "display_name", "name"], "web1.example.com"),
        (["default_ip"], "10.0.0.1"),
        (["id"], "id1"),
        (["tag:nothing"], "id1"),
    ],
)
def test_names(words: list[str], name: str) -> None:
    hosts, warnings = build([machine(tags={"fqdn": "web1.example.com"})], Wanted(hostnames=words))
    assert ([host.name for host in hosts], warnings) == ([name], [])


@pytest.mark.parametrize(
    ("word", "address"),
    [
        ("default_ip", "10.0.0.1"),
        ("name", "web1"),
        ("id", "id1"),
        ("tag:vpn", "192.0.2.1"),
        ("tag:no", None),
        ("none", None),
    ],
)
def test_addresses(word: str, address: str | None) -> None:
    hosts, _warnings = build([machine(tags={"vpn": "192.0.2.1"})], Wanted(connect_with=word))
    assert hosts[0].address == address


def test_no_nic() -> None:
    hosts, warnings = build([machine(nic=[])], Wanted())
    assert (hosts[0].name, hosts[0].address, warnings) == ("web1", None, [])


def test_two_of_one_name_are_both_kept() -> None:
    later, first, last = machine(2, displayname="Web"), machine(1, displayname="Web"), machine(3, displayname="Web")
    hosts, warnings = build([later, last, first], Wanted(hostnames=["display_name"]))
    assert [(host.name, host.variables["cloudn_id"]) for host in hosts] == [
        ("Web", "id1"),
        ("Web_id2", "id2"),
        ("Web_id3", "id3"),
    ]
    assert len(warnings) == 2 and "two virtual machines would be the host 'Web'" in warnings[0]


@pytest.mark.parametrize("name", ["all", "ungrouped", "localhost", "a\nb", "\x00", " ", "state_Running", "\u2028"])
def test_names_that_cannot_be_hosts(name: str) -> None:
    hosts, warnings = build([machine(displayname=name, state="Running")], Wanted(hostnames=["display_name", "name"]))
    assert hosts[0].name == "web1"
    assert hosts[0].variables["cloudn_display_name"] == name
    assert len(warnings) == 1 and repr(name) in warnings[0]


def test_groups() -> None:
    shown = machine(
        zonename="jp-e1a",
        group="front end",
        templatename="CentOS 6.2 64bit",
        serviceofferingname="v1",
        state="Running",
        securitygroup=[{"id": "1", "name": "web"}, {"id": "2", "name": "a.b"}],
        tags={"role": "web", "flag": ""},
    )
    assert default_groups(shown) == [
        "zone_jp_e1a",
        "group_front_end",
        "template_CentOS_6_2_64bit",
        "service_offering_v1",
        "state_Running",
        "network_net",
        "security_group_web",
        "security_group_a_b",
        "tag_flag",
        "tag_role_web",
    ]
    assert build([shown], Wanted(default_groups=False))[0][0].groups == []


def test_prefix() -> None:
    assert build([machine()], Wanted(hostvars_prefix="x_"))[0][0].variables["x_default_ip"] == "10.0.0.1"


def test_words() -> None:
    assert check_word("tag:x", "hostnames", HOSTNAMES) is None
    assert check_word("none", "connect_with", CONNECT_WITH) is None
    for word in ("fqdn", "tag:", ""):
        assert f"hostnames: {word!r} is not known; give one of name, " in str(check_word(word, "hostnames", HOSTNAMES))


TEXT = st.text(max_size=20)


@given(
    st.lists(
        st.fixed_dictionaries({"displayname": TEXT, "group": TEXT, "tags": st.dictionaries(TEXT, TEXT)}), max_size=5
    )
)
def test_any_values_make_a_host_each(fields: list[dict[str, Any]]) -> None:
    shown = [machine(number, **values) for number, values in enumerate(fields)]
    hosts, _warnings = build(shown, Wanted(hostnames=["display_name"]))
    assert len({host.name for host in hosts}) == len(shown)
    assert [host.variables["cloudn_display_name"] for host in hosts] == [values["displayname"] for values in fields]
    groups = {group for host in hosts for group in host.groups}
    assert all(group.replace("_", "a").isalnum() and not group[0].isdigit() for group in groups)
    assert not groups & {host.name for host in hosts}
