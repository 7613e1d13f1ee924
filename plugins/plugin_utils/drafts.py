# Copyright: (c) 2026, the cloudn.compute authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Drafts: hosts with their composed variables and groups, before they are in Ansible's inventory."""

from __future__ import annotations

import functools
import os.path
import typing as t

from ansible import constants as C
from ansible.errors import AnsibleParserError
from ansible.utils.vars import combine_vars
from ansible_collections.cloudn.compute.plugins.module_utils.inventory import hosts
from ansible_collections.cloudn.compute.plugins.module_utils.inventory.keyed_group import (
    UNSURE,
    KeyedGroup,
    Members,
    key_of,
    read_plain,
)

try:
    # From 2.19 on, texts are data unless they are marked as templates. Before, they are templates unless marked as data.
    from ansible.template import is_trusted_as_template as _values_are_data_by_themselves  # noqa: F401

    OLD_TEMPLATES = False

    def as_data(value: t.Any) -> t.Any:
        """Return a copy of a value that Ansible takes for data."""
        if isinstance(value, dict):
            return {name: as_data(item) for name, item in value.items()}
        return [as_data(item) for item in value] if isinstance(value, list) else value

except ImportError:
    from ansible.utils.unsafe_proxy import wrap_var as as_data  # type: ignore[no-redef]

    OLD_TEMPLATES = True

# How often hosts are named again because a group has the name of a host. Twice is enough, unless groups are made from the
# names of hosts themselves.
_ROUNDS = 10


class Draft:
    """A host before it is in the inventory. It stands in for the inventory while Constructable works on this host.

    So the names of all groups are known before any host gets its name. Where a group and a host have one name, Ansible
    takes the group, even to set variables.
    """

    __slots__ = ("composed", "host", "members", "name", "_known", "_variables")

    def __init__(self, host: hosts.Host, known: t.Callable[[str], dict[str, t.Any]]) -> None:
        self.host = host
        self.name = host.name
        self.members: Members = [(group, None) for group in host.groups]
        self.composed: dict[str, t.Any] = {}
        self._known = known
        self._variables: dict[str, t.Any] | None = None

    @property
    def variables(self) -> dict[str, t.Any]:
        """The host's variables without composed ones, marked as data for Ansible."""
        if self._variables is None:
            self._variables = {name: as_data(value) for name, value in self.host.variables.items()}
            if self.host.address:
                self._variables["ansible_host"] = as_data(self.host.address)
        return self._variables

    def get_host(self, _name: str) -> Draft:
        return self

    def get_vars(self) -> dict[str, t.Any]:
        """Return the variables that expressions may use."""
        magic = {
            "inventory_hostname": as_data(self.name),
            "inventory_hostname_short": as_data(self.name.split(".")[0]),
            "group_names": sorted(self._group_names()),
        }
        return functools.reduce(combine_vars, (self._known(self.name), self.variables, self.composed, magic))

    def _group_names(self) -> set[str]:
        """Return the host's groups and the parents of these."""
        names = {group for group, child in self.members if child is None}
        parents = {group for group, child in self.members if child in names}
        while not parents <= names:
            names |= parents
            parents = {group for group, child in self.members if child in names}
        return names

    def set_variable(self, _host: str, name: str, value: t.Any) -> None:
        self.composed[name] = value

    def add_group(self, name: str) -> str:
        return name

    def add_host(self, _host: str, group: str) -> None:
        self.members.append((group, None))

    def add_child(self, group: str, child: str) -> None:
        self.members.append((group, None if child == self.name else child))


