"""Negotiations with other nodes at the keyboard."""

from __future__ import annotations

import json
from pathlib import Path

from typer.testing import CliRunner

from dmi_command.cli import app
from dmi_infra.jose import SigningKey, verify_document
from tests.unit.command.answering import Answering

NEGOTIATION = "urn:uuid:24d37312-4f0e-4c53-9a55-5d0d0c7f5f01"
VENDOR = "urn:dmi:participant:sensorbedrijf"
DOCUMENT = {"assigner": "urn:dmi:participant:buurstad", "assignee": VENDOR, "action": "dmi:export"}


def test_what_is_signed_with_a_key_of_ones_own_is_shown(answering: Answering, tmp_path: Path) -> None:
    file = tmp_path / "key.json"
    key = SigningKey.load_or_create(file)
    path = f"/exchange/v1/negotiations/{NEGOTIATION}"
    answering.on("POST", "/exchange/token", {"access_token": "abc", "expires_in": 600})
    answering.on("GET", f"{path}/document", DOCUMENT)
    answering.on("POST", f"{path}/signature", {"id": NEGOTIATION, "state": "VERIFIED"})
    options = ["--key", str(file), "--participant", VENDOR, "--json"]
    said = CliRunner().invoke(app, ["dataspace", "sign", NEGOTIATION, *options])
    assert said.exit_code == 0, said.output
    assert json.loads(said.stdout)["state"] == "VERIFIED"
    assert json.loads(said.stderr.partition("You sign:")[2]) == DOCUMENT
    (sent,) = [
        json.loads(each.content) for each in answering.requests if each.url.path == f"{path}/signature"
    ]
    assert verify_document(DOCUMENT, sent["jws"], [key.public]) == key.kid
