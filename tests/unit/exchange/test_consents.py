"""Consents of people: one purpose and one recipient each, records and receipts, renewal, children."""

from __future__ import annotations

import json
import re
import threading
from collections import Counter
from collections.abc import Iterator, Sequence
from typing import Any

import jwt
import pytest
import rdflib

from dmi_agreements.contracts.law import AgreementState
from dmi_agreements.decision import Coarsen, Duty, Request
from dmi_exchange.consent import standing
from dmi_exchange.consent.giving import Consents
from dmi_exchange.consent.renewal import again
from dmi_exchange.custody import Custody
from dmi_exchange.review.claims import Claim
from dmi_infra import clock
from dmi_infra.jose import thumbprint, verify_receipt
from tests.unit.exchange.fakes import (
    LIVING,
    OFFICER,
    OPERATING,
    RESIDENT,
    SELLING,
    Node,
    Who,
    furnish,
    running,
)
from tests.unit.exchange.test_letter import opened, text_of
from tests.unit.infra.fakes import BICYCLES, MOBILITY, NOOR, OWNER, STACK, VENDOR, document, eventually, until

KIM, MUM = "urn:dmi:person:kim", "urn:dmi:person:mama"
CHILD, MOTHER = Who(KIM, (RESIDENT,)), Who(MUM, (RESIDENT,))
DPV = rdflib.Namespace("https://w3id.org/dpv#")


def hosted(node: Node, identifier: str, **more: Any) -> None:
    """A person whose key this node keeps, as for the identities of the demonstration."""
    key = Custody(node.settings.data_dir / "keys", hosting=True).own(identifier)
    body = {
        "id": identifier,
        "name": identifier[-4:].title(),
        "roles": [RESIDENT],
        "keys": [key.public],
        **more,
    }
    node.post("/v1/participants", body, OPERATING)
    node.post(f"/v1/participants/{identifier}/signature", {"hosted": True}, Who(identifier, (RESIDENT,)))


@pytest.fixture(scope="module")
def node(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Node]:
    with running(tmp_path_factory.mktemp("exchange")) as made:
        furnish(made)
        hosted(made, MUM)
        hosted(made, KIM, representatives=[MUM], of_age_on="2035-05-01")
        yield made


def wish(*recipients: str, **more: Any) -> dict[str, Any]:
    return {"dataset": BICYCLES, "purpose": MOBILITY, "recipients": list(recipients or (VENDOR,)), **more}


def give(node: Node, who: Who = MOTHER, **more: Any) -> dict[str, Any]:
    (given,) = node.post("/v1/consents", wish(**more), who)["items"]
    return dict(given)


def covered(node: Node, recipient: str) -> set[str]:
    table = node.service.runtime.law.table
    return set(table.consenting_subjects(Request(recipient, "dmi:read", BICYCLES, MOBILITY), clock.now()))


def test_each_recipient_gets_a_consent_of_its_own_and_each_ends_alone(node: Node) -> None:
    first, second = node.post("/v1/consents", wish(VENDOR, STACK), MOTHER)["items"]
    assert {first["state"], second["state"]} == {"active"}
    assert MUM in covered(node, VENDOR) & covered(node, STACK)
    node.post(f"/v1/consents/{first['id']}/withdraw", {}, MOTHER)
    assert MUM not in covered(node, VENDOR)
    assert MUM in covered(node, STACK)


def duties_of(node: Node, recipient: str) -> tuple[Duty, ...]:
    table = node.service.runtime.law.table
    asked = Request(recipient, "dmi:read", BICYCLES, MOBILITY)
    return tuple(table.consent_duties(asked, clock.now()).get(MUM, ()))


