# Copyright: (c) 2026, the cloudn.compute authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Every hint beside the error that it belongs to, on both generations: whole sentences that fit the error."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import pytest
from ansible_collections.cloudn.compute.plugins.module_utils import advice, limits
from ansible_collections.cloudn.compute.plugins.module_utils.advice import advise_all
from ansible_collections.cloudn.compute.plugins.module_utils.api import (
    ApiError,
    CloudnError,
    Ec2Error,
    JobFailed,
    JobTimeout,
    Missing,
    NotGranted,
    NotSent,
    UnknownOutcome,
)
from ansible_collections.cloudn.compute.plugins.module_utils.api.errors import Throttled, joined
from ansible_collections.cloudn.compute.plugins.module_utils.api.jobs import OR_AGAIN
from samples import NEW, UNKNOWN

Result = dict[str, Any]
Run = Callable[..., Result]

NOT_DONE = ". It was not done; correct the cause, and run the task again"
IN_ERROR = (
    ". It failed. The VM is in state Error, so to run the task again would fail. Destroy it (state: absent). Its name "
    "stays taken until the service has expunged it, by default for a day: use another name until then"
)
FAILED = ". It failed; correct the cause, and run the task again"
KEYS = "; check api_key and api_secret: the service does not know the key, or the secret does not belong to it"
KEYS_AND_CLOCK = (
    "; check api_key and api_secret, and this machine's clock: the service does not know the key, or the secret does not "
    "belong to it, or the clocks differ"
)
LIFE = ", but some services take only signatures that live 1 to 900 s: leave it out, or set it to such a number"
NOT_GRANTED = ". The service does not know {}, or does not grant it to this account: "
CHECK = "check the name, or ask the operator of the service to grant it"
NO_EC2 = "; is ec2_url right? CloudStack 4 has no such API"
NO_EC2 += ". That command only reads; run the task again when the service answers well"
HELD = (
    ". A destroyed VM that is not listed may hold '{}' until the service has expunged it. So may a VM of another "
    "account, or a new one that the list did not show yet. If the name is the reason, use another one, or wait"
)
EXTRACTABLE = (
    "A template is extractable if it was made from a url with extractable: true, or from a root disk whose template is. "
    "Any disk can be downloaded: take a snapshot, create a volume from it, and extract that volume (cloudn_volume with state: extracted)"
)
NEWER = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIGx1bW1sdW1tbHVtbWx1bW1sdW1tbHVtbWx1bW1sdW1t"


def hint_of(message: str) -> str:
    """Return what follows the service's words and the code of its error."""
    found = re.search(
        r"(\((?:error|HTTP) [\w.]+\)(?:, and accepts them for other commands)?|not one of this API)(.*)",
        message,
        re.DOTALL,
    )
    assert found, message
    return found[2]


def is_whole(text: str) -> bool:
    """Tell whether a text is made of sentences: no mark follows another, brackets are closed, each begins and goes on."""
    sentences = re.split(r"(?<=[.?]) (?=[A-Z])", text.removeprefix(". "))
    return (
        not re.search(r"[.?!;:,]\s*[.?!;:,]|  | [.,;:?]|\(\)", text)
        and text.count("(") == text.count(")")
        and not text.endswith((" ", ".", ",", ":", ";"))
        and all(len(sentence.split()) >= 2 for sentence in sentences)
    )


# What is wrong, by options alone: a module, its options, and the hint on CloudStack 3 and on 4.
OPTIONS: dict[str, tuple[str, Result, str, str]] = {
    "wrong secret": ("cloudn_zone_info", {"api_secret": "wrong"}, KEYS, KEYS_AND_CLOCK),
    "wrong key": ("cloudn_zone_info", {"api_key": "wrong"}, KEYS, KEYS_AND_CLOCK),
    "wrong secret of a change": ("cloudn_security_group", {"name": "x", "api_secret": "wrong"}, KEYS, KEYS_AND_CLOCK),
    "wrong secret, and a signature without an end": (
        "cloudn_zone_info", {"api_secret": "wrong", "signature_expires": 0},
        f"{KEYS}. signature_expires is 0{LIFE}", f"{KEYS_AND_CLOCK}. signature_expires is 0{LIFE}",
    ),
    "wrong secret, and a long signature": (
        "cloudn_zone_info", {"api_secret": "wrong", "signature_expires": 901},
        f"{KEYS}. signature_expires is 901{LIFE}", f"{KEYS_AND_CLOCK}. signature_expires is 901{LIFE}",
    ),
    "wrong secret for EC2": ("cloudn_ec2", {"action": "DescribeInstances", "api_secret": "wrong"}, KEYS, NO_EC2),
    "wrong key for EC2": (
        "cloudn_ec2", {"action": "DescribeInstances", "api_key": "wrong"},
        "; the service does not know the api_key, or ec2_url is not the address of its EC2-compatible API", NO_EC2,
    ),
    "wrong version of EC2": (
        "cloudn_ec2", {"action": "DescribeInstances", "ec2_version": "2009-01-01"},
        "; check ec2_version, and this machine's clock", NO_EC2,
    ),
    "a command that is like another": (
        "cloudn_api", {"command": "listZonez"}, *[f". Is listZones meant?{NOT_GRANTED.format('listZonez')[1:]}{CHECK}"] * 2,
    ),
    "a command that is like no other": ("cloudn_api", {"command": "xyzzy"}, *[NOT_GRANTED.format("xyzzy") + CHECK] * 2),
    "a command with a wrong value": (
        "cloudn_api", {"command": "stopVirtualMachine", "params": {"id": UNKNOWN}}, NOT_DONE, NOT_DONE,
    ),
    "a list with a wrong value": ("cloudn_api", {"command": "listVolumes", "params": {"id": UNKNOWN}}, "", ""),
    "a command that is not granted": (
        "cloudn_api", {"command": "addHost"}, *[NOT_GRANTED.format("addHost") + CHECK] * 2,
    ),
}  # fmt: skip


