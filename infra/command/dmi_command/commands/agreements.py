"""Agreements, consents and lineage."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated, Any

import typer

from dmi_command.client import Client
from dmi_command.commands.policy import Tongue
from dmi_command.console import (
    DEFAULT_URL,
    As,
    AsJson,
    KeyFile,
    Participant,
    Url,
    Wide,
    connect,
    err,
    out,
    own_key,
    show,
    show_papers,
)
from dmi_command.errors import AnswerRefused, CommandFailed, UsageWrong
from dmi_command.naming import whole_id
from dmi_command.reports import agreement_in_short, consent_in_brief
from dmi_infra.jose import SignatureInvalid, SigningKey, verify_receipt

AgreementId = Annotated[
    str, typer.Argument(help="Id of the agreement, or its first 8 characters as the pages show them")
]
ConsentId = Annotated[
    str, typer.Argument(help="Id of the consent, or its first 8 characters as the pages show them")
]


def register(app: typer.Typer) -> None:
    """Add the commands of this subject."""
    app.add_typer(agreement_app, name="agreement", help="Propose, sign and list agreements.")
    app.add_typer(consent_app, name="consent", help="Give, list and withdraw consent.")
    app.command()(revoke)
    app.command()(lineage)


agreement_app = typer.Typer(no_args_is_help=True)
consent_app = typer.Typer(no_args_is_help=True)


@agreement_app.command("list")
def list_agreements(
    url: Url = DEFAULT_URL,
    who: As = None,
    key: KeyFile = None,
    participant: Participant = None,
    wide: Wide = False,
    as_json: AsJson = False,
) -> None:
    """List your agreements (operator: all)."""
    with connect(url, who, key, participant) as client:
        columns = ["id", "assigner", "assignee", "datasets", "state"]
        show_papers(client.get("/exchange/v1/agreements"), as_json, columns, wide)


@agreement_app.command("propose")
def propose(
    file: Annotated[Path, typer.Argument(help="ODRL agreement as JSON-LD", exists=True, dir_okay=False)],
    url: Url = DEFAULT_URL,
    who: As = None,
    key: KeyFile = None,
    participant: Participant = None,
    as_json: AsJson = False,
) -> None:
    """Propose an agreement, signed by your side."""
    with connect(url, who, key, participant, default="officer") as client:
        _show_agreement(client.post("/exchange/v1/agreements", _proposal(file, key)), as_json)


@agreement_app.command("refine")
def refine(
    agreement: AgreementId,
    file: Annotated[
        Path, typer.Argument(help="The terms that you want instead", exists=True, dir_okay=False)
    ],
    url: Url = DEFAULT_URL,
    who: As = None,
    key: KeyFile = None,
    participant: Participant = None,
    as_json: AsJson = False,
) -> None:
    """Answer a proposal with other terms, signed by your side; they take its place."""
    with connect(url, who, key, participant, default="officer") as client:
        path = f"/exchange/v1/agreements/{whole_id(client, agreement, 'agreements')}/refinement"
        _show_agreement(client.post(path, _proposal(file, key)), as_json)


def _proposal(file: Path, key: Path | None) -> dict[str, Any]:
    try:
        document = json.loads(file.read_bytes())
    except ValueError as exc:
        raise UsageWrong(f"{file}: not JSON ({exc})") from exc
    jws = own_key(key).sign_document(document) if key else None
    return {"document": document, "jws": jws, "hosted": jws is None}


@agreement_app.command("sign")
def sign_agreement(
    agreement: AgreementId,
    url: Url = DEFAULT_URL,
    who: As = None,
    key: KeyFile = None,
    participant: Participant = None,
    as_json: AsJson = False,
) -> None:
    """Sign a proposal of the other side."""
    with connect(url, who, key, participant, default="officer") as client:
        path = f"/exchange/v1/agreements/{whole_id(client, agreement, 'agreements')}"
        proposal = client.get(path)
        jws = own_key(key).sign_document(proposal["document"]) if key else None
        signed = client.post(f"{path}/signature", {"jws": jws, "hosted": jws is None})
        _show_agreement(signed, as_json)
        waiting = ", ".join(signed["waiting_for"])
        if waiting and signed["signatures"].keys() == proposal["signatures"].keys():
            err.print(
                f"You had signed this already: nothing has changed; it waits for {waiting}", soft_wrap=True
            )


@consent_app.command("list")
def list_consents(
    url: Url = DEFAULT_URL,
    who: As = None,
    key: KeyFile = None,
    participant: Participant = None,
    wide: Wide = False,
    as_json: AsJson = False,
) -> None:
    """List your consents."""
    with connect(url, who, key, participant, default="resident") as client:
        answer = client.get("/exchange/v1/consents")
    columns = ["id", "datasets", "purposes", "recipients", "state"]
    brief = {"items": [consent_in_brief(one) for one in answer["items"]]}
    show_papers(answer if as_json else brief, as_json, columns, wide)


@consent_app.command("give")
def give_consent(
    dataset: str,
    purpose: str,
    recipient: Annotated[list[str], typer.Option(help="Who may use it")],
    person: Annotated[str | None, typer.Option("--for", help="A person whom you represent, by id")] = None,
    cut_ends: Annotated[
        int | None, typer.Option(help="Keep nothing so near to where trips begin and end, metres")
    ] = None,
    coarsen: Annotated[int | None, typer.Option(help="Keep positions by cells of this size, metres")] = None,
    group: Annotated[int | None, typer.Option(help="Show rows in groups of so many persons alone")] = None,
    url: Url = DEFAULT_URL,
    who: As = None,
    key: KeyFile = None,
    participant: Participant = None,
    as_json: AsJson = False,
) -> None:
    """Consent to the use of your data for one purpose: a consent for each recipient."""
    with connect(url, who, key, participant, default="resident") as client:
        body: dict[str, Any] = {"dataset": dataset, "purpose": purpose, "recipients": recipient}
        asked = {"for": person, "cut_ends_m": cut_ends, "coarsen_m": coarsen, "minimum_group": group}
        body.update({name: value for name, value in asked.items() if value is not None})
        given = _given(client, body, key)
        if as_json:
            show(given, as_json)
            return
        for consent in given["items"]:
            _show_agreement(consent, as_json)


def _given(client: Client, body: dict[str, Any], key: Path | None) -> dict[str, Any]:
    """The consents, signed with the person's own key, or where the node keeps that, there."""
    if key is None:
        return dict(client.post("/exchange/v1/consents", body))
    texts = client.post("/exchange/v1/consents/draft", body)["items"]
    signer = own_key(key)
    return {"items": [_signed(client, text, signer) for text in texts], "next": None}


