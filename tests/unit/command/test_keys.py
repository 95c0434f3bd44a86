"""Keys by command: a key is named by its thumbprint, whatever character that begins with."""

from __future__ import annotations

import pytest
from typer.testing import CliRunner

from dmi_command.cli import app
from tests.unit.command.answering import Answering

KEEPER = "urn:dmi:participant:keeper"
ENDED = "ctusd_Qk24c6DSs_uyoJ3kEETgrFP4YBBjNPOAeU"


@pytest.mark.parametrize("beginning", ["", "-", "--", "-_-", "-h"])
def test_a_key_whose_name_begins_with_a_hyphen_is_ended_as_any_other(
    beginning: str, answering: Answering
) -> None:
    kid = f"{beginning}{ENDED}"
    path = f"/exchange/v1/participants/{KEEPER}/keys/{kid}/revocation"
    answering.on("POST", path, {"id": KEEPER, "keys": [{"kid": kid, "revoked": "now"}, {"kid": "new"}]})
    done = CliRunner().invoke(app, ["participant", "revoke-key", KEEPER, kid, "--as", "operator"])
    assert done.exit_code == 0, done.output
    assert answering.asked("POST") == [path]


def test_an_option_that_does_not_exist_is_no_name_of_a_key(answering: Answering) -> None:
    words = ["participant", "revoke-key", KEEPER, ENDED, "--raeson", "superseded"]
    done = CliRunner().invoke(app, words)
    assert done.exit_code == 2
    assert "--raeson" in done.output
    assert answering.requests == []
