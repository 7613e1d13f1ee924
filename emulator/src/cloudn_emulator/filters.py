# Copyright: (c) 2026, the cloudn.compute authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The filters of listings: tests of objects, made from the parameters of a call."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from operator import attrgetter
from typing import Any

from .calls import Call
from .collation import collated, finder
from .errors import bad_parameter
from .generation import Differs
from .models import Tag

Test = Callable[[Any], bool]


def matching(objects: Iterable[Any], tests: Iterable[Test | None]) -> list[Any]:
    """The objects that pass every test. A filter that was not given is None."""
    found = list(objects)
    for test in tests:
        if test is not None:
            found = [one for one in found if test(one)]
    return found


def newest_first(objects: Iterable[Any]) -> list[Any]:
    """Objects by the second in which they were made. Those of one second stand in the order of their rows.

    Measured on CloudStack 3.0.5, whose database has no parts of a second.
    """
    return sorted(objects, key=lambda one: -int(one.created))


def by_key_alone(call: Call, objects: Sequence[Any], key: Callable[[Any], Any]) -> list[Any]:
    """Objects by a key. Those of one key come in another order each time, so pages overlap and miss some.

    The database of the real server sorts them by this key alone. Here the orders are the same in each run.
    """
    return sorted(call.store.chance.sample(objects, len(objects)), key=key)


def named(call: Call) -> Test | None:
    """The test of the filter `name`: a part of a name on CloudStack 3, the whole name on 4."""
    return call.of(_NAMED)(call)


_NAMED: Differs[Callable[[Call], Test | None]] = Differs(
    lambda call: has_part(call, "name", "name"), lambda call: equals(call, "name", "name")
)


def has_part(call: Call, parameter: str, *fields: str) -> Test | None:
    """The test that the text of a parameter is a part of one of these fields."""
    if call[parameter] is None:
        return None
    found = finder(call[parameter])
    values = [attrgetter(field) for field in fields]
    if len(values) == 1:  # this is faster for many objects
        value = values[0]
        return lambda one: found(value(one))
    return lambda one: any(found(value(one)) for value in values)


def equals(call: Call, parameter: str, field: str) -> Test | None:
    """The test that the text of a parameter is this field, as the service's database compares them."""
    if call[parameter] is None:
        return None
    wanted, value = collated(call[parameter]), attrgetter(field)
    return lambda one: collated(value(one)) == wanted


def refers_to(call: Call, parameter: str, field: str = "id") -> Test | None:
    """The test that a field has the id of the object that a parameter names."""
    if call[parameter] is None:
        return None
    wanted, value = call[parameter].id, attrgetter(field)
    return lambda one: value(one) == wanted


def has_tags(call: Call, kind: str) -> Test | None:
    """The test of the filter `tags`. An object with one of the pairs is enough: CloudStack's source joins them with OR.

    A pair without a key finds nothing. Raises ApiError (431) for one without a value.
    """
    pairs = call["tags"]
    if not pairs:
        return None
    for pair in pairs:
        if "value" not in pair:
            raise bad_parameter(f"No value is passed in for key {pair.get('key', 'null')}")
    wanted = {pair["key"]: pair["value"] for pair in pairs if "key" in pair}

    def test(one: Any) -> bool:
        tags = call.store.tags.get((kind, one.id), {})
        return any(_tag_matches(tags.get(collated(key)), value) for key, value in wanted.items())

    return test


def _tag_matches(tag: Tag | None, value: str) -> bool:
    return tag is not None and collated(tag.value) == collated(value)
