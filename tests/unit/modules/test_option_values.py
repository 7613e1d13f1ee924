# Copyright: (c) 2026, the cloudn.compute authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Wrong values of options: the error names the option with its path, the value, and the nearest right value."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from ansible_collections.cloudn.compute.plugins.module_utils.definition import CONNECTION
from samples import NEW
from specs import imported, spec_of
from test_documentation import MODULES

Run = Callable[..., dict[str, Any]]
Refused = Callable[..., str]
ANY = ["0.0.0.0/0"]
LATIN_1 = b"caf\xe9".decode(errors="surrogateescape")


def options_of(kind: str, at: dict[str, Any], path: str = "") -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield the paths of all options of a type in an argument spec, and the spec of each: `ingress[0].ports`."""
    for name, option in at.items():
        if option.get("type", "str") == kind:
            yield path + name, option
        elif option.get("type") == "list" and option.get("elements") == kind:
            yield f"{path}{name}[0]", option
        if option.get("options"):
            index = "[0]" if option["type"] == "list" else ""
            yield from options_of(kind, option["options"], f"{path}{name}{index}.")


def task(path: str, value: Any) -> dict[str, Any]:
    """Return options that have a value at a path."""
    name, dot, rest = path.partition(".")
    inner = task(rest, value) if dot else value
    return {name[:-3]: [inner]} if name.endswith("[0]") else {name: inner}


def base(module: str, options: dict[str, Any]) -> dict[str, Any]:
    """Return what a module requires, beside the options."""
    values = {"interval": "daily", "jobs": [], "command": "listZones", "action": "DescribeZones"}
    required = {name for name, option in imported(module).SPEC.items() if option.get("required")}
    return {**{name: values.get(name, "x") for name in required}, **options}


@pytest.fixture
def told(run_module: Run, emulator: Any) -> Iterator[Callable[..., str]]:
    """Return a function that returns the error of a module for a value at a path of its options. It sends no request."""

    def run(module: str, path: str, value: Any) -> str:
        done = run_module(module, **base(module, task(path, value)))
        assert done["failed"], (module, path, value)
        return str(done["msg"])

    yield run
    assert emulator.requests == []


ON_ONE = pytest.mark.generation("4", reason="nothing is sent")
EACH = pytest.mark.parametrize("module", MODULES)


def shows(path: str, option: dict[str, Any]) -> bool:
    """Tell whether an error may show an option's value, which may be a secret. Items may hold one."""
    is_secret = option.get("no_log") or path.endswith(("url", "public_key"))
    return not is_secret and all(shows(*one) for one in (option.get("options") or {}).items())


@pytest.mark.parametrize(
    ("module", "options", "said"),
    [
        ("cloudn_vm", {"name": "web_1", **NEW}, "last (or set display_name); did you mean 'web-1'?"),
        ("cloudn_vm", {"name": ["web1", "1st.server_"], **NEW}, "name[1]: '1st.server_' can't be a host name: "),
        ("cloudn_vm", {"name": "1st.server_", **NEW}, "; did you mean 'st-server'?"),
        (
            "cloudn_vm",
            {"name": "web1", **NEW, "zone": "jp-e1"},
            "zone: there is no 'jp-e1'. There are: jp-e1a, jp-e1b; did you mean 'jp-e1a'?",
        ),
        (
            "cloudn_vm",
            {"name": "web1", **NEW, "service_offering": "V1"},
            ", vQ; did you mean 'v1'?",
        ),
        (
            "cloudn_vm",
            {"name": "web1", **NEW, "template": "CentOS 6.2 64 bit"},
            "; did you mean 'CentOS 6.2 64bit'?",
        ),
        (
            "cloudn_vm",
            {"name": "web1", **NEW, "security_groups": ["default", "defualt"]},
            "security_groups[1]: there is no security group 'defualt'. There are: default; did you mean 'default'?",
        ),
        (
            "cloudn_vm",
            {"name": "web1", **NEW, "os_type": "CentOS 6.0 64 bit"},
            "; did you mean 'CentOS 6.0 (64-bit)'?",
        ),
        (
            "cloudn_snapshot",
            {"vm": "web1", "max_age": "6 hours"},
            "max_age: '6 hours' is no duration; did you mean '6h'? Give",
        ),
        ("cloudn_snapshot", {"vm": "web1", "max_age": "90"}, "max_age: '90' is no duration; did you mean '90s'? Give"),
        ("cloudn_snapshot", {"vm": "web1", "max_age": "1 month"}, "max_age: '1 month' is no duration; give"),
        (
            "cloudn_snapshot_policy",
            {"vm": "web1", "interval": "weekly", "day": "sun", "time": "1:00", "keep": 1},
            "day: with interval: weekly give the name of a day, such as sunday, not 'sun'; did you mean 'sunday'?",
        ),
        (
            "cloudn_snapshot_policy",
            {"vm": "web1", "interval": "daily", "timezone": "Asia/Tokio", "time": "1:00", "keep": 1},
            "timezone: 'Asia/Tokio' is no time zone that the service knows; did you mean 'Asia/Tokyo'? Give",
        ),
        (
            "cloudn_ec2",
            {"action": "DescribeInstance"},
            "lists; do you mean DescribeInstances? unlisted: true sends any other",
        ),
    ],
)
def test_what_is_nearest_to_a_name_is_told(refused: Refused, module: str, options: dict[str, Any], said: str) -> None:
    assert said in refused(module, **options)


