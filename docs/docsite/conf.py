# Copyright: (c) 2026, the cloudn.compute authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Settings of Sphinx for the site, and how code in a guide that is a module's name becomes a link. __main__.py builds it."""

from __future__ import annotations

import pathlib
import re
import sys
from typing import Any

import yaml
from docutils import nodes
from sphinx import addnodes
from sphinx.application import Sphinx
from sphinx.transforms import SphinxTransform

sys.path.insert(0, str(pathlib.Path(__file__).parent))

from pages import ROOT, label, plugins

project = "cloudn.compute"
author = "the cloudn.compute authors"
copyright = f"2026, {author}"
release = version = yaml.safe_load((ROOT / "galaxy.yml").read_text())["version"]

extensions = ["myst_parser", "sphinx_antsibull_ext"]
source_suffix = {".rst": "restructuredtext", ".md": "markdown"}
myst_heading_anchors = 4
nitpicky = True
highlight_language = "none"
pygments_style = "ansible"

# Everything that a page needs is in the site itself.
html_theme = "furo"
html_static_path = ["site.css"]
html_css_files = ["site.css"]
html_title = f"cloudn.compute {version}"
html_copy_source = False
html_show_sphinx = False
html_use_index = False
templates_path: list[str] = []
html_theme_options = {
    "source_repository": "https://github.com/cloudn-compute/cloudn.compute/",
    "top_of_page_buttons": [],
}

_ANSIBLE = "https://docs.ansible.com/projects/ansible/latest/"
# Where Ansible's own documentation has what the pages of the modules refer to. Nothing is downloaded for it.
_ELSEWHERE = (
    (re.compile(r"(action|inventory)_plugins"), r"plugins/\1.html"),
    (re.compile(r"common_return_values"), "reference_appendices/common_return_values.html"),
    (re.compile(r"ansible_configuration_settings"), "reference_appendices/config.html"),
    (re.compile(r"(ANSIBLE_\w+)"), r"reference_appendices/config.html#envvar-\1"),
    (re.compile(r"ansible_collections\.ansible\.builtin\.(\w+)"), r"collections/ansible/builtin/\1.html"),
)
_NAMES = {pathlib.Path(path).stem: path for path in plugins() if pathlib.Path(path).stem != "cloudn"}


def without_contents(_app: Sphinx, _page: str, source: list[str]) -> None:
    """Take out the list of a page's parts. The theme has it in the margin, and marks another one as an error."""
    source[0] = re.sub(r"(?m)^\.\. contents::.*\n(   :.*\n)*", "", source[0])


def elsewhere(_app: Sphinx, _env: Any, node: addnodes.pending_xref, shown: nodes.Node) -> nodes.Node | None:
    """Return a link to Ansible's documentation for a reference that is known to be there."""
    for pattern, page in _ELSEWHERE:
        found = pattern.fullmatch(node["reftarget"])
        if found:
            return nodes.reference("", "", shown, internal=False, refuri=_ANSIBLE + found.expand(page))
    return None


class ModuleLinks(SphinxTransform):
    """Makes a link of each module's name that stands as code in a guide, but not in titles and in other links."""

    default_priority = 5

    def apply(self, **_more: Any) -> None:
        if pathlib.Path(self.env.doc2path(self.env.docname)).suffix != ".md":
            return
        for literal in list(self.document.findall(nodes.literal)):
            path = _NAMES.get(literal.astext().removeprefix("cloudn.compute."))
            if path and not _is_in(literal, nodes.title, nodes.reference, addnodes.pending_xref):
                link = addnodes.pending_xref(
                    "", literal.deepcopy(), refdomain="std", reftype="ref", refexplicit=True, reftarget=label(path)
                )
                link["refdoc"], link["refwarn"] = self.env.docname, True
                literal.replace_self(link)


def _is_in(node: nodes.Node, *kinds: type[nodes.Node]) -> bool:
    while node.parent is not None:
        node = node.parent
        if isinstance(node, kinds):
            return True
    return False


def setup(app: Sphinx) -> dict[str, Any]:
    app.add_transform(ModuleLinks)
    app.connect("source-read", without_contents)
    app.connect("missing-reference", elsewhere)
    return {"parallel_read_safe": True}
