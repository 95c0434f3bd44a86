"""The nine evaluations of the W3C draft *ODRL formal semantics*, each by its name.

Their reports are examples for readers: each states some nodes under names of its own, with words as plain texts.
What they state of rules, constraints, conditions and actions is compared, node by node.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from dmi_agreements.odrl.evaluate import evaluate
from dmi_agreements.odrl.report import DutyReport, PolicyReport, Premise
from dmi_exchange.rdf.profiling import known_profiles
from dmi_exchange.rdf.reading import read_policy
from dmi_exchange.rdf.reports import plain
from dmi_exchange.rdf.world import at, read_request, read_world

EXAMPLES = {
    "A11": "A/A1", "A12": "A/A1", "B11": "B/B1", "B12": "B/B1", "C11": "C/C1", "C12": "C/C1",
    "C21": "C/C2", "C22": "C/C2", "C23": "C/C2",
}  # fmt: skip
STATES = {"C12": ("stateC12.json", "stateC12.ttl"), "C23": ("stateC23.json", "stateC23.ttl")}
RUNS = [
    pytest.param(name, state, id=f"{name}-{state}" if state else name)
    for name in EXAMPLES
    for state in STATES.get(name, ("",))
]


def judged(material: Path, name: str, state: str) -> PolicyReport:
    """The report on an example."""
    folder = material / "w3c" / EXAMPLES[name]
    terms = known_profiles()
    policy = read_policy(next(folder.glob("policy*.json")).read_text(), terms)
    # A slip of the examples: the agreement is with "billie", and the requests are by "billie1".
    text = (folder / name / f"evaluationrequest{name}.json").read_text().replace("billie1", "billie")
    request, moment = read_request(text, terms)
    world = read_world((folder / name / state).read_text() if state else None, terms)
    return evaluate(policy, request, at(world, moment), terms)


def nodes(value: Any) -> Iterator[dict[str, Any]]:
    """Every object of a report."""
    if isinstance(value, dict):
        yield value
        for each in value.values():
            yield from nodes(each)


def word(value: str) -> str:
    """A state without its prefix, as the report has it in plain JSON."""
    return value.removeprefix("report:")


def premises(found: tuple[Premise, ...], duties: tuple[DutyReport, ...]) -> Iterator[Premise]:
    """Every premise of rules and duties."""
    for premise in found:
        yield premise
        yield from premises(premise.parts, ())
    for duty in duties:
        yield from premises(duty.premises, duty.further)


@pytest.mark.parametrize(("name", "state"), RUNS)
def test_what_the_example_states_is_what_we_find(name: str, state: str, material: Path) -> None:
    folder = material / "w3c" / EXAMPLES[name] / name
    expected = json.loads((folder / f"compliancereport{name}.json").read_text())
    report = judged(material, name, state)
    rules = {each["rule"]: each for each in plain(report)["ruleReport"]}
    compared = 0
    for node in nodes(expected):
        if "report:rule" in node:
            found = rules[node["report:rule"]]
            assert found["activationState"] == word(node["report:activationState"])
            assert found["controlState"] == word(node["report:controlState"])
            compared += 1
        elif node.get("@type") == "report:ConstraintReport":
            told = next(
                each
                for rule in report.rules
                for each in premises(rule.premises, rule.conditions)
                for part in (each, *each.parts)
                if part.test is not None and part.test.uid == node["report:constraint"]
            )
            assert told.holds is (word(node["report:satisfactionState"]) == "Satisfied")
            compared += 1
        elif node.get("@type") == "report:ConditionReport":
            uid = node.get("report:condition") or node["report:constraint"]  # C21 to C23 name it so
            (condition,) = (
                each for rule in rules.values() for each in rule["conditionReport"] if each["rule"] == uid
            )
            # C11 says "Satisfied" where an activation state belongs; what is satisfied is active.
            wanted = word(node["report:activationState"]).replace("Satisfied", "Active")
            assert condition["activationState"] == wanted
            assert condition["deonticState"] == word(node["report:deonticState"])
            compared += 1
        elif node.get("@type") == "report:ActionReport":
            (duty,) = (
                each
                for rule in report.rules
                for each in rule.conditions
                if each.rule.actions[0].uid == node["report:action"]
            )
            assert duty.performance == word(node["report:performanceState"])
            compared += 1
    assert compared == sum(1 for _ in nodes(expected)) - 3  # all but the whole, its context and its date


@pytest.mark.parametrize("name", EXAMPLES)
def test_who_is_not_the_assignee_is_never_permitted(name: str, material: Path) -> None:
    folder = material / "w3c" / EXAMPLES[name]
    policy = read_policy(next(folder.glob("policy*.json")).read_text(), known_profiles())
    request, moment = read_request((folder / name / f"evaluationrequest{name}.json").read_text())
    report = evaluate(policy, request, at(read_world(None), moment), known_profiles())
    assert not (report.allowed and policy.permissions[0].assignees)


def test_the_example_without_evaluation_reads(material: Path) -> None:
    policy = read_policy((material / "w3c" / "A" / "A2" / "policyA2.json").read_text())
    assert (policy.kind, len(policy.prohibitions)) == ("Agreement", 1)