def test_a_new_consent_to_the_same_takes_the_place_of_the_earlier_and_its_receipt_is_what_is_carried_out(
    node: Node,
) -> None:
    other = give(node, recipients=[STACK])
    free = give(node)
    for limits, carried_out in (
        ({"coarsen_m": 500}, (Coarsen(500),)),
        ({"coarsen_m": 50}, (Coarsen(50),)),
        ({}, ()),
    ):
        newer = give(node, **limits)
        ended = node.get(f"/v1/agreements/{free['id']}", MOTHER)
        assert (ended["state"], ended["ended_by"], ended["replaced_by"]) == ("ended", MUM, newer["id"])
        assert newer["replaces"] == free["id"]
        eventually(lambda limits=carried_out: duties_of(node, VENDOR) == limits)  # type: ignore[misc]
        assert MUM in covered(node, VENDOR)
        told = node.get(f"/v1/consents/{newer['id']}/receipt", MOTHER)["text"]["en"]
        assert any("We round your place" in line for line in told) is bool(limits)
        before = node.get(f"/v1/consents/{free['id']}/receipt", MOTHER)["text"]
        assert "A newer consent to the same took its place." in before["en"]
        assert "Er kwam een nieuwe toestemming voor hetzelfde in de plaats." in before["nl"]
        free = newer
    assert node.get(f"/v1/agreements/{other['id']}", MOTHER)["state"] == "active", "to another it goes on"
    # By a document of one's own: one for less than the same leaves the earlier, one for as much takes its place.
    (drafted,) = node.post("/v1/consents/draft", wish(), MOTHER)["items"]
    (rule,) = drafted["permission"]
    for number, (actions, state) in enumerate(((["dmi:read"], "active"), (rule["action"], "ended"))):
        text = {
            **drafted, "uid": f"urn:uuid:00000000-0000-4000-8000-00000000000{number}",
            "permission": [{**rule, "action": actions}],
        }  # fmt: skip
        node.post("/v1/agreements", {"document": text, "hosted": True}, MOTHER)
        assert node.get(f"/v1/agreements/{free['id']}", MOTHER)["state"] == state
    node.post("/v1/my-data/stop", {}, MOTHER)


def test_nobody_fills_the_node_with_consents(node: Node, monkeypatch: pytest.MonkeyPatch) -> None:
    filler = Who("urn:dmi:person:vuller", (RESIDENT,))
    hosted(node, filler.participant)
    monkeypatch.setattr(standing, "MOST_A_DAY", 4)
    first = give(node, filler)
    (draft,) = node.post("/v1/consents/draft", wish(), filler)["items"]
    node.post("/v1/agreements", {"document": draft, "hosted": True}, filler)
    last = give(node, filler)
    assert [one["state"] for one in node.get("/v1/consents", filler)["items"]].count("active") == 1
    both = node.ask("POST", "/v1/consents", filler, json=wish(VENDOR, STACK))
    problem = node.refused(both, 409, "conflict")
    assert problem["errors"][0]["rule"].startswith("4 consents of this person within a day are enough")
    assert [one["state"] for one in node.get("/v1/consents", filler)["items"]].count("active") == 1
    node.post(f"/v1/consents/{last['id']}/withdraw", {}, filler)
    node.post(f"/v1/consents/{first['id']}/renewal", {}, filler)
    (draft,) = node.post("/v1/consents/draft", wish(), filler)["items"]
    for path, body in (
        ("/v1/consents", wish()),
        (f"/v1/consents/{last['id']}/renewal", {}),
        ("/v1/agreements", {"document": draft, "hosted": True}),
    ):
        node.refused(node.ask("POST", path, filler, json=body), 409, "conflict")
    assert len(node.get("/v1/consents", filler)["items"]) == 4
    other = Who("urn:dmi:person:ander", (RESIDENT,))
    hosted(node, other.participant)
    assert give(node, other)["state"] == "active"


def test_nothing_is_given_when_one_of_several_recipients_may_not_have_it(node: Node) -> None:
    abroad = "urn:dmi:participant:verweg"
    key = Custody(node.settings.data_dir / "keys", hosting=True).own(abroad)
    body = {
        "id": abroad,
        "name": "Verweg",
        "roles": ["dmi:role:vendor"],
        "keys": [key.public],
        "country": "KE",
    }
    node.post("/v1/participants", body, OPERATING)
    before = node.get("/v1/consents", MOTHER)
    answer = node.ask("POST", "/v1/consents", MOTHER, json=wish(STACK, abroad))
    assert "dmi:rule:transfer" in node.refused(answer, 400, "review-refused")["detail"]
    assert node.get("/v1/consents", MOTHER) == before


@pytest.mark.parametrize("missing", ["dataset", "purpose", "recipients"])
def test_nothing_is_filled_in_for_who_consents(node: Node, missing: str) -> None:
    body = {name: value for name, value in wish().items() if name != missing}
    node.refused(node.ask("POST", "/v1/consents", MOTHER, json=body), 400, "invalid-input")
    node.refused(
        node.ask("POST", "/v1/consents", MOTHER, json=wish() | {"recipients": []}), 400, "invalid-input"
    )
    broad = wish(purpose="dmi:purpose:public-task")
    node.refused(node.ask("POST", "/v1/consents", MOTHER, json=broad), 400, "review-refused")


