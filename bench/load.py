# Copyright: (c) 2026, the cloudn.compute authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Mixed requests of the native API to an emulator, one after the other on one connection."""

from __future__ import annotations

import http.client
import json
import pathlib
import time
from typing import Any
from urllib.parse import urlencode, urlsplit

from cloudn_emulator.signature import sign

TEMPLATE, PLAN, DISK = "CentOS 6.2 64bit", "vQ", "Small"
OS_TYPE = "142"
PUBLIC_KEY = "ssh-rsa AAAAB3NzaC1yc2EAAAADAQABAAAAgQDD1bp6wRTM load"
JOB_SECONDS = 30


class Load:
    """Sends requests, and counts them. `url`, `key` and `secret` are those of the emulator."""

    def __init__(self, url: str, key: str, secret: str) -> None:
        address = urlsplit(url)
        self.path, self.key, self.secret = address.path, key, secret
        self.connection = http.client.HTTPConnection(address.hostname or "", address.port, timeout=60)
        self.sent = 0
        self.rounds = 0
        self.machine = {
            "zoneid": self.ask("listZones")["zone"][0]["id"],
            "templateid": self.first("listTemplates", TEMPLATE, templatefilter="executable")["id"],
            "serviceofferingid": self.first("listServiceOfferings", PLAN)["id"],
        }
        self.disk = {"zoneid": self.machine["zoneid"], "diskofferingid": self.first("listDiskOfferings", DISK)["id"]}

    def ask(self, command: str, **params: str) -> dict[str, Any]:
        """Return the content of an answer or an error."""
        query = {"command": command, "apikey": self.key, "response": "json", **params}
        query["signature"] = sign(query, self.secret)
        self.connection.request("GET", f"{self.path}?{urlencode(query)}")
        self.sent += 1
        (content,) = json.loads(self.connection.getresponse().read()).values()
        return content

    def first(self, command: str, name: str, **params: str) -> dict[str, Any]:
        """Return the object of this name in a listing."""
        (objects,) = (value for value in self.ask(command, **params).values() if isinstance(value, list))
        return next(one for one in objects if one["name"] == name)

    def done(self, command: str, **params: str) -> str:
        """Wait for the job of a command; returns the id of what it made. Raises RuntimeError where it was refused or failed."""
        return self.ended(command, self.ask(command, **params))

    def ended(self, command: str, answer: dict[str, Any]) -> str:
        """The same for a command that was answered before."""
        deadline = time.monotonic() + JOB_SECONDS
        job = {"jobstatus": 0 if "jobid" in answer else 2, "jobresult": answer}
        while job["jobstatus"] == 0 and time.monotonic() < deadline:
            job = self.ask("queryAsyncJobResult", jobid=answer["jobid"])
        if job["jobstatus"] != 1:
            raise RuntimeError(f"{command}: {job}")
        return str(answer.get("id", ""))

    def round(self) -> None:
        """Make one of each kind of object, look at them, and delete them: some fifty requests."""
        self.rounds += 1
        name, ask, done = f"load{self.rounds}", self.ask, self.done
        group = ask("createSecurityGroup", name=name)["securitygroup"]["id"]
        rule = {"protocol": "tcp", "startport": "22", "endport": "22", "cidrlist": "192.0.2.0/24"}
        # Its job holds the group's lock for a moment: until the end of the round it has ended.
        allowed = ask("authorizeSecurityGroupIngress", securitygroupid=group, **rule)
        machine = done("deployVirtualMachine", name=name, **self.machine)
        volume = done("createVolume", name=name, **self.disk)
        done("attachVolume", id=volume, virtualmachineid=machine)
        tag = {"tags[0].key": "role", "tags[0].value": "load"}
        done("createTags", resourcetype="UserVm", resourceids=machine, **tag)
        ask("listVirtualMachines", id=machine)
        ask("listVirtualMachines", **tag)
        ask("listVolumes", virtualmachineid=machine)
        snapshot = done("createSnapshot", volumeid=volume)
        ask("listSnapshots", id=snapshot)
        image = {"name": name, "displaytext": name, "ostypeid": OS_TYPE, "snapshotid": snapshot}
        template = done("createTemplate", **image)
        ask("listTemplates", templatefilter="self", id=template)
        done("deleteTemplate", id=template)
        ask("registerSSHKeyPair", name=name, publickey=PUBLIC_KEY)
        ask("listSSHKeyPairs", name=name)
        ask("deleteSSHKeyPair", name=name)
        done("detachVolume", id=volume)
        ask("deleteVolume", id=volume)
        done("deleteSnapshot", id=snapshot)
        done("destroyVirtualMachine", id=machine)
        self.ended("authorizeSecurityGroupIngress", allowed)
        ask("listSecurityGroups", id=group)
        ask("deleteSecurityGroup", id=group)
        ask("listVirtualMachines")
        ask("listTemplates", templatefilter="executable")
        ask("listZones")
        ask("noSuchCommand")

    def requests(self, count: int) -> None:
        """Send rounds until at least so many requests were sent."""
        end = self.sent + count
        while self.sent < end:
            self.round()


def memory(pid: int) -> float:
    """Return how many MiB of the machine's memory a process has now."""
    status = pathlib.Path(f"/proc/{pid}/status").read_text(encoding="ascii")
    (kib,) = (line.split()[1] for line in status.splitlines() if line.startswith("VmRSS:"))
    return int(kib) / 1024
