"""The real files: counts that were found without this code, and again by independent means here."""

from __future__ import annotations

import csv
import json
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from statistics import median
from typing import Any

import pytest

from dmi_agreements.contracts.features import Feature, FeatureBatch
from dmi_ingest.sources import SOURCES
from dmi_ingest.sources.batching import DerivedBatch, batches
from dmi_ingest.sources.port import Derived, Item, Rejected, Row

pytestmark = pytest.mark.realdata

CYCLES = "air-quality/snuffelfiets_utrecht_2024-11-11.csv"
FLOW = "crowd/sail2025_flow_3min_20-22aug.csv"
SIDES = (
    "crowd/amsterdam_crowd_sensors.csv",
    "crowd/sensor_capacity_los.csv",
    "crowd/sail2025_sensor_locations.csv",
)
BIRMINGHAM = "parking/birmingham_2016-10-04_12-12.csv"


def read(kind: str, folder: Path, *names: str) -> list[Item]:
    return list(SOURCES[kind].read([folder / name for name in names], "test"))


def rows(items: Sequence[Item]) -> list[Row]:
    return [item for item in items if isinstance(item, Row)]


def features(items: Sequence[Item]) -> list[Feature]:
    return [item for item in items if isinstance(item, Feature)]


def reasons(items: Sequence[Item]) -> Counter[str]:
    return Counter(item.reason for item in items if isinstance(item, Rejected))


def units(items: Sequence[Item]) -> int:
    return sum(not isinstance(item, Derived) for item in items)


