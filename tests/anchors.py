# Copyright: (c) 2026, the cloudn.compute authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The anchors of a document's titles."""

from __future__ import annotations

import re


def anchors(text: str) -> set[str]:
    """Return the anchors of a document's titles, as GitHub and the documentation's site make them."""
    prose = re.sub(r"(?ms)^```.*?^```$", "", text)
    titles = re.findall(r"(?m)^#+ (.+)$", prose)
    return {re.sub(r"[^\w\- ]", "", title.lower()).replace(" ", "-") for title in titles}
