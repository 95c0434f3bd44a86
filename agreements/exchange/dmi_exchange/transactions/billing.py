"""Use cases of billing: parties, invoices of what was counted, credit notes, payments, balances, the commons."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import msgspec
import structlog

from dmi_agreements.contracts.law import AgreementState, Dataset, Participant
from dmi_agreements.errors import PolicyRefused
from dmi_agreements.prices import due
from dmi_exchange import model as law_model
from dmi_exchange.store import Store
from dmi_exchange.transactions.commons import Share, shares
from dmi_exchange.transactions.fixed import Charge, Priced, day_of, fixed, tariff
from dmi_exchange.transactions.meter import HOUR, Read
from dmi_exchange.transactions.model import DAYS_TO_PAY, Invoice, Line, Party, vat_of
from dmi_exchange.transactions.store import Counted, Item, Transactions
from dmi_infra import clock
from dmi_infra.errors import Conflict, InputRefused, NotFound

log = structlog.get_logger("exchange")

DAY = 24 * HOUR


@dataclass(frozen=True, slots=True)
class PricedAgreement:
    """An agreement with what its permissions cost, by path."""

    agreement: AgreementState
    tariff: Mapping[str, Priced]

    def charges(self, until: int, charged: frozenset[Item]) -> list[Charge]:
        """What it costs whatever was used before a moment, and has not been charged."""
        found = fixed(self.agreement, self.tariff, until)
        return [each for each in found if charged.isdisjoint((self.agreement.id, one) for one in each.items)]

    def used(self, count: Counted) -> Line | None:
        """What uses of one permission cost; ``None`` when they cost nothing."""
        each = self.tariff.get(count.rule)
        if each is None or each.price.unit != "use":
            return None
        net = due(each.price, count.uses, count.before, count.billed)
        return Line(count.agreement, each.price, count.uses, net, count.rule)


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

    def tariffs(self, supplier: str) -> dict[str, PricedAgreement]:
        """The priced agreements of a supplier that hold or have held, by id, with the price of each permission.

        One that the language has lost a term of is left out, as the gates refuse it: the others are billed.
        """
        found = {}
        for agreement in self._store.find(AgreementState, supplier):
            giver, _ = law_model.parties(agreement)
            if giver != supplier or agreement.concluded_at is None:
                continue
            try:
                priced = tariff(self._read(agreement))
            except PolicyRefused:
                log.warning("an agreement that cannot be read is not billed", agreement=agreement.id)
                continue
            if priced:
                found[agreement.id] = PricedAgreement(agreement, priced)
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
            identifier: each
            for identifier, each in self.tariffs(supplier).items()
            if law_model.parties(each.agreement)[1] == customer
        }

        def make(
            identifier: str, counts: Sequence[Counted], charged: frozenset[Item], number: int
        ) -> tuple[Invoice, Sequence[Item]]:
            lines: list[Line] = []
            starts: list[int] = []
            items: list[Item] = []
            for count in counts:
                used = priced[count.agreement].used(count)
                if used is not None and used.count:
                    lines.append(used)
                    starts.append(count.first)
            for priced_by, each in sorted(priced.items()):
                for charge in each.charges(end, charged):
                    items.append((priced_by, charge.item))
                    lines.append(charge.line)
                    starts.append(charge.start)
            if not lines:
                raise Conflict.of(
                    "customer", "nothing that was used before this moment is still to be billed"
                )
            net = sum(each.net for each in lines)
            made = Invoice(
                identifier, _number(number, now), supplier, customer, seller, buyer, now,
                now + DAYS_TO_PAY * DAY, min(*starts, end), end, lines, net, vat_of(net, seller.vat_percent),
            )  # fmt: skip
            return made, items

        return self.transactions.issue(sorted(priced), end, make, supplier)

    def unbilled(self, supplier: str) -> list[tuple[str, Line]]:
        """What the next invoices would bill as things stand, by customer; the hour that runs counts in later."""
        priced = self.tariffs(supplier)
        customers = {name: law_model.parties(each.agreement)[1] for name, each in priced.items()}
        end = clock.now() // HOUR * HOUR
        found = []
        for count in self.transactions.counted(sorted(priced)):
            used = priced[count.agreement].used(count)
            if used is not None:
                found.append((customers[count.agreement], used))
        charged = self.transactions.charged(sorted(priced))
        for identifier, each in sorted(priced.items()):
            found.extend((customers[identifier], charge.line) for charge in each.charges(end, charged))
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

    def pay(self, supplier: str, identifier: str, cents: int, reference: str = "") -> Invoice:
        """Record money that the supplier received for an invoice of its own, or gave back for a credit note; never
        more than is open, and under one ``reference`` of its own once."""
        paid = self.invoice(identifier, supplier)
        if paid.supplier != supplier:
            raise NotFound("no invoice of yours has this id")
        left = self.transactions.pay(paid, cents, clock.now(), reference)
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


def _number(number: int, at: int) -> str:
    return f"{day_of(at).year}-{number:05}"
