"""Small fakes of what ingest stands on: a gate, a bus, and a node around them."""

from __future__ import annotations

import asyncio
from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, cast

import httpx
import sqlalchemy as sa
from starlette.types import ASGIApp

from dmi_agreements.contracts.envelope import decode
from dmi_agreements.contracts.features import Feature, FeatureBatch
from dmi_agreements.contracts.law import Dataset, Heartbeat, Mandate, Participant, SubjectRequest
from dmi_agreements.contracts.observations import ObservationBatch
from dmi_agreements.decision import Reason, Request
from dmi_agreements.table import LawTable
from dmi_infra import clock
from dmi_infra.bus.port import Bus, Message
from dmi_infra.errors import Refused, Unauthenticated, Unavailable
from dmi_infra.gate import Gate, Passed, Permit
from dmi_infra.identity import Authenticator, Identity
from dmi_infra.jose import Acting
from dmi_infra.lawfeed import LawFeed
from dmi_infra.recorder import Recorder
from dmi_infra.runtime import Runtime, load_rulebook
from dmi_infra.sql import migrate, open_engine
from dmi_infra.telemetry import Metrics
from dmi_ingest.app import assemble
from dmi_ingest.settings import IngestSettings
from dmi_ingest.store.features import KnownStream
from tests.unit.infra.fakes import eventually

GEMEENTE = "urn:dmi:participant:gemeente"
VENDOR = "urn:dmi:participant:sensorbedrijf"
STACK = "urn:dmi:participant:stack"
GARAGES = "urn:dmi:dataset:gemeente:garages"
BICYCLES = "urn:dmi:dataset:gemeente:bicycle-air"
OTHER = "urn:dmi:dataset:sensorbedrijf:garages"


@dataclass
class FakeGate:
    """Lets the named participants contribute to a dataset and records what it was asked."""

    allowed: dict[str, set[str]]
    holder: str = STACK
    consenting: set[str] = field(default_factory=set)
    acted: list[Acting | None] = field(default_factory=list)
    asked: list[tuple[str, str, str, str, str | None, str | None, int]] = field(default_factory=list)
    law: LawTable | None = None
    done: list[tuple[str, int]] = field(default_factory=list)
    """Requests of persons that ingest told to have carried out, and how many rows."""

    def permit(
        self,
        crossing: str,
        action: str,
        dataset: str,
        purpose: str,
        recipient: str | None = None,
        holder_action: str | None = None,
        rows: int = 0,
        acting: Acting | None = None,
    ) -> Permit:
        self.acted.append(acting)
        self.asked.append((crossing, action, dataset, purpose, recipient, holder_action, rows))
        who = recipient or self.holder
        if refused := self.entitled(crossing, action, dataset, who, purpose, acting):
            raise Refused(refused, dataset)
        request = Request(who, action, dataset, purpose, crossing)
        return Permit(crossing, (request,), (), ("urn:uuid:agreement",), dataset == BICYCLES)

    def entitled(
        self,
        crossing: str,
        action: str,
        dataset: str,
        participant: str,
        purpose: str | None = None,
        acting: Acting | None = None,
    ) -> tuple[Reason, ...]:
        link = acting and self.law and self.law.mandates.find(acting.mandate)
        if acting is not None and (not link or not link.terms or dataset not in link.terms.datasets):
            return (Reason("outside_mandate", f"{acting.actor} has no mandate"),)
        if participant not in self.allowed.get(dataset, set()):
            return (Reason("no_agreement", f"{participant} has no agreement"),)
        return ()

    def exercised(self, request: SubjectRequest, rows: int, taken_back: int | None = None) -> str:
        self.done.append((request.id, rows))
        return request.id

    def carry(self, permit: Permit, batch: ObservationBatch) -> Passed:
        subjects = batch.subject or [None] * len(batch)
        rows = [row for row, subject in enumerate(subjects) if subject in self.consenting]
        left = tuple(row for row in range(len(batch)) if row not in rows)
        return Passed(batch.take(rows), frozenset(), len(left), left)


