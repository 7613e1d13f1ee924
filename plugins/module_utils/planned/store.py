# Copyright: (c) 2026, the cloudn.compute authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Keeps what check mode has planned in one file, which the processes of a run share."""

from __future__ import annotations

import contextlib
import fcntl
import hashlib
import json
import os
import tempfile
import typing as t

from ..api import CloudnError, Record

_MODE = 0o600


def name_of(*parts: str | None) -> str:
    """Return the name of the file for an account: it tells nothing about the account."""
    return f"cloudn-planned-{hashlib.sha256(json.dumps(parts).encode()).hexdigest()}.json"


class Store:
    """A file with JSON. Only its owner can read it. Several processes may change it at the same time.

    A change is seen as a whole or not at all. No process waits for a reader.
    """

    def __init__(self, path: str) -> None:
        self._path = path

    @property
    def exists(self) -> bool:
        """Whether anything was planned."""
        return os.path.exists(self._path)

    def load(self) -> Record:
        """Return what the file holds, an empty dictionary if there is no file.

        Raises ``CloudnError`` if the file can't be read.
        """
        try:
            with open(self._path, encoding="utf-8") as file:
                return t.cast("Record", json.load(file))
        except FileNotFoundError:
            return {}
        except (OSError, ValueError) as error:
            raise _unusable(error) from None

    @contextlib.contextmanager
    def change(self) -> t.Iterator[Record]:
        """Give what the file holds, and keep it as the caller leaves it, unless the caller raises. One process at a time.

        Raises ``CloudnError`` if the file can't be read or written.
        """
        try:
            lock = os.open(f"{self._path}.lock", os.O_CREAT | os.O_RDWR | os.O_CLOEXEC, _MODE)
        except OSError as error:
            raise _unusable(error) from None
        try:
            fcntl.flock(lock, fcntl.LOCK_EX)
            data = self.load()
            yield data
            self._write(data)
        finally:
            os.close(lock)

    def _write(self, data: Record) -> None:
        try:
            # The file is made for its owner alone.
            number, path = tempfile.mkstemp(dir=os.path.dirname(self._path), prefix="cloudn-planned-")
            with os.fdopen(number, "w", encoding="utf-8") as file:
                json.dump(data, file)
            os.replace(path, self._path)
        except OSError as error:
            raise _unusable(error) from None


class Memory(Store):
    """A store of this process alone: for a plan that nobody else shall see."""

    def __init__(self, data: Record) -> None:
        super().__init__("")
        self._data = data

    @property
    def exists(self) -> bool:
        return True

    def load(self) -> Record:
        return self._data

    @contextlib.contextmanager
    def change(self) -> t.Iterator[Record]:
        yield self._data


def once(path: str) -> bool:
    """Tell whether no process has asked this about the path yet. Without a folder for it the answer is yes."""
    try:
        os.close(os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY, _MODE))
    except FileExistsError:
        return False
    except OSError:
        return True
    return True


def _unusable(error: Exception) -> CloudnError:
    text = f"What check mode has planned in this run can't be kept in Ansible's temporary folder (local_tmp): {error}"
    return CloudnError(text)
