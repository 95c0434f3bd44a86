"""Conflicts: what is decided beyond comparisons on one line, what is wrong within one policy, what is not decided."""

from __future__ import annotations

from dataclasses import replace

import pytest

from dmi_agreements.odrl.model import XSD, Policy, Typed
from dmi_exchange.rdf.reading import read_policy
from dmi_exchange.review.conflicts import Checker, Compatible, Conflict, Finding, Undecidable, known
from dmi_exchange.review.conflicts.present import undecided

PREFIXES = """
@prefix odrl: <http://www.w3.org/ns/odrl/2/> . @prefix xsd: <http://www.w3.org/2001/XMLSchema#> .
@prefix dpv: <https://w3id.org/dpv#> . @prefix gn: <https://sws.geonames.org/> . @prefix dmi: <urn:dmi:> .
"""
DPV = {
    "https://w3id.org/dpv#CommercialResearch": [
        "https://w3id.org/dpv#Research",
        "https://w3id.org/dpv#Commercial",
    ],
    "https://w3id.org/dpv#Research": [],
    "https://w3id.org/dpv#Commercial": [],
    "https://w3id.org/dpv#Marketing": [],
}
CHECKER = Checker((known.places(), DPV))
EUROPE, FRANCE, GERMANY = (f"<https://sws.geonames.org/{at}/>" for at in (6255148, 3017382, 2921044))


def policy(uid: str, body: str) -> Policy:
    return read_policy(f"{PREFIXES} <urn:{uid}> a odrl:Set ; {body} .")


def use(constraint: str, uid: str) -> Policy:
    """A policy that permits use under one constraint, written ``left operator right``."""
    return policy(uid, f"odrl:permission [ odrl:action odrl:use ; odrl:constraint {node(constraint)} ]")


def node(constraint: str) -> str:
    left, operator, right = constraint.split(" ", 2)
    return f"[ odrl:leftOperand odrl:{left} ; odrl:operator odrl:{operator} ; odrl:rightOperand {right} ]"


def compare(one: str, other: str) -> str:
    return type(CHECKER.pair(use(one, "one"), use(other, "other"))).__name__


@pytest.mark.parametrize(
    ("one", "other", "verdict"),
    [
        # Siblings have nothing in common; what is below two purposes at once belongs to both.
        (f"spatial isPartOf {FRANCE}", f"spatial isPartOf {GERMANY}", "Conflict"),
        (f"spatial isPartOf {FRANCE}", f"spatial isPartOf {EUROPE}", "Compatible"),
        (f"spatial hasPart {FRANCE}", f"spatial hasPart {GERMANY}", "Compatible"),
        ("purpose isA dpv:Research", "purpose isA dpv:Commercial", "Compatible"),
        ("purpose isA dpv:Research", "purpose isA dpv:Marketing", "Conflict"),
        # There is more below a name than the hierarchy names.
        ("purpose isA dpv:Research", "purpose isNoneOf (dpv:Research dpv:CommercialResearch)", "Compatible"),
        # Of a place that no hierarchy names nothing is known, but that it is itself.
        (f"spatial isPartOf {FRANCE}", "spatial eq gn:1", "Undecidable"),
        ("spatial isPartOf gn:1", "spatial eq gn:1", "Compatible"),
        ("spatial eq gn:1", "spatial eq gn:2", "Conflict"),
        # Language tags by prefix, in any case of letters.
        ('language isA "nl"', 'language eq "NL-be"', "Compatible"),
        ('language isA "nl"', 'language eq "nld"', "Conflict"),
        # Several values at once only where isAllOf asks for them.
        ('language isAllOf ("nl" "fr")', 'language isAnyOf ("nl" "de")', "Compatible"),
        ('language isAllOf ("nl" "fr")', 'language eq "nl"', "Conflict"),
        ('language isAnyOf ("nl")', 'language isAnyOf ("fr")', "Conflict"),
        # No count lies between two neighbours; no size, price or stretch of time is below zero.
        ("count gt 1", "count lt 2", "Conflict"),
        ("resolution gt 1", "resolution lt 2", "Compatible"),
        ("payAmount lt 0", "payAmount lt 1", "Conflict"),
        # A month has 28 to 31 days; months compare with months.
        ('elapsedTime lteq "P1M"^^xsd:duration', 'elapsedTime gteq "P32D"^^xsd:duration', "Conflict"),
        ('elapsedTime lteq "P1M"^^xsd:duration', 'elapsedTime gteq "P28D"^^xsd:duration', "Compatible"),
        ('elapsedTime lteq "P1M"^^xsd:duration', 'elapsedTime eq "P30D"^^xsd:duration', "Undecidable"),
        ('elapsedTime eq "P12M"^^xsd:duration', 'elapsedTime eq "P1Y"^^xsd:duration', "Compatible"),
        # With an order, the time since the last use; with eq, a use that recurs.
        ('timeInterval gteq "PT1H"^^xsd:duration', 'timeInterval lt "PT1H"^^xsd:duration', "Conflict"),
        ('timeInterval gteq "PT1H"^^xsd:duration', 'timeInterval gt "P1D"^^xsd:duration', "Compatible"),
        ('timeInterval lt "PT0S"^^xsd:duration', "count gt 1", "Conflict"),
        ('timeInterval eq "PT1H"^^xsd:duration', 'timeInterval lt "PT1H"^^xsd:duration', "Compatible"),
        # A day is all of it; a moment without zone may be 14 hours off beside one with.
        (
            'dateTime eq "2026-01-06Z"^^xsd:date',
            'dateTime gt "2026-01-06T12:00:00Z"^^xsd:dateTime',
            "Compatible",
        ),
        ('dateTime lteq "2026-01-06"^^xsd:date', 'dateTime gteq "2026-01-07Z"^^xsd:date', "Undecidable"),
        ('dateTime lteq "2026-01-06"^^xsd:date', 'dateTime gteq "2026-01-09Z"^^xsd:date', "Conflict"),
    ],
)
def test_values_are_compared_by_what_they_mean(one: str, other: str, verdict: str) -> None:
    assert compare(one, other) == verdict
    assert compare(other, one) == verdict


