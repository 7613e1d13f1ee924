# Copyright: (c) 2026, the cloudn.compute authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Runs a command and writes its status, seconds and peak of memory (KiB): `measure.py RESULT COMMAND...`.

It is a process of its own since a program begins with the peak of the one that starts it: this one is small.
"""

from __future__ import annotations

import os
import sys
import time

result, command = sys.argv[1], sys.argv[2:]
began = time.monotonic()
pid = os.posix_spawnp(command[0], command, os.environ)
_pid, status, usage = os.wait4(pid, 0)
seconds = time.monotonic() - began
with open(result, "w") as file:
    file.write(f"{os.waitstatus_to_exitcode(status)} {seconds} {usage.ru_maxrss}")
