"""Reading through the gate: what may be analysed is kept, nothing else."""

from __future__ import annotations

import dataclasses
import itertools
import uuid

import pytest

from dmi_agreements.contracts.envelope import Envelope, encode
from dmi_agreements.contracts.features import Feature, FeatureBatch
from dmi_agreements.contracts.law import Dataset, Heartbeat
from dmi_agreements.contracts.observations import CORRECTED, ObservationBatch
from dmi_agreements.contracts.record import DecisionRecord
from dmi_agreements.contracts.results import Lineage
from dmi_infra.bus.port import Message, Received
from dmi_infra.errors import Unavailable
from dmi_infra.gate import Gate
from dmi_support_centre.consumer import (
    FEATURES,
    FLOOD_SECONDS,
    HARMONISED,
    LONGEST_FLOOD,
    AnalysisHandler,
    Flow,
)
from dmi_support_centre.store import Store, observations
from tests.unit.support_centre.laws import GARAGES, NOOR, OWNER, PIET, Agree

_offsets = itertools.count()


def envelope(kind: str = "t", subject: str = "") -> Envelope:
    return Envelope(str(uuid.uuid4()), "s", kind, "2026-01-01T00:00:00Z", subject)


def received(topic: str, payload: object) -> Received:
    return Received(topic, 0, next(_offsets), Message("k", encode(payload), envelope()))


def occupancy(prop: str = "occupancy") -> Received:
    batch = ObservationBatch(GARAGES, [f"garages.a.{prop}"], [1_000], [5.0], observed_property=[prop])
    return received(HARMONISED, batch)


@pytest.fixture
def told() -> list[str]:
    return []


@pytest.fixture
def handler(store: Store, gate: Gate, told: list[str]) -> AnalysisHandler:
    return AnalysisHandler(
        store.observations,
        gate,
        Flow(),
        lambda: told.append("features"),
        lambda: told.append("readings"),
        lambda request: told.append(f"corrected {request}"),
    )


def test_allowed_observations_are_kept_with_the_agreement_that_they_came_in_under(
    handler: AnalysisHandler, store: Store, agree: Agree, told: list[str]
) -> None:
    made = agree(1)
    message = occupancy()
    handler.handle([message])
    assert [q.mean for q in store.observations.quarters(GARAGES, 0)] == [5.0]
    assert store.observations.basis(GARAGES) == {made.id}
    assert store.observations.positions() == {(HARMONISED, 0): message.offset + 1}
    assert told == ["readings"]


def test_an_erasure_is_taken_also_when_nothing_may_be_analysed(
    handler: AnalysisHandler, store: Store
) -> None:
    home = Feature("garages.a", "parking", "Oprit van Jan", None, {}, 3)
    gone = Feature("garages.a", "address", "erased", valid_to=4, replaces_all=True)
    store.observations.save([(GARAGES, home)], [], {}, {})
    handler.handle([received(FEATURES, FeatureBatch(GARAGES, [gone, Feature("garages.b", "parking", "B")]))])
    assert store.observations.features("parking") == []


@pytest.mark.parametrize("together", [True, False])
def test_a_batch_that_was_published_twice_counts_once(
    handler: AnalysisHandler, store: Store, agree: Agree, together: bool
) -> None:
    """As after a process that was killed when it had published and before it had noted that."""
    agree(1)
    first = occupancy()
    copy, other = dataclasses.replace(first, offset=next(_offsets)), occupancy()
    for messages in [[first, copy, other]] if together else [[first], [copy, other]]:
        handler.handle(messages)
    assert [(q.readings, q.total) for q in store.observations.quarters(GARAGES, 0)] == [(2, 10.0)]
    assert store.observations.positions() == {(HARMONISED, 0): other.offset + 1}


