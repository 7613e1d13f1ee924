# Copyright: (c) 2026, the cloudn.compute authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The documentation's site: its contents, its links as GitHub and the site read them, and the check of links itself."""

from __future__ import annotations

import http.server
import pathlib
import posixpath
import re
import subprocess
import sys
import threading
from collections.abc import Iterator

import check
import known_names
import pages
import pytest
import yaml
from anchors import anchors
from pages import ROOT

DOCUMENTS = [ROOT / path for path in pages.pages() if path.endswith(".md")]


def test_every_guide_is_in_the_contents() -> None:
    files = {path.stem for path in ROOT.glob("docs/*.md")}
    assert files == {name for names in pages.guides().values() for name in names}
    listed = [name for names in pages.GUIDES.values() for name in names]
    assert len(listed) == len(set(listed))


def options(path: str) -> set[str]:
    """The options of a plugin, by its file in the project."""
    text = (ROOT / path).read_text()
    described = yaml.safe_load(re.findall(r'(?s)^DOCUMENTATION = r?"""(.*?)"""', text, re.MULTILINE)[0])
    fragments = [
        yaml.safe_load(code)
        for name in described.get("extends_documentation_fragment", [])
        if name.startswith("cloudn.compute.")
        for code in re.findall(
            r'(?s)    DOCUMENTATION = r"""(.*?)"""',
            (ROOT / "plugins" / "doc_fragments" / f"{name.split('.')[2]}.py").read_text(),
        )
    ]
    return {name for one in (described, *fragments) for name in one.get("options") or {}}


@pytest.mark.parametrize("path", DOCUMENTS, ids=lambda path: str(path.relative_to(ROOT)))
def test_links_lead_to_pages_and_anchors(path: pathlib.Path) -> None:
    """Each link leads to something on the site, and to the same on GitHub. A link to a module may name an option."""
    source = path.relative_to(ROOT).as_posix()
    for link in pages.links(path.read_text()):
        pages.on_site(source, link)
        file, _hash, anchor = link.removeprefix(pages.BLOB).partition("#")
        if not anchor or re.match(r"[a-z]+:", file):
            continue
        folder = "" if link.startswith(pages.BLOB) else posixpath.dirname(source)
        target = posixpath.normpath(posixpath.join(folder, file)) if file else source
        known = options(target) if target in pages.plugins() else anchors((ROOT / target).read_text())
        assert anchor in known, link


def test_a_link_to_nothing_is_named() -> None:
    with pytest.raises(pages.DeadLink, match=r"docs/site\.md: the link nothing\.md leads to docs/nothing\.md"):
        pages.rewritten("docs/site.md", "[x](nothing.md)")


def test_a_link_with_the_name_of_a_file_gets_its_title_on_the_site() -> None:
    text = "[rely-on.md](rely-on.md#is-it-mine), [site.md](../docs/site.md), [site](site.md), `[site.md](site.md)`"
    assert pages.rewritten("docs/ec2.md", text) == (
        "[](rely-on.md#is-it-mine), [](site.md), [site](site.md), `[site.md](site.md)`"
    )


@pytest.mark.parametrize(
    ("path", "link", "leads"),
    [
        ("docs/site.md", "rely-on.md#is-it-mine", "rely-on.md#is-it-mine"),
        ("examples/README.md", "../docs/site.md", "site.md"),
        ("docs/site.md", "site.svg", "site.svg"),
        ("emulator/README.md", pages.RAW + "docs/emulator-page.png", "emulator-page.png"),
        ("docs/site.md", "../examples/site.yml", pages.BLOB + "examples/site.yml"),
        ("README.md", pages.BLOB + "docs/ec2.md", "ec2.md"),
        ("docs/site.md", "../plugins/modules/cloudn_vm.py", "#ansible_collections.cloudn.compute.cloudn_vm_module"),
        (
            "docs/site.md",
            "../plugins/inventory/cloudn.py#cache",
            "#ansible_collections.cloudn.compute.cloudn_inventory__parameter-cache",
        ),
        ("docs/site.md", "https://semver.org/", "https://semver.org/"),
    ],
)
def test_links_are_written_anew_for_the_site(path: str, link: str, leads: str) -> None:
    assert pages.rewritten(path, f"[x]({link}) and `[x]({link})`") == f"[x]({leads}) and `[x]({link})`"


def test_names_in_the_guides_are_known() -> None:
    assert known_names.problems() == []


def test_a_name_that_nothing_has_is_found() -> None:
    text = "`cloudn_vn`, `cloudn.compute.cloudn_vm`, `wait_timout: 5`, `wait_timeout`, `staet: absent`\n```yaml\n`not_here`\n```\n"
    assert known_names.unknown(text, known_names.known()) == ["cloudn_vn", "wait_timout", "staet"]


@pytest.fixture(scope="module")
def answering() -> Iterator[str]:
    """A server that answers /NUMBER with that status, and by GET only."""

    class Answer(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(int(self.path[1:]))
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, *_words: object) -> None:
            pass

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Answer) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield f"http://127.0.0.1:{server.server_address[1]}"
        server.shutdown()
        thread.join()


def test_a_dead_link_is_told_from_one_that_was_not_reached(answering: str) -> None:
    closed = "http://127.0.0.1:1/"
    answers = check.asked([f"{answering}/{status}" for status in (200, 404, 410, 403, 503)] + [closed], seconds=5)
    assert answers.alive == [f"{answering}/200"]
    assert answers.dead == {f"{answering}/404": "HTTP 404", f"{answering}/410": "HTTP 410"}
    assert answers.unreached == {
        f"{answering}/403": "HTTP 403",
        f"{answering}/503": "HTTP 503",
        closed: "ConnectionError",
    }


def test_the_check_of_a_site(answering: str, tmp_path: pathlib.Path) -> None:
    """Faults inside the site, and links that leave it."""
    (tmp_path / "index.html").write_text(
        f'<h1 id="top"></h1><a href="#top"></a><a href="other.html#there"></a><a href="{answering}/404#x"></a>'
    )
    (tmp_path / "other.html").write_text('<p id="there"></p><a href="index.html#gone"></a><a href="gone.html"></a>')
    assert check.problems(tmp_path) == [
        "other.html: index.html#gone leads to no anchor of index.html",
        "other.html: gone.html leads to no file",
    ]
    (tmp_path / "other.html").write_text('<p id="there"></p><img src="https://elsewhere.example/x.png">')
    assert check.problems(tmp_path) == ["other.html loads https://elsewhere.example/x.png from elsewhere"]
    assert check.problems(tmp_path / "nothing") != []
    command = [sys.executable, str(ROOT / "docs" / "docsite" / "check.py"), "--external", str(tmp_path)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert done.stdout.splitlines() == [
        f"dead: {answering}/404 (HTTP 404), on index.html",
        "0 links answer, 1 are dead, 0 were not reached.",
    ]


def test_the_site_is_built(tmp_path: pathlib.Path) -> None:
    """All of it, as `make docs` does: no warning, no dead link, nothing from elsewhere, a page for each module."""
    command = [sys.executable, str(ROOT / "docs" / "docsite"), str(tmp_path)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    site = tmp_path / "html"
    expected = {*pages.pages().values(), *pages.plugins().values(), "index", "search"}
    assert [name for name in expected if not (site / f"{name}.html").is_file()] == []
    # Sphinx does not warn of these: the theme shows a second list of contents as an error.
    complaints = ('class="contents', 'class="system-message')
    assert [path.name for path in site.rglob("*.html") if any(word in path.read_text() for word in complaints)] == []
    assert 'href="modules/cloudn_job_module.html#' in (site / "large-fleets.html").read_text()
