# Copyright: (c) 2026, the cloudn.compute authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The client: one command, one list, or one wait at the service, over kept-alive connections."""

from __future__ import annotations

import random
import re
import threading
import time
import traceback
import typing as t
from email.utils import parsedate_to_datetime

from .deadline import Deadline
from .decode import Record, decode
from .errors import ApiError, BadAnswer, CloudnError, NotSent, UnknownOutcome, UsageError
from .jobs import wait_for
from .signature import expiry, query, sign

try:
    import requests

    REQUESTS_ERROR = None
except ImportError:
    requests = None
    REQUESTS_ERROR = traceback.format_exc()

Params = t.Mapping[str, t.Any]

# The largest page that the service gives (a larger pagesize is a 431); measured on CloudStack 3.0.5.
PAGE_SIZE = 500
# A longer query is sent as a form (POST): servers refuse lines of more than 8 kB. Shorter ones go as the manual has
# them, as GET; measured on CloudStack 3.0.5, both work for every command.
LONGEST_GET = 4000
# These take `account` and `domainid`: whose objects to list, for whom to create. Source: declared by CloudStack 3.0.5.
SCOPED = frozenset(
    [
        "listAsyncJobs",
        "listVirtualMachines",
        "deployVirtualMachine",
        "listSecurityGroups",
        "createSecurityGroup",
        "deleteSecurityGroup",
        "authorizeSecurityGroupIngress",
        "authorizeSecurityGroupEgress",
        "listTemplates",
        "registerTemplate",
        "uploadTemplate",
        "listSnapshots",
        "listSnapshot",
        "createSnapshot",
        "listVolumes",
        "createVolume",
        "uploadVolume",
        "listTags",
        "registerSSHKeyPair",
        "createSSHKeyPair",
        "deleteSSHKeyPair",
        "listSSHKeyPairs",
    ]
)
# What the service's manual calls commands otherwise than CloudStack: its name is tried first. Source: the manual, and
# measured on CloudStack 3.0.5, which does not know (432) the manual's names.
SPELLINGS = {"registerTemplate": "uploadTemplate", "listSnapshots": "listSnapshot"}
_READ = re.compile(r"(list|query|get)[A-Z]")
_NOT_GRANTED = 432
# Seconds that a read has for its answer, however near the deadline is.
_LAST_LOOK = 5.0
_TOO_MANY_REQUESTS = 429
_UNAUTHORISED = 401


