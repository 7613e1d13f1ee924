# Copyright: (c) 2026, the cloudn.compute authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The tables of docs/from-ngine-io-cloudstack.md, made of mapping.yml and names.json.

``python tests/ngine/guide.py`` writes them into the page. ``python tests/ngine/guide.py --names`` first asks the collection
ngine_io.cloudstack itself for its names, for which it downloads it.
"""

from __future__ import annotations

import json
import pathlib
import re
import sys
import tempfile
from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

import yaml

HERE = pathlib.Path(__file__).parent
ROOT = HERE.parents[1]
PAGE = ROOT / "docs" / "from-ngine-io-cloudstack.md"
NAMES_FILE = HERE / "names.json"
NAMES: dict[str, Any] = json.loads(NAMES_FILE.read_text())
MAPPING: dict[str, Any] = yaml.safe_load((HERE / "mapping.yml").read_text())
MODULES: dict[str, Any] = MAPPING["modules"]
PREFIX_OF_VARIABLES = "cloudn_"
NOTHING = "-"
Table = list[tuple[str, str, str]]


class Row(NamedTuple):
    """One name of ngine_io.cloudstack and its counterparts here, or none. The note says more, or why there is none."""

    name: str
    to: tuple[str, ...]
    note: str

    @property
    def is_same(self) -> bool:
        """Whether nothing has to be said but the name."""
        return self.to == (self.name.rpartition("[].")[2],) and not self.note


def rows(mapping: Mapping[str, Any]) -> list[Row]:
    """Return the rows of a part of mapping.yml."""
    return [_row(name, value) for name, value in mapping.items()]


def _row(name: str, value: Any) -> Row:
    if isinstance(value, dict):
        return Row(name, (), value["none"])
    to, note = value if isinstance(value, list) else (value, "")
    return Row(name, tuple(name if one == "=" else one for one in ([to] if isinstance(to, str) else to)), note)


def covered(module: str, kind: str) -> list[Row]:
    """Return the rows of a module's ``options`` or ``returns``, with those of all modules."""
    own, shared = MODULES[module][kind], MAPPING["common"][kind]
    has = NAMES["modules"][module][kind]
    return rows({**own, **{name: value for name, value in shared.items() if name in has and name not in own}})


def code(*words: str) -> str:
    """Return words as code, joined by commas."""
    return ", ".join(f"`{word}`" for word in words)


def table(head: tuple[str, ...], lines: Iterator[tuple[str, ...]] | Table) -> str:
    """Return a table of Markdown."""
    body = [head, ("---",) * len(head), *lines]
    return "\n".join(f"| {' | '.join(line).replace('  ', ' ')} |" for line in body).replace(" |  |", " | |") + "\n"


def modules() -> str:
    """The table in which a reader finds a module."""
    lines = []
    for name, about in MODULES.items():
        old = NAMES["modules"][name]["old"]
        lines.append((f"[{name}](#{name})", code(*old), code(about["to"])))
    lines.append(("inventory plugin [instance](#inventory)", "", f"inventory plugin {code('cloudn')}"))
    lines.append(("lookup plugin [api](#api_request)", "", code("cloudn_api")))
    others = sum(len(group["modules"]) for group in MAPPING["elsewhere"])
    lines.append((f"[{others} others](#modules-without-a-counterpart)", "", code("cloudn_api")))
    return table(("ngine_io.cloudstack", "its old name", "cloudn.compute"), lines)


def connection() -> str:
    """The connection options with their environment variables."""
    lines = []
    for row in rows(MAPPING["connection"]):
        variable = NAMES["connection"][row.name].get("env")
        lines.append((code(row.name), code(variable) if variable else "", code(*row.to) or NOTHING, row.note))
    return table(("ngine_io.cloudstack", "its variable", "cloudn.compute", ""), lines)


def common() -> str:
    """The options that many modules have."""
    return table(HEAD, [_line(row, "") for row in rows(MAPPING["common"]["options"])])


HEAD = ("ngine_io.cloudstack", "cloudn.compute", "")


def _line(row: Row, prefix: str, aliases: tuple[str, ...] = ()) -> tuple[str, str, str]:
    also = f" (or {code(*aliases)})" if aliases else ""
    return code(row.name) + also, code(*(prefix + one for one in row.to)) or NOTHING, row.note


def details() -> str:
    """Each module with its options, values and return values."""
    return "\n".join(_module(name, about) for name, about in MODULES.items())


