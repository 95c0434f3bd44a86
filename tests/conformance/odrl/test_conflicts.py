"""The open benchmark of policy conflicts (Daham-Mustaf/odrl-benchmark), case by case, against our own judge.

Each case's family says which question it asks: whether one request satisfies both policies; for *BoxContainment*
whether the second allows all that the first allows; for the one that states an execution, whether that satisfies both.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from dmi_agreements.odrl.evaluate import evaluate
from dmi_agreements.odrl.model import ODRL, XSD, Policy, Typed, Value
from dmi_agreements.odrl.world import Attempt, Request, World
from dmi_command.cli import app
from dmi_exchange.rdf.reading import read_policies
from dmi_exchange.rdf.world import read_world
from dmi_exchange.review.conflicts import Checker, Compatible, Conflict, Inside, Outside
from dmi_exchange.review.conflicts.check import FACTS
from tests.conformance.odrl.brute import Judge, flat, number, places, reached, told
from tests.conformance.odrl.conftest import FOLDER, cases

CASES = cases("conflicts")
_SEGMENTS = re.compile(r"# Ground execution: segments ((?:\[\d+,\d+\],?)+)")
_SEGMENT = re.compile(r"\[(\d+),(\d+)\]")
USE = ODRL + "use"


@dataclass(frozen=True)
class Asked:
    """A case: the two policies, what it states of an execution, and who answers."""

    pair: tuple[Policy, Policy]
    facts: dict[str, Value]
    checker: Checker
    judge: Judge


@pytest.fixture(scope="module")
def hierarchies() -> tuple[dict[str, frozenset[str]], ...]:
    found = []
    for file in sorted((FOLDER / "conflicts" / "resources").glob("*.ttl")):
        world = read_world(file.read_text("utf-8"))
        found += [dict(world.kinds), dict(world.part_of)]
    return tuple(found)


@pytest.fixture
def asked(case: dict[str, Any], material: Path, hierarchies: tuple[dict[str, frozenset[str]], ...]) -> Asked:
    text = (material / "conflicts" / case["policies"]).read_text("utf-8")
    policies = {policy.uid: policy for policy in read_policies(text)}
    one, other = (policies[uid] for uid in case["policy_ids"])
    return Asked((one, other), execution(text), Checker(foreign=hierarchies), Judge(reached(hierarchies)))


def execution(text: str) -> dict[str, Value]:
    """What a case states of an execution: the days of use, whose sum is the metered time."""
    found = _SEGMENTS.search(text)
    if found is None:
        return {}
    days = sum(int(end) - int(start) for start, end in _SEGMENT.findall(found[1]))
    return {ODRL + "meteredTime": Typed(f"P{days}D", XSD + "duration")}


@pytest.mark.parametrize("case", CASES)
def test_the_verdict_is_the_benchmarks(case: dict[str, Any], asked: Asked) -> None:
    one, other = asked.pair
    judge = asked.judge
    if case["category"] == "BoxContainment":
        contained = asked.checker.within(one, other)
        assert type(contained) is {"Conflict": Outside, "Compatible": Inside}[case["verdict"]]
        if isinstance(contained, Outside):
            assert judge.allows(one, told(contained.witness))
            assert not judge.allows(other, told(contained.witness))
        return
    verdict = asked.checker.pair(one, other, asked.facts)
    assert type(verdict) is {"Conflict": Conflict, "Compatible": Compatible}[case["verdict"]]
    if isinstance(verdict, Compatible):
        request = told(verdict.witness)
        assert judge.possible(request)
        assert judge.allows(one, request)
        assert judge.allows(other, request)


@pytest.mark.parametrize("name", ["ODRL651", "ODRL653", "ODRL840"])
def test_the_plain_command_says_that_it_was_asked_another_question(name: str, material: Path) -> None:
    file = material / "conflicts" / "policies" / f"{name}-policy.ttl"
    answer = json.loads(CliRunner().invoke(app, ["policy", "conflicts", str(file), "--json"]).stdout)
    assert (answer["verdict"], answer["otherwise"]["--within"]) == ("Compatible", "Beyond")
    assert name != "ODRL840" or answer["otherwise"]["--fact"] == ["meteredTime"]


@pytest.mark.parametrize("case", CASES)
def test_a_clash_is_one_and_none_without_any_of_its_terms(case: dict[str, Any], asked: Asked) -> None:
    verdict = asked.checker.pair(*asked.pair, asked.facts)
    if isinstance(verdict, Compatible):
        # What satisfies both does so however the judge searches, too.
        assert _possible(asked, set(), asked.facts)
        return
    assert isinstance(verdict, Conflict)
    clash = {(term.policy, term.path) for term in verdict.clash}
    terms = {place for policy in asked.pair for place in places(policy)}
    known = {left: value for left, value in asked.facts.items() if _of_facts(left) in clash}
    assert clash - terms == {_of_facts(left) for left in known}
    assert not _possible(asked, terms - clash, known)
    for left_out in clash & terms:
        assert _possible(asked, (terms - clash) | {left_out}, known)
    for left in known:
        assert _possible(asked, terms - clash, {key: known[key] for key in known if key != left})


@pytest.mark.parametrize("case", CASES)
def test_the_engine_that_judges_requests_allows_a_witness(case: dict[str, Any], asked: Asked) -> None:
    verdict = asked.checker.pair(*asked.pair, asked.facts)
    told_by_log = {ODRL + "timeInterval", ODRL + "delayPeriod"}
    spoken = {test.left for policy in asked.pair for rule in policy.rules for test in flat(rule.constraints)}
    if isinstance(verdict, Conflict) or spoken & told_by_log:
        # It judges one moment: what recurs or waits it learns from the log, as a value that a witness has not.
        return
    assert isinstance(verdict, Compatible)
    act = verdict.witness.request
    now = act.values.get(ODRL + "dateTime", (None,))[0]
    world = World(now=now if isinstance(now, Typed) else None, facts=act.values, part_of=asked.judge.above)
    request = Request("urn:request", (Attempt("urn:request", act.action, facts=act.values),))
    for policy in asked.pair:
        assert evaluate(policy, request, world).allowed


def _of_facts(left: str) -> tuple[str, str]:
    return FACTS, f"/{left.removeprefix(ODRL)}"


def _possible(asked: Asked, free: set[tuple[str, str]], known: dict[str, Value]) -> bool:
    """Whether some request satisfies both policies when the terms ``free`` say nothing."""
    fixed = {left: number(value) or Fraction(0) for left, value in known.items()}
    return any(
        all(asked.judge.allows(policy, {**request, **fixed}, frozenset(free)) for policy in asked.pair)
        for request in asked.judge.requests(asked.pair, [USE])
    )
