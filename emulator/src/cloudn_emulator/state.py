# Copyright: (c) 2026, the cloudn.compute authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The state in a file: a store that outlives its process. Whatever was answered is in the file before the answer goes out.

The file is an SQLite database with one line for each row of the store. A transaction has what has changed since the one
before it. SQLite writes it to its log (`FILE-wal`) at once, so a killed process loses nothing that is in it.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import pathlib
import sqlite3
from collections.abc import Callable, Iterator, Mapping

from . import recovery, rows, seed
from .models import Snapshot, SnapshotPolicy
from .settings import Settings
from .store import Store
from .tracking import TABLES, Changes, Row
from .version import version

FORMAT = 1
_OURS = 0x436C456D  # SQLite's `application_id`
_SCHEMA = (
    "CREATE TABLE start (name TEXT PRIMARY KEY, value TEXT) WITHOUT ROWID",
    "CREATE TABLE counters (row INTEGER PRIMARY KEY, value TEXT)",
    "CREATE TABLE objects (kind TEXT, id TEXT, place INTEGER, body TEXT, PRIMARY KEY (kind, id)) WITHOUT ROWID",
    f"PRAGMA application_id = {_OURS}",
)
_PUT = "INSERT OR REPLACE INTO objects VALUES (?, ?, ?, ?)"
_CHANGE = "UPDATE objects SET body = ? WHERE kind = ? AND id = ?"
_REMOVE = "DELETE FROM objects WHERE kind = ? AND id = ?"
_WAIT = 1.0  # seconds for a process that has just ended
_OTHER = "Start with the options of that time, or name another file"


class StateError(Exception):
    """A file of a state that can't be used or written. The text begins with its name and says what to do."""


