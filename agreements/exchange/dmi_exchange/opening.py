"""Whether everyone may have a dataset, as the catalogue tells it: kept up as datasets and agreements change."""

from __future__ import annotations

from collections.abc import Collection

import msgspec
import sqlalchemy as sa

from dmi_agreements.contracts.law import AgreementState, Dataset
from dmi_agreements.decision import EVERYONE
from dmi_exchange import model
from dmi_exchange.catalogue.index import put
from dmi_exchange.catalogue.model import of_dataset
from dmi_exchange.tables import catalogue_entry, law
from dmi_infra.sql import among


def changed(connection: sa.Connection, before: object, after: object) -> None:
    """Let the catalogue tell a change of the law: of a dataset, or of what everyone may have."""
    if isinstance(after, Dataset):
        enter(connection, [after.id])
    elif isinstance(after, AgreementState) and model.is_open_data(after):
        ran = isinstance(before, AgreementState) and before.state == "active"
        # What is signed never changes: nothing but its beginning and its end opens or closes anything.
        if ran != (after.state == "active"):
            enter(connection, model.targets(after.document))


def enter(connection: sa.Connection, datasets: Collection[str]) -> None:
    """Enter those of these ids that are datasets, as law and agreements stand.

    Agreements are read once for all of them: this happens in the one transaction that may write.
    """
    wanted = {"wanted": sorted(set(datasets))}
    dialect = connection.dialect.name
    # Held from before they are read, so that of two changes at once the later tells both.
    held = sa.select(catalogue_entry.c.id).where(among(catalogue_entry.c.id, "wanted", dialect))
    connection.execute(held.order_by(catalogue_entry.c.id).with_for_update(), wanted).all()
    query = sa.select(law.c.body).where(law.c.type == "dataset", among(law.c.id, "wanted", dialect))
    bodies = connection.execute(query.order_by(law.c.id), wanted).scalars().all()
    found = [msgspec.json.decode(body, type=Dataset) for body in bodies]
    given = opened(connection, {dataset.owner for dataset in found})
    for dataset in found:
        put(connection, of_dataset(dataset, dataset.id in given))


def opened(connection: sa.Connection, owners: Collection[str]) -> frozenset[str]:
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
    return frozenset(
        name for state in states if state.state == "active" for name in model.readable(state.document)
    )
