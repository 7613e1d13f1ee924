# Copyright: (c) 2026, the cloudn.compute authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""ansible-runner, by which AWX and the automation controller run playbooks, runs tasks inside Ansible, too."""

from __future__ import annotations

import os
import pathlib
from typing import Any

import ansible_runner
import pytest
import ways
from reaching import environment_of

pytestmark = pytest.mark.generation("3", reason="how a playbook is started is the same for both")


def test_ansible_runner(emulator: Any, tmp_path: pathlib.Path) -> None:
    book = ways.play([ways.task(1, "cloudn_security_group", {"name": "web"}), ways.task(2, "cloudn_zone_info", {})])
    (tmp_path / "project").mkdir()
    (tmp_path / "project" / "play.yml").write_text(book)
    done = ansible_runner.run(
        private_data_dir=str(tmp_path),
        playbook="play.yml",
        envvars={**os.environ, **environment_of(emulator)},
        quiet=True,
        verbosity=3,
    )
    assert (done.status, done.rc) == ("successful", 0)
    results = [event["event_data"]["res"] for event in done.events if event["event"] == "runner_on_ok"]
    assert [result["changed"] for result in results] == [True, False]
    assert results[1]["zones"]
    said = "".join(event.get("stdout", "") for event in done.events)
    assert "runs inside Ansible" in said
    assert "EXEC /bin/sh" not in said
