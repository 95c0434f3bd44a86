"""The page of a resident's own data: what is measured can be taken along, whatever others may do with it."""

from __future__ import annotations

import json
import re
import time
import zipfile
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from playwright.sync_api import Locator, Page, expect

from dmi_command.client import Client
from dmi_infra.jose import SigningKey
from tests.e2e.conftest import Visit, Visitor
from tests.e2e.keyboard import push, tab_to
from tests.e2e.test_work import barriers
from tests.integration.test_own_copy import BICYCLES, VIEW, bicycles_stopped, things
from tests.stack_plugin import EmbeddedStack
from tests.unit.exchange.test_letter import text_of

TAKE = re.compile("^Download uw metingen")


def taken(visitor: Visitor) -> set[str]:
    with visitor.page.expect_download() as download:
        visitor.page.get_by_role("button", name=TAKE).click()
    assert download.value.suggested_filename == "bicycle-air-csv.zip"
    return things(download.value.path().read_bytes())


@pytest.mark.chromium
def test_own_measurements_are_downloaded_also_when_they_may_no_longer_be_shown(
    embedded_stack: EmbeddedStack, visit: Visit
) -> None:
    noor = visit(embedded_stack.url, "resident")
    noor.go("/my-data")
    assert taken(noor) == {"bicycle-air.bicycle-1"}
    assert noor.faults == []
    with bicycles_stopped(embedded_stack):
        page = noor.go("/my-data")
        assert taken(noor) == {"bicycle-air.bicycle-1"}
        page.set_viewport_size({"width": 360, "height": 800})
        expect(page.get_by_role("button", name=TAKE)).to_be_visible()
    assert noor.unexpected() == []


@pytest.mark.chromium
@pytest.mark.parametrize(
    ("language", "withdraw", "sentence", "cancel"),
    [
        ("nl", "Trek in", "Andere toestemmingen die u gaf, blijven gelden", "Annuleren"),
        ("en", "Withdraw", "Other consents that you gave stay", "Cancel"),
    ],
)
def test_who_withdraws_a_consent_is_told_whose_use_ends_and_that_other_consents_stay(
    embedded_stack: EmbeddedStack, visit: Visit, language: str, withdraw: str, sentence: str, cancel: str
) -> None:
    page = visit(embedded_stack.url, "resident", 360, language).go("/my-data")
    card = page.locator(".dmi-card", has=page.get_by_role("button", name=re.compile(f"^{withdraw}"))).first
    facts = card.locator("> .dmi-facts dd")
    dataset, recipients = facts.nth(0).inner_text(), facts.nth(1).inner_text()
    heading = card.get_by_role("heading").first.inner_text()
    card.get_by_role("button", name=re.compile(f"^{withdraw}")).click()
    dialog = page.get_by_role("dialog")
    told = dialog.locator(".dmi-facts dd")
    expect(told.nth(0)).to_have_text(dataset)
    expect(told.nth(2)).to_have_text(recipients)
    assert told.nth(1).inner_text().lower() in heading.lower()
    expect(dialog.get_by_text(sentence)).to_be_visible()
    assert barriers(page) == []
    dialog.get_by_role("button", name=cancel).click()
    expect(dialog).to_have_count(0)


def opened(page: Page, title: str) -> Locator:
    """One of the rights, opened by keyboard alone."""
    summary = page.locator("summary", has_text=title)
    tab_to(page, summary)
    page.keyboard.press("Enter")
    return page.locator("details[open]", has=summary)


@pytest.mark.chromium
@pytest.mark.parametrize(("width", "language"), [(1440, "nl"), (360, "en")])
def test_a_resident_sees_who_used_the_data_and_exercises_rights_by_keyboard(
    embedded_stack: EmbeddedStack, visit: Visit, width: int, language: str
) -> None:
    dutch = language == "nl"
    visitor = visit(embedded_stack.url, "resident", width, language)
    page = visitor.go("/my-data")
    table = page.get_by_role("table", name="Wie gebruikte uw gegevens" if dutch else "Who used your data")
    expect(table.get_by_role("row").nth(1)).to_be_visible()
    everything = opened(page, "Neem alles mee" if dutch else "Take everything along")
    with page.expect_download() as download:
        push(page, everything.get_by_role("button"))
    with zipfile.ZipFile(download.value.path()) as found:
        assert {"my-data.json", "gemeente-bicycle-air.zip"} <= set(found.namelist())
        assert found.testzip() is None
        assert json.loads(found.read("my-data.json"))["person"]["id"] == "urn:dmi:person:noor"
    correction = opened(page, "Verbeter een meting" if dutch else "Correct a measurement")
    push(page, correction.get_by_role("button"))
    assert correction.locator("[aria-invalid='true']").count() >= 3
    erasure = opened(page, "Laat gegevens wissen" if dutch else "Have data erased")
    push(page, erasure.get_by_role("button"))
    dialog = page.get_by_role("dialog")
    expect(dialog.get_by_text("niet terugdraaien" if dutch else "cannot undo")).to_be_visible()
    assert barriers(page) == []
    page.keyboard.press("Escape")
    expect(dialog).to_have_count(0)
    for title in ("Stop het gebruik", "Maak bezwaar") if dutch else ("Stop the use", "Object"):
        opened(page, title)
    assert barriers(page) == []
    assert not page.evaluate("document.documentElement.scrollWidth > document.documentElement.clientWidth")
    assert visitor.faults == []


