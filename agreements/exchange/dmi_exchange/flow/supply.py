"""As provider: gives the data of a transfer piece by piece, each judged by the gate when it leaves."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Final

import msgspec

from dmi_agreements.contracts.delivery import Delivered
from dmi_agreements.contracts.law import AgreementState
from dmi_agreements.contracts.observations import ObservationBatch
from dmi_agreements.decision import Delay, Reason
from dmi_agreements.dsp import states
from dmi_agreements.duties import together
from dmi_agreements.uses import Keys
from dmi_exchange.dsp.offers import CONSENT_STAYS
from dmi_exchange.dsp.process import Process
from dmi_exchange.dsp.store import Processes
from dmi_exchange.flow.bookmarks import Bookmarks
from dmi_exchange.flow.feed import Feed, Piece
from dmi_exchange.flow.places import Local, fit, places_of
from dmi_exchange.flow.store import Flows
from dmi_exchange.notices.aliases import Aliases
from dmi_infra import clock
from dmi_infra.bus.port import Bus
from dmi_infra.errors import Conflict, Refused, Unavailable
from dmi_infra.gate import Gate, Permit

CROSSING: Final = "delivery"
ACTION: Final = "dmi:read"
COLUMNS: Final = ("longitude", "latitude", "source_id")
"""What goes along beside value and time; flags, raw values and neighbourhoods are of this node alone."""
PLACES_AGAIN_SECONDS: Final = 2.0
LAW_SECONDS: Final = 1.0
LAW_STEP_SECONDS: Final = 0.02


@dataclass(frozen=True, slots=True)
class Given:
    """What leaves: places that the other side does not know yet, and rows; the sealed position behind it."""

    places: list[dict[str, Any]]
    rows: dict[str, Any] | None
    cursor: str
    piece: str = ""
    """What tells these rows from all others of the transfer; empty: there are none."""


class Supply:
    """Opens deliveries."""

    def __init__(
        self,
        bus: Bus,
        gate: Gate,
        processes: Processes,
        flows: Flows,
        local: Local,
        aliases: Aliases,
        bookmarks: Bookmarks,
        unheard: Callable[[str], bool] = lambda _issuer: False,
    ) -> None:
        """``unheard`` tells whether a node was silent for so long that its members count no more."""
        self._bus = bus
        self.gate = gate
        self.processes = processes
        self.flows = flows
        self._local = local
        self.aliases = aliases
        self.bookmarks = bookmarks
        self._unheard = unheard
        self._opened: dict[str, int] = {}
        self._counted: dict[str, Keys] = {}

    def foreseen(self, dataset: str, agreement: str, peer: str) -> str | None:
        """Why data of a dataset cannot flow to ``peer`` under an agreement, in words; ``None`` when it can.

        Whoever has just concluded an agreement asks at once: what the law has yet to hear of is waited for, a moment.
        """
        until = time.monotonic() + LAW_SECONDS
        while self.gate.law.agreement(agreement) is None and time.monotonic() < until:
            time.sleep(LAW_STEP_SECONDS)
        entry = self.gate.law.datasets.get(dataset)
        if entry is None or entry.needs_consent:
            return CONSENT_STAYS
        purpose = self._purpose(agreement, dataset)
        permit = self.gate.foreseen(CROSSING, ACTION, dataset, purpose, peer)
        if permit is None:
            reasons = self.gate.allows(CROSSING, ACTION, dataset, purpose, peer)
            return reasons[0].detail if reasons else None
        if together(permit.duties):
            return (
                "the agreement gives means over a time and an area: ask for an export in place of a transfer"
            )
        return None

    def _purpose(self, agreement: str, dataset: str) -> str | None:
        """A purpose that the agreement allows; ``None``, the one that the dataset is collected for, where it does."""
        held = self.gate.law.held(agreement)
        entry = self.gate.law.datasets.get(dataset)
        if held is None or held.compiled is None or entry is None:
            return None
        rules = held.compiled.permissions.get((ACTION, dataset), ())
        allowed = {purpose for rule in rules for purpose in rule.purposes}
        return self.gate.law.rulebook.purpose_among(allowed, entry.purpose) if allowed else None

    def permit(self, process: Process, goes_on: bool) -> Permit:
        """The right to give the data of a transfer; raises ``Refused``, recorded, or ``Conflict`` for its state.

        What ``goes_on`` is the use that this process counted for the transfer; one that it does not know of counts, and
        so does whoever begins anew.
        """
        self._check(process)
        purpose = self._purpose(process.agreement_id, process.dataset)
        again = self._counted.get(process.id) if goes_on else None
        permit = self.gate.permit(
            CROSSING, ACTION, process.dataset, purpose, recipient=process.peer, again=again
        )
        self._counted[process.id] = permit.counted
        return permit

    def _check(self, process: Process) -> None:
        """Whether the transfer runs, and its own agreement holds: another one that also permits does not count.

        Nor does anything leave for who counts no more at the door (``NodeDoor``): it may have left, or lost its key.
        """
        if process.state != states.STARTED:
            raise Conflict.of("state", "the transfer does not run", process.state)
        state = self.gate.law.agreement(process.agreement_id)
        if state is None or state.state != "active":
            detail = f"{process.agreement_id} has been ended"
            moment = state.ended_at if state is not None else None
            raise Refused([Reason("ended", detail, process.agreement_id, moment=moment)], process.dataset)
        peer = self.gate.law.participants.get(process.peer)
        if peer is not None and peer.home and self._unheard(peer.home):
            raise Unavailable(f"nothing was heard of {peer.home} for long: its members count no more")

    @contextmanager
    def open(self, identifier: str, cursor: str, permit: Permit | None = None) -> Iterator[Delivery]:
        """A delivery behind a position of ``bookmarks``. A later one of a transfer takes the place of an earlier.

        ``permit``: the right to it, where it has been asked for already; else this node's own delivery, which goes on
        with what it began, also while the other side has yet to take the first piece.
        """
        process = self.processes.get(identifier)
        if permit is None:
            permit = self.permit(process, goes_on=True)
        number = self._opened[identifier] = self._opened.get(identifier, 0) + 1
        feed = Feed(self._bus, process.dataset, self.bookmarks.open(identifier, cursor)[0])
        try:
            yield Delivery(self, process, permit, feed, number)
        finally:
            feed.close()

    def current(self, identifier: str, number: int) -> bool:
        """Whether a delivery is still the newest of its transfer."""
        return self._opened.get(identifier) == number

    def places(self, process: Process, permit: Permit) -> list[dict[str, Any]]:
        """The places and things of a dataset as the other side may know them."""
        purpose = permit.requests[-1].purpose
        bare = self.gate.about_persons(permit)
        return places_of(self._local, process.dataset, process.peer, purpose, permit.counted, bare)

    def check(self, process: Process) -> None:
        """Raise when the transfer does not run any more or its agreement has ended."""
        self._check(self.processes.get(process.id))

    def ended(self, process: Process) -> bool:
        """Whether the agreement of a transfer has ended; what the law does not know yet has not."""
        state = self.gate.law.agreement(process.agreement_id)
        return state is not None and state.state == "ended"

    def agreement(self, identifier: str) -> AgreementState | None:
        """An agreement as the law has it."""
        return self.gate.law.agreement(identifier)


class Delivery:
    """One open flow; one thread at a time."""

    def __init__(self, supply: Supply, process: Process, permit: Permit, feed: Feed, number: int) -> None:
        self._supply = supply
        self._process = process
        self._permit = permit
        self._feed = feed
        self._number = number
        self._known: set[str] | None = None
        self._asked = 0.0
        self._held: Piece | None = None
        self._left = feed.cursor
        """The position behind the last piece that left, or of which nothing may."""
        self.waits = False
        """The next piece has to wait for its places: whoever has others in hand lets these leave first."""
        self._delay = max((d.seconds for d in permit.duties if isinstance(d, Delay)), default=0) * 1_000_000

    def next(self, timeout: float, in_hand: bool = False) -> Given | None:
        """What leaves next; ``None`` when nothing has come. Raises ``Refused`` or ``Conflict`` when it is over.

        ``in_hand``: the caller has others that were judged and have yet to leave, so that nothing is waited for.
        """
        if not self._supply.current(self._process.id, self._number):
            raise Conflict.of("state", "another connection has taken over this transfer")
        self.runs()
        if self._known is None:
            places = self._news(())
            self.runs()
            return Given(places, None, self._sealed(self._feed.cursor))
        piece = self._held or self._feed.next(timeout)
        self._held = None
        if piece is None:
            return None
        if not len(piece.batch):
            return self._without_rows(piece)
        if max(piece.batch.phenomenon_time) + self._delay > clock.now() and self._delay:
            # What an agreement delays is not left out but waits, with everything behind it.
            self._held = piece
            time.sleep(min(timeout, 0.5))
            return None
        return self._given(piece, in_hand)

    def runs(self) -> None:
        """Raise when it is over: asked anew after all that takes time, right before anything leaves."""
        self._supply.check(self._process)
        self._supply.gate.still(self._permit)

    def _given(self, piece: Piece, in_hand: bool) -> Given | None:
        places, known = [], self._known or set()
        if not known.issuperset(piece.batch.datastream):
            named = self._supply.gate.judge(self._permit, piece.batch).batch.datastream
            if in_hand and not known.issuperset(named):
                self._held, self.waits = piece, True
                return None
            places = self._news(named)
        # It may have ended while this waited for data, or for the places.
        self.runs()
        if not fit(places):
            # In bodies that each take as long as the other side likes: the rows are judged behind them.
            self._held = piece
            return Given(places, None, self._sealed(self._left))
        batch = self._supply.gate.carry(self._permit, piece.batch).batch
        if not len(batch):
            return self._without_rows(piece)
        flows, transfer = self._supply.flows, self._process.id
        again = flows.was_given(transfer, piece.name)
        record = self._supply.gate.given(self._permit, len(batch), again)
        flows.given(transfer, piece.name, record, len(batch))
        name = self._supply.bookmarks.name(transfer, piece.name)
        self._left = piece.cursor
        return Given(places, self._rows(batch), self._sealed(piece.cursor), name)

    def _without_rows(self, piece: Piece) -> Given:
        self._left = piece.cursor
        return Given([], None, self._sealed(piece.cursor))

    def _sealed(self, position: str) -> str:
        return self._supply.bookmarks.seal(self._process.id, position)

    def _rows(self, batch: ObservationBatch) -> dict[str, Any]:
        """The rows as they leave; a person by the name that it has on the other node alone."""
        rows, entry = rows_of(batch), self._supply.gate.law.datasets.get(batch.dataset)
        if batch.subject is not None and entry is not None and entry.personal:
            alias = self._supply.aliases.of(self._process.peer)
            rows["subject"] = [None if who is None else alias(who) for who in batch.subject]
        return rows

    def _news(self, datastreams: Any) -> list[dict[str, Any]]:
        """Places that the other side does not know yet: all at the beginning, later those of new datastreams.

        This waits, and asks another service: what was decided before it may hold no more.
        """
        known = self._known
        if known is not None and known.issuperset(datastreams):
            return []
        if known is not None and time.monotonic() - self._asked < PLACES_AGAIN_SECONDS:
            time.sleep(PLACES_AGAIN_SECONDS)
        self._asked = time.monotonic()
        found = self._supply.places(self._process, self._permit)
        self._known = {item["id"] for item in found} | set(datastreams) | (known or set())
        return [item for item in found if known is None or item["id"] not in known]

    def reached(self) -> str:
        """The sealed position up to which everything was looked at; what is held back comes again behind it."""
        return self._sealed(self._feed.cursor if self._held is None else self._left)

    def at_end(self) -> bool:
        """Whether everything that may leave now has left: what is held back ends it, and all behind that waits too."""
        return self._known is not None and (self._held is not None or self._feed.at_end())


def rows_of(batch: ObservationBatch) -> dict[str, Any]:
    """The rows of a batch in columns, as ingest takes them."""
    found: dict[str, Any] = {
        "dataset": batch.dataset,
        "datastream": batch.datastream,
        "phenomenon_time": batch.phenomenon_time,
        "result": batch.result,
    }
    for name in COLUMNS:
        column = getattr(batch, name)
        if column is not None:
            found[name] = column
    return found


def encoded(given: Given) -> bytes:
    """As JSON bytes."""
    return msgspec.json.encode(Delivered(given.places, given.rows, given.cursor))
