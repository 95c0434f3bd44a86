"""What people do on the pages other than the map: plan and merge, decide and look back, connect, find their way."""

from __future__ import annotations

import re
import subprocess
import sys
import time
from collections.abc import Callable
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe  # type: ignore[import-untyped]  # it ships no types
from playwright.sync_api import Locator, Page, expect

from tests.e2e.conftest import Visit, Visitor
from tests.e2e.test_pages import WIDER
from tests.stack_plugin import EmbeddedStack

OFFICES = "BU99990200"
REDEVELOP: dict[str, Any] = {"type": "redevelop", "area": {"neighbourhood": OFFICES}, "from": "office"}
GARAGES = "urn:dmi:dataset:gemeente:garages"
VENDOR = "urn:dmi:participant:sensorbedrijf"


def barriers(page: Page) -> list[str]:
    return [f"{one['id']} at {one['nodes'][0]['target']}" for one in Axe().run(page).response["violations"]]


def section(page: Page, title: str) -> Locator:
    """The innermost section with this heading."""
    return page.locator("section", has=page.get_by_role("heading", name=title, exact=True)).last


def branches(stack: EmbeddedStack, name: str) -> tuple[dict[str, Any], dict[str, Any]]:
    """Two branches that clash about the offices and about one assumption."""
    base = "/support-centre/v1/scenarios"
    with stack.demo("analyst") as client:
        ours = client.post(base, {"title": f"{name} wonen"})
        theirs = client.post(f"{base}/{ours['id']}/branch", {"title": f"{name} groen"})
        for row, mix, people in ((ours, {"housing": 1.0}, 2.0), (theirs, {"green": 1.0}, 1.8)):
            client.post(f"{base}/{row['id']}/edits", {**REDEVELOP, "mix": mix})
            edit = {"type": "coefficient", "name": "inhabitants_per_dwelling", "value": people}
            client.post(f"{base}/{row['id']}/edits", edit)
    return ours, theirs


@pytest.mark.chromium
def test_two_branches_are_compared_three_ways_and_the_link_restores_what_was_seen(
    embedded_stack: EmbeddedStack, visit: Visit
) -> None:
    ours, theirs = branches(embedded_stack, "Link")
    analyst = visit(embedded_stack.url, "analyst")
    page = analyst.go(f"/scenarios/{ours['id']}")
    expect(section(page, "Hele stad").get_by_role("row", name=re.compile("^inwoners"))).to_contain_text("tot")
    page.get_by_label("Vergelijk met").select_option(label="Link groen")
    page.get_by_label("Kengetal").select_option(label="inwoners")
    page.get_by_label("naast elkaar").check()
    expect(page.locator(".dmi-compare__two .dmi-map__canvas canvas")).to_have_count(2)
    page.get_by_label("schuiven").check()
    divider = page.get_by_role("slider", name=re.compile("cheid|chuif|erdeel", re.IGNORECASE)).last
    divider.press("ArrowLeft")
    expect(page.locator(".dmi-legend")).to_have_count(1)
    assert barriers(page) == []
    # The page asks for two browsers of two organisations: what one sees, the other sees by the link alone.
    link = f"/scenarios/{ours['share']}?{page.url.partition('?')[2]}&version=3"
    vendor = visit(embedded_stack.url, "vendor")
    seen = vendor.go(link)
    expect(seen.get_by_label("schuiven")).to_be_checked()
    expect(seen.get_by_label("Vergelijk met")).to_have_value(theirs["share"])
    expect(seen.get_by_text("Dit scenario is met u gedeeld")).to_be_visible()
    expect(seen.get_by_role("button", name="Voer door en reken")).to_have_count(0)
    own = section(page, "Hele stad").get_by_role("row", name=re.compile("^inwoners")).inner_text()
    assert section(seen, "Hele stad").get_by_role("row", name=re.compile("^inwoners")).inner_text() == own
    assert analyst.faults == []
    assert vendor.unexpected() == []


