# Copyright: (c) 2026, the cloudn.compute authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Events: listing what was done, as measured on CloudStack 3.0.5 and 4.23."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from ..calls import Call, page_of
from ..errors import bad_parameter
from ..event_types import EVENT_TYPES
from ..fields import date_text, ownership
from ..filters import equals, has_part, matching, newest_first, refers_to
from ..generation import Differs
from ..models import Event
from ..owners import owners
from ..wire import listing

NEW_KEYS = "REGISTER.USER.KEY"


def list_events(call: Call) -> dict[str, Any]:
    """listEvents: newest first by second. Events of one second come oldest first."""
    since, until = call["startdate"], call["enddate"]
    tests = [
        owners(call),
        refers_to(call, "id"),
        equals(call, "type", "type"),
        equals(call, "level", "level"),
        (lambda event: int(event.created) >= since) if since is not None else None,
        (lambda event: int(event.created) <= until) if until is not None else None,
        has_part(call, "keyword", "type", "description", "level"),
    ]
    if call["entrytime"] is not None and call["duration"] is not None:
        tests = [_is_pending(call)]  # the real server then ignores all else, even the owner
    found = newest_first(matching(call.store.events.values(), tests))
    return listing("event", [_event_view(call, event) for event in page_of(call, found)])


def _is_pending(call: Call) -> Callable[[Event], bool]:
    """The test for actions that began between `entrytime` and `duration` seconds ago and have not ended.

    Raises ApiError (431).
    """
    entry, duration = call["entrytime"], call["duration"]
    if entry <= duration:
        raise bad_parameter("Entry time must be greater than duration")
    now, events = call.store.now(), call.store.events.values()
    ended = {event.parent for event in events if event.state == "Completed"}
    return lambda event: (
        event.state != "Completed"
        and event.parent == "0"
        and now - entry <= event.created <= now - duration
        and event.id not in ended
    )


def _event_view(call: Call, event: Event) -> dict[str, Any]:
    return call.of(_VIEW)(call, event)


def _view_4(call: Call, event: Event) -> dict[str, Any]:
    """CloudStack 4 shows the event that began the action, if there was one, and the object.

    The recordings have the object of new keys alone. The emulator shows no other.
    """
    view = _view_3(call, event)
    if view["parentid"] == "0":
        del view["parentid"]
    if event.type == NEW_KEYS:
        user = call.store.accounts[event.owner]
        view |= {"resourceid": user.user_id, "resourcetype": "User", "resourcename": user.name}
    return view


def _view_3(call: Call, event: Event) -> dict[str, Any]:
    return {
        "id": event.id,
        "username": event.username,
        "type": event.type,
        "level": event.level,
        "description": event.description,
        **ownership(call, event.owner),
        "created": date_text(event.created),
        "state": event.state,
        "parentid": event.parent,
    }


_VIEW = Differs(_view_3, _view_4)


def list_event_types(call: Call) -> dict[str, Any]:
    """listEventTypes."""
    return listing("eventtype", [{"name": name} for name in EVENT_TYPES])
