"""The neighbourhoods of Amsterdam (GeoJSON), every version of each, told apart by validity.

The newest version of an area has its CBS code as id (or the city's own where there is none); earlier
ones have ``@v<number>`` behind it, so that no version takes the place of another.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Final

from dmi_agreements.contracts.features import Feature
from dmi_ingest.sources.geojson import Shape, replayed, shapes
from dmi_ingest.sources.port import AMSTERDAM, DatasetTemplate, Item, Rejected, SourceError
from dmi_ingest.sources.values import Unreadable, micros, of_field, tidy

ZONE: Final = "Europe/Amsterdam"
NEEDED: Final = ("identificatie", "naam", "volgnummer", "beginGeldigheid")
KEPT: Final = {
    "code": "code",
    "identificatie": "city_id",
    "cbsCode": "cbs_code",
    "volgnummer": "version",
    "ligtInWijkId": "district_id",
    "documentnummer": "document",
    "registratiedatum": "registered",
}


class AmsterdamBuurten:
    """The source ``amsterdam-buurten``."""

    kind = "amsterdam-buurten"
    properties: tuple[str, ...] = ()
    title: Final = {"nl": "Buurten van Amsterdam", "en": "Neighbourhoods of Amsterdam"}
    description: Final = {
        "nl": "Buurtgrenzen met officiële codes en geldigheid (GeoJSON).",
        "en": "Neighbourhood boundaries with official codes and validity (GeoJSON).",
    }
    dataset = DatasetTemplate(
        "amsterdam-buurten",
        title,
        description,
        False,
        "boundaries",
        "",
        "Gemeente Amsterdam",
        "areas",
        spatial=AMSTERDAM,
    )
    expects = ("neighbourhoods",)
    unit_read: Final = {"nl": "elke versie van een buurt", "en": "each version of a neighbourhood"}

    def read(self, files: Sequence[Path], prefix: str) -> Iterator[Item]:
        """One unit a version."""
        if not files:
            raise SourceError("", None, "missing_role", "no file with neighbourhoods")
        found = [shape for path in files for shape in shapes(path, self.kind, NEEDED)]
        newest: dict[str, tuple[str, int]] = {}
        for shape in found:
            newest[_own(shape)] = max(newest.get(_own(shape), _order(shape)), _order(shape))
        for shape in found:
            yield _version(shape, superseded=_order(shape) < newest[_own(shape)])

    def replay(self, rejected: Sequence[Rejected], prefix: str) -> Iterator[Item]:
        """Each corrected version again; one whose validity has ended keeps its number in the id."""
        for item, shape in replayed(rejected):
            if shape is None:
                yield item
            else:
                yield _version(shape, superseded=bool(shape.text("eindGeldigheid")))


def _own(shape: Shape) -> str:
    return shape.text("cbsCode") or shape.text("identificatie")


def _order(shape: Shape) -> tuple[str, int]:
    version = shape.text("volgnummer")
    return shape.text("beginGeldigheid"), int(version) if version.isdecimal() and len(version) < 10 else 0


def _version(shape: Shape, *, superseded: bool) -> Feature | Rejected:
    try:
        if not _own(shape):
            raise Unreadable("missing_value", "", "identificatie")
        with of_field("beginGeldigheid"):
            begin = micros(shape.properties.get("beginGeldigheid"), ZONE)
        end = None
        if shape.text("eindGeldigheid"):
            with of_field("eindGeldigheid"):
                end = micros(shape.properties["eindGeldigheid"], ZONE)
        if end is not None and end < begin:
            raise Unreadable("bad_validity", shape.text("eindGeldigheid"), "eindGeldigheid")
        with of_field("geometry"):
            placed = shape.placed()
        found = shape.kept(KEPT)
    except Unreadable as error:
        return shape.rejected(error)
    properties = {KEPT[field]: value for field, value in found.items()}
    properties |= {"source_crs": placed.crs, "geometry_note": placed.repair}
    known = {name: value for name, value in properties.items() if value is not None}
    version = f"@v{_order(shape)[1]}" if superseded else ""
    name = tidy(shape.text("naam")) or _own(shape)
    return Feature(f"{_own(shape)}{version}", "neighbourhood", name, placed.geometry, known, begin, end)