@pytest.mark.chromium
def test_a_merge_asks_about_each_clash_and_can_be_undone(embedded_stack: EmbeddedStack, visit: Visit) -> None:
    ours, _ = branches(embedded_stack, "Botsing")
    analyst = visit(embedded_stack.url, "analyst")
    page = analyst.go(f"/scenarios/{ours['id']}/merge")
    page.get_by_label("Welke tak komt erbij").select_option(label="Botsing groen")
    expect(page.get_by_role("heading", name="2 botsingen: kies wat blijft")).to_be_visible()
    expect(page.get_by_role("heading", name="Beide veranderen Nachtwachtkwartier")).to_be_visible()
    page.get_by_role("button", name="Voeg samen en reken").click()
    expect(page.get_by_text("Maak een keuze.")).to_have_count(2)
    expect(page.locator(".dmi-clash input").first).to_be_focused()
    assert barriers(page) == []
    page.locator(".dmi-clash").first.get_by_label("wat Botsing groen doet").check()
    page.locator(".dmi-clash").last.get_by_label("wat Botsing wonen doet").check()
    page.get_by_role("button", name="Voeg samen en reken").click()
    expect(page.get_by_role("heading", name="Wijzigingen in volgorde")).to_be_visible()
    expect(page.get_by_text("kantoren in Nachtwachtkwartier worden 100% groen")).to_be_visible()
    page.get_by_text("Alle versies (4)").click()
    expect(page.get_by_text("samengevoegd met “Botsing groen”, versie 3")).to_be_visible()
    page.get_by_role("button", name="Maak de laatste ongedaan").click()
    expect(page.get_by_text("kantoren in Nachtwachtkwartier worden 100% woningen")).to_be_visible()
    page.get_by_role("button", name="Versie 4").click()
    page.get_by_role("button", name="Ga verder met deze versie").click()
    expect(page.get_by_text("kantoren in Nachtwachtkwartier worden 100% groen")).to_be_visible()
    assert analyst.faults == []


@pytest.mark.chromium
def test_the_figures_leave_as_files_that_name_their_run(embedded_stack: EmbeddedStack, visit: Visit) -> None:
    ours, _ = branches(embedded_stack, "Bestand")
    page = visit(embedded_stack.url, "analyst").go(f"/scenarios/{ours['id']}")
    run = section(page, "Zo is dit uitgerekend").locator("code").first.inner_text()
    for button, word in (("Tabel (CSV)", "run,scenario,version"), ("Kaart (GeoJSON)", "FeatureCollection")):
        with page.expect_download() as download:
            page.get_by_role("button", name=button).click()
        text = download.value.path().read_text(encoding="utf-8")
        assert word in text
        assert run in text
        assert "publicdomain/zero" in text
    page.emulate_media(media="print")
    expect(section(page, "Zo is dit uitgerekend")).to_be_visible()
    for hidden in ("#menu", ".dmi-inset-map", "button:has-text('Voer door')"):
        expect(page.locator(hidden).first).to_be_hidden()


