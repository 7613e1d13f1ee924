# Copyright: (c) 2026, the cloudn.compute authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The documentation is right: modules accept the options, examples run, and results are as described."""

from __future__ import annotations

import pathlib
import re
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

import pytest
import yaml
from ansible.playbook.task import Task
from ansible.plugins.loader import fragment_loader
from ansible.utils.plugin_docs import get_docstring
from ansible_collections.cloudn.compute.plugins.doc_fragments.connection import ModuleDocFragment as Connection
from ansible_collections.cloudn.compute.plugins.module_utils.definition import CONNECTION
from ansible_collections.cloudn.compute.plugins.module_utils.resources import (
    affinity_group,
    extraction,
    job,
    key_pair,
    offerings,
    zone,
)
from ansible_collections.cloudn.compute.plugins.module_utils.resources.security_group import rules
from ansible_collections.cloudn.compute.plugins.module_utils.resources.security_group import view as security_group
from ansible_collections.cloudn.compute.plugins.module_utils.resources.snapshot import view as snapshot
from ansible_collections.cloudn.compute.plugins.module_utils.resources.snapshot_policy import view as snapshot_policy
from ansible_collections.cloudn.compute.plugins.module_utils.resources.template import view as template
from ansible_collections.cloudn.compute.plugins.module_utils.resources.vm import password as vm_password
from ansible_collections.cloudn.compute.plugins.module_utils.resources.vm import view as vm
from ansible_collections.cloudn.compute.plugins.module_utils.resources.volume import view as volume
from ansible_collections.cloudn.compute.plugins.module_utils.site import owner
from reaching import connection_to
from samples import KEY, NEW
from specs import imported

ROOT = pathlib.Path(__file__).parents[3]
MODULES = sorted(path.stem for path in (ROOT / "plugins" / "modules").glob("cloudn_*.py"))
# What only one generation of CloudStack has.
AFFINITY = ["cloudn_affinity_group", "cloudn_affinity_group_info"]
ONLY = {"cloudn_ec2": "3", **dict.fromkeys(AFFINITY, "4")}
INFO = [name for name in MODULES if name.endswith("_info")]
TYPES = {"str": str, "int": int, "float": float, "bool": bool, "dict": dict, "list": list, "path": str}
EMPTY = {"id": "1"}
# The objects that the modules return, and what makes them.
OBJECTS = [
    ("cloudn_vm", "vms", vm.to_result(EMPTY), {"password", "error"}),
    ("cloudn_vm_info", "vms", vm.to_result(EMPTY), set()),
    ("cloudn_security_group", "security_group", security_group.to_result(EMPTY), set()),
    ("cloudn_security_group_info", "security_groups", security_group.to_result(EMPTY), set()),
    ("cloudn_zone_info", "zones", zone.to_result(EMPTY), set()),
    ("cloudn_service_offering_info", "service_offerings", offerings.SERVICE.to_result(EMPTY), set()),
    ("cloudn_disk_offering_info", "disk_offerings", offerings.DISK.to_result(EMPTY), set()),
    ("cloudn_vm_password", "vm", vm_password.to_result(EMPTY), {"password"}),
    ("cloudn_volume", "volume", volume.to_result(EMPTY), {"extraction"}),
    ("cloudn_volume_info", "volumes", volume.to_result(EMPTY), set()),
    ("cloudn_snapshot", "snapshot", snapshot.to_result(EMPTY), set()),
    ("cloudn_snapshot_info", "snapshots", snapshot.to_result(EMPTY), set()),
    ("cloudn_snapshot_policy", "snapshot_policy", snapshot_policy.to_result(EMPTY), set()),
    ("cloudn_snapshot_policy_info", "snapshot_policies", snapshot_policy.to_result(EMPTY), set()),
    ("cloudn_template", "template", template.to_result(EMPTY), {"extraction"}),
    ("cloudn_template_info", "templates", template.to_result(EMPTY), set()),
    ("cloudn_key_pair", "key_pair", key_pair.to_result(EMPTY), {"private_key"}),
    ("cloudn_key_pair_info", "key_pairs", key_pair.to_result(EMPTY), set()),
    ("cloudn_affinity_group", "affinity_group", affinity_group.to_result(EMPTY), set()),
    ("cloudn_affinity_group_info", "affinity_groups", affinity_group.to_result(EMPTY), set()),
    ("cloudn_job", "jobs", job.to_result(EMPTY), set()),
    ("cloudn_job_info", "jobs", job.to_result(EMPTY), set()),
    ("cloudn_site", "left", owner.left("volume", EMPTY, "it stays"), set()),
]
# The modules whose objects check mode never plans.
NEVER_PLANNED = [
    "cloudn_zone_info",
    "cloudn_service_offering_info",
    "cloudn_disk_offering_info",
    "cloudn_job",
    "cloudn_job_info",
    "cloudn_site",
]
# The lists of objects that a site returns, and what documents these objects, beside what the site adds.
OF_SITE = {
    "key_pairs": ("cloudn_key_pair", "key_pair"),
    "security_groups": ("cloudn_security_group", "security_group"),
    "vms": ("cloudn_vm", "vms"),
    "volumes": ("cloudn_volume", "volume"),
}
# The machines that a module's examples presume.
MACHINES = {
    "cloudn_volume": ["db1", "db2"],
    "cloudn_snapshot": ["db1"],
    "cloudn_snapshot_policy": ["db1"],
    "cloudn_template": ["web1"],
    "cloudn_vm_password": ["web1"],
}
# What returns the service's own words, under no names of ours.
RAW = ["cloudn_api", "cloudn_ec2"]
DIFFS = {**dict.fromkeys(RAW, "none"), "cloudn_job": "N/A", **dict.fromkeys(INFO, "N/A")}


