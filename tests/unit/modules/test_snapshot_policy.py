# Copyright: (c) 2026, the cloudn.compute authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""cloudn_snapshot_policy and its info: intervals, times, every option, every refusal, against the emulator."""

from __future__ import annotations

import sys
import threading
from collections.abc import Callable
from typing import Any

import pytest
from ansible_collections.cloudn.compute.plugins.module_utils.api import Client, UsageError
from ansible_collections.cloudn.compute.plugins.module_utils.resources.snapshot_policy import lookup, time_zone
from ansible_collections.cloudn.compute.plugins.module_utils.resources.snapshot_policy import view as snapshot_policy
from asked import sent_to
from cloudn_emulator import schedule as emulated
from samples import NEW, UNKNOWN

Result = dict[str, Any]
Run = Callable[..., Result]
MODULE, INFO = "cloudn_snapshot_policy", "cloudn_snapshot_policy_info"
CREATE, DELETE = "createSnapshotPolicy", "deleteSnapshotPolicies"
NIGHTLY = {"volume": "data", "interval": "daily", "time": "01:30", "timezone": "Asia/Tokyo", "keep": 7}


pytestmark = pytest.mark.usefixtures("disk")


def listed(client: Client, disk: str) -> list[Result]:
    """What the service has: intervals by number, schedules, time zones, how many are kept."""
    fields = ("intervaltype", "schedule", "timezone", "maxsnaps")
    found = client.list("listSnapshotPolicies", {"volumeid": disk})
    return sorted(tuple(policy[field] for field in fields) for policy in found)


# Made, changed, deleted


@pytest.mark.parametrize(
    ("options", "number", "schedule", "shown"),
    [
        ({"interval": "hourly", "time": "5"}, 0, "05", ("05", None)),
        ({"interval": "daily", "time": "1:30"}, 1, "30:01", ("01:30", None)),
        ({"interval": "weekly", "time": "23:59", "day": "Saturday"}, 2, "59:23:7", ("23:59", "saturday")),
        ({"interval": "monthly", "time": "00:00", "day": "28"}, 3, "00:00:28", ("00:00", "28")),
    ],
)
def test_a_policy_is_made_for_each_interval(
    beats: Run, client: Client, disk: str, options: Result, number: int, schedule: str, shown: Any
) -> None:
    done = beats(MODULE, [CREATE], volume="data", timezone="Asia/Tokyo", keep=3, **options)
    assert listed(client, disk) == [(number, schedule, "Asia/Tokyo", 3)]
    policy = done["snapshot_policy"]
    assert (policy["time"], policy["day"]) == shown
    assert (policy["volume"], policy["volume_id"], policy["interval"]) == ("data", disk, options["interval"])
    assert (policy["timezone"], policy["keep"], policy["state"]) == ("Asia/Tokyo", 3, "present")
    assert done["snapshot_policies"] == [policy]
    name = f"{options['interval']} snapshots of data"
    assert done["actions"][0].startswith(f"{name}: make a policy with time={shown[0]}, ")
    assert done["diff"]["before"] == {name: {}}
    assert done["diff"]["after"][name]["keep"] == 3


def test_check_mode_shows_what_will_be(run_module: Run, disk: str) -> None:
    told = run_module(MODULE, _check=True, **NIGHTLY)["snapshot_policy"]
    done = run_module(MODULE, **NIGHTLY)["snapshot_policy"]
    assert told == {**done, "id": None}
    told = run_module(MODULE, volume="data", interval="daily", keep=2, _check=True)["snapshot_policy"]
    assert told == {**done, "keep": 2}


def test_a_policy_is_changed_and_keeps_its_id(beats: Run, run_module: Run, client: Client, disk: str) -> None:
    made = run_module(MODULE, **NIGHTLY)["snapshot_policy"]
    done = beats(MODULE, [CREATE], volume="data", interval="daily", time="02:00", keep=2)
    assert done["snapshot_policy"] == {**made, "time": "02:00", "keep": 2}
    assert done["actions"] == ["daily snapshots of data: set time=02:00, keep=2"]
    managed = {"state": "present", "time": "01:30", "timezone": "Asia/Tokyo", "keep": 7}
    assert done["diff"]["before"] == {"daily snapshots of data": managed}
    assert done["diff"]["after"] == {"daily snapshots of data": {**managed, "time": "02:00", "keep": 2}}
    beats(MODULE, [CREATE], volume="data", interval="daily", timezone="GMT-3")
    assert listed(client, disk) == [(1, "00:02", "GMT-03:00", 2)]
    beats(MODULE, [], volume="data", interval="daily", timezone="GMT-03:00", time="2:00")


