# Copyright: (c) 2026, the cloudn.compute authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a site reads: each listing once, several at the same time, and filtered by the site where the service can."""

from __future__ import annotations

import copy
import functools
import os.path
import typing as t

from ..api import Client, Deadline, Record
from ..api.flawed import peek
from ..api.paging import objects
from ..api.threads import pool
from ..planned import kinds
from ..planned.overlay import Overlay
from ..planned.store import Memory
from ..resources import tags, zone
from ..resources.security_group import view as security_group
from ..resources.vm import view as vm
from ..resources.volume import view as volume
from .options import KEY_PAIR, SECURITY_GROUP, TAG, VM, VOLUME, Key, Site, key_of

_LISTINGS = {KEY_PAIR: kinds.PAIR, SECURITY_GROUP: kinds.GROUP, VM: kinds.VM, VOLUME: kinds.VOLUME}
# The most requests at once, and the most texts by which missing names are looked for. For more, the whole list is read.
_PARALLEL, _MOST_TEXTS = 10, 10
# Names that begin alike with so many characters are looked for together.
_ALIKE = 2

Look = t.Callable[[], t.List[Record]]
# A name, and the name or id of the zone where it is looked for. ``None``: any zone.
Place = t.Tuple[str, t.Optional[str]]


class Known(t.NamedTuple):
    """What the service has shown.

    rows: records by listing commands. Of machines and volumes those that the site may be about, of the others all.
    names: the names of machines and of volumes whose records are all in ``rows``, by kinds.
    """

    rows: dict[str, list[Record]]
    names: dict[str, set[str]]

    def tagged(self, kind: str, site: str) -> list[Record]:
        """Return the records of a kind that carry the site's tag. A destroyed machine does not count."""
        found = [row for row in self.rows.get(_LISTINGS[kind], []) if tags.has_all(row, {TAG: site})]
        return [row for row in found if not (kind == VM and row.get("state") in vm.GONE)]

    def all_of(self, kind: str) -> list[Record]:
        """Return the records of a kind."""
        return self.rows.get(_LISTINGS[kind], [])


def without_plans(client: Client) -> Client:
    """Return the same client without what check mode has planned: it shows what is there."""
    own = copy.copy(client)
    own.planned = None
    return own


def read(client: Client, site: Site, whole: bool) -> Known:
    """Read what is there of a site. ``whole``: what carries its tag counts although it is not declared.

    It takes one request for each kind that is declared, and one for the tags of groups, all at once. Machines and volumes are
    filtered by the site's tag. Only if some are missing, they are looked for by their names.
    """
    own = without_plans(client)
    query = {"tags": {TAG: site.name}}
    machines = {*site.names(VM), *(str(item.options["vm"]) for item in site.of(VOLUME) if item.options.get("vm"))}
    looks: dict[str, Look] = {}
    if site.of(KEY_PAIR):
        looks[kinds.PAIR] = functools.partial(_pairs, own)
    if whole or site.of(SECURITY_GROUP):
        looks[kinds.GROUP] = functools.partial(security_group.search, own)
        looks[kinds.TAG] = functools.partial(security_group.list_tags, own)
    if whole or machines:
        looks[kinds.VM] = functools.partial(vm.search, own, query)
    if whole or site.of(VOLUME):
        looks[kinds.VOLUME] = functools.partial(volume.search, own, query)
    rows = _at_once(looks)
    _show_tags(rows)
    names = {VM: machines, VOLUME: set(site.names(VOLUME))}
    zones = {name: item.options.get("zone") for item in site.of(VM) for name in item.names}
    alive = [row for row in rows.get(kinds.VM, []) if row.get("state") not in vm.GONE]
    disks = [(item.names[0], item.options.get("zone")) for item in site.of(VOLUME)]
    more = {
        **_looks_for_missing(
            kinds.VM, functools.partial(vm.search, own), [(name, zones.get(name)) for name in machines], alive
        ),
        **_looks_for_missing(kinds.VOLUME, functools.partial(volume.search, own), disks, rows.get(kinds.VOLUME, [])),
    }
    for place, found in _at_once(more).items():
        command = place.partition(" ")[0]
        there = {peek(row, "id") for row in rows[command]}
        rows[command] += [row for row in found if peek(row, "id") not in there]
    return Known(rows, names)


