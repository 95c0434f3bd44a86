"""The policy reasoner: each rule of law and framework is found with its place, and its smallest change passes."""

from __future__ import annotations

import copy
import json
import time
from collections.abc import Callable, Mapping
from typing import Any

import msgspec
import pytest

from dmi_agreements.contracts.law import AgreementState, Dataset, Participant
from dmi_agreements.errors import PolicyRefused
from dmi_agreements.policy.measure import MOST_COUNTED
from dmi_agreements.rulebook import rulebook_of
from dmi_agreements.versions import Rulebooks
from dmi_exchange.model import given_free
from dmi_exchange.review.case import UNKNOWN_PARTY, Facts
from dmi_exchange.review.edits import apply
from dmi_exchange.review.reasoner import Reasoner, Verdict
from tests.unit.infra.fakes import NOW, document, rulebook

CITY, SELLER, ABROAD, ANALYST, GONE = (
    f"urn:dmi:participant:{name}" for name in ("gemeente", "sensorbedrijf", "verweg", "analist", "weg")
)
NOOR, KIM, MUM = (f"urn:dmi:person:{name}" for name in ("noor", "kim", "mama"))
EVERYONE = "urn:dmi:party:everyone"
GARAGES, AIR, TRIPS, CARE, MAPS, RADAR, DRAWINGS = (
    f"urn:dmi:dataset:gemeente:{name}"
    for name in ("garages", "air", "trips", "care", "maps", "radar", "drawings")
)
QUALITY = "dmi:purpose:air-quality"
OTHER = "urn:dmi:dataset:gemeente:other"
DAY = 86_400_000_000
YEAR = "2027-12-31T00:00:00Z"
"""Within a year of ``NOW``."""


def until(moment: str = YEAR) -> dict[str, Any]:
    right = {"@value": moment, "@type": "xsd:dateTime"}
    return {"leftOperand": "dateTime", "operator": "lteq", "rightOperand": right}


def number(action: str, name: str, value: int, unit: str) -> dict[str, Any]:
    right = {"@value": str(value), "@type": "xsd:integer"}
    return {
        "action": action,
        "constraint": [{"leftOperand": name, "operator": "eq", "rightOperand": right, "unit": unit}],
    }


def keep(days: int = 365) -> dict[str, Any]:
    return number("dmi:deleteAfter", "dmi:days", days, "d")


def to(*recipients: str) -> dict[str, Any]:
    return {"leftOperand": "recipient", "operator": "isAnyOf", "rightOperand": list(recipients)}


PARTICIPANTS = (
    Participant(CITY, "Gemeente", ["dmi:role:municipality"]),
    Participant(SELLER, "Meetlat", ["dmi:role:vendor"]),
    Participant(ABROAD, "Verweg", ["dmi:role:vendor"], country="KE"),
    Participant(ANALYST, "Analist", ["dmi:role:analyst"]),
    Participant(GONE, "Weg", ["dmi:role:vendor"], active=False),
    Participant(NOOR, "Noor", ["dmi:role:resident"]),
    Participant(KIM, "Kim", ["dmi:role:resident"], representatives=[MUM], of_age_at=NOW + 1000 * DAY),
    Participant(MUM, "Mama", ["dmi:role:resident"]),
)
DATASETS = (
    Dataset(GARAGES, CITY, {"nl": "Garages"}, purpose="dmi:purpose:mobility"),
    Dataset(AIR, CITY, {"nl": "Lucht"}, personal=True, purpose=QUALITY),
    Dataset(TRIPS, CITY, {"nl": "Ritten"}, personal=True, purpose="dmi:purpose:mobility",
            basis="dmi:basis:public-task"),
    Dataset(CARE, CITY, {"nl": "Zorg"}, personal=True, purpose="dmi:purpose:emergency", basis="dmi:basis:public-task",
            data="dmi:data:special"),
    Dataset(MAPS, CITY, {"nl": "Kaarten"}, data="dmi:data:high-value"),
    Dataset(RADAR, CITY, {"nl": "Radar"}, commons_cents=200_000),
    Dataset(DRAWINGS, CITY, {"nl": "Tekeningen"}, commons_cents=100_000),
)  # fmt: skip


