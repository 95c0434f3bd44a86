"""Becoming a participant at the keyboard: what was done, where the key is, what next; and no key on the screen."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from dmi_command.cli import app
from dmi_command.errors import UsageWrong
from dmi_infra.jose import SigningKey
from tests.unit.command.answering import Answering

ME = "urn:dmi:participant:meetlat"
OF_ME = f"/exchange/v1/participants/{ME}"


@pytest.fixture
def key(tmp_path: Path) -> Path:
    """Where the key is, or is to be; with a space, as people name folders."""
    return tmp_path / "my keys" / "meetlat.json"


@pytest.fixture
def stack(answering: Answering) -> Answering:
    """A stack that admits the participant and takes its signature."""
    public = {"kty": "EC", "crv": "P-256", "x": "x-of-the-key", "y": "y-of-the-key", "kid": "kid-of-the-key"}
    member: dict[str, Any] = {
        "id": ME, "name": "Meetlat", "roles": ["dmi:role:vendor"], "keys": [public], "rulebook": None,
        "active": True,
    }  # fmt: skip
    answering.on("POST", "/exchange/token", {"access_token": "token", "expires_in": 3600})
    answering.on("POST", "/exchange/v1/participants", member, 201)
    answering.on("GET", f"{OF_ME}/statement", {"participant": ME, "rulebook": "1.0.0"})
    answering.on("POST", f"{OF_ME}/signature", {**member, "rulebook": "1.0.0"})
    return answering


def add(key: Path, *options: str) -> list[str]:
    return ["participant", "add", ME, "Meetlat", "--role", "dmi:role:vendor", "--key", str(key), *options]


def sign(key: Path, *options: str) -> list[str]:
    return ["sign", "--key", str(key), "--participant", ME, *options]


def test_admitting_tells_who_with_which_key_and_what_comes_next(stack: Answering, key: Path) -> None:
    done = CliRunner().invoke(app, add(key))
    assert done.exit_code == 0, done.exception
    assert done.stdout.splitlines() == [
        f"admitted     {ME} (Meetlat)",
        "roles        dmi:role:vendor",
        f"private key  {key} (made now, readable by you alone; it has not left this machine)",
        f"public key   {SigningKey.load_or_create(key).kid} (known to the exchange)",
        f"next         sign the rulebook: dmi sign --key '{key}' --participant {ME}",
    ]
    again = CliRunner().invoke(app, add(key))
    assert f"{key} (was there already; it has not left this machine)" in again.stdout


def test_signing_tells_what_was_signed_with_which_key_and_what_comes_next(
    stack: Answering, key: Path
) -> None:
    kid = SigningKey.load_or_create(key).kid
    done = CliRunner().invoke(app, sign(key))
    assert done.exit_code == 0, done.exception
    assert done.stdout.splitlines() == [
        "signed  rulebook 1.0.0",
        f"by      {ME} (Meetlat)",
        f"with    {key} (public key {kid})",
        f"next    hand in files: dmi import KIND FILE --key '{key}' --participant {ME}",
        f"        or propose an agreement: dmi agreement propose FILE --key '{key}' --participant {ME}",
    ]


def test_a_child_is_admitted_with_who_acts_for_it_and_until_when(stack: Answering, key: Path) -> None:
    child = [
        "participant",
        "add",
        "urn:dmi:person:sem",
        "Sem",
        "--role",
        "dmi:role:resident",
        "--key",
        str(key),
    ]
    parents = [f"urn:dmi:person:{name}" for name in ("noor", "piet")]
    acting = [part for name in parents for part in ("--representative", name)]
    done = CliRunner().invoke(app, [*child, *acting, "--of-age-on", "2031-05-04"])
    assert done.exit_code == 0, done.exception
    (sent,) = (json.loads(r.content) for r in stack.requests if r.url.path == "/exchange/v1/participants")
    assert (sent["representatives"], sent["of_age_on"]) == (parents, "2031-05-04")
    wrong = CliRunner().invoke(app, [*child, "--of-age-on", "4 mei 2031"])
    assert wrong.exit_code == 2


@pytest.mark.parametrize("command", [add, sign])
def test_what_comes_next_names_another_address(command: Any, stack: Answering, key: Path) -> None:
    SigningKey.load_or_create(key)
    done = CliRunner().invoke(app, command(key, "--url", "http://city.example"))
    assert f"--participant {ME} --url http://city.example" in done.stdout


@pytest.mark.parametrize("command", [add, sign])
def test_no_part_of_a_private_key_is_printed_and_json_comes_only_when_asked_for(
    command: Any, stack: Answering, key: Path
) -> None:
    SigningKey.load_or_create(key)
    secret = json.loads(key.read_text())["d"]
    plain, as_json = (CliRunner().invoke(app, command(key, *more)) for more in ([], ["--json"]))
    assert "{" not in plain.stdout
    assert json.loads(as_json.stdout)["id"] == ME
    for done in (plain, as_json):
        assert secret not in done.output


def test_signing_with_a_key_that_is_not_there_makes_none(stack: Answering, key: Path) -> None:
    done = CliRunner().invoke(app, sign(key))
    assert isinstance(done.exception, UsageWrong)
    assert str(key) in str(done.exception)
    assert not key.exists()


def test_a_proposal_with_a_key_that_is_not_there_makes_none(
    stack: Answering, key: Path, tmp_path: Path
) -> None:
    file = tmp_path / "agreement.json"
    file.write_text("{}")
    named = ["--key", str(key), "--participant", ME]
    done = CliRunner().invoke(app, ["agreement", "propose", str(file), *named])
    assert isinstance(done.exception, UsageWrong)
    assert not key.exists()


def test_giving_consent_tells_what_was_given_without_the_document(stack: Answering) -> None:
    consent = {
        "id": "urn:uuid:24d37312-4f0e-4c53-9a55-5d0d0c7f5f01", "state": "active", "datasets": ["urn:dmi:dataset:a:b"],
        "assigner": "urn:dmi:person:noor", "assignee": "urn:dmi:party:everyone", "waiting_for": [],
        "concluded_at": "2026-11-21T10:00:00Z", "ended_at": None, "ended_by": None, "end_reason": None,
        "document": {"@type": "Agreement"}, "signatures": {"urn:dmi:person:noor": "eyJ..c2ln"},
    }  # fmt: skip
    stack.on("POST", "/exchange/v1/consents", {"items": [consent], "next": None}, 201)
    command = ["consent", "give", "urn:dmi:dataset:a:b", "dmi:purpose:air-quality", "--recipient", ME]
    done = CliRunner().invoke(app, command)
    assert done.exit_code == 0, done.exception
    assert [line.split()[0] for line in done.stdout.splitlines()] == [
        "id", "state", "datasets", "assigner", "assignee", "concluded_at",
    ]  # fmt: skip
