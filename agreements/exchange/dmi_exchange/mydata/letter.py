"""The letter of the paper way, in plain words: what is kept of a person, who used it, what to ask, and a code."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from dmi_exchange.mydata.pdf import Line, document

MOST_USES: Final = 25
BLANK: Final = "_" * 40

WORDS: Final[Mapping[str, Mapping[str, str]]] = {
    "nl": {
        "title": "Uw gegevens",
        "dear": "Beste {name},",
        "lead": "In deze brief staat wat er van u wordt bewaard, wie het gebruikte, en wat u kunt vragen. "
        "U hebt geen computer nodig en geen account.",
        "code": "Uw code",
        "keep": "De code geldt tot en met {until}. Bewaar hem goed: wie de code heeft, kan uw gegevens zien en wissen. "
        "Vraagt u een nieuwe brief, dan werkt deze code niet meer.",
        "data": "Waar gegevens van u kunnen staan",
        "consented": "{title} ({owner}): u gaf toestemming.",
        "unconsented": "{title} ({owner}): u gaf geen toestemming, dus er komt niets bij.",
        "other": "{title} ({owner}): dit mag zonder toestemming. U kunt bezwaar maken.",
        "uses": "Wie uw gegevens gebruikte, laatste 90 dagen",
        "none": "Niemand.",
        "use": "{name}, voor {purpose}: {times} keer, het laatst op {last}.",
        "more": "En nog {count} regels. Vraag om het hele overzicht.",
        "ask": "Wat u kunt vragen",
        "how": "Zet een kruisje en geef deze brief aan de balie, of stuur hem terug. Wij voeren het uit met uw code. "
        "U hoeft niet te zeggen waarom. Het kost niets.",
        "stop": "[   ] Stop al het gebruik waarvoor ik toestemming gaf.",
        "erase": "[   ] Wis alles wat er van mij is gemeten. Dit kan niet worden teruggedraaid.",
        "object": "[   ] Ik maak bezwaar tegen gebruik zonder mijn toestemming.",
        "copy": "[   ] Stuur mij alles wat er van mij wordt bewaard.",
        "correct": "[   ] Dit klopt niet: " + BLANK,
        "sign": "Datum: ____________    Handtekening: " + BLANK,
        "online": "Liever met internet? Ga naar {address}/signin en vul uw code in.",
        "complain": "Bent u het niet eens met ons? Klaag dan bij de Autoriteit Persoonsgegevens.",
    },
    "en": {
        "title": "Your data",
        "dear": "Dear {name},",
        "lead": "This letter tells what is kept of you, who used it, and what you can ask. "
        "You need no computer and no account.",
        "code": "Your code",
        "keep": "The code is valid up to and including {until}. Keep it safe: who has it can see and erase your data. "
        "When you ask for a new letter, this code stops working.",
        "data": "Where data of you may be",
        "consented": "{title} ({owner}): you consented.",
        "unconsented": "{title} ({owner}): you did not consent, so nothing is added.",
        "other": "{title} ({owner}): this is allowed without consent. You can object.",
        "uses": "Who used your data, last 90 days",
        "none": "Nobody.",
        "use": "{name}, for {purpose}: {times} times, last on {last}.",
        "more": "And {count} more lines. Ask for the whole overview.",
        "ask": "What you can ask",
        "how": "Put a cross and hand this letter in at the desk, or send it back. We carry it out with your code. "
        "You need not say why. It costs nothing.",
        "stop": "[   ] Stop all use that I consented to.",
        "erase": "[   ] Erase all that was measured of me. This cannot be undone.",
        "object": "[   ] I object to use without my consent.",
        "copy": "[   ] Send me all that is kept of me.",
        "correct": "[   ] This is wrong: " + BLANK,
        "sign": "Date: ____________    Signature: " + BLANK,
        "online": "Rather by internet? Go to {address}/signin and fill in your code.",
        "complain": "Do you disagree with us? Then complain to the Dutch data protection authority.",
    },
}


@dataclass(frozen=True, slots=True)
class Content:
    """What a letter tells; ``datasets`` and ``uses`` as ``Copies`` gives them."""

    name: str
    code: str
    until: str
    datasets: Sequence[Mapping[str, Any]]
    uses: Sequence[Mapping[str, Any]]
    address: str


def written(content: Content, language: str) -> bytes:
    """The letter as a PDF, in Dutch (``nl``) or English (``en``)."""
    words = WORDS[language]
    lines = [
        Line("title", words["title"]), Line("text", words["dear"].format(name=content.name)),
        Line("text", words["lead"]), Line("head", words["code"]), Line("code", content.code),
        Line("text", words["keep"].format(until=content.until)), Line("head", words["data"]),
        *(Line("text", _dataset(one, words, language)) for one in content.datasets),
        Line("head", words["uses"]),
        *(Line("text", _use(one, words, language)) for one in content.uses[:MOST_USES]),
    ]  # fmt: skip
    if not content.uses:
        lines.append(Line("text", words["none"]))
    if len(content.uses) > MOST_USES:
        lines.append(Line("text", words["more"].format(count=len(content.uses) - MOST_USES)))
    lines += [Line("head", words["ask"]), Line("text", words["how"])]
    lines += [Line("text", words[name]) for name in ("stop", "erase", "object", "copy", "correct", "sign")]
    lines += [Line("text", words["online"].format(address=content.address)), Line("text", words["complain"])]
    return document(lines, words["title"], language)


def _dataset(one: Mapping[str, Any], words: Mapping[str, str], language: str) -> str:
    kind = "other" if not one["needs_consent"] else "consented" if one["consented"] else "unconsented"
    return words[kind].format(title=_said(one["title"], language), owner=one["owner_name"])


def _use(one: Mapping[str, Any], words: Mapping[str, str], language: str) -> str:
    purpose = _said(one["purpose_label"], language).lower() or one["purpose"]
    return words["use"].format(
        name=one["name"], purpose=purpose, times=one["times"], last=str(one["last"])[:10]
    )


def _said(texts: Mapping[str, str], language: str) -> str:
    return texts.get(language) or texts.get("nl", "")
