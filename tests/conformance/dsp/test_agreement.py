"""Two participants negotiate over HTTP about a dataset, each for itself, until an agreement of both is in the law."""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import Any

import msgspec
import pytest

from dmi_agreements.contracts.law import AgreementState, Dataset
from tests.conformance.dsp.city import City
from tests.conformance.dsp.conftest import listening
from tests.conformance.dsp.counterpart import CONTEXT
from tests.conformance.dsp.published import Schemas
from tests.unit.exchange.fakes import HERE

OWNER, VENDOR, OTHER = (f"urn:dmi:participant:{name}" for name in ("gemeente", "leverancier", "derde"))
STACK = "urn:dmi:participant:stack"
GARAGES = "urn:dmi:dataset:gemeente:garages"


@pytest.fixture(scope="module")
def city(tmp_path_factory: pytest.TempPathFactory) -> Iterator[City]:
    folder = tmp_path_factory.mktemp("city")
    with listening(folder) as url:
        city = City(url, folder, {})
        for who in (OWNER, VENDOR, OTHER):
            city.admit(who, STACK)
        city.well("POST", "/v1/datasets", OWNER, {"id": GARAGES, "title": {"nl": "Garages"}, "spatial": HERE})
        _layers_right(city)
        terms = {
            "dataset": GARAGES,
            "template": "sensor-data",
            "parameters": {"purpose": "dmi:purpose:public-task", "actions": ["dmi:read"]},
        }
        city.well("POST", "/v1/offers", OWNER, terms)
        message = {"@context": [CONTEXT], "@type": "CatalogRequestMessage"}
        (dataset,) = city.well("POST", "/dsp/catalog/request", VENDOR, message)["dataset"]
        (city.offer,) = dataset["hasPolicy"]
        yield city


def _layers_right(city: City) -> None:
    """What is given passes the gate of the node's own layers too."""
    wanted = {
        "assigner": OWNER,
        "assignee": STACK,
        "datasets": [GARAGES],
        "actions": ["dmi:read"],
        "purpose": "dmi:purpose:any",
    }
    draft = {"template": "sensor-data", "parameters": wanted}
    document = city.well("POST", "/v1/agreements/draft", OWNER, draft)
    city.well("POST", "/v1/agreements", OWNER, {"document": document, "hosted": True})
    city.well("POST", f"/v1/agreements/{document['uid']}/signature", STACK, {"hosted": True})


def _begin(city: City, offer: dict[str, Any] | None = None, who: str = VENDOR, dataset: str = GARAGES) -> str:
    body = {"provider": OWNER, "address": f"{city.url}/exchange/dsp", "dataset": dataset}
    made = city.well("POST", "/v1/negotiations", who, {**body, "offer": offer or city.offer})
    return str(made["id"])


def test_a_negotiation_ends_in_an_agreement_that_both_have_signed(city: City) -> None:
    mine = city.until(f"/v1/negotiations/{_begin(city)}", VENDOR, "FINALIZED")
    found = city.law().get(AgreementState, mine["agreement"])
    assert found is not None
    assert found.state == "active"
    assert found.signatures.keys() == {OWNER, VENDOR}
    assert found.document["permission"][0]["target"] in (GARAGES, [GARAGES])
    assert mine["reason"] is None
    assert mine["pending"] == 0


def test_a_transfer_under_the_agreement_starts_and_ends_by_either_side(city: City) -> None:
    mine = city.until(f"/v1/negotiations/{_begin(city)}", VENDOR, "FINALIZED")
    wish = {
        "provider": OWNER,
        "address": f"{city.url}/exchange/dsp",
        "agreement": mine["agreement"],
        "own": True,
    }
    path = f"/v1/transfers/{city.well('POST', '/v1/transfers', VENDOR, wish)['id']}"
    city.until(path, VENDOR, "STARTED")
    (theirs,) = [t for t in city.well("GET", "/v1/transfers", OWNER)["items"] if t["state"] == "STARTED"]
    city.well("POST", f"/v1/transfers/{theirs['id']}/suspend", OWNER, {"reason": "onderhoud"})
    assert "onderhoud" in city.until(path, VENDOR, "SUSPENDED")["reason"]
    # Whoever was stopped does not start it again.
    assert city.ask("POST", f"{path}/start", VENDOR).status_code == 409
    city.well("POST", f"/v1/transfers/{theirs['id']}/start", OWNER)
    city.until(path, VENDOR, "STARTED")
    city.well("POST", f"{path}/complete", VENDOR)
    city.until(f"/v1/transfers/{theirs['id']}", OWNER, "COMPLETED")


