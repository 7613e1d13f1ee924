# Copyright: (c) 2026, the cloudn.compute authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Filters of networks and their offerings that both generations share."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from ..calls import Call
from ..collation import collated
from ..errors import bad_parameter
from ..filters import Test
from ..generation import Differs
from ..network_offerings import SERVICES

_SERVICES = Differs(SERVICES, (*SERVICES, "Connectivity"))


def asks_for(call: Call, name: str, value: str | bool) -> bool:
    """Whether a filter is not given, or asks for this value."""
    asked = call[name]
    if asked is None or isinstance(value, bool):
        return asked in (None, value)
    return collated(asked) == collated(value)


def offers(call: Call, services: Callable[[Any], tuple[str, ...]]) -> Test | None:
    """The test for all services that are asked for. Raises ApiError (431) for an unknown service."""
    asked = call["supportedservices"]
    if asked is None:
        return None
    known = {service.lower(): service for service in call.of(_SERVICES)}
    for word in asked:
        if word.lower() not in known:
            raise bad_parameter(f"Invalid service specified {word}")
    wanted = {known[word.lower()] for word in asked}
    return lambda one: wanted <= set(services(one))
