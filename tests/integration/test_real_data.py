"""Real files of all seven kinds through ``dmi import`` into the running stack: sums hold, repeats change nothing."""

from __future__ import annotations

import json
import sqlite3
import time
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from dmi_command.cli import app
from dmi_infra import clock
from tests.integration.newcomer import Newcomer, join, publish
from tests.stack_plugin import EmbeddedStack, await_settled

FILES = {
    "snuffelfiets": ["air-quality/snuffelfiets_utrecht_2024-11-11.csv"],
    "sail-crowd": [
        "crowd/sail2025_sensor_locations.csv", "crowd/sensor_capacity_los.csv",
        "crowd/sail2025_flow_3min_20-22aug.csv",
    ],
    "amsterdam-garages": ["parking/amsterdam_garages_2023-02-23.json"],
    "birmingham-parking": ["parking/birmingham_2016-10-04_12-12.csv"],
    "rdw-parking": ["parking/rdw_parking_nl.geojson"],
    "amsterdam-buurten": ["boundaries/amsterdam_buurten.geojson"],
    "cbs-buurten": ["boundaries/cbs_wijken_2014.topojson"],
}  # fmt: skip
"""Of the boundaries of Statistics Netherlands the middle one of three files, which reads like the largest."""
SOME = {"sail-crowd": 200}
"""Lines that are taken of long tables, so that this stays a matter of seconds; other tests read them whole."""


def _shortened(kind: str, real_data: Path, folder: Path) -> list[Path]:
    """The files of a kind, tables with many lines cut after some whole lines."""
    found = []
    for name in FILES[kind]:
        path = real_data / name
        if kind in SOME and path.stat().st_size > 100_000:
            lines = path.read_bytes().splitlines(keepends=True)[: SOME[kind] + 1]
            path = folder / path.name
            path.write_bytes(b"".join(lines))
        found.append(path)
    return found


def _imported(stack: EmbeddedStack, kind: str, files: list[Path]) -> dict[str, Any]:
    """The report of ``dmi import``; within this process, since starting another takes longer than the import."""
    done = CliRunner().invoke(app, ["import", kind, *map(str, files), "--json", "--url", stack.url])
    assert done.exit_code == 0, (done.exception, done.stderr[-2000:])
    report: dict[str, Any] = json.loads(done.stdout)
    return report


def _sums(report: dict[str, Any]) -> tuple[int, int, int, int]:
    return report["read"], report["accepted"], report["duplicate"], report["rejected"]


@pytest.mark.realdata
@pytest.mark.timeout(120)
@pytest.mark.parametrize("kind", list(FILES))
def test_a_file_adds_up_and_a_second_import_of_it_changes_nothing(
    kind: str, embedded_stack: EmbeddedStack, real_data: Path, tmp_path: Path
) -> None:
    files = _shortened(kind, real_data, tmp_path)
    report = _imported(embedded_stack, kind, files)
    read, accepted, duplicate, rejected = _sums(report)
    assert report["state"] == "done"
    assert read == accepted + duplicate + rejected
    assert accepted > 0
    assert sum(reason["count"] for reason in report["reasons"]) == rejected
    for reason in report["reasons"]:
        for row in reason.get("rows", []):
            assert row["line"] is not None or row["value"], reason
    before = _arrived(embedded_stack, report["dataset"])
    again = _imported(embedded_stack, kind, files)
    assert again["accepted"] == 0
    assert (again["read"], again["rejected"]) == (read, rejected)
    assert again["duplicate"] == read - rejected
    assert _arrived(embedded_stack, report["dataset"]) == before


def _arrived(stack: EmbeddedStack, dataset: str) -> tuple[Any, Any]:
    """What can be read of a dataset with places, once it stays the same: how far behind a reader is, is told late."""
    until, before = time.monotonic() + 60, None
    while (found := _state(stack, dataset)) != before or not any(found[1]):
        assert time.monotonic() < until, "nothing of what was imported can be read"
        before = found
        time.sleep(0.2)
    return found


