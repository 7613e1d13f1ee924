# Copyright: (c) 2026, the cloudn.compute authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Plans a site: each object as its module plans it, against what the plans before it will have made."""

from __future__ import annotations

import re
import typing as t

from ..api import Client, Duplicates, Missing, Record, UsageError, planned_ids
from ..planned import kinds
from ..planned.overlay import Overlay
from ..planned.store import Memory
from ..reconcile import Plan, Progress, Resource, Task
from ..reconcile.run import Part, Planned
from ..reconcile.together import one_error
from . import owner, reads
from .kinds import RESOURCES
from .link import Linked, Links, replace_ids, tag_at_once
from .options import SECURITY_GROUP, VM, VOLUME, Item, Key, Site, key_of, key_of_text, text_of
from .reads import Known

# The beginning of an error that names an option of a module.
_OPTION = re.compile(r"([a-z][a-z_]*)(\[\d+\])?[.:,]")
# Options of a group that name others: they must all be there, before any of them is planned.
_BARE: Record = {"ingress": None, "egress": None, "tags": None, "description": None}


class Draft:
    """The plans of one reading, in the order of planning.

    ``made`` has the keys of plans by the ids of planned objects. ``is_stale``: things have changed, so all must be read again.
    """

    def __init__(self, client: Client, site: Site, known: Known) -> None:
        self.view, self.reads = reads.view(client, known, site.name)
        self.known = known
        self.made: dict[str, str] = {}
        self.linked: list[Linked] = []
        self.planned: list[Planned] = []
        self.failures: list[tuple[str, str | None, UsageError]] = []
        self.failed: set[Key] = set()
        self.is_stale = False

    def take(self, key: Key, part: Part, plan: Plan, gone: Record | None = None) -> None:
        """Take in a plan: later plans see what it would change. ``gone`` is the record of an object that the plan removes."""
        plan.key, plan.label = text_of(key), f"{key[0]} {plan.name}"
        if key[0] == SECURITY_GROUP:
            tag_at_once(plan)
        progress = Progress(plan)
        self.reads.note([progress])
        if progress.id is not None and planned_ids.parse(progress.id):
            self.made[progress.id] = plan.key
        self.linked.append(Linked(key, plan, gone))
        self.planned.append(Planned(part, plan))

    def fail(self, about: str, error: UsageError, keys: t.Iterable[Key] = ()) -> None:
        """Note an error. All are told together, before anything is changed."""
        self.failures.append((about, None, error))
        self.failed.update(keys)

    def finished(self) -> list[Planned]:
        """Return the plans, linked. Raises ``UsageError`` if any object can't be planned."""
        if self.failures:
            raise one_error(self.failures)
        for one in self.linked:
            replace_ids(one.plan, self.made)
        links = Links(self.linked)
        for one in self.linked:
            links.link(one.key, one.plan)
        _share_looks(self.linked)
        return self.planned


