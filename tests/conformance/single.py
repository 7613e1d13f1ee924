# Copyright: (c) 2026, the cloudn.compute authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Plays the single answers of a real CloudStack 3.0.5 against the emulator, and tells where it answers differently.

`python tests/conformance/single.py` prints each answer that differs.

The answers were recorded one after the other on one account, so they are played in this order against one emulator. What
was asked in between and is not recorded is asked here too: `BEFORE` has it. Compared are the status, the names of members,
their order, and the kinds of values; of an enumeration such as a state, the value. The recording cuts long answers off:
of these the whole objects at the beginning count.
"""

from __future__ import annotations

import json
import pathlib
import re
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any
from xml.etree import ElementTree

from cloudn_emulator import Emulator
from replay import OPTIONAL, Server, shape_of

sys.path.insert(0, str(pathlib.Path(__file__).parent.parent))
from recorded import single_answers

SETTINGS = {"zones": ["tky-flat-1"], "job_seconds": 0.02, "group_lock_seconds": 0.01}
# These count by kind only, wherever they are: who asked, and how far a download is at once (the real server answers before
# it has begun, or after that).
BY_KIND = (".username", ".registertemplateresponse.template[].status")
LONGEST = 5000  # characters of an answer that the recording keeps
RECORDED = "realone"  # the account
# Answers that list what an installation offers: ids, names and how many there are count by kind only.
INSTALLED = ("offerings", "templates executable")

Asked = tuple[str, dict[str, str], dict[str, str]]
G1, V1, PERMISSIONS = "{G1}", "{V1}", "updateTemplatePermissions"
SMALL_VM = {"zoneid": "{ZONE}", "serviceofferingid": "{SMALL}", "templateid": "{TEMPLATE}"}


def rule(group: str = G1, **params: str) -> Asked:
    """A rule of a security group."""
    return "authorizeSecurityGroupIngress", {"securitygroupid": group, **params}, {}


def tcp(port: int, **params: str) -> Asked:
    """A rule for one port of a security group."""
    return rule(protocol="tcp", startport=str(port), endport=str(port), **params)


def tags(kind: str, id: str, *pairs: tuple[str, str]) -> Asked:
    """Tags of an object."""
    named = [{f"tags[{n}].key": key, f"tags[{n}].value": value} for n, (key, value) in enumerate(pairs)]
    params = {name: value for one in named for name, value in one.items()}
    return "createTags", {"resourcetype": kind, "resourceids": id, **params}, {}


def group(name: str, description: str, saved: str) -> Asked:
    """A security group, whose id is saved under a name."""
    return "createSecurityGroup", {"name": name, "description": description}, {saved: "securitygroup.id"}


def vm(name: str, saved: str, **params: str) -> Asked:
    """A virtual machine, whose id is saved under a name."""
    return "deployVirtualMachine", {**SMALL_VM, "name": name, **params}, {saved: "created"}


JA_GROUP = "日本語 グループ~*'\""
# What was asked before the answer of this label, beside the recorded requests: the command, its parameters, and which
# value of the answer is a variable of the requests after it.
BEFORE: dict[str, list[Asked]] = {
    "sg case: other case": [
        # Before the machines: a group with rules shows the tags of the machine that has its row's number.
        group("Case1", "x", "G1"),
        group("example-web", "Web servers, for the load balancer only", "GW"),
        group("example-database", "Databases, for the web servers only", "GD"),
        *(vm(f"example-web{n}", f"W{n}", securitygroupids="{GW}") for n in (1, 2, 3)),
        vm("example-db1", "DB", securitygroupids="{GD}"),
        tags("UserVm", "{DB}", ("role", "database"), ("site", "example"), ("backup", "nightly")),
        (
            "createVolume",
            {"name": "example-db1-data", "zoneid": "{ZONE}", "diskofferingid": "{DISK}"},
            {"D": "created"},
        ),
        tags("Volume", "{D}", ("backup", "nightly"), ("site", "example")),
        ("attachVolume", {"id": "{D}", "virtualmachineid": "{DB}"}, {}),
        tags("UserVm", "{W1},{W2},{W3}", ("role", "web"), ("site", "example")),
        ("stopVirtualMachine", {"id": "{W1}"}, {}),
        ("listVolumes", {"virtualmachineid": "{W1}"}, {"RW": "volume[0].id"}),
        (
            "createTemplate",
            {"name": "example-web", "displaytext": "A web server", "ostypeid": "144", "volumeid": "{RW}"},
            {"TW": "created"},
        ),
        tags("Template", "{TW}", ("site", "example")),
        ("startVirtualMachine", {"id": "{W1}"}, {}),
        group(JA_GROUP, "説明 ~ * ' \" <&>", "GJ"),
    ],
    "sg kana": [("createSecurityGroup", {"name": "ばば"}, {})],
    "list no rules": [tags("SecurityGroup", G1, ("a", "1"), ("b", "日本 語"))],
    "after 0-0": [tcp(0, cidrlist="10.1.0.0/16")],
    "leading zero": [tcp(23, cidrlist="10.0.0.1/0")],
    "all with ports": [rule(cidrlist="10.2.0.0/16")],
    "icmp 99/99": [rule(protocol="icmp", icmptype="255", icmpcode="255", cidrlist="10.0.0.0/8")],
    "same start other end": [
        tcp(44, **{"usersecuritygrouplist[0].account": "{ACCOUNT}", "usersecuritygrouplist[0].group": JA_GROUP})
    ],
    "revoke": [("listSecurityGroups", {"id": G1}, {"R": "securitygroup[0].ingressrule[29].ruleid"})],
    "foreign tags: listTags": [tags("SecurityGroup", "{GJ}", ("a", "1"), ("b", "日本 語"))],
    "(a) list name=web1": [
        vm("Web1", "V1", displayname="日本語 ~*'\"<&>\\ 名", group="grp A"),
        vm("web1", "V2"),
        vm("db1", "V4"),
    ],
    "list tagged": [
        tags("UserVm", V1, ("nl", "a\nb"), ("x,y", "p,q"), ("[0]", "=&?#"), ("役割 ~*'", "値 \"<&>\\ ~*'")),
    ],
    "(h) pagesize 499": [
        ("deleteTags", {"resourcetype": "UserVm", "resourceids": V1, "tags[0].key": "a"}, {}),
    ],
    "list grpja": [vm("grpja", "VG", group="部署", startvm="false")],
    "destroy V1": [("updateVirtualMachine", {"id": V1, "displayname": "投稿 ~*"}, {})],
    "self-del delete": [
        rule(
            "{S}",
            protocol="tcp",
            startport="1",
            endport="1",
            **{"usersecuritygrouplist[0].account": "{ACCOUNT}", "usersecuritygrouplist[0].group": "selfd"},
        )
    ],
    "pw: reset stopped": [("stopVirtualMachine", {"id": "{PA}"}, {})],
    "attach again": [("attachVolume", {"id": "{V}", "virtualmachineid": "{V2}"}, {})],
    "extract root running": [("listVolumes", {"virtualmachineid": "{PB}"}, {"RB": "volume[0].id"})],
    "perm after reset": [(PERMISSIONS, {"id": "{T1}", "op": "reset"}, {})],
    "delete vol again": [("deleteVolume", {"id": "{V}"}, {})],
    "events": [("deleteVolume", {"id": "{C4}"}, {})],
}
# Before this label a second passes: events come newest first, but to the second.
LATER = "events"
# What is asked for before this label is refused.
REFUSED = "attach again"
# The id that the answer of this label tells of is a variable of the requests after it.
SAVED = {
    "(c) vm with key": {"V3": "created"},
    "displayname empty": {"VE": "created"},
    "displayname space": {"VS": "created"},
    "custom disk offering with size": {"VC": "created"},
    "self-del create": {"S": "securitygroup.id"},
    "pw: stopped-created no key": {"PA": "created"},
    "pw: running with key": {"PB": "created"},
    "vol create": {"V": "created"},
    "vol custom 3": {"C3": "created"},
    "vol c4": {"C4": "created"},
    "snap ready": {"SN": "created"},
    "vol from snap": {"VS": "created"},
    "tmpl from snap": {"T1": "created"},
}


@dataclass
class Player:
    """Asks a server, with the variables known so far."""

    server: Server
    names: dict[str, str]

    def ask(self, command: str, params: dict[str, Any], save: dict[str, str], xml: bool = False) -> tuple[int, Any]:
        """The status and the body of an answer; of a job the id of what it made, its status and its result.

        A body is the text of an XML answer, or what is in a JSON answer.
        """
        account = self.names["ACCOUNT"].upper()
        filled = {
            name: _fill(str(value), self.names).replace(RECORDED.upper(), account) for name, value in params.items()
        }
        answer = self.server.ask(command, filled, "xml" if xml else "json")
        body = answer["body"] if xml else json.loads(answer["body"])
        inner = {} if xml else next(iter(body.values()))
        if "jobid" in inner:
            (job,) = json.loads(self.server.finished(inner["jobid"])["body"]).values()
            body = {"created": inner.get("id"), "jobstatus": job["jobstatus"], "jobresult": job["jobresult"]}
            inner = body
        for name, path in save.items():
            self.names[name] = _dig(inner, path)
        return answer["status"], body


def _fill(text: str, names: dict[str, str]) -> str:
    return re.sub(r"\{(\w+)\}", lambda match: names[match[1]], text)


def _dig(body: Any, path: str) -> str:
    for part in re.findall(r"\w+", path):
        body = body[int(part) if isinstance(body, list) else part]
    return str(body)


# --- comparing


def differences(label: str, want: dict[str, Any], status: int, got: Any) -> Iterator[str]:
    """Where an answer differs from the recorded one."""
    if status != want["status"]:
        yield f"status {status}, want {want['status']}"
    text = want["answer"]
    if text.startswith("<"):
        yield from _tree_differences(_elements(text), _elements(got), whole=True)
        return
    whole = len(text) < LONGEST
    body = json.loads(text) if whole else _beginning(text)
    yield from _tree_differences(body, got, whole, () if label not in INSTALLED else (".count", ".id", ".name"))


def _tree_differences(want: Any, got: Any, whole: bool, local: tuple[str, ...] = ()) -> Iterator[str]:
    expected, found = (shape_of(_without_none(body), loose=False) for body in (want, got))
    for path in sorted(expected.keys() | (found.keys() if whole else set())):
        if path in expected and path in found and (path.endswith((*BY_KIND, *local))):
            continue
        if path not in found:
            yield f"missing {path} = {sorted(expected[path])}"
        elif path not in expected:
            yield f"extra {path} = {sorted(found[path])}"
        elif found[path] != expected[path] and (whole or not expected[path] <= found[path]):
            yield f"{path}: {sorted(found[path])}, want {sorted(expected[path])}"
    orders = _orders(got)
    for path, order in _orders(want).items():
        if orders.get(path, order) != order and set(orders[path]) == set(order):
            yield f"order of {path}: {orders[path]}, want {order}"


def _without_none(body: Any) -> Any:
    return {name: value for name, value in body.items() if value is not None}


def _beginning(text: str) -> Any:
    """The whole objects of a listing that was cut off."""
    start = re.match(r'\{ "(?P<root>\w+)" : \{ "count":(?P<count>\d+) ,"(?P<name>\w+)" : \[  ', text)
    if start is None:
        raise ValueError(f"no listing: {text[:80]}")
    items, place, decoder = [], start.end(), json.JSONDecoder()
    while True:
        try:
            item, place = decoder.raw_decode(text, place)
        except ValueError:
            return {start["root"]: {"count": int(start["count"]), start["name"]: items}}
        items.append(item)
        place += len(", ")


def _elements(text: str) -> Any:
    root = ElementTree.fromstring(text)
    return {root.tag: {"version": root.get("cloud-stack-version"), **_children(root)}}


def _children(element: ElementTree.Element) -> dict[str, Any]:
    children: dict[str, Any] = {}
    for child in element:
        children.setdefault(child.tag, []).append(_children(child) if len(child) else child.text or "")
    return children


def _orders(value: Any, path: str = "", into: dict[str, list[str]] | None = None) -> dict[str, list[str]]:
    """The members of the objects at each path in their order; of several objects there, those of the one with most.

    Also the tags of an object in their order.
    """
    orders: dict[str, list[str]] = {} if into is None else into
    if isinstance(value, dict):
        names = [name for name in value if name not in OPTIONAL]
        if len(names) > len(orders.get(path, ())):
            orders[path] = names
        for name, inner in value.items():
            _orders(inner, f"{path}.{name}", orders)
    elif isinstance(value, list):
        if path.endswith(".tags"):
            orders[path + "*"] = [tag["key"] for tag in value]
        for inner in value:
            _orders(inner, path + "[]", orders)
    return orders


# --- playing


@dataclass
class Played:
    """A recorded answer, and where the emulator's differs."""

    label: str
    command: str
    params: dict[str, Any]
    lines: list[str] = field(default_factory=list)


