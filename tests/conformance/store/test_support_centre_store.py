"""The support centre's store does the same on SQLite and on PostgreSQL."""

from __future__ import annotations

import threading
import time
import uuid
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import msgspec
import pytest
import sqlalchemy as sa
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext

from dmi_agreements.contracts.envelope import Envelope
from dmi_agreements.contracts.features import Feature
from dmi_agreements.contracts.results import Grounds, Measure
from dmi_infra.bus.port import Message, Received
from dmi_infra.sql import migrate, open_engine, transaction
from dmi_support_centre.baseline import snapshot
from dmi_support_centre.model import (
    COUNTS_KEPT,
    CROWD_COUNT,
    DAY,
    KEPT,
    MINUTE,
    QUARTER,
    RECENT,
    Reading,
    Result,
)
from dmi_support_centre.models.measures import GarageRule
from dmi_support_centre.models.scenario import SetCoefficient
from dmi_support_centre.store import Store, seen, tables
from dmi_support_centre.store import marks as marks_module
from dmi_support_centre.store.marks import Following
from dmi_support_centre.store.measures import Backlog, RuleRow, Step, Subscription, take
from dmi_support_centre.store.results import Tracked
from dmi_support_centre.store.scenarios import ScenarioRow, Standing, VersionHead, VersionRow, length_of
from dmi_support_centre.store.tables import metadata, outbox

D = "urn:dmi:dataset:gemeente:garages"
NOW = 1_700_000_100_000_000 // QUARTER * QUARTER


