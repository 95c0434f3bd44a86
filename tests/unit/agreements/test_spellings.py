"""Spellings of one agreement: equivalent JSON-LD decides alike, two spellings of one key are refused."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from dmi_agreements.rulebook import Rulebook
from tests.unit.agreements.reading import answers, findings

ODRL = "http://www.w3.org/ns/odrl/2/"


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


@pytest.mark.parametrize("term", ["", "@vocab2", "a:b", "a b", "-", 256 * "p"])
@pytest.mark.parametrize("meaning", ["", "assigner", "urn:dmi:read", 1, None])
def test_a_context_declares_no_name_that_json_ld_could_not_read(
    term: str, meaning: object, document: dict[str, Any], rulebook: Rulebook
) -> None:
    document["@context"] = ["http://www.w3.org/ns/odrl.jsonld", {"dmi": "urn:dmi:", term: meaning}]
    assert f"/@context/1/{term}" in findings(document, rulebook)


def test_a_context_may_give_a_name_of_sixty_characters(document: dict[str, Any], rulebook: Rulebook) -> None:
    before = answers(document, rulebook)
    document["@context"] = [*document["@context"], {255 * "p": "odrl:permission"}]
    document[255 * "p"] = document.pop("permission")
    assert answers(document, rulebook) == before


@pytest.mark.parametrize("meaning", ["", "a b", 1, None])
def test_a_context_gives_a_name_no_meaning_outside_odrl(
    meaning: object, document: dict[str, Any], rulebook: Rulebook
) -> None:
    document["@context"] = ["http://www.w3.org/ns/odrl.jsonld", {"dmi": "urn:dmi:", "doel": meaning}]
    assert "/@context/1/doel" in findings(document, rulebook)
