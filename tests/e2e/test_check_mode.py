# Copyright: (c) 2026, the cloudn.compute authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The example in check mode on an empty account: errors say that an earlier task may make the missing object."""

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
    ("book", "missing"),
    [
        ("site.yml", ["security group 'example-loadbalancer'", "security group 'example-web'"]),
        ("image.yml", ["virtual machine 'example-web1'"]),
        ("teardown.yml", []),
    ],
)
def test_check_mode_on_an_empty_account_says_that_earlier_tasks_may_make_what_is_missing(
    playbook: Callable[..., Any], emulator: Any, book: str, missing: list[str]
) -> None:
    done = playbook(EXAMPLES / book, "--check", environment={"ANSIBLE_CALLBACK_RESULT_FORMAT": "json"})
    said = failures(done.stdout)
    assert len(said) == len(missing), done.stdout
    assert (done.returncode == 0) is (missing == [])
    for message, what in zip(said, missing, strict=True):
        assert f"there is no {what}" in message
        assert message.endswith(f"Check mode makes nothing. {NO_MISTAKE}")
    assert all(is_read(request["command"]) for request in emulator.requests)


def test_without_check_mode_the_error_does_not_mention_it(playbook: Callable[..., Any]) -> None:
    done = playbook(EXAMPLES / "image.yml")
    assert "there is no virtual machine" in done.stdout + done.stderr
    assert "check mode" not in done.stdout + done.stderr
