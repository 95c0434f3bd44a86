"""Negotiation within this node: a proposal is answered with other terms, which take its place."""

from __future__ import annotations

from typing import Any, Final

import msgspec

from dmi_agreements.contracts.law import AgreementState
from dmi_agreements.duties import DAY
from dmi_exchange import model
from dmi_exchange.handlers import NO_AGREEMENT, Exchange, check_open
from dmi_infra import clock
from dmi_infra.errors import Conflict, InputRefused, NotFound

MOST_ROUNDS: Final = 100
"""Proposals of one negotiation that are told; of a longer one the newest."""
MOST_PROPOSALS: Final = 500
"""Of one party: open ones, and those of the last day that came to nothing. Every service holds each of them."""


def check_room(exchange: Exchange, party: str) -> None:
    """Raise ``Conflict`` for one who has too many proposals already."""
    if exchange.store.room.proposals(party, clock.now() - DAY, MOST_PROPOSALS) >= MOST_PROPOSALS:
        rule = f"you have {MOST_PROPOSALS} proposals that are open or of the last day: conclude some, or wait"
        raise Conflict.of("document", rule)


def refine(
    exchange: Exchange, signer: str, identifier: str, document: dict[str, Any], jws: str | None
) -> AgreementState:
    """Put other terms in the place of a proposal, which ends in the same transaction; either party may.

    Raises ``NotFound`` for a proposal of others, ``Conflict`` for one that is no proposal any more, and
    ``InputRefused`` for a document of other parties or datasets, or that law or rulebook do not allow.
    """
    before = exchange.agreement(identifier, signer)
    if signer not in model.parties(before):
        raise NotFound(NO_AGREEMENT)
    check_open(before)
    for name in ("assigner", "assignee"):
        if document.get(name) != before.document.get(name):
            given = str(document.get(name, ""))
            raise InputRefused.of(f"document/{name}", "must stay that of the proposal", given)
    if sorted(model.targets(document)) != sorted(model.targets(before.document)):
        raise InputRefused.of("document/permission/target", "must stay the datasets of the proposal")
    if document.get("uid") == identifier:
        raise InputRefused.of("document/uid", "must be another than that of the proposal", identifier)
    uid, made = exchange.proposing(signer, document, jws, replaces=identifier)

    def close(known: AgreementState | None) -> AgreementState:
        if known is None:
            raise NotFound(NO_AGREEMENT)
        check_open(known)
        return msgspec.structs.replace(
            known, state="ended", ended_at=clock.now(), ended_by=signer, replaced_by=uid
        )

    return exchange.settle_all(AgreementState, {identifier: close, uid: made})[1]


def rounds(exchange: Exchange, party: str | None, identifier: str) -> list[AgreementState]:
    """The proposals of the negotiation that an agreement came of, oldest first, up to that agreement itself."""
    found = [exchange.agreement(identifier, party)]
    while found[-1].replaces is not None and len(found) < MOST_ROUNDS:
        found.append(exchange.agreement(found[-1].replaces, party))
    return found[::-1]
