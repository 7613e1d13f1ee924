# Copyright: (c) 2026, the cloudn.compute authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""All that a user knows of a task holds for a task inside Ansible: each keyword does what it does for a module."""

from __future__ import annotations

import json
import os
import pathlib
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from typing import Any

import pytest
import ways
from asked import changes_sent_to, sent_to
from playbooks import Play
from reaching import environment_of
from samples import NEW, POLLS
from waiting import soon

pytestmark = pytest.mark.generation("3", reason="keywords are Ansible's, and the same on both")
Results = list[dict[str, Any]]
BOTH = pytest.mark.parametrize("way", [ways.INSIDE, ways.SENT], ids=["inside", "sent"])


@pytest.fixture
def results(emulator: Any, tmp_path: pathlib.Path) -> Callable[..., Results]:
    """Return a function that runs a playbook and returns the results of its tasks."""

    def run(text: str, *arguments: str, rc: int = 0, **more: str) -> Results:
        done, lines = ways.run(emulator, tmp_path, text, *arguments, **more)
        assert done.returncode == rc, done.stdout + done.stderr
        marks = {"failed": False, "skipped": False}
        return [
            {**marks, **line["result"], **{m: line[m] for m in marks if m in line}}
            for line in lines
            if "result" in line
        ]

    return run


@BOTH
def test_environment_of_a_task_reaches_the_task_alone(results: Callable[..., Results], way: str) -> None:
    text = """
- hosts: localhost
  gather_facts: false
  environment:
    CLOUDN_API_SECRET: wrong
  tasks:
    - cloudn.compute.cloudn_zone_info:
      ignore_errors: true
    - cloudn.compute.cloudn_zone_info:
      environment:
        CLOUDN_API_SECRET: "{{ right }}"
    - cloudn.compute.cloudn_zone_info:
      ignore_errors: true
    - cloudn.compute.cloudn_zone_info:
      loop: ["{{ right }}", wrong, "{{ right }}"]
      environment:
        CLOUDN_API_SECRET: "{{ item }}"
      ignore_errors: true
"""
    found = results(text, "-e", "right=cloudn-emulator-api-secret", CLOUDN_IN_PROCESS=way)
    assert [one.get("failed", False) for one in found[:3]] == [True, False, True]
    assert [one["failed"] for one in found[3]["results"]] == [False, True, False]


@BOTH
def test_proxies_of_the_environment_are_used(results: Callable[..., Results], way: str) -> None:
    text = """
- hosts: localhost
  gather_facts: false
  tasks:
    - cloudn.compute.cloudn_zone_info: {api_retries: 0}
      environment: {http_proxy: "http://127.0.0.1:9", no_proxy: "", NO_PROXY: ""}
      ignore_errors: true
    - cloudn.compute.cloudn_zone_info:
"""
    behind, direct = results(text, CLOUDN_IN_PROCESS=way)
    assert "proxy" in behind["msg"]
    assert direct["zones"]


@BOTH
def test_defaults_of_the_group_and_of_a_module(results: Callable[..., Results], way: str) -> None:
    text = """
- hosts: localhost
  gather_facts: false
  module_defaults:
    group/cloudn.compute.cloudn: {response_format: xml, api_retries: 2}
    cloudn.compute.cloudn_zone_info: {name: jp-e1b}
  tasks:
    - cloudn.compute.cloudn_zone_info:
    - cloudn.compute.cloudn_zone_info: {name: jp-e1a, api_retries: 3}
"""
    by_default, told = results(text, CLOUDN_IN_PROCESS=way)
    assert by_default["invocation"]["module_args"]["response_format"] == "xml"
    assert by_default["invocation"]["module_args"]["api_retries"] == 2
    assert [zone["name"] for zone in by_default["zones"]] == ["jp-e1b"]
    assert told["invocation"]["module_args"]["api_retries"] == 3
    assert [zone["name"] for zone in told["zones"]] == ["jp-e1a"]


