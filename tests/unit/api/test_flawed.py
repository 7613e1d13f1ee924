# Copyright: (c) 2026, the cloudn.compute authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Records with bad members: what is bad, what reading it does, and that no recorded answer has any."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest
from ansible_collections.cloudn.compute.plugins.module_utils.api import BadAnswer
from ansible_collections.cloudn.compute.plugins.module_utils.api.decode import decode
from ansible_collections.cloudn.compute.plugins.module_utils.api.flawed import (
    BadRecord,
    Flawed,
    altered,
    check,
    key_of,
    peek,
    plain,
    problems,
    sound,
)
from ansible_collections.cloudn.compute.plugins.module_utils.api.paging import identity
from recorded import scenarios

GOOD = {"id": "1", "name": "web1", "state": "Running", "zoneid": "z"}


def machine(**members: Any) -> Any:
    """A machine as an answer has it; ``...`` leaves a member out."""
    record = {name: value for name, value in {**GOOD, **members}.items() if value is not ...}
    body = json.dumps({"listvirtualmachinesresponse": {"count": 1, "virtualmachine": [record]}})
    return decode(body.encode(), "listVirtualMachines")[1]["virtualmachine"][0]


@pytest.mark.parametrize(
    ("members", "wrong"),
    [
        ({"id": ...}, "id is missing"),
        ({"id": None}, "id is missing"),
        ({"id": ""}, "id is empty"),
        ({"name": None}, "name is missing"),
        ({"state": ["Running"]}, "state is a list, not a text"),
        ({"zoneid": {"a": "b"}}, "zoneid is an object, not a text"),
        ({"created": []}, ""),
        ({"created": ["x"]}, "created is a list, not a text"),
        ({"memory": "much"}, "memory is 'much', not a number"),
        ({"memory": 1.5}, "memory is '1.5', not a number"),
        ({"memory": True}, "memory is 'True', not a number"),
        ({"memory": None}, ""),
        ({"haenable": "perhaps"}, "haenable is 'perhaps', not true or false"),
        ({"haenable": 1}, "haenable is '1', not true or false"),
        ({"nic": "x"}, "nic is 'x', not a list of objects"),
        ({"nic": ["x"]}, "nic[0] is 'x', not an object"),
        ({"nic": [{"id": "1", "ipaddress": {}}]}, "nic[0].ipaddress is an object, not a text"),
        ({"nic": [{"id": "1"}, {"ipaddress": "x"}]}, "nic[1].id is missing"),
        ({"tags": {"key": "a"}}, "tags[0].value is missing"),
        ({"securitygroup": "web"}, "securitygroup is 'web', not a list of objects"),
        ({"affinitygroup": [{"id": "1"}]}, "affinitygroup[0].name is missing"),
        ({"unknown": [{"x": {}}]}, ""),
        ({"name": ""}, ""),
        ({"displayname": True}, ""),
    ],
    ids=str,
)
def test_what_is_bad_is_named(members: dict[str, Any], wrong: str) -> None:
    found = problems(machine(**members))
    assert len(found) == (wrong != "")
    for text in found:
        assert text.startswith("listVirtualMachines: the record of the virtualmachine ")
        assert text.endswith(f" can't be used: {wrong}")
        assert "web1" in text or "name" in members


def test_reading_a_bad_member_raises_and_reading_others_does_not() -> None:
    bad = machine(state=["Running"])
    assert (bad["name"], bad.get("zoneid"), "id" in bad, bad.get("x", 7)) == ("web1", "z", True, 7)
    for read in (
        lambda: bad["state"],
        lambda: bad.get("state"),
        lambda: "state" in bad,
        lambda: {**bad},
        lambda: dict(bad),
        lambda: list(bad),
        lambda: list(bad.items()),
        bad.values,
        lambda: check(bad),
    ):
        with pytest.raises(BadRecord, match="web1 .*state is a list, not a text"):
            read()
    assert (peek(bad, "state"), peek(bad, "name")) == (None, "web1")
    assert plain(bad)["state"] == ["Running"] and not isinstance(plain(bad), Flawed)


def test_a_bad_member_can_be_replaced() -> None:
    bad = machine(state=["Running"])
    assert altered(bad, state="Stopped")["state"] == "Stopped"
    assert not isinstance(altered(bad, state=None), Flawed)
    assert problems(altered(bad, name="x")) == [problems(bad)[0].replace("web1", "x")]
    nested = machine(nic=[{"id": "1", "ipaddress": {}}])
    assert problems(altered(nested, nic=[])) == []
    bad["state"] = "Stopped"
    assert dict(bad)["state"] == "Stopped"


