# Copyright: (c) 2026, the cloudn.compute authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Runs ansible-test sanity on a copy of the checkout; fails where a test was skipped.

Arguments go to `ansible-test sanity` (`--test pep8`, a path, ...).
"""

from __future__ import annotations

import re
import sys

from copied import ansible_test, copied

# How ansible-test says that it leaves a test out: it calls that a success.
LEFT_OUT = re.compile(r"(?i)skipping .*|required program .* not found.*")
# A machine seldom has every Python that modules may run on: those that it has are enough. There is no PowerShell to look at.
MAY_BE_LEFT_OUT = re.compile(r'on Python [\d.]+ because it could not be found|"pwsh"')


def main() -> int:
    """Run all tests of this kind; returns the exit status."""
    with copied() as folder:
        status, said = ansible_test(folder, "sanity", "--local", *sys.argv[1:])
    skipped = {text for text in LEFT_OUT.findall(said) if not MAY_BE_LEFT_OUT.search(text)}
    for text in sorted(skipped):
        print(f"sanity: this may not be left out: {text}", file=sys.stderr)
    return status or int(bool(skipped))


if __name__ == "__main__":
    sys.exit(main())
