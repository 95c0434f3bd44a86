"""The whole story in the browser: measured, forecast, planned, decided, stopped, traced, withdrawn, verified."""

from __future__ import annotations

import re
import time
from collections.abc import Iterator
from typing import Any

import httpx
import pytest
from playwright.sync_api import Page, expect

from dmi_command.client import Client
from dmi_command.errors import AnswerRefused
from tests.e2e.conftest import Visit
from tests.stack_plugin import Stack

GARAGES = "urn:dmi:dataset:gemeente:garages"
BICYCLES = "urn:dmi:dataset:gemeente:bicycle-air"
STACK = "urn:dmi:participant:stack"
CENTRE = "garages.centrum.occupancy"
MARK = "Grond vervallen"
WITHIN = 2_000
"""Milliseconds in which a page shows what the stack does within a second."""
OPENED = 8_000
"""The same for a page that is opened anew: it has to be fetched and drawn first."""
RULE: dict[str, Any] = {
    "type": "garage",
    "id": "e2e-full",
    "place": "garages.centrum",
    "hub": "garages.pr-noord",
    "full_share": 0.01,
    "release_share": 0.0,
    "hub_room_share": 0.0,
    "title": {"nl": "Proef: Garage Centrum vol", "en": "Trial: Garage Centrum full"},
}
"""Proposes whatever the hour: at night no garage of the city is really full."""


def _active(client: Client, dataset: str) -> dict[str, Any]:
    items = client.get("/exchange/v1/agreements", dataset=dataset, state="active")["items"]
    found: dict[str, Any] = next(item for item in items if item["assignee"] == STACK)
    return found


def _propose_again(giver: Client, ended: dict[str, Any]) -> dict[str, Any]:
    document = {name: value for name, value in ended["document"].items() if name != "uid"}
    made: dict[str, Any] = giver.post("/exchange/v1/agreements", {"document": document, "hosted": True})
    return made


def _until(found: Any, seconds: float = 60) -> Any:
    limit = time.monotonic() + seconds
    while not (answer := found()):
        assert time.monotonic() < limit, "waited too long"
        time.sleep(0.2)
    return answer


def _put_rule(officer: Client, rule: dict[str, Any]) -> None:
    known = {one["id"]: one["version"] for one in officer.get("/support-centre/v1/rules")["items"]}
    seen = {"If-Match": f'"{known[rule["id"]]}"'} if rule["id"] in known else {}
    officer.post("/support-centre/v1/rules", rule, headers=seen)


def _taken(officer: Client, rule: dict[str, Any]) -> bool:
    """Whether a rule is taken: a support centre that has just begun has not heard of all places."""
    try:
        _put_rule(officer, rule)
    except AnswerRefused as refused:
        assert "must be a known place" in str(refused)
        return False
    return True


@pytest.fixture
def as_before(stack: Stack) -> Iterator[None]:
    """What the story ends or adds is put back, whatever became of it."""
    with stack.demo("officer") as officer, stack.demo("operator") as operator, stack.demo("resident") as noor:
        agreement = _active(officer, GARAGES)
        consents = [one for one in noor.get("/exchange/v1/consents")["items"] if one["state"] == "active"]
        _until(lambda: _taken(officer, RULE))
        yield
        _put_rule(officer, {**RULE, "full_share": 1.0})
        if officer.get(f"/exchange/v1/agreements/{agreement['id']}")["state"] == "ended":
            again = _propose_again(officer, agreement)
            operator.post(f"/exchange/v1/agreements/{again['id']}/signature", {"hosted": True})
        known = {one["id"]: one["state"] for one in noor.get("/exchange/v1/consents")["items"]}
        for one in consents:
            if known[one["id"]] == "ended":
                _propose_again(noor, one)


@pytest.mark.chromium
@pytest.mark.timeout(300)
def test_the_story_of_a_garage_from_sensor_to_stop(stack: Stack, visit: Visit, as_before: None) -> None:
    resident, analyst, officer = (visit(stack.url, one) for one in ("resident", "analyst", "officer"))
    with stack.demo("officer") as client:
        agreement = _active(client, GARAGES)["id"]
        _look_at_live_values(resident.go(f"/map?layer={GARAGES}&feature={CENTRE}"), client)
        forecast = _forecast(analyst.go("/forecasts?place=garages.centrum"), client)
        _plan(analyst.go("/scenarios"))
        _until(lambda: _measures(client, "proposed"))
        measure = _approve(officer.go("/measures"), client)
    assert measure in httpx.get(f"{stack.url}/support-centre/v1/measures/feed", timeout=10).text

    _stop(officer.go(f"/agreements/{agreement}"))
    expect(resident.page.get_by_text("De afspraak is gestopt.").first).to_be_visible(timeout=WITHIN)
    expect(resident.page.get_by_role("heading", name="Garage Centrum")).to_have_count(0)
    analyst.page.goto(f"{stack.url}/forecasts?place=garages.centrum")
    expect(analyst.page.get_by_text(MARK).first).to_be_visible(timeout=OPENED)
    analyst.page.goto(f"{stack.url}/measures")
    past = analyst.page.locator(".dmi-past > li", has_text="Parkeer bij P+R Noord").filter(has_text=MARK)
    expect(past.first).to_be_visible(timeout=OPENED)
    assert measure not in httpx.get(f"{stack.url}/support-centre/v1/measures/feed", timeout=10).text

    _trace(analyst.go(f"/lineage/{forecast}"), officer.page, agreement)
    _withdraw(resident.go(f"/map?table={BICYCLES}"), stack.url)
    _verify(visit(stack.url, "operator").go("/log"))
    assert [fault for one in (resident, analyst, officer) for fault in one.unexpected()] == []
    assert [line for line in stack.logs().splitlines() if '"level": "error"' in line] == []


