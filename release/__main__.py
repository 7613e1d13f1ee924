# Copyright: (c) 2026, the cloudn.compute authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Makes the release that galaxy.yml names (`make release`): changelog, commit, tag, and the files to publish in .release.

It publishes nothing. The last lines say the commands that do. With ``--check`` it only says whether a release can be made.
"""

from __future__ import annotations

import pathlib
import re
import shutil
import subprocess
import sys
import tomllib

import yaml

ROOT = pathlib.Path(__file__).resolve().parent.parent
BIN = pathlib.Path(sys.executable).parent
# Without parts for a pre-release: Galaxy would take one, but nobody would get it.
VERSION = re.compile(r"(0|[1-9]\d*)\.(0|[1-9]\d*)\.(0|[1-9]\d*)")


class Refused(Exception):
    """A release can't be made. The text says why, and what to do."""


def main(arguments: list[str], root: pathlib.Path = ROOT) -> int:
    """Return the exit status."""
    try:
        version = checked_version(root)
        if "--check" not in arguments:
            release(root, version)
    except Refused as reason:
        print(f"No release: {reason}", file=sys.stderr)
        return 1
    except subprocess.CalledProcessError as failure:
        print(f"No release: {' '.join(failure.cmd)} ended with exit status {failure.returncode}.", file=sys.stderr)
        return 1
    return 0


def checked_version(root: pathlib.Path) -> str:
    """Return the version that is to be released. Raises ``Refused`` if it can't be."""
    version = str(yaml.safe_load((root / "galaxy.yml").read_text())["version"])
    if not VERSION.fullmatch(version):
        raise Refused(f"the version {version} of galaxy.yml is not of the form 1.2.3.")
    if told(root, "git", "tag", "--list", version):
        raise Refused(f"there is a tag {version} already. Set the next version in galaxy.yml.")
    if told(root, "git", "status", "--porcelain"):
        raise Refused("there are files that are not committed. `git status` lists them.")
    emulator = tomllib.loads((root / "emulator" / "pyproject.toml").read_text())["project"]["version"]
    newest = re.search(r"^## (.+)$", (root / "emulator" / "CHANGELOG.md").read_text(), re.MULTILINE)
    if not newest or newest[1] != emulator:
        raise Refused(f"emulator/CHANGELOG.md does not begin with {emulator}, the version of emulator/pyproject.toml.")
    known = yaml.safe_load((root / "changelogs" / "changelog.yaml").read_text())["releases"]
    fragments = sorted(path.name for path in (root / "changelogs" / "fragments").glob("*.yml"))
    if version in known and fragments:
        raise Refused(
            f"changelogs/changelog.yaml has {version} already, and there are fragments: {', '.join(fragments)}. "
            "Say there what they say, and delete them."
        )
    return version


def release(root: pathlib.Path, version: str) -> None:
    """Write the changelog, commit and tag it, and build what is to be published."""
    write_changelog(root)
    shown(root, "git", "add", "--all", "CHANGELOG.rst", "changelogs")
    if told(root, "git", "status", "--porcelain"):
        shown(root, "git", "commit", "--quiet", "--message", f"Release {version}")
    shown(root, "git", "tag", "--annotate", "--message", f"cloudn.compute {version}", version)
    built = root / ".release"
    shutil.rmtree(built, ignore_errors=True)
    shown(root, str(BIN / "ansible-galaxy"), "collection", "build", "--output-path", str(built))
    pip = (sys.executable, "-m", "pip", "wheel", "--quiet", "--no-deps", "--wheel-dir", str(built))
    shown(root, *pip, str(root / "emulator"))
    (tarball,), (wheel,) = built.glob("*.tar.gz"), built.glob("*.whl")
    print(f"\n{version} is made and tagged. Nothing is published yet. These commands do it:\n")
    print(f"    git push origin HEAD {version}")
    print(f"    ansible-galaxy collection publish {tarball.relative_to(root)}")
    print(f"    twine upload {wheel.relative_to(root)}    # if the emulator has a new version")


def write_changelog(root: pathlib.Path) -> None:
    """Bring the changelog to galaxy.yml's version, of the fragments and the new modules."""
    program, documentation = str(BIN / "antsibull-changelog"), str(BIN / "ansible-doc")
    options = ("--update-existing", "--refresh-plugins", "--reload-plugins", "--ansible-doc-bin", documentation)
    shown(root, program, "release", *options)


def told(root: pathlib.Path, *command: str) -> str:
    """Run a command quietly; return what it says."""
    return subprocess.run(command, cwd=root, check=True, stdout=subprocess.PIPE, text=True).stdout.strip()


def shown(root: pathlib.Path, *command: str) -> None:
    """Run a command that changes something; it is shown."""
    print(f"$ {' '.join(command).replace(f'{BIN}/', '').replace(f'{root}/', '')}", flush=True)
    subprocess.run(command, cwd=root, check=True)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
