# Copyright: (c) 2026, the cloudn.compute authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Turns an answer's bytes, JSON or XML, into the same plain Python values."""

from __future__ import annotations

import importlib.util
import json
import re
import typing as t

from .errors import BadAnswer, TooLarge

# Only answers in XML need it, so it is imported with the first of them; that it is missing is told before anything is sent.
XMLTODICT_ERROR = None if importlib.util.find_spec("xmltodict") else "No module named 'xmltodict'"

# An object as the API has it: fields by their names there.
Record = t.Dict[str, t.Any]

# XML answers carry text only, so types come from the field's name. A JSON answer is read by the same table: what
# one format writes as a number and the other as text arrives as one value. A field that stands in neither
# set is text, except for the words `true` and `false`.
# Source: fields of CloudStack 3.0.5's answers, as declared there and as seen in recorded answers.
NUMBERS = frozenset(
    [
        "count",
        "errorcode",
        "cserrorcode",
        "jobstatus",
        "jobprocstatus",
        "jobresultcode",
        "cpunumber",
        "cpuspeed",
        "memory",
        "rootdeviceid",
        "deviceid",
        "size",
        "disksize",
        "networkrate",
        "bits",
        "startport",
        "endport",
        "endpoint",
        "icmptype",
        "icmpcode",
        "icmpctype",
        "customdiskofferingmaxsize",
        "disksizetotal",
        "disksizeallocated",
        "disksizeused",
        "uploadpercentage",
        "networkkbsread",
        "networkkbswrite",
        "receivedbytes",
        "sentbytes",
        "accounttype",
        "vmlimit",
        "vmtotal",
        "vmavailable",
        "vmstopped",
        "vmrunning",
        "iplimit",
        "iptotal",
        "ipavailable",
        "volumelimit",
        "volumetotal",
        "volumeavailable",
        "snapshotlimit",
        "snapshottotal",
        "snapshotavailable",
        "templatelimit",
        "templatetotal",
        "templateavailable",
        "projectlimit",
        "projecttotal",
        "projectavailable",
        "networklimit",
        "networktotal",
        "networkavailable",
        "vpclimit",
        "vpctotal",
        "vpcavailable",
        "max",
        "intervaltype",
        "maxsnaps",
        "capacityused",
        "capacitytotal",
    ]
)
# Free text that a user may set to `true` or `false`: never a boolean.
TEXT = frozenset(
    [
        "id",
        "name",
        "displayname",
        "displaytext",
        "description",
        "key",
        "value",
        "group",
        "account",
        "domain",
        "project",
        "vmname",
        "vmdisplayname",
        "volumename",
        "zonename",
        "templatename",
        "templatedisplaytext",
        "serviceofferingname",
        "serviceofferingdisplaytext",
        "diskofferingname",
        "diskofferingdisplaytext",
        "ostypename",
        "securitygroupname",
        "keypair",
        "customer",
        "errortext",
        "password",
        "username",
        "tag",
        "templatetag",
        "hosttags",
        "hostname",
        "instancename",
        "privatekey",
        "publickey",
        "fingerprint",
        "url",
        "cidr",
        "protocol",
        "isoname",
        "isodisplaytext",
        "networkname",
        "networkdomain",
    ]
)
# Fields that hold a list of objects, whatever their number, and those that do so only in what is named first:
# `securitygroup` elsewhere (the answer that made it, a job's result) is a single object, and so is `template`.
LISTS = frozenset(
    [
        "nic",
        "ingressrule",
        "egressrule",
        "ingress",
        "egress",
        "tags",
        "capacity",
        "user",
        "uuidList",
        "service",
        "provider",
        "servicelist",
        "stickinesspolicy",
    ]
)
NESTED = frozenset(
    [
        ("virtualmachine", "securitygroup"),
        ("registertemplateresponse", "template"),
        ("uploadtemplateresponse", "template"),
        ("counterresponse", "counter"),
        ("service", "capability"),
        ("vpc", "network"),
    ]
)
# Roots that begin with `list` hold lists, except for these.
SINGLE = frozenset(["count", "capability", "templatepermission"])

