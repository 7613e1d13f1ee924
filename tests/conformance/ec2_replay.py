# Copyright: (c) 2026, the cloudn.compute authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Asks the EC2 half of a server what a real bridge of CloudStack 3.0.5 was asked, and tells where it answers differently.

A recorded answer has the action, the parameters without the credentials, status, content type and body. What counts:
status, content type, the tree of elements, the kinds of values, and the values of enumerations such as states.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import html
import re
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import quote, urlsplit
from xml.etree import ElementTree

import requests

Step = dict[str, Any]
Answer = dict[str, Any]
Shape = tuple[Any, ...]

ID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}")
NOBODY = "00000000-0000-4000-8000-000000000000"
KINDS = (
    ("id", ID),
    ("date", re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}\+00:00")),
    ("owner", re.compile(r"\d+:\w+")),
    ("address", re.compile(r"\d{1,3}(\.\d{1,3}){3}")),
    ("number", re.compile(r"\d+")),
)
# Elements whose very values count; a state's name by what it is in, since images and tags have names too.
MEANT = {"Code", "code", "deleteOnTermination", "device", "hypervisor", "imageState", "imageType", "isPublic"}
MEANT |= {"progress", "return", "status"}
STATES = {"instanceState", "currentState", "previousState"}


# --- asking


@dataclass(frozen=True)
class Way:
    """How a request is sent where that is not the usual way; `first` is the parameter that comes first."""

    path: str = "/awsapi"
    first: str | None = None
    key: str | None = None
    secret: str | None = None
    signature: str | None = None
    without: str | None = None
    signed_as: str | None = None
    port: int | None = None
    in_address: bool = False


@dataclass
class Bridge:
    """A server to ask, with credentials."""

    url: str
    key: str
    secret: str
    session: requests.Session = field(default_factory=requests.Session)

    def ask(self, method: str, params: dict[str, Any], way: Way | None = None) -> Answer:
        """One request, signed with version 2."""
        way = way or Way()
        address = urlsplit(self.url)
        host = f"{address.hostname}:{way.port or address.port}"
        given = {"AWSAccessKeyId": way.key or self.key} | {name: str(value) for name, value in params.items()}
        given.pop(way.without or "", None)
        text = _query(given, sorted(given))
        signed = "\n".join([way.signed_as or method, host, way.path, text])
        digest = hashlib.sha1 if given["SignatureMethod"] == "HmacSHA1" else hashlib.sha256
        mac = hmac.new((way.secret or self.secret).encode(), signed.encode(), digest).digest()
        if way.first:
            text = _query(given, sorted(given, key=lambda name: (name != way.first, name)))
        if way.without != "Signature":
            text += f"&Signature={quote(way.signature or base64.b64encode(mac).decode(), safe='')}"
        return self._send(method, f"{address.scheme}://{address.netloc}{way.path}", host, text, way.in_address)

    def _send(self, method: str, url: str, host: str, text: str, in_address: bool) -> Answer:
        headers, data = {"Host": host}, None
        if method == "GET" or in_address:
            url += f"?{text}"
        else:
            data = text
            headers["Content-Type"] = "application/x-www-form-urlencoded"
        answer = self.session.request(method, url, data=data, headers=headers, timeout=60)
        kind = answer.headers.get("Content-Type")
        return {"status": answer.status_code, "content_type": kind, "body": answer.content.decode()}

    def do(self, action: str, **params: str) -> Answer:
        """An action that must go well; `__` in a name stands for a dot."""
        usual = {"Version": "2010-11-15", "SignatureVersion": "2", "SignatureMethod": "HmacSHA256", "Timestamp": "now"}
        answer = self.ask("GET", {"Action": action, **usual, **{k.replace("__", "."): v for k, v in params.items()}})
        assert answer["status"] == 200, answer
        return answer


def _query(params: dict[str, str], names: list[str]) -> str:
    return "&".join(f"{quote(name, safe='-_.~')}={quote(params[name], safe='-_.~')}" for name in names)


# --- comparing


def differences(want: Answer, got: Answer) -> Iterator[str]:
    """Where two answers differ."""
    for name in ("status", "content_type"):
        if want[name] != got[name]:
            yield f"{name} {got[name]}, want {want[name]}"
    if "html_error_page_with_message" in want:
        message = want["html_error_page_with_message"]
        if f">{message}<" not in html.unescape(got["body"]):
            yield f"no page that says {message!r}: {got['body']}"
    elif not want["body"].startswith("<"):
        if want["body"] != got["body"]:
            yield f"text {got['body']!r}, want {want['body']!r}"
    else:
        yield from _xml_differences(want, got["body"])


