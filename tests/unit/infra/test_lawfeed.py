"""The law in memory follows the law topic, and refuses when it cannot."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from dmi_agreements.changes import Change
from dmi_agreements.contracts.law import AgreementState, Heartbeat, Participant
from dmi_agreements.table import LawTable
from dmi_infra import clock
from dmi_infra.lawfeed import LAW_TOPIC, LawFeed
from tests.unit.infra.fakes import (
    GARAGES,
    OWNER,
    STACK,
    FakeBus,
    as_bus,
    document,
    eventually,
    law_message,
    message,
    rulebook,
)


@pytest.fixture
def bus() -> FakeBus:
    return FakeBus()


@pytest.fixture
def feed(bus: FakeBus) -> Iterator[LawFeed]:
    made = LawFeed(as_bus(bus), "platform", LawTable(rulebook()))
    yield made
    made.stop()


def tell(bus: FakeBus, event: Participant | AgreementState | Heartbeat) -> None:
    bus.publish(LAW_TOPIC, [law_message(event)])


def test_the_law_is_read_from_its_first_event_and_followed(bus: FakeBus, feed: LawFeed) -> None:
    tell(bus, Participant(OWNER, "Gemeente", []))
    feed.start()
    eventually(lambda: OWNER in feed.table.participants)
    tell(bus, Participant(STACK, "Stack", []))
    tell(bus, Heartbeat("urn:dmi:heartbeat", clock.now()))
    eventually(lambda: STACK in feed.table.participants and feed.table.stale(clock.now()) is None)


def test_a_heartbeat_counts_only_once_what_stands_behind_it_was_read(
    bus: FakeBus, feed: LawFeed, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A gate that took the law for fresh would refuse by it, although the agreement stands there."""
    tell(bus, Heartbeat("urn:dmi:heartbeat", clock.now()))
    tell(bus, Participant(OWNER, "Gemeente", []))
    fresh: list[bool] = []
    feed.listen(lambda change: fresh.append(feed.table.stale(clock.now()) is None))
    feed.start()
    eventually(lambda: len(fresh) == 2)
    assert fresh == [False, True]
    assert OWNER in feed.table.participants


def test_listeners_hear_what_ended_even_when_one_of_them_fails(bus: FakeBus, feed: LawFeed) -> None:
    heard: list[Change] = []

    def faulty(_change: Change) -> None:
        raise RuntimeError("a fault")

    feed.listen(faulty)
    feed.listen(heard.append)
    text = document(OWNER, STACK, GARAGES, ["dmi:read"])
    tell(bus, AgreementState(text["uid"], text, "active"))
    tell(bus, AgreementState(text["uid"], text, "ended", ended_at=1))
    feed.start()
    eventually(lambda: len(heard) == 2)
    assert (heard[0].started, heard[1].ended) == ((text["uid"],), (text["uid"],))


def test_an_event_that_cannot_be_read_refuses_everything_from_then_on(bus: FakeBus, feed: LawFeed) -> None:
    feed.start()
    bus.publish(LAW_TOPIC, [message(b'{"type": "unheard-of", "id": "x"}')])
    tell(bus, Heartbeat("urn:dmi:heartbeat", clock.now()))
    eventually(lambda: feed.table.age(0) is not None)
    stale = feed.table.stale(clock.now())
    assert stale is not None
    assert stale.code == "law_stale"


def test_when_the_bus_returns_the_law_is_read_again_and_an_old_state_does_not_return(
    bus: FakeBus, feed: LawFeed, monkeypatch: pytest.MonkeyPatch
) -> None:
    text = document(OWNER, STACK, GARAGES, ["dmi:read"])
    tell(bus, AgreementState(text["uid"], text, "active"))
    tell(bus, AgreementState(text["uid"], text, "ended", ended_at=1))
    feed.start()
    eventually(lambda: len(bus.subscriptions) == 1 and text["uid"] in feed.table.agreements)
    bus.away = True
    eventually(lambda: bus.subscriptions[0].closed)
    bus.away = False
    changes: list[Change] = []
    feed.listen(changes.append)
    eventually(lambda: len(changes) == 2)
    assert not any(change.changed for change in changes)
    assert feed.table.agreements[text["uid"]].state == "ended"


def test_an_unexpected_failure_does_not_end_the_feed(bus: FakeBus, feed: LawFeed) -> None:
    feed.start()
    eventually(lambda: bool(bus.subscriptions))
    bus.subscriptions[0].positions = None  # type: ignore[assignment]
    eventually(lambda: bus.subscriptions[0].closed)
    tell(bus, Participant(OWNER, "Gemeente", []))
    eventually(lambda: OWNER in feed.table.participants)
