# Copyright: (c) 2026, the cloudn.compute authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Settings that operators of a server change, by the server's own names; answers as measured on CloudStack 4.23."""

from __future__ import annotations

import datetime
from typing import Any

import pytest
import requests
from cloudn_emulator import Emulator
from cloudn_emulator.cli import main
from cloudn_emulator.settings import BadSetting
from cloudn_emulator.signature import sign

POST_ONLY = "enforce.post.requests.and.timestamps"


def asked(emulator: Any, method: str, command: str, seconds: int | None, **params: str) -> requests.Response:
    """Send a signed request that expires after so many seconds, or never."""
    query = {"command": command, "apikey": emulator.api_key, "response": "json", **params}
    if seconds is not None:
        end = datetime.datetime.now(datetime.UTC) + datetime.timedelta(seconds=seconds)
        query.update(signatureversion="3", expires=end.strftime("%Y-%m-%dT%H:%M:%S+0000"))
    query["signature"] = sign(query, emulator.api_secret)
    where = {"params": query} if method == "GET" else {"data": query}
    return requests.request(method, emulator.url, timeout=10, **where)


@pytest.fixture(scope="module")
def strict() -> Any:
    with Emulator(server={POST_ONLY: "true"}) as emulator:
        yield emulator


def test_a_change_by_get_is_refused_and_one_by_post_is_done(strict: Any) -> None:
    refused = asked(strict, "GET", "createSecurityGroup", 600, name="web")
    assert refused.status_code == 400
    (body,) = refused.json().values()
    assert body["errortext"] == "State changing command createSecurityGroup needs to be sent using POST request"
    assert asked(strict, "POST", "createSecurityGroup", 600, name="web").status_code == 200


@pytest.mark.parametrize("method", ["GET", "POST"])
@pytest.mark.parametrize(
    ("seconds", "status"), [(600, 200), (890, 200), (960, 401), (3600, 401), (-10, 401), (None, 401)]
)
def test_each_request_expires_within_15_minutes(strict: Any, method: str, seconds: int | None, status: int) -> None:
    assert asked(strict, method, "listZones", seconds).status_code == status


def test_a_server_with_its_defaults_takes_both(emulator: Any) -> None:
    assert asked(emulator, "GET", "createSecurityGroup", None, name="web").status_code == 200
    assert asked(emulator, "GET", "listZones", 3600).status_code == 200


def test_an_unknown_setting_is_named_with_the_known_ones(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(BadSetting, match=POST_ONLY):
        Emulator(server={"no.such.setting": "1"})
    with pytest.raises(SystemExit):
        main(["--setting", f"{POST_ONLY}=maybe"])
    assert f"give one of {POST_ONLY}=false|true" in capsys.readouterr().err
