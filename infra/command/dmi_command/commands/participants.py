"""Participants: admitted, listed, let go; the rulebook that each of them signs, and the token that its key proves."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from typing import Annotated, Any

import typer

from dmi_command.console import (
    DEFAULT_URL,
    As,
    AsJson,
    KeyFile,
    Participant,
    Url,
    connect,
    named,
    own_key,
    show,
    whole_name,
)
from dmi_command.reports import KeyKept, admission, signature

participant_app = typer.Typer(no_args_is_help=True)

OwnKey = Annotated[Path, typer.Option("--key", help="Private key (JWK) of your participant")]
OwnId = Annotated[str, typer.Option("--participant", help="Your participant's id", callback=whole_name)]


def register(app: typer.Typer) -> None:
    """Add the commands of this subject."""
    app.add_typer(participant_app, name="participant", help="Admit and list participants.")
    app.command()(sign)
    app.command()(token)


@participant_app.command("list")
def list_participants(
    url: Url = DEFAULT_URL,
    who: As = None,
    key: KeyFile = None,
    participant: Participant = None,
    as_json: AsJson = False,
) -> None:
    """List the participants."""
    with connect(url, who, key, participant) as client:
        found = client.every("/exchange/v1/participants")
    if as_json:
        show({"items": found, "next": None}, True)
        return
    rows = [{**one, "state": _state(one)} for one in found]
    show({"items": rows}, False, ["id", "name", "roles", "rulebook", "state"])


def _state(participant: dict[str, Any]) -> str:
    return "takes part" if participant["active"] else "left"


@participant_app.command("add")
def add_participant(
    identifier: Annotated[str, typer.Argument(help="urn:dmi:participant:<name>, or urn:dmi:person:<name>")],
    name: Annotated[str, typer.Argument(help="Name for people")],
    role: Annotated[list[str], typer.Option(help="Role of the rulebook, for example dmi:role:vendor")],
    key: Annotated[Path, typer.Option(help="File of its private key; made when it does not exist")],
    representative: Annotated[
        list[str] | None,
        typer.Option(help="Person that acts for this person, such as a parent of a child; may be repeated"),
    ] = None,
    of_age_on: Annotated[
        datetime | None,
        typer.Option(
            formats=["%Y-%m-%d"],
            help="Of a child: the day from which it decides for itself (its 16th birthday)",
        ),
    ] = None,
    url: Url = DEFAULT_URL,
    who: As = None,
    as_json: AsJson = False,
) -> None:
    """Admit a participant with its key; it must still sign the rulebook.

    --key is the newcomer's: who admits by a key of its own fills DMI_TOKEN (dmi token).
    """
    made = not key.exists()
    signer = own_key(key)
    body: dict[str, Any] = {"id": identifier, "name": name, "roles": role, "keys": [signer.public]}
    if representative:
        body["representatives"] = representative
    if of_age_on is not None:
        body["of_age_on"] = of_age_on.date().isoformat()
    with connect(url, who) as client:
        admitted = client.post("/exchange/v1/participants", body)
    show(admitted if as_json else admission(admitted, KeyKept(key, signer.kid, made), named(url)), as_json)


@participant_app.command("end")
def end_participant(
    identifier: Annotated[str, typer.Argument(help="urn:dmi:participant:<name>")],
    url: Url = DEFAULT_URL,
    who: As = None,
    key: KeyFile = None,
    participant: Participant = None,
    as_json: AsJson = False,
) -> None:
    """Let a participant leave: it is refused everywhere at once, and its agreements end."""
    with connect(url, who, key, participant) as client:
        ended = client.post(f"/exchange/v1/participants/{identifier}/end")
    short = {"id": ended["id"], "name": ended["name"], "state": _state(ended)}
    show(ended if as_json else short, as_json)


def sign(
    key: OwnKey,
    participant: OwnId,
    url: Url = DEFAULT_URL,
    as_json: AsJson = False,
) -> None:
    """Sign the rulebook, which every participant does before anything else."""
    with connect(url, None, key, participant) as client:
        signer = own_key(key)
        path = f"/exchange/v1/participants/{participant}"
        jws = signer.sign_document(client.get(f"{path}/statement"))
        signed = client.post(f"{path}/signature", {"jws": jws})
    show(signed if as_json else signature(signed, KeyKept(key, signer.kid), named(url)), as_json)


def token(key: OwnKey, participant: OwnId, url: Url = DEFAULT_URL) -> None:
    """Print a token that your key proves, for ten minutes: put it in DMI_TOKEN, and every command acts by it."""
    with connect(url, None, key, participant) as client:
        typer.echo(client.token())
