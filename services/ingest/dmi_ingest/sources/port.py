"""The port of a file source: what it reads, what it yields, and how the units are counted.

A *unit* is one physical data value of a file that ends as an observation, a feature or a
rejection. Every item that a source yields is exactly one unit, except ``Derived``, which
carries a thing or datastream that the rows need. So with ``read`` the number of items that
are not ``Derived``, ``read = accepted + duplicate + rejected`` holds further on. A row whose
columns cannot be told apart (``wrong_columns``) is one unit, since its values are unknown.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Protocol

from dmi_agreements.contracts.features import Feature

VALUE_LENGTH: Final = 200


class SourceError(Exception):
    """A whole file that cannot be read; ``rule`` is a slug, ``line`` counts from 1 where it is known."""

    def __init__(self, file: str, line: int | None, rule: str, detail: str) -> None:
        where = file if line is None else f"{file}, line {line}"
        super().__init__(f"{where}: {detail} ({rule})")
        self.file = file
        self.line = line
        self.rule = rule
        self.detail = detail


@dataclass(frozen=True, slots=True)
class Rejected:
    """One unit that is not taken over, kept whole so that it can be corrected and replayed: not so about persons.

    ``line`` counts from 1 as an editor shows it; in JSON files it is the index of the feature, from 0
    as in ``at``, which is the JSON pointer of the unit there. In tables ``at`` is the column of the unit, or ``None``
    where the whole row was rejected. ``field`` is the field at fault, which may be another one.
    ``raw`` is the row by column, or in JSON files the feature as text.
    """

    file: str
    line: int | None
    reason: str
    field: str | None
    value: str
    raw: dict[str, str] | str
    at: str | None = None

    def __post_init__(self) -> None:
        if len(self.value) > VALUE_LENGTH:
            object.__setattr__(self, "value", self.value[:VALUE_LENGTH])

    def bare(self) -> Rejected:
        """Where it stood and why it was rejected, with nothing of what it held."""
        return Rejected(self.file, self.line, self.reason, self.field, "", "", self.at)


@dataclass(frozen=True, slots=True)
class Row:
    """One observation before batching; ``phenomenon_time`` in microseconds UTC, positions in WGS84 degrees.

    ``variant`` tells apart several datastreams of one property on one thing, such as the two
    directions of a counter; it is empty where there is one.
    """

    file: str
    line: int
    thing: str
    observed_property: str
    unit: str
    phenomenon_time: int
    result: float | None
    longitude: float | None = None
    latitude: float | None = None
    subject: str | None = None
    source_id: str | None = None
    variant: str = ""


@dataclass(frozen=True, slots=True)
class Derived:
    """A thing or datastream that follows from the rows after it: no unit, so never counted."""

    feature: Feature


Item = Derived | Feature | Row | Rejected


@dataclass(frozen=True, slots=True)
class Spatial:
    """Where the data of a kind is about; ``bbox`` is west, south, east, north in WGS84 degrees."""

    bbox: tuple[float, float, float, float]
    name: dict[str, str]
    codes: tuple[str, ...] = ()


NETHERLANDS: Final = Spatial((3.3, 50.7, 7.3, 53.6), {"nl": "Nederland", "en": "Netherlands"})
AMSTERDAM: Final = Spatial((4.72, 52.27, 5.08, 52.44), {"nl": "Amsterdam", "en": "Amsterdam"}, ("GM0363",))
UTRECHT: Final = Spatial(
    (4.79, 51.85, 5.63, 52.31), {"nl": "Provincie Utrecht", "en": "Utrecht province"}, ("PV26",)
)
BIRMINGHAM: Final = Spatial((-2.04, 52.38, -1.72, 52.61), {"nl": "Birmingham", "en": "Birmingham"})


@dataclass(frozen=True, slots=True)
class DatasetTemplate:
    """The catalogue entry that an import of this kind proposes; texts by language (``nl``, ``en``)."""

    slug: str
    title: dict[str, str]
    description: dict[str, str]
    personal: bool
    category: str
    licence: str
    source: str
    layer: str
    purpose: str = "dmi:purpose:public-task"
    basis: str = ""
    """Legal basis of personal data; empty is the consent of each person."""
    spatial: Spatial = NETHERLANDS


class Source(Protocol):
    """One kind of file. ``expects`` names the roles of its files, the required ones first.

    ``properties`` names the observed properties of its rows, none where a file holds places alone.
    ``unit_read`` says in words what one unit is. ``read`` raises ``SourceError`` for a file that
    cannot be read at all. ``replay`` takes rejections whose ``raw`` was corrected.
    """

    @property
    def kind(self) -> str: ...
    @property
    def properties(self) -> tuple[str, ...]: ...
    @property
    def title(self) -> dict[str, str]: ...
    @property
    def description(self) -> dict[str, str]: ...
    @property
    def dataset(self) -> DatasetTemplate: ...
    @property
    def expects(self) -> tuple[str, ...]: ...
    @property
    def unit_read(self) -> dict[str, str]: ...

    def read(self, files: Sequence[Path], prefix: str) -> Iterator[Item]:
        """The items of the files in order, a derived feature before the first row that needs it.

        Ids that the source makes begin with ``prefix`` and a dot.
        """
        ...

    def replay(self, rejected: Sequence[Rejected], prefix: str) -> Iterator[Item]:
        """The items of corrected rejections: accepted units, or rejections anew."""
        ...


def datastream_id(prefix: str, thing: str, observed_property: str, variant: str = "") -> str:
    """``<prefix>.<thing>.<property>``, and ``-<variant>`` where one thing has several."""
    ending = f"-{variant}" if variant else ""
    return f"{prefix}.{thing}.{observed_property}{ending}"
