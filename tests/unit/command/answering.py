"""A stack that answers from a table, for the commands: no network, and every request is kept."""

from __future__ import annotations

from typing import Any

import httpx
import pytest


def reach(monkeypatch: pytest.MonkeyPatch, transport: httpx.BaseTransport) -> None:
    """Let every client of this process reach this alone, without a token that somebody has set."""
    real = httpx.Client

    def connected(**options: object) -> httpx.Client:
        return real(**options, transport=transport)  # type: ignore[arg-type]

    monkeypatch.delenv("DMI_TOKEN", raising=False)
    monkeypatch.setattr(httpx, "Client", connected)


class Answering:
    """Answers by method and path; a path that is not in the table answers 404 as the stack does."""

    def __init__(self) -> None:
        self.requests: list[httpx.Request] = []
        self._answers: dict[tuple[str, str], tuple[int, Any]] = {}
        token = {"access_token": "token", "expires_in": 3600}
        self.on("POST", "/exchange/v1/demo/token", token)

    def on(self, method: str, path: str, body: Any, status: int = 200) -> None:
        """Answer this request with this JSON body, or these bytes; a path with a query goes before one without."""
        self._answers[(method, path)] = (status, body)

    def handle(self, request: httpx.Request) -> httpx.Response:
        """The answer to one request."""
        self.requests.append(request)
        missing = {"type": "urn:dmi:problem:not-found", "status": 404, "detail": "nothing is recorded here"}
        path = request.url.path
        whole = (request.method, f"{path}?{request.url.query.decode()}")
        status, body = self._answers.get(whole) or self._answers.get((request.method, path), (404, missing))
        return (
            httpx.Response(status, content=body)
            if isinstance(body, bytes)
            else httpx.Response(status, json=body)
        )

    def asked(self, method: str) -> list[str]:
        """The paths that were asked with this method, the token's left out."""
        paths = [request.url.path for request in self.requests if request.method == method]
        return [path for path in paths if path != "/exchange/v1/demo/token"]
