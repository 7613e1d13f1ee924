# Copyright: (c) 2026, the cloudn.compute authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The user data of a new virtual machine: encoded as the service takes it, and measured. It may hold secrets."""

from __future__ import annotations

import base64
import re

from ...api import Client, Deadline, Record, UsageError
from .. import generation

# The longest user data in Base64 that the service takes, by its generation. An operator of CloudStack 4 may have another
# limit (vm.userdata.max.length). Measured on CloudStack 3.0.5 and 4.23.
LONGEST = {3: 2048, 4: 32768}
_FOREIGN = re.compile(r"[^A-Za-z0-9+/]")
_WAYS_OUT = "Encode the bytes (base64 FILE, or the filter b64encode), or leave user_data_encoding out for a text"


def check(options: Record) -> None:
    """Raise ``UsageError`` if the user data is to be in Base64, and is not or is not given. The message does not show it."""
    if _is_base64(options) and options.get("user_data") is None:
        raise UsageError(
            "user_data_encoding: base64 says how user_data is written, but user_data is not given; give user_data, or leave user_data_encoding out"
        )
    given = _compact(options)
    if not given:
        return
    body = given.rstrip("=")
    foreign = _FOREIGN.search(body)
    if foreign and foreign[0] == "=":
        reason = (
            "a '=' stands in the wrong place, as it may only be at the end; two texts in Base64 can't be put together"
        )
    elif foreign:
        reason = f"the character {foreign[0]!r} is none of it"
    elif len(given) % 4:
        reason = f"its length, {len(given)} characters, is no multiple of 4, so a part may be missing"
    elif len(given) - len(body) > 2:
        reason = "it ends with more than two equals signs"
    else:
        return
    raise UsageError(f"user_data: user_data_encoding: base64 is set, but this is no Base64: {reason}. {_WAYS_OUT}")


def encoded(options: Record) -> str | None:
    """Return the user data in Base64, as the service takes it."""
    text = options.get("user_data") or ""
    return (_compact(options) if _is_base64(options) else base64.b64encode(text.encode()).decode()) or None


def check_length(client: Client, options: Record, deadline: Deadline) -> None:
    """Raise ``UsageError`` if the user data is longer than the service takes. It is asked only if that depends on it."""
    length = len(encoded(options) or "")
    if length <= min(LONGEST.values()):
        return
    number = client.generation(deadline)
    longest = LONGEST[4 if number >= generation.FOUR else 3]
    if length > longest:
        given, most = len(base64.b64decode(encoded(options) or "")), longest // 4 * 3
        raise UsageError(
            f"user_data: has {given} bytes, which are {length} in Base64. CloudStack {number} takes {longest}, so {most} bytes "
            "(vm.userdata.max.length): shorten it, or let it fetch the rest"
        )


def _compact(options: Record) -> str:
    """Return user data that was given in Base64, without blanks and line ends: tools write it in lines. Else an empty text."""
    return "".join((options.get("user_data") or "").split()) if _is_base64(options) else ""


def _is_base64(options: Record) -> bool:
    return options.get("user_data_encoding") == "base64"