def test_a_message_that_could_not_be_stored_is_no_copy_when_it_comes_again(
    handler: AnalysisHandler, store: Store, agree: Agree, monkeypatch: pytest.MonkeyPatch
) -> None:
    agree(1)
    message = occupancy()
    with monkeypatch.context() as broken:
        broken.setattr(observations, "save_positions", _fails)
        with pytest.raises(RuntimeError):
            handler.handle([message])
    handler.handle([message])
    assert [q.readings for q in store.observations.quarters(GARAGES, 0)] == [1]


def _fails(*_: object) -> None:
    raise RuntimeError("the disk is full")


def test_a_corrected_quarter_takes_the_place_of_the_old_one_and_tells_which_request_asked_for_it(
    handler: AnalysisHandler, store: Store, agree: Agree, told: list[str]
) -> None:
    agree(1)
    handler.handle([occupancy()])
    again = occupancy()
    batch = ObservationBatch(
        GARAGES, ["garages.a.occupancy"], [1_000], [7.0], observed_property=["occupancy"]
    )
    told_of = envelope(CORRECTED, "urn:uuid:asked")
    handler.handle([dataclasses.replace(again, message=Message("k", encode(batch), told_of))])
    assert [q.mean for q in store.observations.quarters(GARAGES, 0)] == [7.0]
    assert told == ["readings", "readings", "corrected urn:uuid:asked"]


@pytest.mark.parametrize("prop", ["occupancy", "crowd_count"])
@pytest.mark.parametrize("flags", [None, {"range": [1, 4]}])
@pytest.mark.parametrize("together", [True, False])
def test_a_correction_to_no_value_takes_the_reading_back(
    handler: AnalysisHandler, store: Store, agree: Agree, told: list[str], prop: str,
    flags: dict[str, list[int]] | None, together: bool,
) -> None:  # fmt: skip
    agree(1)

    def rows(kind: str, values: list[float | None], tests: dict[str, list[int]] | None = None) -> Received:
        batch = ObservationBatch(
            GARAGES,
            [f"garages.a.{prop}"] * 2,
            [1_000, 2_000],
            values,
            observed_property=[prop] * 2,
            flags=tests,
        )
        envelope = Envelope(
            f"{kind} {next(_offsets)}", "s", kind, "2026-01-01T00:00:00Z", subject="urn:uuid:asked"
        )
        return dataclasses.replace(occupancy(), message=Message("k", encode(batch), envelope))

    wrong = rows("t", [5.0, 999.0])
    right = rows(CORRECTED, [5.0, 999.0 if flags else None], flags)
    for messages in ([wrong, right],) if together else ([wrong], [right]):
        handler.handle(messages)
    kept = store.observations
    assert [one.value for one in kept.recent(GARAGES, prop)] == [5.0]
    counted = kept.counts([f"garages.a.{prop}"], 0, 9_000)
    assert [one.value for one in counted] == ([5.0] if prop == "crowd_count" else [])
    assert [one.total for one in kept.quarters(GARAGES, 0)] == ([5.0] if prop == "occupancy" else [])
    before = told.count("readings")
    handler.handle([rows(CORRECTED, [None, None])])
    assert (kept.recent(GARAGES, prop), kept.quarters(GARAGES, 0)) == ([], [])
    assert told.count("readings") == before + 1, "what shows the newest looks again"


@pytest.mark.parametrize("others", [True, False])
def test_what_a_correction_says_was_wrong_is_used_no_more_also_when_it_comes_between_two_consents(
    handler: AnalysisHandler, store: Store, gate: Gate, agree: Agree, told: list[str], others: bool
) -> None:
    gate.law.apply(Dataset(GARAGES, OWNER, {"nl": "Garages"}, personal=True))

    def rows(kind: str, value: float) -> Received:
        batch = ObservationBatch(
            GARAGES,
            ["garages.a.occupancy"],
            [1_000],
            [value],
            observed_property=["occupancy"],
            subject=[NOOR],
        )
        sent = Message("k", encode(batch), envelope(kind, "urn:uuid:asked"))
        return Received(HARMONISED, 0, next(_offsets), sent)

    agree(1)
    agree(2, assigner=NOOR)
    if others:
        agree(3, assigner=PIET)
    handler.handle([rows("t", 999.0)])
    agree(2, assigner=NOOR, state="ended")
    handler.handle([rows(CORRECTED, 5.0)])
    kept = store.observations
    assert (kept.quarters(GARAGES, 0), kept.recent(GARAGES, "occupancy")) == ([], [])
    assert told[-2:] == ["readings", "corrected urn:uuid:asked"]


