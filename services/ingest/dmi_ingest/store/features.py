"""Features that came in here: the newest version of each, whose it is, and whether it is in use."""

from __future__ import annotations

import time
import uuid
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

import msgspec
import sqlalchemy as sa

from dmi_agreements.contracts.envelope import Envelope, encode
from dmi_agreements.contracts.features import Feature, FeatureBatch
from dmi_agreements.crossings import BY_NAME
from dmi_infra import clock, outbox
from dmi_infra.bus.port import Message
from dmi_infra.sql import reading, transaction, upsert
from dmi_infra.telemetry import current_trace
from dmi_ingest.model import dataset_slug, full_name
from dmi_ingest.store.tables import feature, outgoing

FEATURE_TOPIC = BY_NAME["features"].topic or ""
CHUNK = 500
"""Ids that one query names at most."""
MESSAGE_BYTES = 4 * 1024 * 1024
"""Size at which a message of features is ended; geometries can be large."""


@dataclass(frozen=True, slots=True)
class KnownStream:
    """What intake must know of a datastream."""

    dataset: str
    subject: str | None
    used: bool


@dataclass(frozen=True, slots=True)
class Published:
    """What became of features: numbers of changed and unchanged ones, and indexes of those of another dataset."""

    changed: int
    unchanged: int
    foreign: tuple[int, ...]


def feature_messages(dataset: str, features: Sequence[Feature]) -> list[Message]:
    """Messages of features, each well below what the bus carries."""
    found: list[Message] = []
    part: list[Feature] = []
    size = 0
    for item in features:
        length = len(encode(item))
        if part and size + length > MESSAGE_BYTES:
            found.append(_message(dataset, part))
            part, size = [], 0
        part.append(item)
        size += length
    return [*found, _message(dataset, part)] if part else found


def _message(dataset: str, features: list[Feature]) -> Message:
    identifier = str(uuid.uuid4())
    envelope = Envelope(
        id=identifier, source="urn:dmi:service:ingest", type="nl.dmi.features.changed.v1",
        time=clock.to_text(clock.now()), subject=dataset, dataset=dataset, traceparent=current_trace.get(),
    )  # fmt: skip
    return Message(dataset, encode(FeatureBatch(dataset, features, identifier)), envelope)


class FeatureStore:
    """Reads and writes of features, each in one transaction with the outbox."""

    def __init__(self, engine: sa.Engine) -> None:
        self._engine = engine

    def streams(self, ids: Collection[str] | None = None) -> dict[str, KnownStream]:
        """The datastreams with these ids, or all; those that ended are left out."""
        found: dict[str, KnownStream] = {}
        columns = sa.select(feature.c.id, feature.c.dataset, feature.c.subject, feature.c.used)
        query = columns.where(feature.c.kind == "datastream")
        with reading(self._engine) as connection:
            wanted = [None] if ids is None else list(_chunks(list(ids)))
            for chunk in wanted:
                part = query if chunk is None else query.where(feature.c.id.in_(chunk))
                for row in connection.execute(part):
                    found[row.id] = KnownStream(row.dataset, row.subject, bool(row.used))
        return found

    def get(self, identifier: str) -> Feature | None:
        """The newest version of a feature."""
        with reading(self._engine) as connection:
            body = connection.execute(sa.select(feature.c.body).where(feature.c.id == identifier)).scalar()
        return None if body is None else msgspec.json.decode(body, type=Feature)

    def dataset_of(self, identifier: str) -> str | None:
        """The dataset whose feature this is."""
        with reading(self._engine) as connection:
            return connection.execute(sa.select(feature.c.dataset).where(feature.c.id == identifier)).scalar()

    def prefix(self, dataset: str) -> str:
        """What the ids of things that an import makes begin with: the full name of the dataset.

        A dataset whose things have ids that begin with the last part of its name alone, as earlier versions
        made them, keeps that: an import must find its things again.
        """
        name = full_name(dataset)
        with reading(self._engine) as connection:
            for prefix in (name, dataset_slug(dataset)):
                begins = feature.c.id.startswith(f"{prefix}.", autoescape=True)
                query = sa.select(feature.c.id).where(feature.c.dataset == dataset, begins).limit(1)
                if connection.execute(query).first() is not None:
                    return prefix
        return name

    def put(
        self, dataset: str, features: Sequence[Feature], subjects: Mapping[str, str] | None = None
    ) -> Published:
        """Keep and publish new versions; what is unchanged or belongs to another dataset is left alone."""
        with transaction(self._engine) as connection:
            return put_features(connection, dataset, features, subjects or {})

    def mark_used(self, ids: Collection[str]) -> None:
        """From now on observations rest on these datastreams."""
        with transaction(self._engine) as connection:
            for chunk in _chunks(sorted(ids)):
                connection.execute(sa.update(feature).where(feature.c.id.in_(chunk)).values(used=True))

    def wait_published(self, seconds: float) -> bool:
        """Wait until the bus has everything that the outbox holds now; whether it has."""
        with reading(self._engine) as connection:
            last = connection.execute(sa.select(sa.func.max(outgoing.c.id))).scalar()
        if last is None:
            return True
        deadline = time.monotonic() + seconds
        query = sa.select(sa.func.count()).select_from(outgoing).where(outgoing.c.id <= last)
        while True:
            with reading(self._engine) as connection:
                if not connection.execute(query).scalar():
                    return True
            if time.monotonic() > deadline:
                return False
            time.sleep(0.005)