class State:
    """The file of a state. `trouble` is called once when it can't be written any more; each later `keep` fails, too.

    Raises StateError if the file can't be opened, is in use, or belongs to another start.
    """

    def __init__(self, path: str | os.PathLike[str], settings: Settings) -> None:
        self.path = os.fspath(path)
        self.settings = settings
        self.trouble: Callable[[StateError], None] = lambda error: None
        self._broken: StateError | None = None
        self._changes = Changes()
        self._next_place = 0
        self._counters = ""
        self._file = self._opened()
        try:
            self.store = self._restored()
            self.follow(self.store)
        except BaseException:
            self._file.close()
            raise

    def follow(self, store: Store) -> None:
        """Store another store from now on, in place of all that is in the file."""
        self.store, self._changes, self._counters = store, Changes(), ""
        self._changes.follow(store)
        with self._transaction():
            self._file.executemany("INSERT OR REPLACE INTO start VALUES (?, ?)", _start(self.settings).items())
            self._file.execute("DELETE FROM objects")
            self._write({(name, key): True for name in TABLES for key in getattr(store, name)})
        self._changes.rows.clear()

    def keep(self) -> None:
        """Store what has changed. Raises StateError if it can't."""
        if self._broken is not None:
            raise self._broken
        changed = self._changes.rows
        if not changed:
            return
        with self._transaction():
            self._write({**changed, **self._of_gone_disks(changed)})
        changed.clear()

    def close(self) -> None:
        """Store the last changes and close the file."""
        with contextlib.suppress(StateError):
            self.keep()
        self._file.close()

    # --- writing

    def _write(self, changed: Mapping[Row, bool]) -> None:
        put, gone = [], []
        for (kind, key), is_new in changed.items():
            table, text = getattr(self.store, kind), rows.written_key(key)
            if key not in table:
                gone.append((kind, text))
            elif is_new:
                self._next_place += 1
                put.append((kind, text, self._next_place, rows.written(kind, table[key])))
            else:
                self._file.execute(_CHANGE, (rows.written(kind, table[key]), kind, text))
        self._file.executemany(_REMOVE, gone)
        self._file.executemany(_PUT, put)
        counters = json.dumps([self.store.rows, self.store.next_address])
        if counters != self._counters:
            self._file.execute("INSERT OR REPLACE INTO counters VALUES (0, ?)", (counters,))
            self._counters = counters

    def _of_gone_disks(self, changed: Mapping[Row, bool]) -> dict[Row, bool]:
        """The snapshots and policies of disks that are not in the store any more: their rows hold the disk itself."""
        gone = {key for kind, key in changed if kind == "volumes" and key not in self.store.volumes}
        if not gone:
            return {}
        kept = [
            (name, one) for name in ("snapshots", "snapshot_policies") for one in getattr(self.store, name).values()
        ]
        return {(name, one.id): changed.get((name, one.id), False) for name, one in kept if one.volume.id in gone}

    @contextlib.contextmanager
    def _transaction(self) -> Iterator[None]:
        """All or nothing of what is written. Raises StateError, and from then on nothing can be written."""
        try:
            self._file.execute("BEGIN IMMEDIATE")
            yield
            self._file.execute("COMMIT")
        except (sqlite3.Error, TypeError, ValueError) as error:
            self._broken = StateError(f"{self.path}: the state can't be written: {error}. Nothing more is answered.")
            self.trouble(self._broken)
            raise self._broken from error

    # --- opening

    def _opened(self) -> sqlite3.Connection:
        """The file, of which no other process has anything. Raises StateError."""
        path = pathlib.Path(self.path)
        if path.is_dir():
            raise StateError(f"{self.path}: is a directory. Name a file.")
        try:
            os.close(os.open(path, os.O_RDWR | os.O_CREAT, 0o600))  # it has passwords
        except OSError as error:
            raise StateError(
                f"{self.path}: {os.strerror(error.errno or 0)}. Name a file that can be written."
            ) from None
        # The requests of one emulator come from one thread, which need not be the one that has opened the file.
        file = sqlite3.connect(self.path, timeout=_WAIT, isolation_level=None, check_same_thread=False)
        try:
            file.execute("PRAGMA locking_mode = EXCLUSIVE")
            file.execute("PRAGMA journal_mode = WAL")
            file.execute("PRAGMA synchronous = NORMAL")
            file.execute("BEGIN IMMEDIATE")
            if not file.execute("SELECT count(*) FROM sqlite_master").fetchone()[0]:
                for line in _SCHEMA:
                    file.execute(line)
            file.execute("COMMIT")
            if file.execute("PRAGMA application_id").fetchone()[0] != _OURS:
                raise StateError(f"{self.path}: is an SQLite file of another program. Name another file.")
        except sqlite3.Error as error:
            file.close()
            raise StateError(f"{self.path}: {_explained(error)}") from None
        except StateError:
            file.close()
            raise
        return file

    def _restored(self) -> Store:
        """The store of the file, or a new one for a new file. Raises StateError if it was made by another start."""
        store, now = seed.seeded(self.settings), _start(self.settings)
        then = dict(self._file.execute("SELECT name, value FROM start"))
        if not then:
            return store
        for name, value in now.items():
            if then.get(name) != value:
                raise StateError(f"{self.path}: {_differs(name, then.get(name, ''), value)}")
        try:
            self._fill(store)
        except (sqlite3.Error, ValueError, TypeError, LookupError) as error:
            raise StateError(f"{self.path}: is damaged: {error!r}. Name another file, or remove it.") from None
        recovery.settle(store)
        return store

    def _fill(self, store: Store) -> None:
        """Put the objects of the file into a new store in place of its own."""
        accounts = dict(store.accounts)
        for name in TABLES:
            table = getattr(store, name)
            table.clear()
            found = self._file.execute("SELECT id, body FROM objects WHERE kind = ? ORDER BY place", (name,))
            table.update((rows.read_key(name, key), rows.read(name, body)) for key, body in found)
        for name, account in accounts.items():
            stored = store.accounts[name]  # its keys may be others by now; what it may do is said anew
            account.api_key, account.api_secret, account.created = stored.api_key, stored.api_secret, stored.created
            store.accounts[name] = account
        disks = dict(store.volumes)
        made: list[Snapshot | SnapshotPolicy] = [*store.snapshots.values(), *store.snapshot_policies.values()]
        for one in made:  # a disk that is gone, too, is one object for all of them
            one.volume = disks.setdefault(one.volume.id, one.volume)
        ((counters,),) = self._file.execute("SELECT value FROM counters")
        numbers, store.next_address = json.loads(counters)
        store.rows.clear()
        store.rows.update(numbers)
        store.index()


def _explained(error: sqlite3.Error) -> str:
    """What to do about an error of SQLite when the file is opened."""
    text = str(error)
    if "locked" in text:
        return "is in use by another emulator. Stop that one, or name another file."
    if "not a database" in text:
        return "is no file of a state. Name another file, or remove it."
    return f"can't be used: {text}. Name another file."


def _start(settings: Settings) -> dict[str, str]:
    """What decides with what a service starts, as texts by the names of the options."""
    secret = hashlib.sha256(settings.api_secret.encode()).hexdigest()
    seeded = hashlib.sha256(json.dumps(settings.seed, sort_keys=True, default=str).encode()).hexdigest()
    return {
        "format": str(FORMAT),
        "version": version(),
        "--generation": settings.generation,
        "--account": settings.account,
        "--api-key": settings.api_key,
        "--api-secret": secret,
        "--zone": ", ".join(settings.zones) or "none",
        "--advanced-zone": str(settings.advanced_zone),
        "--vms": str(settings.vms),
        "--neighbour": str(settings.neighbour),
        "--seed": seeded if settings.seed is not None else "none",
    }


def _differs(name: str, then: str, now: str) -> str:
    """What to say of a file that was made by another start."""
    if name in ("format", "version"):
        return (
            f"was made by cloudn-emulator {then} and can't be read by {now}. Use that version, or name another file."
            if name == "version"
            else f"has the format {then}, and this version reads the format {now}. Name another file."
        )
    if name in ("--api-secret", "--seed"):
        what = "secret" if name == "--api-secret" else "seed"
        return f"was made with another {what} ({name}). {_OTHER}."
    return f"was made with {name} {then}, and this start has {now}. {_OTHER}."
