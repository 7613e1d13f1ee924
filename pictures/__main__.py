# Copyright: (c) 2026, the cloudn.compute authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Makes the pictures of the documentation (`make pictures`): the plan of the example's site, and the emulator's page with it.

The plan is drawn after a run of the playbook in check mode on the emulator. Then the playbook is run, and the page is photographed.
"""

from __future__ import annotations

import contextlib
import json
import os
import pathlib
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from typing import Any

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "examples"))

import screen
from programs import Failed, clean_environment, cloudn_variables, listening_emulator, with_programs

ROOT = pathlib.Path(__file__).resolve().parent.parent
PLAYBOOK = ROOT / "examples" / "site_in_one_task.yml"
PICTURE = ROOT / "docs" / "site.svg"
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
        from drawing import svg

        try:
            PICTURE.write_text(svg(*graph_in(results(work, PLAYBOOK))))
            print(f"The plan of {PLAYBOOK.relative_to(ROOT)}: {PICTURE.relative_to(ROOT)}")
            if lacking := screen.missing():
                raise Failed(f"of the emulator's page: {lacking}")
            PAGE.write_bytes(photograph(work, PLAYBOOK))
        except Failed as failure:
            print(f"No picture: {failure}", file=sys.stderr)
            return 1
    print(f"The emulator's page: {PAGE.relative_to(ROOT)}")
    return 0


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
    programs, record = pathlib.Path(sys.executable).parent, work / "record.jsonl"
    environment = with_programs(clean_environment(), programs)
    command = [programs / "cloudn-emulator", "--port", "0", "--job-seconds", "0.5"]
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
        play = ["ansible-playbook", str(playbook), *options, "-e", json.dumps({"graph": True})]
        done = subprocess.run(play, env=environment, capture_output=True, text=True, check=False, cwd=os.fspath(work))
        if done.returncode:
            raise Failed(f"{playbook.name} failed:\n{done.stdout}{done.stderr}")
        yield url


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
