# Copyright: (c) 2026, the cloudn.compute authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Profiles of other tools: what modules take from them, what wins, what is refused, and that no secret is shown."""

from __future__ import annotations

import json
import pathlib
import subprocess
from collections.abc import Callable
from typing import Any

import cs
import pytest
from ansible_collections.cloudn.compute.plugins.module_utils.connection import connect
from ansible_collections.cloudn.compute.plugins.module_utils.profiles import complete
from ansible_collections.cloudn.compute.plugins.module_utils.wrong_values import ProfileError
from ansible_collections.cloudn.compute.plugins.plugin_utils import action
from samples import NEW

Result = dict[str, Any]
Run = Callable[..., Result]
URL, KEY, SECRET = "https://cloud.example.com/client/api", "canary-key", "canary-secret"
FILLED = {"api_url": URL, "api_key": KEY, "api_secret": SECRET}
OF_CS = f"[prod]\nendpoint = {URL}\nkey = {KEY}\nsecret = {SECRET}\n"
OF_CLOUDMONKEY = f"[core]\nprofile = prod\ntimeout = 1800\n[prod]\nurl = {URL}\napikey = {KEY}\nsecretkey = {SECRET}\n"
NONE = {"api_url": None, "api_key": None, "api_secret": None}
BY_VARIABLES = {"CLOUDSTACK_ENDPOINT": URL, "CLOUDSTACK_KEY": KEY, "CLOUDSTACK_SECRET": SECRET}


def section(name: str, emulator: Any) -> str:
    return f"[{name}]\nendpoint = {emulator.url}\nkey = {emulator.api_key}\nsecret = {emulator.api_secret}\n"


def write(path: pathlib.Path, text: str, mode: int = 0o600) -> pathlib.Path:
    path.parent.mkdir(exist_ok=True)
    path.write_text(text)
    path.chmod(mode)
    return path


@pytest.fixture
def home(tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch) -> pathlib.Path:
    """A user's folder. The current folder is another one."""
    path = tmp_path / "home"
    (tmp_path / "work").mkdir()
    path.mkdir()
    monkeypatch.setenv("HOME", str(path))
    monkeypatch.chdir(tmp_path / "work")
    return path


@pytest.mark.parametrize(
    "text",
    [
        OF_CS,
        f"\ufeff; mine\n{OF_CS}",
        OF_CS.replace("key =", "KEY="),
        f"[DEFAULT]\nkey = {KEY}\n" + OF_CS.replace("key =", "#"),
    ],
)
def test_a_section_of_cs_is_a_profile(home: pathlib.Path, text: str) -> None:
    write(home / ".cloudstack.ini", text)
    assert complete({"profile": "prod", "api_url": None}, {}) == (FILLED, [])
    assert complete({}, {"CLOUDN_PROFILE": "prod"}) == (FILLED, [])
    assert complete({"profile": "prod"}, {"CLOUDN_PROFILE": "test", "CLOUDN_API_KEY": ""}) == (FILLED, [])


@pytest.mark.parametrize(
    "text", [OF_CLOUDMONKEY, OF_CLOUDMONKEY.replace(SECRET, f"`{SECRET}`").replace(KEY, f'"{KEY}" ; a note'), f"[prod]\n{OF_CLOUDMONKEY}"]
)  # fmt: skip
def test_a_section_of_cloudmonkey_is_a_profile(home: pathlib.Path, text: str) -> None:
    write(home / ".cmk" / "config", text + "prompt = \U0001f435 100%\n")
    assert complete({"profile": "prod"}, {}) == (FILLED, [])


@pytest.mark.parametrize(
    ("lines", "added"),
    [
        ("timeout = 12.5", {"api_timeout": 12.5}),
        ("expiration = 60", {"signature_expires": 60}),
        ("expiration = -1", {"signature_expires": 0}),
        ("verify = ~/ca.pem", {"ca_path": "~/ca.pem"}),
        ("dangerous_no_tls_verify = True", {"validate_certs": False}),
        ("dangerous_no_tls_verify = off", {}),
        ("dangerous_no_tls_verify = 1\nverify = /ca.pem", {"ca_path": "/ca.pem"}),
        ("method = post\nretry = 3\nheader_x = y\nverify =\ntimeout =", {}),
    ],
)
def test_more_of_a_section_of_cs(home: pathlib.Path, lines: str, added: Result) -> None:
    write(home / ".cloudstack.ini", OF_CS + lines)
    assert complete({"profile": "prod"}, {})[0] == {**FILLED, **added}


