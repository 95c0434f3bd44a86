"""Transactions: invoices of what was used, payments, balances, and the commons."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated, Any

import typer

from dmi_command.console import (
    DEFAULT_URL,
    As,
    AsJson,
    KeyFile,
    Participant,
    Url,
    connect,
    err,
    moment,
    out,
    show,
    whole_name,
)
from dmi_command.errors import UsageWrong

BASE = "/exchange/v1/transactions"

invoice_app = typer.Typer(no_args_is_help=True)
Invoice = Annotated[str, typer.Argument(help="Id of an invoice, as dmi invoice list shows it")]


def register(app: typer.Typer) -> None:
    """Add the commands of this subject."""
    app.command()(commons)
    app.add_typer(invoice_app, name="invoice", help="Bill what was used, and see what is owed.")


@invoice_app.command("details")
def details(
    file: Annotated[
        Path | None, typer.Argument(help="JSON with what invoices from now on say of you; left out: show it")
    ] = None,
    url: Url = DEFAULT_URL,
    who: As = None,
    key: KeyFile = None,
    participant: Participant = None,
    as_json: AsJson = False,
) -> None:
    """Show or give what an invoice must say of you: name, registration, address, VAT number, account."""
    with connect(url, who, key, participant, default="officer") as client:
        if file is None:
            given = client.get(f"{BASE}/details")
            if given is None and not as_json:
                out.print("nothing was given yet; give it with: dmi invoice details FILE")
            else:
                show(given, as_json)
            return
        try:
            body = json.loads(file.read_text(encoding="utf-8"))
        except (OSError, ValueError) as exc:
            raise UsageWrong(f"{file} holds no JSON that can be read: {exc}") from exc
        show(client.put(f"{BASE}/details", body), as_json)


@invoice_app.command("list")
def listed(
    url: Url = DEFAULT_URL,
    who: As = None,
    key: KeyFile = None,
    participant: Participant = None,
    as_json: AsJson = False,
) -> None:
    """The invoices that you gave or got, newest first; amounts in cents."""
    with connect(url, who, key, participant, default="officer") as client:
        answer = client.get(f"{BASE}/invoices")
    show(answer, as_json, ["id", "number", "kind", "supplier", "customer", "gross", "open"])


@invoice_app.command("unbilled")
def unbilled(
    url: Url = DEFAULT_URL,
    who: As = None,
    key: KeyFile = None,
    participant: Participant = None,
    as_json: AsJson = False,
) -> None:
    """What the next invoices would bill: uses, months begun, agreements; amounts in cents, without VAT."""
    with connect(url, who, key, participant, default="officer") as client:
        answer = client.get(f"{BASE}/use")
    show(answer, as_json, ["customer", "agreement", "rule", "month", "uses", "net"])


@invoice_app.command("issue")
def issue(
    customer: Annotated[
        str, typer.Argument(help="Whom to bill: urn:dmi:participant:<name>", callback=whole_name)
    ],
    until: Annotated[
        str | None,
        typer.Option(help="Bill what was used before this (RFC 3339 with an offset)", callback=moment),
    ] = None,
    url: Url = DEFAULT_URL,
    who: As = None,
    key: KeyFile = None,
    participant: Participant = None,
    as_json: AsJson = False,
) -> None:
    """Bill all that a customer has used and that is not yet billed."""
    with connect(url, who, key, participant, default="officer") as client:
        show(client.post(f"{BASE}/invoices", {"customer": customer, "until": until}), as_json)


@invoice_app.command("ubl")
def ubl(
    invoice: Invoice,
    file: Annotated[Path, typer.Argument(help="XML file to write")],
    url: Url = DEFAULT_URL,
    who: As = None,
    key: KeyFile = None,
    participant: Participant = None,
) -> None:
    """Keep an invoice as UBL, as Peppol BIS Billing 3.0 has it."""
    with connect(url, who, key, participant, default="officer") as client:
        file.write_bytes(client.get_bytes(f"{BASE}/invoices/{invoice}/ubl"))
    err.print(f"{file} written")


@invoice_app.command("pay")
def pay(
    invoice: Invoice,
    cents: Annotated[int, typer.Argument(min=1, help="How much, in cents")],
    reference: Annotated[
        str, typer.Option(help="A name of yours for this payment: given again, it is recorded once")
    ] = "",
    url: Url = DEFAULT_URL,
    who: As = None,
    key: KeyFile = None,
    participant: Participant = None,
    as_json: AsJson = False,
) -> None:
    """Record money that you received for an invoice of yours, or gave back for a credit note."""
    with connect(url, who, key, participant, default="officer") as client:
        show(
            client.post(f"{BASE}/invoices/{invoice}/payments", {"cents": cents, "reference": reference}),
            as_json,
        )


@invoice_app.command("credit")
def credit(
    invoice: Invoice,
    bill_again: Annotated[
        bool, typer.Option(help="Open what it billed for an invoice that is right")
    ] = False,
    url: Url = DEFAULT_URL,
    who: As = None,
    key: KeyFile = None,
    participant: Participant = None,
    as_json: AsJson = False,
) -> None:
    """Take an invoice of yours back as a whole, by a credit note."""
    with connect(url, who, key, participant, default="officer") as client:
        show(client.post(f"{BASE}/invoices/{invoice}/credit", {"bill_again": bill_again}), as_json)


@invoice_app.command("balance")
def balance(
    url: Url = DEFAULT_URL,
    who: As = None,
    key: KeyFile = None,
    participant: Participant = None,
    as_json: AsJson = False,
) -> None:
    """The balances of your book in cents, by account and by the other party."""
    with connect(url, who, key, participant, default="officer") as client:
        show(client.get(f"{BASE}/accounts"), as_json, ["account", "other", "cents"])


@invoice_app.command("entries")
def entries(
    account: Annotated[
        str | None, typer.Option(help="Only of this account, as dmi invoice balance names it")
    ] = None,
    other: Annotated[str | None, typer.Option(help="Only with this participant")] = None,
    url: Url = DEFAULT_URL,
    who: As = None,
    key: KeyFile = None,
    participant: Participant = None,
    as_json: AsJson = False,
) -> None:
    """The entries of your book, oldest first, which each balance is the sum of; cents, debit above zero."""
    with connect(url, who, key, participant, default="officer") as client:
        found = client.every(
            f"{BASE}/entries", by="after", after="0", account=account, other=other, limit=1000
        )
    show({"items": found, "next": None}, as_json, ["at", "account", "other", "kind", "number", "cents"])


def commons(
    url: Url = DEFAULT_URL,
    who: As = None,
    key: KeyFile = None,
    participant: Participant = None,
    as_json: AsJson = False,
) -> None:
    """What each participant offers the others for free in a year, and what it takes; amounts in cents."""
    with connect(url, who, key, participant) as client:
        answer = client.get(f"{BASE}/commons")
    rows: list[dict[str, Any]] = [
        {**item, "taken": sum(each["cents"] for each in item["taken"])} for item in answer["items"]
    ]
    if as_json:
        show(answer, True)
    elif rows:
        show({"items": rows}, False, ["name", "offered", "short", "early", "taken", "rides_free"])
    else:
        out.print("no organisation takes part yet")
