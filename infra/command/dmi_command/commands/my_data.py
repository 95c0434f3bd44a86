"""My data: who used it, stop, download, correct, erase, object; also with a key in place of an account."""

from __future__ import annotations

import json
import zipfile
from pathlib import Path
from typing import Annotated, Any

import typer

from dmi_command.client import Client
from dmi_command.commands.policy import Tongue
from dmi_command.console import DEFAULT_URL, As, AsJson, KeyFile, Participant, Url, connect, out, show
from dmi_command.errors import AnswerRefused

BASE = "/exchange/v1/my-data"
Person = Annotated[str | None, typer.Option("--for", help="A person whom you represent, by id")]
Reason = Annotated[str, typer.Option(help="Why; you need not say")]
DatasetId = Annotated[str, typer.Argument(help="Id of the dataset")]


def register(app: typer.Typer) -> None:
    """Add the commands of this subject."""
    app.add_typer(
        my_data_app,
        name="my-data",
        help="Your own data: who used it, stop, download, correct, erase, object.",
    )


my_data_app = typer.Typer(no_args_is_help=True)


def _open(url: str, who: str | None, key: Path | None, participant: str | None) -> Client:
    return connect(url, who, key, participant, default="resident")


def _about(person: str | None, reason: str, **more: Any) -> dict[str, Any]:
    body = {"reason": reason, **{name: value for name, value in more.items() if value}}
    return body if person is None else {**body, "for": person}


@my_data_app.command("uses")
def uses(
    days: Annotated[int, typer.Option(min=1, max=3650, help="How far to look back")] = 90,
    dataset: Annotated[str | None, typer.Option(help="Only this dataset")] = None,
    person: Person = None,
    url: Url = DEFAULT_URL,
    who: As = None,
    key: KeyFile = None,
    participant: Participant = None,
    as_json: AsJson = False,
) -> None:
    """Who used your data, for what and when, from the log."""
    with _open(url, who, key, participant) as client:
        answer = client.get(f"{BASE}/uses", days=days, dataset=dataset, **({"for": person} if person else {}))
        show(answer, as_json, ["name", "purpose", "action", "dataset", "times", "first", "last"])


@my_data_app.command("requests")
def requests(
    person: Person = None,
    url: Url = DEFAULT_URL,
    who: As = None,
    key: KeyFile = None,
    participant: Participant = None,
    as_json: AsJson = False,
) -> None:
    """What you asked for, and what each layer did about it."""
    with _open(url, who, key, participant) as client:
        answer = client.get(f"{BASE}/requests", **({"for": person} if person else {}))
        if not as_json:
            for one in answer["items"]:
                done = ", ".join(f"{each['service']}: {each['rows']}" for each in one["carried_out"])
                one["carried_out"] = done
        show(answer, as_json, ["id", "right", "dataset", "state", "made_at", "carried_out"])


@my_data_app.command("told")
def told(
    person: Person = None,
    url: Url = DEFAULT_URL,
    who: As = None,
    key: KeyFile = None,
    participant: Participant = None,
    as_json: AsJson = False,
) -> None:
    """Who received your data and was told what you asked, who was not yet, and what they answered."""
    with _open(url, who, key, participant) as client:
        answer = client.get(f"{BASE}/told", **({"for": person} if person else {}))
        show(answer, as_json, ["name", "right", "dataset", "told_at", "reason", "outcome", "answer"])


@my_data_app.command("stop")
def stop(
    dataset: Annotated[str | None, typer.Option(help="Only about this dataset")] = None,
    purpose: Annotated[str | None, typer.Option("--for-purpose", help="Only for this purpose")] = None,
    recipient: Annotated[str | None, typer.Option(help="Only to this recipient")] = None,
    reason: Reason = "",
    person: Person = None,
    url: Url = DEFAULT_URL,
    who: As = None,
    key: KeyFile = None,
    participant: Participant = None,
    as_json: AsJson = False,
) -> None:
    """Withdraw your consents at once: by dataset, purpose or recipient, or all."""
    body = _about(person, reason, dataset=dataset, purpose=purpose, recipient=recipient)
    with _open(url, who, key, participant) as client:
        show(client.post(f"{BASE}/stop", body), as_json, ["id", "datasets", "state", "ended_at"])


@my_data_app.command("erase")
def erase(
    dataset: Annotated[
        list[str] | None, typer.Option(help="Only in this dataset; repeat for more; left out: all")
    ] = None,
    reason: Reason = "",
    person: Person = None,
    url: Url = DEFAULT_URL,
    who: As = None,
    key: KeyFile = None,
    participant: Participant = None,
    as_json: AsJson = False,
) -> None:
    """Have your data erased in every layer; your consents to it end, and what rests on it is marked and made again."""
    with _open(url, who, key, participant) as client:
        answer = client.post(f"{BASE}/erasure", _about(person, reason, datasets=dataset))
        show(answer, as_json, ["id", "right", "dataset", "state", "made_at"])


