"""Versions of the rulebook: what changes is told and weighed; each agreement is read under its own version."""

from __future__ import annotations

import copy
from collections.abc import Callable
from typing import Any

import pytest

from dmi_agreements.contracts.law import AgreementState, Heartbeat, LawEvent, Participant, RulebookVersion
from dmi_agreements.decision import Request
from dmi_agreements.difference import difference, weight
from dmi_agreements.errors import RulebookInvalid
from dmi_agreements.rulebook import Rulebook, rulebook_of
from dmi_agreements.table import LawTable
from dmi_agreements.versions import number
from tests.unit.agreements.conftest import Agreement

NOW = 1_800_000_000_000_000
GARAGES = "urn:dmi:dataset:gemeente:garages"
STACK = "urn:dmi:participant:stack"


def changed(rulebook: Rulebook, version: str = "1.1.0", **more: Any) -> dict[str, Any]:
    files: dict[str, Any] = copy.deepcopy(dict(rulebook.files))
    files["rulebook.json"] |= {"version": version, "accepted": ["1.0.0"], **more}
    return files


def adopted(files: dict[str, Any]) -> RulebookVersion:
    version = files["rulebook.json"]["version"]
    return RulebookVersion(f"urn:dmi:rulebook:{version}", version, "1.0.0", "adopted", files)


def term(files: dict[str, Any], name: str, identifier: str) -> dict[str, Any]:
    found: dict[str, Any] = next(t for t in files[name] if t["id"] == identifier)
    return found


def test_wording_weighs_least_an_addition_more_and_a_loss_most(rulebook: Rulebook) -> None:
    files = changed(rulebook)
    term(files, "purposes.json", "dmi:purpose:noise")["label"]["nl"] = "Lawaai"
    wording = difference(rulebook, rulebook_of(files))
    assert [(c.path, c.weight) for c in wording] == [("purposes.json#/dmi:purpose:noise/label", "patch")]
    assert wording[0].text["nl"] == "doel “Lawaai”, label: nieuw “Lawaai”; was “Geluid”"
    files["purposes.json"].append(
        term(files, "purposes.json", "dmi:purpose:noise") | {"id": "dmi:purpose:quiet"}
    )
    assert weight(difference(rulebook, rulebook_of(files))) == "minor"
    term(files, "limits.json", "dmi:limit:group")["minimum"] = 10
    found = difference(rulebook, rulebook_of(files))
    assert weight(found) == "major"
    limit = next(c for c in found if c.path == "limits.json#/dmi:limit:group/minimum")
    assert (limit.before, limit.after) == (5, 10)
    assert limit.text["en"] == "limit “Smallest group”, minimum: new 10; was 5"


def test_a_limit_that_is_added_takes_something_away(rulebook: Rulebook) -> None:
    files = changed(rulebook)
    files["limits.json"].append(
        term(files, "limits.json", "dmi:limit:term") | {"id": "dmi:limit:shorter", "maximum": 30}
    )
    assert weight(difference(rulebook, rulebook_of(files))) == "major"


def governing(files: dict[str, Any]) -> None:
    files["rulebook.json"]["governance"]["adopt"]["major"].append("dmi:role:management-council")


def proposing(files: dict[str, Any]) -> None:
    files["rulebook.json"]["governance"]["propose"].append("dmi:role:vendor")


def inspecting(files: dict[str, Any]) -> None:
    term(files, "roles.json", "dmi:role:vendor")["may"].append("inspect")


def another_role(files: dict[str, Any]) -> None:
    files["roles.json"].append(
        term(files, "roles.json", "dmi:role:vendor") | {"id": "dmi:role:other", "may": ["delimit"]}
    )


def wider_basis(files: dict[str, Any]) -> None:
    term(files, "legal-bases.json", "dmi:basis:contract")["purposes"].append("dmi:purpose:any")


def another_basis(files: dict[str, Any]) -> None:
    files["legal-bases.json"].append(
        term(files, "legal-bases.json", "dmi:basis:contract") | {"id": "dmi:basis:because"}
    )


