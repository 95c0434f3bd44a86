"""The platform's store: SQLite or PostgreSQL, every read a consistent view, every write one transaction."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Final

import sqlalchemy as sa

from dmi_agreements.contracts.features import Feature
from dmi_agreements.contracts.law import Correction
from dmi_agreements.contracts.observations import Micros
from dmi_agreements.contracts.record import Quality
from dmi_agreements.crossings import BY_NAME
from dmi_infra import outbox
from dmi_infra.bus.port import Message
from dmi_infra.sql import Positions, load_positions, reading, transaction
from dmi_platform.model import NEVER, Area, Cursor, Outcome, Reject, Whose
from dmi_platform.quality import Ints
from dmi_platform.registry import StoredFeature
from dmi_platform.store import features, figures, persons, queries, rejects, tables
from dmi_platform.store.partitions import Partitions
from dmi_platform.store.queries import Table
from dmi_platform.store.writing import Writing

HARMONISED_TOPIC = BY_NAME["harmonised"].topic or ""
PIECE: Final = 1000
"""Features or datastreams that are judged at a time at least, so that few reads pass over those that are not told."""


class Store:
    """All reads and writes of the platform."""

    def __init__(self, engine: sa.Engine) -> None:
        self._engine = engine
        self._partitions = Partitions(engine)

    @contextmanager
    def write(self, times: Ints | None = None) -> Iterator[Writing]:
        """One transaction; ``times`` are those of the observations that it may write."""
        if times is not None:
            self._partitions.cover(times)
        with transaction(self._engine) as connection:
            writing = Writing(connection)
            yield writing
            writing.finish()

    def positions(self) -> Positions:
        """Where the consumer goes on."""
        return load_positions(self._engine, tables.positions)

    def features_since(self, changed_at: Micros) -> list[StoredFeature]:
        """Features changed at or after a moment."""
        with reading(self._engine) as connection:
            return list(features.since(connection, changed_at))

    def features(
        self,
        dataset: str,
        kind: str,
        after: str,
        limit: int,
        at: Micros,
        told: Callable[[Sequence[Feature]], list[Feature]] | None = None,
    ) -> list[Feature]:
        """Features of a dataset and kind valid at a moment, by id, after an id; those that are ``told`` only."""
        found: list[Feature] = []
        rest: str | None = after
        while rest is not None and len(found) < limit:
            with reading(self._engine) as connection:
                some, rest = features.page(connection, dataset, kind, rest, at)
            if told is None:
                found += some
                continue
            # No more at a time than the page may need, since each is judged; and with no connection held meanwhile.
            size = max(limit, PIECE)
            for start in range(0, len(some), size):
                if len(found) < limit:
                    found += told(some[start : start + size])
        return found[:limit]

    def datasets(self) -> list[str]:
        """Every dataset that has a feature."""
        with reading(self._engine) as connection:
            return features.datasets(connection)

    def kept_datasets(self) -> list[str]:
        """Every dataset of which something may be kept: rows, or rejects of before anything else of it came."""
        told = sa.union(sa.select(tables.feature.c.dataset), sa.select(tables.reject.c.dataset))
        with reading(self._engine) as connection:
            return sorted(connection.execute(told).scalars())

    def quality(self, dataset: str, at: Micros, seconds: int) -> Quality:
        """How complete and plausible what was measured over ``seconds`` up to a moment is."""
        with reading(self._engine) as connection:
            return figures.quality(connection, dataset, at, seconds)

    def datastream_ids(
        self,
        datasets: Sequence[str],
        observed_property: str | None,
        after: str,
        limit: int,
        of: Mapping[str, Whose] | None = None,
        ids: Sequence[str] | None = None,
    ) -> list[str]:
        """Ids of datastreams of these datasets, in order, after an id; see ``features.datastream_ids``."""
        with reading(self._engine) as connection:
            return features.datastream_ids(
                connection, datasets, observed_property, after, limit, of or {}, ids
            )

    def latest(
        self, dataset: str, keys: Sequence[int] | None, subjects: Collection[str] | None, limit: int
    ) -> Table:
        """Last values of a dataset, or of these of its datastreams; of these subjects only."""
        with reading(self._engine) as connection:
            return queries.latest(connection, dataset, keys, subjects, limit)

    def newest(self, keys: Sequence[int], until: Micros | None, whose: Whose) -> Table:
        """Of each of these datastreams the newest row of somebody up to a moment; see ``queries.newest``."""
        with reading(self._engine) as connection:
            return queries.newest(connection, keys, until, whose)

    def observations(
        self,
        key: int,
        begin: Micros,
        end: Micros,
        after: Cursor | None,
        limit: int,
        subjects: Collection[str] | None = None,
        areas: Sequence[Area] = (),
        here: tuple[float | None, float | None] = (None, None),
        but: Collection[str] = (),
    ) -> Table:
        """A page of a datastream's rows, by time and source id; see ``queries.observations``."""
        with reading(self._engine) as connection:
            return queries.observations(connection, key, begin, end, after, limit, subjects, areas, here, but)

    def span(
        self, dataset: str, begin: Micros, end: Micros, limit: int, subjects: Collection[str] | None = None
    ) -> Table:
        """Rows of all datastreams of a dataset in a span of time, by time."""
        with reading(self._engine) as connection:
            return queries.span(connection, dataset, begin, end, limit, subjects)

    def extent(self, dataset: str, begin: Micros, end: Micros) -> tuple[Micros, Micros] | None:
        """The times of the first and last row of a dataset in a span of time; ``None``: there is none."""
        with reading(self._engine) as connection:
            return queries.extent(connection, dataset, begin, end)

    def outcome(self, identifier: str, datasets: Collection[str] | None, contributor: str) -> Outcome | None:
        """What became of a batch or import, of what concerns these datasets (``None``: all) or who handed in."""
        with reading(self._engine) as connection:
            return queries.outcome(connection, identifier, datasets, contributor)

    def reject(self, identifier: int) -> Reject | None:
        """One reject."""
        with reading(self._engine) as connection:
            return queries.reject(connection, identifier)

    def rejects(
        self,
        datasets: Collection[str] | None,
        reason: str | None,
        pending: bool,
        before: int | None,
        limit: int,
    ) -> list[Reject]:
        """Rejects, newest first."""
        with reading(self._engine) as connection:
            return queries.rejects(connection, datasets, reason, pending, before, limit)

    def waiting_for(self, about: Collection[str], limit: int) -> list[Reject]:
        """Rejects that wait for one of these identifiers."""
        with reading(self._engine) as connection:
            return queries.waiting_for(connection, about, limit)

    def erase(self, dataset: str, person: str, until: Micros) -> int:
        """Delete a person's rows of a dataset up to a moment, and its rejects; returns how many rows.

        Rejects are looked through before anybody has to wait; one that comes in meanwhile is found when the erasure is
        repeated.
        """
        with reading(self._engine) as connection:
            found = rejects.naming(connection, dataset, [person])
        with transaction(self._engine) as connection:
            erased = persons.erase(connection, dataset, person, until)
            return erased + rejects.erase(connection, found, person, until)

    def correct(
        self,
        dataset: str,
        person: str,
        corrections: Sequence[Correction],
        flags: int,
        tell: Callable[[Table], Message],
    ) -> int:
        """Correct a person's rows and let the bus hear each quarter of an hour that has changed; how many rows."""
        with transaction(self._engine) as connection:
            done, quarters = persons.correct(connection, dataset, person, corrections, flags)
            outbox.add(connection, tables.outgoing, HARMONISED_TOPIC, [tell(table) for table in quarters])
            return done

    def delete_before(self, dataset: str, at: Micros) -> int:
        """Delete a dataset's observations from before a moment, and rejects kept since then; returns rows."""
        stream, last, kept = tables.datastream.c, tables.last_value.c, tables.observation.c
        keys = sa.select(stream.key).where(stream.dataset == dataset)
        empty = dict.fromkeys(
            ("result", "raw_result", "longitude", "latitude", "subject", "neighbourhood", "valued")
        )
        with transaction(self._engine) as connection:
            numbers = list(connection.execute(keys).scalars())
            old = sa.delete(tables.observation).where(kept.datastream == sa.bindparam("k"), kept.time < at)
            deleted = sum(connection.execute(old, {"k": number}).rowcount for number in numbers)
            connection.execute(
                sa.update(tables.last_value)
                .where(last.datastream.in_(keys), last.time < at)
                .values(time=NEVER, valued_at=NEVER, source_id="", flags=0, **empty)
            )
            old_rejects = sa.delete(tables.reject).where(
                tables.reject.c.dataset == dataset, tables.reject.c.at < at
            )
            return deleted + connection.execute(old_rejects).rowcount


__all__ = ["Store", "Table", "Writing"]
