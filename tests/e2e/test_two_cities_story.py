"""The story of two cities: published in one, negotiated and used in the other, stopped, and proved by both."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from playwright.sync_api import Page, expect
from typer.testing import CliRunner, Result

from dmi_command.cli import app
from dmi_command.client import Client
from dmi_command.demo.neighbour import features, join
from dmi_command.errors import AnswerRefused, CommandFailed
from dmi_exchange.custody import Custody
from dmi_infra import clock
from tests.e2e.conftest import Visit, Visitor
from tests.e2e.keyboard import push, tab_to
from tests.e2e.test_negotiate import clean
from tests.e2e.test_work import section
from tests.integration.test_two_cities import ROWS, Two, soon

pytestmark = pytest.mark.chromium

NAME = "Drukte rond het station"
DATASET = "urn:dmi:dataset:buurstad:drukte-rond-het-station"
OWNER = "urn:dmi:participant:buurstad"
VENDOR = "urn:dmi:participant:sensorbedrijf"
MAP = f"/visualisation/v1/layers/{DATASET}/features"
SECOND = 1_000_000
WITHIN = 1_000
"""Milliseconds between a stop in one city and its effect on a page in the other."""


class Cities(Two):
    """Waterstad with a vendor, Buurstad with an officer; nothing is on offer yet."""

    def furnish(self) -> None:
        """Start both, and let vendor and municipality join."""
        self.start(self.here, self.there)
        self.neighbour.join()
        key = Custody(self.here.folder / "keys", hosting=True).own(VENDOR)
        self.vendor = Client(self.here.url, participant=VENDOR, key=key)
        join(self.operator, self.vendor, key, VENDOR, "Sensorbedrijf Meetlat", ["dmi:role:vendor"])
        soon(lambda: all(node["reachable"] for node in self.get("nodes")["items"]), 25)

    def deliver(self) -> None:
        """The sensors of the new dataset, and what they measure at three seconds."""
        (waiting,) = self.neighbour.operator.get("/exchange/v1/agreements", dataset=DATASET)["items"]
        path = f"/exchange/v1/agreements/{waiting['id']}/signature"
        self.neighbour.operator.post(path, {"hosted": True})
        places = {"dataset": DATASET, "features": features()}
        soon(lambda: self._takes(places))
        begun = clock.now() // SECOND * SECOND - 60 * SECOND
        for second in range(3):
            self.neighbour.measure(begun + second * SECOND, DATASET)

    def _takes(self, places: dict[str, Any]) -> bool:
        """Whether the layers know of their right by now."""
        try:
            self.neighbour.city.post("/ingest/v1/features", places)
        except AnswerRefused as refused:
            assert refused.status == 403, refused
            return False
        return True

    def keys(self) -> dict[str, dict[str, Any]]:
        """The keys of both logs, as a stranger gets them before anything has happened."""
        path = "/exchange/.well-known/jwks.json"
        return {node.name: httpx.get(node.url + path).json() for node in (self.here, self.there)}

    def end_all(self) -> None:
        """From here on nobody can be asked any more."""
        self.here.stop()
        self.there.stop()


@pytest.fixture
def cities(tmp_path: Path) -> Iterator[Cities]:
    made = Cities(tmp_path)
    try:
        made.furnish()
        yield made
    finally:
        made.vendor.close()
        made.close()


def _publish(page: Page) -> None:
    """As the officer: describe the data, and say who may do what with it."""
    page.get_by_label("Naam", exact=True).fill(NAME)
    page.get_by_label("Waar gaan de gegevens over?").fill("Hoe druk het is op het plein en in de garages.")
    page.get_by_label("Waarvoor verzamelt u ze?").select_option(value="dmi:purpose:public-task")
    for action in ("tonen op kaart", "analyseren", "maatregel publiceren", "verwerken op het platform"):
        page.get_by_label(re.compile(f"^{action}")).check()
    page.get_by_label("Voor welk doel?").select_option(value="dmi:purpose:public-task")
    preview = section(page, "Wat u aanbiedt")
    expect(preview.get_by_text("Dit mag: het past bij de wet")).to_be_visible()
    clean(page)
    page.get_by_role("button", name="Bied aan").click()
    expect(page.get_by_text("ook uit andere steden")).to_be_visible()


def _ask(page: Page) -> None:
    """As the operator of the other city's platform, by keyboard alone: ask for what is offered, as it is offered."""
    expect(section(page, "Wat deze stad aanbiedt").get_by_role("heading", name=NAME)).to_be_visible()
    clean(page)
    ask = page.get_by_role("button", name=f"Vraag dit aan: {NAME}", exact=True)
    push(page, ask)
    agree = page.get_by_role("dialog", name="Akkoord met deze voorwaarden?")
    for told in (
        "De afspraak kan daarom meteen gelden",
        "Er is geen einddatum",
        "U kunt op elk moment stoppen",
    ):
        expect(agree).to_contain_text(told)
    clean(page)
    page.keyboard.press("Escape")
    expect(ask).to_be_focused()
    page.keyboard.press("Enter")
    push(page, agree.get_by_role("button", name="Ja, akkoord"))
    expect(page.get_by_text("De afspraak is gesloten")).to_be_visible()
    tab_to(page, page.get_by_role("link", name="haal de gegevens op"))
    page.keyboard.press("Enter")
    expect(page.locator(".dmi-badge", has_text="loopt").first).to_be_visible()
    expect(section(page, "Levering tussen de steden")).to_be_visible()
    expect(page.get_by_text("Gemeente Buurstad").first).to_be_visible()


