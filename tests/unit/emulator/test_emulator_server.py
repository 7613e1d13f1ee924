# Copyright: (c) 2026, the cloudn.compute authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The emulator as a server: web pages can't drive it, no request crashes it or holds up others, its log has no secret."""

from __future__ import annotations

import contextlib
import json
import logging
import pathlib
import random
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from typing import Any

import pytest
import requests
from cloudn_emulator import Emulator
from cloudn_emulator.settings import BadSetting
from cloudn_emulator.signature import sign

FORM = "application/x-www-form-urlencoded"
FAULTS = "/_emulator/faults"
PATHS = ("/client/api", "/awsapi", "/awsapi/rest/AmazonEC2", FAULTS, "/health", "/reset", "/nowhere")


@pytest.fixture(scope="module", params=["3", "4"])
def service(request: pytest.FixtureRequest) -> Iterator[Emulator]:
    """An emulator for many tests, with some machines."""
    with Emulator(generation=request.param, job_seconds=0.01, vms=3, neighbour=True) as running:
        yield running


@pytest.fixture
def complaints() -> Iterator[list[str]]:
    """What the emulator's own code reports of errors that it did not expect."""
    found: list[str] = []

    class Keep(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            found.append(self.format(record))

    keep = Keep()
    log = logging.getLogger("cloudn_emulator")
    log.addHandler(keep)
    yield found
    log.removeHandler(keep)


def signed(emulator: Emulator, command: str, **params: str) -> dict[str, str]:
    query = {"command": command, "apikey": emulator.api_key, "response": "json", **params}
    return {**query, "signature": sign(query, emulator.api_secret)}


def create(emulator: Emulator, name: str, **headers: str) -> requests.Response:
    """Make a security group by a signed request with these headers."""
    headers = {key.replace("_", "-"): value for key, value in headers.items()}
    return requests.get(
        emulator.url, params=signed(emulator, "createSecurityGroup", name=name), headers=headers, timeout=10
    )


def has_group(emulator: Emulator, name: str) -> bool:
    return any(group.name == name for group in emulator.store.security_groups.values())


def said(emulator: Emulator, text: bytes, seconds: float = 10) -> bytes:
    """Send bytes, and return all that comes back until the server closes the connection."""
    with socket.create_connection(("127.0.0.1", emulator.port), timeout=seconds) as connection:
        connection.sendall(text)
        answer = b""
        with contextlib.suppress(OSError):
            while more := connection.recv(65536):
                answer += more
        return answer


# Web pages


@pytest.mark.parametrize(
    "host",
    [
        "localhost",
        "LOCALHOST:1",
        "localhost.:80",
        "x.localhost",
        "127.0.0.1",
        "127.0.0.1:65535",
        "127.8.9.10",
        "[::1]",
        "[::1]:80",
        "[0:0:0:0:0:0:0:1]",
        "[::ffff:127.0.0.1]",
        "0.0.0.0:80",
        "[::]",
    ],
)
def test_requests_for_this_machine_are_done(service: Emulator, host: str) -> None:
    assert create(service, f"for {host}", Host=host).status_code == 200
    assert has_group(service, f"for {host}")


FOREIGN = [
    "evil.example",
    "evil.example:8080",
    "localhost.evil.example",
    "127.0.0.1.evil.example",
    "evil-localhost",
    "localhost@evil.example",
    "evil.example@localhost",
    "localhost evil.example",
    "localhost,evil.example",
    "evil.example#localhost",
    "localhost/evil.example",
    "10.0.0.1",
    "128.0.0.1",
    "[fe80::1]",
    "[::ffff:10.0.0.1]",
    "[localhost]x",
    "localhost:80:80",
    "localhost:evil",
    "ⓛocalhost".encode().decode("latin-1"),
    "",
]


@pytest.mark.parametrize("host", FOREIGN)
def test_requests_for_another_host_are_refused(service: Emulator, host: str) -> None:
    """A page of this name that leads to this machine could send them."""
    emulator, before = service, len(service.requests)
    assert create(emulator, "foreign", Host=host).status_code in (400, 403)
    for path in PATHS:
        for method in ("GET", "POST", "PUT", "OPTIONS"):
            answer = requests.request(
                method, f"http://127.0.0.1:{emulator.port}{path}", headers={"Host": host}, data="[]", timeout=10
            )
            assert answer.status_code in (400, 403), (method, path)
            assert "Access-Control-Allow-Origin" not in answer.headers
    assert not has_group(emulator, "foreign")
    assert len(emulator.requests) == before


def test_two_hosts_or_a_foreign_target_are_refused(service: Emulator) -> None:
    query = "&".join(f"{name}={value}" for name, value in signed(service, "createSecurityGroup", name="twice").items())
    query = query.replace("+", "%2B").replace("==", "%3D%3D")
    two = f"GET /client/api?{query} HTTP/1.1\r\nHost: localhost\r\nHost: evil.example\r\nConnection: close\r\n\r\n"
    target = f"GET http://evil.example/client/api?{query} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n"
    for text in (two, target):
        assert said(service, text.encode()).split()[1] in (b"400", b"403")
    assert not has_group(service, "twice")


@pytest.mark.parametrize(
    "origin", ["http://localhost:3000", "https://127.0.0.1", "http://[::1]:80", "HTTP://LOCALHOST"]
)
def test_pages_of_this_machine_may_ask(service: Emulator, origin: str) -> None:
    assert create(service, f"from {origin}", Origin=origin).status_code == 200


@pytest.mark.parametrize(
    "headers",
    [
        *({"Origin": f"http://{host}"} for host in FOREIGN if host.isascii()),
        {"Origin": "https://evil.example"},
        {"Origin": "null"},
        {"Origin": "file://"},
        {"Origin": "localhost"},
        {"Origin": "chrome-extension://localhost"},
        {"Origin": "http://localhost, http://evil.example"},
        {"Origin": "http://localhost http://evil.example"},
        {"Referer": "https://evil.example/page"},
        {"Referer": "evil.example"},
        {"Sec_Fetch_Site": "cross-site"},
        {"Sec_Fetch_Site": "Cross-Site", "Sec_Fetch_Mode": "no-cors", "Sec_Fetch_Dest": "image"},
    ],
    ids=str,
)
def test_pages_of_other_hosts_are_refused(service: Emulator, headers: dict[str, str]) -> None:
    answer = create(service, "from a page", **headers)
    assert answer.status_code == 403
    assert "--allow-host" in answer.text
    assert not has_group(service, "from a page")
    assert requests.put(
        f"http://127.0.0.1:{service.port}{FAULTS}",
        data="[{kind: close}]",
        headers={name.replace("_", "-"): value for name, value in headers.items()},
        timeout=10,
    ).status_code == 403  # fmt: skip
    assert create(service, f"after {headers}").status_code == 200


def test_hosts_can_be_allowed() -> None:
    with Emulator(allowed_hosts=["Emulator", "10.1.2.3", "fd00::1"]) as emulator:
        for host in ("emulator:8080", "EMULATOR.", "10.1.2.3", "[fd00::1]:80"):
            assert create(emulator, f"for {host}", Host=host).status_code == 200
            assert create(emulator, f"from {host}", Origin=f"http://{host}").status_code == 200
        assert create(emulator, "no", Host="other").status_code == 403


@pytest.mark.parametrize("host", ["", "http://x", "x:80", "[::1]:80", "a b", "*", "x/y"])
def test_what_is_no_host_can_t_be_allowed(host: str) -> None:
    with pytest.raises(BadSetting, match="allowed_hosts: "):
        Emulator(allowed_hosts=[host])
    program = [sys.executable, "-m", "cloudn_emulator.cli", "--port", "0", f"--allow-host={host}"]
    done = subprocess.run(program, capture_output=True, text=True, timeout=20, check=False)
    assert done.returncode == 2
    assert "--allow-host" in done.stderr and "no name and no address of a host" in done.stderr


@contextlib.contextmanager
def program(*options: str) -> Iterator[tuple[subprocess.Popen[str], int]]:
    """The emulator as a program; gives it and its port."""
    process = subprocess.Popen(
        [sys.executable, "-m", "cloudn_emulator.cli", "--port", "0", *options],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        assert process.stdout is not None
        yield process, int(process.stdout.readline().split("/client/api")[0].rpartition(":")[2])
    finally:
        process.kill()
        process.communicate()


def test_the_program_takes_the_address_that_it_listens_on_and_allowed_hosts() -> None:
    with program("--host", "0.0.0.0", "--allow-host", "emulator") as (_process, port):

        def status(host: str, address: str = "127.0.0.1") -> int:
            answer = requests.get(f"http://{address}:{port}/client/api", headers={"Host": host}, timeout=10)
            return answer.status_code

        assert [status(host) for host in ("localhost", "emulator", "0.0.0.0")] == [432, 432, 432]
        assert status("evil.example") == status("192.0.2.1") == 403
        with contextlib.suppress(socket.gaierror):  # not every machine knows its own name
            own = socket.gethostbyname(socket.gethostname())
            assert status(f"{own}:{port}", own) == 432


# Large bodies


@pytest.mark.parametrize("path", ["/client/api", "/client/api/", FAULTS])
@pytest.mark.parametrize("more", ["", "Expect: 100-continue\r\n"])
def test_a_large_body_is_refused_before_it_is_read(service: Emulator, path: str, more: str) -> None:
    method = "PUT" if path == FAULTS else "POST"
    head = f"{method} {path} HTTP/1.1\r\nHost: localhost\r\nContent-Type: {FORM}\r\nContent-Length: 999999999999\r\n"
    with socket.create_connection(("127.0.0.1", service.port), timeout=10) as connection:
        connection.sendall(f"{head}{more}\r\n".encode())  # and not one byte of the body
        answer = connection.recv(65536)
    assert answer.split()[1] in (b"413", b"404"), answer


@pytest.mark.parametrize("path", ["/client/api", FAULTS])
def test_a_body_without_end_is_refused(service: Emulator, path: str) -> None:
    method = "PUT" if path == FAULTS else "POST"
    head = f"{method} {path} HTTP/1.1\r\nHost: localhost\r\nContent-Type: {FORM}\r\nTransfer-Encoding: chunked\r\n\r\n"
    chunk = b"10000\r\n" + b"a" * 65536 + b"\r\n"
    with socket.create_connection(("127.0.0.1", service.port), timeout=10) as connection:
        connection.sendall(head.encode() + chunk * 40)
        assert connection.recv(65536).split()[1] in (b"413", b"404")


def test_a_small_body_is_read_after_the_client_was_told_to_go_on(service: Emulator) -> None:
    head = f"POST /client/api HTTP/1.1\r\nHost: localhost\r\nContent-Type: {FORM}\r\nContent-Length: 17\r\n"
    with socket.create_connection(("127.0.0.1", service.port), timeout=10) as connection:
        connection.sendall(f"{head}Expect: 100-continue\r\nConnection: close\r\n\r\n".encode())
        assert connection.recv(65536).startswith(b"HTTP/1.1 100")
        connection.sendall(b"command=listZones")
        assert connection.recv(65536).split()[1] == b"401"


def test_too_many_parameters_are_refused(service: Emulator) -> None:
    query = {**signed(service, "createSecurityGroup", name="many"), **{f"a{n}": "" for n in range(10_000)}}
    query.pop("signature")
    query["signature"] = sign(query, service.api_secret)
    assert requests.post(service.url, data=query, timeout=20).status_code in (404, 413)
    assert not has_group(service, "many")


@pytest.mark.parametrize("path", PATHS[:1] + PATHS[3:])
def test_a_packed_body_is_refused(service: Emulator, path: str) -> None:
    for coding in ("gzip", "deflate", "br", "zstd", "x"):
        answer = requests.request(
            "PUT" if path == FAULTS else "POST",
            f"http://127.0.0.1:{service.port}{path}",
            data=b"hello",
            headers={"Content-Encoding": coding, "Content-Type": FORM},
            timeout=10,
        )
        assert 400 <= answer.status_code < 500, coding


# Others are not held up


def test_a_client_that_is_slow_holds_up_nobody(service: Emulator) -> None:
    head = f"POST /client/api HTTP/1.1\r\nHost: localhost\r\nContent-Type: {FORM}\r\nContent-Length: 9\r\n\r\na"
    with contextlib.ExitStack() as open_ones:
        for text in ("GET /cli", "GET /client/api HTTP/1.1\r\nHost", head) * 20:
            connection = open_ones.enter_context(socket.create_connection(("127.0.0.1", service.port)))
            connection.sendall(text.encode())
        assert create(service, "beside slow ones").status_code == 200


# Each would take for ages if all ways were tried, or if a value were written out.
PATTERN = "a%" * 60 + "b"
MANY = "[" + ",".join(["*x"] * 9) + "]"
BOMB = "\n".join(["- &x1 [0,0,0,0,0,0,0,0,0]", *(f"- &x{n} {MANY.replace('x', f'x{n - 1}')}" for n in range(2, 12))])


def test_no_pattern_takes_long(service: Emulator) -> None:
    """A test with a deadline: all ways to match this pattern are more than can be tried."""
    requests.get(service.url, params=signed(service, "createSecurityGroup", name="a" * 200), timeout=10)
    answer = requests.get(service.url, params=signed(service, "listSecurityGroups", keyword=PATTERN), timeout=10)
    assert answer.status_code == 200
    assert "a" * 200 not in answer.text


def test_a_pattern_of_ec2_takes_no_longer(api: Any, ec2: Any) -> None:
    api("createSecurityGroup", name="a" * 200)
    pattern = {"Filter.1.Name": "group-name", "Filter.1.Value.1": "*a" * 60 + "b"}
    assert ec2.texts(ec2("DescribeSecurityGroups", pattern), "groupName") == []
    pattern["Filter.1.Value.1"] = "*a" * 60 + "*"
    assert ec2.texts(ec2("DescribeSecurityGroups", pattern), "groupName") == ["a" * 200]


@pytest.mark.parametrize(
    "rules",
    [
        BOMB,
        BOMB.replace("- &", "- kind: close\n  nth: &"),
        "- &a [*a]",
        "- {<<: &a {kind: close}, nth: 1}\n- {<<: [*a, *a]}",
        "[" * 60_000,
        "{a: " * 10_000,
        "- " * 30_000,
        "a" * 65_000,
    ],
    ids=lambda text: text[:20],
)  # fmt: skip
def test_rules_that_grow_are_refused_and_hold_up_nobody(service: Emulator, rules: str) -> None:
    put = threading.Thread(target=lambda: answers.append(set_faults(service, rules)))
    answers: list[requests.Response] = []
    put.start()
    assert create(service, f"beside {rules[:30]}{len(rules)}").status_code == 200
    put.join(30)
    assert [answer.status_code for answer in answers] == [400]
    assert len(answers[0].text) < 1000


# No request is a failure of the server


def set_faults(emulator: Emulator, rules: str | bytes, **headers: str) -> requests.Response:
    data = rules.encode() if isinstance(rules, str) else rules
    headers = {name.replace("_", "-"): value for name, value in headers.items()}
    return requests.put(f"http://127.0.0.1:{emulator.port}{FAULTS}", data=data, headers=headers, timeout=30)


BAD_VALUES = [
    ".nan", ".inf", "-.inf", "1e400", "-1", "0x" + "f" * 9000, "9" * 5000, "[]", "[[1]]", "[1, [2]]", "{a: b}", "{[a]: b}",
    "2026-11-27", "!!binary AA==", "!!int x", "!!int ''", "!!float ''", "!!bool x", "!!timestamp x", "!!set {a, b}",
    "!!python/object:os.system {}", '"\\ud800"', '"\\0"', '"\\x9b"', "'[z-a]'", "1:2:3", "1_000_000_000_000", "'" + "*a" * 999 + "'",
]  # fmt: skip


@pytest.mark.parametrize("setting", ["kind", "command", "nth", "every", "probability", "seed", "times"])
@pytest.mark.parametrize("value", BAD_VALUES, ids=lambda text: text[:12])
def test_no_value_of_a_rule_is_a_failure(service: Emulator, complaints: list[str], setting: str, value: str) -> None:
    kind = "" if setting == "kind" else "kind: lag, "
    answer = set_faults(service, f"- {{{kind}{setting}: {value}}}")
    assert answer.status_code in ((400,) if setting != "command" and "1" not in value else (200, 400)), answer.text
    assert set_faults(service, "[]").status_code == 200
    assert create(service, f"after {setting} {value[:20]}").status_code in (200, 431, 530)
    assert complaints == []


OF_KINDS = {
    "seconds": ("refuse", "late", "slow", "job_hangs", "lag"),
    "retry_after": ("too_many",),
    "status": ("status", "status_after"),
    "text": ("job_fails",),
    "result": ("job_fails",),
    "change": ("page",),
    "name": ("page",),
}


@pytest.mark.parametrize(("setting", "kind"), [(name, kind) for name, kinds in OF_KINDS.items() for kind in kinds])
def test_no_setting_of_a_kind_is_a_failure(service: Emulator, complaints: list[str], setting: str, kind: str) -> None:
    for value in BAD_VALUES:
        answer = set_faults(service, f"- {{kind: {kind}, command: nothing, {setting}: {value}}}")
        assert answer.status_code in (200, 400), (value, answer.text)
        if answer.status_code == 200:
            assert "NaN" not in answer.text and "Infinity" not in answer.text
    # A setting without a value has its default.
    answer = set_faults(service, f"- {{kind: {kind}, command: listZones, {setting}: null, times: 0x1}}")
    assert answer.status_code == 200
    set_faults(service, "[]")
    assert complaints == []


@pytest.mark.parametrize(
    "body",
    [b"", b"null", b"0", b"\xff\xfe", b"\xff\xfe[\x00]\x00", b"\x00", b"\xed\xa0\x80", b"[{kind", b"x", b"- - -", b"{}", b"'"]
    + [b"[kind]", b"[null]", b"[[]]", b"%", b"%YAML 9.9\n---\n[]", b"--- []\n--- []", b"@", b"\xef\xbb\xbf[]"],
)  # fmt: skip
@pytest.mark.parametrize(
    "kind", ["", "text/plain; charset=nope", "text/plain; charset=utf-16", "\xff", "multipart/form-data"]
)
def test_no_text_of_rules_is_a_failure(service: Emulator, complaints: list[str], body: bytes, kind: str) -> None:
    assert set_faults(service, body, Content_Type=kind).status_code in (200, 400)
    assert set_faults(service, "[]").status_code == 200
    assert complaints == []


METHODS = (
    "GET",
    "HEAD",
    "POST",
    "PUT",
    "DELETE",
    "OPTIONS",
    "TRACE",
    "CONNECT",
    "PATCH",
    "PROPFIND",
    "FOO",
    "get",
    "G\x00T",
    "é",
)
TARGETS = (
    *PATHS, "/client/api%00", "/client//api", "/client/api/../x", "/%zz", "*", "", "client/api", "http://[::1", "http:///x", "//x",
    "http://localhost/client/api", "/awsapi/%00/x", "/awsapi/\xff", f"{FAULTS}/%2e%2e", "/client/api?" + "&" * 4000,
    "/client/api?" + "a=&" * 2500, "/client/api?[=&[[0]=&a[=", "/client/api?\xff=\xfe", "/client/api?command=%ED%A0%80",
)  # fmt: skip


@pytest.mark.parametrize("method", METHODS)
def test_no_method_and_no_path_is_a_failure(service: Emulator, complaints: list[str], method: str) -> None:
    for target in TARGETS:
        for version in ("1.1", "1.0"):
            text = f"{method} {target} HTTP/{version}\r\nHost: localhost\r\nConnection: close\r\n\r\n"
            answer = said(service, text.encode("latin-1"))
            # The bridge itself answers 500 to a request without an action, with a page that names it.
            assert b" 500 " not in answer.split(b"\r\n")[0] or answer.count(b"java.lang.NullPointerException") + (
                method == "HEAD"
            ), text
    assert complaints == []


TEXTS = [
    "", " ", "nan", "-inf", "1e400", "9" * 5000, "-" + "9" * 4400, "-1", "0x10", "٣", "²", "true", "{}", "a,b,,", "\x00", "\x00\x01",
    "日本", "\U0001f600", "\ud800", "\\", "%", "_", "'", "0.0.0.0/0", "1.1.1.1/" + "9" * 5000, "::/0", "http://[::1",
    "http://x:99999999/", "2026-99-99T99:99:99+9999", "99999999999-1-1T0:0:0+0000", "00:00:00:00", "GMT+99", "ssh-rsa AAAA",
]  # fmt: skip


def raw_quoted(text: str) -> str:
    """A text as an address has it; halves of characters too."""
    return "".join(f"%{byte:02X}" for byte in text.encode("utf-8", "surrogatepass"))


@pytest.mark.parametrize("seed", range(6))
def test_no_value_of_a_parameter_is_a_failure(service: Emulator, complaints: list[str], seed: int) -> None:
    """Values are the account's objects, or anything, for any parameter of any command. They are the same in every run."""
    chance, store = random.Random(seed), service.store
    for name, command in sorted(service._service.apis[0].commands.items()):
        known = [*store.vms, *store.volumes, *store.templates, *store.security_groups, *service.vars.values()]
        query = {"command": name, "apikey": service.api_key, "response": chance.choice(["json", "xml", "\x00"])}
        for param in command.params:
            if param.required or chance.random() < 0.2:
                keys = [param.name] * 5 + [param.name.upper(), f"{param.name}[0].key", f"{param.name}[{'9' * 5000}]"]
                query[chance.choice(keys)] = chance.choice(chance.choice([known, TEXTS]))
        as_read = {
            key: value.encode("utf-8", "surrogatepass").decode("utf-8", "replace") for key, value in query.items()
        }
        query["signature"] = sign(as_read, service.api_secret)
        body = "&".join(f"{key}={raw_quoted(value)}" for key, value in query.items())
        headers = {"Content-Type": f"{FORM}; charset=utf-8"}
        answer = requests.post(service.url, data=body, headers=headers, timeout=10)
        assert answer.status_code not in (401, 500) or "does not exist" in answer.text, query
        assert complaints == [], query


@pytest.mark.parametrize(
    "name", ["MaxCount", "MinCount", "size", "Size", "Expires", "Timestamp", "InstanceId", "Action", "Filter.1.Name"]
)
@pytest.mark.parametrize(
    "value", ["9" * 5000, "nan", "1e400", "\x00", "日本", "\U0001f600", "", "-1", "2026-11-27T0:0:0." + "9" * 5000]
)
def test_no_value_of_ec2_is_a_failure_of_its_own(ec2: Any, complaints: list[str], name: str, value: str) -> None:
    for action in ("RunInstances", "CreateVolume", "DescribeInstances"):
        params = {"ImageId": ec2.vars["template"], "InstanceType": "v1", "MinCount": "1", "MaxCount": "1"}
        params |= {"AvailabilityZone": "jp-e1a", "Size": "1", "Filter.1.Value.1": value, name: value}
        named = {name: params.pop(name)} if name in ("Action", "Expires", "Timestamp") else {}
        assert ec2.session.get(f"{ec2.emulator.ec2_url}?{ec2.query(action, params, **named)}", timeout=10).status_code
    assert complaints == []


# The log


@pytest.mark.parametrize(
    ("params", "canary"),
    [
        ({"password": "canary-1"}, "canary-1"),
        ({"PassWord": "canary-2"}, "canary-2"),
        ({"details[0].password": "canary-3"}, "canary-3"),
        ({"details[0].key": "rootPassword", "details[0].value": "canary-4"}, "canary-4"),
        ({"userdata": "canary-5"}, "canary-5"),
        ({"UserData.1.Data": "canary-6"}, "canary-6"),
        ({"privatekey": "canary-7"}, "canary-7"),
        ({"secretkey": "canary-8"}, "canary-8"),
        ({"sessionkey": "canary-9"}, "canary-9"),
        ({"url": "ftp://user:canary-10@host/x"}, "canary-10"),
        ({"url": "ftp://user:can@ry/canary-11@host/x"}, "canary-11"),
        ({"url": "http://host/x?token=canary-12"}, "canary-12"),
        ({"name": "cloudn-emulator-api-secret"}, "cloudn-emulator-api-secret"),
        ({"cloudn-emulator-api-secret": "x"}, "cloudn-emulator-api-secret"),
        ({"apikey": "cloudn-emulator-api-secret"}, "cloudn-emulator-api-secret"),
        ({"command": "cloudn-emulator-api-secret"}, "cloudn-emulator-api-secret"),
        ({"Signature": "canary-13", "AWSAccessKeyId": "canary-13", "Action": "x"}, "canary-13"),
    ],
    ids=str,
)
def test_the_log_has_no_secret(service: Emulator, params: dict[str, str], canary: str) -> None:
    service.clear()
    urls = [service.url, *([service.ec2_url] if service.settings.generation == "3" else [])]
    query = {"command": "listZones", **params}
    for url in urls:
        requests.get(url, params=query, timeout=10)
        requests.post(url, data=query, timeout=10)
    assert len(service.requests) == 2 * len(urls)
    native = [entry for entry in service.requests if "Action" not in params or "/client" in str(entry)]
    assert canary not in json.dumps(native)


def test_the_file_of_the_log_takes_any_text_and_has_no_secret(tmp_path: pathlib.Path) -> None:
    path = tmp_path / "log"
    with program("--log", str(path), "--api-secret", "canary-secret") as (process, port):
        for value in ("\x1b[2J", "\u202e", "日本", "\x9b"):
            requests.get(f"http://127.0.0.1:{port}/client/api", params={"command": value, value: value}, timeout=10)
        said_raw = f"http://127.0.0.1:{port}/client/api?command=%ED%A0%80&x=canary-secret"
        requests.get(said_raw, timeout=10)
        process.send_signal(signal.SIGTERM)
        out, err = process.communicate(timeout=10)
    text = path.read_bytes()
    entries = [json.loads(line) for line in text.splitlines()]
    assert [entry["command"] for entry in entries[:4]] == ["\x1b[2J", "\u202e", "日本", "\x9b"]
    assert len(entries) == 5
    assert text.isascii() and b"\x1b" not in text
    assert "canary-secret" not in text.decode() + out + err
    assert err == ""
