# Copyright: (c) 2026, the cloudn.compute authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Any options of a task give a result or a readable error, and nothing is changed before a complaint."""

from __future__ import annotations

import contextlib
import itertools
import pathlib
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from ansible_collections.cloudn.compute.plugins.module_utils.api import UsageError, is_read
from hypothesis import given
from hypothesis import strategies as st
from samples import KEY, NEW, UNKNOWN
from specs import imported, spec_of

Result = dict[str, Any]
MODULES = sorted(path.stem for path in (pathlib.Path(__file__).parents[2] / "plugins" / "modules").glob("cloudn_*.py"))
IMAGE = {
    "url": "https://images.example.com/x.vhd",
    "format": "VHD",
    "hypervisor": "XenServer",
    "os_type": "CentOS 5.6 (64-bit)",
}
RULES = [{"ports": "22", "cidrs": ["192.0.2.0/24"]}, {"protocol": "icmp", "cidrs": ["0.0.0.0/0"]}]
SITE: dict[str, Result] = {
    "cloudn_vm": {"name": ["web1", "web2"], "tags": {"role": "web"}, **NEW},
    "cloudn_volume": {"name": "data", "disk_offering": "Small", "state": "attached", "vm": "web1"},
    "cloudn_security_group": {"name": "web", "ingress": RULES[:1]},
    "cloudn_snapshot": {"volume": "data"},
    "cloudn_key_pair": {"name": "deploy"},
}
SHOP_GROUPS = [
    {
        "name": "shop",
        "ingress": [{"ports": "80", "cidrs": ["0.0.0.0/0"]}, {"ports": "22", "groups": [{"name": "shop"}]}],
    },
    {"name": "inner", "tags": {"tier": "back"}, "ingress": [{"ports": "5432", "groups": [{"name": "shop"}]}]},
]
SHOP: Result = {
    "name": "shop",
    "security_groups": SHOP_GROUPS[:1],
    "vms": [{"name": ["shop1"], "security_groups": ["shop"], **NEW}],
    "volumes": [{"name": "shop-data", "vm": "shop1", "disk_offering": "Small"}],
}
# Tasks that are right at that site. The tasks for a whole site also find the shop. What is asked for here is one of them, with
# some options set to something else.
TASKS: dict[str, list[Result]] = {
    "cloudn_vm": [
        {"name": ["new1", "web1"], **NEW},
        {"name": "new1", "user_data": "#!/bin/sh", "security_groups": ["web"], "key_pair": "deploy", **NEW},
        {"name": "web1", "state": "stopped"},
        {"name": "web1", "state": "reinstalled", "confirm_reinstall": "web1", "tags": {"a": "b"}},
        {"name": "web1", "service_offering": "v2", "allow_restart": True, "tags": {"a": "b"}, "display_name": "Web"},
        {"name": ["web1", "web2"], "state": "absent", "delete_volumes": True},
    ],
    "cloudn_vm_password": [{"name": "web1", "allow_restart": True}],
    "cloudn_volume": [
        {"name": "new1", "zone": "jp-e1a", "disk_offering": "Small", "tags": {"a": "b"}},
        {"name": "new1", "zone": "jp-e1a", "disk_offering": "Custom", "size_gb": 5, "state": "attached", "vm": "web2"},
        {"name": "data", "state": "attached", "vm": "web2", "force": True},
        {"name": "data", "state": "detached"},
        {"name": "data", "state": "absent", "force": True},
        {"name": "data", "state": "extracted", "extract_mode": "ftp_upload", "extract_url": "ftp://u:p@example.com/x"},
        {"name": "new1", "zone": "jp-e1a", "url": IMAGE["url"], "format": "VHD"},
    ],
    "cloudn_security_group": [
        {"name": "web", "ingress": RULES, "egress": RULES[:1], "tags": {"a": "b"}},
        {"name": "new1", "description": "New", "ingress": RULES},
        {"name": "web", "state": "absent"},
    ],
    "cloudn_snapshot": [{"volume": "data", "max_age": "0", "keep": 1, "tags": {"a": "b"}}, {"vm": "web1"}],
    "cloudn_snapshot_policy": [
        {"volume": "data", "interval": "daily", "time": "01:30", "timezone": "Asia/Tokyo", "keep": 2},
        {"vm": "web1", "interval": "weekly", "time": "01:30", "day": "sunday", "keep": 2},
        {"volume": "data", "interval": "hourly", "state": "absent"},
    ],
    "cloudn_template": [
        {"name": "image", "vm": "web1", "allow_restart": True, "tags": {"a": "b"}},
        {
            "name": "image",
            "volume": "data",
            "os_type": "CentOS 5.6 (64-bit)",
            "zone": "jp-e1a",
            "zones": ["jp-e1a", "jp-e1b"],
        },
        {"name": "image", "zone": "jp-e1a", "public": False, "accounts": [], **IMAGE},
    ],
    "cloudn_key_pair": [
        {"name": "new1"},
        {"name": "deploy", "state": "absent"},
        {"name": "deploy", "public_key": "ssh-rsa"},
    ],
    "cloudn_affinity_group": [
        {"name": "new1", "description": "New"},
        {"name": "new1", "type": "host affinity", "on_immutable_drift": "warn"},
        {"name": "new1", "state": "absent"},
    ],
    "cloudn_api": [
        {"command": "createSecurityGroup", "params": {"name": "new1"}},
        {"command": "listVirtualMachines", "params": {"keyword": "web"}},
        {"command": "rebootVirtualMachine", "params": {"id": "1"}, "secret_params": {"x": "y"}},
    ],
    "cloudn_ec2": [
        {"action": "DescribeInstances"},
        {"action": "RebootInstances", "params": {"InstanceId": [UNKNOWN]}},
    ],
    "cloudn_job": [{"jobs": [UNKNOWN]}],
    "cloudn_site": [
        {**SHOP, "graph": True},
        {
            **SHOP,
            "zone": "jp-e1a",
            "key_pairs": [{"name": "shop", "public_key": KEY}],
            "security_groups": SHOP_GROUPS,
            "vms": [{"name": ["shop1", "shop2"], "security_groups": ["shop"], "tags": {"role": "web"}, **NEW}],
            "max_jobs": 2,
        },
        {
            **SHOP,
            "only": ["shop1"],
            "vms": [{"name": ["shop1"], "display_name": "One", "security_groups": ["shop"], **NEW}],
        },
        {"name": "shop", "security_groups": SHOP_GROUPS, "prune": True, "delete_volumes": True},
        {"name": "other", "security_groups": [{"name": "web", "ingress": RULES[:1]}], "adopt": True},
        {"name": "other", "vms": [{"name": ["shop1"], **NEW}]},
        {"name": "shop", "state": "absent", "security_groups": SHOP_GROUPS},
        {"name": "shop", "state": "absent", "delete_volumes": True},
    ],
}


