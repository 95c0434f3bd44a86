"""The demonstration city Waterstad, deterministic by seed."""

from dmi_command.demo.city import HISTORY, City, build_city, expected_faults, history, live
from dmi_command.demo.story import agreements, participants

__all__ = [
    "HISTORY",
    "City",
    "agreements",
    "build_city",
    "expected_faults",
    "history",
    "live",
    "participants",
]
