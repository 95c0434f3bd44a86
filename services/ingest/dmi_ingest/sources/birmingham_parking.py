"""Occupancy of car parks in Birmingham (CSV, half-hourly), as the council published it.

Times are local to the United Kingdom, without offset. Negative counts, counts above capacity and
repeated keys are passed on as they are: the platform flags the former and decides over the latter.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Final

from dmi_ingest.sources.files import lines, require, table
from dmi_ingest.sources.port import BIRMINGHAM, DatasetTemplate, Item, Rejected, Row, SourceError
from dmi_ingest.sources.things import UNITS, Told
from dmi_ingest.sources.values import Unreadable, micros, number, of_field, slug, tidy

ZONE: Final = "Europe/London"
NEEDED: Final = ("SystemCodeNumber", "Capacity", "Occupancy", "LastUpdated")


class BirminghamParking:
    """The source ``birmingham-parking``."""

    kind = "birmingham-parking"
    properties: tuple[str, ...] = ("occupancy",)
    title: Final = {"nl": "Parkeergarages Birmingham", "en": "Birmingham car parks"}
    description: Final = {
        "nl": "Bezetting per half uur van parkeergarages in Birmingham, 2016 (CSV).",
        "en": "Half-hourly occupancy of car parks in Birmingham, 2016 (CSV).",
    }
    dataset = DatasetTemplate(
        "birmingham-parking", title, description, False, "parking", "UK Open Government Licence",
        "Birmingham City Council", "", spatial=BIRMINGHAM,
    )  # fmt: skip
    expects = ("occupancy",)
    unit_read: Final = {"nl": "elke regel na de kop", "en": "each line after the header"}

    def read(self, files: Sequence[Path], prefix: str) -> Iterator[Item]:
        """One unit a line."""
        if not files:
            raise SourceError("", None, "missing_role", "no file with occupancy")
        found = [table(path) for path in files]
        for source in found:
            require(source, NEEDED, self.kind)
        told = Told(prefix)
        for source in found:
            for line in lines(source):
                if line.complete:
                    yield from _line(source.name, line.number, line.cells, told, source.text.note)
                else:
                    count = str(line.width)
                    yield Rejected(source.name, line.number, "wrong_columns", None, count, line.cells)

    def replay(self, rejected: Sequence[Rejected], prefix: str) -> Iterator[Item]:
        """Each corrected line again."""
        told = Told(prefix)
        for item in rejected:
            if isinstance(item.raw, dict) and all(name in item.raw for name in NEEDED):
                yield from _line(item.file, item.line or 0, item.raw, told, None)
            else:
                yield item


def _line(file: str, line: int, cells: Mapping[str, str], told: Told, note: str | None) -> Iterator[Item]:
    try:
        name = tidy(cells["SystemCodeNumber"])
        with of_field("SystemCodeNumber"):
            thing = slug(name)
            told.claim(thing, name)
        with of_field("LastUpdated"):
            at = micros(cells["LastUpdated"], ZONE)
        with of_field("Capacity"):
            capacity = number(cells["Capacity"]) if cells["Capacity"].strip() else None
        with of_field("Occupancy"):
            result = number(cells["Occupancy"])
    except Unreadable as error:
        yield Rejected(file, line, error.reason, error.field, error.value, dict(cells))
        return
    about = "the location is not known" if note is None else f"the location is not known; {note}"
    yield from told.thing(thing, name, None, {"place": "parking", "note": about})
    yield from told.datastream(thing, name, "occupancy", {"capacity": capacity or None, "minimum": 0.0})
    yield Row(file, line, thing, "occupancy", UNITS["occupancy"], at, result)
