"""Rights that persons exercise, at their edges: what happens at the same moment, who may, how often."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from dmi_exchange.consent.giving import Consents
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
