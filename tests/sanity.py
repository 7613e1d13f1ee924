# Copyright: (c) 2026, the cloudn.compute authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Runs ansible-test sanity on a copy of the checkout that lies where ansible-test wants it; fails where a test was skipped.

Arguments go to `ansible-test sanity` (`--test pep8`, a path, ...).
"""

from __future__ import annotations

import glob
import os
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile

ROOT = pathlib.Path(__file__).resolve().parent.parent
# How ansible-test says that it leaves a test out: it calls that a success.
LEFT_OUT = re.compile(r"(?i)skipping .*|required program .* not found.*")
# A machine seldom has every Python that modules may run on: those that it has are enough. There is no PowerShell to look at.
MAY_BE_LEFT_OUT = re.compile(r'on Python [\d.]+ because it could not be found|"pwsh"')
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


def copy(target: pathlib.Path) -> None:
    """Copy the files that git tracks, and new ones that it doesn't ignore, to a folder."""
    command = ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    for name in subprocess.run(command, cwd=ROOT, check=True, capture_output=True, text=True).stdout.split("\0"):
        source = ROOT / name
        if name and source.is_file():
            (target / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(source, target / name, follow_symlinks=False)


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


def run(folder: pathlib.Path, arguments: list[str]) -> tuple[int, str]:
    """Run ansible-test there, showing what it says; returns its exit status and that text."""
    program = pathlib.Path(sys.executable).parent / "ansible-test"
    command = [sys.executable, str(program), "sanity", "--local", "--color", "no", *arguments]
    environment = {**os.environ, "PATH": search_path()}
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
            print(line, end="", flush=True)
            lines.append(line)
    return process.returncode, "".join(lines)


def prepare_bootstrap(path: pathlib.Path, version: str) -> None:
    """Put there what installs this version of pip, made of its wheel from the package index."""
    path.parent.mkdir(parents=True, exist_ok=True)
    folder = str(path.parent)
    command = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", f"pip=={version}", "--dest", folder]
    subprocess.run(command, check=True)
    path.write_text(BOOTSTRAP.format(wheel=str(path.parent / f"pip-{version}-py3-none-any.whl")))


def main() -> int:
    """Run all tests of this kind; returns the exit status."""
    with tempfile.TemporaryDirectory(prefix="cloudn-sanity-") as tree:
        folder = pathlib.Path(tree) / "ansible_collections" / "cloudn" / "compute"
        copy(folder)
        status, said = run(folder, sys.argv[1:])
        missing = NO_BOOTSTRAP.search(said)
        if status and missing:
            version = missing["version"].replace("_", ".")
            print(f"sanity: preparing pip {version} from the package index, as that download failed", flush=True)
            prepare_bootstrap(pathlib.Path(missing["path"]), version)
            status, said = run(folder, sys.argv[1:])
    skipped = {text for text in LEFT_OUT.findall(said) if not MAY_BE_LEFT_OUT.search(text)}
    for text in sorted(skipped):
        print(f"sanity: this may not be left out: {text}", file=sys.stderr)
    return status or int(bool(skipped))


if __name__ == "__main__":
    sys.exit(main())
