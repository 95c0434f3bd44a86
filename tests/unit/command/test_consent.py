"""Consent at the keyboard: a receipt in plain words that is checked before it is kept."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from dmi_command.cli import app
from dmi_command.errors import CommandFailed
from dmi_infra.jose import RECEIPT, SigningKey, verify_document
from tests.unit.command.answering import Answering

CONSENT = "urn:uuid:7c9e6679-7425-40de-944b-e07fc1f90ae7"
PATH = f"/exchange/v1/consents/{CONSENT}"
CONTENT = {"@type": "dpv:ConsentReceipt", "dct:identifier": "1"}
TEXT = {"nl": ["Noor gaf deze toestemming."], "en": ["Noor gave this consent."]}


def record(answering: Answering, key: SigningKey, **changed: Any) -> None:
    jws = key.sign_token(CONTENT, RECEIPT)
    answering.on("GET", f"{PATH}/receipt", {"receipt": CONTENT, "jws": jws, "text": TEXT} | changed)
    answering.on("GET", "/exchange/.well-known/jwks.json", {"keys": [key.public]})


def test_a_receipt_is_told_in_words_and_kept_whole(answering: Answering, tmp_path: Path) -> None:
    record(answering, SigningKey.generate())
    kept = tmp_path / "receipt.json"
    done = CliRunner().invoke(app, ["consent", "receipt", CONSENT, "--output", str(kept), "--language", "en"])
    assert (done.exit_code, done.stdout) == (0, "Noor gave this consent.\n")
    assert json.loads(kept.read_text())["receipt"] == CONTENT


def test_a_receipt_is_kept_as_a_page_where_its_name_asks_for_that(
    answering: Answering, tmp_path: Path
) -> None:
    record(answering, SigningKey.generate())
    asked = f"{PATH}/receipt?format=pdf&language=en"
    answering.on("GET", asked, b"%PDF-1.7")
    kept = tmp_path / "Receipt.PDF"
    done = CliRunner().invoke(app, ["consent", "receipt", CONSENT, "--output", str(kept), "--language", "en"])
    assert done.exit_code == 0
    assert kept.read_bytes() == b"%PDF-1.7"


@pytest.mark.parametrize("what", ["content", "signature", "kind", "key"])
def test_a_receipt_that_the_node_did_not_sign_so_is_refused(
    answering: Answering, tmp_path: Path, what: str
) -> None:
    key = SigningKey.generate()
    changed: dict[str, Any] = {
        "content": {"receipt": {**CONTENT, "dct:identifier": "2"}},
        "signature": {"jws": SigningKey.generate().sign_token(CONTENT, RECEIPT)},
        "kind": {"jws": key.sign_token(CONTENT)},
        "key": {"jws": "a.b.c"},
    }[what]
    record(answering, key, **changed)
    kept = tmp_path / "receipt.json"
    done = CliRunner().invoke(app, ["consent", "receipt", CONSENT, "--output", str(kept)])
    assert isinstance(done.exception, CommandFailed)
    assert not kept.exists()


def test_who_represents_a_person_consents_for_it(answering: Answering) -> None:
    answering.on("POST", "/exchange/v1/consents", {"items": []}, 201)
    arguments = [
        "consent",
        "give",
        "urn:dmi:dataset:a:b",
        "dmi:purpose:noise",
        "--recipient",
        "x",
        "--for",
        "urn:dmi:person:kim",
    ]
    assert CliRunner().invoke(app, arguments).exit_code == 0
    assert json.loads(answering.requests[-1].content)["for"] == "urn:dmi:person:kim"


def test_a_consent_is_given_again_with_a_key_of_ones_own(answering: Answering, tmp_path: Path) -> None:
    key, text = SigningKey.generate(), {"uid": "urn:uuid:1"}
    key.keep(tmp_path / "own.jwk", None)
    answering.on("POST", "/exchange/token", {"access_token": "proved", "expires_in": 600})
    answering.on("POST", f"{PATH}/renewal/draft", text)
    made = {"id": "urn:uuid:1", "document": text, "state": "active", "waiting_for": []}
    answering.on("POST", "/exchange/v1/agreements", made, 201)
    own = ["--key", str(tmp_path / "own.jwk"), "--participant", "urn:dmi:person:noor"]
    done = CliRunner().invoke(app, ["consent", "renew", CONSENT, *own, "--json"])
    assert done.exit_code == 0, done.exception
    sent = json.loads(answering.requests[-1].content)
    assert sent["document"] == text
    verify_document(text, sent["jws"], [key.public])
