"""OGC 18-088 §10.2.1: features of interest of observations, and whose places are not kept."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from dmi_ingest.store import EntityStore
from tests.unit.ingest.fakes import BICYCLES, GARAGES, GEMEENTE, VENDOR, Node, datastream, running, thing

NOOR = "urn:dmi:person:noor"
NOON = "2026-11-21T12:00:00Z"
GARAGE = "garages.centrum.occupancy"
BICYCLE = "fiets-1.pm2_5"
HERE = {
    "@iot.id": "hier", "name": "hier", "description": "", "encodingType": "application/geo+json",
    "feature": {"type": "Point", "coordinates": [5.2345678, 52.2]},
}  # fmt: skip


@pytest.fixture
def city(tmp_path: Path) -> Iterator[Node]:
    """A garage of the city, and a bicycle of Noor that a vendor described."""
    with running(tmp_path) as node:
        node.gate.allowed[BICYCLES].add(VENDOR)
        node.post("/v1.1/Things", {**thing(), "Locations": []})
        bicycle = {
            **thing(dataset=BICYCLES, subject=NOOR), "@iot.id": "fiets-1", "Locations": [],
            "Datastreams": [{**datastream(), "Sensor": {"@iot.id": "lus"}, "@iot.id": BICYCLE}],
        }  # fmt: skip
        node.post("/v1.1/Things", bicycle)
        node.gate.asked.clear()
        yield node


def observed(node: Node, stream: str, who: str = GEMEENTE, **change: Any) -> int:
    body = {
        "phenomenonTime": NOON, "result": 1, "Datastream": {"@iot.id": stream}, "FeatureOfInterest": HERE, **change
    }  # fmt: skip
    return int(node.call("POST", "/v1.1/Observations", body, who).status_code)


def kept(node: Node) -> list[str]:
    found = [node.get("/v1.1/FeaturesOfInterest", who)["value"] for who in (GEMEENTE, VENDOR)]
    return sorted({one["@iot.id"] for part in found for one in part})


def test_where_a_person_was_is_kept_in_the_row_alone(city: Node) -> None:
    for who in (VENDOR, GEMEENTE):
        assert observed(city, BICYCLE, who) == 403, "nobody consented"
    assert (kept(city), city.bus.batches()) == ([], [])
    city.gate.consenting.add(NOOR)
    for who in (VENDOR, GEMEENTE):
        assert observed(city, BICYCLE, who) == 201
    assert [batch.longitude for batch in city.bus.batches()] == [[5.2345678], [5.2345678]]
    assert kept(city) == []


def test_a_place_is_kept_once_its_observation_was_taken_and_not_before(city: Node) -> None:
    assert observed(city, GARAGE, VENDOR) == 403
    city.bus.away = True
    assert observed(city, GARAGE) == 503
    assert observed(city, GARAGE, phenomenonTime="nooit") == 400
    assert kept(city) == []
    city.bus.away = False
    assert observed(city, GARAGE) == 201
    assert kept(city) == ["hier"]
    assert observed(city, GARAGE, FeatureOfInterest={"@iot.id": "hier"}) == 201
    assert [batch.longitude for batch in city.bus.batches()] == [[5.2345678], [5.2345678]]


def test_an_observation_with_a_new_place_is_one_use(city: Node) -> None:
    assert observed(city, GARAGE) == 201
    assert [(asked[2], asked[-1]) for asked in city.gate.asked] == [(GARAGES, 1)]


def array(stream: str, names: list[str]) -> dict[str, Any]:
    rows = [[at, name] for at, name in enumerate(names)]
    return {
        "Datastream": {"@iot.id": stream}, "components": ["result", "FeatureOfInterest/id"], "dataArray": rows
    }  # fmt: skip


@pytest.fixture
def looked_up(monkeypatch: pytest.MonkeyPatch) -> list[list[str]]:
    """The names for which the store was asked, by question."""
    asked: list[list[str]] = []
    whole = EntityStore.all_seen

    def seen(store: EntityStore, kind: str, ids: Any, scope: Any) -> Any:
        if ids:
            asked.append(sorted(ids))
        return whole(store, kind, ids, scope)

    monkeypatch.setattr(EntityStore, "all_seen", seen)
    return asked


def test_the_places_of_all_rows_are_looked_up_at_once(city: Node, looked_up: list[list[str]]) -> None:
    observed(city, GARAGE)
    names = [f"daar-{number}" for number in range(2000)]
    groups = [array(GARAGE, ["hier", *names]), array(GARAGE, ["hier", "een plek"])]
    answer = city.call("POST", "/v1.1/CreateObservations", groups)
    assert [link == "error" for link in answer.json()] == [False, *[True] * 2000, False, True]
    assert looked_up == [sorted(["hier", *names])]
    assert '"field":"FeatureOfInterest.@iot.id"' in answer.headers["dmi-rejected"]


def test_no_place_is_looked_up_for_who_may_not_hand_in_nor_for_what_is_unknown(
    city: Node, looked_up: list[list[str]]
) -> None:
    assert (
        city.refused("/v1.1/CreateObservations", [array(GARAGE, ["hier"])], 403, who=VENDOR)["status"] == 403
    )
    assert city.gate.asked[-1][2] == GARAGES, "the refusal is recorded"
    assert city.refused("/v1.1/CreateObservations", [array("onbekend", ["hier"])])["field"].startswith(
        "0.Data"
    )
    assert looked_up == []
    # What the caller may hand in is taken all the same.
    city.gate.consenting.add(NOOR)
    both = [array(GARAGE, ["hier"]), {**array(BICYCLE, []), "components": ["result"], "dataArray": [[1]]}]
    answer = city.call("POST", "/v1.1/CreateObservations", both, VENDOR)
    assert [link == "error" for link in answer.json()] == [True, False]
    assert "refused: " in answer.headers["dmi-rejected"]