def test_a_volume_has_one_policy_for_each_interval(beats: Run, client: Client, disk: str) -> None:
    beats(MODULE, [CREATE], **NIGHTLY)
    beats(MODULE, [CREATE], volume="data", interval="weekly", day="sunday", time="03:00", keep=4)
    assert listed(client, disk) == [(1, "30:01", "Asia/Tokyo", 7), (2, "00:03:1", "UTC", 4)]
    done = beats(MODULE, [DELETE], volume="data", interval="daily", state="absent")
    assert done["actions"] == ["daily snapshots of data: delete the policy"]
    assert (done["snapshot_policy"]["state"], done["snapshot_policy"]["interval"]) == ("absent", "daily")
    assert listed(client, disk) == [(2, "00:03:1", "UTC", 4)]


def test_absent_of_a_missing_policy_is_no_change(beats: Run, refused: Callable[..., str]) -> None:
    for where in ({"volume": "data"}, {"volume": "gone"}, {"volume": UNKNOWN}, {"vm": "gone"}, {"vm": "db1"}):
        done = beats(MODULE, [], interval="daily", state="absent", **where)
        assert (done["snapshot_policy"]["id"], done["snapshot_policy"]["state"]) == (None, "absent")
    beats(MODULE, [], **{**NIGHTLY, "state": "absent"})
    assert "zone: there is no 'x'" in refused(MODULE, volume="gone", zone="x", interval="daily", state="absent")


def test_a_machine_stands_for_its_root_disk(beats: Run, client: Client, disk: str, run_module: Run) -> None:
    done = beats(MODULE, [CREATE], vm="db1", interval="hourly", time="15", keep=1)
    assert done["snapshot_policy"]["volume"].startswith("ROOT-")
    assert done["snapshot_policy"]["timezone"] == "UTC"
    done = beats(MODULE, [CREATE], vm="db1", volume="data", interval="hourly", time="15", keep=1)
    assert done["snapshot_policy"]["volume_id"] == disk
    beats(MODULE, [], volume=disk, interval="hourly", time="15", keep=1)
    assert len(run_module(INFO, vm="db1")["snapshot_policies"]) == 2


def test_schedules_that_others_wrote_are_read(beats: Run, client: Client, disk: str, emulator: Any) -> None:
    params = {"volumeid": disk, "intervaltype": "WEEKLY", "schedule": "5:1:2:9", "timezone": "GMT", "maxsnaps": 1}
    client.call(CREATE, params)
    done = beats(MODULE, [], volume="data", interval="weekly", day="monday", time="01:05", timezone="GMT", keep=1)
    assert (done["snapshot_policy"]["day"], done["snapshot_policy"]["time"]) == ("monday", "01:05")


def test_a_schedule_that_cannot_be_read_is_shown_as_unknown(
    beats: Run, run_module: Run, refused: Callable[..., str], emulator: Any
) -> None:
    run_module(MODULE, **NIGHTLY)
    (policy,) = emulator.store.snapshot_policies.values()
    policy.schedule = "odd"
    (shown,) = run_module(INFO)["snapshot_policies"]
    assert (shown["time"], shown["day"], shown["keep"]) == (None, None, 7)
    said = refused(MODULE, volume="data", interval="daily", keep=2)
    assert said == "time: needed with interval: daily, as the policy has none that can be read"
    beats(MODULE, [CREATE], **NIGHTLY)


def test_the_service_takes_and_keeps_snapshots_by_the_policy(run_module: Run, emulator: Any) -> None:
    """The emulator takes due snapshots at the next request."""
    made = run_module(MODULE, volume="data", interval="hourly", time="0", keep=2)["snapshot_policy"]
    emulator.store.snapshot_policies[made["id"]].next_run -= 4 * 3600
    taken = run_module("cloudn_snapshot_info", volume="data")["snapshots"]
    assert [one["interval_type"] for one in taken] == ["HOURLY", "HOURLY"]


