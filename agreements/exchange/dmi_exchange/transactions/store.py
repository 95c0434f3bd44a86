"""What the transaction module keeps: parties, counts, invoices, postings. Each write is one transaction."""

from __future__ import annotations

import uuid
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import msgspec
import sqlalchemy as sa

from dmi_exchange.transactions import ledger
from dmi_exchange.transactions.meter import reopen
from dmi_exchange.transactions.model import Invoice, Party
from dmi_exchange.transactions.tables import billing_party, charged, invoice, meter, posting
from dmi_infra.errors import Conflict
from dmi_infra.sql import among, reading, transaction, upsert


@dataclass(frozen=True, slots=True)
class Counted:
    """Uses of one permission (``rule``: its path) of an agreement that are to be billed."""

    agreement: str
    rule: str
    uses: int
    before: int
    """Uses that have been billed."""
    billed: int
    """For how many cents, without VAT."""
    first: int
    """The first hour in which they were counted (microseconds UTC)."""


@dataclass(frozen=True, slots=True)
class Entry:
    """A posting as it stands in a book."""

    id: int
    account: str
    other: str
    cents: int
    at: int
    invoice: str
    kind: str
    number: str
    """Of the document that the entry is about: the invoice, the credit note, or what was paid."""


Item = tuple[str, str]
"""An agreement, and what of it is charged once."""
Make = Callable[[str, Sequence[Counted], frozenset[Item], int], "tuple[Invoice, Sequence[Item]]"]
"""An invoice of an id, counts, what was charged once already, and the next number; with what it charges once."""


