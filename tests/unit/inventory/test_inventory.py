# Copyright: (c) 2026, the cloudn.compute authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The inventory plugin through the real ansible-inventory, against the emulator."""

from __future__ import annotations

import json
import pathlib
import subprocess
import sys
from collections.abc import Callable
from typing import Any

import pytest
from ansible_collections.cloudn.compute.plugins.module_utils.api import Client

Read = Callable[..., Any]
NEW = {"zone": "jp-e1a", "template": "CentOS 6.2 64bit", "service_offering": "v1"}


@pytest.fixture
def seeded(run_module_as: Callable[..., Any], read: Read) -> Callable[..., Any]:
    """Return a function that reads the inventory of a service with this many machines, and the requests it took."""

    def run(count: int, **options: Any) -> tuple[Any, list[dict[str, Any]]]:
        with run_module_as(vms=count) as (_run, emulator):
            reach = {"CLOUDN_API_URL": emulator.url, "CLOUDN_API_KEY": emulator.api_key}
            return read(environment=reach, **options), list(emulator.requests)

    return run


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


@pytest.mark.parametrize(("count", "pages"), [(0, 1), (1, 1), (501, 2), (1200, 3)])
def test_sizes(seeded: Read, count: int, pages: int) -> None:
    inventory, requests = seeded(count, states=[])
    assert inventory.code == 0, inventory.stderr
    assert len(inventory.hosts) == count
    assert [request["command"] for request in requests] == ["listVirtualMachines"] * pages
    assert len({request["connection"] for request in requests}) == 1


def test_running_ones_by_default(site: None, read: Read) -> None:
    inventory = read()
    assert inventory.hosts.keys() == {"web1", "web2", "db1"}
    host = inventory.hosts["web1"]
    assert host["ansible_host"] == host["cloudn_default_ip"]
    assert host["cloudn_tags"] == {"port": "80", "role": "web"}
    assert host["cloudn_security_groups"] == ["web"]
    assert host["cloudn_nics"][0]["ip_address"] == host["cloudn_default_ip"]


def test_default_groups(site: None, read: Read, client: Client) -> None:
    groups = read(states=[]).groups
    networks = {vm["name"]: vm["nic"][0]["networkid"].replace("-", "_") for vm in client.list("listVirtualMachines")}
    assert groups["zone_jp_e1a"] == {"web1", "db1", "off1"}
    assert groups["zone_jp_e1b"] == {"web2"}
    assert groups["security_group_web"] == {"web1"}
    assert groups["security_group_default"] == {"web2", "db1", "off1"}
    assert groups["tag_role_web"] == {"web1", "web2"}
    assert groups["group_front"] == {"web1"}
    assert groups["service_offering_v2"] == {"db1"}
    assert groups["template_CentOS_6_2_64bit"] == {"web1", "web2", "db1", "off1"}
    assert groups["state_Stopped"] == {"off1"}
    assert groups[f"network_{networks['web1']}"] == {"web1", "db1", "off1"}


@pytest.mark.parametrize(
    ("options", "names", "commands"),
    [
        ({"states": ["stopped"]}, {"off1"}, ["listVirtualMachines"]),
        ({"states": ["Running", "Stopped"]}, {"web1", "web2", "db1", "off1"}, ["listVirtualMachines"]),
        ({"states": []}, {"web1", "web2", "db1", "off1"}, ["listVirtualMachines"]),
        ({"zones": ["jp-e1b"]}, {"web2"}, ["listZones", "listVirtualMachines"]),
        ({"zones": ["jp-e1a", "91e59e5f-2971-48e7-adbe-e853ed875e76"]}, {"web1", "web2", "db1"}, ["listZones", "listVirtualMachines"]),
        ({"filters": {"tags": {"role": "web"}}}, {"web1", "web2"}, ["listVirtualMachines"]),
        ({"filters": {"tags": {"role": "web", "port": 80}}}, {"web1"}, ["listVirtualMachines"]),
        ({"filters": {"keyword": "two"}}, {"web2"}, ["listVirtualMachines"]),
        ({"default_groups": False}, {"web1", "web2", "db1"}, ["listVirtualMachines"]),
    ],
)  # fmt: skip
def test_selection(site: None, read: Read, emulator: Any, options: Any, names: set[str], commands: list[str]) -> None:
    inventory = read(**options)
    assert inventory.hosts.keys() == names
    assert [request["command"] for request in emulator.requests] == commands
    if options.get("default_groups") is False:
        assert inventory.groups.keys() <= {"all", "ungrouped"}


