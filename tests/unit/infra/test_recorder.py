"""Records go out in batches; what cannot be recorded is refused."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import pytest

from dmi_agreements.contracts.envelope import decode
from dmi_agreements.contracts.record import DecisionRecord, RecordBatch
from dmi_agreements.contracts.results import Grounds, Lineage
from dmi_infra import recorder as module
from dmi_infra.bus.errors import MessageTooLarge
from dmi_infra.bus.port import Message
from dmi_infra.recorder import RECORD_TOPIC, Recorder, RecorderFull
from tests.unit.infra.fakes import FakeBus, eventually, threads


def decision(number: int) -> DecisionRecord:
    return DecisionRecord(f"d{number}", number, "platform", "query", "a", "dmi:read", "d", "p", True, [])


def published(bus: FakeBus) -> list[str]:
    batches = [decode(m.value, RecordBatch) for m in bus.topics.get(RECORD_TOPIC, [])]
    return [record.id for batch in batches for record in batch.decisions]


@pytest.fixture
def bus() -> FakeBus:
    return FakeBus()


@pytest.fixture
def recorder(bus: FakeBus) -> Iterator[Recorder]:
    made = Recorder("platform", bus)
    made.start()
    yield made
    bus.away, bus.fault = False, None
    made.stop()
    assert "recorder-platform" not in threads()


def test_records_are_published_in_order_in_few_messages(bus: FakeBus, recorder: Recorder) -> None:
    for number in range(1200):
        recorder.put(decision(number))
    eventually(lambda: len(published(bus)) == 1200)
    assert published(bus) == [f"d{n}" for n in range(1200)]
    assert len(bus.topics[RECORD_TOPIC]) <= 10
    assert {m.key for m in bus.topics[RECORD_TOPIC]} == {"platform"}


def test_lineage_travels_with_the_decisions(bus: FakeBus, recorder: Recorder) -> None:
    recorder.put(Lineage("r1", "forecast", "t", 1, Grounds(datasets=["d"])))
    eventually(lambda: bool(bus.topics.get(RECORD_TOPIC)))
    assert decode(bus.topics[RECORD_TOPIC][0].value, RecordBatch).lineage[0].result == "r1"


def test_a_stop_publishes_what_is_queued(bus: FakeBus) -> None:
    recorder = Recorder("platform", bus)
    recorder.put(decision(1))
    recorder.start()
    recorder.stop()
    assert published(bus) == ["d1"]


def test_while_the_bus_is_away_records_wait_and_go_out_on_its_return(
    bus: FakeBus, recorder: Recorder
) -> None:
    bus.away = True
    recorder.put(decision(1))
    recorder.put(decision(2))
    bus.away = False
    eventually(lambda: published(bus) == ["d1", "d2"])


def test_a_full_queue_refuses(bus: FakeBus, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "CAPACITY", 2)
    recorder = Recorder("platform", bus)
    recorder.put(decision(1))
    recorder.put(decision(2))
    with pytest.raises(RecorderFull, match="nothing is let through"):
        recorder.put(decision(3))


def test_an_unexpected_failure_of_the_bus_loses_nothing(bus: FakeBus, recorder: Recorder) -> None:
    bus.fault = RuntimeError("a fault")
    recorder.put(decision(1))
    eventually(lambda: published(bus) == ["d1"])


def test_records_too_large_for_one_message_go_out_in_several(monkeypatch: pytest.MonkeyPatch) -> None:
    class Narrow(FakeBus):
        def publish(self, topic: str, messages: Sequence[Message], timeout: float = 10.0) -> None:
            if any(len(message.value) > 2000 for message in messages):
                raise MessageTooLarge
            super().publish(topic, messages, timeout)

    bus = Narrow()
    recorder = Recorder("platform", bus)
    for number in range(100):
        recorder.put(decision(number))
    recorder.start()
    eventually(lambda: len(published(bus)) == 100)
    recorder.stop()
    assert published(bus) == [f"d{n}" for n in range(100)]
