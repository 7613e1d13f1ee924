# Copyright: (c) 2026, the cloudn.compute authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Turns an answer of the EC2-compatible API into plain Python values, or into the error that it stands for."""

from __future__ import annotations

import datetime
import html
import re
import typing as t

from .decode import Record, from_xml
from .errors import BadAnswer, Ec2Error, NotSent

# XML carries text only, so types come from the names. Source: Amazon's description of version 2010-11-15, and answers
# recorded from the EC2 bridge of CloudStack 3.0.5.
# Lists are elements that hold `item`s. An empty one holds nothing, so it is known by its name: all that end in `Set`, and
LISTS = frozenset(
    [
        "blockDeviceMapping",
        "productCodes",
        "availabilityZoneInfo",
        "regionInfo",
        "securityGroupInfo",
        "ipPermissions",
        "ipPermissionsEgress",
        "groups",
        "ipRanges",
        "launchPermission",
        "createVolumePermission",
    ]
)
NUMBERS = frozenset(
    [
        "code",
        "size",
        "volumeSize",
        "amiLaunchIndex",
        "fromPort",
        "toPort",
        "iops",
        "throughput",
        "deviceIndex",
        "networkCardIndex",
        "coreCount",
        "threadsPerCore",
        "availableIpAddressCount",
    ]
)
# Free text that a user may set to `true` or `false`, or leave empty: neither a truth value nor missing.
TEXT = frozenset(
    [
        "item",
        "name",
        "description",
        "key",
        "value",
        "groupId",  # a security group's name
        "groupName",
        "groupDescription",
        "keyName",
        "instanceType",
        "availabilityZone",
        "clientToken",
        "message",
    ]
)
# Amazon's words for credentials, and for too many requests, which were not looked at.
_CREDENTIALS = ("AuthFailure", "SignatureDoesNotMatch", "InvalidClientTokenId", "RequestExpired")
_TOO_MANY = ("RequestLimitExceeded", "Throttling")
# With these statuses CloudStack's bridge answers by a page: it has only a part of the action; a parameter is missing;
# version, method or expiry is wrong.
_NOT_THERE, _MISSING, _UNSUPPORTED = 501, 530, 531
_NOT_FOUND = 404
_GATEWAY = (502, 503, 504)
_LONGEST_TEXT = 500

_INTEGER = re.compile(r"-?\d{1,18}\Z")
_MOMENT = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{3})?(Z|[+-]\d\d:\d\d)\Z")
_PAGE = re.compile(r"\s*<(!doctype|html)", re.IGNORECASE)
# A page of the web server says it beside the word `message` or, in older versions, in its heading too.
_SAID = (
    re.compile(r"<b>\s*message\s*</b>(.*?)</p>", re.IGNORECASE | re.DOTALL),
    re.compile(r"<h1>HTTP Status \d+\W+(.*?)</h1>", re.IGNORECASE | re.DOTALL),
)
_ERROR = re.compile(r"(?:<\?xml[^>]*\?>\s*)?<(?:Error)?Response\b.*?<Error>(.*)</Error>(.*)", re.DOTALL)


def decode(body: bytes, action: str, status: int, hint: t.Callable[[str], str]) -> Record:
    """Return the fields of an answer, or raise the error that it stands for.

    Fields have the names of the answer, with or without a namespace. A list of ``item`` elements is a list, whatever its
    length; an item without any value stands for none, as the bridge writes it for what has no tags. Numbers are ``int``,
    truth values ``bool``, moments aware ``datetime``, all other values ``str``; a missing one is ``None``.

    ``hint(advice)`` returns what to add to a refusal of credentials. Raises ``Ec2Error`` where the service refuses,
    ``NotSent`` where it has too many requests, ``BadAnswer`` when the body is not an answer of this API.
    """

    def bad(why: str) -> BadAnswer:
        return BadAnswer(f"{action}: the answer can't be read: {why} (HTTP {status})", action, status)

    text = body.decode("utf-8", "replace").strip()
    if status in _GATEWAY and not _ERROR.match(text):
        raise bad("a gateway or proxy in front of the service speaks")
    if status != 200 or _ERROR.match(text):
        raise _refusal(text, action, status, bad, hint)
    if not text:
        raise bad("it is empty")
    if _PAGE.match(text):
        raise bad("it is an HTML page (a proxy in front of the service, or a wrong ec2_url)")
    tree = from_xml(body, bad) if text.startswith("<") else {}
    if len(tree) != 1:
        raise bad("it is no XML")
    root, content = next(iter(tree.items()))
    if not _name(root).endswith("Response") or not isinstance(content, dict):
        raise bad(f"the root {root!r} is not one of this API")
    return _fields(content)


