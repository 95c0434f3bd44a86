"""What a person did not want to give is kept nowhere: an import counts such rows, and that is all."""

from __future__ import annotations

import sqlite3
from pathlib import Path
from typing import Any

from dmi_ingest.imports import NOTHING_KEPT
from tests.unit.ingest.fakes import BICYCLES, Node, running
from tests.unit.ingest.test_erasing import ME, MINE, hand_in, row


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


def test_a_corrected_row_without_consent_is_not_kept_either(node: Node) -> None:
    report = hand_in(node, row(1, MINE))
    (faulty,) = node.get(f"/v1/imports/{report['import_id']}/rejects")["items"]
    answer = replay(node, report, faulty["id"], {**faulty["raw"], "temperature": "100"}).json()
    assert [one["reason"] for one in answer["rows"]] == ["no_consent"]
    assert not any(MINE in content[3] for content in kept(node))


def test_a_corrected_row_that_was_taken_is_kept_no_more_where_it_was_rejected(node: Node) -> None:
    node.gate.consenting.add(ME)
    report = hand_in(node, row(1, MINE))
    (faulty,) = node.get(f"/v1/imports/{report['import_id']}/rejects")["items"]
    assert replay(node, report, faulty["id"], {**faulty["raw"], "temperature": "100"}).json()["accepted"] == 1
    assert [content[2:] for content in kept(node)] == [("", '""')]


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
