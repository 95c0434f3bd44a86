"""Rights that persons exercise, at their edges: what happens at the same moment, who may, how often."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import httpx
import msgspec
import pytest

from dmi_agreements.contracts.law import Correction, SubjectRequest
from dmi_exchange.consent.giving import Consents
from dmi_exchange.mydata import requests
from dmi_exchange.notices import taking as notices
from dmi_exchange.notices.taking import Taking
from dmi_infra import clock
from dmi_infra.errors import Conflict
from tests.unit.exchange.fakes import Node, Who, furnish, running
from tests.unit.exchange.test_consents import MOTHER, MUM, give, hosted, wish
from tests.unit.infra.fakes import BICYCLES, STACK, VENDOR


@pytest.fixture(scope="module")
def node(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Node]:
    with running(tmp_path_factory.mktemp("exchange")) as made:
        furnish(made)
        hosted(made, MUM)
        yield made


@pytest.mark.parametrize("asked", ["stop", "erasure"])
def test_a_consent_that_ends_at_the_same_moment_saves_no_other_one(
    node: Node, monkeypatch: pytest.MonkeyPatch, asked: str
) -> None:
    first, second = give(node, MOTHER, recipients=[VENDOR]), give(node, MOTHER, recipients=[STACK])
    seen = Consents(node.service.app.state.exchange).given(MUM)
    node.post(f"/v1/consents/{first['id']}/withdraw", {}, MOTHER)
    monkeypatch.setattr(Consents, "given", lambda *_: seen)
    body = {"datasets": [BICYCLES]} if asked == "erasure" else {}
    answer = node.post(f"/v1/my-data/{asked}", body, MOTHER)["items"]
    if asked == "stop":
        assert [one["id"] for one in answer] == [second["id"]]
    else:
        assert [one["dataset"] for one in answer] == [BICYCLES]
    monkeypatch.undo()
    states = {one["id"]: one["state"] for one in node.get("/v1/consents", MOTHER)["items"]}
    assert (states[first["id"]], states[second["id"]]) == ("ended", "ended")


@pytest.mark.parametrize("roles", [(), ("dmi:role:review-board",)])
def test_a_person_without_a_role_that_signs_uses_its_rights(node: Node, roles: tuple[str, ...]) -> None:
    works, given = Who(MUM, roles), give(node)
    assert node.post(f"/v1/consents/{given['id']}/withdraw", {}, works)["state"] == "ended"
    assert node.post("/v1/my-data/erasure", {"datasets": [BICYCLES]}, works)["items"]
    node.refused(node.ask("POST", "/v1/consents", works, json=wish()), 403, "wrong-role")


def test_who_repeats_itself_without_end_is_told_to_wait_and_may_ask_about_other_data(
    node: Node, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(requests, "MOST_A_DAY", 3)
    for name in ("cameras", "tellers"):
        dataset = f"urn:dmi:dataset:gemeente:{name}"
        node.publish(dataset, personal=True, basis="dmi:basis:public-task")

        def ask(right: str, dataset: str = dataset, **more: Any) -> httpx.Response:
            body = {"datasets": [dataset]} if right == "erasure" else {"dataset": dataset}
            return node.ask("POST", f"/v1/my-data/{right}", MOTHER, json={**body, **more})

        one = {"datastream": "x.pm", "time": "2026-11-21T13:00:00Z", "result": 4.5}
        for _ in range(3):
            assert ask("rectification", corrections=[one]).status_code == 201
        node.refused(ask("rectification", corrections=[one]), 409, "conflict")
        # Who corrected so much may have all erased, and object.
        for _ in range(3):
            assert ask("erasure").status_code == 201
        for purpose in ("", "dmi:purpose:mobility", "dmi:purpose:research"):
            assert ask("objection", purpose=purpose).status_code == 201
        for right in ("erasure", "rectification", "objection"):
            more = {"corrections": [one]} if right == "rectification" else {}
            problem = node.refused(ask(right, **more), 409, "conflict")
            assert "ask again tomorrow" in problem["detail"]
    # Nothing is stopped half way: the consents of one that is refused stay as they are.
    given = give(node)
    node.refused(node.ask("POST", "/v1/my-data/erasure", MOTHER, json={}), 409, "conflict")
    assert {one["id"]: one["state"] for one in node.get("/v1/consents", MOTHER)["items"]}[
        given["id"]
    ] == "active"
    monkeypatch.setattr(requests, "DAY", 0)
    assert ask("erasure").status_code == 201


def test_another_node_tells_so_much_a_day_of_one_person_and_repeats_the_rest_later(
    node: Node, monkeypatch: pytest.MonkeyPatch
) -> None:
    nothing: Any = None
    taking = Taking(node.service.app.state.exchange, nothing, nothing, nothing)
    theirs = "urn:dmi:dataset:elders:lucht"

    def told(number: int, right: str = "rectification", person: str = "x") -> SubjectRequest:
        name = f"urn:dmi:person:{person}"
        return SubjectRequest(f"urn:uuid:told-{number}", name, right, theirs, clock.now(), made_by="peer")

    monkeypatch.setattr(notices, "MOST_A_DAY", 2)
    kept = [taking._keep(told(number)) for number in (1, 2)]
    with pytest.raises(Conflict, match="later"):
        taking._keep(told(3))
    assert taking._keep(kept[0]) == kept[0], "what was taken is answered as before"
    forgotten = msgspec.structs.replace(kept[1], id="urn:uuid:told-9", corrections=[])
    again = msgspec.structs.replace(forgotten, corrections=[Correction("a", 1, 2.0)])
    node.service.app.state.exchange.settle(SubjectRequest, forgotten.id, lambda _known: forgotten)
    assert taking._keep(again) == forgotten, "told again, since the answer was lost, after it was forgotten"
    # It holds up neither another right of the same person nor anybody else.
    assert taking._keep(told(4, "erasure")).id == "urn:uuid:told-4"
    assert taking._keep(told(5, person="y")).id == "urn:uuid:told-5"
    # Nor does another node get round it with ever new names of persons, as far as this dataset goes.
    monkeypatch.setattr(notices, "MOST_OF_A_NODE", 4)
    with pytest.raises(Conflict, match="of this node"):
        taking._keep(told(6, person="z"))
    assert taking._keep(told(8, "erasure", person="z")).id == "urn:uuid:told-8"
    other = msgspec.structs.replace(told(7, person="z"), dataset=f"{theirs}-2")
    assert taking._keep(other) == other
    monkeypatch.setattr(notices, "DAY", 0)
    assert taking._keep(told(3)).id == "urn:uuid:told-3"
