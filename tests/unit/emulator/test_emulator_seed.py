# Copyright: (c) 2026, the cloudn.compute authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""`--seed`: the objects of a file are there from the start, and a wrong file is told with the place and the way out."""

from __future__ import annotations

import pathlib
import re
from collections.abc import Callable
from typing import Any

import pytest
import yaml
from cloudn_emulator import Emulator
from cloudn_emulator.cli import main
from cloudn_emulator.seed_file import BadSeed
from cloudn_emulator.seed_objects import STATES
from emulator_clients import Api
from kept import held, restarted

ROOT = pathlib.Path(__file__).parents[3]
GENERATIONS = pytest.mark.parametrize("generation", ["3", "4"])
KEY = "ssh-rsa AAAAB3NzaC1yc2EAAAADAQABAAAAgQDH7lNJg26VxcD8G"


def documented() -> str:
    """The example of the documentation."""
    text = (ROOT / "docs" / "emulator.md").read_text()
    (found,) = re.findall(r"```yaml\n(# seed\.yml\n.*?)```", text, re.DOTALL)
    return str(found)


@GENERATIONS
def test_the_example_of_the_documentation_is_there_from_the_start(
    generation: str, emulate: Callable[..., Api], tmp_path: pathlib.Path
) -> None:
    file = tmp_path / "seed.yml"
    file.write_text(documented())
    api = emulate(generation=generation, seed=file, job_seconds=0.01)
    (web, old) = sorted(api.vms(), key=lambda vm: vm["name"], reverse=True)
    assert (web["name"], web["state"], web["zonename"], web["serviceofferingname"]) == (
        "web1",
        "Running",
        "tokyo",
        "small",
    )
    assert (web["displayname"], web["templatename"], web["group"]) == ("Web server 1", "Debian 12", "shop")
    assert {one["name"] for one in web["securitygroup"]} == {"web"}
    assert {tag["key"]: tag["value"] for tag in web["tags"]} == {"role": "web"}
    assert (old["name"], old["state"]) == ("old1", "Stopped")
    (group,) = api("listSecurityGroups", securitygroupname="web")["securitygroup"]
    rules = {(rule["startport"], rule.get("cidr"), rule.get("securitygroupname")) for rule in group["ingressrule"]}
    assert rules == {(80, "0.0.0.0/0", None), (8000, "192.0.2.0/24", None), (22, None, "admin")}
    (disk,) = [one for one in api.volumes() if one["name"] == "web1-data"]
    assert (disk["size"], disk["vmname"], disk["type"]) == (20 << 30, "web1", "DATADISK")
    (snapshot,) = api.snapshots()
    assert (snapshot["name"], snapshot["created"][:10], snapshot["state"]) == (
        "before-update",
        "2026-11-01",
        "BackedUp",
    )
    (policy,) = api("listSnapshotPolicies", volumeid=disk["id"])["snapshotpolicy"]
    assert (policy["schedule"], policy["maxsnaps"]) == ("30:2", 7)
    assert [pair["name"] for pair in api("listSSHKeyPairs")["sshkeypair"]] == ["deploy"]
    assert [zone["name"] for zone in api("listZones")["zone"]] == ["tokyo"]
    other = Api(api.emulator)
    other.emulator = Keys(api.emulator, "partner-api-key", "partner-api-secret")
    assert other.names() == {"partner1"}
    # It can be used as what was made by requests.
    api.job("stopVirtualMachine", id=web["id"])
    api.job("detachVolume", id=disk["id"])
    api.job("destroyVirtualMachine", id=old["id"])


class Keys:
    """An emulator as another account reaches it."""

    def __init__(self, emulator: Emulator, api_key: str, api_secret: str) -> None:
        self.url, self.api_key, self.api_secret = emulator.url, api_key, api_secret


@GENERATIONS
def test_a_reset_and_a_restart_have_the_same_objects(
    generation: str, emulate: Callable[..., Api], tmp_path: pathlib.Path
) -> None:
    settings = {"generation": generation, "seed": yaml.safe_load(documented())}
    state = tmp_path / "state"
    api = emulate(**settings, state=state)
    ids = {
        name: [key for key, _row in rows] for name, rows in held(api.emulator.store).items() if isinstance(rows, list)
    }
    for vm in api.vms():
        api.job("destroyVirtualMachine", id=vm["id"])
    api.emulator.reset()
    again = held(api.emulator.store)
    assert {name: [key for key, _row in rows] for name, rows in again.items()} == ids
    api.emulator.stop()
    assert restarted(state, **settings) == again


