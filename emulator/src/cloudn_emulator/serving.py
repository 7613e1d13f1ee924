# Copyright: (c) 2026, the cloudn.compute authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Serves what the command line asks for, until a signal comes or the state can't be written."""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import os
import signal
import sys
from collections.abc import Callable
from typing import IO, Any

from . import seed
from .faults import Faults
from .ready import ReadyFile, ready_line, urls
from .request_log import Record, to_file
from .server import Service, listen
from .settings import Settings
from .state import State, StateError


async def serve(options: argparse.Namespace, settings: Settings) -> int:
    """Serve; returns the exit code. Raises OSError, BadSeed and StateError for what can't be used."""
    with contextlib.ExitStack() as files:
        record: Record = _record_nothing
        forget = _forget_nothing
        if options.log:
            log = files.enter_context(open(options.log, "a", encoding="utf-8"))
            record, forget = to_file(log), _emptying(log)
        ready = ReadyFile(options.ready_file) if options.ready_file else None
        state = State(options.state, settings) if options.state else None
        store = state.store if state else seed.seeded(settings)
        service = Service(store, record, Faults(options.faults), state)
        service.control.forget = forget
        runner, number = await listen(service, options.host, options.port)
        try:
            print(ready_line(options.host, number, store.account, len(store.vms)), flush=True)
            if ready:
                ready.write(urls(options.host, number, store.generation.bridge))
            return await _until_end(state)
        finally:
            if ready:
                ready.remove()
            await runner.cleanup()


async def _until_end(state: State | None) -> int:
    """Wait for a signal, or for the state's trouble. Returns the exit code."""
    stop, code = asyncio.Event(), 0
    loop = asyncio.get_running_loop()

    def fail(error: StateError) -> None:
        nonlocal code
        print(f"cloudn-emulator: {error}", file=sys.stderr, flush=True)
        code = 1
        stop.set()

    if state:
        state.trouble = fail
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    await stop.wait()
    return code


def _record_nothing(entry: dict[str, Any]) -> None:
    """Without `--log` there is no record."""


def _forget_nothing() -> None:
    """Without `--log` there is nothing to forget."""


def _emptying(file: IO[str]) -> Callable[[], None]:
    """What takes out of a log what was written since now. What is no file on a disk, such as a pipe, stays as it is."""
    with contextlib.suppress(OSError):
        before = os.fstat(file.fileno()).st_size

        def empty() -> None:
            with contextlib.suppress(OSError):
                file.truncate(before)

        return empty
    return _forget_nothing
