"""Two cities on one machine: two stacks, each with its own folder, port, bus, stores and keys, that know each other."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

import httpx

from dmi_command.errors import CannotStart
from dmi_command.servers import Keeper
from dmi_infra.authorities import trusted

READY_SECONDS: Final = 60.0
STOP_SECONDS: Final = 8.0
STACK: Final = "urn:dmi:participant:stack"
NEIGHBOUR: Final = "urn:dmi:participant:buurstad-stack"
NEIGHBOUR_CITY: Final = "urn:dmi:participant:buurstad"
CITY: Final = "urn:dmi:participant:gemeente"


@dataclass
class Node:
    """One of the two: its stack as a process, and what runs beside it."""

    name: str
    folder: Path
    port: int
    operator: str
    city: str
    more: Mapping[str, str] = field(default_factory=dict)
    process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        """Its address."""
        return f"http://127.0.0.1:{self.port}"

    def environment(self, other: Node) -> dict[str, str]:
        """The settings of its stack, which knows the ``other`` one."""
        own = {name: value for name, value in os.environ.items() if not name.startswith("DMI_")}
        return {
            **own,
            "DMI_DATA_DIR": str(self.folder),
            "DMI_PORT": str(self.port),
            "DMI_PUBLIC_URL": self.url,
            "DMI_STACK_PARTICIPANT": self.operator,
            "DMI_DEMO_MUNICIPALITY": self.city,
            "DMI_DSP_NODES": json.dumps([{"url": other.url}]),
            **self.more,
        }

    def start(self, other: Node, output: int | None = None) -> None:
        """Start its stack; it is ready later."""
        command = [sys.executable, "-m", "dmi_command", "up", "--no-demo", "--json"]
        self.process = subprocess.Popen(
            command, env=self.environment(other), stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
            stderr=output, start_new_session=True,
        )  # fmt: skip

    def ready(self) -> bool:
        """Whether all its services are."""
        names = ("exchange", "ingest", "platform", "visualisation", "support-centre")
        try:
            return all(
                httpx.get(f"{self.url}/{name}/health/ready", timeout=2, verify=trusted()).status_code == 200
                for name in names
            )
        except httpx.TransportError:
            return False

    def await_ready(self) -> None:
        """Wait until it is ready; raises ``CannotStart``."""
        until = time.monotonic() + READY_SECONDS
        while not self.ready():
            if self.process is not None and self.process.poll() is not None:
                raise CannotStart(f"the stack of {self.name} has ended; its port is {self.port}")
            if time.monotonic() > until:
                raise CannotStart(f"the stack of {self.name} was not ready after {READY_SECONDS:.0f} s")
            time.sleep(0.1)

    def stop(self) -> None:
        """End its stack."""
        if self.process is None:
            return
        self.process.terminate()
        try:
            self.process.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        self.process = None


def two_nodes(
    folder: Path, first: int, second: int, more: Mapping[str, str] | None = None
) -> tuple[Node, Node]:
    """Waterstad and Buurstad under ``folder``, on these ports."""
    waterstad = Node("Waterstad", folder / "waterstad", first, STACK, CITY, more or {})
    buurstad = Node("Buurstad", folder / "buurstad", second, NEIGHBOUR, NEIGHBOUR_CITY, more or {})
    return waterstad, buurstad


def _await_load(node: Node, process: subprocess.Popen[bytes]) -> None:
    """Wait until its city is loaded; raises ``CannotStart``: a city without data would only look alive."""
    if process.wait() != 0:
        raise CannotStart(f"the city of {node.name} could not be loaded; the line above says why")


class Pair:
    """Both stacks with their demonstrations, until they are stopped."""

    def __init__(self, nodes: tuple[Node, Node]) -> None:
        self.nodes = nodes
        self._beside: list[subprocess.Popen[bytes]] = []
        self._keeper = Keeper()

    def start(self) -> None:
        """Start both, load both cities, and let their sensors measure; raises ``CannotStart``."""
        first, second = self.nodes
        first.start(second)
        second.start(first)
        self._keep()
        first.await_ready()
        second.await_ready()
        neighbour, city = self._run(second, "load-neighbour"), self._run(first, "load")
        _await_load(second, neighbour)
        self._run(second, "run-neighbour")
        _await_load(first, city)
        self._run(first, "run")

    def _run(self, node: Node, action: str) -> subprocess.Popen[bytes]:
        command = [sys.executable, "-m", "dmi_command.demo", action, "--url", node.url]
        process = subprocess.Popen(
            [*command, "--data-dir", str(node.folder)], stdin=subprocess.DEVNULL, start_new_session=True
        )
        self._beside.append(process)
        self._keep()
        return process

    def _keep(self) -> None:
        processes = [*self._beside, *(node.process for node in self.nodes if node.process)]
        self._keeper.keep([process.pid for process in processes if process.poll() is None])

    def ended(self) -> str | None:
        """Which stack has ended by itself."""
        for node in self.nodes:
            if node.process is not None and node.process.poll() is not None:
                return node.name
        return None

    def stop(self) -> None:
        """End everything."""
        for process in self._beside:
            process.terminate()
        for process in self._beside:
            try:
                process.wait(2)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
        for node in self.nodes:
            node.stop()
        self._keeper.close()