def returned(name: str) -> dict[str, Any]:
    return yaml.safe_load(imported(name).RETURN)


def returned_whole(name: str) -> dict[str, Any]:
    """The same with what the documentation of other modules says of a site's objects."""
    fields = returned(name)
    for plural, (module, field) in OF_SITE.items() if name == "cloudn_site" else ():
        fields[plural]["contains"] = {**returned(module)[field]["contains"], **fields[plural]["contains"]}
    return fields


def documentation(name: str) -> dict[str, Any]:
    """Return a module's documentation with its fragments, as Ansible itself joins them."""
    path = str(ROOT / "plugins" / "modules" / f"{name}.py")
    return get_docstring(path, fragment_loader, is_module=True, collection_name="cloudn.compute")[0]


def accepted(name: str) -> dict[str, Any]:
    """Return the argument spec that a module gives to Ansible when it runs."""
    spec: dict[str, Any] = imported(name).DEFINITION.argument_spec
    return spec


def essence(options: dict[str, Any], inner: str) -> dict[str, Any]:
    """What documentation and argument spec both say of options; ``inner`` is what either calls options of options."""
    return {
        name: {
            "type": option.get("type", "str"),
            "elements": option.get("elements"),
            "required": option.get("required", False),
            "default": option.get("default"),
            "choices": option.get("choices"),
            "options": essence(option.get(inner) or {}, inner),
        }
        for name, option in options.items()
    }


@pytest.mark.parametrize("name", MODULES)
def test_options_are_those_that_are_accepted(name: str) -> None:
    described = essence(documentation(name)["options"], "suboptions")
    assert described == essence(accepted(name), "options")


def test_the_environment_is_read_as_described() -> None:
    """Modules read it through their argument spec, the inventory through its documentation, people from the text."""
    of_modules = {name: option["fallback"][1] for name, option in CONNECTION.items() if "fallback" in option}
    options = yaml.safe_load(Connection.PLUGIN)["options"]
    of_plugins = {name: [one["name"] for one in option["env"]] for name, option in options.items() if "env" in option}
    told = {name for name, option in options.items() if "E(CLOUDN_" in str(option["description"])}
    assert of_modules == of_plugins
    assert told == of_modules.keys()
    assert all(f"E({variable})" in str(options[name]) for name, (variable,) in of_modules.items())
    plain = {name: {key: value for key, value in option.items() if key != "env"} for name, option in options.items()}
    assert plain == yaml.safe_load(Connection.DOCUMENTATION)["options"]


@pytest.mark.parametrize("name", MODULES)
def test_check_mode_and_diff_mode_are_described(name: str) -> None:
    attributes = documentation(name)["attributes"]
    assert attributes["check_mode"]["support"] == "full"
    assert attributes["diff_mode"]["support"] == DIFFS.get(name, "full")
    assert attributes["action_group"]["membership"] == ["cloudn.compute.cloudn"]


def test_every_module_is_covered() -> None:
    assert sorted([name for name, *_rest in OBJECTS] + RAW) == MODULES


