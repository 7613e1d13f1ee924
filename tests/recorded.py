# Copyright: (c) 2026, the cloudn.compute authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Reads what real servers answered: recordings of scenarios, and single answers. They are packed, one archive a server."""

from __future__ import annotations

import functools
import json
import pathlib
import tarfile
from typing import Any

FOLDER = pathlib.Path(__file__).parent / "conformance" / "recordings"
Step = dict[str, Any]


@functools.cache
def _files(server: str) -> dict[str, str]:
    with tarfile.open(FOLDER / f"{server}.tar.xz") as archive:
        contents = {member.name: archive.extractfile(member) for member in archive}
        return {name: file.read().decode() for name, file in contents.items() if file}


def scenarios(server: str) -> dict[str, list[Step]]:
    """The steps of each recorded scenario, by its name. `server` is the archive's name, such as `cloudstack-3.0.5`."""
    files = sorted(_files(server).items())
    return {name.removesuffix(".json"): json.loads(text)["steps"] for name, text in files if name.endswith(".json")}


def single_answers(server: str) -> list[dict[str, Any]]:
    """Single answers with their bodies, in the order in which they were asked for."""
    return [json.loads(line) for line in _files(server)["raw-answers.jsonl"].splitlines()]
