# Copyright: (c) 2026, the cloudn.compute authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""SSH key pairs: listed, made by the service, registered, replaced, deleted."""

from __future__ import annotations

import base64
import binascii
import hashlib
import re

from ..api import Client, CloudnError, Deadline, Duplicates, Record, UnknownOutcome, UsageError
from ..api.client import list_field
from ..api.errors import PARAMETER_ERROR
from ..api.paging import LARGEST
from ..converge import converge
from ..plan import Step, Track
from ..report import Report
from .lookup import check_text, same_name

_KINDS = re.compile(r"ssh-rsa|ssh-dss|ssh-ed25519|ecdsa-sha2-[a-z0-9-]+")
_PRIVATE = re.compile(r"PRIVATE KEY|PuTTY-User-Key-File")
_CREATE, _REGISTER, _DELETE = "createSSHKeyPair", "registerSSHKeyPair", "deleteSSHKeyPair"


def shape(pair: Record) -> Record:
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


def ensure(client: Client, options: Record, check: bool = False) -> Report:
    """Bring one key pair to the state that is asked for in ``options`` (the module's).

    Returns what was done, or with ``check`` what would be done. Raises ``UsageError`` for what can't be done, before
    anything is changed.
    """
    if options.get("public_key") is not None:
        try:
            fingerprint(options["public_key"])
        except UsageError:
            # It may be a private key, and Ansible puts the options into every result.
            options["public_key"] = None
            raise
    check_text(options)
    name = options["name"]
    if not name.strip():
        raise UsageError("name: must not be empty")
    deadline = Deadline(options["wait_timeout"], client.clock)
    track = plan(_found(client, name), options)
    if not options["break_machines"] and any(step.command == _DELETE for stage in track.stages for step in stage):
        from .key_pair_use import check_unused  # here, as few runs need it: what is imported is compiled anew each time

        check_unused(client, name)
    warnings: list[str] = []
    lost: list[UnknownOutcome] = []

    def again(failed: Track) -> Track:
        if isinstance(failed.error, UnknownOutcome):
            lost.append(failed.error)
        return plan(_found(client, name), options)

    if not check:
        converge(client, [track], deadline, again, wait=options["wait"])
        _explain(track, bool(lost))
        if options["wait"] and track.actions and options["state"] == "present" and not track.error:
            _check_alone(client, track, deadline, warnings)
    return Report([track], show, check, warnings)


def _found(client: Client, name: str) -> list[Record]:
    """Return the key pairs of this name, which the service compares itself: case, accents and blanks at the end do not count.

    There is one at most, unless two runs made pairs at one moment. Those of one key are listed alike, so ``Client.list``, which
    yields what is listed on two pages once, would show one of them.
    """
    answer = client.call("listSSHKeyPairs", {"name": name, "page": 1, "pagesize": LARGEST})
    return [pair for pair in answer.get(list_field(answer) or "", []) if same_name(pair.get("name"), name)]


def _check_alone(client: Client, track: Track, deadline: Deadline, warnings: list[str]) -> None:
    """Look whether another run made a pair of the name at the same time, and fail where one did.

    The service looks whether a name is free, and only then makes the row. Pairs have no ids, so that a run can't delete its own
    (CloudStack 3.0.5). Where the look fails, that is a warning: a private key is shown only once.
    """
    from ..duplicates import GAP  # here, as few runs need it: what is imported is compiled anew each time

    client.sleep(min(GAP, deadline.remaining()))
    try:
        found = _found(client, track.name)
    except CloudnError as error:
        warnings.append(
            f"It is not known whether another run made a key pair {track.name} at the same time: {error.message}"
        )
        return
    if len(found) > 1:
        several = _several(track.name, found)
        if track.object.pop("privatekey", None):
            several.message += f". The private key that this run was given is that of {track.object.get('fingerprint')}, and is not shown"
        track.fail(several)


def _several(name: str, found: list[Record]) -> Duplicates:
    """Return the error that several pairs have a name."""
    prints = " and ".join(sorted(str(pair.get("fingerprint")) for pair in found))
    return Duplicates(
        f"name: there are {len(found)} key pairs {name}, of the fingerprints {prints}, as after two runs at one moment. They "
        "have no ids, so none can be chosen: delete all of this name (state: absent), and run one task again",
        found,
    )


