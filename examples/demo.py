# Copyright: (c) 2026, the cloudn.compute authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The demo (`make demo`): builds a site on the emulator, shows its inventory, configures it, and removes it.

Needs Python 3.11 or later and what pip gets. All that it writes is in the directory .demo, which git ignores.
"""

from __future__ import annotations

import contextlib
import functools
import json
import os
import pathlib
import re
import shlex
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence

import virtual_environment
from programs import Failed, clean_environment, cloudn_variables, ended_at_last, listening_emulator, with_programs

ROOT = pathlib.Path(__file__).resolve().parent.parent
EXAMPLES = ROOT / "examples"
WORK = ROOT / ".demo"
BIN = WORK / "venv" / "bin"
RENDERED = WORK / "rendered"
LOG = WORK / "requests.jsonl"
START_SECONDS = 30

Environment = dict[str, str]
Word = str | pathlib.Path
Command = Sequence[Word]


def main() -> int:
    """Run the demo from beginning to end; returns the exit status."""
    for number in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, lambda number, _frame: sys.exit(128 + number))
    began = time.monotonic()
    try:
        with contextlib.ExitStack() as running:
            tour(running)
    except Failed as failure:
        print(f"\nThe demo failed: {failure}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("\nThe demo was interrupted; nothing of it is running any more.", file=sys.stderr)
        return 128 + signal.SIGINT
    say(f"Done in {time.monotonic() - began:.0f} s. The emulator is stopped, and what it held is gone with it.")
    print(f"Left to look at: {shown(RENDERED)}, and every request that was made: {shown(LOG)}")
    return 0


def tour(running: contextlib.ExitStack) -> None:
    """The demo's steps in order; what runs all the while is entered into ``running``."""
    shutil.rmtree(RENDERED, ignore_errors=True)
    LOG.unlink(missing_ok=True)
    say("A virtual environment with Ansible and the emulator, of its own", "examples/requirements.txt, emulator/")
    environment = own_environment()
    make_environment(environment)
    print(f"For the commands below: ANSIBLE_CONFIG={shown(EXAMPLES / 'ansible.cfg')}", flush=True)

    say("The collection, built and installed from its tarball", "galaxy.yml, plugins/")
    install_collection(environment)

    say("The emulator, a server that answers as Cloudn Compute does", "emulator/README.md")
    environment |= running.enter_context(emulator(environment))

    say("Three security groups, five virtual machines and a data volume", "examples/site.yml, examples/machines.yml")
    run(environment, "ansible-playbook", EXAMPLES / "site.yml")

    say("A larger plan for the database: the machine is stopped, changed and started", "examples/machines.yml")
    larger = ("-e", "database_plan=v2", "-e", "allow_restart=true")
    run(environment, "ansible-playbook", EXAMPLES / "site.yml", *larger)

    say("Nightly snapshots of the volumes that are backed up", "examples/nightly.yml, examples/tasks/snapshots.yml")
    run(environment, "ansible-playbook", EXAMPLES / "nightly.yml")

    say("A template of a web server, which is stopped for it and started again", "examples/image.yml")
    run(environment, "ansible-playbook", EXAMPLES / "image.yml")

    say("The inventory: the machines as hosts, in groups", "examples/cloudn.yml")
    run(environment, "ansible-inventory", "--graph")

    say("Configuration files made of the inventory", "examples/configure.yml, examples/templates/")
    rendered = ("-e", json.dumps({"rendered": str(RENDERED)}))  # the path may have spaces
    run(environment, "ansible-playbook", EXAMPLES / "configure.yml", *rendered)
    for path in (RENDERED / "example-lb1/etc/haproxy/haproxy.cfg", RENDERED / "example-web1/etc/hosts"):
        print(f"\n--- {shown(path)}\n{path.read_text()}", flush=True)

    say("All of it again in check mode: nothing to change")
    everything = (
        "ansible-playbook",
        *(EXAMPLES / name for name in ("site.yml", "nightly.yml", "image.yml", "configure.yml")),
        *larger,
        *rendered,
        "--check",
        "--diff",
    )
    told = run(environment, *everything)
    changes = re.findall(r"^\S+ +: ok=[1-9].* changed=(\d+)", told, re.MULTILINE)
    if not changes or any(change != "0" for change in changes):
        raise Failed("check mode tells of changes, though nothing has changed since; look at the output above")

    say("Away with it", "examples/teardown.yml")
    # The emulator expunges a destroyed machine after some seconds, so its groups can be waited for.
    run(environment, "ansible-playbook", EXAMPLES / "teardown.yml", "-e", "wait_for_expunge=true")
    run(environment, "ansible-inventory", "--graph")


