# Copyright: (c) 2026, the cloudn.compute authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Says once what several objects of a task have in common, with all their names."""

from __future__ import annotations

import re
import typing as t

from ..api import Missing, UsageError
from ..api.errors import joined

_MOST_CAUSES = 5


class Said(t.NamedTuple):
    """A text about one object of a task: the object's name and id, and the text."""

    name: str
    id: str | None
    text: str

    def cause(self) -> str:
        """Return the text without the name and the id of the object."""
        text = self.text.replace(self.id, "") if self.id else self.text
        return self._name().sub("", text)

    def of_all(self, group: t.Sequence[Said]) -> str:
        """Return the text with the names and the ids of all objects of a group."""
        if len(group) == 1:
            return self.text
        text = self.text
        if self.id:
            text = text.replace(self.id, ", ".join(str(one.id) for one in group))
        names = ", ".join(one.name for one in group)
        first = self._name().search(text)
        if first is None:
            return text
        # "web1 is running" becomes "each of web1, web2 is running": the rest of the sentence stays as it is.
        subject = names if text.startswith(f"{self.name}: ") else f"each of {names}"
        return text[: first.start()] + subject + self._name().sub("each", text[first.end() :])

    def _name(self) -> re.Pattern[str]:
        return re.compile(rf"(?<![\w-]){re.escape(self.name)}(?![\w-])")


def together(said: t.Iterable[Said]) -> list[tuple[str, int]]:
    """Return each text once, with the names of all objects that it is about, and the number of these."""
    alike: dict[str, list[Said]] = {}
    for one in said:
        alike.setdefault(one.cause(), []).append(one)
    return [(group[0].of_all(group), len(group)) for group in alike.values()]


def one_error(errors: t.Sequence[tuple[str, str | None, UsageError]]) -> UsageError:
    """Return one error for those of several objects, each with the name and the id of its object.

    Each cause is said once, and at most five. It is ``Missing`` if all of them are.
    """
    if len(errors) == 1:
        return errors[0][2]
    causes = together(Said(name, object_id, error.message) for name, object_id, error in errors)
    told = causes[:_MOST_CAUSES]
    left = len(errors) - sum(count for _text, count in told)
    message = told[0][0]
    for text in [text for text, _count in told[1:]] + ([f"And {left} more have other errors"] if left else []):
        message = joined(message, f". {text}")
    kind = Missing if all(isinstance(error, Missing) for _name, _id, error in errors) else UsageError
    return kind(message)