class Transactions:
    """Reads and writes of the transaction module."""

    def __init__(self, engine: sa.Engine) -> None:
        self._engine = engine

    def party(self, participant: str) -> Party | None:
        """What an invoice says of a participant."""
        query = sa.select(billing_party.c.body).where(billing_party.c.participant == participant)
        with reading(self._engine) as connection:
            body = connection.execute(query).scalar_one_or_none()
        return None if body is None else msgspec.json.decode(body, type=Party)

    def keep_party(self, participant: str, party: Party) -> None:
        """Keep what invoices from now on say of a participant."""
        row = {"participant": participant, "body": msgspec.json.encode(party).decode()}
        with transaction(self._engine) as connection:
            upsert(connection, billing_party, [row], ["participant"], ["body"])

    def counted(self, agreements: Sequence[str]) -> list[Counted]:
        """What of these agreements was used and is not yet billed."""
        with reading(self._engine) as connection:
            return _counted(connection, agreements, "")

    def issue(self, agreements: Sequence[str], until: int, make: Make, supplier: str) -> Invoice:
        """Issue what ``make`` makes of the counts before ``until``, what was charged once, and the next number.

        Counts, what is charged once, invoice and postings change together or, when ``make`` raises, not at all.
        """
        identifier = str(uuid.uuid4())
        with transaction(self._engine) as connection:
            _alone(connection, supplier)
            # Marked before they are summed up: what the log counts meanwhile is the next invoice's.
            open_still = sa.and_(
                _of(connection, meter, agreements), meter.c.invoice == "", meter.c.hour < until
            )
            connection.execute(sa.update(meter).where(open_still).values(invoice=identifier))
            issued, items = make(
                identifier, _counted(connection, agreements, identifier), _charged(connection, agreements),
                _issued(connection, supplier) + 1,
            )  # fmt: skip
            if items:
                rows = [{"agreement": a, "item": item, "invoice": issued.id} for a, item in items]
                connection.execute(sa.insert(charged), rows)
            _keep(connection, issued)
            return issued

    def credit(
        self, make: Callable[[int, Sequence[Invoice]], Invoice], supplier: str, bill_again: bool
    ) -> Invoice:
        """Keep a credit note that ``make`` makes of the next number and all that the supplier issued.

        ``bill_again``: what the invoice had billed is open again, for one that is right.
        """
        with transaction(self._engine) as connection:
            _alone(connection, supplier)
            bodies = connection.execute(
                sa.select(invoice.c.body).where(invoice.c.supplier == supplier)
            ).scalars()
            issued = [msgspec.json.decode(body, type=Invoice) for body in bodies]
            note = make(len(issued) + 1, issued)
            if bill_again:
                connection.execute(sa.delete(charged).where(charged.c.invoice == note.credits))
                reopen(connection, note.credits)
            _keep(connection, note)
            return note

    def pay(self, paid: Invoice, cents: int, at: int, reference: str = "") -> int:
        """Record that money was received for an invoice, or given back for a credit note; under one ``reference`` once.

        Returns what was open before, in cents; when that is less than ``cents``, nothing is recorded. Raises
        ``Conflict`` for another amount under a reference that was recorded before.
        """
        entry = f"payment:{paid.id}:{at}" if not reference else f"payment:{paid.id}:of:{reference}"
        received = -cents if paid.credits else cents
        with transaction(self._engine) as connection:
            _alone(connection, paid.supplier)
            before = _received(connection, paid.supplier, entry) if reference else None
            if before is not None:
                if before != received:
                    raise Conflict.of("reference", "was given to a payment of another amount", reference)
                return cents
            left = _open(connection, paid)
            if cents <= left:
                postings = ledger.paid(paid.supplier, paid.customer, received)
                _post(connection, postings, entry, at, paid.credits or paid.id, "payment")
            return left

    def invoice(self, identifier: str) -> Invoice | None:
        """One invoice or credit note."""
        query = sa.select(invoice.c.body).where(invoice.c.id == identifier)
        with reading(self._engine) as connection:
            body = connection.execute(query).scalar_one_or_none()
        return None if body is None else msgspec.json.decode(body, type=Invoice)

    def invoices(self, party: str | None, limit: int, after: Invoice | None = None) -> list[Invoice]:
        """So many that a participant (``None``: anybody) gave or got, newest first, behind ``after``."""
        at, identifier = invoice.c.issued_at, invoice.c.id
        query = sa.select(invoice.c.body).order_by(at.desc(), identifier).limit(limit)
        if party is not None:
            query = query.where(sa.or_(invoice.c.supplier == party, invoice.c.customer == party))
        if after is not None:
            same = sa.and_(at == after.issued_at, identifier > after.id)
            query = query.where(sa.or_(at < after.issued_at, same))
        with reading(self._engine) as connection:
            bodies = connection.execute(query).scalars().all()
        return [msgspec.json.decode(body, type=Invoice) for body in bodies]

    def open_cents(self, owed: Invoice) -> int:
        """What is still to be paid of an invoice, after payments and credit notes; of a credit note, what is to be
        given back of what had been paid. Never below zero."""
        with reading(self._engine) as connection:
            return _open(connection, owed)

    def charged(self, agreements: Sequence[str]) -> frozenset[Item]:
        """What of these agreements was charged once, and is not charged again."""
        with reading(self._engine) as connection:
            return _charged(connection, agreements)

    def balances(self, owner: str) -> list[tuple[str, str, int]]:
        """Account, the other party and its balance in cents, of one book."""
        query = (
            sa.select(posting.c.account, posting.c.other, sa.func.sum(posting.c.cents).label("cents"))
            .where(posting.c.owner == owner)
            .group_by(posting.c.account, posting.c.other)
            .order_by(posting.c.account, posting.c.other)
        )
        with reading(self._engine) as connection:
            return [(row.account, row.other, int(row.cents)) for row in connection.execute(query)]

    def entries(
        self, owner: str, account: str | None, other: str | None, after: int, limit: int
    ) -> list[Entry]:
        """Postings of a book, of one account of it, or with one other party, oldest first, after an id."""
        # A payment is about a document; what is issued is one itself.
        about = sa.case((posting.c.kind == "payment", posting.c.invoice), else_=posting.c.entry)
        query = (
            sa.select(posting, invoice.c.number)
            .join(invoice, invoice.c.id == about)
            .where(posting.c.owner == owner, posting.c.id > after)
        )
        if account is not None:
            query = query.where(posting.c.account == account)
        if other is not None:
            query = query.where(posting.c.other == other)
        with reading(self._engine) as connection:
            rows = connection.execute(query.order_by(posting.c.id).limit(limit)).all()
        return [
            Entry(r.id, r.account, r.other, int(r.cents), r.at, r.invoice, r.kind, r.number) for r in rows
        ]


