"""What the map takes in: what it may hold, when the law is known; until then all of it waits."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import msgspec
import pytest

from dmi_agreements.contracts.envelope import encode
from dmi_agreements.contracts.features import Feature, FeatureBatch
from dmi_agreements.contracts.law import AgreementState
from dmi_agreements.contracts.observations import CORRECTED, ObservationBatch
from dmi_infra.bus.port import Message, Received
from dmi_infra.errors import Unavailable
from dmi_infra.sql import migrate, open_engine
from dmi_visualisation.consumer import FEATURES, HARMONISED, MapHandler
from dmi_visualisation.live import LiveMap
from dmi_visualisation.model import BUCKET
from dmi_visualisation.store import Store
from tests.unit.infra.fakes import BICYCLES, GARAGES, NOOR, NOW, PIET, SECOND, STACK, Court, message
from tests.unit.visualisation.samples import CENTRE, place

BIKE = "bike.noor.pm2_5"
MESSAGES = (
    Received(FEATURES, 0, 0, message(encode(FeatureBatch(GARAGES, [place("garages.a", "stop", "Centrum")])))),
    Received(HARMONISED, 0, 0, message(encode(ObservationBatch(GARAGES, [CENTRE], [NOW], [7.0])))),
)


@pytest.fixture
def court() -> Court:
    return Court()


@pytest.fixture
def live() -> LiveMap:
    return LiveMap()


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    engine = open_engine(f"sqlite:///{tmp_path / 'visualisation.db'}", "visualisation")
    migrate(engine, "dmi_visualisation")
    yield Store(engine)
    engine.dispose()


@pytest.fixture
def handler(store: Store, court: Court, live: LiveMap) -> MapHandler:
    return MapHandler(store, live, court.gate)


@pytest.mark.parametrize("known", [False, True], ids=["missing", "stale"])
@pytest.mark.parametrize("received", MESSAGES, ids=lambda received: str(received.topic))
def test_what_comes_while_the_law_is_not_known_waits_for_it(
    court: Court, live: LiveMap, handler: MapHandler, received: Received, known: bool
) -> None:
    court.agree(STACK, "dmi:process")
    if known:
        court.clock.at += 6 * SECOND
    else:
        court.law._heartbeat = None
    with pytest.raises(Unavailable):
        handler.handle([received])
    assert not handler.positions(), "the message comes again"
    court.beat()
    handler.handle([received])
    assert live.rows(GARAGES) or live.places(GARAGES)


@pytest.mark.parametrize("received", MESSAGES, ids=lambda received: str(received.topic))
def test_what_the_layer_may_not_hold_is_passed_over(
    live: LiveMap, handler: MapHandler, received: Received
) -> None:
    handler.handle([received])
    assert live.rows(GARAGES) + live.places(GARAGES) == []
    assert handler.positions()[(received.topic, 0)] == 1


@pytest.mark.parametrize("together", [True, False])
def test_a_batch_that_was_published_twice_is_charted_once(
    court: Court, store: Store, handler: MapHandler, together: bool
) -> None:
    """As after a process that was killed when it had published and before it had noted that."""
    court.agree(STACK, "dmi:process")
    first = message(encode(ObservationBatch(GARAGES, [CENTRE], [NOW], [7.0])))
    other = message(encode(ObservationBatch(GARAGES, [CENTRE], [NOW + SECOND], [1.0])))
    sent = [Received(HARMONISED, 0, n, one) for n, one in enumerate((first, other, first))]
    for messages in [sent] if together else [sent[:2], sent[2:]]:
        handler.handle(messages)
    [quarter] = store.quarters(CENTRE, NOW - BUCKET, NOW + BUCKET, 10)
    assert (quarter.readings, quarter.mean) == (2, 4.0)
    assert handler.positions()[(HARMONISED, 0)] == 3


def _sent(values: list[float], kind: str, partition: int = 0, offset: int = 0) -> Received:
    """Values of Noor's bicycle from ``NOW`` on, a second apart."""
    times = [NOW + n * SECOND for n in range(len(values))]
    batch = ObservationBatch(BICYCLES, [BIKE] * len(values), times, values, subject=[NOOR] * len(values))
    plain = message(encode(batch))
    envelope = msgspec.structs.replace(plain.envelope, type=kind)
    return Received(HARMONISED, partition, offset, Message(plain.key, plain.value, envelope))


