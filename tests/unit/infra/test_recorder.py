"""Records go out in batches; what cannot be recorded is refused."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest
from msgspec.structs import replace

from dmi_agreements.contracts.envelope import decode
from dmi_agreements.contracts.record import DecisionRecord, RecordBatch
from dmi_agreements.contracts.results import Grounds, Lineage
from dmi_infra import recorder as module
from dmi_infra.bus.errors import BusUnavailable, MessageTooLarge
from dmi_infra.bus.port import Message
from dmi_infra.recorder import RECORD_TOPIC, Recorder, RecorderFull
from dmi_infra.spool import Spool, SpoolFault
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
def recorder(bus: FakeBus, tmp_path: Path) -> Iterator[Recorder]:
    made = Recorder("platform", bus, tmp_path)
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


def test_a_stop_publishes_what_is_queued(bus: FakeBus, tmp_path: Path) -> None:
    recorder = Recorder("platform", bus, tmp_path)
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


def test_a_full_queue_refuses(bus: FakeBus, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(module, "CAPACITY", 2)
    recorder = Recorder("platform", bus, tmp_path)
    recorder.put(decision(1))
    recorder.put(decision(2))
    with pytest.raises(RecorderFull, match="nothing is let through"):
        recorder.put(decision(3))


def test_an_unexpected_failure_of_the_bus_loses_nothing(bus: FakeBus, recorder: Recorder) -> None:
    bus.fault = RuntimeError("a fault")
    recorder.put(decision(1))
    eventually(lambda: published(bus) == ["d1"])


class Narrow(FakeBus):
    """A bus of small messages."""

    def publish(self, topic: str, messages: Sequence[Message], timeout: float = 10.0) -> None:
        if any(len(message.value) > 2000 for message in messages):
            raise MessageTooLarge
        super().publish(topic, messages, timeout)


def test_records_too_large_for_one_message_go_out_in_several(tmp_path: Path) -> None:
    bus = Narrow()
    recorder = Recorder("platform", bus, tmp_path)
    for number in range(100):
        recorder.put(decision(number))
    recorder.start()
    eventually(lambda: len(published(bus)) == 100)
    recorder.stop()
    assert published(bus) == [f"d{n}" for n in range(100)]


def test_a_record_too_large_for_any_message_is_told_without_what_it_counts(tmp_path: Path) -> None:
    bus = Narrow()
    recorder = Recorder("platform", bus, tmp_path)
    recorder.put(replace(decision(0), counted=[("a", "x" * 3000, "p")], subjects=["urn:dmi:person:x"]))
    recorder.put(decision(1))
    recorder.start()
    eventually(lambda: len(published(bus)) == 2)
    recorder.stop()
    batches = [decode(message.value, RecordBatch) for message in bus.topics[RECORD_TOPIC]]
    assert [record for batch in batches for record in batch.decisions] == [decision(0), decision(1)]


def test_the_next_process_publishes_what_a_killed_one_had_not(bus: FakeBus, tmp_path: Path) -> None:
    killed = Recorder("platform", FakeBus(), tmp_path)
    killed.put(decision(1))
    killed.put(Lineage("r1", "forecast", "t", 1, Grounds(datasets=["d"])))
    killed.put(decision(2))
    recorder = Recorder("platform", bus, tmp_path)
    recorder.put(decision(3))
    recorder.start()
    recorder.stop()
    assert published(bus) == ["d1", "d2", "d3"]
    assert [
        each.result for m in bus.topics[RECORD_TOPIC] for each in decode(m.value, RecordBatch).lineage
    ] == ["r1"]
    assert list(tmp_path.iterdir()) == []


def test_what_the_bus_does_not_take_before_a_stop_waits_for_the_next_start(
    bus: FakeBus, tmp_path: Path
) -> None:
    bus.away = True
    stopped = Recorder("platform", bus, tmp_path)
    stopped.start()
    stopped.put(decision(1))
    stopped.stop()
    assert published(bus) == []
    bus.away = False
    again = Recorder("platform", bus, tmp_path)
    again.start()
    again.stop()
    assert published(bus) == ["d1"]


def test_what_comes_while_the_bus_takes_a_part_is_forgotten_on_disk_by_its_own_turn(tmp_path: Path) -> None:
    class Slow(FakeBus):
        """Takes one batch, is away for the second, and sees a record come meanwhile."""

        turns = 0

        def publish(self, topic: str, messages: Sequence[Message], timeout: float = 10.0) -> None:
            self.turns += 1
            if self.turns == 2:
                recorder.put(decision(9999))
                raise BusUnavailable("away")
            super().publish(topic, messages, timeout)

    bus = Slow()
    recorder = Recorder("platform", bus, tmp_path)
    for number in range(module.BATCH + 1):
        recorder.put(decision(number))
    recorder.start()
    eventually(lambda: bus.turns == 2)
    # A process that is killed here leaves everything that the bus may not have.
    left = {record.id for record in Spool(tmp_path).left() if isinstance(record, DecisionRecord)}
    assert left >= {f"d{module.BATCH}", "d9999"}
    eventually(lambda: len(published(bus)) == module.BATCH + 2)
    recorder.stop()
    assert list(tmp_path.iterdir()) == []


def test_a_line_that_breaks_off_is_of_a_record_that_was_never_kept(bus: FakeBus, tmp_path: Path) -> None:
    killed = Recorder("platform", FakeBus(), tmp_path)
    killed.put(decision(1))
    killed.put(decision(2))
    [file] = tmp_path.iterdir()
    file.write_bytes(file.read_bytes()[:-20])
    recorder = Recorder("platform", bus, tmp_path)
    recorder.start()
    recorder.stop()
    assert published(bus) == ["d1"]


def test_what_the_disk_does_not_take_is_refused(tmp_path: Path) -> None:
    folder = tmp_path / "records"
    folder.write_text("a file where the folder should be")
    recorder = Recorder("platform", FakeBus(), folder)
    with pytest.raises(SpoolFault, match="nothing is let through"):
        recorder.put(decision(1))


def test_a_record_of_which_the_disk_takes_half_is_refused_and_leaves_nothing(
    bus: FakeBus, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    recorder = Recorder("platform", bus, tmp_path)
    recorder.put(decision(1))
    whole = os.write
    monkeypatch.setattr(os, "write", lambda file, data: whole(file, data[: len(data) // 2]))
    with pytest.raises(SpoolFault):
        recorder.put(decision(2))
    monkeypatch.undo()
    recorder.put(decision(3))
    assert [record.id for record in Spool(tmp_path).left() if isinstance(record, DecisionRecord)] == [
        "d1",
        "d3",
    ]


def test_half_a_line_that_cannot_be_taken_back_spoils_no_record_after_it(
    bus: FakeBus, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refusing(*_given: int) -> None:
        raise OSError("no space left")

    spool = Spool(tmp_path)
    spool.write(decision(1))
    whole = os.write
    monkeypatch.setattr(os, "write", lambda file, data: whole(file, data[: len(data) // 2]))
    monkeypatch.setattr(os, "ftruncate", refusing)
    with pytest.raises(SpoolFault):
        spool.write(decision(2))
    monkeypatch.undo()
    # What was closed has not been sent: it is forgotten by its own turn.
    spool.drop()
    spool.write(decision(3))
    kept = [record.id for record in Spool(tmp_path).left() if isinstance(record, DecisionRecord)]
    assert kept == ["d1", "d3"]
    spool.turn()
    spool.drop()
    assert list(tmp_path.iterdir()) == []


def test_records_on_disk_are_for_the_service_alone(tmp_path: Path) -> None:
    folder = tmp_path / "records" / "platform"
    Recorder("platform", FakeBus(), folder).put(decision(1))
    assert folder.stat().st_mode & 0o077 == 0
    assert all(file.stat().st_mode & 0o077 == 0 for file in folder.iterdir())
