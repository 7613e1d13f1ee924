# Copyright: (c) 2026, the cloudn.compute authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Names of commands that plain accounts of CloudStack use."""

from __future__ import annotations

import difflib

# Source: what CloudStack 3.0.5 and 4.23 grant to plain accounts in a Basic zone.
_NAMES = """
attachVolume authorizeSecurityGroupEgress authorizeSecurityGroupIngress changeOfferingForVolume
changeServiceForVirtualMachine copyTemplate createAffinityGroup createInstanceGroup createSSHKeyPair
createSecurityGroup createSnapshot createSnapshotPolicy createTags createTemplate createVMSnapshot createVolume
deleteAffinityGroup deleteInstanceGroup deleteSSHKeyPair deleteSecurityGroup deleteSnapshot deleteSnapshotPolicies
deleteTags deleteTemplate deleteVMSnapshot deleteVolume deployVirtualMachine destroyVirtualMachine destroyVolume
detachVolume expungeVirtualMachine extractTemplate extractVolume listAccounts listAffinityGroupTypes
listAffinityGroups listApis listAsyncJobs listCapabilities listDiskOfferings listEventTypes listEvents
listHypervisors listInstanceGroups listIsos listNetworks listNics listOsCategories listOsTypes listResourceLimits
listSSHKeyPairs listSecurityGroups listServiceOfferings listSnapshotPolicies listSnapshots listTags
listTemplatePermissions listTemplates listVMSnapshot listVirtualMachines listVolumes listZones queryAsyncJobResult
rebootVirtualMachine recoverVirtualMachine recoverVolume registerSSHKeyPair registerTemplate
resetPasswordForVirtualMachine resetSSHKeyForVirtualMachine resizeVolume restoreVirtualMachine revertSnapshot
revokeSecurityGroupEgress revokeSecurityGroupIngress scaleVirtualMachine startVirtualMachine stopVirtualMachine
updateInstanceGroup updateTemplate updateTemplatePermissions updateVMAffinityGroup updateVirtualMachine uploadVolume
"""


def known() -> list[str]:
    """Return the names of the commands."""
    return _NAMES.split()


def nearest(command: str) -> str | None:
    """Return the known command whose name is most like this one. ``None`` for a known name, or if none is like it."""
    names = {name.lower(): name for name in known()}
    if names.get(command.lower()) == command:
        return None
    found = difflib.get_close_matches(command.lower(), names, 1, 0.7)
    return names[found[0]] if found else None
