# Copyright: (c) 2026, the cloudn.compute authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The collection's modules as Python modules, the options that each has by default, and results that must be good."""

from __future__ import annotations

import importlib
from typing import Any


def imported(name: str) -> Any:
    """Return the Python module of a module."""
    return importlib.import_module(f"ansible_collections.cloudn.compute.plugins.modules.{name}")


def spec_of(name: str) -> dict[str, Any]:
    """Return a module's options. Those with items have the options of the items."""
    module = imported(name)
    items = {option: {**module.SPEC[option], "options": item.spec} for option, item in module.DEFINITION.items.items()}
    return {**module.SPEC, **items}


def defaults(name: str) -> dict[str, Any]:
    """Return all options of a module with their defaults, None where there is none."""
    return {option: spec.get("default") for option, spec in imported(name).SPEC.items()}


def good(result: dict[str, Any]) -> dict[str, Any]:
    """Return a result of a module, which must not have failed."""
    assert not result.get("failed"), result
    return result
