"""What a request body may hold, judged before anything is made of it: by who asks, by the route, while it streams in.

What JSON costs to read lies in the number of its values more than in its bytes: 32 MiB of empty lists take seconds
and a gigabyte, in one call that lets no other thread run, not even the one that keeps the law fresh.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Final

from fastapi import Request
from fastapi.dependencies.models import Dependant
from fastapi.params import Form
from fastapi.routing import APIRoute
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from dmi_infra.errors import Failure, FieldError
from dmi_infra.http.access import asker_of, identify, let_in_already
from dmi_infra.http.numbers import LONG_NUMBER, Numbers
from dmi_infra.http.problems import Problem, problem_of
from dmi_infra.http.shares import HELD
from dmi_infra.lanes import Asker
from dmi_infra.room import Quota

FORM: Final = b"multipart/form-data"
OPEN_BYTES: Final = 128 * 1024
"""Of who proves nothing."""
FORM_BYTES: Final = 20 * 1024
"""Of a form: an assertion with certificates, of 16,384 characters at most, is the largest thing that comes so."""
OPEN_VALUES: Final = 1_000
BYTES: Final = 1024 * 1024
"""Of who is signed in."""
VALUES: Final = 100_000
"""Where a route reads its body by itself: in some 30 ms at worst."""
MODEL_VALUES: Final = 10_000
"""Where the framework reads it into a model: it puts each fault into words, 10,000 in some 30 ms and 50,000 in 770."""
LARGE_VALUES: Final = 1_000_000
HEAVY_VALUES: Final = 2_000
"""Of more, a body waits for a place of who sends it before it is read: many at once would hold up everybody."""
HEAVY_BYTES: Final = 128 * 1024
"""As does one of more bytes, however few values they are."""
UNDER_WAY: Final = 2
"""So many times the largest body may all bodies hold together that one participant has under way at a service."""
PART_SECONDS: Final = 30.0
"""How long the next part of a body may take to come: what came before it is kept meanwhile."""


async def large_body() -> None:
    """A mark on a route: its body may have ``DMI_BODY_LIMIT`` bytes and ``LARGE_VALUES`` values.

    For routes alone that read a heavy one for nobody but who has the right to what it is for.
    """


def values_of(part: bytes) -> int:
    """How many values JSON holds at most. A comma or bracket within a text counts too: to know, one has to read it."""
    return part.count(b",") + part.count(b"[") + part.count(b"{")


def heavy(body: bytes) -> bool:
    """Whether a body is more than anybody who is signed in may send to any route."""
    return len(body) > BYTES or values_of(body) > VALUES


@dataclass(frozen=True, slots=True)
class Allowed:
    """What the body of a request may hold."""

    size: int
    values: int | None
    """``None``: it is no JSON."""
    signed_in: bool
    """Whether an access token must hold before a byte is read: the framework reads bodies before it opens doors."""
    form: bool = False
    """Whether the framework reads it as the fields of a form."""


class _Halted(Exception):
    """Reading was refused; the answer is known."""


class BodyLimit:
    """ASGI middleware: a body that is larger than its route allows is answered with 413 before it is read whole.

    ``limit`` is the most of any route, in bytes. ``forms`` are paths of the service that take files and stream them,
    with a limit of their own; it holds for forms alone: anything else that is sent there would be read into memory.
    """

    def __init__(self, app: ASGIApp, limit: int, forms: Mapping[str, int] | None = None) -> None:
        self._app = app
        self._limit = limit
        self._forms = dict(forms or {})
        self.under_way = Quota(UNDER_WAY * limit, "bytes of request bodies of one participant under way")
        self._known: dict[int, Allowed] = {}
        """By the identity of routes, which live as long as the application."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        reading = _Reading(self, scope, receive, send)
        try:
            await self._app(scope, reading.receive, reading.send)
        except _Halted:
            if reading.begun:
                raise
        if reading.refused is not None and not reading.begun:
            await reading.refused.response()(scope, receive, send)

    def allowed(self, scope: Scope) -> Allowed:
        """What the body may hold that somebody is about to read; by then the route is known."""
        media = dict(scope["headers"]).get(b"content-type", b"").lower()
        if media.startswith(FORM):
            path = scope["path"].removeprefix(scope.get("root_path", ""))
            if path in self._forms:
                return Allowed(self._forms[path], None, False)
        route = scope.get("route")
        known = self._known.get(id(route))
        if known is None:
            known = self._known[id(route)] = self._of(route)
        return known

    def _of(self, route: Any) -> Allowed:
        if not isinstance(route, APIRoute):
            return Allowed(min(OPEN_BYTES, self._limit), OPEN_VALUES, False)
        doors = list(_doors(route.dependant))
        by_token = identify in doors or any(hasattr(door, "dmi_crossing") for door in doors)
        # The framework reads the body of these alone by itself; all others read it behind their door.
        signed_in = by_token and route.body_field is not None
        if large_body in doors:
            return Allowed(self._limit, LARGE_VALUES, signed_in)
        closed = by_token or any(hasattr(door, "dmi_door") for door in doors)
        of_members = MODEL_VALUES if route.body_field is not None else VALUES
        size, values = (BYTES, of_members) if closed else (OPEN_BYTES, OPEN_VALUES)
        form = route.body_field is not None and isinstance(route.body_field.field_info, Form)
        if form:
            size = FORM_BYTES
        return Allowed(min(size, self._limit), values, signed_in, form)


