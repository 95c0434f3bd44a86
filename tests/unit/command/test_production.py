"""The command in production, against a real exchange: nobody is lent an identity, one's own key opens every door."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from typer.testing import CliRunner, Result

from dmi_command.cli import app
from dmi_command.errors import AnswerRefused
from tests.unit.command.answering import reach
from tests.unit.command.node import production
from tests.unit.exchange.fakes import Node
from tests.unit.infra.fakes import OWNER, STACK

PASSPHRASE = "een lange zin om te testen"
BODY = "urn:dmi:participant:werkgroep"


@pytest.fixture(scope="module")
def furnished(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Node, httpx.BaseTransport]]:
    with production(tmp_path_factory.mktemp("node"), key_passphrase=PASSPHRASE) as made:
        made[0].admit(BODY, "dmi:role:working-group")
        yield made


@pytest.fixture
def node(furnished: tuple[Node, httpx.BaseTransport], monkeypatch: pytest.MonkeyPatch) -> Node:
    """The exchange, as the only thing that clients of this process reach."""
    reach(monkeypatch, furnished[1])
    monkeypatch.setenv("DMI_KEY_PASSPHRASE", PASSPHRASE)
    return furnished[0]


@pytest.fixture
def body(node: Node, tmp_path: Path) -> list[str]:
    """The options of a body of the framework, whose key is not sealed yet."""
    file = tmp_path / "body.jwk"
    node.keys[BODY].keep(file, None)
    return ["--key", str(file), "--participant", BODY]


def operator(node: Node) -> list[str]:
    return ["--key", str(node.settings.data_dir / "keys" / "participant_stack.json"), "--participant", STACK]


def run(*arguments: str) -> Result:
    return CliRunner().invoke(app, list(arguments))


def test_who_is_lent_no_identity_is_told_how_to_act_in_its_own_name(node: Node) -> None:
    refused = run("participant", "list").exception
    assert isinstance(refused, AnswerRefused)
    assert str(refused) == (
        "there are no demonstration identities in production: act in your own name with --key FILE --participant ID, "
        "or for any command with export DMI_TOKEN=$(dmi token --key FILE --participant ID)"
    )


def test_the_operator_admits_by_a_token_of_its_key_since_the_key_named_is_the_newcomers(
    node: Node, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    given = run("token", *operator(node))
    assert given.exit_code == 0, given.exception
    monkeypatch.setenv("DMI_TOKEN", given.stdout)
    key = tmp_path / "new.json"
    add = ["participant", "add", OWNER, "Gemeente", "--role", "dmi:role:municipality", "--key", str(key)]
    assert run(*add).exit_code == 0
    node.settle()
    monkeypatch.delenv("DMI_TOKEN")
    assert OWNER in run("participant", "list", "--json", *operator(node)).stdout


def test_a_body_of_the_framework_sees_what_its_files_change_and_proposes_them_with_a_sealed_key(
    node: Node, body: list[str], tmp_path: Path
) -> None:
    folder = tmp_path / "book"
    assert run("rulebook", "export", str(folder), *body).exit_code == 0
    assert run("rulebook", "difference", str(folder), *body).stdout == "in all: no changes\n"
    call_the_first_role(folder, "Deelnemende organisatie")
    told = run("rulebook", "difference", str(folder), "--language", "nl", *body)
    assert told.exit_code == 0, told.exception
    change, in_all = told.stdout.splitlines()
    assert "Deelnemende organisatie" in change
    assert in_all == "in totaal: klein, 1 wijziging"
    node.keys[BODY].keep(Path(body[1]), PASSPHRASE, replace=True)
    proposed = run("rulebook", "propose", str(folder), "--reason", "x", *body)
    assert proposed.exit_code == 0, proposed.exception
    assert run("rulebook", "difference", "1.0.1", "--language", "nl", *body).stdout == told.stdout


def call_the_first_role(folder: Path, label: str) -> None:
    """Files of the next version, in which the first role has another name in Dutch."""
    for name, change in (
        ("rulebook.json", lambda book: book.update(version="1.0.1")),
        ("roles.json", lambda roles: roles[0]["label"].update(nl=label)),
    ):
        content = json.loads((folder / name).read_text())
        change(content)
        (folder / name).write_text(json.dumps(content))
