# Copyright: (c) 2026, the cloudn.compute authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Tasks in check mode that share what they plan, as those of a run do, in this process."""

from __future__ import annotations

import pathlib
from collections.abc import Callable
from typing import Any

import pytest
from ansible_collections.cloudn.compute.plugins.module_utils.api import Client
from ansible_collections.cloudn.compute.plugins.module_utils.connection import connect
from ansible_collections.cloudn.compute.plugins.module_utils.definition import Definition
from ansible_collections.cloudn.compute.plugins.module_utils.planned.overlay import Overlay
from ansible_collections.cloudn.compute.plugins.module_utils.planned.store import Store
from reaching import connection_to
from specs import imported

Result = dict[str, Any]


class Task:
    """A task whose options Ansible has checked."""

    def __init__(self, params: Result, check_mode: bool) -> None:
        self.params = params
        self.check_mode = check_mode
        self.warnings: list[str] = []

    def warn(self, warning: str) -> None:
        self.warnings.append(warning)


@pytest.fixture
def store(tmp_path: pathlib.Path) -> Store:
    """What the tasks of the run have planned."""
    return Store(str(tmp_path / "planned.json"))


@pytest.fixture
def plan(emulator: Any, store: Store) -> Callable[..., Result]:
    """Return a function that runs a task in check mode of the run: ``plan(module, **options)``."""

    def run(module: str, /, _store: Store | None = store, _check: bool = True, **options: Any) -> Result:
        definition: Definition = imported(module).DEFINITION
        defaults = {name: one.get("default") for name, one in definition.argument_spec.items()}
        params = {**defaults, **connection_to(emulator), **options}
        for name, value in params.items():  # as Ansible does it
            if definition.argument_spec[name].get("type") == "list" and isinstance(value, str):
                params[name] = [value]
        task = Task(params, _check)

        def make_client(options: Result) -> Client:
            client = connect(options)
            client.planned = Overlay(client, _store) if _store else None
            return client

        return {**definition.perform(task, make_client), "warnings": task.warnings}

    return run
