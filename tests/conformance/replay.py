# Copyright: (c) 2026, the cloudn.compute authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Plays the recorded answers of a real CloudStack against a server, and tells where it answers differently.

`python tests/conformance/replay.py 40 41` does it with the scenarios of these names of CloudStack 3.0.5 against the
emulator; with `4` before the names it plays those of CloudStack 4.23.

A recording is a list of steps: a command, its parameters, and the answer in JSON, for reads in XML too, with the
finished job where the step waited for it. What counts: the status, the names and kinds of values, and the values
of enumerations such as states. What belongs to an installation (ids, dates, addresses, names) counts by kind only.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import pathlib
import re
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import quote
from xml.etree import ElementTree

import requests
from cloudn_emulator import Emulator

sys.path.insert(0, str(pathlib.Path(__file__).parent.parent))
from recorded import scenarios

Step = dict[str, Any]
Answer = dict[str, Any]

# What a service makes up, as it looks inside a text.
KINDS = (
    ("<number>", re.compile(r"(?<=ROOT-)\d+|(?<=DATA-)\d+|(?<=_)\d{14}\b")),
    ("<uuid>", re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}")),
    ("<date>", re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d[+-]\d{4}")),
    ("<ip>", re.compile(r"\b\d{1,3}(?:\.\d{1,3}){3}\b")),
    ("<key>", re.compile(r"(?<=SSH.PublicKey=)[^,}]+|(?<=Encrypted.Password=)[^,}]+")),
    ("<mac>", re.compile(r"\b[0-9a-f]{2}(?::[0-9a-f]{2}){5}\b")),
)
# Texts that belong to one installation.
_LOCAL = """
Encrypted.Password SSH.PublicKey account accountid checksum cpunumber cpuspeed cpuused description diskofferingdisplaytext diskofferingname disksize
datastore displaytext domain domainid domainname errortext fingerprint format group_ guestosid hostname hypervisor instancename
keypair memory networkname osdisplayname ostypeid ostypename password privatekey rootdevicetype
serviceofferingdisplaytext serviceofferingname size storage templatedisplaytext templatename templatetag url userid
virtualsize zonename zonetoken physicalsize
"""
LOCAL = set(_LOCAL.split())
# Numbers that mean something; others count by kind only.
MEANT = {"errorcode", "cserrorcode", "jobstatus", "jobresultcode", "startport", "endport", "icmptype", "icmpcode"}
MEANT |= {"count"}
# There only once a service has collected statistics.
OPTIONAL = {"cpuused", "networkkbsread", "networkkbswrite", "diskioread", "diskiowrite", "diskkbsread", "diskkbswrite"}
OPTIONAL |= {"memoryintfreekbs", "memorykbs", "memorytargetkbs"}


# The names of the neighbour's objects in the recordings, and the variables that tell them here.
_ACCOUNT = re.compile(r"(?<=[\">])r\{run\}(?=[\"<])")
FOREIGN = {"fgn-1795710868": "foreignvmname", "fgng-1795710868": "foreignsgname"}
_FOREIGN_GROUP = re.compile(r"(?<=[\">])fgng(?=[\"<])")  # on CloudStack 4


# --- asking


@dataclass
class Server:
    """A server to ask, with credentials."""

    url: str
    key: str
    secret: str
    session: requests.Session = field(default_factory=requests.Session)

    def ask(self, command: str, params: dict[str, str], form: str = "json", auth: str | None = None) -> Answer:
        """One signed request; `auth` names a way to get the credentials wrong, or to send them otherwise."""
        query = {"command": command, "apikey": self.key, **params}
        if form == "json":
            query["response"] = "json"
        query |= _credentials(auth)
        if auth == "nokey":
            del query["apikey"]
        text = "&".join(f"{name}={_java_quote(value)}" for name, value in sorted(query.items()))
        mac = hmac.new(self.secret.encode(), text.lower().encode(), hashlib.sha1).digest()
        if auth == "badsignature":
            mac = bytes(20)
        if auth != "unsigned":
            text += "&signature=" + quote(base64.b64encode(mac), safe="")
        answer = self._send(text, auth == "post")
        return {"status": answer.status_code, "type": answer.headers["Content-Type"], "body": answer.content.decode()}

    def _send(self, text: str, post: bool) -> requests.Response:
        if post:
            headers = {"Content-Type": "application/x-www-form-urlencoded"}
            return self.session.post(self.url, data=text, headers=headers, timeout=60)
        return self.session.get(f"{self.url}?{text}", timeout=60)

    def finished(self, job_id: str) -> Answer:
        """The answer to queryAsyncJobResult once the job has ended."""
        deadline = time.monotonic() + 60
        while time.monotonic() < deadline:
            answer = self.ask("queryAsyncJobResult", {"jobid": job_id})
            if json.loads(answer["body"])["queryasyncjobresultresponse"]["jobstatus"] != 0:
                return answer
            time.sleep(0.01)
        raise TimeoutError(f"job {job_id} is still pending")

    def done(self, command: str, **params: str) -> Any:
        """Send a command and wait for the end of its job; return its answer or the job's result."""
        answer = self.ask(command, params)
        assert answer["status"] == 200, answer
        (body,) = json.loads(answer["body"]).values()
        if "jobid" not in body:
            return body
        (job,) = json.loads(self.finished(body["jobid"])["body"]).values()
        assert job["jobstatus"] == 1, job
        return job["jobresult"]


def _credentials(auth: str | None) -> dict[str, str]:
    extra = {}
    if auth in ("v3", "expired", "v3baddate", "v3noexpires"):
        extra["signatureversion"] = "3"
    if auth in ("v3", "expired"):
        moment = time.gmtime(time.time() + (600 if auth == "v3" else -60))
        extra["expires"] = time.strftime("%Y-%m-%dT%H:%M:%S+0000", moment)
    if auth == "v3baddate":
        extra["expires"] = "soon"
    if auth == "unknownkey":
        extra["apikey"] = "no-such-key"
    return extra


def _java_quote(value: str) -> str:
    return quote(value, safe="*").replace("~", "%7E")


# --- comparing


def differences(want: Answer, got: Answer, loose: bool) -> Iterator[str]:
    """Where two answers differ; loosely, only the kinds of values count."""
    if want["status"] != got["status"]:
        yield f"status {got['status']}, want {want['status']}"
    if want.get("type") and want["type"] != got["type"]:
        yield f"content type {got['type']}, want {want['type']}"
    expected, found = (shape_of(_tree(answer["body"]), loose) for answer in (want, got))
    for path in sorted(expected.keys() | found.keys()):
        if path not in found:
            yield f"missing {path} = {sorted(expected[path])}"
        elif path not in expected:
            yield f"extra {path} = {sorted(found[path])}"
        elif found[path] != expected[path]:
            yield f"{path}: {sorted(found[path])}, want {sorted(expected[path])}"


def _tree(body: str) -> Any:
    try:
        return json.loads(body)
    except ValueError:
        root = ElementTree.fromstring(body)
        return {root.tag: {"@": root.get("cloud-stack-version") is not None, **_element(root)}}


def _element(element: ElementTree.Element) -> dict[str, Any]:
    children: dict[str, Any] = {}
    for child in element:
        children.setdefault(child.tag, []).append(_element(child) if len(child) else child.text or "")
    return children


def shape_of(value: Any, loose: bool, path: str = "", name: str = "", into: Any = None) -> dict[str, set[str]]:
    """The kinds of values at each path of an answer, lists taken together."""
    shape: dict[str, set[str]] = {} if into is None else into
    if isinstance(value, dict):
        if not value:
            shape[path + "{}"] = {"empty"}
        for key, inner in value.items():
            if key not in OPTIONAL:
                shape_of(inner, loose, f"{path}.{key}", key, shape)
    elif isinstance(value, list):
        for inner in value:
            shape_of(inner, loose, path + "[]", name, shape)
    else:
        shape.setdefault(path, set()).add(type(value).__name__ if loose else _kind(name, value))
    return shape


def _kind(name: str, value: Any) -> str:
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "boolean"
    if isinstance(value, (int, float)):
        return str(value) if name in MEANT else "number"
    if name in LOCAL:
        return "text"
    if name == "details" and value.startswith("{"):  # a map in XML, whose order means nothing
        value = ", ".join(sorted(value.strip("{}").split(", ")))
    if name == "serviceofferingid" and value.isdigit():
        return "<row>"
    for kind, pattern in KINDS:
        value = pattern.sub(kind, value)
    return value


# --- playing


def play(steps: list[Step], server: Server, variables: dict[str, str], in_one_second: int = 0) -> list[list[str]]:
    """Play a recording's steps in order; gives for each where its answers differed.

    Before the step of the number `in_one_second` a second begins.
    """
    run = (
        f"{time.time_ns() // 1000 % 10**8:08}"  # as long as in the recordings: some names are just short enough with it
    )
    names = {**variables, "run": run, "now": time.strftime("%Y-%m-%dT%H:%M:%SZ+0000", time.gmtime(time.time() - 2))}
    found = []
    for number, step in enumerate(steps, 1):
        if number == in_one_second:
            time.sleep(1 - time.time() % 1)
        found.append(_played(step, server, names))
    return found


def _played(step: Step, server: Server, names: dict[str, str]) -> list[str]:
    loose = bool(step.get("loose"))
    params = {name: _fill(value, names) for name, value in step.get("params", {}).items()}
    got = server.ask(step["call"], params, "json", step.get("auth"))
    found = list(differences(_with_run(step["json"], names), got, loose))
    job = None
    if step.get("wait") and got["status"] == 200:
        names["jobid"] = next(iter(json.loads(got["body"]).values()))["jobid"]
        job = server.finished(names["jobid"])
    if "job" in step["json"]:
        want = _with_run(step["json"]["job"], names)
        found += [f"job: {line}" for line in (differences(want, job, loose) if job else ["there is none"])]
    for name, path in step.get("save", {}).items():
        source = job if path.startswith("job:") else got
        names[name] = _dig(json.loads(source["body"]), path.removeprefix("job:")) if source else "not saved"
    if "xml" in step:
        got = server.ask(step["call"], params, "xml", step.get("auth"))
        found += [f"xml: {line}" for line in differences(_with_run(step["xml"], names), got, loose)]
    return found


def _fill(text: str, names: dict[str, str]) -> str:
    return re.sub(r"\{(\w+)\}", lambda match: str(names[match[1]]), text)


def _with_run(answer: Answer, names: dict[str, str]) -> Answer:
    # The recorded accounts on CloudStack 4 were made for each scenario.
    body = _ACCOUNT.sub(names["account"], answer["body"]).replace("{run}", names["run"])
    body = _FOREIGN_GROUP.sub(names["foreignsgname"], body)
    for recorded, variable in FOREIGN.items():
        body = body.replace(recorded, names[variable])
    return {**answer, "body": body}


def _dig(body: Any, path: str) -> str:
    try:
        for part in re.findall(r"[^.\[\]]+", path):
            body = body[int(part) if isinstance(body, list) else part]
    except (KeyError, IndexError, TypeError):
        return "not saved"  # the call failed: that is a difference of this step already
    return body


# --- against the emulator

RECORDED = {"3": "cloudstack-3.0.5", "4": "cloudstack-4.23"}  # the archive of each generation
# What the recordings presume: one zone of this name, a neighbour with objects, some an administrator or slow jobs.
SETTINGS = {
    "zones": ["tky-flat-1"],
    "neighbour": True,
    "job_seconds": 0.05,
    "group_lock_seconds": 0.2,
    "download_seconds": 4,
}
# Downloads ended at once on the recorded CloudStack 4.
OF_GENERATION: dict[str, dict[str, Any]] = {"3": {}, "4": {"download_seconds": 0}}
OWN_SETTINGS: dict[str, dict[str, Any]] = {
    "10-recover": {"account": "admin"},
    "11-pending-job": {"job_seconds": 4},
    "81-vm-starting": {"job_seconds": 4},
}
# Steps that the emulator answers otherwise, by scenario and number, and why.
_CUT = "an attachVolume that the recording lacks was before it: two devices were tried between steps 11 and 15"
_BETWEEN = "the recorded machine got its address between the request for JSON and that for XML"
KNOWN: dict[tuple[str, int], str] = {
    ("25-neighbours-1", 8): "the recorded account had instance groups from before",
    **{("53-vol-attach-device", number): _CUT for number in (12, 13, 14, 15, 17)},
    ("55-vol-delete-extract-upload", 46): "how far an upload has come is chance; step 40 has it as the emulator",
    ("76-instance-groups", 2): "the recorded account had an instance group without a name from before",
    ("36-vm-states-destroyed", 42): "the recorded zone had other plans, whose names are in the answer",
    ("81-vm-starting", 6): _BETWEEN,
    ("81-vm-starting", 53): _BETWEEN,
}

# --- CloudStack 4

_RESTORED = "restoreVirtualMachine fails in the recorded simulator (530); with real hosts it works, as on CloudStack 3"
_UNRESTORED = "the failed restore left this machine without a storage, which listings then do not show"
_UPLOADED = "the recorded server has simulated hosts only and refuses each format: it finds no Hyperv"
# Steps that only simulated hosts answer so. The emulator answers as with real hosts.
SIMULATED: dict[tuple[str, int], str] = {
    **{("35-vm-states-running", number): _RESTORED for number in (26, 28)},
    **{("35-vm-states-stopped", number): _RESTORED for number in (27, 29)},
    **{("35-vm-states-stopped", number): _UNRESTORED for number in (28, 30, 31, 32, 33, 34, 36, *range(37, 43))},
    ("54-vol-states", 26): "extractVolume fails in the recorded simulator (530)",
    **{("55-vol-delete-extract-upload", number): _UPLOADED for number in (35, 38, 40, 45)},
    ("90-only-in-4", 56): "a root disk can't shrink in the recorded simulator (530)",
    ("90-only-in-4", 77): "revertSnapshot fails in the recorded simulator; the emulator does not have it",
}
_ROW = "the job shows the group whose row has the number of the rule's row, or none: which one is chance"
_ON_ITS_WAY = "how far the recorded machine was on its way when the request came is chance"
_ORDER = "the order of two volumes of one second is chance"
_TEXTS = "the emulator has no texts about commands and their answers, and fewer parameters of them"
_NOT_HERE = "the collection does not use it, and the emulator does not have it"
_VM_SNAPSHOTS = "the collection does not use snapshots of machines, and the emulator does not have them"
_NUMBER = "the emulator takes the number of a row that is not there for -1; the recorded server tells them apart here"
_NO_ID = "for the id -1 the recorded server fails in another place"
_UNSTORED = "the recorded job of a template names no object where the disk was never on a storage"
_GONE = "the recorded server names the row of the template that was deleted"
# Steps that the emulator of CloudStack 4 answers otherwise, and why.
KNOWN_4: dict[tuple[str, int], str] = {
    ("25-neighbours-2", 10): _TEXTS,
    **{("25-neighbours-2", number): _NOT_HERE for number in (11, 21, 23)},
    ("30-vm-list-2", 41): _NUMBER,
    ("36-vm-states-destroyed", 42): "the recorded zone had other plans, whose names are in the answer",
    ("50-vol-list-2", 46): _ORDER,
    ("44-sg-in-use", 8): _ROW,
    **{("52-vol-attach-bad", number): _NO_ID for number in (11, 17)},
    ("53-vol-attach-device", 17): _CUT,
    **dict.fromkeys((("54-vol-states", 8), ("63-tmpl-create-2", 19)), _UNSTORED),
    **{
        ("61-snap-create-delete", number): "the recorded job shows it as it was at its beginning" for number in (30, 31)
    },
    ("64-tmpl-change-1", 8): _NO_ID,
    **dict.fromkeys((("64-tmpl-change-1", 51), ("64-tmpl-change-2", 52)), _GONE),
    ("64-tmpl-change-2", 11): "an operation without accounts: the recorded server refuses it, the emulator fails",
    ("65-tmpl-register-1", 30): "the emulator has no details of templates for XenServer",
    **{("65-tmpl-register-2", number): _NUMBER for number in (6, 9)},
    ("66-tmpl-not-ready", 9): "a template that is not ready shows fewer fields in the recorded answer",
    ("80-foreign", 50): _ROW,
    **{("81-vm-starting", number): _ON_ITS_WAY for number in (15, 43, 45, 55)},
    **{("90-only-in-4", number): _TEXTS for number in (1, 2)},
    **{("90-only-in-4", number): _VM_SNAPSHOTS for number in (92, 93, 94)},
    ("90-only-in-4", 112): "the recorded accounts had other limits",
}
# Steps that are alike in some runs.
BY_CHANCE = {step for step, reason in KNOWN_4.items() if reason in (_ON_ITS_WAY, _ORDER)}
# The lists of each generation.
LISTED = {"3": KNOWN, "4": KNOWN_4 | SIMULATED}

# Steps that made their objects in one second with the next step, which decides about their order.
IN_ONE_SECOND = {"50-vol-list-2": 2}


def differing(name: str, steps: list[Step], generation: str = "3") -> dict[int, list[str]]:
    """Play a scenario against a fresh emulator; gives where answers differed, by the numbers of the steps."""
    more = OF_GENERATION[generation] | OWN_SETTINGS.get(name, {})
    with Emulator(**{**SETTINGS, **more, "generation": generation}) as emulator:
        server = Server(emulator.url, emulator.api_key, emulator.api_secret)
        played = play(steps, server, emulator.vars, IN_ONE_SECOND.get(name, 0))
    return {number: lines for number, lines in enumerate(played, 1) if lines}


def main(names: list[str]) -> int:
    """Print each step that is answered otherwise: of the scenarios whose names begin so, or of all."""
    count = alike = 0
    generation = names.pop(0) if names and names[0] in RECORDED else "3"
    for name, steps in scenarios(RECORDED[generation]).items():
        if names and not name.startswith(tuple(names)):
            continue
        found = differing(name, steps, generation)
        count, alike = count + len(steps), alike + len(steps) - len(found)
        for number, lines in found.items():
            step = steps[number - 1]
            print(f"{name} {number} {step['call']} {json.dumps(step.get('params', {}), ensure_ascii=False)}")
            print("".join(f"    {line[:300]}\n" for line in lines), end="")
    print(f"{alike} of {count} steps answered alike")
    return int(alike < count)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
