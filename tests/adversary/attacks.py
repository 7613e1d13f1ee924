# Copyright: (c) 2026, the cloudn.compute authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the adversary does: each attack with the requests that it is for. The proxy carries it out."""

from __future__ import annotations

import functools
import re
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from email.utils import formatdate
from typing import Any

from bodies import (
    GATEWAYS,
    HTML,
    JSON,
    PAGE,
    STYLES,
    XML,
    bomb,
    content_of,
    job_of,
    packed,
    root,
    with_content,
    with_job,
    written,
)
from proxy import Act, Answer, Exchange

READ, CHANGE, JOB = "read", "change", "job"
ANY = (READ, CHANGE, JOB)


@dataclass(frozen=True)
class Attack:
    """What is done with a request.

    Attributes:
        kind: what reports count it as.
        at: the roles of the requests that it is for.
        lasts: it is done with this command from then on, not once.
        silent: the client has to wait for an answer in real time, so its timeout is short.
        twin: it needs the answers to the twin of the task.
        only_json: it is written for JSON.
        lists: it is for listings only.
        many: the requests of all commands of the role are attacked, not of one.
        late: a request is done after the task has ended, so two objects may be left, and the next run names them.
        race: two requests at one moment find one name free.
    """

    kind: str
    name: str
    act: Act
    at: tuple[str, ...] = ANY
    lasts: bool = False
    silent: bool = False
    twin: bool = False
    only_json: bool = False
    lists: bool = False
    many: bool = False
    late: bool = False
    race: bool = False

    def fits(self, command: str, role: str) -> bool:
        """Tell whether the attack is for a request with this command, of this role."""
        return role in self.at and (not self.lists or command.startswith("list"))


def _replying(answer: Answer, done: bool) -> Act:
    """Send this answer, after the service has done the request, or not."""

    def act(exchange: Exchange) -> None:
        if done:
            exchange.forward()
        exchange.reply(answer)

    return act


def _changing(change: Callable[[Exchange, Answer], Answer]) -> Act:
    """Have the request done, and send its answer changed."""

    def act(exchange: Exchange) -> None:
        exchange.reply(change(exchange, exchange.forward()))

    return act


def _sending(write: Callable[[Answer], bytes], close: bool = False) -> Act:
    """Have the request done, and send these bytes for its answer. The connection is closed after them, or stays."""

    def act(exchange: Exchange) -> None:
        exchange.send(write(exchange.forward()))
        if close:
            exchange.close()

    return act


# --- 200 with a foreign body


def _another_commands(exchange: Exchange, _answer: Answer) -> Answer:
    """Return the answer that the twin's task got to another command."""
    others = [answers[0] for command, answers in exchange.proxy.taped.items() if command != exchange.command]
    return others[exchange.nth % len(others)] if others else written("listeventsresponse", {}, exchange.is_json)


def _twins(exchange: Exchange, answer: Answer) -> Answer:
    """Return the answer that the twin's task got to the same command. Without one, the answer stays."""
    answers = exchange.proxy.taped.get(exchange.command)
    return answers[min(exchange.nth, len(answers) - 1)] if answers else answer


def _rooted(name: str, content: Any) -> Callable[[Exchange, Answer], Answer]:
    return lambda exchange, _answer: written(name or root(exchange.command), content, exchange.is_json)


def _foreign() -> list[Attack]:
    found = []
    for name, (content_type, body) in GATEWAYS.items():
        answer = Answer(body=body, content_type=content_type)
        found += [
            Attack("200 with a foreign body", f"{name}, done", _replying(answer, True)),
            Attack("200 with a foreign body", f"{name}, not done", _replying(answer, False), (CHANGE,)),
            Attack("200 with a foreign body", f"{name}, for ever", _replying(answer, False), lasts=True),
        ]
    others: dict[str, Callable[[Exchange, Answer], Answer]] = {
        "another command's answer": _another_commands,
        "another list, empty": _rooted("listeventsresponse", {}),
        "another list": _rooted("listvolumesresponse2", {"count": 1, "volume": [{"id": "1", "name": "x"}]}),
        "another command's success": _rooted("deleteeventsresponse", {"success": "true"}),
        "the root of an error, empty": _rooted("errorresponse", {}),
    }
    for name, change in others.items():
        found.append(Attack("another command's answer", name, _changing(change), twin=True))
        found.append(Attack("another command's answer", f"{name}, for ever", _changing(change), lasts=True, twin=True))
    for name, content in (("empty", {}), ("null", None), ("text", "done"), ("number", 7)):
        found.append(Attack("its own root without content", name, _changing(_rooted("", content)), (CHANGE, JOB)))
    found.append(
        Attack("another object's answer", "to a change", _changing(_twins), (CHANGE,), twin=True),
    )
    return found


