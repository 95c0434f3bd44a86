"""Running the stack: everything in one process, one service alone, or the whole fleet; the demonstration."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
from pathlib import Path
from typing import Annotated

import httpx
import typer
import uvicorn

from dmi_command import documents
from dmi_command.console import DEFAULT_URL, Url, err, out
from dmi_command.demo import sensors
from dmi_command.errors import CommandFailed, UsageWrong
from dmi_command.fleet import Fleet
from dmi_command.gateway import gateway
from dmi_command.stack import SERVICES, build_stack, check_port, read_settings, server
from dmi_exchange.demo import DEMO_IDENTITIES
from dmi_infra.settings import Settings

READY_SECONDS = 60.0

Speed = Annotated[float, typer.Option(min=0.1, max=3600, help="City seconds per second of the clock.")]
NoDemo = Annotated[bool, typer.Option("--no-demo", help="Start without the demonstration city.")]


def register(app: typer.Typer) -> None:
    """Add the commands of this subject."""
    app.command()(up)
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
) -> None:
    """Start the whole stack; Ctrl-C stops it."""
    settings = read_settings()
    check_port(settings.host, settings.port)
    url = _url(settings)
    os.environ.setdefault("DMI_PUBLIC_URL", url)
    if servers:
        _fleet(settings, url, no_demo, speed)
    else:
        app = build_stack(tuple(SERVICES), read_settings())
        _run(server(app, settings.host, settings.port), settings, url, no_demo, speed)


def serve(service: Annotated[str, typer.Argument(help=", ".join(SERVICES))]) -> None:
    """Run one service alone, on DMI_PORT."""
    if service not in SERVICES:
        raise UsageWrong(f"SERVICE must be one of {', '.join(SERVICES)}, not {service}")
    settings = read_settings()
    check_port(settings.host, settings.port)
    server(build_stack([service], settings), settings.host, settings.port).run()


def _fleet(settings: Settings, url: str, no_demo: bool, speed: float) -> None:
    root = Path.cwd()
    libs = Path(os.environ.get("DMI_KAFKA_LIBS", root / ".tools" / "kafka-libs"))
    fleet = Fleet(settings.data_dir.absolute(), url, libs, root / "infra" / "deploy" / "kafka" / "pom.xml")
    try:
        err.print("Kafka en PostgreSQL starten …")
        environment = fleet.start_servers()
        err.print("diensten starten …")
        addresses = fleet.start_services(tuple(SERVICES), environment)
        _run(server(gateway(addresses), settings.host, settings.port), settings, url, no_demo, speed)
    finally:
        fleet.stop()


def _run(http: uvicorn.Server, settings: Settings, url: str, no_demo: bool, speed: float) -> None:
    """Serve until a signal; the demonstration runs beside it in a process of its own, as sensors would."""
    children: list[subprocess.Popen[bytes]] = []

    def greet() -> None:
        if not _await_ready(url):
            return
        if not no_demo and settings.env != "production":
            children.append(_start_sensors(settings, url, speed))
        _print_greeting(settings, url, no_demo)

    threading.Thread(target=greet, name="greeting", daemon=True).start()
    try:
        http.run()
    finally:
        for process in children:
            process.terminate()
            process.wait(5)


def _start_sensors(settings: Settings, url: str, speed: float) -> subprocess.Popen[bytes]:
    base = [sys.executable, "-m", "dmi_command.demo"]
    where = ["--url", url, "--data-dir", str(settings.data_dir)]
    subprocess.run([*base, "load", *where], check=False)
    return subprocess.Popen([*base, "run", *where, "--speed", str(speed)])


def _await_ready(url: str) -> bool:
    deadline = threading.Event()
    for _ in range(int(READY_SECONDS / 0.1)):
        try:
            if all(
                httpx.get(f"{url}/{name}/health/ready", timeout=2).status_code == 200 for name in SERVICES
            ):
                return True
        except httpx.TransportError:
            pass  # not listening yet
        deadline.wait(0.1)
    err.print(f"[red]dmi:[/red] not ready after {READY_SECONDS:.0f} s; see {url}/platform/health/ready")
    return False


def _print_greeting(settings: Settings, url: str, no_demo: bool) -> None:
    out.print(f"\n[bold]DMI[/bold]  {url}")
    if not no_demo and settings.env != "production":
        out.print("Demonstratie-identiteiten (alleen voor demonstratie, zonder bewijs van wie u bent):")
        for identity in DEMO_IDENTITIES:
            out.print(f"  {identity.id:<10} {identity.name:<20} {identity.nl}")
    out.print(f"Gegevens: {settings.data_dir.absolute()}   Stoppen: Ctrl-C\n")


def _url(settings: Settings) -> str:
    host = "127.0.0.1" if settings.host in ("0.0.0.0", "::") else settings.host
    return f"http://{host}:{settings.port}"


@demo_app.command("load")
def load(url: Url = DEFAULT_URL, seed: int = sensors.SEED, again: bool = False) -> None:
    """Load the demonstration city, unless that was done."""
    sensors.load(url, read_settings().data_dir, seed, again)


@demo_app.command("run")
def run(url: Url = DEFAULT_URL, seed: int = sensors.SEED, speed: Speed = 1.0) -> None:
    """Deliver what the sensors of the demonstration city measure, until stopped."""
    sensors.run(url, read_settings().data_dir, seed, speed)


@docs_app.command("write")
def write_docs() -> None:
    """Write the generated parts of the documentation."""
    for path in documents.write():
        out.print(str(path.relative_to(documents.ROOT)))


@docs_app.command("check")
def check_docs() -> None:
    """Exit with 1 when a generated part is outdated."""
    outdated = documents.outdated()
    if outdated:
        names = ", ".join(str(path.relative_to(documents.ROOT)) for path in outdated)
        raise CommandFailed(f"outdated: {names}; run make docs")