@pytest.mark.parametrize(
    ("one", "other", "verdict"),
    [
        ("purpose isA dpv:Research", "purpose eq dpv:Marketing", "Undecidable"),
        ("purpose isA dpv:Research", "purpose isA dpv:Marketing", "Undecidable"),
        ("purpose isA dpv:Research", "purpose hasPart dpv:Marketing", "Undecidable"),
        ("purpose isA dpv:Research", "purpose eq dpv:CommercialResearch", "Compatible"),
        # Names are told apart whatever falls under them: a request gives one.
        ("purpose eq dpv:Research", "purpose eq dpv:Marketing", "Conflict"),
        # The project's own hierarchy tells all that its names fall under, also beside another.
        (f"spatial isPartOf {FRANCE}", f"spatial isPartOf {GERMANY}", "Conflict"),
    ],
)
def test_what_a_hierarchy_of_others_does_not_say_may_still_be_so(one: str, other: str, verdict: str) -> None:
    checker = Checker((known.places(),), foreign=(DPV,))
    assert type(checker.pair(use(one, "one"), use(other, "other"))).__name__ == verdict
    assert type(checker.pair(use(other, "other"), use(one, "one"))).__name__ == verdict


def test_units_are_turned_into_one_another_or_not_compared() -> None:
    def priced(uid: str, operator: str, amount: int, unit: str) -> Policy:
        return policy(
            uid,
            f"odrl:permission [ odrl:action odrl:use ; odrl:constraint [ odrl:leftOperand odrl:payAmount ; "
            f"odrl:operator odrl:{operator} ; odrl:rightOperand {amount} ; odrl:unit <{unit}> ] ]",
        )

    euro, dollar = "http://dbpedia.org/resource/Euro", "http://dbpedia.org/resource/Dollar"
    assert isinstance(CHECKER.pair(priced("a", "lt", 5, euro), priced("b", "gt", 6, euro)), Conflict)
    found = CHECKER.pair(priced("a", "lt", 5, euro), priced("b", "gt", 6, dollar))
    assert isinstance(found, Undecidable)
    assert "payAmount" in undecided(found)


def test_a_conflict_stands_whatever_unknown_terms_mean_and_compatible_rests_on_none() -> None:
    one = use("count lt 2", "one")
    unknown = replace(one.permissions[0].constraints[0], left="urn:x:mood", path="/mood")  # type: ignore[type-var]
    strange = replace(one, permissions=(replace(one.permissions[0], constraints=(unknown,)),))
    found = CHECKER.pair(strange, use("count gt 1", "other"))
    assert isinstance(found, Undecidable)
    assert [term.path for term in found.terms] == ["/mood"]
    assert undecided(found).startswith("not decidable: term /mood (urn:x:mood lt 2)")
    widened = replace(one, permissions=(*one.permissions, *strange.permissions))
    assert isinstance(CHECKER.pair(widened, use("count lt 3", "other")), Compatible)
    narrowed = replace(
        one,
        permissions=(replace(one.permissions[0], constraints=(*one.permissions[0].constraints, unknown)),),
    )
    assert isinstance(CHECKER.pair(narrowed, use("count gt 1", "other")), Conflict)


def test_steps_over_time_that_may_fail_are_not_decided() -> None:
    wait = node('delayPeriod gteq "P5D"^^xsd:duration')
    waits = policy(
        "w",
        f"odrl:prohibition [ odrl:action odrl:use ; odrl:constraint [ odrl:andSequence ({wait} {wait}) ] ]",
    )
    assert isinstance(CHECKER.pair(waits, use("count lt 2", "other")), Undecidable)