@my_data_app.command("correct")
def correct(
    dataset: DatasetId,
    datastream: Annotated[str, typer.Argument(help="Id of the datastream")],
    time: Annotated[str, typer.Argument(help="When it was measured: RFC 3339 with an offset")],
    result: Annotated[float | None, typer.Argument(help="What it should be; left out: no value")] = None,
    reason: Reason = "",
    person: Person = None,
    url: Url = DEFAULT_URL,
    who: As = None,
    key: KeyFile = None,
    participant: Participant = None,
    as_json: AsJson = False,
) -> None:
    """Correct a measurement of yours; what sums it up is made again."""
    corrections = [{"datastream": datastream, "time": time, "result": result}]
    with _open(url, who, key, participant) as client:
        body = _about(person, reason, dataset=dataset, corrections=corrections)
        show(client.post(f"{BASE}/rectification", body), as_json)


@my_data_app.command("object")
def object_to(
    dataset: DatasetId,
    purpose: Annotated[str, typer.Option("--to-purpose", help="Only to this purpose; left out: every")] = "",
    reason: Reason = "",
    person: Person = None,
    url: Url = DEFAULT_URL,
    who: As = None,
    key: KeyFile = None,
    participant: Participant = None,
    as_json: AsJson = False,
) -> None:
    """Object to a use of your data that does not rest on consent; it stops at once."""
    with _open(url, who, key, participant) as client:
        answer = client.post(f"{BASE}/objection", _about(person, reason, dataset=dataset, purpose=purpose))
        show(answer, as_json)


@my_data_app.command("end")
def end(
    request: Annotated[str, typer.Argument(help="Id of the objection")],
    reason: Reason = "",
    url: Url = DEFAULT_URL,
    who: As = None,
    key: KeyFile = None,
    participant: Participant = None,
    as_json: AsJson = False,
) -> None:
    """Take an objection back; the owner of the data may end it with compelling grounds."""
    with _open(url, who, key, participant) as client:
        show(client.post(f"{BASE}/requests/{request}/end", {"reason": reason}), as_json)


@my_data_app.command("letter")
def letter(
    file: Annotated[Path, typer.Argument(help="PDF to write: where data of the person may be, and a code")],
    language: Annotated[Tongue, typer.Option("--language", help="In which language it is told.")] = Tongue.nl,
    person: Person = None,
    url: Url = DEFAULT_URL,
    who: As = None,
    key: KeyFile = None,
    participant: Participant = None,
    as_json: AsJson = False,
) -> None:
    """A letter for who has no account: where data may be, who used it, what to ask, and a code to do it with.

    The operator makes one --for anybody, who stands at the desk; others for themselves and for whom they represent.
    """
    with _open(url, who, key, participant) as client:
        body = {"language": language.value, **({"for": person} if person else {})}
        file.write_bytes(client.post_for_bytes(f"{BASE}/letter", body))
    report = {"file": str(file), "bytes": file.stat().st_size}
    if as_json:
        show(report, True)
    else:
        out.print(f"{file} ({report['bytes']:,} bytes)", soft_wrap=True)


@my_data_app.command("download")
def download(
    file: Annotated[Path, typer.Argument(help="Zip file to write: all that is kept of you")],
    person: Person = None,
    url: Url = DEFAULT_URL,
    who: As = None,
    key: KeyFile = None,
    participant: Participant = None,
    as_json: AsJson = False,
) -> None:
    """Take along all that is kept of you: consents, uses, requests, and your measurements in each dataset."""
    with _open(url, who, key, participant) as client:
        copy = client.get(f"{BASE}/copy", **({"for": person} if person else {}))
        names = ["my-data.json"]
        with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as target:
            target.writestr(names[0], json.dumps(copy, indent=2, ensure_ascii=False))
            # Rows go to the person alone, by its own identity: a representative gets what the exchange keeps.
            for dataset in copy["datasets"] if person is None else ():
                try:
                    rows = client.get_bytes("/platform/v1/export", dataset=dataset["id"])
                except AnswerRefused as refused:
                    copy.setdefault("missing", []).append({"dataset": dataset["id"], "why": str(refused)})
                    continue
                names.append(f"{dataset['id'].replace(':', '_')}.zip")
                target.writestr(names[-1], rows)
            if "missing" in copy:
                names.append("missing.json")
                target.writestr(names[-1], json.dumps(copy["missing"], indent=2, ensure_ascii=False))
    if as_json:
        show({"file": str(file), "bytes": file.stat().st_size, "holds": names}, True)
        return
    out.print(f"{file} ({file.stat().st_size:,} bytes): {', '.join(names)}", soft_wrap=True)
