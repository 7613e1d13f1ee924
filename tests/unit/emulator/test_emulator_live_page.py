# Copyright: (c) 2026, the cloudn.compute authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The page of the emulator without a browser: who gets it, what its stream tells, and that it tells no secret."""

from __future__ import annotations

import base64
import contextlib
import json
import pathlib
import socket
import threading
import time
from collections.abc import Iterator
from typing import Any

import pytest
import requests
from cloudn_emulator import Emulator, seed
from cloudn_emulator.models import Rule
from cloudn_emulator.page import recent, routes, views, watch
from waiting import soon

FILES = ("/", "/_emulator/page/page.css", "/_emulator/page/page.js", "/_emulator/page/icon.svg")
STREAM = "/_emulator/page/changes"
OPENED = {"Sec-Fetch-Mode": "navigate", "Sec-Fetch-Dest": "document"}


class Stream:
    """A page's connection to an emulator: what it was told, put together."""

    def __init__(self, emulator: Emulator, last: str = "") -> None:
        self.address = ("127.0.0.1", emulator.port)
        self.rows: dict[str, dict[str, Any]] = {}
        self.messages: list[dict[str, Any]] = []
        self.text = ""
        self.last = last

    def __enter__(self) -> Stream:
        headers = {"Last-Event-ID": self.last} if self.last else {}
        host, port = self.address
        self.answer = requests.get(f"http://{host}:{port}{STREAM}", headers=headers, stream=True, timeout=30)
        assert self.answer.status_code == 200
        assert self.answer.headers["Content-Type"] == "text/event-stream"
        self.reader = threading.Thread(target=self._read, daemon=True)
        self.reader.start()
        return self

    def _read(self) -> None:
        with contextlib.suppress(requests.RequestException, OSError, AttributeError, ValueError):
            for line in self.answer.iter_lines(chunk_size=None):
                self.take(line.decode())

    def take(self, line: str) -> None:
        self.text += line
        name, _colon, value = line.partition(": ")
        if name == "id":
            self._id = value
        if name == "data":
            message = json.loads(value)
            if "about" in message:
                self.rows.clear()
            for kind, told in message["set"].items():
                self.rows.setdefault(kind, {}).update(told)
            for kind, ids in message["gone"].items():
                for id in ids:
                    del self.rows[kind][id]
            self.messages.append(message)
            if not message["more"]:
                self.last = self._id

    def of(self, table: str) -> list[dict[str, Any]]:
        return list(self.rows.get(table, {}).values())

    def has(self, table: str, **fields: Any) -> bool:
        """Whether there soon is an object with these fields."""
        return soon(lambda: any(fields.items() <= row.items() for row in self.of(table)))

    def __exit__(self, *failure: object) -> None:
        with contextlib.suppress(OSError, AttributeError):
            self.answer.raw.connection.sock.shutdown(socket.SHUT_RDWR)
        self.reader.join(5)


def get(emulator: Emulator, path: str, **headers: str) -> requests.Response:
    return requests.get(
        f"http://127.0.0.1:{emulator.port}{path}",
        headers={name.replace("_", "-"): value for name, value in headers.items()},
        timeout=10,
        stream=path == STREAM,
    )


@pytest.fixture(scope="module", params=["3", "4"])
def shared(request: pytest.FixtureRequest) -> Iterator[Emulator]:
    """An emulator for tests that change nothing."""
    with Emulator(generation=request.param, vms=5, neighbour=True) as running:
        yield running


# --- who gets it


@pytest.mark.parametrize("path", [*FILES, STREAM])
def test_each_answer_of_the_page_forbids_what_it_does_not_need(shared: Emulator, path: str) -> None:
    answer = get(shared, path)
    assert answer.status_code == 200
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    assert answer.headers["Cache-Control"] == "no-store"
    assert answer.headers["Cross-Origin-Resource-Policy"] == "same-origin"
    policy = answer.headers["Content-Security-Policy"]
    rules = dict(rule.split(" ", 1) for rule in policy.split("; "))
    assert rules["default-src"] == rules["frame-ancestors"] == rules["base-uri"] == rules["form-action"] == "'none'"
    assert {value for name, value in rules.items() if name.endswith("-src") and name != "default-src"} == {"'self'"}
    answer.close()


