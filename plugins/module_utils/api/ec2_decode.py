# Copyright: (c) 2026, the cloudn.compute authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Turns an answer of the EC2-compatible API into plain Python values, or raises its error."""

from __future__ import annotations

import datetime
import html
import re
import typing as t

from .decode import Record, from_xml
from .errors import BadAnswer, Ec2Error, NotSent

# XML holds text only, so the name of an element tells its type. Source: Amazon's description of version 2010-11-15, and
# answers recorded from the EC2 bridge of CloudStack 3.0.5.
# A list is an element that holds `item`s. An empty list holds nothing, so its name must tell: all names that end in `Set`,
# and these.
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
# Free text. A user may set it to `true` or `false`, or leave it empty, so it is never a truth value and never missing.
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
# Amazon's codes for wrong credentials, and for too many requests, which were not executed.
_CREDENTIALS = ("AuthFailure", "SignatureDoesNotMatch", "InvalidClientTokenId", "RequestExpired")
_TOO_MANY = ("RequestLimitExceeded", "Throttling")
# CloudStack's bridge answers with a page of its web server where it has only a part of the action (501), where a parameter
# is missing (530), and where the version, the method or the expiry is wrong (531).
_UNSUPPORTED = 531
_PAGE_STATUSES = (501, 530, _UNSUPPORTED)
# It answers with these texts to a wrong signature, and to its own failures. It answers to an unknown key without a body.
_FORBIDDEN, _DENIED, _FAILED = 403, "Access denied", 500
_NOT_FOUND = 404
_GATEWAY = (502, 503, 504)
_LONGEST_TEXT = 500
_MARKUP = ("<", "{", "[")  # XML, a page or JSON: no plain text

_INTEGER = re.compile(r"-?\d{1,18}\Z")
_DATE = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{3})?(Z|[+-]\d\d:\d\d)\Z")
_PAGE = re.compile(r"\s*<(!doctype|html)", re.IGNORECASE)
# A page of the web server has the reason beside the word `message`. Older versions have it in the heading, too.
_PAGE_REASONS = (
    re.compile(r"<b>\s*message\s*</b>(.*?)</p>", re.IGNORECASE | re.DOTALL),
    re.compile(r"<h1>HTTP Status \d+\W+(.*?)</h1>", re.IGNORECASE | re.DOTALL),
)
_ERROR = re.compile(r"(?:<\?xml[^>]*\?>\s*)?<(?:Error)?Response\b.*?<Error>(.*)</Error>(.*)", re.DOTALL)


def decode(body: bytes, action: str, status: int, hint: t.Callable[[str], str]) -> Record:
    """Return the fields of an answer, or raise its error.

    Fields have the names of the answer, without a namespace. An element with ``item`` elements is a list of any length. An
    item without any value is left out: the bridge writes one for an object without tags. Numbers are ``int``, truth values
    ``bool``, dates aware ``datetime``, all other values ``str``. A missing value is ``None``.

    ``hint(advice)`` returns the text to add to a refusal of credentials. Raises ``Ec2Error`` where the service refuses,
    ``NotSent`` where it has too many requests, ``BadAnswer`` where the body is not an answer of this API.
    """

    def bad(why: str) -> BadAnswer:
        return BadAnswer(f"{action}: the answer can't be read: {why} (HTTP {status})", action, status)

    text = body.decode("utf-8", "replace").strip()
    if status != 200 or _ERROR.match(text):
        raise _error(text, action, status, bad, hint)
    if not text:
        raise bad("it is empty")
    if _PAGE.match(text):
        raise bad("it is an HTML page (a proxy in front of the service, or a wrong ec2_url)")
    tree = from_xml(body, bad) if text.startswith("<") else {}
    if len(tree) != 1:
        raise bad("it is no XML")
    root, content = next(iter(tree.items()))
    # Source: recorded from the EC2 bridge of CloudStack 3.0.5, and Amazon's description. Names of actions are in any case.
    if _name(root).lower() != f"{action}response".lower() or not isinstance(content, dict):
        raise bad(f"the root {root[:50]!r} belongs to another action, or to another service")
    return _fields(content)


class _Refusal(t.NamedTuple):
    """The service's reason for a refusal, with its code and the request's id where the answer has them."""

    reason: str
    code: str | None = None
    request_id: str | None = None


def _error(
    text: str, action: str, status: int, bad: t.Callable[[str], BadAnswer], hint: t.Callable[[str], str]
) -> Ec2Error | BadAnswer | NotSent:
    """Return the error of an answer that is no success. The first reader that knows its form returns the reason."""
    refusals = (read(text, status) for read in _FORMS)
    refusal = next((found for found in refusals if found), None)
    if refusal is None and status < 500:
        wrong = f"{action}: HTTP {status}, and the answer is not one of this API; is ec2_url right? CloudStack 4 has no such API"
        return BadAnswer(wrong, action, status)
    if refusal is None:
        return bad(_why_unreadable(text, status))
    code, reason = refusal.code, " ".join(refusal.reason.split())[:_LONGEST_TEXT]
    if code in _TOO_MANY:
        return NotSent(f"{action}: the service takes no more requests for now ({code})", action, status)
    where = f"error {code}" if code else f"HTTP {status}"
    message = f"{action}: {reason or 'no reason given'} ({where}){_advice(code, status, reason, hint)}"
    return Ec2Error(message, action, status, code, reason, refusal.request_id)


