"""Positions of a log that was lost: they lie behind the end of the log that took its place."""

from __future__ import annotations

import logging
from collections.abc import Mapping

from dmi_infra.bus.port import Partition


def warn_of_loss(log: logging.Logger, lost: Mapping[Partition, int]) -> None:
    """One line about all partitions (with the positions that were kept of them) that are read from their start."""
    named = ", ".join(f"{topic}/{number} (not from {at})" for (topic, number), at in sorted(lost.items()))
    log.warning("the bus has lost messages; read from the start: %s", named)
