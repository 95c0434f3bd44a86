"""What a result rests on: kept with the links that lead to it, and read from its own lineage."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from functools import cache, partial

import msgspec
import sqlalchemy as sa

from dmi_agreements.contracts.envelope import encode
from dmi_agreements.contracts.results import Lineage
from dmi_exchange.logbook.entries import IDS_AT_ONCE
from dmi_exchange.tables import ground, lineage
from dmi_infra.sql import reading, upsert

Find = Callable[[str], Lineage | None]

MOST_DEPENDENTS = 10_000
"""Results that are looked through for what rests on one thing: one request must not go through a whole city's."""
DEPENDENTS_AT_ONCE = 500
FIGURE = "figure"
"""The kind of a result that is the data itself, as the platform keeps it."""
CROWD = "crowd"
"""The kind of a level of crowding."""
_MAKER = "dmi-support-centre "
"""What the code of a result that is made of data begins with; its earlier versions told levels as figures."""


def kind_of(item: Lineage) -> str:
    """The kind of a result, also as an earlier version of who made it should have told it."""
    return CROWD if item.kind == FIGURE and item.code.startswith(_MAKER) else item.kind


def is_dataset(item: Lineage) -> bool:
    """Whether this is the data of a whole dataset, which has its id."""
    return kind_of(item) == FIGURE and item.result in item.grounds.datasets


def is_of_one_sensor(item: Lineage) -> bool:
    """Whether this is the data of one datastream, which rests on that of its dataset."""
    return (
        kind_of(item) == FIGURE
        and not is_dataset(item)
        and not set(item.grounds.datasets).isdisjoint(item.grounds.results)
    )


def bearers(item: Lineage, find: Find) -> Iterator[Lineage]:
    """The lineages that name the ground under a result: its own, or when that names none, those of results under it.

    A result under it may have been made anew since, under other rights, with the same id. So what a result names
    itself is all of its ground.
    """
    waiting, seen = [item], {item.result}
    while waiting:
        one = waiting.pop()
        grounds = one.grounds
        if grounds.datasets or grounds.agreements or grounds.consents:
            yield one
        else:
            waiting.extend(_under(one, find, seen))


def rests_on(item: Lineage, identifier: str, find: Find) -> bool:
    """Whether a result rests on this dataset, agreement, consent or result."""
    for one in bearers(item, find):
        if identifier in (*one.grounds.datasets, *one.grounds.agreements, *one.grounds.consents):
            return True
    waiting, seen = [item], {item.result}
    while waiting:
        one = waiting.pop()
        if identifier in one.grounds.results:
            return True
        waiting.extend(_under(one, find, seen))
    return False


def _under(item: Lineage, find: Find, seen: set[str]) -> Iterator[Lineage]:
    for identifier in item.grounds.results:
        # A result whose own lineage is still on its way says nothing yet.
        below = find(identifier) if identifier not in seen else None
        seen.add(identifier)
        if below is not None:
            yield below


def keep_lineage(connection: sa.Connection, results: Sequence[Lineage]) -> None:
    """Keep lineage with its links, in the caller's transaction; what is older than what is there is dropped."""
    rows = [{"result": r.result, "made_at": r.made_at, "body": encode(r).decode()} for r in results]
    upsert(connection, lineage, rows, ["result"], ["made_at", "body"], not_older="made_at")
    newest: list[Lineage] = []
    for start in range(0, len(results), IDS_AT_ONCE):
        part = results[start : start + IDS_AT_ONCE]
        ids = [r.result for r in part]
        query = sa.select(lineage.c.result, lineage.c.made_at).where(lineage.c.result.in_(ids))
        kept = {row.result: row.made_at for row in connection.execute(query)}
        fresh = [r for r in part if r.made_at == kept[r.result]]
        # A result made anew under other rights does not rest on those of before any more.
        connection.execute(sa.delete(ground).where(ground.c.result.in_([r.result for r in fresh])))
        newest.extend(fresh)
    links = [
        {"ground": used, "result": r.result}
        for r in newest
        for used in sorted(
            {*r.grounds.datasets, *r.grounds.agreements, *r.grounds.consents, *r.grounds.results}
        )
    ]
    upsert(connection, ground, links, ["ground", "result"])


def result(engine: sa.Engine, identifier: str) -> Lineage | None:
    """The lineage of one result."""
    query = sa.select(lineage.c.body).where(lineage.c.result == identifier)
    with reading(engine) as connection:
        body = connection.execute(query).scalar_one_or_none()
    return None if body is None else msgspec.json.decode(body, type=Lineage)


def dependents(
    engine: sa.Engine, identifier: str, limit: int, may: Callable[[Lineage], bool]
) -> list[Lineage]:
    """Results that rest on this dataset, agreement, consent or result, directly or through others; newest first.

    Of those that ``may`` be told at most ``limit``, of the newest ``MOST_DEPENDENTS``.
    """
    reached = sa.select(ground.c.result).where(ground.c.ground == identifier).cte("reached", recursive=True)
    reached = reached.union(sa.select(ground.c.result).join(reached, ground.c.ground == reached.c.result))
    query = (
        sa.select(lineage.c.result)
        .join(reached, reached.c.result == lineage.c.result)
        .order_by(lineage.c.made_at.desc(), lineage.c.result)
        .limit(MOST_DEPENDENTS)
    )
    with reading(engine) as connection:
        names = connection.execute(query).scalars().all()
    # The links lead to all that may rest on it; the lineage of each says whether it does.
    find = cache(partial(result, engine))
    found: list[Lineage] = []
    for start in range(0, len(names), DEPENDENTS_AT_ONCE):
        for item in _results(engine, names[start : start + DEPENDENTS_AT_ONCE]):
            if may(item) and rests_on(item, identifier, find):
                found.append(item)
                if len(found) == limit:
                    return found
    return found


def _results(engine: sa.Engine, names: Sequence[str]) -> Iterator[Lineage]:
    """The lineages of these results, in their order."""
    query = sa.select(lineage.c.result, lineage.c.body).where(lineage.c.result.in_(names))
    with reading(engine) as connection:
        bodies = {row.result: row.body for row in connection.execute(query)}
    for name in names:
        if name in bodies:
            yield msgspec.json.decode(bodies[name], type=Lineage)
