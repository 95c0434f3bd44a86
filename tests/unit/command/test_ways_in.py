"""Every command that asks the stack can be used where nobody is lent an identity: by a key of one's own, or a token."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any, Final

import pytest
import typer

from dmi_command.cli import app
from dmi_command.errors import CommandFailed
from dmi_infra.jose import SigningKey
from tests.unit.command.answering import Answering
from tests.unit.infra.fakes import rulebook

ME, OTHER = "urn:dmi:participant:ik", "urn:dmi:participant:ander"
LENT, PROVED = "/exchange/v1/demo/token", "/exchange/token"
OF_THE_DEMONSTRATION: Final = {"demo load", "demo run"}
"""They fill a city in which identities are lent."""
FOR_ANOTHER: Final = {"participant add", "participant rotate", "participant revoke-key"}
"""Their ``--key`` is that of whom they are about: who does it for another has a token."""
MADE_WITH_KEY: Final = {"sign", "token", "mandate token"}
"""They cannot do without a key."""
VALUES: Final = {
    "kind": "birmingham-parking", "cents": "100", "until": "2030-01-01T00:00:00Z", "time": "2026-01-01T00:00:00Z",
    "version": "1.0.0", "outcome": "done", "role": "dmi:role:vendor",
}  # fmt: skip
"""Of required parameters; every other takes an id."""
FILES: Final = {"file": "purposes.json", "files": "parking.csv", "machine_key": "own.jwk", "folder": ""}
"""Of the parameters that name one, what they name."""
MORE: Final = {
    "participant represent": ["--nobody"],
    "my-data object": ["--reason", "x"],
    "my-data correct": ["1"],
}
"""What a command needs besides, to ask anything."""


def commands(group: Any, *above: str) -> Iterator[tuple[str, Any]]:
    for name, command in group.commands.items():
        if hasattr(command, "commands"):
            yield from commands(command, *above, name)
        else:
            yield " ".join((*above, name)), command


def options(command: Any) -> set[str]:
    return {option for parameter in command.params for option in parameter.opts}


ASKING: Final = {
    name: command
    for name, command in commands(typer.main.get_command(app))
    if "--url" in options(command) and name not in OF_THE_DEMONSTRATION
}


def ask(name: str, folder: Path, *more: str) -> None:
    """Give the command a value for each parameter that it requires, until a stack that knows nothing refuses."""
    words: list[str] = []
    for parameter in ASKING[name].params:
        if parameter.required and parameter.name not in ("key", "holder_key"):
            value = VALUES.get(parameter.name, OTHER)
            if parameter.name in FILES:
                value = str(folder / FILES[parameter.name])
            words += [parameter.opts[0], value] if parameter.opts[0].startswith("--") else [value]
    with suppress(CommandFailed):
        ASKING[name].main([*words, *MORE.get(name, []), *more], standalone_mode=False)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The files that commands read: a key, one to import, and those of a rulebook."""
    made = tmp_path_factory.mktemp("files")
    SigningKey.generate().keep(made / "own.jwk", None)
    (made / "parking.csv").write_text("SystemCodeNumber,Capacity,Occupancy,LastUpdated\n")
    for name, content in rulebook().files.items():
        (made / name).write_text(json.dumps(content))
    return made


@pytest.mark.parametrize("name", sorted(ASKING.keys() - MADE_WITH_KEY))
def test_a_token_of_ones_own_is_enough_for_a_command(
    name: str, folder: Path, answering: Answering, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DMI_TOKEN", "mine")
    ask(name, folder, *(["--key", str(folder / "own.jwk")] if name == "participant add" else []))
    assert {each.headers.get("authorization") for each in answering.requests} == {"Bearer mine"}


@pytest.mark.parametrize("name", sorted(ASKING.keys() - FOR_ANOTHER))
def test_a_key_of_ones_own_is_enough_for_a_command(name: str, folder: Path, answering: Answering) -> None:
    answering.on("POST", PROVED, {"access_token": "proved", "expires_in": 600})
    ask(name, folder, "--key", str(folder / "own.jwk"), "--participant", ME)
    assert answering.requests[0].url.path == PROVED
    assert not [each for each in answering.requests if each.url.path == LENT]
