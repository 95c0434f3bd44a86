"""Requests and states of the world from graphs, in the two forms in use.

A request is a policy of kind Request, or an EvaluationRequest of the W3C draft on formal semantics. A state of the
world tells the current time (``dct:issued`` of ``currentTime``, or a feature of the draft), memberships, broader
concepts, reports on duties, payments and other facts.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any, Final, get_args

from rdflib import RDF, RDFS, SKOS, Graph, Literal, URIRef
from rdflib.term import Node

from dmi_agreements.odrl.model import ODRL, XSD, Policy, Rule, Typed, Value
from dmi_agreements.odrl.values import Span, meaning
from dmi_agreements.odrl.vocabulary import CORE, DMI, Vocabulary
from dmi_agreements.odrl.world import (
    Attempt,
    Deontic,
    DutyState,
    Event,
    Performance,
    Request,
    World,
    attempts_of,
)
from dmi_exchange.rdf.constraints import typed
from dmi_exchange.rdf.documents import BASE, read_json, read_text, refuse
from dmi_exchange.rdf.reading import policy_of

SOTW: Final = "https://w3id.org/force/sotw#"
REPORT: Final = "https://w3id.org/force/compliance-report#"
_REPORTS: Final = (REPORT, "http://example.com/report/temp/")
_PAY: Final = "https://www.epimorphics.com/guide-to-the-payments-ontology/"
_ISSUED: Final = URIRef("http://purl.org/dc/terms/issued")
_NOW: Final = SOTW + "CurrentXSDDateTime"
_PARTS: Final = (
    URIRef(ODRL + "partOf"),
    URIRef("http://purl.org/dc/terms/isPartOf"),
    URIRef("https://www.geonames.org/ontology#parentFeature"),
    URIRef("http://www.geonames.org/ontology#parentFeature"),
)
_KINDS: Final = (SKOS.broader, RDFS.subClassOf, RDF.type)


def read_request(
    document: str | dict[str, Any], vocabulary: Vocabulary = CORE
) -> tuple[Request, Typed | None]:
    """The request of a document, and the current time when the request itself tells it, as the draft's do."""
    graph = read_text(document) if isinstance(document, str) else read_json(document)
    found = list(graph.subjects(RDF.type, URIRef(SOTW + "EvaluationRequest")))
    if len(found) > 1:
        raise refuse("", "one request is wanted here", f"{len(found)} requests")
    if found:
        return _draft_request(graph, found[0])
    policy = policy_of(graph, vocabulary)
    if policy.kind != "Request":
        raise refuse("/type", "the request is a policy of kind Request, or an EvaluationRequest", policy.kind)
    return attempts_of(policy, vocabulary), None


def _draft_request(graph: Graph, node: Node) -> tuple[Request, Typed | None]:
    wanted = {}
    for name in ("Action", "Target", "Party"):
        values = [str(each) for each in graph.objects(node, URIRef(f"{SOTW}evaluated{name}"))]
        if len(values) > 1:
            raise refuse(f"/evaluated{name}", "this stands once in a request", ", ".join(values))
        wanted[name] = values[0] if values else None
    facts = {name: values for parameter in _parameters(graph, node) for name, values in parameter.items()}
    now = next((value for value in facts.pop(_NOW, ()) if isinstance(value, Typed)), None)
    uid = str(node)
    attempt = Attempt(uid, wanted["Action"], wanted["Target"], wanted["Party"], facts=facts)
    return Request(uid, (attempt,), draft=True), now


def _parameters(graph: Graph, node: Node) -> Iterator[dict[str, tuple[Value, ...]]]:
    for parameter in graph.objects(node, URIRef(SOTW + "requestParameter")):
        for feature in graph.objects(parameter, URIRef(SOTW + "describesFeature")):
            yield {str(feature): tuple(_value(graph, each) for each in _feature_values(graph, parameter))}


def _feature_values(graph: Graph, node: Node) -> list[Node]:
    return list(graph.objects(node, URIRef(SOTW + "value")))


