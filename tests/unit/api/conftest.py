# Copyright: (c) 2026, the cloudn.compute authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Servers that give scripted answers over real HTTP, or raw bytes, and a client whose pauses take no time."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest
from ansible_collections.cloudn.compute.plugins.module_utils.api import Client
from servers import Script, Wire, serving


class Clock:
    """A clock that only ``sleep`` moves."""

    def __init__(self) -> None:
        self.time = 1000.0
        self.pauses: list[float] = []

    def __call__(self) -> float:
        return self.time

    def sleep(self, seconds: float) -> None:
        self.pauses.append(seconds)
        self.time += seconds


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def script() -> Iterator[Script]:
    with serving() as script:
        yield script


@pytest.fixture
def wire() -> Iterator[Wire]:
    wire = Wire()
    yield wire
    wire.close()


@pytest.fixture
def client(script: Script, clock: Clock) -> Client:
    return Client(script.url, "the-api-key", "the-secret-key", sleep=clock.sleep, clock=clock)


@pytest.fixture
def connect(script: Script, clock: Clock) -> Callable[..., Client]:
    """Return a function that makes a client with other options."""
    return lambda **options: Client(
        script.url, "the-api-key", "the-secret-key", **{"sleep": clock.sleep, "clock": clock, **options}
    )
