"""My data: who used it, stop by purpose or all, erase, correct, object; of oneself and of who one represents."""

from __future__ import annotations

import re
import time
from collections.abc import Iterator
from typing import Any, cast

import httpx
import msgspec
import pytest

from dmi_agreements.contracts.envelope import encode
from dmi_agreements.contracts.law import Participant, SubjectRequest
from dmi_agreements.contracts.record import DecisionRecord, RecordBatch
from dmi_agreements.contracts.results import Grounds, Lineage
from dmi_agreements.crossings import BY_NAME
from dmi_agreements.keys import ended
from dmi_agreements.rights import OBJECTION
from dmi_exchange.handlers import Exchange
from dmi_exchange.mydata import uses
from dmi_exchange.mydata.done import complete
from dmi_exchange.mydata.uses import Used, read_back
from dmi_exchange.notices import telling
from dmi_exchange.notices.aliases import is_alias
from dmi_exchange.notices.telling import Cause
from dmi_infra import clock
from dmi_infra.errors import Unavailable
from dmi_infra.jose import ASSERTION_TYPE, SigningKey, make_assertion
from tests.unit.exchange.fakes import (
    LIVING,
    OFFICER,
    OPERATING,
    SELLING,
    Node,
    Who,
    furnish,
    running,
)
from tests.unit.exchange.test_consents import CHILD, KIM, MOTHER, MUM, covered, give, hosted
from tests.unit.exchange.test_letter import text_of
from tests.unit.infra.fakes import (
    BICYCLES,
    GARAGES,
    MOBILITY,
    NOOR,
    OWNER,
    STACK,
    VENDOR,
    document,
    eventually,
    message,
    until,
)

CAMERAS = "urn:dmi:dataset:gemeente:cameras"
RECORDS = BY_NAME["record"].topic or ""


@pytest.fixture(scope="module")
def node(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Node]:
    with running(tmp_path_factory.mktemp("exchange")) as made:
        furnish(made)
        hosted(made, MUM)
        hosted(made, KIM, representatives=[MUM], of_age_on="2035-05-01")
        made.publish(CAMERAS, personal=True, basis="dmi:basis:public-task")
        yield made


def test_of_data_that_the_platform_was_never_given_it_holds_nothing(node: Node) -> None:
    new = "urn:dmi:dataset:gemeente:nieuw"
    node.publish(new, personal=True, basis="dmi:basis:public-task")

    def held() -> bool:
        return {one["id"]: one["held"] for one in node.get("/v1/my-data/datasets", LIVING)["items"]}[new]

    assert not held()
    days = {"leftOperand": "dmi:days", "operator": "eq", "rightOperand": 30, "unit": "d"}
    text = document(
        OWNER,
        STACK,
        new,
        ["dmi:process"],
        duties=[{"action": "dmi:deleteAfter", "constraint": [days]}],
        constraints=[until(30)],
    )
    node.propose(text, OFFICER)
    assert not held(), "it is proposed alone"
    node.countersign(text, OPERATING)
    assert held()
    node.post(f"/v1/agreements/{text['uid']}/end", {})
    assert held(), "what was kept by then is kept on"


def recorded(node: Node, identifier: str, **more: Any) -> None:
    """A gate tells of a decision about Noor's mother's data."""
    values: dict[str, Any] = {
        "id": identifier, "at": clock.now(), "service": "platform", "crossing": "query", "assignee": VENDOR,
        "action": "dmi:read", "dataset": BICYCLES, "purpose": MOBILITY, "allowed": True,
        "reasons": ["delivered: 3 rows of 2 persons under their consent"], "agreements": ["urn:uuid:a"],
        "subjects": [MUM, NOOR], "rows": 3, **more,
    }  # fmt: skip
    batch = RecordBatch("platform", [DecisionRecord(**values)])
    node.bus.publish(RECORDS, [message(encode(batch))])
    eventually(lambda: any(e.record().id == identifier for e in node.store.log.read(0, 1000, None, None)))


