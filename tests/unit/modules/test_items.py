# Copyright: (c) 2026, the cloudn.compute authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Lists whose items have the options of another module: each is checked as that module checks its options, before anything is sent."""

from __future__ import annotations

import contextlib
import io
import itertools
import json
from collections.abc import Callable
from typing import Any

import pytest
from ansible.module_utils import basic
from ansible.module_utils.common.parameters import env_fallback
from ansible.release import __version__
from ansible_collections.cloudn.compute.plugins.module_utils import module
from ansible_collections.cloudn.compute.plugins.module_utils.api import Client, UsageError
from ansible_collections.cloudn.compute.plugins.module_utils.connection import connect
from ansible_collections.cloudn.compute.plugins.module_utils.definition import Definition
from ansible_collections.cloudn.compute.plugins.module_utils.items import Item
from ansible_collections.cloudn.compute.plugins.module_utils.options import check
from ansible_collections.cloudn.compute.plugins.module_utils.resources import key_pair_spec
from ansible_collections.cloudn.compute.plugins.module_utils.resources.key_pair import check_options as check_pair
from ansible_collections.cloudn.compute.plugins.module_utils.resources.security_group import spec as group_spec
from ansible_collections.cloudn.compute.plugins.module_utils.resources.spec import TAGS, WAIT
from ansible_collections.cloudn.compute.plugins.module_utils.resources.vm import spec as vm_spec
from ansible_collections.cloudn.compute.plugins.module_utils.resources.volume import spec as volume_spec
from ansible_collections.cloudn.compute.plugins.plugin_utils import action
from specs import defaults

Result = dict[str, Any]
LIST = {"type": "list", "elements": "dict"}
NOT_OF_ONE = ("wait", "wait_timeout", "max_parallel", "max_jobs")
# As ansible-playbook -v does it from ansible-core 2.21 on. Earlier ones always do.
SHOW_ALL = {"_ansible_inject_invocation": True} if tuple(map(int, __version__.split(".")[:2])) >= (2, 21) else {}
HIDDEN = "VALUE_SPECIFIED_IN_NO_LOG_PARAMETER"
PRIVATE = "-----BEGIN OPENSSH PRIVATE KEY-----\nHUSH\n-----END OPENSSH PRIVATE KEY-----\n"
PUBLIC = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIGx1bW1sdW1tbHVtbWx1bW1sdW1tbHVtbWx1bW1sdW1t"
ITEMS = {
    "vms": Item(
        vm_spec.SPEC,
        vm_spec.CONSTRAINTS,
        refused=(*NOT_OF_ONE, "confirm_reinstall"),
        states=("absent", "restarted", "reinstalled"),
        module="cloudn_vm",
    ),
    "volumes": Item(volume_spec.SPEC, volume_spec.CONSTRAINTS, NOT_OF_ONE, ("absent", "extracted")),
    "security_groups": Item(group_spec.SPEC, group_spec.CONSTRAINTS, NOT_OF_ONE, ("absent",)),
    "key_pairs": Item(key_pair_spec.SPEC, key_pair_spec.CONSTRAINTS, NOT_OF_ONE, ("absent",), check=check_pair),
    "others": Item(
        {
            "title": {"type": "str", "aliases": ["label"], "required": True},
            "region": {"type": "str", "fallback": (env_fallback, ["CLOUDN_TEST_REGION"])},
            "login": {"type": "dict", "options": {"password": {"type": "str", "no_log": True}}},
            "codes": {"type": "list", "elements": "str", "no_log": True},
            "sizes": {"type": "list", "elements": "dict", "options": {"gb": {"type": "int", "default": 1}}},
        },
        {"required_together": [("login", "codes")]},
    ),
}
SPEC: Result = {
    "name": {"type": "str", "required": True},
    "prune": {"type": "bool", "default": False},
    "max_parallel": {"type": "int", "default": 10},
    "max_jobs": {"type": "int", "default": 50},
    **dict.fromkeys(ITEMS, LIST),
    **TAGS,
    **WAIT,
}