def test_a_receipt_is_signed_by_the_node_and_says_the_same_as_the_record(node: Node) -> None:
    given = give(node)
    made = node.get(f"/v1/consents/{given['id']}/receipt", MOTHER)
    (key,) = node.get("/.well-known/jwks.json", None)["keys"]
    header = jwt.get_unverified_header(made["jws"])
    assert (header["kid"], header["typ"]) == (thumbprint(key), "consent-receipt+jwt")
    read = jwt.decode(made["jws"], jwt.PyJWK(key).key, algorithms=[key["alg"]])
    assert read == made["receipt"]
    head, payload, signature = made["jws"].split(".")
    with pytest.raises(jwt.InvalidSignatureError):
        jwt.decode(f"{head}.{payload[:-4]}AAAA.{signature}", jwt.PyJWK(key).key, algorithms=[key["alg"]])
    assert read["dpv:hasRecordOfActivity"] == node.get(f"/v1/consents/{given['id']}/record", MOTHER)


@pytest.mark.parametrize(
    ("language", "holds", "ended"),
    [
        ("nl", "Deze toestemming geldt.", "Deze toestemming is gestopt."),
        ("en", "This consent holds.", "This consent has ended."),
    ],
)
def test_a_receipt_comes_as_a_page_with_what_was_signed_attached(
    node: Node, language: str, holds: str, ended: str
) -> None:
    given = give(node)
    path = f"/v1/consents/{given['id']}"
    answer = node.ask("GET", f"{path}/receipt?format=pdf&language={language}", MOTHER)
    assert answer.headers["content-type"] == "application/pdf"
    # Where a word may be parted stands a space without width.
    text = text_of(answer.content).replace("\u200b", "")
    told = node.get(f"{path}/receipt", MOTHER)["text"][language]
    for line in (holds, *told):
        assert line in text
    assert thumbprint(node.get("/.well-known/jwks.json", None)["keys"][0]) in text
    ((name, (content,)),) = opened(answer.content).attachments.items()
    assert name == f"consent-{given['id'].removeprefix('urn:uuid:')}.json"
    attached = json.loads(content)
    keys = node.get("/.well-known/jwks.json", None)["keys"]
    verify_receipt(attached["jws"], attached["receipt"], keys)
    node.post(f"{path}/withdraw", {}, MOTHER)
    later = text_of(node.ask("GET", f"{path}/receipt?format=pdf&language={language}", MOTHER).content)
    assert ended in later
    assert holds not in later


@pytest.mark.filterwarnings("ignore:ConjunctiveGraph is deprecated")  # the library, of itself
def test_a_record_is_linked_data_with_the_fields_that_the_standard_requires(node: Node) -> None:
    record = node.get(f"/v1/consents/{give(node)['id']}/record", MOTHER)
    graph = rdflib.Graph().parse(data=json.dumps(record), format="json-ld")
    (one,) = graph.subjects(rdflib.RDF.type, DPV.ConsentRecord)
    for field in ("hasDataSubject", "hasDataController", "hasNotice", "hasProcess", "hasConsentStatus"):
        assert list(graph.objects(one, DPV[field])), field
    (process,) = graph.objects(one, DPV.hasProcess)
    for field in (
        "hasPurpose", "hasLegalBasis", "hasPersonalData", "hasRecipient", "hasStorageCondition", "hasJurisdiction",
        "hasConsentControl", "hasRight", "hasAuthority", "hasProcessing",
    ):  # fmt: skip
        assert list(graph.objects(process, DPV[field])), field
    assert DPV.Consult in set(graph.objects(process, DPV.hasProcessing))
    gdpr = "https://w3id.org/dpv/legal/eu/gdpr#A6-1-a"
    assert rdflib.URIRef(gdpr) in set(graph.objects(process, DPV.hasLegalBasis))
    assert record["dct:conformsTo"].endswith("#record-eu-gdpr")
    assert record["dpv:hasProcess"]["dpv:hasPurpose"][0]["skos:broader"] == str(DPV.ImproveTransportMobility)
    assert [one["@id"] for one in record["dpv:hasProcess"]["dpv:hasRecipient"]] == [VENDOR]


