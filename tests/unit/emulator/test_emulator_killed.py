# Copyright: (c) 2026, the cloudn.compute authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""An emulator with `--state` is killed at any moment, and started again: what it answered is there, and nothing is there by half.

`make test` kills a few times, `make test-faults` (`FAULTS=all`) many times. `FAULTS_SEED` draws other moments.
"""

from __future__ import annotations

import contextlib
import itertools
import os
import pathlib
import random
import re
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from types import SimpleNamespace
from typing import Any

import pytest
import requests
from cloudn_emulator.seed import variables
from emulator_clients import Api, Ec2, Refused
from programs import API_KEY, API_SECRET

KILLS = 25 if os.environ.get("FAULTS") == "all" else 3
SEED = int(os.environ.get("FAULTS_SEED", "1"))
CLIENTS = 4
MOST_ANSWERS = 120  # of all clients, before a kill
JOB_SECONDS = "0.03"


class Killed:
    """A program that is killed and started again with the same state. `emulator` is what the clients of the tests take."""

    def __init__(self, generation: str, path: pathlib.Path) -> None:
        options = ["--generation", generation, "--job-seconds", JOB_SECONDS, "--state", str(path), "--port", "0"]
        self.command = [sys.executable, "-m", "cloudn_emulator", *options]
        self.generation = generation

    def start(self) -> Any:
        self.process = subprocess.Popen(self.command, stdout=subprocess.PIPE, text=True)
        assert self.process.stdout
        urls = re.findall(r"http://[^ ]+", self.process.stdout.readline())
        assert len(urls) == 2, "it does not start"
        port = int(urls[0].split(":")[2].partition("/")[0])
        given = {"url": urls[0], "ec2_url": urls[1], "port": port, "vars": variables("user", self.generation)}
        return SimpleNamespace(**given, api_key=API_KEY, api_secret=API_SECRET)

    def kill(self) -> None:
        self.process.send_signal(signal.SIGKILL)
        self.process.communicate()


class Facts:
    """What answers have told: objects that are there, objects that are gone, and jobs."""

    def __init__(self) -> None:
        self.groups: dict[str, bool] = {}
        self.rules: dict[str, str] = {}  # by the name of their group
        self.key_pairs: set[str] = set()
        self.vms: dict[str, str] = {}  # their names by their ids
        self.tagged: set[str] = set()
        self.disks: set[str] = set()
        self.jobs: dict[str, int] = {}  # how far they were
        self.answers = 0


def work(api: Api, ec2: Ec2 | None, facts: Facts, number: Iterator[int], chance: random.Random) -> None:
    """Change one thing after the other, until the program is gone. Each fact is noted after its answer."""
    with contextlib.suppress(requests.RequestException):
        while True:
            kind, name = chance.choice(KINDS if ec2 is None else [*KINDS, by_ec2]), f"n{next(number)}"
            kind(api if kind is not by_ec2 else ec2, facts, name)


def group(api: Api, facts: Facts, name: str) -> None:
    id = api("createSecurityGroup", name=name)["securitygroup"]["id"]
    facts.groups[name] = True
    facts.answers += 1
    rule = {"securitygroupid": id, "protocol": "tcp", "startport": 1, "endport": 2, "cidrlist": "10.0.0.0/8"}
    follow(api, facts, api("authorizeSecurityGroupIngress", **rule)["jobid"])
    facts.rules[name] = "10.0.0.0/8"
    if name.endswith(("1", "3")):
        facts.rules.pop(name)
        del facts.groups[name]  # nobody knows how it is until there is an answer
        api("deleteSecurityGroup", id=id)
        facts.groups[name] = False
        facts.answers += 1


def key_pair(api: Api, facts: Facts, name: str) -> None:
    api("registerSSHKeyPair", name=name, publickey=f"ssh-rsa AAAA{name}")
    facts.key_pairs.add(name)
    facts.answers += 1


def vm(api: Api, facts: Facts, name: str) -> None:
    made = api.deployment(name, diskofferingid=api.vars["disk"])
    facts.vms[made["id"]] = name
    facts.answers += 1
    follow(api, facts, made["jobid"])
    follow(
        api,
        facts,
        api("createTags", resourcetype="UserVm", resourceids=made["id"], tags__key="k", tags__value=name)["jobid"],
    )
    facts.tagged.add(made["id"])


def disk(api: Api, facts: Facts, name: str) -> None:
    begun = api("createVolume", name=name, zoneid=api.vars["zone"], diskofferingid=api.vars["disk"])
    facts.disks.add(begun["id"])
    facts.answers += 1
    follow(api, facts, begun["jobid"])


def by_ec2(ec2: Ec2, facts: Facts, name: str) -> None:
    ec2("CreateSecurityGroup", {"GroupName": name, "GroupDescription": "d"})
    facts.groups[name] = True
    facts.answers += 1


KINDS = [group, key_pair, vm, disk]


def follow(api: Api, facts: Facts, job: str) -> None:
    """Wait for a job, and note each answer about it."""
    facts.jobs[job] = 0
    while not facts.jobs[job]:
        facts.jobs[job] = api("queryAsyncJobResult", jobid=job)["jobstatus"]
        facts.answers += 1
        time.sleep(0.003)
    assert facts.jobs[job] == 1


def check(api: Api, facts: Facts) -> None:
    """Nothing that was answered is missing, and nothing is there by half."""
    groups = {one["name"]: one for one in api("listSecurityGroups")["securitygroup"]}
    assert {name: name in groups for name in facts.groups} == facts.groups
    for name, cidr in facts.rules.items():
        assert [rule["cidr"] for rule in groups[name]["ingressrule"]] == [cidr]
    pairs = {one["name"] for one in api("listSSHKeyPairs").get("sshkeypair", [])}
    assert facts.key_pairs <= pairs
    disks: dict[str, list[str]] = {}
    volumes = api.volumes()
    for one in volumes:
        disks.setdefault(one.get("virtualmachineid", ""), []).append(one["type"])
    assert facts.disks <= {one["id"] for one in volumes}
    found = {one["id"]: one for one in api.vms()}
    assert facts.vms.items() <= {id: one["name"] for id, one in found.items()}.items()
    for id, one in found.items():
        assert sorted(disks[id]) == ["DATADISK", "ROOT"]
        assert one["state"] in ("Running", "Stopped")
        assert one["securitygroup"]
    tags = {one["resourceid"] for one in api("listTags").get("tag", [])}
    assert facts.tagged <= tags
    for job, status in facts.jobs.items():
        now = api("queryAsyncJobResult", jobid=job)["jobstatus"]
        assert now == status or (status == 0 and now in (1, 2)), job


@pytest.mark.parametrize("generation", ["3", "4"])
def test_nothing_that_was_answered_is_lost(generation: str, tmp_path: pathlib.Path) -> None:
    chance = random.Random(f"{SEED} {generation}")
    killed, facts, number = Killed(generation, tmp_path / "state"), Facts(), itertools.count()
    emulator = killed.start()
    try:
        for _time in range(KILLS):
            before, at = facts.answers, chance.randint(1, MOST_ANSWERS)
            problems: list[str] = []
            clients = [
                threading.Thread(
                    target=noted, args=(generation, emulator, facts, number, random.Random(chance.random()), problems)
                )
                for _client in range(CLIENTS)
            ]
            for client in clients:
                client.start()
            while facts.answers < before + at and any(client.is_alive() for client in clients):
                time.sleep(0.0005)
            time.sleep(chance.uniform(0, 0.004))
            killed.kill()
            for client in clients:
                client.join()
            assert problems == []
            emulator = killed.start()
            check(Api(emulator), facts)
    finally:
        killed.kill()
    assert facts.answers > KILLS


def noted(
    generation: str, emulator: Any, facts: Facts, number: Iterator[int], chance: random.Random, problems: list[str]
) -> None:
    """Work as a client, and keep what goes wrong besides the kill."""
    try:
        work(Api(emulator), Ec2(emulator) if generation == "3" else None, facts, number, chance)
    except (AssertionError, Refused, KeyError) as error:
        problems.append(repr(error))
