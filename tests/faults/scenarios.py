# Copyright: (c) 2026, the cloudn.compute authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Tasks for the matrix of faults: each module and state, what must be there before, and what is left afterwards.

A scenario for another module is one more entry of ``SCENARIOS``; holdings.py says what is compared.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from preparing import Task
from samples import KEY, NEW, OTHER_KEY, ZONE

# What nobody may find in anything that is written; the user data and the passwords are looked for as well.
USER_DATA = "canary-user-data"
FTP_PASSWORD = "canary-ftp-password"

MACHINE: Task = ("cloudn_vm", {"name": "web1", **NEW})
SECOND: Task = ("cloudn_vm", {"name": "web2", **NEW})
STOPPED: Task = ("cloudn_vm", {"name": "web1", "state": "stopped"})
DATA: Task = ("cloudn_volume", {"name": "data", "disk_offering": "Small", **ZONE})
ATTACHED: Task = ("cloudn_volume", {"name": "data", "disk_offering": "Small", "state": "attached", "vm": "web1"})
SNAPSHOT: Task = ("cloudn_snapshot", {"vm": "web1", "max_age": "0"})
POLICY: Task = ("cloudn_snapshot_policy", {"vm": "web1", "interval": "daily", "time": "01:30", "keep": 7})
WEEKLY: Task = (
    "cloudn_snapshot_policy",
    {"vm": "web1", "interval": "weekly", "time": "02:00", "day": "sunday", "keep": 4},
)
IMAGE: Task = ("cloudn_template", {"name": "image", "vm": "web1"})
RULES = [
    {"ports": "80", "cidrs": ["0.0.0.0/0", "192.0.2.0/24"]},
    {"ports": "22", "groups": [{"name": "default"}]},
    {"protocol": "icmp", "cidrs": ["0.0.0.0/0"]},
]
GROUP: Task = ("cloudn_security_group", {"name": "web", "ingress": RULES, "tags": {"a": "b"}})
# A group with a rule that names the group itself, and a machine in it that is destroyed.
ITSELF: Task = (
    "cloudn_security_group",
    {"name": "web", "ingress": [*RULES, {"ports": "22", "groups": [{"name": "web"}]}], "tags": {"a": "b"}},
)
DESTROYED: tuple[Task, ...] = (
    ("cloudn_vm", {**MACHINE[1], "security_groups": ["web"]}),
    ("cloudn_vm", {"name": "web1", "state": "absent"}),
)
DOWNLOAD = {
    "url": "https://images.example.com/image.vhd",
    "format": "VHD",
    "hypervisor": "XenServer",
    "os_type": "CentOS 5.6 (64-bit)",
}


# Others of the same name, which nobody may take for what a task is about: in the other zone, and shown by the same name.
ELSEWHERE: tuple[Task, ...] = (
    ("cloudn_volume", {"name": "data", "disk_offering": "Small", "zone": "jp-e1b", "tags": {"whose": "other"}}),
    ("cloudn_template", {"name": "image", "zone": "jp-e1b", **DOWNLOAD, "display_text": "other"}),
    ("cloudn_vm", {"name": "other", "display_name": "web1", **NEW}),
)
VOLUME_ELSEWHERE, IMAGE_ELSEWHERE, SHOWN_ALIKE = ELSEWHERE

# A machine whose key pair is gone, over which the service fails.
PAIR: Task = ("cloudn_key_pair", {"name": "mine", "public_key": KEY})
KEYED: Task = ("cloudn_vm", {"name": "web1", "key_pair": "mine", **NEW})
LOST: tuple[Task, ...] = (
    PAIR,
    KEYED,
    ("cloudn_key_pair", {"name": "mine", "state": "absent", "break_machines": True}),
)


SITE: Task = (
    "cloudn_site",
    {
        "name": "shop",
        **ZONE,
        "key_pairs": [{"name": "mine", "public_key": KEY}],
        "security_groups": [
            {"name": "web", "ingress": [{"ports": "22", "groups": [{"name": "admin"}]}], "tags": {"a": "b"}},
            {"name": "admin", "ingress": [{"ports": "22", "groups": [{"name": "web"}]}]},
        ],
        "vms": [
            {"name": ["web1"], "security_groups": ["web"], "key_pair": "mine", "user_data": USER_DATA, **NEW},
            {"name": ["web2"], "security_groups": ["admin"], **NEW},
        ],
        "volumes": [{"name": "data", "disk_offering": "Small", "vm": "web1"}],
    },
)


