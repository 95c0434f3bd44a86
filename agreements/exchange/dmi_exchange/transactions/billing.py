"""Use cases of billing: parties, invoices of what was counted, credit notes, payments, balances, the commons."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, date, datetime, timedelta

import msgspec

from dmi_agreements.contracts.law import AgreementState, Dataset, Participant
from dmi_agreements.prices import Price, due
from dmi_exchange import model as law_model
from dmi_exchange.store import Store
from dmi_exchange.transactions.commons import Share, shares
from dmi_exchange.transactions.meter import HOUR, Read
from dmi_exchange.transactions.model import DAYS_TO_PAY, Invoice, Line, Party, line, vat_of
from dmi_exchange.transactions.store import Counted, Item, Transactions
from dmi_infra import clock
from dmi_infra.errors import Conflict, InputRefused, NotFound

DAY = 24 * HOUR


class Billing:
    """What suppliers and customers can do. ``read`` gives the terms of a signed agreement, ``commons`` what
    each offers a year."""

    def __init__(
        self, store: Store, transactions: Transactions, read: Read, commons: Callable[[], int]
    ) -> None:
        self._store = store
        self.transactions = transactions
        self._read = read
        self._commons = commons

    # -- invoices -----------------------------------------------------------

    def tariffs(self, supplier: str) -> dict[str, tuple[AgreementState, Mapping[str, Price]]]:
        """The priced agreements of a supplier that hold or have held, by id, with the price of each permission."""
        found = {}
        for agreement in self._store.find(AgreementState, supplier):
            giver, _ = law_model.parties(agreement)
            if giver == supplier and agreement.concluded_at is not None:
                tariff = self._read(agreement).tariff
                if tariff:
                    found[agreement.id] = (agreement, tariff)
        return found

    def issue(self, supplier: str, customer: str, until: int | None = None) -> Invoice:
        """Bill all that a customer used before a moment (the whole hour of it; now, when left out).

        Raises ``InputRefused`` for a moment to come, and ``Conflict`` when a party's details or anything to bill
        are missing.
        """
        now = clock.now()
        end = (now if until is None else until) // HOUR * HOUR
        if end > now:
            raise InputRefused.of("until", "must not lie in the future", clock.to_text(end))
        seller, buyer = self._needed(supplier, "supplier"), self._needed(customer, "customer")
        if not seller.iban:
            raise Conflict.of("supplier", "needs an iban among its billing details before it can invoice")
        priced = {
            identifier: (agreement, tariff)
            for identifier, (agreement, tariff) in self.tariffs(supplier).items()
            if law_model.parties(agreement)[1] == customer
        }

        def make(
            identifier: str, counts: Sequence[Counted], charged: frozenset[Item], number: int
        ) -> tuple[Invoice, Sequence[Item]]:
            billed = (_counted(priced[count.agreement][1], count) for count in counts)
            lines = [each for each in billed if each is not None and each.count]
            items: list[Item] = []
            for priced_by, (agreement, tariff) in sorted(priced.items()):
                for item, found in fixed(agreement, tariff, end):
                    if (priced_by, item) not in charged:
                        items.append((priced_by, item))
                        lines.append(found)
            if not lines:
                raise Conflict.of(
                    "customer", "nothing that was used before this moment is still to be billed"
                )
            net = sum(each.net for each in lines)
            start = min((priced[each.agreement][0].concluded_at or end) for each in lines)
            made = Invoice(
                identifier, _number(number, now), supplier, customer, seller, buyer, now,
                now + DAYS_TO_PAY * DAY, min(start, end), end, lines, net, vat_of(net, seller.vat_percent),
            )  # fmt: skip
            return made, items

        return self.transactions.issue(sorted(priced), end, make, supplier)

    def unbilled(self, supplier: str) -> list[tuple[str, Line]]:
        """What the next invoices would bill as things stand, by customer; the hour that runs counts in later."""
        priced = self.tariffs(supplier)
        end = clock.now() // HOUR * HOUR
        found = []
        for count in self.transactions.counted(sorted(priced)):
            used = _counted(priced[count.agreement][1], count)
            if used is not None:
                found.append((law_model.parties(priced[count.agreement][0])[1], used))
        charged = self.transactions.charged(sorted(priced))
        for identifier, (agreement, tariff) in sorted(priced.items()):
            for item, charge in fixed(agreement, tariff, end):
                if (identifier, item) not in charged:
                    found.append((law_model.parties(agreement)[1], charge))
        return found

    def credit(self, supplier: str, identifier: str, bill_again: bool) -> Invoice:
        """Take back an invoice of one's own as a whole; once."""
        credited = self.invoice(identifier, supplier)
        if credited.supplier != supplier:
            raise NotFound("no invoice of yours has this id")
        if credited.kind == "credit":
            raise Conflict.of("id", "a credit note is not credited; issue an invoice again", identifier)
        now = clock.now()

        def make(number: int, issued: Sequence[Invoice]) -> Invoice:
            if any(each.credits == identifier for each in issued):
                raise Conflict.of("id", "this invoice has been credited already", identifier)
            lines = [
                msgspec.structs.replace(each, count=-each.count, net=-each.net) for each in credited.lines
            ]
            return msgspec.structs.replace(
                credited, id=str(uuid.uuid4()), number=_number(number, now), issued_at=now, due_at=now,
                lines=lines, net=-credited.net, vat=-credited.vat, kind="credit", credits=identifier,
                credits_number=credited.number,
            )  # fmt: skip

        return self.transactions.credit(make, supplier, bill_again)

    def pay(self, supplier: str, identifier: str, cents: int) -> Invoice:
        """Record money that the supplier received for an invoice of its own, or gave back for a credit note; never
        more than is open."""
        paid = self.invoice(identifier, supplier)
        if paid.supplier != supplier:
            raise NotFound("no invoice of yours has this id")
        left = self.transactions.pay(paid, cents, clock.now())
        if cents > left:
            raise InputRefused.of("cents", f"must be at most {left}, what is open of this", str(cents))
        return paid

    def invoice(self, identifier: str, party: str | None) -> Invoice:
        """An invoice that ``party`` (``None``: the operator) gave or got; raises ``NotFound``."""
        found = self.transactions.invoice(identifier)
        if found is None or party not in (None, found.supplier, found.customer):
            raise NotFound("no invoice of yours has this id")
        return found

    # -- commons ------------------------------------------------------------

    def commons(self) -> list[Share]:
        """What everyone offers and takes."""
        return shares(
            self._store.find(Participant),
            self._store.find(Dataset),
            self._store.find(AgreementState),
            self._commons(),
            clock.now(),
        )

    def _needed(self, participant: str, role: str) -> Party:
        found = self.transactions.party(participant)
        if found is None:
            raise Conflict.of(role, "has not given yet what an invoice must say of it", participant)
        return found