# An answer holds at most so many values: a full page of 500 objects has 2,000 for each, of which a machine has about 60. Read
# into Python, a value takes up to 300 bytes, however short it is in the answer.
MOST_VALUES = 1_000_000
_BEGINNINGS = (b",", b"[", b"{", b"<", b"=")  # what stands before each but the first
# Answers nest to about 10: a job's listing, its result, a machine, its networks.
_DEEPEST = 50

_INTEGER = re.compile(r"-?\d{1,18}\Z")
_HALF = re.compile("[\ud800-\udfff]")
_HTML = re.compile(rb"\s*<(!doctype|html)", re.IGNORECASE)


def decode(body: bytes, command: str, status: int | None = None) -> tuple[str, dict[str, t.Any]]:
    """Return ``(root, content)`` of an answer: the name of its one root and the fields in it.

    JSON and XML give identical values. The format is taken from the body itself, since a proxy or a server's error
    page does not always answer in the format that was asked for. Empty lists are left out, as XML has no way to
    write them. Numbers are ``int``, truth values ``bool``, everything else ``str``, ``list`` or ``dict``.

    Raises ``BadAnswer`` when the body is not an answer of this API.
    """

    def bad(why: str) -> BadAnswer:
        return BadAnswer(f"{command}: the answer can't be read: {why}", command=command, status=status)

    if max(map(body.count, _BEGINNINGS)) > MOST_VALUES:
        raise TooLarge(f"{command}: the answer holds too many values, and is not read", command, status)
    start = body.lstrip()[:1]
    if not start:
        raise bad("it is empty")
    if _HTML.match(body):
        raise bad("it is an HTML page (a proxy in front of the service, or a wrong api_url)")
    if start == b"{":
        tree = _from_json(body, bad)
    elif start == b"<":
        tree = from_xml(body, bad)
    else:
        raise bad("it is neither JSON nor XML")
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


def _from_json(body: bytes, bad: t.Callable[[str], BadAnswer]) -> dict[str, t.Any]:
    try:
        # Not strict: the service writes control characters in names unescaped. Numbers stay as they are written: `_value`
        # reads those that are known as such, and no others, for which Python may need as long as somebody likes.
        tree: dict[str, t.Any] = json.loads(
            body.decode("utf-8"), strict=False, parse_int=str, parse_float=str, parse_constant=str
        )
    except (ValueError, RecursionError) as error:
        raise bad(f"broken JSON ({type(error).__name__})") from None
    return tree


def from_xml(body: bytes, bad: t.Callable[[str], BadAnswer]) -> dict[str, t.Any]:
    """Return an answer's elements by their names, texts as they are; raise what ``bad(why)`` returns if it is no XML."""
    import xmltodict

    try:
        # Blanks around a value belong to it. Entities are refused by xmltodict itself.
        return xmltodict.parse(body, xml_attribs=False, strip_whitespace=False)
    except Exception as error:  # expat's own errors, ValueError for entities, RecursionError
        raise bad(f"broken XML ({type(error).__name__})") from None


def _fields(fields: dict[str, t.Any], parent: str, depth: int) -> dict[str, t.Any]:
    """Give the fields of one object, found under the name ``parent``, their Python types. ``depth`` is how deep it may nest."""
    typed = {}
    for name, value in fields.items():
        if name == "#text":  # the blanks between the elements of indented XML
            continue
        name = _whole(name)
        listed = _is_list(name, parent)
        if isinstance(value, dict) and listed:
            value = [value]
        if isinstance(value, list):
            if listed:
                value = [{} if item is None else item for item in value]  # an element without content
            if value:
                typed[name] = _value(name, value, depth)
        elif value is not None or not listed:
            typed[name] = _value(name, value, depth)
    return typed


def _is_list(name: str, parent: str) -> bool:
    if parent.startswith("list"):
        return name not in SINGLE
    return name in LISTS or (parent, name) in NESTED


def _value(name: str, value: t.Any, depth: int) -> t.Any:
    if isinstance(value, (dict, list)):
        if not depth:
            raise RecursionError
        if isinstance(value, list):
            return [_value(name, item, depth - 1) for item in value]
        return _fields(value, name, depth - 1)
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
    """Return a text without halves of characters, which JSON can write (as ``\\ud83d``) and nothing else can."""
    return text if text.isascii() else _HALF.sub("\ufffd", text)
