"""Reading single values strictly: numbers, times, names. What is not clear is refused, never guessed."""

from __future__ import annotations

import math
import re
import unicodedata
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from typing import Final
from zoneinfo import ZoneInfo

from dmi_agreements.contracts.observations import Micros, within_bounds

EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
MICROSECOND: Final = timedelta(microseconds=1)
MISSING: Final = frozenset({"", "-", "null", "none", "nan", "na", "n/a"})
FIRST_YEAR: Final = 1990
LAST_YEAR: Final = 2100

_NUMBER = re.compile(r"[+-]?[0-9]{1,40}(?:[.][0-9]{1,40})?(?:[eE][+-]?[0-9]{1,3})?", re.ASCII)
_TIME = re.compile(
    r"[0-9]{4}-[0-9]{2}-[0-9]{2}[T ][0-9]{2}:[0-9]{2}(?::[0-9]{2}(?:\.[0-9]{1,6})?)?"
    r"(?:Z|[+-][0-9]{2}:[0-9]{2})?",
    re.ASCII,
)
_NOT_SLUG = re.compile(r"[^a-z0-9]+")


class Unreadable(Exception):
    """One value that cannot be taken over; ``reason`` becomes the reason of the rejection."""

    def __init__(self, reason: str, value: object, field: str | None = None) -> None:
        super().__init__(reason)
        self.reason = reason
        self.value = "" if value is None else str(value)
        self.field = field


@contextmanager
def of_field(name: str) -> Iterator[None]:
    """Let a refusal inside carry the name of the field that was read."""
    try:
        yield
    except Unreadable as error:
        error.field = error.field or name
        raise


def number(value: object, *, decimal_comma: bool = False) -> float:
    """A number from text or JSON that can be a result.

    Raises ``Unreadable`` (``missing_value``, ``not_a_number``, ``too_large``).
    """
    if isinstance(value, bool):
        raise Unreadable("not_a_number", value)
    if isinstance(value, int | float):
        try:
            result = float(value)
        except OverflowError as error:
            raise Unreadable("not_a_number", "an integer beyond the range of a double") from error
    else:
        text = "" if value is None else str(value).strip()
        if text.casefold() in MISSING:
            raise Unreadable("missing_value", text)
        plain = text.replace(",", ".") if decimal_comma else text
        if not _NUMBER.fullmatch(plain):
            raise Unreadable("not_a_number", text)
        result = float(plain)
    if not math.isfinite(result):
        raise Unreadable("not_a_number", value)
    if not within_bounds(result):
        raise Unreadable("too_large", value)
    return result


def check_numbers(value: object, field: str) -> None:
    """Check a free property, all the way down; raises ``Unreadable`` (``too_large``) with the path to the number."""
    left = [(field, value)]
    while left:
        at, one = left.pop()
        if isinstance(one, dict):
            left += [(f"{at}/{name}", part) for name, part in one.items()]
        elif isinstance(one, list):
            left += [(f"{at}/{index}", part) for index, part in enumerate(one)]
        elif isinstance(one, int | float) and not within_bounds(one):
            # A whole number may have more digits than can be written out.
            raise Unreadable(
                "too_large", one if isinstance(one, float) else "a whole number beyond 10^18", at
            )


@lru_cache(maxsize=16)
def zone(name: str) -> ZoneInfo:
    """The time zone of this IANA name."""
    return ZoneInfo(name)


def micros(value: object, local: str) -> Micros:
    """A time as microseconds UTC; one without an offset is local time in the zone ``local``.

    In the hour that exists twice when summer time ends, and in the one that never exists when it
    begins, a time without an offset is refused (``ambiguous_time``, ``nonexistent_time``): guessing
    would let readings an hour apart collide. With the offset added the row can be replayed.
    """
    text = "" if value is None else str(value).strip()
    if text.casefold() in MISSING:
        raise Unreadable("missing_value", text)
    if not _TIME.fullmatch(text):
        raise Unreadable("bad_time", text)
    try:
        moment = datetime.fromisoformat(text)
    except ValueError as error:
        raise Unreadable("bad_time", text) from error
    if not FIRST_YEAR <= moment.year <= LAST_YEAR:
        raise Unreadable("bad_time", text)
    if moment.tzinfo is None:
        moment = _located(moment, local, text)
    return (moment - EPOCH) // MICROSECOND


def _located(moment: datetime, local: str, text: str) -> datetime:
    here = moment.replace(tzinfo=zone(local))
    first, second = here.utcoffset(), here.replace(fold=1).utcoffset()
    if first is None or second is None or first == second:
        return here
    raise Unreadable("ambiguous_time" if first > second else "nonexistent_time", text)


LONGEST_NAME: Final = 80


def slug(text: str) -> str:
    """A name as it stands in ids: lower case ASCII letters, digits, hyphens.

    One with none of them raises ``Unreadable``, and one that is too long: cut off it could be another's.
    """
    plain = unicodedata.normalize("NFKD", text).encode("ascii", "ignore").decode().lower()
    found = _NOT_SLUG.sub("-", plain).strip("-")
    if not 0 < len(found) <= LONGEST_NAME:
        raise Unreadable("bad_name", text)
    return found


def tidy(text: str) -> str:
    """Text without outer blanks and with any run of blanks, no-break spaces included, as one space."""
    return " ".join(text.split())
