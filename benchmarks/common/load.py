"""A client for load: requests on open connections, written and read with as little work as can be."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from urllib.parse import urlsplit


@dataclass(frozen=True, slots=True)
class Ask:
    """One request; a body makes it a POST."""

    path: str
    body: bytes = b""


@dataclass(slots=True)
class Taken:
    """What a load took: seconds in all, of each request, and the answers in order of their requests."""

    seconds: float = 0.0
    each: list[float] = field(default_factory=list)
    answers: dict[int, bytes] = field(default_factory=dict)


class Connection:
    """One kept connection; raises ``RuntimeError`` for an answer that is no success."""

    def __init__(self, url: str, token: str) -> None:
        self._parts = urlsplit(url)
        self._head = f"Host: {self._parts.netloc}\r\nAuthorization: Bearer {token}\r\n"

    async def open(self) -> None:
        """Connect."""
        self._reader, self._writer = await asyncio.open_connection(
            self._parts.hostname, self._parts.port, limit=2**24
        )

    def close(self) -> None:
        """Hang up."""
        self._writer.close()

    async def ask(self, ask: Ask) -> bytes:
        """The body of the answer."""
        kind = f"Content-Type: application/json\r\nContent-Length: {len(ask.body)}\r\n" if ask.body else ""
        method = "POST" if ask.body else "GET"
        head = f"{method} {self._parts.path}{ask.path} HTTP/1.1\r\n{self._head}{kind}\r\n"
        self._writer.write(head.encode() + ask.body)
        status = await self._reader.readuntil(b"\r\n\r\n")
        lowered = status.lower()
        if b"transfer-encoding: chunked" in lowered:
            answer = await self._chunks()
        else:
            answer = await self._reader.readexactly(
                int(lowered.split(b"content-length:")[1].split(b"\r\n")[0])
            )
        if status[9:10] != b"2":
            raise RuntimeError(f"{ask.path}: {status.splitlines()[0]!r} {answer[:300]!r}")
        return answer

    async def _chunks(self) -> bytes:
        parts = []
        while size := int(await self._reader.readuntil(b"\r\n"), 16):
            parts.append(await self._reader.readexactly(size))
            await self._reader.readexactly(2)
        await self._reader.readexactly(2)
        return b"".join(parts)


async def load(url: str, token: str, asks: Sequence[Ask], connections: int, keep: bool = False) -> Taken:
    """Send all requests over so many connections, each the next when it has its answer."""
    taken = Taken()
    waiting = iter(enumerate(asks))

    async def work(connection: Connection, mine: Iterable[tuple[int, Ask]]) -> None:
        for number, ask in mine:
            begun = time.perf_counter()
            answer = await connection.ask(ask)
            taken.each.append(time.perf_counter() - begun)
            if keep:
                taken.answers[number] = answer

    opened = [Connection(url, token) for _ in range(connections)]
    for connection in opened:
        await connection.open()
    begun = time.perf_counter()
    await asyncio.gather(*(work(connection, waiting) for connection in opened))
    taken.seconds = time.perf_counter() - begun
    for connection in opened:
        connection.close()
    return taken
