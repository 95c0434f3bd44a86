"""Mandates and transactions in the browser: given, stopped, billed and paid, by keyboard and in two languages."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from playwright.sync_api import Page, expect

from tests.e2e.conftest import Visit
from tests.e2e.test_work import barriers
from tests.stack_plugin import EmbeddedStack

pytestmark = pytest.mark.chromium
CITY, VENDOR = "urn:dmi:participant:gemeente", "urn:dmi:participant:sensorbedrijf"

INVOICE = {
    "id": "1", "number": "2026-0001", "supplier": CITY, "customer": VENDOR, "issued_at": "2026-11-01T09:00:00Z",
    "due_at": "2026-12-01T09:00:00Z", "net": 20_000, "vat": 4_200, "gross": 24_200, "open": 24_200,
    "lines": [
        {"agreement": "urn:uuid:0a", "price": {"cents": 20, "per": 1, "unit": "use"}, "count": 1_000, "net": 20_000}
    ],
}  # fmt: skip
"""As the exchange shows one; a real one needs a whole hour of priced use, which its own tests have."""


def test_a_mandate_is_given_by_the_form_and_stopped_by_its_button(
    embedded_stack: EmbeddedStack, visit: Visit
) -> None:
    visitor = visit(embedded_stack.url, "officer", 360)
    page = visitor.go("/mandates")
    page.get_by_role("button", name="Geef de machtiging").click()
    # What is missing is told at each field, and the first of them has the focus.
    expect(page.get_by_text("Kies een dag na vandaag")).to_be_visible()
    expect(page.get_by_label("Aan wie")).to_be_focused()
    page.get_by_label("Aan wie").select_option(VENDOR)
    page.get_by_role("group", name="Welke gegevens").get_by_role("checkbox").first.check()
    page.get_by_label("Waarvoor").select_option(index=1)
    page.get_by_label("Tot en met").fill((datetime.now(UTC) + timedelta(days=90)).date().isoformat())
    page.get_by_role("button", name="Geef de machtiging").press("Enter")
    expect(page.get_by_role("status").filter(has_text="De machtiging geldt nu.")).to_be_visible()
    assert barriers(page) == []
    page.get_by_role("button", name="Stop:").press("Enter")
    page.get_by_role("dialog").get_by_role("button", name="Ja, stop de machtiging").press("Enter")
    expect(page.get_by_text("De machtiging is gestopt.")).to_be_visible()
    expect(page.get_by_role("button", name="Stop:")).to_have_count(0)
    assert visitor.faults == []


def test_use_and_invoices_are_shown_and_a_payment_is_recorded(
    embedded_stack: EmbeddedStack, visit: Visit
) -> None:
    with embedded_stack.demo("officer") as officer:
        agreements = officer.get("/exchange/v1/agreements")["items"]
    agreed = next(one["id"] for one in agreements if one["assignee"] == VENDOR)
    used = {
        "customer": VENDOR, "agreement": agreed, "rule": "/permission/0", "month": "", "uses": 12,
        "price": {"cents": 5, "per": 1, "unit": "use"}, "net": 60,
    }  # fmt: skip
    balance = {"account": "debtors", "other": VENDOR, "cents": 24_200}
    entry = {**balance, "id": 1, "at": INVOICE["issued_at"], "kind": "invoice", "number": INVOICE["number"]}
    visitor = visit(embedded_stack.url, "officer", 1440, "en")
    visitor.page.route("**/v1/transactions/use", lambda route: route.fulfill(json={"items": [used]}))
    visitor.page.route("**/v1/transactions/invoices", lambda route: route.fulfill(json={"items": [INVOICE]}))
    visitor.page.route("**/v1/transactions/accounts", lambda route: route.fulfill(json={"items": [balance]}))
    visitor.page.route("**/v1/transactions/entries?*", lambda route: route.fulfill(json={"items": [entry]}))
    visitor.page.route(
        "**/credit", lambda route: route.fulfill(json={**INVOICE, "kind": "credit", "number": "2026-0002"})
    )
    visitor.page.route("**/payments", lambda route: route.fulfill(json={**INVOICE, "open": 0}))
    page = visitor.go("/transactions")
    fill_details(page)
    use = page.get_by_role("region", name="Not yet billed")
    expect(use.get_by_role("row").filter(has_text="12")).to_be_visible()
    invoices = page.get_by_role("region", name="Invoices")
    expect(invoices.get_by_text("€242.00", exact=False).first).to_be_visible()
    invoices.get_by_role("button", name="Made of?").press("Enter")
    expect(page.get_by_text("€200.00 without VAT, €42.00 VAT, together €242.00.")).to_be_visible()
    page.get_by_role("button", name="Made of?: To receive").press("Enter")
    entries = page.get_by_role("region", name="the entries")
    expect(entries.get_by_role("row").filter(has_text="Invoice 2026-0001")).to_contain_text("€242.00")
    assert barriers(page) == []
    invoices.get_by_role("button", name="Take back").press("Enter")
    page.get_by_role("dialog").get_by_role("radio", name="It comes on a new invoice").check()
    page.get_by_role("dialog").get_by_role("button", name="Yes, take it back").press("Enter")
    expect(page.get_by_text("Credit note 2026-0002 was made.")).to_be_visible()
    invoices.get_by_role("button", name="Has been paid").press("Enter")
    page.get_by_role("dialog").get_by_text("€242.00").wait_for()
    page.get_by_role("dialog").get_by_role("button", name="Yes, record it").press("Enter")
    expect(page.get_by_text("The payment was recorded.")).to_be_visible()
    assert visitor.faults == []


def fill_details(page: Page) -> None:
    for label, text in {
        "Name of the organisation": "Gemeente Waterstad",
        "Registration number": "00000001234567890000",
        "Street and number": "Stadhuisplein 1",
        "Postcode": "1234 AB",
        "City": "Waterstad",
        "VAT number": "NL001234567B01",
        "IBAN": "NL91 ABNA 0417 1643 00",
    }.items():
        page.get_by_label(label, exact=True).fill(text)
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_text("8 digits, an OIN 20")).to_be_visible()
    page.get_by_label("Registered with").select_option("0190")
    page.get_by_role("button", name="Save").press("Enter")
    expect(page.get_by_text("Your details were saved.")).to_be_visible()
    expect(page.get_by_text("NL91ABNA0417164300")).to_be_visible()
