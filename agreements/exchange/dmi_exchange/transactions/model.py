"""What an invoice is: its parties, lines and totals. Pure; all amounts in whole cents."""

from __future__ import annotations

from typing import Final, Literal

import msgspec

from dmi_agreements.contracts.observations import Micros
from dmi_agreements.prices import Price, charge

VatRate = Literal[0, 9, 21]
"""Percentages of Dutch VAT; 0 only where the supplier says why."""
Scheme = Literal["0106", "0190"]
"""Registers of organisations (ICD): the Chamber of Commerce's number, and the OIN of public bodies."""
DAYS_TO_PAY: Final = 30


class Party(msgspec.Struct, frozen=True, omit_defaults=True):
    """What an invoice says of a participant. ``scheme`` and ``registration``: see ``Scheme``.

    ``vat_percent`` is what it charges; ``exemption`` says why that is nothing. ``iban`` is where it is paid.
    """

    name: str
    scheme: str
    registration: str
    street: str
    city: str
    postcode: str
    country: str = "NL"
    vat_id: str = ""
    vat_percent: int = 21
    exemption: str = ""
    iban: str = ""

    @property
    def vat_category(self) -> Literal["S", "E", "O"]:
        """UNCL 5305: standard rate; exempt (who has a VAT number, BR-E-02); not subject to VAT (who has none)."""
        if self.vat_percent:
            return "S"
        return "E" if self.vat_id else "O"


class Line(msgspec.Struct, frozen=True, omit_defaults=True):
    """One price of one agreement over a time: ``count`` units of ``price`` cost ``net`` cents."""

    agreement: str
    price: Price
    count: int
    net: int
    rule: str = ""
    """The permission (path) that costs this; empty in earlier invoices where it was once, or for a month."""
    month: str = ""
    """The calendar month (``2026-11``) of a price by the month."""


class Invoice(msgspec.Struct, frozen=True, omit_defaults=True):
    """An invoice or a credit note (``credits`` is the invoice that it takes back; its amounts are below zero)."""

    id: str
    number: str
    supplier: str
    customer: str
    seller: Party
    buyer: Party
    issued_at: Micros
    due_at: Micros
    start: Micros
    end: Micros
    lines: list[Line]
    net: int
    vat: int
    kind: Literal["invoice", "credit"] = "invoice"
    credits: str = ""
    credits_number: str = ""

    @property
    def gross(self) -> int:
        """What is to be paid."""
        return self.net + self.vat


def line(agreement: str, price: Price, rule: str, month: str = "", number: int = 1) -> Line:
    """A line of a price that is charged once, or for a month, of the permission with this path.

    Of months the ``number``-th costs what all of them cost more than those before it: no rounding adds up.
    """
    return Line(agreement, price, 1, charge(price, number) - charge(price, number - 1), rule, month)


def vat_of(net: int, percent: int) -> int:
    """VAT on the whole of an invoice, half a cent away from zero, as EN 16931 counts it (BR-CO-17)."""
    size = (abs(net) * percent * 2 + 100) // 200
    return size if net >= 0 else -size
