"""What a participant made is changed by itself and by the owner of the dataset, whatever way a change comes in."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from dmi_agreements.contracts.features import Feature
from dmi_agreements.contracts.law import Participant
from dmi_infra.sql import migrate, open_engine
from dmi_ingest.model import MADE_BY_ANOTHER
from dmi_ingest.store import FeatureStore
from dmi_ingest.store.features import Writer
from tests.unit.ingest.fakes import BICYCLES, GARAGES, GEMEENTE, OTHER, POINT, VENDOR, Node, running, thing
from tests.unit.ingest.sources.test_documents import collection, facility

NOOR, SAM = "urn:dmi:person:noor", "urn:dmi:person:sam"
THIRD = "urn:dmi:participant:derde"
ELSEWHERE = {"type": "Point", "coordinates": [4.5, 52.0]}
NOON = "2026-11-21T12:00:00Z"


@pytest.fixture
def shared(tmp_path: Path) -> Iterator[Node]:
    """The city's datasets, to which a vendor and a third one may contribute."""
    with running(tmp_path) as node:
        for dataset in (GARAGES, BICYCLES):
            node.gate.allowed[dataset] |= {VENDOR, THIRD}
        node.gate.consenting |= {NOOR, SAM}
        node.feed.table.apply(Participant(THIRD, THIRD, ["dmi:role:vendor"], rulebook="1.0.0"))
        yield node


def bicycle(identifier: str = "fiets", person: str | None = None, **change: Any) -> list[dict[str, Any]]:
    """A thing with a datastream."""
    about = {} if person is None else {"subject": person}
    measured = {"thing": identifier, "observed_property": "pm2_5", "unit": "ug/m3"}
    return [
        {
            "id": identifier,
            "kind": "thing",
            "name": "Fiets",
            "geometry": POINT,
            "properties": about,
            **change,
        },
        {"id": f"{identifier}.pm2_5", "kind": "datastream", "name": "Fijnstof", "properties": measured},
    ]


def hand_in(node: Node, who: str, *features: dict[str, Any], dataset: str = BICYCLES) -> dict[str, Any]:
    body = {"dataset": dataset, "features": [*features]}
    answer = node.call("POST", "/v1/features", body, who)
    assert answer.status_code in (201, 400), answer.text
    told: dict[str, Any] = answer.json()
    return told


def person_of(node: Node, stream: str) -> str | None:
    """Whom a row of the datastream that names nobody is about."""
    row = {"dataset": BICYCLES, "datastream": [stream], "phenomenon_time": [NOON], "result": [1]}
    node.call("POST", "/v1/batches", row)
    subjects = node.bus.batches()[-1].subject
    return None if subjects is None else subjects[0]


@pytest.mark.parametrize(("maker", "other"), [(GEMEENTE, VENDOR), (VENDOR, THIRD)])
def test_who_only_contributes_changes_nothing_that_others_made(shared: Node, maker: str, other: str) -> None:
    hand_in(shared, maker, *bicycle(person=NOOR))
    kept = shared.bus.features()
    place, stream = bicycle(geometry=ELSEWHERE)
    stream["properties"] = {**stream["properties"], "unit": "Cel"}
    answer = hand_in(shared, other, place, {**place, "id": "nieuw"}, stream)
    assert (answer["accepted"], answer["rejected"]) == (1, 2)
    assert [(e["index"], e["field"], e["value"]) for e in answer["errors"]] == [
        (0, "id", "fiets"), (2, "id", "fiets.pm2_5")
    ]  # fmt: skip
    assert {error["rule"] for error in answer["errors"]} == {MADE_BY_ANOTHER}
    for change in ({"name": "x"}, {"properties": {"colour": "red"}}, {"kind": "area"}, {"valid_to": NOON}):
        answer = hand_in(shared, other, bicycle(**change)[0])
        assert answer["errors"][0]["rule"] == MADE_BY_ANOTHER, change
    assert {name: shared.bus.features()[name] for name in kept} == kept


def test_whom_a_sensor_is_about_is_not_changed_by_others_by_its_thing_nor_by_itself(shared: Node) -> None:
    hand_in(shared, GEMEENTE, *bicycle(person=NOOR))
    place, stream = bicycle(person=SAM)
    direct = {**stream, "properties": {**stream["properties"], "subject": SAM}}
    for rows in ([place, stream], [stream, place], [direct]):
        answer = hand_in(shared, VENDOR, *rows)
        assert {error["field"].removeprefix("0.") for error in answer["errors"]} == {"properties.subject"}
        assert person_of(shared, "fiets.pm2_5") == NOOR
    # Also not by a new datastream of the thing: the person that was refused for it holds for that neither.
    second = {**stream, "id": "fiets.pm10"}
    assert hand_in(shared, VENDOR, place, second)["accepted"] == 1
    assert person_of(shared, "fiets.pm10") == NOOR
    assert hand_in(shared, GEMEENTE, place, stream)["accepted"] == 2
    assert person_of(shared, "fiets.pm2_5") == SAM


