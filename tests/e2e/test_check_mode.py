# Copyright: (c) 2026, the cloudn.compute authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The example in check mode on an empty account: later tasks know what earlier ones would make, unless modules are sent."""

from __future__ import annotations

import json
import pathlib
import re
from collections.abc import Callable
from typing import Any

import pytest
from ansible_collections.cloudn.compute.plugins.module_utils.api import is_read

EXAMPLES = pathlib.Path(__file__).parents[2] / "examples"
NO_MISTAKE = "If an earlier task of this play makes it, this is no mistake: run the play without --check"


def failures(said: str) -> list[str]:
    """Return the messages of the tasks that failed, in order. The run prints its results as JSON."""
    results = re.finditer(r"^(?:fatal|failed): .* => (?=\{)", said, re.MULTILINE)
    return [json.JSONDecoder().raw_decode(said, result.end())[0]["msg"] for result in results]


@pytest.mark.parametrize(
    "books",
    [("site.yml",), ("teardown.yml",), ("site.yml", "image.yml", "nightly.yml", "teardown.yml")],
    ids=" ".join,
)
def test_check_mode_on_an_empty_account_goes_through_to_the_end(
    playbook: Callable[..., Any], emulator: Any, books: tuple[str, ...]
) -> None:
    first, *others = [EXAMPLES / book for book in books]
    done = playbook(first, *map(str, others), "--check", "--diff")
    assert done.returncode == 0, done.stdout + done.stderr
    assert all(is_read(request["command"]) for request in emulator.requests)


@pytest.mark.parametrize(
    ("book", "sent", "missing"),
    [
        # No earlier task of this run makes the machine.
        ("image.yml", False, ["VM 'example-web1'"]),
        ("image.yml", True, ["VM 'example-web1'"]),
        # A module that is sent does not know what earlier tasks would do.
        ("site.yml", True, ["security group 'example-loadbalancer'", "security group 'example-web'"]),
    ],
)
def test_errors_about_what_is_missing_say_that_earlier_tasks_may_make_it(
    playbook: Callable[..., Any], emulator: Any, book: str, sent: bool, missing: list[str]
) -> None:
    environment = {"ANSIBLE_CALLBACK_RESULT_FORMAT": "json", "CLOUDN_IN_PROCESS": str(not sent).lower()}
    done = playbook(EXAMPLES / book, "--check", environment=environment)
    said = failures(done.stdout)
    assert len(said) == len(missing), done.stdout
    assert done.returncode != 0
    for message, what in zip(said, missing, strict=True):
        assert f"there is no {what}" in message
        assert message.endswith(f"Check mode makes nothing. {NO_MISTAKE}")
    assert (done.stdout + done.stderr).count("runs in check mode outside Ansible's own process") == sent
    assert all(is_read(request["command"]) for request in emulator.requests)


def test_without_check_mode_the_error_does_not_mention_it(playbook: Callable[..., Any]) -> None:
    done = playbook(EXAMPLES / "image.yml")
    assert "there is no VM" in done.stdout + done.stderr
    assert "check mode" not in done.stdout + done.stderr