def test_a_person_reads_who_used_its_data_for_what_and_when_and_nothing_of_others(
    node: Node, monkeypatch: pytest.MonkeyPatch
) -> None:
    recorded(node, "one")
    recorded(node, "two")
    recorded(node, "refused", allowed=False)
    recorded(node, "own", assignee=MUM, subjects=[MUM])
    recorded(node, "of another", subjects=[NOOR], assignee=STACK)
    (use,) = node.get("/v1/my-data/uses", MOTHER)["items"]
    assert (use["participant"], use["purpose"], use["times"]) == (VENDOR, MOBILITY, 2)
    assert use["first"] <= use["last"]
    assert use["purpose_label"]["nl"]
    assert node.get("/v1/my-data/uses?days=1&dataset=" + GARAGES, MOTHER)["items"] == []
    entries = list(read_back(node.store.log, MUM, 0))
    assert len(entries) > 3
    monkeypatch.setattr(uses, "PAGE", 2)
    assert list(read_back(node.store.log, MUM, 0)) == entries, "however long the pages are"
    node.refused(node.ask("GET", f"/v1/my-data/uses?for={NOOR}", MOTHER), 404, "not-found")
    node.refused(node.ask("GET", "/v1/my-data/uses", SELLING), 400, "invalid-input")


def test_consents_stop_by_recipient_and_then_all_at_once(node: Node) -> None:
    first, second = give(node), give(node, purpose="dmi:purpose:crowd-safety")
    (kept,) = node.post(
        "/v1/consents", {"dataset": BICYCLES, "purpose": MOBILITY, "recipients": [STACK]}, MOTHER
    )["items"]
    ended = node.post("/v1/my-data/stop", {"purpose": MOBILITY, "recipient": VENDOR}, MOTHER)["items"]
    assert {one["id"] for one in ended} == {first["id"], second["id"]}
    assert MUM in covered(node, STACK) - covered(node, VENDOR)
    assert [one["id"] for one in node.post("/v1/my-data/stop", {}, MOTHER)["items"]] == [kept["id"]]


@pytest.mark.parametrize(
    ("stopped", "ends"),
    [("dmi:purpose:public-task", True), ("dmi:purpose:crowd-safety", True), ("dmi:purpose:noise", False)],
)
def test_who_stops_a_purpose_stops_what_lies_below_it_and_what_includes_it(
    node: Node, stopped: str, ends: bool
) -> None:
    given = give(node)
    answer = node.ask("POST", "/v1/my-data/stop", MOTHER, json={"purpose": stopped})
    if ends:
        assert [one["id"] for one in answer.json()["items"]] == [given["id"]]
        again = node.post("/v1/my-data/stop", {"purpose": stopped}, MOTHER)
        assert again["items"] == [], "it has ended already"
    else:
        node.refused(answer, 400, "invalid-input")
    node.post("/v1/my-data/stop", {}, MOTHER)


@pytest.mark.parametrize(
    ("asked", "fields"),
    [
        ({"recipient": "urn:dmi:party:everyone"}, ["recipient"]),
        ({"dataset": GARAGES, "recipient": VENDOR}, ["dataset"]),
        ({"dataset": GARAGES, "purpose": "dmi:purpose:noise"}, ["dataset", "purpose"]),
    ],
)
def test_a_stop_of_what_no_consent_is_about_is_refused_by_its_field_and_one_of_all_is_not(
    node: Node, asked: dict[str, str], fields: list[str]
) -> None:
    given = give(node)
    answer = node.ask("POST", "/v1/my-data/stop", MOTHER, json=asked)
    node.refused(answer, 400, "invalid-input")
    assert [error["field"] for error in answer.json()["errors"]] == fields
    assert [one["id"] for one in node.post("/v1/my-data/stop", {}, MOTHER)["items"]] == [given["id"]]
    assert node.post("/v1/my-data/stop", {}, MOTHER)["items"] == []


def test_a_stop_that_breaks_off_between_two_consents_has_ended_neither(
    node: Node, monkeypatch: pytest.MonkeyPatch
) -> None:
    given = {give(node)["id"], give(node, purpose="dmi:purpose:crowd-safety")["id"]}
    exchange = node.service.app.state.exchange
    ending, asked = exchange.ending, []

    def broken(party: str, identifier: str, reason: str) -> Any:
        asked.append(identifier)
        if len(asked) < 2:
            return ending(party, identifier, reason)

        def decide(_known: Any) -> Any:
            raise Unavailable("the store is away")

        return decide

    monkeypatch.setattr(exchange, "ending", broken)
    node.refused(node.ask("POST", "/v1/my-data/stop", MOTHER, json={}), 503, "unavailable")
    monkeypatch.undo()
    assert len(asked) == 2
    assert {one["id"] for one in node.post("/v1/my-data/stop", {}, MOTHER)["items"]} == given


