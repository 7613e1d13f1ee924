# Copyright: (c) 2026, the cloudn.compute authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Settings that the clients of both APIs have: how they connect, retry and sign."""

from __future__ import annotations

import time
import typing as t

if t.TYPE_CHECKING:
    from .session import Sessions


class Settings(t.NamedTuple):
    """Settings of a client, each with its default.

    timeout: seconds to wait for a connection and for an answer.
    retries: how many times a request is tried again, if that is safe.
    verify: whether TLS certificates are verified, or the path of the certificates to trust. That is a file, or a folder
        with files under the names that ``openssl rehash`` gives them.
    signature_expires: seconds for which a signature is valid. With 0 it does not expire.
    sessions: those of an earlier client of the same account, to go on with them.
    sleep, clock, now: for tests.
    """

    timeout: float = 30
    retries: int = 5
    verify: t.Union[bool, str] = True
    signature_expires: int = 600
    sessions: Sessions | None = None
    sleep: t.Callable[[float], None] = time.sleep
    clock: t.Callable[[], float] = time.monotonic
    now: t.Callable[[], float] = time.time
