"""Metering by the gates' own counts: uses of priced permissions, summed up as the log grows."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping

import msgspec
import sqlalchemy as sa
import structlog

from dmi_agreements.contracts.law import AgreementState
from dmi_agreements.contracts.record import DecisionRecord
from dmi_agreements.errors import PolicyRefused
from dmi_agreements.policy.terms import AgreementTerms
from dmi_agreements.prices import Price
from dmi_exchange.tables import law
from dmi_exchange.transactions.tables import meter
from dmi_infra.sql import insert_new

log = structlog.get_logger("exchange")

HOUR = 3_600_000_000
"""Microseconds."""

Read = Callable[[AgreementState], AgreementTerms]
"""The terms of a signed agreement, under the version of the rulebook that it names."""


class Meter:
    """Counts uses of priced permissions."""

    def __init__(self, read: Read) -> None:
        self._read = read
        self._tariffs: dict[str, Mapping[str, Price]] = {}

    def count(self, connection: sa.Connection, decisions: Iterable[DecisionRecord]) -> None:
        """Add new decisions, in the transaction that adds them to the log: each counts once there and here.

        What others asked about a party is no use that the party, or who acts for it, made: it costs nothing.
        """
        found: Counter[tuple[str, str, int]] = Counter()
        for decision in decisions:
            if decision.asked_by or not decision.allowed:
                # Who is paid could else make the other side pay by asking what that may do.
                continue
            for agreement, rule, _ in decision.counted:
                tariff = self._tariff(connection, agreement)
                if tariff is None or (rule in tariff and tariff[rule].unit == "use"):
                    found[agreement, rule, decision.at // HOUR * HOUR] += 1
        for key, uses in sorted(found.items()):
            add(connection, key, uses)

    def _tariff(self, connection: sa.Connection, agreement: str) -> Mapping[str, Price] | None:
        """Its prices; ``None``: it cannot be read, so that all of it counts until somebody can tell what it costs."""
        known = self._tariffs.get(agreement)
        if known is None:
            query = sa.select(law.c.body).where(law.c.id == agreement, law.c.type == "agreement")
            body = connection.execute(query).scalar_one_or_none()
            if body is None:
                return {}
            # A document never changes once it is signed, so what it says of prices may be kept.
            state = msgspec.json.decode(body, type=AgreementState)
            try:
                known = self._tariffs[agreement] = self._read(state).tariff
            except PolicyRefused:
                # It is read again with the next use: a process that has not heard of its rulebook yet may hear of it.
                log.warning(
                    "uses of an agreement that cannot be read are billed when it can be", agreement=agreement
                )
                return None
        return known


def reopen(connection: sa.Connection, invoice: str) -> None:
    """What an invoice billed is not yet billed again; it joins what was counted for the same hours since."""
    rows = connection.execute(sa.select(meter).where(meter.c.invoice == invoice)).all()
    connection.execute(sa.delete(meter).where(meter.c.invoice == invoice))
    for row in rows:
        add(connection, (row.agreement, row.rule, row.hour), row.uses)


def add(connection: sa.Connection, key: tuple[str, str, int], uses: int) -> None:
    """Add uses to what was counted of agreement, rule and hour and is not billed, in the caller's transaction."""
    names = dict(zip(("agreement", "rule", "hour"), key, strict=True)) | {"invoice": ""}
    here = sa.and_(*(meter.c[name] == value for name, value in names.items()))
    added = sa.update(meter).where(here).values(uses=meter.c.uses + uses)
    # Between the two another process may have made the row, and a third billed it: the log counts all the while.
    while not connection.execute(added).rowcount:
        if insert_new(connection, meter, {**names, "uses": uses}, list(names)):
            return
