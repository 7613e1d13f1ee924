# Copyright: (c) 2026, the cloudn.compute authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Errors of the EC2-compatible API: those that are told in its usual shape, and those with an answer of their own."""

from __future__ import annotations

from ..exchange import Reply

UNEXPECTED = "An unexpected error occurred."


class Failed(Exception):
    """What could not be done, with the text that the caller is told: status 500, code Server.InternalError."""

    def __init__(self, text: str) -> None:
        super().__init__(text)
        self.text = text


class Refused(Exception):
    """What is refused with this answer."""

    def __init__(self, reply: Reply) -> None:
        super().__init__(reply.payload.decode("utf-8", "replace"))
        self.reply = reply