@pytest.mark.parametrize(("name", "field", "shown", "more"), OBJECTS, ids=[name for name, *_rest in OBJECTS])
def test_every_returned_key_is_described(name: str, field: str, shown: dict[str, Any], more: set[str]) -> None:
    described = returned(name)[field]["contains"]
    planned = {"planned"} if name not in NEVER_PLANNED else set()
    assert described.keys() == shown.keys() | more | planned


def test_nested_keys_are_described() -> None:
    nic = vm.to_result({"id": "1", "nic": [{"id": "2"}]})["nics"][0]
    assert returned("cloudn_vm")["vms"]["contains"]["nics"]["contains"].keys() == nic.keys()
    for module, field in (("cloudn_volume", "volume"), ("cloudn_template", "template")):
        described = returned(module)[field]["contains"]["extraction"]["contains"]
        assert described.keys() == extraction.to_result({}).keys()
    rule = rules.to_result({"ruleid": "1", "securitygroupname": "web", "account": "flatuser"})
    for direction in ("ingress", "egress"):
        described = returned("cloudn_security_group")["security_group"]["contains"][direction]["contains"]
        assert described.keys() == rule.keys()
        assert described["group"]["contains"].keys() == rule["group"].keys()


def is_a(kind: str, value: Any) -> bool:
    """Tell whether a value is of a type as documentation calls it; a truth value is no number here."""
    return isinstance(value, TYPES[kind]) and isinstance(value, bool) is (kind == "bool")