def test_the_page_is_made_of_files_of_its_own(shared: Emulator) -> None:
    """No file names another host, and no file has code in it that the policy would have to let in."""
    page = get(shared, "/").text
    assert "style=" not in page and "<style" not in page and "onclick" not in page
    served = {path.name for path in routes.files("cloudn_emulator.page").joinpath("assets").iterdir()}
    for name in served - {"page.html"}:
        text = get(shared, f"/_emulator/page/{name}").text
        addresses = {word for word in text.split() if "//" in word and "://" in word}
        allowed = ("www.gnu.org/licenses", "www.w3.org/2000/svg")  # a licence, and the name of a language
        assert all(any(one in word for one in allowed) or "${location.origin}" in word for word in addresses), addresses
    assert "innerHTML" not in "".join(get(shared, f"/_emulator/page/{name}").text for name in served if "js" in name)


@pytest.mark.parametrize("path", [*FILES, STREAM])
@pytest.mark.parametrize(
    "headers",
    [
        {"Host": "evil.example"},
        {"Host": "evil.example", **OPENED},
        {"Origin": "https://evil.example", **OPENED},
        {"Sec-Fetch-Site": "cross-site", "Sec-Fetch-Mode": "no-cors", "Sec-Fetch-Dest": "script"},
        {"Sec-Fetch-Site": "cross-site", "Sec-Fetch-Mode": "navigate", "Sec-Fetch-Dest": "iframe"},
        {"Referer": "https://evil.example/", "Sec-Fetch-Mode": "cors", "Sec-Fetch-Dest": "empty"},
    ],
    ids=str,
)
def test_pages_of_other_hosts_get_nothing(shared: Emulator, path: str, headers: dict[str, str]) -> None:
    assert get(shared, path, **headers).status_code == 403


def test_a_link_on_another_site_opens_the_page_and_nothing_else(shared: Emulator) -> None:
    link = {"Sec-Fetch-Site": "cross-site", "Referer": "https://docs.example/", **OPENED}
    assert get(shared, "/", **link).status_code == 200
    for path in ("/client/api", STREAM, "/_emulator/faults", "/_emulator/page/page.js"):
        assert get(shared, path, **link).status_code == 403
    assert requests.post(f"http://127.0.0.1:{shared.port}/", headers=link, timeout=10).status_code == 403


@pytest.mark.parametrize("path", [*FILES, STREAM])
@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "PATCH"])
def test_the_page_takes_no_changes(shared: Emulator, path: str, method: str) -> None:
    assert requests.request(method, f"http://127.0.0.1:{shared.port}{path}", timeout=10).status_code == 405


# --- what it tells


def test_the_stream_tells_all_and_then_each_change(emulate: Any) -> None:
    for generation in ("3", "4"):
        api = emulate(generation=generation, job_seconds=0.2)
        with Stream(api.emulator) as page:
            assert page.has("account", name="flatuser", own=True, kind="plain")
            assert page.messages[0]["about"]["generation"] == generation
            api.deploy("web1")
            assert page.has("job", state="under way", about="web1")
            assert page.has("vm", name="web1", state="Running", zone="jp-e1a", plan="vQ", account="flatuser")
            assert page.has("volume", kind="root", vm="web1", device=0, state="Ready")
            assert page.has("job", state="done", about="web1")
            assert page.has("request", command="deployVirtualMachine", status=200, account="flatuser", error="")
            api.emulator.store.expunge(api.emulator.store.vms[next(iter(page.rows["vm"]))])
            assert soon(lambda: not page.rows["vm"] and not page.rows["volume"])
            assert sum("about" in message for message in page.messages) == 1


