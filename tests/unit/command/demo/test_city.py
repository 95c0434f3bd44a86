"""The demonstration city as a whole: deterministic, seamless, and as faulty as it says."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable
from datetime import UTC, datetime

import pytest

from dmi_agreements.contracts.envelope import encode
from dmi_agreements.contracts.features import Feature
from dmi_agreements.contracts.observations import ObservationBatch
from dmi_command.demo import City, build_city, expected_faults, history, live
from dmi_command.demo import faults as faulty
from dmi_command.demo.moments import DAY, HOUR, MINUTE, SECOND
from dmi_command.demo.story import BICYCLE_AIR, BUS, CROWD, GARAGES

NOW = int(datetime(2026, 3, 6, 8, 4, 17, tzinfo=UTC).timestamp()) * SECOND
Row = tuple[object, ...]


@pytest.fixture(scope="module")
def city() -> City:
    return build_city()


def rows(batches: Iterable[ObservationBatch]) -> dict[str, list[Row]]:
    found: dict[str, list[Row]] = defaultdict(list)
    for batch in batches:
        found[batch.dataset].extend(zip(*(column for _, column in batch.columns()), strict=True))
    return found


def test_the_same_seed_gives_the_same_bytes(city: City) -> None:
    again = build_city(5)
    assert encode(again.features) == encode(city.features)
    first = [encode(batch) for batch in history(city, NOW - 2 * DAY, NOW)]
    assert first == [encode(batch) for batch in history(again, NOW - 2 * DAY, NOW)]
    assert [encode(b) for b in live(city, NOW, NOW + HOUR)] == [
        encode(b) for b in live(again, NOW, NOW + HOUR)
    ]


def test_another_seed_gives_another_city_with_the_same_ids(city: City) -> None:
    other = build_city(6)
    assert encode(other.features) != encode(city.features)
    mine, theirs = rows(history(city, NOW - DAY, NOW)), rows(history(other, NOW - DAY, NOW))
    for dataset in (GARAGES, CROWD, BICYCLE_AIR, BUS):
        assert mine[dataset] != theirs[dataset], dataset
        ids = [
            {feature.id for feature in place.features[dataset] if feature.kind == "datastream"}
            for place in (city, other)
        ]
        assert ids[0] == ids[1]


def test_live_in_two_steps_is_live_in_one(city: City) -> None:
    middle = NOW + 7 * MINUTE + 13 * SECOND + 77
    both, first, second = (
        rows(live(city, NOW, NOW + HOUR)),
        rows(live(city, NOW, middle)),
        rows(live(city, middle, NOW + HOUR)),
    )
    assert set(both) == {GARAGES, CROWD, BICYCLE_AIR, BUS}
    for dataset, found in both.items():
        assert found == first[dataset] + second[dataset], dataset


def test_history_and_live_agree_on_rows_that_both_have(city: City) -> None:
    past = rows(history(city, NOW - DAY, NOW))
    lived = rows(live(city, NOW - DAY, NOW))
    for dataset in (GARAGES, CROWD, BICYCLE_AIR):
        clean = {row for row in past[dataset] if row[1] > NOW - DAY}
        assert len(clean) > 500
        assert clean <= set(lived[dataset]), dataset
    # Rows that were late for the history come live after it, and none comes in both.
    # (The bus gives every other row in its history, so it is compared by its own clock below.)
    later = rows(live(city, NOW, NOW + 2 * HOUR))
    for dataset in (BICYCLE_AIR, BUS):
        assert not {row[:2] for row in past[dataset]} & {row[:2] for row in later[dataset]}
    assert any(row[1] <= NOW for row in later[BICYCLE_AIR])
    assert set(past[BUS]) <= set(lived[BUS])


def test_batches_are_small_of_one_dataset_and_in_time_order(city: City) -> None:
    last: dict[str, int] = defaultdict(int)
    for batch in history(city, NOW - 3 * DAY, NOW):
        assert 0 < len(batch) <= 2000
        assert batch.phenomenon_time == sorted(batch.phenomenon_time)
        assert batch.phenomenon_time[0] >= last[batch.dataset]
        assert batch.phenomenon_time[0] > NOW - 3 * DAY
        last[batch.dataset] = batch.phenomenon_time[-1]
    assert max(last.values()) <= NOW


def test_eight_weeks_have_the_promised_size(city: City) -> None:
    counts = Counter[str]()
    for batch in history(city, NOW - 56 * DAY, NOW):
        counts[batch.dataset] += len(batch)
    assert 150_000 < counts.total() < 250_000
    assert 47_000 < counts[GARAGES] < 49_000


def test_every_row_belongs_to_a_known_datastream(city: City) -> None:
    for batch in [*history(city, NOW - DAY, NOW), *live(city, NOW, NOW + HOUR)]:
        known = {feature.id for feature in city.features[batch.dataset] if feature.kind == "datastream"}
        assert set(batch.datastream) <= known


def test_only_the_bicycles_name_a_subject_and_it_is_the_rider(city: City) -> None:
    riders = {name: rider.person for rider in city.riders for name in rider.datastreams()}
    seen = set()
    for batch in history(city, NOW - 3 * DAY, NOW):
        if batch.dataset == BICYCLE_AIR:
            assert batch.subject == [riders[name] for name in batch.datastream]
            seen.update(batch.subject)
        else:
            assert batch.subject is None
    assert len(seen) > 30
    assert riders["bicycle-air.bicycle-1.pm2_5"] == "urn:dmi:person:noor"


def test_features_of_bicycles_do_not_tell_who_rides_or_lives_where(city: City) -> None:
    text = encode(city.features[BICYCLE_AIR]).decode()
    assert not any(rider.person.rsplit(":", 1)[1] in text for rider in city.riders)
    assert all(feature.geometry is None for feature in city.features[BICYCLE_AIR])


def bounds(features: list[Feature]) -> dict[str, tuple[float, float]]:
    return {
        feature.id: (feature.properties["minimum"], feature.properties["maximum"])
        for feature in features
        if feature.kind == "datastream"
    }


@pytest.mark.parametrize("dataset", [GARAGES, CROWD, BICYCLE_AIR, BUS])
def test_the_faults_in_the_rows_are_those_that_are_expected(city: City, dataset: str) -> None:
    start = NOW - 28 * DAY
    expected = expected_faults(city, dataset, start, NOW)
    keys: Counter[tuple[str, int]] = Counter()
    whole: Counter[Row] = Counter()
    impossible = missing = misplaced = 0
    allowed = bounds(city.features[dataset])
    for batch in history(city, start, NOW):
        if batch.dataset != dataset:
            continue
        for row in zip(*(column for _, column in batch.columns()), strict=True):
            key = (row[0], row[1])
            keys[key] += 1
            whole[row] += 1
            if keys[key] > 1:
                continue
            low, high = allowed[row[0]]
            missing += row[2] is None
            impossible += row[2] is not None and not low <= row[2] <= high
            misplaced += batch.longitude is not None and row[3:5] == (0.0, 0.0)
    assert expected["missing"] == missing > 0
    assert expected["impossible"] == impossible > 0
    assert expected.get("misplaced", 0) == misplaced
    assert expected["repeated"] == sum(count - 1 for count in whole.values()) > 0
    assert expected["contradicted"] == len(whole) - len(keys)
    assert (misplaced > 0) == (dataset in (BICYCLE_AIR, BUS))


def test_a_sensor_is_stuck_for_hours_and_another_is_silent_for_one(city: City) -> None:
    expected = expected_faults(city, GARAGES, NOW - 56 * DAY, NOW)
    assert expected["stuck"] >= 8
    assert expected["silent"] >= 4
    assert expected["silent"] % 4 == 0  # four quarters in each silent hour


def test_late_rows_come_within_two_hours_behind_newer_ones(city: City) -> None:
    newest = late = total = 0
    for batch in live(city, NOW, NOW + 12 * HOUR):
        if batch.dataset == GARAGES:
            for time in batch.phenomenon_time:
                late += time < newest
                assert time > newest - faulty.LATEST
                newest = max(newest, time)
            total += len(batch)
    assert total > 5000
    assert 0.001 < late / total < 0.01


def test_every_fault_is_described_and_has_its_chance() -> None:
    assert len({fault.name for fault in faulty.FAULTS}) == len(faulty.FAULTS) == 8
    assert all(fault.about and 0 < fault.chance < 0.05 for fault in faulty.FAULTS)