def hidden(result: Result) -> Result:
    """Return a module's result as Ansible takes it: from ansible-core 2.22 on it hides what the module has registered."""
    secrets = sorted(result.pop("_ansible_new_secrets", []), key=len, reverse=True)

    def hide(value: Any) -> Any:
        if isinstance(value, (dict, list)):
            return {name: hide(one) for name, one in value.items()} if isinstance(value, dict) else [*map(hide, value)]
        for secret in secrets if isinstance(value, str) else ():
            value = value.replace(secret, HIDDEN)
        return value

    return hide(result)


class Site:
    """A module whose options are lists of other modules' objects. It keeps what it gets, and shows it in its result."""

    def __init__(self, inside: bool) -> None:
        self.inside = inside
        self.options: Result = {}
        self.definition = Definition(SPEC, self.act, items=ITEMS)

    def act(self, _client: Client, options: Result, _check: bool) -> Result:
        self.options = options
        return {"changed": False, "seen": {name: options[name] for name in ITEMS}}

    def run(self, **options: Any) -> Result:
        arguments = {
            "api_url": "http://127.0.0.1:9/client/api",
            "api_key": "of-a-test",
            "api_secret": "very-secret",
            "name": "shop",
            **SHOW_ALL,
            **options,
        }
        told = json.dumps({"ANSIBLE_MODULE_ARGS": arguments}).encode()
        if self.inside:
            return hidden(json.loads(action.perform(self.definition, told)))
        basic._ANSIBLE_ARGS, basic._ANSIBLE_PROFILE = told, "legacy"
        output = io.StringIO()
        with contextlib.redirect_stdout(output), pytest.raises(SystemExit):
            module.run(self.definition)
        return hidden(json.loads(output.getvalue()))


