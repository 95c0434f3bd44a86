"""Mandates and transactions in the browser: given, stopped, billed and paid, by keyboard and in two languages."""

from __future__ import annotations

import re
import time
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path

import httpx
import pytest
from playwright.sync_api import Locator, Page, Route, expect

from dmi_infra.jose import ASSERTION_TYPE, SigningKey, make_assertion
from tests.e2e.conftest import Visit
from tests.e2e.keyboard import choose, push, tab_to, write
from tests.e2e.test_pages import WIDER
from tests.e2e.test_work import barriers
from tests.stack_plugin import EmbeddedStack
from tests.unit.infra.fakes import eventually

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
    push(page, page.get_by_role("button", name="Geef de machtiging"))
    # What is missing is told at each field, and the first of them has the focus.
    expect(page.get_by_text("Kies een dag na vandaag")).to_be_visible()
    expect(page.get_by_text("Kies ten minste één handeling.")).to_be_visible()
    expect(page.get_by_label("Aan wie")).to_be_focused()
    choose(page, page.get_by_label("Aan wie"), "Sensorbedrijf Meetlat")
    tab_to(page, page.get_by_role("group", name="Welke gegevens").get_by_role("checkbox").first)
    page.keyboard.press("Space")
    tab_to(page, page.get_by_role("checkbox", name="opvragen"))
    page.keyboard.press("Space")
    tab_to(page, page.get_by_label("Waarvoor"))
    page.keyboard.press("ArrowDown")
    write_day(page, page.get_by_label("Tot en met"), datetime.now(UTC) + timedelta(days=90))
    push(page, page.get_by_role("button", name="Geef de machtiging"))
    expect(page.get_by_role("status").filter(has_text="De machtiging geldt nu.")).to_be_visible()
    assert barriers(page) == []
    push(page, page.get_by_role("button", name="Stop:"))
    push(page, page.get_by_role("dialog").get_by_role("button", name="Ja, stop de machtiging"))
    expect(page.get_by_text("De machtiging is gestopt.")).to_be_visible()
    expect(page.get_by_role("button", name="Stop:")).to_have_count(0)
    assert visitor.faults == []


