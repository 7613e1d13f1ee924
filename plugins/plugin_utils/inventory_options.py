# Copyright: (c) 2026, the cloudn.compute authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Checks the inventory's own options: finds the first problem, and states that nobody knows. Knows no Ansible."""

from __future__ import annotations

import difflib
import re
import typing as t

from ansible_collections.cloudn.compute.plugins.module_utils.inventory import hosts

# CloudStack 3.0.5 declares these for listVirtualMachines. Parameters with an option of their own are left out.
FILTERS = (
    "forvirtualnetwork",
    "groupid",
    "hostid",
    "hypervisor",
    "id",
    "isoid",
    "isrecursive",
    "keyword",
    "listall",
    "name",
    "networkid",
    "podid",
    "projectid",
    "storageid",
    "tags",
    "templateid",
)
# The states of CloudStack 3.0.5. Another version may have more.
STATES = (
    "Starting",
    "Running",
    "Stopping",
    "Stopped",
    "Destroyed",
    "Expunging",
    "Error",
    "Migrating",
    "Shutdowned",
    "Unknown",
)
LISTS = ("hostnames", "zones", "states")
_PREFIX = re.compile(r"([A-Za-z_]\w*)?\Z", re.ASCII)


def find_unknown(given: t.Iterable[t.Any], known: t.Collection[str]) -> str | None:
    """Return the problem of the first option that does not exist, ``None`` where all exist. Ansible ignores such options."""
    for name in given:
        if name not in known:
            close = difflib.get_close_matches(str(name), known, 1)
            hint = f"do you mean {close[0]}?" if close else f"there are {', '.join(sorted(known))}"
            return f"{name}: there is no option of this name; {hint}"
    return None


def find_problem(options: t.Mapping[str, t.Any]) -> str | None:
    """Return the first problem of the options, ``None`` where they are right."""
    return next(_problems(options), None)


def unknown_states(states: t.Iterable[str]) -> list[str]:
    """Return a warning for each state that is not known. It may be a state of another version of the service."""
    known = {state.lower() for state in STATES}
    return [
        f"states: {state!r} is no state that is known here, so machines may be missing; known are {', '.join(STATES)}"
        for state in states
        if state.lower() not in known
    ]


def _problems(options: t.Mapping[str, t.Any]) -> t.Iterator[str]:
    for option in LISTS:
        for item in options[option]:
            if not isinstance(item, str):
                yield f"{option}: {item!r} must be a text; put it in quotes"
    words = [hosts.check_word(word, "hostnames", hosts.HOSTNAMES) for word in options["hostnames"]]
    words.append(hosts.check_word(options["connect_with"], "connect_with", hosts.CONNECT_WITH))
    yield from filter(None, words)
    prefix = options["hostvars_prefix"]
    if not _PREFIX.match(prefix):
        yield f"hostvars_prefix: {prefix!r} can't begin a variable's name; use letters, digits and underscores"
    yield from _filter_problems(options["filters"])


def _filter_problems(filters: t.Mapping[str, t.Any]) -> t.Iterator[str]:
    """Yield the problems of the filters. A filter without a value would not be sent, and too many machines would be found."""
    unknown = sorted(str(name) for name in filters if name not in FILTERS)
    if unknown:
        yield (
            f"filters: {', '.join(unknown)}: not known; there are {', '.join(FILTERS)} (zones, states and account are "
            "options of their own)"
        )
    values = dict(filters)
    tags = values.pop("tags", {})
    if isinstance(tags, dict):
        values.update({f"tags: {key}": value for key, value in tags.items()})
    else:
        yield f"filters: tags: must be a dictionary, not {tags!r}; write tags: {{KEY: VALUE}}"
    for name, value in values.items():
        if isinstance(value, (dict, list)):
            yield f"filters: {name}: must be one value, not {value!r}"
        if value is None or value == "":
            yield f"filters: {name}: has no value; give one, or leave the filter out"
