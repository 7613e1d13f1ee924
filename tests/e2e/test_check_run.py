# Copyright: (c) 2026, the cloudn.compute authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Check mode of a whole run tells what the run does, task by task, though nothing exists that its tasks would make.

``make test`` compares a sample of the random runs, ``FAULTS=all`` all of them. ``CHECK_RUNS_SEED`` chooses others.
"""

from __future__ import annotations

import json
import os
import pathlib
import re
from collections.abc import Callable
from typing import Any

import pytest
from ansible_collections.cloudn.compute.plugins.module_utils.api import is_read
from check_runs import Chance, is_alike, play, told, unmade
from cloudn_emulator.seed import NEIGHBOUR_KEY, NEIGHBOUR_SECRET
from reaching import environment_of

ALL = os.environ.get("FAULTS") == "all"
SEED = os.environ.get("CHECK_RUNS_SEED", "1")
RUNS = 50 if ALL else 3  # on each generation


@pytest.mark.parametrize("number", range(RUNS))
@pytest.mark.generation("3", "4", reason="each has runs of its own")
def test_a_random_run_does_what_its_check_mode_told(
    playbook: Callable[..., Any], emulator: Any, generation: str, number: int, tmp_path: pathlib.Path
) -> None:
    chance = Chance(f"{SEED} {generation} {number}", generation)
    before, tasks = chance.before(), chance.tasks()
    text = play([*before, *tasks], tmp_path / "results.json")
    if before:
        run(playbook, play(before, tmp_path / "before.json"))
        text = play(tasks, tmp_path / "results.json")
    emulator.clear()
    run(playbook, text, "--check", "--diff")
    changes = [request["command"] for request in emulator.requests if not is_read(request["command"])]
    planned = json.loads((tmp_path / "results.json").read_text())
    run(playbook, text)
    real = json.loads((tmp_path / "results.json").read_text())
    assert changes == []
    differing = [
        f"{number}: {task}\n   planned: {told(one)} {one.get('msg', '')}\n   real:    {told(other)} {other.get('msg', '')}"
        for number, (task, one, other) in enumerate(zip(tasks, planned, real, strict=True))
        if not is_alike(task, one, other)
    ]
    assert not differing, "\n".join([*differing, "of the run:", *(f"{n}: {task}" for n, task in enumerate(tasks))])


def run(playbook: Callable[..., Any], text: str, *arguments: str) -> None:
    done = playbook(text, *arguments)
    assert done.returncode == 0, done.stdout + done.stderr


EXAMPLES = pathlib.Path(__file__).parents[2] / "examples"
VERBOSE = {"ANSIBLE_CALLBACK_RESULT_FORMAT": "json"}
HIDDEN = "censored"  # the results with passwords, in a real run; the last task of the playbook tells their actions


def shown(said: str) -> list[dict[str, Any]]:
    """Return the results that a run with ``-v`` shows, in order, those of loops item by item."""
    results = re.finditer(r"^(?:ok|changed|failed|fatal): .*? => (?=\{)", said, re.MULTILINE)
    return [json.JSONDecoder().raw_decode(said, result.end())[0] for result in results]


def test_the_example_site_does_what_its_check_mode_told(playbook: Callable[..., Any], emulator: Any) -> None:
    compared = 0
    for book in ("site.yml", "site.yml", "nightly.yml", "image.yml", "nightly.yml", "teardown.yml"):
        emulator.clear()
        planned = playbook(EXAMPLES / book, "--check", "--diff", "-v", environment=VERBOSE)
        assert all(is_read(request["command"]) for request in emulator.requests)
        real = playbook(EXAMPLES / book, "--diff", "-v", environment=VERBOSE)
        assert (planned.returncode, real.returncode) == (0, 0), planned.stdout + real.stdout
        for one, other in zip(shown(planned.stdout), shown(real.stdout), strict=True):
            if HIDDEN not in other:
                compared += "actions" in one
                assert told(one) == told(other)
                assert unmade(one.get("msg")) == unmade(other.get("msg"))
    assert compared > 15


def test_the_whole_example_in_one_run(playbook: Callable[..., Any], emulator: Any) -> None:
    books = [str(EXAMPLES / book) for book in ("site.yml", "nightly.yml", "image.yml", "teardown.yml")]
    planned = playbook(EXAMPLES / "site.yml", *books[1:], "--check", "-v", environment=VERBOSE)
    assert all(is_read(request["command"]) for request in emulator.requests)
    real = playbook(EXAMPLES / "site.yml", *books[1:], "-v", environment=VERBOSE)
    assert (planned.returncode, real.returncode) == (0, 0), planned.stdout + real.stdout
    pairs = list(zip(shown(planned.stdout), shown(real.stdout), strict=True))
    assert [told(one) for one, other in pairs if HIDDEN not in other] == [
        told(other) for _one, other in pairs if HIDDEN not in other
    ]


HOSTS = "[all]\n" + "\n".join(f"h{number} ansible_connection=local" for number in range(6)) + "\n"
MANY = """
- hosts: all
  gather_facts: false
  strategy: free
  tasks:
    - cloudn.compute.cloudn_security_group: {name: shared}
    - cloudn.compute.cloudn_vm: {name: "{{ inventory_hostname }}", zone: jp-e1a, template: CentOS 6.2 64bit, service_offering: v1, security_groups: [shared]}
    - cloudn.compute.cloudn_volume: {name: "{{ inventory_hostname }}-{{ item }}", state: attached, vm: "{{ inventory_hostname }}", disk_offering: Small}
      loop: [a, b]
