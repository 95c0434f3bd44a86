"""The native doors: batches of observations in columns, and features that no sensor makes."""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import Collection, Sequence
from typing import Any, Final

from dmi_agreements.areas import NEIGHBOURHOOD, not_laid_down
from dmi_agreements.contracts.features import Feature
from dmi_agreements.contracts.observations import Micros, ObservationBatch
from dmi_agreements.decision import Reason
from dmi_agreements.table import LawTable
from dmi_infra.errors import FieldError, InputRefused, Refused
from dmi_infra.gate import Permit
from dmi_infra.http.limits import heavy
from dmi_infra.outbox import Relay
from dmi_ingest import geometry, reading
from dmi_ingest.errors import RowsRefused
from dmi_ingest.intake import NO_CONSENT, Contributor, Intake, writer
from dmi_ingest.model import (
    BORROWED_RULE,
    FEATURE_KINDS,
    ID_RULE,
    MADE_BY_ANOTHER,
    RowFault,
    borrowed,
    owner_of,
    valid_id,
    valid_subject,
)
from dmi_ingest.pieces import Pieces
from dmi_ingest.reading_turns import ReadingTurns
from dmi_ingest.store import FeatureStore, Published
from dmi_ingest.store.features import Persons
from dmi_ingest.whereabouts import PLACE_RULE, Whereabouts

ROWS: Final = 10_000
FAULTS: Final = 100
"""Faults that an answer names; the count is exact beyond it."""
REQUIRED: Final = ("dataset", "datastream", "phenomenon_time", "result")
OPTIONAL: Final = ("longitude", "latitude", "subject", "source_id")
STREAM_PROPERTIES: Final = ("thing", "observed_property", "unit")


