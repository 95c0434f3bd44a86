"""The table of crossings: every border an observation passes, its topic and its parties.

The bus refuses a publisher or subscriber that this table does not name, and the
documentation and the AsyncAPI document are generated from it (design.md §2).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

SERVICES: Final = ("exchange", "ingest", "platform", "visualisation", "support-centre")


@dataclass(frozen=True, slots=True)
class Crossing:
    """One border: who writes, who reads, and the topic between them (``None``: no topic, HTTP only)."""

    name: str
    topic: str | None
    publishers: tuple[str, ...]
    subscribers: tuple[str, ...]
    action: str
    """The ODRL action that the gate asks for when a holder reads from this crossing."""
    compacted: bool = False
    about: str = ""

    @property
    def rejected_topic(self) -> str | None:
        """Where a message of this crossing goes that its reader cannot process."""
        return f"{self.topic}.rejected" if self.topic else None


CROSSINGS: Final[tuple[Crossing, ...]] = (
    Crossing(
        "intake",
        None,
        (),
        ("ingest",),
        "dmi:contribute",
        about="a source (sensor, registry, feed, person) hands data to ingest",
    ),
    Crossing(
        "raw",
        "dmi.observations.raw.v1",
        ("ingest",),
        ("platform",),
        "dmi:process",
        about="observations as they were received, in column batches",
    ),
    Crossing(
        "harmonised",
        "dmi.observations.harmonised.v1",
        ("platform",),
        ("exchange", "visualisation", "support-centre"),
        "dmi:read",
        about="observations in UCUM units, UTC and WGS84, flagged, with their neighbourhood",
    ),
    Crossing(
        "features",
        "dmi.features.v1",
        ("ingest", "platform"),
        SERVICES,
        "dmi:read",
        about="places and things: neighbourhoods, buildings, stops, sensors, datastreams",
    ),
    Crossing(
        "indicators",
        "dmi.indicators.v1",
        ("support-centre",),
        ("visualisation",),
        "dmi:read",
        about="results of analyses: forecasts, scenario runs, levels of service",
    ),
    Crossing(
        "measures",
        "dmi.measures.v1",
        ("support-centre",),
        ("visualisation",),
        "dmi:publish",
        about="advice and measures for the street, with approval and expiry",
    ),
    Crossing(
        "law",
        "dmi.agreements.v1",
        ("exchange",),
        SERVICES,
        "dmi:read",
        compacted=True,
        about="participants, datasets, agreements, consents, revocations, requests of persons, versions of the "
        "rulebook, counted uses, the heartbeat",
    ),
    Crossing(
        "record",
        "dmi.decisions.v1",
        SERVICES,
        ("exchange",),
        "dmi:read",
        about="every decision of every gate, and the lineage of every result",
    ),
)

BY_NAME: Final = {crossing.name: crossing for crossing in CROSSINGS}
BY_TOPIC: Final = {crossing.topic: crossing for crossing in CROSSINGS if crossing.topic}


class UnknownCrossing(LookupError):
    """A topic or party that the table of crossings does not name."""


def allowed_publisher(topic: str, service: str) -> Crossing:
    """The crossing of ``topic`` when ``service`` may write to it; its reader may write to the rejected topic."""
    base = topic.removesuffix(".rejected")
    crossing = BY_TOPIC.get(base)
    if crossing is None:
        raise UnknownCrossing(f"topic {topic!r} stands in no crossing")
    writers = crossing.subscribers if topic != base else crossing.publishers
    if service not in writers:
        raise UnknownCrossing(f"{service!r} may not publish to {topic!r}")
    return crossing


def allowed_subscriber(topic: str, service: str) -> Crossing:
    """The crossing of ``topic`` when ``service`` may read from it."""
    base = topic.removesuffix(".rejected")
    crossing = BY_TOPIC.get(base)
    if crossing is None:
        raise UnknownCrossing(f"topic {topic!r} stands in no crossing")
    if service not in crossing.subscribers:
        raise UnknownCrossing(f"{service!r} may not subscribe to {topic!r}")
    return crossing
