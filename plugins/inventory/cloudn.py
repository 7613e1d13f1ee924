# Copyright: (c) 2026, the cloudn.compute authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The dynamic inventory: cache, list of virtual machines, pure build of hosts, Ansible's inventory."""

from __future__ import annotations

DOCUMENTATION = r"""
name: cloudn
short_description: Cloudn Compute virtual machines as hosts
version_added: 0.1.0
description:
  - Creates a host for every virtual machine (VM). Its variables are what the service knows about the VM. The hosts
    are in groups by zone, tag, security group and more.
  - Requires a configuration file with a name that ends in C(cloudn.yml) or C(cloudn.yaml).
author:
  - The cloudn.compute authors (@cloudn-compute)
options:
  plugin:
    description:
      - Says that the file is for this plugin.
    type: str
    required: true
    choices: [cloudn.compute.cloudn]
  zones:
    description:
      - Only VMs in these zones, given by name or id. An empty list means all zones.
    type: list
    elements: str
    default: []
  states:
    description:
      - Only VMs in these states, for example V(Running) or V(Stopped). An empty list means all states but those of
        destroyed VMs.
    type: list
    elements: str
    default: [Running]
  filters:
    description:
      - Other filters, as the API's command C(listVirtualMachines) takes them.
      - C(tags) is a dictionary. A VM must have all of these tags. Each other filter has one value.
    type: dict
    default: {}
  hostnames:
    description:
      - Names of a host in order of preference. The host gets the first one that the VM has. It gets the VM's id if
        the VM has none.
      - V(name), V(display_name), V(default_ip), V(id), or V(tag:KEY) for the value of a tag. Case, accents and blanks
        at the end of a key do not count.
      - If two VMs would have the same name, the VM that was created later is called C(name_<id>). A warning says so.
        The same happens if another source of the inventory has given the name to a different machine. That source may
        be for another region.
      - A value that cannot be the name of a host is skipped with a warning. The name of a group and a name with a
        special meaning such as V(localhost) are such values. So is a value that holds a slash, control characters or
        the marks of a template. So is a value that begins with a hyphen.
    type: list
    elements: str
    default: [name]
  connect_with:
    description:
      - Value of C(ansible_host).
      - V(default_ip), V(name), V(display_name), V(id), V(tag:KEY) for the value of a tag, or V(none) to leave it
        unset. It also stays unset if the VM does not have the value or if the value is not an address.
    type: str
    default: default_ip
  hostvars_prefix:
    description:
      - Prefix of the variable names.
    type: str
    default: cloudn_
  default_groups:
    description:
      - Whether hosts are put into the groups C(zone_*), C(network_*), C(security_group_*), C(tag_KEY_VALUE),
        C(group_*), C(template_*), C(service_offering_*) and C(state_*).
      - In their names every character becomes an underscore unless it is a letter, a digit or an underscore.
    type: bool
    default: true
extends_documentation_fragment:
  - cloudn.compute.connection.plugin
  - constructed
  - inventory_cache
notes:
  - The run ends with an error if the service cannot be reached or refuses. It also does so if an option is wrong. By
    default Ansible would go on with an inventory that lacks these hosts. Set C(any_unparsed_is_failed) to V(false) in
    the section C(inventory) of Ansible's configuration to allow that. E(ANSIBLE_INVENTORY_ANY_UNPARSED_IS_FAILED)
    does the same. The whole source is then left out with a warning. A file that is not YAML does not reach this
    plugin. Only that setting decides whether such a file ends the run.
  - The variables are the same as the return values of a VM in M(cloudn.compute.cloudn_vm_info) with
    O(hostvars_prefix) in front.
  - Names, tags and other values are data. They are never evaluated as templates. In names of groups every character
    becomes an underscore unless it is a letter, a digit or an underscore. This is so for O(keyed_groups) too.
  - A C(key) of O(keyed_groups) may be just the name of a variable or a path such as C(cloudn_tags.role). Such a key
    is looked up without a template. This makes the inventory of many VMs twice as fast.
  - Expressions in O(compose), O(groups) and O(keyed_groups) may use the variables, C(ansible_host),
    C(inventory_hostname), C(group_names) with the default groups, C(inventory_dir) and C(inventory_file).
  - The cache answers only a request with the same O(api_url), O(api_key), O(account), O(domain_id), O(zones),
    O(states) and O(filters). It does not hold the key or the secret. C(ansible.builtin.jsonfile) writes files that
    every user of the computer may read. They hold for example names and addresses. So let O(cache_connection) be a
    folder that only you may enter (C(mkdir -m 700)).
  - The service fails on a VM whose SSH key pair was deleted or replaced, and on every list that would show it. The
    plugin finds such a VM with at most 2 log2 n + 2 more requests among n VMs. The VM is a host without its key pair
    and hardware addresses. A warning says which VM it is and what to do.
  - The plugin sends one request for fewer than 50 VMs. For more VMs it sends about one for every 450. It sends at
    most eight beyond that. O(zones) cost one more. It sends them over up to eight connections at once. It uses more
    connections if the service takes longer.
"""

