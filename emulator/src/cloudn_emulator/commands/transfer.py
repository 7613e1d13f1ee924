# Copyright: (c) 2026, the cloudn.compute authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Volumes that are downloaded or extracted, as measured on CloudStack 3.0.5 and by its source."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from ..calls import Call
from ..errors import ACCOUNT, ApiError, bad_parameter, internal
from ..generation import Differs
from ..jobs import Jobs, Work
from ..limits import check_limit
from ..models import DELETED_VOLUME, NO_OBJECT, Volume
from ..owners import check_access, check_at_once, owner_for
from .download import SIZE, check_address, check_extraction, extraction, fetch
from .volume import NO_STORAGE, is_extractable, new_volume, volume_view

UPLOADING, UPLOADED = "Uploading", "Uploaded"


def upload_volume(call: Call) -> Work:
    """uploadVolume: the job only begins the download. The state and status of the volume show how it goes on.

    Each error fails the job, even one about another account.
    """

    async def run() -> dict[str, Any]:
        await call.jobs.moment()
        try:
            return begin()
        except ApiError as error:
            raise call.of(_REFUSED)(error) from None

    def begin() -> dict[str, Any]:
        owner = owner_for(call).name
        check_limit(call, owner, "volume")
        if call["zoneid"] is NO_OBJECT:
            raise bad_parameter("Unable to find zone by id")
        check_address(call["url"], call["format"])
        custom = (offering.id for offering in call.store.disk_offerings.values() if offering.custom)
        volume = new_volume(call, owner, call["zoneid"], 0, next(custom, None))
        volume.state, volume.status, volume.url = UPLOADING, "0% Uploaded", call["url"]
        call.jobs.later(upload(call.jobs, volume))
        return {"volume": volume_view(call, volume)}

    return Work(run)


# CloudStack 4 calls each error of this job an internal one.
_REFUSED: Differs[Callable[[ApiError], ApiError]] = Differs(lambda error: error, lambda error: internal(error.text))


async def upload(jobs: Jobs, volume: Volume) -> None:
    """Let a volume come from its address."""
    failure = await fetch(jobs, volume.url or "")
    if volume.state != UPLOADING:
        return
    if failure:
        volume.state, volume.status = "UploadError", failure
    else:
        volume.state, volume.status, volume.size = UPLOADED, "Upload Complete", SIZE


def extract_volume(call: Call) -> Work:
    """extractVolume: only of a disk that was attached once, and whose machine does not run (inner code 531)."""
    check_at_once(call, call["id"])

    async def run() -> dict[str, Any]:
        await call.jobs.moment()
        volume = call["id"]
        if volume.state == DELETED_VOLUME:
            raise bad_parameter("Unable to find volume by Id")
        check_access(call, volume.owner, volume.label)
        if call["zoneid"] is NO_OBJECT:
            raise bad_parameter("Please specify a valid zone.")
        if volume.storage == NO_STORAGE:
            raise bad_parameter("The volume doesnt belong to a storage pool so cant extract it")
        try:
            _check_extractable(call, volume)
        except ApiError as error:
            raise call.of(_REFUSED)(error) from None
        if call["mode"] == "FTP_UPLOAD" and call["url"] is None:
            raise internal()  # the real server does not check whether there is an address
        try:
            check_extraction(call)
        except ApiError as error:
            raise call.of(_REFUSED)(error) from None
        await call.jobs.take(1)
        return {"volume": extraction(call, volume.id, volume.name, call["zoneid"], "vhd")}

    return Work(run, "Volume", call["id"].id)


def _check_extractable(call: Call, volume: Volume) -> None:
    vm = call.store.vm_of(volume)
    if vm and vm.state != "Stopped":
        text = "Invalid state of the volume with specified ID. It should be either detached or the VM should be in stopped state."
        raise ApiError(ACCOUNT, text)
    if not is_extractable(call, volume) and not call.account.admin:
        raise ApiError(ACCOUNT, "The volume with specified volumeId is not allowed to be extracted")
