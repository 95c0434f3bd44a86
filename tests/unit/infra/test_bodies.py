"""What a body may hold depends on who sends it and where, and is judged before anything is made of it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Annotated, Any, cast

import httpx
import pytest
from fastapi import APIRouter, Depends, Form, Request
from starlette.types import Scope

from dmi_agreements.contracts.law import Heartbeat, Participant
from dmi_infra import clock, jose
from dmi_infra.http.access import Caller, identify
from dmi_infra.http.app import build_app
from dmi_infra.http.limits import (
    BYTES,
    FORM_BYTES,
    HEAVY_BYTES,
    LARGE_VALUES,
    MODEL_VALUES,
    OPEN_BYTES,
    OPEN_VALUES,
    UNDER_WAY,
    VALUES,
    heavy,
    large_body,
)
from dmi_infra.http.numbers import DIGITS, LONG_NUMBER, Numbers
from dmi_infra.http.shares import Shares
from dmi_infra.identity import AUDIENCE, EXCHANGE_PARTICIPANT
from dmi_infra.lanes import Asker
from dmi_infra.runtime import build_runtime
from dmi_infra.settings import Settings
from tests.unit.infra.fakes import VENDOR, FakeBus, as_bus

KEY = jose.SigningKey.generate()
MOST = 4 * BYTES
PART = 64 * 1024


async def _other_proof(request: Request) -> str:
    return request.headers["authorization"]


_other_proof.dmi_door = "those of another proof"  # type: ignore[attr-defined]


async def _crossing(request: Request) -> str:
    return (await identify(request)).participant


_crossing.dmi_crossing = "intake"  # type: ignore[attr-defined]


def _router() -> APIRouter:
    routes = APIRouter()

    @routes.post("/open")
    def anybody(body: dict[str, Any]) -> int:
        return len(body)

    @routes.post("/form")
    def fields(a: Annotated[str, Form()]) -> int:
        return len(a)

    @routes.post("/closed")
    def members(_identity: Caller, body: dict[str, Any]) -> int:
        return len(body)

    @routes.post("/crossing")
    def contributors(_who: Annotated[str, Depends(_crossing)], body: dict[str, Any]) -> int:
        return len(body)

    @routes.post("/proof")
    def others(_sender: Annotated[str, Depends(_other_proof)], body: dict[str, Any]) -> int:
        return len(body)

    @routes.post("/itself")
    async def reads_itself(request: Request, _sender: Annotated[str, Depends(_other_proof)]) -> int:
        return len(await request.body())

    @routes.post("/large", dependencies=[Depends(large_body)])
    async def large(request: Request, _identity: Caller) -> int:
        return len(await request.body())

    return routes


class Service:
    """An application with a law, and how much of a body it has asked for."""

    def __init__(self, folder: Path) -> None:
        settings = Settings(data_dir=folder, body_limit=MOST)
        self.runtime = build_runtime("platform", settings, as_bus(FakeBus()))
        law = self.runtime.law.table
        law.apply(Participant(EXCHANGE_PARTICIPANT, "Exchange", [], [KEY.public], rulebook="1.0.0"))
        law.apply(Participant(VENDOR, VENDOR, [], rulebook="1.0.0"))
        law.apply(Heartbeat("urn:dmi:heartbeat", clock.now() + 4_000_000))
        app = build_app(self.runtime, "Test", "A test.", [_router()])
        self.runner = asyncio.Runner()
        self.client = httpx.AsyncClient(transport=httpx.ASGITransport(cast(Any, app)), base_url="http://node")
        self.taken = 0

    def token(self) -> str:
        now = clock.now() // 1_000_000
        claims = jose.access_claims(self.runtime.settings.issuer, AUDIENCE, VENDOR, "Ans", [], now)
        return f"Bearer {KEY.sign_token(claims)}"

    def send(
        self, path: str, body: bytes, bearer: str = "", length: bool = False, media: str = "application/json"
    ) -> httpx.Response:
        """Post a body in parts that are counted, with or without its length."""

        async def parts() -> AsyncIterator[bytes]:
            for start in range(0, len(body), PART):
                self.taken += 1
                yield body[start : start + PART]

        headers = {"Content-Type": media, "Authorization": bearer}
        if length:
            headers["Content-Length"] = str(len(body))
        self.taken = 0
        kept = {name: value for name, value in headers.items() if value}
        return self.runner.run(self.client.post(path, content=parts(), headers=kept))


@pytest.fixture
def service(tmp_path: Path) -> Iterator[Service]:
    made = Service(tmp_path)
    yield made
    made.runner.run(made.client.aclose())
    made.runner.close()


@pytest.fixture
def unread(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing may be made of a body."""

    async def never(_request: Request) -> None:
        raise AssertionError("the body was read")

    monkeypatch.setattr(Request, "json", never)


