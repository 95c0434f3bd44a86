"""What the exchange does for persons is stored with what the log is told of it: both, or neither."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
import sqlalchemy as sa

from dmi_agreements.contracts.envelope import decode
from dmi_agreements.contracts.law import Participant
from dmi_agreements.contracts.record import DecisionRecord, RecordBatch
from dmi_agreements.persons import LETTER_COUNTS
from dmi_exchange.logbook import own
from dmi_exchange.mydata.codes import Codes, new
from dmi_exchange.store import Store
from dmi_exchange.tables import outgoing
from dmi_infra.errors import NotFound
from dmi_infra.sql import migrate, open_engine, reading
from tests.unit.infra.fakes import NOOR, PIET, STACK


@pytest.fixture
def engine(tmp_path: Path) -> Iterator[sa.Engine]:
    made = open_engine(f"sqlite:///{tmp_path / 'exchange.db'}", "exchange")
    migrate(made, "dmi_exchange")
    yield made
    made.dispose()


def told(engine: sa.Engine) -> list[DecisionRecord]:
    """What waits to go to the log."""
    with reading(engine) as connection:
        rows = connection.execute(sa.select(outgoing).where(outgoing.c.topic == own.TOPIC)).all()
    return [record for row in rows for record in decode(row.value, RecordBatch).decisions]


def person_in(engine: sa.Engine) -> Store:
    """A store whose law knows a person that never had a letter."""
    store = Store(engine)
    store.settle(Participant, NOOR, lambda _: Participant(NOOR, "Noor", []))
    return store


def letter_at(store: Store) -> int | None:
    known = store.get(Participant, NOOR)
    assert known is not None
    return known.letter_at


def test_a_code_holds_from_when_the_log_is_told_of_it(
    engine: sa.Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    woken: list[bool] = []
    store = person_in(engine)
    codes, first, second = Codes(engine, store, lambda: woken.append(True)), new(), new()
    assert codes.find(first.written) is None
    codes.keep(first, NOOR, STACK)
    kept = codes.find(first.written)
    assert kept is not None
    assert letter_at(store) == kept.made_at, "the law tells every service which code counts"
    (record,) = told(engine)
    assert (record.assignee, record.action, record.subjects) == (STACK, "dmi:letter", [NOOR])
    assert woken == [True]

    def fails(*_: object) -> None:
        raise OSError("killed here")

    monkeypatch.setattr(own, "tell", fails)
    with pytest.raises(OSError, match="killed here"):
        codes.keep(second, NOOR, STACK)
    assert codes.find(second.written) is None
    assert codes.find(first.written) is not None, "the one before goes on"
    assert letter_at(store) == kept.made_at


def test_a_code_is_kept_and_the_law_tells_of_it_or_neither(engine: sa.Engine) -> None:
    store = person_in(engine)
    codes, first = Codes(engine, store, lambda: None), new()
    with pytest.raises(NotFound):
        codes.keep(first, PIET, STACK)
    assert codes.find(first.written) is None
    store.settle(Participant, PIET, lambda _: Participant(PIET, "Piet", []))
    codes.keep(first, PIET, STACK)
    with pytest.raises(sa.exc.IntegrityError):
        codes.keep(first, NOOR, STACK)
    assert letter_at(store) is None


def test_the_law_is_told_of_a_code_from_before_it_told_of_codes_and_of_no_older_one(
    engine: sa.Engine,
) -> None:
    store = person_in(engine)
    codes, first, second = Codes(engine, store, lambda: None), new(), new()
    codes.keep(first, NOOR, STACK)
    before = codes.find(first.written)
    assert before is not None
    person_in(engine)
    assert letter_at(store) is None
    codes.tell(before)
    assert letter_at(store) == before.made_at
    codes.keep(second, NOOR, STACK)
    codes.tell(before)
    assert letter_at(store) == second.until - LETTER_COUNTS, (
        "who was told of it just before does not bring it back"
    )


def test_a_change_of_the_law_and_what_the_log_is_told_of_it_are_stored_together(engine: sa.Engine) -> None:
    store, record = Store(engine), own.done_for(NOOR, STACK, "dmi:represent", "representation: changed")

    def refuse(_known: Participant | None) -> Participant:
        raise NotFound("no participant has this id")

    with pytest.raises(NotFound):
        store.settle_all(Participant, {NOOR: refuse}, [record])
    assert told(engine) == []
    store.settle_all(Participant, {NOOR: lambda _: Participant(NOOR, "Noor", [])}, [record])
    assert told(engine) == [record]
