# Copyright: (c) 2026, the cloudn.compute authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The items of a site's lists: each has the options of a module."""

from __future__ import annotations

from ..api import Record
from ..items import Item
from ..resources import key_pair, key_pair_spec
from ..resources.security_group import lookup as security_group
from ..resources.security_group import spec as security_group_spec
from ..resources.vm import lookup as vm
from ..resources.vm import spec as vm_spec
from ..resources.volume import lookup as volume
from ..resources.volume import spec as volume_spec

_WAITING = ("wait", "wait_timeout")


def _check_volume(options: Record) -> None:
    """Check a volume. One that names a machine shall be attached to it, unless it says otherwise."""
    if options.get("vm") and options["state"] == "present":
        options["state"] = "attached"
    volume.check_options(options)


# The options of items by the options of the site. What belongs to the whole site is refused in an item.
ITEMS: dict[str, Item] = {
    "key_pairs": Item(
        key_pair_spec.SPEC,
        key_pair_spec.CONSTRAINTS,
        refused=_WAITING,
        states=("absent",),
        module="cloudn_key_pair",
        check=key_pair.check_options,
    ),
    "security_groups": Item(
        security_group_spec.SPEC,
        security_group_spec.CONSTRAINTS,
        refused=(*_WAITING, "wait_for_expunge"),
        states=("absent",),
        module="cloudn_security_group",
        check=security_group.check_options,
    ),
    "vms": Item(
        vm_spec.SPEC,
        vm_spec.CONSTRAINTS,
        refused=(*_WAITING, "max_parallel", "max_jobs"),
        states=("absent", "restarted", "reinstalled"),
        module="cloudn_vm",
        check=vm.check_options,
    ),
    "volumes": Item(
        volume_spec.SPEC,
        volume_spec.CONSTRAINTS,
        refused=_WAITING,
        states=("absent", "extracted"),
        module="cloudn_volume",
        check=_check_volume,
    ),
}
