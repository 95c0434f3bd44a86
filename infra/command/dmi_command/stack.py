"""The stack put together: all services in one process, or one service alone, on one address."""

from __future__ import annotations

import asyncio
import errno
import socket
from collections.abc import AsyncIterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager

import uvicorn
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import BaseRoute, Mount, Route

from dmi_agreements.dsp.messages import version
from dmi_command.blueprints import SERVICES
from dmi_command.errors import CannotStart, UsageWrong
from dmi_command.heads import BoundedHeads
from dmi_command.holding import folder_fault
from dmi_command.leaving import EndsStreams
from dmi_infra.bus import open_bus
from dmi_infra.bus.errors import BusAddressError, BusError, BusUnavailable
from dmi_infra.errors import Unavailable
from dmi_infra.http.problems import Problem
from dmi_infra.keyfile import KeyFault
from dmi_infra.memory import GivesBack
from dmi_infra.service import Service
from dmi_infra.settings import Settings
from dmi_infra.telemetry import configure_logs

GRACE_SECONDS = 4
"""Time that open requests get at a stop; with the parts' own limits a stop takes under five seconds."""


def build_stack(names: Sequence[str], settings: Settings) -> Starlette:
    """The application that answers for these services; starting and stopping follow its lifespan."""
    from dmi_infra.sql import StoreTooNew  # SQLAlchemy is not for processes that only watch others

    configure_logs(settings.log_level)
    try:
        settings.data_dir.mkdir(parents=True, exist_ok=True)
        bus = open_bus(settings.bus_address())
        bus.create_topics()
        services = [SERVICES[name].build(SERVICES[name].settings(), bus) for name in names]
    except OSError as exc:
        raise CannotStart(folder_fault(exc, settings)) from exc
    except KeyFault as exc:
        raise CannotStart(str(exc)) from exc
    except StoreTooNew as exc:
        raise CannotStart(str(exc)) from exc
    except BusAddressError as exc:
        raise UsageWrong(f"setting DMI_BUS_URL: {exc}") from exc
    except BusUnavailable as exc:
        raise CannotStart(f"the bus cannot be reached: {exc}") from exc
    except (BusError, Unavailable) as exc:
        raise CannotStart(str(exc)) from exc

    @asynccontextmanager
    async def lifespan(_app: Starlette) -> AsyncIterator[None]:
        for service in services:
            service.start()
        yield
        # Side by side: each waits for what it is reading or writing at the moment.
        with ThreadPoolExecutor(len(services)) as pool:
            list(pool.map(Service.stop, services))
        bus.close()

    routes: list[BaseRoute] = [Mount(f"/{service.name}", service.app) for service in services]
    if "exchange" in names:
        routes.append(versions_route())
    if "visualisation" in names:
        from dmi_visualisation.web import browser_application

        routes.append(Mount("/", browser_application()))
    return Starlette(routes=routes, lifespan=lifespan, exception_handlers={HTTPException: outside})


def outside(_request: Request, exc: Exception) -> Response:
    """The problem document for an address that belongs to no service, such as one with a line break in it."""
    assert isinstance(exc, HTTPException)
    code, detail = (
        ("not-found", "there is nothing at this address")
        if exc.status_code == 404
        else ("refused", exc.detail)
    )
    return Problem(exc.status_code, code, detail).response()


def versions_route() -> Route:
    """The dataspace protocol's version document where RFC 8615 has it: at the root of the host."""

    async def versions(_request: Request) -> Response:
        return JSONResponse(version("/exchange/dsp"))

    return Route("/.well-known/dspace-version", versions)


def check_port(host: str, port: int) -> None:
    """Raise ``CannotStart`` when another program listens there."""
    with socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError as exc:
            reason = (
                "is in use by another program"
                if exc.errno == errno.EADDRINUSE
                else f"cannot be used: {exc.strerror}"
            )
            raise CannotStart(f"port {port} on {host} {reason}; choose another with DMI_PORT") from exc


class StackServer(uvicorn.Server):
    """The HTTP server; at a stop it first ends what would never end by itself."""

    def __init__(self, app: Starlette, host: str, port: int) -> None:
        self._ends = EndsStreams(app)
        super().__init__(
            uvicorn.Config(
                self._ends,
                host=host,
                port=port,
                http=BoundedHeads,
                log_level="warning",
                access_log=False,
                lifespan="on",
                timeout_graceful_shutdown=GRACE_SECONDS,
                timeout_keep_alive=30,
                server_header=False,
                log_config=None,
            )
        )

    async def serve(self, sockets: list[socket.socket] | None = None) -> None:
        """Serve until a stop, and give back what busy times needed."""
        with GivesBack():
            await super().serve(sockets)

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """End the open streams, then wait for requests."""
        self._ends.leave()
        # One turn of the loop, so that the streams' last bytes are on their way before connections close.
        await asyncio.sleep(0)
        await super().shutdown(sockets)


def server(app: Starlette, host: str, port: int) -> StackServer:
    """The HTTP server of ``app``, not yet running."""
    return StackServer(app, host, port)
