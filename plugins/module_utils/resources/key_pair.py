# Copyright: (c) 2026, the cloudn.compute authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""SSH key pairs: listed, created by the service, registered, replaced, deleted."""

from __future__ import annotations

from ..api import Client, Duplicates, Record, UnknownOutcome, UsageError
from ..api.errors import PARAMETER_ERROR
from ..api.flawed import sound
from ..api.paging import objects
from ..reconcile import Found, Plan, Progress, Resource, Step, Task, replace
from .fields import mark
from .lookup import check_text, same_name
from .public_key import fingerprint

_CREATE, _REGISTER, _DELETE = "createSSHKeyPair", "registerSSHKeyPair", "deleteSSHKeyPair"


def to_result(pair: Record) -> Record:
    """Return a key pair as the user sees it. The service shows neither key. A pair has no id of use: no command takes one."""
    return {"name": pair.get("name"), "fingerprint": pair.get("fingerprint"), **mark(pair), "state": "present"}


def search(client: Client, name: str | None = None, fingerprint: str | None = None) -> list[Record]:
    """Return the key pairs to show, or those with this name and this fingerprint. The service compares both, see ``same_name``."""
    return sound(client.list("listSSHKeyPairs", {"name": name, "fingerprint": fingerprint}), client.warn)


def check_options(options: Record) -> None:
    """Raise ``UsageError`` for options that no service can fulfil."""
    if options.get("public_key") is not None:
        try:
            fingerprint(options["public_key"])
        except UsageError:
            # It may be a private key, and Ansible copies the options into every result.
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
    """Raise ``UsageError`` if a pair that machines need would be deleted, or one in vain. The plan needs no lookups."""
    name, options = task.options["name"], task.options
    if task.failed or not _goes(found[name], options):
        return {}
    from . import key_pair_use  # here, as few runs need it: each run compiles what it imports

    if not options["break_machines"]:
        key_pair_use.check_unused(task.client, name)
    if options["state"] == "present" and _is_of_4(found[name][0]):
        key_pair_use.check_free(task.client, name, fingerprint(options["public_key"]))
    return {}


def _is_of_4(pair: Record) -> bool:
    """Tell whether CloudStack 4 has shown a pair. It shows an id; 3 does not. Measured on 3.0.5 and 4.23."""
    return "id" in pair


def _goes(found: list[Record], options: Record) -> bool:
    """Tell whether existing pairs would be deleted or replaced."""
    if options["state"] == "absent" or not found:
        return bool(found)
    given = options.get("public_key")
    if not (given and options["force"]):
        return False
    # On CloudStack 3, pairs with one key have equal records. A list may show one of them, so nobody knows how many there are.
    return _is_of_4(found[0]) if len(found) > 1 else not _has_key(found[0], fingerprint(given))


def _has_key(record: Record, wanted: str) -> bool:
    return str(record.get("fingerprint")).lower() == wanted


def _found(client: Client, name: str) -> list[Record]:
    """Return the key pairs of this name. The service compares it: case, accents and blanks at the end do not count.

    There is at most one, unless two runs made pairs at the same moment. Pairs with one key have equal records, so
    ``Client.list`` would show only one of them: it yields equal records once.
    """
    answer = client.first_page("listSSHKeyPairs", {"name": name})
    return [pair for pair in objects(answer) if same_name(pair.get("name"), name)]


def _several(name: str, found: list[Record]) -> Duplicates:
    """Return the error that several pairs have a name."""
    prints = " and ".join(sorted(str(pair.get("fingerprint")) for pair in found))
    return Duplicates(
        f"name: there are {len(found)} key pairs {name}, of the fingerprints {prints}. Delete all (state: absent), and run one task again",
        found,
    )


def plan(task: Task, name: str, found: list[Record], _lookups: Record) -> Plan:
    """Return the plan for the key pairs of a name.

    Raises ``UsageError`` if the name has another key that may not be replaced, or several pairs that are not to be deleted.
    """
    options = task.options
    if options["state"] == "absent":
        return _plan_absence(name, found)
    if len(found) > 1 and not _goes(found, options):
        raise _several(name, found)
    given = options.get("public_key")
    if len(found) == 1 and (given is None or _has_key(found[0], fingerprint(given))):
        looks = [_look(name)] if task.failed and task.deadline.remaining() else []
        return Plan(name, found[0], [looks], _known(found[0]), _known(found[0]))
    if given is None:
        make = _step(f"{name}: create", _CREATE, {"name": name})
        return Plan(name, None, [[make], [_look(name)]], {}, {"state": "present"})
    return _plan_key(name, found, given, options["force"])


def _plan_key(name: str, found: list[Record], given: str, force: bool) -> Plan:
    """Return the plan that registers a public key, in place of the pairs that are there."""
    record, wanted = next(iter(found), None), fingerprint(given)
    if record is not None and not force:
        raise UsageError(
            f"public_key: {name} holds the key {record.get('fingerprint')}, not {wanted}. Set force: true to replace it, or use another name"
        )
    removals = [[step._replace(yields=_nothing)] for stage in _deletions(name, found) for step in stage]
    register = _step(f"{name}: register", _REGISTER, {"name": name, "publickey": given.strip()})
    after = {"state": "present", "fingerprint": wanted}
    return Plan(name, record, [*removals, [register], [_look(name)]], _known(record) if record else {}, after)