@BOTH
def test_secrets_are_masked_everywhere(
    results: Callable[..., Results], emulator: Any, tmp_path: pathlib.Path, way: str
) -> None:
    text = f"""
- hosts: localhost
  gather_facts: false
  tasks:
    - cloudn.compute.cloudn_vm: {ways.written({"name": "web1", "user_data": "hushhush", **NEW})}
      check_mode: true
    - cloudn.compute.cloudn_vm: {ways.written({"name": "web1", "user_data": "hushhush", **NEW})}
      no_log: true
      check_mode: true
"""
    done, lines = ways.run(emulator, tmp_path, text, "-vvv", CLOUDN_IN_PROCESS=way)
    assert done.returncode == 0
    shown, hidden = (line["result"] for line in lines[:2])
    assert shown["invocation"]["module_args"]["user_data"] == "VALUE_SPECIFIED_IN_NO_LOG_PARAMETER"
    assert shown["invocation"]["module_args"]["api_secret"] == "VALUE_SPECIFIED_IN_NO_LOG_PARAMETER"
    assert "vms" not in hidden
    assert "censored" in hidden
    said = done.stdout + done.stderr + json.dumps(lines)
    assert "hushhush" not in said
    assert emulator.api_secret not in said


@BOTH
def test_register_until_and_conditions(results: Callable[..., Results], way: str) -> None:
    text = """
- hosts: localhost
  gather_facts: false
  tasks:
    - cloudn.compute.cloudn_zone_info:
      register: found
      until: found.zones | length > 99
      retries: 2
      delay: 0
      ignore_errors: true
    - cloudn.compute.cloudn_zone_info:
      when: found.attempts > 99
    - cloudn.compute.cloudn_zone_info:
      failed_when: false
      changed_when: true
"""
    tried, skipped, told = results(text, CLOUDN_IN_PROCESS=way)
    assert tried["attempts"] == 2
    assert skipped["skipped"]
    assert told["changed"]


@BOTH
def test_values_in_a_vault_arrive_in_clear(
    results: Callable[..., Results], emulator: Any, tmp_path: pathlib.Path, way: str
) -> None:
    (tmp_path / "password").write_text("open sesame")
    vault = ["--vault-password-file", str(tmp_path / "password")]
    program = str(pathlib.Path(sys.executable).parent / "ansible-vault")
    command = [program, "encrypt_string", *vault, "--name", "key", emulator.api_secret]
    said = subprocess.run(command, check=True, capture_output=True, text=True, cwd=tmp_path).stdout
    kept = said.replace("\n", "\n        ")
    text = f"""
- hosts: localhost
  gather_facts: false
  tasks:
    - cloudn.compute.cloudn_zone_info:
        api_secret: "{{{{ key }}}}"
      vars:
        {kept}
    - cloudn.compute.cloudn_zone_info:
        api_secret: {said.partition("key: ")[2].replace(chr(10), chr(10) + "        ")}
"""
    found = results(text, *vault, CLOUDN_IN_PROCESS=way, CLOUDN_API_SECRET="wrong")
    assert [bool(one["zones"]) for one in found] == [True, True]


def test_a_loop_has_one_connection(results: Callable[..., Results], emulator: Any) -> None:
    text = f"""
- hosts: localhost
  gather_facts: false
  tasks:
    - cloudn.compute.cloudn_vm: {ways.written({"name": ["web1", "web2"], **NEW})}
    - cloudn.compute.cloudn_vm:
        name: "{{{{ item }}}}"
        state: started
      loop: [web1, web2, web1, web2, web1, web2]
"""
    results(text)
    latest = [request["connection"] for request in emulator.requests][-6:]
    assert len(latest) == 6
    assert len(set(latest)) == 1


def test_two_accounts_of_a_loop_have_connections_of_their_own(
    results: Callable[..., Results], run_module_as: Callable[..., Any]
) -> None:
    with run_module_as() as (_run, other):
        text = f"""
- hosts: localhost
  gather_facts: false
  tasks:
    - cloudn.compute.cloudn_zone_info:
        api_url: "{{{{ item or omit }}}}"
      loop: ["", "{other.url}", "", "{other.url}"]
"""
        (found,) = results(text)
        assert all(one["zones"] for one in found["results"])
        assert sent_to(other) == ["listZones", "listZones"]


