"""Rules of topics that both adapters follow, from the table of crossings."""

from __future__ import annotations

from dmi_agreements import crossings

ONE_SEQUENCE = ("law", "record")
"""Crossings whose messages stand in one order, so in one partition."""


def all_topics() -> list[str]:
    """Every topic of the table of crossings, each followed by its rejected topic."""
    return [f"{topic}{suffix}" for topic in crossings.BY_TOPIC for suffix in ("", ".rejected")]


def is_compacted(topic: str) -> bool:
    """Only a crossing's own topic is compacted; its rejected messages are all kept."""
    crossing = crossings.BY_TOPIC.get(topic)
    return crossing is not None and crossing.compacted


def is_spread(topic: str) -> bool:
    """Whether a topic may have several partitions."""
    crossing = crossings.BY_TOPIC.get(topic.removesuffix(".rejected"))
    return crossing is not None and crossing.name not in ONE_SEQUENCE