def _at_once(looks: dict[str, Look]) -> dict[str, list[Record]]:
    """Do several looks at the same time. Raises what the first of them raises."""
    if len(looks) < 2:
        return {name: look() for name, look in looks.items()}
    with pool(min(_PARALLEL, len(looks))) as threads:
        begun = {name: threads.submit(look) for name, look in looks.items()}
        return {name: one.result() for name, one in begun.items()}


def _pairs(client: Client) -> list[Record]:
    """Return the key pairs. Pairs with one key have equal records, and all of them count; ``Client.list`` shows one."""
    found = objects(client.first_page(kinds.PAIR, {}))
    return found if found.total in (None, len(found)) else client.list(kinds.PAIR)


def _show_tags(rows: dict[str, list[Record]]) -> None:
    """Give security groups their own tags: their listing shows those of some machine, see ``security_group.view``."""
    own: dict[str, list[Record]] = {}
    for tag in rows.get(kinds.TAG, []):
        if peek(tag, "key"):
            item = {"key": peek(tag, "key"), "value": peek(tag, "value") or ""}
            own.setdefault(str(peek(tag, "resourceid")), []).append(item)
    for group in rows.get(kinds.GROUP, []):
        group["tags"] = own.get(str(peek(group, "id")), [])


def _looks_for_missing(
    command: str, search: t.Callable[[Record], list[Record]], wanted: t.Iterable[Place], there: list[Record]
) -> dict[str, Look]:
    """Return the looks for machines or volumes that the listing by the tag (``there``) does not show in their zone."""
    missing = [
        name for name, where in wanted if not any(name == row.get("name") and zone.holds(row, where) for row in there)
    ]
    return {f"{command} {text}": functools.partial(search, {"keyword": text or None}) for text in texts(missing)}


def texts(names: t.Iterable[str]) -> list[str]:
    """Return few texts, each the beginning of some of the names. Together they find all. An empty text finds everything.

    The service's filter finds parts of names. A name with a backslash finds nothing: its database reads that as an escape.
    """
    found: list[str] = []
    for name in sorted(set(names)):
        if "\\" in name:
            return [""]
        common = os.path.commonprefix([found[-1], name]) if found else ""
        if len(common) >= _ALIKE:
            found[-1] = common
        else:
            found.append(name)
    return found if len(found) <= _MOST_TEXTS else [""]


def text_for(name: str, among: t.Sequence[str]) -> str | None:
    """Return the text that finds a name, see ``texts``. ``None`` finds everything."""
    return next((text for text in among if text and name.startswith(text)), None)


