"""Templates: each fills into a document that the language reads; what does not fit is refused by name."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from dmi_agreements.decision import Coarsen, Delay, DeleteAfter, Suppress
from dmi_agreements.errors import PolicyRefused, TemplateRefused
from dmi_agreements.policy.document import read_agreement
from dmi_agreements.policy.templates import from_template
from dmi_agreements.prices import Price
from dmi_agreements.rulebook import Rulebook

UID = "urn:uuid:00000000-0000-4000-8000-000000000001"
GEMEENTE = "urn:dmi:participant:gemeente"
STACK = "urn:dmi:participant:stack"
DATASET = "urn:dmi:dataset:gemeente:garages"

UNTIL = 1_798_761_600_000_000

PARAMETERS: dict[str, dict[str, object]] = {
    "open-data": {"assigner": GEMEENTE, "datasets": DATASET},
    "sample": {"assigner": GEMEENTE, "datasets": DATASET},
    "sensor-data": {
        "assigner": GEMEENTE,
        "assignee": STACK,
        "datasets": [DATASET],
        "actions": ("dmi:process", "dmi:display"),
        "purpose": "dmi:purpose:mobility",
    },
    "personal-data": {
        "assigner": GEMEENTE,
        "assignee": STACK,
        "datasets": DATASET,
        "actions": ["dmi:process"],
        "purpose": "dmi:purpose:air-quality",
        "until": UNTIL,
        "days": 365,
    },
    "consent": {
        "person": "urn:dmi:person:noor",
        "datasets": DATASET,
        "recipients": [STACK, GEMEENTE],
        "actions": ["dmi:process"],
        "purpose": "dmi:purpose:air-quality",
        "until": UNTIL,
    },
    "contribute": {
        "assigner": GEMEENTE,
        "assignee": STACK,
        "datasets": DATASET,
        "purpose": "dmi:purpose:mobility",
        "basis": "dmi:basis:contract",
    },
    "commercial": {
        "assigner": GEMEENTE,
        "assignee": STACK,
        "datasets": DATASET,
        "actions": ["dmi:read"],
        "purpose": "dmi:purpose:commercial-research",
        "until": UNTIL,
    },
    "emergency": {
        "assigner": GEMEENTE,
        "assignee": STACK,
        "datasets": DATASET,
        "actions": ["dmi:read"],
        "until": UNTIL,
        "days": 30,
    },
}


def test_every_template_of_the_rulebook_is_tried_here(rulebook: Rulebook) -> None:
    assert {f"dmi:template:{name}" for name in PARAMETERS} == set(rulebook.templates)


@pytest.mark.parametrize("name", PARAMETERS)
def test_a_template_needs_only_what_it_requires(rulebook: Rulebook, name: str) -> None:
    document = from_template(rulebook, name, uid=UID, **PARAMETERS[name])
    terms = read_agreement(document, rulebook)
    assert terms.uid == UID
    given = PARAMETERS[name]
    assert [limit.moment for limit in terms.permissions[0].times] == ([UNTIL] if "until" in given else [])
    assert terms.permissions[0].duties == ((DeleteAfter(given["days"]),) if "days" in given else ())  # type: ignore[arg-type]
    assert terms.is_consent == (name == "consent")
    assert "$" not in str(document)


def test_conditions_that_are_given_become_terms(rulebook: Rulebook) -> None:
    document = from_template(
        rulebook,
        "dmi:template:personal-data",
        uid=UID,
        **{
            **PARAMETERS["personal-data"],
            "start": 1_798_761_600_000_000,
            "until": datetime(2028, 1, 1, tzinfo=UTC),
            "days": 28,
        },
        area=(4.6, 52.2, 5.1, 52.5),
        grid=100,
        minimum_group=5,
        delay=60,
    )
    rule = read_agreement(document, rulebook).permissions[0]
    assert [(test.operator, test.moment) for test in rule.times] == [
        ("gteq", 1_798_761_600_000_000),
        ("lteq", 1_830_297_600_000_000),
    ]
    assert rule.areas == ((4.6, 52.2, 5.1, 52.5),)
    assert rule.duties == (Coarsen(100), Suppress(5), Delay(60), DeleteAfter(28))


@pytest.mark.parametrize(
    ("given", "price"),
    [
        ({}, None),
        ({"use_cents": 5}, Price(5, 1, "use")),
        ({"use_cents": "250"}, Price(250, 1, "use")),
    ],
)
def test_commercial_use_may_have_a_price(
    rulebook: Rulebook, given: dict[str, object], price: Price | None
) -> None:
    document = from_template(rulebook, "commercial", uid=UID, **PARAMETERS["commercial"], **given)
    assert read_agreement(document, rulebook).permissions[0].price == price


def test_a_filled_template_does_not_change_the_rulebook(rulebook: Rulebook) -> None:
    first = from_template(rulebook, "open-data", uid=UID, **PARAMETERS["open-data"])
    first["permission"][0]["action"].clear()
    second = from_template(rulebook, "open-data", uid=UID, **PARAMETERS["open-data"])
    assert second["permission"][0]["action"]


def test_an_unknown_template_or_parameter_and_a_missing_one_are_named(rulebook: Rulebook) -> None:
    with pytest.raises(TemplateRefused, match="template of the rulebook: commercial, "):
        from_template(rulebook, "open-dat")
    with pytest.raises(TemplateRefused) as caught:
        from_template(rulebook, "open-data", uid=UID, assigner=GEMEENTE, grid=100, datasets=None)
    assert {finding.path for finding in caught.value.findings} == {"/datasets", "/grid"}


def test_a_value_outside_the_language_is_refused_with_its_place(rulebook: Rulebook) -> None:
    with pytest.raises(PolicyRefused, match="/permission/0/duty/0/constraint/0/rightOperand"):
        from_template(rulebook, "sensor-data", uid=UID, **PARAMETERS["sensor-data"], grid=-5)
