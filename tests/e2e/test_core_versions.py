# Copyright: (c) 2026, the cloudn.compute authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The collection on the oldest supported ansible-core and libraries, on those of the tests, and on the newest here."""

from __future__ import annotations

import json
import os
import pathlib
import re
import subprocess
import sys
from collections.abc import Callable
from typing import Any

import pytest
import virtual_environment
import yaml
from ansible_collections.cloudn.compute.plugins.module_utils.api import Client
from copied import search_path
from programs import Failed
from reaching import without_marks

ROOT = pathlib.Path(__file__).parents[2]
REQUIREMENTS = ROOT / "requirements.txt"
pytestmark = pytest.mark.xdist_group("versions")  # in one process, so that each environment is made once
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
# Writes what plays see of the machines into files: of a module's result, of the host's variables, and of what was made of both.
PLAYS = """
- hosts: localhost
  gather_facts: false
  tasks:
    - cloudn.compute.cloudn_vm_info:
        response_format: "{{ item }}"
      loop: [json, xml]
      register: listings
    - cloudn.compute.cloudn_security_group_info:
      register: groups_there
    - cloudn.compute.cloudn_template_info:
      register: images
    - ansible.builtin.set_fact:
        found: "{{ listings.results[0].vms }}"
        same: "{{ listings.results[0].vms | map(attribute='tags') | list == listings.results[1].vms | map(attribute='tags') | list }}"
    - ansible.builtin.debug:
        msg: "{{ item.display_name }} {{ item }}"
      loop: "{{ found }}"
      loop_control:
        label: "{{ item.name }}"
      when: item.display_name != "other" and item.tags.keys() | first != "other" and same
      register: shown
    - ansible.builtin.copy:
        content: "{{ {'vms': found, 'groups': groups_there.security_groups, 'templates': images.templates,
          'shown': shown.results | map(attribute='msg', default='skipped') | list} | to_json }}"
        dest: "{{ here }}/results.json"
        mode: "0600"
    - cloudn.compute.cloudn_vm:
        name: "{{ found[0].id }}"
        display_name: "{{ found[0].display_name }}"
        group: "{{ found[0].group }}"
        tags: "{{ found[0].tags }}"
        template: "{{ found[0].template }}"
        security_groups: "{{ found[0].security_groups }}"
      register: again
    - ansible.builtin.assert:
        that: again is not changed

- hosts: all
  connection: local
  gather_facts: false
  tasks:
    - ansible.builtin.set_fact:
        used: "{{ [cloudn_display_name, cloudn_group, cloudn_tags, cloudn_security_groups, cloudn_template, composed] }}"
      when: cloudn_display_name != "other" and cloudn_name != "other" and group_names is not contains("other")

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
{{ [hostvars[host].cloudn_id, hostvars[host].cloudn_name, hostvars[host].used] | to_json }}
{% endfor %}
"""

INVENTORY = {
    "plugin": "cloudn.compute.cloudn",
    "hostnames": ["display_name", "name", "tag:name"],
    "compose": {"composed": "cloudn_display_name"},
    "groups": {"odd": "cloudn_display_name == 'other'"},
    "keyed_groups": [
        {"key": "cloudn_display_name", "prefix": "shown"},
        {"key": "cloudn_tags", "prefix": "", "separator": ""},
        {"key": "cloudn_security_groups", "prefix": "guarded"},
        {"key": "cloudn_name", "separator": "", "parent_group": "all_named"},
    ],
    "strict": True,
    "cache": True,
    "cache_plugin": "ansible.builtin.jsonfile",
    "cache_connection": "cache",
}


