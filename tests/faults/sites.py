# Copyright: (c) 2026, the cloudn.compute authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Sites: an emulator with all that a scenario needs, and ways to run its task and to look at the outcome."""

from __future__ import annotations

import contextlib
import datetime
import pathlib
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

import pytest
import yaml
from ansible import constants
from ansible.errors import AnsibleError
from ansible.inventory.manager import InventoryManager
from ansible.parsing.dataloader import DataLoader
from ansible.utils.display import Display
from cases import PAGE, TIMEOUT
from cloudn_emulator.store import Snapshot, new_id
from holdings import counts, holdings
from preparing import filled, prepared
from reaching import connection_to
from samples import NEW, ZONE
from scenarios import Scenario

Result = dict[str, Any]
RunAs = Callable[..., contextlib.AbstractContextManager[tuple[Callable[..., Result], Any]]]
SECRETS = {"api_key": "canary-api-key", "api_secret": "canary-api-secret"}
DEADLINE = 5.0
FILLERS = PAGE + 1


def _came(request: dict[str, Any]) -> float:
    """Return when a request came, in seconds since the epoch. The log says when it was answered, in milliseconds."""
    return datetime.datetime.fromisoformat(request["time"]).timestamp() - request["ms"] / 1000 + 0.005


class Site:
    """An emulator where a scenario's task can be run. ``paged``: with other objects beside those of the task."""

    def __init__(self, scenario: Scenario, run: Callable[..., Result], emulator: Any, paged: bool = False) -> None:
        self.scenario = scenario
        self.emulator = emulator
        self.deadline = DEADLINE
        self.response_format = "json"
        self.inside = False  # whether the task runs as inside Ansible, or as a module
        self._run = run
        if paged:
            self.do("cloudn_vm", name=[f"web1-filler-{number}" for number in range(FILLERS)], **NEW)
            self._fill_templates()
        known = prepared(run, scenario.before, emulator.vars)
        if paged:
            for number in range(FILLERS):
                self.do("cloudn_volume", name=f"data-filler-{number}", disk_offering="Small", **ZONE)
            self._fill_snapshots()
        self._options = filled(scenario.options, known)
        self._prepared = time.time()
        self._looked = time.time()
        emulator.clear()

    def _fill_templates(self) -> None:
        store = self.emulator.store
        like = next(iter(store.templates.values()))
        for number in range(FILLERS):
            new = replace(
                like, id=new_id(), name=f"image-filler-{number}", owner=store.account.name, zone_ids=list(store.zones)
            )
            store.templates[new.id] = replace(new, launch=[], unready={})

    def _fill_snapshots(self) -> None:
        store = self.emulator.store
        of_task = [volume for volume in store.volumes.values() if counts(store.vms.get(volume.vm_id, volume))]
        for volume in of_task:
            for number in range(FILLERS):
                new = Snapshot(new_id(), volume.owner, f"filler-{number}", volume, volume.size, store.now(), "Error")
                store.snapshots[new.id] = new

    def do(self, module: str, **options: Any) -> Result:
        """Run a task, which must end well."""
        done = self._run(module, **options)
        assert not done.get("failed"), done["msg"]
        return done

    def run(self, **more: Any) -> Result:
        """Run the scenario's task once."""
        options = {
            "api_timeout": TIMEOUT,
            "api_retries": 3,
            "response_format": self.response_format,
            **self._options,
            **more,
        }
        if self.scenario.module == "inventory":
            return inventory(self.emulator, options)
        if not self.scenario.module.endswith("_info"):
            options["wait_timeout"] = self.deadline
        return self._run(self.scenario.module, **options, _inside=self.inside)

    def settle(self, lag: float) -> None:
        """Wait until lists that lag by so many seconds show what was prepared. Dates of the service have whole seconds."""
        time.sleep(max(0.0, int(self._prepared) + lag - time.time()))

    def sent(self) -> list[str]:
        """Return the commands that came since the last look. A request that was answered since may have come before."""
        looked, self._looked = self._looked, time.time()
        commands = [request["command"] for request in self.emulator.requests if _came(request) >= looked]
        self.emulator.clear()
        return commands

    def holds(self) -> dict[str, Any]:
        """Return what the emulator holds when all jobs have ended that can end, and nothing is being downloaded."""
        store, deadline = self.emulator.store, time.monotonic() + 3
        while time.monotonic() < deadline:
            pending = any(not job.status and not job.hangs for job in list(store.jobs.values()))
            coming = any(volume.state == "Uploading" for volume in list(store.volumes.values()))
            if not (pending or coming or any(template.unready for template in list(store.templates.values()))):
                break
            time.sleep(0.01)
        return holdings(store)

    def reinstalled(self) -> int:
        """Return how often a machine got a new root disk: the old disk is deleted, and the machine stays."""
        return sum(one.kind == "ROOT" and one.vm_id is None for one in self.emulator.store.volumes.values())

    def expunge(self) -> None:
        """Let the service forget destroyed machines, so that their names are free."""
        store = self.emulator.store
        store.expunge_due(store.now() + store.settings.expunge_seconds + 1)


@contextlib.contextmanager
def site(scenario: Scenario, run_module_as: RunAs, paged: bool = False, **options: Any) -> Iterator[Site]:
    """Give a site of its own to one case."""
    service = {"grants": scenario.grants, "denied": scenario.denied, "dialect": scenario.dialect}
    with run_module_as(**{"job_seconds": 0.02, **service, **SECRETS, **options}) as (run, emulator):
        store = emulator.store
        store.add_account(replace(store.account, name="mate", id="mate", number=9, api_key=""))
        yield Site(scenario, run, emulator, paged)


def inventory(emulator: Any, options: Result) -> Result:
    """Read the inventory in this process, with Ansible's own manager; the result is like a module's."""
    with tempfile.TemporaryDirectory() as folder:
        path = pathlib.Path(folder) / "cloudn.yml"
        path.write_text(yaml.safe_dump({"plugin": "cloudn.compute.cloudn", **connection_to(emulator), **options}))
        manager = InventoryManager(DataLoader(), sources=[str(path)], parse=False)
        said: list[str] = []
        with pytest.MonkeyPatch.context() as patch:
            # the plugin sets it where a run must end
            patch.setattr(constants, "INVENTORY_ANY_UNPARSED_IS_FAILED", False)
            patch.setattr(Display, "warning", lambda _display, text, *_more, **_even: said.append(text))
            if hasattr(Display, "error_as_warning"):
                patch.setattr(
                    Display,
                    "error_as_warning",
                    lambda _display, msg, exception, **_even: said.append(f"{msg} {exception}"),
                )
            try:
                manager.parse_sources()
            except AnsibleError as error:
                return {"failed": True, "changed": False, "msg": " ".join([*said, str(error)])}
        hosts = [{"name": name} for name in sorted(manager.hosts)]
        groups = {name: sorted(host.name for host in group.hosts) for name, group in manager.groups.items()}
        return {"changed": False, "hosts": hosts, "groups": groups}
