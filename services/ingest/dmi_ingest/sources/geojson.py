"""GeoJSON features as the units of a source: each placed, or rejected with its own text for correction."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from dmi_infra.unicode import encodable
from dmi_ingest.sources import places
from dmi_ingest.sources.files import document, features
from dmi_ingest.sources.port import Rejected, SourceError
from dmi_ingest.sources.values import Unreadable, check_numbers

FEATURES: Final = "/features/"


@dataclass(frozen=True, slots=True)
class Shape:
    """One feature as it stands in a document: ``index`` from 0, ``declared`` the document's CRS.

    ``pointer`` is its JSON pointer there; left out, it is one of the ``features``.
    """

    file: str
    index: int
    feature: dict[str, Any]
    declared: str
    pointer: str = ""

    @property
    def properties(self) -> dict[str, Any]:
        found = self.feature.get("properties")
        return found if isinstance(found, dict) else {}

    def text(self, name: str) -> str:
        """A property as text without outer blanks, empty when absent or no plain value."""
        value = self.properties.get(name)
        return str(value).strip() if isinstance(value, str | int | float) else ""

    def kept(self, names: Iterable[str]) -> dict[str, Any]:
        """These properties as they stand, those that are absent left out; raises ``Unreadable``."""
        found = {name: self.properties[name] for name in names if self.properties.get(name) is not None}
        for name, value in found.items():
            check_numbers(value, name)
        return found

    def placed(self) -> places.Placed:
        """The geometry in WGS84; raises ``Unreadable``."""
        return places.placed(self.feature.get("geometry"), self.declared)

    def point(self) -> tuple[float, float]:
        """Longitude and latitude of a point; raises ``Unreadable``."""
        found = self.placed().geometry
        if found["type"] != "Point":
            raise Unreadable("bad_geometry", f"a {found['type']} where a point is expected", "geometry")
        return found["coordinates"][0], found["coordinates"][1]

    def rejected(self, error: Unreadable, path: str = "") -> Rejected:
        """This feature, or the value at ``path`` in it, as a rejection that holds the whole feature."""
        raw = json.dumps({**self.feature, "crs": self.declared}, ensure_ascii=False)
        at = f"{self.pointer or f'{FEATURES}{self.index}'}{path}"
        field = error.field or (path.rsplit("/", 1)[-1] or None)
        return Rejected(self.file, self.index, error.reason, field, error.value, raw, at)


def shapes(path: Path, kind: str, properties: Sequence[str]) -> list[Shape]:
    """The features of a GeoJSON file of a kind that has these properties; raises ``SourceError``."""
    return shapes_in(path, document(path), kind, properties)


def shapes_in(path: Path, found: dict[str, Any], kind: str, properties: Sequence[str]) -> list[Shape]:
    """The same of a document that is open already. A row that is no object is kept as ``original``."""
    try:
        declared = places.declared_crs(found)
    except Unreadable as error:
        raise SourceError(
            path.name, None, error.reason, f"the CRS {error.value!r} is not known here"
        ) from error
    rows = features(path, found, kind, properties)
    whole = [row if isinstance(row, dict) else {"original": row} for row in rows]
    return [Shape(path.name, index, row, declared) for index, row in enumerate(whole)]


def replayed(rejected: Sequence[Rejected]) -> Iterator[tuple[Rejected, Shape | None]]:
    """The features of corrected rejections, ``None`` where the text is no feature any more."""
    for item in rejected:
        try:
            found = json.loads(item.raw) if isinstance(item.raw, str) else None
        except ValueError:
            found = None  # the caller yields the rejection again: nothing is lost
        if isinstance(found, dict) and encodable(found):
            declared = str(found.pop("crs", places.WGS84))
            elsewhere = item.at is not None and not item.at.startswith(FEATURES)
            yield item, Shape(item.file, item.line or 0, found, declared, item.at or "" if elsewhere else "")
        else:
            yield item, None
