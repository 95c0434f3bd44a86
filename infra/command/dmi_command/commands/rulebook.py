"""The rulebook: read it, take its files along, propose a change, see the difference, adopt or reject it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated, Any, Final

import typer

from dmi_agreements.errors import RulebookInvalid
from dmi_agreements.rulebook import Rulebook, parse_rulebook
from dmi_command.client import Client
from dmi_command.commands.policy import Tongue
from dmi_command.console import (
    DEFAULT_URL,
    As,
    AsJson,
    KeyFile,
    Participant,
    Url,
    connect,
    out,
    own_key,
    show,
)
from dmi_command.errors import UsageWrong
from dmi_command.reports import counted

BASE = "/exchange/v1/rulebook"
WEIGHTS: Final = {
    Tongue.nl: {"patch": "klein", "minor": "middelgroot", "major": "groot"},
    Tongue.en: {"patch": "patch", "minor": "minor", "major": "major"},
}
IN_ALL: Final = {
    Tongue.nl: ("in totaal", "geen wijzigingen", "wijziging", "wijzigingen"),
    Tongue.en: ("in all", "no changes", "change", "changes"),
}
"""How a difference is summed up: its beginning, nothing, one and more of it."""

Number = Annotated[str, typer.Argument(help="Version: three numbers, such as 1.1.0")]
Folder = Annotated[
    Path, typer.Argument(help="Folder with the files of a rulebook", exists=True, file_okay=False)
]
Reason = Annotated[str, typer.Option(help="Why, for everyone to read")]
Language = Annotated[Tongue, typer.Option("--language", help="In which language changes are told.")]

rulebook_app = typer.Typer(no_args_is_help=True)


def register(app: typer.Typer) -> None:
    """Add the commands of this subject."""
    app.add_typer(
        rulebook_app, name="rulebook", help="Read the rulebook, propose changes of it, and decide on them."
    )


@rulebook_app.command("list")
def versions(
    url: Url = DEFAULT_URL,
    who: As = None,
    key: KeyFile = None,
    participant: Participant = None,
    as_json: AsJson = False,
) -> None:
    """List the versions that were proposed, and what became of them; which one is in force."""
    with connect(url, who, key, participant) as client:
        columns = ["version", "base", "state", "reason", "proposed_by", "decided_by"]
        show(client.get(f"{BASE}/versions"), as_json, columns)
        if not as_json:
            out.print(f"in force: rulebook {client.get(BASE)['version']}")


@rulebook_app.command("export")
def export(
    folder: Annotated[Path, typer.Argument(help="Folder to write to; made when it does not exist")],
    version: Annotated[str | None, typer.Option(help="Left out: the current one")] = None,
    url: Url = DEFAULT_URL,
    who: As = None,
    key: KeyFile = None,
    participant: Participant = None,
) -> None:
    """Write the files of a version, to read them or to change them and propose the change."""
    with connect(url, who, key, participant) as client:
        wanted = version or client.get(BASE)["version"]
        files = client.get(f"{BASE}/versions/{wanted}")["files"]
    folder.mkdir(parents=True, exist_ok=True)
    for name, content in files.items():
        (folder / name).write_text(json.dumps(content, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")
    out.print(f"rulebook {wanted} is in {folder}", soft_wrap=True)


@rulebook_app.command("difference")
def tell_difference(
    what: Annotated[str, typer.Argument(help="A version that was proposed, or a folder with changed files")],
    since: Annotated[str | None, typer.Option(help="Beside this version, instead of its base")] = None,
    language: Language = Tongue.en,
    url: Url = DEFAULT_URL,
    who: As = None,
    key: KeyFile = None,
    participant: Participant = None,
    as_json: AsJson = False,
) -> None:
    """Tell in words what a version changes."""
    with connect(url, who, key, participant) as client:
        if Path(what).is_dir():
            answer = client.post(f"{BASE}/difference", _files(_read(Path(what))))
        else:
            answer = client.get(f"{BASE}/versions/{what}/difference", since=since)
    _tell(answer, language, as_json)


@rulebook_app.command("propose")
def propose(
    folder: Folder,
    reason: Reason,
    url: Url = DEFAULT_URL,
    key: KeyFile = None,
    participant: Participant = None,
    who: As = None,
    language: Language = Tongue.en,
    as_json: AsJson = False,
) -> None:
    """Propose the files in a folder as the next version, signed by a body of the framework."""
    book = _read(folder)
    with connect(url, who, key, participant) as client:
        current = client.get(BASE)["version"]
        body = {
            "files": _files(book),
            "reason": reason,
            **_signed(key, book.version, current, book.digest, "proposes"),
        }
        made = client.post(f"{BASE}/versions", body)
    if as_json:
        show(made, True)
        return
    out.print(f"proposed: rulebook {made['version']}, a change of {made['base']}", soft_wrap=True)
    _tell(made["difference"], language, False)


@rulebook_app.command("adopt")
def adopt(
    version: Number,
    reason: Reason = "",
    url: Url = DEFAULT_URL,
    key: KeyFile = None,
    participant: Participant = None,
    who: As = None,
    as_json: AsJson = False,
) -> None:
    """Adopt a proposed version, signed by the body that may: it is current from then on."""
    with connect(url, who, key, participant) as client:
        _decide(client, version, "adopt", reason, key, as_json)


@rulebook_app.command("reject")
def reject(
    version: Number,
    reason: Reason,
    url: Url = DEFAULT_URL,
    key: KeyFile = None,
    participant: Participant = None,
    who: As = None,
    as_json: AsJson = False,
) -> None:
    """Reject a proposed version; its number is free again."""
    with connect(url, who, key, participant) as client:
        _decide(client, version, "reject", reason, key, as_json)


def _decide(client: Client, version: str, act: str, reason: str, key: Path | None, as_json: bool) -> None:
    content = client.get(f"{BASE}/versions/{version}")
    base = next(v["base"] for v in client.get(f"{BASE}/versions")["items"] if v["version"] == version)
    signed = _signed(key, version, base, content["digest"], f"{act}s")
    show(client.post(f"{BASE}/versions/{version}/{act}", {"reason": reason, **signed}), as_json)


def _signed(key: Path | None, version: str, base: str, digest: str, act: str) -> dict[str, Any]:
    if key is None:
        return {"hosted": True}
    text = {"rulebook": version, "base": base, "digest": digest, "statement": act}
    return {"jws": own_key(key).sign_document(text)}


def _read(folder: Path) -> Rulebook:
    try:
        return parse_rulebook({file.name: file.read_bytes() for file in sorted(folder.glob("*.json"))})
    except RulebookInvalid as exc:
        broken = "\n".join(f"  {finding}" for finding in exc.findings)
        raise UsageWrong(f"{folder} holds no valid rulebook:\n{broken}") from exc
    except OSError as exc:
        raise UsageWrong(f"{exc.filename} cannot be read: {exc.strerror}") from exc


def _files(book: Rulebook) -> dict[str, Any]:
    return dict(book.files)


def _tell(answer: dict[str, Any], language: Tongue, as_json: bool) -> None:
    if as_json:
        show(answer, True)
        return
    changes, weights = answer["items"], WEIGHTS[language]
    for change in changes:
        weight = weights[change["weight"]]
        out.print(f"[{weight}] {change['text'][language.value]}", soft_wrap=True, markup=False)
    in_all, none, one, many = IN_ALL[language]
    told = f"{weights[answer['weight']]}, {counted(len(changes), one, many)}" if changes else none
    out.print(f"{in_all}: {told}")
