"""The log of decisions: read it, keep evidence of it, and check that without the node."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path
from typing import Annotated, Any

import typer

from dmi_agreements.evidence import Course, Evidence, Examination, examine, read
from dmi_command.client import Client
from dmi_command.console import (
    DEFAULT_URL,
    As,
    AsJson,
    KeyFile,
    Participant,
    Purpose,
    Url,
    Wide,
    connect,
    out,
    show,
    show_entries,
)
from dmi_command.errors import CommandFailed, UsageWrong
from dmi_command.reports import counted
from dmi_infra.jose import verify_document

PAGE = 500
GREW = "it only grew"
NO_LINK = "whether it only grew is shown by two files checked together, the later saved with --earlier and the first"
BY_THE_NODE = " (a key that the node told)"
NO_END = "no entry of its end (who hands these over could leave one out: ask the other party)"

log_app = typer.Typer(no_args_is_help=True)


def register(app: typer.Typer) -> None:
    """Add the commands of this subject."""
    app.add_typer(log_app, name="log", help="Read the log of decisions, keep evidence of it, and check it.")


@log_app.command("list")
def list_log(
    dataset: Annotated[str | None, typer.Option(help="Only this dataset")] = None,
    limit: Annotated[int, typer.Option(min=1, max=1000)] = 50,
    url: Url = DEFAULT_URL,
    who: As = None,
    key: KeyFile = None,
    participant: Participant = None,
    purpose: Purpose = None,
    wide: Wide = False,
    as_json: AsJson = False,
) -> None:
    """The newest decisions that concern you (operator: all)."""
    with connect(url, who, key, participant, purpose=purpose) as client:
        answer = client.get("/exchange/v1/log", newest=True, limit=limit, dataset=dataset)
    columns = ["sequence", "at", "crossing", "assignee", "action", "dataset", "allowed"]
    if any(entry.get("mandate") for entry in answer["items"]):
        # Who acted for the assignee, and by which mandate; a column of its own only where somebody did.
        columns[3:4] = ["actor", "assignee", "mandate"]
    if not as_json and not all(entry["allowed"] for entry in answer["items"]):
        columns.append("why not")
        items = [
            {**entry, "why not": [] if entry["allowed"] else entry["reasons"]} for entry in answer["items"]
        ]
        answer = {**answer, "items": items}
    show_entries(answer, as_json, columns, wide)


@log_app.command("verify")
def verify_log(
    url: Url = DEFAULT_URL,
    who: As = None,
    key: KeyFile = None,
    participant: Participant = None,
    as_json: AsJson = False,
) -> None:
    """Let the node check its whole log; exit code 1 when it is broken."""
    with connect(url, who, key, participant) as client:
        answer = client.get("/exchange/v1/log/verify")
    if not as_json and answer["ok"]:
        out.print(f"{answer['count']} entries, whole; root {answer['root_hash']}", soft_wrap=True)
    else:
        show(answer, as_json)
    if not answer["ok"]:
        raise CommandFailed(f"the log is broken at entry {answer['broken_at']}: {answer['reason']}")


@log_app.command("save")
def save(
    file: Annotated[Path, typer.Argument(help="File to write")],
    earlier: Annotated[
        Path | None, typer.Option(help="What you saved before: it is linked to the new one", exists=True)
    ] = None,
    no_entries: Annotated[bool, typer.Option("--no-entries", help="The signed head alone")] = False,
    agreement: Annotated[
        str | None, typer.Option(help="Only entries under this agreement, and its text as signed")
    ] = None,
    url: Url = DEFAULT_URL,
    who: As = None,
    key: KeyFile = None,
    participant: Participant = None,
) -> None:
    """Keep the newest signed head of the log, with your entries and their proofs, to check them later."""
    since = None if earlier is None else _load(earlier).head.tree_size
    with connect(url, who, key, participant) as client:
        saved = _gather(client, since, no_entries, agreement)
    file.write_text(json.dumps(saved, ensure_ascii=False), encoding="utf-8")
    head = saved["head"]
    out.print(
        f"{file}: {len(saved['entries'])} of {head['tree_size']} entries, root {head['root_hash']}",
        soft_wrap=True,
    )


@log_app.command("check")
def check(
    files: Annotated[list[Path], typer.Argument(help="What dmi log save wrote", exists=True, dir_okay=False)],
    keys: Annotated[
        Path | None,
        typer.Option(
            help="Public keys from elsewhere (JWKS): of the log, and of a party those with its id as member "
            "'participant'. Left out, in whole or of a party: those of the files",
            exists=True,
            dir_okay=False,
        ),
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Check saved evidence without the node: signatures, entries, growth between heads; exit code 1: a fault."""
    documents = [_load(file) for file in files]
    log, parties = _keys(keys)
    found = examine(documents, log or documents[0].keys, verify_document, parties)
    told = _told(found)
    if as_json:
        show(told, as_json)
    elif not found.faults:
        newest = told["tree_size"]
        heads, entries = counted(found.heads, "head"), counted(len(found.records), "entry", "entries")
        out.print(
            f"{heads} signed by {found.kid}{'' if log else BY_THE_NODE}, {entries} proven in the log of {newest}; "
            f"{GREW if found.links else NO_LINK}",
            soft_wrap=True,
        )
        for course in found.courses.values():
            out.print(_words(course), soft_wrap=True)
    if found.faults:
        raise CommandFailed("; ".join(found.faults))


