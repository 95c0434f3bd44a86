"""Reading agreements: every spelling reads alike, everything unknown is refused with its place."""

from __future__ import annotations

import copy
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dmi_agreements.decide import decide
from dmi_agreements.decision import (
    Aggregate,
    Coarsen,
    Delay,
    DeleteAfter,
    Duty,
    LeaveOut,
    Request,
    Suppress,
)
from dmi_agreements.errors import Finding, PolicyRefused
from dmi_agreements.policy.compiled import compile_agreement
from dmi_agreements.policy.document import read_agreement
from dmi_agreements.rulebook import Rulebook

ODRL = "http://www.w3.org/ns/odrl/2/"
NOW = 1_790_000_000_000_000  # September 2026, before the document's end

Edit = Callable[[dict[str, Any]], object]


def findings(document: object, rulebook: Rulebook) -> dict[str, Finding]:
    with pytest.raises(PolicyRefused) as caught:
        read_agreement(document, rulebook)
    return {finding.path: finding for finding in caught.value.findings}


def answers(document: object, rulebook: Rulebook) -> list[tuple[bool, str, tuple[Duty, ...]]]:
    """What a document decides on every action, several purposes and two moments."""
    agreement = compile_agreement(read_agreement(document, rulebook), rulebook)
    found = []
    for action in sorted(rulebook.actions):
        for purpose in ("dmi:purpose:mobility", "dmi:purpose:crowd-safety", "dmi:purpose:marketing"):
            for now in (NOW, 4 * NOW):
                request = Request(
                    "urn:dmi:participant:stack", action, "urn:dmi:dataset:gemeente:garages", purpose
                )
                decision = decide(agreement, request, now)
                found.append((decision.allowed, decision.reasons[0].code, decision.duties))
    return found


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
        (lambda d: d.update({"conflict": "perm"}), "/conflict", None),
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
        (lambda d: d["permission"][0].update(action=["odrl:use"]), "/permission/0/action/0", None),
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


def duty(
    action: str, *parameters: tuple[str, object], operator: str = "eq", **more: object
) -> dict[str, Any]:
    return {
        "action": action,
        "constraint": [
            {"leftOperand": name, "operator": operator, "rightOperand": value, **more}
            for name, value in parameters
        ],
    }


INTEGER = {"@value": "60", "@type": "xsd:integer"}


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        (duty("dmi:coarsen", ("dmi:gridSize", INTEGER), unit="m"), Coarsen(60)),
        (duty("dmi:leaveOut", ("dmi:property", ["subject"]), operator="isAnyOf"), LeaveOut(("subject",))),
        (duty("dmi:aggregate", ("dmi:window", 60), ("dmi:areaLevel", "neighbourhood")), Aggregate(60, "neighbourhood")),
        (duty("dmi:aggregate", ("dmi:window", 60), ("dmi:gridSize", 500)), Aggregate(60, None, 500)),
        (duty("dmi:suppress", ("dmi:minimumGroup", 5)), Suppress(5)),
        (duty("dmi:delay", ("dmi:seconds", 30), unit="s"), Delay(30)),
        (duty("dmi:deleteAfter", ("dmi:days", 28)), DeleteAfter(28)),
    ],
)  # fmt: skip
def test_each_duty_of_the_rulebook_reads_into_its_value(
    document: dict[str, Any], rulebook: Rulebook, given: dict[str, Any], expected: Duty
) -> None:
    document["permission"][0]["duty"] = given
    assert read_agreement(document, rulebook).permissions[0].duties == (expected,)