# --- done or not, answered with a status that is not the service's


STATUSES = (
    *(202, 203, 204, 205, 206, 300, 301, 302, 303, 304, 307, 308),
    *(
        400,
        401,
        402,
        403,
        404,
        405,
        407,
        408,
        409,
        410,
        411,
        413,
        414,
        421,
        422,
        423,
        425,
        429,
        430,
        431,
        432,
        451,
        499,
    ),
    *(500, 501, 502, 503, 504, 505, 507, 511, 520, 530, 532, 536, 599, 700, 999),
)
ELSEWHERE = (("Location", "http://127.0.0.1:9/login"),)


def _statuses() -> list[Attack]:
    found = []
    for status in STATUSES:
        styles = STYLES if status in (403, 404, 408, 429, 431, 502) else [[*STYLES][status % len(STYLES)]]
        for style in styles:
            content_type, body = STYLES[style]
            headers = ELSEWHERE if 300 <= status < 400 else ()
            body = b"" if status in (204, 205, 304) else body
            answer = Answer(status, body, content_type, headers, "Whatever")
            for done in (True, False):
                name = f"{status} {style}, {'done' if done else 'not done'}"
                found.append(Attack(f"status {status}", name, _replying(answer, done), ANY if done else (CHANGE,)))
    for status in (301, 401, 403, 404, 429, 431, 503):
        content_type, body = STYLES["page"]
        act = _replying(Answer(status, body, content_type, reason="Whatever"), False)
        found.append(Attack(f"status {status}", f"{status} page, for ever", act, lasts=True))
    return found


# --- jobs


def _same_job(exchange: Exchange) -> None:
    """Name one job for all commands: the first."""
    answer = exchange.forward()
    own = job_of(answer) if exchange.command not in ("queryAsyncJobResult", "listAsyncJobs") else ""
    if own:
        answer = with_job(answer, exchange.proxy.memory.setdefault("job", own))
    exchange.reply(answer)


def _twins_job(*kept: str, without: tuple[str, ...] = ()) -> Act:
    """Answer with the job of the twin's task, in which these fields are those of the own job, and others lack."""

    def change(exchange: Exchange, answer: Answer) -> Answer:
        if answer.status != 200:
            return answer
        name, own = content_of(answer)
        taped = [content_of(one) for one in exchange.proxy.taped.get("queryAsyncJobResult", [])]
        ended = [content for _name, content in taped if content.get("jobstatus")]
        if name != root("queryAsyncJobResult") or not ended:
            return answer
        nth = exchange.proxy.memory.setdefault(exchange.request.params.get("jobid"), len(exchange.proxy.memory))
        foreign = {field: value for field, value in ended[nth % len(ended)].items() if field not in without}
        same = {field: own.get(field, exchange.request.params["jobid"] if field == "jobid" else None) for field in kept}
        return with_content(answer, name, {**foreign, **{field: value for field, value in same.items() if value}})

    return _changing(change)


def _raw_twins_job(exchange: Exchange) -> None:
    """Answer with the very bytes of the last answer about a job of the twin's task."""
    answers = exchange.proxy.taped.get(exchange.command)
    exchange.reply(answers[-1] if answers else exchange.forward())


def _job_with(**fields: Any) -> Act:
    """Answer with the own job, in which these fields are others. ``None`` leaves one out."""

    def change(_exchange: Exchange, answer: Answer) -> Answer:
        if answer.status != 200:
            return answer
        name, own = content_of(answer)
        if name == root("listAsyncJobs"):
            listed = [_changed(job, fields) for job in own.get("asyncjobs", [])]
            return with_content(answer, name, {**own, "asyncjobs": listed} if listed else own)
        return with_content(answer, name, _changed(own, fields))

    return _changing(change)


def _changed(job: dict[str, Any], fields: dict[str, Any]) -> dict[str, Any]:
    return {field: value for field, value in {**job, **fields}.items() if value is not None}