class Ingest:
    """What a participant can hand in natively."""

    def __init__(self, intake: Intake, features: FeatureStore, relay: Relay, law: LawTable, places: Whereabouts,
                 turns: ReadingTurns, features_turns: ReadingTurns,
                 area_datasets: Collection[str] = ()) -> None:  # fmt: skip
        self._intake = intake
        self._features = features
        self._relay = relay
        self._law = law
        self._places = places
        self._area_datasets = frozenset(area_datasets)
        self._turns = turns
        self._features_turns = features_turns
        """Of their own: a body of features is kept and published in its turn, which takes seconds."""

    def _read(self, contributor: Contributor, body: bytes) -> Any:
        """The JSON of a body; a heavy one is read only for who may hand in for the dataset that it names."""
        if heavy(body):
            self._intake.check(contributor, reading.dataset_of(body), 0)
        return reading.read_json(body)

    async def hand_in_batch(self, contributor: Contributor, body: bytes) -> dict[str, Any]:
        """Take the good rows of a column batch; raises ``RowsRefused`` when there are none."""
        async with self._turns.turn(contributor):
            columns = _columns(self._read(contributor, body))
            # Who may not hand in does not learn either which datastreams there are.
            self._intake.check(contributor, columns["dataset"], len(columns["datastream"]))
            registry = self._intake.registry
            named = {stream for stream in columns["datastream"] if isinstance(stream, str)}
            if missing := registry.missing(named):
                await asyncio.to_thread(registry.look_up, missing)
            batch, places, faults = await self._checked(columns)
            refuse_all(batch, faults)
            ready = await self._intake.ready(contributor, [batch])
        withheld = (await self._intake.send(ready))[0]
        faults = sorted(
            [*faults, *(RowFault(places[row], NO_CONSENT) for row in withheld)], key=lambda fault: fault.index
        )
        accepted = len(batch) - len(withheld)
        refuse_all(range(accepted), faults)
        read = len(columns["datastream"])
        return {"batch_id": batch.batch_id, "read": read, **report(accepted, faults)}

    async def hand_in_features(self, contributor: Contributor, body: bytes) -> dict[str, Any]:
        """Keep and publish the good features; raises ``RowsRefused`` when there are none."""
        async with self._features_turns.turn(contributor):
            # Checking geometries takes long enough to hold up observations, so it has a thread.
            return await asyncio.to_thread(self._features_of, contributor, body)

    def _features_of(self, contributor: Contributor, given: bytes) -> dict[str, Any]:
        body = reading.mapping(self._read(contributor, given), "body")
        known_fields(body, ("dataset", "crs", "features"))
        dataset = reading.text(body.get("dataset"), "dataset", 200)
        crs = geometry.declared(body.get("crs"))
        items = reading.sequence(body.get("features"), "features", ROWS)
        permit = self._intake.permit(contributor, dataset, len(items))
        no_areas = self._no_areas(dataset)
        good: list[Feature] = []
        places: list[int] = []
        faults: list[RowFault] = []
        subjects: dict[str, str | None] = {}
        for index, item in enumerate(items):
            about: dict[str, str | None] = {}
            try:
                found = read_feature(item, crs, about)
                if not self.may_have(found.id, dataset):
                    raise InputRefused.of("id", BORROWED_RULE, found.id)
                if found.kind == NEIGHBOURHOOD and no_areas is not None:
                    raise InputRefused.of("kind", no_areas, found.kind)
                good.append(found)
                places.append(index)
                subjects |= about
            except InputRefused as exc:
                faults.append(RowFault(index, exc.errors[0]))
        placed = self.placed(permit, good, subjects)
        faults += [
            RowFault(places[at], FieldError("geometry", PLACE_RULE))
            for at, item in enumerate(placed)
            if item is None
        ]
        places = [place for place, item in zip(places, placed, strict=True) if item is not None]
        good = [item for item in placed if item is not None]
        refuse_all(good, faults)
        stored = self.publish(contributor.participant, dataset, good, subjects)
        rule = "names a feature of another dataset already, or its thing does"
        faults += [RowFault(places[at], FieldError("id", rule, good[at].id)) for at in stored.foreign]
        faults += [
            RowFault(places[at], FieldError(field, MADE_BY_ANOTHER, good[at].id))
            for at, field in stored.others.items()
        ]
        faults.sort(key=lambda fault: fault.index)
        refuse_all(range(stored.changed + stored.unchanged), faults)
        return {"read": len(items), **report(stored.changed, faults), "duplicate": stored.unchanged}

    def may_have(self, identifier: str, dataset: str) -> bool:
        """Whether a dataset may have a feature of this id: not one in another's name, unless it has it already."""
        other = borrowed(identifier, owner_of(dataset), self._law.participants)
        return not other or self._features.dataset_of(identifier) == dataset

    def placed(self, permit: Permit, features: Sequence[Feature], subjects: Persons) -> list[Feature | None]:
        """Features as they may be kept: as ``Whereabouts.placed``."""
        return self._places.placed(permit, features, subjects)

    def publish(
        self, participant: str, dataset: str, features: Sequence[Feature], subjects: Persons | None = None
    ) -> Published:  # fmt: skip
        """Keep features of a participant; the bus has them soon after, in most cases before this returns.

        Raises ``Refused`` for neighbourhoods of a dataset that lays down none.
        """
        no_areas = self._no_areas(dataset)
        if no_areas is not None and any(item.kind == NEIGHBOURHOOD for item in features):
            raise Refused([Reason("wrong_role", no_areas)], dataset)
        stored = self._features.put(dataset, features, writer(self._law, participant, dataset), subjects)
        self._intake.registry.changed(features, stored.followed)
        if stored.changed:
            self._relay.wake()
            self._features.wait_published(0.5)
        return stored

    def _no_areas(self, dataset: str) -> str | None:
        """The rule that keeps neighbourhoods, which label everybody's rows, out of a dataset, or ``None``."""
        return not_laid_down(self._law, dataset, self._area_datasets)

    async def _checked(self, columns: dict[str, Any]) -> tuple[ObservationBatch, list[int], list[RowFault]]:
        """The good rows, their indexes in the request, and the faults of the others."""
        kept: dict[str, list[Any]] = {name: [] for name in (*REQUIRED[1:], *OPTIONAL)}
        places: list[int] = []
        faults: list[RowFault] = []
        given = [name for name in columns if name != "dataset"]
        pieces = Pieces()
        for index, values in enumerate(zip(*(columns[name] for name in given), strict=True)):
            await pieces.took(len(given))
            try:
                row = self._row(dict(zip(given, values, strict=True)), columns["dataset"])
            except InputRefused as exc:
                faults.append(RowFault(index, exc.errors[0]))
                continue
            places.append(index)
            for name, value in zip(kept, row, strict=True):
                kept[name].append(value)
        longitude, latitude, subject, source = (
            kept[name] if any(value is not None for value in kept[name]) else None for name in OPTIONAL
        )
        batch = ObservationBatch(
            columns["dataset"], kept["datastream"], kept["phenomenon_time"], kept["result"],
            longitude, latitude, subject, source, batch_id=str(uuid.uuid4()),
        )  # fmt: skip
        return batch, places, faults

    def _row(self, row: dict[str, Any], dataset: str) -> tuple[Any, ...]:
        stream = row["datastream"]
        known = self._intake.registry.get(stream) if isinstance(stream, str) else None
        if known is None or known.dataset != dataset:
            raise InputRefused.of("datastream", "must be a datastream of this dataset", reading.form(stream))
        at: Micros = reading.micros(row["phenomenon_time"], "phenomenon_time")
        result = None if row["result"] is None else reading.quantity(row["result"], "result")
        x, y = row.get("longitude"), row.get("latitude")
        if x is not None or y is not None:
            x, y = geometry.position(x, y)
        subject = row.get("subject")
        if subject is None:
            subject = known.subject
        elif not isinstance(subject, str) or not valid_subject(subject):
            raise InputRefused.of("subject", "must be urn:dmi:person:<name>", reading.form(subject))
        source = row.get("source_id")
        if source is not None:
            reading.text(source, "source_id", 200)
        return stream, at, result, x, y, subject, source