def test_constructed(site: None, read: Read) -> None:
    inventory = read(
        compose={"ansible_port": "cloudn_tags.port | default(22)", "shown": "'host ' ~ cloudn_name"},
        groups={"small": "cloudn_memory < 3000", "never": "false"},
        keyed_groups=[
            {"key": "cloudn_tags.role", "prefix": "role"},
            {"key": "cloudn_security_groups", "prefix": "sg"},
            {"key": "cloudn_zone", "separator": "", "parent_group": "zones"},
        ],
        hostvars_prefix="cloudn_",
    )
    assert inventory.hosts["web1"]["ansible_port"] == "80"
    assert str(inventory.hosts["db1"]["ansible_port"]) == "22"  # core 2.18 makes text of what a template gives
    assert inventory.hosts["db1"]["shown"] == "host db1"
    assert inventory.groups["small"] == {"web1", "web2"}
    assert "never" not in inventory.groups
    assert inventory.groups["role_db"] == {"db1"}
    assert inventory.groups["sg_web"] == {"web1"}
    assert inventory.children["zones"] == {"jp_e1a", "jp_e1b"}


@pytest.mark.parametrize(("strict", "code"), [(True, 1), (False, 0)])
def test_strict(site: None, read: Read, strict: bool, code: int) -> None:
    inventory = read(strict=strict, compose={"x": "cloudn_nothing.at_all"})
    assert inventory.code == code
    assert len(inventory.hosts) == (0 if strict else 3)


def test_hostnames(site: None, read: Read) -> None:
    assert read(hostnames=["display_name"]).hosts.keys() == {"web1", "Web two", "db1"}
    assert read(connect_with="none").hosts["web1"].get("ansible_host") is None


def test_two_of_one_name(site: None, read: Read, client: Client) -> None:
    for vm in client.list("listVirtualMachines"):
        client.call("updateVirtualMachine", {"id": vm["id"], "displayname": "same"})
    inventory = read(hostnames=["display_name"])
    assert len(inventory.hosts) == 3
    assert "same" in inventory.hosts
    assert {name for name in inventory.hosts if name != "same"} == {
        f"same_{host['cloudn_id']}" for name, host in inventory.hosts.items() if name != "same"
    }
    assert "two virtual machines would be the host 'same'" in inventory.stderr


def test_both_formats_give_the_same(site: None, read: Read) -> None:
    one, other = read(), read(response_format="xml")
    assert (one.hosts, one.groups) == (other.hosts, other.groups)


HOSTILE = {
    "template": "{{ lookup('pipe', 'touch CANARY') }}",
    "statement": "{% for x in range(9) %}{{ x }}{% endfor %}",
    "newlines": "a\nb: c\n- d",
    "yaml": "key: [value, {x: y}]",
    "no": "no",
    "number": "007",
    "japanese": "ウェブサーバー",
    "quotes": "\"'`\\",
    "range": "web[1:3]",
    "tagged": "!unsafe x",
    "long": "x" * 250,
    "null": "null",
}


@pytest.mark.parametrize("value", HOSTILE.values(), ids=HOSTILE.keys())
def test_hostile_values(
    value: str, read: Read, run_module: Any, client: Client, tmp_path: pathlib.Path, playbook: Any, configure: Any
) -> None:
    """The value arrives as it is, in every place it can come from; nothing is evaluated, nothing is lost."""
    value = value.replace("CANARY", str(tmp_path / "canary"))
    client.call("createSecurityGroup", {"name": value})
    made = run_module("cloudn_vm", name="web1", security_groups=[value], tags={value: value}, **NEW)
    run_module("cloudn_vm", name="web2", **NEW)
    assert not made.get("failed"), made
    client.call("updateVirtualMachine", {"id": made["vm"]["id"], "displayname": value, "group": value})
    options = {
        "hostnames": ["display_name", "name"],
        "keyed_groups": [{"key": "cloudn_display_name", "prefix": "shown"}, {"key": "cloudn_tags"}],
        "compose": {"composed": "cloudn_display_name"},
        "strict": True,
    }
    inventory = read(**options)
    assert inventory.code == 0, inventory.stderr
    assert len(inventory.hosts) == 2
    (host,) = (host for host in inventory.hosts.values() if host["cloudn_name"] == "web1")
    for name in ("cloudn_display_name", "cloudn_group", "composed"):
        assert host[name] == value
    assert host["cloudn_tags"] == {value: value}
    assert host["cloudn_security_groups"] == [value]
    # and in a play, where variables are used
    play = [
        {
            "hosts": "all",
            "gather_facts": False,
            "tasks": [
                {
                    "ansible.builtin.copy": {
                        "content": "{{ cloudn_display_name }}|{{ cloudn_tags.values() | first }}|{{ composed }}",
                        "dest": str(tmp_path / "seen"),
                    },
                    "delegate_to": "localhost",
                    "connection": "local",
                    "when": "cloudn_name == 'web1'",
                }
            ],
        }
    ]
    done = playbook(json.dumps(play), "-i", str(configure(**options)))
    assert done.returncode == 0, done.stdout + done.stderr
    assert (tmp_path / "seen").read_text() == "|".join([value] * 3)
    assert not (tmp_path / "canary").exists()


# The cache


