"""Deletes what a layer keeps for longer than the term of the agreement that it works under."""

from __future__ import annotations

import threading
from collections.abc import Iterable
from typing import Protocol

import structlog

from dmi_agreements.contracts.observations import Micros
from dmi_agreements.decision import DeleteAfter, Request
from dmi_infra import clock
from dmi_infra.errors import Unavailable
from dmi_infra.gate import Gate

log = structlog.get_logger("retention")

_DAY = 86_400_000_000


class Kept(Protocol):
    """What a layer keeps of datasets."""

    def datasets(self) -> Iterable[str]:
        """The datasets of which something is kept."""
        ...

    def delete_before(self, dataset: str, at: Micros) -> int:
        """Delete what is from before a moment; returns how many rows went."""
        ...


class Retention:
    """A timer that carries out the duty ``dmi:deleteAfter`` of a layer's right to ``action`` on what it keeps."""

    def __init__(
        self,
        kept: Kept,
        gate: Gate,
        crossing: str,
        action: str,
        seconds: float,
        now: clock.Clock = clock.now,
    ) -> None:
        self._kept = kept
        self._gate = gate
        self._crossing = crossing
        self._action = action
        self._seconds = seconds
        self._now = now
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name="retention", daemon=True)

    def start(self) -> None:
        """Begin; the first round comes after one interval, when the law is there."""
        self._thread.start()

    def stop(self) -> None:
        """End after the dataset at hand."""
        self._stopping.set()
        self._thread.join(timeout=5)

    def round(self) -> int:
        """Delete once for every dataset; returns how many rows went."""
        deleted = 0
        for dataset in self._kept.datasets():
            bound = self._bound(dataset)
            if bound is not None and not self._stopping.is_set():
                deleted += self._kept.delete_before(dataset, bound)
        return deleted

    def _bound(self, dataset: str) -> Micros | None:
        """The moment before which rows must go; ``None`` when no agreement in force sets a term."""
        now = self._now()
        if self._gate.law.stale(now) is not None:
            return None
        # Nothing crosses a border here, so this is a question to the law and not a decision to record.
        law = self._gate.law
        request = Request(self._gate.holder, self._action, dataset, law.purpose_of(dataset), self._crossing)
        decision = law.decide(request, now, open_data=False)
        days = [duty.days for duty in decision.duties if isinstance(duty, DeleteAfter)]
        return now - min(days) * _DAY if days else None

    def _run(self) -> None:
        while not self._stopping.wait(self._seconds):
            try:
                deleted = self.round()
            except Unavailable as exc:
                log.warning("retention waits", reason=exc.public)
                continue
            if deleted:
                log.info("term passed", deleted=deleted)
