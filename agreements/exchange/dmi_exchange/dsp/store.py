"""Negotiations and transfers in the exchange's store: each step with its message in one transaction."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Collection
from dataclasses import dataclass
from typing import Any

import msgspec
import sqlalchemy as sa
from sqlalchemy.exc import IntegrityError

from dmi_agreements.contracts.observations import Micros
from dmi_agreements.dsp import states
from dmi_agreements.dsp.states import Kind, Side
from dmi_exchange.dsp.process import Outgoing, Process, Waiting
from dmi_exchange.dsp.room import check_own_room, check_room
from dmi_exchange.tables import dsp_message, dsp_process, dsp_received
from dmi_infra import clock
from dmi_infra.errors import Conflict, NotFound
from dmi_infra.sql import insert_new, reading, transaction

LEASE = 60_000_000
"""Microseconds for which a message that is being sent is left alone by other processes; longer than a time-out."""
HOSTS_LEFT_OUT = 8
"""Hosts at most whose messages are left out of those that are read: each is looked for in every process."""
GRACE = 300_000
"""Microseconds before this node goes on by itself: the answer that told the other side's ids goes first."""

_BODY = sa.select(dsp_process.c.body).where(dsp_process.c.id == sa.bindparam("process"))
_BODY_TO_CHANGE = _BODY.with_for_update()
_DIGEST = sa.select(dsp_received.c.digest).where(
    dsp_received.c.process == sa.bindparam("process"), dsp_received.c.digest == sa.bindparam("wanted")
)
"""Put together once: each step of a process asks them several times."""
_KEPT = '"kept":true'
"""In the body of a process whose agreement stands in this node's law."""


@dataclass(frozen=True, slots=True)
class Change:
    """What becomes of a process: its new form, a message to send, and whether this node goes on by itself."""

    process: Process
    outgoing: Outgoing | None = None
    advance: bool = False
    silence: bool = False
    """Drop what still waits to be sent: the other side ended the process."""
    acknowledged: int | None = None
    """A message that need not be sent any more."""


Decide = Callable[[Process, Callable[[str], bool]], Change | None]
"""From the present form, and whether a digest was received before; ``None`` changes nothing."""


