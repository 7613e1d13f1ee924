# Copyright: (c) 2026, the cloudn.compute authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Each command of the service's manual, of both its APIs: the task that sends it, and what the manual says otherwise.

Further commands of CloudStack that tasks send are in ``BEYOND``.

``python tests/manual/commands.py`` writes the table of docs/commands.md.
"""

from __future__ import annotations

import pathlib
from dataclasses import dataclass, field
from typing import Any

Task = tuple[str, dict[str, Any]]
PAGE = pathlib.Path(__file__).parents[2] / "docs" / "commands.md"
TEST = "tests/manual/test_manual.py::test_command_is_sent"

ZONE = {"zone": "jp-e1a"}
NEW = {**ZONE, "template": "CentOS 6.2 64bit", "service_offering": "v1"}
MACHINE: Task = ("cloudn_vm", {"name": "web1", **NEW})
STOPPED: Task = ("cloudn_vm", {"name": "web1", "state": "stopped"})
RULE = [{"ports": "443", "cidrs": ["0.0.0.0/0"]}]
VOLUME: Task = ("cloudn_volume", {"name": "data", "disk_offering": "Small", **ZONE})
ATTACHED: Task = ("cloudn_volume", {"name": "data", "disk_offering": "Small", "state": "attached", "vm": "web1"})
DETACHED: Task = ("cloudn_volume", {"name": "data", "state": "detached"})
SNAPSHOT: Task = ("cloudn_snapshot", {"vm": "web1"})
TEMPLATE: Task = ("cloudn_template", {"name": "web", "vm": "web1"})
DOWNLOAD = {"url": "https://images.example.com/web.vhd", "format": "VHD", "hypervisor": "XenServer", "os_type": "142"}


@dataclass(frozen=True)
class Row:
    """One command: what sends it (a module and its options), what must have been done before, and what differs.

    ``told`` names the options that matter for the command, as the table shows them. ``tool`` is what ec2-api-tools call an
    action of EC2.
    """

    command: str
    module: str
    options: dict[str, Any]
    told: tuple[str, ...] = ()
    before: tuple[Task, ...] = ()
    differs: str = ""
    grants: tuple[str, ...] = field(default=())
    tool: str = ""

    @property
    def task(self) -> str:
        """The module and the options that matter, as the table shows them."""
        options = [f"`{name}: {_yaml(self.options[name])}`" for name in self.told]
        return " with ".join([f"`{self.module}`", *([", ".join(options)] if options else [])])

    @property
    def test(self) -> str:
        """The test that proves it."""
        return f"{TEST}[{self.command}]"

    @property
    def name(self) -> str:
        """The command as the table names it."""
        return f"{self.command} (`{self.tool}`)" if self.tool else self.command


def _yaml(value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    return "…" if isinstance(value, (list, dict)) else str(value)


def ec2(
    tool: str, action: str, params: dict[str, Any] | None = None, differs: str = "", before: tuple[Task, ...] = ()
) -> Row:
    """The row of a command of ec2-api-tools."""
    options = {"action": action, **({"params": params} if params else {})}
    return Row(action, "cloudn_ec2", options, ("action",), before, differs, tool=tool)


SECTIONS: dict[str, tuple[Row, ...]] = {
    "Jobs": (
        Row(
            "queryAsyncJobResult",
            "cloudn_job",
            {"jobs": ["{job}"]},
            before=(("cloudn_vm", {"name": "web1", "wait": False, **NEW}),),
            differs=(
                "The manual names only status 0, pending; 1 is done and 2 failed, and a failed job's own error code is inside "
                "its result."
            ),
        ),
        Row(
            "listAsyncJobs",
            "cloudn_job_info",
            {},
            differs=(
                "The manual says that it lists pending jobs; it lists finished ones too. Several jobs are waited for by one "
                "listing, whose start takes a form of dates that no answer has."
            ),
        ),
    ),
    "Virtual machines": (
        Row(
            "listVirtualMachines",
            "cloudn_vm_info",
            {},
            differs=(
                "Its filters find parts of names; names are compared exactly here. The manual's word templ, for details, is tmpl; "
                "no details are asked for."
            ),
        ),
        Row(
            "deployVirtualMachine",
            "cloudn_vm",
            {"name": "web1", "state": "started", **NEW},
            ("state",),
            differs=(
                "The manual asks for GET because of user data; long requests go as POST, which works as well. A name "
                "stays taken until a destroyed machine is expunged; the error says so."
            ),
        ),
        Row(
            "destroyVirtualMachine",
            "cloudn_vm",
            {"name": "web1", "state": "absent"},
            ("state",),
            (MACHINE,),
            "Attached data disks vanish with the machine; it is refused unless the task says what becomes of them.",
        ),
        Row(
            "rebootVirtualMachine",
            "cloudn_vm",
            {"name": "web1", "state": "restarted"},
            ("state",),
            (MACHINE,),
            "Of a stopped machine the job fails; it is started instead.",
        ),
        Row(
            "startVirtualMachine",
            "cloudn_vm",
            {"name": "web1", "state": "started"},
            ("state",),
            (MACHINE, STOPPED),
            "Starting a destroyed machine is called a success; the machine's state is what counts here.",
        ),
        Row("stopVirtualMachine", "cloudn_vm", {"name": "web1", "state": "stopped"}, ("state",), (MACHINE,)),
        Row(
            "resetPasswordForVirtualMachine",
            "cloudn_vm_password",
            {"name": "web1", "allow_restart": True},
            (),
            (MACHINE,),
            "The manual asks for a stopped machine, and the server does not; the manual is followed.",
        ),
        Row(
            "changeServiceForVirtualMachine",
            "cloudn_vm",
            {"name": "web1", "service_offering": "v2", "allow_restart": True},
            ("service_offering",),
            (MACHINE,),
            "Only for a stopped machine, and an error for the offering that it has; both are seen to.",
        ),
        Row(
            "updateVirtualMachine", "cloudn_vm", {"name": "web1", "display_name": "Web"}, ("display_name",), (MACHINE,)
        ),
        Row(
            "recoverVirtualMachine",
            "cloudn_vm",
            {"name": "{vm}", "recover": True},
            ("recover",),
            (MACHINE, ("cloudn_vm", {"name": "web1", "state": "absent"})),
            "Plain accounts usually lack it, and do not see destroyed machines: one is named by its id.",
            ("recoverVirtualMachine",),
        ),
    ),
    "Security groups": (
        Row(
            "listSecurityGroups",
            "cloudn_security_group_info",
            {},
            differs=(
                "The manual calls the rules ingress and egress and their last port endpoint, the server ingressrule, "
                "egressrule and endport; both are understood. A listing shows tags of some machine; those of a group come from listTags."
            ),
        ),
        Row("createSecurityGroup", "cloudn_security_group", {"name": "web", "state": "present"}, ("state",)),
        Row(
            "deleteSecurityGroup",
            "cloudn_security_group",
            {"name": "web", "state": "absent"},
            ("state",),
            (("cloudn_security_group", {"name": "web"}),),
            "Destroyed machines use their groups until they are expunged: such a group is left, with a warning, or waited for "
            "(`wait_for_expunge`).",
        ),
        Row(
            "authorizeSecurityGroupIngress",
            "cloudn_security_group",
            {"name": "web", "ingress": RULE},
            ("ingress",),
            differs="A rule that is there already is a failed job; only missing ones are sent. The server locks the group for each "
            "change, and one that finds it locked sleeps for 5 seconds; so rules of a group go one after the other.",
        ),
        Row(
            "revokeSecurityGroupIngress",
            "cloudn_security_group",
            {"name": "web", "ingress": []},
            ("ingress",),
            (("cloudn_security_group", {"name": "web", "ingress": RULE}),),
            "Its answer has a root without `response`; it is read all the same.",
        ),
        Row("authorizeSecurityGroupEgress", "cloudn_security_group", {"name": "web", "egress": RULE}, ("egress",)),
        Row(
            "revokeSecurityGroupEgress",
            "cloudn_security_group",
            {"name": "web", "egress": []},
            ("egress",),
            (("cloudn_security_group", {"name": "web", "egress": RULE}),),
            "Its answer has a root without `response`; it is read all the same.",
        ),
    ),
    "What is on offer": (
        Row(
            "listServiceOfferings",
            "cloudn_service_offering_info",
            {},
            differs="Its filters find nothing for plain accounts; all are listed and chosen from.",
        ),
        Row(
            "listDiskOfferings",
            "cloudn_disk_offering_info",
            {},
            differs="Its filters find nothing for plain accounts; all are listed and chosen from.",
        ),
        Row("listZones", "cloudn_zone_info", {}),
    ),
    "Templates": (
        Row(
            "listTemplates",
            "cloudn_template_info",
            {},
            differs="The filter that the manual spells self-executable is selfexecutable.",
        ),
        Row(
            "createTemplate",
            "cloudn_template",
            {"name": "web", "vm": "web1"},
            ("vm",),
            (MACHINE, STOPPED),
            "A job, though not marked as one. Names are not unique: a name that several have is an error.",
        ),
        Row(
            "uploadTemplate",
            "cloudn_template",
            {"name": "web", **ZONE, **DOWNLOAD},
            ("url",),
            differs="registerTemplate in CloudStack, which is tried first. It answers long before it is ready.",
        ),
        Row(
            "copyTemplate",
            "cloudn_template",
            {"name": "web", "zones": ["jp-e1a", "jp-e1b"]},
            ("zones",),
            (MACHINE, STOPPED, TEMPLATE),
            "A job, though not marked as one, and it ends before the copy can be used; that is waited for.",
        ),
        Row(
            "deleteTemplate",
            "cloudn_template",
            {"name": "web", "state": "absent"},
            ("state",),
            (MACHINE, STOPPED, TEMPLATE),
            "A job, though not marked as one.",
        ),
        Row(
            "extractTemplate",
            "cloudn_template",
            {"name": "web", "state": "extracted"},
            ("state",),
            (MACHINE, STOPPED, TEMPLATE),
            "A job, though not marked as one. Only of a template that is extractable; that is said before anything is sent.",
        ),
    ),
    "Snapshots": (
        Row(
            "listSnapshot",
            "cloudn_snapshot_info",
            {},
            differs="listSnapshots in CloudStack, which is tried first.",
        ),
        Row(
            "createSnapshot",
            "cloudn_snapshot",
            {"vm": "web1"},
            ("vm",),
            (MACHINE,),
            "A job, though not marked as one. Its result may be unfinished; BackedUp is waited for. Only of a volume that was "
            "attached once; that is said before anything is sent.",
        ),
        Row(
            "deleteSnapshot",
            "cloudn_snapshot",
            {"name": "{snapshot}", "state": "absent"},
            ("state",),
            (MACHINE, SNAPSHOT),
            "A job, though not marked as one.",
        ),
    ),
    "Volumes": (
        Row(
            "listVolumes",
            "cloudn_volume_info",
            {},
            differs="Volumes of destroyed machines are not listed. One made from a snapshot lists a foreign offering.",
        ),
        Row(
            "attachVolume",
            "cloudn_volume",
            dict(ATTACHED[1]),
            ("state",),
            (MACHINE,),
            "What is wrong fails only the job; that the volume is another machine's, or in another zone, is said before.",
        ),
        Row(
            "detachVolume",
            "cloudn_volume",
            {"name": "data", "state": "detached"},
            ("state",),
            (MACHINE, ATTACHED),
            "By machine and device the job fails, though it is done; it is always sent by id.",
        ),
        Row(
            "createVolume",
            "cloudn_volume",
            {**VOLUME[1], "state": "present"},
            ("state",),
            (),
            "Names are not unique: a name that several have is an error.",
        ),
        Row(
            "uploadVolume",
            "cloudn_volume",
            {"name": "image", **ZONE, "url": "https://images.example.com/image.vhd", "format": "VHD"},
            ("url",),
            (),
            "The job ends before the upload; that is waited for, and its failure told.",
        ),
        Row(
            "deleteVolume",
            "cloudn_volume",
            {"name": "data", "state": "absent"},
            ("state",),
            (VOLUME,),
        ),
        Row(
            "extractVolume",
            "cloudn_volume",
            {"name": "data", "state": "extracted"},
            ("state",),
            (MACHINE, ATTACHED, DETACHED),
            "Not before the volume was attached once, and not while a running machine has it; that is said before anything is "
            "sent.",
        ),
    ),
    "Instances, by the EC2-compatible API": (
        ec2(
            "ec2-describe-instances",
            "DescribeInstances",
            differs=(
                "The manual's example shows terminated ones; plain accounts no longer see them. One unknown id among several "
                "fails the whole call."
            ),
        ),
        ec2(
            "ec2-run-instances",
            "RunInstances",
            {"ImageId": "{template}", "MinCount": 1, "MaxCount": 1, "InstanceType": "v1"},
            "MinCount and MaxCount are needed, and InstanceType too: without it a plan of the name m1.small is looked for. User "
            "data and security groups are not looked at.",
            (MACHINE, STOPPED, TEMPLATE),
        ),
        ec2(
            "ec2-reboot-instances",
            "RebootInstances",
            {"InstanceId": ["{vm}"]},
            "An error for a stopped instance.",
            (MACHINE,),
        ),
        ec2("ec2-start-instances", "StartInstances", {"InstanceId": ["{vm}"]}, before=(MACHINE, STOPPED)),
        ec2("ec2-stop-instances", "StopInstances", {"InstanceId": ["{vm}"]}, before=(MACHINE,)),
        ec2(
            "ec2-terminate-instances",
            "TerminateInstances",
            {"InstanceId": ["{vm}"]},
            "Once more is an error. Attached data disks vanish with the machine.",
            (MACHINE,),
        ),
        ec2(
            "ec2-modify-instance-attribute",
            "ModifyInstanceAttribute",
            {"InstanceId": "{vm}", "InstanceType": {"Value": "v2"}},
            "The bridge of CloudStack 3.0.5 does not have it (Client.Unsupported); `cloudn_vm` with `service_offering` "
            "changes the plan there too.",
            (MACHINE, STOPPED),
        ),
    ),
    "Images, by the EC2-compatible API": (
        ec2(
            "ec2-create-image",
            "CreateImage",
            {"InstanceId": "{vm}", "Name": "web"},
            "The manual says that a running instance is stopped for it; it is started again, too.",
            (MACHINE,),
        ),
        ec2(
            "ec2-describe-images",
            "DescribeImages",
            differs="Owners and filters are not looked at. An image is listed once for each zone that it is in.",
        ),
        ec2(
            "ec2-deregister",
            "DeregisterImage",
            {"ImageId": "{template}"},
            "Of an image that is deleted already it is an error.",
            (MACHINE, STOPPED, TEMPLATE),
        ),
        ec2(
            "ec2-modify-image-attribute",
            "ModifyImageAttribute",
            {"ImageId": "{template}", "LaunchPermission": {"Add": [{"UserId": "admin"}]}},
            "The bridge of CloudStack 3.0.5 changes the description alone, and asks for it (530) where the manual has launch "
            "permissions. `cloudn_template` with `accounts` changes these natively, and by this where the native command is "
            "not granted.",
            (MACHINE, STOPPED, TEMPLATE),
        ),
    ),
    "Snapshots, by the EC2-compatible API": (
        ec2(
            "ec2-create-snapshot",
            "CreateSnapshot",
            {"VolumeId": "{volume}"},
            "A description that is given is not kept; the snapshot's name stands for it.",
            (MACHINE, ATTACHED),
        ),
        ec2(
            "ec2-delete-snapshot",
            "DeleteSnapshot",
            {"SnapshotId": "{snapshot}"},
            "Once more is an error here, and not in the native API.",
            (MACHINE, SNAPSHOT),
        ),
        ec2(
            "ec2-describe-snapshots",
            "DescribeSnapshots",
            differs="An unknown id is an unexpected error, not an empty list.",
        ),
    ),
    "Volumes, by the EC2-compatible API": (
        ec2(
            "ec2-attach-volume",
            "AttachVolume",
            {"VolumeId": "{volume}", "InstanceId": "{vm}", "Device": "/dev/sdf"},
            "A device is needed, which the manual leaves out.",
            (MACHINE, VOLUME),
        ),
        ec2("ec2-delete-volume", "DeleteVolume", {"VolumeId": "{volume}"}, before=(VOLUME,)),
        ec2(
            "ec2-describe-volumes",
            "DescribeVolumes",
            differs="The status is available of attached ones too; what a volume is attached to is in attachmentSet.",
        ),
        ec2(
            "ec2-detach-volume",
            "DetachVolume",
            {"VolumeId": "{volume}", "InstanceId": "{vm}"},
            "The manual asks for the instance, which is not looked at; the answer does not tell it either.",
            (MACHINE, ATTACHED),
        ),
    ),
}

# Further commands, which CloudStack has and the manual does not.
BEYOND: tuple[Row, ...] = (
    Row(
        "restoreVirtualMachine",
        "cloudn_vm",
        {"name": "web1", "state": "reinstalled", "confirm_reinstall": "web1"},
        ("state", "confirm_reinstall"),
        (MACHINE,),
        "The root disk gets another id. Of a running machine the job says Stopped, although it runs again. The server takes "
        "somebody else's machine too; the task does not.",
    ),
)


def page() -> str:
    """The page of documentation: a table for each section, and what differs under it."""
    parts = [
        "# The commands of the manual\n\n"
        "Every command that the service's manual lists, of its native API and of the EC2-compatible one, the task that sends\n"
        "it, and the test that shows that it does. Written by `python tests/manual/commands.py`; a test holds it to what the\n"
        "tasks really send. Any other command, and these as well, can be sent by `cloudn_api` and `cloudn_ec2`. What else a\n"
        "task may have in place of a command of EC2 is in [ec2.md](ec2.md).\n"
    ]
    for section, rows in {**SECTIONS, "Beyond the manual": BEYOND}.items():
        parts.append(f"\n## {section}\n\n| command | sent by | test |\n| --- | --- | --- |\n")
        parts += [f"| {row.name} | {row.task} | `{row.test}` |\n" for row in rows]
        differing = [row for row in rows if row.differs]
        if differing:
            parts.append("\nWhere the manual and the real server differ, or the manual is silent:\n\n")
            parts += [f"- {row.command}: {row.differs}\n" for row in differing]
    return "".join(parts)


if __name__ == "__main__":
    PAGE.write_text(page())
