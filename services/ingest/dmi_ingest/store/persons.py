"""What ingest's own store and files hold of persons: rejected rows, and the files of imports that broke off."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence

import sqlalchemy as sa

from dmi_agreements.contracts.observations import Micros
from dmi_infra.sql import among, reading, transaction
from dmi_ingest.store.erasure import HISTORY, Erased, delete_history, erase_things
from dmi_ingest.store.tables import entity, feature, imported, reject

PAGE = 5_000
"""Rejected rows that are looked at together."""


def names(words: Sequence[str]) -> Callable[[str], bool]:
    """Whether a text names one of these words, not as a part of a longer one."""
    pattern = "|".join(re.escape(word) for word in sorted(words, key=len, reverse=True))
    found = re.compile(rf"(?<![A-Za-z0-9])(?:{pattern})(?![A-Za-z0-9])", re.IGNORECASE)
    return lambda text: found.search(text) is not None


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
