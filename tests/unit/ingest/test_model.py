"""Ids, keys and names."""

from __future__ import annotations

import pytest

from dmi_agreements.contracts.observations import ObservationBatch
from dmi_ingest import model


def test_rows_of_one_datastream_share_a_key_and_keep_their_order() -> None:
    streams = [f"s{number % 30}" for number in range(300)]
    batch = ObservationBatch("d:x", streams, list(range(300)), [None] * 300)
    parts = model.split(batch)
    assert 1 < len(parts) <= model.SHARDS
    assert sorted(row for _, part in parts for row in part.phenomenon_time) == list(range(300))
    home: dict[str, str] = {}
    for key, part in parts:
        assert part.phenomenon_time == sorted(part.phenomenon_time)
        for stream in part.datastream:
            assert home.setdefault(stream, key) == key


def test_a_datastream_has_the_same_key_alone_and_among_others() -> None:
    alone = model.split(ObservationBatch("d", ["s1"], [1], [1.0]))[0][0]
    among = model.split(ObservationBatch("d", [f"s{n}" for n in range(30)], [1] * 30, [1.0] * 30))
    assert next(key for key, part in among if "s1" in part.datastream) == alone


@pytest.mark.parametrize(
    ("unit", "code"),
    [
        ({"symbol": "°C", "definition": "http://x"}, "Cel"),
        ({"symbol": "C", "definition": "ucum:Cel"}, "Cel"),
        ({"symbol": "µg/m³", "definition": None}, "ug/m3"),
        ({"symbol": None, "definition": None}, "1"),
        ({"symbol": "hPa", "definition": ""}, "hPa"),
    ],
)
def test_units_become_ucum(unit: dict[str, object], code: str) -> None:
    assert model.unit_of(unit) == code


@pytest.mark.parametrize(
    ("name", "definition", "found"),
    [
        ("PM2.5", "https://x/def", "pm2_5"),
        ("Luchtvochtigheid", "https://x/def/relative_humidity", "relative_humidity"),
        ("Relative humidity", "https://x/def#rh", "relative_humidity"),
        ("!!", "https://x/def/", "def"),
    ],
)
def test_observed_properties_have_one_name(name: str, definition: str, found: str) -> None:
    assert model.property_slug(name, definition, {"pm2_5", "relative_humidity"}) == found


def test_slugs_hold_only_what_stands_in_ids() -> None:
    assert model.slug("Garage  Ève & Zonen") == "garage-eve-zonen"
    assert model.slug("###") == ""
    assert not model.valid_id("a/b")
    assert not model.valid_id("")
    assert model.valid_id("garages.centrum:1@x~y")


@pytest.mark.parametrize(
    ("identifier", "borrowed"),
    [
        ("gemeente:x", True),
        ("Gemeente:x", True),
        ("GEMEENTE:x", True),
        ("urn:dmi:participant:gemeente", True),
        ("urn:dmi:participant:gemeente:x", True),
        ("URN:DMI:Participant:Gemeente", True),
        ("urn:dmi:person:noor", True),
        ("urn:dmi:dataset:gemeente:garages", True),
        ("Buren:x", False),
        ("urn:dmi:participant:buren", False),
        ("urn:dmi:dataset:buren:x", False),
        ("urn:dmi:participant:nobody-yet", True),
        ("gemeente", False),
        ("gemeentehuis:x", False),
        ("urn:ngsi-ld:thing:1", False),
    ],
)
def test_an_id_in_the_name_of_another_is_borrowed_however_it_is_written(
    identifier: str, borrowed: bool
) -> None:
    known = {"urn:dmi:participant:gemeente", "urn:dmi:participant:buren", "urn:dmi:person:noor"}
    assert model.borrowed(identifier, "urn:dmi:participant:buren", known) is borrowed
