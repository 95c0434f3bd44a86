"""Who acts for a person changes: at once, everywhere, by the operator alone."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import httpx
import pytest

from dmi_infra import clock
from tests.unit.exchange.fakes import LIVING, OFFICER, OPERATING, RESIDENT, Node, Who, furnish, running
from tests.unit.exchange.test_consents import KIM, MOTHER, MUM, covered, give, hosted
from tests.unit.exchange.test_paper_keys import access, ask, letter
from tests.unit.infra.fakes import OWNER, VENDOR, eventually

AUNT = "urn:dmi:person:tante"
GUARDIAN = Who(AUNT, (RESIDENT,))
OF_AGE = "2035-05-01"


@pytest.fixture
def node(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Node]:
    with running(tmp_path_factory.mktemp("exchange")) as made:
        furnish(made)
        for name in (MUM, AUNT):
            hosted(made, name)
        hosted(made, KIM, representatives=[MUM], of_age_on=OF_AGE)
        yield made


def represented_by(node: Node, *names: str, who: Who = OPERATING, **more: Any) -> httpx.Response:
    body = {"representatives": list(names), **more}
    return node.ask("PUT", f"/v1/participants/{KIM}/representatives", who, json=body)


def sees(node: Node, who: Who) -> int:
    return node.ask("GET", f"/v1/my-data/copy?for={KIM}", who).status_code


def test_another_guardian_takes_over_and_the_former_one_has_no_say_left_in_any_way(node: Node) -> None:
    given = give(node, MOTHER, **{"for": KIM})
    by_letter = access(node, letter(node, MOTHER, KIM))
    assert ask(node, "GET", "/v1/my-data/requests", by_letter).status_code == 200
    assert (sees(node, MOTHER), sees(node, GUARDIAN)) == (200, 404)
    answer = represented_by(node, AUNT, of_age_on=OF_AGE)
    assert (answer.json()["representatives"], answer.json()["of_age_on"]) == ([AUNT], OF_AGE)
    assert (sees(node, MOTHER), sees(node, GUARDIAN)) == (404, 200)
    for right in ("erasure", "stop", "letter"):
        answer = node.ask("POST", f"/v1/my-data/{right}", MOTHER, json={"for": KIM})
        node.refused(answer, 404, "not-found")
    problem = node.refused(ask(node, "GET", "/v1/my-data/requests", by_letter), 401, "unauthenticated")
    assert "does not act" in problem["detail"]
    # What she consented to while she could goes on until somebody who can now withdraws it.
    ends = f"/v1/consents/{given['id']}/withdraw"
    node.refused(node.ask("POST", ends, MOTHER, json={}), 404, "not-found")
    assert KIM in covered(node, VENDOR)
    assert node.post(ends, {}, GUARDIAN)["ended_by"] == AUNT
    assert KIM not in covered(node, VENDOR)


def test_representation_ends_and_gets_a_day_on_which_it_ends(node: Node) -> None:
    # A change of who acts for a child leaves the day on which it comes of age.
    assert represented_by(node, MUM, AUNT).json()["of_age_on"] == OF_AGE
    assert (sees(node, MOTHER), sees(node, GUARDIAN)) == (200, 200)
    past = clock.to_text(clock.now() - 86_400_000_000)[:10]
    represented_by(node, MUM, of_age_on=past)
    assert sees(node, MOTHER) == 404
    represented_by(node, MUM)
    assert sees(node, MOTHER) == 404
    assert represented_by(node, MUM, of_age_on=None).json()["of_age_on"] is None
    assert sees(node, MOTHER) == 200
    represented_by(node, MUM, of_age_on=OF_AGE)
    assert represented_by(node).json()["of_age_on"] is None
    assert sees(node, MOTHER) == 404


@pytest.mark.parametrize(
    ("names", "more", "field"),
    [
        ((KIM,), {}, "representatives.0"),
        ((MUM, OWNER), {}, "representatives.1"),
        ((MUM, "urn:dmi:person:onbekend"), {}, "representatives.1"),
        ((), {"of_age_on": OF_AGE}, "of_age_on"),
    ],
)
def test_what_cannot_be_entered_changes_nothing(
    node: Node, names: tuple[str, ...], more: dict[str, Any], field: str
) -> None:
    problem = node.refused(represented_by(node, *names, **more), 400, "invalid-input")
    assert [one["field"] for one in problem["errors"]] == [field]
    assert sees(node, MOTHER) == 200


def test_who_has_left_acts_for_nobody_and_cannot_be_entered(node: Node) -> None:
    node.service.app.state.exchange.leave(OPERATING.participant, AUNT)
    problem = node.refused(represented_by(node, MUM, AUNT), 400, "invalid-input")
    assert [(one["field"], one["rule"]) for one in problem["errors"]] == [
        ("representatives.1", "must be a person that has not left")
    ]
    assert sees(node, MOTHER) == 200


def test_the_operator_alone_says_who_acts_for_a_person(node: Node) -> None:
    for who in (MOTHER, GUARDIAN, LIVING, OFFICER, Who(KIM, (RESIDENT,))):
        node.refused(represented_by(node, AUNT, who=who), 403, "wrong-role")
        seen = node.ask("GET", f"/v1/participants/{KIM}/representatives", who)
        node.refused(seen, 403, "wrong-role")
    for whose, status in ((OWNER, 400), ("urn:dmi:person:onbekend", 404)):
        path = f"/v1/participants/{whose}/representatives"
        assert node.ask("PUT", path, OPERATING, json={"representatives": []}).status_code == status
    assert sees(node, MOTHER) == 200


def test_the_desk_sees_by_name_who_acts_for_a_person_and_the_person_reads_that_it_was_changed(
    node: Node,
) -> None:
    path = f"/v1/participants/{KIM}/representatives"
    assert node.get(path, OPERATING) == {
        "id": KIM, "name": ":Kim", "representatives": [{"id": MUM, "name": "Mama"}], "of_age_on": OF_AGE,
    }  # fmt: skip
    represented_by(node, AUNT)
    assert [one["id"] for one in node.get(path, OPERATING)["representatives"]] == [AUNT]

    def told() -> list[dict[str, Any]]:
        entries = node.get("/v1/log", Who(KIM, (RESIDENT,)))["items"]
        return [one for one in entries if one["action"] == "dmi:represent"]

    eventually(lambda: len(told()) == 1)
    assert (told()[0]["persons"], told()[0]["assignee"]) == (1, OPERATING.participant)
    for whose in (OWNER, "urn:dmi:person:onbekend"):
        seen = node.ask("GET", f"/v1/participants/{whose}/representatives", OPERATING)
        node.refused(seen, 404, "not-found")
