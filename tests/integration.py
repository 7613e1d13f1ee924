# Copyright: (c) 2026, the cloudn.compute authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Runs `ansible-test integration` on copies of the checkout, against an emulator of each generation of CloudStack.

It fails where a target fails, does not run or leaves something behind. Each target runs on one generation, which a seed
chooses. `--all` runs each on both, in an environment with nothing but tests/integration/requirements.txt.
"""

from __future__ import annotations

import argparse
import concurrent.futures
import functools
import os
import pathlib
import random
import re
import sys

import yaml
from cloudn_emulator import Emulator
from copied import ROOT, ansible_test, copied
from cryptography.hazmat.primitives import serialization as form
from cryptography.hazmat.primitives.asymmetric import rsa

TARGETS = pathlib.Path("tests") / "integration" / "targets"
# ansible-test wants an SSH key, also where it connects to nothing. It looks here before it makes one in the user's home.
KEY = pathlib.Path("tests") / "output" / ".tmp" / "id_rsa"
CONFIGURATION = pathlib.Path("tests") / "integration" / "integration_config.yml"
# What only one generation has.
ONLY_ON = {"cloudn_affinity_group": "4", "cloudn_affinity_group_info": "4", "cloudn_ec2": "3"}
# A target that starts an emulator of its own, as all do when somebody runs ansible-test by hand.
BY_HAND = "cloudn_zone_info"
RUN = re.compile(r"^Running (\w+) integration test role$", re.MULTILINE)
# A deleted object stays for a time, in one of these states.
GONE = ("Destroyed", "Destroy", "Expunging", "Expunged")
KINDS = (
    "vms",
    "volumes",
    "snapshots",
    "snapshot_policies",
    "templates",
    "security_groups",
    "affinity_groups",
    "key_pairs",
)


def targets() -> list[str]:
    """Return the names of all targets."""
    return sorted(path.name for path in (ROOT / TARGETS).iterdir() if not path.name.startswith("setup_"))


def shares(names: list[str], seed: str, everything: bool) -> dict[str, list[str]]:
    """Return which targets run on each generation."""
    if everything:
        return {"3": names, "4": names}
    chosen = {name: ONLY_ON.get(name) or random.Random(f"{seed} {name}").choice("34") for name in names}
    return {generation: [name for name in names if chosen[name] == generation] for generation in "34"}


def held(emulator: Emulator) -> set[tuple[str, str, str]]:
    """Return what an emulator holds: kind, id and name of each object."""
    found = set()
    for kind in KINDS:
        for key, one in getattr(emulator.store, kind).items():
            if getattr(one, "state", "") not in GONE and not getattr(one, "removed", False):
                found.add((kind, str(key), str(getattr(one, "name", ""))))
    return found


@functools.cache
def key_pair() -> tuple[bytes, bytes]:
    """Return a new SSH key, private and public. Several runs of ansible-test at once would spoil each other's in the home."""
    key = rsa.generate_private_key(65537, 2048)
    private = key.private_bytes(form.Encoding.PEM, form.PrivateFormat.TraditionalOpenSSL, form.NoEncryption())
    return private, key.public_key().public_bytes(form.Encoding.OpenSSH, form.PublicFormat.OpenSSH)


def write_key(folder: pathlib.Path) -> None:
    """Put the key where ansible-test finds it in a copy."""
    path = folder / KEY
    path.parent.mkdir(parents=True, exist_ok=True)
    private, public = key_pair()
    path.write_bytes(private)
    path.chmod(0o600)
    path.with_suffix(".pub").write_bytes(public)


def run_targets(folder: pathlib.Path, names: list[str], mode: str, words: list[str], label: str) -> tuple[int, str]:
    """Run targets of a copy; return the exit status and what ansible-test says."""
    # The mode comes last: ansible-test would take a word after `--venv` for a part of it.
    return ansible_test(folder, "integration", *words, *names, mode, label=label)


def run(generation: str, names: list[str], mode: str, words: list[str]) -> list[str]:
    """Run targets on one generation; return what is wrong."""
    with copied() as folder, Emulator(generation=generation, expunge_seconds=0.1) as emulator:
        write_key(folder)
        before = held(emulator)
        connection = {"api_url": emulator.url, "ec2_url": emulator.ec2_url}
        connection |= {"api_key": emulator.api_key, "api_secret": emulator.api_secret}
        configuration = {"cloudn_generation": generation, "cloudn_connection": connection}
        (folder / CONFIGURATION).write_text(yaml.safe_dump(configuration))
        status, said = run_targets(folder, names, mode, words, f"{generation}: ")
        wrong = [f"ansible-test ended with {status}"] if status else []
        left = sorted(held(emulator) - before)
        wrong += [f"this is left: {kind} {name or key}" for kind, key, name in left]
        asked = len(emulator.requests)
    wrong += [f"{name} did not run" for name in sorted(set(names) - set(RUN.findall(said)))]
    print(f"integration: CloudStack {generation}: {len(names)} targets, {asked} requests", flush=True)
    return [f"CloudStack {generation}: {text}" for text in wrong]


def run_by_hand(mode: str, words: list[str]) -> list[str]:
    """Run one target without any configuration; return what is wrong."""
    with copied() as folder:
        write_key(folder)
        status, said = run_targets(folder, [BY_HAND], mode, words, "by hand: ")
    ran = RUN.findall(said) == [BY_HAND] and "Stop the emulator" in said
    return [] if ran and not status else [f"{BY_HAND} with an emulator of its own ended with {status}"]


def main() -> int:
    """Return 0 where all targets ran, passed and left nothing behind."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--all", action="store_true", dest="everything", help="run each target on both generations")
    seed = os.environ.get("INTEGRATION_SEED", "1")
    parser.add_argument("--seed", default=seed, help="chooses the generation of each target (%(default)s)")
    parser.add_argument("targets", nargs="*", metavar="TARGET", help="targets to run (all)")
    parser.add_argument("-v", action="count", default=0, help="how much ansible-playbook says")
    options = parser.parse_args()
    unknown = set(options.targets) - set(targets())
    if unknown:
        parser.error(f"there is no target {', '.join(sorted(unknown))}; there are {', '.join(targets())}")
    mode = "--venv" if options.everything else "--local"
    words = [f"-{'v' * options.v}"] if options.v else []
    chosen = shares(options.targets or targets(), options.seed, options.everything)
    with concurrent.futures.ThreadPoolExecutor() as pool:
        begun = [pool.submit(run, generation, names, mode, words) for generation, names in chosen.items() if names]
        begun += [] if options.targets else [pool.submit(run_by_hand, mode, words)]
        wrong = [text for one in begun for text in one.result()]
    for text in wrong:
        print(f"integration: {text}", file=sys.stderr)
    return int(bool(wrong))


if __name__ == "__main__":
    sys.exit(main())
