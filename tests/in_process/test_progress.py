# Copyright: (c) 2026, the cloudn.compute authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A task that waits says on screen what it waits for, and so does the inventory."""

from __future__ import annotations

import contextlib
import pathlib
import re
import subprocess
import sys
import threading
from collections.abc import Callable
from typing import Any

import pytest
import waiting
import ways
from ansible import context
from ansible.module_utils.common.collections import ImmutableDict
from ansible_collections.cloudn.compute.plugins.module_utils.api import Client
from ansible_collections.cloudn.compute.plugins.module_utils.api.waits import Waits, some
from ansible_collections.cloudn.compute.plugins.plugin_utils import watch
from reaching import environment_of
from samples import NEW

ONLY_3 = pytest.mark.generation("3", reason="lines on screen are the same on both")
pytestmark = ONLY_3


def spoken(describe: Callable[[], str], seconds: int) -> tuple[list[str], list[float]]:
    """Return the lines that a watch says in so many seconds, and the moments of the looks. No time passes."""
    said: list[str] = []
    moments: list[float] = []
    now = [0.0]

    def look() -> str:
        moments.append(now[0])
        return describe()

    one = watch.Watch("A task (host)", look, said.append, clock=lambda: now[0])
    one.begin()
    while now[0] <= seconds:
        one.look()
        now[0] += 1
    return said, moments


def test_lines_come_at_growing_distances() -> None:
    said, moments = spoken(lambda: "3 of 10 done", 260)
    assert moments == [5, 15, 35, 75, 135, 195, 255]
    assert said == ["A task (host): 3 of 10 done"] * 7


def test_nothing_is_said_of_a_task_that_waits_for_nothing() -> None:
    assert spoken(lambda: "", 20)[0] == []


def test_names_are_escaped_and_a_line_is_one_line() -> None:
    said, _moments = spoken(lambda: "web\x1b[31m1\n\u202e is Starting", 5)
    assert said == [r"A task (host): web\x1b[31m1\n\u202e is Starting"]


def test_the_inner_wait_counts_and_the_command_is_said_where_nobody_tells_more() -> None:
    waits = Waits()
    assert waits.text() == ""
    waits.command = "listZones"
    assert waits.text() == "no answer to listZones yet"
    with waits.on(lambda: "outer"):
        with waits.on(lambda: "inner"):
            assert waits.text() == "inner"
        with waits.on(lambda: ""):
            assert waits.text() == "outer"
        with waits.on(lambda: {}["changed meanwhile"]):
            assert waits.text() == "outer"
    assert waits.text() == "no answer to listZones yet"


def test_many_are_counted() -> None:
    assert some(["a", "b"]) == "a, b"
    assert some(list("abcdefg")) == "a, b, c, d and 3 more"


def test_pages_are_counted(emulator: Any) -> None:
    client = Client(emulator.url, emulator.api_key, emulator.api_secret)
    waits = client.waits
    waits.command = "listVirtualMachines"
    waits.take("listVirtualMachines", 1, 500, 10000)
    waits.take("listVirtualMachines", 2, 500, 10000)
    assert waits.text() == "reading VMs: 1,000 of about 10,000"
    waits.take("listVirtualMachines", 1, 500, 500)
    assert waits.text() == "reading VMs: 500 so far"


@pytest.mark.parametrize(
    ("callback", "arguments", "terse"),
    [
        ("default", {}, False),
        ("ansible.builtin.default", {}, False),
        ("yaml", {}, False),
        ("minimal", {}, True),
        ("ansible.posix.json", {}, True),
        ("oneline", {}, True),
        ("null", {}, True),
        ("default", {"module_name": "cloudn.compute.cloudn_vm"}, True),
        ("yaml", {"module_name": "cloudn.compute.cloudn_vm"}, False),
        ("yaml", {"module_name": "cloudn.compute.cloudn_vm", "one_line": True}, True),
    ],
)
def test_terse_callbacks(
    monkeypatch: pytest.MonkeyPatch, callback: str, arguments: dict[str, Any], terse: bool
) -> None:
    monkeypatch.setattr(watch.C, "DEFAULT_STDOUT_CALLBACK", callback, raising=False)
    monkeypatch.setattr(context, "CLIARGS", ImmutableDict(arguments))
    assert watch.is_terse() is terse


@pytest.fixture
def soon(tmp_path: pathlib.Path) -> dict[str, str]:
    """An environment in which the first line comes soon: what a test would wait for otherwise."""
    hook = tmp_path / "soon"
    hook.mkdir()
    (hook / "sitecustomize.py").write_text(
        "import sys, threading\n"
        "start = threading.Thread.start\n"
        "def soon(self):\n"
        "    if self.name == 'cloudn-watch':\n"
        "        watch = sys.modules['ansible_collections.cloudn.compute.plugins.plugin_utils.watch']\n"
        "        watch.FIRST, watch.TICK = 0.4, 0.05\n"
        "    start(self)\n"
        "threading.Thread.start = soon\n"
    )
    return {"PYTHONPATH": str(hook)}


