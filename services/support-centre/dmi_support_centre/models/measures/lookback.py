"""What came of a measure: what was seen beside what was forecast without advice. No proof of cause."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal, Protocol

import msgspec
import numpy as np

from dmi_agreements.contracts.results import Measure
from dmi_support_centre.model import MINUTE
from dmi_support_centre.models.forecast.series import Series, Values, actual, last_at

CAVEAT = {
    "nl": "Een verschil is geen bewijs dat het advies werkte: de verwachting heeft zelf een marge, en weer, "
    "evenementen en andere berichten zijn niet uitgesloten.",
    "en": "A difference is no proof that the advice worked: the forecast has a margin of its own, and weather, "
    "events and other messages are not ruled out.",
}


class Expected(Protocol):
    """One forecast: vehicles at ``valid_at`` with an 80 % interval; times in µs UTC."""

    @property
    def issued_at(self) -> int: ...
    @property
    def valid_at(self) -> int: ...
    @property
    def p10(self) -> float: ...
    @property
    def p50(self) -> float: ...
    @property
    def p90(self) -> float: ...


class Seen(msgspec.Struct, frozen=True):
    """One moment (µs UTC): what was seen, and what had been forecast before the advice; ``None`` is not known."""

    at: int
    actual: float | None
    p10: float | None = None
    p50: float | None = None
    p90: float | None = None


class Comparison(msgspec.Struct, frozen=True):
    """Actual minus expected vehicles at one place, averaged over ``count`` moments of the measure's time."""

    place: str
    mean_difference: float
    count: int
    outside_interval: int
    """Moments at which the actual value lay outside the 80 % interval; two of ten are to be expected."""
    low: float = 0.0
    high: float = 0.0
    """The mean difference if all forecasts had been off to the same side, as far as their interval goes."""
    moments: list[Seen] = []
    """The hour before and the time of the measure, in order."""

    @property
    def beyond(self) -> bool:
        """Whether the difference is larger than what the forecasts may be off by."""
        return self.low > 0 or self.high < 0


class LookBack(msgspec.Struct, frozen=True):
    """A measure looked back on; a part that cannot be told is ``None``. ``caveat`` belongs beside each figure."""

    measure: str
    destination: Comparison | None
    hub: Comparison | None
    hub_change: float | None
    """Vehicles at the hub at the end minus at the start of the measure."""
    verdict: str
    """How sure one may be: ``beyond`` the margin of the forecast, ``within`` it, or ``unknown``."""
    caveat: dict[str, str]
    kind: Literal["garage"] = "garage"


def look_back(
    measure: Measure,
    destination: Series,
    expected: Sequence[Expected],
    hub: Series,
    hub_expected: Sequence[Expected] = (),
) -> LookBack:
    """Compares what was seen (clean series) with the forecasts that were issued before the advice began.

    Later forecasts already see its effect, so they are left out; the newest earlier one of each moment counts.
    """
    found = _compare(measure.place, measure, destination, expected)
    return LookBack(
        measure=measure.id,
        destination=found,
        hub=_compare(str(measure.properties.get("hub", "")), measure, hub, hub_expected),
        hub_change=_change(measure, hub),
        verdict="unknown" if found is None else "beyond" if found.beyond else "within",
        caveat=CAVEAT,
    )


def _compare(place: str, measure: Measure, seen: Series, expected: Sequence[Expected]) -> Comparison | None:
    newest: dict[int, Expected] = {}
    for one in expected:
        inside = measure.valid_from < one.valid_at <= measure.valid_to
        if inside and one.issued_at <= measure.valid_from:
            known = newest.get(one.valid_at)
            if known is None or one.issued_at > known.issued_at:
                newest[one.valid_at] = one
    rows = [newest[at] for at in sorted(newest)]
    truth: Values = actual(seen, np.array([row.valid_at for row in rows], dtype=np.int64))
    pairs = [(float(t), row) for t, row in zip(truth, rows, strict=True) if np.isfinite(t)]
    if not pairs:
        return None
    difference = sum(t - row.p50 for t, row in pairs) / len(pairs)
    outside = sum(not row.p10 <= t <= row.p90 for t, row in pairs)
    low = sum(t - row.p90 for t, row in pairs) / len(pairs)
    high = sum(t - row.p10 for t, row in pairs) / len(pairs)
    moments = [
        *_before(measure, seen),
        *(Seen(row.valid_at, t, row.p10, row.p50, row.p90) for t, row in pairs),
    ]
    return Comparison(place, difference, len(pairs), outside, low, high, moments)


def _before(measure: Measure, seen: Series) -> list[Seen]:
    """What was seen each quarter of the hour up to the beginning of the measure."""
    times = [measure.valid_from - minutes * MINUTE for minutes in (60, 45, 30, 15, 0)]
    truth = actual(seen, np.array(times, dtype=np.int64))
    return [
        Seen(at, float(value) if np.isfinite(value) else None) for at, value in zip(times, truth, strict=True)
    ]


def _change(measure: Measure, hub: Series) -> float | None:
    index = last_at(hub, np.array([measure.valid_from, measure.valid_to], dtype=np.int64))
    if not len(hub) or index[0] < 0 or index[1] <= index[0]:
        return None
    return float(hub.values[index[1]] - hub.values[index[0]])
