# Copyright: (c) 2026, the cloudn.compute authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Checks names in the guides: what looks like a module, an option or a returned value in code marks is one."""

from __future__ import annotations

import pathlib
import re

from pages import ROOT, pages, plugins, prose

# Guides about other tools, whose options have other names.
OF_OTHERS = ("ec2", "from-ngine-io-cloudstack", "emulator")
# What looks like a name of the collection and is none.
ELSEWHERE = {
    # Ansible's
    *("ansible_python_interpreter", "delegate_to", "display_args_to_stdout", "extra_vars", "hosts", "ignore_errors"),
    *("local_tmp", "module_defaults", "run_once", "strategy", "strict"),
    # Terraform's
    *("depends_on", "for_each", "prevent_destroy"),
    # switches, a fixture and a variable of the guides
    *("cloudn_in_process", "cloudn_progress", "cloudn_emulator", "cloudn_zone"),
    # what every failed task returns, and functions in the code
    *("http_status", "job_id", "apply_until_clear", "is_read"),
}
_OWN_LINE = re.compile(r"(?m)^ *(\w+):(?: |$)")
_CODE = re.compile(r"`([^`\n]+)`")
_NAME = re.compile(r"([a-z][a-z0-9]*(?:_[a-z0-9]+)+)(?:: .*)?|([a-z]\w*): .*")
_GROUP = re.compile(r"(tag|zone|security_group|service_offering|state|role)_\w+")


def known() -> set[str]:
    """Return the names of all plugins, of their options and returned values, and of the variables of hosts."""
    files = [ROOT / path for path in plugins()]
    documented = [*files, *ROOT.glob("plugins/doc_fragments/*.py")]
    names = {name for path in documented for name in _OWN_LINE.findall(path.read_text(encoding="utf-8"))}
    return {*names, *(f"cloudn_{name}" for name in names), *(path.stem for path in files)}


def unknown(text: str, known: set[str]) -> list[str]:
    """Return the names in a guide that nothing has."""
    found = (_NAME.fullmatch(code.removeprefix("cloudn.compute.")) for code in _CODE.findall(prose(text)))
    names = dict.fromkeys(match[1] or match[2] for match in found if match)
    return [name for name in names if name not in known and name not in ELSEWHERE and not _GROUP.fullmatch(name)]


def problems() -> list[str]:
    """Return each name in the guides that nothing has, with its guide."""
    there = known()
    return [
        f"{path}: `{name}` is no module, option or returned value"
        for path in pages()
        if path.startswith("docs/") and pathlib.Path(path).stem not in OF_OTHERS
        for name in unknown((ROOT / path).read_text(encoding="utf-8"), there)
    ]
