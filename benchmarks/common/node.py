"""A node to load: one that runs (its address), or one of the benchmark's own in a temporary folder."""

from __future__ import annotations

import argparse
import json
import os
import signal
import socket
import subprocess
import sys
import tempfile
import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx

from benchmarks.common.machine import ROOT, cpu_seconds
from dmi_command.client import Client
from dmi_command.demo import participants
from dmi_command.errors import AnswerRefused, CommandFailed
from dmi_exchange.custody import Custody

STACK = "urn:dmi:participant:stack"
OWNER = "urn:dmi:participant:gemeente"
SERVICES = ("exchange", "ingest", "platform", "visualisation", "support-centre")
READY_SECONDS = 120
CITY = (5.06, 52.07, 5.14, 52.13)
"""Where the things of a benchmark stand: west, south, east, north."""


def arguments(description: str | None) -> argparse.ArgumentParser:
    """The options that say which node is loaded."""
    parser = argparse.ArgumentParser(description=(description or "").splitlines()[0])
    parser.add_argument("url", nargs="?", help="address of a stack that runs; left out: one of its own")
    parser.add_argument("--pid", type=int, help="process of the stack at the address, for its processor time")
    parser.add_argument("--servers", action="store_true", help="its own stack on Kafka and PostgreSQL")
    return parser


@dataclass
class Node:
    """A stack that answers, and the process that it is when it is the benchmark's own."""

    url: str
    process: subprocess.Popen[bytes] | None = None
    pid: int | None = None
    ready_seconds: float = 0.0
    deployment: str = "given"
    _tokens: dict[str, tuple[float, str]] = field(default_factory=dict)

    def cpu(self) -> dict[str, float] | None:
        """Processor seconds so far of the stack by program; ``None`` for a stack whose process is not known."""
        return None if self.pid is None else cpu_seconds(self.pid)

    def token(self, identity: str = "officer") -> str:
        """An access token of a demonstration identity."""
        known = self._tokens.get(identity)
        if known is None or known[0] < time.monotonic():
            answer = httpx.post(f"{self.url}/exchange/v1/demo/token", json={"identity": identity}, timeout=30)
            known = time.monotonic() + 300, str(answer.raise_for_status().json()["access_token"])
            self._tokens[identity] = known
        return known[1]


def start(folder: Path, demo: bool, servers: bool) -> Node:
    """Start a stack of one's own and wait until each service is ready; raises ``RuntimeError`` when it is not."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    words = [sys.executable, "-m", "dmi_command", "up"]
    words += ["--no-demo"] * (not demo) + ["--servers"] * servers
    environment = {
        **os.environ,
        "DMI_DATA_DIR": str(folder),
        "DMI_PORT": str(port),
        "DMI_LOG_LEVEL": "warning",
    }
    log = folder.parent / f"{folder.name}.log"
    begun = time.perf_counter()
    with log.open("ab") as out:
        process = subprocess.Popen(words, cwd=ROOT, env=environment, stdout=out, stderr=out)
    node = Node(
        f"http://127.0.0.1:{port}",
        process,
        process.pid,
        deployment="Kafka + PostgreSQL" if servers else "embedded",
    )
    while not _ready(node.url):
        if process.poll() is not None or time.perf_counter() - begun > READY_SECONDS:
            stop(node)
            raise RuntimeError(f"the stack did not start: {log.read_text()[-2000:]}")
        time.sleep(0.05)
    node.ready_seconds = time.perf_counter() - begun
    return node


def stop(node: Node) -> float:
    """Stop a stack of one's own; seconds that it took."""
    begun = time.perf_counter()
    if node.process is not None and node.process.poll() is None:
        node.process.send_signal(signal.SIGINT)
        try:
            node.process.wait(30)
        except subprocess.TimeoutExpired:
            node.process.kill()
            node.process.wait(10)
    return time.perf_counter() - begun


@contextmanager
def a_node(given: argparse.Namespace) -> Iterator[Node]:
    """The node at the given address, or one of one's own without the demonstration's data, removed afterwards."""
    if given.url:
        yield Node(given.url.rstrip("/"), pid=given.pid)
        return
    with tempfile.TemporaryDirectory(prefix="dmi-bench-") as folder:
        node = start(Path(folder) / "data", demo=False, servers=given.servers)
        try:
            join(node, Path(folder) / "data")
            yield node
        finally:
            stop(node)


def _ready(url: str) -> bool:
    try:
        return all(httpx.get(f"{url}/{name}/health/ready", timeout=5).status_code == 200 for name in SERVICES)
    except httpx.TransportError:
        return False  # not listening yet


def join(node: Node, folder: Path) -> None:
    """Make the members of the demonstration members of an empty node; ``folder`` is its data folder."""
    custody = Custody(folder / "keys", hosting=True)
    for member in (each[0] for each in participants()):
        key = custody.own(member.id)
        body = {"id": member.id, "name": member.name, "roles": member.roles, "keys": [key.public]}
        operator = Client(node.url, demo="operator")
        try:
            operator.post("/exchange/v1/participants", body)
        except AnswerRefused as refused:
            if refused.status != 409:
                raise
        path = f"/exchange/v1/participants/{member.id}"
        client = Client(node.url, participant=member.id, key=key)
        if client.get("/exchange/v1/me")["signed"] is None:
            statement = client.get(f"{path}/statement")
            client.post(f"{path}/signature", {"jws": key.sign_document(statement)})


