# Copyright: (c) 2026, the cloudn.compute authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Runs the README's commands on a bare Debian 12: a root folder with python3, pip, make and git, and nothing else.

``python3 tests/bare_machine.py demo smoke``: see PARTS. It needs root, debootstrap and a way to Debian's packages and to a
package index. Where it can't be, it says so and ends with exit status LEFT_OUT. It runs on a Python without any packages.

All mounts are in a namespace of their own, as are the processes. Both end with the last process, whatever happens. The root is
deleted only if nothing is mounted in it.
"""

from __future__ import annotations

import argparse
import ast
import contextlib
import os
import pathlib
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping
from typing import NamedTuple

import copied

ROOT = pathlib.Path(__file__).resolve().parent.parent
RELEASE = "bookworm"
PACKAGES = "python3,python3-pip,make,git"
LEFT_OUT = 3  # the exit status where there can be no bare machine, or the time was over before all was done
VISITOR = "visitor"  # an ordinary user there
CERTIFICATES = "etc/ssl/certs/ca-certificates.crt"
# How this machine reaches a package index. What it reads from its own disk is left out: a bare machine has no such thing.
REACH = re.compile(r"(?i)(https?|all|no)_proxy|SSL_CERT_(FILE|DIR)|REQUESTS_CA_BUNDLE|CURL_CA_BUNDLE")
PIP_REACH = ("index-url", "extra-index-url", "find-links", "trusted-host", "cert", "proxy", "timeout", "retries")
REMOVALS = 5
APT_REACH = re.compile(r"Acquire::(http|https|Check-|Retries|Max-)")
# In the new namespaces: what each Debian has when it runs. The shell stays: it is there to ask how orphans ended, and it ends
# with unshare, which a process that changes its user does not.
INSIDE = """\
root=$1; user=$2; shift 2
mount -t proc proc "$root/proc"
mount -t tmpfs -o mode=1777 tmpfs "$root/dev/shm"
mount -t devpts -o newinstance,ptmxmode=0666 devpts "$root/dev/pts"
status=0
chroot --userspec="$user" "$root" /usr/bin/env -i "$@" || status=$?
exit "$status"
"""
NAMESPACES = ("unshare", "--mount", "--propagation", "private", "--pid", "--fork", "--kill-child", "--")


class LeftOut(Exception):
    """There can be no bare machine here. The text says why."""


class Part(NamedTuple):
    """What runs there: a script for bash in the clone, the user who runs it, and what Debian's packages it has besides."""

    script: str
    user: str = VISITOR
    packages: str = ""


# Lint and more than twenty tests of each kind: of options, of requests, of playbooks and of the inventory.
SMOKE = "tests/unit/modules/test_key_pair.py tests/unit/inventory/test_keyed_groups.py tests/e2e/test_readme.py"
PARTS = {
    "demo": Part("make demo"),
    "smoke": Part(f"make lint && .venv/bin/python -m pytest -n 2 {SMOKE}"),
    "test": Part("make test"),
    # As root, and where a path has a space.
    "root": Part(
        'cp -r . "/root/a clone" && cd "/root/a clone" && rm -rf .venv .demo && make demo && make lint', "root"
    ),
    # Debian's package of pipx brings python3-venv, so this is the last part.
    "pipx": Part("bash tests/bare_pipx.sh", packages="pipx"),
}


def main() -> int:
    """Run the parts that the command line names; returns the exit status."""
    parser = argparse.ArgumentParser(description="Runs commands on a bare Debian 12.")
    parser.add_argument("parts", nargs="+", choices=PARTS, help="what to run there")
    parser.add_argument("--limit", type=float, default=float("inf"), help="seconds for all parts together")
    parser.add_argument("--root", type=pathlib.Path, help="a folder to keep the machine in, for the next time")
    given = parser.parse_args()
    if given.root and any(PARTS[name].packages for name in given.parts):
        parser.error("a part that installs packages leaves a machine that is no longer bare: run it without --root")
    for number in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, lambda number, _frame: sys.exit(128 + number))
    os.environ["PATH"] = f"{os.environ.get('PATH', os.defpath)}:/usr/sbin:/sbin"  # not every root has these in it
    began = time.monotonic()
    try:
        with machine(given.root) as root:
            made = time.monotonic() - began
            say(f"the machine is made, after {made:.0f} s")
            if made > given.limit / 2:
                raise LeftOut(f"less than half of the {given.limit:.0f} s is left, as packages came slowly")
            results = [run(root, name, given.limit - (time.monotonic() - began)) for name in sorted_parts(given.parts)]
    except LeftOut as reason:
        say(f"left out: {reason}")
        return LEFT_OUT
    ends = {0: "passed", 1: "FAILED", LEFT_OUT: "not all was done, and what was done passed"}
    status = 1 if False in results else LEFT_OUT if None in results else 0
    say(f"{ends[status]}, after {time.monotonic() - began:.0f} s")
    return status