def _refusal(
    text: str, action: str, status: int, bad: t.Callable[[str], BadAnswer], hint: t.Callable[[str], str]
) -> Ec2Error | BadAnswer | NotSent:
    """Return the error of an answer that is none of success: in XML, a page of the web server, plain text, or nothing.

    Source: these four were measured on the EC2 bridge of CloudStack 3.0.5; XML is Amazon's own too.
    """
    code = request_id = None
    found = _ERROR.match(text)
    if found:
        # Read by hand: the bridge does not always escape what a message holds.
        code, said = _element("Code", found[1]), _element("Message", found[1])
        request_id = _element("RequestI[Dd]", found[2])
    elif _PAGE.match(text) and status in (_NOT_THERE, _MISSING, _UNSUPPORTED):
        places = [place for place in (said.search(text) for said in _SAID) if place]
        said = html.unescape(re.sub(r"<[^>]*>", "", places[0][1])) if places else ""
    elif text.startswith("<") or (text and status == _NOT_FOUND):
        if status >= 500:
            return bad("it is a page, or XML of something else")
        wrong = f"{action}: HTTP {status}, and the answer is not one of this API; is ec2_url right?"
        return Ec2Error(wrong, action, status)
    elif text or status < 500:
        said = text
    else:
        return bad("it is empty")
    said = " ".join((said or "").split())[:_LONGEST_TEXT]
    if code in _TOO_MANY:
        return NotSent(f"{action}: the service takes no more requests for now ({code})", action, status)
    advice = ""
    if status in (401, 403) or code in _CREDENTIALS:
        advice = hint("check api_key and api_secret")
    elif status == _UNSUPPORTED:
        advice = hint("check ec2_version, and this machine's clock")
    elif status == _NOT_FOUND and not said:
        advice = "; the service does not know the api_key, or ec2_url is not the address of its EC2-compatible API"
    where = f"error {code}" if code else f"HTTP {status}"
    return Ec2Error(f"{action}: {said or 'no reason given'} ({where}){advice}", action, status, code, said, request_id)


def _element(name: str, text: str) -> str | None:
    """Return the text between an element's tags, whatever stands there; ``None`` where the element is not there."""
    found = re.search(rf"<({name})>(.*)</\1>", text, re.DOTALL)
    return html.unescape(found[2]) if found else None


def _name(name: str) -> str:
    """Return the name of an element without the prefix of a namespace."""
    return name.rpartition(":")[2]


def _fields(fields: Record) -> Record:
    """Give the fields of one object their Python types."""
    # `#text` are the blanks between the elements of indented XML.
    return {_name(name): _value(_name(name), value) for name, value in fields.items() if name != "#text"}


def _value(name: str, value: t.Any) -> t.Any:
    if isinstance(value, dict):
        inner = {_name(key): one for key, one in value.items() if key != "#text"}
        if inner.keys() == {"item"}:
            items = inner["item"] if isinstance(inner["item"], list) else [inner["item"]]
            return [item for item in (_value("item", one) for one in items) if not _is_void(item)]
        if inner or not _is_list(name):
            return _fields(value)
        return []
    if isinstance(value, list):  # an element that is there several times, outside of any list
        return [_value(name, one) for one in value]
    text = value or ""
    if _is_list(name) and not text.strip():
        return []
    if name in TEXT:
        return text
    return _typed(name, text.strip())


def _typed(name: str, text: str) -> t.Any:
    if not text:
        return None
    if name in NUMBERS and _INTEGER.match(text):
        return int(text)
    if text in ("true", "false"):
        return text == "true"
    if name.endswith(("Time", "Date")) and _MOMENT.match(text):
        try:
            return datetime.datetime.fromisoformat(text.replace("Z", "+00:00"))
        except ValueError:  # the 31st of some month
            return text
    return text


def _is_list(name: str) -> bool:
    return name.endswith("Set") or name in LISTS


def _is_void(item: t.Any) -> bool:
    """Tell whether an item of a list has no value anywhere."""
    if isinstance(item, dict):
        return all(_is_void(value) for value in item.values())
    return item is None or item == "" or item == []
