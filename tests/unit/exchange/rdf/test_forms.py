"""However a policy is written, it is the same policy and decides alike; and no text breaks the engine."""

from __future__ import annotations

import json
import time
from typing import Any

import pytest
import rdflib
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from dmi_agreements.errors import PolicyRefused
from dmi_agreements.odrl.evaluate import evaluate
from dmi_agreements.odrl.model import ODRL, XSD, Typed
from dmi_agreements.odrl.world import Attempt, Request, World
from dmi_exchange.rdf.documents import read_text
from dmi_exchange.rdf.reading import policy_of, read_policies, read_policy
from dmi_exchange.rdf.reports import graph_of, plain, turtle
from dmi_exchange.rdf.world import read_request, read_world
from tests.unit.exchange.rdf.policies import FORMS, PEOPLE, POLICIES, THINGS, as_turtle, mutated

WORLD = World(
    now=Typed("2025-01-01T00:00:00Z", XSD + "dateTime"),
    facts={ODRL + "count": (Typed("4", XSD + "integer"),)},
    part_of={PEOPLE[0]: frozenset({PEOPLE[2]}), THINGS[0]: frozenset({THINGS[2]})},
)
FACTS = {ODRL + "purpose": ("http://example.org/purpose/a",)}
REQUEST = Request(
    "urn:request",
    tuple(
        Attempt(f"urn:attempt:{person}:{thing}:{action}", ODRL + action, thing, person, facts=FACTS)
        for person in PEOPLE[:2]
        for thing in THINGS[:2]
        for action in ("read", "display")
    ),
)


def verdicts(document: Any) -> list[Any]:
    """For each attempt which rules are active, and what comes of them."""
    policy = read_policy(document if isinstance(document, str) else json.dumps(document))
    found = []
    for attempt in REQUEST.attempts:
        report = evaluate(policy, Request("urn:request", (attempt,)), WORLD)
        found.append((report.verdict, sorted((each.rule.kind, each.active) for each in report.rules)))
    return found


@pytest.mark.parametrize("form", FORMS)
@given(policy=POLICIES)
@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.too_slow])
def test_every_form_of_json_ld_is_the_same_policy(form: str, policy: dict[str, Any]) -> None:
    assert read_policy(json.dumps(FORMS[form](policy))) == read_policy(json.dumps(policy))


@given(policy=POLICIES)
@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.too_slow])
def test_every_form_decides_alike(policy: dict[str, Any]) -> None:
    expected = verdicts(policy)
    assert verdicts(as_turtle(policy)) == expected
    for write in FORMS.values():
        assert verdicts(write(policy)) == expected


@given(policy=POLICIES, seed=st.integers(0, 2**32), form=st.sampled_from(["json", "turtle"]))
@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow])
def test_nothing_but_a_refusal_comes_out_of_the_engine(policy: dict[str, Any], seed: int, form: str) -> None:
    document = mutated(json.dumps(policy) if form == "json" else as_turtle(policy), seed)
    for read in (read_request, read_world):
        try:
            read(document)
        except PolicyRefused as refused:
            assert refused.findings
    try:
        found = policy_of(read_text(document))
    except PolicyRefused as refused:
        assert refused.findings
        return
    report = evaluate(found, REQUEST, WORLD)
    assert len(graph_of(report)) > 0
    assert turtle(report)
    json.dumps(plain(report))


@pytest.mark.parametrize(
    "neq",
    ["odrl:eq", "http://www.w3.org/ns/odrl/2/eq", {"@id": "odrl:eq"}],
)
def test_the_published_mapping_of_neq_to_eq_is_set_right(neq: Any) -> None:
    body = {
        "@type": "Set",
        "uid": "urn:policy",
        "permission": {
            "action": "read",
            "constraint": {"leftOperand": "count", "operator": "neq", "rightOperand": 4},
        },
    }
    own = FORMS["embedded"](body)["@context"]
    carried = read_policy(json.dumps({**body, "@context": {**own, "neq": neq}}))
    named = read_policy(json.dumps({**body, "@context": "http://www.w3.org/ns/odrl.jsonld"}))
    assert carried == named
    (test,) = carried.permissions[0].constraints
    assert getattr(test, "operator", "") == ODRL + "neq"
    assert not evaluate(carried, REQUEST, WORLD).allowed


