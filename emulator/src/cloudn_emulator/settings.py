# Copyright: (c) 2026, the cloudn.compute authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The settings of an emulator, each once: for the command line and for tests."""

from __future__ import annotations

import argparse
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Annotated, Any

from .guard import is_host
from .options import EMPTY, count, host, named, seconds, shift

API_KEY = "cloudn-emulator-api-key"
API_SECRET = "cloudn-emulator-api-secret"
SHORTEST_SECRET = 8  # characters
RACE_ORDERS = ("first", "last", "random")
# What is limited, by CloudStack's words, in the order of its numbers for them.
RESOURCES = ("instance", "ip", "volume", "snapshot", "template", "project", "network", "vpc")
UNLIMITED = -1


# What operators of a server change, by the server's own names: how a value looks, and the value of each generation.
POST_ONLY = "enforce.post.requests.and.timestamps"
VIEW_DESTROYED, EXPUNGE_RECOVER = "allow.user.view.destroyed.vm", "allow.user.expunge.recover.vm"
DYNAMIC_SCALE = "enable.dynamic.scale.vm"
THROTTLING, THROTTLING_SECONDS, THROTTLING_MOST = (
    "api.throttling.enabled",
    "api.throttling.interval",
    "api.throttling.max",
)
PAGE_SIZE, USER_DATA_SIZE = "default.page.size", "vm.userdata.max.length"
_SWITCH, _NUMBER = "false|true", "a number from 1"


@dataclass(frozen=True, slots=True)
class ServerSetting:
    """A setting of the server: how its values look, and its value where nobody has set it, by generation."""

    values: str
    three: str
    four: str

    def takes(self, value: str) -> bool:
        """Whether the setting may have a value."""
        if self.values == _SWITCH:
            return value in ("true", "false")
        return value.isascii() and value.isdigit() and int(value) > 0


SERVER_SETTINGS = {
    POST_ONLY: ServerSetting(_SWITCH, "false", "false"),
    VIEW_DESTROYED: ServerSetting(_SWITCH, "false", "false"),
    EXPUNGE_RECOVER: ServerSetting(_SWITCH, "false", "false"),
    DYNAMIC_SCALE: ServerSetting(_SWITCH, "false", "false"),
    THROTTLING: ServerSetting(_SWITCH, "false", "false"),
    THROTTLING_SECONDS: ServerSetting(_NUMBER, "1", "1"),
    THROTTLING_MOST: ServerSetting(_NUMBER, "25", "25"),
    PAGE_SIZE: ServerSetting(_NUMBER, "500", "500"),
    USER_DATA_SIZE: ServerSetting(_NUMBER, "2048", "32768"),
}


class BadSetting(ValueError):
    """A setting that cannot be. The text begins with its name and says what to do."""

    def __init__(self, setting: str, reason: str) -> None:
        super().__init__(f"{setting}: {reason}")
        self.setting = setting
        self.reason = reason


def _limit(text: str) -> tuple[str, int]:
    """`KIND=N`: a kind of things, and how many of them there may be."""
    kind, sign, most = text.partition("=")
    if kind not in RESOURCES or not sign:
        example = f"{kind if kind in RESOURCES else RESOURCES[0]}=20"
        raise argparse.ArgumentTypeError(
            f"{text!r}: give it the form KIND=N, such as {example}. KIND is one of {', '.join(RESOURCES)}"
        )
    return kind, count(most)


def _server_setting(text: str) -> tuple[str, str]:
    """`NAME=VALUE`: a setting of the server, and its value."""
    name, _sign, value = text.partition("=")
    if name not in SERVER_SETTINGS or not SERVER_SETTINGS[name].takes(value):
        known = ", ".join(f"{known}={setting.values}" for known, setting in SERVER_SETTINGS.items())
        raise argparse.ArgumentTypeError(f"{text!r}: give one of {known}")
    return name, value


def _option(text: str, **given: Any) -> dict[str, Any]:
    """What argparse takes for a setting that is also an option of the command line.

    The option has the name of the setting unless `option` gives another.
    """
    return {"help": text, **given}


_COUNT = {"type": count, "metavar": "N"}
_SECONDS = {"type": seconds, "metavar": "S"}
_MILLISECONDS = {"type": seconds, "metavar": "L"}
_COMMANDS = {"action": "append", "default": [], "metavar": "COMMAND"}


