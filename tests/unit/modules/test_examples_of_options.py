# Copyright: (c) 2026, the cloudn.compute authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Each option and each state of a module is in one of its examples, and a module's documentation leads to its neighbours."""

from __future__ import annotations

import pathlib
import re
from collections.abc import Iterator
from typing import Any

import pytest
import yaml
from specs import imported

ROOT = pathlib.Path(__file__).parents[3]
MODULES = sorted(path.stem for path in (ROOT / "plugins" / "modules").glob("cloudn_*.py"))
# Options without an example: an Advanced zone was never recorded, so no example of it was tried.
WITHOUT = {("cloudn_vm", "networks")}
# Options that need an example for each of their values. Of the others one value shows enough.
WHOLE = ("state", "extract_mode")


def options_of(name: str) -> dict[str, Any]:
    """Return a module's own options, without those of the fragments, as they are documented."""
    return yaml.safe_load(imported(name).DOCUMENTATION).get("options", {})


def used(options: dict[str, Any], given: dict[str, Any], path: str = "") -> Iterator[tuple[str, Any]]:
    """Yield the paths of the options that a task gives, with the values. The directions of rules have the same options."""
    for option, value in given.items():
        place = f"{path}{option}".replace("egress.", "ingress.")
        yield place, value
        inner = options.get(option, {}).get("suboptions")
        for item in value if inner and isinstance(value, list) else []:
            yield from used(inner, item if isinstance(item, dict) else {"name": item}, f"{place}.")


def documented(options: dict[str, Any], path: str = "") -> Iterator[tuple[str, Any]]:
    """Yield the paths of all options with what must be in the examples: each value, or None for any one."""
    for name, option in options.items():
        place = f"{path}{name}".replace("egress.", "ingress.")
        values = set(option.get("choices", ())) - {option.get("default")} if name in WHOLE else set()
        yield from ((place, value) for value in sorted(values) or [None])
        yield from documented(option.get("suboptions") or {}, f"{place}.")


@pytest.mark.parametrize("name", MODULES)
def test_each_option_and_each_state_has_an_example(name: str) -> None:
    options = options_of(name)
    tasks = yaml.safe_load(imported(name).EXAMPLES)
    shown = [pair for task in tasks for pair in used(options, task.get(f"cloudn.compute.{name}") or {})]
    lacking = [
        (place, value)
        for place, value in documented(options)
        if not any(place == path and value in (None, given) for path, given in shown) and (name, place) not in WITHOUT
    ]
    assert lacking == []


@pytest.mark.parametrize("name", MODULES)
def test_what_a_module_is_seen_with_is_named(name: str) -> None:
    """The module that lists what this one manages, or the reverse, and every module that its text names."""
    text = imported(name).DOCUMENTATION
    also = {one.get("module", "").rpartition(".")[2] for one in yaml.safe_load(text)["seealso"]}
    other = name.removesuffix("_info") if name.endswith("_info") else f"{name}_info"
    named = set(re.findall(r"M\(cloudn\.compute\.(\w+)\)|O\(cloudn\.compute\.(\w+)#", text))
    wanted = {one for pair in named for one in pair if one} | ({other} & set(MODULES))
    assert wanted - {name} - also == set()