@BOTH
def test_many_hosts_at_once(results: Callable[..., Results], emulator: Any, tmp_path: pathlib.Path, way: str) -> None:
    hosts = {f"h{number:02}": {"ansible_connection": "local"} for number in range(1, 7 if way == ways.SENT else 51)}
    (tmp_path / "hosts.json").write_text(json.dumps({"all": {"hosts": hosts}}))
    text = """
- hosts: all
  gather_facts: false
  strategy: free
  tasks:
    - cloudn.compute.cloudn_zone_info:
    - cloudn.compute.cloudn_security_group: {name: "{{ inventory_hostname }}"}
      throttle: 5
    - cloudn.compute.cloudn_zone_info:
      delegate_to: localhost
    - cloudn.compute.cloudn_zone_info:
      run_once: true
"""
    plain = text.replace("  strategy: free\n", "")
    python = {"ANSIBLE_PYTHON_INTERPRETER": sys.executable}
    found = results(plain, "-i", str(tmp_path / "hosts.json"), "-f", "50", CLOUDN_IN_PROCESS=way, **python)
    assert len(found) == 3 * len(hosts) + 1
    assert len(changes_sent_to(emulator)) == len(hosts)
    again = text.replace("    - cloudn.compute.cloudn_zone_info:\n      run_once: true\n", "")
    found = results(again, "-i", str(tmp_path / "hosts.json"), "-f", "50", CLOUDN_IN_PROCESS=way, **python)
    assert len(found) == 3 * len(hosts)
    assert not any(one["changed"] for one in found)


def test_nothing_is_left_from_one_task_to_the_next(results: Callable[..., Results], emulator: Any) -> None:
    """Neither warnings, nor the environment, nor what a task has learned of the service."""
    text = """
- hosts: localhost
  gather_facts: false
  tasks:
    - cloudn.compute.cloudn_zone_info: {validate_certs: "{{ item }}", account: "{{ omit if item else 'flatuser' }}", domain_id: "{{ omit if item else '1' }}"}
      loop: [true, false, true]
"""
    (found,) = results(text)
    assert [bool(one.get("warnings")) for one in found["results"]] in ([False, False, False], [False, True, False])
    assert "validate_certs" in str(found)


@BOTH
def test_a_timeout_ends_the_task_and_all_that_it_does(
    run_module_as: Callable[..., Any], tmp_path: pathlib.Path, way: str
) -> None:
    """Ten threads wait for answers when Ansible breaks the task off. Nobody waits for them, and nothing more is sent."""
    slow = {"kind": "slow", "command": "deployVirtualMachine", "seconds": 60}
    with run_module_as(job_seconds=0.05, faults=[slow]) as (_run, emulator):
        names = [f"w{number}" for number in range(12)]
        options = ways.written({"name": names, "max_parallel": 4, **NEW})
        text = f"""
- hosts: localhost
  gather_facts: false
  tasks:
    - cloudn.compute.cloudn_vm: {options}
      timeout: 4
      ignore_errors: true
    - ansible.builtin.debug: {{msg: after}}
"""
        began = time.monotonic()
        done, lines = ways.run(emulator, tmp_path, text, CLOUDN_IN_PROCESS=way)
        took = time.monotonic() - began
        assert done.returncode == 0, done.stdout + done.stderr
        assert "Timed out after 4" in lines[0]["result"]["msg"]
        if way == ways.INSIDE:
            assert took < 40  # much less than the answers take
            assert changes_sent_to(emulator).count("deployVirtualMachine") <= 4


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_ctrl_c_ends_at_once_and_leaves_no_process(
    run_module_as: Callable[..., Any], tmp_path: pathlib.Path, number: int
) -> None:
    with run_module_as(job_seconds=30) as (_run, emulator):
        path = tmp_path / "play.yml"
        path.write_text(ways.play([ways.task(1, "cloudn_vm", {"name": ["web1", "web2"], **NEW})]))
        run = Play(path, environment_of(emulator))
        while not changes_sent_to(emulator):
            assert run.process.poll() is None
            time.sleep(0.01)
        os.killpg(run.process.pid, number)
        run.end()
        # A worker in a session of its own may end a moment after the run on a busy machine, but it does not wait for its jobs.
        soon(lambda: not list(run.processes()))
        asked = len(emulator.requests)
        time.sleep(0.5)
        assert len([one for one in emulator.requests[asked:] if one["command"] not in POLLS]) == 0


def test_ad_hoc(emulator: Any, environment: dict[str, str], tmp_path: pathlib.Path) -> None:
    program = str(pathlib.Path(sys.executable).parent / "ansible")
    for more in ([], ["-o"], ["--check"]):
        command = [program, "localhost", "-m", "cloudn.compute.cloudn_zone_info", "-a", "name=jp-e1a", *more]
        done = subprocess.run(command, env=environment, cwd=tmp_path, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stdout + done.stderr
        assert "jp-e1a" in done.stdout
    assert len(emulator.requests) == 3