@pytest.mark.parametrize(
    "text",
    [
        OF_CS,
        f"{OF_CS}timeout = 7\nexpiration = 60\ndangerous_no_tls_verify = yes\n",
        OF_CS.replace("=", ":").replace(SECRET, "a%%b;c#d")
        + "  continued\nverify = /ca.pem\ndangerous_no_tls_verify = on\n",
    ],
)
def test_cs_itself_reads_the_same(home: pathlib.Path, monkeypatch: pytest.MonkeyPatch, text: str) -> None:
    write(home / ".cloudstack.ini", text)
    for name in ("CLOUDSTACK_CONFIG", "CLOUDSTACK_REGION", *BY_VARIABLES):
        monkeypatch.delenv(name, raising=False)
    theirs = cs.CloudStack(**cs.read_config("prod"))
    ours = {"api_timeout": 10, "signature_expires": 600, **complete({"profile": "prod"}, {})[0]}
    assert (ours["api_url"], ours["api_key"], ours["api_secret"]) == (theirs.endpoint, theirs.key, theirs.secret)
    assert ours["api_timeout"] == theirs.timeout
    assert ours["signature_expires"] == theirs.expiration.total_seconds()
    assert ours.get("ca_path", ours.get("validate_certs", True)) == theirs.verify


@pytest.mark.parametrize(
    ("own", "core", "is_off"),
    [("false", "", True), ("true", "false", False), ("", "false", True), ("", "true", False), ("", "", False)],
)
def test_cloudmonkey_may_not_verify_certificates(home: pathlib.Path, own: str, core: str, is_off: bool) -> None:
    text = OF_CLOUDMONKEY.replace("[core]", f"[core]\nverifycert = {core}") + f"verifycert = {own}\n"
    write(home / ".cmk" / "config", text)
    assert complete({"profile": "prod"}, {})[0] == {**FILLED, **({"validate_certs": False} if is_off else {})}
    assert complete({"profile": "prod", "ca_path": "/ca.pem"}, {})[0] == FILLED
    assert complete({"profile": "prod", "validate_certs": True}, {})[0] == FILLED


def test_the_first_file_with_the_section_counts(home: pathlib.Path, tmp_path: pathlib.Path) -> None:
    """It counts as a whole: no file can send the keys of another one elsewhere."""
    places = [
        home / ".cmk" / "config",
        home / ".cloudstack.ini",
        tmp_path / "work" / "cloudstack.ini",
        home / "named.ini",
    ]
    environment = {"CLOUDSTACK_CONFIG": "~/named.ini"}
    for number, place in enumerate(places):
        text = (OF_CS if number else OF_CLOUDMONKEY).replace(KEY, f"key{number}")
        write(place, text)
        assert complete({"profile": "prod"}, environment)[0]["api_key"] == f"key{number}"
    write(places[-1], OF_CS.replace("[prod]", "[test]"))
    assert complete({"profile": "prod"}, environment)[0]["api_key"] == "key2"
    write(places[-1], f"[prod]\nendpoint = {URL}\n")
    with pytest.raises(ProfileError, match=r"the section \[prod\] of .*named.ini has no key and no secret"):
        complete({"profile": "prod"}, environment)


def test_what_a_task_or_a_variable_of_ours_says_wins(home: pathlib.Path) -> None:
    write(home / ".cloudstack.ini", f"{OF_CS}timeout = 5\nverify = /ca.pem\n")
    own = {
        **NONE,
        "profile": "prod",
        "api_url": "https://other.example.com/api",
        "api_timeout": 9,
        "validate_certs": True,
    }
    assert complete(own, {})[0] == {"api_key": KEY, "api_secret": SECRET, "ca_path": "/ca.pem"}
    keys = {"api_key": "mine", "api_secret": "mine too"}
    assert complete({**keys, "profile": "prod"}, {})[0].keys() == {"api_url", "api_timeout", "ca_path"}
    added, said = complete({"profile": "prod"}, {"CLOUDN_API_KEY": "mine", "CLOUDN_API_SECRET": SECRET, **BY_VARIABLES})
    assert added == {"api_url": URL, "api_timeout": 5, "ca_path": "/ca.pem"}
    assert said == [
        "profile: the environment has CLOUDN_API_KEY, which wins over the profile 'prod'; unset it to use what the profile says"
    ]
    assert complete({**keys, "profile": "prod"}, {"CLOUDN_API_KEY": "others"})[1] == []
    for half, other in (("api_key", "api_secret"), ("api_secret", "api_key")):
        with pytest.raises(
            ProfileError, match=f"^profile: {half} is given beside .*, and {other} is not. .*: give both"
        ):
            complete({"profile": "prod", half: "mine"}, {})


