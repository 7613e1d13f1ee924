# Copyright: (c) 2026, the cloudn.compute authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Templates in the inventory's options: evaluated before anything is sent, or an error that names the option."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest
from asked import sent_to
from samples import NEW

Read = Callable[..., Any]
ZONE_B = "91e59e5f-2971-48e7-adbe-e853ed875e76"


@pytest.fixture
def site(run_module: Callable[..., Any], emulator: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """Two machines that differ in all that the inventory can ask for, and an environment that holds such values."""
    run_module("cloudn_vm", name="web1", tags={"role": "web"}, **NEW)
    run_module("cloudn_vm", name="db1", tags={"role": "db", "True": "True"}, **{**NEW, "zone": "jp-e1b"})
    run_module("cloudn_vm", name="off1", tags={"role": "db"}, state="stopped", **NEW)
    emulator.clear()
    for name, value in {
        "ROLE": "db",
        "STATE": "Stopped",
        "ZONE": "jp-e1b",
        "WORD": "id",
        "NUMBER": "7",
        "NO": "no",
        "TRUE": "True",
    }.items():
        monkeypatch.setenv(name, value)
    monkeypatch.delenv("UNSET", raising=False)


def env(name: str) -> str:
    return f"{{{{ lookup('ansible.builtin.env', '{name}') }}}}"


def sent_values(emulator: Any) -> str:
    """Return all parameters that were sent, as one text."""
    return json.dumps([request["params"] for request in emulator.requests])


@pytest.mark.parametrize(
    ("options", "params", "names"),
    [
        ({"filters": {"tags": {"role": env("ROLE")}}}, {"tags[0].key": "role", "tags[0].value": "db"}, {"db1"}),
        ({"filters": {"tags": {env("TRUE"): env("TRUE")}}}, {"tags[0].key": "True", "tags[0].value": "True"}, {"db1"}),
        ({"filters": {"tags": "{{ {'role': 'db'} }}"}}, {"tags[0].value": "db"}, {"db1"}),
        ({"filters": "{{ {'tags': {'role': lookup('env', 'ROLE')}} }}"}, {"tags[0].value": "db"}, {"db1"}),
        ({"filters": {"keyword": "{% if true %}db{% endif %}{# a comment #}"}}, {"keyword": "db"}, {"db1"}),
        ({"filters": {"{{ 'keyword' }}": "{{ 'd' ~ 'b' }}1"}}, {"keyword": "db1"}, {"db1"}),
        ({"states": [env("STATE")]}, {"state": "Stopped"}, {"off1"}),
        ({"states": env("STATE")}, {"state": "Stopped"}, {"off1"}),
        ({"states": "{{ ['Running', lookup('env', 'STATE')] }}"}, {}, {"web1", "db1", "off1"}),
        ({"states": "{{ 'Running,Stopped' }}"}, {}, {"web1", "db1", "off1"}),
        ({"states": "{{ [] }}"}, {}, {"web1", "db1", "off1"}),
        ({"zones": [env("ZONE")]}, {"zoneid": ZONE_B}, {"db1"}),
        ({"zones": "{{ [lookup('env', 'ZONE')] }}"}, {"zoneid": ZONE_B}, {"db1"}),
        ({"signature_expires": "{{ 0 }}"}, {}, {"web1", "db1"}),
        ({"response_format": "{{ 'xml' }}"}, {}, {"web1", "db1"}),
        ({"api_retries": "{{ 1 + 1 }}", "api_timeout": env("NUMBER")}, {}, {"web1", "db1"}),
        ({"validate_certs": "{{ not false }}"}, {}, {"web1", "db1"}),
    ],
)  # fmt: skip
def test_templates_are_evaluated_before_anything_is_sent(
    site: None, read: Read, emulator: Any, options: Any, params: Any, names: set[str]
) -> None:
    inventory = read(**options)
    assert inventory.code == 0, inventory.said
    assert inventory.hosts.keys() == names
    assert params.items() <= emulator.requests[-1]["params"].items()
    assert not any(mark in sent_values(emulator) for mark in ("{{", "{%", "{#", "lookup"))


def test_templates_shape_the_hosts(site: None, read: Read) -> None:
    host_id = read().hosts["db1"]["cloudn_id"]
    inventory = read(
        hostnames=[env("WORD")],
        connect_with="{{ 'name' }}",
        hostvars_prefix="{{ 'vm' }}_",
        default_groups=env("NO"),
        strict="{{ true }}",
        leading_separator="{{ 'false' }}",
        keyed_groups=[
            {"key": "vm_tags.role", "prefix": "is_" + env("ROLE"), "separator": "{{ '__' }}"},
            {"key": "vm_none | default('')", "default_value": env("ROLE")},
        ],
        groups={"{{ 'all_' ~ 'of_them' }}": "true"},
        compose={"{{ 'own' }}": "vm_name"},
    )
    assert inventory.code == 0, inventory.said
    assert inventory.hosts[host_id]["ansible_host"] == inventory.hosts[host_id]["own"] == "db1"
    assert inventory.groups.keys() - {"all", "ungrouped"} == {"is_db__db", "is_db__web", "db", "all_of_them"}


def test_templates_shape_the_cache(site: None, read: Read, emulator: Any, tmp_path: Any) -> None:
    """The cache's own options are templates too. An answer is for the values that they give, not for their text."""
    options = {
        "cache": "{{ true }}",
        "cache_plugin": "{{ 'ansible.builtin.jsonfile' }}",
        "cache_connection": str(tmp_path) + "/{{ 'kept' }}",
        "filters": {"tags": {"role": env("ROLE")}},
    }
    assert read(**options).hosts.keys() == {"db1"}
    assert read(**options).hosts.keys() == {"db1"}
    assert sent_to(emulator) == ["listVirtualMachines"]
    assert list((tmp_path / "kept").iterdir())
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("ROLE", "web")
        assert read(**options).hosts.keys() == {"web1"}


OPTIONS = (
    "account", "api_key", "api_retries", "api_secret", "api_timeout", "api_url", "ca_path", "cache", "connect_with", "default_groups",
    "domain_id", "filters", "hostnames", "hostvars_prefix", "leading_separator", "response_format", "signature_expires", "states", "strict",
    "use_extra_vars", "validate_certs", "zones", "cache_connection", "cache_plugin", "cache_prefix", "cache_timeout", "ec2_url", "ec2_version",
)  # fmt: skip


@pytest.mark.parametrize("option", OPTIONS)
@pytest.mark.parametrize("template", ["{{ nothing_here }}", "x{% if %}", "{{ lookup('no.such.lookup') }}"])
def test_a_template_that_fails_is_an_error_that_names_the_option(
    read: Read, emulator: Any, option: str, template: str
) -> None:
    inventory = read(**{option: template})
    assert (inventory.code, inventory.hosts, emulator.requests) == (1, {}, [])
    assert f"{option}: " in inventory.said
    assert "can't be evaluated: " in inventory.said
    if "nothing" in template:
        assert "'nothing_here' is undefined" in inventory.said


@pytest.mark.parametrize(
    ("options", "path"),
    [
        ({"filters": {"tags": {"role": "{{ none_such }}"}}}, "filters.tags.role"),
        ({"filters": {"tags": {"{{ none_such }}": "x"}}}, "filters.tags.{{ none_such }}"),
        ({"filters": {"{{ none_such }}": "x"}}, "filters.{{ none_such }}"),
        ({"filters": {"id": "a-{{ none_such }}"}}, "filters.id"),
        ({"states": ["Running", "{{ none_such }}"]}, "states[1]"),
        ({"zones": ["{{ none_such }}"]}, "zones[0]"),
        ({"hostnames": ["name", "tag:{{ none_such }}"]}, "hostnames[1]"),
        ({"keyed_groups": [{"key": "a"}, {"key": "a", "prefix": "{{ none_such }}"}]}, "keyed_groups[1].prefix"),
        ({"groups": {"{{ none_such }}": "true"}}, "groups.{{ none_such }}"),
    ],
)
def test_errors_of_nested_templates_have_their_path(read: Read, emulator: Any, options: Any, path: str) -> None:
    inventory = read(**options)
    assert (inventory.code, emulator.requests) == (1, [])
    assert f"{path}: the template " in inventory.said
    assert "'none_such' is undefined. Templates here may use lookups." in inventory.said


@pytest.mark.parametrize("option", ["zones", "states", "filters", "hostnames"])
@pytest.mark.parametrize("template", [env("UNSET"), "{{ none }}", "{{ '' }}"])
def test_a_template_without_a_value_does_not_mean_everything(
    read: Read, emulator: Any, option: str, template: str
) -> None:
    inventory = read(**{option: template})
    assert (inventory.code, emulator.requests) == (1, [])
    assert f"{option}: the template {template!r} gives no value" in inventory.said


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"zones": [env("UNSET")]}, "zones[0]: has no value; give one, or leave it out"),
        ({"states": ["Running", env("UNSET")]}, "states[1]: has no value"),
        ({"hostnames": [env("UNSET")]}, "hostnames[0]: has no value"),
        ({"filters": {"tags": {"role": env("UNSET")}}}, "filters.tags.role: has no value"),
        ({"filters": {"tags": env("UNSET")}}, "filters.tags: must be a dictionary"),
        ({"filters": {"id": env("UNSET")}}, "filters.id: has no value"),
        *(
            ({name: "{{ x }}"}, f"{name}: can't be a template as a whole")
            for name in ("compose", "groups", "keyed_groups")
        ),
        ({"filters": {"{{ none }}": "a"}}, "filters."),
        ({"filters": {"{{ [1] }}": "a"}}, "filters."),
        ({"filters": "{{ ['a'] }}"}, "filters"),
        ({"states": ["{{ ['Running', 'Stopped'] }}"]}, "states[0]: "),
        ({"zones": ["{{ ['jp-e1a', 'jp-e1b'] }}"]}, "zones"),
    ],
)
def test_an_item_without_a_usable_value_is_an_error(read: Read, options: Any, said: str) -> None:
    inventory = read(**options)
    assert (inventory.code, inventory.hosts) == (1, {})
    assert said in inventory.said


