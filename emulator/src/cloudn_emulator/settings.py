# Copyright: (c) 2026, the cloudn.compute authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What an emulator is started with: the same for the command line and for tests."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field

API_KEY = "cloudn-emulator-api-key"
API_SECRET = "cloudn-emulator-api-secret"
SHORTEST_SECRET = 8  # characters
RACE_ORDERS = ("first", "last", "random")
# What is limited, by CloudStack's words, in the order of its numbers for them.
RESOURCES = ("instance", "ip", "volume", "snapshot", "template", "project", "network", "vpc")
UNLIMITED = -1


class BadSetting(ValueError):
    """A setting that can't be; the text begins with its name and says what to do."""

    def __init__(self, setting: str, reason: str) -> None:
        super().__init__(f"{setting}: {reason}")
        self.setting = setting
        self.reason = reason


@dataclass(slots=True, kw_only=True)
class Settings:
    """How an emulator behaves.

    The account: `account` is `user` (a plain one) or `admin`, with `api_key` and `api_secret`; `grants` names commands
    beyond those of a plain account, `denied` those it lacks; `neighbour` adds a second plain account with objects;
    `limits` are how many things of a kind (the words of RESOURCES) each plain account may have, -1 means any number.

    What is there: `zones` are the names of the zones instead of the service's two, `vms` the machines from the start;
    `dialect` is whose names of commands are known (`cloudstack` or `cloudn`), `count_all` makes a listing's `count` that
    of all pages.

    Time, in seconds where the name does not say otherwise: `job_seconds` is how long a job takes, `latency_ms` what each
    request is held back, `list_ms_per_object` what a listing of the native API is held back for each object in it,
    `download_seconds` how long a template or a volume that comes from an address takes (None: as long as a job),
    `expunge_seconds` how long a destroyed machine keeps its name and groups, and how long a deleted volume, snapshot or
    template is still known, `clock_ahead` how far the service's clock is ahead of this machine's (negative:
    behind), `ec2_give_up_seconds` how long the EC2 half waits for a job before it says that it timed out.

    Races: `group_lock_seconds` is how long a change of a security group's rules sleeps that finds the group locked by
    another; `race_ms` is the time between the look whether a name is free and the new row, `race_order` which of two rows
    that were made at one moment is listed first (`first` or `last` made, or `random`).

    Memory: `keep_jobs` is how many ended jobs are known, the newest, `keep_requests` how many requests are remembered,
    `keep_events` how many events.
    """

    account: str = "user"
    api_key: str = API_KEY
    api_secret: str = API_SECRET
    grants: Collection[str] = ()
    denied: Collection[str] = ()
    neighbour: bool = False
    limits: Mapping[str, int] = field(default_factory=dict)
    zones: Sequence[str] = ()
    vms: int = 0
    dialect: str = "cloudstack"
    count_all: bool = False
    job_seconds: float = 1.0
    download_seconds: float | None = None
    latency_ms: float = 0.0
    list_ms_per_object: float = 0.0
    expunge_seconds: float = 86400.0
    clock_ahead: float = 0.0
    ec2_give_up_seconds: float = 600.0
    group_lock_seconds: float = 5.0
    race_ms: float = 0.0
    race_order: str = "first"
    keep_jobs: int = 10_000
    keep_requests: int = 100_000
    keep_events: int = 10_000

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
