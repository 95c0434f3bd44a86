"""The map: its time, filters, search, charts, comparison, and a layer that is stopped and comes back."""

from __future__ import annotations

import re
import time
from collections.abc import Iterator
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from axe_playwright_python.sync_playwright import Axe  # type: ignore[import-untyped]  # it ships no types
from playwright.sync_api import Locator, Page, expect

from dmi_infra import clock
from tests.e2e.conftest import Visit
from tests.e2e.test_story import STACK, _active, _propose_again
from tests.stack_plugin import EmbeddedStack

GARAGES = "urn:dmi:dataset:gemeente:garages"
CROWD = "urn:dmi:dataset:gemeente:crowd"
BICYCLES = "urn:dmi:dataset:gemeente:bicycle-air"
CENTRE = "garages.centrum.occupancy"
CHOSEN = f"layer={GARAGES}&feature={CENTRE}"
QUARTER = 900 * 1_000_000
BACK = 25_000
"""Milliseconds: the page looks every 15 seconds whether a layer is allowed again."""

pytestmark = pytest.mark.chromium


def _barriers(page: Page) -> list[str]:
    found = Axe().run(page).response["violations"]
    return [f"{one['id']} at {one['nodes'][0]['target']}" for one in found]


def _slider(page: Page) -> Locator:
    return page.get_by_role("slider", name="Tijd van de kaart")


def _settled(page: Page) -> str:
    """The moment of the map's address, once the slider rests: while its bubble shows, the address still lags behind."""
    expect(page.locator(".dmi-time__bubble")).to_have_count(0)
    expect(page).to_have_url(re.compile(r"[?&]at=\d{4}-"))
    return parse_qs(urlsplit(page.url).query)["at"][0]


