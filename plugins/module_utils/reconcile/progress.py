# Copyright: (c) 2026, the cloudn.compute authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Progress: the state of one plan, its object and its steps, while they are applied and afterwards."""

from __future__ import annotations

from ..api import ApiError, BadAnswer, CloudnError, Record, UnknownOutcome
from ..api.errors import joined
from ..api.flawed import check
from .plan import LeftOut, Plan, Step


class Progress:
    """The state of one plan.

    Attributes:
        object, id: the object as the results show it, and its id.
        created_id: the id of a new object, from an answer to this very run.
        surplus: the id of an object that this run made in vain.
        found: the object as it was found before the first plan.
        actions: the texts of the steps.
        touched: whether the service took any command.
        shown: whether the result of any command showed the object.
        error, failed_step: the error that stopped the plan, and the step that failed with it.
        in_batch: whether the failed step was sent in one request with steps of other plans.
        jobs: the steps of jobs that nobody waited for, by the jobs' ids.
        undone: the texts of cleanup steps that were not sent, because it is not known what the service does.
        doubts: the commands whose outcome was unknown at first.
        rounds: how often a new plan was made.
        alone: each step is sent in its own request.
    """

    def __init__(self, plan: Plan) -> None:
        self.plan = plan
        self.actions = plan.actions
        self.object: Record = dict(plan.found or {})
        self.id: str | None = self.object.get("id")
        self.created_id: str | None = None
        self.surplus = ""
        self.touched = False
        self.shown = False
        self.error: CloudnError | None = None
        self.failed_step: Step | None = None
        self.in_batch = False
        self.jobs: dict[str, Step] = {}
        self.undone: list[str] = []
        self.doubts: set[str] = set()
        self.alone = False
        self.rounds = 0
        self.found = plan.found
        self._conditions = dict(plan.conditions)

    @property
    def name(self) -> str:
        """What the user calls the object."""
        return self.plan.name

    @property
    def label(self) -> str:
        """What people call the plan among plans of several kinds."""
        return self.plan.label

    def resume(self, plan: Plan) -> None:
        """Go on with a new plan. The diff stays that of the first plan, and so does what others call it."""
        plan.before, plan.after = self.plan.before, self.plan.after
        plan.key, plan.label = self.plan.key, self.plan.label
        self.plan = plan
        self.keep(plan.found or {})
        self.error = self.failed_step = None
        self.in_batch = False
        self.undone = []

    def keep(self, found: Record) -> None:
        """Take the object as it was found. Its new password stays, as the service shows it only once."""
        password = {"password": self.object["password"]} if "password" in self.object else {}
        self.object = {**found, **password}
        self.id = self.object.get("id")

    def is_in(self, plan: Plan) -> bool:
        """Tell whether a new plan holds the failed step once more."""
        failed, steps = self.failed_step, [(step.command, step.params) for step in plan.steps]
        return failed is not None and (failed.command, failed.params) in steps

    def meets(self, plan: Plan) -> bool:
        """Tell whether a condition has changed since the plan before. Keep the conditions of the new plan."""
        has_changed = any(self._conditions.get(key, state) != state for key, state in plan.conditions.items())
        self._conditions.update(plan.conditions)
        return has_changed

    def ended(self, step: Step, result: Record) -> None:
        """Take in the result of a step. Fail if it is about another object, or not in the state that the step must lead to."""
        known, record = self.id, step.record_of(result)
        check(record)
        # The answer about what is gone need not show it.
        is_removal = record is None and step.command.startswith(("delete", "destroy"))
        if step.returns and not (step.until or is_removal or isinstance(record, dict)):
            wrong = "has no" if record is None else "has a text as"
            text = f"{step.command}: the answer can't be read: its result about {self.name} {wrong} {step.returns}"
            raise BadAnswer(text, step.command)
        if step.yields and isinstance(record, dict) and self._is_other(step, record):
            text = f"{step.command}: the answer is about {record.get('name') or ''} ({record.get('id')}), not about {self.name}"
            self.fail(BadAnswer(text, step.command), step)
            return
        if step.expect and step.returns and not (record or {}).get("state"):
            # Recorded from CloudStack 3.0.5 and 4.23: such a result holds the object.
            text = (
                f"{step.command}: the service calls it done, but its answer does not show in which state {self.name} is"
            )
            self.fail(BadAnswer(text, step.command), step)
            return
        self.shown = self.shown or (step.yields is not None and isinstance(record, dict))
        if step.yields and (record is not None or not step.returns):
            self.object = step.yields(self.object, record)
            self.id = self.object.get("id") or self.id
        if known is None:
            self.created_id = self.id
        if step.expect:
            about = record if isinstance(record, dict) else self.object
            state = about.get("state", self.object.get("state"))
            name = self.name if about.get("id") == self.id else about.get("name", self.name)
            if state not in step.expect:
                wanted = f", not {step.expect[0]}" if len(step.expect) == 1 else ""
                message = f"{step.command}: the service calls it done, but {name} is {state}{wanted}"
                self.fail(CloudnError(message, step.command), step)

    def _is_other(self, step: Step, record: Record) -> bool:
        """Tell whether a record is that of another object, by its id. A new object without an id is told by its name."""
        if self.id is not None:
            return bool(record.get("id", self.id) != self.id)
        wanted, name = step.params.get("name"), record.get("name")
        # The service may leave out blanks at the end; measured on CloudStack 3.0.5.
        is_told = step.creates and wanted is not None and name is not None
        return is_told and str(name).strip() != str(wanted).strip()

    def fail(self, error: CloudnError, step: Step | None = None, in_batch: bool = False) -> None:
        """Stop the plan. Its first error stays, but an unknown outcome replaces it, and any error of its own that of another."""
        code = error.code if isinstance(error, ApiError) else None
        hint = step.hints.get(code) if step and isinstance(code, int) else None
        error.message = joined(error.message, f". {hint}") if hint else error.message
        is_cleanup = step is not None and step.cleanup
        if step and is_cleanup and step.text not in self.undone:
            self.undone.append(step.text)
        if self.error is not None and step and is_cleanup:
            self.error.message += f". Then it failed to {step.text}: {error.message}"
        elif self.error is None or isinstance(error, UnknownOutcome) or isinstance(self.error, LeftOut):
            self.error, self.failed_step, self.in_batch = error, step, in_batch
