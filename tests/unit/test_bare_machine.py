# Copyright: (c) 2026, the cloudn.compute authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The bare machine: what it takes over of this one, what it never deletes, and what ends with it."""

from __future__ import annotations

import contextlib
import pathlib
import subprocess
import sys
import time

import bare_machine
import pytest

ROOT = pathlib.Path(__file__).parents[2]
MOUNTS = """\
24 1 254:0 / / rw,relatime - ext4 /dev/vda rw
30 24 0:5 / /var/tmp/bare/proc rw - proc proc rw
31 24 0:6 / /var/tmp/bare\\040two/dev/shm rw - tmpfs tmpfs rw
32 24 0:7 / /var/tmp/bare-other rw - tmpfs tmpfs rw
"""


@pytest.mark.parametrize(
    ("root", "mounted"),
    [
        ("/var/tmp/bare", ["/var/tmp/bare/proc"]),
        ("/var/tmp/bare two", ["/var/tmp/bare two/dev/shm"]),
        ("/var/tmp/bare-other", ["/var/tmp/bare-other"]),
        ("/var/tmp/other", []),
    ],
)
def test_a_mount_in_the_root_is_seen(root: str, mounted: list[str]) -> None:
    assert bare_machine.mounts_in(pathlib.Path(root), MOUNTS) == mounted


def test_a_root_in_which_something_is_mounted_stays(
    tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    root = tmp_path / "root"
    (root / "proc").mkdir(parents=True)
    monkeypatch.setattr(bare_machine, "mounts_in", lambda *_words: [f"{root}/proc"])
    bare_machine.remove(root)
    assert (root / "proc").exists()
    assert f"something is mounted there: {root}/proc" in capsys.readouterr().out
    monkeypatch.undo()
    bare_machine.remove(root)
    assert not root.exists()


def test_the_way_to_a_package_index_is_taken_over_and_nothing_from_the_disk() -> None:
    lines = [
        "global.index-url='https://index.example/simple'",
        "global.extra-index-url='file:///srv/simple https://more.example/simple'",
        "global.find-links='/srv/wheels'",
        "global.constraint='/srv/constraints.txt'",
        ":env:.cert='/srv/ca.crt'",
        ":env:.default-timeout='180'",
        "install.user='true'",
    ]
    assert bare_machine.pip_variables(lines) == {
        "PIP_INDEX_URL": "https://index.example/simple",
        "PIP_EXTRA_INDEX_URL": "https://more.example/simple",
        "PIP_CERT": "/srv/ca.crt",
        "PIP_TIMEOUT": "180",
    }


def test_where_there_can_be_none_it_says_why_and_leaves_nothing() -> None:
    """The same with the packages of apt: a machine without debootstrap. The status is one of its own."""
    before = set(pathlib.Path("/var/tmp").glob("cloudn-bare-*"))
    command = [sys.executable, "-B", str(ROOT / "tests" / "bare_machine.py"), "demo"]
    done = subprocess.run(command, env={"PATH": "/nowhere"}, capture_output=True, text=True, check=False, timeout=60)
    assert done.returncode == bare_machine.LEFT_OUT
    assert "bare machine: left out: " in done.stdout
    assert set(pathlib.Path("/var/tmp").glob("cloudn-bare-*")) - before == set()


def sleeping(mark: str) -> list[bytes]:
    """The command lines of the processes that sleep for so long."""
    found = []
    for path in pathlib.Path("/proc").glob("[0-9]*/cmdline"):
        with contextlib.suppress(OSError):
            line = path.read_bytes()
            found += [line] if line.startswith(b"sleep\0") and mark.encode() in line else []
    return found


@pytest.mark.skipif(bool(bare_machine.obstacle()), reason=f"no bare machine: {bare_machine.obstacle()}")
def test_what_takes_too_long_ends_with_all_that_it_started(
    tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Also what runs as another user, which is not told when its parent ends. Its mounts are seen by nobody else."""
    for name in ("proc", "dev/shm", "dev/pts"):
        (tmp_path / name).mkdir(parents=True)
    mark = "61.0271828"
    # This machine's root in place of a whole Debian: what is looked at are the namespaces and their end.
    there = bare_machine.INSIDE.replace('"$root" /usr/bin/env', "/ /usr/bin/env")
    monkeypatch.setattr(bare_machine, "INSIDE", there)
    assert bare_machine.started(tmp_path, "nobody", f"sleep {mark} & sleep {mark}", 1) is None
    deadline = time.monotonic() + 60
    while sleeping(mark):
        assert time.monotonic() < deadline
        time.sleep(0.05)
    assert bare_machine.mounts_in(tmp_path, pathlib.Path("/proc/self/mountinfo").read_text()) == []
    assert bare_machine.started(tmp_path, "nobody", "exit 7", 60) == 7
