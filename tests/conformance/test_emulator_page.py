# Copyright: (c) 2026, the cloudn.compute authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""docs/emulator.md: its examples run, and what it says of the program is so."""

from __future__ import annotations

import json
import os
import pathlib
import re
import shutil
import subprocess
import sys
from typing import Any

import boto_client
import pytest
import requests
import yaml
from cloudn_emulator import Emulator
from cloudn_emulator.catalogue import COMMANDS
from cloudn_emulator.models import Account
from cloudn_emulator.ready import ready_line, urls
from cloudn_emulator.seed_objects import SECTIONS, STATES
from cloudn_emulator.version import version
from programs import with_programs

ROOT = pathlib.Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "emulator.md").read_text()
BLOCKS = re.findall(r"(?ms)^```(\w*)\n(.*?)^```$", PAGE)
CLIENTS = {text.split("\n")[0].removeprefix("# with "): text for kind, text in BLOCKS if text.startswith("# with ")}


def block(kind: str, part: str) -> str:
    """The example of a kind that has this part."""
    (found,) = [text for one, text in BLOCKS if one == kind and part in text]
    return str(found)


def rows_of(first: str) -> list[list[str]]:
    """The cells of the table whose first title begins so."""
    (table,) = re.findall(rf"(?m)^\| {first}[^\n]*\n\| ---[^\n]*\n((?:\|[^\n]*\n)+)", PAGE)
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in table.splitlines()]


# A user's machine has it, and a bare one does not.
needs_curl = pytest.mark.skipif(
    not shutil.which("curl"), reason="the page shows commands of curl, and there is none here"
)


@pytest.fixture
def here(generation: str, monkeypatch: pytest.MonkeyPatch) -> Any:
    """An emulator that the examples reach."""
    with Emulator(generation=generation, job_seconds=0.02) as running:
        for name, value in running.environment.items():
            monkeypatch.setenv(name, value)
        yield running


@pytest.mark.parametrize("client", ["cs", "libcloud"])
def test_the_examples_of_clients_run(client: str, here: Emulator) -> None:
    exec(compile(CLIENTS[client], client, "exec"), {})
    store = here.store
    made = [*store.security_groups.values(), *store.vms.values()]
    assert f"by-{client}" in {one.name for one in made}
    assert client != "cs" or [rule.cidr for rule in store.rules.values()] == ["192.0.2.0/24"]


@pytest.mark.generation("3", reason="CloudStack 4 has no EC2-compatible API")
def test_the_example_of_boto_runs(here: Emulator) -> None:
    found: dict[str, Any] = {}
    assert boto_client.connect  # it has made boto fit for newer Pythons
    exec(compile(CLIENTS["boto"], "boto", "exec"), found)
    assert [vm.id for vm in here.store.vms.values()] == [found["instance"].id]


def test_each_client_has_an_example_or_was_not_tried() -> None:
    rows = {row[0]: row[1:] for row in rows_of("client")}
    assert set(CLIENTS) == {name.split()[0] for name, cells in rows.items() if "not tried" not in cells}


def test_what_terraform_asks_for_is_not_there() -> None:
    (named,) = re.findall(r"does\s+not have commands such as (.*?)\.", PAGE, re.DOTALL)
    commands = re.findall(r"\w+[A-Z]\w+", named)
    assert len(commands) == 5
    assert [name for name in commands if name in COMMANDS] == []


@needs_curl
def test_the_steps_of_a_ci_job_run(tmp_path: pathlib.Path) -> None:
    """Both steps, as a runner does them: what the first one writes into GITHUB_ENV is the environment of the second."""
    start, test = yaml.safe_load(block("yaml", "RUNNER_TEMP"))
    variables = tmp_path / "env"
    environment = {
        **with_programs(os.environ, pathlib.Path(sys.executable).parent),
        "RUNNER_TEMP": str(tmp_path),
        "GITHUB_ENV": str(variables),
    }
    script = f"{start['run']}\nset -a; . {variables}; set +a\n{test['run']}\nkill $!; wait $!"
    ended = subprocess.run(
        ["sh", "-ec", script], env=environment, cwd=tmp_path, capture_output=True, text=True, timeout=120, check=False
    )
    assert ended.returncode == 0, ended.stderr
    assert json.loads(ended.stdout.splitlines()[1])["status"] == "ok"
    assert [line.split("=")[0] for line in variables.read_text().splitlines()] == ["CLOUDN_API_URL", "CLOUDN_EC2_URL"]
    assert not (tmp_path / "emulator").exists()


def test_what_the_page_shows_is_what_the_program_shows(here: Emulator, generation: str) -> None:
    account = Account("flatuser", "", "", 3, api_key=here.api_key)
    assert ready_line("127.0.0.1", 8080, account, 0) + "\n" in [text for _kind, text in BLOCKS]
    shown = "".join(f"{name}={url}\n" for name, url in urls("127.0.0.1", 43121, True).items())
    assert shown in [text for _kind, text in BLOCKS]
    health = requests.get(here.url.replace("/client/api", "/health"), timeout=10).json()
    said = json.loads(block("json", "status"))
    if generation == "4":
        said["generation"] = "4"
        del said["ec2_path"]
    assert health == {**said, "version": version()}


@needs_curl
def test_the_requests_of_the_page_do_what_it_says(here: Emulator) -> None:
    for part in ("/reset", "/_emulator/faults"):
        command = block("sh", part).replace("http://127.0.0.1:8080", here.url.removesuffix("/client/api"))
        subprocess.run(["sh", "-ec", command], check=True, capture_output=True, timeout=30)
    assert requests.get(here.url.replace("/client/api", "/_emulator/faults"), timeout=10).json()[0]["status"] == 503


def test_the_tables_of_the_seed_have_all_sections_and_states() -> None:
    assert [row[0].strip("`") for row in rows_of("section")] == SECTIONS.split()
    (states,) = re.findall(r"A machine may be (.*?)\. No", PAGE, re.DOTALL)
    assert set(re.findall(r"`(\w+)`", states)) == set(STATES)


def test_the_example_of_pytest_runs(tmp_path: pathlib.Path) -> None:
    """With a playbook, in a run of its own."""
    (tmp_path / "test_cleanup.py").write_text(block("python", "test_cleanup.py"))
    (tmp_path / "pytest.ini").write_text("[pytest]\n")
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "-p", "no:xdist", "--strict-markers"]
    environment = with_programs(os.environ, pathlib.Path(sys.executable).parent)
    ended = subprocess.run(
        command, cwd=tmp_path, env=environment, capture_output=True, text=True, timeout=120, check=False
    )
    assert ended.returncode == 0, ended.stdout