def test_a_text_in_place_of_a_record_is_a_bad_record() -> None:
    body = json.dumps({"listzonesresponse": {"count": 2, "zone": ["x", {"id": "1", "name": "z"}]}})
    first, second = decode(body.encode(), "listZones")[1]["zone"]
    assert problems(first) and not problems(second)
    with pytest.raises(BadRecord, match="it is 'x', not an object"):
        first.get("name")


def test_bad_records_are_told_apart() -> None:
    assert identity(machine(id=...)) != identity(machine(id=..., name="web2"))
    assert identity(machine(id=["1"])) == identity(machine(id=["1"]))
    assert key_of(machine()) == key_of(machine())


def test_only_good_records_are_shown_and_each_bad_one_is_warned_of() -> None:
    warnings: list[str] = []
    records = [machine(), machine(name="web2", state=[]), machine(name="web3", nic="x", memory="y")]
    assert sound(records, warnings.append) == records[:1]
    assert ["web2" in warnings[0], "web3" in warnings[1], "(and 1 more)" in warnings[1]] == [True, True, True]


@pytest.mark.parametrize(
    "content",
    [
        {"count": "x", "zone": []},
        {"count": [], "zone": []},
        {"count": 1, "zone": "x"},
        {"zone": 7},
        {"count": 1, "zone": True},
        {"capability": "x"},
        {"jobid": ["x"]},
        {"jobid": {"x": "y"}},
        {"jobid": "1", "jobstatus": "done"},
        {"errorcode": "x", "errortext": "y"},
        {"errorcode": 431, "errortext": ["y"]},
    ],
    ids=str,
)
def test_an_answer_that_says_nothing_sure_of_itself_is_none(content: dict[str, Any]) -> None:
    if content.get("count") == []:
        assert decode(json.dumps({"listzonesresponse": content}).encode(), "x")[1] == {}
        return
    root = "listzonesresponse" if "jobid" not in content else "queryasyncjobresultresponse"
    with pytest.raises(BadAnswer, match="can't be read: its"):
        decode(json.dumps({root: content}).encode(), "x")


@pytest.mark.parametrize(
    ("members", "wrong"),
    [
        ({"protocol": ...}, "protocol is missing"),
        ({"startport": ...}, "startport is missing"),
        ({"endport": "x"}, "endport is 'x', not a number"),
        ({"cidr": ...}, "cidr is missing"),
        ({"cidr": ["x"]}, "cidr is a list, not a text"),
        ({"cidr": ..., "securitygroupname": "web"}, ""),
        ({"protocol": "icmp"}, "icmptype is missing"),
        ({"protocol": "all", "startport": ..., "endport": ...}, ""),
        ({"ruleid": None}, "ruleid is missing"),
    ],
    ids=str,
)
def test_a_rule_without_a_part_is_no_wider_rule(members: dict[str, Any], wrong: str) -> None:
    rule = {"ruleid": "r", "protocol": "tcp", "startport": 1, "endport": 2, "cidr": "10.0.0.0/8", **members}
    rule = {name: value for name, value in rule.items() if value is not ...}
    group = {"id": "1", "name": "web", "ingressrule": [rule]}
    body = json.dumps({"listsecuritygroupsresponse": {"securitygroup": [group]}})
    found = problems(decode(body.encode(), "x")[1]["securitygroup"][0])
    assert bool(found) is bool(wrong)
    assert not wrong or f"ingressrule[0].{wrong}" in found[0]


def bodies(value: Any) -> Iterator[bytes]:
    """Yield the answers in a step of a recording, also those of its job."""
    if isinstance(value, dict):
        for name, inner in value.items():
            if name.lower().endswith("response") and isinstance(inner, dict):
                yield json.dumps({name: inner}).encode()
            yield from bodies(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from bodies(inner)
    elif isinstance(value, str) and value.lstrip()[:2] in ("{ ", '{"', "<?"):
        yield value.encode()


@pytest.mark.parametrize("server", ["cloudstack-3.0.5", "cloudstack-4.23"])
def test_no_record_of_a_real_server_is_bad(server: str) -> None:
    answers = [body for steps in scenarios(server).values() for step in steps for body in bodies(step)]
    assert len(answers) > 3000
    assert [text for body in answers for text in problems(decode(body, "x")[1])] == []