def test_no_transfer_is_begun_under_an_agreement_that_one_does_not_have_with_the_provider(city: City) -> None:
    mine = city.until(f"/v1/negotiations/{_begin(city)}", VENDOR, "FINALIZED")["agreement"]
    unknown = "urn:uuid:00000000-0000-4000-8000-000000000000"
    for who, provider, agreement in ((VENDOR, OWNER, unknown), (OTHER, OWNER, mine), (VENDOR, OTHER, mine)):
        wish = {"provider": provider, "address": f"{city.url}/exchange/dsp", "agreement": agreement}
        answer = city.ask("POST", "/v1/transfers", who, wish)
        assert answer.status_code == 400
        assert [error["field"] for error in answer.json()["errors"]] == ["agreement"]
    assert city.well("GET", "/v1/transfers", OTHER)["items"] == []


def test_no_transfer_starts_under_an_agreement_that_was_ended(city: City) -> None:
    mine = city.until(f"/v1/negotiations/{_begin(city)}", VENDOR, "FINALIZED")
    city.well("POST", f"/v1/agreements/{mine['agreement']}/end", OWNER, {"reason": "genoeg"})
    wish = {"provider": OWNER, "address": f"{city.url}/exchange/dsp", "agreement": mine["agreement"]}
    begun = city.well("POST", "/v1/transfers", VENDOR, wish)["id"]
    ended = city.until(f"/v1/transfers/{begun}", VENDOR, "TERMINATED")
    # The owner refuses it, or whoever asked has heard of the end first.
    assert any(why in ended["reason"] for why in ("agreement in force", "the agreement was ended: genoeg"))


def test_other_terms_wait_for_the_owner_with_the_reason_and_can_be_answered(city: City) -> None:
    bold = {"@id": city.offer["@id"], "permission": [{"action": "use"}]}
    begun = f"/v1/negotiations/{_begin(city, bold)}"
    end = time.monotonic() + 10
    while True:
        waiting = [
            n for n in city.well("GET", "/v1/negotiations", OWNER)["items"] if n["state"] == "REQUESTED"
        ]
        if waiting and waiting[0]["reason"]:
            break
        assert time.monotonic() < end
        time.sleep(0.05)
    assert "waits for you" in waiting[0]["reason"]
    theirs = f"/v1/negotiations/{waiting[0]['id']}"
    city.well("POST", f"{theirs}/offer", OWNER, {"offer": city.offer})
    assert city.until(begun, VENDOR, "OFFERED")["offered_by"] == "provider"
    city.well("POST", f"{begun}/accept", VENDOR)
    city.until(begun, VENDOR, "FINALIZED")
    city.until(theirs, OWNER, "FINALIZED")


