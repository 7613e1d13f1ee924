# Copyright: (c) 2026, the cloudn.compute authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Runs a definition inside Ansible, without a process of its own. Only this file knows Ansible's action plugins."""

from __future__ import annotations

import contextlib
import functools
import importlib
import json
import os
import shutil
import sys
import threading
import typing as t

from ansible import constants as C
from ansible.errors import AnsibleError
from ansible.module_utils.common.parameters import remove_values
from ansible.module_utils.parsing.convert_bool import boolean
from ansible.plugins.action import ActionBase
from ansible.plugins.action.normal import ActionModule as SentModule
from ansible_collections.cloudn.compute.plugins.module_utils.api.decode import XMLTODICT_ERROR
from ansible_collections.cloudn.compute.plugins.module_utils.api.transport import REQUESTS_ERROR
from ansible_collections.cloudn.compute.plugins.module_utils.connection import connect
from ansible_collections.cloudn.compute.plugins.module_utils.definition import Definition
from ansible_collections.cloudn.compute.plugins.module_utils.module import Module, build, end
from ansible_collections.cloudn.compute.plugins.module_utils.visible import visible
from ansible_collections.cloudn.compute.plugins.plugin_utils import planning

if t.TYPE_CHECKING:
    from ansible_collections.cloudn.compute.plugins.module_utils.api import Client, Record

try:  # ansible-core 2.19 and later
    from ansible.module_utils.common.json import Direction, get_module_decoder, get_module_encoder
except ImportError:
    from ansible.parsing.ajson import AnsibleJSONEncoder

    def _as_sent(options: Record) -> Record:
        """Return options as a module gets them: plain values, and vaulted ones in clear."""
        return t.cast("Record", json.loads(json.dumps(options, cls=AnsibleJSONEncoder, vault_to_text=True)))

    def _as_returned(result: Record) -> Record:
        """Return a result as a module gives it: plain values."""
        return t.cast("Record", json.loads(json.dumps(result)))

else:
    _PROFILE = "legacy"  # that of a module which names none

    def _as_sent(options: Record) -> Record:
        encoder = get_module_encoder(_PROFILE, Direction.CONTROLLER_TO_MODULE)
        decoder = get_module_decoder(_PROFILE, Direction.CONTROLLER_TO_MODULE)
        return t.cast("Record", json.loads(json.dumps(options, cls=encoder), cls=decoder))

    def _as_returned(result: Record) -> Record:
        encoder = get_module_encoder(_PROFILE, Direction.MODULE_TO_CONTROLLER)
        decoder = get_module_decoder(_PROFILE, Direction.MODULE_TO_CONTROLLER)
        return t.cast("Record", json.loads(json.dumps(result, cls=encoder), cls=decoder))


# On macOS a forked process must not use the system's network libraries: it crashes.
_IS_ABLE = sys.version_info >= (3, 11) and sys.platform != "darwin" and not (REQUESTS_ERROR or XMLTODICT_ERROR)
# What a task may need. Ansible imports an action plugin before it forks, so its workers have these from the beginning.
_NEEDED = (
    "advice",
    "limits",
    "api.jobs",
    "api.request_errors",
    "reconcile.apply",
    "reconcile.creation",
    "reconcile.recover",
)
if _IS_ABLE:
    for _library in ("requests", "urllib3", "xmltodict"):
        importlib.import_module(_library)
    for _name in _NEEDED:
        importlib.import_module(f"ansible_collections.cloudn.compute.plugins.module_utils.{_name}")

_OFF, _VARIABLE = "CLOUDN_IN_PROCESS", "cloudn_in_process"
# The connections of a loop: an Ansible worker runs all items of a loop, and nothing else.
_connections: dict[tuple[t.Any, ...], threading.local] = {}


class _Here(Module):
    """A module that is no process: its result goes into ``results`` instead of being printed."""

    def __init__(self, options: Record, results: list[Record], **kwargs: t.Any) -> None:
        self._options = options
        self._results = results
        self._warnings: list[str] = []
        super().__init__(**kwargs)

    def _read_params(self) -> None:
        self.params = self._options

    def _check_locale(self) -> None:
        """Leave the locale as it is: it is Ansible's own."""

    def _set_cwd(self) -> None:
        """Stay in Ansible's own folder."""

    def warn(self, warning: str, **_more: t.Any) -> None:
        text = visible(warning)
        if text not in self._warnings:
            self._warnings.append(text)

    def _return_formatted(self, kwargs: Record) -> None:
        # Ansible's own hook for what a result has in any case. There it prints the result, too.
        kwargs.setdefault("invocation", {"module_args": self.params})
        for option, alias in ((one["option"], one["alias"]) for one in self.validation_result._warnings):
            self._warnings.insert(0, f"Both option {option} and its alias {alias} are set.")
        if self._warnings:
            kwargs["warnings"] = self._warnings
        kept = {name: value for name, value in kwargs.items() if value is None or isinstance(value, bool)}
        self._results.append({**remove_values(kwargs, self.no_log_values), **kept})


