# Copyright: (c) 2026, the cloudn.compute authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Keyed groups of any options and values have the outcome of Ansible's own Constructable."""

from __future__ import annotations

from typing import Any

import pytest
from ansible import constants
from ansible.errors import AnsibleError
from ansible.inventory.data import InventoryData
from ansible.parsing.dataloader import DataLoader
from ansible.plugins.inventory import BaseInventoryPlugin
from ansible_collections.cloudn.compute.plugins.inventory import cloudn
from ansible_collections.cloudn.compute.plugins.module_utils.inventory.hosts import Wanted
from ansible_collections.cloudn.compute.plugins.module_utils.inventory.keyed_group import KeyedGroup, read_plain
from ansible_collections.cloudn.compute.plugins.module_utils.resources.vm import view as vm
from ansible_collections.cloudn.compute.plugins.plugin_utils.drafts import OLD_TEMPLATES, Drafts, as_data
from hypothesis import given, settings
from hypothesis import strategies as st

try:
    from ansible.template import trust_as_template
except ImportError:  # before 2.19 a text of a file is a template by itself

    def trust_as_template(value: str) -> str:
        return value


ROOTS = {"cloudn_v", "cloudn_tags", "cloudn_zone"}


class Inventory(InventoryData):
    """Ansible's inventory that does not put a group into itself, as the plugin."""

    def add_child(self, group: str, child: str) -> Any:
        try:
            return super().add_child(group, child)
        except Exception:  # no narrower kind is raised
            return False


class Plugin(cloudn.InventoryModule):
    """The plugin with options that come from no file."""

    def __init__(self, options: dict[str, Any]) -> None:
        super().__init__()
        self.given = {"strict": False, "leading_separator": True, "use_extra_vars": False, **options}
        BaseInventoryPlugin.parse(self, Inventory(), DataLoader(), "/nowhere/cloudn.yml")
        self.warned: list[str] = []
        self.asked = 0

    def get_option(self, name: str, *_more: Any, **_even: Any) -> Any:
        return self.given.get(name)

    def _compose(self, *arguments: Any, **more: Any) -> Any:
        self.asked += 1
        return super()._compose(*arguments, **more)

    def outcome(self) -> Any:
        """Return all groups in the order in which they were made, with their hosts and children, and hosts' variables."""
        groups = {
            name: ([host.name for host in group.hosts], [child.name for child in group.child_groups])
            for name, group in self.inventory.groups.items()
        }
        return list(groups.items()), {name: host.vars for name, host in self.inventory.hosts.items()}


def trusted(value: Any) -> Any:
    """Return an option as it comes out of a file."""
    if isinstance(value, dict):
        return {name: trusted(item) for name, item in value.items()}
    if isinstance(value, list):
        return [trusted(item) for item in value]
    return trust_as_template(value) if isinstance(value, str) else value


def machine(number: int, value: Any, tags: dict[str, Any]) -> dict[str, Any]:
    shaped = vm.to_result({"id": f"id{number}", "name": f"h-{number}", "zonename": "jp-e1a", "created": f"{number:04}"})
    return {**shaped, "v": value, "tags": tags}


def by_ansible(machines: list[dict[str, Any]], options: dict[str, Any]) -> tuple[Any, Plugin]:
    """Return what Ansible's own methods make of hosts, one after the other."""
    plugin = Plugin(options)
    for each in machines:
        name = each["name"]
        plugin.inventory.add_host(name)
        for key, value in each.items():
            plugin.inventory.set_variable(name, f"cloudn_{key}", as_data(value))
        variables = plugin.inventory.hosts[name].get_vars
        plugin._set_composite_vars(plugin.get_option("compose"), variables(), name, strict=plugin.given["strict"])
        plugin._add_host_to_composed_groups(
            plugin.get_option("groups"), variables(), name, strict=plugin.given["strict"]
        )
        plugin._add_host_to_keyed_groups(
            plugin.get_option("keyed_groups"), variables(), name, strict=plugin.given["strict"]
        )
    return plugin.outcome(), plugin


def by_the_plugin(machines: list[dict[str, Any]], options: dict[str, Any]) -> tuple[Any, Plugin]:
    plugin = Plugin(options)
    plugin._add(Drafts(plugin, Wanted(default_groups=False), "/nowhere/cloudn.yml").build(machines))
    return plugin.outcome(), plugin


