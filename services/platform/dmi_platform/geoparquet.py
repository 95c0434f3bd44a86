"""Observations as GeoParquet 1.1: columns of the export with a point each."""

from __future__ import annotations

import tempfile
from collections.abc import Iterable, Iterator
from typing import Any, Final

import msgspec
import pyarrow as pa
import pyarrow.parquet as pq
import shapely

from dmi_agreements.contracts.observations import ObservationBatch
from dmi_infra.errors import Refused, Unauthenticated
from dmi_platform import quality

_PIECE: Final = 64 * 1024
_GEO: Final = {
    "version": "1.1.0",
    "primary_column": "geometry",
    "columns": {"geometry": {"encoding": "WKB", "geometry_types": ["Point"]}},
}
"""GeoParquet 1.1 metadata; without ``crs`` it means OGC:CRS84."""
_SCHEMA: Final = pa.schema(
    [
        ("datastream", pa.string()),
        ("observed_property", pa.string()),
        ("phenomenon_time", pa.timestamp("us", "UTC")),
        ("result", pa.float64()),
        ("unit", pa.string()),
        ("flag", pa.int8()),
        *((f"flag_{test}", pa.int8()) for test in quality.TESTS),
        ("raw_result", pa.float64()),
        ("neighbourhood", pa.string()),
        ("geometry", pa.binary()),
    ],
    metadata={"geo": msgspec.json.encode(_GEO)},
)

Rows = list[dict[str, Any]]
"""The rows of a batch as the export shows them, by column name."""


def stream(batches: Iterable[tuple[ObservationBatch, Rows]]) -> Iterator[bytes]:
    """A GeoParquet file in pieces; what was read before a refusal is a whole file, then that is raised."""
    # Parquet ends with its index and is written with seeking, so it passes through a temporary file.
    with tempfile.TemporaryFile() as file:
        refused: Refused | Unauthenticated | None = None
        with pq.ParquetWriter(file, _SCHEMA) as writer:
            try:
                for batch, rows in batches:
                    if rows:
                        writer.write_table(_table(batch, rows))
            except (Refused, Unauthenticated) as exc:
                refused = exc
        file.seek(0)
        while piece := file.read(_PIECE):
            yield piece
        if refused is not None:
            raise refused


def _table(batch: ObservationBatch, rows: Rows) -> Any:
    columns: dict[str, list[Any]] = {name: [row.get(name) for row in rows] for name in _SCHEMA.names}
    columns["phenomenon_time"] = batch.phenomenon_time
    placed = [(row["longitude"], row["latitude"]) for row in rows]
    points = [None if None in place else shapely.Point(place) for place in placed]
    columns["geometry"] = shapely.to_wkb(points).tolist()
    return pa.table(columns, schema=_SCHEMA)