def sorted_parts(names: list[str]) -> list[str]:
    """Return the names in the order of PARTS: what adds packages comes last."""
    return [name for name in PARTS if name in names]


def say(text: str) -> None:
    """Tell a result."""
    print(f"bare machine: {text}", flush=True)


@contextlib.contextmanager
def machine(kept: pathlib.Path | None = None) -> Iterator[pathlib.Path]:
    """Give a root folder with a bare Debian and a clone in it. It is deleted at the end, unless it is to be kept.

    Raises ``LeftOut``.
    """
    reason = obstacle()
    if reason:
        raise LeftOut(reason)
    # /tmp may be in memory, and may refuse devices.
    root = kept.absolute() if kept else pathlib.Path(tempfile.mkdtemp(prefix="cloudn-bare-", dir="/var/tmp"))
    root.mkdir(exist_ok=True)
    root.chmod(0o755)  # an ordinary user works in it, too
    try:
        if not (root / "etc" / "debian_version").exists():
            debootstrap(root)
        connect(root)
        clone(root)
        yield root
    finally:
        if not kept:
            remove(root)


def obstacle() -> str:
    """Return why there can be no bare machine here; nothing if it may be possible."""
    if os.geteuid() != 0:
        return "it needs root"
    for program in ("debootstrap", "unshare", "chroot", "git"):
        if not shutil.which(program, path=f"{os.environ.get('PATH', '')}:/usr/sbin"):
            return f"there is no {program} here"
    tried = subprocess.run([*NAMESPACES, "true"], capture_output=True, text=True, check=False)
    return f"this machine allows no namespaces: {tried.stderr.strip()}" if tried.returncode else ""


def debootstrap(root: pathlib.Path) -> None:
    """Install Debian with PACKAGES and what they need. Raises ``LeftOut``."""
    root.mkdir(parents=True, exist_ok=True)
    # What it mounts goes with it, also if it is broken off.
    alone = ["unshare", "--mount", "--propagation", "private", "--fork", "--kill-child", "--"]
    command = [*alone, "debootstrap", "--variant=minbase", f"--include={PACKAGES}", RELEASE, str(root), *mirror()]
    done = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False)
    if done.returncode:
        last = (done.stdout + done.stderr).strip().splitlines()[-3:]
        raise LeftOut(f"debootstrap ended with exit status {done.returncode}: {' / '.join(last)}")
    (root / "etc" / "hosts").write_text("127.0.0.1 localhost\n::1 localhost\n")
    for command in (["useradd", "--create-home", "--shell", "/bin/bash", VISITOR], ["apt-get", "clean"]):
        subprocess.run(["chroot", str(root), *command], check=True)


def mirror() -> list[str]:
    """Return where this machine gets this release from, if it does; otherwise debootstrap has an address of its own."""
    wanted = [
        "apt-get",
        "indextargets",
        "--format",
        "$(ORIGIN) $(CODENAME) $(COMPONENT) $(REPO_URI)",
        "Created-By: Packages",
    ]
    for line in told(*wanted):
        origin, codename, component, address = [*line.split(), "", "", "", ""][:4]
        if (origin, codename, component) == ("Debian", RELEASE, "main"):
            return [address]
    return []


def connect(root: pathlib.Path) -> None:
    """Let the machine reach what this one reaches, in the same way: names, certificates, apt's settings."""
    for name in ("etc/resolv.conf", CERTIFICATES):
        if pathlib.Path("/", name).exists():
            shutil.copyfile(pathlib.Path("/", name), root / name)
    settings = [line for line in told("apt-config", "dump") if APT_REACH.match(line)]
    (root / "etc" / "apt" / "apt.conf.d" / "99carried").write_text("\n".join([*settings, ""]))
    for value in reach().values():
        path = pathlib.Path(value)
        if path.is_absolute() and path.is_file() and not (inside := root / value[1:]).exists():
            inside.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(path, inside)


def reach() -> dict[str, str]:
    """Return the variables by which pip and others reach a package index."""
    found = {name: value for name, value in os.environ.items() if REACH.fullmatch(name)}
    return found | pip_variables(told(sys.executable, "-m", "pip", "config", "list"))