def attempt(way: Any, machines: list[dict[str, Any]], options: dict[str, Any]) -> tuple[Any, Plugin | None]:
    """Return the outcome of one way, the text of the error where it is one."""
    try:
        return way(machines, options)
    except AnsibleError as error:
        return str(error), None


def same(machines: list[dict[str, Any]], **options: Any) -> Plugin | None:
    """Assert that the plugin does what Ansible does; return the plugin, unless it failed as Ansible did."""
    options = trusted(options)
    (expected, _theirs), (found, plugin) = (attempt(way, machines, options) for way in (by_ansible, by_the_plugin))
    assert found == expected
    return plugin


TEXT = st.text(max_size=6) | st.sampled_from(
    ["web", "a-b c", "True", "False", "None", "null", "[1, 2]", "{'a': 1}", "{x", "{{ cloudn_zone }}", "{% if %}", "80", " ", "\n"]
)  # fmt: skip
SCALAR = TEXT | st.none() | st.booleans() | st.integers(-9, 99) | st.floats(0, 1, width=16)
NAMES = st.sampled_from(["a", "b", "items", "keys", "role", "a b", "title", "_x", ""])
VALUE = st.recursive(
    SCALAR,
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(NAMES | st.integers(0, 2), inner, max_size=3)
        | st.lists(TEXT, max_size=2)
        | st.dictionaries(NAMES, TEXT, max_size=2)
    ),
    max_leaves=5,
)
PLAIN = ["cloudn_v", "cloudn_tags", "cloudn_zone", "cloudn_tags.role", "cloudn_tags['a b']", 'cloudn_v["a"]', "cloudn_v.a", "cloudn_v.a.b"]  # fmt: skip
# A template takes these for methods; of one, templates before 2.19 make a group by where it lies in memory.
METHODS = ["cloudn_tags.items", "cloudn_v.title", "cloudn_tags['keys']"]
OTHER = [
    *("cloudn_v[0]", "cloudn_v.0", "cloudn_tags._x", " cloudn_v "),
    *("cloudn_v | string", "cloudn_none.x", "nothing", "range", "true", "none", "", "cloudn_v }}", "cloudn_v ~ cloudn_zone"),
    *("cloudn_tags.role | default('none')", "inventory_hostname", "group_names", "cloudn_v[cloudn_zone]", "{{ cloudn_v }}", 5, None),
]  # fmt: skip
ENTRY = st.fixed_dictionaries(
    {"key": st.sampled_from(PLAIN) | st.sampled_from(OTHER if OLD_TEMPLATES else OTHER + METHODS)},
    optional={
        "prefix": st.sampled_from(["", "p", "1-", None, 7]),
        "separator": st.sampled_from(["", "_", "-", ":", None]),
        "parent_group": st.sampled_from(["", "zones", "a-b", None, "{{ cloudn_zone }}", "{{ nothing }}", "role_{{ cloudn_v }}"]),
        "default_value": st.sampled_from([None, "", "other", "{{ cloudn_zone }}", 3]),
        "trailing_separator": st.sampled_from([None, True, False]),
        "unknown": st.just("x"),
    },
)  # fmt: skip


@settings(deadline=None, max_examples=200)
@given(
    st.lists(st.tuples(VALUE, st.dictionaries(NAMES, SCALAR, max_size=3)), min_size=1, max_size=4),
    st.lists(ENTRY | st.sampled_from([None, {}, "x"]), min_size=1, max_size=3),
    st.sampled_from([False, True, None]),
    st.booleans(),
    st.sampled_from([{}, {}, {"cloudn_v": "cloudn_zone"}, {"other": "'x'"}]),
)
def test_any_keyed_groups_are_those_of_ansible(
    values: list[Any], entries: list[Any], leading: bool | None, strict: bool, compose: dict[str, str]
) -> None:
    machines = [machine(number, value, tags) for number, (value, tags) in enumerate(values)]
    same(machines, keyed_groups=entries, leading_separator=leading, strict=strict, compose=compose)


def test_group_names_have_the_parents_of_groups_too() -> None:
    same(
        [machine(1, "x", {"role": "web"}), machine(2, "y", {})],
        keyed_groups=[
            {"key": "cloudn_zone", "prefix": "zone", "parent_group": "zones"},
            {"key": "'zones'", "prefix": "", "separator": "", "parent_group": "places"},
            {"key": "group_names", "prefix": "in"},
        ],
    )


