"""What a use costs: price terms of an agreement (the duty ``dmi:pay``), in whole cents and never in fractions of one.

A price says so many cents for so many units. What a count costs is worked out once for the whole count, so that a
thousand uses at half a cent are five euros and no rounding adds up.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

UNITS: Final = ("row", "use", "month", "once")
"""What can be counted: rows that passed, uses that were allowed, calendar months begun (UTC), the agreement itself."""
COUNTED: Final = frozenset({"row", "use"})
"""Units that the gates count; the others follow from the agreement's own times."""


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


Use = tuple[str, str]
"""An action and a dataset."""


def tariff(priced: Sequence[tuple[Sequence[str], Sequence[str], Sequence[Price]]]) -> Mapping[Use, Price]:
    """What each use costs, from the actions, datasets and prices of all permissions.

    Raises ``ValueError`` when one use would have two prices: nobody could tell from the log which one holds.
    """
    found: dict[Use, Price] = {}
    for actions, datasets, prices in priced:
        for use in ((action, dataset) for action in actions for dataset in datasets):
            for price in prices:
                if found.setdefault(use, price) != price:
                    raise ValueError(f"{use[0]} of {use[1]} has two prices")
    return found
