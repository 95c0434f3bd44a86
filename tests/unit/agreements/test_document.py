"""Reading agreements: everything outside the language is refused with its place, and nothing is read without end."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from dmi_agreements.decision import Coarsen
from dmi_agreements.policy.document import read_agreement
from dmi_agreements.rulebook import Rulebook
from tests.unit.agreements.reading import duty, findings

Edit = Callable[[dict[str, Any]], object]


def test_the_example_reads_into_its_terms(document: dict[str, Any], rulebook: Rulebook) -> None:
    terms = read_agreement(document, rulebook)
    assert (terms.assigner, terms.assignee) == ("urn:dmi:participant:gemeente", "urn:dmi:participant:stack")
    assert terms.legal_basis == "dmi:basis:public-task"
    permission = terms.permissions[0]
    assert permission.actions == ("dmi:process", "dmi:display")
    assert permission.areas == ((4.6, 52.2, 5.1, 52.5),)
    assert permission.times[0].moment == 1_798_761_600_000_000
    assert permission.duties == (Coarsen(100),)
    assert terms.datasets == ("urn:dmi:dataset:gemeente:garages",)
    assert not terms.is_consent


@pytest.mark.parametrize(
    ("edit", "path", "nearest"),
    [
        (lambda d: d.update(permision=[]), "/permision", "permission"),
        (lambda d: d.update(obligation=[]), "/obligation", None),
        (lambda d: d.update({"dmi:note": "x"}), "/dmi:note", None),
        (lambda d: d.update({"@type": "Offer"}), "/@type", None),
        (lambda d: d.update({"profile": "urn:dmi:profile:2"}), "/profile", "dmi:profile:1"),
        (lambda d: d.update({"conflict": "permit"}), "/conflict", "perm"),
        (lambda d: d.update({"dmi:rulebook": "9.0.0"}), "/dmi:rulebook", "1.0.0"),
        (lambda d: d.update({"dmi:legalBasis": "dmi:basis:wish"}), "/dmi:legalBasis", None),
        (lambda d: d.update({"uid": "urn:uuid:1"}), "/uid", None),
        (lambda d: d.update({"assigner": "gemeente"}), "/assigner", None),
        (lambda d: d.update({"assignee": "urn:dmi:party:someone"}), "/assignee", None),
        (lambda d: d["@context"].append("https://example.org/other.jsonld"), "/@context/2", None),
        (lambda d: d["@context"].append({"permission": "odrl:prohibition"}), "/@context/2/permission", None),
        (lambda d: d["@context"].append({"dmi": "urn:other:"}), "/@context/2/dmi", None),
        (lambda d: d.pop("assigner"), "", None),
        (lambda d: (d.pop("permission"), d.pop("prohibition")), "", None),
        (lambda d: d["permission"][0].update(remedy=[]), "/permission/0/remedy", None),
        (lambda d: d["permission"][0].update({"@context": {}}), "/permission/0/@context", None),
        (lambda d: d["permission"][0].update(target="urn:dmi:dataset:x"), "/permission/0/target", None),
        (lambda d: d["permission"][0].update(target=[]), "/permission/0/target", None),
        (lambda d: d["permission"][0].update(action=["odrl:sell"]), "/permission/0/action/0", None),
        (lambda d: d["permission"][0].update(action="dmi:dsplay"), "/permission/0/action", "dmi:display"),
        (lambda d: d["permission"][0].update(action={"rdf:value": "dmi:read"}), "/permission/0/action", None),
        (
            lambda d: d["permission"][0].update(assignee="urn:dmi:participant:x"),
            "/permission/0/assignee",
            None,
        ),
        (lambda d: d["permission"][0].pop("constraint"), "/permission/0", None),
        (lambda d: d["prohibition"][0].update(duty=[]), "/prohibition/0/duty", None),
    ],
)
def test_what_the_language_does_not_know_is_refused_with_its_place(
    document: dict[str, Any], rulebook: Rulebook, edit: Edit, path: str, nearest: str | None
) -> None:
    edit(document)
    found = findings(document, rulebook)
    assert path in found
    if nearest is not None:
        assert found[path].nearest == nearest


@pytest.mark.parametrize(
    ("index", "change", "path"),
    [
        (0, {"leftOperand": "purpos"}, "leftOperand"),
        (0, {"leftOperand": "dmi:weather"}, "leftOperand"),
        (0, {"operator": "isPartOf"}, "operator"),
        (0, {"operator": "neq"}, "operator"),
        (0, {"rightOperand": "dmi:purpose:moblity"}, "rightOperand"),
        (0, {"rightOperand": []}, "rightOperand"),
        (0, {"operator": "eq", "rightOperand": "dmi:purpose:any"}, "rightOperand"),
        (0, {"operator": "isAnyOf", "rightOperand": ["dmi:purpose:noise", "x"]}, "rightOperand/1"),
        (0, {"unit": "m"}, "unit"),
        (0, {"@type": "Duty"}, "@type"),
        (0, {"and": []}, "and"),
        (1, {"operator": "eq"}, "operator"),
        (1, {"rightOperand": "2027-01-01T00:00:00"}, "rightOperand"),
        (1, {"rightOperand": "2027-13-01T00:00:00Z"}, "rightOperand"),
        (1, {"rightOperand": "2027-01-01"}, "rightOperand"),
        (1, {"rightOperand": "٢٠٢٧-01-01T00:00:00Z"}, "rightOperand"),
        (1, {"rightOperand": 1_798_761_600}, "rightOperand"),
        (1, {"rightOperand": {"@value": "2027-01-01T00:00:00Z", "@type": "xsd:date"}}, "rightOperand"),
        (2, {"rightOperand": ["somebody"]}, "rightOperand/0"),
        (2, {"rightOperand": []}, "rightOperand"),
        (2, {"operator": "eq", "rightOperand": ["urn:dmi:participant:a"] * 2}, "rightOperand"),
        (3, {"operator": "isNoneOf"}, "operator"),
        (3, {"rightOperand": {"dmi:bbox": [5.1, 52.2, 4.6, 52.5]}}, "rightOperand/dmi:bbox"),
        (3, {"rightOperand": {"dmi:bbox": [4.6, 52.2, 5.1]}}, "rightOperand/dmi:bbox"),
        (3, {"rightOperand": {"dmi:bbox": [4.6, 52.2, 5.1, True]}}, "rightOperand/dmi:bbox"),
        (3, {"rightOperand": {"dmi:bbox": [4.6, 52.2, float("nan"), 52.5]}}, "rightOperand/dmi:bbox"),
        (3, {"rightOperand": {"dmi:bbox": [10**400, 52.2, 5.1, 52.5]}}, "rightOperand/dmi:bbox"),
        (3, {"rightOperand": {"dmi:box": []}}, "rightOperand/dmi:box"),
        (3, {"rightOperand": "urn:dmi:area:centrum"}, "rightOperand"),
    ],
)
def test_a_constraint_outside_the_language_is_refused_with_its_place(
    document: dict[str, Any], rulebook: Rulebook, index: int, change: dict[str, Any], path: str
) -> None:
    document["permission"][0]["constraint"][index].update(change)
    assert f"/permission/0/constraint/{index}/{path}" in findings(document, rulebook)


def test_a_prohibition_of_an_area_is_refused_because_it_could_not_be_carried_out(
    document: dict[str, Any], rulebook: Rulebook
) -> None:
    area = document["permission"][0]["constraint"][3]
    document["prohibition"][0]["constraint"].append(area)
    assert "/prohibition/0/constraint" in findings(document, rulebook)


@pytest.mark.parametrize(
    ("edit", "path"),
    [
        (lambda d: d.update({"dmi:legalBasis": "dmi:basis:public-task"}), "/dmi:legalBasis"),
        (
            lambda d: d["permission"][0]["constraint"][0].update(rightOperand="dmi:purpose:any"),
            "/permission/0",
        ),
        (lambda d: d["permission"][0]["constraint"].pop(), "/permission/0"),
        (
            lambda d: d["permission"][0].update(
                duty=duty("dmi:aggregate", ("dmi:window", 600), ("dmi:gridSize", 100))
            ),
            "/permission/0",
        ),
        (lambda d: d.update(assignee="urn:dmi:person:noor"), "/assignee"),
    ],
)
def test_a_consent_is_specific(document: dict[str, Any], rulebook: Rulebook, edit: Edit, path: str) -> None:
    rule = document["permission"][0]
    rule.pop("duty")
    del rule["constraint"][3]
    document.update({"assigner": "urn:dmi:person:noor", "assignee": "urn:dmi:party:everyone"})
    document["dmi:legalBasis"] = "dmi:basis:consent"
    assert read_agreement(document, rulebook).is_consent
    edit(document)
    assert path in findings(document, rulebook)


def test_pointers_escape_as_rfc_6901_says(document: dict[str, Any], rulebook: Rulebook) -> None:
    document["a/b~c"] = 1
    assert "/a~1b~0c" in findings(document, rulebook)


@pytest.mark.parametrize("value", [None, 1, "x", [], [1], {}, [{}, {}], 1.5, True, {"@context": None}])
def test_what_is_no_document_at_all_is_refused(rulebook: Rulebook, value: object) -> None:
    assert findings(value, rulebook)


def test_depth_size_and_text_are_bounded(document: dict[str, Any], rulebook: Rulebook) -> None:
    deep: Any = 0
    for _ in range(100_000):
        deep = [deep]
    for value in (deep, [0] * 10_000, "x" * 10_000, object()):
        assert len(findings({**document, "extra": value}, rulebook)) == 1


def test_findings_are_bounded_and_short(document: dict[str, Any], rulebook: Rulebook) -> None:
    document.update({f"key{number}": "x" * 1_000 for number in range(500)})
    found = findings(document, rulebook)
    assert len(found) <= 50
    assert all(len(str(finding)) < 400 for finding in found.values())