def _refine(page: Page) -> None:
    """As the vendor: ask for less, and for nothing old."""
    page.get_by_role("button", name=f"Vraag met andere voorwaarden: {NAME}").click()
    for action in ("verwerken", "maatregel publiceren"):
        page.get_by_label(action, exact=True).uncheck()
    page.get_by_label("Hoogstens hoeveel dagen oud?").fill("30")
    expect(page.locator(".dmi-changes")).to_contain_text(
        "Metingen van meer dan 30 dagen oud krijgt de gebruiker niet."
    )
    page.get_by_role("button", name="Stuur dit voorstel").click()
    expect(page.get_by_text("Wacht op de eigenaar")).to_be_visible()
    expect(section(page, "Verschil met het aanbod").locator("ins").last).to_have_text(
        "Metingen van meer dan 30 dagen oud krijgt de gebruiker niet."
    )
    clean(page)


def _sign(page: Page) -> None:
    """As the owner: read what is asked for, and sign it."""
    page.get_by_role("row").filter(has_text="U bent aan zet").get_by_role("link").click()
    expect(
        page.get_by_text("Metingen van meer dan 30 dagen oud krijgt de gebruiker niet.").first
    ).to_be_visible()
    expect(section(page, "Wat u ondertekent").get_by_text("Dit mag: het past bij de wet")).to_be_visible()
    clean(page)
    page.get_by_role("button", name="Onderteken", exact=True).click()
    expect(page.get_by_text("De afspraak is gesloten")).to_be_visible()


def _fetch(page: Page) -> str:
    """As the vendor: fetch the data live and see it on the map; the id of the agreement."""
    page.get_by_role("link", name="haal de gegevens op").click()
    delivery = section(page, "Levering tussen de steden")
    expect(delivery.get_by_label("Live")).to_be_checked()
    agreement = page.url.rsplit("/", 1)[1]
    delivery.get_by_role("button", name="Haal de gegevens op").click()
    expect(delivery.get_by_text(f"{3 * ROWS} metingen ontvangen")).to_be_visible()
    expect(delivery.locator(".dmi-badge", has_text="loopt")).to_be_visible()
    delivery.get_by_role("link", name="Toon op de kaart").click()
    expect(page.locator(".dmi-layer", has_text=NAME).get_by_text("live", exact=True)).to_be_visible()
    page.get_by_role("button", name=f"{NAME} als tabel").click()
    expect(page.locator(".dmi-map__table").get_by_role("button", name="Stationsplein")).to_be_visible()
    return agreement


def _stop(page: Page) -> None:
    """As the owner: stop it, with a reason."""
    page.get_by_role("button", name="Stop deze afspraak").click()
    page.get_by_label(re.compile("Waarom stopt u")).fill("de proef is klaar")
    page.get_by_role("button", name="Ja, stop nu").click()


