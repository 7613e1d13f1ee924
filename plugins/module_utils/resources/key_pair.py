# Copyright: (c) 2026, the cloudn.compute authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""SSH key pairs: listed, made by the service, registered, replaced, deleted."""

from __future__ import annotations

import base64
import binascii
import hashlib
import re

from ..api import Client, CloudnError, Duplicates, Record, UnknownOutcome, UsageError
from ..api.client import list_field
from ..api.errors import PARAMETER_ERROR
from ..api.paging import LARGEST
from ..reconcile import Found, Plan, Progress, Resource, Step, Task, replace
from .lookup import check_text, same_name

_KINDS = re.compile(r"ssh-rsa|ssh-dss|ssh-ed25519|ecdsa-sha2-[a-z0-9-]+")
_PRIVATE = re.compile(r"PRIVATE KEY|PuTTY-User-Key-File")
_CREATE, _REGISTER, _DELETE = "createSSHKeyPair", "registerSSHKeyPair", "deleteSSHKeyPair"


def to_result(pair: Record) -> Record:
    """Return a key pair as the user sees it; the service shows neither key, and it has no id."""
    return {"name": pair.get("name"), "fingerprint": pair.get("fingerprint"), "state": "present"}


def search(client: Client, name: str | None = None, fingerprint: str | None = None) -> list[Record]:
    """Return the key pairs, or those with this name and this fingerprint, both compared by the service, see ``same_name``."""
    return client.list("listSSHKeyPairs", {"name": name, "fingerprint": fingerprint})


def fingerprint(public_key: str) -> str:
    """Return the fingerprint of a public key in OpenSSH's form as the service makes it, ``aa:bb:...`` (MD5).

    Raises ``UsageError`` for anything else than ``TYPE BASE64 [comment]`` on one line, without quoting it.
    """
    text = public_key.strip()
    words = text.split(None, 2)
    if len(words) < 2 or len(text.splitlines()) > 1 or not _KINDS.fullmatch(words[0]):
        if _PRIVATE.search(text):
            raise UsageError(
                "public_key: this is a private key, which must not leave its place; give the public one (*.pub)"
            )
        raise UsageError(
            "public_key: is no public key in OpenSSH's form, which is one line: a type such as ssh-rsa, the key "
            "in Base64, and perhaps a comment"
        )
    kind = words[0].encode()
    try:
        blob = base64.b64decode(words[1], validate=True)
    except (binascii.Error, ValueError):
        blob = b""
    if not blob.startswith(len(kind).to_bytes(4, "big") + kind):
        raise UsageError(f"public_key: what follows {words[0]} is no key of that type; it may be cut or changed")
    try:
        digest = hashlib.md5(blob, usedforsecurity=False)
    except TypeError:  # Python 3.8
        digest = hashlib.md5(blob)
    pairs = digest.hexdigest()
    return ":".join(pairs[at : at + 2] for at in range(0, 32, 2))


def check_options(options: Record) -> None:
    """Raise ``UsageError`` for options that are wrong whatever the service holds."""
    if options.get("public_key") is not None:
        try:
            fingerprint(options["public_key"])
        except UsageError:
            # It may be a private key, and Ansible puts the options into every result.
            options["public_key"] = None
            raise
    check_text(options)
    if not options["name"].strip():
        raise UsageError("name: must not be empty")


def find(task: Task) -> Found:
    """Return the key pairs of the name."""
    name = task.options["name"]
    return {name: _found(task.client, name)}


def lookup(task: Task, found: Found) -> Record:
    """Raise ``UsageError`` where a pair is to go that machines need. The plan needs to know nothing besides."""
    name = task.options["name"]
    if not task.failed and not task.options["break_machines"] and _goes(found[name], task.options):
        from .key_pair_use import check_unused  # here, as few runs need it: what is imported is compiled anew each time

        check_unused(task.client, name)
    return {}


def _goes(found: list[Record], options: Record) -> bool:
    """Tell whether a pair that is there is to be deleted, or replaced."""
    if options["state"] == "absent" or len(found) != 1:
        return options["state"] == "absent" and bool(found)
    given = options.get("public_key")
    return bool(given and options["force"] and not _has_key(found[0], fingerprint(given)))


def _has_key(record: Record, wanted: str) -> bool:
    return str(record.get("fingerprint")).lower() == wanted


def _found(client: Client, name: str) -> list[Record]:
    """Return the key pairs of this name, which the service compares itself: case, accents and blanks at the end do not count.

    There is one at most, unless two runs made pairs at one moment. Those of one key are listed alike, so ``Client.list``, which
    yields what is listed on two pages once, would show one of them.
    """
    answer = client.call("listSSHKeyPairs", {"name": name, "page": 1, "pagesize": LARGEST})
    return [pair for pair in answer.get(list_field(answer) or "", []) if same_name(pair.get("name"), name)]


def _several(name: str, found: list[Record]) -> Duplicates:
    """Return the error that several pairs have a name."""
    prints = " and ".join(sorted(str(pair.get("fingerprint")) for pair in found))
    return Duplicates(
        f"name: there are {len(found)} key pairs {name}, of the fingerprints {prints}, as after two runs at one moment. They "
        "have no ids, so none can be chosen: delete all of this name (state: absent), and run one task again",
        found,
    )


