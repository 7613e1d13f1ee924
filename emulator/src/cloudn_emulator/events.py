# Copyright: (c) 2026, the cloudn.compute authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The events that the service notes about each command, as measured on CloudStack 3.0.5 or from its source."""

from __future__ import annotations

import zlib
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from .jobs import Work
from .models import NO_OBJECT, Event, new_id

if TYPE_CHECKING:
    from .calls import Call

INFO, ERROR = "INFO", "ERROR"
CREATED, SCHEDULED, STARTED, COMPLETED = "Created", "Scheduled", "Started", "Completed"


@dataclass(frozen=True, slots=True)
class Action:
    """The events of a command. Names in braces stand for its parameters, `{new}` for the object that it makes.

    `text` says what is done, `details` to which object. `scheduled` is the text of an asynchronous command that waits
    for its turn. `made` is the text for the first part of a command that makes an object. `has_no_start`: no event for
    the start of the job. `has_no_end`: none for its start and none for its end. `times` is how often each event is
    there, as the real server notes some twice.

    The events belong to `owner`. If it is None, they belong to the owner of the object that the parameter `about`
    names, or else to the account that asks.
    """

    type: str
    text: str
    details: str = ""
    scheduled: str | Callable[[Call], str] = ""
    made: str = ""
    has_no_start: bool = False
    has_no_end: bool = False
    times: int = 1
    about: str = "id"
    owner: str | None = None


def _rules(word: str) -> Callable[[Call], str]:
    """Describes new rules: the group, and the CIDRs or groups that get access."""

    def describe(call: Call) -> str:
        sources = call["usersecuritygrouplist"]
        if sources:
            pairs = (f"{one.get('group', 'null')}/{one.get('account', 'null')}" for one in sources)
            what = f"group list(group/account): {', '.join(pairs)}"
        elif call["cidrlist"] is not None:
            what = f"cidr list: {', '.join(call['cidrlist'])}"
        else:
            what = "<error:  no ingress parameters>"
        return f"authorizing {word} to group: {_number(call['securitygroupid'])} to {what}"

    return describe


_VM = "Vm Id: {id}"
_COPY = "copying template: {id} from zone: {sourcezoneid} to zone: {destzoneid}"
_EXTRACTION = "extracting template: {id} from zone: {zoneid}"
ACTIONS = {
    "deployVirtualMachine": Action(
        "VM.CREATE", "starting Vm", "Vm Id: {new}", "starting Vm. Vm Id: {new}", made="deploying Vm"
    ),
    "destroyVirtualMachine": Action("VM.DESTROY", "destroying Vm", _VM, "destroying vm: {id}"),
    "rebootVirtualMachine": Action("VM.REBOOT", "rebooting Vm", _VM, "rebooting user vm: {id}"),
    "startVirtualMachine": Action("VM.START", "starting Vm", _VM, "starting user vm: {id}"),
    "stopVirtualMachine": Action("VM.STOP", "stopping Vm", _VM, "stopping user vm: {id}"),
    "resetPasswordForVirtualMachine": Action(
        "VM.RESETPASSWORD", "resetting Vm password", _VM, "resetting password for vm: {id}"
    ),
    "restoreVirtualMachine": Action(
        "VM.RESTORE",
        "",
        "",
        "Restore a VM to orignal template or specific snapshot",
        has_no_end=True,
        about="virtualmachineid",
    ),
    "changeServiceForVirtualMachine": Action("VM.UPGRADE", "upgrading Vm", _VM),
    "updateVirtualMachine": Action("VM.UPDATE", "updating Vm", _VM),
    "attachVolume": Action(
        "VOLUME.ATTACH",
        "attaching volume",
        "Volume Id: {id} VmId: {virtualmachineid}",
        "attaching volume: {id} to vm: {virtualmachineid}",
    ),
    "detachVolume": Action(
        "VOLUME.DETACH", "detaching volume", "Volume Id: {id} VmId: {virtualmachineid}", "detaching volume: {id}"
    ),
    "createVolume": Action(
        "VOLUME.CREATE",
        "creating volume",
        "Volume Id: {new}",
        "creating volume: {name}",
        made="creating volume",
        times=2,
    ),
    "uploadVolume": Action("VOLUME.UPLOAD", "uploading volume", "", "uploading volume: {name} in the zone {zoneid}"),
    "deleteVolume": Action("VOLUME.DELETE", "deleting volume", "Volume Id: {id}"),
    "extractVolume": Action("VOLUME.EXTRACT", "extracting volume", "Volume Id: {id}", "Extraction job"),
    "createSnapshot": Action(
        "SNAPSHOT.CREATE",
        "creating snapshot",
        "Volume Id: {volumeid}",
        "creating snapshot for volume: {volumeid}",
        about="volumeid",
    ),
    "deleteSnapshot": Action("SNAPSHOT.DELETE", "deleting snapshot", "Snapshot Id: {id}", "deleting snapshot: {id}"),
    "createTemplate": Action(
        "TEMPLATE.CREATE",
        "creating template",
        "Template Id: {new}",
        "creating template: {name}",
        made="creating template",
    ),
    "registerTemplate": Action("TEMPLATE.CREATE", "creating template", "Id: {new} name: {name}"),
    "copyTemplate": Action("TEMPLATE.COPY", "copying template", _COPY, _COPY),
    "extractTemplate": Action("TEMPLATE.EXTRACT", "extracting template", _EXTRACTION, _EXTRACTION),
    "deleteTemplate": Action("TEMPLATE.DELETE", "deleting template", "Template Id: {id}", "Deleting template {id}"),
    "createSecurityGroup": Action("SG.CREATE", "creating security group", times=2),
    "deleteSecurityGroup": Action("SG.DELETE", "deleting security group"),
    "authorizeSecurityGroupIngress": Action("SG.AUTH.INGRESS", "Adding Ingress Rule ", "", _rules("ingress")),
    "authorizeSecurityGroupEgress": Action("SG.AUTH.EGRESS", "Adding Egress Rule ", "", _rules("egress")),
    "revokeSecurityGroupIngress": Action(
        "SG.REVOKE.INGRESS", "Revoking Ingress Rule ", "", "revoking ingress rule id: {id}"
    ),
    "revokeSecurityGroupEgress": Action(
        "SG.REVOKE.EGRESS", "Revoking Egress Rule ", "", "revoking egress rule id: {id}"
    ),
    # On the real server the events of tags are the service's own: no plain account sees them.
    "createTags": Action(
        "CREATE_TAGS", "creating resource tags", "", "creating tags", has_no_start=True, owner="system"
    ),
    "deleteTags": Action(
        "DELETE_TAGS", "deleting resource tags", "", "Deleting tags", has_no_start=True, owner="system"
    ),
}