APART: Task = ("cloudn_affinity_group", {"name": "apart"})


@dataclass(frozen=True)
class Scenario:
    """One task. An ``action`` is done each time it runs, so a rerun changes something again, or with ``once`` makes another
    object; one that ``reads`` shows what is there, whole or not at all. ``refused`` is what each run tries, and the service
    refuses. ``only_4``: CloudStack 3 lacks it. ``settled``: what was there before must be listed, as nobody can know of it
    otherwise.
    """

    name: str
    module: str
    options: dict[str, Any]
    before: tuple[Task, ...] = ()
    action: bool = False
    grants: tuple[str, ...] = ()
    denied: tuple[str, ...] = ()
    dialect: str = "cloudstack"
    reads: bool = False
    once: bool = False
    refused: tuple[str, ...] = ()
    only_4: bool = False
    settled: bool = False


SCENARIOS = (
    Scenario(
        "vm-present",
        "cloudn_vm",
        {"name": "web1", "state": "started", "tags": {"r": "w"}, "group": "front", "user_data": USER_DATA, **NEW},
    ),
    Scenario("vm-changed-beside", "cloudn_vm", {"name": "web1", "tags": {"a": "b"}}, (MACHINE, SHOWN_ALIKE)),
    Scenario("vm-present-many", "cloudn_vm", {"name": ["web1", "web2", "web3"], "state": "started", **NEW}),
    Scenario(
        "vm-tags-many",
        "cloudn_vm",
        {"name": ["web1", "web2", "web3"], "tags": {"a": "c", "d": "e"}, **NEW},
        (("cloudn_vm", {"name": ["web1", "web2"], "tags": {"a": "b", "z": "z"}, **NEW}),),
    ),
    Scenario("vm-new-stopped", "cloudn_vm", {"name": "web1", "state": "stopped", **NEW}),
    Scenario("vm-stopped", "cloudn_vm", dict(STOPPED[1]), (MACHINE,)),
    Scenario("vm-started", "cloudn_vm", {"name": "web1", "state": "started"}, (MACHINE, STOPPED)),
    Scenario("vm-restarted", "cloudn_vm", {"name": "web1", "state": "restarted"}, (MACHINE,), action=True),
    Scenario(
        "vm-reinstalled",
        "cloudn_vm",
        {"name": "web1", "state": "reinstalled", "confirm_reinstall": "web1", "tags": {"a": "c"}},
        (("cloudn_vm", {"name": "web1", "tags": {"a": "b"}, **NEW}), ATTACHED),
        action=True,
    ),
    Scenario(
        "vm-reinstalled-resized",
        "cloudn_vm",
        {"name": "web1", "state": "reinstalled", "confirm_reinstall": "web1", "service_offering": "v2"},
        (MACHINE,),
        action=True,
    ),
    Scenario(
        "vm-resized",
        "cloudn_vm",
        {
            "name": "web1",
            "state": "started",
            "service_offering": "v2",
            "allow_restart": True,
            "display_name": "Web",
            "tags": {"a": "c"},
        },
        (("cloudn_vm", {"name": "web1", "tags": {"a": "b"}, **NEW}),),
    ),
    Scenario("vm-absent", "cloudn_vm", {"name": ["web1", "web2"], "state": "absent"}, (MACHINE, SECOND)),
    Scenario(
        "vm-absent-disks-kept",
        "cloudn_vm",
        {"name": "web1", "state": "absent", "detach_volumes": True},
        (MACHINE, ATTACHED),
        settled=True,
    ),
    Scenario(
        "vm-absent-disks-deleted",
        "cloudn_vm",
        {"name": "web1", "state": "absent", "delete_volumes": True},
        (MACHINE, ATTACHED),
        settled=True,
    ),
    Scenario(
        "vm-recovered",
        "cloudn_vm",
        {"name": "{vm}", "state": "started", "recover": True},
        (MACHINE, ("cloudn_vm", {"name": "web1", "state": "absent"})),
        grants=("recoverVirtualMachine",),
    ),
    Scenario("vm-password", "cloudn_vm_password", {"name": "web1", "allow_restart": True}, (MACHINE,), action=True),
    Scenario(
        "vm-password-unstarted",
        "cloudn_vm_password",
        {"name": "web1", "allow_restart": True},
        (("cloudn_vm", {"name": "web1", "state": "stopped", **NEW}),),
        action=True,
    ),
    Scenario("group-present", "cloudn_security_group", {**GROUP[1], "description": "Web", "egress": RULES}),
    Scenario(
        "group-changed",
        "cloudn_security_group",
        {"name": "web", "ingress": [RULES[1], {"ports": "443", "cidrs": ["0.0.0.0/0"]}], "tags": {"a": "c", "d": "e"}},
        (GROUP,),
    ),
    Scenario("group-absent", "cloudn_security_group", {"name": "web", "state": "absent"}, (GROUP,)),
    Scenario("group-absent-itself", "cloudn_security_group", {"name": "web", "state": "absent"}, (ITSELF,)),
    Scenario(
        "group-left",
        "cloudn_security_group",
        {"name": "web", "state": "absent"},
        (ITSELF, *DESTROYED),
        refused=("deleteSecurityGroup",),
    ),
    Scenario("volume-present", "cloudn_volume", {**DATA[1], "tags": {"a": "b"}}, (VOLUME_ELSEWHERE,)),
    Scenario("volume-of-size", "cloudn_volume", {"name": "data", **ZONE, "disk_offering": "Custom", "size_gb": 7}),
    Scenario(
        "volume-of-snapshot",
        "cloudn_volume",
        {"name": "data", **ZONE, "snapshot": "{snapshot}"},
        (VOLUME_ELSEWHERE, MACHINE, SNAPSHOT),
    ),
    Scenario(
        "volume-uploaded",
        "cloudn_volume",
        {"name": "data", **ZONE, "url": "https://images.example.com/data.vhd", "format": "VHD", "tags": {"a": "b"}},
        (VOLUME_ELSEWHERE,),
    ),
    Scenario(
        "volume-new-attached",
        "cloudn_volume",
        {**ATTACHED[1], **ZONE, "tags": {"a": "b"}},
        (VOLUME_ELSEWHERE, MACHINE),
    ),
    Scenario(
        "volume-moved",
        "cloudn_volume",
        {"name": "data", "state": "attached", "vm": "web2", "force": True},
        (MACHINE, SECOND, ATTACHED),
    ),
    Scenario("volume-detached", "cloudn_volume", {"name": "data", "state": "detached"}, (MACHINE, ATTACHED)),
    Scenario("volume-absent", "cloudn_volume", {"name": "data", "state": "absent", "force": True}, (MACHINE, ATTACHED)),
    Scenario(
        "volume-absent-beside",
        "cloudn_volume",
        {"name": "data", "state": "absent", **ZONE},
        (VOLUME_ELSEWHERE, DATA),
    ),
    Scenario(
        "volume-extracted",
        "cloudn_volume",
        {
            "name": "data",
            "state": "extracted",
            "extract_mode": "ftp_upload",
            "extract_url": f"ftp://user:{FTP_PASSWORD}@ftp.example.com/data.vhd",
        },
        (
            MACHINE,
            ATTACHED,
            ("cloudn_volume", {"name": "data", "state": "detached"}),
        ),  # one never attached has no content
        action=True,
    ),
    Scenario("snapshot-present", "cloudn_snapshot", {"vm": "web1", "tags": {"a": "b"}}, (MACHINE,)),
    Scenario(
        "snapshot-kept", "cloudn_snapshot", {"vm": "web1", "keep": 2}, (MACHINE, SNAPSHOT, SNAPSHOT, SNAPSHOT, SNAPSHOT)
    ),
    Scenario(
        "snapshot-absent", "cloudn_snapshot", {"id": "{snapshot}", "state": "absent"}, (MACHINE, SNAPSHOT, SNAPSHOT)
    ),
    Scenario("policy-present", POLICY[0], {**POLICY[1], "timezone": "Asia/Tokyo"}, (MACHINE, WEEKLY)),
    Scenario("policy-changed", POLICY[0], {"vm": "web1", "interval": "daily", "keep": 3}, (MACHINE, POLICY, WEEKLY)),
    Scenario(
        "policy-absent", POLICY[0], {"vm": "web1", "interval": "daily", "state": "absent"}, (MACHINE, POLICY, WEEKLY)
    ),
    Scenario(
        "template-of-vm",
        "cloudn_template",
        {"name": "image", "vm": "web1", **ZONE, "allow_restart": True, "tags": {"a": "b"}},
        (IMAGE_ELSEWHERE, MACHINE),
    ),
    Scenario(
        "template-of-volume",
        "cloudn_template",
        {"name": "image", "volume": "data", "os_type": "CentOS 5.6 (64-bit)", **ZONE},
        (MACHINE, ATTACHED, STOPPED),
    ),
    Scenario(
        "template-of-snapshot",
        "cloudn_template",
        {"name": "image", "snapshot": "{snapshot}", "os_type": "CentOS 5.6 (64-bit)", **ZONE},
        (IMAGE_ELSEWHERE, MACHINE, SNAPSHOT),
    ),
    Scenario(
        "template-downloaded",
        "cloudn_template",
        {"name": "image", **ZONE, **DOWNLOAD, "zones": ["jp-e1a", "jp-e1b"], "accounts": ["mate"]},
    ),
    Scenario(
        "template-changed",
        "cloudn_template",
        {"name": "image", "display_text": "new", "public": True, "accounts": ["mate"], "zones": ["jp-e1b"]},
        (MACHINE, STOPPED, IMAGE),
    ),
    Scenario(
        "template-shared-by-ec2",
        "cloudn_template",
        {"name": "image", "accounts": ["mate"]},
        (MACHINE, STOPPED, IMAGE),
        denied=("updateTemplatePermissions",),
        dialect="cloudn",
    ),
    Scenario(
        "template-absent-beside",
        "cloudn_template",
        {"name": "image", "state": "absent", **ZONE},
        (IMAGE_ELSEWHERE, MACHINE, STOPPED, ("cloudn_template", {"name": "image", "vm": "web1", **ZONE})),
    ),
    Scenario("template-absent", "cloudn_template", {"name": "image", "state": "absent"}, (MACHINE, STOPPED, IMAGE)),
    Scenario(
        "template-extracted",
        "cloudn_template",
        {"name": "image", "state": "extracted"},
        (MACHINE, STOPPED, ("cloudn_template", {"name": "image", "vm": "web1", "extractable": True})),
        action=True,
    ),
    Scenario("vm-absent-lost", "cloudn_vm", {"name": "web1", "state": "absent"}, (SECOND, *LOST)),
    Scenario(
        "vm-beside-lost", "cloudn_vm", {"name": "web2", "display_name": "Web", "tags": {"a": "b"}}, (SECOND, *LOST)
    ),
    Scenario("key-registered", "cloudn_key_pair", {"name": "mine", "public_key": KEY}),
    Scenario("key-made", "cloudn_key_pair", {"name": "mine"}),
    Scenario(
        "key-replaced",
        "cloudn_key_pair",
        {"name": "mine", "public_key": OTHER_KEY, "force": True},
        (PAIR,),
    ),
    Scenario(
        "key-absent",
        "cloudn_key_pair",
        {"name": "mine", "state": "absent"},
        (PAIR,),
    ),
    Scenario(
        "key-absent-in-use",
        "cloudn_key_pair",
        {"name": "mine", "state": "absent", "break_machines": True},
        (PAIR, KEYED),
    ),
    # A fault after the answer that names an object, and before the tag, leaves an object without the tag.
    Scenario("site-present", "cloudn_site", {**SITE[1], "adopt": True}),
    Scenario(
        "site-changed",
        "cloudn_site",
        {
            **SITE[1],
            "security_groups": [{"name": "web", "ingress": RULES}, {"name": "admin"}],
            "vms": [SITE[1]["vms"][1]],
            "volumes": [{"name": "data", "disk_offering": "Small", "vm": "web2", "force": True}],
            "prune": True,
        },
        (SITE,),
        settled=True,
    ),
    Scenario(
        "site-absent",
        "cloudn_site",
        {**SITE[1], "state": "absent", "delete_volumes": True},
        (SITE,),
        settled=True,
        refused=("deleteSecurityGroup",),
    ),
    Scenario("job", "cloudn_job", {"jobs": ["{job}"]}, (("cloudn_vm", {"name": "web1", "wait": False, **NEW}),)),
    Scenario(
        "api",
        "cloudn_api",
        {"command": "updateVirtualMachine", "params": {"id": "{vm}", "group": "g"}},
        (MACHINE,),
        action=True,
    ),
    Scenario(
        "ec2",
        "cloudn_ec2",
        {"action": "StopInstances", "params": {"InstanceId": ["{vm}"]}},
        (MACHINE,),
        action=True,
    ),
    Scenario(
        "ec2-run",
        "cloudn_ec2",
        {
            "action": "RunInstances",
            "params": {"ImageId": "{template}", "MinCount": 1, "MaxCount": 1, "InstanceType": "v1"},
        },
        action=True,
        once=True,
    ),
    Scenario(
        "ec2-image",
        "cloudn_ec2",
        {"action": "CreateImage", "params": {"InstanceId": "{vm}", "Name": "image"}},
        (MACHINE,),
        action=True,
        once=True,
    ),
    Scenario("ec2-reads", "cloudn_ec2", {"action": "DescribeInstances"}, (MACHINE, SECOND), reads=True),
    Scenario(
        "api-deploys",
        "cloudn_api",
        {
            "command": "deployVirtualMachine",
            "params": {"zoneid": "{zone}", "templateid": "{template}", "serviceofferingid": "{small}"},
        },
        action=True,
        once=True,
    ),
    Scenario("api-reads", "cloudn_api", {"command": "listVirtualMachines"}, (MACHINE, SECOND), reads=True),
    Scenario("inventory", "inventory", {}, (MACHINE, SECOND), reads=True),
    Scenario("inventory-lost", "inventory", {}, (SECOND, *LOST), reads=True),
    Scenario("vm-info-lost", "cloudn_vm_info", {}, (SECOND, *LOST), reads=True),
    Scenario("vm-info", "cloudn_vm_info", {"name": ["web1"]}, (MACHINE, SECOND), reads=True),
    Scenario(
        "vm-info-all",
        "cloudn_vm_info",
        {"tags": {"a": "b"}},
        (("cloudn_vm", {**MACHINE[1], "tags": {"a": "b"}}),),
        reads=True,
    ),
    Scenario("group-info", "cloudn_security_group_info", {}, (GROUP,), reads=True),
    Scenario("volume-info", "cloudn_volume_info", {"name": "data"}, (VOLUME_ELSEWHERE, DATA), reads=True),
    Scenario("snapshot-info", "cloudn_snapshot_info", {"volume": "ROOT-4"}, (MACHINE, SNAPSHOT), reads=True),
    Scenario("policy-info", "cloudn_snapshot_policy_info", {}, (MACHINE, ATTACHED, POLICY, WEEKLY), reads=True),
    Scenario("template-info", "cloudn_template_info", {"zone": "jp-e1a"}, (MACHINE, STOPPED, IMAGE), reads=True),
    Scenario(
        "key-info", "cloudn_key_pair_info", {}, (("cloudn_key_pair", {"name": "mine", "public_key": KEY}),), reads=True
    ),
    Scenario(
        "affinity-present", "cloudn_affinity_group", {"name": "apart", "description": "one host each"}, only_4=True
    ),
    Scenario("affinity-absent", "cloudn_affinity_group", {"name": "apart", "state": "absent"}, (APART,), only_4=True),
    Scenario("affinity-info", "cloudn_affinity_group_info", {}, (APART,), reads=True, only_4=True),
    Scenario("volume-grows", "cloudn_volume", {"name": "data", "size_gb": 9}, (MACHINE, ATTACHED), only_4=True),
    Scenario("volume-shrinks", "cloudn_volume", {"name": "data", "size_gb": 2, "shrink": True}, (DATA,), only_4=True),
    Scenario(
        "volume-new-and-larger",
        "cloudn_volume",
        {"name": "data", "disk_offering": "Small", "size_gb": 9, "state": "attached", "vm": "web1"},
        (MACHINE,),
        only_4=True,
    ),
    Scenario("snapshot-named", "cloudn_snapshot", {"vm": "web1", "name": "mine"}, (MACHINE, SNAPSHOT), only_4=True),
    Scenario("job-info", "cloudn_job_info", {"status": "done"}, (MACHINE,), reads=True),
    Scenario("zone-info", "cloudn_zone_info", {}, reads=True),
    Scenario("service-offering-info", "cloudn_service_offering_info", {}, reads=True),
    Scenario("disk-offering-info", "cloudn_disk_offering_info", {}, reads=True),
)
