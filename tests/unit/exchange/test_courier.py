"""What becomes of a message that the other side refuses, and of processes that a killed node left."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import msgspec
import pytest
import sqlalchemy as sa

from dmi_agreements.contracts.law import AgreementState, Participant
from dmi_agreements.dsp import states
from dmi_exchange.dsp import endings, room
from dmi_exchange.dsp.build import is_node
from dmi_exchange.dsp.client import Answer, Client, Unreachable
from dmi_exchange.dsp.courier import (
    ADVANCES_AT_ONCE,
    AT_A_TIME,
    AT_ONCE,
    FIRST_WAIT,
    LONGEST_WAIT,
    OF_ONE,
    REFUSALS,
    REFUSED_WAIT,
    Courier,
)
from dmi_exchange.dsp.endings import Endings
from dmi_exchange.dsp.negotiation import Negotiations
from dmi_exchange.dsp.process import Outgoing, Process, Waiting
from dmi_exchange.dsp.shelf import StoreShelf
from dmi_exchange.dsp.steps import AGREEMENT_END, Steps, new_id
from dmi_exchange.dsp.store import Change, Processes
from dmi_exchange.handlers import Exchange
from dmi_exchange.tables import dsp_message
from dmi_infra import clock
from dmi_infra.errors import Conflict, NotFound, Unavailable
from dmi_infra.sql import migrate, open_engine, reading
from tests.unit.exchange.fakes import GARAGES, OWNER, SELLING, VENDOR, Node
from tests.unit.infra.fakes import eventually

KNOWN, FOREIGN = "urn:dmi:participant:known", "urn:x:foreign"


class Peer:
    """Another node that answers as it is told."""

    def __init__(self) -> None:
        self.status = 403
        self.away = False

    def post(self, *_: object) -> Answer:
        if self.away:
            raise Unreachable("b did not answer")
        return Answer(self.status, {"reason": ["no"]}, {})


@pytest.fixture
def engine(node: Node) -> sa.Engine:
    return open_engine(node.settings.store_address("exchange"), "exchange")


@pytest.fixture
def processes(engine: sa.Engine) -> Processes:
    return Processes(engine)


@pytest.fixture
def peer() -> Peer:
    return Peer()


@pytest.fixture
def courier(processes: Processes, peer: Peer) -> Courier:
    return Courier(processes, cast(Client, peer), 3600, lambda process: process.peer == KNOWN)


def _process(**changes: Any) -> Process:
    now = clock.now()
    given: dict[str, Any] = {
        "peer": KNOWN, "state": states.FINALIZED, "role": "provider", "owner": OWNER,
        "address": "https://b.example", "peer_pid": new_id(), "kind": "negotiation", **changes,
    }  # fmt: skip
    return Process(id=new_id(), begun_at=now, changed_at=now, dataset=GARAGES, **given)


def _begun(processes: Processes, message: str = "", **changes: Any) -> Process:
    made = _process(**changes)
    processes.begin(made, None, Outgoing(message, "negotiations/x/end", {}) if message else None)
    return made


def _waiting(engine: sa.Engine, process: Process) -> Waiting | None:
    query = sa.select(dsp_message).where(dsp_message.c.process == process.id).order_by(dsp_message.c.id)
    with reading(engine) as connection:
        row = connection.execute(query).first()
    if row is None:
        return None
    return Waiting(row.id, row.process, row.type, row.path, row.body.encode(), row.made_at, row.attempts)


def _tried(courier: Courier, engine: sa.Engine, process: Process) -> float:
    """Try its message once; the seconds until the next try."""
    message = _waiting(engine, process)
    assert message is not None
    before = clock.now()
    courier.deliver(message)
    query = sa.select(dsp_message.c.next_at).where(dsp_message.c.process == process.id)
    with reading(engine) as connection:
        return (int(connection.execute(query).scalar_one()) - before) / 1_000_000


@pytest.mark.parametrize("status", [400, 401, 403, 404, 409])
@pytest.mark.parametrize("message", [AGREEMENT_END, states.EVENT_FINALIZED])
def test_what_a_node_must_hear_is_told_on_however_it_is_refused(
    engine: sa.Engine, processes: Processes, courier: Courier, peer: Peer, message: str, status: int
) -> None:
    peer.status = status
    process = _begun(processes, message)
    waits = [_tried(courier, engine, process) for _ in range(20)]
    assert waits[0] < 2 * FIRST_WAIT
    assert waits[1] > 1.5 * waits[0]
    assert LONGEST_WAIT < waits[-1] < REFUSED_WAIT + 10
    assert "goes on trying" in processes.get(process.id).reason
    # One that was away for long and refuses then is asked again soon.
    peer.away = True
    assert _tried(courier, engine, process) < LONGEST_WAIT + 1
    peer.away = False
    assert _tried(courier, engine, process) < 2 * FIRST_WAIT
    peer.status = 200
    found = _waiting(engine, process)
    assert found is not None
    courier.deliver(found)
    assert _waiting(engine, process) is None
    assert processes.get(process.id).reason == ""


def test_a_foreign_connector_that_refuses_is_asked_no_more(
    engine: sa.Engine, processes: Processes, courier: Courier
) -> None:
    process = _begun(processes, states.EVENT_FINALIZED, peer=FOREIGN)
    for _ in range(REFUSALS):
        found = _waiting(engine, process)
        assert found is not None
        courier.deliver(found)
    assert _waiting(engine, process) is None


def _asking(processes: Processes) -> Process:
    """A negotiation of which the other side has not heard yet."""
    made = _process(role="consumer", state=states.REQUESTED, peer_pid=None)
    processes.begin(made, None, Outgoing(states.REQUEST, "negotiations/request", {}))
    return made


@pytest.mark.parametrize("given", [None, 5, "", "p\x00", "p\n", "p" * 501], ids=repr)
def test_an_acknowledgement_without_an_id_that_can_be_kept_ends_the_negotiation(
    engine: sa.Engine, processes: Processes, courier: Courier, monkeypatch: pytest.MonkeyPatch, given: object
) -> None:
    process = _asking(processes)
    monkeypatch.setattr(courier._client, "post", lambda *_: Answer(201, {"providerPid": given}, {}))
    message = _waiting(engine, process)
    assert message is not None
    courier.deliver(message)
    after = processes.get(process.id)
    assert (after.state, after.reason) == (
        states.TERMINATED, "the provider acknowledged without an id of its own",
    )  # fmt: skip
    assert _waiting(engine, process) is None


def test_a_message_whose_answer_cannot_be_taken_in_is_shown_with_its_reason_and_given_up(
    engine: sa.Engine, processes: Processes, courier: Courier, monkeypatch: pytest.MonkeyPatch
) -> None:
    process = _asking(processes)

    def post(*_: object) -> Answer:
        raise UnicodeEncodeError("utf-8", "\ud800", 0, 1, "surrogates not allowed")

    monkeypatch.setattr(courier._client, "post", post)
    assert 0 < _tried(courier, engine, process) < 2 * FIRST_WAIT
    assert processes.get(process.id).reason == (
        "a fault of this node; it has been logged; tried 1 time, goes on trying"
    )
    message = _waiting(engine, process)
    assert message is not None
    courier.deliver(msgspec.structs.replace(message, made_at=0))
    after = processes.get(process.id)
    assert after.state == states.TERMINATED
    assert after.reason == "given up: a fault of this node; it has been logged"


def test_what_a_node_must_hear_and_this_one_cannot_carry_is_tried_later_and_later(
    engine: sa.Engine, processes: Processes, courier: Courier, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Each try leaves its trace in the log.
    process = _begun(processes, AGREEMENT_END)
    faults: list[Exception] = [Unreachable("it is away")] * 9 + [ZeroDivisionError("ours")] * 20

    def post(*_: object) -> Answer:
        raise faults.pop(0)

    monkeypatch.setattr(courier._client, "post", post)
    assert max(_tried(courier, engine, process) for _ in range(9)) < LONGEST_WAIT + 1
    waits = [_tried(courier, engine, process) for _ in range(20)]
    assert waits[0] < 2 * FIRST_WAIT
    assert LONGEST_WAIT < waits[-1] < REFUSED_WAIT + 10
    assert "a fault of this node" in processes.get(process.id).reason


def test_a_try_in_which_the_store_was_away_makes_nobody_ask_soon_who_refused_often(
    engine: sa.Engine, processes: Processes, courier: Courier, peer: Peer, monkeypatch: pytest.MonkeyPatch
) -> None:
    peer.status = 403
    process = _begun(processes, AGREEMENT_END)
    waits = [_tried(courier, engine, process) for _ in range(8)]

    def away(*_: object) -> None:
        raise Unavailable("the store is away")

    with monkeypatch.context() as patched:
        patched.setattr(courier._client, "post", away)
        with pytest.raises(Unavailable):
            _tried(courier, engine, process)
    assert _tried(courier, engine, process) > waits[-1]


def test_a_message_that_was_dropped_while_it_failed_leaves_no_reason(
    engine: sa.Engine, processes: Processes
) -> None:
    process = _begun(processes, states.EVENT_FINALIZED)
    message = _waiting(engine, process)
    assert message is not None
    processes.change(process.id, lambda known, _received: Change(known, silence=True))
    asked: list[str] = []

    def note(*given: Any) -> None:
        asked.append(given[2])

    sa.event.listen(engine, "before_cursor_execute", note)
    processes.undelivered(message, clock.now(), "no; tried 1 time, goes on trying")
    assert processes.get(process.id).reason == ""
    # On a server two that lock process and message in different order stop each other.
    assert "dsp_process" in next(one for one in asked if "dsp_" in one)


def test_members_with_a_connector_of_their_own_are_no_nodes(processes: Processes) -> None:
    own, homes = "https://a.example/dsp", {KNOWN: "https://b.example", VENDOR: ""}

    def get(_kind: object, who: str) -> object:
        return SimpleNamespace(home=homes[who]) if who in homes else None

    def told_on(peer: str, address: str) -> bool:
        process = _begun(processes, peer=peer)
        return is_node(exchange, own, msgspec.structs.replace(process, address=address))

    exchange: Any = SimpleNamespace(store=SimpleNamespace(get=get))
    assert told_on(KNOWN, "https://b.example/dsp")
    assert told_on(VENDOR, own)
    assert told_on(VENDOR, f"{own}/x")
    assert not told_on(VENDOR, "https://vendor.example/dsp")
    assert not told_on(VENDOR, "https://a.example/dsp-of-mine")
    assert not told_on(FOREIGN, own)


def test_what_waits_behind_a_message_that_is_refused_is_told_all_the_same(
    engine: sa.Engine, processes: Processes, courier: Courier
) -> None:
    process = _begun(processes, states.AGREEMENT)
    conclusion = Outgoing(states.EVENT_FINALIZED, "negotiations/x/events", {})
    processes.change(process.id, lambda known, _received: Change(known, conclusion))
    for _ in range(REFUSALS):
        first = _waiting(engine, process)
        assert first is not None
        assert first.type == states.AGREEMENT
        courier.deliver(first)
    left = _waiting(engine, process)
    assert left is not None
    assert left.type == states.EVENT_FINALIZED


def test_an_end_that_comes_before_the_agreement_is_kept_leaves_none(processes: Processes, node: Node) -> None:
    exchange: Exchange = node.service.app.state.exchange
    steps = Steps(processes, lambda: None)
    kept: list[str] = []

    def refuse(known: Process) -> None:
        kept.append(known.id)
        raise Conflict("this agreement cannot hold here")

    def keep(known: Process) -> None:
        kept.append(known.id)

    for doing in (keep, refuse):
        shelf: Any = SimpleNamespace(keep=doing)
        uid = new_id()
        process = _begun(processes, role="consumer", agreement_id=uid)
        negotiations = Negotiations(steps, shelf, "", lambda *_: None)
        carrying = Endings(exchange, negotiations, cast(Any, SimpleNamespace(steps=steps)))
        assert carrying.ended(process.id, KNOWN, {"agreementId": uid, "reason": ["genoeg"]}).kept
        assert kept == [process.id]
        # Heard again, it changes nothing.
        assert carrying.ended(process.id, KNOWN, {"agreementId": uid}).kept
        assert kept == [process.id]
        kept.clear()
    with pytest.raises(NotFound):
        carrying.ended(process.id, KNOWN, {"agreementId": new_id()})


def test_a_fault_while_an_end_is_carried_keeps_nothing_else_going_and_is_tried_again(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(endings, "RETRY_SECONDS", 0.05)
    uid, transfers = (
        new_id(),
        [msgspec.structs.replace(_process(state=states.STARTED), kind="transfer") for _ in range(2)],
    )
    asked: list[str] = []

    def terminate(identifier: str, _reason: str) -> None:
        asked.append(identifier)
        if len(asked) == 1:
            raise ZeroDivisionError

    law = SimpleNamespace(
        get=lambda _kind, _id: AgreementState(uid, {"assigner": OWNER, "assignee": KNOWN}, "ended")
    )
    processes = SimpleNamespace(under=lambda _agreement: transfers, agreements=lambda: [uid])
    carrying = SimpleNamespace(terminate=terminate, steps=SimpleNamespace(processes=processes))
    exchange: Any = SimpleNamespace(store=law)
    thread = Endings(exchange, cast(Negotiations, None), cast(Any, carrying))
    thread.start()
    try:
        eventually(lambda: asked == [one.id for one in transfers] * 2)
    finally:
        thread.stop()


def test_an_end_and_its_reason_are_told_to_the_parties_of_the_agreement_alone(
    engine: sa.Engine, processes: Processes
) -> None:
    uid = new_id()
    ended = AgreementState(
        uid,
        {"assigner": OWNER, "assignee": KNOWN},
        "ended",
        ended_at=1,
        ended_by=OWNER,
        end_reason="failliet",
    )
    elsewhere = Participant(KNOWN, "Known", (), home="https://b.example")

    def get(kind: type, _identifier: str) -> object:
        return ended if kind is AgreementState else elsewhere

    stopped: list[str] = []
    steps = Steps(processes, lambda: None)
    transfers = SimpleNamespace(steps=steps, terminate=lambda identifier, _reason: stopped.append(identifier))
    exchange: Any = SimpleNamespace(store=SimpleNamespace(get=get))
    party, claims = (_begun(processes, peer=peer, agreement_id=uid) for peer in (KNOWN, FOREIGN))
    flowing = _begun(processes, kind="transfer", state=states.STARTED, agreement_id=uid)
    _begun(processes, kind="transfer", state=states.STARTED, agreement_id=uid, peer=FOREIGN)
    assert Endings(exchange, cast(Negotiations, None), cast(Any, transfers)).carry(uid)
    told = _waiting(engine, party)
    assert told is not None
    body = msgspec.json.decode(told.body)
    assert (body["@type"], "eventType" in body, body["reason"]) == (AGREEMENT_END, False, ["failliet"])
    assert _waiting(engine, claims) is None
    assert stopped == [flowing.id]


def test_where_an_end_is_not_taken_the_end_of_the_agreement_is_told(
    engine: sa.Engine, processes: Processes, courier: Courier
) -> None:
    ended = {
        "state": states.TERMINATED,
        "role": "consumer",
        "agreement_id": "urn:uuid:1",
        "reason": "toch niet",
    }
    for more, after in (({}, AGREEMENT_END), ({"peer": FOREIGN}, None), ({"agreement_id": ""}, None)):
        process = _begun(processes, states.NEGOTIATION_TERMINATION, **{**ended, **more})
        for _ in range(REFUSALS):
            found = _waiting(engine, process)
            assert found is not None
            courier.deliver(found)
        told = _waiting(engine, process)
        assert (told.type if told else None) == after
        if told is not None:
            body = msgspec.json.decode(told.body)
            assert (body["agreementId"], body["reason"]) == ("urn:uuid:1", ["toch niet"])


def test_a_start_looks_at_what_a_killed_node_had_begun(processes: Processes) -> None:
    half = _begun(processes, state=states.VERIFIED)
    unkept = _begun(processes, role="consumer")
    ended = {"state": states.TERMINATED, "agreement_id": new_id()}
    concluded = _begun(processes, **ended)
    over = [
        _begun(processes), _begun(processes, role="consumer", kept=True), _begun(processes, state=states.TERMINATED),
        _begun(processes, **ended, role="consumer"),
    ]  # fmt: skip
    assert half.id not in processes.to_advance(clock.now() + 10_000_000)
    processes.advance_all()
    found = processes.to_advance(clock.now() + 10_000_000)
    assert {half.id, unkept.id, concluded.id} <= set(found)
    assert {one.id for one in over}.isdisjoint(found)


def test_a_negotiation_that_ends_while_it_is_concluded_leaves_no_agreement(
    node: Node, processes: Processes
) -> None:
    exchange: Exchange = node.service.app.state.exchange
    given = {
        "assigner": OWNER, "assignee": VENDOR, "datasets": [GARAGES], "actions": ["dmi:read"],
        "purpose": "dmi:purpose:mobility",
    }  # fmt: skip
    document = exchange.draft("sensor-data", given)
    process = _begun(processes, peer=VENDOR, state=states.VERIFIED, agreement_id=document["uid"])
    steps = Steps(processes, lambda: None)

    def conclude(known: Process) -> dict[str, Any]:
        node.propose(document)
        node.countersign(document, SELLING)
        steps.terminate(known.id, "toch niet")
        return {}

    own = StoreShelf(cast(Any, None), exchange, cast(Any, None), ())
    shelf: Any = SimpleNamespace(conclude=conclude, undo=own.undo)
    with pytest.raises(Conflict):
        Negotiations(steps, shelf, "", lambda *_: None).finalize(process.id)
    found = node.store.get(AgreementState, document["uid"])
    assert found is not None
    assert (found.state, found.ended_by, found.end_reason) == ("ended", OWNER, "toch niet")
    # The same is done for one that was killed in between.
    assert process.id in processes.to_advance(clock.now() + 10_000_000)


@pytest.fixture
def alone(tmp_path: Path) -> Processes:
    """A store in which no node goes on by itself."""
    engine = open_engine(f"sqlite:///{tmp_path / 'exchange.db'}", "exchange")
    migrate(engine, "dmi_exchange")
    return Processes(engine)


@pytest.mark.parametrize(
    ("refusal", "told"),
    [
        (Conflict("the rulebook is not signed"), "not signed"),
        (ZeroDivisionError("ours"), "a fault of this node"),
    ],
    ids=["refused", "fault"],
)
def test_a_step_that_fails_is_tried_again_later_and_later(
    alone: Processes, peer: Peer, refusal: Exception, told: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    # It stands still: what a fault has to say takes its time.
    now = clock.now()
    monkeypatch.setattr(clock, "now", lambda: now)
    processes, courier = alone, Courier(alone, cast(Client, peer), 3600, lambda _process: True)
    process = _begun(processes, state=states.VERIFIED)
    refused = [refusal] * 3

    def behave(_process: Process) -> None:
        if refused:
            raise refused.pop()

    courier.behave = behave
    waits = []
    for _ in range(4):
        processes.advance_later(process.id, 0)
        assert courier.advance(process.id)
        waits.append(
            [s for s in (0.1, 0.6, 1.1, 2.1) if process.id in processes.to_advance(now + int(s * 1e6))]
        )
    assert waits == [[0.6, 1.1, 2.1], [1.1, 2.1], [2.1], []]
    assert told in processes.get(process.id).reason


def test_a_host_that_hangs_holds_so_many_workers_and_the_others_go_on(alone: Processes, peer: Peer) -> None:
    processes, courier = alone, Courier(alone, cast(Client, peer), 3600, lambda _process: True)
    hanging = [_begun(processes, state=states.VERIFIED) for _ in range(ADVANCES_AT_ONCE + 1)]
    other = _begun(processes, state=states.VERIFIED)
    processes.change(
        other.id, lambda known, _: Change(msgspec.structs.replace(known, address="https://c.example"))
    )
    answers, went_on = threading.Event(), threading.Semaphore(0)

    def behave(process: Process) -> None:
        went_on.release()
        if process.id != other.id:
            answers.wait(20)

    courier.behave = behave
    for process in (*hanging, other):
        processes.advance_later(process.id, 0)
    with ThreadPoolExecutor(ADVANCES_AT_ONCE) as pool:
        held = [pool.submit(courier.advance, one.id) for one in hanging[:-1]]
        for _ in held:
            assert went_on.acquire(timeout=10)
        assert not courier.advance(hanging[-1].id)
        assert courier.advance(other.id)
        answers.set()
        assert all(one.result() for one in held)
    assert courier.advance(hanging[-1].id)
    assert processes.to_advance(clock.now()) == []


class Hanging(Peer):
    """A host that does not answer until it is let go; all others acknowledge."""

    def __init__(self) -> None:
        super().__init__()
        self.answers = threading.Event()
        self.told: list[str] = []

    def post(self, *asked: object) -> Answer:
        self.told.append(str(asked[0]))
        if asked[0] == HANGS:
            self.answers.wait(20)
        return Answer(200, {}, {})


HANGS = "https://hangs.example/dsp"


@pytest.fixture
def hanging(alone: Processes) -> Iterator[tuple[Courier, Hanging]]:
    peer = Hanging()
    courier = Courier(alone, cast(Client, peer), 3600, lambda _process: True)
    yield courier, peer
    peer.answers.set()
    courier._stopping = True
    courier._pool.shutdown()
    courier._steppers.shutdown()


def test_however_many_messages_wait_for_a_host_that_hangs_those_behind_them_go(
    alone: Processes, hanging: tuple[Courier, Hanging]
) -> None:
    courier, peer = hanging
    for number in range(2 * AT_A_TIME):
        _begun(alone, states.NEGOTIATION_TERMINATION, address=HANGS, owner=f"urn:x:{number}", role="consumer")
    _begun(alone, states.NEGOTIATION_TERMINATION, owner="urn:y", role="consumer")
    # One round: what is put back waits for a later one.
    courier._round()
    eventually(lambda: "https://b.example" in peer.told)
    assert peer.told.count(HANGS) <= AT_ONCE


def test_however_many_messages_one_participant_has_for_hosts_that_hang_those_of_others_go(
    alone: Processes, hanging: tuple[Courier, Hanging]
) -> None:
    courier, _peer = hanging
    courier._chosen["urn:x"] = OF_ONE
    mine = [
        _begun(alone, states.NEGOTIATION_TERMINATION, owner="urn:x", role="consumer"),
        _begun(alone, states.NEGOTIATION_TERMINATION, owner="urn:y", peer="urn:x", role="provider"),
    ]
    other = _begun(alone, states.NEGOTIATION_TERMINATION, owner="urn:y", role="consumer")
    claimed = alone.claim(clock.now(), AT_A_TIME, (), ["urn:x"])
    assert [one.process for one in claimed] == [other.id]
    assert {one.process for one in alone.claim(clock.now(), AT_A_TIME)} == {one.id for one in mine}


def test_steps_that_wait_for_a_host_take_no_worker_of_messages(
    alone: Processes, hanging: tuple[Courier, Hanging]
) -> None:
    courier, peer = hanging
    waiting = threading.Semaphore(0)

    def behave(_process: Process) -> None:
        waiting.release()
        peer.answers.wait(20)

    courier.behave = behave
    for _ in range(ADVANCES_AT_ONCE):
        alone.advance_later(_begun(alone, state=states.VERIFIED, address=HANGS).id, 0)
    for number in range(AT_ONCE):
        _begun(alone, states.NEGOTIATION_TERMINATION, address=HANGS, owner=f"urn:x:{number}", role="consumer")
    courier._round()
    for _ in range(ADVANCES_AT_ONCE):
        assert waiting.acquire(timeout=10)
    eventually(lambda: peer.told == [HANGS] * AT_ONCE)
    _begun(alone, states.NEGOTIATION_TERMINATION, owner="urn:y", role="consumer")
    courier._round()
    eventually(lambda: "https://b.example" in peer.told)


def test_what_a_participant_here_has_open_with_others_has_a_bound_that_unasked_offers_do_not_fill(
    alone: Processes, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(room, "OPEN_OF_OWN", {"negotiation": 2})
    monkeypatch.setattr(room, "OPEN", {"negotiation": 2})
    begun = {"role": "consumer", "state": states.REQUESTED}

    def offered(number: int) -> None:
        offer = _process(unasked=True, peer_pid=f"urn:x:{number}", **begun)
        alone.begin(offer, f"digest {number}")

    for number in range(2):
        _begun(alone, **begun)
        offered(number)
    with pytest.raises(room.Full, match="with others"):
        _begun(alone, **begun)
    with pytest.raises(room.Full, match="you have 2"):
        offered(2)
    _begun(alone, **begun, owner="urn:another")
