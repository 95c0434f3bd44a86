"""What the platform's store must hold to, on SQLite and on PostgreSQL."""

from __future__ import annotations

import itertools
import math
import threading
import time
import uuid
from collections.abc import Iterator
from pathlib import Path

import msgspec
import numpy as np
import pytest
import sqlalchemy as sa

from dmi_agreements.contracts.envelope import Envelope, decode, encode
from dmi_agreements.contracts.features import Feature
from dmi_agreements.contracts.law import Correction
from dmi_agreements.contracts.observations import ObservationBatch
from dmi_infra import clock
from dmi_infra.bus.port import Message
from dmi_infra.sql import migrate, open_engine
from dmi_platform.harmonise import Harmonised, harmonise, times_of
from dmi_platform.model import Cursor, Handed, Outcome, Reject, Whose
from dmi_platform.neighbourhoods import Neighbourhoods
from dmi_platform.quality import UNTESTED
from dmi_platform.registry import Registry
from dmi_platform.store import Store, Table, Writing, rejects
from dmi_platform.store.tables import observation, outgoing
from dmi_platform.store.writing import ACCEPTED, CONFLICT, DUPLICATE

DATASET = "urn:dmi:dataset:gemeente:garages"
OTHER = "urn:dmi:dataset:gemeente:crowd"
MINUTE = 60_000_000
NOON = 1_767_268_800_000_000  # 2026-01-01T12:00:00Z
ALL = (-(2**62), 2**62)


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.postgres)])
def engine(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[sa.Engine]:
    """An empty store with the newest schema."""
    if request.param == "sqlite":
        found = open_engine(f"sqlite:///{tmp_path / 'platform.db'}", "platform")
    else:
        server = request.getfixturevalue("postgres_server")
        server.create_database("platform_store")
        found = open_engine(server.url("platform_store"), f"t{uuid.uuid4().hex[:8]}")
    migrate(found, "dmi_platform")
    yield found
    found.dispose()


class Place:
    """A store with datastreams, and the short way to write to it."""

    def __init__(self, engine: sa.Engine) -> None:
        self.engine = engine
        self.store = Store(engine)
        self.registry = Registry(
            Neighbourhoods(lambda _dataset: True), (3.0, 50.0, 8.0, 54.0), self.store.features_since
        )
        with self.store.write() as writing:
            self.registry.apply(writing.features(DATASET, [thing(), *map(stream, "abc")]).changed)

    def key(self, name: str = "a") -> int:
        found = self.registry.stream(f"garages.{name}.occupancy")
        assert found is not None
        return found.key

    def put(self, batch: ObservationBatch) -> list[int]:
        with self.store.write(times_of(batch)) as writing:
            return self.insert(writing, batch)

    def insert(self, writing: Writing, batch: ObservationBatch) -> list[int]:
        found: Harmonised = harmonise(batch, self.registry, writing.before)
        assert not found.rejected
        return writing.insert(found.rows).tolist()

    def rows(self, name: str = "a") -> list[tuple[int, str, float | None]]:
        table = self.store.observations(self.key(name), *ALL, None, 100_000)
        return list(
            zip(table.columns["time"], table.columns["source_id"], table.columns["result"], strict=True)
        )

    def last(self, name: str = "a") -> tuple[int, float | None]:
        table = self.store.latest(DATASET, [self.key(name)], None, 10)
        return table.columns["time"][0], table.columns["result"][0]


@pytest.fixture
def place(engine: sa.Engine) -> Place:
    return Place(engine)


def thing() -> Feature:
    return Feature("garages.t", "thing", "T", {"type": "Point", "coordinates": [5.1, 52.1]})


def stream(name: str) -> Feature:
    about = {"thing": "garages.t", "observed_property": "occupancy", "unit": "{vehicle}"}
    return Feature(f"garages.{name}.occupancy", "datastream", name, None, about)


def batch(*rows: tuple[str, int, float | None], source: list[str | None] | None = None) -> ObservationBatch:
    """Rows of (datastream letter, minutes after noon, value)."""
    return ObservationBatch(
        DATASET,
        [f"garages.{name}.occupancy" for name, _, _ in rows],
        [NOON + minute * MINUTE for _, minute, _ in rows],
        [value for _, _, value in rows],
        source_id=source,
    )


def test_a_repeated_batch_is_all_duplicate_and_changes_nothing(place: Place) -> None:
    rows = batch(*((name, minute, float(minute)) for name in "abc" for minute in range(50)), ("a", 60, None))
    assert set(place.put(rows)) == {ACCEPTED}
    before = place.rows(), place.last()
    assert set(place.put(rows)) == {DUPLICATE}
    assert (place.rows(), place.last()) == before


def test_a_repeat_within_one_batch_is_a_duplicate_and_the_first_stays(place: Place) -> None:
    assert place.put(batch(("a", 1, 5.0), ("b", 1, 5.0), ("a", 1, 5.0), ("a", 1, 6.0))) == [
        ACCEPTED, ACCEPTED, DUPLICATE, CONFLICT,
    ]  # fmt: skip
    assert place.rows() == [(NOON + MINUTE, "", 5.0)]


def test_another_value_under_a_known_key_conflicts_and_the_first_stays(place: Place) -> None:
    place.put(batch(("a", 1, 5.0), ("a", 2, None)))
    assert place.put(batch(("a", 1, 6.0), ("a", 1, None), ("a", 2, 1.0))) == [CONFLICT] * 3
    assert place.rows() == [(NOON + MINUTE, "", 5.0), (NOON + 2 * MINUTE, "", None)]


def test_rows_of_one_time_with_different_source_ids_are_different_rows(place: Place) -> None:
    two = batch(("a", 1, 5.0), ("a", 1, 6.0), source=["x", "y"])
    assert place.put(two) == [ACCEPTED, ACCEPTED]
    assert place.put(two) == [DUPLICATE, DUPLICATE]
    assert place.put(batch(("a", 1, 5.0))) == [ACCEPTED], "no source id is a key of its own"


def test_late_rows_are_taken_between_rows_that_are_there(place: Place) -> None:
    place.put(batch(("a", 1, 1.0), ("a", 9, 9.0)))
    assert place.put(batch(("a", 5, 5.0), ("a", 9, 9.0), ("a", 12, 12.0))) == [ACCEPTED, DUPLICATE, ACCEPTED]
    assert [at for at, _, _ in place.rows()] == [NOON + minute * MINUTE for minute in (1, 5, 9, 12)]


def test_repeats_over_batches_of_one_transaction_are_seen(place: Place) -> None:
    with place.store.write(times_of(batch(("a", 1, 1.0)))) as writing:
        assert place.insert(writing, batch(("a", 1, 1.0), ("a", 2, 2.0))) == [ACCEPTED, ACCEPTED]
        assert place.insert(writing, batch(("a", 1, 1.0), ("a", 2, 3.0))) == [DUPLICATE, CONFLICT]
    assert len(place.rows()) == 2


def test_the_last_value_is_the_newest_by_time_not_by_arrival(place: Place) -> None:
    place.put(batch(("a", 10, 10.0), ("a", 30, 30.0), ("a", 20, 20.0)))
    assert place.last() == (NOON + 30 * MINUTE, 30.0)
    place.put(batch(("a", 25, 25.0)))
    assert place.last() == (NOON + 30 * MINUTE, 30.0)
    place.put(batch(("a", 31, None)))
    assert place.last() == (NOON + 31 * MINUTE, None)
    with place.store.write() as writing:
        newest = writing.before([place.key()])[place.key()]
    assert (newest.valued_at, newest.value) == (NOON + 30 * MINUTE, 30.0), "the last that has a value"


def test_a_datastream_without_rows_has_no_last_value(place: Place) -> None:
    place.put(batch(("b", 1, 1.0)))
    assert place.store.latest(DATASET, None, None, 10).keys == [place.key("b")]
    assert len(place.store.latest(OTHER, None, None, 10)) == 0


def test_nothing_of_a_failed_transaction_stays_and_its_positions_neither(place: Place) -> None:
    place.put(batch(("a", 1, 1.0)))
    envelope = Envelope("1", "s", "t", "2026-01-01T12:00:00Z")

    def write_and_fail() -> None:
        with place.store.write(times_of(batch(("a", 2, 2.0)))) as writing:
            place.insert(writing, batch(("a", 2, 2.0)))
            writing.outcome(Handed("message", "batch", DATASET), Outcome(accepted=1))
            writing.reject([Reject("topic", DATASET, "batch", "message", "r", "d", 1, b"{}")])
            writing.publish("dmi.observations.harmonised.v1", [Message("k", b"v", envelope)])
            writing.reach({("dmi.observations.raw.v1", 0): 7})
            raise RuntimeError("power cut")

    with pytest.raises(RuntimeError, match="power cut"):
        write_and_fail()
    assert place.rows() == [(NOON + MINUTE, "", 1.0)]
    assert place.last() == (NOON + MINUTE, 1.0)
    assert place.store.positions() == {}
    assert place.store.outcome("batch", None, "") is None
    assert place.store.rejects(None, None, False, None, 10) == []
    with place.engine.connect() as connection:
        assert connection.execute(sa.select(sa.func.count()).select_from(outgoing)).scalar() == 0


def test_positions_are_stored_with_the_rows(place: Place) -> None:
    with place.store.write(times_of(batch(("a", 1, 1.0)))) as writing:
        place.insert(writing, batch(("a", 1, 1.0)))
        writing.reach({("raw", 0): 7, ("raw", 1): 3})
    with place.store.write() as writing:
        writing.reach({("raw", 0): 8})
    assert place.store.positions() == {("raw", 0): 8, ("raw", 1): 3}


def _pages(place: Place, limit: int) -> Iterator[list[tuple[int, str]]]:
    cursor: Cursor | None = None
    while True:
        table = place.store.observations(place.key(), *ALL, cursor, limit)
        page = list(zip(table.columns["time"], table.columns["source_id"], strict=True))
        if not page:
            return
        yield page
        cursor = Cursor(*page[-1])


@pytest.mark.parametrize("limit", [1, 3, 7, 100])
def test_pages_hold_every_row_once_in_order(place: Place, limit: int) -> None:
    names = ["", "x", "y", "z"]
    rows = [("a", minute, 1.0) for minute in range(6) for _ in names]
    place.put(batch(*rows, source=[name or None for _ in range(6) for name in names]))
    found = list(itertools.chain.from_iterable(_pages(place, limit)))
    assert found == sorted(found)
    assert len(set(found)) == len(found) == 24


def test_pages_stay_right_while_rows_are_inserted(place: Place) -> None:
    place.put(batch(*(("a", minute, 1.0) for minute in range(0, 40, 2))))
    pages = _pages(place, 5)
    seen = next(pages)
    place.put(batch(*(("a", minute, 1.0) for minute in range(1, 40, 2))))
    for page in pages:
        seen += page
    times = [at for at, _ in seen]
    assert times == sorted(set(times)), "nothing twice, in order"
    assert set(range(0, 40, 2)) <= {(at - NOON) // MINUTE for at in times}, "what was there is all read"


def test_a_span_includes_its_begin_and_excludes_its_end(place: Place) -> None:
    place.put(batch(*(("a", minute, 1.0) for minute in range(5))))
    table = place.store.observations(place.key(), NOON + MINUTE, NOON + 3 * MINUTE, None, 10)
    assert table.columns["time"] == [NOON + MINUTE, NOON + 2 * MINUTE]


def test_a_page_can_begin_at_a_time(place: Place) -> None:
    place.put(batch(*(("a", minute, 1.0) for minute in (0, 1, 1, 2)), source=["", "", "x", ""]))
    for cursor, left in ((Cursor(NOON + MINUTE), 3), (Cursor(NOON + MINUTE, ""), 2)):
        assert len(place.store.observations(place.key(), *ALL, cursor, 10)) == left


def test_only_rows_inside_every_area_are_read_by_their_own_place_or_that_of_their_thing(place: Place) -> None:
    longitudes = [5.1, 5.2, 5.3, None]
    rows = ObservationBatch(
        DATASET, ["garages.a.occupancy"] * 4, [NOON + row for row in range(4)], [1.0, 2.0, 3.0, 4.0],
        longitudes, [None if longitude is None else 52.1 for longitude in longitudes],
    )  # fmt: skip
    place.put(rows)
    with place.store.write() as writing:
        writing._connection.execute(
            sa.update(observation).where(observation.c.result == 4.0).values(longitude=None, latitude=None)
        )

    def read(
        *areas: tuple[float, float, float, float], here: tuple[float, float] | None = None
    ) -> list[float]:
        more = {} if here is None else {"here": here}
        found = place.store.observations(place.key(), *ALL, None, 10, None, areas, **more)
        return found.columns["result"]

    west, east = (5.1, 52.0, 5.2, 52.1), (5.2, 52.1, 5.3, 53.0)
    assert (read(west), read(east), read(west, east)) == ([1.0, 2.0], [2.0, 3.0], [2.0])
    assert (read(west, here=(5.15, 52.05)), read(west, here=(5.25, 52.05))) == ([1.0, 2.0, 4.0], [1.0, 2.0])


def test_only_rows_of_the_given_subjects_are_read(place: Place) -> None:
    rows = ObservationBatch(
        DATASET, ["garages.a.occupancy"] * 3, [NOON, NOON + 1, NOON + 2], [1.0, 2.0, 3.0],
        subject=["urn:dmi:person:noor", None, "urn:dmi:person:sam"],
    )  # fmt: skip
    place.put(rows)
    read = place.store.observations(place.key(), *ALL, None, 10, {"urn:dmi:person:noor"})
    assert read.columns["result"] == [1.0]
    assert len(place.store.observations(place.key(), *ALL, None, 10, frozenset())) == 0
    but = place.store.observations(place.key(), *ALL, None, 10, but={"urn:dmi:person:noor"})
    assert "urn:dmi:person:noor" not in but.columns["subject"]
    assert len(but) == len(place.store.observations(place.key(), *ALL, None, 10)) - len(read)
    assert len(place.store.latest(DATASET, None, {"urn:dmi:person:noor"}, 10)) == 0, (
        "the newest is of another"
    )
    assert place.store.latest(DATASET, None, {"urn:dmi:person:sam"}, 10).columns["result"] == [3.0]
    assert (
        place.store.datastream_ids([DATASET], None, "", 10, {DATASET: Whose({"urn:dmi:person:noor"})}) == []
    )


def test_the_newest_row_of_somebody_up_to_a_moment_is_found(place: Place) -> None:
    noor, sam = "urn:dmi:person:noor", "urn:dmi:person:sam"
    rows = ObservationBatch(
        DATASET, ["garages.a.occupancy"] * 4, [NOON + n for n in range(4)], [0.0, 1.0, 2.0, 3.0],
        subject=[None, noor, sam, noor],
    )  # fmt: skip
    place.put(rows)

    def newest(until: int | None, whose: Whose) -> list[float]:
        return list(place.store.newest([place.key()], until, whose).columns["result"])

    nobody_left_out = Whose((), but=True)
    assert (newest(None, nobody_left_out), newest(NOON + 2, nobody_left_out)) == ([3.0], [2.0])
    assert (newest(None, Whose([sam])), newest(NOON + 2, Whose([noor]))) == ([2.0], [1.0])
    assert (newest(None, Whose([noor], but=True)), newest(NOON + 1, Whose([noor], but=True))) == (
        [2.0],
        [0.0],
    )
    assert newest(NOON - 1, nobody_left_out) == newest(None, Whose(())) == []


def test_as_many_persons_consent_as_a_city_has(place: Place) -> None:
    rows = ObservationBatch(
        DATASET, ["garages.a.occupancy"] * 2, [NOON, NOON + 1], [1.0, 2.0], subject=[None, "urn:dmi:person:7"]
    )
    place.put(rows)
    everybody = {f"urn:dmi:person:{number}" for number in range(300_000)}
    assert place.store.observations(place.key(), *ALL, None, 10, everybody).columns["result"] == [2.0]
    assert place.store.latest(DATASET, [place.key()], everybody, 10).columns["result"] == [2.0]
    assert place.store.span(DATASET, *ALL, 10, everybody).columns["result"] == [2.0]
    found = place.store.datastream_ids([DATASET], None, "", 10, {DATASET: Whose(everybody)})
    assert found == ["garages.a.occupancy"]
    # It has a row of nobody, too.
    assert place.store.datastream_ids([DATASET], None, "", 10, {DATASET: Whose(everybody, but=True)}) == found


def test_times_over_the_whole_calendar_find_their_place(place: Place) -> None:
    times = [
        -2_208_988_800_000_000,
        0,
        NOON,
        2_524_607_999_999_999,
        2_524_608_000_000_000,
        4_102_444_799_999_999,
    ]
    rows = ObservationBatch(DATASET, ["garages.a.occupancy"] * len(times), times, [1.0] * len(times))
    assert set(place.put(rows)) == {ACCEPTED}
    assert set(place.put(rows)) == {DUPLICATE}
    assert [at for at, _, _ in place.rows()] == times


def test_a_feature_that_did_not_change_is_not_news(place: Place) -> None:
    with place.store.write() as writing:
        assert writing.features(DATASET, [thing(), stream("a")]).changed == []
        moved = Feature("garages.t", "thing", "T", {"type": "Point", "coordinates": [5.2, 52.1]})
        assert [item.feature for item in writing.features(DATASET, [moved]).changed] == [moved]


def test_a_datastream_keeps_its_number_through_a_change(place: Place) -> None:
    about = {**stream("a").properties, "capacity": 100}
    with place.store.write() as writing:
        changed = writing.features(
            DATASET, [Feature("garages.a.occupancy", "datastream", "A", None, about)]
        ).changed
    assert [item.key for item in changed] == [place.key()]


def test_an_id_stays_with_the_dataset_that_named_it_first(place: Place) -> None:
    with place.store.write() as writing:
        put = writing.features(OTHER, [stream("a"), stream("new")])
    assert put.foreign == {"garages.a.occupancy"}
    assert [item.feature.id for item in put.changed] == ["garages.new.occupancy"]


@pytest.mark.parametrize("moments", [(None, NOON), (NOON, None), (NOON, NOON + MINUTE)])
def test_of_what_was_erased_no_version_is_left_whenever_it_began(
    place: Place, moments: tuple[int | None, ...]
) -> None:
    with place.store.write() as writing:
        for street, moment in zip(("Dorpsstraat 5", "Kerkstraat 9"), moments, strict=True):
            fiets = Feature("fiets.jan", "thing", f"Fiets van Jan, {street}", None, {}, moment)
            writing.features(DATASET, [fiets, msgspec.structs.replace(fiets, id="fiets.piet")])
    erased = Feature("fiets.jan", "thing", "erased", valid_to=NOON + 2 * MINUTE, replaces_all=True)
    with place.store.write() as writing:
        assert [item.feature for item in writing.features(DATASET, [erased]).changed] == [erased]
    kept = [item.feature for item in place.store.features_since(0) if item.feature.id.startswith("fiets.")]
    assert [one.name for one in kept if one.id == "fiets.jan"] == ["erased"]
    assert len([one for one in kept if one.id == "fiets.piet"]) == 2
    again = Feature("fiets.jan", "thing", "Fiets", valid_from=NOON)
    with place.store.write() as writing:
        assert writing.features(OTHER, [msgspec.structs.replace(erased, name="?")]).foreign == {"fiets.jan"}
        writing.features(DATASET, [again, msgspec.structs.replace(again, name="Step"), erased])
    assert place.store.features(DATASET, "thing", "fiets.j", 1, NOON + 3 * MINUTE)[0].id == "fiets.piet"


def test_what_is_tried_again_leaves_alone_what_came_or_was_erased_since_it_was_rejected(place: Place) -> None:
    rejected = [Feature(name, "thing", "before", None, {}, NOON) for name in ("n.a", "n.b", "n.c", "n.d")]
    at = clock.now()
    newer = [msgspec.structs.replace(rejected[0], name="new"), Feature("n.b", "thing", "earliest")]
    gone = Feature("n.c", "thing", "erased", valid_to=NOON, replaces_all=True)
    with place.store.write() as writing:
        writing.features(DATASET, [*newer, gone])
        again = writing.features(DATASET, rejected, at - 1)
    assert [item.feature.id for item in again.changed] == ["n.b", "n.d"]
    assert [one.name for one in place.store.features(DATASET, "thing", "n.", 10, NOON)] == [
        "new",
        "before",
        "before",
    ]


def test_features_are_listed_in_the_version_that_holds_at_the_moment(place: Place) -> None:
    square = {"type": "Point", "coordinates": [5.0, 52.0]}
    versions = [
        Feature("n1", "neighbourhood", "old", square, valid_to=NOON),
        Feature("n1", "neighbourhood", "new", square, valid_from=NOON),
        Feature("n2", "neighbourhood", "later", square, valid_from=NOON + MINUTE),
    ]
    with place.store.write() as writing:
        writing.features(DATASET, versions)
    names = lambda at: [f.name for f in place.store.features(DATASET, "neighbourhood", "", 10, at)]  # noqa: E731
    assert names(NOON - 1) == ["old"]
    assert names(NOON) == ["new"]
    assert names(NOON + MINUTE) == ["new", "later"]


def test_what_was_stored_is_loaded_again(place: Place) -> None:
    again = Registry(
        Neighbourhoods(lambda _dataset: True), (3.0, 50.0, 8.0, 54.0), place.store.features_since
    )
    again.refresh()
    assert again.stream("garages.a.occupancy") == place.registry.stream("garages.a.occupancy")
    assert again.by_key(place.key("b")).position == (5.1, 52.1)


def test_outcomes_add_up_over_the_batches_of_an_import_and_a_repeated_message_counts_once(
    place: Place,
) -> None:
    for message, batch_id, outcome in (
        ("m1", "imp/0", Outcome(3, 1, 0, {"unknown_unit": 2})),
        ("m2", "imp/1", Outcome(4, 0, 1, {"unknown_unit": 1, "refused": 1})),
        ("m1", "imp/0", Outcome(0, 6)),
    ):
        with place.store.write() as writing:
            writing.outcome(Handed(message, batch_id, DATASET), outcome)
    assert place.store.outcome("imp/0", None, "") == Outcome(3, 1, 0, {"unknown_unit": 2})
    assert place.store.outcome("imp", None, "") == Outcome(7, 1, 1, {"unknown_unit": 3, "refused": 1})
    assert place.store.outcome("unknown", None, "") is None


def test_an_outcome_is_told_of_a_dataset_or_to_who_handed_in(place: Place) -> None:
    with place.store.write() as writing:
        writing.outcome(Handed("m1", "imp/0", DATASET, "urn:dmi:participant:a"), Outcome(1))
        writing.outcome(Handed("m2", "imp/1", OTHER, "urn:dmi:participant:b"), Outcome(2))
        writing.outcome(Handed("m3", "old", ""), Outcome(4))
    told = place.store.outcome
    assert told("imp", {DATASET}, "urn:dmi:participant:c") == Outcome(1)
    assert told("imp", set(), "urn:dmi:participant:b") == Outcome(2)
    assert told("imp", {DATASET}, "urn:dmi:participant:b") == Outcome(3)
    assert told("imp", set(), "urn:dmi:participant:c") is None
    assert told("m1", {OTHER}, "urn:dmi:participant:b") is None
    assert told("old", {DATASET, OTHER}, "urn:dmi:participant:a") is None
    assert told("old", None, "") == Outcome(4)


def test_a_reject_is_replayed_once_and_corrects_its_outcome(place: Place) -> None:
    with place.store.write() as writing:
        writing.outcome(Handed("m", "b", DATASET), Outcome(1, 0, 0, {"unknown_datastream": 2}))
        writing.reject(
            [Reject("raw", DATASET, "b", "m", "unknown_datastream", "d", 2, b"\x00{", "x", (4, 5))]
        )
    (kept,) = place.store.rejects({DATASET}, None, True, None, 10)
    assert (kept.rows, kept.row_numbers, kept.payload, kept.about) == (2, (4, 5), b"\x00{", "x")
    assert place.store.waiting_for(["x"], 10) == [kept]
    with place.store.write() as writing:
        assert writing.replayed(kept, Outcome(accepted=2))
        assert not writing.replayed(kept, Outcome(accepted=2))
    assert place.store.outcome("b", None, "") == Outcome(3)
    assert place.store.rejects(None, None, True, None, 10) == []
    assert place.store.waiting_for(["x"], 10) == []
    again = place.store.reject(kept.id)
    assert again is not None
    assert again.replayed_at is not None


def test_deleting_after_a_term_leaves_newer_rows_and_other_datasets(place: Place) -> None:
    with place.store.write() as writing:
        about = {"thing": "t", "observed_property": "crowd_count", "unit": "{person}"}
        place.registry.apply(
            writing.features(OTHER, [Feature("crowd.x", "datastream", "x", None, about)]).changed
        )
    place.put(batch(("a", 1, 1.0), ("a", 3, 3.0), ("b", 1, 1.0)))
    place.put(ObservationBatch(OTHER, ["crowd.x"], [NOON + MINUTE], [9.0]))
    assert place.store.delete_before(DATASET, NOON + 2 * MINUTE) == 2
    assert place.rows("a") == [(NOON + 3 * MINUTE, "", 3.0)]
    assert place.rows("b") == []
    assert place.store.latest(DATASET, None, None, 10).keys == [place.key("a")]
    assert place.store.latest(OTHER, None, None, 10).columns["result"] == [9.0]
    assert place.put(batch(("b", 1, 1.0))) == [ACCEPTED], "what was deleted is forgotten"


def test_rows_of_a_dataset_of_which_nothing_but_rejects_came_are_found_for_their_term(place: Place) -> None:
    assert place.store.kept_datasets() == [DATASET]
    with place.store.write() as writing:
        writing.reject([Reject("raw", OTHER, "b", "m", "no_consent", "d", 1, b"x")])
    assert place.store.kept_datasets() == [OTHER, DATASET]
    assert place.store.delete_before(OTHER, 2**62) == 1
    assert place.store.kept_datasets() == [DATASET]


def test_a_hundred_thousand_rows_are_stored_and_counted(place: Place) -> None:
    total = 100_000
    begun = time.monotonic()
    for start in range(0, total, 10_000):
        numbers = np.arange(start, start + 10_000)
        names = [f"garages.{'abc'[number % 3]}.occupancy" for number in numbers.tolist()]
        times = (NOON + numbers * 1_000_000).tolist()
        place.put(ObservationBatch(DATASET, names, times, (numbers % 100).astype(float).tolist()))
    with place.engine.connect() as connection:
        assert connection.execute(sa.text("SELECT count(*) FROM observation")).scalar() == total
    assert not math.isnan(place.last()[1] or 0.0)
    assert time.monotonic() - begun < 60


def test_the_quality_of_the_last_hour_is_what_its_rows_are(place: Place) -> None:
    minutes = range(8)
    times = [NOON - minute * MINUTE for minute in minutes]
    batch = ObservationBatch(
        DATASET,
        ["garages.a.occupancy"] * 6 + ["garages.b.occupancy"] * 2,
        [*times[:6], *times[:2]],
        [10.0, 11.0, None, 12.0, -5.0, 11.0, 10.0, 999_999.0],
    )
    place.put(batch)
    place.put(ObservationBatch(DATASET, ["garages.a.occupancy"], [NOON - 61 * MINUTE], [10.0]))
    found = place.store.quality(DATASET, NOON, 3600)
    assert (found.rows, found.missing, found.datastreams, found.delivering) == (8, 1, 3, 2)
    assert found.newest == NOON
    table = place.store.observations(place.key(), NOON - 10 * MINUTE, NOON + 1, None, 100)
    assert 0 < found.good < 7, table
    empty = place.store.quality(OTHER, NOON, 3600)
    assert (empty.rows, empty.datastreams, empty.newest, empty.good) == (0, 0, None, 0)


def test_of_rejects_those_alone_that_name_a_person_are_read_when_it_is_erased(
    place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    """There may be thousands of them, each of a whole message, while nobody else can write."""
    noor, others = "urn:dmi:person:noor_1%", "urn:dmi:person:noorx1y"
    one = ObservationBatch(DATASET, ["s"], [NOON], [1.0], subject=[noor])
    other = msgspec.structs.replace(one, subject=[others])
    with place.store.write() as writing:
        payloads = [encode(one), encode(other), b"\xff" + noor.encode(), b"\xff" + others.encode()]
        writing.reject([Reject("t", DATASET, "", "m", "x", "", 1, payload) for payload in payloads])
        writing.reject([Reject("t", OTHER, "", "m", "x", "", 1, encode(one))])
    read: list[bytes] = []
    decode = rejects.decode
    monkeypatch.setattr(
        rejects, "decode", lambda payload, kind: read.append(payload) or decode(payload, kind)
    )
    assert place.store.erase(DATASET, noor, NOON) == 2
    assert sorted(read) == sorted([payloads[0], payloads[2]])
    left = place.store.rejects(None, None, False, None, 10)
    assert sorted(each.dataset for each in left) == sorted([DATASET, DATASET, OTHER])


def test_a_person_is_erased_up_to_a_moment_with_its_rejects_and_the_last_values_follow(place: Place) -> None:
    def of(who: list[str | None], *rows: tuple[str, int, float | None]) -> ObservationBatch:
        return msgspec.structs.replace(batch(*rows), subject=who)

    place.put(of(["noor", "piet", "noor"], ("a", 1, 1.0), ("a", 2, 2.0), ("a", 3, 3.0)))
    place.put(of(["noor", "noor"], ("b", 1, 1.0), ("b", 9, 9.0)))
    waiting = of(["noor", "piet", "noor"], ("c", 1, 1.0), ("c", 2, 2.0), ("c", 8, 8.0))
    with place.store.write() as writing:
        writing.reject([Reject("t", DATASET, "", "m", "x", "", 3, encode(waiting), row_numbers=(4, 5, 6))])
    assert place.store.erase(DATASET, "noor", NOON + 5 * MINUTE) == 4
    assert [time - NOON for time, _, _ in place.rows()] == [2 * MINUTE]
    assert place.last() == (NOON + 2 * MINUTE, 2.0)
    assert [time - NOON for time, _, _ in place.rows("b")] == [9 * MINUTE]
    (left,) = place.store.rejects(None, None, False, None, 10)
    assert decode(left.payload, ObservationBatch).subject == ["piet", "noor"]
    assert (left.rows, left.row_numbers) == (2, (5, 6))
    assert place.store.erase(DATASET, "noor", NOON + 5 * MINUTE) == 0, "again changes nothing"
    assert place.put(of(["piet"], ("a", 1, 1.5))) == [ACCEPTED]


def test_a_correction_changes_rows_of_the_person_alone_and_tells_the_whole_quarter(place: Place) -> None:
    rows = batch(("a", 1, 1.0), ("a", 2, 2.0), ("a", 16, 3.0))
    place.put(msgspec.structs.replace(rows, subject=["noor", "piet", "noor"]))
    told: list[tuple[list[int], list[float]]] = []

    def tell(table: Table) -> Message:
        told.append((table.columns["time"], table.columns["result"]))
        return Message("k", b"x", Envelope("i", "s", "t", "2026-01-01T00:00:00Z"))

    stream_id = "garages.a.occupancy"
    wanted = [Correction(stream_id, NOON + minute * MINUTE, 7.0) for minute in (1, 2)]
    assert place.store.correct(DATASET, "noor", wanted, UNTESTED, tell) == 1
    assert [value for _, _, value in place.rows()] == [7.0, 2.0, 3.0]
    assert told == [([NOON + MINUTE], [7.0])]
    assert place.store.correct(OTHER, "noor", wanted, UNTESTED, tell) == 0, "of another dataset"
    newest = [Correction(stream_id, NOON + 16 * MINUTE, None)]
    assert place.store.correct(DATASET, "noor", newest, UNTESTED, tell) == 1
    assert place.last() == (NOON + 16 * MINUTE, None)


@pytest.mark.parametrize("right", ["erasure", "rectification"])
def test_what_is_written_while_a_person_uses_a_right_stays_the_last_value(place: Place, right: str) -> None:
    """The writer has not ended when the rows of the person are looked for: neither may undo what the other did."""
    place.put(msgspec.structs.replace(batch(("a", 1, 1.0), ("a", 2, 2.0)), subject=["noor", "piet"]))
    later = msgspec.structs.replace(batch(("a", 3, 3.0)), subject=["piet"])
    done: list[int] = []

    def use() -> None:
        if right == "erasure":
            done.append(place.store.erase(DATASET, "noor", NOON + 5 * MINUTE))
            return
        wanted = [Correction("garages.a.occupancy", NOON + MINUTE, 7.0)]
        message = Message("k", b"x", Envelope("i", "s", "t", "2026-01-01T00:00:00Z"))
        done.append(place.store.correct(DATASET, "noor", wanted, UNTESTED, lambda _: message))

    using = threading.Thread(target=use)
    with place.store.write(times_of(later)) as writing:
        assert place.insert(writing, later) == [ACCEPTED]
        using.start()
        # As long as it takes the other one to get to where it waits.
        using.join(0.5)
        assert using.is_alive()
    using.join(30)
    assert done == [1]
    assert place.last() == (NOON + 3 * MINUTE, 3.0)
    assert place.put(later) == [DUPLICATE], "by the last value a repeat is known as one"
