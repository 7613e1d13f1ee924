# Copyright: (c) 2026, the cloudn.compute authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The size of a volume: compared with the option, and changed where the service has a command for it (CloudStack 4)."""

from __future__ import annotations

from ...api import Client, Deadline, Record, UsageError
from ...reconcile import THIS, Changes, Step, replace
from ..drift import decide
from .view import GIB, ROOT, gib, is_of_4

RESIZE = "resizeVolume"
# The key of the lookups that says whether the service can change the size.
CAN_RESIZE = "can_resize"
# The service gives this code to a size that it refuses; measured on CloudStack 4.23.
_REFUSED = 432


def _differs(record: Record, options: Record) -> bool:
    """Tell whether a volume has another size than the options ask for."""
    wanted, current = options.get("size_gb"), record.get("size")
    return wanted is not None and current is not None and current != wanted * GIB


def lookup(client: Client, record: Record, options: Record, deadline: Deadline) -> Record:
    """Return whether the service can give a volume its size, if that differs. A service of CloudStack 3 is not asked."""
    return {CAN_RESIZE: is_of_4(record) and client.offers(RESIZE, deadline)} if _differs(record, options) else {}


def lookup_new(client: Client, options: Record, lookups: Record, deadline: Deadline) -> Record:
    """Return whether a new volume grows after its creation.

    Raises ``UsageError`` for a size that a new volume can't get.
    """
    wanted, offering = options.get("size_gb"), lookups.get("disk_offering", {})
    if wanted is None and offering.get("iscustomized"):
        raise UsageError(f"size_gb: is needed, as the disk offering {options['disk_offering']!r} has no fixed size")
    if wanted is None or offering.get("iscustomized"):
        return {}
    made = _size_of_new(lookups)
    if made == wanted * GIB:
        return {}
    grows = made is not None and wanted * GIB > made
    if grows and client.offers(RESIZE, deadline):
        return {CAN_RESIZE: True}
    reason = f", as the service has no {RESIZE} to make it larger" if grows else ""
    raise UsageError(f"size_gb: {_source(options, made)}; leave size_gb out{reason}")


def _source(options: Record, made: int | None) -> str:
    """Say what decides the size of a new volume."""
    option = next(one for one in ("disk_offering", "snapshot", "url") if options.get(one))
    if made is None:
        return f"the {option} decides the size of a new volume"
    return f"the {option.replace('_', ' ')} {options[option]!r} has {gib(made)} GiB"


def _size_of_new(lookups: Record) -> int | None:
    """Return the bytes that a new volume gets from its disk offering or its snapshot. ``None``: these do not show it."""
    if "disk_offering" in lookups:
        size = lookups["disk_offering"].get("disksize")
        return size * GIB if isinstance(size, int) else None
    size = lookups.get("snapshot", {}).get("virtualsize")  # only CloudStack 4 shows it
    return size if isinstance(size, int) else None


def drift(record: Record, options: Record, lookups: Record) -> list[str]:
    """Return the difference of size, if the service can't change it."""
    if not _differs(record, options) or lookups.get(CAN_RESIZE):
        return []
    what = f"this service does not grant {RESIZE}" if is_of_4(record) else f"CloudStack 3 lacks {RESIZE}"
    return [f"size_gb is {gib(record['size'])}, not {options['size_gb']} ({what})"]


def plan(
    name: str, record: Record, options: Record, lookups: Record, changes: Changes, warnings: list[str]
) -> list[Step]:
    """Return the step that gives a volume its size. ``record`` is empty for a new volume.

    Raises ``UsageError`` if the volume would get smaller, and the options or its kind do not allow that.
    """
    if not lookups.get(CAN_RESIZE):
        return []
    wanted = options["size_gb"]
    current = record["size"] if record else _size_of_new(lookups) or 0
    smaller = wanted * GIB < current
    if smaller and not _may_shrink(name, record, options, warnings):
        return []
    changes.note("size_gb", gib(current), wanted)
    params = {"id": THIS, "size": wanted, **({"shrinkok": True} if smaller else {})}
    text = f"{name}: {'shrink' if smaller else 'grow'} from {gib(current)} to {wanted} GiB"
    hint = "The volume keeps its size. Give another size_gb, or leave it out"
    return [Step(text, RESIZE, params, returns="volume", yields=replace, hints={_REFUSED: hint})]


def _may_shrink(name: str, record: Record, options: Record, warnings: list[str]) -> bool:
    """Tell whether a volume may get smaller. If not, raise ``UsageError`` or warn, as ``on_immutable_drift`` says."""
    is_root = record.get("type") == ROOT
    if options["shrink"] and not is_root:
        return True
    wanted, has = options["size_gb"], f"{record['size'] / GIB:g}"
    text = f"size_gb: {name} has {has} GiB, more than {wanted}. Set shrink: true to make it smaller: what is beyond is lost"
    if is_root:
        text = f"size_gb: {name} is a root disk of {has} GiB, which can't shrink to {wanted}. Leave size_gb out"
    decide(text, "", options, warnings)
    return False
