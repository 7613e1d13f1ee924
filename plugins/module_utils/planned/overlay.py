# Copyright: (c) 2026, the cloudn.compute authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What check mode has planned in a run: written down after each task, and laid over what the next tasks read."""

from __future__ import annotations

import contextlib
import copy
import datetime
import threading
import typing as t

from ..api import ApiError, Client, Record, planned_ids
from ..api.errors import PARAMETER_ERROR
from ..api.flawed import altered, peek
from ..reconcile.graph import keys_of, resolved
from ..reconcile.progress import Progress
from . import access, disks, machines
from .disks import OS_TYPES
from .kinds import GROUP, KINDS, PLURALS, TEMPLATE, VM, is_found, key_of
from .store import Store
from .world import World

Effect = t.Callable[[World, Record], t.Optional[Record]]

# What each command would do. Any other command changes nothing that a listing shows.
EFFECTS: t.Mapping[str, Effect] = {
    "deployVirtualMachine": machines.deploy,
    "startVirtualMachine": machines.start,
    "stopVirtualMachine": machines.stop,
    "recoverVirtualMachine": machines.recover,
    "destroyVirtualMachine": machines.destroy,
    "expungeVirtualMachine": machines.expunge,
    "restoreVirtualMachine": machines.restore,
    "changeServiceForVirtualMachine": machines.resize,
    "scaleVirtualMachine": machines.resize,
    "updateVirtualMachine": machines.update,
    "updateVMAffinityGroup": machines.set_affinity_groups,
    "resetSSHKeyForVirtualMachine": machines.set_key_pair,
    "createVolume": disks.create_volume,
    "uploadVolume": disks.upload_volume,
    "attachVolume": disks.attach,
    "detachVolume": disks.detach,
    "deleteVolume": disks.delete_volume,
    "resizeVolume": disks.resize_volume,
    "createSnapshot": disks.create_snapshot,
    "deleteSnapshot": disks.delete_snapshot,
    "createSnapshotPolicy": disks.set_policy,
    "deleteSnapshotPolicies": disks.delete_policy,
    "createTemplate": disks.create_template,
    "registerTemplate": disks.register_template,
    "copyTemplate": disks.copy_template,
    "updateTemplate": disks.update_template,
    "updateTemplatePermissions": disks.permit,
    "deleteTemplate": disks.delete_template,
    "createSecurityGroup": access.create_group,
    "deleteSecurityGroup": access.delete_group,
    "authorizeSecurityGroupIngress": access.authorize_ingress,
    "authorizeSecurityGroupEgress": access.authorize_egress,
    "revokeSecurityGroupIngress": access.revoke_ingress,
    "revokeSecurityGroupEgress": access.revoke_egress,
    "createSSHKeyPair": access.make_pair,
    "registerSSHKeyPair": access.make_pair,
    "deleteSSHKeyPair": access.delete_pair,
    "createAffinityGroup": access.create_affinity_group,
    "deleteAffinityGroup": access.delete_affinity_group,
    "createTags": access.create_tags,
    "deleteTags": access.delete_tags,
}
# Commands that change nothing that a listing shows.
UNSEEN = ("rebootVirtualMachine", "resetPasswordForVirtualMachine", "extractVolume", "extractTemplate")
_LAUNCHERS = "listTemplatePermissions"
_DATE = "%Y-%m-%dT%H:%M:%S+0000"


