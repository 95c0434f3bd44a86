"""What another node, or a program of an agreed party, gets of a dataset: by HTTP, by events, by a topic of its own."""

from __future__ import annotations

from typing import Any

import msgspec


class Delivered(msgspec.Struct, frozen=True):
    """One piece: places that the reader does not know yet, rows, and the position behind both.

    ``observations`` are columns as ingest takes them: ``dataset``, and lists of one length ``datastream``,
    ``phenomenon_time`` (microseconds since 1970, UTC) and ``result``; ``longitude``, ``latitude`` (WGS84 degrees) and
    ``source_id`` where there are any.
    """

    features: list[dict[str, Any]]
    observations: dict[str, Any] | None
    cursor: str