# What people write, by accident or not.
TEXTS = st.one_of(
    st.sampled_from(
        [
            "",
            " ",
            "web1",
            "data",
            "default",
            "jp-e1a",
            "CentOS 6.2 64bit",
            "v1",
            "Small",
            UNKNOWN,
            "日本語の名前",
            "\U0001f600",
            "{{ lookup('pipe', 'false') }}",
            "a,b",
            "back\\slash",
            "100%",
            "under_score",
            "quote'\"",
            "line\nbreak",
            "\x00\x01",
            "x" * 5000,
            "../../etc/passwd",
            "-1",
            "6h",
            "null",
            "https://images.example.com/x.vhd",
            "ftp://u:p@x/y",
        ]
    ),
    st.text(st.characters(codec="utf-8"), max_size=30),  # Ansible itself takes no other
)
ANYTHING = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(-(10**30), 10**30), st.floats(allow_nan=False), TEXTS),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXTS, inner, max_size=3),
    max_leaves=5,
)


# What options of these names mean something with, at the site above or in general.
NAMES = ["web1", "web2", "new1", "data", "web", "deploy", "default", "image"]
KNOWN: dict[str, list[Any]] = {
    "name": NAMES,
    "vm": ["web1", "web2"],
    "volume": ["data", "ROOT-4"],
    "zone": ["jp-e1a", "jp-e1b"],
    "zones": ["jp-e1a", "jp-e1b"],
    "template": ["CentOS 6.2 64bit"],
    "service_offering": ["v1", "v2"],
    "disk_offering": ["Small", "Custom"],
    "security_groups": ["default", "web"],
    "key_pair": ["deploy"],
    "os_type": ["CentOS 5.6 (64-bit)"],
    "hypervisor": ["XenServer"],
    "ports": ["22", "8000-8100"],
    "protocol": ["tcp", "udp", "icmp", "all"],
    "cidrs": ["0.0.0.0/0", "192.0.2.7", "2001:db8::/32"],
    "url": ["https://images.example.com/x.vhd"],
    "extract_url": ["ftp://u:p@ftp.example.com/x"],
    "max_age": ["0", "6h"],
    "command": ["listZones", "listVirtualMachines", "createSecurityGroup", "rebootVirtualMachine", "deleteVolume"],
    "size_gb": [1, 20],
    "keep": [1, 2],
    "time": ["01:30", "5"],
    "day": ["sunday", "28"],
    "timezone": ["UTC", "Asia/Tokyo", "GMT+9"],
    "device_id": [1, 5],
    "wait_timeout": [2],
    "only": ["shop1", "shop-data"],
}


