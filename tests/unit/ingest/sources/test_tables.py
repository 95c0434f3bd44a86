"""The table sources on small cases: snuffelfiets, sail-crowd and birmingham-parking."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import pytest

from dmi_agreements.contracts.features import Feature
from dmi_ingest.sources import SOURCES
from dmi_ingest.sources.port import Derived, Item, Rejected, Row, SourceError

PREFIX = "test"
READING = {
    "": "0", "_id": "1", "entity_id": "352753098853250", "recording_timestamp": "2024-11-11T08:48:51",
    "receive_timestamp": "2024-11-11T08:53:42", "acc_max": "0", "error_code": "0",
    "horizontal_accuracy": "65031", "humidity": "70", "latitude": "52.0981923", "longitude": "5.1257414",
    "no2": "0", "pm10": "43", "pm1_0": "12", "pm2_5": "26", "pressure": "1011", "temperature": "185",
    "version_major": "2", "version_minor": "3", "vertical_accuracy": "71361", "voc": "4", "voltage": "113",
}  # fmt: skip
SAIL = "﻿timestamp;Time;A-1;B;B;hour\n"
WHEN = "20/08/2025;00:00:00+02:00"
LATER = "20/08/2025;00:03:00+02:00"


def read(kind: str, folder: Path, *contents: str) -> list[Item]:
    paths = []
    for index, content in enumerate(contents):
        path = folder / f"{index}.csv"
        path.write_text(content, encoding="utf-8")
        paths.append(path)
    return list(SOURCES[kind].read(paths, PREFIX))


def ride(folder: Path, *changes: dict[str, str]) -> list[Item]:
    rows = [READING | change for change in changes]
    text = "\n".join([",".join(READING), *(",".join(row.values()) for row in rows)])
    return read("snuffelfiets", folder, text + "\n")


def rows(items: Sequence[Item]) -> list[Row]:
    return [item for item in items if isinstance(item, Row)]


def rejected(items: Sequence[Item]) -> list[Rejected]:
    return [item for item in items if isinstance(item, Rejected)]


def features(items: Sequence[Item]) -> dict[str, Feature]:
    return {item.feature.id: item.feature for item in items if isinstance(item, Derived)}


def results(items: Sequence[Item]) -> dict[str, float | None]:
    return {row.observed_property: row.result for row in rows(items)}


def test_a_reading_of_firmware_2_is_in_hundredths_tenths_and_hundredths_above_3_volts(tmp_path: Path) -> None:
    assert results(ride(tmp_path, {})) == {
        "pm1_0": 0.12, "pm2_5": 0.26, "pm10": 0.43, "temperature": 18.5, "relative_humidity": 70.0,
        "pressure": 1011.0, "voltage": 4.13,
    }  # fmt: skip


def test_particulate_matter_of_firmware_1_is_whole_and_of_an_unknown_one_is_refused(tmp_path: Path) -> None:
    assert results(ride(tmp_path, {"version_major": "1"}))["pm10"] == 43.0
    refused = rejected(ride(tmp_path, {"version_major": "7"}))
    assert {(item.reason, item.at) for item in refused} == {
        ("unknown_firmware", "pm1_0"), ("unknown_firmware", "pm2_5"), ("unknown_firmware", "pm10"),
    }  # fmt: skip


@pytest.mark.parametrize(
    ("change", "degrees"),
    [
        ({"temperature": "18.5"}, 18.5),
        ({"temperature": "-12"}, -1.2),
        ({"temperature": "185", "version_major": "9"}, 18.5),
        ({"temperature": "18.5", "version_major": "9"}, 18.5),
    ],
)
def test_tenths_of_a_degree_are_told_by_firmware_and_plausibility(
    tmp_path: Path, change: dict[str, str], degrees: float
) -> None:
    assert results(ride(tmp_path, change))["temperature"] == degrees


def test_a_temperature_that_could_be_either_is_refused(tmp_path: Path) -> None:
    found = rejected(ride(tmp_path, {"temperature": "18", "version_major": "9"}))
    assert ("ambiguous_unit", "temperature") in {(item.reason, item.at) for item in found}


@pytest.mark.parametrize(
    "change",
    [
        {"latitude": "0.0", "longitude": "0.0", "horizontal_accuracy": "0"},
        {"error_code": "32"},
        {"error_code": "16"},
        {"horizontal_accuracy": "0"},
        {"horizontal_accuracy": "100000"},
        {"horizontal_accuracy": "-5"},
        {"latitude": ""},
    ],
)
def test_a_reading_without_a_usable_fix_is_kept_without_its_position(
    tmp_path: Path, change: dict[str, str]
) -> None:
    found = rows(ride(tmp_path, change))
    assert len(found) == 7
    assert {(row.longitude, row.latitude) for row in found} == {(None, None)}


@pytest.mark.parametrize(
    ("change", "reason", "field"),
    [
        ({"latitude": "5.1257414", "longitude": "52.0981923"}, "swapped_axes", "latitude"),
        ({"latitude": "0.0"}, "outside_netherlands", "latitude"),
        ({"latitude": "north"}, "not_a_number", "latitude"),
        ({"error_code": "8192"}, "unknown_error_code", "error_code"),
        ({"error_code": "-1"}, "unknown_error_code", "error_code"),
        ({"error_code": "1.5"}, "not_a_number", "error_code"),
        ({"entity_id": "someone"}, "bad_entity", "entity_id"),
        ({"recording_timestamp": "2024-10-27T02:30:00"}, "ambiguous_time", "recording_timestamp"),
    ],
)
def test_a_fault_of_the_whole_reading_rejects_each_of_its_values(
    tmp_path: Path, change: dict[str, str], reason: str, field: str
) -> None:
    items = ride(tmp_path, change)
    assert rows(items) == []
    assert [(item.reason, item.field, item.line) for item in rejected(items)] == [(reason, field, 2)] * 7
    assert len({item.at for item in rejected(items)}) == 7


@pytest.mark.parametrize(
    ("code", "lost"),
    [
        ("2048", {"pm1_0", "pm2_5", "pm10"}),
        ("2080", {"pm1_0", "pm2_5", "pm10"}),
        ("8", {"temperature", "humidity", "pressure"}),
        ("129", set()),
    ],
)
def test_an_error_of_one_sensor_rejects_its_values_alone(tmp_path: Path, code: str, lost: set[str]) -> None:
    items = ride(tmp_path, {"error_code": code})
    assert {item.at for item in rejected(items)} == lost
    assert len(rows(items)) == 7 - len(lost)


def test_every_row_carries_its_rider_and_follows_its_thing_and_datastream(tmp_path: Path) -> None:
    items = ride(tmp_path, {}, {"recording_timestamp": "2024-11-11T08:49:51"})
    assert {row.subject for row in rows(items)} == {"urn:dmi:person:snuffelfiets-352753098853250"}
    assert SOURCES["snuffelfiets"].dataset.personal
    assert len(features(items)) == 8
    assert sum(isinstance(item, Derived) for item in items) == 8
    assert isinstance(items[0], Derived)
    assert isinstance(items[1], Derived)
    assert isinstance(items[2], Row)


def test_a_corrected_value_is_taken_by_replay_and_only_that_value(tmp_path: Path) -> None:
    (refused,) = rejected(ride(tmp_path, {"humidity": "wet"}))
    source = SOURCES["snuffelfiets"]
    assert rejected(list(source.replay([refused], PREFIX))) == [refused]
    assert isinstance(refused.raw, dict)
    corrected = replace(refused, raw=refused.raw | {"humidity": "71"})
    (row,) = rows(list(source.replay([corrected], PREFIX)))
    assert (row.observed_property, row.result, row.line) == ("relative_humidity", 71.0, 2)


def test_a_row_of_another_width_is_one_rejection_and_can_be_replayed(tmp_path: Path) -> None:
    text = ",".join(READING) + "\n" + ",".join([*READING.values(), "9"]) + "\n"
    (item,) = rejected(read("snuffelfiets", tmp_path, text))
    assert (item.reason, item.at) == ("wrong_columns", None)
    assert len(rows(list(SOURCES["snuffelfiets"].replay([item], PREFIX)))) == 7


def test_two_columns_of_one_name_are_two_directions_of_one_thing(tmp_path: Path) -> None:
    items = read("sail-crowd", tmp_path, SAIL + f"{WHEN};4;5;6;0\n{LATER};7;8;9;0\n")
    assert [(row.thing, row.variant, row.result) for row in rows(items)][:3] == [
        ("a-1", "", 4.0), ("b", "1", 5.0), ("b", "2", 6.0),
    ]  # fmt: skip
    assert rows(items)[0].phenomenon_time == 1_755_640_800_000_000
    about = features(items)
    assert about["test.b.crowd_count-2"].properties["direction"] == "2"
    assert about["test.a-1.crowd_count"].properties["direction"] == "both"
    assert about["test.b.crowd_count-1"].properties["interval_s"] == 180
    assert about["test.b"].geometry is None
    assert about["test.b"].properties["note"] == "the location is not known"


def test_empty_cells_are_no_units_and_a_decimal_comma_is_read(tmp_path: Path) -> None:
    items = read("sail-crowd", tmp_path, SAIL + f"{WHEN};;1,5; ;0\n")
    assert [row.result for row in rows(items)] == [1.5]
    assert rejected(items) == []


def test_side_files_are_told_apart_by_header_in_any_order(tmp_path: Path) -> None:
    levels = ",".join(f"Q_max_pers_per_min_LOS_{level}" for level in "ABCDEF")
    capacities = f"Objectummer,Locatienaam,{levels}\nB,Brug,1,2,3,4,5.5,4\n"
    locations = (
        'Objectummer,Locatienaam,Lat/Long,Breedte,Effectieve\xa0 breedte\nB,Brug\xa0,"52.37, 4.9",3,"2,6"\n'
    )
    register = (
        "OBJECTNUMMER;Objectnummer;Soort;Voeding;Rotatie;Actief;Privacyverklaring;LNG;LAT\n"
        "1;CMSA-B;Telcamera;net;0;Ja;https://example.org/privacy;4.91;52.38\n"
        "2;A-1;WiFi sensor;net;0;Nee;;4.92;52.39\n\n"
    )
    items = read("sail-crowd", tmp_path, capacities, register, SAIL + f"{WHEN};4;5;6;0\n", locations)
    about = features(items)
    assert about["test.b"].name == "Brug"
    assert about["test.b"].geometry == {"type": "Point", "coordinates": [4.9, 52.37]}
    assert about["test.b"].properties["effective_width_m"] == 2.6
    assert about["test.b"].properties["register"][0]["privacy_statement"] == "https://example.org/privacy"
    assert about["test.b.crowd_count-1"].properties["capacity_per_minute"] == 5.5
    assert about["test.a-1"].properties["location_from"] == "register"
    entries = [item for item in items if isinstance(item, Feature)]
    assert [entry.id for entry in entries] == ["test.register-1", "test.register-2"]
    assert entries[1].properties["note"] == "no privacy statement in the register"
    assert (rows(items)[1].longitude, rows(items)[1].latitude) == (4.9, 52.37)


def test_a_swapped_location_is_rejected_and_its_sensor_stays_without_a_place(tmp_path: Path) -> None:
    locations = 'Objectummer,Locatienaam,Lat/Long\nB,Brug,"4.9, 52.37"\n'
    items = read("sail-crowd", tmp_path, locations, SAIL + f"{WHEN};4;5;6;0\n")
    assert [item.reason for item in rejected(items)] == ["swapped_axes"]
    assert features(items)["test.b"].geometry is None


LEVELS_HEADER = ",".join(f"Q_max_pers_per_min_LOS_{level}" for level in "ABCDEF")


@pytest.mark.parametrize(
    ("table", "field"),
    [
        ('Objectummer,Lat/Long,Breedte\nB,"52.37, 4.9",wide\n', "Breedte"),
        ('Objectummer,Lat/Long,Breedte\nB,"52.37, east",3\n', "Lat/Long"),
        (f"Objectummer,{LEVELS_HEADER},Lat,Long\nB,1,2,3,4,5,4,52.37,east\n", "Long"),
        (f"Objectummer,{LEVELS_HEADER},Lat,Long\nB,1,2,3,4,5,4,north,4.9\n", "Lat"),
        (f"Objectummer,{LEVELS_HEADER},Lat,Long\nB,1,2,many,4,5,4,52.37,4.9\n", "Q_max_pers_per_min_LOS_C"),
        ("OBJECTNUMMER;Objectnummer;Soort;Privacyverklaring;LNG;LAT\n1;B;x;;4.9;north\n", "LAT"),
        ("OBJECTNUMMER;Objectnummer;Soort;Privacyverklaring;LNG;LAT\n1;B;x;;east;52.37\n", "LNG"),
    ],
)
def test_a_cell_that_is_no_number_is_named_by_its_own_column(tmp_path: Path, table: str, field: str) -> None:
    (item,) = rejected(read("sail-crowd", tmp_path, table, SAIL))
    assert (item.reason, item.field, item.line) == ("not_a_number", field, 2)


@pytest.mark.parametrize("field", ["longitude", "latitude"])
def test_a_place_that_was_corrected_into_none_is_named_by_its_field(tmp_path: Path, field: str) -> None:
    (item,) = rejected(read("sail-crowd", tmp_path, SAIL + f"{WHEN};4;5;six;0\n"))
    assert isinstance(item.raw, dict)
    wrong = replace(item, raw=item.raw | {"count": "6", "longitude": "4.9", "latitude": "52.37", field: "x"})
    [again] = rejected(list(SOURCES["sail-crowd"].replay([wrong], PREFIX)))
    assert (again.reason, again.field) == ("not_a_number", field)


def test_a_corrected_count_is_replayed_with_its_direction(tmp_path: Path) -> None:
    (item,) = rejected(read("sail-crowd", tmp_path, SAIL + f"{WHEN};4;5;six;0\n"))
    assert (item.reason, item.field, item.at, item.line) == ("not_a_number", "B#2", "B#2", 2)
    assert isinstance(item.raw, dict)
    (row,) = rows(list(SOURCES["sail-crowd"].replay([replace(item, raw=item.raw | {"count": "6"})], PREFIX)))
    assert (row.thing, row.variant, row.result) == ("b", "2", 6.0)


def test_a_row_of_counts_that_was_too_long_is_replayed_whole(tmp_path: Path) -> None:
    (item,) = rejected(read("sail-crowd", tmp_path, SAIL + f"{WHEN};4;5;6;0;1\n"))
    found = rows(list(SOURCES["sail-crowd"].replay([item], PREFIX)))
    assert [(row.thing, row.variant) for row in found] == [("a-1", ""), ("b", "1"), ("b", "2")]


def test_a_date_of_another_form_rejects_each_count(tmp_path: Path) -> None:
    items = read("sail-crowd", tmp_path, SAIL + "2025-08-20;00:00:00+02:00;4;5;6;0\n")
    assert [(item.reason, item.field) for item in rejected(items)] == [("bad_time", "timestamp")] * 3


def test_locations_without_counts_are_refused(tmp_path: Path) -> None:
    with pytest.raises(SourceError, match="missing_role"):
        read("sail-crowd", tmp_path, 'Objectummer,Lat/Long\nB,"52.3, 4.9"\n')


def test_birmingham_passes_on_what_the_platform_decides(tmp_path: Path) -> None:
    header = "SystemCodeNumber,Capacity,Occupancy,LastUpdated\n"
    text = header + "Broad Street,690,-8,2016-10-04 07:59:42\nBroad Street,690,999,2016-10-04 07:59:42\n"
    items = read("birmingham-parking", tmp_path, text)
    assert [row.result for row in rows(items)] == [-8.0, 999.0]
    assert {row.phenomenon_time for row in rows(items)} == {1_475_564_382_000_000}
    assert features(items)["test.broad-street.occupancy"].properties["capacity"] == 690.0


def test_birmingham_rejects_by_field_and_replays(tmp_path: Path) -> None:
    header = "SystemCodeNumber,Capacity,Occupancy,LastUpdated\n"
    text = header + "A b,690,,2016-10-04 07:59:42\na-b,1,1,2016-10-04 07:59:42\nA b,1,1,2016-10-30 01:30:00\n"
    found = rejected(read("birmingham-parking", tmp_path, text))
    assert [(item.reason, item.field, item.line) for item in found] == [
        ("missing_value", "Occupancy", 2),
        ("name_collision", "SystemCodeNumber", 3),
        ("ambiguous_time", "LastUpdated", 4),
    ]
    assert isinstance(found[2].raw, dict)
    corrected = replace(found[2], raw=found[2].raw | {"LastUpdated": "2016-10-30T01:30:00+00:00"})
    (row,) = rows(list(SOURCES["birmingham-parking"].replay([corrected], PREFIX)))
    assert row.phenomenon_time == 1_477_791_000_000_000