def put_features(
    connection: sa.Connection, dataset: str, features: Sequence[Feature], subjects: Mapping[str, str]
) -> Published:
    """As ``FeatureStore.put``, within the caller's transaction."""
    known: dict[str, tuple[str, str, str | None]] = {}
    for chunk in _chunks([item.id for item in features]):
        query = sa.select(feature.c.id, feature.c.dataset, feature.c.body, feature.c.subject)
        for row in connection.execute(query.where(feature.c.id.in_(chunk))):
            known[row.id] = (row.dataset, row.body, row.subject)
    elsewhere = _things_elsewhere(connection, dataset, features)
    inherited = _subjects_of_things(connection, features, subjects)
    foreign: list[int] = []
    unchanged = 0
    rows: dict[str, dict[str, object]] = {}
    changed: dict[str, Feature] = {}
    now = clock.now()
    for index, item in enumerate(features):
        body = encode(item).decode()
        owner, old, subject = known.get(item.id, (dataset, "", None))
        if owner != dataset or (item.kind == "datastream" and item.properties.get("thing") in elsewhere):
            foreign.append(index)
            continue
        wanted = subjects.get(item.id) or inherited.get(str(item.properties.get("thing"))) or subject
        if old == body and wanted == subject:
            unchanged += 1
            continue
        known[item.id] = (dataset, body, wanted)
        changed[item.id] = item
        rows[item.id] = {
            "id": item.id, "dataset": dataset, "kind": item.kind, "body": body, "subject": wanted,
            "used": False, "changed_at": now,
        }  # fmt: skip
    upsert(connection, feature, list(rows.values()), ["id"], ["kind", "body", "subject", "changed_at"])
    outbox.add(connection, outgoing, FEATURE_TOPIC, feature_messages(dataset, list(changed.values())))
    return Published(len(features) - unchanged - len(foreign), unchanged, tuple(foreign))


def _things_elsewhere(connection: sa.Connection, dataset: str, features: Sequence[Feature]) -> set[str]:
    """The things of these datastreams that belong to another dataset: their place and person are not to be had."""
    things = {str(item.properties.get("thing")) for item in features if item.kind == "datastream"}
    found: set[str] = set()
    for chunk in _chunks(sorted(things)):
        query = sa.select(feature.c.id).where(feature.c.id.in_(chunk), feature.c.dataset != dataset)
        found.update(connection.execute(query).scalars())
    return found


def _subjects_of_things(
    connection: sa.Connection, features: Sequence[Feature], subjects: Mapping[str, str]
) -> dict[str, str]:
    """Whom the things of these datastreams are about: what a thing measures is about the same person."""
    things = {str(item.properties.get("thing")) for item in features if item.kind == "datastream"}
    found: dict[str, str] = {}
    for chunk in _chunks(sorted(things)):
        query = sa.select(feature.c.id, feature.c.subject).where(feature.c.id.in_(chunk))
        found.update({row.id: row.subject for row in connection.execute(query) if row.subject})
    return found | {thing: subjects[thing] for thing in things if thing in subjects}


def end_features(connection: sa.Connection, dataset: str, ids: Sequence[str]) -> None:
    """Say that these features exist no longer; their ids stay with the dataset."""
    now = clock.now()
    ended: list[Feature] = []
    for chunk in _chunks(list(ids)):
        bodies = connection.execute(sa.select(feature.c.body).where(feature.c.id.in_(chunk))).scalars()
        ended += [msgspec.structs.replace(msgspec.json.decode(b, type=Feature), valid_to=now) for b in bodies]
        gone = sa.update(feature).where(feature.c.id.in_(chunk))
        connection.execute(gone.values(kind="ended", body="", subject=None, changed_at=now))
    outbox.add(connection, outgoing, FEATURE_TOPIC, feature_messages(dataset, ended))


def _chunks(ids: list[str]) -> list[list[str]]:
    return [ids[start : start + CHUNK] for start in range(0, len(ids), CHUNK)]
