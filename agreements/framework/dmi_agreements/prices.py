"""What a use costs: price terms of an agreement (the duty ``dmi:pay``), in whole cents and never in fractions of one.

A price says so many cents for so many units. What a count costs is worked out once for the whole count, so that a
thousand uses at half a cent are five euros, and what one invoice rounds the next one makes good: no rounding adds up.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

UNITS: Final = ("use", "month", "once")
"""What can be charged: uses that were allowed, calendar months begun (UTC), the agreement itself."""


@dataclass(frozen=True, slots=True)
class Price:
    """``cents`` (euro cents, without VAT) for every ``per`` of ``unit``, one of ``UNITS``."""

    cents: int
    per: int
    unit: str


def charge(price: Price, count: int) -> int:
    """Cents for ``count`` units, half a cent upwards; raises ``ValueError`` for a count below zero."""
    if count < 0:
        raise ValueError(f"a count is never below zero: {count}")
    return (2 * price.cents * count + price.per) // (2 * price.per)


def due(price: Price, count: int, before: int, billed: int) -> int:
    """Cents for ``count`` units, after ``before`` units for which ``billed`` cents were asked.

    What was rounded then is made good now, so that however often somebody bills, all units together cost what
    ``charge`` says. Never a whole cent from the price of these units alone: an invoice must add up by itself.
    """
    least = price.cents * count // price.per
    most = -(-price.cents * count // price.per)
    return min(max(charge(price, before + count) - billed, least), most)
