"""Who tells other nodes what persons ask: one of them that is slow, or away, keeps no other waiting."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest

from dmi_exchange.dsp.client import Answer, Client, Unreachable
from dmi_exchange.dsp.process import Process
from dmi_exchange.dsp.store import Processes
from dmi_exchange.notices.aliases import Aliases
from dmi_exchange.notices.carrier import Carrier
from dmi_exchange.notices.model import Notice
from dmi_exchange.notices.store import Notices
from dmi_infra import clock
from dmi_infra.errors import NotFound
from dmi_infra.sql import migrate, open_engine
from tests.unit.infra.fakes import BICYCLES, NOOR, eventually

SLOW, QUICK = "http://slow.example/dsp", "http://quick.example/dsp"


class Post:
    """Notes who was told of what, and answers late, wrongly or not at all where a test wants it."""

    def __init__(self) -> None:
        self.hold = threading.Event()
        self.told: list[str] = []
        self.fails: dict[str, Exception] = {}

    def post(self, address: str, path: str, _body: bytes, _sender: str) -> Answer:
        process = path.split("/")[1]
        self.told.append(process)
        if address == SLOW:
            self.hold.wait(10)
        if process in self.fails:
            raise self.fails[process]
        return Answer(200, {"complete": True}, {})


class Office:
    """A carrier with its notices; the process of each is named after its node."""

    def __init__(self, folder: Path) -> None:
        engine = open_engine(f"sqlite:///{folder / 'exchange.db'}", "exchange")
        migrate(engine, "dmi_exchange")
        self.notices, self.post = Notices(engine), Post()
        processes = cast(Processes, SimpleNamespace(get=self._process))
        aliases = cast(Aliases, SimpleNamespace(of=lambda _recipient: lambda person: person))
        self.carrier = Carrier(self.notices, processes, cast(Client, self.post), aliases)

    @staticmethod
    def _process(identifier: str) -> Process:
        if identifier.startswith("gone"):
            raise NotFound("no process has this id")
        return Process(
            id=identifier, kind="negotiation", role="provider", owner="o", peer="p", begun_at=1, changed_at=1,
            address=SLOW if identifier.startswith("slow") else QUICK, peer_pid=identifier, agreement_id="a",
        )  # fmt: skip

    def due(self, process: str) -> None:
        """Something that a recipient of its own is to be told by this process; due in the order of the calls."""
        now = clock.now()
        one = Notice(
            id=process, cause=process, person=NOOR, right="erasure", dataset=BICYCLES, made_at=now, until=now,
            recipient=f"of {process.partition('-')[0]}", agreements=["a"], process=process,
        )  # fmt: skip
        self.notices.add(one, now)

    def left(self) -> dict[str, str]:
        """What is not done yet, with the reason that is shown."""
        return {one.id: one.reason for one in self.notices.about(NOOR) if not one.outcome}


@pytest.fixture
def office(tmp_path: Path) -> Iterator[Office]:
    made = Office(tmp_path)
    yield made
    made.post.hold.set()
    if made.carrier._thread.is_alive():
        made.carrier.stop()
    made.carrier._pool.shutdown()


def test_a_node_that_answers_late_keeps_no_other_from_being_told(office: Office) -> None:
    # More than are read at a time, so that those behind them have to be found.
    for number in range(120):
        office.due(f"slow-{number}")
    office.due("quick")
    office.carrier.start()
    eventually(lambda: "quick" in office.post.told)
    office.due("quick-later")
    office.carrier.wake()
    eventually(lambda: "quick-later" in office.post.told)
    assert [one for one in office.post.told if one.startswith("slow")] == ["slow-0"]
    office.post.hold.set()
    eventually(lambda: not office.left())


@pytest.mark.parametrize(
    ("failure", "told"), [(Unreachable("is away"), False), (ValueError("no such thing"), True)], ids=str
)
def test_what_fails_at_one_notice_is_shown_there_and_those_behind_it_are_told(
    office: Office, failure: Exception, told: bool
) -> None:
    office.post.fails["quick-1"] = failure
    for name in ("quick-1", "gone", "quick-2"):
        office.due(name)
    office.carrier.round()
    eventually(lambda: all(office.left().values()) and not office.carrier._turns)
    left: dict[str, Any] = office.left()
    assert left.keys() == {"quick-1", "gone"} | (set() if told else {"quick-2"})
    assert ("quick-2" in office.post.told) == told, "a host that is away is tried once a round"
    assert "goes on trying" in left["quick-1"]
    assert "no negotiation" in left["gone"]
