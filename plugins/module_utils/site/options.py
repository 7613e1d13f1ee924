# Copyright: (c) 2026, the cloudn.compute authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The options of a site: its items with the options of their modules, and what they name of each other."""

from __future__ import annotations

import typing as t

from ..api import Record, UsageError
from ..resources.names import folded
from ..resources.security_group.rules import DIRECTIONS
from ..wrong_values import did_you_mean, nearest

# The tag that tells which site an object belongs to.
TAG = "cloudn_site"
KEY_PAIR, SECURITY_GROUP, VM, VOLUME = "key_pair", "security_group", "vm", "volume"
# The kinds in the order in which they are planned: what a later kind names was planned before it.
KINDS = (KEY_PAIR, SECURITY_GROUP, VM, VOLUME)
# The options with the items of each kind. The result has the objects under the same names.
PLURALS = {KEY_PAIR: "key_pairs", SECURITY_GROUP: "security_groups", VM: "vms", VOLUME: "volumes"}
# Kinds whose names the service compares without case, see ``names.folded``.
_FOLDED = (KEY_PAIR, SECURITY_GROUP)
_LONGEST_NAME = 255

# A kind, and a name as the service compares it.
Key = t.Tuple[str, str]


def key_of(kind: str, name: str) -> Key:
    """Return what is equal for all spellings of one object."""
    return kind, folded(name) if kind in _FOLDED else name


def text_of(key: Key) -> str:
    """Return the key of an object's plan."""
    return f"{key[0]}:{key[1]}"


def key_of_text(text: str) -> Key:
    """Return the key of an object by the key of its plan, see ``text_of``."""
    kind, _colon, name = text.partition(":")
    return kind, name


class Item(t.NamedTuple):
    """An item of the lists: what the user declares.

    ``options`` are those of the module of this ``kind``, with the site's defaults and tag. ``path`` leads to the item, such as
    ``vms[1]``. ``names`` are the names of its objects: an item of virtual machines may have several.
    """

    kind: str
    path: str
    names: list[str]
    options: Record

    @property
    def keys(self) -> list[Key]:
        """The keys of the item's objects."""
        return [key_of(self.kind, name) for name in self.names]

    def references(self) -> t.Iterator[Key]:
        """Yield the key of each object of the account that the item names."""
        options = self.options
        if self.kind == VM:
            if options.get("key_pair"):
                yield key_of(KEY_PAIR, options["key_pair"])
            yield from (key_of(SECURITY_GROUP, name) for name in options.get("security_groups") or [])
        if self.kind == VOLUME and options.get("vm"):
            yield key_of(VM, options["vm"])
        if self.kind == SECURITY_GROUP:
            rules = [rule for direction in DIRECTIONS for rule in options.get(direction) or []]
            groups = [group for rule in rules for group in rule.get("groups") or []]
            yield from (key_of(SECURITY_GROUP, group["name"]) for group in groups if not group.get("account"))


class Site(t.NamedTuple):
    """The options of a site, checked. ``items`` are those that count, in the order of ``KINDS``: ``only`` may leave out others."""

    name: str
    options: Record
    items: list[Item]

    @property
    def is_absent(self) -> bool:
        """Whether the site shall be gone."""
        return bool(self.options["state"] == "absent")

    def of(self, kind: str) -> list[Item]:
        """Return the items of a kind."""
        return [item for item in self.items if item.kind == kind]

    def names(self, kind: str) -> list[str]:
        """Return the names of the declared objects of a kind."""
        return [name for item in self.of(kind) for name in item.names]

    @property
    def declared(self) -> set[Key]:
        """The keys of all declared objects."""
        return {key for item in self.items for key in item.keys}


def site_of(options: Record) -> Site:
    """Return the site that the module's options describe. The items have their defaults already.

    Raises ``UsageError`` for options that are wrong whatever the service holds.
    """
    _check(options)
    items = [
        _item(kind, f"{PLURALS[kind]}[{number}]", given, options)
        for kind in KINDS
        for number, given in enumerate(options.get(PLURALS[kind]) or [])
    ]
    _check_names(items)
    if options.get("only") is None:
        return Site(options["name"], options, items)
    wanted = _closure(items, options["only"])
    kept = [_part(item, [name for name, key in zip(item.names, item.keys) if key in wanted]) for item in items]
    return Site(options["name"], options, [one for one in kept if one.names])


