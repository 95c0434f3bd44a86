"""From offer to stop in the pages: published with a model text, asked for, refined, signed, used, stopped, and why."""

from __future__ import annotations

import re
import time
from collections.abc import Iterator
from typing import Any

import pytest
from playwright.sync_api import Page, Route, expect

from dmi_command.client import Client
from dmi_command.errors import AnswerRefused
from tests.e2e.conftest import Visit
from tests.e2e.keyboard import push, tab_to, write
from tests.e2e.test_pages import WIDER
from tests.e2e.test_states import _failing
from tests.e2e.test_work import barriers, section
from tests.stack_plugin import EmbeddedStack

OWNER = "urn:dmi:participant:gemeente"
GARAGES = "urn:dmi:dataset:gemeente:garages"

pytestmark = pytest.mark.chromium


def _press(page: Page, name: str) -> None:
    tab_to(page, page.get_by_role("button", name=name, exact=True))
    page.keyboard.press("Enter")


def clean(page: Page) -> None:
    assert barriers(page) == []
    assert not page.evaluate(WIDER)


def _read(vendor: Client, dataset: str) -> int:
    """The status of a request for the latest values."""
    try:
        vendor.get("/platform/v1/latest", dataset=dataset)
    except AnswerRefused as refused:
        return refused.status
    return 200


def _until(found: Any, seconds: float = 20) -> None:
    limit = time.monotonic() + seconds
    while not found():
        assert time.monotonic() < limit, "waited too long"
        time.sleep(0.1)


def _publish(page: Page, name: str) -> None:
    """As an officer: describe the data and offer it under a model text."""
    page.get_by_role("button", name="Bied aan").click()
    expect(page.get_by_label("Naam", exact=True)).to_be_focused()
    page.get_by_label("Naam", exact=True).fill(name)
    page.get_by_label("Waar gaan de gegevens over?").fill("Hoe druk het is bij de fietsenstalling.")
    page.get_by_label("Over welk gebied gaat het", exact=True).select_option(index=1)
    page.get_by_label("Licentie", exact=True).select_option(value="CC-BY-4.0")
    page.get_by_label("Voor welk doel?").select_option(value="dmi:purpose:mobility")
    preview = section(page, "Wat u aanbiedt")
    expect(preview.get_by_text("geeft iedereen die akkoord gaat toestemming")).to_be_visible()
    expect(preview.get_by_text("Dit mag: het past bij de wet")).to_be_visible()
    clean(page)
    page.get_by_role("button", name="Bied aan").click()
    expect(page.get_by_text("De gegevens staan in de catalogus")).to_be_visible()


def _awaits_the_operator(page: Page) -> None:
    """As the officer: see for whom one's own data waits, and what to look at; nothing says that one may not see it."""
    notice = page.locator(".dmi-notice", has_text="Dit wacht op Beheerder van de voorziening")
    expect(notice.get_by_role("link", name="Bekijk de afspraak met het platform")).to_be_visible()
    expect(page.get_by_text("U mag dit niet zien")).to_have_count(0)
    clean(page)


def _ask(page: Page) -> str:
    """As a vendor: ask for use on the conditions of the owner; the id of the proposal."""
    form = section(page, "Vraag om gebruik")
    expect(form.get_by_label("Sensorgegevens voor een publieke taak")).to_be_checked()
    expect(form.get_by_label("Waarvoor?")).to_have_value("dmi:purpose:mobility")
    tab_to(page, form.get_by_label("downloaden"))
    page.keyboard.press("Space")
    clean(page)
    push(page, form.get_by_role("button", name="Stuur het voorstel"))
    push(page, page.get_by_role("link", name="Volg het voorstel"))
    expect(page.get_by_text("is aan zet")).to_be_visible()
    clean(page)
    return page.url.rsplit("/", 1)[1]