# Refusals


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"volume": "nope", "interval": "daily"}, "volume: there is no volume 'nope'; cloudn_volume_info lists"),
        ({"vm": "nope", "interval": "daily"}, "vm: there is no VM 'nope'"),
        ({"vm": "db1", "volume": "nope", "interval": "daily"}, "volume: db1 has no volume nope; it has: ROOT-4, data"),
        ({"interval": "daily"}, "one of the following is required: volume, vm"),
        ({"volume": "", "interval": "daily"}, "volume: is empty; give a value, or leave the option out"),
        ({"volume": "data"}, "missing required arguments: interval"),
        (
            {"volume": "data", "interval": "yearly"},
            "interval: 'yearly' is not possible. The value of interval must be one of: hourly, daily",
        ),
        (
            {"volume": "data", "interval": "daily"},
            "time, keep: needed with interval: daily, as there is no such policy",
        ),
        (
            {"volume": "data", "interval": "monthly", "time": "01:30", "keep": 1},
            "day: needed with interval: monthly, as there is no such policy yet",
        ),
        (
            {"volume": "data", "interval": "hourly", "time": "60"},
            "time: with interval: hourly give a minute from 0",
        ),
        ({"volume": "data", "interval": "hourly", "time": "1:30"}, "time: with interval: hourly give a minute"),
        (
            {"volume": "data", "interval": "daily", "time": "24:00"},
            "time: '24:00' is no time of a day from 00:00 to 23:59",
        ),
        ({"volume": "data", "interval": "daily", "time": "1:5"}, "time: '1:5' is no time of a day"),
        ({"volume": "data", "interval": "daily", "time": "01:30:00"}, "time: '01:30:00' is no time of a day"),
        ({"volume": "data", "interval": "daily", "time": 630}, "Write it in quotes: time: '10:30'"),
        (
            {"volume": "data", "interval": "daily", "day": "1"},
            "day: goes only with interval: weekly or monthly, not with daily",
        ),
        ({"volume": "data", "interval": "weekly", "day": "1"}, "day: with interval: weekly give the name of a day"),
        (
            {"volume": "data", "interval": "monthly", "day": "29"},
            "day: with interval: monthly give a day from 1 to 28",
        ),
        ({"volume": "data", "interval": "monthly", "day": "sunday"}, "1 to 28, not 'sunday'"),
        ({"volume": "data", "interval": "daily", "keep": 0}, "keep: must be at least 1, not 0"),
        (
            {"volume": "data", "interval": "daily", "timezone": "Tokyo"},
            "timezone: 'Tokyo' is no time zone that the service",
        ),
        ({**NIGHTLY, "state": "absent", "time": "x"}, "time: 'x' is no time of a day"),
    ],
)
def test_bad_options_are_refused(refused: Callable[..., str], options: Result, said: str) -> None:
    assert said in refused(MODULE, **options)


def test_volumes_that_hold_nothing_yet_are_refused(run_module: Run, refused: Callable[..., str]) -> None:
    run_module("cloudn_volume", name="fresh", disk_offering="Small", zone="jp-e1a")
    assert "volume: fresh has never been attached, so it holds no data" in refused(
        MODULE, **{**NIGHTLY, "volume": "fresh"}
    )
    upload = {"url": "https://images.example.com/x.vhd", "format": "VHD", "zone": "jp-e1a"}
    run_module("cloudn_volume", name="image", **upload)
    assert "volume: image is Uploaded; the service takes" in refused(MODULE, **{**NIGHTLY, "volume": "image"})


def test_two_volumes_of_one_name_are_refused(
    run_module: Run, refused: Callable[..., str], client: Client, disk: str
) -> None:
    params = {"name": "data", "zoneid": client.list("listZones")[0]["id"]}
    params["diskofferingid"] = client.list("listDiskOfferings")[0]["id"]
    client.wait(client.call("createVolume", params)["jobid"])
    for state in ("present", "absent"):
        said = refused(MODULE, **{**NIGHTLY, "state": state})
        assert said.startswith("volume: 2 volumes are named 'data'; choose one by its id: ")