@pytest.mark.parametrize(
    ("given", "path"),
    [
        (duty("dmi:coarse", ("dmi:gridSize", 5)), "/action"),
        (duty("dmi:coarsen", ("dmi:gridSize", 0)), "/constraint/0/rightOperand"),
        (duty("dmi:coarsen", ("dmi:gridSize", True)), "/constraint/0/rightOperand"),
        (duty("dmi:coarsen", ("dmi:gridSize", 10**5000)), "/constraint/0/rightOperand"),
        (duty("dmi:coarsen", ("dmi:gridSize", "100")), "/constraint/0/rightOperand"),
        (duty("dmi:coarsen", ("dmi:gridSize", 100), operator="lteq"), "/constraint/0/operator"),
        (duty("dmi:coarsen", ("dmi:gridSize", 100), unit="km"), "/constraint/0/unit"),
        (duty("dmi:coarsen", ("dmi:gridSize", 100), ("dmi:gridSize", 5)), "/constraint/1"),
        (duty("dmi:coarsen", ("dmi:days", 5)), "/constraint/0/leftOperand"),
        (duty("dmi:coarsen"), ""),
        (
            duty("dmi:leaveOut", ("dmi:property", ["result"]), operator="isAnyOf"),
            "/constraint/0/rightOperand",
        ),
        (duty("dmi:leaveOut", ("dmi:property", []), operator="isAnyOf"), "/constraint/0/rightOperand"),
        (duty("dmi:aggregate", ("dmi:window", 60)), ""),
        (duty("dmi:aggregate", ("dmi:gridSize", 60)), ""),
        (duty("dmi:suppress", ("dmi:minimumGroup", 1)), "/constraint/0/rightOperand"),
    ],
)
def test_a_duty_outside_the_rulebook_is_refused_with_its_place(
    document: dict[str, Any], rulebook: Rulebook, given: dict[str, Any], path: str
) -> None:
    document["permission"][0]["duty"] = [given]
    assert f"/permission/0/duty/0{path}" in findings(document, rulebook)


def test_a_duty_stands_once_in_a_permission(document: dict[str, Any], rulebook: Rulebook) -> None:
    document["permission"][0]["duty"] *= 2
    assert "/permission/0/duty/1" in findings(document, rulebook)


@pytest.mark.parametrize(
    ("edit", "path"),
    [
        (lambda d: d.update({"dmi:legalBasis": "dmi:basis:public-task"}), "/dmi:legalBasis"),
        (
            lambda d: d["permission"][0]["constraint"][0].update(rightOperand="dmi:purpose:any"),
            "/permission/0",
        ),
        (lambda d: d["permission"][0]["constraint"].pop(), "/permission/0"),
        (lambda d: d["permission"][0].update(duty=duty("dmi:delay", ("dmi:seconds", 5))), "/permission/0"),
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


def prefixed(value: Any, key: str = "") -> Any:
    """The document with ODRL keys and terms prefixed and lists of one written as single values."""
    if isinstance(value, dict):
        return {
            name if name.startswith(("@", "dmi:")) else f"odrl:{name}": (
                item if name == "@context" else prefixed(item, name)
            )
            for name, item in reversed(value.items())
        }
    if isinstance(value, list):
        return prefixed(value[0], key) if len(value) == 1 else [prefixed(item, key) for item in value]
    return f"odrl:{value}" if key in ("operator", "leftOperand", "@type") and ":" not in value else value


def expanded(value: Any, key: str = "") -> Any:
    """The document in expanded JSON-LD: full names, every value an object in a list, no context."""
    if isinstance(value, dict):
        if "@value" in value:
            return [{**value, "@type": value["@type"].replace("xsd:", "http://www.w3.org/2001/XMLSchema#")}]
        members = {}
        for name, item in value.items():
            if name == "uid":
                members["@id"] = item
            elif name == "@type":
                members["@type"] = [ODRL + item]
            elif name != "@context":
                full = name.replace("dmi:", "urn:dmi:") if name.startswith("dmi:") else ODRL + name
                members[full] = expanded(item, name)
        return [members]
    if isinstance(value, list):
        return [part for item in value for part in expanded(item, key)]
    if key in ("unit", "dmi:rulebook", "dmi:bbox"):
        return [{"@value": value}]
    full = value.replace("dmi:", "urn:dmi:", 1) if value.startswith("dmi:") else value
    return [{"@id": full if ":" in full else ODRL + full}]


def reordered_context(document: dict[str, Any]) -> dict[str, Any]:
    return {**document, "@context": document["@context"][::-1]}


def split_context(document: dict[str, Any]) -> dict[str, Any]:
    context = [{"dmi": "urn:dmi:"}, "https://www.w3.org/ns/odrl.jsonld", {"odrl": ODRL}]
    return {
        **{key: value for key, value in document.items() if key != "uid"},
        "@context": context,
        "@id": document["uid"],
    }


@pytest.mark.parametrize("write", [prefixed, expanded, reordered_context, split_context])
def test_equivalent_spellings_decide_alike(
    document: dict[str, Any], rulebook: Rulebook, write: Callable[[dict[str, Any]], object]
) -> None:
    expected = answers(document, rulebook)
    assert any(allowed for allowed, _, _ in expected)
    assert answers(write(document), rulebook) == expected


def test_what_is_optional_in_odrl_and_means_nothing_more_is_accepted(
    document: dict[str, Any], rulebook: Rulebook
) -> None:
    expected = answers(document, rulebook)
    document["conflict"] = {"@id": "odrl:prohibit"}
    rule = document["permission"][0]
    rule.update({"@type": "Permission", "uid": "urn:example:rule-1", "assigner": document["assigner"]})
    rule["constraint"][0]["@type"] = "odrl:Constraint"
    rule["duty"][0]["@type"] = "Duty"
    assert answers(document, rulebook) == expected


def test_one_key_in_two_spellings_is_refused(document: dict[str, Any], rulebook: Rulebook) -> None:
    document["odrl:permission"] = document["permission"]
    document["type"] = "Agreement"
    assert {"/odrl:permission", "/type"} <= findings(document, rulebook).keys()


def test_short_names_without_their_context_are_refused(document: dict[str, Any], rulebook: Rulebook) -> None:
    del document["@context"]
    assert "/permission" in findings(document, rulebook)


def test_an_odrl_name_cannot_pass_for_a_term_of_ours(document: dict[str, Any], rulebook: Rulebook) -> None:
    document["permission"][0]["action"] = "odrl:dmi:read"
    assert "/permission/0/action" in findings(document, rulebook)


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


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=10), inner, max_size=3),
    max_leaves=6,
)
TERMS = (
    "permission",
    "@id",
    "odrl:uid",
    "dmi:purpose:",
    "@value",
    "urn:dmi:",
    "constraint",
    "odrl:",
    "@context",
)


