"""Lists of negotiations and transfers as whoever takes part in them, or the operator, asks for them."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from dmi_agreements.contracts.law import AgreementState
from dmi_agreements.contracts.observations import Micros
from dmi_agreements.dsp import states
from dmi_agreements.dsp.states import Kind, Side
from dmi_exchange.dsp.process import Outgoing, Process
from dmi_exchange.dsp.steps import new_id
from dmi_exchange.dsp.store import Processes
from dmi_exchange.flow.store import Flows
from dmi_exchange.routes.dataspace import Desk, Part
from dmi_exchange.store import Store
from dmi_infra import clock
from dmi_infra.cursors import Cursors
from dmi_infra.identity import Identity
from dmi_infra.sql import migrate, open_engine
from tests.unit.exchange.fakes import GARAGES, MUNICIPALITY, OWNER, VENDOR


@pytest.fixture
def engine(tmp_path: Path) -> sa.Engine:
    """A store in which no node goes on by itself."""
    engine = open_engine(f"sqlite:///{tmp_path / 'exchange.db'}", "exchange")
    migrate(engine, "dmi_exchange")
    return engine


@pytest.fixture
def desk(engine: sa.Engine) -> Desk:
    return Desk(Processes(engine), Flows(engine), Store(engine), Cursors(b"k" * 32))


OFFICER = Identity(OWNER, OWNER, frozenset({MUNICIPALITY}))
Begin = Callable[..., Process]


@pytest.fixture
def begin(engine: sa.Engine) -> Begin:
    def begun(kind: Kind, role: Side, **changes: Any) -> Process:
        now = clock.now()
        given: dict[str, Any] = {
            "peer": VENDOR, "state": states.REQUESTED, "owner": OWNER, "address": "https://b.example",
            "peer_pid": new_id(), "dataset": GARAGES, **changes,
        }  # fmt: skip
        made = Process(id=new_id(), kind=kind, role=role, begun_at=now, changed_at=now, **given)
        return Processes(engine).begin(made, None, Outgoing("x", "x", {}))[0]

    return begun


@pytest.mark.parametrize("kind", ["negotiation", "transfer"])
def test_a_longer_list_is_no_more_questions_to_the_store(
    engine: sa.Engine, desk: Desk, begin: Begin, kind: Kind
) -> None:
    sides: tuple[Side, Side] = ("provider", "consumer")
    for number in range(20):
        begin(kind, sides[number % 2])
    asked: list[str] = []
    sa.event.listen(engine, "before_cursor_execute", lambda *given: asked.append(given[2]))

    def questions(limit: int) -> int:
        asked.clear()
        assert len(desk.find(kind, OFFICER, Part(limit=limit))["items"]) == limit
        return len(asked)

    assert questions(20) == questions(2) > 0


def test_a_negotiation_says_when_the_agreement_that_came_of_it_was_stopped(
    engine: sa.Engine, desk: Desk, begin: Begin
) -> None:
    def put(identifier: str, state: str, ended_at: Micros | None = None) -> None:
        made = AgreementState(identifier, {}, state, ended_at=ended_at)
        Store(engine).settle(AgreementState, identifier, lambda _known: made)

    put("urn:uuid:ended", "ended", 1_790_000_000_000_000)
    put("urn:uuid:active", "active")
    for name in ("ended", "active", "unknown"):
        begin("negotiation", "provider", state=states.FINALIZED, agreement_id=f"urn:uuid:{name}")
    begin("negotiation", "provider", state=states.VERIFIED, agreement_id="urn:uuid:ended")
    shown = desk.find("negotiation", OFFICER, Part())["items"]
    told = {(one["state"], one["agreement"]): one["stopped_at"] for one in shown}
    assert told == {
        ("FINALIZED", "urn:uuid:ended"): "2026-09-21T14:13:20Z",
        ("FINALIZED", "urn:uuid:active"): None,
        ("FINALIZED", "urn:uuid:unknown"): None,
        ("VERIFIED", "urn:uuid:ended"): None,
    }


def test_each_of_a_list_says_what_waits_and_what_has_flowed_of_it(desk: Desk, begin: Begin) -> None:
    told, sent = begin("transfer", "consumer"), begin("transfer", "provider")
    begin("transfer", "provider")
    desk.flows.reached(told.id, "0:1", 7, 2)
    desk.flows.given(sent.id, "0:1", "urn:uuid:record", 5)
    desk.flows.given(sent.id, "0:2", "urn:uuid:second", 4)
    desk.flows.given(sent.id, "0:2", "urn:uuid:second", 4)
    shown = {one["id"]: one for one in desk.find("transfer", OFFICER, Part())["items"]}
    assert [one["pending"] for one in shown.values()] == [1, 1, 1]
    assert shown[told.id]["data"] == {"received": 7, "not_taken": 2}
    nothing = {"sent": 0, "pieces": 0, "sent_again": 0, "rows_again": 0, "log": None}
    given = {"sent": 9, "pieces": 2, "sent_again": 1, "rows_again": 4, "log": None}
    assert [one["data"] for one in shown.values() if one["role"] == "provider"] == [nothing, given]
    assert shown[sent.id] == desk.show(sent)
