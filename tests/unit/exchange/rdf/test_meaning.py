"""What the parts of the information model mean: each clause of ODRL 2.2 section 2 by an example."""

from __future__ import annotations

from typing import Any

import pytest

from dmi_agreements.errors import PolicyRefused
from dmi_agreements.odrl.evaluate import evaluate
from dmi_agreements.odrl.model import ODRL
from dmi_agreements.odrl.report import PolicyReport
from dmi_agreements.odrl.vocabulary import CORE
from dmi_exchange.rdf.profiling import with_profile
from dmi_exchange.rdf.reading import read_policy, read_with_parents
from dmi_exchange.rdf.world import read_request, read_world

PREFIXES = """
@prefix odrl: <http://www.w3.org/ns/odrl/2/> .
@prefix xsd: <http://www.w3.org/2001/XMLSchema#> .
@prefix dct: <http://purl.org/dc/terms/> .
@prefix dmi: <urn:dmi:> .
@prefix sotw: <https://w3id.org/force/sotw#> .
@prefix temp: <http://example.com/request/> .
@prefix report: <https://w3id.org/force/compliance-report#> .
@prefix skos: <http://www.w3.org/2004/02/skos/core#> .
@prefix ex: <http://example.org/> .
"""
NOW = 'temp:currentTime dct:issued "2025-06-15T12:00:00Z"^^xsd:dateTime .'
READ_X = "odrl:action odrl:read ; odrl:target ex:x ; odrl:assignee ex:alice"


def report(policy: str, request: str = READ_X, world: str = "", vocabulary: Any = CORE) -> PolicyReport:
    """The report on a policy (the rules of ``ex:policy``), for a request and a world beside the time."""
    body = policy if policy.startswith("ex:") else f"ex:policy a odrl:Set ; {policy} ."
    law = read_with_parents(PREFIXES + body, vocabulary)
    asked = f"ex:request a odrl:Request ; odrl:permission [ {request} ] ."
    wanted, _ = read_request(PREFIXES + asked, vocabulary)
    return evaluate(law, wanted, read_world(PREFIXES + NOW + world, vocabulary), vocabulary)


def verdict(*args: Any, **kwargs: Any) -> str:
    """What comes of it."""
    return report(*args, **kwargs).verdict


def test_a_refined_action_is_permitted_only_within_its_refinement() -> None:
    policy = """odrl:permission [ odrl:action [ rdf:value odrl:print ; odrl:refinement
        [ odrl:leftOperand odrl:resolution ; odrl:operator odrl:lteq ; odrl:rightOperand 1200 ;
          odrl:unit <http://dbpedia.org/resource/Dots_per_inch> ] ] ]""".replace(
        "rdf:value", "<http://www.w3.org/1999/02/22-rdf-syntax-ns#value>"
    )
    asked = "odrl:action odrl:print"
    assert verdict(policy, asked) == "undecided"
    for dots, expected in ((600, "permit"), (2400, "undecided")):
        state = (
            f"ex:f sotw:describesFeature <http://dbpedia.org/resource/Dots_per_inch> ; sotw:value {dots} ."
        )
        assert verdict(policy, asked, state) == expected


def test_a_collection_that_is_refined_takes_only_members_that_fit() -> None:
    policy = """odrl:permission [ odrl:action odrl:read ; odrl:target ex:x ; odrl:assignee [
        a odrl:PartyCollection ; odrl:source ex:members ; odrl:refinement
        [ odrl:leftOperand odrl:industry ; odrl:operator odrl:eq ; odrl:rightOperand ex:health ] ] ]"""
    member = "ex:alice odrl:partOf ex:members ."
    works = "ex:f sotw:about ex:alice ; sotw:describesFeature odrl:industry ; sotw:value ex:%s ."
    assert verdict(policy, world=member + works % "health") == "permit"
    assert verdict(policy, world=member + works % "games") == "undecided"
    assert verdict(policy, world=works % "health") == "undecided"
    assert verdict(policy, world=member) == "undecided"


def test_a_member_of_a_part_of_a_collection_is_in_the_collection_also_when_the_policy_says_so() -> None:
    policy = """ex:policy a odrl:Set ; odrl:permission [ odrl:action odrl:read ; odrl:assignee ex:all ] .
        ex:all a odrl:PartyCollection . ex:team odrl:partOf ex:all ."""
    assert verdict(policy, world="ex:alice odrl:partOf ex:team .") == "permit"
    assert verdict(policy, world="ex:bob odrl:partOf ex:team .") == "undecided"


