# Copyright: (c) 2026, the cloudn.compute authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Draws the pictures of the documentation (`make pictures`), of what commands say on the emulator.

The plan of the example's site comes from its playbook in check mode, the groups of the inventory from its guide. The picture of
the emulator's page is taken after a run of the playbook. It needs a browser.
"""

from __future__ import annotations

import contextlib
import json
import os
import pathlib
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping
from typing import Any

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "examples"))
sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "tests" / "guides"))

import screen
from programs import Failed, clean_environment, cloudn_variables, listening_emulator, with_programs
from walking import Walk, steps

ROOT = pathlib.Path(__file__).resolve().parent.parent
PLAYBOOK = ROOT / "examples" / "site_in_one_task.yml"
PICTURE = ROOT / "docs" / "site.svg"
GUIDE = ROOT / "docs" / "inventory.md"
GROUPS = ROOT / "docs" / "inventory.svg"
PAGE = ROOT / "docs" / "emulator-page.png"
RECORDER = ROOT / "tests" / "in_process" / "callbacks"
START_SECONDS = 30
PAGE_HEIGHT = 620  # pixels; a higher picture would be too large a file

Result = dict[str, Any]


def main() -> int:
    """Return the exit status."""
    with tempfile.TemporaryDirectory(prefix="cloudn-pictures-") as folder:
        work = pathlib.Path(folder)
        compute = work / "ansible_collections" / "cloudn" / "compute"
        compute.parent.mkdir(parents=True)
        compute.symlink_to(ROOT)
        sys.path.insert(0, str(work))
        import drawing
        import groups

        try:
            PICTURE.write_text(drawing.svg(*graph_in(results(work, PLAYBOOK))))
            GROUPS.write_text(groups.svg(groups_of(work)))
            if lacking := screen.missing():
                raise Failed(f"of the emulator's page: {lacking}")
            PAGE.write_bytes(photograph(work, PLAYBOOK))
        except Failed as failure:
            print(f"No picture: {failure}", file=sys.stderr)
            return 1
    drawn = ((f"The plan of {PLAYBOOK.name}", PICTURE), (f"The groups of {GUIDE.name}", GROUPS))
    for what, picture in (*drawn, ("The emulator's page", PAGE)):
        print(f"{what}: {picture.relative_to(ROOT)}")
    return 0


@contextlib.contextmanager
def service(work: pathlib.Path) -> Iterator[dict[str, str]]:
    """Start an emulator, and give the environment in which commands of Ansible reach it."""
    programs = pathlib.Path(sys.executable).parent
    environment = with_programs(clean_environment(), programs)
    command = [programs / "cloudn-emulator", "--port", "0", "--job-seconds", "0.5"]
    with listening_emulator(command, environment, work / "emulator.out", START_SECONDS) as url:
        yield {
            **environment,
            **cloudn_variables(url),
            "ANSIBLE_COLLECTIONS_PATH": str(work),
            "ANSIBLE_HOME": str(work / "home"),
            "ANSIBLE_LOCALHOST_WARNING": "false",
            "ANSIBLE_INVENTORY_UNPARSED_WARNING": "false",
        }


def groups_of(work: pathlib.Path) -> dict[str, list[str]]:
    """Create the machines of the guide. Return the groups of its inventory with their hosts."""
    folder = work / "guide"
    folder.mkdir()
    with service(work) as environment:
        walk = Walk(folder, environment)
        for step in steps(GUIDE.read_text()):
            if step.name.startswith("ansible-inventory"):
                break
            walk.take(step)
        status, said = walk.run("ansible-inventory --list")
    if status:
        raise Failed(f"the inventory of {GUIDE.name} failed:\n{said}")
    return members(json.loads(said))


def members(listed: Mapping[str, Any]) -> dict[str, list[str]]:
    """Return the groups of `ansible-inventory --list` with their hosts."""
    return {name: group["hosts"] for name, group in listed.items() if name != "_meta" and group.get("hosts")}


def results(work: pathlib.Path, playbook: pathlib.Path) -> list[Result]:
    """Run a playbook in check mode on an emulator of its own. Return the results of its tasks."""
    with played(work, playbook, "--check"):
        return [json.loads(line).get("result") or {} for line in (work / "record.jsonl").read_text().splitlines()]


def photograph(work: pathlib.Path, playbook: pathlib.Path) -> bytes:
    """Run a playbook on an emulator of its own. Return a picture of the emulator's page then, as PNG."""
    with played(work, playbook) as url, screen.browser(work / "browser") as driver:
        screen.open_page(driver, f"{url.removesuffix('/client/api')}/", height=PAGE_HEIGHT)
        return screen.screenshot(driver)


@contextlib.contextmanager
def played(work: pathlib.Path, playbook: pathlib.Path, *options: str) -> Iterator[str]:
    """Run a playbook on an emulator of its own, with a record of the results; give the address of the emulator.

    Raises ``Failed`` if the playbook fails.
    """
    record = work / "record.jsonl"
    play = ["ansible-playbook", str(playbook), *options, "-e", json.dumps({"graph": True})]
    with service(work) as environment:
        environment |= {
            "ANSIBLE_CALLBACK_PLUGINS": str(RECORDER),
            "ANSIBLE_CALLBACKS_ENABLED": "cloudn_recorder",
            "CLOUDN_RECORD": str(record),
        }
        done = subprocess.run(play, env=environment, capture_output=True, text=True, check=False, cwd=os.fspath(work))
        if done.returncode:
            raise Failed(f"{playbook.name} failed:\n{done.stdout}{done.stderr}")
        yield environment["CLOUDN_API_URL"]


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
