"""Puts the dataspace protocol and its data plane together for the exchange."""

from __future__ import annotations

import importlib
from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from urllib.parse import urlsplit

import sqlalchemy as sa
from fastapi import APIRouter

from dmi_agreements.contracts.law import Participant
from dmi_exchange.dcp.build import build as claims_of
from dmi_exchange.dcp.build import holder_of
from dmi_exchange.dcp.holder import Holder
from dmi_exchange.dsp.addresses import allowing
from dmi_exchange.dsp.behaviour import Automatic
from dmi_exchange.dsp.catalogue import Catalogue
from dmi_exchange.dsp.client import Client
from dmi_exchange.dsp.courier import Courier
from dmi_exchange.dsp.door import Door, NodeDoor, NodeTokens, Proof
from dmi_exchange.dsp.endings import Endings
from dmi_exchange.dsp.imports import Imports
from dmi_exchange.dsp.negotiation import Negotiations
from dmi_exchange.dsp.nodes import Nodes, of_this_node
from dmi_exchange.dsp.offers import Shelf
from dmi_exchange.dsp.plane import Broker, NodePlane
from dmi_exchange.dsp.process import Process
from dmi_exchange.dsp.routes import Dataspace, between_nodes, routers
from dmi_exchange.dsp.shelf import StoreShelf
from dmi_exchange.dsp.steps import Steps
from dmi_exchange.dsp.store import Processes
from dmi_exchange.dsp.transfer import FORMATS, KAFKA, PULL, PUSH, STREAM, DataPlane, Transfers
from dmi_exchange.errors import StepRefused
from dmi_exchange.flow.bookmarks import Bookmarks
from dmi_exchange.flow.followers import Followers
from dmi_exchange.flow.inflow import Inflow, Intake, fetch_token
from dmi_exchange.flow.keyfile import KeyFile
from dmi_exchange.flow.outlets import Outlets
from dmi_exchange.flow.places import Local
from dmi_exchange.flow.publishing import Publishing
from dmi_exchange.flow.pushing import Pushing
from dmi_exchange.flow.routes import Tokens
from dmi_exchange.flow.routes import router as data_routes
from dmi_exchange.flow.store import Flows
from dmi_exchange.flow.supply import Supply
from dmi_exchange.handlers import Exchange
from dmi_exchange.notices.aliases import Aliases
from dmi_exchange.notices.carrier import Carrier
from dmi_exchange.notices.store import Notices
from dmi_exchange.notices.taking import Taking
from dmi_exchange.notices.telling import Telling
from dmi_exchange.owned_keys import living_key
from dmi_exchange.routes.dataspace import Desk
from dmi_exchange.routes.dataspace import router as own_routes
from dmi_exchange.routes.nodes import router as node_routes
from dmi_exchange.settings import ExchangeSettings
from dmi_exchange.tables import positions, secret
from dmi_exchange.tokens import Issuer
from dmi_infra import clock, jose, passes
from dmi_infra.aside import PATIENCE, Aside
from dmi_infra.bus.port import Bus
from dmi_infra.cursors import Cursors, kept_key
from dmi_infra.exercising import Marks
from dmi_infra.identity import EXCHANGE_PARTICIPANT
from dmi_infra.runtime import Part, Runtime


@dataclass(frozen=True, slots=True)
class Built:
    """What the exchange's composition root takes over; ``close`` releases what was opened."""

    routers: list[APIRouter]
    negotiations: Negotiations
    transfers: Transfers
    courier: Courier
    nodes: Nodes
    notices: Notices
    close: Callable[[], None]


@dataclass(frozen=True, slots=True)
class Parts:
    """What a test profile may put in place of the node's own."""

    shelf: Shelf
    plane: DataPlane
    door: Door
    binding: Door


def build(
    settings: ExchangeSettings, engine: sa.Engine, exchange: Exchange, runtime: Runtime, bus: Bus
) -> Built:
    """The protocol on the exchange's store; its threads become parts of ``runtime``."""
    issuer, operator = settings.issuer, settings.stack_participant
    address = f"{issuer}/dsp"
    key = exchange.custody.follow(EXCHANGE_PARTICIPANT)
    client, nodes, proofs, claims = _neighbours(settings, key, exchange, runtime)
    processes, flows = Processes(engine), Flows(engine)
    local = Local(exchange.store, Issuer(exchange, issuer), settings.public_url)
    aliases = Aliases(engine, exchange.store)
    cursors = Cursors(kept_key(engine, secret))
    supply = Supply(bus, runtime.gate, processes, flows, local, aliases, Bookmarks(cursors), nodes.unheard)
    broker = _broker(settings, bus, supply, Issuer(exchange, issuer))
    formats = FORMATS if broker is None else (*FORMATS, KAFKA)
    shelf = StoreShelf(engine, exchange, Imports(exchange, client), formats)
    node_door = NodeDoor(issuer, nodes, exchange.store, proofs)
    # By name: the code of the profile is in no process that does not run it.
    profile = importlib.import_module("dmi_exchange.dsp_tck") if settings.test_profile else None
    parts = Parts(shelf, NodePlane(shelf, supply, address, broker), node_door, node_door.binding)
    if profile is not None:
        parts = profile.parts(settings)
    courier = Courier(processes, client, settings.dsp_give_up_seconds, partial(is_node, exchange, address))
    steps = Steps(processes, courier.wake)
    check = _check(exchange, client, settings.dsp_hosts)
    negotiations = Negotiations(steps, parts.shelf, address, check)
    transfers = Transfers(steps, parts.plane, address, check)
    courier.behave = Automatic(negotiations, transfers)
    if profile is not None:
        courier.behave = profile.behaviour(settings, negotiations, transfers)
    intake = Intake(local, flows)
    endings = Endings(exchange, negotiations, transfers)
    notices = Notices(engine)
    runtime.parts += [courier, nodes]
    if profile is None:
        carrier = Carrier(notices, processes, client, aliases)
        telling = Telling(exchange, processes, notices, Marks(engine, positions), aliases, carrier.wake)
        for one in (telling, endings):
            runtime.law.listen(one.listen)
        runtime.parts += [telling, carrier, endings, *_carriers(supply, transfers, client, intake, broker)]
        if broker is not None:
            runtime.law.listen(broker.outlets.listen)
    space = Dataspace(
        Catalogue(parts.shelf, address, operator), negotiations, transfers, courier.advance, parts.door,
        parts.binding, operator, Aside(patience=PATIENCE),
    )  # fmt: skip
    taking = Taking(exchange, steps, notices, supply.gate.law.purpose_of)
    made = routers(space)
    made.append(between_nodes(node_door, endings, taking, lambda: of_this_node(exchange, issuer, operator)))
    tokens = Tokens(key, partial(living_key, exchange.store, EXCHANGE_PARTICIPANT), issuer, supply)
    made.append(data_routes(node_door, tokens, supply, intake))
    made += own_routes(
        negotiations, transfers, shelf, Desk(processes, flows, exchange.store, cursors),
        lambda peer: nodes.address_of(peer, address), partial(fetch_token, client), space.aside,
    )  # fmt: skip
    made += [node_routes(nodes, client, space.aside), *claims]
    if profile is not None:
        made.append(profile.triggers(settings, negotiations, transfers))
    return Built(made, negotiations, transfers, courier, nodes, notices, local.close)


