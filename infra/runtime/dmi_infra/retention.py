"""Deletes what a layer keeps for longer than the term of the agreement that it works under."""

from __future__ import annotations

import threading
from collections.abc import Iterable
from typing import Protocol

import structlog

from dmi_agreements.contracts.observations import Micros
from dmi_agreements.duties import DAY
from dmi_infra import clock
from dmi_infra.errors import Unavailable
from dmi_infra.gate import Gate

log = structlog.get_logger("retention")


class Kept(Protocol):
    """What a layer keeps of datasets."""

    def kept_datasets(self) -> Iterable[str]:
        """The datasets of which something is kept."""
        ...

    def delete_before(self, dataset: str, at: Micros) -> int:
        """Delete what is from before a moment; returns how many rows went."""
        ...


class Retention:
    """A timer that carries out the duty ``dmi:deleteAfter`` of a layer's right to ``action`` on what it keeps.

    The term outlasts the right: what was received under it is deleted in time after its end too, and while nobody
    consents, the rows that are kept for their persons alone among it. ``longest``: the days after which a layer deletes
    in any case, since no agreement may name a term for what it keeps.
    """

    def __init__(
        self,
        kept: Kept,
        gate: Gate,
        action: str,
        seconds: float,
        now: clock.Clock = clock.now,
        longest: int | None = None,
    ) -> None:
        self._kept = kept
        self._gate = gate
        self._action = action
        self._seconds = seconds
        self._now = now
        self._longest = longest
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
        return sum(self._delete(dataset) for dataset in self._kept.kept_datasets())

    def _delete(self, dataset: str) -> int:
        bound = self._bound(dataset)
        if bound is None or self._stopping.is_set():
            return 0
        try:
            return self._kept.delete_before(dataset, bound)
        except Unavailable:
            raise
        except Exception as exc:  # the next dataset has a term of its own, and this one is tried again
            log.error("what is past its term could not be deleted", dataset=dataset, exc_info=exc)
            return 0

    def _bound(self, dataset: str) -> Micros | None:
        """The moment before which rows must go; ``None`` when nothing sets a term."""
        now, law = self._now(), self._gate.law
        if law.stale(now) is not None:
            return None
        # Nothing crosses a border here, so this is a question to the law and not a decision to record.
        days = law.days_kept(self._gate.holder, self._action, dataset, now)
        terms = [term for term in (days, self._longest) if term is not None]
        return now - min(terms) * DAY if terms else None

    def _run(self) -> None:
        while not self._stopping.wait(self._seconds):
            try:
                deleted = self.round()
            except Unavailable as exc:
                log.warning("retention waits", reason=exc.public)
                continue
            except Exception as exc:  # a thread that has ended would keep everything for good
                log.error("a round of retention failed", exc_info=exc)
                continue
            if deleted:
                log.info("term passed", deleted=deleted)
