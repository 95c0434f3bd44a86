"""The page of a resident's own data: what is measured can be taken along, whatever others may do with it."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import expect

from tests.e2e.conftest import Visit, Visitor
from tests.e2e.test_work import barriers
from tests.integration.test_own_copy import bicycles_stopped, things
from tests.stack_plugin import EmbeddedStack

TAKE = re.compile("^Download uw metingen")


def taken(visitor: Visitor) -> set[str]:
    with visitor.page.expect_download() as download:
        visitor.page.get_by_role("button", name=TAKE).click()
    assert download.value.suggested_filename == "bicycle-air-csv.zip"
    return things(download.value.path().read_bytes())


@pytest.mark.chromium
def test_own_measurements_are_downloaded_also_when_they_may_no_longer_be_shown(
    embedded_stack: EmbeddedStack, visit: Visit
) -> None:
    noor = visit(embedded_stack.url, "resident")
    noor.go("/my-data")
    assert taken(noor) == {"bicycle-air.bicycle-1"}
    assert noor.faults == []
    with bicycles_stopped(embedded_stack):
        page = noor.go("/my-data")
        assert taken(noor) == {"bicycle-air.bicycle-1"}
        page.set_viewport_size({"width": 360, "height": 800})
        expect(page.get_by_role("button", name=TAKE)).to_be_visible()
    assert noor.unexpected() == []


@pytest.mark.chromium
@pytest.mark.parametrize(
    ("language", "withdraw", "sentence", "cancel"),
    [
        ("nl", "Trek in", "Andere toestemmingen die u gaf, blijven gelden", "Annuleren"),
        ("en", "Withdraw", "Other consents that you gave stay", "Cancel"),
    ],
)
def test_who_withdraws_a_consent_is_told_whose_use_ends_and_that_other_consents_stay(
    embedded_stack: EmbeddedStack, visit: Visit, language: str, withdraw: str, sentence: str, cancel: str
) -> None:
    page = visit(embedded_stack.url, "resident", 360, language).go("/my-data")
    card = page.locator(".dmi-card", has=page.get_by_role("button", name=re.compile(f"^{withdraw}"))).first
    facts = card.locator("> .dmi-facts dd")
    dataset, recipients = facts.nth(0).inner_text(), facts.nth(1).inner_text()
    heading = card.get_by_role("heading").first.inner_text()
    card.get_by_role("button", name=re.compile(f"^{withdraw}")).click()
    dialog = page.get_by_role("dialog")
    told = dialog.locator(".dmi-facts dd")
    expect(told.nth(0)).to_have_text(dataset)
    expect(told.nth(2)).to_have_text(recipients)
    assert told.nth(1).inner_text().lower() in heading.lower()
    expect(dialog.get_by_text(sentence)).to_be_visible()
    assert barriers(page) == []
    dialog.get_by_role("button", name=cancel).click()
    expect(dialog).to_have_count(0)
