# Copyright: (c) 2026, the cloudn.compute authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Measures whether the emulator grows under endless requests: fills its memory, then reads its size again and again.

It is the emulator of tests, in a process of its own, which records its requests in memory. What is deleted is forgotten after
a second. The growth is the least squares' line through what is read after each part.
"""

from __future__ import annotations

import argparse
import statistics
import subprocess
import sys

from load import Load, memory

SERVE = """
import sys
from cloudn_emulator import Emulator
jobs, events, requests = map(int, sys.argv[1:])
kept = {"keep_jobs": jobs, "keep_events": events, "keep_requests": requests}
with Emulator(job_seconds=0, expunge_seconds=1, **kept) as emulator:
    print(emulator.url, emulator.api_key, emulator.api_secret, flush=True)
    sys.stdin.read()
"""
UNIT = 10_000  # requests that the growth is told for


def main() -> int:
    """Measure, and print the growth; returns 1 where it is more than it may be."""
    options = _options()
    kept = (options.keep_jobs, options.keep_events, options.keep_requests)
    command = [sys.executable, "-c", SERVE, *map(str, kept)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout
            load = Load(*process.stdout.readline().split())
            load.requests(options.fill or int(1.2 * options.keep_requests))
            print(f"{load.sent} requests: {memory(process.pid):.1f} MiB", flush=True)
            read = []
            for _part in range(options.parts):
                load.requests(options.requests)
                read.append((load.sent, memory(process.pid)))
                print(f"{read[-1][0]} requests: {read[-1][1]:.1f} MiB", flush=True)
        finally:
            process.kill()
    growth = UNIT * statistics.linear_regression(*zip(*read, strict=True)).slope
    print(f"{growth:+.2f} MiB every {UNIT} requests, at most {options.most:g} are good")
    return int(growth > options.most)


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="soak", description=__doc__)
    add = parser.add_argument
    add("--keep-jobs", type=int, default=10_000, metavar="N", help="ended jobs that are kept (%(default)s)")
    add("--keep-events", type=int, default=10_000, metavar="N", help="events that are kept (%(default)s)")
    add("--keep-requests", type=int, default=100_000, metavar="N", help="requests that are kept (%(default)s)")
    add("--fill", type=int, metavar="N", help="requests before the first reading (a fifth more than are kept)")
    add("--parts", type=int, default=10, metavar="N", help="how often memory is read (%(default)s)")
    add("--requests", type=int, default=UNIT, metavar="N", help="requests of a part (%(default)s)")
    add("--most", type=float, default=0.5, metavar="MIB", help=f"growth every {UNIT} requests (%(default)s)")
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
