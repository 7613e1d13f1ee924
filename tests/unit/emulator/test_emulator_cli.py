# Copyright: (c) 2026, the cloudn.compute authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The command line of the emulator, as a program."""

from __future__ import annotations

import contextlib
import json
import pathlib
import re
import shlex
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator

import pytest
import requests
from cloudn_emulator import Emulator
from cloudn_emulator.settings import BadSetting
from cloudn_emulator.signature import sign
from programs import API_KEY, API_SECRET

PROGRAM = [sys.executable, "-m", "cloudn_emulator.cli"]


@contextlib.contextmanager
def running(*options: str) -> Iterator[tuple[subprocess.Popen[str], list[str]]]:
    """Start the program on a free port; give the process and the addresses that its first line names."""
    process = subprocess.Popen(
        [*PROGRAM, "--port", "0", *options], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    try:
        yield process, re.findall(r"http://[^ ]+", process.stdout.readline())
    finally:
        process.kill()
        process.communicate()


def ask(
    url: str,
    command: str,
    key: str = API_KEY,
    secret: str = API_SECRET,
    **params: str,
):
    query = {"command": command, "apikey": key, "response": "json", **params}
    return requests.get(url, params={**query, "signature": sign(query, secret)}, timeout=10)


def ended(*options: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([*PROGRAM, *options], capture_output=True, text=True, timeout=20, check=False)


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_the_program_serves_and_stops_cleanly(number):
    with running("--vms", "3", "--job-seconds", "60") as (process, (url, *_others)):
        assert len(ask(url, "listVirtualMachines").json()["listvirtualmachinesresponse"]["virtualmachine"]) == 3
        process.send_signal(number)
        out, err = process.communicate(timeout=10)
        assert (process.returncode, out, err) == (0, "", "")


def test_options_reach_the_service():
    options = (
        "--api-key",
        "k",
        "--api-secret",
        "secret-of-k",
        "--grant",
        "recoverVirtualMachine",
        "--latency-ms",
        "50",
    )
    with running(*options) as (_process, (url, *_others)):
        assert ask(url, "listZones").status_code == 401
        answer = ask(url, "recoverVirtualMachine", "k", "secret-of-k")
        assert answer.status_code == 431
        assert answer.elapsed.total_seconds() >= 0.05


def test_both_apis_are_served_where_the_first_line_says():
    with running() as (_process, urls):
        assert [url.split("/", 3)[3] for url in urls] == ["client/api", "awsapi"]
        assert ask(urls[0], "listZones").status_code == 200
        answer = requests.get(urls[1], params={"Action": "DescribeInstances"}, timeout=10)
        assert (answer.status_code, "Missing AWSAccessKeyId" in answer.text) == (530, True)


def test_listings_are_held_back_for_each_object():
    with running("--vms", "10", "--list-ms-per-object", "10") as (_process, (url, *_others)):
        assert ask(url, "listVirtualMachines").elapsed.total_seconds() >= 0.1


def test_the_account_can_be_an_administrator():
    with running("--account", "admin") as (_process, (url, *_others)):
        assert ask(url, "recoverVirtualMachine").status_code == 431


def test_the_log_has_a_line_per_request(tmp_path):
    log = tmp_path / "requests.jsonl"
    log.write_text('{"kept": true}\n')
    with running("--log", str(log), "--api-key", "canary") as (_process, (url, *_others)):
        ask(url, "listZones", "canary")
        ask(url, "noSuchCommand", "canary")
        kept, *lines = [json.loads(line) for line in log.read_text().splitlines()]
    assert kept == {"kept": True}
    assert [(line["command"], line["status"]) for line in lines] == [("listZones", 200), ("noSuchCommand", 432)]
    assert lines[0].keys() == {"time", "command", "params", "status", "ms", "connection", "account"}
    assert [line["account"] for line in lines] == ["flatuser", "flatuser"]
    assert (lines[0].get("error"), lines[1]["error"]) == (None, "The given command does not exist")
    assert lines[0]["params"] == {"response": "json"}
    assert "canary" not in log.read_text()


def test_a_port_in_use_is_reported():
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        result = ended("--port", str(port))
    assert result.returncode == 1
    assert result.stdout == ""
    assert len(result.stderr.splitlines()) == 1
    assert f"127.0.0.1:{port}" in result.stderr
    assert "--port" in result.stderr


def test_a_log_that_cannot_be_written_is_an_error(tmp_path):
    result = ended("--port", "0", "--log", str(tmp_path / "no" / "log"))
    assert result.returncode == 1
    assert len(result.stderr.splitlines()) == 1
    assert str(tmp_path / "no" / "log") in result.stderr


@pytest.mark.parametrize(
    "options", [["--port", "x"], ["--vms", "-1"], ["--job-seconds", "nan"], ["--grant", "x"], ["--zone", "a"] * 2]
)
def test_bad_options_are_refused_by_name(options):
    result = ended(*options)
    assert result.returncode == 2
    assert options[0] in result.stderr


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (["--prot", "0"], "--prot: there is no option of this name; do you mean --port?"),
        (["--prot=0"], "--prot: there is no option of this name; do you mean --port?"),
        (["--po", "0"], "--po: there is no option of this name; do you mean --port?"),
        (["--p", "0"], "--p: there is no option of this name; do you mean --port?"),
        (["vars", "--acount", "admin"], "--acount: there is no option of this name; do you mean --account?"),
        (["--port", "0", "--job_seconds", "1"], "--job_seconds: there is no option of this name; do you mean --job-seconds?"),
        (["--neighbor"], "--neighbor: there is no option of this name; do you mean --neighbour?"),
        (["-port", "0"], "-port: there is no option of this name; do you mean --port?"),
        (["--xyzzy-q", "1"], "--xyzzy-q: there is no option of this name; --help shows all options"),
        (["-q"], "-q: there is no option of this name; --help shows all options"),
    ],
)  # fmt: skip
def test_mistyped_and_shortened_options_are_refused_with_the_nearest(options, said):
    result = ended(*options)
    assert (result.returncode, result.stdout) == (2, "")
    assert result.stderr.endswith(f"cloudn-emulator: error: {said}\n")


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (["--clock-ahead", "nan"], "argument --clock-ahead: 'nan' is not a number from -1000000000 to 1000000000"),
        (["--clock-ahead", "-nan"], "argument --clock-ahead: '-nan' is not a number from -1000000000 to 1000000000"),
        (["--clock-ahead", "-1e10"], "argument --clock-ahead: '-1e10' is not a number from -1000000000 to 1000000000"),
        (["--job-seconds", "-1"], "argument --job-seconds: '-1' is not a number from 0 to 1000000000"),
        (["--limit", "instance"], "argument --limit: 'instance': give it the form KIND=N, such as instance=20. KIND is one of instance, ip"),
        (["--limit", "vm=3"], "argument --limit: 'vm=3': give it the form KIND=N, such as instance=20. KIND is one of instance, ip"),
        (["--limit", "ip="], "argument --limit: '' is not a number from 0"),
        (["--zone", ""], "argument --zone: is empty; give one, or leave it out"),
        (["--zone", "a", "--zone", " "], "argument --zone: is empty; give one, or leave it out"),
        (["--api-key", ""], "argument --api-key: is empty; give one, or leave it out"),
        (["--state", ""], "argument --state: is empty; give one, or leave it out"),
        (["--seed", ""], "argument --seed: is empty; give one, or leave it out"),
        (["--ready-file", ""], "argument --ready-file: is empty; give one, or leave it out"),
    ],
    ids=str,
)  # fmt: skip
def test_wrong_values_are_refused_with_what_is_right(options, said):
    result = ended("--port", "0", *[f"{options[0]}={options[1]}", *options[2:]])
    assert (result.returncode, result.stdout) == (2, "")
    assert f"cloudn-emulator: error: {said}" in result.stderr


