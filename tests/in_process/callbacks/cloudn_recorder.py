# Copyright: (c) 2026, the cloudn.compute authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A callback that writes the result of each task, and of each item of a loop, as a line of JSON."""

from __future__ import annotations

import json
import os

from ansible.plugins.callback import CallbackBase

DOCUMENTATION = """
name: cloudn_recorder
type: aggregate
short_description: Writes results as JSON lines
description: Writes each result to the file that CLOUDN_RECORD names. At the end it writes the memory of the main process.
"""


class CallbackModule(CallbackBase):
    CALLBACK_VERSION = 2.0
    CALLBACK_TYPE = "aggregate"
    CALLBACK_NAME = "cloudn_recorder"

    def _write(self, line):
        with open(os.environ["CLOUDN_RECORD"], "a", encoding="utf-8") as record:
            record.write(json.dumps(line, default=str) + "\n")

    def _take(self, result, **more):
        task = getattr(result, "task", None) or result._task
        value = result.result if hasattr(type(result), "result") else result._result
        self._write({"task": task.get_name(), "result": value, **more})

    def v2_runner_on_ok(self, result):
        self._take(result)

    def v2_runner_on_failed(self, result, ignore_errors=False):
        self._take(result, failed=True)

    def v2_runner_on_skipped(self, result):
        self._take(result, skipped=True)

    def v2_playbook_on_stats(self, stats):
        with open("/proc/self/status", encoding="utf-8") as status:
            kilobytes = next(int(line.split()[1]) for line in status if line.startswith("VmRSS"))
        self._write({"memory": kilobytes})
