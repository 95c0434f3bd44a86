"""Pages of the log, on SQLite and on PostgreSQL: what each holds, and that it reads little more than it shows."""

from __future__ import annotations

import itertools
import uuid
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import pytest
import sqlalchemy as sa

from dmi_agreements.contracts.law import Dataset
from dmi_agreements.contracts.record import DecisionRecord
from dmi_exchange.logbook.entries import Entries
from dmi_exchange.store import Store
from dmi_infra.sql import migrate, open_engine
from tests.conformance.store.test_exchange_store import GARAGES, NOOR, OWNER, VENDOR, decision, put

PIET = "urn:dmi:person:piet"
TREES = "urn:dmi:dataset:gemeente:trees"
COUNT = 1_500
PAGE = 10


def decided(number: int) -> DecisionRecord:
    """Each about a dataset of the owner, some of persons, some kept from who asked."""
    who = (VENDOR, NOOR, PIET)[number % 5 % 3]
    subjects = [NOOR] if number % 7 == 0 else [NOOR, PIET] if number % 100 == 9 else []
    dataset = TREES if number % 300 == 11 else GARAGES
    return decision(number, who, dataset, subjects=subjects, apart=number % 4 == 0)


def concerns(record: DecisionRecord, party: str | None, looked_for: bool = False) -> bool:
    """Whether a decision is one that a party reads, or that is found by who looks for the party."""
    named = {OWNER, *record.subjects, *(record.asking if not looked_for else record.who_asked)}
    return party is None or party in named


@pytest.fixture(scope="module", params=["sqlite", pytest.param("postgresql", marks=pytest.mark.postgres)])
def engine(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[sa.Engine]:
    """A log of which everything concerns the owner; read by all tests, and written by none."""
    if request.param == "sqlite":
        found = open_engine(f"sqlite:///{tmp_path_factory.mktemp('log') / 'exchange.db'}", "exchange")
    else:
        server = request.getfixturevalue("postgres_server")
        server.create_database("exchange_log_pages")
        found = open_engine(server.url("exchange_log_pages"), f"t{uuid.uuid4().hex[:8]}")
    migrate(found, "dmi_exchange")
    store = Store(found)
    for name in (GARAGES, TREES):
        put(store, Dataset(name, OWNER, {}))
    store.append([decided(number) for number in range(1, COUNT + 1)], [], {})
    if request.param == "postgresql":
        with found.begin() as connection:
            connection.execute(sa.text("ANALYZE"))
    yield found
    found.dispose()


@pytest.fixture
def entries(engine: sa.Engine) -> Entries:
    return Entries(engine)


def test_a_page_holds_the_entries_of_a_party_that_were_asked_for_in_their_order(entries: Entries) -> None:
    records = {number: decided(number) for number in range(1, COUNT + 1)}
    asked = itertools.product(
        (OWNER, NOOR, PIET, "urn:dmi:participant:nobody", None),
        ((0, None), (0, 700), (400, 700)),
        ((None, None), (GARAGES, VENDOR), (TREES, None), (None, PIET)),
        (False, True),
    )
    for party, (after, before), (dataset, also), newest in asked:
        fit = [
            number
            for number, record in records.items()
            if after < number < (before or COUNT + 1) and concerns(record, party)
            if dataset in (None, record.dataset) and concerns(record, also, looked_for=True)
        ]
        expected = (fit[::-1] if newest else fit)[:PAGE]
        page = entries.read(after, PAGE, party, dataset, newest, before, also)
        assert [entry.sequence for entry in page] == expected, (party, after, before, dataset, also, newest)
        assert [entry.record() for entry in page] == [records[number] for number in expected]
    named = [900, 3, 11, 3, 1_400]
    for party in (OWNER, NOOR, VENDOR, None):
        found = [entry.sequence for entry in entries.some(named, party, 1_000)]
        assert found == [number for number in (3, 11, 900) if concerns(records[number], party)]


Reading = Callable[[Entries], object]
PAGES: dict[str, Reading] = {
    "newest": lambda entries: entries.read(0, PAGE, OWNER, None, newest_first=True),
    "oldest": lambda entries: entries.read(0, PAGE, OWNER, None),
    "newest, further on": lambda entries: entries.read(0, PAGE, OWNER, None, newest_first=True, before=700),
    "oldest, further on": lambda entries: entries.read(700, PAGE, OWNER, None),
    "of a dataset": lambda entries: entries.read(0, PAGE, OWNER, GARAGES, newest_first=True),
    "one entry": lambda entries: entries.one(700, OWNER),
}


@pytest.mark.parametrize("name", PAGES)
def test_a_page_of_ones_own_log_reads_little_more_than_it_shows(engine: sa.Engine, name: str) -> None:
    asked: list[tuple[str, Any]] = []

    def note(_connection: object, _cursor: object, statement: str, given: Any, *_more: object) -> None:
        asked.append((statement, given))

    sa.event.listen(engine, "before_cursor_execute", note)
    try:
        PAGES[name](Entries(engine))
    finally:
        sa.event.remove(engine, "before_cursor_execute", note)
    (page,) = [(statement, given) for statement, given in asked if "FROM log JOIN log_party" in statement]
    with engine.connect() as connection:
        if engine.dialect.name == "sqlite":
            plan = connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {page[0]}", page[1]).all()
            assert not [step.detail for step in plan if "TEMP B-TREE" in step.detail], plan
            return
        explained = connection.exec_driver_sql(f"EXPLAIN (ANALYZE, FORMAT JSON) {page[0]}", page[1])
        plan = explained.scalar_one()
    assert max(_rows([plan[0]["Plan"]])) <= 3 * PAGE, plan


def _rows(nodes: Sequence[dict[str, Any]]) -> Iterator[int]:
    """How many rows each step of a plan of PostgreSQL's read."""
    for node in nodes:
        passed = node["Actual Rows"] + node.get("Rows Removed by Filter", 0)
        yield passed * node["Actual Loops"]
        yield from _rows(node.get("Plans", []))
