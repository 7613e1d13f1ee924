# Copyright: (c) 2026, the cloudn.compute authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Both sides of the comparison. The other collection is downloaded, which only `make test-peer` does."""

from __future__ import annotations

import os
import pathlib
import sys

import pytest
from guide import peers_tool
from programs import Failed
from sides import Side

ALL = os.environ.get("FAULTS") == "all"


@pytest.fixture
def ours() -> Side:
    """Ansible with this collection."""
    return Side("cloudn.compute", pathlib.Path(sys.executable).parent, os.environ)


@pytest.fixture(scope="session")
def theirs(tmp_path_factory: pytest.TempPathFactory) -> Side:
    """Ansible with ngine_io.cloudstack. Tests that need it are skipped where it cannot be downloaded."""
    if not ALL:
        pytest.skip("it needs ngine_io.cloudstack, a download of 55 MB: make test-peer")
    try:
        tool = peers_tool(tmp_path_factory.mktemp("peer"))
    except Failed as failure:
        pytest.skip(f"ngine_io.cloudstack cannot be downloaded: {failure}")
    return Side("ngine_io.cloudstack", tool.programs, tool.environment, may_warn=True)
