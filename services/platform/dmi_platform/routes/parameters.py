"""Parameters that several routes take."""

from __future__ import annotations

from typing import Annotated

from fastapi import Query

from dmi_infra import clock
from dmi_infra.errors import InputRefused

From = Annotated[str | None, Query(alias="from", max_length=40, description="RFC 3339, inclusive")]
To = Annotated[str | None, Query(max_length=40, description="RFC 3339, exclusive")]
Page = Annotated[str | None, Query(max_length=2000, description="the next of an earlier page")]
DatasetId = Annotated[str, Query(min_length=1, max_length=200)]
AnyDataset = Annotated[str | None, Query(min_length=1, max_length=200)]


def moment(name: str, text: str | None, default: int) -> int:
    """A time in microseconds; raises ``InputRefused`` with the rule that it breaks."""
    if text is None:
        return default
    try:
        return clock.from_text(text)
    except ValueError as exc:
        rule = str(exc) if str(exc).startswith("a time ") else "must be RFC 3339, as in 2026-11-21T12:00:00Z"
        raise InputRefused.of(name, rule, text) from exc


def span(begin: str | None, end: str | None) -> tuple[int, int]:
    """``from`` and ``to`` in microseconds; all times when neither is given."""
    first, last = moment("from", begin, clock.EARLIEST), moment("to", end, clock.LATEST)
    if first >= last:
        raise InputRefused.of("to", "must lie after from", end or "")
    return first, last
