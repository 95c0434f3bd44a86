"""What the command prints in place of documents: agreements in short, figures in three digits, refusals once."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from dmi_command.cli import app
from dmi_command.console import out
from dmi_command.errors import AnswerRefused
from dmi_command.reports import three_digits
from tests.unit.command.answering import Answering

PAPER = "urn:uuid:24d37312-4f0e-4c53-9a55-5d0d0c7f5f01"
AGREEMENT: dict[str, Any] = {
    "id": PAPER, "state": "active", "datasets": ["urn:dmi:dataset:gemeente:garages"], "consent": False,
    "assigner": "urn:dmi:participant:gemeente", "assignee": "urn:dmi:participant:stack",
    "document": {"@context": ["http://www.w3.org/ns/odrl.jsonld"], "permission": [{"action": "dmi:read"}]},
    "signatures": {"urn:dmi:participant:gemeente": "eyJhbGciOiJFZERTQSJ9..c2ln"}, "waiting_for": [],
    "concluded_at": "2026-11-21T10:00:00Z", "ended_at": None, "ended_by": None, "end_reason": None,
}  # fmt: skip
PROPOSAL = {
    **AGREEMENT, "state": "proposed", "concluded_at": None, "signatures": {},
    "waiting_for": ["urn:dmi:participant:gemeente"],
}  # fmt: skip
ENDED = {
    **AGREEMENT, "state": "ended", "ended_at": "2026-11-21T11:00:00Z",
    "ended_by": "urn:dmi:participant:gemeente", "end_reason": "niet meer nodig",
}  # fmt: skip
SHORT = [
    f"id            {PAPER}",
    "state         active",
    "datasets      urn:dmi:dataset:gemeente:garages",
    "assigner      urn:dmi:participant:gemeente",
    "assignee      urn:dmi:participant:stack",
    "concluded_at  2026-11-21T10:00:00Z",
]


@pytest.fixture
def stack(answering: Answering) -> Answering:
    """A stack in which the agreement can be signed and stopped."""
    answering.on("GET", f"/exchange/v1/agreements/{PAPER}", PROPOSAL)
    answering.on("POST", f"/exchange/v1/agreements/{PAPER}/signature", AGREEMENT)
    answering.on("POST", f"/exchange/v1/agreements/{PAPER}/end", ENDED)
    answering.on("POST", f"/exchange/v1/consents/{PAPER}/withdraw", {**ENDED, "consent": True})
    return answering


def test_signing_tells_id_state_dataset_parties_and_moment_without_the_document(stack: Answering) -> None:
    done = CliRunner().invoke(app, ["agreement", "sign", PAPER])
    assert done.stdout.splitlines() == SHORT


def test_signing_again_says_in_one_line_that_nothing_has_changed(stack: Answering) -> None:
    waiting = {**AGREEMENT, "state": "proposed", "waiting_for": ["urn:dmi:participant:stack"]}
    stack.on("GET", f"/exchange/v1/agreements/{PAPER}", waiting)
    stack.on("POST", f"/exchange/v1/agreements/{PAPER}/signature", waiting)
    done = CliRunner().invoke(app, ["agreement", "sign", PAPER])
    assert done.exit_code == 0, done.exception
    assert done.stderr.splitlines() == [
        "You had signed this already: nothing has changed; it waits for urn:dmi:participant:stack"
    ]


def test_signing_for_the_first_time_says_nothing_more(stack: Answering) -> None:
    assert CliRunner().invoke(app, ["agreement", "sign", PAPER]).stderr == ""


@pytest.mark.parametrize("command", [[], ["agreement", "sign"]])
def test_the_help_tells_who_acts_without_an_identity(command: list[str]) -> None:
    said = " ".join(CliRunner().invoke(app, [*command, "--help"]).stdout.replace("│", " ").split())
    assert "Without" in said
    assert "officer" in said.split("Without", 1)[1]


@pytest.mark.parametrize(
    "command", [["revoke", PAPER, "--reason", "niet meer nodig"], ["consent", "withdraw", PAPER]]
)
def test_stopping_tells_by_whom_when_and_why_without_the_document(
    command: list[str], stack: Answering
) -> None:
    lines = CliRunner().invoke(app, command).stdout.splitlines()
    assert lines[1] == "state         ended"
    assert lines[-4:] == [
        "concluded_at  2026-11-21T10:00:00Z",
        "ended_at      2026-11-21T11:00:00Z",
        "ended_by      urn:dmi:participant:gemeente",
        "end_reason    niet meer nodig",
    ]


PERMISSION = {
    "constraint": [
        {"leftOperand": "purpose", "operator": "isA", "rightOperand": "dmi:purpose:air-quality"},
        {"leftOperand": "recipient", "operator": "isAnyOf", "rightOperand": ["urn:dmi:participant:gemeente"]},
    ]
}
CONSENT = {
    **AGREEMENT, "assigner": "urn:dmi:person:noor", "assignee": "urn:dmi:party:everyone", "consent": True,
    "document": {"permission": [PERMISSION, PERMISSION]},
}  # fmt: skip


def test_consents_tell_for_what_they_are_and_to_whom(answering: Answering) -> None:
    research = {"leftOperand": "purpose", "operator": "isA", "rightOperand": "dmi:purpose:academic-research"}
    ended = {
        **CONSENT, "id": PAPER.replace("1", "2"), "state": "ended", "ended_at": "2026-11-21T11:00:00Z",
        "document": {"permission": [{"constraint": [research]}]},
    }  # fmt: skip
    answering.on("GET", "/exchange/v1/consents", {"items": [CONSENT, ended], "next": None})
    rows = CliRunner().invoke(app, ["consent", "list", "--wide"]).stdout.splitlines()
    assert rows[0].split() == ["id", "datasets", "purposes", "recipients", "state"]
    assert rows[1].split()[2:] == ["dmi:purpose:air-quality", "urn:dmi:participant:gemeente", "active"]
    told = ["dmi:purpose:academic-research", "urn:dmi:party:everyone", "ended"]
    assert rows[2].split()[2:] == told


def test_giving_consent_tells_the_recipient_that_it_names_and_not_everyone(answering: Answering) -> None:
    answering.on("POST", "/exchange/v1/consents", {"items": [CONSENT], "next": None})
    command = ["consent", "give", "urn:dmi:dataset:gemeente:garages", "dmi:purpose:air-quality"]
    told = CliRunner().invoke(app, [*command, "--recipient", "urn:dmi:participant:gemeente"]).stdout
    assert "recipients    urn:dmi:participant:gemeente" in told.splitlines()
    assert "purposes      dmi:purpose:air-quality" in told.splitlines()
    assert "everyone" not in told


def test_participants_are_told_with_whether_they_take_part(answering: Answering) -> None:
    stays = {"id": "urn:dmi:participant:a", "name": "A", "roles": [], "rulebook": "1.0.0", "active": True}
    left = {**stays, "id": "urn:dmi:participant:b", "name": "B", "active": False, "keys": [{"kid": "k"}]}
    answering.on("GET", "/exchange/v1/participants", {"items": [stays, left], "next": None})
    _, *rows = CliRunner().invoke(app, ["participant", "list"]).stdout.splitlines()
    assert [row.split()[1] for row in rows] == ["A", "B"]
    assert [row.endswith("takes part") for row in rows] == [True, False]
    assert rows[1].split()[-1] == "left"
    answering.on("POST", f"/exchange/v1/participants/{left['id']}/end", left)
    told = CliRunner().invoke(app, ["participant", "end", "urn:dmi:participant:b"]).stdout
    assert told.splitlines() == ["id     urn:dmi:participant:b", "name   B", "state  left"]


def test_participants_of_all_pages_are_listed(answering: Answering) -> None:
    first = {"id": "urn:dmi:participant:a", "name": "A", "roles": [], "rulebook": "1.0.0", "active": True}
    path = "/exchange/v1/participants"
    answering.on("GET", path, {"items": [first], "next": first["id"]})
    second = {**first, "id": "urn:dmi:participant:b", "name": "B"}
    answering.on("GET", f"{path}?cursor=urn%3Admi%3Aparticipant%3Aa", {"items": [second], "next": None})
    _, *rows = CliRunner().invoke(app, ["participant", "list"]).stdout.splitlines()
    assert [row.split()[1] for row in rows] == ["A", "B"]


def test_giving_consent_tells_each_of_the_consents_that_were_made(answering: Answering) -> None:
    given = {"items": [AGREEMENT, {**AGREEMENT, "id": PAPER.replace("1", "2")}], "next": None}
    answering.on("POST", "/exchange/v1/consents", given)
    command = ["consent", "give", "urn:dmi:dataset:gemeente:garages", "dmi:purpose:public-task"]
    command += ["--recipient", "urn:dmi:participant:stack", "--recipient", "urn:dmi:participant:buren"]
    done = CliRunner().invoke(app, command)
    assert done.exit_code == 0, done.output
    lines = done.stdout.splitlines()
    assert [line.split()[1] for line in lines if line.startswith("id ")] == [
        each["id"] for each in given["items"]
    ]
    assert json.loads(CliRunner().invoke(app, [*command, "--json"]).stdout) == given


@pytest.mark.parametrize(("command", "whole"), [(["agreement", "sign"], AGREEMENT), (["revoke"], ENDED)])
def test_with_json_the_document_comes_along(
    command: list[str], whole: dict[str, Any], stack: Answering
) -> None:
    assert json.loads(CliRunner().invoke(app, [*command, PAPER, "--json"]).stdout) == whole


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (12.345678901234567, "12.3"), (0.8012345, "0.801"), (9.999, "10.0"), (1234.5, "1,230"), (0.0, "0.00"),
        (0.000123456, "0.000123"), (-4.5678, "-4.57"), (None, "-"), (30, "30"), (123456, "123,456"),
    ],
)  # fmt: skip
def test_a_figure_has_three_significant_digits_and_a_count_all_of_them(
    value: float | None, text: str
) -> None:
    assert three_digits(value) == text


@pytest.mark.parametrize("width", [40, 80])
def test_a_backtest_has_whole_headings_and_short_figures(
    width: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from dmi_support_centre.models import backtest as module

    headings = ["horizon_min", "mae", "mae_persistence", "mae_last_week", "coverage", "count"]
    figures = [30, 12.345678901234567, 20.123456789, None, 0.80123456789, 1234]

    class Result:
        def __len__(self) -> int:
            return 1234

        def write(self, path: Path) -> None:
            path.write_text("place\n", encoding="utf-8")

        def summary(self) -> dict[str, object]:
            return {"horizons": [dict(zip(headings, figures, strict=True))], "seconds": 0.1}

    monkeypatch.setattr(module, "backtest", lambda *_args, **_options: Result())
    monkeypatch.setattr(out, "width", width)
    source = tmp_path / "a.csv"
    source.write_text("x", encoding="utf-8")
    command = ["backtest", "birmingham-parking", "--train", str(source), "--test", str(source)]
    done = CliRunner().invoke(app, [*command, "--out", str(tmp_path / "out.csv")])
    assert done.exit_code == 0, done.exception
    words = done.stdout.split()
    assert set(headings) <= set(words)
    assert {"30", "12.3", "20.1", "-", "0.801", "1,234"} <= set(words)


@pytest.mark.parametrize(
    ("problem", "lines"),
    [
        (
            {"detail": "state: has ended", "errors": [{"field": "state", "rule": "has ended", "value": "x"}]},
            ["state: has ended"],
        ),
        (
            {"detail": "has ended", "errors": [{"field": "state", "rule": "has ended", "value": ""}]},
            ["state: has ended"],
        ),
        (
            {"detail": "two rules", "errors": [{"field": "a", "rule": "b"}, {"field": "c", "rule": "d"}]},
            ["two rules", "  a: b", "  c: d"],
        ),
        (
            {"detail": f"{PAPER} has expired", "agreement": PAPER, "moment": "2026-11-21T11:00:00Z"},
            [f"{PAPER} has expired", "  at 2026-11-21T11:00:00Z"],
        ),
        ({"detail": f"{PAPER} prohibits it", "agreement": PAPER}, [f"{PAPER} prohibits it"]),
        (
            {"detail": "ended", "agreement": PAPER, "moment": "2026-11-21T11:00:00Z"},
            ["ended", f"  agreement {PAPER} at 2026-11-21T11:00:00Z"],
        ),
    ],
)
def test_a_refusal_says_everything_once(problem: dict[str, Any], lines: list[str]) -> None:
    assert str(AnswerRefused(problem)).splitlines() == lines
