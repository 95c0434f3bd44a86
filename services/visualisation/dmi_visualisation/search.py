"""Finds places by name: neighbourhoods, areas, streets, stops, addresses and sensors."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Collection, Iterable
from typing import Final

from dmi_agreements.contracts.features import Feature
from dmi_visualisation.model import thing_name

FOUND: Final = ("neighbourhood", "area", "line", "stop", "address", "datastream")
"""Kinds that can be found; where names are alike, the earlier ones come first."""
_START = 2
_WORD = re.compile(r"[^\W_]+")
_NUMBER = re.compile(r"(\d+)")


def folded(text: str) -> str:
    """Lower case without accents, so that "Zürich" is found as "zurich"."""
    apart = unicodedata.normalize("NFKD", text.casefold())
    return "".join(letter for letter in apart if not unicodedata.combining(letter))


def words(text: str) -> list[str]:
    """The words of a text, folded."""
    return _WORD.findall(folded(text))


def name_of(feature: Feature) -> str:
    """The name that people know; a datastream's is that of its thing."""
    if feature.kind == "datastream":
        return thing_name(feature.name, str(feature.properties.get("observed_property", "")))
    return feature.name


class Gazetteer:
    """Names of places by dataset. Whoever writes to it holds the lock of the live map."""

    def __init__(self) -> None:
        self._names: dict[tuple[str, str], tuple[str, list[str]]] = {}
        self._by_start: dict[str, set[tuple[str, str]]] = {}

    def add(self, dataset: str, feature: Feature) -> None:
        """Take in a place, or its new name."""
        if feature.kind not in FOUND:
            return
        key = (dataset, feature.id)
        known = self._names.get(key)
        name = name_of(feature)
        if known is not None:
            if known[0] == name:
                return
            for word in known[1]:
                self._by_start[word[:_START]].discard(key)
        self._names[key] = (name, words(name))
        for word in self._names[key][1]:
            self._by_start.setdefault(word[:_START], set()).add(key)

    def find(self, text: str, datasets: Collection[str]) -> list[tuple[str, str]]:
        """Dataset and id of every place of ``datasets`` in whose name each word of ``text`` begins a word."""
        wanted = words(text)
        if not wanted:
            return []
        # The start of a word narrows the search; a single letter is looked for among all.
        sets = [
            self._by_start.get(word, set()) for word in (w[:_START] for w in wanted) if len(word) == _START
        ]
        candidates: Collection[tuple[str, str]] = min(sets, key=len) if sets else self._names.keys()
        return [
            key
            for key in list(candidates)
            if key[0] in datasets and all(_begins(one, self._names[key][1]) for one in wanted)
        ]


def _begins(wanted: str, name: Iterable[str]) -> bool:
    return any(word.startswith(wanted) for word in name)


def rank(text: str, feature: Feature) -> tuple[int, int, list[object]]:
    """Whole names first, then names that begin so, then the rest; numbers in a name count as numbers."""
    wanted, name = folded(text).strip(), folded(name_of(feature))
    likeness = 0 if name == wanted else 1 if name.startswith(wanted) else 2
    natural = [(0, int(part)) if part.isdecimal() else (1, part) for part in _NUMBER.split(name) if part]
    return likeness, FOUND.index(feature.kind), [*natural]
