"""Problems in Dutch (B1), for who asks for it: titles by status, refusals by code, broken rules by their English text.

A rule that has no words here is told in English: what is wrong with a form must not be lost.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import lru_cache
from typing import Final

TITLES: Final[Mapping[int, str]] = {
    400: "Deze vraag klopt niet",
    401: "Niet aangemeld",
    403: "Geweigerd",
    404: "Niet gevonden",
    405: "Dit kan hier niet",
    409: "Dit past niet bij hoe het nu staat",
    412: "Veranderd sinds u het las",
    413: "Te groot",
    414: "Het adres is te lang",
    415: "Deze vorm kennen wij niet",
    428: "Er ontbreekt een voorwaarde",
    500: "Er ging hier iets mis",
    501: "Dit kan hier niet",
    503: "Nu even niet beschikbaar",
}

REFUSALS: Final[Mapping[str, str]] = {
    "no_agreement": "Er is geen afspraak voor dit gebruik.",
    "ended": "De afspraak is gestopt.",
    "expired": "De afspraak is verlopen.",
    "not_yet": "De afspraak is nog niet ingegaan.",
    "no_mandate": "Er is geen machtiging om voor deze deelnemer te handelen.",
    "outside_mandate": "De machtiging geldt niet voor dit gebruik.",
    "no_consent": "Er is geen toestemming van de bewoner.",
    "wrong_recipient": "De afspraak noemt u niet als gebruiker.",
    "wrong_purpose": "De afspraak geldt niet voor dit doel.",
    "wrong_role": "Uw rol mag dit niet.",
    "not_a_party": "Dit mag alleen wie partij is.",
    "prohibited": "De afspraak verbiedt dit gebruik.",
    "partial": "De afspraak geeft alleen gemiddelden, geen losse waarden.",
    "unknown_term": "De afspraak bevat een term die niet wordt begrepen. Dan wordt geweigerd.",
    "unknown_dataset": "Deze gegevens zijn niet bekend, of ingetrokken.",
    "unknown_participant": "Deze deelnemer is niet bekend.",
    "inactive_participant": "Deze deelnemer doet niet of niet meer mee.",
    "rulebook_not_signed": "Het afsprakenstelsel is nog niet ondertekend.",
    "condition_unmet": "Aan een voorwaarde van de afspraak is nu niet voldaan.",
    "condition_unknown": "Of aan een voorwaarde is voldaan, is niet bekend. Dan wordt geweigerd.",
    "duty_open": "Aan een plicht uit de afspraak is nog niet voldaan.",
    "duty_not_possible": "Een plicht uit de afspraak kan hier niet worden uitgevoerd.",
    "law_missing": "De dienst kent de afspraken nu niet. Dan wordt alles geweigerd.",
    "law_stale": "De dienst heeft geen verse afspraken. Dan wordt alles geweigerd.",
}

_RULES: Final[tuple[tuple[str, str], ...]] = (
    # What the framework itself finds, and what many forms share.
    ("is required|must be given|is missing", "is verplicht"),
    ("must have a value|must not be empty", "mag niet leeg zijn"),
    ("must be text", "moet tekst zijn"),
    ("must be a list", "moet een lijst zijn"),
    ("must be an object|must be a JSON object", "moet een object zijn"),
    ("must be (?:a (?:valid )?(?:finite )?number|a valid number, .*)", "moet een getal zijn"),
    ("must be a valid integer.*|must be a whole number.*", "moet een heel getal zijn"),
    ("must be a valid boolean.*|must be true or false", "moet ja of nee zijn"),
    ("must have at least (\\d+) characters?", "moet minstens {0} tekens hebben"),
    ("must have at most (\\d+) characters?|must be at most (\\d+) characters", "mag hooguit {0}{1} tekens hebben"),
    ("must have at least (\\d+) items? .*", "moet minstens {0} keer zijn ingevuld"),
    ("must have at most (\\d+) items? .*", "mag hooguit {0} keer zijn ingevuld"),
    ("must be greater than or equal to (\\S+)", "moet {0} of meer zijn"),
    ("must be less than or equal to (\\S+)", "moet {0} of minder zijn"),
    ("must be greater than (\\S+)", "moet meer zijn dan {0}"),
    ("must be less than (\\S+)", "moet minder zijn dan {0}"),
    ("is not a field of this request", "hoort niet bij deze vraag"),
    ("must be one of:? (.*)", "moet een van deze zijn: {0}"),
    ("must be one line", "moet op één regel staan"),
    ("must have the form that the description of this route states", "heeft niet de vorm die hier hoort"),
    # Time.
    ("must be (?:an )?RFC 3339.*", "moet een datum en tijd zijn, met tijdzone, tussen 1900 en 2100"),
    ("must not lie in the future", "mag niet in de toekomst liggen"),
    ("must lie ahead, (\\d+) days at most", "moet in de toekomst liggen, hooguit {0} dagen ver"),
    ("must lie ahead.*", "moet in de toekomst liggen"),
    ("must lie after from|must not end before it begins", "moet na het begin liggen"),
    ("must lie before to", "moet voor het einde liggen"),
    ("must lie within the time of the parent", "moet binnen de tijd vallen van de machtiging die u doorgeeft"),
    # Entries of the catalogue, and offers.
    ("must be west, south, east, north in degrees.*", "moet west, zuid, oost, noord zijn, in graden"),
    ("must lie on the earth.*", "moet een plek op aarde zijn: west voor oost, zuid voor noord"),
    ("must be a code of Statistics Netherlands.*", "moet een code van het CBS zijn, zoals GM0344"),
    ("must be urn:dmi:dataset:, your own name.*", "moet beginnen met urn:dmi:dataset: en de naam van uw organisatie"),
    ("must hold a text for nl and for en", "moet een tekst in het Nederlands en in het Engels hebben"),
    ("must begin with mailto: or https://", "moet beginnen met mailto: of https://"),
    ("must be points, areas, vehicles or empty", "moet punten, vlakken of voertuigen zijn, of leeg"),
    ("must be a purpose of the rulebook", "moet een doel uit het afsprakenstelsel zijn"),
    ("must be an action of the rulebook", "moet een handeling uit het afsprakenstelsel zijn"),
    ("must be a legal basis of the rulebook", "moet een grondslag uit het afsprakenstelsel zijn"),
    ("must be a category of the rulebook", "moet een soort gegevens uit het afsprakenstelsel zijn"),
    ("must be a dataset of the catalogue", "moet in de catalogus staan"),
    ("must fit what personal says", "past niet bij wel of geen persoonsgegevens"),
    ("personal data cannot become non-personal.*", "persoonsgegevens worden geen gewone gegevens"),
    ("data (?:for|that is open to) everyone (?:needs|keeps) a licence.*", "open gegevens hebben een licentie nodig"),
    ("must own every dataset that the rules name", "alleen de eigenaar van alle genoemde gegevens kan dit geven"),
    ("(?:this dataset |this key |this listing )?belongs to (?:somebody else|another participant)", "is van een ander"),
    # Agreements, consents and mandates.
    ("this (?:agreement|mandate|objection) has ended already", "dit is al gestopt"),
    ("this mandate has been ended|this machine has been stopped already", "dit is al gestopt"),
    ("this consent still holds", "deze toestemming loopt nog"),
    ("this agreement is \\w+; only a proposal can be signed", "dit is geen voorstel meer"),
    ("an agreement with this uid exists already|has been handed in before", "dit is al eerder ingediend"),
    ("must be the version of the rulebook that you signed", "moet de versie zijn die u hebt ondertekend"),
    ("you must be one of the two parties", "u moet een van de twee partijen zijn"),
    ("must be another participant", "moet een andere deelnemer zijn"),
    ("must be among those of the parent", "mag niet meer zijn dan de machtiging die u doorgeeft"),
    ("consent is given by a natural person|these are rights of a natural person", "dit kan alleen een bewoner zelf"),
    ("has been carried out and cannot be taken back", "is al uitgevoerd en kan niet terug"),
    ("you object to this already", "u hebt hier al bezwaar tegen gemaakt"),
    ("rests on your consent: stop that.*", "rust op uw toestemming: trek die in, dat kan zonder reden"),
    ("holds no personal data", "bevat geen persoonsgegevens"),
    # Invoices.
    ("must be an IBAN without spaces|iban: its check digits do not hold", "is geen geldig IBAN"),
    ("must be a VAT number.*", "is geen geldig btw-nummer"),
    ("vat_id: is needed to charge VAT", "een btw-nummer is nodig om btw te rekenen"),
    ("exemption: says why no VAT is charged", "vul in waarom u geen btw rekent"),
    ("must be the 8 digits.*|registration: must have 8 digits.*", "een KvK-nummer heeft 8 cijfers, een OIN 20"),
    ("has not given yet what an invoice must say of it", "heeft de gegevens voor facturen nog niet ingevuld"),
    ("needs an iban among its billing details.*", "moet eerst een IBAN invullen"),
    ("nothing that was used before this moment.*", "er is niets gebruikt dat nog niet is berekend"),
    ("this invoice has been credited already", "deze factuur is al teruggenomen"),
    ("must be 1 to (\\d+), what is open of this invoice", "moet 1 tot {0} cent zijn, wat nog open staat"),
    # Measures and scenarios.
    ("this measure is \\w+; only a proposal can be decided on", "over deze maatregel is al besloten"),
    ("must be another scenario", "moet een ander scenario zijn"),
    ("rests on another baseline.*", "rust op een andere uitgangssituatie; reken beide opnieuw uit en voeg dan samen"),
)  # fmt: skip

_DETAILS: Final[tuple[tuple[str, str], ...]] = (
    ("this needs an access token.*", "Meld u eerst aan."),
    ("the token has expired", "Uw aanmelding is verlopen."),
    ("there is nothing at this address", "Op dit adres staat niets."),
    ("no (?:agreement|mandate|machine|invoice) of yours has this id", "Bij u staat niets onder dit nummer."),
    ("no participant has this id", "Er is geen deelnemer met deze naam."),
    ("the body is not valid JSON|the body cannot be read.*", "De inhoud is niet te lezen."),
    ("the request could not be carried out; it has been logged", "Het lukte niet. De fout is vastgelegd."),
)

_KNOWN: Final = tuple((re.compile(english), dutch) for english, dutch in (*_RULES, *_DETAILS))


@lru_cache(maxsize=500)
def words(english: str) -> str | None:
    """What a rule or detail says, in Dutch; ``None`` when it has no words here."""
    for pattern, dutch in _KNOWN:
        found = pattern.fullmatch(english)
        if found is not None:
            return dutch.format(*(part or "" for part in found.groups()))
    return None
