"""Policies for tests: drawn at random, and written in every form that JSON-LD and Turtle allow."""

from __future__ import annotations

import json
import random
from collections.abc import Callable
from typing import Any

from hypothesis import strategies as st

from dmi_agreements.odrl.model import ODRL, XSD
from dmi_exchange.rdf.documents import context, read_text

URL = "http://www.w3.org/ns/odrl.jsonld"
PEOPLE = ["http://example.org/alice", "http://example.org/bob", "http://example.org/people"]
THINGS = ["http://example.org/x", "http://example.org/y", "http://example.org/things"]
ACTIONS = ["use", "read", "play", "display", "sell"]


def moment(text: str) -> dict[str, str]:
    """A moment as a value of JSON-LD."""
    return {"@value": text, "@type": "xsd:dateTime"}


_COMPARISONS = st.one_of(
    st.fixed_dictionaries(
        {
            "leftOperand": st.just("dateTime"),
            "operator": st.sampled_from(["lt", "lteq", "gt", "gteq", "eq", "neq"]),
            "rightOperand": st.integers(2020, 2030).map(lambda year: moment(f"{year}-06-01T00:00:00Z")),
        }
    ),
    st.fixed_dictionaries(
        {
            "leftOperand": st.just("count"),
            "operator": st.sampled_from(["lt", "lteq", "gt", "gteq", "eq", "neq"]),
            "rightOperand": st.integers(0, 9),
        }
    ),
    st.fixed_dictionaries(
        {
            "leftOperand": st.just("purpose"),
            "operator": st.sampled_from(["isAnyOf", "isNoneOf", "isAllOf"]),
            "rightOperand": st.lists(
                st.sampled_from([{"@id": f"http://example.org/purpose/{name}"} for name in "abc"]),
                min_size=1,
                max_size=3,
                unique_by=lambda each: each["@id"],
            ),
        }
    ),
)


def _joined(tests: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    operands = st.lists(tests, min_size=1, max_size=3)
    plain = st.builds(lambda name, each: {name: each}, st.sampled_from(["and", "or", "xone"]), operands)
    return st.one_of(plain, operands.map(lambda each: {"andSequence": {"@list": each}}))


_TESTS = st.recursive(_COMPARISONS, _joined, max_leaves=4)


def _rules(*optional: str) -> st.SearchStrategy[Any]:
    members: dict[str, st.SearchStrategy[Any]] = {
        "assignee": st.sampled_from(PEOPLE),
        "target": st.sampled_from(THINGS),
        "constraint": st.lists(_TESTS, min_size=1, max_size=2),
    }
    if "duty" in optional:
        members["duty"] = st.just([{"action": "compensate"}])
    return st.fixed_dictionaries({"action": st.sampled_from(ACTIONS)}, optional=members)


POLICIES = st.builds(
    lambda permissions, prohibitions, conflict: {
        "@context": URL,
        "@type": "Set",
        "uid": "http://example.org/policy",
        "permission": permissions,
        **({"prohibition": prohibitions} if prohibitions else {}),
        **({"conflict": conflict} if conflict else {}),
    },
    st.lists(_rules("duty"), min_size=1, max_size=3),
    st.lists(_rules(), max_size=2),
    st.sampled_from([None, "perm", "prohibit", "invalid"]),
)
"""Policies in compact JSON-LD, with the published context by its URL."""


def embedded(policy: dict[str, Any]) -> dict[str, Any]:
    """The context carried along, in place of its URL."""
    return {**policy, "@context": context("odrl")}


def context_last(policy: dict[str, Any]) -> dict[str, Any]:
    """Every object with its members in reverse, the context at the end."""

    def turned(value: Any) -> Any:
        if isinstance(value, dict):
            return {name: turned(value[name]) for name in reversed(value)}
        return [turned(each) for each in value] if isinstance(value, list) else value

    turned_policy: dict[str, Any] = turned(policy)
    return turned_policy


def several_contexts(policy: dict[str, Any]) -> dict[str, Any]:
    """The context among others, first."""
    return {**policy, "@context": [URL, {"ex": "http://example.org/"}]}


def several_contexts_other_order(policy: dict[str, Any]) -> dict[str, Any]:
    """The context among others, last."""
    return {**policy, "@context": [{"ex": "http://example.org/"}, URL]}


def expanded(policy: dict[str, Any]) -> list[Any]:
    """Without any context: every name an IRI, every value in full."""
    own = context("odrl")

    def name_of(term: str) -> str:
        meaning = own[term]
        iri = meaning["@id"] if isinstance(meaning, dict) else meaning
        return str(iri).replace("odrl:", ODRL)

    def value_of(term: str, value: Any) -> Any:
        if isinstance(value, list):
            return [each for part in value for each in value_of(term, part)]
        if isinstance(value, dict):
            return [node(value)]
        if isinstance(value, int):
            return [{"@value": str(value), "@type": XSD + "integer"}]
        kind = own[term].get("@type") if isinstance(own[term], dict) else None
        return [{"@id": name_of(value) if kind == "@vocab" else value}]

    def node(value: dict[str, Any]) -> dict[str, Any]:
        if "@value" in value:
            return {"@value": value["@value"], "@type": value["@type"].replace("xsd:", XSD)}
        if "@id" in value or "@list" in value:
            return {
                name: [node(each) for each in part] if name == "@list" else part
                for name, part in value.items()
            }
        found: dict[str, Any] = {}
        for term, part in value.items():
            if term == "@type":
                found["@type"] = [ODRL + part]
            elif term == "uid":
                found["@id"] = part
            elif term != "@context":
                found[name_of(term)] = value_of(term, part)
        return found

    return [node(policy)]


def renamed(policy: dict[str, Any]) -> dict[str, Any]:
    """With names of its author's own choice for every term."""
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

    body = {name: part for name, part in policy.items() if name != "@context"}
    result: dict[str, Any] = turned(body)
    result["@context"] = {names.get(term, term): meaning for term, meaning in own.items()}
    return result


FORMS: dict[str, Callable[[dict[str, Any]], Any]] = {
    each.__name__: each
    for each in (
        embedded,
        context_last,
        several_contexts,
        several_contexts_other_order,
        expanded,
        renamed,
    )
}


def as_turtle(policy: dict[str, Any]) -> str:
    """The same in Turtle."""
    return read_text(json.dumps(policy)).serialize(format="turtle")


def mutated(document: str, seed: int) -> str:
    """A text with a few of its parts left out, doubled, swapped or overwritten."""
    dice = random.Random(seed)
    parts = list(document)
    for _ in range(dice.randint(1, 4)):
        start = dice.randrange(len(parts))
        end = min(len(parts), start + dice.choice((1, 1, 2, 5, 20)))
        what = dice.randrange(4)
        if what == 0:
            del parts[start:end]
        elif what == 1:
            parts[start:start] = parts[start:end]
        elif what == 2:
            parts[start:end] = reversed(parts[start:end])
        else:
            parts[start:end] = dice.choices('{}[]":,@<>^#\\ \n\x00aé0-9', k=end - start)
        if not parts:
            return ""
    return "".join(parts)