@dataclass
class FakeBus:
    """Keeps what is published; ``away`` refuses everything."""

    published: list[tuple[str, Message]] = field(default_factory=list)
    away: bool = False

    def publish(self, topic: str, messages: Sequence[Message], timeout: float = 10.0) -> None:
        if self.away:
            raise Unavailable("the bus cannot be reached")
        self.published += [(topic, message) for message in messages]

    async def publish_async(self, topic: str, messages: Sequence[Message], timeout: float = 10.0) -> None:
        self.publish(topic, messages, timeout)

    def close(self) -> None:
        pass

    def batches(self) -> list[ObservationBatch]:
        """The observation batches so far."""
        return [
            decode(m.value, ObservationBatch) for t, m in self.published if t.startswith("dmi.observations")
        ]

    def rows(self) -> list[tuple[str, int, float | None]]:
        """All observations so far."""
        return [
            row
            for batch in self.batches()
            for row in zip(batch.datastream, batch.phenomenon_time, batch.result, strict=True)
        ]

    def features(self) -> dict[str, Feature]:
        """The newest version of every feature so far."""
        batches = [decode(m.value, FeatureBatch) for t, m in self.published if t.startswith("dmi.features")]
        return {feature.id: feature for batch in batches for feature in batch.features}


@dataclass
class FakeStreams:
    """A store of datastreams in a dictionary."""

    known: dict[str, KnownStream]
    marked: list[str] = field(default_factory=list)

    def streams(self, ids: Collection[str] | None = None) -> Mapping[str, KnownStream]:
        return {i: known for i, known in self.known.items() if ids is None or i in ids}

    def mark_used(self, ids: Collection[str]) -> None:
        self.marked += sorted(ids)


@dataclass
class ByName:
    """The token is the participant itself, with who acts for it behind a blank, by a mandate of that name.

    The keys of those in ``ended`` do not count any more.
    """

    ended: set[str] = field(default_factory=set)

    def __call__(self, token: str) -> Identity:
        participant, _, actor = token.partition(" ")
        return Identity(participant, token, frozenset(), Acting(actor, actor) if actor else None)

    def check_keys(self, identity: Identity) -> None:
        if identity.participant in self.ended:
            raise Unauthenticated("the key that this token was given for does not count any more")


@dataclass
class Node:
    """A running ingest on fakes, as seen by one participant after another."""

    client: httpx.AsyncClient
    runner: asyncio.Runner
    bus: FakeBus
    gate: FakeGate
    settings: IngestSettings
    app: ASGIApp
    feed: LawFeed
    names: ByName

    def mandate(self, mandator: str, actor: str, *datasets: str) -> str:
        """Let somebody contribute to these datasets for another, no longer to those before; its token."""
        document = {
            "uid": "urn:uuid:00000000-0000-4000-8000-000000000001", "type": "dmi:Mandate",
            "mandator": mandator, "mandatary": actor, "datasets": [*datasets],
            "actions": ["dmi:contribute"], "purposes": ["dmi:purpose:mobility"],
            "from": "2026-01-01T00:00:00Z", "until": "2027-01-01T00:00:00Z",
        }  # fmt: skip
        self.feed.table.apply(Mandate(actor, document, "", "active", clock.now()))
        return f"{mandator} {actor}"

    def hear(self, event: SubjectRequest) -> None:
        """What a person asks comes by the law, and is carried out."""
        self.feed.table.apply(Heartbeat("urn:dmi:heartbeat", clock.now() + 4_000_000))
        change = self.feed.table.apply(event)
        for listener in self.feed._listeners:
            listener(change)
        eventually(lambda: any(request == event.id for request, _ in self.gate.done))

    def call(self, method: str, path: str, json: Any = None, who: str = GEMEENTE, **more: Any) -> Any:
        """One request with a token; the answer as httpx gives it."""
        headers = {"Authorization": f"Bearer {who}", **more.pop("headers", {})}
        return self.runner.run(self.client.request(method, path, json=json, headers=headers, **more))

    def get(self, path: str, who: str = GEMEENTE) -> Any:
        """The JSON of an address that must exist."""
        answer = self.call("GET", path, who=who)
        assert answer.status_code == 200, answer.text
        return answer.json()

    def post(self, path: str, json: Any, who: str = GEMEENTE) -> Any:
        """The JSON of a creation that must succeed."""
        answer = self.call("POST", path, json, who)
        assert answer.status_code == 201, answer.text
        return answer.json()

    def refused(
        self, path: str, json: Any, status: int = 400, method: str = "POST", who: str = GEMEENTE
    ) -> Any:
        """The first field error of a refusal, or the whole problem when it has none."""
        answer = self.call(method, path, json, who)
        assert answer.status_code == status, answer.text
        assert answer.headers["content-type"] == "application/problem+json"
        problem = answer.json()
        return problem["errors"][0] if problem.get("errors") else problem


