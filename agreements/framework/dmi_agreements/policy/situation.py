"""What the gate knows when it is asked: the request, the moment, and the facts of the agreement it is judged by."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Final, Protocol

from dmi_agreements.contracts.law import Performance

_HOUR: Final = 3_600_000_000
_DAY: Final = 24 * _HOUR
_NAMES: Final = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")


LONG_AGO: Final = -(2**62)
"""Before any moment (microseconds UTC): the last use of what was never used."""


@dataclass(frozen=True, slots=True)
class Use:
    """How often a rule has been used by one party, when for the first and when for the last time (microseconds UTC).

    A ``last`` of ``None`` is not known.
    """

    count: int = 0
    first: int | None = None
    last: int | None = LONG_AGO


NEVER: Final = Use()


class Counts(Protocol):
    """Uses by path of the rule; a mapping is one."""

    def get(self, path: str, default: Use, /) -> Use:
        """The uses of a rule."""
        ...


@dataclass(slots=True)
class Situation:
    """One request to one agreement. ``None`` is not known, which permits nothing and lifts no prohibition.

    ``roles`` are those of the assignee, ``concluded`` the moment of the agreement, ``performed`` the duties that were
    confirmed as fulfilled, ``uses`` (by path of the rule) how often the assignee has used each rule.
    """

    assignee: str
    action: str
    dataset: str
    purpose: str
    now: int
    roles: frozenset[str] | None = None
    concluded: int | None = None
    performed: tuple[Performance, ...] = ()
    uses: Counts | None = None
    clock: tuple[str, int] | None = field(default=None, init=False)
    """Day of the week and microseconds since midnight, by the clocks here; worked out when first asked."""

    def here(self) -> tuple[str, int]:
        """Day of the week and microseconds since midnight in the Netherlands."""
        if self.clock is None:
            local = self.now + offset(self.now)
            self.clock = _NAMES[(local // _DAY + 3) % 7], local % _DAY
        return self.clock


def offset(now: int) -> int:
    """How far clocks in the Netherlands are ahead of UTC at a moment, both in microseconds.

    Summer time runs from 01:00 UTC on the last Sunday of March until that of October (Directive 2000/84/EC, article 3).
    Worked out here: a table of zones would have to be read from the machine.
    """
    return 2 * _HOUR if _summer(now) else _HOUR


def _summer(now: int) -> bool:
    year = _year(now // _DAY)
    return _last_sunday(year, 3) + _HOUR <= now < _last_sunday(year, 10) + _HOUR


def _last_sunday(year: int, month: int) -> int:
    """Midnight UTC of the last Sunday of a month of 31 days."""
    day = days_from_civil(year, month, 31)
    return (day - (day + 4) % 7) * _DAY


def days_from_civil(year: int, month: int, day: int) -> int:
    """Days from 1 January 1970 to a day of the Gregorian calendar."""
    year -= month <= 2
    era = year // 400
    past = year - era * 400
    of_year = (153 * (month - 3 if month > 2 else month + 9) + 2) // 5 + day - 1
    return era * 146_097 + past * 365 + past // 4 - past // 100 + of_year - 719_468


def _year(days: int) -> int:
    days += 719_468
    era = days // 146_097
    past = days - era * 146_097
    year = (past - past // 1_460 + past // 36_524 - past // 146_096) // 365
    of_year = past - (365 * year + year // 4 - year // 100)
    return year + era * 400 + (of_year >= 306)
