"""The catalogue in the browser: found by words, place and facets, seen on the map, by keyboard, in two languages."""

from __future__ import annotations

import json
import re

import pytest
from playwright.sync_api import Page, expect

from tests.e2e.conftest import Visit
from tests.e2e.keyboard import tab_to
from tests.e2e.test_work import barriers
from tests.stack_plugin import EmbeddedStack

pytestmark = pytest.mark.chromium
GARAGES = "urn:dmi:dataset:gemeente:garages"


def _chooses_on_the_map(page: Page) -> None:
    """By keyboard: what lies in the middle of the map is a list to choose from, and Escape leads back to the map."""
    canvas = page.get_by_role("region", name="Waar het over gaat").first
    here = page.get_by_role("dialog", name=re.compile(r"^\d+ vlakken op deze plaats"))
    for _ in range(100):
        # Until the areas are drawn, there is nothing to pick.
        if here.is_visible():
            break
        tab_to(page, canvas)
        page.keyboard.press("Enter")
        page.wait_for_timeout(100)
    expect(here.get_by_role("heading")).to_be_focused()
    assert here.get_by_role("link").count() > 1
    assert barriers(page) == []
    tab_to(page, here.get_by_role("link").first)
    page.keyboard.press("Escape")
    expect(here).to_have_count(0)
    expect(canvas).to_be_focused()


def test_entries_are_found_by_words_and_facets_and_opened_by_keyboard(
    embedded_stack: EmbeddedStack, visit: Visit
) -> None:
    visitor = visit(embedded_stack.url, "vendor")
    page = visitor.go("/catalogue")
    cards = page.locator(".dmi-cards > li")
    expect(cards.first).to_be_visible()
    every = cards.count()
    page.get_by_role("searchbox").fill("parking")
    expect(page.get_by_role("heading", name="Parkeergarages")).to_be_visible()
    page.get_by_role("searchbox").fill("")
    expect(cards).to_have_count(every)
    personal = page.get_by_role("group", name="Persoonsgegevens").get_by_role("checkbox", name="ja")
    tab_to(page, personal)
    page.keyboard.press("Space")
    expect(cards).not_to_have_count(every)
    expect(cards.filter(has_text="geen persoonsgegevens")).to_have_count(0)
    assert "f=personal" in page.url
    page.keyboard.press("Space")
    expect(cards).to_have_count(every)
    _chooses_on_the_map(page)
    page.get_by_label("Waar", exact=True).select_option(index=1)
    expect(cards.first).to_be_visible()
    assert barriers(page) == []
    tab_to(page, page.get_by_role("link", name="Parkeergarages"))
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name="Parkeergarages")).to_be_visible()


def test_conditions_stand_in_plain_words_beside_the_legal_text(
    embedded_stack: EmbeddedStack, visit: Visit
) -> None:
    visitor = visit(embedded_stack.url, "vendor", 1440, "en")
    page = visitor.go(f"/catalogue/{GARAGES}")
    expect(page.get_by_text("Measured quality").first).to_be_visible()
    tab_to(page, page.locator("summary", has_text="Conditions").first)
    page.keyboard.press("Enter")
    plain = page.locator(".dmi-beside").first
    expect(plain.get_by_role("heading", name="In plain words")).to_be_visible()
    legal = json.loads(plain.get_by_role("region", name="The legal text (ODRL)").inner_text())
    assert legal["@type"] == "Agreement"
    boxes = [plain.locator("> div").nth(n).bounding_box() for n in range(2)]
    assert boxes[0] is not None
    assert boxes[1] is not None
    assert boxes[0]["x"] + boxes[0]["width"] <= boxes[1]["x"]
    assert barriers(page) == []


def test_evidence_of_the_log_is_kept_as_a_file(embedded_stack: EmbeddedStack, visit: Visit) -> None:
    visitor = visit(embedded_stack.url, "officer")
    page = visitor.go("/log")
    tab_to(page, page.get_by_role("button", name="Bewaar bewijs"))
    with page.expect_download() as coming:
        page.keyboard.press("Enter")
    kept = json.loads(coming.value.path().read_text())
    assert kept["head"]["tree_size"] >= len(kept["entries"]) > 0
    expect(page.get_by_text("Gedownload:")).to_be_visible()
