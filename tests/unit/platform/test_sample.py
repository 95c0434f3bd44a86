"""A sample has conditions of its own; how good data is, is measured."""

from __future__ import annotations

from dmi_agreements.contracts.record import DecisionRecord, Quality
from dmi_infra import clock
from dmi_infra.identity import Identity
from dmi_platform.measuring import Measuring

from .conftest import GARAGES, MINUTE, VENDOR, City, counts, stream

EVERYONE = "urn:dmi:party:everyone"
PATH = f"/v1/datasets/{GARAGES}/sample"


def filled(garages: City) -> City:
    """Twelve garages with a value each."""
    names = [f"g{number}" for number in range(12)]
    garages.tell(GARAGES, *(stream(f"garages.{name}.occupancy") for name in names))
    garages.hand_in(*(counts(name, float(number)) for number, name in enumerate(names)))
    garages.identity = Identity(VENDOR, "Vendor", frozenset({"dmi:role:vendor"}))
    return garages


def test_who_may_not_read_sees_a_few_rows_when_the_owner_allows_a_sample(garages: City) -> None:
    city = filled(garages)
    refused = city.get(PATH)
    assert refused.status_code == 403
    sample = city.agree(GARAGES, "dmi:sample", assignee=EVERYONE)
    answer = city.get(PATH)
    assert answer.status_code == 200, answer.text
    assert len(answer.json()["items"]) == 10
    assert city.get("/v1/latest", dataset=GARAGES).status_code == 403
    last = next(r for r in reversed(city.records) if isinstance(r, DecisionRecord) and r.crossing == "sample")
    assert (last.action, last.allowed, sample.id in last.agreements) == ("dmi:sample", True, True)
    city.end(sample)
    assert city.get(PATH).status_code == 403


def test_where_nobody_allows_a_sample_the_refusal_tells_what_keeps_from_reading(garages: City) -> None:
    city = filled(garages)
    assert city.get(PATH).json()["reasons"][0]["code"] == "no_agreement"
    noise = {"leftOperand": "purpose", "operator": "isA", "rightOperand": "dmi:purpose:noise"}
    city.agree(GARAGES, "dmi:read", assignee=VENDOR, constraint=[noise])
    assert city.get(PATH).json()["reasons"][0]["code"] == "wrong_purpose"
    assert city.get(PATH, "dmi:purpose:noise").status_code == 200


def test_a_sample_goes_under_the_duties_of_its_own(garages: City) -> None:
    city = filled(garages)
    duty = {"action": "dmi:leaveOut", "constraint": [
        {"leftOperand": "dmi:property", "operator": "isAnyOf", "rightOperand": ["unit"]}]}  # fmt: skip
    city.agree(GARAGES, "dmi:sample", assignee=EVERYONE, duty=[duty])
    answer = city.get(PATH)
    assert answer.status_code == 200, answer.text
    assert {item.get("unit") for item in answer.json()["items"]} <= {None, ""}


def test_who_may_read_sees_a_sample_as_a_reader(garages: City) -> None:
    city = filled(garages)
    city.agree(GARAGES, "dmi:read", assignee=VENDOR)
    assert len(city.get(PATH).json()["items"]) == 10
    assert city.get("/v1/datasets/%00/sample").status_code == 400


def test_every_dataset_is_measured_and_told(garages: City) -> None:
    now = clock.now()
    garages.hand_in(counts("centrum", 1.0, None, 3.0, begin=now - 5 * MINUTE))
    told: list[Quality] = []
    measuring = Measuring(garages.runtime.parts[1]._handler._store, told.append, 300)  # type: ignore[attr-defined]
    assert measuring.round() == 1
    [quality] = told
    assert (quality.dataset, quality.rows, quality.missing, quality.delivering) == (GARAGES, 3, 1, 1)
    assert quality.datastreams == 2
