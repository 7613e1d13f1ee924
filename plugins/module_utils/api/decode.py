# Copyright: (c) 2026, the cloudn.compute authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Turns the bytes of an answer, JSON or XML, into plain Python values. Both formats give the same."""

from __future__ import annotations

import importlib.util
import json
import re
import typing as t

from .decode_fields import LISTS, NESTED, NUMBERS, SINGLE, TEXT, TEXT_LISTS
from .errors import BadAnswer, TooLarge

# xmltodict is imported with the first answer in XML. Modules report that it is missing before they send anything.
XMLTODICT_ERROR = None if importlib.util.find_spec("xmltodict") else "No module named 'xmltodict'"

# An object of the API: its fields by the API's names.
Record = t.Dict[str, t.Any]

# The most values in an answer: 2,000 for each of the 500 objects on a full page. A machine has about 60. In Python, each
# value takes up to 300 bytes, however short it is in the answer.
MOST_VALUES = 1_000_000
_BEFORE_VALUES = (b",", b"[", b"{", b"<", b"=")  # one of these stands before each value but the first
# The deepest nesting. Real answers have about 10 levels: a listing of jobs, a result, a machine, its networks.
_DEEPEST = 50

_INTEGER = re.compile(r"-?\d{1,18}\Z")
_HALF_CHARACTER = re.compile("[\ud800-\udfff]")
_HTML = re.compile(rb"\s*<(!doctype|html)", re.IGNORECASE)


def decode(body: bytes, command: str, status: int | None = None) -> tuple[str, dict[str, t.Any]]:
    """Return ``(root, content)`` of an answer: the name of its one root, and the fields in it.

    JSON and XML give identical values. The body itself shows the format, as proxies and error pages do not always answer in
    the format of the request. Empty lists are left out, as XML can't write them. Numbers are ``int``, truth values
    ``bool``, other values ``str``, ``list`` or ``dict``.

    Raises ``BadAnswer`` when the body is not an answer of this API.
    """

    def bad(why: str) -> BadAnswer:
        return BadAnswer(f"{command}: the answer can't be read: {why}", command=command, status=status)

    if max(map(body.count, _BEFORE_VALUES)) > MOST_VALUES:
        raise TooLarge(f"{command}: the answer holds too many values, and is not read", command, status)
    tree = _parse(body, bad)
    if len(tree) != 1:
        raise bad(f"one root was expected, there are {len(tree)}")
    root, content = next(iter(tree.items()))
    if content is None or content == "":
        content = {}
    if not isinstance(content, dict):
        raise bad(f"the root {root[:50]!r} holds no fields")
    try:
        return root, _fields(content, root, _DEEPEST)
    except RecursionError:
        raise bad("it is nested too deeply") from None
    except _Garbled:
        raise bad("a field has control characters in its name") from None


class _Garbled(Exception):
    """The names of the fields are garbled, so fields that are missing are there under another name."""


def _parse(body: bytes, bad: t.Callable[[str], BadAnswer]) -> dict[str, t.Any]:
    """Return the answer as its format has it."""
    start = body.lstrip()[:1]
    if not start:
        raise bad("it is empty")
    if _HTML.match(body):
        raise bad("it is an HTML page (a proxy in front of the service, or a wrong api_url)")
    if start == b"{":
        return _from_json(body, bad)
    if start == b"<":
        return from_xml(body, bad)
    raise bad("it is neither JSON nor XML")


def _from_json(body: bytes, bad: t.Callable[[str], BadAnswer]) -> dict[str, t.Any]:
    try:
        # Not strict: the service does not escape control characters in names. Numbers stay texts here, and `_scalar` reads
        # those of known fields. Python may need very long to read any other number.
        tree: dict[str, t.Any] = json.loads(
            body.decode("utf-8"), strict=False, parse_int=str, parse_float=str, parse_constant=str
        )
    except (ValueError, RecursionError) as error:
        raise bad(f"broken JSON ({type(error).__name__})") from None
    return tree


def from_xml(body: bytes, bad: t.Callable[[str], BadAnswer]) -> dict[str, t.Any]:
    """Return an answer's elements by their names, with their texts. Raises the error from ``bad(why)`` if it is no XML."""
    import xmltodict

    try:
        # Blanks around a value belong to the value. xmltodict itself refuses entities.
        return xmltodict.parse(body, xml_attribs=False, strip_whitespace=False)
    except Exception as error:  # expat's own errors, ValueError for entities, RecursionError
        raise bad(f"broken XML ({type(error).__name__})") from None


def _fields(fields: dict[str, t.Any], parent: str, depth: int) -> dict[str, t.Any]:
    """Return the fields of one object as Python types. The object stands under the name ``parent``.

    ``depth`` is how many levels may be below it.
    """
    typed = {}
    for name, value in fields.items():
        if name == "#text":  # the blanks between the elements of indented XML
            continue
        name = _whole(name)
        if not name.isprintable():
            raise _Garbled
        if _is_list(name, parent):
            value = _items(value)
        elif name in TEXT_LISTS and isinstance(value, str):
            value = [value]
        if value != []:
            typed[name] = _value(name, value, depth)
    return typed


def _is_list(name: str, parent: str) -> bool:
    if parent.startswith("list"):
        return name not in SINGLE
    return name in LISTS or (parent, name) in NESTED


def _items(value: t.Any) -> t.Any:
    """Return the value of a list field as a list. XML has no brackets: one object stands alone, an empty list is ``None``."""
    if value is None:
        return []
    if isinstance(value, dict):
        return [value]
    return [{} if item is None else item for item in value] if isinstance(value, list) else value


def _value(name: str, value: t.Any, depth: int) -> t.Any:
    if not isinstance(value, (dict, list)):
        return _scalar(name, value)
    if not depth:
        raise RecursionError
    if isinstance(value, list):
        return [_value(name, item, depth - 1) for item in value]
    return _fields(value, name, depth - 1)


def _scalar(name: str, value: t.Any) -> t.Any:
    if value is None:
        return ""
    if isinstance(value, bool):
        value = "true" if value else "false"
    text = _whole(str(value))
    if name in NUMBERS and _INTEGER.match(text):
        return int(text)
    if text in ("true", "false") and name not in TEXT:
        return text == "true"
    return text


def _whole(text: str) -> str:
    """Return a text without halves of characters. Only JSON can write them (as ``\\ud83d``)."""
    return text if text.isascii() else _HALF_CHARACTER.sub("\ufffd", text)