def _jobs() -> list[Attack]:
    pending = {"jobstatus": 0, "jobresult": None, "jobresultcode": 0, "jobresulttype": None}
    foreign: dict[str, Act] = {
        "all": _twins_job(),
        "with our job id": _twins_job("jobid"),
        "with our job id and instance": _twins_job("jobid", "jobinstanceid", "jobinstancetype"),
        "with our job id, without instance": _twins_job("jobid", without=("jobinstanceid", "jobinstancetype")),
        "without job id": _twins_job(without=("jobid", "jobinstanceid", "jobinstancetype")),
    }
    found = [Attack("the same job for two commands", "the same job for two commands", _same_job, (CHANGE,), many=True)]
    for name, act in foreign.items():
        for lasts in (False, True):
            words = f"{name}, for ever" if lasts else name
            found.append(
                Attack("another job's answer", words, act, (JOB,), lasts=lasts, twin=True, only_json=True, many=lasts)
            )
    found.append(Attack("another job's answer", "its bytes", _raw_twins_job, (JOB,), twin=True))
    found.append(Attack("another job's answer", "its bytes, for ever", _raw_twins_job, (JOB,), True, twin=True))
    answers: dict[str, Act] = {
        "pending": _job_with(**pending),
        "of another type": _job_with(jobinstancetype="Volcano"),
        "of another instance": _job_with(jobinstanceid="0f8fad5b-d9cb-469f-a165-70867728950e"),
        "without a status": _job_with(jobstatus=None),
        "status 9": _job_with(jobstatus=9),
        "status as a text": _job_with(jobstatus="done"),
        "without a result": _job_with(jobresult=None),
        "result is a list": _job_with(jobresult=[]),
        "result is a text": _job_with(jobresult="ok"),
        "result is empty": _job_with(jobresult={}),
    }
    for name, act in answers.items():
        found.append(Attack("a job's answer", name, act, (JOB,), only_json=True))
        found.append(Attack("a job's answer", f"{name}, for ever", act, (JOB,), lasts=True, only_json=True, many=True))
    garbage = _replying(Answer(body=b"\x00\xff\xfe garbage", content_type=JSON), False)
    found.append(Attack("a job's answer", "garbage, for ever", garbage, (JOB,), lasts=True, many=True))
    return found


# --- delivered more often, or late


def _delivered(times: int, at_once: bool) -> Act:
    """Have the service do the request so many times, and send the first answer that comes."""

    def act(exchange: Exchange) -> None:
        answers: list[Answer] = []
        threads = [threading.Thread(target=lambda: answers.append(exchange.forward())) for _time in range(times)]
        for thread in threads:
            thread.start()
            if not at_once:
                thread.join()
        for thread in threads:
            thread.join()
        exchange.reply(answers[0])

    return act


def _last_of(times: int) -> Act:
    """Have the service do the request so many times, and send the last answer."""

    def act(exchange: Exchange) -> None:
        for _time in range(times - 1):
            exchange.forward()
        exchange.reply(exchange.forward())

    return act


def _held(how: str, for_requests: int = 0) -> Act:
    """Keep the request until the task has ended, or until so many further requests have come."""

    def act(exchange: Exchange) -> None:
        if for_requests:
            exchange.proxy.hold_for(exchange.request, for_requests)
        else:
            exchange.proxy.hold(exchange.request)
        if how == "504":
            exchange.reply(Answer(504, PAGE, HTML, reason="Gateway Time-out"))
        elif how == "closed":
            exchange.close()
        else:
            exchange.wait()

    return act


def _deliveries() -> list[Attack]:
    changes = (CHANGE,)
    found = [
        Attack("delivered twice", "one after the other", _delivered(2, False), changes),
        Attack("delivered twice", "one after the other, last answer", _last_of(2), changes),
        Attack("delivered twice", "at once", _delivered(2, True), changes),
        Attack("delivered twice", "at one moment", _delivered(2, True), changes, race=True),
        Attack("delivered three times", "one after the other", _delivered(3, False), changes),
        Attack("delivered three times", "one after the other, last answer", _last_of(3), changes),
        Attack("delivered three times", "at one moment", _delivered(3, True), changes, race=True),
        Attack("delivered later", "after the task", _held("504"), changes, late=True),
        Attack("delivered later", "after the task, closed", _held("closed"), changes, late=True),
        Attack("delivered later", "after the task, no answer", _held("silent"), changes, late=True, silent=True),
    ]
    for number in (1, 3, 6):
        found.append(Attack("delivered later", f"{number} requests later", _held("504", number), changes, late=True))
    return found