def leaves(fields: dict[str, Any], path: str = "") -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield what a RETURN block says of each value that has no parts."""
    for name, field in fields.items():
        if "contains" in field:
            yield from leaves(field["contains"], f"{path}{name}.")
        else:
            yield path + name, field


@pytest.mark.parametrize("name", MODULES)
def test_samples_are_of_their_type(name: str) -> None:
    """Every value has a sample, except those that repeat another one of the same result."""
    repeated = {
        "vm",
        "vms",
        "job",
        "security_groups",
        "volumes",
        "snapshots",
        "snapshot_policies",
        "templates",
        "key_pairs",
        "affinity_groups",
    }
    fields = {path: field for path, field in leaves(returned(name)) if path not in repeated}
    assert [path for path, field in fields.items() if not is_a(field["type"], field.get("sample"))] == []


def strangers(fields: dict[str, Any], values: dict[str, Any], path: str = "") -> Iterator[str]:
    """Yield the values of a result that are not described, or of another type than described; null is any type."""
    for key, value in values.items():
        field = fields.get(key)
        if field is None:
            yield f"{path}{key} is not described"
        elif value is not None and not is_a(field["type"], value):
            yield f"{path}{key} is {type(value).__name__}, not {field['type']}"
        elif "contains" in field and value:
            for part in value if isinstance(value, list) else [value]:
                yield from strangers(field["contains"], part, f"{path}{key}.")


def lacking(fields: dict[str, Any], values: dict[str, Any], path: str = "") -> Iterator[str]:
    """Yield what a good result lacks although it is described as always there. Below the top nothing is said of such keys."""
    for name, field in fields.items():
        value, when = values.get(name), field.get("returned", "always")
        if name not in values and when.startswith(("always", "success", "unless the task fails before")):
            yield f"{path}{name}"
        for part in value if isinstance(value, list) else [value] if value else []:
            yield from lacking(field.get("contains", {}), part, f"{path}{name}.")


@pytest.mark.parametrize("response_format", ["json", "xml"])
def test_results_are_as_described(
    run_module: Callable[..., Any], emulator: Any, generation: str, response_format: str
) -> None:
    emulator.store.add_account(replace(emulator.store.account, name="neighbour", id="neighbour", number=9, api_key=""))
    rule = {"ports": "80", "cidrs": ["192.0.2.0/24"], "groups": [{"name": "default"}]}
    ping = {"protocol": "icmp", "icmp_type": 8, "icmp_code": 0, "cidrs": ["192.0.2.0/24"]}
    new = {**NEW, "tags": {"role": "web"}}
    runs = [
        (
            "cloudn_security_group",
            {"name": "web", "ingress": [rule, ping], "egress": [ping], "tags": {"tier": "front"}},
        ),
        ("cloudn_vm", {"name": "web1", "security_groups": ["web"], "group": "front", **new}),
        ("cloudn_vm", {"name": ["web2"], "wait": False, **new}),
        ("cloudn_vm_password", {"name": "web1", "allow_restart": True}),
        ("cloudn_volume", {"name": "data", "disk_offering": "Small", "state": "attached", "vm": "web1"}),
        ("cloudn_volume", {"name": "data", "state": "detached"}),
        ("cloudn_volume", {"name": "data", "state": "extracted"}),
        ("cloudn_snapshot", {"vm": "web1", "tags": {"a": "b"}}),
        ("cloudn_snapshot_policy", {"vm": "web1", "interval": "monthly", "day": "1", "time": "01:30", "keep": 2}),
        (
            "cloudn_template",
            {"name": "web", "vm": "web1", "allow_restart": True, "accounts": ["neighbour"], "extractable": True},
        ),
        ("cloudn_template", {"name": "web", "state": "extracted"}),
        ("cloudn_key_pair", {"name": "mine"}),
        ("cloudn_affinity_group", {"name": "apart"}),
        ("cloudn_job", {"jobs": []}),
        (
            "cloudn_site",
            {
                "name": "shop",
                "key_pairs": [{"name": "shop", "public_key": KEY}],
                "security_groups": [{"name": "shop", "ingress": [rule]}],
                "vms": [{"name": ["shop1"], "security_groups": ["shop"], "key_pair": "shop", **new}],
                "volumes": [{"name": "shop1-data", "vm": "shop1", "disk_offering": "Small"}],
                "graph": True,
            },
        ),
        ("cloudn_site", {"name": "shop", "state": "absent"}),
        ("cloudn_api", {"command": "listZones"}),
        ("cloudn_ec2", {"action": "DescribeInstances"}),
        *((name, {}) for name in INFO),
    ]
    assert {name for name, _options in runs} == set(MODULES)
    for name, options in runs:
        if ONLY.get(name, generation) != generation:
            continue
        done = run_module(name, response_format=response_format, **options)
        assert not done.get("failed"), done
        of_ansible = {"changed", "invocation", "warnings", "rc"}
        shown = {key: value for key, value in done.items() if key not in of_ansible}
        fields = returned_whole(name)
        if name in ("cloudn_vm", "cloudn_vm_password"):
            assert done["vms"] == [done["vm"]]
            assert ("jobs" in done) is (options.get("wait") is False)
        # The diff's contents are the user's own options, by the names of the objects.
        assert list(strangers(fields, {key: value for key, value in shown.items() if key != "diff"})) == []
        assert shown.get("diff", {}).keys() == fields.get("diff", {}).get("contains", {}).keys()
        assert list(lacking(fields, shown)) == []


def test_a_failure_returns_what_is_described(run_module: Callable[..., Any]) -> None:
    failed = run_module("cloudn_zone_info", api_secret="wrong")
    assert failed["command"] == "listZones"
    assert failed["http_status"] == failed["error_code"] == 401
    assert failed["error_text"]
    told = str(documentation("cloudn_zone_info")["notes"])
    assert all(f"C({key})" in told for key in ("command", "http_status", "error_code", "error_text", "job_id"))


@pytest.mark.parametrize(
    ("module", "field", "info", "plural", "other_words"),
    [
        ("cloudn_vm", "vms", "cloudn_vm_info", "vms", {"state"}),
        ("cloudn_security_group", "security_group", "cloudn_security_group_info", "security_groups", {"state", "tags"}),
        ("cloudn_volume", "volume", "cloudn_volume_info", "volumes", set()),
        ("cloudn_snapshot", "snapshot", "cloudn_snapshot_info", "snapshots", set()),
        ("cloudn_snapshot_policy", "snapshot_policy", "cloudn_snapshot_policy_info", "snapshot_policies", set()),
        ("cloudn_template", "template", "cloudn_template_info", "templates", {"accounts", "state"}),
        ("cloudn_key_pair", "key_pair", "cloudn_key_pair_info", "key_pairs", {"state"}),
        ("cloudn_affinity_group", "affinity_group", "cloudn_affinity_group_info", "affinity_groups", {"state"}),
        ("cloudn_job", "jobs", "cloudn_job_info", "jobs", {"result", "status"}),
    ],
)
def test_a_module_and_its_info_describe_objects_alike(
    module: str, field: str, info: str, plural: str, other_words: set[str]
) -> None:
    """They have the same keys, but for those that a module returns only sometimes, and describe most in the same words."""
    one, other = returned(module)[field]["contains"], returned(info)[plural]["contains"]
    always = {key: value for key, value in one.items() if "returned" not in value}
    assert always.keys() == {key for key, value in other.items() if "returned" not in value}
    assert one.get("planned") == other.get("planned")
    assert {key for key in always if always[key] != other[key]} == other_words


def test_the_action_group_is_all_modules() -> None:
    runtime = yaml.safe_load((ROOT / "meta" / "runtime.yml").read_text())
    assert runtime["action_groups"]["cloudn"] == MODULES


@pytest.mark.parametrize("name", MODULES)
def test_examples_name_modules_in_full(name: str) -> None:
    """Whatever of a task is no keyword of Ansible's is its module: one with a full name, and one of ours exists."""
    for task in yaml.safe_load(imported(name).EXAMPLES):
        (module,) = task.keys() - Task.fattributes.keys()
        namespace, collection, short = module.split(".")
        assert (namespace, collection) == ("ansible", "builtin") or short in MODULES
        assert task["name"]