@ON_ONE
@EACH
def test_lists_and_mappings_are_no_texts(told: Callable[..., str], module: str) -> None:
    """Ansible alone would send them as Python writes them: ['one', 'two']."""
    for kind in ("str", "path"):
        for path, option in options_of(kind, imported(module).SPEC):
            for wrong in (["one", "two"], {"a": "x", "b": None}):
                said = told(module, path, wrong)
                assert said.startswith(f"{path}: must be a text, not ")
                assert (repr(wrong) in said) is shows(path, option)
                assert advice(path) in said


def advice(path: str) -> str:
    """Return what an error says of a list or mapping that stands in place of a text."""
    name = path.split(".")[-1]
    if name.endswith("[0]"):
        return ". Each item of the list must be a text of its own"
    if name in ("user_data", "description", "display_text", "display_name", "public_key"):
        return "keep the text with the filter string"
    return "or a range such as '8000-8100'" if name == "ports" else ". Give a single one"


# Texts that people may want to empty, and texts of a form, whose own error says which form.
FREE = {"display_name", "description", "display_text", "user_data", "confirm_reinstall"}
OF_A_FORM = {
    "public_key",
    "ports",
    "max_age",
    "since",
    "time",
    "day",
    "timezone",
    "api_url",
    "api_key",
    "api_secret",
    "ec2_url",
}


@ON_ONE
@EACH
@pytest.mark.parametrize("empty", ["", "  "], ids=repr)
def test_texts_that_name_or_select_something_are_not_empty(told: Callable[..., str], module: str, empty: str) -> None:
    """If an empty zone were taken, a machine in another zone would not be found, and "absent" would be ok."""
    spec = {**CONNECTION, **imported(module).SPEC}
    for path, option in [*options_of("str", spec), *options_of("path", spec)]:
        if option.get("choices") or path.split(".")[-1] in FREE | OF_A_FORM:
            continue
        more = "" if option.get("required") else ", or leave the option out"
        more = ", or remove this item of the list" if path.endswith("[0]") else more
        # The rest may be about what else the task lacks.
        assert told(module, path, empty).partition(". ")[0] == f"{path}: is empty; give a value{more}"


@pytest.mark.parametrize(
    ("module", "options", "option"),
    [
        ("cloudn_vm", {"name": "web1", "zone": "", "state": "absent"}, "zone"),
        ("cloudn_vm", {"name": "", "state": "absent"}, "name"),
        ("cloudn_vm", {"name": "web1", "group": "", **NEW}, "group"),
        ("cloudn_volume", {"name": "data", "zone": "", "state": "absent"}, "zone"),
        *[
            ("cloudn_vm_info", {option: ""}, option)
            for option in ("zone", "group", "security_group", "state", "id", "name")
        ],
    ],
    ids=str,
)
def test_an_empty_text_hides_no_object(
    vm_id: str, refused: Refused, emulator: Any, module: str, options: dict[str, Any], option: str
) -> None:
    assert refused(module, **options).startswith(f"{option}: is empty; give a value")
    assert emulator.requests == []


@ON_ONE
@EACH
def test_texts_must_be_utf_8(told: Callable[..., str], module: str) -> None:
    for path, _option in options_of("str", imported(module).SPEC):
        said = told(module, path, LATIN_1)
        assert said.startswith(
            f"{path}: is no text in UTF-8, as it has the byte 0xe9 at character 4. Convert it to UTF-8"
        )
        assert ("give the bytes in Base64" in said) is (path == "user_data")


@ON_ONE
@EACH
@pytest.mark.parametrize("wrong", ["many", ["1"], {"a": 1}, "1,5"], ids=str)
def test_numbers_and_booleans_are_no_other_values(told: Callable[..., str], module: str, wrong: Any) -> None:
    words = {"int": "a whole number", "float": "a number", "bool": "true or false"}
    for kind, wanted in words.items():
        for path, _option in options_of(kind, {**imported(module).SPEC, **CONNECTION}):
            assert told(module, path, wrong).startswith(f"{path}: must be {wanted}, not ")


