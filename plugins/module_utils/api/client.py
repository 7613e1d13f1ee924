# Copyright: (c) 2026, the cloudn.compute authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The client: one command, one list, or one wait at the service, as one account."""

from __future__ import annotations

import functools
import re
import time
import typing as t

from . import paging, unordered
from .deadline import Deadline
from .decode import Record, decode
from .errors import PARAMETER_ERROR, ApiError, BadAnswer, NotGranted, TooLarge, UsageError
from .signature import expiry, query, sign
from .transport import Answer, Request, Transport

if t.TYPE_CHECKING:
    from .ec2 import Ec2Client

Params = t.Mapping[str, t.Any]

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
# Case counts in the names of native commands, not in those of EC2's actions. Source: measured on CloudStack 3.0.5 and its bridge.
_READ = re.compile(r"(list|query|get)[A-Z]|(?i:describe|get)[a-zA-Z]")
# A reading command that every account has: it shows whether credentials hold.
_KNOWN = "listZones"
_UNAUTHORISED, _NOT_GRANTED = 401, 432
# HTTP statuses that nobody else uses: the service itself refused, whatever became of its words. Measured on CloudStack 3.0.5.
_REFUSALS = range(430, 438)


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
        verify: whether TLS certificates are verified, or the path of the certificates to trust; see ``Transport``.
        response_format: ``json`` or ``xml``; the values are the same.
        signature_expires: seconds for which a signature holds; 0 sends signatures without an end.
        account, domain_id: act for this account of this domain (both or neither).
        sleep, clock, now: for tests.
        make_ec2: returns a client of the same service's EC2-compatible API, for what only that has.
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
        make_ec2: t.Callable[[], Ec2Client] | None = None,
    ) -> None:
        self.url = url
        self.timeout = timeout
        self.response_format = response_format
        self.signature_expires = signature_expires
        self.scope = {"account": account, "domainid": domain_id}
        self.sleep = sleep
        self.clock = clock
        self.now = now
        self.warnings: list[str] = []
        self._key = key
        self._secret = secret
        self._transport = Transport(timeout, retries, verify, sleep, now)
        self._spelled: dict[str, str] = {}
        self._accepted = False
        self._make_ec2 = make_ec2

    @functools.cached_property
    def ec2(self) -> Ec2Client | None:
        """The client of the same service's EC2-compatible API, ``None`` where it is not known where that is."""
        return self._make_ec2() if self._make_ec2 else None

    def call(self, command: str, params: Params | None = None, deadline: Deadline | None = None) -> Record:
        """Send one command and return the fields of its answer.

        ``params`` are plain Python values: ``None`` is left out, ``True`` becomes ``true``, a list is joined with
        commas, a list of dictionaries becomes ``name[0].key``, a dictionary the same with ``key`` and ``value``.

        Returns the content of the answer's root: ``{"jobid": ...}`` of an asynchronous command, ``{"count": ...,
        "virtualmachine": [...]}`` of a list (empty lists are left out), ``{"securitygroup": {...}}`` of a creation.

        Raises ``UsageError`` for values that can't be sent, ``ApiError`` when the service refuses (``NotGranted`` where it
        does not know the command, or does not grant it to the account), ``NotSent`` when it was not reached,
        ``UnknownOutcome`` when a command that changes something may have been done or not, ``BadAnswer`` when a reading
        command was answered with something unreadable to the end.

        A command is sent under CloudStack's name. Where the service does not know it and its manual has another name, it is
        sent under that one; the client remembers the name that the service knows.
        """
        names = [self._spelled[command]] if command in self._spelled else [command, SPELLINGS.get(command, "")]
        refusal: NotGranted | None = None
        for name in filter(None, names):
            try:
                answer = self._call(name, params or {}, deadline)
            except NotGranted as error:
                refusal = refusal or error
            except ApiError:
                self._spelled[command] = name
                raise
            else:
                self._spelled[command] = name
                return answer
        raise t.cast(NotGranted, refusal)

    def _call(self, command: str, params: Params, deadline: Deadline | None) -> Record:
        """Send one command under exactly this name; see ``call``."""
        flat = self._request(command, params)

        def send() -> Record:
            return self._transport.exchange(
                command, lambda: self._signed(flat), self._read, deadline, repeatable=is_read(command)
            )

        try:
            answer = send()
        except ApiError as error:
            if error.code != _UNAUTHORISED:
                raise
            answer = self._resend(command, send, error, deadline)
        self._accepted = True
        return answer

    def _resend(
        self, command: str, send: t.Callable[[], Record], refusal: ApiError, deadline: Deadline | None
    ) -> Record:
        """Send a command again that was refused as if its credentials were wrong, where the service accepts them otherwise.

        The service looks at credentials before it does anything. A signature may grow old on its way, and a service may
        hiccup. Where both tries are refused, the service does not know the command: raises ``NotGranted``.
        """
        known = self._accepted
        late = self._transport.arrives_ended(self.signature_expires)
        if not known and (late or not self._credentials_hold(command, deadline)):
            raise refusal
        try:
            return send()
        except ApiError as error:
            if error.code != _UNAUTHORISED or (known and not self._credentials_hold(command, deadline)):
                raise
            raise NotGranted(
                f"{command}: the service refuses the credentials for this command (error {error.code}), which it accepts for "
                "other commands",
                command,
                error.status,
                error.code,
                error.text,
            ) from None

    def _credentials_hold(self, refused: str, deadline: Deadline | None) -> bool:
        """Tell whether the service accepts the credentials now, by a command that it knows. Raises what ``call`` raises."""
        if refused == _KNOWN:
            return False
        flat = self._request(_KNOWN, {})
        try:
            self._transport.exchange(_KNOWN, lambda: self._signed(flat), self._read, deadline, repeatable=True)
        except ApiError as error:
            return error.code != _UNAUTHORISED
        self._accepted = True
        return True

    def list(
        self,
        command: str,
        params: Params | None = None,
        first: int = paging.LARGEST,
        deadline: Deadline | None = None,
    ) -> list[Record]:
        """Return all objects of a listing command; see ``pages``."""
        return [item for page in self.pages(command, params, first, deadline) for item in page]

    def pages(
        self,
        command: str,
        params: Params | None = None,
        first: int = paging.LARGEST,
        deadline: Deadline | None = None,
        begun: Record | None = None,
    ) -> t.Iterator[t.List[Record]]:
        """Yield all objects of a listing command, page by page, as they are read.

        The first page has ``first`` objects: so many cost one request. Where there are more, further pages are read ahead
        over connections of their own, so a small first page is for lists that are expected to be long, of objects that the
        service is slow to list. Each object is yielded once, though others come and go meanwhile, and none that is there
        all the time is left out; see ``paging.read``, and ``unordered.read`` for lists in no order. The order is the
        service's. ``begun`` is the answer for the first page where it is there already.

        Raises what ``call`` raises, for any page, and ``CloudnError`` where the list changes too fast to be read.
        """
        answers = [begun] if begun else []

        def fetch(page: paging.Page, limit: Deadline) -> t.List[Record]:
            if answers:
                return listed(answers.pop())
            return self.page(command, params, page, limit)

        if command in unordered.COMMANDS:
            yield from unordered.read(command, fetch, self.clock, deadline)
        else:
            yield from paging.read(command, fetch, first, self.clock, deadline)

    def page(
        self, command: str, params: Params | None, page: paging.Page, deadline: Deadline | None = None
    ) -> t.List[Record]:
        """Return the objects on one page of a listing command; raises what ``call`` raises."""
        return listed(self.call(command, {**(params or {}), "page": page.number, "pagesize": page.size}, deadline))

    def warn(self, text: str) -> None:
        """Keep what the user is to be told beside the result, once: ``warnings`` has it for whoever runs this client."""
        if text not in self.warnings:
            self.warnings.append(text)

    def wait(self, job_id: str, timeout: float = 600) -> Record:
        """Wait until a job has ended and return its result, for example ``{"virtualmachine": {...}}``.

        ``timeout`` in seconds. Raises ``JobFailed``, ``JobLost`` or ``JobTimeout``, each with the job's id.
        """
        from .jobs import wait_for  # here, as in ``await_pending``: most runs of a module have no job to wait for

        return wait_for(self, [job_id], timeout)[job_id]

    def await_pending(self, keyword: str, object_id: str | None, deadline: Deadline) -> None:
        """Wait until no job is pending that may be about an object; see ``jobs.await_pending``."""
        from .jobs import await_pending

        await_pending(self, keyword, object_id, deadline)

    def service_time(self) -> float:
        """Return the service's time in seconds since the epoch, by the Date of its last answer.

        What it made is dated by its own clock, which need not be this machine's. Before any answer, or where answers have
        no Date, it is taken to be the same.
        """
        return self._transport.service_time()

    def clocks(self) -> str:
        """Say how far this machine's clock is from the service's, where signatures have an end, and it is worth a word."""
        return self._transport.clocks() if self.signature_expires else ""

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

    def _signed(self, flat: t.Mapping[str, str]) -> Request:
        """Return a request to send now: signed anew, so that it holds for its full life."""
        params = dict(flat)
        if self.signature_expires:
            params.update(expiry(self.signature_expires, self.now()))
        params["signature"] = sign(params, self._secret)
        text = query(params)
        if len(text) <= LONGEST_GET:
            return Request(f"{self.url}?{text}")
        # The service reads a form as ISO-8859-1 unless it is told the charset; measured on CloudStack 3.0.5.
        return Request(self.url, text.encode(), "application/x-www-form-urlencoded; charset=UTF-8")

    def _read(self, command: str, answer: Answer) -> Record:
        """Return the fields of an answer, or raise the error that it stands for."""
        status = answer.status
        try:
            _root, content = decode(answer.body, command, status)
        except TooLarge:
            raise
        except BadAnswer as error:
            if status == 200 or status >= 500:
                raise BadAnswer(f"{error.message} (HTTP {status})", command, status) from None
            if status in _REFUSALS:
                raise ApiError(
                    f"{command}: refused, for a reason that can't be read (error {status})", command, status, status
                ) from None
            raise ApiError(
                f"{command}: HTTP {status}, and the answer is not one of this API; is api_url right?", command, status
            ) from None
        if status >= 500 and "errorcode" not in content:
            # A proxy's words, whatever their form; the command may have been done behind it.
            raise BadAnswer(f"{command}: the answer is not one of this API (HTTP {status})", command, status)
        if "errorcode" in content or status >= 400:
            code, text = content.get("errorcode", status), content.get("errortext", "")
            hint = self._transport.clock_hint(self.signature_expires) if code == _UNAUTHORISED else ""
            refused = NotGranted if code == _NOT_GRANTED else ApiError
            raise refused(f"{command}: {text or 'no reason given'} (error {code}){hint}", command, status, code, text)
        return content


def list_field(answer: Record) -> str | None:
    """Return the name of the field that has the objects which an answer lists, ``None`` where it lists none."""
    return next((name for name, value in answer.items() if isinstance(value, list)), None)


def listed(answer: Record) -> list[Record]:
    """Return the objects that an answer lists."""
    objects: list[Record] = answer.get(list_field(answer) or "", [])
    return objects


def listing(client: Client, command: str, query: Record, *ids: str, deadline: Deadline | None = None) -> list[Record]:
    """Return the objects that a listing finds, as the API has them.

    An id that does not exist finds nothing; for the API it would be an error. ``ids`` are the fields of the query that hold
    one.
    """
    try:
        return client.list(command, query, deadline=deadline)
    except ApiError as error:
        if error.code == PARAMETER_ERROR and any(query.get(field) for field in ids):
            return []
        raise


def is_read(command: str) -> bool:
    """Tell whether a command, or an action of EC2, only reads, so that it may be sent again: the one place that decides it."""
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
