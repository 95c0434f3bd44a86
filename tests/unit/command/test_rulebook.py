"""The rulebook at the keyboard: its files out, a change proposed and signed, the difference in words."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from dmi_command.cli import app
from dmi_command.errors import UsageWrong
from dmi_infra.jose import SigningKey, verify_document
from tests.unit.command.answering import Answering
from tests.unit.infra.fakes import rulebook

BASE = "/exchange/v1/rulebook"
COUNCIL = "urn:dmi:participant:beheerraad"
CHANGE = {
    "path": "x",
    "weight": "minor",
    "text": {"nl": "doel “Steps” komt erbij", "en": "purpose “Steps” is added"},
}
TOLD: dict[str, Any] = {"weight": "minor", "items": [CHANGE]}


@pytest.fixture
def stack(answering: Answering) -> Answering:
    book = rulebook()
    content = {**book.as_document(), "files": dict(book.files)}
    answering.on("POST", "/exchange/token", {"access_token": "token", "expires_in": 3600})
    answering.on("GET", BASE, book.as_document())
    answering.on("GET", f"{BASE}/versions/1.0.0", content)
    answering.on("GET", f"{BASE}/versions", {"items": [{"version": "1.0.0", "base": "0.9.0"}]})
    answering.on("POST", f"{BASE}/difference", TOLD)
    answering.on("POST", f"{BASE}/versions", {"version": "1.1.0", "base": "1.0.0", "difference": TOLD}, 201)
    answering.on("POST", f"{BASE}/versions/1.0.0/adopt", {"version": "1.0.0", "state": "adopted"})
    return answering


def run(*arguments: str) -> str:
    done = CliRunner().invoke(app, ["rulebook", *arguments])
    assert done.exit_code == 0, done.exception
    return done.stdout


def test_files_that_were_exported_can_be_proposed_with_a_signature_over_their_digest(
    stack: Answering, tmp_path: Path
) -> None:
    folder, key = tmp_path / "book", tmp_path / "key.json"
    SigningKey.load_or_create(key)
    run("export", str(folder))
    assert (
        run("difference", str(folder), "--language", "nl")
        == "[middelgroot] doel “Steps” komt erbij\nin totaal: middelgroot, 1 wijziging\n"
    )
    told = run("propose", str(folder), "--reason", "x", "--key", str(key), "--participant", COUNCIL)
    assert told.splitlines()[:2] == [
        "proposed: rulebook 1.1.0, a change of 1.0.0",
        "[minor] purpose “Steps” is added",
    ]
    sent = json.loads(stack.requests[-1].content)
    signed = {"rulebook": "1.0.0", "base": "1.0.0", "digest": rulebook().digest, "statement": "proposes"}
    assert sent["files"] == rulebook().files
    verify_document(signed, sent["jws"], [SigningKey.load_or_create(key).public])


def test_the_list_says_which_version_is_in_force(stack: Answering) -> None:
    assert run("list").splitlines()[-1] == "in force: rulebook 1.0.0"


def test_a_decision_is_signed_over_what_was_proposed(stack: Answering, tmp_path: Path) -> None:
    key = tmp_path / "key.json"
    SigningKey.load_or_create(key)
    run("adopt", "1.0.0", "--key", str(key), "--participant", COUNCIL)
    sent = json.loads(stack.requests[-1].content)
    signed = {"rulebook": "1.0.0", "base": "0.9.0", "digest": rulebook().digest, "statement": "adopts"}
    verify_document(signed, sent["jws"], [SigningKey.load_or_create(key).public])


def test_a_folder_without_a_valid_rulebook_is_refused_by_file_and_place(
    stack: Answering, tmp_path: Path
) -> None:
    (tmp_path / "roles.json").write_text("[]")
    done = CliRunner().invoke(app, ["rulebook", "propose", str(tmp_path), "--reason", "x"])
    assert isinstance(done.exception, UsageWrong)
    assert "purposes.json#: this file is missing" in str(done.exception)


@pytest.mark.parametrize(
    ("weight", "times", "language", "in_all"),
    [
        ("major", 1, "en", "in all: major, 1 change"),
        ("patch", 2, "en", "in all: patch, 2 changes"),
        ("patch", 0, "en", "in all: no changes"),
        ("major", 1, "nl", "in totaal: groot, 1 wijziging"),
        ("patch", 2, "nl", "in totaal: klein, 2 wijzigingen"),
        ("patch", 0, "nl", "in totaal: geen wijzigingen"),
    ],
)
def test_a_difference_is_summed_up_in_the_language_that_it_is_told_in(
    stack: Answering, weight: str, times: int, language: str, in_all: str
) -> None:
    found = {"weight": weight, "items": [CHANGE] * times}
    stack.on("GET", f"{BASE}/versions/1.1.0/difference", found)
    assert run("difference", "1.1.0", "--language", language).splitlines()[-1] == in_all
