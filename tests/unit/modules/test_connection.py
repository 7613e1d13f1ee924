# Copyright: (c) 2026, the cloudn.compute authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Connection options of modules: refusals, warnings, and secrets that no result shows."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from typing import Any

import pytest
import yaml
from ansible_collections.cloudn.compute.plugins.module_utils.connection import warnings
from ansible_collections.cloudn.compute.plugins.module_utils.definition import CONNECTION
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from samples import NEW

Result = dict[str, Any]
Run = Callable[..., Result]
GIVEN = {"api_url": "https://cloud.example.com/client/api", "validate_certs": True, "ca_path": None}
NO_TLS, NO_CERTIFICATE = "api_url: http is not encrypted", "validate_certs: the service's certificate is not verified"
USER, PASSWORD = "canary-user", "canary-p@ss.example.com/word"


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({}, []),
        ({"api_url": "http://cloud.example.com/client/api"}, [NO_TLS]),
        ({"api_url": "HTTP://192.0.2.1:8080/"}, [NO_TLS]),
        ({"api_url": "http://[2001:db8::1]/"}, [NO_TLS]),
        ({"api_url": "http://localhost.example.com/"}, [NO_TLS]),
        ({"api_url": "http://127.example.com/"}, [NO_TLS]),
        *(({"api_url": f"http://{host}/client/api"}, []) for host in ("127.0.0.1:8080", "127.9.9.9", "[::1]:80", "LocalHost")),
        ({"validate_certs": False}, [NO_CERTIFICATE + ".*, and give the service's authority with ca_path"]),
        ({"validate_certs": False, "ca_path": "/x"}, [NO_CERTIFICATE + r".* \(ca_path is not used with it\)"]),
        ({"validate_certs": False, "api_url": "http://cloud.example.com/"}, [NO_CERTIFICATE, NO_TLS]),
    ],
)  # fmt: skip
def test_risky_connection_options_bring_warnings(options: Result, said: list[str]) -> None:
    told = warnings({**GIVEN, **options})
    assert len(told) == len(said)
    assert all(re.match(expected, text) for expected, text in zip(said, told, strict=True))


def test_a_module_warns_once(run_module: Run, emulator: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("no_proxy", "*")
    emulator.allow("0.0.0.0")
    elsewhere = emulator.url.replace("127.0.0.1", "0.0.0.0")  # also here, but it does not look so
    assert run_module("cloudn_zone_info")["warnings"] == []
    for options in ({}, {"zone": "jp-w1"}):
        done = run_module("cloudn_vm_info", validate_certs=False, api_url=elsewhere, **options)
        assert done.get("failed", False) is bool(options)
        assert [text.partition(",")[0] for text in done["warnings"]] == [NO_CERTIFICATE, NO_TLS]


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"ca_path": "/nonexistent/ca.pem"}, "ca_path: '/nonexistent/ca.pem' can't be read: No such file or directory"),
        ({"ca_path": "/dev/null"}, "ca_path: /dev/null holds no certificates in PEM form"),
        ({"api_timeout": "inf"}, "api_timeout: must be at most 86400, not inf"),
        ({"api_timeout": "nan"}, "api_timeout: must be at least 0.1, not nan"),
        ({"api_timeout": 0}, "api_timeout: must be at least 0.1, not 0"),
    ],
)  # fmt: skip
def test_bad_connection_options_are_refused(run_module: Run, emulator: Any, options: Result, said: str) -> None:
    done = run_module("cloudn_zone_info", **options)
    assert done["msg"].startswith(said)
    assert PASSWORD not in json.dumps(done)
    assert emulator.requests == []


