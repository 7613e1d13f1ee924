# Copyright: (c) 2026, the cloudn.compute authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A clean checkout, and the collection installed from its tarball, as a user gets them."""

from __future__ import annotations

import os
import pathlib
import signal
import subprocess
import sys
from collections.abc import Callable

import pytest
from copied import copy

# What a shell starts in the background ignores Ctrl-C, and so would all that is started and interrupted here.
signal.signal(signal.SIGINT, signal.default_int_handler)

Run = Callable[..., str]


@pytest.fixture(scope="session")
def checkout(tmp_path_factory: pytest.TempPathFactory) -> pathlib.Path:
    """A directory with what git has of the project, and nothing else. Its path has a space, as some have."""
    directory = tmp_path_factory.mktemp("a checkout")
    copy(directory)
    return directory


@pytest.fixture(scope="session")
def tarball(checkout: pathlib.Path, tmp_path_factory: pytest.TempPathFactory) -> pathlib.Path:
    """The collection's tarball, built from the checkout."""
    output = tmp_path_factory.mktemp("tarball")
    command = ["ansible-galaxy", "collection", "build", "--output-path", str(output), str(checkout)]
    subprocess.run(command, env=_environment(), check=True, capture_output=True)
    (built,) = output.glob("*.tar.gz")
    return built


@pytest.fixture(scope="session")
def installed(tarball: pathlib.Path, tmp_path_factory: pytest.TempPathFactory) -> pathlib.Path:
    """A directory of collections with that tarball installed."""
    collections = tmp_path_factory.mktemp("collections")
    command = ["ansible-galaxy", "collection", "install", str(tarball), "--offline", "-p", str(collections)]
    # Without a place of its own the checkout, which the tests see as installed, would be good enough for it.
    environment = {**_environment(), "ANSIBLE_COLLECTIONS_PATH": str(collections)}
    subprocess.run(command, env=environment, check=True, capture_output=True)
    return collections


@pytest.fixture
def ansible(installed: pathlib.Path, environment: dict[str, str], tmp_path: pathlib.Path) -> Run:
    """Return a function that runs a command, with the installed collection and the emulator, and returns its output."""

    def run(*command: str | pathlib.Path, **variables: str) -> str:
        reach = {**environment, "ANSIBLE_COLLECTIONS_PATH": str(installed), **variables}
        done = subprocess.run(
            command, cwd=tmp_path, env=reach, capture_output=True, text=True, check=False, timeout=120
        )
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    return run


def _environment() -> dict[str, str]:
    return {**os.environ, "PATH": f"{pathlib.Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"}
