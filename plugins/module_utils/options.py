# Copyright: (c) 2026, the cloudn.compute authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Checks the options of a task as the user wrote them, before Ansible does: it turns lists and mappings into text unasked."""

from __future__ import annotations

import typing as t

from ansible.module_utils.common.validation import (
    check_type_bool,
    check_type_dict,
    check_type_float,
    check_type_int,
    check_type_list,
)
from ansible.module_utils.parsing.convert_bool import BOOLEANS_FALSE, BOOLEANS_TRUE

from .wrong_values import did_you_mean

if t.TYPE_CHECKING:
    from .items import Checker, Item

# The argument spec of one option, and of a task.
Option = t.Dict[str, t.Any]
Spec = t.Dict[str, Option]
_MOST = 5
_LONGEST = 80
_CHECKS: dict[str, tuple[t.Callable[[t.Any], t.Any], str]] = {
    "int": (check_type_int, "a whole number"),
    "float": (check_type_float, "a number"),
    "bool": (check_type_bool, "true or false"),
}
_BOOLEANS = ("true", "false", "yes", "no", "on", "off")
_TO_TEXT = (
    "Write | after the option's name and the text below it, or make a text of data with the filter to_json. "
    "If Ansible has made data of a text (JSON out of a file or a vault), keep the text with the filter string"
)
# What to write in place of a list or mapping, for options where that is not one name.
_INSTEAD = {
    "user_data": _TO_TEXT,
    "description": _TO_TEXT,
    "display_text": _TO_TEXT,
    "display_name": _TO_TEXT,
    "public_key": _TO_TEXT,
    "ports": "Write one rule for each port, or a range such as '8000-8100'",
}
# For items with the options of another module. They have no short form: a text may hold secrets, and is cut at commas.
_OPTIONS_OF_EACH = '; write the options of each, such as "- name: NAME"'
# Texts that users may want to empty, and texts of a form whose own check has a better message. An empty ``ec2_url`` is one that
# is left out, as an environment variable may be empty. Every other text names or selects something: if it were empty, a task
# would do without it what it should do with it, such as find nothing to destroy.
_VALUES = ("display_name", "description", "display_text", "user_data", "confirm_reinstall")
_OF_A_FORM = ("public_key", "ports", "max_age", "since", "time", "day", "timezone", "api_url", "api_key", "api_secret")
_MAY_BE_EMPTY = frozenset((*_VALUES, *_OF_A_FORM, "ec2_url"))


def check(
    params: dict[str, t.Any], spec: Spec, ignore_unknown: bool = False, items: t.Mapping[str, Item] | None = None
) -> str:
    """Return what is wrong with options, as text for people; an empty text if nothing is.

    ``params`` are the options as the user wrote them, ``spec`` is an argument spec of Ansible. Takes wrong values out of
    ``params``, as Ansible copies these into every result. Puts the long form in place of a short one (``groups: [web]``).
    Each text names the option with its path (``ingress[1].ports``, the first has the number 0), the value, and the nearest
    right value. It shows no value of an option that may hold a secret.

    ``items`` are the options whose items have the options of another module. Good items are put in place with types and
    defaults, as Ansible itself knows nothing of what is in them.
    """
    inner = _of_items(items, spec) if items else {}
    found = list(_Check(ignore_unknown).options(params, {**spec, **inner}))
    told = found[:_MOST]
    if len(found) > _MOST:
        told.append(f"and {len(found) - _MOST} more wrong options")
    # A text that ends with a question mark is a sentence already.
    return ". ".join(told).replace("?. ", "? ")


def _of_items(items: t.Mapping[str, Item], spec: Spec) -> Spec:
    """Return the specs of options whose items have the options of another module, with their checkers."""
    from .items import Checker  # here, as few modules have items, and Ansible compiles each import in each run

    checkers = {name: Checker(name, item, spec) for name, item in items.items()}
    return {name: {**spec[name], "options": one.allowed, "checker": one} for name, one in checkers.items()}


def is_secret(name: str, spec: dict[str, t.Any]) -> bool:
    """Tell whether an option's value may hold a secret: an address may hold a password, and a private key may be given for a
    public one. So may the value of an option with such suboptions.
    """
    inner = spec.get("options") or {}
    is_one = bool(spec.get("no_log")) or name == "public_key" or name.endswith("url")
    return is_one or any(is_secret(*one) for one in inner.items())


