"""Machines at the keyboard: entered with a key that never leaves this machine, listed, and stopped."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from typer.testing import CliRunner, Result

from dmi_command.cli import app
from dmi_command.errors import UsageWrong
from dmi_infra.jose import SigningKey
from tests.unit.command.answering import Answering

GATEWAY: dict[str, Any] = {
    "id": "urn:dmi:machine:gemeente:gateway", "title": "Gateway", "active": True, "mandates": [], "keys": [],
}  # fmt: skip


def run(*arguments: object) -> Result:
    return CliRunner().invoke(app, ["machine", *map(str, arguments)])


def test_a_machine_is_entered_with_its_public_key_alone_listed_and_stopped(
    answering: Answering, tmp_path: Path
) -> None:
    answering.on("POST", "/exchange/v1/machines", GATEWAY, 201)
    answering.on("GET", "/exchange/v1/machines", {"items": [GATEWAY], "next": None})
    answering.on("POST", f"/exchange/v1/machines/{GATEWAY['id']}/end", {**GATEWAY, "active": False})
    key = tmp_path / "gateway.json"
    done = run("add", "gateway", "--machine-key", key)
    assert (done.exit_code, GATEWAY["id"] in done.output) == (0, True)
    sent = json.loads(answering.requests[-1].content)
    assert (sent["name"], sent["title"]) == ("gateway", "gateway")
    assert "d" not in sent["key"]
    assert SigningKey.load_or_create(key).public == sent["key"]
    assert GATEWAY["id"] in run("list").output
    assert json.loads(run("end", GATEWAY["id"], "--json").output)["active"] is False


def test_the_holder_of_a_mandate_gets_a_token_for_it_by_its_own_key(
    answering: Answering, tmp_path: Path
) -> None:
    answering.on("POST", "/exchange/token", {"access_token": "abc", "expires_in": 600})
    key = tmp_path / "gateway.json"
    command = ["mandate", "token", "urn:uuid:1", "--key", str(key), "--participant", GATEWAY["id"]]
    missing = CliRunner().invoke(app, command)
    assert "there is no file" in str(missing.exception)
    SigningKey.load_or_create(key)
    done = CliRunner().invoke(app, command)
    assert (done.exit_code, done.output) == (0, "abc\n")
    assert "mandate=urn%3Auuid%3A1" in answering.requests[-1].content.decode()


def test_a_machine_that_names_its_mandate_in_short_is_told_to_name_it_whole(
    answering: Answering, tmp_path: Path
) -> None:
    rule = "must be named: a machine acts by one of its participant alone"
    problem = {
        "status": 400, "detail": f"mandate: {rule}", "type": "urn:dmi:problem:invalid-input",
        "errors": [{"field": "mandate", "rule": rule}],
    }  # fmt: skip
    answering.on("POST", "/exchange/token", problem, 400)
    key = tmp_path / "gateway.json"
    SigningKey.load_or_create(key)
    words = ["mandate", "token", "24d37312", "--key", str(key), "--participant", GATEWAY["id"]]
    refused = CliRunner().invoke(app, words).exception
    assert isinstance(refused, UsageWrong)
    assert str(refused) == "MANDATE must be a whole id for a machine, not 24d37312"