def test_a_cache_hit_asks_nothing(
    site: None, read: Read, emulator: Any, tmp_path: pathlib.Path, playbook: Any, configure: Any
) -> None:
    cached = {
        "cache": True,
        "cache_plugin": "ansible.builtin.jsonfile",
        "cache_connection": str(tmp_path / "cache"),
        "hostnames": ["name"],
    }
    first = read(**cached)
    assert len(emulator.requests) == 1
    again = read(**cached)
    assert len(emulator.requests) == 1
    assert (again.hosts, again.groups) == (first.hosts, first.groups)
    # other names for hosts are made of the same data, other machines are not
    assert read(**{**cached, "hostnames": ["id"]}).hosts.keys() != first.hosts.keys()
    assert len(emulator.requests) == 1
    assert read(**cached, states=[]).hosts.keys() == {"web1", "web2", "db1", "off1"}
    assert len(emulator.requests) == 2
    play = json.dumps([{"hosts": "all", "gather_facts": False, "tasks": []}])
    assert playbook(play, "-i", str(configure(**cached, states=[])), "--flush-cache").returncode == 0
    assert len(emulator.requests) == 3
    kept = "".join(path.read_text() for path in (tmp_path / "cache").iterdir())
    assert "web1" in kept
    assert emulator.api_key not in kept
    assert emulator.api_secret not in kept


def test_a_cache_hit_imports_no_requests(
    site: None, read: Read, configure: Any, environment: dict[str, str], tmp_path: pathlib.Path
) -> None:
    cached = {"cache": True, "cache_plugin": "ansible.builtin.jsonfile", "cache_connection": str(tmp_path / "cache")}
    read(**cached)
    program = (
        "import sys\n"
        "from ansible.plugins.loader import init_plugin_loader\n"
        "init_plugin_loader()\n"
        "from ansible.parsing.dataloader import DataLoader\n"
        "from ansible.inventory.manager import InventoryManager\n"
        "manager = InventoryManager(DataLoader(), sources=[sys.argv[1]])\n"
        "print(len(manager.get_hosts()), 'requests' in sys.modules)\n"
    )
    command = [sys.executable, "-c", program, str(configure(**cached))]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    assert done.stdout == "3 False\n", done.stderr


def test_without_cache_nothing_is_kept(site: None, read: Read, emulator: Any, tmp_path: pathlib.Path) -> None:
    options = {"cache": False, "cache_plugin": "ansible.builtin.jsonfile", "cache_connection": str(tmp_path / "cache")}
    read(**options)
    read(**options)
    assert len(emulator.requests) == 2
    assert not list((tmp_path / "cache").glob("*"))


# Never silently wrong


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"api_secret": "wrong"}, "listVirtualMachines: unable to verify user credentials"),
        ({"api_url": "http://127.0.0.1:9/client/api"}, "the service was not reached"),
        ({"api_url": "nonsense"}, "api_url: 'nonsense' is no http or https address"),
        ({"zones": ["jp-w1"]}, "zones: there is no 'jp-w1'. There are: jp-e1a, jp-e1b"),
        (
            {"hostnames": ["fqdn"]},
            "hostnames: 'fqdn' is not known; give one of name, display_name, default_ip, id, or tag:KEY",
        ),
        ({"connect_with": "ip"}, "connect_with: 'ip' is not known"),
        ({"hostvars_prefix": "a-b"}, "hostvars_prefix: 'a-b' can't begin a variable's name"),
        ({"filters": {"colour": "red"}}, "filters: colour: not known; there are forvirtualnetwork, groupid"),
        ({"filters": {"groupid": "nope"}}, "listVirtualMachines"),
        ({"states": "{"}, None),
    ],
)
def test_errors_end_the_run(
    site: None, read: Read, playbook: Any, configure: Any, options: Any, said: str | None
) -> None:
    if said is None:
        assert read(**options).hosts == {}  # no machine is in a state of that name: that is no error
        return
    inventory = read(**options)
    assert inventory.code != 0
    assert said in inventory.stderr
    assert "Traceback" not in inventory.stderr
    play = json.dumps([{"hosts": "all", "gather_facts": False, "tasks": []}])
    assert playbook(play, "-i", str(configure(**options))).returncode != 0


def test_a_broken_answer_ends_the_run(read: Read, tmp_path: pathlib.Path) -> None:
    import http.server
    import threading

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
            inventory = read(api_url=f"http://127.0.0.1:{server.server_address[1]}/client/api")
        finally:
            server.shutdown()
            thread.join()
    assert inventory.code != 0
    assert "it is an HTML page" in inventory.stderr
    assert "HTTP 503" in inventory.stderr


def test_other_files_are_not_for_it(environment: dict[str, str], tmp_path: pathlib.Path) -> None:
    path = tmp_path / "hosts.yml"
    path.write_text("all: {hosts: {a: {}}}\n")
    command = ["ansible-inventory", "-i", str(path), "--list"]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    assert list(json.loads(done.stdout)["_meta"]["hostvars"]) in (["a"], [])
    assert done.returncode == 0
