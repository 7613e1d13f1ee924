# Copyright: (c) 2026, the cloudn.compute authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Runs tasks while the emulator makes a fault: the waits between attempts are real, but short."""

from __future__ import annotations

import functools
import time

import pytest
from ansible_collections.cloudn.compute.plugins.module_utils import connection
from ansible_collections.cloudn.compute.plugins.module_utils.api import Client, ec2


@pytest.fixture(autouse=True)
def short_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    """Clients pause a twentieth of the time before they try again; everything else takes its time."""

    def pause(seconds: float) -> None:
        time.sleep(seconds / 20)

    monkeypatch.setattr(connection, "Client", functools.partial(Client, sleep=pause))
    monkeypatch.setattr(ec2, "Ec2Client", functools.partial(ec2.Ec2Client, sleep=pause))
