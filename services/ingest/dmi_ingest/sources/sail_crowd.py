"""Crowd counts of SAIL Amsterdam: a table of counts, with the places, capacities and register of the sensors.

The files are told apart by their headers. In the table of counts every column that is not about time
is a sensor; two columns of one name are its two directions (which is which the publisher does not say,
so they are called ``1`` and ``2``), a single column counts both together; any other name that stands in a
header twice is refused. An empty cell is no unit.
The capacity of a place (persons a minute by level of service, for its effective width and both
directions together) stands at its datastreams. The register lists sensors by object and kind: one
object can have several, each with its own privacy statement, sometimes empty; each entry is one unit.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from itertools import islice
from pathlib import Path
from typing import Any, Final

from dmi_agreements.contracts.features import Feature
from dmi_ingest.sources import places
from dmi_ingest.sources.files import Line, Table, lines, table
from dmi_ingest.sources.port import AMSTERDAM, DatasetTemplate, Item, Rejected, Row, SourceError
from dmi_ingest.sources.things import UNITS, Told
from dmi_ingest.sources.values import Unreadable, micros, number, of_field, slug, tidy

ZONE: Final = "Europe/Amsterdam"
ABOUT_TIME: Final = ("timestamp", "Time", "hour", "minute", "day", "month", "weekday", "is_weekend")
LEVELS: Final = ("A", "B", "C", "D", "E", "F")
HEADERS: Final = {
    "counts": ("timestamp", "Time"),
    "locations": ("Objectummer", "Lat/Long"),
    "capacities": ("Objectummer", *(f"Q_max_pers_per_min_LOS_{level}" for level in LEVELS)),
    "register": ("Objectnummer", "Soort", "Privacyverklaring", "LNG", "LAT"),
}
CELL: Final = ("timestamp", "Time", "sensor", "direction", "count")
"""What the raw form of one rejected count holds."""
REGISTER_PREFIX: Final = "CMSA-"
"""The counts name some sensors with this prefix, the register without, and the other way round."""


@dataclass(slots=True)
class _Sensor:
    """What the files beside the counts say of one sensor."""

    name: str
    point: tuple[float, float] | None = None
    properties: dict[str, Any] = field(default_factory=dict)
    capacity: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class _Column:
    name: str
    sensor: str
    direction: str


class SailCrowd:
    """The source ``sail-crowd``: counts of people passing, per sensor and direction."""

    kind = "sail-crowd"
    properties: tuple[str, ...] = ("crowd_count",)
    title: Final = {"nl": "Drukte SAIL Amsterdam", "en": "Crowds at SAIL Amsterdam"}
    description: Final = {
        "nl": "Aantallen voorbijgangers per richting, met locaties, capaciteiten en sensorregister (CSV).",
        "en": "Counts of passers-by per direction, with locations, capacities and sensor register (CSV).",
    }
    dataset = DatasetTemplate(
        "sail-crowd",
        title,
        description,
        False,
        "crowd",
        "",
        "Gemeente Amsterdam, crowd monitoring",
        "points",
        spatial=AMSTERDAM,
    )
    expects = ("counts", "locations", "capacities", "register")
    unit_read: Final = {
        "nl": "elke gevulde cel van de teltabel, en elke regel van het sensorregister",
        "en": "each filled cell of the table of counts, and each entry of the sensor register",
    }

    def read(self, files: Sequence[Path], prefix: str) -> Iterator[Item]:
        """Faulty lines of the side files first, then the register, the things, and the counts."""
        roles: dict[str, list[Table]] = {role: [] for role in self.expects}
        for path in files:
            found = table(path, _pairs)
            role = _role(found.columns)
            if role is None:
                detail = "the header is of none of the files of sail-crowd"
                raise SourceError(found.name, 1, "other_kind", detail)
            roles[role].append(found)
        if not roles["counts"] and not roles["register"]:
            raise SourceError("", None, "missing_role", "neither a table of counts nor a register of sensors")
        sensors: dict[str, _Sensor] = {}
        for source in roles["locations"]:
            yield from _locations(source, sensors)
        for source in roles["capacities"]:
            yield from _capacities(source, sensors)
        for source in roles["register"]:
            yield from _register(source, sensors, prefix)
        told = Told(prefix)
        for source in roles["counts"]:
            yield from _counts(source, sensors, told)

    def replay(self, rejected: Sequence[Rejected], prefix: str) -> Iterator[Item]:
        """Corrected cells, rows and register entries; the places of sensors are as they were told before."""
        for item in rejected:
            line = item.line or 0
            if not isinstance(item.raw, dict):
                yield item
            elif all(name in item.raw for name in HEADERS["register"]):
                yield _entry(item.file, line, item.raw, prefix)
            elif item.at is not None and all(name in item.raw for name in CELL):
                yield _cell(item.file, line, item.raw, item.at)
            elif item.at is None and all(name in item.raw for name in HEADERS["counts"]):
                for column in _columns(tuple(item.raw)):
                    if item.raw[column.name].strip():
                        yield _cell(item.file, line, _single(item.raw, column, None), column.name)
            else:
                yield item


def _role(names: Sequence[str]) -> str | None:
    roles = ("capacities", "locations", "register", "counts")
    return next((role for role in roles if all(name in names for name in HEADERS[role])), None)


def _pairs(names: Sequence[str]) -> Collection[str]:
    """The names that may stand in a header twice: those of sensors, for their two directions."""
    return set(names).difference(ABOUT_TIME) if _role(names) == "counts" else ()


def _whole(source: Table, line: Line) -> Rejected:
    return Rejected(source.name, line.number, "wrong_columns", None, str(line.width), line.cells)


def _locations(source: Table, sensors: dict[str, _Sensor]) -> Iterator[Rejected]:
    for line in lines(source):
        cells = line.cells
        if not line.complete:
            yield _whole(source, line)
            continue
        try:
            point = _pair(cells["Lat/Long"])
            widths = {
                name: _optional(cells, column)
                for name, column in (("width_m", "Breedte"), ("effective_width_m", "Effectieve breedte"))
            }
        except Unreadable as error:
            at = error.field or "Lat/Long"
            yield Rejected(source.name, line.number, error.reason, at, error.value, cells, at)
            continue
        sensor = cells["Objectummer"].strip()
        sensors[sensor] = _Sensor(tidy(cells.get("Locatienaam", "")) or sensor, point, widths)


def _pair(text: str) -> tuple[float, float]:
    """Longitude and latitude from one cell that holds ``latitude, longitude``, or RD New ``x, y``."""
    parts = text.split(",")
    if len(parts) != 2:
        raise Unreadable("bad_geometry", text)
    first, second = number(parts[0]), number(parts[1])
    if max(abs(first), abs(second)) > 360:
        return places.position(first, second)
    return places.position(second, first)


def _optional(cells: Mapping[str, str], column: str) -> float | None:
    return _number(cells, column) if cells.get(column, "").strip() else None


def _number(cells: Mapping[str, str], column: str) -> float:
    with of_field(column):
        return number(cells[column], decimal_comma=True)


def _capacities(source: Table, sensors: dict[str, _Sensor]) -> Iterator[Rejected]:
    for line in lines(source):
        cells = line.cells
        if not line.complete:
            yield _whole(source, line)
            continue
        levels: dict[str, float] = {}
        try:
            for level in LEVELS:
                levels[level] = _number(cells, f"Q_max_pers_per_min_LOS_{level}")
            point = _beside(cells)
        except Unreadable as error:
            at = error.field or "Lat"
            yield Rejected(source.name, line.number, error.reason, at, error.value, cells, at)
            continue
        name = cells["Objectummer"].strip()
        sensor = sensors.setdefault(name, _Sensor(tidy(cells.get("Locatienaam", "")) or name))
        if sensor.point is None and point is not None:
            sensor.point = point
            sensor.properties["location_from"] = "capacities"
        sensor.capacity = {
            "capacity_per_minute": levels["E"],
            "levels_of_service_per_minute": levels,
            "effective_width_m": sensor.properties.get("effective_width_m"),
        }


def _beside(cells: Mapping[str, str]) -> tuple[float, float] | None:
    """Longitude and latitude that a table of capacities may hold too."""
    if not cells.get("Lat", "").strip() or not cells.get("Long", "").strip():
        return None
    return places.position(_number(cells, "Long"), _number(cells, "Lat"))


def _register(source: Table, sensors: dict[str, _Sensor], prefix: str) -> Iterator[Item]:
    for line in lines(source):
        if not line.complete:
            yield _whole(source, line)
            continue
        entry = _entry(source.name, line.number, line.cells, prefix)
        yield entry
        if isinstance(entry, Feature):
            for name in _aliases(line.cells["Objectnummer"].strip()):
                sensor = sensors.setdefault(name, _Sensor(name))
                if sensor.point is None and entry.geometry is not None:
                    longitude, latitude = entry.geometry["coordinates"]
                    sensor.point = (longitude, latitude)
                    sensor.properties["location_from"] = "register"
                about = {key: entry.properties.get(key) for key in ("sensor_kind", "privacy_statement")}
                sensor.properties.setdefault("register", []).append(about)


def _aliases(name: str) -> tuple[str, str]:
    bare = name.removeprefix(REGISTER_PREFIX)
    return bare, REGISTER_PREFIX + bare


def _entry(file: str, line: int, cells: dict[str, str], prefix: str) -> Feature | Rejected:
    """One entry of the register: a feature under its own number, or a rejection."""
    number_ = next((value.strip() for key, value in cells.items() if key == "OBJECTNUMMER"), "")
    try:
        with of_field("OBJECTNUMMER"):
            identifier = slug(number_)
        with of_field("LNG"):
            point = places.position(_number(cells, "LNG"), _number(cells, "LAT"))
    except Unreadable as error:
        return Rejected(file, line, error.reason, error.field, error.value, cells)
    name = cells["Objectnummer"].strip()
    properties: dict[str, Any] = {
        "object": name,
        "sensor_kind": cells["Soort"].strip(),
        "power": cells.get("Voeding", "").strip(),
        "active": cells.get("Actief", "").strip().casefold() == "ja",
        "privacy_statement": cells["Privacyverklaring"].strip() or None,
    }
    if properties["privacy_statement"] is None:
        properties["note"] = "no privacy statement in the register"
    geometry = {"type": "Point", "coordinates": list(point)}
    return Feature(f"{prefix}.register-{identifier}", "thing", name, geometry, properties)


def _columns(header: Sequence[str]) -> list[_Column]:
    """The columns of sensors, the two of one name told apart as directions ``1`` and ``2``."""
    found: list[_Column] = []
    for name in header:
        if name in ABOUT_TIME or name.startswith("+"):
            continue
        sensor, mark, ordinal = name.partition("#")
        paired = bool(mark) or f"{name}#2" in header
        found.append(_Column(name, sensor, (ordinal or "1") if paired else ""))
    return found


def _counts(source: Table, sensors: Mapping[str, _Sensor], told: Told) -> Iterator[Item]:
    columns = _columns(source.columns)
    if not columns:
        raise SourceError(source.name, 1, "other_kind", "the table of counts has no column of a sensor")
    interval = _interval(source)
    things: dict[str, _Sensor] = {}
    for column in columns:
        with_place = sensors.get(column.sensor, _Sensor(column.sensor))
        try:
            yield from _describe(column, with_place, interval, source.text.note, told)
        except Unreadable as error:
            raise SourceError(
                source.name, 1, "bad_header", f"{error.value!r} is no name of a sensor, or too like another"
            ) from error
        things[column.name] = with_place
    for line in lines(source):
        if not line.complete:
            yield _whole(source, line)
            continue
        for column in columns:
            if line.cells[column.name].strip():
                raw = _single(line.cells, column, things[column.name].point)
                yield _cell(source.name, line.number, raw, column.name)


def _describe(
    column: _Column, sensor: _Sensor, interval: int | None, note: str | None, told: Told
) -> Iterator[Item]:
    thing = slug(column.sensor)
    told.claim(thing, column.sensor)
    notes = [text for text in (note, None if sensor.point else "the location is not known") if text]
    about = {**sensor.properties, "sensor": column.sensor, "note": "; ".join(notes) or None}
    yield from told.thing(thing, sensor.name, sensor.point, about)
    properties = {
        **sensor.capacity,
        "interval_s": interval,
        "direction": column.direction or "both",
        "minimum": 0.0,
    }
    yield from told.datastream(thing, sensor.name, "crowd_count", properties, column.direction)


def _interval(source: Table) -> int | None:
    """Seconds between the first two rows, the counting interval; ``None`` where they do not tell."""
    times: list[int] = []
    for line in islice(lines(source), 2):
        try:
            times.append(_time(line.cells))
        except Unreadable:
            return None  # the row itself is rejected when its turn comes
    step = (times[1] - times[0]) // 1_000_000 if len(times) == 2 else 0
    return step if step > 0 else None


def _single(cells: Mapping[str, str], column: _Column, point: tuple[float, float] | None) -> dict[str, str]:
    """One cell of a row with all that is needed to take it alone, also when it is replayed."""
    raw = {"timestamp": cells["timestamp"], "Time": cells["Time"], "sensor": column.sensor}
    raw |= {"direction": column.direction, "count": cells[column.name]}
    if point is not None:
        raw |= {"longitude": str(point[0]), "latitude": str(point[1])}
    return raw


def _time(cells: Mapping[str, str]) -> int:
    return _moment(cells.get("timestamp", "").strip(), cells.get("Time", "").strip())


@lru_cache(maxsize=64)
def _moment(day: str, time: str) -> int:
    """Microseconds UTC of ``dd/mm/yyyy`` and a time with its offset; all cells of a row share them."""
    date = day.split("/")
    if len(date) != 3:
        raise Unreadable("bad_time", day, "timestamp")
    with of_field("Time"):
        return micros(f"{date[2]}-{date[1]:0>2}-{date[0]:0>2}T{time}", ZONE)


def _cell(file: str, line: int, raw: dict[str, str], at: str) -> Row | Rejected:
    try:
        moment = _time(raw)
        with of_field("count"):
            result = number(raw["count"], decimal_comma=True)
        with of_field("sensor"):
            thing = slug(raw["sensor"])
        with of_field("longitude"):
            longitude = number(raw["longitude"]) if "longitude" in raw else None
        with of_field("latitude"):
            latitude = number(raw["latitude"]) if "latitude" in raw else None
    except Unreadable as error:
        field = at if error.field == "count" else error.field
        return Rejected(file, line, error.reason, field, error.value, raw, at)
    property_ = "crowd_count"
    return Row(
        file, line, thing, property_, UNITS[property_], moment, result, longitude, latitude,
        variant=raw["direction"],
    )  # fmt: skip
