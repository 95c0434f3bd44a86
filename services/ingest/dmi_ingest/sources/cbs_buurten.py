"""Neighbourhoods, districts and municipalities of Statistics Netherlands (TopoJSON), with their statistics.

The files announce no CRS; after the transform the coordinates are degrees (WGS84), on a grid of some
270 by 310 metres. On it small areas collapse to a line or a point: those are rejected as
``bad_geometry`` with their decoded geometry, so that a finer one can be put in its place. Others have
crossings or empty rings: mended, with a note. Water stands apart as a polygon of the same code
(``water: JA``), so its id ends in ``-water``. The value -99999999 means not known or secret: ``None``.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, Final

from dmi_agreements.contracts.features import Feature
from dmi_ingest.sources import places
from dmi_ingest.sources.files import document
from dmi_ingest.sources.geojson import Shape, replayed
from dmi_ingest.sources.port import DatasetTemplate, Item, Rejected, SourceError
from dmi_ingest.sources.topojson import BadTopology, arcs, geometries, geometry
from dmi_ingest.sources.values import Unreadable, of_field, tidy

SECRET: Final = -99999999
LEVELS: Final = {"BU": "neighbourhood", "WK": "district", "GM": "municipality"}
CODES: Final = ("statcode", "buurtcode", "wijkcode", "gemeentecode")
NAMES: Final = {
    "statcode": "statnaam",
    "buurtcode": "buurtnaam",
    "wijkcode": "wijknaam",
    "gemeentecode": "gemeentenaam",
}
ABOUT: Final = frozenset({*CODES, *NAMES.values(), "water"})
"""What names an area: it is read, and not kept as a property."""


class CbsBuurten:
    """The source ``cbs-buurten``: files of any of the three levels."""

    kind = "cbs-buurten"
    properties: tuple[str, ...] = ()
    title: Final = {"nl": "Wijken en buurten (CBS)", "en": "Districts and neighbourhoods (CBS)"}
    description: Final = {
        "nl": "Grenzen van buurten, wijken en gemeenten met kerncijfers (TopoJSON).",
        "en": "Boundaries of neighbourhoods, districts and municipalities with key figures (TopoJSON).",
    }
    dataset = DatasetTemplate(
        "cbs-buurten", title, description, False, "boundaries", "CC-BY-4.0", "CBS, Kadaster", "areas"
    )
    expects = ("areas",)
    unit_read: Final = {
        "nl": "elk vlak: buurt, wijk of gemeente, land en water apart",
        "en": "each surface: neighbourhood, district or municipality, land and water apart",
    }

    def read(self, files: Sequence[Path], prefix: str) -> Iterator[Item]:
        """One unit a surface."""
        if not files:
            raise SourceError("", None, "missing_role", "no file with areas")
        for path in files:
            yield from _areas(path)

    def replay(self, rejected: Sequence[Rejected], prefix: str) -> Iterator[Item]:
        """Each corrected surface again, as a GeoJSON feature."""
        for item, shape in replayed(rejected):
            yield item if shape is None else _area(shape)


def _areas(path: Path) -> Iterator[Item]:
    topology = document(path)
    try:
        decoded, members = arcs(topology), list(geometries(topology))
        declared = places.declared_crs(topology)
    except BadTopology as error:
        raise SourceError(path.name, None, "other_kind", f"no TopoJSON: {error}") from error
    except Unreadable as error:
        raise SourceError(
            path.name, None, error.reason, f"the CRS {error.value!r} is not known here"
        ) from error
    if not any(_code(Shape(path.name, at, member, declared))[1] for _, at, member in members):
        raise SourceError(path.name, None, "other_kind", "no area has a CBS code")
    for pointer, index, member in members:
        feature = {"type": "Feature", "geometry": None, "properties": member.get("properties")}
        shape = Shape(path.name, index, feature, declared, pointer)
        try:
            feature["geometry"] = geometry(member, decoded)
        except Unreadable as error:
            error.field = "arcs"
            yield shape.rejected(error)
            continue
        yield _area(shape)


def _code(shape: Shape) -> tuple[str, str]:
    """The field that holds the area's code, and the code; empty when it has none of a CBS level."""
    for field in CODES:
        code = shape.text(field)
        if code[:2] in LEVELS:
            return field, code
    return "", ""


def _area(shape: Shape) -> Feature | Rejected:
    field, code = _code(shape)
    try:
        if not code:
            raise Unreadable("missing_value", "", "statcode")
        with of_field("geometry"):
            placed = shape.placed()
        found = shape.kept(name for name in shape.properties if name not in ABOUT)
    except Unreadable as error:
        return shape.rejected(error)
    water = shape.text("water") == "JA"
    level = LEVELS[code[:2]]
    properties: dict[str, Any] = {name: None if value == SECRET else value for name, value in found.items()}
    properties |= {"code": code, "level": level, "water": water, "source_crs": placed.crs}
    if placed.repair is not None:
        properties["geometry_note"] = placed.repair
    name = tidy(shape.text(NAMES[field])) or code
    kind = "neighbourhood" if level == "neighbourhood" and not water else "area"
    return Feature(f"{code}-water" if water else code, kind, name, placed.geometry, properties)
