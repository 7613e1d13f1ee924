# Copyright: (c) 2026, the cloudn.compute authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Definitions of modules: their options, and what a task does with them. It is the same wherever the task runs."""

from __future__ import annotations

import typing as t

from ansible.module_utils.common.parameters import env_fallback
from ansible.module_utils.common.validation import (
    check_required_arguments,
    check_required_by,
    check_required_if,
    check_required_one_of,
)

from .api import Client, CloudnError, JobFailed, Record, planned_ids
from .connection import DEFAULT_URL, connect, warnings
from .profiles import VARIABLES
from .reconcile.report import Report
from .visible import visible

if t.TYPE_CHECKING:
    from .items import Item

CONNECTION: dict[str, t.Any] = {
    "profile": {"type": "str", "fallback": (env_fallback, [VARIABLES["profile"]])},
    "api_url": {"type": "str", "default": DEFAULT_URL, "fallback": (env_fallback, [VARIABLES["api_url"]])},
    "api_key": {"type": "str", "no_log": True, "fallback": (env_fallback, [VARIABLES["api_key"]])},
    "api_secret": {"type": "str", "no_log": True, "fallback": (env_fallback, [VARIABLES["api_secret"]])},
    "api_timeout": {"type": "float", "default": 30},
    "api_retries": {"type": "int", "default": 5},
    "validate_certs": {"type": "bool", "default": True},
    "ca_path": {"type": "path"},
    "response_format": {"type": "str", "default": "json", "choices": ["json", "xml"]},
    "signature_expires": {"type": "int", "default": 600},
    "account": {"type": "str"},
    "domain_id": {"type": "str"},
    "ec2_url": {"type": "str", "fallback": (env_fallback, [VARIABLES["ec2_url"]])},
    "ec2_version": {"type": "str", "default": "2010-11-15"},
}


class Task(t.Protocol):
    """A task as Ansible runs it: its options, whether it is check mode, and where its warnings go."""

    params: Record
    check_mode: bool

    def warn(self, warning: str) -> None:
        """Show a warning to the user."""


class Definition(t.NamedTuple):
    """What a module is.

    spec: its own options, as in AnsibleModule's ``argument_spec``.
    act: ``act(client, options, check)`` returns a ``Report``, or the result of a module without plans. Such a result is not
        changed unless it says so. It is a failure if it has ``msg``.
    plural, singular: the members of the result that hold the objects of a report, and a single one.
    looks: false for a module that does not look at what exists before it changes something.
    constraints: AnsibleModule's own (``mutually_exclusive``, ...).
    items: the options that are lists whose items have the options of another module.
    """

    spec: dict[str, t.Any]
    act: t.Callable[[Client, Record, bool], t.Union[Record, Report]]
    plural: str = ""
    singular: str = ""
    looks: bool = True
    constraints: dict[str, t.Any] = {}
    items: dict[str, Item] = {}

    @property
    def argument_spec(self) -> dict[str, t.Any]:
        """All options, as AnsibleModule takes them."""
        return {**CONNECTION, **self.spec}

    def problem(self, params: Record) -> str:
        """Return what is wrong with options that Ansible takes for good. Empty: nothing.

        Ansible takes a required option without a value (null) for given, a task of this collection does not.
        """
        options = {name: value for name, value in params.items() if value is not None}
        try:
            check_required_arguments(self.spec, options)
            check_required_one_of(self.constraints.get("required_one_of"), options)
            check_required_if(self.constraints.get("required_if"), options)
            check_required_by(self.constraints.get("required_by"), options)
        except TypeError as error:
            return str(error)
        wait_timeout = params.get("wait_timeout") or 0
        return f"wait_timeout: must be at least 0, not {wait_timeout}" if wait_timeout < 0 else ""

    def perform(self, task: Task, make_client: t.Callable[[Record], Client] = connect) -> Record:
        """Do a task whose options are checked, and return its result. It is a failure if it has ``msg``.

        ``make_client(options)`` returns the client, or raises ``UsageError``.
        """
        client = None
        try:
            client = make_client(task.params)
            planned_ids.check_options(task.params, client.planned)
            if self.items:
                # Here, as few modules have items, and Ansible compiles each import in each run.
                from .items import check_planned_ids

                check_planned_ids(task.params, self.items, client.planned)
            _warn(task, warnings(task.params))
            outcome = self.act(client, task.params, task.check_mode)
        except CloudnError as error:
            _advise([error], self.looks, client, task.check_mode)
            _warn(task, client.warnings if client else [])
            return _with_jobs(task, {"msg": error.message, **error.details()})
        _warn(task, client.warnings)
        difference = client.clock_difference()
        if difference:
            task.warn(f"{difference}, so signatures do not live as long as signature_expires says; set the clock right")
        if isinstance(outcome, Report):
            _advise([failure for _name, failure in outcome.failures], self.looks, client)
            _warn(task, outcome.warnings)
            result = self._result(outcome)
        else:
            result = {"changed": False, **outcome}
            if "msg" in result:
                result["msg"] = _with_limit(outcome, client)
        return _with_jobs(task, result)

    def _result(self, report: Report) -> Record:
        """Return the result for a report; ``msg`` is in it if there are failures."""
        members = {
            member: [{**one, "error": visible(one["error"])} if "error" in one else one for one in objects]
            for member, objects in report.members(self.plural).items()
        }
        result = {**report.result(), **members}
        if self.singular and len(members[self.plural]) == 1:
            result[self.singular] = members[self.plural][0]
        return {**result, **report.failure()} if report.failures else result


def _with_jobs(task: Task, result: Record) -> Record:
    """Return a result with ``jobs`` if the task does not wait: a play may hand them on without asking whether there are any."""
    return result if task.params.get("wait", True) else {"jobs": [], **result}


def _warn(task: Task, texts: t.Iterable[str]) -> None:
    for text in texts:
        task.warn(text)


def _advise(errors: list[CloudnError], looks: bool, client: Client | None, check: bool = False) -> None:
    """Add advice to errors."""
    if errors:
        # Imported here, as most runs have no errors: each run of a module compiles all that it imports.
        from .advice import advise_all

        advise_all(errors, looks, client, check)


def _with_limit(failure: Record, client: Client) -> str:
    """Return the message of a failed result, with the limit that its job has reached, if there is one."""
    from .limits import causes

    error = JobFailed("", failure.get("command"), code=failure.get("error_code"))
    cause = causes(client, [error]).get(error)
    return f"{failure['msg']}. {cause[0].upper()}{cause[1:]}" if cause else failure["msg"]
