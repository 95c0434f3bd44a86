"""Layers as tables: what holds something, one kind of place at a time, and a word for every other state."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import Page, expect

from tests.e2e.conftest import Visit
from tests.e2e.test_pages import WIDER
from tests.e2e.test_work import barriers
from tests.stack_plugin import EmbeddedStack

AREAS = "urn:dmi:dataset:gemeente:neighbourhoods"
GARAGES = "urn:dmi:dataset:gemeente:garages"

pytestmark = pytest.mark.chromium


def _heads(page: Page) -> list[str]:
    heads = page.locator(".dmi-map__table").get_by_role("columnheader").all_inner_texts()
    return [re.sub(r"\s*[↕↑↓]$", "", head).replace("\u00a0", " ").strip() for head in heads]


@pytest.mark.parametrize("width", [1440, 360])
def test_places_stand_in_one_table_a_kind_with_the_columns_that_the_kind_has(
    embedded_stack: EmbeddedStack, visit: Visit, width: int
) -> None:
    visitor = visit(embedded_stack.url, "analyst", width)
    page = visitor.go(f"/map?table={AREAS}")
    table = page.locator(".dmi-map__table")
    expect(table.get_by_role("row")).to_have_count(25)
    assert _heads(page)[:3] == ["Naam", "Soort buurt", "Inwoners"]
    assert _heads(page)[-4:] == ["Oppervlakte (m²)", "Groen (m²)", "Water (m²)", "Code"]
    expect(table.get_by_text("geen gegevens")).to_have_count(0)
    assert barriers(page) == []

    table.get_by_role("radio", name="Straten en lijnen (11)").check()
    expect(table.get_by_role("row")).to_have_count(12)
    assert _heads(page) == ["Naam", "Gebruik", "Soort", "Lengte (m)"]
    expect(table.get_by_role("row").nth(1)).to_contain_text("hoofdweg")

    table.get_by_role("radio", name="Gebouwen (400)").check()
    expect(table.get_by_role("row")).to_have_count(51)
    assert _heads(page) == [
        "Naam", "Gebruik", "Buurt", "Woningen", "Banen", "Verdiepingen", "Vloeroppervlakte (m²)", "Bouwjaar",
    ]  # fmt: skip
    table.get_by_role("searchbox").fill("molenhoek 10")
    expect(table.get_by_role("row")).to_have_count(2)
    assert not page.evaluate(WIDER)
    table.get_by_role("button", name="Molenhoek 10").click()
    expect(page.locator(".dmi-panel")).to_contain_text("bouwjaar")
    assert "kind=" not in page.url
    assert visitor.faults == []


def test_a_table_that_cannot_be_shown_says_why_and_what_to_do(
    embedded_stack: EmbeddedStack, visit: Visit
) -> None:
    visitor = visit(embedded_stack.url, "analyst", 360)
    page = visitor.go("/map?table=urn:dmi:dataset:gemeente:none")
    pane = page.locator(".dmi-map__table")
    expect(pane.get_by_text("Niet gevonden")).to_be_visible()
    pane.get_by_role("button", name="Terug naar de kaart").click()
    expect(pane).to_have_count(0)

    page = visitor.go(f"/map?table={GARAGES}&off={GARAGES}")
    expect(pane.get_by_text("De laag Parkeergarages staat uit")).to_be_visible()
    assert barriers(page) == []
    pane.get_by_role("button", name="Zet de laag aan").click()
    expect(pane.get_by_role("row")).to_have_count(10)

    page = visitor.go(f"/map?table={GARAGES}&property=occupancy&low=1000")
    expect(pane.get_by_text("Geen enkele meting voldoet aan de filters.")).to_be_visible()
    pane.get_by_role("button", name="Alle filters weghalen").click()
    expect(pane.get_by_role("row")).to_have_count(10)

    features = re.compile(r"/layers/[^/]*garages/features")
    page.route(features, lambda route: route.fulfill(json={"type": "FeatureCollection", "features": []}))
    visitor.go(f"/map?table={GARAGES}")
    expect(pane.get_by_text("Parkeergarages: niets te tonen")).to_be_visible()
    page.unroute(features)
    page.route(features, lambda route: route.fulfill(status=503, json={"status": 503}))
    visitor.go(f"/map?table={GARAGES}")
    expect(pane.get_by_text("Dit lukte niet")).to_be_visible()
    page.unroute(features)
    pane.get_by_role("button", name="Opnieuw proberen").click()
    expect(pane.get_by_role("row")).to_have_count(10)