@pytest.mark.parametrize("name", sorted(machine(1, "x", {})))
def test_every_variable_can_be_a_plain_key(name: str) -> None:
    assert isinstance(read_plain({"key": f"cloudn_{name}"}, {f"cloudn_{name}"}, True), KeyedGroup)
    same([machine(1, "x", {"role": "web"})], keyed_groups=[{"key": f"cloudn_{name}", "prefix": "p"}])


@pytest.mark.parametrize("key", PLAIN)
def test_plain_keys_are_recognised(key: str) -> None:
    assert read_plain({"key": key}, ROOTS, True)
    assert not read_plain({"key": key}, ROOTS - {"cloudn_v", "cloudn_tags", "cloudn_zone"}, True)


@pytest.mark.parametrize(
    "entry",
    [
        *({"key": key} for key in OTHER + METHODS),
        {"key": "cloudn_v", "parent_group": "{{ cloudn_zone }}"},
        {"key": "cloudn_v", "default_value": "x", "trailing_separator": True},
        {"key": "cloudn_v", "unknown": 1},
        {"prefix": "x"},
        {},
        None,
    ],
    ids=str,
)  # fmt: skip
def test_keys_that_are_not_plain_are_left_to_ansible(entry: Any) -> None:
    known = read_plain(entry, ROOTS, True)
    # a name that a text has is one that a dictionary may hold: whether it is plain shows with the value
    assert known is None or (entry["key"] == "cloudn_v.title" and repr(known.value({"cloudn_v": "x"})) == "unsure")


def test_texts_need_no_template_and_other_values_one_for_all_hosts() -> None:
    machines = [
        machine(number, None if number % 3 else [], {"role": f"r{number}"} if number % 2 else {})
        for number in range(30)
    ]
    plugin = same(
        machines,
        keyed_groups=[
            {"key": "cloudn_tags.role", "prefix": "role"},
            {"key": "cloudn_name", "prefix": "name", "parent_group": "names"},
            {"key": "cloudn_v", "default_value": "none"},
        ],
    )
    assert plugin is not None
    assert plugin.asked == 2  # a missing tag, and null


def test_composed_variables_stand_for_others() -> None:
    plugin = same(
        [machine(1, "own", {})],
        compose={"cloudn_v": "cloudn_zone"},
        keyed_groups=[{"key": "cloudn_v"}, {"key": "cloudn_zone"}],
    )
    assert plugin is not None
    assert "_own" not in plugin.inventory.groups


def test_an_unsure_key_is_evaluated_for_each_host() -> None:
    """Numbers have this attribute, and it differs. The outcome is that of Ansible's version: an error or a group."""
    same([machine(1, 1, {}), machine(2, 2, {})], keyed_groups=[{"key": "cloudn_v.real"}])


def test_extra_variables_may_stand_for_others(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("ansible.plugins.inventory.load_extra_vars", lambda _loader: {"cloudn_v": "extra"})
    options: dict[str, Any] = {"keyed_groups": [{"key": "cloudn_v"}, {"key": "cloudn_zone"}], "use_extra_vars": True}
    plugin = same([machine(1, "own", {})], **options)
    assert plugin is not None
    assert "_extra" in plugin.inventory.groups


@pytest.mark.parametrize("behaviour", ["merge", "replace"])
def test_variables_of_another_source_count_where_ansible_says_so(
    monkeypatch: pytest.MonkeyPatch, behaviour: str
) -> None:
    """Variables of another source count where Ansible's settings say so."""
    monkeypatch.setattr(constants, "DEFAULT_HASH_BEHAVIOUR", behaviour)
    plugin = Plugin(trusted({"keyed_groups": [{"key": "cloudn_tags.site", "prefix": "site"}]}))
    plugin.inventory.add_host("h-1")
    plugin.inventory.set_variable("h-1", "cloudn_tags", {"site": "north"})
    plugin._add(Drafts(plugin, Wanted(), "/nowhere/cloudn.yml").build([machine(1, "x", {"role": "web"})]))
    assert ("site_north" in plugin.inventory.groups) is (behaviour == "merge")


@pytest.mark.skipif(not OLD_TEMPLATES, reason="always native since")
def test_native_templates_give_the_same_groups(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(constants, "DEFAULT_JINJA2_NATIVE", True)
    same([machine(1, "80", {}), machine(2, "web", {})], keyed_groups=[{"key": "cloudn_v"}])
