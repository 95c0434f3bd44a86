"""Who speaks in a request of the protocol: a member of this node by an access token, one of another by its node."""

from __future__ import annotations

import asyncio
import threading
import time
from collections import OrderedDict
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any, Final, Protocol
from urllib.parse import unquote

import anyio
import anyio.to_thread
from fastapi import Depends, Request

from dmi_agreements.contracts.law import Participant
from dmi_agreements.decision import Reason
from dmi_exchange import model
from dmi_exchange.dsp.client import WHOLE_SECONDS, Unreachable
from dmi_exchange.dsp.nodes import Nodes
from dmi_exchange.store import Store
from dmi_infra import clock, jose, passes
from dmi_infra.errors import Failure, Refused, Unauthenticated, Unavailable
from dmi_infra.http.access import identify, member, place, placed, roles, runtime_of
from dmi_infra.http.problems import read_json
from dmi_infra.lanes import Asker
from dmi_infra.runtime import Runtime

SEEN = 100_000
"""Tokens of one node that are remembered at most; more within their minute are refused."""
PROOFS = 16
"""Proofs at a time that wait for nobody. None of these threads is one that other requests need."""
PROOFS_OF_ONE = 4
"""Proofs at a time that wait for an answer of one node; those behind them are the same node's."""
WAITING_OF_ONE = 32
"""Proofs that may stand behind them; more are refused at once."""
NO_MEMBER: Final = "the node speaks for a participant that is no member of it"
may_sign = roles(*model.SIGNATORY_ROLES)

Door = Callable[..., Awaitable[Any]]
"""A dependency that tells who speaks in a request, most often for which participant."""


class Once:
    """Remembers identifiers of each node until they have expired; how many one node uses is its own affair.

    In memory: a repeat after a restart carries the same message (the token is bound to it), which changes nothing.
    """

    def __init__(self) -> None:
        self._seen: dict[str, OrderedDict[str, float]] = {}
        self._lock = threading.Lock()

    def use(self, node: str, what: str, expires: float) -> None:
        """Raise ``Unauthenticated`` for what this node used before."""
        with self._lock:
            seen, now = self._seen.setdefault(node, OrderedDict()), time.time()
            while seen and next(iter(seen.values())) <= now:
                seen.popitem(last=False)
            if what in seen or len(seen) >= SEEN:
                raise Unauthenticated("this token has been used before")
            seen[what] = expires + jose.LEEWAY_SECONDS


@dataclass(frozen=True, slots=True)
class Speaker:
    """Who speaks: a node, and the participant that it speaks for."""

    node: str
    """The issuer of the node."""
    participant: str
    digest: str | None = None
    """Of the body that its token was made for; ``None`` where a token is bound to none."""
    key: str = ""
    """The name of the node's key under its token; empty: it was proved otherwise."""


class Proof(Protocol):
    """A way in which nodes prove who they are and whom they speak for."""

    def takes(self, token: str) -> bool:
        """Whether a bearer token is of this kind; nothing of it is believed yet."""

    def waits_for(self, token: str) -> str:
        """The issuer of the known node whose answer the proof of a token takes, as it says; empty: of none."""

    def prove(self, token: str, asked: tuple[str, str, bytes | None]) -> Speaker:
        """The speaker of a request (method, address, body); raises ``Unauthenticated``, ``Unavailable``. Blocks."""


class NodeTokens:
    """Tokens of known nodes, signed with their exchange's key for one request (``passes``)."""

    def __init__(self, key: jose.SigningKey, issuer: str, nodes: Nodes) -> None:
        self._key = key
        self._issuer = issuer
        self._nodes = nodes
        self._once = Once()

    def takes(self, token: str) -> bool:
        """Whether a bearer token is of this kind."""
        return jose.kind_of(token) == passes.NODE_TOKEN

    def waits_for(self, token: str) -> str:
        """The node that it says it is of, unless its key is known already."""
        header, claims = jose.read_unverified(token, jose.HEADER)
        issuer = str(claims.get("iss", ""))
        asks = self._nodes.known(issuer) and not self._nodes.has_key(issuer, str(header.get("kid", "")))
        return issuer if asks else ""

    def prove(self, token: str, asked: tuple[str, str, bytes | None]) -> Speaker:
        """The node that signed it, and its member."""
        # A key that is not known is asked of its node.
        claims = passes.verify_node(token, f"{self._issuer}/dsp", asked, self._key_of)
        self._once.use(str(claims["iss"]), str(claims["jti"]), float(claims["exp"]))
        kid = str(jose.read_unverified(token, jose.HEADER)[0]["kid"])
        return Speaker(str(claims["iss"]), str(claims["sub"]), str(claims.get("digest")), kid)

    def _key_of(self, issuer: str, kid: str) -> Mapping[str, Any] | None:
        if issuer == self._issuer:
            # Two members of this node deal with each other by the same protocol.
            return self._key.public if kid == self._key.kid else None
        return self._nodes.key(issuer, kid)


