"""What the log must hold to, on SQLite and on PostgreSQL: it only grows, and whoever touches it is found."""

from __future__ import annotations

import re
import sqlite3
import subprocess
import threading
import uuid
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import msgspec
import pytest
import sqlalchemy as sa

from dmi_agreements.contracts.law import Dataset
from dmi_agreements.contracts.record import DecisionRecord
from dmi_agreements.merkle import EMPTY, continues, holds_leaf, leaf_hash
from dmi_command.servers.postgres import USER
from dmi_exchange.logbook.check import Noted, check
from dmi_exchange.logbook.notary import Notary
from dmi_exchange.logbook.tree import SPAN, Tree, TreeBroken
from dmi_exchange.store import Store
from dmi_exchange.tables import log, log_end, log_node, log_party, log_tree_head
from dmi_infra.jose import SigningKey, verify_document
from dmi_infra.sql import migrate, open_engine, reading, transaction
from tests.conformance.store.test_exchange_store import (
    GARAGES,
    NOOR,
    OWNER,
    TOPIC,
    VENDOR,
    decision,
    put,
    together,
)

PIET = "urn:dmi:person:piet"
KEY = SigningKey.generate()


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.postgres)])
def engine(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[sa.Engine]:
    """An empty store with the newest schema."""
    if request.param == "sqlite":
        found = open_engine(f"sqlite:///{tmp_path / 'exchange.db'}", "exchange")
    else:
        server = request.getfixturevalue("postgres_server")
        server.create_database("exchange_log")
        found = open_engine(server.url("exchange_log"), f"t{uuid.uuid4().hex[:8]}")
    migrate(found, "dmi_exchange")
    yield found
    found.dispose()


@pytest.fixture
def store(engine: sa.Engine) -> Store:
    return Store(engine)


@pytest.fixture
def tree(engine: sa.Engine) -> Tree:
    return Tree(engine, "https://node.example/log", KEY)


def five(store: Store, tree: Tree) -> Noted:
    """Five entries under a signed head."""
    store.append([decision(n) for n in range(1, 6)], [], {})
    head = tree.advance()
    assert head is not None
    return Noted(head.tree_size, head.root_hash)


def test_a_redelivered_message_adds_nothing_and_the_position_moves_with_the_entries(
    store: Store, tree: Tree
) -> None:
    batch = [decision(1), decision(2)]
    assert store.append(batch, [], {(TOPIC, 0): 1}) == 2
    assert store.append([*batch, decision(3), decision(3)], [], {(TOPIC, 0): 2}) == 1
    assert [entry.sequence for entry in store.log.all()] == [1, 2, 3]
    assert store.positions() == {(TOPIC, 0): 2}
    assert check(store.log, tree).ok


def test_uses_of_a_rule_that_lies_deep_count_and_the_entries_beside_them_are_kept(store: Store) -> None:
    # Longer than a key of PostgreSQL's, and not to be compressed.
    deep = "".join(f"/{uuid.uuid4().hex}" for _ in range(230))
    used = [decision(number, counted=[("urn:uuid:1", deep, VENDOR)]) for number in (1, 2)]
    assert store.append([*used, decision(3)], [], {(TOPIC, 0): 1}) == 3
    found = store.usage("urn:uuid:1", deep, VENDOR)
    assert found is not None
    assert (found.rule, found.counts) == (deep, {"platform": 2})
    store.append([decision(4, counted=[("urn:uuid:1", "/permission/0", VENDOR)])], [], {(TOPIC, 0): 2})
    short = store.usage("urn:uuid:1", "/permission/0", VENDOR)
    assert short is not None
    assert short.id == f"urn:dmi:usage:urn:uuid:1/permission/0:{VENDOR}", "as it has been counted so far"


def test_more_decisions_than_a_statement_takes_parameters_are_kept_and_proven(
    store: Store, tree: Tree
) -> None:
    # More than two strata: 256 and 65,536 entries.
    count = 66_000
    assert store.append([decision(n) for n in range(count)], [], {}) == count
    early = tree.advance()
    assert store.append([decision(n) for n in range(count + 1)], [], {}) == 1
    head = tree.advance()
    assert early is not None
    assert head is not None
    root = bytes.fromhex(head.root_hash)
    for sequence in (1, 256, 257, 65_536, 65_537, count, count + 1):
        entry = store.log.one(sequence, None)
        assert entry is not None
        path = tree.inclusion(entry.index, head.tree_size)
        assert holds_leaf(leaf_hash(entry.payload), entry.index, head.tree_size, path, root)
    for first in (1, 300, 65_536, count):
        path = tree.consistency(first, head.tree_size)
        assert continues(first, head.tree_size, tree.root(first), root, path)
    assert check(store.log, tree, Noted(early.tree_size, early.root_hash)).ok


def test_what_is_kept_from_who_asked_is_read_by_the_persons_and_the_owner(store: Store) -> None:
    put(store, Dataset(GARAGES, OWNER, {"nl": "Garages"}))
    told = decision(2, subjects=[NOOR, PIET], rows=21, apart=True)
    store.append([decision(1, subjects=[NOOR]), told], [], {})
    read = {who: [e.sequence for e in store.log.read(0, 9, who, None)] for who in (VENDOR, OWNER, NOOR, None)}
    assert read == {VENDOR: [1], OWNER: [1, 2], NOOR: [1, 2], None: [1, 2]}
    assert store.log.one(2, VENDOR) is None, "nor its proof"
    assert [one.sequence for one in store.log.some([1, 2], VENDOR, 2)] == [1]
    assert store.log.read(0, 9, NOOR, None)[-1].record().assignee == VENDOR, "who used it is told"
    searched = {
        who: [e.sequence for e in store.log.read(0, 9, who, None, also=VENDOR)] for who in (VENDOR, OWNER)
    }
    assert searched == {VENDOR: [1], OWNER: [1, 2]}, "and who looks for what a recipient got finds it"


def test_a_person_is_erased_from_what_is_kept_from_it_too(store: Store) -> None:
    put(store, Dataset(GARAGES, OWNER, {}))
    store.append([decision(1, NOOR, subjects=[PIET], apart=True)], [], {})
    assert store.log.read(0, 9, NOOR, None) == []
    assert store.log.erase(NOOR) == 1
    assert store.log.erase(NOOR) == 0
    (entry,) = store.log.read(0, 9, None, None)
    assert [each.value for each in entry.openings] == [PIET]


def test_two_writers_at_once_make_one_log(store: Store, tree: Tree) -> None:
    def write(first: int) -> list[int]:
        return [store.append([decision(first + n)], [], {}) for n in range(10)]

    outcome = together(*(lambda n=n: write(1000 * n) for n in range(4)))
    assert outcome == [[1] * 10] * 4
    assert check(store.log, tree).count == 40
    assert check(store.log, tree).ok


def test_a_head_is_signed_over_all_entries_and_only_when_there_are_new_ones(store: Store, tree: Tree) -> None:
    first = tree.advance()
    assert first is not None
    assert (first.tree_size, first.root_hash) == (0, EMPTY.hex())
    assert tree.advance() is None
    five(store, tree)
    head = tree.head()
    assert head is not None
    assert head.tree_size == 5
    assert verify_document(head.document(), head.signature, [KEY.public]) == KEY.kid
    assert tree.advance() is None


def test_of_each_hour_the_last_head_is_kept(store: Store, engine: sa.Engine) -> None:
    moments = iter([1_000_000, 2_000_000, 3_600_000_001, 3_600_000_002])
    tree = Tree(engine, "x", KEY, now=lambda: next(moments))
    for number in range(4):
        store.append([decision(number)], [], {})
        tree.advance()
    with reading(engine) as connection:
        kept = connection.execute(sa.select(log_tree_head.c.tree_size)).scalars().all()
    assert sorted(kept) == [2, 4]


TAMPERING: dict[str, tuple[str, int]] = {
    "changed content": (
        "UPDATE log SET payload = (SELECT payload FROM log WHERE sequence = 2) WHERE sequence = 3",
        3,
    ),
    "changed hash": ("UPDATE log SET hash = (SELECT hash FROM log WHERE sequence = 2) WHERE sequence = 3", 3),
    "changed content with its hash": (
        "UPDATE log SET hash = (SELECT hash FROM log WHERE sequence = 2), "
        "payload = (SELECT payload FROM log WHERE sequence = 2) WHERE sequence = 3",
        5,
    ),
    "removed first": ("DELETE FROM log WHERE sequence = 1", 1),
    "removed in the middle": ("DELETE FROM log WHERE sequence = 3", 3),
    "cut off at the end": ("DELETE FROM log WHERE sequence > 3", 4),
    "removed altogether": ("DELETE FROM log", 1),
    "renumbered": ("UPDATE log SET sequence = 0 WHERE sequence = 3", 1),
    "end removed": ("DELETE FROM log_end", 1),
}


@pytest.mark.parametrize("name", TAMPERING)
def test_verification_finds_a_log_that_was(store: Store, engine: sa.Engine, tree: Tree, name: str) -> None:
    five(store, tree)
    assert check(store.log, tree).ok
    statement, at = TAMPERING[name]
    with transaction(engine) as connection:
        connection.execute(sa.text(statement))
    found = check(store.log, tree)
    assert (found.ok, found.broken_at) == (False, at)
    assert found.reason
    # Going on writing does not heal it, and no head is signed over other hashes than before.
    store.append([decision(6)], [], {})
    assert not check(store.log, tree).ok
    if name != "changed content":
        with pytest.raises(TreeBroken):
            tree.advance()


def test_an_end_that_was_moved_back_is_found_until_the_log_goes_on_behind_its_last_entry(
    store: Store, engine: sa.Engine, tree: Tree
) -> None:
    five(store, tree)
    with transaction(engine) as connection:
        connection.execute(sa.update(log_end).values(sequence=4))
    assert (check(store.log, tree).ok, check(store.log, tree).broken_at) == (False, 5)
    store.append([decision(6)], [], {})
    tree.advance()
    assert (check(store.log, tree).ok, check(store.log, tree).count) == (True, 6)


def test_a_head_that_is_signed_while_the_log_is_checked_does_not_make_it_look_cut_off(
    store: Store, tree: Tree, monkeypatch: pytest.MonkeyPatch
) -> None:
    five(store, tree)
    end = store.log.end

    def growing() -> int | None:
        found = end()
        if found == 5:
            store.append([decision(6)], [], {})
            tree.advance()
        return found

    monkeypatch.setattr(store.log, "end", growing)
    found = check(store.log, tree)
    assert (found.ok, found.reason) == (True, None)


def test_nodes_that_were_changed_or_removed_are_found(store: Store, engine: sa.Engine, tree: Tree) -> None:
    store.append([decision(n) for n in range(2 * SPAN)], [], {})
    tree.advance()
    for statement in (
        sa.update(log_node).where(log_node.c.place == 0).values(hash="0" * 64),
        sa.delete(log_node).where(log_node.c.place == 0),
    ):
        with transaction(engine) as connection:
            connection.execute(statement)
        assert check(store.log, tree).reason == "stored nodes of the tree are not those of its entries"


def test_a_log_written_anew_with_its_heads_is_found_by_who_noted_one(
    store: Store, engine: sa.Engine, tree: Tree
) -> None:
    noted = five(store, tree)
    with transaction(engine) as connection:
        for table in (log, log_party, log_tree_head):
            connection.execute(sa.delete(table))
        connection.execute(sa.update(log_end).values(sequence=0))
    store.append([decision(n) for n in range(11, 18)], [], {})
    tree.advance()
    assert check(store.log, tree).ok
    found = check(store.log, tree, noted)
    assert (found.ok, found.broken_at) == (False, 5)
    assert not check(store.log, tree, Noted(99, "0" * 64)).ok


def test_a_broken_log_is_told_once_and_its_heads_stay_as_they_were(
    store: Store, engine: sa.Engine, tree: Tree, capsys: pytest.CaptureFixture[str]
) -> None:
    five(store, tree)
    with transaction(engine) as connection:
        connection.execute(sa.text("DELETE FROM log WHERE sequence > 3"))
        connection.execute(sa.text("UPDATE log_end SET sequence = 3"))
    notary = Notary(tree, 1)
    notary.look()
    notary.look()
    head = tree.head()
    assert head is not None
    assert head.tree_size == 5
    assert len(re.findall("the log is broken", capsys.readouterr().out)) == 1


def test_a_person_is_erased_and_every_proof_holds_as_before(
    store: Store, engine: sa.Engine, tree: Tree
) -> None:
    reasons = [f"own_data: {NOOR} asks for its own data"]
    put(store, Dataset(GARAGES, OWNER, {}))
    store.append(
        [
            decision(1, NOOR, subjects=[NOOR, PIET]),
            msgspec.structs.replace(decision(2, PIET), reasons=[f"x: {NOOR}-maria", f"x: {NOOR}"]),
            msgspec.structs.replace(decision(3, NOOR), reasons=reasons),
            decision(4),
        ],
        [],
        {},
    )
    head = tree.advance()
    assert head is not None
    with reading(engine) as connection:
        assert not [
            row for row in connection.execute(sa.select(log.c.payload)) if b"person" in bytes(row.payload)
        ]
    assert store.log.erase(NOOR) == 2
    assert store.log.erase(NOOR) == 0
    assert store.log.read(0, 10, NOOR, None) == []
    found = [entry.record() for entry in store.log.read(0, 10, None, None)]
    assert [each.assignee.startswith("sealed:") for each in found] == [True, False, True, False]
    assert found[0].subjects[1] == PIET
    left = [each.value for entry in store.log.read(0, 10, None, None) for each in entry.openings]
    # What a record says of a person whom it does not concern is not hers to find.
    assert sorted(left) == sorted([PIET, PIET, f"x: {NOOR}-maria", f"x: {NOOR}"])
    assert check(store.log, tree).ok
    assert tree.root(4).hex() == head.root_hash


def test_the_log_shows_each_its_part_whenever_the_dataset_was_entered_before(store: Store) -> None:
    put(store, Dataset(GARAGES, OWNER, {}))
    store.append([decision(1), decision(2, subjects=[NOOR]), decision(3, NOOR, "urn:x")], [], {})
    for party, numbers in ((OWNER, [1, 2]), (VENDOR, [1, 2]), (NOOR, [2, 3]), ("", [])):
        assert [entry.sequence for entry in store.log.read(0, 10, party, None)] == numbers
    assert [entry.sequence for entry in store.log.read(1, 1, OWNER, None)] == [2]
    assert [entry.sequence for entry in store.log.read(0, 2, None, GARAGES, newest_first=True)] == [2, 1]
    assert store.log.one(3, OWNER) is None
    assert store.log.one(4, None) is None


@pytest.mark.parametrize("name", ["with a\0NUL", "x" * 100_000, "é" * 5_000, ""])
def test_whatever_a_caller_named_its_refusal_is_in_the_log(store: Store, tree: Tree, name: str) -> None:
    store.append(
        [decision(1, dataset=name), decision(2, assignee=name), decision(3, subjects=[name])], [], {}
    )
    records: list[DecisionRecord] = [entry.record() for entry in store.log.read(0, 10, None, None)]
    assert (records[0].dataset, records[1].assignee, records[2].subjects) == (name, name, [name])
    assert check(store.log, tree).ok


def _restored(engine: sa.Engine, request: pytest.FixtureRequest, folder: Path) -> sa.Engine:
    """A store made of a backup that was taken while the log is written, by the database's own means."""
    if engine.dialect.name == "sqlite":
        copy = folder / "restored.db"
        with (
            closing(sqlite3.connect(folder / "exchange.db")) as source,
            closing(sqlite3.connect(copy)) as target,
        ):
            source.backup(target)
        return open_engine(f"sqlite:///{copy}", "exchange")
    server = request.getfixturevalue("postgres_server")
    with engine.connect() as connection:
        schema = str(connection.scalar(sa.text("SELECT current_schema()")))
    place = ["-h", "127.0.0.1", "-p", str(server.port), "-U", USER]
    dump = [server._program("pg_dump"), *place, "-d", "exchange_log", "-n", schema]
    taken = subprocess.run(dump, capture_output=True, timeout=60, check=True)
    server.drop_database("exchange_restored")
    server.create_database("exchange_restored")
    load = [server._program("psql"), "-X", "-q", "-v", "ON_ERROR_STOP=1", *place, "-d", "exchange_restored"]
    subprocess.run(load, input=taken.stdout, capture_output=True, timeout=60, check=True)
    return open_engine(server.url("exchange_restored"), schema)


def test_a_backup_that_was_taken_while_the_log_is_written_restores_to_a_log_that_verifies(
    store: Store, engine: sa.Engine, tree: Tree, request: pytest.FixtureRequest, tmp_path: Path
) -> None:
    noted = five(store, tree)
    stopping = threading.Event()

    def write() -> None:
        number = 100
        while not stopping.is_set():
            store.append([decision(number, subjects=[NOOR])], [], {})
            tree.advance()
            number += 1

    writer = threading.Thread(target=write)
    writer.start()
    try:
        restored = _restored(engine, request, tmp_path)
    finally:
        stopping.set()
        writer.join()
    try:
        again, of = Store(restored), Tree(restored, "https://node.example/log", KEY)
        migrate(restored, "dmi_exchange")
        assert check(again.log, of, noted).ok
        again.append([decision(99_999)], [], {})
        assert of.advance() is not None
        assert check(again.log, of, noted).ok
    finally:
        restored.dispose()