def test_more_snapshots_than_the_service_keeps_are_its_error(run_module: Run, emulator: Any) -> None:
    """Only the service knows how many it keeps. The task changes nothing else."""
    failed = run_module(MODULE, **{**NIGHTLY, "keep": 9})
    assert (failed["command"], failed["error_code"], failed["changed"]) == (CREATE, 431, False)
    assert (
        "The service limits keep for each interval, by default to 8, and to the snapshots that the account may have"
        in failed["msg"]
    )
    assert emulator.store.snapshot_policies == {}


def test_an_account_without_the_commands_gets_advice(run_module: Run, emulator: Any) -> None:
    emulator.store.account.denied = frozenset(["listSnapshotPolicies"])
    for module, options in ((MODULE, NIGHTLY), (INFO, {})):
        failed = run_module(module, **options)
        assert (
            "does not grant it to this account: run cloudn_snapshot with max_age and keep as often as" in failed["msg"]
        )


# Time zones


@pytest.mark.parametrize(
    ("name", "kept"),
    [
        ("UTC", "UTC"),
        ("GMT", "GMT"),
        ("Asia/Tokyo", "Asia/Tokyo"),
        ("America/Argentina/Buenos_Aires", "America/Argentina/Buenos_Aires"),
        ("Etc/GMT+9", "Etc/GMT+9"),
        ("EST5EDT", "EST5EDT"),
        ("JST", "JST"),
        ("GMT+9", "GMT+09:00"),
        ("GMT-930", "GMT-09:30"),
        ("GMT+09:30", "GMT+09:30"),
    ],
)
def test_time_zones_that_the_service_knows_are_accepted(name: str, kept: str) -> None:
    assert time_zone.checked(name, "timezone") == kept
    assert emulated.time_zone(name)[0] == kept


@pytest.mark.parametrize(
    "name",
    ["", " ", "Tokyo", "asia/tokyo", "America", "GMT+24", "GMT+9:60", "GMT+9:5", "UTC+9", "+09:00", "posix/Japan"]
    + ["localtime", "../etc/passwd", "Asia/Tokyo ", "Asia/Tokyo\n", "Zone\x00"],
)
def test_time_zones_that_the_service_would_take_for_gmt_are_refused(name: str) -> None:
    with pytest.raises(UsageError, match="is no time zone that the service knows"):
        time_zone.checked(name, "timezone")


def test_a_time_zone_without_offset_is_gmt() -> None:
    """Versions of Java call this zone by different names."""
    assert {time_zone.checked(name, "timezone") for name in ("GMT", "GMT+0", "GMT-00:00")} == {"GMT"}


def test_all_short_names_of_java_are_known() -> None:
    assert [time_zone.checked(name, "timezone") for name in emulated.SHORT] == list(emulated.SHORT)


def test_without_a_database_of_time_zones_any_name_of_a_zone_passes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "zoneinfo", None)  # as with Python 3.8
    assert time_zone.checked("Asia/Nowhere", "timezone") == "Asia/Nowhere"
    with pytest.raises(UsageError):
        time_zone.checked("over there", "timezone")


