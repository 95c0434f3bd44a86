"""The services of the stack by name, and the settings that this process has for them.

Apart from ``stack``: most commands only speak to a stack, and need neither a web framework nor a server.
"""

from __future__ import annotations

import importlib
import os
from dataclasses import dataclass
from typing import TYPE_CHECKING

from pydantic import ValidationError

from dmi_command.errors import UsageWrong
from dmi_exchange.settings import ExchangeSettings
from dmi_infra.settings import Settings, UnknownSetting, check_environment
from dmi_ingest.settings import IngestSettings
from dmi_platform.settings import PlatformSettings
from dmi_support_centre.settings import SupportCentreSettings
from dmi_visualisation.settings import VisualisationSettings

if TYPE_CHECKING:
    from dmi_infra.bus.port import Bus
    from dmi_infra.service import Service


@dataclass(frozen=True, slots=True)
class Blueprint:
    """How one service is made: its settings, and the module of its composition root."""

    settings: type[Settings]
    root: str

    def build(self, settings: Settings, bus: Bus) -> Service:
        """The service, not yet started."""
        # Imported by name: a process that runs one service holds the code of that one alone.
        service: Service = importlib.import_module(self.root).build(settings, bus)
        return service


SERVICES: dict[str, Blueprint] = {
    "exchange": Blueprint(ExchangeSettings, "dmi_exchange.app"),
    "ingest": Blueprint(IngestSettings, "dmi_ingest.app"),
    "platform": Blueprint(PlatformSettings, "dmi_platform.app"),
    "visualisation": Blueprint(VisualisationSettings, "dmi_visualisation.app"),
    "support-centre": Blueprint(SupportCentreSettings, "dmi_support_centre.app"),
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


def listening_address(settings: Settings) -> str:
    """The address under which this machine reaches what listens on DMI_HOST and DMI_PORT."""
    host = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(settings.host, settings.host)
    return f"http://[{host}]:{settings.port}" if ":" in host else f"http://{host}:{settings.port}"


def stack_address(settings: Settings) -> str:
    """The address of the stack that the settings speak of: DMI_PUBLIC_URL, else where it listens."""
    if "public_url" in settings.model_fields_set:
        return settings.public_url
    return listening_address(settings)
