# Copyright: (c) 2026, the cloudn.compute authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Turns the bytes of an answer, JSON or XML, into plain Python values. Both formats give the same."""

from __future__ import annotations

import json
import re
import typing as t

from .decode_fields import (
    LISTS,
    MAY_BE_EMPTY,
    NESTED,
    NUMBERS,
    OF_PROTOCOL,
    OWN_NUMBERS,
    OWN_TEXTS,
    READ_LISTS,
    READ_NUMBERS,
    REQUIRED,
    RULES,
    SINGLE,
    TEXT,
    TEXT_LISTS,
    TEXT_LISTS_IN,
    TRUTHS,
)
from .errors import BadAnswer, TooLarge
from .flawed import Flawed

# An object of the API: its fields by the API's names.
Record = t.Dict[str, t.Any]

# The most values in an answer: 2,000 for each of the 500 objects on a full page. A machine has about 60. In Python, each
# value takes up to 300 bytes, however short it is in the answer.
MOST_VALUES = 1_000_000
_BEFORE_VALUES = (b",", b"[", b"{", b"<", b"=")  # one of these stands before each value but the first
# The deepest nesting. Real answers have about 10 levels: a listing of jobs, a result, a machine, its networks.
_DEEPEST = 50

_NULL = object()
_WITH_TEXT_LISTS = frozenset(parent for parent, _name in TEXT_LISTS_IN)
_NUMBERS_AND_TRUTHS = READ_NUMBERS | TRUTHS | {"endpoint"}
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
    if content is None or content is _NULL or content == "":
        content = {}
    if not isinstance(content, dict):
        raise bad(f"the root {root[:50]!r} holds no fields")
    try:
        fields = _fields(content, root, _DEEPEST)
    except RecursionError:
        raise bad("it is nested too deeply") from None
    except _Garbled:
        raise bad("a field has control characters in its name") from None
    _check_root(fields, root, bad)
    _note(fields, command)
    return root, fields


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
        hook = _with_nulls if b"null" in body else None
        tree: dict[str, t.Any] = json.loads(
            body.decode("utf-8"), strict=False, parse_int=str, parse_float=str, parse_constant=str, object_hook=hook
        )
    except (ValueError, RecursionError) as error:
        raise bad(f"broken JSON ({type(error).__name__})") from None
    return tree


def _with_nulls(fields: dict[str, t.Any]) -> dict[str, t.Any]:
    """Return fields in which nulls can be told from the empty elements of XML."""
    return {name: _NULL if value is None else value for name, value in fields.items()}


def from_xml(body: bytes, bad: t.Callable[[str], BadAnswer]) -> dict[str, t.Any]:
    """Return an answer's elements by their names, with their texts. Raises the error from ``bad(why)`` if it is no XML."""
    import xmltodict  # here, as few answers are XML; `libraries.missing` has looked for it

    try:
        # Blanks around a value belong to the value. xmltodict itself refuses entities.
        return xmltodict.parse(body, xml_attribs=False, strip_whitespace=False)
    except Exception as error:  # expat's own errors, ValueError for entities, RecursionError
        raise bad(f"broken XML ({type(error).__name__})") from None


def _fields(fields: dict[str, t.Any], parent: str, depth: int) -> dict[str, t.Any]:
    """Return the fields of one object as Python types. The object stands under the name ``parent``.

    ``depth`` is how many levels may be below it.
    """
    typed: Record = {}
    flaws: dict[str, str] = {}
    inner: dict[str, str] = {}
    # Most fields are known texts.
    texts: frozenset[str] = frozenset() if parent.startswith("list") or parent in _WITH_TEXT_LISTS else TEXT
    for name, value in fields.items():
        if name in texts and isinstance(value, str):
            typed[name] = _whole(value)
            continue
        if name == "#text":  # the blanks between the elements of indented XML
            continue
        name = _whole(name)
        if not name.isprintable():
            raise _Garbled
        if value is _NULL:
            # The service leaves out what has no value. So a null is a missing member if the member must be there.
            if parent in REQUIRED and any(name in one.split("|") for one in REQUIRED[parent]):
                continue
            value = None
        is_list = _is_list(name, parent)
        if is_list:
            value = _items(value)
        is_texts = name in TEXT_LISTS or (parent, name) in TEXT_LISTS_IN
        if is_texts and isinstance(value, str):
            value = [value]
        if value == [] or (value in (None, "") and name in _NUMBERS_AND_TRUTHS):
            continue
        value = _value(name, value, depth)
        if isinstance(value, list) and is_list and (name in READ_LISTS or depth == _DEEPEST):
            value = [item if isinstance(item, dict) else _no_record(name, item) for item in value]
        typed[name] = value
        if is_list or not isinstance(value, str) or name in _NUMBERS_AND_TRUTHS:
            wrong = _wrong(name, value, parent, is_list, is_texts)
            if wrong:
                flaws[name] = wrong
            else:
                inner.update(_inner(name, value))
    if parent in REQUIRED:
        flaws.update(_missing(typed, parent, flaws))
    return Flawed(typed, flaws, inner, parent) if flaws or inner else typed


