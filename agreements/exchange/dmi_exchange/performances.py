"""Duties that somebody owes under an agreement, and the word of whom they are owed to that they were fulfilled."""

from __future__ import annotations

import msgspec

from dmi_agreements.contracts.law import AgreementState, Performance
from dmi_agreements.decision import Reason
from dmi_agreements.odrl.own import duties_of
from dmi_agreements.policy.document import read_agreement
from dmi_agreements.policy.operands import iri
from dmi_exchange import model
from dmi_exchange.handlers import NO_AGREEMENT, Exchange
from dmi_infra import clock
from dmi_infra.errors import Conflict, InputRefused, NotFound, Refused


def confirm(exchange: Exchange, party: str, identifier: str, duty: str) -> AgreementState:
    """Confirm, as the party to which it is owed, that a duty (JSON pointer) was fulfilled."""
    owed = owed_under(exchange, exchange.agreement(identifier, party))
    if duty not in owed:
        known = f": {', '.join(owed)}" if owed else ", and this agreement has none"
        raise InputRefused.of("duty", f"must be the place of a duty that somebody owes{known}", duty)

    def decide(agreement: AgreementState | None) -> AgreementState:
        if agreement is None:
            raise NotFound(NO_AGREEMENT)
        if party != model.assigner(agreement.document):
            raise Refused([Reason("not_a_party", "only who grants the right can confirm its duties")])
        if agreement.state != "active":
            raise Conflict.of("state", "duties are confirmed while the agreement is in force", identifier)
        if any(each.rule == duty for each in agreement.performed):
            raise Conflict.of("duty", "has been confirmed already", duty)
        done = Performance(duty, clock.now(), party)
        return msgspec.structs.replace(agreement, performed=[*agreement.performed, done])

    return exchange.settle(AgreementState, identifier, decide)


def owed_under(exchange: Exchange, agreement: AgreementState) -> list[str]:
    """The places of the duties that people fulfil; the others the stack carries out itself."""
    book = exchange.rulebooks.in_force(agreement.document)
    policy = read_agreement(agreement.document, book, exchange.layers).policy
    carried = {iri(each) for each in book.duties}
    return [each.path for each, _ in duties_of(policy) if each.actions[0].iri not in carried]
