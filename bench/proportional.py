# Copyright: (c) 2026, the cloudn.compute authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Runs a command as measure.py does, with the same options and result. Its memory is that of all its processes together.

It looks ten times a second. A page that several processes share counts once (the proportional set size).
"""

from __future__ import annotations

import contextlib
import os
import pathlib
import sys
import time

PAUSE = 0.1


def shares() -> int:
    """Return the memory of all other processes of this session, in KiB."""
    found = 0
    for folder in pathlib.Path("/proc").glob("[0-9]*"):
        # A process may end at any time. The session is the fourth word behind the name, which may have blanks.
        with contextlib.suppress(OSError, IndexError):
            session = int((folder / "stat").read_text().rpartition(")")[2].split()[3])
            if session == os.getsid(0) and int(folder.name) != os.getpid():
                lines = (folder / "smaps_rollup").read_text().splitlines()
                found += sum(int(line.split()[1]) for line in lines if line.startswith("Pss:"))
    return found


result, command = sys.argv[1], sys.argv[2:]
began, peak = time.monotonic(), 0
pid = os.posix_spawnp(command[0], command, os.environ)
while True:
    ended, status = os.waitpid(pid, os.WNOHANG)
    if ended:
        break
    peak = max(peak, shares())
    time.sleep(PAUSE)
seconds = time.monotonic() - began
with open(result, "w") as file:
    file.write(f"{os.waitstatus_to_exitcode(status)} {seconds} {peak}")
