"""Small fakes of what the shared machinery stands on: a clock, a bus in memory, a court with a gate."""

from __future__ import annotations

import threading
import time
import uuid
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import msgspec

from dmi_agreements.contracts.envelope import Envelope, encode
from dmi_agreements.contracts.law import AgreementState, Dataset, Heartbeat, LawEvent, Participant
from dmi_agreements.contracts.record import DecisionRecord
from dmi_agreements.contracts.results import Lineage
from dmi_agreements.rulebook import Rulebook, parse_rulebook
from dmi_agreements.table import LawTable
from dmi_infra import clock
from dmi_infra.bus.errors import BusUnavailable
from dmi_infra.bus.port import (
    Bus,
    Deliveries,
    Message,
    OnAssign,
    Partition,
    Publisher,
    Received,
    Subscription,
)
from dmi_infra.gate import Gate
from dmi_infra.geo import Projection
from dmi_infra.identity import Identity
from dmi_infra.telemetry import Metrics

ROOT = Path(__file__).resolve().parents[3]
NOW = 1_800_000_000_000_000
SECOND = 1_000_000
HOUR = 3600 * SECOND
OWNER, STACK, VENDOR = (f"urn:dmi:participant:{name}" for name in ("gemeente", "stack", "sensorbedrijf"))
NOOR, PIET = "urn:dmi:person:noor", "urn:dmi:person:piet"
GARAGES = "urn:dmi:dataset:gemeente:garages"
BICYCLES = "urn:dmi:dataset:gemeente:bicycle-air"
MOBILITY = "dmi:purpose:mobility"

PAY = {
    "action": "dmi:pay",
    "constraint": [
        {"leftOperand": "dmi:cents", "operator": "eq", "rightOperand": {"@value": "999999", "@type": "xsd:integer"}},
        {"leftOperand": "dmi:per", "operator": "eq", "rightOperand": {"@value": "1", "@type": "xsd:integer"}},
        {"leftOperand": "dmi:chargedUnit", "operator": "eq", "rightOperand": "once"},
    ],
}  # fmt: skip
"""A price that nobody negotiated."""


def never_ended(_identity: Identity) -> None:
    """A check of the keys under a token that finds none ended."""


def rulebook() -> Rulebook:
    """The rulebook that comes with the software."""
    folder = ROOT / "agreements" / "rulebook"
    return parse_rulebook({file.name: file.read_bytes() for file in folder.glob("*.json")})


@dataclass
class FakeClock:
    """Stands still until it is moved."""

    at: int = NOW

    def __call__(self) -> int:
        return self.at


@dataclass
class FakeBus:
    """Topics in memory, one partition each; ``away`` refuses everything. It is its own publisher."""

    topics: dict[str, list[Message]] = field(default_factory=dict)
    away: bool = False
    fault: Exception | None = None
    """Raised once by the next publication."""
    subscriptions: list[FakeSubscription] = field(default_factory=list)

    def publisher(self, service: str) -> Publisher:
        return self

    def publish(self, topic: str, messages: Sequence[Message], timeout: float = 10.0) -> None:
        if self.away:
            raise BusUnavailable
        fault, self.fault = self.fault, None
        if fault is not None:
            raise fault
        self.topics.setdefault(topic, []).extend(messages)

    async def publish_async(self, topic: str, messages: Sequence[Message], timeout: float = 10.0) -> None:
        self.publish(topic, messages, timeout)

    def subscribe(
        self,
        service: str,
        topics: Sequence[str],
        group: str,
        *,
        from_start: bool = True,
        on_assign: OnAssign | None = None,
    ) -> Subscription:
        if self.away:
            raise BusUnavailable
        partitions = frozenset((topic, 0) for topic in topics)
        wanted = on_assign(partitions) if on_assign else None
        made = FakeSubscription(self, {**dict.fromkeys(partitions, 0), **(wanted or {})})
        self.subscriptions.append(made)
        return made

    def replay(self, service: str, topics: Sequence[str]) -> Subscription:
        return self.subscribe(service, topics, service)

    def lose(self) -> None:
        """Everything is gone, as after an empty cluster took the place of the old one; readers begin anew."""
        self.topics.clear()
        for subscription in self.subscriptions:
            subscription.positions = dict.fromkeys(subscription.positions, 0)

    def ready(self) -> bool:
        return not self.away

    def deliveries(self) -> Deliveries | None:
        return None

    def create_topics(self) -> None:
        pass

    def close(self) -> None:
        pass


@dataclass
class FakeSubscription:
    """Reads the topics of a ``FakeBus``."""

    bus: FakeBus
    positions: dict[Partition, int]
    commits: int = 0
    closed: bool = False

    def poll(self, timeout: float, max_messages: int = 500) -> list[Received]:
        if self.bus.away:
            raise BusUnavailable
        found: list[Received] = []
        for (topic, partition), start in self.positions.items():
            messages = self.bus.topics.get(topic, [])[start : start + max_messages]
            found += [Received(topic, partition, start + n, m) for n, m in enumerate(messages)]
        for received in found:
            self.positions[(received.topic, received.partition)] = received.offset + 1
        if not found:
            time.sleep(min(timeout, 0.01))
        return found

    def commit(self) -> None:
        self.commits += 1

    def seek(self, positions: Mapping[Partition, int]) -> None:
        self.positions.update(positions)

    def assigned(self) -> frozenset[Partition]:
        return frozenset(self.positions)

    def spare(self) -> bool:
        return False

    def lag(self) -> dict[Partition, int]:
        return {at: len(self.bus.topics.get(at[0], [])) - offset for at, offset in self.positions.items()}

    def close(self) -> None:
        self.closed = True


