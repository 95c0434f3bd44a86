"""The stack put together: all services in one process, or one service alone, on one address."""

from __future__ import annotations

import errno
import os
import socket
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

import uvicorn
from pydantic import ValidationError
from starlette.applications import Starlette
from starlette.routing import Mount

import dmi_exchange.app
import dmi_ingest.app
import dmi_platform.app
import dmi_support_centre.app
import dmi_visualisation.app
from dmi_command.errors import CannotStart, UsageWrong
from dmi_exchange.settings import ExchangeSettings
from dmi_infra.bus import open_bus
from dmi_infra.bus.errors import BusAddressError, BusError, BusUnavailable
from dmi_infra.bus.port import Bus
from dmi_infra.errors import Unavailable
from dmi_infra.service import Service
from dmi_infra.settings import Settings, UnknownSetting, check_environment
from dmi_infra.sql import StoreTooNew
from dmi_infra.telemetry import configure_logs
from dmi_ingest.settings import IngestSettings
from dmi_platform.settings import PlatformSettings
from dmi_support_centre.settings import SupportCentreSettings
from dmi_visualisation.settings import VisualisationSettings
from dmi_visualisation.web import browser_application

GRACE_SECONDS = 4
"""Time that open requests get at a stop; with the parts' own limits a stop takes under five seconds."""


@dataclass(frozen=True, slots=True)
class Blueprint:
    """How one service is made."""

    settings: type[Settings]
    build: Callable[[Any, Bus], Service]


SERVICES: dict[str, Blueprint] = {
    "exchange": Blueprint(ExchangeSettings, dmi_exchange.app.build),
    "ingest": Blueprint(IngestSettings, dmi_ingest.app.build),
    "platform": Blueprint(PlatformSettings, dmi_platform.app.build),
    "visualisation": Blueprint(VisualisationSettings, dmi_visualisation.app.build),
    "support-centre": Blueprint(SupportCentreSettings, dmi_support_centre.app.build),
}
SETTINGS = tuple(blueprint.settings for blueprint in SERVICES.values())


def read_settings() -> Settings:
    """The shared settings; raises ``UsageWrong`` for an unknown variable or a value that breaks a rule."""
    try:
        check_environment(SETTINGS, os.environ)
        for cls in SETTINGS:
            cls()
        return Settings()
    except UnknownSetting as exc:
        raise UsageWrong(str(exc)) from exc
    except ValidationError as exc:
        first = exc.errors()[0]
        raise UsageWrong(f"setting DMI_{str(first['loc'][0]).upper()}: {first['msg']}") from exc


def build_stack(names: Sequence[str], settings: Settings) -> Starlette:
    """The application that answers for these services; starting and stopping follow its lifespan."""
    configure_logs(settings.log_level)
    try:
        settings.data_dir.mkdir(parents=True, exist_ok=True)
        bus = open_bus(settings.bus_address())
        bus.create_topics()
        services = [SERVICES[name].build(SERVICES[name].settings(), bus) for name in names]
    except OSError as exc:
        raise CannotStart(_disk(exc, settings)) from exc
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
        for service in reversed(services):
            service.stop()
        bus.close()

    routes = [Mount(f"/{service.name}", service.app) for service in services]
    if "visualisation" in names:
        routes.append(Mount("/", browser_application()))
    return Starlette(routes=routes, lifespan=lifespan)


def _disk(exc: OSError, settings: Settings) -> str:
    if exc.errno == errno.ENOSPC:
        return f"the disk of {settings.data_dir} is full"
    return f"the data folder {settings.data_dir} cannot be used: {exc.strerror}"


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


def server(app: Starlette, host: str, port: int) -> uvicorn.Server:
    """The HTTP server of ``app``, not yet running."""
    return uvicorn.Server(
        uvicorn.Config(
            app,
            host=host,
            port=port,
            log_level="warning",
            access_log=False,
            lifespan="on",
            timeout_graceful_shutdown=GRACE_SECONDS,
            timeout_keep_alive=30,
            server_header=False,
            log_config=None,
        )
    )
