# Copyright: (c) 2026, the cloudn.compute authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Warnings, errors, names of hosts and of groups have nothing that a terminal obeys. Variables have the exact values."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import pytest
from reaching import connection_to
from rewriting import Rewriter
from samples import NEW

Read = Callable[..., Any]
HOSTILE = "a\x1b[2J\x9b2J\x07\x7f\u202etxt\u2066.exe\u2028z"
SHOWN = r"a\x1b[2J\x9b2J\x07\x7f\u202etxt\u2066.exe\u2028z"
OBEYED = re.compile("[\x00-\x1f\x7f-\x9f\u2028-\u202e\u2066-\u2069]")


@pytest.fixture
def vm(run_module: Callable[..., Any], emulator: Any) -> Any:
    """A machine with hostile values everywhere, as the emulator has it."""
    run_module("cloudn_vm", name="web1", tags={"role": "web", "\u202ekey": "\x9bvalue"}, group="front", **NEW)
    made = next(iter(emulator.store.vms.values()))
    made.displayname = HOSTILE
    emulator.store.templates[made.template_id].name = HOSTILE
    return made


def assert_readable(inventory: Any) -> None:
    for text in (*inventory.hosts, *inventory.groups, inventory.said):
        assert not OBEYED.search(text), ascii(text)


@pytest.mark.parametrize("connect_with", ["default_ip", "display_name"])
def test_names_and_warnings_are_readable(read: Read, vm: Any, connect_with: str) -> None:
    inventory = read(
        hostnames=["display_name", "tag:\u202ekey", "name"],
        connect_with=connect_with,
        keyed_groups=[{"key": "cloudn_display_name"}, {"key": "cloudn_tags"}, {"key": "cloudn_display_name ~ 'x'"}],
    )
    assert inventory.code == 0, inventory.said
    assert_readable(inventory)
    assert SHOWN in inventory.said
    assert inventory.hosts["web1"]["cloudn_display_name"] == HOSTILE
    assert inventory.hosts["web1"]["cloudn_tags"] == {"role": "web", "\u202ekey": "\x9bvalue"}
    assert len([name for name in inventory.groups if name.startswith("template_a__2J")]) == 1


@pytest.mark.parametrize(
    "text", ["\x1b", "\x9b", "\x7f", "\n", "\u202e", "\u2066", "\u2028", "\u200e", "\ufeff"], ids=ascii
)
def test_no_host_has_such_a_name(read: Read, vm: Any, text: str) -> None:
    vm.displayname = f"web{text}2"
    inventory = read(hostnames=["display_name"])
    assert list(inventory.hosts) == [vm.id]
    assert "can't be the name of a host" in inventory.said
    assert_readable(inventory)


# An expression whose error quotes a value of the machine.
QUOTING = "undef(hint=cloudn_display_name)"


@pytest.mark.parametrize(
    "options",
    [{"compose": {"x": QUOTING}}, {"groups": {"x": QUOTING}}, {"keyed_groups": [{"key": QUOTING}]}],
    ids=str,
)
def test_ansible_s_own_errors_are_readable(read: Read, vm: Any, options: dict[str, Any]) -> None:
    inventory = read(strict=True, hostnames=["name"], **options)
    assert inventory.code == 1 and r"\x1b[2J" in inventory.said, inventory.said
    assert_readable(inventory)


@pytest.mark.parametrize("options", [{"zones": [HOSTILE]}, {"filters": {HOSTILE: "x"}}, {HOSTILE: "x"}], ids=ascii)
def test_errors_of_options_are_readable(read: Read, options: dict[str, Any]) -> None:
    inventory = read(**options)
    assert inventory.code == 1 and r"\x1b[2J" in inventory.said, inventory.said
    assert_readable(inventory)


def test_the_service_s_words_are_readable(read: Read, rewriter: Rewriter, emulator: Any) -> None:
    words = HOSTILE.replace("\x1b", r"\u001b").replace("\x07", r"\u0007").encode()
    rewriter.change = lambda _command, _status, body: re.sub(
        rb'"errortext" ?: ?"[^"]*"', lambda _match: b'"errortext":"' + words + b'"', body
    )
    inventory = read(**{**connection_to(rewriter), "api_secret": "wrong-secret"})
    assert inventory.code == 1 and SHOWN in inventory.said, inventory.said
    assert_readable(inventory)


@pytest.mark.parametrize("strict", [False, True])
def test_the_real_command_writes_nothing_that_a_terminal_obeys(command: Read, vm: Any, strict: bool) -> None:
    inventory = command(hostnames=["display_name"], compose={"x": QUOTING}, strict=strict)
    assert (inventory.code != 0) is strict, inventory.said
    assert r"\x1b[2J" in inventory.said
    assert_readable(inventory)
