"""Bicycles with an air-quality sensor, Province of Utrecht: one row a reading, seven values taken from each.

What the numbers mean follows from the publisher's description of the error codes and from the data:

- Particulate matter is in whole ug/m3 from firmware 1 and in hundredths from firmware 2: in the
  same hours the median of firmware 2 is a hundred times that of firmware 1.
- Temperature is in tenths of a degree, without a decimal point. A value with one is in degrees.
- Voltage is sent as hundredths of a volt above 3 V: 91 to 120 is a lithium cell of 3.91 to 4.20 V.
- Accuracies are in millimetres (a median of 7 m on the road); so 65031 is 65 m, not 65 km.
- ``error_code`` is a set of bits. 32 says *no GPS fix*: the position is zero or not to be relied on,
  so the reading is kept without it. 2048 says that particulate matter could not be read yet: those
  three values are rejected, also where they look plausible, and the others kept.
- ``no2`` is always 0 and ``voc`` and ``acc_max`` have no unit: not taken over.
- Times are local, without offset; the ``_id`` is of the publisher's table, not of the reading.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from dmi_ingest.sources import places
from dmi_ingest.sources.files import lines, require, table
from dmi_ingest.sources.port import UTRECHT, DatasetTemplate, Item, Rejected, Row, SourceError
from dmi_ingest.sources.things import UNITS, Told
from dmi_ingest.sources.values import Unreadable, micros, number, of_field

ZONE: Final = "Europe/Amsterdam"
PERSON: Final = "urn:dmi:person:snuffelfiets-"
"""How the id of whoever rides begins; the number of the sensor follows."""
PARTICLES: Final = ("pm1_0", "pm2_5", "pm10")
COLUMNS: Final = {
    **{name: name for name in PARTICLES},
    "temperature": "temperature",
    "humidity": "relative_humidity",
    "pressure": "pressure",
    "voltage": "voltage",
}
"""Observed property by column."""
RANGES: Final = {
    **dict.fromkeys(PARTICLES, (0.0, 1000.0)),
    "temperature": (-30.0, 50.0),
    "relative_humidity": (0.0, 100.0),
    "pressure": (900.0, 1080.0),
    "voltage": (3.0, 4.3),
}
NEEDED: Final = (
    "entity_id", "recording_timestamp", "error_code", "horizontal_accuracy", "latitude", "longitude",
    "version_major", *COLUMNS,
)  # fmt: skip

PARTICLE_SCALE: Final = {1: 1.0, 2: 100.0}
"""Divisor by major version of the firmware; another version is refused, not guessed."""
BIT_NO_POSITION: Final = 16 | 32
BIT_PARTICLES: Final = 512 | 1024 | 2048 | 4096
BIT_CLIMATE: Final = 4 | 8
BIT_ELSEWHERE: Final = 1 | 128
"""Accelerometer and nitrogen dioxide, of which nothing is taken over."""
BITS: Final = BIT_NO_POSITION | BIT_PARTICLES | BIT_CLIMATE | BIT_ELSEWHERE
ACCURACY_LIMIT: Final = 100_000
"""Millimetres. A position that claims an accuracy of 0, or worse than this, is left out."""


@dataclass(frozen=True, slots=True)
class _Reading:
    """What the seven values of one row share; ``errors`` are the bits of its error code."""

    entity: str
    at: int
    errors: int
    firmware: int
    point: tuple[float, float] | None


class Snuffelfiets:
    """The source ``snuffelfiets``; its data is personal, since the tracks show where riders live."""

    kind = "snuffelfiets"
    properties: tuple[str, ...] = tuple(COLUMNS.values())
    title: Final = {"nl": "Snuffelfiets", "en": "Bicycle air quality (Snuffelfiets)"}
    description: Final = {
        "nl": "Fijnstof en weer van sensoren op fietsen (CSV). Persoonsgegevens.",
        "en": "Particulate matter and weather from sensors on bicycles (CSV). Personal data.",
    }
    dataset = DatasetTemplate(
        "snuffelfiets",
        title,
        description,
        True,
        "environment",
        "",
        "Provincie Utrecht, Snuffelfiets",
        "points",
        "dmi:purpose:air-quality",
        # The file names no one whose consent could be asked; agreements must make it coarse.
        "dmi:basis:public-task",
        spatial=UTRECHT,
    )
    expects = ("readings",)
    unit_read: Final = {
        "nl": "elke waarde van een meting: fijnstof (3), temperatuur, vocht, luchtdruk, spanning",
        "en": "each value of a reading: particulate matter (3), temperature, humidity, pressure, voltage",
    }

    def read(self, files: Sequence[Path], prefix: str) -> Iterator[Item]:
        """Seven units a reading, in the order of the files."""
        if not files:
            raise SourceError("", None, "missing_role", "no file with readings")
        found = [table(path) for path in files]
        for source in found:
            require(source, NEEDED, self.kind)
        told = Told(prefix)
        for source in found:
            for line in lines(source):
                if line.complete:
                    yield from _values(
                        source.name, line.number, line.cells, told, tuple(COLUMNS), source.text.note
                    )
                else:
                    count = str(line.width)
                    yield Rejected(source.name, line.number, "wrong_columns", None, count, line.cells)

    def replay(self, rejected: Sequence[Rejected], prefix: str) -> Iterator[Item]:
        """The rejected values of corrected readings; a row that had been rejected whole gives all seven."""
        told = Told(prefix)
        for item in rejected:
            if not isinstance(item.raw, dict) or any(name not in item.raw for name in NEEDED):
                yield item
                continue
            wanted = (item.at,) if item.at in COLUMNS else tuple(COLUMNS)
            yield from _values(item.file, item.line or 0, item.raw, told, wanted, None)


def _values(
    file: str, line: int, cells: Mapping[str, str], told: Told, wanted: Sequence[str], note: str | None
) -> Iterator[Item]:
    try:
        reading = _reading(cells)
    except Unreadable as error:
        for column in wanted:
            yield Rejected(file, line, error.reason, error.field, error.value, dict(cells), column)
        return
    thing = f"bicycle-{reading.entity}"
    name = f"Snuffelfiets {reading.entity[-4:]}"
    yield from told.thing(thing, name, None, {"mobile": True, "note": note})
    for column in wanted:
        property_ = COLUMNS[column]
        try:
            result = _result(column, cells[column], reading)
        except Unreadable as error:
            field = error.field or column
            yield Rejected(file, line, error.reason, field, error.value, dict(cells), column)
            continue
        low, high = RANGES[property_]
        yield from told.datastream(thing, name, property_, {"minimum": low, "maximum": high})
        longitude, latitude = reading.point or (None, None)
        subject = f"{PERSON}{reading.entity}"
        yield Row(
            file, line, thing, property_, UNITS[property_], reading.at, result, longitude, latitude, subject
        )


def _reading(cells: Mapping[str, str]) -> _Reading:
    entity = cells["entity_id"].strip()
    if not re.fullmatch(r"[0-9]{1,20}", entity, re.ASCII):
        raise Unreadable("bad_entity", entity, "entity_id")
    errors = _whole(cells, "error_code")
    if errors & ~BITS or errors < 0:
        raise Unreadable("unknown_error_code", cells["error_code"], "error_code")
    with of_field("recording_timestamp"):
        at = micros(cells["recording_timestamp"], ZONE)
    return _Reading(entity, at, errors, _whole(cells, "version_major"), _point(cells, errors))


def _whole(cells: Mapping[str, str], field: str) -> int:
    with of_field(field):
        found = number(cells[field])
        if found != int(found):
            raise Unreadable("not_a_number", cells[field])
    return int(found)


def _point(cells: Mapping[str, str], errors: int) -> tuple[float, float] | None:
    """Longitude and latitude, or ``None`` without a usable fix; a position that is wrong is refused."""
    if errors & BIT_NO_POSITION:
        return None
    found: list[float] = []
    for name in ("longitude", "latitude", "horizontal_accuracy"):
        if not cells[name].strip():
            return None
        with of_field(name):
            found.append(number(cells[name]))
    longitude, latitude, accuracy = found
    if (longitude == 0 and latitude == 0) or not 0 < accuracy < ACCURACY_LIMIT:
        return None
    with of_field("latitude"):
        return places.position(longitude, latitude)


def _result(column: str, text: str, reading: _Reading) -> float:
    """The value in the unit of its property; raises ``Unreadable`` where it cannot be relied on."""
    value = number(text)
    faulty = BIT_PARTICLES if column in PARTICLES else BIT_CLIMATE if column != "voltage" else 0
    if reading.errors & faulty:
        raise Unreadable("sensor_error", reading.errors, "error_code")
    if column in PARTICLES:
        scale = PARTICLE_SCALE.get(reading.firmware)
        if scale is None:
            raise Unreadable("unknown_firmware", reading.firmware, "version_major")
        return value / scale
    if column == "temperature":
        return _degrees(text, value, reading.firmware)
    return round(3 + value / 100, 2) if column == "voltage" else value


def _degrees(text: str, value: float, firmware: int) -> float:
    if "." in text:
        return value
    if firmware in PARTICLE_SCALE or abs(value) > 60:
        return value / 10
    raise Unreadable("ambiguous_unit", text, "temperature")
