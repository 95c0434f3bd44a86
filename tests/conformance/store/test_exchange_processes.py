"""What the store of negotiations and transfers must hold to, on SQLite and on PostgreSQL."""

from __future__ import annotations

import threading
import uuid
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any, cast

import msgspec
import pytest

from dmi_agreements.contracts.law import Participant
from dmi_agreements.dsp import states
from dmi_exchange.dsp import room
from dmi_exchange.dsp.process import Outgoing, Process
from dmi_exchange.dsp.steps import Steps, moved, new_id
from dmi_exchange.dsp.store import Change, Processes
from dmi_exchange.store import Store
from dmi_infra import clock
from dmi_infra.errors import Conflict, NotFound
from dmi_infra.sql import migrate, open_engine

SOON = 3_600_000_000


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.postgres)])
def processes(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Processes]:
    """An empty store with the newest schema."""
    if request.param == "sqlite":
        found = open_engine(f"sqlite:///{tmp_path / 'exchange.db'}", "exchange")
    else:
        server = request.getfixturevalue("postgres_server")
        server.create_database("exchange_processes")
        found = open_engine(server.url("exchange_processes"), f"t{uuid.uuid4().hex[:8]}")
    migrate(found, "dmi_exchange")
    yield Processes(found)
    found.dispose()


def made(**more: Any) -> Process:
    now = clock.now()
    begun = Process(
        id=new_id(), role="provider", owner="urn:owner", peer="urn:peer", address="http://127.0.0.1/x",
        begun_at=now, changed_at=now, **{"kind": "negotiation", **more},
    )  # fmt: skip
    return moved(begun, states.REQUESTED)


def message(name: str = states.OFFER) -> Outgoing:
    return Outgoing(name, "negotiations/x/offers", {"@type": name})


def sends(name: str) -> Callable[[Process, Callable[[str], bool]], Change]:
    return lambda known, _received: Change(known, message(name))


def test_a_process_that_the_other_side_begins_twice_is_one(processes: Processes) -> None:
    first, new = processes.begin(made(peer_pid="urn:theirs"), "digest")
    assert new
    assert processes.begin(made(peer_pid="urn:theirs"), "digest") == (first, True)
    assert processes.begin(made(peer_pid="urn:theirs"), "another") == (first, False)
    assert processes.find("negotiation", "urn:owner") == [first]


def test_processes_whose_other_id_is_not_known_yet_are_many(processes: Processes) -> None:
    for _ in range(3):
        assert processes.begin(made(), None)[1]
    assert len(processes.find("negotiation", None)) == 3
    assert processes.find("negotiation", "urn:other") == processes.find("transfer", None) == []


def test_the_other_side_cannot_give_one_id_to_two(processes: Processes) -> None:
    processes.begin(made(peer_pid="urn:theirs"), "digest")
    second, _ = processes.begin(made(), None)
    with pytest.raises(Conflict):
        processes.change(
            second.id, lambda known, _r: Change(msgspec.structs.replace(known, peer_pid="urn:theirs"))
        )
    assert processes.get(second.id).peer_pid is None


def test_a_step_that_fails_leaves_everything_as_it_was(processes: Processes) -> None:
    begun, _ = processes.begin(made(), None)

    def fails(_known: Process, _received: Callable[[str], bool]) -> Change:
        raise Conflict("no")

    with pytest.raises(Conflict):
        processes.change(begun.id, fails, "digest")
    seen: list[bool] = []
    processes.change(begun.id, lambda _known, received: seen.append(received("digest")))
    assert seen == [False]
    assert processes.get(begun.id) == begun
    with pytest.raises(NotFound):
        processes.change("urn:nothing", fails)


def test_messages_of_a_process_go_one_by_one_and_each_is_claimed_once(processes: Processes) -> None:
    begun, _ = processes.begin(made(), None)
    for name in (states.OFFER, states.AGREEMENT):
        processes.change(begun.id, sends(name))
    (first,) = processes.claim(clock.now(), 10)
    assert first.type == states.OFFER
    assert processes.claim(clock.now(), 10) == []
    processes.delivered(first, lambda known: known)
    (second,) = processes.claim(clock.now(), 10)
    assert second.type == states.AGREEMENT
    processes.undelivered(second, clock.now() + SOON, "later")
    assert processes.get(begun.id).reason == "later"
    assert processes.claim(clock.now(), 10) == []
    (again,) = processes.claim(clock.now() + 2 * SOON, 10)
    assert again.attempts == 1
    assert processes.pending(begun.id)[begun.id] == 1


