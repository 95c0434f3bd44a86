"""The review in the pages: what law and rulebook say of a proposal, the smallest change, and a receipt to keep."""

from __future__ import annotations

import json
import re
import uuid
from collections.abc import Iterator
from typing import Any

import pypdf
import pytest
from playwright.sync_api import expect

from dmi_agreements.evidence import examine, read
from dmi_infra.jose import verify_document
from tests.e2e.conftest import Visit
from tests.e2e.keyboard import choose, push, tab_to
from tests.e2e.test_pages import WIDER
from tests.e2e.test_work import barriers, section
from tests.stack_plugin import EmbeddedStack

BICYCLES = "urn:dmi:dataset:gemeente:bicycle-air"
GARAGES = "urn:dmi:dataset:gemeente:garages"


@pytest.mark.chromium
@pytest.mark.parametrize(
    ("language", "fails", "kept", "send"),
    [
        ("nl", "Zo mag het niet", "Bewaren zonder einde", "Stuur het voorstel met deze verandering"),
        ("en", "This is not allowed as it is", "Retention without end", "Send the proposal with this change"),
    ],
)
def test_a_proposal_that_breaks_a_rule_is_told_why_and_is_sent_with_the_smallest_change(
    embedded_stack: EmbeddedStack, visit: Visit, language: str, fails: str, kept: str, send: str
) -> None:
    visitor = visit(embedded_stack.url, "vendor", 360, language)
    page = visitor.go(f"/catalogue/{BICYCLES}")
    notice = page.locator(".dmi-notice", has_text=fails)
    expect(notice.get_by_text(kept)).to_be_visible()
    assert barriers(page) == []
    notice.get_by_role("button", name=send).click()
    expect(page.get_by_role("status").filter(has_text=re.compile("verstuurd|sent"))).to_be_visible()
    with embedded_stack.demo("vendor") as vendor:
        made = vendor.get("/exchange/v1/agreements", state="proposed", dataset=BICYCLES)["items"]
        assert len(made) == 1
        duties = made[0]["document"]["permission"][0]["duty"]
        assert [duty["action"] for duty in duties] == ["dmi:deleteAfter"]
        vendor.post(f"/exchange/v1/agreements/{made[0]['id']}/end", {})
    assert visitor.unexpected() == []


@pytest.mark.chromium
def test_who_publishes_sees_that_the_conditions_are_allowed(
    embedded_stack: EmbeddedStack, visit: Visit
) -> None:
    page = visit(embedded_stack.url, "officer").go("/publish")
    page.get_by_label("Gegevens", exact=True).select_option(value="new")
    expect(page.get_by_text("Dit mag: het past bij de wet")).to_be_visible()
    assert barriers(page) == []


@pytest.mark.chromium
def test_the_place_of_a_sensor_is_picked_on_the_map_or_pasted_and_told_in_words(
    embedded_stack: EmbeddedStack, visit: Visit
) -> None:
    visitor = visit(embedded_stack.url, "officer", 360)
    page = visitor.go("/publish")
    field, told = page.get_by_label("Plaats", exact=True), page.get_by_text(re.compile("De sensor staat"))
    expect(field).to_have_value("")
    assert "geluidsniveau (dB)" in page.get_by_label("Wat meet de sensor").locator("option").all_inner_texts()
    page.get_by_role("button", name="Publiceer de sensor").press("Enter")
    expect(page.get_by_text("Kies een plaats in Nederland op de kaart")).to_be_visible()
    # By keyboard: the middle of the map; until that is drawn, there is nothing to pick.
    canvas = page.get_by_role("region", name="Kaart om de plaats te kiezen").first
    for _ in range(100):
        if field.input_value():
            break
        canvas.press("Enter")
        page.wait_for_timeout(100)
    expect(field).to_have_value(re.compile(r"^52,\d{5}° N\.B\., 5,\d{5}° O\.L\.$"))
    expect(told).to_have_text(re.compile(r"^De sensor staat in \w.*, op 52,\d{5}° N\.B\."))
    field.fill("136000, 456000")
    expect(told).to_have_text(re.compile(r"op 52,09\d{3}° N\.B\., 5,10\d{3}° O\.L\.$"))
    assert barriers(page) == []
    assert not page.evaluate(WIDER)
    assert visitor.unexpected() == []


@pytest.mark.chromium
def test_a_resident_downloads_a_receipt_of_a_consent(embedded_stack: EmbeddedStack, visit: Visit) -> None:
    page = visit(embedded_stack.url, "resident").go("/my-data")
    with page.expect_download() as download:
        page.get_by_role("button", name=re.compile("^Download een bewijs")).first.click()
    assert re.fullmatch(r"toestemming-[0-9a-f-]{36}\.pdf", download.value.suggested_filename)
    pages = pypdf.PdfReader(download.value.path())
    assert "Bewijs van toestemming" in pages.pages[0].extract_text()
    ((signed,),) = pages.attachments.values()
    kept = json.loads(signed)
    assert kept["receipt"]["dpv:hasRecordOfActivity"]["dpv:hasDataSubject"]["@id"] == "urn:dmi:person:noor"
    assert kept["jws"].count(".") == 2
    assert any("intrekken" in line for line in kept["text"]["nl"])