def test_an_objection_is_told_to_who_used_the_data_for_a_purpose_above_or_below_and_done_with_by_the_layers(
    node: Node,
) -> None:
    rulebooks = node.service.app.state.exchange.rulebooks
    use = Used(CAMERAS, VENDOR, MOBILITY, "dmi:read")
    for purpose, counts in (
        ("", True),
        (MOBILITY, True),
        ("dmi:purpose:public-task", True),
        ("dmi:purpose:crowd-safety", True),
        ("dmi:purpose:noise", False),
    ):
        cause = Cause("urn:uuid:1", MUM, OBJECTION, CAMERAS, 1, 1, purpose=purpose)
        assert cause.concerns(use, rulebooks) is counts, purpose
        asked = SubjectRequest("urn:uuid:1", MUM, OBJECTION, CAMERAS, 1, purpose=purpose)
        assert complete(asked, MOBILITY, [], rulebooks) is not counts, purpose


def test_erasing_ends_the_consents_and_tells_every_layer_and_what_each_did_is_shown(node: Node) -> None:
    give(node, MOTHER, **{"for": KIM})
    asked = node.post("/v1/my-data/erasure", {"for": KIM, "datasets": [BICYCLES], "reason": "x"}, MOTHER)
    (request,) = asked["items"]
    assert KIM not in covered(node, VENDOR)
    law = node.service.runtime.law.table
    eventually(lambda: law.rights.get(request["id"]) is not None)
    heard = law.rights.get(request["id"])
    assert isinstance(heard, SubjectRequest)
    assert (heard.person, heard.right, heard.made_by) == (KIM, "erasure", MUM)
    for number, rows in ((1, 4), (2, 1)):
        recorded(
            node, f"erased {number}", crossing="store", action="dmi:erasure", assignee=STACK, subjects=[KIM],
            reasons=[f"exercised: {request['id']}: {rows} rows in platform"], rows=rows,
        )  # fmt: skip
    (shown,) = node.get(f"/v1/my-data/requests?for={KIM}", MOTHER)["items"]
    assert [(one["service"], one["rows"]) for one in shown["carried_out"]] == [("platform", 5)]
    assert node.get("/v1/my-data/uses", CHILD)["items"] == []
    copy = node.get("/v1/my-data/copy", CHILD)
    assert copy["person"]["id"] == KIM
    assert [one["consent"]["state"] for one in copy["consents"]] == ["ended"]
    assert copy["requests"][0]["id"] == request["id"]
    node.refused(
        node.ask("POST", "/v1/my-data/erasure", MOTHER, json={"datasets": [GARAGES]}), 400, "invalid-input"
    )


def test_lineage_says_of_a_dataset_without_consent_what_who_makes_results_took_back(node: Node) -> None:
    made = clock.now()
    under = Grounds([CAMERAS])
    results = [Lineage(f"made:{at - made}", "forecast", "x", at, under) for at in (made, made + 20)]
    # So earlier versions of the support centre told of a level of crowding.
    level = Lineage("crowd:x", "figure", "x", made, under, code="dmi-support-centre 0.1.0")
    node.store.append([], [*results, Lineage("rows", "figure", "x", made, under), level], {})
    assert node.get("/v1/lineage/crowd:x", OPERATING)["kind"] == "crowd"

    def withdrawn() -> list[bool]:
        names = [*(one.result for one in results), "rows", level.result]
        return [node.get(f"/v1/lineage/{name}", OPERATING)["withdrawn"] for name in names]

    def told(service: str, **more: Any) -> list[bool]:
        recorded(
            node, f"{service} {more}", service=service, dataset=CAMERAS, crossing="store", action="dmi:erasure",
            assignee=STACK, subjects=[MUM], reasons=[f"exercised: {asked['id']}: 0 rows in {service}"], rows=0, **more,
        )  # fmt: skip
        return withdrawn()

    (asked,) = node.post("/v1/my-data/erasure", {"datasets": [CAMERAS]}, MOTHER)["items"]
    assert withdrawn() == [False] * 4, "nobody has told yet that anything was"
    assert told("platform", at=made + 50) == [False] * 4
    assert told("support-centre", at=made + 50, taken_back=0) == [False] * 4
    assert told("support-centre", at=made + 51, taken_back=made - 1) == [False] * 4
    assert told("support-centre", at=made + 52, taken_back=made + 10) == [True, False, False, True]
    assert told("support-centre", at=made + 53, taken_back=made - 1) == [True, False, False, True]
    # One of before took all back, and told no moment.
    assert told("support-centre", at=made + 54) == [True, True, False, True]


