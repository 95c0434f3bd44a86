"""Composition root of the exchange."""

from __future__ import annotations

from collections.abc import Collection
from functools import partial

import sqlalchemy as sa
import structlog
from fastapi import APIRouter

from dmi_agreements.contracts.law import AgreementState, Participant
from dmi_agreements.keys import find
from dmi_agreements.policy.document import read_agreement
from dmi_agreements.policy.terms import AgreementTerms
from dmi_agreements.versions import Rulebooks
from dmi_exchange.consent.giving import Consents
from dmi_exchange.consent.record import Records
from dmi_exchange.consumer import TOPICS, RecordHandler
from dmi_exchange.custody import Custody
from dmi_exchange.dsp import build as dataspace
from dmi_exchange.handlers import Exchange
from dmi_exchange.keyring import Keyring
from dmi_exchange.logbook.notary import Notary
from dmi_exchange.logbook.tree import Tree
from dmi_exchange.mydata.codes import Codes
from dmi_exchange.mydata.copy import Copies
from dmi_exchange.mydata.requests import Rights
from dmi_exchange.notices.store import Notices
from dmi_exchange.oidc import Provider
from dmi_exchange.owned_keys import living_key
from dmi_exchange.publication import Publication, Pulse
from dmi_exchange.review.watch import Watch
from dmi_exchange.revisions import Revisions
from dmi_exchange.routes import routers
from dmi_exchange.routes.consents import router as consent_routes
from dmi_exchange.routes.inspection import router as inspection_routes
from dmi_exchange.routes.my_data import router as my_data_routes
from dmi_exchange.routes.notices import router as notice_routes
from dmi_exchange.routes.paper import router as paper_routes
from dmi_exchange.routes.representing import router as representing_routes
from dmi_exchange.routes.rulebook import router as rulebook_routes
from dmi_exchange.routes.transactions import router as transaction_routes
from dmi_exchange.settings import ExchangeSettings
from dmi_exchange.store import Store, outgoing
from dmi_exchange.tokens import Issuer
from dmi_exchange.transactions.billing import Billing
from dmi_exchange.transactions.commons import commons_limit
from dmi_exchange.transactions.store import Transactions
from dmi_infra import clock
from dmi_infra.bus.port import Bus
from dmi_infra.consumer import ConsumerLoop
from dmi_infra.http.app import build_app
from dmi_infra.identity import EXCHANGE_PARTICIPANT
from dmi_infra.keyfile import KeyUnprotected
from dmi_infra.outbox import Relay
from dmi_infra.runtime import Runtime, build_runtime
from dmi_infra.service import Service
from dmi_infra.sql import migrate, open_engine, store_check

log = structlog.get_logger("exchange")

NAME = "exchange"


def _register_self(exchange: Exchange, stack: str) -> None:
    """The node's own participants: the exchange, whose key signs tokens, and the operator of the layers."""
    for identifier, name, roles in (
        (EXCHANGE_PARTICIPANT, "Exchange", ["dmi:role:operator"]),
        (stack, "Beheerder van de voorziening", ["dmi:role:operator"]),
    ):
        key = exchange.custody.own(identifier)
        known = exchange.store.get(Participant, identifier)
        if known is None:
            exchange.register(identifier, name, roles, [key.public])
        elif find(known.keys, key.kid, clock.seconds()) is None:
            log.warning(
                "the key of this participant was lost; a new one takes its place", participant=identifier
            )
            Keyring(exchange).restore_own(identifier)


def _custody(settings: ExchangeSettings, store: Store) -> Custody:
    production = settings.env == "production"
    passphrase = settings.passphrase()
    if production and passphrase is None:
        raise KeyUnprotected(
            "production keeps no plain private keys: set DMI_KEY_PASSPHRASE or DMI_KEY_PASSPHRASE_FILE"
        )

    def announced(participant: str, kid: str) -> bool:
        return living_key(store, participant, kid) is not None

    return Custody(settings.data_dir / "keys", not production, passphrase, production, announced)


