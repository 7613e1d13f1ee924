# Copyright: (c) 2026, the cloudn.compute authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""One browser for all tests of the emulator's page, and the page as a test sees it."""

from __future__ import annotations

import json
import pathlib
import sys
import tempfile
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from cloudn_emulator import Emulator
from waiting import soon

sys.path.insert(0, str(pathlib.Path(__file__).parents[2] / "pictures"))

import screen


class Page:
    """The page of an emulator in a browser."""

    def __init__(self, driver: Any, emulator: Emulator, query: str = "", **window: Any) -> None:
        self.driver = driver
        self.origin = f"http://127.0.0.1:{emulator.port}"
        screen.open_page(driver, f"{self.origin}/{query}", **window)

    def js(self, script: str, *arguments: Any) -> Any:
        """Run a script in the page; gives what it returns."""
        return self.driver.execute_script(script, *arguments)

    def texts(self, selector: str) -> list[str]:
        """The texts of the elements of a CSS selector, as they are shown."""
        found: list[str] = self.js(
            "return [...document.querySelectorAll(arguments[0])].map(e => e.innerText)", selector
        )
        return found

    def names(self, section: str) -> list[str]:
        """The names in the first column of a table."""
        return self.texts(f"#{section} tbody th > bdi:first-child")

    def svg(self, selector: str) -> list[str]:
        """The texts of elements of the picture."""
        found: list[str] = self.js(
            "return [...document.querySelectorAll('#picture svg ' + arguments[0])].map(e => e.textContent)", selector
        )
        return found

    def shows(self, section: str, text: str) -> bool:
        """Whether a part of the page soon shows a text."""
        return bool(
            soon(lambda: text in self.js("return document.getElementById(arguments[0]).innerText", section), 20)
        )

    def press(self, *keys: str) -> None:
        """Press keys, one after the other, wherever the focus is."""
        from selenium.webdriver import ActionChains

        ActionChains(self.driver, duration=0).send_keys(*keys).perform()

    def drawn(self) -> None:
        """Wait until what was chosen is drawn."""
        self.driver.execute_async_script("requestAnimationFrame(() => setTimeout(arguments[0]))")

    def complaints(self) -> list[str]:
        """What the browser has reported of the page: errors of scripts, and what the page's policy has stopped."""
        return [entry["message"] for entry in self.driver.get_log("browser")]

    def requested(self) -> set[str]:
        """The addresses that the browser has asked for since the last call, also those that it did not get."""
        found = set()
        for entry in self.driver.get_log("performance"):
            message = json.loads(entry["message"])["message"]
            if message["method"] in ("Network.requestWillBeSent", "Network.webSocketCreated"):
                found.add((message["params"].get("request") or message["params"])["url"])
        return found


@pytest.fixture(scope="session")
def driver() -> Iterator[Any]:
    """The browser. Where there is none, its tests are skipped with what to install."""
    lacking = screen.missing()
    if lacking:
        pytest.skip(lacking)
    with (
        tempfile.TemporaryDirectory(prefix="cloudn-browser-", ignore_cleanup_errors=True) as folder,
        screen.browser(pathlib.Path(folder)) as running,
    ):
        yield running


@pytest.fixture
def open_page(driver: Any, request: pytest.FixtureRequest) -> Iterator[Callable[..., Page]]:
    """Open the page of an emulator: ``open_page(emulator, "?filter=web", width=360)``. It must not complain in the end."""
    if request.config.getoption("loadgroup", False):
        assert request.node.nodeid.endswith("@browser"), (
            "pytest-xdist does not keep groups together: several browsers run"
        )
    pages: list[Page] = []

    def start(emulator: Emulator, query: str = "", **window: Any) -> Page:
        driver.get_log("browser")
        driver.get_log("performance")
        pages.append(Page(driver, emulator, query, **window))
        return pages[-1]

    yield start
    if pages:
        assert pages[-1].complaints() == []
    driver.get("about:blank")  # emulators end sooner without a page
