# Copyright: (c) 2026, the cloudn.compute authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Random sites: what was declared before, what is declared now, what others have beside it, and what goes wrong.

What the service holds is read from the emulator's store, in the words of the options. What must be there after a run is said here
once more, in another way than in the modules.
"""

from __future__ import annotations

import copy
import random
from collections.abc import Iterator
from typing import Any

from ansible_collections.cloudn.compute.plugins.module_utils.resources.key_pair import fingerprint
from samples import KEY, NEW

Result = dict[str, Any]
# A kind, and the name of an object of that kind.
Key = tuple[str, str]
SITE, OTHER, TAG = "shop", "other", "cloudn_site"
MOST = 12  # objects of a site
# Names that begin alike, and equal ones of several kinds.
GROUPS, MACHINES, VOLUMES = ("web", "db", "Ops", "x-1"), ("web", "web1", "web10", "db", "x"), ("web", "data", "data-2")
PAIR = "deploy"
ALIEN, OTHERS = "alien", "others"  # groups that are not the site's
OFFERINGS = ("v1", "v2")
CIDRS = ("0.0.0.0/0", "192.0.2.0/24", "198.51.100.7/32")
TAGS = ({"role": "a"}, {"role": "b", "env": "x"}, {})
GONE = ("Destroyed", "Expunging", "Error")
CHANGES = (
    "createSecurityGroup",
    "authorizeSecurityGroupIngress",
    "revokeSecurityGroupIngress",
    "createTags",
    "deployVirtualMachine",
    "createVolume",
    "attachVolume",
    "detachVolume",
    "destroyVirtualMachine",
    "stopVirtualMachine",
    "startVirtualMachine",
    "registerSSHKeyPair",
    "delete*",
    "*",
    "list*",
)
KINDS: tuple[Result, ...] = (
    {"kind": "close"},
    {"kind": "reset_before"},
    {"kind": "reset_after"},
    {"kind": "status", "status": 503},
    {"kind": "status_after", "status": 502},
    {"kind": "too_many"},
    {"kind": "cut"},
    {"kind": "garbage"},
    {"kind": "job_fails"},
    {"kind": "job_fails", "text": False, "result": False},
    {"kind": "job_lost"},
)


class Chance:
    """Draws a site. The same seed gives the same one.

    What can't be changed in what exists, such as the groups of a machine, is the same in all that is drawn.
    """

    def __init__(self, seed: str) -> None:
        self.random = random.Random(seed)
        draw = self.random
        names = [
            *(("security_groups", name) for name in self._some(GROUPS)),
            *(("vms", name) for name in self._some(MACHINES)),
            *(("volumes", name) for name in self._some(VOLUMES)),
        ]
        draw.shuffle(names)
        self.keys: list[Key] = names[:MOST]
        groups = self.of("security_groups")
        self.groups = {name: draw.sample(groups, min(len(groups), draw.randint(0, 2))) for name in self.of("vms")}
        self.paired = {name for name in self.of("vms") if draw.random() < 0.3 and len(self.keys) < MOST}

    def _some(self, names: tuple[str, ...]) -> list[str]:
        return self.random.sample(names, self.random.randint(0, len(names)))

    def of(self, kind: str) -> list[str]:
        """Return the names of a kind that may be declared."""
        return [name for own, name in self.keys if own == kind]

    def site(self) -> Result:
        """Return a site: some of the objects, and all that they need."""
        draw, share = self.random, self.random.choice((0.5, 0.8, 1.0))
        kept = {kind: [name for name in self.of(kind) if draw.random() < share] for kind in ("vms", "volumes")}
        needed = {group for name in kept["vms"] for group in self.groups[name]}
        groups = [name for name in self.of("security_groups") if name in needed or draw.random() < share]
        pairs = [{"name": PAIR, "public_key": KEY}] if self.paired & {*kept["vms"]} else []
        site = {
            "key_pairs": pairs,
            "security_groups": [self._group(name, groups) for name in groups],
            "vms": [self._machine(name) for name in kept["vms"]],
            "volumes": [self._volume(name, kept["vms"]) for name in kept["volumes"]],
        }
        return {"name": SITE, "zone": NEW["zone"], **{kind: items for kind, items in site.items() if items}}

    def _group(self, name: str, groups: list[str]) -> Result:
        rules = [self._rule(groups) for _rule in range(self.random.randint(0, 3))]
        return {"name": name, **self._tags(), **self._maybe({"ingress": rules}, 0.9)}

    def _rule(self, groups: list[str]) -> Result:
        ports = self.random.choice(("22", "80", "8000-8100"))
        if self.random.random() < 0.5:
            return {"ports": ports, "cidrs": self.random.sample(CIDRS, self.random.randint(1, 2))}
        return {"ports": ports, "groups": [{"name": self.random.choice([*groups, "default", ALIEN])}]}

    def _machine(self, name: str) -> Result:
        return {
            **NEW,
            "name": name,
            "service_offering": self.random.choice(OFFERINGS),
            "allow_restart": True,
            **({"security_groups": self.groups[name]} if self.groups[name] else {}),
            **({"key_pair": PAIR} if name in self.paired else {}),
            **self._maybe({"state": self.random.choice(("started", "stopped"))}, 0.4),
            **self._tags(),
        }

    def _volume(self, name: str, machines: list[str]) -> Result:
        where: Result = {"vm": self.random.choice(machines)} if machines and self.random.random() < 0.6 else {}
        if not where and self.random.random() < 0.3:
            where = {"state": "detached"}
        return {"name": name, "disk_offering": "Small", "force": True, **where, **self._tags()}

    def _tags(self) -> Result:
        return self._maybe({"tags": self.random.choice(TAGS)}, 0.6)

    def _maybe(self, options: Result, chance: float) -> Result:
        return options if self.random.random() < chance else {}

    def faults(self) -> list[Result]:
        """Return rules of what goes wrong, each some times."""
        draw = self.random
        rules = []
        for _fault in range(draw.randint(1, 3)):
            when: Result = {"nth": draw.sample(range(1, 6), draw.randint(1, 2))}
            if draw.random() < 0.3:
                when = {"probability": 0.2, "seed": draw.randint(1, 999), "times": draw.randint(1, 6)}
            rules.append({**draw.choice(KINDS), "command": draw.choice(CHANGES), **when})
        if draw.random() < 0.2:
            rules.append({"kind": "refuse", "nth": draw.randint(1, 30), "seconds": 0.03})
        return rules


# What the service holds


def tags_of(store: Any, kind: str, one: Any) -> dict[str, str]:
    """Return the tags of an object of this kind."""
    return {tag.key: tag.value for tag in store.tags.get((kind, one.id), {}).values()}


def machines(store: Any) -> Iterator[Result]:
    """Yield all machines that are not gone."""
    for vm in list(store.vms.values()):
        if vm.state not in GONE:
            yield {
                "id": vm.id,
                "kind": "vms",
                "name": vm.name,
                "state": vm.state,
                "display_name": vm.displayname,
                "service_offering": store.service_offerings[vm.offering_id].name,
                "groups": sorted(store.security_groups[one].name for one in vm.security_group_ids),
                "has_key": bool(vm.public_key),
                "tags": tags_of(store, "UserVm", vm),
            }


def volumes(store: Any) -> Iterator[Result]:
    """Yield all data disks."""
    for one in list(store.volumes.values()):
        if one.kind == "DATADISK" and one.state != "Destroy":
            vm = store.vms.get(one.vm_id)
            place = {"vm": vm.name if vm else None, "zone": store.zones[one.zone_id].name}
            yield {"id": one.id, "kind": "volumes", "name": one.name, **place, "tags": tags_of(store, "Volume", one)}


def groups(store: Any) -> Iterator[Result]:
    """Yield all security groups."""
    for group in list(store.security_groups.values()):
        rules = sorted(
            (rule.direction, rule.start, rule.end, rule.cidr or store.security_groups[rule.source_id].name)
            for rule in group.rules.values()
        )
        shown = {"name": group.name, "rules": rules, "tags": tags_of(store, "SecurityGroup", group)}
        yield {"id": group.id, "kind": "security_groups", **shown}


def pairs(store: Any) -> Iterator[Result]:
    """Yield all key pairs."""
    for pair in list(store.key_pairs.values()):
        yield {"id": pair.id, "kind": "key_pairs", "name": pair.name, "is_given": pair.fingerprint == fingerprint(KEY)}


def everything(store: Any) -> list[Result]:
    """Return all objects that a site may be about."""
    return [one for read in (pairs, groups, machines, volumes) for one in read(store)]


def own(found: list[Result]) -> dict[Key, Result]:
    """Return the objects of the site. Key pairs have no tags, so all count."""
    return {
        (one["kind"], one["name"]): one for one in found if one["kind"] == "key_pairs" or one["tags"].get(TAG) == SITE
    }


def foreign(found: list[Result]) -> dict[str, Result]:
    """Return all others, by id. A disk of theirs may be taken from a machine of the site that goes."""
    others = [one for one in found if one["kind"] != "key_pairs" and one["tags"].get(TAG) != SITE]
    return {one["id"]: {name: value for name, value in one.items() if name != "vm"} for one in others}


# What must be there


def items(site: Result) -> Iterator[tuple[Key, Result]]:
    """Yield the declared objects."""
    for kind in ("key_pairs", "security_groups", "vms", "volumes"):
        yield from (((kind, item["name"]), item) for item in site.get(kind, []))


def expected(before: dict[Key, Result], site: Result) -> dict[Key, Result]:
    """Return the declared objects as they must be after a run. A disk that does not exist is not made to be detached."""
    return {
        key: _EXPECTED[key[0]](before.get(key, {}), item)
        for key, item in items(site)
        if key in before or item.get("state") != "detached"
    }


def _tags_asked(before: Result, item: Result) -> dict[str, str]:
    return {**(item["tags"] if "tags" in item else before.get("tags", {})), TAG: SITE}


def _pair(_before: Result, item: Result) -> Result:
    return {"name": item["name"], "is_given": True}


def _group(before: Result, item: Result) -> Result:
    rules = before.get("rules", [])
    if "ingress" in item:
        rules = sorted({one for rule in item["ingress"] for one in _rules(rule)})
    return {"name": item["name"], "rules": rules, "tags": _tags_asked(before, item)}


def _rules(rule: Result) -> Iterator[tuple[str, int, int, str]]:
    first, _hyphen, last = rule["ports"].partition("-")
    for source in (*rule.get("cidrs", []), *(group["name"] for group in rule.get("groups", []))):
        yield "ingress", int(first), int(last or first), source


def _machine(before: Result, item: Result) -> Result:
    states = {"started": "Running", "stopped": "Stopped", "present": before.get("state", "Running")}
    return {
        "name": item["name"],
        "state": states[item.get("state", "present")],
        "service_offering": item["service_offering"],
        "groups": sorted(item.get("security_groups", ["default"])),
        "has_key": "key_pair" in item,
        "tags": _tags_asked(before, item),
    }


def _volume(before: Result, item: Result) -> Result:
    stays = None if item.get("state") == "detached" else before.get("vm")
    return {"name": item["name"], "vm": item.get("vm", stays), "tags": _tags_asked(before, item)}


_EXPECTED = {"key_pairs": _pair, "security_groups": _group, "vms": _machine, "volumes": _volume}


def differences(wanted: dict[Key, Result], found: dict[Key, Result]) -> Iterator[tuple[Key, str]]:
    """Yield each declared object that is not as it must be, and what differs."""
    for key, one in wanted.items():
        there = found.get(key)
        if there is None:
            yield key, "is missing"
            continue
        wrong = {name: (there[name], value) for name, value in one.items() if there[name] != value}
        if wrong:
            yield key, f"has (is, must be): {wrong}"


def without_gone(wanted: dict[Key, Result], going: set[str]) -> dict[Key, Result]:
    """Return what must be there where disks leave the machines that go, ``going``."""
    wanted = copy.deepcopy(wanted)
    for one in wanted.values():
        if one.get("vm") in going:
            one["vm"] = None
    return wanted
