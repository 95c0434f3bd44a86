"""A graph becomes policies of the information model, or is refused.

Every statement about a policy, and about each rule, action, constraint, asset and party in it, is accounted for:
what is not understood is refused with its path and the nearest known term, never dropped.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from itertools import islice
from typing import Any, Final, get_args

from rdflib import RDF, BNode, Graph, Literal, URIRef
from rdflib.term import Node

from dmi_agreements.errors import Finding, PolicyRefused
from dmi_agreements.odrl.inheritance import inherit
from dmi_agreements.odrl.model import ODRL, Action, Policy, Rule, RuleKind, Strategy, Test, Thing
from dmi_agreements.odrl.vocabulary import CORE, Vocabulary, nearest
from dmi_exchange.rdf import references, terms
from dmi_exchange.rdf.constraints import FINDINGS, ConstraintReader
from dmi_exchange.rdf.documents import read_json, read_text, refuse

_RULES: Final[tuple[RuleKind, ...]] = ("permission", "prohibition", "obligation")


def policies_of(graph: Graph, vocabulary: Vocabulary = CORE) -> tuple[Policy, ...]:
    """Every policy of a graph, in the order of the document."""
    known = {URIRef(kind) for kind in (*terms.POLICY_KINDS, *terms.UNUSED_KINDS)}
    nodes = [node for node in dict.fromkeys(graph.subjects()) if known & set(graph.objects(node, RDF.type))]
    found: list[Policy] = []
    findings: list[Finding] = []
    reached: set[Node] = set()
    for position, node in enumerate(nodes):
        reader = _Reader(graph, vocabulary, prefix=f"/{position}" if len(nodes) > 1 else "")
        policy = reader.policy(node)
        findings += reader.findings
        reached |= reader.reached
        found.append(policy)
    if nodes and not findings:
        # A slip that was found may be why nothing leads to a node.
        findings += islice(references.broken(graph, set(nodes), reached), FINDINGS)
    if findings:
        raise PolicyRefused(tuple(findings))
    return tuple(found)


def policy_of(graph: Graph, vocabulary: Vocabulary = CORE) -> Policy:
    """The one policy of a graph."""
    found = policies_of(graph, vocabulary)
    if len(found) != 1:
        rule = "there is no policy in this document" if not found else "one policy is wanted here"
        raise refuse("", rule, f"{len(found)} policies" if found else "")
    return found[0]


def read_policy(document: str | dict[str, Any], vocabulary: Vocabulary = CORE) -> Policy:
    """The one policy of a Turtle or JSON-LD text, or of a JSON-LD document parsed already."""
    return policy_of(read_text(document) if isinstance(document, str) else read_json(document), vocabulary)


def read_policies(document: str | dict[str, Any], vocabulary: Vocabulary = CORE) -> tuple[Policy, ...]:
    """Every policy of a Turtle or JSON-LD text, or of a JSON-LD document parsed already."""
    return policies_of(read_text(document) if isinstance(document, str) else read_json(document), vocabulary)


def read_with_parents(document: str | dict[str, Any], vocabulary: Vocabulary = CORE) -> Policy:
    """The one policy of a document that no other in it inherits from, with the rules of its parents there."""
    found = read_policies(document, vocabulary)
    parents = {uid for policy in found for uid in policy.inherits}
    own = [policy for policy in found if policy.uid not in parents] or list(found[:1])
    if len(own) != 1:
        rule = (
            "there is no policy in this document"
            if not own
            else "one policy is wanted here, with its parents"
        )
        raise refuse("", rule, ", ".join(policy.uid for policy in own))
    return inherit(own[0], {policy.uid: policy for policy in found})


@dataclass
class _Shared:
    """What a policy says for all its rules."""

    actions: tuple[Action, ...] = ()
    things: dict[str, tuple[Thing, ...]] = field(default_factory=dict)


class _Reader(ConstraintReader):
    """Reads one policy; what is wrong with it gathers in ``findings``."""

    def __init__(self, graph: Graph, vocabulary: Vocabulary, prefix: str = "") -> None:
        super().__init__(graph, vocabulary)
        self.prefix = prefix
        self.things: dict[Thing, None] = {}

    def policy(self, node: Node) -> Policy:
        path = self.prefix
        self.account(node, terms.POLICY, path)
        uid = self.uid(node, path)
        if uid is None:
            self.wrong(f"{path}/uid", "a policy has an IRI of its own")
        shared = _Shared(
            self._actions(node, path, needed=False),
            {name: self._things(node, name, path) for name in sorted(terms.SHARED - {ODRL + "action"})},
        )
        self._reverse(node, shared)
        rules = {
            kind: tuple(
                self._rule(each, kind, f"{path}/{kind}/{position}", shared, ())
                for position, each in enumerate(self.values(node, ODRL + kind))
            )
            for kind in _RULES
        }
        if not any(rules.values()):
            self.wrong(path, "a policy has at least one permission, prohibition or obligation")
        for member, whole in self.graph.subject_objects(URIRef(ODRL + "partOf")):
            if isinstance(member, URIRef) and isinstance(whole, URIRef):
                self.things[Thing(str(member), part_of=(str(whole),))] = None
        kind = self._kind(node, path)
        for rule in (*rules["permission"], *rules["prohibition"]) if kind == "Agreement" else ():
            for role, parties in (("assigner", rule.assigners), ("assignee", rule.assignees)):
                if not parties:
                    self.wrong(f"{rule.path}/{role}", "an agreement names who grants and who is granted")
        return Policy(
            kind=kind,
            uid=uid or "",
            permissions=rules["permission"],
            prohibitions=rules["prohibition"],
            obligations=rules["obligation"],
            profiles=self._profiles(node, path),
            inherits=tuple(
                self.iri(each, f"{path}/inheritFrom") for each in self.values(node, ODRL + "inheritFrom")
            ),
            conflict=self._conflict(node, path),
            things=tuple(self.things),
            about=tuple(
                (name, self.value(each, f"{path}/{name}"))
                for name in sorted(terms.ABOUT)
                for each in self.values(node, name)
            ),
        )

    def _kind(self, node: Node, path: str) -> Any:
        types = [str(each) for each in self.graph.objects(node, RDF.type)]
        for each in types:
            if each in terms.UNUSED_KINDS:
                self.wrong(f"{path}/type", "ODRL gives this kind of policy no meaning", each)
            elif each not in terms.POLICY_KINDS:
                known = nearest(each, terms.POLICY_KINDS)
                self.wrong(f"{path}/type", "this is no kind of policy", each, known)
        kinds = {terms.POLICY_KINDS[each] for each in types if each in terms.POLICY_KINDS} - {"Set"}
        if len(kinds) > 1:
            self.wrong(f"{path}/type", "a policy is of one kind", ", ".join(sorted(kinds)))
        return min(kinds, default="Set")

    def _profiles(self, node: Node, path: str) -> tuple[str, ...]:
        found = tuple(self.iri(each, f"{path}/profile") for each in self.values(node, ODRL + "profile"))
        for each in found:
            if each not in self.vocabulary.profiles:
                known = nearest(each, self.vocabulary.profiles)
                self.wrong(
                    f"{path}/profile", "a policy of a profile that is not known must not be used", each, known
                )
        return found

    def _conflict(self, node: Node, path: str) -> Strategy | None:
        value = self.single(node, ODRL + "conflict", path)
        if value is None:
            return None
        name = str(value).removeprefix(ODRL)
        strategies: tuple[Strategy, ...] = get_args(Strategy)
        for strategy in strategies:
            if name == strategy:
                return strategy
        known = nearest(str(value), [ODRL + each for each in strategies])
        self.wrong(f"{path}/conflict", "this is no conflict strategy", str(value), known)
        return None

    def _reverse(self, node: Node, shared: _Shared) -> None:
        """Assets and parties that point at the policy are those of all its rules (sections 2.2.3, 2.3.3)."""
        for reverse, role in (
            ("hasPolicy", "target"),
            ("assigneeOf", "assignee"),
            ("assignerOf", "assigner"),
        ):
            named = [
                self._thing(each, f"{self.prefix}/{role}")
                for each in self.graph.subjects(URIRef(ODRL + reverse), node)
            ]
            shared.things[ODRL + role] += tuple(
                each for each in named if each not in shared.things[ODRL + role]
            )

    def _rule(self, node: Node, kind: RuleKind, path: str, shared: _Shared, above: tuple[Node, ...]) -> Rule:
        if isinstance(node, Literal) or node in above:
            self.wrong(path, "a rule is a node of its own that does not contain itself", str(node))
            return Rule(kind, path, ())
        self.account(node, terms.RULE | terms.FURTHER[kind], path, types=terms.RULE_TYPES[kind])
        kinds = terms.RULE_TYPES[kind] - {ODRL + "Rule"}
        if references.is_bare(self.graph, node) and not kinds & self.types(node):
            self.dangling(
                node, path, "a rule says something, or states its type when it speaks of everything"
            )
            return Rule(kind, path, ())
        nested = kind not in _RULES
        things = {
            name: self._things(node, name, path) + (() if nested else shared.things.get(name, ()))
            for name in sorted(terms.SHARED - {ODRL + "action"})
        }
        actions = self._actions(node, path, needed=False) + (() if nested else shared.actions)
        if not actions and kind not in ("permission", "prohibition"):
            self.wrong(f"{path}/action", "a duty says what is to be done")
        further = {
            name: tuple(
                self._rule(each, name, f"{path}/{name}/{position}", shared, (*above, node))
                for position, each in enumerate(self.values(node, ODRL + name))
                if ODRL + name in terms.FURTHER[kind]
            )
            for name in ("duty", "consequence", "remedy")
        }
        return Rule(
            kind=kind,
            path=path,
            actions=tuple(dict.fromkeys(actions)),
            uid=self.uid(node, path),
            targets=things[ODRL + "target"],
            assigners=things[ODRL + "assigner"],
            assignees=things[ODRL + "assignee"],
            functions=_pairs(things, terms.FUNCTIONS),
            relations=_pairs(things, terms.RELATIONS),
            constraints=self.tests(node, ODRL + "constraint", path),
            duties=further["duty"],
            consequences=further["consequence"],
            remedies=further["remedy"],
        )

    def _actions(self, node: Node, path: str, needed: bool) -> tuple[Action, ...]:
        return tuple(
            self._action(each, f"{path}/action/{position}")
            for position, each in enumerate(self.values(node, ODRL + "action"))
        )

    def _action(self, node: Node, path: str) -> Action:
        refinements: tuple[Test, ...] = ()
        uid = None
        iri = node
        named = [] if isinstance(node, Literal) else list(self.graph.objects(node, RDF.value))
        if named or isinstance(node, BNode):
            self.account(node, terms.ACTION, path, types=frozenset({ODRL + "Action"}))
            if len(named) != 1:
                self.wrong(f"{path}/value", "an action that is narrowed names the action as its rdf:value")
                return Action("", uid=None)
            iri = named[0]
            uid = self.uid(node, path)
            refinements = self.tests(node, ODRL + "refinement", path)
        elif isinstance(node, URIRef):
            self.account(node, terms.ACTION, path, types=frozenset({ODRL + "Action"}))
            refinements = self.tests(node, ODRL + "refinement", path)
        name = self.iri(iri, path)
        if name not in self.vocabulary.actions:
            known = self.vocabulary.nearest(name, "action")
            self.wrong(path, "this action is not known", name, known)
        return Action(name, refinements, uid)

    def _things(self, node: Node, name: str, path: str) -> tuple[Thing, ...]:
        short = name.removeprefix(ODRL)
        return tuple(
            self._thing(each, f"{path}/{short}/{position}")
            for position, each in enumerate(self.values(node, name))
        )

    def _thing(self, node: Node, path: str) -> Thing:
        if isinstance(node, Literal):
            return Thing(self.iri(node, path))
        self.account(node, terms.THING, path, described=True)
        thing = Thing(
            uid=self.uid(node, path),
            collection=bool(self.types(node) & terms.COLLECTIONS),
            part_of=tuple(self.iri(each, f"{path}/partOf") for each in self.values(node, ODRL + "partOf")),
            source=self._source(node, path),
            refinements=self.tests(node, ODRL + "refinement", path),
        )
        if thing.uid is None and thing.source is None and not thing.refinements:
            self.wrong(path, "an asset or party has an IRI, a source or refinements")
        if thing.collection or thing.part_of:
            self.things[thing] = None
        return thing

    def _source(self, node: Node, path: str) -> str | None:
        value = self.single(node, ODRL + "source", path)
        return None if value is None else self.iri(value, f"{path}/source")


def _pairs(things: dict[str, tuple[Thing, ...]], names: frozenset[str]) -> tuple[tuple[str, Thing], ...]:
    return tuple((name, thing) for name in sorted(names) for thing in things[name])
