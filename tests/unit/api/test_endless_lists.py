# Copyright: (c) 2026, the cloudn.compute authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Lists that a service does not end: new objects page after page, or one page for ever. They end, and the error says why."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.cloudn.compute.plugins.module_utils.api import Client, CloudnError, Deadline, paging

# Lists that are read in each of the three ways.
COMMANDS = ["listVirtualMachines", "listVolumes", "listZones", "listTemplates"]


class Endless(Client):
    """A client of a service whose pages are always full. Each takes some seconds of a clock."""

    def __init__(self, seconds: float, counted: int = 0, new: bool = True) -> None:
        self.time = 0.0
        super().__init__("http://127.0.0.1:9", "key", "secret", clock=lambda: self.time)
        self._seconds = seconds
        self._calls = 0
        self._counted = counted
        self._new = new

    def call(self, command: str, params: Any = None, deadline: Any = None) -> dict[str, Any]:
        self.time += self._seconds
        self._calls += 1
        assert self._calls < 2000, "the list is read for ever"
        first = (params["page"] - 1) * params["pagesize"] if self._new else 0
        ids = range(first, first + params["pagesize"])
        return {"count": self._counted or len(ids), "thing": [{"id": str(number)} for number in ids]}


@pytest.mark.parametrize("counted", [0, 10**9])
@pytest.mark.parametrize("command", COMMANDS)
def test_a_list_of_no_task_has_ten_minutes(command: str, counted: int) -> None:
    client = Endless(20, counted)
    with pytest.raises(
        CloudnError, match=f"^{command}: .* it did not end within 600 s. Run this again, or ask for a part"
    ):
        client.list(command)
    assert 600 <= client.time < 1000  # pages that were being read end


@pytest.mark.parametrize(("task", "limit"), [(100.0, 100), (1.0, 30)])
@pytest.mark.parametrize("command", COMMANDS)
def test_a_list_has_the_time_for_its_task_and_at_least_half_a_minute(command: str, task: float, limit: int) -> None:
    client = Endless(2)
    client.task_deadline = Deadline(task, client.clock)
    with pytest.raises(CloudnError, match=f"it did not end within {limit} s"):
        client.list(command)
    assert limit <= client.time < limit + 30


@pytest.mark.parametrize("counted", [0, 10**9])
@pytest.mark.parametrize("command", COMMANDS)
def test_a_fast_service_does_not_fill_the_memory(command: str, counted: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(paging, "MOST_OBJECTS", 20_000)
    client = Endless(0, counted)
    with pytest.raises(CloudnError, match=f"^{command}: .* it did not end after 20000 objects"):
        client.list(command)


@pytest.mark.parametrize("counted", [0, 2000, 10**9])
@pytest.mark.parametrize("command", COMMANDS)
def test_a_page_that_is_repeated_is_noticed(command: str, counted: int) -> None:
    client = Endless(0.01, counted, new=False)
    with pytest.raises(CloudnError, match=f"^{command}: the service does not give this list page by page"):
        client.list(command)
    assert client.time < 10