def _value(graph: Graph, node: Node) -> Value:
    """A value; the draft's examples write ``{"@id": "1000", "@type": "xsd:integer"}`` for a number."""
    if isinstance(node, Literal):
        return typed(node)
    for kind in graph.objects(node, RDF.type):
        if str(kind).startswith(XSD):
            return Typed(str(node).removeprefix(BASE), str(kind))
    return str(node)


def read_world(document: str | dict[str, Any] | None, vocabulary: Vocabulary = CORE) -> World:
    """The state of the world that a document tells; ``None`` tells nothing."""
    if document is None:
        return World()
    graph = read_text(document) if isinstance(document, str) else read_json(document)
    facts: dict[str, tuple[Value, ...]] = {}
    about: dict[str, dict[str, tuple[Value, ...]]] = {}
    for node, feature in graph.subject_objects(URIRef(SOTW + "describesFeature")):
        values = tuple(_value(graph, each) for each in _feature_values(graph, node))
        subject = graph.value(node, URIRef(SOTW + "about"), any=True)
        (facts if subject is None else about.setdefault(str(subject), {}))[str(feature)] = values
    told = [value for value in facts.pop(_NOW, ()) if isinstance(value, Typed)]
    return World(
        now=_now(graph, told),
        uid=_state_uid(graph),
        facts=facts,
        about=about,
        part_of=_relations(graph, _PARTS),
        kinds=_relations(graph, _KINDS),
        duties=_duties(graph),
        events=(*_payments(graph), *_events(graph, vocabulary)),
    )


def _now(graph: Graph, told: list[Typed]) -> Typed | None:
    for subject, value in graph.subject_objects(_ISSUED):
        if str(subject).rpartition("/")[2].rpartition("#")[2] == "currentTime" and isinstance(value, Literal):
            told.append(typed(value))
    moments = list(dict.fromkeys(told))
    if len(moments) > 1:
        raise refuse("/currentTime", "a state of the world has one current time", moments[1].text)
    if moments and not isinstance(meaning(moments[0]), Span):
        raise refuse("/currentTime", "the current time is an xsd:dateTime", moments[0].text)
    return moments[0] if moments else None


def _state_uid(graph: Graph) -> str | None:
    for node, kind in graph.subject_objects(RDF.type):
        if str(kind).rpartition("/")[2].rpartition("#")[2].lower() == "sotw" and isinstance(node, URIRef):
            return str(node)
    return None


def _relations(graph: Graph, names: tuple[URIRef, ...]) -> dict[str, frozenset[str]]:
    found: dict[str, set[str]] = {}
    for name in names:
        for lower, upper in graph.subject_objects(name):
            if isinstance(lower, URIRef) and isinstance(upper, URIRef):
                found.setdefault(str(lower), set()).add(str(upper))
    return {lower: frozenset(uppers) for lower, uppers in found.items()}


def _duties(graph: Graph) -> dict[str, DutyState]:
    """What reports in the state of the world say of duties; two that say otherwise of one duty are refused."""
    found: dict[str, DutyState] = {}
    for namespace in _REPORTS:
        for node in graph.subjects(RDF.type, URIRef(namespace + "DutyReport")):
            deontic = _state(graph, node, namespace + "deonticState", get_args(Deontic), "NonSet")
            performance = _state(
                graph, node, namespace + "performanceState", get_args(Performance), "Unknown"
            )
            attempted = (node, URIRef(namespace + "attemptState"), URIRef(namespace + "Attempted")) in graph
            state = DutyState(
                deontic, performance, attempted, str(node) if isinstance(node, URIRef) else None
            )
            for rule in graph.objects(node, URIRef(namespace + "rule")):
                before = found.setdefault(str(rule), state)
                if (before.deontic, before.performance) != (state.deontic, state.performance):
                    raise refuse("/deonticState", "two reports contradict each other on one duty", str(rule))
    return found


