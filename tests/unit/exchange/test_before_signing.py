"""What is told before anybody signs: no template defeats itself, and the solver has no endless time."""

from __future__ import annotations

import time

import pytest

from dmi_agreements.policy.document import read_agreement
from dmi_exchange.review import before_signing
from dmi_exchange.review.before_signing import Contradictions
from dmi_exchange.review.conflicts import OutOfTime, solver
from tests.unit.exchange.rdf.test_own_terms import RULEBOOK, filled

REVIEW = Contradictions.of(RULEBOOK)


@pytest.mark.parametrize("name", RULEBOOK.templates)
def test_no_template_of_the_rulebook_defeats_itself(name: str) -> None:
    assert REVIEW.review(read_agreement(filled(RULEBOOK, name), RULEBOOK).policy) == []


def test_a_check_that_takes_too_long_says_that_it_was_not_completed(monkeypatch: pytest.MonkeyPatch) -> None:
    document = filled(RULEBOOK, "dmi:template:open-data")
    document["prohibition"] = [{**document["permission"][0], "action": "dmi:read"}]
    policy = read_agreement(document, RULEBOOK).policy
    assert {each["kind"] for each in REVIEW.review(policy)} == {"overlap"}
    monkeypatch.setattr(before_signing, "SECONDS", -1.0)
    (told,) = REVIEW.review(policy)
    assert told["kind"] == "not checked"
    assert set(told["message"]) == {"nl", "en"}


def test_a_policy_of_many_rules_takes_no_longer_than_the_limit(monkeypatch: pytest.MonkeyPatch) -> None:
    """One solver is for all: each question keeps to what is left of the time, also one that finds nothing."""
    document = filled(RULEBOOK, "dmi:template:open-data")
    (rule,) = document["permission"]
    document["permission"] = [rule] * 60
    document["prohibition"] = [{**rule, "target": f"urn:dmi:dataset:city:d{number}"} for number in range(60)]
    document["conflict"] = "prohibit"
    policy = read_agreement(document, RULEBOOK).policy
    monkeypatch.setattr(before_signing, "SECONDS", 0.3)
    begun = time.monotonic()
    assert [each["kind"] for each in REVIEW.review(policy)] == ["not checked"]
    assert time.monotonic() - begun < 1.5


def test_who_waits_for_the_solver_waits_no_longer_than_its_own_time() -> None:
    policy = read_agreement(filled(RULEBOOK, "dmi:template:open-data"), RULEBOOK).policy
    with solver._ONE:
        found = REVIEW.checker.findings(policy, time.monotonic() + 0.1)
        with pytest.raises(OutOfTime):
            list(found)
    assert list(REVIEW.checker.findings(policy)) == []
