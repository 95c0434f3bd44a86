"""Who may look at where a result comes from: those whom it concerns, and those who may see the data under it."""

from __future__ import annotations

from collections.abc import Callable

from dmi_agreements.contracts.law import AgreementState, Dataset
from dmi_agreements.contracts.observations import Micros
from dmi_agreements.contracts.results import Lineage
from dmi_agreements.decision import EVERYONE
from dmi_exchange import model
from dmi_exchange.store import Store
from dmi_infra.identity import Identity
from dmi_infra.permit import EVER

WORK = "scenario"
"""A scenario is the unfinished work of whoever made it: open data under it does not open its title and edits."""


def insight(store: Store, identity: Identity) -> Callable[[Lineage], bool]:
    """Whether ``identity`` may see a lineage: the operator, an owner of its data, a party to one of its rights.

    A result that is no scenario may also be seen by whoever has an agreement on all data under it; one that was made
    while it had, also afterwards: so it learns that what it was given has lost its ground.
    """
    if identity.has(model.OPERATOR):
        return lambda _item: True
    me = identity.participant
    mine = store.find(AgreementState, me)
    open_data = [one for one in store.find(AgreementState, EVERYONE) if not model.is_consent(one)]
    parties = {one.id for one in mine}
    own = {dataset.id for dataset in store.find(Dataset, me)}
    concluded = [one for one in (*mine, *open_data) if one.concluded_at is not None]
    reached: dict[str, Micros] = dict.fromkeys(own, EVER)
    for one in concluded:
        until = EVER if one.ended_at is None else one.ended_at
        for dataset in model.targets(one.document):
            reached[dataset] = max(until, reached.get(dataset, until))

    def may(item: Lineage) -> bool:
        grounds = item.grounds
        if own.intersection(grounds.datasets) or parties.intersection(
            (*grounds.agreements, *grounds.consents)
        ):
            return True
        held = (reached.get(dataset, -EVER) for dataset in grounds.datasets)
        return item.kind != WORK and all(item.made_at <= until for until in held)

    return may