def _refine(page: Page) -> None:
    """As the owner, by keyboard alone: put other terms in the place of the proposal."""
    expect(page.get_by_text("U bent aan zet")).to_be_visible()
    asked = section(page, "Verschil met het aanbod")
    expect(asked.locator("ins")).to_have_text("downloaden")
    expect(asked.locator("del")).to_have_count(0)
    _press(page, "Ander voorstel doen")
    tab_to(page, page.get_by_label("Hoogstens hoeveel dagen oud?"))
    page.keyboard.type("30")
    changes = section(page, "Ander voorstel").locator(".dmi-changes")
    expect(changes).to_contain_text("Metingen van meer dan 30 dagen oud krijgt de gebruiker niet.")
    clean(page)
    before = page.url
    _press(page, "Stuur dit voorstel")
    expect(page).not_to_have_url(before)
    expect(page.get_by_text("is aan zet")).to_be_visible()


def _accept(page: Page) -> str:
    """As the vendor: see that there is a newer proposal and what it changes, and sign it."""
    page.get_by_role("link", name="Bekijk het nieuwere voorstel").click()
    changed = section(page, "Wat is er veranderd")
    expect(changed.locator("ins")).to_have_text(
        "Metingen van meer dan 30 dagen oud krijgt de gebruiker niet."
    )
    expect(changed.get_by_text("niet afgesproken")).to_be_visible()
    expect(page.get_by_text("Dit mag: het past bij de wet")).to_be_visible()
    clean(page)
    push(page, page.get_by_role("button", name="Accepteren en ondertekenen"))
    expect(page.locator(".dmi-badge", has_text="loopt").first).to_be_visible()
    duties = section(page, "Plichten")
    expect(duties.get_by_text("gaat vanzelf")).to_be_visible()
    return page.url.rsplit("/", 1)[1]


def _stop(page: Page, name: str) -> None:
    """As the owner: see the use in the list of what runs, and stop it there."""
    row = page.get_by_role("row", name=re.compile(name)).filter(has_text="Sensorbedrijf")
    expect(row.get_by_text("1 keer")).to_be_visible()
    expect(row.get_by_text("1 gaat vanzelf")).to_be_visible()
    clean(page)
    push(page, row.get_by_role("button", name=re.compile("^Stop: ")))
    write(page, page.get_by_label(re.compile("Waarom stopt u")), "de proef is klaar")
    push(page, page.get_by_role("button", name="Ja, stop nu"))
    expect(row).to_have_count(0)


@pytest.mark.timeout(120)
def test_an_officer_publishes_and_a_vendor_negotiates_uses_and_sees_why_it_was_stopped(
    embedded_stack: EmbeddedStack, visit: Visit
) -> None:
    name = "Drukte bij de stalling"
    dataset = "urn:dmi:dataset:gemeente:drukte-bij-de-stalling"
    officer, vendor = visit(embedded_stack.url, "officer"), visit(embedded_stack.url, "vendor", 360)
    _publish(officer.go("/publish/dataset"), name)
    _awaits_the_operator(officer.go(f"/catalogue/{dataset}"))
    with embedded_stack.demo("operator") as operator:
        (waiting,) = operator.get("/exchange/v1/agreements", dataset=dataset)["items"]
        operator.post(f"/exchange/v1/agreements/{waiting['id']}/signature", {"hosted": True})
    expect(section(officer.page, "Voorbeeld van de laatste waarden")).to_be_visible()

    proposal = _ask(vendor.go(f"/catalogue/{dataset}"))
    _refine(officer.go(f"/agreements/{proposal}"))
    agreement = _accept(vendor.page)
    with embedded_stack.demo("vendor", "dmi:purpose:mobility") as client:
        _until(lambda: _read(client, dataset) == 200)
        used = "/exchange/v1/log/usage/agreements"
        _until(lambda: agreement in {one["agreement"] for one in client.get(used)["items"]})
        _stop(officer.go("/agreements?state=active"), name)
        _until(lambda: _read(client, dataset) == 403, 1)
    notice = vendor.page.locator(".dmi-notice", has_text="De afspraak is gestopt")
    expect(notice).to_contain_text("de proef is klaar")
    expect(notice).to_contain_text("Gestopt door: Gemeente Waterstad")
    clean(vendor.page)
    assert [*officer.unexpected(), *vendor.unexpected()] == []