def test_other_terms_become_the_agreement_when_the_owner_signs_them_and_the_law_allows_them(
    city: City,
) -> None:
    (rule,) = city.offer["permission"]
    purpose = {"leftOperand": "purpose", "operator": "isA", "rightOperand": "urn:dmi:purpose:mobility"}
    rule = {**rule, "constraint": [purpose]}
    wanted = {"@id": city.offer["@id"], "permission": [rule, {**rule, "action": "urn:dmi:export"}]}
    begun = f"/v1/negotiations/{_begin(city, wanted)}"
    theirs = f"/v1/negotiations/{_waiting(city, purpose)}"
    document = city.well("GET", f"{theirs}/document", OWNER)
    both = [rule["action"], "urn:dmi:export"]
    assert document["permission"] == [{"target": GARAGES, "action": both, "constraint": [purpose]}]
    city.well("POST", f"{theirs}/signature", OWNER, {"hosted": True})
    mine = city.until(begun, VENDOR, "FINALIZED")
    found = city.law().get(AgreementState, mine["agreement"])
    assert found is not None
    assert (found.state, found.document) == ("active", document)
    unheard = {**purpose, "rightOperand": "urn:dmi:purpose:unheard-of"}
    _begin(city, {**wanted, "permission": [{**rule, "constraint": [unheard]}]})
    refused = f"/v1/negotiations/{_waiting(city, unheard)}"
    assert city.ask("POST", f"{refused}/signature", OWNER, {"hosted": True}).status_code == 400
    assert city.well("GET", refused, OWNER)["state"] == "REQUESTED"
    city.well("POST", f"{refused}/offer", OWNER, {"offer": city.offer})
    before = city.well("GET", refused, OWNER)["offer_before"]
    assert before["permission"][0]["constraint"] == [unheard]


def _waiting(city: City, constraint: dict[str, Any]) -> str:
    """The owner's id of the negotiation that waits for it with this constraint in the terms asked for."""
    end = time.monotonic() + 10
    while True:
        for one in city.well("GET", "/v1/negotiations", OWNER)["items"]:
            terms = one["offer"]["permission"][0].get("constraint")
            if terms == [constraint] and "waits for you" in (one["reason"] or ""):
                return str(one["id"])
        assert time.monotonic() < end
        time.sleep(0.05)


def test_an_offer_that_is_not_in_the_catalogue_is_refused_with_the_reason_kept(city: City) -> None:
    begun = _begin(city, {**city.offer, "@id": "urn:uuid:nothing"})
    ended = city.until(f"/v1/negotiations/{begun}", VENDOR, "TERMINATED")
    assert "must be an offer of the catalogue" in ended["reason"]


def test_without_a_token_nothing_is_told_and_other_members_see_nothing(city: City, schemas: Schemas) -> None:
    mine = city.until(f"/v1/negotiations/{_begin(city)}", VENDOR, "FINALIZED")
    theirs = next(
        n for n in city.well("GET", "/v1/negotiations", OWNER)["items"] if n["agreement"] == mine["agreement"]
    )
    path = f"/dsp/negotiations/{theirs['id']}"
    assert city.well("GET", path, VENDOR)["state"] == "FINALIZED"
    for where in (path, "/dsp/negotiations/urn:uuid:nothing"):
        for who, status in ((None, 401), (OTHER, 404)):
            answer = city.ask("GET", where, who)
            assert answer.status_code == status
            assert schemas.check(answer.json())["@type"] == "ContractNegotiationError"
    assert city.ask("GET", f"/v1/negotiations/{mine['id']}", OTHER).status_code == 404
    assert city.ask("POST", f"/v1/negotiations/{mine['id']}/end", OWNER, {"reason": "x"}).status_code == 404
    assert city.ask("POST", "/dsp/catalog/request", None, {}).status_code == 401


def test_what_the_review_refuses_is_not_agreed_to_and_both_sides_read_why(city: City) -> None:
    """The offer itself is right; the commons are used up by the first agreement."""
    names = ["urn:dmi:dataset:gemeente:radar", "urn:dmi:dataset:gemeente:radar-2"]
    begun = []
    for name in names:
        entry = {"id": name, "title": {"nl": "Radar"}, "spatial": HERE, "commons_cents": 200_000}
        city.well("POST", "/v1/datasets", OWNER, entry)
        parameters = {"purpose": "dmi:purpose:public-task", "actions": ["dmi:read"]}
        terms = {"dataset": name, "template": "sensor-data", "parameters": parameters}
        city.well("POST", "/v1/offers", OWNER, terms)
        (offer,) = city.well("GET", f"/dsp/catalog/datasets/{name}", VENDOR)["hasPolicy"]
        begun.append((name, offer))
    first, second = begun
    city.until(f"/v1/negotiations/{_begin(city, first[1], dataset=first[0])}", VENDOR, "FINALIZED")
    ended = city.until(f"/v1/negotiations/{_begin(city, second[1], dataset=second[0])}", VENDOR, "TERMINATED")
    assert "dmi:rule:commons" in ended["reason"]
    assert ended["ended_by"] == "provider"
    theirs = [n for n in city.well("GET", "/v1/negotiations", OWNER)["items"] if n["dataset"] in names]
    assert sorted(n["state"] for n in theirs) == ["FINALIZED", "TERMINATED"]


