"""Nine parking garages, the last of them the park-and-ride hub, each with the rhythm of what it serves."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from shapely.geometry import Point

from dmi_agreements.contracts.features import Feature
from dmi_command.demo import noise
from dmi_command.demo.moments import MINUTE, local
from dmi_command.demo.noise import Floats, Ints
from dmi_command.demo.plane import geojson
from dmi_command.demo.profiles import Profile, between, is_event, level

STEP: Final = MINUTE
PROPERTY: Final = "occupancy"
UNIT: Final = "{vehicle}"

SHOPPING: Final[Profile] = {
    "day": ((0, 0.12), (6, 0.10), (8, 0.18), (9.5, 0.40), (11.5, 0.78), (13.25, 1.03), (15.5, 1.05),
            (17, 0.80), (18.5, 0.45), (20, 0.38), (22, 0.24), (24, 0.12)),
    "thu": ((0, 0.12), (6, 0.10), (8, 0.18), (9.5, 0.40), (11.5, 0.78), (13.25, 1.03), (15.5, 1.04),
            (17, 0.86), (19, 0.98), (20.5, 0.94), (21.5, 0.55), (24, 0.12)),
    "sat": ((0, 0.12), (6, 0.10), (8, 0.22), (9.5, 0.52), (11.5, 1.00), (13, 1.20), (16, 1.22),
            (17.25, 0.95), (18.5, 0.55), (20, 0.46), (22, 0.30), (24, 0.12)),
    "sun": ((0, 0.12), (7, 0.09), (10, 0.16), (12, 0.62), (13.5, 0.97), (15.5, 0.98), (17, 0.62),
            (18.5, 0.30), (22, 0.18), (24, 0.12)),
}  # fmt: skip
OFFICE: Final[Profile] = {
    "day": ((0, 0.05), (6, 0.06), (7.25, 0.25), (8.75, 0.80), (10, 0.91), (12, 0.88), (13.5, 0.90),
            (15.5, 0.84), (17, 0.45), (18.5, 0.15), (21, 0.07), (24, 0.05)),
    "fri": ((0, 0.05), (6, 0.06), (7.25, 0.18), (8.75, 0.56), (10, 0.64), (12, 0.60), (15, 0.50),
            (16.5, 0.25), (18.5, 0.10), (24, 0.05)),
    "sat": ((0, 0.05), (9, 0.07), (13, 0.12), (18, 0.07), (24, 0.05)),
    "sun": ((0, 0.05), (12, 0.07), (24, 0.05)),
}  # fmt: skip
STATION: Final[Profile] = {
    "day": ((0, 0.30), (5.5, 0.32), (7, 0.55), (8.5, 0.88), (11, 0.94), (15.5, 0.90), (17.5, 0.62),
            (19, 0.44), (22, 0.36), (24, 0.30)),
    "sat": ((0, 0.30), (7, 0.30), (11, 0.56), (15, 0.62), (18, 0.48), (24, 0.30)),
    "sun": ((0, 0.30), (9, 0.28), (13, 0.44), (18, 0.40), (24, 0.30)),
}  # fmt: skip
HOSPITAL: Final[Profile] = {
    "day": ((0, 0.16), (6, 0.18), (7.5, 0.46), (9.5, 0.84), (11, 0.92), (13, 0.80), (14.5, 0.90),
            (16, 0.70), (17.5, 0.42), (18.75, 0.52), (20, 0.46), (21, 0.24), (24, 0.16)),
    "sat": ((0, 0.16), (7, 0.20), (11, 0.34), (14.5, 0.56), (16.5, 0.36), (18.75, 0.46), (20.5, 0.22),
            (24, 0.16)),
    "sun": ((0, 0.16), (7, 0.20), (11, 0.30), (14.5, 0.58), (16.5, 0.36), (18.75, 0.44), (20.5, 0.22),
            (24, 0.16)),
}  # fmt: skip
THEATRE: Final[Profile] = {
    "day": ((0, 0.10), (7, 0.09), (10, 0.24), (14, 0.42), (17, 0.36), (18.5, 0.62), (19.5, 0.95),
            (20.1, 1.08), (21.8, 1.08), (22.75, 0.50), (23.5, 0.20), (24, 0.10)),
    "mon": ((0, 0.10), (7, 0.09), (10, 0.22), (14, 0.38), (17, 0.30), (19.5, 0.44), (21.5, 0.42),
            (23, 0.18), (24, 0.10)),
    "sun": ((0, 0.10), (9, 0.10), (12.5, 0.40), (14, 0.97), (16, 0.98), (17.5, 0.45), (20, 0.32),
            (24, 0.10)),
}  # fmt: skip
HUB: Final[Profile] = {
    "day": ((0, 0.05), (6, 0.06), (7.5, 0.24), (9, 0.42), (13, 0.50), (15.5, 0.48), (17.5, 0.26),
            (19, 0.14), (24, 0.05)),
    "sat": ((0, 0.05), (8, 0.08), (11, 0.34), (13.5, 0.58), (16, 0.56), (18, 0.26), (24, 0.05)),
    "sun": ((0, 0.05), (10, 0.08), (14, 0.30), (17, 0.20), (24, 0.05)),
}  # fmt: skip


@dataclass(frozen=True)
class Garage:
    """``scale`` stretches the profile; ``event`` is the share of capacity that a harbour concert adds."""

    slug: str
    name: str
    kind: str
    capacity: int
    place: tuple[float, float]
    profile: Profile
    scale: float = 1.0
    event: float = 0.0

    @property
    def thing(self) -> str:
        """The thing's id."""
        return f"garages.{self.slug}"

    @property
    def datastream(self) -> str:
        """The id of the occupancy."""
        return f"{self.thing}.{PROPERTY}"