def _signed(client: Client, text: dict[str, Any], signer: SigningKey) -> dict[str, Any]:
    """The consent of this text, once it has been signed with the person's own key."""
    return dict(client.post("/exchange/v1/agreements", {"document": text, "jws": signer.sign_document(text)}))


@consent_app.command("withdraw")
def withdraw(
    consent: ConsentId,
    url: Url = DEFAULT_URL,
    who: As = None,
    key: KeyFile = None,
    participant: Participant = None,
    as_json: AsJson = False,
) -> None:
    """Withdraw a consent, at once."""
    with connect(url, who, key, participant, default="resident") as client:
        path = f"/exchange/v1/consents/{whole_id(client, consent, 'consents')}"
        _show_agreement(client.post(f"{path}/withdraw", {}), as_json)


@consent_app.command("renew")
def renew(
    consent: ConsentId,
    url: Url = DEFAULT_URL,
    who: As = None,
    key: KeyFile = None,
    participant: Participant = None,
    as_json: AsJson = False,
) -> None:
    """Give a consent that has ended once more, under the rulebook as it is now."""
    with connect(url, who, key, participant, default="resident") as client:
        path = f"/exchange/v1/consents/{whole_id(client, consent, 'consents')}"
        if key is None:
            _show_agreement(client.post(f"{path}/renewal"), as_json)
            return
        _show_agreement(_signed(client, client.post(f"{path}/renewal/draft"), own_key(key)), as_json)