def lists(number: int) -> bytes:
    """An object that holds about so many empty lists."""
    return b'{"x":[' + b",".join([b"[]"] * number) + b"]}"


def problem(answer: httpx.Response, status: int) -> dict[str, Any]:
    assert answer.status_code == status, answer.text
    assert answer.headers["content-type"] == "application/problem+json"
    found: dict[str, Any] = answer.json()
    return found


@pytest.mark.usefixtures("unread")
@pytest.mark.parametrize("bearer", ["", "Bearer x", "Basic abc"])
@pytest.mark.parametrize("length", [False, True])
@pytest.mark.parametrize("path", ["/closed", "/crossing"])
def test_of_who_is_not_signed_in_not_a_byte_is_read_where_that_is_asked(
    service: Service, path: str, bearer: str, length: bool
) -> None:
    for body in (b"{}", lists(11_000), lists(400_000)):
        assert problem(service.send(path, body, bearer, length), 401)["type"].endswith("unauthenticated")
        assert service.taken == 0


@pytest.mark.usefixtures("unread")
@pytest.mark.parametrize(
    ("path", "size"),
    [("/open", OPEN_BYTES), ("/closed", BYTES), ("/crossing", BYTES), ("/proof", BYTES)],
)
def test_a_body_above_what_its_route_takes_is_refused_before_it_is_read_whole(
    service: Service, path: str, size: int
) -> None:
    body = b'{"x": "' + b"y" * size + b'"}'
    for length in (False, True):
        found = problem(service.send(path, body, service.token(), length), 413)
        rule = f"may hold at most {size} bytes here"
        assert found["errors"] == [{"field": "body", "rule": rule}]
        assert service.taken <= (0 if length else size // PART + 1)


@pytest.mark.usefixtures("unread")
@pytest.mark.parametrize(
    ("path", "most"),
    [
        ("/open", OPEN_VALUES),
        ("/closed", MODEL_VALUES),
        ("/proof", MODEL_VALUES),
        ("/itself", VALUES),
        ("/large", LARGE_VALUES),
    ],
)
def test_a_body_of_more_values_than_take_a_moment_to_read_is_refused_unread(
    service: Service, path: str, most: int
) -> None:
    found = problem(service.send(path, lists(most // 2 + 2), service.token()), 413)
    assert found["errors"] == [{"field": "body", "rule": f"may hold at most {most} values here"}]


@pytest.mark.usefixtures("unread")
def test_the_fields_of_a_form_count_too(service: Service) -> None:
    found = problem(service.send("/open", b"a=1&" * (OPEN_VALUES + 1)), 413)
    assert found["errors"] == [{"field": "body", "rule": f"may hold at most {OPEN_VALUES} values here"}]


FIELDS = "application/x-www-form-urlencoded"


@pytest.mark.parametrize(
    ("body", "rule"),
    [
        (b"a=" + b"%" * (OPEN_VALUES + 1), f"may hold at most {OPEN_VALUES} values here"),
        (b"a=" + b"y" * FORM_BYTES, f"may hold at most {FORM_BYTES} bytes here"),
    ],
)
def test_a_form_holds_no_more_than_an_assertion_needs(service: Service, body: bytes, rule: str) -> None:
    for media in (FIELDS, "multipart/form-data; boundary=x"):
        found = problem(service.send("/form", body, media=media), 413)
        assert found["errors"] == [{"field": "body", "rule": rule}]
    assert service.send("/form", b"a=" + b"9" * 16_384 + b"%3A" * 100, media=FIELDS).json() == 16_484


@pytest.mark.usefixtures("unread")
@pytest.mark.parametrize("path", ["/open", "/closed", "/proof", "/itself", "/large"])
def test_a_number_that_takes_long_to_read_is_refused_unread(service: Service, path: str) -> None:
    body = b'{"x": [' + b" " * PART + b"9" * (DIGITS + 1) + b"]}"
    found = problem(service.send(path, body, service.token()), 400)
    assert found["errors"] == [{"field": "body", "rule": LONG_NUMBER}]


def test_a_long_number_is_found_however_its_body_is_cut() -> None:
    longest = b'{"\xc3\xa9 1": -%s.%s, "b": "%s", "c": "1"}' % (
        b"9" * DIGITS,
        b"1" * DIGITS,
        b"1" * 3 * DIGITS,
    )
    for cut in range(1, len(longest) + 1):
        numbers = Numbers()
        pieces = [longest[start : start + cut] for start in range(0, len(longest), cut)]
        assert not any(numbers.too_long(piece) for piece in pieces), cut
        for longer in (longest + b"9" * (DIGITS + 1), longest.replace(b".", b"9,", 1), b"1" * (DIGITS + 1)):
            numbers = Numbers()
            pieces = [longer[start : start + cut] for start in range(0, len(longer), cut)]
            assert any(numbers.too_long(piece) for piece in pieces), (cut, longer)


@pytest.mark.parametrize(("size", "turns"), [(HEAVY_BYTES // 2, 0), (HEAVY_BYTES, 1)])
def test_a_body_of_many_bytes_waits_its_turn_too(
    service: Service, monkeypatch: pytest.MonkeyPatch, size: int, turns: int
) -> None:
    taken: list[str] = []

    async def take(_shares: Shares, _scope: Scope, asker: Asker) -> None:
        taken.append(asker.party)

    monkeypatch.setattr(Shares, "take_to_read", take)
    assert service.send("/closed", b'{"x": "' + b"y" * size + b'"}', service.token()).json() == 1
    assert taken == [VENDOR] * turns


def test_the_bodies_of_one_participant_that_are_under_way_have_a_bound_together(service: Service) -> None:
    """Nobody is kept waiting by a body that never ends, so nothing else would bound what is kept of them."""
    rest, half = asyncio.Event(), [asyncio.Event() for _ in range(UNDER_WAY)]

    async def begun(here: asyncio.Event) -> AsyncIterator[bytes]:
        yield b"y" * (MOST - 1)
        here.set()
        await rest.wait()
        yield b"y"

    async def whole(size: int) -> AsyncIterator[bytes]:
        yield b"y" * size

    def post(parts: AsyncIterator[bytes]) -> asyncio.Task[httpx.Response]:
        headers = {"Authorization": service.token(), "Content-Type": "application/json"}
        return asyncio.create_task(service.client.post("/large", content=parts, headers=headers))

    async def story() -> None:
        slow = [post(begun(here)) for here in half]
        for here in half:
            await here.wait()
        refused = await post(whole(HEAVY_BYTES + 1))
        assert "under way: at most" in problem(refused, 503)["detail"]
        assert (await post(whole(HEAVY_BYTES))).status_code == 200, "what is light counts for nothing"
        rest.set()
        assert {(await one).status_code for one in slow} == {200}
        assert (await post(whole(MOST))).status_code == 200

    service.runner.run(story())


def test_a_body_that_came_slowly_is_not_read_once_the_key_of_who_sends_it_has_ended(service: Service) -> None:
    token = service.token()

    async def parts() -> AsyncIterator[bytes]:
        yield b"y"
        service.runtime.law.table.apply(
            Participant(
                EXCHANGE_PARTICIPANT, "Exchange", [], [jose.SigningKey.generate().public], rulebook="1.0.0"
            )
        )
        yield b"y"

    headers = {"Authorization": token, "Content-Type": "application/json"}
    answer = service.runner.run(service.client.post("/large", content=parts(), headers=headers))
    problem(answer, 401)


def test_what_a_route_takes_is_read(service: Service) -> None:
    token = service.token()
    assert service.send("/open", lists(OPEN_VALUES // 2 - 5)).json() == 1
    assert service.send("/itself", lists(VALUES // 2 - 5), token).status_code == 200
    for path in ("/closed", "/crossing", "/proof"):
        assert service.send(path, lists(MODEL_VALUES // 2 - 5), token).json() == 1
        assert service.send(path, b'{"x": "' + b"y" * (BYTES - 20) + b'"}', token).json() == 1
    assert service.send("/large", b"y" * MOST, token).json() == MOST
    assert problem(service.send("/large", b"y" * (MOST + 1), token), 413)["errors"]


def test_what_anybody_may_send_is_not_heavy() -> None:
    assert not heavy(b"y" * BYTES)
    assert heavy(b"y" * (BYTES + 1))
    assert not heavy(lists(VALUES // 2 - 5))
    assert heavy(lists(VALUES // 2 + 1))


def test_the_setting_tells_every_limit_that_a_body_has() -> None:
    told = str(Settings.model_fields["body_limit"].description)
    for values in (OPEN_VALUES, MODEL_VALUES, VALUES, LARGE_VALUES):
        assert f"{values:,} values" in told
    for size in (f"{OPEN_BYTES // 1024} KiB", f"{BYTES // 1024**2} MiB"):
        assert size in told
