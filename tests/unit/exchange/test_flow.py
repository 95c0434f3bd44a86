"""The data plane by itself: positions, streams, and how much was given under which decision."""

from __future__ import annotations

from pathlib import Path
from typing import cast

import pytest

from dmi_agreements.contracts.envelope import Envelope, encode
from dmi_agreements.contracts.observations import ObservationBatch
from dmi_exchange.dsp.door import Once
from dmi_exchange.dsp.process import Process
from dmi_exchange.flow.feed import HARMONISED, Feed, read_cursor, write_cursor
from dmi_exchange.flow.inflow import Intake, events_of
from dmi_exchange.flow.places import Local
from dmi_exchange.flow.store import Flow, Flows, Sum
from dmi_infra.bus.port import Message
from dmi_infra.errors import InputRefused, Unauthenticated
from dmi_infra.sql import migrate, open_engine
from tests.unit.infra.fakes import FakeBus, as_bus

GARAGES, OTHER = "urn:dmi:dataset:buurstad:garages", "urn:dmi:dataset:buurstad:other"


@pytest.fixture
def flows(tmp_path: Path) -> Flows:
    engine = open_engine(f"sqlite:///{tmp_path / 'exchange.db'}", "exchange")
    migrate(engine, "dmi_exchange")
    return Flows(engine)


def said(bus: FakeBus, dataset: str, *values: float) -> None:
    """The platform stored these values, one message each."""
    for number, value in enumerate(values):
        batch = ObservationBatch(dataset, ["s"], [number], [value])
        envelope = Envelope(id="1", source="x", type="x", time="2026-01-01T00:00:00Z", dataset=dataset)
        bus.publish(HARMONISED, [Message("k", encode(batch), envelope)])


def read(feed: Feed) -> list[float | None]:
    found: list[float | None] = []
    while (piece := feed.next(0.01)) is not None:
        found += piece.batch.result
    return found


def test_a_feed_gives_one_dataset_in_order_and_goes_on_behind_its_cursor() -> None:
    bus = FakeBus()
    said(bus, GARAGES, 1, 2)
    said(bus, OTHER, 9)
    said(bus, GARAGES, 3)
    feed = Feed(as_bus(bus), GARAGES, "")
    first = feed.next(0.01)
    assert first is not None
    assert (first.batch.result, first.cursor) == ([1.0], "0:1")
    again = Feed(as_bus(bus), GARAGES, first.cursor)
    assert read(again) == [2.0, 3.0]
    said(bus, GARAGES, 4)
    assert read(again) == [4.0]
    assert again.cursor == "0:5"


@pytest.mark.parametrize("text", ["x", "1", "1:2,", "1:2;3:4", "-1:2", "1:2 ", "1:" + "9" * 30])
def test_what_was_never_a_cursor_is_refused(text: str) -> None:
    with pytest.raises(InputRefused, match="after"):
        read_cursor(text)


def test_a_cursor_reads_back() -> None:
    assert write_cursor(read_cursor("3:4,0:12")) == "0:12,3:4"
    assert read_cursor("") == {}


def test_what_is_given_again_counts_once_and_says_so(flows: Flows) -> None:
    flows.given("t", "0:1", "r1", 10)
    flows.given("t", "0:2", "r2", 5)
    flows.given("t", "0:2", "r3", 5)
    assert flows.sum("t") == Sum(15, 2, 1, None, None)
    assert [(each.record, each.rows, each.times) for each in flows.deliveries("t", 0, 10)] == [
        ("r1", 10, 1),
        ("r2", 5, 2),
    ]
    assert flows.sum("other") == Sum(0, 0, 0, None, None)


def test_how_far_a_transfer_has_come_adds_up(flows: Flows) -> None:
    assert flows.get("t") == Flow()
    flows.reached("t", "0:1", 10)
    flows.reached("t", "0:2", 5, 2)
    found = flows.get("t")
    assert (found.cursor, found.rows, found.refused) == ("0:2", 15, 2)


def test_events_are_read_whole_with_comments_as_signs_of_life() -> None:
    lines = ["id: 0:1", "event: data", 'data: {"a":1}', "", ": alive", "", "event: end", "data: {}", ""]
    assert list(events_of(iter(lines))) == [("data", b'{"a":1}'), ("alive", b""), ("end", b"{}")]


def test_a_token_of_a_node_counts_once() -> None:
    once = Once()
    once.use("a 1", 4e9)
    once.use("a 2", 4e9)
    with pytest.raises(Unauthenticated, match="before"):
        once.use("a 1", 4e9)


@pytest.mark.parametrize("name", ["urn:dmi:person:noor", "urn:dmi:person:alias-1", 7])
def test_another_node_names_no_persons_of_this_one(name: object) -> None:
    process = Process(
        id="t", kind="transfer", role="consumer", owner="urn:dmi:participant:stack",
        peer="urn:dmi:participant:buurstad", address="http://there", begun_at=0, changed_at=0, dataset=GARAGES,
    )  # fmt: skip
    rows = {
        "dataset": GARAGES,
        "datastream": ["s"],
        "phenomenon_time": [1],
        "result": [1.0],
        "subject": [name],
    }
    # Refused before anything is handed on: there is nowhere to hand it to.
    intake = Intake(cast(Local, None), cast(Flows, None))
    with pytest.raises(InputRefused, match="subject"):
        intake.take(process, {"cursor": "0:1", "observations": rows})
