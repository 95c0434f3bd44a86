"""Who speaks in a request of the protocol: a member of this node by an access token, one of another by its node."""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, Protocol
from urllib.parse import unquote

from fastapi import Depends, Request

from dmi_agreements.contracts.law import Participant
from dmi_agreements.decision import Reason
from dmi_exchange import model
from dmi_exchange.dsp.client import Unreachable
from dmi_exchange.dsp.nodes import Nodes
from dmi_exchange.store import Store
from dmi_infra import clock, jose, passes
from dmi_infra.errors import Failure, Refused, Unauthenticated
from dmi_infra.http.access import identify, member, roles, runtime_of
from dmi_infra.http.problems import read_json

SEEN = 100_000
"""Tokens of nodes that are remembered at most; more within their minute are refused."""
NO_MEMBER: Final = "the node speaks for a participant that is no member of it"
may_sign = roles(*model.SIGNATORY_ROLES)

Door = Callable[..., Awaitable[Any]]
"""A dependency that tells who speaks in a request, most often for which participant."""


class Once:
    """Remembers identifiers until they have expired.

    In memory: a repeat after a restart carries the same message (the token is bound to it), which changes nothing.
    """

    def __init__(self) -> None:
        self._seen: dict[str, float] = {}
        self._lock = threading.Lock()

    def use(self, what: str, expires: float) -> None:
        """Raise ``Unauthenticated`` for what was used before."""
        with self._lock:
            now = time.time()
            if len(self._seen) >= SEEN:
                self._seen = {name: until for name, until in self._seen.items() if until > now}
            if what in self._seen or len(self._seen) >= SEEN:
                raise Unauthenticated("this token has been used before")
            self._seen[what] = expires + jose.LEEWAY_SECONDS


@dataclass(frozen=True, slots=True)
class Speaker:
    """Who speaks: a node, and the participant that it speaks for."""

    node: str
    """The issuer of the node."""
    participant: str


class Proof(Protocol):
    """A way in which nodes prove who they are and whom they speak for."""

    def takes(self, token: str) -> bool:
        """Whether a bearer token is of this kind; nothing of it is believed yet."""

    def prove(self, token: str, asked: tuple[str, str, bytes]) -> Speaker:
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

    def prove(self, token: str, asked: tuple[str, str, bytes]) -> Speaker:
        """The node that signed it, and its member."""
        # A key that is not known is asked of its node.
        claims = passes.verify_node(token, f"{self._issuer}/dsp", asked, self._key_of)
        self._once.use(f"{claims['iss']} {claims['jti']}", float(claims["exp"]))
        return Speaker(str(claims["iss"]), str(claims["sub"]))

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

    async def __call__(self, request: Request) -> str:
        """The participant that the bearer token proves; it must be a member, here or of a known node."""
        return await self._let_in(request, True)

    async def _let_in(self, request: Request, taking_part: bool) -> str:
        token = bearer(request)
        speaker = await self._speaker(request, token)
        if speaker is None:
            identity = await member(request, await identify(request))
            return identity.participant
        runtime = runtime_of(request)
        stale = runtime.law.table.stale(clock.now())
        if stale is not None:
            raise Refused([stale])
        issuer, name = speaker.node, speaker.participant
        found = runtime.law.table.participants.get(name)
        if (found is None or (taking_part and found.rulebook is None)) and self._nodes.known(issuer):
            found = await asyncio.to_thread(self._ask_again, issuer, name)
        if found is None or (found.home or self._issuer) != issuer:
            raise Unauthenticated(NO_MEMBER)
        if taking_part and (not found.active or found.rulebook not in runtime.rulebook.accepted):
            raise Refused([Reason("rulebook_not_signed", "this participant has signed no rulebook in force")])
        return name

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
        participant = await self._let_in(request, False)
        if self._proof_of(bearer(request)) is None:
            await may_sign(await identify(request))
        return participant

    ending.dmi_door = "members who may sign, and nodes, also for members that take part no more"  # type: ignore[attr-defined]

    async def node(self, request: Request) -> str:
        """The issuer of the known node that asks, whoever it speaks for."""
        speaker = await self._speaker(request, bearer(request))
        if speaker is None:
            raise Unauthenticated("this needs a token of a known node")
        return speaker.node

    node.dmi_door = "known nodes"  # type: ignore[attr-defined]

    async def _speaker(self, request: Request, token: str) -> Speaker | None:
        """Who speaks in this very request; ``None`` for a token that is not of a node."""
        proof = self._proof_of(token)
        if proof is None:
            return None
        # Behind a proxy the host is another: what counts is the path under the own address.
        path = request.url.path
        place = unquote(path[path.index("/dsp") :] if "/dsp" in path else path)
        asked = (request.method, f"{self._issuer}{place}", await request.body())
        return await asyncio.to_thread(proof.prove, token, asked)

    def _proof_of(self, token: str) -> Proof | None:
        return next((one for one in self._proofs if one.takes(token)), None)

    def _ask_again(self, issuer: str, name: str) -> Participant | None:
        """A member that joined its node just now."""
        try:
            self._nodes.refresh(issuer)
        except (Unreachable, Failure):
            return None
        return self._store.get(Participant, name)


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
