"""The receipt of a consent as a PDF to keep: the words for people, and what the node signed attached to them."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import date
from pathlib import Path
from typing import Final

from dmi_agreements.odrl.wording import Language, day
from dmi_exchange.consent.record import Receipt
from dmi_exchange.printing.typesetting import typeset

TEMPLATE: Final = Path(__file__).with_name("receipt.typ")

WORDS: Final[Mapping[str, Mapping[str, str]]] = {
    "nl": {
        "title": "Bewijs van toestemming",
        "holds": "Deze toestemming geldt.",
        "ended": "Deze toestemming is gestopt.",
        "keep": "Bewaar dit bewijs. U kunt ermee laten zien wat is afgesproken.",
        "check": "Om te controleren",
        "attached": "In dit bestand zit een bijlage met dezelfde afspraken voor computers. De bijlage is digitaal "
        "ondertekend: wie er iets aan verandert, wordt ontdekt.",
        "description": "De vastgelegde toestemming met handtekening (ISO/IEC TS 27560, JWS)",
        "what": "Gegeven",
        "value": "Waarde",
        "number": "Nummer van de toestemming",
        "made": "Gemaakt op",
        "signer": "Ondertekend door",
        "key": "Sleutel",
        "page": "bladzijde",
        "of": "van",
    },
    "en": {
        "title": "Receipt of a consent",
        "holds": "This consent holds.",
        "ended": "This consent has ended.",
        "keep": "Keep this receipt. With it you can show what was agreed.",
        "check": "To check it",
        "attached": "This file holds an attachment with the same agreement for computers. The attachment is signed: "
        "who changes anything in it is found out.",
        "description": "The record of the consent with its signature (ISO/IEC TS 27560, JWS)",
        "what": "Fact",
        "value": "Value",
        "number": "Number of the consent",
        "made": "Made on",
        "signer": "Signed by",
        "key": "Key",
        "page": "page",
        "of": "of",
    },
}


def printed(receipt: Receipt, node: str, made: date, language: Language) -> bytes:
    """The PDF, on the day ``made`` by the node of this name; attached is the receipt as the file of ``json`` has it."""
    words = WORDS[language]
    number = receipt.content["dpv:hasRecordOfActivity"]["dct:identifier"]
    return typeset(
        TEMPLATE,
        {
            "title": words["title"], "about": receipt.person, "sender": node, "day": day(made, language),
            "language": language, "words": words, "state": words["holds" if receipt.holds else "ended"],
            "lines": list(receipt.text[language]), "number": number, "made": day(made, language),
            "signer": node, "key": receipt.key,
            "file": f"consent-{number}.json", "content": json.dumps(receipt.whole()),
        },
    )  # fmt: skip