@pytest.mark.parametrize(
    ("strategy", "expected"),
    [("perm", "permit"), ("prohibit", "deny"), ("invalid", "deny"), (None, "deny")],
)
def test_a_conflict_is_settled_by_the_strategy_and_voids_the_policy_without_one(
    strategy: str | None, expected: str
) -> None:
    said = f"odrl:conflict odrl:{strategy} ;" if strategy else ""
    rules = "odrl:permission [ odrl:action odrl:use ] ; odrl:prohibition [ odrl:action odrl:read ]"
    assert verdict(f"{said} {rules}") == expected
    assert verdict(f"{said} {rules}", "odrl:action odrl:play") == "permit"


def test_what_is_not_known_activates_no_permission_and_lifts_no_prohibition() -> None:
    test = "odrl:constraint [ odrl:leftOperand odrl:count ; odrl:operator odrl:lteq ; odrl:rightOperand 3 ]"
    permission = f"odrl:permission [ odrl:action odrl:read ; {test} ]"
    prohibition = (
        f"odrl:permission [ odrl:action odrl:read ] ; odrl:prohibition [ odrl:action odrl:read ; {test} ]"
    )
    assert verdict(permission) == "undecided"
    assert verdict(prohibition) == "deny"
    known = "ex:f sotw:describesFeature odrl:count ; sotw:value %s ."
    assert verdict(permission, world=known % 3) == "permit"
    assert verdict(prohibition, world=known % 4) == "permit"


def test_a_requester_states_its_purpose_but_not_the_time_nor_the_count() -> None:
    def policy(left: str, right: str) -> str:
        test = f"odrl:leftOperand {left} ; odrl:operator odrl:eq ; odrl:rightOperand {right}"
        return f"odrl:permission [ odrl:action odrl:read ; odrl:constraint [ {test} ] ]"

    def asked(left: str, right: str) -> str:
        return READ_X + (
            f" ; odrl:constraint [ odrl:leftOperand {left} ; odrl:operator odrl:eq ; odrl:rightOperand {right} ]"
        )

    assert verdict(policy("odrl:purpose", "ex:care"), asked("odrl:purpose", "ex:care")) == "permit"
    assert verdict(policy("odrl:purpose", "ex:care"), asked("odrl:purpose", "ex:sale")) == "undecided"
    assert verdict(policy("odrl:count", "0"), asked("odrl:count", "0")) == "undecided"
    moment = '"2020-01-01T00:00:00Z"^^xsd:dateTime'
    assert verdict(policy("odrl:dateTime", moment), asked("odrl:dateTime", moment)) == "undecided"


def test_a_purpose_below_the_agreed_one_is_of_its_kind() -> None:
    test = "odrl:leftOperand odrl:purpose ; odrl:operator odrl:isA ; odrl:rightOperand ex:mobility"
    policy = f"odrl:permission [ odrl:action odrl:read ; odrl:constraint [ {test} ] ]"
    asked = READ_X + (
        " ; odrl:constraint [ odrl:leftOperand odrl:purpose ; odrl:operator odrl:eq ; odrl:rightOperand ex:parking ]"
    )
    tree = "ex:parking skos:broader ex:%s . ex:traffic skos:broader ex:mobility ."
    assert verdict(policy, asked, tree % "traffic") == "permit"
    assert verdict(policy, asked, tree % "sale") == "undecided"
    assert verdict(policy, asked) == "undecided"


@pytest.mark.parametrize(
    ("connective", "values", "expected"),
    [
        ("and", "1 1", "permit"),
        ("and", "1 0", "undecided"),
        ("or", "1 0", "permit"),
        ("or", "0 0", "undecided"),
        ("xone", "1 0", "permit"),
        ("xone", "1 1", "undecided"),
        ("andSequence", "1 1", "permit"),
        ("andSequence", "0 1", "undecided"),
    ],
)
def test_connectives_join_what_they_say(connective: str, values: str, expected: str) -> None:
    each = "[ odrl:leftOperand odrl:dateTime ; odrl:operator odrl:%s ; odrl:rightOperand %s ]"
    moment = '"2025-01-01T00:00:00Z"^^xsd:dateTime'
    tests = " ".join(each % ("gt" if value == "1" else "lt", moment) for value in values.split())
    policy = f"odrl:permission [ odrl:action odrl:read ; odrl:constraint [ odrl:{connective} ( {tests} ) ] ]"
    assert verdict(policy) == expected


DUTY = """odrl:permission [ odrl:action odrl:read ; odrl:assignee ex:alice ; odrl:assigner ex:city ;
    odrl:duty ex:duty ] . ex:duty odrl:action [ <http://www.w3.org/1999/02/22-rdf-syntax-ns#value> odrl:compensate ;
    odrl:refinement [ odrl:leftOperand odrl:payAmount ; odrl:operator odrl:gteq ; odrl:rightOperand 5.00 ;
    odrl:unit <http://dbpedia.org/resource/Euro> ] ]"""