def _module(name: str, about: dict[str, Any]) -> str:
    known = NAMES["modules"][name]["options"]
    shared = MAPPING["common"]["options"].keys() - about["options"].keys()
    options = [row for row in covered(name, "options") if row.name not in shared]
    aliases = {option: tuple(spec.get("aliases", ())) for option, spec in known.items()}
    parts = [f"### {name}\n", f"`ngine_io.cloudstack.{name}` is `cloudn.compute.{about['to']}`.\n"]
    parts += _same("Options of the same name", options)
    parts += _different("option", [_line(row, "", aliases[row.name]) for row in options if not row.is_same])
    for option, values in about.get("values", {}).items():
        lines = [(code(f"{option}: {old}"), code(*_yaml(new)), "") for old, new in values.items()]
        parts += _different("value", [line for line in lines if line[0] != line[1]])
    prefix = _prefix(about)
    returned = [row for row in covered(name, "returns") if row.name not in MAPPING["common"]["returns"]]
    parts += _same(f"Return values of the same name in `{prefix.rstrip('.')}`", returned)
    parts += _different("return value", [_line(row, prefix) for row in returned if not row.is_same])
    return "\n".join(parts)


def _prefix(about: dict[str, Any]) -> str:
    place = about.get("shown", about["in"])
    return f"{place}." if place else ""


def _yaml(options: dict[str, Any]) -> list[str]:
    return [f"{name}: {json.dumps(value) if isinstance(value, bool) else value}" for name, value in options.items()]


def _same(title: str, found: list[Row]) -> list[str]:
    same = [row.name.rpartition("[].")[2] for row in found if row.is_same]
    return [f"{title}: {code(*same)}.\n"] if same else []


def _different(kind: str, lines: Table) -> list[str]:
    return [table((f"{kind} of ngine_io.cloudstack", "cloudn.compute", ""), lines)] if lines else []


def inventory() -> str:
    """The options of the inventory plugin, and the variables of a host."""
    parts, prefix = MAPPING["inventory"], PREFIX_OF_VARIABLES
    options = [_line(row, "") for row in rows(parts["options"])]
    variables = rows(parts["variables"])
    same = [row.name for row in variables if row.is_same]
    lines = [_line(row, prefix) for row in variables if not row.is_same]
    return "\n".join(
        [
            *_different("option", options),
            f"Variables of the same name behind `{prefix}`: {code(*same)}. So `zone` is `{prefix}zone`.\n",
            *_different("variable", lines),
        ]
    )


def elsewhere() -> str:
    """The modules that have no counterpart, with the reason, the way, and the commands to send."""
    parts = []
    for group in MAPPING["elsewhere"]:
        lines = [(code(name), code(*_commands(name)) or NOTHING) for name in group["modules"]]
        way = group["way"].strip()
        parts.append(f"### {group['title']}\n\n{way}\n\n{table(('module', 'its commands'), iter(lines))}")
    return "\n".join(parts)


def _commands(module: str) -> list[str]:
    sent: list[str] = NAMES["modules"][module]["commands"]
    return [command for command in sent if not command.startswith("list")] or sent


PARTS = {
    "modules": modules,
    "connection": connection,
    "common": common,
    "details": details,
    "inventory": inventory,
    "elsewhere": elsewhere,
}


def filled(text: str) -> str:
    """Return the page with its tables as they are to be. Raises KeyError for a mark that names no table."""
    text = re.sub(r"(ngine_io\.cloudstack) \d+\.\d+\.\d+", rf"\1 {NAMES['version']}", text)
    return re.sub(
        r"(<!-- table: (\w+) -->\n).*?(<!-- end -->)",
        lambda match: f"{match[1]}\n{PARTS[match[2]]()}\n{match[3]}",
        text,
        flags=re.DOTALL,
    )


def peers_tool(work: pathlib.Path) -> Any:
    """Return Ansible with ngine_io.cloudstack, as the bench has it (`stage.Tool`). Raises ``programs.Failed``."""
    sys.path += [str(ROOT / folder) for folder in ("bench", "examples") if str(ROOT / folder) not in sys.path]
    import peer

    return peer.tool(work)


def asked_names(tool: Any) -> str:
    """Return the names that ngine_io.cloudstack has, in the form of names.json. Raises ``programs.Failed``."""
    from stage import quietly

    collections = tool.environment["ANSIBLE_COLLECTIONS_PATH"]
    return quietly([tool.programs / "python", HERE / "names.py", collections], tool.environment)


if __name__ == "__main__":
    if "--names" in sys.argv:
        with tempfile.TemporaryDirectory() as work:
            NAMES_FILE.write_text(asked_names(peers_tool(pathlib.Path(work))))
        NAMES.update(json.loads(NAMES_FILE.read_text()))
    PAGE.write_text(filled(PAGE.read_text()))