def test_a_prohibition_of_a_wider_action_conflicts_with_a_permission() -> None:
    play = policy("play", "odrl:permission [ odrl:action odrl:play ; odrl:target <urn:data> ]")
    forbids = "odrl:prohibition [ odrl:action odrl:use ; odrl:target <urn:data> ]"
    verdict = CHECKER.pair(play, policy("none", forbids))
    assert isinstance(verdict, Conflict)
    assert {term.path for term in verdict.clash} == {
        "/permission/0/action/0",
        "/permission/0/target/0",
        "/prohibition/0/action/0",
        "/prohibition/0/target/0",
    }
    assert isinstance(CHECKER.pair(play, policy("other", forbids.replace("use", "display"))), Compatible)


def test_what_one_policy_obliges_the_other_must_not_forbid() -> None:
    obliges = policy("o", "odrl:obligation [ odrl:action odrl:delete ; odrl:target <urn:data> ]")
    forbids = policy("f", "odrl:prohibition [ odrl:action odrl:delete ; odrl:target <urn:data> ]")
    assert isinstance(CHECKER.pair(obliges, forbids), Conflict)
    allows_later = policy(
        "l",
        "odrl:prohibition [ odrl:action odrl:delete ; odrl:target <urn:data> ; odrl:constraint "
        + node('dateTime lt "2026-01-01T00:00:00Z"^^xsd:dateTime')
        + "]",
    )
    verdict = CHECKER.pair(obliges, allows_later)
    assert isinstance(verdict, Compatible)
    (act,) = verdict.witness.further.values()
    assert act.action == "http://www.w3.org/ns/odrl/2/delete"


def kinds(found: tuple[Finding, ...]) -> list[tuple[str, str]]:
    return [(each.kind, each.path) for each in found]


USE = "odrl:permission [ odrl:action odrl:play ; odrl:target <urn:data> %s ]"
FORBID = "odrl:prohibition [ odrl:action odrl:use ; odrl:target <urn:data> %s ]"


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        (USE % "", []),
        (f"{USE % ''} ; {FORBID % ''}", [("swallowed", "/permission/0"), ("unusable", "")]),
        (f"odrl:conflict odrl:perm ; {USE % ''} ; {FORBID % ''}", []),
        (
            f"{USE % ''} ; {FORBID % ('; odrl:constraint ' + node('count gt 5'))}",
            [("overlap", "/permission/0")],
        ),
        (
            f"odrl:conflict odrl:prohibit ; {USE % ''} ; {FORBID % ('; odrl:constraint ' + node('count gt 5'))}",
            [],
        ),
        (
            USE % f"; odrl:constraint {node('count gt 5')} , {node('count lt 3')}",
            [("impossible", "/permission/0"), ("unusable", "")],
        ),
        (
            USE % f"; odrl:duty [ odrl:action odrl:compensate ; odrl:constraint {node('payAmount lt 0')} ]",
            [("unfulfillable", "/permission/0/duty/0"), ("unusable", "")],
        ),
        (
            # The duty is about the asset of the request, which nobody may delete.
            f"{USE % '; odrl:duty [ odrl:action odrl:delete ]'} ; {(FORBID % '').replace('use', 'delete')}",
            [("unfulfillable", "/permission/0/duty/0"), ("unusable", "")],
        ),
        (
            f"odrl:obligation [ odrl:action odrl:delete ; odrl:constraint {node('count lt 0')} ]",
            [("unfulfillable", "/obligation/0")],
        ),
    ],
)
def test_what_is_wrong_within_a_policy_is_found(body: str, expected: list[tuple[str, str]]) -> None:
    assert kinds(CHECKER.policy(policy("p", body))) == expected


def test_what_is_known_of_a_request_counts() -> None:
    pair = (
        use('meteredTime lteq "P10D"^^xsd:duration', "one"),
        use('meteredTime lteq "P8D"^^xsd:duration', "other"),
    )
    assert isinstance(CHECKER.pair(*pair), Compatible)
    verdict = CHECKER.pair(*pair, {"http://www.w3.org/ns/odrl/2/meteredTime": Typed("P9D", XSD + "duration")})
    assert isinstance(verdict, Conflict)
    assert [(term.policy, term.path) for term in verdict.clash] == [
        ("urn:other", "/permission/0/constraint/0"),
        ("facts", "/meteredTime"),
    ]


def test_two_versions_of_one_policy_are_told_apart() -> None:
    verdict = CHECKER.pair(use("count lt 2", "same"), use("count gt 2", "same"))
    assert isinstance(verdict, Conflict)
    assert [term.policy for term in verdict.clash] == ["urn:same", "urn:same (second)"]


def test_rules_that_are_inherited_count() -> None:
    parent = use("count lt 2", "parent")
    child = policy("child", "odrl:inheritFrom <urn:parent> ; odrl:prohibition [ odrl:action odrl:use ]")
    checker = Checker(others={"urn:parent": parent})
    assert ("swallowed", "/permission/0") in kinds(checker.policy(child))
