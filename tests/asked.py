# Copyright: (c) 2026, the cloudn.compute authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What an emulator was asked since the last look."""

from __future__ import annotations

from typing import Any

from ansible_collections.cloudn.compute.plugins.module_utils.api import is_read


def sent_to(emulator: Any) -> list[str]:
    """Return the commands of all requests, in the order in which they came."""
    return [request["command"] for request in emulator.requests]


def changes_sent_to(emulator: Any) -> list[str]:
    """Return the commands of those requests that changed something, or tried to."""
    return [command for command in sent_to(emulator) if not is_read(command)]


def command_of(prepared: Any) -> str:
    """Return the command of a request that is about to be sent, by GET or as a form."""
    body = prepared.body or b""
    text = f"{prepared.url}&{body.decode() if isinstance(body, bytes) else body}"
    return text.split("command=")[1].split("&")[0]
