"""Measures how complete and plausible the data of each dataset is, for the catalogue; nobody claims it."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Final

import structlog

from dmi_agreements.contracts.record import Quality
from dmi_infra import clock
from dmi_infra.errors import Unavailable
from dmi_platform.store import Store

log = structlog.get_logger("platform")

SPAN_SECONDS: Final = 3600
"""How far back a look goes: a longer one would read too much of a busy dataset."""
FIRST_SECONDS: Final = 15.0
"""Before the first look: a city that is being loaded has something to tell by then."""


class Measuring:
    """A timer that looks at every dataset and tells the exchange."""

    def __init__(
        self, store: Store, tell: Callable[[Quality], None], seconds: float, now: clock.Clock = clock.now
    ) -> None:
        self._store = store
        self._tell = tell
        self._seconds = seconds
        self._now = now
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name="measuring", daemon=True)

    def start(self) -> None:
        """Begin."""
        self._thread.start()

    def stop(self) -> None:
        """End after the dataset at hand."""
        self._stopping.set()
        self._thread.join(timeout=5)

    def round(self) -> int:
        """Look once at every dataset; returns how many there were."""
        found = self._store.datasets()
        for dataset in found:
            if self._stopping.is_set():
                break
            self._tell(self._store.quality(dataset, self._now(), SPAN_SECONDS))
        return len(found)

    def _run(self) -> None:
        wait = min(FIRST_SECONDS, self._seconds)
        while not self._stopping.wait(wait):
            wait = self._seconds
            try:
                self.round()
            except Unavailable as exc:
                log.warning("quality is not measured", reason=exc.public)
