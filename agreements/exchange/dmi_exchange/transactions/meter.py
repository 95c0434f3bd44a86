"""Metering by the gates' own counts: decisions that rest on priced agreements, summed up as the log grows."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping

import msgspec
import sqlalchemy as sa

from dmi_agreements.contracts.law import AgreementState
from dmi_agreements.contracts.record import DecisionRecord
from dmi_agreements.policy.terms import AgreementTerms
from dmi_agreements.prices import COUNTED, Price, Use
from dmi_exchange.tables import law
from dmi_exchange.transactions.tables import meter

HOUR = 3_600_000_000
"""Microseconds."""
DELIVERED = "delivered"
"""Begins the reason of a record that tells rows given under a decision that was recorded before."""

Read = Callable[[AgreementState], AgreementTerms]


class Meter:
    """Counts uses and rows. ``read`` gives the terms of a signed agreement."""

    def __init__(self, read: Read) -> None:
        self._read = read
        self._tariffs: dict[str, Mapping[Use, Price]] = {}

    def count(self, connection: sa.Connection, decisions: Iterable[DecisionRecord]) -> None:
        """Add new decisions, in the transaction that chains them to the log: each counts once there and here."""
        found: dict[tuple[str, str, str, int], list[int]] = {}
        for decision in decisions:
            if not decision.allowed:
                continue
            for agreement in decision.agreements:
                price = self._tariff(connection, agreement).get((decision.action, decision.dataset))
                if price is None or price.unit not in COUNTED:
                    continue
                key = (agreement, decision.action, decision.dataset, decision.at // HOUR * HOUR)
                sums = found.setdefault(key, [0, 0])
                sums[0] += not any(reason.startswith(DELIVERED) for reason in decision.reasons)
                sums[1] += decision.rows
        for key, (uses, rows) in sorted(found.items()):
            _add(connection, key, uses, rows)

    def _tariff(self, connection: sa.Connection, agreement: str) -> Mapping[Use, Price]:
        known = self._tariffs.get(agreement)
        if known is None:
            query = sa.select(law.c.body).where(law.c.id == agreement, law.c.type == "agreement")
            body = connection.execute(query).scalar_one_or_none()
            if body is None:
                return {}
            # A document never changes once it is signed, so what it says of prices may be kept.
            state = msgspec.json.decode(body, type=AgreementState)
            known = self._tariffs[agreement] = self._read(state).tariff()
        return known


def _add(connection: sa.Connection, key: tuple[str, str, str, int], uses: int, rows: int) -> None:
    agreement, action, dataset, hour = key
    names = {"agreement": agreement, "action": action, "dataset": dataset, "hour": hour, "invoice": ""}
    here = sa.and_(*(meter.c[name] == value for name, value in names.items()))
    added = {"uses": meter.c.uses + uses, "rows": meter.c.rows + rows}
    if not connection.execute(sa.update(meter).where(here).values(added)).rowcount:
        connection.execute(sa.insert(meter), [{**names, "uses": uses, "rows": rows}])


def reopen(connection: sa.Connection, invoice: str) -> None:
    """What an invoice billed is not yet billed again; it joins what was counted for the same hours since."""
    rows = connection.execute(sa.select(meter).where(meter.c.invoice == invoice)).all()
    connection.execute(sa.delete(meter).where(meter.c.invoice == invoice))
    for row in rows:
        _add(connection, (row.agreement, row.action, row.dataset, row.hour), row.uses, row.rows)
