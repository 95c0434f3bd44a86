"""What a page shows while a part of it is missing, failing, empty or withdrawn: told, and never as a zero."""

from __future__ import annotations

import re
import time
from typing import Any

import pytest
from playwright.sync_api import FilePayload, Page, expect

from tests.e2e.conftest import Visit
from tests.e2e.test_pages import WIDER
from tests.e2e.test_work import barriers, section
from tests.stack_plugin import EmbeddedStack

GARAGES = "urn:dmi:dataset:gemeente:garages"
CENTRE = "garages.centrum.occupancy"

pytestmark = pytest.mark.chromium


def _failing(page: Page, address: str) -> None:
    """Let a service answer with an error where the address ends like this."""
    page.route(
        re.compile(address + r"(\?.*)?$"), lambda route: route.fulfill(status=503, json={"status": 503})
    )


def _changed(page: Page, address: str, change: dict[str, Any]) -> None:
    """Let a service answer as it does, but for some properties of the thing or of each thing of the list."""

    def answer(route: Any) -> None:
        body = route.fetch().json()
        for one in body.get("items", [body]):
            one.update(change)
        route.fulfill(json=body)

    page.route(re.compile(address + r"(\?.*)?$"), answer)


def test_a_first_screen_never_shows_a_zero_for_what_it_could_not_ask(
    embedded_stack: EmbeddedStack, visit: Visit
) -> None:
    visitor = visit(embedded_stack.url, "officer", 360)
    _failing(visitor.page, "/v1/(log/usage|measures)")
    page = visitor.go("/")
    expect(section(page, "Wacht op u").get_by_text("Dit overzicht is niet compleet")).to_be_visible()
    expect(page.get_by_text("Er wacht niets op u.")).to_have_count(0)
    row = section(page, "Mijn gegevenssets").get_by_role("row", name=re.compile("Parkeergarages"))
    expect(row.get_by_text("niet bekend")).to_have_count(2)
    assert barriers(page) == []
    assert not page.evaluate(WIDER)

    vendor = visit(embedded_stack.url, "vendor")
    _failing(vendor.page, "/v1/log/usage")
    page = vendor.go("/")
    rows = section(page, "Afspraken met u").get_by_role("row")
    expect(rows.nth(1).get_by_text("niet bekend")).to_have_count(2)
    # One row a dataset, however many agreements there are about it.
    named = rows.locator("a[href^='/catalogue/']").evaluate_all(
        "all => all.map(one => one.getAttribute('href'))"
    )
    assert len(named) == len(set(named)) > 0
    expect(rows.get_by_text("deze week niets")).to_have_count(0)


def test_who_owns_data_that_cannot_be_listed_is_not_told_to_have_none(
    embedded_stack: EmbeddedStack, visit: Visit
) -> None:
    visitor = visit(embedded_stack.url, "officer")
    _failing(visitor.page, "/v1/datasets")
    page = visitor.go("/")
    expect(section(page, "Mijn gegevenssets").get_by_text("Dit lukte niet")).to_be_visible()
    expect(page.get_by_text("U hebt nog geen gegevens gepubliceerd")).to_have_count(0)
    page = visitor.go("/publish")
    expect(page.get_by_text("Dit lukte niet")).to_be_visible()
    expect(page.get_by_label("Naam van de nieuwe gegevensset")).to_have_count(0)
    page.unroute(re.compile("/v1/datasets" + r"(\?.*)?$"))
    page.get_by_role("button", name="Opnieuw proberen").click()
    expect(page.get_by_label("Gegevens", exact=True)).to_be_visible()


def test_a_file_that_measures_something_else_goes_in_only_when_one_is_sure(
    embedded_stack: EmbeddedStack, visit: Visit
) -> None:
    page = visit(embedded_stack.url, "officer", 360).go("/sources")
    page.get_by_label("Soort bestand").select_option(value="snuffelfiets")
    page.get_by_label("Bij welke gegevens hoort het").select_option(label="Parkeergarages")
    file: FilePayload = {"name": "lucht.csv", "mimeType": "text/csv", "buffer": b"no;columns\n"}
    page.locator("input[type=file]").set_input_files(file)
    page.get_by_role("button", name="Lever aan").click()
    warning = page.get_by_role("dialog", name="Dit bestand meet iets anders")
    expect(warning.get_by_text("fijnstof PM2,5")).to_be_visible()
    expect(warning).to_contain_text("Nu staat daarin: ")
    assert barriers(page) == []
    warning.get_by_role("button", name="Kies andere gegevens").click()
    expect(warning).to_have_count(0)
    expect(page.get_by_role("heading", name="Verslag")).to_have_count(0)


