"""The desk: for who has no account the operator makes a letter, and enters who acts for a person."""

from __future__ import annotations

import re
import uuid

import pytest
from playwright.sync_api import expect

from dmi_infra.jose import SigningKey
from tests.e2e.conftest import Visit
from tests.e2e.keyboard import push, tab_to
from tests.e2e.test_pages import WIDER
from tests.e2e.test_work import barriers, section
from tests.stack_plugin import EmbeddedStack
from tests.unit.exchange.test_letter import text_of


def admitted(stack: EmbeddedStack, name: str) -> str:
    """A person of its own for one test; without a key that anybody holds, as who stands at a desk."""
    identifier = f"urn:dmi:person:{name.lower()}-{uuid.uuid4().hex[:8]}"
    body = {
        "id": identifier, "name": name, "roles": ["dmi:role:resident"], "keys": [SigningKey.generate().public],
    }  # fmt: skip
    with stack.demo("operator") as operator:
        operator.post("/exchange/v1/participants", body)
    return identifier


@pytest.mark.chromium
def test_the_operator_makes_a_letter_for_who_stands_at_the_desk(
    embedded_stack: EmbeddedStack, visit: Visit
) -> None:
    person = admitted(embedded_stack, "Wim")
    visitor = visit(embedded_stack.url, "operator", 360, "en", "dark")
    page = visitor.go("/")
    visitor.go("/desk")
    assert barriers(page) == []
    page.get_by_label("Who stands before you?").fill("Wim")
    page.get_by_role("button", name="Look up").click()
    expect(page.get_by_text("Begin with urn:dmi:person:")).to_be_visible()
    expect(page.get_by_label("Who stands before you?")).to_be_focused()
    # In the dark, too, what was typed can be read where it is wrong.
    field = "getComputedStyle(document.querySelector('[aria-invalid=true]')).backgroundColor"
    assert page.evaluate(field) == "rgb(59, 23, 21)"
    page.get_by_label("Who stands before you?").fill("urn:dmi:person:nobody-of-this-name")
    page.keyboard.press("Enter")
    expect(page.get_by_text("This person is not known here.")).to_be_visible()
    page.get_by_label("Who stands before you?").fill(person)
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name="Who acts for Wim")).to_be_visible()
    page.get_by_label("Nederlands").check()
    assert barriers(page) == []
    assert not page.evaluate(WIDER)
    expect(page.get_by_role("heading", name="A letter with a code for Wim")).to_be_visible()
    # Of somebody else who is typed in no letter is made, nor of who was looked up before.
    make = page.get_by_role("button", name="Make the letter")
    page.get_by_label("Who stands before you?").fill("urn:dmi:person:somebody-else")
    expect(make).to_be_disabled()
    expect(page.get_by_text("Look that person up first.")).to_be_visible()
    page.get_by_label("Who stands before you?").fill(person)
    with page.expect_download() as download:
        make.click()
    text = text_of(download.value.path().read_bytes())
    assert "Beste Wim," in text
    assert re.search(r"(?:[0-9A-Z]{4}-){4}[0-9A-Z]{4}", text)
    assert [one for one in visitor.unexpected() if "404" not in one] == []


@pytest.mark.chromium
def test_who_acts_for_a_person_is_entered_and_ended_by_keyboard_alone(
    embedded_stack: EmbeddedStack, visit: Visit
) -> None:
    child, mother, aunt = (admitted(embedded_stack, name) for name in ("Kim", "Mama", "Tante"))
    visitor = visit(embedded_stack.url, "operator")
    page = visitor.go(f"/desk?person={child}")
    acts = section(page, "Wie handelt voor Kim")
    expect(acts.get_by_text("Niemand", exact=True)).to_be_visible()
    tab_to(page, acts.get_by_label("Persoon 1"))
    page.keyboard.type(mother)
    tab_to(page, acts.get_by_label("Persoon 2"))
    page.keyboard.type(aunt)
    acts.get_by_label("Beslist zelf vanaf").fill("2035-05-01")
    push(page, acts.get_by_role("button", name="Leg vast"))
    dialog = page.get_by_role("dialog")
    expect(dialog.get_by_text(f"Vanaf nu handelt voor Kim: {mother}, {aunt}.")).to_be_visible()
    assert barriers(page) == []
    push(page, dialog.get_by_role("button", name="Ja, leg vast"))
    expect(acts.get_by_text("Mama, Tante")).to_be_visible()
    expect(acts.get_by_text("1 mei 2035")).to_be_visible()
    for label in ("Persoon 1", "Persoon 2"):
        acts.get_by_label(label).fill("")
    acts.get_by_role("button", name="Leg vast").click()
    expect(acts.get_by_text("Een dag hoort bij iemand")).to_be_visible()
    acts.get_by_label("Beslist zelf vanaf").fill("")
    acts.get_by_role("button", name="Leg vast").click()
    expect(dialog.get_by_text("Vanaf nu handelt niemand meer voor Kim.")).to_be_visible()
    dialog.get_by_role("button", name="Ja, leg vast").click()
    expect(acts.get_by_text("Niemand", exact=True)).to_be_visible()
    assert visitor.unexpected() == []


@pytest.mark.chromium
def test_only_the_operator_has_a_desk(embedded_stack: EmbeddedStack, visit: Visit) -> None:
    page = visit(embedded_stack.url, "officer").go("/desk")
    expect(page.get_by_text("Dit is de balie van de beheerder")).to_be_visible()
    assert page.get_by_role("link", name="Balie", exact=True).count() == 0
    page = visit(embedded_stack.url, "operator").go("/desk")
    expect(page.get_by_role("link", name="Balie", exact=True)).to_be_visible()
