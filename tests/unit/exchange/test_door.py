"""Who speaks for other nodes: one of them, whatever it sends or leaves unsaid, keeps nobody of another one waiting."""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Callable, Iterator
from types import SimpleNamespace
from typing import Any, cast

import msgspec
import pytest

from dmi_agreements.contracts.law import Participant
from dmi_exchange.dsp import door as doors
from dmi_exchange.dsp.client import Answer, Client, Unreachable
from dmi_exchange.dsp.door import NodeDoor, NodeTokens, Once, Speaker
from dmi_exchange.dsp.nodes import UNHEARD_SECONDS, Nodes
from dmi_exchange.handlers import Exchange
from dmi_exchange.settings import KnownNode
from dmi_exchange.store import Store
from dmi_infra import clock, jose, passes
from dmi_infra.errors import NotFound, Refused, Unauthenticated, Unavailable
from dmi_infra.http.access import let_in
from dmi_infra.http.shares import EACH, HELD, Shares, let_go

HERE = "http://here.example/exchange"
SLOW, QUICK = KnownNode(url="http://slow.example"), KnownNode(url="http://quick.example")
HERE_ITSELF = SimpleNamespace(issuer=HERE)
MEMBER, MINE = "urn:dmi:participant:quick", "urn:dmi:participant:mine"
SECOND = "urn:dmi:participant:second"
PATH = "/dsp/catalog/request"
LATE_SECONDS = 5.0
SOON_SECONDS = 1.0


class Two:
    """A door that knows two nodes. Both showed their keys; one of them answers no more until ``hold`` is set."""

    def __init__(self) -> None:
        self.hold = threading.Event()
        self.asked: list[str] = []
        self.keys = {node.issuer: jose.SigningKey.generate() for node in (SLOW, QUICK)}
        self.silent = False
        self.shares = Shares(patience=0.05)
        store = cast(Store, SimpleNamespace(get=lambda *_: None))
        exchange = cast(Exchange, SimpleNamespace(store=store))
        http = cast(Client, SimpleNamespace(get=self._get, ask=self._ask))
        self.nodes = Nodes([SLOW, QUICK], exchange, http, "urn:x")
        self.key = jose.SigningKey.generate()
        proof = NodeTokens(self.key, HERE, self.nodes)
        self.door = NodeDoor(HERE, self.nodes, store, [proof])
        for issuer, key in self.keys.items():
            assert self.nodes.key(issuer, key.kid)
            self.nodes._keys_at.clear()
        self.asked.clear()
        self.silent = True

    def _get(self, url: str) -> Answer:
        self._wait(url)
        return Answer(200, {"keys": [key.public for at, key in self.keys.items() if url.startswith(at)]}, {})

    def _ask(self, _method: str, _address: str, url: str, *_more: object) -> Answer:
        self._wait(url)
        raise Unreachable("nothing is told")

    def _wait(self, url: str) -> None:
        self.asked.append(url)
        if self.silent and url.startswith(SLOW.issuer):
            self.hold.wait(LATE_SECONDS)

    def enter(
        self,
        node: Any,
        participant: str,
        key: jose.SigningKey | None = None,
        taking_part: bool = True,
        held: list[Callable[[], None]] | None = None,
    ) -> Any:
        """The door for a request of a node, which signs with its own key unless another one is given.

        What it holds of the share of its node is added to ``held``.
        """
        asked = ("POST", f"{HERE}{PATH}", b"")
        signing = key or self.keys[node.issuer]
        token = passes.sign_node(
            signing, node.issuer, participant, f"{HERE}/dsp", asked, clock.now() // 1_000_000
        )
        door = self.door if taking_part else self.door.ending

        async def body() -> bytes:
            return b""

        return door(self.request(token, held=held, body=body))

    def request(
        self, token: str, method: str = "POST", held: list[Callable[[], None]] | None = None, **more: Any
    ) -> Any:
        """A request with a token; it has no body unless one is given."""
        return SimpleNamespace(
            headers={"authorization": f"Bearer {token}"},
            method=method,
            url=SimpleNamespace(path=f"/exchange{PATH}"),
            app=SimpleNamespace(state=SimpleNamespace(shares=self.shares)),
            scope={HELD: [] if held is None else held},
            **more,
        )


