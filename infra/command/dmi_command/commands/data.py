"""Data in and out: import, replay, export."""

from __future__ import annotations

import time
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Final

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
    moment,
    out,
    own_key,
    show,
)
from dmi_command.errors import AnswerRefused, CommandFailed, UsageWrong
from dmi_command.reports import print_import
from dmi_infra import clock
from dmi_infra.jose import SigningKey
from dmi_infra.settings import Settings

if TYPE_CHECKING:
    from dmi_ingest.sources.port import DatasetTemplate, Source

WAIT_SECONDS = 600
LAW_SECONDS = 3
UNHEARD = frozenset({"unknown-dataset", "no-agreement"})
"""Refusals that an agreement concluded a moment ago lifts, as soon as ingest has heard of it."""
STALLED_SECONDS = 30
"""A platform that makes no progress for this long is not waited for any longer."""
PERSONAL_GRID_M = 100
"""Positions of personal data leave the stack on a grid of this size, unless the owner agrees on another."""
PERSONAL_DAYS = 1095
"""Personal data is kept so long, and the agreement about it runs so long, unless the owner agrees on another term."""
LAYERS: str = Settings.model_fields["stack_participant"].default


def register(app: typer.Typer) -> None:
    """Add the commands of this subject."""
    app.command("import")(import_files)
    app.command()(replay)
    app.command()(export)


