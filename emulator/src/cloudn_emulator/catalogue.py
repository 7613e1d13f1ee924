# Copyright: (c) 2026, the cloudn.compute authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The commands: for each an entry with its name, its parameters and the function that does it.

A generation may have a command in another way: more parameters, another root, class or function, other accounts that may
use it. Its entry says so in a column, such as `on_4`. What a command does in another way is in its module: see `Differs`.
"""

from __future__ import annotations

from dataclasses import replace

from . import catalogue_of_service
from .catalogue_of_service import ANY_PAGE, LISTED, OWNED, PAGED
from .command import Command, command, command_of_4
from .commands import (
    affinity,
    attachment,
    instance_group,
    iso,
    job,
    security_group,
    security_rule,
    snapshot,
    snapshot_policy,
    ssh_key,
    tag,
    template,
    template_access,
    template_list,
    transfer,
    vm,
    vm_deploy,
    vm_only_in_4,
    vm_view,
    volume,
    volume_only_in_4,
)
from .generation import CLOUDSTACK_3, Differs, Generation

RULE = (
    "protocol startport:int endport:int icmptype:int icmpcode:int cidrlist:[string] usersecuritygrouplist:{}"
    " securitygroupid:security_group securitygroupname" + OWNED
)

_COMMANDS = (
    # jobs
    command("queryAsyncJobResult", job.query_job, "jobid:async_job!", on_4={"params": "jobid:async_job"}),
    command(
        "listAsyncJobs",
        job.list_jobs,
        "startdate:date account listall:bool domainid:domain isrecursive:bool" + PAGED,
        on_4={"params": "startdate:anydate"},
    ),
    # virtual machines
    command(
        "listVirtualMachines",
        vm_view.list_vms,
        "groupid:instance_group hostid:host id:vm_instance name podid:host_pod_ref state zoneid:data_center"
        " forvirtualnetwork:bool networkid:networks hypervisor storageid:storage_pool details:[string]"
        " templateid:vm_template isoid:vm_template tags:{}" + LISTED,
    ),
    command(
        "deployVirtualMachine",
        vm_deploy.deploy,
        "zoneid:data_center! serviceofferingid:disk_offering! templateid:vm_template! name displayname"
        " networkids:[networks] diskofferingid:disk_offering size:long group hypervisor userdata<2048 keypair"
        " hostid:host securitygroupids:[security_group] securitygroupnames:[string] iptonetworklist:{} ipaddress"
        " keyboard startvm:bool id:long" + OWNED,
        "user.vm.DeployVMCmd",
        on_4={
            "params": "id templateid:vm_template serviceofferingid:service_offering! diskofferingid:data_disk_offering"
            " userdata<1048576 keypairs:[string] rootdisksize:long affinitygroupids:[affinity_group]"
            " affinitygroupnames:[string] displayvm:bool"
        },
    ),
    command(
        "destroyVirtualMachine",
        vm.destroy,
        "id:vm_instance!",
        "user.vm.DestroyVMCmd",
        on_4={"params": "expunge:bool volumeids:[volumes]"},
    ),
    command("rebootVirtualMachine", vm.reboot, "id:vm_instance!", "user.vm.RebootVMCmd"),
    command("startVirtualMachine", vm.start, "id:vm_instance! hostid:host", "user.vm.StartVMCmd"),
    command("stopVirtualMachine", vm.stop, "id:vm_instance! forced:bool", "user.vm.StopVMCmd"),
    command(
        "resetPasswordForVirtualMachine", vm.reset_password, "id:vm_instance! password", "user.vm.ResetVMPasswordCmd"
    ),
    command(
        "changeServiceForVirtualMachine",
        vm.change_service,
        "id:vm_instance! serviceofferingid:disk_offering!",
        on_4={"params": "serviceofferingid:service_offering!"},
    ),
    command(
        "updateVirtualMachine",
        vm.update,
        "displayname group haenable:bool id:vm_instance! ostypeid:guest_os userdata<2048",
        on_4={
            "params": "userdata<1048576 name deleteprotection:bool securitygroupids:[security_group]"
            " securitygroupnames:[string]"
        },
    ),
    command(
        "restoreVirtualMachine",
        vm.restore,
        "virtualmachineid:vm_instance!",
        "user.vm.RestoreVMCmd",
        root="restorevmresponse",
        entity="virtualmachineid",
    ),
    command("recoverVirtualMachine", vm.recover, "id:vm_instance!", granted=False, on_4={"granted": True}),
    command_of_4("expungeVirtualMachine", vm.expunge, "id:vm_instance!", "admin.vm.ExpungeVMCmd"),
    command_of_4(
        "scaleVirtualMachine",
        vm_only_in_4.scale,
        "id:vm_instance! serviceofferingid:service_offering! details:{}",
        "user.vm.ScaleVMCmd",
    ),
    command_of_4(
        "resetSSHKeyForVirtualMachine",
        vm_only_in_4.reset_key_pair,
        "id:vm_instance! keypair keypairs:[string]" + OWNED,
        "user.vm.ResetVMSSHKeyCmd",
        root="resetSSHKeyforvirtualmachineresponse",
    ),
    command_of_4(
        "listNics", vm_only_in_4.list_nics, "nicid:nics virtualmachineid:vm_instance! networkid:networks" + PAGED
    ),
    # affinity groups
    command_of_4(
        "createAffinityGroup",
        affinity.create_group,
        "name! type! description" + OWNED,
        "user.affinitygroup.CreateAffinityGroupCmd",
    ),
    command_of_4(
        "deleteAffinityGroup",
        affinity.delete_group,
        "id:affinity_group name" + OWNED,
        "user.affinitygroup.DeleteAffinityGroupCmd",
    ),
    command_of_4(
        "listAffinityGroups",
        affinity.list_groups,
        "id:affinity_group name type virtualmachineid:vm_instance" + LISTED,
    ),
    command_of_4("listAffinityGroupTypes", affinity.list_types, PAGED.strip()),
    command_of_4(
        "updateVMAffinityGroup",
        affinity.update_of_vm,
        "id:vm_instance! affinitygroupids:[affinity_group] affinitygroupnames:[string]",
        "user.affinitygroup.UpdateVMAffinityGroupCmd",
        root="updatevirtualmachineresponse",
    ),
    # security groups
    command(
        "listSecurityGroups",
        security_group.list_groups,
        "securitygroupname virtualmachineid:vm_instance id:security_group tags:{}" + LISTED,
    ),
    command("createSecurityGroup", security_group.create_group, "description name!" + OWNED),
    command("deleteSecurityGroup", security_group.delete_group, "id:security_group name" + OWNED),
    command(
        "authorizeSecurityGroupIngress",
        security_rule.authorize_ingress,
        RULE,
        "user.securitygroup.AuthorizeSecurityGroupIngressCmd",
    ),
    command(
        "revokeSecurityGroupIngress",
        security_rule.revoke_ingress,
        "id:security_group_rule!",
        "user.securitygroup.RevokeSecurityGroupIngressCmd",
        root="revokesecuritygroupingress",
        on_4={"root": "revokesecuritygroupingressresponse"},
    ),
    command(
        "authorizeSecurityGroupEgress",
        security_rule.authorize_egress,
        RULE,
        "user.securitygroup.AuthorizeSecurityGroupEgressCmd",
    ),
    command(
        "revokeSecurityGroupEgress",
        security_rule.revoke_egress,
        "id:security_group_rule!",
        "user.securitygroup.RevokeSecurityGroupEgressCmd",
        root="revokesecuritygroupegress",
        on_4={"root": "revokesecuritygroupegressresponse"},
    ),
    # instance groups
    command("listInstanceGroups", instance_group.list_instance_groups, "id:instance_group name" + LISTED),
    command("createInstanceGroup", instance_group.create_instance_group, "name!" + OWNED),
    command("updateInstanceGroup", instance_group.update_instance_group, "id:instance_group! name"),
    command("deleteInstanceGroup", instance_group.delete_instance_group, "id:instance_group!"),
    # tags
    command(
        "createTags", tag.create_tags, "tags:{}! resourcetype! resourceids:[string]! customer", "user.tag.CreateTagsCmd"
    ),
    command("deleteTags", tag.delete_tags, "tags:{} resourcetype! resourceids:[string]!", "user.tag.DeleteTagsCmd"),
    command("listTags", tag.list_tags, "resourcetype resourceid key value customer" + LISTED),
    # volumes
    command(
        "listVolumes",
        volume.list_volumes,
        "hostid:host id:volumes name podid:host_pod_ref type virtualmachineid:vm_instance zoneid:data_center"
        " details:[string] tags:{}" + LISTED,
        on_4={"lacks": "details"},
    ),
    command(
        "createVolume",
        volume.create_volume,
        "diskofferingid:disk_offering name! size:long snapshotid:snapshots zoneid:data_center id:long" + OWNED,
        "user.volume.CreateVolumeCmd",
        on_4={"params": "name", "lacks": "id"},
    ),
    command_of_4(
        "resizeVolume",
        volume_only_in_4.resize,
        "id:volumes! size:long shrinkok:bool diskofferingid:disk_offering",
        "user.volume.ResizeVolumeCmd",
    ),
    command_of_4(
        "changeOfferingForVolume",
        volume_only_in_4.change_offering,
        "id:volumes! diskofferingid:disk_offering! size:long shrinkok:bool",
        "user.volume.ChangeOfferingForVolumeCmd",
    ),
    command_of_4("destroyVolume", volume_only_in_4.destroy, "id:volumes! expunge:bool", "user.volume.DestroyVolumeCmd"),
    command_of_4("recoverVolume", volume_only_in_4.recover, "id:volumes!"),
    command(
        "uploadVolume",
        transfer.upload_volume,
        "format! name! url! zoneid:data_center! checksum" + OWNED,
        "user.volume.UploadVolumeCmd",
        on_4={"params": "url<2048!"},
    ),
    command(
        "attachVolume",
        attachment.attach_volume,
        "deviceid:long id:volumes! virtualmachineid:vm_instance!",
        "user.volume.AttachVolumeCmd",
    ),
    command(
        "detachVolume",
        attachment.detach_volume,
        "id:volumes deviceid:long virtualmachineid:vm_instance",
        "user.volume.DetachVolumeCmd",
    ),
    command("deleteVolume", volume.delete_volume, "id:volumes!"),
    command(
        "extractVolume",
        transfer.extract_volume,
        "id:volumes! url zoneid:data_center! mode!",
        "user.volume.ExtractVolumeCmd",
        on_4={"params": "url<2048"},
    ),
    # snapshots
    command(
        "listSnapshots",
        snapshot.list_snapshots,
        "id:snapshots intervaltype name snapshottype volumeid:volumes tags:{}" + LISTED,
    ),
    command(
        "createSnapshot",
        snapshot.create_snapshot,
        "account domainid:domain volumeid:volumes! policyid:snapshot_policy id:long",
        "user.snapshot.CreateSnapshotCmd",
        on_4={"params": "name", "lacks": "id"},
    ),
    command("deleteSnapshot", snapshot.delete_snapshot, "id:snapshots!", "user.snapshot.DeleteSnapshotCmd"),
    command(
        "createSnapshotPolicy",
        snapshot_policy.create_policy,
        "intervaltype! maxsnaps:int! schedule! timezone! volumeid:volumes!",
    ),
    command(
        "listSnapshotPolicies",
        snapshot_policy.list_policies,
        "volumeid:volumes!" + ANY_PAGE,
        on_4={"params": "volumeid:volumes id:snapshot_policy"},
    ),
    command_of_4(
        "updateSnapshotPolicy",
        snapshot_policy.update_policy,
        "id:snapshot_policy! fordisplay:bool",
        "user.snapshot.UpdateSnapshotPolicyCmd",
    ),
    command("deleteSnapshotPolicies", snapshot_policy.delete_policies, "id:snapshot_policy ids:[snapshot_policy]"),
    # templates
    command(
        "listTemplates",
        template_list.list_templates,
        "hypervisor id:vm_template name templatefilter! zoneid:data_center tags:{}" + LISTED,
    ),
    command(
        "createTemplate",
        template.create_template,
        "bits:int displaytext<4096! isfeatured:bool ispublic:bool name! ostypeid:guest_os! passwordenabled:bool"
        " requireshvm:bool snapshotid:snapshots volumeid:volumes virtualmachineid:vm_instance url templatetag"
        " details:{} id:long",
        "user.template.CreateTemplateCmd",
        on_4={"params": "displaytext<4096 url<2048", "lacks": "id"},
    ),
    command(
        "registerTemplate",
        template.register_template,
        "bits:int displaytext<4096! format! hypervisor! isfeatured:bool ispublic:bool name! ostypeid:guest_os!"
        " passwordenabled:bool sshkeyenabled:bool isextractable:bool requireshvm:bool url! zoneid:data_center!"
        " checksum templatetag details:{}" + OWNED,
        on_4={"params": "displaytext<4096 url<2048! ostypeid:guest_os zoneid:data_center zoneids:[data_center]"},
    ),
    command(
        "copyTemplate",
        template.copy_template,
        "destzoneid:data_center! id:vm_template! sourcezoneid:data_center!",
        "user.template.CopyTemplateCmd",
    ),
    command(
        "updateTemplate",
        template.update_template,
        "bootable:bool displaytext<4096 id:vm_template! name ostypeid:guest_os format passwordenabled:bool sortkey:int",
        on_4={"params": "name<251"},
    ),
    command(
        "deleteTemplate",
        template.delete_template,
        "id:vm_template! zoneid:data_center",
        "user.template.DeleteTemplateCmd",
    ),
    command(
        "extractTemplate",
        template.extract_template,
        "id:vm_template! url zoneid:data_center mode!",
        "user.template.ExtractTemplateCmd",
        on_4={"params": "url<2048"},
    ),
    command(
        "updateTemplatePermissions",
        template_access.update_permissions,
        "accounts:[string] id:vm_template! isfeatured:bool ispublic:bool isextractable:bool op projectids:[projects]",
    ),
    command("listTemplatePermissions", template_access.list_permissions, "id:vm_template!"),
    command(
        "listIsos",
        iso.list_isos,
        "bootable:bool hypervisor id:vm_template ispublic:bool isready:bool isofilter name zoneid:data_center tags:{}"
        + LISTED,
    ),
    # key pairs
    command("createSSHKeyPair", ssh_key.create_key_pair, "name!" + OWNED),
    command("registerSSHKeyPair", ssh_key.register_key_pair, "name! publickey<5120!" + OWNED),
    command("deleteSSHKeyPair", ssh_key.delete_key_pair, "name!" + OWNED),
    command("listSSHKeyPairs", ssh_key.list_key_pairs, "name fingerprint" + LISTED, on_4={"params": "id:ssh_keypair"}),
    *catalogue_of_service.COMMANDS,
)

# Commands that the real server has for administrators only. The emulator does none of them. Like the real server, it
# checks their signatures before it says that they do not exist.
_FOR_ADMINISTRATORS = """
assignVirtualMachine createAccount createUser listAlerts listCapacity listClusters listConfigurations listDomainChildren
listDomains listExternalLoadBalancers listHosts listPhysicalNetworks listPods listRouters listStoragePools
listSupportedNetworkServices listSwifts listSystemVms listTrafficTypes listUsageRecords listVlanIpRanges
migrateVirtualMachine registerUserKeys updateResourceCount updateResourceLimit
"""
_OLD = "listExternalLoadBalancers registerUserKeys"
_NEW = "getUser updateVolume"
_THREE = frozenset(_FOR_ADMINISTRATORS.split())
FOR_ADMINISTRATORS = Differs(_THREE, (_THREE - set(_OLD.split())) | set(_NEW.split()))

# The service's manual has its own names for two of them.
SPELLINGS = {"registerTemplate": "uploadTemplate", "listSnapshots": "listSnapshot"}
PLAIN, MANUAL = "cloudstack", "cloudn"
DIALECTS = (PLAIN, MANUAL)


def _spelled(one: Command) -> Command:
    """A command under the manual's name."""
    name = SPELLINGS.get(one.name)
    return replace(one, name=name, root=f"{name.lower()}response") if name else one


def catalogue(generation: Generation, dialect: str = PLAIN) -> dict[str, Command]:
    """The commands of a generation by their names, or by the names of the service's manual."""
    known = [one for one in (versions[generation.column] for versions in _COMMANDS) if one is not None]
    if dialect == MANUAL:
        known = list(map(_spelled, known))
    return {one.name: one for one in known}


COMMANDS = catalogue(CLOUDSTACK_3)
