"""Merging scenarios: the edits of two branches of one baseline, with a person's choice where they clash."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from dmi_infra.errors import Conflict, FieldError, InputRefused
from dmi_infra.http.access import Opening
from dmi_support_centre.desk import Inputs
from dmi_support_centre.errors import ModelRefused
from dmi_support_centre.models.scenario import Choice, Plan, ScenarioRefused, plan
from dmi_support_centre.scenarios import Scenarios
from dmi_support_centre.store.scenarios import ScenarioRow, VersionRow

UNDECIDED = "both branches change this; choose one of: "


@dataclass(frozen=True, slots=True)
class Merge:
    """What a merge would do: the scenario that changes, the one that comes in, and the plan."""

    into: ScenarioRow
    other: ScenarioRow
    mine: VersionRow
    theirs: VersionRow
    plan: Plan
    inputs: Inputs
    """What was asked for to plan it, and carries it out."""


class Merging:
    """Prepares and carries out merges; the areas of edits are judged under the caller's own rights."""

    def __init__(self, scenarios: Scenarios) -> None:
        self._scenarios = scenarios

    def prepare(self, identifier: str, other: str, opening: Opening) -> Merge:
        """What bringing ``other`` (id or share id) into an own scenario would do; nothing changes yet."""
        row = self._scenarios.own(identifier, opening.identity)
        found = self._scenarios.get(other, opening.identity)
        if found.id == row.id:
            raise Conflict.of("with", "must be another scenario")
        mine = self._scenarios.version(row, row.current)
        theirs = self._scenarios.version(found, found.current)
        if mine.baseline != theirs.baseline:
            raise Conflict.of(
                "with", "rests on another baseline; run both again on the city as it is now, then merge"
            )
        inputs = Inputs(opening)
        known = self._scenarios.runs.known(mine.baseline, inputs)
        try:
            planned = plan(known, mine.edits, theirs.edits)
        except ScenarioRefused as exc:
            raise ModelRefused.from_model(exc) from exc
        return Merge(row, found, mine, theirs, planned, inputs)

    def carry_out(
        self, identifier: str, other: str, choices: Mapping[str, Choice], opening: Opening
    ) -> ScenarioRow:
        """Merge as a new version. Raises ``Conflict`` with every clash that has no choice yet."""
        merge = self.prepare(identifier, other, opening)
        clashes = {clash.id: clash for clash in merge.plan.clashes}
        for name, choice in choices.items():
            if name not in clashes:
                raise InputRefused.of(f"choices.{name}", "is no clash between these two as they stand now")
            if choice not in clashes[name].choices:
                allowed = ", ".join(clashes[name].choices)
                raise InputRefused.of(f"choices.{name}", f"must be one of: {allowed}", choice)
        open_ones = [
            FieldError(f"choices.{clash.id}", UNDECIDED + ", ".join(clash.choices))
            for clash in merge.plan.clashes
            if clash.id not in choices
        ]
        if open_ones:
            raise Conflict(f"{len(open_ones)} clashes between the two branches wait for a choice", open_ones)
        if all(step.both for step in merge.plan.theirs):
            raise Conflict.of("with", "holds no edits that this scenario does not have already")
        return self._scenarios.add(
            merge.into,
            merge.inputs,
            merge.mine.baseline,
            merge.plan.merged(choices),
            (merge.other.id, merge.theirs.number),
        )
