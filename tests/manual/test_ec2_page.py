# Copyright: (c) 2026, the cloudn.compute authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The page on ec2-api-tools has each of the manual's commands, with an example that runs as it stands there."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from typing import Any

import pytest
import yaml
from ansible_collections.cloudn.compute.plugins.module_utils.api.ec2 import ACTIONS
from cloudn_emulator import Emulator
from commands import MACHINE, PAGE, SECTIONS, SNAPSHOT, TEMPLATE, VOLUME
from preparing import prepared

TEXT = PAGE.with_name("ec2.md").read_text()
TOOLS = {row.tool: row.command for rows in SECTIONS.values() for row in rows if row.tool}
# An example: the command line, and the tasks under it.
EXAMPLES = re.findall(r"^`(ec2-[a-z-]+)[^`]*`\n\n```yaml\n(.*?)```", TEXT, re.DOTALL | re.MULTILINE)


def test_every_command_has_its_row_and_its_example() -> None:
    rows = re.findall(r"^\| (ec2-[a-z-]+) \| (\w+) \| `(cloudn_\w+)`(?: with `(\w+)\W)?", TEXT, re.MULTILINE)
    assert {tool: action for tool, action, _module, _option in rows} == TOOLS
    assert len(rows) == len(TOOLS) == 18
    for _tool, _action, module, option in rows:
        documentation = (PAGE.parents[1] / "plugins" / "modules" / f"{module}.py").read_text()
        assert not option or f"\n  {option}:\n" in documentation
    assert {tool for tool, _tasks in EXAMPLES} == set(TOOLS)
    assert len(EXAMPLES) == TEXT.count("```yaml")
    for tool, tasks in EXAMPLES:
        assert yaml.safe_load(tasks)[0]["cloudn.compute.cloudn_ec2"]["action"] == TOOLS[tool]


@pytest.mark.generation("3", reason="CloudStack 4 has no EC2-compatible API")
def test_the_examples_of_the_page_run(run_module_as: Callable[..., Any], playbook: Callable[..., Any]) -> None:
    """They run in the order of the page, at a service with the manual's commands, with ids of existing objects."""
    with run_module_as(dialect="cloudn") as (run, emulator):
        image = (TEMPLATE[0], {**TEMPLATE[1], "allow_restart": True})
        ids = prepared(run, (MACHINE, image, SNAPSHOT, VOLUME))
        known = {**ids, "instance": ids["vm"], "image": ids["template"]}
        emulator.clear()
        tasks = [task for _tool, block in EXAMPLES for task in yaml.safe_load(block)]
        play = [{"hosts": "localhost", "gather_facts": False, "tasks": tasks}]
        done = playbook(yaml.safe_dump(play), "-e", json.dumps(known), environment=_reach(emulator))
        assert done.returncode == 0, done.stdout + done.stderr
        assert f"ok={len(tasks)}" in done.stdout
        assert "[WARNING]" not in done.stderr + done.stdout
        sent = [request["command"] for request in emulator.requests if request["status"] == 200]
        assert set(sent) == set(ACTIONS)
        assert len(sent) == len(EXAMPLES)


def _reach(emulator: Emulator) -> dict[str, str]:
    return {"CLOUDN_API_URL": emulator.url, "CLOUDN_EC2_URL": emulator.ec2_url}