@pytest.fixture(params=[False, True], ids=["sent", "inside"])
def site(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Site:
    monkeypatch.setattr(basic, "warn", lambda *_arguments, **_more: None)  # it would go to this process's screen
    return Site(request.param)


@pytest.fixture
def logged(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """What goes into the log of the machine."""
    texts: list[str] = []
    own = getattr(basic, "_secrets", None)  # from ansible-core 2.22 on the log hides secrets by itself
    hide = own.mask_secrets if own else str
    monkeypatch.setattr(basic.AnsibleModule, "log", lambda _module, *said, **more: texts.append(hide(f"{said} {more}")))
    return texts


# Good items


def test_items_have_types_and_the_defaults_of_their_module(site: Site) -> None:
    done = site.run(
        vms=[
            {"name": "web1,web2", "root_size_gb": "20", "ha": "yes", "tags": {"role": "web"}},
            {"name": ["db1"], "template": None, "state": None, "tags": None},
        ],
        security_groups=[{"name": 7, "ingress": [{"ports": 80, "cidrs": "0.0.0.0/0", "protocol": None}]}],
    )
    assert not done.get("failed"), done
    first, second = site.options["vms"]
    machine = defaults("cloudn_vm")
    assert first == {**machine, "name": ["web1", "web2"], "root_size_gb": 20, "ha": True, "tags": {"role": "web"}}
    assert second == {**machine, "name": ["db1"]}
    (group,) = site.options["security_groups"]
    assert group["name"] == "7"
    assert group["ingress"] == [
        {"ports": "80", "cidrs": ["0.0.0.0/0"], "protocol": "tcp", "groups": None, "icmp_type": None, "icmp_code": None}
    ]
    assert site.options["volumes"] is None
    assert done["invocation"]["module_args"]["vms"] == site.options["vms"]


def test_the_log_of_the_machine_has_the_options_with_a_value(site: Site, logged: list[str]) -> None:
    assert not site.run(vms=None, security_groups=[{"name": "web"}], prune=False).get("failed")
    (said,) = logged
    assert "name=shop" in said and "prune=False" in said and "api_retries=5" in said
    assert "vms=" not in said and "account=" not in said
    assert "very-secret" not in said


@pytest.mark.parametrize("name", ITEMS)
def test_a_list_may_be_empty_or_left_out(site: Site, name: str) -> None:
    assert not site.run(**{name: []}).get("failed")
    assert site.options[name] == []
    assert not site.run(**{name: None}).get("failed")
    assert site.options[name] is None


def test_another_name_of_an_option_is_taken(site: Site) -> None:
    assert not site.run(
        others=[{"label": "a"}, {"title": "b", "label": None, "sizes": [{"gb": "2"}, {"gb": None}]}]
    ).get("failed")
    nothing = {"region": None, "login": None, "codes": None, "sizes": None}
    assert site.options["others"] == [
        {**nothing, "title": "a"},
        {**nothing, "title": "b", "sizes": [{"gb": 2}, {"gb": 1}]},
    ]


def test_the_environment_says_nothing_about_items(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CLOUDN_TEST_REGION", "of another task")
    site.run(others=[{"title": "a"}])
    assert site.options["others"][0]["region"] is None


def test_each_item_has_values_of_its_own(site: Site) -> None:
    site.run(vms=[{"name": "web1"}, {"name": "web2"}])
    first, second = site.options["vms"]
    first["name"].append("x")
    assert second["name"] == ["web2"]
    assert vm_spec.SPEC["state"]["choices"] == vm_spec.STATES


def test_what_ansible_has_tagged_is_taken() -> None:
    """From ansible-core 2.19 on, values know where they come from."""
    tags = pytest.importorskip("ansible._internal._datatag._tags", reason="ansible-core 2.18")
    origin = tags.Origin(description="a test")
    values = {
        "name": origin.tag(["web1"]),
        "user_data": origin.tag("HUSH"),
        "ha": origin.tag("yes"),
        "root_size_gb": origin.tag(5),
    }
    params = {
        "vms": origin.tag([origin.tag(values)]),
        "volumes": [origin.tag({"name": origin.tag("x"), "state": origin.tag("absent")})],
    }
    assert check(params, SPEC, items=ITEMS).startswith("volumes[0].state: absent is for the whole site")
    (machine,) = params["vms"]
    assert machine == {**defaults("cloudn_vm"), "name": ["web1"], "user_data": "HUSH", "ha": True, "root_size_gb": 5}


# Wrong items

EACH = '; write the options of each, such as "- name: NAME"'


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"vms": [{"name": "a"}, {}]}, "vms[1].name: is required, and is not given"),
        ({"vms": [{"name": None}]}, "vms[0].name: is required, and is not given"),
        ({"vms": [{"name": "a", "tempalte": "x"}]}, "vms[0].tempalte: there is no such option; did you mean 'template'?"),
        ({"vms": [{"name": "a", "root_size_gb": "x"}]}, "vms[0].root_size_gb: must be a whole number, not 'x'"),
        ({"vms": [{"name": "a", "template": ["x"]}]}, "vms[0].template: must be a text, not the list ['x']; did you mean 'x'?"),
        (
            {"vms": [{"name": "a", "state": "startd"}]},
            "vms[0].state: 'startd' is not possible. The value of state must be one of: present, started, stopped; did you mean 'started'?",
        ),
        ({"vms": [None]}, "vms[0]: is empty (null); give a value, or remove this item of the list"),
        ({"vms": [["a"]]}, f"vms[0]: must be a mapping (NAME: VALUE), not a list{EACH}"),
        ({"vms": [{"name": "a"}, "b"]}, f"vms[1]: must be a mapping (NAME: VALUE), not what is given{EACH}"),
        ({"vms": "a"}, f"vms: must be a list, not what is given{EACH}"),
        ({"vms": 1}, f"vms: must be a list, not what is given{EACH}"),
        ({"vms": True}, f"vms: must be a list, not what is given{EACH}"),
        ({"vms": {"name": "a"}}, 'vms: must be a list, not a mapping; put "- " before it'),
        ({"security_groups": ["web"]}, f"security_groups[0]: must be a mapping (NAME: VALUE), not 'web'{EACH}"),
        (
            {"security_groups": {"name": "a"}},
            "security_groups: must be a list, not the mapping {'name': 'a'}; put \"- \" before it",
        ),
        (
            {"security_groups": [{"name": "a", "ingress": [{"port": 1}]}]},
            "security_groups[0].ingress[0].port: there is no such option; did you mean 'ports'?",
        ),
        ({"vms": [{"name": ["a", ""]}]}, "vms[0].name[1]: is empty; give a value, or remove this item of the list"),
        ({"vms": [{"name": "a", "_ansible_no_log": True}]}, "vms[0]._ansible_no_log: there is no such option"),
        (
            {"vms": [{"name": "a", "detach_volumes": True, "delete_volumes": True}]},
            "vms[0]: parameters are mutually exclusive: detach_volumes|delete_volumes",
        ),
        ({"volumes": [{"name": "a", "state": "attached"}]}, "volumes[0]: state is attached but all of the following are missing: vm"),
        ({"volumes": [{"name": "a"}, {}]}, "volumes[1]: one of the following is required: name, id"),
        ({"volumes": [{"name": "a", "checksum": "x"}]}, "volumes[0]: missing parameter(s) required by 'checksum': url"),
        ({"others": [{"title": "a", "codes": ["b"]}]}, "others[0]: parameters are required together: login, codes"),
        ({"others": [{"title": "a", "label": "b"}]}, "others[0]: title and label are two names of one option; give one of them"),
        ({"others": [{"titel": "a"}]}, "others[0].titel: there is no such option; did you mean 'title'? others[0].title: is required"),
        ({"key_pairs": [{"name": " ", "public_key": PUBLIC}]}, "key_pairs[0].name: is empty; give a value"),
        ({"key_pairs": [{"name": "a" * 300, "public_key": PUBLIC}]}, "key_pairs[0].name: "),  # of the item's own check
    ],
)  # fmt: skip
def test_a_wrong_item_is_told_with_its_path(site: Site, options: Result, said: str) -> None:
    failed = site.run(**options)
    assert failed["failed"]
    assert failed["msg"].startswith(said)
    assert site.options == {}


