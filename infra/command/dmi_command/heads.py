"""The head of a request has bounds: its address and headers are kept until the request is done, whoever sends them."""

from __future__ import annotations

import asyncio
from typing import Final

from uvicorn.protocols.http.httptools_impl import STATUS_LINE, HttpToolsProtocol

from dmi_infra.http.problems import Problem

LARGEST: Final = 64 * 1024
"""Bytes of the address and the names and values of all headers together."""
MOST: Final = 200
"""Headers of one request."""
LONGEST: Final = 30.0
"""Seconds from when a connection is made, or a further request begins, until the end of its head."""
ADDRESS: Final = 8 * 1024
"""Bytes of the address alone: all of it is decoded before any route is looked for, whoever sends it."""
PARAMETERS: Final = 512
"""Of the query, each decoded by itself. The most that any route takes is 500 numbers of entries in the log."""
TOO_LONG: Final = Problem(
    414, "invalid-input", f"the address may hold 8 KiB, its query at most {PARAMETERS} parameters"
)
TOO_LARGE: Final = Problem(
    431, "invalid-input", f"the address and the headers may hold 64 KiB together, in at most {MOST} headers"
)


class _TooLarge(Exception):
    """Ends the reading of a head, whatever follows."""


class BoundedHeads(HttpToolsProtocol):
    """A connection that answers 431 to a head beyond the bounds, 414 where that is its address, and closes.

    It closes also when a head does not end. What follows a body in pieces (trailers) counts with the head: the parser
    hands it on in the same way.
    """

    _size = 0
    _count = 0
    _parameters = 1
    _answer: Problem | None = None
    """To a head that is read no further."""
    _unheard = 0
    """Bytes read since the parser last handed on something: an unfinished header it keeps to itself.

    ``LARGEST`` of one, and one read from the socket (256 KiB) more, is the most that it comes to."""

    _until: asyncio.TimerHandle | None = None
    """Closes the connection when the head that is awaited, or begun, takes too long."""
    _in_body = False

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """The first head is awaited."""
        super().connection_made(transport)
        self._await_head()

    def connection_lost(self, exc: Exception | None) -> None:
        """Nothing is awaited any more."""
        self._head_ended()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """Read on, unless the head is too large already."""
        if not self._in_body:
            # Empty lines too, which the parser hands on to nobody.
            self._await_head()
        self._unheard += len(data)
        super().data_received(data)
        if self._unheard > LARGEST and not self.transport.is_closing():
            self._refuse(TOO_LARGE)

    def on_message_begin(self) -> None:
        """A new request: count anew."""
        self._size = self._count = self._unheard = 0
        self._await_head()
        self._parameters = 1
        super().on_message_begin()

    def on_url(self, url: bytes) -> None:
        """A piece of the address."""
        self._parameters += url.count(b"&")
        if self._size + len(url) > ADDRESS or self._parameters > PARAMETERS:
            self._answer = TOO_LONG
            raise _TooLarge
        self._take(len(url))
        super().on_url(url)

    def on_header(self, name: bytes, value: bytes) -> None:
        """A whole header."""
        self._count += 1
        self._take(len(name) + len(value))
        super().on_header(name, value)

    def on_headers_complete(self) -> None:
        """The end of a head."""
        self._head_ended()
        self._in_body = True
        super().on_headers_complete()

    def on_message_complete(self) -> None:
        """The end of a request; another one may follow."""
        self._in_body = False
        super().on_message_complete()

    def on_body(self, body: bytes) -> None:
        """A piece of the body, which the services bound."""
        self._unheard = 0
        super().on_body(body)

    def send_400_response(self, msg: str) -> None:
        """The answer to what cannot be read, or is not read any further."""
        if self._answer is not None:
            self._refuse(self._answer)
        else:
            super().send_400_response(msg)

    def _await_head(self) -> None:
        if self._until is None:
            self._until = self.loop.call_later(LONGEST, self.transport.close)

    def _head_ended(self) -> None:
        if self._until is not None:
            self._until.cancel()
            self._until = None

    def _take(self, size: int) -> None:
        self._unheard = 0
        self._size += size
        if self._size > LARGEST or self._count > MOST:
            self._answer = TOO_LARGE
            raise _TooLarge

    def _refuse(self, problem: Problem) -> None:
        # In the middle of the answer to another request, or to this one, it would be taken for a part of that.
        if self.cycle is None or self.cycle.response_complete:
            answer = problem.response()
            lines = (*self.server_state.default_headers, *answer.raw_headers, (b"connection", b"close"))
            head = b"".join(b"%s: %s\r\n" % line for line in lines)
            self.transport.write(STATUS_LINE[problem.status] + head + b"\r\n" + bytes(answer.body))
        self.transport.close()