class _Check:
    """One check of the options of a task. Each method yields what is wrong, and puts right values in place of short ones."""

    def __init__(self, ignore_unknown: bool) -> None:
        self._ignore_unknown = ignore_unknown

    def options(self, values: dict[str, t.Any], spec: Spec, path: str = "") -> t.Iterator[str]:
        """Check the options in a mapping. ``path`` leads to the mapping and ends with a dot; it is empty for the whole task."""
        known = {alias: name for name, one in spec.items() for alias in [name, *one.get("aliases", ())]}
        there = {known.get(given) for given, value in values.items() if value is not None}
        for given in [given for given in values if path or not str(given).startswith("_ansible_")]:
            if given in known:
                name = known[given]
                option = {**spec[name], "name": name, "encodable": f"{name}_encoding" in spec}
                yield from self._option(values, given, option, f"{path}{given}")
            elif not self._ignore_unknown:
                del values[given]
                meant = did_you_mean(given, known) or f". There are: {', '.join(sorted(known))}"
                yield f"{path}{given}: there is no such option{meant}"
        if path:  # Ansible itself names what the task lacks
            lacking = [name for name, one in spec.items() if one.get("required") and name not in there]
            yield from (f"{path}{name}: is required, and is not given" for name in lacking)

    def _option(self, values: dict[str, t.Any], given: str, option: Option, path: str) -> t.Iterator[str]:
        problems = [] if values[given] is None else list(self._value(values, given, option, path))
        if problems:
            values[given] = None
        yield from problems

    def _value(self, at: t.Any, key: t.Any, option: Option, path: str) -> t.Iterator[str]:
        """Check the value at a place: ``at`` is the mapping or list that holds it, under ``key``."""
        kind, value = option.get("type") or "str", at[key]
        if kind == "list":
            yield from self._list(at, key, option, path)
        elif kind == "dict":
            yield from self._mapping(at, key, option, path)
        elif kind in _CHECKS:
            yield from _wrong_type(value, kind, option, path)
        elif isinstance(value, (list, dict)):
            yield _not_text(value, option, path)
        else:
            wrong = [*_wrong_text(value, option, path), *_empty_text(value, option, path)]
            yield from wrong or [*_wrong_choice(value, option, path), *_wrong_key(value, option, path)]

    def _list(self, at: t.Any, key: t.Any, option: Option, path: str) -> t.Iterator[str]:
        elements = {**option, "type": option.get("elements") or "str"}
        if isinstance(at[key], dict):
            hint = '; put "- " before it' if elements["type"] == "dict" else ""
            yield _not(at[key], "a list", option, path) + hint
            return
        is_text = not isinstance(at[key], (list, tuple))
        if is_text and option.get("checker"):
            yield _not(at[key], "a list", option, path) + _OPTIONS_OF_EACH
            return
        items = at[key] = check_type_list(at[key])
        # The only item of a list that was written as a text has the path of the list.
        is_list = elements["is_item"] = elements["type"] == "dict" or len(items) > 1 or not is_text
        for number, item in enumerate(items):
            place = f"{path}[{number}]" if is_list else path
            if item is None:
                yield f"{place}: is empty (null); give a value, or remove this item of the list"
            else:
                yield from self._value(items, number, elements, place)

    def _mapping(self, at: t.Any, key: t.Any, option: Option, path: str) -> t.Iterator[str]:
        checker = option.get("checker")
        value = at[key] = at[key] if checker else _long_form(at[key], option)
        if not isinstance(value, dict):
            yield _not(value, "a mapping (NAME: VALUE)", option, path) + (_OPTIONS_OF_EACH if checker else "")
        elif checker:
            yield from self._item(at, key, checker, path)
        elif option.get("options"):
            yield from self.options(value, option["options"], f"{path}.")
        else:
            yield from _wrong_texts(value, option, path)

    def _item(self, at: t.Any, key: t.Any, checker: Checker, path: str) -> t.Iterator[str]:
        """Check an item with the options of another module. What concerns it as a whole is only told of one without other faults."""
        problems = [*checker.out_of_place(at[key], path), *self.options(at[key], checker.allowed, f"{path}.")]
        if not problems:
            at[key], problems = checker.complete(at[key], path)
        yield from problems


def _long_form(value: t.Any, option: Option) -> t.Any:
    """Return the mapping that a text stands for: the value of the one required option, else one of Ansible's short forms."""
    if isinstance(value, (dict, list)):
        return value
    options = option.get("options") or {}
    try:
        mapping = check_type_dict(value)
    except (TypeError, ValueError):
        mapping = None
    required = [name for name, one in options.items() if one.get("required")]
    if (
        len(required) == 1
        and not isinstance(value, bool)
        and not (mapping and all(name in options for name in mapping))
    ):
        return {required[0]: value}
    return value if mapping is None else mapping


def _shown(value: t.Any, option: Option) -> str:
    """Return a value as a message shows it, shortened. Of a value that may be secret only the kind is shown."""
    kind = "mapping" if isinstance(value, dict) else "list" if isinstance(value, list) else ""
    if is_secret(option["name"], option):
        return f"a {kind}" if kind else "what is given"
    text = repr(value)
    text = text if len(text) <= _LONGEST else f"{text[:_LONGEST]}..."
    return f"the {kind} {text}" if kind else text


