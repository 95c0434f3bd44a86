"""Words for a position: a vehicle between two stops becomes "line 5, stops at 15:00 at Nachtwachtlaan"."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from dmi_agreements.contracts.features import Feature
from dmi_visualisation.model import Shown


class Timetables:
    """The lines and stops known by now. A trip is named ``<line>:<direction>:<HHMM>:<number of its next stop>``."""

    def __init__(self) -> None:
        # By dataset: a vehicle is told about in the words of its own dataset, never in those of another owner.
        self._lines: dict[tuple[str, str], Mapping[str, Any]] = {}
        self._stops: dict[tuple[str, str], str] = {}

    def add(self, dataset: str, feature: Feature) -> None:
        """Take in a ``line`` (with a timetable) or a ``stop`` of a dataset; others are left alone."""
        if feature.kind == "stop":
            self._stops[dataset, feature.id] = feature.name
        elif feature.kind == "line" and isinstance(feature.properties.get("timetable"), dict):
            line = str(feature.properties.get("line", feature.id))
            self._lines[dataset, line] = feature.properties["timetable"]

    def label(self, row: Shown) -> dict[str, str] | None:
        """The sentence for a vehicle on a known trip, by language; ``None`` for anything else."""
        parts = (row.source_id or "").split(":")
        timetable = self._lines.get((row.dataset, parts[0]))
        if len(parts) != 4 or timetable is None:
            return None
        line, direction, departure, number = parts
        try:
            index = int(number) - 1
            minutes = timetable["minutes"][direction][index]
            stops = timetable["stops"] if direction == "out" else timetable["stops"][::-1]
            begun = int(departure[:2]) * 60 + int(departure[2:])
            stop = self._stops[row.dataset, stops[index]]
        except (ValueError, KeyError, IndexError, TypeError):
            # A trip that the timetable does not hold has no sentence; its position is shown all the same.
            return None
        at = f"{(begun + minutes) // 60 % 24:02d}:{(begun + minutes) % 60:02d}"
        return {
            "nl": f"lijn {line}, stopt om {at} bij {stop}{_late(row, 'minuut', 'minuten', 'te laat')}",
            "en": f"line {line}, stops at {at} at {stop}{_late(row, 'minute', 'minutes', 'late')}",
        }


def _late(row: Shown, one: str, several: str, late: str) -> str:
    minutes = round((row.result or 0.0) / 60)
    return f" ({minutes} {one if minutes == 1 else several} {late})" if minutes >= 1 else ""
