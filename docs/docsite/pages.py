# Copyright: (c) 2026, the cloudn.compute authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The pages of the site: which file is which page, in which order, and where a link of a file leads on the site."""

from __future__ import annotations

import os
import pathlib
import posixpath
import re
from collections.abc import Iterator

ROOT = pathlib.Path(__file__).resolve().parents[2]
MODULES = "modules"  # the folder of the site with the pages of the modules
BLOB = "https://github.com/cloudn-compute/cloudn.compute/blob/main/"
# Where a picture of a file is that is read outside the project, too, such as the README of a package.
RAW = "https://raw.githubusercontent.com/cloudn-compute/cloudn.compute/main/"

# The guides, in the order of the contents. A guide that this version does not have is left out.
GUIDES = {
    "Begin": ("first-site", "site", "inventory", "secrets", "troubleshooting"),
    "Come from other tools": ("from-ngine-io-cloudstack", "ec2", "commands"),
    "Run": ("awx", "large-fleets", "inside-ansible", "rely-on", "speed"),
    "Test": ("testing", "emulator"),
}
# What antsibull-docs writes, with titles for the contents.
REFERENCE = {
    f"{MODULES}/index": "Modules and the inventory plugin",
    f"{MODULES}/environment_variables": "Environment variables",
}
# Files outside docs/ that are pages, too.
PROJECT = {
    "examples/README.md": "examples",
    "CHANGELOG.rst": "changelog",
    "CONTRIBUTING.md": "contributing",
    "CODE_OF_CONDUCT.md": "conduct",
    "emulator/README.md": "emulator-reference",
    "emulator/CHANGELOG.md": "emulator-changelog",
    "bench/README.md": "bench",
}
_BLOCK = re.compile(r"(?ms)^( *)```.*?^\1```$")
_CODE = re.compile(rf"{_BLOCK.pattern}|`[^`\n]+`")
_INLINE = re.compile(r"(\]\()([^)\s]+)(\))")
# A link whose text is the name of its file. On the site its text is the title of what it leads to.
_NAMED = re.compile(r"\[([\w-]+\.md)\]\(([\w./-]+)(#[\w-]+)?\)")
_DEFINED = re.compile(r"(?m)^(\[[^\]]+\]: )(\S+)()$")
_PLUGIN = re.compile(r"plugins/(modules|inventory)/(cloudn\w*)\.py")


class DeadLink(Exception):
    """A link of a file leads to nothing. The text names both."""


def guides() -> dict[str, list[str]]:
    """Return the titles of the contents with the names of their guides."""
    return {
        title: [name for name in names if (ROOT / "docs" / f"{name}.md").is_file()] for title, names in GUIDES.items()
    }


def pages() -> dict[str, str]:
    """Return the page of each file, by the file's path in the project."""
    named = {f"docs/{name}.md": name for names in guides().values() for name in names}
    return {**named, **PROJECT}


def plugins() -> dict[str, str]:
    """Return the page of each plugin, by the path of its file in the project."""
    found = {}
    for kind, word in (("modules", "module"), ("inventory", "inventory")):
        for path in sorted((ROOT / "plugins" / kind).glob("cloudn*.py")):
            found[f"plugins/{kind}/{path.name}"] = f"{MODULES}/{path.stem}_{word}"
    return found


def label(path: str, option: str = "") -> str:
    """Return the label that antsibull-docs gives a plugin, or an option of it."""
    kind, name = _PLUGIN.fullmatch(path).groups()  # type: ignore[union-attr]
    word = "module" if kind == "modules" else kind
    return f"ansible_collections.cloudn.compute.{name}_{word}" + (f"__parameter-{option}" if option else "")


def prose(text: str) -> str:
    """Return a document without its blocks of code."""
    return _BLOCK.sub("", text)


def links(text: str) -> Iterator[str]:
    """Yield the targets of a document's links and pictures. What stands in code is no link."""
    plain = _CODE.sub("", text)
    for pattern in (_INLINE, _DEFINED):
        yield from (found[2] for found in pattern.finditer(plain))


def on_site(path: str, target: str) -> str:
    """Return where a link of the file ``path`` leads on the site. Raises ``DeadLink``.

    A link to the file of a module leads to the module's page, and with ``#option`` to that option. A link to a file without a
    page leads to the file on GitHub. A picture is in the site, also where the file takes it from GitHub.
    """
    if target.startswith((BLOB, RAW)):
        file, _hash, anchor = target.removeprefix(BLOB).removeprefix(RAW).partition("#")
    elif target.startswith("#") or re.match(r"[a-z]+:", target):
        return target
    else:
        link, _hash, anchor = target.partition("#")
        file = posixpath.normpath(posixpath.join(posixpath.dirname(path), link))
    if file in plugins():
        return f"#{label(file, anchor)}"
    page = pages().get(file)
    if page:
        return f"{page}{pathlib.Path(file).suffix}" + (f"#{anchor}" if anchor else "")
    if not (ROOT / file).exists():
        raise DeadLink(f"{path}: the link {target} leads to {file}, which is not there")
    if file.endswith((".svg", ".png")):
        return os.path.basename(file)
    return BLOB + file + (f"#{anchor}" if anchor else "")


def rewritten(path: str, text: str) -> str:
    """Return a file's text with the links of its page. Raises ``DeadLink``."""
    code: list[str] = []

    def keep(found: re.Match[str]) -> str:
        code.append(found[0])
        return f"\0{len(code) - 1}\0"

    text = _CODE.sub(keep, text)
    text = _NAMED.sub(
        lambda found: found[0] if found[1] != found[2].rpartition("/")[2] else f"[]({found[2]}{found[3] or ''})", text
    )
    for pattern in (_INLINE, _DEFINED):
        text = pattern.sub(lambda found: f"{found[1]}{on_site(path, found[2])}{found[3]}", text)
    return re.sub(r"\0(\d+)\0", lambda found: code[int(found[1])], text)
