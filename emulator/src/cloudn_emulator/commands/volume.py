# Copyright: (c) 2026, the cloudn.compute authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Volumes: so far the listing of those that virtual machines bring."""

from __future__ import annotations

from typing import Any

from ..calls import Call, check_owner, contains, date_text, has_tags, matching, nobodys, ownership, page_of, tag_list
from ..store import GONE, Volume
from ..wire import listing


def list_volumes(call: Call) -> dict[str, Any]:
    """listVolumes: pages newest first. A plain account does not see the disks of destroyed machines."""
    check_owner(call)
    p = call.params
    name, keyword, kind = p.get("name"), p.get("keyword"), p.get("type")
    tests = [
        lambda volume: _is_visible(call, volume),
        (lambda volume: volume.id == p["id"].id) if "id" in p else None,
        (lambda volume: contains(volume.name, name)) if name is not None else None,
        (lambda volume: contains(volume.name, keyword)) if keyword is not None else None,
        (lambda volume: volume.kind.lower() == kind.lower()) if kind is not None else None,
        (lambda volume: volume.vm_id == p["virtualmachineid"].id) if "virtualmachineid" in p else None,
        (lambda volume: volume.zone_id == p["zoneid"].id) if "zoneid" in p else None,
        has_tags(call, "Volume"),
    ]
    newest_first = reversed(call.store.volumes.values())
    found = [] if nobodys(call) else matching(newest_first, tests)
    return listing("volume", [volume_view(call, volume) for volume in reversed(page_of(call, found))])


def _is_visible(call: Call, volume: Volume) -> bool:
    vm = call.store.vms.get(volume.vm_id or "")
    return call.account.admin or vm is None or vm.state != GONE


def volume_view(call: Call, volume: Volume) -> dict[str, Any]:
    """A volume as answers show it; what only attached ones have is left out of others."""
    store, zone = call.store, call.store.zones[volume.zone_id]
    view: dict[str, Any] = {"id": volume.id, "name": volume.name, "zoneid": zone.id, "zonename": zone.name}
    view["type"] = volume.kind
    vm = store.vms.get(volume.vm_id or "")
    if vm:
        view |= {"deviceid": volume.device, "virtualmachineid": vm.id, "vmname": vm.name}
        view |= {"vmdisplayname": vm.displayname, "vmstate": vm.state}
    view |= {"size": volume.size, "created": date_text(volume.created), "state": volume.state}
    view |= {**ownership(call.account), "storagetype": "shared"}
    view |= _disk_offering_fields(call, volume)
    view["storage"] = volume.storage
    if volume.attached is not None:
        view["attached"] = date_text(volume.attached)
    view["destroyed"] = volume.state == "Destroy"
    view |= _offering_fields(call, volume)
    view |= {"isextractable": True, "tags": tag_list(call, "Volume", volume.id)}
    return view


def _disk_offering_fields(call: Call, volume: Volume) -> dict[str, Any]:
    if volume.disk_offering_id is None:
        return {}
    offering = call.store.find("disk_offering", volume.disk_offering_id)
    return {
        "diskofferingid": offering.id,
        "diskofferingname": offering.name,
        "diskofferingdisplaytext": offering.text,
    }


def _offering_fields(call: Call, volume: Volume) -> dict[str, Any]:
    if volume.offering_id is None:
        return {}
    offering = call.store.service_offerings[volume.offering_id]
    return {
        "serviceofferingid": offering.id,
        "serviceofferingname": offering.name,
        "serviceofferingdisplaytext": offering.text,
    }