def _counted(tariff: Mapping[str, Price], count: Counted) -> Line | None:
    price = tariff.get(count.rule)
    if price is None:
        return None
    return Line(
        count.agreement, price, count.uses, due(price, count.uses, count.before, count.billed), count.rule
    )


def fixed(agreement: AgreementState, tariff: Mapping[str, Price], until: int) -> list[tuple[str, Line]]:
    """What the agreement itself costs before a moment: once, and for each calendar month that it began in."""
    begun = agreement.concluded_at
    if begun is None or begun >= until:
        return []
    found: list[tuple[str, Line]] = []
    last = min(until, agreement.ended_at or until)
    for price in sorted(set(tariff.values()), key=lambda each: (each.unit, each.cents, each.per)):
        if price.unit == "once":
            found.append((f"once {price.cents}/{price.per}", line(agreement.id, price)))
        elif price.unit == "month":
            for month in _months(begun, last):
                found.append((f"{month} {price.cents}/{price.per}", line(agreement.id, price, month)))
    return found


def _months(start: int, end: int) -> list[str]:
    """Calendar months (UTC) with a moment in them from ``start`` and before ``end``."""
    first, last = _date(start), _date(max(start, end - 1))
    count = (last.year - first.year) * 12 + last.month - first.month
    whole = (first.year * 12 + first.month - 1 + step for step in range(count + 1))
    return [f"{month // 12:04}-{month % 12 + 1:02}" for month in whole]


def _number(number: int, at: int) -> str:
    return f"{_date(at).year}-{number:05}"


def _date(at: int) -> date:
    return (datetime(1970, 1, 1, tzinfo=UTC) + timedelta(microseconds=at)).date()
