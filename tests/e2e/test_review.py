"""The review in the pages: what law and rulebook say of a proposal, the smallest change, and a receipt to keep."""

from __future__ import annotations

import json
import re

import pytest
from playwright.sync_api import expect

from tests.e2e.conftest import Visit
from tests.e2e.test_work import barriers
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
def test_a_resident_downloads_a_receipt_of_a_consent(embedded_stack: EmbeddedStack, visit: Visit) -> None:
    page = visit(embedded_stack.url, "resident").go("/my-data")
    with page.expect_download() as download:
        page.get_by_role("button", name=re.compile("^Download een bewijs")).first.click()
    kept = json.loads(download.value.path().read_text(encoding="utf-8"))
    assert download.value.suggested_filename.startswith("toestemming-")
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
