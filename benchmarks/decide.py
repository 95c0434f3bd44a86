"""Measures the law table with 10,000 agreements: decisions, events, consents. Prints one JSON object.

    python benchmarks/decide.py [--agreements 10000] [--decisions 200000]

Times are microseconds per call on one thread, each call timed by itself; the requests are a fixed pseudo-random
mix of allowed and refused ones over all agreements.
"""

from __future__ import annotations

import argparse
import json
import random
import sys
import time
from collections.abc import Callable
from pathlib import Path

import msgspec

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from benchmarks.common.machine import facts
from dmi_agreements.contracts.law import AgreementState, Dataset, Participant
from dmi_agreements.decision import Request
from dmi_agreements.policy.templates import from_template
from dmi_agreements.rulebook import Rulebook, parse_rulebook
from dmi_agreements.table import LawTable

RULEBOOK = Path(__file__).parents[1] / "agreements" / "rulebook"
NOW = 1_790_000_000_000_000
OWNER = "urn:dmi:participant:owner"
PERSONAL = "urn:dmi:dataset:owner:personal"
PARTICIPANTS = 100


def uid(number: int) -> str:
    return f"urn:uuid:00000000-0000-4000-8000-{number:012d}"


def state(rulebook: Rulebook, template: str, number: int, **parameters: object) -> AgreementState:
    document = from_template(rulebook, template, uid=uid(number), until="2027-01-01T00:00:00Z", **parameters)
    return AgreementState(uid(number), document, "active")


def agreements(rulebook: Rulebook, count: int) -> list[AgreementState]:
    """One in ten open to everyone, one in ten ended, the others between the owner and one of the participants."""
    made = []
    for number in range(count):
        dataset = f"urn:dmi:dataset:owner:d{number // 10}"
        if number % 10 == 0:
            datasets = f"urn:dmi:dataset:owner:open{number // 10}"
            made.append(state(rulebook, "open-data", number, assigner=OWNER, datasets=datasets))
            continue
        agreed = state(
            rulebook,
            "sensor-data",
            number,
            assigner=OWNER,
            assignee=f"urn:dmi:participant:p{number % PARTICIPANTS}",
            datasets=dataset,
            actions=["dmi:process", "dmi:read", "dmi:display"],
            purpose="dmi:purpose:mobility",
            grid=100,
        )
        ended = number % 10 == 9
        made.append(msgspec.structs.replace(agreed, state="ended", ended_at=NOW - 1) if ended else agreed)
    return made


def consents(rulebook: Rulebook, count: int) -> list[AgreementState]:
    return [
        state(
            rulebook,
            "consent",
            1_000_000 + number,
            person=f"urn:dmi:person:r{number}",
            datasets=PERSONAL,
            recipients=[OWNER],
            actions=["dmi:process"],
            purpose="dmi:purpose:air-quality",
        )
        for number in range(count)
    ]


def timed(calls: int, call: Callable[[int], object]) -> dict[str, float]:
    """Percentiles of the time of single calls, microseconds."""
    clock = time.perf_counter_ns
    taken = []
    for number in range(calls):
        before = clock()
        call(number)
        taken.append(clock() - before)
    taken.sort()
    return {
        name: round(taken[min(int(len(taken) * part), len(taken) - 1)] / 1_000, 2)
        for name, part in (("p50", 0.5), ("p99", 0.99), ("p999", 0.999), ("max", 1.0))
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--agreements", type=int, default=10_000)
    parser.add_argument("--decisions", type=int, default=200_000)
    options = parser.parse_args()
    machine = facts()
    rulebook = parse_rulebook({path.name: path.read_bytes() for path in RULEBOOK.glob("*.json")})
    table = LawTable(rulebook)
    table.apply(Participant(OWNER, "owner", [], rulebook=rulebook.version))
    for number in range(PARTICIPANTS):
        table.apply(Participant(f"urn:dmi:participant:p{number}", "", [], rulebook=rulebook.version))
    for number in range(options.agreements // 10 + 1):
        table.apply(Dataset(f"urn:dmi:dataset:owner:d{number}", OWNER, {}))
        table.apply(Dataset(f"urn:dmi:dataset:owner:open{number}", OWNER, {}))
    table.apply(Dataset(PERSONAL, OWNER, {}, personal=True))
    events = agreements(rulebook, options.agreements)
    half = len(events) // 2
    first = timed(half, lambda number: table.apply(events[number]))
    second = timed(len(events) - half, lambda number: table.apply(events[half + number]))

    chance = random.Random(3)
    requests = []
    for _ in range(10_000):
        number = chance.randrange(options.agreements)
        requests.append(
            Request(
                f"urn:dmi:participant:p{number % PARTICIPANTS}",
                chance.choice(["dmi:read", "dmi:display", "dmi:export"]),
                f"urn:dmi:dataset:owner:{'open' if number % 10 == 0 else 'd'}{number // 10}",
                chance.choice(
                    ["dmi:purpose:mobility", "dmi:purpose:parking-guidance", "dmi:purpose:marketing"]
                ),
            )
        )
    deciding = timed(options.decisions, lambda number: table.decide(requests[number % 10_000], NOW))
    allowed = sum(table.decide(request, NOW).allowed for request in requests) / len(requests)

    given = consents(rulebook, options.agreements)
    consenting = timed(len(given), lambda number: table.apply(given[number]))
    personal = Request(OWNER, "dmi:process", PERSONAL, "dmi:purpose:air-quality")
    afresh = timed(1, lambda _: table.consenting_subjects(personal, NOW))
    cached = timed(10_000, lambda _: table.decide(personal, NOW))
    result = {
        "agreements": options.agreements,
        "benchmark": "decide",
        "machine": machine,
        "allowed_share": round(allowed, 3),
        "decide_us": deciding,
        "apply_first_half_us": first,
        "apply_second_half_us": second,
        "apply_consent_us": consenting,
        "consents_worked_out_us": afresh["max"],
        "decide_personal_us": cached,
    }
    print(json.dumps(result, indent=2))


if __name__ == "__main__":
    main()
