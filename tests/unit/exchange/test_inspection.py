"""The inspector's view: who may have it, what it tells of each participant, and a log without persons."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from dmi_agreements.evidence import examine, read
from dmi_infra import clock, jose
from dmi_infra.identity import EXCHANGE_PARTICIPANT
from tests.unit.exchange.fakes import LIVING, OFFICER, OPERATING, SELLING, Node, Who, furnish, running
from tests.unit.exchange.test_log import decision, report, signed
from tests.unit.infra.fakes import BICYCLES, GARAGES, NOOR, OWNER, VENDOR, document, eventually, until

BOARD = "urn:dmi:participant:toetsingsraad"
RADAR, CAMERA = (f"urn:dmi:dataset:gemeente:{name}" for name in ("radar", "camera"))
SUPERVISING = "dmi:role:review-board"
INSPECTING = Who(BOARD, (SUPERVISING,))


@contextmanager
def supervised(folder: Path) -> Iterator[Node]:
    with running(folder) as made:
        furnish(made)
        made.admit(BOARD, SUPERVISING)
        yield made


@pytest.fixture(scope="module")
def node(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Node]:
    with supervised(tmp_path_factory.mktemp("exchange")) as made:
        yield made


@pytest.fixture
def unused(tmp_path: Path) -> Iterator[Node]:
    """A node whose log is empty: no agreement was concluded."""
    with supervised(tmp_path) as made:
        yield made


def running_against_a_rule(node: Node, dataset: str, cents: int, **more: Any) -> dict[str, Any]:
    """An agreement that was allowed when it was made; then its data turned out to be of persons."""
    node.publish(dataset)
    text = document(OWNER, VENDOR, dataset, ["dmi:read"], constraints=[until(300)]) | more
    node.propose(text)
    node.countersign(text, SELLING)
    node.publish(dataset, personal=True, commons_cents=cents)
    eventually(lambda: bool(node.get(f"/v1/agreements/{text['uid']}")["objections"]))
    return text


def test_only_the_supervising_body_sees_it_and_no_longer_than_it_is_one(node: Node) -> None:
    leaving = Who("urn:dmi:participant:tijdelijk", (SUPERVISING,))
    node.admit(leaving.participant, SUPERVISING)
    paths = ("participants", f"participants/{OWNER}", "findings")
    pretending = Who(OWNER, (SUPERVISING,))
    for path in paths:
        assert node.ask("GET", f"/v1/inspection/{path}").status_code == 401
        for who in (OFFICER, SELLING, LIVING, OPERATING, pretending, Who(BOARD, ("dmi:role:participant",))):
            answer = node.ask("GET", f"/v1/inspection/{path}", who)
            assert SUPERVISING in node.refused(answer, 403, "wrong-role")["detail"]
        assert node.ask("GET", f"/v1/inspection/{path}", leaving).status_code == 200
    for unknown in (NOOR, "urn:dmi:participant:nobody"):
        node.refused(node.ask("GET", f"/v1/inspection/participants/{unknown}", INSPECTING), 404, "not-found")
    node.post(f"/v1/participants/{leaving.participant}/end", {}, OPERATING)
    node.refused(node.ask("GET", "/v1/inspection/findings", leaving), 403, "inactive-participant")


def test_each_participant_is_told_with_contribution_limits_agreements_and_findings(node: Node) -> None:
    text = running_against_a_rule(node, RADAR, 300_000)
    listed = {one["id"]: one for one in node.get("/v1/inspection/participants", INSPECTING)["items"]}
    assert EXCHANGE_PARTICIPANT not in listed, "it has no share, and would stand there as one that left"
    assert not any(name.startswith("urn:dmi:person:") for name in listed)
    taker = listed[VENDOR]
    assert taker["contribution"] | {"asked": 0} == {
        "offered": 0, "asked": 0, "short": 250_000, "early": True, "rides_free": True,
        "taken": 300_000,
    }  # fmt: skip
    assert (taker["running"], taker["findings"], taker["quality"]) == ({"given": 0, "got": 1}, 1, None)
    assert listed[OWNER]["contribution"]["offered"] == 300_000

    whole = node.get(f"/v1/inspection/participants/{VENDOR}", INSPECTING)
    limits = {one["limit"]: one for one in whole["limits"]}
    commons, term = limits["dmi:limit:commons"], limits["dmi:limit:term"]
    assert (commons["used"], commons["over"], commons["under"]) == (300_000, True, OWNER)
    end = clock.from_text(until(300)["rightOperand"]["@value"])
    days = -(-(end - clock.now()) // 86_400_000_000)
    assert (term["used"], term["over"], term["under"]) == (days, False, text["uid"])
    assert limits["dmi:limit:retention"]["used"] is None
    assert [one["id"] for one in whole["agreements"]] == [text["uid"]]
    (found,) = whole["found"]
    assert found == node.get("/v1/inspection/findings", INSPECTING)["items"][0]
    assert {"dmi:rule:retention", "dmi:rule:commons"} <= {one["rule"] for one in found["reasons"]}
    assert all(one["since"] and set(one["detail"]) == {"nl", "en"} for one in found["reasons"])
    assert node.get(f"/v1/inspection/findings?participant={BOARD}", INSPECTING)["items"] == []
    assert node.get(f"/v1/agreements/{text['uid']}", INSPECTING)["id"] == text["uid"]


def test_the_inspector_searches_all_decisions_sees_no_person_and_keeps_what_an_outsider_checks(
    unused: Node,
) -> None:
    node = unused
    other = "urn:dmi:participant:x"
    report(
        node,
        decision(1),
        decision(2, VENDOR, BICYCLES, subjects=[NOOR]),
        decision(3, NOOR, BICYCLES),
        decision(4, other, GARAGES, agreements=["urn:uuid:a"]),
    )
    signed(node, 4)

    def numbers(query: str, who: Who = INSPECTING) -> list[int]:
        return [one["sequence"] for one in node.get(f"/v1/log?{query}", who)["items"]]

    assert numbers("newest=true") == [4, 3, 2, 1]
    assert numbers(f"participant={other}") == [4]
    assert numbers(f"participant={VENDOR}&dataset={BICYCLES}") == [2]
    assert numbers(f"participant={OWNER}", SELLING) == [1, 2]
    assert numbers("agreement=urn:uuid:a&limit=1") == [4]
    moment = node.get("/v1/log", INSPECTING)["items"][1]["at"]
    assert numbers(f"from={moment}&limit=2") == [2, 3]
    assert numbers(f"to={moment}") == [1]
    node.refused(node.ask("GET", f"/v1/log?participant={NOOR}", INSPECTING), 400, "invalid-input")
    node.refused(node.ask("GET", "/v1/log?from=yesterday", INSPECTING), 400, "invalid-input")
    for path in ("?limit=9", "/evidence", "/3/explanation", "/entries/3/proof", "/usage/agreements"):
        answer = node.ask("GET", f"/v1/log{path}", INSPECTING)
        assert answer.status_code == 200
        assert "urn:dmi:person" not in answer.text
    assert node.get("/v1/log/3/explanation", INSPECTING)["items"] == []
    kept = node.get("/v1/log/evidence?entry=3&entry=2&entry=99&since=1", INSPECTING)
    assert kept["next"] is None
    checked = examine([read(json.dumps(kept).encode())], kept["keys"], jose.verify_document)
    assert (checked.faults, sorted(checked.records)) == ([], [2, 3])
    assert [one["sequence"] for one in node.get("/v1/log/evidence?entry=1&entry=4", SELLING)["entries"]] == [
        1
    ]


def test_a_finding_tells_the_smallest_change_and_what_the_review_stopped_stays_told(node: Node) -> None:
    text = running_against_a_rule(node, CAMERA, 0, **{"dmi:legalBasis": "dmi:basis:consent"})

    def found_now() -> dict[str, Any]:
        items = node.get("/v1/inspection/findings", INSPECTING)["items"]
        return next(one for one in items if one["id"] == text["uid"])

    found = found_now()
    assert found["stopped"] is None
    assert [step["en"] for step in found["change"]["steps"]] == ["retention of personal data: 1096 d"]
    node.post(f"/v1/participants/{VENDOR}/end", {}, OPERATING)

    eventually(lambda: found_now()["stopped"] is not None)
    assert "Deelnemer weg" in found_now()["stopped"]["reason"]
