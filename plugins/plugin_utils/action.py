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
import typing as t

from ansible import constants as C
from ansible.module_utils.common.parameters import remove_values
from ansible.plugins.action import ActionBase
from ansible.plugins.action.normal import ActionModule as SentModule
from ansible_collections.cloudn.compute.plugins.module_utils.api.decode import XMLTODICT_ERROR
from ansible_collections.cloudn.compute.plugins.module_utils.api.session import Sessions
from ansible_collections.cloudn.compute.plugins.module_utils.api.transport import REQUESTS_ERROR
from ansible_collections.cloudn.compute.plugins.module_utils.connection import connect
from ansible_collections.cloudn.compute.plugins.module_utils.definition import Definition
from ansible_collections.cloudn.compute.plugins.module_utils.module import Module, build, end
from ansible_collections.cloudn.compute.plugins.module_utils.visible import visible
from ansible_collections.cloudn.compute.plugins.plugin_utils.switches import is_on
from ansible_collections.cloudn.compute.plugins.plugin_utils.watch import Watch, is_terse

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
    for _direction in Direction:  # the import takes time, so it is done before Ansible forks
        get_module_encoder(_PROFILE, _direction)

    def _as_sent(options: Record) -> Record:
        encoder = get_module_encoder(_PROFILE, Direction.CONTROLLER_TO_MODULE)
        decoder = get_module_decoder(_PROFILE, Direction.CONTROLLER_TO_MODULE)
        return t.cast("Record", json.loads(json.dumps(options, cls=encoder), cls=decoder))

    def _as_returned(result: Record) -> Record:
        encoder = get_module_encoder(_PROFILE, Direction.MODULE_TO_CONTROLLER)
        decoder = get_module_decoder(_PROFILE, Direction.MODULE_TO_CONTROLLER)
        return t.cast("Record", json.loads(json.dumps(result, cls=encoder), cls=decoder))


def is_able(platform: str = sys.platform, version_info: tuple[t.Any, ...] = sys.version_info) -> bool:
    """Tell whether this Python can run tasks. On macOS a forked process must not use the network libraries: it crashes."""
    return version_info >= (3, 11) and platform != "darwin" and not (REQUESTS_ERROR or XMLTODICT_ERROR)


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
if is_able():
    for _library in ("requests", "urllib3", "xmltodict"):
        importlib.import_module(_library)
    for _name in _NEEDED:
        importlib.import_module(f"ansible_collections.cloudn.compute.plugins.module_utils.{_name}")

# The connections of a loop, by account: an Ansible worker runs all items of a loop, and nothing else.
_sessions: dict[tuple[t.Any, ...], Sessions] = {}


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
            return t.cast("Record", super().run(tmp, task_vars))
        result = t.cast("Record", ActionBase.run(self, None, variables))
        options = _as_sent(self._task.args)
        self._update_module_args(self._task.action, options, variables)
        watched = functools.partial(
            Watch, f"{self._task.get_name()} ({variables.get('inventory_hostname', 'localhost')})"
        )
        is_shown = not (self._task.no_log or is_terse()) and self._is_on("cloudn_progress", variables)
        with _environment(self._variables()):
            outcome = perform(self.definition, options, watched if is_shown else None)
            return {**result, **_as_returned(outcome), "_ansible_parsed": True}

    def _is_here(self, variables: Record) -> bool:
        """Tell whether the task runs in this process.

        Raises ``AnsibleError`` for a setting that is neither true nor false.
        """
        if not (is_able() and self._is_on("cloudn_in_process", variables)):
            return False
        connection = self._connection
        is_local = connection.transport == "local" and not connection.become and not self._task.async_val
        return is_local and self._is_this_python(variables)

    def _is_on(self, switch: str, variables: Record) -> bool:
        """Tell whether a switch is on for this task. Raises ``AnsibleError`` for a value that is neither true nor false."""
        return is_on(switch, variables, self._templar.template)

    def _is_this_python(self, variables: Record) -> bool:
        """Tell whether nobody has set another Python for the host than the one that runs Ansible."""
        host = self._task.delegate_to
        own = variables.get("ansible_delegated_vars", {}).get(host, {}) if host else variables
        told = str(self._templar.template(C.config.get_config_value("INTERPRETER_PYTHON", variables=own)))
        return told.startswith("auto") or _place(told) == _place(sys.executable)

    def _variables(self) -> dict[str, str]:
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
def _environment(variables: dict[str, str]) -> t.Iterator[None]:
    """Set variables in the environment of this process, and take them back at the end."""
    before = dict(os.environ)
    os.environ.update(variables)
    try:
        yield
    finally:
        os.environ.clear()
        os.environ.update(before)


def perform(
    definition: Definition, options: Record, watched: t.Callable[[t.Callable[[], str]], Watch] | None
) -> Record:
    """Do a task in this process, and return its result as a module would print it.

    ``options`` are those that a module gets: the user's, and Ansible's own (``_ansible_check_mode``, ...).
    ``watched(describe)`` says what it waits for. ``None``: nobody does.
    """
    results: list[Record] = []
    clients: list[Client] = []

    def make_client(options: Record) -> Client:
        clients.append(_client(options))
        return clients[0]

    try:
        module = build(definition, functools.partial(_Here, options, results))
        with watched(lambda: clients[0].waits.text() if clients else "") if watched else contextlib.nullcontext():
            outcome = definition.perform(module, make_client)
        end(module, outcome)
    except SystemExit:  # it ends like a module
        return results[0]
    except BaseException:  # Ansible breaks the task off
        for sessions in _sessions.values():
            sessions.stop()
        _sessions.clear()
        raise
    raise AssertionError("a module ends with exit_json or fail_json")


def _client(options: Record) -> Client:
    """Return a client that goes on with the connections of the last task of this process to the same account."""
    key = tuple(options.get(name) for name in ("api_url", "ec2_url", "api_key", "account", "validate_certs", "ca_path"))
    return connect(options, sessions=_sessions.setdefault(key, Sessions()))