@pytest.mark.parametrize(
    ("context", "path"),
    [
        ("https://example.org/context.jsonld", "/@context"),
        (["http://www.w3.org/ns/odrl.jsonld", "file:///etc/passwd"], "/@context/1"),
        ({"@import": "http://169.254.169.254/latest"}, "/@context/@import"),
        ({"x": {"@id": "urn:x", "@context": "http://example.org/c"}}, "/@context/x/@context"),
    ],
)
def test_a_context_from_elsewhere_is_refused_and_not_fetched(
    context: Any, path: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fetched(*args: object, **kwargs: object) -> None:
        raise AssertionError("something was fetched")

    monkeypatch.setattr("rdflib.parser._urlopen", fetched)
    monkeypatch.setattr("socket.create_connection", fetched)
    document = {"@context": context, "@type": "Set", "uid": "urn:policy", "permission": {"action": "use"}}
    with pytest.raises(PolicyRefused) as refused:
        read_policy(json.dumps(document))
    assert refused.value.findings[0].path == path


@pytest.mark.parametrize("context", [None, {"constraint": None}, {"@vocab": None}, {"duty": {"@id": None}}])
def test_a_context_that_hides_terms_is_refused(context: Any) -> None:
    document = {
        "@context": ["http://www.w3.org/ns/odrl.jsonld", context],
        "@type": "Set",
        "uid": "urn:policy",
        "permission": {"action": "use"},
    }
    with pytest.raises(PolicyRefused, match="must not take the meaning"):
        read_policy(json.dumps(document))


@pytest.mark.parametrize(
    ("member", "value", "path", "near"),
    [
        ("dutty", {"action": "compensate"}, "/permission/0/urn:dmi:unmapped:dutty", ODRL + "duty"),
        ("action", "dsplay", "/permission/0/action/0", ODRL + "display"),
    ],
)
def test_a_term_of_json_ld_without_a_meaning_is_refused_and_not_dropped(
    member: str, value: Any, path: str, near: str | None
) -> None:
    rule = {"action": "use", "assignee": "urn:alice", member: value}
    document = {
        "@context": "http://www.w3.org/ns/odrl.jsonld",
        "@type": "Set",
        "uid": "urn:policy",
        "permission": [rule],
    }
    with pytest.raises(PolicyRefused) as refused:
        read_policy(json.dumps(document))
    (finding,) = refused.value.findings
    assert (finding.path, finding.nearest) == (path, near)


def test_policies_and_rules_keep_the_order_of_the_document() -> None:
    names = [f"urn:{number * 7919 % 101}" for number in range(40)]
    text = "@prefix odrl: <http://www.w3.org/ns/odrl/2/> . " + " ".join(
        f"<{name}> a odrl:Set ; odrl:permission <{name}:b> , <{name}:a> . "
        f"<{name}:a> odrl:action odrl:read . <{name}:b> odrl:action odrl:use ."
        for name in names
    )
    policies = read_policies(text)
    assert [policy.uid for policy in policies] == names
    assert [rule.uid for rule in policies[0].permissions] == [f"{names[0]}:b", f"{names[0]}:a"]
    graph = [
        {"@id": name, "@type": ODRL + "Set", ODRL + "permission": {ODRL + "action": {"@id": ODRL + "use"}}}
        for name in names
    ]
    assert [policy.uid for policy in read_policies(json.dumps({"@graph": graph}))] == names


def test_a_document_that_would_take_for_ever_is_refused_at_once() -> None:
    start = time.monotonic()
    doubled = " ".join(f"<urn:{n}> odrl:and ( <urn:{n + 1}> <urn:{n + 1}> ) ." for n in range(31))
    bomb = f"""@prefix odrl: <{ODRL}> . <urn:p> a odrl:Set ; odrl:permission [ odrl:constraint <urn:0> ] . {doubled}
        <urn:31> odrl:leftOperand odrl:count ; odrl:operator odrl:eq ; odrl:rightOperand 1 ."""
    with pytest.raises(PolicyRefused, match="at most"):
        read_policy(bomb)
    unknown = " ; ".join(f"<urn:unknown:{n}> {n}" for n in range(5000))
    with pytest.raises(PolicyRefused) as refused:
        read_policy(f"<urn:p> a <{ODRL}Set> ; {unknown} .")
    assert len(refused.value.findings) == 100
    with pytest.raises(PolicyRefused):
        read_policy(f"<urn:p> a <{ODRL}Set> ; <{ODRL}{'permission' * 50_000}> 1 .")
    assert time.monotonic() - start < 20


def test_a_context_within_a_context_is_refused_and_nothing_is_asked_for_it() -> None:
    for inner in (
        "http://127.0.0.1:9/never",
        ["http://127.0.0.1:9/never"],
        {"@import": "http://127.0.0.1:9/never"},
        {},
    ):
        with pytest.raises(PolicyRefused, match="of its own"):
            read_text(json.dumps({"@context": {"@context": inner}, "@type": "Set", "uid": "urn:x"}))


def test_texts_stay_as_written_also_when_the_library_was_set_otherwise(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(rdflib, "NORMALIZE_LITERALS", True)
    day = '"2026-01-06Z"^^<http://www.w3.org/2001/XMLSchema#date>'
    graph = read_text(f"<urn:a> <urn:b> {day} .")
    assert [str(value) for value in graph.objects()] == ["2026-01-06Z"]
