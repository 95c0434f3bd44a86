"""What the map takes in: what it may hold, when the law is known; until then all of it waits."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import msgspec
import pytest

from dmi_agreements.contracts.envelope import encode
from dmi_agreements.contracts.features import Feature, FeatureBatch
from dmi_agreements.contracts.observations import ObservationBatch
from dmi_infra.bus.port import Received
from dmi_infra.errors import Unavailable
from dmi_infra.sql import migrate, open_engine
from dmi_visualisation.consumer import FEATURES, HARMONISED, MapHandler
from dmi_visualisation.live import LiveMap
from dmi_visualisation.model import BUCKET
from dmi_visualisation.store import Store
from tests.unit.infra.fakes import BICYCLES, GARAGES, NOW, SECOND, STACK, Court, message
from tests.unit.visualisation.samples import CENTRE, place

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