def refuse_all(good: Sequence[object] | ObservationBatch, faults: Sequence[RowFault]) -> None:
    """Raise ``RowsRefused`` when every row is faulty."""
    if faults and not len(good):
        raise _refused(faults)


def _refused(faults: Sequence[RowFault]) -> RowsRefused:
    errors = [
        FieldError(f"{fault.index}.{fault.error.field}", fault.error.rule, fault.error.value)
        for fault in faults[:FAULTS]
    ]
    return RowsRefused(
        f"none of the {len(faults)} rows can be taken; row {errors[0].field}: {errors[0].rule}", errors
    )


def report(accepted: int, faults: Sequence[RowFault]) -> dict[str, Any]:
    """How many rows were taken, and the others by index."""
    return {
        "accepted": accepted, "rejected": len(faults),
        "errors": [fault.as_document() for fault in faults[:FAULTS]],
    }  # fmt: skip


def known_fields(body: dict[str, Any], names: Sequence[str], field: str = "") -> None:
    """Raise for a member that means nothing here, since it would be lost."""
    for name in body:
        if name not in names:
            raise InputRefused.of(f"{field}{name}"[:200], f"is unknown; known: {', '.join(names)}")


def _columns(document: object) -> dict[str, Any]:
    body = reading.mapping(document, "body")
    known_fields(body, (*REQUIRED, *OPTIONAL))
    found: dict[str, Any] = {"dataset": reading.text(body.get("dataset"), "dataset", 200)}
    for name in (*REQUIRED[1:], *OPTIONAL):
        if name in REQUIRED or body.get(name) is not None:
            found[name] = reading.sequence(body.get(name), name, ROWS)
    rows = len(found["datastream"])
    for name, column in found.items():
        if name != "dataset" and len(column) != rows:
            raise InputRefused.of(name, f"must have as many rows as datastream ({rows})", str(len(column)))
    return found


def read_feature(item: object, crs: str, subjects: dict[str, str | None]) -> Feature:
    """A checked feature; whom it is about is put in ``subjects`` by its id, where it says so (``null``: nobody).

    Raises ``InputRefused``.
    """
    body = reading.mapping(item, "feature")
    known_fields(body, ("id", "kind", "name", "geometry", "properties", "valid_from", "valid_to"))
    identifier = body.get("id")
    if not isinstance(identifier, str) or not valid_id(identifier):
        raise InputRefused.of("id", ID_RULE, reading.form(identifier))
    kind = body.get("kind")
    if kind not in FEATURE_KINDS:
        raise InputRefused.of("kind", f"must be one of {', '.join(FEATURE_KINDS)}", reading.form(kind))
    given = body.get("properties")
    properties = {} if given is None else dict(reading.mapping(given, "properties"))
    reading.free(properties, "properties")
    if kind == "datastream":
        for name in STREAM_PROPERTIES:
            reading.text(properties.get(name), f"properties.{name}", 200)
    # Who a row is about is for the gate alone: it is kept here and never published with the feature.
    if "subject" in properties:
        subject = properties.pop("subject")
        if subject is not None and not (isinstance(subject, str) and valid_subject(subject)):
            raise InputRefused.of(
                "properties.subject", "must be urn:dmi:person:<name>", reading.form(subject)
            )
        subjects[identifier] = subject
    shape = body.get("geometry")
    start, end = (
        None if body.get(name) is None else reading.micros(body[name], name)
        for name in ("valid_from", "valid_to")
    )
    if start is not None and end is not None and end < start:
        raise InputRefused.of("valid_to", "must not come before valid_from")
    return Feature(
        identifier, kind, reading.text(body.get("name"), "name", 500),
        None if shape is None else geometry.checked(shape, "geometry", crs), properties, start, end,
    )  # fmt: skip
