"""Values of a wrong kind anywhere in a body are refused by the place they stand at, and are never a fault of ours."""

from __future__ import annotations

from typing import Any

import pytest

from dmi_agreements.contracts.law import Heartbeat
from dmi_infra import clock
from tests.unit.ingest.fakes import GARAGES, GEMEENTE, MEASUREMENT, POINT, Node, thing
from tests.unit.mistakes import mistaken

NOON = "2026-11-21T12:00:00Z"
STREAM = "garages.centrum.occupancy"
INTEREST = {"name": "x", "description": "", "encodingType": "application/geo+json", "feature": POINT}
BODIES: dict[str, Any] = {
    "/v1.1/Things": {name: part for name, part in thing().items() if name != "Locations"},
    "/v1.1/Datastreams": {
        "name": "x", "description": "y", "observationType": MEASUREMENT, "properties": {"a": 1},
        "unitOfMeasurement": {"name": "d", "symbol": "d", "definition": "https://x.nl"},
        "observedArea": POINT, "phenomenonTime": NOON, "Thing": {"@iot.id": "garages.centrum"},
        "Sensor": {"@iot.id": "lus"}, "ObservedProperty": {"@iot.id": "occupancy"},
    },
    "/v1.1/Locations": {**INTEREST, "location": POINT, "feature": None},
    "/v1.1/Observations": {
        "phenomenonTime": NOON, "resultTime": NOON, "validTime": NOON, "result": 1, "parameters": {"a": 1},
        "resultQuality": ["x"], "Datastream": {"@iot.id": STREAM}, "FeatureOfInterest": INTEREST,
    },
    "/v1.1/CreateObservations": [
        {
            "Datastream": {"@iot.id": STREAM}, "components": ["phenomenonTime", "result", "parameters"],
            "dataArray@iot.count": 1, "dataArray": [[NOON, 1, {"a": 1}]],
        }
    ],
    "/v1/batches": {
        "dataset": GARAGES, "datastream": [STREAM], "phenomenon_time": [NOON], "result": [1],
        "longitude": [5.1], "latitude": [52.1], "source_id": ["x"],
    },
    "/v1/features": {
        "dataset": GARAGES,
        "features": [
            {
                "id": "n1", "kind": "area", "name": "Buurt", "geometry": POINT, "properties": {"a": 1},
                "valid_from": NOON, "valid_to": NOON,
            }
        ],
    },
}  # fmt: skip


@pytest.fixture
def city(node: Node) -> Node:
    node.post("/v1.1/Things", thing())
    return node


@pytest.mark.parametrize("path", BODIES)
def test_a_value_of_a_wrong_kind_anywhere_is_no_fault_of_ours(city: Node, path: str) -> None:
    async def send() -> list[str]:
        headers = {"Authorization": f"Bearer {GEMEENTE}", "Content-Type": "application/json"}
        found = []
        for place, body in mistaken(BODIES[path]):
            # The law of this node must not grow old meanwhile.
            city.feed.table.apply(Heartbeat("urn:dmi:heartbeat", clock.now() + 4_000_000))
            answer = await city.client.post(path, content=body, headers=headers)
            if answer.status_code >= 500:
                found.append(f"{place}: {answer.status_code}")
        return found

    assert city.runner.run(send()) == []
