"""Who may look at where a result comes from: those whom it concerns, and those who may see the data under it."""

from __future__ import annotations

from collections.abc import Collection
from functools import cache

from dmi_agreements.contracts.law import AgreementState, Dataset
from dmi_agreements.contracts.observations import Micros
from dmi_agreements.contracts.results import Lineage
from dmi_exchange import model
from dmi_exchange.resting import is_of_one_sensor
from dmi_exchange.store import Store
from dmi_infra.identity import Identity
from dmi_infra.permit import EVER

WORK = "scenario"
"""A scenario is the unfinished work of whoever made it: open data under it does not open its title and edits."""


class Insight:
    """What lineage tells ``identity``, by the law as it stood when this was made."""

    def __init__(self, store: Store, identity: Identity) -> None:
        self._operates = identity.has(model.OPERATOR)
        self._store = store
        if self._operates:
            return
        me = identity.participant
        mine = store.find(AgreementState, me)
        agreements = [one for one in mine if not model.is_consent(one)]
        self._agreements = {one.id for one in agreements}
        self._consents = {one.id for one in mine} - self._agreements
        self._owned = {dataset.id for dataset in store.find(Dataset, me)}
        self._personal = cache(self._about_persons)
        concluded = [one for one in (*agreements, *store.open_data()) if one.concluded_at is not None]
        self._reached: dict[str, Micros] = dict.fromkeys(self._owned, EVER)
        for one in concluded:
            until = EVER if one.ended_at is None else one.ended_at
            for dataset in model.targets(one.document):
                self._reached[dataset] = max(until, self._reached.get(dataset, until))

    def may(self, item: Lineage) -> bool:
        """Whether it may see a lineage: the operator, whose own consent it rests on, an owner, a party to a right.

        A result that is no scenario may also be seen by whoever has an agreement on all data under it; one that was
        made while it had, also afterwards: so it learns that what it was given has lost its ground. A consent is no
        such agreement: it is to one's own rows. What one sensor of a person measured is for that person alone,
        whatever others have: the list of them is a list of persons, and says who withdrew.
        """
        grounds = item.grounds
        if self._operates or self._consents.intersection(grounds.consents):
            return True
        if is_of_one_sensor(item) and (grounds.consents or any(map(self._personal, grounds.datasets))):
            return False
        if self._owned.intersection(grounds.datasets) or self._agreements.intersection(grounds.agreements):
            return True
        held = (self._reached.get(dataset, -EVER) for dataset in grounds.datasets)
        return item.kind != WORK and all(item.made_at <= until for until in held)

    def consents(self, item: Lineage) -> Collection[str]:
        """Those of the consents under a result that are counted for it: a person's are its own, the operator's all.

        Their number would tell everybody else, the owner too, that somebody withdrew.
        """
        found = item.grounds.consents
        return found if self._operates else self._consents.intersection(found)

    def _about_persons(self, dataset: str) -> bool:
        entry = self._store.get(Dataset, dataset)
        return entry is None or entry.personal