@pytest.mark.parametrize("case", OPTIONS)
def test_hints_by_options(run_module: Run, generation: str, case: str) -> None:
    module, options, *expected = OPTIONS[case]
    failed = run_module(module, **options)
    hint = hint_of(failed["msg"])
    assert hint == expected[generation == "4"]
    assert is_whole(hint.removeprefix("; ")) or not hint


# What is wrong with what is there: functions that bring it about and return the failed result.


def a_destroyed_machine_holds_the_name(run: Run, _emulator: Any) -> Result:
    run("cloudn_vm", name="web1", **NEW)
    run("cloudn_vm", name="web1", state="absent")
    return run("cloudn_vm", name="web1", **NEW)


def a_machine_that_is_not_listed_yet_holds_the_name(run: Run, emulator: Any) -> Result:
    run("cloudn_vm", name="web1", **NEW)
    emulator.faults([{"kind": "lag", "seconds": 1000, "command": "listVirtualMachines"}])
    return run("cloudn_vm", name="web1", **NEW)


def a_key_of_another_type(run: Run, _emulator: Any) -> Result:
    run("cloudn_key_pair", name="first", public_key=NEWER)  # CloudStack 4 takes it
    return run("cloudn_key_pair", name="second", public_key=NEWER)


def a_root_disk_is_not_extractable(run: Run, emulator: Any) -> Result:
    emulator.store.templates[emulator.vars["template"]].owner = "system"
    run("cloudn_vm", name="db1", **NEW)
    run("cloudn_vm", name="db1", state="stopped")
    (root,) = run("cloudn_volume_info", vm="db1")["volumes"]
    emulator.store.templates[emulator.vars["template"]].extractable = False
    emulator.store.account.denied = frozenset(["listAccounts"])
    return run("cloudn_volume", id=root["id"], state="extracted")


def _own_template(run: Run, emulator: Any) -> None:
    options = {"url": "https://images.example.com/a.qcow2", "format": "QCOW2", "hypervisor": "Simulator"}
    made = run("cloudn_template", name="web", os_type="CentOS 5.6 (64-bit)", zone="jp-e1a", **options)
    assert not made.get("failed"), made
    emulator.store.account.denied = frozenset(["listAccounts"])
    next(one for one in emulator.store.templates.values() if one.name == "web").extractable = False


def a_template_is_not_extractable(run: Run, emulator: Any) -> Result:
    _own_template(run, emulator)
    return run("cloudn_template", name="web", state="extracted")


def extractable_is_for_administrators(run: Run, emulator: Any) -> Result:
    _own_template(run, emulator)
    return run("cloudn_template", name="web", extractable=True)


def a_template_of_a_detached_disk(run: Run, _emulator: Any) -> Result:
    run("cloudn_vm", name="web1", **NEW)
    run("cloudn_volume", name="data", state="attached", vm="web1", disk_offering="Small")
    run("cloudn_volume", name="data", state="detached")
    return run("cloudn_template", name="web", volume="data", os_type="CentOS 5.6 (64-bit)")


def too_many_snapshots_are_kept(run: Run, _emulator: Any) -> Result:
    run("cloudn_vm", name="web1", **NEW)
    (root,) = run("cloudn_volume_info", vm="web1")["volumes"]
    return run("cloudn_snapshot_policy", volume=root["id"], interval="daily", time="00:00", keep=99)


def a_size_that_is_too_large(run: Run, _emulator: Any) -> Result:
    run("cloudn_volume", name="data", zone="jp-e1a", disk_offering="Small")
    return run("cloudn_volume", name="data", size_gb=99999)