def environment_of(python: str, directory: pathlib.Path, *packages: str) -> pathlib.Path:
    """Make a virtual environment with these packages; return the folder of its programs."""
    virtual_environment.create(directory, virtual_environment.run_quietly, python)
    pip = [str(directory / "bin" / "python"), "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
    subprocess.run([*pip, *packages], check=True, capture_output=True)
    return directory / "bin"


def version_of(programs: pathlib.Path) -> str:
    """Return the version of ansible-core among these programs."""
    command = [str(programs / "ansible"), "--version"]
    said = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    return re.match(r"ansible \[core ([\d.]+)", said)[1]


@pytest.fixture(scope="session")
def oldest(tmp_path_factory: pytest.TempPathFactory) -> pathlib.Path:
    """The programs of a virtual environment with the oldest ansible-core and the oldest libraries that are supported."""
    required = yaml.safe_load((ROOT / "meta" / "runtime.yml").read_text())["requires_ansible"]
    version = re.fullmatch(r">=(\d+\.\d+)\.0", required)[1]
    libraries = re.findall(r"^(\w+)>=([\d.]+)$", REQUIREMENTS.read_text(), re.MULTILINE)
    assert len(libraries) == 2
    packages = [f"{name}=={least}.*" for name, least in (("ansible-core", version), *libraries)]
    programs = environment_of(sys.executable, tmp_path_factory.mktemp("oldest"), *packages)
    assert version_of(programs).startswith(f"{version}.")
    return programs


@pytest.fixture(scope="session")
def newest(tmp_path_factory: pytest.TempPathFactory) -> pathlib.Path:
    """The programs of a virtual environment with the newest ansible-core that any Python of this machine runs."""
    current = version_of(pathlib.Path(sys.executable).parent)
    tried = []
    for python in newer_pythons():
        try:
            programs = environment_of(
                python, tmp_path_factory.mktemp("newest"), "ansible-core", "-r", str(REQUIREMENTS)
            )
            version = version_of(programs)
        except (Failed, subprocess.CalledProcessError) as error:
            said = error.stderr.decode().strip() if isinstance(error, subprocess.CalledProcessError) else str(error)
            tried.append(f"{python}: {said[-200:]}")
            continue
        if version != current:
            return programs
        tried.append(f"{python}: {version}")
    pytest.skip(
        f"no Python here runs a newer ansible-core than {current}, with which all tests run ({'; '.join(tried)})"
    )


def newer_pythons() -> list[str]:
    """Return the Pythons of this machine that are newer than this one, the newest first."""
    found = {}
    for folder in search_path().split(os.pathsep):
        for path in pathlib.Path(folder).glob("python3.*"):
            minor = re.fullmatch(r"python3\.(\d+)", path.name)
            if minor and int(minor[1]) > sys.version_info.minor:
                found.setdefault(int(minor[1]), str(path))
    return [found[minor] for minor in sorted(found, reverse=True)]


def test_unit_tests_of_what_versions_do_differently_pass_with_the_oldest(oldest: pathlib.Path) -> None:
    """With the oldest of all, too: what the inventory makes of plain keys, which is compared with what Ansible's own methods
    do; what an error says of a request, and the bounds of answers, which requests and urllib3 have differently.
    """
    python = str(oldest / "python")
    pip = [python, "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
    subprocess.run([*pip, "pytest", "hypothesis", "cryptography"], check=True)
    names = ("inventory/test_keyed_groups", "api/test_answers", "api/test_decode", "api/test_proxies", "api/test_tls")
    test = [python, "-m", "pytest", "-q", "-p", "no:xdist", *(f"tests/unit/{name}.py" for name in names)]
    done = subprocess.run(test, cwd=ROOT, capture_output=True, text=True, check=False, timeout=300)
    assert done.returncode == 0, done.stdout + done.stderr
    assert re.search(r"^1\d\d\d passed in ", done.stdout, re.MULTILINE), done.stdout


WAYS = {"inside": "true", "sent": "false"}  # in which a task runs: values of CLOUDN_IN_PROCESS


@pytest.fixture(params=[(version, way) for version in ("oldest", "current", "newest") for way in WAYS], ids="-".join)
def ansible(
    request: pytest.FixtureRequest, installed: pathlib.Path, environment: dict[str, str], tmp_path: pathlib.Path
) -> Callable[..., str]:
    """Return a function that runs a command of one of the versions of Ansible, on the installed collection."""
    version, way = request.param
    current = pathlib.Path(sys.executable).parent
    programs = current if version == "current" else request.getfixturevalue(version)
    variables = {
        **environment,
        "ANSIBLE_COLLECTIONS_PATH": str(installed),
        "ANSIBLE_PYTHON_INTERPRETER": str(programs / "python"),
        "CLOUDN_IN_PROCESS": WAYS[way],
    }

    def run(program: str, *arguments: str) -> str:
        command = [str(programs / program), *arguments]
        done = subprocess.run(command, cwd=tmp_path, env=variables, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    return run


def test_hostile_values_arrive_as_they_are(ansible: Callable[..., str], emulator: Any, tmp_path: pathlib.Path) -> None:
    """Hostile values in every place that the service has for one come through modules, inventory, its cache and plays as
    they are, and execute nothing.
    """
    client = Client(emulator.url, emulator.api_key, emulator.api_secret)
    made = make(client, emulator)
    (tmp_path / "plays.yml").write_text(PLAYS)
    (tmp_path / "hosts.j2").write_text(HOSTS.lstrip())
    (tmp_path / "cloudn.yml").write_text(json.dumps({**INVENTORY, "cache_connection": str(tmp_path / "cache")}))
    ansible("ansible-playbook", "-i", "cloudn.yml", "plays.yml", "-e", f"here={tmp_path}")
    before = len(emulator.requests)
    hosts = without_marks(json.loads(ansible("ansible-inventory", "-i", "cloudn.yml", "--list")))["_meta"][
        "hostvars"
    ].values()
    assert len(emulator.requests) == before  # it came from the cache

    results = json.loads((tmp_path / "results.json").read_text())
    lines = [json.loads(line) for line in (tmp_path / "hosts.jsonl").read_text().splitlines()]
    assert len(results["vms"]) == len(hosts) == len(lines) == len(HOSTILE)
    by_id = {vm["id"]: vm for vm in results["vms"]}
    hosts_by_id = {host["cloudn_id"]: host for host in hosts}
    used_by_id = {id: (name, used) for id, name, used in lines}
    for id, value in made.items():
        expected = [value, value, {value: value}, [value], HOSTILE["template"]]
        assert fields_of(by_id[id]) == [value, *expected]
        assert fields_of(hosts_by_id[id], "cloudn_") == [value, *expected]
        assert used_by_id[id] == (value, [*expected, value])
    are_shown(results)
    assert not list(tmp_path.rglob(TRAP))


def are_shown(results: dict[str, Any]) -> None:
    """Check that groups and templates are named by the hostile values, and that messages begin with them."""
    assert {group["name"] for group in results["groups"]} >= set(HOSTILE.values())
    assert HOSTILE["template"] in [template["name"] for template in results["templates"]]
    shown = [text for text in results["shown"] if text != "skipped"]
    assert all(any(text.startswith(value) for text in shown) for value in HOSTILE.values())


def fields_of(one: dict[str, Any], prefix: str = "") -> list[Any]:
    """Return what a machine, or a host, has in each field that a hostile value was given for."""
    names = ("name", "display_name", "group", "tags", "security_groups", "template")
    return [one[f"{prefix}{name}"] for name in names]


def make(client: Client, emulator: Any) -> dict[str, str]:
    """Make a machine for each hostile value, which has it in every field; return the values by id.

    The service takes fewer names of machines and templates than any, so these are set where it keeps them.
    """
    new = {"zoneid": emulator.vars["zone"], "templateid": emulator.vars["template"]}
    new["serviceofferingid"] = emulator.vars["small"]
    made = {}
    for kind, value in HOSTILE.items():
        group = client.call("createSecurityGroup", {"name": value})["securitygroup"]["id"]
        answer = client.call(
            "deployVirtualMachine",
            {**new, "name": f"vm-{kind}", "displayname": value, "group": value, "securitygroupids": [group]},
        )
        client.wait(answer["jobid"], timeout=30)
        tags = {"resourcetype": "UserVm", "resourceids": [answer["id"]], "tags": [{"key": value, "value": value}]}
        client.wait(client.call("createTags", tags)["jobid"], timeout=30)
        emulator.store.vms[answer["id"]].name = value
        made[answer["id"]] = value
    emulator.store.templates[emulator.vars["template"]].name = HOSTILE["template"]
    return made
