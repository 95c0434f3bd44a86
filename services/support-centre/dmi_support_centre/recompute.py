"""Making forecasts again on request, without what is no longer allowed."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from typing import Any

from dmi_infra.errors import NotFound, Refused
from dmi_infra.gate import Gate
from dmi_infra.http.access import Opening
from dmi_infra.http.problems import refusal
from dmi_support_centre.consumer import ANALYSE
from dmi_support_centre.handlers import Views

ASKED_SECONDS = 10.0
"""A round takes as long as it takes for all places of the city: people have one go no more often than this."""


class Spaced:
    """Has something done at once; and, for all who ask within so many seconds after that, once when these are over."""

    def __init__(self, does: Callable[[], None], seconds: float = ASKED_SECONDS) -> None:
        self._does = does
        self._seconds = seconds
        self._lock = threading.Lock()
        self._next = 0.0
        self._arranged = False

    def __call__(self) -> None:
        """Ask; returns at once."""
        with self._lock:
            wait = self._next - time.monotonic()
            if wait <= 0:
                self._do()
            elif not self._arranged:
                self._arranged = True
                later = threading.Timer(wait, self._later)
                later.daemon = True
                later.start()

    def _later(self) -> None:
        with self._lock:
            self._arranged = False
            self._do()

    def _do(self) -> None:
        self._next = time.monotonic() + self._seconds
        self._does()


class Recompute:
    """Asks the gate for each dataset at once, and has those that pass made again in the background."""

    def __init__(self, gate: Gate, views: Views, hurry: Callable[[], None]) -> None:
        self._gate = gate
        self._views = views
        self._hurry = Spaced(hurry)

    def __call__(self, opening: Opening, dataset: str | None) -> dict[str, Any]:
        """Which datasets are forecast again; raises ``Refused`` when none may be (it names the agreement)."""
        wanted = [one for one in self._views.forecast_datasets() if dataset in (None, one)]
        if not wanted:
            raise NotFound("no dataset with places to forecast has this id")
        recomputed: list[str] = []
        refused: list[Refused] = []
        for one in wanted:
            try:
                self._gate.permit("indicators", ANALYSE, one)
                opening.permit(one)
                recomputed.append(one)
            except Refused as exc:
                refused.append(exc)
        if not recomputed:
            raise refused[0]
        self._hurry()
        return {"recomputed": recomputed, "refused": [refusal(one).body() for one in refused]}
