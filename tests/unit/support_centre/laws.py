"""Names and agreements that the tests of the support centre share."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from dmi_agreements.contracts.law import AgreementState, SubjectRequest
from dmi_agreements.contracts.results import Measure
from dmi_agreements.table import LawTable
from dmi_infra import clock
from dmi_support_centre.grounds import Withdrawals
from dmi_support_centre.measuring import Measures
from dmi_support_centre.model import Result
from dmi_support_centre.rounds import Aftermath
from dmi_support_centre.store import Store
from dmi_support_centre.store.marks import Following

RULEBOOK = Path(__file__).parents[3] / "agreements" / "rulebook"
GARAGES = "urn:dmi:dataset:gemeente:garages"
AREAS = "urn:dmi:dataset:gemeente:neighbourhoods"
OWNER = "urn:dmi:participant:gemeente"
STACK = "urn:dmi:participant:stack"
VENDOR = "urn:dmi:participant:sensorbedrijf"
NOW = 1_700_000_100_000_000
NOOR, PIET = "urn:dmi:person:noor", "urn:dmi:person:piet"
ACTIONS = ["dmi:process", "dmi:read", "dmi:analyse", "dmi:publish"]

RARELY = {"leftOperand": "timeInterval", "operator": "gteq", "rightOperand": "PT1H"}
"""An hour between uses."""

Agree = Callable[..., AgreementState]


def agreement_of(
    number: int,
    assignee: str = STACK,
    dataset: str = GARAGES,
    actions: list[str] | None = None,
    state: str = "active",
    duties: list[dict[str, Any]] | None = None,
    assigner: str = OWNER,
    limits: list[dict[str, Any]] | None = None,
) -> AgreementState:
    """An agreement of the municipality, or with a person as ``assigner`` a consent."""
    person = assigner.startswith("urn:dmi:person:")
    purpose = "dmi:purpose:public-task" if person else "dmi:purpose:any"
    uid = f"urn:uuid:00000000-0000-4000-8000-{number:012d}"
    rule = {
        "target": dataset,
        "action": actions or ACTIONS,
        "constraint": [
            {"leftOperand": "purpose", "operator": "isA", "rightOperand": purpose},
            *(limits or []),
        ],
        "duty": duties or [],
    }
    document = {
        "@context": ["http://www.w3.org/ns/odrl.jsonld", {"dmi": "urn:dmi:"}],
        "@type": "Agreement",
        "uid": uid,
        "profile": "urn:dmi:profile:1",
        "dmi:rulebook": "1.0.0",
        "dmi:legalBasis": "dmi:basis:consent" if person else "dmi:basis:public-task",
        "assigner": assigner,
        "assignee": assignee,
        "permission": [rule],
    }
    ended = clock.now() if state == "ended" else None
    return AgreementState(uid, document, state, concluded_at=clock.now(), ended_at=ended)


class Times:
    """A clock that is set by hand."""

    def __init__(self) -> None:
        self.at = NOW

    def now(self, datasets: object) -> int:
        return self.at


def withdrawals_of(
    store: Store,
    law: LawTable,
    told: list[Result] | None = None,
    forget: Callable[[str, str | None], None] = lambda _dataset, _person: None,
    on_changed: Callable[[], None] = lambda: None,
) -> Withdrawals:
    """What marks results, with nothing that follows but a note of each in ``told``."""

    def follow(results: Sequence[Result], _measures: Sequence[Measure]) -> Following:
        if told is not None:
            told.extend(results)
        return Following()

    return Withdrawals(store, law, follow, lambda: None, on_changed, forget)


def take_back(withdrawals: Withdrawals, request: SubjectRequest) -> None:
    """What follows in the support centre from a request whose rows have gone."""
    withdrawals.take_back(request, withdrawals.taking_back(request))


def withdrawals_over(store: Store, measures: Measures, law: LawTable) -> Withdrawals:
    """What marks results and takes their measures back, where nothing was learned."""
    return Withdrawals(store, law, Aftermath(measures), lambda: None, lambda: None, lambda *_gone: None)