def test_a_refusal_tells_its_reason_and_what_cannot_be_asked_is_no_zero(
    embedded_stack: EmbeddedStack, visit: Visit
) -> None:
    with embedded_stack.demo("vendor") as client:
        wish = {
            "assigner": OWNER,
            "assignee": client.get("/exchange/v1/me")["participant"],
            "datasets": [GARAGES],
            "actions": ["dmi:read"],
            "purpose": "dmi:purpose:mobility",
        }
        draft = {"template": "sensor-data", "parameters": wish}
        document = client.post("/exchange/v1/agreements/draft", draft)
        made = client.post("/exchange/v1/agreements", {"document": document, "hosted": True})["id"]
    officer = visit(embedded_stack.url, "officer", 360, "en", "dark")
    page = officer.go(f"/agreements/{made}")
    page.get_by_role("button", name="Refuse", exact=True).click()
    page.get_by_label(re.compile("Why do you refuse")).fill("not for this purpose")
    clean(page)
    page.get_by_role("dialog").get_by_role("button", name="Refuse", exact=True).click()
    notice = page.locator(".dmi-notice", has_text="has refused this proposal")
    expect(notice).to_contain_text("not for this purpose")
    _failing(page, "/v1/(duties|log/usage/agreements)")
    page = officer.go("/agreements?state=active")
    expect(page.get_by_text("not known").first).to_be_visible()
    expect(page.get_by_text("not used")).to_have_count(0)
    clean(page)


@pytest.fixture
def asked_for(embedded_stack: EmbeddedStack) -> Iterator[str]:
    """A negotiation by the Dataspace Protocol, in which a vendor asks for more than is offered; its id there."""
    terms = {"purpose": "dmi:purpose:mobility", "actions": ["dmi:read"]}
    body = {"dataset": GARAGES, "template": "sensor-data", "parameters": terms}
    with embedded_stack.demo("officer") as officer, embedded_stack.demo("vendor") as vendor:
        offer = officer.post("/exchange/v1/offers", body)
        (rule,) = offer["rules"]["permission"]
        wanted = {"@id": offer["id"], "permission": [rule, {**rule, "action": "urn:dmi:export"}]}
        wish = {"provider": OWNER, "dataset": GARAGES, "offer": wanted}
        address = f"{embedded_stack.url}/exchange/dsp"
        yield vendor.post("/exchange/v1/negotiations", {**wish, "address": address})["id"]
        for one in vendor.get("/exchange/v1/negotiations")["items"]:
            if one["state"] == "FINALIZED":
                vendor.post(f"/exchange/v1/agreements/{one['agreement']}/end", {})