GARAGES: Final = (
    Garage("centrum", "Garage Centrum", "shopping", 480, (-95, 270), SHOPPING, 1.03, 0.10),
    Garage("markt", "Marktgarage", "shopping", 320, (230, -290), SHOPPING, 0.86, 0.12),
    Garage("winkelhof", "Garage Winkelhof", "shopping", 410, (470, 420), SHOPPING, 0.82),
    Garage("theater", "Theatergarage", "theatre", 260, (-520, 60), THEATRE),
    Garage("station", "Garage Stationsplein", "station", 900, (-610, -560), STATION),
    Garage("haven", "Garage Havenkade", "leisure", 230, (430, -940), SHOPPING, 0.62, 0.50),
    Garage("ziekenhuis", "Ziekenhuisgarage", "hospital", 650, (1560, -560), HOSPITAL),
    Garage("nachtwachtlaan", "Garage Nachtwachtlaan", "office", 520, (1440, 420), OFFICE),
    Garage("pr-noord", "P+R Noord", "park-and-ride", 720, (-625, 2090), HUB, 1.0, 0.18),
)


def occupancy(seed: int, stream: Ints, time: Ints) -> Floats:
    """Parked vehicles in garage number ``stream`` at ``time`` (µs UTC), before the sensor's faults."""
    result = np.empty(len(time))
    for number in np.unique(stream).tolist():
        chosen = stream == number
        result[chosen] = _occupancy(seed, GARAGES[number], time[chosen])
    return result


def _occupancy(seed: int, garage: Garage, time: Ints) -> Floats:
    """Demand as share of capacity, cut off where the garage is full (cars then queue or leave)."""
    day, minute = local(time)
    # Day effects fade out at midnight, so that one day passes into the next without a jump.
    awake = np.sin(np.pi * minute / 1440.0)
    shift = 10.0 * noise.drifting(noise.key(seed, f"{garage.thing}/shift"), day) * awake
    night = garage.profile["day"][0][1]
    above = level(garage.profile, day, np.clip(minute - shift, 0.0, 1440.0)) - night
    busy = 1.0 + 0.055 * noise.drifting(noise.key(seed, f"{garage.thing}/day"), day)
    demand = night + above * garage.scale * busy
    demand += garage.event * is_event(seed, day) * between(minute, 19 * 60, 22.5 * 60, 75.0)
    minutes = time / MINUTE
    demand += 0.012 * noise.smooth(noise.key(seed, f"{garage.thing}/half-hour"), minutes / 30.0)
    demand += 0.003 * noise.smooth(noise.key(seed, f"{garage.thing}/minute"), minutes / 2.0)
    # A full garage still turns over: a few places are free while one car leaves and the next drives in.
    turnover = 0.012 * noise.uniform(noise.key(seed, f"{garage.thing}/turnover"), time // STEP)
    return np.asarray(np.round(np.clip(demand, 0.0, 1.0 - turnover) * garage.capacity))


def features() -> list[Feature]:
    """A ``parking`` feature and the ``datastream`` of its occupancy, for each garage."""
    found = []
    for garage in GARAGES:
        geometry = geojson(Point(garage.place))
        shared: dict[str, Any] = {"capacity": garage.capacity, "use": garage.kind}
        found.append(Feature(garage.thing, "parking", garage.name, geometry, dict(shared)))
        properties = {
            **shared,
            "thing": garage.thing,
            "observed_property": PROPERTY,
            "unit": UNIT,
            "minimum": 0,
            "maximum": garage.capacity,
            "maximum_step": round(0.08 * garage.capacity),
            "interval_s": STEP // 1_000_000,
        }
        found.append(Feature(garage.datastream, "datastream", garage.name, geometry, properties))
    return found
