# Copyright: (c) 2026, the cloudn.compute authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Sends one request over a kept-alive connection and returns its answer. Retries what is safe to send again."""

from __future__ import annotations

import os.path
import random
import re
import ssl
import typing as t

from .deadline import LAST_LOOK, AnswerTimeout, Deadline
from .errors import BadAnswer, CloudnError, NotSent, Overloaded, Throttled, TooLarge, UnknownOutcome, UsageError
from .service_clock import ServiceClock
from .session import Sessions, read_body
from .settings import Settings

Read = t.TypeVar("Read")

_PROXY_CREDENTIALS = 407
TOO_MANY_REQUESTS = 429
_LONGEST_PAUSE, _DOUBLINGS = 10.0, 5  # the pause is the longest one after so many doublings
_HASHED = re.compile(r"[0-9a-f]{8}\.\d+")  # the name that `openssl rehash` gives a certificate


class Request(t.NamedTuple):
    """GET of ``url``, or POST of ``form`` with its content type. Both hold credentials: never show them."""

    url: str
    form: bytes | None = None
    content_type: str | None = None


class Answer(t.NamedTuple):
    """A complete answer: HTTP status and body, and the seconds after which the service wants to be asked again."""

    status: int
    body: bytes
    retry_after: float | None = None


class Transport:
    """Sends requests and has their answers read.

    Every thread has its own kept-alive session, so several threads may use one transport. A request that is safe to repeat
    is retried, after pauses that grow and differ by chance. Any other request is sent again only if it certainly did not
    reach the service. ``clock`` is the service's clock by its answers.

    ``address`` is the option that holds the service's address, for errors. Raises ``UsageError`` for a ``verify`` that is a
    path without certificates.
    """

    def __init__(self, settings: Settings, address: str = "api_url") -> None:
        self._settings = settings
        self._address = address
        if isinstance(settings.verify, str):
            _check_authorities(settings.verify)
        self._sessions = settings.sessions or Sessions()
        self.clock = ServiceClock(settings.now)

    def exchange(
        self,
        command: str,
        build: t.Callable[[], Request],
        read: t.Callable[[str, Answer], Read],
        deadline: Deadline | None,
        repeatable: bool,
        timeout: AnswerTimeout | None = None,
    ) -> Read:
        """Send the request from ``build()`` and return the result of ``read(command, answer)``.

        Each try builds its request anew, as signatures expire. ``repeatable`` tells whether a request that may have been
        done is safe to send again. ``command`` is its name in errors. ``timeout`` is for a command that is answered only
        when its work has ended; other answers have the timeout of a connection.

        Raises ``NotSent`` where the service was not reached, ``UnknownOutcome`` where the answer was lost, ``BadAnswer`` for
        a redirection, ``UsageError`` for an unusable address, and the errors of ``read``. A ``BadAnswer`` of ``read`` is
        retried like a lost answer. After a bad answer the connection is closed, as it may hold another answer.
        """
        attempt = 0
        while True:
            if self._sessions.is_stopped:
                raise NotSent(f"{command}: not sent, as the task has been broken off", command)
            try:
                return read(command, self._send(command, build(), deadline if repeatable else None, timeout))
            except (NotSent, UnknownOutcome) as error:
                if isinstance(error, BadAnswer):
                    self._sessions.close(self._address)
                # The service has told that it did nothing. Then only the time for the task limits the tries.
                is_told = isinstance(error, Throttled) and deadline is not None and deadline.seconds is not None
                if not is_told and (attempt == self._settings.retries or not _may_retry(error, repeatable)):
                    raise
                pause, last = _pause(error, attempt), error
            if deadline is not None and pause >= deadline.remaining():
                raise _too_late(last, pause, deadline) from None
            self._settings.sleep(pause)
            attempt += 1

    def _send(
        self, command: str, request: Request, deadline: Deadline | None, answer_timeout: AnswerTimeout | None
    ) -> Answer:
        """Send one request; return its answer, or raise an error that tells the outcome as far as it is known.

        Only a read has a ``deadline``, and its last try has a few seconds. A change has none: if it is cut short, nobody
        knows whether it was done.
        """
        from urllib3.exceptions import HTTPError

        timeout = self._settings.timeout
        if deadline is not None:
            timeout = min(timeout, max(LAST_LOOK, deadline.remaining()))
        if answer_timeout is None or answer_timeout.seconds < timeout:
            answer_timeout = AnswerTimeout(timeout, "api_timeout")
        options: dict[str, t.Any] = {
            "timeout": (timeout, answer_timeout.seconds),
            "verify": self._settings.verify,
            "allow_redirects": False,
            "stream": True,
        }
        session = self._sessions.get(self._address, request.url, self._settings.verify)
        try:
            if request.form is None:
                answer = session.get(request.url, **options)
            else:
                headers = {"Content-Type": request.content_type}
                answer = session.post(request.url, data=request.form, headers=headers, **options)
            with answer:
                self.clock.compare(answer.headers.get("Date"))
                _check_status(command, answer, self._address)
                wanted = _retry_after(answer.headers.get("Retry-After"))
                return Answer(answer.status_code, read_body(answer, command), wanted)
        except (OSError, ValueError, TypeError, HTTPError) as error:  # requests does not wrap all exceptions
            from .request_errors import explain  # here, as most runs never need it

            # `from None`: the exception's own text holds the URL, and so the key and the signature.
            raise explain(command, error, answer_timeout, self._address, request.url) from None


