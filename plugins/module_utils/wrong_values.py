# Copyright: (c) 2026, the cloudn.compute authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What messages about wrong values of options have in common: the path of the value, and the nearest right value."""

from __future__ import annotations

import typing as t


class ProfileError(Exception):
    """A profile, which is what other tools say of a connection, can't be used. The text says why, and holds no secret."""


def nearest(wrong: t.Any, known: t.Iterable[t.Any]) -> str:
    """Return the known text that is most like a wrong one, an empty text if none is. Case does not count."""
    import difflib  # here, as few runs need it: each run loads what it imports

    texts = {str(one).lower(): str(one) for one in sorted(map(str, known), reverse=True)}
    word = str(wrong).strip().lower()
    close = difflib.get_close_matches(word, texts, 5)
    # Of several that are equally near, the first in the alphabet.
    best = sorted(close, key=lambda one: (-difflib.SequenceMatcher(None, one, word).ratio(), one))
    return texts[best[0]] if best else ""


def did_you_mean(wrong: t.Any, known: t.Iterable[t.Any]) -> str:
    """Return a question for the end of a sentence: ``; did you mean 'web'?``. It is empty if no known text is like it."""
    return question(nearest(wrong, known))


def question(near: str | None) -> str:
    """Return the question whether ``near`` was meant, see ``did_you_mean``; an empty text if there is nothing near."""
    return f"; did you mean {near!r}?" if near else ""


def item_path(path: str, number: int, items: t.Sized) -> str:
    """Return the path of an item of a list of texts: ``security_groups[1]``. The only item has the path of the list."""
    return f"{path}[{number}]" if len(items) > 1 else path
