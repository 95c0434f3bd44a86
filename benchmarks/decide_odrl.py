"""Measures decisions by agreements of ten rules that use all of ODRL. Prints one JSON object.

    python benchmarks/decide_odrl.py [--agreements 10000] [--decisions 100000]

Every agreement has eight permissions and two prohibitions with logical constraints, sequences, counts, times of day,
roles, refinements and duties, on one dataset and for one of a hundred participants. Times are of single calls on one
thread; the requests are a fixed pseudo-random mix. The same is measured with a tenth of the agreements.
"""

from __future__ import annotations

import argparse
import json
import random
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from benchmarks.common.machine import facts
from dmi_agreements.contracts.law import AgreementState, Dataset, Participant
from dmi_agreements.decision import Request
from dmi_agreements.policy.compiled import compile_agreement
from dmi_agreements.policy.document import read_agreement
from dmi_agreements.rulebook import Rulebook, parse_rulebook
from dmi_agreements.table import LawTable

RULEBOOK = Path(__file__).parents[1] / "agreements" / "rulebook"
NOW = 1_790_000_000_000_000
OWNER = "urn:dmi:participant:owner"
PARTICIPANTS = 100
ACTIONS = ["dmi:read", "dmi:display", "dmi:export", "dmi:analyse"]
PURPOSES = [
    "dmi:purpose:mobility",
    "dmi:purpose:parking-guidance",
    "dmi:purpose:noise",
    "dmi:purpose:marketing",
]


def test(left: str, operator: str, right: object) -> dict[str, Any]:
    return {"leftOperand": left, "operator": operator, "rightOperand": right}


def rule(draw: random.Random, number: int, dataset: str) -> dict[str, Any]:
    """A permission; each of ten kinds of conditions comes by turns."""
    begins, ends = ("2025-01-01T00:00:00Z", "2030-01-01T00:00:00Z")
    conditions = [
        {"xone": [test("dmi:role", "isAnyOf", "dmi:role:user"), test("count", "lteq", draw.randint(1, 9))]},
        {"andSequence": [test("dateTime", "gteq", begins), test("delayPeriod", "gteq", "P2D")]},
        {"or": [test("dmi:dayOfWeek", "isNoneOf", ["Sunday"]), test("dmi:timeOfDay", "lt", "18:00:00")]},
        test("elapsedTime", "lteq", "P300D"),
        {
            "and": [
                test("dateTime", "lt", ends),
                {"or": [test("count", "lt", 9), test("dateTime", "gt", begins)]},
            ]
        },
    ]
    action: Any = draw.choice(ACTIONS)
    if number % 4 == 1:
        action = {"rdf:value": {"@id": action}, "refinement": [test("dmi:timeOfDay", "gteq", "05:00:00")]}
    found = {
        "target": dataset,
        "action": action,
        "constraint": [
            test("purpose", "isA", draw.choice(["dmi:purpose:mobility", "dmi:purpose:any"])),
            test("dateTime", "lteq", ends),
            conditions[number % 5],
            conditions[(number + 2) % 5],
        ],
    }
    if number % 3 == 0:
        cell = test("dmi:gridSize", "eq", 100)
        found["duty"] = [{"action": "dmi:coarsen", "constraint": [cell]}]
    if number % 7 == 2:
        found["duty"] = [{"action": "attribute", "constraint": [test("dateTime", "lteq", ends)]}]
    return found


def agreement(draw: random.Random, number: int) -> AgreementState:
    uid = f"urn:uuid:00000000-0000-4000-8000-{number:012d}"
    dataset = f"urn:dmi:dataset:owner:d{number}"
    forbidding = [
        {
            "target": dataset,
            "action": "odrl:use",
            "constraint": [test("purpose", "isA", "dmi:purpose:commercial")],
        },
        {
            "target": dataset,
            "action": "odrl:reproduce",
            "constraint": [{"and": [test("dmi:dayOfWeek", "eq", "Sunday"), test("count", "gt", 3)]}],
        },
    ]
    document = {
        "@context": ["http://www.w3.org/ns/odrl.jsonld", {"dmi": "urn:dmi:"}],
        "@type": "Agreement",
        "uid": uid,
        "profile": "urn:dmi:profile:1",
        "dmi:rulebook": "1.0.0",
        "dmi:legalBasis": "dmi:basis:public-task",
        "assigner": OWNER,
        "assignee": f"urn:dmi:participant:p{number % PARTICIPANTS}",
        "permission": [rule(draw, each, dataset) for each in range(8)],
        "prohibition": forbidding,
    }
    return AgreementState(uid, document, "active", concluded_at=NOW - 10**13)


def percentiles(taken: list[int], unit: float) -> dict[str, float]:
    taken = sorted(taken)
    parts = (("p50", 0.5), ("p95", 0.95), ("p99", 0.99), ("max", 1.0))
    return {name: round(taken[min(int(len(taken) * part), len(taken) - 1)] / unit, 2) for name, part in parts}


def timed(calls: int, call: Callable[[int], object]) -> list[int]:
    taken = []
    for number in range(calls):
        before = time.perf_counter_ns()
        call(number)
        taken.append(time.perf_counter_ns() - before)
    return taken


def table(rulebook: Rulebook, states: list[AgreementState]) -> LawTable:
    law = LawTable(rulebook)
    law.apply(Participant(OWNER, "owner", [], rulebook=rulebook.version))
    for number in range(PARTICIPANTS):
        roles = ["dmi:role:user"] if number % 2 else ["dmi:role:provider"]
        law.apply(Participant(f"urn:dmi:participant:p{number}", "", roles, rulebook=rulebook.version))
    for number in range(len(states)):
        law.apply(Dataset(f"urn:dmi:dataset:owner:d{number}", OWNER, {}))
    for state in states:
        law.apply(state)
    return law


def decisions(law: LawTable, count: int, calls: int) -> dict[str, object]:
    chance = random.Random(3)
    requests = []
    for _ in range(10_000):
        number = chance.randrange(count)
        party = f"urn:dmi:participant:p{number % PARTICIPANTS}"
        dataset = f"urn:dmi:dataset:owner:d{number}"
        requests.append(Request(party, chance.choice(ACTIONS), dataset, chance.choice(PURPOSES)))
    taken = timed(calls, lambda number: law.decide(requests[number % 10_000], NOW))
    share = sum(law.decide(request, NOW).allowed for request in requests) / len(requests)
    return {"agreements": count, "decide_us": percentiles(taken, 1e3), "allowed_share": round(share, 3)}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--agreements", type=int, default=10_000)
    parser.add_argument("--decisions", type=int, default=100_000)
    options = parser.parse_args()
    machine = facts()
    rulebook = parse_rulebook({path.name: path.read_bytes() for path in RULEBOOK.glob("*.json")})
    draw = random.Random(7)
    states = [agreement(draw, number) for number in range(options.agreements)]
    some = states[: min(1_000, len(states))]
    terms = [read_agreement(state.document, rulebook) for state in some]
    result = {
        "benchmark": "decide_odrl",
        "machine": machine,
        "read_ms": percentiles(timed(len(some), lambda n: read_agreement(some[n].document, rulebook)), 1e6),
        "compile_ms": percentiles(timed(len(terms), lambda n: compile_agreement(terms[n], rulebook)), 1e6),
        "tenth": decisions(
            table(rulebook, states[: len(states) // 10]), len(states) // 10, options.decisions
        ),
        "all": decisions(table(rulebook, states), len(states), options.decisions),
    }
    print(json.dumps(result, indent=2))


if __name__ == "__main__":
    main()
