# Copyright: (c) 2026, the cloudn.compute authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Checks the links of the built site: those inside it, and with --external those that leave it."""

from __future__ import annotations

import argparse
import pathlib
import sys
import urllib.parse
from collections.abc import Iterable, Iterator
from html.parser import HTMLParser
from typing import NamedTuple

import requests
from pages import ROOT
from pages import links as links_of

SITE = ROOT / ".docs" / "html"
# What a page loads when it is opened, by tag: the attribute with its address.
LOADED = {"img": "src", "script": "src", "link": "href", "iframe": "src", "source": "src"}
# The project's own addresses, which are there only after a release, and the service's, which are no pages.
NOT_ASKED = (
    "https://github.com/cloudn-compute",
    "https://galaxy.ansible.com/ui/repo/published/cloudn/compute",
    "https://comp-api",
)
SECONDS = 20
# Answers that say that there is no such page. Others may be a server's dislike of programs.
GONE = (404, 410)


class Page(HTMLParser):
    """A page: its anchors, its links, and what it loads."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.anchors: set[str] = set()
        self.links: list[str] = []
        self.loads: list[str] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = {name: value or "" for name, value in attrs}
        self.anchors |= {given[name] for name in ("id", "name") if name in given}
        if tag == "a" and "href" in given:
            self.links.append(given["href"])
        # Some links in the head are no files: those to this site's own name and the like.
        if LOADED.get(tag) in given and given.get("rel") not in ("canonical", "index", "search", "next", "prev"):
            self.loads.append(given[LOADED[tag]])


def read(site: pathlib.Path) -> dict[pathlib.Path, Page]:
    """Return all pages of a site."""
    return {path.resolve(): Page(path.read_text(encoding="utf-8")) for path in sorted(site.rglob("*.html"))}


def problems(site: pathlib.Path) -> list[str]:
    """Return what is wrong with the links inside a site, and what its pages load from elsewhere."""
    pages = read(site)
    found = [f"{site}: there is no page"] if not pages else []
    for path, page in pages.items():
        where = path.relative_to(site.resolve())
        for address in page.loads:
            if urllib.parse.urlsplit(address).netloc:
                found.append(f"{where} loads {address} from elsewhere")
        for address in [*page.links, *page.loads]:
            found += [f"{where}: {problem}" for problem in _inside(pages, path, address)]
    return found


def _inside(pages: dict[pathlib.Path, Page], path: pathlib.Path, address: str) -> Iterator[str]:
    link = urllib.parse.urlsplit(address)
    if link.scheme or link.netloc:
        return
    target = (path.parent / urllib.parse.unquote(link.path)).resolve() if link.path else path
    anchor = urllib.parse.unquote(link.fragment)
    if not target.is_file():
        yield f"{address} leads to no file"
    elif anchor and target in pages and anchor not in pages[target].anchors:
        yield f"{address} leads to no anchor of {target.name}"


def external(site: pathlib.Path, documents: Iterable[pathlib.Path] = ()) -> dict[str, list[str]]:
    """Return the addresses outside a site that its pages and these documents link to, each with the pages.

    Files of the project are looked for in the project, when the site is built. So their addresses are not among them.
    """
    links = [(str(path.relative_to(site.resolve())), page.links) for path, page in read(site).items()]
    links += [(path.name, list(links_of(path.read_text(encoding="utf-8")))) for path in documents]
    found: dict[str, list[str]] = {}
    for name, addresses in links:
        for address in addresses:
            if address.startswith(("http://", "https://")) and not address.startswith(NOT_ASKED):
                found.setdefault(urllib.parse.urldefrag(address).url, []).append(name)
    return found


class Answers(NamedTuple):
    """The addresses that answered, those that are dead, and those that were not reached. The last two with a reason."""

    alive: list[str]
    dead: dict[str, str]
    unreached: dict[str, str]


def asked(addresses: list[str], seconds: float = SECONDS) -> Answers:
    """Ask for each address. Dead is one whose server says so. Of one that was not reached nobody knows."""
    answers = Answers([], {}, {})
    with requests.Session() as session:
        session.headers["User-Agent"] = "cloudn.compute's check of links"
        for address in addresses:
            try:
                with session.get(address, timeout=seconds, stream=True) as answer:
                    status = answer.status_code
            except requests.RequestException as error:
                answers.unreached[address] = type(error).__name__
                continue
            if status in GONE:
                answers.dead[address] = f"HTTP {status}"
            elif status >= 400:
                answers.unreached[address] = f"HTTP {status}"
            else:
                answers.alive.append(address)
    return answers


def main() -> int:
    """Return the exit status: 1 if a link is dead. Links that were not reached are named, and are no error."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--external", action="store_true", help="ask for the addresses that leave the site")
    parser.add_argument(
        "site", nargs="?", type=pathlib.Path, default=SITE, help="folder of the built site (.docs/html)"
    )
    told = parser.parse_args()
    if not told.site.is_dir():
        print(f"{told.site} is not there; run `make docs` first", file=sys.stderr)
        return 1
    if not told.external:
        found = problems(told.site)
        print("\n".join(found) or "Each link inside the site leads to something.")
        return int(bool(found))
    where = external(told.site, [ROOT / "README.md"] if told.site == SITE else [])
    answers = asked(sorted(where))
    for word, failed in (("dead", answers.dead), ("not reached", answers.unreached)):
        for address, why in failed.items():
            print(f"{word}: {address} ({why}), on {', '.join(sorted(set(where[address]))[:3])}")
    print(
        f"{len(answers.alive)} links answer, {len(answers.dead)} are dead, {len(answers.unreached)} were not reached."
    )
    return int(bool(answers.dead))


if __name__ == "__main__":
    sys.exit(main())