def _state(stack: EmbeddedStack, dataset: str) -> tuple[Any, Any]:
    """What can be read of a dataset when all that was taken in has arrived: the last values, and the places."""
    _await_handed_over(stack)
    await_settled(stack)
    with stack.demo("officer") as officer:
        entry = officer.get(f"/exchange/v1/datasets/{dataset}")
        latest = (
            officer.get("/platform/v1/latest", dataset=dataset)["items"] if not entry["personal"] else None
        )
        kinds = [
            officer.get("/platform/v1/features", dataset=dataset, kind=kind, limit=10_000)["features"]
            for kind in ("thing", "datastream", "neighbourhood", "parking", "area")
        ]
    return latest, kinds


def _await_handed_over(stack: EmbeddedStack) -> None:
    """Wait until the bus has all places: they follow their import out of ingest's outbox."""
    until = time.monotonic() + 60
    with closing(sqlite3.connect(f"file:{stack.data_dir / 'ingest.db'}?mode=ro", uri=True)) as store:
        while store.execute("SELECT count(*) FROM outbox").fetchone() != (0,):
            assert time.monotonic() < until, "places are kept and never handed over"
            time.sleep(0.05)


@pytest.fixture(scope="module")
def carrier(embedded_stack: EmbeddedStack) -> Newcomer:
    """Somebody with a file of its own."""
    made = join(embedded_stack, "carparks", ["dmi:role:provider"])
    publish(embedded_stack, made, "carparks")
    return made


def test_a_rejected_line_is_kept_and_taken_after_its_correction(carrier: Newcomer) -> None:
    header = "SystemCodeNumber,Capacity,Occupancy,LastUpdated\n"
    lines = "P1,100,many,2016-10-04 07:59:42\nP1,100,12,2016-10-04 08:29:42\nP2,50,3,2016-30-04 07:59:42\n"
    dataset = carrier.dataset("carparks")
    report = carrier.ask(
        "POST", "/ingest/v1/imports", params={"kind": "birmingham-parking", "dataset": dataset},
        files={"file": ("parking.csv", header + lines)},
    ).json()  # fmt: skip
    assert (report["read"], report["accepted"], report["rejected"]) == (3, 1, 2)
    path = f"/ingest/v1/imports/{report['import_id']}"
    first, second = carrier.ask("GET", f"{path}/rejects").json()["items"]
    assert (first["line"], first["field"], first["value"]) == (2, "Occupancy", "many")
    assert (second["line"], second["field"]) == (4, "LastUpdated")
    assert first["raw"]["Occupancy"] == "many"

    def replay(row: dict[str, Any], **cells: str) -> dict[str, Any]:
        body = {"rows": [{"id": row["id"], "raw": {**row["raw"], **cells}}]}
        found: dict[str, Any] = carrier.ask("POST", f"{path}/replay", json=body).json()
        return found

    still = replay(first, Occupancy="lots")
    assert (still["accepted"], still["rejected"]) == (0, 1)
    assert replay(first, Occupancy="71")["accepted"] == 1
    assert replay(second, LastUpdated="2016-04-30 07:59:42")["accepted"] == 1
    assert carrier.ask("GET", f"{path}/rejects").json()["items"] == []
    refused = carrier.ask("POST", f"{path}/replay", json={"rows": [{"id": first["id"], "raw": first["raw"]}]})
    assert (refused.status_code, refused.json()["errors"][0]["field"]) == (400, "rows.0.id")
    until = clock.now() + 10_000_000
    while len(found := _observations(carrier)) < 3 and clock.now() < until:
        pass
    assert sorted(found) == [
        ("2016-04-30T06:59:42Z", 3.0),
        ("2016-10-04T06:59:42Z", 71.0),
        ("2016-10-04T07:29:42Z", 12.0),
    ]


def _observations(carrier: Newcomer) -> list[tuple[str, float]]:
    found = []
    for stream in ("carparks:carparks.p1.occupancy", "carparks:carparks.p2.occupancy"):
        answer = carrier.ask("GET", f"/platform/v1/datastreams/{stream}/observations")
        if answer.status_code == 200:
            found += [(item["phenomenon_time"], item["result"]) for item in answer.json()["items"]]
    return found
