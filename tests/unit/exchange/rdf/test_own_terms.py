"""The project's own documents and profile are policies of ODRL 2.2 like any other."""

from __future__ import annotations

import json
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import pytest

import dmi_agreements
from dmi_agreements.errors import PolicyRefused
from dmi_agreements.odrl.evaluate import evaluate
from dmi_agreements.odrl.model import ODRL, Constraint, Typed
from dmi_agreements.odrl.own import name_of, world_of
from dmi_agreements.odrl.proof import explain
from dmi_agreements.odrl.values import BOX, within
from dmi_agreements.odrl.vocabulary import CORE, DMI
from dmi_agreements.odrl.world import Attempt, Request
from dmi_agreements.policy.templates import from_template
from dmi_agreements.rulebook import Rulebook, parse_rulebook
from dmi_exchange.rdf.documents import read_text
from dmi_exchange.rdf.profiling import published, with_profile
from dmi_exchange.rdf.reading import read_policy

FOLDER = Path(dmi_agreements.__file__).resolve().parents[2] / "rulebook"
RULEBOOK = parse_rulebook({file.name: file.read_bytes() for file in FOLDER.glob("*.json")})
GIVEN: dict[str, Any] = {
    "uuid": "urn:uuid:2f0bdf3c-0b1e-4e47-9d55-000000000001",
    "participant": "urn:dmi:participant:a",
    "participants": ["urn:dmi:participant:a"],
    "person": "urn:dmi:person:p",
    "datasets": ["urn:dmi:dataset:city:garages"],
    "actions": ["dmi:read"],
    "purpose": "dmi:purpose:mobility",
    "moment": "2025-01-01T00:00:00Z",
    "area": [5.0, 5.0, 6.0, 6.0],
    "number": 5,
    "basis": "dmi:basis:public-task",
}


def filled(rulebook: Rulebook, name: str) -> dict[str, Any]:
    """A template with every parameter given."""
    wanted = rulebook.templates[name].parameters
    return from_template(
        rulebook, name, **{each.name: GIVEN[each.kind] for each in wanted if each.kind != "version"}
    )


@pytest.mark.parametrize("name", RULEBOOK.templates)
def test_every_template_of_the_rulebook_is_a_policy_of_odrl(name: str) -> None:
    policy = read_policy(json.dumps(filled(RULEBOOK, name)))
    assert (policy.kind, policy.profiles) == ("Agreement", (DMI + "profile:1",))
    assert dict(policy.about)[DMI + "rulebook"] == Typed(RULEBOOK.version)
    for rule in policy.permissions:
        purposes = [
            test for test in rule.constraints if isinstance(test, Constraint) and "purpose" in test.left
        ]
        assert all(str(test.right[0]).startswith(DMI + "purpose:") for test in purposes)


def test_an_area_keeps_equal_numbers_and_asks_for_four() -> None:
    document = filled(RULEBOOK, "dmi:template:sensor-data")
    tests = {
        test.left: test
        for test in read_policy(document).permissions[0].constraints
        if isinstance(test, Constraint)
    }
    (area,) = next(test.right for left, test in tests.items() if left.endswith("spatial"))
    assert area == Typed("5.0 5.0 6.0 6.0", BOX)
    text = json.dumps(document).replace("[5.0, 5.0, 6.0, 6.0]", "[5.0, 5.0, 6.0]")
    with pytest.raises(PolicyRefused, match="west, south, east and north"):
        read_policy(text)


@pytest.mark.parametrize(
    ("inner", "expected"),
    [("5 5 6 6", True), ("5.5 5.5 5.5 5.5", True), ("4.9 5 6 6", False), ("6 6 5 5", None), ("5 5 6", None)],
)
def test_an_area_lies_in_another_or_not(inner: str, expected: bool | None) -> None:
    assert within(Typed(inner, BOX), Typed("5 5 6 6", BOX)) is expected


