# Copyright: (c) 2026, the cloudn.compute authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Uploads and extractions of the emulator's volumes, beyond what the recordings show."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from waiting import soon

Refused = Callable[[int], Any]
ADDRESS = "https://images.example.com/x.vhd"


def test_an_uploaded_volume_can_be_attached_and_a_failed_one_says_why(api: Any, refused: Refused) -> None:
    zone = api.vars["zone"]
    made = api.job("uploadVolume", name="up", zoneid=zone, format="VHD", url=ADDRESS)["volume"]
    assert (made["state"], made["status"]) == ("Uploading", "0% Uploaded")
    done = soon(lambda: [one for one in api.volumes(id=made["id"]) if one["state"] == "Uploaded"])[0]
    assert done["size"] > 0 and done["status"] == "Upload Complete"
    api.job("attachVolume", id=made["id"], virtualmachineid=api.running("one")["id"])
    failed = api.job(
        "uploadVolume", name="no", zoneid=zone, format="VHD", url="http://images.example.com/missing/x.vhd"
    )["volume"]
    assert (
        "404"
        in soon(lambda: [one for one in api.volumes(id=failed["id"]) if one["state"] == "UploadError"])[0]["status"]
    )


@pytest.mark.parametrize(
    "url",
    [
        "ftp://images.example.com/x.vhd",
        "http://images.example.com:8080/x.vhd",
        "http://images.example.com/x.qcow2",
        "http://images.example.com:port/x.vhd",
    ],
)
def test_bad_addresses_are_refused(api: Any, refused: Refused, url: str) -> None:
    with refused(431):
        api.job("uploadVolume", name="up", zoneid=api.vars["zone"], format="VHD", url=url)


@pytest.mark.parametrize(
    "host", ["no-such.invalid", "127.0.0.1", "localhost", "0.0.0.0", "169.254.1.1", "224.0.0.1", "[2001:db8::1]", ""]
)
def test_bad_hosts_are_refused(api: Any, refused: Refused, host: str) -> None:
    with refused(431):
        api.job("uploadVolume", name="up", zoneid=api.vars["zone"], format="VHD", url=f"http://{host}/x.vhd")


@pytest.mark.parametrize(
    ("kind", "ending", "taken"),
    [
        ("VHD", ".vhd.gz", True),
        ("vhd", ".VHD", True),
        ("RAW", ".img", True),
        ("ISO", ".vhd", True),  # its ending is not checked against the format
        ("ISO", ".iso", False),
        ("OVA", ".vhd", False),
        ("VHD", ".vhd?x=1", False),
        ("ZIP", ".vhd", False),
        ("", ".vhd", False),
    ],
)
def test_only_known_formats_are_accepted(api: Any, refused: Refused, kind: str, ending: str, taken: bool) -> None:
    wanted = {"name": "up", "zoneid": api.vars["zone"], "format": kind, "url": f"http://192.0.2.1/x{ending}"}
    if taken:
        made = api.job("uploadVolume", **wanted)["volume"]
        assert (made["state"], made["diskofferingid"], made["size"]) == ("Uploading", api.vars["custom"], 0)
    else:
        with refused(431):
            api.job("uploadVolume", **wanted)


def test_a_volume_that_is_being_uploaded_is_not_attached_or_deleted(
    emulate: Callable[..., Any], refused: Refused
) -> None:
    api = emulate(job_seconds=0.5)
    machine = api.running("one")["id"]
    made = api.job("uploadVolume", name="up", zoneid=api.vars["zone"], format="VHD", url=ADDRESS)["volume"]["id"]
    with refused(431):
        api.job("attachVolume", id=made, virtualmachineid=machine)
    with refused(431):
        api("deleteVolume", id=made)


def test_a_disk_can_be_extracted_while_nobody_uses_it(api: Any, refused: Refused) -> None:
    machine = api.running("one")["id"]
    id = api.new_volume()
    api.job("attachVolume", id=id, virtualmachineid=machine)
    wanted = {"id": id, "zoneid": api.vars["zone"], "mode": "HTTP_DOWNLOAD"}
    with refused(531):
        api.job("extractVolume", **wanted)
    api.job("stopVirtualMachine", id=machine)
    first = api.job("extractVolume", **wanted)["volume"]
    assert first["url"].startswith("https://")
    assert api.job("extractVolume", **wanted)["volume"] == first
    for params, code in (
        ({"mode": "FTP"}, 431),
        ({"mode": "FTP_UPLOAD"}, 530),
        ({"mode": "FTP_UPLOAD", "url": "http://images.example.com/"}, 431),
        ({"mode": "FTP_UPLOAD", "url": "ftp://127.0.0.1/x"}, 431),
    ):
        with refused(code):
            api.job("extractVolume", **{**wanted, **params})
    sent = api.job("extractVolume", **wanted | {"mode": "FTP_UPLOAD", "url": "ftp://192.0.2.1/x"})["volume"]
    assert (sent["state"], sent["url"]) == ("UPLOADED", "ftp://192.0.2.1/x")


def test_a_disk_that_was_never_attached_or_is_gone_cannot_be_extracted(api: Any, refused: Refused) -> None:
    id = api.new_volume()
    wanted = {"id": id, "zoneid": api.vars["zone"], "mode": "HTTP_DOWNLOAD"}
    with refused(431):
        api.job("extractVolume", **wanted)
    with refused(431):
        api.job("extractVolume", **{**wanted, "zoneid": "-1"})
    api("deleteVolume", id=id)
    with refused(431):
        api.job("extractVolume", **wanted)


def test_a_root_disk_goes_by_its_template(api: Any, refused: Refused) -> None:
    machine = api.running("one")
    api.job("stopVirtualMachine", id=machine["id"])
    root = api.volumes(virtualmachineid=machine["id"])[0]
    wanted = {"id": root["id"], "zoneid": api.vars["zone"], "mode": "HTTP_DOWNLOAD"}
    assert root["isextractable"] and api.job("extractVolume", **wanted)["volume"]["url"]
    api.emulator.store.templates[machine["templateid"]].extractable = False
    assert api.volumes(id=root["id"])[0]["isextractable"] is False
    with refused(531):
        api.job("extractVolume", **wanted)


def test_user_and_password_in_an_address_are_not_logged(api: Any) -> None:
    address = "http://user:hunter2@images.example.com/x.vhd"
    api("uploadVolume", name="up", zoneid=api.vars["zone"], format="VHD", url=address)
    assert "hunter2" not in str(api.emulator.requests)
