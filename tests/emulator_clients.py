# Copyright: (c) 2026, the cloudn.compute authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Small clients of both APIs of the emulator, for its tests."""

from __future__ import annotations

import time
from typing import Any
from urllib.parse import quote
from xml.etree import ElementTree

import requests
from cloudn_emulator import Emulator, signature
from cloudn_emulator.ec2.access import sign
from cloudn_emulator.exchange import Asked
from waiting import soon


class Refused(Exception):
    """An answer that is an error, or a job that failed."""

    def __init__(self, code: int, text: str) -> None:
        super().__init__(f"{code}: {text}")
        self.code = code


class Api:
    """Signed requests to an emulator; answers without their root."""

    def __init__(self, emulator: Emulator) -> None:
        self.emulator = emulator
        self.vars = emulator.vars
        self.session = requests.Session()

    def signed(self, command: str, **params: Any) -> dict[str, str]:
        """The parameters of a request with its signature; `__` in a name stands for `[0].`."""
        query = {"command": command, "apikey": self.emulator.api_key, "response": "json"}
        query |= {name.replace("__", "[0]."): str(value) for name, value in params.items()}
        return {**query, "signature": signature.sign(query, self.emulator.api_secret)}

    def raw(self, command: str, **params: Any) -> requests.Response:
        return self.session.get(self.emulator.url, params=self.signed(command, **params), timeout=30)

    def __call__(self, command: str, **params: Any) -> dict[str, Any]:
        answer = self.raw(command, **params)
        (body,) = answer.json().values()
        if answer.status_code != 200:
            assert body["errorcode"] == answer.status_code
            raise Refused(body["errorcode"], body["errortext"])
        return body

    def job(self, command: str, **params: Any) -> dict[str, Any]:
        """The result of an asynchronous command's job; raises Refused with the inner code where it failed."""
        return self.wait(self(command, **params)["jobid"])

    def wait(self, job_id: str) -> dict[str, Any]:
        deadline = time.monotonic() + 20
        while time.monotonic() < deadline:
            job = self("queryAsyncJobResult", jobid=job_id)
            if job["jobstatus"] == 2:
                assert job["jobresultcode"] in (530, job["jobresult"]["errorcode"])  # CloudStack 3, 4
                raise Refused(job["jobresult"]["errorcode"], job["jobresult"]["errortext"])
            if job["jobstatus"] == 1:
                return job["jobresult"]
            time.sleep(0.005)
        raise AssertionError(f"job {job_id} is still pending")

    def deploy(self, name: str, **params: Any) -> str:
        """Begin to deploy a VM; returns its id."""
        return self.deployment(name, **params)["id"]

    def deployment(self, name: str, **params: Any) -> dict[str, str]:
        wanted = {"zoneid": self.vars["zone"], "templateid": self.vars["template"], "name": name}
        return self("deployVirtualMachine", **{**wanted, "serviceofferingid": self.vars["small"], **params})

    def running(self, name: str, **params: Any) -> dict[str, Any]:
        """Deploy a VM and wait for it; returns it as the job does."""
        return self.wait(self.deployment(name, **params)["jobid"])["virtualmachine"]

    def vms(self, **params: Any) -> list[dict[str, Any]]:
        return self("listVirtualMachines", **params).get("virtualmachine", [])

    def vm(self, id: str, **params: Any) -> dict[str, Any]:
        (found,) = self.vms(id=id, **params)
        return found

    def state(self, id: str) -> str:
        return self.vm(id)["state"]

    def until(self, id: str, state: str) -> None:
        """Wait until a VM shows a state."""
        soon(lambda: self.state(id) == state, 20)

    def names(self, **params: Any) -> set[str]:
        return {vm["name"] for vm in self.vms(**params)}

    def volumes(self, **params: Any) -> list[dict[str, Any]]:
        return self("listVolumes", **params).get("volume", [])

    def new_volume(self, name: str = "data", **params: Any) -> str:
        """Make a data disk and wait for it; returns its id."""
        wanted = {"zoneid": self.vars["zone"], "diskofferingid": self.vars["disk"], **params}
        return self.job("createVolume", name=name, **wanted)["volume"]["id"]

    def snapshots(self, **params: Any) -> list[dict[str, Any]]:
        return self("listSnapshots", **params).get("snapshot", [])


class Ec2:
    """Signed requests to the EC2 half of an emulator."""

    def __init__(self, emulator: Emulator) -> None:
        self.emulator = emulator
        self.vars = emulator.vars
        self.session = requests.Session()

    def query(
        self, action: str, params: dict[str, Any], method: str = "GET", path: str = "/awsapi", **changed: str | None
    ) -> str:
        """The text of a request with its signature; what is changed to None is left out."""
        given: dict[str, Any] = {"AWSAccessKeyId": self.emulator.api_key, "Action": action, "Timestamp": "now"}
        given |= {"Version": "2010-11-15", "SignatureVersion": "2", "SignatureMethod": "HmacSHA256"}
        given |= {**params, **changed}
        sent = {name: str(value) for name, value in given.items() if value is not None}
        text = "&".join(f"{name}={quote(value, safe='-_.~')}" for name, value in sorted(sent.items()))
        mac = sign(Asked(method, f"127.0.0.1:{self.emulator.port}", path, text, sent), self.emulator.api_secret)
        return f"{text}&Signature={quote(mac, safe='')}"

    def raw(self, action: str, params: dict[str, Any] | None = None, timeout: float = 30) -> requests.Response:
        """The answer to a GET."""
        return self.session.get(f"{self.emulator.ec2_url}?{self.query(action, params or {})}", timeout=timeout)

    def post(self, action: str, params: dict[str, Any] | None = None, kind: str = "") -> requests.Response:
        """The answer to a form."""
        headers = {"Content-Type": f"application/x-www-form-urlencoded{kind}"}
        text = self.query(action, params or {}, "POST")
        return self.session.post(self.emulator.ec2_url, data=text, headers=headers, timeout=30)

    def __call__(self, action: str, params: dict[str, Any] | None = None) -> ElementTree.Element:
        """The answer to an action that goes well."""
        answer = self.raw(action, params)
        assert answer.status_code == 200, answer.text
        root = ElementTree.fromstring(answer.content)
        assert root.tag == f"{action}Response"
        return root

    def run(self, count: int = 1, **params: Any) -> list[str]:
        """Run machines of plan v1; returns their ids."""
        wanted = {"ImageId": self.vars["template"], "InstanceType": "v1", "MinCount": count, "MaxCount": count}
        return self.texts(self("RunInstances", {**wanted, **params}), "instanceId")

    @staticmethod
    def texts(element: ElementTree.Element, name: str) -> list[str]:
        """The texts of all elements of this name."""
        return [one.text or "" for one in element.iter(name)]

    def message(self, action: str, params: dict[str, Any] | None = None) -> str:
        """What is said to an action that fails."""
        answer = self.raw(action, params)
        assert answer.status_code == 500, answer.text
        return ElementTree.fromstring(answer.content).findtext("Errors/Error/Message") or ""