@pytest.mark.parametrize("state", STATES)
@GENERATIONS
def test_a_machine_may_be_in_any_state(generation: str, state: str, emulate: Callable[..., Api]) -> None:
    api = emulate(generation=generation, account="admin", seed={"vms": [{**VM, "state": state}]}, job_seconds=0.01)
    (vm,) = api.vms()
    assert (vm["name"], vm["state"]) == ("a", state)
    assert ("hostname" in vm) is (state in ("Running", "Starting", "Stopping", "Migrating", "Unknown"))
    if state == "Stopped":
        api.job("startVirtualMachine", id=vm["id"])
        assert api.state(vm["id"]) == "Running"


@GENERATIONS
def test_the_own_sections_replace_only_their_own(generation: str, emulate: Callable[..., Api]) -> None:
    api = emulate(
        generation=generation, seed={"zones": [{"name": "z"}], "service_offerings": [{"name": "s", "memory_mb": 512}]}
    )
    assert [one["name"] for one in api("listServiceOfferings")["serviceoffering"]] == ["s"]
    assert len(api("listDiskOfferings")["diskoffering"]) == 4
    template = api("listTemplates", templatefilter="featured", name="CentOS 6.2 64bit")["template"][0]
    assert template["zonename"] == "z"


def test_affinity_groups_and_ipv6_are_for_cloudstack_4(emulate: Callable[..., Api]) -> None:
    groups = [{"name": "g", "ingress": [{"ports": 22, "cidrs": ["2001:db8::/32"]}]}]
    seed = {
        "affinity_groups": [{"name": "apart"}],
        "vms": [{**VM, "affinity_groups": ["apart"]}],
        "security_groups": groups,
    }
    (vm,) = emulate(generation="4", seed=seed).vms()
    assert [group["name"] for group in vm["affinitygroup"]] == ["apart"]
    for section, said in (("affinity_groups", "has no affinity groups"), ("security_groups", "takes no IPv6")):
        with pytest.raises(BadSeed, match=f"CloudStack 3 {said}; use --generation 4, or take"):
            Emulator(generation="3", seed={section: seed[section]})


# --- wrong files

VM = {"name": "a", "zone": "jp-e1a", "template": "CentOS 6.2 64bit", "service_offering": "v1"}
SNAPSHOT = {"name": "s", "vm": "a"}


def group(**rule: Any) -> dict[str, Any]:
    return {"security_groups": [{"name": "g", "ingress": [rule]}]}


