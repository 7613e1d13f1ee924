# Copyright: (c) 2026, the cloudn.compute authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""ansible-runner, by which AWX and the automation controller run playbooks, runs tasks inside Ansible, too."""

from __future__ import annotations

import json
import os
import pathlib
import sys
from typing import Any

import ansible_runner
import pytest
import walking
import ways
import yaml
from jinja2.sandbox import ImmutableSandboxedEnvironment
from programs import with_programs
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


@pytest.fixture
def page(tmp_path: pathlib.Path) -> pathlib.Path:
    """A folder with the files that docs/awx.md shows, but without those that stand for a credential."""
    for step in walking.steps((walking.ROOT / "docs" / "awx.md").read_text()):
        if step.kind == "file" and "/env/" not in step.name:
            path = tmp_path / step.name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(step.text)
    return tmp_path


def injected(page: pathlib.Path, inputs: dict[str, str]) -> dict[str, dict[str, str]]:
    """Return the environment and the variables that AWX makes of a credential: it renders each injector with the inputs."""
    injectors = yaml.safe_load((page / "credential-type" / "injectors.yml").read_text())
    jinja = ImmutableSandboxedEnvironment()
    return {
        kind: {name: jinja.from_string(text).render(**inputs) for name, text in templates.items()}
        for kind, templates in injectors.items()
    }


def test_the_credential_type_of_the_page(page: pathlib.Path) -> None:
    """All inputs are used, and the keys are kept secret."""
    fields = yaml.safe_load((page / "credential-type" / "inputs.yml").read_text())
    names = [field["id"] for field in fields["fields"]]
    assert {field["id"] for field in fields["fields"] if field.get("secret")} == {"api_key", "api_secret"}
    assert set(fields["required"]) <= set(names)
    made = injected(page, {name: f"<{name}>" for name in names})
    assert set(made) == {"env", "extra_vars"}
    assert sorted(value for values in made.values() for value in values.values()) == sorted(
        f"<{name}>" for name in names
    )


def test_a_job_and_an_inventory_source_with_the_credential(
    emulator: Any, page: pathlib.Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As on AWX: nothing but what the credential type injects says where the service is."""
    inputs = {"api_url": emulator.url, "api_key": emulator.api_key, "api_secret": emulator.api_secret, "zone": "jp-e1b"}
    made = injected(page, inputs)
    folder = page / "runner"
    monkeypatch.setenv("PATH", with_programs(os.environ, pathlib.Path(sys.executable).parent)["PATH"])
    environment = {**os.environ, **made["env"]}
    done = ansible_runner.run(
        private_data_dir=str(folder),
        playbook="site.yml",
        envvars=environment,
        extravars=made["extra_vars"],
        quiet=True,
        verbosity=3,
    )
    assert (done.status, done.rc) == ("successful", 0)
    assert {vm.name for vm in emulator.store.vms.values()} == {"web1", "web2"}
    zones = {emulator.store.zones[vm.zone_id].name for vm in emulator.store.vms.values()}
    assert zones == {"jp-e1b"}
    said = "".join(event.get("stdout", "") for event in done.events)
    secrets = [emulator.api_key, emulator.api_secret, *(vm.password for vm in emulator.store.vms.values())]
    assert [secret for secret in secrets if secret in said] == []

    listed, errors = ansible_runner.get_inventory(
        "list",
        [str(folder / "inventory" / "cloudn.yml")],
        private_data_dir=str(folder),
        envvars=environment,
        quiet=True,
    )
    assert not errors
    hosts = listed if isinstance(listed, dict) else json.loads(listed)
    assert hosts["role_web"]["hosts"] == ["web1", "web2"]
