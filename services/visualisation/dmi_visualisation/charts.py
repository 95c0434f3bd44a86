"""From quarters of an hour to the points of a chart: which of them a viewer may see, and how they are put together."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from itertools import groupby
from typing import Any

from dmi_agreements.contracts.observations import ObservationBatch
from dmi_infra.clock import to_text
from dmi_visualisation.model import worst
from dmi_visualisation.quarters import Quarter


def witnesses(dataset: str, quarters: Sequence[Quarter]) -> ObservationBatch:
    """Two rows for each quarter, named by its number: its first reading in one corner of its places, its last in the
    other. Times and areas of duties have no gaps, so all its readings may be seen when both of these may.
    """
    both = [
        (str(number), quarter, at, longitude, latitude)
        for number, quarter in enumerate(quarters)
        for at, longitude, latitude in (
            (quarter.first, quarter.west, quarter.south),
            (quarter.last, quarter.east, quarter.north),
        )
    ]
    return ObservationBatch(
        dataset=dataset,
        datastream=[name for name, *_ in both],
        phenomenon_time=[at for _, _, at, _, _ in both],
        result=[quarter.mean for _, quarter, *_ in both],
        longitude=[longitude for *_, longitude, _ in both],
        latitude=[latitude for *_, latitude in both],
        subject=[quarter.subject or None for _, quarter, *_ in both],
        neighbourhood=[quarter.neighbourhood or None for _, quarter, *_ in both],
    )


def passing(quarters: Sequence[Quarter], judged: ObservationBatch) -> list[Quarter]:
    """The quarters of which the gate let both witnesses through."""
    through = Counter(judged.datastream)
    return [quarter for number, quarter in enumerate(quarters) if through[str(number)] == 2]


def given(dataset: str, datastream: str, quarters: Sequence[Quarter]) -> ObservationBatch:
    """What is shown, a row for each quarter, for the record."""
    return ObservationBatch(
        dataset=dataset,
        datastream=[datastream] * len(quarters),
        phenomenon_time=[quarter.start for quarter in quarters],
        result=[quarter.mean for quarter in quarters],
        subject=[quarter.subject or None for quarter in quarters],
    )


def points(quarters: Sequence[Quarter], most: int, flagged: bool = True) -> list[dict[str, Any]]:
    """At most ``most`` points: those of one time as one, then as many in a row as it takes; by time.

    Not ``flagged``: without what the tests of their quality found, as of a row whose flags were left out.
    """
    by_time = [_joined(list(same)) for _, same in groupby(quarters, lambda quarter: quarter.start)]
    size = max(1, -(-len(by_time) // most))
    groups = [_joined(by_time[first : first + size]) for first in range(0, len(by_time), size)]
    return [
        {
            "at": to_text(group.start),
            "minimum": group.minimum,
            "mean": group.mean,
            "maximum": group.maximum,
            "flag": group.flag if flagged else worst(()),
        }
        for group in groups
    ]


def _joined(quarters: Sequence[Quarter]) -> Quarter:
    whole = quarters[0]
    for quarter in quarters[1:]:
        whole = whole.joined(quarter)
    return whole
