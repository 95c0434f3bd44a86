"""The catalogue against the published SHACL shapes of DCAT-AP-NL 3.0 and DCAT-AP 3: no violation, and no lack."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from pyshacl import validate
from rdflib import RDF, Graph, Namespace, URIRef
from rdflib.namespace import DCAT, DCTERMS

from dmi_agreements.contracts.record import Quality
from dmi_command.demo.story import datasets, participants
from dmi_exchange.catalogue.dcat import Site, graph
from dmi_exchange.catalogue.model import of_dataset
from tests.servers_plugin import ROOT, require
from tests.unit.exchange.fakes import HERE, OFFICER, SELLING, Node, furnish, running
from tests.unit.exchange.test_finding import parsed

SH = Namespace("http://www.w3.org/ns/shacl#")
FOLDER = Path(os.environ.get("DMI_TEST_CONFORMANCE") or ROOT.parent / "shared" / "conformance") / "dcat-ap-nl"
NEW = "urn:dmi:dataset:gemeente:geluid"


@pytest.fixture(scope="module")
def shapes() -> Graph:
    """All published shapes together."""
    if not FOLDER.is_dir():
        require("conformance", f"no conformance material at {FOLDER}; set DMI_TEST_CONFORMANCE")
    found = Graph()
    for file in sorted(FOLDER.glob("*.ttl")):
        found.parse(file)
    return found


@pytest.fixture
def node(tmp_path: Path) -> Iterator[Node]:
    with running(tmp_path) as made:
        furnish(made)
        yield made


def lacks(data: Graph, shapes: Graph) -> list[str]:
    """What does not conform, as text; warnings and recommendations too."""
    _, report, _ = validate(data, shacl_graph=shapes, advanced=True, inference="none")
    assert isinstance(report, Graph)
    return sorted(
        " ".join(
            str(next(report.objects(result, SH[name]), "")).rsplit("/", 1)[-1]
            for name in ("resultSeverity", "focusNode", "resultPath", "value", "resultMessage")
        )
        for result in report.subjects(RDF.type, SH.ValidationResult)
    )


def test_the_demonstration_city_conforms(shapes: Graph) -> None:
    names = {member.id: member.name for member, _role, _identity in participants()}
    site = Site("https://waterstad.example", "urn:dmi:participant:stack", names)
    items = [of_dataset(each, bool(each.licence)) for each in datasets()]
    measured = {
        each.id: Quality(each.id, 1_790_000_000_000_000, 3600, 4, None, 10, 1, 9, 4) for each in items
    }
    data = graph(site, items, measured, "https://waterstad.example/exchange/v1/catalogue?after=x")
    assert len(set(data.subjects(RDF.type, DCAT.Dataset))) == 6
    assert lacks(data, shapes) == []


def test_what_was_just_published_conforms_with_the_least_that_the_form_asks_for(
    node: Node, shapes: Graph
) -> None:
    node.post("/v1/datasets", {"id": NEW, "title": {"nl": "Geluid"}, "spatial": HERE})
    listing = {"id": "urn:dmi:listing:sensorbedrijf:routes", "kind": "service", "direction": "supply"}
    node.post("/v1/listings", {**listing, "title": {"nl": "Routes"}, "spatial": HERE}, SELLING)
    wish = {"id": "urn:dmi:listing:gemeente:wens", "kind": "knowledge", "direction": "demand"}
    node.post("/v1/listings", {**wish, "title": {"nl": "Wens"}, "spatial": HERE}, OFFICER)
    data = parsed(node.ask("GET", "/v1/catalogue").text, "json-ld")
    assert (URIRef(NEW), RDF.type, DCAT.Dataset) in data
    assert lacks(data, shapes) == []


def test_a_dataset_without_a_publisher_would_be_found(node: Node, shapes: Graph) -> None:
    data = parsed(node.ask("GET", "/v1/catalogue").text, "json-ld")
    data.remove((None, DCTERMS.publisher, None))
    assert any("publisher" in each for each in lacks(data, shapes))
