# Copyright: (c) 2026, the cloudn.compute authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Texts from outside reach a terminal with escapes for what it would obey. Results have the exact values."""

from __future__ import annotations

import re
import subprocess
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from rewriting import Rewriter
from samples import NEW, UNKNOWN, tags_of

Result = dict[str, Any]
Run = Callable[..., Result]
# Clear the screen, in 7 and in 8 bits; ring; go back; show the rest from right to left; end the line.
HOSTILE = "a\x1b[2J\x9b2J\x07\b\x7f\u202etxt\u2066.exe\u2028z"
SHOWN = r"a\x1b[2J\x9b2J\x07\x08\x7f\u202etxt\u2066.exe\u2028z"
OBEYED = re.compile("[\x00-\x09\x0b-\x1f\x7f-\x9f\u2028-\u202e\u2066-\u2069]")


def texts(value: Any) -> Iterator[str]:
    """Yield all texts in a value, keys too."""
    if isinstance(value, dict):
        for name, item in value.items():
            yield name
            yield from texts(item)
    elif isinstance(value, list):
        for item in value:
            yield from texts(item)
    elif isinstance(value, str):
        yield value


def assert_readable(result: Result) -> None:
    """Assert that no text for people has a character that a terminal obeys."""
    shown = [result.get(name) for name in ("msg", "diff", "actions", "warnings")]
    errors = [item.get("error") for kind in ("vms", "volumes") for item in result.get(kind, [])]
    for text in texts([shown, errors]):
        assert not OBEYED.search(text) and "\n" not in text, ascii(text)


@pytest.fixture
def vm(vm_id: str, emulator: Any) -> Any:
    """A machine with a hostile display name, as the emulator has it."""
    made = emulator.store.vms[vm_id]
    made.displayname = HOSTILE
    return made


@pytest.mark.parametrize("response_format", ["json", "xml"])
def test_results_are_exact(run_module: Run, vm: Any, response_format: str) -> None:
    """XML cannot have control characters of ASCII, so the service leaves them out."""
    exact = HOSTILE if response_format == "json" else re.sub("[\x00-\x1f]", "", HOSTILE)
    result = run_module("cloudn_vm_info", name="web1", response_format=response_format)
    assert result["vms"][0]["display_name"] == exact
    done = run_module("cloudn_vm", name="web1", response_format=response_format)
    assert done["vm"]["display_name"] == exact


def test_a_diff_has_escapes(run_module: Run, client: Any, vm: Any) -> None:
    run_module("cloudn_vm", name="web1", tags={"\u202ek": "\x9bv"})
    tags = {"\u202en": "\x9bw"}
    done = run_module("cloudn_vm", name="web1", display_name="Web", tags=tags, _diff=True)
    assert done["changed"], done
    assert_readable(done)
    assert done["diff"]["before"]["web1"]["display_name"] == SHOWN
    assert done["diff"]["before"]["web1"]["tags"] == {r"\u202ek": r"\x9bv"}
    assert done["diff"]["after"]["web1"]["tags"] == {r"\u202en": r"\x9bw"}
    assert done["vm"]["tags"] == tags
    assert tags_of(client.list("listVirtualMachines")[0]) == tags


@pytest.mark.parametrize("check", [False, True])
def test_an_error_has_escapes(run_module: Run, vm_id: str, check: bool) -> None:
    done = run_module("cloudn_volume", name="x", state="attached", vm=HOSTILE, disk_offering="Small", _check=check)
    assert done["failed"]
    assert_readable(done)
    assert r"\x1b[2J" in done["msg"] and r"\u202e" in done["msg"]


def test_an_error_of_the_options_has_escapes(run_module: Run) -> None:
    done = run_module("cloudn_vm", name="web1", state=HOSTILE)
    assert done["failed"] and r"\u202e" in done["msg"]
    assert_readable(done)


def test_a_warning_has_escapes(run_module: Run, vm_id: str, emulator: Any) -> None:
    template = emulator.store.templates[emulator.store.vms[vm_id].template_id]
    other = next(one for one in emulator.store.templates.values() if one is not template and not one.is_iso)
    template.name = HOSTILE
    done = run_module("cloudn_vm", name="web1", template=other.name, on_immutable_drift="warn")
    assert any(r"\x1b[2J" in text and r"\u202e" in text for text in done["warnings"]), done
    assert_readable(done)


# What HOSTILE is in the JSON of the service, which does not escape all of it.
WRITTEN = HOSTILE.replace("\x1b", "\\u001b").replace("\x07", "\\u0007").replace("\b", "\\b").encode()


def with_hostile_errors(_command: str, _status: int, body: bytes) -> bytes:
    """Replace the texts of errors in an answer."""
    return re.sub(rb'"errortext" ?: ?"[^"]*"', lambda _match: b'"errortext":"' + WRITTEN + b'"', body)


def test_the_service_s_words_have_escapes_in_messages(run_rewritten: Run, rewriter: Rewriter) -> None:
    """The words themselves are exact among the results."""
    rewriter.change = with_hostile_errors
    done = run_rewritten("cloudn_api", command="destroyVirtualMachine", params={"id": UNKNOWN})
    assert done["failed"] and SHOWN in done["msg"], done
    assert done["error_text"] == HOSTILE
    assert_readable(done)


def test_each_failed_object_s_error_has_escapes(
    run_module: Run, run_rewritten: Run, rewriter: Rewriter, emulator: Any
) -> None:
    run_module("cloudn_vm", name=["web1", "web2"], **NEW)
    emulator.faults([{"kind": "job_fails", "command": "stopVirtualMachine"}])
    rewriter.change = with_hostile_errors
    done = run_rewritten("cloudn_vm", name=["web1", "web2"], state="stopped")
    assert done["failed"] and SHOWN in done["msg"], done
    assert all(SHOWN in item["error"] for item in done["vms"])
    assert_readable(done)


def test_a_secret_with_such_characters_is_hidden_all_the_same(run_module: Run) -> None:
    secret = "s3cr\x1bet\u202evalue"
    done = run_module("cloudn_volume", name="x", state="attached", vm=secret, disk_offering="Small", api_secret=secret)
    assert done["failed"]
    assert not any("value" in text or "s3cr" in text for text in texts(done)), done


def test_nothing_that_a_terminal_obeys_is_on_screen(
    playbook: Callable[..., subprocess.CompletedProcess[str]], vm: Any, emulator: Any
) -> None:
    source = """
- hosts: localhost
  gather_facts: false
  tasks:
    - cloudn.compute.cloudn_vm: {name: web1, display_name: Web, tags: {"\\u202ek": "\\x9bv"}}
    - cloudn.compute.cloudn_volume: {name: x, state: attached, vm: "\\x9b\\x1b\\u202ew", disk_offering: Small}
      failed_when: false
"""
    done = playbook(source, "--diff")
    assert done.returncode == 0, done.stdout
    assert SHOWN.replace("\\", "\\\\") in done.stdout or SHOWN in done.stdout
    assert not OBEYED.search(done.stdout + done.stderr), ascii(done.stdout + done.stderr)
