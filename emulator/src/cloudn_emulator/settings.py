# Copyright: (c) 2026, the cloudn.compute authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The settings of an emulator, each once: for the command line and for tests."""

from __future__ import annotations

import argparse
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from .options import count, seconds, shift

API_KEY = "cloudn-emulator-api-key"
API_SECRET = "cloudn-emulator-api-secret"
SHORTEST_SECRET = 8  # characters
RACE_ORDERS = ("first", "last", "random")
# What is limited, by CloudStack's words, in the order of its numbers for them.
RESOURCES = ("instance", "ip", "volume", "snapshot", "template", "project", "network", "vpc")
UNLIMITED = -1


class BadSetting(ValueError):
    """A setting that cannot be. The text begins with its name and says what to do."""

    def __init__(self, setting: str, reason: str) -> None:
        super().__init__(f"{setting}: {reason}")
        self.setting = setting
        self.reason = reason


def _limit(text: str) -> tuple[str, int]:
    """`KIND=N`: a kind of things, and how many of them there may be."""
    kind, _sign, most = text.partition("=")
    if kind not in RESOURCES:
        raise argparse.ArgumentTypeError(f"{text!r}: give one of {', '.join(RESOURCES)}, and a number behind `=`")
    return kind, count(most)


def _option(value: Any, text: str, /, **given: Any) -> Any:
    """A setting that is also an option of the command line, with its help and other arguments for argparse.

    The option has the name of the setting unless `option` gives another.
    """
    return field(default=value, metadata={"help": text, **given})


_COUNT = {"type": count, "metavar": "N"}
_SECONDS = {"type": seconds, "metavar": "S"}
_MILLISECONDS = {"type": seconds, "metavar": "L"}
_COMMANDS = {"action": "append", "default": [], "metavar": "COMMAND"}


@dataclass(slots=True, kw_only=True)
class Settings:
    """How an emulator behaves. The help of each option explains its setting."""

    # The account.
    api_key: str = _option(API_KEY, "the account's key (%(default)s)", metavar="K")
    api_secret: str = _option(API_SECRET, "the account's secret (%(default)s)", metavar="S")
    account: str = _option("user", "an admin may recover and sees destroyed machines", choices=("user", "admin"))
    grants: Collection[str] = _option((), "a command that the account may use besides", option="--grant", **_COMMANDS)
    denied: Collection[str] = _option((), "a command that the account may not use", option="--deny", **_COMMANDS)
    limits: Mapping[str, int] = field(  # -1: any number
        default_factory=dict,
        metadata={
            "option": "--limit",
            "action": "append",
            "type": _limit,
            "default": [],
            "metavar": "KIND=N",
            "help": f"how many things of a kind each plain account may have: {', '.join(RESOURCES)}",
        },
    )
    neighbour: bool = _option(False, "add a second plain account, with one object of each kind", action="store_true")

    # What is there.
    dialect: str = _option("cloudstack", "whose names of commands are known (%(default)s)")
    count_all: bool = _option(
        False,
        "what the count of a listing is of: the page, as in CloudStack 3, or all pages, as in 4 (%(default)s)",
        option="--count",
        choices=("page", "all"),
        default="page",
    )
    vms: int = _option(0, "how many virtual machines there are from the start", **_COUNT)
    zones: Sequence[str] = _option(
        (),
        "name of a zone, instead of jp-e1a and jp-e1b; at most nine",
        option="--zone",
        metavar="NAME",
        action="append",
        default=[],
    )

    # Time.
    job_seconds: float = _option(1.0, "how long a job takes (%(default)s)", **_SECONDS)
    download_seconds: float | None = _option(
        None,  # None: as long as a job
        "how long the download of a template or a volume takes (%(default)s)",
        default=5.0,
        **_SECONDS,
    )
    latency_ms: float = _option(0.0, "delay of each request (%(default)s)", **_MILLISECONDS)
    list_ms_per_object: float = _option(
        0.0, "delay of a listing of the native API for each object in its answer (%(default)s)", **_MILLISECONDS
    )
    clock_ahead: float = _option(
        0.0, "how far the service's clock is ahead of this machine's (negative: behind)", type=shift, metavar="S"
    )
    expunge_seconds: float = _option(
        86400.0,
        "how long a destroyed machine keeps its name and groups, and how long a deleted volume, snapshot or template is "
        "still known (%(default)s)",
        **_SECONDS,
    )
    ec2_give_up_seconds: float = _option(
        600.0,
        "how long the EC2-compatible API waits for a job before it says that it timed out (%(default)s)",
        **_SECONDS,
    )

    # Two requests at one moment.
    group_lock_seconds: float = _option(
        5.0,
        "how long a change of a group's rules sleeps when another change has locked the group (%(default)s)",
        **_SECONDS,
    )
    race_ms: float = _option(
        0.0, "time between the look whether a name is free and the new row; 0: none (%(default)s)", **_MILLISECONDS
    )
    race_order: str = _option(
        "first", "which of two rows made at one moment is listed first (%(default)s)", choices=RACE_ORDERS
    )

    # Memory.
    keep_jobs: int = _option(10_000, "how many ended jobs are known, the newest (%(default)s)", **_COUNT)
    keep_requests: int = 100_000  # the newest
    keep_events: int = 10_000  # the newest

    def __post_init__(self) -> None:
        if len(self.api_secret) < SHORTEST_SECRET:
            raise BadSetting(
                "api_secret",
                f"{len(self.api_secret)} characters are too few, use at least {SHORTEST_SECRET}. Ansible hides a secret "
                "wherever it stands in the output, so a short one makes the output unreadable.",
            )
        for word, most in self.limits.items():
            if word not in RESOURCES or most < UNLIMITED:
                raise BadSetting("limits", f"{word}={most} can't be. Limit one of {', '.join(RESOURCES)} to 0 or more.")
