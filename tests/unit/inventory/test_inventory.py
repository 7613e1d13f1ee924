# Copyright: (c) 2026, the cloudn.compute authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The inventory plugin in Ansible's own inventory manager, against the emulator."""

from __future__ import annotations

import ast
import dataclasses
import http.server
import json
import math
import pathlib
import re
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from typing import Any

import ansible.template
import pytest
import yaml
from ansible import constants
from ansible_collections.cloudn.compute.plugins.inventory import cloudn
from ansible_collections.cloudn.compute.plugins.module_utils.api import Client, paging
from ansible_collections.cloudn.compute.plugins.module_utils.resources.states import STATES
from asked import sent_to
from inventories import HOSTILE, make_hostile
from reaching import connection_to
from samples import NEW, UNKNOWN

Read = Callable[..., Any]


@pytest.fixture
def site(run_module: Callable[..., Any], emulator: Any) -> None:
    """Four machines that differ in everything."""
    run_module("cloudn_security_group", name="web")
    run_module(
        "cloudn_vm", name="web1", security_groups=["web"], group="front", tags={"role": "web", "port": "80"}, **NEW
    )
    run_module("cloudn_vm", name="web2", display_name="Web two", tags={"role": "web"}, **{**NEW, "zone": "jp-e1b"})
    run_module("cloudn_vm", name="db1", tags={"role": "db"}, **{**NEW, "service_offering": "v2"})
    run_module("cloudn_vm", name="off1", state="stopped", **NEW)
    emulator.clear()


@pytest.mark.parametrize(("count", "most"), [(0, 1), (1, 1), (49, 1), (50, 9), (500, 9), (501, 10), (1200, 11)])
def test_inventories_of_any_size_take_few_requests(
    run_module_as: Any, read: Read, monkeypatch: pytest.MonkeyPatch, count: int, most: int
) -> None:
    """A small account takes one request. Others take at most one for each 500 machines, and eight more.

    A slow service is asked for smaller pages, so this test takes no service for slow: the machine may be busy.
    """
    monkeypatch.setattr(paging, "SLOW_SECONDS", math.inf)
    with run_module_as(vms=count) as (_run, emulator):
        inventory = read(states=[], **connection_to(emulator))
        requests = list(emulator.requests)
    assert inventory.code == 0, inventory.said
    assert len(inventory.hosts) == count
    assert {request["command"] for request in requests} == {"listVirtualMachines"}
    assert len(requests) <= most
    assert len({request["connection"] for request in requests}) <= 8


@pytest.mark.parametrize("change", ["appear", "vanish"])
def test_no_machine_is_left_out_while_others_come_and_go(run_module_as: Any, read: Read, change: str) -> None:
    with run_module_as(vms=300, faults=[{"kind": "page", "change": change}]) as (_run, emulator):
        before = {vm.name for vm in emulator.store.vms.values()}
        inventory = read(states=[], **connection_to(emulator))
        after = {vm.name for vm in emulator.store.vms.values() if vm.state != "Destroyed"}
        requests = len(emulator.requests)
    assert inventory.code == 0, inventory.said
    # One with each page, but for those beyond the end, which hold none that could vanish.
    assert 4 <= abs(len(after) - 300) <= requests
    assert before & after <= inventory.hosts.keys() <= before | after


def test_an_error_in_a_later_page_ends_the_run(run_module_as: Any, read: Read) -> None:
    # All but the first: which of those read ahead turn out to be beyond the end, and are not needed, is a matter of time.
    with run_module_as(vms=300, faults=[{"kind": "status", "nth": list(range(2, 20))}]) as (_run, emulator):
        inventory = read(states=[], **connection_to(emulator))
    assert (inventory.code, inventory.hosts) == (1, {})
    assert "HTTP 503" in inventory.said


def test_both_formats_give_the_same(run_module_as: Any, read: Read) -> None:
    with run_module_as(vms=300) as (_run, emulator):
        one, other = (read(states=[], response_format=name, **connection_to(emulator)) for name in ("json", "xml"))
    assert len(one.hosts) == 300
    assert one.hosts == other.hosts
    assert one.groups == other.groups


def test_only_running_machines_are_hosts_by_default(site: None, read: Read) -> None:
    inventory = read()
    assert inventory.hosts.keys() == {"web1", "web2", "db1"}
    host = inventory.hosts["web1"]
    assert host["ansible_host"] == host["cloudn_default_ip"]
    assert host["cloudn_tags"] == {"port": "80", "role": "web"}
    assert host["cloudn_security_groups"] == ["web"]
    assert host["cloudn_nics"][0]["ip_address"] == host["cloudn_default_ip"]


def test_variables_are_those_of_vm_info(site: None, read: Read, run_module: Any) -> None:
    hosts = read(hostvars_prefix="vm_", connect_with="none", states=[]).hosts
    shown = run_module("cloudn_vm_info")["vms"]
    assert hosts == {vm["name"]: {f"vm_{key}": value for key, value in vm.items()} for vm in shown}


