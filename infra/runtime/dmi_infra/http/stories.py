"""Why something waits or was refused, in Dutch (B1): texts of several parts, each told by itself.

Unlike a rule, such a text names participants, datasets and purposes by their ids; they stay, and who shows the text
puts names in their place.
"""

from __future__ import annotations

import re
from typing import Final

from dmi_infra.http.dutch import words
from dmi_infra.http.language import current_language

_STORIES: Final[tuple[tuple[str, str], ...]] = (
    ("(?P<why>.*); tried (?P<n>\\d+) times?, goes on trying", "{why} {n} keer geprobeerd; we gaan door."),
    ("this node does not take the data in: (?P<why>.*)", "Dit platform neemt de gegevens niet aan. {why}"),
    ("given up: (?P<why>.*)", "Opgegeven. {why}"),
    ("the provider: (?P<why>.*)", "De aanbieder: {why}"),
    ("the \\S+ acknowledged without an id of its own", "De andere kant antwoordde zonder bruikbaar kenmerk."),
    ("the consumer: (?P<why>.*)", "De afnemer: {why}"),
    (
        # The second is how nodes of before say it.
        ".*data that rests on consent does not (?:go to another city|flow between nodes).*",
        "Gegevens met toestemming gaan niet naar een andere stad: die weet niet wie toestemming geeft.",
    ),
    ("no reason given", "Er is geen reden gegeven."),
    ("the agreement was ended: (?P<why>.*)", "De afspraak is gestopt. {why}"),
    ("the agreement was ended|\\S+ has been ended", "De afspraak is gestopt."),
    ("\\S+ has expired", "De afspraak is verlopen."),
    ("\\S+ has not begun", "De afspraak is nog niet ingegaan."),
    ("\\S+ asks for a duty that has not been fulfilled", "Aan een plicht uit de afspraak is nog niet voldaan."),
    ("\\S+ has a condition that does not hold now", "Aan een voorwaarde van de afspraak is nu niet voldaan."),
    ("\\S+ has a condition of which is not known .*", "Of aan een voorwaarde is voldaan, is niet bekend."),
    ("the provider sent an event that cannot be read", "De andere stad stuurde iets dat niet te lezen is."),
    ("the provider ended the stream: without a reason", "De andere stad brak de levering af."),
    ("the provider ended the stream: (?P<why>.*)", "De andere stad brak de levering af. {why}"),
    ("the provider gives no token: (?P<why>.*)", "De andere stad geeft geen toegang. {why}"),
    ("(?:the provider answered|the other node refuses:) (?P<why>.*)", "De andere stad weigert. {why}"),
    ("[45]\\d\\d: (?P<why>.+)", "{why}"),
    (
        "(?P<who>\\S+) has no agreement for (?P<act>\\S+) of (?P<set>\\S+)",
        "{who} heeft geen afspraak voor dit gebruik: {act} van {set}.",
    ),
    ("\\S+ is for another purpose than (?P<what>\\S+)", "De afspraak geldt niet voor het doel {what}."),
    ("\\S+ names other recipients than (?P<who>\\S+)", "De afspraak noemt {who} niet als gebruiker."),
    (
        "\\S+ prohibits (?P<act>\\S+) of (?P<set>\\S+) for (?P<what>\\S+)",
        "De afspraak verbiedt dit: {act} van {set}, voor {what}.",
    ),
    ("(?P<who>\\S+) (?:is not active|is not, or no longer, a member)", "{who} doet niet of niet meer mee."),
    ("(?P<who>\\S+) is no participant", "{who} is geen deelnemer."),
    ("(?P<who>\\S+) has signed no rulebook that is in force", "{who} heeft het afsprakenstelsel nog niet ondertekend."),
    ("(?P<who>\\S+) does(?: not|n't) answer.*|(?P<where>\\S+) did not answer.*", "{who}{where} antwoordt niet."),
    ("(?P<who>\\S+) answers \\d+.*", "{who} kan het nu niet aan."),
    ("(?P<where>\\S+) broke off.*", "{where} brak de verbinding af."),
    ("has not been asked yet", "Aan deze stad is nog niets gevraagd."),
    ("a fault of this node; it has been logged", "Hier ging iets mis. De fout is vastgelegd."),
)  # fmt: skip

_TOLD: Final = tuple((re.compile(english, re.DOTALL), dutch) for english, dutch in _STORIES)


def story(english: str) -> str:
    """The text in the language of the request; a part without words here stays English."""
    return _dutch(english) if current_language.get() == "nl" else english


def sentences(english: str) -> dict[str, str]:
    """The text in both languages, each a sentence, for whoever reads it later."""
    return {"nl": _dutch(english), "en": f"{english[0].upper()}{english[1:]}."}


def _dutch(english: str) -> str:
    for pattern, dutch in _TOLD:
        found = pattern.fullmatch(english)
        if found is not None:
            parts = {name: part or "" for name, part in found.groupdict().items()}
            if "why" in parts:
                parts["why"] = _dutch(parts["why"])
            return dutch.format(**parts)
    return words(english) or english
