# Copyright: (c) 2026, the cloudn.compute authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Checks the inventory's options: values of wrong types, the first problem of its own options, and unknown states."""

from __future__ import annotations

import difflib
import re
import typing as t

from ansible_collections.cloudn.compute.plugins.module_utils.inventory import hosts
from ansible_collections.cloudn.compute.plugins.module_utils.resources.states import STATES

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
LISTS = ("hostnames", "zones", "states")
# Parameters of listVirtualMachines that have options of their own, and what they may be called.
_OWN_OPTIONS = {
    "account": "account",
    "domain": "domain_id",
    "domainid": "domain_id",
    "state": "states",
    "states": "states",
    "zone": "zones",
    "zoneid": "zones",
    "zones": "zones",
}
# Ansible's other names of types.
_TYPES = {"boolean": "bool", "integer": "int", "dictionary": "dict", "string": "str"}
_SECRET = ("api_key", "api_secret")
# Without these, the machines of another account would be listed.
_NOT_EMPTY = ("account", "domain_id", "profile")
_STATE = re.compile(r"[A-Za-z]+\Z")
_PREFIX = re.compile(r"([A-Za-z_]\w*)?\Z", re.ASCII)


def find_unknown(given: t.Iterable[t.Any], known: t.Collection[str]) -> str | None:
    """Return the problem of the first option that does not exist, ``None`` where all exist. Ansible ignores such options."""
    for name in given:
        if name not in known:
            return f"{name}: there is no option of this name; {_hint(str(name), known)}"
    return None


def find_wrong_values(given: t.Mapping[str, t.Any], definitions: t.Mapping[str, t.Any]) -> str | None:
    """Return what is wrong with values that have not the type of their option, or are none of its choices, as modules say it.

    ``definitions`` are those of Ansible. It takes each text that it does not know for false, also for ``validate_certs``.
    ``None``: nothing is wrong. What is in lists and dictionaries is not looked at.
    """
    doubtful = {name: value for name, value in given.items() if not _fits(name, value, definitions[name])}
    if not doubtful:
        return None
    # Imported here, as few runs need it.
    from ansible_collections.cloudn.compute.plugins.module_utils.options import check

    spec = {
        name: {
            "type": _type_of(definitions[name]),
            "elements": definitions[name].get("elements") or "str",
            "choices": definitions[name].get("choices"),
            "no_log": name in _SECRET,
        }
        for name in doubtful
    }
    return check(doubtful, spec) or None


def _type_of(definition: t.Mapping[str, t.Any]) -> str:
    name = str(definition.get("type") or "str")
    return _TYPES.get(name, name)


def _fits(name: str, value: t.Any, definition: t.Mapping[str, t.Any]) -> bool:
    """Tell whether a value certainly has the type of its option, and is one of its choices. Ansible splits a text for a list."""
    if name in _NOT_EMPTY and not str(value).strip():
        return False
    kinds: dict[str, tuple[type, ...]] = {
        "bool": (bool,),
        "int": (int,),
        "float": (int, float),
        "list": (list, str),
        "dict": (dict,),
    }
    kind, choices = _type_of(definition), definition.get("choices")
    if value is None:
        return True
    if kind in kinds:
        return isinstance(value, kinds[kind]) and (kind == "bool" or not isinstance(value, bool))
    return not isinstance(value, (list, dict)) and (not choices or value in choices)


def find_problem(options: t.Mapping[str, t.Any]) -> str | None:
    """Return the first problem of the options, ``None`` where they are right."""
    return next(_problems(options), None)


def unknown_states(states: t.Iterable[str]) -> list[str]:
    """Return a warning for each state that is not known. It may be a state of another version of the service."""
    known = {state.lower() for state in STATES}
    return [
        f"states: {state!r} is no state that is known here, so VMs may be missing; {_hint(state, STATES)}"
        for state in states
        if state.lower() not in known
    ]


def _hint(name: str, known: t.Collection[str]) -> str:
    """Return the known name that is nearest to another one, or all of them."""
    folded = {_folded(one): one for one in known}
    close = difflib.get_close_matches(_folded(name), folded, 1)
    return f"do you mean {folded[close[0]]}?" if close else f"there are {', '.join(sorted(known))}"


def _folded(name: str) -> str:
    """Return a name without what often differs in spelling."""
    return name.lower().replace("_", "").replace("-", "")


def _problems(options: t.Mapping[str, t.Any]) -> t.Iterator[str]:
    for option in LISTS:
        for number, item in enumerate(options[option]):
            yield from _item_problems(f"{option}[{number}]", item)
    for number, state in enumerate(options["states"]):
        if not _STATE.match(state):
            yield f"states[{number}]: {state!r} can't be a state; give a single word, for example Running"
    words = [hosts.check_word(word, "hostnames", hosts.HOSTNAMES) for word in options["hostnames"]]
    words.append(hosts.check_word(options["connect_with"], "connect_with", hosts.CONNECT_WITH))
    yield from filter(None, words)
    prefix = options["hostvars_prefix"]
    if not _PREFIX.match(prefix):
        yield f"hostvars_prefix: {prefix!r} can't begin a variable's name; use letters, digits and underscores"
    yield from _filter_problems(options["filters"])


def _item_problems(path: str, item: t.Any) -> t.Iterator[str]:
    """Yield the problem of an item of a list that must be a text. An empty one would select nothing, or everything."""
    if isinstance(item, (list, dict)):
        yield f"{path}: must be one text, not {item!r}; give the whole list as the value of {path.partition('[')[0]}"
    elif item is None or item == "":
        yield f"{path}: has no value; give one, or leave it out"
    elif not isinstance(item, str):
        yield f"{path}: {item!r} must be a text; put it in quotes"


def _filter_problems(filters: t.Mapping[str, t.Any]) -> t.Iterator[str]:
    """Yield the problems of the filters. A filter without a value would not be sent, and too many machines would be found."""
    for name in filters:
        if name not in FILTERS:
            own = _OWN_OPTIONS.get(_folded(str(name)))
            hint = f"use the option {own}, which is not below filters" if own else _hint(str(name), FILTERS)
            yield f"filters.{name}: there is no filter of this name; {hint}"
    values = dict(filters)
    tags = values.pop("tags", {})
    if isinstance(tags, dict):
        values.update({f"tags.{key}": value for key, value in tags.items()})
    else:
        yield f"filters.tags: must be a dictionary, not {tags!r}; write tags: {{KEY: VALUE}}"
    for name, value in values.items():
        if isinstance(value, (dict, list)):
            yield f"filters.{name}: must be one value, not {value!r}"
        if value is None or value == "":
            yield f"filters.{name}: has no value; give one, or leave the filter out"
