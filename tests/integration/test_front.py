"""The one address before the services: nginx as the fleet starts it, before small services of the test's own."""

from __future__ import annotations

import asyncio
import json
import socket
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response, StreamingResponse
from starlette.routing import Route

from dmi_command.servers import NginxServer, free_port


async def _echo(request: Request) -> Response:
    body = await request.body()
    return JSONResponse(
        {
            "service": request.app.state.name,
            "path": request.scope["raw_path"].decode(),
            "query": request.scope["query_string"].decode(),
            "host": request.headers["host"],
            "length": len(body),
            "authorization": request.headers.get("authorization"),
        }
    )


async def _events(_request: Request) -> Response:
    async def told() -> object:
        yield b"data: first\n\n"
        await asyncio.sleep(30)
        yield b"data: never\n\n"

    return StreamingResponse(told(), media_type="text/event-stream")  # type: ignore[arg-type]


async def _busy(_request: Request) -> Response:
    return JSONResponse({"detail": "of the service itself"}, 503, headers={"Retry-After": "7"})


def _service(name: str, port: int) -> uvicorn.Server:
    app = Starlette(
        routes=[
            Route("/platform/events", _events),
            Route("/platform/busy", _busy),
            Route("/{path:path}", _echo, methods=["GET", "POST", "PUT", "DELETE"]),
        ]
    )
    app.state.name = name
    server = uvicorn.Server(
        uvicorn.Config(app, port=port, log_level="error", timeout_keep_alive=30, timeout_graceful_shutdown=1)
    )
    threading.Thread(target=server.run, daemon=True).start()
    until = time.monotonic() + 10
    while not server.started and time.monotonic() < until:
        time.sleep(0.02)
    return server


@pytest.fixture(scope="module")
def front(tmp_path_factory: pytest.TempPathFactory, nginx_program: str) -> Iterator[str]:
    """The address of an nginx before two services that answer, and one, ingest, that is away."""
    ports = {name: free_port() for name in ("platform", "visualisation", "ingest")}
    services = [_service(name, ports[name]) for name in ("platform", "visualisation")]
    targets = {name: f"http://127.0.0.1:{port}" for name, port in ports.items()}
    port = free_port()
    nginx = NginxServer(tmp_path_factory.mktemp("front"), "127.0.0.1", port, targets, "visualisation")
    nginx.start()
    yield f"http://127.0.0.1:{port}"
    nginx.stop()
    assert not nginx.running
    for service in services:
        service.should_exit = True


@pytest.mark.parametrize(
    ("path", "service"),
    [
        ("/platform/v1/datastreams?limit=3&after=a%2Fb", "platform"),
        ("/platform", "platform"),
        ("/", "visualisation"),
        ("/assets/index.js", "visualisation"),
        ("/platformer/x", "visualisation"),
    ],
)
def test_the_first_part_of_the_path_names_the_service(front: str, path: str, service: str) -> None:
    answer = httpx.get(f"{front}{path}").json()
    assert answer["service"] == service
    assert answer["path"] == path.split("?")[0]
    assert answer["query"] == path.partition("?")[2]


def test_addresses_pass_as_they_were_written(front: str) -> None:
    path = "/platform/v1//things/urn%3Admi%3Athing%2F1/%C3%A9"
    assert httpx.get(f"{front}{path}").json()["path"] == path


def test_the_service_sees_host_and_credentials(front: str) -> None:
    answer = httpx.get(f"{front}/platform/x", headers={"Authorization": "Bearer abc"}).json()
    assert answer["host"] == front.removeprefix("http://")
    assert answer["authorization"] == "Bearer abc"


def test_a_large_body_passes_whole(front: str) -> None:
    body = b"x" * 40_000_000
    assert httpx.post(f"{front}/platform/x", content=body, timeout=30).json()["length"] == len(body)


def test_a_body_of_unknown_length_passes_whole(front: str) -> None:
    answer = httpx.post(f"{front}/platform/x", content=(b"y" * 1000 for _ in range(100)))
    assert answer.json()["length"] == 100_000


def test_an_event_passes_at_once(front: str) -> None:
    with httpx.stream("GET", f"{front}/platform/events", timeout=5) as answer:
        assert next(answer.iter_bytes()) == b"data: first\n\n"


def test_a_services_own_refusal_is_its_own(front: str) -> None:
    answer = httpx.get(f"{front}/platform/busy")
    assert (answer.status_code, answer.headers["retry-after"]) == (503, "7")
    assert answer.json() == {"detail": "of the service itself"}


def test_a_service_that_is_away_is_a_problem_that_names_it(front: str) -> None:
    answer = httpx.post(f"{front}/ingest/v1/batches", json={})
    assert answer.status_code == 503
    assert answer.headers["content-type"] == "application/problem+json"
    assert int(answer.headers["retry-after"]) >= 1
    assert answer.json() == {
        "type": "urn:dmi:problem:unavailable",
        "title": "Not available for the moment",
        "status": 503,
        "detail": "the service ingest does not answer",
    }


@pytest.mark.parametrize(
    ("request_line", "status"),
    [
        (b"nonsense\r\n\r\n", 400),
        (b"GET / HTTP/1.1\r\n\r\n", 400),
        (b"GET / HTTP/9.9\r\nHost: a\r\n\r\n", 400),
        (b"TRACE / HTTP/1.1\r\nHost: a\r\n\r\n", 400),
        (b"GET / HTTP/1.1\r\nHost: a\r\nX: " + b"x" * 70_000 + b"\r\n\r\n", 431),
        (b"GET /" + b"x" * 70_000 + b" HTTP/1.1\r\nHost: a\r\n\r\n", 414),
    ],
)
def test_what_is_no_request_is_a_problem_too(front: str, request_line: bytes, status: int) -> None:
    host, port = front.removeprefix("http://").split(":")
    with socket.create_connection((host, int(port)), timeout=5) as line:
        line.sendall(request_line)
        answer = b""
        while b"}" not in answer and (part := line.recv(65_536)):
            answer += part
    head, _, body = answer.partition(b"\r\n\r\n")
    assert head.split()[1] == str(status).encode()
    assert b"application/problem+json" in head
    assert json.loads(body)["status"] == status
    assert b"nginx/" not in answer


def test_a_folder_that_its_settings_cannot_name_is_said_so(tmp_path: Path, nginx_program: str) -> None:
    nginx = NginxServer(tmp_path / "with space", "127.0.0.1", free_port(), {}, "visualisation")
    with pytest.raises(Exception, match="DMI_DATA_DIR"):
        nginx.start()
