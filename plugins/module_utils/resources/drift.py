# Copyright: (c) 2026, the cloudn.compute authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Differences that no command can change: refused, warned of or ignored, as ``on_immutable_drift`` says."""

from __future__ import annotations

from ..api import Record, UsageError


def check_drift(name: str, drift: list[str], kind: str, way_out: str, options: Record, warnings: list[str]) -> None:
    """Handle the differences (``template is 'a', not 'b'``) of an existing object.

    Raises ``UsageError`` with the way out, or appends to ``warnings``, or does nothing.
    """
    if drift:
        text = f"{name}: {'; '.join(drift)}. The service can't change that on an existing {kind}"
        decide(text, f": {way_out}", options, warnings)


def decide(text: str, way_out: str, options: Record, warnings: list[str]) -> None:
    """Handle a difference that stays, as ``on_immutable_drift`` says.

    Raises ``UsageError`` with the text and the way out, or appends the text to ``warnings``, or does nothing.
    """
    mode = options.get("on_immutable_drift", "ignore")
    if mode == "fail":
        raise UsageError(f"{text}{way_out}, or set on_immutable_drift: warn or ignore")
    if mode == "warn":
        warnings.append(text)