def test_hosts_are_in_the_default_groups(site: None, read: Read, client: Client, generation: str) -> None:
    groups = read(states=[]).groups
    field = "networkid" if generation == "3" else "networkname"
    networks = {vm["name"]: vm["nic"][0][field].replace("-", "_") for vm in client.list("listVirtualMachines")}
    assert groups["zone_jp_e1a"] == {"web1", "db1", "off1"}
    assert groups["zone_jp_e1b"] == {"web2"}
    assert groups["security_group_web"] == {"web1"}
    assert groups["security_group_default"] == {"web2", "db1", "off1"}
    assert groups["tag_role_web"] == {"web1", "web2"}
    assert groups["group_front"] == {"web1"}
    assert groups["service_offering_v2"] == {"db1"}
    assert groups["template_CentOS_6_2_64bit"] == {"web1", "web2", "db1", "off1"}
    assert groups["state_Stopped"] == {"off1"}
    here = {name for name, network in networks.items() if network == networks["web1"]}
    assert groups[f"network_{networks['web1']}"] == here
    assert here >= {"web1", "db1", "off1"}


@pytest.mark.parametrize(
    ("options", "names", "commands"),
    [
        ({"states": ["stopped"]}, {"off1"}, ["listVirtualMachines"]),
        ({"states": ["Running", "Stopped"]}, {"web1", "web2", "db1", "off1"}, ["listVirtualMachines"]),
        ({"states": []}, {"web1", "web2", "db1", "off1"}, ["listVirtualMachines"]),
        ({"states": ["Nonesuch"]}, set(), ["listVirtualMachines"]),
        ({"zones": ["jp-e1b"]}, {"web2"}, ["listZones", "listVirtualMachines"]),
        ({"zones": ["jp-e1a", "91e59e5f-2971-48e7-adbe-e853ed875e76"]}, {"web1", "web2", "db1"}, ["listZones", "listVirtualMachines"]),
        ({"zones": None, "filters": None}, {"web1", "web2", "db1"}, ["listVirtualMachines"]),
        ({"filters": {"tags": {"role": "web"}}}, {"web1", "web2"}, ["listVirtualMachines"]),
        ({"filters": {"tags": {"role": "web", "port": 80}}}, {"web1"}, ["listVirtualMachines"]),
        ({"filters": {"keyword": "two"}}, {"web2"}, ["listVirtualMachines"]),
        ({"default_groups": False}, {"web1", "web2", "db1"}, ["listVirtualMachines"]),
    ],
)  # fmt: skip
def test_machines_are_selected_by_states_zones_and_filters(
    site: None, read: Read, emulator: Any, options: Any, names: set[str], commands: list[str]
) -> None:
    inventory = read(**options)
    assert inventory.code == 0, inventory.said
    assert inventory.hosts.keys() == names
    assert sent_to(emulator) == commands
    if options.get("default_groups") is False:
        assert inventory.groups.keys() <= {"all", "ungrouped"}


def test_one_zone_and_one_state_are_left_to_the_service(site: None, read: Read, emulator: Any) -> None:
    read(zones=["jp-e1b"], states=["Running"])
    params = emulator.requests[-1]["params"]
    assert (params["zoneid"], params["state"]) == ("91e59e5f-2971-48e7-adbe-e853ed875e76", "Running")


@pytest.mark.parametrize(("states", "expected"), [([], {"db1", "off1"}), (["Destroyed"], {"web1"})])
def test_destroyed_machines_are_hosts_only_when_asked_for(
    run_module_as: Any, read: Read, states: Any, expected: set[str]
) -> None:
    with run_module_as(account="admin") as (run, emulator):
        for name, state in (("web1", "present"), ("db1", "present"), ("off1", "stopped"), ("web1", "absent")):
            assert not run("cloudn_vm", name=name, state=state, **NEW).get("failed")
        assert read(states=states, **connection_to(emulator)).hosts.keys() == expected


def test_compose_groups_and_keyed_groups_work(site: None, read: Read) -> None:
    inventory = read(
        compose={
            "ansible_port": "cloudn_tags.port | default(22)",
            "shown": "'host ' ~ cloudn_name",
            "ansible_ssh_private_key_file": "inventory_dir ~ '/keys/' ~ inventory_hostname ~ '@' ~ ansible_host",
        },
        groups={
            "small": "cloudn_memory < 3000",
            "never": "false",
            "both": "'zone_jp_e1a' in group_names and shown == 'host db1'",
        },
        keyed_groups=[
            {"key": "cloudn_tags.role", "prefix": "role"},
            {"key": "cloudn_security_groups", "prefix": "sg"},
            {"key": "cloudn_zone", "separator": "", "parent_group": "zones"},
            {"key": "cloudn_tags"},
        ],
        leading_separator=False,
    )
    assert inventory.code == 0, inventory.said
    assert inventory.hosts["web1"]["ansible_port"] == "80"
    assert str(inventory.hosts["db1"]["ansible_port"]) == "22"  # core 2.18 makes text of what a template gives
    assert inventory.hosts["db1"]["shown"] == "host db1"
    assert inventory.hosts["db1"]["ansible_ssh_private_key_file"].endswith(
        f"/keys/db1@{inventory.hosts['db1']['cloudn_default_ip']}"
    )
    assert inventory.groups["small"] == {"web1", "web2"}
    assert inventory.groups["both"] == {"db1"}
    assert "never" not in inventory.groups
    assert inventory.groups["role_db"] == {"db1"}
    assert inventory.groups["role_web"] == {"web1", "web2"}
    assert inventory.groups["sg_web"] == {"web1"}
    assert inventory.groups["port_80"] == {"web1"}
    assert inventory.children["zones"] == {"jp_e1a", "jp_e1b"}


