# Copyright: (c) 2026, the cloudn.compute authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The documentation says what is: examples run, and returned values are those that are described."""

from __future__ import annotations

import importlib
import pathlib
from collections.abc import Callable
from types import ModuleType
from typing import Any

import pytest
import yaml
from ansible_collections.cloudn.compute.plugins.module_utils.resources import (
    disk_offering,
    rules,
    security_group,
    service_offering,
    template,
    vm,
    zone,
)

ROOT = pathlib.Path(__file__).parents[3]
MODULES = sorted(path.stem for path in (ROOT / "plugins" / "modules").glob("cloudn_*.py"))
EMPTY = {"id": "1"}
# The objects that the modules return, and what makes them.
OBJECTS = [
    ("cloudn_vm", "vms", vm.shape(EMPTY), {"password", "error"}),
    ("cloudn_vm_info", "vms", vm.shape(EMPTY), set()),
    ("cloudn_security_group", "security_group", security_group.shape(EMPTY), {"state"}),
    ("cloudn_security_group_info", "security_groups", security_group.shape(EMPTY), set()),
    ("cloudn_zone_info", "zones", zone.shape(EMPTY), set()),
    ("cloudn_service_offering_info", "service_offerings", service_offering.shape(EMPTY), set()),
    ("cloudn_disk_offering_info", "disk_offerings", disk_offering.shape(EMPTY), set()),
    ("cloudn_template_info", "templates", template.shape(EMPTY), set()),
]


def load(name: str) -> ModuleType:
    return importlib.import_module(f"ansible_collections.cloudn.compute.plugins.modules.{name}")


def returned(name: str) -> dict[str, Any]:
    return yaml.safe_load(load(name).RETURN)


def test_every_module_is_covered() -> None:
    assert sorted(name for name, *_rest in OBJECTS) == MODULES


@pytest.mark.parametrize(("name", "field", "shown", "more"), OBJECTS, ids=[name for name, *_rest in OBJECTS])
def test_every_returned_key_is_described(name: str, field: str, shown: dict[str, Any], more: set[str]) -> None:
    described = returned(name)[field]["contains"]
    assert described.keys() == shown.keys() | more


def test_nested_keys_are_described() -> None:
    nic = vm.shape({"id": "1", "nic": [{"id": "2"}]})["nics"][0]
    assert returned("cloudn_vm")["vms"]["contains"]["nics"]["contains"].keys() == nic.keys()
    rule = rules.shape({"ruleid": "1"})
    for direction in ("ingress", "egress"):
        described = returned("cloudn_security_group")["security_group"]["contains"][direction]["contains"]
        assert described.keys() == rule.keys()


@pytest.mark.parametrize(
    ("module", "field", "info", "plural", "more"),
    [
        ("cloudn_vm", "vms", "cloudn_vm_info", "vms", {"password", "error", "state"}),
        ("cloudn_security_group", "security_group", "cloudn_security_group_info", "security_groups", {"state"}),
    ],
)
def test_a_module_and_its_info_describe_objects_alike(
    module: str, field: str, info: str, plural: str, more: set[str]
) -> None:
    one, other = returned(module)[field]["contains"], returned(info)[plural]["contains"]
    assert {key: one[key] for key in one.keys() - more} == {key: other[key] for key in other.keys() - more}


def test_the_action_group_is_all_modules() -> None:
    runtime = yaml.safe_load((ROOT / "meta" / "runtime.yml").read_text())
    assert runtime["action_groups"]["cloudn"] == MODULES


@pytest.mark.parametrize("name", MODULES)
def test_examples_run(name: str, playbook: Callable[..., Any], run_module: Callable[..., Any], emulator: Any) -> None:
    """Run a module's examples in order, as they stand; the second time in check mode too."""
    new = {"zone": "jp-e1a", "template": "CentOS 6.2 64bit", "service_offering": "v1"}
    if name != "cloudn_security_group":
        run_module("cloudn_security_group", name="web")
    if name.endswith("_info"):
        run_module("cloudn_vm", name="web1", security_groups=["web"], tags={"role": "web"}, **new)
    tasks = yaml.safe_load(load(name).EXAMPLES)
    assert all(key.count(".") == 2 for task in tasks for key in task if key.startswith(("cloudn", "ansible")))
    play = [{"hosts": "localhost", "gather_facts": False, "tasks": tasks}]
    done = playbook(yaml.safe_dump(play))
    assert done.returncode == 0, done.stdout + done.stderr
    assert f"ok={len(tasks)}" in done.stdout
    assert "[WARNING]" not in done.stderr + done.stdout


def test_connection_through_module_defaults(playbook: Callable[..., Any], emulator: Any) -> None:
    """The action group hands the connection to every module."""
    defaults = {
        "group/cloudn.compute.cloudn": {
            "api_url": emulator.url,
            "api_key": emulator.api_key,
            "api_secret": emulator.api_secret,
        }
    }
    tasks = [{f"cloudn.compute.{name}": {}} for name in MODULES if name.endswith("_info")]
    play = [{"hosts": "localhost", "gather_facts": False, "module_defaults": defaults, "tasks": tasks}]
    done = playbook(
        yaml.safe_dump(play), environment={"CLOUDN_API_URL": "", "CLOUDN_API_KEY": "", "CLOUDN_API_SECRET": ""}
    )
    assert done.returncode == 0, done.stdout + done.stderr
