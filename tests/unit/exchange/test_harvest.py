"""What anybody may take without a token, and what costs: all in one line, and not made again for nothing."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from typing import Any

import pytest

from dmi_agreements.contracts.envelope import encode
from dmi_agreements.contracts.law import Participant
from dmi_agreements.contracts.record import Quality, RecordBatch
from dmi_exchange.catalogue import dcat
from dmi_exchange.catalogue.harvest import Texts
from dmi_exchange.consumer import TOPICS
from dmi_exchange.logbook.tree import Tree
from dmi_infra import clock
from dmi_infra.aside import WAITING_OF_ONE
from tests.unit.exchange.fakes import HERE, SELLING, Node, furnish, running
from tests.unit.exchange.test_finding import taken
from tests.unit.exchange.test_log import decision, report, signed
from tests.unit.exchange.test_long_requests import FLOOD, Held, borrowed
from tests.unit.infra.fakes import GARAGES, OWNER, eventually, message


class Counted:
    """Makes graphs as ``dcat.graph``, and knows how often."""

    def __init__(self) -> None:
        self.times = 0
        self._graph = dcat.graph

    def __call__(self, *of: Any) -> Any:
        self.times += 1
        return self._graph(*of)


@pytest.fixture(scope="module")
def node(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Node]:
    with running(tmp_path_factory.mktemp("node")) as made:
        furnish(made)
        yield made


@pytest.fixture
def counted(monkeypatch: pytest.MonkeyPatch) -> Counted:
    made = Counted()
    monkeypatch.setattr(dcat, "graph", made)
    return made


def test_a_page_is_made_once_for_all_requests_of_the_same_entries(node: Node, counted: Counted) -> None:
    node.publish(GARAGES, title={"nl": "Nog nooit geoogst"})
    first = taken(node, "text/turtle")
    assert {taken(node, "text/turtle", query).text for query in ("", "?limit=50", "?after=a")} == {first.text}
    assert counted.times == 1
    assert taken(node, "application/ld+json").text != first.text
    assert "link" in taken(node, "text/turtle", "?limit=1").headers
    assert counted.times == 3


def _measure(node: Node) -> None:
    now = clock.now()
    batch = RecordBatch("platform", quality=[Quality(GARAGES, now, 3600, 4, now - 5, 200, 10, 180, 3)])
    node.bus.publish(TOPICS[0], [message(encode(batch))])
    eventually(lambda: GARAGES in node.store.catalogue.quality([GARAGES]))


def _offer(node: Node) -> None:
    wish = {"id": "urn:dmi:listing:gemeente:a", "kind": "data", "direction": "demand", "spatial": HERE}
    node.post("/v1/listings", {**wish, "title": {"nl": "Gezocht: maat"}})


def _rename(node: Node) -> None:
    def renamed(known: Participant | None) -> Participant:
        assert known is not None
        return Participant(OWNER, "Stad van toon", known.roles, known.keys, rulebook=known.rulebook)

    node.store.settle(Participant, OWNER, renamed)


CHANGES = {
    "title": (lambda node: node.publish(GARAGES, title={"nl": "ritme"}), "ritme"),
    "listing": (_offer, "Gezocht: maat"),
    "measured": (_measure, "dqv:hasQualityMeasurement"),
    "name": (_rename, "Stad van toon"),
}


@pytest.mark.parametrize("what", CHANGES)
def test_a_page_is_made_anew_when_anything_that_it_tells_has_changed(
    node: Node, counted: Counted, what: str
) -> None:
    change, told = CHANGES[what]
    assert told not in taken(node, "text/turtle").text
    before = counted.times
    change(node)
    assert told in taken(node, "text/turtle").text
    assert counted.times == before + 1


def test_so_many_texts_are_kept_and_so_many_bytes_of_them() -> None:
    texts = Texts(most=3, size=10)
    for name in (b"a", b"b", b"c"):
        texts.keep(name, b"123")
    assert texts.get(b"a") == b"123"
    texts.keep(b"d", b"1")
    assert [texts.get(name) for name in (b"a", b"b", b"c", b"d")] == [b"123", None, b"123", b"1"]
    texts.keep(b"e", b"1234567890")
    assert [texts.get(name) for name in (b"a", b"c", b"d")] == [None] * 3
    texts.keep(b"f", b"12345678901")
    assert (texts.get(b"e"), texts.get(b"f")) == (b"1234567890", None)


SLOW: dict[str, tuple[str, Any, str]] = {
    "linked data": ("/v1/catalogue", dcat, "graph"),
    "table": ("/v1/catalogue?as=csv", dcat, "as_csv"),
    "proof between heads": ("/v1/log/consistency?first=1&second=2", Tree, "consistency"),
}


@pytest.mark.parametrize("what", SLOW)
def test_a_flood_of_who_proves_nothing_takes_one_thread_and_none_of_those_that_answer_others(
    node: Node, monkeypatch: pytest.MonkeyPatch, what: str
) -> None:
    path, where, name = SLOW[what]
    report(node, *(decision(number, OWNER) for number in (1, 2)))
    signed(node, node.store.log.end() or 0)
    held = Held()
    monkeypatch.setattr(where, name, held)
    accept = {"Accept": "text/csv" if path.endswith("csv") else "*/*"}
    member = {"Authorization": f"Bearer {node.token(SELLING)}"}

    async def flood() -> tuple[int, list[int]]:
        asking = [asyncio.create_task(node.client.get(path, headers=accept)) for _ in range(FLOOD)]
        try:
            async with asyncio.timeout(10):
                while held.inside == 0 or borrowed():
                    await asyncio.sleep(0.01)
                answer = await node.client.get("/v1/agreements", headers=member)
        finally:
            held.go.set()
            found = [one.status_code for one in await asyncio.gather(*asking)]
        return answer.status_code, found

    assert node.runner.run(flood()) == (200, [404] * FLOOD)
    assert held.most == 1


@pytest.mark.parametrize(
    ("path", "name"), [("/v1/catalogue?limit=1", "graph"), ("/v1/catalogue?as=csv", "as_csv")]
)
def test_a_text_that_is_kept_is_given_also_while_the_line_of_what_is_made_is_full(
    node: Node, monkeypatch: pytest.MonkeyPatch, path: str, name: str
) -> None:
    accept = {"Accept": "text/csv" if name == "as_csv" else "text/turtle"}
    # The others ask for what nobody asked for before.
    node.publish(GARAGES, title={"nl": f"Nieuw voor {name}"})
    before = node.runner.run(node.client.get(path, headers=accept))
    held = Held()
    monkeypatch.setattr(dcat, "graph", held)
    monkeypatch.setattr(dcat, "as_csv", held)

    async def behind_others() -> tuple[int, bytes, int]:
        others = [
            asyncio.create_task(
                node.client.get(f"/v1/catalogue?limit={one}", headers={"Accept": "text/turtle"})
            )
            for one in range(300, 300 + WAITING_OF_ONE + 2)
        ]
        try:
            async with asyncio.timeout(10):
                while not any(one.done() for one in others):
                    await asyncio.sleep(0.01)
                answer = await node.client.get(path, headers=accept)
        finally:
            held.go.set()
            refused = [one.status_code for one in await asyncio.gather(*others)].count(503)
        return answer.status_code, answer.content, refused

    assert node.runner.run(behind_others()) == (200, before.content, 1)