def reasoner(taken: Mapping[str, int] | None = None, books: Rulebooks | None = None) -> Reasoner:
    members = {one.id: one for one in PARTICIPANTS}
    datasets = {one.id: one for one in DATASETS}
    facts = Facts(datasets.get, members.get, lambda _giver, _taker, _but: taken or {})
    return Reasoner(books or Rulebooks(rulebook()), facts, (), lambda: NOW)


def with_basis(text: dict[str, Any], basis: str) -> dict[str, Any]:
    return {**text, "dmi:legalBasis": f"dmi:basis:{basis}"}


def air(assignee: str = CITY, **more: Any) -> dict[str, Any]:
    """Personal data under consent: as it should be, unless a part is given."""
    more = {"constraints": [until()], "duties": [keep()], "purpose": QUALITY, **more}
    return with_basis(document(CITY, assignee, AIR, more.pop("actions", ["dmi:read"]), **more), "consent")


def trips(assignee: str = CITY, **more: Any) -> dict[str, Any]:
    """Personal data for a public task."""
    more = {"constraints": [until()], "duties": [keep()], "purpose": "dmi:purpose:traffic-management", **more}
    return document(CITY, assignee, TRIPS, ["dmi:read"], **more)


def consent(person: str = NOOR, *recipients: str, **more: Any) -> dict[str, Any]:
    constraints = [to(*(recipients or (CITY,))), until()]
    return document(
        person, EVERYONE, AIR, ["dmi:read"], **{"purpose": QUALITY, "constraints": constraints, **more}
    )


def two_targets() -> dict[str, Any]:
    text = document(CITY, SELLER, RADAR, ["dmi:read"])
    text["permission"][0]["target"] = [RADAR, DRAWINGS]
    return text


def permissions(count: int) -> dict[str, Any]:
    """A consent with so many permissions of which each says something else."""
    text = consent()
    (rule,) = text["permission"]
    ends = [until(f"2027-{month:02d}-01T00:00:00Z") for month in range(1, count + 1)]
    text["permission"] = [{**rule, "constraint": [*rule["constraint"][:2], end]} for end in ends]
    return text


def second_permission(text: dict[str, Any], **changed: Any) -> dict[str, Any]:
    text["permission"].append({**copy.deepcopy(text["permission"][0]), **changed})
    return text


GOOD: dict[str, Callable[[], dict[str, Any]]] = {
    "open data for everyone": lambda: document(
        CITY, EVERYONE, GARAGES, ["dmi:read"], purpose="dmi:purpose:any"
    ),
    "personal data under consent": air,
    "personal data for a public task": trips,
    "figures about groups for a vendor abroad": lambda: air(
        ABROAD,
        duties=[
            number("dmi:suppress", "dmi:minimumGroup", 5, "{person}"),
            {
                "action": "dmi:aggregate",
                "constraint": [
                    {"leftOperand": "dmi:window", "operator": "eq", "rightOperand": 3600},
                    {"leftOperand": "dmi:areaLevel", "operator": "eq", "rightOperand": "neighbourhood"},
                ],
            },
        ],
    ),
    "a consent": consent,
    "a consent with ten rules that each say something else": lambda: permissions(10),
    "statistics with what was collected for something else": lambda: trips(purpose="dmi:purpose:statistics"),
    "an offer whose other side is not known yet": lambda: air(UNKNOWN_PARTY),
    "a part of the commons": lambda: document(CITY, SELLER, RADAR, ["dmi:read"]),
    "retention as an obligation of the whole agreement": lambda: {**air(duties=[]), "obligation": [keep()]},
    "high-value data for one party with conditions": lambda: document(
        CITY, SELLER, MAPS, ["dmi:read"], duties=[number("dmi:delay", "dmi:seconds", 60, "s")]
    ),
}

