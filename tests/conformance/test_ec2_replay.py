# Copyright: (c) 2026, the cloudn.compute authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The EC2 half of the emulator answers as the recorded bridge of CloudStack 3.0.5 did, step by step."""

from __future__ import annotations

import functools
import json
import pathlib
from collections.abc import Callable
from typing import Any

import pytest
from cloudn_emulator import Emulator
from cloudn_emulator.store import Template
from ec2_replay import Bridge, Step, differences, play
from replay import Server

RECORDED = pathlib.Path(__file__).parent / "recordings" / "ec2-answers.jsonl"
STEPS: list[Step] = [json.loads(line) for line in RECORDED.read_text().splitlines()]
# What the recording presumes: one zone and two plans of these names.
ZONE = "tky-flat-1"
PLANS = {"small": "Small Instance", "medium": "Medium Instance"}


class Site:
    """Makes the objects that no recorded step made, just before the step that first needs them."""

    template = "90ddbb8d-8652-4356-9fb7-ed3696cf4c3a"
    tagged = "b2abd519-c023-4476-9db9-018888f375bd"
    machine = "38afa927-b23c-48f9-bf8b-0cd4f6789341"
    others = ("ca025e6f-1f8f-4969-90ea-09b743418b13", "f588de2d-30d1-4a0a-beac-6b2f02e21e6d")
    root = "f58ff38a-ccc9-453f-820e-d94ceee635bb"
    data = "c729f1a0-94d7-4b87-8906-fab5f0495f75"

    def __init__(self, emulator: Emulator) -> None:
        self.emulator = emulator
        self.bridge = Bridge(emulator.ec2_url, emulator.api_key, emulator.api_secret)
        self.server = Server(emulator.url, emulator.api_key, emulator.api_secret)
        self.ids: dict[str, str] = {}
        self.steps: dict[str, Callable[[], Any]] = {
            "DescribeInstances all (203 VMs)": self.three_machines,
            "DescribeVolumes unknown": self.disks,
            "DescribeVolumes attached": lambda: self.do(
                "AttachVolume", VolumeId=self.data, InstanceId=self.machine, Device="/dev/sdf"
            ),
            "CreateImage of running instance": lambda: self.do("StartInstances", InstanceId__1=self.machine),
            "DescribeImages one id": lambda: self.do("CreateImage", InstanceId=self.machine, Name="ec2img2"),
            "TerminateInstances two": lambda: self.do(
                "StartInstances", InstanceId__1=self.others[0], InstanceId__2=self.others[1]
            ),
            "DescribeImages numeric internal id 1": self.image_of_the_system,
        }

    def prepare(self, step: Step, ids: dict[str, str]) -> None:
        self.ids = ids
        self.steps.pop(step["label"], lambda: None)()

    def do(self, action: str, **params: str) -> None:
        """Do an action on the objects that stand for the recorded ids."""
        self.bridge.do(action, **{name: self.ids.get(value, value) for name, value in params.items()})

    def three_machines(self) -> None:
        """Machines in two groups, with two tags each, of the plan that most have."""
        seeded = self.emulator.vars
        self.ids[self.template] = seeded["template"]
        self.server.done("createSecurityGroup", name="pb-web")
        for number in range(3):
            made = self.server.done(
                "deployVirtualMachine",
                zoneid=seeded["zone"],
                templateid=seeded["template"],
                serviceofferingid=seeded["small"],
                securitygroupnames="default,pb-web",
                name=f"pb{number}",
            )["virtualmachine"]
            tags = {"tags[0].key": "role", "tags[0].value": "web", "tags[1].key": "sla", "tags[1].value": "std"}
            self.server.done("createTags", resourcetype="UserVm", resourceids=made["id"], **tags)
            self.ids.setdefault(self.tagged, made["id"])

    def disks(self) -> None:
        """The machine's root disk, and a data disk of 2 GB."""
        (root,) = self.server.done("listVolumes", virtualmachineid=self.ids[self.machine])["volume"]
        seeded = self.emulator.vars
        data = self.server.done(
            "createVolume", name="data", zoneid=seeded["zone"], diskofferingid=seeded["custom"], size="2"
        )
        self.ids |= {self.root: root["id"], self.data: data["volume"]["id"]}

    def image_of_the_system(self) -> None:
        """A private template of another account, under an id that is a number."""
        store = self.emulator.store
        store.templates["1"] = Template(
            "1", "SystemVM", "", "15", "system", list(store.zones), 0, 0, False, public=False
        )


@functools.cache
def played() -> list[list[str]]:
    """The recording, played once against an emulator of its own."""
    with Emulator(zones=[ZONE], job_seconds=0.02) as emulator:
        for name, shown in PLANS.items():
            emulator.store.service_offerings[emulator.vars[name]].name = shown
        site = Site(emulator)
        found = play(STEPS, site.bridge, site.prepare)
        assert not site.steps, "a recorded label that was never met"
        return found


def test_the_whole_recording_is_here() -> None:
    assert len(STEPS) == 118


@pytest.mark.parametrize("number", range(1, len(STEPS) + 1), ids=[step["label"].partition(" (")[0] for step in STEPS])
def test_each_step_is_answered_alike(number: int) -> None:
    assert played()[number - 1] == []


ONE = "<R><a>Small Instance</a><s><item><status>available</status></item><item><status>error</status></item></s></R>"


@pytest.mark.parametrize(
    ("got", "difference"),
    [
        (ONE.replace("Small Instance", ""), "R.a"),
        (ONE.replace("Small Instance", "2"), "R.a"),
        (ONE.replace("<a>Small Instance</a>", ""), "R:"),
        (ONE.replace("available", "in-use"), "R.s.item.status"),
        (ONE.replace("<item><status>error</status></item>", ""), "R.s:"),
        (ONE.replace("<R>", "<R xmlns='http://ec2.amazonaws.com/doc/2010-11-15/'>"), "R:"),
        ('<?xml version="1.0"?>' + ONE, "declaration"),
        ("<R>", "no XML"),
    ],
)
def test_differences_in_xml_are_seen(got: str, difference: str) -> None:
    want = {"status": 200, "content_type": "text/xml", "body": ONE}
    items = (
        ONE.partition("<item>")[0]
        + "<item><status>error</status></item><item><status>available</status></item></s></R>"
    )
    assert list(differences(want, {**want, "body": items})) == []  # items have no order
    assert [difference for line in differences(want, {**want, "body": got}) if difference in line]


@pytest.mark.parametrize("change", [{"status": 404}, {"content_type": None}, {"body": "Access denied."}])
def test_differences_in_status_type_and_text_are_seen(change: dict[str, Any]) -> None:
    want = {"status": 403, "content_type": "text/plain", "body": "Access denied"}
    assert list(differences(want, want)) == []
    assert len(list(differences(want, {**want, **change}))) == 1


def test_another_page_is_a_difference() -> None:
    want = {"status": 530, "content_type": None, "html_error_page_with_message": "Missing Name parameter"}
    page = {"status": 530, "content_type": None, "body": "<p>Missing &#78;ame parameter</p>"}
    assert list(differences(want, page)) == []
    assert len(list(differences(want, {**page, "body": "<p>Missing ImageId parameter</p>"}))) == 1
