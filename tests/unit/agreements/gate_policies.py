"""Agreements for tests, drawn at random from all that the gate can judge, and situations to judge them in."""

from __future__ import annotations

import random
from typing import Any

from hypothesis import strategies as st

from dmi_agreements.contracts.law import Performance
from dmi_agreements.policy.situation import Situation, Use

UID = "urn:uuid:00000000-0000-4000-8000-000000000001"
OWNER = "urn:dmi:participant:gemeente"
STACK = "urn:dmi:participant:stack"
OTHER = "urn:dmi:participant:other"
EVERYONE = "urn:dmi:party:everyone"
GARAGES = "urn:dmi:dataset:gemeente:garages"
LAMPS = "urn:dmi:dataset:gemeente:lamps"
CONTEXT = ["http://www.w3.org/ns/odrl.jsonld", {"dmi": "urn:dmi:"}]
BASE = 1_798_761_600_000_000  # 2027-01-01T00:00:00Z
HOUR = 3_600_000_000
DAY = 24 * HOUR
PURPOSES = ["public-task", "mobility", "parking-guidance", "environment", "noise", "marketing", "research"]
ROLES = ["dmi:role:provider", "dmi:role:user", "dmi:role:operator"]
INSIDE = [4.0, 52.0, 5.0, 53.0]


def purpose(name: str) -> str:
    return f"dmi:purpose:{name}"


def moment(days: int) -> str:
    return f"20{27 + days // 28:02}-01-{1 + days % 28:02}T00:00:00Z"


