# Copyright: (c) 2026, the cloudn.compute authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What commands of the native API and actions of EC2 have in common: checks of names, and the module's result."""

from __future__ import annotations

import typing as t

from ..api import Record, UsageError, is_read


class Names(t.NamedTuple):
    """Rules for the names of parameters.

    ``pattern`` matches a whole name. ``split(name)`` returns its words in small letters. ``set_by_client`` has first words
    that the client sets itself, ``secret`` has words of parameters whose values must not be shown.
    """

    pattern: t.Pattern[str]
    split: t.Callable[[str], t.List[str]]
    set_by_client: t.Container[str]
    secret: t.Container[str]

    def check(self, option: str, name: str) -> None:
        """Raise ``UsageError`` for a name that the option can't have."""
        if not self.pattern.match(name):
            raise UsageError(f"{option}: {name!r} is no name of a parameter")
        words = self.split(name)
        if words[0] in self.set_by_client:
            raise UsageError(f"{option}: {name} can't be given, the module sets it itself")
        if option == "params" and any(word in self.secret for word in words):
            raise UsageError(f"params: {name} is secret: put it into secret_params, whose values are not shown")


def check_once(params: t.Iterable[str], secrets: t.Iterable[str]) -> None:
    """Raise ``UsageError`` for names that are in both options."""
    twice = sorted({*params} & {*secrets})
    if twice:
        raise UsageError(f"params, secret_params: {', '.join(twice)} is in both")


def run(
    command: str,
    shown: t.Mapping[str, str],
    secrets: t.Iterable[str],
    check: bool,
    read: t.Callable[[], t.Any],
    change: t.Callable[[], Record],
) -> Record:
    """Run a command, and return the module's result.

    ``read()`` returns the answer of a command that only reads. ``change()`` returns the fields of the result for one that
    changes something; with ``check`` it is not called. ``shown`` are the parameters to show, ``secrets`` the names of those
    whose values are not shown.
    """
    if is_read(command):
        return {"actions": [], "result": read()}
    words = [f"{name}={value}" for name, value in shown.items()] + [f"{name}=***" for name in secrets]
    planned: Record = {"changed": True, "actions": [" ".join([command, *words])], "result": {}}
    return planned if check else {**planned, **change()}