@pytest.mark.parametrize("settings", [{"api_key": ""}, {"zones": ["a", " "]}], ids=str)
def test_empty_names_are_refused_in_tests_too(settings):
    with pytest.raises(BadSetting, match="is empty; give one, or leave it out"):
        Emulator(**settings)


def test_the_readme_has_a_row_for_every_option():
    readme = (pathlib.Path(__file__).parents[3] / "emulator" / "README.md").read_text()
    rows = {
        name for line in readme.splitlines() if line.startswith("| `--") for name in re.findall("--[a-z0-9-]+", line)
    }
    assert set(re.findall(r"^  (--[a-z0-9-]+)", ended("--help").stdout, re.MULTILINE)) <= rows


def test_a_short_secret_is_refused_and_not_shown():
    result = ended("--port", "0", "--api-secret", "s3cret7")
    assert result.returncode == 2
    assert "error: --api-secret: 7 characters are too few, use at least 8." in result.stderr
    assert "s3cret7" not in result.stderr
    with running("--api-secret", "s3cret88") as (_process, (url, *_others)):
        assert ask(url, "listZones", secret="s3cret88").status_code == 200


def test_a_short_secret_is_refused_in_tests_too():
    with pytest.raises(BadSetting, match=r"^api_secret: 0 characters are too few"):
        Emulator(api_secret="")


def test_vars_name_what_the_neighbour_has():
    names = dict(word.split("=", 1) for word in shlex.split(ended("vars").stdout)[1::2])
    credentials = ("cloudn-emulator-neighbour-key", "cloudn-emulator-neighbour-secret")
    listings = ("VirtualMachines", "Volumes", "Templates", "Snapshots", "SecurityGroups", "AsyncJobs")
    with running("--neighbour") as (_process, (url, *_others)):
        there = "".join(ask(url, f"list{kind}", *credentials, templatefilter="self").text for kind in listings)
    foreign = [name for name in names if name.startswith("foreign")]
    assert len(foreign) == 10
    assert [name for name in foreign if f'"{names[name]}"' not in there] == []


@pytest.mark.parametrize("account", ["user", "admin"])
def test_vars_name_things_that_are_there(account):
    result = ended("vars", "--account", account)
    words = shlex.split(result.stdout)
    assert len(result.stdout.splitlines()) == 1
    assert words[::2] == ["--var"] * 19
    names = dict(word.split("=", 1) for word in words[1::2])
    own = [name for name in names if not name.startswith("foreign")]
    assert ",".join(own) == "zone,template,small,medium,disk,custom,ostype,account,defaultsg"
    with running("--account", account) as (_process, (url, *_others)):
        there = "".join(
            ask(url, command).text
            for command in (
                "listZones",
                "listServiceOfferings",
                "listDiskOfferings",
                "listOsTypes",
                "listSecurityGroups",
            )
        )
    assert all(f'"{names[name]}"' in there for name in own if name != "template")
