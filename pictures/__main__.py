# Copyright: (c) 2026, the cloudn.compute authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Draws the plan of the example's site (`make pictures`): runs its playbook in check mode on the emulator, and draws the graph."""

from __future__ import annotations

import json
import os
import pathlib
import subprocess
import sys
import tempfile
from typing import Any

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "examples"))

from programs import Failed, clean_environment, cloudn_variables, listening_emulator, with_programs

ROOT = pathlib.Path(__file__).resolve().parent.parent
PLAYBOOK = ROOT / "examples" / "site_in_one_task.yml"
PICTURE = ROOT / "docs" / "site.svg"
RECORDER = ROOT / "tests" / "in_process" / "callbacks"
START_SECONDS = 30

Result = dict[str, Any]


def main() -> int:
    """Return the exit status."""
    with tempfile.TemporaryDirectory(prefix="cloudn-pictures-") as folder:
        work = pathlib.Path(folder)
        compute = work / "ansible_collections" / "cloudn" / "compute"
        compute.parent.mkdir(parents=True)
        compute.symlink_to(ROOT)
        sys.path.insert(0, str(work))
        from drawing import svg

        try:
            PICTURE.write_text(svg(*graph_in(results(work, PLAYBOOK))))
        except Failed as failure:
            print(f"No picture: {failure}", file=sys.stderr)
            return 1
    print(f"The plan of {PLAYBOOK.relative_to(ROOT)}: {PICTURE.relative_to(ROOT)}")
    return 0


def results(work: pathlib.Path, playbook: pathlib.Path) -> list[Result]:
    """Run a playbook in check mode on an emulator of its own. Return the results of its tasks."""
    programs, record = pathlib.Path(sys.executable).parent, work / "record.jsonl"
    environment = with_programs(clean_environment(), programs)
    command = [programs / "cloudn-emulator", "--port", "0"]
    with listening_emulator(command, environment, work / "emulator.out", START_SECONDS) as url:
        environment |= {
            **cloudn_variables(url),
            "ANSIBLE_COLLECTIONS_PATH": str(work),
            "ANSIBLE_HOME": str(work / "home"),
            "ANSIBLE_LOCALHOST_WARNING": "false",
            "ANSIBLE_INVENTORY_UNPARSED_WARNING": "false",
            "ANSIBLE_CALLBACK_PLUGINS": str(RECORDER),
            "ANSIBLE_CALLBACKS_ENABLED": "cloudn_recorder",
            "CLOUDN_RECORD": str(record),
        }
        play = ["ansible-playbook", str(playbook), "--check", "-e", json.dumps({"graph": True})]
        done = subprocess.run(play, env=environment, capture_output=True, text=True, check=False, cwd=os.fspath(work))
    if done.returncode:
        raise Failed(f"{playbook.name} failed:\n{done.stdout}{done.stderr}")
    return [json.loads(line).get("result") or {} for line in record.read_text().splitlines()]


def graph_in(found: list[Result]) -> tuple[list[Any], list[tuple[str, str]]]:
    """Return the nodes and edges of the one result that has a graph. Raises ``Failed`` if there is none, or several."""
    from ansible_collections.cloudn.compute.plugins.module_utils.site.picture import Node

    graphs = [result["graph"] for result in found if result.get("graph")]
    if len(graphs) != 1:
        raise Failed(f"{len(graphs)} of {len(found)} results have a graph; one is needed")
    nodes = [Node(*(one[field] for field in Node._fields)) for one in graphs[0]["nodes"]]
    return nodes, list(map(tuple, graphs[0]["edges"]))


if __name__ == "__main__":
    sys.exit(main())
