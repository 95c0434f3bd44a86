"""One story through every table of ingest, on each adapter of its store."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import sqlalchemy as sa

from dmi_infra import clock
from dmi_infra.sql import migrate, open_engine
from dmi_ingest.store import ImportStore
from dmi_ingest.store.tables import metadata
from tests.unit.ingest.fakes import BICYCLES, GARAGES, GEMEENTE, OTHER, VENDOR, Node, thing

STREAM = "garages.centrum.occupancy"
ROWS = (
    "SystemCodeNumber,Capacity,Occupancy,LastUpdated\n"
    "BHMBCCMKT01,577,61,2016-10-04 07:59:42\nBHMBCCMKT01,577,many,2016-10-04 08:59:42\n"
)


def test_entities_observations_imports_and_their_end(stored: Node) -> None:
    stored.post("/v1.1/Things", thing())
    assert stored.get("/v1.1/Things?$count=true&$expand=Datastreams,Locations")["@iot.count"] == 1
    assert (
        stored.refused("/v1.1/Things", {**thing(), "@iot.id": "garages.centrum"}, 409)["field"] == "@iot.id"
    )
    stored.post(f"/v1.1/Datastreams('{STREAM}')/Observations", {"result": 3})
    assert stored.refused("/v1.1/Things('garages.centrum')", None, 409, "DELETE")["value"] == STREAM
    files = {"file": ("dataset.csv", ROWS.encode())}
    path = f"/v1/imports?kind=birmingham-parking&dataset={GARAGES}"
    report = stored.call("POST", path, files=files).json()
    assert (report["state"], report["accepted"], report["rejected"]) == ("done", 1, 1)
    address = f"/v1/imports/{report['import_id']}"
    [row] = stored.get(f"{address}/rejects")["items"]
    raw = {name: "63" if value == "many" else value for name, value in row["raw"].items()}
    stored.call("POST", f"{address}/replay", {"rows": [{"id": row["id"], "raw": raw}]})
    assert stored.get(address)["rejected"] == 0
    assert stored.get("/v1.1/Sensors?$count=true", VENDOR)["@iot.count"] == 1
    stored.post("/v1.1/Things", {**thing(dataset=BICYCLES), "Locations": []})
    assert stored.get("/v1.1/Sensors?$count=true", VENDOR)["@iot.count"] == 0
    assert stored.get("/v1.1/Sensors('lus')")["name"] == "Lus"
    stored.post("/v1.1/Things", {**thing(), "name": "Leeg"})
    assert stored.call("DELETE", "/v1.1/Things('garages.leeg')").status_code == 200
    assert stored.bus.features()["garages.leeg"].valid_to is not None


def imported(node: Node, dataset: str, who: str) -> dict[str, Any]:
    path = f"/v1/imports?kind=birmingham-parking&dataset={dataset}"
    report: dict[str, Any] = node.call("POST", path, files={"file": ("a.csv", ROWS.encode())}, who=who).json()
    assert report["state"] == "done", report
    return report


def test_two_owners_whose_datasets_have_one_name_do_not_take_ids_from_each_other(stored: Node) -> None:
    first, second = imported(stored, GARAGES, GEMEENTE), imported(stored, OTHER, VENDOR)
    assert (first["accepted"], second["accepted"]) == (1, 1)
    assert {reason["reason"] for reason in second["reasons"]} == {"not_a_number"}
    streams = [stream for stream, _, _ in stored.bus.rows()]
    assert streams == [
        "gemeente:garages.bhmbccmkt01.occupancy", "sensorbedrijf:garages.bhmbccmkt01.occupancy",
    ]  # fmt: skip
    told = len(stored.bus.features())
    imported(stored, GARAGES, GEMEENTE)
    assert len(stored.bus.features()) == told, "a repeat makes no new things"


def test_a_dataset_with_ids_of_an_earlier_version_keeps_them(stored: Node) -> None:
    old = {"id": "garages.bhmbccmkt01", "kind": "thing", "name": "BHMBCCMKT01"}
    stored.post("/v1/features", {"dataset": GARAGES, "features": [old]})
    imported(stored, GARAGES, GEMEENTE)
    imported(stored, OTHER, VENDOR)
    assert [stream for stream, _, _ in stored.bus.rows()] == [
        "garages.bhmbccmkt01.occupancy", "sensorbedrijf:garages.bhmbccmkt01.occupancy",
    ]  # fmt: skip


def test_an_id_in_the_name_of_another_participant_cannot_be_taken(stored: Node) -> None:
    def things(dataset: str, identifier: str) -> dict[str, Any]:
        return {"dataset": dataset, "features": [{"id": identifier, "kind": "thing", "name": "x"}]}

    refused = stored.refused("/v1/features", things(GARAGES, "sensorbedrijf:garages.a"))
    assert (refused["field"], "another participant" in refused["rule"]) == ("0.id", True)
    error = stored.refused("/v1.1/Things", {**thing(), "@iot.id": "sensorbedrijf:garages.a"})
    assert (error["field"], "another participant" in error["rule"]) == ("@iot.id", True)
    for dataset, who, identifier in (
        (OTHER, VENDOR, "sensorbedrijf:garages.a"),
        (GARAGES, GEMEENTE, "gemeente:anything"),
        (GARAGES, GEMEENTE, "urn:ngsi-ld:thing:1"),
    ):
        assert stored.call("POST", "/v1/features", things(dataset, identifier), who=who).status_code == 201


def test_the_migrations_make_the_tables_that_the_store_reads(address: str, tmp_path: Path) -> None:
    engine = open_engine(address or f"sqlite:///{tmp_path / 'x.db'}", "ingest")
    migrate(engine, "dmi_ingest")
    inspector = sa.inspect(engine)
    for table in metadata.sorted_tables:
        found = {column["name"]: column["nullable"] for column in inspector.get_columns(table.name)}
        assert found == {column.name: bool(column.nullable) for column in table.columns}, table.name
        indexes = {
            index["name"]
            for index in inspector.get_indexes(table.name)
            if not index.get("duplicates_constraint")
        }
        assert {index.name for index in table.indexes} <= indexes | {None}
    engine.dispose()


def test_rejected_rows_and_files_of_imports_are_found_by_their_term(stored: Node) -> None:
    files = {"file": ("dataset.csv", ROWS.encode())}
    path = f"/v1/imports?kind=birmingham-parking&dataset={GARAGES}"
    done = stored.call("POST", path, files=files).json()
    stored.bus.away = True
    lost = stored.call("POST", path, files=files).json()
    engine = open_engine(stored.settings.store_address("ingest"), "ingest")
    store, began = ImportStore(engine), clock.now() - 60_000_000
    assert store.leftovers() == [(GARAGES, "birmingham-parking")]
    assert store.resumable() == [(lost["import_id"], GEMEENTE)]
    assert (store.broken_off(GARAGES, began), store.broken_off(OTHER, clock.now() + 1)) == ([], [])
    assert store.broken_off(GARAGES, clock.now() + 1) == [lost["import_id"]]
    assert store.forget_before(GARAGES, "birmingham-parking", began) == 0
    assert store.forget_before(GARAGES, "birmingham-parking", clock.now() + 1) == 1
    engine.dispose()
    address = f"/v1/imports/{done['import_id']}"
    assert stored.get(f"{address}/rejects")["items"] == []
    assert stored.get(address)["reasons"][0]["rows"] == [
        {"file": "dataset.csv", "line": 3, "field": "Occupancy"}
    ]


def test_imports_that_broke_off_are_found_by_who_acted(stored: Node) -> None:
    agent, files = "urn:dmi:participant:leverancier", {"file": ("dataset.csv", ROWS.encode())}
    by_agent = f"{GEMEENTE} {agent}"
    stored.mandate(GEMEENTE, agent, GARAGES)
    path = f"/v1/imports?kind=birmingham-parking&dataset={GARAGES}"
    done = stored.call("POST", path, files=files, who=by_agent).json()["import_id"]
    stored.bus.away = True
    lost = stored.call("POST", path, files=files, who=by_agent).json()["import_id"]
    engine = open_engine(stored.settings.store_address("ingest"), "ingest")
    store = ImportStore(engine)
    assert store.resumable() == [(lost, agent)]
    assert [item.id for item in store.of(agent, 10, None)] == [lost]
    assert [item.id for item in store.of(GEMEENTE, 10, None)] == [lost, done]
    store.restart(lost, "", "")
    store.fail_interrupted("the process ended")
    assert store.resumable() == [(lost, GEMEENTE)]
    assert store.of(agent, 10, None) == [], "whoever resumes it has it"
    engine.dispose()
