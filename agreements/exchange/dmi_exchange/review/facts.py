"""What the review knows of datasets, participants and commons: from the exchange's store."""

from __future__ import annotations

from functools import partial

from dmi_agreements.contracts.law import AgreementState, Dataset, Participant
from dmi_exchange import model
from dmi_exchange.review.case import Facts
from dmi_exchange.store import Store


def facts_of(store: Store) -> Facts:
    """The facts as the store has them at the moment of asking."""

    def taken(giver: str, taker: str, but: str) -> int:
        total = 0
        for agreement in store.find(AgreementState, giver):
            if agreement.id == but or agreement.state != "active" or model.is_consent(agreement):
                continue
            if model.parties(agreement) == (giver, taker):
                found = (store.get(Dataset, name) for name in model.targets(agreement.document))
                total += sum(dataset.commons_cents for dataset in found if dataset is not None)
        return total

    return Facts(partial(store.get, Dataset), partial(store.get, Participant), taken)