@pytest.mark.parametrize(
    "expression",
    [
        {"compose": {"x": "cloudn_nothing.at_all"}},
        {"groups": {"x": "cloudn_nothing.at_all"}},
        {"keyed_groups": [{"key": "cloudn_nothing.at_all"}]},
    ],
    ids=["compose", "groups", "keyed_groups"],
)
def test_strict_makes_errors_of_expressions_end_the_run(site: None, read: Read, expression: Any) -> None:
    strict = read(strict=True, **expression)
    assert (strict.code, strict.hosts) == (1, {})
    assert "cloudn_nothing" in strict.said
    lenient = read(strict=False, **expression)
    assert (lenient.code, len(lenient.hosts)) == (0, 3)
    assert "x" not in lenient.groups


def test_hostnames_and_addresses_are_taken_from_where_the_options_say(site: None, read: Read) -> None:
    assert read(hostnames=["tag:port", "display_name"]).hosts.keys() == {"80", "Web two", "db1"}
    hosts = read(connect_with="tag:port").hosts
    assert {name: host.get("ansible_host") for name, host in hosts.items()} == {"web1": "80", "web2": None, "db1": None}
    assert "ansible_host" not in read(connect_with="none").hosts["web1"]


@pytest.mark.parametrize("missing", ["address", "nic"])
def test_a_machine_without_address_stays(
    site: None, read: Read, monkeypatch: pytest.MonkeyPatch, emulator: Any, missing: str
) -> None:
    if missing == "address":
        web1 = next(vm for vm in emulator.store.vms.values() if vm.name == "web1")
        web1.nic = dataclasses.replace(web1.nic, ip=None)
    else:
        listed = Client.page

        def without_nic(*arguments: Any, **more: Any) -> Any:
            page = listed(*arguments, **more)
            return [{k: v for k, v in vm.items() if vm["name"] != "web1" or k != "nic"} for vm in page]

        monkeypatch.setattr(Client, "page", without_nic)
    inventory = read()
    assert inventory.hosts["web1"]["cloudn_default_ip"] is None
    assert len(inventory.hosts["web1"]["cloudn_nics"]) == (missing == "address")
    assert "ansible_host" not in inventory.hosts["web1"]
    assert "ansible_host" in inventory.hosts["web2"]


def test_two_machines_of_one_name_are_both_hosts(site: None, read: Read, client: Client) -> None:
    machines = client.list("listVirtualMachines", {"state": "Running"})
    for vm in machines:
        client.call("updateVirtualMachine", {"id": vm["id"], "displayname": "same"})
    first = min(machines, key=lambda vm: (vm["created"], vm["id"]))
    inventory = read(hostnames=["display_name"])
    assert len(inventory.hosts) == 3
    assert inventory.hosts["same"]["cloudn_id"] == first["id"]
    assert inventory.hosts.keys() - {"same"} == {
        f"same_{host['cloudn_id']}" for name, host in inventory.hosts.items() if name != "same"
    }
    assert "two VMs would be the host 'same'" in inventory.said