class Overlay:
    """What the tasks of a run in check mode have planned for one account; see ``api.planned_ids.Planned``.

    ``client`` reads for one task. ``store`` keeps what was planned for all tasks.
    """

    def __init__(self, client: Client, store: Store) -> None:
        self._client = client
        self._store = store
        self._world = World(store.load(), {})
        self._lock = threading.Lock()

    def copied(self) -> Record:
        """Return a copy of what tasks of this run have planned."""
        return copy.deepcopy(self._store.load())

    def learn(self, other: Overlay) -> None:
        """Take over what another one has seen of what no task changes: zones, offerings, templates. Records show their names."""
        for command, rows in other._world.seen.items():
            if command not in KINDS or command == TEMPLATE:
                self._world.seen.setdefault(command, {}).update(rows)

    # --- reading

    def pages(
        self, command: str, params: t.Mapping[str, t.Any], read: t.Iterator[t.List[Record]]
    ) -> t.Iterator[t.List[Record]]:
        """Yield the objects of a listing, see ``Planned``. A query by the id of a planned object is not sent."""
        if command not in KINDS:
            for page in read:
                self._see(command, page)
                yield page
            return
        machine = params.get("virtualmachineid")
        if command == GROUP and machine and self._decides_groups(machine):
            yield self._groups_of(machine)
            return
        names_planned = any(planned_ids.holds_ids(name) and _has_planned(value) for name, value in params.items())
        rows = [] if names_planned else [row for page in read for row in page]
        self._see(command, rows)
        rows += self._brought_in(command, params, rows)
        with self._lock:
            yield self._world.lay(command, params, rows)

    def answer(self, command: str, params: t.Mapping[str, t.Any], send: t.Callable[[], Record]) -> Record:
        """Return the answer to a command, see ``Planned``."""
        changes = self._world.part("launchers").get(params.get("id")) if command == _LAUNCHERS else None
        if command != _LAUNCHERS or not (changes or planned_ids.parse(params.get("id"))):
            return send()
        answer = {} if planned_ids.parse(params.get("id")) else send()
        permission = answer.get("templatepermission") or {}
        changes = changes or {"add": [], "drop": []}
        names = [name for name in permission.get("account") or [] if name not in changes["drop"]]
        return {**answer, "templatepermission": {**permission, "account": sorted({*names, *changes["add"]})}}

    def knows(self, text: str) -> bool:
        """Tell whether a task of this run has planned an object with this id."""
        kind, number = planned_ids.parse(text) or ("", 0)
        return 0 < number <= int(self._world.part("numbers").get(kind, 0))

    def holders(self, group_id: str) -> list[str]:
        """Return the names of the machines of a security group that tasks of this run would destroy."""
        return [str(one["name"]) for one in self._world.part("destroyed") if group_id in one["groups"]]

    def _see(self, command: str, rows: list[Record]) -> None:
        """Remember what the service has shown: plans name objects by their ids."""
        with self._lock:
            seen = self._world.seen.setdefault(command, {})
            # A task may set members of a record that it was given.
            seen.update(
                (key_of(command, row) if command in KINDS else str(peek(row, "id")), altered(row)) for row in rows
            )

    def _brought_in(self, command: str, params: t.Mapping[str, t.Any], rows: list[Record]) -> list[Record]:
        """Return objects that exist, and that only a planned change brings into a listing: the service filters by what is."""
        found: list[Record] = []
        for one in self._world.elsewhere(command, params, rows):
            query = {"templatefilter": "self", "id": one} if command == TEMPLATE else {"id": one}
            found += _unless_unknown(self._client.read(command, query))
        self._see(command, found)
        currents = [(row, self._world.current(command, row)) for row in found]
        return [row for row, current in currents if current is not None and is_found(command, current, params)]

    def _decides_groups(self, machine: str) -> bool:
        patch = self._world.part("changed", VM).get(machine, {}).get("set", {})
        return bool(planned_ids.parse(machine)) or "securitygroup" in patch

    def _groups_of(self, machine: str) -> list[Record]:
        (record,) = self._client.list(VM, {"id": machine}) or [{}]
        ids = [group.get("id") for group in peek(record, "securitygroup") or []]
        return [group for group in self._client.list(GROUP) if peek(group, "id") in ids]

    # --- writing

    def note(self, progresses: t.Sequence[Progress]) -> None:
        """Keep what plans would change. Objects that they would make are put into their progress, with their ids.

        Raises ``CloudnError`` if the file for it can't be written.
        """
        waiting = [one for one in progresses if one.plan.stages]
        if not waiting:
            return
        service = self._world.part("service") or self._ask()
        self._learn_os_types(waiting)
        now = datetime.datetime.fromtimestamp(self._client.service_time(), datetime.timezone.utc).strftime(_DATE)
        with self._store.change() as data:
            self._world = world = World(data, self._world.seen, now)
            world.part("service").update(service)
            held = {one["name"] for one in world.part("destroyed")}
            while waiting:  # a plan may need the id of an object of another one
                ready = [one for one in waiting if not _needs_any(one, waiting)] or waiting
                for progress in ready:
                    _apply(world, progress, progresses)
                waiting = [one for one in waiting if one not in ready]
        for progress in progresses:
            if progress.name in held and any(step.command == "deployVirtualMachine" for step in progress.plan.steps):
                self._client.warn(
                    f"{progress.name}: an earlier task of this run destroys a VM of this host name. The service "
                    "keeps the name until it has expunged that one, by default for a day, and refuses a new one until then"
                )

    def _learn_os_types(self, progresses: list[Progress]) -> None:
        """Ask for the names of the OS types of templates, if the task has not read them. They are only shown."""
        steps = [step for one in progresses for step in one.plan.steps if step.command.endswith("Template")]
        given = {step.params.get("ostypeid") for step in steps}
        for wanted in given - {None, *self._world.seen.get(OS_TYPES, {})}:
            with contextlib.suppress(ApiError):
                self._see(OS_TYPES, [row for page in self._client.read(OS_TYPES, {"id": wanted}) for row in page])

    def _ask(self) -> Record:
        """Ask what the records of new objects depend on: the service's generation, and the account's group ``default``."""
        try:
            found = self._client.list(GROUP, {"securitygroupname": "default"})
        except ApiError:  # then the records do not say whose they are
            found = []
        group = next((one for one in found if peek(one, "name") == "default"), {})
        owner = {field: peek(group, field) for field in ("account", "domainid", "domain")}
        default = {"id": peek(group, "id"), "name": "default"} if group else None
        return {"generation": self._client.generation(), **owner, "default": default}


