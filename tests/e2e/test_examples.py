# Copyright: (c) 2026, the cloudn.compute authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""No example shows a generated password or private key on the screen, and errors are shown all the same."""

from __future__ import annotations

import ast
import pathlib
import re
from collections.abc import Callable, Iterator
from typing import Any

import pytest
import yaml

ROOT = pathlib.Path(__file__).parents[2]
EXAMPLES = ROOT / "examples"
BOOKS = sorted([*EXAMPLES.glob("*.yml"), *EXAMPLES.glob("tasks/*.yml")])
DOCUMENTS = sorted([ROOT / "README.md", *ROOT.glob("docs/*.md"), *ROOT.glob("*/README.md")])
MODULES = sorted(ROOT.glob("plugins/modules/*.py"))
# Commands whose result, or whose job's result, holds what the service has generated.
GENERATING = (
    "createSSHKeyPair",
    "deployVirtualMachine",
    "queryAsyncJobResult",
    "resetPasswordForVirtualMachine",
    "resetSSHKeyForVirtualMachine",
)


def sources(path: pathlib.Path) -> list[str]:
    """Return the texts of a file that are YAML for users."""
    text = path.read_text()
    if path.suffix == ".md":
        return re.findall(r"```ya?ml\n(.*?)```", text, re.DOTALL)
    if path.suffix == ".yml":
        return [text]
    values = {
        node.targets[0].id: node.value.value
        for node in ast.parse(text).body
        if isinstance(node, ast.Assign) and isinstance(node.value, ast.Constant)
    }
    return [values["EXAMPLES"]]


def tasks(value: Any) -> Iterator[dict[str, Any]]:
    """Yield all tasks for our modules in a value, at any depth."""
    if isinstance(value, dict):
        if any(str(key).startswith("cloudn.compute.cloudn_") for key in value):
            yield value
        value = list(value.values())
    for item in value if isinstance(value, list) else []:
        yield from tasks(item)


def may_show_a_secret(module: str, options: dict[str, Any]) -> bool:
    """Tell whether a task may return what the service has generated."""
    if module == "cloudn_vm":
        return "template" in options or "key_pair" in options
    if module == "cloudn_site":
        return "vms" in options and options.get("state") != "absent"
    if module == "cloudn_key_pair":
        return "public_key" not in options and options.get("state") != "absent"
    return module in ("cloudn_vm_password", "cloudn_job") or options.get("command") in GENERATING


@pytest.mark.parametrize("path", [*BOOKS, *DOCUMENTS, *MODULES], ids=lambda path: str(path.relative_to(ROOT)))
def test_tasks_that_may_return_a_generated_secret_do_not_log(path: pathlib.Path) -> None:
    logging = [
        (module, options)
        for text in sources(path)
        for task in tasks(list(yaml.safe_load_all(text)))
        for module, options in task.items()
        if may_show_a_secret(module.rpartition(".")[2], options if isinstance(options, dict) else {})
        and not task.get("no_log")
        and task.get("check_mode") is not True
    ]
    assert logging == []


def test_these_tasks_are_found() -> None:
    """Otherwise the test above could not fail."""
    found = [
        path.stem
        for path in (*BOOKS, *DOCUMENTS, *MODULES)
        for text in sources(path)
        for task in tasks(list(yaml.safe_load_all(text)))
        for module, options in task.items()
        if may_show_a_secret(module.rpartition(".")[2], options if isinstance(options, dict) else {})
    ]
    assert {"site", "README", "large-fleets", "cloudn_vm", "cloudn_vm_password", "cloudn_job"} <= set(found)


def readme() -> str:
    (found,) = (text for text in sources(ROOT / "README.md") if "cloudn_vm:" in text)
    return found


@pytest.mark.parametrize("source", [EXAMPLES / "site.yml", readme()], ids=["site.yml", "README.md"])
def test_no_password_is_on_the_screen(playbook: Callable[..., Any], emulator: Any, source: Any) -> None:
    """At a high verbosity, with the diff. The machines do get passwords."""
    done = playbook(source, "-vvv", "--diff")
    assert done.returncode == 0, done.stdout + done.stderr
    passwords = [vm.password for vm in emulator.store.vms.values()]
    assert len(passwords) >= 3 and all(passwords)
    assert [password for password in passwords if password in done.stdout + done.stderr] == []


def test_an_error_of_the_site_is_shown(playbook: Callable[..., Any]) -> None:
    done = playbook(EXAMPLES / "site.yml", "-e", "template=Nonesuch")
    assert done.returncode != 0
    assert """"msg": "template: there is no template 'Nonesuch'. There are: """ in done.stdout
