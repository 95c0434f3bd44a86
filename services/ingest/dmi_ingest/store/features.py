"""Features that came in here: the newest version of each, whose it is, and whether it is in use."""

from __future__ import annotations

import time
import uuid
from collections.abc import Collection, Container, Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import msgspec
import sqlalchemy as sa

from dmi_agreements.contracts.envelope import Envelope, encode
from dmi_agreements.contracts.features import Feature, FeatureBatch
from dmi_agreements.contracts.observations import Micros
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
FEW = 20
"""Things that one query looks for by name at most: for more it would take longer than to read all."""
STREAM = "datastream"
ENDED = "ended"
"""The kind of what exists no longer."""
ERASED_NAME = "erased"
"""In the place of the name that something had."""
_NEEDED = ("thing", "observed_property", "unit")
"""What a datastream cannot be read without."""
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
    """What became of features: numbers of changed and unchanged ones, and indexes of those that were left alone.

    ``foreign`` are of another dataset; ``others`` were made by another participant, with the field that would change.
    ``followed`` are the ids of datastreams that are about another person since their thing is.
    """

    changed: int
    unchanged: int
    foreign: tuple[int, ...]
    others: Mapping[int, str]
    followed: tuple[str, ...] = ()


Persons = Mapping[str, str | None]
"""Whom features are said to be about, by id: a person, or nobody. Of what is not in it nothing is said."""


class _Kept(NamedTuple):
    """A feature as the store has it."""

    dataset: str
    kind: str
    body: str
    subject: str | None
    maker: str | None
    since: Micros = 0


class Turn(NamedTuple):
    """Whom a thing was about, and is now."""

    before: str | None
    now: str | None


class Writer(NamedTuple):
    """Who hands features in, and whose the dataset is."""

    participant: str
    owner: str

    def may_change(self, kept: _Kept) -> bool:
        """Whether a feature is its to change: its own, one of its dataset, or one that has ended."""
        return kept.kind == ENDED or self.participant in (self.owner, kept.maker)


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


def bare(known: Feature, valid_to: Micros | None) -> Feature:
    """A feature without what it tells of a person, in the place of all its versions."""
    needed = {key: value for key, value in known.properties.items() if key in _NEEDED}
    return Feature(known.id, known.kind, ERASED_NAME, None, needed, None, valid_to, replaces_all=True)