def test_hosts_are_in_the_order_of_names(
    run_module: Callable[..., Any], read: Read, emulator: Any, cached: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    """They are made in another order, and the service lists them in any order. Equal names go by creation."""
    for name, shown in (("web2", "b"), ("db1", "c"), ("web10", "a"), ("web1", "b")):
        run_module("cloudn_vm", name=name, display_name=shown, tags={"role": name[:2]}, **NEW)
    first, second = sorted(
        (host["cloudn_created"], host["cloudn_id"]) for name, host in read().hosts.items() if name in ("web1", "web2")
    )
    list_page, orders = Client.page, []
    for order in (list, lambda page: page[::-1], lambda page: sorted(page, key=lambda vm: vm["id"])):
        monkeypatch.setattr(Client, "page", lambda *given, _order=order, **more: _order(list_page(*given, **more)))
        orders.append(read(keyed_groups=[{"key": "cloudn_tags.role"}]))
        by_display_name = read(hostnames=["display_name"])
        assert list(by_display_name.hosts) == ["a", "b", f"b_{second[1]}", "c"]
        assert by_display_name.hosts["b"]["cloudn_id"] == first[1]
    assert [list(one.hosts) for one in orders] == [["db1", "web1", "web10", "web2"]] * 3
    assert orders[0].order == orders[1].order == orders[2].order
    assert orders[0].order["zone_jp_e1a"] == ["db1", "web1", "web10", "web2"]
    assert orders[0].order["_we"] == ["web1", "web10", "web2"]
    one, again = read(**cached), read(**cached)
    assert list(one.hosts) == list(again.hosts) == ["db1", "web1", "web10", "web2"]


def test_machines_of_one_name_at_two_services_are_both_hosts(
    site: None, read: Read, run_module_as: Any, configure: Any, emulator: Any
) -> None:
    with run_module_as() as (run, west):
        run("cloudn_vm", name="web1", **NEW)
        first = configure("west.cloudn.yml", **connection_to(west))
        inventory = read(_sources=[first])
        again = read(_sources=[configure("same.cloudn.yml", **connection_to(emulator))])
    other = next(name for name in inventory.hosts if name.startswith("web1_"))
    assert inventory.hosts.keys() == {"web1", other, "web2", "db1"}
    assert inventory.hosts["web1"]["cloudn_id"] != inventory.hosts[other]["cloudn_id"]
    assert again.hosts.keys() == {"web1", "web2", "db1"}  # the same machines, seen twice


def test_variables_of_other_sources_can_be_used(site: None, read: Read, tmp_path: pathlib.Path) -> None:
    source = tmp_path / "more.yml"
    source.write_text("all: {hosts: {web1: {site: north}}, children: {web: {hosts: {web2: {}}}}}\n")
    inventory = read(_sources=[source], groups={"north": "site is defined"})
    assert inventory.groups["north"] == {"web1"}
    assert inventory.groups["web"] == {"web2"}


# Hosts and groups of one name


@pytest.mark.parametrize("option", ["keyed_groups", "groups", "parent_group", "other source"])
def test_a_host_with_the_name_of_a_group_gets_another_name(
    site: None, read: Read, tmp_path: pathlib.Path, option: str, run_module: Any
) -> None:
    """Otherwise Ansible would set the host's variables on the group, put the group into itself, or fail."""
    vm = run_module("cloudn_vm", name="role", tags={"role": "role"}, **NEW)["vm"]
    source = tmp_path / "more.yml"
    source.write_text("all: {children: {role: {hosts: {web1: {}}}}}\n" if option == "other source" else "all: {}\n")
    options: dict[str, Any] = {
        "keyed_groups": {"keyed_groups": [{"key": "cloudn_tags.role", "separator": ""}]},
        "groups": {"groups": {"role": "cloudn_tags.role == 'role'"}},
        "parent_group": {"keyed_groups": [{"key": "cloudn_zone", "separator": "", "parent_group": "role"}]},
        "other source": {},
    }[option]
    inventory = read(_sources=[source], **options)
    assert inventory.code == 0, inventory.said
    assert inventory.hosts.keys() == {"web1", "web2", "db1", vm["id"]}
    assert inventory.hosts[vm["id"]]["cloudn_name"] == "role"
    assert f"the name 'role' of VM {vm['id']} can't be the name of a host" in inventory.said
    expected = {"other source": {"web1"}, "parent_group": set()}
    assert inventory.groups["role"] == expected.get(option, {vm["id"]})


def test_a_group_is_not_put_into_itself(site: None, read: Read) -> None:
    inventory = read(keyed_groups=[{"key": "cloudn_tags.role", "separator": "", "parent_group": "web"}])
    assert inventory.code == 0, inventory.said
    assert inventory.groups["web"] == {"web1", "web2"}
    assert inventory.children["web"] == {"db"}
    assert "the group 'web' is not put into 'web'" in inventory.said


# Hostile values


def test_hostile_values_arrive_as_they_are(read: Read, client: Client, run_module: Any, tmp_path: pathlib.Path) -> None:
    """Values arrive unchanged from every place that can hold them. Nothing is evaluated and nothing is lost."""
    canary = tmp_path / "canary"
    values = make_hostile(run_module, client, canary)
    options = {
        "hostnames": ["display_name", "name"],
        "keyed_groups": [
            {"key": "cloudn_display_name", "prefix": "shown"},
            {"key": "cloudn_tags", "separator": ""},
            {"key": "cloudn_display_name", "separator": "", "parent_group": "{{ cloudn_group }}"},
        ],
        "compose": {"composed": "cloudn_display_name"},
        "groups": {"odd": "cloudn_display_name != cloudn_tags.keys() | first"},
        "strict": True,
        "cache": True,
        "cache_plugin": "ansible.builtin.jsonfile",
        "cache_connection": str(tmp_path / "cache"),
    }
    for inventory in (read(**options), read(**options)):  # from the service, and from the cache
        assert inventory.code == 0, inventory.said
        hosts = {host["cloudn_name"]: host for host in inventory.hosts.values()}
        assert hosts.keys() == values.keys()
        for name, value in values.items():
            has_its_value(hosts[name], name, value)
        are_called_rightly(inventory)
        assert all(group.isidentifier() for group in inventory.groups)
        assert "odd" not in inventory.groups
    assert not canary.exists()


def has_its_value(host: dict[str, Any], name: str, value: str) -> None:
    """Check that a host has its hostile value, unchanged and a text, wherever the machine has it."""
    for variable in ("cloudn_display_name", "cloudn_group", "composed"):
        if variable == "composed" and name == "h-list" and not hasattr(ansible.template, "trust_as_template"):
            continue  # a template of Ansible before 2.19 makes a list of it
        assert host[variable] == value
        assert isinstance(host[variable], str)
    assert host["cloudn_tags"] == {value: value}
    assert host["cloudn_security_groups"] == [value]


def are_called_rightly(inventory: Any) -> None:
    """Check the hosts' names: the hostile value where it can be one, else the machine's name."""
    called = {host["cloudn_name"]: name for name, host in inventory.hosts.items()}
    fall_back = {f"h-{kind}" for kind in ("template", "statement", "newlines")}
    # of all others, one group is named as the host, so it gets its name instead; strange characters are no match
    assert fall_back <= {name for name, host in called.items() if host == name}
    assert called["h-range"] == "web[1:3]"
    assert called["h-quotes"] == HOSTILE["quotes"]


# The cache


@pytest.fixture
def cached(tmp_path: pathlib.Path) -> dict[str, Any]:
    return {"cache": True, "cache_plugin": "ansible.builtin.jsonfile", "cache_connection": str(tmp_path / "cache")}


def test_a_cache_hit_asks_nothing(site: None, read: Read, emulator: Any, cached: Any, tmp_path: pathlib.Path) -> None:
    first = read(**cached)
    assert len(emulator.requests) == 1
    again = read(**cached)
    assert len(emulator.requests) == 1
    assert (again.hosts, again.groups) == (first.hosts, first.groups)
    # what hosts are called is made of the same data
    assert read(**cached, hostnames=["id"], groups={"x": "true"}).groups["x"] != first.hosts.keys()
    assert len(emulator.requests) == 1
    read(**cached, _cache=False)  # as with --flush-cache
    assert len(emulator.requests) == 2
    read(**cached)
    assert len(emulator.requests) == 2
    kept = "".join(path.read_text() for path in (tmp_path / "cache").iterdir())
    assert "web1" in kept
    assert emulator.api_key not in kept
    assert emulator.api_secret not in kept


@pytest.mark.parametrize(
    "other",
    [
        {"states": []},
        {"zones": ["jp-e1a"]},
        {"filters": {"tags": {"role": "web"}}},
        {"account": "user", "domain_id": "1"},
        {"api_url": "changed"},
        {"api_key": "of another account"},
    ],
    ids="+".join,
)
def test_a_cache_entry_of_other_options_does_not_answer(
    site: None, read: Read, emulator: Any, cached: Any, other: Any
) -> None:
    read(**cached)
    if "api_url" in other:
        other = {"api_url": emulator.url.replace("http", "HTTP", 1)}
    before = len(emulator.requests)
    read(**cached, **other)
    assert len(emulator.requests) > before


def test_a_flush_renews_what_is_kept(site: None, read: Read, run_module: Any, cached: Any) -> None:
    read(**cached)
    run_module("cloudn_vm", name="new1", **NEW)
    assert "new1" not in read(**cached).hosts
    assert "new1" in read(**cached, _cache=False).hosts
    assert "new1" in read(**cached).hosts


def test_a_cache_hit_imports_nothing_that_asks(
    site: None, read: Read, configure: Any, environment: dict[str, str], cached: Any
) -> None:
    read(**cached)
    program = (
        "import sys\n"
        "from ansible.plugins.loader import init_plugin_loader\n"
        "init_plugin_loader()\n"
        "from ansible.parsing.dataloader import DataLoader\n"
        "from ansible.inventory.manager import InventoryManager\n"
        "manager = InventoryManager(DataLoader(), sources=[sys.argv[1]])\n"
        "print(len(manager.get_hosts()))\n"
        "print(*(name for name in sys.modules if name in ('requests', 'xmltodict', 'concurrent.futures.thread')))\n"
        "print(*sorted(name.rpartition('.')[2] for name in sys.modules if '.compute.plugins.module_utils.' in name))\n"
    )
    command = [sys.executable, "-c", program, str(configure(**cached))]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    assert done.stdout.splitlines() == ["3", "", "hosts inventory keyed_group names resources states visible"], (
        done.stderr
    )


def test_without_cache_nothing_is_kept(site: None, read: Read, emulator: Any, cached: Any) -> None:
    for _time in range(2):
        read(**{**cached, "cache": False})
    assert len(emulator.requests) == 2
    assert not pathlib.Path(cached["cache_connection"]).exists() or not list(
        pathlib.Path(cached["cache_connection"]).iterdir()
    )


def only_reads(call: ast.Call) -> bool:
    """Tell whether a call opens a file to read it, with no mode: the file of a profile."""
    is_plain = getattr(call.func, "id", "") == "open" and len(call.args) == 1
    return is_plain and [one.arg for one in call.keywords] == ["encoding"]


def test_the_collection_writes_no_files_itself() -> None:
    """Ansible's cache plugin keeps the cache. The collection writes no file that others could read.

    What check mode has planned is kept in Ansible's own folder for the run: ``tests/unit/planned/test_store.py``.
    """
    plugins = pathlib.Path(cloudn.__file__).parents[1]
    writing = {
        "open",
        "fdopen",
        "write_text",
        "write_bytes",
        "mkstemp",
        "mkdtemp",
        "makedirs",
        "mkdir",
        "NamedTemporaryFile",
    }
    calls = {
        getattr(node.func, "attr", getattr(node.func, "id", ""))
        for path in plugins.rglob("*.py")
        if path.relative_to(plugins).as_posix() != "module_utils/planned/store.py"
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.Call) and not only_reads(node)
    }
    assert "open_session" in calls  # they are looked at
    assert not calls & writing