# --- heads


def _drip(exchange: Exchange) -> None:
    """Send the answer byte by byte."""
    data = exchange.forward().raw()
    for at in range(len(data)):
        exchange.send(data[at : at + 1])
        if exchange.is_gone():
            break
    exchange.close()


def _endless(piece: bytes, begin: Callable[[Answer], bytes] = lambda _answer: b"") -> Act:
    """Begin in a way, and then send a piece for ever."""

    def act(exchange: Exchange) -> None:
        exchange.send(begin(exchange.forward()))
        while not exchange.is_gone():
            exchange.send(piece)
        exchange.close()

    return act


def _silence(begin: Callable[[Answer], bytes] = lambda _answer: b"", done: bool = True) -> Act:
    """Begin an answer, and never go on."""

    def act(exchange: Exchange) -> None:
        answer = exchange.forward() if done else Answer()
        exchange.send(begin(answer))
        exchange.wait()

    return act


def _informed(*lines: str, times: int = 1) -> Callable[[Answer], bytes]:
    """Return bytes of answers of the kind 1xx before the answer."""
    before = "".join(f"HTTP/1.1 {line}\r\n\r\n" for line in lines).encode() * times
    return lambda answer: before + answer.raw()


def _lengths(answer: Answer) -> dict[str, bytes]:
    size, body = len(answer.body), answer.body
    return {
        "too small": answer.head(f"Content-Length: {size // 2}") + body,
        "0": answer.head("Content-Length: 0") + body,
        "negative": answer.head("Content-Length: -7") + body,
        "twice": answer.head(f"Content-Length: {size}", f"Content-Length: {size // 2}") + body,
        "no number": answer.head("Content-Length: many") + body,
        "huge": answer.head(f"Content-Length: {10**30}") + body,
        "and chunked": answer.head(f"Content-Length: {size}", "Transfer-Encoding: chunked") + body,
        "chunked garbage": answer.head("Transfer-Encoding: chunked") + b"zz\r\n" + body,
        "chunked, cut": answer.head("Transfer-Encoding: chunked") + f"{size + 9:x}\r\n".encode() + body,
        "chunked, negative": answer.head("Transfer-Encoding: chunked") + f"-{size:x}\r\n".encode() + body,
    }


HEADS: dict[str, Callable[[Answer], bytes]] = {
    "cut": lambda answer: answer.raw()[:25],
    "cut in a header": lambda answer: answer.head()[:-4],
    "no status": lambda answer: b"HTTP/1.1\r\n\r\n" + answer.body,
    "status is no number": lambda answer: answer.raw().replace(b" 200 ", b" OK! ", 1),
    "status of four digits": lambda answer: answer.raw().replace(b" 200 ", b" 2000 ", 1),
    "no head": lambda answer: answer.body,
    "HTTP/0.9": lambda answer: b"<html>" + answer.body,
    "HTTP/2.0": lambda answer: answer.raw().replace(b"HTTP/1.1", b"HTTP/2.0", 1),
    "a header without a colon": lambda answer: (
        answer.head("nonsense", f"Content-Length: {len(answer.body)}") + answer.body
    ),
    "a NUL in a header": lambda answer: answer.head("X: a\x00b", f"Content-Length: {len(answer.body)}") + answer.body,
    "a header of 100 kB": lambda answer: answer.head("X: " + "x" * 100_000) + answer.body,
    "a thousand headers": lambda answer: answer.head(*[f"X-{number}: 1" for number in range(1000)]) + answer.body,
    "TLS": lambda _answer: b"\x15\x03\x01\x00\x02\x02\x28",
}


