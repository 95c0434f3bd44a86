"""Where things of persons are is judged as rows are: by consent and its duties, and kept for a term."""

from __future__ import annotations

import json
import sqlite3
import time
from pathlib import Path
from typing import Any

import msgspec
import pytest

from dmi_agreements.contracts.observations import ObservationBatch
from dmi_infra.gate import Passed, Permit
from dmi_ingest.whereabouts import PLACE_RULE
from tests.unit.infra.fakes import eventually
from tests.unit.ingest.fakes import BICYCLES, GARAGES, GEMEENTE, POINT, Node, location, running, thing
from tests.unit.ingest.sources.test_documents import collection, facility, garage
from tests.unit.ingest.test_erasing import MINE, row
from tests.unit.ingest.test_erasing import hand_in as imported
from tests.unit.ingest.test_makers import NOOR, SAM, bicycle, hand_in, shared
from tests.unit.ingest.test_persons_of_things import change, described

__all__ = ["shared"]

AREA = {"type": "Polygon", "coordinates": [[[5.1, 52.1], [5.12, 52.1], [5.12, 52.12], [5.1, 52.1]]]}


@pytest.fixture
def coarse(shared: Node) -> Node:
    """Noor wants positions coarsened to a tenth of a degree."""

    def carry(permit: Permit, batch: ObservationBatch) -> Passed:
        places = {
            name: [None if value is None else round(value, 1) for value in getattr(batch, name) or ()] or None
            for name in ("longitude", "latitude")
        }
        return Passed(msgspec.structs.replace(batch, **places), frozenset())

    shared.gate.carry = carry  # type: ignore[method-assign]
    return shared


def at(longitude: float) -> dict[str, Any]:
    return {**location(), "location": {"type": "Point", "coordinates": [longitude, 52.1]}}


def placed(node: Node, *locations: Any, person: str = NOOR) -> Any:
    body = {
        **thing(dataset=BICYCLES, subject=person),
        "@iot.id": "fiets",
        "Locations": list(locations),
        "Datastreams": [],
    }
    return node.call("POST", "/v1.1/Things", body)


def where(node: Node) -> list[Any]:
    return [one["location"]["coordinates"][0] for one in node.get("/v1.1/Things('fiets')/Locations")["value"]]


def test_without_consent_a_place_is_refused_at_each_door_and_kept_nowhere(shared: Node) -> None:
    shared.gate.consenting.clear()
    assert placed(shared, at(5.17)).json()["type"] == "urn:dmi:problem:no-consent"
    assert placed(shared).status_code == 201
    inside = shared.call("POST", "/v1.1/Things('fiets')/Locations", at(5.17))
    past = {"time": "2026-11-21T12:00:00Z", "Locations": [at(5.17)]}
    before = shared.call("POST", "/v1.1/Things('fiets')/HistoricalLocations", past)
    made = shared.post("/v1.1/Locations", {**at(5.17), "@iot.id": "daar"})
    named = shared.call("PATCH", "/v1.1/Things('fiets')", {"Locations": [{"@iot.id": made["@iot.id"]}]})
    assert [answer.status_code for answer in (inside, before, named)] == [403] * 3
    told = hand_in(shared, GEMEENTE, bicycle("tweede", NOOR)[0])
    assert (told["errors"][0]["field"], told["errors"][0]["rule"]) == ("0.geometry", PLACE_RULE)
    shared.post(
        "/v1.1/Things", {**thing(dataset=BICYCLES), "@iot.id": "paal", "Locations": [{"@iot.id": "daar"}]}
    )
    (stood,) = shared.get("/v1.1/Things('paal')/HistoricalLocations")["value"]
    history = f"/v1.1/HistoricalLocations('{stood['@iot.id']}')"
    assert shared.call("PATCH", history, {"Thing": {"@iot.id": "fiets"}}).status_code == 403
    shared.call("DELETE", "/v1.1/Locations('daar')")
    shared.call("DELETE", "/v1.1/FeaturesOfInterest('daar')")
    with sqlite3.connect(shared.settings.data_dir / "ingest.db") as connection:
        assert connection.execute("SELECT count(*) FROM entity WHERE body LIKE '%5.17%'").fetchone() == (0,)
    connection.close()
    assert shared.bus.features()["fiets"].geometry is None
    assert "tweede" not in shared.bus.features()


def test_a_place_is_stored_and_told_as_coarse_as_the_person_wants(coarse: Node) -> None:
    answer = placed(coarse, at(5.17), {**at(5.27), "name": "Anders"})
    assert answer.status_code == 201
    assert where(coarse) == [5.2, 5.3]
    interests = coarse.get("/v1.1/FeaturesOfInterest")["value"]
    assert [one["feature"]["coordinates"][0] for one in interests] == [5.2]
    assert coarse.bus.features()["fiets"].geometry == {"type": "Point", "coordinates": [5.2, 52.1]}
    made = coarse.post("/v1.1/Things('fiets')/Locations", at(5.37))
    assert made["location"]["coordinates"] == [5.4, 52.1]
    moved = {"location": {"type": "Point", "coordinates": [5.47, 52.1]}}
    name = coarse.get("/v1.1/Things('fiets')/Locations")["value"][0]["@iot.id"]
    shown = coarse.call("PATCH", f"/v1.1/Locations('{name}')", moved).json()
    assert (shown["location"]["coordinates"], where(coarse)) == ([5.5, 52.1], [5.5])
    feature = {
        "type": "Feature",
        "geometry": {"type": "Point", "coordinates": [5.57, 52.1]},
        "properties": {},
    }
    inside = coarse.post("/v1.1/Things('fiets')/Locations", {**at(0), "location": feature})
    assert inside["location"]["geometry"]["coordinates"] == [5.6, 52.1]
    past = {"time": "2026-11-21T12:00:00Z", "Locations": [at(5.67)]}
    coarse.post("/v1.1/Things('fiets')/HistoricalLocations", past)
    assert "5.7" in str(coarse.get("/v1.1/Locations")), "where it was as well as where it is"
    assert "5.67" not in str(coarse.get("/v1.1/Locations"))
    assert (
        hand_in(coarse, GEMEENTE, {**bicycle("tweede", NOOR)[0], "geometry": at(5.17)["location"]})[
            "accepted"
        ]
        == 1
    )
    assert coarse.bus.features()["tweede"].geometry == {"type": "Point", "coordinates": [5.2, 52.1]}


