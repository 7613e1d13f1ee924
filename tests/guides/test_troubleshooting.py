# Copyright: (c) 2026, the cloudn.compute authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Each message of docs/troubleshooting.md is what the code says: a task or a command provokes it."""

from __future__ import annotations

import pathlib
import re
from collections.abc import Callable
from typing import Any

import mishaps
import pytest
from certificates import Authority
from servers import serving
from walking import ROOT, Walk, plain

GUIDE = (ROOT / "docs" / "troubleshooting.md").read_text()
# The message of each section, by its title.
MESSAGES = dict(re.findall(r"(?ms)^### ([^\n]+)\n\n```text\n(.*?)```", GUIDE))
CERTIFICATE = "The certificate could not be verified"
# Objects in the order of their ids, which is another one in each run.
OBJECTS = re.compile(r"<id> \([^)]*\)(?:; <id> \([^)]*\))+")
pytestmark = pytest.mark.generation("3", reason="the words of the collection are the same on both")


def same(shown: str, said: str) -> bool:
    """Tell whether two messages have the same words, apart from what differs from run to run."""
    return ordered(shown) == ordered(said)


def ordered(text: str) -> str:
    """Return a message without what differs from run to run, its objects in the order of the alphabet."""
    return OBJECTS.sub(lambda found: "; ".join(sorted(found[0].split("; "))), "\n".join(plain(text)))


def test_every_message_of_the_guide_is_provoked() -> None:
    titles = re.findall(r"(?m)^### (.+)$", GUIDE)
    assert len(titles) == len(set(titles))
    assert set(titles) == set(MESSAGES) == {*mishaps.MISHAPS, *mishaps.COMMANDS, CERTIFICATE}


@pytest.mark.parametrize("title", mishaps.MISHAPS)
def test_a_task_says_it(
    title: str, run_module_as: Callable[..., Any], tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "cloudstack.ini").write_text(
        f"[east]\nendpoint = {mishaps.CLOSED}\nkey = the-key\nsecret = the-secret\n"
    )
    (tmp_path / "cloudstack.ini").chmod(0o644)
    said = mishaps.message(mishaps.MISHAPS[title], run_module_as)
    assert same(MESSAGES[title], said), said


@pytest.mark.parametrize("title", mishaps.COMMANDS)
def test_a_command_says_it(title: str, environment: dict[str, str], tmp_path: pathlib.Path) -> None:
    failing = mishaps.COMMANDS[title]
    walk = Walk(tmp_path, {**environment, **failing.environment})
    for name, text in failing.files.items():
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(text)
    _status, said = walk.run(failing.command)
    (shown,) = plain(MESSAGES[title])
    assert shown in "\n".join(plain(said.replace(f"{tmp_path}/", ""))), said


def test_a_task_says_that_it_does_not_trust_the_service(
    run_module: Callable[..., Any], tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("REQUESTS_CA_BUNDLE", raising=False)
    with serving(Authority(tmp_path).context()) as server:
        said = run_module(mishaps.ZONES, api_url=server.url)["msg"]
    assert same(MESSAGES[CERTIFICATE], said), said