@pytest.mark.parametrize("option", ["api_key", "api_secret"])
def test_a_secret_that_is_no_template_is_not_shown(read: Read, option: str) -> None:
    inventory = read(**{option: "canary{{canary"})
    assert inventory.code == 1
    assert f"{option}: its template can't be evaluated" in inventory.said
    assert "canary" not in inventory.said


def test_what_a_template_gives_is_no_template(read: Read, emulator: Any, monkeypatch: Any) -> None:
    """What a lookup reads is data. It arrives at the service as it is."""
    monkeypatch.setenv("ROLE", "{{ 'd' ~ 'b' }}")
    inventory = read(filters={"tags": {"role": env("ROLE")}})
    assert (inventory.code, inventory.hosts) == (0, {})
    assert emulator.requests[-1]["params"]["tags[0].value"] == "{{ 'd' ~ 'b' }}"


# Extra variables


@pytest.fixture
def credentials(emulator: Any, monkeypatch: pytest.MonkeyPatch) -> tuple[str, ...]:
    """Arguments that give the credentials as extra variables. The environment has none."""
    return ("-e", f"my_key={emulator.api_key}", "-e", f"my_secret={emulator.api_secret}", "-e", "role=db")


KEYS = {"api_key": "{{ my_key }}", "api_secret": "{{ my_secret }}"}
NO_KEYS = {"CLOUDN_API_KEY": "", "CLOUDN_API_SECRET": ""}


