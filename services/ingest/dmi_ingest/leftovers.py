"""How long ingest keeps what imports left over: rejected rows, and the files of those that broke off."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from dmi_agreements.contracts.observations import Micros
from dmi_infra import clock
from dmi_ingest.imports import AboutPersons, Imports
from dmi_ingest.store.imports import ImportStore

FILES_PAST_TERM: Final = "the files were deleted after the term for which they are kept: hand them in again"


class Leftovers:
    """What ``dmi_infra.retention`` deletes of imports. Counts, reasons and the places of rejected rows stay."""

    def __init__(self, store: ImportStore, imports: Imports, about_persons: AboutPersons) -> None:
        self._store = store
        self._imports = imports
        self._about_persons = about_persons

    def kept_datasets(self) -> Iterable[str]:
        """The datasets of which rejected rows or files may be kept, once those of who asked for it are erased."""
        self._imports.sweep()
        return sorted({dataset for dataset, _ in self._store.leftovers()})

    def delete_before(self, dataset: str, at: Micros) -> int:
        """Delete what is from imports of before a moment; of data about persons rejected rows of any time.

        Of these nothing is kept from the first; earlier versions did, and a dataset may have become one about persons.
        """
        gone = 0
        for kind in sorted({kind for named, kind in self._store.leftovers() if named == dataset}):
            before = clock.now() if self._about_persons(dataset, kind) else at
            gone += self._store.forget_before(dataset, kind, before)
        for identifier in self._store.broken_off(dataset, at):
            gone += self._imports.give_up(identifier, lambda _: True, FILES_PAST_TERM)
        return gone
