# Copyright: (c) 2026, the cloudn.compute authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Writes answers: the same Python value as JSON or as XML, as each generation writes it."""

from __future__ import annotations

import json
import re
from typing import Any

from .generation import CLOUDSTACK_3, Generation

# XML 1.0 cannot have these. A carriage return is escaped, since a reader would take it for a line feed.
NOT_XML = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff\ufffe\uffff]")
_ESCAPES = str.maketrans({"&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;", "'": "&apos;", "\r": "&#13;"})

_NOT_IN_HEADER = re.compile(r"[^ -~]")
LONGEST_HEADER = 4000  # characters; servers and clients refuse longer headers


class OnlyJson(list[Any]):
    """A list that the service writes in JSON, and leaves out in XML."""


class JavaMap(dict[str, str]):
    """A map that is an object in JSON. In XML it is a text as Java writes it: `{key=value, key=value}`."""

    def __str__(self) -> str:
        return "{" + ", ".join(f"{key}={value}" for key, value in self.items()) + "}"


def listing(name: str, items: list[dict[str, Any]]) -> dict[str, Any]:
    """The body of a list answer: `count` and the objects. An empty list has neither (measured on CloudStack 3.0.5)."""
    return {"count": len(items), name: items} if items else {}


def render(
    root: str, body: dict[str, Any], json_wanted: bool, generation: Generation = CLOUDSTACK_3, known: bool = True
) -> tuple[bytes, str]:
    """Write an answer; returns its bytes and its content type. To somebody who is not `known`, 4 tells no version."""
    if json_wanted:
        text = _json({root: body}) if generation.compact else f'{{ "{root}" : {_spaced(body)} }}'
        return text.encode("utf-8", "replace"), generation.json_type
    version = f' cloud-stack-version="{generation.version}"' if known else ""
    pieces = [f'<?xml version="1.0" encoding="UTF-8"?><{root}{version}>']
    _children(body, pieces)
    pieces.append(f"</{root}>")
    return "".join(pieces).encode(), generation.xml_type


_json = json.JSONEncoder(ensure_ascii=False, separators=(",", ":")).encode


def _spaced(body: dict[str, Any]) -> str:
    """A body as JSON, with the blanks of the real server."""
    names = list(body)
    if not names:
        return "{ }"
    if names[0] == "count":
        items = ", ".join(map(_json, body[names[1]]))
        return f'{{ "count":{body["count"]} ,"{names[1]}" : [  {items} ] }}'
    if names == ["success"]:
        return f'{{ "success" : {_json(body["success"])}}} '
    if len(names) == 1 and isinstance(body[names[0]], dict):
        return f' {{ "{names[0]}" : {_json(body[names[0]])} }} '
    return _json(body)


def _children(body: dict[str, Any], pieces: list[str]) -> None:
    for name, value in body.items():
        if isinstance(value, OnlyJson):
            continue
        for one in value if isinstance(value, list) else (value,):
            pieces.append(f"<{name}>")
            if isinstance(one, dict) and not isinstance(one, JavaMap):
                _children(one, pieces)
            else:
                pieces.append(text(one))
            pieces.append(f"</{name}>")


def text(value: Any, escapes: dict[int, str] = _ESCAPES) -> str:
    """A value as the text of an element."""
    if isinstance(value, bool):
        return "true" if value else "false"
    return NOT_XML.sub("", str(value)).translate(escapes)


def header(text: str) -> str:
    """A text as the value of a header: signs that are not ASCII's become `?`."""
    return _NOT_IN_HEADER.sub("?", text[:LONGEST_HEADER])
