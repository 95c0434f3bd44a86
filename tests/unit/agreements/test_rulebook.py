"""The rulebook: the real data is valid, and each broken rule is found with its place."""

from __future__ import annotations

import json
import re
import time
from collections.abc import Callable, Mapping
from typing import Any

import msgspec
import pytest

from dmi_agreements.duties import COLUMNS
from dmi_agreements.errors import RulebookInvalid
from dmi_agreements.odrl.vocabulary import CORE, DMI
from dmi_agreements.odrl.wording import ACTIONS
from dmi_agreements.rulebook import Rulebook, parse_rulebook
from dmi_agreements.rulebook_checks import MOST_TERMS


def test_purposes_form_a_tree_that_is_a_follows(rulebook: Rulebook) -> None:
    assert rulebook.is_a("dmi:purpose:parking-guidance", "dmi:purpose:mobility")
    assert rulebook.is_a("dmi:purpose:parking-guidance", "dmi:purpose:any")
    assert rulebook.is_a("dmi:purpose:mobility", "dmi:purpose:mobility")
    assert not rulebook.is_a("dmi:purpose:mobility", "dmi:purpose:parking-guidance")
    assert not rulebook.is_a("dmi:purpose:unheard-of", "dmi:purpose:any")


def test_the_root_purpose_cannot_be_requested(rulebook: Rulebook) -> None:
    assert "dmi:purpose:any" not in rulebook.requestable
    assert rulebook.below("dmi:purpose:any") == rulebook.requestable
    assert len(rulebook.requestable) >= 20


def test_every_term_has_a_label_in_both_languages(rulebook: Rulebook) -> None:
    for kind in (rulebook.purposes, rulebook.actions, rulebook.legal_bases, rulebook.roles, rulebook.duties):
        for term in kind:
            assert rulebook.label(term, "nl")
            assert rulebook.label(term, "en")
    with pytest.raises(KeyError):
        rulebook.label("dmi:nothing")


def test_the_columns_that_can_be_left_out_are_those_that_the_gate_can_empty(rulebook: Rulebook) -> None:
    assert set(rulebook.duties["dmi:leaveOut"].parameters[0].values) == COLUMNS


def test_the_odrl_engine_and_its_words_know_every_action_and_duty(rulebook: Rulebook) -> None:
    names = {name.removeprefix("dmi:") for name in {*rulebook.actions, *rulebook.duties}}
    assert {DMI + name for name in names} == {action for action in CORE.actions if action.startswith(DMI)}
    assert names <= ACTIONS.keys()


def test_the_document_of_the_rulebook_is_plain_json(rulebook: Rulebook) -> None:
    document = json.loads(json.dumps(rulebook.as_document()))
    assert document["version"] == "1.0.0"
    assert {"roles", "purposes", "legalBases", "actions", "duties", "templates"} <= document.keys()


DPV = {
    "AcademicResearch", "CombatClimateChange", "CommercialPurpose", "CommercialResearch", "DataAltruism",
    "EnvironmentalProtection", "ImproveTransportMobility", "Marketing", "NonPersonalData", "PersonalData",
    "ProtectionOfPublicSecurity", "ProvideOfficialStatistics", "PublicBenefit", "PublicPolicyMaking", "Purpose",
    "ResearchAndDevelopment", "ServiceOptimisation", "SpecialCategoryPersonalData",
}  # fmt: skip
"""Terms that version 2.3 of the Data Privacy Vocabulary defines, looked up there."""


def test_what_the_rulebook_calls_a_term_of_dpv_is_one(rulebook: Rulebook) -> None:
    named = [purpose.dpv for purpose in rulebook.purposes.values()]
    named += [category.same_as for category in rulebook.categories.values()]
    found = {
        iri.removeprefix("https://w3id.org/dpv#") for iri in named if iri.startswith("https://w3id.org/dpv#")
    }
    assert found <= DPV
    gdpr = "https://w3id.org/dpv/legal/eu/gdpr#A6-1-"
    assert {basis.same_as for basis in rulebook.legal_bases.values()} == {
        gdpr + letter for letter in "abcdef"
    }


def test_every_explanation_is_in_short_sentences(rulebook: Rulebook) -> None:
    """Level B1: no sentence of more than fifteen words, the reference to the law left out."""
    kinds = (rulebook.roles, rulebook.purposes, rulebook.legal_bases, rulebook.categories, rulebook.limits)
    for kind in (*kinds, rulebook.rules, rulebook.templates):
        for term in kind.values():
            for language in ("nl", "en"):
                text = re.sub(r"\(.*?\)", "", term.description[language])
                assert all(len(sentence.split()) <= 15 for sentence in re.split(r"[.:]", text)), term.id


def test_a_legal_basis_carries_its_purposes_and_what_is_below_them(rulebook: Rulebook) -> None:
    assert rulebook.carries("dmi:basis:public-task", "dmi:purpose:air-quality")
    assert not rulebook.carries("dmi:basis:public-task", "dmi:purpose:marketing")
    assert rulebook.carries("dmi:basis:consent", "dmi:purpose:marketing")
    assert not rulebook.carries("dmi:basis:vital-interests", "dmi:purpose:noise")
    assert rulebook.in_category("dmi:data:special", "dmi:data:personal")
    assert not rulebook.in_category("dmi:data:personal", "dmi:data:special")


def drop_root(terms: list[dict[str, Any]]) -> None:
    del terms[0]


def circle(terms: list[dict[str, Any]]) -> None:
    terms[2]["parent"] = terms[3]["id"]


def orphan(terms: list[dict[str, Any]]) -> None:
    terms[2]["parent"] = "dmi:purpose:nowhere"


