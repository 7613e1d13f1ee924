# Copyright: (c) 2026, the cloudn.compute authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Every error of the API client, and what each of them says about the outcome of a command."""

from __future__ import annotations

import re
import typing as t

# The bridge writes a failed job's error as its code, a blank and its text. Source: CloudStack 3.0.5, recorded.
_OF_A_JOB = re.compile(r"(\d{3}) ")


# What the API answers to a parameter that it does not take, and to an id that it does not know; measured on CloudStack 3.0.5.
PARAMETER_ERROR = 431


class CloudnError(Exception):
    """Base of all errors here. The message is for people; the attributes are for programs.

    Attributes: ``command`` (API command, or EC2 action), ``status`` (HTTP status), ``code`` (the service's error code, a
    number; of EC2 a text), ``text`` (the service's words), ``job_id``. Each is ``None`` where it is not known. None of them ever
    holds a URL, a key, a secret or a signature. ``cause`` is what several errors have in common, as a text that is told once.
    """

    def __init__(
        self,
        message: str,
        command: str | None = None,
        status: int | None = None,
        code: int | str | None = None,
        text: str | None = None,
        job_id: str | None = None,
    ) -> None:
        super().__init__(message)
        self.message = message
        self.command = command
        self.status = status
        self.code = code
        self.text = text
        self.job_id = job_id
        self.cause = ""

    def details(self) -> dict[str, t.Any]:
        """Return the attributes that are known, under the names ``command``, ``http_status``, ``error_code``, ..."""
        known = {
            "command": self.command,
            "http_status": self.status,
            "error_code": self.code,
            "error_text": self.text,
            "job_id": self.job_id,
        }
        return {name: value for name, value in known.items() if value is not None}


class UsageError(CloudnError):
    """What was asked for is wrong or impossible; found before anything was changed."""


class Missing(UsageError):
    """What a task names by its name is not there, and is of a kind that tasks make."""


class Duplicates(UsageError):
    """Several objects have one name, which is unique unless runs made them at one moment. ``records`` are the objects."""

    def __init__(self, message: str, records: list[dict[str, t.Any]]) -> None:
        super().__init__(message)
        self.records = records


class NotSent(CloudnError):
    """The service was not reached, or turned the request away unread: nothing has been done.

    ``passing`` is false where trying again is of no use; ``retry_after`` are the seconds that the service asked for.
    """

    def __init__(
        self,
        message: str,
        command: str | None = None,
        status: int | None = None,
        passing: bool = True,
        retry_after: float | None = None,
    ) -> None:
        super().__init__(message, command, status)
        self.passing = passing
        self.retry_after = retry_after


class ApiError(CloudnError):
    """The service answered with an error: the command was refused."""


class NotGranted(ApiError):
    """The service does not know the command, or does not grant it to the account: nothing has been done.

    CloudStack 3 answers 432; CloudStack 4 answers 401 to a command that it does not know, as it does to wrong credentials.
    Source: measured on CloudStack 3.0.5 and 4.23.
    """


class Ec2Error(ApiError):
    """The EC2-compatible API answered with an error. ``code`` is a text such as ``Client.Unsupported``, ``None`` where
    the answer has none; ``request_id`` is by what the service's operators find the request.

    ``partly`` tells whether the action does several things, so that some of them may be done.
    """

    def __init__(
        self,
        message: str,
        command: str | None = None,
        status: int | None = None,
        code: str | None = None,
        text: str | None = None,
        request_id: str | None = None,
    ) -> None:
        super().__init__(message, command, status, code, text)
        self.request_id = request_id
        self.partly = False

    @property
    def is_internal(self) -> bool:
        """Whether the service calls it its own error. It calls nearly everything so, wrong ids too."""
        return str(self.code).startswith("Server")

    @property
    def job_code(self) -> int | None:
        """The inner error code of the job that failed; ``None`` where no job did."""
        found = _OF_A_JOB.match(self.text or "") if self.is_internal else None
        return int(found[1]) if found else None

    def details(self) -> dict[str, t.Any]:
        """Return what ``CloudnError.details`` does, and ``request_id`` where it is known."""
        known = super().details()
        return known if self.request_id is None else {**known, "request_id": self.request_id}


class UnknownOutcome(CloudnError):
    """A command was sent and its answer was lost or unreadable: it may have been done or not."""


class GivenUp(UnknownOutcome):
    """The EC2-compatible API waited in vain for a job of the action, which goes on: it does none of the rest."""


class BadAnswer(UnknownOutcome):
    """An answer that is no answer of this API: cut, garbled, HTML, or without the expected fields."""


class TooLarge(BadAnswer):
    """An answer larger than any of this API is: it was not read to its end, and another would be no smaller."""


class JobFailed(ApiError):
    """An asynchronous job ended as failed. ``code`` is the inner error code, the one with a meaning."""


class JobLost(UnknownOutcome):
    """The service does not know the job (any more), so it can't tell how it ended."""


class JobTimeout(CloudnError):
    """A job had not ended at the deadline. It goes on at the service."""
