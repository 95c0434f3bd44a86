"""Forgets what a person corrected once it is carried out, or the rows are erased: the values are personal data."""

from __future__ import annotations

from collections.abc import Callable, Collection

import msgspec

from dmi_agreements.contracts.law import Correction, SubjectRequest
from dmi_agreements.contracts.observations import Micros
from dmi_agreements.rights import RECTIFICATION
from dmi_exchange.handlers import Exchange
from dmi_exchange.mydata.done import complete
from dmi_exchange.notices.store import Notices


class Corrections:
    """What stands of them in the law, which every service holds, and in notices."""

    def __init__(self, exchange: Exchange, notices: Notices) -> None:
        self._exchange = exchange
        self._notices = notices

    def carried_out(self, identifier: str) -> bool:
        """Empty a request whose corrections every layer has carried out; whether nothing is left to wait for."""
        found = self._exchange.store.get(SubjectRequest, identifier)
        if found is None or not found.corrections:
            return True
        done = self._exchange.store.carried_out([identifier]).get(identifier, [])
        told = [one.service for one in done]
        if not complete(found, found.purpose, told, self._exchange.rulebooks):
            return False
        self._keep(identifier, lambda _one: False)
        return True

    def erased(self, person: str, dataset: str, until: Micros) -> None:
        """Forget what a person corrected of rows that are erased up to a moment; nobody needs be told it any more."""
        for one in self._exchange.store.find(SubjectRequest, person):
            if (one.right, one.dataset) == (RECTIFICATION, dataset) and _up_to(one.corrections, until):
                self._keep(one.id, lambda each: each.phenomenon_time > until)
        self._notices.erased(person, dataset, until)

    def _keep(self, identifier: str, wanted: Callable[[Correction], bool]) -> None:
        def decide(known: SubjectRequest | None) -> SubjectRequest:
            assert known is not None
            kept = [each for each in known.corrections if wanted(each)]
            return msgspec.structs.replace(known, corrections=kept)

        self._exchange.settle(SubjectRequest, identifier, decide)


def _up_to(corrections: Collection[Correction], until: Micros) -> bool:
    return any(each.phenomenon_time <= until for each in corrections)
