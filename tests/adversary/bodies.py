# Copyright: (c) 2026, the cloudn.compute authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Bodies that are not the answer: pages of gateways, answers to other questions, broken texts, records that were changed."""

from __future__ import annotations

import gzip
import json
import re
from typing import Any

from proxy import Answer

HTML = "text/html; charset=utf-8"
JSON = "application/json"
XML = "text/xml; charset=utf-8"
PAGE = b"<html><head><title>Please wait</title></head><body><h1>Please wait</h1></body></html>"
XHTML = (
    b'<?xml version="1.0" encoding="UTF-8"?>\n<!DOCTYPE html PUBLIC "-//W3C//DTD XHTML 1.0 Strict//EN" '
    b'"http://www.w3.org/TR/xhtml1/DTD/xhtml1-strict.dtd">\n<html xmlns="http://www.w3.org/1999/xhtml"><head>'
    b'<title>Login</title></head><body><form action="/login"><input name="user"/></form></body></html>'
)
SOAP = (
    b'<?xml version="1.0"?><soap:Envelope xmlns:soap="http://schemas.xmlsoap.org/soap/envelope/"><soap:Body>'
    b"<success>true</success></soap:Body></soap:Envelope>"
)
SOAP_FAULT = SOAP.replace(
    b"<success>true</success>", b"<soap:Fault><faultcode>soap:Server</faultcode><faultstring/></soap:Fault>"
)
# What gateways send with 200, by what it is.
GATEWAYS: dict[str, tuple[str, bytes]] = {
    "login page": (XML, XHTML),
    "page": (HTML, PAGE),
    "SOAP": (XML, SOAP),
    "SOAP fault": (XML, SOAP_FAULT),
    "error object": (JSON, b'{"error": {"code": 503, "message": "upstream is not available"}}'),
    "error text": (JSON, b'{"error": "invalid_token", "error_description": "expired"}'),
    "errors": (JSON, b'{"errors": [{"status": "502", "title": "Bad Gateway"}]}'),
    "message": (JSON, b'{"message": "no Route matched with those values"}'),
    "status": (JSON, b'{"status": "ok"}'),
    "empty object": (JSON, b"{}"),
    "empty list": (JSON, b"[]"),
    "null": (JSON, b"null"),
    "number": (JSON, b"200"),
    "text": ("text/plain", b"OK"),
    "JSON text": (JSON, b'"OK"'),
    "nothing": ("text/plain", b""),
    "blanks": ("text/plain", b"\r\n\r\n   "),
    "XML of nobody": (XML, b'<?xml version="1.0"?><response><count>0</count></response>'),
}
# What gateways send beside a status that is their own.
STYLES: dict[str, tuple[str, bytes]] = {
    "page": (HTML, PAGE),
    "empty": ("text/plain", b""),
    "gateway": (JSON, b'{"error": {"code": 0, "message": "refused by policy"}}'),
}


def root(command: str) -> str:
    """Return the root that the service gives the answer to a command."""
    return f"{command.lower()}response"


def written(name: str, content: Any, as_json: bool) -> Answer:
    """Return an answer with this root and content, in one of the two formats."""
    if as_json:
        return Answer(body=json.dumps({name: content}).encode())
    return Answer(body=f'<?xml version="1.0"?><{name}>{_elements(content)}</{name}>'.encode(), content_type=XML)


def _elements(content: Any) -> str:
    if isinstance(content, dict):
        pairs = [
            (name, one) for name, value in content.items() for one in (value if isinstance(value, list) else [value])
        ]
        return "".join(f"<{name}>{_elements(value)}</{name}>" for name, value in pairs)
    return "" if content is None else str(content)


def content_of(answer: Answer) -> tuple[str, dict[str, Any]]:
    """Return the root and the content of an answer in JSON."""
    ((name, content),) = json.loads(answer.body).items()
    return name, content


def with_content(answer: Answer, name: str, content: Any) -> Answer:
    """Return an answer in JSON with another root or content."""
    return answer.but(body=json.dumps({name: content}).encode())


def job_of(answer: Answer) -> str:
    """Return the id of the job that an answer names, in either format; empty where there is none."""
    found = re.search(rb'"jobid"\s*:\s*"([^"]+)"|<jobid>([^<]+)</jobid>', answer.body)
    return (found[1] or found[2]).decode() if found else ""


def with_job(answer: Answer, job_id: str) -> Answer:
    """Return an answer that names another job."""
    own = job_of(answer)
    return answer.but(body=answer.body.replace(own.encode(), job_id.encode())) if own else answer


def packed(body: bytes, times: int = 1) -> bytes:
    """Return a body packed by gzip, so many times."""
    for _time in range(times):
        body = gzip.compress(body)
    return body


def bomb() -> bytes:
    """Return 60 kB that unpack to 60 MB."""
    return gzip.compress(b" " * (60 * 2**20), 9)
