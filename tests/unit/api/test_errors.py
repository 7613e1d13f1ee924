# Copyright: (c) 2026, the cloudn.compute authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Errors of the client: each kind can be copied, as each object of a refused request gets an error of its own."""

from __future__ import annotations

import copy
import inspect
from collections.abc import Callable, Iterator

import pytest
from ansible_collections.cloudn.compute.plugins.module_utils.api.errors import CloudnError


def kinds(of: type[CloudnError] = CloudnError) -> Iterator[type[CloudnError]]:
    """Yield a kind of errors and all kinds of that kind."""
    yield of
    for kind in of.__subclasses__():
        yield from kinds(kind)


@pytest.mark.parametrize("kind", list(kinds()), ids=lambda kind: kind.__name__)
def test_a_copy_of_an_error_is_the_same_error(kind: type[CloudnError]) -> None:
    needed = inspect.signature(kind).parameters.values()
    make: Callable[..., CloudnError] = kind
    error = make(*[f"the {one.name}" for one in needed if one.default is one.empty])
    error.text = "added later"
    again = copy.copy(error)
    assert again is not error and again.__class__ is kind
    assert (str(again), again.args, vars(again)) == (str(error), error.args, vars(error))