def _keep(visitor: Visitor, agreement: str, folder: Path) -> Path:
    """Keep what happened under an agreement, as a file."""
    page = visitor.go(f"/agreements/{agreement}")
    proof = section(page, "Bewijs")
    with page.expect_download() as coming:
        proof.get_by_role("button", name="Bewaar bewijs van deze afspraak").click()
    expect(proof.get_by_text("De afspraak is gestopt: regel")).to_be_visible()
    proof.get_by_text("Hoe controleert iemand dit bewijs?").click()
    expect(proof.get_by_text("dmi log check")).to_be_visible()
    file = folder / coming.value.suggested_filename
    coming.value.save_as(file)
    return file


def _check(*words: object) -> Result:
    return CliRunner().invoke(app, ["log", "check", *map(str, words)])


def _proved(file: Path, keys: dict[str, Any], folder: Path) -> dict[str, Any]:
    """What the program for outsiders says of a file, with keys from elsewhere and nobody to ask."""
    trusted = folder / f"{file.stem}.keys.json"
    trusted.write_text(json.dumps(keys))
    told = _check(file, "--keys", trusted, "--json")
    assert told.exit_code == 0, told.output
    (course,) = json.loads(told.output)["agreements"]
    found: dict[str, Any] = course
    return found


@pytest.mark.timeout(180)
def test_what_an_officer_publishes_a_vendor_of_another_city_uses_until_it_is_stopped_and_both_prove_it(
    cities: Cities, visit: Visit, tmp_path: Path
) -> None:
    keys = cities.keys()
    officer, vendor = visit(cities.there.url, "officer"), visit(cities.here.url, "vendor")
    operator = visit(cities.here.url, "operator", 360)
    _publish(officer.go("/publish/dataset"))
    cities.deliver()
    _ask(operator.go("/nodes"))
    _refine(vendor.go("/nodes"))
    officer.page.set_viewport_size({"width": 360, "height": 900})
    _sign(officer.go("/nodes"))
    expect(vendor.page.get_by_text("De afspraak is gesloten")).to_be_visible()
    agreement = _fetch(vendor.page)
    layers = operator.page.url.rsplit("/", 1)[1]
    crowd = "/support-centre/v1/crowd"
    soon(lambda: any(layers in one["grounds"]["agreements"] for one in cities.operator.get(crowd)["items"]))

    # Stopped: the vendor's map is empty within a second; the platform's results stay until its own agreement ends.
    page = officer.go(f"/agreements/{agreement}")
    expect(
        section(page, "Levering tussen de steden").get_by_text(f"{3 * ROWS} metingen geleverd")
    ).to_be_visible()
    clean(page)
    _stop(page)
    stopped = vendor.page.get_by_text("De afspraak is gestopt.")
    expect(stopped.first).to_be_visible(timeout=WITHIN)
    assert cities.status(MAP) == 200
    _stop(officer.go(f"/agreements/{layers}"))
    assert soon(lambda: cities.status(MAP) == 403) < WITHIN / 1000
    marked = operator.page.get_by_text(re.compile(r"^\d+ resultaten kregen het merk “grond vervallen”"))
    expect(marked).to_be_visible()
    clean(operator.page)

    # Proved: each side keeps its own part; nobody has to trust a city, or to reach it.
    soon(
        lambda: "TERMINATED" in {one["state"] for one in cities.vendor.get("/exchange/v1/transfers")["items"]}
    )
    # A folder each: of two cities whose logs are of one size the files have one name.
    files = [
        _keep(one, agreement, tmp_path / name) for one, name in ((vendor, "vendor"), (officer, "officer"))
    ]
    clean(vendor.page)
    assert [*officer.unexpected(), *vendor.unexpected(), *operator.unexpected()] == []
    cities.end_all()
    theirs, ours = (_proved(file, keys[name], tmp_path) for file, name in zip(files, keys, strict=True))
    for course in (theirs, ours):
        assert set(course["signed"]) == {OWNER, VENDOR}
        assert (course["concluded"] or 0) < (course["stopped"] or 0)
        assert course["stopped_by"] == OWNER
        assert course["uses"] > 0
    assert theirs["signed"] == ours["signed"]
    assert ours["rows"] >= 3 * ROWS
    assert theirs["refused"] > 0
    # Other terms than those that were signed are found out.
    lie = tmp_path / "lie.json"
    lie.write_text(files[0].read_text().replace('"@value":"30"', '"@value":"90"'))
    fault = _check(lie).exception
    assert isinstance(fault, CommandFailed)
    assert f"is not signed by {OWNER}" in str(fault)
