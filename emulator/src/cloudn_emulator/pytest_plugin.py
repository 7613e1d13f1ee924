# Copyright: (c) 2026, the cloudn.compute authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The plugin of pytest: a fixture `cloudn_emulator` that gives each test an emulator in its start state.

It imports the emulator only when a test asks for the fixture.
"""

from __future__ import annotations

import dataclasses
import difflib
import pathlib
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from .emulator import Emulator

NAME = "cloudn_emulator"
_OWN = ("faults", "seed")  # what an emulator takes besides its settings


def pytest_addoption(parser: pytest.Parser) -> None:
    """Declare the setting of the configuration file."""
    parser.addini(NAME, "settings of the fixture cloudn_emulator: NAME=VALUE in each line", type="linelist", default=[])


def pytest_configure(config: pytest.Config) -> None:
    """Declare the marker."""
    config.addinivalue_line("markers", f"{NAME}(**settings): settings of the fixture {NAME} for this test")


class Servers:
    """One emulator for each set of settings, started when the first test asks for it."""

    def __init__(self) -> None:
        self._running: dict[str, Emulator] = {}

    def fresh(self, settings: Mapping[str, Any]) -> Emulator:
        """An emulator with these settings in its start state."""
        from .emulator import Emulator

        key = repr(sorted(settings.items()))
        running = self._running.get(key)
        if running is not None and running.is_running:  # a test may have stopped it
            running.reset()
            return running
        self._running[key] = Emulator(**settings).start()
        return self._running[key]

    def stop(self) -> None:
        """Stop all of them."""
        for running in self._running.values():
            running.stop()


@pytest.fixture(scope="session")
def _cloudn_emulator_servers() -> Iterator[Servers]:
    servers = Servers()
    yield servers
    servers.stop()


@pytest.fixture
def cloudn_emulator(request: pytest.FixtureRequest, _cloudn_emulator_servers: Servers) -> Emulator:
    """An emulator in its start state: `url`, `ec2_url`, `api_key`, `api_secret`, `environment`, `store`, `requests`, `faults()`.

    The server stays for the whole session. It is reset before each test. Its settings are those of `Emulator`. They come
    from `cloudn_emulator` in pytest's configuration and from the marker `cloudn_emulator` of the test, whose settings win.
    """
    given = _of_file(request.config)
    for marker in reversed(list(request.node.iter_markers(NAME))):
        if marker.args:
            raise _wrong(f"the marker {NAME} takes settings by name, such as {NAME}(vms=3)")
        given.update(marker.kwargs)
    _check(given)
    if isinstance(given.get("seed"), (str, pathlib.Path)):
        given["seed"] = request.config.rootpath / given["seed"]
    from .seed_file import BadSeed

    try:
        return _cloudn_emulator_servers.fresh(given)
    except (BadSeed, ValueError, TypeError) as error:
        raise _wrong(str(error)) from None


def _of_file(config: pytest.Config) -> dict[str, Any]:
    """The settings of the configuration file. Their values are YAML."""
    import yaml

    found = {}
    for line in config.getini(NAME):
        name, sign, value = line.partition("=")
        if not sign:
            raise _wrong(f"{line!r} in the configuration is not NAME=VALUE, such as generation='4'")
        try:
            found[name.strip()] = yaml.safe_load(value)
        except yaml.YAMLError:
            raise _wrong(f"the value of {name.strip()} in the configuration is not YAML: {value.strip()}") from None
    return found


def _check(given: Mapping[str, Any]) -> None:
    """Refuse settings that do not exist."""
    from .settings import Settings

    known = [*_OWN, *(field.name for field in dataclasses.fields(Settings) if field.name not in _OWN)]
    for name in given:
        if name not in known:
            close = difflib.get_close_matches(name, known, 1)
            meant = f"do you mean {close[0]}?" if close else f"there are {', '.join(known)}"
            raise _wrong(f"{name}: there is no such setting; {meant}")


def _wrong(text: str) -> BaseException:
    """The error for wrong settings: a failure of the test without the lines of this plugin."""
    made: BaseException = pytest.fail.Exception(f"{NAME}: {text}", pytrace=False)
    return made
