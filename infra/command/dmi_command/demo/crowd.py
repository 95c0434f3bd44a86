"""Ten counters of passers-by in the streets of the centre, with the width and capacity of their street."""

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
from dmi_command.demo.profiles import Profile, between, is_event, is_market, level

STEP: Final = MINUTE
PROPERTY: Final = "crowd_count"
UNIT: Final = "{person}"

FLOW_PER_METRE: Final = {"A": 23.0, "B": 33.0, "C": 49.0, "D": 66.0, "E": 82.0}
"""Most persons a minute per metre of effective width at each level of service on a walkway; beyond E it is F.

J.J. Fruin, Pedestrian Planning and Design (1971): 7, 10, 15, 20 and 25 persons a minute per foot."""

SHOPS: Final[Profile] = {
    "day": ((0, 0.03), (5, 0.01), (8, 0.10), (10, 0.28), (12.5, 0.52), (15, 0.58), (17.5, 0.50),
            (19, 0.24), (22, 0.12), (24, 0.03)),
    "thu": ((0, 0.03), (5, 0.01), (8, 0.10), (10, 0.28), (12.5, 0.52), (15, 0.58), (18, 0.56), (20, 0.60),
            (21.5, 0.26), (24, 0.03)),
    "sat": ((0, 0.03), (5, 0.02), (8, 0.12), (10, 0.42), (12.5, 0.86), (14.5, 1.00), (16.5, 0.94),
            (18, 0.52), (20, 0.30), (22, 0.20), (24, 0.03)),
    "sun": ((0, 0.03), (6, 0.02), (10, 0.10), (12.5, 0.48), (15, 0.66), (17, 0.46), (19, 0.20),
            (24, 0.03)),
}  # fmt: skip
TRAVEL: Final[Profile] = {
    "day": ((0, 0.04), (4, 0.01), (6, 0.18), (8, 1.00), (9.25, 0.52), (12, 0.34), (15.5, 0.46),
            (17.25, 0.96), (19, 0.44), (22, 0.18), (24, 0.04)),
    "sat": ((0, 0.04), (4, 0.02), (8, 0.16), (12, 0.50), (15, 0.56), (18, 0.46), (22, 0.26), (24, 0.04)),
    "sun": ((0, 0.04), (4, 0.02), (9, 0.12), (13, 0.40), (18, 0.50), (22, 0.20), (24, 0.04)),
}  # fmt: skip
EVENING: Final[Profile] = {
    "day": ((0, 0.10), (3, 0.02), (9, 0.06), (13, 0.24), (17, 0.34), (19.5, 0.66), (20.25, 0.46),
            (22.5, 0.62), (24, 0.10)),
    "fri": ((0, 0.10), (3, 0.02), (9, 0.06), (13, 0.26), (17, 0.46), (20, 0.84), (22.5, 0.96),
            (24, 0.10)),
    "sat": ((0, 0.10), (3, 0.04), (10, 0.08), (14, 0.44), (17, 0.54), (20, 0.92), (22.5, 1.00),
            (24, 0.10)),
}  # fmt: skip
LEISURE: Final[Profile] = {
    "day": ((0, 0.01), (6, 0.03), (9, 0.16), (12.5, 0.36), (15, 0.32), (18.5, 0.40), (21, 0.12),
            (24, 0.01)),
    "sat": ((0, 0.01), (7, 0.04), (11, 0.46), (15, 0.78), (18, 0.44), (21, 0.14), (24, 0.01)),
    "sun": ((0, 0.01), (7, 0.04), (11, 0.52), (15, 1.00), (17.5, 0.54), (20, 0.14), (24, 0.01)),
}  # fmt: skip


@dataclass(frozen=True)
class Counter:
    """``peak`` is the flow at level 1 (persons a minute, both ways); ``market`` and ``event`` multiply it."""

    slug: str
    name: str
    effective_width: float
    peak: float
    place: tuple[float, float]
    profile: Profile
    market: float = 1.0
    event: float = 1.0
    keeper: str = "urn:dmi:participant:gemeente"

    @property
    def thing(self) -> str:
        """The thing's id."""
        return f"crowd.{self.slug}"

    @property
    def datastream(self) -> str:
        """The id of the count."""
        return f"{self.thing}.{PROPERTY}"

    def capacities(self) -> dict[str, float]:
        """The most persons a minute at each level of service: flow per metre times effective width."""
        return {name: round(flow * self.effective_width, 1) for name, flow in FLOW_PER_METRE.items()}