PAID = """ex:paid a <https://www.epimorphics.com/guide-to-the-payments-ontology/Payment> ;
    <https://www.epimorphics.com/guide-to-the-payments-ontology/payer> ex:{who} ;
    <https://www.epimorphics.com/guide-to-the-payments-ontology/payee> ex:{to} ;
    <https://www.epimorphics.com/guide-to-the-payments-ontology/netAmount> {amount} ;
    <https://www.epimorphics.com/guide-to-the-payments-ontology/currency> <https://dbpedia.org/resource/{currency}> ;
    <https://www.epimorphics.com/guide-to-the-payments-ontology/paymentDate> "{day}T00:00:00Z"^^xsd:dateTime ."""
RIGHT = {"who": "alice", "to": "city", "amount": "5.00", "currency": "Euro", "day": "2025-06-01"}


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        ({}, "permit"),
        ({"amount": "4.99"}, "undecided"),
        ({"currency": "Yen"}, "undecided"),
        ({"who": "bob"}, "undecided"),
        ({"to": "bob"}, "undecided"),
        ({"day": "2026-01-01"}, "undecided"),
    ],
)
def test_a_duty_is_fulfilled_by_what_it_says_and_by_whom(change: dict[str, str], expected: str) -> None:
    assert verdict(DUTY, world=PAID.format(**{**RIGHT, **change})) == expected


def test_what_was_done_for_another_duty_does_not_count() -> None:
    for named, expected in (("ex:duty", "permit"), ("ex:other", "undecided")):
        paid = PAID.format(**RIGHT).replace("ex:paid a", f"ex:paid sotw:conditionId {named} ; a")
        assert verdict(DUTY, world=paid) == expected


@pytest.mark.parametrize(
    ("deontic", "performance", "expected"),
    [
        ("Fulfilled", "Performed", "permit"),
        ("Violated", "Unperformed", "undecided"),
        ("NonSet", "Unknown", "permit"),
        ("NonSet", "Unperformed", "undecided"),
    ],
)
def test_the_state_of_the_world_may_tell_the_state_of_a_duty(
    deontic: str, performance: str, expected: str
) -> None:
    state = f"""ex:r a report:DutyReport ; report:rule ex:duty ; report:deonticState report:{deontic} ;
        report:performanceState report:{performance} ."""
    assert verdict(DUTY, world=state) == expected


LATE = """odrl:obligation [ odrl:uid ex:duty ; odrl:assignee ex:alice ; odrl:action odrl:delete ;
    odrl:constraint [ odrl:leftOperand odrl:dateTime ; odrl:operator odrl:lt ;
        odrl:rightOperand "2025-06-01T00:00:00Z"^^xsd:dateTime ] ;
    odrl:consequence [ odrl:uid ex:fine ; odrl:assignee ex:alice ; odrl:action odrl:compensate ] ]"""
DONE = """ex:e{n} a dmi:Event ; odrl:action odrl:{what} ; odrl:assignee ex:alice ;
    dmi:at "{day}T00:00:00Z"^^xsd:dateTime ."""


@pytest.mark.parametrize(
    ("events", "deontic"),
    [
        ([], "Violated"),
        ([("delete", "2025-05-01")], "Fulfilled"),
        ([("delete", "2025-06-10")], "Violated"),
        ([("compensate", "2025-06-10")], "Violated"),
        ([("delete", "2025-06-10"), ("compensate", "2025-06-11")], "Fulfilled"),
    ],
)
def test_an_obligation_that_is_late_asks_for_its_consequence_too(
    events: list[tuple[str, str]], deontic: str
) -> None:
    state = " ".join(DONE.format(n=n, what=what, day=day) for n, (what, day) in enumerate(events))
    (rule,) = report(LATE, world=state).rules
    assert rule.duty is not None
    assert rule.duty.deontic == deontic


def test_a_prohibition_that_was_broken_asks_for_its_remedy() -> None:
    policy = """odrl:prohibition [ odrl:assignee ex:alice ; odrl:action odrl:sell ;
        odrl:remedy [ odrl:uid ex:remedy ; odrl:assignee ex:alice ; odrl:action odrl:anonymize ] ]"""
    sold = DONE.format(n=1, what="sell", day="2025-06-01")
    asked = "odrl:action odrl:sell ; odrl:assignee ex:alice"
    assert report(policy, asked).rules[0].conditions == ()
    (owed,) = report(policy, asked, sold).rules[0].conditions
    assert owed.deontic == "NonSet"
    (mended,) = (
        report(policy, asked, sold + DONE.format(n=2, what="anonymize", day="2025-06-02")).rules[0].conditions
    )
    assert mended.deontic == "Fulfilled"