def test_a_correction_that_is_carried_out_once_more_is_about_the_same_rows(node: Node) -> None:
    asked = "urn:uuid:00000000-0000-4000-8000-00000000c0de"
    for number, rows in ((1, 4), (2, 5), (3, 4)):
        recorded(
            node, f"corrected {number}", crossing="store", action="dmi:rectification", assignee=STACK,
            subjects=[KIM], reasons=[f"exercised: {asked}: {rows} rows in platform"], rows=rows,
        )  # fmt: skip
    assert [(one.service, one.rows) for one in node.store.carried_out([asked])[asked]] == [("platform", 5)]


def test_an_objection_is_for_data_without_consent_and_the_owner_alone_may_overrule_it_with_reasons(
    node: Node,
) -> None:
    body = {"dataset": CAMERAS, "reason": "ik wil dit niet"}
    node.refused(
        node.ask("POST", "/v1/my-data/objection", MOTHER, json={"dataset": BICYCLES}), 409, "conflict"
    )
    made = node.post("/v1/my-data/objection", body, MOTHER)
    node.refused(node.ask("POST", "/v1/my-data/objection", MOTHER, json=body), 409, "conflict")
    (seen,) = node.get("/v1/my-data/objections", OFFICER)["items"]
    assert seen["id"] == made["id"]
    assert MUM not in str(seen)
    path = f"/v1/my-data/requests/{made['id']}/end"
    node.refused(node.ask("POST", path, LIVING, json={}), 404, "not-found")
    node.refused(node.ask("POST", path, SELLING, json={"reason": "x"}), 404, "not-found")
    node.refused(node.ask("POST", path, OFFICER, json={}), 400, "invalid-input")
    overruled = node.post(path, {"reason": "dwingende gronden"})
    assert (overruled["state"], overruled["ended_by"]) == ("ended", OWNER)
    node.refused(node.ask("POST", path, MOTHER, json={}), 409, "conflict")
    # Nor is the owner told who took one back, or who had made it for somebody.
    for_child = {**body, "for": KIM}
    for sent, ending in ((body, MOTHER), (for_child, MOTHER), (for_child, OFFICER)):
        one = node.post("/v1/my-data/objection", sent, MOTHER)
        told = node.post(f"/v1/my-data/requests/{one['id']}/end", {"reason": "x"}, ending)
        assert ("urn:dmi:person:" in str(told)) is (ending is MOTHER)
    assert len(node.get("/v1/my-data/objections", OFFICER)["items"]) == 4
    assert "urn:dmi:person:" not in str(node.get("/v1/my-data/objections", OFFICER))


def test_a_correction_names_the_measurement_and_has_a_time_with_a_zone(node: Node) -> None:
    one = {"datastream": "x.pm", "time": "2026-11-21T12:00:00Z", "result": 4.5}
    body = {"dataset": BICYCLES, "corrections": [one]}
    made = node.post("/v1/my-data/rectification", body, MOTHER)
    assert made["corrections"] == [one]
    heard = node.service.runtime.law.table.rights
    eventually(lambda: heard.get(made["id"]) is not None)
    bad = {"dataset": BICYCLES, "corrections": [{**one, "time": "2026-11-21T12:00:00"}]}
    problem = node.refused(
        node.ask("POST", "/v1/my-data/rectification", MOTHER, json=bad), 400, "invalid-input"
    )
    assert problem["errors"][0]["field"] == "corrections.0.time"
    for result in (1.7e308, -1e19):
        huge = {**body, "corrections": [one, {**one, "result": result}]}
        problem = node.refused(
            node.ask("POST", "/v1/my-data/rectification", MOTHER, json=huge), 400, "invalid-input"
        )
        assert problem["errors"][0]["field"] == "corrections.1.result"