def test_a_record_tells_giving_withdrawing_and_giving_again(node: Node) -> None:
    def status(identifier: str) -> list[str]:
        record = node.get(f"/v1/consents/{identifier}/record", MOTHER)
        found = [one["@type"] for one in record["dpv:hasConsentStatus"]]
        return [one if isinstance(one, str) else one[0] for one in found]

    purpose = "dmi:purpose:public-transport"
    given = give(node, purpose=purpose)
    assert status(given["id"]) == ["dpv:ConsentGiven"]
    node.refused(node.ask("POST", f"/v1/consents/{given['id']}/renewal", MOTHER), 409, "conflict")
    node.post(f"/v1/consents/{given['id']}/withdraw", {}, MOTHER)
    assert status(given["id"]) == ["dpv:ConsentGiven", "dpv:ConsentWithdrawn"]
    again = node.post(f"/v1/consents/{given['id']}/renewal", None, MOTHER)
    assert again["state"] == "active"
    assert status(again["id"]) == ["dpv:RenewedConsentGiven"]


def test_a_consent_is_given_again_with_a_key_of_ones_own(node: Node) -> None:
    def signed(text: dict[str, Any]) -> Any:
        body = {"document": text, "jws": node.keys[NOOR].sign_document(text)}
        return node.post("/v1/agreements", body, LIVING)

    (drafted,) = node.post("/v1/consents/draft", wish(purpose="dmi:purpose:public-transport"), LIVING)[
        "items"
    ]
    given = signed(drafted)
    path = f"/v1/consents/{given['id']}"
    node.refused(node.ask("POST", f"{path}/renewal/draft", LIVING), 409, "conflict")
    node.post(f"{path}/withdraw", {}, LIVING)
    for who in (OFFICER, SELLING, OPERATING, CHILD, MOTHER):
        node.refused(node.ask("POST", f"{path}/renewal/draft", who), 404, "not-found")
    text = node.post(f"{path}/renewal/draft", None, LIVING)
    node.refused(node.ask("GET", f"/v1/agreements/{text['uid']}", LIVING), 404, "not-found")
    again = signed(text)
    assert (again["id"], again["state"]) == (text["uid"], "active")
    record = node.get(f"/v1/consents/{again['id']}/record", LIVING)
    assert [one["@type"][0] for one in record["dpv:hasConsentStatus"]] == ["dpv:RenewedConsentGiven"]


def test_a_renewed_consent_says_what_the_ended_one_said_and_no_more(node: Node) -> None:
    (drafted,) = node.post("/v1/consents/draft", wish(cut_ends_m=200), MOTHER)["items"]
    (rule,) = drafted["permission"]
    tests = [each for each in rule["constraint"] if each["leftOperand"] != "dateTime"]
    text = {
        **drafted,
        "permission": [{**rule, "action": ["dmi:read", "dmi:display"], "constraint": [*tests, until(30)]}],
        "prohibition": [{"target": BICYCLES, "action": "dmi:analyse", "constraint": [*tests, until(20)]}],
    }
    given = node.post("/v1/agreements", {"document": text, "hosted": True}, MOTHER)
    node.post(f"/v1/consents/{given['id']}/withdraw", {}, MOTHER)
    after = node.post(f"/v1/consents/{given['id']}/renewal", None, MOTHER)["document"]

    def said(document: dict[str, Any], kind: str) -> tuple[Any, int]:
        """A rule, and in how many days from now it ends: as long as before, not as long as one may."""
        (one,) = document[kind]
        end = clock.from_text(one["constraint"][-1]["rightOperand"]["@value"]) - clock.now()
        return {**one, "constraint": one["constraint"][:-1]}, round(end / 86_400_000_000)

    for kind in ("permission", "prohibition"):
        assert said(after, kind) == said(text, kind)
    assert after["uid"] != text["uid"]


def test_each_end_of_a_renewed_consent_comes_as_much_later_as_the_consent_and_no_later_than_it_may() -> None:
    day = 86_400_000_000
    now = clock.now() // 1_000_000 * 1_000_000
    ends = [{"leftOperand": "dateTime", "operator": "lt", "rightOperand": clock.to_text(now + days * day)}
            for days in (-5, 60)]  # fmt: skip
    starts = {"leftOperand": "dateTime", "operator": "gteq", "rightOperand": clock.to_text(now - 9 * day)}
    rules = [{"constraint": [starts, one]} for one in ends]
    before = AgreementState("urn:uuid:1", {"permission": rules}, "ended", concluded_at=now - 10 * day)
    made = again(before, now + 65 * day, "2.0.0")
    assert made is not None
    assert made["dmi:rulebook"] == "2.0.0"
    moments = [rule["constraint"][1]["rightOperand"] for rule in made["permission"]]
    assert [round((clock.from_text(one) - now) / day) for one in moments] == [5, 65]
    assert [rule["constraint"][0] for rule in made["permission"]] == [starts, starts]


