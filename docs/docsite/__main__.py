# Copyright: (c) 2026, the cloudn.compute authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Builds the site (`make docs`) in .docs: the guides, and the pages of all modules. Nothing is downloaded.

A warning of a tool is an error. So is a link inside the site that leads to nothing, and a name in a guide that nothing has.
"""

from __future__ import annotations

import os
import pathlib
import shutil
import subprocess
import sys
import time

import check
import known_names
from pages import MODULES, PROJECT, REFERENCE, ROOT, DeadLink, guides, pages, rewritten

HERE = pathlib.Path(__file__).resolve().parent
WORK = ROOT / ".docs"
BIN = pathlib.Path(sys.executable).parent


def main(arguments: list[str]) -> int:
    """Build into the folder that is given, or .docs. Return the exit status."""
    began = time.monotonic()
    work = pathlib.Path(arguments[0]).resolve() if arguments else WORK
    source, site = work / "source", work / "html"
    for folder in (source, site):
        shutil.rmtree(folder, ignore_errors=True)
    source.mkdir(parents=True)
    try:
        write_guides(source)
        write_modules(work, source / MODULES)
        sphinx: list[str | pathlib.Path] = [
            "-m",
            "sphinx",
            "-q",
            "-W",
            "--keep-going",
            "-b",
            "html",
            "-c",
            HERE,
            "-d",
            work / "doctrees",
        ]
        subprocess.run([sys.executable, *sphinx, source, site], check=True)
    except DeadLink as link:
        print(f"No site: {link}", file=sys.stderr)
        return 1
    except subprocess.CalledProcessError as failure:
        print(f"No site: {failure.cmd[0]} ended with exit status {failure.returncode}.", file=sys.stderr)
        return 1
    problems = [*known_names.problems(), *check.problems(site)]
    for problem in problems:
        print(problem, file=sys.stderr)
    if problems:
        print(f"No site: it has {len(problems)} faults.", file=sys.stderr)
        return 1
    count = len(list(site.rglob("*.html")))
    print(f"{count} pages in {time.monotonic() - began:.0f} s: {site / 'index.html'}")
    return 0


def write_guides(source: pathlib.Path) -> None:
    """Write the guides and the project's pages, with the links of the site, and the start page with the contents."""
    for path, page in pages().items():
        file = ROOT / path
        text = file.read_text(encoding="utf-8")
        (source / f"{page}{file.suffix}").write_text(rewritten(path, text) if file.suffix == ".md" else text, "utf-8")
    for picture in [*ROOT.glob("docs/*.svg"), *ROOT.glob("docs/*.png")]:
        shutil.copy(picture, source)
    start = rewritten("docs/docsite/start.md", (HERE / "start.md").read_text(encoding="utf-8"))
    trees = [tree(title, entries) for title, entries in guides().items()]
    trees += [tree("Reference", [f"{title} <{page}>" for page, title in REFERENCE.items()])]
    trees += [tree("The project", list(PROJECT.values()))]
    (source / "index.md").write_text("\n".join([start, *trees]), encoding="utf-8")


def tree(title: str, entries: list[str]) -> str:
    """Return a part of the contents, as MyST writes it."""
    return "\n".join(["```{toctree}", ":maxdepth: 1", f":caption: {title}", "", *entries, "```", ""])


def write_modules(work: pathlib.Path, folder: pathlib.Path) -> None:
    """Write the pages of all plugins with antsibull-docs. It finds this checkout as the installed collection."""
    compute = work / "collections" / "ansible_collections" / "cloudn" / "compute"
    compute.parent.mkdir(parents=True, exist_ok=True)
    compute.unlink(missing_ok=True)
    compute.symlink_to(ROOT)
    folder.mkdir()
    words = ["--use-current", "--squash-hierarchy", "--fail-on-error", "--no-add-antsibull-docs-version", "--dest-dir"]
    environment = {
        **os.environ,
        "PATH": f"{BIN}{os.pathsep}{os.environ.get('PATH', os.defpath)}",
        "ANSIBLE_COLLECTIONS_PATH": str(work / "collections"),
        "ANSIBLE_HOME": str(work / "ansible"),
        "HOME": str(work),  # it leaves a log at home
    }
    command: list[str | pathlib.Path] = [BIN / "antsibull-docs", "collection", *words, folder, "cloudn.compute"]
    subprocess.run(command, env=environment, check=True)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
