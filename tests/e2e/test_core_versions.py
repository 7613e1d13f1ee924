# Copyright: (c) 2026, the cloudn.compute authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""On the oldest ansible-core that is supported, and on the one of the tests, values of the service stay data."""

from __future__ import annotations

import json
import pathlib
import re
import subprocess
import sys
from collections.abc import Callable
from typing import Any

import pytest
import yaml
from ansible_collections.cloudn.compute.plugins.module_utils.api import Client

ROOT = pathlib.Path(__file__).parents[2]
TRAP = "trapped"  # a file that only a value that was executed makes
HOSTILE = {
    "template": f"{{{{ lookup('ansible.builtin.pipe', 'touch {TRAP}') }}}}",
    "calculation": "{{ 1 + 1 }}",
    "statement": "{% if true %}yes{% endif %}{# gone #}",
    "lines": "one\n- two: {{ 3 }}\n",
    "mapping": "key: value # no comment",
    "anchor": "&a *a !!python/object/apply:os.system ['true']",
    "quotes": "'\"\\",
    "no": "no",
    "number": "007",
    "Japanese": "日本語の値",
}
# Writes what a play sees of the machines into files: of the module's result, and of the host's variables.
PLAYS = """
- hosts: localhost
  gather_facts: false
  tasks:
    - cloudn.compute.cloudn_vm_info:
      register: found
    - ansible.builtin.copy:
        content: "{{ found.vms | to_json }}"
        dest: "{{ here }}/vms.json"
        mode: "0600"
    - cloudn.compute.cloudn_vm:
        name: "{{ found.vms[0].id }}"
        display_name: "{{ found.vms[0].display_name }}"
        group: "{{ found.vms[0].group }}"
        tags: "{{ found.vms[0].tags }}"
      register: again
    - ansible.builtin.assert:
        that: again is not changed

- hosts: localhost
  gather_facts: false
  tasks:
    - ansible.builtin.template:
        src: "{{ here }}/hosts.j2"
        dest: "{{ here }}/hosts.jsonl"
        mode: "0600"
"""

HOSTS = """
{% for host in groups.all | sort %}
{{ [host, hostvars[host].cloudn_display_name, hostvars[host].cloudn_group, hostvars[host].cloudn_tags] | to_json }}
{% endfor %}
"""


@pytest.fixture(scope="session")
def oldest(tmp_path_factory: pytest.TempPathFactory) -> pathlib.Path:
    """The programs of a virtual environment with the oldest ansible-core that meta/runtime.yml admits."""
    required = yaml.safe_load((ROOT / "meta" / "runtime.yml").read_text())["requires_ansible"]
    version = re.fullmatch(r">=(\d+\.\d+)\.0", required)[1]
    directory = tmp_path_factory.mktemp("oldest")
    subprocess.run([sys.executable, "-m", "venv", str(directory)], check=True)
    pip = [str(directory / "bin" / "python"), "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
    subprocess.run([*pip, f"ansible-core=={version}.*", "-r", str(ROOT / "requirements.txt")], check=True)
    said = subprocess.run([str(directory / "bin" / "ansible"), "--version"], check=True, capture_output=True, text=True)
    assert said.stdout.startswith(f"ansible [core {version}.")
    return directory / "bin"


def test_keyed_groups_are_those_of_the_oldest_ansible(oldest: pathlib.Path) -> None:
    """What the inventory makes of plain keys is compared with what Ansible's own methods do, which versions differ in."""
    python = str(oldest / "python")
    pip = [python, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "pytest", "hypothesis"]
    subprocess.run(pip, check=True)
    test = [python, "-m", "pytest", "-q", "tests/unit/inventory/test_keyed_groups.py"]
    done = subprocess.run(test, cwd=ROOT, capture_output=True, text=True, check=False, timeout=300)
    assert done.returncode == 0, done.stdout + done.stderr
    assert re.search(r"^[7-9]\d passed in ", done.stdout, re.MULTILINE), done.stdout


@pytest.fixture(params=["oldest", "current"])
def ansible(
    request: pytest.FixtureRequest, installed: pathlib.Path, environment: dict[str, str], tmp_path: pathlib.Path
) -> Callable[..., str]:
    """Return a function that runs a command of one of the versions of Ansible, on the installed collection."""
    programs = request.getfixturevalue("oldest") if request.param == "oldest" else pathlib.Path(sys.executable).parent
    variables = {
        **environment,
        "ANSIBLE_COLLECTIONS_PATH": str(installed),
        "ANSIBLE_PYTHON_INTERPRETER": str(programs / "python"),
    }

    def run(program: str, *arguments: str) -> str:
        command = [str(programs / program), *arguments]
        done = subprocess.run(command, cwd=tmp_path, env=variables, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    return run


def plain(value: Any) -> Any:
    """Take out what older versions of `ansible-inventory --list` put around values that are never templates."""
    if isinstance(value, dict):
        if value.keys() == {"__ansible_unsafe"}:
            return value["__ansible_unsafe"]
        return {key: plain(item) for key, item in value.items()}
    return [plain(item) for item in value] if isinstance(value, list) else value


def test_values_arrive_as_they_are(ansible: Callable[..., str], emulator: Any, tmp_path: pathlib.Path) -> None:
    """Hostile display names, groups and tags come through modules, inventory and plays, and execute nothing."""
    client = Client(emulator.url, emulator.api_key, emulator.api_secret)
    new = {"zoneid": emulator.vars["zone"], "templateid": emulator.vars["template"]}
    new["serviceofferingid"] = emulator.vars["small"]
    for kind, value in HOSTILE.items():
        shown = {"displayname": value, "group": HOSTILE["template"], "name": f"vm-{kind}"}
        answer = client.call("deployVirtualMachine", {**new, **shown})
        client.wait(answer["jobid"], timeout=30)
        tags = {"resourcetype": "UserVm", "resourceids": [answer["id"]], "tags": [{"key": "value", "value": value}]}
        client.wait(client.call("createTags", tags)["jobid"], timeout=30)
    (tmp_path / "plays.yml").write_text(PLAYS)
    (tmp_path / "hosts.j2").write_text(HOSTS.lstrip())
    (tmp_path / "cloudn.yml").write_text("plugin: cloudn.compute.cloudn\n")
    ansible("ansible-playbook", "-i", "cloudn.yml", "plays.yml", "-e", f"here={tmp_path}")
    hosts = plain(json.loads(ansible("ansible-inventory", "-i", "cloudn.yml", "--list"))["_meta"]["hostvars"])

    vms = {vm["name"]: vm for vm in json.loads((tmp_path / "vms.json").read_text())}
    lines = [json.loads(line) for line in (tmp_path / "hosts.jsonl").read_text().splitlines()]
    seen = {name: values for name, *values in lines}
    assert len(vms) == len(hosts) == len(seen) == len(HOSTILE)
    for kind, value in HOSTILE.items():
        vm, host = vms[f"vm-{kind}"], hosts[f"vm-{kind}"]
        expected = [value, HOSTILE["template"], {"value": value}]
        assert [vm["display_name"], vm["group"], vm["tags"]] == expected
        assert [host["cloudn_display_name"], host["cloudn_group"], host["cloudn_tags"]] == expected
        assert seen[f"vm-{kind}"] == expected
    assert not list(tmp_path.rglob(TRAP))