def test_a_failed_request_and_a_failed_job_are_told_with_their_errors(emulate: Any) -> None:
    for generation in ("3", "4"):
        fault = {"kind": "job_fails", "command": "deployVirtualMachine"}
        api = emulate(generation=generation, job_seconds=0.02, faults=[fault])
        assert api.raw("deployVirtualMachine", zoneid="nowhere").status_code == 431
        requests.get(api.emulator.url, params={"command": "listZones", "apikey": "x"}, timeout=10)
        id = api.deploy("web1")
        with Stream(api.emulator) as page:
            assert page.has("request", command="deployVirtualMachine", status=431, account="flatuser")
            (failed,) = (row for row in page.of("request") if row["status"] == 431)
            assert "nowhere" in failed["error"] and "zoneid=nowhere" in failed["params"]
            assert page.has("request", command="listZones", status=401, account=None)
            assert page.has("job", state="failed", about="web1")
            assert next(row for row in page.of("job") if row["state"] == "failed")["error"]
            assert page.rows["vm"][id]["state"] == "Error"


def test_errors_of_the_other_api_and_faults_are_told(emulate: Any, ec2_of: Any) -> None:
    api = emulate(faults=[{"kind": "status", "command": "listZones"}, {"kind": "close", "command": "listVolumes"}])
    assert ec2_of(api).raw("DescribeInstances", {"InstanceId.1": "none"}).status_code == 500
    assert api.raw("listZones").status_code == 503
    with pytest.raises(requests.ConnectionError):
        api.raw("listVolumes")
    with Stream(api.emulator) as page:
        assert page.has("request", command="DescribeInstances", status=500, account="flatuser")
        assert page.has("request", command="listZones", status=503, fault="status")
        assert page.has("request", command="listVolumes", status=0, fault="close")
        assert next(row for row in page.of("request") if row["status"] == 500)["error"]