def _state(graph: Graph, node: Node, name: str, known: tuple[Any, ...], default: Any) -> Any:
    values = [str(each) for each in graph.objects(node, URIRef(name))]
    words = {each.rpartition("#")[2].rpartition("/")[2].replace("-", "").lower() for each in values}
    for word in words:
        if word not in {each.lower() for each in known}:
            raise refuse(f"/{name.rpartition('#')[2]}", "this state is not known", word)
    if len(words) > 1:
        raise refuse(f"/{name.rpartition('#')[2]}", "one state is wanted here", ", ".join(sorted(words)))
    return next((each for each in known if each.lower() in words), default)


def _payments(graph: Graph) -> Iterator[Event]:
    for node in graph.subjects(RDF.type, URIRef(_PAY + "Payment")):
        rules = [
            each
            for name in ("conditionId", "conditionID")
            for each in graph.objects(node, URIRef(SOTW + name))
        ]
        amount = graph.value(node, URIRef(_PAY + "netAmount"), any=True)
        currency = graph.value(node, URIRef(_PAY + "currency"), any=True)
        facts: dict[str, tuple[Value, ...]] = {}
        if isinstance(amount, Literal):
            facts[ODRL + "payAmount"] = (typed(amount),)
        if currency is not None:
            facts[ODRL + "unit"] = (str(currency),)
        yield Event(
            rule=str(rules[0]) if rules else None,
            action=ODRL + "compensate",
            party=_name(graph, node, _PAY + "payer"),
            recipient=_name(graph, node, _PAY + "payee"),
            at=_moment(graph, node, _PAY + "paymentDate"),
            facts=facts,
        )


def _events(graph: Graph, vocabulary: Vocabulary) -> Iterator[Event]:
    """Other things done, in the project's own terms: a ``dmi:Event`` with an ``odrl:action``."""
    for node in graph.subjects(RDF.type, URIRef(DMI + "Event")):
        action = _name(graph, node, ODRL + "action")
        if action is None or action not in vocabulary.actions:
            near = vocabulary.nearest(action or "", "action")
            raise refuse("/action", "an event is a known action", action or "", near)
        yield Event(
            rule=_name(graph, node, DMI + "rule"),
            action=action,
            party=_name(graph, node, ODRL + "assignee"),
            target=_name(graph, node, ODRL + "target"),
            recipient=_name(graph, node, ODRL + "assigner"),
            at=_moment(graph, node, DMI + "at"),
            facts={name: values for each in _parameters(graph, node) for name, values in each.items()},
        )


def _name(graph: Graph, node: Node, name: str) -> str | None:
    value = graph.value(node, URIRef(name), any=True)
    return None if value is None else str(value)


def _moment(graph: Graph, node: Node, name: str) -> Typed | None:
    """A moment; one that is not written as XML Schema asks (the draft has such a payment date) is not known."""
    value = graph.value(node, URIRef(name), any=True)
    moment = typed(value) if isinstance(value, Literal) else None
    return moment if moment is not None and isinstance(meaning(moment), Span) else None


def at(world: World, moment: Typed | None) -> World:
    """The state at the moment that the request tells, where the state itself tells none."""
    return world if moment is None or world.now is not None else replace(world, now=moment)


def with_stray_report(world: World, policy: Policy) -> World:
    """The state in which a lone report about a duty of nobody's is about the policy's lone duty.

    SolidLab's cases 065 to 068 report on a duty under another name than the policy's. Only a state that was
    written for one evaluation may be read so; the gate never does (decision record on unclear corners of ODRL).
    """
    duties = [duty.uid for rule in policy.rules for duty in _all_duties(rule) if duty.uid is not None]
    if len(duties) != 1 or len(world.duties) != 1 or duties[0] in world.duties:
        return world
    return replace(world, duties={duties[0]: next(iter(world.duties.values()))})


def _all_duties(rule: Rule) -> Iterator[Rule]:
    if rule.kind not in ("permission", "prohibition"):
        yield rule
    for each in (*rule.duties, *rule.consequences, *rule.remedies):
        yield from _all_duties(each)
