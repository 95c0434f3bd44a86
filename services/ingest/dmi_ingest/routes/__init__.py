"""HTTP routes of ingest, one module a subject. A route parses, calls a handler, presents."""

from __future__ import annotations

from fastapi import APIRouter

from dmi_ingest.handlers import Ingest
from dmi_ingest.imports import Imports
from dmi_ingest.routes import direct, entities, files, observations
from dmi_ingest.sensorthings.observations import Observations
from dmi_ingest.sensorthings.service import SensorThings
from dmi_ingest.settings import IngestSettings


def routers(
    settings: IngestSettings, ingest: Ingest, imports: Imports, things: SensorThings, taker: Observations
) -> list[APIRouter]:
    """All routers of ingest."""
    return [
        *observations.routers(taker),
        entities.router(things),
        files.router(settings, imports),
        direct.router(ingest),
    ]
