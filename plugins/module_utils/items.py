# Copyright: (c) 2026, the cloudn.compute authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Lists whose items have the options of another module: what an item is, and the check of one."""

from __future__ import annotations

import typing as t

from ansible.module_utils.common.arg_spec import ArgumentSpecValidator

from .api import Record, UsageError, planned_ids


class Item(t.NamedTuple):
    """What each item of an option is. The option itself has ``"type": "list", "elements": "dict"`` and no suboptions.

    spec, constraints: those of the module that has the item's options.
    refused: options of that module that an item can't have. In a checked item they have their defaults.
    states: states of that module that an item can't have.
    module: its name, for errors.
    check: raises ``UsageError`` for options that are wrong whatever the service holds. It gets them with types and defaults, and
        may change them.
    """

    spec: dict[str, t.Any]
    constraints: dict[str, t.Any] = {}
    refused: tuple[str, ...] = ()
    states: tuple[str, ...] = ()
    module: str = ""
    check: t.Callable[[Record], None] | None = None

    @property
    def allowed(self) -> dict[str, t.Any]:
        """The argument spec of what an item can have."""
        spec = {name: option for name, option in self.spec.items() if name not in self.refused}
        if self.states:
            choices = [state for state in spec["state"]["choices"] if state not in self.states]
            spec["state"] = {**spec["state"], "choices": choices}
        return spec


class Checker:
    """Checks the items of one option: ``whole`` is the argument spec of the module that has it."""

    def __init__(self, name: str, item: Item, whole: dict[str, t.Any]) -> None:
        self.allowed = item.allowed
        self._name = name
        self._item = item
        self._whole = whole
        # The environment speaks of the whole task, so nothing in an item comes from there.
        spec = {one: {**option, "fallback": (None,)} for one, option in item.spec.items()}
        self._validator = ArgumentSpecValidator(spec, **item.constraints)

    def out_of_place(self, values: Record, path: str) -> t.Iterator[str]:
        """Take out of an item what does not belong there, and yield where it belongs. No value is shown but a state's."""
        item = self._item
        known = _names(self.allowed)
        for given in [given for given in values if given not in known]:
            if given in self._whole:
                del values[given]
                yield f"{path}.{given}: is an option of the whole site, not of one item; put {given} beside {self._name}"
            elif given in _names(item.spec):
                del values[given]
                yield f"{path}.{given}: is not possible in a site; use a task of its own{self._with()}"
        state = str(values.get("state"))
        if state in item.states:
            del values["state"]
            yield f"{path}.state: {state} {self._instead_of(state)}"

    def _instead_of(self, state: str) -> str:
        if state == "absent":
            return "is for the whole site; to remove one object, take the item out of the list and set prune: true"
        return f"is not possible in a site; use a task of its own{self._with(f'state: {state}')}"

    def _with(self, options: str = "") -> str:
        module = self._item.module
        return f" ({module}{options and f' with {options}'})" if module else ""

    def complete(self, values: Record, path: str) -> tuple[Record, list[str]]:
        """Return an item with types and defaults, and what is wrong with it as a whole. Its values are good one by one."""
        known = _names(self._item.spec)
        given: dict[str, str] = {}
        for option in [option for option, value in values.items() if value is not None and option in known]:
            other = given.setdefault(known[option], option)
            if other != option:
                return values, [f"{path}: {other} and {option} are two names of one option; give one of them"]
        result = self._validator.validate(_without_nulls(values, self._item.spec))
        typed = {name: result.validated_parameters.get(name) for name in self._item.spec}
        problems = [f"{path}: {text}" for text in result.error_messages]
        if self._item.check and not problems:
            try:
                self._item.check(typed)
            except UsageError as error:
                problems.append(f"{path}.{error.message}")
        return typed, problems


def secrets(params: Record, items: t.Mapping[str, Item]) -> t.Iterator[str]:
    """Yield the values in checked items that Ansible must not show."""
    for path, values in each(params, items):
        yield from _secrets(values, items[path.partition("[")[0]].spec)


def masked(params: Record, items: t.Mapping[str, Item]) -> Record:
    """Return the options of a task as a log may show them: without what must not be shown in checked items."""
    lists = {name: params[name] for name in items if params.get(name)}
    return {**params, **{name: [_masked(one, items[name].spec) for one in several] for name, several in lists.items()}}


def check_planned_ids(params: Record, items: t.Mapping[str, Item], planned: planned_ids.Planned | None) -> None:
    """Raise ``UsageError`` if an item has the id of a planned object that no task of this run has planned."""
    for path, values in each(params, items):
        try:
            planned_ids.check_options(values, planned)
        except UsageError as error:
            raise UsageError(f"{path}.{error.message}") from error


def each(params: Record, items: t.Mapping[str, Item]) -> t.Iterator[tuple[str, Record]]:
    """Yield all checked items of a task, each with its path: ``vms[1]``."""
    for name in items:
        for number, values in enumerate(params.get(name) or []):
            yield f"{name}[{number}]", values


def _names(spec: dict[str, t.Any]) -> dict[str, str]:
    """Return the options by all their names."""
    return {alias: name for name, option in spec.items() for alias in [name, *option.get("aliases", ())]}


def _without_nulls(values: Record, spec: dict[str, t.Any]) -> Record:
    """Return options without those that have no value, at any depth: they are as if they were left out."""
    known = _names(spec)
    given: Record = {}
    for name, value in values.items():
        if value is None or name not in known:
            continue
        inner = spec[known[name]].get("options")
        if inner and isinstance(value, list):
            given[name] = [_without_nulls(one, inner) for one in value]
        else:
            given[name] = _without_nulls(value, inner) if inner else value
    return given


def _secrets(values: Record, spec: dict[str, t.Any]) -> t.Iterator[str]:
    for name, option in spec.items():
        value = values.get(name)
        inner = option.get("options")
        if option.get("no_log"):
            yield from _texts(value)
        elif inner and value:
            for one in value if isinstance(value, list) else [value]:
                yield from _secrets(one, inner)


def _masked(values: Record, spec: dict[str, t.Any]) -> Record:
    shown = dict(values)
    for name, option in spec.items():
        value, inner = values.get(name), option.get("options")
        if option.get("no_log") and value is not None:
            shown[name] = "NOT_LOGGING_PARAMETER"  # as Ansible writes it for an option of the task itself
        elif inner and value:
            is_list = isinstance(value, list)
            shown[name] = [_masked(one, inner) for one in value] if is_list else _masked(value, inner)
    return shown


def _texts(value: t.Any) -> t.Iterator[str]:
    if isinstance(value, (list, dict)):
        for one in value.values() if isinstance(value, dict) else value:
            yield from _texts(one)
    elif value is not None and not isinstance(value, bool) and str(value):
        yield str(value)