class Drafts:
    """Makes the drafts of one inventory file.

    ``plugin`` is an inventory plugin that is a Constructable. Its methods for ``compose``, ``groups`` and ``keyed_groups``
    do the work. ``path`` is the inventory file.
    """

    def __init__(self, plugin: t.Any, wanted: hosts.Wanted, path: str) -> None:
        self._plugin = plugin
        self._wanted = wanted
        self._source = {"inventory_file": path, "inventory_dir": os.path.dirname(path)}
        self._hosts = plugin.inventory.hosts
        self._constructs: list[t.Callable[[Draft], None]] = []

    def build(self, machines: list[hosts.Record]) -> list[Draft]:
        """Return the hosts for the machines, with their variables and groups. Warns of names that are not as wanted."""
        self._constructs = [*self._compositions(), *self._keyed_groups(machines)]
        taken, elsewhere = set(self._plugin.inventory.groups), self._hosts_of_others(machines)
        id_variable = self._wanted.hostvars_prefix + "id"
        drafts: dict[tuple[str, str], Draft] = {}
        for _round in range(_ROUNDS):
            found, warnings = hosts.build(machines, self._wanted, taken, elsewhere)
            identified = {(host.name, host.variables[id_variable]): host for host in found}
            drafts = {key: drafts.get(key) or self._draft(host) for key, host in identified.items()}
            groups = {group for draft in drafts.values() for group, _child in draft.members}
            if taken.issuperset(groups.intersection(host.name for host in found)):
                break
            taken |= groups
        else:
            raise AnsibleParserError(
                "keyed_groups, groups: make groups of the names of hosts, so that no host can have a name"
            )
        for warning in warnings:
            self._plugin.warn(warning)
        return list(drafts.values())

    def _hosts_of_others(self, machines: list[hosts.Record]) -> set[str]:
        """Return the names of hosts that another source made of other machines, for example of another region."""
        ids, variable = {machine["id"] for machine in machines}, self._wanted.hostvars_prefix + "id"
        return {name for name, host in self._hosts.items() if variable in host.vars and host.vars[variable] not in ids}

    def _draft(self, host: hosts.Host) -> Draft:
        """Return a host with its composed variables and groups."""
        draft = Draft(host, self._known)
        for construct in self._constructs:
            construct(draft)
        return draft

    def _known(self, name: str) -> dict[str, t.Any]:
        """Return the variables that a host has from elsewhere."""
        return self._hosts[name].get_vars() if name in self._hosts else self._source

    def _compositions(self) -> t.Iterator[t.Callable[[Draft], None]]:
        """Yield functions that apply ``compose`` and ``groups`` to a draft, in this order."""
        methods = {"compose": self._plugin._set_composite_vars, "groups": self._plugin._add_host_to_composed_groups}
        for option, method in methods.items():
            value = self._plugin.get_option(option)
            if value:
                yield functools.partial(self._construct, method, value)

    def _keyed_groups(self, machines: list[hosts.Record]) -> t.Iterator[t.Callable[[Draft], None]]:
        """Yield functions that apply the entries of ``keyed_groups`` to a draft."""
        variables = self._data_variables(machines)
        separator = self._plugin.get_option("leading_separator") is not False
        for entry in self._plugin.get_option("keyed_groups") or []:
            keyed = read_plain(entry, variables, separator)
            if keyed:
                yield functools.partial(self._add_to_plain_groups, keyed)
            else:
                yield functools.partial(self._construct, self._plugin._add_host_to_keyed_groups, [entry])

    def _data_variables(self, machines: list[hosts.Record]) -> set[str]:
        """Return the names of variables that have the service's values in every expression. Others can't replace them."""
        if not machines or C.DEFAULT_HASH_BEHAVIOUR == "merge" or (OLD_TEMPLATES and C.DEFAULT_JINJA2_NATIVE):
            return set()
        names = {self._wanted.hostvars_prefix + name for name in machines[0]}
        extra = self._plugin._vars if self._plugin.get_option("use_extra_vars") else ()
        return names.difference(self._plugin.get_option("compose") or (), extra)

    def _construct(self, method: t.Callable[..., None], option: t.Any, draft: Draft) -> None:
        """Let a method of Constructable work on a draft."""
        plugin = self._plugin
        inventory, plugin.inventory = plugin.inventory, draft
        try:
            method(option, draft.get_vars(), draft.name, strict=plugin.get_option("strict"))
        finally:
            plugin.inventory = inventory

    def _add_to_plain_groups(self, keyed: KeyedGroup, draft: Draft) -> None:
        """Put a draft into the groups of an entry with a plain key. Ansible is asked once for a value that only it can read."""
        value = keyed.value(draft.host.variables)
        key = key_of(value)
        found = keyed.known.get(key)
        if found is None:
            found = keyed.members(value)
        if found is None:
            before = len(draft.members)
            self._construct(self._plugin._add_host_to_keyed_groups, [keyed.entry], draft)
            found = draft.members[before:]
        else:
            draft.members += found
        if value is not UNSURE:
            keyed.known[key] = found
