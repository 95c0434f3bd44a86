"""Imports of files after they began: see them, resume one that broke off, or delete its files."""

from __future__ import annotations

from typing import Annotated, Any, Final

import typer

from dmi_command.client import Client
from dmi_command.commands.data import ended, tell
from dmi_command.console import (
    DEFAULT_URL,
    As,
    AsJson,
    KeyFile,
    Participant,
    Purpose,
    Url,
    connect,
    out,
    show,
)

BASE: Final = "/ingest/v1/imports"
PAGE: Final = 200
SHOWN: Final = ("import_id", "state", "resumable", "kind", "dataset", "read", "started_at", "detail")

imports_app = typer.Typer(no_args_is_help=True)
ImportId = Annotated[str, typer.Argument(help="Id of the import")]


def register(app: typer.Typer) -> None:
    """Add the commands of this subject."""
    app.add_typer(
        imports_app, name="imports", help="Imports of files: those that broke off keep files and take room."
    )


@imports_app.command("list")
def list_imports(
    resumable: Annotated[
        bool, typer.Option("--resumable", help="Only those that broke off and keep their files, of any age")
    ] = False,
    url: Url = DEFAULT_URL,
    who: As = None,
    key: KeyFile = None,
    participant: Participant = None,
    as_json: AsJson = False,
) -> None:
    """List your newest imports, and those that you began for others and that broke off."""
    with connect(url, who, key, participant, default="officer") as client:
        found = _resumable(client) if resumable else client.get(BASE, limit=PAGE)["items"]
    show({"items": found, "next": None}, as_json, SHOWN)


@imports_app.command()
def resume(
    import_id: ImportId,
    url: Url = DEFAULT_URL,
    who: As = None,
    key: KeyFile = None,
    participant: Participant = None,
    purpose: Purpose = None,
    as_json: AsJson = False,
) -> None:
    """Run an import that broke off again from its files; rows that were taken before count, and are not kept twice."""
    with connect(url, who, key, participant, purpose, default="officer") as client:
        begun = client.post(f"{BASE}/{import_id}/resume", headers={"Prefer": "respond-async"})
        # What the platform tells of it counts the rows of its earlier run too, so these are the intake's figures.
        report = ended(client, begun)
        kinds = client.get("/ingest/v1/kinds")
    units = {one["kind"]: one["unit_read"]["en"] for one in kinds}
    tell(report, units[report["kind"]], client.url, as_json)


@imports_app.command()
def delete(
    import_ids: Annotated[list[str], typer.Argument(help="Ids of the imports")],
    url: Url = DEFAULT_URL,
    who: As = None,
    key: KeyFile = None,
    participant: Participant = None,
) -> None:
    """Delete the files of imports that broke off, so that there is room for others; their reports stay."""
    with connect(url, who, key, participant, default="officer") as client:
        for each in import_ids:
            client.delete(f"{BASE}/{each}")
            out.print(f"files of import {each} deleted", soft_wrap=True)


def _resumable(client: Client) -> list[dict[str, Any]]:
    """Those of all pages: what takes room may lie far behind what went well since."""
    return [item for item in client.every(BASE, limit=PAGE) if item["resumable"]]