def test_a_thing_that_somebody_else_makes_later_says_nothing_of_the_person_of_a_sensor(shared: Node) -> None:
    place, stream = bicycle(person=SAM)
    hand_in(shared, GEMEENTE, {**stream, "properties": {**stream["properties"], "subject": NOOR}})
    assert hand_in(shared, VENDOR, place)["accepted"] == 1
    assert hand_in(shared, GEMEENTE, stream)["duplicate"] == 1
    assert person_of(shared, "fiets.pm2_5") == NOOR


def test_a_row_that_is_refused_says_nothing_of_the_person_of_its_datastreams(shared: Node) -> None:
    place, stream = bicycle(person=SAM, geometry={"type": "Point", "coordinates": [52.1, 5.1]})
    shared.gate.consenting.add(None)  # type: ignore[arg-type]
    assert hand_in(shared, VENDOR, place, stream)["accepted"] == 1
    assert person_of(shared, "fiets.pm2_5") is None


def test_what_is_already_so_is_no_change_whoever_says_it(shared: Node) -> None:
    hand_in(shared, GEMEENTE, *bicycle(person=NOOR))
    told = len(shared.bus.published)
    for again in (bicycle(), bicycle(person=NOOR)):
        answer = hand_in(shared, VENDOR, *again)
        assert (answer["accepted"], answer["duplicate"], answer["rejected"]) == (0, 2, 0)
    assert len(shared.bus.published) == told


def test_the_maker_and_the_owner_change_it_and_so_does_who_acts_for_them(shared: Node) -> None:
    for_vendor = shared.mandate(VENDOR, "urn:dmi:participant:leverancier", BICYCLES)
    for_city = shared.mandate(GEMEENTE, "urn:dmi:participant:gateway", BICYCLES)
    hand_in(shared, VENDOR, *bicycle())
    for number, who in enumerate((VENDOR, for_vendor, GEMEENTE, for_city)):
        assert hand_in(shared, who, bicycle(name=str(number))[0])["accepted"] == 1
    hand_in(shared, for_vendor, *bicycle("tweede"))
    assert hand_in(shared, VENDOR, bicycle("tweede", name="x")[0])["accepted"] == 1
    assert hand_in(shared, THIRD, bicycle("tweede")[0])["errors"][0]["rule"] == MADE_BY_ANOTHER


def test_what_was_made_over_sensorthings_has_its_maker_at_the_native_door(shared: Node) -> None:
    made = shared.post("/v1.1/Things", thing(), VENDOR)["@iot.id"]
    moved = {"id": made, "kind": "thing", "name": "x"}
    assert hand_in(shared, THIRD, moved, dataset=GARAGES)["errors"][0]["rule"] == MADE_BY_ANOTHER
    stream = {
        "id": f"{made}.occupancy", "kind": "datastream", "name": "x",
        "properties": {"thing": made, "observed_property": "temperature", "unit": "Cel"},
    }  # fmt: skip
    assert hand_in(shared, THIRD, stream, dataset=GARAGES)["errors"][0]["rule"] == MADE_BY_ANOTHER
    for who in (VENDOR, GEMEENTE):
        assert hand_in(shared, who, {**moved, "name": who}, dataset=GARAGES)["accepted"] == 1


def test_what_was_deleted_may_be_made_anew_by_another_who_is_its_maker_then(shared: Node) -> None:
    made = shared.post("/v1.1/Things", {**thing(), "Datastreams": []}, VENDOR)["@iot.id"]
    assert shared.call("DELETE", f"/v1.1/Things('{made}')", who=VENDOR).status_code == 200
    anew = {"id": made, "kind": "thing", "name": "x"}
    assert hand_in(shared, THIRD, anew, dataset=GARAGES)["accepted"] == 1
    changed = {**anew, "name": "y"}
    assert hand_in(shared, VENDOR, changed, dataset=GARAGES)["errors"][0]["rule"] == MADE_BY_ANOTHER
    assert hand_in(shared, THIRD, changed, dataset=GARAGES)["accepted"] == 1


def test_an_import_leaves_what_others_made_and_takes_its_rows(shared: Node) -> None:
    header = "SystemCodeNumber,Capacity,Occupancy,LastUpdated\n"

    def bring(row: str, who: str) -> Any:
        files = {"file": ("dataset.csv", (header + row).encode(), "text/csv")}
        path = f"/v1/imports?kind=birmingham-parking&dataset={GARAGES}"
        return shared.call("POST", path, files=files, who=who).json()

    bring("BHMBCCMKT01,577,61,2016-10-04 07:59:42\n", GEMEENTE)
    kept = shared.bus.features()
    again = bring("BHMBCCMKT01,999,64,2016-10-04 08:25:42\n", VENDOR)
    assert (again["state"], again["accepted"], again["rejected"]) == ("done", 1, 0)
    assert shared.bus.features() == kept
    bring("BHMBCCMKT01,999,65,2016-10-04 08:55:42\n", GEMEENTE)
    assert shared.bus.features() != kept