@pytest.mark.parametrize("switch", [True, "{{ not false }}", None])
def test_extra_variables_are_known_to_the_templates_of_options(
    site: None, command: Any, credentials: tuple[str, ...], emulator: Any, switch: Any
) -> None:
    """The switch is in the file, or in the environment as Ansible documents it."""
    options = {**KEYS, "filters": {"tags": "{{ wanted }}"}, "hostnames": ["{{ word }}"]}
    more = ("-e", json.dumps({"wanted": {"role": "{{ role }}"}, "word": "tag:role"}))
    environment = {**NO_KEYS, "ANSIBLE_INVENTORY_USE_EXTRA_VARS": "true"} if switch is None else NO_KEYS
    if switch is not None:
        options["use_extra_vars"] = switch
    inventory = command(*credentials, *more, environment=environment, **options)
    assert inventory.code == 0, inventory.said
    assert inventory.hosts.keys() == {"db"}
    assert emulator.requests[-1]["params"]["tags[0].value"] == "db"


def test_extra_variables_are_not_known_unless_they_are_wanted(
    command: Any, credentials: tuple[str, ...], emulator: Any
) -> None:
    inventory = command(*credentials, environment=NO_KEYS, **KEYS)
    assert (inventory.code, emulator.requests) == (1, [])
    assert "api_key: its template can't be evaluated: 'my_key' is undefined" in inventory.said
    assert "They may also use the variables of -e if use_extra_vars is true" in inventory.said


def test_the_switch_for_extra_variables_does_not_need_them(
    command: Any, credentials: tuple[str, ...], emulator: Any
) -> None:
    inventory = command(*credentials, "-e", "more=true", use_extra_vars="{{ more }}")
    assert (inventory.code, emulator.requests) == (1, [])
    assert "use_extra_vars: the template '{{ more }}' can't be evaluated" in inventory.said
