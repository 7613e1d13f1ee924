# Copyright: (c) 2026, the cloudn.compute authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Faults: rules that say which requests go wrong, and how; with what networks, proxies and services do to answers."""

from __future__ import annotations

import asyncio
import fnmatch
import random
import socket
import struct
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any

from aiohttp import web

from .models import GONE, new_id
from .store import Store

Settings = dict[str, Any]
# The kinds and what each takes beside when it happens, with the defaults.
KINDS: dict[str, Settings] = {
    # the command is not done
    "refuse": {"seconds": 0.2},
    "close": {},
    "reset_before": {},
    "status": {"status": 503},
    "too_many": {"retry_after": None},
    "unauthorized": {},
    # the command is done, its answer is not what it should be
    "reset_after": {},
    "late": {"seconds": 60.0},
    "slow": {"seconds": 60.0},
    "status_after": {"status": 503},
    "cut": {},
    "garbage": {},
    "content_type": {},
    "other_format": {},
    # the command's job
    "job_fails": {"text": True, "result": True},
    "job_hangs": {"seconds": None},
    "job_lost": {},
    # listings
    "page": {"change": "appear", "name": "*"},
    "lag": {"seconds": 2.0},
}
NOT_DONE = ("refuse", "close", "reset_before", "status", "too_many", "unauthorized")
OF_JOBS = ("job_fails", "job_hangs", "job_lost")
OF_LISTS = ("page", "lag")
LISTINGS = ("list", "Describe")
ANY = "*"
WHEN = ("command", "nth", "every", "probability", "seed", "times")
PAGE = "<html><head><title>{0} Service Unavailable</title></head><body><h1>{0}</h1>A proxy speaking.</body></html>"
GARBAGE = b"\x00\xff\xfe\x1f\x8b not an answer \x80\x81"


class BadRule(ValueError):
    """A rule that can't be followed; the text names what is wrong with it and what there is."""


@dataclass(slots=True)
class Rule:
    """One rule: what goes wrong with which requests. `seen` counts the requests that match, `fired` the faults made."""

    kind: str
    command: str = ANY
    nth: list[int] | None = None
    every: int | None = None
    probability: float | None = None
    seed: int = 1
    times: int | None = None
    settings: Settings = field(default_factory=dict)
    seen: int = 0
    fired: int = 0
    chance: random.Random = field(default_factory=random.Random)

    @property
    def is_ahead(self) -> bool:
        """Whether it is known before a request that it goes wrong: only then can its connection be refused."""
        return self.kind == "refuse" and self.command == ANY

    def is_due(self, command: str) -> bool:
        """Count a request, and tell whether it is one that goes wrong."""
        if not fnmatch.fnmatchcase(command, self.command):
            return False
        self.seen += 1
        due = (
            (self.nth is None or self.seen in self.nth)
            and (self.every is None or self.seen % self.every == 0)
            and (self.probability is None or self.chance.random() < self.probability)
            and (self.times is None or self.fired < self.times)
        )
        self.fired += due
        return due

    def view(self) -> Settings:
        """The rule as it was given, and how often it has made a fault."""
        when = {name: getattr(self, name) for name in WHEN if getattr(self, name) is not None}
        return {"kind": self.kind, **when, **self.settings, "seen": self.seen, "fired": self.fired}


class Faults:
    """The rules in force; the first that is due decides over a request."""

    def __init__(self, rules: Sequence[Settings] = ()) -> None:
        self.rules: list[Rule] = []
        self.set(rules)

    def set(self, rules: Any) -> None:
        """Put these rules in the place of all others; raises BadRule and keeps the old ones where one is wrong."""
        if not isinstance(rules, (list, tuple)):
            raise BadRule("the rules are no list")
        self.rules = [_rule(given) for given in rules]

    def due(self, command: str, has_job: bool) -> Rule | None:
        """The rule that makes a fault of a request, if there is one."""
        for rule in self.rules:
            if (rule.kind in OF_JOBS and not has_job) or (rule.kind in OF_LISTS and not command.startswith(LISTINGS)):
                continue
            if not rule.is_ahead and rule.is_due(command):
                return rule
        return None

    def refusal(self) -> float:
        """For how many seconds nobody listens from now on, since the next request, whatever it is, is to be refused."""
        return max((rule.settings["seconds"] for rule in self.rules if rule.is_ahead and rule.is_due(ANY)), default=0.0)

    @property
    def lag(self) -> float:
        """The most seconds by which any listing lags."""
        return max((rule.settings["seconds"] for rule in self.rules if rule.kind == "lag"), default=0.0)


