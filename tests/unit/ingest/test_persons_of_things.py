"""Whom a thing is about, its datastreams are about: also when that changes, by whichever door."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from dmi_ingest.store import features
from tests.unit.ingest.fakes import BICYCLES, GEMEENTE, VENDOR, Node, datastream, running, thing
from tests.unit.ingest.test_erasing import ME
from tests.unit.ingest.test_makers import NOON, NOOR, SAM, THIRD, bicycle, hand_in, person_of, shared

__all__ = ["shared"]

STREAM = "fiets.pm2_5"


def described(node: Node, who: str = GEMEENTE, person: str | None = NOOR) -> None:
    """The bicycle over SensorThings, with a datastream nested in it."""
    about = {} if person is None else {"subject": person}
    document = {
        **thing(dataset=BICYCLES, **about), "@iot.id": "fiets", "Datastreams": [{**datastream(), "@iot.id": STREAM}],
    }  # fmt: skip
    node.post("/v1.1/Things", document, who)


def change(node: Node, who: str = GEMEENTE, **properties: Any) -> int:
    answer = node.call("PATCH", "/v1.1/Things('fiets')", {"properties": properties}, who)
    return int(answer.status_code)


def observed(node: Node, stream: str = STREAM) -> tuple[int, str | None]:
    """The answer to an Observation, and whom it went out as being about."""
    before = len(node.bus.batches())
    body = {"phenomenonTime": NOON, "result": 1, "Datastream": {"@iot.id": stream}}
    status = int(node.call("POST", "/v1.1/Observations", body).status_code)
    (batch,) = node.bus.batches()[before:] or [None]
    return status, None if batch is None or batch.subject is None else batch.subject[0]


def test_a_thing_that_is_about_another_person_takes_its_datastreams_along(shared: Node) -> None:
    described(shared)
    assert observed(shared) == (201, NOOR)
    shared.gate.consenting.discard(SAM)
    assert change(shared, subject=SAM) == 200
    assert observed(shared)[0] == 403, "the consent of the one whom the row is about is asked"
    shared.gate.consenting.add(SAM)
    assert observed(shared) == (201, SAM)
    assert [batch.subject for batch in shared.bus.batches()] == [[NOOR], [SAM]], "rows of before stay"


@pytest.mark.parametrize("properties", [{}, {"subject": None}])
def test_a_thing_that_names_nobody_any_more_is_about_nobody(shared: Node, properties: Any) -> None:
    described(shared)
    assert change(shared, **properties) == 200
    assert observed(shared) == (403, None)
    assert change(shared, subject=SAM) == 200
    assert observed(shared) == (201, SAM)


def test_the_native_door_takes_the_thing_alone_and_tells_of_nobody_by_null(shared: Node) -> None:
    hand_in(shared, GEMEENTE, *bicycle(person=NOOR))
    for person in (SAM, None, NOOR):
        place = {**bicycle()[0], "properties": {"subject": person}}
        assert hand_in(shared, GEMEENTE, place)["accepted"] == 1
        assert observed(shared) == (403 if person is None else 201, person)
    assert hand_in(shared, GEMEENTE, bicycle()[0])["duplicate"] == 1
    assert observed(shared) == (201, NOOR), "what is not said stays"


def test_what_a_request_does_not_say_stays_though_the_thing_was_described_otherwise(shared: Node) -> None:
    described(shared)
    name = shared.bus.features()["fiets"].name
    hand_in(shared, GEMEENTE, {**bicycle(person=SAM)[0], "name": name})
    answer = shared.call("PATCH", "/v1.1/Things('fiets')", {"description": "rood"})
    assert answer.status_code == 200
    assert observed(shared) == (201, SAM)


def test_only_maker_and_owner_make_it_somebody_elses_and_what_others_measure_there_stays(
    shared: Node,
) -> None:
    described(shared, VENDOR)
    second = {**bicycle()[1], "id": "fiets.pm10"}
    assert hand_in(shared, THIRD, second)["accepted"] == 1
    assert change(shared, THIRD, subject=SAM) in (403, 404)
    assert hand_in(shared, THIRD, bicycle(person=SAM)[0])["errors"][0]["field"].endswith("id")
    assert {observed(shared)[1], observed(shared, "fiets.pm10")[1]} == {NOOR}
    assert change(shared, VENDOR, subject=SAM) == 200
    assert observed(shared) == (201, SAM)
    assert observed(shared, "fiets.pm10") == (201, NOOR), "a third one's is not the vendor's to change"
    assert change(shared, VENDOR, subject=NOOR) == 200
    assert change(shared, GEMEENTE, subject=SAM) == 200
    assert {observed(shared)[1], observed(shared, "fiets.pm10")[1]} == {SAM}


def test_a_datastream_that_is_about_a_person_of_its_own_stays_with_it(shared: Node) -> None:
    place, stream = bicycle(person=NOOR)
    own = {**stream, "properties": {**stream["properties"], "subject": ME}}
    shared.gate.consenting.add(ME)
    hand_in(shared, GEMEENTE, place, own)
    hand_in(shared, GEMEENTE, bicycle(person=SAM)[0])
    assert observed(shared) == (201, ME)
    # Nor does one of another thing, or of another dataset, change.
    hand_in(shared, GEMEENTE, *bicycle("tweede", person=NOOR))
    hand_in(shared, GEMEENTE, bicycle(person=NOOR)[0])
    hand_in(shared, GEMEENTE, bicycle(person=SAM)[0])
    assert person_of(shared, "tweede.pm2_5") == NOOR


@pytest.mark.parametrize("few", [0, 20])
def test_of_few_things_their_own_datastreams_alone_are_read(
    shared: Node, monkeypatch: pytest.MonkeyPatch, few: int
) -> None:
    name = "fiets_1"
    for each in (name, "fiets-1"):
        hand_in(shared, GEMEENTE, *bicycle(each))
    read: list[str] = []
    before = features._thing_before

    def noted(kept: Any) -> str:
        thing = before(kept)
        read.extend([thing] if thing else [])
        return thing

    monkeypatch.setattr(features, "_thing_before", noted)
    monkeypatch.setattr(features, "FEW", few)
    hand_in(shared, GEMEENTE, bicycle(name, person=SAM)[0])
    assert sorted(read) == ([name] if few else ["fiets-1", name])
    assert person_of(shared, f"{name}.pm2_5") == SAM


def test_a_datastream_that_moves_to_another_thing_is_about_whom_that_one_is_about(shared: Node) -> None:
    described(shared)
    for name, person in (("van-niemand", None), ("van-sam", SAM)):
        about = {} if person is None else {"subject": person}
        shared.post("/v1.1/Things", {**thing(dataset=BICYCLES, **about), "@iot.id": name, "Datastreams": []})
        moved = {"Thing": {"@iot.id": name}}
        assert shared.call("PATCH", f"/v1.1/Datastreams('{STREAM}')", moved).status_code == 200
        assert observed(shared)[1] == person


def test_rows_of_files_that_name_nobody_follow_as_well(shared: Node) -> None:
    header = "SystemCodeNumber,Capacity,Occupancy,LastUpdated\n"

    def bring(line: str) -> list[str | None] | None:
        files = {"file": ("dataset.csv", (header + line).encode(), "text/csv")}
        path = f"/v1/imports?kind=birmingham-parking&dataset={BICYCLES}"
        assert shared.call("POST", path, files=files).json()["accepted"] == 1
        return shared.bus.batches()[-1].subject

    shared.gate.consenting.add(None)  # type: ignore[arg-type]
    assert bring("A1,577,61,2016-10-04 07:59:42\n") is None
    (place,) = (one for one in shared.bus.features().values() if one.kind == "thing")
    told = {"id": place.id, "kind": "thing", "name": place.name, "geometry": place.geometry}
    for person in (NOOR, SAM):
        hand_in(shared, GEMEENTE, {**told, "properties": {**place.properties, "subject": person}})
        assert bring("A1,577,61,2016-10-04 08:59:42\n") == [person], (
            "and importing says nothing of whose it is"
        )


def test_another_process_that_knows_the_datastream_takes_the_change_too(tmp_path: Path) -> None:
    with running(tmp_path) as one, running(tmp_path) as other:
        one.gate.consenting |= {NOOR, SAM}
        other.gate.consenting |= {NOOR, SAM}
        described(one)
        assert observed(other) == (201, NOOR)
        assert change(one, subject=SAM) == 200
        assert observed(other) == (201, SAM)
        assert person_of(other, STREAM) == SAM