def test_a_failure_is_not_kept(site: None, read: Read, cached: Any) -> None:
    assert read(**cached, api_secret="wrong").code == 1
    assert len(read(**cached).hosts) == 3


# Never silently wrong


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"api_secret": "wrong"}, "listVirtualMachines: unable to verify user credentials"),
        ({"api_secret": "wrong"}, "(error 401); check api_key and api_secret"),
        ({"filters": {"id": UNKNOWN}}, "listVirtualMachines: "),
        ({"states": [1]}, "states[0]: 1 must be a text; put it in quotes"),
        ({"hostnames": [{"a": "b"}]}, "hostnames[0]: must be one text, not {'a': 'b'}"),
        ({"api_secret": ""}, "api_secret: is missing; set the option, or the environment variable CLOUDN_API_SECRET"),
        ({"api_url": "http://127.0.0.1:9/client/api"}, "the service was not reached (no connection); check api_url"),
        ({"api_url": "https://canary-user:canary@cloud.example.com/"}, "api_url: must hold no user and no password"),
        ({"ca_path": "/nonexistent/ca.pem"}, "ca_path: '/nonexistent/ca.pem' can't be read: No such file or directory"),
        ({"api_timeout": float("nan")}, "api_timeout: must be at least 0.1, not nan"),
        ({"api_url": "nonsense"}, "api_url: 'nonsense' is no http or https address"),
        ({"ec2_url": "https://canary@cloud.example.com/awsapi"}, "ec2_url: must hold no user and no password, but it is 'https://***@cloud"),
        ({"api_url": "https://cloud.example.com/client/api?canary"}, "api_url: 'https://cloud.example.com/client/api?***' is no address"),
        ({"api_url": "https://cloud.example.com"}, "is no address of an API: it has no path. Write it like https://HOST/client/api"),
        ({"api_timeout": "soon"}, "api_timeout: must be a number, not 'soon'"),
        ({"account": "user"}, "account, domain_id: set both or neither"),
        ({"account": "", "domain_id": ""}, "account: is empty; give a value, or leave the option out. domain_id: is empty; give a value"),
        ({"zones": ["jp-w1"]}, "zones: there is no 'jp-w1'. There are: jp-e1a, jp-e1b"),
        ({"hostnames": ["fqdn"]}, "hostnames: 'fqdn' is not known; give one of name, display_name, default_ip, id, or tag:KEY"),
        ({"hostnames": ["name", "tag:"]}, "hostnames: 'tag:' is not known"),
        ({"connect_with": "ip"}, "connect_with: 'ip' is not known"),
        ({"hostvars_prefix": "a-b"}, "hostvars_prefix: 'a-b' can't begin a variable's name"),
        ({"filters": {"colour": "red"}}, "filters.colour: there is no filter of this name; there are forvirtualnetwork, groupid"),
        ({"filters": {"state": "Stopped"}}, "filters.state: there is no filter of this name; use the option states"),
        ({"filters": {"zone_id": "1"}}, "filters.zone_id: there is no filter of this name; use the option zones"),
        ({"filters": {"tag": {"a": "b"}}}, "filters.tag: there is no filter of this name; do you mean tags?"),
        ({"filters": {"template_id": "1"}}, "filters.template_id: there is no filter of this name; do you mean templateid?"),
        ({"filters": {"Keyword": "a"}}, "filters.Keyword: there is no filter of this name; do you mean keyword?"),
        ({"filters": {1: "a"}}, "filters.1: there is no filter of this name; there are"),
        ({"filters": {"groupid": "nope"}}, "listVirtualMachines"),
        ({"filters": {"groupid": None}}, "filters.groupid: has no value"),
        ({"filters": {"keyword": ["a", "b"]}}, "filters.keyword: must be one value, not ['a', 'b']"),
        ({"filters": {"tags": "role=web"}}, "filters.tags: must be a dictionary, not 'role=web'"),
        ({"filters": {"tags": None}}, "filters.tags: must be a dictionary"),
        ({"filters": {"tags": {"role": None}}}, "filters.tags.role: has no value"),
        ({"filters": "all"}, "filters: must be a mapping (NAME: VALUE), not 'all'"),
        ({"filters": "{{ [1] }}"}, "filters: must be a mapping (NAME: VALUE), not the list [1]"),
        ({"compose": ["a"]}, "compose: must be a mapping (NAME: VALUE), not the list ['a']"),
        ({"hostnames": {"a": 1}}, "hostnames: must be a list, not the mapping {'a': 1}"),
        ({"zones": "{{ {'a': 1} }}"}, "zones: must be a list, not the mapping {'a': 1}"),
        ({"connect_with": ["name", "id"]}, "connect_with: must be a text, not the list ['name', 'id']"),
        ({"api_secret": ["canary"]}, "api_secret: must be a text, not a list"),
        ({"validate_certs": "treu"}, "validate_certs: must be true or false, not 'treu'; did you mean 'true'?"),
        ({"validate_certs": "{{ 'treu' }}"}, "validate_certs: must be true or false, not 'treu'; did you mean 'true'?"),
        ({"validate_certs": 2}, "validate_certs: must be true or false, not 2"),
        ({"validate_certs": ""}, "validate_certs: must be true or false, not ''"),
        ({"use_extra_vars": "treu"}, "use_extra_vars: must be true or false, not 'treu'"),
        ({"default_groups": "maybe"}, "default_groups: must be true or false, not 'maybe'"),
        ({"strict": "blah"}, "strict: must be true or false, not 'blah'"),
        ({"leading_separator": "blah"}, "leading_separator: must be true or false, not 'blah'"),
        ({"cache": "blah"}, "cache: must be true or false, not 'blah'"),
        ({"api_retries": "many"}, "api_retries: must be a whole number, not 'many'"),
        ({"api_retries": True}, "api_retries: must be a whole number, not True"),
        ({"zone": "jp-e1a"}, "zone: there is no option of this name; do you mean zones?"),
        ({"qqq": 1}, "qqq: there is no option of this name; there are account, api_key"),
        ({"response_format": "yaml"}, "response_format: 'yaml' is not possible. The value of response_format must be one of: json, xml"),
    ],
)  # fmt: skip
def test_errors_end_the_run(site: None, read: Read, options: Any, said: str) -> None:
    inventory = read(**options)
    assert inventory.code == 1
    assert said in inventory.said
    assert re.search(r"/cloudn\.yml: ", inventory.said)  # the error names the file
    assert "canary" not in inventory.said


