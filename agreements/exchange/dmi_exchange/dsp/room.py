"""How much of this node another one may take up: what it begins takes room for ever, and threads until it is over."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

import msgspec
import sqlalchemy as sa

from dmi_agreements.contracts.law import Participant
from dmi_agreements.dsp import states
from dmi_agreements.dsp.states import Kind
from dmi_agreements.duties import DAY
from dmi_exchange.dsp.process import Process
from dmi_exchange.errors import StepRefused
from dmi_exchange.tables import dsp_process, law
from dmi_infra import clock

OPEN: Final[Mapping[Kind, int]] = {"negotiation": 500, "transfer": 200}
"""Processes of one other node, or of one participant here with one other side, that are not over.

Of a node all its participants have one room together: it names them itself, as many as it likes.
"""
OPEN_UNDER_ONE: Final = 50
"""Transfers under one agreement that are not over."""
OF_A_DAY: Final[Mapping[Kind, int]] = {"negotiation": 2_000, "transfer": 5_000}
"""Of these, how many began, or changed, in the last day."""
OPEN_OF_OWN: Final[Mapping[Kind, int]] = {"negotiation": 2_000, "transfer": 1_000}
"""Processes that are not over which a participant of this node began, with all others together."""
_UNASKED: Final = '"unasked":true'
"""In the body of a process that its provider began."""
LARGEST_TERMS: Final = 256 * 1024
"""Bytes of an offer or agreement as JSON; each is kept with its negotiation."""

LARGEST_DATA_ADDRESS: Final = 16 * 1024
"""Bytes of where data is fetched or pushed to as JSON; it is kept with its transfer, and read with each piece of it."""


class Full(StepRefused):
    """There is no room for more now; later there is."""

    status = 429
    code = "too-many"


def check_room(connection: sa.Connection, begun: Process) -> None:
    """Raise ``Full`` where the other side of a process that it began, and that is stored, takes up too much."""
    found = dsp_process.c
    same = [_behind(connection, begun)]
    if begun.unasked:
        # What a participant of this node began with it is none of its doing.
        same.append(found.body.contains(_UNASKED))
    _check(connection, begun, "/agreementId", *same)


def _behind(connection: sa.Connection, begun: Process) -> sa.ColumnElement[bool]:
    """What somebody has a part in whose node is that of the other side; of who is of no other node, that side alone."""
    known, peer = law.c, begun.peer
    query = sa.select(known.body).where(known.id == peer)
    body = connection.execute(query).scalar_one_or_none()
    home = msgspec.json.decode(body, type=Participant).home if body is not None else ""
    if not home:
        return dsp_process.c.peer == peer
    # Of those who have a part in any process: a city has many more participants.
    sides = sa.select(dsp_process.c.peer).where(
        dsp_process.c.kind == begun.kind, dsp_process.c.role == begun.role
    )
    # As the law is written: an address has no character that is written in two ways.
    of_it = known.body.contains(f'"home":{msgspec.json.encode(home).decode()}', autoescape=True)
    return dsp_process.c.peer.in_(sa.select(known.id).where(known.id.in_(sides), of_it))


def check_own_room(connection: sa.Connection, begun: Process) -> None:
    """Raise ``Full`` where a participant of this node began too much, as one that is stored.

    With one other side no more than a node takes of another: beyond it the other one refuses, and what
    it does not answer is sent to it for days.
    """
    found = dsp_process.c
    its_own = found.owner == begun.owner, ~found.body.contains(_UNASKED)
    same = found.kind == begun.kind, found.role == begun.role, found.state.not_in(states.TERMINAL)
    query = sa.select(sa.func.count()).select_from(dsp_process).where(*same, *its_own)
    if connection.execute(query).scalar_one() > OPEN_OF_OWN[begun.kind]:
        raise Full(
            f"/: you have {OPEN_OF_OWN[begun.kind]} {begun.kind}s with others that are not over: end some"
        )
    _check(connection, begun, "agreement", *its_own, found.peer == begun.peer)


def _check(connection: sa.Connection, begun: Process, agreement: str, *whose: sa.ColumnElement[bool]) -> None:
    """Raise ``Full`` where what somebody began in a role is too much; ``agreement`` is the field that names it."""
    found = dsp_process.c
    is_open = found.state.not_in(states.TERMINAL)
    recent = found.changed_at >= clock.now() - DAY
    query = sa.select(
        sa.func.count().filter(is_open),
        sa.func.count().filter(is_open, found.agreement == begun.agreement_id),
        sa.func.count().filter(recent),
    ).where(found.kind == begun.kind, found.role == begun.role, *whose, sa.or_(is_open, recent))
    of_all, under_one, of_a_day = connection.execute(query).one()
    kind: Kind = begun.kind
    if of_all > OPEN[kind]:
        raise Full(f"/: you have {OPEN[kind]} {kind}s that are not over: end some")
    if kind == "transfer" and under_one > OPEN_UNDER_ONE:
        rule = f"has {OPEN_UNDER_ONE} transfers that are not over: end some"
        raise Full.of(agreement, rule, begun.agreement_id)
    if of_a_day > OF_A_DAY[kind]:
        raise Full(f"/: you had {OF_A_DAY[kind]} {kind}s in the last day: try again later")


def check_size(
    terms: Mapping[str, Any], place: str, process: Process | None = None, largest: int = LARGEST_TERMS
) -> None:
    """Raise ``StepRefused`` for terms, or an address, that are too large to be kept."""
    if len(msgspec.json.encode(terms)) > largest:
        raise StepRefused(f"{place}: must be at most {largest} bytes", process=process)
