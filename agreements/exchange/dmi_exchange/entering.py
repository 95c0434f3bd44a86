"""What the catalogue tells of the law: datasets, and which of them everyone may have; kept up as both change."""

from __future__ import annotations

from collections.abc import Collection
from typing import Final

import msgspec
import sqlalchemy as sa

from dmi_agreements.contracts.law import AgreementState, Dataset
from dmi_agreements.decision import EVERYONE
from dmi_agreements.errors import PolicyRefused
from dmi_agreements.policy.terms import AgreementTerms
from dmi_exchange import model
from dmi_exchange.catalogue.index import put
from dmi_exchange.catalogue.model import of_dataset
from dmi_exchange.tables import catalogue_entry, law
from dmi_exchange.transactions.meter import Read
from dmi_infra.errors import Conflict, InputRefused
from dmi_infra.sql import among

KEEPS_LICENCE: Final = "data that is open to everyone keeps a licence"
NEEDS_LICENCE: Final = "data for everyone needs a licence in its entry, for example CC0-1.0"


class Entering:
    """Enters datasets into the catalogue, in the transactions that change the law.

    ``read`` gives the terms of an agreement, since what it lets everyone do is told by them alone: its document may say
    it in many ways. Without it no dataset is open.
    """

    def __init__(self, read: Read | None = None) -> None:
        self._read = read
        self._known: dict[tuple[str, ...], frozenset[str]] = {}
        """By agreement and signatures, under which its document never changes."""

    def changed(self, connection: sa.Connection, before: object, after: object) -> None:
        """Let the catalogue tell a change of the law: of a dataset, or of what everyone may have."""
        if isinstance(after, Dataset):
            unlicensed = self.enter(connection, [after.id])
            if unlicensed and isinstance(before, Dataset) and before.licence:
                raise Conflict.of("licence", KEEPS_LICENCE)
        elif isinstance(after, AgreementState) and model.is_open_data(after):
            ran, runs = (
                isinstance(each, AgreementState) and each.state == "active" for each in (before, after)
            )
            # Nothing but its beginning and its end opens or closes anything.
            if ran != runs:
                unlicensed = self.enter(connection, self._opens(after))
                if runs and unlicensed:
                    raise InputRefused.of("licence", NEEDS_LICENCE, unlicensed[0])

    def enter(self, connection: sa.Connection, datasets: Collection[str]) -> list[str]:
        """Enter those of these ids that are datasets, as law and agreements stand.

        Agreements are read once for all of them: this happens in the one transaction that may write. Returns those that
        everyone may have without a licence, for whoever opens them or takes their licence away at the same moment.
        """
        wanted = {"wanted": sorted(set(datasets))}
        dialect = connection.dialect.name
        # Held from before they are read, so that of two changes at once the later tells both.
        held = sa.select(catalogue_entry.c.id).where(among(catalogue_entry.c.id, "wanted", dialect))
        connection.execute(held.order_by(catalogue_entry.c.id).with_for_update(), wanted).all()
        query = sa.select(law.c.body).where(law.c.type == "dataset", among(law.c.id, "wanted", dialect))
        bodies = connection.execute(query.order_by(law.c.id), wanted).scalars().all()
        found = [msgspec.json.decode(body, type=Dataset) for body in bodies]
        given = self.opened(connection, {dataset.owner for dataset in found})
        for dataset in found:
            put(connection, of_dataset(dataset, dataset.id in given))
        return [dataset.id for dataset in found if dataset.id in given and not dataset.licence]

    def opened(self, connection: sa.Connection, owners: Collection[str]) -> frozenset[str]:
        """The datasets of these owners that everyone may have, by agreements that run."""
        query = sa.select(law.c.body).where(
            law.c.type == "agreement",
            law.c.party_b == EVERYONE,
            # A sieve alone: what stands in a document may look like it.
            law.c.body.contains('"state":"active"', autoescape=True),
            among(law.c.party_a, "owners", connection.dialect.name),
        )
        bodies = connection.execute(query, {"owners": sorted(owners)}).scalars()
        states = (msgspec.json.decode(body, type=AgreementState) for body in bodies)
        return frozenset(name for state in states if state.state == "active" for name in self._opens(state))

    def _opens(self, state: AgreementState) -> frozenset[str]:
        # What is stored under an id may yet be rolled back, and another document come under it.
        key = (state.id, *sorted(state.signatures.values()))
        known = self._known.get(key)
        if known is None and self._read is not None:
            try:
                known = self._known[key] = opened(self._read(state))
            except PolicyRefused:
                return frozenset()  # The gate lets nobody read under it either.
        return known or frozenset()


def opened(terms: AgreementTerms) -> frozenset[str]:
    """The datasets that a permission lets be used, and not a sample of them alone."""
    whole = (rule for rule in terms.permissions if set(rule.actions) - {"dmi:sample"})
    return frozenset(target for rule in whole for target in rule.targets)