def test_a_time_zone_that_only_the_service_lacks_is_an_error_each_time(
    run_module: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The zone may be newer than the service, or Python has no database of zones. Each run reports it."""
    monkeypatch.setattr(time_zone, "_is_known", lambda _name: True)
    for changed in (True, True):
        failed = run_module(MODULE, **{**NIGHTLY, "timezone": "Asia/Nowhere"})
        assert failed["changed"] is changed
        assert failed["msg"].startswith(
            "createSnapshotPolicy: the service does not know the time zone Asia/Nowhere, so the policy is in GMT."
        )
        assert failed["snapshot_policy"]["timezone"] == "GMT"


# Two at one moment


@pytest.mark.parametrize("order", ["first", "last", "random"])
@pytest.mark.parametrize("keep", [7, 3])
def test_two_runs_at_once_leave_one_policy(run_module_as: Callable[..., Any], order: str, keep: int) -> None:
    """The service makes two policies. Both runs see that and keep the same one."""
    with run_module_as(race_ms=100, race_order=order) as (run, emulator):
        run("cloudn_vm", name="db1", **NEW)
        asked = {
            "vm": "db1",
            "state": "present",
            "interval": "daily",
            "time": "01:30",
            "timezone": "UTC",
            "wait_timeout": 20,
        }
        reports: list[Any] = []

        def once(kept: int) -> None:
            client = Client(emulator.url, emulator.api_key, emulator.api_secret)
            options = {**asked, "volume": None, "zone": None, "day": None, "keep": kept}
            reports.append(lookup.RESOURCE.ensure(client, options))

        runs = [threading.Thread(target=once, args=(kept,)) for kept in (7, keep)]
        for one in runs:
            one.start()
        for one in runs:
            one.join()
        assert [report.failures for report in reports] == [[], []]
        assert sum(request["command"] == CREATE for request in emulator.requests) >= 2
        (left,) = emulator.store.snapshot_policies.values()
        assert left.kept in (7, keep)


def test_two_policies_of_one_interval_become_one(beats: Run, run_module: Run, emulator: Any) -> None:
    made = run_module(MODULE, **NIGHTLY)["snapshot_policy"]
    (policy,) = emulator.store.snapshot_policies.values()
    second = type(policy)(UNKNOWN, policy.volume, policy.interval, "0:0", "GMT", 1, policy.next_run)
    emulator.store.snapshot_policies[UNKNOWN] = second
    kept = min(made["id"], UNKNOWN)
    changes = [DELETE] if kept == made["id"] else [DELETE, CREATE]
    done = beats(MODULE, changes, **NIGHTLY)
    assert list(emulator.store.snapshot_policies) == [kept]
    assert done["actions"][0] == "daily snapshots of data: delete another policy of this interval"
    emulator.store.snapshot_policies[second.id] = second
    emulator.store.snapshot_policies[made["id"]] = policy
    beats(MODULE, [DELETE, DELETE], volume="data", interval="daily", state="absent")
    assert emulator.store.snapshot_policies == {}


# Listed, and what it costs


def test_policies_are_found_by_options(run_module: Run, emulator: Any, disk: str) -> None:
    run_module("cloudn_volume", name="fresh", disk_offering="Small", zone="jp-e1a")
    weekly = {"interval": "weekly", "day": "sunday", "time": "03:00", "keep": 4}
    of_data = [run_module(MODULE, volume="data", **weekly)["snapshot_policy"], run_module(MODULE, **NIGHTLY)]
    of_data = [of_data[1]["snapshot_policy"], of_data[0]]
    of_root = run_module(MODULE, vm="db1", **weekly)["snapshot_policy"]
    emulator.clear()
    assert run_module(INFO)["snapshot_policies"] == [of_root, *of_data]
    asked = sent_to(emulator)
    assert asked == ["listVolumes", "listSnapshotPolicies", "listSnapshotPolicies"], "none of what was never attached"
    for options, found in (
        ({"volume": "data"}, of_data),
        ({"volume": disk}, of_data),
        ({"volume": "dat"}, []),
        ({"volume": UNKNOWN}, []),
        ({"vm": "db1"}, [of_root, *of_data]),
        ({"vm": "nope"}, []),
        ({"vm": "db1", "volume": "data", "interval": "daily"}, of_data[:1]),
        ({"interval": "weekly"}, [of_root, of_data[1]]),
        ({"zone": "jp-e1b"}, []),
        ({"volume": "data", "response_format": "xml"}, of_data),
    ):
        assert run_module(INFO, **options)["snapshot_policies"] == found, options


def test_a_task_without_a_change_costs_two_requests(run_module: Run, emulator: Any) -> None:
    run_module(MODULE, **NIGHTLY)
    emulator.clear()
    run_module(MODULE, **NIGHTLY)
    assert sent_to(emulator) == ["listVolumes", "listSnapshotPolicies"]


@pytest.mark.parametrize("interval", snapshot_policy.INTERVALS)
def test_schedules_are_read_as_they_are_written(interval: str) -> None:
    times = ["00", "07", "59"] if interval == "hourly" else ["00:00", "07:05", "23:59"]
    days = {"weekly": list(snapshot_policy.WEEKDAYS), "monthly": ["1", "28"]}.get(interval, [None])
    for time in times:
        for day in days:
            text = snapshot_policy.schedule(interval, time, day)
            assert snapshot_policy.read_schedule(interval, text) == (time, day)
            assert emulated.next_run(interval.upper(), text, "UTC", 0.0) > 0