def import_files(
    kind: Annotated[str, typer.Argument(help="Kind of file; an unknown one is answered with the list")],
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
    """Import files through the same intake as everyone's; the report adds up to what was read.

    What "read" counts are records: each value that becomes an observation, and each place, thing or
    datastream that a file lists for itself. Those that only follow from the rows are made along with them
    and not counted. The report says in words what is counted for the kind; read = accepted + duplicate +
    rejected.
    """
    from dmi_ingest.sources import SOURCES  # the readers bring numpy and shapely, for this command alone

    source = SOURCES.get(kind)
    if source is None:
        raise UsageWrong(f"KIND must be one of {', '.join(sorted(SOURCES))}, not {kind}")
    _look_at(source, files)
    with connect(url, who, key, participant, default="officer") as client:
        signer = own_key(key) if key else None
        target = dataset or _own_dataset(client, source, signer)
        report = _upload(client, kind, target, files, quiet=as_json)
        report = _settled(client, report)
    tell(report, source.unit_read["en"], client.url, as_json)


def tell(report: dict[str, Any], unit: str, url: str, as_json: bool) -> None:
    """Print the report of an import that has ended; raises ``CommandFailed`` for one that failed.

    ``unit`` says in words what ``read`` counts.
    """
    if as_json:
        show(report, True)
    else:
        print_import(out, report, unit, url)
    if report["state"] == "failed":
        detail = report.get("detail") or "the import failed"
        ways = "its files are kept: dmi imports resume {0}, or dmi imports delete {0}"
        raise CommandFailed(
            f"{detail}\n  {ways.format(report['import_id'])}" if report.get("resumable") else detail
        )


def _look_at(source: Source, files: list[Path]) -> None:
    """Raise ``UsageWrong`` for files that are not of the kind, as far as the first record tells."""
    from dmi_ingest.sources.port import SourceError  # as above

    # Where all files of a kind play one role each can be read alone; else they are of one kind together.
    groups = [[path] for path in files] if len(source.expects) == 1 else [files]
    try:
        for group in groups:
            next(source.read(group, source.dataset.slug), None)
    except SourceError as exc:
        raise UsageWrong(f"not of the kind {source.kind}, nothing was imported: {exc}") from exc


def _own_dataset(client: Client, source: Source, signer: SigningKey | None) -> str:
    """The dataset that an import of this kind fills; made, with the layers' agreement, when it is not there."""
    me = client.get("/exchange/v1/me")["participant"]
    entry = asdict(source.dataset)
    identifier = f"urn:dmi:dataset:{me.rsplit(':', 1)[-1]}:{entry.pop('slug')}"
    try:
        client.get(f"/exchange/v1/datasets/{identifier}")
    except AnswerRefused as refused:
        if refused.status != 404:
            raise
        client.post("/exchange/v1/datasets", {"id": identifier, **entry})
        err.print(f"dataset {identifier} entered in the catalogue", soft_wrap=True)
    papers = client.get("/exchange/v1/agreements", dataset=identifier, state="active")["items"]
    if not any(paper["assignee"] == LAYERS and paper["assigner"] == me for paper in papers):
        _agree_with_layers(client, me, identifier, source.dataset, signer)
    return identifier


def _agree_with_layers(
    client: Client, owner: str, dataset: str, template: DatasetTemplate, signer: SigningKey | None
) -> None:
    """Propose what the layers need; the demonstration's operator signs at once, another one in its own time."""
    parameters: dict[str, Any] = {
        "assigner": owner, "assignee": LAYERS, "datasets": [dataset], "purpose": template.purpose,
        "actions": ["dmi:process", "dmi:read", "dmi:display", "dmi:analyse", "dmi:export"],
    }  # fmt: skip
    if template.personal:
        until = clock.now() + PERSONAL_DAYS * 86_400_000_000
        parameters |= {"grid": PERSONAL_GRID_M, "days": PERSONAL_DAYS, "until": clock.to_text(until)}
    by_consent = template.personal and template.basis in ("", "dmi:basis:consent")
    draft = {"template": "personal-data" if by_consent else "sensor-data", "parameters": parameters}
    document = client.post("/exchange/v1/agreements/draft", draft)
    jws = signer.sign_document(document) if signer else None
    proposal = client.post(
        "/exchange/v1/agreements", {"document": document, "jws": jws, "hosted": jws is None}
    )
    if not any(identity["id"] == "operator" for identity in client.get("/exchange/v1/demo/identities")):
        raise CommandFailed(
            f"agreement {proposal['id']} waits for the signature of {LAYERS}; import after that"
        )
    with Client(client.url, demo="operator") as operator:
        operator.post(f"/exchange/v1/agreements/{proposal['id']}/signature", {"hosted": True})
    signed = f"agreement {proposal['id']} signed by both sides (the operator is a demonstration identity)"
    err.print(signed, soft_wrap=True)


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
        answer = _begun(client, kind, dataset, handles)
        return ended(client, answer, lambda read: bar.update(task, completed=read))


def ended(
    client: Client, report: dict[str, Any], told: Callable[[int], None] = lambda _read: None
) -> dict[str, Any]:
    """The report of an import once it has ended; ``told`` hears how much was read meanwhile."""
    until = time.monotonic() + WAIT_SECONDS
    while report["state"] == "running":
        if time.monotonic() > until:
            raise CommandFailed(f"import {report['import_id']} still runs; see dmi imports list later")
        time.sleep(0.2)
        report = client.get(f"/ingest/v1/imports/{report['import_id']}")
        told(report["read"])
    return report


def _begun(client: Client, kind: str, dataset: str, handles: list[Any]) -> dict[str, Any]:
    """The import as ingest has begun it; an agreement that was concluded just now may not have come to it yet."""
    until = time.monotonic() + LAW_SECONDS
    while True:
        for _, (_, handle) in handles:
            handle.seek(0)
        try:
            answer: dict[str, Any] = client.post(
                "/ingest/v1/imports",
                params={"kind": kind, "dataset": dataset},
                files=handles,
                headers={"Prefer": "respond-async"},
            )
            return answer
        except AnswerRefused as refused:
            if refused.code not in UNHEARD or time.monotonic() > until:
                raise
        time.sleep(0.1)


TOLD: Final = (
    "import_id", "kind", "dataset", "state", "read", "accepted", "duplicate", "rejected", "reasons", "detail",
    "resumable",
)  # fmt: skip


def _settled(client: Client, report: dict[str, Any]) -> dict[str, Any]:
    """The report with what the platform made of the observations: accepted, repeated, or refused there."""
    if report.get("actor"):
        # Who acts by a mandate hands in; what the platform makes of it is told to whom it acts for.
        return {name: report.get(name) for name in TOLD}
    expected = report["observations"]
    outcome = _outcome(client, report["import_id"])
    done, until = _done(outcome), time.monotonic() + STALLED_SECONDS
    while done < expected:
        if time.monotonic() > until:
            raise CommandFailed(f"the platform has processed {done} of {expected} rows; ask again later")
        time.sleep(0.2)
        outcome = _outcome(client, report["import_id"])
        if _done(outcome) > done:
            done, until = _done(outcome), time.monotonic() + STALLED_SECONDS
    return {
        **{name: report[name] for name in ("import_id", "kind", "dataset", "state", "read")},
        "accepted": report["accepted"] - expected + outcome["accepted"],
        "duplicate": report["duplicate"] + outcome["duplicate"],
        "rejected": report["rejected"] + outcome["rejected"],
        "reasons": report["reasons"] + outcome["reasons"],
        "detail": report.get("detail"),
        "resumable": report.get("resumable"),
    }


def _outcome(client: Client, identifier: str) -> dict[str, Any]:
    """What the platform has processed of an import by now; nothing before its first batch."""
    try:
        found: dict[str, Any] = client.get(f"/platform/v1/outcomes/{identifier}")
    except AnswerRefused as refused:
        if refused.status != 404:
            raise
        return {"accepted": 0, "duplicate": 0, "rejected": 0, "reasons": []}
    return found


def _done(outcome: dict[str, Any]) -> int:
    return int(outcome["accepted"] + outcome["duplicate"] + outcome["rejected"])


def replay(
    reject: Annotated[str, typer.Argument(help="Id of a rejected message of the platform")],
    url: Url = DEFAULT_URL,
    who: As = None,
    key: KeyFile = None,
    participant: Participant = None,
    as_json: AsJson = False,
) -> None:
    """Process a rejected message again, after what was wrong has been mended."""
    with connect(url, who, key, participant) as client:
        show(client.post(f"/platform/v1/rejects/{reject}/replay"), as_json)


def export(
    dataset: Annotated[str, typer.Argument(help="Id of the dataset")],
    file: Annotated[Path, typer.Argument(help="Zip file to write: data, licence, lineage")],
    form: Annotated[str, typer.Option("--format", help="csv, geojson or geoparquet")] = "csv",
    start: Annotated[
        str | None, typer.Option("--from", help="RFC 3339 with an offset", callback=moment)
    ] = None,
    end: Annotated[str | None, typer.Option("--to", help="RFC 3339 with an offset", callback=moment)] = None,
    url: Url = DEFAULT_URL,
    who: As = None,
    key: KeyFile = None,
    participant: Participant = None,
    purpose: Purpose = None,
    as_json: AsJson = False,
) -> None:
    """Export a dataset through the gate, with licence and lineage; residents get their own rows of personal data."""
    query = {"dataset": dataset, "format": form, "from": start, "to": end}
    with (
        connect(url, who, key, participant, purpose, default="officer") as client,
        client.stream("/platform/v1/export", **query) as answer,
        file.open("wb") as target,
    ):
        for part in answer.iter_bytes():
            target.write(part)
    report = {"dataset": dataset, "format": form, "file": str(file), "bytes": file.stat().st_size}
    if as_json:
        show(report, as_json)
    else:
        out.print(f"{file} ({report['bytes']:,} bytes)", soft_wrap=True)
