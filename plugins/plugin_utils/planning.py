# Copyright: (c) 2026, the cloudn.compute authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Gives tasks in check mode what earlier tasks of the run have planned, and warns of tasks that can't have it."""

from __future__ import annotations

import os
import typing as t

from ansible import constants as C
from ansible import context
from ansible.utils.display import Display
from ansible_collections.cloudn.compute.plugins.module_utils.api import CloudnError
from ansible_collections.cloudn.compute.plugins.module_utils.planned.store import Store, name_of, once
from ansible_collections.cloudn.compute.plugins.plugin_utils.switches import is_on

if t.TYPE_CHECKING:
    from ansible_collections.cloudn.compute.plugins.module_utils.api import Client, Record
    from ansible_collections.cloudn.compute.plugins.module_utils.definition import Definition, Task


def knows_run(definition: Definition, check_mode: bool) -> bool:
    """Tell whether a task is one that knows what earlier tasks of its run would do, if it runs in this process.

    Modules that do not look at what exists (``cloudn_api``, ``cloudn_ec2``) do not. The environment can turn it off. Raises
    ``AnsibleError`` for a value that is neither true nor false.
    """
    return check_mode and definition.looks and is_on("cloudn_check_run", {}, str)


def attach(client: Client, options: Record) -> Client:
    """Let a client read what is there with what earlier tasks in check mode of this run have planned, and return it.

    ``options`` are the task's. The tasks of a run with --check share a file for each account. Tasks with
    ``check_mode: true`` of another run have others. Raises ``CloudnError`` if the file can't be read.
    """
    # Imported here, as real runs never need it.
    from ansible_collections.cloudn.compute.plugins.module_utils.planned.overlay import Overlay

    client.planned = Overlay(client, _store("run" if context.CLIARGS.get("check") else "tasks", options))
    return client


def forget(task: Task, result: Record) -> None:
    """Let later tasks with ``check_mode: true`` know that a real task has changed something: that counts more than plans.

    ``result`` is the task's. A task in check mode changes nothing. What a run with --check has planned stays.
    """
    store = _store("tasks", task.params)
    if task.check_mode or not result.get("changed") or not store.exists:
        return
    from ansible_collections.cloudn.compute.plugins.module_utils.planned.overlay import forget as forget_changed

    try:
        forget_changed(store, result)
    except CloudnError as error:  # the task itself is done
        task.warn(error.message)


def _store(kind: str, options: Record) -> Store:
    """Return the file for the account of a task."""
    whose = [options.get(name) for name in ("api_url", "api_key", "account", "domain_id")]
    return Store(_path(name_of(kind, *whose)))


def warn_of_what_is_not_known() -> None:
    """Warn, once in a run, that a task in check mode does not know what earlier tasks would do, as it runs elsewhere."""
    if once(_path("cloudn-planned-warned")):
        Display().warning(
            "A task of cloudn.compute runs in check mode outside Ansible's own process. It does not know what earlier tasks of "
            "this run would do, and later tasks do not know what it would do. docs/rely-on.md (Check mode of a run) says when"
        )


def _path(name: str) -> str:
    # Ansible makes this folder for each run and removes it at the end. Its workers are forks, so all have the same.
    return os.path.join(C.DEFAULT_LOCAL_TMP, name)
