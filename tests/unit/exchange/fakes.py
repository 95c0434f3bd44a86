"""An exchange on a bus in memory, asked by whoever a test wants to be."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, cast

import httpx

from dmi_agreements.contracts.law import AgreementState, Dataset, Participant
from dmi_exchange.app import build
from dmi_exchange.custody import Custody
from dmi_exchange.handlers import Exchange
from dmi_exchange.settings import ExchangeSettings
from dmi_exchange.store import Store
from dmi_infra import clock, jose
from dmi_infra.identity import AUDIENCE, EXCHANGE_PARTICIPANT
from dmi_infra.service import Service
from dmi_infra.sql import open_engine
from tests.unit.infra.fakes import (
    BICYCLES,
    GARAGES,
    MOBILITY,
    NOOR,
    OWNER,
    STACK,
    VENDOR,
    FakeBus,
    as_bus,
    eventually,
)

MUNICIPALITY, SELLER, OPERATOR, RESIDENT, ANALYST = (
    f"dmi:role:{name}" for name in ("municipality", "vendor", "operator", "resident", "analyst")
)


HERE = {"bbox": [5.0, 52.0, 5.2, 52.2], "name": {"nl": "Hier", "en": "Here"}, "codes": ["GM0344"]}


@dataclass(frozen=True)
class Who:
    """Somebody with roles, acting for a participant."""

    participant: str
    roles: tuple[str, ...] = ()


OFFICER, SELLING = Who(OWNER, (MUNICIPALITY,)), Who(VENDOR, (SELLER,))
OPERATING, LIVING = Who(STACK, (OPERATOR,)), Who(NOOR, (RESIDENT,))
ANALYSING = Who(OWNER, (ANALYST,))


@dataclass
class Node:
    """A running exchange."""

    service: Service
    settings: ExchangeSettings
    bus: FakeBus
    store: Store
    runner: asyncio.Runner
    client: httpx.AsyncClient
    keys: dict[str, jose.SigningKey] = field(default_factory=dict)

    def token(self, who: Who) -> str:
        """An access token as the exchange issues it."""
        exchange: Exchange = self.service.app.state.exchange
        key = exchange.custody.own(EXCHANGE_PARTICIPANT)
        now = clock.now() // 1_000_000
        return key.sign_token(
            jose.access_claims(self.settings.issuer, AUDIENCE, who.participant, "Ans", list(who.roles), now)
        )

    def ask(self, method: str, path: str, who: Who | None = None, **options: Any) -> httpx.Response:
        """One request; the law that it made is heard when it returns."""
        headers = {"Authorization": f"Bearer {self.token(who)}"} if who else {}
        answer = self.runner.run(self.client.request(method, path, headers=headers, **options))
        self.settle()
        return answer

    def get(self, path: str, who: Who | None = OFFICER) -> Any:
        """The JSON of an address that must answer."""
        answer = self.ask("GET", path, who)
        assert answer.status_code == 200, answer.text
        return answer.json()

    def post(self, path: str, json: Any, who: Who | None = OFFICER) -> Any:
        """The JSON of a change that must succeed."""
        answer = self.ask("POST", path, who, json=json)
        assert answer.status_code in (200, 201), answer.text
        return answer.json()

    def refused(self, answer: httpx.Response, status: int, code: str) -> dict[str, Any]:
        """The problem document of a refusal."""
        assert answer.status_code == status, answer.text
        assert answer.headers["content-type"] == "application/problem+json"
        problem: dict[str, Any] = answer.json()
        assert problem["type"] == f"urn:dmi:problem:{code}"
        return problem

    def settle(self) -> None:
        """Wait until the law table holds what the store holds."""
        table = self.service.runtime.law.table

        def heard() -> bool:
            return (
                all(table.participants.get(p.id) == p for p in self.store.find(Participant))
                and all(table.datasets.get(d.id) == d for d in self.store.find(Dataset))
                and all(table.agreements.get(a.id) == a for a in self.store.find(AgreementState))
                and table.stale(clock.now()) is None
            )

        eventually(heard)

    def admit(self, identifier: str, *roles: str, sign: bool = True) -> jose.SigningKey:
        """A participant with a key of its own, by the way that everyone takes."""
        key = self.keys[identifier] = jose.SigningKey.generate()
        body = {"id": identifier, "name": identifier, "roles": list(roles), "keys": [key.public]}
        self.post("/v1/participants", body, OPERATING)
        if sign:
            path = f"/v1/participants/{identifier}"
            me = Who(identifier, roles)
            self.post(f"{path}/signature", {"jws": key.sign_document(self.get(f"{path}/statement", me))}, me)
        return key

    def publish(self, identifier: str, who: Who = OFFICER, **more: Any) -> Any:
        """A dataset in the catalogue."""
        return self.post(
            "/v1/datasets",
            {
                "id": identifier,
                "title": {"nl": "x"},
                "purpose": MOBILITY,
                "spatial": HERE,
                "licence": "CC0-1.0",
                **more,
            },
            who,
        )

    def propose(self, document: dict[str, Any], who: Who = OFFICER) -> Any:
        """A proposal signed with the key of its maker."""
        jws = self.keys[who.participant].sign_document(document)
        return self.post("/v1/agreements", {"document": document, "jws": jws}, who)

    def countersign(self, document: dict[str, Any], who: Who) -> Any:
        """The other side's signature."""
        jws = self.keys[who.participant].sign_document(document)
        return self.post(f"/v1/agreements/{document['uid']}/signature", {"jws": jws}, who)


@contextmanager
def running(folder: Path, bus: FakeBus | None = None, **settings: Any) -> Iterator[Node]:
    """An exchange with municipality, vendor, resident and their datasets."""
    chosen = ExchangeSettings(data_dir=folder, **{"log_head_seconds": 0.05, **settings})
    bus = bus or FakeBus()
    service = build(chosen, as_bus(bus))
    engine = open_engine(chosen.store_address("exchange"), "exchange")
    service.start()
    try:
        with asyncio.Runner() as runner:
            transport = httpx.ASGITransport(cast(Any, service.app))
            client = httpx.AsyncClient(transport=transport, base_url="http://node")
            node = Node(service, chosen, bus, Store(engine), runner, client)
            node.settle()
            yield node
            runner.run(client.aclose())
    finally:
        service.stop()
        engine.dispose()


def furnish(node: Node) -> None:
    """The usual members and datasets."""
    node.admit(OWNER, MUNICIPALITY)
    node.admit(VENDOR, SELLER)
    node.admit(NOOR, RESIDENT)
    node.keys[STACK] = Custody(node.settings.data_dir / "keys", hosting=True).own(STACK)
    node.publish(GARAGES)
    node.publish(BICYCLES, personal=True)