@pytest.mark.chromium
def test_nothing_is_chosen_beforehand_for_who_consents(embedded_stack: EmbeddedStack, visit: Visit) -> None:
    page = visit(embedded_stack.url, "resident").go("/my-data")
    page.get_by_text("Nieuwe toestemming").click()
    form = page.locator("details[open] form")
    assert [one.input_value() for one in form.locator("select").all()] == ["", ""]
    assert form.locator("input:checked").count() == 0
    form.get_by_role("button", name="Geef toestemming").click()
    expect(form.locator("[aria-invalid='true']").first).to_be_visible()


CITY, VENDOR = "urn:dmi:participant:gemeente", "urn:dmi:participant:sensorbedrijf"


@pytest.fixture(scope="module")
def against_a_rule(embedded_stack: EmbeddedStack) -> Iterator[str]:
    """An agreement that was allowed when it was made; then its data turned out to be of persons."""
    entry: dict[str, Any] = {
        "id": f"urn:dmi:dataset:gemeente:{uuid.uuid4().hex[:8]}", "title": {"nl": "Tellingen", "en": "Counts"},
        "purpose": "dmi:purpose:mobility", "licence": "CC0-1.0",
        "spatial": {"bbox": [5.0, 52.0, 5.2, 52.2], "name": {"nl": "Waterstad"}, "codes": ["GM0344"]},
    }  # fmt: skip
    wanted = {
        "assigner": CITY, "assignee": VENDOR, "datasets": [entry["id"]], "actions": ["dmi:read"],
        "purpose": "dmi:purpose:mobility", "until": "2027-06-01T00:00:00Z",
    }  # fmt: skip
    with embedded_stack.demo("officer") as officer, embedded_stack.demo("vendor") as vendor:
        officer.post("/exchange/v1/datasets", entry)
        drawn = {"template": "dmi:template:sensor-data", "parameters": wanted}
        text = officer.post("/exchange/v1/agreements/draft", drawn)
        made = officer.post("/exchange/v1/agreements", {"document": text, "hosted": True})["id"]
        vendor.post(f"/exchange/v1/agreements/{made}/signature", {"hosted": True})
        officer.post("/exchange/v1/datasets", {**entry, "personal": True, "basis": "dmi:basis:public-task"})
        yield made
        officer.post(f"/exchange/v1/agreements/{made}/end", {})


@pytest.mark.chromium
def test_the_inspector_sees_what_was_found_and_keeps_decisions_with_proof_by_the_keyboard_alone(
    embedded_stack: EmbeddedStack, visit: Visit, against_a_rule: str
) -> None:
    visitor = visit(embedded_stack.url, "inspector", 360)
    page = visitor.go("/inspection")
    card = page.locator(".dmi-card", has=page.get_by_role("link", name=re.compile(against_a_rule[9:13])))
    expect(card.get_by_text("Bewaren zonder einde")).to_be_visible()
    expect(
        card.get_by_text("Kleinste verandering").or_(card.get_by_text("Met een andere tekst"))
    ).to_be_visible()
    assert barriers(page) == []
    assert not page.evaluate(WIDER)
    log = section(page, "Zoek in de besluiten")
    choose(page, log.get_by_label("Uitkomst", exact=True), "Alleen toegestaan")
    choose(page, log.get_by_label("Gegevens", exact=True), "Parkeergarages")
    page.keyboard.press("Enter")
    push(page, log.get_by_role("button", name="Zoek", exact=True))
    expect(log.get_by_text("geweigerd", exact=True)).to_have_count(0)
    why = log.get_by_role("button", name=re.compile("^Waarom: besluit")).first
    push(page, why)
    expect(log.get_by_role("heading", name=re.compile("^Besluit [0-9]"))).to_be_focused()
    expect(log.get_by_text("Met de rollen en bevestigde plichten van nu")).to_be_visible()
    assert barriers(page) == []
    push(page, log.get_by_role("button", name="Sluiten", exact=True))
    expect(why).to_be_focused()
    tab_to(page, log.get_by_role("button", name="Bewaar deze besluiten als bewijs"))
    with page.expect_download() as download:
        page.keyboard.press("Enter")
    kept = read(download.value.path().read_bytes())
    checked = examine([kept], kept.keys, verify_document)
    assert checked.faults == []
    assert len(checked.records) == log.get_by_role("row").count() - 1
    assert {record.allowed for record in checked.records.values()} == {True}
    assert visitor.faults == []


@pytest.mark.chromium
@pytest.mark.usefixtures("against_a_rule")
def test_the_inspector_reads_one_participant_in_english_and_nobody_else_gets_the_page(
    embedded_stack: EmbeddedStack, visit: Visit
) -> None:
    visitor = visit(embedded_stack.url, "inspector", 1440, "en")
    page = visitor.go("/inspection")
    row = section(page, "Participants").get_by_role("row", name=re.compile("^Sensorbedrijf"))
    push(page, row.get_by_role("link"))
    visitor.settle()
    expect(page.get_by_role("heading", level=1)).to_have_text("Sensorbedrijf Meetlat")
    expect(section(page, "What the review found").get_by_text("Retention without end").first).to_be_visible()
    limits = section(page, "Limits")
    expect(
        limits.get_by_role("row", name=re.compile("^Commons")).get_by_text("at most €2,500")
    ).to_be_visible()
    running = section(page, "Running agreements")
    expect(running.get_by_text("Does not fit").first).to_be_visible()
    assert barriers(page) == []
    assert visitor.faults == []

    officer = visit(embedded_stack.url, "officer", 1440, "en")
    page = officer.go("/inspection")
    expect(page.get_by_text("You may not see this")).to_be_visible()
    expect(page.get_by_role("link", name="Supervision")).to_have_count(0)
    assert officer.unexpected() == []
