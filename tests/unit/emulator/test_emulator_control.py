# Copyright: (c) 2026, the cloudn.compute authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""`/health` and `/reset`, and how the program tells that it listens."""

from __future__ import annotations

import json
import os
import pathlib
import re
import socket
import subprocess
import sys
import threading
from collections.abc import Callable
from typing import Any

import pytest
import requests
from cloudn_emulator import Emulator
from cloudn_emulator.cli import main
from cloudn_emulator.version import version
from emulator_clients import Api, Ec2, Refused
from kept import held
from waiting import soon

GENERATIONS = pytest.mark.parametrize("generation", ["3", "4"])
PROGRAM = [sys.executable, "-m", "cloudn_emulator", "--port", "0"]


def address(emulator: Emulator, path: str) -> str:
    return f"http://127.0.0.1:{emulator.port}{path}"


def reset(emulator: Emulator, **headers: str) -> requests.Response:
    return requests.post(address(emulator, "/reset"), headers=headers, timeout=30)


@GENERATIONS
def test_health_tells_what_is_served(generation: str, emulate: Callable[..., Api]) -> None:
    emulator = emulate(generation=generation, vms=2).emulator
    answer = requests.get(address(emulator, "/health"), timeout=10)
    assert (answer.status_code, answer.headers["Content-Type"]) == (200, "application/json; charset=utf-8")
    shown = {"status": "ok", "version": version(), "generation": generation, "path": "/client/api"}
    bridge = {"ec2_path": "/awsapi"} if generation == "3" else {}
    assert answer.json() == {**shown, **bridge, "account": "flatuser", "virtual_machines": 2}
    assert emulator.requests == []  # it is no request of the service


@pytest.mark.parametrize(("method", "path"), [("GET", "/health"), ("POST", "/reset")])
def test_pages_of_others_may_not_ask(method: str, path: str, api: Api) -> None:
    api("createSecurityGroup", name="stays")
    for headers in ({"Host": "evil.example"}, {"Origin": "https://evil.example"}, {"Sec-Fetch-Site": "cross-site"}):
        answer = requests.request(method, address(api.emulator, path), headers=headers, timeout=10)
        assert (answer.status_code, "see --allow-host" in answer.text) == (403, True)
    assert requests.get(address(api.emulator, "/reset"), timeout=10).status_code == 405
    assert "stays" in [group["name"] for group in api("listSecurityGroups")["securitygroup"]]


@GENERATIONS
def test_a_reset_leaves_what_a_start_has(generation: str, emulate: Callable[..., Api]) -> None:
    """Objects, their ids, row numbers, jobs, events, requests and faults are those of a start."""
    rules = [{"kind": "status", "command": "listZones", "nth": 1}]
    api = emulate(generation=generation, vms=5, neighbour=True, faults=rules, job_seconds=0.01)
    start = without_times(held(api.emulator.store))
    assert api.raw("listZones").status_code == 503
    api.running("more")
    api.job("destroyVirtualMachine", id=api.vms(name="web-00001")[0]["id"])
    api("deployVirtualMachine", **of_machine(api, "late"))
    api.emulator.faults([{"kind": "status", "command": "listVolumes"}])
    answer = reset(api.emulator)
    assert (answer.status_code, answer.json()["virtual_machines"]) == (200, 6)
    assert api.emulator.requests == []
    assert without_times(held(api.emulator.store)) == start
    assert (api.raw("listVolumes").status_code, api.raw("listZones").status_code) == (200, 503)
    assert api.names() == {"web-00001", "app-00002", "db-00003", "cache-00004", "batch-00005"}
    assert api.running("more")["id"]


def of_machine(api: Api, name: str) -> dict[str, str]:
    zone, template, offering = api.vars["zone"], api.vars["template"], api.vars["small"]
    return {"name": name, "zoneid": zone, "templateid": template, "serviceofferingid": offering}


def without_times(found: dict[str, Any]) -> dict[str, Any]:
    """What a store holds, without the seconds: a reset is a later start."""
    return json.loads(re.sub(r"\b\d{10}\.\d+", "0.0", json.dumps(found, default=sorted)))


def test_a_reset_ends_what_waits_and_stops_what_runs(emulate: Callable[..., Api]) -> None:
    """A request that waits for a job of before gets its answer, and nothing of it is left."""
    api = emulate(job_seconds=60)
    ec2, answers = Ec2(api.emulator), []
    wanted = {"ImageId": api.vars["template"], "InstanceType": "v1", "MinCount": 1, "MaxCount": 1}
    waiting = threading.Thread(target=lambda: answers.append(ec2.raw("RunInstances", wanted).status_code))
    waiting.start()
    soon(lambda: len(api.emulator.store.vms) == 1)
    job = api("deployVirtualMachine", **of_machine(api, "other"))["jobid"]
    api.emulator.reset()
    waiting.join(30)
    assert answers == [500]
    assert (api.vms(), api("listAsyncJobs").get("asyncjobs", [])) == ([], [])
    with pytest.raises(Refused):
        api("queryAsyncJobResult", jobid=job)
    assert [entry["command"] for entry in api.emulator.requests] == [
        "listVirtualMachines",
        "listAsyncJobs",
        "queryAsyncJobResult",
    ]


