"""What the exchange does for persons is stored with what the log is told of it: both, or neither."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
import sqlalchemy as sa

from dmi_agreements.contracts.envelope import decode
from dmi_agreements.contracts.law import Participant
from dmi_agreements.contracts.record import DecisionRecord, RecordBatch
from dmi_exchange.logbook import own
from dmi_exchange.mydata.codes import Codes, new
from dmi_exchange.store import Store
from dmi_exchange.tables import outgoing
from dmi_infra.errors import NotFound
from dmi_infra.sql import migrate, open_engine, reading
from tests.unit.infra.fakes import NOOR, STACK


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


def test_a_code_holds_from_when_the_log_is_told_of_it(
    engine: sa.Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    woken: list[bool] = []
    codes, first, second = Codes(engine, lambda: woken.append(True)), new(), new()
    assert codes.find(first.written) is None
    codes.keep(first, NOOR, STACK)
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


def test_a_change_of_the_law_and_what_the_log_is_told_of_it_are_stored_together(engine: sa.Engine) -> None:
    store, record = Store(engine), own.done_for(NOOR, STACK, "dmi:represent", "representation: changed")

    def refuse(_known: Participant | None) -> Participant:
        raise NotFound("no participant has this id")

    with pytest.raises(NotFound):
        store.settle_all(Participant, {NOOR: refuse}, [record])
    assert told(engine) == []
    store.settle_all(Participant, {NOOR: lambda _: Participant(NOOR, "Noor", [])}, [record])
    assert told(engine) == [record]
