"""Running the stack: everything in one process, one service alone, or the whole fleet; the demonstration."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated

import httpx
import typer

from dmi_command.blueprints import SERVICES, listening_address, read_settings
from dmi_command.console import DEFAULT_URL, AsJson, Url, err, out, show
from dmi_command.errors import CommandFailed, UsageWrong
from dmi_command.holding import own_folder, own_services
from dmi_exchange.demo import DEMO_IDENTITIES
from dmi_infra.authorities import trusted
from dmi_infra.clock import to_text
from dmi_infra.settings import Settings

ROOT = Path(__file__).resolve().parents[4]
"""The checkout: the packages are installed from it."""
READY_SECONDS = 60.0
FURTHER = 10
"""From the port of the first of two cities to that of the second."""
LAST_PORT = 65_535
SEED = 5
"""Of the demonstration city; another seed is another city."""

Speed = Annotated[float, typer.Option(min=0.1, max=3600, help="City seconds per second of the clock.")]
NoDemo = Annotated[bool, typer.Option("--no-demo", help="Start without the demonstration city.")]


def register(app: typer.Typer) -> None:
    """Add the commands of this subject."""
    app.command()(up)
    app.command("up-two")(up_two)
    app.command()(serve)
    app.add_typer(demo_app, name="demo", help="The demonstration city Waterstad.")
    app.add_typer(docs_app, name="docs", help="The generated parts of the documentation.")


demo_app = typer.Typer(no_args_is_help=True)
docs_app = typer.Typer(no_args_is_help=True)


def up(
    servers: Annotated[
        bool, typer.Option("--servers", help="With Kafka, PostgreSQL and one process a service.")
    ] = False,
    no_demo: NoDemo = False,
    speed: Speed = 1.0,
    as_json: AsJson = False,
) -> None:
    """Start the whole stack; Ctrl-C stops it. With --json one line says when it is ready, and where."""
    # Frameworks and servers are imported where they run: the other commands only speak to a stack.
    from dmi_command.serving import until_told
    from dmi_command.stack import build_stack, check_port, server

    settings = read_settings()
    check_port(settings.host, settings.port)
    url = listening_address(settings)
    os.environ.setdefault("DMI_PUBLIC_URL", url)
    with own_folder(settings):
        if servers:
            _fleet(settings, url, no_demo, speed, as_json)
            return
        with until_told(), own_services(settings, tuple(SERVICES)):
            app = build_stack(tuple(SERVICES), read_settings())
            with _beside(settings, url, no_demo, speed, as_json):
                server(app, settings.host, settings.port).run()


def up_two(
    port: Annotated[
        int | None,
        typer.Option(
            min=1, help="Port of the first; the second is ten further.", show_default="DMI_PORT, else 8080"
        ),
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Start two cities, each with its own stack, that exchange data; Ctrl-C stops both."""
    from dmi_command.serving import undisturbed, until_told
    from dmi_command.stack import check_port
    from dmi_command.two import Pair, two_nodes

    settings = read_settings()
    first = settings.port if port is None else port
    if first + FURTHER > LAST_PORT:
        named = "setting DMI_PORT" if port is None else "--port"
        raise UsageWrong(
            f"{named} must be at most {LAST_PORT - FURTHER}: the second city is {FURTHER} further"
        )
    nodes = two_nodes(settings.data_dir.absolute() / "two", first, first + FURTHER)
    for node in nodes:
        check_port("127.0.0.1", node.port)
    pair = Pair(nodes)
    with until_told():
        try:
            pair.start()
            urls = {node.name: node.url for node in nodes}
            if as_json:
                typer.echo(json.dumps({"nodes": urls}))
            for name, url in urls.items() if not as_json else ():
                out.print(f"[bold]{name}[/bold]  {url}")
            while (ended := pair.ended()) is None:
                threading.Event().wait(0.5)
            raise CommandFailed(f"the stack of {ended} has ended")
        finally:
            undisturbed()
            pair.stop()


def serve(service: Annotated[str, typer.Argument(help=", ".join(SERVICES))]) -> None:
    """Run one service alone, on DMI_PORT."""
    from dmi_command.serving import serve_one

    if service not in SERVICES:
        raise UsageWrong(f"SERVICE must be one of {', '.join(SERVICES)}, not {service}")
    serve_one(service)


def _fleet(settings: Settings, url: str, no_demo: bool, speed: float, as_json: bool) -> None:
    from dmi_command.fleet import Fleet
    from dmi_command.serving import undisturbed, until_told

    libs = Path(os.environ.get("DMI_KAFKA_LIBS") or ROOT / ".tools" / "kafka-libs")
    pom = ROOT / "infra" / "deploy" / "kafka" / "pom.xml"
    fleet = Fleet(settings.data_dir.absolute(), url, libs, pom, production=settings.env == "production")
    losses: list[str] = []
    lost = threading.Event()

    def on_loss(reason: str) -> None:
        losses.append(reason)
        lost.set()

    with until_told():
        try:
            err.print("Kafka en PostgreSQL starten …")
            environment = fleet.start_servers()
            err.print("diensten starten …")
            fleet.start_services(tuple(SERVICES), environment)
            fleet.start_front(settings.host, settings.port)
            fleet.watch(environment, on_loss, lambda line: err.print(f"[yellow]dmi:[/yellow] {line}"))
            with _beside(settings, url, no_demo, speed, as_json):
                lost.wait()
        finally:
            undisturbed()
            fleet.stop()
    if losses:
        raise CommandFailed(losses[0])


