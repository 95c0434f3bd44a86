"""Who asks: an access token in DMI_TOKEN goes before the identities of the demonstration, also when it is empty."""

from __future__ import annotations

import pytest
from typer.testing import CliRunner

from dmi_command.cli import app
from dmi_command.errors import UsageWrong
from tests.unit.command.answering import Answering


@pytest.fixture(autouse=True)
def listing(answering: Answering) -> None:
    """The stack lists participants to anybody."""
    answering.on("GET", "/exchange/v1/participants", {"items": [], "next": None})


def bearer(answering: Answering) -> str:
    return answering.requests[-1].headers["authorization"]


@pytest.mark.parametrize("token", ["", " \n"])
def test_an_empty_token_is_refused_and_acts_as_nobody_else(
    token: str, answering: Answering, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DMI_TOKEN", token)
    done = CliRunner().invoke(app, ["participant", "list"])
    assert isinstance(done.exception, UsageWrong)
    assert str(done.exception).startswith("DMI_TOKEN is empty")
    assert answering.requests == []


def test_an_identity_that_is_named_needs_no_token(
    answering: Answering, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DMI_TOKEN", "")
    assert CliRunner().invoke(app, ["participant", "list", "--as", "operator"]).exit_code == 0
    assert bearer(answering) == "Bearer token"


def test_a_token_is_who_asks(answering: Answering, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DMI_TOKEN", "mine")
    assert CliRunner().invoke(app, ["participant", "list"]).exit_code == 0
    assert bearer(answering) == "Bearer mine"