BAD: dict[str, tuple[Callable[[], dict[str, Any]], str, str, int | None]] = {
    "another basis than collected on": (lambda: with_basis(air(), "public-task"), "basis", "/dmi:legalBasis", 1),
    "a purpose that the basis does not carry": (
        lambda: trips(purpose="dmi:purpose:marketing"), "purpose-basis", "/permission/0/constraint", 1,
    ),
    "a vendor that relies on a public task": (lambda: trips(SELLER), "basis-role", "/assignee", 2),
    "any purpose for personal data": (
        lambda: air(purpose="dmi:purpose:any"), "broad-purpose", "/permission/0/constraint", 1,
    ),
    "a public task without saying which": (
        lambda: trips(purpose="dmi:purpose:public-task"), "broad-purpose", "/permission/0/constraint", 1,
    ),
    "another purpose than collected for": (
        lambda: trips(purpose="dmi:purpose:noise"), "purpose-collection", "/permission/0/constraint", 1,
    ),
    "special data for a public task": (
        lambda: document(CITY, CITY, CARE, ["dmi:read"], purpose="dmi:purpose:emergency",
                         constraints=[until()], duties=[keep(30)]),
        "special", "/dmi:legalBasis", 2,
    ),
    "retention without end": (lambda: air(duties=[]), "retention", "/permission/0/duty", 1),
    "retention beyond the limit": (lambda: air(duties=[keep(2000)]), "limit", "/permission/0/duty", 1),
    "groups that are too small": (
        lambda: air(duties=[keep(), number("dmi:suppress", "dmi:minimumGroup", 2, "{person}")]),
        "limit", "/permission/0/duty", 1,
    ),
    "cells that are too small": (
        lambda: air(duties=[keep(), number("dmi:coarsen", "dmi:gridSize", 10, "m")]),
        "limit", "/permission/0/duty", 1,
    ),
    "no end": (lambda: air(constraints=[]), "term", "/permission/0/constraint", 1),
    "an end that is too far": (
        lambda: trips(constraints=[until("2040-01-01T00:00:00Z")]), "term", "/permission/0/constraint", 1,
    ),
    "an end that has passed": (
        lambda: air(constraints=[until("2020-01-01T00:00:00Z")]), "expired", "/permission/0/constraint", 1,
    ),
    "outside the EU": (lambda: air(ABROAD), "transfer", "/assignee", 2),
    "personal data for everyone": (lambda: air(EVERYONE), "transfer", "/assignee", 2),
    "a recipient of a consent outside the EU": (lambda: consent(NOOR, ABROAD), "transfer", "/assignee", None),
    "a role that may not use": (
        lambda: document(CITY, ANALYST, GARAGES, ["dmi:read"]), "role", "/assignee", None,
    ),
    "a role that may not give": (
        lambda: document(ANALYST, CITY, GARAGES, ["dmi:read"]), "role", "/assigner", None,
    ),
    "more than the commons": (two_targets, "commons", "/permission", 1),
    "high-value data for one purpose": (
        lambda: document(CITY, EVERYONE, MAPS, ["dmi:read"]), "high-value", "/permission/0/constraint", 1,
    ),
    "high-value data with conditions": (
        lambda: document(CITY, EVERYONE, MAPS, ["dmi:read"], purpose="dmi:purpose:any",
                         duties=[number("dmi:delay", "dmi:seconds", 60, "s")]),
        "high-value", "/permission/0/duty", 1,
    ),
    "two recipients in one consent": (
        lambda: consent(NOOR, CITY, SELLER), "bundled", "/permission/0/constraint", 1,
    ),
    "two purposes in one consent": (
        lambda: second_permission(
            consent(), constraint=[
                {"leftOperand": "purpose", "operator": "isA", "rightOperand": "dmi:purpose:noise"}, to(CITY), until(),
            ],
        ),
        "bundled", "/permission/1", 1,
    ),
    "a rule that stands in a consent twice": (
        lambda: second_permission(consent()), "bundled", "/permission/1", 1,
    ),
    "a prohibition that stands in a consent twice": (
        lambda: {**consent(), "prohibition": [{"target": AIR, "action": "dmi:publish"}] * 2},
        "bundled", "/prohibition/1", 1,
    ),
    "more rules in a consent than one oversees": (lambda: permissions(11), "bundled", "/permission/10", None),
    "a longer consent than one reads": (
        lambda: consent(constraints=[to(CITY), *[until()] * 400]), "bundled", "", None,
    ),
    "a child that consents itself": (lambda: consent(KIM), "child", "/assigner", None),
    "a party that left": (lambda: document(CITY, GONE, GARAGES, ["dmi:read"]), "left", "/assignee", None),
}  # fmt: skip