def test_a_failure_that_all_of_a_page_follows_from_is_told_once(
    embedded_stack: EmbeddedStack, visit: Visit
) -> None:
    visitor = visit(embedded_stack.url, "resident", 360)
    _failing(visitor.page, "/v1/consents")
    page = visitor.go("/my-data")
    expect(page.get_by_text("Dit lukte niet")).to_have_count(1)
    expect(page.get_by_role("heading", level=2)).to_have_text(["Vragen of bezwaar"])
    assert barriers(page) == []


def test_what_rests_on_a_result_is_unknown_when_it_cannot_be_asked(
    embedded_stack: EmbeddedStack, visit: Visit
) -> None:
    with embedded_stack.demo("analyst") as client:
        forecast = client.get("/support-centre/v1/forecasts")["items"][0]["result"]
    visitor = visit(embedded_stack.url, "analyst")
    _failing(visitor.page, "/dependents")
    page = visitor.go(f"/lineage/{forecast}")
    expect(page.get_by_text("Dit lukte niet")).to_be_visible()
    expect(page.get_by_role("heading", name="Herkomst: waar dit op rust")).to_be_visible()


def test_a_withdrawn_dataset_and_a_measure_without_ground_say_so(
    embedded_stack: EmbeddedStack, visit: Visit
) -> None:
    visitor = visit(embedded_stack.url, "officer", 360)
    _changed(visitor.page, "/v1/datasets/[^/]*", {"withdrawn": True})
    page = visitor.go(f"/catalogue/{GARAGES}")
    expect(page.get_by_text("Deze gegevens zijn ingetrokken")).to_be_visible()
    assert barriers(page) == []

    measure = {
        "id": "urn:uuid:1", "rule": "r", "state": "proposed", "place": "garages.centrum", "withdrawn": True,
        "place_name": "Garage Centrum", "title": {"nl": "Parkeer bij P+R Noord"}, "advice": {"nl": "Rij door."},
        "valid_from": "2026-11-20T10:00:00Z", "valid_to": "2026-11-20T11:00:00Z", "decided_by": None,
        "proposed_at": "2026-11-20T09:58:00Z", "decided_at": None, "properties": {}, "grounds": {},
    }  # fmt: skip
    lists = {"items": [measure], "next": None, "refused": []}
    visitor.page.route(re.compile(r"/v1/measures$"), lambda route: route.fulfill(json=lists))
    page = visitor.go("/measures")
    expect(section(page, "Wacht op een besluit").locator("li").get_by_text("Grond vervallen")).to_be_visible()


def test_a_forecast_without_ground_tells_which_agreement_ended_and_promises_nothing(
    embedded_stack: EmbeddedStack, visit: Visit
) -> None:
    ended = {"agreement": "urn:uuid:1f0e9a", "moment": "2026-11-20T10:00:00Z", "detail": "ended"}
    gone = {"withdrawn": True, "withdrawal": ended, "p10": None, "p50": None, "p90": None}
    visitor = visit(embedded_stack.url, "analyst", 360)
    again = visitor.page.get_by_role("button", name="Reken opnieuw uit")
    page = visitor.go("/forecasts?place=garages.centrum")
    expect(again).to_be_visible()
    _changed(page, "/v1/forecasts", gone)
    _changed(page, "/v1/agreements", {"state": "ended"})
    page = visitor.go("/forecasts?place=garages.centrum")
    notice = page.locator(".dmi-notice", has_text="Grond vervallen").first
    expect(notice.get_by_text("is gestopt op 20 nov 2026")).to_be_visible()
    expect(notice.get_by_role("link", name=re.compile("^afspraak"))).to_have_attribute(
        "href", re.compile("/agreements/urn:uuid:1f0e9a$")
    )
    expect(page.get_by_role("img", name=re.compile("^Verwachte bezetting van"))).to_have_count(0)
    expect(page.get_by_text("waarvan de uitkomst bekend is")).to_have_count(0)
    expect(again).to_have_count(0)
    assert barriers(page) == []
    _changed(page, "/v1/agreements", {"state": "active"})
    visitor.go("/forecasts?place=garages.centrum")
    expect(again).to_be_visible()