def _riding(court: Court) -> AgreementState:
    """The layer may hold the bicycles' data; the consent of Noor to that."""
    court.agree(STACK, "dmi:process", dataset=BICYCLES)
    court.agree(STACK, "dmi:process", dataset=BICYCLES, assigner=PIET)
    return court.agree(STACK, "dmi:process", dataset=BICYCLES, assigner=NOOR)


@pytest.mark.parametrize("order", ["wrong right", "right late", "late wrong right", "wrong right late"])
def test_a_correction_and_the_rows_that_it_corrects_count_once_in_whatever_order_one_poll_has_them(
    court: Court, live: LiveMap, store: Store, handler: MapHandler, order: str
) -> None:
    _riding(court)
    sent = {
        "wrong": _sent([999.0, 4.0], "t"),
        "right": _sent([2.0, 4.0], CORRECTED, offset=1),
        "late": _sent([999.0, 4.0], "t", partition=1),
    }
    handler.handle([sent[name] for name in order.split()])
    [quarter] = store.quarters(BIKE, NOW - BUCKET, NOW + BUCKET, 10)
    assert (quarter.readings, quarter.maximum) == (2, 4.0)
    assert [one.result for one in live.rows(BICYCLES)] == [4.0]


def test_what_comes_behind_a_correction_and_is_not_in_it_counts_beside_it(
    court: Court, store: Store, handler: MapHandler
) -> None:
    _riding(court)
    new = _sent([2.0, 4.0, 6.0], "t", offset=1)
    handler.handle([_sent([2.0, 4.0], CORRECTED), new])
    [quarter] = store.quarters(BIKE, NOW - BUCKET, NOW + BUCKET, 10)
    assert (quarter.readings, quarter.maximum) == (3, 6.0)


@pytest.mark.parametrize("together", [True, False])
@pytest.mark.parametrize("others", [True, False])
def test_what_a_correction_says_was_wrong_is_kept_no_longer_also_when_it_comes_between_two_consents(
    court: Court, live: LiveMap, store: Store, handler: MapHandler, together: bool, others: bool
) -> None:
    hers = _riding(court)
    wrong, right = _sent([999.0], "t"), _sent([5.0], CORRECTED, offset=1)
    if not together:
        handler.handle([wrong])
    court.end(hers)
    if not others:
        for one in list(court.law.agreements.values()):
            court.end(one)
    handler.handle([wrong, right] if together else [right])
    assert store.quarters(BIKE, NOW - BUCKET, NOW + BUCKET, 10) == []
    assert store.newest() == live.rows(BICYCLES) == []


def test_an_erasure_is_taken_also_when_the_layer_may_hold_nothing_more(
    court: Court, live: LiveMap, store: Store, handler: MapHandler
) -> None:
    state = court.agree(STACK, "dmi:process")
    home = msgspec.structs.replace(place("garages.a", "stop", "Thuis bij Jan"), valid_from=NOW)
    gone = Feature("garages.a", "stop", "erased", valid_to=1, replaces_all=True)
    handler.handle([Received(FEATURES, 0, 0, message(encode(FeatureBatch(GARAGES, [home]))))])
    court.end(state)
    other = place("garages.b", "stop", "Halte")
    handler.handle([Received(FEATURES, 0, 1, message(encode(FeatureBatch(GARAGES, [gone, other]))))])
    assert store.features() == [(GARAGES, gone)]
    assert live.places(GARAGES) == []


def test_a_layer_without_an_agreement_takes_as_an_erasure_only_what_takes_away_from_its_own_dataset(
    court: Court, live: LiveMap, store: Store, handler: MapHandler
) -> None:
    state = court.agree(STACK, "dmi:process")
    home = place("garages.a", "stop", "Halte")
    handler.handle([Received(FEATURES, 0, 0, message(encode(FeatureBatch(GARAGES, [home]))))])
    court.end(state)
    gone = Feature("garages.a", "stop", "erased", valid_to=1, replaces_all=True)
    moved = msgspec.structs.replace(home, name="Elders", replaces_all=True)
    unknown = Feature("garages.new", "stop", "Nieuw", replaces_all=True)
    sent = [FeatureBatch(BICYCLES, [gone]), FeatureBatch(GARAGES, [moved, unknown])]
    handler.handle([Received(FEATURES, 0, n, message(encode(one))) for n, one in enumerate(sent, 1)])
    assert store.features() == [(GARAGES, home)]
    assert live.places(GARAGES) == [home]
    assert live.places(BICYCLES) == []
