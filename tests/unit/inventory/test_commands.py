# Copyright: (c) 2026, the cloudn.compute authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The inventory through the real commands: ansible-inventory, ansible-playbook and ansible-doc, and their exit status."""

from __future__ import annotations

import json
import pathlib
import subprocess
from typing import Any

import pytest
from ansible_collections.cloudn.compute.plugins.module_utils.api import Client
from inventories import make_hostile
from reaching import connection_to
from samples import NEW

EMPTY_PLAY = json.dumps([{"hosts": "all", "gather_facts": False, "tasks": []}])


def test_the_command_lists_what_the_manager_has(command: Any, read: Any, run_module_as: Any) -> None:
    with run_module_as(vms=501) as (_run, emulator):
        reach = {**connection_to(emulator), "states": []}
        listed = command(**reach)
        assert len(emulator.requests) <= 15  # 10 if the machine has time, see test_inventory.py
        inside = read(**reach)
    assert listed.code == 0, listed.said
    assert listed.said == ""
    assert len(listed.hosts) == 501
    assert listed.hosts == inside.hosts
    assert {name: hosts for name, hosts in listed.groups.items() if hosts} == {
        name: hosts for name, hosts in inside.groups.items() if hosts
    }


def test_flush_cache_asks_the_service_again(
    emulator: Any, run_module: Any, configure: Any, playbook: Any, tmp_path: pathlib.Path
) -> None:
    run_module("cloudn_vm", name="web1", **NEW)
    emulator.clear()
    source = configure(cache=True, cache_plugin="ansible.builtin.jsonfile", cache_connection=str(tmp_path / "cache"))
    for arguments, requests in (((), 1), ((), 1), (("--flush-cache",), 2)):
        assert playbook(EMPTY_PLAY, "-i", str(source), *arguments).returncode == 0
        assert len(emulator.requests) == requests


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"api_secret": "wrong"}, "listVirtualMachines: unable to verify user credentials"),
        ({"api_url": "http://127.0.0.1:9/client/api"}, "listVirtualMachines: the service was not reached"),
        ({"zones": ["jp-w1"]}, "zones: there is no 'jp-w1'"),
    ],
    ids=["refused", "not reached", "option"],
)
def test_a_failure_ends_every_command(command: Any, playbook: Any, configure: Any, options: Any, said: str) -> None:
    listed = command(**options)
    assert listed.code != 0
    assert said in listed.said
    assert "Traceback" not in listed.said
    played = playbook(EMPTY_PLAY, "-i", str(configure(**options)))
    assert played.returncode != 0
    assert "PLAY" not in played.stdout


def test_a_failure_beside_other_sources_ends_the_run(playbook: Any, configure: Any, tmp_path: pathlib.Path) -> None:
    """Otherwise a play would run on the other hosts alone."""
    (tmp_path / "site").mkdir()
    (tmp_path / "site" / "hosts.yml").write_text("all: {hosts: {other: {}}}\n")
    configure("site/cloudn.yml", api_secret="wrong")
    played = playbook(EMPTY_PLAY, "-i", str(tmp_path / "site"))
    assert played.returncode != 0
    assert "PLAY" not in played.stdout


def test_the_user_may_allow_failures(command: Any) -> None:
    listed = command(api_secret="wrong", environment={"ANSIBLE_INVENTORY_ANY_UNPARSED_IS_FAILED": "false"})
    assert (listed.code, listed.hosts) == (0, {})
    assert "unable to verify user credentials" in listed.said


def test_credentials_are_never_shown(playbook: Any, configure: Any, run_module: Any, emulator: Any) -> None:
    run_module("cloudn_vm", name="web1", **NEW)
    play = [
        {
            "hosts": "all",
            "gather_facts": False,
            "tasks": [{"ansible.builtin.debug": {"msg": "{{ hostvars[inventory_hostname] }}"}}],
        }
    ]
    for options, status in (({}, 0), ({"api_url": "http://127.0.0.1:9/client/api"}, 1)):
        done = playbook(json.dumps(play), "-vvvvv", "-i", str(configure(**options)))
        assert done.returncode == status, done.stderr
        for secret in (emulator.api_key, emulator.api_secret, "signature="):
            assert secret not in done.stdout + done.stderr


def test_credentials_may_come_from_a_vault_or_a_lookup(
    run_module: Any, emulator: Any, environment: dict[str, str], tmp_path: pathlib.Path
) -> None:
    run_module("cloudn_vm", name="web1", **NEW)
    password = tmp_path / "password"
    password.write_text("open sesame")
    words = ["ansible-vault", "encrypt_string", "--vault-password-file", str(password), "-n", "api_secret"]
    vaulted = subprocess.run(
        [*words, emulator.api_secret], env=environment, capture_output=True, text=True, check=True
    ).stdout
    source = tmp_path / "cloudn.yml"
    source.write_text(f"plugin: cloudn.compute.cloudn\n{vaulted}\napi_key: \"{{{{ lookup('env', 'MY_KEY') }}}}\"\n")
    env = {**environment, "CLOUDN_API_KEY": "", "CLOUDN_API_SECRET": "", "MY_KEY": emulator.api_key}
    listed = subprocess.run(
        ["ansible-inventory", "-i", str(source), "--list", "--vault-password-file", str(password)],
        env=env,
        capture_output=True,
        text=True,
        check=False,
    )
    assert listed.returncode == 0, listed.stderr
    assert json.loads(listed.stdout)["_meta"]["hostvars"].keys() == {"web1"}


def test_hostile_values_are_data_in_a_play(
    configure: Any, playbook: Any, run_module: Any, client: Client, tmp_path: pathlib.Path
) -> None:
    """Variables in a play have the service's values, and nothing is evaluated."""
    canary = tmp_path / "canary"
    values = make_hostile(run_module, client, canary)
    used = (
        "{{ cloudn_display_name }}|{{ cloudn_tags.keys() | first }}|"
        "{{ cloudn_tags.values() | first }}|{{ cloudn_security_groups | first }}"
    )
    used_by_name = (
        "{{ dict(groups['all'] | map('extract', hostvars, 'cloudn_name') "
        "| zip(groups['all'] | map('extract', hostvars, 'used'))) | to_json }}"
    )
    play = [
        {
            "hosts": "all",
            "gather_facts": False,
            "tasks": [
                {"ansible.builtin.set_fact": {"used": used, "called": "{{ inventory_hostname }}"}},
                {"ansible.builtin.debug": {"msg": "{{ hostvars[inventory_hostname] }} {{ groups }}"}},
                {
                    "ansible.builtin.copy": {
                        "content": used_by_name,
                        "dest": str(tmp_path / "seen"),
                    },
                    "delegate_to": "localhost",
                    "connection": "local",
                    "run_once": True,
                },
            ],
        }
    ]
    done = playbook(json.dumps(play), "-i", str(configure(hostnames=["display_name", "name"])))
    assert done.returncode == 0, done.stdout + done.stderr
    assert json.loads((tmp_path / "seen").read_text()) == {
        name: "|".join([value] * 4) for name, value in values.items()
    }
    assert not canary.exists()


def test_documentation_is_shown(environment: dict[str, str]) -> None:
    done = subprocess.run(
        ["ansible-doc", "-t", "inventory", "--json", "cloudn.compute.cloudn"],
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    options: dict[str, Any] = json.loads(done.stdout)["cloudn.compute.cloudn"]["doc"]["options"]
    assert options["api_secret"]["env"] == [{"name": "CLOUDN_API_SECRET"}]
    assert {"zones", "compose", "keyed_groups", "cache_timeout", "hostnames"} <= options.keys()
