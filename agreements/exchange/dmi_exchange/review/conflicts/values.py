"""Right operands as exact values on a line of numbers, or as names; and such values written out again."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from fractions import Fraction
from functools import cache
from math import lcm
from typing import Final

from dmi_agreements.odrl.model import XSD, Typed, Value
from dmi_agreements.odrl.values import Lasting, meaning
from dmi_agreements.odrl.values import Span as Moment

LANGUAGE_TAGS: Final = "https://tools.ietf.org/html/bcp47#"
"""No authority gives language tags an IRI; this form of one is in use, and means the tag behind the mark."""
# BCP 47 (RFC 5646, 2.1), without the irregular tags of old: those are compared as they stand.
_TAG: Final = re.compile(r"[A-Za-z]{2,8}(-[A-Za-z0-9]{1,8})*", re.ASCII)

_MICROS: Final = 1_000_000
_DAY: Final = 86_400
# XML Schema 1.1 part 2, 3.2.7.4: a moment without zone lies within 14 hours of the same one in UTC.
ZONES: Final = Fraction(14 * 3600)
SECONDS: Final = "s"
MONTHS: Final = "mo"

# Lengths, stretches of time and amounts of data in other units of the same kind (UCUM codes).
_FACTORS: Final = {
    "mm": ("m", Fraction(1, 1000)),
    "cm": ("m", Fraction(1, 100)),
    "km": ("m", Fraction(1000)),
    "min": ("s", Fraction(60)),
    "h": ("s", Fraction(3600)),
    "d": ("s", Fraction(_DAY)),
    "wk": ("s", Fraction(7 * _DAY)),
    "kBy": ("By", Fraction(10**3)),
    "MBy": ("By", Fraction(10**6)),
    "GBy": ("By", Fraction(10**9)),
}


@dataclass(frozen=True, slots=True)
class Span:
    """A stretch of ``length`` (zero: a point) that begins somewhere in ``low..high``; known when these are equal."""

    low: Fraction
    high: Fraction
    length: Fraction = Fraction(0)

    @property
    def known(self) -> bool:
        return self.low == self.high


@dataclass(frozen=True, slots=True)
class Name:
    """A value that names something: an ``iri``, a language ``tag`` in lower case, or another ``text``."""

    kind: str
    text: str
    spelt: Value = field(default="", compare=False)


def read(value: Value, datatype: str | None) -> Value:
    """``value`` with the constraint's ``dataType``, which speaks where the literal says no more than text."""
    if isinstance(value, Typed) and datatype and value.datatype == XSD + "string" and not value.language:
        return Typed(value.text, datatype)
    return value


def number(value: Value) -> Fraction | None:
    known = meaning(value)
    return Fraction(known) if isinstance(known, Decimal) else None


def in_base_unit(code: str) -> tuple[str, Fraction]:
    """The unit that values of the unit ``code`` are compared in, and how much of it one is."""
    return _FACTORS.get(code, (code, Fraction(1)))


def moment(value: Value, mixed: bool) -> Span | None:
    """Seconds since 1970 UTC; a day, month or year is all of it. ``mixed``: some moments name a zone, some none."""
    known = meaning(value)
    if not isinstance(known, Moment):
        return None
    start, length = Fraction(known.start, _MICROS), Fraction(known.until - known.start, _MICROS)
    slack = ZONES if mixed and not known.zoned else Fraction(0)
    return Span(start - slack, start + slack, length)


def zoned(value: Value) -> bool | None:
    """Whether a moment names its zone; ``None`` when it is no moment."""
    known = meaning(value)
    return known.zoned if isinstance(known, Moment) else None


def lasting(value: Value) -> Lasting | None:
    known = meaning(value)
    return known if isinstance(known, Lasting) else None


def seconds(duration: Lasting) -> Span:
    """A duration in seconds: months take from 28 to 31 days, so only their bounds are known."""
    fewest, most = _days(abs(duration.months))
    rest = Fraction(duration.micros, _MICROS)
    ends = (fewest * _DAY, most * _DAY) if duration.months >= 0 else (-most * _DAY, -fewest * _DAY)
    return Span(rest + ends[0], rest + ends[1])


@cache
def _days(months: int) -> tuple[int, int]:
    """The fewest and most days that so many months take, over the 400 years in which the calendar repeats."""
    starts = [datetime(2000 + at // 12, at % 12 + 1, 1).toordinal() for at in range(4800)]
    lengths = [
        starts[(at + months) % 4800] + (at + months) // 4800 * 146_097 - starts[at] for at in range(4800)
    ]
    return min(lengths), max(lengths)


def common_round(periods: Iterable[Fraction]) -> Fraction:
    """The shortest stretch in which all ``periods`` repeat."""
    whole = Fraction(1)
    for at, period in enumerate(periods):
        over = lcm(whole.denominator, period.denominator)
        whole = Fraction(lcm(int(whole * over), int(period * over)), over) if at else period
    return whole


def name(value: Value, language: bool) -> Name:
    """What a value names; ``language`` says that it stands where a language tag belongs."""
    text = value if isinstance(value, str) else value.text.strip()
    if language:
        tag = text.removeprefix(LANGUAGE_TAGS)
        if (tag != text or not isinstance(value, str)) and _TAG.fullmatch(tag):
            return Name("tag", tag.lower(), value)
    if isinstance(value, Typed) and value.datatype != XSD + "anyURI":
        return Name("text", f"{text}@{value.language.lower()}" if value.language else text, value)
    return Name("iri", text, text)


def as_number(value: Fraction) -> Typed:
    """As xsd:decimal; what no decimal can say is written as a fraction, in plain text."""
    shortened = value.denominator
    for prime in (2, 5):
        while shortened % prime == 0:
            shortened //= prime
    if shortened != 1:
        return Typed(str(value))
    digits = 0
    while (value * 10**digits).denominator != 1:
        digits += 1
    return Typed(f"{Decimal(int(value * 10**digits)).scaleb(-digits):f}", XSD + "decimal")


def as_moment(value: Fraction, local: bool) -> Typed:
    """As xsd:dateTime in UTC (``local``: without saying so); beyond the calendar a number of seconds."""
    try:
        at = datetime(1970, 1, 1, tzinfo=UTC) + timedelta(microseconds=round(value * _MICROS))
    except OverflowError:
        return as_number(value)
    return Typed(at.isoformat().replace("+00:00", "" if local else "Z"), XSD + "dateTime")


def as_duration(value: Fraction, unit: str) -> Typed:
    """As xsd:duration, in months or in days and seconds."""
    sign, value = ("-", -value) if value < 0 else ("", value)
    if unit == MONTHS:
        return (
            Typed(f"{sign}P{value}M", XSD + "duration")
            if value.denominator == 1
            else Typed(f"{value} months")
        )
    days, rest = divmod(value, _DAY)
    text = as_number(rest).text
    return Typed(f"{sign}P{days}D" + (f"T{text}S" if rest else ""), XSD + "duration")