def test_a_section_may_lack_what_is_given_otherwise(home: pathlib.Path) -> None:
    write(home / ".cloudstack.ini", f"[place]\nendpoint = {URL}\n[keys]\nkey = {KEY}\nsecret = {SECRET}\n")
    assert complete({"profile": "place", "api_key": "a", "api_secret": "b"}, {})[0] == {"api_url": URL}
    assert complete({"profile": "keys", "api_url": "x"}, {})[0] == {"api_key": KEY, "api_secret": SECRET}


def test_variables_of_cs_are_the_last_fallback(home: pathlib.Path) -> None:
    assert complete(NONE, BY_VARIABLES) == (FILLED, [])
    assert complete({"api_url": "https://other.example.com/api"}, BY_VARIABLES)[0].keys() == {"api_key", "api_secret"}
    # Keys that are given are for another service than the one of the variables.
    assert complete({"api_key": "a"}, BY_VARIABLES) == complete({}, {**BY_VARIABLES, "CLOUDN_API_KEY": "a"}) == ({}, [])
    assert complete({}, {**BY_VARIABLES, "CLOUDSTACK_SECRET": ""}) == ({}, [])
    assert complete({}, {"CLOUDSTACK_ENDPOINT": URL}) == ({}, [])
    for url, said in (
        ("", "set the option, CLOUDN_API_URL or CLOUDSTACK_ENDPOINT"),
        ("nonsense", "It comes from CLOUDSTACK_ENDPOINT"),
    ):
        with pytest.raises(ProfileError, match=f"^api_url: .*{said}$"):
            complete({}, {**BY_VARIABLES, "CLOUDSTACK_ENDPOINT": url})
    write(home / ".cloudstack.ini", OF_CS)
    own = {
        **BY_VARIABLES,
        "CLOUDSTACK_KEY": "other",
        "CLOUDSTACK_SECRET": "other",
        "CLOUDSTACK_ENDPOINT": "https://o.example.com/api",
    }
    assert complete({"profile": "prod"}, own) == (FILLED, [])


WRONG_FILES = [
    (OF_CS.replace("prod", "prdo"), r"there is no section \[prod\] in .*/\.cloudstack\.ini; did you mean 'prdo'\?"),
    (OF_CS.replace("prod", "else"), r"there is no section \[prod\] in .*/\.cloudstack\.ini\. There are: else"),
    ("", r"there is no section \[prod\] in .*/\.cloudstack\.ini"),
    (OF_CS.replace("secret =", "secrets ="), r"the section \[prod\] of .* has no secret\. Add it there, or give api_secret"),
    (OF_CS.replace(f"key = {KEY}", "key ="), r"the section \[prod\] of .* has no key\."),
    (OF_CS.replace("endpoint", "url"), r"the section \[prod\] of .* has no endpoint\. Add it there, or give api_url"),
    (OF_CS.replace("[prod]\n", ""), "line 1 of .* is wrong"),
    (f"{OF_CS}{SECRET}\n", "line 5 of .* is wrong"),
    (f"{OF_CS}{SECRET} = 1\n{SECRET} = 2\n", "line 6 of .* is wrong"),
    (f"{OF_CS}{OF_CS}", "line 5 of .* is wrong"),
    (OF_CS.replace(SECRET, f"{SECRET}%"), "secret in the section .* has a % that stands for nothing; write %%"),
    (f"{OF_CS}timeout = soon", "timeout in the section .* must be a number, not 'soon'"),
    (f"{OF_CS}expiration = 1.5", "expiration in the section .* must be a whole number, not '1.5'"),
    (f"{OF_CS}dangerous_no_tls_verify = maybe", "dangerous_no_tls_verify in .* must be true or false, not 'maybe'"),
    (OF_CS.replace("https://", f"https://user:{SECRET}@"), r"must hold no user .* It comes from endpoint in the section \[prod\]"),
]  # fmt: skip


