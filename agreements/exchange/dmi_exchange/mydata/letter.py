"""The letter of the paper way, in plain words: where data of a person may be, who used it, what to ask, and a code.

``letter.typ`` lays it out.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any, Final

from dmi_agreements.odrl.wording import Language, day
from dmi_exchange.printing.typesetting import typeset

MOST_USES: Final = 25
TEMPLATE: Final = Path(__file__).with_name("letter.typ")

WORDS: Final[Mapping[str, Mapping[str, Any]]] = {
    "nl": {
        "title": "Uw gegevens",
        "dear": "Beste {name},",
        "lead": "In deze brief staat waar gegevens van u kunnen staan, wie ze gebruikte, en wat u kunt vragen. "
        "U hebt geen computer nodig en geen account.",
        "code": "Uw code",
        "keep": "De code geldt tot en met {until}. Bewaar hem goed: wie de code heeft, kan uw gegevens zien en wissen. "
        "Vraagt u een nieuwe brief, dan werkt deze code niet meer.",
        "online": "Liever met internet? Ga naar {address}/signin en vul uw code in.",
        "data": "Waar gegevens van u kunnen staan",
        "nothing": "Nergens.",
        "what": "Gegevens",
        "may": "Uw toestemming",
        "consented": "U gaf toestemming.",
        "unconsented": "U geeft nu geen toestemming, dus er komt niets bij.",
        "other": "Dit mag zonder toestemming. U kunt bezwaar maken.",
        "uses": "Wie uw gegevens gebruikte, laatste 90 dagen",
        "none": "Niemand.",
        "who": "Wie",
        "purpose": "Waarvoor",
        "times": "Keer",
        "last": "Laatst",
        "more": "En nog {count} regels. Vraag om het hele overzicht.",
        "ask": "Wat u kunt vragen",
        "how": "Zet een kruisje en geef deze brief aan de balie, of stuur hem terug. Wij voeren het uit met uw code. "
        "U hoeft niet te zeggen waarom. Het kost niets.",
        "asks": [
            "Stop al het gebruik waarvoor ik toestemming gaf.",
            "Wis alles wat er van mij is gemeten. Dit kan niet worden teruggedraaid.",
            "Ik maak bezwaar tegen gebruik zonder mijn toestemming.",
            "Stuur mij alles wat er van mij wordt bewaard.",
        ],
        "from": "Dit vraagt {name}.",
        "correct": "Dit klopt niet: ",
        "date": "Datum:",
        "sign": "Handtekening:",
        "complain": "Bent u het niet eens met ons? Klaag dan bij de Autoriteit Persoonsgegevens.",
        "page": "bladzijde",
        "of": "van",
    },
    "en": {
        "title": "Your data",
        "dear": "Dear {name},",
        "lead": "This letter tells where data of you may be, who used it, and what you can ask. "
        "You need no computer and no account.",
        "code": "Your code",
        "keep": "The code is valid up to and including {until}. Keep it safe: who has it can see and erase your data. "
        "When you ask for a new letter, this code stops working.",
        "online": "Rather by internet? Go to {address}/signin and fill in your code.",
        "data": "Where data of you may be",
        "nothing": "Nowhere.",
        "what": "Data",
        "may": "Your consent",
        "consented": "You consented.",
        "unconsented": "You do not consent now, so nothing is added.",
        "other": "This is allowed without consent. You can object.",
        "uses": "Who used your data, last 90 days",
        "none": "Nobody.",
        "who": "Who",
        "purpose": "What for",
        "times": "Times",
        "last": "Last",
        "more": "And {count} more lines. Ask for the whole overview.",
        "ask": "What you can ask",
        "how": "Put a cross and hand this letter in at the desk, or send it back. We carry it out with your code. "
        "You need not say why. It costs nothing.",
        "asks": [
            "Stop all use that I consented to.",
            "Erase all that was measured of me. This cannot be undone.",
            "I object to use without my consent.",
            "Send me all that is kept of me.",
        ],
        "from": "{name} asks this.",
        "correct": "This is wrong: ",
        "date": "Date:",
        "sign": "Signature:",
        "complain": "Do you disagree with us? Then complain to the Dutch data protection authority.",
        "page": "page",
        "of": "of",
    },
}


@dataclass(frozen=True, slots=True)
class Content:
    """What a letter tells; ``until`` is the last whole day of the code, ``datasets`` and ``uses`` as ``Copies`` gives
    them."""

    sender: str
    made: date
    name: str
    code: str
    until: date
    datasets: Sequence[Mapping[str, Any]]
    uses: Sequence[Mapping[str, Any]]
    address: str


def written(content: Content, language: Language) -> bytes:
    """The letter as a PDF."""
    words = WORDS[language]
    uses = _together(content.uses)
    left_out = len(uses) - MOST_USES
    told = {
        "title": words["title"], "about": content.name, "sender": content.sender,
        "day": day(content.made, language), "language": language, "words": words,
        "name": content.name, "dear": words["dear"].format(name=content.name), "code": content.code,
        "keep": words["keep"].format(until=day(content.until, language)),
        "online": words["online"].format(address=content.address),
        "datasets": [_dataset(one, words, language) for one in content.datasets],
        "uses": [_use(one, language) for one in uses[:MOST_USES]],
        "from": words["from"].format(name=content.name),
        "more": words["more"].format(count=left_out) if left_out > 0 else "",
    }  # fmt: skip
    return typeset(TEMPLATE, told)


def _dataset(one: Mapping[str, Any], words: Mapping[str, Any], language: Language) -> dict[str, str]:
    kind = "other" if not one["needs_consent"] else "consented" if one["consented"] else "unconsented"
    return {"title": _said(one["title"], language), "owner": one["owner_name"], "may": words[kind]}


def _together(uses: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """Uses by one party for one purpose as one: the letter has no column for how, and lines without it look alike."""
    found: dict[tuple[str, str], dict[str, Any]] = {}
    for one in uses:
        known = found.setdefault((one["name"], one["purpose"]), {**one, "times": 0})
        known["times"] += one["times"]
        known["last"] = max(known["last"], one["last"])
    return list(found.values())


def _use(one: Mapping[str, Any], language: Language) -> dict[str, str]:
    purpose = _said(one["purpose_label"], language).lower() or one["purpose"]
    last = day(date.fromisoformat(str(one["last"])[:10]), language)
    times = f"{one['times']:,}".replace(",", "." if language == "nl" else ",")
    return {"name": one["name"], "purpose": purpose, "times": times, "last": last}


def _said(texts: Mapping[str, str], language: Language) -> str:
    return texts.get(language) or texts.get("nl", "")
