# Copyright: (c) 2026, the cloudn.compute authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The kinds of objects that a site has, with the functions for them."""

from __future__ import annotations

import typing as t

from ..reconcile import Resource
from ..resources import key_pair
from ..resources.security_group.lookup import RESOURCE as GROUP
from ..resources.vm.lookup import RESOURCE as MACHINE
from ..resources.volume.lookup import RESOURCE as DISK
from .options import KEY_PAIR, SECURITY_GROUP, VM, VOLUME

RESOURCES: t.Mapping[str, Resource] = {
    KEY_PAIR: key_pair.RESOURCE,
    SECURITY_GROUP: GROUP,
    VM: MACHINE,
    VOLUME: DISK,
}
