# Copyright: (c) 2026, the cloudn.compute authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Real runs at the highest verbosity while much goes wrong. Nothing that Ansible writes holds a secret."""

from __future__ import annotations

import base64
import json
import pathlib
import re
import subprocess
from collections.abc import Callable, Iterator
from typing import Any

import pytest
import yaml
from cloudn_emulator import Emulator
from playbooks import task
from reaching import environment_of
from samples import NEW
from scenarios import FTP_PASSWORD, USER_DATA
from sites import SECRETS

# Made into the last address of a request, key and signature would be found by this.
CREDENTIALS = re.compile(r"(apikey|signature|AWSAccessKeyId)(=|%3D|\": \")[A-Za-z0-9%+/.~_-]{8}", re.IGNORECASE)
# Each as often as the command is tried, so that its error is told: the last is not tried again.
KINDS = ("close", "cut", "late", "status", "unauthorized")
LOOKED_AT = "listCapabilities"
FAULTS: list[dict[str, Any]] = [
    *(
        {"kind": kind, "command": LOOKED_AT, "times": 2, **({"seconds": 1.2} if kind == "late" else {})}
        for kind in KINDS
    ),
    {"kind": "refuse", "command": LOOKED_AT, "times": 1, "seconds": 1.2},
    # A lost answer to a change, after which the service is looked at.
    {"kind": "reset_after", "command": "createVolume", "nth": 1},
    {"kind": "job_fails", "command": "extractVolume", "nth": 1},
]
# Not written into the playbook: Ansible shows the lines of a task that fails.
SECRET = "{{{{ lookup('ansible.builtin.env', 'CANARY_{}') }}}}"
FTP = SECRET.format("FTP")
UPLOAD = {"name": "data", "state": "extracted", "extract_mode": "ftp_upload", "extract_url": FTP}
MACHINE = {"name": "web1", "user_data": SECRET.format("USER_DATA"), **NEW}
TASKS = [
    {**task("cloudn_vm", **MACHINE), "no_log": True},  # for the password that the service makes
    {**task("cloudn_vm", **MACHINE), "register": "vm"},
    {**task("cloudn_vm_password", name="web1", allow_restart=True), "no_log": True},
    {**task("cloudn_volume", name="data", disk_offering="Small", state="attached", vm="web1"), "register": "volume"},
    {**task("cloudn_volume", name="data", state="detached"), "register": "detached"},
    {**task("cloudn_volume", **UPLOAD), "register": "extraction"},
    {**task("cloudn_volume", **UPLOAD), "async": 60, "poll": 0, "register": "later"},
    {**task("cloudn_vm", **{**MACHINE, "display_name": "Web"}), "async": 60, "poll": 0},
    {**task("cloudn_job_info"), "register": "jobs"},
    {
        **task(
            "cloudn_api",
            command="deployVirtualMachine",
            params={"zoneid": "no-such-zone", "name": "web9"},
            secret_params={"userdata": SECRET.format("ENCODED")},
        ),
        "register": "sent",
    },
    {**task("cloudn_api", command=LOOKED_AT), "loop": [*KINDS, *range(3)], "register": "looks"},
    {**task("cloudn_vm_info"), "register": "machines"},
    {
        "ansible.builtin.set_fact": {
            "cacheable": True,
            "seen": "{{ [vm, volume, detached, extraction, jobs, sent, looks, machines] }}",
        }
    },
    {"ansible.builtin.debug": {"var": "hostvars[inventory_hostname]"}},
]


@pytest.fixture
def home(tmp_path: pathlib.Path) -> pathlib.Path:
    """The folder for everything that is written."""
    path = tmp_path / "home"
    path.mkdir()
    return path


@pytest.fixture
def talkative(home: pathlib.Path) -> Callable[[Any], dict[str, str]]:
    """Return a function that gives an environment in which Ansible writes all that it can into ``home``."""

    def environment(emulator: Any) -> dict[str, str]:
        return {
            **environment_of(emulator),
            "HOME": str(home),
            "ANSIBLE_HOME": str(home / "ansible"),
            "ANSIBLE_LOG_PATH": str(home / "ansible.log"),
            "ANSIBLE_LOG_VERBOSITY": "4",
            "ANSIBLE_CACHE_PLUGIN": "jsonfile",
            "ANSIBLE_CACHE_PLUGIN_CONNECTION": str(home / "facts"),
            "ANSIBLE_INVENTORY_CACHE": "true",
            "ANSIBLE_INVENTORY_CACHE_PLUGIN": "jsonfile",
            "ANSIBLE_INVENTORY_CACHE_CONNECTION": str(home / "inventory-cache"),
            "ANSIBLE_ASYNC_DIR": str(home / "async"),
            "ANSIBLE_RETRY_FILES_ENABLED": "true",
            "ANSIBLE_RETRY_FILES_SAVE_PATH": str(home / "retry"),
            "ANSIBLE_CALLBACKS_ENABLED": "tree,junit",
            "ANSIBLE_CALLBACK_TREE_DIR": str(home / "tree"),
            "JUNIT_OUTPUT_DIR": str(home / "junit"),
            "JUNIT_HIDE_TASK_ARGUMENTS": "true",  # which Ansible would write as they are in the playbook
            "ANSIBLE_CHECK_MODE_MARKERS": "true",
        }

    return environment