class Client:
    """Talks to one endpoint as one account.

    Every call signs anew and goes over this thread's own kept-alive session, so a client may be used by several
    threads at once. Reading commands are retried with a growing, jittered pause; a command that changes
    something is sent again only when it certainly did not reach the service.

    Arguments:
        url: the endpoint, for example ``https://.../client/api``.
        key, secret: the account's API key and secret key.
        timeout: seconds to wait for a connection and for an answer.
        retries: how many times a reading command is tried again.
        verify: whether TLS certificates are verified, or the path of a file with certificates to trust.
        response_format: ``json`` or ``xml``; the values are the same.
        signature_expires: seconds for which a signature holds; 0 sends signatures without an end.
        account, domain_id: act for this account of this domain (both or neither).
        sleep, clock, now: for tests.
    """

    def __init__(
        self,
        url: str,
        key: str,
        secret: str,
        timeout: float = 30,
        retries: int = 5,
        verify: bool | str = True,
        response_format: str = "json",
        signature_expires: int = 600,
        account: str | None = None,
        domain_id: str | None = None,
        sleep: t.Callable[[float], None] = time.sleep,
        clock: t.Callable[[], float] = time.monotonic,
        now: t.Callable[[], float] = time.time,
    ) -> None:
        self.url = url
        self.timeout = timeout
        self.retries = retries
        self.verify = verify
        self.response_format = response_format
        self.signature_expires = signature_expires
        self.scope = {"account": account, "domainid": domain_id}
        self.sleep = sleep
        self.clock = clock
        self.now = now
        self._key = key
        self._secret = secret
        self._threads = threading.local()
        self._spelled: dict[str, str] = {}
        self._ahead = 0.0

    def call(self, command: str, params: Params | None = None, deadline: Deadline | None = None) -> Record:
        """Send one command and return the fields of its answer.

        ``params`` are plain Python values: ``None`` is left out, ``True`` becomes ``true``, a list is joined with
        commas, a list of dictionaries becomes ``name[0].key``, a dictionary the same with ``key`` and ``value``.

        Returns the content of the answer's root: ``{"jobid": ...}`` of an asynchronous command, ``{"count": ...,
        "virtualmachine": [...]}`` of a list (empty lists are left out), ``{"securitygroup": {...}}`` of a creation.

        Raises ``UsageError`` for values that can't be sent, ``ApiError`` when the service refuses, ``NotSent`` when it
        was not reached, ``UnknownOutcome`` when a command that changes something may have been done or not,
        ``BadAnswer`` when a reading command was answered with something unreadable to the end.
        A command that the service's manual spells otherwise is sent as the manual has it, and as CloudStack has it where
        that is unknown; which one it is, is remembered.
        """
        if command in SPELLINGS and command not in self._spelled:
            try:
                answer = self._call(SPELLINGS[command], params or {}, deadline)
            except ApiError as error:
                self._spelled[command] = command if error.code == _NOT_GRANTED else SPELLINGS[command]
                if error.code != _NOT_GRANTED:
                    raise
            else:
                self._spelled[command] = SPELLINGS[command]
                return answer
        return self._call(self._spelled.get(command, command), params or {}, deadline)

    def _call(self, command: str, params: Params, deadline: Deadline | None) -> Record:
        """Send one command under exactly this name; see ``call``."""
        flat = self._request(command, params)
        repeatable = is_read(command)
        attempt = 0
        while True:
            # Jitter: clients that failed together do not come back together.
            pause = min(10.0, 0.5 * 2**attempt) * random.uniform(0.5, 1.0)
            try:
                return self._send(command, flat, deadline)
            except NotSent as error:
                if not error.passing or attempt == self.retries:
                    raise
                pause = pause if error.retry_after is None else error.retry_after
            except UnknownOutcome:
                if not repeatable or attempt == self.retries:
                    raise
            if deadline is not None and pause >= deadline.remaining():
                raise NotSent(f"{command}: no answer before the deadline", command, passing=False)
            self.sleep(pause)
            attempt += 1

    def list(
        self,
        command: str,
        params: Params | None = None,
        page_size: int = PAGE_SIZE,
        deadline: Deadline | None = None,
    ) -> list[Record]:
        """Return all objects of a listing command, page after page until one comes back short.

        An object that stands on two pages, because others came or went meanwhile, is returned once. The order is
        the service's. Raises what ``call`` raises.
        """
        objects: dict[t.Any, Record] = {}  # by id and zone: a template is listed once for each zone that it is in
        page = 1
        while True:
            content = self.call(command, {**(params or {}), "page": page, "pagesize": page_size}, deadline)
            items = next((value for value in content.values() if isinstance(value, list)), [])
            for item in items:
                objects.setdefault((item["id"], item.get("zoneid")) if "id" in item else len(objects), item)
            if len(items) < page_size:
                return [*objects.values()]
            page += 1

    def wait(self, job_id: str, timeout: float = 600) -> Record:
        """Wait until a job has ended and return its result, for example ``{"virtualmachine": {...}}``.

        ``timeout`` in seconds. Raises ``JobFailed``, ``JobLost`` or ``JobTimeout``, each with the job's id.
        """
        return wait_for(self, [job_id], timeout)[job_id]

    def service_time(self) -> float:
        """Return the service's time in seconds since the epoch, by the Date of its last answer.

        What it made is dated by its own clock, which need not be this machine's. Before any answer, or where answers have
        no Date, it is taken to be the same.
        """
        return self.now() - self._ahead

    def _request(self, command: str, params: Params) -> dict[str, str]:
        """Return all parameters of a request as text, unsigned."""
        flat = flatten(params)
        if command in SCOPED and self.scope["account"] and "account" not in flat:
            flat.update({name: str(value) for name, value in self.scope.items() if value is not None})
        flat["command"] = command
        flat["apikey"] = self._key
        if self.response_format == "json":
            flat["response"] = "json"
        return flat

    def _send(self, command: str, flat: dict[str, str], deadline: Deadline | None) -> Record:
        """Send one signed request; return the answer's fields, or raise what is known of the outcome."""
        params = dict(flat)
        if self.signature_expires:
            params.update(expiry(self.signature_expires, self.now()))
        params["signature"] = sign(params, self._secret)
        text = query(params)
        timeout = self.timeout
        if deadline is not None and is_read(flat["command"]):
            # Only reads end with the deadline, and the last one is given its time: cutting short what changes something
            # would leave open whether it was done.
            timeout = min(timeout, max(_LAST_LOOK, deadline.remaining()))
        options: dict[str, t.Any] = {"timeout": timeout, "verify": self.verify, "allow_redirects": False}
        try:
            if len(text) <= LONGEST_GET:
                answer = self._session().get(f"{self.url}?{text}", **options)
            else:
                # The service reads a form as ISO-8859-1 unless it is told the charset; measured on CloudStack 3.0.5.
                form = {"Content-Type": "application/x-www-form-urlencoded; charset=UTF-8"}
                answer = self._session().post(self.url, data=text.encode(), headers=form, **options)
            body = answer.content
        except requests.RequestException as error:
            # `from None`: the exception's own text holds the URL, and so the key and the signature.
            raise self._trouble(command, error) from None
        return self._read(command, answer, body)

    def _read(self, command: str, answer: t.Any, body: bytes) -> Record:
        """Return the fields of an answer, or raise the error that it stands for."""
        status = answer.status_code
        try:
            self._ahead = self.now() - parsedate_to_datetime(answer.headers["Date"]).timestamp()
            dated = True
        except (KeyError, TypeError, ValueError):
            dated = False
        if status == _TOO_MANY_REQUESTS:
            raise NotSent(
                f"{command}: the service takes no more requests for now (HTTP 429)",
                command,
                status,
                retry_after=_retry_after(answer.headers.get("Retry-After")),
            )
        if 300 <= status < 400:
            raise ApiError(
                f"{command}: the endpoint redirects elsewhere (HTTP {status}), which is not followed since the "
                "request carries credentials; set api_url to the address of the API itself",
                command,
                status,
            )
        try:
            _root, content = decode(body, command, status)
        except BadAnswer as error:
            if status == 200 or status >= 500:
                raise BadAnswer(f"{error.message} (HTTP {status})", command, status) from None
            raise ApiError(
                f"{command}: HTTP {status}, and the answer is not one of this API; is api_url right?", command, status
            ) from None
        if "errorcode" in content or status >= 400:
            code, text = content.get("errorcode", status), content.get("errortext", "")
            hint = self._clock_hint() if dated and code == _UNAUTHORISED else ""
            raise ApiError(f"{command}: {text or 'no reason given'} (error {code}){hint}", command, status, code, text)
        return content

    def _trouble(self, command: str, error: t.Any) -> CloudnError:
        """Turn an exception of requests into one that tells what became of the command."""
        if isinstance(error, requests.exceptions.SSLError):
            return NotSent(
                f"{command}: the service's TLS certificate could not be verified; "
                "trust its authority with ca_path, or check api_url",
                command,
                passing=False,
            )
        if isinstance(error, ValueError):  # what requests raises for an address that it can't use
            return UsageError(f"{command}: api_url is no usable http or https address", command)
        if isinstance(error, (requests.exceptions.ConnectTimeout, requests.exceptions.ProxyError)) or _refused(error):
            why = "no connection in time" if isinstance(error, requests.exceptions.ConnectTimeout) else "no connection"
            return NotSent(f"{command}: the service was not reached ({why}); check api_url and the network", command)
        if isinstance(error, requests.exceptions.ReadTimeout):
            return UnknownOutcome(f"{command}: no answer within {self.timeout:g} s (api_timeout)", command)
        return UnknownOutcome(f"{command}: the connection broke before the answer was complete", command)

    def _clock_hint(self) -> str:
        """Say so when the clocks of client and service are too far apart for a signature's life."""
        apart = self._ahead
        if self.signature_expires and abs(apart) > min(self.signature_expires, 60):
            return f"; this machine's clock is {abs(apart):.0f} s {'ahead of' if apart > 0 else 'behind'} the service's"
        return "; check api_key and api_secret"

    def _session(self) -> t.Any:
        """Return this thread's session, made on first use."""
        if requests is None:
            raise ImportError("requests")
        session = getattr(self._threads, "session", None)
        if session is None:
            session = self._threads.session = requests.Session()
            session.auth = _signed_already  # otherwise requests would add what ~/.netrc has for this host
        return session


