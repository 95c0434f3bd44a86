"""Doors of routes: who comes in, with which role, for which purpose."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Iterator
from pathlib import Path
from threading import Timer
from typing import Annotated, Any, cast

import httpx
import msgspec
import pytest
from fastapi import APIRouter, Depends

from dmi_agreements.contracts.law import AgreementState, Dataset, Heartbeat, Participant
from dmi_agreements.keys import ended
from dmi_infra import clock, jose
from dmi_infra.errors import Unauthenticated
from dmi_infra.http.access import Caller, Opening, RightHolder, gated, identify, roles
from dmi_infra.http.app import build_app
from dmi_infra.identity import AUDIENCE, EXCHANGE_PARTICIPANT, PAPER, Identity
from dmi_infra.runtime import build_runtime
from dmi_infra.settings import Settings
from tests.unit.infra.fakes import GARAGES, NOOR, OWNER, STACK, VENDOR, FakeBus, as_bus, document

KEY = jose.SigningKey.generate()


class Door:
    """A service with one route of each kind, its law, and a caller."""

    def __init__(self, folder: Path, *more: APIRouter) -> None:
        self.runtime = build_runtime("platform", Settings(data_dir=folder), as_bus(FakeBus()))
        self.law = self.runtime.law.table
        self.law.apply(Participant(EXCHANGE_PARTICIPANT, "Exchange", [], [KEY.public], rulebook="1.0.0"))
        for identifier in (OWNER, STACK, VENDOR):
            self.law.apply(Participant(identifier, identifier, [], rulebook="1.0.0"))
        self.law.apply(Dataset(GARAGES, OWNER, {}, purpose="dmi:purpose:mobility"))
        for party in (STACK, VENDOR):
            text = document(OWNER, party, GARAGES, ["dmi:read"])
            self.law.apply(AgreementState(text["uid"], text, "active"))
        self.beat()
        routes = APIRouter()

        @routes.get("/any")
        def anyone(identity: Annotated[Identity, Depends(identify)]) -> str:
            return identity.participant

        @routes.get("/member")
        def member(identity: Caller) -> str:
            return identity.participant

        @routes.post("/member")
        def work(identity: Caller) -> str:
            return identity.participant

        @routes.post("/rights")
        def rights(identity: RightHolder) -> list[str]:
            return sorted(identity.roles)

        @routes.get("/operator")
        def operator(identity: Annotated[Identity, Depends(roles("dmi:role:operator"))]) -> str:
            return identity.name

        @routes.get("/data")
        def data(door: Annotated[Opening, Depends(gated("query", "dmi:read"))]) -> list[str]:
            return (
                [door.preview(GARAGES)[0].code]
                if door.preview(GARAGES)
                else list(door.permit(GARAGES).agreements)
            )

        self.app = build_app(self.runtime, "Test", "A test.", [routes, *more])
        self.runner = asyncio.Runner()
        transport = httpx.ASGITransport(cast(Any, self.app))
        self.client = httpx.AsyncClient(transport=transport, base_url="http://node")

    def beat(self, late: int = 0) -> None:
        # A little ahead, so that a slow test does not find the law stale.
        self.law.apply(Heartbeat("urn:dmi:heartbeat", clock.now() + 4_000_000 - late))

    def ask(self, path: str, who: str = VENDOR, *held: str, **headers: str) -> httpx.Response:
        given = {"Authorization": self._bearer(who, held), **headers}
        return self.runner.run(self.client.get(path, headers={k: v for k, v in given.items() if v}))

    def send(self, path: str, who: str, *held: str) -> httpx.Response:
        return self.runner.run(self.client.post(path, headers={"Authorization": self._bearer(who, held)}))

    def _bearer(self, who: str, held: Iterable[str]) -> str:
        now = clock.now() // 1_000_000
        claims = jose.access_claims(self.runtime.settings.issuer, AUDIENCE, who, "Ans", list(held), now)
        return f"Bearer {KEY.sign_token(claims)}"


@pytest.fixture
def door(tmp_path: Path) -> Iterator[Door]:
    made = Door(tmp_path)
    yield made
    made.runner.run(made.client.aclose())
    made.runner.close()


def code(answer: httpx.Response) -> str:
    return str(answer.json()["type"]).rsplit(":", 1)[1]


@pytest.mark.parametrize(
    "header", ["", "Basic abc", "Bearer", "Bearer ", "bearer x", "Bearer a b c", "x" * 5000]
)
@pytest.mark.parametrize("path", ["/any", "/member", "/operator", "/data"])
def test_without_a_token_that_holds_no_door_opens(door: Door, path: str, header: str) -> None:
    answer = door.ask(path, Authorization=header)
    assert (answer.status_code, code(answer)) == (401, "unauthenticated")
    assert answer.headers["www-authenticate"] == "Bearer"


def test_an_identity_is_enough_where_nothing_more_is_asked(door: Door) -> None:
    assert door.ask("/any", "urn:dmi:participant:new").json() == "urn:dmi:participant:new"


def test_the_door_of_a_service_that_keeps_no_codes_closes_when_the_code_of_a_letter_ends(door: Door) -> None:
    now = clock.now()
    claims = jose.access_claims(
        door.runtime.settings.issuer, AUDIENCE, NOOR, "Noor", [], now // 1_000_000, method=PAPER, client=NOOR,
        letter=now,
    )  # fmt: skip
    headers = {"Authorization": f"Bearer {KEY.sign_token(claims)}"}
    person = Participant(NOOR, "Noor", [], letter_at=now)

    def come_in() -> httpx.Response:
        return door.runner.run(door.client.get("/any", headers=headers))

    door.law.apply(person)
    assert come_in().json() == NOOR
    door.law.apply(msgspec.structs.replace(person, letter_at=now + 1))
    answer = come_in()
    assert (answer.status_code, code(answer)) == (401, "unauthenticated")
    assert "a new letter" in answer.json()["detail"]


def test_an_unsigned_participant_passes_no_members_door(door: Door) -> None:
    door.law.apply(Participant(VENDOR, VENDOR, []))
    for path in ("/member", "/operator", "/data"):
        answer = door.ask(path)
        assert (answer.status_code, code(answer)) == (403, "rulebook-not-signed")


def test_a_signature_under_a_rulebook_no_longer_in_force_does_not_count(door: Door) -> None:
    door.law.apply(Participant(VENDOR, VENDOR, [], rulebook="0.1.0"))
    assert code(door.ask("/member")) == "rulebook-not-signed"


def test_strangers_and_members_that_left_are_refused(door: Door) -> None:
    assert code(door.ask("/member", "urn:dmi:participant:stranger")) == "inactive-participant"
    door.law.apply(Participant(VENDOR, VENDOR, [], rulebook="1.0.0", active=False))
    assert code(door.ask("/member")) == "inactive-participant"


@pytest.mark.parametrize("left", [True, False])
def test_a_person_that_left_or_has_not_signed_holds_its_rights_and_no_role(door: Door, left: bool) -> None:
    door.law.apply(Participant(NOOR, NOOR, [], rulebook="1.0.0" if left else None, active=not left))
    assert door.ask("/member", NOOR, "dmi:role:operator").json() == NOOR
    assert code(door.ask("/operator", NOOR, "dmi:role:operator")) == "wrong-role"
    assert door.send("/rights", NOOR).json() == ["dmi:role:resident"]
    assert code(door.send("/member", NOOR)) == ("inactive-participant" if left else "rulebook-not-signed")


def test_a_person_that_works_for_a_body_holds_its_rights_too_and_a_body_holds_none(door: Door) -> None:
    board = "dmi:role:review-board"
    door.law.apply(Participant(NOOR, NOOR, [board], rulebook="1.0.0"))
    assert door.send("/rights", NOOR, board).json() == ["dmi:role:resident", board]
    assert door.send("/rights", VENDOR, board).json() == [board]


def test_a_stale_law_answers_503_with_retry_after_at_every_members_door(door: Door) -> None:
    door.beat(late=20_000_000)
    for path in ("/member", "/operator", "/data"):
        answer = door.ask(path, VENDOR, "dmi:role:operator")
        assert (answer.status_code, code(answer)) == (503, "law-stale")
        assert answer.headers["retry-after"]


def test_a_token_that_was_judged_before_the_law_was_read_is_not_called_wrong(
    door: Door, monkeypatch: pytest.MonkeyPatch
) -> None:
    def unread(_token: str) -> Identity:
        # The law is read to its end while the token is judged.
        door.beat()
        raise Unauthenticated("the token's key is not one of its issuer's keys")

    monkeypatch.setattr(door.law, "_heartbeat", None)
    monkeypatch.setattr(type(door.runtime.authenticate), "__call__", lambda _self, token: unread(token))
    assert code(door.ask("/any")) == "law-missing"
    assert code(door.ask("/any")) == "unauthenticated"


def test_a_role_opens_its_door_and_no_other_does(door: Door) -> None:
    assert door.ask("/operator", VENDOR, "dmi:role:operator").status_code == 200
    answer = door.ask("/operator", VENDOR, "dmi:role:analyst")
    assert (answer.status_code, code(answer)) == (403, "wrong-role")


def test_a_gated_door_works_under_the_purpose_of_the_dataset_or_the_one_that_is_stated(door: Door) -> None:
    assert len(door.ask("/data").json()) == 2
    assert len(door.ask("/data", VENDOR, **{"DMI-Purpose": "dmi:purpose:mobility"}).json()) == 2
    assert door.ask("/data", VENDOR, **{"DMI-Purpose": "dmi:purpose:air-quality"}).json() == ["wrong_purpose"]


@pytest.mark.parametrize("purpose", ["mobility", "dmi:purpose:any", "dmi:purpose:none", "x" * 300])
def test_a_purpose_outside_the_rulebook_is_refused(door: Door, purpose: str) -> None:
    answer = door.ask("/data", VENDOR, **{"DMI-Purpose": purpose})
    assert (answer.status_code, code(answer)) == (400, "invalid-input")


def test_a_token_for_a_key_of_a_moment_ago_waits_until_the_law_tells_of_it(door: Door) -> None:
    new = jose.SigningKey.generate()
    vendor = door.law.participants[VENDOR]
    told = Timer(0.15, door.law.apply, [msgspec.structs.replace(vendor, keys=[new.public])])
    told.start()
    now = clock.now() // 1_000_000
    claims = jose.access_claims(door.runtime.settings.issuer, AUDIENCE, VENDOR, "Ans", [], now, new.kid)
    given = {"Authorization": f"Bearer {KEY.sign_token(claims)}"}
    assert door.runner.run(door.client.get("/member", headers=given)).status_code == 200
    told.join()
    door.law.apply(msgspec.structs.replace(vendor, keys=[ended(new.public, 1)]))
    assert door.runner.run(door.client.get("/member", headers=given)).status_code == 401
