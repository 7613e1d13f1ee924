# Copyright: (c) 2026, the cloudn.compute authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""One request and its answer over kept-alive connections: what is tried again, and what an error says of the outcome."""

from __future__ import annotations

import importlib.util
import os.path
import random
import re
import ssl
import threading
import time
import typing as t
from email.utils import parsedate_to_datetime

from .deadline import LAST_LOOK, Deadline
from .errors import ApiError, NotSent, TooLarge, UnknownOutcome, UsageError
from .session import open_session, read_body

# It is imported with the first request; that it is missing is told before.
REQUESTS_ERROR = None if importlib.util.find_spec("requests") else "No module named 'requests'"

Read = t.TypeVar("Read")

_PROXY_CREDENTIALS = 407
# Seconds by which clocks may differ, and an answer's date be old, without any harm.
_CLOCKS_AGREE = 60.0
_TOO_MANY_REQUESTS = 429
_HASHED = re.compile(r"[0-9a-f]{8}\.\d+")  # the name that `openssl rehash` gives a certificate


def _check_authorities(path: str) -> None:
    """Raise ``UsageError`` unless a path leads to certificates to trust; requests would tell that too late, or not at all."""
    if os.path.isdir(path):
        try:
            hashed = any(_HASHED.fullmatch(name) for name in os.listdir(path))
        except OSError as error:
            raise UsageError(f"ca_path: {path}: {error.strerror}") from None
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
        raise UsageError(f"ca_path: {path!r}: {getattr(error, 'strerror', None) or 'is no path'}") from None


class Request(t.NamedTuple):
    """What is sent: GET of ``url``, or POST of ``form`` with its content type. Both hold credentials: never show them."""

    url: str
    form: bytes | None = None
    content_type: str | None = None


class Answer(t.NamedTuple):
    """What came back, read to its end: HTTP status and body."""

    status: int
    body: bytes


class Patience(t.NamedTuple):
    """How many seconds an answer may take, and the option that says so."""

    seconds: float
    option: str


