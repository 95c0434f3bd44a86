"""Scenarios: versions, undo, branches, sharing, rights, and what happens when a ground falls away."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable
from typing import Any

import msgspec
import pytest
import sqlalchemy as sa

from dmi_agreements.contracts.features import Feature
from dmi_agreements.contracts.law import Dataset, Participant
from dmi_agreements.contracts.results import Lineage
from dmi_agreements.decision import EVERYONE
from dmi_agreements.table import LawTable
from dmi_infra import clock
from dmi_infra.errors import Conflict, InputRefused, NotFound, Refused
from dmi_infra.gate import Gate
from dmi_infra.http.access import Opening
from dmi_infra.identity import Identity
from dmi_support_centre import runs as runs_module
from dmi_support_centre import scenarios as module
from dmi_support_centre.baselines import Baselines
from dmi_support_centre.desk import Inputs
from dmi_support_centre.errors import ModelRefused
from dmi_support_centre.forgetting import Forgotten
from dmi_support_centre.grounds import Book
from dmi_support_centre.merging import Merging
from dmi_support_centre.models.scenario import INDICATORS
from dmi_support_centre.outcomes import ScenarioViews
from dmi_support_centre.routes.scenarios import parse_edit
from dmi_support_centre.runs import Runs, told_id
from dmi_support_centre.scenarios import Scenarios
from dmi_support_centre.store import Store
from dmi_support_centre.store import scenarios as scenario_store
from dmi_support_centre.store.scenarios import length_of
from tests.unit.support_centre.laws import AREAS, GARAGES, NOOR, OWNER, RARELY, VENDOR, Agree, withdrawals_of
from tests.unit.support_centre.test_baseline import square

Door = Callable[..., Opening]
ANALYST = Identity(OWNER, "Mei Lin", frozenset({"dmi:role:analyst"}))
OTHER = Identity(VENDOR, "Joris", frozenset())
REDEVELOP: dict[str, Any] = {
    "type": "redevelop",
    "area": {"neighbourhood": "BU1"},
    "from": "office",
    "mix": {"housing": 0.6, "green": 0.4},
}
SQUARE = square(5.101, 52.101, 0.001)
TRIPS: dict[str, Any] = {"type": "coefficient", "name": "inhabitants_per_dwelling", "value": 1.9}
FIGURES = {"inhabitants": 1000, "jobs": 900, "dwellings": 450, "green_m2": 5000, "area_m2": 90000}


def city(store: Store, dataset: str = AREAS, jobs: int = 900) -> None:
    area = Feature(
        "BU1", "neighbourhood", "Kantorenbuurt", square(5.10, 52.10, 0.01), {**FIGURES, "jobs": jobs}
    )
    about = {"use": "office", "floor_m2": 20_000, "neighbourhood": "BU1"}
    office = Feature("office-1", "building", "Toren", square(5.101, 52.101, 0.001), about)
    store.observations.save([(dataset, area), (dataset, office)], [], {}, {})


@pytest.fixture
def baselines(store: Store) -> Baselines:
    return Baselines(store, lambda _dataset: True)


@pytest.fixture
def forgotten() -> Forgotten:
    return Forgotten()


@pytest.fixture
def scenarios(
    store: Store, gate: Gate, agree: Agree, baselines: Baselines, forgotten: Forgotten
) -> Scenarios:
    agree(1, dataset=AREAS)
    city(store)
    return Scenarios(store, gate, baselines, Runs(store, gate, Book(store, gate), baselines, forgotten))


@pytest.fixture
def views(store: Store, gate: Gate, scenarios: Scenarios, baselines: Baselines) -> ScenarioViews:
    return ScenarioViews(store, Book(store, gate), scenarios, baselines)


@pytest.fixture
def door(opening: Door) -> Opening:
    return opening(OWNER, "scenario-input", "dmi:analyse")


def test_every_edit_is_a_version_and_undo_goes_back_without_losing_any(
    scenarios: Scenarios, store: Store, door: Opening
) -> None:
    row = scenarios.create("Wonen", ANALYST)
    assert scenarios.edit(row.id, parse_edit(REDEVELOP), door).current == 2
    change = parse_edit(TRIPS)
    assert scenarios.edit(row.id, change, door).current == 3
    assert scenarios.undo(row.id, ANALYST).current == 2
    assert scenarios.edit(row.id, change, door).current == 4
    versions = store.scenarios.heads(row.id)
    assert [(v.number, v.parent, v.edits) for v in versions] == [
        (1, None, 0), (2, 1, 1), (3, 2, 2), (4, 2, 2)
    ]  # fmt: skip


def test_the_first_version_cannot_be_undone(scenarios: Scenarios) -> None:
    with pytest.raises(Conflict):
        scenarios.undo(scenarios.create("Wonen", ANALYST).id, ANALYST)


def test_a_result_tells_inputs_model_and_who_ran_it(
    scenarios: Scenarios, door: Opening, recorded: list[object]
) -> None:
    row = scenarios.edit(scenarios.create("Wonen", ANALYST).id, parse_edit(REDEVELOP), door)
    result = scenarios.result(row, None, Inputs(door))
    record = result.body["record"]
    assert [one["dataset"] for one in record["inputs"]] == [AREAS]
    assert (record["by"], record["model"], record["left_out"]) == (OWNER, "redevelopment-1", [])
    assert result.body["outcome"]["totals"]["change"]["inhabitants"]["absolute"] > 0
    told = [one for one in recorded if isinstance(one, Lineage)]
    assert [(one.result, one.kind) for one in told] == [(told_id(result), "scenario")]


def test_the_baseline_stays_when_the_city_changes_and_running_again_makes_a_version_on_the_new_one(
    scenarios: Scenarios, views: ScenarioViews, baselines: Baselines, store: Store, door: Opening
) -> None:
    row = scenarios.edit(scenarios.create("Wonen", ANALYST).id, parse_edit(REDEVELOP), door)
    assert views.scenario(row, ANALYST)["stale"] == []
    city(store, jobs=1200)
    baselines.changed()
    assert scenarios.result(row, None, Inputs(door)).body["outcome"]["areas"][0]["baseline"]["jobs"] == 900
    shown = views.scenario(row, ANALYST)
    assert shown["stale"] == ["baseline"]
    renewed = scenarios.renew(row.id, door)
    after = views.result(renewed, None, door)
    assert (after["areas"][0]["baseline"]["jobs"], after["version"], after["stale"]) == (1200, 3, [])
    assert after["baseline_version"] != shown["baseline"]
    assert views.result(renewed, 2, door)["areas"][0]["baseline"]["jobs"] == 900
    assert scenarios.undo(row.id, ANALYST).current == 2


def test_one_goes_on_from_any_version_also_from_one_that_was_undone(
    scenarios: Scenarios, door: Opening
) -> None:
    row = scenarios.edit(scenarios.create("Wonen", ANALYST).id, parse_edit(REDEVELOP), door)
    scenarios.undo(row.id, ANALYST)
    assert scenarios.restore(row.id, 2, ANALYST).current == 2
    with pytest.raises(NotFound):
        scenarios.restore(row.id, 9, ANALYST)
    with pytest.raises(Refused):
        scenarios.restore(row.share, 1, OTHER)


def test_others_see_a_scenario_by_its_share_id_only_and_branch_to_change_it(
    scenarios: Scenarios, opening: Door
) -> None:
    row = scenarios.create("Wonen", ANALYST)
    with pytest.raises(NotFound):
        scenarios.get(row.id, OTHER)
    assert scenarios.get(row.share, OTHER).id == row.id
    with pytest.raises(Refused):
        scenarios.undo(row.share, OTHER)
    branch = scenarios.branch(row.share, "Anders", OTHER)
    assert (branch.owner, branch.parent) == (VENDOR, row.id)
    assert scenarios.version(branch, 1).baseline == scenarios.version(row, 1).baseline
    assert scenarios.of(OTHER, 10) == [branch]


def test_who_may_not_analyse_the_data_cannot_run_a_scenario(scenarios: Scenarios, opening: Door) -> None:
    row = scenarios.create("Wonen", OTHER)
    with pytest.raises(Refused):
        scenarios.edit(row.id, parse_edit(REDEVELOP), opening(VENDOR, "scenario-input", "dmi:analyse"))
    assert scenarios.get(row.id, OTHER).current == 1


def test_a_shared_result_is_shown_under_the_viewers_own_right(
    scenarios: Scenarios, views: ScenarioViews, door: Opening, opening: Door, agree: Agree
) -> None:
    row = scenarios.edit(scenarios.create("Wonen", ANALYST).id, parse_edit(REDEVELOP), door)
    shared = scenarios.get(row.share, OTHER)
    for look in (views.result, views.outlines):
        with pytest.raises(Refused):
            look(shared, None, opening(VENDOR))
    agree(2, dataset=AREAS, assignee=EVERYONE, actions=["dmi:read"])
    shown = views.result(shared, None, opening(VENDOR))
    assert shown["areas"][0]["change"]["jobs"] < 0
    assert shown["scenario"] == row.share
    [area] = views.outlines(shared, None, opening(VENDOR))["features"]
    assert (area["id"], area["geometry"]["type"]) == ("BU1", "Polygon")


def test_nobody_else_is_told_the_id_of_a_scenario(
    scenarios: Scenarios,
    views: ScenarioViews,
    door: Opening,
    opening: Door,
    agree: Agree,
    recorded: list[object],
) -> None:
    row = scenarios.edit(scenarios.create("Wonen", ANALYST).id, parse_edit(REDEVELOP), door)
    agree(2, dataset=AREAS, assignee=EVERYONE, actions=["dmi:read", "dmi:analyse", "dmi:export"])
    shared, reader = scenarios.get(row.share, OTHER), opening(VENDOR)
    shown = [
        views.result(shared, None, reader), views.scenario(shared, OTHER), views.outlines(shared, None, reader),
        views.geojson(shared, None, reader), views.csv(shared, None, reader), views.compare([shared], reader),
    ]  # fmt: skip
    told = [one for one in recorded if isinstance(one, Lineage)]
    branch = views.scenario(scenarios.branch(row.share, "Anders", OTHER), OTHER)
    assert branch["parent"]["id"] == row.share
    assert row.id not in str([*shown, *told, branch])
    own = views.result(row, None, door)
    assert (own["scenario"], own["id"]) == (row.id, shown[0]["id"])
    assert own["id"] in {one.result for one in told}, (
        "its lineage is found under the id that everyone is told"
    )


def test_a_branch_names_what_it_came_from_to_who_may_open_that_alone(
    scenarios: Scenarios, views: ScenarioViews
) -> None:
    private = {"id": None, "title": {"nl": "een privéscenario", "en": "a private scenario"}}
    row = scenarios.create("Wonen", ANALYST)
    own = scenarios.branch(row.id, "Groen", ANALYST)
    assert views.scenario(own, ANALYST)["parent"] == {"id": row.id, "title": "Wonen"}
    assert views.scenario(own, OTHER)["parent"] == private
    theirs = scenarios.branch(row.share, "Anders", OTHER)
    by_share = views.scenario(theirs, OTHER)["parent"]
    assert by_share == {"id": row.share, "title": "Wonen"}
    assert scenarios.get(by_share["id"], OTHER).id == row.id
    assert views.scenario(theirs, ANALYST)["parent"] == {"id": row.id, "title": "Wonen"}
    third = Identity("urn:dmi:participant:third", "Ada", frozenset())
    assert views.scenario(theirs, third)["parent"] == private
    assert views.scenario(row, ANALYST)["parent"] is None


def test_a_merge_names_what_was_brought_in_to_who_may_open_that_alone(
    scenarios: Scenarios, views: ScenarioViews, door: Opening
) -> None:
    row = scenarios.create("Wonen", ANALYST)
    other = scenarios.branch(row.id, "Geheim plan", ANALYST)
    scenarios.edit(other.id, parse_edit(REDEVELOP), door)
    merged = Merging(scenarios).carry_out(row.id, other.id, {}, door)
    assert views.scenario(merged, ANALYST)["versions"][-1]["merged"] == {
        "id": other.id, "title": "Geheim plan", "version": 2,
    }  # fmt: skip
    shown = views.scenario(merged, OTHER)["versions"][-1]["merged"]
    assert shown == {
        "id": None,
        "title": {"nl": "een privéscenario", "en": "a private scenario"},
        "version": None,
    }


def test_a_withdrawn_ground_empties_the_result_and_recomputing_names_the_agreement(
    scenarios: Scenarios,
    views: ScenarioViews,
    store: Store,
    gate: Gate,
    door: Opening,
    opening: Door,
    agree: Agree,
) -> None:
    row = scenarios.edit(scenarios.create("Wonen", ANALYST).id, parse_edit(REDEVELOP), door)
    ended = agree(1, dataset=AREAS, state="ended")
    shown = views.result(row, None, opening())
    assert (shown["withdrawn"], shown["areas"], shown["totals"]) == (True, [], None)
    assert shown["withdrawal"]["agreement"] == ended.id
    assert views.scenario(row, ANALYST)["withdrawn"]
    with pytest.raises(Refused) as refused:
        scenarios.recompute(row.id, Inputs(door))
    assert refused.value.reasons[0].agreement == ended.id
    withdrawals_of(store, gate.law).withdraw(ended.id)
    agree(3, dataset=AREAS)
    assert not views.recompute(row.id, door, opening())["withdrawn"]


def test_the_map_of_a_result_holds_baseline_scenario_and_change(
    scenarios: Scenarios, views: ScenarioViews, door: Opening, opening: Door
) -> None:
    row = scenarios.edit(scenarios.create("Wonen", ANALYST).id, parse_edit(REDEVELOP), door)
    [feature] = views.geojson(row, None, opening())["features"]
    about = feature["properties"]
    assert feature["geometry"]["type"] == "Polygon"
    assert about["scenario_jobs"] - about["baseline_jobs"] == pytest.approx(about["change_jobs"])


def test_a_file_names_run_source_and_licence_in_every_row(
    scenarios: Scenarios, views: ScenarioViews, gate: Gate, door: Opening, opening: Door
) -> None:
    law = Dataset(AREAS, OWNER, {"nl": "Buurten"}, licence="CC0", source="=SUM(A1)")
    gate.law.apply(law)
    row = scenarios.edit(scenarios.create("Wonen", ANALYST).id, parse_edit(REDEVELOP), door)
    rows = list(csv.DictReader(io.StringIO(views.csv(row, None, opening()))))
    assert len(rows) == 2 * len(INDICATORS)
    shown = views.result(row, None, opening())
    assert {(one["run"], one["licence"]) for one in rows} == {(shown["record"]["run"], "CC0")}
    assert {one["source"] for one in rows} == {"'=SUM(A1)"}
    jobs = next(one for one in rows if (one["area"], one["indicator"]) == ("BU1", "jobs"))
    assert float(jobs["change"]) == pytest.approx(float(jobs["value"]) - float(jobs["baseline"]))
    assert float(jobs["change_low"]) < float(jobs["change"]) < float(jobs["change_high"])
    assert views.geojson(row, None, opening())["sources"][0]["licence"] == "CC0"


def test_of_a_result_that_lost_its_ground_no_file_is_made(
    scenarios: Scenarios, views: ScenarioViews, door: Opening, opening: Door, agree: Agree
) -> None:
    row = scenarios.edit(scenarios.create("Wonen", ANALYST).id, parse_edit(REDEVELOP), door)
    ended = agree(1, dataset=AREAS, state="ended")
    for make in (views.csv, views.geojson):
        with pytest.raises(Refused) as refused:
            make(row, None, opening())
        assert refused.value.reasons[0].agreement == ended.id


def test_neighbourhoods_with_few_inhabitants_show_no_figures(
    scenarios: Scenarios, views: ScenarioViews, baselines: Baselines, store: Store, door: Opening
) -> None:
    about = {**FIGURES, "inhabitants": 12}
    small = Feature("BU2", "neighbourhood", "Klein", square(5.12, 52.10, 0.01), about)
    large = Feature(
        "BU3", "neighbourhood", "Groot", square(5.14, 52.10, 0.01), {**FIGURES, "inhabitants": 8000}
    )
    store.observations.save([(AREAS, small), (AREAS, large)], [], {}, {})
    baselines.changed()
    row = scenarios.create("Wonen", ANALYST)
    shown = views.result(row, None, door)
    # BU1, the next smallest, is hidden as well: else the total would give BU2 away.
    assert {area["id"]: area["suppressed"] for area in shown["areas"]} == {
        "BU1": True,
        "BU2": True,
        "BU3": False,
    }
    assert set(shown["areas"][0]["baseline"].values()) == {None}
    assert shown["totals"]["baseline"]["inhabitants"] == 9012
    [jobs] = [one for one in shown["split"] if one["indicator"] == "jobs"]
    assert (jobs["unknown"], jobs["same"]["areas"]) == (2, 1)


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({}, "body"),
        ({"type": "demolish"}, "type"),
        ({**REDEVELOP, "mix": {"housing": "much"}}, "mix.housing"),
        ({**REDEVELOP, "colour": "red"}, "body"),
        ({**REDEVELOP, "area": {"geometry": {**SQUARE, "crs": "a"}}}, "area.geometry.crs"),
    ],
)
def test_an_edit_that_is_none_is_refused_with_its_field(body: dict[str, Any], field: str) -> None:
    with pytest.raises(InputRefused) as refused:
        parse_edit(body)
    assert refused.value.errors[0].field == field


def test_an_edit_that_the_model_cannot_take_makes_no_version(scenarios: Scenarios, door: Opening) -> None:
    row = scenarios.create("Wonen", ANALYST)
    with pytest.raises(ModelRefused) as refused:
        scenarios.edit(row.id, parse_edit({**REDEVELOP, "area": {"neighbourhood": "nowhere"}}), door)
    assert refused.value.errors[0].field == "edits.0.area.neighbourhood"
    assert scenarios.get(row.id, ANALYST).current == 1


def test_edits_take_so_much_room_in_a_version_and_with_a_participant(
    scenarios: Scenarios, store: Store, door: Opening, monkeypatch: pytest.MonkeyPatch
) -> None:
    edit = parse_edit({**REDEVELOP, "mix": {"housing": 0.5, "office": 0.5}})
    length = length_of([edit])
    monkeypatch.setattr(module, "LONGEST_EDITS", 2 * length)
    monkeypatch.setattr(module, "MOST_CHARACTERS", 4 * length)
    row = scenarios.edit(scenarios.create("Wonen", ANALYST).id, edit, door)
    scenarios.edit(row.id, edit, door)
    with pytest.raises(Conflict, match="edits of a version") as refused:
        scenarios.edit(row.id, edit, door)
    assert refused.value.errors[0].field == "edits"
    scenarios.undo(row.id, ANALYST)
    for more in (
        lambda: scenarios.branch(row.id, "Groen", ANALYST),
        lambda: scenarios.edit(row.id, edit, door),
    ):
        with pytest.raises(Conflict, match="versions of your scenarios"):
            more()
    assert store.scenarios.size(OWNER) <= 4 * length
    assert scenarios.create("Leeg", OTHER).current == 1, "the room of others is theirs"


def test_a_version_is_added_and_looked_at_without_reading_the_others(
    scenarios: Scenarios, views: ScenarioViews, door: Opening, monkeypatch: pytest.MonkeyPatch
) -> None:
    row = scenarios.create("Wonen", ANALYST)
    read: list[int] = []
    decoded = scenario_store._version
    monkeypatch.setattr(scenario_store, "_version", lambda row: read.append(row.number) or decoded(row))
    for value in (1.9, 2.0, 2.1):
        row = scenarios.edit(row.id, parse_edit({**TRIPS, "value": value}), door)
        views.scenario(row, ANALYST)
    assert read == [1, 2, 2, 3, 3, 4]


def test_a_list_comes_in_parts_and_tells_how_each_scenario_stands(
    scenarios: Scenarios, views: ScenarioViews, door: Opening, agree: Agree
) -> None:
    first = scenarios.edit(scenarios.create("Wonen", ANALYST).id, parse_edit(REDEVELOP), door)
    rows = [first, *(scenarios.branch(first.id, f"Tak {number}", ANALYST) for number in range(4))]
    scenarios.branch(first.share, "Anders", OTHER)
    seen: list[str] = []
    after = None
    while page := scenarios.of(ANALYST, 2, after):
        seen += [row.id for row in page]
        after = (page[-1].created_at, page[-1].id)
    assert sorted(seen) == sorted(row.id for row in rows)
    agree(1, dataset=AREAS, state="ended")
    listed = {one["title"]: one for one in views.scenarios(scenarios.of(ANALYST, 10), ANALYST)}
    whole = views.scenario(first, ANALYST)
    told = listed["Wonen"]
    assert (told["edits"], told["changed_at"]) == (1, whole["versions"][-1]["created_at"])
    assert told["withdrawn"]
    assert {name: whole[name] for name in told if name not in ("edits", "changed_at")} == {
        name: told[name] for name in told if name not in ("edits", "changed_at")
    }
    assert listed["Tak 3"]["parent"] == {"id": first.id, "title": "Wonen"}


def test_a_longer_list_is_no_more_questions_to_the_store(
    scenarios: Scenarios, views: ScenarioViews, store: Store, door: Opening
) -> None:
    row = scenarios.edit(scenarios.create("Wonen", ANALYST).id, parse_edit(REDEVELOP), door)
    for number in range(9):
        scenarios.branch(row.id, f"Tak {number}", ANALYST)
    asked: list[str] = []
    sa.event.listen(store.engine, "before_cursor_execute", lambda *given: asked.append(given[2]))

    def questions(limit: int) -> int:
        asked.clear()
        assert len(views.scenarios(scenarios.of(ANALYST, limit), ANALYST)) == limit
        return len(asked)

    assert questions(10) == questions(2) > 0


def test_a_scenario_of_ones_own_is_deleted_with_all_that_is_its(
    scenarios: Scenarios, views: ScenarioViews, baselines: Baselines, store: Store, door: Opening
) -> None:
    row = scenarios.create("Wonen", ANALYST)
    first = scenarios.version(row, 1).baseline
    branch = scenarios.branch(row.id, "Groen", ANALYST)
    scenarios.edit(branch.id, parse_edit(REDEVELOP), door)
    merged = Merging(scenarios).carry_out(row.id, branch.id, {}, door)
    city(store, jobs=1200)
    baselines.changed()
    second = scenarios.version(scenarios.renew(branch.id, door), 3).baseline
    scenarios.delete(branch.id, ANALYST)
    for one in (branch.id, branch.share):
        with pytest.raises(NotFound):
            scenarios.get(one, ANALYST)
    assert [one.place for one in store.results.of_kind("scenario")] == [row.id]
    assert (store.scenarios.baseline_at(second), store.scenarios.baseline_at(first) is None) == (None, False)
    shown = views.scenario(merged, ANALYST)["versions"][-1]["merged"]
    assert shown == {
        "id": None,
        "title": {"nl": "een verwijderd scenario", "en": "a deleted scenario"},
        "version": None,
    }
    assert views.result(merged, None, door)["totals"]["change"]["inhabitants"] > 0
    scenarios.delete(row.id, ANALYST)
    assert (store.scenarios.count(OWNER), store.scenarios.size(OWNER)) == (0, 0)
    assert store.results.grounds() == set()


def test_nobody_deletes_a_scenario_of_somebody_else(scenarios: Scenarios) -> None:
    row = scenarios.create("Wonen", ANALYST)
    with pytest.raises(NotFound):
        scenarios.delete(row.id, OTHER)
    with pytest.raises(Refused):
        scenarios.delete(row.share, OTHER)
    theirs = scenarios.branch(row.share, "Anders", OTHER)
    scenarios.delete(row.id, ANALYST)
    assert scenarios.get(theirs.id, OTHER).parent == row.id, "what others made of it stays"


def test_a_scenario_that_is_deleted_while_it_is_worked_out_leaves_nothing(
    scenarios: Scenarios, store: Store, door: Opening, monkeypatch: pytest.MonkeyPatch
) -> None:
    row = scenarios.create("Wonen", ANALYST)
    during_the_next_run(monkeypatch, lambda: scenarios.delete(row.id, ANALYST))
    with pytest.raises(Conflict, match="someone else"):
        scenarios.edit(row.id, parse_edit(REDEVELOP), door)
    other = scenarios.create("Groen", ANALYST)
    during_the_next_run(monkeypatch, lambda: scenarios.delete(other.id, ANALYST))
    scenarios.result(other, None, Inputs(door))
    assert store.results.of_kind("scenario") == []


def test_the_city_of_a_scenario_that_begins_while_the_last_one_on_it_goes_is_kept(
    scenarios: Scenarios, baselines: Baselines, store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    last = scenarios.create("Wonen", ANALYST)
    pin = baselines.pin

    def slow() -> str:
        version = pin()
        scenarios.delete(last.id, ANALYST)
        return version

    monkeypatch.setattr(baselines, "pin", slow)
    row = scenarios.create("Groen", ANALYST)
    assert store.scenarios.baseline(scenarios.version(row, 1).baseline) == baselines.present()


def during_the_next_run(monkeypatch: pytest.MonkeyPatch, happens: Callable[[], object]) -> None:
    """Has something happen while a scenario is worked out."""
    run = runs_module.run
    left = [happens]

    def slow(*given: Any) -> Any:
        if left:
            left.pop()()
        return run(*given)

    monkeypatch.setattr(runs_module, "run", slow)


@pytest.mark.parametrize("dataset", [AREAS, GARAGES])
def test_what_is_worked_out_while_rows_of_its_data_go_is_not_kept(
    scenarios: Scenarios,
    store: Store,
    forgotten: Forgotten,
    door: Opening,
    monkeypatch: pytest.MonkeyPatch,
    dataset: str,
) -> None:
    def erase() -> None:
        with forgotten.forgetting(dataset):
            pass

    row = scenarios.create("Wonen", ANALYST)
    during_the_next_run(monkeypatch, erase)
    row = scenarios.edit(row.id, parse_edit(REDEVELOP), door)
    kept = [one.id for one in store.results.of_kind("scenario")]
    assert kept == ([] if dataset == AREAS else [f"scenario:{row.id}:2"])
    again = scenarios.result(row, None, Inputs(door))
    assert store.results.get(again.id) == again, "the next look has it run anew"


def test_what_is_worked_out_while_its_ground_falls_away_is_not_kept(
    scenarios: Scenarios, store: Store, agree: Agree, door: Opening, monkeypatch: pytest.MonkeyPatch
) -> None:
    row = scenarios.create("Wonen", ANALYST)
    during_the_next_run(monkeypatch, lambda: agree(1, dataset=AREAS, state="ended"))
    scenarios.edit(row.id, parse_edit(REDEVELOP), door)
    assert store.results.of_kind("scenario") == []


def test_who_was_overtaken_leaves_the_outcome_of_the_other(
    scenarios: Scenarios, door: Opening, monkeypatch: pytest.MonkeyPatch
) -> None:
    row = scenarios.create("Wonen", ANALYST)
    during_the_next_run(monkeypatch, lambda: scenarios.edit(row.id, parse_edit(TRIPS), door))
    with pytest.raises(Conflict, match="someone else"):
        scenarios.edit(row.id, parse_edit(REDEVELOP), door)
    outcome = scenarios.result(scenarios.get(row.id, ANALYST), 2, Inputs(door)).body["outcome"]
    assert outcome["touched"] == [], "of the version that was made"


def test_runs_on_one_baseline_share_what_is_known_of_its_ground(
    scenarios: Scenarios, baselines: Baselines, door: Opening
) -> None:
    version = scenarios.version(scenarios.create("Wonen", ANALYST), 1).baseline
    assert (
        scenarios.runs.known(version, Inputs(door)).ground
        is scenarios.runs.known(version, Inputs(door)).ground
    )
    assert baselines.part(version, []).areas == [], "of other datasets it is another"


@pytest.mark.parametrize("basis", ["", "dmi:basis:public-task"])
def test_places_of_data_about_persons_are_in_no_scenario(
    scenarios: Scenarios,
    views: ScenarioViews,
    baselines: Baselines,
    store: Store,
    law: LawTable,
    agree: Agree,
    door: Opening,
    opening: Door,
    basis: str,
) -> None:
    agree(2, dataset=GARAGES)
    agree(3, dataset=GARAGES, assigner=NOOR)
    agree(4, dataset=GARAGES, assigner=NOOR, assignee=OWNER)
    garden = Feature("garden", "neighbourhood", "Tuin van Noor", square(5.12, 52.10, 0.01), FIGURES)
    store.observations.save([(GARAGES, garden)], [], {}, {})
    baselines.changed()
    row = scenarios.create("Wonen", ANALYST)
    assert "Tuin van Noor" in str(views.result(row, None, door)), "while it is about nobody"
    law.apply(Dataset(GARAGES, OWNER, {}, personal=True, basis=basis))
    assert "garden" not in str(views.areas(door)["features"])
    assert "Tuin van Noor" not in str(views.outlines(row, None, opening()))
    with pytest.raises(Refused, match="places of data about persons"):
        views.result(row, None, opening())
    result = scenarios.recompute(row.id, Inputs(door))
    assert result.body["record"]["left_out"] == [GARAGES]
    assert "Tuin van Noor" not in str(views.result(row, None, opening()))


def test_scenarios_side_by_side_are_one_use_with_what_is_run_for_it(
    scenarios: Scenarios, views: ScenarioViews, agree: Agree, opening: Door
) -> None:
    made = agree(2, dataset=AREAS, assignee=VENDOR, limits=[RARELY])
    rows = [scenarios.create(title, OTHER) for title in ("Wonen", "Groen")]
    # Neither has been run: each is, under the right to analyse, and both are read.
    assert len(views.compare(rows, opening(VENDOR))["items"]) == 2
    with pytest.raises(Refused) as refused:
        views.compare(rows, opening(VENDOR))
    assert refused.value.reasons[0].agreement == made.id


def test_places_that_have_ended_are_in_no_new_scenario_and_cannot_be_chosen(
    scenarios: Scenarios, views: ScenarioViews, store: Store, door: Opening, monkeypatch: pytest.MonkeyPatch
) -> None:
    now = clock.now()
    for identifier, until in (("gone", now - 1), ("going", now + 3_600_000_000)):
        feature = Feature(identifier, "neighbourhood", identifier, square(5.12, 52.10, 0.01), FIGURES)
        store.observations.save([(AREAS, msgspec.structs.replace(feature, valid_to=until))], [], {}, {})

    def seen() -> list[set[str]]:
        row = scenarios.create("Wonen", ANALYST)
        chosen = [one["id"] for one in views.areas(door)["features"]]
        outlined = [one["id"] for one in views.outlines(row, None, door)["features"]]
        return [set(found) - {"office-1"} for found in (chosen, outlined)]

    assert seen() == [{"BU1", "going"}] * 2
    # Nothing tells of the moment itself: what was put together before it must not go on.
    monkeypatch.setattr(clock, "now", lambda: now + 3_600_000_000)
    assert seen() == [{"BU1"}] * 2


def test_whoever_a_scenario_is_shared_with_sees_why_it_fell_only_with_a_right_of_its_own(
    scenarios: Scenarios, views: ScenarioViews, agree: Agree, opening: Door, door: Opening
) -> None:
    row = scenarios.edit(scenarios.create("Wonen", ANALYST).id, parse_edit(REDEVELOP), door)
    ended = agree(1, dataset=AREAS, state="ended")
    assert views.result(row, None, opening())["withdrawal"]["agreement"] == ended.id
    assert views.scenario(row, ANALYST)["withdrawal"]["agreement"] == ended.id
    told = views.scenario(row, OTHER)
    assert (told["withdrawn"], told["withdrawal"]) == (True, None)
    with pytest.raises(Refused):
        views.result(row, None, opening(VENDOR))
    agree(2, dataset=AREAS, assignee=VENDOR, actions=["dmi:read"])
    assert views.result(row, None, opening(VENDOR))["withdrawal"]["agreement"] == ended.id


def test_without_neighbourhoods_there_is_nothing_to_branch_from(store: Store, gate: Gate) -> None:
    baselines = Baselines(store, lambda _dataset: True)
    runs = Runs(store, gate, Book(store, gate), baselines, Forgotten())
    with pytest.raises(Conflict):
        Scenarios(store, gate, baselines, runs).create("Leeg", ANALYST)


def test_a_participant_has_so_many_scenarios_and_goes_on_in_one_of_them(
    scenarios: Scenarios, door: Opening, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "MOST_SCENARIOS", 2)
    first = scenarios.create("Wonen", ANALYST)
    scenarios.branch(first.id, "Werken", ANALYST)
    for more in (
        lambda: scenarios.create("Groen", ANALYST),
        lambda: scenarios.branch(first.id, "Groen", ANALYST),
        lambda: scenarios.branch(first.share, "Groen", ANALYST),
    ):
        with pytest.raises(Conflict, match="2 scenarios already"):
            more()
    scenarios.edit(first.id, parse_edit(REDEVELOP), door)
    assert scenarios.restore(first.id, 1, ANALYST).current == 1
    assert len(scenarios.of(ANALYST, 10)) == 2
    assert scenarios.branch(first.share, "Van een ander", OTHER).owner == VENDOR


def test_the_scenarios_of_a_participant_rest_on_so_many_states_of_the_city(
    scenarios: Scenarios, store: Store, baselines: Baselines, door: Opening, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "MOST_BASELINES", 2)
    first = scenarios.create("Wonen", ANALYST)
    for jobs in (800, 700):
        city(store, jobs=jobs)
        baselines.changed()
        kept = store.scenarios.baselines_of(OWNER)
        if jobs == 800:
            scenarios.renew(first.id, door)
    newest = baselines.present().version
    for more in (lambda: scenarios.create("Groen", ANALYST), lambda: scenarios.renew(first.id, door)):
        with pytest.raises(Conflict, match="2 states of the city"):
            more()
    assert store.scenarios.baselines_of(OWNER) == kept
    assert store.scenarios.baseline(newest) is None, "what is refused is not kept"
    scenarios.branch(first.id, "Werken", ANALYST)
    city(store, jobs=800)
    baselines.changed()
    assert scenarios.create("Weer de vorige stad", ANALYST).current == 1
    city(store, jobs=700)
    baselines.changed()
    assert scenarios.create("Van een ander", OTHER).owner == VENDOR


def test_a_shared_scenario_of_a_resident_does_not_name_it(
    scenarios: Scenarios, views: ScenarioViews, opening: Door, agree: Agree, law: LawTable
) -> None:
    """Who reads it knows which organisation made one; of a natural person it has no need to know even the id."""
    agree(2, dataset=AREAS, assignee=EVERYONE, actions=["dmi:read", "dmi:analyse", "dmi:export"])
    law.apply(Participant(NOOR, "Noor", ["dmi:role:resident"], rulebook="1.0.0"))
    hers = opening(NOOR, "scenario-input", "dmi:analyse")
    name = hers.identity.name
    row = scenarios.edit(scenarios.create("Meer groen", hers.identity).id, parse_edit(REDEVELOP), hers)
    scenarios.result(row, None, Inputs(hers))
    shared, reader = scenarios.get(row.share, OTHER), opening(VENDOR)
    shown = [
        views.scenario(shared, OTHER), views.result(shared, None, reader), views.compare([shared], reader),
        views.geojson(shared, None, reader), views.csv(shared, None, reader),
    ]  # fmt: skip
    assert name not in str(shown)
    assert NOOR not in str(shown)
    own = views.scenario(row, hers.identity)
    assert (own["owner"], own["owner_name"], own["versions"][1]["by"]) == (NOOR, name, name)
    record = views.result(row, None, opening(NOOR))["record"]
    assert (record["by"], record["by_name"]) == (NOOR, name)
    office = scenarios.get(scenarios.create("Wonen", ANALYST).share, OTHER)
    assert views.scenario(office, OTHER)["owner"] == OWNER, "which organisation made it is told"
