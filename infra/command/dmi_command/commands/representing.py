"""Who acts for a person, such as the parents of a child, when that changes."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any

import typer

from dmi_command.commands.participants import participant_app
from dmi_command.console import DEFAULT_URL, As, AsJson, KeyFile, Participant, Url, connect, show
from dmi_command.errors import UsageWrong


def register(_app: typer.Typer) -> None:
    """Add the command, which stands under ``participant``."""
    participant_app.command("represent")(represent)


def represent(
    person: Annotated[str, typer.Argument(help="urn:dmi:person:<name>")],
    representative: Annotated[
        list[str] | None,
        typer.Option(help="Person that acts for it from now on; may be repeated. Who is left out does not"),
    ] = None,
    nobody: Annotated[bool, typer.Option("--nobody", help="Nobody acts for it any more")] = False,
    of_age_on: Annotated[
        datetime | None,
        typer.Option(
            formats=["%Y-%m-%d"],
            help="Of a child: the day from which it decides for itself; left out, the day stays as it was",
        ),
    ] = None,
    url: Url = DEFAULT_URL,
    who: As = None,
    key: KeyFile = None,
    participant: Participant = None,
    as_json: AsJson = False,
) -> None:
    """Say who acts for a person from now on (operator). It holds at once, in place of what was said before."""
    if nobody == bool(representative):
        raise UsageWrong("give --representative, for each who acts for this person from now on, or --nobody")
    body: dict[str, Any] = {"representatives": representative or []}
    if of_age_on is not None:
        body["of_age_on"] = of_age_on.date().isoformat()
    with connect(url, who, key, participant) as client:
        answer = client.put(f"/exchange/v1/participants/{person}/representatives", body)
    told = {
        "id": answer["id"],
        "represented by": answer["representatives"] or "nobody",
        "decides for itself from": answer["of_age_on"] or "-",
    }
    show(answer if as_json else told, as_json)