def _xml_differences(want: Answer, body: str) -> Iterator[str]:
    if want["body"].startswith("<?xml") != body.startswith("<?xml"):
        yield f"one has an XML declaration, the other has none: {body[:60]}"
    try:
        root = ElementTree.fromstring(body)
    except ElementTree.ParseError as error:
        yield f"no XML ({error}): {body[:60]}"
        return
    once = "cut_to_items" in want  # what was cut from a list is not told
    expected, found = (_shape(element, "", once) for element in (ElementTree.fromstring(want["body"]), root))
    if expected != found:
        yield from _paths(expected, found, expected[0])


def _shape(element: ElementTree.Element, parent: str, once: bool) -> Shape:
    """An element's name and the kind of its value, or the shapes of those in it; items in no order, or each once."""
    if not len(element):
        return (element.tag, _kind(element.tag, parent, element.text or ""))
    inner = [_shape(child, element.tag, once) for child in element]
    if {child.tag for child in element} == {"item"}:
        inner = sorted(set(inner) if once else inner)
    return (element.tag, *inner)


def _kind(name: str, parent: str, text: str) -> str:
    if not text or name in MEANT or (name == "name" and parent in STATES):
        return repr(text)
    return next((kind for kind, pattern in KINDS if pattern.fullmatch(text)), "text")


def _paths(want: Any, got: Any, path: str) -> Iterator[str]:
    """Where two shapes differ, as deep as the names are the same."""
    leaves = isinstance(want[1], str) or isinstance(got[1], str)
    if leaves or [one[0] for one in want[1:]] != [one[0] for one in got[1:]]:
        yield f"{path}: {got}, want {want}"
        return
    for one, other in zip(want[1:], got[1:], strict=True):
        if one != other:
            yield from _paths(one, other, f"{path}.{one[0]}")


# --- playing

# Requests that were sent otherwise than usual, by the recorded label.
WAYS = {
    "auth: bad signature": Way(signature="AAAA"),
    "auth: wrong secret": Way(secret="wrong"),
    "auth: missing AWSAccessKeyId": Way(without="AWSAccessKeyId"),
    "auth: missing Signature": Way(without="Signature"),
    "auth: unknown key": Way(key="no-such-key", path="/awsapi/rest/AmazonEC2"),
    "main servlet unknown key": Way(key="no-such-key"),
    "POST, signed as GET": Way(signed_as="GET"),
    "path with trailing slash": Way(path="/awsapi/"),
    "Host header mismatch port": Way(port=1),
    "GET unsorted query string (Timestamp first)": Way(first="Timestamp"),
    "POST form body, Timestamp first": Way(first="Timestamp"),
    "POST form body, Action first": Way(first="Action"),
    "POST with the parameters in the URL query string": Way(in_address=True),
}
# When a signature expires, in hours from now.
EXPIRES = {
    "auth: Expires in the past": -1,
    "auth: Expires in the future": 1,
    "auth: both Timestamp and Expires": 1,
}
MAKING = ("RunInstances", "CreateSnapshot", "CreateImage")


def play(steps: list[Step], bridge: Bridge, prepare: Callable[[Step, dict[str, str]], None]) -> list[list[str]]:
    """Play the recorded steps in order; gives for each where its answer differed.

    `prepare` makes, before a step, what is there that no recorded step made, and takes down the ids of it: which id
    stands here for a recorded one.
    """
    ids = {NOBODY: NOBODY}
    return [_played(step, bridge, ids, prepare) for step in steps]


def _played(
    step: Step, bridge: Bridge, ids: dict[str, str], prepare: Callable[[Step, dict[str, str]], None]
) -> list[str]:
    label = step["label"].partition(" (Tomcat")[0]
    prepare(step, ids)
    params = {name: ID.sub(lambda match: ids[match[0]], str(value)) for name, value in step["params"].items()}
    if label in EXPIRES:
        recorded, params["Expires"] = params["Expires"], in_hours(EXPIRES[label])
        page = "html_error_page_with_message"
        step = {**step, page: step[page].replace(recorded, params["Expires"])} if page in step else step
    got = bridge.ask(step["method"], params, WAYS.get(label))
    found = list(differences(step, got))
    if step["action"] in MAKING and not found and step["status"] == 200:
        _learn(step["body"], got["body"], ids)
    return found


def _learn(want: str, got: str, ids: dict[str, str]) -> None:
    """Take down which ids are those of what was made."""
    for one, other in zip(ElementTree.fromstring(want).iter(), ElementTree.fromstring(got).iter(), strict=True):
        if ID.fullmatch(one.text or "") and one.tag != "requestId":
            ids.setdefault(one.text or "", other.text or "")


def in_hours(hours: float) -> str:
    """The moment so many hours from now."""
    return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(time.time() + 3600 * hours))
