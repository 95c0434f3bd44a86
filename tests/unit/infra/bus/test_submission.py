"""How messages are handed to the writing thread."""

from __future__ import annotations

import asyncio
import threading

import pytest

from dmi_agreements.contracts.envelope import Envelope
from dmi_infra.bus import BusClosed, BusTimeout, BusUnavailable, Message
from dmi_infra.bus.submission import Delivery, QueuePublisher, Submission, SubmissionQueue, take_group

RAW = "dmi.observations.raw.v1"
MESSAGE = Message("k", b"value", Envelope("1", "s", "t", "2026-01-01T00:00:00Z"))


def test_a_group_is_all_that_waits():
    waiting = SubmissionQueue()
    entries = [Submission(RAW, [MESSAGE]) for _ in range(5)]
    for entry in entries:
        waiting.put(entry)
    assert take_group(waiting, 0.1) == entries
    assert take_group(waiting, 0.01) == []


def test_a_group_ends_at_its_number(monkeypatch):
    monkeypatch.setattr("dmi_infra.bus.submission.GROUP_SUBMISSIONS", 3)
    waiting = SubmissionQueue()
    for _ in range(5):
        waiting.put(Submission(RAW, [MESSAGE]))
    assert [len(take_group(waiting, 0.1)) for _ in range(2)] == [3, 2]


def test_a_group_ends_at_its_bytes(monkeypatch):
    monkeypatch.setattr("dmi_infra.bus.submission.GROUP_BYTES", 10)
    waiting = SubmissionQueue()
    for _ in range(3):
        waiting.put(Submission(RAW, [MESSAGE]))
    assert [len(take_group(waiting, 0.1)) for _ in range(2)] == [2, 1]


def test_what_its_caller_gave_up_on_is_not_written():
    waiting = SubmissionQueue()
    publisher = QueuePublisher("ingest", waiting.put)
    with pytest.raises(BusTimeout, match="nothing was written"):
        publisher.publish(RAW, [MESSAGE], timeout=0.01)
    with pytest.raises(BusTimeout, match="nothing was written"):
        asyncio.run(publisher.publish_async(RAW, [MESSAGE], timeout=0.01))
    assert take_group(waiting, 0.01) == []


def test_a_timeout_after_the_writer_began_says_that_it_may_be_stored():
    def begin(submission):
        submission.future.set_running_or_notify_cancel()

    publisher = QueuePublisher("ingest", begin)
    with pytest.raises(BusTimeout, match="may still be stored"):
        publisher.publish(RAW, [MESSAGE], timeout=0.01)
    with pytest.raises(BusTimeout, match="may still be stored"):
        asyncio.run(publisher.publish_async(RAW, [MESSAGE], timeout=0.01))


def test_the_writer_s_error_reaches_the_caller():
    publisher = QueuePublisher("ingest", lambda s: s.future.set_exception(BusUnavailable("full")))
    with pytest.raises(BusUnavailable, match="full"):
        publisher.publish(RAW, [MESSAGE])
    with pytest.raises(BusUnavailable, match="full"):
        asyncio.run(publisher.publish_async(RAW, [MESSAGE]))


def test_a_closed_publisher_refuses():
    publisher = QueuePublisher("ingest", lambda s: None)
    publisher.close()
    with pytest.raises(BusClosed):
        publisher.publish(RAW, [MESSAGE])


def test_a_delivery_is_complete_when_every_message_is_acknowledged():
    submission = Submission(RAW, [MESSAGE] * 3)
    delivery = Delivery(submission, lambda error: BusUnavailable(str(error)))
    threads = [threading.Thread(target=delivery.delivered, args=(None,)) for _ in range(2)]
    for thread in threads:
        thread.start()
        thread.join()
    assert not submission.future.done()
    delivery.delivered(None)
    assert submission.future.result(0) is None


def test_one_failed_message_fails_the_delivery_after_all_are_answered():
    submission = Submission(RAW, [MESSAGE] * 2)
    delivery = Delivery(submission, lambda error: BusUnavailable(f"told: {error}"))
    delivery.failed(RuntimeError("no"))
    assert not submission.future.done()
    delivery.delivered(None)
    with pytest.raises(BusUnavailable, match="told: no"):
        submission.future.result(0)
