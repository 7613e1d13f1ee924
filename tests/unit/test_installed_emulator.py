# Copyright: (c) 2026, the cloudn.compute authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the emulator has only where it is installed: its version, and the plugin of pytest.

The plugin is tried in runs of pytest of their own: a fresh emulator for each test, settings, errors, and what it costs others.
"""

from __future__ import annotations

import pathlib
import subprocess
import sys
from importlib import resources

import pytest
from cloudn_emulator.version import version

pytest_plugins = "pytester"
CONFIG = """
[pytest]
cloudn_emulator =
    generation="4"
    vms=2
"""
TESTS = """
import os, subprocess, sys
import pytest, requests

URLS = set()

def signed(emulator, command, **params):
    from cloudn_emulator.signature import sign
    query = {"command": command, "apikey": emulator.api_key, "response": "json", **params}
    return requests.get(emulator.url, params={**query, "signature": sign(query, emulator.api_secret)}, timeout=20)

def test_first(cloudn_emulator):
    URLS.add(cloudn_emulator.url)
    assert cloudn_emulator.settings.generation == "4" and len(cloudn_emulator.store.vms) == 2
    assert signed(cloudn_emulator, "createSecurityGroup", name="mine").status_code == 200
    cloudn_emulator.faults([{"kind": "status", "command": "listZones"}])
    assert [entry["command"] for entry in cloudn_emulator.requests] == ["createSecurityGroup"]
    assert cloudn_emulator.environment["CLOUDN_API_URL"] == cloudn_emulator.url

def test_second_finds_nothing_of_the_first(cloudn_emulator):
    assert cloudn_emulator.url in URLS and cloudn_emulator.requests == []
    assert "mine" not in [group.name for group in cloudn_emulator.store.security_groups.values()]
    assert signed(cloudn_emulator, "listZones").status_code == 200

@pytest.mark.cloudn_emulator(generation="3", vms=0, seed="seed.yml", faults=[{"kind": "status", "command": "listVolumes"}])
class TestOther:
    def test_of_the_marker(self, cloudn_emulator):
        assert cloudn_emulator.url not in URLS
        assert [vm.name for vm in cloudn_emulator.store.vms.values()] == ["seeded"]
        assert signed(cloudn_emulator, "listVolumes").status_code == 503

    @pytest.mark.cloudn_emulator(seed={"vms": []})
    def test_of_the_nearest_marker(self, cloudn_emulator):
        assert len(cloudn_emulator.store.vms) == 0 and cloudn_emulator.settings.generation == "3"

def test_one_that_stops_it(cloudn_emulator):
    assert cloudn_emulator.url in URLS
    cloudn_emulator.stop()

def test_the_next_has_another_one(cloudn_emulator):
    assert signed(cloudn_emulator, "listZones").status_code == 200
"""
SEED = """
vms:
  - {name: seeded, zone: jp-e1a, template: CentOS 6.2 64bit, service_offering: v1}
"""
WRONG = """
import pytest

@pytest.mark.cloudn_emulator(vsm=2)
def test_name(cloudn_emulator):
    pass

@pytest.mark.cloudn_emulator(2)
def test_without_name(cloudn_emulator):
    pass

@pytest.mark.cloudn_emulator(api_secret="short")
def test_value(cloudn_emulator):
    pass

@pytest.mark.cloudn_emulator(seed={"vms": [{"name": 3}]})
def test_seed(cloudn_emulator):
    pass

@pytest.mark.cloudn_emulator(seed="none.yml")
def test_file(cloudn_emulator):
    pass
"""


# It runs first: nothing has asked for the fixture yet.
WITHOUT = """
import sys

def test_a_run_without_the_fixture_does_not_import_the_emulator():
    assert "cloudn_emulator.pytest_plugin" in sys.modules
    assert not {"aiohttp", "yaml", "cloudn_emulator.emulator"} & set(sys.modules)
"""


def test_each_test_gets_a_fresh_emulator_with_its_settings(tmp_path: pathlib.Path) -> None:
    (tmp_path / "pytest.ini").write_text(CONFIG)
    (tmp_path / "seed.yml").write_text(SEED)
    (tmp_path / "test_a.py").write_text(WITHOUT)
    (tmp_path / "test_it.py").write_text(TESTS)
    others = ["-p", "no:xdist", "-p", "no:hypothesispytest", "-p", "no:cacheprovider"]
    command = [sys.executable, "-m", "pytest", *others, "--strict-markers", "-rA"]
    ended = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, timeout=120, check=False)
    assert "7 passed" in ended.stdout.splitlines()[-1], ended.stdout


def test_wrong_settings_are_told_in_one_line(pytester: pytest.Pytester) -> None:
    pytester.makepyfile(WRONG)
    ended = pytester.runpytest_inprocess("-p", "no:cacheprovider")
    ended.assert_outcomes(errors=5)
    for said in (
        "cloudn_emulator: vsm: there is no such setting; do you mean vms?",
        "cloudn_emulator: the marker cloudn_emulator takes settings by name, such as cloudn_emulator(vms=3)",
        "cloudn_emulator: api_secret: 5 characters are too few",
        "cloudn_emulator: vms[0].name: 3 is a number; write it as a text: '3'",
        f"cloudn_emulator: {pytester.path / 'none.yml'}: No such file or directory",
    ):
        assert said in ended.stdout.str()
    assert "pytest_plugin.py" not in ended.stdout.str()


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("vms", "'vms' in the configuration is not NAME=VALUE, such as generation='4'"),
        ("vms=[", "the value of vms in the configuration is not YAML: ["),
    ],
)
def test_wrong_lines_of_the_configuration_are_told(line: str, said: str, pytester: pytest.Pytester) -> None:
    pytester.makeini(f"[pytest]\ncloudn_emulator =\n    {line}\n")
    pytester.makepyfile("def test_it(cloudn_emulator): pass\n")
    assert f"cloudn_emulator: {said}" in pytester.runpytest_inprocess("-p", "no:cacheprovider").stdout.str()


def test_the_package_shows_its_types() -> None:
    assert resources.files("cloudn_emulator").joinpath("py.typed").is_file()


def test_the_program_tells_its_version() -> None:
    told = subprocess.run(
        [sys.executable, "-m", "cloudn_emulator", "--version"], capture_output=True, text=True, check=True
    )
    assert told.stdout == f"cloudn-emulator {version()}\n"
    assert version() in (pathlib.Path(__file__).parents[2] / "emulator" / "pyproject.toml").read_text()
