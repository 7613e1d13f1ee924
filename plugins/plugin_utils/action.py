# Copyright: (c) 2026, the cloudn.compute authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Runs a definition inside Ansible, without a process of its own. Only this file knows Ansible's action plugins."""

from __future__ import annotations

import contextlib
import functools
import io
import json
import os
import shutil
import sys
import typing as t

from ansible import constants as C
from ansible.module_utils import basic
from ansible.plugins.action.normal import ActionModule as SentModule
from ansible_collections.cloudn.compute.plugins.module_utils.api.libraries import missing
from ansible_collections.cloudn.compute.plugins.module_utils.api.session import Sessions
from ansible_collections.cloudn.compute.plugins.module_utils.connection import connect
from ansible_collections.cloudn.compute.plugins.module_utils.definition import Definition
from ansible_collections.cloudn.compute.plugins.module_utils.module import Module, build, end
from ansible_collections.cloudn.compute.plugins.module_utils.visible import visible
from ansible_collections.cloudn.compute.plugins.plugin_utils import planning
from ansible_collections.cloudn.compute.plugins.plugin_utils.switches import is_on
from ansible_collections.cloudn.compute.plugins.plugin_utils.watch import Watch, is_terse

if t.TYPE_CHECKING:
    from ansible_collections.cloudn.compute.plugins.module_utils.api import Client, Record

# An empty module, as Ansible's own function that builds modules returns it. Nothing: this version of Ansible is not known.
_EMPTY: tuple[t.Any, ...] = ()
try:  # ansible-core 2.19 and later
    from ansible.module_utils.common.json import Direction, get_module_encoder
except ImportError:
    from ansible.parsing.ajson import AnsibleJSONEncoder

    _EMPTY = ("new", "#!", b"")
    _encode: t.Callable[..., str] = functools.partial(json.dumps, cls=AnsibleJSONEncoder, vault_to_text=True)
else:
    for _direction in Direction:  # the import takes time, so it is done before Ansible forks
        get_module_encoder("legacy", _direction)
    _encode = functools.partial(json.dumps, cls=get_module_encoder("legacy", Direction.CONTROLLER_TO_MODULE))
    with contextlib.suppress(ImportError, TypeError):
        from ansible.executor.module_common import _BuiltModule

        _EMPTY = (_BuiltModule(b_module_data=b"", module_style="new", shebang="#!", serialization_profile="legacy"),)


def is_able(platform: str = sys.platform, version_info: tuple[t.Any, ...] = sys.version_info) -> bool:
    """Tell whether tasks can run here. On macOS a forked process must not use the network libraries: it crashes."""
    return bool(_EMPTY) and version_info >= (3, 11) and platform != "darwin" and not missing()


# Ansible imports an action plugin before it forks, so its workers have from the beginning what each task needs. Only tasks that
# change something or fail need more: they wait for jobs anyway, and a run without them does not pay for it.
is_able()  # imports requests

# The connections of a loop, by account: an Ansible worker runs all items of a loop, and nothing else.
_sessions: dict[tuple[t.Any, ...], Sessions] = {}


class _Here(Module):
    """A module that is no process of its own. Its warnings go into ``texts``: inside Ansible they would go to the screen."""

    def __init__(self, texts: list[str], **arguments: t.Any) -> None:
        self._texts = texts
        super().__init__(**arguments)

    def _hide(self) -> None:
        super()._hide()
        for one in self.validation_result._warnings:
            self.warn(f"Both option {one['option']} and its alias {one['alias']} are set.")

    def _check_locale(self) -> None:
        """Leave the locale as it is: it is Ansible's own."""

    def _set_cwd(self) -> None:
        """Stay in Ansible's own folder."""

    def warn(self, warning: str, **_more: t.Any) -> None:
        self._texts.append(visible(warning))


