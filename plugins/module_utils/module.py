# Copyright: (c) 2026, the cloudn.compute authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Runs a definition as a module, in a process of its own. Only this file knows AnsibleModule."""

from __future__ import annotations

import os
import typing as t

from ansible.module_utils.basic import AnsibleModule, missing_required_lib
from ansible.module_utils.parsing.convert_bool import BOOLEANS_FALSE

from .api import Record
from .api.libraries import missing
from .connection import credentials
from .definition import Definition
from .options import check as find_wrong_options
from .profiles import complete
from .visible import visible
from .wrong_values import ProfileError

try:  # ansible-core 2.22 and later: the controller hides what a module registers
    from ansible.module_utils.secrets import register_secrets
except ImportError:
    register_secrets = None

if t.TYPE_CHECKING:
    from .items import Item

_FOR_PEOPLE = ("msg", "diff", "actions")


class Module(AnsibleModule):
    """Checks the options as the user wrote them. Hides users and passwords in addresses among them, also if they are refused.

    Texts for people have escapes for characters that nobody sees. All other values are exact.
    """

    params: Record
    _wrong = ""

    def __init__(self, items: t.Mapping[str, Item] | None = None, **arguments: t.Any) -> None:
        self._items = items or {}
        self._of_profile: list[str] = []
        super().__init__(**arguments)

    def _load_params(self) -> None:
        # Ansible's own hook between reading the options and checking them: it turns lists and mappings into text.
        super()._load_params()
        ignores = bool(self.params.get("_ansible_ignore_unknown_opts"))
        self._wrong = find_wrong_options(self.params, self.argument_spec, ignores, self._items)
        if self._items:
            # Here and below, as few modules have items, and Ansible compiles each import in each run.
            from .items import secrets

            self.no_log_values.update(secrets(self.params, self._items))
        if not self._wrong:
            self._add_profile()

    def _add_profile(self) -> None:
        """Put what a profile says among the options, before Ansible adds defaults and takes in which values it must hide.

        So all that looks at an account's options, such as plans of check mode, sees the account of the profile.
        """
        try:
            added, self._of_profile = complete(self.params, os.environ)
        except ProfileError as error:
            self._wrong = str(error)
        else:
            self.params.update(added)

    def _log_invocation(self) -> None:
        """Log the options that have a value.

        Ansible makes one text of a list with escapes in it before it looks for secrets, so it would miss some.
        """
        self._hide()
        params = self.params
        if self._items:
            from .items import masked

            self.params = masked(params, self._items)
        self.params = {name: value for name, value in self.params.items() if value is not None}
        super()._log_invocation()
        self.params = params

    def check_options(self) -> None:
        """End the module with an error if an option is wrong. Ansible knows by now which values it must hide."""
        if self._wrong:
            self.fail_json(msg=self._wrong)
        for warning in self._of_profile:
            self.warn(warning)

    def exit_json(self, **kwargs: t.Any) -> None:
        self._hide()
        super().exit_json(**_for_people(kwargs))

    def fail_json(self, msg: str, **kwargs: t.Any) -> None:
        self._hide()
        # The options may be as they were written yet.
        if "wait" in self.argument_spec and str(self.params.get("wait")).lower() in BOOLEANS_FALSE:
            kwargs = {"jobs": [], **kwargs}
        super().fail_json(visible(self._wrong or msg), **_for_people(kwargs))

    def warn(self, warning: str, **kwargs: t.Any) -> None:
        super().warn(visible(warning), **kwargs)

    def _hide(self) -> None:
        """Add to what Ansible hides. A secret must be hidden with escapes, too."""
        self.no_log_values.update(credentials(self.params))
        self.no_log_values.update([visible(secret) for secret in self.no_log_values])
        if register_secrets:
            register_secrets(self.no_log_values)


def _for_people(result: Record) -> Record:
    """Return a result in which texts for people have escapes for characters that nobody sees."""
    return {name: visible(value) if name in _FOR_PEOPLE else value for name, value in result.items()}


def run(definition: Definition) -> None:
    """Run a definition as a module, and end the process with its result."""
    module = build(definition, Module)
    end(module, definition.perform(module))


M = t.TypeVar("M", bound=Module)


def build(definition: Definition, kind: t.Callable[..., M]) -> M:
    """Return the module with its options checked, or end it with an error."""
    spec, items = definition.argument_spec, definition.items
    module = kind(items=items, argument_spec=spec, supports_check_mode=True, **definition.constraints)
    module.check_options()
    lacking = missing()
    if lacking:
        module.fail_json(msg=missing_required_lib(lacking[0]), exception=lacking[1])
    wrong = definition.problem(module.params)
    if wrong:
        module.fail_json(msg=wrong)
    return module


def end(module: Module, result: Record) -> None:
    """End the module with a result. It is a failure if it has ``msg``."""
    if "msg" in result:
        module.fail_json(**result)
    module.exit_json(**result)
