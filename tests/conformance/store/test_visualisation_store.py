"""The store of visualisation does the same on SQLite and on PostgreSQL."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from pathlib import Path

import pytest
import sqlalchemy as sa
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext

from dmi_agreements.contracts.envelope import Envelope
from dmi_agreements.contracts.features import Feature
from dmi_infra import clock
from dmi_infra.bus.port import Message, Received
from dmi_infra.sql import migrate, open_engine
from dmi_visualisation.model import BUCKET, Shown
from dmi_visualisation.store import Store, metadata, moment

D = "urn:dmi:dataset:gemeente:garages"
STREAM = "garages.centrum.occupancy"
NOW = 1_700_000_100_000_000 // BUCKET * BUCKET
SECOND = 1_000_000
DAY = 96 * BUCKET


@pytest.fixture(params=["sqlite", pytest.param("postgres", marks=pytest.mark.postgres)])
def engine(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[sa.Engine]:
    if request.param == "sqlite":
        made = open_engine(f"sqlite:///{tmp_path / 'visualisation.db'}", "visualisation")
    else:
        server = request.getfixturevalue("postgres_server")
        name = f"visualisation_{uuid.uuid4().hex[:12]}"
        server.create_database(name)
        made = open_engine(server.url(name), "visualisation")
    migrate(made, "dmi_visualisation")
    yield made
    made.dispose()


@pytest.fixture
def store(engine: sa.Engine) -> Store:
    return Store(engine)


def row(at: int, result: float | None, flag: int = 1, stream: str = STREAM) -> Shown:
    return Shown(stream, D, at, result, flag, 5.1, 52.1, "BU1", None, "occupancy", "{vehicle}", "s")


def test_the_migration_makes_the_tables_that_the_code_knows(engine: sa.Engine) -> None:
    with engine.connect() as connection:
        differences = compare_metadata(MigrationContext.configure(connection), metadata)
    foreign = {"alembic_version", "spatial_ref_sys"}
    assert [d for d in differences if not (d[0] == "remove_table" and d[1].name in foreign)] == []


def test_the_newest_value_of_each_datastream_is_kept_whole(store: Store) -> None:
    store.save([], [row(NOW, 1.0), row(NOW + SECOND, 2.0), row(NOW, 9.0, stream="garages.b.occupancy")], {})
    store.save([], [row(NOW - SECOND, 7.0)], {})
    found = {one.datastream: one for one in store.newest()}
    assert found == {
        STREAM: row(NOW + SECOND, 2.0),
        "garages.b.occupancy": row(NOW, 9.0, stream="garages.b.occupancy"),
    }


def test_quarters_add_up_over_batches_and_leave_out_what_is_missing(store: Store) -> None:
    store.save([], [row(NOW, 10.0), row(NOW + SECOND, None), row(NOW + 2 * SECOND, 30.0, flag=3)], {})
    store.save([], [row(NOW + 3 * SECOND, 80.0), row(NOW + BUCKET, 5.0)], {})
    first, second = store.quarters(STREAM, NOW, NOW + 2 * BUCKET, 10)
    assert (first.start, first.minimum, first.mean, first.maximum) == (NOW, 10.0, 40.0, 80.0)
    assert (first.readings, first.flag) == (3, 3)
    assert (second.start, second.mean, second.readings) == (NOW + BUCKET, 5.0, 1)


def test_a_result_beyond_all_that_is_measured_stands_in_no_quarter(store: Store) -> None:
    """Two of them have a sum that no number holds: PostgreSQL refuses it, and all that comes after would wait."""
    for value in (1.7e308, 1.7e308, -1.7e308, 4.0):
        store.save([], [row(NOW, value)], {})
    [quarter] = store.quarters(STREAM, NOW, NOW + BUCKET, 10)
    assert (quarter.mean, quarter.readings) == (4.0, 1)


def test_quarters_are_apart_by_person_and_area_and_know_their_times_and_places(store: Store) -> None:
    def ride(at: int, rider: str | None, longitude: float | None, area: str | None = "BU1") -> Shown:
        latitude = None if longitude is None else 52.0 + longitude / 10
        return Shown(STREAM, D, at, 1.0, 1, longitude, latitude, area, rider, "speed", "km/h")

    store.save(
        [], [ride(NOW + 2, "noor", 5.2), ride(NOW + 5, "sam", 5.9), ride(NOW + 6, "noor", 5.3, "BU2")], {}
    )
    store.save([], [ride(NOW + 1, "noor", 5.1), ride(NOW + 4, "noor", 5.25), ride(NOW + 7, "sam", None)], {})
    store.save([], [ride(NOW + 8, "sam", 5.0), ride(NOW + 9, None, 5.0, None)], {})
    found = {(q.subject, q.neighbourhood): q for q in store.quarters(STREAM, NOW, NOW + BUCKET, 10)}
    assert {key: (q.first - NOW, q.last - NOW, q.readings) for key, q in found.items()} == {
        ("noor", "BU1"): (1, 4, 3), ("noor", "BU2"): (6, 6, 1), ("sam", "BU1"): (5, 8, 3), ("", ""): (9, 9, 1),
    }  # fmt: skip
    box = found["noor", "BU1"]
    assert (box.west, box.east, box.south, box.north) == (5.1, 5.25, 52.51, 52.525)
    unknown = found["sam", "BU1"]
    assert (unknown.west, unknown.south, unknown.east, unknown.north) == (None,) * 4, (
        "of one reading it is not known"
    )


def test_a_history_gives_the_newest_quarters_in_order_and_not_its_end(store: Store) -> None:
    store.save([], [row(NOW + n * BUCKET, float(n)) for n in range(5)], {})
    assert [q.mean for q in store.quarters(STREAM, NOW, NOW + 4 * BUCKET, 2)] == [2.0, 3.0]
    assert store.quarters("garages.other.occupancy", NOW, NOW + BUCKET, 5) == []


@pytest.mark.parametrize("together", [False, True])
def test_what_was_erased_takes_the_place_of_every_version_and_gives_way_to_what_comes_anew(
    store: Store, together: bool
) -> None:
    home = (D, Feature("a", "stop", "Thuis bij Jan", None, {}, 3))
    gone = (D, Feature("a", "stop", "erased", valid_to=4, replaces_all=True))
    anew = (D, Feature("a", "stop", "Halte"))
    for features in [[home, gone]] if together else [[home], [gone]]:
        store.save(features, [], {})
    assert store.features() == [gone]
    for features in [[home, gone, anew]] if together else [[home], [gone], [anew]]:
        store.save(features, [], {})
    assert store.features() == [anew]


def test_a_later_version_of_a_feature_replaces_an_earlier_one_and_never_the_other_way(store: Store) -> None:
    def named(name: str, at: int | None) -> tuple[str, Feature]:
        return D, Feature(
            "garages.centrum", "thing", name, {"type": "Point", "coordinates": [5.1, 52.1]}, {}, at
        )

    store.save([named("eerst", 1)], [], {})
    store.save([named("nieuw", 3)], [], {})
    store.save([named("oud", 2)], [], {})
    assert store.features() == [named("nieuw", 3)]


def test_the_position_moves_with_what_was_stored(store: Store) -> None:
    assert store.positions() == {}
    store.save([], [row(NOW, 1.0)], {("topic", 0): 5})
    store.save([], [], {("topic", 0): 6, ("topic", 1): 2})
    assert store.positions() == {("topic", 0): 6, ("topic", 1): 2}


def test_a_message_read_again_after_a_crash_counts_once(store: Store, engine: sa.Engine) -> None:
    """Rows and position are one transaction: when it fails nothing of it stays, and reading on counts it once."""
    with engine.begin() as connection:
        connection.execute(sa.text("ALTER TABLE positions RENAME TO positions_away"))
    with pytest.raises(Exception, match="positions"):
        store.save([], [row(NOW, 10.0)], {("topic", 0): 1})
    with engine.begin() as connection:
        connection.execute(sa.text("ALTER TABLE positions_away RENAME TO positions"))
    assert (store.newest(), store.positions()) == ([], {})
    store.save([], [row(NOW, 10.0)], {("topic", 0): 1})
    [kept] = store.quarters(STREAM, NOW, NOW + BUCKET, 5)
    assert (kept.readings, store.positions()) == (1, {("topic", 0): 1})


def test_a_message_that_was_published_twice_is_known_by_its_name(store: Store) -> None:
    envelope = Envelope("1", "urn:dmi:service:platform", "t", "2026-01-01T00:00:00Z")
    first, copy = (Received("topic", 0, at, Message("k", b"{}", envelope)) for at in (4, 9))
    assert store.fresh([first, copy]) == [first]
    store.save([], [row(NOW, 10.0)], {("topic", 0): 5}, (), [first])
    assert store.fresh([copy]) == []
    store.save([], [], {("topic", 0): 10}, (), [copy])
    assert store.positions() == {("topic", 0): 10}


@pytest.fixture
def quarter_past(monkeypatch: pytest.MonkeyPatch) -> int:
    """The wall clock stands a minute into a quarter of an hour; gives the begin of that quarter."""
    monkeypatch.setattr(clock, "now", lambda: NOW + 60 * SECOND)
    return NOW


def test_a_moment_tells_the_last_value_and_place_before_its_quarter(store: Store, quarter_past: int) -> None:
    moved = Shown(
        STREAM,
        D,
        NOW - SECOND,
        4.0,
        3,
        5.3,
        52.3,
        "BU2",
        "urn:dmi:person:noor",
        "occupancy",
        "{vehicle}",
        "t",
    )
    store.save([], [row(NOW - 3 * BUCKET, 1.0), row(NOW - BUCKET, 3.0), moved, row(NOW + SECOND, 5.0)], {})
    assert store.said_before(D, NOW + 59 * SECOND) == [moved]
    assert [one.result for one in store.said_before(D, NOW - 1)] == [1.0]
    assert store.said_before(D, NOW - 4 * BUCKET) == []
    assert store.said_before("urn:dmi:dataset:gemeente:other", NOW) == []


def test_a_late_row_changes_a_moment_only_when_it_is_the_later_one(store: Store, quarter_past: int) -> None:
    store.save([], [row(NOW - 2 * SECOND, 2.0), row(NOW, 9.0)], {})
    store.save([], [row(NOW - 3 * SECOND, 1.0)], {})
    assert [one.result for one in store.said_before(D, NOW)] == [2.0]
    store.save([], [row(NOW - SECOND, None, flag=9)], {})
    assert [(one.result, one.flag) for one in store.said_before(D, NOW)] == [(None, 9)]


def test_who_has_said_nothing_since_is_left_to_the_newest_values(store: Store, quarter_past: int) -> None:
    store.save([], [row(NOW - 2 * BUCKET, 1.0)], {})
    assert store.said_before(D, NOW) == []


DAY = 96 * BUCKET


def test_of_what_is_older_than_the_slider_reaches_the_last_value_is_kept(
    store: Store, engine: sa.Engine, monkeypatch: pytest.MonkeyPatch, quarter_past: int
) -> None:
    other = "garages.b.occupancy"
    store.save([], [row(NOW - 3 * DAY, 1.0), row(NOW - 2 * DAY, 2.0), row(NOW - BUCKET, 3.0)], {})
    store.save([], [row(NOW - 40 * DAY, 5.0, stream=other)], {})
    assert _moments(engine) == [NOW - 2 * DAY, NOW - BUCKET], (
        "one of the time before; none that is an archive"
    )
    monkeypatch.setattr(clock, "now", lambda: NOW + 2 * DAY)
    store.save([], [row(NOW + 2 * DAY, 4.0)], {})
    assert _moments(engine) == [NOW - BUCKET, NOW + 2 * DAY], (
        "the value before that is never asked for any more"
    )
    assert [one.result for one in store.said_before(D, NOW + 2 * DAY)] == [3.0]
    monkeypatch.setattr(clock, "now", lambda: NOW + 32 * DAY)
    store.save([], [row(NOW + 32 * DAY, 5.0)], {})
    assert [one.phenomenon_time for one in store.said_before(D, NOW + 31 * DAY + BUCKET)] == [NOW + 2 * DAY]
    assert _moments(engine) == [NOW + 2 * DAY, NOW + 32 * DAY]


@pytest.mark.parametrize(("age", "seen"), [(29 * DAY, 1), (30 * DAY, 0)])
def test_a_silent_sensor_tells_of_a_moment_what_is_not_yet_an_archive(
    store: Store, engine: sa.Engine, quarter_past: int, age: int, seen: int
) -> None:
    store.save([], [row(NOW - DAY - age, 1.0), row(NOW - BUCKET, 3.0)], {})
    assert len(_moments(engine)) == 2
    found = store.said_before(D, NOW - DAY)
    assert [one.phenomenon_time for one in found] == [NOW - DAY - age] * seen


def test_the_term_of_a_layer_ends_the_last_value_of_before_too(
    store: Store, engine: sa.Engine, quarter_past: int
) -> None:
    store.save([], [row(NOW - 9 * DAY, 1.0), row(NOW - BUCKET, 3.0)], {})
    assert store.delete_before(D, NOW - 7 * DAY) == 2
    assert _moments(engine) == [NOW - BUCKET]


def _moments(engine: sa.Engine) -> list[int]:
    with engine.connect() as connection:
        return list(connection.execute(sa.select(moment.c.start).order_by(moment.c.start)).scalars())


@pytest.fixture
def earlier(engine: sa.Engine) -> sa.Engine:
    """A store of the first revision: a bicycle that someone rides now, and a garage, both with older quarters."""
    with engine.begin() as connection:
        for table in (*metadata.tables, "alembic_version"):
            connection.execute(sa.text(f"DROP TABLE {table}"))
    migrate(engine, "dmi_visualisation", "visualisation_0001")
    with engine.begin() as connection:
        for name, rider in ((STREAM, None), ("bike", "urn:dmi:person:sam")):
            connection.execute(
                sa.text(
                    "INSERT INTO newest (datastream, dataset, phenomenon_time, result, flag, observed_property, unit, "
                    "subject) VALUES (:name, :dataset, :at, 8, 1, 'occupancy', '{vehicle}', :rider)"
                ),
                {"name": name, "dataset": D, "at": NOW + BUCKET, "rider": rider},
            )
            for start in (NOW - 200 * BUCKET, NOW - BUCKET, NOW + BUCKET):
                connection.execute(
                    sa.text("INSERT INTO quarter VALUES (:name, :start, 1, 9, 12, 3, 1)"),
                    {"name": name, "start": start},
                )
    return engine


def test_a_store_of_before_the_slider_fills_it_from_its_charts(earlier: sa.Engine) -> None:
    migrate(earlier, "dmi_visualisation")
    found = [(one.datastream, one.result, one.phenomenon_time) for one in Store(earlier).said_before(D, NOW)]
    assert found == [(STREAM, 4.0, NOW - BUCKET)], "whose the mean of the bicycle is, nothing tells"


def test_what_is_silent_at_the_change_keeps_its_value(earlier: sa.Engine) -> None:
    with earlier.begin() as connection:
        connection.execute(
            sa.text("UPDATE newest SET phenomenon_time = :at, result = 3 WHERE datastream = 'bike'"),
            {"at": NOW - 10 * DAY},
        )
        connection.execute(sa.text("DELETE FROM quarter WHERE datastream = 'bike'"))
    migrate(earlier, "dmi_visualisation")
    ride = Shown("bike", D, NOW + BUCKET, 9.0, 1, 5.1, 52.1, None, "urn:dmi:person:noor", "speed", "km/h")
    store = Store(earlier)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(clock, "now", lambda: NOW + BUCKET)
        store.save([], [ride], {})
    found = {one.datastream: one for one in store.said_before(D, NOW)}
    assert (found["bike"].result, found["bike"].subject) == (3.0, "urn:dmi:person:sam")


def test_quarters_of_before_are_of_nobody_and_of_no_place(earlier: sa.Engine) -> None:
    """The newest value tells who rides now; its quarters may be of who rode before."""
    migrate(earlier, "dmi_visualisation")
    store = Store(earlier)
    for name in (STREAM, "bike"):
        found = store.quarters(name, NOW - BUCKET, NOW, 10)
        assert [(q.subject, q.mean, q.west) for q in found] == [("", 4.0, None)]
        assert [(q.first, q.last) for q in found] == [(NOW - BUCKET, NOW - 1)]
    store.save([], [row(NOW + BUCKET, 8.0)], {})
    assert len(store.quarters(STREAM, NOW + BUCKET, NOW + 2 * BUCKET, 10)) == 2


def test_a_person_is_erased_up_to_a_moment_and_a_corrected_quarter_takes_the_place_of_the_old_one(
    store: Store,
) -> None:
    def ride(at: int, rider: str, result: float, stream: str = STREAM) -> Shown:
        return Shown(stream, D, at, result, 1, 5.1, 52.1, "BU1", rider, "speed", "km/h")

    now = clock.now() // BUCKET * BUCKET - 4 * BUCKET
    store.save([], [ride(now, "noor", 1.0), ride(now, "sam", 5.0), ride(now + BUCKET, "noor", 3.0)], {})
    right = [ride(now, "noor", 2.0), ride(now + SECOND, "noor", 4.0)]
    store.save([], right, {}, [(STREAM, "noor", now)])
    found = {(q.start, q.subject): (q.readings, q.mean) for q in store.quarters(STREAM, now, now + DAY, 10)}
    assert found == {(now, "noor"): (2, 3.0), (now, "sam"): (1, 5.0), (now + BUCKET, "noor"): (1, 3.0)}
    assert store.erase(D, "noor", now + 2 * SECOND) == 2, "a quarter and a moment"
    left = {(q.start, q.subject) for q in store.quarters(STREAM, now, now + DAY, 10)}
    assert left == {(now, "sam"), (now + BUCKET, "noor")}
    store.erase(D, "noor", now + BUCKET)
    assert store.newest() == [], "what was erased is not the newest value of a sensor that says nothing"
    assert store.datasets() == [D]
    assert store.erase(D, "sam", now + BUCKET) == 1, "the quarters of others are found by the row that stays"


@pytest.mark.parametrize("rider", ["noor", None])
def test_a_quarter_that_was_wrong_and_of_which_nothing_may_be_kept_is_gone_everywhere(
    store: Store, rider: str | None
) -> None:
    now = clock.now() // BUCKET * BUCKET - 4 * BUCKET

    def said(at: int, who: str | None = rider) -> Shown:
        return Shown(STREAM, D, at, 9.0, 1, 5.1, 52.1, "BU1", who, "speed", "km/h")

    store.save([], [said(now, "sam"), said(now + BUCKET), said(now + BUCKET + SECOND)], {})
    store.save([], [], {}, [(STREAM, rider or "", now + BUCKET)])
    assert [one.subject for one in store.quarters(STREAM, now, now + DAY, 10)] == ["sam"]
    assert store.newest() == []
    assert [one.subject for one in store.said_before(D, now + BUCKET)] == ["sam"], "that of others stays"
    store.save([], [said(now + 2 * BUCKET)], {})
    assert [one.subject for one in store.said_before(D, now + 2 * BUCKET)] == ["sam"]


def silent(at: int, rider: str | None, stream: str = STREAM) -> Shown:
    return Shown(stream, D, at, None, 9, None, None, None, rider, "speed", "km/h")


def test_an_erased_value_is_kept_apart_from_one_of_nobody_that_says_nothing(
    store: Store, engine: sa.Engine
) -> None:
    store.save([], [silent(NOW, "noor"), silent(NOW, None, "garages.b.occupancy")], {})
    store.erase(D, "noor", NOW)
    assert store.newest() == [silent(NOW, None, "garages.b.occupancy")]
    with engine.connect() as connection:
        kept = connection.execute(sa.text("SELECT subject, result FROM newest WHERE erased")).all()
    assert [tuple(one) for one in kept] == [(None, None)]
    store.save([], [silent(NOW + SECOND, "sam")], {})
    assert silent(NOW + SECOND, "sam") in store.newest(), "the next value shows the sensor again"


def test_values_that_were_erased_before_there_was_a_mark_are_marked(
    engine: sa.Engine, quarter_past: int
) -> None:
    with engine.begin() as connection:
        for table in (*metadata.tables, "alembic_version"):
            connection.execute(sa.text(f"DROP TABLE {table}"))
    migrate(engine, "dmi_visualisation", "visualisation_0003")
    told = "INSERT INTO moment (datastream, start, phenomenon_time, flag) VALUES (:name, :at, :at, 9)"
    value = (
        "INSERT INTO newest (datastream, dataset, phenomenon_time, result, flag, observed_property, unit) "
        "VALUES (:name, :dataset, :at, :result, 9, 'speed', 'km/h')"
    )
    with engine.begin() as connection:
        for name, result in (("erased", None), ("silent", None), ("well", 1.0)):
            known = {"name": name, "dataset": D, "at": NOW, "result": result}
            connection.execute(sa.text(value), known)
            if name != "erased":
                connection.execute(sa.text(told), {"name": name, "at": NOW})
    migrate(engine, "dmi_visualisation")
    assert {one.datastream for one in Store(engine).newest()} == {"silent", "well"}


def test_an_erasure_ends_nothing_of_another_dataset_and_leaves_nothing_of_what_was_not_kept(
    store: Store,
) -> None:
    home = (D, Feature("a", "stop", "Halte"))
    store.save([home], [], {})
    other = "urn:dmi:dataset:gemeente:other"
    store.save(
        [(of, Feature(name, "stop", "erased", replaces_all=True)) for of, name in ((other, "a"), (D, "b"))],
        [],
        {},
    )
    assert store.features() == [home]
