"""The store of imports keeps others waiting for a few thousand rows at most, however many were rejected."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
import sqlalchemy as sa
from sqlalchemy import event

from dmi_infra import clock
from dmi_infra.sql import StoreUnavailable, migrate, open_engine
from dmi_ingest.sources.port import Rejected
from dmi_ingest.store import ImportStore
from dmi_ingest.store import imports as module
from dmi_ingest.store.imports import Import
from tests.unit.ingest.fakes import GARAGES, GEMEENTE

KIND = "birmingham-parking"


@pytest.fixture
def engine(tmp_path: Path) -> Iterator[sa.Engine]:
    engine = open_engine(f"sqlite:///{tmp_path}/ingest.db", "ingest")
    migrate(engine, "dmi_ingest")
    yield engine
    engine.dispose()


@pytest.fixture
def store(engine: sa.Engine, monkeypatch: pytest.MonkeyPatch) -> ImportStore:
    """Of one import, with 25 rejected rows; three are changed together."""
    monkeypatch.setattr(module, "PIECE", 3)
    store = ImportStore(engine)
    for name, began in (("a", clock.now() - 1), ("b", clock.now())):
        store.begin(
            Import(
                name, GEMEENTE, KIND, GARAGES, None, ["f"], "running", False, "", 0, 0, 0, 0, 0, 0, began, None
            )
        )  # fmt: skip
        rows = [Rejected("f", line, "not_a_time", "at", "x", {"at": "x"}) for line in range(25)]
        store.progress(name, {"read": 25, "rejected": 25}, rows)
    return store


def changed(engine: sa.Engine) -> list[int]:
    """How many rows each transaction changes from now on."""
    found: list[int] = []

    def note(_connection: object, cursor: object, statement: str, *_more: object) -> None:
        if statement.startswith(("DELETE FROM reject", "UPDATE reject")):
            found.append(cursor.rowcount)  # type: ignore[attr-defined]

    event.listen(engine, "after_cursor_execute", note)
    return found


def test_who_resumes_an_import_has_its_rejected_rows_deleted_in_pieces_and_it_began_when_it_began(
    engine: sa.Engine, store: ImportStore
) -> None:
    pieces, before = changed(engine), store.get("a")
    store.restart("a", "", "")
    assert (sum(pieces), max(pieces)) == (25, 3)
    after = store.get("a")
    assert before is not None
    assert after is not None
    assert (after.state, after.rejected, after.started_at) == ("running", 0, before.started_at)
    assert (len(store.rejects("a", 0, 100)), len(store.rejects("b", 0, 100))) == (0, 25)


def test_an_import_that_the_store_does_not_restart_does_not_seem_to_run(
    engine: sa.Engine, store: ImportStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    store.end("a", "failed", "the bus is away", resumable=True)

    def away(*_arguments: object) -> int:
        raise StoreUnavailable("the disk is full")

    with monkeypatch.context() as patched:
        patched.setattr(ImportStore, "_in_pieces", away)
        with pytest.raises(StoreUnavailable):
            store.restart("a", "", "")
    after = store.get("a")
    assert after is not None
    assert (after.state, after.resumable) == ("failed", True)


def test_rows_past_their_term_are_blanked_in_pieces(engine: sa.Engine, store: ImportStore) -> None:
    pieces = changed(engine)
    assert store.forget_before(GARAGES, KIND, clock.now() + 1) == 50
    store.forget("not_a_time")
    assert (sum(pieces), max(pieces)) == (50, 3)
    assert store.reasons("a")[0]["count"] == 25