def told(node: Node, cause: str) -> list[dict[str, Any]]:
    """Who the person sees as told of a request."""
    return [one for one in node.get("/v1/my-data/told", MOTHER)["items"] if one["request"] == cause]


def test_who_used_the_data_is_told_what_the_person_asked_and_the_person_reads_the_answer(node: Node) -> None:
    recorded(node, "used", at=clock.now())
    recorded(node, "contributed", assignee=OWNER, action="dmi:contribute")
    recorded(node, "of the layers", assignee=STACK)
    (asked,) = node.post("/v1/my-data/erasure", {"datasets": [BICYCLES]}, MOTHER)["items"]
    eventually(lambda: told(node, asked["id"]))
    (one,) = told(node, asked["id"])
    assert (one["recipient"], one["right"], one["outcome"]) == (VENDOR, "erasure", None)
    assert one["told_at"]
    (notice,) = [
        each for each in node.get("/v1/notices?open=true", SELLING)["items"] if each["right"] == "erasure"
    ]
    assert (notice["dataset"], notice["until"]) == (BICYCLES, asked["made_at"])
    assert MUM not in str(notice)
    assert node.get("/v1/notices", OFFICER)["items"] == [], "nobody reads what others are told"
    path = f"/v1/notices/{notice['id']}/answer"
    node.refused(node.ask("POST", path, OFFICER, json={"outcome": "done"}), 404, "not-found")
    problem = node.refused(node.ask("POST", path, SELLING, json={"outcome": "kept"}), 400, "invalid-input")
    assert problem["errors"][0]["field"] == "text"
    node.post(path, {"outcome": "kept", "text": "bewaarplicht tot 1 mei"}, SELLING)
    (request,) = [
        each for each in node.get("/v1/my-data/requests", MOTHER)["items"] if each["id"] == asked["id"]
    ]
    assert [(each["outcome"], each["answer"]) for each in request["told"]] == [
        ("kept", "bewaarplicht tot 1 mei")
    ]
    assert notice["id"] not in str(node.get("/v1/notices?open=true", SELLING))
    recorded(node, "used late")
    assert len(told(node, asked["id"])) == 1, "nobody is told twice"


def test_a_notice_names_the_person_to_who_hands_its_rows_in_and_gives_others_a_name_that_leads_to_nobody(
    node: Node,
) -> None:
    other = Who("urn:dmi:participant:handed-in", ("dmi:role:vendor",))
    node.admit(other.participant, *other.roles)
    readers = (SELLING, OFFICER, other)
    for number, who in enumerate(readers):
        recorded(node, f"seen {number}", assignee=who.participant, dataset=CAMERAS, at=clock.now())
    recorded(node, "seen again", assignee=VENDOR, dataset=CAMERAS, at=clock.now())
    recorded(node, "handed in", assignee=other.participant, action="dmi:contribute", dataset=CAMERAS)

    def notices(who: Who, body: dict[str, Any]) -> list[dict[str, Any]]:
        (asked,) = node.post("/v1/my-data/erasure", {**body, "datasets": [CAMERAS]}, MOTHER)["items"]
        eventually(lambda: len(told(node, asked["id"])) == len(readers))
        return [one for one in node.get("/v1/notices", who)["items"] if one["dataset"] == CAMERAS]

    first, second = notices(SELLING, {})[0], notices(SELLING, {"reason": "again"})[0]
    assert first["id"] != second["id"]
    assert (first["person"], first["named"]) == (second["person"], False), "the same name each time"
    assert is_alias(first["person"])
    (given,) = first["given"]
    assert (given["action"], given["purpose"], given["times"]) == ("dmi:read", MOBILITY, 2)
    assert given["first"] < given["last"] < first["made_at"]
    for who in (OFFICER, other):
        for one in node.get("/v1/notices", who)["items"]:
            assert (one["person"], one["named"]) == (MUM, True)


