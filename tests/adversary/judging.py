# Copyright: (c) 2026, the cloudn.compute authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Runs a task under an attack, then twice without, and says what went wrong: lost, doubled, hidden, leaked, hung, and so on."""

from __future__ import annotations

import base64
import collections
import contextlib
import json
import re
import signal
import traceback
import urllib.parse
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from ansible_collections.cloudn.compute.plugins.module_utils.api import is_read
from attacks import CHANGE, JOB, READ, Attack
from clock import Clock
from proxy import Proxy, Request
from samples import POLLS
from scenarios import USER_DATA
from sites import SECRETS, Result, Site
from tasks import Victim

CATEGORIES = ("lost", "doubled", "hidden", "leaked", "hung", "traceback", "stuck", "restless", "idle")
DEADLINE = 300.0  # wait_timeout of the tasks, in seconds of the clock on which waiting takes no time
MARGIN = 100.0  # what a task may take longer: its last look, and its last retries
WATCHDOG = 30  # real seconds
PATIENT, IMPATIENT = 10.0, 0.4  # api_timeout, in real seconds: where the service answers, and where it may be silent
# What a failure says where it is not known whether a change was done, or that something was.
UNKNOWN = re.compile(
    r"not known|unknown|may have been|may be done|can't be followed|is still pending|was lost|goes on at the service"
)


@dataclass(frozen=True)
class Position:
    """A request of a task: the nth of a command."""

    command: str
    nth: int

    @property
    def role(self) -> str:
        """What the request is for: it reads, changes, or asks for a job."""
        return role(self.command)


def role(command: str) -> str:
    """Return what a command is for: it reads, changes, or asks for a job."""
    if command in POLLS:
        return JOB
    return READ if is_read(command) else CHANGE


class Hung(BaseException):
    """The watchdog's: a run takes too long in real time."""


class Trial:
    """A site with the adversary before it, where a task can be run."""

    def __init__(self, victim: Victim, site: Site, proxy: Proxy, clock: Clock) -> None:
        self.victim = victim
        self.site = site
        self.proxy = proxy
        self.clock = clock
        self.site.deadline = DEADLINE
        self.timeout = PATIENT

    def run(self, site: Site | None = None) -> Result:
        """Run the task (of another site: the twin's) through the proxy. The result has ``took``, by the clock.

        A run that ends with an exception, or never, has ``crash`` in its result.
        """
        began = self.clock.monotonic()
        try:
            with _watched():
                done = (site or self.site).run(
                    api_url=f"{self.proxy.address}/client/api",
                    **({} if self.victim.task.module == "inventory" else {"ec2_url": f"{self.proxy.address}/awsapi"}),
                    api_timeout=self.timeout,
                )
        except Hung:
            done = {"failed": True, "changed": False, "crash": f"hung for {WATCHDOG} s", "msg": ""}
        except (Exception, SystemExit) as error:
            said = "".join(traceback.format_exception(error)[-3:])
            done = {"failed": True, "changed": False, "crash": f"traceback {said}", "msg": ""}
        return {"changed": False, "msg": "", **done, "took": self.clock.monotonic() - began}

    def holds(self) -> dict[str, Any]:
        """Return what the service holds when its jobs have ended. Destroyed machines are gone."""
        held = self.site.holds()
        return {**held, "machines": [one for one in held["machines"] if one[1] != "Destroyed"]}

    def settled(self) -> dict[str, Any]:
        """Return what the service holds at the end, when it has forgotten destroyed machines and their disks."""
        self.site.expunge()
        return self.holds()


@contextlib.contextmanager
def _watched() -> Iterator[None]:
    """Raise ``Hung`` in the block when the watchdog's time is over."""

    def ring(*_given: Any) -> None:
        raise Hung

    before = signal.signal(signal.SIGALRM, ring)
    signal.alarm(WATCHDOG)
    try:
        yield
    finally:
        signal.alarm(0)
        signal.signal(signal.SIGALRM, before)


def due(attack: Attack, position: Position) -> Callable[[Request, int], bool]:
    """Return a function that tells whether a request is one that is attacked."""

    def is_due(request: Request, nth: int) -> bool:
        if attack.many and role(request.command) in attack.at:
            return not attack.lists or request.command.startswith("list")
        if request.command != position.command:
            return False
        return nth >= position.nth if attack.lasts else nth == position.nth

    return is_due


def trouble(trial: Trial, attack: Attack, position: Position, wanted: dict[str, Any], told: Result) -> Iterator[str]:
    """Run a task under an attack, again without, and once more. Yield what went wrong. Each text begins with a category."""
    results: list[Result] = []
    before = trial.holds()
    for number in (1, 2, 3):
        trial.proxy.clear()
        trial.timeout = IMPATIENT if attack.silent and number == 1 else PATIENT
        # A request to the EC2-compatible API has an answer only when its work is done, so the client waits as long.
        trial.site.deadline = 1 if attack.silent and number == 1 and trial.victim.only_3 else DEADLINE
        if number == 1:
            trial.proxy.attack(due(attack, position), attack.act)
        done = trial.run()
        if number == 1:
            if not trial.proxy.fired and position.role != JOB:  # how often jobs are listed is chance
                yield "idle: the attack was never made"
            trial.proxy.calm()
        after = trial.holds()
        results.append(done)
        yield from (f"{problem} (run {number}: {_said(done)})" for problem in _of_run(trial, done, before, after, told))
        if number == 1:
            trial.proxy.deliver()
            _do_as_told(trial, done)
            after = trial.holds()
        if (
            number == 2
            and done.get("failed")
            and not done.get("crash")
            and not _names_doubles(attack, done, after, wanted)
        ):
            yield f"stuck: the run after it failed: {done['msg']} (run 1: {_said(results[0])})"
        before = after
    before = trial.settled()
    yield from _of_all(trial, attack, results, before, wanted)