def another_country(files: dict[str, Any]) -> None:
    files["countries.json"].append(
        {"id": "dmi:country:ke", "label": {"nl": "Kenia", "en": "Kenya"}, "ground": "adequacy"}
    )


def narrower_limit(files: dict[str, Any]) -> None:
    limit = term(files, "limits.json", "dmi:limit:retention")
    limit["bases"] = [*limit["bases"], "dmi:basis:contract"]


@pytest.mark.parametrize(
    "change",
    [
        governing, proposing, inspecting, another_role, wider_basis, another_basis, another_country,
        narrower_limit,
    ],
)  # fmt: skip
def test_what_gives_somebody_a_power_or_says_who_decides_is_major(
    rulebook: Rulebook, change: Callable[[dict[str, Any]], None]
) -> None:
    """A longer list is no light change there: the body that adopts those could make itself the one that adopts all."""
    files = changed(rulebook)
    change(files)
    assert weight(difference(rulebook, rulebook_of(files))) == "major"


def test_the_same_content_has_the_same_digest_and_another_has_not(rulebook: Rulebook) -> None:
    assert rulebook_of(dict(reversed(rulebook.files.items()))).digest == rulebook.digest
    assert rulebook_of(changed(rulebook)).digest != rulebook.digest
    assert number("1.10.0") > number("1.9.9")


@pytest.mark.parametrize("rulebook_first", [True, False])
def test_an_agreement_is_read_under_its_version_in_whatever_order_the_law_comes(
    rulebook: Rulebook, table: LawTable, agreement: Agreement, rulebook_first: bool
) -> None:
    files = changed(rulebook)
    scooters = term(files, "purposes.json", "dmi:purpose:noise") | {"id": "dmi:purpose:scooters"}
    files["purposes.json"].append({**scooters, "parent": "dmi:purpose:mobility"})
    old = agreement(1, actions=["dmi:read"])
    new = agreement(2, actions=["dmi:read"], purpose="dmi:purpose:scooters", extra={"dmi:rulebook": "1.1.0"})
    events: list[LawEvent] = [adopted(files), old, new]
    for event in events if rulebook_first else reversed(events):
        table.apply(event)
    table.apply(Heartbeat("urn:dmi:heartbeat", NOW))

    def rests_on(purpose: str) -> tuple[str, ...]:
        return table.decide(Request(STACK, "dmi:read", GARAGES, purpose), NOW).agreements

    assert rests_on("dmi:purpose:mobility") == (old.id,)
    assert rests_on("dmi:purpose:scooters") == (new.id,)


def purpose_is(operator: str, name: str) -> dict[str, Any]:
    return {"leftOperand": "purpose", "operator": operator, "rightOperand": f"dmi:purpose:{name}"}


@pytest.mark.parametrize("order", [(0, 1, 2), (2, 1, 0), (1, 0, 2), (1, 2, 0)])
@pytest.mark.parametrize(
    ("test", "permitted"),
    [
        (None, set()),
        (purpose_is("isA", "commercial"), {"noise", "scooters"}),
        (purpose_is("neq", "mobility"), set()),
        (purpose_is("eq", "marketing"), {"noise", "scooters", "advertising"}),
        # The newer version says nothing of what it has lost, so neither does the prohibition.
        (purpose_is("isA", "data-quality"), {"noise", "marketing"}),
    ],
)
def test_a_prohibition_reaches_purposes_that_came_after_it(
    rulebook: Rulebook,
    table: LawTable,
    agreement: Agreement,
    test: dict[str, Any] | None,
    permitted: set[str],
    order: tuple[int, ...],
) -> None:
    files = changed(rulebook)
    for name, parent in (("scooters", "mobility"), ("advertising", "commercial")):
        one = term(files, "purposes.json", "dmi:purpose:noise")
        files["purposes.json"].append(one | {"id": f"dmi:purpose:{name}", "parent": f"dmi:purpose:{parent}"})
    rule = {"target": GARAGES, "action": "dmi:export"} | ({"constraint": [test]} if test else {})
    old = agreement(1, actions=["dmi:read"], extra={"prohibition": [rule]})
    asked = ("noise", "scooters", "advertising", "marketing")
    allowing = [
        {"target": GARAGES, "action": "dmi:export", "constraint": [purpose_is("eq", name)]} for name in asked
    ]
    new = agreement(2, extra={"dmi:rulebook": "1.1.0", "permission": allowing})
    files["purposes.json"] = [
        one for one in files["purposes.json"] if one["id"] != "dmi:purpose:data-quality"
    ]
    events: list[LawEvent] = [adopted(files), old, new]
    for place in order:
        table.apply(events[place])
    for event in (old, new):
        assert not getattr(table.held(event.id), "findings", "none")
    table.apply(Heartbeat("urn:dmi:heartbeat", NOW))
    found = {
        name
        for name in asked
        if table.decide(Request(STACK, "dmi:export", GARAGES, f"dmi:purpose:{name}"), NOW).allowed
    }
    assert found == permitted


