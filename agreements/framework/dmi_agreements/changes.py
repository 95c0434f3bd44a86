"""What an event changed in the law table, and how its parts are looked at while they change."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import TypeVar

V = TypeVar("V")


@dataclass(frozen=True, slots=True)
class Change:
    """What an event changed: agreements and consents (ids) that came into force or ended, their datasets.

    ``changed`` is false when the table already knew the event or a later state.
    """

    kind: str
    id: str
    changed: bool
    started: tuple[str, ...] = ()
    ended: tuple[str, ...] = ()
    datasets: tuple[str, ...] = ()


class View(Mapping[str, V]):
    """A read-only view of a dictionary that may be gone through while it is written."""

    __slots__ = ("_data",)

    def __init__(self, data: dict[str, V]) -> None:
        self._data = data

    def __getitem__(self, key: str) -> V:
        return self._data[key]

    def __iter__(self) -> Iterator[str]:
        return iter(self._data.copy())

    def __len__(self) -> int:
        return len(self._data)
