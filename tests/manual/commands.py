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
DOWNLOAD = {
    "url": "https://images.example.com/web.vhd",
    "format": "VHD",
    "hypervisor": "XenServer",
    "os_type": "CentOS 5.6 (64-bit)",
}


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
                "The manual names only status 0 (pending). 1 is done and 2 is failed. The error code of a failed job "
                "is inside its result."
            ),
        ),
        Row(
            "listAsyncJobs",
            "cloudn_job_info",
            {},
            differs=(
                "The manual says that it lists pending jobs. It also lists finished ones. The tasks wait for several "
                "jobs with one listing. Its start date has a format that no answer has."
            ),
        ),
    ),
    "Virtual machines": (
        Row(
            "listVirtualMachines",
            "cloudn_vm_info",
            {},
            differs=(
                "Its filters match parts of names. The tasks compare names exactly. The manual's word templ for "
                "details is tmpl. The tasks ask for no details."
            ),
        ),
        Row(
            "deployVirtualMachine",
            "cloudn_vm",
            {"name": "web1", "state": "started", **NEW},
            ("state",),
            differs=(
                "The manual asks for GET because of user data. The collection sends changes as POST, which works as well. A name "
                "stays taken until a destroyed VM is expunged. The error says so."
            ),
        ),
        Row(
            "destroyVirtualMachine",
            "cloudn_vm",
            {"name": "web1", "state": "absent"},
            ("state",),
            (MACHINE,),
            "Attached data disks vanish with the VM. The task refuses this unless it is told what to do with them.",
        ),
        Row(
            "rebootVirtualMachine",
            "cloudn_vm",
            {"name": "web1", "state": "restarted"},
            ("state",),
            (MACHINE,),
            "The job fails for a stopped VM. The task starts such a VM instead.",
        ),
        Row(
            "startVirtualMachine",
            "cloudn_vm",
            {"name": "web1", "state": "started"},
            ("state",),
            (MACHINE, STOPPED),
            "The server reports success when a destroyed VM is started. The task looks at the VM's state.",
        ),
        Row("stopVirtualMachine", "cloudn_vm", {"name": "web1", "state": "stopped"}, ("state",), (MACHINE,)),
        Row(
            "resetPasswordForVirtualMachine",
            "cloudn_vm_password",
            {"name": "web1", "allow_restart": True},
            (),
            (MACHINE,),
            "The manual requires a stopped VM, but the server does not. The task follows the manual.",
        ),
        Row(
            "changeServiceForVirtualMachine",
            "cloudn_vm",
            {"name": "web1", "service_offering": "v2", "allow_restart": True},
            ("service_offering",),
            (MACHINE,),
            "It works only for a stopped VM. It is an error for the offering that the VM already has. The task "
            "takes care of both.",
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
            "Plain accounts usually lack it and do not see destroyed VMs. Give the id of such a VM.",
            ("recoverVirtualMachine",),
        ),
    ),
    "Security groups": (
        Row(
            "listSecurityGroups",
            "cloudn_security_group_info",
            {},
            differs=(
                "The manual calls the rules ingress and egress, and their last port endpoint. The server calls them "
                "ingressrule, egressrule and endport. The tasks understand both. A listing shows tags of some VM. The"
                " tags of a group come from listTags."
            ),
        ),
        Row("createSecurityGroup", "cloudn_security_group", {"name": "web", "state": "present"}, ("state",)),
        Row(
            "deleteSecurityGroup",
            "cloudn_security_group",
            {"name": "web", "state": "absent"},
            ("state",),
            (("cloudn_security_group", {"name": "web"}),),
            "Destroyed VMs use their groups until they are expunged. The task leaves such a group with a warning,"
            " or waits for it (`wait_for_expunge`).",
        ),
        Row(
            "authorizeSecurityGroupIngress",
            "cloudn_security_group",
            {"name": "web", "ingress": RULE},
            ("ingress",),
            differs=(
                "The job fails for a rule that exists. The task sends only missing rules. The server locks the group "
                "for each change. A change that finds the group locked sleeps for 5 seconds. So rules of a group go "
                "one after the other."
            ),
        ),
        Row(
            "revokeSecurityGroupIngress",
            "cloudn_security_group",
            {"name": "web", "ingress": []},
            ("ingress",),
            (("cloudn_security_group", {"name": "web", "ingress": RULE}),),
            "Its answer has a root without `response`. It is read all the same.",
        ),
        Row("authorizeSecurityGroupEgress", "cloudn_security_group", {"name": "web", "egress": RULE}, ("egress",)),
        Row(
            "revokeSecurityGroupEgress",
            "cloudn_security_group",
            {"name": "web", "egress": []},
            ("egress",),
            (("cloudn_security_group", {"name": "web", "egress": RULE}),),
            "Its answer has a root without `response`. It is read all the same.",
        ),
    ),
    "What is on offer": (
        Row(
            "listServiceOfferings",
            "cloudn_service_offering_info",
            {},
            differs="Its filters find nothing for plain accounts. The tasks list all offerings and choose from them.",
        ),
        Row(
            "listDiskOfferings",
            "cloudn_disk_offering_info",
            {},
            differs="Its filters find nothing for plain accounts. The tasks list all offerings and choose from them.",
        ),
        Row("listZones", "cloudn_zone_info", {}),
    ),
    "Templates": (
        Row(
            "listTemplates",
            "cloudn_template_info",
            {},
            differs="The manual spells a filter self-executable. It is selfexecutable.",
        ),
        Row(
            "createTemplate",
            "cloudn_template",
            {"name": "web", "vm": "web1"},
            ("vm",),
            (MACHINE, STOPPED),
            "It is a job, although it is not marked as one. Names are not unique. A name that several templates "
            "have is an error.",
        ),
        Row(
            "uploadTemplate",
            "cloudn_template",
            {"name": "web", **ZONE, **DOWNLOAD},
            ("url",),
            differs=(
                "CloudStack calls it registerTemplate, which is tried first. It answers long before the template is "
                "ready."
            ),
        ),
        Row(
            "copyTemplate",
            "cloudn_template",
            {"name": "web", "zones": ["jp-e1a", "jp-e1b"]},
            ("zones",),
            (MACHINE, STOPPED, TEMPLATE),
            "It is a job, although it is not marked as one. The job ends before the copy can be used. The task "
            "waits for that.",
        ),
        Row(
            "deleteTemplate",
            "cloudn_template",
            {"name": "web", "state": "absent"},
            ("state",),
            (MACHINE, STOPPED, TEMPLATE),
            "It is a job, although it is not marked as one.",
        ),
        Row(
            "extractTemplate",
            "cloudn_template",
            {"name": "web", "state": "extracted"},
            ("state",),
            (MACHINE, STOPPED, TEMPLATE),
            "It is a job, although it is not marked as one. The template must be extractable. The task checks "
            "that before it sends anything.",
        ),
    ),
    "Snapshots": (
        Row(
            "listSnapshot",
            "cloudn_snapshot_info",
            {},
            differs="CloudStack calls it listSnapshots, which is tried first.",
        ),
        Row(
            "createSnapshot",
            "cloudn_snapshot",
            {"vm": "web1"},
            ("vm",),
            (MACHINE,),
            "It is a job, although it is not marked as one. Its result may be unfinished. The task waits for "
            "BackedUp. The volume must have been attached once. The task checks that before it sends anything.",
        ),
        Row(
            "deleteSnapshot",
            "cloudn_snapshot",
            {"name": "{snapshot}", "state": "absent"},
            ("state",),
            (MACHINE, SNAPSHOT),
            "It is a job, although it is not marked as one.",
        ),
    ),
    "Volumes": (
        Row(
            "listVolumes",
            "cloudn_volume_info",
            {},
            differs=(
                "Volumes of destroyed VMs are not listed. A volume from a snapshot lists the offering of another "
                "volume."
            ),
        ),
        Row(
            "attachVolume",
            "cloudn_volume",
            dict(ATTACHED[1]),
            ("state",),
            (MACHINE,),
            "An error only fails the job. The task checks before whether the volume is another VM's or in another"
            " zone.",
        ),
        Row(
            "detachVolume",
            "cloudn_volume",
            {"name": "data", "state": "detached"},
            ("state",),
            (MACHINE, ATTACHED),
            "With VM and device the job fails although it is done. The task always sends the id.",
        ),
        Row(
            "createVolume",
            "cloudn_volume",
            {**VOLUME[1], "state": "present"},
            ("state",),
            (),
            "Names are not unique. A name that several volumes have is an error.",
        ),
        Row(
            "uploadVolume",
            "cloudn_volume",
            {"name": "image", **ZONE, "url": "https://images.example.com/image.vhd", "format": "VHD"},
            ("url",),
            (),
            "The job ends before the upload. The task waits for the upload and reports its failure.",
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
            "The volume must have been attached once, and no running VM may have it. The task checks that before "
            "it sends anything.",
        ),
    ),
    "Instances, by the EC2-compatible API": (
        ec2(
            "ec2-describe-instances",
            "DescribeInstances",
            differs=(
                "The manual's example shows terminated ones. Plain accounts no longer see them. One unknown id among "
                "several fails the whole call."
            ),
        ),
        ec2(
            "ec2-run-instances",
            "RunInstances",
            {"ImageId": "{template}", "MinCount": 1, "MaxCount": 1, "InstanceType": "v1"},
            "MinCount, MaxCount and InstanceType are required. Without InstanceType the service looks for a plan "
            "with the name m1.small. It ignores user data and security groups.",
            (MACHINE, STOPPED, TEMPLATE),
        ),
        ec2(
            "ec2-reboot-instances",
            "RebootInstances",
            {"InstanceId": ["{vm}"]},
            "It is an error for a stopped instance.",
            (MACHINE,),
        ),
        ec2("ec2-start-instances", "StartInstances", {"InstanceId": ["{vm}"]}, before=(MACHINE, STOPPED)),
        ec2("ec2-stop-instances", "StopInstances", {"InstanceId": ["{vm}"]}, before=(MACHINE,)),
        ec2(
            "ec2-terminate-instances",
            "TerminateInstances",
            {"InstanceId": ["{vm}"]},
            "It is an error for a terminated instance. Attached data disks vanish with the instance.",
            (MACHINE,),
        ),
        ec2(
            "ec2-modify-instance-attribute",
            "ModifyInstanceAttribute",
            {"InstanceId": "{vm}", "InstanceType": {"Value": "v2"}},
            "The bridge of CloudStack 3.0.5 does not have it (Client.Unsupported). `cloudn_vm` with "
            "`service_offering` changes the plan there too.",
            (MACHINE, STOPPED),
        ),
    ),
    "Images, by the EC2-compatible API": (
        ec2(
            "ec2-create-image",
            "CreateImage",
            {"InstanceId": "{vm}", "Name": "web"},
            "The manual says that a running instance is stopped for it. The service also starts it again.",
            (MACHINE,),
        ),
        ec2(
            "ec2-describe-images",
            "DescribeImages",
            differs="The service ignores owners and filters. It lists an image once for each of its zones.",
        ),
        ec2(
            "ec2-deregister",
            "DeregisterImage",
            {"ImageId": "{template}"},
            "It is an error for an image that is already deleted.",
            (MACHINE, STOPPED, TEMPLATE),
        ),
        ec2(
            "ec2-modify-image-attribute",
            "ModifyImageAttribute",
            {"ImageId": "{template}", "LaunchPermission": {"Add": [{"UserId": "admin"}]}},
            "The bridge of CloudStack 3.0.5 changes only the description. It asks for a description (530) when "
            "the manual has launch permissions. `cloudn_template` with `accounts` changes these natively. If the "
            "native command is not granted, it uses this action.",
            (MACHINE, STOPPED, TEMPLATE),
        ),
    ),
    "Snapshots, by the EC2-compatible API": (
        ec2(
            "ec2-create-snapshot",
            "CreateSnapshot",
            {"VolumeId": "{volume}"},
            "A given description is not kept. The snapshot's name is shown as the description.",
            (MACHINE, ATTACHED),
        ),
        ec2(
            "ec2-delete-snapshot",
            "DeleteSnapshot",
            {"SnapshotId": "{snapshot}"},
            "It is an error for a deleted snapshot. It is no error in the native API.",
            (MACHINE, SNAPSHOT),
        ),
        ec2(
            "ec2-describe-snapshots",
            "DescribeSnapshots",
            differs="An unknown id is an unexpected error and not an empty list.",
        ),
    ),
    "Volumes, by the EC2-compatible API": (
        ec2(
            "ec2-attach-volume",
            "AttachVolume",
            {"VolumeId": "{volume}", "InstanceId": "{vm}", "Device": "/dev/sdf"},
            "A device is required. The manual leaves it out.",
            (MACHINE, VOLUME),
        ),
        ec2("ec2-delete-volume", "DeleteVolume", {"VolumeId": "{volume}"}, before=(VOLUME,)),
        ec2(
            "ec2-describe-volumes",
            "DescribeVolumes",
            differs="Attached volumes also have the status available. attachmentSet shows what a volume is attached to.",
        ),
        ec2(
            "ec2-detach-volume",
            "DetachVolume",
            {"VolumeId": "{volume}", "InstanceId": "{vm}"},
            "The manual asks for the instance. The service ignores it, and the answer does not show it.",
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
        "The root disk gets another id. If the VM was running, the job says Stopped, although the VM runs "
        "again. The server also accepts somebody else's VM. The task does not.",
    ),
)


def page() -> str:
    """The page of documentation: a table for each section, and what differs under it."""
    parts = [
        "# The commands of the manual\n\n"
        "The service has a manual for its native API and for the EC2-compatible API. This page lists every command of both. It\n"
        "names the task that sends the command and the test that shows it. `python tests/manual/commands.py` writes this\n"
        "page. A test compares the page with what the tasks really send. `cloudn_api` and `cloudn_ec2` can send these commands\n"
        "and all others. [ec2.md](ec2.md) lists tasks that can replace a command of EC2.\n"
    ]
    for section, rows in {**SECTIONS, "Beyond the manual": BEYOND}.items():
        parts.append(f"\n## {section}\n\n| command | sent by | test |\n| --- | --- | --- |\n")
        parts += [f"| {row.name} | {row.task} | `{row.test}` |\n" for row in rows]
        differing = [row for row in rows if row.differs]
        if differing:
            parts.append("\nThe manual and the real server differ here, or the manual says nothing:\n\n")
            parts += [f"- {row.command}: {row.differs}\n" for row in differing]
    return "".join(parts)


if __name__ == "__main__":
    PAGE.write_text(page())