def test_one_error_tells_all_that_is_wrong(site: Site) -> None:
    options = {
        "nmae": "shop",
        "vms": [{"name": "a", "zone": []}, {"name": "b", "state": "absent", "ha": "perhaps"}],
        "volumes": [{"state": "attached"}],
        "key_pairs": [{"name": "a", "public_key": "x"}],
        "security_groups": ["web", {"ingress": 1}],
    }
    said = site.run(**options)["msg"]
    assert said == (
        "nmae: there is no such option; did you mean 'name'? "
        "vms[0].zone: must be a text, not the list []. Give a single one. "
        "vms[1].state: absent is for the whole site; to remove one object, take the item out of the list and set prune: true. "
        "vms[1].ha: must be true or false, not 'perhaps'. "
        "volumes[0]: one of the following is required: name, id. "
        "and 5 more wrong options"
    )


@pytest.mark.parametrize("option", [*NOT_OF_ONE, "api_url", "api_secret", "validate_certs", "prune"])
def test_an_option_of_the_whole_is_sent_there(site: Site, option: str) -> None:
    failed = site.run(vms=[{"name": "a"}, {"name": "b", option: "HUSH"}])
    assert failed["msg"] == f"vms[1].{option}: is an option of the whole site, not of one item; put {option} beside vms"
    assert "HUSH" not in json.dumps(failed)


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (
            {"vms": [{"name": "a", "state": "absent"}]},
            "vms[0].state: absent is for the whole site; to remove one object, take the item out of the list and set prune: true",
        ),
        (
            {"vms": [{"name": "a", "state": "restarted"}]},
            "vms[0].state: restarted is not possible in a site; use a task of its own (cloudn_vm with state: restarted)",
        ),
        ({"volumes": [{"name": "a", "state": "extracted"}]}, "volumes[0].state: extracted is not possible in a site; use a task of its own"),
        ({"vms": [{"name": "a", "confirm_reinstall": "a"}]}, "vms[0].confirm_reinstall: is not possible in a site; use a task of its own (cloudn_vm)"),
    ],
)  # fmt: skip
def test_what_a_site_can_not_do_is_told_with_the_way_out(site: Site, options: Result, said: str) -> None:
    assert site.run(**options)["msg"] == said