@pytest.mark.parametrize("make", GOOD.values(), ids=GOOD)
def test_what_law_and_rulebook_allow_passes(make: Callable[[], dict[str, Any]]) -> None:
    verdict = reasoner().review(make())
    assert not verdict.faults
    assert verdict.change is None


@pytest.mark.parametrize(("make", "rule", "path", "size"), BAD.values(), ids=BAD)
def test_what_they_do_not_allow_is_found_with_its_place_and_its_smallest_change_passes(
    make: Callable[[], dict[str, Any]], rule: str, path: str, size: int | None
) -> None:
    text = make()
    before = copy.deepcopy(text)
    verdict = reasoner().review(text)
    assert (f"dmi:rule:{rule}", path) in {(fault.rule, fault.path) for fault in verdict.faults}
    assert text == before
    for fault in verdict.faults:
        assert set(fault.detail) == {"nl", "en"}
    if size is None:
        assert verdict.change is None
        return
    assert verdict.change is not None
    assert len(verdict.change.operations) == size
    mended = apply(text, verdict.change.operations)
    assert mended == verdict.change.document
    assert reasoner().review(mended).passes
    assert all(step.text["nl"] and step.text["en"] for step in verdict.change.steps)


def test_several_faults_are_mended_together() -> None:
    text = with_basis(air(constraints=[], duties=[], purpose="dmi:purpose:any"), "public-task")
    verdict = reasoner().review(text)
    assert {fault.rule.rpartition(":")[2] for fault in verdict.faults} >= {
        "basis", "broad-purpose", "retention", "term",
    }  # fmt: skip
    assert verdict.change is not None
    assert reasoner().review(apply(text, verdict.change.operations)).passes
    assert [step.text["en"] for step in verdict.change.steps] == [
        "choose as basis: Consent", "choose as purpose: Air quality", "retention of personal data: 1096 d",
        "let it end at 2029-01-15T08:00:00Z",
    ]  # fmt: skip


def test_no_smaller_change_would_do() -> None:
    """Each operation of the smallest change is needed: without any one of them the document does not pass."""
    text = air(constraints=[], duties=[], purpose="dmi:purpose:any")
    change = reasoner().review(text).change
    assert change is not None
    assert len(change.operations) == 3
    for left_out in range(3):
        fewer = [step for number, step in enumerate(change.operations) if number != left_out]
        assert not reasoner().review(apply(text, fewer)).passes


def test_the_purpose_that_the_data_was_collected_for_is_proposed_first() -> None:
    change = reasoner().review(air(purpose="dmi:purpose:any")).change
    assert change is not None
    assert change.operations[0]["value"]["rightOperand"] == QUALITY


@pytest.mark.parametrize("spelling", ["odrl:", "http://www.w3.org/ns/odrl/2/"])
def test_a_document_in_another_spelling_is_mended_in_its_own(spelling: str) -> None:
    text = air(constraints=[], purpose="dmi:purpose:any")
    rule = text["permission"][0]
    rule[f"{spelling}constraint"] = rule.pop("constraint")
    for constraint in rule[f"{spelling}constraint"]:
        constraint[f"{spelling}leftOperand"] = spelling + constraint.pop("leftOperand")
    change = reasoner().review(text).change
    assert change is not None
    assert reasoner().review(apply(text, change.operations)).passes
    assert "constraint" not in change.document["permission"][0]


def test_what_others_took_of_the_commons_counts() -> None:
    text = document(CITY, SELLER, RADAR, ["dmi:read"])
    assert reasoner({OTHER: 50_000}).review(text).passes
    verdict = reasoner({OTHER: 50_001}).review(text)
    assert [fault.detail["en"] for fault in verdict.faults] == ["asked 2000.00 euros, left are 1999.99 euros"]
    assert verdict.change is None