def _gather(client: Client, since: int | None, no_entries: bool, agreement: str | None) -> dict[str, Any]:
    """One document of all pages; entries that came meanwhile are for the next time."""
    path = "/exchange/v1/log/evidence"
    whole: dict[str, Any] = client.get(
        path, since=since, limit=0 if no_entries else PAGE, agreement=agreement
    )
    size, following = whole["head"]["tree_size"], whole["next"]
    while following is not None:
        page = client.get(path, after=following, limit=PAGE, tree_size=size, agreement=agreement)
        whole["entries"] += page["entries"]
        following = page["next"]
    return {**whole, "next": None}


def _load(file: Path) -> Evidence:
    try:
        return read(file.read_bytes())
    except ValueError as exc:
        raise UsageWrong(f"{file}: {exc}") from exc


def _keys(file: Path | None) -> tuple[list[dict[str, Any]], dict[str, list[dict[str, Any]]]]:
    """The keys of the log and of parties in a file; none of those that it does not hold."""
    if file is None:
        return [], {}
    try:
        found = json.loads(file.read_bytes())["keys"]
    except (ValueError, KeyError, TypeError) as exc:
        raise UsageWrong(f"{file}: not a set of keys (JWKS)") from exc
    # An empty set would leave the choice to the node again.
    if not isinstance(found, list) or not found or not all(isinstance(each, dict) for each in found):
        raise UsageWrong(f"{file}: not a set of keys (JWKS)")
    parties: dict[str, list[dict[str, Any]]] = {}
    for key in found:
        if "participant" in key:
            parties.setdefault(str(key["participant"]), []).append(key)
    return [key for key in found if "participant" not in key], parties


def _words(course: Course) -> str:
    """What happened under an agreement, in one line."""
    signers = [
        f"{party} with {kid}{'' if party in course.trusted else BY_THE_NODE}"
        for party, kid in course.signed.items()
    ]
    told = [
        f"agreement {course.agreement}: signed by {' and '.join(signers) or 'nobody'}",
        f"concluded in entry {course.concluded}" if course.concluded else "no entry of its conclusion",
        f"{counted(course.uses, 'use')} of {counted(course.rows, 'row')}{_where(course)}, {course.refused} refused",
        f"stopped by {course.stopped_by} in entry {course.stopped}" if course.stopped else NO_END,
    ]
    return "; ".join(told)


def _where(course: Course) -> str:
    """At which crossings the rows passed: what a map showed is told beside what was delivered."""
    at = [f"{name} {rows}" for name, rows in sorted(course.crossings.items())]
    if course.again:
        at.append(f"{course.again} of them sent again")
    return f" ({', '.join(at)})" if at else ""


def _told(found: Examination) -> dict[str, Any]:
    return {
        "ok": not found.faults,
        "heads": found.heads,
        "kid": found.kid,
        "tree_size": found.newest.tree_size if found.newest else 0,
        "root_hash": found.newest.root_hash if found.newest else "",
        "links": found.links,
        "entries": sorted(found.records),
        "agreements": [asdict(course) for course in found.courses.values()],
        "faults": found.faults,
    }