def test_what_cannot_be_coarsened_and_what_is_finer_already_is_refused(coarse: Node) -> None:
    assert placed(coarse, {**location(), "location": AREA}).status_code == 403
    fine = coarse.post("/v1.1/Locations", {**at(5.17), "@iot.id": "fijn"})
    assert placed(coarse, {"@iot.id": fine["@iot.id"]}).status_code == 403
    coarse.post("/v1.1/Locations", {**at(5.2), "@iot.id": "grof"})
    assert placed(coarse, {"@iot.id": "grof"}).status_code == 201


def test_a_thing_that_becomes_about_who_does_not_consent_stands_nowhere(shared: Node) -> None:
    described(shared)
    assert where(shared) == [POINT["coordinates"][0]]
    shared.gate.consenting.discard(SAM)
    assert change(shared, subject=SAM) == 200
    assert where(shared) == []
    assert shared.bus.features()["fiets"].geometry is None
    assert shared.call("PATCH", "/v1.1/Things('fiets')", {"description": "rood"}).status_code == 200


def test_a_place_that_stays_is_not_asked_for_again(shared: Node) -> None:
    described(shared)
    shared.gate.consenting.clear()
    assert shared.call("PATCH", "/v1.1/Things('fiets')", {"description": "rood"}).status_code == 200
    assert change(shared, subject=NOOR, kleur="rood") == 200
    assert where(shared) == [POINT["coordinates"][0]]


def test_where_a_persons_thing_was_has_the_term_of_the_layer(tmp_path: Path) -> None:
    with running(tmp_path, retention_seconds=0.05) as node:
        node.gate.consenting.add(NOOR)
        assert placed(node, at(5.17)).status_code == 201
        node.post("/v1.1/Things('fiets')/Locations", at(5.18))
        old = {"time": "2020-01-01T00:00:00Z", "Locations": [at(5.19)]}
        node.post("/v1.1/Things('fiets')/HistoricalLocations", old)
        node.post("/v1.1/Things", {**thing(dataset=BICYCLES), "@iot.id": "paal", "Datastreams": []})
        node.post("/v1.1/Things('paal')/HistoricalLocations", {**old, "Locations": [at(5.2)]})
        time.sleep(0.2)  # some rounds, without a term
        assert node.get("/v1.1/HistoricalLocations?$count=true")["@iot.count"] == 5
        law = node.feed.table
        law.days_kept = lambda *_: 30  # type: ignore[method-assign]
        eventually(lambda: node.get("/v1.1/HistoricalLocations?$count=true")["@iot.count"] == 4)
        left = {one["location"]["coordinates"][0] for one in node.get("/v1.1/Locations")["value"]}
        assert left == {5.17, 5.18, 5.1, 5.2}, "of nobody's things all stays"


def test_rows_leave_ingest_as_coarse_as_their_person_wants_by_each_door(coarse: Node) -> None:
    hand_in(coarse, GEMEENTE, *bicycle(person=NOOR))
    batch = {
        "dataset": BICYCLES, "datastream": ["fiets.pm2_5"], "phenomenon_time": ["2026-11-21T12:00:00Z"],
        "result": [1], "subject": [NOOR], "longitude": [5.17], "latitude": [52.13],
    }  # fmt: skip
    assert coarse.post("/v1/batches", batch)["accepted"] == 1
    imported(coarse, row(1, MINE, "100"))
    left = [set(zip(one.longitude or (), one.latitude or (), strict=True)) for one in coarse.bus.batches()]
    assert len(left) > 1, "one by each door"
    assert set().union(*left) == {(5.2, 52.1), (5.1, 52.1)}


@pytest.mark.parametrize(("kind", "content"), [("amsterdam-garages", garage()), ("rdw-parking", facility())])
def test_a_file_does_not_tell_a_place_that_its_person_does_not_give(
    shared: Node, kind: str, content: Any
) -> None:
    files = {"file": ("file.json", json.dumps(collection(content)).encode(), "application/json")}
    path = f"/v1/imports?kind={kind}&dataset={GARAGES}"
    assert shared.call("POST", path, files=files).json()["accepted"] > 0
    (place,) = [item for item in shared.bus.features().values() if item.kind != "datastream"]
    assert place.geometry is not None
    about = {"id": place.id, "kind": place.kind, "name": place.name, "properties": {"subject": NOOR}}
    shared.gate.consenting.clear()
    shared.post("/v1/features", {"dataset": GARAGES, "features": [about]})
    report = shared.call("POST", path, files=files).json()
    assert report["state"] == "done"
    assert {one["reason"]: one["count"] for one in report["reasons"]} == {"no_consent": report["rejected"]}
    assert report["rejected"] == report["read"]
    assert shared.bus.features()[place.id].geometry is None
