"""HTTP routes of the platform, one module a subject. A route parses, calls a handler, presents."""

from __future__ import annotations

from fastapi import APIRouter

from dmi_infra.cursors import Cursors
from dmi_infra.room import Room
from dmi_platform.handlers import Platform
from dmi_platform.routes import data, exports, operations


def routers(platform: Platform, cursors: Cursors, room: Room) -> list[APIRouter]:
    """All routers of the platform; ``room`` is that for exports."""
    return [
        data.router(platform, cursors),
        exports.router(platform, room),
        operations.router(platform, cursors),
    ]
