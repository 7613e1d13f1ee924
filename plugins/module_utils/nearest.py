# Copyright: (c) 2026, the cloudn.compute authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The right value that is nearest to a wrong one, for messages: ``did you mean 'present'?``."""

from __future__ import annotations

import typing as t


def nearest(wrong: t.Any, known: t.Iterable[t.Any]) -> str:
    """Return the known text that is most like a wrong one, an empty text if none is. Case does not count."""
    import difflib  # here, as few runs need it: each run loads what it imports

    texts = {str(one).lower(): str(one) for one in sorted(map(str, known), reverse=True)}
    close = difflib.get_close_matches(str(wrong).strip().lower(), texts, 1)
    return texts[close[0]] if close else ""


def did_you_mean(wrong: t.Any, known: t.Iterable[t.Any]) -> str:
    """Return a question for the end of a sentence: ``; did you mean 'web'?``. It is empty if no known text is like it."""
    near = nearest(wrong, known)
    return f"; did you mean {near!r}?" if near else ""
