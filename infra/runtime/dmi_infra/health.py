"""What a readiness check says: nothing when all is well, else what is wrong; or what is remarkable and yet well."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Protocol


class Well(str):
    """The answer of a check that is well, with a line about why that is so."""

    __slots__ = ()


class Check(Protocol):
    """A readiness check: ``None`` or ``Well`` when well, else what is wrong, in one line."""

    def __call__(self) -> str | None: ...


def is_well(answers: Mapping[str, str | None]) -> bool:
    """Whether every check is well."""
    return all(answer is None or isinstance(answer, Well) for answer in answers.values())


def told(answer: str | None) -> str:
    """An answer in words: ``ok`` when all is well."""
    if answer is None:
        return "ok"
    return f"ok: {answer}" if isinstance(answer, Well) else answer