class Journal:
    """Notes the events of one command."""

    def __init__(self, call: Call, action: Action, has_job: bool) -> None:
        about = call[action.about]
        self.call = call
        self.action = action
        self.has_job = has_job
        self.owner = action.owner or _owner_of(about) or call.account.name
        self.new: str | None = None
        self.start = "0"

    def refused(self) -> None:
        """Note that the command failed at once. There are no events for the job that it did not start."""
        if self.action.made:
            self._note(ERROR, CREATED, f"Error while creating entity for {self.action.made}")
        elif not self.has_job:
            self._note(ERROR, COMPLETED, f"Error while {self._what()}")

    def done(self, result: dict[str, Any]) -> None:
        """Note that a command without a job is done. Its result may hold the object that it made."""
        self.new = next((value[0]["id"] for value in result.values() if isinstance(value, list) and value), None)
        for _time in range(self.action.times):
            self._note(INFO, COMPLETED, f"Successfully completed {self._what()}")

    def watched(self, work: Work) -> Work:
        """Note that a job is scheduled. Returns the same work, which also notes its start and its end."""
        action, self.new = self.action, work.created_id
        if action.made:
            made = self._with_details(action.made)
            for _time in range(action.times):
                self.start = self._note(INFO, CREATED, f"Successfully created entity for {made}", parent="0")
        scheduled = action.scheduled(self.call) if callable(action.scheduled) else self._filled(action.scheduled)
        id = self._note(INFO, SCHEDULED, f"Scheduled async job for {scheduled}")
        self.start = id if self.start == "0" else self.start

        if self.action.has_no_end or self.call["startvm"] is False:
            return work

        async def run() -> dict[str, Any]:
            if not action.has_no_start:
                self._times(INFO, STARTED, f"Starting job for {self._what()}")
            try:
                result = await work.run()
            except Exception:
                self._times(ERROR, COMPLETED, f"Error while {self._what()}")
                raise
            self._times(INFO, COMPLETED, f"Successfully completed {self._what()}")
            return result

        return Work(run, work.instance_type, work.instance_id, work.created_id)

    def _times(self, level: str, state: str, text: str) -> None:
        for _time in range(self.action.times):
            self._note(level, state, text)

    def _note(self, level: str, state: str, text: str, parent: str | None = None) -> str:
        store = self.call.store
        event = Event(
            new_id(),
            self.owner,
            self.call.account.name,
            self.action.type,
            level,
            text,
            store.now(),
            state,
            self.start if parent is None else parent,
        )
        store.add_event(event)
        return event.id

    def _what(self) -> str:
        return self._with_details(self.action.text)

    def _with_details(self, text: str) -> str:
        details = self.action.details
        if not details or ("{new}" in details and self.new is None):
            return text
        return f"{text}. {self._filled(details)}"

    def _filled(self, text: str) -> str:
        values = _Described(self.call.params)
        if self.new is not None:
            values["new"] = _number_of(self.call, self.new)
        return text.format_map(values)


def _owner_of(about: Any) -> str | None:
    return None if about is NO_OBJECT else getattr(about, "owner", None)


class _Described(dict[str, Any]):
    """Parameters as descriptions have them: an object as its number, a missing one as Java's null."""

    def __getitem__(self, name: str) -> Any:
        return _number(self.get(name)) if name in self else "null"


def _number_of(call: Call, id: str) -> str:
    one = call.store.vms.get(id) or call.store.volumes.get(id)
    return _number(one) if one else _row(id)


def _number(value: Any) -> str:
    """A text as it is, or the number of an object's row in the database."""
    if value is None:
        return "null"
    if isinstance(value, (str, int)):
        return str(value)
    if value is NO_OBJECT:
        return value.id
    return str(getattr(value, "serial", None) or getattr(value, "row", None) or _row(value.id))


def _row(id: str) -> str:
    """The number of a row in a table that the emulator does not number. It is always the same for an object."""
    return id if id.isdigit() else str(zlib.crc32(id.encode()) % 10_000)
