# Copyright: (c) 2026, the cloudn.compute authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A small client of the emulator for its tests, and emulators with options of their own."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from cloudn_emulator import Emulator
from emulator_clients import Api, Ec2, Refused


@pytest.fixture
def ec2_of() -> Callable[[Api], Ec2]:
    """Make a client of the EC2 half of the emulator that a client of the other asks."""
    return lambda api: Ec2(api.emulator)


@pytest.fixture
def ec2(api: Api) -> Ec2:
    """A client of the EC2 half of the emulator that `api` asks."""
    return Ec2(api.emulator)


@pytest.fixture
def emulate() -> Iterator[Callable[..., Api]]:
    """Start emulators with these options; gives a client for each."""
    with contextlib.ExitStack() as running:
        yield lambda **options: Api(running.enter_context(Emulator(**options)))


@pytest.fixture
def api(emulate: Callable[..., Api]) -> Api:
    """A client of an emulator with very short jobs and a plain account."""
    return emulate(job_seconds=0.02)


@pytest.fixture
def refused() -> Callable[[int], Any]:
    """Expect an error of this code: `with refused(431): ...`."""

    @contextlib.contextmanager
    def expect(code: int) -> Iterator[None]:
        with pytest.raises(Refused) as failure:
            yield
        assert failure.value.code == code, str(failure.value)

    return expect
