# Copyright: (c) 2026, the cloudn.compute authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A site as one playbook for the real ansible-playbook, also several at once, or killed in the middle."""

from __future__ import annotations

import contextlib
import os
import pathlib
import signal
import subprocess
import time
import uuid
from collections.abc import Iterator
from typing import Any

from samples import KEY, NEW, POLLS

MARK = "CLOUDN_TEST_RUN"  # an environment variable by which all processes of a run are found
VMS = [f"web{number:02}" for number in range(1, 13)]
RULES = [{"ports": "80", "cidrs": ["0.0.0.0/0", "192.0.2.0/24"]}, {"ports": "22", "groups": [{"name": "default"}]}]


def task(module: str, **options: Any) -> dict[str, Any]:
    return {f"cloudn.compute.{module}": options}


SITE = [
    {
        "hosts": "localhost",
        "gather_facts": False,
        "tasks": [
            task("cloudn_key_pair", name="site", public_key=KEY),
            task("cloudn_security_group", name="web", ingress=RULES, egress=RULES[:1], tags={"site": "one"}),
            task("cloudn_vm", name=VMS, state="started", security_groups=["web"], tags={"role": "web"}, **NEW),
            {
                **task(
                    "cloudn_volume",
                    name="data-{{ item }}",
                    state="attached",
                    vm="{{ item }}",
                    disk_offering="Small",
                    tags={"of": "{{ item }}"},
                ),
                "loop": VMS[:2],
            },
            task("cloudn_volume", name="spare", zone="jp-e1a", disk_offering="Custom", size_gb=7),
            task("cloudn_snapshot", volume="data-web01", vm="web01", max_age="1h", tags={"kind": "nightly"}),
            task("cloudn_template", name="image", vm="web02", allow_restart=True, tags={"site": "one"}),
        ],
    }
]


class Play:
    """A run of a playbook: a process, with all the processes that it starts."""

    def __init__(self, path: pathlib.Path, environment: dict[str, str], *arguments: str) -> None:
        self._mark = uuid.uuid4().hex
        command = ["ansible-playbook", str(path), *arguments]
        pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.STDOUT, "text": True}
        self.process = subprocess.Popen(command, env={**environment, MARK: self._mark}, start_new_session=True, **pipes)

    def processes(self) -> Iterator[int]:
        """Yield the ids of all processes of the run; some are in sessions of their own."""
        for entry in pathlib.Path("/proc").iterdir():
            if entry.name.isdigit() and int(entry.name) != os.getpid():
                with contextlib.suppress(OSError):
                    if f"{MARK}={self._mark}".encode() in (entry / "environ").read_bytes().split(b"\0"):
                        yield int(entry.name)

    def kill(self) -> None:
        """Kill all processes of the run at once."""
        while found := list(self.processes()):
            for process in found:
                with contextlib.suppress(ProcessLookupError):
                    os.kill(process, signal.SIGKILL)
            if self.process.poll() is None:
                self.process.wait(10)
        self.process.communicate()

    def end(self) -> tuple[int, str]:
        """Wait for the end; return exit code and output."""
        try:
            output, _none = self.process.communicate(timeout=120)
        except subprocess.TimeoutExpired:
            self.kill()
            raise
        return self.process.returncode, output


def asked(emulator: Any) -> int:
    """Return how many requests have come, without those for jobs: how often a job is asked for is chance."""
    return sum(request["command"] not in POLLS for request in list(emulator.requests))


def wait_for_requests(emulator: Any, play: Play, number: int) -> bool:
    """Wait until so many requests have come; return false when the run has ended before."""
    while asked(emulator) < number:
        if play.process.poll() is not None:
            return False
        time.sleep(0.001)
    return True