class Planner:
    """Makes the plans of a site's declared objects. ``task`` is what all of them have in common."""

    def __init__(self, task: Task, site: Site) -> None:
        self._task = task
        self._site = site
        self._draft: Draft | None = None

    def begin(self, known: Known) -> Draft:
        """Begin a draft from what is there, and return it. New plans after a failure are linked with the plans of the last draft."""
        self._draft = Draft(self._task.client, self._site, known)
        return self._draft

    def declared(self, draft: Draft) -> None:
        """Add the plans of the declared objects to a draft."""
        for item in self._site.of(SECURITY_GROUP):
            self._begin(draft, item)
        for item in self._site.items:
            self._plan(draft, item)

    def part(self, options: Record, resource: Resource) -> Part:
        """Return the part for some options of a module: what it needs to be planned anew after a failure."""
        task = self._task._replace(options=options)
        replanning = _Replanning(self._task.client, self)
        return Part(task, resource, replanning.client_for, replanning.finish)

    def plans(self) -> list[Linked]:
        """Return the plans of the last draft, as they are now."""
        return self._draft.linked if self._draft else []

    def teach(self, world: Overlay) -> None:
        """Let a world know what the last draft has seen."""
        if self._draft:
            world.learn(self._draft.reads)

    def _begin(self, draft: Draft, item: Item) -> None:
        """Let the planners see a group that does not exist yet: the rules of several groups may name each other."""
        key = item.keys[0]
        there = [
            row for row in draft.known.all_of(SECURITY_GROUP) if key_of(SECURITY_GROUP, str(row.get("name"))) == key
        ]
        if there:
            return
        options = {**item.options, **_BARE}
        resource, task = RESOURCES[SECURITY_GROUP], self._task._replace(client=draft.view, options=options, check=True)
        try:
            resource.check(options)
            found = resource.find(task)
            plan = resource.plan(task, item.names[0], found[item.names[0]], options)
        except UsageError:
            return  # the whole item has the same error, with all that is wrong in it
        progress = Progress(plan)
        draft.reads.note([progress])

    def _plan(self, draft: Draft, item: Item) -> None:
        """Add the plans of one item."""
        resource = RESOURCES[item.kind]
        part = self.part(item.options, resource)
        task = part.task._replace(client=draft.view, check=True)
        if item.kind == SECURITY_GROUP:
            draft.reads.hidden = (kinds.GROUP, item.names[0])
        try:
            resource.check(item.options)
            found = resource.find(task)
            part.lookups.update(resource.lookup(task, found) or {})
            draft.reads.hidden = None
            for name, one in found.items():
                self._take(draft, item, part, task, name, one)
        except Duplicates as error:
            if self._task.check:
                self._fail(draft, item, error, item.names)
            else:
                part.find(part.task._replace(client=reads.without_plans(self._task.client)))  # until one is left
                draft.is_stale = True
        except UsageError as error:
            self._fail(draft, item, error, item.names)
        finally:
            draft.reads.hidden = None

    def _take(self, draft: Draft, item: Item, part: Part, task: Task, name: str, found: t.Any) -> None:
        try:
            plan = part.plan(task, name, found, part.lookups)
            owner.check(item.kind, plan, self._site.name, self._site.options["adopt"])
        except UsageError as error:
            self._fail(draft, item, error, [name])
            return
        draft.take(key_of(item.kind, name), part, plan)

    def _fail(self, draft: Draft, item: Item, error: UsageError, names: list[str]) -> None:
        keys = [key_of(item.kind, name) for name in names]
        follows = isinstance(error, Missing) and any(other in draft.failed for other in item.references())
        if follows:  # what it lacks has an error of its own
            draft.failed.update(keys)
            return
        draft.fail(", ".join(names), at(item, error), keys)


def at(item: Item, error: UsageError) -> UsageError:
    """Return an error about an item, with the item's path before the option that it names, or before all of it.

    A message may begin with the name of the object, which may look like an option's.
    """
    option = _OPTION.match(error.message)
    names_option = option is not None and option[1] not in item.names
    error.message = f"{item.path}{'.' if names_option else ': '}{error.message}"
    return error


class _Replanning:
    """Plans one object anew after a failure: it sees what is there, and the objects that other plans have not made yet."""

    def __init__(self, client: Client, planner: Planner) -> None:
        self._client = client
        self._planner = planner
        self._made: dict[str, str] = {}

    def client_for(self, progress: Progress) -> Client:
        """Return a client for planning. It reads from the service, each time."""
        view = reads.without_plans(self._client)
        others = [_Bare(one.plan) for one in self._planner.plans() if one.plan.key != progress.plan.key]
        bare = [Progress(one) for one in others if one.stages]
        world = reads.Undoubted(view, Memory({}))
        world.unclear = {key_of_text(one.plan.key) for one in bare}
        view.planned = world
        self._planner.teach(world)
        # Those that have been made by now are listed by the service, and take the place of what is planned.
        world.note(bare)
        self._made = {str(one.id): one.plan.key for one in bare if planned_ids.parse(one.id)}
        return view

    def finish(self, plan: Plan) -> None:
        """Complete a new plan, as the first one was."""
        replace_ids(plan, self._made)
        if plan.key.startswith(SECURITY_GROUP):
            tag_at_once(plan)
        Links(self._planner.plans()).link(key_of_text(plan.key), plan)


class _Bare(Plan):
    """The plan that only makes an object."""

    def __init__(self, whole: Plan) -> None:
        making = [step for step in whole.steps if step.creates]
        super().__init__(whole.name, None, [making], after=whole.after)
        self.key, self.label = whole.key, whole.label


def _share_looks(linked: list[Linked]) -> None:
    """Let the looks of one kind be equal, so that one request serves them all: see ``reconcile.plan.Step.joint``."""
    making = [(one.key[0], one.plan) for one in linked if one.plan.new]
    for kind in (VM, VOLUME):
        among = reads.texts(plan.name for own, plan in making if own == kind)
        for own, plan in making:
            if own == kind and plan.new:
                plan.new = plan.new._replace(query={"keyword": reads.text_for(plan.name, among)})
    for own, plan in making:
        if own == SECURITY_GROUP and plan.new:
            plan.new = plan.new._replace(query={})