- hosts: all
  gather_facts: false
  serial: 2
  tasks:
    - cloudn.compute.cloudn_vm: {name: "{{ inventory_hostname }}", state: stopped}
- hosts: h0
  gather_facts: false
  tasks:
    - cloudn.compute.cloudn_vm_info: {state: Stopped}
      register: machines
    - cloudn.compute.cloudn_volume_info: {type: DATADISK}
      register: disks
    - cloudn.compute.cloudn_security_group_info: {name: shared}
      register: shared
    - ansible.builtin.command: "find {{ lookup('env', 'ANSIBLE_LOCAL_TEMP') }} -type f -name 'cloudn-planned-*' -printf '%m %f '"
      check_mode: false
      register: files
    - ansible.builtin.assert:
        that:
          - machines.vms | length == 6
          - disks.volumes | length == 12
          - disks.volumes | map(attribute='vm_state') | unique == ['Stopped']
          - shared.security_groups | length == 1
          - files.stdout is search('600 cloudn-planned-[0-9a-f]+.json ')
          - files.stdout is not search('(644|660|666)')
"""


def test_hosts_plays_and_items_of_loops_share_what_is_planned(
    playbook: Callable[..., Any], emulator: Any, tmp_path: pathlib.Path
) -> None:
    (tmp_path / "hosts").write_text(HOSTS)
    kept = tmp_path / "local"
    environment = {"ANSIBLE_LOCAL_TEMP": str(kept)}
    done = playbook(MANY, "-i", str(tmp_path / "hosts"), "--forks", "6", "--check", environment=environment)
    assert done.returncode == 0, done.stdout + done.stderr
    assert list(kept.iterdir()) == []  # it is gone with the run
    assert all(is_read(request["command"]) for request in emulator.requests)


def tasks_of(*tasks: dict[str, Any]) -> str:
    return json.dumps([{"hosts": "localhost", "gather_facts": False, "tasks": tasks}])


MACHINE = {
    "cloudn.compute.cloudn_vm": {
        "name": "web1",
        "zone": "jp-e1a",
        "template": "CentOS 6.2 64bit",
        "service_offering": "v1",
    }
}
STOPPED = {"cloudn.compute.cloudn_vm": {"name": "web1", "state": "stopped"}}
LISTED = {"cloudn.compute.cloudn_vm_info": {}}


def test_tasks_in_check_mode_of_a_real_run_know_each_other(playbook: Callable[..., Any], emulator: Any) -> None:
    planned = {"check_mode": True}
    done = playbook(
        tasks_of(
            {**MACHINE, **planned, "register": "made"},
            {**LISTED, **planned, "register": "one"},
            {**LISTED, "register": "two"},
            {
                "cloudn.compute.cloudn_vm": {"name": "{{ made.vm.id }}", "state": "absent"},
                "register": "refused",
                "ignore_errors": True,
            },
            {**MACHINE, "no_log": True},
            {**LISTED, **planned, "register": "three"},
            {**STOPPED, **planned},
            {**LISTED, **planned, "register": "four"},
            STOPPED,
            {"cloudn.compute.cloudn_vm": {"name": "web1", "state": "started"}, "no_log": True},
            {**LISTED, **planned, "register": "five"},
            {
                "ansible.builtin.assert": {
                    "that": [
                        "one.vms | map(attribute='planned') == [true]",
                        "two.vms == []",
                        "refused.msg is search('comes from check mode')",
                        # The machine is there now, so nobody waits for the planned one.
                        "three.vms | length == 1 and three.vms[0].planned is not defined",
                        "four.vms | map(attribute='state') == ['Stopped']",
                        # It was really stopped and started since.
                        "five.vms | map(attribute='state') == ['Running']",
                    ]
                }
            },
        )
    )
    assert done.returncode == 0, done.stdout + done.stderr


def test_tasks_without_check_mode_in_a_run_with_it_do_not_see_what_is_planned(
    playbook: Callable[..., Any], emulator: Any
) -> None:
    done = playbook(
        tasks_of(
            MACHINE,
            {**LISTED, "check_mode": False, "register": "real"},
            {**LISTED, "register": "planned"},
            {
                "ansible.builtin.assert": {
                    "that": ["real.vms == []", "planned.vms | length == 1"],
                }
            },
        ),
        "--check",
    )
    assert done.returncode == 0, done.stdout + done.stderr


def test_another_run_knows_nothing_of_it(playbook: Callable[..., Any], emulator: Any) -> None:
    assert playbook(tasks_of(MACHINE), "--check").returncode == 0
    seen = {**LISTED, "register": "seen"}
    done = playbook(tasks_of(seen, {"ansible.builtin.assert": {"that": "seen.vms == []"}}), "--check")
    assert done.returncode == 0, done.stdout + done.stderr


def test_two_accounts_of_a_run_do_not_mix(playbook: Callable[..., Any], run_module_as: Callable[..., Any]) -> None:
    with run_module_as(neighbour=True) as (_run, emulator):
        other = {"api_key": NEIGHBOUR_KEY, "api_secret": NEIGHBOUR_SECRET}
        done = playbook(
            tasks_of(
                MACHINE,
                {"cloudn.compute.cloudn_vm_info": other, "register": "theirs"},
                {**LISTED, "register": "mine"},
                {
                    "cloudn.compute.cloudn_vm": {"name": "planned-virtual-machine-1", "state": "absent", **other},
                    "register": "refused",
                    "ignore_errors": True,
                },
                {
                    "ansible.builtin.assert": {
                        "that": [
                            "mine.vms | map(attribute='name') == ['web1']",
                            "'web1' not in theirs.vms | map(attribute='name')",
                            "refused.msg is search('comes from check mode')",
                        ]
                    }
                },
            ),
            "--check",
            environment=environment_of(emulator),
        )
        assert done.returncode == 0, done.stdout + done.stderr


def test_the_environment_turns_it_off(playbook: Callable[..., Any], emulator: Any) -> None:
    text = tasks_of(
        {**MACHINE, "register": "made"},
        {**LISTED, "register": "seen"},
        {"ansible.builtin.assert": {"that": ["seen.vms == []", "made.vm.planned is not defined"]}},
    )
    done = playbook(text, "--check", environment={"CLOUDN_CHECK_RUN": "false"})
    assert done.returncode == 0, done.stdout + done.stderr
    refused = playbook(text, "--check", environment={"CLOUDN_CHECK_RUN": "perhaps"})
    assert "CLOUDN_CHECK_RUN: must be true or false, not 'perhaps'" in refused.stdout + refused.stderr