def _not(value: t.Any, wanted: str, option: Option, path: str) -> str:
    return f"{path}: must be {wanted}, not {_shown(value, option)}"


def _not_text(value: t.Any, option: Option, path: str) -> str:
    """Return the problem of a list or mapping that stands where a text must. Its only text may be the one that was meant."""
    problem = _not(value, "a text", option, path)
    if option.get("is_item"):
        return f"{problem}. Each item of the list must be a text of its own"
    inner = list(value.values()) if isinstance(value, dict) else value
    meant = inner[0] if len(inner) == 1 and isinstance(inner[0], (str, int, float)) else None
    if meant is not None and not is_secret(option["name"], option):
        return f"{problem}; did you mean {str(meant)!r}?"
    return f"{problem}. {_INSTEAD.get(option['name'], 'Give a single one')}"


def _empty_text(value: t.Any, option: Option, path: str) -> t.Iterator[str]:
    """Yield the problem of an empty or blank text that must name or select something. Choices have a message of their own."""
    if str(value).strip() or option["name"] in _MAY_BE_EMPTY or option.get("choices"):
        return
    if option.get("is_item"):
        yield f"{path}: is empty; give a value, or remove this item of the list"
    else:
        yield f"{path}: is empty; give a value" + ("" if option.get("required") else ", or leave the option out")


def _no_choice(shown: str, choices: t.Iterable[t.Any], option: Option, path: str) -> str:
    words = ", ".join(map(str, choices))
    return f"{path}: {shown} is not possible. The value of {option['name']} must be one of: {words}"


def _wrong_type(value: t.Any, kind: str, option: Option, path: str) -> t.Iterator[str]:
    """Yield the problem of a value that is no number or no boolean, or is none of the numbers to choose from."""
    checker, wanted = _CHECKS[kind]
    try:
        if isinstance(value, (list, dict)) or (isinstance(value, bool) and kind != "bool"):
            raise TypeError
        taken = checker(value)
    except (TypeError, ValueError, ArithmeticError):
        yield _not(value, wanted, option, path) + (did_you_mean(value, _BOOLEANS) if kind == "bool" else "")
        return
    choices = option.get("choices") or [taken]
    if taken not in choices:
        near = min(choices, key=lambda one: abs(one - taken))
        yield f"{_no_choice(str(taken), choices, option, path)}; did you mean {near}?"


def _wrong_text(value: t.Any, option: Option, path: str) -> t.Iterator[str]:
    """Yield the problem of a text that is not UTF-8: Python and Ansible write such bytes as lone surrogates."""
    stray = next((place for place, one in enumerate(str(value)) if "\ud800" <= one <= "\udfff"), None)
    if stray is None:
        return
    code = ord(str(value)[stray])
    what = f"the byte 0x{code - 0xDC00:02x}" if 0xDC80 <= code <= 0xDCFF else f"the lone surrogate U+{code:04X}"
    way = f", or give the bytes in Base64 with {option['name']}_encoding: base64" if option.get("encodable") else ""
    yield f"{path}: is no text in UTF-8, as it has {what} at character {stray + 1}. Convert it to UTF-8{way}"


def _wrong_texts(value: t.Any, option: Option, path: str) -> t.Iterator[str]:
    """Yield the problems of the texts in a value, at any depth."""
    if isinstance(value, dict):
        for name, inner in value.items():
            yield from _wrong_text(name, option, path)
            yield from _wrong_texts(inner, option, f"{path}.{name}")
    elif isinstance(value, list):
        for number, inner in enumerate(value):
            yield from _wrong_texts(inner, option, f"{path}[{number}]")
    else:
        yield from _wrong_text(value, option, path)


def _wrong_choice(value: t.Any, option: Option, path: str) -> t.Iterator[str]:
    """Yield the problem of a text that is none of the choices. YAML makes a boolean of `no`; Ansible takes that back."""
    choices, text = option.get("choices") or [], str(value)
    words = {"True": BOOLEANS_TRUE, "False": BOOLEANS_FALSE}.get(text, frozenset())
    if choices and text not in choices and len(words.intersection(choices)) != 1:
        yield _no_choice(_shown(value, option), choices, option, path) + did_you_mean(value, choices)


def _wrong_key(value: t.Any, option: Option, path: str) -> t.Iterator[str]:
    """Yield the problem of a text that is no public key. It may be a private one, so it must not stay among the options."""
    if option["name"] == "public_key":
        from .resources.public_key import problem  # here, as few modules have keys

        wrong = problem(str(value))
        if wrong:
            yield f"{path}: {wrong}"