@consent_app.command("receipt")
def receipt(
    consent: ConsentId,
    output: Annotated[
        Path | None,
        typer.Option(help="Keep the receipt in this file: a page where it ends in .pdf, else JSON"),
    ] = None,
    language: Annotated[Tongue, typer.Option("--language", help="In which language it is told.")] = Tongue.nl,
    url: Url = DEFAULT_URL,
    who: As = None,
    key: KeyFile = None,
    participant: Participant = None,
    as_json: AsJson = False,
) -> None:
    """The receipt of a consent: in plain words, signed by the node, with the record (ISO/IEC TS 27560, DPV)."""
    with connect(url, who, key, participant, default="resident") as client:
        path = f"/exchange/v1/consents/{whole_id(client, consent, 'consents')}"
        made = client.get(f"{path}/receipt")
        keys = client.get("/exchange/.well-known/jwks.json")["keys"]
        page = None
        if output is not None and output.suffix.lower() == ".pdf":
            page = client.get_bytes(f"{path}/receipt", format="pdf", language=language.value)
    try:
        verify_receipt(made["jws"], made["receipt"], keys)
    except SignatureInvalid as exc:
        raise CommandFailed(f"the receipt is not what the node signed: {exc}") from exc
    if output is not None:
        output.write_bytes(page or (json.dumps(made, indent=2, ensure_ascii=False) + "\n").encode())
    if as_json:
        show(made, True)
        return
    for line in made["text"][language.value]:
        out.print(line, soft_wrap=True, markup=False)


def revoke(
    agreement: AgreementId,
    reason: Annotated[str, typer.Option(help="Why, for the other side")] = "",
    url: Url = DEFAULT_URL,
    who: As = None,
    key: KeyFile = None,
    participant: Participant = None,
    as_json: AsJson = False,
) -> None:
    """Stop an agreement everywhere, at once and for good."""
    with connect(url, who, key, participant, default="officer") as client:
        path = f"/exchange/v1/agreements/{whole_id(client, agreement, 'agreements')}"
        _show_agreement(client.post(f"{path}/end", {"reason": reason}), as_json)


def _show_agreement(agreement: dict[str, Any], as_json: bool) -> None:
    show(agreement if as_json else agreement_in_short(agreement), as_json)


def lineage(
    result: Annotated[
        str, typer.Argument(help="Id of a figure, forecast, scenario, measure, dataset, agreement or consent")
    ],
    dependents: Annotated[
        bool, typer.Option("--dependents", help="What rests on it, instead of its ground")
    ] = False,
    url: Url = DEFAULT_URL,
    who: As = None,
    key: KeyFile = None,
    participant: Participant = None,
    as_json: AsJson = False,
) -> None:
    """What a result rests on, or what rests on a dataset, agreement or consent."""
    with connect(url, who, key, participant) as client:
        identifier = whole_id(client, result, "agreements", "consents")
        path = f"/exchange/v1/lineage/{identifier}"
        if not dependents:
            try:
                show(client.get(path), as_json)
                return
            except AnswerRefused as refused:
                # Datasets, agreements and consents are grounds themselves: they rest on nothing.
                if refused.status != 404 or not _is_ground(client, identifier):
                    raise
        answer = client.get(f"{path}/dependents")
    if as_json or answer["items"]:
        if not as_json:
            out.print(f"on {identifier} rest:", soft_wrap=True)
        show(answer, as_json, ["result", "kind", "title", "made_at", "withdrawn"])
    else:
        out.print(f"nothing rests on {identifier}", soft_wrap=True)


def _is_ground(client: Client, identifier: str) -> bool:
    """Whether the caller may see a dataset, agreement or consent of this id."""
    for path in ("agreements", "datasets"):
        try:
            client.get(f"/exchange/v1/{path}/{identifier}")
            return True
        except AnswerRefused as refused:
            if refused.status != 404:
                raise
    return False
