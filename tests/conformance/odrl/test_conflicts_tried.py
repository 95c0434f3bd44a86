"""Random policies over small domains: the solver and a judge that tries all values agree."""

from __future__ import annotations

from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from dmi_agreements.odrl.model import ODRL, XSD, Action, Constraint, Logical, Policy, Rule, Test, Typed, Value
from dmi_agreements.odrl.vocabulary import AXIS
from dmi_exchange.review.conflicts import Checker, Compatible, Conflict, Inside, Outside
from tests.conformance.odrl.brute import Judge, places, reached, told

PLACES = {
    "urn:europe": frozenset[str](),
    "urn:france": frozenset({"urn:europe"}),
    "urn:paris": frozenset({"urn:france"}),
    "urn:germany": frozenset({"urn:europe"}),
    "urn:saarland": frozenset({"urn:germany", "urn:saar-lor-lux"}),
    "urn:saar-lor-lux": frozenset({"urn:europe"}),
}
TAGS = {"nl-be": frozenset({"nl"}), "nl": frozenset[str](), "de": frozenset[str]()}
ACTIONS = {ODRL + "display": {ODRL + "play"}, ODRL + "play": {ODRL + "use"}, ODRL + "print": {ODRL + "use"}}
CHECKER = Checker((PLACES,))
JUDGE = Judge(reached([PLACES, TAGS, ACTIONS]))
NAMED = [ODRL + name for name in ("use", "play", "display", "print")]
TRIED = ["another", *NAMED, *(f"{name}/another" for name in NAMED)]

ORDERED = ("lt", "lteq", "gt", "gteq", "eq", "neq")


def _values(kind: str, texts: list[str]) -> st.SearchStrategy[tuple[Value, ...]]:
    return st.sampled_from([(Typed(text, XSD + kind),) for text in texts])


def _term(left: str, operators: tuple[str, ...], right: st.SearchStrategy[tuple[Value, ...]]) -> Any:
    return st.builds(
        lambda operator, values: Constraint(left, ODRL + operator, values, ""),
        st.sampled_from(operators),
        right,
    )


def _names(left: str, names: list[Value]) -> Any:
    one = st.sampled_from([(name,) for name in names])
    some = st.lists(st.sampled_from(names), min_size=1, max_size=3, unique=True).map(tuple)
    return st.one_of(
        _term(left, ("eq", "neq", "isA", "isPartOf", "hasPart"), one),
        _term(left, ("isAnyOf", "isNoneOf"), some),
    )


def _interval(period: str, anchor: str) -> Constraint:
    start = Typed(anchor, XSD + "date")
    return Constraint(
        ODRL + "timeInterval", ODRL + "eq", (Typed(period, XSD + "duration"),), "", anchor=start
    )


DAYS = _values("duration", ["P10D", "P20D"])
FAMILIES = [
    _term(AXIS + "absoluteSizeWidth", ORDERED, _values("decimal", ["0", "1", "2.5"])),
    _names(ODRL + "language", [Typed("nl"), Typed("nl-be"), Typed("de")]),
    _names(ODRL + "spatial", list(PLACES)),
    st.one_of(
        _term(ODRL + "dateTime", ORDERED, _values("date", ["2026-01-01", "2026-01-03"])),
        _term(
            ODRL + "dateTime", ORDERED, _values("dateTime", ["2026-01-01T00:00:00", "2026-01-04T12:00:00"])
        ),
        st.builds(_interval, st.sampled_from(["P2D", "P3D"]), st.sampled_from(["2026-01-01", "2026-01-02"])),
    ),
    st.one_of(
        _term(ODRL + "meteredTime", ORDERED, DAYS),
        _term(ODRL + "elapsedTime", ORDERED, DAYS),
    ),
]


@st.composite
def pairs(draw: st.DrawFn) -> tuple[Policy, Policy]:
    """Two policies that speak of the same two kinds of values."""
    families = draw(st.lists(st.sampled_from(FAMILIES), min_size=1, max_size=2, unique_by=id))
    leaf: Any = st.one_of(*families)
    test = st.recursive(
        leaf,
        lambda inner: st.builds(
            lambda connective, parts: Logical(connective, tuple(parts), ""),
            st.sampled_from(["and", "or", "xone"]),
            st.lists(inner, min_size=1, max_size=3),
        ),
        max_leaves=4,
    )
    rules = st.lists(st.tuples(st.sampled_from(NAMED), st.lists(test, max_size=2)), max_size=2)
    return tuple(  # type: ignore[return-value]
        _policy(uid, draw(rules), draw(rules), draw(st.sampled_from([None, "perm", "prohibit"])))
        for uid in ("urn:one", "urn:other")
    )


def _policy(uid: str, permissions: Any, prohibitions: Any, conflict: Any) -> Policy:
    return Policy(
        "Set", uid, _rules("permission", permissions), _rules("prohibition", prohibitions), conflict=conflict
    )


def _rules(kind: Any, drawn: Any) -> tuple[Rule, ...]:
    return tuple(
        Rule(kind, f"/{kind}/{at}", (Action(action),), constraints=_placed(tests, f"/{kind}/{at}"))
        for at, (action, tests) in enumerate(drawn)
    )


def _placed(tests: Any, path: str) -> tuple[Test, ...]:
    placed: list[Test] = []
    for at, test in enumerate(tests):
        here = f"{path}/{at}"
        if isinstance(test, Logical):
            placed.append(Logical(test.connective, _placed(test.operands, here), here))
        else:
            placed.append(Constraint(test.left, test.operator, test.right, here, anchor=test.anchor))
    return tuple(placed)


def _possible(pair: tuple[Policy, Policy], free: frozenset[tuple[str, str]] = frozenset()) -> bool:
    return any(
        all(JUDGE.allows(policy, request, free) for policy in pair) for request in JUDGE.requests(pair, TRIED)
    )


@settings(print_blob=True, derandomize=True, max_examples=150, deadline=None)
@given(pairs())
def test_a_pair_conflicts_when_no_request_is_found_by_trying_all(pair: tuple[Policy, Policy]) -> None:
    verdict = CHECKER.pair(*pair)
    assert type(verdict) is (Compatible if _possible(pair) else Conflict)
    if isinstance(verdict, Compatible):
        request = {**_anything(pair), **told(verdict.witness)}
        assert JUDGE.possible(request)
        assert all(JUDGE.allows(policy, request) for policy in pair)
    else:
        assert isinstance(verdict, Conflict)
        clash = {(term.policy, term.path) for term in verdict.clash}
        terms = frozenset().union(*(places(policy) for policy in pair))
        assert clash <= terms
        assert not _possible(pair, terms - clash)
        assert all(_possible(pair, terms - clash | {term}) for term in clash)


@settings(print_blob=True, derandomize=True, max_examples=80, deadline=None)
@given(pairs())
def test_one_policy_is_within_another_when_no_request_escapes(pair: tuple[Policy, Policy]) -> None:
    one, other = pair
    escapes = any(
        JUDGE.allows(one, request) and not JUDGE.allows(other, request)
        for request in JUDGE.requests(pair, TRIED)
    )
    found = CHECKER.within(one, other)
    assert type(found) is (Outside if escapes else Inside)
    if isinstance(found, Outside):
        request = {**_anything(pair), **told(found.witness)}
        assert JUDGE.allows(one, request)
        assert not JUDGE.allows(other, request)


def _anything(pair: tuple[Policy, Policy]) -> Any:
    """Values for what a witness leaves open."""
    return next(iter(JUDGE.requests(pair, TRIED)))