def test_who_used_the_data_is_told_of_a_correction_with_its_values_and_of_a_withdrawn_consent(
    node: Node,
) -> None:
    recorded(node, "used again")
    given = give(node)
    node.post("/v1/my-data/stop", {"recipient": VENDOR}, MOTHER)
    eventually(lambda: told(node, given["id"]))
    assert [(one["recipient"], one["right"]) for one in told(node, given["id"])] == [(VENDOR, "withdrawal")]
    one = {"datastream": "x.pm", "time": "2026-11-21T13:00:00Z", "result": 4.5}
    made = node.post("/v1/my-data/rectification", {"dataset": BICYCLES, "corrections": [one]}, MOTHER)
    eventually(lambda: told(node, made["id"]))
    found = [each for each in node.get("/v1/notices", SELLING)["items"] if each["right"] == "rectification"]
    assert [one] in [each["corrections"] for each in found]


def corrected(node: Node, minute: int, dataset: str = BICYCLES) -> dict[str, Any]:
    one = {"datastream": "x.pm", "time": f"2026-11-21T13:{minute:02}:00Z", "result": 4.5}
    made = node.post("/v1/my-data/rectification", {"dataset": dataset, "corrections": [one]}, MOTHER)
    assert made["corrections"] == [one]
    return dict(made)


def kept_of(node: Node, identifier: str) -> list[Any]:
    (found,) = [one for one in node.get("/v1/my-data/requests", MOTHER)["items"] if one["id"] == identifier]
    return list(found["corrections"])