@contextmanager
def _beside(settings: Settings, url: str, no_demo: bool, speed: float, as_json: bool) -> Iterator[None]:
    """The demonstration runs beside the stack in a process of its own, as sensors would."""
    beside = Beside(settings, url, None if no_demo or settings.env == "production" else speed, as_json)
    threading.Thread(target=beside.run, name="greeting", daemon=True).start()
    try:
        yield
    finally:
        beside.stop()


class Beside:
    """What runs beside the stack: the greeting, and the demonstration's sensors at ``speed`` when it is given."""

    def __init__(self, settings: Settings, url: str, speed: float | None, as_json: bool) -> None:
        from dmi_command.servers import Keeper

        self._settings = settings
        self._as_json = as_json
        self._url = url
        self._speed = speed
        self._process: subprocess.Popen[bytes] | None = None
        self._keeper = Keeper()
        self._starting = threading.Lock()
        self._stopping = False

    def run(self) -> None:
        """Wait until the stack is ready, then load the demonstration, greet, and let the sensors measure."""
        if not _await_ready(self._url):
            return
        if self._speed is not None and (loading := self._start("load")) and loading.wait() == 0:
            self._start("run", "--speed", str(self._speed))
        if not self._stopping:
            _greet(self._settings, self._url, self._speed is not None, self._as_json)

    def _start(self, action: str, *options: str) -> subprocess.Popen[bytes] | None:
        command = [sys.executable, "-m", "dmi_command.demo", action]
        where = ["--url", self._url, "--data-dir", str(self._settings.data_dir)]
        with self._starting:
            if self._stopping:
                return None
            self._process = subprocess.Popen(
                [*command, *where, *options], stdin=subprocess.DEVNULL, start_new_session=True
            )
            self._keeper.keep([self._process.pid])
            return self._process

    def stop(self) -> None:
        """End the demonstration's process; what it had not delivered comes at the next start."""
        with self._starting:
            self._stopping = True
            process = self._process
        if process is not None:
            process.terminate()
            try:
                process.wait(1)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
        self._keeper.close()


def _await_ready(url: str) -> bool:
    deadline = threading.Event()
    for _ in range(int(READY_SECONDS / 0.1)):
        try:
            if all(
                httpx.get(f"{url}/{name}/health/ready", timeout=2, verify=trusted()).status_code == 200
                for name in SERVICES
            ):
                return True
        except httpx.TransportError:
            pass  # not listening yet
        deadline.wait(0.1)
    err.print(f"[red]dmi:[/red] not ready after {READY_SECONDS:.0f} s; see {url}/platform/health/ready")
    return False


def _greet(settings: Settings, url: str, demo: bool, as_json: bool) -> None:
    folder = str(settings.data_dir.absolute())
    identities = DEMO_IDENTITIES if demo else ()
    if as_json:
        named = [{"id": each.id, "name": each.name} for each in identities]
        typer.echo(json.dumps({"url": url, "data_dir": folder, "identities": named}))
        return
    out.print(f"\n[bold]DMI[/bold]  {url}")
    if identities:
        out.print("Demonstratie-identiteiten (alleen voor demonstratie, zonder bewijs van wie u bent):")
    for identity in identities:
        out.print(f"  {identity.id:<10} {identity.name:<20} {identity.nl}")
    out.print(f"Gegevens: {folder}   Stoppen: Ctrl-C\n")


@demo_app.command("load")
def load(url: Url = DEFAULT_URL, seed: int = SEED, again: bool = False, as_json: AsJson = False) -> None:
    """Load the demonstration city, unless that was done."""
    from dmi_command.demo import sensors  # the city's code is for these two commands alone

    until = sensors.load(url, read_settings().data_dir, seed, again)
    show({"url": url, "loaded_until": to_text(until)}, as_json)


@demo_app.command("run")
def run(url: Url = DEFAULT_URL, seed: int = SEED, speed: Speed = 1.0) -> None:
    """Deliver what the sensors of the demonstration city measure, until stopped."""
    from dmi_command.demo import sensors  # as above

    sensors.run(url, read_settings().data_dir, seed, speed)


@docs_app.command("write")
def write_docs() -> None:
    """Write the generated parts of the documentation."""
    from dmi_command import documents  # it reads every service

    for path in documents.write():
        out.print(str(path.relative_to(documents.ROOT)))


@docs_app.command("check")
def check_docs() -> None:
    """Exit with 1 when a generated part is outdated."""
    from dmi_command import documents  # as above

    outdated = documents.outdated()
    if outdated:
        names = ", ".join(str(path.relative_to(documents.ROOT)) for path in outdated)
        raise CommandFailed(f"outdated: {names}; run make docs")
