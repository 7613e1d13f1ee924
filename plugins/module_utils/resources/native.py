# Copyright: (c) 2026, the cloudn.compute authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Any native command, as a user gives it: checked, sent, read to the last page or waited for."""

from __future__ import annotations

import re
import typing as t

from ..api import Client, CloudnError, Record, UsageError, is_read
from ..api.client import flatten, list_field
from ..api.paging import LARGEST
from . import job
from .lookup import check_text

_COMMAND = re.compile(r"[A-Za-z]+\Z")
_NAME = re.compile(r"[A-Za-z]\w*(\[\d+\](\.\w+)?)?\Z", re.ASCII)
_SET_BY_CLIENT = ("apikey", "signature", "response", "command", "signatureversion", "expires")
_CREDENTIALS = ("apikey", "signature")
_SECRET = ("password", "userdata", "privatekey")


def send(client: Client, options: Record, check: bool = False) -> Record:
    """Send the command of ``options`` (the module's) and return the module's result. With ``check`` one that changes
    something is not sent.

    Raises ``UsageError`` for what can't be sent, before anything is sent, and what ``Client.call`` raises.
    """
    command, params, secrets = options["command"], options.get("params") or {}, options.get("secret_params") or {}
    _refuse(command, params, secrets)
    both = {**params, **secrets}
    if is_read(command):
        return {"actions": [], "result": _read(client, command, both)}
    told = [f"{name}={value}" for name, value in flatten(params).items()] + [f"{name}=***" for name in secrets]
    outcome: Record = {"changed": True, "actions": [" ".join([command, *told])], "result": {}}
    if check:
        return outcome
    # No deadline here: one that cut the answer short would leave it open whether the command was taken.
    outcome["result"] = answer = client.call(command, both)
    if "jobid" not in answer:
        return outcome
    if not options["wait"]:
        return {**outcome, "jobs": [answer["jobid"]]}
    return {**outcome, **_await(client, command, answer, options["wait_timeout"])}


def _refuse(command: str, params: Record, secrets: Record) -> None:
    """Raise ``UsageError`` for what must not or can't be sent, without a word of what is secret."""
    if not _COMMAND.match(command):
        raise UsageError(f"command: {command!r} is no name of a command, such as listZones")
    for name in params:
        if _base(name) in (*_SECRET, *_CREDENTIALS):
            params[name] = "***"  # Ansible puts the options into every result, also that of a refusal
    for option, given in (("params", params), ("secret_params", secrets)):
        for name, value in given.items():
            if not _NAME.match(name):
                raise UsageError(f"{option}: {name!r} is no name of a parameter")
            if _base(name) in _SET_BY_CLIENT:
                raise UsageError(f"{option}: {name} can't be given, the module sets it itself")
            if option == "params" and _base(name) in _SECRET:
                raise UsageError(f"params: {name} is secret: put it into secret_params, whose values are not shown")
            if not _is_sendable(value):
                raise UsageError(
                    f"{option}: {name} is neither a text, a number or a truth value, nor a list of these, nor a "
                    "dictionary of these, nor a list of such dictionaries"
                )
    twice = {name.lower() for name in params} & {name.lower() for name in secrets}
    if twice:
        raise UsageError(f"params, secret_params: {', '.join(sorted(twice))} is in both")
    check_text({"params": params})
    flatten(params)
    for name, value in secrets.items():
        try:
            flatten({name: value})
        except UsageError:  # it quotes the value
            raise UsageError(
                f"secret_params: {name} holds a character beyond the basic plane (an emoji?), or an item with a comma, "
                "which the service does not take"
            ) from None


def _base(name: str) -> str:
    return name.partition("[")[0].lower()


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
    """Return the answer of a command that only reads, of a listing all pages of it as one."""
    if not command.startswith("list") or {"page", "pagesize"} & {name.lower() for name in params}:
        answer = client.call(command, params)
    else:
        answer = _all_pages(client, command, params)
    # A listing of jobs has the passwords that any of them ever made: old ones are not shown again.
    return job.without_passwords(answer) if command == "listAsyncJobs" else answer


def _all_pages(client: Client, command: str, params: Record) -> Record:
    """Return a listing's answer with the objects of all its pages, or the answer as it is where it lists none."""
    answer = client.call(command, {**params, "page": 1, "pagesize": LARGEST})
    name = list_field(answer)
    if name is None or len(answer[name]) < LARGEST:
        return answer
    objects = [item for page in client.pages(command, params, begun=answer) for item in page]
    return {**answer, "count": len(objects), name: objects}


def _await(client: Client, command: str, answer: Record, timeout: float) -> Record:
    """Wait for the job of an answer; return what it adds to the result."""
    job_id = answer["jobid"]
    try:
        (record,) = job.follow(client, [job_id], timeout)
    except CloudnError as error:
        told = f"{command}: {error.message}; so job {job_id} can't be followed: run cloudn_job with its id"
        return {**error.details(), "msg": told, "command": command, "job_id": job_id, "jobs": [job_id]}
    shown = {**job.shape(record), "command": command}
    fields = record.get("jobresult") or {}
    if shown["status"] == "done":
        made = {"id": answer["id"]} if "id" in answer else {}
        return {"result": {**made, **(fields if isinstance(fields, dict) else {"text": fields})}}
    going_on = {"jobs": [job_id]} if shown["status"] == "pending" else {}
    return {**job.failure([shown], timeout), **going_on}
