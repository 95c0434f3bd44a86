"""Builders shared by the tests of the agreements framework."""

from __future__ import annotations

import copy
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest

from dmi_agreements.contracts.law import AgreementState, Dataset, Participant
from dmi_agreements.rulebook import Rulebook, parse_rulebook
from dmi_agreements.table import LawTable

CONCLUDED = 1_790_000_000_000_000
"""When agreements of these tests were concluded, unless they never were."""
RULEBOOK = Path(__file__).parents[3] / "agreements" / "rulebook"


@pytest.fixture(scope="session")
def rulebook_files() -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in RULEBOOK.glob("*.json")}


@pytest.fixture(scope="session")
def rulebook(rulebook_files: dict[str, bytes]) -> Rulebook:
    return parse_rulebook(rulebook_files)


DOCUMENT: dict[str, Any] = {
    "@context": ["http://www.w3.org/ns/odrl.jsonld", {"dmi": "urn:dmi:"}],
    "@type": "Agreement",
    "uid": "urn:uuid:11111111-1111-4111-8111-111111111111",
    "profile": "urn:dmi:profile:1",
    "dmi:rulebook": "1.0.0",
    "dmi:legalBasis": "dmi:basis:public-task",
    "assigner": "urn:dmi:participant:gemeente",
    "assignee": "urn:dmi:participant:stack",
    "permission": [
        {
            "target": "urn:dmi:dataset:gemeente:garages",
            "action": ["dmi:process", "dmi:display"],
            "constraint": [
                {"leftOperand": "purpose", "operator": "isA", "rightOperand": "dmi:purpose:mobility"},
                {
                    "leftOperand": "dateTime",
                    "operator": "lteq",
                    "rightOperand": {"@value": "2027-01-01T00:00:00Z", "@type": "xsd:dateTime"},
                },
                {
                    "leftOperand": "recipient",
                    "operator": "isAnyOf",
                    "rightOperand": ["urn:dmi:participant:stack"],
                },
                {
                    "leftOperand": "spatial",
                    "operator": "isPartOf",
                    "rightOperand": {"dmi:bbox": [4.6, 52.2, 5.1, 52.5]},
                },
            ],
            "duty": [
                {
                    "action": "dmi:coarsen",
                    "constraint": [
                        {
                            "leftOperand": "dmi:gridSize",
                            "operator": "eq",
                            "rightOperand": {"@value": "100", "@type": "xsd:integer"},
                            "unit": "m",
                        }
                    ],
                }
            ],
        }
    ],
    "prohibition": [
        {
            "target": "urn:dmi:dataset:gemeente:garages",
            "action": "dmi:display",
            "constraint": [
                {"leftOperand": "purpose", "operator": "isA", "rightOperand": "dmi:purpose:crowd-safety"}
            ],
        }
    ],
}


@pytest.fixture
def document() -> dict[str, Any]:
    return copy.deepcopy(DOCUMENT)


@pytest.fixture(scope="session")
def example() -> dict[str, Any]:
    """The same document for tests that draw many examples; copy it before changing it."""
    return DOCUMENT


Agreement = Callable[..., AgreementState]


@pytest.fixture
def agreement() -> Agreement:
    """An agreement state by its few parts: number, parties, actions, purpose, times, duties, state."""

    def build(
        number: int = 1,
        *,
        assigner: str = "urn:dmi:participant:gemeente",
        assignee: str = "urn:dmi:participant:stack",
        dataset: str = "urn:dmi:dataset:gemeente:garages",
        actions: Sequence[str] = ("dmi:read",),
        purpose: str = "dmi:purpose:mobility",
        times: Sequence[tuple[str, str]] = (),
        duties: Sequence[dict[str, Any]] = (),
        recipients: Sequence[str] = (),
        prohibit: str | None = None,
        state: str = "active",
        ended_at: int | None = None,
        extra: dict[str, Any] | None = None,
    ) -> AgreementState:
        uid = f"urn:uuid:00000000-0000-4000-8000-{number:012d}"
        person = assigner.startswith("urn:dmi:person:")
        constraints: list[dict[str, Any]] = [
            {"leftOperand": "dateTime", "operator": operator, "rightOperand": moment}
            for operator, moment in times
        ]
        if recipients:
            constraints.append(
                {"leftOperand": "recipient", "operator": "isAnyOf", "rightOperand": list(recipients)}
            )

        def rule(purpose: str) -> dict[str, Any]:
            test = {"leftOperand": "purpose", "operator": "isA", "rightOperand": purpose}
            return {"target": dataset, "action": list(actions), "constraint": [test, *constraints]}

        text: dict[str, Any] = {
            "@context": ["http://www.w3.org/ns/odrl.jsonld", {"dmi": "urn:dmi:"}],
            "@type": "Agreement",
            "uid": uid,
            "profile": "urn:dmi:profile:1",
            "dmi:rulebook": "1.0.0",
            "dmi:legalBasis": "dmi:basis:consent" if person else "dmi:basis:public-task",
            "assigner": assigner,
            "assignee": assignee,
            "permission": [{**rule(purpose), "duty": list(duties)}],
            **({"prohibition": [rule(prohibit)]} if prohibit else {}),
            **(extra or {}),
        }
        concluded_at = None if state == "proposed" else CONCLUDED
        return AgreementState(uid, text, state, concluded_at=concluded_at, ended_at=ended_at)

    return build


@pytest.fixture
def table(rulebook: Rulebook) -> LawTable:
    """A table with participants and datasets, without agreements."""
    law = LawTable(rulebook)
    for slug in ("gemeente", "stack", "sensorbedrijf"):
        law.apply(Participant(f"urn:dmi:participant:{slug}", slug, [], rulebook="1.0.0"))
    law.apply(Participant("urn:dmi:participant:unsigned", "unsigned", []))
    law.apply(Participant("urn:dmi:participant:old", "old", [], rulebook="0.1.0"))
    law.apply(Participant("urn:dmi:participant:left", "left", [], rulebook="1.0.0", active=False))
    gemeente = "urn:dmi:participant:gemeente"
    law.apply(Dataset("urn:dmi:dataset:gemeente:garages", gemeente, {"nl": "Garages"}))
    law.apply(Dataset("urn:dmi:dataset:gemeente:bicycle-air", gemeente, {"nl": "Lucht"}, personal=True))
    law.apply(Dataset("urn:dmi:dataset:gemeente:gone", gemeente, {"nl": "Weg"}, withdrawn=True))
    return law
