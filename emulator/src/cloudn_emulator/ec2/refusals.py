# Copyright: (c) 2026, the cloudn.compute authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Errors of the EC2-compatible API: those in its usual form, and those with an answer of their own."""

from __future__ import annotations

from ..exchange import Reply

UNEXPECTED = "An unexpected error occurred."


class Failed(Exception):
    """An error with a text for the caller: status 500, code Server.InternalError."""

    def __init__(self, text: str) -> None:
        super().__init__(text)
        self.text = text


class Refused(Exception):
    """An error with this answer."""

    def __init__(self, reply: Reply) -> None:
        super().__init__(reply.payload.decode("utf-8", "replace"))
        self.reply = reply
