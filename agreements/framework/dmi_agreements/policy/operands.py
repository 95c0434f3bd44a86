"""The left operands that the gate has a fact for, and how the values of each are read.

Each row is a source of truth that stands at the gate: the request itself, the clock, the position of a row, the roles
that a participant has, the agreement, and the gate's own counts. What ODRL knows beyond these (an amount paid, a
device, an industry) is refused at signing: no gate could ever tell whether it holds.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Final, Literal

from dmi_agreements.odrl.model import ODRL, XSD, Typed, Value
from dmi_agreements.odrl.values import BOX, Lasting, meaning
from dmi_agreements.odrl.vocabulary import CORE, DMI
from dmi_agreements.policy.context import Place
from dmi_agreements.policy.jsonld import Reader
from dmi_agreements.policy.terms import BBox
from dmi_agreements.rulebook import Rulebook

UUID: Final = re.compile(r"urn:uuid:[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.ASCII)
"""What people sign has an id of this form: no other thing of the law, such as a count of uses, can be meant by it."""
RECIPIENT: Final = re.compile(r"urn:dmi:(?:participant|person):[A-Za-z0-9][A-Za-z0-9._-]{0,99}", re.ASCII)
_MOMENT: Final = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d{1,6})?(?:Z|[+-]\d\d:\d\d)", re.ASCII)
_TIME: Final = re.compile(r"(?:[01]\d|2[0-3]):[0-5]\d:[0-5]\d(?:\.\d{1,6})?", re.ASCII)
_DIGITS: Final = re.compile(r"[0-9]{1,12}", re.ASCII)
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_DAYS: Final = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
_ORDER: Final = ("lt", "lteq", "gt", "gteq")
_DURATIONS: Final = ("xsd:duration", "xsd:dayTimeDuration", "xsd:yearMonthDuration")

Where = Literal["permission", "prohibition", "duty"]
Read = Callable[[Reader, Place, str, Rulebook], "tuple[Value, ...] | None"]
"""The values on the right of an operator; ``None`` with a finding when they do not fit."""


@dataclass(frozen=True, slots=True)
class Operand:
    """A left operand: its operators, and those it has besides where they cannot widen a right (``negative``).

    A purpose or recipient told by what it is not would permit all others, also those that come to exist later; so
    that may only forbid, or narrow a duty.
    """

    read: Read
    operators: tuple[str, ...]
    negative: tuple[str, ...] = ()
    instead: str = ""
    """What to write in place of another operator, where that is a question."""

    def allowed(self, where: Where) -> tuple[str, ...]:
        """The operators that may stand in a rule of this kind."""
        return self.operators if where == "permission" else (*self.operators, *self.negative)


def iri(name: str) -> str:
    """The absolute IRI of a name as ``Reader.canonical`` spells it."""
    if name.startswith("dmi:"):
        return DMI + name.removeprefix("dmi:")
    if name.startswith("xsd:"):
        return XSD + name.removeprefix("xsd:")
    return name if ":" in name else ODRL + name


def identifier(reader: Reader, place: Place | None, pattern: re.Pattern[str], what: str) -> str | None:
    """An identifier of a known form, as URN."""
    name = reader.name(place)
    if place is None or name is None:
        return None
    urn = f"urn:{name}" if name.startswith("dmi:") else name
    if pattern.fullmatch(urn):
        return urn
    reader.refuse(Place(place.path, name), f"{what} stands here")
    return None


def moment_of(text: str) -> int | None:
    """A moment with its time zone as microseconds UTC; ``None`` for any other text."""
    if not _MOMENT.fullmatch(text):
        return None
    try:
        return (datetime.fromisoformat(text) - _EPOCH) // timedelta(microseconds=1)
    except (ValueError, OverflowError):
        return None  # month 13, hour 25, offset +99:00


def _purpose(reader: Reader, right: Place, operator: str, rulebook: Rulebook) -> tuple[Value, ...] | None:
    if operator in ("isAnyOf", "isNoneOf"):
        found = reader.terms(right, rulebook.requestable, "this purpose")
        return tuple(map(iri, found)) or None
    known = rulebook.purposes if operator == "isA" else rulebook.requestable
    purpose = reader.term(right, known, "this purpose")
    return None if purpose is None else (iri(purpose),)


def _recipient(reader: Reader, right: Place, operator: str, _rulebook: Rulebook) -> tuple[Value, ...] | None:
    places = reader.items(right)
    single = operator in ("eq", "neq")
    if not places or (single and len(places) != 1):
        reader.refuse(right, "one recipient with eq and neq, at least one with isAnyOf and isNoneOf")
        return None
    found = [identifier(reader, place, RECIPIENT, "a participant or person") for place in places]
    return tuple(sorted({each for each in found if each is not None})) if None not in found else None


def _role(reader: Reader, right: Place, _operator: str, rulebook: Rulebook) -> tuple[Value, ...] | None:
    return tuple(map(iri, reader.terms(right, rulebook.roles, "this role"))) or None


def _moment(reader: Reader, right: Place, _operator: str, _rulebook: Rulebook) -> tuple[Value, ...] | None:
    value, datatype = reader.literal(right)
    if datatype not in (None, "xsd:dateTime"):
        reader.refuse(right, "a moment has the type xsd:dateTime")
    if isinstance(value, str) and moment_of(value) is not None:
        return (Typed(value, XSD + "dateTime"),)
    reader.refuse(Place(right.path, value), "a moment is written 2027-01-01T00:00:00Z, with its time zone")
    return None


def _area(reader: Reader, right: Place, _operator: str, _rulebook: Rulebook) -> tuple[Value, ...] | None:
    only = reader.one(right)
    if only is None:
        return None
    box = reader.fields(only, ("dmi:bbox",), ()).get("dmi:bbox")
    if box is None:
        return None
    numbers = [reader.literal(place)[0] for place in reader.items(box)]
    edges = [
        number
        for number in numbers
        if isinstance(number, (int, float)) and not isinstance(number, bool) and -180 <= number <= 180
    ]
    if len(numbers) == len(edges) == 4:
        west, south, east, north = edges
        if west < east and -90 <= south < north <= 90:
            # Written out: the digits of a number with an exponent are no decimal of XML Schema.
            return (Typed(" ".join(format(Decimal(repr(edge)), "f") for edge in edges), BOX),)
    reader.refuse(box, "a bbox is [west, south, east, north] in WGS84 degrees")
    return None


def box_of(value: Value) -> BBox:
    """The edges of an area that was read here."""
    assert isinstance(value, Typed)
    west, south, east, north = (float(edge) for edge in value.text.split())
    return west, south, east, north


def _day(reader: Reader, right: Place, operator: str, _rulebook: Rulebook) -> tuple[Value, ...] | None:
    places = reader.items(right)
    texts = [reader.literal(place) for place in places]
    wrong = [
        place
        for place, (text, kind) in zip(places, texts, strict=True)
        if text not in _DAYS or kind not in (None, "xsd:string")
    ]
    if wrong or not texts or (operator in ("eq", "neq") and len(texts) != 1):
        reader.refuse(wrong[0] if wrong else right, f"out of: {', '.join(_DAYS)}", _DAYS)
        return None
    return tuple(Typed(str(text)) for text, _ in texts)


def _time_of_day(
    reader: Reader, right: Place, _operator: str, _rulebook: Rulebook
) -> tuple[Value, ...] | None:
    value, datatype = reader.literal(right)
    if isinstance(value, str) and datatype in (None, "xsd:time") and _TIME.fullmatch(value):
        return (Typed(value, XSD + "time"),)
    reader.refuse(Place(right.path, value), "a time of day is written 07:30:00, as clocks here show it")
    return None


def _count(reader: Reader, right: Place, _operator: str, _rulebook: Rulebook) -> tuple[Value, ...] | None:
    value, datatype = reader.literal(right)
    whole = isinstance(value, int) and not isinstance(value, bool) and datatype in (None, "xsd:integer")
    if whole and 0 <= value < 10**12:  # type: ignore[operator]
        return (Typed(str(value), XSD + "integer"),)
    if isinstance(value, str) and datatype == "xsd:integer" and _DIGITS.fullmatch(value):
        return (Typed(str(int(value)), XSD + "integer"),)
    reader.refuse(Place(right.path, value), "a whole number of times")
    return None


def _lasting(reader: Reader, right: Place, _operator: str, _rulebook: Rulebook) -> tuple[Value, ...] | None:
    value, datatype = reader.literal(right)
    if isinstance(value, str) and datatype in (None, *_DURATIONS):
        found = Typed(value, iri(datatype or "xsd:duration"))
        known = meaning(found)
        if isinstance(known, Lasting) and known.months >= 0 and known.micros >= 0:
            return (found,)
    reader.refuse(Place(right.path, value), "a length of time is written P30D or PT12H")
    return None


OPERANDS: Final[dict[str, Operand]] = {
    "purpose": Operand(_purpose, ("isA", "eq", "isAnyOf"), ("neq", "isNoneOf")),
    "dateTime": Operand(_moment, _ORDER),
    "recipient": Operand(_recipient, ("eq", "isAnyOf"), ("neq", "isNoneOf")),
    "spatial": Operand(_area, ("isPartOf",)),
    "dmi:role": Operand(_role, ("isAnyOf",), ("isNoneOf",)),
    "dmi:dayOfWeek": Operand(_day, ("eq", "neq", "isAnyOf", "isNoneOf")),
    "dmi:timeOfDay": Operand(_time_of_day, _ORDER),
    "count": Operand(_count, (*_ORDER, "eq")),
    "elapsedTime": Operand(_lasting, _ORDER),
    "timeInterval": Operand(
        _lasting,
        ("gt", "gteq"),
        ("lt", "lteq"),
        "write gteq for a time that must have passed since the last use, which no use meets exactly",
    ),
    "delayPeriod": Operand(_lasting, ("gt", "gteq"), ("lt", "lteq")),
}
"""By name as ``Reader.canonical`` spells it."""
PLACES: Final = "spatial"
"""The one operand that each row settles for itself: the gate carries it out on what it lets pass."""


_NO_FACT: Final = {
    "meteredTime": "no gate sees for how long what it gave is used: limit how often (count) or until when after the "
    "first use (elapsedTime)",
}


def no_fact(left: str) -> str:
    """Why this left operand cannot stand in an agreement."""
    if iri(left) in CORE.lefts:
        return f"{left} is a term of ODRL, but {lacking(left)}"
    return "this left operand is not known"


def lacking(left: str) -> str:
    """What the gate lacks to judge a left operand of ODRL that is none of ``OPERANDS``."""
    return _NO_FACT.get(left, "nothing tells the gate its value")
