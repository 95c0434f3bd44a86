"""Amsterdam's garage feed (GeoJSON): free spaces for short and for long stay, with numbers as text.

A state other than ``ok`` means that the zeros are defaults of the feed, not counts: rejected as
``source_error``. An empty field is ``missing_value``. Below zero and above capacity are passed on
as they are; the platform flags them. Occupancy is capacity less free spaces, only where both are known.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from dmi_ingest.sources.geojson import Shape, replayed, shapes
from dmi_ingest.sources.port import AMSTERDAM, DatasetTemplate, Item, Rejected, Row, SourceError
from dmi_ingest.sources.things import UNITS, Told
from dmi_ingest.sources.values import Unreadable, micros, number, of_field, slug, tidy

ZONE: Final = "Europe/Amsterdam"


@dataclass(frozen=True, slots=True)
class _Stay:
    free: str
    capacity: str
    variant: str


STAYS: Final = (
    _Stay("FreeSpaceShort", "ShortCapacity", ""),
    _Stay("FreeSpaceLong", "LongCapacity", "long"),
)


class AmsterdamGarages:
    """The source ``amsterdam-garages``: one answer of the feed a file."""

    kind = "amsterdam-garages"
    properties: tuple[str, ...] = ("occupancy", "free_spaces")
    title: Final = {"nl": "Parkeergarages Amsterdam", "en": "Amsterdam parking garages"}
    description: Final = {
        "nl": "Vrije plaatsen per garage, voor kort en voor lang parkeren (GeoJSON).",
        "en": "Free spaces per garage, for short and for long stay (GeoJSON).",
    }
    dataset = DatasetTemplate(
        "amsterdam-garages",
        title,
        description,
        False,
        "parking",
        "",
        "Gemeente Amsterdam",
        "points",
        spatial=AMSTERDAM,
    )
    expects = ("garages",)
    unit_read: Final = {
        "nl": "per garage de vrije plaatsen voor kort en voor lang, en elke bezetting die volgt",
        "en": "per garage the free spaces for short and for long stay, and each occupancy that follows",
    }

    def read(self, files: Sequence[Path], prefix: str) -> Iterator[Item]:
        """Two to four units a garage."""
        if not files:
            raise SourceError("", None, "missing_role", "no file with garages")
        told = Told(prefix)
        for path in files:
            for shape in shapes(path, self.kind, ("Name", "State", "FreeSpaceShort", "ShortCapacity")):
                yield from _garage(shape, told, STAYS)

    def replay(self, rejected: Sequence[Rejected], prefix: str) -> Iterator[Item]:
        """The stay that was rejected, of each corrected garage."""
        told = Told(prefix)
        for item, shape in replayed(rejected):
            stays = [stay for stay in STAYS if (item.at or "").endswith(f"/{stay.free}")]
            if shape is None or not stays:
                yield item
            else:
                yield from _garage(shape, told, stays)


def _garage(shape: Shape, told: Told, stays: Sequence[_Stay]) -> Iterator[Item]:
    try:
        with of_field("Id"):
            thing = slug(str(shape.feature.get("Id") or ""))
        with of_field("geometry"):
            point = shape.point()
        with of_field("PubDate"):
            at = micros(shape.properties.get("PubDate"), ZONE)
    except Unreadable as error:
        for stay in stays:
            yield shape.rejected(error, f"/properties/{stay.free}")
        return
    name = tidy(shape.text("Name")) or thing
    about = {"state": shape.text("State"), "place": "parking"}
    yield from told.thing(thing, name, point, about)
    for stay in stays:
        try:
            found = _stay(shape, stay)
        except Unreadable as error:
            yield shape.rejected(error, f"/properties/{stay.free}")
            continue
        for property_, result, capacity in found:
            properties = {"capacity": capacity, "minimum": 0.0, "stay": stay.variant or "short"}
            yield from told.datastream(thing, name, property_, properties, stay.variant)
            longitude, latitude = point
            yield Row(
                shape.file, shape.index, thing, property_, UNITS[property_], at, result, longitude, latitude,
                variant=stay.variant,
            )  # fmt: skip


def _stay(shape: Shape, stay: _Stay) -> list[tuple[str, float, float | None]]:
    """Property, result and capacity of one kind of stay; a capacity of 0 or empty is not known."""
    state = shape.text("State")
    if state.casefold() != "ok":
        raise Unreadable("source_error", f"{state or 'no state'}, {shape.text('Status')}", "State")
    free = number(shape.properties.get(stay.free))
    with of_field(stay.capacity):
        text = shape.text(stay.capacity)
        capacity = (number(text) if text else None) or None
    found: list[tuple[str, float, float | None]] = [("free_spaces", free, capacity)]
    if capacity is not None:
        found.append(("occupancy", capacity - free, capacity))
    return found