def _nothing(_known: Record, _record: object) -> Record:
    return {}


def _plan_absence(name: str, found: list[Record]) -> Plan:
    if not found:
        return Plan(name, None, [], {"state": "absent"}, {"state": "absent"})
    return Plan(name, found[0], _deletions(name, found), _known(found[0]), {"state": "absent"})


def _deletions(name: str, found: list[Record]) -> list[list[Step]]:
    """Return the stages that delete all pairs of a name. Each command deletes one of them."""
    which = [f" ({number} of {len(found)})" if len(found) > 1 else "" for number in range(1, len(found) + 1)]
    return [[Step(f"{name}: delete{one}", _DELETE, {"name": name})] for one in which]


def _step(text: str, command: str, params: Record) -> Step:
    return Step(text, command, params, returns="keypair", yields=replace, creates=True)


def _look(name: str) -> Step:
    """Return the step that looks whether another run made a pair of the name at the same time. It fails if one did.

    The service first looks whether a name is free and then makes the row. No command deletes a pair by its id, so a run can't
    delete its own pair: of several pairs of a name the service deletes one, on CloudStack 4 by chance. Source: CloudStack's
    code (``SSHKeyPairDaoImpl.findByName``). If the look itself fails, the task only warns: a private key is shown only once.
    """
    from ..reconcile.duplicates import GAP  # here, as few runs need it: each run compiles what it imports

    def is_alone(found: list[Record], progress: Progress) -> Record:
        if len(found) > 1:
            several = _several(name, found)
            if progress.object.pop("privatekey", None):
                fingerprint = progress.object.get("fingerprint")
                several.message += f". The private key of this run belongs to {fingerprint}, and is not shown"
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
    """Add to the error the loss: of the private key in a lost answer, or of the old pair in a half-done replacement.

    If another run made the pair first, the service refused this run, and the pair is like one that was there before. If an
    answer was lost too, nothing shows which run made the pair.
    """
    made = any(action.endswith(": create") for action in progress.actions)
    error = progress.error
    if made and error is None and "privatekey" not in progress.object and (progress.doubts or progress.touched):
        message = f"{_CREATE}: {progress.name} was made, but the answer with its private key was lost. Delete it (state: absent) and run the task again"
        progress.error = UnknownOutcome(message, _CREATE)
    elif made and isinstance(error, UnknownOutcome):
        error.message += f". If there is a key pair {progress.name} now, its private key is lost: delete it (state: absent) and run the task again"
    elif error and error.command == _REGISTER:
        if progress.found:
            error.message += f". The old key pair {progress.name} is deleted already: run the task again"
        if error.code == PARAMETER_ERROR and progress.failed_step:
            error.message += _hint(progress.name, str(progress.failed_step.params["publickey"]))


def conclude(task: Task, progress: Progress, _lookups: Record) -> None:
    """Warn that the private key is not known if the pair was made after the first look, and not by an answer to this run.

    Another run may have made it, or a network may have delivered the request twice. Then the service refuses the second one.
    """
    made = any(action.endswith(": create") for action in progress.actions)
    if made and progress.error is None and "privatekey" not in progress.object:
        text = "another run made it at the same time, or the request was delivered twice. Its private key is not known here: "
        task.client.warn(
            f"{progress.name}: {text}if no other run shows it, delete the pair (state: absent) and run the task again"
        )


def _hint(name: str, public_key: str) -> str:
    """Return what may be the reason for the refusal of a pair, on any service: the type of the key, the key, or the name."""
    is_rsa = public_key.startswith("ssh-rsa ")
    kinds = "" if is_rsa else ". Services of CloudStack 3.0 take only keys of the type ssh-rsa"
    look = (
        f"cloudn_key_pair_info with fingerprint {fingerprint(public_key)} shows whether a pair of another name holds it"
    )
    return f"{kinds}. Services of CloudStack 4 take a key only once: {look}. If the name {name!r} is the reason, another run has just taken it"


def result_of(progress: Progress, check: bool) -> Record:
    """Return the key pair of the result: the current one, in check mode the expected one."""
    shown = to_result({"name": progress.name, **progress.object})
    if progress.error is None:
        shown["state"] = progress.plan.after["state"]
    elif not (shown["fingerprint"] or isinstance(progress.error, UnknownOutcome)):
        shown["state"] = "absent"
    if check and "fingerprint" in progress.plan.after:
        shown["fingerprint"] = progress.plan.after["fingerprint"]
    if progress.object.get("privatekey"):
        shown["private_key"] = progress.object["privatekey"]
    return shown


RESOURCE = Resource(check_options, find, lookup, plan, result_of, describe, conclude=conclude)