@pytest.fixture
def two(monkeypatch: pytest.MonkeyPatch) -> Iterator[Two]:
    member = Participant(MEMBER, "Quick", [], rulebook="1", home=QUICK.issuer)
    mine = Participant(MINE, "Mine", [], rulebook="1")
    table = SimpleNamespace(stale=lambda _now: None, participants={MEMBER: member, MINE: mine})
    runtime = SimpleNamespace(law=SimpleNamespace(table=table), rulebook=SimpleNamespace(accepted={"1"}))
    monkeypatch.setattr(doors, "runtime_of", lambda _request: runtime)
    made = Two()
    yield made
    made.hold.set()


@pytest.mark.parametrize("forged", [False, True], ids=["made-up participants", "made-up keys"])
def test_a_node_that_does_not_answer_keeps_nobody_of_another_node_waiting(two: Two, forged: bool) -> None:
    async def flood() -> float:
        key = jose.SigningKey.generate() if forged else None
        waiting = [
            asyncio.ensure_future(two.enter(SLOW, f"urn:dmi:participant:made-up-{number}", key))
            for number in range(60)
        ]
        await asyncio.sleep(0.1)
        begun = time.monotonic()
        assert await two.enter(QUICK, MEMBER) == MEMBER
        # Nor are the threads held that all other parts of the process share.
        await asyncio.to_thread(len, "")
        took = time.monotonic() - begun
        two.hold.set()
        assert all(
            isinstance(one, Unavailable | Unauthenticated)
            for one in await asyncio.gather(*waiting, return_exceptions=True)
        )
        return took

    assert asyncio.run(flood()) < SOON_SECONDS


def test_all_that_a_node_speaks_for_have_one_share_and_others_are_let_in_meanwhile(two: Two) -> None:
    async def enter() -> None:
        held: list[Callable[[], None]] = []
        for _ in range(EACH):
            each: list[Callable[[], None]] = []
            assert await two.enter(QUICK, MEMBER, held=each) == MEMBER
            held += each
        assert len(held) == EACH
        with pytest.raises(Unavailable, match="earlier requests are answered first"):
            await two.enter(QUICK, MEMBER)
        assert await two.enter(HERE_ITSELF, MINE, two.key) == MINE
        held.pop()()
        assert await two.enter(QUICK, MEMBER) == MEMBER

    asyncio.run(enter())


def test_all_that_a_node_speaks_for_stand_in_its_name_in_every_line_behind_the_door(two: Two) -> None:
    members = doors.runtime_of(cast(Any, None)).law.table.participants
    members[SECOND] = msgspec.structs.replace(members[MEMBER], id=SECOND)

    def party(node: Any, participant: str, key: jose.SigningKey, door: Any) -> str:
        asked, now = ("POST", f"{HERE}{PATH}", b""), clock.now() // 1_000_000

        async def body() -> bytes:
            return b""

        proof = passes.sign_node(key, node.issuer, participant, f"{HERE}/dsp", asked, now)
        request = two.request(proof, body=body)
        asyncio.run(door(request))
        let_go(request.scope[HELD])
        return let_in(request).party

    its_key = two.keys[QUICK.issuer]
    for door in (two.door, two.door.unread, two.door.ending, two.door.node):
        found = {party(QUICK, one, its_key, door) for one in (MEMBER, SECOND)}
        assert found == {QUICK.issuer}
    assert party(HERE_ITSELF, MINE, two.key, two.door) == MINE


@pytest.mark.parametrize("end", ["the key of its node", "its membership"])
def test_who_a_node_speaks_for_is_judged_again_after_its_line(two: Two, end: str) -> None:
    two.shares = Shares(each=1)
    members = doors.runtime_of(cast(Any, None)).law.table.participants

    async def enter() -> None:
        held: list[Callable[[], None]] = []
        await two.enter(QUICK, MEMBER, held=held)
        behind = asyncio.ensure_future(two.enter(QUICK, MEMBER))
        async with asyncio.timeout(LATE_SECONDS):
            while two.shares._lanes._inside[QUICK.issuer] < 2:
                await asyncio.sleep(0.005)
        if end == "its membership":
            members[MEMBER] = msgspec.structs.replace(members[MEMBER], active=False)
        else:
            two.nodes._keys[QUICK.issuer] = []
        held.pop()()
        refusal = (Refused, "signed no") if end == "its membership" else (Unauthenticated, "one of its keys")
        with pytest.raises(refusal[0], match=refusal[1]):
            await behind

    asyncio.run(enter())
    assert not two.shares._lanes._inside


