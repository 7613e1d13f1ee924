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
  - Makes a host of every virtual machine, with what the service knows of it as variables, in groups by zone, tags, security groups and more.
  - Needs a configuration file whose name ends in C(cloudn.yml) or C(cloudn.yaml).
author:
  - The cloudn.compute authors (@cloudn-compute)
options:
  plugin:
    description:
      - Tells that the file is for this plugin.
    type: str
    required: true
    choices: [cloudn.compute.cloudn]
  zones:
    description:
      - Only machines in these zones, by name or id. All zones where it is empty.
    type: list
    elements: str
    default: []
  states:
    description:
      - Only machines in these states, for example V(Running) or V(Stopped). All states where it is empty, except for those that are destroyed.
    type: list
    elements: str
    default: [Running]
  filters:
    description:
      - Further filters, as the API's command C(listVirtualMachines) takes them.
      - C(tags) is a dictionary; machines have all of these tags.
    type: dict
    default: {}
  hostnames:
    description:
      - What a host is called, in order of preference. The first that a machine has is taken, its id where it has none.
      - V(name), V(display_name), V(default_ip), V(id), or V(tag:KEY) for the value of a tag.
      - Where two machines would have one name, the later made is called C(name_<id>), with a warning.
    type: list
    elements: str
    default: [name]
  connect_with:
    description:
      - What C(ansible_host) is set to.
      - V(default_ip), V(name), V(display_name), V(id), V(tag:KEY) for the value of a tag, or V(none) to leave it unset. It is left unset, too,
        where a machine does not have it.
    type: str
    default: default_ip
  hostvars_prefix:
    description:
      - What the names of the variables begin with.
    type: str
    default: cloudn_
  default_groups:
    description:
      - Whether hosts are put into the groups C(zone_*), C(network_*), C(security_group_*), C(tag_KEY_VALUE), C(group_*), C(template_*),
        C(service_offering_*) and C(state_*).
      - In their names every character that is not a letter, a digit or an underscore becomes an underscore.
    type: bool
    default: true
extends_documentation_fragment:
  - cloudn.compute.connection.plugin
  - constructed
  - inventory_cache
notes:
  - When the service can't be reached or refuses, the run ends with an error. It does not go on with an inventory that lacks these hosts,
    as Ansible would by default.
  - The variables are those that M(cloudn.compute.cloudn_vm_info) returns of a machine, with O(hostvars_prefix) in front.
  - Names, tags and other values are data. They are never evaluated as templates.
  - A listing costs one request for every 500 machines, and one more where O(zones) are given.
