# Copyright: (c) 2026, the cloudn.compute authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Runs tasks in both ways, inside Ansible and as modules that are sent, and makes their results comparable."""

from __future__ import annotations

import json
import pathlib
import re
import subprocess
import sys
from collections.abc import Iterator
from typing import Any

from reaching import environment_of

Result = dict[str, Any]
CALLBACKS = pathlib.Path(__file__).parent / "callbacks"
INSIDE, SENT = "true", "false"  # values of CLOUDN_IN_PROCESS

_UUID = r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}"
# What the service makes anew each time, so two emulators that were asked the same differ in it.
_MADE = {
    "id": re.compile(_UUID),
    "fingerprint": re.compile(r"\b[0-9a-f]{2}(?::[0-9a-f]{2}){15}\b"),
    "EC2 id": re.compile(r"\b(?:i|vol|snap|ami|r|req)-[0-9a-f]{8}\b"),
    "address": re.compile(r"\b10\.\d+\.\d+\.\d+\b"),
    "MAC": re.compile(r"\b06(?::[0-9a-f]{2}){5}\b"),
    "private key": re.compile(r"-----BEGIN [A-Z ]+-----[^-]+-----END [A-Z ]+-----\n?"),
    "public key": re.compile(r"\bssh-rsa [A-Za-z0-9+/=]+"),
    "checksum": re.compile(r"\b[0-9a-f]{32}\b"),
    "root disk": re.compile(r"\bROOT-\d+\b"),
    "internal name": re.compile(r"\bi-\d+-\d+-VM\b"),
    "link": re.compile(r"/userdata/[\w.-]+"),
    "moment": re.compile(r"\b\d{4}-?\d\d-?\d\dT?[ _]?\d\d:?\d\d:?\d\d(?:\.\d+)?(?:[+-]\d{4}|Z)?"),
    "date": re.compile(r"(?<!\d)20\d{12}(?!\d)"),
    "port": re.compile(r"(?<=127\.0\.0\.1:)\d+|(?<=port=)\d+"),
    "lasted": re.compile(r"\b\d+(?:\.\d+)? s\b"),
}
# Their order, or whether two are in one second, is chance, too.
_ALIKE = ("moment", "date", "lasted", "root disk")
# Members that hold what differs by chance. An address has the port of its emulator, of which a drawn secret may hide a part.
_BY_CHANCE = ("password", "duration", "pid", "api_url", "ec2_url")
_PLAIN = re.compile(r"[ !#-\[\]-~\u00a1-\ud7ff\ue000-\ufefe\uff00-\uffef]")


def written(value: Any) -> str:
    """Return a value as YAML in one line. Ansible takes no text of it for a template."""
    if isinstance(value, dict):
        return "{" + ", ".join(f"{_quoted(key)}: {written(item)}" for key, item in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ", ".join(map(written, value)) + "]"
    if isinstance(value, str):
        # Only texts that may be templates: YAML takes some others (`=`, `&`) for more than texts behind a tag.
        return f"!unsafe {_quoted(value)}" if "{" in value else _quoted(value)
    return json.dumps(value)


def _quoted(text: str) -> str:
    return '"' + "".join(one if _PLAIN.match(one) else f"\\U{ord(one):08x}" for one in text) + '"'


def task(number: int, module: str, options: Result, **keywords: Any) -> str:
    """Return a task of a playbook. Its failure does not end the play."""
    told = {"ignore_errors": True, **keywords}
    lines = [f"    - name: {number} {module}", f"      cloudn.compute.{module}: {written(options)}"]
    return "\n".join([*lines, *(f"      {word}: {json.dumps(value)}" for word, value in told.items())])


def play(tasks: list[str]) -> str:
    """Return a playbook of tasks on this machine."""
    return "\n".join(["- hosts: localhost", "  gather_facts: false", "  tasks:", *tasks, ""])


def run(
    emulator: Any, folder: pathlib.Path, text: str, *arguments: str, program: pathlib.Path | None = None, **more: str
) -> tuple[subprocess.CompletedProcess[str], list[Result]]:
    """Run a playbook against an emulator. Return what it said, and its results in order."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "playbook.yml").write_text(text, encoding="utf-8")
    record = folder / "record.jsonl"
    record.unlink(missing_ok=True)
    environment = {
        **environment_of(emulator),
        "ANSIBLE_CALLBACK_PLUGINS": str(CALLBACKS),
        "ANSIBLE_CALLBACKS_ENABLED": "cloudn_recorder",
        "ANSIBLE_PIPELINING": "true",
        "CLOUDN_RECORD": str(record),
        **more,
    }
    playbook = (program or pathlib.Path(sys.executable).parent) / "ansible-playbook"
    command = [str(playbook), str(folder / "playbook.yml"), *arguments]
    done = subprocess.run(
        command, cwd=folder, env=environment, capture_output=True, text=True, check=False, timeout=900
    )
    lines = record.read_text(encoding="utf-8").splitlines() if record.exists() else []
    return done, [json.loads(line) for line in lines]


def comparable(results: list[Result]) -> Iterator[Result]:
    """Yield results with the same names in place of what the service makes, by the order in which it appears."""
    seen: dict[tuple[str, str], str] = {}

    def name(kind: str, text: str) -> str:
        number = sum(one == kind for one, _text in seen) + 1
        return seen.setdefault((kind, text), f"<{kind}>" if kind in _ALIKE else f"<{kind} {number}>")

    def plain(value: Any, is_part_of: Any = None) -> Any:
        if isinstance(value, dict):
            # Whether the job that made a machine shows the machine's tags, which come meanwhile.
            value = {**value, "tags": "<by chance>"} if "tags" in value and "Deploy" in str(is_part_of) else value
            inside = value.get("command") or is_part_of
            return {
                key: "<by chance>" if key in _BY_CHANCE and item else plain(item, inside) for key, item in value.items()
            }
        if isinstance(value, list):
            # The order of objects that the service made within a second is chance.
            has_objects = all(isinstance(item, dict) and "id" in item for item in value)
            return [plain(item, is_part_of) for item in (sorted(value, key=_without_made) if has_objects else value)]
        if isinstance(value, str):
            for kind, pattern in _MADE.items():
                value = pattern.sub(lambda match, kind=kind: name(kind, match[0]), value)
        return value

    for one in results:
        yield plain(one)


def _without_made(value: Any) -> str:
    """Return a value as text, without what the service makes."""
    text = json.dumps(value, default=str)
    for pattern in _MADE.values():
        text = pattern.sub("", text)
    return text


def differences(one: Any, other: Any, path: str = "") -> list[str]:
    """Return where two results differ, and in what."""
    if isinstance(one, dict) and isinstance(other, dict):
        keys = dict.fromkeys([*one, *other])
        return [text for key in keys for text in differences(one.get(key), other.get(key), f"{path}.{key}")]
    if isinstance(one, list) and isinstance(other, list) and len(one) == len(other):
        pairs = enumerate(zip(one, other, strict=True))
        return [text for at, (left, right) in pairs for text in differences(left, right, f"{path}[{at}]")]
    return [] if one == other and type(one) is type(other) else [f"{path}: {one!r} != {other!r}"]