def _check(options: Record) -> None:
    name = options["name"]
    if not name.strip() or len(name) > _LONGEST_NAME:
        raise UsageError(f"name: must have 1 to {_LONGEST_NAME} characters, and is the value of the tag {TAG}")
    for option in ("max_parallel", "max_jobs"):
        if options[option] < 1:
            raise UsageError(f"{option}: must be at least 1, not {options[option]}")
    if options.get("only") is not None:
        if options["prune"]:
            raise UsageError("prune: does not go with only: what only leaves out would count as not declared")
        if options["state"] == "absent":
            raise UsageError("only: does not go with state: absent, which removes the whole site")
        if not options["only"]:
            raise UsageError("only: the list is empty; name at least one object of the site, or leave the option out")
    if options["state"] == "absent":
        for option in ("prune", "adopt"):
            if options[option]:
                raise UsageError(f"{option}: does not go with state: absent, which removes all that carries the tag")


def _item(kind: str, path: str, given: Record, site: Record) -> Item:
    """Return an item with the options of its module: the site's zone and bounds where it has none, and the site's tag."""
    options: Record = {**given, "wait": True, "wait_timeout": site["wait_timeout"]}
    if kind in (VM, VOLUME) and options.get("zone") is None:
        options["zone"] = site.get("zone")
    if kind == VM:
        options.update(max_parallel=site["max_parallel"], max_jobs=site["max_jobs"])
    if kind == VOLUME and not options.get("name"):
        raise UsageError(f"{path}.name: is needed: a site knows its volumes by their names")
    if kind == KEY_PAIR and not options.get("public_key") and site["state"] != "absent":
        raise UsageError(
            f"{path}.public_key: is needed: the service shows the private key of a new pair only once, and a site would keep it "
            "in its result. Make such a pair with cloudn_key_pair"
        )
    if kind != KEY_PAIR:
        _add_tag(options, path, site["name"])
    names = list(dict.fromkeys(options["name"])) if kind == VM else [options["name"]]
    if not names:
        raise UsageError(f"{path}.name: the list is empty; name at least one VM")
    return Item(kind, path, names, options)


def _add_tag(options: Record, path: str, site: str) -> None:
    """Add the site's tag to the tags of an item. Without tags of its own, the item leaves the others of its objects alone."""
    given = options.get("tags")
    for key in given or {}:
        if folded(str(key)) == folded(TAG):
            raise UsageError(f"{path}.tags: {key!r} is the tag of the site itself; leave it out")
    if given is None:
        options["purge_tags"] = False
    options["tags"] = {**(given or {}), TAG: site}


def _check_names(items: list[Item]) -> None:
    """Raise ``UsageError`` for an object that is declared twice."""
    seen: dict[Key, tuple[str, str]] = {}
    for item in items:
        for name, key in zip(item.names, item.keys):
            if key in seen:
                path, other = seen[key]
                alike = "" if other == name else f" (the service takes it for {other!r})"
                raise UsageError(
                    f"{item.path}.name: {name!r} is declared in {path} already{alike}; declare each object once"
                )
            seen[key] = item.path, name


def _closure(items: list[Item], only: list[str]) -> set[Key]:
    """Return the keys of the objects that ``only`` names, and of all that these name. Raises ``UsageError`` for an unknown name."""
    by_key = {key: item for item in items for key in item.keys}
    named: list[Key] = []
    for number, name in enumerate(only):
        found = [key for key in by_key if key == key_of(key[0], name)]
        if not found:
            names = [one for item in items for one in item.names]
            near = did_you_mean(name, names) if nearest(name, names) else f". There are: {', '.join(names)}"
            raise UsageError(f"only[{number}]: the site declares no {name!r}{near}")
        named += found
    wanted: set[Key] = set()
    while named:
        key = named.pop()
        if key not in wanted:
            wanted.add(key)
            named += [other for other in by_key[key].references() if other in by_key]
    return wanted


def _part(item: Item, names: list[str]) -> Item:
    """Return an item with only some of its objects."""
    if names == item.names:
        return item
    options = {**item.options, "name": names} if item.kind == VM else item.options
    return item._replace(names=names, options=options)
