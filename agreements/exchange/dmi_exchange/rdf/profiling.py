"""ODRL profiles as data: further actions and left operands, each explained by terms that are known already.

An action says with ``odrl:includedIn`` what it is part of, and with ``odrl:implies`` what it cannot do without. A
left operand says with ``skos:exactMatch`` which known one it is another name for: what a value means and where the
truth about it comes from cannot be learnt from a document.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from importlib import resources
from typing import Final

from rdflib import DCTERMS, OWL, RDF, SKOS, Graph, Literal, URIRef

from dmi_agreements.errors import Finding, PolicyRefused
from dmi_agreements.odrl.model import ODRL
from dmi_agreements.odrl.vocabulary import CORE, DMI, Left, Vocabulary
from dmi_agreements.odrl.wording import LEFTS
from dmi_agreements.rulebook import DutyTerm, Rulebook, Term
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


def published(rulebook: Rulebook) -> str:
    """The project's own profile as Turtle: each term with its name, meaning, type, unit and source of truth."""
    graph = Graph(bind_namespaces="none")
    for prefix, namespace in (("odrl", ODRL), ("skos", SKOS), ("owl", OWL), ("dmi", DMI), ("dct", DCTERMS)):
        graph.bind(prefix, namespace)
    profile = URIRef(DMI + "profile:1")
    graph.add((profile, RDF.type, OWL.Ontology))
    for language, title in (
        ("nl", "ODRL-profiel van het afsprakenstelsel"),
        ("en", "ODRL profile of the rulebook"),
    ):
        graph.add((profile, DCTERMS.title, Literal(title, lang=language)))
    known: dict[str, Term | DutyTerm] = {**rulebook.actions, **rulebook.duties}
    for iri in sorted(each for each in CORE.actions if each.startswith(DMI)):
        term = known[iri.replace(DMI, "dmi:")]
        node = _defined(graph, iri, "Action", term.label, term.description)
        for above in sorted(CORE.actions[iri]):
            graph.add((node, URIRef(ODRL + "includedIn"), URIRef(above)))
    for left in (each for each in CORE.lefts.values() if each.iri.startswith(DMI)):
        words = dict(zip(("nl", "en"), LEFTS[left.iri.removeprefix(DMI)], strict=True))
        node = _defined(graph, left.iri, "LeftOperand", words, _MEANINGS[left.iri.removeprefix(DMI)])
        graph.add((node, URIRef(DMI + "valueType"), Literal(left.type)))
        graph.add((node, URIRef(DMI + "source"), Literal(left.source)))
        if left.unit is not None:
            graph.add((node, URIRef(ODRL + "unit"), Literal(left.unit)))
    return graph.serialize(format="turtle")


def _defined(graph: Graph, iri: str, kind: str, label: Mapping[str, str], text: Mapping[str, str]) -> URIRef:
    node = URIRef(iri)
    graph.add((node, RDF.type, URIRef(ODRL + kind)))
    for name, words in ((SKOS.prefLabel, label), (SKOS.definition, text)):
        for language in ("nl", "en"):
            graph.add((node, name, Literal(words[language], lang=language)))
    return node


_MEANINGS: Final = {
    "minimumGroup": {
        "nl": "Groepen van minder personen dan dit aantal worden weggelaten (k-anonimiteit).",
        "en": "Groups of fewer persons than this number are left out (k-anonymity).",
    },
    "gridSize": {
        "nl": "De zijde in meters van een vak in het raster van RD New waartoe een positie wordt vergroofd.",
        "en": "The side in metres of a cell in the grid of RD New that a position is coarsened to.",
    },
    "distance": {
        "nl": "Zoveel meter rond begin en einde van een rit wordt niet bewaard.",
        "en": "So many metres around begin and end of a trip are not kept.",
    },
    "days": {
        "nl": "Na zoveel dagen worden gegevens niet meer gegeven en worden ze verwijderd.",
        "en": "After so many days data is no longer given and is deleted.",
    },
    "seconds": {
        "nl": "Zoveel seconden na de meting komen gegevens pas vrij.",
        "en": "Data is released only so many seconds after it was measured.",
    },
    "window": {
        "nl": "Het tijdvak in seconden waarover metingen tot een gemiddelde worden samengevoegd.",
        "en": "The window in seconds over which measurements are aggregated to a mean.",
    },
    "areaLevel": {
        "nl": "Het soort gebied waarover metingen worden samengevoegd, zoals een buurt.",
        "en": "The kind of area over which measurements are aggregated, such as a neighbourhood.",
    },
    "property": {
        "nl": "De kolom die leeg wordt gemaakt.",
        "en": "The column that is emptied.",
    },
    "cents": {
        "nl": "Het bedrag zonder btw dat een aantal eenheden kost.",
        "en": "The amount without VAT that a number of units costs.",
    },
    "per": {
        "nl": "Het aantal eenheden waarvoor het bedrag geldt.",
        "en": "The number of units that the amount is for.",
    },
    "chargedUnit": {
        "nl": "Wat wordt geteld: een gebruik, een begonnen kalendermaand, of de overeenkomst eenmaal.",
        "en": "What is counted: a use, a calendar month begun, or the agreement once.",
    },
    "role": {
        "nl": "Een rol die de ontvanger als deelnemer heeft, volgens het register van deelnemers.",
        "en": "A role that the assignee has as a participant, as the register of participants tells.",
    },
    "dayOfWeek": {
        "nl": "De Engelse naam van de dag van nu, in de tijdzone waarin de tijd is gegeven.",
        "en": "The English name of the present day, in the time zone that the time is given in.",
    },
    "timeOfDay": {
        "nl": "De tijd van nu, zonder de dag.",
        "en": "The present time, without the day.",
    },
}


def _relations(graph: Graph, name: str) -> dict[str, set[str]]:
    """What the actions of the graph point at by a property; every action when it is ``includedIn``."""
    found: dict[str, set[str]] = {}
    for node in graph.subjects(RDF.type, URIRef(ODRL + "Action")):
        others = {str(each) for each in graph.objects(node, URIRef(ODRL + name))}
        if others or name == "includedIn":
            found[str(node)] = others
    return found