def built_for(name: str) -> dict[str, Result]:
    """Return what is there for the tasks of a module, by the modules that make it."""
    return {**SITE, "cloudn_site": SHOP} if name == "cloudn_site" else SITE


def right(name: str, option: Result) -> st.SearchStrategy[Any]:
    """Return values of an option's type. Many of them mean something."""
    kind = option.get("type", "str")
    known = st.sampled_from(KNOWN[name]) if name in KNOWN else st.nothing()
    if kind == "list":
        inner = option.get("options", {})
        return st.lists(mapping(inner) if option.get("elements") == "dict" else known | TEXTS, max_size=3)
    if "choices" in option:
        return st.sampled_from(option["choices"])
    simple = {
        "str": TEXTS,
        "path": TEXTS,
        "bool": st.booleans(),
        "int": st.integers(-5, 10**6),
        "float": st.floats(-1, 10),
        "dict": st.dictionaries(TEXTS, TEXTS | st.integers() | st.booleans(), max_size=3),
    }
    return known | known | simple[kind]


def mapping(options: Result) -> st.SearchStrategy[Result]:
    """Options of the right types."""
    return st.fixed_dictionaries({}, optional={name: right(name, option) for name, option in options.items()})


@st.composite
def tasks(draw: st.DrawFn, name: str, spec: Result) -> Result:
    """Return a right task with up to three options changed to values of their type or of any type, or left out."""
    task = dict(draw(st.sampled_from(TASKS.get(name, [{}]))))
    options = st.lists(st.sampled_from(sorted(spec)), max_size=3, unique=True) if spec else st.just([])
    for option in draw(options):
        kind = draw(st.integers(0, 4))
        if kind == 0:
            task.pop(option, None)
        else:
            task[option] = draw(ANYTHING if kind == 1 else right(option, spec[option]))
    return task


def against(name: str) -> Iterator[Result]:
    """Yield options that break each of these rules, and nothing else."""
    spec, told = imported(name).SPEC, imported(name).DEFINITION.constraints
    base = {"name": "new1"} if "name" in spec else {}

    def values(names: Any) -> Result:
        return {option: KNOWN.get(option, spec[option].get("choices", ["x", True]))[0] for option in names}

    for group in told.get("mutually_exclusive", ()):
        for pair in itertools.combinations(group, 2):
            yield {**base, **values(pair)}
    for option, needed in told.get("required_by", {}).items():
        if needed not in base:
            yield {**base, **values([option])}
    for option, value, needed in told.get("required_if", ()):
        for left_out in needed:
            yield {**base, **values(needed), option: value, left_out: None}
    for group in told.get("required_one_of", ()):
        yield {option: value for option, value in values(spec).items() if option in ("zone",) and option not in group}


@pytest.fixture
def late(monkeypatch: pytest.MonkeyPatch) -> Callable[[Any], list[str]]:
    """Return a function that watches an emulator and returns the list of complaints that come after a change there."""
    watched: list[Any] = []
    complaints: list[str] = []
    make = UsageError.__init__

    def record(error: UsageError, message: str, *args: Any, **more: Any) -> None:
        make(error, message, *args, **more)
        if watched and changes(watched[0]):
            complaints.append(message)

    monkeypatch.setattr(UsageError, "__init__", record)

    def watch(emulator: Any) -> list[str]:
        watched[:] = [emulator]
        complaints.clear()
        return complaints

    return watch


def changes(emulator: Any) -> list[Result]:
    """Return the requests since the last look that changed something, or tried to."""
    return [request for request in emulator.requests if not is_read(request["command"])]


def known_to_the_service_alone(name: str, options: Result, done: Result) -> bool:
    """Return whether only a try can find the mistake in a task.

    That is a command of its own, names of somebody else, or the largest size of a disk: only operators may read that setting.
    """
    if "size_gb" in options and "maximum size allowed" in done["msg"]:
        return True
    return name in ("cloudn_api", "cloudn_ec2") or bool(
        {"accounts", "key_pair"} & options.keys() and "not found" in done["msg"]
    )


