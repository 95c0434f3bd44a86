"""Mandates: let another participant act in your name, see who may, and stop it."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any, Final

import typer

from dmi_command.client import Client
from dmi_command.console import (
    DEFAULT_URL,
    As,
    AsJson,
    KeyFile,
    Participant,
    Url,
    Wide,
    connect,
    moment,
    own_key,
    show,
    show_papers,
    whole_name,
)
from dmi_command.errors import AnswerRefused, UsageWrong
from dmi_command.naming import whole_id
from dmi_infra import clock


def register(app: typer.Typer) -> None:
    """Add the commands of this subject."""
    app.add_typer(mandate_app, name="mandate", help="Let others act in your name, within limits.")


mandate_app = typer.Typer(no_args_is_help=True)
MandateId = Annotated[str, typer.Argument(help="Id of the mandate, or its first 8 characters")]
OPTIONS: Final = {
    "document/mandatary": "MANDATARY", "document/datasets": "--dataset", "document/actions": "--action",
    "document/purposes": "--purpose", "document/from": "--from", "document/until": "--until",
    "document/onward": "--onward", "document/parent": "--parent",
}  # fmt: skip
"""What the members of a mandate are called at the keyboard."""


@mandate_app.command("list")
def list_mandates(
    url: Url = DEFAULT_URL,
    who: As = None,
    key: KeyFile = None,
    participant: Participant = None,
    wide: Wide = False,
    as_json: AsJson = False,
) -> None:
    """List the mandates that you gave or hold (operator: all)."""
    with connect(url, who, key, participant, default="officer") as client:
        columns = ["id", "mandator", "mandatary", "datasets", "actions", "purposes", "until", "state"]
        show_papers(client.get("/exchange/v1/mandates"), as_json, columns, wide)


@mandate_app.command("give")
def give(
    mandatary: Annotated[str, typer.Argument(help="Who may act in your name, by id", callback=whole_name)],
    dataset: Annotated[list[str], typer.Option(help="Dataset; repeat for more")],
    action: Annotated[list[str], typer.Option(help="Action of the rulebook, for example dmi:read")],
    until: Annotated[
        str, typer.Option(help="RFC 3339 with an offset, for example 2027-03-01T00:00:00Z", callback=moment)
    ],
    purpose: Annotated[list[str], typer.Option(help="Purpose of the rulebook, with all below it")],
    begin: Annotated[
        str | None,
        typer.Option("--from", help="RFC 3339 with an offset; left out: from now on", callback=moment),
    ] = None,
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
        "mandatary": mandatary, "datasets": dataset, "actions": action, "purposes": purpose,
        "from": begin or clock.to_text(clock.now()), "until": until, "onward": onward,
    }  # fmt: skip
    with connect(url, who, key, participant, default="officer") as client:
        if parent is not None:
            wanted["parent"] = whole_id(client, parent, "mandates")
        try:
            document = client.post("/exchange/v1/mandates/draft", wanted)
        except AnswerRefused as refused:
            raise refused.naming(OPTIONS) from refused
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
        path = f"/exchange/v1/mandates/{whole_id(client, mandate, 'mandates')}"
        _show(client.post(f"{path}/end", {"reason": reason}), as_json)


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
        path = f"/exchange/v1/mandates/{whole_id(client, mandate, 'mandates')}"
        typer.echo(client.get(f"{path}/evidence")["delegation_token"])


@mandate_app.command("token")
def token(
    mandate: MandateId,
    holder_key: Annotated[Path, typer.Option("--key", help="Private key (JWK) of who holds the mandate")],
    participant: Annotated[
        str, typer.Option(help="Id of who holds the mandate, such as a machine", callback=whole_name)
    ],
    url: Url = DEFAULT_URL,
) -> None:
    """Print a token that acts by a mandate, for ten minutes: put it in DMI_TOKEN, and export and import act by it."""
    if not holder_key.exists():
        raise UsageWrong(f"--key: there is no file {holder_key}")
    signer = own_key(holder_key)
    with Client(url, participant=participant, key=signer) as client:
        try:
            whole = whole_id(client, mandate, "mandates")
        except AnswerRefused as refused:
            if any(each["field"] == "mandate" for each in refused.problem.get("errors", [])):
                # Only with a mandate does it get a token to ask for a list.
                raise UsageWrong(f"MANDATE must be a whole id for a machine, not {mandate}") from refused
            raise
    with Client(url, participant=participant, key=signer, mandate=whole) as client:
        typer.echo(client.token())


@mandate_app.command("take-in")
def take_in(
    file: Annotated[
        Path, typer.Argument(help="File with delegation evidence (a JWT)", exists=True, dir_okay=False)
    ],
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
