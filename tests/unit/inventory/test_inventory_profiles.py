# Copyright: (c) 2026, the cloudn.compute authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The inventory takes its account from a profile: what is refused, and that the cache tells accounts apart."""

from __future__ import annotations

import pathlib
from typing import Any

import pytest
from samples import NEW

UNSET = dict.fromkeys(("CLOUDN_API_URL", "CLOUDN_API_KEY", "CLOUDN_API_SECRET"), "")


def section(name: str, emulator: Any) -> str:
    return f"[{name}]\nendpoint = {emulator.url}\nkey = {emulator.api_key}\nsecret = {emulator.api_secret}\n"


@pytest.fixture
def profiles(tmp_path: pathlib.Path, emulator: Any) -> pathlib.Path:
    """The file with the profile of the emulator."""
    path = tmp_path / "profiles.ini"
    path.write_text(section("prod", emulator))
    path.chmod(0o600)
    return path


@pytest.fixture
def reach(profiles: pathlib.Path) -> dict[str, str]:
    return {**UNSET, "CLOUDSTACK_CONFIG": str(profiles)}


def test_the_command_takes_its_account_from_a_profile(
    command: Any, reach: dict[str, str], profiles: pathlib.Path, run_module: Any, emulator: Any, tmp_path: pathlib.Path
) -> None:
    run_module("cloudn_vm", name="web1", **NEW)
    log = tmp_path / "ansible.log"
    logged = {"ANSIBLE_LOG_PATH": str(log), "ANSIBLE_LOG_VERBOSITY": "4"}
    said: list[str] = []
    for options, more in (({"profile": "prod"}, {}), ({}, {"CLOUDN_PROFILE": "prod"})):
        found = command(environment={**reach, **logged, **more}, **options)
        assert found.hosts.keys() == {"web1"}, found.said
        said.append(found.said)
    profiles.chmod(0o644)
    found = command("-e", "which=prod", environment=reach, profile="{{ which }}", use_extra_vars=True)
    assert found.hosts.keys() == {"web1"}
    # Before 2.19, ansible-core breaks a long warning into lines, also at a hyphen.
    assert "".join(f"cloudn.yml: profile: others can read {profiles},".split()) in "".join(found.said.split())
    variables = {
        "CLOUDSTACK_ENDPOINT": emulator.url,
        "CLOUDSTACK_KEY": emulator.api_key,
        "CLOUDSTACK_SECRET": emulator.api_secret,
    }
    found = command(environment={**UNSET, **logged, **variables})
    assert found.hosts.keys() == {"web1"}, found.said
    said.append(found.said)
    for text in [*said, log.read_text()]:
        assert emulator.api_key not in text
        assert emulator.api_secret not in text


@pytest.mark.parametrize(
    ("profile", "said"),
    [
        ("prdo", "cloudn.yml: profile: there is no section [prdo] in"),
        ("half", "has no secret. Add it there, or give api_secret as an option"),
        ("", "profile: is empty; give a value, or leave the option out"),
        (["prod"], "profile: must be a text"),
    ],
)
def test_a_wrong_profile_ends_the_run_before_anything_is_sent(
    command: Any, profiles: pathlib.Path, emulator: Any, reach: dict[str, str], profile: Any, said: str
) -> None:
    profiles.write_text(f"{profiles.read_text()}[half]\nendpoint = {emulator.url}\nkey = {emulator.api_key}\n")
    emulator.requests.clear()
    found = command(environment=reach, profile=profile)
    assert found.code != 0
    assert said in found.said
    assert emulator.api_key not in found.said
    assert emulator.requests == []


def test_the_cache_tells_profiles_apart(
    command: Any,
    reach: dict[str, str],
    profiles: pathlib.Path,
    run_module: Any,
    run_module_as: Any,
    tmp_path: pathlib.Path,
) -> None:
    run_module("cloudn_vm", name="web1", **NEW)
    cache = tmp_path / "cache"
    options = {"cache": True, "cache_plugin": "ansible.builtin.jsonfile", "cache_connection": str(cache)}
    with run_module_as() as (run_other, other):
        run_other("cloudn_vm", name="db1", **NEW)
        profiles.write_text(profiles.read_text() + section("test", other))
        assert command(environment=reach, profile="prod", **options).hosts.keys() == {"web1"}
        assert command(environment=reach, profile="test", **options).hosts.keys() == {"db1"}
        other.requests.clear()
        assert command(environment=reach, profile="test", **options).hosts.keys() == {"db1"}
        assert other.requests == []
        # The same name for another account.
        profiles.write_text(profiles.read_text().replace("[test]", "[x]").replace("[prod]", "[test]"))
        assert command(environment=reach, profile="test", **options).hosts.keys() == {"web1"}
        kept = "".join(path.read_text() for path in cache.iterdir())
        assert other.api_key not in kept
        assert other.api_secret not in kept
