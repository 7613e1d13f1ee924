# Copyright: (c) 2026, the cloudn.compute authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The emulator as a Python package: it is built without a trace in the tree, and says its licence and its version."""

from __future__ import annotations

import email
import email.message
import pathlib
import subprocess
import sys
import zipfile

import pytest

ROOT = pathlib.Path(__file__).parents[2]
SOURCES = ROOT / "emulator"


@pytest.fixture(scope="module")
def wheel(checkout: pathlib.Path, tmp_path_factory: pytest.TempPathFactory) -> pathlib.Path:
    """The package that pip makes of the checkout. The checkout has the same files before and after."""
    target = tmp_path_factory.mktemp("wheel")
    before = sorted(checkout.rglob("*"))
    pip = [sys.executable, "-m", "pip", "wheel", "--quiet", "--no-deps", "--wheel-dir", str(target)]
    done = subprocess.run([*pip, str(checkout / "emulator")], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert sorted(checkout.rglob("*")) == before
    (built,) = target.glob("*.whl")
    return built


def metadata(wheel: pathlib.Path) -> email.message.Message:
    """What the package says of itself."""
    with zipfile.ZipFile(wheel) as archive:
        (name,) = (name for name in archive.namelist() if name.endswith(".dist-info/METADATA"))
        return email.message_from_bytes(archive.read(name))


def test_the_package_holds_the_sources_and_nothing_else(wheel: pathlib.Path) -> None:
    with zipfile.ZipFile(wheel) as archive:
        names = {name for name in archive.namelist() if ".dist-info/" not in name}
    listed = subprocess.run(["git", "ls-files", "src"], cwd=SOURCES, check=True, capture_output=True, text=True)
    assert names == {name.removeprefix("src/") for name in listed.stdout.split()}


def test_the_licence_is_said_in_the_present_form(wheel: pathlib.Path) -> None:
    """A licence as a table is refused from 2027 on. The text of the licence lies in the package."""
    said = metadata(wheel)
    assert said["License-Expression"] == "GPL-3.0-or-later"
    assert said.get_all("License-File") == ["LICENSE"]
    assert said["License"] is None
    assert (SOURCES / "LICENSE").read_bytes() == (ROOT / "LICENSE").read_bytes()
