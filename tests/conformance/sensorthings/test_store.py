"""One story through every table of ingest, on each adapter of its store."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from pathlib import Path

import pytest
import sqlalchemy as sa

from dmi_infra.sql import migrate, open_engine
from dmi_ingest.store.tables import metadata
from tests.unit.ingest.fakes import GARAGES, Node, running, thing

STREAM = "garages.centrum.occupancy"
ROWS = (
    "SystemCodeNumber,Capacity,Occupancy,LastUpdated\n"
    "BHMBCCMKT01,577,61,2016-10-04 07:59:42\nBHMBCCMKT01,577,many,2016-10-04 08:59:42\n"
)


@pytest.fixture(params=["sqlite", pytest.param("postgres", marks=pytest.mark.postgres)])
def address(request: pytest.FixtureRequest) -> str:
    """Empty for SQLite, else a new database on a real PostgreSQL."""
    if request.param == "sqlite":
        return ""
    server = request.getfixturevalue("postgres_server")
    name = f"ingest_{uuid.uuid4().hex[:12]}"
    server.create_database(name)
    return str(server.url(name))


@pytest.fixture
def stored(address: str, tmp_path: Path) -> Iterator[Node]:
    with running(tmp_path, address) as node:
        yield node


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
    stored.post("/v1.1/Things", {**thing(), "name": "Leeg"})
    assert stored.call("DELETE", "/v1.1/Things('garages.leeg')").status_code == 200
    assert stored.bus.features()["garages.leeg"].valid_to is not None


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