def test_corrections_are_forgotten_once_they_are_told_and_the_platform_has_carried_them_out(
    node: Node, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(telling, "SETTLE_SECONDS", (0.1, 0.3))
    monkeypatch.setattr(telling, "AGAIN_SECONDS", 0.1)
    recorded(node, "used before it was corrected")
    made = corrected(node, 20)
    eventually(lambda: told(node, made["id"]))
    time.sleep(0.5)
    assert kept_of(node, made["id"]), "nobody has carried it out"
    recorded(
        node, "carried out 20", crossing="store", action="dmi:rectification", assignee=STACK, subjects=[MUM],
        reasons=[f"exercised: {made['id']}: 1 rows in platform"], rows=1,
    )  # fmt: skip
    eventually(lambda: kept_of(node, made["id"]) == [])
    heard = node.service.runtime.law.table.rights
    eventually(lambda: not getattr(heard.get(made["id"]), "corrections", True))

    def mine() -> dict[str, Any]:
        found = node.get("/v1/notices", SELLING)["items"]
        return next(one for one in found if one["right"] == "rectification" and "13:20" in str(one))

    notice = mine()
    assert notice["corrections"], "who received the rows reads what is right until it has answered"
    answered = node.post(f"/v1/notices/{notice['id']}/answer", {"outcome": "done"}, SELLING)
    assert answered["corrections"] == []
    (shown,) = told(node, made["id"])
    assert shown["outcome"] == "done"


def test_what_a_person_corrected_is_forgotten_where_the_rows_are_erased(node: Node) -> None:
    recorded(node, "used before it was erased")
    made, elsewhere = corrected(node, 30), corrected(node, 31, CAMERAS)
    eventually(lambda: told(node, made["id"]))
    node.post("/v1/my-data/erasure", {"datasets": [BICYCLES]}, MOTHER)
    eventually(lambda: kept_of(node, made["id"]) == [])
    eventually(lambda: "13:30" not in str(node.get("/v1/notices", SELLING)))
    assert kept_of(node, elsewhere["id"]), "of other data it stays"


def code_in(letter: str) -> str:
    """The code in the text of a letter."""
    found = re.search(r"(?:[0-9A-Z]{4}-){4}[0-9A-Z]{4}", letter)
    assert found is not None
    return found[0]


def test_a_code_from_a_letter_opens_the_own_data_without_an_account_until_a_new_letter_is_made(
    node: Node,
) -> None:
    def code(language: str, who: Who, **more: str) -> str:
        answer = node.ask("POST", "/v1/my-data/letter", who, json={"language": language, **more})
        assert answer.headers["content-type"] == "application/pdf"
        text = text_of(answer.content)
        assert {"nl": "Beste Mama", "en": "Dear Mama"}[language] in text
        return code_in(text)

    first = code("nl", MOTHER)
    given = node.post("/v1/paper/token", {"code": f" {first.lower().replace('-', ' ')}"}, None)
    headers = {"Authorization": f"Bearer {given['access_token']}"}
    asked = node.runner.run(node.client.get("/v1/my-data/requests", headers=headers))
    assert asked.status_code == 200
    for body in ({}, {"for": KIM}):
        renewed = node.runner.run(node.client.post("/v1/my-data/letter", headers=headers, json=body))
        problem = node.refused(renewed, 403, "on-paper")
        assert "makes no new one" in problem["detail"]
    assert node.runner.run(node.client.get("/v1/me", headers=headers)).json()["on_paper"]
    assert not node.get("/v1/me", MOTHER)["on_paper"]
    assert node.post("/v1/paper/token", {"code": first}, None), "it holds as before"
    second = code("en", OPERATING, **{"for": MUM})
    eventually(lambda: any("dmi:letter" in one["action"] for one in node.get("/v1/log", MOTHER)["items"]))
    for wrong in (first, second[:-1], "0" * 20):
        node.refused(node.ask("POST", "/v1/paper/token", json={"code": wrong}), 401, "unauthenticated")
    node.refused(node.ask("POST", "/v1/my-data/letter", OFFICER, json={"for": MUM}), 404, "not-found")
    node.refused(node.ask("POST", "/v1/my-data/letter", OPERATING, json={}), 400, "invalid-input")
    unknown = node.ask("POST", "/v1/my-data/letter", OPERATING, json={"for": f"{MUM}-of-somebody-else"})
    assert node.refused(unknown, 404, "not-found")["detail"] == "nobody here has this id"


def test_a_code_counts_as_long_as_who_had_it_made_may_act_for_the_person(node: Node) -> None:
    father, child, teen = (f"urn:dmi:person:{name}" for name in ("papa", "klein", "tiener"))
    hosted(node, father)
    for person in (child, teen):
        hosted(node, person, representatives=[father], of_age_on="2035-05-01")

    def code(who: Who, person: str) -> str:
        body = {"language": "nl"} if who.participant == person else {"language": "nl", "for": person}
        answer = node.ask("POST", "/v1/my-data/letter", who, json=body)
        assert answer.status_code == 200, answer.text
        return code_in(text_of(answer.content))

    def opens(written: str) -> bool:
        return node.ask("POST", "/v1/paper/token", json={"code": written}).status_code == 200

    def grow(person: str) -> None:
        exchange: Exchange = node.service.app.state.exchange
        exchange.settle(
            Participant, person, lambda known: msgspec.structs.replace(cast(Participant, known), of_age_at=1)
        )

    acting = Who(father, ("dmi:role:resident",))
    by_father = code(acting, teen)
    assert opens(by_father)
    grow(teen)
    assert not opens(by_father), "who is of age is represented by nobody"
    by_father, own = code(acting, child), code(acting, father)
    assert opens(by_father)
    node.post(f"/v1/participants/{father}/end", {}, OPERATING)
    assert not opens(by_father), "who left represents nobody by paper"
    assert opens(own), "rights about the own data do not end with the membership"
    for who in (OPERATING, Who(child, ("dmi:role:resident",))):
        assert opens(code(who, child))


def test_a_code_ends_with_the_key_that_had_it_made(node: Node) -> None:
    keys = {name: SigningKey.generate() for name in ("stolen", "replaced")}
    for name, key in keys.items():
        entered = {"id": f"urn:dmi:person:{name}", "name": name, "roles": ["dmi:role:resident"]}
        node.post("/v1/participants", {**entered, "keys": [key.public]}, OPERATING)

    def come_in(name: str) -> httpx.Response:
        audience = f"{node.service.runtime.settings.issuer}/token"
        assertion = make_assertion(keys[name], f"urn:dmi:person:{name}", audience, int(time.time()))
        form = {
            "grant_type": "client_credentials", "client_assertion_type": ASSERTION_TYPE,
            "client_assertion": assertion,
        }  # fmt: skip
        return node.runner.run(node.client.post("/token", data=form))

    def letter(name: str) -> str:
        headers = {"Authorization": f"Bearer {come_in(name).json()['access_token']}"}
        answer = node.runner.run(node.client.post("/v1/my-data/letter", headers=headers, json={}))
        assert answer.status_code == 200, answer.text
        return code_in(text_of(answer.content))

    def opens(written: str) -> bool:
        return node.ask("POST", "/v1/paper/token", json={"code": written}).status_code == 200

    codes = {name: letter(name) for name in keys}
    assert all(map(opens, codes.values()))
    path = f"/v1/participants/urn:dmi:person:stolen/keys/{keys['stolen'].kid}/revocation"
    node.post(path, {"reason": "compromised"}, OPERATING)
    assert not opens(codes["stolen"])
    exchange: Exchange = node.service.app.state.exchange
    now = int(time.time())

    def replace(known: Participant | None) -> Participant:
        member = cast(Participant, known)
        return msgspec.structs.replace(member, keys=[ended(key, now - 1) for key in member.keys])

    exchange.settle(Participant, "urn:dmi:person:replaced", replace)
    assert opens(codes["replaced"]), "a key that was replaced in time takes nothing along"


def test_for_a_child_that_left_a_representative_takes_the_copy_and_has_it_erased_alike(node: Node) -> None:
    gone, grown = "urn:dmi:person:weg", "urn:dmi:person:groot"
    hosted(node, gone, representatives=[MUM], of_age_on="2035-05-01")
    hosted(node, grown, representatives=[MUM], of_age_on="2020-05-01")
    for person in (gone, grown):
        node.post(f"/v1/participants/{person}/end", {}, OPERATING)
    assert node.get(f"/v1/my-data/copy?for={gone}", MOTHER)["person"]["id"] == gone
    (asked,) = node.post("/v1/my-data/erasure", {"for": gone, "datasets": [BICYCLES]}, MOTHER)["items"]
    law = node.service.runtime.law.table
    eventually(lambda: law.rights.get(asked["id"]) is not None)
    heard = law.rights.get(asked["id"])
    assert heard is not None
    assert (heard.person, heard.right, heard.made_by) == (gone, "erasure", MUM)
    # Who takes part no more acts for nobody, however it came in.
    left = "urn:dmi:person:ouder"
    hosted(node, left)
    hosted(node, f"{gone}-2", representatives=[left], of_age_on="2035-05-01")
    node.post(f"/v1/participants/{left}/end", {}, OPERATING)
    parent = Who(left, MOTHER.roles)
    node.refused(node.ask("GET", f"/v1/my-data/copy?for={gone}-2", parent), 404, "not-found")
    node.refused(node.ask("POST", "/v1/my-data/letter", parent, json={"for": f"{gone}-2"}), 404, "not-found")
    assert node.ask("GET", "/v1/my-data/copy", parent).status_code == 200
    # Who is of age decides alone, over the copy as over the erasure.
    node.refused(node.ask("GET", f"/v1/my-data/copy?for={grown}", MOTHER), 404, "not-found")
    node.refused(node.ask("POST", "/v1/my-data/erasure", MOTHER, json={"for": grown}), 404, "not-found")


def test_who_has_left_asks_at_the_desk_for_a_letter_and_has_what_is_kept_erased(node: Node) -> None:
    gone = "urn:dmi:person:vertrokken"
    hosted(node, gone)
    node.post(f"/v1/participants/{gone}/end", {}, OPERATING)
    letter = node.ask("POST", "/v1/my-data/letter", OPERATING, json={"for": gone, "language": "en"})
    given = node.post("/v1/paper/token", {"code": code_in(text_of(letter.content))}, None)
    headers = {"Authorization": f"Bearer {given['access_token']}"}

    def ask(method: str, path: str, **body: Any) -> httpx.Response:
        return node.runner.run(node.client.request(method, path, headers=headers, json=body or None))

    assert ask("GET", "/v1/my-data/copy").json()["person"]["id"] == gone
    (asked,) = ask("POST", "/v1/my-data/erasure", datasets=[BICYCLES]).json()["items"]
    law = node.service.runtime.law.table
    eventually(lambda: law.rights.get(asked["id"]) is not None)
    heard = law.rights.get(asked["id"])
    assert heard is not None
    assert (heard.person, heard.right, heard.made_by) == (gone, "erasure", "")
    wish = {"dataset": BICYCLES, "purpose": "dmi:purpose:air-quality", "recipients": [STACK]}
    node.refused(ask("POST", "/v1/consents/draft", **wish), 403, "inactive-participant")
