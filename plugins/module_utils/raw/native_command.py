# Copyright: (c) 2026, the cloudn.compute authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Any native command, as the user gives it: checked, sent, and read to the last page or waited for."""

from __future__ import annotations

import re
import typing as t

from ..api import Client, CloudnError, Record, UsageError
from ..api.client import flatten
from ..api.flawed import plain
from ..api.paging import list_field, objects
from ..resources import job
from ..resources.lookup import check_text
from . import request

_COMMAND = re.compile(r"[A-Za-z]+\Z")
_CREDENTIALS = ("apikey", "signature")
_SECRET = ("password", "userdata", "privatekey")


def _words(name: str) -> list[str]:
    return [name.partition("[")[0].lower()]


_NAMES = request.Names(
    pattern=re.compile(r"[A-Za-z]\w*(\[\d+\](\.\w+)?)?\Z", re.ASCII),
    split=_words,
    set_by_client=(*_CREDENTIALS, "response", "command", "signatureversion", "expires"),
    secret=_SECRET,
)


def send(client: Client, options: Record, check: bool = False) -> Record:
    """Send the command of the module's options, and return the module's result.

    With ``check`` a command that changes something is not sent. Raises ``UsageError`` for what can't be sent, before
    anything is sent, and what ``Client.call`` raises.
    """
    command, params, secrets = options["command"], options.get("params") or {}, options.get("secret_params") or {}
    _hide_secrets(params)
    _check(command, params, secrets)
    both = {**params, **secrets}
    return request.run(
        command,
        flatten(params),
        secrets,
        check,
        lambda: _read(client, command, both),
        lambda: _change(client, command, both, options),
    )


def _hide_secrets(params: Record) -> None:
    """Overwrite secrets that stand in the wrong option. Ansible puts the options into every result, a refusal's too."""
    for name in params:
        if _words(name)[0] in (*_SECRET, *_CREDENTIALS):
            params[name] = "***"


def _check(command: str, params: Record, secrets: Record) -> None:
    """Raise ``UsageError`` for what must not or can't be sent. Its message holds nothing secret."""
    if not _COMMAND.match(command):
        raise UsageError(f"command: {command!r} is no name of a command, such as listZones")
    for option, given in (("params", params), ("secret_params", secrets)):
        for name, value in given.items():
            _NAMES.check(option, name)
            if not _is_sendable(value):
                raise UsageError(
                    f"{option}: {name} must be a text, a number, a truth value, a list or dictionary of these, or a list of "
                    "such dictionaries"
                )
    request.check_once(map(str.lower, params), map(str.lower, secrets))
    check_text({"params": params})
    for name, value in secrets.items():
        try:
            flatten({name: value})
        except UsageError:  # its message quotes the value
            raise UsageError(
                f"secret_params: {name} has a character beyond the basic plane (an emoji?), or an item with a comma, "
                "which the service does not take"
            ) from None


def _is_sendable(value: t.Any) -> bool:
    """Tell whether a value has one of the forms that ``flatten`` knows. ``None`` is left out of a request."""
    if isinstance(value, list):
        inner = value
        if value and all(isinstance(item, dict) for item in value):
            inner = [content for item in value for content in item.values()]
    elif isinstance(value, dict):
        inner = list(value.values())
    else:
        return value is None or isinstance(value, (str, int, float))
    return all(isinstance(item, (str, int, float)) for item in inner)


def _read(client: Client, command: str, params: Record) -> Record:
    """Return the answer of a command that only reads. All pages of a listing are one answer."""
    if not command.startswith("list") or {"page", "pagesize"} & {name.lower() for name in params}:
        answer = client.call(command, params)
    else:
        answer = _all_pages(client, command, params)
    # Who asks for an answer sees it as it is, also if a member of a record can't be used.
    shown: Record = plain(answer)
    # A listing of jobs has all passwords that its jobs made. Old passwords are not shown again.
    return job.without_passwords(shown) if command == "listAsyncJobs" else shown


def _all_pages(client: Client, command: str, params: Record) -> Record:
    """Return a listing's answer with the objects of all its pages. An answer without a list is returned as it is."""
    answer = client.first_page(command, params)
    name, first = list_field(answer), objects(answer)
    if name is None or (len(first) < client.page_size.largest and (first.total or 0) <= len(first)):
        return answer
    found = [item for page in client.pages(command, params, begun=answer) for item in page]
    return {**answer, "count": len(found), name: found}


def _change(client: Client, command: str, params: Record, options: Record) -> Record:
    """Send a command that changes something; return the fields of the result."""
    # No deadline: where it cut the answer short, nobody would know whether the service took the command.
    answer: Record = plain(client.call(command, params))
    if "jobid" not in answer:
        return {"result": answer}
    if not options["wait"]:
        return {"result": answer, "jobs": [answer["jobid"]]}
    return {"result": answer, **_await(client, command, answer, options["wait_timeout"])}


def _await(client: Client, command: str, answer: Record, timeout: float) -> Record:
    """Wait for the job of an answer; return the fields that it adds to the result."""
    job_id = answer["jobid"]
    try:
        (record,) = job.follow(client, [job_id], timeout)
    except CloudnError as error:
        message = f"{command}: {error.message}; so job {job_id} can't be followed: run cloudn_job with its id"
        return {**error.details(), "msg": message, "command": command, "job_id": job_id, "jobs": [job_id]}
    shown = {**job.to_result(record), "command": command}
    fields = record.get("jobresult") or {}
    if shown["status"] == "done":
        made = {"id": answer["id"]} if "id" in answer else {}
        fields = plain(fields)
        return {"result": {**made, **(fields if isinstance(fields, dict) else {"text": fields})}}
    pending = {"jobs": [job_id]} if shown["status"] == "pending" else {}
    return {**job.failure([shown], timeout), **pending}