def asked_of(recipient: Client) -> list[dict[str, Any]]:
    """What persons asked of who received their data, once that is told."""
    limit = time.monotonic() + 15
    while not (found := recipient.get("/exchange/v1/notices", open="true")["items"]):
        assert time.monotonic() < limit
        time.sleep(0.1)
    return list(found)


def answer_all(recipient: Client) -> None:
    """Answer what persons asked so far, in whatever test: who saw their rows on a map is told too."""
    for told in recipient.get("/exchange/v1/notices", open="true")["items"]:
        recipient.post(f"/exchange/v1/notices/{told['id']}/answer", {"outcome": "done", "text": ""})


@pytest.mark.chromium
def test_a_resident_corrects_a_measurement_of_any_day_and_sees_the_new_value(
    embedded_stack: EmbeddedStack, visit: Visit
) -> None:
    with embedded_stack.demo("officer") as officer, embedded_stack.demo("resident") as noor:
        officer.get(VIEW)
        rows = noor.get("/platform/v1/latest", dataset=BICYCLES)["items"]
        newest = next(one for one in rows if one["datastream"].endswith(".temperature"))
    moment = datetime.fromisoformat(newest["phenomenon_time"])
    day = moment.astimezone(ZoneInfo("Europe/Amsterdam")).date()
    visitor = visit(embedded_stack.url, "resident", 360)
    form = opened(visitor.go("/my-data"), "Verbeter een meting")
    form.get_by_label("Welke gegevens van u").select_option(label="Meetfietsen: lucht")
    form.get_by_label("Wat wordt gemeten").select_option(label="temperatuur")
    form.get_by_label("Van welke dag is de meting?").fill((day + timedelta(days=9)).isoformat())
    expect(form.get_by_text("Kies een dag tot en met vandaag.")).to_be_visible()
    form.get_by_label("Van welke dag is de meting?").fill(day.isoformat())
    hour = form.get_by_label("Van welk uur?")
    which = form.get_by_label("Welke meting")
    expect(hour.or_(which.locator("option").nth(1)).first).to_be_attached()
    if hour.count():
        hour.select_option(
            value=str(int(moment.replace(minute=0, second=0, microsecond=0).timestamp()) * 1000)
        )
    expect(which.locator("option").nth(1)).to_contain_text("°C")
    which.select_option(index=1)
    form.get_by_label("Wat het moet zijn (°C)").fill("-3,5")
    form.get_by_role("button", name="Verbeter deze meting").click()
    expect(which).to_contain_text(re.compile(r"\D3,5\s°C"))
    expect(visitor.page.locator(".dmi-card", has_text="Verbeteren: Meetfietsen: lucht").first).to_be_visible()
    assert visitor.faults == []
    with embedded_stack.demo("officer") as officer:
        asked_of(officer)
        answer_all(officer)


@pytest.mark.chromium
def test_a_code_from_a_letter_and_a_key_of_the_own_sensor_open_the_page_without_an_account(
    embedded_stack: EmbeddedStack, visit: Visit, tmp_path: Path
) -> None:
    visitor = visit(embedded_stack.url, "resident")
    page = visitor.go("/my-data")
    letter = opened(page, "Op papier")
    with page.expect_download() as download:
        letter.get_by_role("button").press("Enter")
    code = re.search(r"(?:[0-9A-Z]{4}-){4}[0-9A-Z]{4}", text_of(download.value.path().read_bytes()))
    assert code is not None

    visitor.go("/signin")
    form = opened(page, "Ik heb een code uit een brief")
    form.get_by_label("Uw code").fill("AAAA-BBBB-CCCC-DDDD-EEEE")
    page.keyboard.press("Enter")
    expect(form.get_by_text("Deze code kennen wij niet")).to_be_visible()
    assert barriers(page) == []
    form.get_by_label("Uw code").fill(code[0].lower())
    expect(form.get_by_text("Deze code kennen wij niet")).to_have_count(0)
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name="Uw rechten")).to_be_visible()
    expect(page.get_by_text("Op papier")).to_have_count(0)

    visitor.go("/signin")
    form = opened(page, "Ik heb een sensor met een sleutel")
    form.get_by_label("De naam van de sleutel").fill("urn:dmi:person:noor")
    form.get_by_label("Bestand met uw sleutel").set_input_files(
        {"name": "wrong.json", "mimeType": "application/json", "buffer": b"{}"}
    )
    form.get_by_role("button", name="Ga verder").press("Enter")
    expect(form.get_by_text("geen sleutel die wij kunnen gebruiken")).to_be_visible()
    assert barriers(page) == []
    SigningKey.load_or_create(tmp_path / "other.json")
    form.get_by_label("Bestand met uw sleutel").set_input_files(tmp_path / "other.json")
    form.get_by_role("button", name="Ga verder").press("Enter")
    expect(form.get_by_text("horen niet bij elkaar")).to_be_visible()
    form.get_by_label("Bestand met uw sleutel").set_input_files(
        embedded_stack.data_dir / "keys" / "person_noor.json"
    )
    form.get_by_role("button", name="Ga verder").press("Enter")
    expect(page.get_by_role("heading", name="Uw rechten")).to_be_visible()
    assert barriers(page) == []
    # The browser itself notes the two answers that refused.
    assert len(visitor.faults) == 2
    assert all("status of 401" in fault for fault in visitor.faults)


