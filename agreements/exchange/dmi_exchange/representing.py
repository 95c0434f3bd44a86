"""Who acts for a person, such as the parents of a child: entered with the person, and changed when that changes."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from dmi_agreements.contracts.law import Participant
from dmi_agreements.contracts.observations import Micros
from dmi_exchange.handlers import Exchange
from dmi_exchange.logbook import own
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
    by: str,
) -> Participant:
    """Enter who acts for a person from now on, and until when; who did so and is left out has no say any more.

    The person, and who acts for it now, read in the log that ``by`` changed it.

    Where ``of_age_at`` is not said a child comes of age when it would have: another guardian does not change that.

    Every gate and route asks that at each request. What was consented to by who could goes on, as it does when a child
    comes of age: who represents the person now withdraws it, or not.
    """
    if not identifier.startswith(PERSON):
        raise InputRefused.of("participant", "must be a person: organisations give mandates", identifier)
    check_representation(identifier, representatives, None if of_age_at is msgspec.UNSET else of_age_at)
    for index, name in enumerate(representatives):
        known = exchange.store.get(Participant, name)
        # With a slip of the pen a child would have nobody; nor does who has left act for anybody.
        if known is None or not known.active:
            rule = (
                "must be a person that is known here"
                if known is None
                else "must be a person that has not left"
            )
            raise InputRefused.of(f"representatives.{index}", rule, name)

    def decide(known: Participant | None) -> Participant:
        if known is None:
            raise NotFound("no participant has this id")
        before = known.of_age_at if representatives else None
        until = before if of_age_at is msgspec.UNSET else of_age_at
        return msgspec.structs.replace(known, representatives=list(representatives), of_age_at=until)

    told = own.done_for(
        identifier, by, "dmi:represent", "representation: who acts for this person was changed"
    )
    return exchange.settle_all(Participant, {identifier: decide}, told)[0]
