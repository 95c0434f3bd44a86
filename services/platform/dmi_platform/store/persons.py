"""What persons ask for their rows and things: erased or corrected, and the last values after that."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import sqlalchemy as sa

from dmi_agreements.contracts.law import Correction
from dmi_agreements.contracts.observations import QUARTER, Micros
from dmi_infra.sql import among
from dmi_platform.model import NEVER
from dmi_platform.store import queries, tables
from dmi_platform.store.queries import Table

_EMPTY = dict.fromkeys(("result", "raw_result", "longitude", "latitude", "subject", "neighbourhood"))


def erase(connection: sa.Connection, dataset: str, person: str, until: Micros) -> int:
    """Delete the rows of a person in a dataset up to a moment; returns how many."""
    kept = tables.observation.c
    theirs = (kept.datastream == sa.bindparam("k"), kept.subject == person, kept.time <= until)
    some = sa.select(sa.literal(1)).select_from(tables.observation).where(*theirs).limit(1)
    query = sa.select(tables.datastream.c.key).where(tables.datastream.c.dataset == dataset)
    # Those alone that hold some: the writers of all others need not wait.
    streams = list(connection.execute(query).scalars())
    keys = [key for key in streams if connection.execute(some, {"k": key}).first() is not None]
    _keep_writers_out(connection, keys)
    statement = sa.delete(tables.observation).where(*theirs)
    deleted = sum(connection.execute(statement, {"k": key}).rowcount for key in keys)
    _settle_last(connection, keys)
    return deleted


def correct(
    connection: sa.Connection, dataset: str, person: str, corrections: Sequence[Correction], flags: int
) -> tuple[int, list[Table]]:
    """Write what a person's rows should have been; how many rows, and all rows of the quarters they lie in."""
    stream, kept = tables.datastream.c, tables.observation.c
    named = among(stream.id, "ids", connection.dialect.name, {one.datastream for one in corrections})
    query = sa.select(stream.id, stream.key).where(stream.dataset == dataset, named)
    keys = {row.id: row.key for row in connection.execute(query)}
    _keep_writers_out(connection, keys.values())
    done = 0
    quarters: dict[tuple[int, Micros], None] = {}
    for one in corrections:
        key = keys.get(one.datastream)
        rows = connection.execute(
            sa.update(tables.observation)
            .where(kept.datastream == key, kept.time == one.phenomenon_time, kept.subject == person)
            .values(result=one.result, raw_result=one.result, flags=flags)
        ).rowcount
        done += rows
        if key is not None and rows:
            quarters[(key, one.phenomenon_time // QUARTER * QUARTER)] = None
    _settle_last(connection, {key for key, _ in quarters})
    return done, [queries.of_person(connection, key, person, at, at + QUARTER) for key, at in quarters]


def _keep_writers_out(connection: sa.Connection, keys: Iterable[int]) -> None:
    """Let no other transaction add to these datastreams until this one ends; see ``Writing``.

    Else the newest row that is left would be looked up without theirs, and written over what they wrote. One of
    SQLite is alone anyway.
    """
    last = tables.last_value.c
    chosen = among(last.datastream, "keys", connection.dialect.name, keys)
    connection.execute(
        sa.select(last.datastream).where(chosen).order_by(last.datastream).with_for_update()
    ).all()


def _settle_last(connection: sa.Connection, keys: Iterable[int]) -> None:
    """The last value of each datastream is the newest row that is left."""
    kept, last = tables.observation.c, tables.last_value.c
    for key in keys:
        newest = (
            sa.select(tables.observation).where(kept.datastream == key).order_by(kept.time.desc()).limit(1)
        )
        row = connection.execute(newest).mappings().first()
        valued = connection.execute(newest.where(kept.result.is_not(None))).mappings().first()
        values = {name: row[name] for name in tables.VALUE_NAMES} if row else _none()
        told = (
            {"valued_at": valued["time"], "valued": valued["result"]}
            if valued
            else {"valued_at": NEVER, "valued": None}
        )
        connection.execute(
            sa.update(tables.last_value).where(last.datastream == key).values(**values, **told)
        )


def _none() -> dict[str, object]:
    return {"time": NEVER, "source_id": "", "flags": 0, **_EMPTY}
