# Copyright: (c) 2026, the cloudn.compute authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The service as it would be after what check mode has planned: objects made, changed and removed. It sends nothing.

All of it is kept in plain data (``World.data``), which JSON can hold:

    numbers: how many objects of each kind were planned, by the words of the kinds.
    made: lists of records of planned objects, by listing commands.
    changed: what changes of objects that exist, by listing commands and ids, see ``_patched``.
    removed: the keys of objects that would be gone, by listing commands, see ``kinds.key_of``.
    destroyed: machines that would be destroyed and not expunged: their ``id``, ``name`` and ``groups`` (ids).
    started: the ids of machines that would have been started at least once.
    launchers: the accounts that would get (``add``) and lose (``drop``) the right to launch a template, by its id.
    service: what is known of the service and the account: generation, account, domain, domainid, and the group default.
"""

from __future__ import annotations

import typing as t

from ..api import Record, planned_ids
from ..api.flawed import altered, peek
from ..resources.fields import PLANNED
from ..resources.names import folded
from ..resources.vm.view import TRANSITIONAL
from .kinds import AFFINITY, KINDS, SNAPSHOT, TEMPLATE, VM, VOLUME, is_found, key_of, meaning_of, touches

# The lists in records whose items come and go one by one, with the field that tells items apart.
_LISTS = {"tags": "key", "ingressrule": "ruleid", "egressrule": "ruleid"}
# What a volume without a machine does not have.
DETACHED: Record = dict.fromkeys(("virtualmachineid", "vmname", "vmdisplayname", "vmstate", "deviceid", "attached"))
FOUR = 4
ZONES = "listZones"


class World:
    """What is planned (``data``), and what the service has shown to this task (``seen``).

    ``seen`` has records by listing commands and keys, as they were read. ``hints`` are the attributes that the plan at hand
    leads to. ``now`` is the service's time, as its records show it.
    """

    def __init__(self, data: Record, seen: dict[str, dict[str, Record]], now: str = "") -> None:
        self.data = data
        self.seen = seen
        self.now = now
        self.hints: Record = {}

    # --- what is known

    def part(self, name: str, command: str | None = None) -> t.Any:
        """Return a part of the data, for changes."""
        part = self.data.setdefault(name, [] if name in ("destroyed", "started") else {})
        if command is None:
            return part
        return part.setdefault(command, [] if name in ("made", "removed") else {})

    @property
    def service(self) -> Record:
        """What is known of the service and of the account."""
        return t.cast("Record", self.part("service"))

    @property
    def is_4(self) -> bool:
        """Whether the service is of CloudStack 4 or later."""
        return int(self.service.get("generation") or 0) >= FOUR

    @property
    def owner(self) -> Record:
        """The fields of a record that say whose it is."""
        return {field: self.service[field] for field in ("account", "domainid", "domain") if self.service.get(field)}

    def every(self, command: str) -> list[Record]:
        """Return all records of a kind that are known, as they would be."""
        rows = [self.current(command, row) for row in self.seen.get(command, {}).values()]
        return [*(row for row in rows if row is not None), *self.part("made", command)]

    def look(self, command: str, wanted: t.Any) -> Record:
        """Return a record by its id, as it would be. It is empty if nothing is known of it."""
        return next((row for row in self.every(command) if peek(row, "id") == wanted), {})

    def zone_name(self, zone_id: t.Any) -> str | None:
        """Return the name of a zone, from any record that shows it."""
        for zone in self.seen.get(ZONES, {}).values():
            if zone.get("id") == zone_id:
                return t.cast("str | None", zone.get("name"))
        rows = [row for command in (VM, VOLUME, SNAPSHOT, TEMPLATE) for row in self.every(command)]
        return next((peek(row, "zonename") for row in rows if peek(row, "zoneid") == zone_id), None)

    # --- changes

    def make(self, command: str, **record: t.Any) -> Record:
        """Add an object that would be made, and return its record. ``None`` leaves a field out.

        Two hosts may plan the same object at the same moment. Then they get the same one.
        """
        row: Record = {field: value for field, value in record.items() if value is not None}
        meaning = meaning_of(command, row)
        if meaning is not None:
            for known in self.part("made", command):
                if meaning_of(command, known) == meaning:
                    return t.cast("Record", known)
        if KINDS[command].word and "id" not in row:
            row = {"id": self.new_id(KINDS[command].word), **row, PLANNED: True}
            row.setdefault("name", row["id"])  # the service makes a name
        self.part("made", command).insert(0, row)
        return row

    def new_id(self, word: str) -> str:
        """Return an id for another planned object."""
        numbers = self.part("numbers")
        numbers[word] = numbers.get(word, 0) + 1
        return planned_ids.make(word, numbers[word])

    def change(self, command: str, wanted: t.Any, **fields: t.Any) -> None:
        """Set fields of an object. ``None`` takes one away."""
        mine = [row for row in self.part("made", command) if row.get("id") == wanted]
        for row in mine:
            row.update(fields)
            for field in [field for field, value in row.items() if value is None]:
                del row[field]
        if mine and all(row.get(PLANNED) for row in mine):
            return
        raw = self._raw(command, wanted)
        patch = self.part("changed", command).setdefault(wanted, {}).setdefault("set", {})
        for field, value in fields.items():
            was = {} if raw is None else {"was": _settled(peek(raw, field))}
            patch[field] = {**was, "is": value}

    def add(self, command: str, wanted: t.Any, field: str, items: list[Record]) -> None:
        """Add items to a list of an object, see ``_LISTS``. An item of the same key is replaced."""
        keys = [_item_key(field, item) for item in items]
        for row in self.part("made", command):
            if row.get("id") == wanted:
                row[field] = [one for one in row.get(field, []) if _item_key(field, one) not in keys] + items
                if row.get(PLANNED):
                    return
        patch = self.part("changed", command).setdefault(wanted, {}).setdefault("add", {})
        patch[field] = [one for one in patch.get(field, []) if _item_key(field, one) not in keys] + items

    def drop(self, command: str, wanted: t.Any, field: str, keys: list[str]) -> None:
        """Take items out of a list of an object, by their keys, see ``_LISTS``."""
        gone = [folded(key) for key in keys]
        for row in self.part("made", command):
            if row.get("id") == wanted:
                row[field] = [one for one in row.get(field, []) if _item_key(field, one) not in gone]
                if row.get(PLANNED):
                    return
        patch = self.part("changed", command).setdefault(wanted, {})
        added = patch.setdefault("add", {})
        added[field] = [one for one in added.get(field, []) if _item_key(field, one) not in gone]
        dropped = patch.setdefault("drop", {})
        dropped[field] = sorted({*dropped.get(field, []), *gone})

    def remove(self, command: str, record: Record) -> None:
        """Remove an object, by its record."""
        key = key_of(command, record)
        made = self.part("made", command)
        made[:] = [row for row in made if key_of(command, row) != key]
        self.part("changed", command).pop(record.get("id"), None)
        removed = self.part("removed", command)
        if key not in removed:
            removed.append(key)

    def restore(self, command: str, record: Record) -> None:
        """Take back that an object would be gone."""
        removed = self.part("removed", command)
        removed[:] = [key for key in removed if key != key_of(command, record)]

    def forget(self, command: str, wanted: t.Any, name: t.Any) -> None:
        """Forget what was planned about an object that has really changed, by its id and its name."""
        for part in (self.part("changed", command), self.part("launchers")):
            part.pop(wanted, None)
        removed = self.part("removed", command)
        own = {key_of(command, {"id": wanted, "name": name}), str(wanted)}
        removed[:] = [key for key in removed if key not in own and key.partition(" ")[0] != str(wanted)]
        rows = self.part("made", command)
        rows[:] = [row for row in rows if row.get("id") != wanted and (name is None or row.get("name") != name)]
        if command == VM:
            destroyed = self.part("destroyed")
            destroyed[:] = [one for one in destroyed if one["id"] != wanted]

    # --- what a listing would show

    def lay(self, command: str, query: t.Mapping[str, t.Any], rows: list[Record]) -> list[Record]:
        """Return the records that a listing would show: the service's records with what is planned, planned ones first."""
        shown = []
        for row in rows:
            current = self.current(command, row)
            if current is not None and (
                current is row or is_found(command, current, query, self._fields_changed(command, row))
            ):
                shown.append(current)
        # What exists meanwhile takes the place of what was planned.
        there = {meaning_of(command, row) for row in shown} - {None}
        made = [self._derived(command, dict(row)) for row in self.part("made", command)]
        found = [row for row in made if row is not None and is_found(command, row, query)]
        return [row for row in found if meaning_of(command, row) not in there] + shown

    def elsewhere(self, command: str, query: t.Mapping[str, t.Any], rows: list[Record]) -> list[str]:
        """Return the ids of objects that exist, and that only a planned change brings into a listing."""
        ids = {peek(row, "id") for row in rows}
        return [
            one
            for one in self.part("changed", command)
            if one not in ids
            and not planned_ids.parse(one)
            and touches(command, query, self._fields_changed(command, {"id": one}))
            and is_found(command, self._set_fields(command, one), query, self._fields_changed(command, {"id": one}))
        ]

    def _set_fields(self, command: str, wanted: str) -> Record:
        patch = self.part("changed", command)[wanted]
        fields = {field: one["is"] for field, one in patch.get("set", {}).items() if one["is"] is not None}
        return {**fields, **patch.get("add", {})}

    def _fields_changed(self, command: str, row: Record) -> set[str]:
        """Return the fields of an object that planned changes may have changed."""
        patch = self.part("changed", command).get(peek(row, "id"), {})
        derived = {"virtualmachineid", "state"} if command == VOLUME else set()
        return derived.union(*(patch.get(part, {}) for part in ("set", "add", "drop")))

    def _raw(self, command: str, wanted: t.Any) -> Record | None:
        return next((row for row in self.seen.get(command, {}).values() if peek(row, "id") == wanted), None)

    def current(self, command: str, row: Record) -> Record | None:
        """Return a record of the service as it would be, ``None`` if it would be gone."""
        if command not in KINDS:
            return row
        key = key_of(command, row)
        if key in self.part("removed", command):
            return None
        patch = self.part("changed", command).get(peek(row, "id"))
        return self._derived(command, _patched(row, patch) if patch else row)

    # --- what follows from other objects

    def _derived(self, command: str, row: Record) -> Record | None:
        """Return a record with what follows from changes of other objects. ``None``: it would be gone with another."""
        if command == VOLUME:
            return self._disk(row)
        if command == VM and self.part("removed", AFFINITY) and peek(row, "affinitygroup"):
            gone = self.part("removed", AFFINITY)
            return altered(row, affinitygroup=[one for one in row["affinitygroup"] if one.get("id") not in gone])
        if command == AFFINITY:
            return self._affinity_group(row)
        return row

    def _disk(self, row: Record) -> Record | None:
        """Return a volume with the state of its machine. It goes with the machine; CloudStack 4 keeps data disks."""
        machine = peek(row, "virtualmachineid")
        if machine is None:
            return row
        if machine in self.part("removed", VM):
            kept = self.is_4 and peek(row, "type") != "ROOT"
            return altered(row, **DETACHED) if kept else None
        patch = self.part("changed", VM).get(machine, {}).get("set", {})
        state = patch.get("state", {}).get("is")
        if state and _settled(peek(row, "vmstate")) in (patch["state"].get("was"), None):
            row = altered(row, vmstate=state)
        if machine in self.part("started") and peek(row, "state") == "Allocated":
            row = altered(row, state="Ready")
        return row

    def _affinity_group(self, row: Record) -> Record:
        """Return an affinity group with the machines that would be in it."""
        mine = peek(row, "id")
        ids = list(peek(row, "virtualmachineIds") or peek(row, "virtualmachineids") or [])
        before = list(ids)
        for machine, groups in self._groups_of_machines():
            if any(one.get("id") == mine for one in groups):
                ids += [machine] if machine not in ids else []
            elif machine in ids:
                ids.remove(machine)
        ids = [one for one in ids if one not in self.part("removed", VM)]
        return row if ids == before else altered(row, virtualmachineIds=ids, virtualmachineids=None)

    def _groups_of_machines(self) -> t.Iterator[tuple[str, list[Record]]]:
        for row in self.part("made", VM):
            yield row["id"], row.get("affinitygroup") or []
        for machine, patch in self.part("changed", VM).items():
            if "affinitygroup" in patch.get("set", {}):
                yield machine, patch["set"]["affinitygroup"]["is"] or []


