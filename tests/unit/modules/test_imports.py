# Copyright: (c) 2026, the cloudn.compute authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Imports of a module: only what a run needs. A missing library brings Ansible's own message.

Modules travel as source and are compiled anew, twice over, each time that they run, so imports are most of what they cost.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from typing import Any

import pytest
from reaching import connection_to
from samples import NEW

# Runs a module's `main()` in a Python of its own; at the end, the last line tells what is imported.
RUN = """
import atexit, json, sys

for name in {missing!r}:
    sys.modules[name] = None

from ansible.module_utils import basic
from ansible_collections.cloudn.compute.plugins.modules import {module} as module

atexit.register(lambda: print(json.dumps([name for name, there in sys.modules.items() if there])))
basic._ANSIBLE_ARGS = {arguments!r}
basic._ANSIBLE_PROFILE = "legacy"
module.main()
"""
CHANGING = (
    "module_utils.reconcile.apply",
    "module_utils.reconcile.creation",
    "module_utils.reconcile.duplicates",
    "module_utils.reconcile.recover",
    "module_utils.api.jobs",
    "resources.security_group.view",
    "resources.offerings",
    "resources.template.view",
    "xmltodict",
)
FAILING = ("module_utils.advice", "api.request_errors")


def run(emulator: Any, module: str, missing: tuple[str, ...] = (), **options: Any) -> tuple[dict[str, Any], list[str]]:
    """Return a module's result, and the names of all that it has imported."""
    arguments = json.dumps({"ANSIBLE_MODULE_ARGS": {**connection_to(emulator), **options}}).encode()
    program = RUN.format(module=module, missing=missing, arguments=arguments)
    path = os.pathsep.join([os.environ["ANSIBLE_COLLECTIONS_PATH"], os.environ.get("PYTHONPATH", "")])
    done = subprocess.run(
        [sys.executable, "-c", program],
        env={**os.environ, "PYTHONPATH": path},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.stdout, done.stderr
    result, imported = done.stdout.strip().splitlines()[-2:]
    return json.loads(result), json.loads(imported)


def of_those(names: tuple[str, ...], imported: list[str]) -> set[str]:
    return {name for name in names if any(one.endswith(name) for one in imported)}


def test_a_task_that_changes_nothing_imports_no_more_than_it_needs(emulator: Any) -> None:
    options = {"name": ["web1"], **NEW}
    made, imported = run(emulator, "cloudn_vm", security_groups=["default"], response_format="xml", **options)
    assert made["changed"] is True
    assert of_those(CHANGING, imported) == set(CHANGING)
    again, imported = run(emulator, "cloudn_vm", security_groups=["default"], **options)
    assert again["changed"] is False
    assert of_those((*CHANGING, *FAILING), imported) == set()


@pytest.mark.parametrize(
    ("gone", "library"), [("requests", "requests"), ("xmltodict", "xmltodict"), ("urllib3", "requests")]
)
def test_a_missing_library_is_reported_before_anything_is_sent(emulator: Any, gone: str, library: str) -> None:
    """Also one that requests itself needs."""
    result, _imported = run(emulator, "cloudn_zone_info", missing=(gone,))
    assert result["failed"] is True
    assert f"Failed to import the required Python library ({library})" in result["msg"]
    assert emulator.requests == []