@pytest.mark.parametrize("moment", ["gisteren", "2020-01-01T00:00:00Z", None])
def test_a_consent_whose_end_cannot_be_moved_is_not_renewed(moment: str | None) -> None:
    bound = {"odrl:leftOperand": "x"} if moment is None else {
        "leftOperand": {"@id": "odrl:dateTime"}, "operator": "http://www.w3.org/ns/odrl/2/lteq",
        "rightOperand": moment,
    }  # fmt: skip
    before = AgreementState("urn:uuid:1", {"permission": [{"constraint": [bound]}]}, "ended")
    assert again(before, clock.now() + 1_000_000_000, "1.0.0") is None


def test_the_words_are_plain_in_both_languages_and_say_how_to_stop(node: Node) -> None:
    text = node.get(f"/v1/consents/{give(node)['id']}/receipt", MOTHER)["text"]
    for language, stop in (("nl", "intrekken"), ("en", "withdraw")):
        assert any(stop in line for line in text[language])
        sentences = [s for line in text[language] for s in re.split(r"[.:?]\s", line)]
        assert all(len(sentence.split()) <= 15 for sentence in sentences), sentences
    assert any("Wat eerder mocht, was toen in orde." in line for line in text["nl"])


def test_retention_in_a_record_is_what_the_recipient_agreed_with_the_owner(node: Node) -> None:
    value = {"@value": "30", "@type": "xsd:integer"}
    test = {"leftOperand": "dmi:days", "operator": "eq", "rightOperand": value, "unit": "d"}
    duty = {"action": "dmi:deleteAfter", "constraint": [test]}
    text = document(OWNER, VENDOR, BICYCLES, ["dmi:read"], duties=[duty], constraints=[until(300)])
    text["dmi:legalBasis"] = "dmi:basis:consent"
    node.propose(text)
    node.countersign(text, SELLING)
    made = node.get(f"/v1/consents/{give(node)['id']}/receipt", MOTHER)
    process = made["receipt"]["dpv:hasRecordOfActivity"]["dpv:hasProcess"]
    assert {"@type": "dpv:StorageDuration", "dpv:hasDuration": "P30D"} in process["dpv:hasStorageCondition"]
    assert "The data is deleted after 30 days." in made["text"]["en"]
    # Of another agreement that sets no term it would not be true.
    for actions, told in ((["dmi:sample"], True), (["dmi:display"], False)):
        longer = document(OWNER, VENDOR, BICYCLES, actions, constraints=[until(300)])
        longer["dmi:legalBasis"] = "dmi:basis:consent"
        node.propose(longer)
        node.countersign(longer, SELLING)
        text = node.get(f"/v1/consents/{give(node)['id']}/receipt", MOTHER)["text"]["en"]
        assert ("The data is deleted after 30 days." in text) is told


def test_a_copy_reads_each_consent_and_each_agreement_of_an_owner_once(
    node: Node, monkeypatch: pytest.MonkeyPatch
) -> None:
    given = node.post("/v1/consents", wish(VENDOR, STACK), MOTHER)["items"]
    node.post(f"/v1/consents/{given[0]['id']}/withdraw", {}, MOTHER)
    again = node.post(f"/v1/consents/{given[0]['id']}/renewal", {}, MOTHER)
    read, claims = Counter[str](), Consents.claims

    # Not of the reasoner, which the rounds of the review ask as well, nor by who tells others of the withdrawal.
    def counted(self: Consents, state: AgreementState) -> Sequence[Claim]:
        if threading.current_thread().name != "telling":
            read[state.id] += 1
        return claims(self, state)

    monkeypatch.setattr(Consents, "claims", counted)
    copied = node.get("/v1/my-data/copy", MOTHER)["consents"]
    kinds = {one["consent"]["id"]: one["record"]["dpv:hasConsentStatus"][0]["@type"][0] for one in copied}
    assert kinds[again["id"]] == "dpv:RenewedConsentGiven"
    assert {one["id"] for one in (*given, again)} <= read.keys()
    assert set(read.values()) == {1}


def test_nobody_else_sees_a_record_or_receipt(node: Node) -> None:
    path = f"/v1/consents/{give(node)['id']}"
    for who in (OFFICER, SELLING, OPERATING, LIVING, CHILD):
        for part in ("record", "receipt"):
            node.refused(node.ask("GET", f"{path}/{part}", who), 404, "not-found")
        node.refused(node.ask("POST", f"{path}/renewal", who), 404, "not-found")


