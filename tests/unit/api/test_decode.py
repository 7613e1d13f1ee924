# Copyright: (c) 2026, the cloudn.compute authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Decoding: JSON and XML give identical values, and nothing that is no answer passes for one."""

from __future__ import annotations

import json
import pathlib
import string
from typing import Any

import pytest
from ansible_collections.cloudn.compute.plugins.module_utils.api import BadAnswer
from ansible_collections.cloudn.compute.plugins.module_utils.api.decode import NUMBERS, TEXT, decode
from hypothesis import given
from hypothesis import strategies as st

RECORDINGS = pathlib.Path(__file__).parents[2] / "conformance" / "recordings"
BOTH = [
    pytest.param(step, id=f"{path.stem}-{number}-{step['call']}")
    for path in sorted(RECORDINGS.glob("*.json"))
    for number, step in enumerate(json.loads(path.read_text())["steps"], 1)
    if "xml" in step
]


def unordered(value: Any) -> Any:
    """Return a value with its lists sorted: the two recorded answers were two calls, and order is arbitrary."""
    if isinstance(value, dict):
        return {name: unordered(field) for name, field in value.items()}
    if isinstance(value, list):
        return sorted((unordered(item) for item in value), key=lambda item: json.dumps(item, sort_keys=True))
    return value


def test_there_are_recordings() -> None:
    assert len(BOTH) > 100


@pytest.mark.parametrize("step", BOTH)
def test_recorded_answers_are_identical(step: dict[str, Any]) -> None:
    in_json, in_xml = (decode(step[kind]["body"].encode(), step["call"]) for kind in ("json", "xml"))
    if step["call"] == "listTemplatePermissions":
        # The real server leaves lists of plain texts out of its XML: a defect of its own, nothing can be read there.
        in_json[1]["templatepermission"].pop("account")
    assert in_json[0] == in_xml[0]
    assert unordered(in_json[1]) == unordered(in_xml[1])


TEXT_VALUE = st.text(st.characters(min_codepoint=32, max_codepoint=0xFFFD, exclude_categories=["Cs", "Cc"]))
FIELD = st.one_of(
    st.tuples(st.sampled_from(sorted(TEXT - {"id"})), TEXT_VALUE),
    st.tuples(st.sampled_from(sorted(NUMBERS - {"count", "errorcode"})), st.integers(-(10**17), 10**17)),
    st.tuples(st.sampled_from(["isready", "haenable", "passwordenabled"]), st.booleans()),
    st.tuples(st.just("unheardof"), st.one_of(TEXT_VALUE, st.integers(0, 9), st.booleans())),
)
RECORD = st.lists(FIELD, min_size=1, max_size=8).map(dict)


@given(st.lists(RECORD, max_size=3), st.lists(RECORD, max_size=3))
def test_any_listing_is_identical(machines: list[dict[str, Any]], nics: list[dict[str, Any]]) -> None:
    for machine in machines:
        machine["nic"], machine["tags"] = nics, []
    answer = {"count": len(machines), "virtualmachine": machines} if machines else {}
    in_json = json.dumps({"listvirtualmachinesresponse": answer}).encode()
    assert decode(in_json, "x") == decode(as_xml("listvirtualmachinesresponse", answer).encode(), "x")


def as_xml(name: str, value: Any) -> str:
    """Write a value as the server writes XML: one element a list item, nothing for an empty list."""
    if isinstance(value, dict):
        inner = "".join(as_xml(key, field) for key, field in value.items())
        return f"<{name}>{inner}</{name}>"
    if isinstance(value, list):
        return "".join(as_xml(name, item) for item in value)
    text = str(value).lower() if isinstance(value, bool) else str(value)
    return f"<{name}>{text.replace('&', '&amp;').replace('<', '&lt;').replace('>', '&gt;')}</{name}>"


def test_types() -> None:
    body = b"""<?xml version="1.0"?><listvirtualmachinesresponse cloud-stack-version="3.0.5"><count>1</count>
      <virtualmachine><id>7</id><name>true</name><displayname> 007 </displayname><haenable>false</haenable>
      <memory>512</memory><nic><id>n</id><isdefault>true</isdefault></nic><description></description></virtualmachine>
    </listvirtualmachinesresponse>"""
    assert decode(body, "x") == (
        "listvirtualmachinesresponse",
        {
            "count": 1,
            "virtualmachine": [
                {
                    "id": "7",
                    "name": "true",
                    "displayname": " 007 ",
                    "haenable": False,
                    "memory": 512,
                    "nic": [{"id": "n", "isdefault": True}],
                    "description": "",
                }
            ],
        },
    )


def test_security_groups_are_a_list_in_a_machine_only() -> None:
    machine = b'{"r": {"jobresult": {"virtualmachine": {"securitygroup": {"id": "1"}}}}}'
    assert decode(machine, "x")[1]["jobresult"]["virtualmachine"]["securitygroup"] == [{"id": "1"}]
    group = b"<r><jobresult><securitygroup><id>1</id></securitygroup></jobresult></r>"
    assert decode(group, "x")[1]["jobresult"]["securitygroup"] == {"id": "1"}


BAD = {
    "empty": b"",
    "blank": b"  \n",
    "html": b"<!DOCTYPE html><html><body>502</body></html>",
    "html in capitals": b"\n<HTML>",
    "text": b"Service Unavailable",
    "cut json": b'{"listzonesresponse": {"count": 1, "zo',
    "cut xml": b"<listzonesresponse><count>1</cou",
    "json list": b"[1]",
    "two roots": b'{"a": {}, "b": {}}',
    "text root": b'{"a": "b"}',
    "not utf-8": b'{"a": {"b": "\xff"}}',
    "deep": b'{"a":' * 100_000,
    "entities": b'<!DOCTYPE r [<!ENTITY a "aaaa"><!ENTITY b "&a;&a;">]><r><x>&b;</x></r>',
}


@pytest.mark.parametrize("body", BAD.values(), ids=BAD.keys())
def test_bad_answers_are_refused(body: bytes) -> None:
    with pytest.raises(BadAnswer, match=r"^listZones: the answer can't be read: "):
        decode(body, "listZones")


@given(st.one_of(st.binary(max_size=200), st.text(string.printable, max_size=200).map(str.encode)))
def test_any_bytes_give_a_value_or_a_typed_error(body: bytes) -> None:
    try:
        root, content = decode(body, "x")
    except BadAnswer:
        return
    assert isinstance(root, str)
    assert isinstance(content, dict)
