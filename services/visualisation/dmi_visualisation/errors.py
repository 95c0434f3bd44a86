"""Failures particular to visualisation."""

from __future__ import annotations

from dmi_infra.errors import Unavailable


class TooManyStreams(Unavailable):
    """More live streams than this process serves at once."""
