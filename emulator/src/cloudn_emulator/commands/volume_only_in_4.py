# Copyright: (c) 2026, the cloudn.compute authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Commands on volumes that CloudStack 3 lacks, as measured on 4.23: another size or offering, destroying, recovering."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from ..calls import Call
from ..errors import NO_COMMAND, ApiError, bad_parameter
from ..jobs import Work
from ..models import DELETED_VOLUME, GIB, NO_OBJECT, DiskOffering, Volume
from ..owners import check_access
from .volume import volume_view

LARGEST = 2000  # GiB
RESIZE_REFUSED = NO_COMMAND  # the service answers with this code to each size that it does not give


def _job(call: Call, change: Callable[[Call, Volume], None]) -> Work:
    volume = call["id"]

    async def run() -> dict[str, Any]:
        await call.jobs.moment()
        if volume is NO_OBJECT or volume.state == DELETED_VOLUME:
            raise bad_parameter("No such volume")
        check_access(call, volume.owner, volume.label)
        change(call, volume)
        return {"volume": volume_view(call, volume)}

    return Work(run, "Volume", volume.id)


def resize(call: Call) -> Work:
    """resizeVolume: of any disk, attached or not. Smaller only with `shrinkok`. Without a size nothing changes."""
    return _job(call, _resize)


def _resize(call: Call, volume: Volume) -> None:
    offering, size = call["diskofferingid"], call["size"]
    wanted = volume.size if size is None else size * GIB
    if isinstance(offering, DiskOffering) and not offering.custom:
        wanted = offering.size * GIB
    if wanted > LARGEST * GIB:
        raise ApiError(RESIZE_REFUSED, f"The maximum size allowed is {LARGEST} GB.")
    if wanted < volume.size and not call["shrinkok"]:
        text = f"Going from existing size of {volume.size} to size of {wanted} would shrink the volume."
        raise ApiError(
            RESIZE_REFUSED, f"{text}Need to sign off by supplying the shrinkok parameter with value of true."
        )
    volume.size = wanted
    if isinstance(offering, DiskOffering):
        volume.disk_offering_id = offering.id


def change_offering(call: Call) -> Work:
    """changeOfferingForVolume: its job shows no object."""
    work = _job(call, _change_offering)
    return Work(work.run)


def _change_offering(call: Call, volume: Volume) -> None:
    offering = call["diskofferingid"]
    if not isinstance(offering, DiskOffering):
        raise bad_parameter("Cannot find disk offering by id")
    volume.disk_offering_id = offering.id
    volume.size = (offering.size or call["size"] or 0) * GIB or volume.size


def destroy(call: Call) -> Work:
    """destroyVolume: into the state Destroy, or with `expunge` away. An Allocated one can only be expunged."""
    return _job(call, _destroy)


def _destroy(call: Call, volume: Volume) -> None:
    if volume.vm_id is not None:
        raise bad_parameter("Please specify a volume that is not attached to any VM.")
    if volume.state in ("Allocated", "Uploaded") and not call["expunge"]:
        raise bad_parameter("The volume in Allocated/Uploaded state can only be expunged not destroyed/recovered")
    call.store.delete_volume(volume)


def recover(call: Call) -> dict[str, Any]:
    """recoverVolume: only of a disk in state Destroy."""
    volume = call["id"]
    if volume is NO_OBJECT or volume.state != DELETED_VOLUME:
        raise bad_parameter("Please specify a volume in Destroy state.")
    check_access(call, volume.owner, volume.label)
    volume.state = "Ready"
    return {"volume": volume_view(call, volume)}
