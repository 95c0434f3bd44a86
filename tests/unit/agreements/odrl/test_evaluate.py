"""The engine on values that no document can hold."""

from __future__ import annotations

import pytest

from dmi_agreements.odrl.evaluate import evaluate
from dmi_agreements.odrl.model import ODRL, Action, Constraint, Logical, Policy, Rule, RuleKind, Test, Thing
from dmi_agreements.odrl.world import Attempt, Request, World

READ = Request("urn:request", (Attempt("urn:wish", ODRL + "read", "urn:x", "urn:alice"),))
UNKNOWN: list[Test] = [
    Constraint("urn:unheard-of", ODRL + "eq", ("urn:x",), "/"),
    Constraint(ODRL + "purpose", "urn:unheard-of", ("urn:x",), "/"),
    Constraint(ODRL + "purpose", ODRL + "eq", (), "/"),
    Logical("or", (), "/"),
    Logical("and", (), "/"),
]


def policy(kind: RuleKind, **parts: object) -> Policy:
    """A policy that permits reading, with one rule more of this kind."""
    rule = Rule(kind, "/0", (Action(ODRL + "read"),), **parts)  # type: ignore[arg-type]
    plain = Rule("permission", "/1", (Action(ODRL + "read"),))
    if kind == "permission":
        return Policy("Set", "urn:policy", permissions=(rule,))
    return Policy("Set", "urn:policy", permissions=(plain,), prohibitions=(rule,))


@pytest.mark.parametrize("test", UNKNOWN)
def test_what_is_not_understood_denies_at_run_time(test: Test) -> None:
    world = World(facts={ODRL + "purpose": ("urn:x",)})
    assert not evaluate(policy("permission", constraints=(test,)), READ, world).allowed
    assert not evaluate(policy("prohibition", constraints=(test,)), READ, world).allowed


def test_a_party_of_which_nothing_is_said_is_nobody() -> None:
    assert not evaluate(policy("permission", assignees=(Thing(),)), READ, World()).allowed
    assert not evaluate(policy("prohibition", assignees=(Thing(),)), READ, World()).allowed


def test_a_request_that_asks_nothing_gets_nothing() -> None:
    assert not evaluate(policy("permission"), Request("urn:request", ()), World()).allowed


def test_of_several_wishes_all_must_be_permitted() -> None:
    both = Request("urn:request", (*READ.attempts, Attempt("urn:other", ODRL + "sell", "urn:x", "urn:alice")))
    assert evaluate(policy("permission"), READ, World()).allowed
    assert not evaluate(policy("permission"), both, World()).allowed


def test_an_action_that_nobody_knows_is_prohibited_where_anything_is() -> None:
    strange = Request("urn:request", (Attempt("urn:wish", "urn:unheard-of", "urn:x", "urn:alice"),))
    everything = Policy("Set", "urn:policy", permissions=(Rule("permission", "/0", ()),))
    assert evaluate(everything, strange, World()).allowed
    both = Policy("Set", "urn:policy", everything.permissions, policy("prohibition").prohibitions)
    assert not evaluate(both, strange, World()).allowed
