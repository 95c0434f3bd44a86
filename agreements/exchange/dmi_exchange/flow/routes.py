"""The data of transfers over HTTP: pulled, streamed, pushed; each token is of one transfer and lives a minute."""

import time
from collections.abc import AsyncIterator
from contextlib import nullcontext
from functools import partial
from typing import Annotated, Any

import anyio
import anyio.to_thread
import msgspec
from fastapi import APIRouter, Depends, Query, Request, Response
from fastapi.concurrency import run_in_threadpool
from fastapi.responses import StreamingResponse

from dmi_agreements.dsp import states
from dmi_exchange.dsp.door import NodeDoor, Speaker, bearer
from dmi_exchange.dsp.process import Process
from dmi_exchange.dsp.transfer import KAFKA, PUSH
from dmi_exchange.flow.inflow import Intake
from dmi_exchange.flow.outlets import reader_of
from dmi_exchange.flow.supply import Given, Supply, encoded
from dmi_infra import clock, jose, passes
from dmi_infra.aside import PATIENCE, Aside
from dmi_infra.errors import Conflict, InputRefused, NotFound, Refused, Unauthenticated, Unavailable
from dmi_infra.http.access import Asking, asker_of
from dmi_infra.http.limits import BYTES, large_body
from dmi_infra.http.problems import problem_of
from dmi_infra.identity import Identity
from dmi_infra.permit import Permit

POLL_SECONDS = 0.2
"""A quiet stream asks the law again this often."""
ALIVE_SECONDS = 2.0
PULL_ROWS = 20_000
PULL_SECONDS = 10.0
"""How long is looked for more before a pull is answered; well within what the other side waits."""
IN_HAND_SECONDS = 0.5
"""How long rows that were judged wait for more that leaves with them: who objects has them stopped within a second."""
STREAMS = 64
"""Streams that are read at the same time: each has a thread of its own while it waits."""


class Tokens:
    """Data tokens of this node: made for one transfer, judged at the beginning of each request for its data."""

    def __init__(self, key: jose.SigningKey, own: passes.OwnKeys, issuer: str, supply: Supply) -> None:
        self._key = key
        self._own = own
        self._issuer = issuer
        self._supply = supply

    def make(self, process: Process) -> str:
        """A token for the other side of a transfer; raises ``Refused`` or ``Conflict`` when it may get nothing."""
        if process.role != "provider":
            raise NotFound("no transfer of yours has this id")
        self._supply.check(process)
        now = clock.now() // 1_000_000
        reader = reader_of(process) if process.format == KAFKA else None
        return passes.sign_data(
            self._key, self._issuer, process.peer, process.agreement_id, process.id, now, reader
        )

    def judge(self, token: str, identifier: str) -> tuple[Process, Identity]:
        """The transfer that a token opens, and who has it by which key until when; raises ``Unauthenticated``."""
        claims = passes.verify_data(token, self._issuer, self._own)
        if claims["transfer"] != identifier:
            raise Unauthenticated("the token is meant for another transfer")
        process = self._supply.processes.get(identifier)
        if (claims["sub"], claims["agreement"]) != (process.peer, process.agreement_id):
            raise Unauthenticated("the token is meant for another agreement")
        return process, Identity(
            process.peer, "", frozenset(), signed_with=claims["kid"], expires=float(claims["exp"])
        )


def router(door: NodeDoor, tokens: Tokens, supply: Supply, intake: Intake) -> APIRouter:
    """Routes under ``/dsp/data``."""
    routes = APIRouter(prefix="/dsp/data", include_in_schema=False)
    limiter = anyio.CapacityLimiter(STREAMS)
    aside, whole = Aside(patience=PATIENCE), Aside(each=1, patience=PATIENCE)
    Peer = Annotated[str, Depends(door)]

    async def opened(request: Request, transfer: str) -> tuple[Process, Identity]:
        return await run_in_threadpool(tokens.judge, bearer(request), transfer)

    opened.dmi_door = "whoever the data token of the transfer was given to"  # type: ignore[attr-defined]
    Opened = Annotated[tuple[Process, Identity], Depends(opened)]

    def running(transfer: str, peer: str) -> Process:
        process = supply.processes.get(transfer)
        if (process.kind, process.role, process.peer) != ("transfer", "consumer", peer):
            raise NotFound("no transfer of yours has this id")
        if process.format != PUSH or process.state != states.STARTED:
            raise Conflict.of("state", "this transfer takes nothing now", process.state)
        return process

    async def pushing(transfer: str, sender: Annotated[Speaker, Depends(door.unread)]) -> Speaker:
        await run_in_threadpool(running, transfer, sender.participant)
        return sender

    Pushing = Annotated[Speaker, Depends(pushing)]

    @routes.post("/{transfer}/token")
    def token(transfer: str, peer: Peer, response: Response) -> dict[str, Any]:
        response.headers["Cache-Control"] = "no-store"
        process = supply.processes.get(transfer)
        if process.kind != "transfer" or process.peer != peer:
            raise NotFound("no transfer of yours has this id")
        made = tokens.make(process)
        return {"access_token": made, "token_type": "Bearer", "expires_in": passes.DATA_SECONDS}

    @routes.get("/{transfer}")
    async def pull(
        request: Request, judged: Opened, after: Annotated[str, Query(max_length=2000)] = ""
    ) -> Response:
        process, peer = judged
        pulled = await aside.run(asker_of(request, peer), partial(_pulled, supply, process, after))
        return Response(pulled, media_type="application/json")

    @routes.get("/{transfer}/stream")
    async def stream(request: Request, judged: Opened) -> StreamingResponse:
        process, peer = judged
        cursor = request.headers.get("last-event-id", "")
        goes_on = supply.bookmarks.open(process.id, cursor)[1]
        # Asked here already, so that a refusal is a problem document and no stream.
        permit = await run_in_threadpool(supply.permit, process, goes_on)
        headers = {"Cache-Control": "no-store", "X-Accel-Buffering": "no"}
        events = _events(supply, process, permit, cursor, peer.expires + jose.LEEWAY_SECONDS, limiter)
        return StreamingResponse(events, media_type="text/event-stream", headers=headers)

    # As large as what a stream tells at a time. Nothing of it is read before its sender is known to have a push that
    # runs, and it is read by a thread: what a member may send so costs seconds of the loop that all requests share.
    @routes.post("/{transfer}", dependencies=[Depends(large_body)])
    async def push(request: Request, transfer: str, sender: Pushing, asker: Asking) -> dict[str, Any]:
        async with whole.turn(asker) if _large(request) else nullcontext():
            body = await request.body()
            return await aside.run(asker, partial(pushed, transfer, sender, body))

    def pushed(transfer: str, sender: Speaker, body: bytes) -> dict[str, Any]:
        if sender.digest is not None:
            passes.require_digest(sender.digest, body)
        document = _read(body)
        return {"cursor": intake.take(running(transfer, sender.participant), document)}

    return routes