def _counted(connection: sa.Connection, agreements: Sequence[str], invoiced: str) -> list[Counted]:
    """The uses under one invoice (empty: under none yet), with what was billed before."""
    names = (meter.c.agreement, meter.c.rule)
    first, uses = sa.func.min(meter.c.hour).label("first"), sa.func.sum(meter.c.uses).label("uses")
    query = sa.select(*names, meter.c.invoice, first, uses)
    rows = connection.execute(
        query.where(_of(connection, meter, agreements)).group_by(*names, meter.c.invoice).order_by(*names)
    ).all()
    before: Counter[tuple[str, str]] = Counter()
    for row in rows:
        if row.invoice not in ("", invoiced):
            before[row.agreement, row.rule] += int(row.uses)
    billed = _billed(connection, agreements) if before else before
    return [
        Counted(row.agreement, row.rule, int(row.uses), before[place], billed[place], int(row.first))
        for row in rows
        if row.invoice == invoiced
        for place in ((row.agreement, row.rule),)
    ]


def _billed(connection: sa.Connection, agreements: Sequence[str]) -> Counter[tuple[str, str]]:
    """Cents by agreement and rule of the invoices whose uses are not open again."""
    names = sa.select(meter.c.invoice).where(_of(connection, meter, agreements))
    found: Counter[tuple[str, str]] = Counter()
    for body in connection.execute(sa.select(invoice.c.body).where(invoice.c.id.in_(names))).scalars():
        for line in msgspec.json.decode(body, type=Invoice).lines:
            found[line.agreement, line.rule] += line.net
    return found


def _of(connection: sa.Connection, table: sa.Table, agreements: Sequence[str]) -> sa.ColumnElement[bool]:
    return among(table.c.agreement, "agreements", connection.dialect.name, agreements)


def _alone(connection: sa.Connection, supplier: str) -> None:
    """Held until the end of the transaction, so that two at once bill, number and pay one after the other."""
    query = sa.select(billing_party.c.participant).where(billing_party.c.participant == supplier)
    connection.execute(query.with_for_update())


def _charged(connection: sa.Connection, agreements: Sequence[str]) -> frozenset[Item]:
    query = sa.select(charged.c.agreement, charged.c.item).where(_of(connection, charged, agreements))
    return frozenset((row.agreement, row.item) for row in connection.execute(query))


def _received(connection: sa.Connection, supplier: str, entry: str) -> int | None:
    """Cents that the supplier's bank got by an entry; ``None`` when there is no such entry."""
    query = sa.select(posting.c.cents).where(
        posting.c.entry == entry, posting.c.owner == supplier, posting.c.account == "bank"
    )
    return connection.execute(query).scalars().first()


def _open(connection: sa.Connection, owed: Invoice) -> int:
    query = sa.select(sa.func.coalesce(sa.func.sum(posting.c.cents), 0)).where(
        posting.c.owner == owed.supplier,
        posting.c.account == "debtors",
        posting.c.invoice == (owed.credits or owed.id),
    )
    balance = int(connection.execute(query).scalar_one())
    return max(0, -balance if owed.credits else balance)


def _issued(connection: sa.Connection, supplier: str) -> int:
    query = sa.select(sa.func.count()).select_from(invoice).where(invoice.c.supplier == supplier)
    return int(connection.execute(query).scalar_one())


def _keep(connection: sa.Connection, made: Invoice) -> None:
    row = {
        "id": made.id, "supplier": made.supplier, "customer": made.customer, "number": made.number,
        "issued_at": made.issued_at, "body": msgspec.json.encode(made).decode(),
    }  # fmt: skip
    connection.execute(sa.insert(invoice), [row])
    postings = ledger.billed(made.supplier, made.customer, made.net, made.vat)
    _post(connection, postings, made.id, made.issued_at, made.credits or made.id, made.kind)


def _post(
    connection: sa.Connection, postings: Sequence[ledger.Posting], entry: str, at: int, about: str, kind: str
) -> None:
    ledger.check(postings)
    rows = [
        {"entry": entry, "owner": p.owner, "account": p.account, "other": p.other, "cents": p.cents,
         "at": at, "invoice": about, "kind": kind}
        for p in postings if p.cents
    ]  # fmt: skip
    if rows:
        connection.execute(sa.insert(posting), rows)
