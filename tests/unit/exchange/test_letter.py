"""The letter of the paper way: names in their own letters, text that can be selected, a structure to be read aloud."""

from __future__ import annotations

from datetime import date
from io import BytesIO
from typing import Any

import pytest
from pypdf import PdfReader
from pypdf.generic import NullObject

from dmi_agreements.odrl.wording import Language
from dmi_exchange.mydata.letter import Content, written

CODE = "0123-4567-89AB-CDEF-GHJK"
NAME = "Şükrü Łukasz Ő'Đặng-Ĳsselstein"


def opened(content: bytes) -> PdfReader:
    """A letter as a reader of PDF has it."""
    return PdfReader(BytesIO(content), strict=True)


def text_of(content: bytes) -> str:
    """What can be selected in a letter, its lines joined."""
    return " ".join(" ".join(page.extract_text() for page in opened(content).pages).split())


def use(name: str = "Gemeente", **more: Any) -> dict[str, Any]:
    return {
        "name": name, "purpose": "x", "purpose_label": {"nl": "Mobiliteit", "en": "Mobility"}, "times": 3,
        "last": "2026-11-21T10:00:00Z", **more,
    }  # fmt: skip


def letter(language: Language = "nl", uses: int = 1, **more: Any) -> bytes:
    told = more.pop("told", [use(f"Gemeente {n}") for n in range(uses)])
    dataset = {
        "title": {"nl": "Fietsritten", "en": "Bicycle trips"}, "owner_name": "Gemeente Łódź", "needs_consent": True,
        "consented": True,
    }  # fmt: skip
    values: dict[str, Any] = {
        "sender": "Stad", "made": date(2026, 11, 22), "name": NAME, "code": CODE, "until": date(2027, 2, 19),
        "datasets": [dataset], "uses": told, "address": "https://stad.example",
    }  # fmt: skip
    return written(Content(**{**values, **more}), language)


@pytest.mark.parametrize(
    ("language", "parts"),
    [
        (
            "nl",
            (
                "Uw gegevens",
                "Beste",
                "tot en met 19 februari 2027",
                "Fietsritten",
                "mobiliteit",
                "bladzijde 1 van",
            ),
        ),
        ("en", ("Your data", "Dear", "including 19 February 2027", "Bicycle trips", "mobility", "page 1 of")),
    ],
)
def test_a_letter_tells_all_in_its_language_with_names_in_their_own_letters(
    language: Language, parts: tuple[str, ...]
) -> None:
    text = text_of(letter(language))
    assert [part for part in (*parts, NAME, CODE, "Gemeente Łódź") if part not in text] == []


@pytest.mark.parametrize(
    ("language", "may"),
    [("nl", "U geeft nu geen toestemming, dus er komt niets bij."), ("en", "You do not consent now,")],
)
def test_a_letter_says_of_a_consent_that_it_is_not_given_now_not_that_it_never_was(
    language: Language, may: str
) -> None:
    withdrawn = {
        "title": {"nl": "Fietsritten"},
        "owner_name": "Stad",
        "needs_consent": True,
        "consented": False,
    }
    text = text_of(letter(language, datasets=[withdrawn]))
    assert may in text


def test_a_letter_can_be_read_aloud() -> None:
    found = opened(letter())
    root = found.trailer["/Root"]
    assert (root["/Lang"], root["/MarkInfo"]["/Marked"], "/StructTreeRoot" in root) == ("nl", True, True)
    assert found.metadata is not None
    assert found.metadata.title == f"Uw gegevens – {NAME}"
    assert b"<pdfuaid:part>1</pdfuaid:part>" in root["/Metadata"].get_data()
    kinds: set[str] = set()
    waiting = [root["/StructTreeRoot"]]
    while waiting:
        element = waiting.pop().get_object()
        if isinstance(element, dict):
            kinds.add(element.get("/S", ""))
            waiting.append(element.get("/K", NullObject()))
        elif isinstance(element, list):
            waiting += element
    assert {"/H1", "/H2", "/Table", "/TH", "/TD", "/P"} <= kinds


def test_uses_run_over_pages_until_there_are_too_many_for_paper() -> None:
    content = letter(uses=40)
    assert len(opened(content).pages) > 1
    assert "En nog 15 regels." in text_of(content)


def test_uses_that_differ_in_nothing_that_the_letter_tells_stand_together() -> None:
    later = use(action="dmi:display", times=4, last="2026-11-22T10:00:00Z")
    other = use(purpose="y", purpose_label={"nl": "Geluid", "en": "Noise"}, times=2)
    text = text_of(letter(told=[use(action="dmi:process"), later, other]))
    assert "Gemeente mobiliteit 7 22 november 2026" in text
    assert "Gemeente geluid 2 21 november 2026" in text


def test_the_form_says_from_whom_it_is() -> None:
    *_, last = opened(letter()).pages
    assert f"Dit vraagt {NAME}." in " ".join(last.extract_text().split())


def test_a_letter_comes_whatever_a_name_holds() -> None:
    hostile = '#panic("x") $ \\ \u202e*_ ' + "x" * 200 + " \U00013000"
    content = letter(name=hostile)
    text = text_of(content)
    assert '#panic("x") $ \\' in text
    assert "\u202e" not in text
    assert "x" * 200 in text.replace("\u200b", "").replace(" ", ""), "parted, and nothing left out"
    assert b"pdfuaid" not in opened(content).trailer["/Root"]["/Metadata"].get_data(), (
        "no font has the hieroglyph"
    )
