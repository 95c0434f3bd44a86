"""Supervision at the keyboard: standings and findings told in words, decisions kept for ``dmi log check``."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from typer.testing import CliRunner, Result

from dmi_command.cli import app
from tests.unit.command.answering import Answering
from tests.unit.command.test_log import evidence
from tests.unit.command.test_policy_review import CHANGE, REASON

VENDOR = "urn:dmi:participant:sensorbedrijf"
FINDING: dict[str, Any] = {
    "id": "urn:uuid:a", "assigner": "urn:dmi:participant:gemeente", "assignee": VENDOR, "stopped": None,
    "reasons": [REASON], "change": CHANGE,
}  # fmt: skip
STOPPED = {**FINDING, "id": "urn:uuid:b", "stopped": {"at": "2026-11-21T10:00:00Z", "reason": "Weg / Left"}}
STANDING: dict[str, Any] = {
    "id": VENDOR, "running": {"given": 1, "got": 2}, "findings": 1, "stopped": 0, "quality": None,
    "contribution": {"offered": 0, "asked": 250_000, "short": 250_000, "early": True, "rides_free": True,
                     "taken": 300_000},
}  # fmt: skip
BASE = "/exchange/v1/inspection"


def run(*arguments: object) -> Result:
    return CliRunner().invoke(app, ["inspect", *map(str, arguments)])


def test_standings_and_findings_are_told_with_the_smallest_change(answering: Answering) -> None:
    answering.on("GET", f"{BASE}/participants", {"items": [STANDING], "next": None})
    assert "takes without offering" in run("participants").output
    limit = {"limit": "dmi:limit:commons", "minimum": None, "maximum": 250_000, "unit": "EUR cent"}
    whole = {
        **STANDING,
        "limits": [{**limit, "used": 300_000, "over": True, "under": "x"}],
        "found": [FINDING],
    }
    answering.on("GET", f"{BASE}/participants/{VENDOR}", whole)
    told = run("participant", VENDOR).output
    assert "300000" in told
    assert "Retention (GDPR art. 5(1)(e)): text" in told
    answering.on("GET", f"{BASE}/findings", {"items": [FINDING, STOPPED], "next": None})
    told = run("findings").output
    assert "smallest change: keep 30 days" in told
    assert "stopped 2026-11-21T10:00:00Z: Weg / Left" in told
    answering.on("GET", f"{BASE}/findings", {"items": [], "next": None})
    assert run("findings", "--of", VENDOR).output == "the review found nothing\n"
    assert answering.requests[-1].url.params["participant"] == VENDOR


def test_decisions_that_were_searched_are_kept_for_an_outsider_to_check(
    answering: Answering, tmp_path: Path
) -> None:
    file = tmp_path / "kept.json"
    entry = {"sequence": 2, "at": "2026-11-21T10:00:00Z", "assignee": None, "action": "dmi:read"}
    answering.on(
        "GET", "/exchange/v1/log", {"items": [{**entry, "dataset": "x", "allowed": False}], "next": None}
    )
    answering.on("GET", "/exchange/v1/log/evidence", evidence(3))
    done = run(
        "log", "--outcome", "refused", "--from", "2026-11-21T00:00:00Z", "--of", VENDOR, "--save", file
    )
    assert done.exit_code == 0, done.output
    searched, kept = answering.requests[-2:]
    assert searched.url.params["outcome"] == "refused"
    assert searched.url.params["participant"] == VENDOR
    assert searched.url.params["from"] == "2026-11-21T00:00:00Z"
    assert kept.url.params.get_list("entry") == ["2"]
    assert json.loads(file.read_bytes())["head"]["tree_size"] == 3
    checked = CliRunner().invoke(app, ["log", "check", str(file)])
    assert checked.exit_code == 0
