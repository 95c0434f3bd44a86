"""The evaluations of SolidLab's ODRL test suite, each by its name: activation in order, and the whole report."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from rdflib import RDF, BNode, Graph, URIRef
from rdflib.compare import graph_diff, isomorphic

from dmi_agreements.odrl.evaluate import evaluate
from dmi_agreements.odrl.report import PolicyReport
from dmi_exchange.rdf.documents import read_text
from dmi_exchange.rdf.reading import read_policy
from dmi_exchange.rdf.reports import REPORT, graph_of
from dmi_exchange.rdf.world import read_request, read_world, with_stray_report
from tests.conformance.odrl.conftest import cases

# Report 065 points at five reports that it does not hold, and holds five that nothing points at.
SLIPS = {
    "testcase-065-alice": {
        "0c017c57-edeb-44b2-9347-2825050ecc14": "7870f0e5-3dd3-4ede-b869-87cadc7e430d",
        "13a0c82c-1774-4397-be79-e7468dbd9caf": "9323410c-1c3d-4635-a06b-b77842f9c6db",
        "c2b3c9bb-0bc1-4d31-8815-50134056fab0": "5302fa32-010c-413a-a7a1-25853d9a517a",
        "a6440c0d-e5a3-4ff4-a1a1-e8b65334d5fe": "41deb120-c2af-40c3-8ec2-aa93f3679668",
        "b31d5908-92fa-4e2f-8d6f-5b93674de929": "86039895-bccf-46e9-8c74-8280d43ea22b",
    }
}


def judged(material: Path, case: dict[str, Any]) -> PolicyReport:
    """The report on a case."""
    texts = {name: (material / "solidlab" / case[name]).read_text() for name in ("policy", "request", "sotw")}
    policy = read_policy(texts["policy"])
    request, _ = read_request(texts["request"])
    return evaluate(policy, request, with_stray_report(read_world(texts["sotw"]), policy))


def without_ids(graph: Graph) -> Graph:
    """The report alone, with a blank node in place of the id of each report that it holds."""
    held = {
        node: BNode()
        for node in graph.subjects()
        if any(str(kind).startswith(str(REPORT)) for kind in graph.objects(node, RDF.type))
    }
    plain = Graph()
    for subject, name, value in graph:
        if subject in held:
            plain.add((held[subject], name, held.get(value, value)))
    return plain


@pytest.mark.parametrize("case", cases("solidlab"))
def test_each_rule_is_active_or_not_as_the_suite_says(case: dict[str, Any], material: Path) -> None:
    states = ["Active" if rule.active else "Inactive" for rule in judged(material, case).rules]
    assert states == case["rule_activation"]


@pytest.mark.parametrize(
    "case",
    [each for each in cases("solidlab") if not each.values[0] or each.values[0].get("expected_report")],
)
def test_the_report_is_the_one_that_the_suite_gives(case: dict[str, Any], material: Path) -> None:
    text = (material / "solidlab" / case["expected_report"]).read_text()
    for wrong, right in SLIPS.get(case["id"], {}).items():
        text = text.replace(wrong, right)
    expected, found = without_ids(read_text(text)), without_ids(graph_of(judged(material, case)))
    _, lacking, surplus = graph_diff(expected, found)
    assert isomorphic(expected, found), f"lacking:\n{lacking.serialize()}\nsurplus:\n{surplus.serialize()}"


def test_the_material_holds_the_cases_that_it_held(material: Path) -> None:
    found = [each.values[0] for each in cases("solidlab")]
    assert len(found) == 51
    assert sum(1 for case in found if case.get("expected_report")) == 49


def test_two_reports_on_one_case_have_the_same_ids(material: Path) -> None:
    case = cases("solidlab")[0].values[0]
    one, other = (graph_of(judged(material, case)) for _ in range(2))
    assert set(one) == set(other)
    assert all(isinstance(node, URIRef) for node in one.subjects())
