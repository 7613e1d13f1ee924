# Copyright: (c) 2026, the cloudn.compute authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the service can do, as measured on CloudStack 3.0.5 and 4.23."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from ..calls import Call
from ..generation import Differs
from ..settings import DYNAMIC_SCALE, EXPUNGE_RECOVER, THROTTLING, THROTTLING_MOST, THROTTLING_SECONDS, VIEW_DESTROYED

LARGEST_DISK = 1024  # GiB


def list_capabilities(call: Call) -> dict[str, Any]:
    """listCapabilities."""
    return {"capability": call.of(_CAPABILITIES)(call)}


def _of_3(call: Call) -> dict[str, Any]:
    return {
        "securitygroupsenabled": True,
        "cloudstackversion": call.store.generation.version,
        "userpublictemplateenabled": True,
        "supportELB": "false",
        "projectinviterequired": False,
        "allowusercreateprojects": True,
        "customdiskofferingmaxsize": LARGEST_DISK,
    }


def _of_4(call: Call) -> dict[str, Any]:
    """CloudStack 4 tells some of its settings too. An administrator is allowed what a plain account may be refused."""
    settings, admin = call.store.settings, call.account.admin
    return {
        "securitygroupsenabled": True,
        "dynamicrolesenabled": True,
        "cloudstackversion": call.store.generation.version,
        "userpublictemplateenabled": True,
        "supportELB": "false",
        "projectinviterequired": False,
        "allowusercreateprojects": True,
        "customdiskofferingminsize": 1,
        "customdiskofferingmaxsize": LARGEST_DISK,
        "regionsecondaryenabled": False,
        "kvmsnapshotenabled": True,
        "snapshotshowchainsize": False,
        "allowuserviewdestroyedvm": admin or settings.server_value(VIEW_DESTROYED) == "true",
        "allowuserexpungerecovervm": admin or settings.server_value(EXPUNGE_RECOVER) == "true",
        "allowuserexpungerecovervolume": True,
        "allowuserviewalldomainaccounts": False,
        "allowuserforcestopvm": True,
        "kubernetesserviceenabled": False,
        "kubernetesclusterexperimentalfeaturesenabled": False,
        "customhypervisordisplayname": "Custom",
        **_throttling(call),
        "defaultuipagesize": 20,
        "instancesstatsretentiontime": 720,
        "instancesstatsuseronly": False,
        "instancesdisksstatsretentionenabled": False,
        "instancesdisksstatsretentiontime": 720,
        "sharedfsvmmincpucount": 2,
        "sharedfsvmminramsize": 1024,
        "instanceleaseenabled": False,
        "dynamicscalingenabled": settings.server_value(DYNAMIC_SCALE) == "true",
        "additionalconfigenabled": False,
    }


def _throttling(call: Call) -> dict[str, Any]:
    """How many requests an account may send in how many seconds, where that is limited. Source: CloudStack 4's code."""
    settings = call.store.settings
    if settings.server_value(THROTTLING) != "true":
        return {}
    return {
        "apilimitinterval": int(settings.server_value(THROTTLING_SECONDS)),
        "apilimitmax": int(settings.server_value(THROTTLING_MOST)),
    }


_CAPABILITIES: Differs[Callable[[Call], dict[str, Any]]] = Differs(_of_3, _of_4)
