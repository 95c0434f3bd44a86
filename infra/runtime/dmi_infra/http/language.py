"""In which language a request is answered where people read the answer: Dutch or English (RFC 9110 §12.5.4)."""

from __future__ import annotations

from contextvars import ContextVar
from typing import Final, Literal

Language = Literal["nl", "en"]
LANGUAGES: Final[tuple[Language, ...]] = ("en", "nl")
"""The first is given to who asks for none."""

current_language: ContextVar[Language] = ContextVar("current_language", default="en")
LONGEST: Final = 500
"""Characters of the header that are read; browsers send some dozens."""


def preferred(header: str) -> Language:
    """The language that ``Accept-Language`` likes best; English where it likes both alike, or neither."""
    wishes: dict[str, float] = {}
    for part in header[:LONGEST].split(","):
        name, _, rest = part.strip().partition(";")
        weight = _weight(rest)
        tag = name.strip().lower().partition("-")[0]
        wishes[tag] = max(weight, wishes.get(tag, 0.0))
    return max(LANGUAGES, key=lambda one: wishes.get(one, wishes.get("*", 0.0)))


def _weight(parameter: str) -> float:
    name, _, value = parameter.strip().partition("=")
    if name.strip().lower() != "q":
        return 1.0
    try:
        return min(max(float(value), 0.0), 1.0)
    except ValueError:
        return 0.0