def plan(found: list[Record], options: Record) -> Track:
    """Return the track that leads the key pair to what is asked for; looks at its arguments only.

    Raises ``UsageError`` for another key than the one that is there, unless it is to be replaced, and for several pairs of the
    name, unless they are to go.
    """
    name, given = options["name"], options.get("public_key")
    record = next(iter(found), None)
    if options["state"] == "absent":
        if record is None:
            return Track(name, None, [], {"state": "absent"}, {"state": "absent"}, absorb)
        which = [f" ({number} of {len(found)})" if len(found) > 1 else "" for number in range(1, len(found) + 1)]
        stages = [[Step(f"{name}: delete{one}", _DELETE, {"name": name})] for one in which]
        return Track(name, record, stages, {"state": "present", **_known(record)}, {"state": "absent"}, absorb)
    if len(found) > 1:
        raise _several(name, found)
    remove = [Step(f"{name}: delete", _DELETE, {"name": name})]
    if given is None:
        if record is not None:
            same = {"state": "present", **_known(record)}
            return Track(name, record, [], same, dict(same), absorb)
        make = [Step(f"{name}: create", _CREATE, {"name": name})]
        return Track(name, None, [make], {}, {"state": "present"}, absorb)
    wanted = fingerprint(given)
    register = [Step(f"{name}: register", _REGISTER, {"name": name, "publickey": given.strip()})]
    after = {"state": "present", "fingerprint": wanted}
    if record is None:
        return Track(name, None, [register], {}, after, absorb)
    before = {"state": "present", **_known(record)}
    if str(record.get("fingerprint")).lower() == wanted:
        return Track(name, record, [], before, dict(before), absorb)
    if not options["force"]:
        raise UsageError(
            f"public_key: {name} holds another key, of fingerprint {record.get('fingerprint')}, not {wanted}; "
            "set force: true to replace it (machines that were made with the old key keep that), "
            "or give this key another name"
        )
    return Track(name, record, [remove, register], before, after, absorb)


def _known(record: Record) -> Record:
    return {"fingerprint": record.get("fingerprint")}


def absorb(track: Track, step: Step, result: Record) -> None:
    """Take a result into the key pair's track, and the private key, which only its making shows."""
    if step.command == _DELETE:
        if track.after["state"] == "present":  # to be replaced; one that is to go is still shown
            track.object = {}
    elif isinstance(result.get("keypair"), dict):
        track.object = result["keypair"]


def _explain(track: Track, lost: bool) -> None:
    """Say what is lost with a lost answer, and with a replacement that went only half the way.

    A pair that somebody else made meanwhile was refused to this run, and is like one that was there before. Only where
    an answer was lost too can't it be told apart from this run's own.
    """
    made = any(action.endswith(": create") for action in track.actions)
    error = track.error
    if made and error is None and "privatekey" not in track.object and (lost or track.touched):
        track.error = UnknownOutcome(
            f"{_CREATE}: the key pair {track.name} was made, but the answer that held its private key was lost, "
            "and the service does not show that again. Delete it (state: absent) and run the task again",
            _CREATE,
        )
    elif made and isinstance(error, UnknownOutcome):
        error.message += (
            f". If there is a key pair {track.name} now, its private key is lost: "
            "delete it (state: absent) and run the task again"
        )
    elif error and error.command == _REGISTER:
        if track.found:
            error.message += (
                f". The key pair {track.name} that was to be replaced is deleted already: run the task again"
            )
        if error.code == PARAMETER_ERROR:
            error.message += ". Services of CloudStack 3.0 take only keys of the type ssh-rsa"


def show(track: Track, check: bool) -> Record:
    """Return the key pair of the result: as it is now or, in check mode, as far as it can be told before."""
    error: CloudnError | None = track.error
    gone = track.after["state"] == "absent" and error is None
    shown = shape({"name": track.name, **track.object})
    if gone:
        shown["state"] = "absent"
    if error and not track.object.get("fingerprint"):
        shown["state"] = "absent" if not isinstance(error, UnknownOutcome) else "present"
    if check and "fingerprint" in track.after:
        shown["fingerprint"] = track.after["fingerprint"]
    if track.object.get("privatekey"):
        shown["private_key"] = track.object["privatekey"]
    return shown
