# Copyright: (c) 2026, the cloudn.compute authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""How others learn that the emulator listens, and where: the first line on the screen, and a file."""

from __future__ import annotations

import contextlib
import os
import pathlib
import tempfile
from collections.abc import Iterator

from . import ec2, native
from .models import Account


def urls(host: str, port: int, has_bridge: bool) -> dict[str, str]:
    """The addresses of the APIs, by the names of the variables that hold them."""
    base = f"http://{f'[{host}]' if ':' in host else host}:{port}"
    found = {"CLOUDN_API_URL": base + native.PATH}
    return {**found, "CLOUDN_EC2_URL": base + ec2.PATH} if has_bridge else found


def ready_line(host: str, port: int, account: Account, machines: int) -> str:
    """The first line that the program prints. Its addresses stay in this order, as programs read them."""
    shown = urls(host, port, True)
    return (
        f"cloudn-emulator listens on {shown['CLOUDN_API_URL']} and {shown['CLOUDN_EC2_URL']} "
        f"(account {account.name}, API key {account.api_key}, {machines} virtual machines)"
    )


class NotReady(Exception):
    """A file of `--ready-file` that can't be written. The text says which one, and why."""


class ReadyFile:
    """A file that is there while the emulator listens. It has a line `NAME=URL` for each API. Raises NotReady."""

    def __init__(self, path: str) -> None:
        self.path = pathlib.Path(path)
        with self._told():
            self.path.unlink(missing_ok=True)  # one of an earlier start would tell a wrong address
            os.listdir(self.path.absolute().parent)  # better now than when it listens already

    def write(self, found: dict[str, str]) -> None:
        """Put the file there, whole: nobody sees a part of it."""
        text = "".join(f"{name}={url}\n" for name, url in found.items())
        with self._told():
            number, name = tempfile.mkstemp(dir=self.path.absolute().parent, prefix=f".{self.path.name}.")
            try:
                with os.fdopen(number, "w", encoding="utf-8") as file:
                    file.write(text)
                os.chmod(name, 0o644)
                os.replace(name, self.path)
            except BaseException:
                pathlib.Path(name).unlink(missing_ok=True)
                raise

    @contextlib.contextmanager
    def _told(self) -> Iterator[None]:
        """Tell an error of the file system with the name of the file."""
        try:
            yield
        except OSError as error:
            reason = os.strerror(error.errno or 0)
            raise NotReady(f"cannot write the file {self.path} of --ready-file: {reason}") from None

    def remove(self) -> None:
        """Take the file away again."""
        with contextlib.suppress(OSError):
            self.path.unlink(missing_ok=True)
