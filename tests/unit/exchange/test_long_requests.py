"""Requests that reckon long: none of them holds a thread that answers others, nor many of one participant together."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Iterator
from typing import Any

import anyio.to_thread
import pytest

from dmi_exchange.dsp.shelf import StoreShelf
from dmi_exchange.logbook import verifier
from dmi_exchange.logbook.entries import Entries
from dmi_exchange.logbook.tree import Tree
from dmi_exchange.review.before_signing import BeforeSigning
from dmi_exchange.review.reasoner import Reasoner
from dmi_infra.errors import NotFound
from tests.unit.exchange.fakes import OFFICER, SELLING, Node, Who, furnish, running
from tests.unit.exchange.test_log import decision, report, signed
from tests.unit.infra.fakes import GARAGES, OWNER, VENDOR, document

FLOOD = 60


@pytest.fixture(scope="module")
def node(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Node]:
    with running(tmp_path_factory.mktemp("node")) as made:
        furnish(made)
        yield made


class Held:
    """Stands in the place of what takes long; goes on when it is let go."""

    def __init__(self) -> None:
        self.inside, self.most = 0, 0
        self.go = threading.Event()
        self._lock = threading.Lock()

    def __call__(self, *_of: object, **_more: object) -> Any:
        with self._lock:
            self.inside += 1
            self.most = max(self.most, self.inside)
        self.go.wait(20)
        with self._lock:
            self.inside -= 1
        raise NotFound("this far and no further")


def proposal(node: Node) -> dict[str, Any]:
    text = document(OWNER, VENDOR, GARAGES, ["dmi:read"])
    return {"document": text, "jws": node.keys[OWNER].sign_document(text)}


def asked(node: Node, what: str) -> tuple[str, str, Any]:
    """Method, path and body of a request that takes long."""
    if what == "propose":
        return "POST", "/v1/agreements", proposal(node)
    if what in ("sign", "refine"):
        first = proposal(node)
        node.post("/v1/agreements", first)
        place = f"/v1/agreements/{first['document']['uid']}"
        if what == "sign":
            return "POST", f"{place}/signature", {"hosted": True}
        return "POST", f"{place}/refinement", proposal(node)
    if what == "review":
        return "POST", "/v1/review", {"document": proposal(node)["document"]}
    if what == "offer":
        return "POST", "/v1/offers", {"dataset": GARAGES, "template": "open-data", "parameters": {}}
    report(node, decision(1, OWNER, agreements=["urn:uuid:1"]))
    signed(node, node.store.log.end() or 0)
    paths = {"evidence": "evidence?limit=500", "explanation": "1/explanation", "verify": "verify"}
    return "GET", f"/v1/log/{paths[what]}", None


PLACES: dict[str, tuple[Any, str]] = {
    "evidence": (Tree, "inclusions"),
    "explanation": (Entries, "one"),
    "verify": (verifier, "check"),
    "propose": (BeforeSigning, "told"),
    "sign": (BeforeSigning, "told"),
    "refine": (BeforeSigning, "told"),
    "offer": (StoreShelf, "put"),
    "review": (Reasoner, "review"),
}


MOST = {"evidence": 9, "explanation": 9, "verify": 3}
"""Requests of one participant that are taken on, else 51: one that runs, and those that stand in line behind it."""


@pytest.mark.parametrize("what", PLACES)
def test_one_member_with_a_flood_of_them_takes_one_thread_and_none_of_those_that_answer_others(
    node: Node, monkeypatch: pytest.MonkeyPatch, what: str
) -> None:
    method, path, body = asked(node, what)
    held = Held()
    monkeypatch.setattr(*PLACES[what], held)

    async def ask(who: Who, method: str, path: str, body: Any = None) -> int:
        headers = {"Authorization": f"Bearer {node.token(who)}"}
        return (await node.client.request(method, path, headers=headers, json=body)).status_code

    async def flood() -> list[int]:
        mine = [asyncio.create_task(ask(OFFICER, method, path, body)) for _ in range(FLOOD)]
        try:
            async with asyncio.timeout(15):
                # Those beyond the share are answered, and who waits holds nothing.
                beyond = FLOOD - MOST.get(what, 51)
                while held.inside == 0 or sum(one.done() for one in mine) < beyond or borrowed():
                    await asyncio.sleep(0.01)
                assert await ask(SELLING, "GET", "/v1/agreements") == 200
        finally:
            held.go.set()
            found = await asyncio.gather(*mine)
        return found

    found = node.runner.run(flood())
    assert held.most == 1
    assert found.count(503) == FLOOD - MOST.get(what, 51)


def borrowed() -> int:
    """How many of the threads that answer requests are taken."""
    return anyio.to_thread.current_default_thread_limiter().borrowed_tokens


@pytest.mark.parametrize("what", ["propose", "sign", "refine"])
def test_the_solver_is_asked_for_nobody_who_did_not_sign(
    node: Node, monkeypatch: pytest.MonkeyPatch, what: str
) -> None:
    method, path, body = asked(node, what)
    held = Held()
    monkeypatch.setattr(BeforeSigning, "told", held)
    body.pop("hosted", None)
    for jws in ("a.b.c", node.keys[VENDOR].sign_document({"another": "text"})):
        answer = node.ask(method, path, OFFICER, json={**body, "jws": jws})
        (fault,) = node.refused(answer, 400, "invalid-input")["errors"]
        assert fault["field"] == "jws"
    assert held.most == 0