@pytest.mark.parametrize(
    ("seed", "said"),
    [
        ({"vmss": []}, "vmss: there is no such key; do you mean vms?"),
        ({"xyz": []}, "xyz: there is no such key; there are zones, service_offerings, disk_offerings, templates, accounts, "
                      "key_pairs, affinity_groups, security_groups, vms, volumes, snapshots, snapshot_policies"),
        ({"vms": {}}, "vms: {} is no list; begin each entry with `- `"),
        ({"vms": ["a"]}, "vms[0]: 'a' is no mapping; give it names and values, such as {name: web1}"),
        ({"vms": [{**VM, "tempalte": "x"}]}, "vms[0].tempalte: there is no such key; do you mean template?"),
        ({"vms": [{**VM, "name": None}]}, "vms[0].name: is missing; give it"),
        ({"vms": [{"nmae": "a"}]}, "vms[0].nmae: there is no such key; do you mean name?"),
        ({"vms": [{**VM, "name": 7}]}, "vms[0].name: 7 is a number; write it as a text: '7'"),
        ({"vms": [{**VM, "name": "a_b"}]}, "vms[0].name: 'a_b' is no host name; take letters, digits and hyphens, a letter first"),
        ({"vms": [VM, VM]}, "vms[1].name: 'a' is there already in zone jp-e1a; give another name"),
        ({"vms": [{**VM, "id": "1"}, {**VM, "id": "1", "name": "b"}]}, "vms[1].id: '1' is there already; give another id"),
        ({"templates": [{"name": "t"}] * 2}, "templates[1].name: 't' is there already; give another name, or an `id`"),
        ({"vms": [{**VM, "state": "running"}]}, "vms[0].state: 'running' can't be; do you mean Running?"),
        ({"vms": [{**VM, "zone": "jp-e1c"}]}, "vms[0].zone: there is no zone 'jp-e1c'; do you mean jp-e1b?"),
        ({"vms": [{**VM, "zone": None}]}, "vms[0].zone: is missing; give it"),
        ({"vms": [{**VM, "template": "CentOS"}]}, "vms[0].template: there is no template 'CentOS'; "),
        ({"vms": [{**VM, "service_offering": "v3"}]}, "vms[0].service_offering: there is no service offering 'v3'; there are vQ, v1, v2, v4, v8"),
        ({"vms": [{**VM, "security_groups": "web"}]}, "vms[0].security_groups: 'web' is no list; write it as [web]"),
        ({"vms": [{**VM, "security_groups": ["web"]}]}, "vms[0].security_groups[0]: there is no security group 'web'; there are default"),
        ({"vms": [{**VM, "key_pair": "k"}]}, "vms[0].key_pair: there is no key pair 'k'; there is none"),
        ({"vms": [{**VM, "tags": {"a": 1}}]}, "vms[0].tags.a: 1 is no text; put it in quotes"),
        ({"vms": [{**VM, "account": "partner"}]}, "vms[0].account: there is no account 'partner'; there are system, admin, flatuser"),
        ({"vms": [{**VM, "created": "yesterday"}]}, "vms[0].created: 'yesterday' is no moment; write it as 2026-11-27T09:00:00Z"),
        ({"vms": [{**VM, "root_size_gb": 0}]}, "vms[0].root_size_gb: 0 is no whole number from 1 to 1000000"),
        (group(ports=22), "security_groups[0].ingress[0]: names neither cidrs nor groups; say who may connect, such as cidrs: [0.0.0.0/0]"),
        (
            group(ports="22-21", cidrs=["0.0.0.0/0"]),
            "security_groups[0].ingress[0].ports: '22-21' is no port and no range of ports; write it as 22 or 8000-8010",
        ),
        (group(cidrs=["0.0.0.0/0"]), "security_groups[0].ingress[0].ports: is missing; give it"),
        (group(ports=22, cidrs=["10.0.0.1"]), "security_groups[0].ingress[0].cidrs[0]: '10.0.0.1' has no length; write it as 10.0.0.1/32"),
        (group(ports=22, cidrs=["all"]), "security_groups[0].ingress[0].cidrs[0]: 'all' is no network; write it as 192.0.2.0/24"),
        (group(ports=22, groups=[{"name": "x"}]), "security_groups[0].ingress[0].groups[0].name: there is no group 'x'; there are default, g"),
        (group(protocol="icmp", ports=22, cidrs=["10.0.0.0/8"]), "security_groups[0].ingress[0].ports: is not for icmp; leave it out"),
        (group(icmp_type=8, ports=22, cidrs=["10.0.0.0/8"]), "security_groups[0].ingress[0].icmp_type: is not for tcp; leave it out, or take protocol: icmp"),
        ({"zones": [{"name": "z"}, {"name": "Z"}]}, "zones[1].name: 'Z' is there already; give another name"),
        ({"zones": [{"name": "z", "network_type": "basic"}]}, "zones[0].network_type: 'basic' can't be; do you mean Basic?"),
        ({"service_offerings": [{"name": "s"}]}, "service_offerings[0].memory_mb: is missing; give a number from 1 to 1000000000"),
        ({"templates": [{"name": "t", "os_type": "Debian"}]}, "templates[0].os_type: there is no guest system 'Debian'; "),
        ({"accounts": [{"name": "p", "api_key": "k"}]}, "accounts[0].api_key: and api_secret belong together; give both, or none"),
        ({"accounts": [{"name": "p", "api_key": "k", "api_secret": "hidden"}]}, "accounts[0].api_secret: is too short; give 8 characters or more"),
        ({"accounts": [{"name": "flatuser"}]}, "accounts[0].name: 'flatuser' is there already; give another name"),
        ({"key_pairs": [{"name": "k", "public_key": "ssh-x AAAA"}]}, "key_pairs[0].public_key: 'ssh-x AAAA' is no public key of the kind ssh-rsa"),
        (
            {"volumes": [{"name": "v", "zone": "jp-e1a", "disk_offering": "Small", "size_gb": 9}]},
            "volumes[0].size_gb: is not for Small, whose disks have 5 GB; leave it out",
        ),
        ({"volumes": [{"name": "v", "zone": "jp-e1a", "disk_offering": "Custom"}]}, "volumes[0].size_gb: is missing; give a number from 1 to 1000000"),
        ({"volumes": [{"name": "v", "vm": "b", "disk_offering": "Small"}], "vms": [VM]}, "volumes[0].vm: there is no VM 'b'; there are a"),
        (
            {"vms": [VM], "volumes": [{"name": "v", "vm": "a", "disk_offering": "Small", "state": "Allocated"}]},
            "volumes[0].state: Allocated can't be, as the disk hangs on a; leave it out",
        ),
        (
            {"vms": [VM], "snapshot_policies": [{"vm": "a", "schedule": "1:2"}]},
            "snapshot_policies[0].interval: is missing; there are HOURLY, DAILY, WEEKLY, MONTHLY",
        ),
        ({"vms": [{**VM, "id": 5}]}, "vms[0].id: 5 is a number; write it as a text: '5'"),
        ({"snapshots": [{"name": "s"}]}, "snapshots[0]: name either its volume, or the vm whose root disk it is of"),
        (
            {"vms": [VM], "snapshot_policies": [{"vm": "a", "interval": "DAILY", "schedule": "99:2"}]},
            "snapshot_policies[0].schedule: '99:2' can't be; write minute:hour:day, such as 30:2",
        ),
    ],
    ids=lambda value: value[:60] if isinstance(value, str) else "",
)  # fmt: skip
def test_a_wrong_value_is_told_with_its_place_and_the_way_out(seed: dict[str, Any], said: str) -> None:
    with pytest.raises(BadSeed) as failure:
        Emulator(seed=seed)
    assert str(failure.value).startswith(said)
    assert "hidden" not in str(failure.value)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("vms: [", "is not YAML: while parsing a flow node"),
        ("- vms", "is no mapping; begin with the name of a section, such as `vms:`"),
        ("", "is no mapping; begin with the name of a section, such as `vms:`"),
        ("vms: []\nvms: []\n", "line 2: vms stands twice in one mapping; take one out"),
        ("a: !!int x", "is not YAML: "),
        ("vms: " + "[" * 5000, "is "),
        ("zones: [{name: z}]\nvms: [{name: a}]", "vms[0].template: is missing; give it"),
    ],
)
def test_a_wrong_file_is_told_by_the_program(text: str, said: str, tmp_path: pathlib.Path, capsys: Any) -> None:
    file = tmp_path / "seed.yml"
    file.write_text(text)
    assert f"cloudn-emulator: error: argument --seed: {file}: {said}" in error_of(capsys, "--seed", str(file))