def a_machine_must_not_be_expunged(run: Run, _emulator: Any) -> Result:
    run("cloudn_vm", name="web1", **NEW)
    return run("cloudn_vm", name="web1", state="absent", expunge=True)


def a_password_of_a_machine_that_never_started(run: Run, emulator: Any) -> Result:
    run("cloudn_vm", name="web1", state="stopped", **NEW)
    (machine,) = emulator.store.vms.values()
    machine.root_device = "ROOT"
    return run("cloudn_vm_password", name="web1", allow_restart=True)


def the_only_machine_that_is_allowed_exists(run: Run, emulator: Any) -> Result:
    emulator.store.account.denied = frozenset(["listAccounts", "listResourceLimits"])
    emulator.faults([{"kind": "job_fails", "command": "deployVirtualMachine"}])
    return run("cloudn_vm", name="web1", **NEW)


PAIRS = (
    ". Services of CloudStack 4 take a key only once: cloudn_key_pair_info with fingerprint {} shows whether a pair of another "
    "name holds it. If the name 'second' is the reason, another run has just taken it"
)
ED25519 = ". Services of CloudStack 3.0 take only keys of the type ssh-rsa" + PAIRS.format(
    "10:0c:9c:15:d1:2c:52:e0:f3:7a:f7:79:87:1d:21:58"
)
# The hint of each, on CloudStack 3 and on 4. ``None``: there is no such error.
STATES: list[tuple[Callable[[Run, Any], Result], str | None, str | None]] = [
    (a_destroyed_machine_holds_the_name, HELD.format("web1") + NOT_DONE, HELD.format("web1") + NOT_DONE),
    (a_machine_that_is_not_listed_yet_holds_the_name, HELD.format("web1") + NOT_DONE, HELD.format("web1") + NOT_DONE),
    (a_key_of_another_type, ED25519 + NOT_DONE, ED25519 + NOT_DONE),
    (
        a_root_disk_is_not_extractable,
        *[
            ". If only an administrator can extract it, take a snapshot of it (cloudn_snapshot), and extract a volume that is created from "
            "it (cloudn_volume with snapshot)" + FAILED
        ]
        * 2,
    ),
    (
        a_template_is_not_extractable,
        f". The template is not extractable. {EXTRACTABLE}{FAILED}",
        f". The template is not extractable. Set extractable: true with state: present, then extract it{FAILED}",
    ),
    (
        extractable_is_for_administrators,
        f". If only an administrator can change extractable, leave it out. {EXTRACTABLE}{NOT_DONE}",
        None,
    ),
    (
        a_template_of_a_detached_disk,
        ". CloudStack 3 makes no template of a detached data disk. Take a snapshot of data (cloudn_snapshot) and use snapshot"
        + FAILED,
        None,
    ),
    (
        too_many_snapshots_are_kept,
        *[
            ". The service limits keep for each interval, by default to 8, and to the snapshots that the account may have. If "
            "keep is the reason, give a smaller one" + NOT_DONE
        ]
        * 2,
    ),
    (a_size_that_is_too_large, None, ". The volume keeps its size. Give another size_gb, or leave it out" + FAILED),
    (
        a_machine_must_not_be_expunged,
        None,
        ". If the account may not expunge VMs, this one is as it was: leave expunge out, or ask the operator for the setting "
        "allow.user.expunge.recover.vm" + FAILED,
    ),
    (
        a_password_of_a_machine_that_never_started,
        ". If web1 has never been started, start it first (cloudn_vm with state: started)" + FAILED,
        None,
    ),
    (the_only_machine_that_is_allowed_exists, IN_ERROR, IN_ERROR),
]


@pytest.mark.parametrize(("provoke", "on_3", "on_4"), STATES, ids=lambda value: getattr(value, "__name__", ""))
def test_hints_by_state(
    run_module: Run, emulator: Any, generation: str, provoke: Any, on_3: str | None, on_4: str | None
) -> None:
    expected = on_4 if generation == "4" else on_3
    failed = provoke(run_module, emulator)
    if expected is None:
        assert not failed.get("failed") or "(error " not in failed["msg"], failed["msg"]
        return
    assert hint_of(failed["msg"]) == expected
    assert is_whole(expected)