def played() -> list[Played]:
    """Play all against one emulator."""
    answers = single_answers("cloudstack-3.0.5")
    before = dict(BEFORE)
    with Emulator(**SETTINGS) as emulator:
        names = {name.upper(): value for name, value in emulator.vars.items()}
        names |= {"OS": names["OSTYPE"], "T3": "?"}
        player = Player(Server(emulator.url, emulator.api_key, emulator.api_secret), names)
        return [_played(player, one, before) for one in answers]


def _played(player: Player, one: dict[str, Any], before: dict[str, list[Asked]]) -> Played:
    label, command, params = one["label"], one["command"], one["params"]
    result = Played(label, command, params)
    if label == LATER:
        time.sleep(1)
    try:
        for asked in before.pop(label, ()):
            status, body = player.ask(*asked)
            if (status != 200 or body.get("jobstatus") == 2) and label != REFUSED:
                result.lines.append(f"before it, {asked[:2]} was answered with {status} {body}")
        save = SAVED.get(label, {}) if one["real"]["status"] == 200 else {}
        status, body = player.ask(command, params, save, one["real"]["answer"].startswith("<"))
        result.lines += differences(label, one["real"], status, body)
    except (LookupError, TypeError) as error:
        result.lines.append(f"could not be asked: {error!r}")
    return result


def main() -> int:
    """Print each answer that differs."""
    began, results = time.monotonic(), played()
    for number, one in enumerate(results):
        if one.lines:
            print(f"{number} {one.label}: {one.command} {json.dumps(one.params, ensure_ascii=False)[:200]}")
            print("".join(f"    {line[:400]}\n" for line in one.lines), end="")
    alike = sum(not one.lines for one in results)
    print(f"{alike} of {len(results)} answered alike, in {time.monotonic() - began:.1f} s")
    return int(alike < len(results))


if __name__ == "__main__":
    sys.exit(main())
