# Copyright: (c) 2026, the cloudn.compute authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The tasks that fail as docs/troubleshooting.md says, one for each of its messages, by the title that the message has there."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple
from unittest import mock

from ansible_collections.cloudn.compute.plugins.module_utils.reconcile import duplicates
from cloudn_emulator.commands import vm_state
from samples import KEY, NEW, OTHER_KEY, ZONE

Options = Mapping[str, Any]
Task = tuple[str, Options]


class Mishap(NamedTuple):
    """A task that fails, or warns, on an emulator with these settings and faults, after the tasks ``before``.

    ``faults`` begin after ``before``. ``warns``: the message is its warning. ``full``: the service has no room for any VM.
    """

    module: str
    options: Options
    before: Sequence[Task] = ()
    settings: Options = {}
    faults: Sequence[Options] = ()
    warns: bool = False
    full: bool = False


ZONES = "cloudn_zone_info"
WEB1: Task = ("cloudn_vm", {"name": "web1", **NEW})
WEB2: Task = ("cloudn_vm", {"name": "web2", **NEW})
DISK: Task = ("cloudn_volume", {"name": "data", "vm": "web1", "disk_offering": "Small", "state": "attached"})
ANOTHER_DISK: Task = (
    "cloudn_api",
    {"command": "createVolume", "params": {"name": "data", "zoneid": "{zone}", "diskofferingid": "{disk}"}},
)
GROUP: Task = ("cloudn_security_group", {"name": "web"})
CLOSED = "http://127.0.0.1:1/client/api"  # nothing listens there

MISHAPS: dict[str, Mishap] = {
    "The service was not reached": Mishap(ZONES, {"api_url": CLOSED}),
    "No TLS connection could be made": Mishap(ZONES, {"api_url": "https://{host}/client/api"}),
    "The answer is not of this API": Mishap(ZONES, {"api_url": "http://{host}/client"}),
    "No complete answer": Mishap(
        ZONES, {"api_timeout": 0.2, "api_retries": 0}, faults=[{"kind": "slow", "seconds": 1}]
    ),
    "http is not encrypted": Mishap(ZONES, {"api_url": "http://service.example/client/api"}, warns=True),
    "The key is missing": Mishap(ZONES, {"api_key": None, "api_secret": None}),
    "Wrong key or secret": Mishap(ZONES, {"api_secret": "no such secret"}),
    "The clocks differ": Mishap(ZONES, {}, settings={"clock_ahead": 3600}),
    "The account may not use a command": Mishap(
        "cloudn_vm", {"name": "web1", "tags": {"role": "web"}}, [WEB1], {"denied": ["createTags"]}
    ),
    "There is no such profile": Mishap(ZONES, {"profile": "weast"}),
    "Others can read the file of profiles": Mishap(ZONES, {"profile": "east"}, warns=True),
    "An option is required": Mishap("cloudn_vm", {}),
    "An option is not known": Mishap("cloudn_vm", {"name": "web1", "tempalte": "CentOS"}),
    "A value is not known": Mishap("cloudn_vm", {"name": "web1", "state": "runing"}),
    "A new VM needs more options": Mishap("cloudn_vm", {"name": "web1"}),
    "There is no object with this name": Mishap("cloudn_vm", {"name": "web1", **NEW, "template": "CentOS 6.2"}),
    "There are several objects with this name": Mishap(
        "cloudn_snapshot", {"volume": "data"}, [WEB1, DISK, ANOTHER_DISK]
    ),
    "The limit of the account is reached": Mishap(*WEB2, [WEB1], {"limits": {"instance": 1}}),
    "There is no room for a site": Mishap(
        "cloudn_site",
        {
            "name": "shop",
            **ZONE,
            "vms": [{"name": ["web1", "web2"], "template": NEW["template"], "service_offering": "v1"}],
        },
        settings={"limits": {"instance": 1}},
    ),
    "The service has no room": Mishap("cloudn_vm", {"name": "web1", **NEW}, full=True),
    "A job takes too long": Mishap(
        "cloudn_vm",
        {"name": "web1", **NEW, "wait_timeout": 3},
        faults=[{"kind": "job_hangs", "command": "deployVirtualMachine"}],
    ),
    "A job failed": Mishap(
        "cloudn_vm",
        {"name": "web1", "state": "stopped"},
        [WEB1],
        faults=[{"kind": "job_fails", "command": "stopVirtualMachine"}],
    ),
    "The outcome is not known": Mishap(
        "cloudn_api",
        {"command": "createSecurityGroup", "params": {"name": "web"}},
        faults=[{"kind": "reset_after", "command": "createSecurityGroup"}],
    ),
    "A VM must be stopped": Mishap("cloudn_vm", {"name": "web1", "service_offering": "v2"}, [WEB1]),
    "A VM can't be changed in this": Mishap("cloudn_vm", {"name": "web1", "template": "Ubuntu 10.04 64bit"}, [WEB1]),
    "A disk hangs on another VM": Mishap(
        "cloudn_volume", {"name": "data", "vm": "web2", "state": "attached"}, [WEB1, WEB2, DISK]
    ),
    "A security group is still held": Mishap(
        "cloudn_security_group",
        {"name": "web", "state": "absent"},
        [GROUP, ("cloudn_vm", {"name": "web1", **NEW, "security_groups": ["web"]})],
    ),
    "A security group is held by a destroyed VM": Mishap(
        "cloudn_security_group",
        {"name": "web", "state": "absent"},
        [
            GROUP,
            ("cloudn_vm", {"name": "web1", **NEW, "security_groups": ["web"]}),
            ("cloudn_vm", {"name": "web1", "state": "absent"}),
        ],
        warns=True,
    ),
    "A key pair differs": Mishap(
        "cloudn_key_pair",
        {"name": "deploy", "public_key": OTHER_KEY},
        [("cloudn_key_pair", {"name": "deploy", "public_key": KEY})],
    ),
    "An object belongs to no site": Mishap(
        "cloudn_site", {"name": "shop", **ZONE, "security_groups": [{"name": "web"}]}, [GROUP]
    ),
}


