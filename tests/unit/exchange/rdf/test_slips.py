"""A slip of the pen makes no policy permit more than was meant; each reference leads to what is described."""

from __future__ import annotations

import json

import pytest

from dmi_agreements.errors import PolicyRefused
from dmi_exchange.rdf.reading import read_policies, read_policy
from tests.unit.exchange.rdf.slips import graphs, judged, try_slips

PREFIXES = "@prefix odrl: <http://www.w3.org/ns/odrl/2/> . @prefix ex: <http://example.org/> ."
EVERYTHING = "ex:p a odrl:Set ; odrl:permission ex:rule . ex:rule a odrl:Permission ."
READ = "ex:p a odrl:Set ; odrl:permission [ odrl:action odrl:read ] ."
LOST = "no policy of this document leads to this node"


def test_each_policy_that_is_damaged_permits_something_and_all_but_the_last_not_everything() -> None:
    answers = [{allowed for allowed, _ in judged(graph)} for graph in graphs()]
    assert answers == [{True, False}, {True, False}, {True}]


def test_no_slip_makes_a_policy_permit_more() -> None:
    found = try_slips(1_000, seed=1)
    assert found["refused"] > 900
    assert found["the same"] > 10


@pytest.mark.parametrize("name", ["permission", "prohibition", "obligation"])
def test_a_reference_to_a_rule_that_is_not_there_is_refused_with_the_one_that_may_be_meant(name: str) -> None:
    text = f"ex:p a odrl:Set ; odrl:{name} ex:rule-one . ex:rule-0ne odrl:action odrl:read ; odrl:assignee ex:alice ."
    with pytest.raises(PolicyRefused) as refused:
        read_policy(PREFIXES + text)
    (finding,) = refused.value.findings
    assert (finding.path, finding.value) == (f"/{name}/0", "http://example.org/rule-one")
    assert finding.nearest == "http://example.org/rule-0ne"


def test_so_is_one_to_a_constraint() -> None:
    text = (
        "ex:p a odrl:Set ; odrl:permission [ odrl:action odrl:read ; odrl:constraint ex:limit ] ."
        "ex:limt odrl:leftOperand odrl:count ; odrl:operator odrl:lt ; odrl:rightOperand 1 ."
    )
    with pytest.raises(PolicyRefused) as refused:
        read_policy(PREFIXES + text)
    (finding,) = refused.value.findings
    assert finding.path == "/permission/0/constraint/0"
    assert (finding.value, finding.nearest) == ("http://example.org/limit", "http://example.org/limt")


@pytest.mark.parametrize("rule", ["urn:x:rule-one", {"@id": "urn:x:rule-one", "@type": "Rule"}, {}])
def test_a_rule_of_which_nothing_is_said_is_refused_in_json_ld(rule: object) -> None:
    document = {
        "@context": "http://www.w3.org/ns/odrl.jsonld",
        "@type": "Set",
        "uid": "urn:x:policy",
        "permission": [rule],
    }
    with pytest.raises(PolicyRefused, match="states its type when it speaks of everything"):
        read_policy(json.dumps(document))


def test_a_rule_that_states_its_type_alone_speaks_of_everything() -> None:
    (rule,) = read_policy(PREFIXES + EVERYTHING).permissions
    assert (rule.actions, rule.targets, rule.assignees, rule.constraints) == ((), (), (), ())


@pytest.mark.parametrize(
    ("lost", "told"),
    [
        ("ex:lost a odrl:Prohibition ; odrl:action odrl:read .", "Prohibition"),
        ("ex:lost a odrl:Permission .", "Permission"),
        ("ex:lost odrl:action odrl:read .", "action"),
        ("ex:lost odrl:leftOperand odrl:count .", "leftOperand"),
        ("ex:lost odrl:refinement [ odrl:leftOperand odrl:count ] .", "refinement"),
        ("[] a odrl:Prohibition ; odrl:action odrl:read .", "Prohibition"),
        ("ex:lost odrl:prohibition [ odrl:action odrl:read ] .", "prohibition"),
        ("ex:lost odrl:xone ( ex:lost ) .", "xone"),
        ("ex:p <http://purl.org/dc/terms/relation> ex:lost . ex:lost a odrl:Duty .", "Duty"),
    ],
)  # fmt: skip
def test_a_part_of_a_policy_that_no_policy_leads_to_is_refused(lost: str, told: str) -> None:
    with pytest.raises(PolicyRefused, match=LOST) as refused:
        read_policy(PREFIXES + READ + lost)
    (finding,) = refused.value.findings
    path = "" if lost.startswith("[]") else "/http://example.org/lost"
    assert (finding.path, finding.value) == (path, f"http://www.w3.org/ns/odrl/2/{told}")


@pytest.mark.parametrize("name", ["hasPolicy", "assigneeOf", "assignerOf"])
def test_an_asset_or_party_of_no_policy_here_is_refused_with_the_one_that_may_be_meant(name: str) -> None:
    with pytest.raises(PolicyRefused) as refused:
        read_policy(PREFIXES + READ.replace("ex:p ", "ex:policy ") + f"ex:x odrl:{name} ex:polcy .")
    (finding,) = refused.value.findings
    assert finding.path == f"/http://example.org/x/{name}"
    assert (finding.value, finding.nearest) == ("http://example.org/polcy", "http://example.org/policy")


def test_descriptions_and_memberships_of_others_may_stand_beside_a_policy() -> None:
    beside = """ex:x a odrl:Asset ; odrl:partOf ex:all ; <http://purl.org/dc/terms/title> "X" .
        ex:alice a odrl:Party . ex:skim odrl:includedIn odrl:read ."""
    assert len(read_policy(PREFIXES + READ + beside).permissions) == 1


def test_policies_of_one_document_may_share_a_rule() -> None:
    both = "ex:p a odrl:Set ; odrl:permission ex:r . ex:q a odrl:Set ; odrl:permission ex:r ."
    policies = read_policies(PREFIXES + both + "ex:r odrl:action odrl:read .")
    assert [len(policy.permissions) for policy in policies] == [1, 1]
