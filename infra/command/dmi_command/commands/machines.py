"""Machines: enter a gateway or system with a key of its own, see them, and stop one at once."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from dmi_command.console import DEFAULT_URL, As, AsJson, KeyFile, Participant, Url, connect, own_key, show

machine_app = typer.Typer(no_args_is_help=True)


def register(app: typer.Typer) -> None:
    """Add the commands of this subject."""
    app.add_typer(
        machine_app, name="machine", help="Machines that act for you by mandates, with keys of their own."
    )


@machine_app.command("list")
def list_machines(
    url: Url = DEFAULT_URL,
    who: As = None,
    key: KeyFile = None,
    participant: Participant = None,
    as_json: AsJson = False,
) -> None:
    """List your machines, stopped ones too (operator: all)."""
    with connect(url, who, key, participant, default="officer") as client:
        answer = client.get("/exchange/v1/machines")
    show(answer, as_json, ["id", "title", "active", "mandates"])


@machine_app.command("add")
def add(
    name: Annotated[str, typer.Argument(help="Its name among your machines: small letters, digits, dashes")],
    machine_key: Annotated[
        Path, typer.Option(help="Private key (JWK) of the machine; made when there is none")
    ],
    title: Annotated[str, typer.Option(help="What people call it; left out: the name")] = "",
    url: Url = DEFAULT_URL,
    who: As = None,
    key: KeyFile = None,
    participant: Participant = None,
    as_json: AsJson = False,
) -> None:
    """Enter a machine; then let it do something: dmi mandate give."""
    public = dict(own_key(machine_key).public)
    with connect(url, who, key, participant, default="officer") as client:
        body = {"name": name, "title": title or name, "key": public}
        _tell(client.post("/exchange/v1/machines", body), as_json)


@machine_app.command("end")
def end(
    machine: Annotated[str, typer.Argument(help="Id of the machine")],
    url: Url = DEFAULT_URL,
    who: As = None,
    key: KeyFile = None,
    participant: Participant = None,
    as_json: AsJson = False,
) -> None:
    """Stop a machine everywhere, at once and for good."""
    with connect(url, who, key, participant, default="officer") as client:
        _tell(client.post(f"/exchange/v1/machines/{machine}/end", {}), as_json)


def _tell(machine: dict[str, Any], as_json: bool) -> None:
    show(
        machine if as_json else {name: machine[name] for name in ("id", "title", "active", "mandates")},
        as_json,
    )