def as_bus(bus: FakeBus) -> Bus:
    """The fake, checked against the port."""
    return bus


def message(value: bytes, key: str = "key") -> Message:
    """A message with an envelope of no consequence."""
    envelope = Envelope(str(uuid.uuid4()), "urn:dmi:service:test", "nl.dmi.test.v1", "2027-01-15T08:00:00Z")
    return Message(key, value, envelope)


def law_message(event: LawEvent) -> Message:
    """An event of the law."""
    return message(encode(event), event.id)


def eventually(holds: Callable[[], bool], seconds: float = 10.0) -> None:
    """Wait until ``holds``; fails when it does not within ``seconds``."""
    until = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < until, "it did not happen in time"
        time.sleep(0.005)


def threads() -> set[str]:
    """Names of the threads that live."""
    return {thread.name for thread in threading.enumerate()}


def document(
    assigner: str,
    assignee: str,
    dataset: str,
    actions: Sequence[str],
    purpose: str = MOBILITY,
    duties: Sequence[dict[str, Any]] = (),
    constraints: Sequence[dict[str, Any]] = (),
    version: str = "1.0.0",
) -> dict[str, Any]:
    """An agreement, or a consent when a person gives it."""
    person = assigner.startswith("urn:dmi:person:")
    ending = [until(365)] if person else []
    return {
        "@context": ["http://www.w3.org/ns/odrl.jsonld", {"dmi": "urn:dmi:"}],
        "@type": "Agreement",
        "uid": f"urn:uuid:{uuid.uuid4()}",
        "profile": "urn:dmi:profile:1",
        "dmi:rulebook": version,
        "dmi:legalBasis": "dmi:basis:consent" if person else "dmi:basis:public-task",
        "assigner": assigner,
        "assignee": assignee,
        "permission": [
            {
                "target": dataset,
                "action": list(actions),
                "constraint": [
                    {"leftOperand": "purpose", "operator": "isA", "rightOperand": purpose},
                    *constraints,
                    *ending,
                ],
                "duty": list(duties),
            }
        ],
    }


def until(days: int) -> dict[str, Any]:
    """The constraint that a right ends so many days from now, by the clock of the tests or the real one."""
    moment = clock.to_text((max(NOW, clock.now()) + days * 24 * HOUR) // SECOND * SECOND)
    right = {"@value": moment, "@type": "xsd:dateTime"}
    return {"leftOperand": "dateTime", "operator": "lteq", "rightOperand": right}


def pay(cents: int, per: int, unit: str) -> dict[str, Any]:
    """The duty to pay so many cents for so many uses, months or agreements."""
    given = {"dmi:cents": cents, "dmi:per": per, "dmi:chargedUnit": unit}
    parts = [{"leftOperand": name, "operator": "eq", "rightOperand": value} for name, value in given.items()]
    return {"action": "dmi:pay", "constraint": parts}


def delay(seconds: int) -> dict[str, Any]:
    """The duty to withhold rows."""
    value = {"@value": str(seconds), "@type": "xsd:integer"}
    test = {"leftOperand": "dmi:seconds", "operator": "eq", "rightOperand": value, "unit": "s"}
    return {"action": "dmi:delay", "constraint": [test]}


class Court:
    """A law table with participants and two datasets, a gate before it, and what the gate recorded."""

    def __init__(self) -> None:
        self.clock = FakeClock()
        self.records: list[DecisionRecord | Lineage] = []
        self.law = LawTable(rulebook())
        for identifier in (OWNER, STACK, VENDOR, NOOR, PIET):
            self.law.apply(Participant(identifier, identifier, [], rulebook="1.0.0"))
        self.law.apply(Dataset(GARAGES, OWNER, {"nl": "Garages"}, purpose=MOBILITY))
        self.law.apply(Dataset(BICYCLES, OWNER, {"nl": "Lucht"}, personal=True, purpose=MOBILITY))
        self.beat()
        self.record: Callable[[DecisionRecord | Lineage], None] = self.records.append
        self.gate = Gate(
            "platform",
            STACK,
            self.law,
            lambda r: self.record(r),
            Projection(),
            Metrics("platform"),
            self.clock,
        )

    def beat(self) -> None:
        self.law.apply(Heartbeat("urn:dmi:heartbeat", self.clock()))

    def agree(self, assignee: str, *actions: str, dataset: str = GARAGES, **more: Any) -> AgreementState:
        text = document(more.pop("assigner", OWNER), assignee, dataset, actions, **more)
        state = AgreementState(str(text["uid"]), text, "active", concluded_at=self.clock())
        self.law.apply(state)
        return state

    def end(self, state: AgreementState) -> None:
        self.law.apply(msgspec.structs.replace(state, state="ended", ended_at=self.clock(), ended_by=OWNER))

    def decisions(self) -> list[DecisionRecord]:
        return [record for record in self.records if isinstance(record, DecisionRecord)]