def test_a_machine_gets_a_key_from_the_browser_acts_by_a_mandate_and_is_stopped(
    embedded_stack: EmbeddedStack, visit: Visit, tmp_path: Path
) -> None:
    visitor = visit(embedded_stack.url, "officer", 360)
    page = visitor.go("/mandates")
    expect(page.get_by_text("Er is geen apparaat of systeem")).to_be_visible()
    write(page, page.get_by_label("Naam van het apparaat"), "Slagboom Noord")
    with page.expect_download() as coming:
        push(page, page.get_by_role("button", name="Voeg toe en bewaar de sleutel"))
    file = tmp_path / coming.value.suggested_filename
    coming.value.save_as(file)
    assert file.name == "slagboom-noord.jwk"
    expect(page.get_by_role("cell", name="geen, mag niets")).to_be_visible()

    choose(page, page.get_by_label("Aan wie"), "Slagboom Noord (van uzelf)")
    expect(page.get_by_role("group", name="De ander mag de machtiging één keer doorgeven")).to_have_count(0)
    tab_to(page, page.get_by_role("group", name="Welke gegevens").get_by_role("checkbox").first)
    page.keyboard.press("Space")
    tab_to(page, page.get_by_role("checkbox", name="opvragen"))
    page.keyboard.press("Space")
    choose(page, page.get_by_label("Waarvoor"), "Mobiliteit")
    write_day(page, page.get_by_label("Tot en met"), datetime.now(UTC) + timedelta(days=90))
    push(page, page.get_by_role("button", name="Geef de machtiging"))
    expect(page.get_by_role("status").filter(has_text="De machtiging geldt nu.")).to_be_visible()
    assert barriers(page) == []

    machine = "urn:dmi:machine:gemeente:slagboom-noord"
    with embedded_stack.demo("officer") as officer:
        given = officer.get("/exchange/v1/mandates")["items"]
    found = next(one for one in given if one["mandatary"] == machine and one["state"] == "active")
    mandate = found["id"]
    address = f"{embedded_stack.url}/exchange/token"

    def asked() -> httpx.Response:
        assertion = make_assertion(SigningKey.load_or_create(file), machine, address, int(time.time()))
        proof = {"client_assertion_type": ASSERTION_TYPE, "client_assertion": assertion}
        form = {"grant_type": "client_credentials", **proof, "mandate": mandate}
        return httpx.post(address, data=form)

    headers = {
        "Authorization": f"Bearer {asked().json()['access_token']}",
        "DMI-Purpose": "dmi:purpose:mobility",
    }
    wanted = {"dataset": found["datasets"][0]}
    httpx.get(f"{embedded_stack.url}/platform/v1/latest", params=wanted, headers=headers)
    push(page, page.get_by_role("button", name="Stop: Slagboom Noord", exact=True))
    push(page, page.get_by_role("dialog").get_by_role("button", name="Ja, stop het"))
    expect(page.get_by_text("Gestopt. De sleutel werkt nergens meer.")).to_be_visible()
    assert asked().status_code == 401
    with embedded_stack.demo("officer") as officer:
        states = {one["id"]: one["state"] for one in officer.get("/exchange/v1/mandates")["items"]}
        read = partial(officer.get, "/exchange/v1/log", newest=True)
        eventually(lambda: any(one["mandate"] == mandate for one in read()["items"]))
    assert states[mandate] == "ended", "the mandates of a machine end with it"
    # The log names who acted, and for whom, with the way to the mandate.
    page = visitor.go("/log")
    row = page.get_by_role(
        "row", name=re.compile(r"Slagboom Noord \(van uzelf\) ?namens Gemeente Waterstad")
    ).first
    row.get_by_role("link", name=re.compile("machtiging")).first.click()
    # A machine is called by its title on every page, never by its id.
    title = page.get_by_role("heading", level=1, name="Slagboom Noord (van uzelf) namens Gemeente Waterstad")
    expect(title).to_be_visible()
    expect(page.get_by_text("gestopt", exact=True)).to_be_visible()
    assert machine not in page.locator("main").inner_text()
    page = visitor.go("/mandates")
    row = page.get_by_role("row", name=re.compile(r"Slagboom Noord \(van uzelf\)")).first
    row.get_by_role("link", name=re.compile("machtiging")).press("Enter")
    expect(title).to_be_visible()
    assert not page.evaluate(WIDER)
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
    visitor.page.route(
        "**/v1/transactions/invoices", lambda route: route.fulfill(json={"items": [INVOICE], "next": None})
    )
    visitor.page.route("**/v1/transactions/accounts", lambda route: route.fulfill(json={"items": [balance]}))
    entries_page = {"items": [entry], "next": None}
    visitor.page.route("**/v1/transactions/entries?*", lambda route: route.fulfill(json=entries_page))
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
    push(page, invoices.get_by_role("button", name="Has been paid"))
    page.get_by_role("dialog").get_by_text("€242.00").wait_for()
    push(page, page.get_by_role("dialog").get_by_role("button", name="Yes, record it"))
    expect(page.get_by_text("The payment was recorded.")).to_be_visible()
    assert visitor.faults == []


def test_what_the_service_refuses_is_told_in_dutch_to_who_reads_dutch(
    embedded_stack: EmbeddedStack, visit: Visit
) -> None:
    visitor = visit(embedded_stack.url, "officer", 360)
    visitor.page.route("**/v1/transactions/details", as_nothing_given)
    page = visitor.go("/transactions")
    for label, text in {
        "Naam van de organisatie": "Gemeente Waterstad", "Nummer van inschrijving": "12345678",
        "Straat en huisnummer": "Stadhuisplein 1", "Postcode": "1234 AB", "Plaats": "Waterstad",
        "Btw-nummer": "NL001234567B01", "IBAN": "NL00ABNA0417164300",
    }.items():  # fmt: skip
        write(page, page.get_by_label(label, exact=True), text)
    push(page, page.get_by_role("button", name="Bewaar"))
    expect(page.get_by_role("alert").get_by_text("is geen geldig IBAN").first).to_be_visible()
    assert "must" not in page.get_by_role("alert").inner_text()
    assert barriers(page) == []


def as_nothing_given(route: Route) -> None:
    """Answer as for who has given no details yet; what is sent goes to the service."""
    if route.request.method == "GET":
        route.fulfill(body="null", content_type="application/json")
    else:
        route.continue_()


def write_day(page: Page, field: Locator, day: datetime) -> None:
    """Write a day as the field of the browser takes it in: its parts in the order of the browser's language."""
    tab_to(page, field)
    for part in ("%m", "%d", "%Y"):
        page.keyboard.type(day.strftime(part))
    expect(field).to_have_value(day.date().isoformat())


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
        write(page, page.get_by_label(label, exact=True), text)
    push(page, page.get_by_role("button", name="Save"))
    expect(page.get_by_text("8 digits, an OIN 20")).to_be_visible()
    choose(page, page.get_by_label("Registered with"), "Public body (OIN)")
    push(page, page.get_by_role("button", name="Save"))
    expect(page.get_by_text("Your details were saved.")).to_be_visible()
    expect(page.get_by_text("NL91ABNA0417164300")).to_be_visible()
