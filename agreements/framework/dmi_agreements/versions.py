"""Versions of the rulebook side by side: each document is read under the one that it was made under."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from dmi_agreements.rulebook import Rulebook


class Rulebooks:
    """All versions that were ever adopted; the newest is the current one.

    One thread adopts, any number read: what they see is replaced, never changed.
    """

    def __init__(self, founding: Rulebook) -> None:
        self._by_version: Mapping[str, Rulebook] = MappingProxyType({founding.version: founding})
        self.current = founding
        self.adoptions = 0
        """How often a version was taken in: what was worked out by fewer is out of date."""

    def adopt(self, rulebook: Rulebook) -> None:
        """Take in a version; it becomes the current one when it is the newest."""
        self._by_version = MappingProxyType({**self._by_version, rulebook.version: rulebook})
        if number(rulebook.version) >= number(self.current.version):
            self.current = rulebook
        # After the change: who works something out meanwhile holds the old number.
        self.adoptions += 1

    def get(self, version: object) -> Rulebook | None:
        """One version, in force or not; ``None`` when it was never adopted here."""
        return self._by_version.get(version) if isinstance(version, str) else None

    def under(self, document: Mapping[str, object]) -> Rulebook:
        """The version that an agreement in force names; the current one when it names none that is known."""
        return self.get(document.get("dmi:rulebook")) or self.current

    def in_force(self, document: Mapping[str, object]) -> Rulebook:
        """The version that a new document names, when that is still in force; else the current one."""
        named = self.get(document.get("dmi:rulebook"))
        return named if named is not None and named.version in self.current.accepted else self.current

    def beside(self, rulebook: Rulebook) -> tuple[Rulebook, ...]:
        """The other versions in force, whose terms a request may name too."""
        return tuple(book for book in self._in_force() if book is not rulebook)

    def requestable(self) -> frozenset[str]:
        """The purposes that a request may name: those of every version in force."""
        return frozenset().union(*(book.requestable for book in self._in_force()))

    def actions(self) -> frozenset[str]:
        """The actions that a request may name: those of every version in force."""
        return frozenset().union(*(book.actions for book in self._in_force()))

    def known(self, purpose: str) -> bool:
        """Whether any version has this purpose."""
        return any(purpose in book.purposes for book in self._by_version.values())

    def overlap(self, one: str, other: str) -> bool:
        """Whether one of two purposes is the other, or lies below it in any version: a use may be for both."""
        return one == other or any(
            book.is_a(one, other) or book.is_a(other, one) for book in self._by_version.values()
        )

    def _in_force(self) -> list[Rulebook]:
        return [book for version, book in self._by_version.items() if version in self.current.accepted]


def number(version: str) -> tuple[int, ...]:
    """A version as numbers, so that 1.10.0 comes after 1.9.0; raises ``ValueError`` for another form."""
    return tuple(int(part) for part in version.split("."))