def test_why_it_was_ended_is_shown_also_while_the_end_cannot_be_told(processes: Processes) -> None:
    begun, _ = processes.begin(made(), None)
    after = msgspec.structs.replace(begun, state=states.TERMINATED, reason="enough")
    processes.change(begun.id, lambda _known, _r: Change(after, message()))
    (waiting,) = processes.claim(clock.now(), 10)
    processes.undelivered(waiting, clock.now() + SOON, "tried 1 time")
    assert processes.get(begun.id).reason == "enough"


def test_what_was_claimed_by_whoever_is_gone_can_be_claimed_again(processes: Processes) -> None:
    begun, _ = processes.begin(made(), None, message())
    assert len(processes.claim(clock.now(), 10)) == 1
    processes.release_all()
    assert [claimed.process for claimed in processes.claim(clock.now(), 10)] == [begun.id]


def test_a_process_that_the_other_side_ended_has_nothing_left_to_send(processes: Processes) -> None:
    begun, _ = processes.begin(made(), None, message())
    processes.change(begun.id, lambda known, _r: Change(known, silence=True))
    assert processes.pending(begun.id)[begun.id] == 0


def test_one_of_many_goes_on_with_a_process(processes: Processes) -> None:
    begun, _ = processes.begin(made(peer_pid="urn:theirs"), "digest")
    assert processes.to_advance(clock.now()) == []
    assert processes.to_advance(clock.now() + SOON) == [begun.id]
    taken: list[bool] = []
    threads = [
        threading.Thread(target=lambda: taken.append(processes.take_advance(begun.id))) for _ in range(8)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(taken) == [False] * 7 + [True]


def test_changes_at_once_come_one_after_the_other(processes: Processes) -> None:
    begun, _ = processes.begin(made(), None)

    def count() -> None:
        for _ in range(5):
            processes.change(
                begun.id, lambda known, _r: Change(msgspec.structs.replace(known, steps=known.steps + 1))
            )

    threads = [threading.Thread(target=count) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert processes.get(begun.id).steps == begun.steps + 20


def test_a_note_that_comes_late_takes_nothing_back_of_what_came_before_it(processes: Processes) -> None:
    steps = Steps(processes, lambda: None)
    looked_at, _ = processes.begin(made(peer_pid="urn:theirs"), "digest")
    assert processes.take_advance(looked_at.id)
    agreed = moved(looked_at, states.AGREED)
    processes.change(looked_at.id, lambda _known, _received: Change(agreed, advance=True))
    assert steps.wait(looked_at, "waits for the other side to answer") == agreed
    processes.change(looked_at.id, lambda known, _received: Change(known))
    assert processes.to_advance(clock.now() + SOON) == [looked_at.id]
    assert processes.take_advance(looked_at.id)


def test_what_runs_under_an_agreement_is_found_by_it(processes: Processes) -> None:
    first, _ = processes.begin(made(peer_pid="urn:1", agreement_id="urn:a"), "1")
    processes.begin(made(peer_pid="urn:2", agreement_id="urn:b"), "2")
    second, _ = processes.begin(made(peer_pid="urn:3"), "3")
    processes.change(
        second.id, lambda known, _received: Change(msgspec.structs.replace(known, agreement_id="urn:a"))
    )
    assert {found.id for found in processes.under("urn:a")} == {first.id, second.id}
    assert sorted(processes.agreements()) == ["urn:a", "urn:b"]


def test_what_the_other_side_begins_has_room_for_so_many_and_a_repeat_is_answered_all_the_same(
    processes: Processes, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(cast(dict[str, int], room.OPEN), "negotiation", 2)
    first = made(peer_pid="urn:1")
    processes.begin(first, "1")
    processes.begin(made(peer_pid="urn:2"), "2")
    with pytest.raises(room.Full, match="2 negotiations that are not over"):
        processes.begin(made(peer_pid="urn:3"), "3")
    assert len(processes.find("negotiation", None)) == 2
    assert processes.begin(made(peer_pid="urn:1"), "1") == (first, True)
    # What another one begins does not count, nor what this node offers unasked.
    processes.begin(msgspec.structs.replace(made(peer_pid="urn:4"), peer="urn:another"), "4")
    processes.change(first.id, lambda known, _received: Change(moved(known, states.TERMINATED)))
    assert processes.begin(made(peer_pid="urn:3"), "3")[1]
    assert processes.begin(made(), None)[1]
    monkeypatch.setitem(cast(dict[str, int], room.OPEN), "negotiation", 10)
    monkeypatch.setitem(cast(dict[str, int], room.OF_A_DAY), "negotiation", 4)
    with pytest.raises(room.Full, match="in the last day"):
        processes.begin(made(peer_pid="urn:5"), "5")


def _as_told(known: Participant, _before: Participant | None) -> Participant:
    return known


def test_all_members_of_another_node_have_one_room_together_and_those_of_this_one_each_their_own(
    processes: Processes, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(cast(dict[str, int], room.OPEN), "negotiation", 2)
    homes = {"urn:1": "http://a_b.example", "urn:2": "http://a_b.example", "urn:3": "http://axb.example"}
    store = Store(processes._engine)
    for peer in (*homes, "urn:own:1", "urn:own:2"):
        known = Participant(peer, "N", [], home=homes.get(peer, ""))
        store.settle(Participant, peer, partial(_as_told, known))

    def begin(number: int, peer: str) -> None:
        begun = msgspec.structs.replace(made(peer_pid=f"urn:pid:{number}"), peer=peer)
        processes.begin(begun, str(number))

    begin(1, "urn:1")
    begin(2, "urn:2")
    for number, peer in enumerate(("urn:1", "urn:2"), 3):
        with pytest.raises(room.Full, match="2 negotiations that are not over"):
            begin(number, peer)
    for number, peer in enumerate(("urn:3", "urn:own:1", "urn:own:1", "urn:own:2", "urn:own:2"), 5):
        begin(number, peer)


def test_one_agreement_has_room_for_so_many_transfers(
    processes: Processes, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(room, "OPEN_UNDER_ONE", 1)

    def transfer(number: int, agreement: str) -> Process:
        return made(kind="transfer", peer_pid=f"urn:{number}", agreement_id=agreement)

    processes.begin(transfer(1, "urn:a"), "1")
    with pytest.raises(room.Full, match="agreementId"):
        processes.begin(transfer(2, "urn:a"), "2")
    assert processes.begin(transfer(3, "urn:b"), "3")[1]


def test_what_a_participant_here_begins_has_the_same_bounds_with_one_other_side(
    processes: Processes, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(room, "OPEN_UNDER_ONE", 1)
    monkeypatch.setitem(cast(dict[str, int], room.OPEN), "transfer", 2)

    def begin(agreement: str, **more: Any) -> Process:
        wanted = msgspec.structs.replace(
            made(kind="transfer", agreement_id=agreement), role="consumer", **more
        )
        return processes.begin(wanted, None)[0]

    first = begin("urn:a")
    with pytest.raises(room.Full) as refused:
        begin("urn:a")
    assert [error.field for error in refused.value.errors] == ["agreement"]
    begin("urn:b")
    with pytest.raises(room.Full, match="2 transfers that are not over"):
        begin("urn:c")
    # What others begin, and what it has with others, does not count.
    begin("urn:c", owner="urn:another")
    begin("urn:d", peer="urn:another")
    processes.change(first.id, lambda known, _received: Change(moved(known, states.TERMINATED)))
    begin("urn:a")
    monkeypatch.setitem(cast(dict[str, int], room.OF_A_DAY), "transfer", 3)
    monkeypatch.setitem(cast(dict[str, int], room.OPEN), "transfer", 9)
    with pytest.raises(room.Full, match="in the last day"):
        begin("urn:e")


@pytest.mark.parametrize(
    ("change", "known"),
    [
        ({}, True), ({"owner": "urn:another"}, False), ({"peer": "urn:another"}, False), ({"role": "provider"}, False),
        ({"state": states.VERIFIED}, False), ({"agreement_id": "urn:b"}, False), ({"kind": "transfer"}, False),
    ],
)  # fmt: skip
def test_an_agreement_is_negotiated_by_who_came_to_it_as_consumer(
    processes: Processes, change: dict[str, Any], known: bool
) -> None:
    begun = msgspec.structs.replace(made(), role="consumer", state=states.FINALIZED, agreement_id="urn:a")
    processes.begin(msgspec.structs.replace(begun, **change), None)
    assert processes.negotiated("urn:a", "urn:owner", "urn:peer") is known


def test_a_list_of_processes_comes_in_parts_each_once(processes: Processes) -> None:
    now = clock.now()
    # Two of each moment, so that a part ends between equals.
    all_of = [msgspec.structs.replace(made(), changed_at=now - number // 2) for number in range(7)]
    for one in all_of:
        processes.begin(one, None)
    found: list[Process] = []
    while part := processes.find("negotiation", "urn:owner", 2, _behind(found)):
        found += part
    assert [one.changed_at for one in found] == [now - number // 2 for number in range(7)]
    assert len({one.id for one in found}) == 7
    over = processes.change(all_of[0].id, lambda known, _received: Change(moved(known, states.TERMINATED)))
    still = processes.find("negotiation", None, open_only=True)
    assert over.id not in {one.id for one in still}
    assert len(still) == 6
    under = msgspec.structs.replace(made(), agreement_id="urn:a")
    processes.begin(under, None)
    assert [one.id for one in processes.find("negotiation", None, agreement="urn:a")] == [under.id]


def _behind(found: list[Process]) -> tuple[int, str] | None:
    return (found[-1].changed_at, found[-1].id) if found else None
