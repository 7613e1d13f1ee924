# Copyright: (c) 2026, the cloudn.compute authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What an answer must have to belong to a command: its root, and a job if the command begins one."""

from __future__ import annotations

# The root of an error from a service that does not look at the command any further. Source: recorded from CloudStack 3.0.5
# (432) and 4.23 (401, 432), and measured on 4.23 (400, 429).
OF_ERRORS = "errorresponse"
# Other roots than the command's name and `response`, in lower case. Source: recorded from CloudStack 3.0.5 and 4.23. Only 3
# leaves `response` out. Nobody has recorded the manual's names of two commands; these may have the root of CloudStack's name.
_OTHERS = {
    "listcounters": "counterresponse",
    "listsnapshot": "listsnapshotsresponse",
    "restorevirtualmachine": "restorevmresponse",
    "revokesecuritygroupegress": "revokesecuritygroupegress",
    "revokesecuritygroupingress": "revokesecuritygroupingress",
    "updatevmaffinitygroup": "updatevirtualmachineresponse",
    "uploadtemplate": "registertemplateresponse",
}
# The commands that answer with a job at once. Source: recorded from CloudStack 3.0.5 and 4.23, which agree.
_OF_JOBS = """
attachVolume authorizeSecurityGroupEgress authorizeSecurityGroupIngress changeOfferingForVolume copyTemplate
createAffinityGroup createSnapshot createTags createTemplate createVMSnapshot createVolume deleteAffinityGroup
deleteSnapshot deleteTags deleteTemplate deleteVMSnapshot deployVirtualMachine destroyVirtualMachine destroyVolume
detachVolume expungeVirtualMachine extractTemplate extractVolume rebootVirtualMachine
resetPasswordForVirtualMachine resetSSHKeyForVirtualMachine resizeVolume restoreVirtualMachine revertSnapshot
revokeSecurityGroupEgress revokeSecurityGroupIngress scaleVirtualMachine startVirtualMachine stopVirtualMachine
updateVMAffinityGroup uploadVolume
"""


def begins_job(command: str) -> bool:
    """Tell whether the answer to a command must have the id of a job."""
    return command in _OF_JOBS.split()


def is_own(root: str, command: str) -> bool:
    """Tell whether an answer with this root belongs to a command.

    Some commands that the collection does not send have roots that nobody has recorded. Any root of the API will do for
    them, but none of a command whose root is known.
    """
    name, seen = command.lower(), root.lower()
    if seen in (f"{name}response", _OTHERS.get(name)):
        return True
    from .commands import known  # here, as nearly all roots are the command's own

    names = {one.lower() for one in known()}
    is_of_another = any(seen in (f"{one}response", _OTHERS.get(one)) for one in names)
    return name not in names and seen.endswith("response") and seen != OF_ERRORS and not is_of_another
