"""HTTP routes of the exchange, one module a subject. A route parses, calls a handler, presents."""

from __future__ import annotations

from fastapi import APIRouter

from dmi_exchange.handlers import Exchange
from dmi_exchange.routes import agreements, catalogue, log, members, tokens


def routers(exchange: Exchange) -> list[APIRouter]:
    """All routers of the exchange."""
    return [module.router(exchange) for module in (tokens, members, catalogue, agreements, log)]