@pytest.mark.timeout(120)
def test_both_sides_of_a_negotiation_between_nodes_see_whose_turn_it_is_what_changed_and_sign(
    embedded_stack: EmbeddedStack, visit: Visit, asked_for: str
) -> None:
    officer, vendor = visit(embedded_stack.url, "officer", 360), visit(embedded_stack.url, "vendor")
    theirs = vendor.go(f"/negotiations/{asked_for}")
    expect(theirs.get_by_text("Wacht op de eigenaar")).to_be_visible()
    expect(section(theirs, "Verschil met het aanbod").locator("ins")).to_have_text("downloaden")
    clean(theirs)

    page = officer.go("/nodes")
    row = page.get_by_role("row").filter(has_text="U bent aan zet")
    expect(page.get_by_text("Er zijn geen andere steden aangesloten")).to_be_visible()
    clean(page)
    row.get_by_role("link").click()
    expect(section(page, "Verschil met het aanbod").locator("ins")).to_have_text("downloaden")
    expect(section(page, "Wat u ondertekent").get_by_text("Dit mag: het past bij de wet")).to_be_visible()
    expect(section(page, "De voorwaarden op tafel").get_by_text("opvragen, downloaden")).to_be_visible()
    page.get_by_role("button", name="Ander voorstel doen").click()
    page.get_by_label("Hoogstens hoeveel dagen oud?").fill("30")
    clean(page)
    page.get_by_role("button", name="Stuur dit voorstel").click()
    expect(page.get_by_text("Wacht op de andere partij")).to_be_visible()

    expect(theirs.get_by_text("de eigenaar stelt voorwaarden voor")).to_be_visible()
    changed = section(theirs, "Wat is er veranderd")
    expect(changed.locator("ins")).to_have_text(
        "Metingen van meer dan 30 dagen oud krijgt de gebruiker niet."
    )
    theirs.get_by_role("button", name="Onderteken deze voorwaarden").click()
    signing = theirs.get_by_role("dialog")
    expect(signing).to_contain_text("Metingen van meer dan 30 dagen oud krijgt de gebruiker niet.")
    clean(theirs)
    signing.get_by_role("button", name="Ja, onderteken").click()
    expect(page.get_by_text("U bent aan zet: onderteken de afspraak.")).to_be_visible()
    page.get_by_role("button", name="Onderteken", exact=True).click()
    for one in (page, theirs):
        expect(one.get_by_text("De afspraak is gesloten")).to_be_visible()
        clean(one)
    theirs.get_by_role("link", name="Bekijk de afspraak").click()
    expect(theirs.locator(".dmi-badge", has_text="loopt").first).to_be_visible()

    page = officer.go(f"/catalogue/{GARAGES}")
    offers = section(page, "Wat u aanbiedt")
    offers.get_by_role("button", name="Trek dit aanbod in").click()
    expect(offers).to_have_count(0)
    assert [*officer.unexpected(), *vendor.unexpected()] == []


def test_data_of_persons_is_offered_with_an_end_for_the_platform_too(
    embedded_stack: EmbeddedStack, visit: Visit
) -> None:
    page = visit(embedded_stack.url, "officer").go("/publish/dataset")
    page.get_by_label("Naam", exact=True).fill("Wachttijd bij het loket")
    page.get_by_label("Waar gaan de gegevens over?").fill("Hoe lang mensen wachten.")
    page.get_by_role("radio", name=re.compile("Ja, voor een publieke taak")).check()
    page.get_by_label("Over welk gebied gaat het", exact=True).select_option(index=1)
    preview, allowed = section(page, "Wat u aanbiedt"), page.get_by_text("Dit mag: het past bij de wet")
    # What is wrong is told of the data as it would be entered, at the fields that mend it, which open by themselves.
    page.get_by_label("Voor welk doel?").select_option(value="dmi:purpose:any")
    expect(preview.get_by_text("Zo mag het niet")).to_be_visible()
    expect(allowed).to_have_count(0)
    days, end = page.get_by_label("Hoogstens hoeveel dagen oud?"), page.get_by_label("Tot en met wanneer?")
    for field in (page.get_by_label("Voor welk doel?"), days, end):
        expect(field).to_have_attribute("aria-invalid", "true")
    page.get_by_role("button", name="Bied aan").click()
    expect(page.get_by_label("Voor welk doel?")).to_be_focused()
    page.get_by_label("Voor welk doel?").select_option(value="dmi:purpose:mobility")
    days.fill("30")
    end.fill("2027-06-30")
    expect(preview.get_by_text("Dit mag: het past bij de wet")).to_be_visible()
    expect(page.locator("[aria-invalid=true]")).to_have_count(0)
    # The last step fails once: what was stored stays, and is not stored again under the other name.
    page.route(
        "**/exchange/v1/offers", lambda route: route.fulfill(status=503, json={"status": 503}), times=1
    )
    page.get_by_role("button", name="Bied aan").click()
    expect(page.get_by_text("we gaan verder waar het misging")).to_be_visible()
    expect(allowed).to_have_count(0)
    page.get_by_label("Naam", exact=True).fill("Wachttijd aan het loket")
    page.get_by_role("button", name="Bied aan").click()
    expect(page.get_by_text("De gegevens staan in de catalogus")).to_be_visible()
    with embedded_stack.demo("officer") as officer:
        dataset = "urn:dmi:dataset:gemeente:wachttijd-bij-het-loket"
        (waiting,) = officer.get("/exchange/v1/agreements", dataset=dataset)["items"]
        assert officer.get(f"/exchange/v1/datasets/{dataset}")["title"]["nl"] == "Wachttijd aan het loket"
        every = officer.get("/exchange/v1/datasets")["items"]
        assert sum(one["id"].startswith("urn:dmi:dataset:gemeente:wachttijd") for one in every) == 1
    (rule,) = waiting["document"]["permission"]
    ends = [one["rightOperand"]["@value"] for one in rule["constraint"] if one["leftOperand"] == "dateTime"]
    assert ends == ["2027-06-30T21:59:59Z"]
    assert [one["action"] for one in rule["duty"]] == ["dmi:deleteAfter"]


