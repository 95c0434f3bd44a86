"""The clock of the analyses: a thread that goes round when there is new data, at most so often."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Sequence
from contextlib import suppress

import structlog

from dmi_agreements.contracts.observations import Micros
from dmi_agreements.contracts.results import Measure
from dmi_infra import clock
from dmi_infra.errors import Refused, Unavailable
from dmi_support_centre.atlas import Atlas
from dmi_support_centre.crowding import Crowding
from dmi_support_centre.crowding import messages_of as crowd_messages
from dmi_support_centre.forecasting import INDICATORS, Forecasts
from dmi_support_centre.forecasting import messages_of as forecast_messages
from dmi_support_centre.grounds import with_traces
from dmi_support_centre.measuring import Measures
from dmi_support_centre.model import CROWD, CROWD_COUNT, FORECAST, MINUTE, OCCUPANCY, Result
from dmi_support_centre.store.marks import Following

log = structlog.get_logger("support-centre")

TICK_SECONDS = 1.0
"""Measures expire, and the wish to go round is looked at, this often."""
PATIENCE_SECONDS = 300.0
"""So long rounds wait for the data to be caught up with. After that they come at their time all the same: else whoever
contributes very much, or a city that is very large, kept forecasts and measures from everybody."""
LIVE: Micros = 10 * MINUTE
"""Data that is no further from the clock is live; else its own time counts, moved on by the clock."""


class CityClock:
    """What time it is in each dataset: by the clock, or by the data where it runs ahead of the clock or behind."""

    def __init__(self, now: clock.Clock = clock.now) -> None:
        self._now = now
        self._seen: dict[str, tuple[Micros, Micros]] = {}

    def heard(self, dataset: str, at: Micros) -> None:
        """The newest data of a dataset is of ``at``."""
        known = self._seen.get(dataset)
        if known is None or known[0] != at:
            self._seen[dataset] = (at, self._now())

    def now(self, datasets: Sequence[str]) -> Micros:
        """The time in the first of these datasets that is known."""
        wall = self._now()
        for dataset in datasets:
            if dataset in self._seen:
                at, heard = self._seen[dataset]
                return wall if abs(at - heard) <= LIVE else at + (wall - heard)
        return wall


class Rounds:
    """Forecasts, levels of service and measures, after each other, in one thread."""

    def __init__(
        self,
        atlas: Atlas,
        forecasts: Forecasts,
        crowding: Crowding,
        measures: Measures,
        city: CityClock,
        seconds: float,
        caught_up: Callable[[], bool],
        wake: Callable[[], None],
    ) -> None:
        self._atlas = atlas
        self._forecasts = forecasts
        self._crowding = crowding
        self._measures = measures
        self._city = city
        self._seconds = seconds
        self._caught_up = caught_up
        self._wake = wake
        self._wanted = threading.Event()
        self._urgent = threading.Event()
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name="rounds", daemon=True)

    def start(self) -> None:
        """Begin; the first round comes once ``caught_up``, which is asked at every tick."""
        self._wanted.set()
        self._thread.start()

    def stop(self) -> None:
        """Stop after the dataset at hand."""
        self._stopping.set()
        self._urgent.set()
        self._thread.join(timeout=5)

    def new_data(self) -> None:
        """There is something new: go round when it is time."""
        self._wanted.set()

    def hurry(self) -> None:
        """Go round now: a model has been learned, or the law has changed."""
        self._wanted.set()
        self._urgent.set()

    def go_round(self) -> bool:
        """One round over all datasets; whether there was anything to look at.

        What the gate refuses is recorded there, and left out. A store that is away raises ``Unavailable``.
        """
        fruitful = False
        for observed, analysis in ((OCCUPANCY, self._forecasts.round), (CROWD_COUNT, self._crowding.round)):
            for dataset in self._atlas.datasets(observed):
                if self._stopping.is_set():
                    return fruitful
                with suppress(Refused):
                    now = analysis(dataset)
                    if now is not None:
                        fruitful = True
                        self._city.heard(dataset, now)
        self._wake()
        self._measures.evaluate_all()
        return fruitful

    def _run(self) -> None:
        last = -self._seconds
        while not self._stopping.is_set():
            self._urgent.wait(TICK_SECONDS)
            try:
                self._measures.expire()
                caught_up = self._caught_up()
                due = self._urgent.is_set() or time.monotonic() >= last + self._seconds
                if self._wanted.is_set() and due and caught_up:
                    self._wanted.clear()
                    self._urgent.clear()
                    begun = time.monotonic()
                    # Where there was nothing to look at yet, the first data need not wait for the next time.
                    last = begun if self.go_round() else -self._seconds
            except Unavailable as exc:
                log.warning("round waits", reason=exc.public)
                self.hurry()
                self._stopping.wait(TICK_SECONDS)
            except Exception as exc:  # a fault in one analysis must not stop the clock of all others for good
                log.error("round failed", exc_info=exc)
                self._stopping.wait(TICK_SECONDS)
            if self._urgent.is_set() and not self._caught_up():
                # Nothing is gained by looking again at once while a history is being loaded.
                self._stopping.wait(TICK_SECONDS)


class Aftermath:
    """What follows when results lose their ground: they are told of, and made again where that is allowed."""

    def __init__(self, measures: Measures) -> None:
        self._measures = measures

    def __call__(self, results: Sequence[Result], measures: Sequence[Measure]) -> Following:
        """What is written together with the marks of results, some of which stand for these open measures."""
        marked = {one.id: one for one in results}
        messages = [m for one in results if one.kind == FORECAST for m in forecast_messages(one)]
        messages += [m for one in results if one.kind == CROWD for m in crowd_messages(one)]
        steps = [self._measures.taken_back(one, marked[one.id]) for one in measures]
        return Following(INDICATORS, messages, steps, with_traces(results))
