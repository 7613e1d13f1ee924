# Copyright: (c) 2026, the cloudn.compute authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The dynamic inventory: options, cache, and the hosts in Ansible's inventory."""

from __future__ import annotations

DOCUMENTATION = r"""
name: cloudn
short_description: Cloudn Compute virtual machines as hosts
version_added: 1.0.0
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
        special meaning such as V(localhost) are such values. So is a value that holds a slash, characters that nobody
        sees or the marks of a template. So is a value that begins with a hyphen.
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
      - A group C(network_*) has the network's name, if the service shows it. Networks of one name share a group then.
        CloudStack 3.0 shows no name. The group has the network's id there.
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
  - Options may be templates, also within lists and dictionaries. They are evaluated before anything is sent. Templates
    may use lookups. If O(use_extra_vars=true), they may also use the variables of C(-e). They know no variables of
    hosts. A template that fails ends the run. The error names the option. O(plugin) must be a plain text. The
    expressions in O(compose), O(groups) and O(keyed_groups) are not evaluated then, but for each host. What a template
    gives is data. It is not evaluated again. Values of environment variables are data too.
  - Hosts are in the order of their names.
  - Other programs read the inventory best with C(ansible-inventory --list --yaml), which writes plain texts. Without
    C(--yaml) Ansible writes JSON in which each text from the service is an object such as
    C({"__ansible_unsafe":"10.1.1.4"}). This is how Ansible marks data that must not be evaluated. The text of
    C(ansible_host) is then in C(.ansible_host.__ansible_unsafe).
  - Names, tags and other values are data. They are never evaluated as templates. In names of groups every character
    becomes an underscore unless it is a letter, a digit or an underscore. This is so for O(keyed_groups) too.
  - A C(key) of O(keyed_groups) may be just the name of a variable or a path such as C(cloudn_tags.role). Such a key
    is looked up without a template. This makes the inventory of many VMs twice as fast.
  - Expressions in O(compose), O(groups) and O(keyed_groups) may use the variables, C(ansible_host),
    C(inventory_hostname), C(group_names) with the default groups, C(inventory_dir) and C(inventory_file).
  - The cache answers only a request with the same O(api_url), O(api_key), O(account), O(domain_id), O(zones),
    O(states) and O(filters), also if they come from a O(profile). It does not hold the key or the secret. An entry that another version has written, or
      that is damaged, is not used. A warning says so, and the service is asked. C(ansible.builtin.jsonfile) writes
      files that every user of the computer may read. They hold for example names and addresses. So let
      O(cache_connection) be a folder that only you may enter (C(mkdir -m 700)).
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
# The VMs of another account. The section [east] of ~/.cloudstack.ini has its address and its keys.
plugin: cloudn.compute.cloudn
profile: east
---
# The role and the keys come from the command line: ansible-inventory -i cloudn.yml -e role=web -e @keys.yml --list
plugin: cloudn.compute.cloudn
use_extra_vars: true
api_key: "{{ my_key }}"
api_secret: "{{ my_secret }}"
filters:
  tags:
    role: "{{ role }}"
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
import gc
import hashlib
import json
import os
import typing as t

from ansible import constants as C
from ansible.errors import AnsibleError, AnsibleParserError
from ansible.plugins.inventory import BaseInventoryPlugin, Cacheable, Constructable
from ansible_collections.cloudn.compute.plugins.module_utils.inventory import hosts
from ansible_collections.cloudn.compute.plugins.module_utils.visible import visible
from ansible_collections.cloudn.compute.plugins.plugin_utils.drafts import OLD_TEMPLATES, Draft, Drafts
from ansible_collections.cloudn.compute.plugins.plugin_utils.inventory_cache import make_entry, read_entry
from ansible_collections.cloudn.compute.plugins.plugin_utils.inventory_options import (
    LISTS,
    find_problem,
    find_unknown,
    find_wrong_values,
    unknown_states,
)
from ansible_collections.cloudn.compute.plugins.plugin_utils.inventory_templates import BadTemplate, Templates

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
    "ec2_url",
    "ec2_version",
)


@contextlib.contextmanager
def _collector_paused() -> t.Iterator[None]:
    """Pause the search for cycles. All objects that are made here stay, and the searches take longer than to make them."""
    enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if enabled:
            gc.enable()


def _in_file(path: str, text: str) -> str:
    """Return the text of an error or warning with the inventory file that it is about."""
    return text if path in text else f"{path}: {text}"


def _error(text: str) -> AnsibleParserError:
    """Return an error of this plugin, with escapes for characters that nobody sees."""
    return AnsibleParserError(visible(text))


@contextlib.contextmanager
def _visible_errors() -> t.Iterator[None]:
    """Put escapes for characters that nobody sees into Ansible's errors too. These quote names and have several lines."""
    try:
        yield
    except AnsibleError as error:
        text = visible(str(error), lines=True)
        if text == str(error):
            raise
        raise AnsibleParserError(text) from None


