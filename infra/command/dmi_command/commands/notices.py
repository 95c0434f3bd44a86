"""Notices: what persons asked for data that you received, and your answer to them."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated

import typer

from dmi_command.console import DEFAULT_URL, As, AsJson, KeyFile, Participant, Url, connect, show

BASE = "/exchange/v1/notices"


class Outcome(StrEnum):
    """What was done about a notice."""

    done = "done"
    kept = "kept"


def register(app: typer.Typer) -> None:
    """Add the commands of this subject."""
    app.add_typer(notice_app, name="notice", help="What persons asked for data that you received.")


notice_app = typer.Typer(no_args_is_help=True)


@notice_app.command("list")
def list_notices(
    open_only: Annotated[bool, typer.Option("--open", help="Only what you have not answered")] = False,
    url: Url = DEFAULT_URL,
    who: As = None,
    key: KeyFile = None,
    participant: Participant = None,
    as_json: AsJson = False,
) -> None:
    """List what persons corrected, had erased, object to or stopped, in data that you received."""
    with connect(url, who, key, participant, default="officer") as client:
        answer = client.get(BASE, open=str(open_only).lower())
        show(answer, as_json, ["id", "right", "dataset", "person", "until", "outcome"])


@notice_app.command("answer")
def answer(
    notice: Annotated[str, typer.Argument(help="Id of the notice")],
    outcome: Annotated[Outcome, typer.Argument(help="kept: you still need the data, and say why")],
    text: Annotated[str, typer.Option(help="In words that the person reads")] = "",
    url: Url = DEFAULT_URL,
    who: As = None,
    key: KeyFile = None,
    participant: Participant = None,
    as_json: AsJson = False,
) -> None:
    """Tell the person what you did."""
    with connect(url, who, key, participant, default="officer") as client:
        show(client.post(f"{BASE}/{notice}/answer", {"outcome": outcome.value, "text": text}), as_json)
