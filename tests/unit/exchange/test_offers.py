"""What this node offers others: what could never be used is told of when it is asked for."""

from __future__ import annotations

from collections.abc import Iterator
from types import SimpleNamespace
from typing import cast

import pytest

from dmi_agreements.contracts.law import Participant
from dmi_agreements.dsp.messages import Message
from dmi_exchange.dsp.imports import Imports
from dmi_exchange.dsp.negotiation import Negotiations
from dmi_exchange.dsp.offers import Offer
from dmi_exchange.dsp.shelf import StoreShelf
from dmi_exchange.dsp.steps import Steps
from dmi_exchange.errors import StepRefused
from dmi_exchange.handlers import Exchange
from dmi_infra.http.language import current_language
from dmi_infra.http.stories import story
from dmi_infra.sql import open_engine
from tests.unit.exchange.fakes import BICYCLES, GARAGES, MUNICIPALITY, OWNER, VENDOR, Node

ABROAD = "urn:dmi:participant:asks-from-abroad"


@pytest.fixture
def shelf(node: Node) -> Iterator[StoreShelf]:
    exchange = cast(Exchange, node.service.app.state.exchange)
    member = Participant(ABROAD, "Abroad", [MUNICIPALITY], rulebook="1.0.0", home="http://b.example/exchange")
    exchange.settle(Participant, ABROAD, lambda _known: member)
    engine = open_engine(node.settings.store_address("exchange"), "exchange")
    yield StoreShelf(engine, exchange, cast(Imports, None), ())
    engine.dispose()


def test_data_that_rests_on_consent_is_of_use_to_members_of_this_node_alone(shelf: StoreShelf) -> None:
    assert "does not go to another city" in (shelf.useless(BICYCLES, ABROAD) or "")
    assert shelf.useless(BICYCLES, VENDOR) is None
    assert shelf.useless(GARAGES, ABROAD) is None


def test_who_asks_for_what_could_never_flow_is_refused_before_anything_is_negotiated(
    shelf: StoreShelf, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(shelf, "offer", lambda _id: Offer("urn:uuid:1", BICYCLES, OWNER, {}))
    # Nothing is begun: there are no steps to take.
    use = Negotiations(cast(Steps, None), shelf, "http://a.example/dsp", lambda _address, _peer: None)
    body = {
        "offer": {"@id": "urn:uuid:1", "target": BICYCLES},
        "consumerPid": "p",
        "callbackAddress": "http://b",
    }
    with pytest.raises(StepRefused, match=r"^/offer/target: data that rests on consent") as refused:
        use.requested(cast(Message, SimpleNamespace(body=body)), ABROAD)
    token = current_language.set("nl")
    try:
        told = story(f"the provider refused ContractRequestMessage: 400: rule: {refused.value}")
    finally:
        current_language.reset(token)
    assert told.startswith("Gegevens met toestemming gaan niet naar een andere stad")
