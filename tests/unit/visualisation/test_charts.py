"""A chart shows what each reading by itself lets through: of its own person, in its own place, at its own time."""

from __future__ import annotations

import math
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from dmi_agreements.contracts.law import Dataset
from dmi_agreements.contracts.record import DecisionRecord
from dmi_infra import clock
from dmi_infra.gate import Permit
from dmi_infra.room import Room
from dmi_infra.sql import migrate, open_engine
from dmi_visualisation.errors import TooManyStreams
from dmi_visualisation.handlers import Maps
from dmi_visualisation.live import LiveMap
from dmi_visualisation.model import BUCKET, Shown
from dmi_visualisation.quarters import Quarter
from dmi_visualisation.store import Store
from tests.unit.infra.fakes import (
    BICYCLES,
    GARAGES,
    HOUR,
    MOBILITY,
    NOOR,
    NOW,
    OWNER,
    PIET,
    SECOND,
    STACK,
    VENDOR,
    Court,
    delay,
)
from tests.unit.visualisation.samples import CENTRE, place, row
from tests.unit.visualisation.test_duties import duty

ACTIONS = ("dmi:process", "dmi:display")
BIKE = "bicycle-air.bicycle-1.pm2_5"
BEGIN = NOW // HOUR * HOUR - 4 * HOUR
"""The begin of an hour."""


class Charted:
    """A map with what tests put on it, seen by a vendor."""

    def __init__(self, folder: Path, court: Court) -> None:
        engine = open_engine(f"sqlite:///{folder / 'visualisation.db'}", "visualisation")
        migrate(engine, "dmi_visualisation")
        self.court, self.live, self.store = court, LiveMap(), Store(engine)
        self.maps = Maps(self.store, self.live, court.gate, Room(1, 1, "live streams", TooManyStreams))
        self.close = engine.dispose

    def put(self, *rows: Shown) -> None:
        self.store.save([], rows, {})
        self.live.update([], rows)

    def permit(self, dataset: str) -> Permit:
        return self.court.gate.permit("tile", "dmi:display", dataset, recipient=VENDOR)

    def chart(self, datastream: str, dataset: str, begin: int = BEGIN, points: int = 100) -> list[float]:
        found = self.maps.history(self.permit(dataset), datastream, begin, NOW + HOUR, points)
        return [item["mean"] for item in found["items"]]

    def past(self, dataset: str, at: int) -> list[float]:
        return [
            f["properties"]["result"] for f in self.maps.features(self.permit(dataset), at=at)["features"]
        ]


@pytest.fixture
def city(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Charted]:
    court = Court()
    monkeypatch.setattr(clock, "now", court.clock)
    court.law.apply(Dataset(BICYCLES, OWNER, {"nl": "x"}, personal=True, purpose=MOBILITY, layer="points"))
    made = Charted(tmp_path, court)
    yield made
    made.close()


def ride(result: float, rider: str | None, at: int, **more: Any) -> Shown:
    return row(result, at=at, datastream=BIKE, dataset=BICYCLES, subject=rider, **more)


def allow(court: Court, *riders: str, **terms: Any) -> None:
    """The vendor and the layer may show the bicycles of these riders."""
    for recipient, more in ((STACK, {}), (VENDOR, terms)):
        court.agree(recipient, *ACTIONS, dataset=BICYCLES, **more)
        for rider in riders:
            court.agree(recipient, *ACTIONS, dataset=BICYCLES, assigner=rider)


@pytest.mark.parametrize(("rider", "seen"), [(NOOR, [1.0, 2.0]), (PIET, [4.0, 5.0])])
@pytest.mark.parametrize("turned", [False, True])
def test_a_bicycle_that_changed_hands_shows_the_readings_of_who_consented_alone(
    city: Charted, rider: str, seen: list[float], turned: bool
) -> None:
    """One rides for a quarter and a half, then the other: whoever rode last opens or closes nothing of the first."""
    turns = [(4.0, PIET), (5.0, PIET), (1.0, NOOR), (2.0, NOOR)]
    rides = zip(turns if turned else turns[2:] + turns[:2], (0, 15, 25, 30), strict=True)
    city.put(*(ride(value, who, BEGIN + minute * 60 * SECOND) for (value, who), minute in rides))
    city.put(ride(9.0, None, BEGIN + HOUR))
    allow(city.court, rider)
    assert city.chart(BIKE, BICYCLES) == seen
    for recipient in (STACK, VENDOR):
        other = PIET if rider == NOOR else NOOR
        city.court.agree(recipient, *ACTIONS, dataset=BICYCLES, assigner=other)
    assert city.chart(BIKE, BICYCLES) == ([4.0, 3.0, 2.0] if turned else [1.0, 3.0, 5.0])