def _of_run(trial: Trial, done: Result, before: Any, after: Any, told: Result) -> Iterator[str]:
    """Yield what is wrong with one run."""
    if "crash" in done:
        yield f"hung: {done['crash']}" if done["crash"].startswith("hung") else f"traceback: {done['crash']}"
    if "Traceback" in done["msg"] or "exception" in done:
        yield "traceback: in the result"
    if done["took"] > DEADLINE + MARGIN:
        yield f"hung: took {done['took']:.0f} s"
    in_doubt = (done.get("failed") and UNKNOWN.search(done["msg"])) or "not known" in str(done.get("warnings"))
    if before != after and not done["changed"] and not in_doubt:
        yield f"hidden: says changed: false, and {_different(after, before)}"
    if trial.victim.task.reads and not done.get("failed") and shown(done) != told:
        yield f"lost: shows {shown(done)}, not {told}"


def _of_all(
    trial: Trial, attack: Attack, results: list[Result], now: dict[str, Any], wanted: dict[str, Any]
) -> Iterator[str]:
    """Yield what is wrong with all runs together."""
    last = results[-1]
    if attack.late:
        now = {**now, **{kind: wanted[kind] for kind in trial.victim.late}}
    if now != wanted and not any(_names_doubles(attack, done, now, wanted) for done in results):
        yield f"{kinds(now, wanted)}: holds {_different(now, wanted)} (run 1: {_said(results[0])})"
    if not trial.victim.task.action:
        changing = [one.command for one in trial.proxy.clear() if role(one.command) == CHANGE]
        if (last["changed"] or changing) and not last.get("failed"):
            yield f"restless: the third run: changed: {last['changed']}, sent {changing}"
    yield from _secrets(trial, results)


def _do_as_told(trial: Trial, done: Result) -> None:
    """Do what an error leaves to the user: start or stop a machine."""
    told = re.search(r"Do them yourself when that has ended: (\S+): (start|stop)", done["msg"])
    if told:
        trial.site.do("cloudn_vm", name=told[1], state={"start": "started", "stop": "stopped"}[told[2]])


def _names_doubles(attack: Attack, done: Result, now: dict[str, Any], wanted: dict[str, Any]) -> bool:
    """Tell whether a run fails since it finds objects of one name, as a request was delivered more than once, or too late."""
    names = re.search(r"\b(\d+|two|several) (\w+ )*(VMs|key pairs|groups|volumes|templates|runs)|\bboth\b", done["msg"])
    return bool(attack.kind.startswith("delivered") and done.get("failed") and names and surplus(now, wanted))


def _secrets(trial: Trial, results: list[Result]) -> Iterator[str]:
    text = json.dumps(results, ensure_ascii=False)
    coded = base64.b64encode(USER_DATA.encode()).decode()
    for secret in (*SECRETS.values(), USER_DATA, coded, *trial.proxy.signatures):
        if secret in text or urllib.parse.quote(secret, safe="") in text:
            yield f"leaked: {secret} is in a result"
    place, name = trial.victim.secret
    if place and not any((done.get(place) or {}).get(name) for done in results):
        word = name.replace("_", " ")
        told = re.compile(f"{word}|wait for it with cloudn_job")  # a job shows it too
        if not any(told.search(f"{done['msg']} {done.get('warnings')}") for done in results):
            yield f"hidden: the {word} is lost without a word (run 1: {_said(results[0])})"


def _said(done: Result) -> str:
    if "crash" in done:
        return "crashed"
    return (f"failed: {done['msg']}" if done.get("failed") else "was well") + f", changed: {done['changed']}"


# --- what is there, and what is shown


def shown(done: Result) -> Result:
    """Return what a reading task shows, without what differs between sites."""
    found = {
        key: sorted(str(item.get("name")) for item in value)
        for key, value in done.items()
        if isinstance(value, list) and value and isinstance(value[0], dict)
    }
    return {**found, "groups": done.get("groups")}


def surplus(more: dict[str, Any], less: dict[str, Any]) -> list[str]:
    """Return what is in one of two holdings more often than in the other, by names."""
    found = []
    for kind in less:
        count = collections.Counter(_name(one) for one in more[kind])
        count.subtract(_name(one) for one in less[kind])
        found += [f"{number} {kind} {name}" for name, number in count.items() if number > 0]
    return found


def kinds(now: dict[str, Any], wanted: dict[str, Any]) -> str:
    """Return whether something is doubled or lost. What is not as it should be is lost."""
    return "doubled" if surplus(now, wanted) and not surplus(wanted, now) else "lost"


def _name(one: Any) -> str:
    return str(one if isinstance(one, str) else one[0])


def _different(now: dict[str, Any], wanted: dict[str, Any]) -> str:
    pairs = ((kind, now[kind], wanted[kind]) for kind in wanted if now[kind] != wanted[kind])
    return "; ".join(
        f"{kind}: {[one for one in new if one not in old]}, not {[one for one in old if one not in new]}"
        for kind, new, old in pairs
    )
