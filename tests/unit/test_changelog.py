# Copyright: (c) 2026, the cloudn.compute authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The changelog tells a user of releases what is new. The emulator has one of its own."""

from __future__ import annotations

import pathlib
import re
import tomllib
from typing import Any

import yaml

ROOT = pathlib.Path(__file__).parents[2]
FIRST = "1.0.0"


def released() -> dict[str, Any]:
    """The releases that the changelog knows."""
    return yaml.safe_load((ROOT / "changelogs" / "changelog.yaml").read_text())["releases"]


def numbers(version: str) -> list[int]:
    """The parts of a version."""
    return [int(part) for part in version.split(".")]


def test_the_changelog_lists_every_module() -> None:
    """What a release adds is listed by its `version_added`. galaxy.yml has the newest release, or the next one."""
    version, newest = yaml.safe_load((ROOT / "galaxy.yml").read_text())["version"], max(released(), key=numbers)
    assert numbers(version) >= numbers(newest) >= numbers(FIRST)
    assert f"\nv{newest}\n=" in (ROOT / "CHANGELOG.rst").read_text()
    modules = {path.stem for path in (ROOT / "plugins" / "modules").glob("cloudn_*.py")}
    listed = {module["name"] for one in released().values() for module in one.get("modules", [])}
    assert listed <= modules
    if version == newest:
        assert listed == modules, "`antsibull-changelog release --update-existing --refresh-plugins` lists new modules"


def test_the_first_release_tells_of_no_fixes() -> None:
    """Nobody had what was fixed before it. Nor is an option new where the module is."""
    assert released()[FIRST]["changes"].keys() == {"release_summary"}


def test_fragments_are_about_the_collection() -> None:
    """Changes of the emulator are in its own file, and a new module is listed without a fragment."""
    elsewhere = re.compile(r"(?i)(cloudn-)?emulator\b|.*\bnew modules?\b")
    for path in (ROOT / "changelogs" / "fragments").glob("*.yml"):
        lists = [texts for texts in yaml.safe_load(path.read_text()).values() if isinstance(texts, list)]
        wrong = [text for texts in lists for text in texts if elsewhere.match(text)]
        assert wrong == [], "the emulator has emulator/CHANGELOG.md; new modules are listed by `version_added`"


def test_the_emulators_changelog_begins_with_its_version() -> None:
    version = tomllib.loads((ROOT / "emulator" / "pyproject.toml").read_text())["project"]["version"]
    titles = re.findall(r"^## (.+)$", (ROOT / "emulator" / "CHANGELOG.md").read_text(), re.MULTILINE)
    assert titles[0] in (version, "Next")
