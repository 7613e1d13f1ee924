# Copyright: (c) 2026, the cloudn.compute authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A real Chromium without a window, that reaches nothing but this machine, and screenshots of the emulator's page."""

from __future__ import annotations

import base64
import contextlib
import importlib.util
import os
import pathlib
import shutil
from collections.abc import Iterator
from typing import Any

INSTALL = "apt-get install chromium chromium-driver; pip install selenium"
BROWSERS = ("chromium", "chromium-browser", "google-chrome")
# Nothing answers there. Chromium asks no proxy for this machine, and this one for everything else.
NO_PROXY_THERE = "http://127.0.0.1:9"
OPTIONS = (
    "--headless=new",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--disable-dev-shm-usage",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--lang=en-US",
    f"--proxy-server={NO_PROXY_THERE}",
)
PAGE_SECONDS = 30


def missing() -> str | None:
    """Return what is missing here for a browser, and how to install it, or ``None``."""
    names = [] if any(map(shutil.which, BROWSERS)) else [BROWSERS[0]]
    names += [] if shutil.which("chromedriver") else ["chromedriver"]
    names += [] if importlib.util.find_spec("selenium") else ["selenium"]
    return f"{', '.join(names)} not found; {INSTALL}" if names else None


@contextlib.contextmanager
def browser(folder: pathlib.Path) -> Iterator[Any]:
    """Start a browser that keeps its files in a folder; give selenium's driver, and end the browser at last."""
    from selenium import webdriver
    from selenium.webdriver.chrome.service import Service

    options = webdriver.ChromeOptions()
    options.binary_location = next(filter(None, map(shutil.which, BROWSERS)), "")
    for option in (*OPTIONS, f"--user-data-dir={folder}"):
        options.add_argument(option)
    options.set_capability("goog:loggingPrefs", {"browser": "ALL", "performance": "ALL"})
    with _without_proxies():
        driver = webdriver.Chrome(options=options, service=Service(shutil.which("chromedriver")))
        try:
            yield driver
        finally:
            driver.quit()


@contextlib.contextmanager
def _without_proxies() -> Iterator[None]:
    """Let selenium reach its driver, which it calls localhost, without a proxy."""
    names = ("no_proxy", "NO_PROXY")
    before = {name: os.environ.get(name) for name in names}
    os.environ.update({name: ",".join(filter(None, [before[name], "localhost"])) for name in names})
    try:
        yield
    finally:
        for name, value in before.items():
            os.environ.pop(name) if value is None else os.environ.update({name: value})


def open_page(driver: Any, address: str, width: int = 1280, height: int = 900, scheme: str = "light") -> None:
    """Open the emulator's page in a window of this size, and wait until it shows what there is."""
    from selenium.webdriver.support.ui import WebDriverWait

    sizes = {"width": width, "height": height, "deviceScaleFactor": 1, "mobile": False}
    driver.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", sizes)
    features = [
        {"name": "prefers-color-scheme", "value": scheme},
        {"name": "prefers-reduced-motion", "value": "reduce"},
    ]
    driver.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": features})
    driver.get(address)
    WebDriverWait(driver, PAGE_SECONDS, 0.02).until(
        lambda one: one.execute_script("return document.body.dataset.ready === 'yes'")
    )


def screenshot(driver: Any) -> bytes:
    """Return what the window shows, as PNG."""
    return base64.b64decode(driver.execute_cdp_cmd("Page.captureScreenshot", {"format": "png"})["data"])
