"""What this node lets its participants sign of another node's agreements, and takes into its law."""

from __future__ import annotations

import copy
import json
import uuid
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any, cast

import msgspec
import pytest

from dmi_agreements.contracts.law import Dataset, Participant
from dmi_agreements.dsp import states
from dmi_agreements.dsp.terms import DATASET, DOCUMENT, SIGNATURE, rules_of
from dmi_exchange.dsp.client import Answer, Client
from dmi_exchange.dsp.imports import Imports
from dmi_exchange.dsp.process import Process
from dmi_exchange.dsp.shelf import StoreShelf
from dmi_exchange.errors import ReviewRefused
from dmi_exchange.handlers import Exchange
from dmi_infra import clock
from dmi_infra.errors import Conflict, InputRefused
from tests.unit.exchange.fakes import BICYCLES, GARAGES, OWNER, VENDOR, Node

MOBILITY = "dmi:purpose:mobility"


@pytest.fixture
def exchange(node: Node) -> Exchange:
    return cast(Exchange, node.service.app.state.exchange)


@pytest.fixture
def imports(exchange: Exchange) -> Imports:
    return Imports(exchange, cast(Client, None))


def _offered(exchange: Exchange) -> dict[str, Any]:
    given = {
        "assigner": OWNER,
        "assignee": VENDOR,
        "datasets": [GARAGES],
        "actions": ["dmi:read"],
        "purpose": MOBILITY,
    }
    return exchange.draft("sensor-data", given)


def _agreed(node: Node, document: dict[str, Any], offer: dict[str, Any]) -> Process:
    agreement = {
        "@id": document["uid"], "assigner": OWNER, "assignee": VENDOR, "target": GARAGES, **rules_of(document),
        DOCUMENT: document, SIGNATURE: node.keys[OWNER].sign_document(document),
    }  # fmt: skip
    now = clock.now()
    return Process(
        id="urn:uuid:1", kind="negotiation", role="consumer", owner=VENDOR, peer=OWNER, address="https://b.example",
        begun_at=now, changed_at=now, state=states.AGREED, dataset=GARAGES, offer=offer, agreement=agreement,
        agreement_id=document["uid"], signatures={VENDOR: node.keys[VENDOR].sign_document(document)},
    )  # fmt: skip


def _shelf(exchange: Exchange, imports: Imports) -> StoreShelf:
    return StoreShelf(cast(Any, None), exchange, imports, ())


def test_a_document_of_the_offer_may_be_signed(node: Node, exchange: Exchange, imports: Imports) -> None:
    document = _offered(exchange)
    found = _shelf(exchange, imports).document(_agreed(node, document, rules_of(document)))
    assert found == document


def _price(document: dict[str, Any]) -> None:
    """A rule that takes the action of the whole policy, and the terms in the message do not tell."""
    pay = [("dmi:cents", "999999"), ("dmi:per", "1")]
    constraints: list[dict[str, Any]] = [
        {"leftOperand": name, "operator": "eq", "rightOperand": {"@value": value, "@type": "xsd:integer"}}
        for name, value in pay
    ]
    constraints.append({"leftOperand": "dmi:chargedUnit", "operator": "eq", "rightOperand": "once"})
    purpose = {"leftOperand": "purpose", "operator": "isA", "rightOperand": MOBILITY}
    hidden = {
        "target": [GARAGES], "constraint": [purpose], "duty": [{"action": "dmi:pay", "constraint": constraints}],
    }  # fmt: skip
    document["action"] = "dmi:export"
    document["permission"].append(hidden)


def _inherited(document: dict[str, Any]) -> None:
    purpose = {"leftOperand": "purpose", "operator": "isA", "rightOperand": MOBILITY}
    forbidden = {"target": GARAGES, "action": "dmi:read", "constraint": [purpose]}
    document["inheritFrom"] = [{"@type": "Set", "uid": "urn:x:1", "prohibition": [forbidden]}]


def _version(document: dict[str, Any]) -> None:
    document["dmi:rulebook"] = "0.9.0"


