"""What layers did about the requests of persons, kept as the log grows, so that it is told however long ago it was."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from typing import Final

import sqlalchemy as sa

from dmi_agreements.contracts.law import SubjectRequest
from dmi_agreements.contracts.observations import Micros
from dmi_agreements.contracts.record import DecisionRecord
from dmi_agreements.rights import ERASURE, RECTIFICATION, objected
from dmi_agreements.versions import Rulebooks
from dmi_exchange.mydata.uses import REQUEST
from dmi_exchange.tables import exercised
from dmi_infra.sql import among, upsert

BEHIND: Final = frozenset({"visualisation", "support-centre"})
"""Layers that work for what a dataset is collected for, and so delete the rows of who objects to that."""
CONCLUDING: Final = "support-centre"
"""The layer that makes results of rows."""
CORRECTED: Final = f"dmi:{RECTIFICATION}"
LAYERS: Final = BEHIND | {"ingest", "platform"}


@dataclass(frozen=True, slots=True)
class Done:
    """What one layer did about a request."""

    service: str
    rows: int
    at: Micros
    taken_back: Micros = 0
    """Up to when results of the dataset were taken back for it; 0: none were."""


def note(connection: sa.Connection, decisions: Iterable[DecisionRecord]) -> None:
    """Add what new records tell, in the transaction that adds them to the log.

    Rows that were erased later are added; a correction that is carried out once more is about the same rows.
    """
    found: list[tuple[str, DecisionRecord]] = []
    for record in decisions:
        for reason in record.reasons if record.crossing == "store" else ():
            if reason.startswith(REQUEST):
                request = reason.removeprefix(REQUEST).rsplit(": ", 1)[0]
                found.append((request, record))
    known = of(connection, {request for request, _ in found})
    standing = {(request, one.service): one for request, told in known.items() for one in told}
    done: dict[tuple[str, str], Done] = {}
    for request, record in found:
        key = request, record.service
        before = done.get(key) or standing.get(key) or Done(record.service, 0, 0)
        corrected = record.action == CORRECTED
        rows = max(before.rows, record.rows) if corrected else before.rows + record.rows
        # A repeat that finds nothing more leaves what the first time took back.
        until = max(before.taken_back, _taken_back(record))
        done[key] = Done(record.service, rows, record.at, until)
    written = [
        {"request": request, "service": service, "rows": one.rows, "at": one.at, "taken_back": one.taken_back}
        for (request, service), one in done.items()
    ]
    upsert(connection, exercised, written, ["request", "service"], ["rows", "at", "taken_back"])


def _taken_back(record: DecisionRecord) -> Micros:
    """Up to when results were taken back; a support centre of before took all back, and did not say so."""
    if record.taken_back is None:
        return record.at if record.service == CONCLUDING else 0
    return record.taken_back


def of(connection: sa.Connection, requests: Collection[str]) -> dict[str, list[Done]]:
    """What was done about these requests, oldest first."""
    if not requests:
        return {}
    wanted = among(exercised.c.request, "requests", connection.dialect.name)
    query = sa.select(exercised).where(wanted).order_by(exercised.c.at, exercised.c.service)
    told: dict[str, list[Done]] = {}
    for row in connection.execute(query, {"requests": sorted(requests)}):
        told.setdefault(row.request, []).append(Done(row.service, row.rows, row.at, row.taken_back))
    return told


def complete(request: SubjectRequest, purpose: str, told: Collection[str], rulebooks: Rulebooks) -> bool:
    """Whether every layer that has a part in a request has told of it; what gates alone do is done at once.

    ``purpose`` is what the layers work for, in the tree of ``rulebooks``.
    """
    wanted: Collection[str] = ()
    if request.right == ERASURE:
        wanted = LAYERS
    elif request.right == RECTIFICATION:
        wanted = ("platform",)
    elif request.state == "active" and objected(request.purpose, purpose, rulebooks):
        wanted = BEHIND
    return set(wanted) <= set(told)