@pytest.mark.parametrize("rulebook_first", [True, False])
@pytest.mark.parametrize(("action", "reached"), [("use", True), ("dmi:export", False)])
def test_a_prohibition_of_all_use_reaches_actions_that_came_after_it(
    rulebook: Rulebook,
    table: LawTable,
    agreement: Agreement,
    action: str,
    reached: bool,
    rulebook_first: bool,
) -> None:
    files = changed(rulebook)
    files["actions.json"].append(term(files, "actions.json", "dmi:export") | {"id": "dmi:lend"})
    old = agreement(1, extra={"prohibition": [{"target": GARAGES, "action": action}]})
    events: list[LawEvent] = [adopted(files), old]
    for event in events if rulebook_first else reversed(events):
        table.apply(event)
    table.apply(Heartbeat("urn:dmi:heartbeat", NOW))
    decision = table.decide(Request(STACK, "dmi:lend", GARAGES, "dmi:purpose:mobility"), NOW)
    assert (decision.reasons[0].code == "prohibited") is reached


def test_who_signed_a_version_that_is_no_longer_accepted_must_sign_again(
    rulebook: Rulebook, table: LawTable
) -> None:
    table.apply(adopted(changed(rulebook, "2.0.0", accepted=[])))
    decision = table.decide(Request(STACK, "dmi:read", GARAGES, "dmi:purpose:mobility"), NOW)
    assert decision.reasons[0].code == "rulebook_not_signed"
    table.apply(Participant(STACK, "stack", [], rulebook="2.0.0"))
    decision = table.decide(Request(STACK, "dmi:read", GARAGES, "dmi:purpose:mobility"), NOW)
    assert decision.reasons[0].code == "no_agreement"


def test_a_proposal_decides_nothing_and_a_version_that_cannot_be_read_refuses_all(
    rulebook: Rulebook, table: LawTable
) -> None:
    files = changed(rulebook)
    table.apply(RulebookVersion("urn:dmi:rulebook:1.1.0", "1.1.0", "1.0.0", "proposed", files))
    assert table.rulebook.version == "1.0.0"
    table.apply(Heartbeat("urn:dmi:heartbeat", NOW))
    assert table.stale(NOW) is None
    del files["roles.json"]
    table.apply(adopted(files))
    assert table.stale(NOW) is not None


@pytest.mark.parametrize("value", [2**70, "\ud800", [2**64]])
def test_files_that_no_json_can_hold_are_refused_with_their_name(rulebook: Rulebook, value: Any) -> None:
    files = changed(rulebook)
    files["roles.json"][0]["label"]["nl"] = value
    with pytest.raises(RulebookInvalid, match=r"roles\.json"):
        rulebook_of(files)


def test_a_version_heard_twice_changes_nothing(
    rulebook: Rulebook, table: LawTable, agreement: Agreement
) -> None:
    state: AgreementState = agreement(1)
    table.apply(state)
    event = adopted(changed(rulebook))
    assert table.apply(event).changed
    assert not table.apply(event).changed