class InventoryModule(BaseInventoryPlugin, Constructable, Cacheable):
    """The inventory plugin ``cloudn.compute.cloudn``."""

    NAME = "cloudn.compute.cloudn"
    inventory: t.Any  # Ansible's, or a draft in its place
    _path = ""
    # Ansible's own function leaves characters as they are by default. Names come from values of the service.
    _sanitize_group_name = staticmethod(hosts.safe_group)

    def verify_file(self, path: str) -> bool:
        """Tell whether a file may be a configuration of this plugin, by its name."""
        return super().verify_file(path) and path.endswith(("cloudn.yml", "cloudn.yaml"))

    def set_options(self, task_keys: t.Any = None, var_options: t.Any = None, direct: t.Any = None) -> None:
        """Set the options, with their templates evaluated. Raises ``AnsibleParserError``. ``direct`` is what the file says.

        Templates are evaluated here and not later, as Ansible converts the options to their types here.
        """
        if direct:
            unknown = find_unknown(direct, self.option_definitions)
            if unknown:
                raise _error(unknown)
            direct = self._evaluated(direct)
            wrong = find_wrong_values(direct, self.option_definitions)
            if wrong:
                raise _error(wrong)
            direct = self._with_profile(direct)
        super().set_options(task_keys, var_options, direct)

    def _with_profile(self, given: dict[str, t.Any]) -> dict[str, t.Any]:
        """Return options with what a profile says, so that the cache tells its accounts apart. Raises ``AnsibleParserError``."""
        if not (given.get("profile") or os.environ.get("CLOUDN_PROFILE") or os.environ.get("CLOUDSTACK_KEY")):
            return given
        # Imported here, as few runs need it.
        from ansible_collections.cloudn.compute.plugins.module_utils.profiles import complete
        from ansible_collections.cloudn.compute.plugins.module_utils.wrong_values import ProfileError

        try:
            added, warnings = complete(given, os.environ)
        except ProfileError as error:
            raise _error(str(error)) from None
        for warning in warnings:
            self.warn(warning)
        return {**given, **added}

    def _evaluated(self, given: t.Mapping[str, t.Any]) -> dict[str, t.Any]:
        """Return options without templates. Raises ``AnsibleParserError``."""
        hint = "Templates here may use lookups"
        name = "use_extra_vars"
        try:
            if name in given:
                switch = Templates(self._template, f"{hint}, but no variables").options({name: given[name]})
                self.set_option(name, switch[name])
                given = {**given, **switch}
            if self.get_option(name):
                self.templar.available_variables = self._vars
                hint += " and the variables of -e"
            else:
                hint += ". They may also use the variables of -e if use_extra_vars is true"
            return Templates(self._template, hint).options(given)
        except BadTemplate as error:
            raise _error(str(error)) from None

    def _template(self, text: str, structured: bool) -> t.Any:
        """Return the value of a template. Before 2.19, Ansible takes some texts for other values, unless it is told not to."""
        conversion = {"convert_data": structured} if OLD_TEMPLATES else {}
        return self.templar.template(text, fail_on_undefined=True, **conversion)

    def parse(self, inventory: t.Any, loader: t.Any, path: str, cache: bool = True) -> None:
        """Fill the inventory from the configuration file ``path``. Raises ``AnsibleParserError``."""
        super().parse(inventory, loader, path, cache)
        self._path = path
        try:
            with _visible_errors():
                self._fill(path, cache)
        except Exception as error:
            # By default Ansible only warns of any error of a plugin and goes on without the source. Then a play ends well,
            # though it ran on a part of the hosts, or on none. So this makes the error end the run, unless the user has
            # set it otherwise. A file of another plugin is no failure.
            setting = "INVENTORY_ANY_UNPARSED_IS_FAILED"
            if self._is_for_this(path) and C.config.get_config_value_and_origin(setting)[1] == "default":
                C.INVENTORY_ANY_UNPARSED_IS_FAILED = True
            if isinstance(error, AnsibleError):
                raise AnsibleParserError(_in_file(path, error.message)) from None
            # From 2.19 on, Ansible adds the text of the cause itself.
            text = f"unexpected {type(error).__name__}" + (f": {error}" if OLD_TEMPLATES else "")
            raise AnsibleParserError(_in_file(path, text)) from error

    def _fill(self, path: str, cache: bool) -> None:
        """Check the options, and put the hosts into the inventory."""
        self._read_config_data(path)
        wanted = self._wanted()
        with _collector_paused():
            drafts = Drafts(self, wanted, path).build(self._machines(path, cache))
            drafts.sort(key=lambda draft: draft.name)  # so that the order is the same in each run
            self._add(drafts)

    def warn(self, warning: str) -> None:
        """Warn with the inventory file, and with escapes for characters that nobody sees."""
        self.display.warning(visible(_in_file(self._path, warning)))

    def _is_for_this(self, path: str) -> bool:
        """Tell whether a file says that it is for this plugin."""
        try:
            content = self.loader.load_from_file(path, cache="none")
        except AnsibleError:
            return False
        return isinstance(content, dict) and content.get("plugin") == self.NAME

    def _wanted(self) -> hosts.Wanted:
        """Check the plugin's own options and return those about hosts. Raises ``AnsibleParserError``."""
        options = {name: self.get_option(name) for name in ("connect_with", "hostvars_prefix", "default_groups")}
        problem = find_problem({**options, **{name: self._given(name) for name in (*LISTS, "filters")}})
        if problem:
            raise _error(problem)
        for warning in unknown_states(self._given("states")):
            self.warn(warning)
        return hosts.Wanted(hostnames=self._given("hostnames"), **options)

    def _given(self, option: str) -> t.Any:
        """Return an option that is a list or dictionary. The file may have it without a value."""
        return self.get_option(option) or ({} if option == "filters" else [])

    def _machines(self, path: str, cache: bool) -> list[hosts.Record]:
        """Return the machines, as the vm module shows them. They come from the cache if it has the same request."""
        key, asked = self.get_cache_key(path), self._asked()
        caching = self.get_option("cache")
        kept = self._kept(key, asked) if caching and cache else None
        if kept is not None:
            return kept
        machines = self._list()
        if caching:
            self._cache[key] = make_entry(asked, machines)
        return machines

    def _kept(self, key: str, asked: str) -> list[hosts.Record] | None:
        """Return the machines in the cache, ``None`` where it does not have them. Warns of an entry that can't be used."""
        try:
            machines, problem = read_entry(self._cache[key], asked)
        except KeyError:
            # Ansible hides an entry that is not in its own form. The entry is there all the same.
            machines, problem = None, "it is of another program" if self._is_kept(key) else None
        except Exception:  # a plugin of the cache raises anything over a file that it can't read
            machines, problem = None, "it can't be read"
        if problem:
            self.warn(f"the entry in the cache can't be used ({problem}). It is made anew")
        return machines

    def _is_kept(self, key: str) -> bool:
        """Tell whether the cache plugin has an entry, whatever is in it. The one below Ansible's own knows."""
        contains = getattr(getattr(self._cache, "_plugin", None), "contains", None)
        try:
            return bool(contains and contains(key))
        except Exception:  # as any reading of the cache
            return False

    def _asked(self) -> str:
        """Return a digest of the request to the service and of its account: accounts have different machines.

        Nobody can read the key from the digest, as it is of all values together. The secret is not in it.
        """
        options = ("api_url", "api_key", "account", "domain_id", "zones", "states", "filters")
        asked = json.dumps([self.get_option(name) for name in options], sort_keys=True, default=str)
        return hashlib.sha256(asked.encode()).hexdigest()

    def _list(self) -> list[hosts.Record]:
        """Ask the service for the machines."""
        # Imported here: answers from the cache need none of it.
        from ansible_collections.cloudn.compute.plugins.module_utils.api import CloudnError
        from ansible_collections.cloudn.compute.plugins.module_utils.api.libraries import missing
        from ansible_collections.cloudn.compute.plugins.module_utils.connection import connect, warnings
        from ansible_collections.cloudn.compute.plugins.module_utils.resources.vm import view as vm
        from ansible_collections.cloudn.compute.plugins.plugin_utils.switches import is_on
        from ansible_collections.cloudn.compute.plugins.plugin_utils.watch import Watch, is_terse

        lacking = missing()
        if lacking:
            from ansible.module_utils.basic import missing_required_lib

            raise AnsibleParserError(missing_required_lib(lacking[0]))
        try:
            options = {name: self.get_option(name) for name in CONNECTION}
            client = connect(options)
            for warning in warnings(options):
                self.warn(warning)
            is_shown = not is_terse() and is_on("cloudn_progress", {}, str)
            with Watch(self._path, client.waits.text) if is_shown else contextlib.nullcontext():
                machines = vm.inventory(client, self._given("zones"), self._given("states"), self._given("filters"))
        except CloudnError as error:
            raise _error(error.message) from None
        for warning in client.warnings:
            self.warn(warning)
        return machines

    def _add(self, drafts: list[Draft]) -> None:
        """Put finished hosts into Ansible's inventory. Each draft is dropped when its host is there, to save memory.

        Variables are set on the host itself. From 2.19 on, the inventory marks each value with its source. That takes a
        quarter of a listing's time and a fifth of its memory, and data does not need it.
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
        """Put a group into another group."""
        try:
            self.inventory.add_child(parent, child)
        except Exception as error:  # Ansible raises no narrower class where a group would be in itself
            self.warn(f"the group {child!r} is not put into {parent!r}: {error}")
