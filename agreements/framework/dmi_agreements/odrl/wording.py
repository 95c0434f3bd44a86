"""Terms of policies in plain Dutch and English, for proofs that a resident reads."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from typing import Final, Literal

from dmi_agreements.odrl.model import ODRL, XSD, Value
from dmi_agreements.odrl.values import Span, meaning

Language = Literal["nl", "en"]
Words = tuple[str, str]
"""Dutch, English."""

LEFTS: Final[dict[str, Words]] = {
    "absolutePosition": ("de plaats in het bestand", "the place in the file"),
    "absoluteSize": ("de grootte", "the size"),
    "absoluteSpatialPosition": ("de plaats in het beeld", "the place in the picture"),
    "absoluteTemporalPosition": ("het moment in de opname", "the moment in the recording"),
    "areaLevel": ("het gebied waarover wordt samengevoegd", "the area that is aggregated over"),
    "count": ("het aantal keren dat het is gebruikt", "the number of times it was used"),
    "dateTime": ("het tijdstip", "the moment"),
    "days": ("de bewaartijd in dagen", "the retention time in days"),
    "dayOfWeek": ("de dag van de week", "the day of the week"),
    "delayPeriod": ("de wachttijd", "the waiting time"),
    "deliveryChannel": ("de manier van leveren", "the way of delivery"),
    "device": ("het apparaat", "the device"),
    "distance": ("de afstand tot begin en einde", "the distance from begin and end"),
    "elapsedTime": ("de tijd sinds het begin", "the time since the beginning"),
    "event": ("de gebeurtenis", "the event"),
    "fileFormat": ("het bestandsformaat", "the file format"),
    "gridSize": ("de maat van een vak", "the size of a cell"),
    "cents": ("het bedrag in centen", "the amount in cents"),
    "per": ("voor hoeveel dat bedrag geldt", "for how many the amount is"),
    "chargedUnit": ("waarvoor wordt betaald", "what is paid for"),
    "industry": ("de bedrijfstak", "the industry"),
    "language": ("de taal", "the language"),
    "media": ("het soort medium", "the kind of medium"),
    "meteredTime": ("de gebruikte tijd", "the time used"),
    "minimumGroup": (
        "het kleinste aantal personen in een groep",
        "the smallest number of persons in a group",
    ),
    "payAmount": ("het bedrag", "the amount"),
    "percentage": ("het percentage", "the percentage"),
    "product": ("het product", "the product"),
    "purpose": ("het doel", "the purpose"),
    "property": ("de kolom", "the column"),
    "recipient": ("de ontvanger", "the recipient"),
    "relativePosition": ("de plaats naar verhouding", "the relative place"),
    "relativeSize": ("de grootte naar verhouding", "the relative size"),
    "relativeSpatialPosition": (
        "de plaats in het beeld naar verhouding",
        "the relative place in the picture",
    ),
    "relativeTemporalPosition": ("het moment naar verhouding", "the relative moment"),
    "resolution": ("de resolutie", "the resolution"),
    "role": ("de rol van de deelnemer", "the role of the participant"),
    "seconds": ("de vertraging in seconden", "the delay in seconds"),
    "spatial": ("het gebied", "the area"),
    "spatialCoordinates": ("de plaats op de kaart", "the place on the map"),
    "system": ("het systeem", "the system"),
    "systemDevice": ("het systeem of apparaat", "the system or device"),
    "timeInterval": ("de tijd tussen twee keren", "the time between two uses"),
    "timeOfDay": ("de tijd van de dag", "the time of day"),
    "unitOfCount": ("waarvan wordt geteld", "what is counted"),
    "version": ("de versie", "the version"),
    "virtualLocation": ("de plaats op internet", "the place on the internet"),
    "window": ("het tijdvak waarover wordt samengevoegd", "the window that is aggregated over"),
}
OPERATORS: Final[dict[str, Words]] = {
    "eq": ("moet gelijk zijn aan", "must be equal to"),
    "neq": ("mag niet gelijk zijn aan", "must not be equal to"),
    "lt": ("moet minder zijn dan", "must be less than"),
    "lteq": ("mag niet meer zijn dan", "must not be more than"),
    "gt": ("moet meer zijn dan", "must be more than"),
    "gteq": ("mag niet minder zijn dan", "must not be less than"),
    "isA": ("moet horen bij", "must be a kind of"),
    "hasPart": ("moet dit bevatten:", "must contain"),
    "isPartOf": ("moet deel zijn van", "must be part of"),
    "isAllOf": ("moet al deze bevatten:", "must be all of"),
    "isAnyOf": ("moet één zijn van", "must be one of"),
    "isNoneOf": ("mag geen zijn van", "must be none of"),
}
TIMES: Final[dict[str, Words]] = {
    "lt": ("moet liggen vóór", "must be before"),
    "lteq": ("mag niet later zijn dan", "must not be later than"),
    "gt": ("moet liggen na", "must be after"),
    "gteq": ("mag niet eerder zijn dan", "must not be earlier than"),
}
ACTIONS: Final[dict[str, Words]] = {
    "acceptTracking": ("gevolgd worden toestaan", "accept tracking"),
    "aggregate": ("samenvoegen", "aggregate"),
    "analyse": ("analyseren", "analyse"),
    "anonymize": ("anoniem maken", "anonymise"),
    "archive": ("archiveren", "archive"),
    "attribute": ("de bron noemen", "name the source"),
    "coarsen": ("vergroven", "coarsen"),
    "pay": ("betalen na gebruik", "pay after use"),
    "compensate": ("betalen", "pay"),
    "contribute": ("aanleveren", "contribute"),
    "cutEnds": ("begin en einde van ritten weglaten", "leave out where trips begin and end"),
    "delay": ("vertragen", "delay"),
    "delete": ("verwijderen", "delete"),
    "deleteAfter": ("na een termijn verwijderen", "delete after a term"),
    "derive": ("er iets nieuws van maken", "make something new from it"),
    "display": ("tonen", "display"),
    "distribute": ("verspreiden", "distribute"),
    "export": ("exporteren", "export"),
    "give": ("weggeven", "give away"),
    "inform": ("laten weten", "inform"),
    "leaveOut": ("kolommen weglaten", "leave columns out"),
    "modify": ("veranderen", "change"),
    "obtainConsent": ("toestemming vragen", "obtain consent"),
    "play": ("afspelen", "play"),
    "present": ("vertonen", "present"),
    "print": ("afdrukken", "print"),
    "process": ("verwerken", "process"),
    "publish": ("publiceren", "publish"),
    "sample": ("een paar rijen bekijken", "look at a few rows"),
    "read": ("lezen", "read"),
    "reproduce": ("kopiëren", "copy"),
    "sell": ("verkopen", "sell"),
    "stream": ("als stroom ontvangen", "receive as a stream"),
    "suppress": ("kleine groepen weglaten", "leave small groups out"),
    "transfer": ("overdragen", "transfer"),
    "translate": ("vertalen", "translate"),
    "use": ("gebruiken", "use"),
    "watermark": ("van een watermerk voorzien", "watermark"),
    "write": ("schrijven", "write"),
}
RULES: Final[dict[str, Words]] = {
    "permission": ("Toestemming", "Permission"),
    "prohibition": ("Verbod", "Prohibition"),
    "obligation": ("Verplichting", "Obligation"),
    "duty": ("Voorwaarde", "Condition"),
    "consequence": ("Gevolg", "Consequence"),
    "remedy": ("Herstel", "Remedy"),
}
_MONTHS: Final = (
    "januari februari maart april mei juni juli augustus september oktober november december",
    "January February March April May June July August September October November December",
)


def pick(words: Words, language: Language) -> str:
    """The words in a language."""
    return words[0 if language == "nl" else 1]


def last_part(iri: str) -> str:
    """What a person recognises of an IRI whose words are not known."""
    return iri.rstrip("/#").rpartition("#")[2].rpartition("/")[2] or iri


def worded(iri: str, table: dict[str, Words], language: Language) -> str:
    """A term in words; its own name when it has none."""
    name = last_part(iri).rpartition(":")[2]
    return pick(table[name], language) if name in table else f"“{last_part(iri)}”"


def comparison(operator: str, moments: bool, language: Language) -> str:
    """What an operator asks, of moments or of other values."""
    name = operator.removeprefix(ODRL)
    if moments and name in TIMES:
        return pick(TIMES[name], language)
    return worded(operator, OPERATORS, language)


def told(value: Value, language: Language) -> str:
    """A value as people write it."""
    if isinstance(value, str):
        return last_part(value)
    known = meaning(value)
    if isinstance(known, bool):
        return pick(("ja", "yes") if known else ("nee", "no"), language)
    if isinstance(known, Span) and value.datatype in (XSD + "dateTime", XSD + "date"):
        try:
            moment = datetime(1970, 1, 1) + timedelta(microseconds=known.start)
        except OverflowError:  # a zone may carry the first and last day of all years out of them
            return value.text
        if value.datatype == XSD + "date":
            # A day is told as it was written; its first moment in UTC may be on the day before.
            return day(date.fromisoformat(value.text.strip()[:10]), language)
        return f"{day(moment, language)}, {moment:%H:%M}{' UTC' if known.zoned else ''}"
    return value.text


def day(told: date, language: Language) -> str:
    """A day as people write it, such as 9 maart 2027."""
    month = _MONTHS[0 if language == "nl" else 1].split()[told.month - 1]
    return f"{told.day} {month} {told.year}"
