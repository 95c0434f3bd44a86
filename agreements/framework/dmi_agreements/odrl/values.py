"""Values with a type, and comparisons that may have no answer.

``True``, ``False``, or ``None`` where the values do not settle it: other types, a text that its datatype does not
allow, a moment without zone beside one with (XML Schema 1.1 part 2, 3.2.7.4: within 14 hours the order is open).
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from decimal import Decimal, InvalidOperation
from typing import Final

from dmi_agreements.odrl.model import XSD, Typed, Value

Truth = bool | None
"""Satisfied, not satisfied, not known."""

_SIZES: Final = (
    "long",
    "int",
    "short",
    "byte",
    "unsignedLong",
    "unsignedInt",
    "unsignedShort",
    "unsignedByte",
)
_INTEGERS: Final = frozenset(
    (*_SIZES, "integer", "nonNegativeInteger", "positiveInteger", "nonPositiveInteger", "negativeInteger")
)
_TEXTS: Final = frozenset(("string", "normalizedString", "token", "language"))
_EPOCH: Final = datetime(1970, 1, 1)
_MICRO: Final = timedelta(microseconds=1)
_OPEN_ZONE: Final = 14 * 3_600_000_000
_DURATION: Final = re.compile(
    r"(-?)P(?=.)(?:(\d+)Y)?(?:(\d+)M)?(?:(\d+)D)?(?:T(?=.)(?:(\d+)H)?(?:(\d+)M)?(?:(\d+(?:\.\d+)?)S)?)?"
)
_ZONE: Final = re.compile(r"(Z|[+-]\d\d:\d\d)$")
# Two durations are in order when they are from each of these months on (XML Schema 1.1 part 2, 3.2.6.2).
_REFERENCES: Final = ((1696, 9), (1697, 2), (1903, 3), (1903, 7))


@dataclass(frozen=True, slots=True)
class Span:
    """A moment or a stretch of time: microseconds from 1970, ``until`` not included unless it equals ``start``."""

    start: int
    until: int
    zoned: bool

    @property
    def last(self) -> int:
        """Its last microsecond."""
        return max(self.start, self.until - 1)


@dataclass(frozen=True, slots=True)
class Lasting:
    """A duration: months, and microseconds besides."""

    months: int
    micros: int


@dataclass(frozen=True, slots=True)
class Box:
    """An area: west, south, east, north in WGS84 degrees. A place on the map is one without extent."""

    west: Decimal
    south: Decimal
    east: Decimal
    north: Decimal


Known = Decimal | Span | Lasting | Box | bool | str
"""What a literal means once read; ``str`` for texts and IRIs."""
BOX: Final = "urn:dmi:bbox"
"""Datatype of an area: its four numbers, separated by spaces."""


def meaning(value: Value) -> Known | None:
    """What ``value`` means; ``None`` when its text breaks its datatype or the datatype is not known."""
    if isinstance(value, str):
        return value
    name = value.datatype.removeprefix(XSD) if value.datatype.startswith(XSD) else None
    text = value.text.strip()
    try:
        if value.datatype == BOX:
            return _box(text)
        if name in _TEXTS or value.language is not None:
            return value.text
        if name == "anyURI":
            return text
        if name in _INTEGERS or name == "decimal":
            return _decimal(text, whole=name != "decimal")
        if name in ("double", "float"):
            number = Decimal(text)
            return number if number.is_finite() else None
        if name == "boolean":
            return {"true": True, "1": True, "false": False, "0": False}.get(text)
        if name in ("dateTime", "dateTimeStamp", "date", "gYear", "gYearMonth"):
            return _span(text, name)
        if name == "time":
            return _time(text)
        if name in ("duration", "dayTimeDuration", "yearMonthDuration"):
            return _lasting(text)
    except (ValueError, InvalidOperation, OverflowError):
        return None
    return None


def _decimal(text: str, whole: bool) -> Decimal | None:
    pattern = r"[+-]?\d+" if whole else r"[+-]?(\d+(\.\d*)?|\.\d+)"
    return Decimal(text) if len(text) <= 100 and re.fullmatch(pattern, text, re.ASCII) else None


def _box(text: str) -> Box | None:
    numbers = [_decimal(each, whole=False) for each in text.split()]
    if len(numbers) != 4:
        return None
    west, south, east, north = numbers
    if west is None or south is None or east is None or north is None:
        return None
    on_earth = -180 <= west <= east <= 180 and -90 <= south <= north <= 90
    return Box(west, south, east, north) if on_earth else None


def _micros(moment: datetime) -> int:
    offset = moment.utcoffset() or timedelta()
    return (moment.replace(tzinfo=None) - _EPOCH - offset) // _MICRO


def _span(text: str, name: str) -> Span | None:
    if name in ("dateTime", "dateTimeStamp"):
        if not re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)?", text, re.ASCII):
            return None
        # 24:00:00 is the first moment of the next day.
        late = "T24:00:00" in text
        text = re.sub(r"(\.\d{6})\d+", r"\1", text.replace("T24:00:00", "T00:00:00"))
        moment = datetime.fromisoformat(text) + (timedelta(days=1) if late else timedelta())
        if name == "dateTimeStamp" and moment.tzinfo is None:
            return None
        at = _micros(moment)
        return Span(at, at, moment.tzinfo is not None)
    zone = _ZONE.search(text) if name == "date" or len(text) > 7 else None
    bare = text[: zone.start()] if zone else text
    shape = {"date": r"\d{4}-\d\d-\d\d", "gYearMonth": r"\d{4}-\d\d", "gYear": r"\d{4}"}[name]
    if not re.fullmatch(shape, bare, re.ASCII):
        return None
    first = date.fromisoformat((bare + "-01-01")[:10])
    if name == "date":
        after = first + timedelta(days=1)
    elif name == "gYearMonth":
        after = (first + timedelta(days=31)).replace(day=1)
    else:
        after = first.replace(year=first.year + 1)
    shift = datetime.fromisoformat(f"{first}T00:00:00{zone[0] if zone else ''}").tzinfo
    ends = (_micros(datetime.combine(day, time(), shift)) for day in (first, after))
    return Span(next(ends), next(ends), zone is not None)


def _time(text: str) -> Span | None:
    if not re.fullmatch(r"\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)?", text, re.ASCII):
        return None
    moment = datetime.fromisoformat("1970-01-01T" + re.sub(r"(\.\d{6})\d+", r"\1", text))
    at = _micros(moment)
    return Span(at, at, moment.tzinfo is not None)


def _lasting(text: str) -> Lasting | None:
    found = _DURATION.fullmatch(text)
    if found is None or len(text) > 60:
        return None
    sign = -1 if found[1] else 1
    years, months, days, hours, minutes = (int(found[index] or 0) for index in range(2, 7))
    seconds = Decimal(found[7] or 0) + 60 * minutes + 3600 * hours + 86400 * days
    return Lasting(sign * (12 * years + months), sign * int(seconds * 1_000_000))


def same(left: Value, right: Value) -> Truth:
    """Whether two values are equal; texts with a language only in the same language."""
    if left == right:
        return True
    known, other = meaning(left), meaning(right)
    if isinstance(known, str) and isinstance(other, str):
        languages = [value.language if isinstance(value, Typed) else None for value in (left, right)]
        return known == other and (languages[0] or "").lower() == (languages[1] or "").lower()
    if isinstance(known, bool) and isinstance(other, bool):
        return known == other
    found = order(left, right)
    return None if found is None else found == 0


def order(left: Value, right: Value) -> int | None:
    """-1, 0 or 1 as ``left`` is less than, equal to or more than ``right``; ``None`` where that is open.

    A moment equals each day, month or year that it lies in. Texts have no order that both sides can count on.
    """
    known, other = meaning(left), meaning(right)
    if isinstance(known, Decimal) and isinstance(other, Decimal):
        return (known > other) - (known < other)
    if isinstance(known, Span) and isinstance(other, Span):
        return _order_of_spans(known, other)
    if isinstance(known, Lasting) and isinstance(other, Lasting):
        return _order_of_durations(known, other)
    return None


def _order_of_spans(left: Span, right: Span) -> int | None:
    slack = 0 if left.zoned == right.zoned else _OPEN_ZONE
    if left.last + slack < right.start:
        return -1
    if right.last + slack < left.start:
        return 1
    within = right.start <= left.start and left.last <= right.last
    return 0 if within and not slack else None


def _order_of_durations(left: Lasting, right: Lasting) -> int | None:
    orders = {
        (mine > its) - (mine < its)
        for mine, its in ((_added(start, left), _added(start, right)) for start in _REFERENCES)
    }
    return orders.pop() if len(orders) == 1 else None


def _added(start: tuple[int, int], duration: Lasting) -> int:
    """Microseconds from year 0 to the end of ``duration`` begun on the first day of a month."""
    months = start[0] * 12 + start[1] - 1 + duration.months
    return _days_before(*divmod(months, 12)) * 86_400_000_000 + duration.micros


def _days_before(year: int, month: int) -> int:
    """Days from the first of March of year 0 to the first of a month (0 for January), in any year."""
    year -= month < 2
    return 365 * year + year // 4 - year // 100 + year // 400 + (153 * ((month - 2) % 12) + 2) // 5


def within(left: Value, right: Value) -> Truth:
    """Whether one area, or a moment in a stretch of time, lies in another; ``None`` for what has no extent."""
    known, other = meaning(left), meaning(right)
    if isinstance(known, Box) and isinstance(other, Box):
        low = other.west <= known.west and other.south <= known.south
        return low and known.east <= other.east and known.north <= other.north
    if isinstance(known, Span) and isinstance(other, Span):
        found = order(left, right)
        return None if found is None else found == 0
    return same(left, right)


def negate(truth: Truth) -> Truth:
    """Not; what is not known stays so."""
    return None if truth is None else not truth


def every(truths: list[Truth]) -> Truth:
    """And: one that fails settles it, whatever is not known."""
    if False in truths:
        return False
    return None if None in truths else True


def some(truths: list[Truth]) -> Truth:
    """Or: one that holds settles it, whatever is not known."""
    if True in truths:
        return True
    return None if None in truths else False


def one(truths: list[Truth]) -> Truth:
    """Exactly one: two that hold settle it, whatever is not known."""
    if truths.count(True) > 1:
        return False
    return None if None in truths else truths.count(True) == 1