class Reads(Overlay):
    """Answers the queries of the planners: from what is known, and from the service, each query once.

    What the plans so far would change is laid over the answers. ``hidden`` is the command and the name of an object that is being
    planned: what was planned of it before does not show.
    """

    def __init__(self, client: Client, known: Known, data: Record) -> None:
        super().__init__(client, Memory(data))
        self._known = known
        self._seen_queries: dict[str, list[Record]] = {}
        self.hidden: tuple[str, str] | None = None
        self.site = ""

    def pages(
        self, command: str, params: t.Mapping[str, t.Any], read: t.Iterator[t.List[Record]]
    ) -> t.Iterator[t.List[Record]]:
        """Yield the objects of a listing, see ``Planned``."""
        rows = self._answer(command, params)
        for page in super().pages(
            command, params, self._remember(command, params, read) if rows is None else iter([rows])
        ):
            shown = [row for row in page if not self._is_hidden(command, row)]
            yield self._meant(shown) if command == kinds.VOLUME and params.get("name") else shown

    def _is_hidden(self, command: str, row: Record) -> bool:
        if self.hidden is None or self.hidden[0] != command or not row.get("planned"):
            return False
        return key_of(SECURITY_GROUP, str(row.get("name"))) == key_of(SECURITY_GROUP, self.hidden[1])

    def _meant(self, rows: list[Record]) -> list[Record]:
        """Return volumes that were asked for by name: of several of one name, the one of the site is meant."""
        own = {(row.get("name"), row.get("zoneid")) for row in rows if self._is_own(row)}
        return [row for row in rows if self._is_own(row) or (row.get("name"), row.get("zoneid")) not in own]

    def _is_own(self, row: Record) -> bool:
        return tags.has_all(row, {TAG: self.site})

    def _answer(self, command: str, params: t.Mapping[str, t.Any]) -> list[Record] | None:
        """Return the answer to a query that the known records suffice for, else ``None``."""
        rows = self._known.rows.get(command)
        query = {name: value for name, value in params.items() if value is not None}
        if rows is None or "virtualmachineid" in query or "tags" in query:
            return None
        if command == kinds.VM and not self._is_known_machine(params, rows):
            return None
        if command == kinds.VOLUME and not self._is_known_volume(query, rows):
            return None
        return [copy.deepcopy(row) for row in rows if kinds.is_found(command, row, query)]

    def _is_known_machine(self, params: t.Mapping[str, t.Any], rows: list[Record]) -> bool:
        """Tell whether the known machines suffice. Planners ask by names, as one text (``keyword``) for several of them."""
        if params.get("id"):
            return any(peek(row, "id") == params["id"] for row in rows)
        return set(params) == {"keyword"}

    def _is_known_volume(self, query: Record, rows: list[Record]) -> bool:
        if "id" in query:
            return any(peek(row, "id") == query["id"] for row in rows)
        return set(query) == {"name"} and query["name"] in self._known.names[VOLUME]

    def _remember(
        self, command: str, params: t.Mapping[str, t.Any], read: t.Iterator[t.List[Record]]
    ) -> t.Iterator[t.List[Record]]:
        """Yield the pages of a query, and keep them for the next time. Nothing is sent before the first page is taken."""
        place = f"{command} {sorted((name, repr(value)) for name, value in params.items() if value is not None)}"
        if place not in self._seen_queries:
            self._seen_queries[place] = [row for page in read for row in page]
        yield copy.deepcopy(self._seen_queries[place])


class Undoubted(Overlay):
    """Shows none of several objects of one name, if this run is making one of that name: ``unclear`` are their keys.

    Runs at the same time may have made them. Their own plans see which one stays. Others name the planned one until then.
    """

    unclear: t.Collection[Key] = ()

    def pages(
        self, command: str, params: t.Mapping[str, t.Any], read: t.Iterator[t.List[Record]]
    ) -> t.Iterator[t.List[Record]]:
        """Yield the objects of a listing, see ``Planned``."""
        kind = next((one for one in (SECURITY_GROUP, VM) if _LISTINGS[one] == command), None)
        return super().pages(command, params, self._clear(kind, read) if kind else read)

    def _clear(self, kind: str, read: t.Iterator[t.List[Record]]) -> t.Iterator[t.List[Record]]:
        rows = [row for page in read for row in page]
        keys = [key_of(kind, str(peek(row, "name"))) for row in rows]
        yield [row for row, key in zip(rows, keys) if key not in self.unclear or keys.count(key) == 1]


def view(client: Client, known: Known, site: str) -> tuple[Client, Reads]:
    """Return a client that reads through ``Reads``, and its reads. It is for planning only: it must not apply anything."""
    data = client.planned.copied() if client.planned else {}
    own = copy.copy(client)
    reads = Reads(own, known, data)
    reads.site = site
    own.planned = reads
    return own, reads


def settle(client: Client, known: Known, deadline: Deadline) -> bool:
    """Wait until the machines of a site are in terminal states. Return whether it had to wait: then all must be read again.

    Raises ``CloudnError`` if one does not get there before the deadline.
    """
    own = without_plans(client)
    machines = vm.with_starts(own, known.all_of(VM))
    moving = [machine for machine in machines if machine.get("state") in vm.TRANSITIONAL]
    for machine in moving:
        vm.settled(own, [machine["id"]], None, deadline, check=False)
    return bool(moving)