def pip_variables(lines: list[str]) -> dict[str, str]:
    """Return what `pip config list` says as variables, without places on this machine's disk."""
    found = {}
    for line in lines:
        name, _equals, value = line.partition("=")
        key = name.rpartition(".")[2].removeprefix("default-")
        if key in PIP_REACH:
            words = str(ast.literal_eval(value)).split()
            kept = [word for word in words if key == "cert" or not word.startswith(("file:", "/"))]
            found |= {f"PIP_{key.upper().replace('-', '_')}": " ".join(kept)} if kept else {}
    return found


def clone(root: pathlib.Path) -> None:
    """Put a clone of the checkout into the visitor's home, with what is not committed yet laid over it."""
    target = root / "home" / VISITOR / "clone"
    shutil.rmtree(target, ignore_errors=True)
    subprocess.run(["git", "clone", "--quiet", "--no-hardlinks", str(ROOT), str(target)], check=True)
    copied.copy(target)
    for name in told("git", "-C", str(ROOT), "ls-files", "--deleted"):
        (target / name).unlink(missing_ok=True)
    subprocess.run(["chroot", str(root), "chown", "-R", f"{VISITOR}:", f"/home/{VISITOR}"], check=True)


def run(root: pathlib.Path, name: str, seconds: float) -> bool | None:
    """Run a part there, for at most so many seconds; return whether it passed, or nothing if the time was over before."""
    part = PARTS[name]
    say(f"{name}: {part.script}")
    began = time.monotonic()
    if part.packages:
        get = f"apt-get update -qq && apt-get install -qq -y --no-install-recommends {part.packages}"
        status = started(root, "root", f"export DEBIAN_FRONTEND=noninteractive; {get} >/dev/null", seconds)
        if status:
            say(f"{name}: FAILED: Debian's packages {part.packages} could not be installed")
            return False
    status = started(root, part.user, f"cd /home/{VISITOR}/clone && {part.script}", seconds)
    ended = {0: "passed", None: f"ended, as {seconds:.0f} s were over"}.get(status, "FAILED")
    say(f"{name}: {ended} ({time.monotonic() - began:.0f} s)")
    return None if status is None else status == 0


def started(root: pathlib.Path, user: str, script: str, seconds: float) -> int | None:
    """Run a script of bash there; return its exit status, or nothing if it was ended as it took too long."""
    home = "/root" if user == "root" else f"/home/{user}"
    variables = {
        "HOME": home,
        "USER": user,
        "LOGNAME": user,
        "PATH": "/usr/local/bin:/usr/bin:/bin:/usr/sbin:/sbin",
        **reach(),
    }
    command = [*NAMESPACES, "sh", "-ec", INSIDE, "sh", str(root), user, *assigned(variables), "bash", "-c", script]
    process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stderr=subprocess.STDOUT)
    try:
        return process.wait(None if seconds == float("inf") else max(seconds, 0))
    except subprocess.TimeoutExpired:
        return None
    finally:
        process.kill()  # and with it all that runs there
        process.wait()


def assigned(variables: Mapping[str, str]) -> list[str]:
    """Return variables as words for env."""
    return [f"{name}={value}" for name, value in variables.items()]


def remove(root: pathlib.Path) -> None:
    """Delete a root folder, unless something is mounted in it."""
    mounted = mounts_in(root, pathlib.Path("/proc/self/mountinfo").read_text())
    if mounted:
        say(
            f"{root} stays, as something is mounted there: {' '.join(mounted)}. Unmount it before you delete the folder."
        )
        return
    for _turn in range(REMOVALS):
        if subprocess.run(["rm", "-rf", "--one-file-system", str(root)], check=False).returncode == 0:
            return
        time.sleep(1)  # what was killed there may write still


def mounts_in(root: pathlib.Path, mountinfo: str) -> list[str]:
    """Return what is mounted on a folder or in it, by the text of /proc/self/mountinfo."""
    points = [
        re.sub(r"\\(\d{3})", lambda code: chr(int(code[1], 8)), line.split()[4]) for line in mountinfo.splitlines()
    ]
    real = pathlib.Path(os.path.realpath(root))
    return [point for point in points if pathlib.Path(point) == real or real in pathlib.Path(point).parents]


def told(*command: str) -> list[str]:
    """Return the lines that a command prints; none if it fails or is not there."""
    with contextlib.suppress(OSError):
        done = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False)
        return done.stdout.splitlines() if done.returncode == 0 else []
    return []


if __name__ == "__main__":
    sys.exit(main())