@ON_ONE
@EACH
@pytest.mark.parametrize("wrong", [["a", "b"], 7, "text"], ids=str)
def test_mappings_are_no_other_values(told: Callable[..., str], module: str, wrong: Any) -> None:
    for path, option in options_of("dict", imported(module).SPEC):
        if "groups" in path and not isinstance(wrong, list):
            continue  # the name of a group
        said = told(module, path, wrong)
        assert said.startswith(f"{path}: must be a mapping (NAME: VALUE), not ")
        whole = {**option, **spec_of(module).get(path.partition("[")[0], {})}
        assert (repr(wrong) in said) is shows(path, whole)


@ON_ONE
@EACH
def test_the_nearest_choice_is_named(told: Callable[..., str], module: str) -> None:
    choosing = [(path, one["choices"]) for path, one in options_of("str", imported(module).SPEC) if "choices" in one]
    for path, choices in choosing:
        for right in choices:
            for wrong in (right.upper() if right.islower() else right.lower(), f"{right}{right[-1]}", f" {right}"):
                said = told(module, path, wrong)
                assert said.startswith(f"{path}: {wrong!r} is not possible. The value of ")
                assert f"must be one of: {', '.join(choices)}" in said
                assert len(right) < 4 or f"did you mean {right!r}?" in said


@pytest.mark.parametrize(
    ("module", "options", "said"),
    [
        ("cloudn_vm", {"nmae": "web1"}, "nmae: there is no such option; did you mean 'name'?"),
        ("cloudn_vm", {"name": "web1", "statee": "x"}, "statee: there is no such option; did you mean 'state'?"),
        (
            "cloudn_vm",
            {"name": "web1", "xyzzy": 1},
            "xyzzy: there is no such option. There are: account, affinity_groups,",
        ),
        (
            "cloudn_security_group",
            {"name": "web", "ingress": [{"ports": 22, "cidrs": ANY}, {"port": 22, "cidrs": ANY}]},
            "ingress[1].port: there is no such option; did you mean 'ports'?",
        ),
        (
            "cloudn_security_group",
            {"name": "web", "egress": [{"ports": 1, "groups": ["a", {"name": "b", "acount": "c"}]}]},
            "egress[0].groups[1].acount: there is no such option; did you mean 'account'?",
        ),
        (
            "cloudn_security_group",
            {"name": "web", "egress": [{"ports": 1, "groups": [{"account": "c"}]}]},
            "egress[0].groups[0].name: is required, and is not given",
        ),
        (
            "cloudn_security_group",
            {"name": "web", "ingress": [{"ports": [80, 443], "cidrs": ANY}]},
            "ingress[0].ports: must be a text, not the list [80, 443]. Write one rule for each port, or a range such as",
        ),
        (
            "cloudn_security_group",
            {"name": "web", "ingress": [{"ports": "80,443", "cidrs": ANY}]},
            "ingress[0].ports: '80,443' is neither a port (22) nor a range (8000-8100) up to 65535. Write one rule for each port",
        ),
        (
            "cloudn_security_group",
            {"name": "web", "ingress": {"ports": 80, "cidrs": ANY}},
            "ingress: must be a list, not the mapping {'ports': 80, 'cidrs': ['0.0.0.0/0']}; put \"- \" before it",
        ),
        (
            "cloudn_security_group",
            {"name": "web", "ingress": [{"ports": 80, "cidrs": [None]}]},
            "ingress[0].cidrs[0]: is empty (null); give a value, or remove this item of the list",
        ),
        (
            "cloudn_security_group",
            {"name": "web", "ingress": [{"ports": 1, "cidrs": ANY}, {"ports": 80, "cidrs": [["a"]]}]},
            "ingress[1].cidrs[0]: must be a text, not the list ['a']. Each item of the list must be a text of its own",
        ),
        (
            "cloudn_security_group",
            {"name": "web", "ingress": [{"ports": 1, "cidrs": ANY}, {"ports": 80, "cidrs": ["a"]}]},
            "ingress[1].cidrs[0]: 'a' is no IP network such as",
        ),
        ("cloudn_vm", {"name": [None]}, "name[0]: is empty (null); give a value, or remove this item of the list"),
        ("cloudn_vm", {"name": [["u5"]]}, "name[0]: must be a text, not the list ['u5']. Each item"),
        ("cloudn_vm", {"name": [{"a": 1}]}, "name[0]: must be a text, not the mapping {'a': 1}. Each item"),
        (
            "cloudn_vm",
            {"name": "x", "security_groups": [["a"]]},
            "security_groups[0]: must be a text, not the list ['a']. Each",
        ),
        ("cloudn_vm", {"name": "x", "security_groups": LATIN_1}, "security_groups: is no text in UTF-8"),
        (
            "cloudn_vm",
            {"name": ["web1", None]},
            "name[1]: is empty (null); give a value, or remove this item of the list",
        ),
        (
            "cloudn_vm",
            {"name": ["web1", ["web2"]]},
            "name[1]: must be a text, not the list ['web2']. Each item of the list must be a text of its own",
        ),
        ("cloudn_vm", {"name": {"first": "web1"}}, "name: must be a list, not the mapping {'first': 'web1'}"),
        (
            "cloudn_vm",
            {"name": "web1", "zone": ["jp-e1a"]},
            "zone: must be a text, not the list ['jp-e1a']; did you mean 'jp",
        ),
        (
            "cloudn_vm",
            {"name": "web1", "security_groups": [{"name": "web"}]},
            "security_groups[0]: must be a text, not the mapping {'name': 'web'}. Each item of the list must be a text of its own",
        ),
        ("cloudn_vm", {"name": "web1", "ha": "ture"}, "ha: must be true or false, not 'ture'; did you mean 'true'?"),
        ("cloudn_vm", {"name": "web1", "wait_timeout": True}, "wait_timeout: must be a whole number, not True"),
        ("cloudn_vm", {"name": "web1", "wait_timeout": "10m"}, "wait_timeout: must be a whole number, not '10m'"),
        ("cloudn_vm", {"name": "web1", "api_timeout": "soon"}, "api_timeout: must be a number, not 'soon'"),
        (
            "cloudn_template",
            {"name": "x", "bits": 63},
            "bits: 63 is not possible. The value of bits must be one of: 32, 64; did you mean 64?",
        ),
        ("cloudn_vm", {"name": "web1", "tags": {"a": LATIN_1}}, "tags.a: is no text in UTF-8, as it has the byte 0xe9"),
        ("cloudn_api", {"command": "x", "params": {"a": [LATIN_1]}}, "params.a[0]: is no text in UTF-8"),
        (
            "cloudn_vm",
            {"name": "web1", "state": "startd", "zone": [], "keyboard": "ja"},
            "state: 'startd' is not possible. The value of state must be one of: present, started, stopped, restarted, "
            "reinstalled, absent; did you mean 'started'? zone: must be a text, not the list []. ",
        ),
    ],
)
def test_a_wrong_value_is_told_with_its_path_and_the_nearest_right_one(
    refused: Refused, emulator: Any, module: str, options: dict[str, Any], said: str
) -> None:
    told = refused(module, **options)
    assert told.startswith(said)
    assert emulator.requests == []


