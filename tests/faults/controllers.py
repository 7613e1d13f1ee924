# Copyright: (c) 2026, the cloudn.compute authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Controllers: each runs a task with a client of its own, in any thread. Several may run at once."""

from __future__ import annotations

import copy
import threading
import time
from collections.abc import Callable, Sequence
from typing import Any

from ansible_collections.cloudn.compute.plugins.module_utils.api import Client
from ansible_collections.cloudn.compute.plugins.module_utils.options import check
from ansible_collections.cloudn.compute.plugins.module_utils.resources import key_pair
from ansible_collections.cloudn.compute.plugins.module_utils.resources.security_group import lookup as security_group
from ansible_collections.cloudn.compute.plugins.module_utils.resources.snapshot import lookup as snapshot
from ansible_collections.cloudn.compute.plugins.module_utils.resources.template.lookup import RESOURCE as template
from ansible_collections.cloudn.compute.plugins.module_utils.resources.vm.lookup import RESOURCE as vm
from ansible_collections.cloudn.compute.plugins.module_utils.resources.volume.lookup import RESOURCE as volume
from ansible_collections.cloudn.compute.plugins.module_utils.site.ensure import ensure as ensure_site
from cases import LAG, LAG_WAITED
from specs import defaults, imported

Result = dict[str, Any]
ENSURE = {
    "cloudn_volume": volume.ensure,
    "cloudn_snapshot": snapshot.ensure,
    "cloudn_template": template.ensure,
    "cloudn_vm": vm.ensure,
    "cloudn_security_group": security_group.ensure,
    "cloudn_key_pair": key_pair.RESOURCE.ensure,
    "cloudn_site": ensure_site,
}


def pause(seconds: float) -> None:
    """Wait so long, but shorter for lists that may lag: few lists lag here."""
    time.sleep(LAG_WAITED if seconds == LAG else seconds)


class Controller:
    """Runs a task of a module in any thread, as a controller of its own: with its own client, with these settings."""

    def __init__(self, module: str, options: Result, emulator: Any, **settings: Any) -> None:
        self.module = module
        settings = {"timeout": 1, "sleep": pause, **settings}
        self.client = Client(emulator.url, emulator.api_key, emulator.api_secret, **settings)
        options = copy.deepcopy(options)
        if items := imported(module).DEFINITION.items:  # these get types and defaults
            assert not check(options, imported(module).SPEC, items=items)
        self.options = {**defaults(module), "wait_timeout": 10, **options}

    def run(self) -> Result:
        """Return the task's result, its object as `one` (several as `all`), its errors, the names `not_found`."""
        report = ENSURE[self.module](self.client, dict(self.options))
        objects = report.objects()
        errors = [failure.message for _name, failure in report.failures]
        return {
            **report.result(),
            "one": objects[0],
            "all": objects,
            "errors": errors,
            "warnings": report.warnings,
            "not_found": [track.name for track in report.progresses if not track.found],
        }


def at_once(actions: Sequence[Callable[[], Result]], seconds: float = 300) -> list[Result]:
    """Do all actions at the same time, each in a thread of its own; return their results.

    ``seconds`` ends the wait for one that hangs. A busy machine takes long, too.
    """
    results: dict[int, Result] = {}

    def work(number: int, action: Callable[[], Result]) -> None:
        results[number] = action()

    threads = [threading.Thread(target=work, args=pair) for pair in enumerate(actions)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(seconds)
    return [results[number] for number in range(len(actions))]
