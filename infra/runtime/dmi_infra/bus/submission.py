"""Handing messages to the thread that writes them: shared by both adapters' publishers.

Callers (threads or tasks) put a ``Submission`` in a queue; one writer takes all that wait and
stores them together. So concurrent callers share one commit, and a caller's timeout is exact.
"""

from __future__ import annotations

import asyncio
import queue
import threading
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from dataclasses import dataclass, field
from typing import Final

from dmi_agreements import crossings
from dmi_infra.bus.errors import BusClosed, BusError, BusTimeout, MessageTooLarge
from dmi_infra.bus.port import MAX_VALUE_BYTES, Message

GROUP_SUBMISSIONS: Final = 2_000
GROUP_BYTES: Final = 32 * 1024 * 1024
"""A group ends at either bound: its first caller does not wait long, and memory stays bounded."""


@dataclass(slots=True)
class Submission:
    """Messages of one call, and the future that is done when they are durable."""

    topic: str
    messages: Sequence[Message]
    future: Future[None] = field(default_factory=Future)

    @property
    def size(self) -> int:
        """Bytes of all values."""
        return sum(len(message.value) for message in self.messages)


class Delivery:
    """Completes a submission whose messages are acknowledged one by one, in any order, on any thread."""

    def __init__(self, submission: Submission, translate: Callable[[BaseException], BusError]) -> None:
        self._future = submission.future
        self._translate = translate
        self._open = len(submission.messages)
        self._error: BaseException | None = None
        self._lock = threading.Lock()

    def delivered(self, _metadata: object) -> None:
        """One message is durable."""
        self._done(None)

    def failed(self, error: BaseException) -> None:
        """One message was not stored; the submission fails when all are answered."""
        self._done(error)

    def _done(self, error: BaseException | None) -> None:
        with self._lock:
            self._open -= 1
            self._error = self._error or error
            if self._open:
                return
        if self._error is None:
            self._future.set_result(None)
        else:
            self._future.set_exception(self._translate(self._error))


SubmissionQueue = queue.SimpleQueue[Submission | None]
"""``None`` wakes the writer without work (to stop, or to look after its duties)."""


def take_group(waiting: SubmissionQueue, timeout: float) -> list[Submission]:
    """What waits in the queue, or ``[]`` after ``timeout`` seconds; without what its caller gave up on."""
    group: list[Submission] = []
    size = 0
    try:
        entry = waiting.get(timeout=timeout)
        while True:
            if entry is not None and entry.future.set_running_or_notify_cancel():
                group.append(entry)
                size += entry.size
            if len(group) >= GROUP_SUBMISSIONS or size >= GROUP_BYTES:
                return group
            entry = waiting.get_nowait()
    except queue.Empty:
        return group


class QueuePublisher:
    """A publisher of one service that submits to a writer thread."""

    def __init__(self, service: str, submit: Callable[[Submission], None]) -> None:
        self._service = service
        self._submit = submit
        self._closed = False

    def _submission(self, topic: str, messages: Sequence[Message]) -> Submission:
        if self._closed:
            raise BusClosed(f"the publisher of {self._service!r} is closed")
        crossings.allowed_publisher(topic, self._service)
        for message in messages:
            if len(message.value) > MAX_VALUE_BYTES:
                raise MessageTooLarge(
                    f"a message of {len(message.value)} bytes for {topic!r}; at most {MAX_VALUE_BYTES}"
                )
        submission = Submission(topic, tuple(messages))
        if messages:
            self._submit(submission)
        else:
            submission.future.set_result(None)
        return submission

    def publish(self, topic: str, messages: Sequence[Message], timeout: float = 10.0) -> None:
        """See ``port.Publisher.publish``."""
        future = self._submission(topic, messages).future
        try:
            future.result(timeout)
        except TimeoutError:
            raise _late(future, topic, timeout) from None

    async def publish_async(self, topic: str, messages: Sequence[Message], timeout: float = 10.0) -> None:
        """See ``port.Publisher.publish_async``."""
        future = self._submission(topic, messages).future
        # The shield keeps the future alive at a timeout, so that _late can tell whether it was begun.
        try:
            async with asyncio.timeout(timeout):
                await asyncio.shield(asyncio.wrap_future(future))
        except TimeoutError:
            raise _late(future, topic, timeout) from None

    def close(self) -> None:
        """See ``port.Publisher.close``."""
        self._closed = True


def _late(future: Future[None], topic: str, timeout: float) -> BusTimeout:
    begun = "it may still be stored" if not future.cancel() else "nothing was written"
    return BusTimeout(f"the bus did not store the messages for {topic!r} within {timeout:g} s; {begun}")
