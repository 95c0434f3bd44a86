"""What an agreement is about: datasets of its assigner, for a participant, on known terms."""

from __future__ import annotations

from dmi_agreements.contracts.law import Dataset, Participant
from dmi_agreements.decision import EVERYONE
from dmi_agreements.policy.terms import PERSON, AgreementTerms
from dmi_exchange.entering import NEEDS_LICENCE, opened
from dmi_exchange.store import Store
from dmi_infra.errors import InputRefused


def check_targets(store: Store, terms: AgreementTerms) -> None:
    """Raise ``InputRefused`` unless the assigner may give its datasets away, and the assignee is a participant."""
    for target in terms.datasets:
        dataset = store.get(Dataset, target)
        if dataset is None:
            raise InputRefused.of("document/permission/target", "must be a dataset of the catalogue", target)
        if terms.is_consent:
            if not dataset.personal:
                raise InputRefused.of(
                    "document/permission/target", "consent is for personal data only", target
                )
        elif dataset.owner != terms.assigner:
            raise InputRefused.of("document/assigner", "must own every dataset that the rules name", target)
    # A proposal to a person waits for its signature; whether there is such a person is nobody's to find out by it.
    known = terms.assignee == EVERYONE or terms.assignee.startswith(PERSON)
    if not known and store.get(Participant, terms.assignee) is None:
        raise InputRefused.of("document/assignee", "must be a participant", terms.assignee)


def check_licences(store: Store, terms: AgreementTerms) -> None:
    """Whoever takes open data must know on what terms it may be passed on; raises ``InputRefused``."""
    if terms.assignee != EVERYONE or terms.is_consent:
        return
    for target in sorted(opened(terms)):
        dataset = store.get(Dataset, target)
        if not (dataset and dataset.licence):
            raise InputRefused.of("licence", NEEDS_LICENCE, target)