_VENDOR = "urn:dmi:participant:sensorbedrijf"

COUNTERS: Final = (
    Counter("marktplein", "Marktplein noordzijde", 7.2, 330, (40, 60), SHOPS, market=1.55),
    Counter("langestraat", "Langestraat ter hoogte van 41", 4.2, 265, (150, 190), SHOPS, market=1.15),
    Counter("korte-brugsteeg", "Korte Brugsteeg", 2.4, 120, (-60, -170), SHOPS, market=1.35),
    Counter("kerkstraat", "Kerkstraat bij de toren", 3.4, 150, (-190, 110), SHOPS, market=1.20),
    Counter("winkelhof", "Winkelhof hoofdingang", 5.6, 290, (500, 350), SHOPS),
    Counter("stationsplein", "Stationsplein uitgang centrum", 6.5, 370, (-520, -620), TRAVEL, keeper=_VENDOR),
    Counter("stationstunnel", "Stationstunnel", 4.0, 230, (-640, -690), TRAVEL, keeper=_VENDOR),
    Counter("theaterpassage", "Theaterpassage", 3.0, 140, (-430, 30), EVENING),
    Counter(
        "havenkade", "Havenkade bij de loswal", 6.0, 160, (350, -1010), EVENING, event=2.7, keeper=_VENDOR
    ),
    Counter("stadspark", "Stadspark oostelijke laan", 4.5, 120, (720, 1180), LEISURE),
)


def counts(seed: int, stream: Ints, time: Ints) -> Floats:
    """Persons passing counter number ``stream`` in the minute up to ``time`` (µs UTC), both directions."""
    result = np.empty(len(time))
    for number in np.unique(stream).tolist():
        chosen = stream == number
        result[chosen] = _counts(seed, COUNTERS[number], time[chosen])
    return result


def _counts(seed: int, counter: Counter, time: Ints) -> Floats:
    """The expected flow with the scatter of independent passers-by (the normal form of a Poisson count)."""
    day, minute = local(time)
    flow = counter.peak * level(counter.profile, day, minute)
    flow *= np.exp(0.10 * noise.drifting(noise.key(seed, f"{counter.thing}/day"), day))
    flow *= 1.0 + (counter.market - 1.0) * is_market(day) * between(minute, 9 * 60, 16.5 * 60)
    flow *= 1.0 + (counter.event - 1.0) * is_event(seed, day) * between(minute, 18.5 * 60, 23 * 60)
    flow *= np.exp(0.12 * noise.smooth(noise.key(seed, f"{counter.thing}/waves"), time / (8.0 * MINUTE)))
    scatter = noise.normal(noise.key(seed, f"{counter.thing}/scatter"), time // STEP)
    most = counter.capacities()["E"]
    return np.asarray(np.clip(np.round(flow + np.sqrt(flow) * scatter), 0.0, np.floor(most)))


def features() -> list[Feature]:
    """A ``thing`` and the ``datastream`` of its count, for each counter."""
    found = []
    for counter in COUNTERS:
        geometry = geojson(Point(counter.place))
        shared: dict[str, Any] = {
            "effective_width": counter.effective_width,
            "capacity": counter.capacities()["E"],
            "los_capacity": counter.capacities(),
            "keeper": counter.keeper,
        }
        found.append(Feature(counter.thing, "thing", counter.name, geometry, dict(shared)))
        properties = {
            **shared,
            "thing": counter.thing,
            "observed_property": PROPERTY,
            "unit": UNIT,
            "direction": "both",
            "interval_s": STEP // 1_000_000,
            "minimum": 0,
            "maximum": round(1.2 * counter.capacities()["E"]),
        }
        found.append(Feature(counter.datastream, "datastream", counter.name, geometry, properties))
    return found
