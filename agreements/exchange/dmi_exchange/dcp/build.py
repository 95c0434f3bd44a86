"""Puts the claims protocol together where it is switched on."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from fastapi import APIRouter

from dmi_agreements.keys import living
from dmi_exchange.dcp.credentials import Judge
from dmi_exchange.dcp.did import CREDENTIAL_SERVICE, Resolver, document_of, of_address
from dmi_exchange.dcp.holder import Holder
from dmi_exchange.dcp.proof import ByClaims
from dmi_exchange.dcp.routes import BASE, router
from dmi_exchange.dcp.selfissued import SelfIssued
from dmi_exchange.dsp.addresses import allowing
from dmi_exchange.dsp.client import Client
from dmi_exchange.dsp.nodes import Nodes
from dmi_exchange.settings import ExchangeSettings
from dmi_exchange.store import Store
from dmi_infra import clock, jose
from dmi_infra.identity import EXCHANGE_PARTICIPANT
from dmi_infra.runtime import Runtime


@dataclass(frozen=True, slots=True)
class Claims:
    """The second adapter and its routes."""

    proof: ByClaims
    router: APIRouter


def holder_of(settings: ExchangeSettings, key: jose.SigningKey, store: Store, runtime: Runtime) -> Holder:
    """What this node shows of itself."""
    return Holder(
        key, of_address(settings.issuer), settings.dcp_credentials, _published(key, runtime), store.use_once
    )


def build(
    settings: ExchangeSettings,
    key: jose.SigningKey,
    store: Store,
    runtime: Runtime,
    client: Client,
    nodes: Nodes,
    holder: Holder,
) -> Claims:
    """Both sides of the protocol for this node."""
    secure = settings.env == "production"
    resolver = Resolver(client, allowing(client.check, settings.dsp_hosts), secure)
    tokens = SelfIssued(resolver, holder.did, lambda did: nodes.of_did(did) is not None, store.use_once)
    judge = Judge(resolver, holder.did, settings.dcp_issuers)
    published = _published(key, runtime)
    services = {CREDENTIAL_SERVICE: f"{settings.issuer}{BASE}"}
    return Claims(
        ByClaims(tokens, holder, judge, resolver, client, nodes.of_did),
        router(lambda: document_of(holder.did, published(), services), tokens, holder),
    )


def _published(key: jose.SigningKey, runtime: Runtime) -> Callable[[], list[Mapping[str, Any]]]:
    """The keys that count now: those of the law, and the one that signs, which the law may not have yet."""

    def published() -> list[Mapping[str, Any]]:
        found = runtime.law.table.participants.get(EXCHANGE_PARTICIPANT)
        counting = living(found.keys, clock.seconds()) if found is not None else []
        present = key.public
        return [present, *(other for other in counting if other["kid"] != present["kid"])]

    return published
