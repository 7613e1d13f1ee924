# Copyright: (c) 2026, the cloudn.compute authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The commands that an account may use, and what only CloudStack 4 tells of itself; measured on 4.23."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ..calls import Call, Param
from ..collation import collated
from ..errors import INTERNAL, NO_CLASS, ApiError
from ..wire import listing

if TYPE_CHECKING:
    from ..command import Command

LENGTH = 255
REGION: dict[str, Any] = {
    "id": 1,
    "name": "Local",
    "endpoint": "http://localhost:8080/client/",
    "gslbserviceenabled": True,
    "portableipserviceenabled": False,
}
_TYPES = {
    "string": "string",
    "bool": "boolean",
    "int": "integer",
    "anysize": "integer",
    "long": "long",
    "date": "date",
    "anydate": "date",
    "anyend": "date",
    "since": "date",
    "until": "date",
    "{}": "map",
}


def list_apis(call: Call) -> dict[str, Any]:
    """listApis: the commands that the account may use, or the one that `name` names. An unknown name is a 530.

    As on the real server the case of a name counts. The emulator has no texts about commands, and does not tell the
    fields of their answers.
    """
    wanted = call["name"]
    known = [
        command
        for command in call.store.commands.values()
        if call.account.may(command.name, command.granted) and wanted in (None, command.name)
    ]
    if wanted is not None and not known:
        text = "Api Discovery plugin was unable to find an api by that name or process any apis"
        raise ApiError(INTERNAL, text, NO_CLASS)
    return listing("api", [_view(command) for command in known])


def _view(command: Command) -> dict[str, Any]:
    return {
        "name": command.name,
        "description": "",
        "isasync": command.job_class is not None,
        "related": "",
        "params": [_param(param) for param in command.params],
        "response": [],
        "httprequesttype": "GET" if command.is_read else "POST",
    }


def _param(param: Param) -> dict[str, Any]:
    return {
        "name": param.name,
        "description": "",
        "type": "list" if param.many else _TYPES.get(param.kind, "uuid"),
        "length": param.limit or LENGTH,
        "required": param.required,
    }


def list_regions(call: Call) -> dict[str, Any]:
    """listRegions: the emulator is one region."""
    name = call["name"]
    found = call["id"] in (None, REGION["id"]) and (name is None or collated(name) == collated(REGION["name"]))
    return listing("region", [REGION] if found else [])