def test_of_the_commons_is_taken_what_has_no_price_and_each_dataset_once() -> None:
    parts = {"dmi:cents": 5, "dmi:per": 1, "dmi:chargedUnit": "use"}
    price = {
        "action": "dmi:pay",
        "constraint": [{"leftOperand": n, "operator": "eq", "rightOperand": v} for n, v in parts.items()],
    }
    assert rules(reasoner().review(two_targets()).faults) == ["commons"]
    paid = two_targets()
    paid["permission"][0]["duty"] = [price]
    assert reasoner({OTHER: 250_000}).review(paid).passes
    assert rules(reasoner().review(second_permission(paid, duty=[])).faults) == ["commons"]
    # By another agreement already: it is not taken twice.
    assert reasoner({RADAR: 200_000}).review(document(CITY, SELLER, RADAR, ["dmi:read"])).passes


def test_what_is_given_without_a_price_is_found_without_a_change_of_the_document() -> None:
    text = document(CITY, SELLER, RADAR, ["dmi:read"])
    text["permission"][0]["duty"] = [{"action": ["dmi:pay"]}, {"action": ["dmi:delay"]}]
    before = json.dumps(text)
    assert [given_free(text), given_free(text), json.dumps(text)] == [frozenset(), frozenset(), before]


def test_more_rules_than_a_gate_should_hold_are_refused() -> None:
    text = document(CITY, SELLER, RADAR, ["dmi:read"])
    never = {"leftOperand": "count", "operator": "gteq", "rightOperand": 10**9}
    forbidden = {"target": RADAR, "action": "dmi:read", "constraint": [never]}
    text["prohibition"] = [forbidden] * (MOST_COUNTED + 1)
    with pytest.raises(PolicyRefused) as caught:
        reasoner().review(text)
    assert [finding.path for finding in caught.value.findings] == [f"/prohibition/{MOST_COUNTED}"]


def test_what_is_left_out_of_the_commons_is_left_out_of_every_permission() -> None:
    text = two_targets()
    second_permission(second_permission(text, target=DRAWINGS), target=RADAR)
    verdict = reasoner().review(text)
    assert rules(verdict.faults) == ["commons"]
    assert verdict.change is not None
    (step,) = verdict.change.steps
    assert step.text["en"] == "leave out: Tekeningen"
    left = verdict.change.document["permission"]
    assert [rule["target"] for rule in left] == [[RADAR], RADAR]
    assert reasoner().review(verdict.change.document).passes


def test_a_large_document_that_cannot_be_mended_is_judged_fast() -> None:
    text = document(CITY, SELLER, RADAR, ["dmi:read"])
    for number in range(300):
        wanted = until(f"2027-12-{1 + number % 28:02}T{number // 28:02}:00:00Z")
        second_permission(text, constraint=[*text["permission"][0]["constraint"], wanted])
    begun = time.perf_counter()
    verdict = reasoner({OTHER: 100_000}).review(text)
    assert rules(verdict.faults) == ["commons"]
    assert verdict.change is None
    assert time.perf_counter() - begun < 3