def forget(store: Store, result: Record) -> None:
    """Forget what was planned about the objects that a real task has changed, by its ``result``.

    A result that does not show objects may be about any, so all is forgotten. Raises ``CloudnError`` if the file can't be
    written.
    """
    shown = [plural for plural in PLURALS if plural in result]
    with store.change() as data:
        if not shown:
            data.clear()
        world = World(data, {})
        for plural in shown:
            for one in result[plural]:
                world.forget(PLURALS[plural], one.get("id"), one.get("name"))


def _apply(world: World, progress: Progress, all_of_them: t.Sequence[Progress]) -> None:
    """Do the steps of one plan to the records."""
    ids = {one.plan.key: one.id for one in all_of_them}
    world.hints = progress.plan.after

    def id_of(key: str) -> list[str | None]:
        return [ids.get(key) if key else progress.id]

    kept: Record = {}
    for step in progress.plan.steps:
        effect = None if step.until else EFFECTS.get(step.command)
        if effect is None:
            continue
        params = {name: value for name, value in resolved(step.params, id_of).items() if value is not None}
        made = effect(world, params)
        if made is not None and (step.creates or progress.id is None):
            kept = made
            progress.id = made.get("id")
    progress.object = {**progress.object, **kept}  # the later steps have changed it


def _needs_any(progress: Progress, others: list[Progress]) -> bool:
    """Tell whether a plan needs the id of an object that another one of these would make."""
    keys = {key for step in progress.plan.steps for key in keys_of(step.params)}
    return any(one is not progress and one.id is None and one.plan.key in keys for one in others)


def _has_planned(value: t.Any) -> bool:
    return any(planned_ids.parse(one) for one in (value if isinstance(value, list) else [value]))


def _unless_unknown(read: t.Iterator[t.List[Record]]) -> list[Record]:
    """Return the objects that a listing yields, none if the service does not know the id."""
    try:
        return [row for page in read for row in page]
    except ApiError as error:
        if error.code != PARAMETER_ERROR:
            raise
        return []