@pytest.fixture(params=["sqlite", pytest.param("postgres", marks=pytest.mark.postgres)])
def engine(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[sa.Engine]:
    if request.param == "sqlite":
        made = open_engine(f"sqlite:///{tmp_path / 'support_centre.db'}", "support_centre")
    else:
        server = request.getfixturevalue("postgres_server")
        name = f"support_{uuid.uuid4().hex[:12]}"
        server.create_database(name)
        made = open_engine(server.url(name), "support_centre")
    migrate(made, "dmi_support_centre")
    yield made
    made.dispose()


@pytest.fixture
def store(engine: sa.Engine) -> Store:
    return Store(engine)


def reading(at: int, value: float, stream: str = "garages.a.occupancy", who: str = "") -> Reading:
    return Reading(stream, D, "occupancy", at, value, who)


def result(identifier: str, *agreements: str) -> Result:
    return Result(identifier, "forecast", "titel", "a", NOW, Grounds([D], list(agreements)), {"p50": 1.5})


def measure(state: str, *results: str) -> Measure:
    grounds = Grounds([D], ["g"], results=list(results))
    return Measure("m", "r", state, "p", {"nl": ""}, {"nl": ""}, 1, 1, 5, grounds=grounds)


def begin(
    store: Store, state: str, *results: str, holds: Callable[[], bool] = lambda: True, **telling: Any
) -> bool:
    step = Step(measure(state, *results), **telling)
    return store.measures.begin(step, result("m", "g"), holds)


def nothing_follows(_results: Sequence[Result], _measures: Sequence[Measure]) -> Following:
    return Following()


def test_the_migration_makes_the_tables_that_the_code_knows(engine: sa.Engine) -> None:
    with engine.connect() as connection:
        differences = compare_metadata(MigrationContext.configure(connection), metadata)
    foreign = {"alembic_version", "spatial_ref_sys"}
    changed = [d for d in differences if not (d[0] == "remove_table" and d[1].name in foreign)]
    assert changed == []


def test_readings_of_a_quarter_add_up_over_batches(store: Store) -> None:
    store.observations.save([], [reading(NOW, 10.0), reading(NOW + 2 * MINUTE, 20.0)], {}, {("t", 0): 1})
    store.observations.save([], [reading(NOW + 4 * MINUTE, 60.0)], {}, {("t", 0): 2})
    [quarter] = store.observations.quarters(D, NOW)
    assert (quarter.mean, quarter.at, quarter.last) == (30.0, NOW + 2 * MINUTE, 4 * MINUTE)
    assert store.observations.positions() == {("t", 0): 2}
    assert store.observations.count_quarters(D) == 1


@pytest.mark.parametrize("kept", [1.7e308, -1.7e308])
def test_what_was_kept_of_a_result_beyond_all_that_is_measured_is_no_reading(
    store: Store, kept: float
) -> None:
    def count(at: int, value: float) -> Reading:
        return Reading("s.crowd_count", D, CROWD_COUNT, at, value)

    many = [reading(NOW, kept), reading(NOW + QUARTER, 3.0), count(NOW, kept), count(NOW + 1, 5.0)]
    store.observations.save([], many, {}, {})
    store.observations.save([], [reading(NOW + 1, 10.0)], {}, {})
    assert [one.mean for one in store.observations.quarters(D, NOW)] == [3.0]
    assert [one.value for one in store.observations.recent(D, "occupancy")] == [10.0, 3.0]
    assert [one.value for one in store.observations.recent(D, CROWD_COUNT)] == [5.0]
    assert [one.value for one in store.observations.counts(["s.crowd_count"], NOW, NOW + 9)] == [5.0]


def test_a_message_that_was_published_twice_is_known_by_its_name(store: Store) -> None:
    envelope = Envelope("1", "urn:dmi:service:platform", "t", "2026-01-01T00:00:00Z")
    first, copy = (Received("topic", 0, at, Message("k", b"{}", envelope)) for at in (4, 9))
    kept = store.observations
    assert kept.fresh([first, copy]) == [first]
    kept.save([], [reading(NOW, 10.0)], {}, {("topic", 0): 5}, (), [first])
    assert kept.fresh([copy]) == []
    kept.save([], [], {}, {("topic", 0): 10}, (), [copy])
    assert kept.positions() == {("topic", 0): 10}


def test_only_the_last_half_hour_of_single_readings_is_kept_per_datastream(store: Store) -> None:
    store.observations.save([], [reading(NOW, 1.0), reading(NOW, 7.0, "garages.b.occupancy")], {}, {})
    store.observations.save([], [reading(NOW + RECENT, 2.0), reading(NOW + MINUTE, 3.0)], {}, {})
    kept = [(r.datastream, r.time) for r in store.observations.recent(D, "occupancy")]
    assert kept == [
        ("garages.a.occupancy", NOW + MINUTE),
        ("garages.a.occupancy", NOW + RECENT),
        ("garages.b.occupancy", NOW),
    ]


def test_counts_are_kept_as_long_as_a_measure_may_last_with_what_came_before_and_after(store: Store) -> None:
    def count(at: int, stream: str = "c.a") -> Reading:
        return Reading(stream, D, "crowd_count", at, 4.0)

    assert DAY + 60 * MINUTE < COUNTS_KEPT
    store.observations.save([], [count(NOW), count(NOW, "c.b"), reading(NOW, 1.0)], {}, {})
    store.observations.save([], [count(NOW + RECENT), count(NOW + COUNTS_KEPT)], {}, {})
    found = store.observations.counts(["c.a", "c.b"], NOW, NOW + COUNTS_KEPT + 1)
    assert [(r.datastream, r.time - NOW) for r in found] == [
        ("c.a", RECENT), ("c.a", COUNTS_KEPT), ("c.b", 0),
    ]  # fmt: skip
    assert store.observations.counts(["c.a"], NOW + RECENT, NOW + RECENT) == []
    assert store.observations.counts(["garages.a.occupancy"], NOW, NOW + 1) == []


def test_what_is_kept_of_counts_alone_is_deleted_after_a_term_too(store: Store) -> None:
    store.observations.save([], [Reading("c.a", "urn:dmi:dataset:x:c", "crowd_count", NOW, 4.0)], {}, {})
    assert store.observations.kept_datasets() == ["urn:dmi:dataset:x:c"]
    assert store.observations.delete_before("urn:dmi:dataset:x:c", NOW) == 0
    assert store.observations.delete_before("urn:dmi:dataset:x:c", NOW + 1) == 2
    assert store.observations.kept_datasets() == []


def test_a_change_of_a_rule_that_another_overtook_is_not_made(store: Store) -> None:
    row = RuleRow(GarageRule("r", "*", "h"), {"nl": "n", "en": "e"}, "o", NOW)
    first = store.measures.put_rule(row)
    assert first is not None
    assert first.version == 1
    assert store.measures.put_rule(row) is None, "one of this id is there already"
    changed = RuleRow(GarageRule("r", "*", "h", full_share=0.9), row.title, "a", NOW, first.version)
    second = store.measures.put_rule(changed)
    assert second is not None
    assert second.version == 2
    assert store.measures.put_rule(changed) is None
    assert store.measures.rules() == [second]


def test_quarters_beyond_ten_weeks_are_forgotten(store: Store) -> None:
    store.observations.save([], [reading(NOW - KEPT - QUARTER, 1.0), reading(NOW, 2.0)], {}, {})
    assert store.observations.forget_old(D, NOW) == 1
    assert [q.mean for q in store.observations.quarters(D, 0)] == [2.0]


def test_what_was_erased_takes_the_place_of_every_version(store: Store) -> None:
    home = Feature("a", "parking", "Oprit van Jan", None, {}, 3)
    gone = Feature("a", "parking", "erased", valid_to=4, replaces_all=True)
    store.observations.save([(D, home)], [], {}, {})
    store.observations.save([(D, gone)], [], {}, {})
    assert store.observations.features("parking") == [(D, gone)]


def test_an_older_version_of_a_feature_does_not_replace_a_newer_one(store: Store) -> None:
    for name, since in (("new", 5), ("old", 3)):
        store.observations.save([(D, Feature("a", "parking", name, valid_from=since))], [], {}, {})
    assert [f.name for _, f in store.observations.features("parking")] == ["new"]


def test_a_withdrawn_ground_marks_what_rests_on_it_once_until_it_is_made_again(store: Store) -> None:
    store.results.save([result("one", "g1", "g2"), result("two", "g2")])
    assert store.results.grounds() == {"g1", "g2"}
    assert [r.id for r in store.marks.withdraw("g1", 7, nothing_follows)] == ["one"]
    assert store.marks.withdraw("g1", 8, nothing_follows) == []
    found = store.results.get("one")
    assert found is not None
    assert (found.withdrawn_at, found.withdrawn_ground) == (7, "g1")
    store.results.save([result("one", "g3")])
    assert [r.id for r in store.marks.withdraw("g2", 9, nothing_follows)] == ["two"]
    assert store.results.grounds() == {"g3"}


def test_a_result_and_its_messages_are_written_together(store: Store, engine: sa.Engine) -> None:
    envelope = Envelope("1", "s", "t", "2026-01-01T00:00:00Z")
    store.results.save([result("one", "g")], "dmi.indicators.v1", [Message("k", b"{}", envelope)])
    with engine.connect() as connection:
        assert connection.execute(sa.select(outbox.c.topic, outbox.c.key)).all() == [
            ("dmi.indicators.v1", "k")
        ]


def test_past_forecasts_are_kept_settled_and_forgotten(store: Store) -> None:
    rows = [Tracked("a", NOW, NOW + h * QUARTER, D, 1.0, 2.0, 3.0) for h in (1, 2)]
    store.results.add_track(rows)
    store.results.add_track([Tracked("a", NOW, NOW + QUARTER, D, 9.0, 9.0, 9.0, backtested=True)])
    known = Tracked("a", NOW, NOW + QUARTER, D, 1.0, 2.0, 3.0, 2.5, 2.0, None)
    store.results.settle_track([known])
    assert store.results.track(D, NOW, NOW + 9 * QUARTER, known=True) == [known]
    assert store.results.track(D, NOW, NOW + 9 * QUARTER, known=False) == [rows[1]]
    store.results.forget_track(D, NOW + 9 * QUARTER, NOW)
    assert store.results.track(D, NOW, NOW + 9 * QUARTER, known=None) == [known]


def test_a_change_of_a_scenario_that_another_overtook_is_not_made(store: Store) -> None:
    row = ScenarioRow("s", "t", None, "o", "n", 1, 1, "share")
    change = SetCoefficient("größe", 1.5)
    first, second = (
        VersionRow("s", 1, None, [change], 1, "n", "b"),
        VersionRow("s", 2, 1, [], 2, "n", "c", "u", 7),
    )
    store.scenarios.create(row, first)
    assert store.scenarios.append(second, expected=1)
    assert not store.scenarios.append(VersionRow("s", 3, 1, [], 3, "n", "b"), expected=1)
    assert not store.scenarios.point("s", 1, expected=1)
    assert [store.scenarios.version("s", number) for number in (1, 2, 3)] == [first, second, None]
    assert store.scenarios.heads("s") == [
        VersionHead(1, None, 1, 1, "n", "b"), VersionHead(2, 1, 0, 2, "n", "c", "u", 7)
    ]  # fmt: skip
    assert store.scenarios.standing(["s", "t"]) == {"s": Standing(0, "c", 2)}
    assert store.scenarios.among(["s", "t"]) == {"s": store.scenarios.get("s")}
    assert (store.scenarios.newest("s"), store.scenarios.newest("t")) == (2, 0)
    assert store.scenarios.size("o") == length_of(first.edits) + length_of(second.edits)
    assert store.scenarios.size("another") == 0
    assert store.scenarios.get("share") == store.scenarios.get("s")
    assert (store.scenarios.count("o"), store.scenarios.count("another")) == (1, 0)
    assert store.scenarios.baselines_of("o") == {"b", "c"}
    assert store.scenarios.baselines_of("another") == set()


def test_a_scenario_goes_with_its_outcomes_and_with_the_baselines_of_it_alone(store: Store) -> None:
    ring = [[5.0, 52.0], [5.1, 52.0], [5.1, 52.1], [5.0, 52.0]]
    field = {"type": "Polygon", "coordinates": [ring]}
    made = [snapshot([(D, Feature(name, "neighbourhood", "x", field))], lambda _: True) for name in "ab"]
    for one in made:
        store.scenarios.keep_baseline(one, 1)
    a, b = (one.version for one in made)
    for name, baselines in (("s", [a, b]), ("t", [a])):
        row = ScenarioRow(name, "t", None, "o", "n", 1, 1, f"share-{name}")
        store.scenarios.create(row, VersionRow(name, 1, None, [], 1, "n", baselines[0]))
        for number, baseline in enumerate(baselines[1:], 2):
            assert store.scenarios.append(VersionRow(name, number, 1, [], 1, "n", baseline), number - 1)
        store.results.save([Result(f"scenario:{name}:1", "scenario", "t", name, 1, Grounds([D], [name]), {})])
    store.results.save([Result("forecast:s", "forecast", "t", "s", 1, Grounds([D], ["f"]), {})])
    store.scenarios.delete("s")
    assert (store.scenarios.get("s"), store.scenarios.heads("s")) == (None, [])
    assert store.scenarios.get("t") is not None
    assert (store.scenarios.baseline_at(a), store.scenarios.baseline_at(b)) == (1, None)
    assert store.results.get("scenario:s:1") is None
    assert store.results.grounds() == {"t", "f"}
    with store.engine.connect() as connection:
        found = connection.execute(sa.select(metadata.tables["material"].c.result)).scalars()
        assert sorted(found) == ["forecast:s", "scenario:t:1"]
    store.scenarios.delete("s")


def test_scenarios_come_in_parts_also_those_of_one_moment(store: Store) -> None:
    for number, at in enumerate([5, 7, 7, 7, 9]):
        row = ScenarioRow(f"s{number}", "t", None, "o", "n", at, 1, f"share{number}")
        store.scenarios.create(row, VersionRow(row.id, 1, None, [], at, "n", "b"))
    seen: list[str] = []
    after = None
    while page := store.scenarios.of("o", 2, after):
        seen += [row.id for row in page]
        after = (page[-1].created_at, page[-1].id)
    assert seen == ["s4", "s1", "s2", "s3", "s0"]


def test_a_result_without_its_body_tells_its_model_and_its_grounds(store: Store) -> None:
    body = {"outcome": [1] * 100, "record": {"model": "größe-1", "run": "x"}}
    whole = Result("scenario:s:1", "scenario", "t", "s", 5, Grounds(["d"], ["a"]), body)
    store.results.save([whole])
    found = msgspec.structs.replace(whole, body={"record": {"model": "größe-1"}})
    assert store.results.heads(["scenario:s:1", "scenario:s:2"]) == [found]


def test_a_store_from_before_merges_keeps_its_scenarios_on_their_baselines(engine: sa.Engine) -> None:
    # As the first version of the software left it: the baseline stood at the scenario.
    with engine.begin() as connection:
        for statement in (
            "DROP TABLE counted",
            "DROP TABLE taken",
            "DROP TABLE material",
            "DROP TABLE seen",
            "DROP TABLE seen_since",
            "ALTER TABLE rule DROP COLUMN version",
            "ALTER TABLE scenario ADD COLUMN baseline TEXT",
            "ALTER TABLE version DROP COLUMN merged_from",
            "ALTER TABLE version DROP COLUMN merged_version",
            "ALTER TABLE version DROP COLUMN baseline",
            "INSERT INTO scenario (id, title, owner, owner_name, created_at, baseline, current, share) "
            "VALUES ('s', 't', 'o', 'n', 1, 'base', 2, 'share'), ('u', 't', 'o', 'n', 1, 'other', 1, 'share2')",
            "INSERT INTO version (scenario, number, parent, edits, made_at, made_by) "
            "VALUES ('s', 1, NULL, '[]', 1, 'n'), ('s', 2, 1, '[]', 1, 'n'), ('u', 1, NULL, '[]', 1, 'n')",
            "UPDATE alembic_version SET version_num = 'support_centre_0001'",
        ):
            connection.execute(sa.text(statement))
    migrate(engine, "dmi_support_centre")
    store = Store(engine)
    assert [v.baseline for v in store.scenarios.heads("s")] == ["base", "base"]
    assert [v.baseline for v in store.scenarios.heads("u")] == ["other"]
    found = store.scenarios.get("s")
    assert found is not None
    assert found.current == 2


def test_a_baseline_is_kept_once_under_its_content(store: Store) -> None:
    ring = [[5.0, 52.0], [5.1, 52.0], [5.1, 52.1], [5.0, 52.0]]
    area = Feature("BU1", "neighbourhood", "Buurt", {"type": "Polygon", "coordinates": [ring]}, {"jobs": 3})
    made = snapshot([(D, area)], {D}.__contains__)
    store.scenarios.keep_baseline(made, 1)
    store.scenarios.keep_baseline(made, 2)
    assert store.scenarios.baseline_at(made.version) == 1
    assert store.scenarios.baseline_at("other") is None
    assert store.scenarios.baseline(made.version) == made
    assert store.scenarios.baseline("other") is None


def test_a_measure_changes_state_only_from_the_one_that_was_seen(store: Store) -> None:
    assert begin(store, "proposed")
    published = measure("published")
    assert store.measures.save(Step(published), "proposed", "Fatima")
    assert not store.measures.save(Step(published), "proposed", "Joris")
    [row] = store.measures.measures("published")
    assert (row.measure, row.decided_name, row.look_back) == (published, "Fatima", None)
    store.measures.look_back("m", {"hub": None})
    assert store.measures.measures()[0].look_back == {"hub": None}


def test_deliveries_wait_for_their_time_and_go_with_their_subscription(store: Store) -> None:
    store.measures.subscribe(Subscription("s", "http://x/", "p", 1))
    event = {"subscription": "s", "headers": "{}", "body": b"x", "attempts": 0, "next_at": 10}
    assert begin(store, "published", deliveries=[event])
    assert store.measures.due(9) == []
    [waiting] = store.measures.due(10)
    store.measures.postpone(waiting.id, 20)
    assert [d.attempts for d in store.measures.due(20)] == [1]
    assert store.measures.backlogs() == {"s": Backlog(1, 1, 20)}
    store.measures.subscribe(Subscription("t", "http://y/", "p", 2))
    later = [{**event, "subscription": name, "next_at": 12} for name in ("s", "t")]
    assert store.measures.save(Step(measure("expired"), deliveries=later), "published")
    assert [d.url for d in store.measures.due(15)] == ["http://y/"], "no later one goes before the first"
    store.measures.postpone(waiting.id, 30)
    assert store.measures.backlogs() == {"s": Backlog(2, 2, 30), "t": Backlog(1, 0, 12)}
    assert not store.measures.unsubscribe("s", "other")
    assert store.measures.unsubscribe("s", "p")
    assert [d.url for d in store.measures.due(99)] == ["http://y/"]


def _parts(readings: list[Reading]) -> set[tuple[str, str, int]]:
    """The quarters of an hour that these lie in."""
    return {(one.datastream, one.subject, one.time // QUARTER * QUARTER) for one in readings}


def test_a_person_is_erased_up_to_a_moment_and_a_corrected_quarter_takes_the_place_of_the_old_one(
    store: Store,
) -> None:
    kept = store.observations
    kept.save([], [reading(NOW, 10.0, who="noor"), reading(NOW + QUARTER, 1.0, who="noor")], {}, {})
    kept.save([], [reading(NOW, 99.0, who="sam")], {}, {})
    right = [reading(NOW, 20.0, who="noor"), reading(NOW + MINUTE, 40.0, who="noor")]
    kept.save([], right, {}, {}, _parts(right))
    found = {(q.start, q.subject): (q.readings, q.mean) for q in kept.quarters(D, NOW)}
    assert found == {(NOW, "noor"): (2, 30.0), (NOW, "sam"): (1, 99.0), (NOW + QUARTER, "noor"): (1, 1.0)}
    again = [reading(NOW + MINUTE, 50.0, who="noor")]
    kept.save([], again, {}, {}, _parts(again))
    assert [one.value for one in kept.recent(D, "occupancy") if one.time < NOW + QUARTER] == [99.0, 50.0]
    kept.save([], [], {}, {}, _parts(again))
    assert {(q.start, q.subject) for q in kept.quarters(D, NOW)} == {(NOW, "sam"), (NOW + QUARTER, "noor")}
    kept.save([], right, {}, {})
    kept.erase(D, "noor", NOW + MINUTE)
    assert {(q.start, q.subject) for q in kept.quarters(D, NOW)} == {(NOW, "sam"), (NOW + QUARTER, "noor")}
    assert all(one.subject != "noor" or one.time > NOW + MINUTE for one in kept.recent(D, "occupancy"))


def test_results_of_a_dataset_are_marked_when_rows_of_a_person_were_taken_out_of_it(store: Store) -> None:
    other = Result("r2", "forecast", "t", "a", NOW, Grounds(["urn:dmi:dataset:gemeente:x"]), {})
    later = msgspec.structs.replace(result("r3"), made_at=NOW + 1)
    store.results.save([result("r1", "urn:uuid:a"), other, later])
    (marked,) = store.marks.withdraw_over(D, "urn:uuid:request", NOW, nothing_follows)
    assert (marked.id, marked.withdrawn_ground) == ("r1", "urn:uuid:request")
    assert store.marks.withdraw_over(D, "urn:uuid:request", NOW, nothing_follows) == []


def test_marks_over_one_dataset_read_nothing_of_results_of_others_and_no_figures_of_scenarios(
    store: Store, engine: sa.Engine
) -> None:
    """Else the store stands still for all others while each result that there is passes by."""
    scenario = msgspec.structs.replace(result("own"), kind="scenario")
    elsewhere = Result("of-others", "forecast", "", "a", NOW, Grounds(["urn:dmi:dataset:gemeente:x"]), {})
    store.results.save([scenario, elsewhere])
    t = tables.result.c
    with transaction(engine) as connection:
        unreadable = sa.update(tables.result).values(body="unreadable")
        connection.execute(unreadable)
        connection.execute(unreadable.where(t.id == elsewhere.id).values(grounds="unreadable"))
    (marked,) = store.marks.withdraw_over(D, "urn:uuid:request", NOW, nothing_follows)
    assert (marked.id, marked.body) == ("own", {})


def test_many_results_are_marked_part_by_part_so_that_others_may_write_in_between(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(marks_module, "AT_ONCE", 2)
    store.results.save([result(f"r{number}", "g") for number in range(5)])
    parts: list[list[str]] = []

    def follow(results: Sequence[Result], _measures: Sequence[Measure]) -> Following:
        parts.append([one.id for one in results])
        return Following()

    while store.marks.withdraw("g", NOW, follow):
        store.results.save([result("meanwhile", "g2")])
    assert parts == [["r0", "r1"], ["r2", "r3"], ["r4"]]


def test_of_data_under_consent_only_what_rests_on_the_person_is_marked(store: Store) -> None:
    store.results.save([result("hers", "consent-noor"), result("his", "consent-piet")])
    found = store.marks.withdraw_over(D, "urn:uuid:r", NOW, nothing_follows, ["consent-noor", "consent-x"])
    assert [one.id for one in found] == ["hers"]
    assert store.marks.withdraw_over(D, "urn:uuid:r", NOW, nothing_follows, []) == []


def test_what_is_marked_is_found_by_its_grounds_and_datasets_no_more(store: Store, engine: sa.Engine) -> None:
    """So that the next mark does not pass by all that were marked before; made again, it is found again."""

    def held() -> list[str]:
        with engine.connect() as connection:
            of = [
                connection.execute(sa.select(t.c.result)).scalars() for t in (tables.ground, tables.material)
            ]
            return sorted(one for each in of for one in each)

    store.results.save([result("a", "g"), result("b", "g")])
    assert held() == ["a", "a", "b", "b"]
    store.marks.withdraw("g", NOW, nothing_follows)
    assert held() == []
    store.results.save([result("a", "g")])
    assert held() == ["a", "a"]


def ends(_results: Sequence[Result], measures: Sequence[Measure]) -> Following:
    """Every open measure is taken back; who had been told of it is told."""
    return Following(
        steps=[
            Step(msgspec.structs.replace(one, state="withdrawn"), "t", told(f"after {one.state}"))
            for one in measures
        ]
    )


def told(kind: str) -> Message:
    return Message("m", b"{}", Envelope("1", "s", kind, "2026-01-01T00:00:00Z"))


def waiting(engine: sa.Engine) -> list[str]:
    with engine.connect() as connection:
        rows = connection.execute(sa.select(outbox.c.envelope).order_by(outbox.c.id)).scalars()
        return [msgspec.json.decode(row)["type"] for row in rows]


class Paused:
    """Does something in a thread of its own, which waits within its transaction until it may go on."""

    def __init__(self, does: Callable[[Callable[[], None]], Any]) -> None:
        self._reached, self._go_on = threading.Event(), threading.Event()
        self._pool = ThreadPoolExecutor(1)
        self._outcome = self._pool.submit(does, self._wait)
        assert self._reached.wait(10)

    def _wait(self) -> None:
        self._reached.set()
        assert self._go_on.wait(20)

    def end(self) -> Any:
        self._go_on.set()
        self._pool.shutdown()
        return self._outcome.result()


def later(paused: Paused, does: Callable[[], Any]) -> tuple[Any, Any]:
    """Do something while another transaction is under way, which ends in between; what both came to."""
    with ThreadPoolExecutor(1) as pool:
        outcome = pool.submit(does)
        time.sleep(0.3)
        assert not outcome.done(), "it waits for the other"
        return paused.end(), outcome.result()


def test_a_mark_that_comes_while_a_measure_is_begun_waits_for_it_and_takes_it_back(
    store: Store, engine: sa.Engine
) -> None:
    def begins(wait: Callable[[], None]) -> bool:
        def holds() -> bool:
            wait()
            return True

        return begin(store, "published", holds=holds, topic="t", message=told("published"))

    begun, marked = later(Paused(begins), lambda: store.marks.withdraw_over(D, "urn:uuid:r", NOW, ends))
    assert (begun, [one.id for one in marked]) == (True, ["m"])
    assert [row.measure.state for row in store.measures.measures()] == ["withdrawn"]
    assert waiting(engine) == ["published", "after published"]


def test_a_measure_that_is_begun_while_what_it_was_made_of_is_marked_is_not_kept(
    store: Store, engine: sa.Engine
) -> None:
    store.results.save([result("forecast", "g")])

    def marks(wait: Callable[[], None]) -> list[Result]:
        def follow(results: Sequence[Result], measures: Sequence[Measure]) -> Following:
            wait()
            return ends(results, measures)

        return store.marks.withdraw_over(D, "urn:uuid:r", NOW, follow)

    def begins() -> bool:
        return begin(store, "published", "forecast", topic="t", message=told("published"))

    marked, begun = later(Paused(marks), begins)
    assert ([one.id for one in marked], begun) == (["forecast"], False)
    assert store.results.get("m") is None
    assert (store.measures.measures(), waiting(engine)) == ([], [])


def test_a_result_that_is_made_again_while_others_are_marked_waits_and_stands(store: Store) -> None:
    """Both lock results; in turns, so that each may do so in an order of its own."""
    store.results.save([result("crowd:b", "g"), result("crowd:a", "g")])

    def marks(wait: Callable[[], None]) -> list[Result]:
        def follow(results: Sequence[Result], measures: Sequence[Measure]) -> Following:
            wait()
            return ends(results, measures)

        return store.marks.withdraw("g", NOW, follow)

    # Neither is among those that the marks have locked: what is waited for is the turn.
    anew = [result("crowd:d", "g"), result("crowd:c", "g")]
    marked, _ = later(Paused(marks), lambda: store.results.save(anew))
    assert [one.id for one in marked] == ["crowd:a", "crowd:b"]
    states = {one.id: one.withdrawn_ground for one in store.results.of_kind("forecast")}
    assert states == {"crowd:a": "g", "crowd:b": "g", "crowd:c": None, "crowd:d": None}


def test_an_approval_that_comes_while_its_ground_is_marked_is_not_kept(
    store: Store, engine: sa.Engine
) -> None:
    assert begin(store, "proposed")

    def marks(wait: Callable[[], None]) -> list[Result]:
        def follow(results: Sequence[Result], measures: Sequence[Measure]) -> Following:
            wait()
            return ends(results, measures)

        return store.marks.withdraw("g", NOW, follow)

    approved = Step(measure("published"), "t", told("published"))
    _, kept = later(Paused(marks), lambda: store.measures.save(approved, "proposed"))
    assert not kept
    assert [row.measure.state for row in store.measures.measures()] == ["withdrawn"]
    assert waiting(engine) == ["after proposed"]


def test_a_mark_that_comes_while_a_person_approves_tells_of_what_was_published(
    store: Store, engine: sa.Engine
) -> None:
    assert begin(store, "proposed")

    def approves(wait: Callable[[], None]) -> None:
        with transaction(engine) as connection:
            assert take(connection, Step(measure("published"), "t", told("published")), "proposed")
            wait()

    later(Paused(approves), lambda: store.marks.withdraw("g", NOW, ends))
    assert [row.measure.state for row in store.measures.measures()] == ["withdrawn"]
    assert waiting(engine) == ["published", "after published"]


def test_a_measure_that_ends_just_before_its_ground_is_marked_keeps_no_figures(
    store: Store, engine: sa.Engine
) -> None:
    figures = {"share": 0.9}
    published = msgspec.structs.replace(measure("published"), properties=figures)
    assert store.measures.begin(Step(published), result("m", "g"), lambda: True)

    def expires(wait: Callable[[], None]) -> None:
        with transaction(engine) as connection:
            expired = msgspec.structs.replace(measure("expired"), properties=figures)
            assert take(connection, Step(expired), "published")
            wait()

    _, marked = later(Paused(expires), lambda: store.marks.withdraw("g", NOW, ends))
    assert [one.id for one in marked] == ["m"]
    assert [(row.measure.state, row.measure.properties) for row in store.measures.measures()] == [
        ("expired", {})
    ]


def test_what_follows_from_marks_and_the_marks_are_written_together_or_not_at_all(
    store: Store, engine: sa.Engine
) -> None:
    assert begin(store, "published")
    store.results.save_scores(D, {})

    def breaks(_results: Sequence[Result], _measures: Sequence[Measure]) -> Following:
        raise ValueError("it cannot be told")

    with pytest.raises(ValueError, match="cannot be told"):
        store.marks.withdraw("g", NOW, breaks)
    assert [row.measure.state for row in store.measures.measures()] == ["published"]

    def follows(results: Sequence[Result], measures: Sequence[Measure]) -> Following:
        return Following("t", [told("result")], ends(results, measures).steps, [D])

    assert [one.id for one in store.marks.withdraw("g", NOW, follows)] == ["m"]
    assert store.marks.withdraw("g", NOW, follows) == []
    assert [row.measure.state for row in store.measures.measures()] == ["withdrawn"]
    assert (waiting(engine), store.results.scores()) == (["result", "after published"], {})


def test_a_measure_is_begun_once_and_only_while_the_law_lets_its_ground_hold(
    store: Store, engine: sa.Engine
) -> None:
    assert not begin(store, "published", holds=lambda: False)
    assert store.results.get("m") is None
    assert begin(store, "proposed")
    assert not begin(store, "published", topic="t", message=told("published")), "it is there already"
    assert [row.measure.state for row in store.measures.measures()] == ["proposed"]
    assert waiting(engine) == []


NOOR, PIET, ELSEWHERE = "urn:dmi:person:noor", "urn:dmi:person:piet", "urn:dmi:dataset:gemeente:bicycles"


def test_who_was_seen_stays_known_when_its_rows_are_deleted_until_it_is_forgotten(store: Store) -> None:
    store.observations.save([], [reading(NOW, 1.0, who=NOOR)], {}, {})
    assert [store.seen.may_hold(D, one) for one in (NOOR, PIET)] == [True, False]
    assert not store.seen.may_hold(ELSEWHERE, NOOR)
    assert store.seen.gone(D, NOOR) is None, "rows are kept"
    assert store.observations.delete_before(D, NOW + 2 * QUARTER) > 0
    assert (store.seen.may_hold(D, NOOR), store.seen.gone(D, NOOR), store.seen.gone(D, PIET)) == (
        True,
        1,
        None,
    )
    store.observations.save([], [reading(NOW, 1.0, who=NOOR)], {}, {})
    store.observations.erase(D, NOOR, NOW)
    store.seen.forget(D, NOOR, 1)
    assert (store.seen.may_hold(D, NOOR), store.seen.gone(D, NOOR)) == (True, 2), "rows came in meanwhile"
    store.seen.forget(D, NOOR, 2)
    assert not store.seen.may_hold(D, NOOR)


def test_rows_of_nobody_may_be_anybodys_and_no_person_is_kept_by_name(store: Store) -> None:
    store.observations.save([], [reading(NOW, 1.0, who=who) for who in ("", PIET)], {}, {})
    store.seen.forget(D, PIET, 1)
    assert (store.seen.may_hold(D, NOOR), store.seen.may_hold(ELSEWHERE, NOOR)) == (True, False)
    store.observations.save([], [reading(NOW, 1.0, who=PIET)], {}, {})
    with store.engine.connect() as connection:
        assert PIET not in str(connection.execute(sa.select(tables.seen)).all())


def test_a_person_whose_rows_are_coming_in_is_not_forgotten(store: Store) -> None:
    store.observations.save([], [reading(NOW, 1.0, who=NOOR)], {}, {})
    store.observations.erase(D, NOOR, NOW)
    with ThreadPoolExecutor() as pool:
        with transaction(store.engine) as connection:
            seen.note(connection, [reading(NOW, 1.0, who=NOOR)])
            forgetting = pool.submit(store.seen.forget, D, NOOR, 1)
            time.sleep(0.1)
        forgetting.result(timeout=30)
    assert store.seen.may_hold(D, NOOR)


def test_rows_and_whose_they_are_are_kept_together_or_not_at_all(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fails(*_args: Any) -> None:
        raise ValueError("the position cannot be kept")

    monkeypatch.setattr("dmi_support_centre.store.observations.save_positions", fails)
    with pytest.raises(ValueError, match="position"):
        store.observations.save([], [reading(NOW, 1.0, who=NOOR)], {}, {})
    assert not store.seen.may_hold(D, NOOR)
