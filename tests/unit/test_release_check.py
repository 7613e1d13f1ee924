# Copyright: (c) 2026, the cloudn.compute authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What `make release-check` says at its end, and which checks there are."""

from __future__ import annotations

import pathlib
import sys

import pytest
import release_check
import yaml
from programs import Failed

ROOT = pathlib.Path(__file__).parents[2]


def fail() -> None:
    """A check that fails."""
    raise Failed("the reason")


def leave_out() -> None:
    """A check that can't be made."""
    raise release_check.NotChecked("there is no Python 3.99 here")


@pytest.mark.parametrize(("names", "status"), [([], 1), (["good", "absent"], 0), (["bad"], 1)])
def test_the_end_has_a_line_for_each_check(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], names: list[str], status: int
) -> None:
    """A failure does not keep the other checks from being made."""
    monkeypatch.setattr(release_check, "CHECKS", {"bad": fail, "absent": leave_out, "good": lambda: None})
    monkeypatch.setattr(sys, "argv", ["release_check.py", *names])
    assert release_check.main() == status
    lines = capsys.readouterr().out.partition("=== Checks of a release\n")[2].splitlines()
    expected = {
        "bad": "FAILED (0 s): the reason",
        "absent": "not checked: there is no Python 3.99 here",
        "good": "passed (0 s)",
    }
    assert lines == [f"{name}: {expected[name]}" for name in names or expected]


def test_a_check_that_is_not_there_is_refused(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(sys, "argv", ["release_check.py", "sanity-1.0"])
    with pytest.raises(SystemExit):
        release_check.main()
    assert "there is no check sanity-1.0" in capsys.readouterr().err


def test_what_a_check_had_to_leave_out_is_said() -> None:
    assert release_check.result(lambda: "pylint: the reason") == "passed (0 s), but without pylint: the reason"


def test_a_host_that_can_not_be_reached_is_found() -> None:
    assert release_check.unreachable("# https://host.invalid/x\nastroid==1.0\n") == ""
    assert release_check.unreachable("a==1\ndill @ https://host.invalid/a.zip\n") == "host.invalid"


def test_sanity_says_which_python_is_missing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(release_check.copied, "search_path", lambda: "/nowhere")
    with pytest.raises(release_check.NotChecked, match=r"ansible-core 2\.20 needs Python 3\.12 or "):
        release_check.sanity_on("2.20")


def test_the_oldest_supported_version_is_checked() -> None:
    required = yaml.safe_load((ROOT / "meta" / "runtime.yml").read_text())["requires_ansible"]
    assert required == f">={min(release_check.CORES, key=lambda core: int(core[2:]))}.0"
