"""The catalogue: only owners enter datasets, in their own name space, and personal stays personal."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from dmi_exchange import handlers
from dmi_exchange.store import Store
from tests.unit.exchange.fakes import HERE, LIVING, OFFICER, SELLING, Node
from tests.unit.infra.fakes import BICYCLES, GARAGES, MOBILITY, OWNER, document

NEW = {"id": "urn:dmi:dataset:gemeente:new", "title": {"nl": "Nieuw"}, "spatial": HERE}


def test_an_owner_changes_its_own_entry(node: Node) -> None:
    assert node.post("/v1/datasets", NEW | {"licence": "CC0"})["licence"] == "CC0"
    assert node.post("/v1/datasets", NEW | {"licence": "CC-BY"})["licence"] == "CC-BY"
    found = node.get(f"/v1/datasets/{NEW['id']}", SELLING)
    assert (found["owner"], found["licence"]) == (OWNER, "CC-BY")


def test_nobody_enters_a_dataset_under_the_name_of_another(node: Node) -> None:
    node.refused(node.ask("POST", "/v1/datasets", SELLING, json=NEW | {"id": GARAGES}), 409, "conflict")
    free = NEW | {"id": "urn:dmi:dataset:gemeente:free"}
    node.refused(node.ask("POST", "/v1/datasets", SELLING, json=free), 400, "invalid-input")
    for identifier in ("urn:dmi:dataset:noor:mine", "urn:dmi:dataset:gemeente:mine"):
        node.refused(
            node.ask("POST", "/v1/datasets", LIVING, json=NEW | {"id": identifier}), 400, "invalid-input"
        )


def test_personal_data_does_not_become_non_personal(node: Node) -> None:
    body = NEW | {"id": BICYCLES, "personal": False}
    node.refused(node.ask("POST", "/v1/datasets", OFFICER, json=body), 409, "conflict")
    assert node.get(f"/v1/datasets/{BICYCLES}")["personal"]
    assert node.publish(GARAGES, personal=True)["personal"]
    node.refused(node.ask("POST", "/v1/datasets", OFFICER, json=NEW | {"id": GARAGES}), 409, "conflict")


@pytest.mark.parametrize(
    "change",
    [
        {"id": "x"},
        {"id": "urn:dmi:dataset:gemeente:A"},
        {"title": {}},
        {"title": {"nl": "x" * 2001}},
        {"title": {"é": "x"}},
        {"title": {f"a{chr(97 + n)}": "x" for n in range(11)}},
        {"purpose": "dmi:purpose:any"},
        {"purpose": "fun"},
        {"layer": "volumes"},
        {"owner": OWNER},
        {"personal": "perhaps"},
        {"licence": "x" * 301},
        {"withdrawn": True},
    ],
)
def test_an_entry_that_breaks_a_rule_is_refused(node: Node, change: dict[str, Any]) -> None:
    node.refused(node.ask("POST", "/v1/datasets", OFFICER, json=NEW | change), 400, "invalid-input")


@pytest.mark.parametrize(
    ("spatial", "field"),
    [
        (None, "spatial"),
        ({}, "spatial.bbox"),
        ({"bbox": [5, 52, 6]}, "spatial.bbox.3"),
        ({"bbox": [6, 52, 5, 53]}, "spatial.bbox"),
        ({"bbox": [5, 53, 6, 52]}, "spatial.bbox"),
        ({"bbox": [-181, 52, 5, 53]}, "spatial.bbox"),
        ({"bbox": ["x", 52, 5, 53]}, "spatial.bbox.0"),
        ({"bbox": [5, 52, 6, 53], "codes": ["0344"]}, "spatial.codes.0"),
        ({"bbox": [5, 52, 6, 53], "place": "x"}, "spatial.place"),
    ],
)
def test_no_entry_goes_without_a_place(node: Node, spatial: dict[str, Any] | None, field: str) -> None:
    body = (
        {**NEW, "spatial": spatial}
        if spatial is not None
        else {k: v for k, v in NEW.items() if k != "spatial"}
    )
    problem = node.refused(node.ask("POST", "/v1/datasets", OFFICER, json=body), 400, "invalid-input")
    assert problem["errors"][0]["field"] == field
    listing = {**body, "id": "urn:dmi:listing:gemeente:x", "kind": "service", "direction": "supply"}
    problem = node.refused(node.ask("POST", "/v1/listings", OFFICER, json=listing), 400, "invalid-input")
    assert problem["errors"][0]["field"] == field


def plain(everyone: dict[str, Any]) -> None:
    """As templates write it."""


def target_above(everyone: dict[str, Any]) -> None:
    (rule,) = everyone["permission"]
    everyone["target"] = rule.pop("target")


def another_name(everyone: dict[str, Any]) -> None:
    target_above(everyone)
    everyone["@context"] = [*everyone["@context"], {"mag": "odrl:permission"}]
    everyone["mag"] = everyone.pop("permission")


def inherited(everyone: dict[str, Any]) -> None:
    parent = {"@type": "Set", "uid": "urn:x:1", "permission": everyone["permission"]}
    everyone["permission"] = [{**everyone["permission"][0], "action": "dmi:sample"}]
    everyone["inheritFrom"] = [parent]


@pytest.mark.parametrize("written", [plain, target_above, another_name, inherited])
def test_data_for_everyone_has_a_licence_and_keeps_it_however_that_is_written(
    node: Node, written: Callable[[dict[str, Any]], None]
) -> None:
    node.post("/v1/datasets", NEW)
    everyone = document(OWNER, "urn:dmi:party:everyone", NEW["id"], ["dmi:read"])
    written(everyone)
    signed = {"document": everyone, "jws": node.keys[OWNER].sign_document(everyone)}
    problem = node.refused(node.ask("POST", "/v1/agreements", OFFICER, json=signed), 400, "invalid-input")
    assert problem["errors"][0]["field"] == "licence"
    assert "CC0-1.0" in problem["errors"][0]["rule"]
    node.post("/v1/datasets", NEW | {"licence": "CC0-1.0"})
    node.post("/v1/agreements", signed)
    problem = node.refused(node.ask("POST", "/v1/datasets", OFFICER, json=NEW), 409, "conflict")
    assert problem["errors"][0]["field"] == "licence"
    node.post("/v1/datasets", NEW | {"licence": "CC-BY-4.0"})
    node.post(f"/v1/agreements/{everyone['uid']}/end", {"reason": ""})
    node.post("/v1/datasets", NEW)


def test_a_licence_that_goes_while_data_is_opened_keeps_one_of_the_two_from_happening(
    node: Node, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each looks before it is stored: the other may be stored in between."""
    node.post("/v1/datasets", NEW)
    everyone = document(OWNER, "urn:dmi:party:everyone", NEW["id"], ["dmi:read"])
    signed = {"document": everyone, "jws": node.keys[OWNER].sign_document(everyone)}
    with monkeypatch.context() as early:
        early.setattr(handlers, "check_licences", lambda *_: None)
        problem = node.refused(node.ask("POST", "/v1/agreements", OFFICER, json=signed), 400, "invalid-input")
    assert problem["errors"][0]["field"] == "licence"
    node.post("/v1/datasets", NEW | {"licence": "CC0-1.0"})
    node.post("/v1/agreements", signed)
    monkeypatch.setattr(Store, "opened", lambda *_: False)
    problem = node.refused(node.ask("POST", "/v1/datasets", OFFICER, json=NEW), 409, "conflict")
    assert problem["errors"][0]["field"] == "licence"
    assert node.get(f"/v1/datasets/{NEW['id']}")["licence"] == "CC0-1.0"


def test_an_unknown_dataset_is_not_found(node: Node) -> None:
    node.refused(node.ask("GET", "/v1/datasets/urn:dmi:dataset:x:y", OFFICER), 404, "not-found")


def test_data_gathered_under_consent_keeps_that_basis(node: Node) -> None:
    body = NEW | {"id": BICYCLES, "personal": True, "basis": "dmi:basis:public-task", "purpose": MOBILITY}
    node.refused(node.ask("POST", "/v1/datasets", OFFICER, json=body), 409, "conflict")
    assert node.get(f"/v1/datasets/{BICYCLES}")["basis"] in ("", "dmi:basis:consent")
