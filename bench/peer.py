# Copyright: (c) 2026, the cloudn.compute authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The peer: ngine_io.cloudstack, which speaks the same API, in an environment of its own with the same ansible-core."""

from __future__ import annotations

import contextlib
import fcntl
import importlib.metadata
import json
import pathlib
import shutil
import sys
import tempfile
import zipfile
from collections.abc import Iterator

from stage import ROOT, Tool, environment, quietly
from virtual_environment import create, run_quietly

# The package of the whole of Ansible, which has it; no more than that one collection is taken out of it.
PACKAGE = "ansible==14.5.0"
FOLDER = "ansible_collections/ngine_io/cloudstack/"
DIRECTORY = ROOT / ".bench" / "peer"
COLLECTIONS = DIRECTORY / "collections"
# What its modules import. Registering a public key needs the second.
LIBRARIES = ("cs", "sshpubkeys")
# The wheel is of no use but as an archive, so it need not fit the Python here.
ANY_PYTHON = ("--no-deps", "--only-binary=:all:", "--python-version", "3.13")


def tool(work: pathlib.Path) -> Tool:
    """Return the peer, made on first use (a download of 55 MB). Several processes may ask. Raises ``Failed``."""
    core = importlib.metadata.version("ansible-core")
    programs, stamp = DIRECTORY / "venv" / "bin", DIRECTORY / "made-of"
    wanted = f"{PACKAGE} ansible-core {core} {' '.join(LIBRARIES)} {sys.version}"
    with _alone():
        if not stamp.exists() or stamp.read_text() != wanted:
            shutil.rmtree(DIRECTORY, ignore_errors=True)
            create(DIRECTORY / "venv", run_quietly)
            pip = [programs / "python", "-m", "pip", "--quiet", "--disable-pip-version-check"]
            quietly([*pip, "install", f"ansible-core=={core}", *LIBRARIES])
            with tempfile.TemporaryDirectory(dir=DIRECTORY) as directory:
                quietly([*pip, "download", *ANY_PYTHON, "--dest", directory, PACKAGE])
                (wheel,) = pathlib.Path(directory).glob("*.whl")
                with zipfile.ZipFile(wheel) as archive:
                    archive.extractall(COLLECTIONS, [name for name in archive.namelist() if name.startswith(FOLDER)])
            stamp.write_text(wanted)
    return Tool(programs, environment(work, programs, COLLECTIONS))


@contextlib.contextmanager
def _alone() -> Iterator[None]:
    """Wait until no other process makes the peer."""
    DIRECTORY.parent.mkdir(exist_ok=True)
    with (DIRECTORY.parent / "peer.lock").open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


def versions() -> dict[str, str]:
    """Return the versions of the peer and of the library by which it speaks to the service."""
    manifest = json.loads((COLLECTIONS / FOLDER / "MANIFEST.json").read_text())
    program = "import importlib.metadata as m; print(m.version('cs'))"
    return {
        "ngine_io.cloudstack": manifest["collection_info"]["version"],
        "cs": quietly([DIRECTORY / "venv" / "bin" / "python", "-c", program]).strip(),
    }
