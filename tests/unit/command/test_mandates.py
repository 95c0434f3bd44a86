"""Mandates at the keyboard: given from now on, named by short ids, and refused under the names of the options."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from dmi_command.cli import app
from dmi_command.console import out
from dmi_command.errors import AnswerRefused, UsageWrong
from dmi_infra import clock
from dmi_infra.jose import SigningKey
from tests.unit.command.answering import Answering

VENDOR, GARAGES = "urn:dmi:participant:sensorbedrijf", "urn:dmi:dataset:gemeente:garages"
FIRST = "urn:uuid:24d37312-4f0e-4c53-9a55-5d0d0c7f5f01"
SECOND = "urn:uuid:9b1c0d2e-4f0e-4c53-9a55-5d0d0c7f5f03"
WANTED = {"--dataset": GARAGES, "--action": "dmi:read", "--purpose": "dmi:purpose:any"}
UNTIL = "2027-03-01T00:00:00Z"


def _mandate(identifier: str) -> dict[str, Any]:
    return {
        "id": identifier, "mandator": "urn:dmi:participant:gemeente", "mandatary": VENDOR, "datasets": [GARAGES],
        "actions": ["dmi:read"], "until": UNTIL, "state": "active",
    }  # fmt: skip


@pytest.fixture
def stack(answering: Answering) -> Answering:
    """A stack in which the caller has given two mandates, and may give more."""
    answering.on("GET", "/exchange/v1/mandates", {"items": [_mandate(FIRST), _mandate(SECOND)], "next": None})
    answering.on("POST", "/exchange/v1/mandates/draft", {"uid": FIRST})
    answering.on("POST", "/exchange/v1/mandates", _mandate(FIRST), 201)
    answering.on("POST", f"/exchange/v1/mandates/{SECOND}/end", _mandate(SECOND))
    answering.on("GET", f"/exchange/v1/mandates/{SECOND}/evidence", {"delegation_token": "a.b.c"})
    answering.on("POST", "/exchange/token", {"access_token": "abc", "expires_in": 600})
    return answering


def run(*arguments: object) -> Result:
    return CliRunner().invoke(app, ["mandate", *map(str, arguments)])


def give(mandatary: str = VENDOR, **options: str) -> Result:
    given = WANTED | {"--until": UNTIL} | {f"--{name.strip('_')}": text for name, text in options.items()}
    return run("give", mandatary, *(part for option in given.items() for part in option))


def drafted(stack: Answering) -> dict[str, Any]:
    (asked,) = [each for each in stack.requests if each.url.path.endswith("/draft")]
    body: dict[str, Any] = json.loads(asked.content)
    return body


def test_a_mandate_begins_now_unless_another_moment_is_given(stack: Answering) -> None:
    before = clock.now()
    assert give().exit_code == 0
    assert before <= clock.from_text(drafted(stack)["from"]) <= clock.now()
    stack.requests.clear()
    give(from_="2026-12-01T00:00:00Z")
    assert drafted(stack)["from"] == "2026-12-01T00:00:00Z"


def test_a_short_id_names_a_mandate(stack: Answering, tmp_path: Path) -> None:
    assert run("end", "9b1c0d2e").exit_code == 0
    assert stack.asked("POST") == [f"/exchange/v1/mandates/{SECOND}/end"]
    assert run("evidence", "9b1c0d2e").stdout == "a.b.c\n"
    give(parent="9b1c0d2e")
    assert drafted(stack)["parent"] == SECOND
    key = tmp_path / "key.json"
    SigningKey.load_or_create(key)
    assert run("token", "9b1c0d2e", "--key", key, "--participant", VENDOR).stdout == "abc\n"
    assert f"mandate={SECOND.replace(':', '%3A')}" in stack.requests[-1].content.decode()
    none = run("end", "00000000")
    assert isinstance(none.exception, UsageWrong)
    assert "no mandate of this identity begins with 00000000; see dmi mandate list" in str(none.exception)


def test_eighty_columns_hold_a_list_of_mandates_with_short_ids(
    stack: Answering, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(out, "width", 100)
    assert "9b1c0d2e  gemeente" in run("list").stdout
    assert SECOND in run("list", "--wide").stdout


@pytest.mark.parametrize(
    ("option", "given"), [("until", "2027-03-01"), ("from_", "tomorrow"), ("until", "2027-03-01T00:00:00")]
)
def test_a_moment_without_an_offset_is_refused_with_the_option_and_the_rule(
    option: str, given: str, stack: Answering
) -> None:
    refused = give(**{option: given}).exception
    assert isinstance(refused, UsageWrong)
    assert str(refused) == (
        f"--{option.strip('_')} must be RFC 3339 with an offset, for example {UNTIL}, not {given}"
    )
    assert stack.requests == []


def test_a_bare_name_is_refused_where_an_id_belongs(stack: Answering, tmp_path: Path) -> None:
    key = tmp_path / "key.json"
    SigningKey.load_or_create(key)
    rule = "must be a whole id, such as urn:dmi:participant:gemeente, not sensorbedrijf"
    assert str(give("sensorbedrijf").exception) == f"MANDATARY {rule}"
    for command, name in (
        (["participant", "rotate", "sensorbedrijf", "--key", key], "PARTICIPANT"),
        (["participant", "revoke-key", "sensorbedrijf", "kid"], "PARTICIPANT"),
        (["mandate", "token", FIRST, "--key", key, "--participant", "sensorbedrijf"], "--participant"),
        (["mandate", "list", "--key", key, "--participant", "sensorbedrijf"], "--participant"),
    ):
        refused = CliRunner().invoke(app, list(map(str, command))).exception
        assert isinstance(refused, UsageWrong)
        assert str(refused) == f"{name} {rule}"
    assert stack.requests == []


@pytest.mark.parametrize(
    ("field", "option"),
    [
        ("document/mandatary", "MANDATARY"), ("document/actions/1", "--action"), ("document/until", "--until"),
        ("document/dmi:rulebook", "document/dmi:rulebook"),
    ],
)  # fmt: skip
def test_what_the_stack_refuses_is_told_under_the_name_of_the_option(
    field: str, option: str, stack: Answering
) -> None:
    problem = {
        "status": 400, "detail": f"{field}: must be otherwise", "type": "urn:dmi:problem:invalid-input",
        "errors": [{"field": field, "rule": "must be otherwise"}],
    }  # fmt: skip
    stack.on("POST", "/exchange/v1/mandates/draft", problem, 400)
    refused = give().exception
    assert isinstance(refused, AnswerRefused)
    assert str(refused) == f"{option}: must be otherwise"


def test_evidence_that_is_not_there_is_refused_by_the_name_of_its_file(
    stack: Answering, tmp_path: Path
) -> None:
    done = CliRunner().invoke(app, ["mandate", "take-in", str(tmp_path / "away.jwt")])
    assert done.exit_code == 2
    assert "away.jwt" in "".join(done.output.replace("│", "").split())
    assert stack.requests == []