def test_for_a_child_a_representative_consents_and_either_withdraws(node: Node) -> None:
    alone = node.ask("POST", "/v1/consents", CHILD, json=wish())
    assert "dmi:rule:child" in node.refused(alone, 400, "review-refused")["detail"]
    given = give(node, MOTHER, **{"for": KIM})
    assert (given["assigner"], list(given["signatures"]), given["waiting_for"]) == (KIM, [MUM], [])
    assert KIM in covered(node, VENDOR)
    record = node.get(f"/v1/consents/{given['id']}/record", MOTHER)
    assert "dpv:Child" in record["dpv:hasDataSubject"]["@type"]
    assert record["dpv:hasConsentStatus"][0]["dpv:isIndicatedBy"]["@id"] == MUM
    assert given["id"] in {one["id"] for one in node.get(f"/v1/consents?for={KIM}", MOTHER)["items"]}
    assert given["id"] not in {one["id"] for one in node.get("/v1/consents", MOTHER)["items"]}
    assert [one["id"] for one in node.get("/v1/consents/represented", MOTHER)["items"]] == [KIM]
    assert node.post(f"/v1/consents/{given['id']}/withdraw", {}, CHILD)["state"] == "ended"
    again = give(node, MOTHER, **{"for": KIM})
    assert node.post(f"/v1/consents/{again['id']}/withdraw", {}, MOTHER)["ended_by"] == MUM
    assert KIM not in covered(node, VENDOR)


def test_nobody_consents_for_who_did_not_name_them(node: Node) -> None:
    for who in (LIVING, OFFICER):
        node.refused(node.ask("POST", "/v1/consents", who, json=wish(**{"for": KIM})), 404, "not-found")
        node.refused(node.ask("GET", f"/v1/consents?for={KIM}", who), 404, "not-found")
    test = {"leftOperand": "recipient", "operator": "isAnyOf", "rightOperand": [VENDOR]}
    text = document(KIM, "urn:dmi:party:everyone", BICYCLES, ["dmi:read"], constraints=[test])
    jws = node.keys[NOOR].sign_document(text)
    answer = node.ask("POST", "/v1/agreements", LIVING, json={"document": text, "jws": jws})
    node.refused(answer, 400, "invalid-input")


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"representatives": [VENDOR]}, "representatives.0"),
        ({"representatives": ["urn:dmi:person:lia"]}, "representatives.0"),
        ({"of_age_on": "2035-05-01"}, "of_age_on"),
        ({"of_age_on": "soon", "representatives": [MUM]}, "of_age_on"),
    ],
)
def test_who_represents_whom_is_checked_at_admission(node: Node, change: dict[str, Any], field: str) -> None:
    key = Custody(node.settings.data_dir / "keys", hosting=True).own("urn:dmi:person:lia")
    body = {"id": "urn:dmi:person:lia", "name": "Lia", "roles": [RESIDENT], "keys": [key.public]}
    answer = node.ask("POST", "/v1/participants", OPERATING, json=body | change)
    assert node.refused(answer, 400, "invalid-input")["errors"][0]["field"] == field


def test_a_consent_says_in_words_what_is_left_out_for_the_person_and_is_renewed_with_it(node: Node) -> None:
    given = give(node, cut_ends_m=200, coarsen_m=500)
    path = f"/v1/consents/{given['id']}"
    told = node.get(f"{path}/receipt", MOTHER)["text"]
    assert "Van het begin en het einde van elke rit bewaren we 200 meter niet." in told["nl"]
    assert "We round your place to 500 metres." in told["en"]
    node.post(f"{path}/withdraw", {}, MOTHER)
    again = node.post(f"{path}/renewal", {}, MOTHER)
    assert again["document"]["permission"][0]["duty"] == given["document"]["permission"][0]["duty"]
    node.refused(node.ask("POST", "/v1/consents", MOTHER, json=wish(cut_ends_m=1)), 400, "invalid-input")
    (text,) = node.post("/v1/consents/draft", wish(minimum_group=5), MOTHER)["items"]
    tests = [
        {"leftOperand": f"dmi:{name}", "operator": "eq", "rightOperand": value}
        for name, value in (("window", 600), ("gridSize", 100))
    ]
    text["permission"][0]["duty"].append({"action": "dmi:aggregate", "constraint": tests})
    answer = node.ask("POST", "/v1/agreements", MOTHER, json={"document": text, "hosted": True})
    assert answer.status_code == 400
    assert "done to one person's rows alone" in answer.text, (
        "means of several persons are nobody's own to ask"
    )
