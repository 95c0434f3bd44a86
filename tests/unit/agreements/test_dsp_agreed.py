"""What a document says beside the terms that were negotiated: everything that a signature would be under."""

from __future__ import annotations

import copy
from collections.abc import Callable
from typing import Any

import pytest

from dmi_agreements.dsp.agreed import beside_the_terms
from dmi_agreements.dsp.terms import BASIS, rules_of
from dmi_agreements.errors import PolicyRefused
from dmi_agreements.policy.document import read_agreement
from dmi_agreements.policy.templates import from_template
from dmi_agreements.rulebook import Rulebook
from tests.unit.infra.fakes import PAY

DATASET = "urn:dmi:dataset:buurstad:garages"
PURPOSE = {"leftOperand": "purpose", "operator": "isA", "rightOperand": "dmi:purpose:mobility"}
Change = Callable[[dict[str, Any]], None]


@pytest.fixture
def drafted(rulebook: Rulebook) -> dict[str, Any]:
    return from_template(
        rulebook, "sensor-data", uid="urn:uuid:11111111-1111-4111-8111-111111111111",
        assigner="urn:dmi:participant:buurstad", assignee="urn:dmi:participant:gemeente", datasets=[DATASET],
        actions=["dmi:read", "dmi:display"], purpose="dmi:purpose:mobility", until="2099-01-01T00:00:00Z",
        area=[4.6, 52.2, 5.1, 52.5], grid=100, delay=60, days=30,
    )  # fmt: skip


def _beside(document: dict[str, Any], offer: dict[str, Any], rulebook: Rulebook) -> list[str]:
    terms = read_agreement(document, rulebook)
    return [each.path for each in beside_the_terms(terms, offer, DATASET, rulebook)]


def test_a_document_of_the_offer_says_nothing_beside_it(drafted: dict[str, Any], rulebook: Rulebook) -> None:
    offer = rules_of(drafted)
    assert _beside(drafted, offer, rulebook) == []
    (rule,) = drafted["permission"]
    other = {**drafted, "permission": [{**rule, "uid": "urn:x:1", "action": rule["action"][::-1]}]}
    assert _beside(other, offer, rulebook) == []
    assert _beside(drafted, {**offer, BASIS: "urn:dmi:basis:public-task"}, rulebook) == []
    assert _beside(drafted, {name: offer[name] for name in offer if name != BASIS}, rulebook) == []


def _action_for_all(document: dict[str, Any]) -> None:
    document["action"] = "dmi:export"


def _hidden_price(document: dict[str, Any]) -> None:
    document["action"] = "dmi:read"
    document["permission"].append({"target": [DATASET], "constraint": [PURPOSE], "duty": [PAY]})


def _parent(document: dict[str, Any]) -> None:
    forbidden = {"target": DATASET, "action": "dmi:display", "constraint": [PURPOSE]}
    document["inheritFrom"] = [{"@type": "Set", "uid": "urn:x:1", "prohibition": [forbidden]}]


def _target_for_all(document: dict[str, Any]) -> None:
    document["target"] = "urn:dmi:dataset:buurstad:cameras"


def _part_of_the_data(document: dict[str, Any]) -> None:
    box = {
        "leftOperand": "spatial",
        "operator": "isPartOf",
        "rightOperand": {"dmi:bbox": [4.0, 52.0, 4.1, 52.1]},
    }
    document["permission"][0]["target"] = [{"source": DATASET, "refinement": [box]}]


def _part_of_the_party(document: dict[str, Any]) -> None:
    test = {"leftOperand": "dmi:role", "operator": "isAnyOf", "rightOperand": ["dmi:role:vendor"]}
    document["permission"][0]["assignee"] = {"source": document["assignee"], "refinement": [test]}


def _narrowed_action(document: dict[str, Any]) -> None:
    named = {
        "rdf:value": {"@id": "dmi:read"},
        "refinement": [{**PURPOSE, "rightOperand": "dmi:purpose:emergency"}],
    }
    document["permission"][0]["action"] = [named, "dmi:display"]


def _strategy(document: dict[str, Any]) -> None:
    document["conflict"] = "prohibit"


def _basis(document: dict[str, Any]) -> None:
    document["dmi:legalBasis"] = "dmi:basis:contract"


def _obligation(document: dict[str, Any]) -> None:
    document["obligation"] = [{"action": "inform"}]


def _twice(document: dict[str, Any]) -> None:
    document["permission"].append(copy.deepcopy(document["permission"][0]))


def _prohibition(document: dict[str, Any]) -> None:
    document["prohibition"] = [{"target": DATASET, "action": "dmi:read", "remedy": [{"action": "inform"}]}]


def _lighter(document: dict[str, Any]) -> None:
    document["permission"][0]["duty"].pop()


@pytest.mark.parametrize(
    ("change", "place"),
    [
        (_action_for_all, "/permission/0"),
        (_hidden_price, "/permission/1"),
        (_parent, "/inheritFrom/0/prohibition/0"),
        (_target_for_all, "/permission/0"),
        (_part_of_the_data, "/permission/0"),
        (_part_of_the_party, "/permission/0"),
        (_narrowed_action, "/permission/0"),
        (_strategy, "/conflict"),
        (_basis, "/dmi:legalBasis"),
        (_obligation, "/obligation/0"),
        (_twice, "/permission/1"),
        (_prohibition, "/prohibition/0"),
        (_lighter, "/permission/0"),
    ],
)
def test_whatever_was_not_negotiated_is_found(
    drafted: dict[str, Any], rulebook: Rulebook, change: Change, place: str
) -> None:
    offer = rules_of(drafted)
    changed = copy.deepcopy(drafted)
    change(changed)
    assert place in _beside(changed, offer, rulebook)


def test_what_was_negotiated_and_is_missing_is_found(drafted: dict[str, Any], rulebook: Rulebook) -> None:
    offer = rules_of(drafted)
    offer["prohibition"] = [{"action": "urn:dmi:export"}]
    offer["obligation"] = [{"action": "inform"}]
    assert _beside(drafted, offer, rulebook) == ["/prohibition", "/obligation"]


def test_terms_that_are_not_understood_are_refused(drafted: dict[str, Any], rulebook: Rulebook) -> None:
    offer = {"permission": [{"action": "urn:x:unheard-of"}]}
    with pytest.raises(PolicyRefused):
        _beside(drafted, offer, rulebook)
