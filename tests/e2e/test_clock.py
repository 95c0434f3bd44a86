"""One clock: times of city data stand in the city's zone, and are told as such to who has another."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest
from playwright.sync_api import Page, Route, expect

from dmi_infra import clock
from tests.e2e.conftest import Visit, Visitor
from tests.e2e.test_pages import WIDER
from tests.e2e.test_work import barriers, section
from tests.stack_plugin import EmbeddedStack

ADVICE = {"nl": "Garage Centrum is om 19:45 vol.", "en": "Garage Centrum is full at 19:45."}

pytestmark = pytest.mark.chromium


def _proposal(year: str) -> dict[str, Any]:
    """A measure that waits; the support centre writes its advice in the city's zone."""
    return {
        "id": "urn:uuid:1", "rule": "r", "state": "proposed", "place": "garages.centrum",
        "place_name": "Garage Centrum", "title": {"nl": "Parkeer bij P+R Noord", "en": "Park at P+R Noord"},
        "advice": ADVICE, "audience": None, "valid_from": f"{year}-12-31T18:15:00Z",
        "valid_to": f"{year}-12-31T18:45:00Z", "geometry": None, "proposed_at": f"{year}-11-20T09:58:00Z",
        "decided_by": None, "decided_for": None, "decided_at": None, "properties": {}, "grounds": {},
        "withdrawn": False, "withdrawal": None, "look_back": None,
    }  # fmt: skip


def _with_proposal(visitor: Visitor, year: str) -> Page:
    answer = {"items": [_proposal(year)], "next": None, "refused": []}
    visitor.page.route(re.compile(r"/support-centre/v1/measures$"), lambda route: route.fulfill(json=answer))
    return visitor.go("/measures")


@pytest.mark.parametrize("width", [1440, 360])
def test_a_measure_speaks_of_one_clock_also_to_who_has_another(
    embedded_stack: EmbeddedStack, visit: Visit, width: int
) -> None:
    year = clock.to_text(clock.now())[:4]
    elsewhere = visit(embedded_stack.url, "officer", width, zone="America/New_York")
    page = _with_proposal(elsewhere, year)
    card = section(page, "Wacht op een besluit").locator("li")
    expect(card).to_contain_text("om 19:45 vol")
    expect(card).to_contain_text("19:15 CET")
    expect(card).to_contain_text("19:45 CET")
    expect(page.get_by_text("Tijden zijn die van de stad. In Amsterdam is het nu")).to_be_visible()
    assert not page.evaluate(WIDER)
    assert barriers(page) == []

    sent: list[Any] = []

    def approve(route: Route) -> None:
        sent.append(json.loads(route.request.post_data or ""))
        route.fulfill(json={})

    page.route(re.compile("/approve$"), approve)
    card.get_by_role("button", name="Goedkeuren").click()
    field = page.get_by_role("dialog").get_by_label("Geldt tot (tijd in Amsterdam)")
    expect(field).to_have_value(f"{year}-12-31T19:45")
    page.get_by_role("dialog").get_by_role("button", name="Ja, publiceer").click()
    expect(page.get_by_role("dialog")).to_have_count(0)
    assert sent == [{"until": f"{year}-12-31T18:45:00Z"}]
    assert elsewhere.faults == []


def test_who_has_the_clock_of_the_city_is_not_told_its_zone(
    embedded_stack: EmbeddedStack, visit: Visit
) -> None:
    year = clock.to_text(clock.now())[:4]
    page = _with_proposal(visit(embedded_stack.url, "officer", zone="Europe/Brussels"), year)
    expect(section(page, "Wacht op een besluit").locator("li")).to_contain_text("19:45")
    expect(page.get_by_text(re.compile(r"CES?T|in Amsterdam"))).to_have_count(0)
