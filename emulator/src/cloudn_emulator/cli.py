# Copyright: (c) 2026, the cloudn.compute authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The command line: `cloudn-emulator` serves, `cloudn-emulator vars` tells the seeded ids."""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import errno
import logging
import os
import shlex
import signal
import sys
from collections.abc import Sequence
from typing import Any

import yaml

from . import ec2, native, seed
from .catalogue import COMMANDS, DIALECTS
from .faults import BadRule, Faults
from .jobs import Jobs
from .request_log import Record, to_file
from .server import Service, listen
from .settings import API_KEY, API_SECRET, RACE_ORDERS, RESOURCES, BadSetting, Settings


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the program; returns its exit code."""
    parser = _parser()
    options = parser.parse_args(arguments)
    if len(options.zone) > seed.MOST_ZONES or len(set(options.zone)) < len(options.zone):
        parser.error(f"--zone: at most {seed.MOST_ZONES} different names")
    logging.basicConfig(stream=sys.stderr, format="%(name)s: %(message)s")
    if options.what == "vars":
        pairs = seed.variables(options.account).items()
        print(" ".join(f"--var {shlex.quote(f'{name}={value}')}" for name, value in pairs))
        return 0
    try:
        settings = _settings(options)
    except BadSetting as wrong:
        parser.error(f"--{wrong.setting.replace('_', '-')}: {wrong.reason}")
    try:
        return asyncio.run(_serve(options, settings))
    except OSError as error:
        print(f"cloudn-emulator: {_trouble(error, options)}", file=sys.stderr)
        return 1


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="cloudn-emulator",
        description="Answers as Cloudn Compute (FLAT) does, from memory. Stop it with Ctrl-C or SIGTERM.",
    )
    add = parser.add_argument
    add("what", nargs="?", choices=("serve", "vars"), default="serve", help="vars: print the seeded ids and end")
    add("--host", default="127.0.0.1", help="address to listen on (%(default)s)")
    add("--port", type=_port, default=8080, help="port to listen on, 0 for any free one (%(default)s)")
    add("--api-key", default=API_KEY, metavar="K", help="the account's key (%(default)s)")
    add("--api-secret", default=API_SECRET, metavar="S", help="the account's secret (%(default)s)")
    add("--account", choices=("user", "admin"), default="user", help="admin may recover and sees destroyed VMs")
    add("--grant", action="append", default=[], choices=_grantable(), metavar="COMMAND", help="let the user do this")
    add("--deny", action="append", default=[], choices=sorted(COMMANDS), metavar="COMMAND", help="do not let the user")
    add(
        "--dialect",
        choices=tuple(DIALECTS),
        default="cloudstack",
        help="whose names of commands are known (%(default)s)",
    )
    add(
        "--count",
        choices=("page", "all"),
        default="page",
        help="what a listing's count is of: the page, as in CloudStack 3, or all pages, as in 4 (%(default)s)",
    )
    add("--vms", type=_count, default=0, metavar="N", help="this many virtual machines from the start")
    add(
        "--zone",
        action="append",
        default=[],
        metavar="NAME",
        help="name of a zone, instead of jp-e1a and jp-e1b; at most nine",
    )
    add("--job-seconds", type=_seconds, default=1.0, metavar="S", help="how long a job takes (%(default)s)")
    add(
        "--download-seconds",
        type=_seconds,
        default=5.0,
        metavar="S",
        help="how long a template or a volume that comes from an address takes (%(default)s)",
    )
    add("--latency-ms", type=_seconds, default=0.0, metavar="L", help="hold every request back (%(default)s)")
    add(
        "--list-ms-per-object",
        type=_seconds,
        default=0.0,
        metavar="L",
        help="hold listings back for each object in the answer (%(default)s)",
    )
    add(
        "--clock-ahead",
        type=_shift,
        default=0.0,
        metavar="S",
        help="the service's clock is so many seconds ahead (negative: behind)",
    )
    add("--expunge-seconds", type=_seconds, default=86400.0, metavar="S", help="how long what is deleted stays known")
    add(
        "--ec2-give-up-seconds",
        type=_seconds,
        default=600.0,
        metavar="S",
        help="how long the EC2-compatible API waits for a job before it says that it timed out (%(default)s)",
    )
    add(
        "--group-lock-seconds",
        type=_seconds,
        default=5.0,
        metavar="S",
        help="how long a change of a group's rules sleeps that finds the group locked (%(default)s)",
    )
    add(
        "--race-ms",
        type=_seconds,
        default=0.0,
        metavar="L",
        help="time between the look whether a name is free and the new row; 0: none (%(default)s)",
    )
    add(
        "--race-order",
        choices=RACE_ORDERS,
        default="first",
        help="which of two rows made at one moment is listed first (%(default)s)",
    )
    add(
        "--keep-jobs",
        type=_count,
        default=10_000,
        metavar="N",
        help="this many ended jobs are known, the newest (%(default)s)",
    )
    add(
        "--limit",
        type=_limit,
        action="append",
        default=[],
        metavar="KIND=N",
        help=f"how many things of a kind a plain account may have: {', '.join(RESOURCES)}",
    )
    add("--neighbour", action="store_true", help="a second plain account, with one of each kind of object")
    add("--faults", type=_faults, default=[], metavar="FILE", help="YAML file with rules of what goes wrong")
    add("--log", metavar="FILE", help="append one JSON line per request")
    return parser


def _settings(options: argparse.Namespace) -> Settings:
    same = set(Settings.__dataclass_fields__) & set(vars(options))
    return Settings(
        **{name: getattr(options, name) for name in same},
        grants=options.grant,
        denied=options.deny,
        limits=dict(options.limit),
        zones=options.zone,
        count_all=options.count == "all",
    )


def _grantable() -> list[str]:
    return [command.name for command in COMMANDS.values() if not command.granted]


def _faults(path: str) -> list[Any]:
    try:
        with open(path, encoding="utf-8") as file:
            rules = yaml.safe_load(file) or []
        Faults(rules)
    except OSError as error:
        raise argparse.ArgumentTypeError(f"{path}: {os.strerror(error.errno or 0)}") from None
    except (BadRule, yaml.YAMLError, UnicodeDecodeError) as error:
        raise argparse.ArgumentTypeError(f"{path}: {error}") from None
    return rules


def _port(text: str) -> int:
    return int(_number(text, int, 65535))


def _count(text: str) -> int:
    return int(_number(text, int, 100_000))


def _limit(text: str) -> tuple[str, int]:
    kind, _sign, most = text.partition("=")
    if kind not in RESOURCES:
        raise argparse.ArgumentTypeError(f"{text!r}: give one of {', '.join(RESOURCES)}, and a number behind `=`")
    return kind, _count(most)


def _seconds(text: str) -> float:
    return _number(text, float, 10**9)


def _shift(text: str) -> float:
    return -_seconds(text[1:]) if text.startswith("-") else _seconds(text)


def _number(text: str, kind: type, limit: float) -> float:
    with contextlib.suppress(ValueError):
        if 0 <= kind(text) <= limit:
            return kind(text)
    raise argparse.ArgumentTypeError(f"{text!r} is not a number from 0 to {limit}")


async def _serve(options: argparse.Namespace, settings: Settings) -> int:
    with contextlib.ExitStack() as files:
        record: Record = lambda entry: None  # noqa: E731
        if options.log:
            record = to_file(files.enter_context(open(options.log, "a", encoding="utf-8")))
        store = seed.seeded(settings)
        service = Service(store, Jobs(store), record, Faults(options.faults))
        runner, port = await listen(service, options.host, options.port)
        try:
            host = f"[{options.host}]" if ":" in options.host else options.host
            print(
                f"cloudn-emulator listens on http://{host}:{port}{native.PATH} and http://{host}:{port}{ec2.PATH} "
                f"(account {store.account.name}, API key {store.account.api_key}, {len(store.vms)} virtual machines)",
                flush=True,
            )
            await _told_to_stop()
        finally:
            await runner.cleanup()
    return 0


async def _told_to_stop() -> None:
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    await stop.wait()


def _trouble(error: OSError, options: argparse.Namespace) -> str:
    if error.errno == errno.EADDRINUSE:
        return (
            f"{options.host}:{options.port} is in use; stop what listens there, or choose another port with --port "
            "(0 takes any free one)"
        )
    if options.log and error.filename == options.log:
        return f"cannot write the log {options.log}: {os.strerror(error.errno or 0)}"
    return f"cannot listen on {options.host}:{options.port}: {error.strerror or error}"


if __name__ == "__main__":
    sys.exit(main())
