# Copyright: (c) 2026, the cloudn.compute authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The client of the native API: sends a command, reads a list, or waits for a job, as one account."""

from __future__ import annotations

import functools
import re
import typing as t

from . import paging, planned_ids
from .deadline import Deadline
from .decode import Record, decode
from .errors import (
    INTERNAL,
    PARAMETER_ERROR,
    ApiError,
    BadAnswer,
    CloudnError,
    NotGranted,
    Overloaded,
    Throttled,
    TooLarge,
    UsageError,
    shown,
)
from .page_size import PageSize
from .roots import OF_ERRORS, begins_job, is_own
from .settings import Settings
from .signature import expiry, query, sign
from .transport import TOO_MANY_REQUESTS, Answer, Request, Transport
from .waits import Waits

if t.TYPE_CHECKING:
    from .ec2 import Ec2Client
    from .planned_ids import Planned

Params = t.Mapping[str, t.Any]

# A longer query of a read is sent as a form (POST), as servers refuse lines of more than 8 kB. A shorter one is sent as GET, as in the
# manual. Both work for every command; measured on CloudStack 3.0.5.
LONGEST_GET = 4000
# Seconds that a signature may live where the server enforces that; measured on CloudStack 4.23.
_LONGEST_LIFE = 900
# These commands take `account` and `domainid`, the owner of the objects. Source: CloudStack 3.0.5 declares them, and 4.23 those
# of affinity groups.
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
        "listAffinityGroups",
        "createAffinityGroup",
        "deleteAffinityGroup",
    ]
)
# Names in CloudStack, and other names in the service's manual. CloudStack's name is tried first. Source: the manual, and
# measured on CloudStack 3.0.5, which does not know the manual's names (432).
SPELLINGS = {"registerTemplate": "uploadTemplate", "listSnapshots": "listSnapshot"}
# Native commands are case-sensitive, EC2's actions are not. Source: measured on CloudStack 3.0.5 and its bridge.
_READ = re.compile(r"(list|query|get)[A-Z]|(?i:describe|get)[a-zA-Z]")
# A reading command that every account has. It shows whether the service accepts the credentials.
_GRANTED_TO_ALL = "listZones"
_UNAUTHORISED, _NOT_GRANTED = 401, 432
_OK, _URI_TOO_LONG = 200, 414
_OLDEST = 3  # the generation of a service that does not tell its version
_RETRY_AFTER = re.compile(r"retry after \[(\d{1,9})\] ms")
_LONGEST_WAIT = 600.0  # seconds


