# Copyright: (c) 2026, the cloudn.compute authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The EC2 half answers single requests word by word as a real bridge of CloudStack 3.0.5 did.

The requests speak of objects by short names: machines a, b and c, volumes v and w, a snapshot s, images i1 and i2. An
answer is given as a whole (`is`), by how it begins, by pieces that it has, or by an error's text.
"""

from __future__ import annotations

import functools
import json
import pathlib
import re
from collections.abc import Callable
from typing import Any
from xml.etree import ElementTree

import pytest
from cloudn_emulator import Emulator
from ec2_replay import Bridge
from replay import Server

FILE = pathlib.Path(__file__).parent / "recordings" / "ec2-headed.jsonl"
REQUESTS: list[dict[str, Any]] = [json.loads(line) for line in FILE.read_text().splitlines()]
ZONE, PREFIX = "tky-flat-1", "PRE"
SMALL = 1_000_000_000  # bytes of the recorded server's template: less than a whole GB
# What a service makes up: how it looks here, and what stands for it in the wanted answers.
MADE_UP = (
    (r"<(requestId|RequestID)>[^<]+<", r"<\1>R<"),
    (r"<(\w+Time)>[^<]+<", r"<\1><T><"),
    (r"ROOT-\d+_", "ROOT-128_"),
    (r"<(\w+)></\1>", r"<\1/>"),
)


class Site:
    """Makes the objects step by step, just before the request that first needs them."""

    def __init__(self, emulator: Emulator) -> None:
        self.emulator = emulator
        self.bridge = Bridge(emulator.ec2_url, emulator.api_key, emulator.api_secret)
        self.server = Server(emulator.url, emulator.api_key, emulator.api_secret)
        seeded = emulator.vars
        self.ids = {"tmpl": seeded["template"]}
        self.steps: dict[str, Callable[[], None]] = {
            REQUESTS[0]["label"]: self.machines,
            "CS of allocated": self.volumes,
            "Attach w same device": self.attached,
            "DS filter owner-alias=ACC": self.snapshot,
            "DetV v": lambda: self.do("DeleteVolume", VolumeId=self.ids["v"]),
            "DS s deleted": lambda: self.do("DeleteSnapshot", SnapshotId=self.ids["s"]),
            "DIm i2": self.images,
        }

    def do(self, action: str, **params: str) -> None:
        self.bridge.do(action, **params)

    def machines(self) -> None:
        store, seeded = self.emulator.store, self.emulator.vars
        store.templates[seeded["template"]].size = SMALL
        self.ids["win"] = next(one.id for one in store.templates.values() if one.name.startswith("Windows"))
        self.server.done("createSecurityGroup", name=f"{PREFIX}grp")
        for name in "abc":
            special = {"templateid": self.ids["win"], "securitygroupnames": f"default,{PREFIX}grp", "displayname": "ü"}
            wanted = {"zoneid": seeded["zone"], "templateid": seeded["template"], "serviceofferingid": seeded["medium"]}
            made = self.server.done(
                "deployVirtualMachine", name=f"{PREFIX}{name}", **wanted | (special if name == "c" else {})
            )
            self.ids[name] = made["virtualmachine"]["id"]
        tags = {"tags[0].key": "role", "tags[0].value": "web & <x>"}
        self.server.done("createTags", resourcetype="UserVm", resourceids=self.ids["c"], **tags)
        (root,) = self.server.done("listVolumes", virtualmachineid=self.ids["b"])["volume"]
        self.ids["root of b"] = root["id"]

    def volumes(self) -> None:
        seeded = self.emulator.vars
        for name in "vw":
            wanted = {"name": f"{PREFIX}{name}", "zoneid": seeded["zone"], "diskofferingid": seeded["disk"]}
            self.ids[name] = self.server.done("createVolume", **wanted)["volume"]["id"]

    def attached(self) -> None:
        self.do("AttachVolume", VolumeId=self.ids["v"], InstanceId=self.ids["a"], Device="/dev/sdf")

    def snapshot(self) -> None:
        self.do("DetachVolume", VolumeId=self.ids["v"])
        answer = self.bridge.do("CreateSnapshot", VolumeId=self.ids["v"])["body"]
        self.ids["s"] = ElementTree.fromstring(answer).findtext("snapshotId") or ""

    def images(self) -> None:
        self.do("StopInstances", InstanceId__1=self.ids["a"])
        for name, text in (("i1", ""), ("i2", 'ü & <b> "q"')):
            wanted = {"InstanceId": self.ids["a"], "Name": f"{PREFIX}img <&>", "Description": text}
            self.ids[name] = ElementTree.fromstring(self.bridge.do("CreateImage", **wanted)["body"])[1].text or ""

    def ask(self, request: dict[str, Any]) -> tuple[int, str]:
        """Status and body of the answer to one request, with names for what is told by them."""
        self.steps.pop(request["label"], lambda: None)()
        params = {name: self._known(value) for name, value in request["params"].items()}
        usual = {"Version": "2010-11-15", "SignatureVersion": "2", "SignatureMethod": "HmacSHA256", "Timestamp": "now"}
        answer = self.bridge.ask("GET", {"Action": request["action"], **usual, **params})
        return answer["status"], self._named(answer["body"])

    def _known(self, text: str) -> str:
        return re.sub("^<(.+)>$", lambda match: self.ids[match[1]], text)

    def _named(self, text: str) -> str:
        for name, id in self.ids.items():
            text = text.replace(f">{id}<", f"><{name}><")
        for pattern, stands_for in MADE_UP:
            text = re.sub(pattern, stands_for, text)
        text = re.sub(r"<instanceId>[0-9a-f-]{36}<", "<instanceId><?><", text)
        return ordered(text.replace(self.emulator.vars["account"], "ACC"))


def ordered(text: str) -> str:
    """A text with the groups of each machine in alphabetical order: the real order changes from answer to answer."""
    items = re.compile(r"(?:<item><groupId>[^<]+</groupId></item>)+")
    return items.sub(lambda match: "".join(sorted(re.findall("<item>.+?</item>", match[0]))), text)


@functools.cache
def answers() -> list[tuple[int, str]]:
    """Return the answers to all requests, which are sent once to an emulator of their own."""
    with Emulator(zones=[ZONE], job_seconds=0.02) as emulator:
        site = Site(emulator)
        given = [site.ask(request) for request in REQUESTS]
        assert not site.steps, "a label that was never met"
        return given


@pytest.mark.parametrize("number", range(len(REQUESTS)), ids=[request["label"] for request in REQUESTS])
def test_each_answer_is_the_real_one(number: int) -> None:
    wanted, (status, body) = REQUESTS[number], answers()[number]
    assert status == wanted["status"], body
    if "error" in wanted:
        code = "Error" if status == 501 else "Server.InternalError"
        said = f"<Code>{code}</Code><Message>{wanted['error']}</Message>"
        assert body == (
            f'<?xml version="1.0" encoding="UTF-8"?><Response><Errors><Error>{said}</Error></Errors>'
            "<RequestID>R</RequestID></Response>"
        )
    elif "is" in wanted:
        assert body == wanted["is"]
    elif "begins" in wanted:
        assert body[: len(wanted["begins"])] == ordered(wanted["begins"])
    for piece in wanted.get("has", []):
        assert piece in body
    if "instances" in wanted:
        assert re.findall("<instanceId><(.+?)><", body) == wanted["instances"]


def test_all_requests_are_here() -> None:
    assert len(REQUESTS) == len({request["label"] for request in REQUESTS}) == 41