class Transport:
    """Sends requests and has their answers read.

    Every thread has its own kept-alive session, so a transport may be used by several threads at once. What may be sent
    again without harm is tried again with a growing, jittered pause; anything else only where it certainly did not
    reach the service.

    Arguments:
        timeout: seconds to wait for a connection and for an answer.
        retries: how many times a request is tried again.
        verify: whether TLS certificates are verified, or the path of the certificates to trust: a file, or a folder of
            files with the names that ``openssl rehash`` gives them.
        sleep, now: for tests.
        address: the option that holds the service's address, for errors.

    Raises ``UsageError`` for a path without such certificates.
    """

    def __init__(
        self,
        timeout: float,
        retries: int,
        verify: bool | str = True,
        sleep: t.Callable[[float], None] = time.sleep,
        now: t.Callable[[], float] = time.time,
        address: str = "api_url",
    ) -> None:
        self._timeout = timeout
        self._retries = retries
        self._verify = verify
        self._sleep = sleep
        self._now = now
        self._address = address
        if isinstance(verify, str):
            _check_authorities(verify)
        self._threads = threading.local()
        self._ahead: float | None = None

    def exchange(
        self,
        command: str,
        build: t.Callable[[], Request],
        read: t.Callable[[str, Answer], Read],
        deadline: Deadline | None,
        repeatable: bool,
        patience: Patience | None = None,
    ) -> Read:
        """Send what ``build()`` returns and return what ``read(command, answer)`` makes of the answer.

        Each try builds its request anew, as signatures expire. ``repeatable`` tells whether it may be sent again although
        it may have been done. ``command`` names it in errors. ``patience`` is for answers that come only when something
        has ended; without one they may take as long as a connection.

        Raises ``NotSent`` when the service was not reached, ``UnknownOutcome`` when the answer was lost, ``ApiError``
        for a redirection, ``UsageError`` for an address that can't be used, and what ``read`` raises; a ``BadAnswer``
        of it is tried again like a lost answer.
        """
        attempt = 0
        while True:
            # Jitter: clients that failed together do not come back together.
            pause = min(10.0, 0.5 * 2**attempt) * random.uniform(0.5, 1.0)
            try:
                return read(command, self._send(command, build(), deadline if repeatable else None, patience))
            except NotSent as error:
                if not error.passing or attempt == self._retries:
                    raise
                pause = pause if error.retry_after is None else error.retry_after
            except TooLarge:
                raise
            except UnknownOutcome:
                if not repeatable or attempt == self._retries:
                    raise
            if deadline is not None and pause >= deadline.remaining():
                raise NotSent(f"{command}: no answer within the time for the task (wait_timeout)", command)
            self._sleep(pause)
            attempt += 1

    def service_time(self) -> float:
        """Return the service's time in seconds since the epoch, by the Date of its last answer, else this machine's."""
        return self._now() - (self._ahead or 0.0)

    def clock_hint(self, signature_expires: int, otherwise: str = "check api_key and api_secret") -> str:
        """Return what to add to a refusal of credentials: that this machine's clock is wrong, where it may be that.

        ``signature_expires`` is the life of a signature in seconds, 0 for one without end; ``otherwise`` is the advice if that is
        not it.
        """
        if self._ahead is None:
            return f"; {otherwise}, and this machine's clock"
        if self.arrives_ended(signature_expires):
            return f"; {self.clocks()}: set it right, as signatures have lost their life of {signature_expires} s on arrival"
        return f"; {otherwise}"

    def arrives_ended(self, signature_expires: int) -> bool:
        """Tell whether signatures that live so many seconds (0: without end) have ended when the service gets them."""
        return bool(signature_expires) and -(self._ahead or 0.0) > signature_expires - _CLOCKS_AGREE

    def clocks(self) -> str:
        """Say how far this machine's clock and the service's are apart; nothing where they agree, or nothing is known."""
        apart = self._ahead or 0.0
        if abs(apart) <= _CLOCKS_AGREE:
            return ""
        return f"this machine's clock is {abs(apart):.0f} s {'ahead of' if apart > 0 else 'behind'} the service's"

    def _send(
        self, command: str, request: Request, deadline: Deadline | None, patience: Patience | None = None
    ) -> Answer:
        """Send one request; return its answer, or raise what is known of the outcome.

        Only reads have a ``deadline``, and the last one is given its time: cutting short what changes something would leave
        open whether it was done.
        """
        from urllib3.exceptions import HTTPError

        timeout = self._timeout
        if deadline is not None:
            timeout = min(timeout, max(LAST_LOOK, deadline.remaining()))
        if patience is None or patience.seconds < timeout:
            patience = Patience(timeout, "api_timeout")
        options: dict[str, t.Any] = {
            "timeout": (timeout, patience.seconds),
            "verify": self._verify,
            "allow_redirects": False,
            "stream": True,
        }
        session = self._session(request.url)
        try:
            if request.form is None:
                answer = session.get(request.url, **options)
            else:
                headers = {"Content-Type": request.content_type}
                answer = session.post(request.url, data=request.form, headers=headers, **options)
            with answer:
                self._compare_clocks(answer.headers.get("Date"))
                _check(command, answer, self._address)
                return Answer(answer.status_code, read_body(answer, command))
        except (OSError, ValueError, TypeError, HTTPError) as error:  # requests lets through some that are not its own
            # `from None`: the exception's own text holds the URL, and so the key and the signature.
            from .trouble import explain  # here, as most runs meet none

            raise explain(command, error, patience, self._address) from None

    def _compare_clocks(self, date: str | None) -> None:
        """Note by how many seconds this machine's clock is ahead of the service's, by the Date of an answer."""
        try:
            self._ahead = self._now() - parsedate_to_datetime(t.cast(str, date)).timestamp()
        except (TypeError, ValueError, OverflowError, IndexError):  # the parser is not proof against all texts
            return

    def _session(self, url: str) -> t.Any:
        """Return this thread's session, made on first use."""
        session = getattr(self._threads, "session", None)
        if session is None:
            session = self._threads.session = open_session(url, self._verify)
        return session


def _check(command: str, answer: t.Any, address: str) -> None:
    """Raise what stands in an answer's HTTP status, whatever its body is."""
    status = answer.status_code
    if status == _TOO_MANY_REQUESTS:
        raise NotSent(
            f"{command}: the service takes no more requests for now (HTTP 429)",
            command,
            status,
            retry_after=_retry_after(answer.headers.get("Retry-After")),
        )
    if status == _PROXY_CREDENTIALS:
        raise NotSent(
            f"{command}: a proxy asks for credentials (HTTP 407); put them into its address in the environment "
            "(HTTP_PROXY, HTTPS_PROXY)",
            command,
            status,
            passing=False,
        )
    if 300 <= status < 400:
        raise ApiError(
            f"{command}: the endpoint redirects elsewhere (HTTP {status}), which is not followed since the "
            f"request carries credentials; set {address} to the address of the API itself",
            command,
            status,
        )


def _retry_after(value: str | None) -> float | None:
    """Return the seconds of a Retry-After header, at most a minute; ``None`` where it has none that can be read."""
    return min(60.0, float(value)) if value and re.fullmatch("[0-9]+", value) else None
