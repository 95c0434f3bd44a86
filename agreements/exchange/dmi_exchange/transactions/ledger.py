"""Double entry: how an invoice, a credit note and a payment stand in the books of both sides. Pure.

Debit is above zero, credit below. The postings of one entry add up to zero in each book, so that a balance is always
the sum of entries that can be shown.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, Literal

Account = Literal["debtors", "revenue", "vat-due", "creditors", "costs", "vat-paid", "bank"]
Kind = Literal["invoice", "credit", "payment"]
ACCOUNTS: Final = ("debtors", "creditors", "revenue", "costs", "vat-due", "vat-paid", "bank")


@dataclass(frozen=True, slots=True)
class Posting:
    """``cents`` on an ``account`` of ``owner``, about ``other``."""

    owner: str
    account: Account
    other: str
    cents: int


def billed(supplier: str, customer: str, net: int, vat: int) -> tuple[Posting, ...]:
    """An invoice; with amounts below zero a credit note."""
    return (
        Posting(supplier, "debtors", customer, net + vat),
        Posting(supplier, "revenue", customer, -net),
        Posting(supplier, "vat-due", customer, -vat),
        Posting(customer, "costs", supplier, net),
        Posting(customer, "vat-paid", supplier, vat),
        Posting(customer, "creditors", supplier, -(net + vat)),
    )


def paid(supplier: str, customer: str, cents: int) -> tuple[Posting, ...]:
    """A payment of the customer that the supplier has received."""
    return (
        Posting(supplier, "bank", customer, cents),
        Posting(supplier, "debtors", customer, -cents),
        Posting(customer, "creditors", supplier, cents),
        Posting(customer, "bank", supplier, -cents),
    )


def check(postings: Sequence[Posting]) -> None:
    """Raise ``ValueError`` unless the postings add up to zero in each book."""
    sums: dict[str, int] = {}
    for each in postings:
        sums[each.owner] = sums.get(each.owner, 0) + each.cents
    unbalanced = [owner for owner, cents in sums.items() if cents]
    if unbalanced:
        raise ValueError(f"the entry does not balance in the book of {unbalanced[0]}")
