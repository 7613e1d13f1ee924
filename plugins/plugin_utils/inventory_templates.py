# Copyright: (c) 2026, the cloudn.compute authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Evaluates the templates in the inventory's options, before Ansible converts the options to their types. Knows no Ansible."""

from __future__ import annotations

import typing as t

# Where Jinja begins in a text: a value, a statement, a comment.
_MARKS = ("{{", "{%", "{#")
# Ansible evaluates these for each host. Only their other parts are templates here.
_PER_HOST = {"compose": (), "groups": (), "keyed_groups": ("prefix", "separator", "default_value")}
_LITERAL = ("plugin",)
# An error must not show these, and so not their templates.
_SECRET = ("api_key", "api_secret")
# Without a value these would mean all machines, or another name of hosts than the user wants.
_NEEDS_VALUE = ("zones", "states", "filters", "hostnames")
# The values here are lists and dictionaries. A template may give a whole one.
_STRUCTURED = (*_NEEDS_VALUE, "filters.tags")


class BadTemplate(Exception):
    """A template that can't be evaluated, or that gives no usable value. The text names the option."""


class Templates:
    """Evaluates options.

    ``evaluate(text, structured)`` is Ansible's: it returns the value of a template. ``structured`` tells that this may be a
    list or a dictionary. ``hint`` is a sentence on the variables that templates may use.
    """

    def __init__(self, evaluate: t.Callable[[str, bool], t.Any], hint: str) -> None:
        self._evaluate = evaluate
        self._hint = hint

    def options(self, given: t.Mapping[str, t.Any]) -> dict[str, t.Any]:
        """Return the options of an inventory file without templates. Raises ``BadTemplate``."""
        return {name: self._option(name, value) for name, value in given.items()}

    def _option(self, name: str, value: t.Any) -> t.Any:
        """Return the value of one option without templates."""
        if name in _LITERAL:
            return value
        if name in _PER_HOST:
            return self._per_host(name, value)
        result = self._value(name, value)
        if name in _NEEDS_VALUE and _is_template(value) and result in (None, ""):
            raise BadTemplate(
                f"{name}: the template {value!r} gives no value; make it give one, or leave the option out"
            )
        return result

    def _per_host(self, name: str, value: t.Any) -> t.Any:
        """Return ``compose``, ``groups`` or ``keyed_groups``. Their expressions stay, as they are evaluated for each host."""
        if _is_template(value):
            raise BadTemplate(
                f"{name}: can't be a template as a whole, as its expressions are evaluated for each host; write it out"
            )
        if isinstance(value, dict):
            return {self._key(name, key): item for key, item in value.items()}
        if isinstance(value, list):
            return [self._entry(f"{name}[{number}]", entry, _PER_HOST[name]) for number, entry in enumerate(value)]
        return value

    def _entry(self, path: str, entry: t.Any, parts: t.Collection[str]) -> t.Any:
        """Return an entry of a list whose ``parts`` may be templates."""
        if not isinstance(entry, dict):
            return entry
        return {key: self._value(f"{path}.{key}", item) if key in parts else item for key, item in entry.items()}

    def _value(self, path: str, value: t.Any) -> t.Any:
        """Return a value without templates, at any depth. ``path`` names it in errors."""
        if isinstance(value, dict):
            return {self._key(path, key): self._value(f"{path}.{key}", item) for key, item in value.items()}
        if isinstance(value, list):
            return [self._value(f"{path}[{number}]", item) for number, item in enumerate(value)]
        return self._text(path, value) if _is_template(value) else value

    def _key(self, path: str, key: t.Any) -> t.Any:
        """Return a key of a dictionary without templates."""
        if not _is_template(key):
            return key
        value = self._text(f"{path}.{key}", key)
        if not isinstance(value, (str, int)):
            raise BadTemplate(f"{path}.{key}: the template {key!r} must give a text, not {value!r}")
        return value

    def _text(self, path: str, text: str) -> t.Any:
        """Return what a template gives."""
        try:
            return _plain(self._evaluate(text, path in _STRUCTURED))
        except Exception as error:  # a template may call anything
            raise BadTemplate(f"{path}: {self._problem(path, text, error)}. {self._hint}") from None

    def _problem(self, path: str, text: str, error: Exception) -> str:
        """Return what is wrong with a template, without what nobody may see. Ansible's error may hold the template."""
        # Imported here: it is for errors only.
        from ansible_collections.cloudn.compute.plugins.module_utils.addresses import without_secrets

        reason = " ".join(str(error).split()).rstrip(".")
        if path in _SECRET:
            return f"its template can't be evaluated: {reason.replace(text, '***')}"
        shown = without_secrets(text) if "://" in text else text
        return f"the template {shown!r} can't be evaluated: {reason.replace(text, shown)}"


def _is_template(value: t.Any) -> bool:
    """Tell whether a value is a text in which Jinja begins."""
    return isinstance(value, str) and any(mark in value for mark in _MARKS)


def _plain(value: t.Any) -> t.Any:
    """Return a value with all its parts evaluated. Ansible evaluates the parts of a variable only when they are read."""
    if isinstance(value, dict):
        return {key: _plain(item) for key, item in value.items()}
    return [_plain(item) for item in value] if isinstance(value, (list, tuple)) else value
