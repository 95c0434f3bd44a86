"""The store is the law and the topic its copy: what the bus loses, the exchange publishes again by itself."""

from __future__ import annotations

from pathlib import Path

import pytest

from dmi_agreements.contracts.envelope import decode
from dmi_agreements.contracts.law import Heartbeat, LawEvent
from dmi_infra.lawfeed import LAW_TOPIC
from tests.unit.exchange.fakes import OFFICER, VENDOR, Node, furnish, running
from tests.unit.infra.fakes import GARAGES, OWNER, FakeBus, document, eventually


def told(bus: FakeBus) -> list[LawEvent]:
    """Every event on the law topic, in order."""
    return [decode(message.value, LawEvent) for message in bus.topics.get(LAW_TOPIC, [])]  # type: ignore[arg-type]


def law(bus: FakeBus) -> dict[str, LawEvent]:
    """The newest state of each object on the law topic, without the heartbeat."""
    return {event.id: event for event in told(bus) if not isinstance(event, Heartbeat)}


def beats(bus: FakeBus) -> int:
    return sum(isinstance(event, Heartbeat) for event in told(bus))


def agree_and_end(node: Node) -> str:
    """An agreement that was ended: the state that must not come back in force."""
    text = document(OWNER, VENDOR, GARAGES, ["dmi:read"])
    text["dmi:rulebook"] = node.service.runtime.rulebook.version
    node.propose(text)
    node.post(f"/v1/agreements/{text['uid']}/end", {"reason": "over"}, OFFICER)
    return str(text["uid"])


def test_a_new_bus_gets_the_whole_law_at_the_start_and_the_heartbeat_after_it(tmp_path: Path) -> None:
    old, new = FakeBus(), FakeBus()
    with running(tmp_path, old) as node:
        furnish(node)
        ended = agree_and_end(node)
        eventually(lambda: getattr(law(old).get(ended), "state", "") == "ended")
    with running(tmp_path, new):
        assert law(new) == law(old)
        events = told(new)
        first = next(at for at, event in enumerate(events) if isinstance(event, Heartbeat))
        assert {event.id for event in events[:first]} == set(law(old)), "no gate may hear half the law"


def test_a_bus_that_is_emptied_while_the_exchange_runs_gets_the_whole_law_again(tmp_path: Path) -> None:
    bus = FakeBus()
    with running(tmp_path, bus) as node:
        furnish(node)
        before = law(bus)
        bus.lose()
        eventually(lambda: law(bus) == before and beats(bus) > 0)


def test_a_bus_that_has_the_law_is_told_nothing_again(tmp_path: Path) -> None:
    bus = FakeBus()
    with running(tmp_path, bus) as node:
        furnish(node)
    messages, before = len(told(bus)) - beats(bus), beats(bus)
    with running(tmp_path, bus):
        eventually(lambda: beats(bus) > before + 1)
        assert len(told(bus)) - beats(bus) == messages


@pytest.mark.parametrize("lost", [OWNER, GARAGES])
def test_one_lost_object_is_enough(tmp_path: Path, lost: str) -> None:
    old = FakeBus()
    with running(tmp_path, old) as node:
        furnish(node)
    kept = FakeBus({LAW_TOPIC: [message for message in old.topics[LAW_TOPIC] if message.key != lost]})
    assert lost not in law(kept)
    with running(tmp_path, kept):
        assert law(kept) == law(old)
