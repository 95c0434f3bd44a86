"""Query options (18-088 §9.3): $top, $skip, $count, $select and $expand of one level."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from dmi_infra.errors import InputRefused
from dmi_ingest.sensorthings.kinds import Kind

DEFAULT_TOP: Final = 100
GREATEST_TOP: Final = 1000
_OPTIONS: Final = ("$top", "$skip", "$count", "$select", "$expand")


@dataclass(frozen=True, slots=True)
class Query:
    """The options of one request; ``select`` ``None`` shows everything."""

    top: int = DEFAULT_TOP
    skip: int = 0
    count: bool = False
    select: frozenset[str] | None = None
    expand: tuple[str, ...] = ()


def parse(options: Mapping[str, str], kind: Kind) -> Query:
    """The options for a collection or entity of this kind; what cannot be honoured is refused."""
    for name in options:
        if name not in _OPTIONS:
            raise InputRefused.of(name[:60], f"is not supported here; supported: {', '.join(_OPTIONS)}")
    return Query(
        top=min(_whole(options.get("$top", str(DEFAULT_TOP)), "$top"), GREATEST_TOP),
        skip=_whole(options.get("$skip", "0"), "$skip"),
        count=_truth(options.get("$count", "false")),
        select=_select(options.get("$select"), kind),
        expand=_expand(options.get("$expand"), kind),
    )


def _whole(text: str, field: str) -> int:
    if not (text.isascii() and text.isdigit() and len(text) <= 9):
        raise InputRefused.of(field, "must be a whole number of 0 or more", text)
    return int(text)


def _truth(text: str) -> bool:
    if text not in ("true", "false"):
        raise InputRefused.of("$count", "must be true or false", text)
    return text == "true"


def _select(text: str | None, kind: Kind) -> frozenset[str] | None:
    if text is None:
        return None
    names = [part.strip() for part in text.split(",")]
    for name in names:
        if name not in kind.properties and name not in kind.navigations and name not in ("id", "@iot.id"):
            raise InputRefused.of("$select", f"{name!r:.60} is no property of {kind.single}")
    return frozenset(names)


def _expand(text: str | None, kind: Kind) -> tuple[str, ...]:
    if text is None:
        return ()
    names = [part.strip() for part in text.split(",")]
    for name in names:
        if "/" in name or "(" in name:
            raise InputRefused.of("$expand", "goes one level deep here, without options of its own", name)
        if name not in kind.navigations:
            raise InputRefused.of("$expand", f"{name!r:.60} is no navigation of {kind.single}")
    return tuple(dict.fromkeys(names))