@pytest.mark.generation("4", reason="nothing is sent")
@pytest.mark.parametrize(
    ("module", "options"),
    [
        ("cloudn_vm", {"user_data": {"write_files": ["HUSH"]}}),
        ("cloudn_vm", {"user_data": f"HUSH{LATIN_1}"}),
        ("cloudn_vm", {"api_secret": ["HUSH"]}),
        ("cloudn_vm", {"api_url": ["https://user:HUSH@example.com/"]}),
        ("cloudn_vm", {"api_url": {"url": "https://user:HUSH@example.com/"}}),
        ("cloudn_vm", {"api_secre": "HUSH"}),
        ("cloudn_api", {"command": "x", "secret_params": ["HUSH"]}),
        ("cloudn_api", {"command": "x", "secret_params": {"a": f"HUSH{LATIN_1}"}}),
        ("cloudn_template", {"extract_url": ["ftp://u:HUSH@example.com"]}),
        ("cloudn_volume", {"url": ["https://u:HUSH@example.com"]}),
        ("cloudn_key_pair", {"public_key": ["-----BEGIN PRIVATE KEY-----HUSH"]}),
    ],
)
def test_a_refusal_shows_no_secret(run_module: Run, module: str, options: dict[str, Any]) -> None:
    told = run_module(module, **{**base(module, {}), **options})
    assert told["failed"]
    assert "HUSH" not in str(told)


@pytest.mark.parametrize("given", ["False", False, "no"], ids=repr)
def test_what_yaml_makes_of_no_is_the_norwegian_keyboard(run_module: Run, emulator: Any, given: Any) -> None:
    assert run_module("cloudn_vm", name="web1", keyboard=given, **NEW)["changed"]
    (deployment,) = [one for one in emulator.requests if one["command"] == "deployVirtualMachine"]
    assert deployment["params"]["keyboard"] == "no"


def test_numbers_and_texts_that_mean_them_are_taken(run_module: Run) -> None:
    rules = [{"ports": 22, "cidrs": "192.0.2.0/24,198.51.100.0/24"}, "protocol=icmp cidrs=192.0.2.1"]
    done = run_module("cloudn_security_group", name="7", wait_timeout="60", api_timeout=5, ingress=rules)
    assert done["security_group"]["name"] == "7"
    assert {rule["cidr"] for rule in done["security_group"]["ingress"]} == {
        "192.0.2.0/24",
        "198.51.100.0/24",
        "192.0.2.1/32",
    }