def _look_at_live_values(page: Page, owner: Client) -> None:
    expect(page.get_by_role("heading", name="Garage Centrum")).to_be_visible()
    expect(page.locator(".dmi-panel .dmi-chart svg")).to_be_visible()
    expect(page.locator(".dmi-layer", has_text="Parkeergarages").get_by_text("live")).to_be_visible()
    batch = {
        "dataset": GARAGES,
        "datastream": [CENTRE],
        "phenomenon_time": [time.time_ns() // 1000],
        "result": [217.0],
    }
    owner.post("/ingest/v1/batches", batch)
    expect(page.locator(".dmi-panel").get_by_text("217 auto’s")).to_be_visible()


def _forecast(page: Page, client: Client) -> str:
    _until(lambda: client.get("/support-centre/v1/forecasts", place="garages.centrum")["items"], 90)
    page.get_by_role("button", name="Reken opnieuw uit").click()
    page.reload()
    expect(page.get_by_role("img", name=re.compile("Garage Centrum")).first).to_be_visible()
    expect(page.get_by_role("heading", name="Hoe goed was de verwachting")).to_be_visible()
    link = page.get_by_role("link", name="Bekijk waar dit op rust").first
    return str(link.get_attribute("href")).rsplit("/", 1)[1]


def _plan(page: Page) -> None:
    page.get_by_label("Naam van het scenario").fill("Nachtwachtlaan groen")
    page.get_by_role("button", name="Nieuw scenario").click()
    page.get_by_label("Kies een buurt").select_option(label="Kantoren Nachtwachtlaan")
    page.get_by_role("button", name="Voer door en reken").click()
    words = "kantoren in Kantoren Nachtwachtlaan worden 60% woningen, 40% groen"
    expect(page.get_by_text(words)).to_be_visible()
    jobs = page.get_by_role("row", name=re.compile("^banen"))
    expect(jobs).to_contain_text(re.compile(r"-[\d.]+\s*-[\d.]+ tot -[\d.]+\s*-[\d,]+%"))


def _measures(client: Client, state: str) -> list[dict[str, Any]]:
    items = client.get("/support-centre/v1/measures", state=state)["items"]
    return [one for one in items if one["rule"] == RULE["id"]]


def _card(page: Page) -> Any:
    return page.locator(".dmi-card", has_text="Garage Centrum").filter(has_text="Parkeer bij P+R Noord").first


def _approve(page: Page, client: Client) -> str:
    """Approve a proposal for the garage: the city's own rule may have made one as well."""
    _card(page).get_by_role("button", name="Goedkeuren").click()
    page.get_by_role("button", name="Ja, publiceer").click()
    expect(page.locator(".dmi-card", has_text="gepubliceerd").first).to_contain_text("Garage Centrum")

    def published() -> list[str]:
        items = client.get("/support-centre/v1/measures", state="published")["items"]
        return [one["id"] for one in items if one["place"] == RULE["place"]]

    # The word on the card can be that of the button's own answer; the list follows.
    return str(_until(published)[0])


def _stop(page: Page) -> None:
    page.get_by_role("button", name="Stop deze afspraak").click()
    page.get_by_label(re.compile("Waarom stopt u")).fill("proef")
    # The click waits for the page to be drawn, which takes a browser without a graphics card its time.
    with page.expect_response(lambda answer: answer.url.endswith("/end")) as stopped:
        page.get_by_role("button", name="Ja, stop nu").click()
    stopped.value.finished()
    timing = stopped.value.request.timing
    assert timing["responseEnd"] - timing["requestStart"] < WITHIN, timing
    expect(page.locator(".dmi-notice").get_by_text("De afspraak is gestopt")).to_be_visible(timeout=WITHIN)


def _trace(result: Page, ended: Page, agreement: str) -> None:
    """From the result to the agreement it rests on, and from the agreement to what rests on it."""
    expect(result.get_by_text(MARK).first).to_be_visible()
    expect(result.locator(f'.dmi-rows a[href="/agreements/{agreement}"]')).to_be_visible()
    rests = ended.locator(".dmi-section", has=ended.get_by_role("heading", name="Wat op deze afspraak rust"))
    for kind in ("Verwachting", "Maatregel"):
        row = rests.locator(".dmi-rows li", has_text=re.compile(kind, re.IGNORECASE)).filter(has_text=MARK)
        expect(row.first).to_be_visible()


def _withdraw(page: Page, url: str) -> None:
    rows = page.get_by_role("button", name=re.compile(r"^Meetfiets \d+$"))
    expect(rows.first).to_be_visible()
    page.goto(f"{url}/my-data")
    withdraw = page.get_by_role("button", name=re.compile("^Trek in"))
    expect(withdraw.first).to_be_visible()
    for left in range(withdraw.count(), 0, -1):
        withdraw.first.click()
        page.get_by_role("button", name="Ja, trek in").click()
        expect(withdraw).to_have_count(left - 1)
    page.goto(f"{url}/map?table={BICYCLES}")
    expect(page.locator(".dmi-map__table").get_by_text("niets te tonen")).to_be_visible()
    expect(rows).to_have_count(0, timeout=WITHIN)


def _verify(page: Page) -> None:
    page.get_by_role("button", name="Controleer het log").click()
    expect(page.get_by_text("Het log klopt:")).to_be_visible()