@pytest.mark.chromium
@pytest.mark.parametrize(
    ("language", "words"),
    [
        ("nl", ("U ziet en beslist nu voor Kim", "Nieuwe toestemming", "Geef toestemming", "Trek in", "Ja, trek in",
                "Hier staat nog geen meting")),
        ("en", ("You now see and decide for Kim", "New consent", "Give consent", "Withdraw", "Yes, withdraw",
                "There is no measurement")),
    ],
)  # fmt: skip
def test_a_parent_sees_gives_and_withdraws_for_a_child(
    embedded_stack: EmbeddedStack, visit: Visit, tmp_path: Path, language: str, words: tuple[str, ...]
) -> None:
    child = f"urn:dmi:person:kim-{language}"
    key = SigningKey.load_or_create(tmp_path / "kim.json")
    with embedded_stack.demo("operator") as operator:
        body = {
            "id": child, "name": f"Kim {language}", "roles": ["dmi:role:resident"], "keys": [key.public],
            "representatives": ["urn:dmi:person:noor"], "of_age_on": "2035-05-01",
        }  # fmt: skip
        operator.post("/exchange/v1/participants", body)
    visitor = visit(embedded_stack.url, "resident", 360, language)
    page = visitor.go("/my-data")
    page.get_by_role("radio", name=f"Kim {language}").check()
    expect(page.get_by_text(words[0])).to_be_visible()
    visitor.settle()
    assert barriers(page) == []
    form = opened(page, words[1])
    form.get_by_role("combobox").nth(0).select_option(BICYCLES)
    form.get_by_role("combobox").nth(1).select_option("dmi:purpose:air-quality")
    form.get_by_role("checkbox", name=re.compile("Waterstad")).first.check()
    form.get_by_role("button", name=words[2]).press("Enter")
    card = page.locator(".dmi-card", has=page.get_by_role("button", name=re.compile(f"^{words[3]}")))
    expect(card).to_have_count(1)
    expect(page.get_by_text(words[5])).to_be_visible()
    with embedded_stack.demo("resident") as noor:
        (given,) = noor.get("/exchange/v1/consents", **{"for": child})["items"]
        assert (given["assigner"], given["state"]) == (child, "active")
    card.get_by_role("button", name=re.compile(f"^{words[3]}")).press("Enter")
    page.get_by_role("dialog").get_by_role("button", name=words[4]).press("Enter")
    expect(card).to_have_count(0)
    with embedded_stack.demo("resident") as noor:
        (given,) = noor.get("/exchange/v1/consents", **{"for": child})["items"]
        assert given["state"] == "ended"
    assert visitor.faults == []


@pytest.mark.chromium
def test_who_received_data_reads_what_a_person_asked_and_the_person_reads_the_answer(
    embedded_stack: EmbeddedStack, visit: Visit
) -> None:
    with embedded_stack.demo("officer") as officer, embedded_stack.demo("resident") as noor:
        officer.get(VIEW)
        answer_all(officer)
        # A measurement that there never was: nothing of the city changes.
        wrong = [{"datastream": "bicycle-air.bicycle-1.pm2_5", "time": "2020-01-01T00:00:00Z", "result": 1.5}]
        noor.post("/exchange/v1/my-data/rectification", {"dataset": BICYCLES, "corrections": wrong})
        asked_of(officer)
    visitor = visit(embedded_stack.url, "officer", 360)
    page = visitor.go("/agreements")
    section = page.locator("section", has=page.get_by_role("heading", name="Verzoeken van personen"))
    card = section.locator(".dmi-card").first
    expect(card.get_by_text("1,5")).to_be_visible()
    assert barriers(page) == []
    card.get_by_role("radio", name="Ik moet het bewaren").check()
    card.get_by_role("button", name="Stuur antwoord").press("Enter")
    expect(card.get_by_text("Vertel waarom u de gegevens bewaart.")).to_be_visible()
    card.get_by_label("Uitleg voor de persoon").fill("Dit staat in een besluit")
    page.keyboard.press("Enter")
    expect(section).to_have_count(0)
    assert visitor.faults == []
    noor_page = visit(embedded_stack.url, "resident", 360).go("/my-data")
    table = noor_page.get_by_role("table", name="Wie wij het vertelden")
    expect(table.get_by_text("Bewaard: Dit staat in een besluit")).to_be_visible()
    assert barriers(noor_page) == []
