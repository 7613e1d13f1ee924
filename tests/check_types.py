# Copyright: (c) 2026, the cloudn.compute authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Runs mypy on the collection and the emulator; pyproject.toml has the settings.

The collection's modules import each other as `ansible_collections.cloudn.compute`, so mypy is shown a tree with that name.
"""

from __future__ import annotations

import os
import pathlib
import subprocess
import sys
import tempfile

ROOT = pathlib.Path(__file__).resolve().parent.parent
PACKAGES = ("ansible_collections.cloudn.compute.plugins", "cloudn_emulator")
USER = "emulator_user"  # a program that uses the emulator's types


def main() -> int:
    """Return mypy's exit status."""
    with tempfile.TemporaryDirectory(prefix="cloudn-types-") as folder:
        namespace = pathlib.Path(folder) / "ansible_collections" / "cloudn"
        namespace.mkdir(parents=True)
        (namespace / "compute").symlink_to(ROOT)
        sources = os.pathsep.join([folder, str(ROOT / "emulator" / "src"), str(ROOT / "tests" / "typed")])
        command = [sys.executable, "-m", "mypy", "--config-file", str(ROOT / "pyproject.toml"), "--no-incremental"]
        for package in PACKAGES:
            command += ["--package", package]
        command += ["--module", USER]
        return subprocess.run(command, cwd=folder, env={**os.environ, "MYPYPATH": sources}, check=False).returncode


if __name__ == "__main__":
    sys.exit(main())
