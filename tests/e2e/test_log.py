"""The log in the browser: filtered by who else is involved, and its focus kept where a button goes away."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import Page, Route, expect

from tests.e2e.conftest import Visit
from tests.e2e.keyboard import choose, push
from tests.e2e.test_pages import WIDER
from tests.e2e.test_work import barriers
from tests.stack_plugin import EmbeddedStack

STACK = "urn:dmi:participant:stack"

pytestmark = pytest.mark.chromium


def _in_focus(page: Page, name: str) -> None:
    expect(page.get_by_role("group", name=name, exact=True)).to_be_focused()


def test_a_resident_looks_up_what_one_other_did_with_her_data(
    embedded_stack: EmbeddedStack, visit: Visit
) -> None:
    visitor = visit(embedded_stack.url, "resident", 360)
    page = visitor.go("/log")
    field = page.get_by_label("Wie er nog bij betrokken is")
    # Nobody is looked up among persons, and oneself is in every entry anyway.
    assert not [one for one in field.locator("option").all_inner_texts() if one.startswith("Noor")]
    with page.expect_request(re.compile("/exchange/v1/log\\?")) as asked:
        choose(page, field, "Beheerder van de voorziening")
    assert f"participant={STACK.replace(':', '%3A')}" in asked.value.url
    visitor.settle()
    rows = page.get_by_role("region", name="Logboek").get_by_role("row")
    expect(rows.nth(1)).to_be_visible()
    assert "participant=" in page.url, "the address opens the same again"
    assert barriers(page) == []
    assert not page.evaluate(WIDER)
    # Who was in none of it: said, with the filter still there.
    field.select_option(label="Toetsingsraad Waterstad")
    expect(page.get_by_text("Geen regels passen bij dit filter.")).to_be_visible()
    assert visitor.faults == []


@pytest.mark.parametrize(
    ("language", "ask", "rule"),
    [("nl", "Waarom: besluit", "De regel is voor"), ("en", "Why: decision", "The rule is for")],
)
def test_a_resident_reads_in_plain_words_why_her_data_was_given_by_keyboard(
    embedded_stack: EmbeddedStack, visit: Visit, language: str, ask: str, rule: str
) -> None:
    with embedded_stack.demo("resident") as noor:
        entries = noor.get("/exchange/v1/log?newest=true&outcome=allowed&limit=50")["items"]
        number = next(
            one["sequence"]
            for one in entries
            if one["crossing"] != "law"
            and noor.get(f"/exchange/v1/log/{one['sequence']}/explanation")["items"]
        )
    visitor = visit(embedded_stack.url, "resident", 360, language)
    page = visitor.go("/log?outcome=allowed")
    shown = f"{number:,}".replace(",", "." if language == "nl" else ",")
    why = page.get_by_role("button", name=f"{ask} {shown}", exact=True)
    push(page, why)
    card = page.locator(".dmi-card", has=page.get_by_role("heading", name=re.compile(f"{shown}$")))
    expect(card.get_by_role("heading")).to_be_focused()
    expect(card.get_by_text(rule).first).to_be_visible()
    assert "urn:dmi" not in card.inner_text()
    assert barriers(page) == []
    assert not page.evaluate(WIDER)
    push(page, card.get_by_role("button"))
    expect(why).to_be_focused()
    assert visitor.faults == []


def test_the_focus_goes_on_to_what_a_button_brings_that_is_gone(
    embedded_stack: EmbeddedStack, visit: Visit
) -> None:
    visitor = visit(embedded_stack.url, "officer")
    with embedded_stack.demo("officer") as officer:
        agreement = officer.get("/exchange/v1/agreements")["items"][0]["id"]
    page = visitor.go(f"/log?agreement={agreement}")
    push(page, page.get_by_role("button", name="Toon alles"))
    _in_focus(page, "Logboek")
    expect(page.get_by_text("Alleen wat onder deze afspraak is gedaan")).to_have_count(0)

    def last(route: Route) -> None:
        answer = route.fetch().json()
        route.fulfill(json={**answer, "next": None if "before=" in route.request.url else "2"})

    page.route(re.compile("/exchange/v1/log\\?"), last)
    page = visitor.go("/log")
    push(page, page.get_by_role("button", name="Meer laden"))
    _in_focus(page, "Logboek")
    expect(page.get_by_role("button", name="Meer laden")).to_have_count(0)
    assert visitor.faults == []
