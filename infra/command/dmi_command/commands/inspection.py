"""Supervision: how each participant stands, what the review found, and the log, searched and kept with its proofs."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Annotated, Any, Literal

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
    out,
    show,
    show_entries,
)

INSPECTOR = "inspector"
inspection_app = typer.Typer(no_args_is_help=True)


def register(app: typer.Typer) -> None:
    """Add the commands of this subject."""
    app.add_typer(
        inspection_app, name="inspect", help="Supervise: for the body that the rulebook lets inspect."
    )


@inspection_app.command("participants")
def participants(
    url: Url = DEFAULT_URL,
    who: As = None,
    key: KeyFile = None,
    participant: Participant = None,
    as_json: AsJson = False,
) -> None:
    """How each participant stands: contribution in cents a year, quality, running agreements, findings."""
    with connect(url, who, key, participant, default=INSPECTOR) as client:
        answer = client.get("/exchange/v1/inspection/participants")
    if as_json:
        show(answer, True)
        return
    columns = ["id", "offered", "taken", "state", "plausible", "running", "findings"]
    show({"items": [_brief(one) for one in answer["items"]]}, False, columns)


@inspection_app.command("participant")
def one(
    identifier: Annotated[str, typer.Argument(help="Id of the participant")],
    url: Url = DEFAULT_URL,
    who: As = None,
    key: KeyFile = None,
    participant: Participant = None,
    as_json: AsJson = False,
) -> None:
    """One participant: the limits and what it uses of them, its data with quality, its agreements, findings."""
    with connect(url, who, key, participant, default=INSPECTOR) as client:
        answer = client.get(f"/exchange/v1/inspection/participants/{identifier}")
    if as_json:
        show(answer, True)
        return
    show(_brief(answer), False)
    limits = ["limit", "minimum", "maximum", "unit", "used", "over", "under"]
    show({"items": answer["limits"]}, False, limits)
    _tell(answer["found"])


@inspection_app.command("findings")
def findings(
    of: Annotated[str | None, typer.Option(help="Of this participant alone")] = None,
    url: Url = DEFAULT_URL,
    who: As = None,
    key: KeyFile = None,
    participant: Participant = None,
    as_json: AsJson = False,
) -> None:
    """What the review found about running agreements, why, and the smallest change of each."""
    with connect(url, who, key, participant, default=INSPECTOR) as client:
        answer = client.get("/exchange/v1/inspection/findings", participant=of)
    if as_json:
        show(answer, True)
    else:
        _tell(answer["items"])


@inspection_app.command("log")
def search(
    of: Annotated[str | None, typer.Option(help="Only what concerns this participant")] = None,
    dataset: Annotated[str | None, typer.Option(help="Only this dataset")] = None,
    agreement: Annotated[str | None, typer.Option(help="Only what this agreement allowed")] = None,
    outcome: Annotated[Literal["allowed", "refused"] | None, typer.Option(help="Only these")] = None,
    begin: Annotated[
        str | None, typer.Option("--from", help="RFC 3339 with an offset", callback=moment)
    ] = None,
    end: Annotated[
        str | None, typer.Option("--to", help="RFC 3339 with an offset; left out itself", callback=moment)
    ] = None,
    limit: Annotated[int, typer.Option(min=1, max=500)] = 50,
    save: Annotated[
        Path | None, typer.Option(help="File for these decisions with their proofs, for dmi log check")
    ] = None,
    url: Url = DEFAULT_URL,
    who: As = None,
    key: KeyFile = None,
    participant: Participant = None,
    wide: Wide = False,
    as_json: AsJson = False,
) -> None:
    """Search the decisions of all, the newest first; persons in them stay sealed."""
    with connect(url, who, key, participant, default=INSPECTOR) as client:
        answer = client.get(
            "/exchange/v1/log", newest=True, limit=limit, dataset=dataset, participant=of, agreement=agreement,
            outcome=outcome, **{"from": begin, "to": end},
        )  # fmt: skip
        if save is not None:
            _save(client, save, [each["sequence"] for each in answer["items"]])
    show_entries(answer, as_json, ["sequence", "at", "assignee", "action", "dataset", "allowed"], wide)


def _save(client: Client, file: Path, numbers: list[int]) -> None:
    path = "/exchange/v1/log/evidence"
    kept = client.get(path, entry=numbers) if numbers else client.get(path, limit=0)
    file.write_text(json.dumps(kept, ensure_ascii=False), encoding="utf-8")
    head = kept["head"]
    told = f"{file}: {len(kept['entries'])} of {head['tree_size']} entries, root {head['root_hash']}"
    out.print(told, soft_wrap=True)


def _brief(standing: Mapping[str, Any]) -> dict[str, Any]:
    part, quality = standing["contribution"], standing["quality"]
    state = "left" if part is None else "enough"
    if part is not None and part["short"]:
        lacking = "too early to tell" if part["early"] else "offers too little"
        state = "takes without offering" if part["rides_free"] else lacking
    return {
        "id": standing["id"],
        "offered": part and part["offered"],
        "taken": part and part["taken"],
        "state": state,
        "plausible": quality and quality["plausible"],
        "running": standing["running"]["given"] + standing["running"]["got"],
        "findings": standing["findings"] + standing["stopped"],
    }


def _tell(items: Iterable[Mapping[str, Any]]) -> None:
    """Findings as lines that read on: which agreement, which rule of which law, what would mend it."""
    told = False
    for item in items:
        told = True
        parties = f"{item['id']}: {item['assigner']} -> {item['assignee']}"
        if item["stopped"]:
            out.print(
                f"{parties}\n  stopped {item['stopped']['at']}: {item['stopped']['reason']}", soft_wrap=True
            )
            continue
        out.print(parties, soft_wrap=True)
        for reason in item["reasons"]:
            out.print(
                f"  {reason['label']['en']} ({reason['law']}): {reason['detail']['en']}", soft_wrap=True
            )
        steps = [step["en"] for step in item["change"]["steps"]] if item["change"] else []
        out.print(f"  smallest change: {'; '.join(steps) or 'none of its text would do'}", soft_wrap=True)
    if not told:
        out.print("the review found nothing")