def test_the_search_for_the_smallest_change_ends_in_time_and_what_is_wrong_is_told_all_the_same(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    text = air(constraints=[], duties=[], purpose="dmi:purpose:any")
    assert reasoner().review(text).change is not None
    monkeypatch.setattr("dmi_exchange.review.reasoner.SEARCH_SECONDS", -1.0)
    verdict = reasoner().review(text)
    assert verdict.faults
    assert verdict.change is None


def test_a_child_consents_by_a_representative_until_it_is_of_age() -> None:
    assert reasoner().review(consent(KIM), {MUM}).passes
    assert not reasoner().review(consent(KIM), {KIM, NOOR}).passes


def state(text: dict[str, Any], **more: Any) -> AgreementState:
    signatures = dict.fromkeys((text["assigner"], text["assignee"]), "a..b")
    return AgreementState(text["uid"], text, "active", signatures=signatures, **more)


def rules(faults: tuple[Any, ...]) -> list[str]:
    return [fault.rule.removeprefix("dmi:rule:") for fault in faults]


def test_a_running_agreement_is_held_to_the_current_rulebook() -> None:
    files = copy.deepcopy(dict(rulebook().files))
    files["rulebook.json"] |= {"version": "2.0.0", "accepted": []}
    next(x for x in files["limits.json"] if x["id"] == "dmi:limit:retention")["maximum"] = 100
    books = Rulebooks(rulebook())
    text = air()
    assert rules(reasoner(books=books).running(state(text))) == []
    books.adopt(rulebook_of(files))
    assert rules(reasoner(books=books).running(state(text))) == ["limit", "version"]


def test_a_consent_is_renewed_when_its_purpose_means_something_else() -> None:
    files = copy.deepcopy(dict(rulebook().files))
    files["rulebook.json"] |= {"version": "1.1.0", "accepted": ["1.0.0"]}
    purpose = next(x for x in files["purposes.json"] if x["id"] == QUALITY)
    books = Rulebooks(rulebook())
    books.adopt(rulebook_of(files))
    assert rules(reasoner(books=books).running(state(consent()))) == []
    purpose["description"] = {"nl": "Lucht meten en boetes geven.", "en": "Measure the air and fine people."}
    files["rulebook.json"] |= {"version": "1.2.0", "accepted": ["1.0.0", "1.1.0"]}
    books.adopt(rulebook_of(files))
    assert rules(reasoner(books=books).running(state(consent()))) == ["renewal"]
    assert rules(reasoner(books=books).running(state(air()))) == []


def test_what_ran_out_or_whose_party_left_is_found_while_it_runs() -> None:
    ended = air(constraints=[until("2026-01-01T00:00:00Z")])
    assert rules(reasoner().running(state(ended))) == ["expired"]
    gone = document(CITY, GONE, GARAGES, ["dmi:read"])
    assert rules(reasoner().running(state(gone))) == ["left"]


def test_a_rule_that_the_rulebook_ignores_while_running_is_not_held_against_anybody() -> None:
    files = copy.deepcopy(dict(rulebook().files))
    next(x for x in files["rules.json"] if x["id"] == "dmi:rule:left")["running"] = "ignore"
    books = Rulebooks(rulebook_of(files))
    gone = document(CITY, GONE, GARAGES, ["dmi:read"])
    assert rules(reasoner(books=books).running(state(gone))) == []
    assert not reasoner(books=books).review(gone).passes


@pytest.mark.parametrize(
    ("changes", "rule"),
    [
        ({"purpose": "dmi:purpose:public-task"}, "broad-purpose"),
        ({"basis": "dmi:basis:vital-interests", "purpose": "dmi:purpose:noise"}, "purpose-basis"),
        ({"basis": "dmi:basis:public-task", "data": "dmi:data:special"}, "special"),
        ({"personal": False, "purpose": "dmi:purpose:public-task"}, None),
        ({}, None),
    ],
)
def test_an_entry_of_the_catalogue_is_reviewed_where_persons_are_in_it(
    changes: dict[str, Any], rule: str | None
) -> None:
    entry = msgspec.structs.replace(DATASETS[1], **changes)
    assert rules(reasoner().dataset(entry)) == ([rule] if rule else [])


def test_a_verdict_is_reached_fast() -> None:
    """The worst case of the search is bounded, so that nobody can keep the exchange busy with a proposal."""
    text = air(ABROAD, constraints=[], duties=[], purpose="dmi:purpose:any")
    for number in range(8):
        second_permission(text, action=["dmi:read", "dmi:export"][: 1 + number % 2])
    begun = time.perf_counter()
    verdict: Verdict = reasoner().review(text)
    assert verdict.change is not None
    assert len(verdict.change.steps) == 9
    assert time.perf_counter() - begun < 2


def test_one_review_asks_for_each_dataset_and_party_once_and_the_next_anew() -> None:
    members = {one.id: one for one in PARTICIPANTS}
    datasets = {one.id: one for one in DATASETS}
    asked: list[str] = []

    def looked(known: dict[str, Any]) -> Any:
        return lambda name: (asked.append(name), known.get(name))[1]

    judge = Reasoner(
        Rulebooks(rulebook()), Facts(looked(datasets), looked(members), lambda *_: {}), (), lambda: NOW
    )
    assert judge.review(trips()).passes
    assert sorted(asked) == sorted(set(asked))
    del datasets[TRIPS]
    judge.review(trips())
    assert asked.count(TRIPS) == 2
