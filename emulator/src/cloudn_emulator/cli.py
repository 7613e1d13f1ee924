# Copyright: (c) 2026, the cloudn.compute authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The command line: `cloudn-emulator` serves, `cloudn-emulator vars` prints the seeded ids."""

from __future__ import annotations

import argparse
import asyncio
import difflib
import errno
import logging
import os
import re
import shlex
import sys
from collections.abc import Sequence
from typing import Annotated, Any, get_origin, get_type_hints

from . import seed
from .catalogue import COMMANDS, DIALECTS
from .faults import BadRule, Faults
from .faults.reading import parse
from .options import named, port
from .ready import NotReady
from .seed_file import BadSeed, read_seed
from .serving import serve
from .settings import BadSetting, Settings
from .state import StateError
from .version import version

DEFAULTS = Settings()
# What a file of `--seed` says, too.
_SEEDED = {"vms": "--vms", "zones": "--zone", "neighbour": "--neighbour", "advanced_zone": "--advanced-zone"}
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
    clash = _clash(options)
    if clash:
        parser.error(clash)
    if len(options.zones) > seed.MOST_ZONES or len(set(options.zones)) < len(options.zones):
        parser.error(f"--zone: at most {seed.MOST_ZONES} different names")
    logging.basicConfig(stream=sys.stderr, format="%(name)s: %(message)s")
    if options.what == "vars":
        pairs = seed.variables(options.account, options.generation).items()
        print(" ".join(f"--var {shlex.quote(f'{name}={value}')}" for name, value in pairs))
        return 0
    try:
        settings = _settings(options)
    except BadSeed as wrong:
        parser.error(f"argument --seed: {wrong}")
    except BadSetting as wrong:
        parser.error(f"--{wrong.setting.replace('_', '-')}: {wrong.reason}")
    try:
        return asyncio.run(serve(options, settings))
    except BadSeed as wrong:
        parser.error(f"argument --seed: {options.seed}: {wrong}")
    except (StateError, NotReady) as wrong:
        print(f"cloudn-emulator: {wrong}", file=sys.stderr)
        return 1
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
    add("--version", action="version", version=f"cloudn-emulator {version()}")
    add("--host", default="127.0.0.1", help="address to listen on (%(default)s)")
    add("--port", type=port, default=8080, help="port to listen on, 0 for any free one (%(default)s)")
    for name, given in OPTIONS.items():
        _add_option(parser, name, given)
    add(
        "--seed",
        type=named,
        metavar="FILE",
        help="YAML file with the objects at the start (instead of --vms, --zone ...)",
    )
    add("--state", type=named, metavar="FILE", help="file that keeps everything, so that a restart goes on with it")
    add("--ready-file", type=named, metavar="FILE", help="file that is there while it listens, with the addresses")
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


def _clash(options: argparse.Namespace) -> str | None:
    """The problem of options that say the same in two ways, or None."""
    if options.seed is None:
        return None
    if options.what == "vars":
        return "argument --seed: not for vars, which prints the ids of the service's own objects; leave it out"
    given = [text for name, text in _SEEDED.items() if getattr(options, name)]
    if given:
        return f"argument {given[0]}: not allowed with --seed; write it into {options.seed}, or leave one of them out"
    return None


def _add_option(parser: argparse.ArgumentParser, name: str, given: dict[str, Any]) -> None:
    given = {"option": f"--{name.replace('_', '-')}", "default": getattr(DEFAULTS, name), **given}
    choices = {"grants": _grantable(), "denied": sorted(COMMANDS), "dialect": DIALECTS}.get(name)
    if choices:
        given["choices"] = choices
    parser.add_argument(given.pop("option"), dest=name, **given)


def _settings(options: argparse.Namespace) -> Settings:
    """The settings that the options are. Raises BadSetting."""
    given = {name: getattr(options, name) for name in OPTIONS}
    return Settings(
        **{
            **given,
            "limits": dict(options.limits),
            "server": dict(options.server),
            "count_all": options.count_all == "all",
            "seed": options.seed and read_seed(options.seed),
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