def _terms(rulebooks: Rulebooks, agreement: AgreementState) -> AgreementTerms:
    return read_agreement(agreement.document, rulebooks.under(agreement.document))


def _billing(store: Store, engine: sa.Engine, rulebooks: Rulebooks) -> Billing:
    return Billing(
        store, Transactions(engine), partial(_terms, rulebooks), lambda: commons_limit(rulebooks.current)
    )


def _people(
    exchange: Exchange,
    issuer: Issuer,
    runtime: Runtime,
    codes: Codes,
    notices: Notices,
) -> list[APIRouter]:
    """What people do about consents and their own data."""
    consents = Consents(exchange)
    key = exchange.custody.follow(EXCHANGE_PARTICIPANT)
    records = Records(exchange, consents, key, runtime.settings.public_url)
    rights = Rights(exchange, consents)
    copies = Copies(exchange, consents, records, rights, notices)
    return [
        consent_routes(consents, records),
        my_data_routes(rights, copies),
        notice_routes(notices),
        paper_routes(exchange, issuer, rights, copies, codes),
        representing_routes(exchange),
    ]


def build(settings: ExchangeSettings, bus: Bus) -> Service:
    """The exchange on ``bus`` with its store migrated; raises when either cannot be opened."""
    engine = open_engine(settings.store_address(NAME), NAME)
    migrate(engine, "dmi_exchange")
    runtime = build_runtime(NAME, settings, bus)
    rulebooks = Rulebooks(runtime.rulebook)
    store = Store(engine, partial(_terms, rulebooks))
    relay = Relay(engine, outgoing, runtime.publisher)
    custody = _custody(settings, store)
    exchange = Exchange(store, custody, rulebooks, relay, {settings.stack_participant})
    revisions = Revisions(exchange)
    revisions.load()
    # Not before: what is open is told by terms, each under its own version.
    store.enter_all()
    issuer = Issuer(exchange, settings.issuer)
    _register_self(exchange, settings.stack_participant)
    revisions.sign_for_node()
    consumer = ConsumerLoop(bus, NAME, TOPICS, RecordHandler(store, relay.wake), runtime.metrics)
    publication = Publication(store, relay.wake)
    runtime.law.watch(publication)
    pulse = Pulse(
        runtime.publisher, settings.heartbeat_seconds, relay.behind, publication.whole, bus.create_topics
    )
    watch = Watch(exchange, runtime.law.table, publication.whole, settings.review_seconds)
    runtime.law.listen(watch.heard)
    tree = Tree(
        engine, f"{settings.public_url.rstrip('/')}/exchange/v1/log", custody.follow(EXCHANGE_PARTICIPANT)
    )
    runtime.parts += [relay, publication, pulse, consumer, watch, Notary(tree, settings.log_head_seconds)]
    space = dataspace.build(settings, engine, exchange, runtime, bus)
    provider = Provider(settings) if settings.oidc_issuer else None
    _check_roles(settings, runtime.rulebook.roles)
    runtime.checks["store"] = store_check(engine)
    runtime.checks["consumer"] = consumer.check
    billing = _billing(store, engine, rulebooks)
    app = build_app(
        runtime,
        "DMI exchange",
        "Participants, agreements, consents, catalogue, tokens, log: the shared facilities.",
        [
            # First, since a route is looked for in this order: a negotiation waits for several of these in a row.
            *space.routers,
            *routers(exchange, issuer, settings, provider, tree, space.notices, runtime.recorder.put),
            rulebook_routes(revisions),
            *_people(exchange, issuer, runtime, Codes(engine, store, relay.wake), space.notices),
            transaction_routes(billing),
            inspection_routes(exchange, billing.commons),
        ],
    )

    app.state.exchange = exchange

    def close() -> None:
        if provider is not None:
            provider.close()
        space.close()
        engine.dispose()

    return Service(NAME, app, runtime, close)


def _check_roles(settings: ExchangeSettings, known: Collection[str]) -> None:
    for role in sorted({r for m in settings.oidc_members for r in m.roles} - set(known)):
        log.warning("DMI_OIDC_MEMBERS names a role that the rulebook does not know", role=role)