def cells(path: Path) -> list[dict[str, str]]:
    with path.open(newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


def test_snuffelfiets_reads_seven_values_of_each_of_5704_readings(real_data: Path) -> None:
    items = read("snuffelfiets", real_data, CYCLES)
    raw = cells(real_data / CYCLES)
    unready = [row for row in raw if row["error_code"] in ("2048", "2080")]
    assert (len(raw), len(unready)) == (5704, 231)
    assert units(items) == 7 * 5704 == 39_928
    assert reasons(items) == {"sensor_error": 3 * 231}
    assert len(rows(items)) == 39_235
    assert len({row.subject for row in rows(items)}) == 10


def test_snuffelfiets_keeps_512_readings_without_their_position(real_data: Path) -> None:
    raw = cells(real_data / CYCLES)
    assert sum(row["error_code"] in ("32", "2080") for row in raw) == 512
    assert sum(float(row["latitude"]) == 0 for row in raw) == 218
    found = [
        row for row in rows(read("snuffelfiets", real_data, CYCLES)) if row.observed_property == "voltage"
    ]
    assert sum(row.longitude is None for row in found) == 512
    assert all(5.0 < row.longitude < 5.2 for row in found if row.longitude is not None)


def test_snuffelfiets_values_are_plausible_whatever_the_firmware(real_data: Path) -> None:
    found: dict[str, list[float]] = {}
    for row in rows(read("snuffelfiets", real_data, CYCLES)):
        found.setdefault(row.observed_property, []).append(row.result or 0.0)
    assert (min(found["temperature"]), max(found["temperature"])) == (11.2, 23.9)
    assert (min(found["voltage"]), max(found["voltage"])) == (3.91, 4.2)
    assert max(found["pm2_5"]) < 100
    assert 5 < median(found["pm2_5"]) < 15


def test_sail_crowd_reads_73_columns_of_1440_rows_and_175_sensors(real_data: Path) -> None:
    items = read("sail-crowd", real_data, *SIDES, FLOW)
    text = (real_data / FLOW).read_text(encoding="utf-8-sig").splitlines()
    filled = sum(bool(cell.strip()) for line in text[1:] for cell in line.split(";")[2:-6])
    assert filled == 73 * 1440 == 105_120
    assert len(rows(items)) == 105_120
    assert len(features(items)) == 175
    assert reasons(items) == {}
    assert sum(row.result or 0 for row in rows(items)) == sum(
        int(cell) for line in text[1:] for cell in line.split(";")[2:-6]
    )


def test_sail_crowd_has_36_sensors_of_two_directions_and_one_of_one(real_data: Path) -> None:
    told = [
        item.feature for item in read("sail-crowd", real_data, FLOW, *SIDES[1:]) if isinstance(item, Derived)
    ]
    streams = [one for one in told if one.kind == "datastream"]
    assert Counter(one.properties["direction"] for one in streams) == {"1": 36, "2": 36, "both": 1}
    assert {one.properties["interval_s"] for one in streams} == {180}
    unplaced = [one.properties["sensor"] for one in told if one.kind == "thing" and one.geometry is None]
    assert unplaced == ["GASA-06-B"]


def test_the_first_row_of_sail_crowd_begins_at_midnight_in_amsterdam(real_data: Path) -> None:
    first = rows(read("sail-crowd", real_data, FLOW))[0]
    assert (first.thing, first.result, first.phenomenon_time) == ("cmsa-gakh-01", 4.0, 1_755_640_800_000_000)


def test_birmingham_passes_on_all_32292_lines_with_their_faults(real_data: Path) -> None:
    items = read("birmingham-parking", real_data, BIRMINGHAM)
    raw = cells(real_data / BIRMINGHAM)
    assert len(raw) == len(rows(items)) == units(items) == 32_292
    assert len({row["SystemCodeNumber"] for row in raw}) == len({row.thing for row in rows(items)}) == 29
    assert sum((row.result or 0) < 0 for row in rows(items)) == 12
    keys = Counter((row.thing, row.phenomenon_time) for row in rows(items))
    assert sum(count - 1 for count in keys.values()) == 216
    assert sum(float(row["Occupancy"]) > float(row["Capacity"]) for row in raw) == 300


def test_amsterdam_garages_gives_199_units_of_which_58_rejected(real_data: Path) -> None:
    name = "parking/amsterdam_garages_2023-02-23.json"
    items = read("amsterdam-garages", real_data, name)
    about = [one["properties"] for one in json.loads((real_data / name).read_text())["features"]]
    sound = [one for one in about if one["State"] == "ok"]
    short = sum(int(one["ShortCapacity"]) > 0 for one in sound)
    long = [one for one in sound if one["FreeSpaceLong"]]
    spacious = sum(int(one["LongCapacity"]) > 0 for one in long)
    assert (len(about), len(sound), short, len(long), spacious) == (66, 45, 43, 29, 24)
    assert len(rows(items)) == 45 + 43 + 29 + 24 == 141
    assert reasons(items) == {"source_error": 42, "missing_value": 16}
    assert units(items) == 199
    assert min(row.result or 0 for row in rows(items)) == -13.0


def test_rdw_parking_gives_783_facilities_of_which_193_without_capacity(real_data: Path) -> None:
    found = read(
        "rdw-parking", real_data, "parking/rdw_realtime_index.json", "parking/rdw_parking_nl.geojson"
    )
    assert len(features(found)) == units(found) == len({one.id for one in features(found)}) == 783
    assert sum("capacity" not in one.properties for one in features(found)) == 193
    assert sum("usage_type" not in one.properties for one in features(found)) == 143
    assert sum("registrations" in one.properties for one in features(found)) == 88 + 91


def test_amsterdam_buurten_gives_518_versions_with_their_validity(real_data: Path) -> None:
    found = features(read("amsterdam-buurten", real_data, "boundaries/amsterdam_buurten.geojson"))
    assert len(found) == len({one.id for one in found}) == 518
    assert Counter(one.valid_from for one in found) == {1_648_076_400_000_000: 514, 1_698_184_800_000_000: 4}


@pytest.mark.parametrize(
    ("name", "surfaces", "lost", "bow_ties"),
    [("buurten_2014", 11_691, 1277, 4), ("wijken_2014", 2738, 42, 0), ("gemeenten_2015", 484, 2, 0)],
)
def test_cbs_areas_are_features_but_for_those_that_collapsed(
    real_data: Path, name: str, surfaces: int, lost: int, bow_ties: int
) -> None:
    path = f"boundaries/cbs_{name}.topojson"
    items = read("cbs-buurten", real_data, path)
    topology = json.loads((real_data / path).read_text())
    collapsed = sum(_collapsed(one, topology["arcs"]) for one in topology["objects"]["layer"]["geometries"])
    assert collapsed == lost + bow_ties  # of a bow tie the two halves cancel, yet each is a surface
    assert reasons(items) == {"bad_geometry": lost}
    assert units(items) == surfaces
    assert len({one.id for one in features(items)}) == len(features(items)) == surfaces - lost


def test_cbs_municipalities_have_90_waters_beside_their_land(real_data: Path) -> None:
    found = features(read("cbs-buurten", real_data, "boundaries/cbs_gemeenten_2015.topojson"))
    waters = [one for one in found if one.properties["water"]]
    assert len(waters) == 90 - 2
    assert all(one.properties["aantal_inwoners"] is None for one in waters)
    (almere,) = [one for one in found if one.id == "GM0034"]
    assert almere.name == "Almere"
    assert almere.geometry is not None


@pytest.mark.parametrize(
    ("kind", "names"),
    [
        ("snuffelfiets", (CYCLES,)),
        ("sail-crowd", (FLOW, *SIDES)),
        ("birmingham-parking", (BIRMINGHAM,)),
        ("amsterdam-garages", ("parking/amsterdam_garages_2023-02-23.json",)),
        ("cbs-buurten", ("boundaries/cbs_wijken_2014.topojson",)),
    ],
)
def test_every_unit_reaches_exactly_one_batch(real_data: Path, kind: str, names: tuple[str, ...]) -> None:
    items = read(kind, real_data, *names)
    found = [
        len(batch.features) if isinstance(batch, FeatureBatch) else len(batch)
        for batch in batches(items, "urn:dmi:dataset:gemeente:test", "test")
        if not isinstance(batch, DerivedBatch)
    ]
    assert sum(found) == units(items)
    assert max(found) <= 1000


def test_a_second_reading_of_a_file_gives_the_same_items(real_data: Path) -> None:
    for kind, name in (("rdw-parking", "parking/rdw_parking_nl.geojson"), ("snuffelfiets", CYCLES)):
        assert read(kind, real_data, name) == read(kind, real_data, name)


def _collapsed(member: dict[str, Any], arcs: list[list[list[int]]]) -> bool:
    """Whether the outer rings of the member have a signed area of 0, in whole steps of the grid (shoelace formula)."""
    polygons = [member["arcs"]] if member["type"] == "Polygon" else member["arcs"]
    return all(_doubled_area(polygon[0], arcs) == 0 for polygon in polygons)


def _doubled_area(ring: list[int], arcs: list[list[list[int]]]) -> int:
    total = 0
    points: list[tuple[int, int]] = []
    for index in ring:
        x = y = 0
        arc = []
        for dx, dy in arcs[index if index >= 0 else ~index]:
            x, y = x + dx, y + dy
            arc.append((x, y))
        points += arc if index >= 0 else arc[::-1]
    for (ax, ay), (bx, by) in zip(points, points[1:] + points[:1], strict=True):
        total += ax * by - bx * ay
    return total
