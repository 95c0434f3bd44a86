"""What ingest's own store and files hold of persons: rejected rows, and the files of imports that broke off."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence

import sqlalchemy as sa

from dmi_agreements.contracts.observations import Micros
from dmi_infra.sql import among, reading, transaction
from dmi_ingest.store.erasure import HISTORY, Erased, delete_history, erase_things
from dmi_ingest.store.tables import entity, feature, imported, reject

PAGE = 5_000
"""Rejected rows that are looked at together."""
_PART = re.compile("[a-z0-9]+|[^\\x00-\\x7f]")
"""What words are made of, in small letters."""
_ALONE = re.compile("[a-z0-9]")


def names(words: Iterable[str]) -> Callable[[str], bool]:
    """Whether a text names one of these words: it stands there whole, no letter or digit of ASCII next to it.

    Capitals are alike. A word without any letter or digit names nobody. A text is read once, however many words there
    are: whoever describes a person's things decides how many these are.
    """
    wanted = {word.lower() for word in words}
    # By its first part where that lies in a word, and how long the word is.
    begins: dict[str, set[tuple[int, int]]] = {}
    for word in wanted:
        if first := _PART.search(word):
            begins.setdefault(first[0], set()).add((first.start(), len(word)))

    def named(text: str) -> bool:
        text = text.lower()
        # Few texts hold any of these parts, which is told far faster than where.
        if begins.keys().isdisjoint(_PART.findall(text)):
            return False
        for part in _PART.finditer(text):
            for before, length in begins.get(part[0], ()):
                start = part.start() - before
                if start >= 0 and text[start : start + length] in wanted and _whole(text, start, length):
                    return True
        return False

    return named


def _whole(text: str, start: int, length: int) -> bool:
    around = text[max(start - 1, 0) : start] + text[start + length : start + length + 1]
    return _ALONE.search(around) is None


class PersonStore:
    """Finds and deletes rows of a person by the words that name it."""

    def __init__(self, engine: sa.Engine) -> None:
        self._engine = engine

    def features_of(self, dataset: str, person: str) -> list[str]:
        """The ids of the things and datastreams that are a person's."""
        query = sa.select(feature.c.id).where(feature.c.dataset == dataset, feature.c.subject == person)
        with reading(self._engine) as connection:
            return list(connection.execute(query).scalars())

    def erase_things(
        self, dataset: str, person: str, until: Micros, named: Callable[[str], bool] | None
    ) -> Erased:
        """As ``erasure.erase_things``, in one transaction with the outbox."""
        with transaction(self._engine) as connection:
            return erase_things(connection, dataset, person, until, named)

    def kept_datasets(self) -> list[str]:
        """The datasets in which times and places of Things are kept."""
        query = sa.select(entity.c.dataset).distinct().where(entity.c.kind == HISTORY)
        with reading(self._engine) as connection:
            return sorted(connection.execute(query).scalars())

    def delete_before(self, dataset: str, at: Micros) -> int:
        """As ``erasure.delete_history``."""
        with transaction(self._engine) as connection:
            return delete_history(connection, dataset, at)

    def imports(self, dataset: str, until: Micros) -> list[tuple[str, str]]:
        """Id and kind of the imports into a dataset that began by then."""
        query = sa.select(imported.c.id, imported.c.kind).where(
            imported.c.dataset == dataset, imported.c.started_at <= until
        )
        with reading(self._engine) as connection:
            return [(row.id, row.kind) for row in connection.execute(query)]

    def delete_rejects(self, identifier: str, mine: Callable[[str], bool], note: str) -> int:
        """Delete the rejected rows of an import that are somebody's; its counts stay, and ``note`` says why."""
        deleted, after = 0, 0
        columns = sa.select(reject.c.id, reject.c.field, reject.c.value, reject.c.raw)
        while True:
            query = columns.where(reject.c.import_id == identifier, reject.c.id > after)
            with reading(self._engine) as connection:
                rows = connection.execute(query.order_by(reject.c.id).limit(PAGE)).all()
            ids = [row.id for row in rows if mine(row.raw) or mine(row.value)]
            if ids:
                deleted += self._delete(identifier, ids, note)
            if len(rows) < PAGE:
                return deleted
            after = rows[-1].id

    def _delete(self, identifier: str, ids: Sequence[int], note: str) -> int:
        with transaction(self._engine) as connection:
            gone = sa.delete(reject).where(among(reject.c.id, "ids", connection.dialect.name))
            number = connection.execute(gone, {"ids": list(ids)}).rowcount
            told = sa.update(imported).where(imported.c.id == identifier, imported.c.detail == "")
            connection.execute(told.values(detail=note))
        return number
