# Copyright: (c) 2026, the cloudn.compute authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Filters of the EC2 half: which ones there are, what passes them, and the errors about values that can't be read."""

from __future__ import annotations

from typing import Any

import pytest
from cloudn_emulator.ec2.java import JavaError, parse_date, parse_int, part, split

NO_DATE = 'Cannot invoke "java.util.Calendar.setTimeZone(java.util.TimeZone)" because "toMatch" is null'
UNEXPECTED = "An unexpected error occurred."
NOON = 1795608000  # 2026-11-25 at noon, GMT


def filters(*wanted: tuple[str, ...]) -> dict[str, str]:
    """The parameters of filters, each a name and its values."""
    params: dict[str, str] = {}
    for number, (name, *values) in enumerate(wanted, 1):
        params[f"Filter.{number}.Name"] = name
        params |= {f"Filter.{number}.Value.{index}": value for index, value in enumerate(values, 1)}
    return params


@pytest.fixture
def fleet(api: Any) -> dict[str, str]:
    """Three machines by name: `one` has tags and is in a group of its own too, `three` is stopped."""
    api("createSecurityGroup", name="web+1")
    ids = {name: api.running(name)["id"] for name in ("two", "three")}
    ids["one"] = api.running("one", securitygroupnames="default,web+1")["id"]
    api.job("stopVirtualMachine", id=ids["three"])
    for key, value in (("role", "web"), ("a:b", "x.y")):
        api.job("createTags", resourceids=ids["one"], resourcetype="UserVm", tags__key=key, tags__value=value)
    return ids


@pytest.mark.parametrize(
    ("wanted", "names"),
    [
        ([("instance-state-name", "running")], "one two"),
        ([("instance-state-name", "run*")], "one two"),
        ([("instance-state-name", "running*")], ""),  # an asterisk is one letter or more
        ([("instance-state-name", "Running")], ""),
        ([("instance-state-name", "st?pped")], "three"),
        ([("instance-state-name", "running", "stopped")], "one two three"),
        ([("instance-state-name", "running"), ("instance-state-name", "stopped")], ""),
        ([("instance-state-name",)], ""),
        ([("instance-state-code", "80")], "three"),
        ([("instance-state-code", "80"), ("instance-state-name", "running")], ""),
        ([("availability-zone", "jp-e1a"), ("tag:role", "web")], "one"),
        ([("tag:role", "db")], ""),
        ([("tag:ROLE", "w?b")], "one"),
        ([("tag:role", "WEB")], ""),
        ([("tag:a", "x.y")], ""),  # what is behind a second colon is no part of the key
        ([("tag:a:b", "x.y")], ""),
        ([("tag-key", "a:b")], "one"),
        ([("tag-key", "a:b", "nope"), ("tag-value", "web")], "one"),
        ([("tag-value", "x?y")], "one"),
        ([("tag-value", "x*z")], ""),
        ([("tag-key", "")], ""),
        ([("group-id", "web+1")], "one"),
        ([("group-id", "web*", "default")], "one two three"),
        ([("dns-name", "t*")], "two three"),
        ([("hypervisor", "Simulator"), ("owner-id", "1:flatuser"), ("instance-type", "vQ")], "one two three"),
        ([("instance-type", "v\\*")], ""),
        ([("instance-type", "[v]Q")], ""),
        ([("private-ip-address", "10.1.1.2")], "two"),
        ([("private-ip-address", "10?1?1?2")], "two"),
        ([("ip-address", "*")], ""),
        ([("root-device-name", "*")], ""),
    ],
)
def test_instances_are_found_by_filters(
    ec2: Any, fleet: dict[str, str], wanted: list[tuple[str, ...]], names: str
) -> None:
    found = ec2.texts(ec2("DescribeInstances", filters(*wanted)), "instanceId")
    assert sorted(found) == sorted(fleet[name] for name in names.split())


def test_filters_narrow_a_list_of_ids(ec2: Any, fleet: dict[str, str]) -> None:
    of_both = filters(("instance-id", fleet["one"], fleet["two"]), ("image-id", ec2.vars["template"]))
    found = ec2("DescribeInstances", {**of_both, "InstanceId.1": fleet["two"], "InstanceId.2": fleet["three"]})
    assert ec2.texts(found, "instanceId") == [fleet["two"]]


@pytest.mark.parametrize(
    ("action", "wanted", "said"),
    [
        ("DescribeInstances", [("instance-state-code", "on")], 'For input string: "on"'),
        ("DescribeInstances", [("instance-state-code", "16", "")], 'For input string: ""'),  # `three` is asked for both
        (
            "DescribeInstances",
            [("instance-state-code", "-1")],
            r'For input string: "\-1"',
        ),  # numbers are patterns first
        ("DescribeInstances", [("tag:", "x")], "Index 1 out of bounds for length 1"),
        ("DescribeInstances", [("tag::", "x")], "Index 1 out of bounds for length 1"),
        ("DescribeVolumes", [("size", "99999999999")], 'For input string: "99999999999"'),
        ("DescribeVolumes", [("create-time", "noon")], NO_DATE),
        ("DescribeVolumes", [("create-time", "2026-11-24T12:00:00+00:00")], NO_DATE),
        ("DescribeVolumes", [("attachment.attach-time", "")], NO_DATE),
    ],
)
def test_values_that_filters_cannot_read_are_errors(
    ec2: Any, fleet: dict[str, str], action: str, wanted: list[tuple[str, ...]], said: str
) -> None:
    assert ec2.message(action, filters(*wanted)) == said


