"""What a person did not want to give is kept nowhere: an import counts such rows, and that is all."""

from __future__ import annotations

import sqlite3
import time
from pathlib import Path
from typing import Any

import pytest

from dmi_agreements.duties import DAY
from dmi_ingest.imports import NOTHING_KEPT
from dmi_ingest.leftovers import FILES_PAST_TERM
from tests.unit.infra.fakes import eventually
from tests.unit.ingest.fakes import BICYCLES, GARAGES, Node, running
from tests.unit.ingest.test_erasing import ME, MINE, hand_in, owned, parked, raws, row


def kept(node: Node) -> list[tuple[Any, ...]]:
    """Number, reason, value and content of all rejected rows, as they lie in the store."""
    with sqlite3.connect(node.settings.data_dir / "ingest.db") as connection:
        rows = connection.execute("SELECT id, reason, value, raw FROM reject ORDER BY id").fetchall()
    connection.close()
    return rows


def replay(node: Node, report: Any, number: int, raw: Any) -> Any:
    body = {"rows": [{"id": number, "raw": raw}]}
    return node.call("POST", f"/v1/imports/{report['import_id']}/replay", body)


def test_of_rows_without_consent_an_import_keeps_how_many_there_were_and_nothing_else(node: Node) -> None:
    report = hand_in(node, row(1, MINE, "100"))
    assert (report["accepted"], report["rejected"]) == (0, report["read"])
    assert report["reasons"] == [{"reason": "no_consent", "count": report["read"], "rows": []}]
    assert {content[1:] for content in kept(node)} == {("no_consent", "", '""')}
    assert node.get(f"/v1/imports/{report['import_id']}/rejects")["items"] == []
    refused = replay(node, report, kept(node)[0][0], "{}")
    assert (refused.status_code, refused.json()["errors"][0]["rule"]) == (400, NOTHING_KEPT)
    # Once the person consents the same file is taken.
    node.gate.consenting.add(ME)
    again = hand_in(node, row(1, MINE, "100"))
    assert again["accepted"] == report["read"]


@pytest.mark.parametrize("dataset", [BICYCLES, GARAGES])
def test_of_a_faulty_row_about_a_person_its_place_and_fault_are_kept_and_nothing_else(
    node: Node, dataset: str
) -> None:
    node.gate.consenting.add(ME)
    report = hand_in(node, row(1, MINE), dataset=dataset)
    assert (report["state"], report["accepted"], report["rejected"]) == ("done", 6, 1)
    told = {"file": "cycles.csv", "line": 2, "field": "temperature"}
    assert report["reasons"] == [{"reason": "not_a_number", "count": 1, "rows": [told]}]
    assert [content[1:] for content in kept(node)] == [("not_a_number", "", '""')]
    assert node.get(f"/v1/imports/{report['import_id']}/rejects")["items"] == []
    refused = replay(node, report, kept(node)[0][0], "{}")
    assert (refused.status_code, refused.json()["errors"][0]["rule"]) == (400, NOTHING_KEPT)


def test_a_corrected_row_without_consent_is_not_kept_either(node: Node) -> None:
    owned(node, "oprit")
    report = parked(node, "Oprit")
    (faulty,) = node.get(f"/v1/imports/{report['import_id']}/rejects")["items"]
    answer = replay(node, report, faulty["id"], {**faulty["raw"], "Occupancy": "100"}).json()
    assert [one["reason"] for one in answer["rows"]] == ["no_consent"]
    assert not any("Oprit" in content[3] for content in kept(node))


def test_a_corrected_row_that_was_taken_is_kept_no_more_where_it_was_rejected(node: Node) -> None:
    report = parked(node, "Oprit")
    (faulty,) = node.get(f"/v1/imports/{report['import_id']}/rejects")["items"]
    assert replay(node, report, faulty["id"], {**faulty["raw"], "Occupancy": "100"}).json()["accepted"] == 1
    assert [content[2:] for content in kept(node)] == [("", '""')]


def test_what_earlier_versions_kept_of_faulty_rows_about_persons_is_gone_with_the_next_round(
    tmp_path: Path,
) -> None:
    with running(tmp_path, retention_seconds=0.05) as node:
        parked(node, "Centrum")
        report = hand_in(node, row(1, MINE))
        with sqlite3.connect(tmp_path / "ingest.db") as connection:
            connection.execute(
                "UPDATE reject SET value = 'many', raw = ? WHERE file = 'cycles.csv'", [f'"{ME} 52.1"']
            )
        connection.close()
        assert raws(node, report) == "[]", "nobody sees it until then either"
        assert "many" not in str(node.get(f"/v1/imports/{report['import_id']}"))
        eventually(lambda: not any(MINE in content[3] for content in kept(node)))
        assert any("Centrum" in content[3] for content in kept(node))


def test_rejected_rows_and_files_of_what_broke_off_end_with_their_term(tmp_path: Path) -> None:
    with running(tmp_path) as node:
        parked(node, "Centrum")
        node.bus.away = True
        lost = hand_in(node, row(1, MINE, "100"))
        assert lost["resumable"]
        folder = tmp_path / "imports" / lost["import_id"]
        assert folder.is_dir()
    month = 31 * DAY
    with running(tmp_path, retention_seconds=0.05) as node:
        time.sleep(0.2)  # some rounds
        assert folder.is_dir()
        with sqlite3.connect(tmp_path / "ingest.db") as connection:
            connection.execute(
                "UPDATE import SET started_at = started_at - ?, ended_at = ended_at - ?", [month] * 2
            )
        connection.close()
        eventually(lambda: not folder.is_dir() and not any("Centrum" in content[3] for content in kept(node)))
        after = node.get(f"/v1/imports/{lost['import_id']}")
        assert (after["resumable"], after["detail"]) == (False, FILES_PAST_TERM)


def test_what_an_earlier_version_kept_of_such_rows_is_gone_after_the_next_start(tmp_path: Path) -> None:
    with running(tmp_path) as node:
        report = hand_in(node, row(1, MINE, "100"))
        assert report["rejected"]
        with sqlite3.connect(tmp_path / "ingest.db") as connection:
            connection.execute("UPDATE reject SET value = ?, raw = ?", [ME, f'"{ME} 52.1"'])
        connection.close()
    with running(tmp_path) as node:
        assert {content[1:] for content in kept(node)} == {("no_consent", "", '""')}
        after = node.get(f"/v1/imports/{report['import_id']}")
        assert (after["rejected"], after["dataset"]) == (report["rejected"], BICYCLES)