def is_read(command: str) -> bool:
    """Tell whether a command only reads, so that it may be sent again: the one place that decides it."""
    return bool(_READ.match(command))


def flatten(params: Params) -> dict[str, str]:
    """Return parameters in the text form that the API takes; see ``Client.call``.

    Raises ``UsageError`` for a list item with a comma (the service would cut it in two) and for characters beyond
    the basic plane (the service answers 530; measured on CloudStack 3.0.5).
    """
    flat: dict[str, str] = {}
    for name, value in params.items():
        if value is None:
            continue
        if isinstance(value, dict):
            value = [{"key": key, "value": content} for key, content in value.items()]
        if isinstance(value, (list, tuple)):
            if value and isinstance(value[0], dict):
                for index, item in enumerate(value):
                    for field, content in item.items():
                        flat[f"{name}[{index}].{field}"] = _text(name, content)
                continue
            items = [_text(name, item) for item in value]
            for item in items:
                if "," in item:
                    raise UsageError(f"{name}: {item!r} holds a comma, which separates items there; name it by its id")
            flat[name] = ",".join(items)
        else:
            flat[name] = _text(name, value)
    return flat


def _text(name: str, value: t.Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    text = str(value)
    if not sendable(text):
        raise UsageError(
            f"{name}: {text!r} holds a character beyond the basic plane (an emoji?), which the service refuses"
        )
    return text


def sendable(text: str) -> bool:
    """Tell whether the service takes a text: it answers 530 to characters beyond the basic plane, and a lone surrogate
    is no text at all. Source: measured on CloudStack 3.0.5.
    """
    return not any(character > "\uffff" or "\ud800" <= character <= "\udfff" for character in text)


def _signed_already(request: t.Any) -> t.Any:
    return request


def _refused(error: t.Any) -> bool:
    """Tell whether an exception of requests means that no connection was made, so that nothing was sent."""
    from urllib3.exceptions import MaxRetryError, NewConnectionError

    reason = error.args[0] if error.args else None
    return isinstance(reason, MaxRetryError) and isinstance(reason.reason, NewConnectionError)


def _retry_after(value: str | None) -> float | None:
    """Return the seconds of a Retry-After header, at most a minute; ``None`` where it has none that can be read."""
    return min(60.0, float(value)) if value and value.isdigit() else None
