"""One standing consent of a person to the same: who waits for whom, and what is read how often."""

from __future__ import annotations

import threading
import uuid
from collections import Counter
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import Any, cast

import pytest

from dmi_agreements.contracts.law import AgreementState
from dmi_exchange.consent import standing
from dmi_exchange.consent.standing import Decide, Standing
from dmi_exchange.review.claims import Claims
from dmi_exchange.review.reasoner import Reasoner
from dmi_exchange.store import Store
from dmi_infra import clock
from dmi_infra.errors import Conflict
from tests.unit.exchange.review.test_reasoner import CITY, NOOR, SELLER, consent, reasoner

PIET = "urn:dmi:person:piet"
SECONDS = 5.0
"""In which a thread that waits for nobody has come through."""


class Law:
    """Keeps agreements, and counts what is read of whom; reads of ``held`` wait until it is let go."""

    def __init__(self) -> None:
        self.states: dict[str, AgreementState] = {}
        self.walks: Counter[str] = Counter()
        self.parsed: Counter[str] = Counter()
        self.held, self.entered, self.go_on = "", threading.Event(), threading.Event()
        self._real = reasoner()
        self.room = self

    def get(self, _kind: type[AgreementState], identifier: str) -> AgreementState | None:
        return self.states.get(identifier)

    def consents(self, person: str) -> list[AgreementState]:
        self.walks[person] += 1
        if person == self.held:
            self.entered.set()
            assert self.go_on.wait(SECONDS)
        given = [one for one in self.states.values() if one.document["assigner"] == person]
        return [one for one in given if one.state == "active"]

    def consented_since(self, person: str, _since: int) -> int:
        return sum(one.document["assigner"] == person for one in self.states.values())

    def claims(self, document: Mapping[str, Any]) -> Claims:
        self.parsed[document["uid"]] += 1
        return self._real.claims(document)

    def settle_all(self, _kind: type[AgreementState], changes: Mapping[str, Decide]) -> list[AgreementState]:
        made = {name: decide(self.states.get(name)) for name, decide in changes.items()}
        self.states.update(made)
        return list(made.values())


class Desk:
    """Gives consents of whoever a test wants."""

    def __init__(self) -> None:
        self.law = Law()
        self.standing = Standing(cast(Store, self.law), cast(Reasoner, self.law), self.law.settle_all)

    def give(self, document: dict[str, Any]) -> AgreementState:
        def decide(known: AgreementState | None) -> AgreementState:
            if known is not None:
                raise Conflict.of("document/uid", "an agreement with this uid exists already")
            return AgreementState(document["uid"], document, "active", concluded_at=clock.now())

        return self.standing.settle(document["assigner"], document, document["uid"], decide)


@pytest.fixture
def desk() -> Desk:
    return Desk()


def test_the_consent_of_one_person_waits_for_no_other_and_two_of_one_come_after_each_other(
    desk: Desk,
) -> None:
    law = desk.law
    law.held = NOOR
    with ThreadPoolExecutor(3) as pool:
        try:
            mine = [pool.submit(desk.give, consent(NOOR)) for _ in range(2)]
            assert law.entered.wait(SECONDS)
            assert pool.submit(desk.give, consent(PIET)).result(SECONDS).state == "active"
            assert law.walks[NOOR] == 1, "the second of the same person waits for the first"
        finally:
            law.go_on.set()
        for each in mine:
            each.result(SECONDS)
    assert [one.state for one in law.states.values() if one.document["assigner"] == NOOR].count("active") == 1


def test_a_name_that_is_taken_is_refused_before_anything_else_is_read(desk: Desk) -> None:
    document = consent()
    desk.give(document)
    desk.law.walks.clear()
    desk.law.parsed.clear()
    with pytest.raises(Conflict):
        desk.give(document)
    assert not desk.law.walks
    assert not desk.law.parsed


def test_what_stands_is_read_once_however_many_consents_follow(desk: Desk) -> None:
    first = consent(NOOR, CITY)
    desk.give(first)
    for _ in range(3):
        desk.give(consent(NOOR, SELLER))
    assert desk.law.parsed[first["uid"]] <= 2, "once as it was given, once as it stands"


def test_a_person_has_so_many_consents_and_may_still_change_each(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(standing, "MOST_STANDING", 2)
    desk.give(consent(NOOR, CITY))
    last = consent(NOOR, SELLER)
    desk.give(last)
    third = consent(NOOR, "urn:dmi:participant:derde")
    for refused in (lambda: desk.give(third), lambda: desk.standing.require_room(NOOR, [third])):
        with pytest.raises(Conflict, match="2 consents of this person may stand: withdraw one"):
            refused()
    newer = consent(NOOR, SELLER)
    desk.standing.require_room(NOOR, [newer])
    assert desk.give(newer).replaces == last["uid"]
    assert desk.give(consent(PIET, SELLER)).state == "active"


def test_a_consent_that_names_its_recipient_as_the_other_party_ends_none_to_another(desk: Desk) -> None:
    first, second, third = ({**consent(), "assignee": party} for party in (CITY, SELLER, SELLER))
    for each in (first, second, third):
        each["uid"] = f"urn:uuid:{uuid.uuid4()}"
        each["permission"] = [
            {**rule, "constraint": [one for one in rule["constraint"] if one["leftOperand"] != "recipient"]}
            for rule in each["permission"]
        ]
        desk.give(each)
    states = {name: one.state for name, one in desk.law.states.items()}
    assert states == {first["uid"]: "active", second["uid"]: "ended", third["uid"]: "active"}


def test_who_has_more_from_before_the_limit_still_changes_each(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    for other in (CITY, SELLER, "urn:dmi:participant:derde"):
        desk.give(consent(NOOR, other))
    monkeypatch.setattr(standing, "MOST_STANDING", 2)
    newer = consent(NOOR, SELLER)
    desk.standing.require_room(NOOR, [newer])
    assert desk.give(newer).state == "active"
    with pytest.raises(Conflict, match="2 consents of this person may stand"):
        desk.give(consent(NOOR, "urn:dmi:participant:vierde"))
