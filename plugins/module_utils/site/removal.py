# Copyright: (c) 2026, the cloudn.compute authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Plans the removal of what carries a site's tag: the whole site, or what is no longer declared."""

from __future__ import annotations

import typing as t

from ..api import Record, UsageError
from ..reconcile import Plan, Progress, Resource, Task
from ..reconcile.run import Part
from ..resources import key_pair, key_pair_spec
from ..resources.lookup import same_name
from ..resources.security_group.going import GOING, await_expunged, foresee, users
from ..resources.security_group.going import left as left_groups
from ..resources.security_group.held import Going, Holders, Left, is_held
from ..resources.vm import spec as vm_spec
from ..resources.vm.attachments import await_attached
from ..resources.vm.lookup import RESOURCE as MACHINE
from ..resources.vm.view import GONE
from ..resources.volume import spec as volume_spec
from ..resources.volume.lookup import RESOURCE as DISK
from ..resources.volume.view import ROOT
from . import owner
from .options import KEY_PAIR, SECURITY_GROUP, VM, VOLUME, Key, Site, key_of
from .plan import Draft, Planner
from .reads import without_plans

_KEPT = "it is a data disk: set delete_volumes: true to delete it"


class Removal:
    """Adds to a draft the plans that remove objects. Only what carries the tag goes, and key pairs that are named.

    Machines go first: their data disks are detached before. Then disks, groups and key pairs go, each when nothing holds it.
    """

    def __init__(self, task: Task, site: Site, planner: Planner) -> None:
        self._task = task
        self._site = site
        self._planner = planner
        self._keys: set[str] = set()  # of the plans of groups
        self._gone: list[Record] = []  # the machines that go

    def add(self, draft: Draft, left: list[Record]) -> None:
        """Add the plans. ``left`` takes what stays, with the reason."""
        stays = set() if self._site.is_absent else {*self._site.declared}
        going = {
            kind: _in_order(row for row in draft.known.tagged(kind, self._site.name) if not _is_of(kind, row, stays))
            for kind in (SECURITY_GROUP, VM, VOLUME)
        }
        self._gone = going[VM]
        self._machines(draft, going[VM])
        self._volumes(draft, going[VOLUME], left)
        self._groups(draft, going[SECURITY_GROUP], going[VM], left)
        if self._site.is_absent:
            self._key_pairs(draft, left)
            self._tell_others(draft, left)

    def conclude(self, progresses: list[Progress], left: list[Record]) -> None:
        """See what became of the groups after the run. ``left`` takes those that only destroyed machines hold."""
        groups = [one for one in progresses if one.plan.key in self._keys]
        if not any(is_held(one) for one in groups):
            return
        if self._site.options["wait_for_expunge"]:
            await_expunged(self._task.client, groups, self._task.deadline)
            return
        said = left_groups(self._task.client, groups, self._task.deadline)
        own = Left([], [])
        for one in said.left:
            # A plain account does not see the machines that this run has destroyed.
            mine = [str(row.get("name")) for row in self._gone if one["id"] in _groups_of(row)]
            own.add(one["name"], one["id"], Holders([], [], sorted(mine)))
        left += held(own)
        self._task.warnings.extend(own.warnings)

    def _machines(self, draft: Draft, rows: list[Record]) -> None:
        if not rows:
            return
        options = {
            **_defaults(vm_spec.SPEC),
            "name": [_called(row, draft.known.all_of(VM)) for row in rows],
            "state": "absent",
            "detach_volumes": True,
            **{name: self._task.options[name] for name in ("wait_timeout", "max_parallel", "max_jobs")},
        }
        part = self._planner.part(options, MACHINE)
        task = part.task._replace(client=draft.view, check=True)
        found = MACHINE.find(task)
        part.lookups.update(MACHINE.lookup(task, found) or {})
        disks = part.lookups.get("data_disks") or {}
        part.lookups["data_disks"] = {machine: _in_order(rows) for machine, rows in disks.items()}
        if not self._task.check and part.lookups.get("alive"):
            self._await_attached(draft, part.lookups)
        by_id = {row["id"]: row for row in rows}
        for name, one in found.items():
            if one:
                self._take(draft, VM, part, name, one, by_id[one["id"]])

    def _await_attached(self, draft: Draft, lookups: Record) -> None:
        """Wait for disks that are being attached to machines that go: the service would destroy them with the machine.

        If there are such, all must be read again. Disks that this run moves elsewhere are not theirs any more.
        """
        now = dict(lookups)
        await_attached(without_plans(self._task.client), now, self._task.deadline)
        known = {disk["id"] for disks in lookups["data_disks"].values() for disk in disks}
        known |= {(one.plan.found or {}).get("id") for one in draft.linked if one.key[0] == VOLUME}
        if any(disk["id"] not in known for disks in now["data_disks"].values() for disk in disks):
            draft.is_stale = True

    def _volumes(self, draft: Draft, rows: list[Record], left: list[Record]) -> None:
        for row in rows:
            if row.get("type") == ROOT:
                continue  # it goes with its machine
            if not self._site.options["delete_volumes"]:
                left.append(owner.left(VOLUME, row, _KEPT))
                continue
            options = {**_defaults(volume_spec.SPEC), "id": row["id"], "state": "absent", "force": True}
            self._one(draft, VOLUME, DISK, options, row)

    def _groups(self, draft: Draft, rows: list[Record], machines: list[Record], left: list[Record]) -> None:
        """Add the removal of groups. One that something else uses stays."""
        parted: list[tuple[Part, Plan, Record]] = []
        for row in rows:
            if same_name(row.get("name"), "default"):
                left.append(owner.left(SECURITY_GROUP, row, "the service keeps the group default in every account"))
                continue
            options = {"name": row["id"], "wait": True, "wait_timeout": self._task.options["wait_timeout"]}
            part = self._planner.part(options, GOING)
            task = part.task._replace(client=draft.view, check=True)
            parted += [(part, GOING.plan(task, name, one, {}), row) for name, one in GOING.find(task).items() if one]
        if not parted:
            return
        own = Going([row["id"] for row in rows], [row["id"] for row in machines])
        # Through the view: what this run changes before, such as the rules of groups that stay, is no use any more.
        used = users(draft.view, [plan for _part, plan, _row in parted], own)
        stay = [row for _part, _plan, row in parted if row["id"] in used]
        left += [owner.left(SECURITY_GROUP, row, f"it is used by {used[row['id']]}") for row in stay]
        parted = [one for one in parted if one[2]["id"] not in used]
        if self._task.check:
            waits = self._site.options["wait_for_expunge"]
            said = foresee(draft.view, [plan for _part, plan, _row in parted], own, waits)
            left += held(said)
            self._task.warnings.extend(said.warnings)
        for part, plan, row in parted:
            draft.take(self._key(draft, SECURITY_GROUP, row), part, plan, gone=row)
            self._keys.add(plan.key)

    def _key_pairs(self, draft: Draft, left: list[Record]) -> None:
        """Add the removal of the key pairs that are named: they carry no tags."""
        for item in self._site.of(KEY_PAIR):
            for row in draft.known.all_of(KEY_PAIR):
                if not _is_of(KEY_PAIR, row, set(item.keys)):
                    continue
                options = {**_defaults(key_pair_spec.SPEC), "name": item.names[0], "state": "absent"}
                try:
                    self._one(draft, KEY_PAIR, key_pair.RESOURCE, options, row)
                except UsageError as error:
                    left.append(owner.left(KEY_PAIR, row, error.message))
                break

    def _tell_others(self, draft: Draft, left: list[Record]) -> None:
        """Add to what is left the objects of declared names that do not carry the tag."""
        declared = self._site.declared
        for kind in (SECURITY_GROUP, VM, VOLUME):
            for row in _in_order(draft.known.all_of(kind)):
                is_gone = kind == VM and row.get("state") in GONE
                if not is_gone and _is_of(kind, row, declared) and owner.owner_of(row) != self._site.name:
                    left.append(owner.left(kind, row, owner.described(row, self._site.name)))

    def _one(self, draft: Draft, kind: str, resource: Resource, options: Record, row: Record) -> None:
        """Add the removal of one object."""
        options = {"wait": True, **options, "wait_timeout": self._task.options["wait_timeout"]}
        part = self._planner.part(options, resource)
        task = part.task._replace(client=draft.view, check=True)
        found = resource.find(task)
        part.lookups.update(resource.lookup(task, found) or {})
        for name, one in found.items():
            if one:
                self._take(draft, kind, part, name, one, row)
            else:  # two listings differ: a disk was detached between them, and would have gone with its machine before
                draft.is_stale = True

    def _take(self, draft: Draft, kind: str, part: Part, name: str, found: t.Any, row: Record) -> None:
        try:
            plan = part.plan(part.task._replace(client=draft.view, check=True), name, found, part.lookups)
        except UsageError as error:
            draft.fail(name, error)
            return
        draft.take(self._key(draft, kind, row), part, plan, gone=row)

    @staticmethod
    def _key(draft: Draft, kind: str, row: Record) -> Key:
        """Return a key for an object that goes. Another object of its name may stay, in another zone."""
        key = key_of(kind, str(row.get("name")))
        is_taken = any(one.key == key for one in draft.linked)
        return (kind, f"{key[1]} {row.get('id')}") if is_taken else key


def _groups_of(machine: Record) -> set[t.Any]:
    return {group.get("id") for group in machine.get("securitygroup") or []}


def held(said: Left) -> list[Record]:
    """Return what the result says of groups that destroyed machines hold."""
    return [
        {"kind": SECURITY_GROUP, "name": one["name"], "id": one["id"], "reason": f"it is held by {one['held_by']}"}
        for one in said.left
    ]


def _is_of(kind: str, row: Record, keys: set[Key]) -> bool:
    return key_of(kind, str(row.get("name"))) in keys


def _in_order(rows: t.Iterable[Record]) -> list[Record]:
    """Return records by their names: a listing shows objects of one second in any order, and a plan is to be the same each time."""
    return sorted(rows, key=lambda row: (str(row.get("name")), str(row.get("id"))))


def _called(row: Record, others: list[Record]) -> str:
    """Return the name of a machine, or its id if another one has that name as its host name or its display name."""
    name = row.get("name")
    alike = [other for other in others if name in (other.get("name"), other.get("displayname"))]
    return str(name) if len(alike) == 1 else str(row["id"])


def _defaults(spec: t.Mapping[str, t.Any]) -> Record:
    """Return the options of a module that is given nothing."""
    return {name: option.get("default") for name, option in spec.items()}
