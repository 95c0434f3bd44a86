"""Erases a person from what ingest keeps by itself, so that nothing of it is read back or replayed from there."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Final

from dmi_agreements.contracts.observations import Micros
from dmi_ingest.handing import Erased
from dmi_ingest.imports import Imports
from dmi_ingest.store.features import FeatureStore
from dmi_ingest.store.imports import Import
from dmi_ingest.store.persons import PersonStore, names

ROWS_DELETED: Final = "rejected rows of a person were deleted, as that person asked; the counts stayed"
FILES_DELETED: Final = "the files were deleted: they held rows of a person who asked for that; hand in others"
CHUNK: Final = 1 << 16
"""Bytes that are looked through at a time: all other threads wait for a millisecond."""
OVERLAP: Final = 400
"""Bytes behind a chunk that are read with it; more than any word that names a person has."""

REMEMBERED: Final = 1000
"""Imports of which it is remembered for whom they were looked through; those of before are looked through again."""


class Erasing:
    """What ``dmi_infra.exercising`` calls in this layer.

    ``persons``: how a kind of file begins the ids of persons. ``gone`` is told of datastreams that exist no longer.
    """

    def __init__(
        self,
        store: PersonStore,
        features: FeatureStore,
        imports: Imports,
        persons: Mapping[str, str],
        erased: Erased,
        gone: Callable[[Sequence[str]], None],
    ) -> None:
        self._erased = erased
        self._store = store
        self._features = features
        self._imports = imports
        self._persons = persons
        self._gone = gone
        self._looked: dict[str, tuple[Micros | None, frozenset[tuple[str, Micros]]]] = {}
        """Of imports that can be resumed when they ended, and for whom they were looked through since."""

    def erase(self, dataset: str, person: str, until: Micros) -> int:
        """Delete rejected rows of a person, files of broken-off imports that hold some, its things and their places.

        Answers how many rows, files, features and entities.
        """
        own = self._store.features_of(dataset, person)
        begins = f"{self._features.prefix(dataset)}."
        words = {person, *own, *(one.removeprefix(begins) for one in own)}
        words |= {one.removeprefix(begins).split(".", 1)[0] for one in own}
        done, numbers = 0, set[str]()
        lookups: dict[str, Callable[[str], bool]] = {}
        for identifier, kind in self._store.imports(dataset, until):
            start = self._persons.get(kind)
            more = {person.removeprefix(start)} if start and person.startswith(start) else set()
            numbers |= more
            if kind not in lookups:
                lookups[kind] = names(words | more)
            mine = lookups[kind]
            done += self._store.delete_rejects(identifier, mine, ROWS_DELETED)
            done += self._imports.give_up(identifier, partial(holds, mine), FILES_DELETED)
        named = partial(numbered, begins, numbers) if numbers else None
        ended = self._store.erase_things(dataset, person, until, named)
        self._gone(ended.streams)
        return done + ended.rows

    def again(self, ended: Import) -> None:
        """Erase from an import that ran, or waited to, while persons asked for it; for each of them once an end.

        One that can be resumed comes here in each round, and its files may be large.
        """
        erased = self._erased(ended.dataset).items()
        asked = frozenset((person, until) for person, until in erased if until >= ended.started_at)
        at, before = self._looked.pop(ended.id, (None, frozenset()))
        for person, until in asked - before if at == ended.ended_at else asked:
            self.erase(ended.dataset, person, until)
        if ended.resumable and asked:
            if len(self._looked) >= REMEMBERED:
                self._looked.clear()
            self._looked[ended.id] = ended.ended_at, asked


def numbered(begins: str, numbers: Collection[str], name: str) -> bool:
    """Whether a feature is a thing that a source called by one of these numbers alone, or one of its datastreams."""
    thing = name.removeprefix(begins).split(".", 1)[0]
    return thing.rpartition("-")[2] in numbers


def holds(mine: Callable[[str], bool], path: Path) -> bool:
    """Whether a file names somebody, in the letters that all encodings of the sources share.

    One that is deleted meanwhile names nobody.
    """
    try:
        with path.open("rb") as file:
            before, chunk = b"", file.read(CHUNK)
            while chunk:
                following = file.read(CHUNK)
                # A letter at a cut keeps what the cut has made shorter from being a word.
                behind = following[:OVERLAP] + b"x" * (len(following) > OVERLAP)
                if mine((before + chunk + behind).decode("latin-1")):
                    return True
                before, chunk = b"x" + chunk[-1:], following
    except FileNotFoundError:
        return False
    return False