def test_resets_among_requests_leave_nothing_of_before(emulate: Callable[..., Api]) -> None:
    """Clients change things all the time while the emulator is reset: each request is answered, and the last reset wins."""
    api = emulate(job_seconds=0.01, race_ms=2)
    stop, problems = threading.Event(), []

    def change(number: int) -> None:
        mine, count = Api(api.emulator), 0
        while not stop.is_set():
            count += 1
            name = f"c{number}-{count}"
            for answer in (
                mine.raw("createSecurityGroup", name=name),
                mine.raw("deployVirtualMachine", **of_machine(mine, name)),
            ):
                if answer.status_code != 200:
                    problems.append(answer.text)

    clients = [threading.Thread(target=change, args=(number,)) for number in range(3)]
    for client in clients:
        client.start()
    for _time in range(10):
        soon(lambda: len(api.emulator.store.vms) > 1)
        assert reset(api.emulator).status_code == 200
    stop.set()
    for client in clients:
        client.join()
    assert problems == []
    assert reset(api.emulator).json()["virtual_machines"] == 0
    assert [group["name"] for group in api("listSecurityGroups")["securitygroup"]] == ["default"]
    assert api("listEvents")["count"] == 1


def test_a_reset_ends_a_pause_of_a_fault(emulate: Callable[..., Api]) -> None:
    """Nobody listens for a minute because of a rule. A reset through a connection that is there makes it listen again."""
    api = emulate(faults=[])
    assert api.raw("listZones").status_code == 200
    api.emulator.faults([{"kind": "refuse", "command": "listZones", "seconds": 60}])
    with pytest.raises(requests.ConnectionError):
        api.raw("listZones")
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection(("127.0.0.1", api.emulator.port), 5).close()
    api.emulator.reset()
    assert api("listZones")["count"]


# --- the program

# What the documentation says of the first line: programs read it.
LINE = (
    r"cloudn-emulator listens on (http://127\.0\.0\.1:\d+)/client/api and \1/awsapi "
    r"\(account flatuser, API key cloudn-emulator-api-key, 2 virtual machines\)\n"
)


class Program:
    """The program with some options, until the test ends."""

    def __init__(self, *options: str) -> None:
        self.process = subprocess.Popen([*PROGRAM, *options], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        self.line = self.process.stdout.readline()
        self.urls = re.findall(r"http://[^ ]+", self.line)

    def __enter__(self) -> Program:
        return self

    def __exit__(self, *failure: object) -> None:
        self.process.kill()
        self.process.communicate()


@GENERATIONS
def test_the_ready_file_is_there_while_it_listens(generation: str, tmp_path: pathlib.Path) -> None:
    ready = tmp_path / "ready"
    ready.write_text("CLOUDN_API_URL=http://127.0.0.1:1/old\n")
    os.chmod(ready, 0o400)
    with Program("--ready-file", str(ready), "--generation", generation, "--vms", "2") as program:
        assert re.fullmatch(LINE, program.line)
        soon(lambda: ready.exists() and "old" not in ready.read_text())
        wanted = [f"CLOUDN_API_URL={program.urls[0]}", f"CLOUDN_EC2_URL={program.urls[1]}"]
        assert ready.read_text().splitlines() == wanted[: 2 if generation == "3" else 1]
        assert list(tmp_path.iterdir()) == [ready]
        sourced = subprocess.run(
            ["sh", "-c", f". {ready}; echo $CLOUDN_API_URL"], capture_output=True, text=True, check=True
        )
        assert sourced.stdout.strip() == program.urls[0]
        assert requests.get(program.urls[0].replace("/client/api", "/health"), timeout=10).json()["status"] == "ok"
        program.process.terminate()
        assert program.process.wait(20) == 0
    assert not ready.exists()


@pytest.mark.parametrize("place", ["no/ready", "."])
def test_a_ready_file_that_can_not_be_is_told_at_once(place: str, tmp_path: pathlib.Path, capsys: Any) -> None:
    assert main(["--port", "0", "--ready-file", str(tmp_path / place)]) == 1
    out, err = capsys.readouterr()
    assert (out, len(err.splitlines())) == ("", 1)
    assert err.startswith(f"cloudn-emulator: cannot write the file {tmp_path / place} of --ready-file: ")


def test_a_reset_empties_the_log_of_this_start(tmp_path: pathlib.Path) -> None:
    log = tmp_path / "log"
    log.write_text('{"of": "before"}\n')
    with Program("--log", str(log)) as program:
        for _time in range(2):
            requests.get(program.urls[0], params={"command": "listZones"}, timeout=10)
            assert len(log.read_text().splitlines()) == 2
            assert requests.post(program.urls[0].replace("/client/api", "/reset"), timeout=10).status_code == 200
            assert log.read_text() == '{"of": "before"}\n'


def test_a_log_that_can_not_be_emptied_stays(tmp_path: pathlib.Path) -> None:
    """What reads from a pipe has read it already."""
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    reader = threading.Thread(target=lambda: lines.extend(pipe.read_text().splitlines()))
    lines: list[str] = []
    reader.start()
    with Program("--log", str(pipe)) as program:
        requests.get(program.urls[0], params={"command": "listZones"}, timeout=10)
        assert requests.post(program.urls[0].replace("/client/api", "/reset"), timeout=10).status_code == 200
        requests.get(program.urls[0], params={"command": "listZones"}, timeout=10)
        program.process.terminate()
        program.process.wait(20)
    reader.join(20)
    assert len(lines) == 2
