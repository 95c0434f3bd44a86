"""The nodes that this one knows: their keys, and their members, who come into the law as members of theirs."""

from __future__ import annotations

import threading
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import msgspec
import structlog

from dmi_agreements.contracts.law import Participant
from dmi_exchange import model
from dmi_exchange.dsp.client import Client, Unreachable
from dmi_exchange.dsp.members import MOST_MEMBERS, Member, Members, Taken, Told, heard, may_name
from dmi_exchange.handlers import Exchange
from dmi_exchange.settings import KnownNode
from dmi_infra.errors import Failure, NotFound, Unauthenticated, Unavailable
from dmi_infra.identity import EXCHANGE_PARTICIPANT

log = structlog.get_logger("exchange")

REFRESH_SECONDS = 20.0
FIRST_WAIT = 0.5
KEYS_AGAIN_SECONDS = 2.0
"""A key that is not known has the node's keys fetched anew at most this often."""
SEEK_SECONDS = 3.0
"""For so long nodes that did not answer last time are begun to be asked for somebody whom nobody knows."""
MEMBERS_AGAIN_SECONDS = 2.0
"""For somebody who is not known a node is asked for its members anew at most this often."""
UNHEARD_SECONDS = 86_400.0
"""Of a node that did not tell its members for so long nobody takes part: who left it, or lost a key, is not known."""
LARGEST_TOLD = 8 * 1024 * 1024
"""Of what a node tells of itself: some 20,000 members with a key each."""
ASKED_SECONDS = 1.0
"""How long somebody else's question to the same node is waited for: whoever makes up tokens holds no more threads."""
SOUGHT = "other nodes are being asked for participants that are not known here; try again shortly"


@dataclass(slots=True)
class Seen:
    """What is known of a node's state: since when it answers or not, and why not."""

    reachable: bool = False
    reason: str = "has not been asked yet"
    since: float = 0.0
    operator: str = ""
    taken: Taken = field(default_factory=Taken)
    """What was not taken of the members that it named last."""


