# Copyright: (c) 2026, the cloudn.compute authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Breaks one guard after the other in a copy of the checkout. Each must turn a test red: `python tests/adversary/sabotage.py`.

Arguments choose guards: those whose name holds one of them. It ends with 1 if a test did not notice, or a text to replace is
not in its file any more.
"""

from __future__ import annotations

import os
import pathlib
import shutil
import subprocess
import sys
import tempfile
from dataclasses import dataclass

ROOT = pathlib.Path(__file__).parents[2]
API = "plugins/module_utils/api"
ADVERSARY = "tests/adversary/test_adversary.py"


@dataclass(frozen=True)
class Guard:
    """A guard, the text of it in a file and the text in its place, and the tests that must fail then.

    ``faults`` chooses the attacks, if the tests are the adversary's.
    """

    name: str
    file: str
    old: str
    new: str
    tests: tuple[str, ...]
    faults: str = ""


GUARDS = (
    Guard(
        "the root of an answer is the command's own",
        f"{API}/roots.py",
        "    if seen in (",
        "    if seen or seen in (",
        (ADVERSARY, "-k", "cloudstack3-vm-info"),
        "another list",
    ),
    Guard(
        "a status of another server is no refusal",
        f"{API}/client.py",
        "    return BadAnswer(text, command, status)\n",
        "    return ApiError(text, command, status)\n",
        (ADVERSARY, "-k", "cloudstack3-vm-started"),
        "403 page, done",
    ),
    Guard(
        "407 may come after the change was done",
        f"{API}/transport.py",
        "if status == _PROXY_CREDENTIALS:\n        raise BadAnswer(",
        "if status == _PROXY_CREDENTIALS:\n        raise NotSent(command, command, status, transient=False) if command else BadAnswer(",
        (ADVERSARY, "-k", "cloudstack3-vm-started"),
        "407",
    ),
    Guard(
        "each change has a job of its own",
        f"{API}/client.py",
        "if not isinstance(job_id, str) or job_id in self._job_ids:",
        "if not isinstance(job_id, str):",
        ("tests/unit/api/test_client.py", "-k", "job"),
    ),
    Guard(
        "another job's answer is not believed",
        f"{API}/jobs.py",
        "        if other:\n",
        "        if other and not other:\n",
        ("tests/unit/api/test_jobs.py",),
    ),
    Guard(
        "the service's 429 is not tried for ever where a task has no time limit",
        f"{API}/transport.py",
        " and deadline.seconds is not None",
        "",
        (ADVERSARY, "-k", "cloudstack3-vm-info"),
        "the service's 429, 7, for ever",
    ),
    Guard(
        "the pause before a retry is bounded",
        f"{API}/transport.py",
        "2.0 ** min(attempt, _DOUBLINGS)",
        "2.0 ** (attempt * 1000)",
        (ADVERSARY, "-k", "cloudstack3-vm-info"),
        "503 page, for ever",
    ),
    Guard(
        "a list without end ends",
        f"{API}/client.py",
        "            paging.check_limits(command, page, last)\n",
        "",
        ("tests/unit/api/test_endless_lists.py", "-k", "ten_minutes and listVirtualMachines", "--maxfail=1"),
    ),
    Guard(
        "a page that is repeated is noticed",
        f"{API}/counted.py",
        "if repeated == _REPEATED:",
        "if repeated < 0:",
        ("tests/unit/api/test_endless_lists.py", "-k", "repeated and listZones"),
    ),
    Guard(
        "an answer has a largest size, also unpacked",
        f"{API}/session.py",
        "if min(left, packed) < 0:",
        "if packed < 0:",
        ("tests/unit/api/test_answers.py", "-k", "large_answer"),
    ),
    Guard(
        "garbled names of fields are a bad answer",
        f"{API}/decode.py",
        "        if not name.isprintable():\n            raise _Garbled\n",
        "",
        ("tests/unit/api/test_decode.py", "-k", "garbled"),
    ),
    Guard(
        "an answer that can't be read leaves the outcome open",
        f"{API}/request_errors.py",
        'type(reason).__name__ == "CertificateError"',
        "isinstance(reason, ValueError)",
        ("tests/unit/api/test_answers.py", "-k", "negative"),
    ),
    Guard(
        "a password that is lost is named",
        "plugins/module_utils/resources/vm/lookup.py",
        "    conclude=conclude,\n",
        "",
        (ADVERSARY, "-k", "cloudstack4-vm-present"),
        "403 page, for ever",
    ),
    Guard(
        "a private key that is lost is named",
        "plugins/module_utils/resources/key_pair.py",
        ", conclude=conclude)",
        ")",
        (ADVERSARY, "-k", "cloudstack3-key-made"),
        "one after the other, last answer",
    ),
    Guard(
        "a last look that fails hides no change",
        "plugins/module_utils/reconcile/parts.py",
        "    except CloudnError as error:\n        for progress in unseen:",
        "    except ZeroDivisionError as error:\n        for progress in unseen:",
        (ADVERSARY, "-k", "cloudstack3-vm-tagged"),
        "a list without end",
    ),
)


def main() -> int:
    """Break the guards, and print for each what the tests said."""
    chosen = [one for one in GUARDS if not sys.argv[1:] or any(word in one.name for word in sys.argv[1:])]
    with tempfile.TemporaryDirectory(prefix="cloudn-sabotage-") as folder:
        copy = pathlib.Path(folder) / "checkout"
        ignored = shutil.ignore_patterns(".git", ".venv", ".demo", ".bench", ".hypothesis", "__pycache__")
        shutil.copytree(ROOT, copy, ignore=ignored)
        unnoticed = [guard.name for guard in chosen if not _is_noticed(guard, copy)]
    print(f"{len(chosen)} guards were broken, a test noticed {len(chosen) - len(unnoticed)} of them")
    return 1 if unnoticed else 0


def _is_noticed(guard: Guard, copy: pathlib.Path) -> bool:
    """Break a guard in the copy, run its tests, and mend it. Return whether a test failed."""
    path = copy / guard.file
    whole = path.read_text()
    if whole.count(guard.old) != 1:
        print(f"STALE     {guard.name}: its text is {whole.count(guard.old)} times in {guard.file}")
        return False
    path.write_text(whole.replace(guard.old, guard.new))
    try:
        # The emulator of the copy, if the one that is installed is another.
        python_path = os.pathsep.join(filter(None, [str(copy / "emulator" / "src"), os.environ.get("PYTHONPATH")]))
        environment = {**os.environ, "FAULTS": guard.faults, "PYTHONPATH": python_path, "PYTHONDONTWRITEBYTECODE": "1"}
        command = [sys.executable, "-m", "pytest", "-q", "--maxfail=1", *guard.tests]
        done = subprocess.run(command, cwd=copy, env=environment, capture_output=True, text=True, check=False)
    finally:
        path.write_text(whole)
    failed = next((line for line in done.stdout.splitlines() if line.startswith(("____", "E  "))), "").strip(" _")
    noticed = done.returncode == 1  # 1: tests failed; other codes: they could not run
    print(f"{'noticed  ' if noticed else 'UNNOTICED'} {guard.name}: {failed or done.stdout[-200:]}", flush=True)
    return noticed


if __name__ == "__main__":
    sys.exit(main())