EXAMPLES = r"""
# The running VMs, reached by their default address. The environment variables CLOUDN_API_KEY and CLOUDN_API_SECRET
# have the keys.
plugin: cloudn.compute.cloudn
---
# Web servers of one zone with their display names. Their tag "tier" groups them. The cache keeps them for ten minutes.
plugin: cloudn.compute.cloudn
zones:
  - jp-e1a
states: [Running, Stopped]
filters:
  tags:
    role: web
hostnames:
  - display_name
  - name
keyed_groups:
  - key: cloudn_tags.tier
    prefix: tier
groups:
  large: cloudn_memory >= 8192
compose:
  ansible_user: "'root'"
  ansible_port: cloudn_tags.ssh_port | default(22)
cache: true
cache_plugin: ansible.builtin.jsonfile
cache_connection: ~/.cache/cloudn-inventory
cache_timeout: 600
"""

import contextlib
import difflib
import functools
import gc
import hashlib
import json
import os.path
import re
import typing as t

from ansible import constants as C
from ansible.errors import AnsibleError, AnsibleParserError
from ansible.plugins.inventory import BaseInventoryPlugin, Cacheable, Constructable
from ansible.utils.vars import combine_vars
from ansible_collections.cloudn.compute.plugins.module_utils.resources import hosts
from ansible_collections.cloudn.compute.plugins.module_utils.resources.keyed_group import (
    UNSURE,
    KeyedGroup,
    Members,
    key_of,
    plain,
)

try:
    # From 2.19 on, texts are data unless they are marked as templates; before, they are templates unless marked as data.
    from ansible.template import is_trusted_as_template as _values_are_data_by_themselves  # noqa: F401

    _OLD_TEMPLATES = False

    def as_data(value: t.Any) -> t.Any:
        """Return a value as Ansible takes it for data; what is inside of it is the caller's no more."""
        if isinstance(value, dict):
            return {name: as_data(item) for name, item in value.items()}
        return [as_data(item) for item in value] if isinstance(value, list) else value

except ImportError:
    from ansible.utils.unsafe_proxy import wrap_var as as_data  # type: ignore[no-redef]

    _OLD_TEMPLATES = True

# What listVirtualMachines takes beyond what has an option of its own; declared by CloudStack 3.0.5.
FILTERS = (
    "forvirtualnetwork",
    "groupid",
    "hostid",
    "hypervisor",
    "id",
    "isoid",
    "isrecursive",
    "keyword",
    "listall",
    "name",
    "networkid",
    "podid",
    "projectid",
    "storageid",
    "tags",
    "templateid",
)
# Those of CloudStack 3.0.5; another version may know more.
STATES = (
    "Starting",
    "Running",
    "Stopping",
    "Stopped",
    "Destroyed",
    "Expunging",
    "Error",
    "Migrating",
    "Shutdowned",
    "Unknown",
)
CONNECTION = (
    "api_url",
    "api_key",
    "api_secret",
    "api_timeout",
    "api_retries",
    "validate_certs",
    "ca_path",
    "response_format",
    "signature_expires",
    "account",
    "domain_id",
)

# How often hosts are named anew because a group turned out to have the name of one. Twice is enough, unless groups are
# made of the names themselves.
_ROUNDS = 10


@contextlib.contextmanager
def _collector_paused() -> t.Iterator[None]:
    """Do without the search for cycles: all that is made here stays, and to look through it again and again takes longer
    than to make it.
    """
    enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if enabled:
            gc.enable()


class Draft:
    """A host before it is in the inventory: stands in for the inventory while Constructable works on this host.

    So all names of groups are known before any host gets its name: to Ansible, of a group and a host with one name, the
    group has precedence, even where variables are set.
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
        """The host's variables without composed ones, as Ansible takes them for data."""
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
            "group_names": sorted({group for group, child in self.members if child is None}),
        }
        return functools.reduce(combine_vars, (self._known(self.name), self.variables, self.composed, magic))

    def set_variable(self, _host: str, name: str, value: t.Any) -> None:
        self.composed[name] = value

    def add_group(self, name: str) -> str:
        return name

    def add_host(self, _host: str, group: str) -> None:
        self.members.append((group, None))

    def add_child(self, group: str, child: str) -> None:
        self.members.append((group, None if child == self.name else child))