def test_a_verdict_stands_where_it_is_mended_and_never_of_a_text_that_was_changed(
    embedded_stack: EmbeddedStack, visit: Visit
) -> None:
    officer = visit(embedded_stack.url, "officer")
    page = officer.go("/publish/dataset")
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url) if request.method == "POST" else None)
    page.get_by_label("Voor welk doel?").select_option(value="dmi:purpose:mobility")
    preview = section(page, "Wat u aanbiedt")
    allowed = preview.get_by_text("Dit mag: het past bij de wet")
    expect(allowed).to_be_visible()
    # Other words ask for nothing: what they are about is judged under no name.
    asked.clear()
    page.get_by_label("Naam", exact=True).press_sequentially("Geluid in de straat", delay=20)
    page.get_by_label("Waar gaan de gegevens over?").press_sequentially("Hoe hard het is.", delay=20)
    expect(preview.get_by_text("Geluid in de straat").first).to_be_visible()
    page.wait_for_timeout(600)
    assert asked == []
    # Somebody types on: asked once, when that rests.
    page.get_by_text("Meer voorwaarden").click()
    page.get_by_label(re.compile("Hoogstens hoeveel dagen oud")).press_sequentially("1234", delay=60)
    expect(allowed).to_be_visible()
    assert [one.rsplit("/", 1)[-1] for one in asked] == ["draft", "review", "review"]
    # While a change is judged, what was said of the text before it is gone.
    waiting: list[Route] = []
    page.route("**/exchange/v1/review", lambda route: waiting.append(route))
    page.get_by_role("radio", name=re.compile("Ja, voor een publieke taak")).check()
    expect(preview.get_by_text("We kijken of dit mag")).to_be_visible()
    expect(allowed).to_have_count(0)
    page.get_by_role("button", name="Bied aan").click()
    page.unroute("**/exchange/v1/review")
    # Data is collected for something: the exchange enters none for any purpose at all.
    assert "Elk doel" not in page.get_by_label("Waarvoor verzamelt u ze?").locator("option").all_inner_texts()
    page.get_by_label("Waarvoor verzamelt u ze?").select_option(value="dmi:purpose:public-task")
    # The platform is told what it is collected for: at that question, not at the one for what others may use it.
    expect(page.get_by_label("Waarvoor verzamelt u ze?")).to_have_attribute("aria-invalid", "true")
    expect(page.get_by_label("Voor welk doel?")).not_to_have_attribute("aria-invalid", "true")
    expect(preview.get_by_text("In het voorstel aan het platform:")).to_be_visible()
    assert not any(one.endswith("/exchange/v1/datasets") for one in asked)
    assert officer.unexpected() == []
