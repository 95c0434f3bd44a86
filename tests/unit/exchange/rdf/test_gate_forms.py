"""One agreement in every form decides alike at the gate: spellings, contexts, Turtle; and both readers agree on it."""

from __future__ import annotations

import json
import random
from dataclasses import fields, is_dataclass
from decimal import Decimal
from pathlib import Path
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import dmi_agreements
from dmi_agreements.decide import decide
from dmi_agreements.decision import Request
from dmi_agreements.odrl.model import ODRL, XSD, Thing, Typed
from dmi_agreements.odrl.values import BOX
from dmi_agreements.policy.compiled import compile_agreement
from dmi_agreements.policy.document import read_agreement
from dmi_agreements.policy.writing import written
from dmi_agreements.rulebook import parse_rulebook
from dmi_exchange.rdf.documents import context
from dmi_exchange.rdf.reading import read_policy, read_with_parents
from tests.unit.agreements.gate_policies import AGREEMENTS, situation
from tests.unit.exchange.rdf.policies import as_turtle, context_last

FOLDER = Path(dmi_agreements.__file__).resolve().parents[2] / "rulebook"
RULEBOOK = parse_rulebook({file.name: file.read_bytes() for file in FOLDER.glob("*.json")})
OWN = {"dmi": "urn:dmi:"}
LITERAL = ("unit", "dmi:rulebook")
TEXTS = (
    "dateTime",
    "dmi:dayOfWeek",
    "dmi:timeOfDay",
    "elapsedTime",
    "timeInterval",
    "delayPeriod",
    "dmi:property",
    "dmi:areaLevel",
)


def embedded(document: dict[str, Any]) -> dict[str, Any]:
    """The published context carried along, with its slip of ``neq``."""
    return {**document, "@context": [{**context("odrl"), "neq": "odrl:eq"}, OWN]}


def reordered(document: dict[str, Any]) -> dict[str, Any]:
    """Every member and the contexts in the other order."""
    turned = context_last(document)
    return {**turned, "@context": document["@context"][::-1]}


def renamed(document: dict[str, Any]) -> dict[str, Any]:
    """With names of the author's own choice for every term of ODRL."""
    own = context("odrl")
    names = {
        term: f"my_{term}" for term in own if not isinstance(own[term], str) or own[term].startswith("odrl:")
    }

    def turned(value: Any) -> Any:
        if isinstance(value, dict):
            return {names.get(name, name): turned(part) for name, part in value.items()}
        if isinstance(value, list):
            return [turned(each) for each in value]
        return names.get(value, value) if isinstance(value, str) else value

    body = {name: part for name, part in document.items() if name != "@context"}
    return {**turned(body), "@context": [OWN, {names.get(term, term): each for term, each in own.items()}]}


def expanded(document: dict[str, Any]) -> list[Any]:
    """Without any context: every name an IRI, every value an object in a list."""

    def full(text: str) -> str:
        if text.startswith("odrl:"):
            return ODRL + text.removeprefix("odrl:")
        return f"urn:{text}" if text.startswith("dmi:") else text if ":" in text else ODRL + text

    def value_of(name: str, value: Any, literal: bool) -> Any:
        if isinstance(value, list):
            items = [each for part in value for each in value_of(name, part, literal)]
            return [{"@list": items}] if name in ("andSequence", "dmi:bbox") else items
        if isinstance(value, dict):
            return [node(value)]
        if literal or name in LITERAL or isinstance(value, (int, float)):
            kind = XSD + ("integer" if isinstance(value, int) else "double")
            return [{"@value": value} if isinstance(value, str) else {"@value": str(value), "@type": kind}]
        return [{"@id": full(value)}]

    def node(value: dict[str, Any]) -> dict[str, Any]:
        if "@value" in value:
            return {**value, "@type": value["@type"].replace("xsd:", XSD)}
        literal = value.get("leftOperand") in TEXTS
        found: dict[str, Any] = {}
        for name, part in value.items():
            if name == "@type":
                found["@type"] = [ODRL + part]
            elif name in ("uid", "@id"):
                found["@id"] = full(part)
            elif name == "dmi:bbox":
                found["urn:dmi:bbox"] = [{"@value": each} for each in part]
            elif name == "rdf:value":
                found["http://www.w3.org/1999/02/22-rdf-syntax-ns#value"] = [node(part)]
            elif name != "@context":
                found[full(name)] = value_of(name, part, literal and name == "rightOperand")
        return found

    return [node(document)]


def from_turtle(document: dict[str, Any]) -> dict[str, Any]:
    """Through Turtle, and from there into the project's own spelling."""
    return written(read_with_parents(as_turtle(document)))


def answers(document: object, seed: int, source: dict[str, Any]) -> list[tuple[bool, Any]]:
    compiled = compile_agreement(read_agreement(document, RULEBOOK), RULEBOOK)
    dice = random.Random(seed)
    found = []
    for _ in range(12):
        judged = situation(source, dice)
        # Counts and confirmations name places of a document, which differ between the forms.
        judged.uses, judged.performed = {}, ()
        request = Request(judged.assignee, judged.action, judged.dataset, judged.purpose)
        decision = decide(compiled, request, judged.now, judged)
        found.append((decision.allowed, decision.reasons[0].code))
    return found


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(document=AGREEMENTS, seed=st.integers(0, 2**32))
def test_every_form_decides_alike_at_the_gate(document: dict[str, Any], seed: int) -> None:
    before = answers(document, seed, document)
    for write in (embedded, reordered, renamed, expanded):
        assert answers(write(document), seed, document) == before, write.__name__
    if "inheritFrom" not in document:
        assert answers(from_turtle(document), seed, document) == before


def bare(value: Any) -> Any:
    """A part of a policy without places, and with numbers of areas as numbers."""
    if isinstance(value, Typed) and value.datatype == BOX:
        return [Decimal(edge) for edge in value.text.split()]
    if isinstance(value, Thing):
        return (value.uid or value.source, bare(value.refinements))
    if is_dataclass(value):
        kept = {field.name: getattr(value, field.name) for field in fields(value)}
        # Names that a graph gives to nodes, and what only reports show.
        return {
            name: bare(part)
            for name, part in kept.items()
            if name not in ("path", "uid", "things", "datatype")
        }
    return [bare(each) for each in value] if isinstance(value, tuple) else value


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(document=AGREEMENTS)
def test_the_reader_of_the_gate_and_that_of_graphs_read_the_same_policy(document: dict[str, Any]) -> None:
    document.pop("inheritFrom", None)
    mine = bare(read_agreement(document, RULEBOOK).policy)
    theirs = bare(read_policy(json.dumps(document)))
    assert _unordered(mine) == _unordered(theirs)


def _unordered(value: Any) -> Any:
    """Values of sets have no order in a graph."""
    if isinstance(value, dict):
        return {name: _unordered(part) for name, part in value.items()}
    if isinstance(value, list):
        return sorted((_unordered(each) for each in value), key=str)
    return value
