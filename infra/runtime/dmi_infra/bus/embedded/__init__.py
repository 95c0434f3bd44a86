"""The embedded log: the bus of one machine, in one SQLite file."""

from dmi_infra.bus.embedded.bus import EmbeddedBus, open_embedded

__all__ = ["EmbeddedBus", "open_embedded"]