def say(what: str, where: str = "") -> None:
    """Announce a step, and where to look what it is made of."""
    print(f"\n=== {what}" + (f"\n    (see {where})" if where else ""), flush=True)


def show(command: Command) -> None:
    """Show a command before it runs."""
    print(f"\n$ {shlex.join(map(shown, command))}", flush=True)


def shown(path: Word) -> str:
    """A path, or a word with one in it, as seen from the project's directory."""
    return str(path).replace(f"{ROOT}{os.sep}", "").replace(str(ROOT), ".")


def own_environment() -> Environment:
    """The environment for everything that runs here: none of the user's settings of Ansible, no way to a real cloud."""
    return with_programs(clean_environment(), BIN) | {
        "ANSIBLE_CONFIG": str(EXAMPLES / "ansible.cfg"),
        "ANSIBLE_COLLECTIONS_PATH": str(WORK / "collections"),
        "ANSIBLE_HOME": str(WORK / "ansible"),
        "ANSIBLE_REMOTE_TMP": str(WORK / "ansible" / "tmp"),
    }


def make_environment(environment: Environment) -> None:
    """Make the virtual environment, unless it is there and nothing that goes into it has changed."""
    install = functools.partial(run, environment)
    if not virtual_environment.make(WORK / "venv", [EXAMPLES / "requirements.txt"], [ROOT / "emulator"], install):
        print("It is there already.", flush=True)


def install_collection(environment: Environment) -> None:
    """Build the collection's tarball and install it from there."""
    built = WORK / "tarball"
    for directory in (built, WORK / "collections"):
        shutil.rmtree(directory, ignore_errors=True)
    run(environment, "ansible-galaxy", "collection", "build", "--output-path", built, ROOT)
    (tarball,) = built.glob("*.tar.gz")
    where = ("--offline", "-p", WORK / "collections")
    run(environment, "ansible-galaxy", "collection", "install", tarball, *where)


@contextlib.contextmanager
def emulator(environment: Environment) -> Iterator[Environment]:
    """Start the emulator on a free port; gives the variables by which Ansible reaches it, and stops it at the end."""
    output = WORK / "emulator.out"
    command = [BIN / "cloudn-emulator", "--port", "0", "--log", LOG, "--job-seconds", "1", "--expunge-seconds", "3"]
    show(command)
    with listening_emulator(command, environment, output, START_SECONDS) as url:
        print(output.read_text() + "Here a job takes a second, and a destroyed machine is forgotten after three.")
        reach = cloudn_variables(url)
        for name, value in reach.items():
            print(f"    export {name}={value}", flush=True)
        yield reach


def run(environment: Environment, *command: Word) -> str:
    """Run a command in the project's directory, showing it and what it says; returns what it says."""
    show(command)
    said = []
    environment = environment | ({"ANSIBLE_FORCE_COLOR": "true"} if sys.stdout.isatty() else {})
    # A session of its own keeps the terminal's Ctrl-C from it: that is for the demo.
    process = subprocess.Popen(
        command,
        cwd=ROOT,
        env=environment,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,
    )
    with ended_at_last(process):
        assert process.stdout
        for line in process.stdout:
            print(line, end="", flush=True)
            said.append(re.sub(r"\x1b\[[\d;]*m", "", line))
        if process.wait() != 0:
            raise Failed(f"{shown(command[0])} ended with exit status {process.returncode}; look at the output above")
    return "".join(said)


if __name__ == "__main__":
    sys.exit(main())