def test_a_table_or_list_without_matches_says_so_and_leads_back(
    embedded_stack: EmbeddedStack, visit: Visit
) -> None:
    visitor = visit(embedded_stack.url, "analyst", 360)
    _changed(visitor.page, "/v1/agreements", {"state": "active"})
    page = visitor.go("/agreements?state=ended")
    expect(page.get_by_text("Geen enkele afspraak is nu in deze staat.")).to_be_visible()
    page = visitor.go("/agreements")
    page.get_by_role("searchbox").fill("qqqq")
    expect(page.get_by_text("Geen rij past bij “qqqq”.")).to_be_visible()
    assert barriers(page) == []

    page = visitor.go("/catalogue?q=qqqq")
    page.get_by_role("button", name="Toon alles").press("Enter")
    expect(page.get_by_role("heading", name="Parkeergarages")).to_be_visible()
    expect(page.get_by_role("search")).to_be_focused()

    page = visitor.go("/forecasts?place=nowhere")
    expect(page.get_by_role("img", name=re.compile("^Verwachte bezetting van"))).to_be_visible()


def test_a_map_without_background_and_a_point_that_is_not_there_are_told(
    embedded_stack: EmbeddedStack, visit: Visit
) -> None:
    visitor = visit(embedded_stack.url, "analyst", 360)
    _failing(visitor.page, "/v1/background")
    page = visitor.go(f"/map?layer={GARAGES}&feature=garages.none.occupancy")
    panel = page.locator(".dmi-panel")
    expect(page.get_by_text("De achtergrond van de kaart kon niet worden opgehaald.")).to_be_visible()
    expect(
        panel.get_by_text("Dit punt heeft op dit moment geen meting, of de link klopt niet.")
    ).to_be_visible()
    expect(panel.get_by_role("heading").first).to_be_in_viewport(ratio=1)
    assert not page.evaluate(WIDER)
    assert barriers(page) == []
    panel.get_by_role("button", name="Sluiten").click()
    expect(panel).to_have_count(0)

    page = visitor.go(f"/map?off={GARAGES}&layer={GARAGES}&feature={CENTRE}")
    panel.get_by_role("button", name="Zet de laag aan").click()
    expect(panel.get_by_role("heading", name="Garage Centrum")).to_be_visible()


@pytest.mark.parametrize("width", [360, 800])
def test_a_panel_below_the_map_opens_with_its_heading_in_view_and_the_focus_in_it(
    embedded_stack: EmbeddedStack, visit: Visit, width: int
) -> None:
    visitor = visit(embedded_stack.url, "analyst", width)
    page = visitor.go(f"/map?layer={GARAGES}&feature={CENTRE}")
    panel = page.locator(".dmi-panel")
    expect(panel.get_by_role("heading", name="Garage Centrum")).to_be_in_viewport(ratio=1)
    page = visitor.go("/map")
    page.get_by_role("combobox", name="Zoek").fill("Garage Centrum")
    page.get_by_role("option", name=re.compile("Garage Centrum")).first.click()
    heading = panel.get_by_role("heading", name="Garage Centrum")
    expect(heading).to_be_in_viewport(ratio=1)
    heading.click(trial=True)  # not under the head of the page
    expect(panel).to_be_focused()
    assert barriers(page) == []


def test_what_could_not_be_fetched_offline_comes_with_the_connection(
    embedded_stack: EmbeddedStack, visit: Visit
) -> None:
    visitor = visit(embedded_stack.url, "analyst", 360)
    lists = re.compile(r"/v1/scenarios(\?.*)?$")
    visitor.page.route(lists, lambda route: route.abort())
    page = visitor.go("/scenarios")
    expect(page.get_by_text("wordt dit vanzelf opgehaald")).to_be_visible()
    assert barriers(page) == []
    page.unroute(lists)
    page.context.set_offline(True)
    page.context.set_offline(False)
    expect(page.get_by_text("Geen verbinding")).to_have_count(0)
    expect(section(page, "Mijn scenario’s")).to_be_visible()


def test_an_answer_that_takes_longer_than_a_turn_of_fetching_comes_all_the_same(
    embedded_stack: EmbeddedStack, visit: Visit
) -> None:
    visitor = visit(embedded_stack.url, "officer")

    def late(route: Any) -> None:
        time.sleep(2.5)  # fetched anew every two seconds
        route.fulfill(status=404, json={"status": 404})

    visitor.page.route(re.compile("/v1/negotiations/late$"), late)
    page = visitor.go("/negotiations/late")
    expect(page.get_by_text("bestaat niet")).to_be_visible()
