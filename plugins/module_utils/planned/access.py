# Copyright: (c) 2026, the cloudn.compute authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the commands about groups, rules, key pairs and tags would do to the records of the service."""

from __future__ import annotations

from ..api import Record
from ..api.flawed import peek
from ..resources.lookup import same_name
from ..resources.names import folded
from .kinds import AFFINITY, GROUP, PAIR, SNAPSHOT, TAG, TEMPLATE, VM, VOLUME
from .world import World

_TAGGED = {"UserVm": VM, "Volume": VOLUME, "Template": TEMPLATE, "Snapshot": SNAPSHOT}
_RANGE = ("startport", "endport", "icmptype", "icmpcode")


def create_group(world: World, params: Record) -> Record:
    """Make a security group."""
    return world.make(GROUP, name=params["name"], description=params.get("description"), **world.owner)


def delete_group(world: World, params: Record) -> None:
    """Delete a security group with its tags."""
    world.remove(GROUP, world.look(GROUP, params["id"]) or {"id": params["id"]})
    for tag in [one for one in world.every(TAG) if peek(one, "resourceid") == params["id"]]:
        world.remove(TAG, tag)


def authorize_ingress(world: World, params: Record) -> None:
    """Add rules for what comes in."""
    _authorize(world, params, "ingressrule")


def authorize_egress(world: World, params: Record) -> None:
    """Add rules for what goes out."""
    _authorize(world, params, "egressrule")


def _authorize(world: World, params: Record, field: str) -> None:
    kind = {"protocol": params["protocol"], **{name: params[name] for name in _RANGE if name in params}}
    if params["protocol"] == "all":
        kind.update(startport=0, endport=0)
    peers: list[Record] = [{"cidr": cidr} for cidr in params.get("cidrlist") or []]
    for group in params.get("usersecuritygrouplist") or []:
        peers.append({"securitygroupname": group["group"], "account": group["account"]})
    new = [{"ruleid": world.new_id("rule"), **kind, **peer} for peer in peers]
    world.add(GROUP, params["securitygroupid"], field, new)


def revoke_ingress(world: World, params: Record) -> None:
    """Remove a rule for what comes in."""
    _revoke(world, params, "ingressrule")


def revoke_egress(world: World, params: Record) -> None:
    """Remove a rule for what goes out."""
    _revoke(world, params, "egressrule")


def _revoke(world: World, params: Record, field: str) -> None:
    for group in world.every(GROUP):
        if any(rule.get("ruleid") == params["id"] for rule in peek(group, field) or []):
            world.drop(GROUP, peek(group, "id"), field, [params["id"]])


def make_pair(world: World, params: Record) -> Record:
    """Make a key pair, or register one. Nobody knows the key that the service makes, so its fingerprint stands for it."""
    made: Record = {"id": world.new_id("key-pair"), "planned": True}
    fingerprint = world.hints.get("fingerprint") or made["id"]
    if not world.is_4:
        made.pop("id")
    pair = {"name": params["name"].strip(), "fingerprint": fingerprint, **made}
    world.part("made", PAIR)[:] = [pair, *(one for one in world.part("made", PAIR) if not _is_named(one, pair["name"]))]
    return pair


def delete_pair(world: World, params: Record) -> None:
    """Delete a key pair."""
    world.remove(PAIR, {"name": params["name"]})


def _is_named(record: Record, name: str) -> bool:
    return same_name(record.get("name"), name)


def create_affinity_group(world: World, params: Record) -> Record:
    """Make an affinity group."""
    return world.make(
        AFFINITY, name=params["name"], type=params.get("type"), description=params.get("description"), **world.owner
    )


def delete_affinity_group(world: World, params: Record) -> None:
    """Delete an affinity group. Its machines are in it no more."""
    world.remove(AFFINITY, world.look(AFFINITY, params["id"]) or {"id": params["id"]})


def create_tags(world: World, params: Record) -> None:
    """Give objects tags."""
    given = [{"key": str(key), "value": value} for key, value in params["tags"].items()]
    for wanted in params["resourceids"]:
        if params["resourcetype"] in _TAGGED:
            world.add(_TAGGED[params["resourcetype"]], wanted, "tags", given)
            continue
        for tag in given:  # only a list of tags shows those of a security group
            row = {**tag, "resourceid": wanted, "resourcetype": params["resourcetype"]}
            world.make(TAG, **row)


def delete_tags(world: World, params: Record) -> None:
    """Take tags from objects."""
    keys = [folded(str(tag["key"])) for tag in params["tags"]]
    for wanted in params["resourceids"]:
        if params["resourcetype"] in _TAGGED:
            world.drop(_TAGGED[params["resourcetype"]], wanted, "tags", keys)
        else:
            for key in keys:
                world.remove(TAG, {"resourceid": wanted, "key": key})
