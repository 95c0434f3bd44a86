"""Failures particular to the platform, on top of ``dmi_infra.errors``."""

from __future__ import annotations

from dmi_infra.errors import Conflict, Unavailable


class UnknownUnit(ValueError):
    """A UCUM unit that cannot be converted to the unit of its observed property."""


class NotReplayable(Conflict):
    """A reject that was replayed already, or that no replay can make readable."""

    code = "not-replayable"


class TooManyExports(Unavailable):
    """More exports than this process makes at once."""
