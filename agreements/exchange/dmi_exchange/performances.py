"""Duties that somebody owes under an agreement, and the word of whom they are owed to that they were fulfilled."""

from __future__ import annotations

from dataclasses import dataclass

import msgspec

from dmi_agreements.contracts.law import AgreementState, Performance
from dmi_agreements.decision import Reason
from dmi_agreements.errors import PolicyRefused
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


@dataclass(frozen=True, slots=True)
class Duty:
    """A duty of an agreement as its parties look at it."""

    path: str
    """JSON pointer of it in the document."""
    action: str
    """IRI."""
    by_node: bool
    """Whether the gates of this node carry it out themselves; else somebody owes it."""
    performed: Performance | None
    """The word of whom it is owed to that it was fulfilled."""


def duties(exchange: Exchange, agreement: AgreementState) -> list[Duty]:
    """All duties of an agreement, in the order of its text; none when the language has lost a term of it.

    The gates refuse such an agreement anyway, and say why.
    """
    book = exchange.rulebooks.under(agreement.document)
    try:
        policy = read_agreement(agreement.document, book, exchange.layers).policy
    except PolicyRefused:
        return []
    carried = {iri(each) for each in book.duties}
    done = {each.rule: each for each in agreement.performed}
    return [
        Duty(each.path, each.actions[0].iri, each.actions[0].iri in carried, done.get(each.path))
        for each, _ in duties_of(policy)
    ]


def owed_under(exchange: Exchange, agreement: AgreementState) -> list[str]:
    """The places of the duties that people fulfil; the others the stack carries out itself."""
    return [each.path for each in duties(exchange, agreement) if not each.by_node]