# Errors of the network and of jobs, which look the same on both generations.
ERRORS: list[tuple[CloudnError, bool, str]] = [
    (Missing("zone: there is no x"), True, ""),
    (NotSent("m", "listZones"), True, ". It was not done; run the task again when the service can be reached"),
    (NotSent("m", "listZones", transient=False), True, ""),
    (Throttled("m", "listZones"), True, ". It was not done; run the task again later, or with more api_retries"),
    (UnknownOutcome("m", "listZones"), True, ". That command only reads; run the task again when the service answers well"),
    (
        UnknownOutcome("m", "deployVirtualMachine"), True,
        ". It is not known whether it was done: run the task again, it looks first and does only what is missing",
    ),
    (
        UnknownOutcome("m", "deployVirtualMachine"), False,
        ". It is not known whether it was done: look before you run the task again, which would do it once more",
    ),
    (
        UnknownOutcome("m", "rebootVirtualMachine"), True,
        ". It is not known whether it was done: look before you run the task again, which would do it once more",
    ),
    (
        UnknownOutcome("m", "RunInstances"), False,
        ". It is not known whether it was done: look by DescribeInstances before you run the task again, which would do it once more",
    ),
    (
        UnknownOutcome("m", "ModifyImageAttribute"), False,
        ". It is not known whether it was done: run the task again, which sets the same once more",
    ),
    (ApiError("m", "listVirtualMachines", 530, 530), True, f". On CloudStack 3 this error comes from a VM in the list: {advice.LOST_KEY_PAIR}"),
    (ApiError("m", "listVolumes", 530, 530), True, ""),
    (ApiError("m", "createSecurityGroup", 431, 431), True, NOT_DONE),
    (ApiError("m", "createSecurityGroup", 530, 530), True, FAILED),
    (ApiError("m", "createSecurityGroup", 401, 401), True, ""),
    (JobFailed("m", "deployVirtualMachine", code=533), True, FAILED),
    (Ec2Error("m", "RunInstances", 500, "Server.InternalError", "no"), False, ". It was not done; correct the cause, and run the task again"),
    (
        Ec2Error("m", "RunInstances", 500, "Server.InternalError", "530 no"), False,
        ". It failed; correct the cause, and look by DescribeInstances before you run the task again",
    ),
    (
        Ec2Error("m", "ModifyInstanceAttribute", 500, "Server.InternalError", "530 no"), False,
        ". It failed; correct the cause, and run the task again, which sets the same once more",
    ),
    (Ec2Error("m", "DescribeInstances", 500, "Server.InternalError", "530 no"), False, ""),
]  # fmt: skip


@pytest.mark.parametrize(
    ("error", "looks", "expected"),
    ERRORS,
    ids=[f"{type(e).__name__}-{e.command}-{e.code}-{looks}" for e, looks, _hint in ERRORS],
)
def test_hints_of_errors(error: CloudnError, looks: bool, expected: str) -> None:
    message = error.message
    advise_all([error], looks)
    try:
        assert error.message == message + expected
        assert is_whole(expected) or not expected
    finally:
        error.message = message


@pytest.mark.parametrize("command", advice._INSTEAD)
def test_hints_of_lacking_commands(command: str) -> None:
    """A module says how to do without. Who sends the command by its name has no option to leave out."""
    by_module, by_name = (NotGranted(f"{command}: no (error 432)", command, 432, 432) for _time in range(2))
    advise_all([by_module], looks=True)
    advise_all([by_name], looks=False)
    assert hint_of(by_module.message) == NOT_GRANTED.format(command) + advice._INSTEAD[command]
    assert hint_of(by_name.message) == NOT_GRANTED.format(command) + CHECK
    assert is_whole(hint_of(by_module.message)) and is_whole(hint_of(by_name.message))


def test_a_missing_object_in_check_mode() -> None:
    error = Missing("zone: there is no x")
    advise_all([error], check=True)
    assert error.message.endswith(
        "x. Check mode makes nothing. If an earlier task of this play makes it, this is no mistake: run the play without --check"
    )


@pytest.mark.parametrize("command", [*advice._REPEATED, "deployVirtualMachine"])
def test_a_job_that_would_be_done_twice_is_not_to_be_run_again(command: str) -> None:
    error = JobTimeout(f"wait for it with cloudn_job{OR_AGAIN}", command)
    advise_all([error])
    assert ("run the task again, which goes on from there" in error.message) is (command == "deployVirtualMachine")
    assert error.message.endswith(". Running the task again would do it once more") is (
        command != "deployVirtualMachine"
    )


@pytest.mark.parametrize("command", limits._MADE)
@pytest.mark.parametrize("used", [None, 1, 7])
@pytest.mark.parametrize("asked", [1, 3])
def test_hints_of_limits(command: str, used: int | None, asked: int) -> None:
    amounts = {kind: limits._Amount(1, used) for kind in limits._MADE[command]}
    text = limits._cause(command, asked, amounts)
    assert text.startswith("the account's limit is 1 ")
    assert text.endswith("or ask the operator of the service for a higher limit, and run the task again")
    assert is_whole(text)


def test_no_mark_follows_another() -> None:
    assert joined("Is x meant?", ". Yes") == "Is x meant? Yes"
    assert joined("It is x.", ". Yes") == "It is x. Yes"
    assert joined("It is x", ". Yes") == "It is x. Yes"
    assert joined("It is x", "; yes") == "It is x; yes"