def test_what_ansible_ignores_is_left_out(site: Site) -> None:
    assert not site.run(vms=[{"name": "a", "unknown": 1}], _ansible_ignore_unknown_opts=True).get("failed")
    assert "unknown" not in site.options["vms"][0]


def test_the_id_of_a_planned_object_is_refused(site: Site) -> None:
    failed = site.run(volumes=[{"name": "a"}, {"name": "b", "snapshot": "planned-snapshot-1"}])
    assert failed["msg"].startswith("volumes[1].snapshot: 'planned-snapshot-1' comes from check mode. ")
    assert site.options == {}


def test_the_id_of_an_object_of_this_run_is_taken(site: Site) -> None:
    class Known:
        def knows(self, text: str) -> bool:
            return text == "planned-virtual-machine-1"

    class Task:
        check_mode = True

        def __init__(self, vm: str) -> None:
            self.params: Result = {"volumes": [{"name": "a", "vm": vm, "state": "attached"}]}
            check(self.params, SPEC, items=ITEMS)
            connection = {name: one.get("default") for name, one in site.definition.argument_spec.items()}
            self.params = {
                **connection,
                "api_url": "http://127.0.0.1:9/client/api",
                "api_key": "k",
                "api_secret": "s",
                **self.params,
            }

        def warn(self, _text: str) -> None:
            pass

    def make_client(options: Result) -> Client:
        client = connect(options)
        client.planned = Known()  # type: ignore[assignment]
        return client

    assert "msg" not in site.definition.perform(Task("planned-virtual-machine-1"), make_client)
    assert site.definition.perform(Task("planned-virtual-machine-2"), make_client)["msg"].startswith("volumes[0].vm: ")


def test_a_check_of_the_item_itself_has_its_path() -> None:
    def refuse(_options: Result) -> None:
        raise UsageError("name: is taken")

    items = {"vms": Item(vm_spec.SPEC, check=refuse)}
    assert check({"vms": [{"name": "a"}]}, {"vms": LIST}, items=items) == "vms[0].name: is taken"


# Secrets

NUMBER = "1234567"


def marked(options: Result) -> tuple[str, Result]:
    """Return options with a secret that no other test has: Ansible tells each only once in a process. Return its mark first."""
    number = next(NUMBERS)
    return str(number), json.loads(json.dumps(options).replace("HUSH", f"HUSH{number}").replace(NUMBER, str(number)))


NUMBERS = itertools.count(7_654_321)
SECRET = '#!/bin/sh\n# it\'s "HUSH" \\o/\ncurl https://user:HUSH@example.com/ # HUSH \u202e\n'


