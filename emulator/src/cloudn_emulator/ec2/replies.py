# Copyright: (c) 2026, the cloudn.compute authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Writes EC2's answers: XML without a namespace, and four forms of errors, as measured on CloudStack 3.0.5."""

from __future__ import annotations

import html
import json
from typing import Any

from ..exchange import Reply
from ..generation import CLOUDSTACK_3
from ..models import new_id
from ..wire import text

HTML_TYPE = "text/html;charset=utf-8"
# The native API also escapes quotation marks.
_ESCAPES = str.maketrans({"&": "&amp;", "<": "&lt;", ">": "&gt;", "\r": "&#13;"})
INTERNAL = "Server.InternalError"
PAGE = (
    "<html><head><title>Apache Tomcat - Error report</title></head><body><h1>HTTP Status {status} - {message}</h1>"
    "<p><b>type</b> Status report</p><p><b>message</b> <u>{message}</u></p></body></html>"
)


def answer(action: str, body: dict[str, Any], as_json: bool = False) -> Reply:
    """The answer of an action: `<ActionResponse>` with the id of a request, lists as elements `item`.

    Missing values are empty elements.
    """
    root, body = f"{action}Response", {"requestId": new_id(), **body}
    if as_json:
        return Reply(
            200, json.dumps({root: body}, ensure_ascii=False).encode("utf-8", "replace"), CLOUDSTACK_3.json_type
        )
    pieces: list[str] = []
    _element(root, body, pieces)
    return Reply(200, "".join(pieces).encode(), CLOUDSTACK_3.xml_type)


def _element(name: str, value: Any, pieces: list[str]) -> None:
    if value == []:
        pieces.append(f"<{name}/>")
        return
    pieces.append(f"<{name}>")
    if isinstance(value, dict):
        for inner, one in value.items():
            _element(inner, one, pieces)
    elif isinstance(value, list):
        for one in value:
            _element("item", one, pieces)
    elif value is not None:
        pieces.append(text(value, _ESCAPES))
    pieces.append(f"</{name}>")


def error(status: int, code: str, message: str) -> Reply:
    """The first form of errors: XML. The bridge does not escape the message, so it may be bad XML."""
    body = (
        f'<?xml version="1.0" encoding="UTF-8"?><Response><Errors><Error><Code>{code}</Code>'
        f"<Message>{message}</Message></Error></Errors><RequestID>{new_id()}</RequestID></Response>"
    )
    return Reply(status, body.encode("utf-8", "replace"), CLOUDSTACK_3.xml_type, error=message)


def page(status: int, message: str) -> Reply:
    """The second form: a page of the web server."""
    body = PAGE.format(status=status, message=html.escape(message)).encode("utf-8", "replace")
    return Reply(status, body, HTML_TYPE, error=message)


def plain(status: int, message: str) -> Reply:
    """The third form: a text without a type. The fourth form is empty."""
    return Reply(status, message.encode("utf-8", "replace"), None, error=message)