class Processes:
    """All reads and writes about processes."""

    def __init__(self, engine: sa.Engine) -> None:
        self._engine = engine

    def get(self, identifier: str) -> Process:
        """A process; raises ``NotFound``."""
        with reading(self._engine) as connection:
            body = connection.execute(_BODY, {"process": identifier}).scalar_one_or_none()
        if body is None:
            raise NotFound("no process has this id")
        return msgspec.json.decode(body, type=Process)

    def find(
        self,
        kind: Kind,
        owner: str | None,
        limit: int = 500,
        behind: tuple[Micros, str] | None = None,
        agreement: str | None = None,
        open_only: bool = False,
    ) -> list[Process]:
        """Processes of a kind, newest change first, of one participant or all, and of one agreement or any.

        ``behind``: the change and id of the last one that was given before.
        """
        found = dsp_process.c
        query = sa.select(found.body).where(found.kind == kind)
        if owner is not None:
            query = query.where(found.owner == owner)
        if agreement is not None:
            query = query.where(found.agreement == agreement)
        if open_only:
            query = query.where(found.state.not_in(states.TERMINAL))
        if behind is not None:
            at, last = behind
            query = query.where(
                sa.or_(found.changed_at < at, sa.and_(found.changed_at == at, found.id > last))
            )
        query = query.order_by(found.changed_at.desc(), found.id).limit(limit)
        with reading(self._engine) as connection:
            bodies = connection.execute(query).scalars().all()
        return [msgspec.json.decode(body, type=Process) for body in bodies]

    def negotiated(self, agreement: str, owner: str, peer: str) -> bool:
        """Whether ``owner`` came to this agreement as the consumer in a negotiation with ``peer``."""
        found = dsp_process.c
        query = sa.select(found.id).where(
            found.agreement == agreement, found.kind == "negotiation", found.role == "consumer",
            found.owner == owner, found.peer == peer, found.state == states.FINALIZED,
        )  # fmt: skip
        with reading(self._engine) as connection:
            return connection.execute(query.limit(1)).first() is not None

    def begin(
        self, process: Process, received: str | None, outgoing: Outgoing | None = None
    ) -> tuple[Process, bool]:
        """Store a new process. One that the other side began before is given back, and whether this repeats it.

        Raises ``room.Full`` where the other side, or else the participant of this node, has begun too many.
        """
        row = {**_row(process), "advance_at": clock.now() + GRACE if received else None}
        with transaction(self._engine) as connection:
            new = insert_new(connection, dsp_process, row, ["kind", "role", "peer", "peer_pid"])
            if not new:
                query = sa.select(dsp_process.c.body).where(
                    *(dsp_process.c[name] == row[name] for name in ("kind", "role", "peer", "peer_pid"))
                )
                known = msgspec.json.decode(connection.execute(query).scalar_one(), type=Process)
                return known, received is not None and _received(connection, known.id, received)
            if received is not None:
                check_room(connection, process)
                insert_new(
                    connection,
                    dsp_received,
                    {"process": process.id, "digest": received},
                    ["process", "digest"],
                )
            elif process.role == "consumer":
                check_own_room(connection, process)
            if outgoing is not None:
                _send(connection, process.id, outgoing)
        return process, True

    def change(self, identifier: str, decide: Decide, received: str | None = None) -> Process:
        """Store what ``decide`` makes of a process, and what is to be sent for it; raises ``NotFound``."""
        with transaction(self._engine) as connection:
            body = connection.execute(_BODY_TO_CHANGE, {"process": identifier}).scalar_one_or_none()
            if body is None:
                raise NotFound("no process has this id")
            known = msgspec.json.decode(body, type=Process)
            change = decide(known, lambda digest: _received(connection, identifier, digest))
            if change is None:
                return known
            if received is not None:
                insert_new(
                    connection,
                    dsp_received,
                    {"process": identifier, "digest": received},
                    ["process", "digest"],
                )
            row = _row(change.process)
            if change.advance:
                # Only set here, never taken back: what came meanwhile may have asked for it.
                row["advance_at"] = clock.now() + GRACE
            try:
                connection.execute(sa.update(dsp_process).where(dsp_process.c.id == identifier).values(row))
            except IntegrityError as exc:
                raise Conflict("the other side gave this process an id that another one has") from exc
            if change.silence:
                connection.execute(sa.delete(dsp_message).where(dsp_message.c.process == identifier))
            if change.acknowledged is not None:
                connection.execute(sa.delete(dsp_message).where(dsp_message.c.id == change.acknowledged))
            if change.outgoing is not None:
                _send(connection, identifier, change.outgoing)
        return change.process

    def under(self, agreement: str) -> list[Process]:
        """The negotiations that became an agreement, and the transfers under it."""
        query = sa.select(dsp_process.c.body).where(dsp_process.c.agreement == agreement)
        with reading(self._engine) as connection:
            bodies = connection.execute(query.order_by(dsp_process.c.id)).scalars().all()
        return [msgspec.json.decode(body, type=Process) for body in bodies]

    def flowing(self, role: Side) -> list[str]:
        """Transfers under which data flows now, of which this node is that side."""
        found = dsp_process.c
        query = sa.select(found.id).where(
            found.kind == "transfer", found.role == role, found.state == states.STARTED
        )
        with reading(self._engine) as connection:
            return list(connection.execute(query).scalars())

    def agreements(self) -> list[str]:
        """The agreements that negotiations became and transfers rest on."""
        query = sa.select(dsp_process.c.agreement).where(dsp_process.c.agreement.is_not(None)).distinct()
        with reading(self._engine) as connection:
            return list(connection.execute(query).scalars())

    # -- what is to be done -------------------------------------------------

    def to_advance(self, now: Micros, limit: int = 100) -> list[str]:
        """Processes in which this node has something to do by itself."""
        query = (
            sa.select(dsp_process.c.id)
            .where(dsp_process.c.advance_at <= now)
            .order_by(dsp_process.c.advance_at)
            .limit(limit)
        )
        with reading(self._engine) as connection:
            return list(connection.execute(query).scalars())

    def take_advance(self, identifier: str) -> bool:
        """Whether this caller is the one that goes on with the process."""
        taken = (
            sa.update(dsp_process)
            .where(dsp_process.c.id == identifier, dsp_process.c.advance_at.is_not(None))
            .values(advance_at=None)
        )
        with transaction(self._engine) as connection:
            return connection.execute(taken).rowcount == 1

    def advance_later(self, identifier: str, at: Micros) -> None:
        """Have this node look at the process (again) at that time."""
        with transaction(self._engine) as connection:
            connection.execute(
                sa.update(dsp_process).where(dsp_process.c.id == identifier).values(advance_at=at)
            )

    def claim(
        self, now: Micros, limit: int, hosts: Collection[str] = (), choosers: Collection[str] = ()
    ) -> list[Waiting]:
        """Messages to try now, the oldest of each process alone; nobody else gets them for a while.

        None to ``hosts`` (of some of them, where they are many), and none to addresses that ``choosers`` chose.
        """
        found_by = dsp_process.c
        chooser = sa.case((found_by.role == "consumer", found_by.owner), else_=found_by.peer)
        elsewhere = [
            ~found_by.body.contains(f'"address":"{scheme}://{host}{end}', autoescape=True)
            for host in list(hosts)[:HOSTS_LEFT_OUT]
            for scheme in ("http", "https")
            for end in ("/", '"')
        ]
        first = sa.select(sa.func.min(dsp_message.c.id)).group_by(dsp_message.c.process)
        query = (
            sa.select(dsp_message)
            .join(dsp_process, dsp_process.c.id == dsp_message.c.process)
            .where(dsp_message.c.id.in_(first), dsp_message.c.next_at <= now)
            .where(chooser.not_in(choosers), *elsewhere)
            .order_by(dsp_message.c.next_at)
            .limit(limit)
        )
        found: list[Waiting] = []
        with reading(self._engine) as connection:
            rows = connection.execute(query).all()
        if not rows:
            return []
        with transaction(self._engine) as connection:
            for row in rows:
                mine = (
                    sa.update(dsp_message)
                    .where(dsp_message.c.id == row.id, dsp_message.c.next_at == row.next_at)
                    .values(next_at=now + LEASE)
                )
                if connection.execute(mine).rowcount == 1:
                    found.append(
                        Waiting(
                            row.id,
                            row.process,
                            row.type,
                            row.path,
                            row.body.encode(),
                            row.made_at,
                            row.attempts,
                        )
                    )
        return found

    def release(self, *messages: int, at: Micros | None = None) -> None:
        """Let messages that were claimed but not tried be claimed again, at once or at a moment."""
        later = sa.update(dsp_message).where(dsp_message.c.id.in_(messages))
        with transaction(self._engine) as connection:
            connection.execute(later.values(next_at=clock.now() if at is None else at))

    def release_all(self) -> None:
        """Let every message be tried at once: whoever claimed some may have been killed."""
        with transaction(self._engine) as connection:
            now = clock.now()
            later = sa.update(dsp_message).where(dsp_message.c.next_at > now)
            connection.execute(later.values(next_at=now))

    def advance_all(self) -> None:
        """Look at every process that is not at its end: whoever went on with some may have been killed.

        Also at what was concluded of a negotiation that then ended, which has to end with it.
        """
        found = dsp_process.c
        unkept = sa.and_(
            found.state == states.FINALIZED, found.role == "consumer", ~found.body.contains(_KEPT)
        )
        undone = sa.and_(
            found.kind == "negotiation",
            found.role == "provider",
            found.state == states.TERMINATED,
            found.agreement.is_not(None),
        )
        open_ones = sa.or_(found.state.not_in(states.TERMINAL), unkept, undone)
        with transaction(self._engine) as connection:
            connection.execute(
                sa.update(dsp_process)
                .where(open_ones, found.advance_at.is_(None))
                .values(advance_at=clock.now() + GRACE)
            )

    def delivered(self, message: Waiting, note: Callable[[Process], Process]) -> Process:
        """The other side acknowledged a message."""

        def decide(known: Process, _received: Callable[[str], bool]) -> Change:
            return Change(note(known), advance=not known.over, acknowledged=message.id)

        return self.change(message.process, decide)

    def undelivered(self, message: Waiting, next_at: Micros, reason: str) -> None:
        """A message did not arrive; it is tried again at ``next_at``, and ``reason`` is shown until then.

        Of what was ended, why it was is shown on; of what need not be sent any more, nothing.
        """
        with transaction(self._engine) as connection:
            # The process first, as in ``change``: the other way round each would wait for the other.
            body = connection.execute(_BODY_TO_CHANGE, {"process": message.process}).scalar_one()
            again = sa.update(dsp_message).where(dsp_message.c.id == message.id)
            if not connection.execute(again.values(attempts=message.attempts + 1, next_at=next_at)).rowcount:
                return
            known = msgspec.json.decode(body, type=Process)
            ended = known.reason if known.state == states.TERMINATED else ""
            after = msgspec.structs.replace(known, reason=ended or reason)
            connection.execute(
                sa.update(dsp_process).where(dsp_process.c.id == message.process).values(body=_body(after))
            )

    def pending(self, *processes: str) -> Counter[str]:
        """How many messages of each process the other side has not acknowledged yet."""
        found = dsp_message.c.process
        query = sa.select(found, sa.func.count()).where(found.in_(processes)).group_by(found)
        with reading(self._engine) as connection:
            return Counter(dict(connection.execute(query).all()))


def _received(connection: sa.Connection, process: str, digest: str) -> bool:
    return connection.execute(_DIGEST, {"process": process, "wanted": digest}).first() is not None


def _send(connection: sa.Connection, process: str, outgoing: Outgoing) -> None:
    now = clock.now()
    connection.execute(
        sa.insert(dsp_message).values(
            process=process,
            type=outgoing.type,
            path=outgoing.path,
            body=msgspec.json.encode(outgoing.body).decode(),
            made_at=now,
            attempts=0,
            next_at=now,
        )
    )


def _body(process: Process) -> str:
    return msgspec.json.encode(process).decode()


def _row(process: Process) -> dict[str, Any]:
    return {
        "id": process.id,
        "kind": process.kind,
        "role": process.role,
        "owner": process.owner,
        "peer": process.peer,
        "peer_pid": process.peer_pid,
        "state": process.state,
        "changed_at": process.changed_at,
        "agreement": process.agreement_id or None,
        "body": _body(process),
    }
