"""A dataset as a zip that streams: the data, under which licence, and where it comes from."""

from __future__ import annotations

import csv
import io
import zipfile
from collections.abc import Callable, Generator, Iterable, Iterator, Sequence
from typing import Any, Final, Literal

import msgspec

from dmi_agreements.contracts.law import Dataset
from dmi_agreements.contracts.observations import ObservationBatch
from dmi_agreements.decision import OwnRows
from dmi_infra import clock
from dmi_infra.errors import Refused, Unauthenticated
from dmi_infra.gate import Permit
from dmi_infra.http.problems import problem_of
from dmi_platform import present, quality
from dmi_platform.harmonise import TRANSFORMATIONS
from dmi_platform.lineage import code_version
from dmi_platform.rows import Page
from dmi_platform.wording import in_words

Format = Literal["csv", "geojson", "geoparquet"]

FILES: Final[dict[Format, str]] = {
    "csv": "observations.csv",
    "geojson": "observations.geojson",
    "geoparquet": "observations.parquet",
}
COLUMNS: Final = (
    "datastream", "observed_property", "phenomenon_time", "result", "unit", "flag",
    *(f"flag_{test}" for test in quality.TESTS),
    "raw_result", "longitude", "latitude", "neighbourhood",
)  # fmt: skip
"""Columns of every format. Who measured is not among them: no export needs it."""

FORMULA: Final = ("=", "+", "-", "@", "\t", "\r", "\n")
"""How a text begins that a spreadsheet takes for a formula."""


class _Sink(io.RawIOBase):
    """Takes what the zip writes until it is sent; it cannot be sought, so the zip never looks back."""

    def __init__(self) -> None:
        self._pieces: list[bytes] = []

    def writable(self) -> bool:
        return True

    def write(self, data: Any) -> int:
        self._pieces.append(bytes(data))
        return len(data)

    def drain(self) -> bytes:
        taken = b"".join(self._pieces)
        self._pieces.clear()
        return taken


