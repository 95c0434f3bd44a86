"""What falls under what: hierarchies given as data, language tags by their prefixes, and what nobody named.

A hierarchy of the project names everything above what it names, but not everything below it: below any name there
may be more. Two names in it without a common name below them have nothing in common (siblings are disjoint). A
hierarchy of somebody else says what falls under what, and not what does not: its siblings may have all in common.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from dmi_exchange.review.conflicts.values import Name


@dataclass(frozen=True, slots=True)
class Other:
    """Something without a name of its own: below ``under`` and what that is below, or below nothing named."""

    under: Name | None = None


Point = Name | Other
"""One value that a request can have where a name stands."""


class Order:
    """Names (IRIs) with their direct parents; all that a name falls under is known of those in ``closed`` alone.

    ``strict``: each name falls under nothing but what is named, as with assets and parties.
    """

    def __init__(
        self, parents: Mapping[str, Iterable[str]], closed: Iterable[str] = (), strict: bool = False
    ) -> None:
        self.parents = {child: frozenset(above) - {child} for child, above in parents.items()}
        self.closed = frozenset(closed)
        self.strict = strict
        self._above: dict[str, frozenset[str]] = {}
        self._below: dict[str, frozenset[str]] = {}
        self.children: dict[str, set[str]] = {}
        for child, above in self.parents.items():
            for parent in above:
                self.children.setdefault(parent, set()).add(child)

    def knows(self, name: Name) -> bool:
        """Whether all that ``name`` falls under is known."""
        return name.kind == "tag" or (name.kind == "iri" and (self.strict or name.text in self.closed))

    def under(self, one: Point, other: Point) -> bool | None:
        """Whether ``one`` is ``other`` or falls under it; ``None`` when that is not known."""
        if one == other:
            return True
        if isinstance(other, Other):
            return False if isinstance(one, Other) or self.knows(one) else None
        if isinstance(one, Other):
            return one.under is not None and self.under(one.under, other)
        if one.kind == other.kind == "tag":
            return one.text.startswith(other.text + "-")
        if one.kind == other.kind == "iri":
            if other.text in self.above(one.text):
                return True
            return False if self.knows(one) else None
        return None

    def around(self, names: Iterable[Name]) -> list[Point]:
        """Enough values to tell apart whatever can be asked about ``names``: what was named comes first."""
        asked = list(dict.fromkeys(names))
        texts = frozenset(one.text for one in asked if one.kind == "iri")
        found: dict[object, Point] = {one: one for one in asked}
        for text in sorted(texts.union(*(self.above(one) | self.below(one) for one in texts))):
            # To the terms, names are alike that stand above and below the same names.
            over, under = self.above(text) & texts, self.below(text) & texts
            one = Name("iri", text, text)
            if text not in texts:
                found.setdefault((over, under), one)
            found.setdefault((over | ({text} & texts), "other"), Other(one))
        for tag in (one for one in asked if one.kind == "tag"):
            parts = tag.text.split("-")
            for length in range(1, len(parts) + 1):
                shorter = _shorter(tag, "-".join(parts[:length]))
                found.setdefault(shorter, shorter)
                found.setdefault((shorter, "other"), Other(shorter))
        return [*found.values(), Other()]

    def above(self, name: str) -> frozenset[str]:
        """All that ``name`` falls under, without itself."""
        if name not in self._above:
            self._above[name] = reach(name, self.parents)
        return self._above[name]

    def below(self, name: str) -> frozenset[str]:
        """All that is named below ``name``."""
        if name not in self._below:
            self._below[name] = reach(name, self.children)
        return self._below[name]


def _shorter(tag: Name, text: str) -> Name:
    spelt = tag.spelt
    if isinstance(spelt, str):
        return Name("tag", text, spelt[: len(spelt) - len(tag.text)] + text)
    return Name("tag", text, type(spelt)(text, spelt.datatype, spelt.language))


def merged(
    own: Iterable[Mapping[str, Iterable[str]]],
    foreign: Iterable[Mapping[str, Iterable[str]]] = (),
    strict: bool = False,
) -> Order:
    """One order of several hierarchies, each as names with their parents; those of others are ``foreign``."""
    parents: dict[str, set[str]] = {}
    own = tuple(own)
    for order in (*own, *foreign):
        for child, above in order.items():
            parents.setdefault(child, set()).update(above)
    return Order(parents, {child for order in own for child in order}, strict)


def reach(start: str, steps: Mapping[str, Iterable[str]]) -> frozenset[str]:
    """All that is reached from ``start``, without it; a circle ends where it began."""
    found: set[str] = set()
    waiting = [start]
    while waiting:
        for step in steps.get(waiting.pop(), ()):
            if step not in found:
                found.add(step)
                waiting.append(step)
    return frozenset(found - {start})
