# Copyright: (c) 2026, the cloudn.compute authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Records of the service with members that can't be used: nobody takes such a member for a missing one, or for another.

``decode`` finds them by the tables of ``decode_fields``. A record keeps its other members. So a task that does not need the
bad one goes on, and a list is shown without the bad record. This is the one place that knows what a bad member does.
"""

from __future__ import annotations

import json
import typing as t

from .errors import BadAnswer

Found = t.Dict[str, str]


class BadRecord(BadAnswer):
    """A member of a record is needed and can't be used. The message names the object and the member."""


class Flawed(t.Dict[str, t.Any]):
    """A record with bad members. Reading one raises ``BadRecord``, and so does reading all. Setting one mends it.

    ``flaws`` says by the member's name what is wrong with it. ``inner`` has the same about the records in this one, by
    their paths. ``is_whole``: it is no record at all, so no member of it can be read.
    """

    def __init__(
        self, known: t.Dict[str, t.Any], flaws: Found, inner: Found, kind: str, is_whole: bool = False
    ) -> None:
        super().__init__(known)
        self.flaws = flaws
        self.inner = inner
        self.kind = kind
        self.is_whole = is_whole
        self.command = ""

    def problem(self, path: str) -> str:
        """Return the text about a bad member, with the names of the object and the member."""
        named = [self.peek(name) for name in ("name", "id", "jobid") if self.peek(name)]
        about = f"{named[0]} ({', '.join(map(str, named[1:]))})" if len(named) > 1 else "".join(map(str, named))
        wrong = {**self.flaws, **self.inner}[path]
        member = f"{path} " if path else "it "
        where = f"{self.command}: " if self.command else ""
        return f"{where}the record of the {self.kind} {about or 'without a name'} can't be used: {member}{wrong}"

    def problems(self) -> list[str]:
        """Return the texts about all bad members."""
        return [self.problem(path) for path in (*self.flaws, *self.inner)]

    def peek(self, name: str) -> t.Any:
        """Return a member if it is good, else ``None``."""
        return None if name in self.flaws else super().get(name)

    def _check(self, name: t.Any) -> None:
        if name in self.flaws or self.is_whole:
            raise BadRecord(self.problem("" if self.is_whole else name), self.command)

    def _check_all(self) -> None:
        for name in self.flaws:
            self._check(name)

    def __getitem__(self, name: str) -> t.Any:
        self._check(name)
        return super().__getitem__(name)

    def get(self, name: str, default: t.Any = None) -> t.Any:
        self._check(name)
        return super().get(name, default)

    def __contains__(self, name: object) -> bool:
        self._check(name)
        return super().__contains__(name)

    def __setitem__(self, name: str, value: t.Any) -> None:
        self.flaws.pop(name, None)
        super().__setitem__(name, value)

    # With these, `{**record}` and `dict(record)` raise, too.
    def __iter__(self) -> t.Iterator[str]:
        self._check_all()
        return super().__iter__()

    def keys(self) -> t.Any:
        self._check_all()
        return super().keys()

    def items(self) -> t.Any:
        self._check_all()
        return super().items()

    def values(self) -> t.Any:
        self._check_all()
        return super().values()


def problems(record: t.Any) -> list[str]:
    """Return what is wrong with a record, nothing for a good one."""
    return record.problems() if isinstance(record, Flawed) else []


def check(record: t.Any) -> None:
    """Raise ``BadRecord`` if any member of a record, at any depth, can't be used."""
    if isinstance(record, Flawed):
        raise BadRecord(record.problems()[0], record.command)


def peek(record: t.Dict[str, t.Any], name: str) -> t.Any:
    """Return a member of a record if it is good, else ``None``: for an order, or a key, that may be any."""
    return record.peek(name) if isinstance(record, Flawed) else record.get(name)


def key_of(record: t.Dict[str, t.Any]) -> str:
    """Return a text that is equal for equal records, bad ones too."""
    return json.dumps(plain(record), sort_keys=True)


def plain(value: t.Any) -> t.Any:
    """Return a value as the service has sent it, bad members too: for those who want to see the answer itself."""
    if isinstance(value, dict):
        return {name: plain(inner) for name, inner in dict.items(value)}
    return [plain(inner) for inner in value] if isinstance(value, list) else value


def altered(record: t.Dict[str, t.Any], **members: t.Any) -> t.Dict[str, t.Any]:
    """Return a copy of a record with other members. ``None`` leaves one out. A bad record stays one."""
    copy: t.Dict[str, t.Any] = dict(dict.items(record))
    flaws = {}
    for name, value in members.items():
        if value is None:
            copy.pop(name, None)
        else:
            copy[name] = value
    if not isinstance(record, Flawed):
        return copy
    flaws = {name: wrong for name, wrong in record.flaws.items() if name not in members}
    inner = {
        path: wrong for path, wrong in record.inner.items() if path.partition("[")[0].partition(".")[0] not in members
    }
    if not flaws and not inner:
        return copy
    made = Flawed(copy, flaws, inner, record.kind, record.is_whole)
    made.command = record.command
    return made


def sound(records: t.Iterable[t.Dict[str, t.Any]], warn: t.Callable[[str], None]) -> list[t.Dict[str, t.Any]]:
    """Return the good records of a list that is shown. ``warn`` gets a text about each bad one, which is left out.

    This is for lists that people read. Who looks for an object must see the bad records: they may be that object.
    """
    good = []
    for record in records:
        found = problems(record)
        if found:
            more = f" (and {len(found) - 1} more)" if len(found) > 1 else ""
            warn(f"{found[0]}{more}; this object is left out, all others are there")
        else:
            good.append(record)
    return good