def test_a_node_is_asked_once_for_all_its_participants_that_are_not_known(two: Two) -> None:
    two.silent = False

    async def enter() -> list[Any]:
        made_up = (two.enter(SLOW, f"urn:dmi:participant:made-up-{number}") for number in range(9))
        return await asyncio.gather(*made_up, return_exceptions=True)

    refused = asyncio.run(enter()) + asyncio.run(enter())
    assert [url for url in two.asked if url.endswith("/node")] == [f"{SLOW.issuer}/dsp/node"]
    assert all(isinstance(one, Unauthenticated) for one in refused)


def test_members_of_a_node_that_was_not_heard_for_a_day_only_end_things_until_it_is(two: Two) -> None:
    heard = two.nodes._heard_at[QUICK.issuer]
    two.nodes._heard_at[QUICK.issuer] -= UNHEARD_SECONDS + 1
    with pytest.raises(Unavailable, match="nothing was heard"):
        asyncio.run(two.enter(QUICK, MEMBER))
    assert f"{QUICK.issuer}/dsp/node" in two.asked
    assert asyncio.run(two.enter(QUICK, MEMBER, taking_part=False)) == MEMBER
    two.nodes._heard_at[QUICK.issuer] = heard
    assert asyncio.run(two.enter(QUICK, MEMBER)) == MEMBER


@pytest.mark.parametrize("taking_part", [True, False])
def test_a_node_speaks_for_nobody_whom_the_operator_does_not_let_it(two: Two, taking_part: bool) -> None:
    assert asyncio.run(two.enter(QUICK, MEMBER, taking_part=taking_part)) == MEMBER
    two.nodes._known[QUICK.issuer] = KnownNode(url=QUICK.url, participants=("urn:dmi:participant:other",))
    with pytest.raises(Unauthenticated, match="no member"):
        asyncio.run(two.enter(QUICK, MEMBER, taking_part=taking_part))


def test_a_proof_is_judged_before_a_body_is_read_and_an_access_token_is_none(two: Two) -> None:
    key = two.keys[QUICK.issuer]
    asked = ("POST", f"{HERE}{PATH}", b"[]")
    proof = passes.sign_node(key, QUICK.issuer, MEMBER, f"{HERE}/dsp", asked, clock.now() // 1_000_000)
    access = key.sign_token({"iss": HERE, "sub": MEMBER})

    def enter(token: str, method: str = "POST") -> Speaker:
        # It has no body: what asks for one fails.
        return asyncio.run(two.door.unread(two.request(token, method)))

    with pytest.raises(Unauthenticated, match="proof of a node"):
        enter(access)
    with pytest.raises(Unauthenticated, match="htm"):
        enter(proof, "GET")
    speaker = enter(proof)
    assert (speaker.node, speaker.participant) == (QUICK.issuer, MEMBER)
    passes.require_digest(speaker.digest, b"[]")
    with pytest.raises(Unauthenticated, match="digest"):
        passes.require_digest(speaker.digest, b"[1]")


def test_a_participant_that_nobody_knows_is_sought_by_one_at_a_time(two: Two) -> None:
    for seen in two.nodes.seen.values():
        seen.reachable = True
    first = threading.Thread(target=_refused, args=(two.nodes.address_of, "urn:x", HERE))
    first.start()
    until = time.monotonic() + LATE_SECONDS
    while not two.asked and time.monotonic() < until:
        time.sleep(0.01)
    begun = time.monotonic()
    with pytest.raises(Unavailable, match="try again"):
        two.nodes.address_of("urn:y", HERE)
    assert time.monotonic() - begun < SOON_SECONDS
    two.hold.set()
    first.join()


def _refused(address_of: Callable[[str, str], str], participant: str, own: str) -> None:
    with pytest.raises(NotFound):
        address_of(participant, own)


def test_a_token_of_a_node_counts_once_however_many_another_one_uses(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(doors, "SEEN", 2)
    once = Once()
    once.use("a", "1", 4e9)
    once.use("a", "2", 4e9)
    for used in ("1", "3"):
        with pytest.raises(Unauthenticated, match="before"):
            once.use("a", used, 4e9)
    once.use("b", "1", 0.0)
    once.use("b", "2", 0.0)
    # What has expired makes room.
    once.use("b", "3", 4e9)
