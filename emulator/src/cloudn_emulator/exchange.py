# Copyright: (c) 2026, the cloudn.compute authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the HTTP side and the APIs exchange: a request as the APIs read it, and the answer to it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol
from urllib.parse import unquote

from aiohttp import web

from .faults import FaultRule
from .generation import Generation

FORM = "application/x-www-form-urlencoded"
MOST_PARAMETERS = 10_000  # of a request, as web servers of that time limit them


@dataclass(frozen=True, slots=True)
class Asked:
    """A request. `query` is the address behind `?` as it came.

    `params` are the parameters of the address and of a form. Of several with one name the first counts.
    """

    method: str
    host: str
    path: str
    query: str
    params: dict[str, str]


@dataclass(frozen=True, slots=True)
class Reply:
    """An answer. Some have no content type. `description` goes into a header of the native API's errors.

    `error` is the text of another error, for the log.
    """

    status: int
    payload: bytes
    content_type: str | None
    description: str | None = None
    error: str | None = None


class Api(Protocol):
    """One of the APIs that are served over the same store.

    `paths` are the paths that it is served at, as patterns of the web framework. `methods` are the methods of HTTP; `*`
    means that the API itself refuses the wrong ones. `credentials` names the parameters that say who asks, in lower
    case.
    """

    paths: tuple[str, ...]
    methods: tuple[str, ...]
    credentials: tuple[str, ...]

    def command(self, params: dict[str, str]) -> tuple[str, bool]:
        """The name of the command or action, and whether it has a job."""

    async def reply(self, asked: Asked, fault: FaultRule | None) -> Reply:
        """Do the request. A fault of a job or of the answer's content is made here."""

    def unauthorized(self, params: dict[str, str]) -> Reply:
        """The answer to wrong credentials."""


async def read(request: web.Request, generation: Generation) -> tuple[Asked, bool]:
    """Read a request. Also returns whether it is small enough to be done; a form that is too large is not read.

    The address is UTF-8. On CloudStack 3 a form is ISO-8859-1 unless its content type says charset=UTF-8. Measured on
    3.0.5 and 4.23.
    """
    query = request.rel_url.raw_query_string
    pairs = _pairs(query, "utf-8")
    fits = not is_too_large(request, generation)
    if request.method == "POST" and request.content_type == FORM and fits:
        in_utf8 = generation.utf8_forms or (request.charset or "").lower() in ("utf-8", "utf8")
        encoding = "utf-8" if in_utf8 else "iso-8859-1"
        try:
            pairs += _pairs((await request.read()).decode("iso-8859-1"), encoding)
        except web.HTTPRequestEntityTooLarge:  # it did not say how long it is
            fits = False
    fits = fits and len(pairs) <= MOST_PARAMETERS
    params: dict[str, str] = {}
    for name, value in pairs[:MOST_PARAMETERS]:
        params.setdefault(name, value)
    return Asked(request.method, request.headers.get("Host", ""), request.rel_url.raw_path, query, params), fits


def is_too_large(request: web.Request, generation: Generation) -> bool:
    """Whether a body is said to be larger than a form may be."""
    return (request.content_length or 0) > generation.longest_form


def _pairs(text: str, encoding: str) -> list[tuple[str, str]]:
    """The parameters in a text, but not many more than a request may have."""
    parts = [part.partition("=") for part in text.split("&", MOST_PARAMETERS + 1)[: MOST_PARAMETERS + 1] if part]
    return [(_unquoted(name, encoding), _unquoted(value, encoding)) for name, _equals, value in parts]


def _unquoted(text: str, encoding: str) -> str:
    return unquote(text.replace("+", " "), encoding, "replace") if "%" in text or "+" in text else text
