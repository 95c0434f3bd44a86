"""Places and things as a layer behind the platform keeps them: of each the newest version alone."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Final

import msgspec
import sqlalchemy as sa

from dmi_agreements.contracts.features import Feature
from dmi_infra.sql import among, upsert

_CHANGED: Final = ("dataset", "kind", "valid_from", "body")


def follows(feature: Feature, known: Feature | None) -> bool:
    """Whether a version that comes takes the place of the one that is known."""
    return known is None or feature.replaces_all or (feature.valid_from or 0) >= (known.valid_from or 0)


def takes_away(feature: Feature) -> bool:
    """Whether a version only takes away what is kept of its id, so that no right to hold it is asked for."""
    return feature.replaces_all and feature.geometry is None


def keep_newest(connection: sa.Connection, table: sa.Table, features: Sequence[tuple[str, Feature]]) -> None:
    """Keep versions, each with its dataset, as they came, in the table ``feature`` of a layer.

    What replaces all versions of an id is kept in the place of one of its own dataset alone: it ends nothing of
    another dataset, and of what was never here it leaves nothing.
    """
    newest: dict[str, tuple[str, Feature]] = {}
    alone: set[str] = set()
    owners = _owners(connection, table, {one.id for _, one in features if one.replaces_all})
    for dataset, feature in features:
        if feature.replaces_all:
            if owners.get(feature.id) != dataset:
                continue
            alone.add(feature.id)
        known = newest.get(feature.id)
        if follows(feature, known[1] if known else None):
            newest[feature.id] = (dataset, feature)
            owners[feature.id] = dataset
    if alone:
        before = sa.delete(table).where(among(table.c.id, "ids", connection.dialect.name, alone))
        connection.execute(before)
    rows = [
        {
            "id": feature.id,
            "dataset": dataset,
            "kind": feature.kind,
            "valid_from": feature.valid_from or 0,
            "body": msgspec.json.encode(feature).decode(),
        }
        for dataset, feature in newest.values()
    ]
    upsert(connection, table, rows, ["id"], _CHANGED, not_older="valid_from")


def _owners(connection: sa.Connection, table: sa.Table, ids: Collection[str]) -> dict[str, str]:
    """The dataset of each of these ids that is kept."""
    if not ids:
        return {}
    kept = sa.select(table.c.id, table.c.dataset).where(
        among(table.c.id, "ids", connection.dialect.name, ids)
    )
    return {row.id: row.dataset for row in connection.execute(kept)}