class Nodes:
    """Known nodes by issuer. A thread asks each for its keys and members, and again with back-off while it is away."""

    def __init__(
        self,
        known: Sequence[KnownNode],
        exchange: Exchange,
        client: Client,
        sender: str,
        most: int = MOST_MEMBERS,
    ) -> None:
        """``most`` members of each are taken, asked for in the name of ``sender``."""
        self._known = {node.issuer: node for node in known}
        self._exchange = exchange
        self._client = client
        self._sender = sender
        self._keys: dict[str, list[dict[str, Any]]] = {}
        self._keys_at: dict[str, float] = {}
        self._members = Members(exchange, most)
        self._locks = {issuer: threading.Lock() for issuer in self._known}
        """One for each: a node that answers slowly keeps nobody from the keys of another."""
        self._turns = {issuer: threading.Lock() for issuer in self._known}
        """Held while a node is asked for its members."""
        self._again_at: dict[str, float] = {}
        # Since the start, what is in the store: it was heard before that.
        self._heard_at = dict.fromkeys(self._known, time.monotonic())
        self._seeking = threading.Lock()
        """Held while other nodes are asked for a participant that nobody knows."""
        self.seen = {issuer: Seen() for issuer in self._known}
        self._stopping = threading.Event()
        self._threads = [
            threading.Thread(target=self._follow, args=(issuer,), name="node", daemon=True)
            for issuer in self._known
        ]

    # -- a part of the runtime ----------------------------------------------

    def start(self) -> None:
        """Begin to ask."""
        for thread in self._threads:
            thread.start()

    def stop(self) -> None:
        """End."""
        self._stopping.set()
        for thread in self._threads:
            thread.join(timeout=5)

    def _follow(self, issuer: str) -> None:
        failures = 0
        while not self._stopping.is_set():
            try:
                self.refresh(issuer)
                failures = 0
                wait = REFRESH_SECONDS
            except (Unreachable, Failure) as exc:
                self._note(issuer, str(exc))
                wait = min(FIRST_WAIT * 2 ** min(failures, 10), REFRESH_SECONDS)
                failures += 1
            self._stopping.wait(wait)

    def _note(self, issuer: str, reason: str) -> None:
        seen = self.seen[issuer]
        if (seen.reachable, seen.reason) != (not reason, reason):
            log.info("a node answers" if not reason else "a node is away", node=issuer, reason=reason)
        if seen.reachable != (not reason) or not seen.since:
            seen.since = time.time()
        seen.reachable, seen.reason = not reason, reason

    # -- who is known -------------------------------------------------------

    @property
    def issuers(self) -> list[str]:
        """The known nodes."""
        return list(self._known)

    def known(self, issuer: str) -> bool:
        """Whether a node stands in the settings."""
        return issuer in self._known

    def speaks_for(self, issuer: str, participant: str) -> bool:
        """Whether a node that is known may speak for a participant, whether that is a member of it or not."""
        node = self._known.get(issuer)
        return node is None or may_name(node, participant)

    def unheard(self, issuer: str) -> bool:
        """Whether a node did not tell its members for so long that they count no more until it does."""
        heard = self._heard_at.get(issuer)
        return heard is not None and time.monotonic() - heard > UNHEARD_SECONDS

    def of_did(self, did: str) -> str | None:
        """The node that is known by this DID."""
        return next((issuer for issuer, node in self._known.items() if node.did == did), None)

    def has_key(self, issuer: str, kid: str) -> bool:
        """Whether a key of a node is known without a question to it."""
        return any(key.get("kid") == kid for key in self._keys.get(issuer, ()))

    def key(self, issuer: str, kid: str) -> Mapping[str, Any] | None:
        """A key of a node that is known by its keys, from its own key document; ``None``: there is none."""
        if issuer not in self._known or self._known[issuer].did:
            return None
        if not self.has_key(issuer, kid):
            self._fetch_keys(issuer)
        return next((key for key in self._keys.get(issuer, ()) if key.get("kid") == kid), None)

    def _fetch_keys(self, issuer: str, again: bool = True) -> None:
        lock = self._locks[issuer]
        if not lock.acquire(timeout=ASKED_SECONDS if again else -1):
            raise Unavailable(f"the keys of {issuer} are being asked for; try again shortly")
        try:
            now = time.monotonic()
            if again and now < self._keys_at.get(issuer, now):
                return
            self._keys_at[issuer] = now + KEYS_AGAIN_SECONDS
            try:
                answer = self._client.get(f"{issuer}/.well-known/jwks.json")
            except Unreachable as exc:
                self._keys_at[issuer] = time.monotonic() + FIRST_WAIT
                raise Unauthenticated(f"the keys of {issuer} cannot be had: {exc}") from exc
            keys = answer.body.get("keys")
            if not answer.well or not isinstance(keys, list):
                raise Unauthenticated(f"{issuer} shows no keys ({answer.status})")
            # What is gone from the document is revoked: it is replaced, not added to.
            self._keys[issuer] = [key for key in keys if isinstance(key, dict)]
        finally:
            lock.release()

    # -- members ------------------------------------------------------------

    def refresh(self, issuer: str) -> None:
        """Ask a node for its keys and members; raises ``Unreachable`` or ``Failure``."""
        with self._turns[issuer]:
            self._refresh(issuer)

    def ask_again(self, issuer: str) -> None:
        """As ``refresh``, for a request that names somebody who is not known, and may have made that up.

        Nothing is asked when that was done for another such request a moment ago. Raises ``Unavailable`` when somebody
        else's question to the node takes long.
        """
        turn = self._turns[issuer]
        if not turn.acquire(timeout=ASKED_SECONDS):
            raise Unavailable(f"{issuer} is being asked for its members; try again shortly")
        try:
            if time.monotonic() < self._again_at.get(issuer, 0.0):
                return
            try:
                self._refresh(issuer)
            finally:
                self._again_at[issuer] = time.monotonic() + MEMBERS_AGAIN_SECONDS
        finally:
            turn.release()

    def _refresh(self, issuer: str) -> None:
        try:
            self._hear(issuer)
        except (Unreachable, Failure):
            raise
        except Exception as exc:  # whoever asks goes on with the next node, and this one is asked again
            log.error("a node could not be asked", node=issuer, exc_info=exc)
            raise Unreachable("a fault of this node; it has been logged") from exc

    def _hear(self, issuer: str) -> None:
        node = self._known[issuer]
        if not node.did:
            self._fetch_keys(issuer, again=False)
        url = f"{issuer}/dsp/node"
        answer = self._client.ask("GET", node.address, url, b"", self._sender, LARGEST_TOLD)
        if not answer.well:
            raise Unreachable(f"{node.url} answered {answer.why}")
        try:
            told, nameless = heard(answer.body)
        except msgspec.ValidationError as exc:
            raise Unreachable(f"{node.url} tells nothing that can be read: {exc}") from exc
        if (told.issuer, told.address) != (issuer, node.address):
            raise Unreachable(f"{node.url} calls itself {told.issuer[:200]}: DMI_DSP_NODES must name that")
        self._take(node, told, nameless)
        self._heard_at[issuer] = time.monotonic()
        self.seen[issuer].operator = told.operator
        self._note(issuer, "")

    def _take(self, node: KnownNode, told: Told, nameless: int = 0) -> None:
        taken = self._members.take(node, told)
        taken = replace(taken, unread=taken.unread + nameless)
        if taken.unread != self.seen[node.issuer].taken.unread:
            log.warning("members of a node cannot be read", node=node.issuer, members=taken.unread)
        self.seen[node.issuer].taken = taken

    def _seek(self, participant: str) -> Participant | None:
        """A member that joined another node just now: first those are asked that answered last time.

        One request does so at a time, for it may wait long: others raise ``Unavailable`` at once.
        """
        if not self._seeking.acquire(blocking=False):
            raise Unavailable(SOUGHT)
        try:
            until = time.monotonic() + SEEK_SECONDS
            for issuer, seen in sorted(self.seen.items(), key=lambda each: not each[1].reachable):
                # One that was away may be back; whoever waits for all that are away would wait long.
                if not seen.reachable and time.monotonic() > until:
                    break
                try:
                    self.ask_again(issuer)
                except Unavailable as exc:
                    log.info("a node was not asked for a participant", node=issuer, reason=exc.public)
                except (Unreachable, Failure) as exc:
                    self._note(issuer, str(exc))
                found = self._exchange.store.get(Participant, participant)
                if found is not None:
                    return found
        finally:
            self._seeking.release()
        return None

    # -- where they are -----------------------------------------------------

    def address_of(self, participant: str, own: str) -> str:
        """Where a participant is reached by the protocol; ``own`` for members of this node.

        Raises ``NotFound``, or ``Unavailable`` while others are sought.
        """
        found = self._exchange.store.get(Participant, participant) or self._seek(participant)
        if found is None:
            raise NotFound("no participant of this node or of one that it knows has this id")
        return f"{found.home}/dsp" if found.home else own


def of_this_node(exchange: Exchange, issuer: str, operator: str) -> Told:
    """What this node tells of itself: its organisations. Residents are nobody's directory."""
    return Told(
        issuer,
        f"{issuer}/dsp",
        operator,
        [
            Member(p.id, p.name, p.roles, p.keys, p.rulebook, p.active, p.country)
            for p in exchange.store.find(Participant)
            if p.id.startswith(model.ORGANISATION) and not p.home and p.id != EXCHANGE_PARTICIPANT
        ],
    )
