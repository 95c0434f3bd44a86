"""The forecasts of one dataset: learning in the background, a round of forecasts, and how good they were."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import structlog

from dmi_agreements.contracts.envelope import encode
from dmi_agreements.contracts.observations import Micros
from dmi_agreements.contracts.results import Grounds, Indicator
from dmi_agreements.crossings import BY_NAME
from dmi_infra.bus.port import Message
from dmi_infra.errors import Unavailable
from dmi_infra.gate import Permit
from dmi_support_centre.consumer import ANALYSE, Flow
from dmi_support_centre.grounds import Workshop, envelope
from dmi_support_centre.history import (
    Subjects,
    issue_times,
    newest_readings,
    place_histories,
    series_by_stream,
    slot,
    usable,
)
from dmi_support_centre.learning import LearningFailed, LearningStopped
from dmi_support_centre.model import DAY, FORECAST, KEPT, MINUTE, OCCUPANCY, Place, Result, city_time
from dmi_support_centre.models.forecast import (
    HORIZONS,
    Forecast,
    History,
    OccupancyForecaster,
    Series,
    series_of,
)
from dmi_support_centre.scoring import Scores
from dmi_support_centre.store.results import Tracked

log = structlog.get_logger("support-centre")

INDICATORS = BY_NAME["indicators"].topic or ""
MODEL = "occupancy-1"
GROWN = 1.25
"""So much more history than was learned from calls for learning again before the hour is over."""
BEFORE: Micros = 4 * 60 * MINUTE
"""What is handed to the model of the time before its last lesson, so that no edge shows."""


@dataclass(slots=True)
class Learned:
    """The model of one dataset, when it was made and from how much."""

    model: OccupancyForecaster
    at: float
    quarters: int
    started: frozenset[str]
    """Agreements that it was made under: after a stop and a new start it is made again."""
    persons: frozenset[str]
    """Whose rows it was made of: every forecast by it rests on their consents."""


@dataclass(slots=True)
class Learners:
    """Models by dataset, and which is being made now."""

    lock: threading.Lock = field(default_factory=threading.Lock)
    models: dict[str, Learned] = field(default_factory=dict)
    busy: str | None = None


class Forecasts:
    """Forecasts of every place of a dataset; ``round`` is called by one thread."""

    def __init__(
        self,
        workshop: Workshop,
        flow: Flow,
        scores: Scores,
        learner: Callable[[str, History], OccupancyForecaster],
        wake: Callable[[], None],
        zone: str,
        refit_seconds: float,
    ) -> None:
        self._store = workshop.store
        self._atlas = workshop.atlas
        self._gate = workshop.gate
        self._book = workshop.book
        self._withdrawals = workshop.withdrawals
        self._forgotten = workshop.forgotten
        self._flow = flow
        self._scores = scores
        self._learner = learner
        self._wake = wake
        self._zone = zone
        self._refit_seconds = refit_seconds
        self._learners = Learners()
        self._tracked: dict[str, Micros] = {}

    def round(self, dataset: str) -> Micros | None:
        """Forecast, keep, publish; returns the dataset's present, or ``None`` when there is nothing to say yet.

        Raises ``Refused`` when the dataset may not be analysed (any more).
        """
        begun = self._forgotten.times(dataset)
        places = self._atlas.places(OCCUPANCY, dataset)
        permit = self._gate.permit("indicators", ANALYSE, dataset, rows=len(places))
        subjects = self._gate.subjects(permit)
        newest = newest_readings(self._store.observations, dataset, subjects)
        now = city_time([reading.time for reading in newest])
        if now is None:
            return None
        learned = self._learners.models.get(dataset)
        if learned is not None and subjects is not None and not learned.persons.issubset(subjects):
            # A consent of somebody it learned from ran out, which nothing tells of as of one that is withdrawn.
            self.forget(dataset)
            learned = None
        self._learn(dataset, permit, learned)
        if learned is None or learned.model.fitted_until is None:
            return None
        since = min(learned.model.fitted_until, now) - BEFORE
        quarters = usable(self._store.observations.quarters(dataset, since), subjects)
        recent = series_by_stream(quarters, [reading for reading in newest if reading.time <= now])
        used = learned.persons | {row.subject for row in quarters} | {row.subject for row in newest}
        made = []
        for place in places:
            found = learned.model.predict(place.id, now, recent.get(place.datastream, series_of([], [])))
            if found:
                made.append((place, found))
        grounds = self._book.ground_of(permit, used, subjects)
        if self._keep(grounds, made, begun):
            self._track(grounds, now, made, subjects, begun)
        return now

    def forget(self, dataset: str, person: str | None = None) -> None:
        """Rows of a dataset have gone, or may not be used any more: learn again from what may be used then.

        What is being learned or forecast at this moment is of before, and is not kept; what is learned for the first
        time is, when it holds nothing of the one ``person`` whose rows they were.
        """
        with self._forgotten.forgetting(dataset, person):
            self._learners.models.pop(dataset, None)
        self._scores.forget(dataset)

    # -- keeping ------------------------------------------------------------

    def _keep(self, grounds: Grounds, made: Sequence[tuple[Place, list[Forecast]]], begun: int) -> bool:
        """Keep and publish forecasts, unless rows of their dataset have gone meanwhile; whether they are."""
        results, messages = [], []
        for place, forecasts in made:
            results.append(
                Result(
                    id=f"forecast:{place.id}",
                    kind=FORECAST,
                    title=f"Verwachte bezetting {place.name}",
                    place=place.id,
                    made_at=forecasts[0].issued_at,
                    grounds=grounds,
                    body=_body(place, forecasts),
                )
            )
            messages += [_message(indicator) for indicator in indicators(results[-1])]
        [dataset] = grounds.datasets
        with self._forgotten.keeping(dataset, begun) as whole:
            if not whole or self._book.fallen(grounds) is not None:
                return False
            self._store.results.save(results, INDICATORS, messages)
        for result in results:
            self._book.tell(result, FORECAST, _TRANSFORMATIONS)
        self._withdrawals.recheck(self._book.fallen(grounds))
        return True

    def _track(
        self,
        grounds: Grounds,
        now: Micros,
        made: Sequence[tuple[Place, list[Forecast]]],
        subjects: Subjects,
        begun: int,
    ) -> None:
        """Once a quarter of an hour the forecasts are kept to be looked back on; then the score is renewed.

        Neither where rows have gone since: with them the scores were forgotten, which these would bring back.
        """
        [dataset] = grounds.datasets
        if self._tracked.get(dataset) == slot(now):
            return
        rows = [
            Tracked(one.place, one.issued_at, one.valid_at, dataset, one.p10, one.p50, one.p90)
            for _, forecasts in made
            for one in forecasts
        ]
        with self._forgotten.keeping(dataset, begun) as whole:
            if not whole:
                return
            self._tracked[dataset] = slot(now)
            self._store.results.add_track(rows)
            self._scores.renew(grounds, now, subjects)
        self._store.observations.forget_old(dataset, now)

    # -- learning -----------------------------------------------------------

    def _learn(self, dataset: str, permit: Permit, learned: Learned | None) -> None:
        """Begin to learn in the background when it is time; one dataset at a time."""
        agreements = frozenset(permit.agreements)
        due = learned is None or learned.started != agreements
        if learned is not None and not due:
            grown = self._flow.total > 0 and self._grown(dataset, learned)
            due = time.monotonic() > learned.at + self._refit_seconds or grown
        if not due or not self._flow.settled():
            return
        with self._learners.lock:
            if self._learners.busy is not None:
                return
            self._learners.busy = dataset
        worker = threading.Thread(
            target=self._fit, args=(dataset, permit, learned is None), name="forecast-learning", daemon=True
        )
        worker.start()

    def _grown(self, dataset: str, learned: Learned) -> bool:
        # A history that is loaded by import shows as many more quarters; live data adds few an hour.
        return self._store.observations.count_quarters(dataset) > GROWN * learned.quarters + 100

    def _fit(self, dataset: str, permit: Permit, first: bool) -> None:
        try:
            self._fit_now(dataset, permit, first)
            self._wake()
        except LearningStopped:
            return
        except (Unavailable, LearningFailed) as exc:
            # The next round tries again; until then the earlier model stays.
            log.warning("learning waits", dataset=dataset, reason=str(exc))
        finally:
            with self._learners.lock:
                self._learners.busy = None

    def _fit_now(self, dataset: str, permit: Permit, first: bool) -> None:
        """Learn; the first time without the last days, which then show how good the model is (no look ahead)."""
        started, begun = time.monotonic(), self._forgotten.times(dataset)
        subjects = self._gate.subjects(permit)
        newest = newest_readings(self._store.observations, dataset, subjects)
        now = city_time([reading.time for reading in newest])
        if now is None:
            return
        quarters = usable(self._store.observations.quarters(dataset, now - KEPT, now + DAY), subjects)
        origin = now - int(self._scores.days * DAY)
        learned_from = [q for q in quarters if q.start + q.last < origin] if first else quarters
        if first and len(learned_from) < len(quarters) / 2:
            learned_from, origin = quarters, now
        persons = frozenset(q.subject for q in quarters if q.subject)
        places = self._atlas.places(OCCUPANCY, dataset)
        model = self._learner(self._zone, place_histories(series_by_stream(learned_from), places))
        looked_back = (
            rolled(model, dataset, places, series_by_stream(quarters), issue_times(quarters), origin)
            if first and origin < now
            else None
        )
        # Later models go on with the scores of the first; where these have gone too, all is learned anew.
        with self._forgotten.keeping(dataset, begun, persons if first else None) as whole:
            if not whole:
                log.info("learned from rows that have gone since: learned again", dataset=dataset)
                return
            if looked_back is not None:
                self._scores.backfill(dataset, looked_back)
                self._scores.renew(self._book.ground_of(permit, persons, subjects), now, subjects)
            self._learners.models[dataset] = Learned(
                model, time.monotonic(), len(quarters), frozenset(permit.agreements), persons
            )
        seconds = round(time.monotonic() - started, 2)
        log.info("forecast learned", dataset=dataset, quarters=len(learned_from), seconds=seconds)


def rolled(
    model: OccupancyForecaster,
    dataset: str,
    places: Sequence[Place],
    series: dict[str, Series],
    issues: dict[str, list[Micros]],
    origin: Micros,
) -> list[Tracked]:
    """The forecasts that would have been issued since ``origin`` by a model that has learned nothing after it."""
    rows: list[Tracked] = []
    for place in places:
        moments = np.array([at for at in issues.get(place.datastream, []) if at >= origin], dtype=np.int64)
        if not moments.size or place.datastream not in series:
            continue
        made = model.predict_many(place.id, moments, series[place.datastream])
        for row, issued in enumerate(moments.tolist()):
            for column, horizon in enumerate(HORIZONS):
                values = (made.p10[row, column], made.p50[row, column], made.p90[row, column])
                if np.isfinite(values).all():
                    low, middle, high = (round(float(value), 1) for value in values)
                    valid = issued + horizon * MINUTE
                    rows.append(Tracked(place.id, issued, valid, dataset, low, middle, high, backtested=True))
    return rows


def indicators(result: Result) -> list[Indicator]:
    """A forecast as it is published; a withdrawn one without its figures."""
    gone = result.withdrawn_at is not None
    body = result.body
    return [
        Indicator(
            id=f"{result.id}:{item['horizon_min']}",
            kind=FORECAST,
            place=result.place,
            issued_at=result.made_at,
            valid_at=item["valid_at"],
            unit=body["unit"],
            p10=None if gone else item["p10"],
            p50=None if gone else item["p50"],
            p90=None if gone else item["p90"],
            properties={
                "name": body["name"],
                "capacity": body["capacity"],
                "model": MODEL,
                "result": result.id,
            },
            grounds=result.grounds,
            withdrawn=gone,
        )
        for item in body["items"]
    ]


def _message(indicator: Indicator) -> Message:
    kind = "nl.dmi.indicator.withdrawn.v1" if indicator.withdrawn else "nl.dmi.indicator.issued.v1"
    return Message(indicator.place, encode(indicator), envelope(kind, indicator.place, indicator.grounds))


def messages_of(result: Result) -> list[Message]:
    """The messages that tell of a forecast's state."""
    return [_message(indicator) for indicator in indicators(result)]


def _body(place: Place, forecasts: Sequence[Forecast]) -> dict[str, Any]:
    return {
        "name": place.name,
        "datastream": place.datastream,
        "unit": str(place.properties.get("unit", "{vehicle}")),
        "capacity": place.capacity,
        "geometry": place.geometry,
        "items": [
            {
                "horizon_min": (one.valid_at - one.issued_at) // MINUTE,
                "valid_at": one.valid_at,
                "p10": one.p10,
                "p50": one.p50,
                "p90": one.p90,
                "note": one.note,
            }
            for one in forecasts
        ],
    }


_TRANSFORMATIONS = (
    "harmonised observations through the gate; rows that failed a quality test left out",
    "means of quarters of an hour, at their mean time; the newest reading as it is",
    f"forecast model {MODEL}: one linear model a stretch over weekly profiles, deviation and recent change",
    "80 % interval from what the model missed, by place, hour and situation",
)
