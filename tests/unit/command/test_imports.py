"""``dmi imports``: whose share of the room is full finds what fills it, resumes it or deletes its files."""

from __future__ import annotations

import json
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from dmi_command.cli import app
from dmi_command.console import err
from dmi_command.errors import AnswerRefused, CommandFailed
from tests.unit.command.answering import Answering

BASE = "/ingest/v1/imports"
DATASET = "urn:dmi:dataset:gemeente:birmingham-parking"
FIRST, SECOND = "5f0e4c53-0000-4c53-9a55-5d0d0c7f5f01", "5f0e4c53-0000-4c53-9a55-5d0d0c7f5f02"
LOST: dict[str, Any] = {
    "import_id": FIRST, "kind": "birmingham-parking", "dataset": DATASET, "state": "failed", "resumable": True,
    "detail": "the bus cannot be reached", "read": 5, "accepted": 5, "duplicate": 0, "rejected": 0,
    "observations": 5, "reasons": [], "started_at": "2026-11-22T10:00:00Z",
}  # fmt: skip
DONE = {**LOST, "import_id": SECOND, "state": "done", "resumable": False, "detail": ""}


def run(*arguments: str) -> Result:
    return CliRunner().invoke(app, ["imports", *arguments])


def listed(*arguments: str) -> list[str]:
    return [item["import_id"] for item in json.loads(run("list", *arguments, "--json").stdout)["items"]]


def test_what_broke_off_is_found_behind_all_that_went_well_since(answering: Answering) -> None:
    answering.on("GET", f"{BASE}?limit=200", {"items": [DONE], "next": "7"})
    answering.on("GET", f"{BASE}?limit=200&cursor=7", {"items": [LOST], "next": None})
    assert (listed(), listed("--resumable")) == ([SECOND], [FIRST])


def test_the_list_is_for_people_too(answering: Answering) -> None:
    answering.on("GET", BASE, {"items": [LOST], "next": None})
    shown = run("list").stdout
    assert FIRST in shown
    assert "the bus cannot be reached" in shown


@pytest.fixture
def broken_off(answering: Answering) -> Answering:
    """A platform that processed three rows of the first import before it broke off, and five when it was resumed."""
    found = {"accepted": 5, "duplicate": 3, "rejected": 0, "reasons": []}
    answering.on("GET", f"/platform/v1/outcomes/{FIRST}", found)
    answering.on(
        "GET", "/ingest/v1/kinds", [{"kind": "birmingham-parking", "unit_read": {"en": "each line"}}]
    )
    return answering


def test_an_import_is_resumed_and_told_when_it_is_over(broken_off: Answering) -> None:
    broken_off.on("POST", f"{BASE}/{FIRST}/resume", {**LOST, "state": "running", "resumable": False}, 202)
    broken_off.on("GET", f"{BASE}/{FIRST}", {**DONE, "import_id": FIRST})
    done = run("resume", FIRST)
    assert done.exit_code == 0, done.exception
    assert ["state", "done"] in [line.split() for line in done.stdout.splitlines()]
    assert "(each line)" in done.stdout
    assert ["duplicate", "0"] in [line.split() for line in done.stdout.splitlines()], (
        "the counts add up to what it read"
    )


def test_one_that_breaks_off_again_says_how_to_go_on(
    broken_off: Answering, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(err, "width", 200)
    broken_off.on("POST", f"{BASE}/{FIRST}/resume", LOST)
    failed = run("resume", FIRST).exception
    assert isinstance(failed, CommandFailed)
    assert str(failed).splitlines() == [
        "the bus cannot be reached",
        f"  its files are kept: dmi imports resume {FIRST}, or dmi imports delete {FIRST}",
    ]


def test_files_of_several_imports_are_deleted(answering: Answering) -> None:
    for each in (FIRST, SECOND):
        answering.on("DELETE", f"{BASE}/{each}", b"", 204)
    done = run("delete", FIRST, SECOND)
    assert (done.exit_code, done.stdout.count("deleted")) == (0, 2), done.exception
    assert answering.asked("DELETE") == [f"{BASE}/{FIRST}", f"{BASE}/{SECOND}"]


def test_what_has_no_files_is_refused_in_words(answering: Answering) -> None:
    rule = "only a failed import that is resumable has files to delete"
    problem = {"status": 409, "detail": f"state: {rule}", "errors": [{"field": "state", "rule": rule}]}
    answering.on("DELETE", f"{BASE}/{SECOND}", problem, 409)
    refused = run("delete", SECOND).exception
    assert isinstance(refused, AnswerRefused)
    assert rule in str(refused)