@pytest.fixture
def broken() -> Iterator[str]:
    """The address of a proxy whose service can't be reached."""

    class Broken(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(503)
            self.end_headers()
            self.wfile.write(b"<html>Service Unavailable</html>")

        def log_message(self, *_args: object) -> None:
            pass

    with http.server.HTTPServer(("127.0.0.1", 0), Broken) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_address[1]}/client/api"
        finally:
            server.shutdown()
            thread.join()


def test_a_broken_answer_ends_the_run(read: Read, broken: str) -> None:
    inventory = read(api_url=broken)
    assert inventory.code == 1
    assert "listVirtualMachines" in inventory.said
    assert "it is an HTML page" in inventory.said
    assert "HTTP 503" in inventory.said


def test_a_failure_half_way_leaves_nothing_behind(
    site: None, read: Read, monkeypatch: pytest.MonkeyPatch, run_module: Any
) -> None:
    """The user allows the source to fail, so it is left out as a whole."""
    origin = constants.config.get_config_value_and_origin

    def said_by_the_user(name: str, *more: Any, **even: Any) -> Any:
        return (False, "env") if name == "INVENTORY_ANY_UNPARSED_IS_FAILED" else origin(name, *more, **even)

    monkeypatch.setattr(constants.config, "get_config_value_and_origin", said_by_the_user)
    inventory = read(strict=True, compose={"x": "cloudn_tags.port"})  # web1, the first, has it; others do not
    assert inventory.code == 0
    assert inventory.hosts == {}
    assert "Could not set x for host" in inventory.said


