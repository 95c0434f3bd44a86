"""Invoices by command: what is not yet billed, and the entries that a balance is the sum of."""

from __future__ import annotations

import json

from typer.testing import CliRunner

from dmi_command.cli import app
from dmi_command.errors import UsageWrong
from tests.unit.command.answering import Answering

VENDOR = "urn:dmi:participant:sensorbedrijf"
ENTRY = {
    "id": 1, "at": "2026-11-01T09:00:00Z", "account": "debtors", "other": VENDOR, "kind": "invoice",
    "number": "2026-00001", "invoice": "a", "cents": 24_200,
}  # fmt: skip


def test_entries_are_asked_for_by_account_and_participant(answering: Answering) -> None:
    answering.on("GET", "/exchange/v1/transactions/entries", {"items": [ENTRY], "next": None})
    done = CliRunner().invoke(
        app, ["invoice", "entries", "--account", "debtors", "--other", VENDOR, "--json"]
    )
    assert json.loads(done.stdout)["items"] == [ENTRY]
    asked = answering.requests[-1].url.params
    assert (asked["account"], asked["other"], asked["after"]) == ("debtors", VENDOR, "0")


def test_what_is_not_yet_billed_is_told_with_its_amount(answering: Answering) -> None:
    due = {
        "customer": VENDOR, "agreement": "urn:uuid:a", "rule": "", "month": "2026-11", "uses": 1, "net": 700,
        "price": {"cents": 700, "per": 1, "unit": "month"},
    }  # fmt: skip
    answering.on("GET", "/exchange/v1/transactions/use", {"items": [due], "next": None})
    done = CliRunner().invoke(app, ["invoice", "unbilled"])
    assert ("2026-11" in done.stdout, "700" in done.stdout) == (True, True)


def test_a_customer_is_named_by_its_whole_id(answering: Answering) -> None:
    refused = CliRunner().invoke(app, ["invoice", "issue", "sensorbedrijf"]).exception
    assert isinstance(refused, UsageWrong)
    assert str(refused).startswith("CUSTOMER must be a whole id, such as urn:dmi:participant:gemeente")
    assert answering.requests == []
