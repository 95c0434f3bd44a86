"""Evaluates a rule on a state: propose, hold or end.

A rule starts advice when its value reaches the threshold and holds it until the value falls below a lower one
(hysteresis), so that a garage around the threshold does not flicker. One advice runs at a time per rule and
place. A person decides on each, unless the rule is marked automatic, which names who decided that and until
when; past that moment the rule proposes again.
"""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import msgspec

from dmi_agreements.contracts.results import Grounds, Measure
from dmi_support_centre.models.crowd import Level, advice
from dmi_support_centre.models.measures.lifecycle import PROPOSED, PUBLISHED, REJECTED, cut_short
from dmi_support_centre.models.measures.rules import (
    CrowdRule,
    CrowdState,
    ForecastAt,
    GarageRule,
    GarageState,
    Rule,
    State,
)

MINUTE = 60_000_000
FULL = 0.95
"""Share of the capacity from which a garage is called full; below it the advice tells the percentage."""
NAMESPACE = uuid.UUID("6f1f3c1e-6c3b-5a55-9f0d-2f6f0c7d8a41")


@dataclass(frozen=True, slots=True)
class Evaluation:
    """The measure, or ``None`` and the reason why not; ``value`` is what the rule compared (share, or None)."""

    measure: Measure | None
    reason: str
    value: float | None = None


def propose(rule: Rule, state: State, now: int) -> Measure | None:
    """The measure that the rule calls for at ``now``, or ``None``; ``evaluate`` also says why."""
    return evaluate(rule, state, now).measure


def evaluate(rule: Rule, state: State, now: int) -> Evaluation:
    """Evaluates a rule on the state that belongs to it; raises ``TypeError`` for the other kind of state."""
    if isinstance(rule, GarageRule) and isinstance(state, GarageState):
        return _garage(rule, state, now)
    if isinstance(rule, CrowdRule) and isinstance(state, CrowdState):
        return _crowd(rule, state, now)
    raise TypeError(f"{type(rule).__name__} does not look at {type(state).__name__}")


def forecast_share(rule: GarageRule, state: GarageState, now: int) -> tuple[float, ForecastAt] | None:
    """The forecast share of capacity at arrival and the forecast behind it; ``None`` when not known or old."""
    found = _nearest(state.forecasts, now, rule)
    if found is None or not state.capacity:
        return None
    value: float = getattr(found, rule.quantile)
    return value / state.capacity, found


def _nearest(forecasts: Sequence[ForecastAt], now: int, rule: GarageRule) -> ForecastAt | None:
    """The newest forecast for about the moment of arrival (within 8 minutes)."""
    arrival = now + rule.horizon_min * MINUTE
    oldest = now - rule.oldest_forecast_min * MINUTE
    fitting = [
        f for f in forecasts if abs(f.valid_at - arrival) <= 8 * MINUTE and oldest <= f.issued_at <= now
    ]
    return max(fitting, key=lambda f: (f.issued_at, -abs(f.valid_at - arrival)), default=None)


def _garage(rule: GarageRule, state: GarageState, now: int) -> Evaluation:
    found = forecast_share(rule, state, now)
    if found is None:
        return Evaluation(None, "no-forecast")
    share, forecast = found
    if share < rule.full_share:
        return Evaluation(None, "not-full", share)
    held = _held(rule, state.measures, state.released_at, now)
    if held:
        return Evaluation(None, held, share)
    room = _hub_room(rule, state, now)
    if room is None:
        return Evaluation(None, "hub-unknown", share)
    if room < rule.hub_room_share:
        return Evaluation(None, "hub-full", share)
    clock = _local(forecast.valid_at, rule.zone)
    title = {"nl": f"Parkeer bij {state.hub_name}", "en": f"Park at {state.hub_name}"}
    percent = min(100, round(share * 100))
    full = (
        {"nl": "vol", "en": "full"}
        if share >= FULL
        else {"nl": f"voor {percent}% bezet", "en": f"{percent}% full"}
    )
    text = {
        "nl": f"{state.name} is rond {clock} naar verwachting {full['nl']}. Parkeer bij {state.hub_name} en reis "
        "verder met de bus of de fiets.",
        "en": f"{state.name} is expected to be {full['en']} around {clock}. Park at {state.hub_name} and continue "
        "by bus or bicycle.",
    }
    properties: dict[str, Any] = {
        "hub": rule.hub,
        "audience": {
            "nl": f"automobilisten die over {rule.horizon_min} minuten of later bij {state.name} aankomen",
            "en": f"drivers who reach {state.name} in {rule.horizon_min} minutes or later",
        },
        "quantile": rule.quantile,
        "forecast": getattr(forecast, rule.quantile),
        "valid_at": forecast.valid_at,
        "capacity": state.capacity,
        "share": round(share, 3),
        "hub_room_share": round(room, 3),
    }
    grounds = msgspec.structs.replace(state.grounds, results=[*state.grounds.results, forecast.id])
    measure = _made(rule, now, title, text, properties, grounds, state.geometry)
    return Evaluation(measure, "full", share)