HOST = "cloud.example.com"
NO_ADDRESS, NO_USER = "is no http or https address", "must hold no user and no password, but it is"
PORT = f"{NO_ADDRESS}: its port must be a number from 1 to 65535"
# Addresses that are wrong, what is said of them, and how they are shown where that is not as they are.
WRONG = [
    ("nonsense", NO_ADDRESS, ""),
    ("/client/api", NO_ADDRESS, ""),
    (f"{HOST}/client/api", NO_ADDRESS, ""),
    (f"//{HOST}/client/api", NO_ADDRESS, ""),
    *((f"{scheme}{HOST}/client/api", NO_ADDRESS, "") for scheme in ("ftp://", "file:///", "htps://", "ws://", "https//", "https;//")),
    ("https://", f"{NO_ADDRESS}: it has no host", ""),
    ("https:///client/api", f"{NO_ADDRESS}: it has no host", ""),
    (f"https:/{HOST}/client/api", f"{NO_ADDRESS}: it has no host", ""),
    (f"https:{HOST}/client/api", f"{NO_ADDRESS}: it has no host", ""),
    (f"https:\\\\{HOST}\\client\\api", f"{NO_ADDRESS}: it has no host", ""),
    ("https://:443/client/api", f"{NO_ADDRESS}: it has no host", ""),
    *((f"https://{HOST}:{port}/client/api", PORT, "") for port in ("", "port", "0", "99999", "65536", "-1", "+1", "8o", "9" * 5000, "\u0661")),
    ("https://[::1]:x/client/api", PORT, ""),
    ("https://[::1/client/api", NO_ADDRESS, ""),
    *((f"https://{host}/client/api", "put an IPv6 address in brackets", "") for host in ("::1", f"{HOST}:80:80", "2001:db8::1")),
    *((f"https://{host}/client/api", f"{NO_ADDRESS}: its host", "")
      for host in ("a..invalid", f"{'a' * 64}.invalid", "a\\b", "%00", "{{host}}", "a,b", ".", "$HOST", "<host>")),
    *((f"https://{HOST}{path}", "is no address of an API: it has no path", "") for path in ("", "/", "//")),
    *((text, "holds a blank or a control character; leave it out", "") for text in (
        f" https://{HOST}/client/api", f"https://{HOST}/client/api ", f"https://{HOST}/client/api\n", f"https://{HOST}/cli ent/api",
        "https://cloud example.com/client/api", f"https ://{HOST}/client/api", f"https://{HOST}/\tclient/api", f"https://{HOST}/client\0/api",
        f"\ufeffhttps://{HOST}/client/api", f"https://{HOST}/client/api\u3000", f"https://{HOST}/\u200bclient/api", f"https://{HOST}/\x1b[2J",
    )),
    *((f"https://{HOST}{path}", "it has a backslash in its path; write / in its place", "") for path in ("/client\\api", "/\\", "/client/api\\")),
    (f"https://{HOST}/client/api?", "leave out all after its path", ""),
    (f"https://{HOST}/client/api#", "leave out all after its path", ""),
    (f"https://{HOST}/client/api?{PASSWORD}", "leave out all after its path", f"https://{HOST}/client/api?***"),
    (f"https://{HOST}/client/api#{PASSWORD}", "leave out all after its path", f"https://{HOST}/client/api#***"),
    (f"https://{HOST}?apikey={PASSWORD}#top", "leave out all after its path", f"https://{HOST}?***"),
    (f"https://{USER}@{HOST}/client/api", NO_USER, f"https://***@{HOST}/client/api"),
    (f"https://{USER}:@{HOST}/client/api", NO_USER, f"https://***@{HOST}/client/api"),
    (f"https://:{PASSWORD}@{HOST}/client/api", NO_USER, f"https://***@{HOST}/client/api"),
    (f"https://@{HOST}/client/api", NO_USER, f"https://***@{HOST}/client/api"),
    *((f"{scheme}{USER}:{PASSWORD}@{HOST}/client/api", NO_USER, f"{scheme}***@{HOST}/client/api") for scheme in ("https://", "ftp://", "//")),
    *((f"{scheme}{USER}:{PASSWORD}@{HOST}/client/api", NO_USER, f"***@{HOST}/client/api") for scheme in ("", "https:/", "https:")),
    *((f"https://{USER}:{mark}{PASSWORD}@{HOST}/client/api", NO_USER, f"https://***@{HOST}/client/api") for mark in "/?#:\\@"),
    (f"https://{USER}:{PASSWORD}@{HOST}/client/api?canary", NO_USER, f"https://***@{HOST}/client/api?***"),
    (f"https://{USER}:canary-p%40{HOST}/client/api", NO_USER, f"https://***@{HOST}/client/api"),
    (f"https://{USER}:{PASSWORD} @{HOST}/client/api", "holds a blank", f"https://***@{HOST}/client/api"),
    (f"https://{USER}:{PASSWORD}@", NO_USER, "https://***@"),
]  # fmt: skip


