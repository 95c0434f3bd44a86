"""Policies whose graph has slips of the pen: in a property, a reference, the name of a node, or a value.

What would be another policy that is understood is left out: another asset, party or member, another known term.
"""

from __future__ import annotations

import random
from collections import Counter
from itertools import product
from typing import Final

from rdflib import Graph, Literal, URIRef
from rdflib.term import Node

from dmi_agreements.errors import PolicyRefused
from dmi_agreements.odrl.evaluate import evaluate
from dmi_agreements.odrl.model import ODRL, XSD, Typed
from dmi_agreements.odrl.vocabulary import OPERATORS
from dmi_agreements.odrl.world import Attempt, DutyState, Request, World
from dmi_exchange.rdf.documents import read_text
from dmi_exchange.rdf.reading import policy_of

_PREFIXES: Final = f"""@prefix odrl: <{ODRL}> . @prefix ex: <http://example.org/> .
@prefix rdf: <http://www.w3.org/1999/02/22-rdf-syntax-ns#> ."""
_UNTIL: Final = "odrl:leftOperand odrl:dateTime ; odrl:operator odrl:lt ; odrl:rightOperand"
TEXTS: Final = (
    # A permission with everything that limits one, each under a name of its own.
    f"""ex:policy a odrl:Set ; odrl:permission ex:rule-one , ex:rule-two ; odrl:prohibition ex:never .
    ex:rule-one a odrl:Permission ; odrl:action ex:reading ; odrl:assignee ex:alice ; odrl:target ex:lamps ;
        odrl:constraint ex:both ; odrl:duty ex:paying .
    ex:rule-two a odrl:Permission ; odrl:action odrl:display ; odrl:assignee ex:bob ; odrl:target ex:x .
    ex:never a odrl:Prohibition ; odrl:action odrl:use ; odrl:assignee ex:bob ; odrl:target ex:y .
    ex:reading rdf:value odrl:read ; odrl:refinement ex:few .
    ex:few a odrl:Constraint ; odrl:leftOperand odrl:count ; odrl:operator odrl:lteq ; odrl:rightOperand 5 .
    ex:both odrl:and ( ex:early ex:named ) .
    ex:early a odrl:Constraint ; {_UNTIL} "2026-01-01T00:00:00Z"^^<{XSD}dateTime> .
    ex:named odrl:leftOperand odrl:purpose ; odrl:operator odrl:isAnyOf ; odrl:rightOperand ex:study .
    ex:lamps a odrl:AssetCollection ; odrl:source ex:things ; odrl:refinement ex:low .
    ex:low odrl:leftOperand odrl:resolution ; odrl:operator odrl:lteq ; odrl:rightOperand 9 .
    ex:x odrl:partOf ex:things .
    ex:paying a odrl:Duty ; odrl:action odrl:compensate .""",
    # One for all by what the policy shares, with prohibitions.
    """ex:policy a odrl:Set ; odrl:permission ex:anybody ; odrl:prohibition ex:never-bob , ex:never-late ;
        odrl:action odrl:use ; odrl:conflict odrl:prohibit .
    ex:anybody a odrl:Permission .
    ex:never-bob a odrl:Prohibition ; odrl:assignee ex:bob .
    ex:never-late odrl:assignee ex:alice ; odrl:constraint [ odrl:or ex:often , ex:elsewhere ] .
    ex:often odrl:leftOperand odrl:count ; odrl:operator odrl:gt ; odrl:rightOperand 3 .
    ex:elsewhere odrl:leftOperand odrl:purpose ; odrl:operator odrl:neq ; odrl:rightOperand ex:study .
    ex:x odrl:hasPolicy ex:policy .""",
    # Nothing of its own but the type of its rule.
    "ex:policy a odrl:Set ; odrl:permission ex:everything . ex:everything a odrl:Permission .",
)
_POINTS_AT: Final = frozenset(
    ODRL + name
    for name in ("permission", "prohibition", "obligation", "duty", "constraint", "refinement", "and", "or",
                 "hasPolicy", "conflict", "operator", "leftOperand", "action")
)  # fmt: skip
_OF_OTHERS: Final = frozenset(ODRL + name for name in ("partOf", "hasPolicy"))
_WORLDS: Final = tuple(
    World(
        now=Typed(f"{year}-06-01T00:00:00Z", XSD + "dateTime"),
        facts={
            ODRL + "count": (Typed(count, XSD + "integer"),),
            ODRL + "resolution": (Typed("5", XSD + "integer"),),
        },
        duties={
            "http://example.org/paying": DutyState(
                paid, "Performed" if paid == "Fulfilled" else "Unperformed"
            )
        },
    )
    for year, count, paid in product((2025, 2027), ("2", "7"), ("NonSet", "Fulfilled"))
)
_ATTEMPTS: Final = tuple(
    Attempt(
        f"urn:{person}:{thing}:{action}:{purpose}",
        ODRL + action,
        f"http://example.org/{thing}",
        f"http://example.org/{person}",
        facts={ODRL + "purpose": (f"http://example.org/{purpose}",)},
    )
    for person, thing, action, purpose in product(
        ("alice", "bob", "eve"), "xy", ("read", "display"), ("study", "trade")
    )
)


