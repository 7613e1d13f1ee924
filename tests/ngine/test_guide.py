# Copyright: (c) 2026, the cloudn.compute authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The guide for those who come from ngine_io.cloudstack names everything that there is, and nothing that there is not."""

from __future__ import annotations

import functools
import re
from collections.abc import Iterator
from typing import Any

import guide
import pytest
from ansible.plugins.loader import fragment_loader
from ansible.utils.plugin_docs import get_docstring
from guide import MAPPING, MODULES, NAMES, PAGE, Row, covered, filled, rows
from sides import Side

TEXT = PAGE.read_text()
ELSEWHERE = [module for group in MAPPING["elsewhere"] for module in group["modules"]]
# How `values` write what the user has to fill in.
TO_FILL_IN = {"NAME", "URL", "FORMAT"}


@functools.cache
def documented(kind: str, name: str) -> tuple[dict[str, Any], dict[str, Any]]:
    """Return the documented options and return values of a plugin of the collection."""
    path = str(guide.ROOT / "plugins" / kind / f"{name}.py")
    described, _examples, returned, _metadata = get_docstring(path, fragment_loader, collection_name="cloudn.compute")
    return described["options"], returned or {}


def paths(fields: dict[str, Any], inner: str, prefix: str = "") -> Iterator[str]:
    """Yield the names of options or return values, those within a list as `list[].name`."""
    for name, about in fields.items():
        yield prefix + name
        mark = "[]" if about.get("type") == "list" else ""
        yield from paths(about.get(inner) or {}, inner, f"{prefix}{name}{mark}.")


def counterparts(found: list[Row], prefix: str = "") -> set[str]:
    return {prefix + one for row in found for one in row.to}


def test_the_page_is_up_to_date() -> None:
    assert filled(TEXT) == TEXT, "python tests/ngine/guide.py"
    assert set(re.findall(r"<!-- table: (\w+) -->", TEXT)) == set(guide.PARTS)
    assert TEXT.count("<!-- table:") == TEXT.count("<!-- end -->") == len(guide.PARTS)


def test_every_module_is_named_once() -> None:
    assert sorted([*MODULES, *ELSEWHERE]) == sorted(NAMES["modules"])
    for group in MAPPING["elsewhere"]:
        assert group["title"]
        assert group["way"]


@pytest.mark.parametrize("kind", ["options", "returns"])
@pytest.mark.parametrize("module", MODULES)
def test_every_option_and_return_value_is_named(module: str, kind: str) -> None:
    assert {row.name for row in covered(module, kind)} == set(NAMES["modules"][module][kind])
    for row in covered(module, kind):
        assert row.to or row.note, row


@pytest.mark.parametrize("module", MODULES)
def test_counterparts_are_documented(module: str) -> None:
    about = MODULES[module]
    options, returned = documented("modules", about["to"])
    prefix = f"{about['in']}." if about["in"] else ""
    assert counterparts(covered(module, "options")) <= set(paths(options, "suboptions"))
    assert counterparts(covered(module, "returns"), prefix) <= set(paths(returned, "contains"))
    assert about.get("shown", about["in"].removesuffix("[]")) in {*returned, ""}


@pytest.mark.parametrize("module", [name for name, about in MODULES.items() if about.get("values")])
def test_every_value_has_its_counterpart(module: str) -> None:
    options, _returned = documented("modules", MODULES[module]["to"])
    for option, values in MODULES[module]["values"].items():
        assert set(values) == set(NAMES["modules"][module]["options"][option]["choices"])
        for name, value in [pair for new in values.values() for pair in new.items()]:
            assert name in options
            choices = options[name].get("choices")
            assert value in TO_FILL_IN or value in (choices or [True, False]), (name, value)


@pytest.mark.parametrize("module", MODULES)
def test_values_that_a_note_leaves_out_are_the_only_ones_missing(module: str) -> None:
    """An option of the same name takes the same values, but for those that its note says it lacks."""
    options, _returned = documented("modules", MODULES[module]["to"])
    for row in covered(module, "options"):
        values = NAMES["modules"][module]["options"][row.name].get("choices")
        if not values or len(row.to) != 1 or "[]" in row.to[0] or row.name in MODULES[module].get("values", {}):
            continue
        missing = set(values) - set(options[row.to[0]].get("choices") or values)
        assert missing == set(re.findall(r"Without `(\w+)`", row.note)), row.name


def test_the_inventory_is_covered() -> None:
    parts, theirs = MAPPING["inventory"], NAMES["inventory"]
    options, _returned = documented("inventory", "cloudn")
    assert [set(parts["options"]), set(parts["variables"])] == [set(theirs["options"]), set(theirs["variables"])]
    assert counterparts(rows(parts["options"])) <= set(options)
    assert options["hostvars_prefix"]["default"] == guide.PREFIX_OF_VARIABLES
    _options, returned = documented("modules", "cloudn_vm_info")
    assert counterparts(rows(parts["variables"]), "vms[].") <= set(paths(returned, "contains"))
    assert {"strict", "compose", "groups", "keyed_groups"} <= set(options)


def test_the_connection_and_the_lookup_are_covered() -> None:
    options, _returned = documented("modules", "cloudn_api")
    assert set(MAPPING["connection"]) == set(NAMES["connection"])
    assert counterparts(rows(MAPPING["connection"])) <= set(options)
    assert set(MAPPING["lookup"]) == set(NAMES["lookup"])
    assert set(MAPPING["lookup"].values()) <= set(options)


def test_plugins_that_the_page_names_exist() -> None:
    """Every module, inventory and command of the old collection that the page names is one."""
    ours = {path.stem for path in guide.ROOT.glob("plugins/modules/cloudn_*.py")}
    words = set(re.findall(r"cloudn_[a-z_]+", TEXT)) - {
        "cloudn_tags",
        "cloudn_service_offering",
        "cloudn_",
        "cloudn_zone",
    }
    variables = {f"cloudn_{word}" for word in NAMES["inventory"]["variables"]} | {
        "cloudn_default_ip",
        "cloudn_ha",
        "cloudn_nics",
    }
    assert words - variables <= ours, words - variables - ours
    theirs = set(re.findall(r"ngine_io\.cloudstack\.([a-z_]+)", TEXT)) - {"cloudstack", "api"}
    assert theirs <= set(NAMES["modules"]), theirs - set(NAMES["modules"])


def test_links_within_the_page_lead_somewhere() -> None:
    titles = re.findall(r"^#+ (.*)$", TEXT, re.MULTILINE)
    anchors = {re.sub(r"[^\w\- ]", "", title.lower()).replace(" ", "-") for title in titles}
    assert len(titles) == len(set(titles))
    assert set(re.findall(r"\]\(#([^)]*)\)", TEXT)) <= anchors


def test_the_names_are_those_of_the_real_collection(theirs: Side) -> None:
    assert guide.asked_names(theirs) == guide.NAMES_FILE.read_text()