@pytest.mark.parametrize("change", [_price, _inherited, _version])
def test_what_was_not_negotiated_is_not_signed(
    node: Node, exchange: Exchange, imports: Imports, change: Callable[[dict[str, Any]], None]
) -> None:
    document = _offered(exchange)
    offer = rules_of(document)
    changed = copy.deepcopy(document)
    change(changed)
    shelf = _shelf(exchange, imports)
    with pytest.raises(InputRefused):
        shelf.verification(_agreed(node, changed, offer), None)


def test_a_member_signs_under_the_version_that_it_accepted(
    node: Node, exchange: Exchange, imports: Imports, monkeypatch: pytest.MonkeyPatch
) -> None:
    document = _offered(exchange)
    process = _agreed(node, document, rules_of(document))
    earlier = exchange.participant(VENDOR)
    monkeypatch.setattr(
        exchange, "participant", lambda _id: msgspec.structs.replace(earlier, rulebook="0.9.0")
    )
    with pytest.raises(InputRefused, match=r"the version that you signed: 0\.9\.0"):
        imports.check(process, document)


def test_another_agreement_of_the_same_id_is_neither_signed_nor_kept(
    node: Node, exchange: Exchange, imports: Imports
) -> None:
    first = _offered(exchange)
    node.propose(first)
    node.settle()
    second = {**_offered(exchange), "uid": first["uid"]}
    second["permission"] = [{**second["permission"][0], "action": ["dmi:read", "dmi:display"]}]
    process = _agreed(node, second, rules_of(second))
    for step in (lambda: imports.check(process, second), lambda: imports.keep(process)):
        with pytest.raises(Conflict, match="another agreement"):
            step()
    other = {**first, "uid": f"urn:uuid:{uuid.uuid4()}"}
    imports.check(_agreed(node, other, rules_of(other)), other)


def test_an_agreement_without_a_document_takes_no_id_that_the_law_has(
    node: Node, exchange: Exchange, imports: Imports
) -> None:
    first = _offered(exchange)
    node.propose(first)
    node.settle()
    shelf = _shelf(exchange, imports)
    process = _agreed(node, first, rules_of(first))
    for uid in (first["uid"], f"urn:uuid:{uuid.uuid4()}"):
        bare = {name: value for name, value in process.agreement.items() if name not in (DOCUMENT, SIGNATURE)}
        foreign = msgspec.structs.replace(process, agreement={**bare, "@id": uid}, agreement_id=uid)
        if uid == first["uid"]:
            with pytest.raises(Conflict, match="another agreement"):
                shelf.verification(foreign, None)
        else:
            assert shelf.verification(foreign, None) == {}


def test_a_dataset_enters_the_law_with_an_agreement_that_may_be_signed_alone(
    node: Node, exchange: Exchange, monkeypatch: pytest.MonkeyPatch
) -> None:
    get, elsewhere = exchange.store.get, f"{GARAGES}-elders"
    told: dict[str, Any] = {}

    def abroad(kind: type, identifier: str) -> object:
        found = get(kind, identifier)
        at_home = not isinstance(found, Participant) or found.id != OWNER
        return found if at_home else msgspec.structs.replace(found, home="https://b.example")

    monkeypatch.setattr(exchange.store, "get", abroad)
    client: Any = SimpleNamespace(ask=lambda *_: Answer(200, told, {}))
    shelf = _shelf(exchange, Imports(exchange, client))
    document = json.loads(json.dumps(_offered(exchange)).replace(GARAGES, elsewhere))
    agreed = _agreed(node, document, rules_of(document))
    process = msgspec.structs.replace(
        agreed, dataset=elsewhere, agreement={**agreed.agreement, "target": elsewhere}
    )
    for like, enters in ((BICYCLES, False), (GARAGES, True)):
        entry = msgspec.structs.replace(exchange.dataset(like), id=elsewhere)
        told[DATASET] = msgspec.to_builtins(entry)
        if enters:
            assert shelf.document(process) == document
        else:
            with pytest.raises(ReviewRefused):
                shelf.document(process)
        assert (get(Dataset, elsewhere) is not None) == enters
