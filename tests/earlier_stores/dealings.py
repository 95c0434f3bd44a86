"""What the exchange's store holds of persons, prices and transfers, for a capture of all its tables."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any
from unittest import mock

from dmi_agreements.contracts.law import AgreementState
from dmi_agreements.policy.document import read_agreement
from dmi_agreements.policy.terms import AgreementTerms
from dmi_command.client import Client
from dmi_exchange.flow.store import Flows
from dmi_exchange.store import Store
from dmi_exchange.transactions.billing import Billing
from dmi_exchange.transactions.store import Transactions
from dmi_infra import clock
from dmi_infra.jose import SigningKey
from dmi_infra.runtime import load_rulebook
from dmi_infra.settings import Settings
from dmi_infra.sql import open_engine
from tests.integration.newcomer import LAYERS, Newcomer
from tests.stack_plugin import EmbeddedStack

SECOND = 1_000_000
HOUR = 3600 * SECOND
PERSON = "urn:dmi:person:vroeger"
PURPOSE = "dmi:purpose:mobility"
READS = 70
"""Each makes some entries of the log: beyond 256 the exchange keeps hashes of spans of them."""


def done(answer: Any) -> Any:
    """What a request that must succeed was answered with."""
    assert answer.status_code < 300, answer.text
    return answer.json() if answer.content else None


def persons(stack: EmbeddedStack, owner: Newcomer, user: Newcomer) -> None:
    """Rows of a person that the user reads and the person has erased; a letter with a code; a long log."""
    key, dataset = SigningKey.generate(), owner.dataset("mensen")
    with stack.demo("operator") as operator:
        body = {"id": PERSON, "name": "Vroeger", "roles": ["dmi:role:resident"], "keys": [key.public]}
        operator.post("/exchange/v1/participants", body)
    time.sleep(0.3)
    person = Client(stack.url, participant=PERSON, key=key)
    path = f"/exchange/v1/participants/{PERSON}"
    person.post(f"{path}/signature", {"jws": key.sign_document(person.get(f"{path}/statement"))})
    entry = {
        "id": dataset, "title": {"nl": "Mensen", "en": "People"}, "purpose": PURPOSE, "personal": True,
        "basis": "dmi:basis:public-task", "layer": "points",
        "spatial": {"bbox": [5.05, 52.07, 5.15, 52.13], "name": {"nl": "Hier", "en": "Here"}},
    }  # fmt: skip
    done(owner.ask("POST", "/exchange/v1/datasets", json=entry))
    until = clock.to_text(clock.now() + 20 * 24 * HOUR)
    for other in (LAYERS, user.id):
        _concluded(stack, owner, user, other, dataset, {"days": 30, "until": until})
    time.sleep(0.5)
    about = {"thing": "vroeger.mens", "observed_property": "crowd_count", "unit": "{person}"}
    features = [
        {"id": "vroeger.mens", "kind": "thing", "name": "Mens", "properties": {"mobile": True}},
        {"id": "vroeger.mens.count", "kind": "datastream", "name": "Mens", "properties": about},
    ]
    done(owner.ask("POST", "/ingest/v1/features", json={"dataset": dataset, "features": features}))
    batch = {
        "dataset": dataset, "datastream": ["vroeger.mens.count"], "phenomenon_time": [clock.now() - 60 * SECOND],
        "result": [1.0], "subject": [PERSON], "longitude": [5.11], "latitude": [52.11],
    }  # fmt: skip
    done(owner.ask("POST", "/ingest/v1/batches", json=batch))
    time.sleep(2)
    read = f"/platform/v1/latest?dataset={dataset}"
    for _ in range(READS):
        done(user.ask("GET", read, headers={"DMI-Purpose": PURPOSE}))
    time.sleep(2)
    person.post("/exchange/v1/my-data/erasure", {"datasets": [dataset]})
    person.post_for_bytes("/exchange/v1/my-data/letter", {"language": "nl"})
    person.close()


def prices(stack: EmbeddedStack, owner: Newcomer, user: Newcomer) -> None:
    """A priced agreement, used; the details that an invoice needs."""
    for name, unit, cents in (("garages", "use", 10), ("druk", "once", 500)):
        given = {"dmi:cents": cents, "dmi:per": 1, "dmi:chargedUnit": unit}
        parts = [
            {"leftOperand": left, "operator": "eq", "rightOperand": value} for left, value in given.items()
        ]
        _concluded(
            stack, owner, user, user.id, owner.dataset(name), {}, {"action": "dmi:pay", "constraint": parts}
        )
    for each, number in ((owner, "12345678"), (user, "87654321")):
        details = {
            "name": each.slug, "registration": number, "street": "Kade 2", "city": "Waterstad", "postcode": "1000 BB",
            "vat_id": "NL123456789B01", "iban": "NL91ABNA0417164300",
        }  # fmt: skip
        done(each.ask("PUT", "/exchange/v1/transactions/details", json=details))
    time.sleep(0.5)
    done(user.ask("GET", f"/platform/v1/latest?dataset={owner.dataset('garages')}"))


def _concluded(
    stack: EmbeddedStack, owner: Newcomer, user: Newcomer, other: str, dataset: str, more: dict[str, Any],
    duty: dict[str, Any] | None = None,
) -> None:  # fmt: skip
    """An agreement that both sides sign, with one more duty when there is one."""
    actions = ["dmi:process", "dmi:read", "dmi:display"] if other == LAYERS else ["dmi:read"]
    purpose = PURPOSE if more else "dmi:purpose:any"
    parameters = {
        "assigner": owner.id, "assignee": other, "datasets": [dataset], "purpose": purpose, "actions": actions, **more,
    }  # fmt: skip
    draft = {"template": "sensor-data", "parameters": parameters}
    text = done(owner.ask("POST", "/exchange/v1/agreements/draft", json=draft))
    if duty:
        permission = text["permission"][0]
        permission["duty"] = [*permission.get("duty", []), duty]
    body = {"document": text, "jws": owner.key.sign_document(text)}
    path = f"/exchange/v1/agreements/{done(owner.ask('POST', '/exchange/v1/agreements', json=body))['id']}"
    if other == LAYERS:
        with stack.demo("operator") as operator:
            operator.post(f"{path}/signature", {"hosted": True})
    else:
        signed = {"jws": user.key.sign_document(done(user.ask("GET", path))["document"])}
        done(user.ask("POST", f"{path}/signature", json=signed))


def later(store: Path, owner: Newcomer, user: Newcomer) -> None:
    """An hour later, when the hour can be billed; and a transfer, for which no other node stands there."""
    engine = open_engine(f"sqlite:///{store}", "exchange")

    def terms(agreement: AgreementState) -> AgreementTerms:
        return read_agreement(agreement.document, load_rulebook(Settings()))

    now = clock.now()
    with mock.patch.object(clock, "now", return_value=now + HOUR):
        Billing(Store(engine), Transactions(engine), terms, lambda: 0).issue(owner.id, user.id)
    flows = Flows(engine)
    flows.reached("urn:uuid:transfer", "0/1", 1)
    flows.given("urn:uuid:transfer", "0/1", "urn:uuid:record", 1)
    engine.dispose()
