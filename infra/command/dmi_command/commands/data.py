"""Data in and out: import, replay, export."""

from __future__ import annotations

import time
from contextlib import ExitStack
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

from dmi_command.client import Client
from dmi_command.console import (
    DEFAULT_URL,
    As,
    AsJson,
    KeyFile,
    Participant,
    Purpose,
    Url,
    connect,
    err,
    out,
    show,
)
from dmi_command.errors import AnswerRefused, CommandFailed, UsageWrong
from dmi_ingest.sources import SOURCES

WAIT_SECONDS = 600


def register(app: typer.Typer) -> None:
    """Add the commands of this subject."""
    app.command("import")(import_files)
    app.command()(replay)
    app.command()(export)


def import_files(
    kind: Annotated[str, typer.Argument(help="Kind of source: " + ", ".join(sorted(SOURCES)))],
    files: Annotated[list[Path], typer.Argument(help="The files", exists=True, dir_okay=False)],
    dataset: Annotated[
        str | None, typer.Option(help="Dataset to fill; one is made from the kind when left out")
    ] = None,
    url: Url = DEFAULT_URL,
    who: As = None,
    key: KeyFile = None,
    participant: Participant = None,
    as_json: AsJson = False,
) -> None:
    """Import files through the same intake as everyone's; the report adds up to what was read."""
    source = SOURCES.get(kind)
    if source is None:
        raise UsageWrong(f"KIND must be one of {', '.join(sorted(SOURCES))}, not {kind}")
    with connect(url, who, key, participant, default="officer") as client:
        target = dataset or _own_dataset(client, source)
        report = _upload(client, kind, target, files, quiet=as_json)
        report = _settled(client, report)
    show(report, as_json)
    if report["state"] == "failed":
        raise CommandFailed(report.get("detail") or "the import failed")


def _own_dataset(client: Client, source: Any) -> str:
    me = client.get("/exchange/v1/me")["participant"]
    template = source.dataset
    identifier = f"urn:dmi:dataset:{me.rsplit(':', 1)[-1]}:{template.slug}"
    try:
        client.get(f"/exchange/v1/datasets/{identifier}")
    except AnswerRefused as refused:
        if refused.status != 404:
            raise
        client.post(
            "/exchange/v1/datasets",
            {
                "id": identifier,
                "title": template.title,
                "description": template.description,
                "personal": template.personal,
                "category": template.category,
                "licence": template.licence,
                "source": template.source,
                "layer": template.layer,
            },
        )
    return identifier


def _upload(client: Client, kind: str, dataset: str, files: list[Path], quiet: bool) -> dict[str, Any]:
    with ExitStack() as stack:
        handles = [("file", (path.name, stack.enter_context(path.open("rb")))) for path in files]
        bar = stack.enter_context(
            Progress(
                TextColumn("{task.description}"),
                BarColumn(),
                TextColumn("{task.completed} read"),
                TimeElapsedColumn(),
                console=err,
                disable=quiet,
                transient=True,
            )
        )
        task = bar.add_task(f"import {kind}", total=None)
        answer: dict[str, Any] = client.post(
            "/ingest/v1/imports",
            params={"kind": kind, "dataset": dataset},
            files=handles,
            headers={"Prefer": "respond-async"},
        )
        until = time.monotonic() + WAIT_SECONDS
        while answer["state"] == "running":
            if time.monotonic() > until:
                raise CommandFailed(f"import {answer['import_id']} still runs; ask for it later")
            time.sleep(0.2)
            answer = client.get(f"/ingest/v1/imports/{answer['import_id']}")
            bar.update(task, completed=answer["read"])
    return answer


def _settled(client: Client, report: dict[str, Any]) -> dict[str, Any]:
    """The report with what the platform made of the rows: accepted, repeated, or refused there."""
    handed_over = report["accepted"]
    until = time.monotonic() + WAIT_SECONDS
    while True:
        outcome = client.get(f"/platform/v1/outcomes/{report['import_id']}")
        done = outcome["accepted"] + outcome["duplicate"] + outcome["rejected"]
        if done >= handed_over or report["state"] == "failed":
            break
        if time.monotonic() > until:
            raise CommandFailed(f"the platform has processed {done} of {handed_over} rows; ask again later")
        time.sleep(0.2)
    return {
        **{name: report[name] for name in ("import_id", "kind", "dataset", "state", "read")},
        "accepted": outcome["accepted"],
        "duplicate": outcome["duplicate"],
        "rejected": report["rejected"] + outcome["rejected"],
        "reasons": report["reasons"] + outcome["reasons"],
        "detail": report.get("detail"),
    }


def replay(
    reject: Annotated[str, typer.Argument(help="Id of a rejected message of the platform")],
    url: Url = DEFAULT_URL,
    who: As = None,
    as_json: AsJson = False,
) -> None:
    """Process a rejected message again, after what was wrong has been mended."""
    with connect(url, who) as client:
        show(client.post(f"/platform/v1/rejects/{reject}/replay"), as_json)


def export(
    dataset: Annotated[str, typer.Argument(help="Id of the dataset")],
    file: Annotated[Path, typer.Argument(help="Zip file to write: data, licence, lineage")],
    form: Annotated[str, typer.Option("--format", help="csv, geojson or geoparquet")] = "csv",
    start: Annotated[str | None, typer.Option("--from", help="RFC 3339")] = None,
    end: Annotated[str | None, typer.Option("--to", help="RFC 3339")] = None,
    url: Url = DEFAULT_URL,
    who: As = None,
    key: KeyFile = None,
    participant: Participant = None,
    purpose: Purpose = None,
) -> None:
    """Export a dataset through the gate, with its licence and lineage."""
    query = {"dataset": dataset, "format": form, "from": start, "to": end}
    with (
        connect(url, who, key, participant, purpose, default="officer") as client,
        client.stream("/platform/v1/export", **query) as answer,
        file.open("wb") as target,
    ):
        for part in answer.iter_bytes():
            target.write(part)
    out.print(f"{file} ({file.stat().st_size} bytes)")