def _heads() -> list[Attack]:
    found = [Attack("head", name, _sending(write, close=True)) for name, write in HEADS.items()]
    found += [
        Attack("length", name, _sending(lambda answer, name=name: _lengths(answer)[name], close=True))
        for name in _lengths(Answer())
    ]
    found += [
        Attack(
            "length",
            "too large, then silence",
            _silence(lambda answer: answer.head("Content-Length: 99999") + answer.body),
            silent=True,
        ),
        Attack(
            "length",
            "too large, then closed",
            _sending(lambda answer: answer.head("Content-Length: 99999") + answer.body, True),
        ),
        Attack("length", "none, then silence", _silence(lambda answer: answer.head() + answer.body), silent=True),
        Attack("silence", "head without end", _silence(lambda answer: answer.head()[:-2]), silent=True),
        Attack("silence", "no answer", _silence(), silent=True),
        Attack("silence", "no answer, not done", _silence(done=False), (CHANGE,), silent=True),
        Attack("silence", "no answer, for ever", _silence(done=False), (READ, JOB), silent=True, lasts=True),
        Attack("silence", "drip", _drip, silent=True),
        Attack("silence", "headers without end", _endless(b"X: y\r\n", lambda answer: answer.head()[:-2]), silent=True),
        Attack(
            "silence",
            "chunks without end",
            _endless(b"1\r\n \r\n", lambda answer: answer.head("Transfer-Encoding: chunked")),
            silent=True,
        ),
        Attack("1xx", "100 without end", _endless(b"HTTP/1.1 100 Continue\r\n\r\n"), silent=True),
        Attack("1xx", "100 a hundred times", _sending(_informed("100 Continue", times=100))),
        Attack("1xx", "100 ten thousand times", _sending(_informed("100 Continue", times=10_000))),
        Attack("1xx", "101", _sending(_informed("101 Switching Protocols"))),
        Attack("1xx", "102", _sending(_informed("102 Processing"))),
        Attack("1xx", "103", _sending(_informed("103 Early Hints"))),
        Attack("1xx", "199", _sending(_informed("199 Whatever"))),
        Attack("1xx", "100, 102, 103", _sending(_informed("100 Continue", "102 Processing", "103 Early Hints"))),
        Attack("1xx", "102, for ever", _sending(_informed("102 Processing")), lasts=True),
    ]
    return found


# --- connections


def _stray(exchange: Exchange) -> None:
    """Send the answer and one more, which would be taken for that to the next request."""
    answer = exchange.forward()
    extra = _twins(exchange, answer)
    exchange.send(answer.raw() + extra.raw())


def _stray_after(exchange: Exchange) -> None:
    """Send the answer, and a moment later one more."""
    answer = exchange.forward()
    exchange.reply(answer)
    time.sleep(0.001)
    exchange.reply(_another_commands(exchange, answer))


def _swapped(exchange: Exchange) -> None:
    """Send the answer to the request before, as a connection does that is one answer behind."""
    answer = exchange.forward()
    before = exchange.proxy.memory.get("before", Answer(body=b"{}", content_type=JSON))
    exchange.proxy.memory["before"] = answer
    exchange.reply(before)


def _connections() -> list[Attack]:
    tail = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}"
    return [
        Attack("two answers at once", "the twin's", _stray, twin=True),
        Attack("two answers at once", "the twin's, for ever", _stray, twin=True, lasts=True),
        Attack("two answers at once", "an empty one", _sending(lambda answer: answer.raw() + tail)),
        Attack("two answers at once", "a moment later", _stray_after, twin=True),
        Attack(
            "two answers at once", "bytes after the answer", _sending(lambda answer: answer.raw() + b"\r\n\r\njunk")
        ),
        Attack("one answer behind", "one answer behind", _swapped, lasts=True, many=True),
        Attack("connection", "kept after a bad answer", _replying(Answer(body=b'{"a":', content_type=JSON), True)),
        Attack("connection", "closed without an answer", _sending(lambda _answer: b"", close=True)),
        Attack("connection", "closed after the answer", _sending(lambda answer: answer.raw(), close=True), lasts=True),
    ]


# --- bodies that are packed, coded or broken in odd ways


def _encoded(coding: str, pack: Callable[[bytes], bytes]) -> Act:
    def change(_exchange: Exchange, answer: Answer) -> Answer:
        return answer.but(body=pack(answer.body), headers=(*answer.headers, ("Content-Encoding", coding)))

    return _changing(change)


def _body(change: Callable[[bytes], bytes], content_type: str = "") -> Act:
    return _changing(
        lambda _exchange, answer: answer.but(body=change(answer.body), content_type=content_type or answer.content_type)
    )


