# Copyright: (c) 2026, the cloudn.compute authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A pool of threads for requests. Nobody waits for it when its task is broken off."""

from __future__ import annotations

import concurrent.futures
import contextlib
import sys
import typing as t

_CAN_CANCEL = sys.version_info >= (3, 9)


@contextlib.contextmanager
def pool(count: int) -> t.Iterator[concurrent.futures.ThreadPoolExecutor]:
    """Yield an executor with so many threads. At the end it waits for them.

    Ansible's ``timeout`` breaks a task off with an exception that is no ``Exception``. Then it does not wait, and what has
    not begun is not done.
    """
    executor = concurrent.futures.ThreadPoolExecutor(count)
    try:
        yield executor
    except Exception:
        executor.shutdown()
        raise
    except BaseException:
        executor.shutdown(wait=False, **({"cancel_futures": True} if _CAN_CANCEL else {}))
        raise
    executor.shutdown()