def test_a_task_says_what_it_waits_for(run_module_as: Callable[..., Any], tmp_path: pathlib.Path) -> None:
    with run_module_as(job_seconds=6.5) as (_run, emulator):
        tasks = [
            ways.task(1, "cloudn_vm", {"name": ["web1", "web2"], **NEW}),
            ways.task(2, "cloudn_vm", {"name": "web3", "wait": False, **NEW}),
        ]
        book = ways.play(tasks).replace("name: 1 cloudn_vm", "name: Machines")
        done, lines = ways.run(emulator, tmp_path, book)
        assert done.returncode == 0, done.stdout + done.stderr
        assert not any(line.get("failed") for line in lines)
        (line,) = done.stderr.splitlines()
        jobs = {
            job["jobid"]: job
            for job in Client(emulator.url, emulator.api_key, emulator.api_secret).list("listAsyncJobs")
        }
        assert line.startswith("Machines (localhost): 0 of 2 done; web1: deployVirtualMachine for ")
        assert "web2: deployVirtualMachine for " in line
        assert sum(f"(job {job_id})" in line for job_id in jobs) == 2
        assert "\x1b" not in line
        assert "deployVirtualMachine for" not in done.stdout


def test_a_site_counts_its_steps(
    run_module_as: Callable[..., Any], soon: dict[str, str], tmp_path: pathlib.Path
) -> None:
    site = {"name": "shop", "security_groups": [{"name": "web"}], "vms": [{"name": ["web1", "web2"], **NEW}]}
    with run_module_as(job_seconds=1.5) as (_run, emulator):
        done, lines = ways.run(emulator, tmp_path, ways.play([ways.task(1, "cloudn_site", site)]), **soon)
        assert done.returncode == 0, done.stdout + done.stderr
        assert not lines[0].get("failed"), lines
        line = done.stderr.splitlines()[0]
        assert re.match(
            r"1 cloudn_site \(localhost\): site shop: \d of 6 steps done, \d running: .*vm web1 deploy \d+ s", line
        )


@pytest.mark.parametrize(
    ("more", "keywords"),
    [
        ({"CLOUDN_PROGRESS": "0"}, {}),
        ({}, {"vars": {"cloudn_progress": False}}),
        ({}, {"no_log": True}),
        ({"ANSIBLE_STDOUT_CALLBACK": "minimal"}, {}),
        ({"ANSIBLE_STDOUT_CALLBACK": "oneline"}, {}),
    ],
)
def test_silence(
    run_module_as: Callable[..., Any],
    soon: dict[str, str],
    tmp_path: pathlib.Path,
    more: dict[str, str],
    keywords: dict[str, Any],
) -> None:
    with run_module_as(job_seconds=1.5) as (_run, emulator):
        for name, environment, words, expected in (("web1", {}, {}, True), ("web2", more, keywords, False)):
            book = ways.play([ways.task(1, "cloudn_vm", {"name": name, **NEW}, **words)])
            done, lines = ways.run(emulator, tmp_path, book, **soon, **environment)
            assert done.returncode == 0, done.stdout + done.stderr
            assert not lines[0].get("failed"), lines
            said = [line for line in done.stderr.splitlines() if "deployVirtualMachine" in line]
            assert bool(said) is expected, done.stderr


def test_the_inventory_says_how_far_it_is(
    run_module_as: Callable[..., Any], soon: dict[str, str], tmp_path: pathlib.Path
) -> None:
    with run_module_as(vms=1200, list_ms_per_object=4) as (_run, emulator):
        (tmp_path / "cloudn.yml").write_text("plugin: cloudn.compute.cloudn\n")
        program = str(pathlib.Path(sys.executable).parent / "ansible-inventory")
        command = [program, "-i", "cloudn.yml", "--list"]
        for switch, expected in (("1", True), ("0", False)):
            environment = {**environment_of(emulator), **soon, "CLOUDN_PROGRESS": switch}
            done = subprocess.run(
                command, cwd=tmp_path, env=environment, capture_output=True, text=True, check=False, timeout=120
            )
            assert done.returncode == 0, done.stderr
            said = [line for line in done.stderr.splitlines() if "reading VMs: " in line]
            assert bool(said) is expected, done.stderr
            assert all(str(tmp_path / "cloudn.yml") in line for line in said)
            assert "reading" not in done.stdout


def test_a_watch_ends_with_its_body(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing is said after it, and soon the thread is gone, too. All watches of a process have one thread."""
    monkeypatch.setattr(watch, "TICK", 0.01)
    monkeypatch.setattr(watch, "FIRST", 0.0)
    said: list[str] = []
    for _turn in range(2):
        said.clear()
        with contextlib.suppress(ZeroDivisionError), watch.Watch("outer", lambda: "x", said.append):
            with watch.Watch("inner", lambda: "y", said.append):
                assert waiting.soon(lambda: {"outer: x", "inner: y"} <= {*said})
            assert [one.name for one in threading.enumerate()].count("cloudn-watch") == 1
            raise ZeroDivisionError
        before = len(said)
        assert waiting.soon(lambda: "cloudn-watch" not in [one.name for one in threading.enumerate()])
        assert len(said) == before