class FeatureStore:
    """Reads and writes of features, each in one transaction with the outbox."""

    def __init__(self, engine: sa.Engine) -> None:
        self._engine = engine

    def streams(self, ids: Collection[str] | None = None) -> dict[str, KnownStream]:
        """The datastreams with these ids, or all; those that ended are left out."""
        found: dict[str, KnownStream] = {}
        columns = sa.select(feature.c.id, feature.c.dataset, feature.c.subject, feature.c.used)
        query = columns.where(feature.c.kind == STREAM)
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

    def persons(self, ids: Collection[str]) -> dict[str, str]:
        """Whom these features are about; also those that ended since that person had them erased."""
        found: dict[str, str] = {}
        query = sa.select(feature.c.id, feature.c.subject).where(feature.c.subject.is_not(None))
        with reading(self._engine) as connection:
            for chunk in _chunks(sorted(ids)):
                rows = connection.execute(query.where(feature.c.id.in_(chunk)))
                found |= {row.id: row.subject for row in rows}
        return found

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
        self, dataset: str, features: Sequence[Feature], by: Writer, subjects: Persons | None = None
    ) -> Published:
        """Keep and publish new versions; what is unchanged, another's, or of another dataset is left alone."""
        with transaction(self._engine) as connection:
            return put_features(connection, dataset, features, by, subjects or {})

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
    connection: sa.Connection, dataset: str, features: Sequence[Feature], by: Writer, subjects: Persons
) -> Published:
    """As ``FeatureStore.put``, within the caller's transaction."""
    in_turn(connection)
    known = _concerned(connection, features)
    # Of a Thing that stays as it is, another person that is named for it holds for no Datastream either.
    given = {
        name: person for name, person in subjects.items()
        if name not in known or by.may_change(known[name])
    }  # fmt: skip
    foreign: list[int] = []
    others: dict[int, str] = {}
    unchanged = 0
    rows: dict[str, dict[str, object]] = {}
    changed: dict[str, Feature] = {}
    turned: dict[str, Turn] = {}
    now = clock.now()
    for index, item in enumerate(features):
        body = encode(item).decode()
        old, thing = known.get(item.id), known.get(_thing_of(item))
        if any(one is not None and one.dataset != dataset for one in (old, thing)):
            foreign.append(index)
            continue
        # What a person had erased is about that person when it comes again, or what it measured would be nobody's.
        before = None if old is None else old.subject
        old = None if old is None or old.kind == ENDED else old
        subject = None if old is None else before
        wanted = subjects[item.id] if item.id in subjects else _about(item, old, known, given, by)
        wanted = before if old is None and wanted is None and item.id not in subjects else wanted
        if old is not None and (old.body, subject) == (body, wanted):
            unchanged += 1
            continue
        if old is not None and not by.may_change(old):
            others[index] = "properties.subject" if old.body == body else "id"
            continue
        maker = by.participant if old is None else old.maker
        if old is not None and subject != wanted and item.kind != STREAM:
            turned[item.id] = Turn(turned[item.id].before if item.id in turned else subject, wanted)
        since = now if old is None or subject != wanted else old.since
        known[item.id] = _Kept(dataset, item.kind, body, wanted, maker, since)
        changed[item.id] = item
        rows[item.id] = {
            "id": item.id, "dataset": dataset, "kind": item.kind, "body": body, "subject": wanted,
            "used": False, "changed_at": since, "maker": maker,
        }  # fmt: skip
    upsert(
        connection, feature, list(rows.values()), ["id"], ["kind", "body", "subject", "changed_at", "maker"]
    )
    followed = _follow(connection, dataset, turned, by, {item.id for item in features})
    outbox.add(connection, outgoing, FEATURE_TOPIC, feature_messages(dataset, list(changed.values())))
    left = unchanged + len(foreign) + len(others)
    return Published(len(features) - left, unchanged, tuple(foreign), others, followed)


def _concerned(connection: sa.Connection, features: Sequence[Feature]) -> dict[str, _Kept]:
    """What the store has of these features and of the things that they are of, or were of until now."""
    found = _kept(connection, {item.id for item in features} | {_thing_of(item) for item in features} - {""})
    things = {_thing_before(found.get(item.id)) for item in features if item.kind == STREAM}
    return found | _kept(connection, things - found.keys() - {""})


def in_turn(connection: sa.Connection) -> None:
    """Wait for whoever changes features now, or both would take an id as new. SQLite has one writer in any case."""
    if connection.dialect.name == "postgresql":
        place = sa.func.hashtext(sa.func.concat("features ", sa.func.current_schema()))
        connection.execute(sa.select(sa.func.pg_advisory_xact_lock(place)))


def _kept(connection: sa.Connection, ids: Collection[str]) -> dict[str, _Kept]:
    """What the store has of these features, by id."""
    found: dict[str, _Kept] = {}
    columns = (
        feature.c.dataset, feature.c.kind, feature.c.body, feature.c.subject, feature.c.maker, feature.c.changed_at,
    )  # fmt: skip
    query = sa.select(feature.c.id, *columns)
    for chunk in _chunks(sorted(ids)):
        for name, *row in connection.execute(query.where(feature.c.id.in_(chunk))):
            found[name] = _Kept(*row)
    return found


def _thing_of(item: Feature) -> str:
    """The id of the thing that a datastream is of; empty for anything else."""
    return str(item.properties.get("thing")) if item.kind == STREAM else ""


def _thing_before(kept: _Kept | None) -> str:
    if kept is None or kept.kind != STREAM:
        return ""
    return _thing_of(msgspec.json.decode(kept.body, type=Feature))


