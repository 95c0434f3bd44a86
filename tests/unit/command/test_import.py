"""``dmi import``: files are looked at before anything is made, and the report is for people."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from dmi_command.cli import app, main
from dmi_command.console import err, out
from dmi_command.errors import CommandFailed, UsageWrong
from tests.unit.command.answering import Answering

OFFICER, STACK = "urn:dmi:participant:gemeente", "urn:dmi:participant:stack"
DATASET = "urn:dmi:dataset:gemeente:birmingham-parking"
IMPORT = "5f0e4c53-0000-4c53-9a55-5d0d0c7f5f01"
HEADER = "SystemCodeNumber,Capacity,Occupancy,LastUpdated\n"
LINES = HEADER + "P1,100,12,2016-10-04 07:59:42\n"
GARAGES = {
    "type": "FeatureCollection",
    "features": [{"properties": {"Name": "P1", "State": "ok", "FreeSpaceShort": "1", "ShortCapacity": "2"}}],
}
FAULTY = [2, 2, 2, 3, 4, 5, 6]
"""Lines of the rejected values: three stand on one line, with one fault."""
REJECTED = [{"file": "a.csv", "line": line, "field": "Occupancy", "value": f"many{line}"} for line in FAULTY]


def _running(answering: Answering, **report: Any) -> None:
    """A stack in which the dataset and its agreement are there, and an import ends with this report."""
    answering.on("GET", "/exchange/v1/me", {"participant": OFFICER})
    answering.on("GET", f"/exchange/v1/datasets/{DATASET}", {"id": DATASET})
    paper = {"assigner": OFFICER, "assignee": STACK}
    answering.on("GET", "/exchange/v1/agreements", {"items": [paper], "next": None})
    whole = {
        "import_id": IMPORT, "kind": "birmingham-parking", "dataset": DATASET, "state": "done", "detail": "",
        "read": 1234567, "accepted": 1234560, "duplicate": 0, "rejected": 7, "observations": 1234560,
        "reasons": [{"reason": "not_a_number", "count": 7, "rows": REJECTED}],
    }  # fmt: skip
    answering.on("POST", "/ingest/v1/imports", {**whole, **report})
    outcome = {
        "read": 1234560, "accepted": 1200000, "duplicate": 34558, "rejected": 2,
        "reasons": [{"reason": "conflict", "count": 2}],
    }  # fmt: skip
    answering.on("GET", f"/platform/v1/outcomes/{IMPORT}", outcome)


@pytest.fixture
def table(tmp_path: Path) -> Path:
    """A file of the kind ``birmingham-parking``."""
    path = tmp_path / "a.csv"
    path.write_text(LINES, encoding="utf-8")
    return path


@pytest.mark.parametrize(
    "kind", ["sail-crowd", "birmingham-parking", "snuffelfiets", "cbs-buurten", "rdw-parking"]
)
def test_a_file_of_another_kind_is_refused_before_anything_is_asked(
    kind: str, answering: Answering, tmp_path: Path
) -> None:
    path = tmp_path / "some-garages.json"
    path.write_text(json.dumps(GARAGES), encoding="utf-8")
    done = CliRunner().invoke(app, ["import", kind, str(path)])
    assert isinstance(done.exception, UsageWrong)
    assert f"not of the kind {kind}, nothing was imported: some-garages.json" in str(done.exception)
    assert answering.requests == []


def test_a_second_file_of_another_kind_is_refused_too(
    answering: Answering, table: Path, tmp_path: Path
) -> None:
    garages, other = tmp_path / "garages.json", tmp_path / "other.json"
    garages.write_text(json.dumps(GARAGES), encoding="utf-8")
    other.write_text('{"type": "FeatureCollection", "features": [{"properties": {}}]}', encoding="utf-8")
    done = CliRunner().invoke(app, ["import", "amsterdam-garages", str(garages), str(other)])
    assert isinstance(done.exception, UsageWrong)
    assert "other.json" in str(done.exception)
    assert answering.requests == []


def test_a_refusal_is_not_broken_into_lines_and_brackets_stay(
    answering: Answering, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "some-garages-of-a-city-[red]-with-a-long-name-that-does-not-fit-on-one-line.json"
    path.write_text("{}", encoding="utf-8")
    monkeypatch.setattr("sys.argv", ["dmi", "import", "amsterdam-garages", str(path)])
    monkeypatch.setattr(err, "width", 60)
    with pytest.raises(SystemExit) as ended:
        main()
    assert ended.value.code == UsageWrong.exit_code
    line = capsys.readouterr().err
    assert line.count("\n") == 1
    assert path.name in line


def test_why_an_import_failed_is_said_once(
    answering: Answering, table: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    reason = "a.csv, line 9: a line of more than 1 MiB (too_long)"
    _running(answering, state="failed", detail=reason, observations=0)
    monkeypatch.setattr("sys.argv", ["dmi", "import", "birmingham-parking", str(table)])
    with pytest.raises(SystemExit) as ended:
        main()
    assert ended.value.code == CommandFailed.exit_code
    shown = capsys.readouterr()
    assert (" ".join((shown.out + shown.err).split())).count(reason) == 1


def test_the_report_gives_counts_as_lines_then_reasons_with_their_first_lines_and_where_all_are(
    answering: Answering, table: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    _running(answering)
    monkeypatch.setattr(out, "width", 80)
    done = CliRunner().invoke(app, ["import", "birmingham-parking", str(table), "--url", "http://h:1"])
    assert done.exit_code == 0, done.exception
    assert [line.rstrip() for line in done.stdout.splitlines()] == [
        f"import     {IMPORT}",
        f"dataset    {DATASET}",
        "state      done",
        "read       1,234,567  (each line after the header)",
        "accepted   1,200,000",
        "duplicate     34,558",
        "rejected           9",
        "",
        "reason        count  line  field      value",
        "not_a_number  7      2     Occupancy  many2",
        "                     3     Occupancy  many3",
        "                     4     Occupancy  many4",
        "conflict      2      -     -          -",
        "",
        "All 9 rejected: page Bronnen en uitval (Sources and rejects), http://h:1/sources",
        f"  7 at the intake: GET http://h:1/ingest/v1/imports/{IMPORT}/rejects",
        f"  2 at the platform: GET http://h:1/platform/v1/rejects?dataset={DATASET}",
    ]


@pytest.mark.parametrize("rows", [[], [{"file": "a.csv", "line": 3, "field": "temperature"}]])
def test_the_report_says_of_how_many_rows_nothing_is_kept(
    answering: Answering, table: Path, monkeypatch: pytest.MonkeyPatch, rows: list[dict[str, Any]]
) -> None:
    _running(answering, reasons=[{"reason": "no_consent", "count": 7, "rows": rows}])
    monkeypatch.setattr(out, "width", 80)
    done = CliRunner().invoke(app, ["import", "birmingham-parking", str(table), "--url", "http://h:1"])
    assert [line.rstrip() for line in done.stdout.splitlines()[-3:]] == [
        "All 9 rejected: page Bronnen en uitval (Sources and rejects), http://h:1/sources",
        "  7 at the intake whose contents are not kept: about persons, or past their term",
        f"  2 at the platform: GET http://h:1/platform/v1/rejects?dataset={DATASET}",
    ]


def test_with_json_the_report_is_whole(answering: Answering, table: Path) -> None:
    _running(answering)
    done = CliRunner().invoke(app, ["import", "birmingham-parking", str(table), "--json"])
    report = json.loads(done.stdout)
    assert report["read"] == report["accepted"] + report["duplicate"] + report["rejected"]
    assert len(report["reasons"][0]["rows"]) == len(REJECTED)


def test_who_imports_by_a_mandate_reads_what_the_intake_says(answering: Answering, table: Path) -> None:
    """What the platform makes of it is told to whom one acts for."""
    _running(answering, actor="urn:dmi:machine:gemeente:gateway")
    problem = {
        "status": 403,
        "detail": "a mandate gives data by the gate",
        "type": "urn:dmi:problem:outside-mandate",
    }
    answering.on("GET", f"/platform/v1/outcomes/{IMPORT}", problem, status=403)
    done = CliRunner().invoke(app, ["import", "birmingham-parking", str(table), "--json"])
    assert done.exit_code == 0, done.output
    assert json.loads(done.stdout)["accepted"] == 1234560


def test_the_help_says_what_read_counts() -> None:
    told = " ".join(CliRunner().invoke(app, ["import", "--help"]).stdout.split())
    assert 'What "read" counts are records' in told
    assert "read = accepted + duplicate + rejected" in told