def stream(
    permit: Permit,
    dataset: Dataset | None,
    pages: Iterable[Page],
    kind: Format,
    span: tuple[str, str],
    hides_persons: Callable[[], bool],
) -> Generator[bytes]:
    """The zip in pieces. When the right ends on the way, or the asker's key, ``ended.json`` tells it at the end.

    ``hides_persons``: as ``Gate.hides_persons``, at this moment.
    """
    sink = _Sink()
    told = _Told(permit, dataset, span, hides_persons)
    with zipfile.ZipFile(sink, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("licence.txt", told.licence())
        ended: Refused | Unauthenticated | None = None
        with archive.open(FILES[kind], "w", force_zip64=True) as entry:
            counted = told.counted(pages)
            try:
                for piece in _WRITERS[kind](counted):
                    entry.write(piece)
                    yield sink.drain()
            except (Refused, Unauthenticated) as exc:
                ended = exc
        problem = problem_of(ended) if ended is not None else None
        if problem is not None:
            archive.writestr("ended.json", msgspec.json.format(msgspec.json.encode(problem.body())))
        archive.writestr("lineage.json", told.lineage())
    yield sink.drain()


class _Told:
    """What an export says about itself."""

    def __init__(
        self,
        permit: Permit,
        dataset: Dataset | None,
        span: tuple[str, str],
        hides_persons: Callable[[], bool],
    ) -> None:
        self._permit = permit
        self._dataset = dataset
        self._span = span
        self._hides_persons = hides_persons
        self._hidden = hides_persons()
        self._rows = 0
        self._consents: set[str] = set()

    def counted(self, pages: Iterable[Page]) -> Iterator[ObservationBatch]:
        for page in pages:
            self._rows += len(page.batch)
            self._consents |= page.consents
            # A consent can come to ask it, or end, while the pages go out: what one of them asked goes for all.
            self._hidden = self._hidden or self._hides_persons()
            yield page.batch

    def licence(self) -> str:
        known, permit = self._dataset, self._permit
        title = known.title.get("nl") or next(iter(known.title.values()), "") if known else ""
        about = [
            f"Dataset: {permit.dataset}",
            f"Title: {title}",
            f"Owner: {known.owner if known else ''}",
            f"Source: {known.source if known else ''}",
        ]
        own = next((duty for duty in permit.duties if isinstance(duty, OwnRows)), None)
        return "\n".join(about + (self._terms() if own is None else _own_copy(own.person))) + "\n"

    def _terms(self) -> list[str]:
        """On what a right by ownership, licence or agreement rests."""
        known, permit = self._dataset, self._permit
        request = permit.requests[-1]
        return [
            f"Licence: {(known.licence if known else '') or 'none stated; only the agreement below applies'}",
            f"Given to: {request.assignee}",
            f"For the purpose: {request.purpose}",
            f"Under: {', '.join(permit.agreements) or 'ownership of the dataset'}",
            *(f"Duty carried out: {in_words(duty)}" for duty in permit.duties),
        ]

    def lineage(self) -> bytes:
        permit = self._permit
        return msgspec.json.format(
            msgspec.json.encode(
                {
                    "dataset": permit.dataset,
                    "from": self._span[0],
                    "to": self._span[1],
                    "rows": self._rows,
                    "made_at": clock.to_text(clock.now()),
                    "code": code_version(),
                    "transformations": [
                        *TRANSFORMATIONS,
                        *(f"duty: {in_words(duty)}" for duty in permit.duties),
                    ],
                    "grounds": {
                        "datasets": [permit.dataset],
                        "agreements": list(permit.agreements),
                        **({} if self._hidden else {"consents": len(self._consents)}),
                    },
                    "purpose": permit.requests[-1].purpose,
                    "recipient": permit.requests[-1].assignee,
                }
            )
        )


def _own_copy(person: str) -> list[str]:
    """A person's copy rests on no agreement, is for nobody else's purpose, and is not under the dataset's licence."""
    return [
        f"Given to: {person}",
        f"What this is: a copy of the own data of {person} in this dataset, with rows of nobody else",
        "Under: the right of a person to a copy of its own data and to take it along (GDPR art. 15 and 20); "
        "it rests on no agreement",
        "Licence: none is needed for one's own data; the licence of the dataset is for others",
    ]


def _rows(batch: ObservationBatch) -> Iterator[dict[str, Any]]:
    properties: Sequence[str | None] = batch.observed_property or [None] * len(batch)
    for row, item in enumerate(present.observations(batch, whole=True)):
        flags = item.pop("flags")
        item["observed_property"] = properties[row]
        yield {**item, **{f"flag_{test}": flags.get(test) for test in quality.TESTS}}


def _csv(batches: Iterable[ObservationBatch]) -> Iterator[bytes]:
    text = io.StringIO()
    writer = csv.DictWriter(text, COLUMNS)
    writer.writeheader()
    for batch in batches:
        writer.writerows({name: _harmless(value) for name, value in row.items()} for row in _rows(batch))
        yield text.getvalue().encode()
        text.seek(0)
        text.truncate()
    yield text.getvalue().encode()


def _harmless(value: Any) -> Any:
    """A cell of a table; a spreadsheet would calculate a text that begins like a formula."""
    return f"'{value}" if isinstance(value, str) and value.startswith(FORMULA) else value


def _geojson(batches: Iterable[ObservationBatch]) -> Iterator[bytes]:
    yield b'{"type":"FeatureCollection","features":['
    first = True
    try:
        for batch in batches:
            features = []
            for row in _rows(batch):
                longitude, latitude = row.pop("longitude"), row.pop("latitude")
                placed = longitude is not None and latitude is not None
                geometry = {"type": "Point", "coordinates": [longitude, latitude]} if placed else None
                features.append({"type": "Feature", "geometry": geometry, "properties": row})
            if features:
                yield (b"" if first else b",") + msgspec.json.encode(features)[1:-1]
                first = False
    except (Refused, Unauthenticated):
        # The document is closed before the refusal is told, so that what was given can be read.
        yield b"]}"
        raise
    yield b"]}"


def _geoparquet(batches: Iterable[ObservationBatch]) -> Iterator[bytes]:
    # Imported here: Arrow costs every process some 30 MB, and most never write a GeoParquet file.
    from dmi_platform import geoparquet

    yield from geoparquet.stream((batch, list(_rows(batch))) for batch in batches)


_WRITERS: Final = {"csv": _csv, "geojson": _geojson, "geoparquet": _geoparquet}