def _why_unreadable(text: str, status: int) -> str:
    if status in _GATEWAY:
        return "it comes from a gateway or proxy in front of the service"
    return "it is a page, or XML or JSON of something else" if text else "it is empty"


def _advice(code: str | None, status: int, reason: str, hint: t.Callable[[str], str]) -> str:
    """Return the text to add to a refusal for wrong credentials, a wrong version or a wrong address."""
    if status in (401, _FORBIDDEN) or code in _CREDENTIALS:
        return hint("check api_key and api_secret")
    if status == _UNSUPPORTED:
        return hint("check ec2_version, and this machine's clock")
    if status == _NOT_FOUND and not reason:
        return "; the service does not know the api_key, or ec2_url is not the address of its EC2-compatible API"
    return ""


def _from_error(text: str, _status: int) -> _Refusal | None:
    """Read an error in XML. Not by an XML parser: the bridge does not always escape the message."""
    found = _ERROR.match(text)
    if not found:
        return None
    code, reason = _element("Code", found[1]), _element("Message", found[1])
    return _Refusal(reason or "", code, _element("RequestI[Dd]", found[2]))


def _from_page(text: str, status: int) -> _Refusal | None:
    """Read a page of the bridge's web server."""
    if not (_PAGE.match(text) and status in _PAGE_STATUSES):
        return None
    places = [place for place in (reason.search(text) for reason in _PAGE_REASONS) if place]
    # A page without a reason is from another server.
    return _Refusal(html.unescape(re.sub(r"<[^>]*>", "", places[0][1]))) if places else None


def _from_text(text: str, status: int) -> _Refusal | None:
    """Read an error in plain text. Any other text is from a server in front of the bridge."""
    is_own = (status == _FORBIDDEN and text == _DENIED) or (status == _FAILED and not text.startswith(_MARKUP))
    return _Refusal(text) if text and is_own else None


def _from_nothing(text: str, status: int) -> _Refusal | None:
    """Read an answer without a body, which the bridge gives to an unknown key."""
    return _Refusal("") if not text and status == _NOT_FOUND else None


# The four forms of a refusal. Source: measured on the EC2 bridge of CloudStack 3.0.5. The first is Amazon's own, too.
_FORMS = (_from_error, _from_page, _from_text, _from_nothing)


def _element(name: str, text: str) -> str | None:
    """Return the text between the tags of an element, ``None`` where the element is missing."""
    found = re.search(rf"<({name})>(.*)</\1>", text, re.DOTALL)
    return html.unescape(found[2]) if found else None


def _name(name: str) -> str:
    """Return the name of an element without the prefix of a namespace."""
    return name.rpartition(":")[2]


def _fields(fields: Record) -> Record:
    """Return the fields of one object as Python types."""
    # `#text` are the blanks between the elements of indented XML.
    return {_name(name): _value(_name(name), value) for name, value in fields.items() if name != "#text"}


def _value(name: str, value: t.Any) -> t.Any:
    if isinstance(value, dict):
        return _content(name, value)
    if isinstance(value, list):  # several elements of one name, outside of any list
        return [_value(name, one) for one in value]
    text = value or ""
    if _is_list(name) and not text.strip():
        return []
    return text if name in TEXT else _typed(name, text.strip())


def _content(name: str, fields: Record) -> t.Any:
    """Return the value of an element that holds others: a list or an object."""
    inner = {_name(key): one for key, one in fields.items() if key != "#text"}
    if inner.keys() == {"item"}:
        items = inner["item"] if isinstance(inner["item"], list) else [inner["item"]]
        return [item for item in (_value("item", one) for one in items) if not _is_void(item)]
    return _fields(fields) if inner or not _is_list(name) else []


def _typed(name: str, text: str) -> t.Any:
    if not text:
        return None
    if name in NUMBERS and _INTEGER.match(text):
        return int(text)
    if text in ("true", "false"):
        return text == "true"
    if name.endswith(("Time", "Date")) and _DATE.match(text):
        try:
            return datetime.datetime.fromisoformat(text.replace("Z", "+00:00"))
        except ValueError:  # a date that does not exist
            return text
    return text


def _is_list(name: str) -> bool:
    return name.endswith("Set") or name in LISTS


def _is_void(item: t.Any) -> bool:
    """Tell whether an item of a list has no value anywhere."""
    if isinstance(item, dict):
        return all(_is_void(value) for value in item.values())
    return item is None or item == "" or item == []
