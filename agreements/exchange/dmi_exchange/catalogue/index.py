"""Finding entries of the catalogue: by words, on the map, by facets; in the order of what fits best, or newest."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

import msgspec
import sqlalchemy as sa

from dmi_agreements.contracts.record import Quality
from dmi_exchange.catalogue.model import FACETS, Item, facets, weights, worded_alike, words
from dmi_exchange.tables import catalogue_entry, catalogue_facet, catalogue_word, quality
from dmi_infra.sql import reading, transaction, upsert

MOST_WORDS: Final = 8
_LAST: Final = "\U0010ffff"
Box = tuple[float, float, float, float]
"""West, south, east, north in WGS84 degrees."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """What is looked for, all of it together; of the values of one facet any."""

    text: str = ""
    box: Box | None = None
    facets: Mapping[str, Sequence[str]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Place:
    """Where a page begins: behind this rank and id."""

    rank: int
    id: str


@dataclass(frozen=True, slots=True)
class Found:
    """A page, how many there are in all, and where the next page begins."""

    items: list[Item]
    total: int
    next: Place | None


class Catalogue:
    """Reads the catalogue."""

    def __init__(self, engine: sa.Engine) -> None:
        self._engine = engine

    def search(self, wanted: Wanted, limit: int, after: Place | None = None) -> Found:
        """A page of what fits; with a text the best first, else the newest."""
        matched = _matched(wanted, None).subquery()
        page = sa.select(catalogue_entry.c.id, catalogue_entry.c.body, matched.c.rank).join(
            matched, matched.c.id == catalogue_entry.c.id
        )
        if after is not None:
            behind = sa.and_(matched.c.rank == after.rank, matched.c.id > after.id)
            page = page.where(sa.or_(matched.c.rank < after.rank, behind))
        page = page.order_by(matched.c.rank.desc(), matched.c.id).limit(limit + 1)
        with reading(self._engine) as connection:
            total = connection.execute(sa.select(sa.func.count()).select_from(matched)).scalar_one()
            rows = connection.execute(page).all()
        more = len(rows) > limit
        rows = rows[:limit]
        following = Place(int(rows[-1].rank), rows[-1].id) if more else None
        return Found([msgspec.json.decode(row.body, type=Item) for row in rows], total, following)

    def counts(self, wanted: Wanted) -> dict[str, dict[str, int]]:
        """How many entries fit with each value of each facet; a facet that is narrowed down tells its other values."""
        found: dict[str, dict[str, int]] = {name: {} for name in FACETS}
        with reading(self._engine) as connection:
            for narrowed in (None, *wanted.facets):
                matched = _matched(wanted, narrowed).subquery()
                of = (
                    catalogue_facet.c.name == narrowed
                    if narrowed
                    else catalogue_facet.c.name.not_in(list(wanted.facets))
                )
                number = sa.func.count().label("number")
                query = (
                    sa.select(catalogue_facet.c.name, catalogue_facet.c.value, number)
                    .join(matched, matched.c.id == catalogue_facet.c.entry)
                    .where(of)
                    .group_by(catalogue_facet.c.name, catalogue_facet.c.value)
                    .order_by(number.desc(), catalogue_facet.c.value)
                )
                for row in connection.execute(query):
                    found[row.name][row.value] = row.number
        return found

    def listed(self, after: str, limit: int) -> list[Item]:
        """Entries in the order of ids, for those who take all of them."""
        query = sa.select(catalogue_entry.c.body).where(catalogue_entry.c.id > after)
        with reading(self._engine) as connection:
            bodies = connection.execute(query.order_by(catalogue_entry.c.id).limit(limit)).scalars().all()
        return [msgspec.json.decode(body, type=Item) for body in bodies]

    def all(self, size: int = 500) -> Iterator[Item]:
        """Every entry, page by page."""
        last = ""
        while page := self.listed(last, size):
            yield from page
            last = page[-1].id

    def one(self, identifier: str) -> Item | None:
        """One entry."""
        query = sa.select(catalogue_entry.c.body).where(catalogue_entry.c.id == identifier)
        with reading(self._engine) as connection:
            body = connection.execute(query).scalar_one_or_none()
        return None if body is None else msgspec.json.decode(body, type=Item)

    def keep(self, item: Item) -> None:
        """Enter or change a listing that stands here alone."""
        with transaction(self._engine) as connection:
            put(connection, item)

    def quality(self, datasets: Sequence[str]) -> dict[str, Quality]:
        """What was measured last, by dataset."""
        query = sa.select(quality.c.body).where(quality.c.dataset.in_(datasets))
        with reading(self._engine) as connection:
            bodies = connection.execute(query).scalars().all()
        found = [msgspec.json.decode(body, type=Quality) for body in bodies]
        return {each.dataset: each for each in found}


def put(connection: sa.Connection, item: Item) -> None:
    """Enter or change an entry with its words and facets, within the caller's transaction.

    Only what differs is written: an entry may have thousands of words, and an agreement opens many at once.
    """
    query = sa.select(catalogue_entry.c.body).where(catalogue_entry.c.id == item.id)
    known = connection.execute(query).scalar_one_or_none()
    before = None if known is None else msgspec.json.decode(known, type=Item)
    if before == item:
        return
    box: tuple[float | None, ...] = item.about.place.bbox if item.about else (None,) * 4
    row = {
        "id": item.id,
        "owner": item.owner,
        **dict(zip(("west", "south", "east", "north"), box, strict=True)),
        "modified_at": item.about.modified_at if item.about else 0,
        "body": msgspec.json.encode(item).decode(),
    }
    upsert(connection, catalogue_entry, [row], ["id"], [name for name in row if name != "id"])
    if before is None or not worded_alike(before, item):
        counted = sorted(weights(item).items())
        rows = [{"word": word, "entry": item.id, "weight": weight} for word, weight in counted]
        _replace(connection, catalogue_word, item.id, rows)
    if before is None or facets(before) != facets(item):
        rows = [{"name": name, "value": value, "entry": item.id} for name, value in sorted(facets(item))]
        _replace(connection, catalogue_facet, item.id, rows)


def _replace(
    connection: sa.Connection, table: sa.Table, entry: str, rows: Sequence[Mapping[str, object]]
) -> None:
    connection.execute(sa.delete(table).where(table.c.entry == entry))
    if rows:
        connection.execute(sa.insert(table), rows)


def keep_quality(connection: sa.Connection, measured: Iterable[Quality]) -> None:
    """Keep the newest figures of each dataset, within the caller's transaction."""
    newest: dict[str, Quality] = {}
    for each in measured:
        known = newest.get(each.dataset)
        if known is None or known.at <= each.at:
            newest[each.dataset] = each
    rows = [
        {"dataset": q.dataset, "at": q.at, "body": msgspec.json.encode(q).decode()} for q in newest.values()
    ]
    upsert(connection, quality, rows, ["dataset"], ["at", "body"], not_older="at")


