# Copyright: (c) 2026, the cloudn.compute authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Runs ansible-test on a copy of the checkout that lies where ansible-test wants it."""

from __future__ import annotations

import contextlib
import glob
import os
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile
import threading
from collections.abc import Iterator, Mapping, Sequence

ROOT = pathlib.Path(__file__).resolve().parent.parent
# What ansible-test says when it can't get what installs pip into its environments, and where it would have put that.
NO_BOOTSTRAP = re.compile(r"Download failed: .*?saved to: (?P<path>\S+get_pip_(?P<version>[\d_]+)\.py)", re.DOTALL)
# The same from the package index: pip's own wheel installs pip. The two options are those of the original that pip lacks.
BOOTSTRAP = """\
import sys
wheel = {wheel!r}
sys.path.insert(0, wheel)
from pip._internal.cli.main import main
sys.exit(main(["install", *(word for word in sys.argv[1:] if word not in ("--no-setuptools", "--no-wheel")), wheel]))
"""
PREPARING = threading.Lock()


def copy(target: pathlib.Path) -> None:
    """Copy the files that git tracks, and new ones that it doesn't ignore, to a folder."""
    command = ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    for name in subprocess.run(command, cwd=ROOT, check=True, capture_output=True, text=True).stdout.split("\0"):
        source = ROOT / name
        if name and source.is_file():
            (target / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(source, target / name, follow_symlinks=False)


@contextlib.contextmanager
def copied() -> Iterator[pathlib.Path]:
    """Give a copy of the checkout that ends with ``ansible_collections/cloudn/compute``, and remove it at last."""
    with tempfile.TemporaryDirectory(prefix="cloudn-copy-") as tree:
        folder = pathlib.Path(tree) / "ansible_collections" / "cloudn" / "compute"
        copy(folder)
        yield folder


def search_path() -> str:
    """Return PATH with the running Python first, and with pyenv's real Pythons in place of its shims.

    A shim of a version that is not active ends with an error, which ansible-test takes for that of a test.
    """
    folders = [str(pathlib.Path(sys.executable).parent)]
    for folder in os.environ["PATH"].split(os.pathsep):
        if folder.endswith("/shims"):
            folders += sorted(glob.glob(f"{folder[: -len('shims')]}versions/*/bin"))
        else:
            folders.append(folder)
    return os.pathsep.join(folders)


def ansible_test(folder: pathlib.Path, *words: str, label: str = "") -> tuple[int, str]:
    """Run ansible-test in a copy, showing what it says, each line behind a label; returns its exit status and that text.

    Where it can't download what installs pip into its environments, it gets that from the package index and runs again.
    """
    status, said = _run(folder, words, label)
    missing = NO_BOOTSTRAP.search(said)
    if status and missing:
        version = missing["version"].replace("_", ".")
        print(f"{label}preparing pip {version} from the package index, as that download failed", flush=True)
        with PREPARING:
            _prepare_bootstrap(pathlib.Path(missing["path"]), version)
        status, said = _run(folder, words, label)
    return status, said


def _run(folder: pathlib.Path, words: tuple[str, ...], label: str) -> tuple[int, str]:
    program = pathlib.Path(sys.executable).parent / "ansible-test"
    command = [sys.executable, str(program), *words, "--color", "no"]
    return shown(command, folder, {**os.environ, "PATH": search_path()}, label)


def shown(
    command: Sequence[str | pathlib.Path], folder: pathlib.Path, environment: Mapping[str, str], label: str = ""
) -> tuple[int, str]:
    """Run a command in a folder, showing what it says, each line behind a label; return its exit status and that text."""
    lines = []
    with subprocess.Popen(
        command,
        cwd=folder,
        env=environment,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    ) as process:
        assert process.stdout
        for line in process.stdout:
            print(f"{label}{line}", end="", flush=True)
            lines.append(line)
    return process.returncode, "".join(lines)


def _prepare_bootstrap(path: pathlib.Path, version: str) -> None:
    """Put there what installs this version of pip, made of its wheel from the package index."""
    path.parent.mkdir(parents=True, exist_ok=True)
    folder = str(path.parent)
    command = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", f"pip=={version}", "--dest", folder]
    subprocess.run(command, check=True)
    path.write_text(BOOTSTRAP.format(wheel=str(path.parent / f"pip-{version}-py3-none-any.whl")))