def _texts() -> list[Attack]:
    deep = b"[" * 100_000
    found = [
        Attack("packed", "gzip", _encoded("gzip", packed)),
        Attack("packed", "gzip that is cut", _encoded("gzip", lambda body: packed(body)[:-9])),
        Attack("packed", "gzip that is broken", _encoded("gzip", lambda body: packed(body)[:12] + b"\x00" * 30)),
        Attack("packed", "no gzip", _encoded("gzip", lambda body: body)),
        Attack("packed", "gzip twice", _encoded("gzip", functools.partial(packed, times=2))),
        Attack("packed", "gzip twice, said", _encoded("gzip, gzip", functools.partial(packed, times=2))),
        Attack("packed", "brotli", _encoded("br", lambda body: b"\x0b\x02\x80" + body)),
        Attack("packed", "deflate", _encoded("deflate", lambda body: body)),
        Attack("packed", "a bomb", _encoded("gzip", lambda _body: bomb())),
        Attack("packed", "gzip, not said", _body(packed)),
        Attack("packed", "bytes after the gzip", _encoded("gzip", lambda body: packed(body) + b"junk")),
        Attack("coded", "BOM", _body(lambda body: b"\xef\xbb\xbf" + body)),
        Attack("coded", "UTF-16", _body(lambda body: body.decode().encode("utf-16"), "text/javascript;charset=UTF-16")),
        Attack("coded", "UTF-16, not said", _body(lambda body: body.decode().encode("utf-16-le"))),
        Attack("coded", "UTF-32", _body(lambda body: body.decode().encode("utf-32"))),
        Attack("coded", "NUL before", _body(lambda body: b"\x00" + body)),
        Attack("coded", "NUL in names", _body(lambda body: body.replace(b"id", b"i\x00d"))),
        Attack("coded", "NUL after", _body(lambda body: body + b"\x00" * 9)),
        Attack("coded", "not UTF-8", _body(lambda body: body.replace(b"e", b"\xe9"))),
        Attack("broken", "cut", _body(lambda body: body[: len(body) // 2])),
        Attack("broken", "doubled", _body(lambda body: body + body)),
        Attack("broken", "deep", _body(lambda _body: deep)),
        Attack("broken", "deep XML", _body(lambda _body: b"<a>" * 50_000, XML)),
        Attack(
            "broken",
            "entities",
            _body(lambda body: b'<?xml version="1.0"?><!DOCTYPE a [<!ENTITY b "c">]><a>&b;</a>', XML),
        ),
        Attack("broken", "numbers that are none", _body(functools.partial(re.sub, rb"(?<=[:>])\d+(?=[,}<])", b"NaN"))),
        Attack("broken", "a number of 5000 digits", _body(lambda _body: b'{"a": ' + b"9" * 5000 + b"}")),
        Attack("broken", "the content type of an image", _body(lambda body: body, "image/png")),
        Attack("broken", "no content type", _body(lambda body: body, " ")),
    ]
    return [*found, Attack("broken", "cut, for ever", _body(lambda body: body[:-3]), lasts=True)]


# --- Retry-After


def _retry_after() -> list[Attack]:
    year = 31_536_000
    values: dict[str, Callable[[], str]] = {
        "0": lambda: "0",
        "7": lambda: "7",
        "a year": lambda: str(year),
        "negative": lambda: "-5",
        "a fraction": lambda: "1.5",
        "nonsense": lambda: "soon",
        "huge": lambda: "9" * 400,
        "a date": lambda: formatdate(time.time() + 5, usegmt=True),
        "a date in the past": lambda: formatdate(time.time() - year, usegmt=True),
        "a date in a year": lambda: formatdate(time.time() + year, usegmt=True),
        "a date that is none": lambda: "Mon, 99 Foo 2026 99:99:99 GMT",
        "digits of another script": lambda: "\xb2\xb3",
    }

    def act(status: int, value: Callable[[], str]) -> Act:
        def reply(exchange: Exchange) -> None:
            exchange.reply(Answer(status, PAGE, HTML, (("Retry-After", value()),), "Wait"))

        return reply

    def own(value: Callable[[], str]) -> Act:
        def reply(exchange: Exchange) -> None:
            content = {"uuidList": [], "errorcode": 429, "errortext": "too many requests"}
            answer = written(root(exchange.command), content, exchange.is_json)
            exchange.reply(answer.but(status=429, headers=(("Retry-After", value()),)))

        return reply

    found = []
    for name, value in values.items():
        found.append(Attack("Retry-After", f"503, {name}", act(503, value)))
        found.append(Attack("Retry-After", f"429, {name}", act(429, value)))
        found.append(Attack("Retry-After", f"the service's 429, {name}", own(value)))
        found.append(Attack("Retry-After", f"the service's 429, {name}, for ever", own(value), lasts=True))
    return found


# --- lists

PAGE_SECONDS = 5.0  # the time of a page of a list without end


def _listed(answer: Answer) -> tuple[str, dict[str, Any], str]:
    """Return the root and the content of a list, and the name of its field with the objects (empty: there is none)."""
    if answer.status != 200:
        return "", {}, ""
    name, content = content_of(answer)
    return name, content, next((field for field, value in content.items() if isinstance(value, list)), "")


def _without_end(new: bool, counted: int | None = None) -> Act:
    """Answer each page with full pages of objects: new ones each time, or always the same."""

    def change(exchange: Exchange, answer: Answer) -> Answer:
        name, content, listed = _listed(answer)
        if not listed or not content[listed]:
            return answer
        exchange.linger(PAGE_SECONDS)
        size = int(exchange.request.params.get("pagesize", "500"))
        first = exchange.proxy.memory["first"] = exchange.proxy.memory.get("first", 0) + (size if new else 0)
        like = content[listed][0]
        made = [_unlike(like, first + number) for number in range(size)]
        count = {"count": counted if counted is not None else len(made)}
        return with_content(answer, name, {**content, **count, listed: made})

    return _changing(change)


def _unlike(record: dict[str, Any], number: int) -> dict[str, Any]:
    key = "id" if "id" in record else "name"
    return {**record, key: f"{number:08x}-0000-4000-8000-000000000000", "name": f"endless-{number}"}


def _growing(exchange: Exchange, answer: Answer) -> Answer:
    """Count more objects each time than the list has."""
    name, content, listed = _listed(answer)
    if not listed:
        return answer
    more = exchange.proxy.memory["more"] = exchange.proxy.memory.get("more", 0) + 1
    return with_content(answer, name, {**content, "count": len(content[listed]) + more})


def _counted(count: Any) -> Callable[[Exchange, Answer], Answer]:
    def change(_exchange: Exchange, answer: Answer) -> Answer:
        name, content, listed = _listed(answer)
        return with_content(answer, name, {**content, "count": count}) if listed else answer

    return change


def _smaller(largest: int, refusal: int = 0) -> Act:
    """Give pages of at most so many objects: refuse larger ones with this error, or cut them without a word."""

    def act(exchange: Exchange) -> None:
        size = int(exchange.request.params.get("pagesize") or 0)
        if refusal and size > largest:
            content = {
                "uuidList": [],
                "errorcode": refusal,
                "errortext": f"Page size can not exceed max limit {largest}",
            }
            exchange.reply(written(root(exchange.command), content, exchange.is_json).but(status=refusal))
            return
        answer = exchange.forward()
        name, content, listed = _listed(answer)
        if refusal or not listed or size <= largest or exchange.command in ("listZones", "listServiceOfferings"):
            exchange.reply(answer)
            return
        first = (int(exchange.request.params.get("page") or 1) - 1) * largest
        page = content[listed][first : first + largest]
        count = content.get("count") if content.get("count") != len(content[listed]) else len(page)
        exchange.reply(with_content(answer, name, {**content, "count": count, listed: page} if page else {}))

    return act


def _lists() -> list[Attack]:
    ever = functools.partial(Attack, at=(READ,), lists=True, lasts=True, only_json=True)
    return [
        ever("a list without end", "new objects", _without_end(True)),
        ever("a list without end", "the same page", _without_end(False)),
        ever("a list without end", "new objects, a huge count", _without_end(True, 10**9)),
        ever("a list without end", "the same page, a count", _without_end(False, 2000)),
        ever("a list's count", "grows", _changing(_growing)),
        ever("a list's count", "huge", _changing(_counted(10**9))),
        ever("a list's count", "negative", _changing(_counted(-1))),
        ever("a list's count", "a text", _changing(_counted("many"))),
        ever("a list's count", "null", _changing(_counted(None))),
        ever("a list's count", "0", _changing(_counted(0))),
        ever("smaller pages", "431", _smaller(2, 431), many=True),
        ever("smaller pages", "433", _smaller(2, 433), many=True),
        ever("smaller pages", "of 20, 431", _smaller(20, 431), many=True),
    ]


ATTACKS = (
    *_foreign(),
    *_statuses(),
    *_jobs(),
    *_deliveries(),
    *_heads(),
    *_connections(),
    *_texts(),
    *_retry_after(),
    *_lists(),
)
