"""What priced permissions cost whatever is used under them: once, and each calendar month that was begun. Pure.

Each permission is charged by itself: two that cost the same cost twice as much as one, and one that never held nothing.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta

from dmi_agreements.contracts.law import AgreementState
from dmi_agreements.contracts.observations import Micros
from dmi_agreements.policy.compiled import FOREVER
from dmi_agreements.policy.terms import AgreementTerms, RuleTerms
from dmi_agreements.prices import Price
from dmi_exchange.transactions.model import Line, line

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Priced:
    """A price of a permission, and from when (included) until when (excluded) that permission holds by itself."""

    price: Price
    begin: Micros = 0
    end: Micros = FOREVER


@dataclass(frozen=True, slots=True)
class Charge:
    """A line of what is charged once (``item``), for a time from ``start``."""

    item: str
    line: Line
    start: Micros

    @property
    def items(self) -> tuple[str, str]:
        """The item, and the one of versions before 2026-11-22, which charged equal prices of an agreement together."""
        price = self.line.price
        return self.item, f"{self.line.month or 'once'} {price.cents}/{price.per}"


def tariff(terms: AgreementTerms) -> dict[str, Priced]:
    """What an agreement costs, by the path of the permission, in the order of its text."""
    return {rule.path: _priced(rule, rule.price) for rule in terms.permissions if rule.price is not None}


def _priced(rule: RuleTerms, price: Price) -> Priced:
    begins = [test.moment + (test.operator == "gt") for test in rule.times if test.operator in ("gt", "gteq")]
    ends = [test.moment + (test.operator == "lteq") for test in rule.times if test.operator in ("lt", "lteq")]
    return Priced(price, max(begins, default=0), min(ends, default=FOREVER))


def fixed(agreement: AgreementState, priced: Mapping[str, Priced], until: Micros) -> list[Charge]:
    """What an agreement costs before a moment: once if a permission held, and for each month (UTC) that it held in."""
    begun = agreement.concluded_at
    if begun is None or begun >= until:
        return []
    found: list[Charge] = []
    for path, each in priced.items():
        start, end = max(begun, each.begin), min(until, agreement.ended_at or until, each.end)
        if each.price.unit == "once" and start < end:
            found.append(Charge(f"once {path}", line(agreement.id, each.price, path), start))
        elif each.price.unit == "month":
            for number, (month, first) in enumerate(_months(start, end), 1):
                made = line(agreement.id, each.price, path, month, number)
                found.append(Charge(f"{month} {path}", made, max(first, start)))
    return found


def _months(start: Micros, end: Micros) -> list[tuple[str, Micros]]:
    """Calendar months (UTC) with a moment in them from ``start`` and before ``end``, each with its first moment."""
    if start >= end:
        return []
    first, last = day_of(start), day_of(end - 1)
    count = (last.year - first.year) * 12 + last.month - first.month
    whole = (first.year * 12 + first.month - 1 + step for step in range(count + 1))
    days = (datetime(month // 12, month % 12 + 1, 1, tzinfo=UTC) for month in whole)
    return [(f"{day:%Y-%m}", (day - _EPOCH) // timedelta(microseconds=1)) for day in days]


def day_of(at: Micros) -> date:
    """The day (UTC) of a moment."""
    return (_EPOCH + timedelta(microseconds=at)).date()