def _hub_room(rule: GarageRule, state: GarageState, now: int) -> float | None:
    """Free share of the hub at arrival: by its forecast (the same quantile), else as it is now."""
    if not state.hub_capacity:
        return None
    forecast = _nearest(state.hub_forecasts, now, rule)
    taken = state.hub_occupancy if forecast is None else getattr(forecast, rule.quantile)
    return None if taken is None else 1 - taken / state.hub_capacity


def _crowd(rule: CrowdRule, state: CrowdState, now: int) -> Evaluation:
    if not state.levels or not now - rule.oldest_count_min * MINUTE <= state.at <= now:
        return Evaluation(None, "no-counts")
    call = advice(state.levels, rule.threshold, rule.intervals)
    if not call.advise:
        return Evaluation(None, "not-crowded", state.flow)
    held = _held(rule, state.measures, state.released_at, now)
    if held:
        return Evaluation(None, held, state.flow)
    title = {"nl": f"Mijd {state.name}", "en": f"Avoid {state.name}"}
    very = state.levels[-1].at_least(Level.E)
    text = {
        "nl": f"Het is nu {'erg druk' if very else 'druk'} bij {state.name}. Kies een andere route of kom later.",
        "en": f"{state.name} is {'very crowded' if very else 'crowded'} now. Choose another way or come later.",
    }
    properties: dict[str, Any] = {
        "audience": {"nl": f"voetgangers richting {state.name}", "en": f"people walking to {state.name}"},
        "level": call.level.value,
        "flow": round(state.flow, 1),
        "threshold": rule.threshold.value,
        "intervals": call.intervals,
    }
    return Evaluation(
        _made(rule, now, title, text, properties, state.grounds, state.geometry), "crowded", state.flow
    )


def _held(rule: Rule, measures: Sequence[Measure], released_at: int | None, now: int) -> str:
    """Why an earlier measure keeps the rule silent, or an empty text."""
    own = [m for m in measures if m.rule == rule.id and m.place == rule.place]
    if any(m.state in (PROPOSED, PUBLISHED) and m.valid_to > now for m in own):
        return "already-running"
    rejected = [m.decided_at or m.proposed_at for m in own if m.state == REJECTED]
    if rejected:
        since = max(rejected)
        if now < since + rule.quiet_min * MINUTE and (released_at is None or released_at <= since):
            return "rejected-before"
    return ""


def _made(
    rule: Rule,
    now: int,
    title: dict[str, str],
    text: dict[str, str],
    properties: dict[str, Any],
    grounds: Grounds,
    geometry: dict[str, Any] | None,
) -> Measure:
    automatic = rule.automatic if rule.automatic and now < rule.automatic.until else None
    if automatic is not None:
        properties = {**properties, "automatic": True, "automatic_until": automatic.until}
    return Measure(
        id=f"urn:uuid:{uuid.uuid5(NAMESPACE, f'{rule.id}|{rule.place}|{now}')}",
        rule=rule.id,
        state=PUBLISHED if automatic else PROPOSED,
        place=rule.place,
        title=title,
        advice=text,
        proposed_at=now,
        valid_from=now,
        valid_to=now + rule.duration_min * MINUTE,
        decided_by=automatic.decided_by if automatic else None,
        decided_at=now if automatic else None,
        geometry=geometry,
        grounds=grounds,
        properties=properties,
    )


def _local(at: int, zone: str) -> str:
    moment = datetime(1970, 1, 1, tzinfo=UTC) + timedelta(microseconds=at)
    return moment.astimezone(ZoneInfo(zone)).strftime("%H:%M")


def lapse(rule: Rule, measure: Measure, state: State, now: int) -> Measure | None:
    """The measure ended early, since what it was for is over (below the release threshold); else ``None``."""
    if measure.state not in (PROPOSED, PUBLISHED):
        return None
    if isinstance(rule, GarageRule) and isinstance(state, GarageState):
        found = forecast_share(rule, state, now)
        over = found is not None and found[0] < rule.release_share
    elif isinstance(rule, CrowdRule) and isinstance(state, CrowdState):
        fresh = now - rule.oldest_count_min * MINUTE <= state.at <= now
        calm = state.levels[-rule.intervals :]
        over = fresh and len(calm) == rule.intervals and not any(one.at_least(rule.threshold) for one in calm)
    else:
        raise TypeError(f"{type(rule).__name__} does not look at {type(state).__name__}")
    return cut_short(measure, now, "condition-over") if over else None
