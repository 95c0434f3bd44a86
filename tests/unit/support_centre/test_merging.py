"""Merging scenarios: a new version of one, from two, with the analyst's choices; and who may."""

from __future__ import annotations

from typing import Any

import pytest

from dmi_agreements.contracts.record import DecisionRecord
from dmi_infra.errors import Conflict, InputRefused, NotFound, Refused
from dmi_infra.gate import Gate
from dmi_support_centre.baselines import Baselines
from dmi_support_centre.forgetting import Forgotten
from dmi_support_centre.grounds import Book
from dmi_support_centre.merging import Merging
from dmi_support_centre.outcomes import ScenarioViews
from dmi_support_centre.routes.scenarios import parse_edit
from dmi_support_centre.runs import Runs
from dmi_support_centre.scenarios import Scenarios
from dmi_support_centre.store import Store
from dmi_support_centre.store.scenarios import ScenarioRow
from tests.unit.support_centre.laws import AREAS, OWNER, RARELY, VENDOR, Agree
from tests.unit.support_centre.test_scenarios import ANALYST, OTHER, REDEVELOP, Door, city

GREEN = {**REDEVELOP, "mix": {"green": 1.0}}
TRIPS = {"type": "coefficient", "name": "inhabitants_per_dwelling", "value": 1.9}


class Desk:
    """Two branches of one scenario, and what merges them."""

    def __init__(self, store: Store, gate: Gate, opening: Door) -> None:
        self.baselines = Baselines(store, lambda _dataset: True)
        runs = Runs(store, gate, Book(store, gate), self.baselines, Forgotten())
        self.scenarios = Scenarios(store, gate, self.baselines, runs)
        self.merging = Merging(self.scenarios)
        self.views = ScenarioViews(store, Book(store, gate), self.scenarios, self.baselines)
        self.door = opening(OWNER, "scenario-input", "dmi:analyse")
        self.ours = self.scenarios.create("Wonen", ANALYST)
        self.theirs = self.scenarios.branch(self.ours.id, "Groen", ANALYST)

    def edit(self, row: ScenarioRow, body: dict[str, Any]) -> None:
        self.scenarios.edit(row.id, parse_edit(body), self.door)

    def edits(self) -> list[Any]:
        row = self.scenarios.get(self.ours.id, ANALYST)
        return self.views.scenario(row, ANALYST)["edits"]


@pytest.fixture
def desk(store: Store, gate: Gate, agree: Agree, opening: Door) -> Desk:
    agree(1, dataset=AREAS)
    city(store)
    return Desk(store, gate, opening)


def test_a_merge_is_a_version_that_names_where_it_came_from_and_can_be_undone(desk: Desk) -> None:
    desk.edit(desk.ours, REDEVELOP)
    desk.edit(desk.theirs, TRIPS)
    row = desk.merging.carry_out(desk.ours.id, desk.theirs.id, {}, desk.door)
    shown = desk.views.scenario(row, ANALYST)
    assert shown["edits"] == [REDEVELOP, TRIPS]
    brought = {"id": desk.theirs.id, "title": "Groen", "version": 2}
    assert shown["versions"][-1]["merged"] == brought
    result = desk.views.result(row, None, desk.door)
    assert result["totals"]["change"]["inhabitants"] > 0
    assert desk.scenarios.undo(desk.ours.id, ANALYST).current == 2
    assert desk.edits() == [REDEVELOP]
    assert desk.scenarios.get(desk.theirs.id, ANALYST).current == 2


def test_every_clash_waits_for_a_choice_and_is_named(desk: Desk) -> None:
    desk.edit(desk.ours, REDEVELOP)
    desk.edit(desk.ours, TRIPS)
    desk.edit(desk.theirs, GREEN)
    desk.edit(desk.theirs, {**TRIPS, "value": 2.4})
    shown = desk.views.merge(desk.merging.prepare(desk.ours.id, desk.theirs.id, desk.door), ANALYST)
    [area, coefficient] = shown["clashes"]
    assert area["contested"][0]["neighbourhood_name"] == "Kantorenbuurt"
    with pytest.raises(Conflict) as refused:
        desk.merging.carry_out(desk.ours.id, desk.theirs.id, {area["id"]: "theirs"}, desk.door)
    assert [one.field for one in refused.value.errors] == [f"choices.{coefficient['id']}"]
    assert desk.edits() == [REDEVELOP, TRIPS]
    chosen = {area["id"]: "theirs", coefficient["id"]: "ours"}
    desk.merging.carry_out(desk.ours.id, desk.theirs.id, chosen, desk.door)  # type: ignore[arg-type]
    assert desk.edits() == [TRIPS, GREEN]