def _rule(given: Any) -> Rule:
    if not isinstance(given, dict):
        raise BadRule(f"a rule is no mapping: {given!r}")
    kind = given.get("kind")
    if kind not in KINDS:
        raise BadRule(f"kind: there is no {kind!r}; there are {', '.join(KINDS)}")
    allowed = ["kind", *WHEN, *KINDS[kind]]
    for name in given:
        if name not in allowed:
            raise BadRule(f"{name}: not for kind {kind}, which takes {', '.join(allowed[1:])}")
    nth = given.get("nth")
    seed = _number(given, "seed", int, 1)
    return Rule(
        kind,
        str(given.get("command", ANY)),
        None if nth is None else [_whole("nth", number) for number in (nth if isinstance(nth, list) else [nth])],
        None if given.get("every") is None else _whole("every", given["every"]),
        _number(given, "probability", float, None),
        seed,
        None if given.get("times") is None else _whole("times", given["times"]),
        {name: _setting(kind, name, given.get(name, default)) for name, default in KINDS[kind].items()},
        chance=random.Random(seed),
    )


def _whole(name: str, value: Any) -> int:
    if isinstance(value, bool) or not isinstance(value, int) or value < 1:
        raise BadRule(f"{name}: {value!r} is no number from 1")
    return value


def _number(given: Settings, name: str, kind: type, default: Any) -> Any:
    value = given.get(name, default)
    if value is not None and (isinstance(value, bool) or not isinstance(value, (int, float)) or value < 0):
        raise BadRule(f"{name}: {value!r} is no number from 0")
    return value if value is None else kind(value)


def _setting(kind: str, name: str, value: Any) -> Any:
    if name == "change" and value not in ("appear", "vanish"):
        raise BadRule(f"change: {value!r} is neither appear nor vanish")
    if name in ("text", "result") and not isinstance(value, bool):
        raise BadRule(f"{name}: {value!r} is neither true nor false")
    if name == "name":
        return str(value)
    if name in ("seconds", "retry_after"):
        return _number({name: value}, name, float, None)
    if name == "status" and value not in (500, 502, 503, 504):
        raise BadRule(f"status: {value!r} is none of 500, 502, 503, 504")
    return value


# --- what becomes of a request


def reset(request: web.Request) -> None:
    """Break a connection at once, as a machine does that knows nothing of it (RST)."""
    transport = request.transport
    if transport is not None:
        connection = transport.get_extra_info("socket")
        if connection is not None:
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        transport.abort()


def proxy_page(status: int) -> web.Response:
    """What a proxy says whose service does not answer."""
    return web.Response(status=status, text=PAGE.format(status), content_type="text/html")


def too_many(retry_after: float | None) -> web.Response:
    """The answer to too many requests."""
    headers = {} if retry_after is None else {"Retry-After": f"{retry_after:g}"}
    return web.Response(status=429, text="Too Many Requests", headers=headers)


async def cut(request: web.Request, status: int, payload: bytes, content_type: str) -> web.StreamResponse:
    """Send half of an answer that was announced whole, and break the connection."""
    answer = web.StreamResponse(status=status, headers={"Content-Type": content_type})
    answer.content_length = len(payload)
    await answer.prepare(request)
    await answer.write(payload[: len(payload) // 2])
    await asyncio.sleep(0.01)
    if request.transport is not None:
        request.transport.abort()
    return answer


# --- listings


def without_young(body: dict[str, Any], since: float) -> dict[str, Any]:
    """A listing without what was made after a moment of the service's clock."""
    shown: dict[str, Any] = {}
    for name, value in body.items():
        if isinstance(value, list):
            value = [item for item in value if not _is_younger(item, since)]
        if value or not isinstance(value, list):
            shown[name] = value
    items = next((value for value in shown.values() if isinstance(value, list)), None)
    return {**shown, "count": len(items)} if items else {}


def _is_younger(item: Any, since: float) -> bool:
    created = item.get("created") if isinstance(item, dict) else None
    return isinstance(created, str) and datetime.strptime(created, "%Y-%m-%dT%H:%M:%S%z").timestamp() > since


def change_page(store: Store, body: dict[str, Any], change: str, name: str) -> None:
    """After a page was read, let one of the objects on it vanish, or another like it appear."""
    kind = next((kind for kind in ("virtualmachine", "volume", "snapshot", "template") if kind in body), "")
    tables: dict[str, dict[str, Any]] = {
        "virtualmachine": store.vms,
        "volume": store.volumes,
        "snapshot": store.snapshots,
        "template": store.templates,
    }
    here = [
        tables[kind][item["id"]]
        for item in body.get(kind, ())
        if item["id"] in tables[kind] and fnmatch.fnmatchcase(str(item.get("name")), name)
    ]
    # One of a page that was read before may have vanished meanwhile.
    one = next((one for one in here if getattr(one, "state", "") != GONE), None)
    if one is None:
        return
    if change == "appear":
        serial = store.next_serial()
        new = replace(one, id=new_id(), name=f"appeared-{serial}", created=store.now())
        if kind == "virtualmachine":
            store.add_vm(new)
        else:
            tables[kind][new.id] = new
    elif kind == "virtualmachine":
        store.mark_destroyed(one)
    else:
        del tables[kind][one.id]


# --- jobs


def undo(store: Store, id: str | None) -> None:
    """Take back what a command made at once, whose job then fails; a machine is left in state Error."""
    if id is None:
        return
    for table in (store.volumes, store.snapshots, store.templates):
        table.pop(id, None)
    vm = store.vms.get(id)
    if vm:
        store.mark_failed(vm)
