"""A log of an earlier version, a hash chain, goes on as a tree: whole when it was whole, broken when it was not."""

from __future__ import annotations

import hashlib
import json
import uuid
from collections.abc import Callable, Iterator
from pathlib import Path

import msgspec
import pytest
import sqlalchemy as sa

from dmi_agreements.contracts.envelope import encode
from dmi_agreements.contracts.record import DecisionRecord
from dmi_agreements.sealing import is_sealed
from dmi_exchange.logbook.check import ORIGIN, Verification, check
from dmi_exchange.logbook.tree import Tree
from dmi_exchange.store import Store
from dmi_infra.jose import SigningKey
from dmi_infra.sql import migrate, open_engine, transaction
from tests.conformance.store.test_exchange_store import decision
from tests.earlier_stores import Rows, fill, read

BEFORE = "exchange_0002"
NOOR, PIET = "urn:dmi:person:noor", "urn:dmi:person:piet"


def _with_persons() -> Rows:
    """The kept rows and one entry more, about two persons."""
    kept = read("dmi_exchange", BEFORE)
    last = kept["log"][-1]
    number, payload = (
        last["sequence"] + 1,
        encode(decision(9999, NOOR, subjects=[NOOR, PIET], counted=[("urn:uuid:1", "/permission/0", NOOR)])),
    )
    framed = number.to_bytes(8, "big") + len(payload).to_bytes(8, "big") + payload
    link = hashlib.sha256(b"dmi-log-entry-v1\n" + bytes.fromhex(last["hash"]) + framed).hexdigest()
    row = {**last, "sequence": number, "record_id": "d9999", "previous": last["hash"], "hash": link}
    parties = [{"party": person, "sequence": number} for person in (NOOR, PIET)]
    return {
        **kept,
        "log": [*kept["log"], {**row, "payload": payload}],
        "log_party": [*kept["log_party"], *parties],
        "log_head": [{"id": 1, "sequence": number, "hash": link}],
    }


KEPT = _with_persons()
COUNT = len(KEPT["log"])


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.postgres)])
def moved(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Callable[..., Store]]:
    """Moves the kept store forward, after some statements were carried out on it."""
    if request.param == "sqlite":
        engine = open_engine(f"sqlite:///{tmp_path / 'exchange.db'}", "exchange")
    else:
        server = request.getfixturevalue("postgres_server")
        server.create_database("log_migration")
        engine = open_engine(server.url("log_migration"), f"t{uuid.uuid4().hex[:8]}")

    def forward(*statements: str) -> Store:
        migrate(engine, "dmi_exchange", BEFORE)
        fill(engine, KEPT)
        with transaction(engine) as connection:
            for statement in statements:
                connection.execute(sa.text(statement))
        migrate(engine, "dmi_exchange")
        return Store(engine)

    yield forward
    engine.dispose()


def verified(store: Store) -> Verification:
    return check(store.log, Tree(store._engine, "x", SigningKey.generate()))


def test_every_entry_is_there_with_what_it_said_and_the_hash_that_it_had(moved: Callable[..., Store]) -> None:
    store = moved()
    entries = store.log.read(0, 1000, None, None)
    assert [entry.sequence for entry in entries] == list(range(1, COUNT + 2))
    for entry, row in zip(entries, KEPT["log"], strict=False):
        # Bytes of before hold the same members; equal records are what matters.
        assert entry.record() == _decoded(row["payload"])
        chain = json.loads(entry.payload)["chain"]
        opened = {opening.sealed: opening.value for opening in entry.openings}
        assert opened.get(chain, chain) == row["hash"]
        assert b"urn:dmi:person" not in entry.payload
        assert chain.startswith("sealed:") == bool(entry.openings)
    origin = entries[-1].record()
    assert (origin.id, origin.allowed) == (ORIGIN, True)
    assert KEPT["log"][-1]["hash"] in origin.reasons[0]
    assert verified(store).ok
    assert store.append([decision(1)], [], {}) == 1
    assert store.append([_decoded(KEPT["log"][0]["payload"])], [], {}) == 0
    assert (verified(store).ok, verified(store).count) == (True, COUNT + 2)


def test_a_person_of_before_can_be_erased_and_nothing_is_left_to_guess_by(
    moved: Callable[..., Store],
) -> None:
    store = moved()
    before = verified(store)
    assert store.log.erase(NOOR) == 1
    assert verified(store) == before
    entry = store.log.one(COUNT, None)
    assert entry is not None
    assert [opening.value for opening in entry.openings] == [PIET]
    assert is_sealed(entry.record().assignee)


BROKEN = {
    "changed": "UPDATE log SET hash = lower(previous) WHERE sequence = 7",
    "removed": "DELETE FROM log WHERE sequence BETWEEN 7 AND 9",
    "cut off": "DELETE FROM log WHERE sequence > 50",
    "without its end": "DELETE FROM log_head",
    "removed altogether": "DELETE FROM log",
}


@pytest.mark.parametrize("name", BROKEN)
def test_a_chain_that_was_broken_does_not_become_a_tree_that_is_whole(
    moved: Callable[..., Store], name: str
) -> None:
    store = moved(BROKEN[name])
    found = verified(store)
    assert not found.ok
    assert "before it became a tree" in str(found.reason)
    store.append([decision(1)], [], {})
    assert not verified(store).ok


def test_a_new_log_begins_empty(tmp_path: Path) -> None:
    engine = open_engine(f"sqlite:///{tmp_path / 'new.db'}", "exchange")
    migrate(engine, "dmi_exchange")
    assert Store(engine).log.read(0, 10, None, None) == []
    assert Store(engine).log.end() == 0
    engine.dispose()


def _decoded(payload: bytes) -> DecisionRecord:
    return msgspec.json.decode(payload, type=DecisionRecord)
