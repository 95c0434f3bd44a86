"""Who acts for a person, changed at the keyboard."""

from __future__ import annotations

import json

import pytest
from typer.testing import CliRunner, Result

from dmi_command.cli import app
from dmi_command.errors import UsageWrong
from tests.unit.command.answering import Answering

CHILD, AUNT = "urn:dmi:person:kim", "urn:dmi:person:tante"
PATH = f"/exchange/v1/participants/{CHILD}/representatives"


def run(*options: str) -> Result:
    return CliRunner().invoke(app, ["participant", "represent", CHILD, *options])


def test_who_acts_for_a_person_is_told_whole_and_nobody_is_said_expressly(answering: Answering) -> None:
    answering.on(
        "PUT", PATH, {"id": CHILD, "name": "Kim", "representatives": [AUNT], "of_age_on": "2035-05-01"}
    )
    done = run("--representative", AUNT, "--of-age-on", "2035-05-01")
    assert done.exit_code == 0, done.exception
    assert json.loads(answering.requests[-1].content) == {
        "representatives": [AUNT], "of_age_on": "2035-05-01",
    }  # fmt: skip
    assert AUNT in done.stdout
    answering.on("PUT", PATH, {"id": CHILD, "name": "Kim", "representatives": [], "of_age_on": None})
    done = run("--nobody")
    assert json.loads(answering.requests[-1].content) == {"representatives": []}
    assert "nobody" in done.stdout


@pytest.mark.parametrize("options", [(), ("--nobody", "--representative", AUNT)])
def test_a_forgotten_option_ends_nothing(answering: Answering, options: tuple[str, ...]) -> None:
    assert isinstance(run(*options).exception, UsageWrong)
    assert not [one for one in answering.requests if one.method == "PUT"]
