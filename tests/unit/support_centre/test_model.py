"""What is kept of observations, and how features become places."""

from __future__ import annotations

from dmi_agreements.contracts.features import Feature
from dmi_agreements.contracts.observations import ObservationBatch
from dmi_support_centre.model import (
    MINUTE,
    QUARTER,
    Reading,
    city_time,
    corrected_of,
    needed_of,
    places_of,
    quarters_of,
    readings_of,
)


def batch(**columns: object) -> ObservationBatch:
    base = {
        "dataset": "d",
        "datastream": ["d.a.occupancy", "d.b.pm2_5", "d.c.crowd_count", "d.a.occupancy"],
        "phenomenon_time": [1, 2, 3, 4],
        "result": [5.0, 6.0, 7.0, None],
        "observed_property": ["occupancy", "pm2_5", "crowd_count", "occupancy"],
    }
    return ObservationBatch(**{**base, **columns})  # type: ignore[arg-type]


def test_only_properties_that_an_analysis_uses_are_needed() -> None:
    assert needed_of(batch()) == batch().take([0, 2])


def test_a_row_that_failed_a_quality_test_is_not_needed() -> None:
    flagged = batch(flags={"range": [4, 1, 1, 1], "rate": [1, 1, 3, 1]})
    assert needed_of(flagged) == flagged.take([2])
    assert corrected_of(flagged).result == [None, 7.0, None], "a correction takes it back"


def test_a_result_beyond_all_that_is_measured_is_not_needed() -> None:
    huge = batch(result=[1.7e308, 6.0, 7.0, -1.7e308])
    assert needed_of(huge) == huge.take([2])
    assert corrected_of(huge).result == [None, 7.0, None]


def test_without_the_column_the_property_is_the_end_of_the_datastream_id() -> None:
    assert needed_of(batch(observed_property=None)).datastream == ["d.a.occupancy", "d.c.crowd_count"]
    assert readings_of(batch(observed_property=None))[0].observed_property == "occupancy"


def test_readings_of_one_quarter_are_summed_up_with_their_mean_time() -> None:
    rows = [
        Reading("s", "d", "occupancy", QUARTER + minute * MINUTE, value)
        for minute, value in ((2, 10.0), (6, 20.0))
    ]
    [quarter] = quarters_of([*rows, Reading("c", "d", "crowd_count", QUARTER, 9.0)])
    assert (quarter.mean, quarter.at, quarter.start + quarter.last) == (
        15.0,
        QUARTER + 4 * MINUTE,
        QUARTER + 6 * MINUTE,
    )


def test_rows_of_two_persons_are_not_mixed_in_one_quarter() -> None:
    rows = [Reading("s", "d", "occupancy", QUARTER, 1.0, who) for who in ("noor", "sam")]
    assert {quarter.subject for quarter in quarters_of(rows)} == {"noor", "sam"}


def test_a_place_takes_its_name_and_geometry_from_its_thing() -> None:
    point = {"type": "Point", "coordinates": [5.1, 52.1]}
    thing = Feature("d.a", "parking", "Garage Centrum", point, {"capacity": 480, "use": "shopping"})
    stream = Feature(
        "d.a.occupancy", "datastream", "bezetting", None, {"thing": "d.a", "observed_property": "occupancy"}
    )
    [place] = places_of([("d", thing), ("d", stream)], "occupancy")
    assert (place.id, place.name, place.capacity, place.geometry) == ("d.a", "Garage Centrum", 480.0, point)
    assert places_of([("d", thing), ("d", stream)], "crowd_count") == []


def test_one_datastream_with_a_wrong_clock_does_not_move_the_city_into_the_future() -> None:
    assert city_time([100, 101, 4_000_000]) == 101
    assert city_time([]) is None