def _neighbours(
    settings: ExchangeSettings, key: jose.SigningKey, exchange: Exchange, runtime: Runtime
) -> tuple[Client, Nodes, list[Proof], list[APIRouter]]:
    """How other nodes are spoken to, which are known, how they prove themselves, and the routes of that."""
    issuer = settings.issuer
    holder = holder_of(settings, key, exchange.store, runtime)
    dids = {node.address: node.did for node in settings.dsp_nodes if node.did}
    known = [urlsplit(node.address).hostname or "" for node in settings.dsp_nodes]
    client = Client(_tokens(key, issuer, dids, holder), public_only=settings.env == "production", known=known)
    most = settings.dsp_node_members
    nodes = Nodes(settings.dsp_nodes, exchange, client, settings.stack_participant, most)
    proofs: list[Proof] = [NodeTokens(key, issuer, nodes)]
    if not settings.dcp_issuers:
        return client, nodes, proofs, []
    claims = claims_of(settings, key, exchange.store, runtime, client, nodes, holder)
    return client, nodes, [*proofs, claims.proof], [claims.router]


def _carriers(
    supply: Supply, transfers: Transfers, client: Client, intake: Intake, broker: Broker | None
) -> Iterator[Part]:
    """What carries the data of transfers, in the order in which it starts."""
    processes, flows = supply.processes, supply.flows
    yield Followers(processes, flows, "consumer", (PULL, STREAM), Inflow(transfers, client, intake, flows))
    yield Followers(processes, flows, "provider", (PUSH,), Pushing(supply, client, flows))
    if broker is not None:
        # Begun before its writer, so that it ends after it and closes what that leaves.
        yield broker.outlets
        yield Followers(processes, flows, "provider", (KAFKA,), Publishing(supply, broker.outlets, flows))


def _broker(settings: ExchangeSettings, bus: Bus, supply: Supply, issuer: Issuer) -> Broker | None:
    """Where outside readers get topics of their own; ``None`` where they get none."""
    deliveries = bus.deliveries() if settings.delivery_brokers else None
    if deliveries is None:
        return None
    file = settings.delivery_keys_file
    keys = KeyFile(file, issuer.published) if file is not None else None
    outlets = Outlets(deliveries, supply.processes, supply.ended, settings.issuer, keys)
    return Broker(settings.delivery_brokers, settings.delivery_security, outlets)


def is_node(exchange: Exchange, own: str, process: Process) -> bool:
    """Whether a node of this project is on the other side: another one, or this one at its address ``own``.

    A member here may speak by a connector of its own as well, which is nobody's node.
    """
    found = exchange.store.get(Participant, process.peer)
    return found is not None and (
        bool(found.home) or process.address == own or process.address.startswith(f"{own}/")
    )


def _check(exchange: Exchange, client: Client, hosts: Collection[str]) -> Callable[[str, str], None]:
    """Refuses an address that is not of the node of the participant that it is to lead to."""

    outside = allowing(client.check, hosts)

    def check(address: str, peer: str) -> None:
        found = exchange.store.get(Participant, peer)
        own = f"{found.home}/dsp" if found is not None and found.home else None
        # First: what is refused for this is not looked up.
        if own is not None and address != own and not address.startswith(f"{own}/"):
            raise StepRefused("/callbackAddress: must be an address of the node that speaks for you")
        outside(address)

    return check


def _tokens(
    key: jose.SigningKey, issuer: str, dids: Mapping[str, str], holder: Holder
) -> Callable[[str, str, tuple[str, str, bytes]], str]:
    """Tokens for other nodes: by credentials for those that are known by a DID, and this node's own for the rest."""

    def token(sender: str, audience: str, request: tuple[str, str, bytes]) -> str:
        for address, did in dids.items():
            if audience == address or audience.startswith(f"{address}/"):
                return holder.introduce(sender, did)
        return passes.sign_node(key, issuer, sender, audience, request, clock.now() // 1_000_000)

    return token
