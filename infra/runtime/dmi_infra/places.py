"""Places and things as a layer behind the platform keeps them: of each the newest version alone."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

import msgspec
import sqlalchemy as sa

from dmi_agreements.contracts.features import Feature
from dmi_infra.sql import among, upsert

_CHANGED: Final = ("dataset", "kind", "valid_from", "body")


def follows(feature: Feature, known: Feature | None) -> bool:
    """Whether a version that comes takes the place of the one that is known."""
    return known is None or feature.replaces_all or (feature.valid_from or 0) >= (known.valid_from or 0)


def keep_newest(connection: sa.Connection, table: sa.Table, features: Iterable[tuple[str, Feature]]) -> None:
    """Keep versions, each with its dataset, as they came, in the table ``feature`` of a layer."""
    newest: dict[str, tuple[str, Feature]] = {}
    alone: set[str] = set()
    for dataset, feature in features:
        if feature.replaces_all:
            alone.add(feature.id)
        known = newest.get(feature.id)
        if follows(feature, known[1] if known else None):
            newest[feature.id] = (dataset, feature)
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