class Client:
    """Talks to one endpoint as one account.

    Every call signs anew and uses a kept-alive session of its thread, so several threads may use one client. Reading
    commands are retried, after pauses that grow and differ by chance. A command that changes something is sent again only
    if it certainly did not reach the service.

    Arguments:
        url: the endpoint, for example ``https://.../client/api``.
        key, secret: the account's API key and secret key.
        response_format: ``json`` or ``xml``; the values are the same.
        account, domain_id: act for this account of this domain (both or neither).
        make_ec2: returns a client of the same service's EC2-compatible API, for commands that only that API has.
        settings: the fields of ``Settings`` (``timeout``, ``retries``, ``verify``, ...).
    """

    def __init__(
        self,
        url: str,
        key: str,
        secret: str,
        response_format: str = "json",
        account: str | None = None,
        domain_id: str | None = None,
        make_ec2: t.Callable[[], Ec2Client] | None = None,
        **settings: t.Any,
    ) -> None:
        common = Settings(**settings)
        self.url = url
        self.response_format = response_format
        self.scope = {"account": account, "domainid": domain_id}
        self.timeout = common.timeout
        self.signature_expires = common.signature_expires
        self.sleep = common.sleep
        self.clock = common.clock
        self.now = common.now
        self.warnings: list[str] = []
        self.waits = Waits()
        self._key = key
        self._secret = secret
        self._transport = Transport(common)
        self._spelled: dict[str, str] = {}
        self._accepted: set[str] = set()
        self._job_ids: set[str] = set()
        self._unknown: dict[str, NotGranted] = {}
        self._generation: int | None = None
        self._offered: dict[str, bool] = {}
        self._make_ec2 = make_ec2
        self.page_size = PageSize()
        self.task_deadline: Deadline | None = None  # for lists that have no deadline of their own
        self.planned: Planned | None = None  # what tasks in check mode have planned; only then there is any

    @functools.cached_property
    def ec2(self) -> Ec2Client | None:
        """The client of the same service's EC2-compatible API, ``None`` where its address is not known."""
        return self._make_ec2() if self._make_ec2 else None

    def call(self, command: str, params: Params | None = None, deadline: Deadline | None = None) -> Record:
        """Send one command and return the fields of its answer.

        ``params`` are plain Python values. ``None`` is left out, ``True`` becomes ``true``. A list is joined with commas. A
        list of dictionaries becomes ``name[0].key``. A dictionary becomes the same, with ``key`` and ``value``.

        Returns the content of the answer's root: ``{"jobid": ...}`` of an asynchronous command, ``{"count": ...,
        "virtualmachine": [...]}`` of a list (empty lists are left out), ``{"securitygroup": {...}}`` of a creation.

        Raises ``UsageError`` for values that can't be sent, ``ApiError`` where the service refuses (``NotGranted`` where it
        does not know the command, or does not grant it to the account), ``NotSent`` where it was not reached,
        ``UnknownOutcome`` where a command that changes something may have been done or not, ``BadAnswer`` where all answers
        to a reading command were unreadable.

        A command is sent under CloudStack's name. If the service does not know that and its manual has another name, the
        command is sent under the other. The client remembers the name that the service knows.
        """
        if self.planned:
            return self.planned.answer(command, params or {}, lambda: self._send(command, params, deadline))
        return self._send(command, params, deadline)

    def _send(self, command: str, params: Params | None, deadline: Deadline | None) -> Record:
        """Send one command under the name that the service knows, and return the fields of its answer; see ``call``."""
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

    def generation(self, deadline: Deadline | None = None) -> int:
        """Return the major number of the service's version, such as 3 or 4. It is asked for once, with one request.

        A service that does not tell its version counts as 3. Raises what ``call`` raises, but not ``NotGranted``.
        """
        if self._generation is None:
            try:
                answer = self.call("listCapabilities", {}, deadline)
            except NotGranted:
                answer = {}
            version = str((answer.get("capability") or {}).get("cloudstackversion") or "")
            major = version.partition(".")[0]
            self._generation = int(major) if major.isdigit() else _OLDEST
        return self._generation

    def offers(self, command: str, deadline: Deadline | None = None) -> bool:
        """Tell whether the service knows a command and grants it to the account. It is asked once for each command.

        CloudStack 4 tells it of one command (listApis). CloudStack 3 has no such command, so the answer is no.
        Raises what ``call`` raises for other reasons.
        """
        if command not in self._offered:
            try:
                answer = self.call("listApis", {"name": command}, deadline)
                self._offered[command] = bool(answer.get("api"))
            except ApiError as error:
                # An unknown name is an internal error; measured on CloudStack 4.23.
                if not isinstance(error, NotGranted) and error.code != INTERNAL:
                    raise
                self._offered[command] = False
        return self._offered[command]

    def _call(self, command: str, params: Params, deadline: Deadline | None) -> Record:
        """Send one command under exactly this name; see ``call``."""
        if command in self._unknown:
            raise self._unknown[command]
        flat = self._request(command, params)
        self.waits.command = command

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
        self._accepted.add(command)
        self._check_job(command, answer)
        return answer

    def _check_job(self, command: str, answer: Record) -> None:
        """Raise ``BadAnswer`` for an answer to a change that names the job of an earlier answer. Each change has its own."""
        job_id = None if is_read(command) else answer.get("jobid")
        if job_id is None:
            return
        if not isinstance(job_id, str) or job_id in self._job_ids:
            raise BadAnswer(f"{command}: the answer names {job_id!r}, which is not a new job", command)
        self._job_ids.add(job_id)

    def _resend(
        self, command: str, send: t.Callable[[], Record], refusal: ApiError, deadline: Deadline | None
    ) -> Record:
        """Send a command again after error 401, if the service accepts the credentials for other commands.

        The service checks credentials before it does anything. A signature may have expired on its way, or the service may
        have made a mistake once. After two refusals of a command that was never accepted, the service does not know the
        command: raises ``NotGranted``.
        """
        known = bool(self._accepted)
        late = self._transport.clock.expires_on_the_way(self.signature_expires)
        if not known and (late or not self._credentials_hold(command, deadline)):
            raise refusal
        try:
            return send()
        except ApiError as error:
            if error.code != _UNAUTHORISED or command in self._accepted:
                raise
            if known and not self._credentials_hold(command, deadline):
                raise
            text = (
                f"{command}: the service does not know this command, or does not grant it to the account: it refuses the "
                f"credentials for it (error {error.code}), and accepts them for other commands{_advice(command)}"
            )
            self._unknown[command] = NotGranted(text, command, error.status, error.code, error.text)
            raise self._unknown[command] from None

    def _credentials_hold(self, refused: str, deadline: Deadline | None) -> bool:
        """Ask the service whether it accepts the credentials now. Raises what ``call`` raises."""
        if refused == _GRANTED_TO_ALL:
            return False
        flat = self._request(_GRANTED_TO_ALL, {})
        try:
            self._transport.exchange(_GRANTED_TO_ALL, lambda: self._signed(flat), self._read, deadline, repeatable=True)
        except ApiError as error:
            return error.code != _UNAUTHORISED
        self._accepted.add(_GRANTED_TO_ALL)
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

        The first page has ``first`` objects and costs one request. Further pages are read ahead, over connections of their
        own. So a small first page is good for long lists of objects that the service is slow to list. Each object is
        yielded once, in the service's order, also if others come and go meanwhile. No object that is there all the time is
        left out; see ``paging.read``, ``counted.read`` for lists whose order is not known to stand, and ``unordered.read`` for
        lists in no order. ``begun`` is the answer with the first page, where the caller has it already.

        Raises what ``call`` raises, for any page, and ``CloudnError`` where the list changes too fast, does not end, or the
        service gives fewer objects than it counts.
        """
        return self.laid(command, params, self.read(command, params, first, deadline, begun))

    def laid(self, command: str, params: Params | None, read: t.Iterator[t.List[Record]]) -> t.Iterator[t.List[Record]]:
        """Return the pages of a listing with what check mode has planned. ``read`` yields those of the service."""
        return self.planned.pages(command, params or {}, read) if self.planned else read

    def read(
        self,
        command: str,
        params: Params | None = None,
        first: int = paging.LARGEST,
        deadline: Deadline | None = None,
        begun: Record | None = None,
    ) -> t.Iterator[t.List[Record]]:
        """Yield the objects that the service lists, without what check mode has planned; see ``pages``."""
        answers = [begun] if begun else []
        last = paging.last_moment(self.task_deadline, self.clock)

        def fetch(page: paging.Page, limit: Deadline) -> t.List[Record]:
            if answers:
                return paging.objects(answers.pop())
            paging.check_limits(command, page, last)
            return self.page(command, params, page, limit)

        first = min(first, self.page_size.largest)
        if command in paging.SOUND:
            yield from paging.read(command, fetch, first, self.clock, deadline)
            return
        from . import counted, unordered  # here, as many runs of a module need neither

        if command in unordered.COMMANDS:
            yield from unordered.read(command, fetch, self.clock, deadline)
        else:
            yield from counted.read(command, fetch, first, self.clock, deadline)

    def page(
        self, command: str, params: Params | None, page: paging.Page, deadline: Deadline | None = None
    ) -> paging.Objects:
        """Return the objects on one page of a listing command.

        Raises what ``call`` raises, and ``PageTooLarge`` if the service does not give pages of this size.
        """
        found = paging.objects(self._page(command, params, page, deadline))
        self.waits.take(command, page.number, len(found), found.total)
        return found

    def first_page(self, command: str, params: Params | None = None) -> Record:
        """Return the answer with the first page of a listing command. The page is as large as the service allows."""
        if not self.planned:
            return self._first_page(command, params)

        def read() -> t.Iterator[t.List[Record]]:  # lazy, as a query about a planned object is not sent
            yield paging.objects(self._first_page(command, params))

        found = [item for page in self.planned.pages(command, params or {}, read()) for item in page]
        return {"count": len(found), "objects": found}

    def _first_page(self, command: str, params: Params | None) -> Record:
        while True:
            try:
                return self._page(command, params, paging.Page(1, self.page_size.largest), None)
            except paging.PageTooLarge:
                continue

    def _page(self, command: str, params: Params | None, page: paging.Page, deadline: Deadline | None) -> Record:
        """Return the answer with one page of a listing command; see ``page``."""
        query = params or {}

        def send(page: paging.Page | None) -> Record:
            numbers = {"page": page.number, "pagesize": page.size} if page else {}
            return self.call(command, {**query, **numbers}, deadline)

        return self.page_size.ask(command, query, page, send)

    def warn(self, text: str) -> None:
        """Add a warning for the user to ``warnings``, once. The caller shows them with the result."""
        if text not in self.warnings:
            self.warnings.append(text)

    def wait(self, job_id: str, timeout: float = 600) -> Record:
        """Wait until a job has ended and return its result, for example ``{"virtualmachine": {...}}``.

        ``timeout`` in seconds. Raises ``JobFailed``, ``JobLost`` or ``JobTimeout``, each with the job's id.
        """
        from .jobs import wait_for  # here, as in ``await_pending``: most runs of a module wait for no job

        return wait_for(self, [job_id], timeout)[job_id]

    def await_pending(self, keyword: str, object_id: str | None, deadline: Deadline) -> None:
        """Wait until no pending job may concern an object; see ``jobs.await_pending``."""
        from .jobs import await_pending

        await_pending(self, keyword, object_id, deadline)

    def service_time(self) -> float:
        """Return the service's time in seconds since the epoch, by the Date of its last answer.

        Its objects have dates by its own clock, which may differ from this machine's. Before any answer, or if answers have
        no Date, the clocks are taken to be the same.
        """
        return self._transport.clock.time()

    def clock_difference(self) -> str:
        """Return a text that tells the difference of the clocks, if signatures expire and the difference matters."""
        return self._transport.clock.describe() if self.signature_expires else ""

    def _request(self, command: str, params: Params) -> dict[str, str]:
        """Return all parameters of a request as text, unsigned."""
        flat = flatten(params)
        planned_ids.check_request(flat)
        if command in SCOPED and self.scope["account"] and "account" not in flat:
            flat.update({name: str(value) for name, value in self.scope.items() if value is not None})
        flat["command"] = command
        flat["apikey"] = self._key
        if self.response_format == "json":
            flat["response"] = "json"
        return flat

    def _signed(self, flat: t.Mapping[str, str]) -> Request:
        """Return a request to send now. Its new signature has its full life."""
        params = dict(flat)
        if self.signature_expires:
            params.update(expiry(self.signature_expires, self.now()))
        params["signature"] = sign(params, self._secret)
        text = query(params)
        # A server may take changes by POST alone; measured on CloudStack 4.23 (enforce.post.requests.and.timestamps).
        if is_read(flat["command"]) and len(text) <= LONGEST_GET:
            return Request(f"{self.url}?{text}")
        # Without a charset the service reads a form as ISO-8859-1; measured on CloudStack 3.0.5.
        return Request(self.url, text.encode(), "application/x-www-form-urlencoded; charset=UTF-8")

    def _read(self, command: str, answer: Answer) -> Record:
        """Return the fields of an answer, or raise its error.

        Only an error of this API, with the root of this command, is a refusal. Whatever else is answered, the command may
        have been done: a server in front of the service may have written it.
        """
        status = answer.status
        try:
            root, content = decode(answer.body, command, status)
        except TooLarge:
            raise
        except BadAnswer as error:
            raise _unreadable(command, answer, error, self.url) from None
        is_error = "errorcode" in content
        if is_own(root, command) or (is_error and root == OF_ERRORS):
            if is_error and content["errorcode"] == status:
                throttled = status == TOO_MANY_REQUESTS
                raise _throttled(command, content, answer) if throttled else self._refusal(command, content, status)
            wrong = _lack(command, status, content)
        else:
            wrong = f"the root {root[:50]!r} belongs to another command, or to another service"
        if wrong:
            bad = BadAnswer(f"{command}: the answer can't be read: {wrong}", command, status)
            raise _unreadable(command, answer, bad, self.url)
        return content

    def _refusal(self, command: str, content: Record, status: int) -> ApiError:
        """Return the error for a refusal by the service."""
        code, text = content["errorcode"], content.get("errortext", "")
        hint = self._credentials_hint() if code == _UNAUTHORISED else ""
        hint = _advice(command) if code == _NOT_GRANTED else hint
        refused = NotGranted if code == _NOT_GRANTED else ApiError
        return refused(f"{command}: {text or 'no reason given'} (error {code}){hint}", command, status, code, text)

    def _credentials_hint(self) -> str:
        """Return a hint for a refusal of credentials."""
        life = self.signature_expires
        hint = self._transport.clock.hint(life)
        if 0 < life <= _LONGEST_LIFE:
            return hint
        return (
            f"{hint}. signature_expires is {life}, but some services take only signatures that live 1 to {_LONGEST_LIFE} s: leave "
            "it out, or set it to such a number"
        )


def _advice(command: str) -> str:
    """Return the hint at a known command whose name is like that of an unknown one."""
    from .commands import nearest  # here, as most runs never need it

    known = nearest(command)
    return f". Is {known} meant?" if known else ""


def _throttled(command: str, content: Record, answer: Answer) -> Throttled:
    """Return the error for error 429 of the service itself: nothing was done.

    The service tells in the text how long to wait; measured on CloudStack 4.23, which sends no Retry-After. It is the one
    thing that is read from a text.
    """
    text = str(content.get("errortext") or "")
    told = _RETRY_AFTER.search(text)
    wait = min(_LONGEST_WAIT, int(told[1]) / 1000) if told and answer.retry_after is None else answer.retry_after
    return Throttled(
        f"{command}: the service takes no more requests of this account for now: {text}",
        command,
        answer.status,
        retry_after=wait,
    )


def _lack(command: str, status: int, content: Record) -> str:
    """Return what an answer lacks to be a success. Empty if it is one."""
    if "errorcode" in content:
        return f"its error code {str(content['errorcode'])[:20]!r} is not its HTTP status"
    if status != _OK:
        return "it is neither an error nor a success of this API"
    if is_read(command):
        return ""
    if content.get("success") is False:
        return "the service says that it was no success"
    # Recorded from CloudStack 3.0.5 and 4.23: the answer to each change has a job, an object or `success`.
    if begins_job(command) and "jobid" not in content:
        return "it has no job"
    return "" if content else "it is empty"


def _unreadable(command: str, answer: Answer, error: BadAnswer, url: str) -> CloudnError:
    """Return the error to raise for an answer that is none of this API, by its HTTP status."""
    status = answer.status
    if status == TOO_MANY_REQUESTS:
        return Overloaded(command, status, answer.retry_after)
    if status == _URI_TOO_LONG and is_read(command):
        return ApiError(
            f"{command}: the server refuses a request of this length (HTTP {status}); give fewer or shorter values",
            command,
            status,
        )
    if status == _OK or status >= 500:
        return BadAnswer(f"{error.message} (HTTP {status})", command, status)
    text = f"{command}: HTTP {status}, and the answer is not one of this API; is api_url right? It is {shown(url)}"
    return BadAnswer(text, command, status)


def listing(client: Client, command: str, query: Record, *ids: str, deadline: Deadline | None = None) -> list[Record]:
    """Return the objects of a listing, as the API has them.

    An id that does not exist finds nothing, though the API answers with an error. ``ids`` are the fields of the query that
    hold an id.
    """
    try:
        return client.list(command, query, deadline=deadline)
    except ApiError as error:
        if error.code == PARAMETER_ERROR and any(query.get(field) for field in ids):
            return []
        raise


def is_read(command: str) -> bool:
    """Tell whether a command, or an action of EC2, only reads, so it may be sent again. No other place decides this."""
    return bool(_READ.match(command))


def flatten(params: Params) -> dict[str, str]:
    """Return parameters in the text form that the API takes; see ``Client.call``.

    Raises ``UsageError`` for a list item with a comma (the service would cut it in two) and for characters beyond
    the basic plane (the service answers 530; measured on CloudStack 3.0.5).
    """
    flat: dict[str, str] = {}
    for name, value in params.items():
        if isinstance(value, dict):
            value = [{"key": key, "value": content} for key, content in value.items()]
        if not isinstance(value, (list, tuple)):
            if value is not None:
                flat[name] = _text(name, value)
        elif value and isinstance(value[0], dict):
            for index, item in enumerate(value):
                flat.update((f"{name}[{index}].{field}", _text(name, content)) for field, content in item.items())
        else:
            flat[name] = ",".join(_item(name, item) for item in value)
    return flat


def _item(name: str, item: t.Any) -> str:
    text = _text(name, item)
    if "," in text:
        raise UsageError(f"{name}: {text!r} holds a comma, which separates the items of a list; give its id instead")
    return text


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
    """Tell whether the service takes a text.

    It answers 530 to characters beyond the basic plane; measured on CloudStack 3.0.5. A lone surrogate is no text at all.
    """
    return not any(character > "\uffff" or "\ud800" <= character <= "\udfff" for character in text)
