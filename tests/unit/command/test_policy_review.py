"""The review at the keyboard: told in words, exit code 1 when it does not pass, and the mended document on request."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from dmi_command.cli import app
from dmi_command.errors import CommandFailed, UsageWrong
from tests.unit.command.answering import Answering

TEXT = {"nl": "tekst", "en": "text"}
REASON = {
    "rule": "dmi:rule:retention", "label": {"nl": "Bewaren", "en": "Retention"}, "law": "GDPR art. 5(1)(e)",
    "path": "/permission/0/duty", "explanation": {"nl": "Uitleg.", "en": "Explanation."}, "detail": TEXT,
}  # fmt: skip
CHANGE: dict[str, Any] = {
    "steps": [{"nl": "bewaar 30 dagen", "en": "keep 30 days"}],
    "document": {"uid": "x"},
    "patch": [],
}


@pytest.fixture
def file(tmp_path: Path) -> Path:
    made = tmp_path / "agreement.json"
    made.write_text("{}")
    return made


def test_a_document_that_passes_is_told_so(answering: Answering, file: Path) -> None:
    answering.on(
        "POST", "/exchange/v1/review", {"passes": True, "rulebook": "1.0.0", "reasons": [], "change": None}
    )
    done = CliRunner().invoke(app, ["policy", "review", str(file)])
    assert (done.exit_code, done.stdout) == (0, "passes under rulebook 1.0.0\n")


def test_one_that_does_not_is_told_why_and_what_would_do(
    answering: Answering, file: Path, tmp_path: Path
) -> None:
    verdict = {"passes": False, "rulebook": "1.0.0", "reasons": [REASON], "change": CHANGE}
    answering.on("POST", "/exchange/v1/review", verdict)
    mended = tmp_path / "mended.json"
    done = CliRunner().invoke(app, ["policy", "review", str(file), "--mended", str(mended)])
    assert isinstance(done.exception, CommandFailed)
    assert done.stdout.splitlines() == [
        "Retention  /permission/0/duty",
        "  Explanation. (text; GDPR art. 5(1)(e))",
        "the smallest change that would do:",
        "  - keep 30 days",
    ]
    in_dutch = CliRunner().invoke(app, ["policy", "review", str(file), "--language", "nl"])
    assert in_dutch.stdout.splitlines() == [
        "Bewaren  /permission/0/duty",
        "  Uitleg. (tekst; GDPR art. 5(1)(e))",
        "de kleinste verandering die genoeg is:",
        "  - bewaar 30 dagen",
    ]
    assert json.loads(mended.read_text()) == {"uid": "x"}


def test_a_file_that_is_no_json_is_refused(answering: Answering, file: Path) -> None:
    file.write_text("{")
    done = CliRunner().invoke(app, ["policy", "review", str(file)])
    assert isinstance(done.exception, UsageWrong)
    assert answering.requests == []


def test_findings_of_running_agreements_are_told_in_english_like_the_command(answering: Answering) -> None:
    finding = {"agreement": "urn:uuid:1", "assignee": "urn:x", "reasons": [{**REASON, "since": "2026-11-21"}]}
    answering.on("GET", "/exchange/v1/review/findings", {"items": [finding], "next": None})
    told = CliRunner().invoke(app, ["policy", "findings"]).stdout
    assert "Retention" in told
    assert "Bewaren" not in told
