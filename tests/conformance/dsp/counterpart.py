"""The other side of the table: a small HTTP server that hears what the node sends, and speaks to it.

Written from the standard. It judges every message and answer, both ways, with the published schemas.
"""

from __future__ import annotations

import json
import queue
import re
import threading
import time
import uuid
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import httpx

from tests.conformance.dsp.published import Schemas

CONTEXT = "https://w3id.org/dspace/2025/1/context.jsonld"
WAIT_SECONDS = 15.0
HEARD = re.compile(r"/(negotiations|transfers)/(?:([^/]+)/)?(\w+(?:/\w+)?)/?")
ACKNOWLEDGED = {"negotiations": "ContractNegotiation", "transfers": "TransferProcess"}

Answering = Callable[[dict[str, Any]], tuple[int, dict[str, Any] | None]]


class Counterpart:
    """A participant that keeps to the protocol. ``answer`` may be replaced to behave otherwise."""

    def __init__(self, schemas: Schemas) -> None:
        self.schemas = schemas
        self.heard: queue.Queue[tuple[str, dict[str, Any], dict[str, str]]] = queue.Queue()
        self.faults: list[str] = []
        self.pids: dict[str, str] = {}
        self.answer: Answering | None = None
        outer = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self) -> None:
                body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
                status, answer = outer._hear(self.path, body, dict(self.headers))
                content = json.dumps(answer).encode() if answer is not None else b""
                self.send_response(status)
                self.send_header("Content-Type", "application/json")
                self.send_header("Content-Length", str(len(content)))
                self.end_headers()
                self.wfile.write(content)

            def log_message(self, *_args: Any) -> None:
                """Keep silent."""

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True)
        self.address = f"http://127.0.0.1:{self._server.server_address[1]}/callback"
        self._thread.start()
        self.http = httpx.Client(timeout=10)

    def close(self) -> None:
        """End."""
        self.http.close()
        self._server.shutdown()
        self._server.server_close()

    def _hear(
        self, path: str, body: dict[str, Any], headers: dict[str, str]
    ) -> tuple[int, dict[str, Any] | None]:
        found = HEARD.fullmatch(path.removeprefix("/callback"))
        if found is None:
            self.faults.append(f"nothing goes to {path}")
            return 404, None
        try:
            self.schemas.check(body)
        except AssertionError as exc:
            self.faults.append(f"{path}: {exc}")
        if self.answer is not None:
            status, answer = self.answer(body)
            if status >= 300:
                return status, answer
        if found[2] is not None:
            self.heard.put((path, body, headers))
            return 200, None
        # The first message of a process: it gets an id from this side.
        own, theirs = ("consumerPid", "providerPid")
        if "providerPid" not in body:
            own, theirs = theirs, own
        pid = self.pids.setdefault(body[theirs], f"urn:uuid:{uuid.uuid4()}")
        self.heard.put((path, body, headers))
        state = "OFFERED" if body["@type"] == "ContractOfferMessage" else "REQUESTED"
        made = {"@context": [CONTEXT], "@type": ACKNOWLEDGED[found[1]], own: pid, theirs: body[theirs]}
        return 201, self.schemas.check({**made, "state": state})

    def next(self) -> tuple[str, dict[str, Any]]:
        """The next message of the node; it must come in time."""
        path, body, _headers = self.heard.get(timeout=WAIT_SECONDS)
        assert self.faults == []
        return path, body

    def say(self, url: str, message: dict[str, Any]) -> httpx.Response:
        """Send a message that is of its form, and judge the answer."""
        self.schemas.check(message)
        answer = self.http.post(url, json=message)
        assert answer.headers["content-type"] == "application/json", answer.text
        self.schemas.check(answer.json())
        return answer

    def silent(self, seconds: float) -> None:
        """Nothing comes for a while."""
        time.sleep(seconds)
        assert self.heard.empty(), self.heard.get()