@pytest.mark.parametrize("option", ["api_url", "ec2_url"])
@pytest.mark.parametrize(("url", "said", "shown"), WRONG)
def test_wrong_addresses_are_refused_before_anything_is_sent(
    run_module: Run, emulator: Any, option: str, url: str, said: str, shown: str
) -> None:
    """The error shows the address without the secrets in it. Nothing else shows these either."""
    done = run_module("cloudn_zone_info", **{option: url})
    assert done["msg"].startswith(f"{option}: ")
    assert said in done["msg"]
    assert repr(shown or url) in done["msg"]
    assert done["msg"].endswith(f". Write it like https://HOST/{'client/api' if option == 'api_url' else 'awsapi'}")
    assert "canary" not in json.dumps(done)
    assert emulator.requests == []


@pytest.mark.parametrize(
    "url",
    [
        "http://127.0.0.1:1/client/api",
        "HTTP://[::1]:1/api",
        "http://h\u00f6st.invalid/api/",
        "http://a_b.invalid./%7Ea",
    ],
)
def test_right_addresses_are_tried(run_module: Run, url: str) -> None:
    done = run_module("cloudn_zone_info", api_url=url, api_retries=0)
    assert "listZones: the service was not reached" in done["msg"]


def test_certificates_do_not_matter_where_they_are_not_verified(run_module: Run) -> None:
    done = run_module("cloudn_zone_info", validate_certs=False, ca_path="/nonexistent/ca.pem")
    assert not done.get("failed"), done["msg"]


ADDRESS = f"https://{USER}:{PASSWORD}@images.example.com/image.vhd"


@pytest.mark.parametrize(
    ("module", "options", "fails"),
    [
        (
            "cloudn_template",
            {
                "name": "t",
                "url": ADDRESS,
                "format": "VHD",
                "hypervisor": "XenServer",
                "os_type": "CentOS 5.6 (64-bit)",
                "zone": "jp-e1a",
            },
            False,
        ),
        ("cloudn_template", {"name": "t", "url": ADDRESS}, True),
        ("cloudn_template", {"url": ADDRESS}, True),
        ("cloudn_volume", {"name": "v", "zone": "jp-e1a", "url": ADDRESS, "format": "VHD"}, False),
        ("cloudn_volume", {"name": "v", "url": ADDRESS, "snapshot": "s"}, True),
        ("cloudn_volume", {"name": "v", "state": "extracted", "extract_mode": "ftp_upload", "extract_url": ADDRESS}, True),
        ("cloudn_vm", {"name": "web1", "tags": {"seen": f"on {ADDRESS} and more"}, **NEW}, False),
        ("cloudn_api", {"command": "registerTemplate", "params": {"name": "t", "url": [ADDRESS]}}, True),
        ("cloudn_api", {"command": "listZones", "params": {"details": [{"url": ADDRESS}]}}, False),
    ],
)  # fmt: skip
@pytest.mark.parametrize("check", [False, True])
def test_credentials_in_addresses_are_not_shown(
    run_module: Run, emulator: Any, module: str, options: Result, fails: bool, check: bool
) -> None:
    """No credentials are in the result, in the options that Ansible adds to it, or in the emulator's log."""
    done = run_module(module, _check=check, _diff=True, **options)
    assert done.get("failed", False) is (fails and not (check and module == "cloudn_api")), done.get("msg")
    for secret in (PASSWORD, USER):
        assert secret not in json.dumps(done)
        if module != "cloudn_vm":  # a tag is whatever somebody writes there
            assert secret not in json.dumps(emulator.requests)


