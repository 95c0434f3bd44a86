"""Rules, the life of a measure, and the look back."""

from __future__ import annotations

from itertools import product
from typing import Any

import msgspec
import pytest

from dmi_agreements.contracts.results import Grounds, Measure
from dmi_support_centre.models.crowd import Level
from dmi_support_centre.models.forecast import series_of
from dmi_support_centre.models.measures import (
    TRANSITIONS,
    Automatic,
    CrowdRule,
    CrowdState,
    ForecastAt,
    GarageRule,
    GarageState,
    IllegalTransition,
    RuleRefused,
    approve,
    check_rule,
    evaluate,
    expire,
    lapse,
    look_back,
    propose,
    reject,
    withdraw,
)

MINUTE = 60_000_000
NOW = 1_700_000_000_000_000
RULE = GarageRule("rule-1", "garages.centrum", "garages.pr-noord")
CROWD = CrowdRule("rule-2", "crowd.markt")


def at(p50: float, minutes: int = 30, age: int = 0, name: str = "forecast-1") -> ForecastAt:
    return ForecastAt(name, NOW - age * MINUTE, NOW + minutes * MINUTE, p50 - 20, p50, p50 + 20)


def state(p50: float = 390, **changes: Any) -> GarageState:
    known: dict[str, Any] = {
        "name": "Garage Centrum",
        "capacity": 400.0,
        "forecasts": [at(p50)],
        "hub_name": "P+R Noord",
        "hub_capacity": 500.0,
        "hub_occupancy": 100.0,
        "grounds": Grounds(datasets=["garages"], agreements=["agreement-1"]),
    }
    return GarageState(**(known | changes))


def made(**changes: Any) -> Measure:
    measure = propose(RULE, state(), NOW)
    assert measure is not None
    return msgspec.structs.replace(measure, **changes)


def test_a_garage_forecast_full_half_an_hour_ahead_proposes_the_hub() -> None:
    measure = made()
    assert measure.state == "proposed"
    assert measure.valid_to == NOW + 60 * MINUTE
    assert measure.decided_by is None
    assert "P+R Noord" in measure.advice["nl"]
    assert "P+R Noord" in measure.advice["en"]
    assert "23:43" in measure.advice["nl"]
    assert measure.grounds == Grounds(["garages"], ["agreement-1"], [], ["forecast-1"])
    assert measure.properties["audience"]["en"].startswith("drivers who reach Garage Centrum")
    assert propose(RULE, state(), NOW) == measure


@pytest.mark.parametrize(
    ("found", "reason"),
    [
        (state(379), "not-full"),
        (state(390, hub_occupancy=460.0), "hub-full"),
        (state(390, hub_occupancy=None), "hub-unknown"),
        (state(390, hub_capacity=None), "hub-unknown"),
        (state(390, hub_forecasts=[at(470)]), "hub-full"),
        (state(390, capacity=None), "no-forecast"),
        (state(forecasts=[]), "no-forecast"),
        (state(forecasts=[at(390, minutes=60)]), "no-forecast"),
        (state(forecasts=[at(390, age=21)]), "no-forecast"),
        (state(forecasts=[at(390, age=-5)]), "no-forecast"),
    ],
)
def test_the_rule_says_why_it_proposes_nothing(found: GarageState, reason: str) -> None:
    outcome = evaluate(RULE, found, NOW)
    assert outcome.measure is None
    assert outcome.reason == reason


def test_the_newest_forecast_counts() -> None:
    found = state(forecasts=[at(399, age=15), at(100, age=0)])
    assert evaluate(RULE, found, NOW).reason == "not-full"


def test_a_cautious_rule_acts_on_the_upper_end_of_the_interval() -> None:
    cautious = msgspec.structs.replace(RULE, quantile="p90")
    assert evaluate(cautious, state(365), NOW).reason == "full"
    assert evaluate(RULE, state(365), NOW).reason == "not-full"


def test_one_advice_runs_at_a_time_per_rule_and_place() -> None:
    assert evaluate(RULE, state(measures=[made()]), NOW).reason == "already-running"
    published = approve(made(), "officer", NOW)
    assert evaluate(RULE, state(measures=[published]), NOW + MINUTE).reason == "already-running"
    elsewhere = made(place="garages.zuid")
    assert evaluate(RULE, state(measures=[elsewhere]), NOW).measure is not None
    over = expire(published, published.valid_to)
    assert evaluate(RULE, state(measures=[over]), NOW).measure is not None


