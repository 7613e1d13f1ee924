# Copyright: (c) 2026, the cloudn.compute authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The command that draws a playbook runs it: with the installed emulator, in check mode."""

from __future__ import annotations

import json
import pathlib

import pytest
from picture_command import command


def test_a_playbook_is_run_in_check_mode_on_an_emulator(tmp_path: pathlib.Path) -> None:
    playbook = tmp_path / "playbook.yml"
    task = {"cloudn.compute.cloudn_security_group": {"name": "web"}}
    playbook.write_text(json.dumps([{"hosts": "localhost", "gather_facts": False, "tasks": [task]}]))
    compute = tmp_path / "ansible_collections" / "cloudn" / "compute"
    compute.parent.mkdir(parents=True)
    compute.symlink_to(command.ROOT)
    assert command.results(tmp_path, playbook)[0]["actions"] == ["web: create"]
    playbook.write_text("[]")
    with pytest.raises(command.Failed, match=r"playbook\.yml failed"):
        command.results(tmp_path, tmp_path / "playbook.yml")
