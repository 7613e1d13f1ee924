# Copyright: (c) 2026, the cloudn.compute authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Runs modules. Only this file knows AnsibleModule: it makes the client and ends with exit_json or fail_json."""

from __future__ import annotations

import typing as t

from ansible.module_utils.basic import AnsibleModule, env_fallback, missing_required_lib
from ansible.module_utils.common.validation import (
    check_required_arguments,
    check_required_by,
    check_required_if,
    check_required_one_of,
)
from ansible.module_utils.parsing.convert_bool import BOOLEANS_FALSE

from .api import Client, CloudnError, JobFailed, Record
from .api.decode import XMLTODICT_ERROR
from .api.transport import REQUESTS_ERROR
from .connection import DEFAULT_URL, connect, credentials, warnings
from .options import check as find_wrong_options
from .reconcile.report import Report
from .visible import visible

CONNECTION: dict[str, t.Any] = {
    "api_url": {"type": "str", "default": DEFAULT_URL, "fallback": (env_fallback, ["CLOUDN_API_URL"])},
    "api_key": {"type": "str", "no_log": True, "fallback": (env_fallback, ["CLOUDN_API_KEY"])},
    "api_secret": {"type": "str", "no_log": True, "fallback": (env_fallback, ["CLOUDN_API_SECRET"])},
    "api_timeout": {"type": "float", "default": 30},
    "api_retries": {"type": "int", "default": 5},
    "validate_certs": {"type": "bool", "default": True},
    "ca_path": {"type": "path"},
    "response_format": {"type": "str", "default": "json", "choices": ["json", "xml"]},
    "signature_expires": {"type": "int", "default": 600},
    "account": {"type": "str"},
    "domain_id": {"type": "str"},
    "ec2_url": {"type": "str", "fallback": (env_fallback, ["CLOUDN_EC2_URL"])},
    "ec2_version": {"type": "str", "default": "2010-11-15"},
}
WAIT: dict[str, t.Any] = {
    "wait": {"type": "bool", "default": True},
    "wait_timeout": {"type": "int", "default": 600},
}
TAGS: dict[str, t.Any] = {
    "tags": {"type": "dict"},
    "purge_tags": {"type": "bool", "default": True},
}


# The return values that are texts for people. A terminal shows them.
_FOR_PEOPLE = ("msg", "diff", "actions")


class Module(AnsibleModule):
    """Checks the options as the user wrote them. Hides users and passwords in addresses among them, also if they are refused.

    Texts for people have escapes for characters that nobody sees. All other values are exact.
    """

    _wrong = ""

    def _load_params(self) -> None:
        # Ansible's own hook between reading the options and checking them: it turns lists and mappings into text.
        super()._load_params()
        ignores = bool(self.params.get("_ansible_ignore_unknown_opts"))
        self._wrong = find_wrong_options(self.params, self.argument_spec, ignores)

    def check_options(self) -> None:
        """End the module with an error if an option is wrong. Ansible knows by now which values it must hide."""
        if self._wrong:
            self.fail_json(msg=self._wrong)

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


def _for_people(result: Record) -> Record:
    """Return a result in which texts for people have escapes for characters that nobody sees."""
    return {name: visible(value) if name in _FOR_PEOPLE else value for name, value in result.items()}


def run(
    spec: dict[str, t.Any],
    act: t.Callable[[Client, Record, bool], Record | Report],
    plural: str = "",
    singular: str = "",
    looks: bool = True,
    **constraints: t.Any,
) -> None:
    """Run a module: ``act(client, options, check)`` returns a ``Report``, or the result of a module without plans.

    The objects of a report are returned under ``plural``, and a single one under ``singular``, too. A result of a module
    without plans is not changed unless it says so. It is a failure if it has ``msg``. ``looks`` is false for a module that
    does not look at what exists before it changes something. ``constraints`` are AnsibleModule's own
    (``mutually_exclusive``, ...).
    """
    module = _build(spec, constraints)
    client = None
    try:
        client = connect(module.params)
        _warn(module, warnings(module.params))
        outcome = act(client, module.params, module.check_mode)
    except CloudnError as error:
        _advise([error], looks, client, module.check_mode)
        _warn(module, client.warnings if client else [])
        module.fail_json(**_with_jobs(module, {"msg": error.message, **error.details()}))
        return
    _warn(module, client.warnings)
    difference = client.clock_difference()
    if difference:
        module.warn(f"{difference}, so signatures do not live as long as signature_expires says; set the clock right")
    if isinstance(outcome, Report):
        _advise([failure for _name, failure in outcome.failures], looks, client)
        _warn(module, outcome.warnings)
        result = _result(outcome, plural, singular)
    else:
        result = {"changed": False, **outcome}
        if "msg" in result:
            result["msg"] = _with_limit(outcome, client)
    result = _with_jobs(module, result)
    if "msg" in result:
        module.fail_json(**result)
    module.exit_json(**result)


def _build(spec: dict[str, t.Any], constraints: dict[str, t.Any]) -> Module:
    """Return the module with its options checked, or end it with an error."""
    module = Module(argument_spec={**CONNECTION, **spec}, supports_check_mode=True, **constraints)
    module.check_options()
    for library, problem in (("requests", REQUESTS_ERROR), ("xmltodict", XMLTODICT_ERROR)):
        if problem:
            module.fail_json(msg=missing_required_lib(library), exception=problem)
    _check_empty(module, spec, constraints)
    wait_timeout = module.params.get("wait_timeout") or 0
    if wait_timeout < 0:
        module.fail_json(msg=f"wait_timeout: must not be negative, it is {wait_timeout}")
    return module


def _result(report: Report, plural: str, singular: str) -> Record:
    """Return the result for a report; ``msg`` is in it if there are failures."""
    objects = [{**one, "error": visible(one["error"])} if "error" in one else one for one in report.objects()]
    result = {**report.result(), plural: objects}
    if len(objects) == 1:
        result[singular] = objects[0]
    return {**result, **report.failure()} if report.failures else result


def _with_jobs(module: AnsibleModule, result: Record) -> Record:
    """Return a result with ``jobs`` if the task does not wait: a play may hand them on without asking whether there are any."""
    return result if module.params.get("wait", True) else {"jobs": [], **result}


def _warn(module: AnsibleModule, texts: t.Iterable[str]) -> None:
    for text in texts:
        module.warn(text)


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


def _check_empty(module: AnsibleModule, spec: dict[str, t.Any], constraints: dict[str, t.Any]) -> None:
    """Fail if a required option has no value (null). Ansible takes it for given, this module does not."""
    options = {name: value for name, value in module.params.items() if value is not None}
    try:
        check_required_arguments(spec, options)
        check_required_one_of(constraints.get("required_one_of"), options)
        check_required_if(constraints.get("required_if"), options)
        check_required_by(constraints.get("required_by"), options)
    except TypeError as error:
        module.fail_json(msg=str(error))
