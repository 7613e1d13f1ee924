# Copyright: (c) 2026, the cloudn.compute authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Errors of the API: each has a code, which is the HTTP status too, and a text."""

from __future__ import annotations

UNAUTHORIZED = 401
MALFORMED = 430
PARAMETER = 431
NO_COMMAND = 432
INTERNAL = 530
ACCOUNT = 531
CAPACITY = 533
RESOURCE = 534
IN_USE = 536

# Numbers of the Java classes of errors; 9999 stands for all that have none, such as a parameter that can't be read.
# Measured on CloudStack 4.23; that of 534 is from CloudStack's code.
NO_CLASS = 9999
_CAUSES = {PARAMETER: 4350, INTERNAL: 4250, ACCOUNT: 4365, RESOURCE: 4370}

INTERNAL_TEXT = "Internal error executing command, please contact your system administrator"
UNABLE = "Internal server error, unable to execute request."


class ApiError(Exception):
    """An error that the caller sees: at once as an answer with this status, or inside a job as its result.

    `cause` is the number of its Java class, which CloudStack 4 shows as `cserrorcode`. It follows from the code where
    none is given. `named` are ids of the objects that CloudStack 4 adds, by what they are.
    """

    def __init__(self, code: int, text: str, cause: int | None = None, named: dict[str, str] | None = None) -> None:
        super().__init__(text)
        self.code = code
        self.text = text
        self.cause = _CAUSES.get(code, NO_CLASS) if cause is None else cause
        self.named = named or {}


def bad_parameter(text: str) -> ApiError:
    """The error for a parameter that cannot be used (431)."""
    return ApiError(PARAMETER, text)


def unreadable(text: str) -> ApiError:
    """The error (431) for a parameter that can't be read, before the command itself looks at it."""
    return ApiError(PARAMETER, text, NO_CLASS)


def internal(text: str = INTERNAL_TEXT) -> ApiError:
    """The error for what the server could not do (530)."""
    return ApiError(INTERNAL, text)