def _large(request: Request) -> bool:
    """Whether a body may be more than anybody who is signed in may send to any route; one that tells no length may."""
    announced = request.headers.get("content-length", "")
    return not announced.isdecimal() or int(announced) > BYTES


def _read(body: bytes) -> object:
    """The JSON of a piece; raises ``InputRefused``."""
    try:
        return msgspec.json.decode(body)
    except (msgspec.MsgspecError, ValueError, RecursionError) as exc:
        raise InputRefused.of(
            "body", "must be JSON in UTF-8 with finite numbers, not nested too deeply"
        ) from exc


def _pulled(supply: Supply, process: Process, after: str) -> bytes:
    """Pieces from a position on, until there is no more or the answer is full."""
    places: list[dict[str, Any]] = []
    batches: list[dict[str, Any]] = []
    cursor, rows, more = after, 0, True
    position, goes_on = supply.bookmarks.open(process.id, after)
    permit = supply.permit(process, goes_on)
    until, in_hand = None, 0.0
    with supply.open(process.id, after, permit) as delivery:
        while rows < PULL_ROWS:
            given = delivery.next(POLL_SECONDS, in_hand=bool(batches))
            # From behind the places, which are asked for first: however long they take, an answer gets further.
            until = until or time.monotonic() + PULL_SECONDS
            if given is None:
                if delivery.waits:
                    break
                if delivery.at_end():
                    more = False
                    break
            else:
                if position == "" or batches or given.rows:
                    places += given.places
                # Of what may not leave not even that it came is told.
                if given.rows or given.places:
                    cursor = given.cursor
                if given.rows:
                    in_hand = in_hand or time.monotonic() + IN_HAND_SECONDS
                    batches.append(given.rows)
                    rows += len(given.rows["datastream"])
            if time.monotonic() > min(until, in_hand or until):
                # On a topic with much that may not leave: whoever asks again goes on from here.
                cursor = delivery.reached()
                break
    return msgspec.json.encode({"features": places, "observations": batches, "cursor": cursor, "more": more})


async def _events(
    supply: Supply,
    process: Process,
    permit: Permit,
    cursor: str,
    until: float,
    limiter: anyio.CapacityLimiter,
) -> AsyncIterator[bytes]:
    """Server-sent events without an end of their own; ``end`` says why there are no more.

    At ``until`` (seconds since 1970) the token is over: ``expired`` asks to go on with a fresh one behind the last id.
    """
    opened = supply.open(process.id, cursor, permit)
    delivery = await anyio.to_thread.run_sync(opened.__enter__, limiter=limiter)
    try:
        quiet, told = clock.now(), False
        while True:
            if clock.now() >= until * 1_000_000:
                yield _event(
                    "expired", _problem(Unauthenticated("the token has expired: go on with a fresh one"))
                )
                return
            try:
                given = await anyio.to_thread.run_sync(delivery.next, POLL_SECONDS, limiter=limiter)
            except (Refused, Conflict, InputRefused, NotFound, Unavailable) as exc:
                yield _event("end", _problem(exc))
                return
            # A piece of which nothing may leave says nothing, not even that it came; the first tells where it begins.
            if given is not None and (given.places or given.rows or not told):
                told = True
                yield _given(given)
                quiet = clock.now()
            elif clock.now() - quiet > ALIVE_SECONDS * 1_000_000:
                yield b": alive\n\n"
                quiet = clock.now()
    finally:
        with anyio.CancelScope(shield=True):
            await anyio.to_thread.run_sync(_close, opened, limiter=limiter)


def _close(opened: Any) -> None:
    opened.__exit__(None, None, None)


def _given(given: Given) -> bytes:
    return b"id: " + given.cursor.encode() + b"\nevent: data\ndata: " + encoded(given) + b"\n\n"


def _event(name: str, data: object) -> bytes:
    return b"event: " + name.encode() + b"\ndata: " + msgspec.json.encode(data) + b"\n\n"


def _problem(exc: Exception) -> dict[str, Any]:
    problem = problem_of(exc)
    return problem.body() if problem is not None else {"detail": str(exc)}
