# Copyright: (c) 2026, the cloudn.compute authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The command line: `cloudn-emulator` serves, `cloudn-emulator vars` prints the seeded ids."""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import difflib
import errno
import logging
import os
import re
import shlex
import signal
import sys
from collections.abc import Sequence
from typing import Annotated, Any, get_origin, get_type_hints

from . import ec2, native, seed
from .catalogue import COMMANDS, DIALECTS
from .faults import BadRule, Faults
from .faults.reading import parse
from .jobs import Jobs
from .options import port
from .request_log import Record, to_file
from .server import Service, listen
from .settings import BadSetting, Settings

DEFAULTS = Settings()
_NUMBER = re.compile(r"-[\d.]")
# What argparse takes for each setting that is an option.
OPTIONS: dict[str, dict[str, Any]] = {
    name: hint.__metadata__[0]
    for name, hint in get_type_hints(Settings, include_extras=True).items()
    if get_origin(hint) is Annotated
}


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the program; returns its exit code."""
    parser = _parser()
    given = sys.argv[1:] if arguments is None else arguments
    problem = _unknown_option(parser, given)
    if problem:
        parser.error(problem)
    options = parser.parse_args(given)
    if len(options.zones) > seed.MOST_ZONES or len(set(options.zones)) < len(options.zones):
        parser.error(f"--zone: at most {seed.MOST_ZONES} different names")
    logging.basicConfig(stream=sys.stderr, format="%(name)s: %(message)s")
    if options.what == "vars":
        pairs = seed.variables(options.account, options.generation).items()
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
        allow_abbrev=False,
    )
    add = parser.add_argument
    add("what", nargs="?", choices=("serve", "vars"), default="serve", help="vars: print the seeded ids and end")
    add("--host", default="127.0.0.1", help="address to listen on (%(default)s)")
    add("--port", type=port, default=8080, help="port to listen on, 0 for any free one (%(default)s)")
    for name, given in OPTIONS.items():
        _add_option(parser, name, given)
    add("--faults", type=_faults, default=[], metavar="FILE", help="YAML file with rules of what goes wrong")
    add("--log", metavar="FILE", help="append one JSON line for each request")
    return parser


def _unknown_option(parser: argparse.ArgumentParser, given: Sequence[str]) -> str | None:
    """Return the problem of the first option that does not exist, ``None`` where all exist.

    argparse would take the value of such an option for the word that says what to do, and complain of that.
    """
    known = [text for action in parser._actions for text in action.option_strings]
    for argument in given:
        name = argument.partition("=")[0]
        if name.startswith("-") and not _NUMBER.match(name) and name not in (*known, "-", "--"):
            close = difflib.get_close_matches(name, known, 1) or [text for text in known if text.startswith(name)]
            hint = f"do you mean {close[0]}?" if close else "--help shows all options"
            return f"{name}: there is no option of this name; {hint}"
    return None


def _add_option(parser: argparse.ArgumentParser, name: str, given: dict[str, Any]) -> None:
    given = {"option": f"--{name.replace('_', '-')}", "default": getattr(DEFAULTS, name), **given}
    choices = {"grants": _grantable(), "denied": sorted(COMMANDS), "dialect": DIALECTS}.get(name)
    if choices:
        given["choices"] = choices
    parser.add_argument(given.pop("option"), dest=name, **given)


def _settings(options: argparse.Namespace) -> Settings:
    given = {name: getattr(options, name) for name in OPTIONS}
    return Settings(
        **{
            **given,
            "limits": dict(options.limits),
            "server": dict(options.server),
            "count_all": options.count_all == "all",
        }
    )


def _grantable() -> list[str]:
    return [command.name for command in COMMANDS.values() if not command.granted]


def _faults(path: str) -> list[Any]:
    try:
        with open(path, "rb") as file:
            rules: list[Any] = parse(file.read())
        Faults(rules)
    except OSError as error:
        raise argparse.ArgumentTypeError(f"{path}: {os.strerror(error.errno or 0)}") from None
    except BadRule as error:
        raise argparse.ArgumentTypeError(f"{path}: {error}") from None
    return rules


async def _serve(options: argparse.Namespace, settings: Settings) -> int:
    with contextlib.ExitStack() as files:
        record: Record = _record_nothing
        if options.log:
            record = to_file(files.enter_context(open(options.log, "a", encoding="utf-8")))
        store = seed.seeded(settings)
        service = Service(store, Jobs(store), record, Faults(options.faults))
        runner, number = await listen(service, options.host, options.port)
        try:
            host = f"[{options.host}]" if ":" in options.host else options.host
            print(
                f"cloudn-emulator listens on http://{host}:{number}{native.PATH} and http://{host}:{number}{ec2.PATH} "
                f"(account {store.account.name}, API key {store.account.api_key}, {len(store.vms)} virtual machines)",
                flush=True,
            )
            await _wait_for_signal()
        finally:
            await runner.cleanup()
    return 0


def _record_nothing(entry: dict[str, Any]) -> None:
    """Without `--log` there is no record."""


async def _wait_for_signal() -> None:
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