class _Reading:
    """The body of one request, counted while it streams in."""

    def __init__(self, limit: BodyLimit, scope: Scope, receive: Receive, send: Send) -> None:
        self.refused: Problem | None = None
        self.begun = False
        """Whether the answer has."""
        self._limit = limit
        self._scope = scope
        self._receive = receive
        self._send = send
        self._allowed: Allowed | None = None
        self._asker: Asker | None = None
        """Who sends it, as soon as that is known: where the framework reads it, or a door stands before."""
        self._counted = 0
        """Bytes of it that count as under way."""
        self._size = 0
        self._values = 0
        self._numbers = Numbers()
        self._parts = 0
        self._whole = False

    async def receive(self) -> Message:
        """The next part; raises ``_Halted`` where it may not be read."""
        if self.refused is not None:
            raise _Halted
        if self._allowed is None:
            self._allowed = await self._begin(self._limit.allowed(self._scope))
        message = await self._next()
        if message["type"] == "http.request":
            self._whole = not message.get("more_body")
            part = message.get("body", b"")
            self._size += len(part)
            self._check(self._size, self._allowed)
            if self._allowed.values is not None:
                self._look(part, self._allowed, self._allowed.values)
            self._parts += 1
            if self._asker is not None:
                await self._weigh(self._asker, self._allowed)
        return message

    async def send(self, message: Message) -> None:
        """Part of an answer; a framework may make one of ``_Halted``, and ours goes out instead."""
        if self.refused is None or self.begun:
            self.begun = True
            await self._send(message)

    async def _begin(self, allowed: Allowed) -> Allowed:
        if allowed.signed_in:
            with self._refusing():
                request = Request(self._scope)
                self._asker = asker_of(request, await identify(request))
        else:
            self._asker = let_in_already(self._scope)
        announced = dict(self._scope["headers"]).get(b"content-length", b"0")
        if announced.isdigit():
            self._check(int(announced), allowed)
        return allowed

    async def _next(self) -> Message:
        if self._whole:
            # What is heard then is that the caller goes away.
            return await self._receive()
        try:
            async with asyncio.timeout(PART_SECONDS):
                return await self._receive()
        except TimeoutError:
            self.refused = Problem(
                408, "invalid-input", f"no part of the body came for {PART_SECONDS:.0f} seconds"
            )
            raise _Halted from None

    def _look(self, part: bytes, allowed: Allowed, most: int) -> None:
        # Of a form each field: it may be any body whose route has not looked at what it is.
        self._values += values_of(part) + part.count(b"&")
        if allowed.form:
            # Each is read by itself, at three times the cost of a field.
            self._values += part.count(b"%")
        if self._values > most:
            raise self._halt(f"may hold at most {most} values here")
        if not allowed.form and self._numbers.too_long(part):
            self.refused = Problem(
                400, "invalid-input", f"body: {LONG_NUMBER}", [FieldError("body", LONG_NUMBER)]
            )
            raise _Halted

    async def _weigh(self, asker: Asker, allowed: Allowed) -> None:
        """Count what came, and let what is heavy wait for its turn."""
        with self._refusing():
            if self._size > HEAVY_BYTES and allowed.values is not None:
                more, self._counted = self._size - self._counted, self._size
                self._scope[HELD].append(self._limit.under_way.take(asker.party, more))
            if not self._whole:
                return
            if self._parts > 1 and self._size:
                # Who sends slowly may have lost the right to since the door let it in.
                asker.still()
            # Once it is here whole: who sends slowly holds no place.
            if allowed.signed_in and (self._values > HEAVY_VALUES or self._size > HEAVY_BYTES):
                await self._scope["app"].state.shares.take_to_read(self._scope, asker)

    @contextmanager
    def _refusing(self) -> Iterator[None]:
        """Let a failure meanwhile be the answer: a framework would take it for a fault of the body."""
        try:
            yield
        except Failure as exc:
            self.refused = problem_of(exc)
            assert self.refused is not None, "every failure has its problem"
            raise _Halted from exc

    def _check(self, size: int, allowed: Allowed) -> None:
        if size > allowed.size:
            raise self._halt(f"may hold at most {allowed.size} bytes here")

    def _halt(self, rule: str) -> _Halted:
        self.refused = Problem(413, "too-large", f"a request body {rule}", [FieldError("body", rule)])
        return _Halted()


def _doors(dependant: Dependant) -> Iterator[object]:
    for part in dependant.dependencies:
        yield part.call
        yield from _doors(part)