def test_a_place_of_a_file_that_another_made_is_a_rejected_row_that_names_why(shared: Node) -> None:
    def bring(who: str, *places: dict[str, Any]) -> Any:
        files = {"file": ("rdw.json", json.dumps(collection(*places)).encode(), "application/json")}
        return shared.call(
            "POST", f"/v1/imports?kind=rdw-parking&dataset={GARAGES}", files=files, who=who
        ).json()

    assert bring(GEMEENTE, facility())["accepted"] == 1
    assert bring(VENDOR, facility())["duplicate"] == 1
    told = bring(VENDOR, facility(name="Van mij"), facility("rdw_1_B"))
    assert (told["read"], told["accepted"], told["rejected"]) == (2, 1, 1)
    address = f"/v1/imports/{told['import_id']}"
    (row,) = shared.get(f"{address}/rejects", VENDOR)["items"]
    assert (row["reason"], row["field"]) == ("made_by_another", "id")
    again = {"rows": [{"id": row["id"], "raw": row["raw"]}]}
    assert shared.call("POST", f"{address}/replay", again, VENDOR).json()["rejected"] == 1
    assert not any(place.name == "Van mij" for place in shared.bus.features().values())


def test_of_features_of_before_the_owner_alone_is_known(tmp_path: Path) -> None:
    engine = open_engine(f"sqlite:///{tmp_path / 'old.db'}", "ingest")
    migrate(engine, "dmi_ingest", "0003")
    row = {"dataset": GARAGES, "body": "{}", "used": False, "changed_at": 0}
    with engine.begin() as connection:
        features = sa.Table("feature", sa.MetaData(), autoload_with=connection)
        entities = sa.Table("entity", sa.MetaData(), autoload_with=connection)
        rows = [("paal", "thing"), ("paal.x", "datastream"), ("weg", "ended"), ("plein", "thing")]
        connection.execute(sa.insert(features), [{**row, "id": name, "kind": kind} for name, kind in rows])
        made = [
            ("Things", "paal"),
            ("Datastreams", "paal.x"),
            ("Locations", "plein"),
            ("Datastreams", "paal"),
        ]
        connection.execute(
            sa.insert(entities),
            [
                {"kind": kind, "id": name, "participant": VENDOR, "dataset": GARAGES, "body": "{}"}
                for kind, name in made
            ],
        )
    migrate(engine, "dmi_ingest")
    with engine.connect() as connection:
        found = {row.id: row.maker for row in connection.execute(sa.text("SELECT id, maker FROM feature"))}
    assert found == {"paal": VENDOR, "paal.x": VENDOR, "weg": None, "plein": None}
    changed = [Feature("plein", "thing", "x")]
    store = FeatureStore(engine)
    assert store.put(GARAGES, changed, Writer(VENDOR, GEMEENTE)).others == {0: "id"}
    assert store.put(GARAGES, changed, Writer(GEMEENTE, GEMEENTE)).changed == 1
    engine.dispose()


def test_an_id_in_the_name_of_another_is_not_taken_by_replay_and_whom_a_row_is_about_is_kept(
    shared: Node,
) -> None:
    hand_in(shared, GEMEENTE, *bicycle("gemeente:fietsen"))

    def bring(*places: Any) -> Any:
        files = {"file": ("rdw.json", json.dumps(collection(*places)).encode(), "application/json")}
        return shared.call(
            "POST", f"/v1/imports?kind=rdw-parking&dataset={OTHER}", files=files, who=VENDOR
        ).json()

    assert bring(facility())["accepted"] == 1
    place = next(name for name in shared.bus.features() if "rdw" in name)
    with sqlite3.connect(shared.settings.data_dir / "ingest.db") as connection:
        connection.execute("UPDATE feature SET dataset = ? WHERE id = ?", [GARAGES, place])
    connection.close()
    told = bring(facility())
    address = f"/v1/imports/{told['import_id']}"
    (row,) = shared.get(f"{address}/rejects", VENDOR)["items"]
    assert (row["reason"], row["field"]) == ("id_of_another_dataset", "id")

    def replayed(**change: Any) -> str:
        raw = json.dumps({**json.loads(row["raw"]), **change})
        again = shared.call(
            "POST", f"{address}/replay", {"rows": [{"id": row["id"], "raw": raw}]}, VENDOR
        ).json()
        return str(again["rows"][0]["reason"])

    for name in ("gemeente:garages.eerst", "GEMEENTE:garages.eerst", "urn:dmi:person:noor"):
        assert replayed(id=name) == "id_of_another_dataset"
        assert name not in shared.bus.features()
    assert replayed(id="van-de-verkoper", properties={"subject": NOOR}) == "None"
    with sqlite3.connect(shared.settings.data_dir / "ingest.db") as connection:
        query = "SELECT subject FROM feature WHERE id = 'van-de-verkoper'"
        assert connection.execute(query).fetchone() == (NOOR,)
    connection.close()
    assert "subject" not in shared.bus.features()["van-de-verkoper"].properties
