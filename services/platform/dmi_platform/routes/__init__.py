"""HTTP routes of the platform, one module a subject. A route parses, calls a handler, presents."""

from __future__ import annotations

from fastapi import APIRouter

from dmi_platform.handlers import Platform
from dmi_platform.routes import data, exports, operations


def routers(platform: Platform) -> list[APIRouter]:
    """All routers of the platform."""
    return [module.router(platform) for module in (data, exports, operations)]
