# Copyright: (c) 2026, the cloudn.compute authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Errors as a user reads them, in full: each says what is wrong, with which value, and what to do."""

from __future__ import annotations

import ast
import pathlib
import re
from collections.abc import Callable, Iterator
from typing import Any

from samples import NEW, UNKNOWN, ZONE

PLUGINS = pathlib.Path(__file__).parents[3] / "plugins"
LIST = "cloudn_{}_info lists the existing ones"
# The machine web1 runs, web2 never ran. The volume data is attached to web1, and has 5 GiB. There is the group lone.
ERRORS: list[tuple[str, dict[str, Any], str]] = [
    (
        "cloudn_vm",
        {"name": "new"},
        "template, service_offering: needed to create new, which does not exist. Give them, or correct the name",
    ),
    (
        "cloudn_vm",
        {"name": ["new", "newer"], "template": NEW["template"]},
        "service_offering: needed to create new, newer, which do not exist. Give it, or correct the names",
    ),
    ("cloudn_vm", {"name": ""}, "name: is empty; give a value"),
    ("cloudn_vm", {"name": ["web1", ""]}, "name[1]: is empty; give a value, or remove this item of the list"),
    ("cloudn_vm", {"name": "web1", "zone": ""}, "zone: is empty; give a value, or leave the option out"),
    ("cloudn_vm", {"name": "web1", "wait_timeout": -3}, "wait_timeout: must be at least 0, not -3"),
    (
        "cloudn_vm",
        {"name": "web1", "user_data_encoding": "base64"},
        "user_data_encoding: base64 says how user_data is written, but user_data is not given; give "
        "user_data, or leave user_data_encoding out",
    ),
    (
        "cloudn_vm",
        {"name": "new", **NEW, "disk_offering": "Custom"},
        "disk_offering: 'Custom' has no fixed size; choose another one, or create the disk with "
        "cloudn_volume and size_gb",
    ),
    (
        "cloudn_vm",
        {"name": "new", **NEW, "key_pair": "nope"},
        f"key_pair: there is no key pair 'nope'; {LIST.format('key_pair')}",
    ),
    (
        "cloudn_vm",
        {"name": ["web1", "web2"], "state": "reinstalled", "confirm_reinstall": "web1"},
        "name: state: reinstalled takes one VM, not 2: web1, web2",
    ),
    ("cloudn_vm_password", {"name": "nope"}, f"name: there is no VM 'nope'; {LIST.format('vm')}"),
    (
        "cloudn_volume",
        {"name": "new"},
        "disk_offering, snapshot or url: one of them is needed to create new, which does not exist. Give it, "
        "or correct the name",
    ),
    (
        "cloudn_volume",
        {"name": "new", "size_gb": 5},
        "disk_offering, snapshot or url: one of them is needed to create new, which does not exist. Give it, "
        "or correct the name. size_gb: 5 alone is not enough: the disk offerings without a fixed size are "
        "Custom",
    ),
    (
        "cloudn_volume",
        {"name": "new", **ZONE, "disk_offering": "Small", "format": "VHD"},
        "missing parameter(s) required by 'format': url",
    ),
    ("cloudn_volume", {"id": UNKNOWN}, f"id: there is no volume with the id {UNKNOWN}"),
    (
        "cloudn_volume",
        {"name": "data", "state": "extracted"},
        "data is attached to web1, which is Running. Stop web1, detach the volume, or extract a volume that "
        "is created from a snapshot of it",
    ),
    (
        "cloudn_volume",
        {"name": "data", "state": "extracted", "extract_mode": "ftp_upload"},
        "extract_url: is needed for extract_mode: ftp_upload; give the address of an FTP server, such as "
        "ftp://HOST/FILE",
    ),
    (
        "cloudn_volume",
        {"name": "data", "state": "extracted", "extract_mode": "ftp_upload", "extract_url": "http://me:secret@host/x"},
        "extract_url: an upload by FTP needs an address with ftp://, not 'http://host/x'",
    ),
    (
        "cloudn_volume",
        {"name": "data", "state": "extracted", "extract_url": "ftp://host/x"},
        "extract_url: is only for extract_mode: ftp_upload; for a download, leave extract_url out",
    ),
    (
        "cloudn_volume",
        {"name": "data", "state": "attached", "vm": "nope"},
        f"vm: there is no VM 'nope'; {LIST.format('vm')}",
    ),
    (
        "cloudn_template",
        {"name": "new"},
        "vm, volume, snapshot or url: one of them is needed to create new. This account has no template of "
        "this name. Give one, or correct the name",
    ),
    (
        "cloudn_template",
        {"name": "new", **ZONE},
        "vm, volume, snapshot or url: one of them is needed to create new. This account has no template of "
        "this name in jp-e1a. Give one, or correct the name",
    ),
    (
        "cloudn_template",
        {"name": "new", "vm": "web1", "display_text": ""},
        "display_text: must not be empty; give a text, or leave the option out",
    ),
    (
        "cloudn_template",
        {"name": "new", "url": "https://images.example.com/x"},
        "format, hypervisor, os_type: needed to create new from url",
    ),
    ("cloudn_snapshot", {}, "volume or vm: one of them is needed. vm alone stands for its root disk"),
    (
        "cloudn_snapshot",
        {"vm": "web1", "id": UNKNOWN},
        "id: is only for state: absent; give volume or vm, or set state: absent",
    ),
    ("cloudn_snapshot", {"state": "absent"}, "id or name: one of them is needed to say which snapshot to delete"),
    ("cloudn_snapshot", {"volume": "nope"}, f"volume: there is no volume 'nope'; {LIST.format('volume')}"),
    (
        "cloudn_volume",
        {"name": "new", **ZONE, "snapshot": "nope"},
        f"snapshot: there is no snapshot 'nope'; {LIST.format('snapshot')}",
    ),
    ("cloudn_zone_info", {"ca_path": "/nowhere"}, "ca_path: '/nowhere' can't be read: No such file or directory"),
    ("cloudn_vm_info", {"tags": {"role": None}}, "tags: 'role': has no value; give the value that the tag must have"),
    (
        "cloudn_site",
        {"name": "shop", "security_groups": [{"name": "lone", "description": "x"}]},
        "security_groups[0]: lone: description is '', not 'x'. The service can't change that on an existing "
        "security group: leave the option out, or set on_immutable_drift: warn or ignore",
    ),
    (
        "cloudn_site",
        {"name": "shop", "security_groups": [{"name": "lone"}]},
        "security_groups[0].name: the security group lone ({lone}) exists, and carries no tag cloudn_site, "
        "so it is not the site's. Use another name. If the site shall take it over, for example because a "
        "run was killed before it set the tag, set adopt: true",
    ),
    (
        "cloudn_site",
        {"name": "shop", "vms": [{"name": "web1"}]},
        "vms[0].name: the VM web1 ({web1}) exists, and carries no tag cloudn_site, so it is not the site's. "
        "Use another name. If the site shall take it over, for example because a run was killed before it "
        "set the tag, set adopt: true",
    ),
]