def test_the_published_profile_defines_every_term_of_ours_in_two_languages() -> None:
    graph = read_text(published(RULEBOOK))
    defined = {str(node) for node in graph.subjects() if str(node).startswith(DMI)}
    ours = {iri for iri in (*CORE.lefts, *CORE.actions) if iri.startswith(DMI)}
    assert defined == {*ours, DMI + "profile:1"}


def test_a_profile_that_rests_on_unknown_terms_is_refused_with_the_nearest_one() -> None:
    text = """@prefix odrl: <http://www.w3.org/ns/odrl/2/> . @prefix skos: <http://www.w3.org/2004/02/skos/core#> .
        <urn:a> a odrl:LeftOperand ; skos:exactMatch odrl:purposes .
        <urn:b> a odrl:Action ; odrl:includedIn odrl:reed ."""
    with pytest.raises(PolicyRefused) as refused:
        with_profile(CORE, text)
    assert [finding.nearest for finding in refused.value.findings] == [
        "http://www.w3.org/ns/odrl/2/purpose",
        "http://www.w3.org/ns/odrl/2/read",
    ]


def asked(**changes: Any) -> Request:
    """A request for the datasets of the templates."""
    wish = {"action": DMI + "read", "target": GIVEN["datasets"][0], "party": GIVEN["participant"]}
    facts = {ODRL + "purpose": (DMI + changes.pop("purpose", "purpose:parking-guidance"),)}
    return Request("urn:request", (Attempt("urn:wish", **{**wish, **changes}, facts=facts),))


def test_an_agreement_of_a_template_permits_what_it_says_when_the_gate_carries_out_its_duties() -> None:
    document = filled(RULEBOOK, "dmi:template:sensor-data")
    for rule in document["permission"]:
        # Not bounded in time or place, which are tried elsewhere.
        rule["constraint"] = rule["constraint"][:1]
    policy = read_policy(document)
    world = world_of(RULEBOOK)
    assert evaluate(policy, asked(), world).allowed
    assert not evaluate(policy, asked(), replace(world, carried_out=frozenset())).allowed
    for language, work in (
        ("nl", "daar zorgt het knooppunt zelf voor"),
        ("en", "the node sees to that itself"),
    ):
        lines = explain(evaluate(policy, asked(), world), language, partial(name_of, RULEBOOK))
        assert [line.rpartition("; ")[2] for line in lines if "; " in line][-1] == f"{work}."
        assert not any("niet bekend" in line or "not known" in line for line in lines)
        label = RULEBOOK.label("dmi:purpose:parking-guidance", language).lower()
        assert any(label in line for line in lines)
        assert not any("urn:dmi:purpose" in line for line in lines)
    assert not evaluate(policy, asked(purpose="purpose:environment"), world).allowed
    assert not evaluate(policy, asked(purpose="purpose:of-nobody"), world).allowed
    assert not evaluate(policy, asked(party="urn:dmi:participant:b"), world).allowed
    assert not evaluate(policy, asked(action=DMI + "export"), world).allowed


@pytest.mark.parametrize("role", ["assigner", "assignee"])
def test_an_agreement_that_does_not_name_both_parties_is_refused(role: str) -> None:
    document = filled(RULEBOOK, "dmi:template:open-data")
    del document[role]
    with pytest.raises(PolicyRefused) as refused:
        read_policy(document)
    assert [finding.path for finding in refused.value.findings] == [f"/permission/0/{role}"]


def test_an_offer_binds_nobody_and_permits_nothing() -> None:
    document = filled(RULEBOOK, "dmi:template:open-data")
    document["assignee"] = GIVEN["participant"]
    document["permission"][0]["constraint"] = document["permission"][0]["constraint"][:1]
    assert evaluate(read_policy(document), asked(), world_of(RULEBOOK)).allowed
    offer = evaluate(read_policy({**document, "@type": "Offer"}), asked(), world_of(RULEBOOK))
    assert [rule.active for rule in offer.rules] == [True]
    assert not offer.allowed
    assert "voorstel" in explain(offer, "nl")[0]
