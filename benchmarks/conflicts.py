"""Checks pairs of policies for conflicts: time and processor time per pair. Prints one JSON object.

    python benchmarks/conflicts.py [--pairs 200]

The first check, which loads the solver, is told apart. Measured on the pairs of the open benchmark where its folder
is at hand (``DMI_TEST_CONFORMANCE``, else beside the checkout), and on pairs made up here: ten rules each, with three
or four constraints on sizes, time, language and place, joined in all ways; half of the pairs conflict.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import sys
import time
from collections.abc import Callable, Iterable
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from benchmarks.common.machine import facts
from dmi_agreements.odrl.model import ODRL, XSD, Action, Constraint, Logical, Policy, Rule, Test, Typed, Value
from dmi_agreements.odrl.vocabulary import AXIS
from dmi_exchange.rdf.reading import read_policies
from dmi_exchange.review.conflicts import Checker, known

CASES = (
    Path(os.environ.get("DMI_TEST_CONFORMANCE") or Path(__file__).parents[2] / "shared" / "conformance")
    / "odrl"
    / "conflicts"
    / "policies"
)
RULES = 10


def typed(text: str, datatype: str) -> tuple[Value, ...]:
    return (Typed(text, XSD + datatype),)


def constraint(draw: random.Random, path: str, early: bool) -> Constraint:
    """A constraint; ``early`` policies and others have no moment in common."""
    day = f"2026-{draw.randint(1, 6) + (0 if early else 6):02}-{draw.randint(1, 28):02}T00:00:00Z"
    size = AXIS + "absoluteSize" + draw.choice(["Width", "Height", "Depth"])
    left, operators, right = draw.choice(
        [
            (ODRL + "dateTime", ["gteq", "lteq"], typed(day, "dateTime")),
            (size, ["lteq", "gt", "lt"], typed(str(draw.randint(1, 4000)), "decimal")),
            (ODRL + "elapsedTime", ["lteq"], typed(f"P{draw.randint(1, 90)}D", "duration")),
            (ODRL + "meteredTime", ["gteq"], typed(f"P{draw.randint(0, 5)}D", "duration")),
            (ODRL + "language", ["isA", "neq"], typed(draw.choice(["nl", "de", "fr"]), "string")),
            (ODRL + "spatial", ["isPartOf"], ("https://sws.geonames.org/6255148/",)),
        ]
    )
    return Constraint(left, ODRL + draw.choice(operators), right, path)


def policy(draw: random.Random, uid: str, early: bool) -> Policy:
    rules: dict[str, list[Rule]] = {"permission": [], "prohibition": []}
    for number in range(RULES):
        kind = "permission" if number < RULES - 2 else "prohibition"
        path = f"/{kind}/{len(rules[kind])}"
        bound = typed("2026-06-30T00:00:00Z", "dateTime")
        tests: list[Test] = [
            Constraint(ODRL + "dateTime", ODRL + ("lt" if early else "gteq"), bound, f"{path}/constraint/0")
        ]
        parts = [constraint(draw, f"{path}/constraint/1/{at}", early) for at in range(draw.randint(2, 3))]
        tests.append(Logical(draw.choice(["and", "or", "xone"]), tuple(parts), f"{path}/constraint/1"))  # type: ignore[arg-type]
        action = Action(ODRL + draw.choice(["use", "read", "display", "reproduce"]))
        rules[kind].append(Rule(kind, path, (action,), constraints=tuple(tests)))  # type: ignore[arg-type]
    return Policy("Offer", uid, tuple(rules["permission"]), tuple(rules["prohibition"]), conflict="prohibit")


def timed(
    check: Callable[[Policy, Policy], object], pairs: Iterable[tuple[Policy, Policy]]
) -> dict[str, object]:
    times, work, verdicts = [], [], {"Conflict": 0, "Compatible": 0, "Undecidable": 0}
    for one, other in pairs:
        start, begun = time.perf_counter(), time.process_time()
        verdict = check(one, other)
        times.append(time.perf_counter() - start)
        work.append(time.process_time() - begun)
        verdicts[type(verdict).__name__] += 1
    return {"pairs": len(times), **_told(times, ""), **_told(work, "cpu_"), **verdicts}


def _told(seconds: list[float], name: str) -> dict[str, float]:
    ordered = sorted(seconds)
    parts = {"p50_ms": 0.5, "p95_ms": 0.95, "max_ms": 1.0}
    last = len(ordered) - 1
    return {
        name + key: round(ordered[min(last, int(len(ordered) * part))] * 1e3, 1)
        for key, part in parts.items()
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--pairs", type=int, default=200)
    count = parser.parse_args().pairs
    told = facts()
    draw = random.Random(7)
    made = [
        (policy(draw, "urn:one", True), policy(draw, "urn:other", early=number % 2 == 0))
        for number in range(count)
    ]
    checker = Checker((known.places(),))
    start = time.perf_counter()
    checker.pair(*made[0])
    first = time.perf_counter() - start
    found: dict[str, object] = {"first_ms": round(first * 1e3, 1), "ten_rules": timed(checker.pair, made)}
    if CASES.is_dir():
        read = [read_policies(file.read_text("utf-8")) for file in sorted(CASES.glob("*.ttl"))]
        found["open_benchmark"] = timed(checker.pair, [(one, other) for one, other in read])
    print(json.dumps({**told, **found}))


if __name__ == "__main__":
    main()