def test_errors_say_what_is_wrong_and_what_to_do(run_module: Callable[..., Any]) -> None:
    ids = {
        "web1": run_module("cloudn_vm", name="web1", **NEW)["vm"]["id"],
        "lone": run_module("cloudn_security_group", name="lone")["security_group"]["id"],
    }
    run_module("cloudn_vm", name="web2", state="stopped", **NEW)
    run_module("cloudn_volume", name="data", state="attached", vm="web1", disk_offering="Small")
    told = [(module, options, run_module(module, **options).get("msg")) for module, options, _text in ERRORS]
    wanted = [(module, options, re.sub(r"\{(\w+)\}", lambda id: ids[id[1]], text)) for module, options, text in ERRORS]
    assert [one for one in told if one not in wanted] == []
    assert len(told) == len(wanted)


def texts(path: pathlib.Path) -> Iterator[str]:
    """Yield the texts in a file that may be shown: those with blanks that are no docstrings and no documentation."""
    tree = ast.parse(path.read_text())
    inside = {id(part) for node in ast.walk(tree) if isinstance(node, ast.JoinedStr) for part in node.values}
    for node in ast.walk(tree):
        if isinstance(node, (ast.Module, ast.ClassDef, ast.FunctionDef)) and isinstance(node.body[0], ast.Expr):
            inside.add(id(node.body[0].value))
    for node in ast.walk(tree):
        if isinstance(node, ast.JoinedStr):
            yield "".join(part.value if isinstance(part, ast.Constant) else "{}" for part in node.values)
        elif isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in inside:
            yield node.value


def test_messages_have_one_word_for_one_thing() -> None:
    """A virtual machine is a VM. A machine is the one that a task runs on. An option is left out, not omitted."""
    files = [path for path in PLUGINS.rglob("*.py") if path.parent.name not in ("modules", "doc_fragments")]
    shown = [text for path in files for text in texts(path) if " " in text and len(text) < 1000]
    assert len(shown) > 500
    other = re.compile(r"(?<!this )\bmachines?\b|\b[Oo]mit\b|see to the|if need be")
    assert [text for text in shown if other.search(text) and not text.startswith("virtual machine")] == []