@pytest.fixture
def emulator(home: pathlib.Path) -> Iterator[Any]:
    with Emulator(job_seconds=0.1, **SECRETS) as running:
        yield running


def found_in(text: str, passwords: list[str]) -> list[str]:
    """Return the secrets that are in a text."""
    data = base64.b64encode(USER_DATA.encode()).decode()
    secrets = [*SECRETS.values(), USER_DATA, data, FTP_PASSWORD, *passwords]
    return [secret for secret in secrets if secret in text] + [match[0] for match in CREDENTIALS.finditer(text)]


def test_runs_with_many_faults_write_nothing_secret(
    emulator: Any, home: pathlib.Path, talkative: Callable[[Any], dict[str, str]], tmp_path: pathlib.Path
) -> None:
    said = said_by_runs(emulator, talkative(emulator), tmp_path)
    assert "noSuchCommand" in said
    passwords = passwords_made(emulator)
    assert passwords
    written = {"what was said": said, "the emulator's log": json.dumps(emulator.requests), **files_below(home)}
    # What is looked into is really there.
    kinds = {name.partition("/")[0] for name in written}
    assert {"ansible.log", "async", "facts", "inventory-cache", "tree", "junit"} <= kinds, kinds
    assert {rule["kind"] for rule in FAULTS} <= {one.get("fault") for one in emulator.requests}
    assert f"{LOOKED_AT}: the service was not reached" in said
    assert "Traceback" not in said
    leaks = {name: found for name, text in written.items() if (found := found_in(text, passwords))}
    assert leaks == {}


def said_by_runs(emulator: Any, environment: dict[str, str], folder: pathlib.Path) -> str:
    """Run the playbook and the inventory while much goes wrong, and the inventory once more; return what they say."""
    write_sources(emulator, folder)
    values = {
        "CANARY_FTP": f"ftp://user:{FTP_PASSWORD}@ftp.example.com/data.vhd",
        "CANARY_USER_DATA": USER_DATA,
        "CANARY_ENCODED": base64.b64encode(USER_DATA.encode()).decode(),
        **{f"CANARY_{name.upper()}": value for name, value in SECRETS.items()},
    }
    environment = {**environment, **values, "CLOUDN_API_KEY": "unused", "CLOUDN_API_SECRET": "unused"}
    inventory = ["ansible-inventory", "-vvvv", "-i", str(folder / "cloudn.yml"), "--list"]
    playbook = ["ansible-playbook", "-vvvv", "--diff", str(folder / "site.yml")]
    said = ""
    for command, faults, good in (
        (playbook, FAULTS, False),
        (inventory, [{"kind": "cut"}], False),
        (inventory, [], True),
    ):
        emulator.faults(faults)
        done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False, timeout=300)
        assert (done.returncode == 0) is good, done.stdout
        said += done.stdout + done.stderr
    return said


def write_sources(emulator: Any, folder: pathlib.Path) -> None:
    """Write the playbook and the inventory's configuration."""
    connection = {"api_timeout": 1, "api_retries": 1}
    keys = {name: SECRET.format(name.upper()) for name in SECRETS}
    play = {
        "hosts": "localhost",
        "gather_facts": False,  # facts have the environment
        "ignore_errors": True,
        "module_defaults": {"group/cloudn.compute.cloudn": {**connection, **keys}},
        "tasks": [*TASKS, {**task("cloudn_api", command="noSuchCommand"), "ignore_errors": False}],
    }
    (folder / "site.yml").write_text(yaml.safe_dump([play]))
    (folder / "cloudn.yml").write_text(
        yaml.safe_dump({"plugin": "cloudn.compute.cloudn", "api_url": emulator.url, **connection, **SECRETS})
    )


def passwords_made(emulator: Any) -> list[str]:
    """Return the passwords that the service made for machines."""
    machines = [(job.result or {}).get("virtualmachine", {}) for job in emulator.store.jobs.values()]
    return [machine["password"] for machine in machines if "password" in machine]


def files_below(folder: pathlib.Path) -> dict[str, str]:
    """Return the contents of all files in a folder, by their names."""
    files = (path for path in folder.rglob("*") if path.is_file())
    return {str(path.relative_to(folder)): path.read_bytes().decode(errors="replace") for path in files}