def places(value: Any, way: tuple[str | int, ...] = ()) -> list[tuple[str | int, ...]]:
    """The way to every value in a document."""
    found = [way]
    items = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, item in items:
        found += places(item, (*way, key))
    return found


def put(document: Any, way: tuple[str | int, ...], value: object) -> Any:
    if not way:
        return value
    changed = copy.copy(document)
    changed[way[0]] = put(changed[way[0]], way[1:], value)
    return changed


@settings(max_examples=300, deadline=None)
@given(data=st.data())
def test_a_value_replaced_by_anything_never_allows_more_and_raises_nothing_else(
    data: st.DataObject, rulebook: Rulebook, example: dict[str, Any]
) -> None:
    document = copy.deepcopy(example)
    way = data.draw(st.sampled_from([way for way in places(document) if way and "bbox" not in str(way)]))
    mutated = put(document, way, data.draw(JSON | st.sampled_from(TERMS)))
    try:
        found = answers(mutated, rulebook)
    except PolicyRefused:
        return
    for (allowed, _, _), (was_allowed, _, _) in zip(found, answers(document, rulebook), strict=True):
        # Emptying the list of prohibitions is the one edit here that means something else and may allow more.
        assert allowed <= was_allowed or way == ("prohibition",)


@settings(max_examples=200, deadline=None)
@given(data=st.data())
def test_an_unknown_key_anywhere_refuses(
    data: st.DataObject, rulebook: Rulebook, example: dict[str, Any]
) -> None:
    document = copy.deepcopy(example)
    ways = [way for way in places(document) if isinstance(at(document, way), dict)]
    way = data.draw(st.sampled_from(ways))
    key = data.draw(st.text(max_size=12).filter(lambda text: text not in KNOWN))
    with pytest.raises(PolicyRefused):
        read_agreement(put(document, way, {**at(document, way), key: data.draw(JSON)}), rulebook)


@settings(max_examples=300, deadline=None)
@given(value=JSON)
def test_no_json_value_raises_anything_but_a_refusal(value: object, rulebook: Rulebook) -> None:
    with pytest.raises(PolicyRefused):
        read_agreement(value, rulebook)


def at(document: Any, way: tuple[str | int, ...]) -> Any:
    for key in way:
        document = document[key]
    return document


KNOWN = {"id", "type", "uid", "@id", "@type", "conflict", "unit", "duty", "assigner", "assignee", "@context"}