def _matched(wanted: Wanted, without: str | None) -> sa.Select[Any]:
    """Ids and ranks of what fits, whatever the facet ``without``."""
    looked_for = words(wanted.text)[:MOST_WORDS]
    parts = [_beginning(word, number) for number, word in enumerate(looked_for)]
    rank = (
        sum((part.c.weight for part in parts[1:]), parts[0].c.weight)
        if parts
        else catalogue_entry.c.modified_at
    )
    query = sa.select(catalogue_entry.c.id, rank.label("rank"))
    for part in parts:
        query = query.join(part, part.c.entry == catalogue_entry.c.id)
    if wanted.box is not None:
        west, south, east, north = wanted.box
        query = query.where(
            catalogue_entry.c.west <= east,
            catalogue_entry.c.east >= west,
            catalogue_entry.c.south <= north,
            catalogue_entry.c.north >= south,
        )
    for name, values in wanted.facets.items():
        if name != without:
            having = sa.select(catalogue_facet.c.entry).where(
                catalogue_facet.c.name == name, catalogue_facet.c.value.in_(list(values))
            )
            query = query.where(catalogue_entry.c.id.in_(having))
    return query


def _beginning(word: str, number: int) -> sa.Subquery:
    """Entries with a word that begins so; a whole word counts double."""
    counted = sa.case(
        (catalogue_word.c.word == word, catalogue_word.c.weight * 2), else_=catalogue_word.c.weight
    )
    return (
        sa.select(catalogue_word.c.entry, sa.func.max(counted).label("weight"))
        .where(catalogue_word.c.word >= word, catalogue_word.c.word < word + _LAST)
        .group_by(catalogue_word.c.entry)
        .subquery(f"word_{number}")
    )
