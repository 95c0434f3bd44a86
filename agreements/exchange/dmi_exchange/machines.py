"""Machines of participants: a name and key of their own, and no right but what a mandate of their participant gives."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec

from dmi_agreements.contracts.law import Participant
from dmi_agreements.decision import Reason
from dmi_agreements.keys import revoked
from dmi_exchange import model
from dmi_exchange.handlers import Exchange
from dmi_exchange.owned_keys import checked_key, pin
from dmi_infra import clock
from dmi_infra.errors import Conflict, NotFound, Refused

NO_MACHINE = "no machine of yours has this id"
MOST = 1000
"""Machines of one participant: each is an object of the law that every service holds."""


class Machines:
    """What a participant does with its machines; each is an object of the law, known everywhere within a second."""

    def __init__(self, exchange: Exchange) -> None:
        self._exchange = exchange

    def of(self, owner: str | None) -> list[Participant]:
        """The machines of one participant, or all; those that were stopped, too."""
        every = self._exchange.store.find(Participant)
        return [one for one in every if one.machine_of and owner in (None, one.machine_of)]

    def add(self, owner: str, name: str, title: str, key: Mapping[str, Any]) -> Participant:
        """Enter a machine with its public key; without a mandate it can do nothing."""
        slug = owner.removeprefix(model.ORGANISATION)
        if slug == owner:
            raise Refused([Reason("wrong_role", "machines belong to organisations")])
        if len(self.of(owner)) >= MOST:
            raise Conflict.of("name", f"you have {MOST} machines already, stopped ones among them")
        public, identifier = checked_key(key, "key"), f"{model.MACHINE}{slug}:{name}"

        def decide(known: Participant | None) -> Participant:
            if known is not None:
                raise Conflict.of("name", "a machine of yours has this name, or had it", name)
            return Participant(identifier, title, [], [public], machine_of=owner)

        with self._exchange.keys_settle:
            pin(self._exchange.store, public, identifier, "key")
            return self._exchange.settle(Participant, identifier, decide)

    def stop(self, owner: str | None, identifier: str) -> Participant:
        """Stop a machine for good (``owner`` ``None``: anybody's): its keys and all tokens by them are dead at once."""

        def decide(known: Participant | None) -> Participant:
            if known is None or not known.machine_of or owner not in (None, known.machine_of):
                raise NotFound(NO_MACHINE)
            if not known.active:
                raise Conflict.of("state", "this machine has been stopped already", identifier)
            now = int(clock.seconds())
            dead = [key if "revoked" in key else revoked(key, now, "unspecified") for key in known.keys]
            return msgspec.structs.replace(known, active=False, keys=dead)

        return self._exchange.settle(Participant, identifier, decide)