@pytest.mark.parametrize(("text", "said"), WRONG_FILES)
def test_a_wrong_file_is_an_error_before_anything_is_sent(
    home: pathlib.Path, run_module: Run, emulator: Any, text: str, said: str
) -> None:
    path = write(home / ".cloudstack.ini", text)
    for inside in (False, True):
        done = run_module("cloudn_zone_info", _inside=inside, profile="prod", **NONE)
        assert done["failed"]
        with pytest.raises(ProfileError, match=said) as error:
            complete({"profile": "prod"}, {})
        assert done["msg"] == str(error.value)
        assert str(path) in done["msg"]
        assert "canary" not in json.dumps(done)
    assert emulator.requests == []


def test_a_file_that_is_not_there_or_cannot_be_read_is_an_error(home: pathlib.Path) -> None:
    with pytest.raises(ProfileError, match=r"^profile: 'prod' can't be looked up: there is none of the files") as error:
        complete({"profile": "prod"}, {"CLOUDSTACK_CONFIG": "/nonexistent/mine.ini"})
    for path in ("/nonexistent/mine.ini", "./cloudstack.ini", f"{home}/.cloudstack.ini", f"{home}/.cmk/config"):
        assert path in str(error.value)
    (home / ".cloudstack.ini").mkdir()
    with pytest.raises(ProfileError, match=r"\.cloudstack\.ini can't be read: Is a directory$"):
        complete({"profile": "prod"}, {})
    write(home / "bytes.ini", "").write_bytes(b"[prod]\nkey = canary\xff\n")
    with pytest.raises(ProfileError, match=r"bytes\.ini is no text in UTF-8; convert it$"):
        complete({"profile": "prod"}, {"CLOUDSTACK_CONFIG": str(home / "bytes.ini")})


@pytest.mark.parametrize(
    ("mode", "said"),
    [(0o600, None), (0o400, None), (0o640, "read"), (0o604, "read"), (0o666, "read"), (0o620, "change")],
)
def test_a_file_of_others_brings_a_warning(home: pathlib.Path, mode: int, said: str | None) -> None:
    path = write(home / ".cloudstack.ini", OF_CS, mode)
    warning = f"profile: others can {said} {path}, which holds secret keys (mode {mode:04o}); run chmod 600 {path}"
    assert complete({"profile": "prod"}, {})[1] == ([warning] if said else [])


@pytest.mark.parametrize("inside", [False, True])
def test_a_module_uses_a_profile_and_shows_no_secret(
    home: pathlib.Path, run_module: Run, emulator: Any, monkeypatch: pytest.MonkeyPatch, inside: bool
) -> None:
    path = write(home / ".cloudstack.ini", section("prod", emulator), 0o644)
    done = run_module("cloudn_zone_info", _inside=inside, profile="prod", **NONE)
    assert done["zones"]
    assert done["warnings"] == [
        f"profile: others can read {path}, which holds secret keys (mode 0644); run chmod 600 {path}"
    ]
    shown = done["invocation"]["module_args"]
    assert (shown["profile"], shown["api_url"]) == ("prod", emulator.url)
    assert emulator.api_key not in json.dumps(done) and emulator.api_secret not in json.dumps(done)
    monkeypatch.setenv("CLOUDN_PROFILE", "prod")
    assert run_module("cloudn_zone_info", _inside=inside, **NONE)["zones"]
    monkeypatch.delenv("CLOUDN_PROFILE")
    missing = run_module("cloudn_zone_info", _inside=inside, **NONE)["msg"]
    assert missing.startswith("api_key: is missing") and "profile" in missing
    for name, value in zip(BY_VARIABLES, (emulator.url, emulator.api_key, emulator.api_secret), strict=True):
        monkeypatch.setenv(name, value)
    done = run_module("cloudn_zone_info", _inside=inside, **NONE)
    assert done["zones"]
    assert emulator.api_key not in json.dumps(done) and emulator.api_secret not in json.dumps(done)


