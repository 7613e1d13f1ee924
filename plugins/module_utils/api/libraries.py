# Copyright: (c) 2026, the cloudn.compute authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Tells which of the libraries that requests to the service need is missing, before anything is sent."""

from __future__ import annotations

import functools
import importlib.util
import traceback


@functools.lru_cache(maxsize=None)
def missing() -> tuple[str, str] | None:
    """Return the name of a library that can't be imported, and why. ``None``: all are there.

    Each run needs requests, so it is imported here: one that lacks a library of its own is found, but fails. Few runs need
    xmltodict, so it is only looked for.
    """
    try:
        import requests  # noqa: F401
    except ImportError:
        return "requests", traceback.format_exc()
    return None if importlib.util.find_spec("xmltodict") else ("xmltodict", "No module named 'xmltodict'")
