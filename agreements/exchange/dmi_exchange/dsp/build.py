"""Puts the dataspace protocol together for the exchange."""

from __future__ import annotations

import importlib
from collections.abc import Callable
from dataclasses import dataclass

import sqlalchemy as sa
from fastapi import APIRouter

from dmi_agreements.contracts.law import Participant
from dmi_exchange.dsp.behaviour import Automatic
from dmi_exchange.dsp.catalogue import Catalogue
from dmi_exchange.dsp.client import Client
from dmi_exchange.dsp.courier import Behaviour, Courier
from dmi_exchange.dsp.door import token_door
from dmi_exchange.dsp.negotiation import Negotiations
from dmi_exchange.dsp.offers import Shelf
from dmi_exchange.dsp.plane import PullPlane
from dmi_exchange.dsp.routes import Dataspace, Door, routers
from dmi_exchange.dsp.shelf import StoreShelf
from dmi_exchange.dsp.steps import Steps
from dmi_exchange.dsp.store import Processes
from dmi_exchange.dsp.transfer import DataPlane, Transfers
from dmi_exchange.handlers import Exchange
from dmi_exchange.routes.dataspace import router as own_routes
from dmi_exchange.settings import ExchangeSettings
from dmi_exchange.tokens import Issuer
from dmi_infra.identity import EXCHANGE_PARTICIPANT
from dmi_infra.runtime import Runtime


@dataclass(frozen=True, slots=True)
class Built:
    """What the exchange's composition root takes over."""

    routers: list[APIRouter]
    negotiations: Negotiations
    transfers: Transfers
    courier: Courier


@dataclass(frozen=True, slots=True)
class Parts:
    """What a test profile may put in place of the node's own."""

    shelf: Shelf
    plane: DataPlane
    door: Door


def build(settings: ExchangeSettings, engine: sa.Engine, exchange: Exchange, runtime: Runtime) -> Built:
    """The protocol on the exchange's store; its courier becomes a part of ``runtime``."""
    address = f"{settings.public_url.rstrip('/')}/exchange/dsp"
    shelf = StoreShelf(engine, exchange)
    # By name: the code of the profile is in no process that does not run it.
    profile = importlib.import_module("dmi_exchange.dsp_tck") if settings.test_profile else None
    parts = Parts(shelf, PullPlane(shelf, settings.public_url), token_door)
    if profile is not None:
        parts = profile.parts(settings)
    processes = Processes(engine)
    client = Client(_tokens(settings, exchange), public_only=settings.env == "production")
    courier = Courier(processes, client, settings.dsp_give_up_seconds)
    steps = Steps(processes, courier.wake)
    negotiations = Negotiations(steps, parts.shelf, address, client.check)
    transfers = Transfers(steps, parts.plane, address, client.check)
    behaviour: Behaviour = Automatic(negotiations, transfers)
    if profile is not None:
        behaviour = profile.behaviour(settings, negotiations, transfers)
    courier.behave = behaviour
    runtime.parts.append(courier)
    catalogue = Catalogue(parts.shelf, address, settings.stack_participant)
    made = routers(
        Dataspace(catalogue, negotiations, transfers, courier.advance, parts.door, settings.stack_participant)
    )
    made += own_routes(negotiations, transfers, shelf)
    if profile is not None:
        made.append(profile.triggers(settings, negotiations, transfers))
    return Built(made, negotiations, transfers, courier)


def _tokens(settings: ExchangeSettings, exchange: Exchange) -> Callable[[str, str], str | None]:
    issuer = Issuer(exchange.custody.own(EXCHANGE_PARTICIPANT), settings.issuer)

    def token(_address: str, sender: str) -> str | None:
        known = exchange.store.get(Participant, sender)
        return None if known is None else issuer.sign(known.id, known.name, known.roles)

    return token