def message(mishap: Mishap, start: Callable[..., Any]) -> str:
    """Let it happen. ``start(**settings)`` gives a function that runs modules, and the emulator, as ``run_module_as`` does."""
    with start(**mishap.settings) as (run, emulator):
        known = {
            "host": emulator.url.split("/")[2],
            "zone": emulator.vars["zone"],
            "disk": emulator.vars["disk"],
        }
        for module, options in mishap.before:
            done = run(module, **_filled(options, known))
            assert not done.get("failed"), done["msg"]
        emulator.faults(mishap.faults)
        room = 0 if mishap.full else vm_state.LARGEST_DISK
        with mock.patch.object(vm_state, "LARGEST_DISK", room), mock.patch.object(duplicates, "PATIENCE", 0.1):
            done = run(mishap.module, **_filled(mishap.options, known))
        emulator.release_jobs()
    if mishap.warns:
        return str(done["warnings"][0])
    assert done["failed"], done
    return str(done["msg"])


def _filled(value: Any, known: Mapping[str, str]) -> Any:
    """Return options with what only this emulator has."""
    if isinstance(value, str):
        for name, one in known.items():
            value = value.replace("{" + name + "}", one)
        return value
    if isinstance(value, Mapping):
        return {key: _filled(inner, known) for key, inner in value.items()}
    return [_filled(inner, known) for inner in value] if isinstance(value, list) else value


class Failing(NamedTuple):
    """A command of Ansible that fails, or warns: files to write before it, and variables of its environment.

    A folder ``PYTHONPATH`` has modules in place of libraries: they can't be imported.
    """

    command: str
    files: Mapping[str, str]
    environment: Mapping[str, str] = {}


_NONE = 'raise ImportError("it is not there")\n'
_LISTS = {"zones.yml": "- hosts: localhost\n  gather_facts: false\n  tasks:\n    - cloudn.compute.cloudn_zone_info:\n"}
_INVENTORY = {"cloudn.yml": "plugin: cloudn.compute.cloudn\n"}
# A collection that is built as this one is.
_COLLECTION = {
    "galaxy.yml": "namespace: a\nname: b\nversion: 1.0.0\nauthors: [a]\nreadme: README.md\nmanifest:\n  directives: []\n",
    "README.md": "x\n",
}

COMMANDS: dict[str, Failing] = {
    "The collection is not found": Failing(
        "ansible-playbook zones.yml", _LISTS, {"ANSIBLE_COLLECTIONS_PATH": "no-such-folder"}
    ),
    "A Python package is missing": Failing(
        "ansible-playbook zones.yml", {**_LISTS, "lacking/requests.py": _NONE}, {"PYTHONPATH": "lacking"}
    ),
    "distlib is missing": Failing(
        "ansible-galaxy collection build", {**_COLLECTION, "lacking/distlib.py": _NONE}, {"PYTHONPATH": "lacking"}
    ),
    "The inventory refuses to begin": Failing(
        "ansible-inventory -i cloudn.yml --graph", _INVENTORY, {"CLOUDN_API_KEY": "no-such-key"}
    ),
    "The file has another name": Failing(
        "ansible-inventory -i hosts.yml --graph", {"hosts.yml": _INVENTORY["cloudn.yml"]}
    ),
    "An option of the inventory is not known": Failing(
        "ansible-inventory -i cloudn.yml --graph", {"cloudn.yml": "plugin: cloudn.compute.cloudn\nstate: [Running]\n"}
    ),
    "No hosts matched": Failing(
        "ansible-playbook -i cloudn.yml web.yml", {**_INVENTORY, "web.yml": "- hosts: role_web\n  tasks: []\n"}
    ),
}