def test_a_person_charts_the_own_readings_of_a_shared_bicycle(city: Charted) -> None:
    city.put(ride(1.0, NOOR, BEGIN), ride(4.0, PIET, BEGIN + 60 * SECOND))
    allow(city.court)
    city.court.agree(STACK, *ACTIONS, dataset=BICYCLES, assigner=NOOR)
    permit = city.court.gate.permit("tile", "dmi:display", BICYCLES, recipient=NOOR)
    found = city.maps.history(permit, BIKE, BEGIN, NOW, 10)
    assert [(item["minimum"], item["maximum"]) for item in found["items"]] == [(1.0, 1.0)]


def test_the_record_of_a_chart_counts_the_quarters_of_each_person_that_were_shown(city: Charted) -> None:
    city.put(*(ride(1.0, who, BEGIN + n * BUCKET) for who, n in ((NOOR, 0), (NOOR, 1), (NOOR, 2), (PIET, 2))))
    allow(city.court, NOOR)
    city.court.records.clear()
    city.chart(BIKE, BICYCLES, begin=BEGIN + BUCKET)
    told = [r for r in city.court.records if isinstance(r, DecisionRecord) and r.subjects]
    assert [(r.subjects, r.rows) for r in told] == [([NOOR], 2)]


def inside(west: float, east: float) -> dict[str, Any]:
    box = {"dmi:bbox": [west, 52, east, 53]}
    return {"leftOperand": "spatial", "operator": "isPartOf", "rightOperand": box}


@pytest.mark.parametrize("back", [False, True])
def test_what_moves_is_charted_where_it_was_within_the_area(city: Charted, back: bool) -> None:
    """A quarter that lies partly outside is left out: its mean would tell of the part outside."""
    longitudes = [5.1, 5.1, 5.3, 5.1, 5.3]
    if back:
        longitudes.reverse()
    starts = [0, 1, 1, 2, 3]
    rows = [
        row(float(n), at=BEGIN + start * BUCKET + n, longitude=longitude)
        for n, (start, longitude) in enumerate(zip(starts, longitudes, strict=True))
    ]
    rows.append(row(7.0, at=BEGIN + 5 * BUCKET, longitude=None, latitude=None))
    for one in rows:
        city.put(one)
    city.court.agree(STACK, *ACTIONS)
    free = city.court.agree(VENDOR, *ACTIONS)
    assert len(city.chart(CENTRE, GARAGES)) == 5
    city.court.end(free)
    city.court.agree(VENDOR, *ACTIONS, constraints=[inside(5.0, 5.2)])
    assert city.chart(CENTRE, GARAGES) == ([3.0, 4.0] if back else [0.0, 3.0])


def test_a_reading_without_a_place_is_not_charted_by_where_its_sensor_stands_now(city: Charted) -> None:
    city.live.update([(GARAGES, place(CENTRE, "datastream", "Garage", 5.1))], [])
    city.put(row(1.0, at=BEGIN, longitude=None, latitude=None), row(2.0, at=BEGIN + BUCKET))
    city.court.agree(STACK, *ACTIONS)
    city.court.agree(VENDOR, *ACTIONS, constraints=[inside(5.0, 5.2)])
    assert city.chart(CENTRE, GARAGES) == [2.0]