def test_after_a_rejection_the_rule_is_silent_until_released_or_long_after() -> None:
    refused = reject(made(), "officer", NOW, "roadworks at the hub")
    later = NOW + 10 * MINUTE
    ahead = [at(390, minutes=40)]
    assert evaluate(RULE, state(forecasts=ahead, measures=[refused]), later).reason == "rejected-before"
    assert (
        evaluate(RULE, state(forecasts=ahead, measures=[refused], released_at=NOW + 5 * MINUTE), later).reason
        == "full"
    )
    short = msgspec.structs.replace(RULE, quiet_min=5)
    assert evaluate(short, state(forecasts=ahead, measures=[refused]), later).reason == "full"


def test_advice_is_held_around_the_threshold_and_ends_below_the_release() -> None:
    running = approve(made(), "officer", NOW)
    assert lapse(RULE, running, state(360), NOW) is None
    assert lapse(RULE, running, state(forecasts=[]), NOW) is None
    over = lapse(RULE, running, state(330), NOW)
    assert over is not None
    assert (over.state, over.valid_to) == ("expired", NOW)
    assert over.properties["reason"] == "condition-over"
    assert lapse(RULE, over, state(330), NOW) is None


def test_an_automatic_rule_publishes_in_the_name_of_who_decided_that_and_only_until_then() -> None:
    rule = msgspec.structs.replace(RULE, automatic=Automatic("urn:dmi:person:chief", NOW + 1))
    measure = propose(rule, state(), NOW)
    assert measure is not None
    assert (measure.state, measure.decided_by, measure.decided_at) == (
        "published",
        "urn:dmi:person:chief",
        NOW,
    )
    assert measure.properties["automatic_until"] == NOW + 1
    ended = msgspec.structs.replace(RULE, automatic=Automatic("urn:dmi:person:chief", NOW))
    later = propose(ended, state(), NOW)
    assert later is not None
    assert (later.state, later.decided_by) == ("proposed", None)


def test_a_person_approves_or_rejects_and_the_measure_records_who_and_when() -> None:
    published = approve(made(), "officer", NOW + MINUTE)
    assert (published.state, published.decided_by, published.decided_at) == (
        "published",
        "officer",
        NOW + MINUTE,
    )
    assert published.valid_from == NOW + MINUTE
    refused = reject(made(), "officer", NOW, "no buses today")
    assert (refused.state, refused.properties["reason"]) == ("rejected", "no buses today")


def test_a_measure_whose_time_is_over_cannot_be_published_nor_expire_early() -> None:
    with pytest.raises(IllegalTransition, match="time is over"):
        approve(made(), "officer", NOW + 60 * MINUTE)
    with pytest.raises(IllegalTransition, match="not over"):
        expire(made(), NOW)


def test_only_the_listed_transitions_are_possible() -> None:
    moves = {
        "published": lambda m: approve(m, "officer", NOW),
        "rejected": lambda m: reject(m, "officer", NOW),
        "expired": lambda m: expire(m, m.valid_to),
        "withdrawn": lambda m: withdraw(m, NOW, "agreement ended"),
    }
    for source, target in product(TRANSITIONS, moves):
        if target in TRANSITIONS[source]:
            assert moves[target](made(state=source)).state == target
        else:
            with pytest.raises(IllegalTransition):
                moves[target](made(state=source))


def crowd(levels: list[Level], **changes: Any) -> CrowdState:
    return CrowdState(**({"name": "Markt", "levels": levels, "at": NOW, "flow": 420.0} | changes))


def test_a_crowd_above_the_threshold_for_two_intervals_proposes_another_way() -> None:
    measure = propose(CROWD, crowd([Level.D, Level.E]), NOW)
    assert measure is not None
    assert measure.properties["level"] == "E"
    assert "Markt" in measure.title["nl"]
    assert evaluate(CROWD, crowd([Level.A, Level.D]), NOW).reason == "not-crowded"
    assert evaluate(CROWD, crowd([Level.E, Level.E], at=NOW - 16 * MINUTE), NOW).reason == "no-counts"
    assert evaluate(CROWD, crowd([]), NOW).reason == "no-counts"
    running = crowd([Level.E, Level.E], measures=[measure])
    assert evaluate(CROWD, running, NOW).reason == "already-running"
    assert lapse(CROWD, measure, crowd([Level.E, Level.B]), NOW) is None
    ended = lapse(CROWD, measure, crowd([Level.C, Level.B]), NOW)
    assert ended is not None
    assert ended.state == "expired"


