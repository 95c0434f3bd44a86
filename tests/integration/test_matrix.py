"""Route × identity, from the OpenAPI documents, in both deployments: no cell is left to chance."""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Protocol

import httpx
import pytest

from dmi_command.blueprints import SERVICES
from dmi_command.client import Client
from dmi_infra.clock import now, to_text
from dmi_infra.identity import AUDIENCE
from dmi_infra.jose import SigningKey, access_claims
from tests.architecture.test_routes import PUBLIC
from tests.stack_plugin import Stack

GARAGES = "urn:dmi:dataset:gemeente:garages"
FILLED = {
    "participant": "urn:dmi:participant:gemeente", "dataset": GARAGES, "layer": GARAGES,
    "datastream": "garages.centrum.occupancy", "z": "12", "x": "2106", "y": "1351", "result": GARAGES,
}  # fmt: skip
"""Values for path parameters; others get an id that names nothing."""


BEFORE_SIGNING = {
    "/v1/me", "/v1/participants/{participant}/statement", "/v1/participants/{participant}/signature",
}  # fmt: skip


@dataclass(frozen=True)
class Cell:
    """One operation of one service."""

    service: str
    method: str
    path: str

    @property
    def public(self) -> bool:
        return f"{self.service} {self.path}" in PUBLIC or f"* {self.path}" in PUBLIC

    @property
    def url(self) -> str:
        parts = [
            FILLED.get(part.strip("{}").split(":")[0], "urn:uuid:00000000-0000-0000-0000-000000000000")
            if part.startswith("{")
            else part
            for part in self.path.split("/")
        ]
        return f"/{self.service}{'/'.join(parts)}"

    def __str__(self) -> str:
        return f"{self.method} /{self.service}{self.path}"


def _cells(stack: Stack) -> Iterator[Cell]:
    for service in SERVICES:
        document = httpx.get(f"{stack.url}/{service}/openapi.json").json()
        for path, operations in document["paths"].items():
            for method in operations:
                yield Cell(service, method.upper(), path)


class Ask(Protocol):
    """Asks one cell with a token, or without one."""

    def __call__(self, cell: Cell, token: str | None) -> httpx.Response: ...


@pytest.fixture(scope="module")
def ask(stack: Stack) -> Iterator[Ask]:
    """Asks over connections that stay open: there are thousands of cells."""
    with httpx.Client(base_url=stack.url, timeout=20) as http:

        def asked(cell: Cell, token: str | None) -> httpx.Response:
            try:
                return once(cell, token)
            except httpx.RemoteProtocolError:
                # A server may close an open connection just when it is used again (RFC 9112, 9.5).
                return once(cell, token)

        def once(cell: Cell, token: str | None) -> httpx.Response:
            headers = {"Authorization": f"Bearer {token}"} if token else {}
            body: Any = {} if cell.method in ("POST", "PATCH", "PUT") else None
            with http.stream(cell.method, cell.url, headers=headers, json=body) as answer:
                # A stream of events ends only with the right to it: its status is enough.
                if not answer.headers.get("content-type", "").startswith("text/event-stream"):
                    answer.read()
                return answer

        yield asked


def _forged(stack: Stack, key: SigningKey, *, age: int = 0, audience: str = AUDIENCE) -> str:
    claims = access_claims(
        f"{stack.url}/exchange",
        audience,
        "urn:dmi:participant:gemeente",
        "x",
        ["dmi:role:municipality"],
        int(time.time()) - age,
    )
    return key.sign_token(claims)


def _exchange_key(stack: Stack) -> SigningKey:
    return SigningKey.load_or_create(stack.data_dir / "keys" / "participant_exchange.json")


def test_without_a_token_that_holds_every_route_but_the_public_ones_answers_401(
    stack: Stack, ask: Ask
) -> None:
    real, other = _exchange_key(stack), SigningKey.generate()
    identities = {
        "no token": None,
        "nonsense": "nonsense",
        "expired": _forged(stack, real, age=3600),
        "wrong audience": _forged(stack, real, audience="urn:dmi:elsewhere"),
        "wrong key": _forged(stack, other),
    }
    wrong = []
    for cell in _cells(stack):
        for name, token in identities.items():
            status = ask(cell, token).status_code
            if (status == 401) == cell.public:
                wrong.append(f"{cell}: {name} got {status}")
    assert wrong == []


@pytest.fixture(scope="module")
def unsigned(stack: Stack, ask: Ask) -> str:
    """The token of a participant that has not signed the rulebook."""
    key = SigningKey.generate()
    identifier = "urn:dmi:participant:nieuwkomer"
    with stack.demo("operator") as operator:
        operator.post(
            "/exchange/v1/participants",
            {"id": identifier, "name": "Nieuwkomer", "roles": ["dmi:role:user"], "keys": [key.public]},
        )
    with Client(stack.url, participant=identifier, key=key) as client:
        token = client.token()
    # Each service hears of a new participant by itself, within milliseconds.
    until = time.monotonic() + 10
    for service in SERVICES:
        cell = next(cell for cell in _cells(stack) if cell.service == service and not _for_newcomers(cell))
        while ask(cell, token).status_code == 401:
            assert time.monotonic() < until, service
    return token


def _for_newcomers(cell: Cell) -> bool:
    """Whether a participant may use it before it has signed the rulebook."""
    return cell.public or (cell.service == "exchange" and cell.path in BEFORE_SIGNING)


def test_before_the_rulebook_is_signed_nothing_but_signing_is_allowed(
    stack: Stack, ask: Ask, unsigned: str
) -> None:
    wrong = []
    for cell in _cells(stack):
        if _for_newcomers(cell):
            continue
        answer = ask(cell, unsigned)
        if answer.status_code != 403:
            wrong.append(f"{cell} got {answer.status_code}")
    assert wrong == []


def test_no_identity_gets_a_fault_of_ours_from_any_route(stack: Stack, ask: Ask) -> None:
    wrong = []
    for who in ("officer", "vendor", "analyst", "resident", "operator"):
        with stack.demo(who) as client:
            token = client.token()
        for cell in _cells(stack):
            if cell.method == "GET":
                answer = ask(cell, token)
                if answer.status_code == 503 and cell.path == "/health/ready":
                    # A consumer that Kafka gave no partition says so, and joins anew; then it must be ready.
                    stack.await_ready()
                    answer = ask(cell, token)
                if answer.status_code >= 500:
                    wrong.append(f"{cell}: {who} got {answer.status_code}: {answer.text[:500]}")
    assert wrong == []


def test_data_for_another_purpose_is_refused(stack: Stack) -> None:
    bicycles = "urn:dmi:dataset:gemeente:bicycle-air"
    with stack.demo("officer", purpose="dmi:purpose:research") as client:
        token = client.token()
    headers = {"Authorization": f"Bearer {token}", "DMI-Purpose": "dmi:purpose:research"}
    for path in (
        f"/platform/v1/latest?dataset={bicycles}",
        f"/visualisation/v1/layers/{bicycles}/features",
        f"/visualisation/v1/layers/{bicycles}/features?at={to_text(now() - 3_600_000_000)}",
        f"/visualisation/v1/layers/{bicycles}/events",
    ):
        answer = httpx.get(f"{stack.url}{path}", headers=headers)
        assert answer.status_code == 403, path
        assert answer.json()["type"] == "urn:dmi:problem:wrong-purpose"