def _no_record(name: str, value: t.Any) -> Record:
    return Flawed({}, {"": f"is {_sort(value)}, not an object"}, {}, name, is_whole=True)


def _wrong(name: str, value: t.Any, parent: str, is_list: bool, is_texts: bool) -> str:
    """Return what is wrong with a value of one of the fields that the collection reads. Nothing if it can be used."""
    if is_list:
        expected, is_right = "a list of objects", isinstance(value, list) or name not in READ_LISTS
    elif is_texts:
        expected, is_right = "a list of texts", isinstance(value, list) and all(isinstance(item, str) for item in value)
    elif name in READ_NUMBERS or (name == "endpoint" and parent in RULES):
        expected, is_right = "a number", isinstance(value, int) and not isinstance(value, bool)
    elif name in TRUTHS:
        expected, is_right = "true or false", isinstance(value, bool)
    else:
        is_free = name not in TEXT
        is_free = is_free or (name not in OWN_TEXTS and (parent == "jobresult" or parent.endswith("response")))
        expected, is_right = "a text", is_free or not isinstance(value, (dict, list))
    return "" if is_right else f"is {_sort(value)}, not {expected}"


def _sort(value: t.Any) -> str:
    """Return what a value is, in the words of JSON."""
    if isinstance(value, dict):
        return "an object"
    return "a list" if isinstance(value, list) else repr(str(value)[:50])


def _missing(record: Record, kind: str, flaws: dict[str, str]) -> dict[str, str]:
    """Return the members that a record of this kind must have and has not, with what is wrong."""
    names = REQUIRED[kind]
    if kind in RULES:
        names += OF_PROTOCOL.get(str(record.get("protocol")).lower(), ())
    found = {}
    for name in names:
        either = name.split("|")
        if not any(one in flaws or (one in record and (one in MAY_BE_EMPTY or record[one] != "")) for one in either):
            found[either[0]] = "is missing" if not any(one in record for one in either) else "is empty"
    return found


def _inner(name: str, value: t.Any) -> dict[str, str]:
    """Return what is wrong with the records in a member, by their paths."""
    if isinstance(value, Flawed):
        return {f"{name}.{path}" if path else name: wrong for path, wrong in {**value.flaws, **value.inner}.items()}
    if not isinstance(value, list):
        return {}
    found = {}
    for number, item in enumerate(value):
        found.update(_inner(f"{name}[{number}]", item))
    return found


def _check_root(fields: Record, root: str, bad: t.Callable[[str], BadAnswer]) -> None:
    """Raise ``BadAnswer`` if what an answer says of itself can't be used: its count, its job, its list."""
    if isinstance(fields, Flawed):
        for name in fields.flaws:
            if name in OWN_TEXTS or name in OWN_NUMBERS or (name == "count" and root.startswith("list")):
                raise bad(f"its {name} {fields.flaws[name]}")
        fields.flaws.clear()  # nobody reads other fields of an answer that are no records
    if not root.startswith("list") or "errorcode" in fields:
        return
    for name, value in fields.items():
        if name == "count":
            continue
        kind, expected = (dict, "an object") if name in SINGLE else (list, "a list of objects")
        if not isinstance(value, kind) and (value != "" or kind is list):
            raise bad(f"its {name} is {_sort(value)}, not {expected}")


def _note(value: t.Any, command: str) -> None:
    """Tell the bad records in an answer which command has listed them."""
    if isinstance(value, Flawed):
        value.command = command
        for inner in dict.values(value):
            _note(inner, command)
    elif isinstance(value, list):
        for inner in value:
            _note(inner, command)


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