def comparison(left: str, operators: list[str], right: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    return st.fixed_dictionaries(
        {"leftOperand": st.just(left), "operator": st.sampled_from(operators), "rightOperand": right}
    )


def several(values: list[str]) -> st.SearchStrategy[list[str]]:
    return st.lists(st.sampled_from(values), min_size=1, max_size=3, unique=True)


ORDER = ["lt", "lteq", "gt", "gteq"]
PURPOSE = st.one_of(
    comparison("purpose", ["isA", "eq"], st.sampled_from(PURPOSES).map(purpose)),
    comparison("purpose", ["isAnyOf"], several([purpose(name) for name in PURPOSES])),
)
FACTS = st.one_of(
    comparison("dateTime", ORDER, st.integers(0, 27).map(moment)),
    comparison("recipient", ["isAnyOf"], several([STACK, OTHER])),
    comparison("dmi:dayOfWeek", ["isAnyOf", "isNoneOf"], several(["Monday", "Friday", "Sunday"])),
    comparison("dmi:dayOfWeek", ["eq", "neq"], st.sampled_from(["Monday", "Thursday"])),
    comparison("dmi:timeOfDay", ORDER, st.sampled_from(["07:00:00", "13:00:00.5", "01:00:00"])),
    comparison("dmi:role", ["isAnyOf"], several(ROLES)),
    comparison("count", [*ORDER, "eq"], st.integers(0, 4)),
    comparison("elapsedTime", ORDER, st.sampled_from(["P3D", "P1M", "PT12H", "P30D"])),
    comparison("timeInterval", ["gt", "gteq"], st.sampled_from(["P3D", "P1M", "PT12H"])),
    comparison("delayPeriod", ["gt", "gteq"], st.sampled_from(["P2D", "PT6H", "P1M"])),
)
NEGATIVE = st.one_of(
    comparison("purpose", ["neq"], st.sampled_from(PURPOSES).map(purpose)),
    comparison("purpose", ["isNoneOf"], several([purpose(name) for name in PURPOSES])),
    comparison("recipient", ["neq"], st.sampled_from([STACK, OTHER])),
    comparison("recipient", ["isNoneOf"], several([STACK, OTHER])),
    comparison("dmi:role", ["isNoneOf"], several(ROLES)),
    comparison("timeInterval", ["lt", "lteq"], st.sampled_from(["P3D", "P1M", "PT12H"])),
    comparison("delayPeriod", ["lt", "lteq"], st.sampled_from(["P2D", "PT6H", "P1M"])),
)


def joined(tests: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    operands = st.lists(tests, min_size=1, max_size=3)
    names = st.sampled_from(["and", "or", "xone", "andSequence"])
    return st.builds(lambda name, each: {name: each}, names, operands)


POSITIVE_TESTS = st.recursive(st.one_of(FACTS, PURPOSE), joined, max_leaves=4)
ANY_TESTS = st.recursive(st.one_of(FACTS, PURPOSE, NEGATIVE), joined, max_leaves=4)
AREA = st.just({"leftOperand": "spatial", "operator": "isPartOf", "rightOperand": {"dmi:bbox": INSIDE}})


def narrowed(tests: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    """One action, a few, or one that is narrowed."""
    plain = st.sampled_from(["dmi:read", "dmi:display", "odrl:use", "odrl:use", "odrl:read", "play"])
    refined = st.builds(
        lambda name, each: {"rdf:value": {"@id": name}, "refinement": each},
        st.sampled_from(["dmi:read", "dmi:display", "odrl:use"]),
        st.lists(tests, min_size=1, max_size=2),
    )
    return st.one_of(plain, st.lists(st.one_of(plain, refined), min_size=1, max_size=3), refined)


def owed(depth: int = 1) -> st.SearchStrategy[Any]:
    members: dict[str, st.SearchStrategy[Any]] = {
        "constraint": st.lists(
            st.one_of(
                comparison("dateTime", ORDER, st.integers(0, 27).map(moment)),
                comparison("purpose", ["eq", "neq"], st.sampled_from(PURPOSES).map(purpose)),
                comparison("count", ["gteq", "lteq"], st.integers(0, 4)),
            ),
            max_size=2,
        )
    }
    if depth:
        members["consequence"] = st.lists(owed(0), min_size=1, max_size=2)
    action = st.sampled_from(["attribute", "inform", "compensate", "odrl:reviewPolicy"])
    return st.fixed_dictionaries({"action": action}, optional=members)


COARSEN = {
    "action": "dmi:coarsen",
    "constraint": [
        {"leftOperand": "dmi:gridSize", "operator": "eq", "rightOperand": 100, "unit": "m"},
    ],
}
DELETE = {
    "action": {
        "rdf:value": {"@id": "dmi:deleteAfter"},
        "refinement": [{"leftOperand": "dmi:days", "operator": "eq", "rightOperand": 28}],
    }
}
TARGETS = st.sampled_from([GARAGES, [GARAGES, LAMPS], [GARAGES, LAMPS], LAMPS])
WIDE = st.just({"leftOperand": "purpose", "operator": "isA", "rightOperand": "dmi:purpose:any"})
"""Most permissions are for any purpose here, so that what is tried is the rest of them."""


def listed(items: st.SearchStrategy[Any], most: int) -> st.SearchStrategy[list[Any]]:
    return st.lists(items, min_size=1, max_size=most)


PERMISSION = st.fixed_dictionaries(
    {
        "target": TARGETS,
        "action": narrowed(POSITIVE_TESTS),
        "constraint": st.builds(
            lambda own, others: [own, *others],
            st.one_of(WIDE, WIDE, PURPOSE),
            st.lists(st.one_of(POSITIVE_TESTS, AREA), max_size=2),
        ),
    },
    optional={"duty": listed(st.one_of(owed(), st.just(COARSEN)), 2).filter(lambda d: d.count(COARSEN) < 2)},
)
PROHIBITION = st.fixed_dictionaries(
    {"target": TARGETS, "action": narrowed(ANY_TESTS)},
    optional={"constraint": listed(st.one_of(ANY_TESTS, NEGATIVE), 3), "remedy": listed(owed(0), 1)},
)


def _agreement(**members: Any) -> dict[str, Any]:
    return {
        "@context": CONTEXT,
        "@type": "Agreement",
        "uid": UID,
        "profile": "urn:dmi:profile:1",
        "dmi:rulebook": "1.0.0",
        "dmi:legalBasis": "dmi:basis:public-task",
        "assigner": OWNER,
        **{name: value for name, value in members.items() if value},
    }


PARENT = st.builds(
    lambda permission, prohibition, conflict: {
        "@type": "Set",
        "uid": "http://example.org/parent",
        **({"permission": permission} if permission else {}),
        **({"prohibition": prohibition} if prohibition else {}),
        **({"conflict": conflict} if conflict else {}),
    },
    st.lists(PERMISSION, max_size=1),
    st.lists(PROHIBITION, max_size=1),
    st.sampled_from([None, "perm", "prohibit"]),
)
AGREEMENTS = st.builds(
    _agreement,
    assignee=st.sampled_from([STACK, EVERYONE]),
    permission=listed(PERMISSION, 3),
    prohibition=st.lists(PROHIBITION, max_size=2),
    obligation=st.lists(st.one_of(owed(), st.just(DELETE)), max_size=1),
    conflict=st.sampled_from([None, "perm", "prohibit", "invalid"]),
    inheritFrom=st.one_of(st.none(), st.none(), PARENT.map(lambda parent: [parent])),
)
"""Agreements in compact JSON-LD, of everything that the gate can judge."""


def paths(document: dict[str, Any], duties: bool = False) -> list[str]:
    """The places of all rules, or of all duties that somebody owes, in an agreement and its parents."""
    found: list[str] = []
    parents = document.get("inheritFrom") or []
    whole = [("", document), *((f"/inheritFrom/{at}", each) for at, each in enumerate(parents))]
    for start, policy in whole:
        for kind in ("permission", "prohibition"):
            for number, rule in enumerate(policy.get(kind, [])):
                here = f"{start}/{kind}/{number}"
                if not duties:
                    found.append(here)
                for at, duty in enumerate(rule.get("duty", []) if duties else []):
                    found.append(f"{here}/duty/{at}")
                    found += [
                        f"{here}/duty/{at}/consequence/{n}" for n in range(len(duty.get("consequence", [])))
                    ]
    return found


def situation(document: dict[str, Any], dice: random.Random) -> Situation:
    """A request with what is known of it, at moments on and beside the limits of these agreements."""
    now = BASE + dice.randint(-2, 29) * DAY + dice.choice([-1, 0, 0, 1, 6 * HOUR, 12 * HOUR])
    past = [0, HOUR, 12 * HOUR, 3 * DAY, 28 * DAY, 30 * DAY, 31 * DAY]
    uses = {}
    for path in paths(document):
        count = dice.randint(0, 4)
        last = dice.choice([None, *(now - each for each in past)])
        uses[path] = Use(count, now - dice.choice(past), last) if count else Use()
    owing = paths(document, duties=True) or ["/none"]
    done = [
        Performance(dice.choice(owing), BASE + dice.randint(-2, 27) * DAY + dice.choice([0, -1]), OWNER)
        for _ in range(dice.randint(0, 4))
    ]
    roles = [None, frozenset[str](), frozenset(ROLES[:1]), frozenset(ROLES[1:])]
    concluded = [None, BASE, now - 2 * DAY, now - 6 * HOUR, BASE - 40 * DAY]
    return Situation(
        dice.choice([STACK, STACK, STACK, OTHER]),
        dice.choice(["dmi:read", "dmi:read", "dmi:display", "dmi:export"]),
        dice.choice([GARAGES, GARAGES, LAMPS]),
        purpose(dice.choice(PURPOSES)),
        now,
        dice.choice(roles),
        dice.choice(concluded),
        tuple(done),
        uses if dice.random() < 0.8 else None,
    )
