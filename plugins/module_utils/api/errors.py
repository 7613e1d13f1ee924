# Copyright: (c) 2026, the cloudn.compute authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""All errors of the API client. Each class tells what is known of the outcome of a command."""

from __future__ import annotations

import re
import typing as t
import urllib.parse

# The bridge writes a failed job's error as its code, a blank and its text. Source: recorded from CloudStack 3.0.5.
_JOB_ERROR = re.compile(r"(\d{3}) ")
# The API's error for a wrong parameter, and for an id that it does not know. Source: measured on CloudStack 3.0.5.
PARAMETER_ERROR = 431
# The API's error for a failure inside the service. Source: measured on CloudStack 3.0.5 and 4.23.
INTERNAL = 530


def joined(message: str, more: str) -> str:
    """Return a message with more sentences, which begin with a full stop. Two marks never follow each other."""
    return message + (more[1:] if message.endswith(("?", ".", "!")) and more.startswith(". ") else more)


def shown(url: str) -> str:
    """Return an address as errors show it: without user, password and all that is after its path."""
    try:
        address = urllib.parse.urlsplit(url)
    except ValueError:
        return "no address"
    return f"{address.scheme}://{address.netloc.rpartition('@')[2]}{address.path}"


class CloudnError(Exception):
    """Base of all errors here. The message is for people, the attributes are for programs.

    Attributes: ``command`` (API command or EC2 action), ``status`` (HTTP status), ``code`` (the service's error code: a
    number, in EC2 a text), ``text`` (the service's words), ``job_id``. An attribute that is not known is ``None``. None of
    them ever holds a key, a secret or a signature, nor an address but the service's own, see ``shown``. ``cause`` is a
    reason that several errors share, to be shown once. ``way_out`` is what to do if the usual advice for such an error would not work.
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
        self.way_out = ""

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

    def __copy__(self) -> CloudnError:
        """Return the same error again. It is not made anew, as each kind of error takes other values."""
        again = type(self).__new__(type(self), *self.args)
        again.__dict__.update(self.__dict__)
        return again


class UsageError(CloudnError):
    """The request is wrong or impossible. Nothing has been changed."""


class Missing(UsageError):
    """An object that a task refers to by name does not exist. Another task could make it."""


class Duplicates(UsageError):
    """Several objects have the same name, as two runs made them at the same time. ``records`` are the objects."""

    def __init__(self, message: str, records: list[dict[str, t.Any]]) -> None:
        super().__init__(message)
        self.records = records


class NotSent(CloudnError):
    """The service was not reached, or rejected the request unread: nothing has been done.

    ``transient`` is false where a retry is of no use. ``retry_after`` are the seconds that the service asked for.
    """

    def __init__(
        self,
        message: str,
        command: str | None = None,
        status: int | None = None,
        transient: bool = True,
        retry_after: float | None = None,
    ) -> None:
        super().__init__(message, command, status)
        self.transient = transient
        self.retry_after = retry_after


class Throttled(NotSent):
    """The service takes no more requests of the account for now, and says that it has not done this one (429)."""


class ApiError(CloudnError):
    """The service answered with an error: it refused the command."""


class NotGranted(ApiError):
    """The service does not know the command, or does not grant it to the account: nothing has been done.

    CloudStack 3 answers 432. CloudStack 4 answers 401 to an unknown command, as it does to wrong credentials. Source:
    measured on CloudStack 3.0.5 and 4.23.
    """


class Ec2Error(ApiError):
    """The EC2-compatible API answered with an error.

    ``code`` is a text such as ``Client.Unsupported``, or ``None`` where the answer has none. The service's operators can
    find the request by ``request_id``. ``partly`` tells whether the action does several things, so that some may be done.
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
        """Whether the service calls this an error of its own. It does so for nearly all errors, wrong ids too."""
        return str(self.code).startswith("Server")

    @property
    def job_code(self) -> int | None:
        """The inner error code of the job that failed; ``None`` where no job failed."""
        found = _JOB_ERROR.match(self.text or "") if self.is_internal else None
        return int(found[1]) if found else None

    def details(self) -> dict[str, t.Any]:
        """Return the details of ``CloudnError``, and ``request_id`` where it is known."""
        known = super().details()
        return known if self.request_id is None else {**known, "request_id": self.request_id}


class UnknownOutcome(CloudnError):
    """A command was sent, and its answer was lost or unreadable. It may have been done or not."""


class GivenUp(UnknownOutcome):
    """The EC2-compatible API stopped waiting for a job of the action. The job goes on; the rest of the action is not done."""


class BadAnswer(UnknownOutcome):
    """The answer is not one of this API: it is cut, garbled, HTML, or lacks the expected fields."""


class Overloaded(BadAnswer):
    """A server takes no more requests for now (HTTP 429), and nothing says whether it has done this one.

    ``retry_after`` are the seconds that it asked for.
    """

    def __init__(self, command: str, status: int, retry_after: float | None) -> None:
        super().__init__(f"{command}: a server takes no more requests for now (HTTP {status})", command, status)
        self.retry_after = retry_after


class TooLarge(BadAnswer):
    """The answer is larger than any of this API, and was not read to its end. A retry would give the same."""


class JobFailed(ApiError):
    """An asynchronous job failed. ``code`` is the inner error code, which has a meaning."""


class JobLost(UnknownOutcome):
    """The service does not know the job (any more), so nobody can tell how it ended."""


class JobTimeout(CloudnError):
    """A job has not ended at the deadline. It goes on at the service."""