def test_nothing_secret_is_on_the_screen(playbook: Callable[..., Any], emulator: Any) -> None:
    """At the highest verbosity, of tasks that go well and of some that fail; and what is warned of is warned of once."""
    secret = "canary-secret"
    tasks: list[Result] = [
        {"cloudn.compute.cloudn_vm": {"name": "web1", "user_data": f"#!/bin/sh\n# {secret}", **NEW}},
        {"cloudn.compute.cloudn_volume": {"name": "v", "url": ADDRESS, "snapshot": "s"}},
        {"cloudn.compute.cloudn_api": {"command": "updateVirtualMachine", "params": {"userdata": secret}}},
        {"cloudn.compute.cloudn_zone_info": {"api_url": ADDRESS}},
    ]
    play = {
        "hosts": "localhost",
        "gather_facts": False,
        "module_defaults": {"group/cloudn.compute.cloudn": {"validate_certs": False, "api_retries": 0}},
        "tasks": [{**task, "ignore_errors": True, "diff": True} for task in tasks],
    }
    done = playbook(yaml.safe_dump([play]), "-vvvvv", environment={"ANSIBLE_DEPRECATION_WARNINGS": "false"})
    shown = done.stdout + done.stderr
    assert done.returncode == 0, shown
    assert re.search(r"ok=4 .*ignored=3", done.stdout)
    assert " ".join(shown.split()).count(NO_CERTIFICATE) == shown.count("[WARNING]: validate_certs") == 1
    for hidden in (secret, PASSWORD, USER, emulator.api_key, emulator.api_secret, "signature="):
        assert hidden not in shown


# Addresses here lead nowhere but to this machine.
ANYTHING = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-(10**30), 10**30),
    st.floats(allow_nan=False),
    st.text(st.characters(codec="utf-8"), max_size=20),
    st.lists(st.text(max_size=3), max_size=2),
    st.dictionaries(st.text(max_size=3), st.text(max_size=3), max_size=2),
    st.sampled_from(["", " ", "a\0b", "/", "~", "$HOME", "日本", "\U0001f600", "{{ x }}", "x" * 5000, "1e309", "inf", "nan", "0x10"]),
)  # fmt: skip
FEW = ANYTHING.filter(lambda value: not isinstance(value, (int, float))) | st.integers(-2, 2)  # each takes its time
URLS = ANYTHING.filter(lambda value: "://" not in str(value)) | st.sampled_from(
    ["http://127.0.0.1:1/", "http://127.0.0.1:1/api", "https://127.0.0.1:1/api", "http://[::1]:1/api", "http://127.0.0.1:1/\x00", "http://127.0.0.1:1/#f",
     "http://u:p@127.0.0.1:1/", "http:///", "http://[", "https://127.0.0.1:65536/", "http://127.0.0.1:1:1/", "http://.:1/api",
     "http://%00:1/api", "http://xn--:1/", "http://\u2100:1/", "http://" + "a" * 300 + ":1/", "HTTPS://127.0.0.1:1/", "//127.0.0.1:1/"]
)  # fmt: skip


OPTIONS = {option: URLS if "url" in option else FEW if option == "api_retries" else ANYTHING for option in CONNECTION}


@settings(max_examples=60, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck))
@given(st.fixed_dictionaries({}, optional=OPTIONS))
@example({"api_timeout": 1e300})
@example({"api_timeout": "nan"})
@example({"api_timeout": "inf"})
@example({"signature_expires": 10**30})
@example({"api_url": "http://127.0.0.1:1/api", "api_timeout": 1e-300})
def test_any_connection_options_give_a_result_or_a_readable_error(run_module: Run, options: Result) -> None:
    """The module returns a result, or an error that is a sentence, for any values."""
    done = run_module("cloudn_zone_info", **options)
    if done.get("failed"):
        assert len(done["msg"]) > 10
        assert "Traceback" not in done["msg"]
    else:
        assert done["zones"]