def _patched(row: Record, patch: Record) -> Record:
    """Return a record with planned changes.

    ``patch`` has ``set`` (fields with the value that each gets (``is``), and that it had (``was``)), ``add`` (items of lists),
    and ``drop`` (keys of items). If the service shows another value than a field had, somebody has really changed it
    meanwhile. Then that counts.
    """
    fields = {
        field: one["is"]
        for field, one in patch.get("set", {}).items()
        if "was" not in one or _settled(peek(row, field)) == one["was"]
    }
    for field in {*patch.get("add", {}), *patch.get("drop", {})}:
        gone = patch.get("drop", {}).get(field, [])
        there = [one for one in peek(row, field) or [] if _item_key(field, one) not in gone]
        known = [_item_content(field, one) for one in there]
        new = [one for one in patch.get("add", {}).get(field, []) if _item_content(field, one) not in known]
        fields[field] = there + new
    return altered(row, **fields)


def _item_key(field: str, item: Record) -> str:
    return folded(str(item.get(_LISTS[field])))


def _item_content(field: str, item: Record) -> t.Any:
    """Return what is equal for an item that is planned and the same item that exists."""
    if field == "tags":
        return _item_key(field, item)
    return sorted((name, str(value)) for name, value in item.items() if name not in ("ruleid", "tags"))


def _settled(value: t.Any) -> t.Any:
    """Return a value as it was read, and for a state on its way the one that comes."""
    return TRANSITIONAL.get(value, value) if isinstance(value, str) else value


def row_in_zone(world: World, template: str, zone: str) -> Record:
    """Return the record of a template in a zone, or another record of it."""
    rows = [row for row in world.every(TEMPLATE) if peek(row, "id") == template]
    return next((row for row in rows if peek(row, "zoneid") == zone), rows[0] if rows else {})