def _law(table: LawTable) -> None:
    for participant in (GEMEENTE, VENDOR, STACK):
        roles = ["dmi:role:municipality"] if participant == GEMEENTE else ["dmi:role:vendor"]
        table.apply(Participant(participant, participant, roles, rulebook="1.0.0"))
    for dataset, owner, personal in (
        (GARAGES, GEMEENTE, False), (BICYCLES, GEMEENTE, True), (OTHER, VENDOR, False),
    ):  # fmt: skip
        table.apply(Dataset(dataset, owner, {"nl": dataset}, personal=personal))
    # Far enough ahead of now for a slow test, within what a wrong clock is allowed.
    table.apply(Heartbeat("urn:dmi:heartbeat", clock.now() + 4_000_000))


@contextmanager
def running(folder: Path, database_url: str = "", **more: Any) -> Iterator[Node]:
    """An ingest with its store in ``folder`` or at ``database_url``, started and stopped."""
    settings = IngestSettings(data_dir=folder, database_url=database_url, **more)
    engine = open_engine(settings.store_address("ingest"), "ingest")
    migrate(engine, "dmi_ingest")
    bus = FakeBus()
    gate = FakeGate({GARAGES: {GEMEENTE}, BICYCLES: {GEMEENTE}, OTHER: {VENDOR}})
    rulebook = load_rulebook(settings)
    table = gate.law = LawTable(rulebook)
    _law(table)
    names = ByName()
    feed = LawFeed(cast(Bus, bus), "ingest", table)
    runtime = Runtime(
        "ingest", settings, cast(Bus, bus), bus, feed,
        cast(Gate, gate), Recorder("ingest", bus, folder / "records"), Metrics("ingest"), cast(Authenticator, names),
    )  # fmt: skip
    app = assemble(settings, engine, runtime)
    for part in runtime.parts:
        part.start()
    try:
        # Starlette's own test client warns that it will change; this is httpx on the application itself.
        client = httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://node")
        with asyncio.Runner() as runner:
            yield Node(client, runner, bus, gate, settings, app, feed, names)
            runner.run(client.aclose())
    finally:
        for part in reversed(runtime.parts):
            part.stop()
        engine.dispose()


@contextmanager
def statements() -> Iterator[list[str]]:
    """What is asked about entities meanwhile; the relay asks for its messages at any time."""
    asked: list[str] = []

    def note(_connection: object, _cursor: object, statement: str, *_more: object) -> None:
        if "FROM entity" in statement:
            asked.append(statement)

    sa.event.listen(sa.Engine, "before_cursor_execute", note)
    try:
        yield asked
    finally:
        sa.event.remove(sa.Engine, "before_cursor_execute", note)


POINT = {"type": "Point", "coordinates": [5.1, 52.1]}
MEASUREMENT = "http://www.opengis.net/def/observationType/OGC-OM/2.0/OM_Measurement"


def location() -> dict[str, Any]:
    """A Location as a client sends it."""
    return {
        "name": "Ingang", "description": "hoofdingang", "encodingType": "application/geo+json", "location": POINT,
    }  # fmt: skip


def datastream() -> dict[str, Any]:
    """A Datastream with a new sensor and observed property nested in it."""
    return {
        "name": "Bezetting", "description": "aantal geparkeerde auto's", "observationType": MEASUREMENT,
        "unitOfMeasurement": {"name": "vehicle", "symbol": "{vehicle}", "definition": "ucum:{vehicle}"},
        "properties": {"capacity": 400},
        "Sensor": {
            "@iot.id": "lus", "name": "Lus", "description": "detectielus", "encodingType": "text/html",
            "metadata": "https://example.org/lus",
        },
        "ObservedProperty": {
            "@iot.id": "occupancy", "name": "Occupancy", "description": "parked vehicles",
            "definition": "https://example.org/def/occupancy",
        },
    }  # fmt: skip


def thing(**properties: Any) -> dict[str, Any]:
    """A Thing with a location and a datastream nested in it."""
    return {
        "name": "Centrum", "description": "parkeergarage", "properties": {"dataset": GARAGES, **properties},
        "Locations": [location()], "Datastreams": [datastream()],
    }  # fmt: skip