class InProcess(SentModule):  # type: ignore[misc]
    """The action plugin of a module. A subclass has its ``definition``.

    It runs the definition in Ansible's own process where that is right. Elsewhere it sends the module.
    """

    definition: Definition

    def run(self, tmp: t.Any = None, task_vars: Record | None = None) -> Record:
        variables = task_vars or {}
        if not self._is_here(variables):
            if planning.knows_run(self.definition, self._task.check_mode):
                planning.warn_of_what_is_not_known()
            return t.cast("Record", super().run(tmp, task_vars))
        result = t.cast("Record", ActionBase.run(self, None, variables))
        options = _as_sent(self._task.args)
        self._update_module_args(self._task.action, options, variables)
        with _with_environment(self._environment()):
            return {**result, **_as_returned(_perform(self.definition, options)), "_ansible_parsed": True}

    def _is_here(self, variables: Record) -> bool:
        """Tell whether the task runs in this process.

        Raises ``AnsibleError`` for a setting that is neither true nor false.
        """
        if not (_IS_ABLE and self._is_wanted(variables)):
            return False
        connection = self._connection
        is_local = connection.transport == "local" and not connection.become and not self._task.async_val
        return is_local and self._is_this_python(variables)

    def _is_wanted(self, variables: Record) -> bool:
        """Tell whether the user wants tasks to run in Ansible's process. The variable wins over the environment."""
        name, value = _OFF, os.environ.get(_OFF, "true")
        if _VARIABLE in variables:
            name, value = _VARIABLE, self._templar.template(variables[_VARIABLE])
        try:
            return bool(boolean(value))
        except TypeError as error:
            raise AnsibleError(f"{name}: must be true or false, not {value!r}") from error

    def _is_this_python(self, variables: Record) -> bool:
        """Tell whether nobody has set another Python for the host than the one that runs Ansible."""
        host = self._task.delegate_to
        own = variables.get("ansible_delegated_vars", {}).get(host, {}) if host else variables
        told = str(self._templar.template(C.config.get_config_value("INTERPRETER_PYTHON", variables=own)))
        return told.startswith("auto") or _place(told) == _place(sys.executable)

    def _environment(self) -> dict[str, str]:
        """Return the variables that the task sets in its environment."""
        variables: dict[str, t.Any] = {}
        self._compute_environment_string(variables)
        return {name: str(value) for name, value in variables.items()}


def _place(program: str) -> tuple[str, str]:
    """Return what tells whether two paths are one Python: its folder, and the file behind all links.

    The Pythons of two virtual environments may be links to one file.
    """
    path = shutil.which(os.path.expanduser(program)) or program
    return os.path.realpath(os.path.dirname(path)), os.path.realpath(path)


@contextlib.contextmanager
def _with_environment(variables: dict[str, str]) -> t.Iterator[None]:
    """Set variables in the environment of this process, and take them back at the end."""
    before = dict(os.environ)
    os.environ.update(variables)
    try:
        yield
    finally:
        os.environ.clear()
        os.environ.update(before)


def _perform(definition: Definition, options: Record) -> Record:
    """Do a task, and return its result as a module would print it."""
    results: list[Record] = []
    with contextlib.suppress(SystemExit):  # it ends like a module
        module = build(definition, functools.partial(_Here, options, results))
        knows_run = planning.knows_run(definition, module.check_mode)
        result = definition.perform(module, _planning_client if knows_run else _client)
        planning.forget(module, result)
        end(module, result)
    return results[0]


def _client(options: Record) -> Client:
    """Return a client that goes on with the connections of the last task of this process to the same account."""
    key = tuple(options.get(name) for name in ("api_url", "ec2_url", "api_key", "account", "validate_certs", "ca_path"))
    return connect(options, sessions=_connections.setdefault(key, threading.local()))


def _planning_client(options: Record) -> Client:
    """Return a client for a task in check mode that knows what earlier ones would do, see ``planning``."""
    return planning.attach(_client(options), options)
