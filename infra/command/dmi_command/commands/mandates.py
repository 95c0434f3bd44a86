"""Mandates: let another participant act in your name, see who may, and stop it."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from dmi_command.client import Client
from dmi_command.console import (
    DEFAULT_URL,
    As,
    AsJson,
    KeyFile,
    Participant,
    Url,
    connect,
    own_key,
    show,
)
from dmi_command.errors import UsageWrong


def register(app: typer.Typer) -> None:
    """Add the commands of this subject."""
    app.add_typer(mandate_app, name="mandate", help="Let others act in your name, within limits.")


mandate_app = typer.Typer(no_args_is_help=True)
MandateId = Annotated[str, typer.Argument(help="Id of the mandate")]


@mandate_app.command("list")
def list_mandates(
    url: Url = DEFAULT_URL,
    who: As = None,
    key: KeyFile = None,
    participant: Participant = None,
    as_json: AsJson = False,
) -> None:
    """List the mandates that you gave or hold (operator: all)."""
    with connect(url, who, key, participant, default="officer") as client:
        columns = ["id", "mandator", "mandatary", "datasets", "actions", "until", "state"]
        show(client.get("/exchange/v1/mandates"), as_json, columns)


@mandate_app.command("give")
def give(
    mandatary: Annotated[str, typer.Argument(help="Who may act in your name")],
    dataset: Annotated[list[str], typer.Option(help="Dataset; repeat for more")],
    action: Annotated[list[str], typer.Option(help="Action of the rulebook, for example dmi:read")],
    until: Annotated[str, typer.Option(help="RFC 3339 with an offset, for example 2027-01-01T00:00:00Z")],
    purpose: Annotated[list[str], typer.Option(help="Purpose of the rulebook, with all below it")],
    begin: Annotated[str, typer.Option("--from", help="RFC 3339 with an offset")] = "2026-01-01T00:00:00Z",
    onward: Annotated[int, typer.Option(min=0, help="How many further links may follow")] = 0,
    parent: Annotated[str | None, typer.Option(help="The mandate that you pass on, if you do")] = None,
    url: Url = DEFAULT_URL,
    who: As = None,
    key: KeyFile = None,
    participant: Participant = None,
    as_json: AsJson = False,
) -> None:
    """Let another participant do these actions in your name."""
    wanted: dict[str, Any] = {
        "mandatary": mandatary, "datasets": dataset, "actions": action, "purposes": purpose, "from": begin,
        "until": until, "onward": onward,
    }  # fmt: skip
    with connect(url, who, key, participant, default="officer") as client:
        if parent is not None:
            wanted["parent"] = parent
        document = client.post("/exchange/v1/mandates/draft", wanted)
        jws = own_key(key).sign_document(document) if key else None
        body = {"document": document, "jws": jws, "hosted": jws is None}
        _show(client.post("/exchange/v1/mandates", body), as_json)


@mandate_app.command("end")
def end(
    mandate: MandateId,
    reason: Annotated[str, typer.Option(help="Why, for the other side")] = "",
    url: Url = DEFAULT_URL,
    who: As = None,
    key: KeyFile = None,
    participant: Participant = None,
    as_json: AsJson = False,
) -> None:
    """End a mandate everywhere, at once and for good."""
    with connect(url, who, key, participant, default="officer") as client:
        _show(client.post(f"/exchange/v1/mandates/{mandate}/end", {"reason": reason}), as_json)


@mandate_app.command("evidence")
def evidence(
    mandate: MandateId,
    url: Url = DEFAULT_URL,
    who: As = None,
    key: KeyFile = None,
    participant: Participant = None,
) -> None:
    """Print a mandate as iSHARE delegation evidence (a JWT that lives thirty seconds)."""
    with connect(url, who, key, participant, default="officer") as client:
        typer.echo(client.get(f"/exchange/v1/mandates/{mandate}/evidence")["delegation_token"])


@mandate_app.command("token")
def token(
    mandate: MandateId,
    holder_key: Annotated[Path, typer.Option("--key", help="Private key (JWK) of who holds the mandate")],
    participant: Annotated[str, typer.Option(help="Id of who holds the mandate, such as a machine")],
    url: Url = DEFAULT_URL,
) -> None:
    """Print a token that acts by a mandate, for ten minutes: put it in DMI_TOKEN, and the other commands act by it."""
    if not holder_key.exists():
        raise UsageWrong(f"--key: there is no file {holder_key}")
    with Client(url, participant=participant, key=own_key(holder_key), mandate=mandate) as client:
        typer.echo(client.token())


@mandate_app.command("take-in")
def take_in(
    file: Annotated[Path, typer.Argument(help="File with delegation evidence (a JWT)")],
    url: Url = DEFAULT_URL,
    who: As = None,
    key: KeyFile = None,
    participant: Participant = None,
    as_json: AsJson = False,
) -> None:
    """Give a mandate by delegation evidence that its policy issuer signed."""
    with connect(url, who, key, participant, default="officer") as client:
        body = {"evidence": file.read_text().strip()}
        _show(client.post("/exchange/v1/mandates/evidence", body), as_json)


def _show(mandate: dict[str, Any], as_json: bool) -> None:
    short = {name: mandate[name] for name in ("id", "mandator", "mandatary", "until", "state")}
    show(mandate if as_json else short, as_json)