def double(terms: list[dict[str, Any]]) -> None:
    terms.append(terms[1])


def no_dutch(terms: list[dict[str, Any]]) -> None:
    del terms[1]["label"]["nl"]


def no_dpv(terms: list[dict[str, Any]]) -> None:
    terms[1]["dpv"] = "mobility"


def bad_id(terms: list[dict[str, Any]]) -> None:
    terms[1]["id"] = "mobility"


def unknown_key(terms: list[dict[str, Any]]) -> None:
    terms[1]["colour"] = "red"


def unknown_duty(terms: list[dict[str, Any]]) -> None:
    terms[0]["id"] = "dmi:shred"


def no_limit(terms: list[dict[str, Any]]) -> None:
    del terms[1]["parameters"][0]["maximum"]


def other_one_of(terms: list[dict[str, Any]]) -> None:
    terms[2]["one_of"] = ["dmi:days"]


def stray_placeholder(terms: list[dict[str, Any]]) -> None:
    terms[0]["document"]["assigner"] = "${somebody}"


def strange_purpose(terms: list[dict[str, Any]]) -> None:
    terms[0]["purposes"] = ["dmi:purpose:nowhere"]


def mixed_parent(terms: list[dict[str, Any]]) -> None:
    terms[1]["parent"] = "dmi:data:non-personal"


def other_unit(terms: list[dict[str, Any]]) -> None:
    terms[0]["unit"] = "s"


def no_bound(terms: list[dict[str, Any]]) -> None:
    terms[7]["maximum"] = None


@pytest.mark.parametrize(
    ("name", "spoil", "path"),
    [
        ("purposes.json", drop_root, "purposes.json#"),
        ("purposes.json", circle, "purposes.json#/2/parent"),
        ("purposes.json", orphan, "purposes.json#/2/parent"),
        ("purposes.json", double, "purposes.json#/23/id"),
        ("purposes.json", no_dutch, "purposes.json#/1/label"),
        ("purposes.json", no_dpv, "purposes.json#/1/dpv"),
        ("actions.json", bad_id, "actions.json#/1/id"),
        ("actions.json", unknown_key, "actions.json#"),
        ("duties.json", unknown_duty, "duties.json#/0/id"),
        ("duties.json", no_limit, "duties.json#/1/parameters/0"),
        ("duties.json", other_one_of, "duties.json#/2/one_of"),
        ("templates.json", stray_placeholder, "templates.json#/0/parameters"),
        ("legal-bases.json", strange_purpose, "legal-bases.json#/0/purposes/0"),
        ("categories.json", mixed_parent, "categories.json#/1/parent"),
        ("limits.json", other_unit, "limits.json#/0"),
        ("limits.json", no_bound, "limits.json#/7"),
        ("rules.json", drop_root, "rules.json#"),
    ],
)
def test_a_broken_rule_is_found_with_its_file_and_place(
    rulebook_files: dict[str, bytes], name: str, spoil: Callable[[list[dict[str, Any]]], None], path: str
) -> None:
    terms = json.loads(rulebook_files[name])
    spoil(terms)
    with pytest.raises(RulebookInvalid) as caught:
        parse_rulebook({**rulebook_files, name: msgspec.json.encode(terms)})
    assert path in {finding.path for finding in caught.value.findings}


def chain(first: Mapping[str, Any], terms: int) -> list[dict[str, Any]]:
    """So many purposes, each below the one before it."""
    made = [{**first, "id": f"dmi:purpose:p{number}"} for number in range(terms)]
    for number, term in enumerate(made):
        term["parent"] = made[number - 1]["id"] if number else "dmi:purpose:any"
    return made


def test_a_file_has_so_many_terms_and_the_deepest_tree_of_them_is_read_at_once(
    rulebook_files: dict[str, bytes],
) -> None:
    terms = json.loads(rulebook_files["purposes.json"])
    long = [*terms, *chain(terms[1], MOST_TERMS - len(terms))]
    begun = time.monotonic()
    found = parse_rulebook({**rulebook_files, "purposes.json": msgspec.json.encode(long)})
    assert time.monotonic() - begun < 1
    assert found.is_a(long[-1]["id"], "dmi:purpose:p0")
    assert long[-1]["id"] in found.below("dmi:purpose:p0")
    many = [*terms, *chain(terms[1], 5_000)]
    begun = time.monotonic()
    with pytest.raises(RulebookInvalid) as caught:
        parse_rulebook({**rulebook_files, "purposes.json": msgspec.json.encode(many)})
    assert time.monotonic() - begun < 1
    assert [one.rule for one in caught.value.findings] == [f"at most {MOST_TERMS} terms"]


def test_a_missing_and_a_strange_file_are_both_named(rulebook_files: dict[str, bytes]) -> None:
    files = {name: data for name, data in rulebook_files.items() if name != "roles.json"}
    with pytest.raises(RulebookInvalid) as caught:
        parse_rulebook({**files, "rols.json": b"[]", "actions.json": b"{"})
    assert {"roles.json#", "rols.json#", "actions.json#"} <= {f.path for f in caught.value.findings}


@pytest.mark.parametrize(("key", "value"), [("version", "one"), ("date", "today"), ("accepted", ["1"])])
def test_version_and_date_have_one_form(rulebook_files: dict[str, bytes], key: str, value: object) -> None:
    version = {**json.loads(rulebook_files["rulebook.json"]), key: value}
    with pytest.raises(RulebookInvalid, match=key):
        parse_rulebook({**rulebook_files, "rulebook.json": msgspec.json.encode(version)})