class NodeDoor:
    """Judges tokens: members' own, and those of nodes by ``proofs``. ``issuer`` is this node's own."""

    dmi_door = "members, by this node's access token or by the proof of the node that speaks for them"

    def __init__(self, issuer: str, nodes: Nodes, store: Store, proofs: Sequence[Proof]) -> None:
        self._issuer = issuer
        self._nodes = nodes
        self._store = store
        self._proofs = proofs
        self._quick = anyio.CapacityLimiter(PROOFS)
        self._lanes = {node: anyio.CapacityLimiter(PROOFS_OF_ONE) for node in nodes.issuers}
        self._asks = anyio.CapacityLimiter(max(1, len(nodes.issuers)))
        self._asking: dict[str, asyncio.Task[None]] = {}
        """The question for its members that a node has been asked, for all who wait for it."""

    async def __call__(self, request: Request) -> str:
        """The participant that the bearer token proves; it must be a member, here or of a known node."""
        return await self._let_in(request, await self._speaker(request), True)

    async def unread(self, request: Request) -> Speaker:
        """Who speaks for a member of a node, by the proof of the node alone, before a byte of the body is read.

        Whoever reads it then asks ``require_digest`` whether it is the one that the proof was made for.
        """
        speaker = await self._speaker(request, read=False)
        if speaker is None:
            raise Unauthenticated("this takes the proof of a node, no access token")
        await self._let_in(request, speaker, True)
        return speaker

    unread.dmi_door = "members of nodes, by the proof of the node that speaks for them"  # type: ignore[attr-defined]

    async def _let_in(self, request: Request, speaker: Speaker | None, taking_part: bool) -> str:
        if speaker is None:
            identity = await member(request, await placed(request, await identify(request)))
            return identity.participant
        runtime = runtime_of(request)
        stale = runtime.law.table.stale(clock.now())
        if stale is not None:
            raise Refused([stale])
        issuer, name, law = speaker.node, speaker.participant, runtime.law.table
        found = known = law.participants.get(name)
        if (found is None or (taking_part and found.rulebook is None)) and self._nodes.known(issuer):
            found = await self._ask_again(issuer, name)
        self._require_member(speaker, found)
        if taking_part and self._nodes.unheard(issuer):
            found = await self._ask_again(issuer, name)
        self._require(runtime, speaker, found, taking_part)

        def still() -> None:
            self._require_known(runtime, speaker)
            # What its node told at the door may not be in the law yet.
            told = law.participants.get(name)
            self._require(runtime, speaker, found if told is known else told, taking_part)

        await place(request, Asker(self._whose_share(speaker), still))
        return name

    def _require(
        self, runtime: Runtime, speaker: Speaker, found: Participant | None, taking_part: bool
    ) -> None:
        if taking_part and self._nodes.unheard(speaker.node):
            raise Unavailable(
                f"nothing was heard of {speaker.node} for long: what it told of its members counts no more"
            )
        member = self._require_member(speaker, found)
        if taking_part and (not member.active or member.rulebook not in runtime.rulebook.accepted):
            raise Refused([Reason("rulebook_not_signed", "this participant has signed no rulebook in force")])

    def _require_member(self, speaker: Speaker, found: Participant | None) -> Participant:
        issuer = speaker.node
        its_own = found is not None and (found.home or self._issuer) == issuer
        if found is None or not its_own or not self._nodes.speaks_for(issuer, speaker.participant):
            raise Unauthenticated(NO_MEMBER)
        return found

    def _require_known(self, runtime: Runtime, speaker: Speaker) -> None:
        """Of who stood in line: the law is fresh, and the node still has the key that it proved itself with."""
        stale = runtime.law.table.stale(clock.now())
        if stale is not None:
            raise Refused([stale])
        kept = not self._nodes.known(speaker.node) or self._nodes.has_key(speaker.node, speaker.key)
        if speaker.key and not kept:
            raise Unauthenticated("the key that the node proved itself with is no longer one of its keys")

    def _whose_share(self, speaker: Speaker) -> str:
        """Whose share of this service a request takes: of another node all its participants have one together."""
        return speaker.participant if speaker.node == self._issuer else speaker.node

    async def binding(self, request: Request) -> str:
        """As the door itself, for steps that bind the participant: of a member here, only who may sign for it."""
        participant = await self(request)
        if self._proof_of(bearer(request)) is None:
            await may_sign(await identify(request))
        return participant

    binding.dmi_door = "members who may sign, and nodes"  # type: ignore[attr-defined]

    async def ending(self, request: Request) -> str:
        """As ``binding``, for what takes rights away alone: a node may for who left, or signed an earlier rulebook.

        A member here that comes with a token of its own is asked for all that every other route asks of it.
        """
        participant = await self._let_in(request, await self._speaker(request), False)
        if self._proof_of(bearer(request)) is None:
            await may_sign(await identify(request))
        return participant

    ending.dmi_door = "members who may sign, and nodes, also for members that take part no more"  # type: ignore[attr-defined]

    async def node(self, request: Request) -> str:
        """The issuer of the known node that asks, whoever it speaks for."""
        speaker = await self._speaker(request)
        if speaker is None:
            raise Unauthenticated("this needs a token of a known node")
        still = partial(self._require_known, runtime_of(request), speaker)
        await place(request, Asker(self._whose_share(speaker), still))
        return speaker.node

    node.dmi_door = "known nodes"  # type: ignore[attr-defined]

    async def _speaker(self, request: Request, read: bool = True) -> Speaker | None:
        """Who speaks in this very request, or one with its head; ``None`` for a token that is not of a node."""
        token = bearer(request)
        proof = self._proof_of(token)
        if proof is None:
            return None
        # Behind a proxy the host is another: what counts is the path under the own address.
        path = request.url.path
        place = unquote(path[path.index("/dsp") :] if "/dsp" in path else path)
        asked = (request.method, f"{self._issuer}{place}", await request.body() if read else None)
        lane = self._lanes.get(proof.waits_for(token), self._quick)
        if lane is not self._quick and lane.statistics().tasks_waiting >= WAITING_OF_ONE:
            raise Unavailable("proofs of this node wait for its answers; try again shortly")
        return await anyio.to_thread.run_sync(proof.prove, token, asked, limiter=lane)

    def _proof_of(self, token: str) -> Proof | None:
        return next((one for one in self._proofs if one.takes(token)), None)

    async def _ask_again(self, issuer: str, name: str) -> Participant | None:
        """A member that joined its node just now; ``None``: it did not, or its node does not answer.

        All who wait for a node wait for one question to it, and hold no thread meanwhile.
        """
        asking = self._asking.get(issuer)
        if asking is None:
            asking = asyncio.create_task(
                anyio.to_thread.run_sync(self._nodes.ask_again, issuer, limiter=self._asks)
            )
            self._asking[issuer] = asking
            asking.add_done_callback(partial(self._asked, issuer))
        done, _ = await asyncio.wait({asking}, timeout=2 * WHOLE_SECONDS)
        if not done:
            raise Unavailable("its node is being asked for its members; try again shortly")
        try:
            asking.result()
        except Unavailable:
            raise
        except (Unreachable, Failure):
            return None
        return await anyio.to_thread.run_sync(self._store.get, Participant, name, limiter=self._quick)

    def _asked(self, issuer: str, asking: asyncio.Task[None]) -> None:
        self._asking.pop(issuer, None)
        # Looked at, also when nobody waits for it any more: else the loop reports it as a fault.
        if not asking.cancelled():
            asking.exception()


def bearer(request: Request) -> str:
    """The token of a request; raises ``Unauthenticated`` when there is none."""
    scheme, _, token = request.headers.get("authorization", "").partition(" ")
    if scheme.lower() != "bearer" or not token:
        raise Unauthenticated("this needs an access token in the header Authorization: Bearer …")
    return token.strip()


def behind(door: Door) -> Callable[..., Awaitable[Any]]:
    """A dependency: the JSON of a body, of which nothing is made before ``door`` has let its sender in."""

    # Which door it is, is known here alone: an annotation could not name it.
    async def document(request: Request, _sender: Any = Depends(door)) -> Any:  # noqa: B008
        return await read_json(request)

    return document
