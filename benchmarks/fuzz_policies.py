"""Damages valid agreements at random: none may permit more, or raise anything but a refusal. Prints one JSON object.

    python benchmarks/fuzz_policies.py [--mutations 100000] [--seed 1]

Stops with the damaged agreement at the first that breaks this. The damages are those of the tests
(``tests/unit/agreements/mutations.py``), where a bounded number runs each time.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from collections import Counter
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from benchmarks.common.machine import facts
from dmi_agreements.rulebook import parse_rulebook
from tests.unit.agreements.mutations import damage

RULEBOOK = Path(__file__).parents[1] / "agreements" / "rulebook"
AT_ONCE = 10_000


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--mutations", type=int, default=100_000)
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    machine = facts()
    rulebook = parse_rulebook({path.name: path.read_bytes() for path in RULEBOOK.glob("*.json")})
    found: Counter[str] = Counter()
    begun = time.perf_counter()
    for start in range(0, options.mutations, AT_ONCE):
        count = min(AT_ONCE, options.mutations - start)
        found += damage(rulebook, count, options.seed + start)
    result = {
        "benchmark": "fuzz_policies",
        "machine": machine,
        "mutations": sum(found.values()),
        "seconds": round(time.perf_counter() - begun, 1),
        **found,
    }
    print(json.dumps(result, indent=2))


if __name__ == "__main__":
    main()