def test_a_value_is_read_only_where_something_is_compared_with_it(ec2: Any, fleet: dict[str, str]) -> None:
    for wanted in (
        [("instance-state-name", "nope"), ("instance-state-code", "on")],
        [("instance-state-name", "running"), ("instance-state-code", "16", "on")],
    ):
        ec2("DescribeInstances", filters(*wanted))
    disk = ec2.vars["disk"]
    made = ec2.emulator.store
    ec2("CreateVolume", {"AvailabilityZone": "jp-e1a", "Size": 1})
    unattached = next(volume.id for volume in made.volumes.values() if volume.vm_id is None)
    assert (
        disk and ec2.raw("DescribeVolumes", {"VolumeId.1": unattached, **filters(("attachment.attach-time", "x"))}).ok
    )


@pytest.mark.parametrize(
    ("action", "name", "said"),
    [
        ("DescribeInstances", "attachment.status", "Unsupported filter [attachment.status]"),
        ("DescribeInstances", "Instance-Id", "Unsupported filter [Instance-Id]"),
        ("DescribeVolumes", "attachment.status", "Unsupported filter [attachment.status] - 2"),
        ("DescribeVolumes", "foo", "Unsupported filter [foo] - 1"),
        ("DescribeSnapshots", "progress", "Unsupported filter [progress] - 1"),
        ("DescribeSecurityGroups", "tag:x", "Unsupported filter [tag:x] - 1"),
    ],
)
def test_unknown_filters_are_refused_by_name(ec2: Any, action: str, name: str, said: str) -> None:
    answer = ec2.raw(action, {**filters(("tag-key", "x")), **filters((name, "x"))})
    assert (answer.status_code, f"<Code>Error</Code><Message>{said}</Message>" in answer.text) == (501, True)


@pytest.mark.parametrize("name", ["volume-id", "size", "status", "create-time", "attachment.attach-time"])
def test_volumes_are_found_by_filters(ec2: Any, name: str) -> None:
    (id,) = ec2.run()
    ec2.run()
    other = next(item for item in ec2("DescribeVolumes").find("volumeSet") if item.findtext(".//instanceId") == id)
    times = {"create-time": other.findtext("createTime"), "attachment.attach-time": other.findtext(".//attachTime")}
    value = (
        (times[name] or "").replace("+00:00", "Z") if name in times else other.findtext(name.removeprefix("volume-"))
    )
    value = other.findtext("volumeId") if name == "volume-id" else value
    found = ec2.texts(ec2("DescribeVolumes", filters((name, value), ("attachment.instance-id", id))), "instanceId")
    assert found == [id]
    wrong = {"size": "7", "create-time": "2000-01-01T00:00:00Z", "attachment.attach-time": "2000-01-01T00:00:00"}
    assert ec2.texts(ec2("DescribeVolumes", filters((name, wrong.get(name, "x")))), "volumeId") == []


def test_a_value_that_a_volume_lacks_is_the_text_null(ec2: Any) -> None:
    ec2("CreateVolume", {"AvailabilityZone": "jp-e1a", "Size": 1})
    for name in ("snapshot-id", "attachment.instance-id"):
        for value, count in (("null", 1), ("*", 1), ("", 0)):
            assert len(ec2.texts(ec2("DescribeVolumes", filters((name, value))), "volumeId")) == count


def test_snapshots_are_found_by_filters(ec2: Any) -> None:
    ec2.run()
    root = ec2("DescribeVolumes").findtext(".//volumeId")
    snapshot = ec2("CreateSnapshot", {"VolumeId": root}).findtext("snapshotId")
    for name, value, wrong in (
        ("status", "completed", "pending"),
        ("volume-id", root, "x"),
        ("volume-size", "15", "5"),
        ("snapshot-id", snapshot, "x"),
        ("owner-alias", ec2.emulator.api_key, "flatuser"),
        ("owner-id", "1:*", "2:*"),
    ):
        assert ec2.texts(ec2("DescribeSnapshots", filters((name, value))), "snapshotId") == [snapshot]
        assert ec2.texts(ec2("DescribeSnapshots", filters((name, wrong))), "snapshotId") == []
    for name, value in (("start-time", "2026-11-26T16:00:00Z"), ("volume-size", "big"), ("tag:", "x")):
        assert ec2.message("DescribeSnapshots", filters((name, value))) == UNEXPECTED


# --- Java's ways


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("2026-11-25T12:00:00Z", NOON),
        ("2026-11-25T12:00:00", NOON),
        ("2026-11-25T12:00:00+0000", NOON),
        ("2026-11-25T21:00:00+0900", NOON),
        ("2026-11-25T12:00:00.007Z", NOON + 0.007),
        ("2026-11-25T12:00:00.5Z", NOON + 0.005),
        ("2026-10-56T12:00:00Z", NOON),
        ("Wed Nov 25 12:00:00 GMT 2026", NOON),
        ("2026-11-25T12:00:00.000+00:00", None),
        ("2026-11-25 12:00:00", None),
        ("yesterday", None),
        ("", None),
    ],
)
def test_dates_are_read_in_several_forms(text: str, seconds: float | None) -> None:
    assert parse_date(text) == (None if seconds is None else pytest.approx(seconds))


def test_numbers_and_parts_are_read_as_java_does() -> None:
    assert [parse_int(text) for text in ("0", "+7", "-2147483648")] == [0, 7, -(2**31)]
    for text in ("", " 1", "1 ", "2147483648", "1.0", "0x1"):
        with pytest.raises(JavaError):
            parse_int(text)
    assert split("a::b::", ":") == ["a", "", "b"]
    assert split("", ":") == [""]
    assert part(["a", "b"], 1) == "b"
    with pytest.raises(JavaError) as crash:
        part(["a"], 3)
    assert crash.value.message == "Index 3 out of bounds for length 1"
