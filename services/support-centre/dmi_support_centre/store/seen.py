"""Whose rows of a dataset ever came in: of them alone results are taken back when they have their data erased."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable

import sqlalchemy as sa

from dmi_agreements.contracts.observations import Micros
from dmi_infra.sql import reading, transaction
from dmi_support_centre.model import Reading
from dmi_support_centre.store import tables


class SeenStore:
    """Who was seen in a dataset. It outlasts the rows: what was made of them before their term ended rests on them."""

    def __init__(self, engine: sa.Engine) -> None:
        self._engine = engine

    def may_hold(self, dataset: str, person: str) -> bool:
        """Whether rows of a person came in, or such that nobody can tell whose they are."""
        t = tables.seen.c
        names = [digest(dataset, person), digest(dataset, "")]
        query = sa.select(t.times).where(t.dataset == dataset, t.person.in_(names)).limit(1)
        with reading(self._engine) as connection:
            return connection.execute(query).first() is not None

    def since(self) -> Micros:
        """From when on it is known who was seen; what was made before may rest on rows of anybody."""
        with reading(self._engine) as connection:
            return int(connection.execute(sa.select(sa.func.max(tables.seen_since.c.at))).scalar_one() or 0)

    def gone(self, dataset: str, person: str) -> int | None:
        """How often rows of a person came in, when none of them is kept any more; ``None``: some are, or never were."""
        t = tables.seen.c
        often = sa.select(t.times).where(t.dataset == dataset, t.person == digest(dataset, person))
        with reading(self._engine) as connection:
            # Before the rows: of those that come in between, either the number differs later or they are found here.
            times = connection.execute(often).scalar_one_or_none()
            for table in tables.READINGS:
                theirs = sa.select(table.c.subject).where(
                    table.c.dataset == dataset, table.c.subject == person
                )
                if connection.execute(theirs.limit(1)).first() is not None:
                    return None
        return times

    def forget(self, dataset: str, person: str, times: int) -> None:
        """Forget that a person was seen, unless rows came in more often than so many ``times``."""
        t = tables.seen.c
        which = t.dataset == dataset, t.person == digest(dataset, person), t.times == times
        with transaction(self._engine) as connection:
            connection.execute(sa.delete(tables.seen).where(*which))


def note(connection: sa.Connection, readings: Iterable[Reading]) -> None:
    """Note whose readings come in, in the transaction that keeps them; of some nobody knows whose they are."""
    # In one order, so that no two transactions wait for each other.
    pairs = sorted({(one.dataset, one.subject) for one in readings})
    if pairs:
        rows = [{"dataset": dataset, "person": digest(dataset, person)} for dataset, person in pairs]
        connection.execute(_SEEN, rows)


def digest(dataset: str, person: str) -> str:
    """What stands for a person in a dataset.

    No name stays here beyond the term of the rows, nor can one person's datasets be put side by side. There is no key,
    which would lie beside the digests: who has the store and a name can ask for it, so a digest goes with an erasure.
    """
    return hashlib.sha256(f"{dataset}\0{person}".encode()).hexdigest()


_SEEN = sa.text(
    "INSERT INTO seen (dataset, person, times) VALUES (:dataset, :person, 1) "
    "ON CONFLICT (dataset, person) DO UPDATE SET times = seen.times + 1"
)
"""Also where the person is known: on PostgreSQL whoever forgets it at that moment waits, and finds another number."""
