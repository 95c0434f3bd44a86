"""The gate decides the whole of ODRL: each part by an example, and what no gate could tell is refused at signing."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from dmi_agreements.contracts.law import AgreementState, Performance
from dmi_agreements.decide import decide
from dmi_agreements.decision import Decision, DeleteAfter, Request
from dmi_agreements.policy.compiled import compile_agreement
from dmi_agreements.policy.document import read_agreement
from dmi_agreements.policy.situation import Situation, Use, offset
from dmi_agreements.rulebook import Rulebook
from dmi_agreements.table import LawTable
from tests.unit.agreements.gate_policies import BASE, DAY, GARAGES, HOUR, OWNER, STACK
from tests.unit.agreements.reading import findings

Edit = Callable[[dict[str, Any]], object]
Build = Callable[..., AgreementState]


def test(left: str, operator: str, right: object) -> dict[str, Any]:
    return {"leftOperand": left, "operator": operator, "rightOperand": right}


test.__test__ = False  # type: ignore[attr-defined]
AREA = test("spatial", "isPartOf", {"dmi:bbox": [4, 52, 5, 53]})
PAY = {"rdf:value": {"@id": "odrl:compensate"}, "refinement": [test("payAmount", "eq", 5)]}
LATE = {"action": "inform", "consequence": [{"action": "dmi:coarsen"}]}


def also(constraint: dict[str, Any]) -> Edit:
    """One more constraint."""
    return lambda rule: rule["constraint"].append(constraint)


def judge(
    document: dict[str, Any],
    rulebook: Rulebook,
    *,
    purpose: str = "dmi:purpose:mobility",
    action: str = "dmi:read",
    now: int = BASE,
    **known: Any,
) -> Decision:
    compiled = compile_agreement(read_agreement(document, rulebook), rulebook)
    situation = Situation(STACK, action, GARAGES, purpose, now, **known)
    return decide(compiled, Request(STACK, action, GARAGES, purpose), now, situation)


@pytest.fixture
def plain(agreement: Build) -> dict[str, Any]:
    """Permits reading for mobility."""
    return agreement().document


def permission(document: dict[str, Any]) -> dict[str, Any]:
    rule: dict[str, Any] = document["permission"][0]
    return rule


def test_exactly_one_of_two_conditions_may_hold(plain: dict[str, Any], rulebook: Rulebook) -> None:
    permission(plain)["constraint"].append(
        {"xone": [test("dmi:role", "isAnyOf", "dmi:role:user"), test("count", "lteq", 2)]}
    )
    user, provider = frozenset({"dmi:role:user"}), frozenset({"dmi:role:provider"})
    path = "/permission/0"
    assert judge(plain, rulebook, roles=provider, uses={path: Use(1, BASE)}).allowed
    assert judge(plain, rulebook, roles=user, uses={path: Use(2, BASE)}).allowed
    assert judge(plain, rulebook, roles=user, uses={}).reasons[0].code == "condition_unmet"
    assert judge(plain, rulebook, roles=None, uses={}).reasons[0].code == "condition_unknown"


def test_a_delay_in_a_sequence_counts_from_what_stands_before_it(
    plain: dict[str, Any], rulebook: Rulebook
) -> None:
    begins = test("dateTime", "gteq", "2027-01-01T00:00:00Z")
    wait = test("delayPeriod", "gteq", "P2D")
    long_ago = BASE - 100 * DAY
    permission(plain)["constraint"].append({"andSequence": [begins, wait]})
    assert not judge(plain, rulebook, now=BASE + 2 * DAY - 1, concluded=long_ago).allowed
    assert judge(plain, rulebook, now=BASE + 2 * DAY, concluded=long_ago).allowed
    permission(plain)["constraint"][-1] = {"andSequence": [begins, wait, wait]}
    assert not judge(plain, rulebook, now=BASE + 4 * DAY - 1, concluded=long_ago).allowed
    assert judge(plain, rulebook, now=BASE + 4 * DAY, concluded=long_ago).allowed
    permission(plain)["constraint"][-1] = {"and": [begins, wait]}
    assert judge(plain, rulebook, now=BASE, concluded=long_ago).allowed, (
        "without a sequence since the agreement"
    )


def test_a_duty_that_was_late_is_made_good_by_its_consequence(
    plain: dict[str, Any], rulebook: Rulebook
) -> None:
    in_time = test("dateTime", "lteq", "2027-01-01T00:00:00Z")
    permission(plain)["duty"] = [
        {"action": "attribute", "constraint": [in_time], "consequence": [{"action": "compensate"}]}
    ]
    duty, consequence = "/permission/0/duty/0", "/permission/0/duty/0/consequence/0"

    def told(*done: tuple[str, int], now: int = BASE + DAY) -> str:
        performed = tuple(Performance(path, at, OWNER) for path, at in done)
        return judge(plain, rulebook, now=now, performed=performed).reasons[0].code

    assert told(now=BASE) == "duty_open"
    assert told((duty, BASE), now=BASE) == "allowed"
    assert told((duty, BASE)) == "allowed"
    assert told((duty, BASE + 1)) == "duty_open"
    assert told((duty, BASE + 1), (consequence, BASE + 2)) == "allowed"
    assert told((consequence, BASE + 2)) == "duty_open"


def test_an_obligation_that_the_gate_carries_out_holds_for_every_permission(
    plain: dict[str, Any], rulebook: Rulebook
) -> None:
    plain["obligation"] = [{"action": "dmi:deleteAfter", "constraint": [test("dmi:days", "eq", 28)]}]
    assert judge(plain, rulebook).duties == (DeleteAfter(28),)


def test_what_is_inherited_stands_in_the_document_and_holds(
    plain: dict[str, Any], rulebook: Rulebook
) -> None:
    forbidden = {
        "target": GARAGES,
        "action": "odrl:use",
        "constraint": [test("purpose", "neq", "dmi:purpose:noise")],
    }
    plain["inheritFrom"] = [
        {"@type": "Set", "uid": "http://example.org/house-rules", "prohibition": [forbidden]}
    ]
    decision = judge(plain, rulebook)
    assert (decision.allowed, decision.reasons[0].path) == (False, "/inheritFrom/0/prohibition/0")
    plain["inheritFrom"] = ["http://example.org/house-rules"]
    assert "both sides sign" in findings(plain, rulebook)["/inheritFrom/0"].rule


def test_an_action_and_a_party_are_narrowed_by_refinements(plain: dict[str, Any], rulebook: Rulebook) -> None:
    rule = permission(plain)
    rule["action"] = [
        {"rdf:value": {"@id": "odrl:use"}, "refinement": [test("dmi:timeOfDay", "gteq", "12:00:00")]},
        "dmi:display",
    ]
    assert judge(plain, rulebook, now=BASE + 11 * HOUR).allowed, "noon here is eleven in UTC"
    assert not judge(plain, rulebook, now=BASE + 11 * HOUR - 1).allowed
    assert judge(plain, rulebook, now=BASE, action="dmi:display").allowed
    rule["action"] = "dmi:read"
    role = test("dmi:role", "isAnyOf", "dmi:role:user")
    rule["assignee"] = {"@type": "PartyCollection", "source": plain["assignee"], "refinement": [role]}
    assert judge(plain, rulebook, roles=frozenset({"dmi:role:user"})).allowed
    assert not judge(plain, rulebook, roles=frozenset({"dmi:role:provider"})).allowed


def test_a_part_of_a_dataset_is_told_by_its_area(plain: dict[str, Any], rulebook: Rulebook) -> None:
    area = test("spatial", "isPartOf", {"dmi:bbox": [4, 52, 5, 53]})
    permission(plain)["target"] = [{"@type": "AssetCollection", "source": GARAGES, "refinement": [area]}]
    (duty,) = judge(plain, rulebook).duties
    assert duty.bbox == (4.0, 52.0, 5.0, 53.0)  # type: ignore[union-attr]
    permission(plain)["target"].append(GARAGES)
    assert "/permission/0" in findings(plain, rulebook)


def test_what_a_policy_says_for_all_its_rules_stands_in_each(
    plain: dict[str, Any], rulebook: Rulebook
) -> None:
    plain |= {"target": permission(plain).pop("target"), "action": permission(plain).pop("action")}
    assert judge(plain, rulebook).allowed


@pytest.mark.parametrize(
    ("edit", "path", "nearest"),
    [
        (also(test("payAmount", "eq", 5)), "/constraint/1/leftOperand", None),
        (also(test("meteredTime", "lt", "P1D")), "/constraint/1/leftOperand", "elapsedTime"),
        (also(test("timeInterval", "eq", "PT1H")), "/constraint/1/operator", None),
        (also(test("timeInterval", "lteq", "PT1H")), "/constraint/1/operator", "gteq"),
        (also(test("dmi:dayOfWek", "eq", "Monday")), "/constraint/1/leftOperand", "dmi:dayOfWeek"),
        (also(test("dmi:dayOfWeek", "eq", "Manday")), "/constraint/1/rightOperand", "Monday"),
        (also({"andd": [AREA]}), "/constraint/1/andd", None),
        (also({"or": []}), "/constraint/1/or", None),
        (also({"or": [test("purpose", "neq", "dmi:purpose:noise")]}), "/constraint/1/or/0/operator", "eq"),
        (also({"or": [AREA]}), "/constraint/1/or/0", None),
        (lambda r: r.update(constraint=[{"or": [r["constraint"][0], test("count", "lt", 9)]}]), "", None),
        (lambda r: r.update(action="odrl:distribute"), "/action", None),
        (lambda r: r.update(duty=[{"action": "compensat"}]), "/duty/0/action", "compensate"),
        (lambda r: r.update(duty=[{"action": PAY}]), "/duty/0/action/refinement", None),
        (lambda r: r.update(duty=[LATE]), "/duty/0/consequence/0/action", None),
    ],
)  # fmt: skip
def test_what_nothing_tells_the_gate_is_refused_at_signing_with_its_place(
    plain: dict[str, Any], rulebook: Rulebook, edit: Edit, path: str, nearest: str | None
) -> None:
    del permission(plain)["duty"]
    edit(permission(plain))
    found = findings(plain, rulebook)
    assert f"/permission/0{path}" in found
    if nearest is not None:
        assert found[f"/permission/0{path}"].nearest == nearest


def test_a_sequence_without_order_is_refused(plain: dict[str, Any], rulebook: Rulebook) -> None:
    odrl = "http://www.w3.org/ns/odrl/2/"
    parts = [test("dmi:dayOfWeek", "eq", "Monday"), test("delayPeriod", "gteq", "P1D")]
    plain["@context"] = [{"@vocab": odrl}, {"dmi": "urn:dmi:"}]
    permission(plain)["constraint"].append({"andSequence": parts})
    assert "/permission/0/constraint/1/andSequence" in findings(plain, rulebook)
    permission(plain)["constraint"][1] = {"andSequence": {"@list": parts}}
    assert read_agreement(plain, rulebook)


def test_the_strategy_of_an_agreement_settles_its_own_conflicts_only(
    table: LawTable, agreement: Build
) -> None:
    request = Request(STACK, "dmi:read", GARAGES, "dmi:purpose:crowd-safety")
    lenient = agreement(1, prohibit="dmi:purpose:crowd-safety", extra={"conflict": "perm"})
    table.apply(lenient)
    assert table.decide(request, BASE).allowed
    strict = agreement(2, prohibit="dmi:purpose:crowd-safety")
    table.apply(strict)
    decision = table.decide(request, BASE)
    assert (decision.reasons[0].code, decision.reasons[0].agreement) == ("prohibited", strict.id)


def test_a_confirmed_duty_comes_with_the_law_and_an_earlier_state_does_not_take_it_back(
    table: LawTable, agreement: Build
) -> None:
    request = Request(STACK, "dmi:read", GARAGES, "dmi:purpose:mobility")
    owing = agreement(duties=[{"action": "attribute"}])
    table.apply(owing)
    assert table.decide(request, BASE).reasons[0].code == "duty_open"
    done = AgreementState(
        owing.id, owing.document, "active", performed=[Performance("/permission/0/duty/0", BASE, OWNER)]
    )
    assert table.apply(done).changed
    assert table.decide(request, BASE).allowed
    assert not table.decide(request, BASE - 1).allowed
    assert not table.apply(owing).changed
    assert table.decide(request, BASE).allowed


@pytest.mark.parametrize(
    ("moment", "hours"),
    [
        (1_806_195_600_000_000 - 1, 1),  # 2027-03-28T00:59:59.999999Z
        (1_806_195_600_000_000, 2),
        (1_824_944_400_000_000 - 1, 2),  # 2027-10-31T00:59:59.999999Z
        (1_824_944_400_000_000, 1),
        (BASE, 1),
    ],
)
def test_clocks_go_forward_and_back_on_the_last_sundays_of_march_and_october(moment: int, hours: int) -> None:
    assert offset(moment) == hours * HOUR