def test_an_offer_that_was_taken_back_is_not_in_the_catalogue(city: City, schemas: Schemas) -> None:
    name = "urn:dmi:dataset:gemeente:fietsen"
    city.well("POST", "/v1/datasets", OWNER, {"id": name, "title": {"nl": "Fietsen"}, "spatial": HERE})
    terms = {"dataset": name, "template": "sensor-data"}
    parameters = {"purpose": "dmi:purpose:public-task", "actions": ["dmi:read"]}
    made = city.well("POST", "/v1/offers", OWNER, {**terms, "parameters": parameters})
    assert schemas.check(city.well("GET", f"/dsp/catalog/datasets/{name}", VENDOR))["@id"] == name
    assert city.ask("POST", f"/v1/offers/{made['id']}/end", VENDOR).status_code == 404
    city.well("POST", f"/v1/offers/{made['id']}/end", OWNER)
    assert city.ask("GET", f"/dsp/catalog/datasets/{name}", VENDOR).status_code == 404


def _withdrawn(known: Dataset | None) -> Dataset:
    assert known is not None
    return msgspec.structs.replace(known, withdrawn=True)


def test_a_page_of_datasets_that_were_withdrawn_leads_on_to_the_next(city: City) -> None:
    names = [f"urn:dmi:dataset:gemeente:zz-{letter}" for letter in "ab"]
    for name in names:
        entry = {"id": name, "title": {"nl": "Fietsen"}, "spatial": HERE}
        city.well("POST", "/v1/datasets", OWNER, entry)
        terms = {"purpose": "dmi:purpose:public-task", "actions": ["dmi:read"]}
        body = {"dataset": name, "template": "sensor-data", "parameters": terms}
        city.well("POST", "/v1/offers", OWNER, body)
    city.law().settle(Dataset, names[0], _withdrawn)
    message = {"@context": [CONTEXT], "@type": "CatalogRequestMessage"}
    path = "/dsp/catalog/request?limit=1"
    found: list[str] = []
    while path:
        answer = city.ask("POST", path, VENDOR, message)
        found += [one["@id"] for one in answer.json().get("dataset", [])]
        path = answer.links.get("next", {}).get("url", "").removeprefix(f"{city.url}/exchange")
    assert names[0] not in found
    assert found.count(names[1]) == 1


def test_an_offer_is_of_a_dataset_of_ones_own(city: City) -> None:
    terms = {"dataset": GARAGES, "template": "sensor-data", "parameters": {}}
    answer = city.ask("POST", "/v1/offers", VENDOR, terms)
    assert answer.status_code == 400
    assert answer.json()["errors"][0]["field"] == "dataset"


def test_terms_that_cannot_be_kept_are_refused_with_their_place(city: City) -> None:
    rule = {"action": "use", "constraint": [], "count": 2**70}
    body = {"provider": OWNER, "address": f"{city.url}/exchange/dsp", "dataset": GARAGES}
    offer = {"@id": "urn:x", "permission": [rule]}
    answer = city.ask("POST", "/v1/negotiations", VENDOR, {**body, "offer": offer})
    assert answer.status_code == 400, answer.text
    assert answer.json()["errors"][0]["field"] == "/offer/permission/0/count"
    terms = {"dataset": GARAGES, "template": "sensor-data", "parameters": {"delay": 2**70}}
    assert city.ask("POST", "/v1/offers", OWNER, terms).status_code == 400