def test_a_row_that_comes_in_the_same_poll_behind_its_correction_counts_once(
    handler: AnalysisHandler, store: Store, agree: Agree
) -> None:
    """Two partitions have no order."""
    agree(1)
    late = dataclasses.replace(occupancy(), partition=1)
    right = occupancy()
    corrected = envelope(CORRECTED, "urn:uuid:asked")
    sent = dataclasses.replace(right.message, envelope=corrected)
    handler.handle([dataclasses.replace(right, message=sent), late])
    assert [one.readings for one in store.observations.quarters(GARAGES, 0)] == [1]


def test_refused_observations_are_not_kept_and_the_position_moves_on(
    handler: AnalysisHandler, store: Store, recorded: list[DecisionRecord | Lineage], told: list[str]
) -> None:
    handler.handle([occupancy()])
    assert store.observations.quarters(GARAGES, 0) == []
    assert len(store.observations.positions()) == 1
    assert [r.allowed for r in recorded if isinstance(r, DecisionRecord)] == [False]
    assert told == []


def test_what_no_analysis_uses_is_not_even_asked_for(
    handler: AnalysisHandler, agree: Agree, recorded: list[DecisionRecord | Lineage]
) -> None:
    agree(1)
    handler.handle([occupancy("pm2_5")])
    assert recorded == []


def test_without_a_fresh_law_the_data_waits_instead_of_being_lost(
    handler: AnalysisHandler, store: Store, gate: Gate, agree: Agree
) -> None:
    agree(1)
    gate.law.apply(Heartbeat("urn:dmi:heartbeat", 0))
    with pytest.raises(Unavailable):
        handler.handle([occupancy()])
    assert store.observations.positions() == {}


def test_features_of_other_kinds_are_left_out(
    handler: AnalysisHandler, store: Store, agree: Agree, told: list[str]
) -> None:
    agree(1)
    stop, garage = Feature("s", "stop", "Halte"), Feature("g", "parking", "Garage")
    handler.handle([received(FEATURES, FeatureBatch(GARAGES, [stop, garage]))])
    assert [f.id for _, f in store.observations.features("stop", "parking")] == ["g"]
    assert told == ["features"]


def test_a_message_that_cannot_be_read_is_passed_over(handler: AnalysisHandler, store: Store) -> None:
    message = Received(FEATURES, 0, 7, Message("k", b"{", envelope()))
    handler.reject(message, "not JSON")
    assert store.observations.positions() == {(FEATURES, 0): 8}


def test_a_flood_of_history_is_told_from_the_trickle_of_live_data() -> None:
    clock = [0.0]
    flow = Flow(lambda: clock[0])
    flow.add(5_000)
    assert not flow.settled()
    clock[0] = 4.0
    flow.add(9)
    assert flow.settled()
    assert flow.total == 5_009


def test_a_flood_that_never_ends_is_what_comes_in_here() -> None:
    clock = [0.0]
    flow = Flow(lambda: clock[0])

    def flood(until: float) -> list[bool]:
        seen = []
        while clock[0] < until:
            flow.add(1_000)
            seen.append(flow.settled())
            clock[0] += 1.0
        return seen

    assert not any(flood(LONGEST_FLOOD))
    assert all(flood(LONGEST_FLOOD + 60))
    clock[0] += FLOOD_SECONDS + 1
    assert flow.settled()
    assert not any(flood(clock[0] + 60)), "the next one counts anew"