def plan(task: Task, name: str, found: list[Record], _lookups: Record) -> Plan:
    """Return the plan for the key pairs of a name.

    Raises ``UsageError`` for another key than the one that is there, unless it is to be replaced, and for several pairs of the
    name, unless they are to go.
    """
    options, record = task.options, next(iter(found), None)
    if options["state"] == "absent":
        return _plan_absence(name, found)
    if len(found) > 1:
        raise _several(name, found)
    given, before = options.get("public_key"), {} if record is None else _known(record)
    wanted = None if given is None else fingerprint(given)
    after = {"state": "present", **({"fingerprint": wanted} if wanted else {})}
    if record is not None and (wanted is None or _has_key(record, wanted)):
        looks = [_look(name)] if task.failed and task.deadline.remaining() else []
        return Plan(name, record, [looks], before, dict(before))
    if given is None:
        make = _step(f"{name}: create", _CREATE, {"name": name})
        return Plan(name, None, [[make], [_look(name)]], {}, after)
    if record is not None and not options["force"]:
        raise UsageError(
            f"public_key: {name} holds another key, of fingerprint {record.get('fingerprint')}, not {wanted}; "
            "set force: true to replace it (machines that were made with the old key keep that), "
            "or give this key another name"
        )
    remove = Step(f"{name}: delete", _DELETE, {"name": name}, yields=lambda _known, _record: {})
    register = _step(f"{name}: register", _REGISTER, {"name": name, "publickey": given.strip()})
    return Plan(name, record, [[remove] if record else [], [register], [_look(name)]], before, after)


def _plan_absence(name: str, found: list[Record]) -> Plan:
    if not found:
        return Plan(name, None, [], {"state": "absent"}, {"state": "absent"})
    which = [f" ({number} of {len(found)})" if len(found) > 1 else "" for number in range(1, len(found) + 1)]
    stages = [[Step(f"{name}: delete{one}", _DELETE, {"name": name})] for one in which]
    return Plan(name, found[0], stages, _known(found[0]), {"state": "absent"})


def _step(text: str, command: str, params: Record) -> Step:
    return Step(text, command, params, returns="keypair", yields=replace, creates=True)


def _look(name: str) -> Step:
    """Return the look whether another run made a pair of the name at the same time. It fails where one did.

    The service looks whether a name is free, and only then makes the row. Pairs have no ids, so that a run can't delete its own
    (CloudStack 3.0.5). Where the look fails, that is a warning: a private key is shown only once.
    """
    from ..reconcile.duplicates import GAP  # here, as few runs need it: what is imported is compiled anew each time

    def is_alone(found: list[Record], progress: Progress) -> Record:
        if len(found) > 1:
            several = _several(name, found)
            if progress.object.pop("privatekey", None):
                fingerprint = progress.object.get("fingerprint")
                several.message += (
                    f". The private key that this run was given is that of {fingerprint}, and is not shown"
                )
            raise several
        return {}

    return Step(
        f"{name} to be the only one",
        "listSSHKeyPairs",
        {"name": name},
        until=is_alone,
        search=lambda client, _params: _found(client, name),
        optional=f"It is not known whether another run made a key pair {name} at the same time",
        seconds=GAP,
    )


def _known(record: Record) -> Record:
    return {"state": "present", "fingerprint": record.get("fingerprint")}


def describe(progress: Progress, _lookups: Record) -> None:
    """Say what is lost with a lost answer, and with a replacement that went only half the way.

    A pair that somebody else made meanwhile was refused to this run, and is like one that was there before. Only where
    an answer was lost too can't it be told apart from this run's own.
    """
    made = any(action.endswith(": create") for action in progress.actions)
    error = progress.error
    if made and error is None and "privatekey" not in progress.object and (progress.doubts or progress.touched):
        progress.error = UnknownOutcome(
            f"{_CREATE}: the key pair {progress.name} was made, but the answer that held its private key was lost, "
            "and the service does not show that again. Delete it (state: absent) and run the task again",
            _CREATE,
        )
    elif made and isinstance(error, UnknownOutcome):
        error.message += (
            f". If there is a key pair {progress.name} now, its private key is lost: "
            "delete it (state: absent) and run the task again"
        )
    elif error and error.command == _REGISTER:
        if progress.found:
            error.message += (
                f". The key pair {progress.name} that was to be replaced is deleted already: run the task again"
            )
        if error.code == PARAMETER_ERROR:
            error.message += ". Services of CloudStack 3.0 take only keys of the type ssh-rsa"


def result_of(progress: Progress, check: bool) -> Record:
    """Return the key pair of the result: as it is now or, in check mode, as far as it can be told before."""
    error: CloudnError | None = progress.error
    gone = progress.plan.after["state"] == "absent" and error is None
    shown = to_result({"name": progress.name, **progress.object})
    if gone:
        shown["state"] = "absent"
    if error and not progress.object.get("fingerprint"):
        shown["state"] = "absent" if not isinstance(error, UnknownOutcome) else "present"
    if check and "fingerprint" in progress.plan.after:
        shown["fingerprint"] = progress.plan.after["fingerprint"]
    if progress.object.get("privatekey"):
        shown["private_key"] = progress.object["privatekey"]
    return shown


RESOURCE = Resource(check_options, find, lookup, plan, result_of, describe)