def error_of(capsys: Any, *options: str) -> str:
    with pytest.raises(SystemExit) as ended:
        main(["--port", "0", *options])
    assert ended.value.code == 2
    out, err = capsys.readouterr()
    assert out == ""
    return str(err)


def test_a_file_that_can_not_be_read_is_told(tmp_path: pathlib.Path, capsys: Any) -> None:
    missing = tmp_path / "none.yml"
    assert f"argument --seed: {missing}: No such file or directory" in error_of(capsys, "--seed", str(missing))
    assert f"argument --seed: {tmp_path}: Is a directory" in error_of(capsys, "--seed", str(tmp_path))


@pytest.mark.parametrize(
    "options", [["--vms", "2"], ["--zone", "a"], ["--neighbour"], ["--advanced-zone"]], ids=lambda options: options[0]
)
def test_options_that_say_the_same_as_the_file_are_refused(
    options: list[str], tmp_path: pathlib.Path, capsys: Any
) -> None:
    file = tmp_path / "seed.yml"
    file.write_text("vms: []")
    said = f"argument {options[0]}: not allowed with --seed; write it into {file}, or leave one of them out"
    assert said in error_of(capsys, "--seed", str(file), *options)


def test_an_ambiguous_name_is_refused(emulate: Callable[..., Api]) -> None:
    two = [{"name": "t", "size_gb": 1, "id": one} for one in ("first", "second")]
    with pytest.raises(BadSeed, match="there are 2 templates of the name 't'; give one an `id` and name that"):
        Emulator(seed={"templates": two, "vms": [{**VM, "template": "t"}]})
    (vm,) = emulate(seed={"templates": two, "vms": [{**VM, "template": "second"}]}).vms()
    assert vm["templateid"] == "second"
