# Copyright: (c) 2026, the cloudn.compute authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Names at the end of a run of the tests what failed, one line for each.

pytest's own summary has whole messages there when it runs on a CI machine: hundreds of lines for one failure.
"""

from __future__ import annotations

import pytest

LONGEST = 120  # a line of a message that is longer is cut


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Write the tests that failed, then those that could not be prepared or ended."""
    reports = [(word, one) for word in ("failed", "error") for one in terminalreporter.stats.get(word, [])]
    if reports:
        terminalreporter.write_sep("=", "What failed")
    for word, report in reports:
        terminalreporter.line(f"{word.upper()} {report.nodeid}{_reason(report)}")


def _reason(report: pytest.TestReport | pytest.CollectReport) -> str:
    """The first line of what a test said when it failed."""
    crash = getattr(report.longrepr, "reprcrash", None)
    message = crash.message if crash else str(report.longrepr or "")
    first = next((line for line in message.splitlines() if line.strip()), "")
    if not first:
        return ""
    return f" - {first}" if len(first) <= LONGEST else f" - {first[:LONGEST].rstrip()} ..."
