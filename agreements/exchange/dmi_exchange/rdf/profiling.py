"""ODRL profiles as data: further actions and left operands, each explained by terms that are known already.

An action says with ``odrl:includedIn`` what it is part of, and with ``odrl:implies`` what it cannot do without. A
left operand says with ``skos:exactMatch`` which known one it is another name for: what a value means and where the
truth about it comes from cannot be learnt from a document.
"""

from __future__ import annotations

from functools import cache
from importlib import resources

from rdflib import OWL, RDF, SKOS, Graph, URIRef

from dmi_agreements.errors import Finding, PolicyRefused
from dmi_agreements.odrl.model import ODRL
from dmi_agreements.odrl.vocabulary import CORE, Left, Vocabulary
from dmi_exchange.rdf.documents import read_text


@cache
def known_profiles() -> Vocabulary:
    """The core vocabulary with the profiles that the project ships."""
    folder = resources.files("dmi_exchange.rdf").joinpath("profiles")
    vocabulary = CORE
    for file in sorted(folder.iterdir(), key=lambda each: each.name):
        if file.name.endswith(".ttl"):
            vocabulary = with_profile(vocabulary, file.read_text("utf-8"))
    return vocabulary


def with_profile(vocabulary: Vocabulary, document: str) -> Vocabulary:
    """``vocabulary`` with the terms of a profile; one that rests on an unknown term is refused."""
    graph = read_text(document)
    findings: list[Finding] = []
    lefts = []
    for node in graph.subjects(RDF.type, URIRef(ODRL + "LeftOperand")):
        matches = [str(each) for each in graph.objects(node, SKOS.exactMatch)]
        known = [vocabulary.lefts[each] for each in matches if each in vocabulary.lefts]
        if len(known) != 1 or len(matches) != 1:
            near = vocabulary.nearest((matches or [str(node)])[0], "left")
            findings.append(
                Finding(str(node), "skos:exactMatch names one known left operand", ", ".join(matches), near)
            )
            continue
        same = known[0]
        lefts.append(Left(str(node), same.type, same.unit, same.source, same.same_as or same.iri))
    actions = _relations(graph, "includedIn")
    every = actions.keys() | vocabulary.actions.keys()
    implies = _relations(graph, "implies")
    for action, others in (*actions.items(), *implies.items()):
        for other in others - every:
            near = vocabulary.nearest(other, "action")
            findings.append(Finding(action, "a profile's action rests on known actions", other, near))
    if findings:
        raise PolicyRefused(tuple(findings))
    return vocabulary.extended(
        profiles=[str(each) for each in graph.subjects(RDF.type, OWL.Ontology)],
        lefts=lefts,
        actions=actions,
        implies=implies,
    )


def _relations(graph: Graph, name: str) -> dict[str, set[str]]:
    """What the actions of the graph point at by a property; every action when it is ``includedIn``."""
    found: dict[str, set[str]] = {}
    for node in graph.subjects(RDF.type, URIRef(ODRL + "Action")):
        others = {str(each) for each in graph.objects(node, URIRef(ODRL + name))}
        if others or name == "includedIn":
            found[str(node)] = others
    return found