def _at(quarters: int) -> int:
    """The begin of a quarter of an hour, so many before this one (µs UTC)."""
    return (clock.now() // QUARTER - quarters) * QUARTER


def _occupied(stack: EmbeddedStack, at: str | None) -> float:
    with stack.demo("analyst") as client:
        shown = client.get(f"/visualisation/v1/layers/{GARAGES}/features", at=at)["features"]
    return float(next(one["properties"]["result"] for one in shown if one["id"] == CENTRE))


def test_the_slider_shows_the_values_of_a_moment_in_map_table_and_address_and_leads_back(
    embedded_stack: EmbeddedStack, visit: Visit
) -> None:
    visitor = visit(embedded_stack.url, "analyst")
    page = visitor.go(f"/map?{CHOSEN}")
    slider = _slider(page)
    expect(slider).to_have_attribute("aria-valuetext", "Nu, live")
    slider.focus()
    for _ in range(32):
        page.keyboard.press("ArrowLeft")
    moment = _settled(page)
    value = _occupied(embedded_stack, moment)
    expect(page.locator(".dmi-panel .dmi-card__figure")).to_contain_text(f"{value:.0f} auto")
    expect(
        page.locator(".dmi-layer", has_text="Parkeergarages").get_by_text("live", exact=True)
    ).to_have_count(0)
    assert _barriers(page) == []

    page.get_by_role("button", name="Parkeergarages als tabel").click()
    row = page.get_by_role("row").filter(has=page.get_by_role("button", name="Garage Centrum"))
    expect(page.get_by_role("columnheader", name="Bezetting (auto’s)")).to_be_visible()
    expect(row.get_by_role("cell", name=f"{value:.0f}", exact=True).first).to_be_visible()
    page.get_by_role("button", name="Terug naar live").click()
    expect(slider).to_have_attribute("aria-valuetext", "Nu, live")
    assert "at=" not in page.url
    assert visitor.faults == []


def test_an_address_of_a_moment_that_is_too_old_says_so_and_is_live(
    embedded_stack: EmbeddedStack, visit: Visit
) -> None:
    page = visit(embedded_stack.url, "analyst").go("/map?at=2020-01-01T12:00:00Z")
    expect(page.get_by_text("Dit moment is ouder")).to_be_visible()
    expect(_slider(page)).to_have_attribute("aria-valuetext", "Nu, live")


def test_filters_are_chips_that_count_for_map_table_and_legend_and_can_be_removed(
    embedded_stack: EmbeddedStack, visit: Visit
) -> None:
    visitor = visit(embedded_stack.url, "analyst")
    page = visitor.go(f"/map?table={GARAGES}")
    rows = page.locator(".dmi-map__table tbody tr")
    expect(rows).to_have_count(9)
    page.get_by_role("button", name="Filters").click()
    form = page.get_by_role("group", name="Filters kiezen")
    form.get_by_role("checkbox", name="bezetting").check()
    form.get_by_label("Vanaf").fill("1000")
    expect(rows).to_have_count(0)
    layer = page.locator(".dmi-layer", has_text="Parkeergarages")
    expect(layer.get_by_text("Geen enkele meting voldoet aan de filters.")).to_be_visible()
    expect(layer.locator(".dmi-ramp")).to_have_count(0)
    assert _barriers(page) == []

    page.keyboard.press("Escape")
    expect(form).to_be_hidden()
    page.get_by_role("button", name=re.compile("Filter weghalen: Bezetting vanaf")).click()
    expect(rows).to_have_count(9)
    crowd = page.locator(".dmi-layer", has_text="Drukte in de binnenstad")
    expect(crowd.get_by_text("Geen enkele meting voldoet aan de filters.")).to_be_visible()
    page.get_by_role("button", name="Filter weghalen: Bezetting").click()
    assert "property" not in page.url
    assert visitor.faults == []


@pytest.mark.parametrize(
    ("text", "heading", "kind"),
    [
        ("nachtwachtlaan 13", "Nachtwachtlaan 13", "adres"),
        ("molenh", "Molenhoek", "buurt"),
        ("155000, 463000", "RD 155000, 463000", "coördinaten"),
        ("garage cen", "Garage Centrum", "Parkeergarages"),
    ],
)
def test_an_address_an_area_coordinates_and_a_sensor_are_found_by_keyboard(
    embedded_stack: EmbeddedStack, visit: Visit, text: str, heading: str, kind: str
) -> None:
    visitor = visit(embedded_stack.url, "resident")
    page = visitor.go("/map")
    box = page.get_by_role("combobox", name="Zoek een adres")
    box.fill(text)
    expect(page.get_by_role("option", name=heading).first).to_be_visible()
    page.keyboard.press("ArrowDown")
    expect(box).to_have_attribute("aria-activedescendant", re.compile("-0$"))
    assert _barriers(page) == []
    page.keyboard.press("Enter")
    panel = page.locator(".dmi-panel")
    expect(panel.get_by_role("heading", name=heading)).to_be_visible()
    expect(panel.get_by_text(kind, exact=True)).to_be_visible()
    expect(panel.get_by_role("button", name="Kopieer RD New")).to_be_visible()
    assert visitor.faults == []


def test_what_cannot_be_found_says_how_to_search(embedded_stack: EmbeddedStack, visit: Visit) -> None:
    page = visit(embedded_stack.url, "resident").go("/map")
    page.get_by_role("combobox", name="Zoek een adres").fill("qqqq")
    expect(page.get_by_text("Niets gevonden voor “qqqq”")).to_be_visible()


def test_a_point_of_a_chart_moves_the_map_and_sensors_are_compared_in_one_chart(
    embedded_stack: EmbeddedStack, visit: Visit
) -> None:
    visitor = visit(embedded_stack.url, "analyst")
    page = visitor.go(f"/map?{CHOSEN}")
    read = page.get_by_role("slider", name="Lees de grafiek af")
    read.focus()
    for _ in range(8):
        page.keyboard.press("ArrowLeft")
    page.get_by_role("button", name=re.compile("^Toon .* op de kaart$")).click()
    expect(page).to_have_url(re.compile("at="))
    expect(page.locator(".dmi-chart__moment")).to_have_count(1)

    page.get_by_role("button", name="Zet in de vergelijking").click()
    page.get_by_role("combobox", name="Zoek een adres").fill("p+r noord")
    page.get_by_role("listbox").get_by_role("option").filter(has_text="bezetting").click()
    expect(page.get_by_role("heading", name="P+R Noord")).to_be_visible()
    page.get_by_role("button", name="Zet in de vergelijking").click()
    compared = page.locator(".dmi-series > li")
    expect(compared).to_have_count(2)
    expect(page.locator(".dmi-comparison svg[role=img] .dmi-chart__line")).to_have_count(2)
    # The chosen sensor's line is marked; choosing another by its name marks that one and opens it.
    expect(page.locator(".dmi-series--current")).to_have_count(1)
    compared.get_by_role("button", name="Garage Centrum", exact=True).click()
    expect(page.locator(".dmi-panel").get_by_role("heading", name="Garage Centrum")).to_be_visible()
    assert _barriers(page) == []
    page.get_by_role("button", name="Garage Centrum uit de vergelijking halen").click()
    expect(compared).to_have_count(1)
    assert visitor.faults == []


@pytest.mark.parametrize("width", [1440, 360])
def test_two_moments_lie_beside_a_divider_that_keys_and_pointer_move(
    embedded_stack: EmbeddedStack, visit: Visit, width: int
) -> None:
    visitor = visit(embedded_stack.url, "analyst", width)
    page = visitor.go("/map")
    page.get_by_role("button", name="Vergelijk lagen of momenten").click()
    divider = page.get_by_role("slider", name="Scheiding tussen de twee kaarten")
    expect(divider).to_have_attribute("aria-valuenow", "50")
    divider.focus()
    page.keyboard.press("ArrowLeft")
    expect(divider).to_have_attribute("aria-valuenow", "48")
    page.keyboard.press("End")
    expect(divider).to_have_attribute("aria-valuenow", "100")
    frame = page.locator(".dmi-swipe__maps").bounding_box()
    grip = page.locator(".dmi-swipe__grip").bounding_box()
    assert frame is not None
    assert grip is not None
    page.mouse.move(grip["x"] + grip["width"] / 2, grip["y"] + grip["height"] / 2)
    page.mouse.down()
    page.mouse.move(frame["x"] + frame["width"] * 0.25, frame["y"] + 200)
    page.mouse.up()
    expect(divider).to_have_attribute("aria-valuenow", "25")
    left = page.get_by_role("slider", name="Links: moment")
    before = left.get_attribute("aria-valuetext") or ""
    left.focus()
    page.keyboard.press("ArrowLeft")
    expect(left).not_to_have_attribute("aria-valuetext", before)
    expect(page.locator(".dmi-swipe__name--left")).to_have_text(left.get_attribute("aria-valuetext") or "")
    assert _barriers(page) == []
    # Panels beside the map leave the sliders long enough to use.
    page.set_viewport_size({"width": 1024, "height": 900})
    long = left.bounding_box()
    assert long is not None
    assert long["width"] > 150
    page.get_by_role("button", name="Stop met vergelijken").click()
    expect(divider).to_have_count(0)
    assert visitor.faults == []


@pytest.mark.parametrize("width", [1440, 360])
def test_each_side_shows_the_layer_and_the_moment_that_were_chosen_for_it(
    embedded_stack: EmbeddedStack, visit: Visit, width: int
) -> None:
    visitor = visit(embedded_stack.url, "analyst", width)
    page = visitor.go(f"/map?off={CROWD}")
    page.get_by_role("button", name="Vergelijk lagen of momenten").click()
    left, right = (page.get_by_role("group", name=name, exact=True) for name in ("Links", "Rechts"))
    left.get_by_label("Links: laag").select_option(label="Parkeergarages")
    left.get_by_role("slider", name="Links: moment").focus()
    page.keyboard.press("Home")
    # A layer that is off is turned on by who wants to see it.
    right.get_by_label("Rechts: laag").select_option(label="Drukte in de binnenstad")
    expect(page.get_by_role("button", name="Inzoomen")).to_be_visible()
    expect(page.locator(".dmi-swipe__name--left")).to_have_text(
        re.compile(r"^Parkeergarages: \d+ \w+\.? \d{4}, ")
    )
    expect(page.locator(".dmi-swipe__name--right")).to_have_text("Drukte in de binnenstad: nu, live")
    expect(page.get_by_role("checkbox", name="Drukte in de binnenstad")).to_be_checked()
    expect(
        page.locator(".dmi-layer", has_text="Parkeergarages").get_by_text("live", exact=True)
    ).to_have_count(0)
    assert not page.evaluate("document.documentElement.scrollWidth > document.documentElement.clientWidth")
    assert _barriers(page) == []

    # The address shows somebody else the same; areas hold at every moment, so theirs cannot be chosen.
    other = visit(embedded_stack.url, "analyst", width)
    page = other.go(urlsplit(page.url)._replace(scheme="", netloc="").geturl())
    expect(page.locator(".dmi-swipe__name--right")).to_have_text("Drukte in de binnenstad: nu, live")
    page.get_by_label("Links: laag").select_option(label="Buurten en gebouwen")
    expect(page.get_by_role("slider", name="Links: moment")).to_be_disabled()
    expect(page.locator(".dmi-swipe__name--left")).to_have_text("Buurten en gebouwen")
    page.get_by_role("checkbox", name="Buurten en gebouwen").uncheck()
    expect(page.locator(".dmi-swipe__name--left")).to_contain_text("deze laag staat uit")
    page.get_by_label("Links: laag").select_option(label="Drukte in de binnenstad")
    page.get_by_role("slider", name="Links: moment").focus()
    page.keyboard.press("End")
    expect(page.get_by_text("Links en rechts tonen hetzelfde.")).to_be_visible()
    page.get_by_role("button", name="Stop met vergelijken").click()
    expect(page).not_to_have_url(re.compile("compare|left|right"))
    assert visitor.faults == []
    assert other.faults == []


@pytest.fixture
def ended(embedded_stack: EmbeddedStack) -> Iterator[dict[str, Any]]:
    """The agreement of the garages' layer, put back afterwards when the test did not."""
    stack = embedded_stack
    with stack.demo("officer") as officer:
        agreement = _active(officer, GARAGES)
        yield agreement
        items = officer.get("/exchange/v1/agreements", dataset=GARAGES, state="active")["items"]
        if STACK not in {item["assignee"] for item in items}:
            _sign_again(stack, agreement)


def _sign_again(stack: EmbeddedStack, agreement: dict[str, Any]) -> None:
    with stack.demo("officer") as officer, stack.demo("operator") as operator:
        again = _propose_again(officer, agreement)
        operator.post(f"/exchange/v1/agreements/{again['id']}/signature", {"hosted": True})


def _bring_back(visit: Visit, url: str, ended: str) -> None:
    """By the pages alone: the owner makes the same agreement again, and the operator finds it waiting and signs."""
    owner = visit(url, "officer")
    page = owner.go(f"/agreements/{ended}")
    page.get_by_role("button", name="Maak dezelfde afspraak opnieuw").click()
    page.get_by_role("dialog").get_by_role("button", name="Ja, onderteken").click()
    expect(page).not_to_have_url(re.compile(ended))
    made = urlsplit(page.url).path
    operator = visit(url, "operator")
    operator.go("/").locator(f'a[href="{made}"]').click()
    operator.page.get_by_role("button", name="Accepteren en ondertekenen").click()
    assert [owner.faults, operator.faults] == [[], []]


def test_a_stopped_layer_tells_why_and_comes_back_by_itself_under_a_new_agreement(
    embedded_stack: EmbeddedStack, visit: Visit, ended: dict[str, Any]
) -> None:
    visitor = visit(embedded_stack.url, "analyst")
    page = visitor.go(f"/map?{CHOSEN}")
    layer = page.locator(".dmi-layer", has_text="Parkeergarages")
    expect(layer.locator(".dmi-ramp")).to_be_visible()
    layer.get_by_role("slider").focus()
    page.keyboard.press("ArrowLeft")
    with embedded_stack.demo("officer") as officer:
        officer.post(f"/exchange/v1/agreements/{ended['id']}/end", {"reason": "proef"})
    expect(layer.locator("summary").get_by_text("De afspraak is gestopt.")).to_be_visible()
    expect(layer.locator(".dmi-ramp")).to_have_count(0)
    layer.locator("summary").click()
    again = layer.get_by_role("button", name="Kijk of het weer mag")
    again.click()
    expect(layer.get_by_text("De afspraak is gestopt.").first).to_be_visible()
    assert _barriers(page) == []

    _bring_back(visit, embedded_stack.url, ended["id"])
    began = time.monotonic()
    expect(layer.locator(".dmi-ramp")).to_be_visible(timeout=BACK)
    assert time.monotonic() - began < BACK / 1000
    # What a person had chosen for the layer is still so.
    expect(layer.get_by_role("slider")).to_have_value("90")
    assert visitor.unexpected() == []


@pytest.fixture
def given(embedded_stack: EmbeddedStack) -> Iterator[list[dict[str, Any]]]:
    """The resident's consents, which are given again when they were withdrawn."""
    with embedded_stack.demo("resident") as noor:
        consents = [one for one in noor.get("/exchange/v1/consents")["items"] if one["state"] == "active"]
        yield consents
        known = {one["id"]: one["state"] for one in noor.get("/exchange/v1/consents")["items"]}
        for one in consents:
            if known[one["id"]] == "ended":
                _propose_again(noor, one)


def test_who_withdraws_consent_is_gone_at_once_from_a_map_that_is_open(
    embedded_stack: EmbeddedStack, visit: Visit, given: list[dict[str, Any]]
) -> None:
    visitor = visit(embedded_stack.url, "analyst")
    table = visitor.go(f"/map?table={BICYCLES}").locator(".dmi-map__table")
    bicycle = table.get_by_role("row", name=re.compile("^Meetfiets 1 "))
    expect(bicycle).to_have_count(3)
    with embedded_stack.demo("resident") as noor:
        for consent in given:
            noor.post(f"/exchange/v1/consents/{consent['id']}/withdraw", {})
    expect(bicycle).to_have_count(0, timeout=2_000)
    expect(table.get_by_role("row", name=re.compile("^Meetfiets 10 "))).to_have_count(3)
    assert visitor.unexpected() == []


@pytest.mark.parametrize("width", [1440, 768, 360])
def test_no_state_of_the_map_is_wider_than_the_screen(
    embedded_stack: EmbeddedStack, visit: Visit, width: int
) -> None:
    visitor = visit(embedded_stack.url, "analyst", width)
    moment = clock.to_text(_at(12))
    wider = "document.documentElement.scrollWidth > document.documentElement.clientWidth"
    for path in (
        f"/map?at={moment}&{CHOSEN}&series={CENTRE},garages.station.occupancy",
        f"/map?compare={moment}&left={GARAGES}&right={CROWD}&property=occupancy&low=1&quality=unflagged&age=fresh",
    ):
        page = visitor.go(path)
        assert not page.evaluate(wider), path
    assert visitor.faults == []