def test_unexpected_errors_end_the_run(site: None, read: Read, monkeypatch: pytest.MonkeyPatch) -> None:
    def fall(*_args: Any) -> None:
        raise ZeroDivisionError("by zero")

    monkeypatch.setattr("ansible_collections.cloudn.compute.plugins.module_utils.inventory.hosts.build", fall)
    inventory = read()
    assert inventory.code == 1
    assert "cloudn.yml: unexpected ZeroDivisionError" in inventory.said
    assert "by zero" in inventory.said


@pytest.mark.parametrize(
    ("options", "said"),
    [({"api_url": "nonsense"}, "api_url: 'nonsense'"), ({"zone": "a"}, "zone: there is no option"), ({"states": "{{ x }}"}, "states: the")],
)  # fmt: skip
def test_errors_name_the_file_among_several(
    site: None, command: Any, configure: Any, emulator: Any, options: Any, said: str
) -> None:
    good = configure("good.cloudn.yml")
    inventory = command("-i", str(good), _name="bad.cloudn.yml", **options)
    assert inventory.code == 1
    assert re.search(rf"/bad\.cloudn\.yml: {re.escape(said)}", inventory.said.replace("- ", "-"))
    assert "good.cloudn.yml: " not in inventory.said


# What is warned of


def test_a_state_that_is_not_known_is_warned_of(site: None, read: Read) -> None:
    """The state may be of another version of the service. More often it is a slip that would leave machines out."""
    inventory = read(states=["Runing", "stopped"])
    assert inventory.hosts.keys() == {"off1"}
    assert "states: 'Runing' is no state that is known here" in inventory.said
    assert "do you mean Running?" in inventory.said
    assert "stopped" not in inventory.said
    assert "cloudn.yml: states: 'Runing'" in inventory.said


def test_the_states_of_the_vm_module_are_known(site: None, read: Read) -> None:
    assert read(states=list(STATES)).said == ""