@pytest.mark.parametrize(
    ("choices", "field"),
    [({"area-old": "ours"}, "choices.area-old"), ({"FOUND": "both"}, "choices.FOUND")],
)
def test_a_choice_that_does_not_fit_is_refused_with_its_name(
    desk: Desk, choices: dict[str, str], field: str
) -> None:
    desk.edit(desk.ours, TRIPS)
    desk.edit(desk.theirs, {**TRIPS, "value": 2.4})
    found = desk.merging.prepare(desk.ours.id, desk.theirs.id, desk.door).plan.clashes[0].id
    given = {name.replace("FOUND", found): choice for name, choice in choices.items()}
    with pytest.raises(InputRefused) as refused:
        desk.merging.carry_out(desk.ours.id, desk.theirs.id, given, desk.door)  # type: ignore[arg-type]
    assert refused.value.errors[0].field == field.replace("FOUND", found)


def test_both_that_cannot_both_be_done_makes_no_version(desk: Desk) -> None:
    desk.edit(desk.ours, REDEVELOP)
    desk.edit(desk.theirs, GREEN)
    [clash] = desk.merging.prepare(desk.ours.id, desk.theirs.id, desk.door).plan.clashes
    with pytest.raises(InputRefused, match="earlier edits left no office"):
        desk.merging.carry_out(desk.ours.id, desk.theirs.id, {clash.id: "both"}, desk.door)
    assert desk.edits() == [REDEVELOP]


def test_on_different_baselines_one_first_runs_both_again(desk: Desk, store: Store) -> None:
    desk.edit(desk.theirs, REDEVELOP)
    city(store, jobs=1000)
    desk.baselines.changed()
    desk.scenarios.renew(desk.theirs.id, desk.door)
    with pytest.raises(Conflict, match="another baseline"):
        desk.merging.prepare(desk.ours.id, desk.theirs.id, desk.door)
    desk.scenarios.renew(desk.ours.id, desk.door)
    assert desk.merging.prepare(desk.ours.id, desk.theirs.id, desk.door).plan.clashes == []


def test_nothing_new_or_the_same_scenario_is_no_merge(desk: Desk) -> None:
    desk.edit(desk.ours, REDEVELOP)
    for other in (desk.theirs.id, desk.ours.id):
        with pytest.raises(Conflict):
            desk.merging.carry_out(desk.ours.id, other, {}, desk.door)


def test_a_shared_branch_of_others_can_be_brought_in_but_not_changed(
    desk: Desk, opening: Door, agree: Agree
) -> None:
    agree(2, dataset=AREAS, assignee=VENDOR, actions=["dmi:analyse", "dmi:read"])
    theirs = desk.scenarios.branch(desk.ours.share, "Voorstel", OTHER)
    vendor = opening(VENDOR, "scenario-input", "dmi:analyse")
    desk.scenarios.edit(theirs.id, parse_edit(REDEVELOP), vendor)
    with pytest.raises(NotFound):
        desk.merging.prepare(desk.ours.id, theirs.id, desk.door)
    with pytest.raises(Refused):
        desk.merging.carry_out(desk.ours.share, theirs.id, {}, vendor)
    desk.merging.carry_out(desk.ours.id, theirs.share, {}, desk.door)
    assert desk.edits() == [REDEVELOP]


def test_who_may_not_analyse_the_areas_cannot_look_at_a_merge(
    desk: Desk, opening: Door, agree: Agree
) -> None:
    desk.edit(desk.theirs, REDEVELOP)
    ended = agree(1, dataset=AREAS, state="ended")
    with pytest.raises(Refused) as refused:
        desk.merging.prepare(desk.ours.id, desk.theirs.id, desk.door)
    assert refused.value.reasons[0].agreement == ended.id


def test_a_merge_is_one_use_so_that_it_can_be_done_under_an_interval_between_uses(
    desk: Desk, agree: Agree, opening: Door, recorded: list[object]
) -> None:
    agree(2, dataset=AREAS, assignee=VENDOR)
    door = opening(VENDOR, "scenario-input", "dmi:analyse")
    ours = desk.scenarios.create("Wonen", OTHER)
    theirs = desk.scenarios.branch(ours.id, "Groen", OTHER)
    desk.scenarios.edit(ours.id, parse_edit(REDEVELOP), door)
    desk.scenarios.edit(theirs.id, parse_edit(TRIPS), door)
    agree(2, dataset=AREAS, assignee=VENDOR, state="ended")
    agree(3, dataset=AREAS, assignee=VENDOR, limits=[RARELY])
    recorded.clear()
    assert desk.merging.carry_out(ours.id, theirs.id, {}, door).current == 3
    assert len([one for one in recorded if isinstance(one, DecisionRecord)]) == 1
    with pytest.raises(Refused):
        desk.merging.prepare(ours.id, theirs.id, door)