@pytest.mark.parametrize("name", MODULES)
def test_any_options_give_a_result_or_a_readable_error(
    name: str, run_module_as: Callable[..., Any], late: Callable[[Any], list[str]]
) -> None:
    with contextlib.ExitStack() as running:
        site: list[Any] = []

        def build() -> None:
            running.close()
            site[:] = running.enter_context(run_module_as(job_seconds=0.005))
            for module, options in built_for(name).items():
                done = site[0](module, **options)
                assert not done.get("failed"), done["msg"]

        build()

        @given(tasks(name, spec_of(name)), st.booleans())
        def holds(options: Result, check: bool) -> None:
            run, emulator = site
            complaints = late(emulator)
            emulator.clear()
            done = run(name, _check=check, **options)
            sent = changes(emulator)
            assert all(request["status"] != 530 or "error" in str(done) for request in emulator.requests)
            assert not (check and sent)
            if done.get("failed"):
                assert "Traceback" not in done["msg"]
                assert len(done["msg"]) > 10
                # Whoever has changed something complains of nothing any more that could have been known: the service refuses.
                assert not any(complaint in str(done) for complaint in complaints)
                taken = [request for request in sent if request["status"] < 400]
                assert not taken or "wait_timeout" in done["msg"] or known_to_the_service_alone(name, options, done)
            if sent:
                build()

        holds()


@pytest.mark.parametrize("name", [name for name in MODULES if list(against(name))])
def test_options_that_exclude_or_need_each_other_are_refused_before_a_request(
    name: str, run_module: Callable[..., Result], emulator: Any
) -> None:
    for options in against(name):
        for check in (False, True):
            done = run_module(name, _check=check, **options)
            assert done.get("failed"), options
            assert any(option in done["msg"] for option in options) or "required" in done["msg"]
            assert emulator.requests == []


@pytest.mark.parametrize(
    ("name", "wrong", "said"),
    [
        ("cloudn_vm", {"tags": {"role": ""}}, "tags: 'role': the service takes no tag without a key or a value"),
        ("cloudn_vm", {"tags": {"": "web"}}, "tags: '': the service takes no tag without a key or a value"),
        ("cloudn_vm", {"tags": {"role": None}}, "tags: 'role': the service takes no tag without a key or a value"),
        ("cloudn_vm", {"tags": {"role": ["web"]}}, "tags: 'role': must be a text or a number, not ['web']"),
        ("cloudn_vm", {"tags": {"role": "x" * 256}}, "tags: has 256 characters; the service takes 255: 'xxx"),
        ("cloudn_vm", {"display_name": "日" * 256}, "display_name: has 256 characters; the service takes 255: '日"),
        ("cloudn_vm", {"key_pair": ""}, "key_pair: is empty; give a value, or leave the option out"),
        ("cloudn_vm", {"name": None}, "argument 'name' is of type NoneType"),
        ("cloudn_volume", {"tags": {"role": ""}}, "tags: 'role': the service takes no tag"),
        ("cloudn_volume", {"name": None}, "one of the following is required: name, id"),
        ("cloudn_volume", {"state": "attached", "vm": None}, "state is attached but all of the following are missing: vm"),
        ("cloudn_security_group", {"tags": {"role": ""}}, "tags: 'role': the service takes no tag"),
        ("cloudn_security_group", {"description": "x" * 256}, "description: has 256 characters"),
        ("cloudn_snapshot", {"tags": {"role": ""}}, "tags: 'role': the service takes no tag"),
        ("cloudn_template", {"tags": {"role": ""}}, "tags: 'role': the service takes no tag"),
        ("cloudn_template", {"accounts": ["a,b"]}, "accounts: 'a,b' is no name of an account"),
        ("cloudn_template", {"display_text": "x" * 4097}, "display_text: has 4097 characters; the service takes 4096"),
        ("cloudn_key_pair", {"name": None}, "name: must not be empty"),
    ],
    ids=lambda value: None if isinstance(value, str) and " " in value else str(value)[:30],
)  # fmt: skip
def test_values_that_the_service_would_refuse_are_refused_before_a_request(
    name: str, wrong: Result, said: str, run_module: Callable[..., Result], emulator: Any
) -> None:
    """The tests above found each of these: the machine was made or stopped before the error came."""
    for check in (True, False):
        done = run_module(name, _check=check, **{**TASKS[name][0], **wrong})
        assert done.get("failed") and done["msg"].startswith(said), done["msg"]
        assert emulator.requests == []


def test_user_data_may_hold_any_text(run_module: Callable[..., Result], emulator: Any) -> None:
    """User data is sent encoded, so it may hold characters that the service refuses in names."""
    done = run_module("cloudn_vm", name="new1", user_data="#!/bin/sh\necho \U0001f600 " + "x" * 300, **NEW)
    assert not done.get("failed"), done["msg"]


@pytest.mark.parametrize("longest", [255, 256])
def test_the_longest_text_is_taken(run_module: Callable[..., Result], client: Any, longest: int) -> None:
    done = run_module(
        "cloudn_security_group", name="日" * longest, description="x" * longest, tags={"k": "v" * longest}
    )
    assert done.get("failed", False) is (longest > 255)
    assert len(client.list("listSecurityGroups")) == (2 if longest == 255 else 1)