def allow_all(emulator: Any) -> None:
    """Let the account recover and expunge machines, as some examples need it."""
    store = emulator.store
    store.add_account(replace(store.account, grants=frozenset(["recoverVirtualMachine"])))
    server = {**store.settings.server, "allow.user.expunge.recover.vm": "true"}
    store.settings = replace(store.settings, server=server)


def on_its_generation(name: str) -> Any:
    """Return a module's name as a parameter of a test. The test runs on the generations that have the module's API."""
    only = ONLY.get(name)
    return pytest.param(name, marks=[pytest.mark.generation(only, reason="the other has no such API")] if only else [])


@pytest.mark.parametrize("name", [on_its_generation(name) for name in MODULES])
def test_the_examples_of_a_module_run(
    name: str,
    playbook: Callable[..., Any],
    run_module: Callable[..., Any],
    emulator: Any,
    generation: str,
    tmp_path: pathlib.Path,
) -> None:
    """Run a module's examples in order, as they stand. CloudStack 3 refuses what their names say that it lacks."""
    emulator.store.accounts["admin"] = replace(emulator.store.account, name="admin", id="admin", number=9, api_key="")
    allow_all(emulator)
    if name != "cloudn_security_group":
        run_module("cloudn_security_group", name="web")
    for machine in MACHINES.get(name, ["web1"] if name in INFO else []):
        run_module("cloudn_vm", name=machine, security_groups=["web"], tags={"role": "web"}, **NEW)
    if name in ("cloudn_snapshot", "cloudn_snapshot_policy"):
        run_module("cloudn_volume", name="db1-data", state="attached", vm="db1", disk_offering="Small")
    tasks = yaml.safe_load(imported(name).EXAMPLES)
    of_4 = [task for task in tasks if "(CloudStack 4)" in task["name"] and "'absent'" not in str(task)]
    refused = of_4 if generation == "3" else []
    for task in refused:
        task["ignore_errors"] = True
    play = [{"hosts": "localhost", "gather_facts": False, "tasks": tasks}]
    done = playbook(yaml.safe_dump(play), "-vvv", environment={"HOME": str(tmp_path)})
    assert done.returncode == 0, done.stdout + done.stderr
    assert not re.search(r"""["']password["']: ["'][^V(*]|PRIVATE KEY""", done.stdout + done.stderr)
    assert [vm.name for vm in emulator.store.vms.values() if vm.password and vm.password in done.stdout] == []
    assert f"ok={len(tasks)}" in done.stdout
    assert f"ignored={len(refused)}" in done.stdout
    # On CloudStack 4 the listing of jobs warns that it lists pending ones only. A destroyed VM of a site holds its group.
    told = done.stderr + done.stdout
    warns = (generation == "4" and name == "cloudn_job_info") or name == "cloudn_site"
    assert ("[WARNING]" in told) is warns


def test_the_connection_can_come_from_module_defaults(
    playbook: Callable[..., Any], emulator: Any, generation: str
) -> None:
    """The action group hands the connection to every module."""
    defaults = {"group/cloudn.compute.cloudn": connection_to(emulator)}
    tasks = [{f"cloudn.compute.{name}": {}} for name in INFO if ONLY.get(name, generation) == generation]
    play = [{"hosts": "localhost", "gather_facts": False, "module_defaults": defaults, "tasks": tasks}]
    done = playbook(
        yaml.safe_dump(play), environment={"CLOUDN_API_URL": "", "CLOUDN_API_KEY": "", "CLOUDN_API_SECRET": ""}
    )
    assert done.returncode == 0, done.stdout + done.stderr