def test_what_a_policy_says_once_holds_for_all_its_rules() -> None:
    shared = """odrl:target ex:x ; odrl:assignee ex:alice ; odrl:action odrl:read ;
        odrl:permission [ a odrl:Permission ]"""
    assert verdict(shared) == "permit"
    assert verdict(shared, READ_X.replace("alice", "bob")) == "undecided"
    reverse = (
        "ex:policy a odrl:Set ; odrl:permission [ odrl:action odrl:read ] . ex:x odrl:hasPolicy ex:policy ."
    )
    assert verdict(reverse) == "permit"
    assert verdict(reverse, READ_X.replace("ex:x", "ex:y")) == "undecided"


CHILD = (
    "ex:child a odrl:Set ; odrl:inheritFrom ex:{parent} ; odrl:permission [ odrl:action odrl:read ] {more} ."
)


def test_a_policy_has_the_rules_of_those_that_it_inherits_from() -> None:
    parent = (
        "ex:parent a odrl:Set ; odrl:prohibition [ odrl:action odrl:read ; odrl:assignee ex:bob ] {more} ."
    )
    family = CHILD.format(parent="parent", more="") + parent.format(more="")
    assert verdict(family) == "permit"
    assert verdict(family, READ_X.replace("alice", "bob")) == "deny"
    torn = CHILD.format(parent="parent", more="; odrl:conflict odrl:perm") + parent.format(
        more="; odrl:conflict odrl:prohibit"
    )
    assert report(torn, READ_X.replace("alice", "bob")).strategy == "invalid"


@pytest.mark.parametrize(
    ("more", "rule"),
    [("", "not at hand"), (CHILD.replace("child", "parent").format(parent="child", more=""), "from itself")],
)
def test_a_parent_that_is_missing_and_a_circle_are_refused(more: str, rule: str) -> None:
    with pytest.raises(PolicyRefused, match=rule):
        report(CHILD.format(parent="parent", more="") + more)


def test_the_terms_of_a_profile_mean_what_it_says() -> None:
    profile = """ex:profile a <http://www.w3.org/2002/07/owl#Ontology> .
        ex:peek a odrl:Action ; odrl:includedIn odrl:read ; odrl:implies odrl:stream .
        ex:goal a odrl:LeftOperand ; skos:exactMatch odrl:purpose ."""
    terms = with_profile(CORE, PREFIXES + profile)
    policy = "odrl:profile ex:profile ; odrl:permission [ odrl:action odrl:read ]"
    asked = "odrl:action ex:peek"
    assert verdict(policy, asked, vocabulary=terms) == "permit"
    # What peeking cannot do without is prohibited.
    assert (
        verdict(policy + " ; odrl:prohibition [ odrl:action odrl:stream ]", asked, vocabulary=terms) == "deny"
    )
    with pytest.raises(PolicyRefused, match="a profile that is not known"):
        report(policy, "odrl:action odrl:read")


@pytest.mark.parametrize(
    ("rule", "path", "near"),
    [
        ("odrl:action odrl:dsplay", "/permission/0/action/0", ODRL + "display"),
        ("odrl:action odrl:read ; odrl:constrain [ ]", "/permission/0/constrain", ODRL + "constraint"),
        (
            "odrl:action odrl:read ; odrl:constraint [ odrl:leftOperand odrl:datetime ; odrl:operator odrl:eq ; "
            "odrl:rightOperand 1 ]",
            "/permission/0/constraint/0/leftOperand",
            ODRL + "dateTime",
        ),
        (
            "odrl:action odrl:read ; odrl:constraint [ odrl:leftOperand odrl:count ; odrl:operator odrl:lte ; "
            "odrl:rightOperand 1 ]",
            "/permission/0/constraint/0/operator",
            ODRL + "lteq",
        ),
        (
            "odrl:action odrl:read ; odrl:constraint [ odrl:leftOperand odrl:count ; odrl:operator odrl:lt ; "
            'odrl:rightOperand "many" ]',
            "/permission/0/constraint/0/rightOperand",
            None,
        ),
        ("odrl:action odrl:read ; odrl:target [ ]", "/permission/0/target/0", None),
        ("odrl:action odrl:read ; odrl:duty [ odrl:target ex:x ]", "/permission/0/duty/0/action", None),
        ("odrl:action odrl:read ; ex:secret true", "/permission/0/http://example.org/secret", None),
    ],
)
def test_what_is_not_understood_is_refused_with_its_path_and_the_nearest_term(
    rule: str, path: str, near: str | None
) -> None:
    with pytest.raises(PolicyRefused) as refused:
        read_policy(PREFIXES + f"ex:policy a odrl:Set ; odrl:permission [ {rule} ] .")
    (finding,) = refused.value.findings
    assert finding.path == path
    if near is not None:
        assert finding.nearest == near
