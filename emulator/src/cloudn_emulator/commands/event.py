# Copyright: (c) 2026, the cloudn.compute authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Events: listing what was done, as measured on CloudStack 3.0.5 and 4.23."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from .. import event_types, event_types_4
from ..calls import Call, page_of
from ..errors import bad_parameter
from ..fields import date_text, ownership
from ..filters import Test, equals, has_part, matching, newest_first, refers_to
from ..generation import Differs
from ..models import Event
from ..owners import owners
from ..wire import listing

STATES = ("Created", "Scheduled", "Started", "Completed")
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
        tests = [call.of(_IS_PENDING)(call)]  # the real server then ignores all else, even the owner
    tests += call.of(_MORE)(call)
    found = newest_first(matching(call.store.events.values(), tests))
    return listing("event", [_event_view(call, event) for event in page_of(call, found)])


def _more_4(call: Call) -> list[Test | None]:
    """The filters that CloudStack 4 has besides. Source: its code. Nobody has archived events."""
    state, start, archived = call["state"], call["startid"], call["archived"] and call["id"] is None
    if state and state not in STATES:
        raise bad_parameter(f"Invalid state specified: {state}")
    return [
        (lambda event: event.state == state) if state else None,
        (lambda event: start.id in (event.id, event.parent)) if start is not None else None,
        (lambda event: False) if archived else None,
        _is_about(call),
    ]


_MORE: Differs[Callable[[Call], list[Test | None]]] = Differs(lambda call: [], _more_4)


def _is_about(call: Call) -> Test | None:
    """The test for events about an object, of which `resourceid` needs `resourcetype` (431)."""
    kind, id = call["resourcetype"], call["resourceid"]
    if id and not kind:
        raise bad_parameter("resourceid parameter must be used with resourcetype parameter")
    if not kind:
        return None
    about = {"resourcetype": kind, **({"resourceid": id} if id else {})}
    return lambda event: about.items() <= _resource(call, event).items()


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


# CloudStack 4 finds no event with both parameters. Source: its code.
_IS_PENDING: Differs[Callable[[Call], Test]] = Differs(_is_pending, lambda call: lambda event: False)


def _event_view(call: Call, event: Event) -> dict[str, Any]:
    return call.of(_VIEW)(call, event)


def _view_4(call: Call, event: Event) -> dict[str, Any]:
    """CloudStack 4 shows the event that began the action, if there was one, and the object."""
    view = {**_view_3(call, event), **_resource(call, event)}
    if view["parentid"] == "0":
        del view["parentid"]
    return view


def _resource(call: Call, event: Event) -> dict[str, Any]:
    """The object of an event. The recordings have that of new keys alone. The emulator shows no other."""
    if event.type != NEW_KEYS:
        return {}
    user = call.store.accounts[event.owner]
    return {"resourceid": user.user_id, "resourcetype": "User", "resourcename": user.name}


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
    return listing("eventtype", [{"name": name} for name in call.of(_TYPES)])


_TYPES = Differs(event_types.EVENT_TYPES, event_types_4.EVENT_TYPES)
