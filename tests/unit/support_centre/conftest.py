"""A small law, a gate over it, and a store, for the tests of the support centre."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from dmi_agreements.contracts.features import Feature
from dmi_agreements.contracts.law import AgreementState, Dataset, Heartbeat, Participant
from dmi_agreements.contracts.record import DecisionRecord
from dmi_agreements.contracts.results import Lineage
from dmi_agreements.rulebook import parse_rulebook
from dmi_agreements.table import LawTable
from dmi_infra import clock
from dmi_infra.bus.port import Message
from dmi_infra.gate import Gate
from dmi_infra.geo import Projection
from dmi_infra.http.access import Opening
from dmi_infra.identity import Identity
from dmi_infra.sql import migrate, open_engine
from dmi_infra.telemetry import Metrics
from dmi_support_centre.atlas import Atlas
from dmi_support_centre.grounds import Book
from dmi_support_centre.measuring import Measures
from dmi_support_centre.ruling import Ruling
from dmi_support_centre.store import Store
from tests.unit.infra.fakes import never_ended
from tests.unit.support_centre.laws import (
    AREAS,
    GARAGES,
    OWNER,
    RULEBOOK,
    STACK,
    VENDOR,
    Agree,
    Times,
    agreement_of,
)


@pytest.fixture
def law() -> LawTable:
    """Three members, two datasets, a fresh heartbeat, no agreements."""
    table = LawTable(parse_rulebook({path.name: path.read_bytes() for path in RULEBOOK.glob("*.json")}))
    for identifier, role in ((OWNER, "municipality"), (STACK, "operator"), (VENDOR, "vendor")):
        table.apply(Participant(identifier, identifier, [f"dmi:role:{role}"], rulebook="1.0.0"))
    table.apply(Dataset(GARAGES, OWNER, {"nl": "Garages"}))
    table.apply(Dataset(AREAS, OWNER, {"nl": "Buurten"}))
    table.apply(Heartbeat("urn:dmi:heartbeat", clock.now()))
    return table


@pytest.fixture
def agree(law: LawTable) -> Agree:
    """Conclude an agreement, or with ``state="ended"`` end it."""

    def conclude(number: int, **parts: Any) -> AgreementState:
        made = agreement_of(number, **parts)
        law.apply(made)
        return made

    return conclude


@pytest.fixture
def recorded() -> list[DecisionRecord | Lineage]:
    """What the gate recorded."""
    return []


@pytest.fixture
def gate(law: LawTable, recorded: list[DecisionRecord | Lineage]) -> Gate:
    """The gate of the support centre; its clock stands still, so that a slow machine does not age the law."""
    moment = clock.now()
    metrics = Metrics("support-centre")
    return Gate("support-centre", STACK, law, recorded.append, Projection(), metrics, lambda: moment)


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    """An empty store."""
    engine: sa.Engine = open_engine(f"sqlite:///{tmp_path / 'support_centre.db'}", "support_centre")
    migrate(engine, "dmi_support_centre")
    yield Store(engine)
    engine.dispose()


@pytest.fixture
def opening(gate: Gate) -> Callable[..., Opening]:
    """A caller's door to a crossing."""

    def open_for(participant: str = OWNER, crossing: str = "indicators", action: str = "dmi:read") -> Opening:
        identity = Identity(participant, "Mei Lin", frozenset({"dmi:role:analyst"}))
        return Opening(gate, identity, crossing, action, None, never_ended)

    return open_for


@pytest.fixture
def times() -> Times:
    """What time it is in the city."""
    return Times()


@pytest.fixture
def told() -> list[Message]:
    """What measures were told of."""
    return []


@pytest.fixture
def measures(store: Store, gate: Gate, times: Times, told: list[Message], agree: Agree) -> Measures:
    """Measures for a garage and a hub, whose data may be used under agreement 1."""
    agree(1)
    for slug, use in (("centrum", "shopping"), ("pr-noord", "park-and-ride")):
        about = {"capacity": 100, "use": use}
        stream = {**about, "thing": f"garages.{slug}", "observed_property": "occupancy"}
        features = [
            Feature(f"garages.{slug}", "parking", slug, None, about),
            Feature(f"garages.{slug}.occupancy", "datastream", slug, None, stream),
        ]
        store.observations.save([(GARAGES, feature) for feature in features], [], {}, {})
    atlas, book = Atlas(store.observations, gate.law), Book(store, gate)

    def tell(message: Message) -> list[dict[str, Any]]:
        told.append(message)
        return []

    ruling = Ruling(store, atlas, book, "Europe/Amsterdam")
    return Measures(store, atlas, gate, book, times, tell, lambda: None, ruling)