def _draft(
    host: hosts.Host, constructs: list[t.Callable[[Draft], None]], known: t.Callable[[str], dict[str, t.Any]]
) -> Draft:
    """Return a host with what the constructs make of it."""
    draft = Draft(host, known)
    for construct in constructs:
        construct(draft)
    return draft


class InventoryModule(BaseInventoryPlugin, Constructable, Cacheable):
    """The inventory plugin ``cloudn.compute.cloudn``."""

    NAME = "cloudn.compute.cloudn"
    inventory: t.Any  # Ansible's, or a draft in its place
    # Ansible's own leaves characters as they are unless it is told otherwise; names come from values of the service.
    _sanitize_group_name = staticmethod(hosts.safe_group)

    def verify_file(self, path: str) -> bool:
        """Tell whether a file may be a configuration of this plugin, by its name."""
        return super().verify_file(path) and path.endswith(("cloudn.yml", "cloudn.yaml"))

    def parse(self, inventory: t.Any, loader: t.Any, path: str, cache: bool = True) -> None:
        """Fill the inventory from the configuration file ``path``. Raises ``AnsibleParserError``."""
        super().parse(inventory, loader, path, cache)
        try:
            self._check_options(self._read_config_data(path))
            wanted = self._wanted()
            with _collector_paused():
                drafts = self._drafts(self._machines(path, cache), wanted, path)
                self._add(drafts)
        except Exception:
            # Whatever a plugin raises, Ansible leaves the source out with a warning and goes on, so that a play runs on
            # some of the hosts, or on none, and ends well. This makes it end the run, unless the user has said which it
            # shall be. A file that is another plugin's is no failure.
            setting = "INVENTORY_ANY_UNPARSED_IS_FAILED"
            if self._is_for_this(path) and C.config.get_config_value_and_origin(setting)[1] == "default":
                C.INVENTORY_ANY_UNPARSED_IS_FAILED = True
            raise

    def _is_for_this(self, path: str) -> bool:
        """Tell whether a file says that it is for this plugin."""
        try:
            content = self.loader.load_from_file(path, cache="none")
        except AnsibleError:
            return False
        return isinstance(content, dict) and content.get("plugin") == self.NAME

    def _check_options(self, given: t.Mapping[str, t.Any]) -> None:
        """Raise ``AnsibleParserError`` for options that there are not; Ansible would overlook them."""
        for name in given:
            if name not in self._options:
                close = difflib.get_close_matches(str(name), self._options, 1)
                hint = f"do you mean {close[0]}?" if close else f"there are {', '.join(sorted(self._options))}"
                raise AnsibleParserError(f"{name}: there is no option of this name; {hint}")

    def _wanted(self) -> hosts.Wanted:
        """Return the options on hosts, checked."""
        problems = [hosts.check_word(word, "hostnames", hosts.HOSTNAMES) for word in self._given("hostnames")]
        problems.append(hosts.check_word(self.get_option("connect_with"), "connect_with", hosts.CONNECT_WITH))
        prefix = self.get_option("hostvars_prefix")
        if not re.match(r"([A-Za-z_]\w*)?\Z", prefix, re.ASCII):
            problems.append(
                f"hostvars_prefix: {prefix!r} can't begin a variable's name; use letters, digits and underscores"
            )
        problems.extend(self._filter_problems())
        problem = next(filter(None, problems), None)
        if problem:
            raise AnsibleParserError(problem)
        known = {state.lower() for state in STATES}
        for state in self._given("states"):
            if state.lower() not in known:
                self.display.warning(
                    f"states: {state!r} is no state that is known here, so machines may be missing; known are {', '.join(STATES)}"
                )
        return hosts.Wanted(
            self._given("hostnames"), self.get_option("connect_with"), prefix, self.get_option("default_groups")
        )

    def _given(self, option: str) -> t.Any:
        """Return a list or dictionary that may have been left empty in the file; a list's items are texts."""
        value = self.get_option(option)
        if option == "filters":
            return value or {}
        for item in value or []:
            if not isinstance(item, str):
                raise AnsibleParserError(f"{option}: {item!r} must be a text; put it in quotes")
        return value or []

    def _filter_problems(self) -> t.Iterator[str]:
        """Yield what is wrong with the filters. A filter without a value would be left out, and find too much."""
        filters = self._given("filters")
        unknown = sorted(str(name) for name in filters if name not in FILTERS)
        if unknown:
            yield (
                f"filters: {', '.join(unknown)}: not known; there are {', '.join(FILTERS)} (zones, states and account are "
                "options of their own)"
            )
        tags = filters.get("tags", {})
        if not isinstance(tags, dict):
            yield f"filters: tags: must be a dictionary, not {tags!r}; write tags: {{KEY: VALUE}}"
            tags = {}
        single = {name: value for name, value in filters.items() if name != "tags"}
        for name, value in [*single.items(), *((f"tags: {key}", value) for key, value in tags.items())]:
            if isinstance(value, (dict, list)):
                yield f"filters: {name}: must be one value, not {value!r}"
            if value is None or value == "":
                yield f"filters: {name}: has no value; give one, or leave the filter out"

    def _machines(self, path: str, cache: bool) -> list[hosts.Record]:
        """Return the machines, as ``vm.shape`` shows them, from the cache where it has what is asked for now."""
        key, asked = self.get_cache_key(path), self._asked()
        caching = self.get_option("cache")
        if caching and cache:
            try:
                entry = self._cache[key]
            except KeyError:
                entry = {}
            if isinstance(entry, dict) and entry.get("asked") == asked:
                kept: list[hosts.Record] = entry["machines"]
                return kept
        machines = self._list()
        if caching:
            self._cache[key] = {"asked": asked, "machines": machines}
        return machines

    def _asked(self) -> str:
        """Return a digest of what is asked of the service, and for whom: one account's machines are not another's.

        The key can't be had from the digest, which is of all this together; the secret is not in it.
        """
        options = ("api_url", "api_key", "account", "domain_id", "zones", "states", "filters")
        asked = json.dumps([self._plain(name) for name in options], sort_keys=True, default=str)
        return hashlib.sha256(asked.encode()).hexdigest()

    def _plain(self, name: str) -> t.Any:
        """Return an option; texts may be templates, for example to take a key from a lookup."""
        value = self.get_option(name)
        return self.templar.template(value) if isinstance(value, str) and "{{" in value else value

    def _list(self) -> list[hosts.Record]:
        """Ask the service for the machines."""
        # Imported here: what is answered from the cache needs none of it.
        from ansible_collections.cloudn.compute.plugins.module_utils.api import CloudnError
        from ansible_collections.cloudn.compute.plugins.module_utils.api.decode import XMLTODICT_ERROR
        from ansible_collections.cloudn.compute.plugins.module_utils.api.transport import REQUESTS_ERROR
        from ansible_collections.cloudn.compute.plugins.module_utils.connection import connect, warnings
        from ansible_collections.cloudn.compute.plugins.module_utils.resources import vm

        for library, problem in (("requests", REQUESTS_ERROR), ("xmltodict", XMLTODICT_ERROR)):
            if problem:
                from ansible.module_utils.basic import missing_required_lib

                raise AnsibleParserError(missing_required_lib(library))
        try:
            options = {name: self._plain(name) for name in CONNECTION}
            client = connect(options)
            for warning in warnings(options):
                self.display.warning(warning)
            machines = vm.inventory(client, self._given("zones"), self._given("states"), self._given("filters"))
        except CloudnError as error:
            raise AnsibleParserError(error.message) from None
        for warning in client.warnings:
            self.display.warning(warning)
        return machines

    def _drafts(self, machines: list[hosts.Record], wanted: hosts.Wanted, path: str) -> list[Draft]:
        """Return the hosts for the machines, with their variables and groups, and warn of names that are not as wanted."""
        taken, elsewhere = set(self.inventory.groups), self._hosts_of_others(machines, wanted)
        constructs, known = self._constructs(machines, wanted), self._known(path)
        drafts: dict[tuple[str, str], Draft] = {}
        for _round in range(_ROUNDS):
            found, warnings = hosts.build(machines, wanted, taken, elsewhere)
            identified = [(host, (host.name, host.variables[wanted.hostvars_prefix + "id"])) for host in found]
            drafts = {key: drafts.get(key) or _draft(host, constructs, known) for host, key in identified}
            groups = {group for draft in drafts.values() for group, _child in draft.members}
            if taken.issuperset(groups.intersection(host.name for host in found)):
                break
            taken |= groups
        else:
            raise AnsibleParserError(
                "keyed_groups, groups: make groups of the names of hosts, so that no host can have a name"
            )
        for warning in warnings:
            self.display.warning(warning)
        return list(drafts.values())

    def _hosts_of_others(self, machines: list[hosts.Record], wanted: hosts.Wanted) -> set[str]:
        """Return the names of hosts that another source, for example of another region, made of other machines."""
        ids, variable = {machine["id"] for machine in machines}, wanted.hostvars_prefix + "id"
        return {
            name
            for name, host in self.inventory.hosts.items()
            if variable in host.vars and host.vars[variable] not in ids
        }

    def _known(self, path: str) -> t.Callable[[str], dict[str, t.Any]]:
        """Return a function that tells the variables which a host has beyond those that it gets here."""
        source = {"inventory_file": path, "inventory_dir": os.path.dirname(path)}
        present = self.inventory.hosts
        return lambda name: present[name].get_vars() if name in present else source

    def _constructs(self, machines: list[hosts.Record], wanted: hosts.Wanted) -> list[t.Callable[[Draft], None]]:
        """Return functions that do to a draft what ``compose``, ``groups`` and ``keyed_groups`` ask for, in this order."""
        compose, groups, entries = (self.get_option(name) for name in ("compose", "groups", "keyed_groups"))
        constructs: list[t.Callable[[Draft], None]] = [
            functools.partial(self._construct, method, option)
            for method, option in ((self._set_composite_vars, compose), (self._add_host_to_composed_groups, groups))
            if option
        ]
        ours: set[str] = set()
        if machines and C.DEFAULT_HASH_BEHAVIOUR != "merge" and not (_OLD_TEMPLATES and C.DEFAULT_JINJA2_NATIVE):
            ours = {wanted.hostvars_prefix + name for name in machines[0]}
            ours.difference_update(compose or (), self._vars if self.get_option("use_extra_vars") else ())
        separator = self.get_option("leading_separator") is not False
        for entry in entries or []:
            keyed = plain(entry, ours, separator)
            constructs.append(
                functools.partial(self._add_to_plain_groups, keyed)
                if keyed
                else functools.partial(self._construct, self._add_host_to_keyed_groups, [entry])
            )
        return constructs

    def _construct(self, method: t.Callable[..., None], option: t.Any, draft: Draft) -> None:
        """Let a method of Constructable work on a draft."""
        inventory, self.inventory = self.inventory, draft
        try:
            method(option, draft.get_vars(), draft.name, strict=self.get_option("strict"))
        finally:
            self.inventory = inventory

    def _add_to_plain_groups(self, keyed: KeyedGroup, draft: Draft) -> None:
        """Put a draft into the groups of an entry with a plain key. Where only Ansible can tell, it is asked once for a value."""
        value = keyed.value(draft.host.variables)
        key = key_of(value)
        found = keyed.known.get(key)
        if found is None:
            found = keyed.members(value)
        if found is None:
            before = len(draft.members)
            self._construct(self._add_host_to_keyed_groups, [keyed.entry], draft)
            found = draft.members[before:]
        else:
            draft.members += found
        if value is not UNSURE:
            keyed.known[key] = found

    def _add(self, drafts: list[Draft]) -> None:
        """Put finished hosts into Ansible's inventory. Each is let go when it is there, which saves memory.

        Variables are set on the host itself: from 2.19 on, the inventory would mark each value with the source it came from,
        which takes a quarter of a listing's time and a fifth of its memory. Data is not in need of it.
        """
        groups: set[str] = set()
        parents: set[tuple[str, str]] = set()
        drafts.reverse()
        while drafts:
            draft = drafts.pop()
            host = self.inventory.hosts[self.inventory.add_host(draft.name)]
            for name, value in draft.variables.items():
                host.set_variable(name, value)
            for name, value in draft.composed.items():
                self.inventory.set_variable(draft.name, name, value)
            for group, child in draft.members:
                if group not in groups:
                    self.inventory.add_group(group)
                    groups.add(group)
                if child is None:
                    self.inventory.add_child(group, draft.name)
                elif (group, child) not in parents:
                    parents.add((group, child))
                    self._add_parent(group, child)

    def _add_parent(self, parent: str, child: str) -> None:
        """Put a group into another."""
        try:
            self.inventory.add_child(parent, child)
        except Exception as error:  # no narrower kind is raised where a group would be in itself
            self.display.warning(f"the group {child!r} is not put into {parent!r}: {error}")