def test_an_error_of_the_service_hides_the_key_of_a_profile(home: pathlib.Path, run_module: Run, emulator: Any) -> None:
    write(home / ".cloudstack.ini", section("prod", emulator))
    done = run_module("cloudn_vm_info", profile="prod", zone=emulator.api_key, **NONE)
    assert done["failed"]
    assert emulator.api_key not in json.dumps(done)


PLAY = """
- hosts: localhost
  gather_facts: false
  module_defaults:
    group/cloudn.compute.cloudn:
      profile: first
      api_retries: 1
  tasks:
    - cloudn.compute.cloudn_vm: {vm}
    - cloudn.compute.cloudn_vm_info:
      register: first
    - cloudn.compute.cloudn_vm_info:
        profile: second
      register: second
    - cloudn.compute.cloudn_vm_info:
        profile: '{{{{ item }}}}'
      loop: [second, first, second]
      register: each
    - ansible.builtin.assert:
        that:
          - first.vms | length == 1
          - second.vms == []
          - each.results | map(attribute='vms') | map('length') | list == [0, 1, 0]
"""


@pytest.mark.parametrize("here", ["true", "false"])
def test_two_accounts_of_a_play_do_not_mix(
    home: pathlib.Path, run_module_as: Any, emulator: Any, playbook: Any, here: str
) -> None:
    """Neither their machines nor what check mode has planned for them."""
    with run_module_as() as (_run, other):
        write(home / ".cloudstack.ini", section("first", emulator) + section("second", other))
        vm = json.dumps({"name": "web1", **NEW})
        unset = dict.fromkeys(("CLOUDN_API_URL", "CLOUDN_API_KEY", "CLOUDN_API_SECRET"), "")
        reach = {**unset, "HOME": str(home), "CLOUDN_IN_PROCESS": here}
        for words in [["--check"], []] if here == "true" else [[]]:
            done = playbook(PLAY.format(vm=vm), "-vvv", *words, environment=reach)
            assert done.returncode == 0, done.stdout + done.stderr
            for service in (emulator, other):
                assert service.api_secret not in done.stdout + done.stderr
                assert service.api_key not in done.stdout + done.stderr


def test_a_profile_on_the_command_line(home: pathlib.Path, emulator: Any, environment: dict[str, str]) -> None:
    write(home / ".cloudstack.ini", section("prod", emulator))
    unset = dict.fromkeys(("CLOUDN_API_URL", "CLOUDN_API_KEY", "CLOUDN_API_SECRET"), "")
    words = ["ansible", "localhost", "-m", "cloudn.compute.cloudn_zone_info", "-a"]
    for profile, said in (("prod", '"zones": ['), ("prdo", "did you mean 'prod'?")):
        done = subprocess.run(
            [*words, f"profile={profile}"],
            env={**environment, **unset, "HOME": str(home)},
            capture_output=True,
            text=True,
            check=False,
            timeout=120,
        )
        assert (done.returncode == 0) is (profile == "prod")
        assert said in done.stdout
        assert emulator.api_secret not in done.stdout + done.stderr


def test_plans_and_connections_of_two_profiles_of_one_service_are_apart(
    home: pathlib.Path, run_module: Run, emulator: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    other = section("other", emulator).replace(emulator.api_key, "canary-key")
    write(home / ".cloudstack.ini", section("prod", emulator) + other)
    seen: list[Any] = []
    monkeypatch.setattr(action.planning, "attach", lambda client, options: (seen.append(dict(options)), client)[1])
    connections: list[Any] = []
    monkeypatch.setattr(
        action, "connect", lambda options, sessions: (connections.append(sessions), connect(options))[1]
    )
    monkeypatch.setattr(action, "_sessions", Kept())
    for profile in ("prod", "other", "prod"):
        run_module("cloudn_vm_info", _inside=True, _check=True, profile=profile, **NONE)
    paths = [str(action.planning._store("run", options)._path) for options in seen]
    for found in (paths, list(map(id, connections))):
        assert found[0] == found[2] != found[1]


class Kept(dict[Any, Any]):
    """Connections that stay after a task, as in a loop."""

    def clear(self) -> None:
        pass
