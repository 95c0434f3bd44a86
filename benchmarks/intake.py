"""Speed of intake: ``python benchmarks/intake.py`` prints one JSON object.

Measured over HTTP with 16 connections: single observations (each answered when it is durable), and
dataArray requests of 1,000 rows. Without arguments it starts ingest alone on the embedded bus in a
process of its own, under a law made for this run; ``--url http://host:port/ingest --token TOKEN
--datastream ID`` loads a node that runs, with a token and a datastream that the caller may contribute to.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import multiprocessing
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from multiprocessing.connection import Connection
from pathlib import Path
from urllib.parse import urlsplit

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

import uvicorn

from benchmarks.common.machine import cpu_seconds, facts
from dmi_agreements.contracts.envelope import Envelope, encode
from dmi_agreements.contracts.law import Dataset, Heartbeat, LawEvent, Participant
from dmi_infra import clock, jose
from dmi_infra.bus import Message, open_bus
from dmi_infra.bus.port import Publisher
from dmi_infra.identity import AUDIENCE, EXCHANGE_PARTICIPANT
from dmi_infra.telemetry import configure_logs
from dmi_ingest.app import build
from dmi_ingest.settings import IngestSettings

OWNER = "urn:dmi:participant:stack"
DATASET = "urn:dmi:dataset:stack:load"
"""The stack itself owns the dataset, so that no agreement is needed; each observation is decided twice."""
LAW = "dmi.agreements.v1"
CONNECTIONS = 16
START = 1_767_225_600_000_000
ROWS = 1000


@dataclass(frozen=True, slots=True)
class Target:
    """What is loaded: the address of ingest, a token, and a datastream."""

    url: str
    token: str
    datastream: str


def _law(publisher: Publisher, *events: LawEvent) -> None:
    for event in events:
        envelope = Envelope(event.id, "urn:dmi:service:exchange", "nl.dmi.law.v1", clock.to_text(clock.now()))
        publisher.publish(LAW, [Message(event.id, encode(event), envelope)])


def _serve(folder: str, pipe: Connection) -> None:
    """Ingest alone; sends its port, ends when the other side closes."""
    configure_logs("warning")
    settings = IngestSettings(data_dir=Path(folder), stack_participant=OWNER)
    bus = open_bus(settings.bus_address())
    bus.create_topics()
    law = bus.publisher("exchange")
    key = jose.SigningKey.generate()
    _law(
        law,
        Participant(EXCHANGE_PARTICIPANT, "Exchange", [], [key.public], "1.0.0"),
        Participant(OWNER, "Owner", [], [], "1.0.0"),
        Dataset(DATASET, OWNER, {"en": "Load"}),
        Heartbeat("urn:dmi:heartbeat", clock.now()),
    )
    service = build(settings, bus)
    server = uvicorn.Server(
        uvicorn.Config(service.app, port=0, log_level="warning", access_log=False, lifespan="off")
    )
    service.start()
    thread = threading.Thread(target=server.run)
    thread.start()
    while not server.started:
        time.sleep(0.01)
    claims = jose.access_claims(settings.issuer, AUDIENCE, OWNER, "Owner", [], clock.now() // 1_000_000)
    pipe.send((server.servers[0].sockets[0].getsockname()[1], key.sign_token(claims)))
    while not pipe.poll(1.0):
        _law(law, Heartbeat("urn:dmi:heartbeat", clock.now()))
    server.should_exit = True
    thread.join()
    service.stop()
    bus.close()


@contextmanager
def _node() -> Iterator[tuple[str, str, int]]:
    """A node of its own: its address, a token and its process."""
    here, there = multiprocessing.get_context("spawn").Pipe()
    with tempfile.TemporaryDirectory() as folder:
        process = multiprocessing.get_context("spawn").Process(target=_serve, args=(folder, there))
        process.start()
        try:
            port, token = here.recv()
            yield f"http://127.0.0.1:{port}", token, process.pid or 0
        finally:
            here.send(None)
            process.join(20)


async def _request(
    reader: asyncio.StreamReader, writer: asyncio.StreamWriter, target: Target, path: str, body: bytes
) -> bytes:
    """One POST on an open connection; raises for any answer but 201."""
    parts = urlsplit(target.url)
    writer.write(
        f"POST {parts.path}{path} HTTP/1.1\r\nHost: {parts.netloc}\r\nAuthorization: Bearer {target.token}\r\n"
        f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n".encode()
        + body
    )
    head = await reader.readuntil(b"\r\n\r\n")
    length = next(
        int(line.split(b":")[1]) for line in head.split(b"\r\n") if line.lower().startswith(b"content-length")
    )
    answer = await reader.readexactly(length)
    if not head.startswith(b"HTTP/1.1 201"):
        raise RuntimeError(f"{head.splitlines()[0]!r} {answer[:300]!r}")
    return answer


def _single(target: Target, number: int) -> bytes:
    at = clock.to_text(START + number * 1_000_000)
    body = {"phenomenonTime": at, "result": number % 400, "Datastream": {"@iot.id": target.datastream}}
    return json.dumps(body).encode()


def _array(target: Target, number: int) -> bytes:
    first = START + 10**12 + number * ROWS * 1_000_000
    rows = [[clock.to_text(first + row * 1_000_000), row % 400] for row in range(ROWS)]
    group = {
        "Datastream": {"@iot.id": target.datastream},
        "components": ["phenomenonTime", "result"],
        "dataArray": rows,
    }
    return json.dumps([group]).encode()


async def _load(target: Target, path: str, bodies: list[bytes]) -> tuple[float, list[float]]:
    """Send all bodies over the connections; seconds in all, and for each request."""
    parts = urlsplit(target.url)
    waiting = iter(bodies)
    took: list[float] = []

    async def work() -> None:
        reader, writer = await asyncio.open_connection(parts.hostname, parts.port)
        for body in waiting:
            begun = time.perf_counter()
            await _request(reader, writer, target, path, body)
            took.append(time.perf_counter() - begun)
        writer.close()

    begun = time.perf_counter()
    await asyncio.gather(*(work() for _ in range(CONNECTIONS)))
    return time.perf_counter() - begun, sorted(took)


async def _prepare(url: str, token: str) -> Target:
    target = Target(url, token, "load.thing.occupancy")
    parts = urlsplit(url)
    reader, writer = await asyncio.open_connection(parts.hostname, parts.port)
    features = [
        {"id": "load.thing", "kind": "thing", "name": "Thing"},
        {
            "id": target.datastream,
            "kind": "datastream",
            "name": "Load",
            "properties": {"thing": "load.thing", "observed_property": "occupancy", "unit": "{vehicle}"},
        },
    ]
    body = json.dumps({"dataset": DATASET, "features": features}).encode()
    await _request(reader, writer, target, "/v1/features", body)
    writer.close()
    return target


async def _measure(target: Target, singles: int, arrays: int, pid: int | None = None) -> dict[str, object]:
    await _load(target, "/v1.1/Observations", [_single(target, number) for number in range(500)])
    before = sum(cpu_seconds(pid).values()) if pid else 0.0
    took, each = await _load(target, "/v1.1/Observations", [_single(target, n + 500) for n in range(singles)])
    single_cpu = sum(cpu_seconds(pid).values()) - before if pid else None
    array_took, array_each = await _load(
        target, "/v1.1/CreateObservations", [_array(target, number) for number in range(arrays)]
    )
    return {
        "connections": CONNECTIONS,
        "single_per_s": round(singles / took),
        "single_cpu_us": None if single_cpu is None else round(single_cpu / singles * 1e6, 1),
        "single_p50_ms": round(each[len(each) // 2] * 1000, 2),
        "single_p99_ms": round(each[int(len(each) * 0.99)] * 1000, 2),
        "array_rows_per_s": round(arrays * ROWS / array_took),
        "array_p50_ms": round(array_each[len(array_each) // 2] * 1000, 2),
    }


def main() -> None:
    """Load a node and print what was measured."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--url", help="address of ingest on a node that runs, with its path")
    parser.add_argument("--token", default="")
    parser.add_argument("--datastream", default="")
    parser.add_argument("--singles", type=int, default=10_000)
    parser.add_argument("--arrays", type=int, default=200)
    given = parser.parse_args()
    machine = facts()
    if given.url:
        target = Target(given.url.rstrip("/"), given.token, given.datastream)
        figures = asyncio.run(_measure(target, given.singles, given.arrays))
        print(json.dumps({"benchmark": "intake", **figures, "machine": machine}))
        return
    with _node() as (url, token, pid):
        target = asyncio.run(_prepare(url, token))
        figures = asyncio.run(_measure(target, given.singles, given.arrays, pid))
    print(json.dumps({"benchmark": "intake", **figures, "machine": machine}))


if __name__ == "__main__":
    main()
