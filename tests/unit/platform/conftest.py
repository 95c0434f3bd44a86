"""A platform service on a bus of its own, a law that tests write, and a city with a few datasets."""

from __future__ import annotations

import asyncio
import time
import uuid
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from fastapi import FastAPI

from dmi_agreements.contracts.envelope import Envelope, encode
from dmi_agreements.contracts.features import Feature, FeatureBatch
from dmi_agreements.contracts.law import AgreementState, Dataset, Heartbeat, Participant
from dmi_agreements.contracts.observations import ObservationBatch
from dmi_agreements.contracts.record import DecisionRecord
from dmi_agreements.contracts.results import Lineage
from dmi_infra import clock
from dmi_infra.bus import open_bus
from dmi_infra.bus.port import Message, Received
from dmi_infra.gate import Gate
from dmi_infra.http.access import identify
from dmi_infra.identity import Identity
from dmi_platform.app import build
from dmi_platform.consumer import PlatformHandler
from dmi_platform.processing import FEATURES_TOPIC, RAW_TOPIC
from dmi_platform.settings import PlatformSettings
from tests.unit.infra.fakes import never_ended

OWNER, STACK, VENDOR = (f"urn:dmi:participant:{name}" for name in ("gemeente", "stack", "sensorbedrijf"))
NOOR, SAM = "urn:dmi:person:noor", "urn:dmi:person:sam"
GARAGES, BICYCLES, AREAS = (
    f"urn:dmi:dataset:gemeente:{name}" for name in ("garages", "bicycle-air", "areas")
)
NOON = 1_767_268_800_000_000
MINUTE = 60_000_000


class Client:
    """Asks the application without a server."""

    def __init__(self, app: FastAPI) -> None:
        self._app = app

    def request(self, method: str, path: str, **arguments: Any) -> httpx.Response:
        async def ask() -> httpx.Response:
            transport = httpx.ASGITransport(self._app, raise_app_exceptions=False)
            async with httpx.AsyncClient(transport=transport, base_url="http://platform") as client:
                return await client.request(method, path, **arguments)

        return asyncio.run(ask())

    def get(self, path: str, **arguments: Any) -> httpx.Response:
        return self.request("GET", path, **arguments)

    def post(self, path: str, **arguments: Any) -> httpx.Response:
        return self.request("POST", path, **arguments)