def graphs() -> list[Graph]:
    """The policies as they were meant."""
    return [read_text(_PREFIXES + text) for text in TEXTS]


def judged(graph: Graph) -> list[tuple[bool, int]]:
    """For each request in each state of the world: whether it is permitted, and by how many rules."""
    policy = policy_of(graph)
    found = []
    for world, attempt in product(_WORLDS, _ATTEMPTS):
        report = evaluate(policy, Request("urn:request", (attempt,)), world)
        active = sum(each.active and each.rule.kind == "permission" for each in report.rules)
        found.append((report.allowed, active))
    return found


def slipped(graph: Graph, dice: random.Random) -> Graph:
    """A copy with a slip in one or two of its statements."""
    statements = list(graph)
    chosen = dice.sample(range(len(statements)), dice.choice((1, 1, 2)))
    found = Graph(store="SimpleMemory", bind_namespaces="none")
    for position, statement in enumerate(statements):
        found.add(_one_slip(statement, graph, dice) if position in chosen else statement)
    return found


def _one_slip(
    statement: tuple[Node, Node, Node], graph: Graph, dice: random.Random
) -> tuple[Node, Node, Node]:
    node, name, value = statement
    ways = ["property"] if str(name).startswith(ODRL) else []
    if isinstance(node, URIRef) and str(name) not in _OF_OTHERS and _is_of_policy(graph, node):
        ways.append("node")
    if isinstance(value, Literal):
        ways.append("literal")
    elif isinstance(value, URIRef) and (str(name) in _POINTS_AT or _is_of_policy(graph, value)):
        ways.append("value")
    way = dice.choice(ways) if ways else ""
    if way == "property":
        return node, _misspelt(name, dice), value
    if way == "node":
        return _misspelt(node, dice), name, value
    if way == "value":
        return node, name, _misspelt(value, dice)
    if way == "literal":
        return node, name, Literal(f"{value}x", datatype=getattr(value, "datatype", None))
    return statement


def _is_of_policy(graph: Graph, node: Node) -> bool:
    """Whether a node is described as part of a policy; the misspelt name of another is somebody else's."""
    return any(str(each) not in _OF_OTHERS for each in graph.predicates(node))


def _misspelt(node: Node, dice: random.Random) -> URIRef:
    text = str(node)
    while True:
        place = dice.randrange(text.rindex("/") + 1, len(text))
        slip = dice.choice(
            (text[:place] + dice.choice("xq7_") + text[place:], text[:place] + text[place + 1 :])
        )
        if slip not in OPERATORS:  # one letter less makes "eq" of "neq"
            return URIRef(slip)


def try_slips(count: int, seed: int) -> Counter[str]:
    """Judge ``count`` policies with slips; raises on the first that permits more than was meant."""
    dice = random.Random(seed)
    tried = [(graph, judged(graph)) for graph in graphs()]
    found: Counter[str] = Counter()
    for number in range(count):
        graph, before = tried[number % len(tried)]
        damaged = slipped(graph, dice)
        try:
            after = judged(damaged)
        except PolicyRefused:
            found["refused"] += 1
            continue
        more = any(
            new > old
            for told, was in zip(after, before, strict=True)
            for new, old in zip(told, was, strict=True)
        )
        assert not more, f"seed {seed}, number {number}: {set(damaged) - set(graph)}"
        found["the same" if after == before else "less"] += 1
    return found