"""

EXAMPLES = r"""
# The running machines, reached by their default address; the connection comes from the environment
# (CLOUDN_API_KEY and CLOUDN_API_SECRET).
plugin: cloudn.compute.cloudn
---
# Web servers of one zone by their display name, grouped by the value of their tag "tier", cached for ten minutes.
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
cache_connection: /tmp/cloudn-inventory
cache_timeout: 600
"""

import hashlib
import json
import re
import typing as t

from ansible import constants as C
from ansible.errors import AnsibleError, AnsibleParserError
from ansible.plugins.inventory import BaseInventoryPlugin, Cacheable, Constructable
from ansible_collections.cloudn.compute.plugins.module_utils.resources import hosts

try:
    from ansible.template import is_trusted_as_template as _values_are_data_by_themselves  # noqa: F401 (2.19 and later)

    def as_data(value: t.Any) -> t.Any:
        return value

except ImportError:
    from ansible.utils.unsafe_proxy import wrap_var as as_data

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


class InventoryModule(BaseInventoryPlugin, Constructable, Cacheable):
    """The inventory plugin ``cloudn.compute.cloudn``."""

    NAME = "cloudn.compute.cloudn"

    def verify_file(self, path: str) -> bool:
        """Tell whether a file may be a configuration of this plugin, by its name."""
        return super().verify_file(path) and path.endswith(("cloudn.yml", "cloudn.yaml"))

    def parse(self, inventory: t.Any, loader: t.Any, path: str, cache: bool = True) -> None:
        """Fill the inventory from the configuration file ``path``. Raises ``AnsibleParserError``."""
        super().parse(inventory, loader, path, cache)
        try:
            self._read_config_data(path)
            wanted = self._wanted()
            found, warnings = hosts.build(self._machines(path, cache), wanted)
            for warning in warnings:
                self.display.warning(warning)
            for host in found:
                self._add(host)
        except AnsibleError:
            # Ansible would leave this source out with a warning and go on, so that a play runs on some of the hosts, or
            # on none, and ends well. This makes it end the run.
            C.INVENTORY_ANY_UNPARSED_IS_FAILED = True
            raise

    def _wanted(self) -> hosts.Wanted:
        """Return the options on hosts, checked."""
        problems = [hosts.check_word(word, "hostnames", hosts.HOSTNAMES) for word in self.get_option("hostnames")]
        problems.append(hosts.check_word(self.get_option("connect_with"), "connect_with", hosts.CONNECT_WITH))
        prefix = self.get_option("hostvars_prefix")
        if not re.match(r"([A-Za-z_]\w*)?\Z", prefix, re.ASCII):
            problems.append(
                f"hostvars_prefix: {prefix!r} can't begin a variable's name; use letters, digits and underscores"
            )
        unknown = sorted(set(self.get_option("filters")) - set(FILTERS))
        if unknown:
            problems.append(
                f"filters: {', '.join(unknown)}: not known; there are {', '.join(FILTERS)} (zones, states and account are "
                "options of their own)"
            )
        problem = next(filter(None, problems), None)
        if problem:
            raise AnsibleParserError(problem)
        return hosts.Wanted(
            self.get_option("hostnames"), self.get_option("connect_with"), prefix, self.get_option("default_groups")
        )

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
                return entry["machines"]
        machines = self._list()
        if caching:
            self._cache[key] = {"asked": asked, "machines": machines}
        return machines

    def _asked(self) -> str:
        """Return a digest of what is asked of the service; neither key nor secret is in it."""
        options = ("api_url", "account", "domain_id", "zones", "states", "filters")
        return hashlib.sha256(json.dumps([self._plain(name) for name in options], sort_keys=True).encode()).hexdigest()

    def _plain(self, name: str) -> t.Any:
        """Return an option; texts may be templates, for example to take a key from a lookup."""
        value = self.get_option(name)
        return self.templar.template(value) if isinstance(value, str) and "{{" in value else value

    def _list(self) -> list[hosts.Record]:
        """Ask the service for the machines."""
        # Imported here: what is answered from the cache needs none of it.
        from ansible_collections.cloudn.compute.plugins.module_utils.api import CloudnError
        from ansible_collections.cloudn.compute.plugins.module_utils.api.client import REQUESTS_ERROR
        from ansible_collections.cloudn.compute.plugins.module_utils.api.decode import XMLTODICT_ERROR
        from ansible_collections.cloudn.compute.plugins.module_utils.connection import connect
        from ansible_collections.cloudn.compute.plugins.module_utils.resources import vm

        for library, problem in (("requests", REQUESTS_ERROR), ("xmltodict", XMLTODICT_ERROR)):
            if problem:
                raise AnsibleParserError(f"the Python library {library} is needed by the inventory {self.NAME}")
        try:
            client = connect({name: self._plain(name) for name in CONNECTION})
            return vm.inventory(client, self.get_option("zones"), self.get_option("states"), self.get_option("filters"))
        except CloudnError as error:
            raise AnsibleParserError(error.message) from None

    def _add(self, host: hosts.Host) -> None:
        """Put a host into Ansible's inventory, with its variables and groups."""
        variables = {name: as_data(value) for name, value in host.variables.items()}
        self.inventory.add_host(host.name)
        for name, value in variables.items():
            self.inventory.set_variable(host.name, name, value)
        if host.address:
            self.inventory.set_variable(host.name, "ansible_host", as_data(host.address))
        for group in host.groups:
            self.inventory.add_group(group)
            self.inventory.add_child(group, host.name)
        strict = self.get_option("strict")
        self._set_composite_vars(self.get_option("compose"), variables, host.name, strict=strict)
        self._add_host_to_composed_groups(self.get_option("groups"), variables, host.name, strict=strict)
        self._add_host_to_keyed_groups(self.get_option("keyed_groups"), variables, host.name, strict=strict)