@dataclass(frozen=True, slots=True)
class Bench:
    """A dataset of the municipality made for one run."""

    dataset: str
    agreement: str
    streams: list[str]


@contextmanager
def a_dataset(node: Node, things: int) -> Iterator[Bench]:
    """A dataset with so many things on a grid over the city, which the stack may use and everyone may see.

    Afterwards its agreements are ended, so that a node that goes on running does nothing with it any more.
    """
    name = f"bench-{uuid.uuid4().hex[:8]}"
    dataset = f"urn:dmi:dataset:gemeente:{name}"
    officer, operator = Client(node.url, demo="officer"), Client(node.url, demo="operator")
    entry = {
        "id": dataset,
        "title": {"en": "Benchmark"},
        "purpose": "dmi:purpose:mobility",
        "layer": "points",
        "spatial": {"bbox": [5.05, 52.07, 5.15, 52.13]},
        "licence": "CC0-1.0",
    }
    _patiently(lambda: officer.post("/exchange/v1/datasets", entry))
    proposed = []
    for party in (STACK, "urn:dmi:party:everyone"):
        document = _agreement(dataset, party, operator.get("/exchange/v1/rulebook")["version"])
        made = _patiently(
            lambda d=document: officer.post("/exchange/v1/agreements", {"document": d, "hosted": True})
        )
        proposed.append(made["id"])
        if made["state"] != "active":
            _patiently(
                lambda i=made["id"]: operator.post(f"/exchange/v1/agreements/{i}/signature", {"hosted": True})
            )
    streams = [f"{name}.{number}.occupancy" for number in range(things)]
    body = {"dataset": dataset, "features": _features(name, things)}
    for first in range(0, len(body["features"]), 5000):
        part = {"dataset": dataset, "features": body["features"][first : first + 5000]}
        _patiently(lambda p=part: officer.post_bytes("/ingest/v1/features", json.dumps(p).encode()))
    _patiently(lambda: operator.get("/platform/v1/datastreams", dataset=dataset, limit=1)["items"][0])
    try:
        yield Bench(dataset, proposed[0], streams)
    finally:
        for identifier in proposed:
            officer.post(f"/exchange/v1/agreements/{identifier}/end", {"reason": "benchmark done"})


def _agreement(dataset: str, assignee: str, rulebook: str) -> dict[str, Any]:
    purpose = {"leftOperand": "purpose", "operator": "isA", "rightOperand": "dmi:purpose:any"}
    actions = ["dmi:read", "dmi:display"]
    if assignee == STACK:
        actions += ["dmi:process", "dmi:analyse"]
    return {
        "@context": ["http://www.w3.org/ns/odrl.jsonld", {"dmi": "urn:dmi:"}],
        "@type": "Agreement",
        "uid": f"urn:uuid:{uuid.uuid4()}",
        "profile": "urn:dmi:profile:1",
        "dmi:rulebook": rulebook,
        "dmi:legalBasis": "dmi:basis:public-task",
        "assigner": OWNER,
        "assignee": assignee,
        "permission": [{"target": dataset, "action": actions, "constraint": [purpose]}],
    }


def _features(name: str, things: int) -> list[dict[str, Any]]:
    west, south, east, north = CITY
    wide = max(1, round(things**0.5))
    found: list[dict[str, Any]] = []
    for number in range(things):
        lon = west + (east - west) * (number % wide + 0.5) / wide
        lat = south + (north - south) * (number // wide + 0.5) / (things // wide + 1)
        place = {"type": "Point", "coordinates": [round(lon, 6), round(lat, 6)]}
        thing = f"{name}.{number}"
        about = {"thing": thing, "observed_property": "occupancy", "unit": "{vehicle}", "capacity": 1_000_000}
        found.append({"id": thing, "kind": "thing", "name": f"Thing {number}", "geometry": place})
        found.append(
            {
                "id": f"{thing}.occupancy",
                "kind": "datastream",
                "name": f"Occupancy {number}",
                "properties": about,
            }
        )
    return found


def _patiently(ask: Any, seconds: float = 20.0) -> Any:
    """Ask again while the node has not heard yet of what was told to the exchange a moment ago."""
    until = time.monotonic() + seconds
    while True:
        try:
            return ask()
        except (CommandFailed, IndexError):
            if time.monotonic() > until:
                raise
            time.sleep(0.1)


def batch(dataset: str, streams: list[str], times: list[int], results: list[float]) -> bytes:
    """The body of ``POST /ingest/v1/batches``; times in microseconds."""
    columns = {"dataset": dataset, "datastream": streams, "phenomenon_time": times, "result": results}
    return json.dumps(columns).encode()


def spent(node: Node, before: dict[str, float] | None, count: int) -> dict[str, float] | None:
    """Microseconds of processor time that each of ``count`` took since ``before``, in all and by program."""
    now = node.cpu()
    if now is None or before is None:
        return None
    each = {name: (now[name] - before.get(name, 0.0)) / count * 1e6 for name in now}
    return {
        name: round(took, 1) for name, took in (("all", sum(each.values())), *each.items()) if took >= 0.05
    }
