"""Terms in the protocol's spelling."""

from __future__ import annotations

from typing import Any

import pytest

from dmi_agreements.dsp import policies
from dmi_agreements.dsp.messages import CONTEXT, MessageRefused, read
from dmi_agreements.dsp.terms import rules_of, same_terms

ODRL = "http://www.w3.org/ns/odrl/2/"
USE = {"permission": [{"action": "use"}]}
UNTIL = {"leftOperand": "dateTime", "operator": "lteq", "rightOperand": "2026-12-31T00:00:00Z"}
DOCUMENT = {
    "permission": {
        "target": "urn:dmi:dataset:a:b",
        "action": ["dmi:read", "dmi:export"],
        "constraint": [{"leftOperand": "purpose", "operator": "isA", "rightOperand": "dmi:purpose:mobility"}],
        "duty": [{"action": "dmi:aggregate", "constraint": []}],
    }
}


def test_rules_are_written_one_action_each_without_target_and_prefix() -> None:
    rules = rules_of(DOCUMENT)
    assert [rule["action"] for rule in rules["permission"]] == ["urn:dmi:read", "urn:dmi:export"]
    assert all("target" not in rule for rule in rules["permission"])
    assert rules["permission"][0]["constraint"][0]["rightOperand"] == "urn:dmi:purpose:mobility"
    assert rules["permission"][0]["duty"][0]["action"] == "urn:dmi:aggregate"
    assert policies.offer_in_message({"@id": "urn:x", "@type": "Offer", "target": "urn:y", **rules}) == []


def test_a_number_becomes_a_value_that_the_schema_takes() -> None:
    document = {"permission": {"action": "use", "constraint": [{**UNTIL, "rightOperand": 5}]}}
    assert rules_of(document)["permission"][0]["constraint"][0]["rightOperand"] == {"@value": 5}


@pytest.mark.parametrize(
    "other",
    [
        {"permission": [{"action": f"{ODRL}use"}]},
        {"permission": [{"action": "odrl:use", "constraint": []}]},
        {"permission": [{"@type": "Permission", "action": {"@id": "use"}}], "prohibition": []},
        {"@id": "urn:other", "target": "urn:x", "permission": {"action": ["use"]}},
    ],
)
def test_another_spelling_of_the_same_rules_is_the_same(other: dict[str, Any]) -> None:
    assert same_terms(USE, other)


@pytest.mark.parametrize(
    "other",
    [
        {},
        {"permission": [{"action": "read"}]},
        {"permission": [{"action": "use", "constraint": [UNTIL]}]},
        {"permission": [{"action": "use"}, {"action": "read"}]},
        {"prohibition": [{"action": "use"}]},
        {**USE, "obligation": [{"action": "inform"}]},
        {"permission": [{"action": "use", "duty": [{"action": "inform"}]}]},
    ],
)
def test_other_rules_are_not_the_same(other: dict[str, Any]) -> None:
    assert not same_terms(USE, other)


def test_the_order_of_rules_does_not_count_but_that_of_a_sequence_does() -> None:
    a, b = {"action": "use"}, {"action": "read"}
    assert same_terms({"permission": [a, b]}, {"permission": [b, a]})
    later = {**UNTIL, "operator": "gt"}
    one = {"permission": [{"action": "use", "constraint": [{"andSequence": [UNTIL, later]}]}]}
    two = {"permission": [{"action": "use", "constraint": [{"andSequence": [later, UNTIL]}]}]}
    assert not same_terms(one, two)


def test_a_rule_of_a_message_names_no_target() -> None:
    rule = {"action": "use", "target": "urn:elsewhere"}
    offer = {"@id": "urn:x", "@type": "Offer", "target": "urn:dmi:dataset:a:b", "permission": [rule]}
    message = {
        "@context": [CONTEXT], "@type": "ContractRequestMessage", "consumerPid": "urn:a", "offer": offer,
        "callbackAddress": "https://a.example",
    }  # fmt: skip
    with pytest.raises(MessageRefused) as refused:
        read(message, "ContractRequestMessage")
    assert [finding.path for finding in refused.value.findings] == ["/offer/permission/0/target"]


def test_a_message_that_is_deeper_than_any_sense_is_refused() -> None:
    deep: Any = {}
    for _ in range(100):
        deep = {"and": [deep]}
    with pytest.raises(MessageRefused, match="levels deep"):
        read(
            {"@context": [CONTEXT], "@type": "CatalogRequestMessage", "filter": [deep]},
            "CatalogRequestMessage",
        )


@pytest.mark.parametrize(("place", "value"), [("/extra/0", [2**64]), ("/consumerPid", "x" * 501)])
def test_what_no_store_can_keep_is_refused(place: str, value: Any) -> None:
    message = {
        "@context": [CONTEXT], "@type": "TransferCompletionMessage", "consumerPid": "urn:a", "providerPid": "urn:b",
        place.split("/")[1]: value,
    }  # fmt: skip
    with pytest.raises(MessageRefused) as refused:
        read(message, "TransferCompletionMessage")
    assert [finding.path for finding in refused.value.findings] == [place]