def test_a_quarter_is_charted_when_its_last_reading_is_old_enough(city: Charted) -> None:
    """Before, a quarter that had begun early enough told of the readings that the delay holds back."""
    city.put(row(1.0, at=BEGIN), row(2.0, at=BEGIN + BUCKET), row(8.0, at=BEGIN + BUCKET + 600 * SECOND))
    city.court.agree(STACK, *ACTIONS)
    city.court.agree(VENDOR, *ACTIONS, duties=[delay((NOW - BEGIN - BUCKET) // SECOND - 300)])
    assert city.chart(CENTRE, GARAGES) == [1.0]
    city.court.clock.at += 300 * SECOND
    city.court.beat()
    assert city.chart(CENTRE, GARAGES) == [1.0, 5.0]


def test_what_was_kept_of_results_beyond_all_that_is_measured_has_a_mean_that_is_a_number() -> None:
    def kept(minimum: float, maximum: float, total: float) -> Quarter:
        return Quarter(BEGIN, "", "", minimum, maximum, total, 2, 1, BEGIN, BEGIN)

    huge = 1.7e308
    of_store = [kept(huge, huge, math.inf), kept(-huge, 2.0, -math.inf), kept(1.0, 5.0, 6.0)]
    assert [one.mean for one in of_store] == [huge, -huge, 3.0]
    joined = of_store[0].joined(of_store[1])
    assert math.isnan(joined.total), "one endless sum less the other"
    assert joined.minimum <= joined.mean <= joined.maximum
    assert kept(huge, huge, huge).joined(kept(huge, huge, huge)).mean == huge


def test_a_chart_under_suppression_shows_hours_of_enough_persons_whole(city: Charted) -> None:
    area = {"neighbourhood": "BU1"}
    city.put(ride(1.0, NOOR, BEGIN, **area), ride(3.0, PIET, BEGIN + 3 * BUCKET, **area))
    city.put(ride(5.0, NOOR, BEGIN + HOUR, **area))
    allow(city.court, NOOR, PIET, duties=[duty("suppress", minimumGroup=("eq", 2))])
    assert city.chart(BIKE, BICYCLES) == [1.0, 3.0]
    assert city.chart(BIKE, BICYCLES, begin=BEGIN + BUCKET) == [3.0], "the hour is judged whole, then cut"


def test_the_map_of_a_moment_is_of_who_rode_then(city: Charted) -> None:
    city.put(ride(1.0, NOOR, BEGIN), ride(5.0, PIET, BEGIN + HOUR))
    allow(city.court, NOOR)
    assert city.past(BICYCLES, BEGIN + BUCKET) == [1.0]
    assert city.past(BICYCLES, BEGIN + 2 * HOUR) == []


def test_a_kept_tile_holds_no_longer_than_the_term(city: Charted) -> None:
    city.put(row(5.0, at=NOW - 24 * HOUR + 10 * SECOND))
    city.court.agree(STACK, *ACTIONS)
    city.court.agree(VENDOR, *ACTIONS, duties=[duty("deleteAfter", days=("eq", 1))])
    full = city.maps.tile(city.permit(GARAGES), 12, 2106, 1351)
    city.court.clock.at += 20 * SECOND
    city.court.beat()
    assert len(city.maps.tile(city.permit(GARAGES), 12, 2106, 1351)) < len(full)


def test_a_tile_that_was_made_while_somebody_consented_is_not_kept_for_when_the_consent_ends(
    city: Charted, monkeypatch: pytest.MonkeyPatch
) -> None:
    other = row(4.0, at=NOW - SECOND, datastream="bicycle-air.2.pm2_5", dataset=BICYCLES, subject=PIET)
    city.put(ride(1.0, NOOR, NOW - SECOND), other)
    allow(city.court, PIET)
    before = city.maps.tile(city.permit(BICYCLES), 12, 2106, 1351)
    city.maps = Maps(city.store, city.live, city.court.gate, Room(1, 1, "live streams", TooManyStreams))
    judge, given = city.court.gate.judge, []

    def meanwhile(*asked: Any, **more: Any) -> Any:
        if not given:
            given.extend(
                city.court.agree(who, *ACTIONS, dataset=BICYCLES, assigner=NOOR) for who in (STACK, VENDOR)
            )
        return judge(*asked, **more)

    monkeypatch.setattr(city.court.gate, "judge", meanwhile)
    during = city.maps.tile(city.permit(BICYCLES), 12, 2106, 1351)
    assert len(during) > len(before)
    city.court.end(given[1])
    assert city.maps.tile(city.permit(BICYCLES), 12, 2106, 1351) == before
    assert city.maps.kept_tile(city.permit(BICYCLES), 12, 2106, 1351) is None, "it tells of a person"