def test_a_rule_refuses_the_state_of_another_kind() -> None:
    with pytest.raises(TypeError):
        propose(RULE, crowd([Level.E]), NOW)
    with pytest.raises(TypeError):
        lapse(CROWD, made(), state(), NOW)


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"full_share": 0.0}, "full_share"),
        ({"full_share": 1.2}, "full_share"),
        ({"release_share": 0.95}, "release_share"),
        ({"hub_room_share": 1.0}, "hub_room_share"),
        ({"horizon_min": 10}, "horizon_min"),
        ({"hub": "garages.centrum"}, "hub"),
        ({"duration_min": 0}, "duration_min"),
        ({"quiet_min": -1}, "quiet_min"),
        ({"quiet_min": 7 * 24 * 60 + 1}, "quiet_min"),
        ({"oldest_forecast_min": 0}, "oldest_forecast_min"),
        ({"oldest_forecast_min": 2**70}, "oldest_forecast_min"),
        ({"hub": ""}, "hub"),
        ({"hub": "h" * 301}, "hub"),
        ({"place": "p" * 301}, "place"),
        ({"id": "i" * 101}, "id"),
        ({"zone": "Europe"}, "zone"),
        ({"zone": "A" * 5000}, "zone"),
        ({"zone": "Mars/Olympus"}, "zone"),
        ({"place": ""}, "place"),
        ({"automatic": Automatic("", 1)}, "automatic.decided_by"),
    ],
)
def test_a_rule_with_an_impossible_setting_is_refused_by_field(changes: dict[str, Any], field: str) -> None:
    check_rule(RULE)
    check_rule(CROWD)
    with pytest.raises(RuleRefused) as refused:
        check_rule(msgspec.structs.replace(RULE, **changes))
    assert refused.value.field == field


@pytest.mark.parametrize("changes", [{"intervals": 0}, {"oldest_count_min": -5}, {"oldest_count_min": 1441}])
def test_the_numbers_of_a_crowd_rule_have_bounds(changes: dict[str, int]) -> None:
    with pytest.raises(RuleRefused, match=f"{next(iter(changes))}: must lie between"):
        check_rule(msgspec.structs.replace(CROWD, **changes))


def test_looking_back_compares_with_the_forecasts_from_before_the_advice() -> None:
    measure = approve(made(), "officer", NOW)
    seen = series_of([NOW + m * MINUTE for m in (0, 30, 60)], [370, 375, 380])
    hub = series_of([NOW + m * MINUTE for m in (0, 30, 60)], [100, 130, 160])
    expected = [at(395, 30), at(405, 60), at(300, 30, age=-10), at(999, 30, age=15), at(390, 90)]
    back = look_back(measure, seen, expected, hub, [at(125, 60)])
    assert back.destination is not None
    assert back.destination.mean_difference == pytest.approx((375 - 395 + 380 - 405) / 2)
    assert (back.destination.count, back.destination.outside_interval) == (2, 1)
    assert back.hub is not None
    assert (back.hub.place, back.hub.mean_difference) == ("garages.pr-noord", 35)
    assert back.hub_change == 60
    mid = [one for one in back.destination.moments if one.p50 is not None]
    assert [(one.actual, one.p50) for one in mid] == [(375, 395), (380, 405)]
    assert [one.at for one in back.destination.moments] == sorted(one.at for one in back.destination.moments)
    assert "no proof" in back.caveat["en"]
    assert "geen bewijs" in back.caveat["nl"]


@pytest.mark.parametrize(
    ("values", "verdict"), [([370, 375, 380], "beyond"), ([370, 394, 404], "within"), ([], "unknown")]
)
def test_a_difference_counts_only_beyond_what_the_forecasts_may_be_off_by(
    values: list[float], verdict: str
) -> None:
    measure = approve(made(), "officer", NOW)
    seen = series_of([NOW + m * MINUTE for m in (0, 30, 60)][: len(values)], values)
    back = look_back(measure, seen, [at(395, 30), at(405, 60)], series_of([], []))
    assert back.verdict == verdict
    if back.destination is not None:
        assert back.destination.low < back.destination.mean_difference < back.destination.high


def test_looking_back_shows_the_hour_before_as_far_as_it_was_measured() -> None:
    measure = approve(made(), "officer", NOW)
    seen = series_of([NOW + m * MINUTE for m in (-15, 0, 30, 60)], [350, 360, 375, 380])
    back = look_back(measure, seen, [at(395, 30)], series_of([], []))
    assert back.destination is not None
    before = [one.actual for one in back.destination.moments if one.p50 is None]
    assert before == [None, None, None, 350, 360]


def test_looking_back_without_data_says_nothing_rather_than_zero() -> None:
    back = look_back(made(), series_of([], []), [at(395, 30)], series_of([], []))
    assert (back.destination, back.hub, back.hub_change) == (None, None, None)
