"""The door: gate first, then durable, and what is used is known."""

from __future__ import annotations

import asyncio
import threading

import pytest

from dmi_agreements.contracts.observations import ObservationBatch
from dmi_infra.errors import Refused, Unavailable
from dmi_infra.gate import Passed, Permit
from dmi_infra.telemetry import Metrics
from dmi_ingest.intake import Contributor, Intake
from dmi_ingest.registry import Registry
from dmi_ingest.sensorthings.gathering import Gathering, Observation
from dmi_ingest.store.features import KnownStream
from tests.unit.ingest.fakes import BICYCLES, GARAGES, GEMEENTE, STACK, VENDOR, FakeBus, FakeGate, FakeStreams

OFFICER = Contributor(GEMEENTE, "dmi:purpose:mobility")


class Door:
    """An intake on fakes."""

    def __init__(self) -> None:
        self.gate = FakeGate({GARAGES: {GEMEENTE, STACK}, BICYCLES: {GEMEENTE}})
        self.bus = FakeBus()
        self.streams = FakeStreams(
            {"a": KnownStream(GARAGES, None, False), "b": KnownStream(GARAGES, None, True)}
        )
        registry = Registry(self.streams, lambda dataset: dataset == BICYCLES)
        registry.load()
        self.intake = Intake(self.gate, self.bus, registry, Metrics("ingest"))


def batch(
    streams: list[str], dataset: str = GARAGES, subject: list[str | None] | None = None
) -> ObservationBatch:
    rows = len(streams)
    return ObservationBatch(dataset, streams, list(range(rows)), [1.0] * rows, subject=subject, batch_id="b1")


def test_a_batch_is_on_the_bus_with_its_ground_in_the_envelope() -> None:
    door = Door()
    assert asyncio.run(door.intake.take(OFFICER, [batch(["a", "a"])])) == [set()]
    topic, message = door.bus.published[0]
    assert topic == "dmi.observations.raw.v1"
    assert message.key.startswith(f"{GARAGES}/")
    envelope = message.envelope
    assert (envelope.dataset, envelope.purpose, envelope.agreement) == (
        GARAGES,
        OFFICER.purpose,
        "urn:uuid:agreement",
    )
    assert door.bus.batches()[0].batch_id == "b1"


def test_a_refusal_of_one_dataset_hands_over_nothing() -> None:
    door = Door()
    vendor = Contributor(VENDOR, "dmi:purpose:mobility")
    with pytest.raises(Refused):
        asyncio.run(door.intake.take(vendor, [batch(["a"])]))
    assert door.bus.published == []
    assert door.streams.marked == []


def test_a_datastream_is_marked_once_before_its_first_observation() -> None:
    door = Door()
    door.intake.take_now(OFFICER, batch(["a", "b"]))
    door.intake.take_now(OFFICER, batch(["a", "b"]))
    assert door.streams.marked == ["a"]


def test_the_operator_of_the_layer_needs_a_right_to_contribute_of_its_own() -> None:
    door = Door()
    door.intake.permit(Contributor(STACK, "p"), GARAGES, 1)
    assert [(asked[1], asked[4]) for asked in door.gate.asked] == [
        ("dmi:contribute", None),
        ("dmi:contribute", STACK),
    ]


def test_rows_without_consent_are_withheld_by_number() -> None:
    door = Door()
    door.gate.consenting.add("urn:dmi:person:noor")
    rows = batch(["a", "a", "a"], BICYCLES, ["urn:dmi:person:noor", None, "urn:dmi:person:bob"])
    assert door.intake.take_now(OFFICER, rows) == {1, 2}
    assert door.bus.rows() == [("a", 0, 1.0)]
    assert door.intake.take_now(OFFICER, batch(["a"], BICYCLES)) == {0}
    assert len(door.bus.published) == 1


def observation(time: int) -> Observation:
    return Observation("a", time, float(time), None, None, KnownStream(GARAGES, None, False))


def test_observations_that_come_together_travel_together_in_order() -> None:
    door = Door()

    async def load() -> list[bool]:
        gathering = Gathering(door.intake)
        return await asyncio.gather(*(gathering.take(OFFICER, observation(n)) for n in range(40)))

    assert asyncio.run(load()) == [False] * 40
    assert [row[1] for row in door.bus.rows()] == list(range(40))
    assert len(door.bus.published) == 1
    assert door.gate.asked[0][-1] == 40


def test_every_one_of_a_group_hears_its_failure_and_the_next_group_goes_on() -> None:
    door = Door()
    door.bus.away = True

    async def load() -> list[object]:
        gathering = Gathering(door.intake)
        failed = await asyncio.gather(
            *(gathering.take(OFFICER, observation(n)) for n in range(3)), return_exceptions=True
        )
        door.bus.away = False
        await gathering.take(OFFICER, observation(9))
        return list(failed)

    assert all(isinstance(found, Unavailable) for found in asyncio.run(load()))
    assert [row[1] for row in door.bus.rows()] == [9]


@pytest.mark.parametrize(("rows", "aside"), [(500, False), (501, True)])
def test_many_rows_of_persons_are_judged_aside_since_all_else_comes_in_on_the_event_loop(
    monkeypatch: pytest.MonkeyPatch, rows: int, aside: bool
) -> None:
    door = Door()
    judged: list[bool] = []
    loop = threading.get_ident()
    carry = door.gate.carry

    def noted(permit: Permit, given: ObservationBatch) -> Passed:
        judged.append(threading.get_ident() != loop)
        return carry(permit, given)

    monkeypatch.setattr(door.gate, "carry", noted)
    assert len(asyncio.run(door.intake.take(OFFICER, [batch(["a"] * rows, BICYCLES)]))[0]) == rows
    assert judged == [aside]