@pytest.mark.chromium
@pytest.mark.parametrize("action", ["opvragen", "aanleveren"])
def test_the_vendors_example_works_as_it_is_copied(
    embedded_stack: EmbeddedStack, visit: Visit, action: str
) -> None:
    page = visit(embedded_stack.url, "vendor").go("/")
    choice = page.get_by_label("Voorbeeld voor")
    label = next(one for one in choice.locator("option").all_inner_texts() if action in one)
    choice.select_option(label=label)
    code = page.locator(".dmi-code code")
    if action == "aanleveren":
        expect(code).to_contain_text(re.compile(r'"datastream": \["crowd\.[a-z]'))
    done = subprocess.run(
        [sys.executable, "-c", code.inner_text()], capture_output=True, text=True, timeout=30, check=False
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.strip()
    # Other tests may have agreed on the same dataset: of several agreements it is the one that was used.
    row = page.get_by_role("row", name=re.compile(label.split(":")[0]))
    until = time.monotonic() + 30
    while all(re.search("deze week niets|niets sinds", text) for text in row.all_inner_texts()):
        # Gates report their decisions in batches; the page itself asks again every half minute.
        assert time.monotonic() < until, "the message was not counted"
        page.reload()
        expect(row.first).to_be_visible()


@pytest.mark.chromium
def test_what_waits_for_the_municipality_stands_first_and_leads_to_the_decision(
    embedded_stack: EmbeddedStack, visit: Visit
) -> None:
    with embedded_stack.demo("vendor") as vendor:
        rule = {
            "target": GARAGES,
            "action": ["dmi:export"],
            "constraint": [
                {"leftOperand": "purpose", "operator": "isA", "rightOperand": "dmi:purpose:mobility"}
            ],
        }
        document = {
            "@context": ["http://www.w3.org/ns/odrl.jsonld", {"dmi": "urn:dmi:"}],
            "@type": "Agreement",
            "profile": "urn:dmi:profile:1",
            "dmi:rulebook": vendor.get("/exchange/v1/rulebook")["version"],
            "dmi:legalBasis": "dmi:basis:contract",
            "assigner": "urn:dmi:participant:gemeente",
            "assignee": VENDOR,
            "permission": [rule],
        }
        made = vendor.post("/exchange/v1/agreements", {"document": document, "hosted": True})
    page = visit(embedded_stack.url, "officer").go("/")
    row = section(page, "Wacht op u").locator("li", has_text="Voorstel van Sensorbedrijf Meetlat")
    row.get_by_role("link", name="Bekijken en beslissen").first.click()
    expect(page).to_have_url(re.compile(re.escape(made["id"])))
    page.get_by_role("button", name="Weiger", exact=False).click()
    page.get_by_role("dialog").get_by_role("textbox").fill("niet nodig")
    page.get_by_role("dialog").get_by_role("button", name=re.compile("Weiger")).click()
    expect(page.get_by_text("niet nodig")).to_be_visible()
    page.get_by_role("link", name="Start", exact=True).click()
    expect(
        section(page, "Mijn gegevenssets").get_by_role("row", name=re.compile("Parkeergarages"))
    ).to_be_visible()
    expect(section(page, "Wacht op u").locator("li", has_text="Sensorbedrijf")).to_have_count(0)


@pytest.mark.chromium
def test_a_rule_whose_threshold_is_lowered_proposes_at_once(
    embedded_stack: EmbeddedStack, visit: Visit
) -> None:
    page = visit(embedded_stack.url, "analyst").go("/measures")
    row = section(page, "Regels").locator("li", has_text="Garage over een half uur vol")

    def set_to(percent: str) -> None:
        row.get_by_role("button", name=re.compile("^Pas aan")).click()
        page.get_by_role("dialog").get_by_label("Vol vanaf").fill(percent)
        page.get_by_role("dialog").get_by_role("button", name="Bewaar").click()

    set_to("nul")
    expect(
        page.get_by_role("dialog").get_by_text("Vul een heel getal in van 1 tot en met 100.")
    ).to_be_visible()
    assert barriers(page) == []
    page.get_by_role("dialog").get_by_role("button", name="Annuleren").click()
    set_to("1")
    expect(row).to_contain_text("Vanaf 1% van de plaatsen.")
    waiting = section(page, "Wacht op een besluit").locator("li", has_text="P+R Noord")
    expect(waiting.first).to_be_visible(timeout=30_000)
    set_to("95")
    expect(row).to_contain_text("Vanaf 95% van de plaatsen.")


@pytest.mark.chromium
def test_who_changes_a_rule_is_told_when_somebody_else_was_quicker_and_nothing_is_lost(
    embedded_stack: EmbeddedStack, visit: Visit
) -> None:
    page = visit(embedded_stack.url, "analyst", 360).go("/measures")
    row = section(page, "Regels").locator("li", has_text="Garage over een half uur vol")
    row.get_by_role("button", name=re.compile("^Pas aan")).click()
    dialog = page.get_by_role("dialog")
    dialog.get_by_label("Vol vanaf").fill("88")
    with embedded_stack.demo("officer") as client:
        path = "/support-centre/v1/rules/garage-full"
        seen = {"If-Match": f'"{client.get(path)["version"]}"'}
        client.post(f"{path}/automatic", {"until": f"{_next_year(page)}-01-01T10:00:00Z"}, headers=seen)
    dialog.get_by_role("button", name="Bewaar", exact=True).click()
    expect(dialog.get_by_text("De regel is intussen aangepast")).to_be_visible()
    expect(dialog).to_contain_text("Publiceert zelf. Toegestaan door Gemeente Waterstad")
    expect(dialog.get_by_label("Vol vanaf")).to_have_value("88")
    assert barriers(page) == []
    dialog.get_by_role("button", name="Neem over wat nu geldt").click()
    expect(dialog.get_by_label("Vol vanaf")).to_have_value("95")
    dialog.get_by_role("button", name="Bewaar toch").click()
    expect(dialog).to_have_count(0)
    expect(row).to_contain_text("Een mens beslist over elk voorstel.")
    expect(row).to_contain_text("Vanaf 95% van de plaatsen.")


@pytest.mark.chromium
def test_a_rule_publishes_by_itself_by_whom_until_when_and_an_address_says_what_is_wrong_with_it(
    embedded_stack: EmbeddedStack, visit: Visit
) -> None:
    officer = visit(embedded_stack.url, "officer")
    page = officer.go("/measures")
    row = section(page, "Regels").locator("li", has_text="Garage over een half uur vol")
    row.get_by_role("button", name=re.compile("^Maak automatisch")).click()
    dialog = page.get_by_role("dialog")
    dialog.get_by_label("Geldt tot").fill("2020-01-01T10:00")
    dialog.get_by_role("button", name="Maak automatisch").click()
    expect(dialog.get_by_text("Kies een moment in het komende jaar.")).to_be_visible()
    dialog.get_by_label("Geldt tot").fill(f"{_next_year(page)}-01-01T10:00")
    dialog.get_by_role("button", name="Maak automatisch").click()
    expect(row).to_contain_text("Toegestaan door Gemeente Waterstad, tot 1 jan")
    row.get_by_role("button", name=re.compile("^Niet meer automatisch")).click()
    page.get_by_role("dialog").get_by_role("button", name="Niet meer automatisch").click()
    expect(row).to_contain_text("Een mens beslist over elk voorstel.")
    hooks = section(page, "Adressen die meteen bericht krijgen")
    hooks.get_by_label("Adres").fill("ftp://ergens")
    hooks.get_by_role("button", name="Voeg toe").click()
    expect(hooks.get_by_text("Dit adres kan niet")).to_be_visible()
    expect(hooks.get_by_label("Adres")).to_have_attribute("aria-invalid", "true")
    assert barriers(page) == []
    hooks.get_by_label("Adres").fill("http://127.0.0.1:9/maatregelen")
    hooks.get_by_role("button", name="Voeg toe").click()
    expect(hooks.locator("li", has_text="http://127.0.0.1:9/maatregelen")).to_contain_text("niets wacht")
    hooks.get_by_role("button", name="Stop: http://127.0.0.1:9/maatregelen").click()
    page.get_by_role("dialog").get_by_role("button", name="Stop").click()
    expect(hooks.locator("li")).to_have_count(0)


def _next_year(page: Page) -> int:
    """The year of the first of January that comes next."""
    year: int = page.evaluate("new Date().getFullYear()")
    return year + 1


def _looking_back(visitor: Visitor, parts: dict[str, Any]) -> Page:
    """The page of measures with one past measure that was looked back on: a real one takes over an hour."""
    measure = {
        "id": "urn:uuid:1", "rule": "r", "state": "expired", "place": "garages.centrum",
        "place_name": "Garage Centrum", "title": {"nl": "Parkeer bij P+R Noord"}, "advice": {"nl": "Rij door."},
        "audience": None, "valid_from": "2026-11-20T10:00:00Z", "valid_to": "2026-11-20T11:00:00Z",
        "geometry": None, "proposed_at": "2026-11-20T09:58:00Z", "decided_by": "Fatima", "decided_for": "x",
        "decided_at": "2026-11-20T10:00:00Z", "properties": {"reason": "time"}, "grounds": {},
        "withdrawn": False, "withdrawal": None, **parts,
    }  # fmt: skip
    visitor.page.route(
        re.compile(r"/support-centre/v1/measures$"),
        lambda route: route.fulfill(json={"items": [measure], "next": None, "refused": []}),
    )
    return visitor.go("/measures")


@pytest.mark.chromium
def test_a_look_back_shows_seen_beside_expected_and_claims_no_more_than_that(
    embedded_stack: EmbeddedStack, visit: Visit
) -> None:
    moments = [
        {
            "at": f"2026-11-20T{9 + n // 4:02d}:{n % 4 * 15:02d}:00Z",
            "actual": 300 + n,
            "p10": p,
            "p50": m,
            "p90": h,
        }
        for n, (p, m, h) in enumerate([(None, None, None)] * 4 + [(310, 320, 330)] * 4)
    ]
    part = {
        "place": "garages.centrum", "mean_difference": -14.5, "low": -24.5, "high": -4.5, "count": 4,
        "outside_interval": 3, "moments": moments,
    }  # fmt: skip
    seen = {
        "measure": "x",
        "destination": part,
        "hub": None,
        "hub_change": 31.0,
        "caveat": {"nl": "Geen bewijs."},
    }
    page = _looking_back(
        visit(embedded_stack.url, "officer", 360), {"look_back": {**seen, "verdict": "beyond"}}
    )
    page.locator("summary", has_text="Wat ervan te zien was").click()
    past = section(page, "Voorbij")
    expect(past).to_contain_text("Gemiddeld -15 auto’s")
    expect(past).to_contain_text("marge: -25 tot -5")
    expect(past).to_contain_text("Het verschil is groter dan de marge van de verwachting")
    expect(past).to_contain_text("Geen bewijs.")
    expect(past.get_by_role("img", name=re.compile("gemeten naast verwacht"))).to_be_visible()
    assert not page.evaluate(WIDER)
    assert barriers(page) == []


def _crowd_seen(**changes: Any) -> dict[str, Any]:
    """A look back on a measure against crowding, as the support centre tells it."""

    def part(hour: str, level: str, crowded: int, flow: float) -> dict[str, Any]:
        return {
            "start": f"2026-11-20T{hour}:00Z", "end": f"2026-11-20T{hour[:3]}59:59Z", "counted": 30, "expected": 30,
            "flow": flow, "level": level, "worst": "E", "crowded": crowded, "enough": True,
        }  # fmt: skip

    moments = [
        {"at": f"2026-11-20T{9 + n // 60:02d}:{n % 60:02d}:00Z", "flow": 90.0 - n / 2, "level": "E"}
        for n in range(30, 120)
    ]
    return {
        "kind": "crowd", "measure": "x", "place": "c.plein", "threshold": "D", "threshold_flow": 60.0,
        "effective_width": 2.5, "verdict": "below", "lacking": [], "caveat": {"nl": "Geen bewijs."},
        "before": part("09:30", "E", 28, 88.4), "during": part("10:00", "D", 19, 66.1),
        "after": part("10:30", "B", 2, 33.7), "moments": moments, **changes,
    }  # fmt: skip


@pytest.mark.chromium
@pytest.mark.parametrize("width", [1440, 360])
def test_a_look_back_on_crowding_shows_three_parts_of_the_time_beside_the_threshold(
    embedded_stack: EmbeddedStack, visit: Visit, width: int
) -> None:
    crowd = {"properties": {"reason": "time", "threshold": "D", "level": "E"}}
    page = _looking_back(visit(embedded_stack.url, "officer", width), {**crowd, "look_back": _crowd_seen()})
    past = section(page, "Voorbij")
    expect(past).to_contain_text("daarna onder de drempel")
    page.locator("summary", has_text="Wat ervan te zien was").click()
    expect(past).to_contain_text("Na de maatregel lag de drukte onder niveau D")
    row = past.get_by_role("row", name=re.compile("^tijdens de maatregel"))
    expect(row).to_contain_text("19 van 30 tellingen")
    expect(past).to_contain_text("Geen bewijs.")
    expect(past.locator("figure.dmi-chart")).to_be_visible()
    assert not page.evaluate(WIDER)
    assert barriers(page) == []


@pytest.mark.chromium
def test_a_look_back_on_crowding_with_too_few_counts_says_so(
    embedded_stack: EmbeddedStack, visit: Visit
) -> None:
    after = {
        **_crowd_seen()["after"],
        "counted": 2,
        "level": None,
        "worst": None,
        "crowded": None,
        "flow": None,
    }
    seen = _crowd_seen(verdict="unknown", lacking=["width", "after"], after=after, moments=[])
    crowd = {"properties": {"threshold": "D", "level": "E"}, "look_back": seen}
    page = _looking_back(visit(embedded_stack.url, "officer"), crowd)
    page.locator("summary", has_text="Wat ervan te zien was").click()
    past = section(page, "Voorbij")
    expect(past).to_contain_text("Er is te weinig bekend om iets over het effect te zeggen")
    expect(past).to_contain_text("In het half uur na de maatregel is te weinig geteld: 2 van 30 keer.")
    expect(past).to_contain_text("De breedte van de plek is niet bekend.")
    assert barriers(page) == []


@pytest.mark.chromium
@pytest.mark.parametrize("width", [1440, 360])
@pytest.mark.parametrize(
    ("path", "words"),
    [("/scenarios", "U hebt nog geen scenario’s"), ("/measures", "Er is nog geen maatregel voorbij."),
     ("/forecasts", "Er zijn nog geen verwachtingen"), ("/agreements", "Er zijn nog geen afspraken"),
     ("/catalogue", "De catalogus is leeg"), ("/log", "Er staan nog geen besluiten in het logboek")],
)  # fmt: skip
def test_an_empty_page_says_what_to_do(
    embedded_stack: EmbeddedStack, visit: Visit, path: str, words: str, width: int
) -> None:
    visitor = visit(embedded_stack.url, "analyst", width)
    visitor.page.route(
        re.compile(r"/v1/(scenarios|measures|forecasts|agreements|catalogue/search|log)(\?.*)?$"),
        lambda route: route.fulfill(json={"items": [], "next": None, "refused": [], "total": 0}),
    )
    page = visitor.go(path)
    expect(page.get_by_text(words).first).to_be_visible()
    assert not page.evaluate(WIDER)
    assert barriers(page) == []


@pytest.mark.chromium
@pytest.mark.parametrize(
    "path", ["/scenarios", "/measures", "/forecasts", "/agreements", "/log", "/operations"]
)
def test_a_service_that_fails_or_refuses_is_told_in_words_and_tried_again(
    embedded_stack: EmbeddedStack, visit: Visit, path: str
) -> None:
    lists = re.compile(r"/v1/(scenarios|measures|forecasts|agreements|log|layers|rejects)(\?.*)?$")
    visitor = visit(embedded_stack.url, "officer")
    problem = {"type": "urn:dmi:problem:ended", "status": 403, "detail": "x", "agreement": "urn:uuid:0f0f0f0f-1",
               "moment": "2026-11-20T10:00:00Z", "reasons": [{"code": "ended", "detail": "x"}]}  # fmt: skip
    answers: list[Callable[[Any], None]] = [
        lambda route: route.fulfill(status=503, headers={"Retry-After": "3"}, json={"status": 503}),
        lambda route: route.fulfill(status=403, json=problem),
    ]
    for answer, words in zip(answers, ("Dit lukte niet", "U mag dit niet zien"), strict=True):
        visitor.page.route(lists, answer)
        page = visitor.go(path)
        expect(page.get_by_text(words).first).to_be_visible()
        assert barriers(page) == []
        visitor.page.unroute(lists)
    visitor.page.route(lists, answers[0])
    page = visitor.go(path)
    visitor.page.unroute(lists)
    page.get_by_role("button", name="Opnieuw proberen").first.click()
    expect(page.get_by_role("button", name="Opnieuw proberen")).to_have_count(0)


@pytest.mark.chromium
@pytest.mark.parametrize(
    ("code", "words"),
    [("inactive_participant", "Uw organisatie doet hier nog niet mee"),
     ("rulebook_not_signed", "Uw organisatie heeft nog niet ondertekend")],
)  # fmt: skip
def test_who_is_no_member_reads_once_how_to_become_one(
    embedded_stack: EmbeddedStack, visit: Visit, code: str, words: str
) -> None:
    visitor = visit(embedded_stack.url, "officer", 360)
    problem = {"type": f"urn:dmi:problem:{code.replace('_', '-')}", "status": 403, "detail": "x",
               "reasons": [{"code": code, "detail": "x"}]}  # fmt: skip
    visitor.page.route(
        re.compile(r"/v1/(participants|datasets|agreements|layers|measures)(\?.*)?$"),
        lambda route: route.fulfill(status=403, json=problem),
    )
    page = visitor.go("/")
    expect(page.get_by_role("heading", name=words)).to_be_visible()
    expect(page.locator(".dmi-notice")).to_have_count(0)
    assert not page.evaluate(WIDER)
    assert barriers(page) == []
