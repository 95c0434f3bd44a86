"""HTTP routes of the exchange, one module a subject. A route parses, calls a handler, presents."""

from __future__ import annotations

from fastapi import APIRouter

from dmi_exchange.handlers import Exchange
from dmi_exchange.logbook.tree import Tree
from dmi_exchange.notices.store import Notices
from dmi_exchange.oidc import Provider
from dmi_exchange.routes import (
    access,
    agreements,
    catalogue,
    evidence,
    keys,
    log,
    machines,
    mandates,
    members,
    oidc,
    proofs,
    review,
    tokens,
)
from dmi_exchange.settings import ExchangeSettings
from dmi_exchange.tokens import Issuer
from dmi_infra.aside import looks
from dmi_infra.gate import Record


def routers(
    exchange: Exchange,
    issuer: Issuer,
    settings: ExchangeSettings,
    provider: Provider | None,
    tree: Tree,
    notices: Notices,
    record: Record,
) -> list[APIRouter]:
    """All routers of the exchange."""
    aside = looks()
    return [
        tokens.router(exchange, issuer, settings.demo_municipality, settings.trust()),
        oidc.router(exchange, issuer, settings, provider),
        mandates.router(exchange, issuer),
        *(module.router(exchange) for module in (members, machines, keys, agreements, review)),
        catalogue.router(exchange, settings),
        proofs.router(exchange, aside),
        log.router(exchange, tree, notices, record),
        evidence.router(exchange, tree, aside),
        access.router(),
    ]
