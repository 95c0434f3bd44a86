"""The review at the keyboard: what law and rulebook say about a document, and the smallest change that would do."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.text import Text

from dmi_command.commands.policy import Tongue, policy_app, read_file
from dmi_command.console import DEFAULT_URL, As, AsJson, KeyFile, Participant, Url, connect, out, show
from dmi_command.errors import CommandFailed, UsageWrong


def register(_app: typer.Typer) -> None:
    """Add the commands to those about policies."""
    policy_app.command()(review)
    policy_app.command()(findings)


def review(
    file: Annotated[
        Path, typer.Argument(help="ODRL agreement or consent as JSON-LD", exists=True, dir_okay=False)
    ],
    mended: Annotated[
        Path | None, typer.Option(help="Write the document with the smallest change carried out to this file")
    ] = None,
    language: Annotated[Tongue, typer.Option("--language", help="In which language it is told.")] = Tongue.en,
    url: Url = DEFAULT_URL,
    who: As = None,
    key: KeyFile = None,
    participant: Participant = None,
    as_json: AsJson = False,
) -> None:
    """Check a document against law and rulebook before anybody signs it; exit code 1 when it does not pass.

    The stack is asked, since the verdict rests on what it knows of datasets, roles and commons.
    """
    document = read_file(file, _json)
    with connect(url, who, key, participant, default="officer") as client:
        verdict = client.post("/exchange/v1/review", {"document": document})
    change = verdict["change"]
    if mended is not None and change is not None:
        mended.write_text(
            json.dumps(change["document"], indent=2, ensure_ascii=False) + "\n", encoding="utf-8"
        )
    if as_json:
        show(verdict, True)
    else:
        _tell(verdict, language.value)
    if not verdict["passes"]:
        raise CommandFailed(f"{file} does not pass: {len(verdict['reasons'])} rules are broken")


def _json(text: str) -> Any:
    try:
        return json.loads(text)
    except ValueError as exc:
        raise UsageWrong(f"not JSON ({exc})") from exc


def _tell(verdict: Mapping[str, Any], language: str) -> None:
    words = {"nl": ("voldoet aan de afspraken, versie", "de kleinste verandering die genoeg is"),
             "en": ("passes under rulebook", "the smallest change that would do")}[language]  # fmt: skip
    if verdict["passes"]:
        out.print(f"{words[0]} {verdict['rulebook']}")
    for reason in verdict["reasons"]:
        out.print(Text.assemble((reason["label"][language], "bold"), f"  {reason['path']}"), soft_wrap=True)
        told = f"  {reason['explanation'][language]} ({reason['detail'][language]}; {reason['law']})"
        out.print(told, soft_wrap=True, markup=False)
    if verdict["change"] is not None:
        out.print(f"{words[1]}:")
        for step in verdict["change"]["steps"]:
            out.print(f"  - {step[language]}", soft_wrap=True, markup=False)


def findings(
    language: Annotated[Tongue, typer.Option("--language", help="In which language it is told.")] = Tongue.en,
    url: Url = DEFAULT_URL,
    who: As = None,
    key: KeyFile = None,
    participant: Participant = None,
    as_json: AsJson = False,
) -> None:
    """What the review holds against your running agreements (operator: all)."""
    with connect(url, who, key, participant) as client:
        answer = client.get("/exchange/v1/review/findings")
    rows = [
        {"agreement": item["agreement"], "assignee": item["assignee"], "since": reason["since"],
         "rule": reason["label"][language.value], "explanation": reason["explanation"][language.value]}
        for item in answer["items"]
        for reason in item["reasons"]
    ]  # fmt: skip
    columns = ["agreement", "assignee", "rule", "explanation", "since"]
    show(answer if as_json else {"items": rows}, as_json, columns)
