# Copyright: (c) 2026, the cloudn.compute authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Prints the names that ngine_io.cloudstack has, as JSON. The Python of its own environment runs this.

Options come from the argument specs that its modules really use, return values from the documentation. The commands are those
that a module's source sends.
"""

from __future__ import annotations

import ast
import contextlib
import importlib
import json
import pathlib
import re
import sys
from collections.abc import Iterator
from typing import Any

import yaml
from ansible.module_utils import basic
from ansible.utils.collection_loader._collection_finder import _AnsibleCollectionFinder

PACKAGE = "ansible_collections.ngine_io.cloudstack.plugins"
# A command of CloudStack as a source writes it: as the argument of a call, or kept in a variable before it.
COMMAND = re.compile(r"""(?:query_api\(\s*|\b(?:api|cs_func) = )["']([a-z]+[A-Z]\w+)["']""")


class Seen(Exception):
    """A module has said which options it has."""


def options_of(module: str) -> dict[str, Any]:
    """Return the options of a module with what a user may write: other names, and values where they are limited."""
    seen: dict[str, Any] = {}

    def look(_self: Any, argument_spec: dict[str, Any], **_more: Any) -> None:
        seen.update(argument_spec)
        raise Seen

    basic.AnsibleModule.__init__ = look
    code = importlib.import_module(f"{PACKAGE}.modules.{module}")
    code.AnsibleModule.__init__ = look
    with contextlib.suppress(Seen):
        code.main()
    return {name: limits(spec) for name, spec in seen.items()}


def limits(spec: dict[str, Any]) -> dict[str, Any]:
    """Return the aliases and choices of an option, where it has any."""
    return {key: list(spec[key]) for key in ("aliases", "choices") if spec.get(key)}


def block(source: str, name: str) -> Any:
    """Return a documentation block of a plugin, as data."""
    for node in ast.parse(source).body:
        if isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name) and node.targets[0].id == name:
            return yaml.safe_load(ast.literal_eval(node.value))
    return None


def paths(fields: dict[str, Any], prefix: str = "") -> Iterator[str]:
    """Yield the names of return values, those within a list as `list[].name`."""
    for name, about in (fields or {}).items():
        inner = about.get("contains") or {}
        yield from paths(inner, f"{prefix}{name}[].") if inner else [f"{prefix}{name}"]


def modules(folder: pathlib.Path) -> dict[str, Any]:
    """Return what each module has: options, return values, commands."""
    sources = {file.stem: file.read_text() for file in sorted(folder.glob("*.py")) if file.stem != "__init__"}
    return {
        name: {
            "options": options_of(name),
            "returns": sorted(paths(block(source, "RETURN"))),
            "commands": sorted(set(COMMAND.findall(source))),
        }
        for name, source in sources.items()
    }


def old_names(runtime: str) -> dict[str, list[str]]:
    """Return the names that modules had before, by the names that they have now."""
    old: dict[str, list[str]] = {}
    for before, about in yaml.safe_load(runtime)["plugin_routing"]["modules"].items():
        old.setdefault(about["redirect"].rpartition(".")[2], []).append(before)
    return old


def inventory(file: pathlib.Path) -> dict[str, list[str]]:
    """Return the options of the inventory plugin that are its own, and the variables of a host."""
    source = file.read_text()
    template = next(
        ast.literal_eval(node.value)
        for node in ast.parse(source).body
        if isinstance(node, ast.Assign) and getattr(node.targets[0], "id", "") == "INVENTORY_NORMALIZATION_J2"
    )
    own = sorted(block(source, "DOCUMENTATION")["options"])
    return {"options": own, "variables": re.findall(r"^  (\w+):", template, re.MULTILINE)}


def main() -> None:
    """Print all names of the collection that lies in the folder that the command line names."""
    root = pathlib.Path(sys.argv[1]).resolve()
    _AnsibleCollectionFinder(paths=[str(root)])._install()
    place = root / "ansible_collections" / "ngine_io" / "cloudstack"
    version = json.loads((place / "MANIFEST.json").read_text())["collection_info"]["version"]
    lookup = block((place / "plugins" / "lookup" / "api.py").read_text(), "DOCUMENTATION")
    old = old_names((place / "meta" / "runtime.yml").read_text())
    names = {
        "version": version,
        "connection": options_of_connection(),
        "modules": modules(place / "plugins" / "modules"),
        "inventory": inventory(place / "plugins" / "inventory" / "instance.py"),
        "lookup": sorted(lookup["options"]),
    }
    shared = names["connection"]
    for name, about in names["modules"].items():
        about["old"] = old.get(name, [])
        about["options"] = {name: spec for name, spec in about["options"].items() if name not in shared}
    print(in_lines(names))


def in_lines(names: dict[str, Any]) -> str:
    """Return the names as JSON with one line for each module, so that a difference is easy to see."""
    lines = [f"  {json.dumps(name)}: {json.dumps(about)}" for name, about in sorted(names["modules"].items())]
    rest = [f" {json.dumps(key)}: {json.dumps(value)}," for key, value in names.items() if key != "modules"]
    return "\n".join(["{", *rest, ' "modules": {', ",\n".join(lines), " }", "}"])


def options_of_connection() -> dict[str, Any]:
    """Return the options that all modules have, with the environment variables that set them."""
    shared = importlib.import_module(f"{PACKAGE}.module_utils.cloudstack")
    return {
        name: {**limits(spec), "env": spec["fallback"][1][0] if spec.get("fallback") else None}
        for name, spec in shared.cs_argument_spec().items()
    }


if __name__ == "__main__":
    main()