@pytest.mark.parametrize(
    "options",
    [
        {"vms": [{"name": "a", "user_data": SECRET}]},
        {"vms": [{"name": "a", "user_data": SECRET}], "volumes": [{"name": "a", "state": "absent"}]},
        {"vms": [{"name": "a", "user_data": SECRET, "ha": "x"}]},
        {"vms": [{"name": "a", "user_data": SECRET}], "wait": "perhaps"},
        {"vms": [{"name": "a", "user_data": SECRET}], "name": None},
        {"vms": [{"name": "a", "user_data": SECRET}], "api_key": None},
        {"vms": [{"name": "a", "user_data": [SECRET]}]},
        {"vms": [{"name": "a", "userdata": SECRET}]},
        {"vms": {"name": "a", "user_data": SECRET}},
        {"vms": [[{"name": "a", "user_data": SECRET}]]},
        {"vms": [f"user_data=HUSH name={SECRET!r} x"]},
        {"vms": json.dumps([{"name": "a", "user_data": SECRET}])},
        {"vms": [{"name": "a", "template": "HUSH", "user_data": "HUSH"}]},  # hidden wherever it is, as Ansible does
        {"vms": [{"name": "a", "user_data": int(NUMBER)}]},
        {"vms": [{"name": "a", "api_secret": "HUSH"}]},
        {"volumes": [{"name": "a", "state": "attached", "vm": "b", "extract_url": "ftp://example.com/HUSH"}]},
        {"volumes": [{"name": "a", "url": "https://user:HUSH@example.com/a.vhd", "format": "VHD"}]},
        {"volumes": [{"name": "a", "url": ["https://user:HUSH@example.com/a.vhd"], "format": "VHD"}]},
        {"key_pairs": [{"name": "a", "public_key": PRIVATE}]},
        {"key_pairs": [{"name": "a", "public_key": PRIVATE, "force": "x"}]},
        {"key_pairs": [{"name": "a", "public_key": [PRIVATE]}]},
        {"key_pairs": {"name": "a", "public_key": PRIVATE}},
        {"key_pairs": [{"name": "a", "public_key": PRIVATE}], "wait": "perhaps"},
        {"key_pairs": [{"name": "a", "public_key": PRIVATE}], "api_key": None},
        {"key_pairs": [PRIVATE]},
        {"others": [{"title": "a", "login": {"password": "HUSH"}, "codes": ["HUSH1", "HUSH2"]}]},
        {"others": [{"title": "a", "login": {"password": "HUSH"}}]},
        {"others": [{"title": "a", "login": "password=HUSH"}]},
        {"others": [{"title": "a", "login": ["HUSH"]}]},
    ],
)  # fmt: skip
@pytest.mark.parametrize("check_mode", [False, True], ids=["run", "check"])
def test_nothing_shows_a_secret(
    site: Site, logged: list[str], capfd: Any, monkeypatch: pytest.MonkeyPatch, options: Result, check_mode: bool
) -> None:
    for name in ("CLOUDN_API_KEY", "CLOUDN_API_SECRET"):
        monkeypatch.delenv(name, raising=False)
    mark, options = marked(options)
    shown = json.dumps([site.run(_ansible_check_mode=check_mode, **options), logged, *capfd.readouterr()])
    assert mark not in shown


def test_the_task_itself_gets_the_secret(site: Site, logged: list[str]) -> None:
    _mark, options = marked({"vms": [{"name": "a", "user_data": SECRET, "template": "t"}]})
    done = site.run(**options, key_pairs=[{"name": "a", "public_key": PUBLIC}])
    assert site.options["vms"][0]["user_data"] == options["vms"][0]["user_data"]
    assert done["seen"]["vms"][0]["user_data"].strip() == HIDDEN
    assert done["seen"]["vms"][0]["template"] == "t"
    assert done["seen"]["key_pairs"][0]["public_key"] == PUBLIC
    assert "'template': 't'" in logged[0]


@pytest.mark.parametrize("more", [{}, {"force": "x"}, {"api_key": None}], ids=repr)
def test_a_private_key_of_a_key_pair_is_not_shown_beside_another_fault(
    run_module: Callable[..., Result], more: Result
) -> None:
    failed = run_module("cloudn_key_pair", name="a", public_key=PRIVATE, **more)
    assert "public_key: this is a private key; give the public one (*.pub)" in failed["msg"]
    assert "HUSH" not in json.dumps(failed)
