"""What a use costs: price terms of an agreement (the duty ``dmi:pay``), in whole cents and never in fractions of one.

A price says so many cents for so many units. What a count costs is worked out once for the whole count, so that a
thousand uses at half a cent are five euros and no rounding adds up.
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