@dataclass(slots=True, kw_only=True)
class Settings:
    """How an emulator behaves. The help of each option explains its setting."""

    # The account.
    api_key: Annotated[str, _option("the account's key (%(default)s)", type=named, metavar="K")] = API_KEY
    api_secret: Annotated[str, _option("the account's secret (%(default)s)", metavar="S")] = API_SECRET
    account: Annotated[str, _option("an admin may recover and sees destroyed machines", choices=("user", "admin"))] = (
        "user"
    )
    grants: Annotated[
        Collection[str], _option("a command that the account may use besides", option="--grant", **_COMMANDS)
    ] = ()
    denied: Annotated[
        Collection[str], _option("a command that the account may not use", option="--deny", **_COMMANDS)
    ] = ()
    # A limit of -1 is any number.
    limits: Annotated[
        Mapping[str, int],
        _option(
            f"how many things of a kind each plain account may have: {', '.join(RESOURCES)}",
            option="--limit",
            action="append",
            type=_limit,
            default=[],
            metavar="KIND=N",
        ),
    ] = field(default_factory=dict)
    server: Annotated[
        Mapping[str, str],
        _option(
            f"a setting of the server by its own name: {', '.join(SERVER_SETTINGS)}",
            option="--setting",
            action="append",
            type=_server_setting,
            default=[],
            metavar="NAME=VALUE",
        ),
    ] = field(default_factory=dict)
    neighbour: Annotated[
        bool, _option("add a second plain account, with one object of each kind", action="store_true")
    ] = False

    # Who may ask.
    allowed_hosts: Annotated[
        Collection[str],
        _option(
            "name or address of a host that requests may be for, and that pages may come from, besides this machine's",
            option="--allow-host",
            action="append",
            type=host,
            default=[],
            metavar="HOST",
        ),
    ] = ()

    # What is there.
    generation: Annotated[str, _option("the generation of CloudStack (%(default)s)", choices=("3", "4"))] = "3"
    dialect: Annotated[str, _option("whose names of commands are known (%(default)s)")] = "cloudstack"
    count_all: Annotated[
        bool,
        _option(
            "what the count of a listing is of: the page, as in CloudStack 3, or all pages, as in 4 (%(default)s)",
            option="--count",
            choices=("page", "all"),
            default="page",
        ),
    ] = False
    vms: Annotated[int, _option("how many virtual machines there are from the start", **_COUNT)] = 0
    zones: Annotated[
        Sequence[str],
        _option(
            "name of a zone, instead of jp-e1a and jp-e1b; at most nine",
            option="--zone",
            type=named,
            metavar="NAME",
            action="append",
            default=[],
        ),
    ] = ()

    # What a file says: see seed_file.py.
    seed: Mapping[str, Any] | None = None
    advanced_zone: Annotated[
        bool,
        _option(
            "zones are Advanced ones with security groups and two networks each, as CloudStack's documentation says; "
            "not measured",
            action="store_true",
        ),
    ] = False

    # Time.
    job_seconds: Annotated[float, _option("how long a job takes (%(default)s)", **_SECONDS)] = 1.0
    # None: as long as a job.
    download_seconds: Annotated[
        float | None,
        _option("how long the download of a template or a volume takes (%(default)s)", default=5.0, **_SECONDS),
    ] = None
    latency_ms: Annotated[float, _option("delay of each request (%(default)s)", **_MILLISECONDS)] = 0.0
    list_ms_per_object: Annotated[
        float,
        _option("delay of a listing of the native API for each object in its answer (%(default)s)", **_MILLISECONDS),
    ] = 0.0
    clock_ahead: Annotated[
        float,
        _option("how far the service's clock is ahead of this machine's (negative: behind)", type=shift, metavar="S"),
    ] = 0.0
    expunge_seconds: Annotated[
        float,
        _option(
            "how long a destroyed machine keeps its name and groups, and how long a deleted volume, snapshot or template is "
            "still known (%(default)s)",
            **_SECONDS,
        ),
    ] = 86400.0
    ec2_give_up_seconds: Annotated[
        float,
        _option(
            "how long the EC2-compatible API waits for a job before it says that it timed out (%(default)s)", **_SECONDS
        ),
    ] = 600.0

    # Two requests at one moment.
    group_lock_seconds: Annotated[
        float,
        _option(
            "how long a change of a group's rules sleeps when another change has locked the group (%(default)s)",
            **_SECONDS,
        ),
    ] = 5.0
    race_ms: Annotated[
        float,
        _option("time between the look whether a name is free and the new row; 0: none (%(default)s)", **_MILLISECONDS),
    ] = 0.0
    race_order: Annotated[
        str, _option("which of two rows made at one moment is listed first (%(default)s)", choices=RACE_ORDERS)
    ] = "first"

    # Memory.
    keep_jobs: Annotated[int, _option("how many ended jobs are known, the newest (%(default)s)", **_COUNT)] = 10_000
    keep_requests: int = 100_000  # the newest
    keep_events: int = 10_000  # the newest

    def server_value(self, name: str) -> str:
        """The value of a setting of the server."""
        setting = SERVER_SETTINGS[name]
        return self.server.get(name, setting.three if self.generation == "3" else setting.four)

    def __post_init__(self) -> None:
        for setting, texts in (("api_key", [self.api_key]), ("zones", self.zones)):
            if not all(text.strip() for text in texts):
                raise BadSetting(setting, EMPTY)
        if len(self.api_secret) < SHORTEST_SECRET:
            raise BadSetting(
                "api_secret",
                f"{len(self.api_secret)} characters are too few, use at least {SHORTEST_SECRET}. Ansible hides a secret "
                "wherever it stands in the output, so a short one makes the output unreadable.",
            )
        for one in self.allowed_hosts:
            if not is_host(one):
                raise BadSetting(
                    "allowed_hosts", f"{one!r} is no name and no address of a host. Give it without a port."
                )
        for name, value in self.server.items():
            if name not in SERVER_SETTINGS:
                raise BadSetting("server", f"{name}={value} can't be. Set one of {', '.join(SERVER_SETTINGS)}.")
            if not SERVER_SETTINGS[name].takes(value):
                raise BadSetting("server", f"{name}={value} can't be. Give it {SERVER_SETTINGS[name].values}.")
        for word, most in self.limits.items():
            if word not in RESOURCES or most < UNLIMITED:
                raise BadSetting("limits", f"{word}={most} can't be. Limit one of {', '.join(RESOURCES)} to 0 or more.")