def _check_authorities(path: str) -> None:
    """Raise ``UsageError`` for a path without certificates to trust: requests notices that too late, or not at all."""
    if os.path.isdir(path):
        try:
            hashed = any(_HASHED.fullmatch(name) for name in os.listdir(path))
        except OSError as error:
            raise UsageError(f"ca_path: {path} can't be read: {error.strerror}") from None
        if not hashed:
            raise UsageError(
                f"ca_path: the folder {path} has no certificates under names made of their hashes; run `openssl rehash` on it, "
                "or give a file"
            )
        return
    try:
        ssl.create_default_context(cafile=path)
    except ssl.SSLError:
        raise UsageError(f"ca_path: {path} holds no certificates in PEM form") from None
    except (OSError, ValueError) as error:
        raise UsageError(
            f"ca_path: {path!r} can't be read: {getattr(error, 'strerror', None) or 'it is no path'}"
        ) from None


def _may_retry(error: NotSent | UnknownOutcome, repeatable: bool) -> bool:
    """Tell whether a retry is safe and of use. Another answer would be as large as one that is too large."""
    return error.transient if isinstance(error, NotSent) else repeatable and not isinstance(error, TooLarge)


def _pause(error: NotSent | UnknownOutcome, attempt: int) -> float:
    """Return the seconds before the next try. They differ by chance, so clients that failed together come back apart."""
    if isinstance(error, (NotSent, Overloaded)) and error.retry_after is not None:
        return error.retry_after
    return min(_LONGEST_PAUSE, 0.5 * 2.0 ** min(attempt, _DOUBLINGS)) * random.uniform(0.5, 1.0)


def _too_late(error: CloudnError, pause: float, deadline: Deadline) -> NotSent:
    """Return the error that the next try would come after the deadline."""
    command = error.command
    if isinstance(error, Throttled):
        limit = "" if deadline.seconds is None else f" of {deadline.seconds:g} s"
        text = (
            f"{error.message}; the next try would be in {pause:g} s, and the time for the task{limit} (wait_timeout) ends "
            f"in {max(0.0, deadline.remaining()):.0f} s. Nothing was done. Raise wait_timeout, or lower max_parallel"
        )
        return NotSent(text, command, error.status)
    return NotSent(f"{command}: no answer within the time for the task (wait_timeout)", command)


def _check_status(command: str, answer: t.Any, address: str) -> None:
    """Raise ``BadAnswer`` for HTTP statuses that no service of this API uses, and that say themselves what is wrong."""
    status = answer.status_code
    if status == _PROXY_CREDENTIALS:
        raise BadAnswer(
            f"{command}: a proxy asks for credentials (HTTP 407); put them into its address in the environment "
            "(HTTP_PROXY, HTTPS_PROXY)",
            command,
            status,
        )
    if 300 <= status < 400:
        raise BadAnswer(
            f"{command}: the endpoint redirects elsewhere (HTTP {status}), which is not followed since the "
            f"request carries credentials; set {address} to the address of the API itself",
            command,
            status,
        )
    if status < 200:
        raise BadAnswer(
            f"{command}: an answer without an end came before the real one (HTTP {status})", command, status
        )


def _retry_after(value: str | None) -> float | None:
    """Return the seconds until the time in a Retry-After header, at most a minute.

    ``None`` where it can't be read, and where that time is over. The pause is then the same as without the header.
    """
    if not value:
        return None
    from urllib3.exceptions import InvalidHeader
    from urllib3.util import Retry

    try:
        return min(60.0, Retry(0).parse_retry_after(value)) or None
    except (InvalidHeader, ValueError, OverflowError):
        return None
