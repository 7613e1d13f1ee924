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


def parents() -> dict[int, int]:
    """Return the parent of each process on this machine."""
    found = {}
    for folder in pathlib.Path("/proc").glob("[0-9]*"):
        # A process may end at any time. The parent is the second word behind the name, which may have blanks.
        with contextlib.suppress(OSError, IndexError):
            found[int(folder.name)] = int((folder / "stat").read_text().rpartition(")")[2].split()[1])
    return found


def shares(root: int) -> int:
    """Return the memory of a process and of all that it has started, in KiB. Ansible's workers have sessions of their own."""
    above = parents()
    family = {root}
    while more := {one for one, parent in above.items() if parent in family} - family:
        family |= more
    found = 0
    for one in family:
        with contextlib.suppress(OSError):
            lines = pathlib.Path(f"/proc/{one}/smaps_rollup").read_text().splitlines()
            found += sum(int(line.split()[1]) for line in lines if line.startswith("Pss:"))
    return found


result, command = sys.argv[1], sys.argv[2:]
began, peak = time.monotonic(), 0
pid = os.posix_spawnp(command[0], command, os.environ)
while True:
    ended, status = os.waitpid(pid, os.WNOHANG)
    if ended:
        break
    peak = max(peak, shares(pid))
    time.sleep(PAUSE)
seconds = time.monotonic() - began
with open(result, "w") as file:
    file.write(f"{os.waitstatus_to_exitcode(status)} {seconds} {peak}")