class City:
    """The service under test, driven as bus and exchange would, but step by step on the test's own thread."""

    def __init__(self, folder: Path) -> None:
        self.bus = open_bus(f"embedded://{folder}/bus.db")
        self.bus.create_topics()
        self.service = build(PlatformSettings(data_dir=folder), self.bus)
        self.runtime = self.service.runtime
        self.records: list[DecisionRecord | Lineage] = []
        gate: Gate = self.runtime.gate
        gate._record = self.records.append
        consumer = next(part for part in self.runtime.parts if hasattr(part, "_handler"))
        self.handler: PlatformHandler = consumer._handler  # type: ignore[attr-defined]
        self.handler.positions()
        self.identity = Identity(OWNER, "Officer", frozenset({"dmi:role:municipality"}))
        self.service.app.dependency_overrides[identify] = lambda: self.identity
        # It came without a token, so no key under one can end.
        self.runtime.authenticate.check_keys = never_ended  # type: ignore[method-assign]
        self.client = Client(self.service.app)
        self.contributor = OWNER
        self.law_events: list[Any] = []
        self.sent = "2026-01-01T12:00:00Z"
        self._offsets = {RAW_TOPIC: 0, FEATURES_TOPIC: 0}
        version = self.runtime.rulebook.version
        for party in (OWNER, STACK, VENDOR, NOOR, SAM):
            roles = ["dmi:role:municipality"] if party == OWNER else []
            self.law(Participant(party, party, roles, rulebook=version))
        self.law(Dataset(GARAGES, OWNER, {"nl": "Garages"}, licence="CC0", source="Parkeerdienst"))
        self.law(Dataset(AREAS, OWNER, {"nl": "Buurten"}, layer="areas"))
        self.law(Dataset(BICYCLES, OWNER, {"nl": "Fietsen"}, personal=True))
        self.beat()

    def law(self, event: Any) -> None:
        self.law_events.append(event)
        self.runtime.law.table.apply(event)

    def beat(self) -> None:
        self.law(Heartbeat("urn:dmi:heartbeat", clock.now()))

    def agree(self, dataset: str, *actions: str, assigner: str = OWNER, assignee: str = STACK,
              duty: list[dict[str, Any]] | None = None, basis: str = "public-task",
              constraint: list[dict[str, Any]] | None = None) -> AgreementState:  # fmt: skip
        """An agreement in force for every purpose of the public task."""
        rule: dict[str, Any] = {
            "target": dataset,
            "action": list(actions),
            "constraint": [
                {"leftOperand": "purpose", "operator": "isA", "rightOperand": "dmi:purpose:public-task"},
                *(constraint or ()),
            ],
        }
        if duty:
            rule["duty"] = duty
        uid = f"urn:uuid:{uuid.uuid4()}"
        document = {
            "@context": ["http://www.w3.org/ns/odrl.jsonld", {"dmi": "urn:dmi:"}],
            "@type": "Agreement",
            "uid": uid,
            "profile": "urn:dmi:profile:1",
            "dmi:rulebook": self.runtime.rulebook.version,
            "dmi:legalBasis": f"dmi:basis:{basis}",
            "assigner": assigner,
            "assignee": assignee,
            "permission": [rule],
        }
        state = AgreementState(uid, document, "active", concluded_at=clock.now() - 1_000_000)
        self.law(state)
        return state

    def end(self, state: AgreementState) -> None:
        self.law(
            AgreementState(state.id, state.document, "ended", {}, state.concluded_at, clock.now(), OWNER)
        )

    def received(self, topic: str, value: bytes, message_id: str = "", dataset: str = GARAGES) -> Received:
        offset = self._offsets[topic]
        self._offsets[topic] += 1
        envelope = Envelope(
            message_id or str(uuid.uuid4()), "urn:dmi:service:ingest", "t", self.sent,
            dataset=dataset, contributor=self.contributor,
        )  # fmt: skip
        return Received(topic, 0, offset, Message("k", value, envelope))

    def tell(self, dataset: str, *features: Feature) -> Received:
        message = self.received(FEATURES_TOPIC, encode(FeatureBatch(dataset, list(features))))
        self.beat()
        self.handler.handle([message])
        return message

    def lay_down(self, *areas: Feature) -> None:
        """Neighbourhoods that everybody's rows are labelled by."""
        self.agree(AREAS, "dmi:process", "dmi:read")
        self.tell(AREAS, *areas)

    def hand_in(self, *batches: ObservationBatch) -> list[Received]:
        messages = [self.received(RAW_TOPIC, encode(batch)) for batch in batches]
        self.beat()
        self.handler.handle(messages)
        return messages

    def get(self, path: str, purpose: str = "dmi:purpose:mobility", **parameters: Any) -> Any:
        self.beat()
        return self.client.get(path, params=parameters, headers={"DMI-Purpose": purpose})

    def outgoing(self) -> list[tuple[str, bytes]]:
        with self.runtime.parts[0]._engine.begin() as connection:  # type: ignore[attr-defined]
            return [
                tuple(row)
                for row in connection.exec_driver_sql("SELECT topic, value FROM outbox ORDER BY id")
            ]


@pytest.fixture
def city(tmp_path: Path) -> Iterator[City]:
    found = City(tmp_path)
    yield found
    found.service.close()
    found.bus.close()


def stream(name: str, observed: str = "occupancy", unit: str = "{vehicle}", **more: Any) -> Feature:
    about = {"thing": name.rsplit(".", 1)[0], "observed_property": observed, "unit": unit, **more}
    return Feature(name, "datastream", name, None, about)


def thing(name: str, longitude: float = 5.1, latitude: float = 52.1) -> Feature:
    return Feature(name, "thing", name, {"type": "Point", "coordinates": [longitude, latitude]})


@pytest.fixture
def garages(city: City) -> City:
    """Two garages whose data the stack may process and show."""
    city.agree(GARAGES, "dmi:process", "dmi:read", "dmi:export")
    city.tell(
        GARAGES,
        *(thing(f"garages.{name}") for name in ("centrum", "pr-noord")),
        *(stream(f"garages.{name}.occupancy", capacity=100) for name in ("centrum", "pr-noord")),
    )
    return city


def counts(name: str, *values: float | None, begin: int = NOON, batch_id: str = "b") -> ObservationBatch:
    """Values of a garage, a minute apart."""
    rows = len(values)
    times = [begin + row * MINUTE for row in range(rows)]
    return ObservationBatch(
        GARAGES, [f"garages.{name}.occupancy"] * rows, times, list(values), batch_id=batch_id
    )


def eventually(holds: Callable[[], bool], seconds: float = 10.0) -> None:
    """Wait until something holds; fails after ``seconds``."""
    until = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < until, "it did not come to hold"
        time.sleep(0.02)
