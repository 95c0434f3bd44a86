"""Who acts for a person, such as the parents of a child: entered with the person, and changed when that changes."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from dmi_agreements.contracts.law import Participant
from dmi_agreements.contracts.observations import Micros
from dmi_exchange.handlers import Exchange
from dmi_exchange.model import PERSON, check_representation
from dmi_infra.errors import InputRefused, NotFound


def represented(exchange: Exchange, identifier: str) -> tuple[Participant, list[Participant]]:
    """A person and who acts for it; raises ``NotFound``."""
    person = exchange.store.get(Participant, identifier)
    if person is None or not identifier.startswith(PERSON):
        raise NotFound("no person has this id")
    found = (exchange.store.get(Participant, name) for name in person.representatives)
    return person, [one for one in found if one is not None]


def represent(
    exchange: Exchange,
    identifier: str,
    representatives: Sequence[str],
    of_age_at: Micros | msgspec.UnsetType | None,
) -> Participant:
    """Enter who acts for a person from now on, and until when; who did so and is left out has no say any more.

    Where ``of_age_at`` is not said a child comes of age when it would have: another guardian does not change that.

    Every gate and route asks that at each request. What was consented to by who could goes on, as it does when a child
    comes of age: who represents the person now withdraws it, or not.
    """
    if not identifier.startswith(PERSON):
        raise InputRefused.of("participant", "must be a person: organisations give mandates", identifier)
    check_representation(identifier, representatives, None if of_age_at is msgspec.UNSET else of_age_at)
    for index, name in enumerate(representatives):
        if exchange.store.get(Participant, name) is None:
            # With a slip of the pen a child would have nobody.
            raise InputRefused.of(f"representatives.{index}", "must be a person that is known here", name)

    def decide(known: Participant | None) -> Participant:
        if known is None:
            raise NotFound("no participant has this id")
        before = known.of_age_at if representatives else None
        until = before if of_age_at is msgspec.UNSET else of_age_at
        return msgspec.structs.replace(known, representatives=list(representatives), of_age_at=until)

    return exchange.settle(Participant, identifier, decide)
