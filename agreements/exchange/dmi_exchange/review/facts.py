"""What the review knows of datasets, participants and commons: from the exchange's store."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial

from dmi_agreements.contracts.law import AgreementState, Dataset, Participant
from dmi_exchange import model
from dmi_exchange.review.case import Facts
from dmi_exchange.store import Store


def facts_of(store: Store) -> Facts:
    """The facts as the store has them at the moment of asking."""

    def taken(giver: str, taker: str, but: str) -> Mapping[str, int]:
        names: set[str] = set()
        for agreement in store.find(AgreementState, giver):
            if agreement.id == but or agreement.state != "active" or model.is_consent(agreement):
                continue
            if model.parties(agreement) == (giver, taker):
                names |= model.given_free(agreement.document)
        found = (store.get(Dataset, name) for name in sorted(names))
        return {one.id: one.commons_cents for one in found if one is not None and one.commons_cents}

    return Facts(partial(store.get, Dataset), partial(store.get, Participant), taken)