def test_only_the_newest_requests_and_jobs_are_told(emulate: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(recent, "KEPT", 6)
    monkeypatch.setattr(views, "ENDED_JOBS", 3)
    api = emulate(job_seconds=0.001)
    group = api("createSecurityGroup", name="g")["securitygroup"]["id"]
    rule = {"protocol": "tcp", "cidrlist": "192.0.2.0/24", "securitygroupid": group}
    jobs = []
    for port in range(1, 6):
        jobs.append(api("authorizeSecurityGroupIngress", **rule, startport=port, endport=port)["jobid"])
        api.wait(jobs[-1])
    for number in range(10):
        api("listZones", whatever=number)
    with Stream(api.emulator) as page:
        soon(lambda: page.last)
        assert [row["params"] for row in page.of("request")] == [f"whatever={number}" for number in range(4, 10)]
        assert set(page.rows["job"]) == set(jobs[2:])


def test_a_page_that_comes_back_is_told_what_it_missed(emulate: Any) -> None:
    api = emulate(job_seconds=0.01, vms=20)
    with Stream(api.emulator) as first:
        soon(lambda: first.last)
    api("createSecurityGroup", name="late")
    with Stream(api.emulator, first.last) as second:
        assert second.has("group", name="late")
        assert "vm" not in second.rows and "about" not in second.messages[0]
    with Stream(api.emulator, "another-start 1") as third:
        assert third.has("group", name="late")
        assert len(third.rows["vm"]) == 20
    answer = requests.get(
        f"http://127.0.0.1:{api.emulator.port}{STREAM}", params={"since": first.last}, stream=True, timeout=10
    )
    assert b"late" in next(line for line in answer.iter_lines(chunk_size=1) if line.startswith(b"data"))
    answer.close()


@pytest.mark.parametrize(
    "last", ["x", "{start}", "{start} -1", "{start} ²", "{start} 99999999999999999999999", "{start} 1e3"]
)
def test_a_wrong_place_to_go_on_from_means_all(emulate: Any, last: str) -> None:
    emulator = emulate(vms=1).emulator
    start = emulator._service.page._start
    with Stream(emulator, last.format(start=start).encode().decode("latin-1")) as page:
        assert page.has("account", name="flatuser")


def test_another_store_is_told_instead_of_the_one_before(emulate: Any) -> None:
    """What resets the emulator puts another store in the place of the one that was."""
    api = emulate(vms=3)
    emulator = api.emulator
    api("listZones")
    with Stream(emulator) as page:
        assert soon(lambda: len(page.of("vm")) == 3 and len(page.of("request")) == 1)
        emulator.settings.vms = 1
        emulator._service.store = seed.seeded(emulator.settings)
        emulator._service.recent.clear()
        assert soon(lambda: len(page.of("vm")) == 1 and not page.of("request"))
        requests.get(emulator.url, params={"command": "listHosts"}, timeout=10)
        assert page.has("request", command="listHosts")
        assert len(page.of("request")) == 1


def test_one_change_among_a_thousand_machines_is_a_small_message(emulate: Any) -> None:
    api = emulate(vms=1000, job_seconds=0.01)
    with Stream(api.emulator) as page:
        assert soon(lambda: len(page.of("vm")) == 1000 and not page.messages[-1]["more"])
        before = len(page.messages)
        api("updateVirtualMachine", id=next(iter(page.rows["vm"])), displayname="renamed")
        assert page.has("vm", shown="renamed")
        assert len(json.dumps(page.messages[before:])) < 5000


# --- what it costs


def test_nobody_looks_while_no_page_is_open(emulate: Any) -> None:
    api = emulate(vms=3)
    looking = api.emulator._service.page.watch
    api("listZones")
    assert looking.looks == 0
    with Stream(api.emulator) as page:
        soon(lambda: page.last)
    assert soon(lambda: looking.watchers == 0)
    looks = looking.looks
    for _time in range(5):
        api("listZones")
        time.sleep(0.05)
    assert looking.looks == looks


def test_looking_takes_a_small_share_of_the_time(monkeypatch: pytest.MonkeyPatch) -> None:
    """After a look that took long, the next one waits. The clock is not a real one."""
    import asyncio

    from cloudn_emulator.page import Recent
    from cloudn_emulator.settings import Settings

    moment, pauses = 0.0, []

    async def pause(seconds: float) -> None:
        if seconds:  # the others get a turn between two slices
            pauses.append(seconds)
        if len(pauses) == 3:
            raise asyncio.CancelledError

    class Slow(watch.Watch):
        async def look(self) -> None:
            nonlocal moment
            moment += 2.0

        def _is_busy(self) -> bool:
            return True

    store = seed.seeded(Settings())
    monkeypatch.setattr(watch.asyncio, "sleep", pause)
    with pytest.raises(asyncio.CancelledError):
        asyncio.run(Slow(lambda: store, Recent(), lambda: moment)._look_again())
    assert pauses == [2.0 / watch.SHARE] * 3


def test_what_is_gone_is_forgotten_in_the_end(emulate: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """A page that was away for too long is told all."""
    monkeypatch.setattr(watch, "MOST_GONE", 3)
    api = emulate()
    with Stream(api.emulator) as page:
        soon(lambda: page.last)
        away = page.last
        for number in range(6):
            id = api("createSecurityGroup", name=f"g{number}")["securitygroup"]["id"]
            assert page.has("group", name=f"g{number}")
            api("deleteSecurityGroup", id=id)
            assert soon(lambda: id not in page.rows["group"])  # noqa: B023
        assert len(api.emulator._service.page.watch._revisions) < 30
    with Stream(api.emulator, away) as back:
        assert back.has("account", name="flatuser")
        assert "about" in back.messages[0]


def test_only_so_many_pages_may_be_open(emulate: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(routes, "MOST_WATCHERS", 2)
    api = emulate()
    with Stream(api.emulator), Stream(api.emulator):
        refused = get(api.emulator, STREAM)
        assert refused.status_code == 503 and "2 pages are open" in refused.text
    assert soon(lambda: get(api.emulator, STREAM).status_code == 200)


def test_an_emulator_stops_at_once_though_a_page_is_open() -> None:
    emulator = Emulator(vms=1).start()
    with Stream(emulator) as page:
        soon(lambda: page.last)
        stopping = threading.Thread(target=emulator.stop)
        stopping.start()
        page.reader.join(10)  # the stream ends
        assert not page.reader.is_alive()
        stopping.join(10)
        assert not stopping.is_alive()


# --- what it does not tell


def test_no_secret_is_told(emulate: Any) -> None:
    for generation in ("3", "4"):
        api = emulate(generation=generation, neighbour=True, job_seconds=0.02)
        data = base64.b64encode(b"#!/bin/sh secret user data").decode()
        pair = api("createSSHKeyPair", name="pair")["keypair"]
        running = api.running("web1", keypair="pair", userdata=data)
        password = running["password"]
        tags = {"resourceids": running["id"], "resourcetype": "UserVm"}
        tags = {**tags, "tags[0].key": "db_password", "tags[0].value": "tag-secret-1", "tags[1].key": "env"}
        api.job("createTags", **{**tags, "tags[1].value": "prod"})
        api.raw("noSuchCommand", password="asked-secret-2")
        api.raw("deployVirtualMachine", zoneid=api.emulator.api_secret, userdata="broken user data")
        with Stream(api.emulator) as page:
            assert page.has("vm", name="web1", state="Running")
            assert page.has("request", command="noSuchCommand")
            (vm,) = (row for row in page.of("vm") if row["name"] == "web1")
            assert "env=prod" in vm["tags"] and "db_password=(hidden)" in vm["tags"]
            secrets = [data, "broken user data", "tag-secret-1", "asked-secret-2", password]
            secrets += [one.api_secret for one in api.emulator.store.accounts.values() if one.api_secret]
            secrets += [api.emulator.api_key, seed.NEIGHBOUR_KEY, pair["privatekey"].splitlines()[1], "PRIVATE KEY"]
            assert [secret for secret in secrets if secret in page.text] == []


# --- how rules are told


@pytest.mark.parametrize(
    ("protocol", "start", "end", "said"),
    [
        ("tcp", 22, 22, "22"),
        ("tcp", 8000, 8010, "8000-8010"),
        ("tcp", 0, 0, ""),
        ("udp", 1, 65535, ""),
        ("icmp", -1, -1, ""),
        ("icmp", 8, 0, "type 8 code 0"),
        ("icmp", 8, -1, "type 8"),
        ("47", 0, 0, ""),
    ],
)
def test_ports_are_told_as_people_write_them(protocol: str, start: int, end: int, said: str) -> None:
    assert views.ports(Rule("id", "group", "ingress", protocol, start, end)) == said


def test_rules_name_their_groups_also_those_of_other_accounts_and_those_that_are_gone(emulate: Any) -> None:
    emulator = emulate(neighbour=True).emulator
    store = emulator.store
    group = store.security_group_named("default", "flatuser")
    for number, peer in enumerate((seed.NEIGHBOUR["sg"], "gone", group.id)):
        store.add_rule(Rule(f"r{number}", group.id, "ingress", "tcp", 1, 1, source_id=peer))
    store.add_rule(Rule("out", group.id, "egress", "udp", 53, 53, "198.51.100.0/24"))
    with Stream(emulator) as page:
        soon(lambda: page.last)
        foreign, gone, own, out = page.rows["group"][group.id]["rules"]
    assert (foreign["peer"], foreign["owner"], foreign["group"]) == (
        "neighbour-group",
        "neighbour",
        seed.NEIGHBOUR["sg"],
    )
    assert (gone["peer"], gone["group"]) == ("", "gone")
    assert (own["peer"], own["group"]) == ("default", group.id)
    assert (out["peer"], out["out"], out["ports"], out["group"]) == ("198.51.100.0/24", True, "53", "")


def test_what_a_page_is_told_is_in_the_file_of_the_state(emulate: Any, tmp_path: pathlib.Path) -> None:
    """Also what no request and no job has changed, so that nothing else keeps it."""
    path = tmp_path / "state"
    emulator = emulate(state=path, vms=1).emulator
    with Stream(emulator) as page:
        soon(lambda: page.rows.get("vm"))
        (vm,) = emulator.store.vms.values()
        vm.displayname = "renamed-by-hand"
        soon(lambda: "renamed-by-hand" in page.text)
        kept = b"".join(one.read_bytes() for one in tmp_path.iterdir())
    assert b"renamed-by-hand" in kept
