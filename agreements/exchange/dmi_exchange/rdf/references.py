"""References between the nodes of a document: each leads to a node that is described, and each node is led to.

One changed character in a reference turns a rule into one that speaks of everything, and leaves the rule that was
meant aside. Neither may pass without a word.
"""

from __future__ import annotations

from collections.abc import Iterator, Set
from itertools import islice

from rdflib import RDF, BNode, Graph, URIRef
from rdflib.term import Node

from dmi_agreements.errors import Finding
from dmi_agreements.odrl.model import ODRL
from dmi_agreements.odrl.vocabulary import nearest
from dmi_exchange.rdf import terms

# To look for a likely name among more would take longer than a person's slip is worth.
_CANDIDATES = 1_000


def is_bare(graph: Graph, node: Node) -> bool:
    """Whether the document says nothing of ``node`` beside its type, its IRI and words for people."""
    return all(str(name) in terms.NAMING or terms.is_annotation(str(name)) for name in graph.predicates(node))


def loose(graph: Graph) -> tuple[str, ...]:
    """Names of described nodes that nothing refers to: one of them is meant where a reference leads nowhere."""
    names = (str(each) for each in dict.fromkeys(graph.subjects()) if _is_loose(graph, each))
    return tuple(islice(names, _CANDIDATES))


def _is_loose(graph: Graph, node: Node) -> bool:
    return isinstance(node, URIRef) and (None, None, node) not in graph


def broken(graph: Graph, policies: Set[Node], reached: Set[Node]) -> Iterator[Finding]:
    """What is wrong with the references of a document.

    ``policies`` are its policies, and ``reached`` the nodes to which reading them led.
    """
    for name in sorted(terms.OF_POLICIES):
        for node, policy in graph.subject_objects(URIRef(name)):
            if policy not in policies:
                path = f"{_path(node)}/{name.removeprefix(ODRL)}"
                rule = "no policy of this document has this name"
                yield Finding(path, rule, str(policy)[:200], nearest(str(policy), map(str, policies)))
    lost = {node: None for node in graph.subjects() if node not in reached and node not in policies}
    meant = {node: said for node in lost if (said := _meant(graph, node))}
    # What only a lost node leads to is lost with it; but nodes that lead to each other have no first one.
    first = [node for node in meant if lost.keys().isdisjoint(graph.subjects(None, node))]
    for node in first or meant:
        rule = "no policy of this document leads to this node, so that what it says would count for nothing"
        yield Finding(_path(node), rule, meant[node][:200])


def _meant(graph: Graph, node: Node) -> str:
    """A type or property of a node that counts only on what a policy leads to; empty when it has none."""
    kinds = terms.PARTS_OF_POLICIES.intersection(map(str, graph.objects(node, RDF.type)))
    said = {name for name in map(str, graph.predicates(node)) if name.startswith(ODRL)} - terms.FREE
    return min(kinds or said, default="")


def _path(node: Node) -> str:
    # The name of a blank node is the parser's own, another each time.
    return "" if isinstance(node, BNode) else f"/{node}"[:200]