def test_each_warning_names_the_file(
    site: None, read: Read, run_module: Any, emulator: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("no_proxy", "*")
    emulator.allow("0.0.0.0")
    said: list[str] = []
    assert run_module("cloudn_vm", name="web1", tags={"x": "all"})["changed"]
    warn = cloudn.InventoryModule.warn
    monkeypatch.setattr(cloudn.InventoryModule, "warn", lambda plugin, text: (said.append(text), warn(plugin, text)))
    inventory = read(
        states=["Runing", "Running"],
        validate_certs=False,
        api_url=emulator.url.replace("127.0.0.1", "0.0.0.0"),
        hostnames=["tag:x", "display_name"],
        connect_with="tag:x",
    )
    assert inventory.code == 0, inventory.said
    assert len(said) > 3
    assert inventory.said.count("/cloudn.yml: ") == len(said)


@pytest.mark.parametrize("value", [None, "yes", "on", 1, "true", True], ids=repr)
def test_what_means_true_is_taken(site: None, read: Read, value: Any) -> None:
    inventory = read(validate_certs=value, default_groups=value)
    assert (inventory.code, inventory.said) == (0, "")
    assert "zone_jp_e1a" in inventory.groups


def test_an_open_connection_is_warned_of_once(
    site: None, read: Read, cached: Any, emulator: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("no_proxy", "*")
    emulator.allow("0.0.0.0")
    options = {**cached, "validate_certs": False, "api_url": emulator.url.replace("127.0.0.1", "0.0.0.0")}
    inventory = read(**options)
    assert len(inventory.hosts) == 3
    assert inventory.said.count("validate_certs: the service's certificate is not verified") == 1
    assert inventory.said.count("api_url: http is not encrypted") == 1
    assert read(**options).said == ""  # from the cache: nothing is sent


# Other programs


def test_other_programs_read_plain_texts_in_yaml_and_marked_texts_in_json(
    site: None, configure: Any, environment: dict[str, str]
) -> None:
    """As the documentation says."""
    listed = {
        name: subprocess.run(
            ["ansible-inventory", "-i", str(configure()), "--list", *more],
            env=environment, capture_output=True, text=True, check=True,
        ).stdout
        for name, more in (("yaml", ["--yaml"]), ("json", []))
    }  # fmt: skip
    marked = json.loads(listed["json"])["_meta"]["hostvars"]["web1"]["ansible_host"]
    assert "__ansible_unsafe" not in listed["yaml"]
    assert f"ansible_host: {marked['__ansible_unsafe']}\n" in listed["yaml"]
    assert marked.keys() == {"__ansible_unsafe"}


# Files


def test_a_file_of_another_plugin_is_no_failure(
    site: None, read: Read, monkeypatch: pytest.MonkeyPatch, tmp_path: pathlib.Path
) -> None:
    other = tmp_path / "other.cloudn.yml"
    other.write_text("plugin: ansible.builtin.constructed\ngroups: {}\n")
    unreadable = tmp_path / "notes.txt"
    unreadable.write_text("[[[")
    monkeypatch.setattr(constants, "INVENTORY_ENABLED", ["cloudn.compute.cloudn", "auto", "ini"])
    inventory = read(_sources=[other, unreadable])
    assert inventory.code == 0, inventory.said
    assert len(inventory.hosts) == 3


@pytest.mark.parametrize(
    ("name", "wanted"),
    [("cloudn.yml", True), ("west.cloudn.yaml", True), ("my_cloudn.yml", True), ("hosts.yml", False), ("cloudn.ini", False)],
)  # fmt: skip
def test_only_files_with_the_right_names_are_read(configure: Any, name: str, wanted: bool) -> None:
    assert cloudn.InventoryModule().verify_file(str(configure(name))) is wanted


def test_a_file_that_is_not_there_is_not_read() -> None:
    assert not cloudn.InventoryModule().verify_file("/nonexistent/cloudn.yml")


@pytest.mark.parametrize("number", range(len(list(yaml.safe_load_all(cloudn.EXAMPLES)))))
def test_the_examples_of_the_plugin_run(
    site: None,
    read: Read,
    cached: Any,
    emulator: Any,
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: pathlib.Path,
    number: int,
) -> None:
    example = list(yaml.safe_load_all(cloudn.EXAMPLES))[number]
    profiles = tmp_path / "profiles.ini"
    account = f"endpoint = {emulator.url}\nkey = {emulator.api_key}\nsecret = {emulator.api_secret}\n"
    profiles.write_text(f"[east]\n{account}")
    monkeypatch.setenv("CLOUDSTACK_CONFIG", str(profiles))
    given = {"my_key": emulator.api_key, "my_secret": emulator.api_secret, "role": "web"}
    monkeypatch.setattr("ansible.plugins.inventory.load_extra_vars", lambda _loader: given)  # what -e gives
    if "cache_connection" in example:
        example["cache_connection"] = cached["cache_connection"]
    inventory = read(**example)
    assert inventory.code == 0, inventory.said
    assert inventory.hosts
    if "use_extra_vars" in example:
        assert inventory.hosts.keys() == {"web1", "web2"}


@pytest.mark.generation("3", reason="on CloudStack 4 a machine stays listed without its key pair")
def test_a_machine_without_its_key_pair_does_not_take_the_others_along(site: None, read: Read, emulator: Any) -> None:
    """The service fails on every listing that would show the machine."""
    lost = next(vm for vm in emulator.store.vms.values() if vm.name == "web2")
    before = read()
    lost.public_key = "ssh-rsa AAAA"
    inventory = read()
    assert inventory.code == 0
    assert inventory.hosts.keys() == before.hosts.keys()
    assert inventory.groups == before.groups
    assert inventory.hosts["web2"]["ansible_host"] == before.hosts["web2"]["ansible_host"]
    assert f"VM web2 ({lost.id}) in full: its SSH key pair was deleted or replaced" in inventory.said


@pytest.mark.parametrize("place", [0, 300, 599])
@pytest.mark.generation("3", reason="on CloudStack 4 a machine stays listed without its key pair")
def test_a_machine_without_its_key_pair_costs_few_requests(run_module_as: Any, read: Read, place: int) -> None:
    with run_module_as(vms=600) as (_run, emulator):
        whole = read(states=[], **connection_to(emulator))
        usual = len(emulator.requests)
        list(emulator.store.vms.values())[place].public_key = "ssh-rsa AAAA"
        emulator.clear()
        inventory = read(states=[], **connection_to(emulator))
        assert inventory.hosts.keys() == whole.hosts.keys()
        assert len(emulator.requests) - usual <= 2 * math.log2(600) + 2