def _about(
    item: Feature, old: _Kept | None, known: Mapping[str, _Kept], given: Persons, by: Writer
) -> str | None:
    """Whom a feature is about of which that is not said: as its thing, or as it was."""
    kept = None if old is None else old.subject
    if old is not None and not by.may_change(old):
        return kept
    name = _thing_of(item)
    if name in given:
        return given[name]
    about = _inherited(known.get(name), old, by)
    before = known.get(_thing_before(old)) if old is not None and name != _thing_before(old) else None
    # What moves to another thing is not about the person of the one before any longer.
    return about if about or (before is not None and before.subject == kept) else kept


def _inherited(thing: _Kept | None, stream: _Kept | None, by: Writer) -> str | None:
    """Whom the thing of a datastream is about: what a thing measures is about the same person.

    A datastream that is there already does not follow a thing that somebody else made under its name later.
    """
    if thing is None or (stream is not None and thing.maker not in (None, *by, stream.maker)):
        return None
    return thing.subject


def _follow(
    connection: sa.Connection, dataset: str, turned: Mapping[str, Turn], by: Writer, handed: Container[str]
) -> tuple[str, ...]:
    """Datastreams of things that are about somebody else now go with them; their ids.

    Not so one that is about a person of its own, one that ``by`` may not change, and one that was ``handed`` in with
    its thing, of which all is said. Rows that came in before stay with the person of that time.
    """
    if not turned:
        return ()
    columns = sa.select(feature.c.id, feature.c.body, feature.c.subject, feature.c.maker)
    streams = columns.where(feature.c.dataset == dataset, feature.c.kind == STREAM, naming(list(turned)))
    persons = sorted({turn.before for turn in turned.values() if turn.before is not None})
    whose = [feature.c.subject.is_(None), *(feature.c.subject.in_(chunk) for chunk in _chunks(persons))]
    found: list[dict[str, str | None]] = []
    for condition in whose:
        for name, body, subject, maker in connection.execute(streams.where(condition)):
            kept = _Kept(dataset, STREAM, body, subject, maker)
            turn = turned.get(_thing_before(kept))
            if turn is None or name in handed or not by.may_change(kept):
                continue
            if subject in (turn.before, None) and subject != turn.now:
                found.append({"stream": name, "person": turn.now})
    if found:
        follow = sa.update(feature).where(feature.c.id == sa.bindparam("stream"))
        connection.execute(follow.values(subject=sa.bindparam("person"), changed_at=clock.now()), found)
    return tuple(str(one["stream"]) for one in found)


def naming(things: Sequence[str]) -> sa.ColumnElement[bool]:
    """Whether a body may name one of these things, so that not all of a dataset are read for one of them."""
    if len(things) > FEW:
        return sa.true()
    names = (encode(name).decode() for name in things)
    return sa.or_(*(feature.c.body.contains(name, autoescape=True) for name in names))


def end_features(connection: sa.Connection, dataset: str, ids: Sequence[str]) -> None:
    """Say that these features exist no longer; their ids stay with the dataset, and with the person they are about.

    What they told of a person nobody keeps: whoever has all erased later finds nothing of them here to tell of.
    """
    now = clock.now()
    ended: list[Feature] = []
    query = sa.select(feature.c.body, feature.c.subject)
    for chunk in _chunks(list(ids)):
        for body, subject in connection.execute(query.where(feature.c.id.in_(chunk))):
            known = msgspec.json.decode(body, type=Feature)
            whole = msgspec.structs.replace(known, valid_to=now)
            ended.append(whole if subject is None else bare(known, now))
        gone = sa.update(feature).where(feature.c.id.in_(chunk))
        connection.execute(gone.values(kind=ENDED, body="", changed_at=now))
    outbox.add(connection, outgoing, FEATURE_TOPIC, feature_messages(dataset, ended))


def _chunks(ids: list[str]) -> list[list[str]]:
    return [ids[start : start + CHUNK] for start in range(0, len(ids), CHUNK)]