class InProcess(SentModule):
    """The action plugin of a module. A subclass has its ``definition``.

    It runs the definition in Ansible's own process where that is right. Elsewhere it sends the module. Inside Ansible it does all
    that Ansible does for a module that is sent, except for three steps: it builds no module, makes no folder for it, and starts no
    process.
    """

    definition: Definition
    _runs_here = False
    _told = b""

    def run(self, tmp: t.Any = None, task_vars: Record | None = None) -> Record:
        self._runs_here = self._is_here(task_vars or {})
        if not self._runs_here and planning.knows_run(self.definition, self._task.check_mode):
            planning.warn_of_what_is_not_known()
        return t.cast("Record", super().run(tmp, task_vars))

    def _configure_module(self, module_name: str, module_args: Record, task_vars: Record) -> t.Any:
        """Take in the options, as a module gets them. Return an empty module."""
        if not self._runs_here:
            return super()._configure_module(module_name, module_args, task_vars)
        self._told = _encode({"ANSIBLE_MODULE_ARGS": module_args}).encode()
        self._line = None if self._task.no_log or is_terse() else self._line_of(task_vars)
        return (*_EMPTY, f"of no process, as {module_name} runs inside Ansible")

    def _is_pipelining_enabled(self, *args: t.Any, **kwargs: t.Any) -> bool:
        # A module that comes through a pipe needs no folder.
        return self._runs_here or bool(super()._is_pipelining_enabled(*args, **kwargs))

    def _low_level_execute_command(self, *args: t.Any, **kwargs: t.Any) -> Record:
        """Do the task, and return what its process would have printed."""
        if not self._runs_here:
            return t.cast("Record", super()._low_level_execute_command(*args, **kwargs))
        variables: dict[str, t.Any] = {}
        self._compute_environment_string(variables)
        with _environment({name: str(value) for name, value in variables.items()}):
            text = perform(self.definition, self._told, self._line)
        return {"rc": 0, "stdout": text, "stdout_lines": text.splitlines(), "stderr": "", "stderr_lines": []}

    def _line_of(self, variables: Record) -> str | None:
        """Return the beginning of the lines that say what the task waits for. ``None``: the user wants no lines."""
        if not self._is_on("cloudn_progress", variables):
            return None
        return f"{self._task.get_name()} ({variables.get('inventory_hostname', 'localhost')})"

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


@functools.cache
def _place(program: str) -> tuple[str, str]:
    """Return what tells whether two paths are one Python: its folder, and the file behind all links.

    The Pythons of two virtual environments may be links to one file.
    """
    path = shutil.which(os.path.expanduser(program)) or program
    return os.path.realpath(os.path.dirname(path)), os.path.realpath(path)


@contextlib.contextmanager
def _environment(variables: dict[str, str]) -> t.Iterator[None]:
    """Set variables in the environment of this process, and take them back at the end."""
    if not variables:  # as for most tasks: a copy of the whole environment takes time
        yield
        return
    before = dict(os.environ)
    os.environ.update(variables)
    try:
        yield
    finally:
        os.environ.clear()
        os.environ.update(before)


def perform(definition: Definition, told: bytes, line: str | None = None) -> str:
    """Do a task in this process, and return what the process of a module would have printed.

    ``told`` is what that process would have been given. ``line`` is the beginning of the lines that say what the task waits for.
    ``None``: there are none.
    """
    texts: list[str] = []
    clients: list[Client] = []
    printed = io.StringIO()

    def make_client(options: Record) -> Client:
        client = _client(options)
        clients.append(client)
        return planning.attach(client, options) if planning.knows_run(definition, module.check_mode) else client

    def describe() -> str:
        return clients[0].waits.text() if clients else ""

    basic._ANSIBLE_ARGS, basic._ANSIBLE_PROFILE = told, "legacy"
    try:
        with contextlib.redirect_stdout(printed), contextlib.suppress(SystemExit):  # it ends like a module
            module = build(definition, functools.partial(_Here, texts))
            with Watch(line, describe) if line else contextlib.nullcontext():
                outcome = definition.perform(module, make_client)
            planning.forget(module, outcome)
            end(module, outcome)
    except BaseException:  # Ansible breaks the task off
        for sessions in _sessions.values():
            sessions.stop()
        _sessions.clear()
        raise
    finally:
        basic._ANSIBLE_ARGS = basic._ANSIBLE_PROFILE = None
    text = printed.getvalue()
    return json.dumps({**json.loads(text), "warnings": list(dict.fromkeys(texts))}) if texts else text


def _client(options: Record) -> Client:
    """Return a client that goes on with the connections of the last task of this process to the same account."""
    key = tuple(options.get(name) for name in ("api_url", "ec2_url", "api_key", "account", "validate_certs", "ca_path"))
    return connect(options, sessions=_sessions.setdefault(key, Sessions()))
